//! What a moderator is told, and what it tells.

use std::time::Instant;

use crate::SessionNumber;
use crate::handshake::{Code, Declined, HandshakeError, Level, Means};
use crate::header::MemberId;
use crate::message::{
    CoveredParts, DeviceEnd, FromFiles, FromTerminal, Name, OutputList, RestartReport, Rights,
    Role, ScreenReport,
};
#[cfg(doc)]
use crate::session::{DEVICE_SILENT_AFTER, Moderator};
use crate::session::{Onlooker, Roster, Tampered};
use crate::tunnel::{Departure, EndOfSession, Refusal};

/// Who the moderator is and what it asks for.
#[derive(Debug, Clone)]
pub struct ModeratorConfig {
    /// What the technician calls himself, shown at the device as a name.
    pub name: Name,
    /// Rights that are asked for.
    pub asks: Rights,
    /// Devices in the session at a time; further ones are told that it is busy.
    pub devices: usize,
    /// Ways of being sure that are offered.
    pub means: Means,
    /// The time of day; without it no certificate counts.
    pub clock: Option<WallClock>,
}

impl ModeratorConfig {
    /// For one device, with codes compared.
    pub fn new(name: Name, asks: Rights) -> Self {
        Self { name, asks, devices: 1, means: Means::default(), clock: None }
    }

    pub(super) fn unix_s(&self, now: Instant) -> u64 {
        self.clock.map_or(0, |clock| clock.unix_s(now))
    }
}

/// What the time of day was at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WallClock {
    /// Then …
    pub at: Instant,
    /// … so many seconds had passed since 1970, UTC.
    pub unix_s: u64,
}

impl WallClock {
    /// Seconds since 1970, UTC, at an instant.
    pub fn unix_s(&self, now: Instant) -> u64 {
        self.unix_s.saturating_add(now.saturating_duration_since(self.at).as_secs())
    }
}

