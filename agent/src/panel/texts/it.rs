//! Italian.

use super::{
    AskingTexts, HomeTexts, JoiningTexts, LevelText, LevelTexts, MessageText, MessageTexts,
    PasswordTexts, RightTexts, SessionTexts, Texts, WorkTexts,
};

pub(super) const TEXTS: Texts = Texts {
    home: HomeTexts {
        title: "Serve aiuto?",
        instruction: "Digiti il numero di sessione che il tecnico Le dice.",
        connect: "Collega",
        close: "Chiudi",
        server_reachable: "Pronto",
        server_unreachable: "Nessun collegamento al server",
    },
    password: PasswordTexts {
        title: "Digiti la password",
        instruction: "Digiti le sei cifre che il tecnico Le dice dopo il numero.",
        of_number: "Per il numero",
    },
    joining: JoiningTexts {
        title: "Collegamento …",
        waiting: "In attesa del tecnico. Le verrà chiesto prima che qualcuno veda questo schermo.",
        cancel: "Annulla",
    },
    asking: AskingTexts {
        title: "Far collegare un tecnico?",
        name_label: "Nome, come dato da chi chiama:",
        rights_label: "Chi chiama vuole:",
        choose: "Che cosa permette?",
        code_question: "Il tecnico dice lo stesso codice?",
        code_advice: "Se no, rifiuti.",
        accept: "Accetta",
        refuse: "Rifiuta",
        countdown: |seconds| match seconds {
            1 => "Rifiutato tra 1 secondo senza risposta".to_owned(),
            _ => format!("Rifiutato tra {seconds} secondi senza risposta"),
        },
    },
    rights: RightTexts {
        view: "vedere lo schermo",
        control: "usare tastiera e touch",
        pointer: "indicare con una freccia",
        files_read: "prendere file da qui",
        files_write: "inviare file qui",
        shell: "eseguire comandi",
        reboot: "riavviare la macchina",
    },
    levels: LevelTexts {
        certificate: LevelText {
            word: "Certificato",
            meaning: "Il gestore di questa macchina conosce il tecnico.",
        },
        code_compared: LevelText {
            word: "Confronti il codice",
            meaning: "Solo codici uguali sono sicuri.",
        },
        none: LevelText {
            word: "Non verificato",
            meaning: "Nessuno sa chi sia. Accetti solo se è sicuro.",
        },
        password: LevelText {
            word: "Password",
            meaning: "Il tecnico conosce la password di questa sessione.",
        },
    },
    session: SessionTexts {
        connected: "Tecnico collegato",
        by_certificate: "Collegato · certificato",
        by_code: "Collegato · codice confrontato",
        by_password: "Collegato · password",
        interrupted: "Collegamento interrotto",
        stop: "Stop",
        look_only: "Solo guardare",
        only_looks_on: "Può solo guardare",
        terminal_open: "Terminale aperto",
        files_move: "Trasferimento di file",
    },
    work: WorkTexts {
        reboot: "Il tecnico riavvia questa macchina.",
        restart_application: "Il tecnico riavvia l’applicazione di questa macchina.",
        countdown: |seconds| format!("Tra {seconds} s"),
        prevent: "Non riavviare",
    },
    messages: MessageTexts {
        ok: "OK",
        stop: "Termina sessione",
        ended_by_policy: MessageText {
            happened: "Questa macchina ha terminato la sessione.",
            safe: "Nessuno può più vederla o usarla.",
            next: "Se Le serve ancora aiuto, chiami il tecnico.",
        },
        ended_by_staff: MessageText {
            happened: "Lei ha terminato la sessione.",
            safe: "Nessuno può più vedere o usare questa macchina.",
            next: "Se Le serve ancora aiuto, chieda un nuovo numero di sessione.",
        },
        ended_by_technician: MessageText {
            happened: "Il tecnico ha terminato la sessione.",
            safe: "Nessuno può più vedere o usare questa macchina.",
            next: "Può continuare a lavorare.",
        },
        ended_by_time: MessageText {
            happened: "La sessione è durata quanto permesso ed è finita.",
            safe: "Nessuno può più vedere o usare questa macchina.",
            next: "Se Le serve ancora aiuto, chieda un nuovo numero di sessione.",
        },
        ended_connection_lost: MessageText {
            happened: "Il collegamento con il tecnico è perso.",
            safe: "La sessione è finita. Nessuno può più vedere o usare questa macchina.",
            next: "Se Le serve ancora aiuto, chieda un nuovo numero di sessione.",
        },
        interrupted: MessageText {
            happened: "Il collegamento è interrotto.",
            safe: "Al momento il tecnico non può fare nulla.",
            next: "Attenda, per favore: viene ripristinato.",
        },
        not_certified: MessageText {
            happened: "Il certificato del tecnico non vale per questa macchina.",
            safe: "Nessuno è collegato.",
            next: "Lo dica al tecnico, che forse ha bisogno di un nuovo certificato.",
        },
        not_joined: MessageText {
            happened: "Questo numero di sessione non funziona.",
            safe: "Nessuno è collegato.",
            next: "Chieda il numero al tecnico e lo digiti di nuovo.",
        },
        number_burned: MessageText {
            happened: "Per questo numero sono state digitate tre password sbagliate.",
            safe: "Nessuno è collegato.",
            next: "Chieda al tecnico un nuovo numero e una nuova password.",
        },
        refused: MessageText {
            happened: "Lei ha rifiutato.",
            safe: "Nessuno è collegato.",
            next: "Può continuare a lavorare.",
        },
        refused_by_time: MessageText {
            happened: "Nessuno ha risposto alla domanda, quindi la risposta è stata no.",
            safe: "Nessuno è collegato.",
            next: "Se Le serve aiuto, chieda un nuovo numero di sessione.",
        },
        server_unreachable: MessageText {
            happened: "Il server delle sessioni non risponde.",
            safe: "Nessuno è collegato.",
            next: "Controlli il cavo di rete, poi riprovi.",
        },
        not_safe: MessageText {
            happened: "Il collegamento non era sicuro ed è stato chiuso.",
            safe: "Nessuno è collegato.",
            next: "Lo dica al tecnico e chieda un nuovo numero di sessione.",
        },
        wrong_password: MessageText {
            happened: "La password non era giusta.",
            safe: "Nessuno è collegato.",
            next: "Chieda la password e digiti di nuovo il numero. Dopo tre tentativi serve un nuovo numero.",
        },
    },
};
