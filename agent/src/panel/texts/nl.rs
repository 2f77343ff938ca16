//! Dutch.

use super::{
    AskingTexts, HomeTexts, JoiningTexts, LevelText, LevelTexts, MessageText, MessageTexts,
    PasswordTexts, RightTexts, SessionTexts, Texts, WorkTexts,
};

pub(super) const TEXTS: Texts = Texts {
    home: HomeTexts {
        title: "Hulp nodig?",
        instruction: "Typ het sessienummer dat de technicus u noemt.",
        connect: "Verbinden",
        close: "Sluiten",
        server_reachable: "Gereed",
        server_unreachable: "Geen verbinding met de server",
    },
    password: PasswordTexts {
        title: "Typ het wachtwoord",
        instruction: "Typ de zes cijfers die de technicus u na het nummer noemt.",
        of_number: "Voor het nummer",
    },
    joining: JoiningTexts {
        title: "Verbinden …",
        waiting: "Wachten op de technicus. U wordt gevraagd voordat iemand dit scherm ziet.",
        cancel: "Annuleren",
    },
    asking: AskingTexts {
        title: "Technicus laten verbinden?",
        name_label: "Naam, zoals opgegeven:",
        rights_label: "De beller wil:",
        choose: "Wat staat u toe?",
        code_question: "Noemt de technicus dezelfde code?",
        code_advice: "Zo niet, weiger dan.",
        accept: "Accepteren",
        refuse: "Weigeren",
        countdown: |seconds| match seconds {
            1 => "Geweigerd over 1 seconde zonder antwoord".to_owned(),
            _ => format!("Geweigerd over {seconds} seconden zonder antwoord"),
        },
    },
    rights: RightTexts {
        view: "het scherm zien",
        control: "toetsen en touch bedienen",
        pointer: "met een pijl aanwijzen",
        files_read: "bestanden ophalen",
        files_write: "bestanden hierheen sturen",
        shell: "opdrachten uitvoeren",
        reboot: "apparaat herstarten",
    },
    levels: LevelTexts {
        certificate: LevelText {
            word: "Certificaat",
            meaning: "De beheerder van dit apparaat kent de technicus.",
        },
        code_compared: LevelText {
            word: "Vergelijk de code",
            meaning: "Alleen gelijke codes zijn veilig.",
        },
        none: LevelText {
            word: "Niet gecontroleerd",
            meaning: "Niemand weet wie dit is. Accepteer alleen als u zeker bent.",
        },
        password: LevelText {
            word: "Wachtwoord",
            meaning: "De technicus kent het wachtwoord van deze sessie.",
        },
    },
    session: SessionTexts {
        connected: "Technicus verbonden",
        by_certificate: "Verbonden · certificaat",
        by_code: "Verbonden · code vergeleken",
        by_password: "Verbonden · wachtwoord",
        interrupted: "Verbinding onderbroken",
        stop: "Stop",
        look_only: "Alleen kijken",
        only_looks_on: "Mag alleen kijken",
        terminal_open: "Terminal open",
        files_move: "Bestanden worden overgedragen",
    },
    work: WorkTexts {
        reboot: "De technicus herstart dit apparaat.",
        restart_application: "De technicus herstart de toepassing van dit apparaat.",
        countdown: |seconds| format!("Over {seconds} s"),
        prevent: "Niet herstarten",
    },
    messages: MessageTexts {
        ok: "OK",
        stop: "Sessie beëindigen",
        ended_by_policy: MessageText {
            happened: "Dit apparaat heeft de sessie beëindigd.",
            safe: "Niemand kan het nog zien of bedienen.",
            next: "Hebt u nog hulp nodig, bel dan de technicus.",
        },
        ended_by_staff: MessageText {
            happened: "U hebt de sessie beëindigd.",
            safe: "Niemand kan dit apparaat nog zien of bedienen.",
            next: "Hebt u nog hulp nodig, vraag dan een nieuw sessienummer.",
        },
        ended_by_technician: MessageText {
            happened: "De technicus heeft de sessie beëindigd.",
            safe: "Niemand kan dit apparaat nog zien of bedienen.",
            next: "U kunt verder werken.",
        },
        ended_by_time: MessageText {
            happened: "De sessie heeft zo lang geduurd als mag en is voorbij.",
            safe: "Niemand kan dit apparaat nog zien of bedienen.",
            next: "Hebt u nog hulp nodig, vraag dan een nieuw sessienummer.",
        },
        ended_connection_lost: MessageText {
            happened: "De verbinding met de technicus is verbroken.",
            safe: "De sessie is voorbij. Niemand kan dit apparaat nog zien of bedienen.",
            next: "Hebt u nog hulp nodig, vraag dan een nieuw sessienummer.",
        },
        interrupted: MessageText {
            happened: "De verbinding is onderbroken.",
            safe: "De technicus kan op dit moment niets doen.",
            next: "Even geduld: ze wordt hersteld.",
        },
        not_certified: MessageText {
            happened: "Het certificaat van de technicus geldt niet voor dit apparaat.",
            safe: "Niemand is verbonden.",
            next: "Zeg het de technicus, die misschien een nieuw certificaat nodig heeft.",
        },
        not_joined: MessageText {
            happened: "Dit sessienummer werkt niet.",
            safe: "Niemand is verbonden.",
            next: "Vraag de technicus naar het nummer en typ het opnieuw.",
        },
        number_burned: MessageText {
            happened: "Voor dit nummer zijn drie verkeerde wachtwoorden getypt.",
            safe: "Niemand is verbonden.",
            next: "Vraag de technicus een nieuw nummer en wachtwoord.",
        },
        refused: MessageText {
            happened: "U hebt geweigerd.",
            safe: "Niemand is verbonden.",
            next: "U kunt verder werken.",
        },
        refused_by_time: MessageText {
            happened: "Niemand heeft geantwoord, dus het antwoord was nee.",
            safe: "Niemand is verbonden.",
            next: "Hebt u hulp nodig, vraag dan een nieuw sessienummer.",
        },
        server_unreachable: MessageText {
            happened: "De sessieserver antwoordt niet.",
            safe: "Niemand is verbonden.",
            next: "Controleer de netwerkkabel en probeer het opnieuw.",
        },
        not_safe: MessageText {
            happened: "De verbinding was niet veilig en is verbroken.",
            safe: "Niemand is verbonden.",
            next: "Zeg het de technicus en vraag een nieuw sessienummer.",
        },
        wrong_password: MessageText {
            happened: "Het wachtwoord was niet juist.",
            safe: "Niemand is verbonden.",
            next: "Vraag het wachtwoord en typ het nummer opnieuw. Na drie pogingen hebt u een nieuw nummer nodig.",
        },
    },
};
