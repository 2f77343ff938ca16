//! Feedback: what has arrived, who is still there, what somebody was shown.

use serde::{Deserialize, Serialize};

/// What a moderator and a member tell each other about what has arrived; the next one says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The number of the control packet that is due.
    pub next: u64,
    /// Later ones were here already: send from there on again.
    pub is_missing: bool,
}

/// Feedback of a device to the one who controls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromControlled {
    /// About input packets.
    pub input: Acknowledgement,
    /// The device's time for the freshness of input: goes up by one every
    /// [`crate::session::TICK`].
    pub tick: u32,
    /// So many inputs were not carried out under this grant.
    pub dropped: u32,
    /// The numbers of those that were dropped last because they were too old: from the first to
    /// before the second.
    pub too_old: (u64, u64),
    /// Somebody at the device uses it: nothing is carried out.
    pub is_paused: bool,
}

/// Feedback of a controller to the device: it is there and holds something down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillHere {
    /// The last [`FromControlled::tick`] that the controller saw.
    pub tick: u32,
}

/// Feedback of a device to everybody: which list of members it was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterSeen {
    /// Its number.
    pub number: u32,
    /// Its hash.
    pub hash: [u8; 32],
}
