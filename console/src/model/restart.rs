//! Restarts of the panel, or of its application.

/// What is restarted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// The application that runs on the panel.
    Application,
    /// The panel itself; it comes back into the session.
    Machine,
}

impl Restart {
    /// The one with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "application" => Some(Self::Application),
            "machine" => Some(Self::Machine),
            _ => None,
        }
    }
}

/// What becomes of a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartEvent {
    /// It is done in so many seconds, unless somebody at the panel prevents it.
    Announced(u8),
    /// Somebody at the panel did not want it, or took the right away.
    Prevented,
    /// The panel's configuration does not say how.
    NotSetUp,
    /// The panel went down, and is awaited.
    Leaves,
    /// The application was restarted.
    Done,
    /// It did not work.
    Failed,
    /// The panel is back.
    Back,
    /// The panel was not back in time.
    NotBack,
}

impl RestartEvent {
    /// The word for scripts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Announced(_) => "announced",
            Self::Prevented => "prevented",
            Self::NotSetUp => "not-set-up",
            Self::Leaves => "leaves",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Back => "back",
            Self::NotBack => "not-back",
        }
    }

    /// Whether it is over with that.
    pub const fn is_over(self) -> bool {
        !matches!(self, Self::Announced(_) | Self::Leaves)
    }

    /// Whether it was done.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Done | Self::Back)
    }
}
