//! From the words of link and protocol to those of the console, and back.

use lotse_client::ConnectError;
use lotse_protocol::handshake::{self, Declined, HandshakeError};
use lotse_protocol::link::End;
use lotse_protocol::message::{self, InputEvent, Place};
use lotse_protocol::session::{EndReason as Why, ParticipantGone};
use lotse_protocol::tunnel::{Bye, EndOfSession, Refusal};

use crate::model::picture::{PixelRect, SharedPicture};
use crate::model::{
    Button, Command, EndReason, Level, Output, PixelPoint, Right, Rights, ScreenState, TouchPhase,
};

/// Longest piece of text in one input, in bytes.
const MAX_TEXT_BYTES: usize = 192;

/// Why no server was reached.
pub(super) fn connect_error(error: &ConnectError) -> EndReason {
    let detail = error.to_string();
    match error {
        ConnectError::WrongCertificate { .. } | ConnectError::UntrustedCertificate { .. } => {
            EndReason::ServerNotTrusted { detail }
        }
        ConnectError::Refused { .. } => EndReason::ServerRefused,
        ConnectError::NotAServer { .. } | ConnectError::Protocol { .. } => {
            EndReason::Protocol { detail }
        }
        ConnectError::NoRoots(_) | ConnectError::Tls(_) => EndReason::Internal { detail },
        _ => EndReason::ServerUnreachable { detail },
    }
}

/// Why a link is over.
pub(super) fn link_end(end: &End) -> EndReason {
    match end {
        End::Broken | End::Silent(_) | End::Bye(Bye::Stopping | Bye::Closing) => {
            EndReason::LinkLost
        }
        _ => EndReason::Protocol { detail: end.to_string() },
    }
}

/// Why the server ended the session.
pub(super) fn session_end(why: EndOfSession) -> EndReason {
    match why {
        EndOfSession::Ended => EndReason::EndedHere,
        EndOfSession::Expired => EndReason::NumberExpired,
        _ => EndReason::LinkLost,
    }
}

/// Why the participant is gone.
pub(super) fn gone(gone: &ParticipantGone) -> EndReason {
    match gone {
        ParticipantGone::Declined(Declined::Refused) => EndReason::RefusedAtPanel,
        ParticipantGone::Declined(Declined::TimedOut) => EndReason::NoAnswerAtPanel,
        ParticipantGone::Declined(Declined::CannotAsk) => EndReason::PanelCannotAsk,
        ParticipantGone::Declined(_) | ParticipantGone::Handshake(_) => EndReason::KeysDoNotMatch,
        ParticipantGone::CodesDiffer => EndReason::CodesDiffer,
        ParticipantGone::Ended(message::DeviceEnd::Stopped) => EndReason::StoppedAtPanel,
        ParticipantGone::Ended(message::DeviceEnd::Fault) => EndReason::PanelFailed,
        ParticipantGone::Tampered(tampered) => EndReason::Protocol { detail: tampered.to_string() },
        ParticipantGone::Unreachable => {
            EndReason::Protocol { detail: "the panel acknowledges nothing any more".into() }
        }
        ParticipantGone::Kicked => EndReason::EndedHere,
        _ => EndReason::PanelLeft,
    }
}

/// Why it is over for somebody who looked on, or wanted to.
pub(super) fn watched_end(why: Why, was_guessing: bool) -> EndReason {
    match why {
        Why::JoinRefused(Refusal::NotAvailable) => EndReason::NoSuchSession,
        Why::JoinRefused(Refusal::TooMany { .. }) => EndReason::TooManyTries,
        Why::JoinRefused(_) => EndReason::ServerRefused,
        Why::Declined(Declined::Busy) => EndReason::SessionBusy,
        Why::Declined(Declined::Failed) | Why::Handshake(HandshakeError::Password)
            if was_guessing =>
        {
            EndReason::WrongPassword
        }
        Why::Declined(Declined::Failed) => EndReason::KeysDoNotMatch,
        Why::Declined(_) => EndReason::NotAdmitted,
        Why::Handshake(HandshakeError::NotCertified(error)) => {
            EndReason::NotCertified { detail: error.to_string() }
        }
        Why::Handshake(_) => EndReason::KeysDoNotMatch,
        Why::Here(_) => EndReason::EndedHere,
        Why::Moderator | Why::Server(EndOfSession::Ended) => EndReason::EndedByModerator,
        Why::Server(EndOfSession::Removed) => EndReason::SentAway,
        Why::Server(EndOfSession::Expired) => EndReason::NumberExpired,
        Why::Server(EndOfSession::ModeratorLost) => EndReason::ModeratorLost,
        Why::Tampered(tampered) => EndReason::Protocol { detail: tampered.to_string() },
        _ => EndReason::LinkLost,
    }
}

/// How sure it is who is there.
pub(super) const fn level(level: handshake::Level) -> Level {
    match level {
        handshake::Level::CodeCompared => Level::CodeCompared,
        handshake::Level::Password => Level::Password,
        handshake::Level::Certificate => Level::Certificate,
        _ => Level::None,
    }
}

