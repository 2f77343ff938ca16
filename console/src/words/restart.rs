//! Texts about restarts.

use crate::model::RestartEvent;

/// Restarting the panel, or its application.
#[derive(Debug)]
pub struct RestartWords {
    /// Button: a menu of what can be restarted.
    pub restart: &'static str,
    /// Row of it, and the button that does it.
    pub application: &'static str,
    /// Row of it, and the button that does it.
    pub machine: &'static str,
    /// What happens then.
    pub application_how: &'static str,
    /// What happens then.
    pub machine_how: &'static str,
    /// While somebody at the panel can prevent it.
    pub announced: &'static str,
    /// Somebody there did.
    pub prevented: &'static str,
    /// The panel does not say how.
    pub not_set_up: &'static str,
    /// The application was restarted.
    pub done: &'static str,
    /// It did not work.
    pub failed: &'static str,
    /// The panel is back.
    pub back: &'static str,
    /// It is not back in time.
    pub not_back: &'static str,
    /// The panel is down; a heading.
    pub leaves: &'static str,
    /// What follows.
    pub leaves_next: &'static str,
}

impl RestartWords {
    /// What has become of a restart.
    pub const fn of(&self, event: RestartEvent) -> &'static str {
        match event {
            RestartEvent::Announced(_) => self.announced,
            RestartEvent::Prevented => self.prevented,
            RestartEvent::NotSetUp => self.not_set_up,
            RestartEvent::Leaves => self.leaves,
            RestartEvent::Done => self.done,
            RestartEvent::Failed => self.failed,
            RestartEvent::Back => self.back,
            RestartEvent::NotBack => self.not_back,
        }
    }
}

pub(super) const EN: RestartWords = RestartWords {
    restart: "Restart",
    application: "Restart the application",
    machine: "Restart the panel",
    application_how: "The application on the panel ends and begins anew. Somebody there sees it coming for ten seconds and can prevent it.",
    machine_how: "The panel goes down, starts again and comes back into this session. Somebody there sees it coming for ten seconds and can prevent it.",
    announced: "Everybody at the panel sees that it is about to be restarted, and can prevent it.",
    prevented: "The restart was prevented at the panel.",
    not_set_up: "The panel's configuration does not say how to restart that ([maintenance]), or one is under way.",
    done: "The application was restarted.",
    failed: "The restart did not work. The panel's log says why.",
    back: "The panel is back, with the same consent.",
    not_back: "The panel did not come back in time.",
    leaves: "The panel is being restarted",
    leaves_next: "It comes back into this session by itself, with the same consent. The session waits for ten minutes.",
};

pub(super) const DE: RestartWords = RestartWords {
    restart: "Neustart",
    application: "Anwendung neu starten",
    machine: "Gerät neu starten",
    application_how: "Die Anwendung am Gerät endet und beginnt neu. Wer dort steht, sieht es zehn Sekunden vorher und kann es verhindern.",
    machine_how: "Das Gerät fährt herunter, startet neu und kommt in diese Sitzung zurück. Wer dort steht, sieht es zehn Sekunden vorher und kann es verhindern.",
    announced: "Am Gerät ist zu sehen, dass gleich neu gestartet wird, und es kann dort verhindert werden.",
    prevented: "Der Neustart wurde am Gerät verhindert.",
    not_set_up: "In der Konfiguration des Geräts steht nicht, wie das neu gestartet wird ([maintenance]), oder ein Neustart läuft schon.",
    done: "Die Anwendung wurde neu gestartet.",
    failed: "Der Neustart ist misslungen. Warum, steht im Protokoll des Geräts.",
    back: "Das Gerät ist wieder da, mit derselben Erlaubnis.",
    not_back: "Das Gerät ist nicht rechtzeitig zurückgekommen.",
    leaves: "Das Gerät startet neu",
    leaves_next: "Es kommt von selbst in diese Sitzung zurück, mit derselben Erlaubnis. Die Sitzung wartet zehn Minuten.",
};