/// What the moderator's program must know.
#[derive(Debug)]
#[non_exhaustive]
pub enum ModeratorEvent {
    /// The session is open; the number can be read out.
    Opened {
        /// The number.
        number: SessionNumber,
        /// It is good for a first join for so many seconds.
        expires_in_s: u32,
    },
    /// The server opens no session.
    OpenRefused(Refusal),
    /// Somebody has typed the number; the handshake runs by itself.
    Joining,
    /// Too many comparisons under this number came to nothing, so that nobody is let near another
    /// one unasked: answer with [`Moderator::admit`] or [`Moderator::refuse`].
    Knocking {
        /// Who asks.
        member: MemberId,
        /// What it calls itself. Nobody has checked it.
        name: Name,
    },
    /// Password or certificates were checked on both sides, so that nobody needs to compare. The
    /// person at a device is asked now; an onlooker waits for [`Moderator::confirm_code`] or
    /// [`Moderator::refuse`].
    Checked {
        /// Who.
        member: MemberId,
        /// What the member wants to be.
        role: Role,
        /// How sure it is.
        level: Level,
        /// What the member calls itself; with certificates, what the operator calls it.
        name: Name,
    },
    /// Three runs by password failed: nobody can join by this number any more. Those who are in
    /// stay; for others open another session, with other passwords.
    NumberBurned,
    /// The people must compare this code; answer with [`Moderator::confirm_code`] or
    /// [`Moderator::reject_code`].
    Compare {
        /// Whose code it is.
        member: MemberId,
        /// What the member wants to be.
        role: Role,
        /// The six digits.
        code: Code,
        /// What the member calls itself. Nobody has checked it.
        name: Name,
    },
    /// The person there has accepted: a member is inside. With a device the session is live.
    Connected {
        /// Who.
        member: MemberId,
        /// What it is.
        role: Role,
        /// What it calls itself.
        name: Name,
        /// What may be done at it; enforced at the device.
        rights: Rights,
        /// How sure it is who is there.
        level: Level,
    },
    /// Everybody sees the screen of this device from now on; ask for its pictures with
    /// [`Moderator::watch`].
    Presents {
        /// Which device.
        member: MemberId,
    },
    /// Nothing has come from the watched device for [`DEVICE_SILENT_AFTER`] (`true`), or it is back. Only
    /// of devices that may be controlled: others have nothing to say while their picture stands.
    Silent(bool),
    /// Who is in the session has changed.
    Members(Box<Roster>),
    /// Somebody is gone for good: every device has acknowledged a key that the gone one does not
    /// have, so that nothing that is sent from here on can be read there.
    Removed {
        /// Who.
        member: MemberId,
    },
    /// A member would like to control the device; see [`Moderator::give_control`].
    AsksControl {
        /// Who.
        member: MemberId,
    },
    /// Somebody at the device that is controlled from here uses it, or does not any more: inputs
    /// are not carried out for a moment.
    Paused(bool),
    /// Rights at a device were withdrawn there; these are left.
    Rights {
        /// Which device.
        member: MemberId,
        /// What may still be done.
        rights: Rights,
    },
    /// A member was shown another list of members than a device: somebody lies.
    RostersDiffer {
        /// Who says so.
        member: MemberId,
    },
    /// A member's link is broken (`true`), or there again.
    Away {
        /// Who.
        member: MemberId,
        /// Whether it is away.
        is_away: bool,
    },
    /// The session was handed over; this side looks on from now on. The moderator is of no use
    /// any more.
    HandedOver(Box<Onlooker>),
    /// What the watched device's screen is doing.
    Screen(ScreenReport),
    /// An update of the picture, for the codec's decoder. Answer with
    /// [`Moderator::picture_shown`], or with [`Moderator::refresh`] if it cannot be used.
    Picture(Vec<u8>),
    /// So many inputs came too late and were dropped at the device.
    InputDropped(u16),
    /// The device has no key for this character.
    CannotType(char),
    /// The screens of the watched device, if it has several; ask with [`Moderator::show`].
    Outputs(Box<OutputList>),
    /// Parts of the picture that other hardware covers at the watched device.
    Covered(CoveredParts),
    /// About the watched device's terminal; ask with [`Moderator::terminal`].
    Terminal(FromTerminal),
    /// About the watched device's files; ask with [`Moderator::files`].
    Files {
        /// The number of the request that this answers.
        id: u16,
        /// What.
        what: FromFiles,
    },
    /// What becomes of arrows at the watched device, when that is news.
    Arrows {
        /// Whether its screen can show any.
        are_shown: bool,
        /// So many were not shown so far, because they came too late or the right was missing.
        dropped: u32,
    },
    /// What becomes of a restart that was asked for.
    Restart {
        /// At which device.
        member: MemberId,
        /// What.
        report: RestartReport,
    },
    /// A device is back after a restart, and about to come in.
    Returned {
        /// Who it was before; gone from now on, if it was not yet.
        was: MemberId,
        /// Who it is from now on.
        member: MemberId,
    },
    /// A device that was restarted is not back in time, and cannot come back by itself any more.
    NotBack {
        /// Who it was.
        member: MemberId,
    },
    /// A member is gone; the number can be typed again.
    Gone {
        /// Who.
        member: MemberId,
        /// What it was or wanted to be.
        role: Role,
        /// Why.
        why: ParticipantGone,
    },
    /// The session is over.
    Ended(EndOfSession),
}

/// Why a member is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParticipantGone {
    /// It never got in, or said no.
    Declined(Declined),
    /// It did not go on with the handshake.
    Late,
    /// The technician does not let it in.
    Refused,
    /// The handshake failed here: changed messages or an incompatible program.
    Handshake(HandshakeError),
    /// The technician said that the codes differ.
    CodesDiffer,
    /// It ended the session.
    Ended(DeviceEnd),
    /// The server says that it left.
    Departed(Departure),
    /// Its packets were tampered with.
    Tampered(Tampered),
    /// The technician sent it away.
    Kicked,
    /// It does not acknowledge any more what it is told.
    Unreachable,
    /// It is being restarted, and may come back.
    Restarts,
}
