//! Czech.

use super::{
    AskingTexts, HomeTexts, JoiningTexts, LevelText, LevelTexts, MessageText, MessageTexts,
    PasswordTexts, RightTexts, SessionTexts, Texts, WorkTexts,
};

pub(super) const TEXTS: Texts = Texts {
    home: HomeTexts {
        title: "Potřebujete pomoc?",
        instruction: "Zadejte číslo relace, které vám řekne technik.",
        connect: "Připojit",
        close: "Zavřít",
        server_reachable: "Připraveno",
        server_unreachable: "Bez spojení se serverem",
    },
    password: PasswordTexts {
        title: "Zadejte heslo",
        instruction: "Zadejte šest číslic, které vám technik řekne po čísle.",
        of_number: "Pro číslo",
    },
    joining: JoiningTexts {
        title: "Připojování …",
        waiting: "Čeká se na technika. Zeptáme se, než někdo uvidí tuto obrazovku.",
        cancel: "Zrušit",
    },
    asking: AskingTexts {
        title: "Nechat připojit technika?",
        name_label: "Jméno, jak je uvedl volající:",
        rights_label: "Volající chce:",
        choose: "Co povolíte?",
        code_question: "Říká technik stejný kód?",
        code_advice: "Pokud ne, odmítněte.",
        accept: "Přijmout",
        refuse: "Odmítnout",
        countdown: |seconds| match seconds {
            1 => "Bez odpovědi odmítnuto za 1 sekundu".to_owned(),
            _ => format!("Bez odpovědi odmítnuto za {seconds} s"),
        },
    },
    rights: RightTexts {
        view: "vidět obrazovku",
        control: "ovládat klávesnicí a dotykem",
        pointer: "ukazovat šipkou",
        files_read: "stahovat odtud soubory",
        files_write: "ukládat sem soubory",
        shell: "spouštět příkazy",
        reboot: "restartovat zařízení",
    },
    levels: LevelTexts {
        certificate: LevelText {
            word: "Certifikát",
            meaning: "Provozovatel tohoto zařízení technika zná.",
        },
        code_compared: LevelText {
            word: "Porovnejte kód",
            meaning: "Bezpečné jsou jen stejné kódy.",
        },
        none: LevelText {
            word: "Neověřeno",
            meaning: "Nikdo neví, kdo to je. Přijměte, jen pokud jste si jisti.",
        },
        password: LevelText { word: "Heslo", meaning: "Technik zná heslo této relace." },
    },
    session: SessionTexts {
        connected: "Technik připojen",
        by_certificate: "Připojeno · certifikát",
        by_code: "Připojeno · kód porovnán",
        by_password: "Připojeno · heslo",
        interrupted: "Spojení přerušeno",
        stop: "Stop",
        look_only: "Jen sledovat",
        only_looks_on: "Smí jen sledovat",
        terminal_open: "Terminál otevřen",
        files_move: "Přenášejí se soubory",
    },
    work: WorkTexts {
        reboot: "Technik restartuje toto zařízení.",
        restart_application: "Technik restartuje aplikaci tohoto zařízení.",
        countdown: |seconds| format!("Za {seconds} s"),
        prevent: "Nerestartovat",
    },
    messages: MessageTexts {
        ok: "OK",
        stop: "Ukončit relaci",
        ended_by_policy: MessageText {
            happened: "Toto zařízení ukončilo relaci.",
            safe: "Nikdo je už nemůže vidět ani ovládat.",
            next: "Pokud ještě potřebujete pomoc, zavolejte technika.",
        },
        ended_by_staff: MessageText {
            happened: "Ukončili jste relaci.",
            safe: "Nikdo už nemůže toto zařízení vidět ani ovládat.",
            next: "Pokud ještě potřebujete pomoc, požádejte o nové číslo relace.",
        },
        ended_by_technician: MessageText {
            happened: "Technik ukončil relaci.",
            safe: "Nikdo už nemůže toto zařízení vidět ani ovládat.",
            next: "Můžete pracovat dál.",
        },
        ended_by_time: MessageText {
            happened: "Relace trvala tak dlouho, jak smí, a skončila.",
            safe: "Nikdo už nemůže toto zařízení vidět ani ovládat.",
            next: "Pokud ještě potřebujete pomoc, požádejte o nové číslo relace.",
        },
        ended_connection_lost: MessageText {
            happened: "Spojení s technikem je ztraceno.",
            safe: "Relace skončila. Nikdo už nemůže toto zařízení vidět ani ovládat.",
            next: "Pokud ještě potřebujete pomoc, požádejte o nové číslo relace.",
        },
        interrupted: MessageText {
            happened: "Spojení je přerušeno.",
            safe: "Technik teď nemůže nic dělat.",
            next: "Počkejte prosím: obnovuje se.",
        },
        not_certified: MessageText {
            happened: "Certifikát technika pro toto zařízení neplatí.",
            safe: "Nikdo není připojen.",
            next: "Řekněte to technikovi, možná potřebuje nový certifikát.",
        },
        not_joined: MessageText {
            happened: "Toto číslo relace nefunguje.",
            safe: "Nikdo není připojen.",
            next: "Zeptejte se technika na číslo a zadejte je znovu.",
        },
        number_burned: MessageText {
            happened: "Pro toto číslo byla zadána tři chybná hesla.",
            safe: "Nikdo není připojen.",
            next: "Požádejte technika o nové číslo a heslo.",
        },
        refused: MessageText {
            happened: "Odmítli jste.",
            safe: "Nikdo není připojen.",
            next: "Můžete pracovat dál.",
        },
        refused_by_time: MessageText {
            happened: "Na otázku nikdo neodpověděl, takže odpověď byla ne.",
            safe: "Nikdo není připojen.",
            next: "Pokud potřebujete pomoc, požádejte o nové číslo relace.",
        },
        server_unreachable: MessageText {
            happened: "Server relací neodpovídá.",
            safe: "Nikdo není připojen.",
            next: "Zkontrolujte síťový kabel a zkuste to znovu.",
        },
        not_safe: MessageText {
            happened: "Spojení nebylo bezpečné a bylo přerušeno.",
            safe: "Nikdo není připojen.",
            next: "Řekněte to technikovi a požádejte o nové číslo relace.",
        },
        wrong_password: MessageText {
            happened: "Heslo nebylo správné.",
            safe: "Nikdo není připojen.",
            next: "Zeptejte se na heslo a zadejte číslo znovu. Po třech pokusech potřebujete nové číslo.",
        },
    },
};
