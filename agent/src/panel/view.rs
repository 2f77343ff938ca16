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
    /// A session lasts, and the person wants to see more of it than its sign: who is connected,
    /// and a large Stop.
    Details {
        /// Who is connected.
        name: Name,
        /// Whether nothing is heard of them at the moment.
        is_silent: bool,
        /// How it is known who they are, if that is shown.
        level: Option<Level>,
    },
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
    Session {
        /// Who is connected.
        name: Name,
        /// Whether nothing is heard of them at the moment.
        is_silent: bool,
        /// How it is known who they are, if that is shown.
        level: Option<Level>,
    },
}

/// Somebody asks to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Who says to be asking.
    pub name: Name,
    /// What they want to do; each is shown once, in the order of [`Right`].
    pub rights: Vec<Right>,
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
    /// Send and fetch files.
    Files,
    /// Exchange copied text.
    Clipboard,
    /// Run commands.
    Shell,
    /// Restart the machine.
    Reboot,
}

impl Right {
    /// All rights, in the order in which they are shown.
    pub const ALL: [Self; 6] =
        [Self::View, Self::Control, Self::Files, Self::Clipboard, Self::Shell, Self::Reboot];
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
