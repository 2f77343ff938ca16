//! One link: a member on one side, the server on the other, TLS below.
//!
//! Each side is one struct per state, so that nothing can be asked of a link that its state does
//! not allow:
//!
//! | side | before the first frames | afterwards |
//! |---|---|---|
//! | client | [`ClientExpectWelcome`] | [`ClientLink`] |
//! | server | [`ServerExpectHello`] | [`ServerLink`] |
//!
//! # Contract
//! `handle_*` takes what happened and the time, `poll_output` gives what must leave. After every
//! call, poll until [`Output::Timeout`] comes, and call `handle_timeout` at that instant unless
//! something else happens first. `handle_bytes` takes at most one frame from its input, so that
//! nothing piles up in between: call it again while input is left. Read what the socket has
//! before handling a timeout, so that a program that slept does not take its own sleep for the
//! other side's silence.
//!
//! # How a link ends
//! Either side may say [`Bye`]. Whoever sees the protocol broken says `Bye(Violation)`, the same
//! for every cause, and closes; what exactly it was is in [`Violation`] for the own log. Silence
//! ends a link without a word. `Ended` is always the last event.
//!
//! # Keep-alive
//! The client asks, the server answers. [`LinkConfig`] has the times and why they are so.

mod client;
mod keepalive;
mod lanes;
mod server;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

pub use client::{ClientEvent, ClientExpectWelcome, ClientLink, TooManyRequests};
pub use lanes::{Lane, LaneFull, Lanes};
pub use server::{Greeted, ServerEvent, ServerExpectHello, ServerLink};

use crate::frame::{Frame, InvalidFrame};
use crate::header::{InvalidHeader, MemberId};
use crate::tunnel::Bye;

/// Requests of one client that wait for their reply at most.
pub const MAX_PENDING_REQUESTS: usize = 8;

/// When a link that stays quiet is asked, called silent, and given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The client pings this often; while idle, only if nothing was received for as long.
    pub ping_every: Duration,
    /// Nothing received for this long: [`ClientEvent::Silent`]. `None`: never said.
    pub silent_after: Option<Duration>,
    /// Nothing received for this long: the link is lost.
    pub lost_after: Duration,
}

/// The times of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkConfig {
    /// Outside of sessions.
    pub idle: Pace,
    /// In a session.
    pub session: Pace,
    /// From the start of the link to the other side's first frame.
    pub handshake: Duration,
}

impl Default for LinkConfig {
    /// Idle: a ping after 55 s, below the 60 s after which common proxies and firewalls forget a
    /// quiet connection; a ping and its pong cost about 280 bytes with all heads, 0.5 MB a day.
    /// In a session: a ping every 2 s, silence told after 4 s, lost after 20 s, so that TCP
    /// alone carries a link over a cut of 10 s. Lost while idle after 2.5 pings.
    fn default() -> Self {
        Self {
            idle: Pace {
                ping_every: Duration::from_secs(55),
                silent_after: None,
                lost_after: Duration::from_millis(137_500),
            },
            session: Pace {
                ping_every: Duration::from_secs(2),
                silent_after: Some(Duration::from_secs(4)),
                lost_after: Duration::from_secs(20),
            },
            handshake: Duration::from_secs(5),
        }
    }
}

/// What a link wants of the program around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output<E, P = Vec<u8>> {
    /// This frame must leave.
    Transmit(Frame<P>),
    /// The program must know this.
    Event(E),
    /// Nothing more now; call `handle_timeout` at this instant.
    Timeout(Instant),
}

/// A state that goes on as itself or became the next one.
#[derive(Debug)]
pub enum Progress<Same, Next> {
    /// Not there yet.
    Same(Same),
    /// The next state.
    Next(Next),
}

/// Why a link is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum End {
    /// The connection broke or was closed without a word.
    #[error("the connection was cut")]
    Broken,
    /// The other side said so.
    #[error("the other side ended the link: {0:?}")]
    Bye(Bye),
    /// This side said so.
    #[error("this side ended the link: {0:?}")]
    Closed(Bye),
    /// No version in common; the other side was told.
    #[error("the two programs have no version of the protocol in common")]
    NoCommonVersion,
    /// Nothing was received for too long.
    #[error("nothing was received for {0:?}")]
    Silent(Duration),
    /// The other side broke the protocol; it was told so, not how.
    #[error("the other side broke the protocol: {0}")]
    Violation(#[from] Violation),
}

impl End {
    /// What the other side is told, if anything: the same for all violations.
    pub fn bye(&self) -> Option<Bye> {
        match self {
            Self::Violation(_) => Some(Bye::Violation),
            Self::NoCommonVersion => Some(Bye::Version),
            Self::Closed(bye) => Some(*bye),
            Self::Broken | Self::Bye(_) | Self::Silent(_) => None,
        }
    }
}

/// How the other side broke the protocol; for the own log only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// Bytes that are no frame.
    #[error(transparent)]
    Frame(#[from] InvalidFrame),
    /// The first frame did not come in time.
    #[error("no first frame within {0:?}")]
    Late(Duration),
    /// A packet whose header does not make sense.
    #[error(transparent)]
    Packet(#[from] InvalidHeader),
    /// A pong that answers no ping.
    #[error("pong that answers no ping")]
    Pong,
    /// A reply that answers no request, or not the one that it names.
    #[error("reply {0} answers no request that is waiting for it")]
    Reply(u16),
    /// A packet in somebody else's name.
    #[error("packet in the name of member {} from member {}", stated.0, actual.0)]
    Source {
        /// Whom the packet names.
        stated: MemberId,
        /// Who sent it.
        actual: MemberId,
    },
    /// A frame that this side never sends, or not now.
    #[error("frame {0} does not belong here")]
    Unexpected(&'static str),
    /// A version that was not offered.
    #[error("version {0} was not offered")]
    Version(u8),
}

/// When a link that is over asks to be called: never, in effect.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// The name of a frame's type, for logs.
fn name_of<P>(frame: &Frame<P>) -> &'static str {
    match frame {
        Frame::Bye(_) => "Bye",
        Frame::Hello(_) => "Hello",
        Frame::Notice(_) => "Notice",
        Frame::Packet(_) => "Packet",
        Frame::Ping(_) => "Ping",
        Frame::Pong(_) => "Pong",
        Frame::Reply(_) => "Reply",
        Frame::Request(_) => "Request",
        Frame::Welcome(_) => "Welcome",
    }
}

/// Cuts a program's name and version to what a hello can carry.
fn program_name(program: &str) -> heapless::String<48> {
    let mut name = heapless::String::new();
    for c in program.chars() {
        if name.push(c).is_err() {
            break;
        }
    }
    name
}
