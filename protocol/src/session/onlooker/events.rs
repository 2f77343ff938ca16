//! What an onlooker is told.

use crate::handshake::{Code, Level};
use crate::message::Name;
#[cfg(doc)]
use crate::session::Onlooker;
use crate::session::{EndReason, Inheritance, Roster};

/// What the onlooker's program must know.
#[derive(Debug)]
#[non_exhaustive]
pub enum OnlookerEvent {
    /// The server let this side in; the moderator's console answers by itself.
    Joined,
    /// The session's password is to be typed; answer with [`Onlooker::enter_password`], or end.
    AskPassword,
    /// The people must compare this code; answer with [`Onlooker::confirm_code`] or
    /// [`Onlooker::end`].
    Compare {
        /// What the moderator calls himself. Nobody has checked it.
        name: Name,
        /// The six digits.
        code: Code,
    },
    /// Password or certificates were checked on both sides, so that nobody needs to compare. The
    /// technician who moderates decides now.
    Checked {
        /// What he calls himself; with certificates, what the operator calls him.
        name: Name,
        /// How sure it is.
        level: Level,
    },
    /// The moderator has let this side in.
    Connected,
    /// Who is in the session has changed.
    Members(Box<Roster>),
    /// An update of the presenter's picture, for the codec's decoder. If it cannot be used, call
    /// [`Onlooker::refresh`].
    Picture(Vec<u8>),
    /// This side may control the device from now on, or may not any more.
    Control(bool),
    /// What becomes of arrows at the device, while this side points and when that is news.
    Arrows {
        /// Whether its screen can show any.
        are_shown: bool,
        /// So many were not shown so far, because they came too late or the right was missing.
        dropped: u32,
    },
    /// Somebody at the device uses it: inputs are not carried out for a moment.
    Paused(bool),
    /// So many inputs were not carried out.
    InputDropped(u16),
    /// Nothing comes from the device that is controlled, or something does again.
    Silent(bool),
    /// Somebody else was shown another list of members: the moderator or the server lies.
    RostersDiffer,
    /// The link to the moderator is broken (`true`), or is there again.
    Away(bool),
    /// The moderator is gone or has handed over, and this side is the deputy: go on with
    /// [`crate::session::Moderator::inherit`]. This value is of no use any more.
    TakeOver(Box<Inheritance>),
    /// It is over.
    Ended(EndReason),
}