/// Rights by their names on both sides.
const KNOWN: [(message::Rights, Right); 7] = [
    (message::Rights::VIEW, Right::View),
    (message::Rights::CONTROL, Right::Control),
    (message::Rights::POINTER, Right::Pointer),
    (message::Rights::SHELL, Right::Shell),
    (message::Rights::REBOOT, Right::Reboot),
    (message::Rights::FILE_READ, Right::FileRead),
    (message::Rights::FILE_WRITE, Right::FileWrite),
];

/// What was allowed.
pub(super) fn rights(rights: message::Rights) -> Rights {
    KNOWN
        .into_iter()
        .filter(|(theirs, _)| rights.allows(*theirs))
        .fold(Rights::NONE, |all, (_, right)| all.with(right))
}

/// What is asked for.
pub(super) fn asks(rights: Rights) -> message::Rights {
    let asked = KNOWN.iter().filter(|(_, ours)| rights.has(*ours));
    asked.fold(message::Rights::NONE, |all, (theirs, _)| all.with(*theirs))
}

/// What the panel's screen is doing.
pub(super) const fn screen(report: message::ScreenReport) -> ScreenState {
    match report {
        message::ScreenReport::Shown { .. } => ScreenState::Shown,
        message::ScreenReport::Off => ScreenState::Off,
        _ => ScreenState::Unreadable,
    }
}

/// The panel's screens.
pub(super) fn outputs(outputs: &message::OutputList) -> Vec<Output> {
    let output = |output: &message::OutputReport| Output {
        name: output.name.to_string(),
        is_read: output.is_read,
    };
    outputs.iter().map(output).collect()
}

/// Parts of the picture.
pub(super) fn parts(parts: &message::CoveredParts) -> Vec<PixelRect> {
    let rect = |part: &message::Part| PixelRect {
        x: part.x.into(),
        y: part.y.into(),
        width: part.width.into(),
        height: part.height.into(),
    };
    parts.iter().map(rect).collect()
}

/// The inputs of a command; none if it is not an input, or if there is no picture to point at.
pub(super) fn inputs(command: &Command, picture: &SharedPicture) -> Vec<InputEvent> {
    let place = |at| place_in(at, picture);
    let input = match *command {
        Command::Key { key, pressed } => Some(InputEvent::Key { code: key.0, pressed }),
        Command::PointerMove(at) => place(at).map(InputEvent::Pointer),
        Command::PointerButton { button, pressed } => {
            let button = match button {
                Button::Left => 0,
                Button::Middle => 1,
                Button::Right => 2,
            };
            Some(InputEvent::Button { button, pressed })
        }
        Command::Touch { contact, phase: TouchPhase::Up, .. } => {
            Some(InputEvent::Lift { slot: contact })
        }
        Command::Touch { contact, at, .. } => {
            place(at).map(|at| InputEvent::Touch { slot: contact, at })
        }
        Command::Wheel { vertical, horizontal } => {
            let notches = |n: i32| n.clamp(i8::MIN.into(), i8::MAX.into()) as i8;
            Some(InputEvent::Wheel { vertical: notches(vertical), horizontal: notches(horizontal) })
        }
        Command::ReleaseAll => Some(InputEvent::ReleaseAll),
        Command::Text(ref text) => return text_inputs(text),
        _ => None,
    };
    input.into_iter().collect()
}

/// A place in the picture that is seen; none if it is outside.
pub(super) fn place_in(at: PixelPoint, picture: &SharedPicture) -> Option<Place> {
    let picture = picture.lock();
    place(at, picture.width(), picture.height())
}

fn place(at: PixelPoint, width: u32, height: u32) -> Option<Place> {
    if at.x >= width || at.y >= height {
        return None;
    }
    let side = |value: u32| u16::try_from(value).ok();
    Some(Place { x: side(at.x)?, y: side(at.y)?, width: side(width)?, height: side(height)? })
}

/// A text in pieces that fit into an input.
fn text_inputs(text: &str) -> Vec<InputEvent> {
    let mut inputs = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, next) = rest.split_at(rest.floor_char_boundary(MAX_TEXT_BYTES));
        if let Ok(piece) = piece.try_into() {
            inputs.push(InputEvent::Text(piece));
        }
        rest = next;
    }
    inputs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_letter_is_lost_between_pieces(text in "\\PC{0,900}") {
            let joined: String = text_inputs(&text)
                .into_iter()
                .map(|input| match input {
                    InputEvent::Text(piece) => piece.as_str().to_owned(),
                    other => panic!("{other:?}"),
                })
                .collect();
            prop_assert_eq!(joined, text);
        }

        #[test]
        fn nothing_points_outside_the_picture(x in 0_u32..99, y in 0_u32..99) {
            let inside = x < 40 && y < 30;
            prop_assert_eq!(place(PixelPoint { x, y }, 40, 30).is_some(), inside);
        }
    }

    #[test]
    fn a_right_is_never_made_up() {
        assert_eq!(rights(message::Rights::NONE), Rights::NONE);
        let control = rights(message::Rights::CONTROL);
        assert!(control.has(Right::Control) && !control.has(Right::View));
    }
}
