//! Who is in a session, whose keys count, who controls what.

use serde::{Deserialize, Serialize};

use super::{List, Name, Rights, Role, SecretBytes};
use crate::MemberId;
use crate::handshake::Level;
use crate::session::MAX_MEMBERS;

/// One member as the moderator has written it down for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Who.
    pub member: MemberId,
    /// Its join instance.
    pub instance: u16,
    /// What it is.
    pub role: Role,
    /// What it calls itself; with certificates, what its operator calls it.
    pub name: Name,
    /// How sure the moderator who let it in was of who it is; nothing for the one who opened the
    /// session.
    pub level: Option<Level>,
    /// What may be done at it, if it is a device.
    pub rights: Rights,
    /// Who controls it, if it is a device and somebody does.
    pub controller: Option<MemberId>,
    /// Its Ed25519 key for this session; the moderator signs with its own.
    pub key: [u8; 32],
}

/// An Ed25519 signature, its halves R and s (RFC 8032 §5.1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The first half.
    pub r: [u8; 32],
    /// The second half.
    pub s: [u8; 32],
}

/// What changes in the list of members, and the moderator's signature of what it becomes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterChange {
    /// Its number, one more than that of the list before, unless this is the whole list.
    pub number: u32,
    /// How many have taken over as the moderator so far.
    pub term: u16,
    /// This is the whole list: forget what was there before.
    pub is_whole: bool,
    /// Who moderates.
    pub moderator: MemberId,
    /// Who takes over when the moderator is lost.
    pub deputy: Option<MemberId>,
    /// The device whose screen everybody sees.
    pub presenter: Option<MemberId>,
    /// Who is gone.
    pub gone: List<MemberId, MAX_MEMBERS>,
    /// Who is new or has changed.
    pub changed: List<Entry, MAX_MEMBERS>,
    /// Of the whole list, by the moderator.
    pub signature: Signature,
}

/// How the key of an epoch comes about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NewSecret {
    /// The epoch stays.
    Same,
    /// Everybody derives it from that of the epoch before; who comes in gets the new one alone.
    Ratchet,
    /// Nobody can derive it.
    Fresh(SecretBytes),
}

/// Another epoch, another list of members, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The epoch from here on.
    pub epoch: u16,
    /// Where its key comes from.
    pub secret: NewSecret,
    /// Who is in the session.
    pub roster: RosterChange,
}

/// One member may control one device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlGrant {
    /// Its number, which no other grant of the session has; not 0.
    pub number: u16,
    /// What is controlled.
    pub device: MemberId,
    /// Who controls it.
    pub controller: MemberId,
    /// What the controller may do at most.
    pub rights: Rights,
    /// The key of these two.
    pub key: SecretBytes,
}
