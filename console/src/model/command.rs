//! What the technician asks for.

use lotse_protocol::{ServerAddress, SessionNumber};

/// A key by its place on the keyboard: the number of `linux/input-event-codes.h`, `KEY_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyCode(pub u16);

/// A mouse button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Button {
    /// `BTN_LEFT`
    Left,
    /// `BTN_MIDDLE`
    Middle,
    /// `BTN_RIGHT`
    Right,
}

/// A pixel of the remote picture, counted from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PixelPoint {
    /// Column, from the left.
    pub x: u32,
    /// Row, from the top.
    pub y: u32,
}

/// What a finger does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TouchPhase {
    /// It comes down.
    Down,
    /// It moves while down.
    Move,
    /// It is lifted.
    Up,
}

/// Something to do in a session.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// Opens a session at a server, under the technician's name.
    Open {
        /// The session server.
        server: ServerAddress,
        /// How the panel calls the technician; at most [`super::MAX_NAME_CHARS`].
        name: String,
        /// Whether the session has a password, so that nobody needs to compare codes.
        with_password: bool,
        /// What the panel is asked for.
        asks: super::Rights,
    },
    /// Joins a session of somebody else, to look on.
    Watch {
        /// The session server.
        server: ServerAddress,
        /// How the others see the technician; at most [`super::MAX_NAME_CHARS`].
        name: String,
        /// What the technician who moderates has read out.
        number: SessionNumber,
    },
    /// The session's password, when it is due.
    Password(String),
    /// Lets somebody in who waits; where there is a code, both people have compared it.
    Admit {
        /// Who, as the session counts its members.
        member: u16,
    },
    /// Sends somebody away who waits.
    SendAway {
        /// Who, as the session counts its members.
        member: u16,
    },
    /// The codes of somebody who waits differ: somebody may be in between.
    CodesDifferOf {
        /// Who, as the session counts its members.
        member: u16,
    },
    /// Sends a member away.
    Kick {
        /// Who.
        member: u16,
    },
    /// Nobody else comes in any more, or people do again.
    Lock(bool),
    /// Lets a member control the device that is seen.
    GiveControl {
        /// Who.
        member: u16,
    },
    /// This program controls the device that is seen.
    TakeControl,
    /// Asks the moderator for control.
    AskControl,
    /// Everybody sees another device.
    Present {
        /// Which.
        member: u16,
    },
    /// Names who takes over when this program is lost, or nobody.
    Deputy(Option<u16>),
    /// Somebody else moderates from now on, and this program looks on.
    HandOver {
        /// Who.
        member: u16,
    },
    /// The technician does not expect the one whose code is shown: the number waits for another.
    NotExpected,
    /// The technician says that both codes are the same.
    CodesMatch,
    /// The technician says that the codes differ: the session ends.
    CodesDiffer,
    /// Presses or releases a key.
    Key {
        /// Which.
        key: KeyCode,
        /// Down or up.
        pressed: bool,
    },
    /// Types a text through the panel's keyboard layout.
    Text(String),
    /// Moves the pointer.
    PointerMove(PixelPoint),
    /// Presses or releases a mouse button where the pointer is.
    PointerButton {
        /// Which.
        button: Button,
        /// Down or up.
        pressed: bool,
    },
    /// Points at something with an arrow that is seen at the panel, or no longer.
    Point(Option<PixelPoint>),
    /// Puts a finger down, moves or lifts it.
    Touch {
        /// Which finger, from 0.
        contact: u8,
        /// What it does.
        phase: TouchPhase,
        /// Where.
        at: PixelPoint,
    },
    /// Turns the wheel by notches; positive is away from the user, and to the right.
    Wheel {
        /// Up and down.
        vertical: i32,
        /// Left and right.
        horizontal: i32,
    },
    /// Something about the terminal at the panel.
    Terminal(super::TerminalCommand),
    /// Something about files of the panel.
    Files(super::FilesCommand),
    /// Restarts the panel, or its application.
    Restart(super::Restart),
    /// Looks at another screen of the panel, by its name in [`super::Event::Outputs`].
    Show(String),
    /// Releases everything that is pressed.
    ReleaseAll,
    /// Ends the session, or stops waiting for one.
    End,
}

impl std::fmt::Debug for Command {
    /// Names the command without what was typed, so that it may stand in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Open { .. } => "Open",
            Self::Watch { .. } => "Watch",
            Self::Password(_) => "Password",
            Self::CodesDifferOf { .. } => "CodesDifferOf",
            Self::Kick { .. } => "Kick",
            Self::Lock(_) => "Lock",
            Self::GiveControl { .. } => "GiveControl",
            Self::TakeControl => "TakeControl",
            Self::AskControl => "AskControl",
            Self::Present { .. } => "Present",
            Self::Deputy(_) => "Deputy",
            Self::HandOver { .. } => "HandOver",
            Self::Admit { .. } => "Admit",
            Self::SendAway { .. } => "SendAway",
            Self::NotExpected => "NotExpected",
            Self::CodesMatch => "CodesMatch",
            Self::CodesDiffer => "CodesDiffer",
            Self::Key { .. } => "Key",
            Self::Text(_) => "Text",
            Self::PointerMove(_) => "PointerMove",
            Self::PointerButton { .. } => "PointerButton",
            Self::Point(_) => "Point",
            Self::Touch { .. } => "Touch",
            Self::Wheel { .. } => "Wheel",
            Self::Terminal(_) => "Terminal",
            Self::Files(_) => "Files",
            Self::Restart(_) => "Restart",
            Self::Show(_) => "Show",
            Self::ReleaseAll => "ReleaseAll",
            Self::End => "End",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_never_shows_what_was_typed() {
        assert_eq!(format!("{:?}", Command::Text("hunter2".into())), "Text");
        let key = Command::Key { key: KeyCode(30), pressed: true };
        assert_eq!(format!("{key:?}"), "Key");
    }
}
