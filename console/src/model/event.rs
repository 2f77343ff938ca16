//! What happens to a session.

use std::time::Duration;

use lotse_protocol::SessionNumber;

use super::picture::PixelRect;
use super::state::{Code, Peer};

/// The time to the server and back, measured lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency(pub Duration);

/// What the panel's screen is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ScreenState {
    /// It shows a picture, or nothing else is known.
    #[default]
    Shown,
    /// It shows nothing.
    Off,
    /// It cannot be read at the moment; the panel looks for it again.
    Unreadable,
}

/// One of the panel's screens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// As in `drm:HDMI-A-1`.
    pub name: String,
    /// Whether it is the one that is seen.
    pub is_read: bool,
}

/// Something that went wrong on a small scale.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The panel's keyboard layout has no key for this character.
    CannotType(char),
    /// Input came too late and was dropped at the panel.
    InputTooLate,
    /// Nobody at the panel uses it any more: what is done here is carried out again.
    GoesOn,
    /// Input was dropped here, because the link does not take any more.
    LinkBusy,
    /// What was asked for is not possible now: that member is not inside, or not of that kind.
    NotPossible,
}

impl Notice {
    /// The word for scripts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::CannotType(_) => "cannot-type",
            Self::InputTooLate => "input-too-late",
            Self::GoesOn => "goes-on",
            Self::LinkBusy => "link-busy",
            Self::NotPossible => "not-possible",
        }
    }
}

impl std::fmt::Debug for Notice {
    /// Without the character, so that it may stand in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// Something that happened; a driver yields these in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The server gave a number.
    Opened {
        /// The number that the person at the panel types.
        number: SessionNumber,
    },
    /// Somebody typed the number; keys are being exchanged.
    Joined,
    /// Whoever typed the number is gone again before there was a code; the number still works.
    JoinFailed,
    /// The session that is about to be opened has these passwords.
    Invitation(super::Invitation),
    /// Password or certificates were checked, so that nobody compares; the person at the panel is
    /// being asked.
    Checked {
        /// How the panel calls itself; with certificates, how its operator does.
        who: String,
        /// How sure it is.
        level: super::Level,
    },
    /// Somebody waits until the technician lets him in.
    Knocking(super::Knock),
    /// Somebody who waited is gone, or was let in.
    Left {
        /// Who.
        member: u16,
    },
    /// A wrong password was tried.
    WrongPassword,
    /// Three wrong passwords: another number and password are on their way.
    NumberBurned,
    /// There is a code to compare.
    Code {
        /// The code of this side.
        code: Code,
        /// How the panel calls itself. A claim, not a proof.
        who: String,
    },
    /// The session's password is to be typed.
    AskPassword,
    /// The person at the panel accepted; or, for one who looks on, the moderator did.
    Connected(Peer),
    /// Another panel is seen from now on, or none.
    Presents(Option<Peer>),
    /// What this program is from now on.
    Role(super::Role),
    /// Who is in the session.
    Members(Vec<super::Member>),
    /// Somebody has come in besides the panel that is seen.
    Entered {
        /// Who.
        member: u16,
        /// How it calls itself.
        who: String,
    },
    /// A member has gone, and the session goes on.
    Gone {
        /// Who.
        member: u16,
        /// How it called itself.
        who: String,
    },
    /// Somebody who was gone or sent away can read nothing any more: all who send do it under a
    /// key that it does not have.
    Removed {
        /// Who.
        member: u16,
    },
    /// A member would like to control the panel.
    AsksControl {
        /// Who.
        member: u16,
    },
    /// Nobody else comes in any more, or people do again.
    Locked(bool),
    /// A member was shown another list of members than the others: somebody lies.
    ListsDiffer,
    /// The panel changed what is allowed.
    RightsChanged(super::Rights),
    /// Somebody at the panel uses it, so that nothing that is done here is carried out (`true`),
    /// or not any more.
    Paused(bool),
    /// So many more inputs were not carried out at the panel.
    InputDropped(u16),
    /// What becomes of arrows at the panel.
    Arrows {
        /// Whether its screen can show any.
        are_shown: bool,
        /// So many were not shown so far: too late, or not allowed.
        dropped: u32,
    },
    /// Something happened to the terminal at the panel.
    Terminal(super::TerminalEvent),
    /// Something happened to files on their way.
    Files(super::FilesEvent),
    /// What has become of a restart.
    Restart(super::RestartEvent),
    /// The picture has changed; it is in the shared picture.
    Picture,
    /// What the panel's screen is doing.
    Screen(ScreenState),
    /// The screens that the panel has.
    Outputs(Vec<Output>),
    /// Parts of the picture that are covered by what is not in it, most often a video.
    Covered(Vec<PixelRect>),
    /// Something went wrong on a small scale; the session goes on.
    Notice(Notice),
    /// A new measurement.
    Latency(Latency),
    /// The link broke and is being mended.
    Interrupted,
    /// The link is back, with the same consent.
    Resumed,
    /// It is over.
    Ended(EndReason),
}

