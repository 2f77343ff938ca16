//! Polish.

use super::{
    AskingTexts, HomeTexts, JoiningTexts, LevelText, LevelTexts, MessageText, MessageTexts,
    PasswordTexts, RightTexts, SessionTexts, Texts, WorkTexts,
};

pub(super) const TEXTS: Texts = Texts {
    home: HomeTexts {
        title: "Potrzebna pomoc?",
        instruction: "Wpisz numer sesji, który podaje technik.",
        connect: "Połącz",
        close: "Zamknij",
        server_reachable: "Gotowe",
        server_unreachable: "Brak połączenia z serwerem",
    },
    password: PasswordTexts {
        title: "Wpisz hasło",
        instruction: "Wpisz sześć cyfr, które technik podaje po numerze.",
        of_number: "Do numeru",
    },
    joining: JoiningTexts {
        title: "Łączenie …",
        waiting: "Czekamy na technika. Zapytamy, zanim ktoś zobaczy ten ekran.",
        cancel: "Anuluj",
    },
    asking: AskingTexts {
        title: "Pozwolić technikowi się połączyć?",
        name_label: "Imię podane przez dzwoniącego:",
        rights_label: "Dzwoniący chce:",
        choose: "Co wolno technikowi?",
        code_question: "Czy technik podaje ten sam kod?",
        code_advice: "Jeśli nie, odmów.",
        accept: "Zgoda",
        refuse: "Odmowa",
        countdown: |seconds| match seconds {
            1 => "Bez odpowiedzi odmowa za 1 sekundę".to_owned(),
            _ => format!("Bez odpowiedzi odmowa za {seconds} s"),
        },
    },
    rights: RightTexts {
        view: "widzieć ekran",
        control: "używać klawiatury i dotyku",
        pointer: "wskazywać strzałką",
        files_read: "pobierać stąd pliki",
        files_write: "wysyłać tu pliki",
        shell: "wykonywać polecenia",
        reboot: "zrestartować urządzenie",
    },
    levels: LevelTexts {
        certificate: LevelText {
            word: "Certyfikat",
            meaning: "Operator tego urządzenia zna technika.",
        },
        code_compared: LevelText {
            word: "Porównaj kod",
            meaning: "Tylko jednakowe kody są bezpieczne.",
        },
        none: LevelText {
            word: "Nie sprawdzono",
            meaning: "Nikt nie wie, kto to jest. Zgódź się tylko, jeśli masz pewność.",
        },
        password: LevelText { word: "Hasło", meaning: "Technik zna hasło tej sesji." },
    },
    session: SessionTexts {
        connected: "Technik połączony",
        by_certificate: "Połączono · certyfikat",
        by_code: "Połączono · kod porównany",
        by_password: "Połączono · hasło",
        interrupted: "Połączenie przerwane",
        stop: "Stop",
        look_only: "Tylko patrzeć",
        only_looks_on: "Może tylko patrzeć",
        terminal_open: "Terminal otwarty",
        files_move: "Przesyłanie plików",
    },
    work: WorkTexts {
        reboot: "Technik restartuje to urządzenie.",
        restart_application: "Technik restartuje aplikację tego urządzenia.",
        countdown: |seconds| format!("Za {seconds} s"),
        prevent: "Nie restartować",
    },
    messages: MessageTexts {
        ok: "OK",
        stop: "Zakończ sesję",
        ended_by_policy: MessageText {
            happened: "To urządzenie zakończyło sesję.",
            safe: "Nikt już nie może go widzieć ani używać.",
            next: "Jeśli nadal potrzebna jest pomoc, zadzwoń do technika.",
        },
        ended_by_staff: MessageText {
            happened: "Sesja została zakończona tutaj.",
            safe: "Nikt już nie może widzieć ani używać tego urządzenia.",
            next: "Jeśli nadal potrzebna jest pomoc, poproś o nowy numer sesji.",
        },
        ended_by_technician: MessageText {
            happened: "Technik zakończył sesję.",
            safe: "Nikt już nie może widzieć ani używać tego urządzenia.",
            next: "Można pracować dalej.",
        },
        ended_by_time: MessageText {
            happened: "Sesja trwała tyle, ile wolno, i jest zakończona.",
            safe: "Nikt już nie może widzieć ani używać tego urządzenia.",
            next: "Jeśli nadal potrzebna jest pomoc, poproś o nowy numer sesji.",
        },
        ended_connection_lost: MessageText {
            happened: "Połączenie z technikiem zostało utracone.",
            safe: "Sesja jest zakończona. Nikt już nie może widzieć ani używać tego urządzenia.",
            next: "Jeśli nadal potrzebna jest pomoc, poproś o nowy numer sesji.",
        },
        interrupted: MessageText {
            happened: "Połączenie jest przerwane.",
            safe: "Technik nie może teraz nic zrobić.",
            next: "Proszę czekać: jest przywracane.",
        },
        not_certified: MessageText {
            happened: "Certyfikat technika nie jest ważny dla tego urządzenia.",
            safe: "Nikt nie jest połączony.",
            next: "Powiedz o tym technikowi; może potrzebować nowego certyfikatu.",
        },
        not_joined: MessageText {
            happened: "Ten numer sesji nie działa.",
            safe: "Nikt nie jest połączony.",
            next: "Zapytaj technika o numer i wpisz go jeszcze raz.",
        },
        number_burned: MessageText {
            happened: "Dla tego numeru wpisano trzy błędne hasła.",
            safe: "Nikt nie jest połączony.",
            next: "Poproś technika o nowy numer i hasło.",
        },
        refused: MessageText {
            happened: "Odmówiono.",
            safe: "Nikt nie jest połączony.",
            next: "Można pracować dalej.",
        },
        refused_by_time: MessageText {
            happened: "Nikt nie odpowiedział na pytanie, więc odpowiedź brzmi: nie.",
            safe: "Nikt nie jest połączony.",
            next: "Jeśli potrzebna jest pomoc, poproś o nowy numer sesji.",
        },
        server_unreachable: MessageText {
            happened: "Serwer sesji nie odpowiada.",
            safe: "Nikt nie jest połączony.",
            next: "Sprawdź kabel sieciowy i spróbuj ponownie.",
        },
        not_safe: MessageText {
            happened: "Połączenie nie było bezpieczne i zostało przerwane.",
            safe: "Nikt nie jest połączony.",
            next: "Powiedz o tym technikowi i poproś o nowy numer sesji.",
        },
        wrong_password: MessageText {
            happened: "Hasło było błędne.",
            safe: "Nikt nie jest połączony.",
            next: "Zapytaj o hasło i wpisz numer ponownie. Po trzech próbach potrzebny jest nowy numer.",
        },
    },
};
