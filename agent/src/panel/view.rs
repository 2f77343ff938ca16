//! What the panel can show.

use std::time::Instant;

use super::name::Name;

/// Digits of a session number.
pub const NUMBER_DIGITS: usize = 9;

/// Digits of a session's password.
pub const PASSWORD_DIGITS: usize = 6;

/// What the panel shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum View {
    /// Somebody asks to connect: the person says yes or no.
    Asking(Ask),
    /// The technician is about to restart something: the person can prevent it.
    Coming(Coming),
    /// A session lasts, and the person wants to see more of it than its sign: who is connected,
    /// what they may do, and a large Stop.
    Details(Connected),
    /// Nothing: the machine's own picture is seen.
    Hidden,
    /// No session: the person can type a number.
    Home {
        /// Whether the session server answers.
        is_server_reachable: bool,
        /// Whether there is a machine's own picture to go back to.
        can_close: bool,
    },
    /// A number was typed, and nobody has answered yet.
    Joining {
        /// The number, below 1,000,000,000.
        number: u32,
    },
    /// The technician's console wants the session's password: the person types six digits.
    Password {
        /// The number that was typed, below 1,000,000,000.
        number: u32,
    },
    /// Something happened that the person should know.
    Message(Message),
    /// A session lasts: a small sign in a corner, above the machine's own picture.
    Session(Connected),
}

/// Who is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// What they are called.
    pub name: Name,
    /// Whether nothing is heard of them at the moment.
    pub is_silent: bool,
    /// How it is known who they are, if that is shown.
    pub level: Option<Level>,
    /// What they may do at the moment.
    pub rights: RightSet,
    /// Whether they have lost what they might do at first: they only look on now.
    pub is_limited: bool,
    /// Whether they have a terminal open.
    pub has_terminal: bool,
    /// Whether they read or write a file.
    pub moves_files: bool,
}

impl Connected {
    /// Somebody who has just connected.
    pub const fn new(name: Name, level: Option<Level>, rights: RightSet) -> Self {
        Self {
            name,
            is_silent: false,
            level,
            rights,
            is_limited: false,
            has_terminal: false,
            moves_files: false,
        }
    }
}

/// Something that the technician is about to do, for all to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coming {
    /// Who does it.
    pub name: Name,
    /// What.
    pub what: Work,
    /// When it begins, unless the person prevents it.
    pub deadline: Instant,
}

/// What a technician may restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// The machine.
    Reboot,
    /// The machine's application.
    RestartApplication,
}

impl Work {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Reboot, Self::RestartApplication];
}

/// Somebody asks to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Who says to be asking.
    pub name: Name,
    /// What they want to do, shown in the order of [`Right`].
    pub rights: RightSet,
    /// Those of them that are allowed if the person accepts without choosing.
    pub ticked: RightSet,
    /// How it is known who they are.
    pub level: Level,
    /// When nobody's answer becomes a no.
    pub deadline: Instant,
}

/// Something that a technician may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// See the screen.
    View,
    /// Use keyboard and touch.
    Control,
    /// Point at things.
    Pointer,
    /// Fetch files from here.
    FilesRead,
    /// Send files here.
    FilesWrite,
    /// Run commands.
    Shell,
    /// Restart the machine.
    Reboot,
}

impl Right {
    /// All rights, in the order in which they are shown.
    pub const ALL: [Self; 7] = [
        Self::View,
        Self::Control,
        Self::Pointer,
        Self::FilesRead,
        Self::FilesWrite,
        Self::Shell,
        Self::Reboot,
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Some of the rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RightSet(u8);

impl RightSet {
    /// None.
    pub const NONE: Self = Self(0);

    /// Those of a list.
    pub fn of(rights: &[Right]) -> Self {
        rights.iter().fold(Self::NONE, |set, right| set.with(*right))
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, right: Right) -> Self {
        Self(self.0 | right.bit())
    }

    /// Those that are in both.
    #[must_use]
    pub const fn capped_by(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether one is among them.
    pub const fn has(self, right: Right) -> bool {
        self.0 & right.bit() != 0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// They in the order in which they are shown.
    pub fn iter(self) -> impl Iterator<Item = Right> {
        Right::ALL.into_iter().filter(move |right| self.has(*right))
    }

    /// How many there are.
    pub fn count(self) -> usize {
        self.iter().count()
    }

    /// With one more, or without it. Nobody can use what is not seen: without the screen there
    /// is no control and no pointing either, and with those the screen is seen.
    #[must_use]
    pub const fn toggled(self, right: Right) -> Self {
        let need_view = Right::View.bit() | Right::Control.bit() | Right::Pointer.bit();
        let without_view = Self(self.0 & !need_view);
        match (right, self.has(right)) {
            (Right::View, true) => without_view,
            (Right::Control | Right::Pointer, false) => self.with(right).with(Right::View),
            (right, true) => Self(self.0 & !right.bit()),
            (right, false) => self.with(right),
        }
    }
}

/// How it is known who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// By a certificate of the machine's operator.
    Certificate,
    /// By six digits that both people see.
    CodeCompared {
        /// The digits, below 1,000,000.
        code: u32,
    },
    /// It is not known.
    None,
    /// By a password that both knew.
    Password,
}

impl Level {
    /// The word for the log.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Certificate => "certificate checked",
            Self::CodeCompared { .. } => "code compared",
            Self::None => "not checked",
            Self::Password => "password checked",
        }
    }
}

/// Something that the person should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// The session is over.
    Ended(Ended),
    /// The connection is lost for the moment; the session may go on.
    Interrupted,
    /// The technician's certificate does not count here.
    NotCertified,
    /// Three wrong passwords were typed for the number.
    NumberBurned,
    /// There is no session of that number, or it does not let this machine in.
    NotJoined,
    /// The person said no.
    Refused,
    /// Nobody answered in time.
    RefusedByTime,
    /// The session server does not answer.
    ServerUnreachable,
    /// The connection is not safe: keys or code do not match.
    Unsafe,
    /// The password was not right, or somebody is in between.
    WrongPassword,
}

impl Message {
    /// All messages.
    pub const ALL: [Self; 14] = [
        Self::Ended(Ended::ByPolicy),
        Self::Ended(Ended::ByStaff),
        Self::Ended(Ended::ByTechnician),
        Self::Ended(Ended::ByTime),
        Self::Ended(Ended::ConnectionLost),
        Self::Interrupted,
        Self::NotCertified,
        Self::NotJoined,
        Self::NumberBurned,
        Self::Refused,
        Self::RefusedByTime,
        Self::ServerUnreachable,
        Self::Unsafe,
        Self::WrongPassword,
    ];
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The machine's own rules ended it.
    ByPolicy,
    /// The person at the machine stopped it.
    ByStaff,
    /// The technician left.
    ByTechnician,
    /// It lasted as long as it may.
    ByTime,
    /// The connection was lost and did not come back.
    ConnectionLost,
}
