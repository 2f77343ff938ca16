//! German.

use super::{
    AskingTexts, HomeTexts, JoiningTexts, LevelText, LevelTexts, MessageText, MessageTexts,
    PasswordTexts, RightTexts, SessionTexts, Texts, WorkTexts,
};

pub(super) const TEXTS: Texts = Texts {
    home: HomeTexts {
        title: "Brauchen Sie Hilfe?",
        instruction: "Tippen Sie die Sitzungsnummer ein, die Ihnen der Techniker nennt.",
        connect: "Verbinden",
        close: "Schließen",
        server_reachable: "Bereit",
        server_unreachable: "Keine Verbindung zum Server",
    },
    password: PasswordTexts {
        title: "Passwort eintippen",
        instruction: "Tippen Sie die sechs Ziffern ein, die Ihnen der Techniker nach der Nummer nennt.",
        of_number: "Zur Nummer",
    },
    joining: JoiningTexts {
        title: "Verbindung …",
        waiting: "Der Techniker wird gerufen. Sie werden gefragt, bevor jemand diesen Bildschirm \
                  sieht.",
        cancel: "Abbrechen",
    },
    asking: AskingTexts {
        title: "Techniker verbinden?",
        name_label: "Name, wie vom Anrufer angegeben:",
        rights_label: "Der Anrufer möchte:",
        choose: "Was erlauben Sie?",
        code_question: "Nennt der Techniker denselben Code?",
        code_advice: "Wenn nicht: ablehnen.",
        accept: "Annehmen",
        refuse: "Ablehnen",
        countdown: |seconds| match seconds {
            1 => "Ohne Antwort in 1 Sekunde abgelehnt".to_owned(),
            _ => format!("Ohne Antwort in {seconds} Sekunden abgelehnt"),
        },
    },
    rights: RightTexts {
        view: "den Bildschirm sehen",
        control: "Tastatur und Touch bedienen",
        pointer: "mit einem Pfeil zeigen",
        files_read: "Dateien von hier holen",
        files_write: "Dateien hierher senden",
        shell: "Befehle ausführen",
        reboot: "das Gerät neu starten",
    },
    levels: LevelTexts {
        certificate: LevelText {
            word: "Zertifikat",
            meaning: "Der Betreiber dieses Geräts kennt den Techniker.",
        },
        code_compared: LevelText {
            word: "Code vergleichen",
            meaning: "Nur gleiche Codes sind sicher.",
        },
        none: LevelText {
            word: "Nicht geprüft",
            meaning: "Niemand weiß, wer das ist. Nur annehmen, wenn Sie sicher sind.",
        },
        password: LevelText {
            word: "Passwort",
            meaning: "Der Techniker kennt das Passwort dieser Sitzung.",
        },
    },
    session: SessionTexts {
        connected: "Techniker verbunden",
        by_certificate: "Verbunden · Zertifikat",
        by_code: "Verbunden · Code verglichen",
        by_password: "Verbunden · Passwort",
        interrupted: "Verbindung unterbrochen",
        stop: "Stopp",
        look_only: "Nur zusehen",
        only_looks_on: "Darf nur zusehen",
        terminal_open: "Terminal offen",
        files_move: "Dateien werden übertragen",
    },
    work: WorkTexts {
        reboot: "Der Techniker startet dieses Gerät neu.",
        restart_application: "Der Techniker startet die Anwendung dieses Geräts neu.",
        countdown: |seconds| format!("In {seconds} s"),
        prevent: "Nicht neu starten",
    },
    messages: MessageTexts {
        ok: "OK",
        stop: "Sitzung beenden",
        ended_by_policy: MessageText {
            happened: "Dieses Gerät hat die Sitzung beendet.",
            safe: "Niemand kann es mehr sehen oder bedienen.",
            next: "Wenn Sie noch Hilfe brauchen, rufen Sie den Techniker an.",
        },
        ended_by_staff: MessageText {
            happened: "Sie haben die Sitzung beendet.",
            safe: "Niemand kann dieses Gerät mehr sehen oder bedienen.",
            next: "Wenn Sie noch Hilfe brauchen, lassen Sie sich eine neue Sitzungsnummer geben.",
        },
        ended_by_technician: MessageText {
            happened: "Der Techniker hat die Sitzung beendet.",
            safe: "Niemand kann dieses Gerät mehr sehen oder bedienen.",
            next: "Sie können weiterarbeiten.",
        },
        ended_by_time: MessageText {
            happened: "Die Sitzung hat so lange gedauert wie erlaubt und ist zu Ende.",
            safe: "Niemand kann dieses Gerät mehr sehen oder bedienen.",
            next: "Wenn Sie noch Hilfe brauchen, lassen Sie sich eine neue Sitzungsnummer geben.",
        },
        ended_connection_lost: MessageText {
            happened: "Die Verbindung zum Techniker ist verloren.",
            safe: "Die Sitzung ist zu Ende. Niemand kann dieses Gerät mehr sehen oder bedienen.",
            next: "Wenn Sie noch Hilfe brauchen, lassen Sie sich eine neue Sitzungsnummer geben.",
        },
        interrupted: MessageText {
            happened: "Die Verbindung ist unterbrochen.",
            safe: "Der Techniker kann im Moment nichts tun.",
            next: "Bitte warten Sie: Sie wird wiederhergestellt.",
        },
        not_certified: MessageText {
            happened: "Das Zertifikat des Technikers gilt nicht für dieses Gerät.",
            safe: "Niemand ist verbunden.",
            next: "Sagen Sie es dem Techniker. Er braucht vielleicht ein neues Zertifikat.",
        },
        not_joined: MessageText {
            happened: "Diese Sitzungsnummer funktioniert nicht.",
            safe: "Niemand ist verbunden.",
            next: "Fragen Sie den Techniker nach der Nummer und tippen Sie sie noch einmal.",
        },
        number_burned: MessageText {
            happened: "Zu dieser Nummer wurde dreimal ein falsches Passwort eingetippt.",
            safe: "Niemand ist verbunden.",
            next: "Lassen Sie sich eine neue Nummer und ein neues Passwort geben.",
        },
        refused: MessageText {
            happened: "Sie haben abgelehnt.",
            safe: "Niemand ist verbunden.",
            next: "Sie können weiterarbeiten.",
        },
        refused_by_time: MessageText {
            happened: "Niemand hat geantwortet, deshalb war die Antwort nein.",
            safe: "Niemand ist verbunden.",
            next: "Wenn Sie Hilfe brauchen, lassen Sie sich eine neue Sitzungsnummer geben.",
        },
        server_unreachable: MessageText {
            happened: "Der Sitzungsserver antwortet nicht.",
            safe: "Niemand ist verbunden.",
            next: "Prüfen Sie das Netzwerkkabel und versuchen Sie es noch einmal.",
        },
        not_safe: MessageText {
            happened: "Die Verbindung war nicht sicher und wurde getrennt.",
            safe: "Niemand ist verbunden.",
            next: "Sagen Sie es dem Techniker und lassen Sie sich eine neue Nummer geben.",
        },
        wrong_password: MessageText {
            happened: "Das Passwort war nicht richtig.",
            safe: "Niemand ist verbunden.",
            next: "Fragen Sie nach dem Passwort und tippen Sie die Nummer noch einmal. Nach drei Versuchen brauchen Sie eine neue.",
        },
    },
};