/// Why a session is over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// The technician ended it.
    EndedHere,
    /// The technician stopped before anybody joined.
    Cancelled,
    /// The person at the panel stopped it.
    StoppedAtPanel,
    /// The person at the panel refused.
    RefusedAtPanel,
    /// Nobody decided at the panel in time.
    NoAnswerAtPanel,
    /// The panel has no way to ask anybody.
    PanelCannotAsk,
    /// The panel failed.
    PanelFailed,
    /// The two codes differ: somebody may be in between.
    CodesDiffer,
    /// The check of the keys failed without anybody comparing.
    KeysDoNotMatch,
    /// The number was not used in time.
    NumberExpired,
    /// Nobody can join under this number.
    NoSuchSession,
    /// Too many numbers were tried from here.
    TooManyTries,
    /// The technician who moderates did not let this program in.
    NotAdmitted,
    /// The session takes nobody else at the moment.
    SessionBusy,
    /// The password was wrong.
    WrongPassword,
    /// The technician who moderates showed no certificate that counts.
    NotCertified {
        /// What was wrong with it, in English.
        detail: String,
    },
    /// The moderator sent this program away.
    SentAway,
    /// The moderator ended the session.
    EndedByModerator,
    /// The moderator is lost, and nobody was named to take over.
    ModeratorLost,
    /// The panel left, or its program ended.
    PanelLeft,
    /// The link could not be mended in time.
    LinkLost,
    /// The server cannot be reached.
    ServerUnreachable {
        /// What the system said, in English.
        detail: String,
    },
    /// The server is not the one of the address.
    ServerNotTrusted {
        /// What was wrong with its certificate, in English.
        detail: String,
    },
    /// The server does not want to open a session now.
    ServerRefused,
    /// The other side spoke against the rules.
    Protocol {
        /// What was wrong, in English.
        detail: String,
    },
    /// This program failed.
    Internal {
        /// What failed, in English.
        detail: String,
    },
}

impl EndReason {
    /// The word for scripts.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::EndedHere => "ended-here",
            Self::Cancelled => "cancelled",
            Self::StoppedAtPanel => "stopped-at-panel",
            Self::RefusedAtPanel => "refused-at-panel",
            Self::NoAnswerAtPanel => "no-answer-at-panel",
            Self::PanelCannotAsk => "panel-cannot-ask",
            Self::PanelFailed => "panel-failed",
            Self::CodesDiffer => "codes-differ",
            Self::KeysDoNotMatch => "keys-do-not-match",
            Self::NumberExpired => "number-expired",
            Self::NoSuchSession => "no-such-session",
            Self::TooManyTries => "too-many-tries",
            Self::NotAdmitted => "not-admitted",
            Self::SessionBusy => "session-busy",
            Self::WrongPassword => "wrong-password",
            Self::NotCertified { .. } => "not-certified",
            Self::SentAway => "sent-away",
            Self::EndedByModerator => "ended-by-moderator",
            Self::ModeratorLost => "moderator-lost",
            Self::PanelLeft => "panel-left",
            Self::LinkLost => "link-lost",
            Self::ServerUnreachable { .. } => "server-unreachable",
            Self::ServerNotTrusted { .. } => "server-not-trusted",
            Self::ServerRefused => "server-refused",
            Self::Protocol { .. } => "protocol",
            Self::Internal { .. } => "internal",
        }
    }

    /// What the system said, where it said something; in English.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::ServerUnreachable { detail }
            | Self::ServerNotTrusted { detail }
            | Self::NotCertified { detail }
            | Self::Protocol { detail }
            | Self::Internal { detail } => Some(detail),
            _ => None,
        }
    }
}
