//! German.

use super::{Advice, ConnectedWords, EndedWords, Endings, StartWords, WaitWords, Words};

pub(super) const WORDS: Words = Words {
    title: "Lotse-Konsole",
    start: StartWords {
        heading: "Sitzung öffnen",
        intro: "Sie bekommen eine Nummer. Die Person am Gerät tippt sie ein, vergleicht mit Ihnen \
                einen Code und entscheidet, was Sie dürfen.",
        server: "Sitzungsserver",
        server_hint: "lotse.example.com oder 192.0.2.10:443#Fingerabdruck",
        name: "Ihr Name",
        name_hint: "Das Gerät zeigt ihn der Person dort.",
        open: "Sitzung öffnen",
        with_password: "Mit Passwort",
        with_password_how: "Sie nennen es zusammen mit der Nummer. Dann muss niemand einen Code vergleichen.",
        server_invalid: "Das ist keine Serveradresse.",
        name_missing: "Schreiben Sie Ihren Namen: Die Person am Gerät will wissen, wer fragt.",
    },
    wait: WaitWords {
        opening: "Der Server wird um eine Nummer gebeten …",
        number: "Sitzungsnummer",
        steps: [
            "Rufen Sie die Person am Gerät an.",
            "Lesen Sie die Nummer vor, immer drei Ziffern.",
            "Sie tippt die Nummer am Gerät ein.",
        ],
        no_secret: "Die Nummer ist eine Adresse, kein Geheimnis. Sie gilt einmal und läuft ab.",
        nobody_yet: "Warten auf das Gerät …",
        copy: "Nummer kopieren",
        copied: "Kopiert",
        cancel: "Abbrechen",
        joined: "Ein Gerät ist da",
        joining: "Schlüssel werden getauscht …",
        calls_itself: "Es nennt sich",
        compare: "Code vergleichen",
        compare_how: "Fragen Sie: Welche sechs Ziffern zeigt das Gerät?",
        compare_why: "Sind sie gleich, ist niemand dazwischen. Sind sie verschieden, könnte jemand \
                      dazwischen sein: Sagen Sie es, und die Sitzung endet, bevor etwas zu sehen \
                      war.",
        same: "Sie sind gleich",
        differ: "Sie sind verschieden",
        not_expected: "Jemand anderes",
        not_expected_how: "Das ist nicht das Panel, das Sie erwarten. Es wird weggeschickt, und die Nummer wartet weiter.",
        password: "Passwort",
        copy_link: "Link kopieren",
        secret: "Wer Nummer und Passwort hat, kommt bis zur Frage am Panel. Nennen Sie beides nur der Person dort.",
        wrong_password: "Es wurde ein falsches Passwort versucht. Nach dem dritten bekommen Sie von selbst eine andere Nummer.",
        renewed: "Zur Nummer davor wurden drei falsche Passwörter versucht. Dies ist eine andere, mit einem anderen Passwort.",
        knocking: "Mehrere Versuche mit dieser Nummer führten zu nichts. Lassen Sie nur ein, wen Sie erwarten, oder öffnen Sie eine neue Sitzung.",
        admit: "Einlassen",
        send_away: "Wegschicken",
        asking: "Die Person am Gerät entscheidet",
        asking_how: "Das Gerät zeigt Ihren Namen und was Sie wollen. Keine Antwort heißt nein.",
    },
    connected: ConnectedWords {
        live: "LIVE",
        fitted: "Einpassen",
        native: "1:1",
        size_hint: "Das Bild ins Fenster einpassen oder Pixel für Pixel zeigen",
        mouse: "Maus",
        touch: "Finger",
        pointing_hint: "Was ein Klick am Gerät ist: eine Maustaste oder ein Finger. Zwei Finger: Strg und Alt halten, ziehen",
        keys: "Tasten",
        type_text: "Text tippen",
        type_how: "Der Text wird am Gerät Zeichen für Zeichen getippt, in dessen Tastaturbelegung.",
        type_now: "Tippen",
        cancel: "Abbrechen",
        end: "Sitzung beenden",
        keyboard_there: "Tastatur: Gerät",
        keyboard_here: "Tastatur: dieses Fenster",
        keyboard_hint: "Klick ins Bild: am Gerät tippen. Klick daneben: hier tippen.",
        allowed: "Erlaubt",
        view_only: "Sie dürfen zusehen, nicht steuern.",
        no_picture: "Das erste Bild ist unterwegs …",
        interrupted: "Die Verbindung ist unterbrochen",
        interrupted_safe: "Nichts, was Sie tun, erreicht das Gerät. Gehaltene Tasten sind dort los.",
        interrupted_next: "Sie wird wiederhergestellt, mit derselben Erlaubnis. Das kann 30 \
                           Sekunden dauern.",
        since: "Unterbrochen seit",
        busy: "Die Verbindung ist zu langsam: Ihre letzte Eingabe wurde verworfen.",
        screen_off: "Der Bildschirm des Geräts ist aus.",
        screen_unreadable: "Der Bildschirm des Geräts ist gerade nicht lesbar. Er wird gesucht.",
        covered: "Hier läuft ein Video, das nicht im Bild ist.",
        outputs_hint: "Welchen Bildschirm des Geräts Sie sehen",
        cannot_type: "Die Tastatur des Geräts hat keine Taste für",
        too_late: "Eingaben kamen zu spät und wurden am Gerät verworfen.",
    },
    ended: EndedWords {
        open_again: "Neue Sitzung öffnen",
        back: "Zum Anfang",
        detail: "Einzelheit",
    },
    endings: Endings {
        ended_here: Advice {
            happened: "Sie haben die Sitzung beendet.",
            safe: "Die Schlüssel sind weg, und am Gerät ist nichts gedrückt.",
            next: "Um dort weiterzumachen, öffnen Sie eine neue Sitzung.",
        },
        cancelled: Advice {
            happened: "Sie haben die Sitzung abgebrochen.",
            safe: "Die Nummer gilt nicht mehr, und niemand hat etwas gesehen oder getan.",
            next: "Wartet jemand am Gerät, sagen Sie es ihm.",
        },
        stopped_at_panel: Advice {
            happened: "Die Person am Gerät hat die Sitzung beendet.",
            safe: "Die Schlüssel sind weg, und am Gerät ist nichts gedrückt.",
            next: "Sprechen Sie mit ihr, bevor Sie eine neue Sitzung öffnen.",
        },
        refused_at_panel: Advice {
            happened: "Die Person am Gerät hat abgelehnt.",
            safe: "Sie haben nichts gesehen, und nichts wurde verändert.",
            next: "Sprechen Sie mit ihr; öffnen Sie dann eine neue Sitzung.",
        },
        no_answer_at_panel: Advice {
            happened: "Am Gerät hat niemand rechtzeitig geantwortet.",
            safe: "Keine Antwort heißt nein: Sie haben nichts gesehen, nichts wurde verändert.",
            next: "Sorgen Sie dafür, dass jemand dort steht; öffnen Sie dann eine neue Sitzung.",
        },
        panel_cannot_ask: Advice {
            happened: "Das Gerät kann niemanden fragen.",
            safe: "Ohne Erlaubnis wird nichts gezeigt und nichts gesteuert.",
            next: "Vielleicht ist sein Bildschirm belegt oder aus. Lassen Sie jemanden nachsehen; \
                   versuchen Sie es dann noch einmal.",
        },
        panel_failed: Advice {
            happened: "Das Programm am Gerät hat versagt.",
            safe: "Die Schlüssel sind weg, und das Gerät hat gehaltene Tasten losgelassen.",
            next: "Öffnen Sie eine neue Sitzung. Geschieht es wieder, lesen Sie das Protokoll dort.",
        },
        codes_differ: Advice {
            happened: "Die Codes sind verschieden.",
            safe: "Die Sitzung endete, bevor etwas zu sehen war. Jemand war vielleicht dazwischen.",
            next: "Versuchen Sie es noch einmal. Sind sie wieder verschieden, benutzen Sie diesen \
                   Server nicht; rufen Sie seinen Betreiber an.",
        },
        keys_do_not_match: Advice {
            happened: "Die Schlüssel passen nicht zusammen.",
            safe: "Die Sitzung endete, bevor etwas zu sehen war.",
            next: "Versuchen Sie es noch einmal. Geschieht es wieder, benutzen Sie diesen Server \
                   nicht; rufen Sie seinen Betreiber an.",
        },
        number_expired: Advice {
            happened: "Die Nummer ist abgelaufen.",
            safe: "Niemand ist beigetreten, und niemand kann es mit ihr jetzt noch.",
            next: "Öffnen Sie eine neue Sitzung, wenn die Person am Gerät steht.",
        },
        panel_left: Advice {
            happened: "Das Gerät hat die Sitzung verlassen.",
            safe: "Die Schlüssel sind weg. Gehaltene Tasten lässt das Gerät selbst los.",
            next: "Vielleicht wurde es neu gestartet. Öffnen Sie eine neue Sitzung, wenn es läuft.",
        },
        link_lost: Advice {
            happened: "Die Verbindung ist verloren und ließ sich nicht wiederherstellen.",
            safe: "Das Gerät hat die Sitzung selbst beendet und gehaltene Tasten losgelassen.",
            next: "Prüfen Sie Ihr Netz; öffnen Sie dann eine neue Sitzung.",
        },
        server_unreachable: Advice {
            happened: "Der Sitzungsserver ist nicht erreichbar.",
            safe: "Kein Gerät hat etwas davon bekommen.",
            next: "Prüfen Sie die Adresse und Ihr Netz; versuchen Sie es dann noch einmal.",
        },
        server_not_trusted: Advice {
            happened: "Das ist nicht der Server, den Sie wollten.",
            safe: "Ihm wurde nichts geschickt.",
            next: "Vergleichen Sie Adresse und Fingerabdruck mit denen, die Sie vom Betreiber haben.",
        },
        server_refused: Advice {
            happened: "Der Server öffnet gerade keine Sitzung.",
            safe: "Kein Gerät hat etwas davon bekommen.",
            next: "Warten Sie eine Minute und versuchen Sie es noch einmal. Bleibt es so, rufen Sie \
                   den Betreiber an.",
        },
        protocol: Advice {
            happened: "Die Gegenseite hat etwas geschickt, das gegen die Regeln ist.",
            safe: "Es wurde nicht verwendet, und die Sitzung ist beendet.",
            next: "Vielleicht passen die Programmversionen nicht. Heben Sie die Einzelheit auf.",
        },
        internal: Advice {
            happened: "Dieses Programm hat versagt.",
            safe: "Die Sitzung ist beendet, gehaltene Tasten lässt das Gerät selbst los.",
            next: "Öffnen Sie eine neue Sitzung. Geschieht es wieder, melden Sie die Einzelheit.",
        },
    },
    levels: ["Zertifikat", "Passwort", "Code verglichen", "Nicht geprüft"],
    checked: ["Zertifikat geprüft", "Passwort geprüft", "Code verglichen", "Nicht geprüft"],
    rights: ["sehen", "steuern"],
};
