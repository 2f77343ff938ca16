//! What a device is told.

use crate::handshake::Level;
use crate::handshake::participant::Standing;
use crate::header::MemberId;
use crate::message::{InputEvent, Name, OutputName, Place, Restart, Rights, ToFiles, ToTerminal};
#[cfg(doc)]
use crate::session::Participant;
use crate::session::{EndReason, Roster};

/// What the device's program must know.
#[derive(Debug)]
#[non_exhaustive]
pub enum ParticipantEvent {
    /// The server let the device in; the moderator's console answers by itself.
    Joined,
    /// The moderator offers the password level: the person must type the session's password;
    /// answer with [`Participant::enter_password`], or end. From the answer on the attempt is a
    /// wrong guess, unless [`ParticipantEvent::Ask`] follows.
    AskPassword,
    /// Both sides have certificates of one operator: the device must sign this transcript (see
    /// [`crate::certificate::identify_device`]); answer with [`Participant::identify`], or end.
    Identify {
        /// What was said so far.
        transcript: [u8; 32],
    },
    /// The person at the device must decide, where codes are compared after comparing; answer with
    /// [`Participant::decide`].
    Ask {
        /// What the technician calls himself. Nobody has checked it.
        name: Name,
        /// What the technician asks for.
        asks: Rights,
        /// What is known of the technician. A certificate in it is not checked yet.
        standing: Standing,
    },
    /// The technician has confirmed the code as well: the session is live.
    Connected {
        /// What may be done.
        rights: Rights,
        /// How sure it is who is there; nothing where he showed a certificate, of which this side
        /// knows nothing: whoever has checked it knows.
        level: Option<Level>,
    },
    /// Pictures are wanted, or no longer.
    Watch(bool),
    /// The picture with this number is on the technician's screen.
    PictureShown(u32),
    /// The next picture must hold all that changed since the one with this number, which everybody
    /// has; all there is, if it is 0.
    Refresh {
        /// The number.
        after: u32,
    },
    /// Another of the device's screens is wanted.
    Show(OutputName),
    /// About the device's terminal. [`ToTerminal::Close`] also comes when another one moderates.
    Terminal(ToTerminal),
    /// About the device's files; answer with [`Participant::report_files`] and the same number.
    /// [`ToFiles::Cancel`] also comes when another one moderates.
    Files {
        /// The request's number.
        id: u16,
        /// What.
        what: ToFiles,
    },
    /// A member points at something on the screen, or no longer; answer with
    /// [`Participant::report_arrows`].
    Arrow {
        /// Who, as an arrow's colour goes by.
        by: MemberId,
        /// What it calls itself.
        name: Name,
        /// Where.
        at: Option<Place>,
    },
    /// The device or its application is to be restarted; answer with
    /// [`Participant::report_restart`].
    Restart(Restart),
    /// To be injected. [`InputEvent::ReleaseAll`] also comes when the controller falls silent.
    Input(InputEvent),
    /// Who is in the session has changed.
    Members(Box<Roster>),
    /// Somebody else controls the device from now on, or nobody does.
    Controller(Option<MemberId>),
    /// Rights were withdrawn; these are left.
    Rights(Rights),
    /// The link to the technician is broken (`true`), or is there again.
    Away(bool),
    /// It is over; the participant can join again.
    Ended(EndReason),
}
