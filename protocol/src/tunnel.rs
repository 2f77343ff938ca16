//! What a member asks of the server itself, and what the server says.
//!
//! All of this is readable by the server, so nothing in it is secret, and everything in it is
//! bounded by its type.

use heapless::{String, Vec};
use serde::{Deserialize, Serialize};

use crate::{MemberId, SessionNumber};

/// The ALPN protocol name of the native protocol (RFC 7301).
pub const ALPN: &[u8] = b"lotse/1";

/// The version of the link protocol that this code speaks.
pub const LINK_VERSION: u8 = 1;

/// Identifies one session for as long as the world lasts; 128 random bits from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionId(pub [u8; 16]);

/// Bytes of a [`ResumeToken`] at most.
pub const MAX_RESUME_TOKEN: usize = 64;

/// What lets a member whose link broke take its place in the session again. Made by the server,
/// of meaning only to it; whoever has it can take the place, but no keys come with it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumeToken(pub Vec<u8, MAX_RESUME_TOKEN>);

impl std::fmt::Debug for ResumeToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResumeToken(..)")
    }
}

/// First frame of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Link versions that the client speaks, best first.
    pub versions: Vec<u8, 4>,
    /// Program and version, as in `lotse-agent 0.1.0`; for the server's log only.
    pub program: String<48>,
}

/// First frame of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version that is spoken from here on.
    pub version: u8,
    /// Program and version of the server.
    pub program: String<48>,
    /// After an unexpected loss the client waits a random time up to this many milliseconds
    /// before it comes back, so that a crowd does not come at once.
    pub herd_window_ms: u32,
}

/// Something asked of the server. `id` comes back in the [`Reply`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Chosen by the client.
    pub id: u16,
    /// What is asked.
    pub what: Asked,
}

/// What a client can ask of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Asked {
    /// Opens a session; the asker becomes its moderator. Answered by [`Answer::Opened`].
    Open,
    /// Joins a session by its number. Answered by [`Answer::Joined`].
    Join {
        /// What the person typed.
        number: SessionNumber,
    },
    /// Leaves the session; the moderator's leaving ends it. Answered by [`Answer::Done`].
    Leave,
    /// Moderator only: makes a member leave. Answered by [`Answer::Done`].
    Remove {
        /// Who.
        member: MemberId,
    },
    /// Takes the asker's place in its session again, after its link broke or the server was
    /// started anew. Whoever sat there is sent away. Answered by [`Answer::Resumed`].
    Resume {
        /// From [`Answer::Opened`] or [`Answer::Joined`].
        token: ResumeToken,
    },
    /// Moderator only: what a member may address, and whether packets for all reach it. Answered by
    /// [`Answer::Done`].
    Seat {
        /// Who.
        member: MemberId,
        /// What it is from now on.
        standing: Standing,
    },
    /// Moderator only: nobody comes in any more, or people do again. Answered by
    /// [`Answer::Done`].
    Lock(bool),
    /// Moderator only: who takes over when the moderator is lost. Answered by [`Answer::Done`].
    Deputy(Option<MemberId>),
    /// Moderator only: the deputy takes over now. Answered by [`Answer::Done`].
    HandOver,
}

/// What a member is to the server, which checks what it addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Standing {
    /// It knocks: it addresses the moderator, and nothing for all reaches it.
    Waiting,
    /// It looks on: it addresses the moderator and devices.
    Onlooker,
    /// It shows its screen: it addresses anybody, and all at once.
    Device,
}

/// The server's answer to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The request's number.
    pub id: u16,
    /// The answer.
    pub answer: Answer,
}

/// What the server can answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Answer {
    /// The session is open and the asker is [`MemberId::MODERATOR`].
    Opened {
        /// What the moderator reads out.
        number: SessionNumber,
        /// The session's identity, part of every key.
        session: SessionId,
        /// The number is good for a first join for this many seconds.
        expires_in_s: u32,
        /// For [`Asked::Resume`].
        resume: ResumeToken,
    },
    /// The asker is in.
    Joined {
        /// The session's identity, part of every key.
        session: SessionId,
        /// Who the asker is from now on.
        member: MemberId,
        /// Who moderates.
        moderator: MemberId,
        /// For [`Asked::Resume`].
        resume: ResumeToken,
    },
    /// It is done.
    Done,
    /// It is not done.
    Refused(Refusal),
    /// The asker has its place again; it is the member that it was. Who else is there is told by
    /// [`Notice::MemberBack`], before or after this.
    Resumed,
}

/// Why the server does not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// No session can be joined under that number: unknown, expired, burned, locked and full are
    /// deliberately the same answer.
    NotAvailable,
    /// Too many attempts; come back after so many seconds.
    TooMany {
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// The asker's role does not allow it, or not in this state.
    NotAllowed,
    /// The server is full.
    Busy,
}

/// Something that a member must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Notice {
    /// To the moderator: a member came in and knocks.
    MemberJoined {
        /// Who.
        member: MemberId,
    },
    /// A member is gone; packets to it fall away.
    MemberLeft {
        /// Who.
        member: MemberId,
        /// How.
        how: Departure,
    },
    /// The session is over; a new request may open or join another.
    SessionEnded {
        /// Why.
        why: EndOfSession,
    },
    /// Picture packets from a member were dropped for this receiver because it was too slow.
    PicturesDropped {
        /// Whose pictures.
        source: MemberId,
    },
    /// A member's link broke. It may come back for a while; packets to it fall away meanwhile.
    /// The moderator is told of everybody, the others of the moderator.
    MemberAway {
        /// Who.
        member: MemberId,
    },
    /// A member is back, or is there as seen by one who is back. Packets reach it again; what
    /// was sent before may be lost.
    MemberBack {
        /// Who.
        member: MemberId,
    },
    /// Somebody else moderates from now on, or has begun to while the one who is told was away.
    ModeratorIs {
        /// Who.
        member: MemberId,
        /// How many have taken over so far, this one included.
        term: u16,
    },
    /// To whoever moderates from now on: takes the place of the token that it had.
    Token {
        /// For [`Asked::Resume`].
        resume: ResumeToken,
    },
}

/// How a member left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Departure {
    /// It said so.
    Left,
    /// Its link broke, and it did not come back in time.
    Lost,
    /// The moderator removed it.
    Removed,
    /// It did not take its packets in time, or broke a rule.
    Dropped,
}

/// Why a session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EndOfSession {
    /// The moderator ended it.
    Ended,
    /// The moderator's link broke, and it did not come back in time.
    ModeratorLost,
    /// Nobody joined in time.
    Expired,
    /// The moderator removed this member.
    Removed,
    /// The server is being stopped.
    ServerStopping,
}

/// The last frame of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Bye {
    /// All is well.
    Closing,
    /// The server is being stopped; come back after a while.
    Stopping,
    /// No common version.
    Version,
    /// The other side broke the protocol.
    Violation,
    /// The other side did not take its frames in time.
    TooSlow,
    /// Too many links or attempts from there.
    TooMany,
    /// The member has come back on another link.
    Replaced,
}
