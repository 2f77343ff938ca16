//! Swedish.

use super::{
    AskingTexts, HomeTexts, JoiningTexts, LevelText, LevelTexts, MessageText, MessageTexts,
    PasswordTexts, RightTexts, SessionTexts, Texts, WorkTexts,
};

pub(super) const TEXTS: Texts = Texts {
    home: HomeTexts {
        title: "Behöver du hjälp?",
        instruction: "Skriv sessionsnumret som teknikern säger.",
        connect: "Anslut",
        close: "Stäng",
        server_reachable: "Redo",
        server_unreachable: "Ingen kontakt med servern",
    },
    password: PasswordTexts {
        title: "Skriv lösenordet",
        instruction: "Skriv de sex siffror som teknikern säger efter numret.",
        of_number: "För numret",
    },
    joining: JoiningTexts {
        title: "Ansluter …",
        waiting: "Väntar på teknikern. Du blir tillfrågad innan någon ser den här skärmen.",
        cancel: "Avbryt",
    },
    asking: AskingTexts {
        title: "Låta en tekniker ansluta?",
        name_label: "Namn, som uppgivet:",
        rights_label: "Den som ringer vill:",
        choose: "Vad tillåter du?",
        code_question: "Säger teknikern samma kod?",
        code_advice: "Om inte, neka.",
        accept: "Godkänn",
        refuse: "Neka",
        countdown: |seconds| match seconds {
            1 => "Nekas om 1 sekund utan svar".to_owned(),
            _ => format!("Nekas om {seconds} sekunder utan svar"),
        },
    },
    rights: RightTexts {
        view: "se skärmen",
        control: "styra med tangenter och touch",
        pointer: "peka med en pil",
        files_read: "hämta filer härifrån",
        files_write: "skicka filer hit",
        shell: "köra kommandon",
        reboot: "starta om maskinen",
    },
    levels: LevelTexts {
        certificate: LevelText {
            word: "Certifikat",
            meaning: "Den som driver maskinen känner teknikern.",
        },
        code_compared: LevelText { word: "Jämför koden", meaning: "Bara lika koder är säkra." },
        none: LevelText {
            word: "Inte kontrollerat",
            meaning: "Ingen vet vem det är. Godkänn bara om du är säker.",
        },
        password: LevelText { word: "Lösenord", meaning: "Teknikern kan sessionens lösenord." },
    },
    session: SessionTexts {
        connected: "Tekniker ansluten",
        by_certificate: "Ansluten · certifikat",
        by_code: "Ansluten · kod jämförd",
        by_password: "Ansluten · lösenord",
        interrupted: "Anslutningen avbruten",
        stop: "Stopp",
        look_only: "Bara titta",
        only_looks_on: "Får bara titta",
        terminal_open: "Terminal öppen",
        files_move: "Filer överförs",
    },
    work: WorkTexts {
        reboot: "Teknikern startar om den här maskinen.",
        restart_application: "Teknikern startar om maskinens program.",
        countdown: |seconds| format!("Om {seconds} s"),
        prevent: "Starta inte om",
    },
    messages: MessageTexts {
        ok: "OK",
        stop: "Avsluta sessionen",
        ended_by_policy: MessageText {
            happened: "Maskinen avslutade sessionen.",
            safe: "Ingen kan längre se eller använda den.",
            next: "Om du fortfarande behöver hjälp, ring teknikern.",
        },
        ended_by_staff: MessageText {
            happened: "Du avslutade sessionen.",
            safe: "Ingen kan längre se eller använda maskinen.",
            next: "Om du fortfarande behöver hjälp, be om ett nytt sessionsnummer.",
        },
        ended_by_technician: MessageText {
            happened: "Teknikern avslutade sessionen.",
            safe: "Ingen kan längre se eller använda maskinen.",
            next: "Du kan arbeta vidare.",
        },
        ended_by_time: MessageText {
            happened: "Sessionen varade så länge som den får och är slut.",
            safe: "Ingen kan längre se eller använda maskinen.",
            next: "Om du fortfarande behöver hjälp, be om ett nytt sessionsnummer.",
        },
        ended_connection_lost: MessageText {
            happened: "Anslutningen till teknikern har brutits.",
            safe: "Sessionen är slut. Ingen kan längre se eller använda maskinen.",
            next: "Om du fortfarande behöver hjälp, be om ett nytt sessionsnummer.",
        },
        interrupted: MessageText {
            happened: "Anslutningen är avbruten.",
            safe: "Teknikern kan inte göra något just nu.",
            next: "Vänta: den återställs.",
        },
        not_certified: MessageText {
            happened: "Teknikerns certifikat gäller inte för den här maskinen.",
            safe: "Ingen är ansluten.",
            next: "Säg det till teknikern, som kanske behöver ett nytt certifikat.",
        },
        not_joined: MessageText {
            happened: "Det här sessionsnumret fungerar inte.",
            safe: "Ingen är ansluten.",
            next: "Fråga teknikern efter numret och skriv det igen.",
        },
        number_burned: MessageText {
            happened: "Tre felaktiga lösenord skrevs för det här numret.",
            safe: "Ingen är ansluten.",
            next: "Be teknikern om ett nytt nummer och lösenord.",
        },
        refused: MessageText {
            happened: "Du nekade.",
            safe: "Ingen är ansluten.",
            next: "Du kan arbeta vidare.",
        },
        refused_by_time: MessageText {
            happened: "Ingen svarade på frågan, så svaret var nej.",
            safe: "Ingen är ansluten.",
            next: "Om du behöver hjälp, be om ett nytt sessionsnummer.",
        },
        server_unreachable: MessageText {
            happened: "Sessionsservern svarar inte.",
            safe: "Ingen är ansluten.",
            next: "Kontrollera nätverkskabeln och försök igen.",
        },
        not_safe: MessageText {
            happened: "Anslutningen var inte säker och bröts.",
            safe: "Ingen är ansluten.",
            next: "Säg det till teknikern och be om ett nytt sessionsnummer.",
        },
        wrong_password: MessageText {
            happened: "Lösenordet var fel.",
            safe: "Ingen är ansluten.",
            next: "Be om lösenordet och skriv numret igen. Efter tre försök behöver du ett nytt nummer.",
        },
    },
};
