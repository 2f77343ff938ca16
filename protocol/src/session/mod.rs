//! A session, from either side, without a socket and without a clock.
//!
//! [`Moderator`] is the console's side, with all the others in one table; [`Participant`] is the
//! device's, [`Onlooker`] that of a second console. All keep one contract:
//! `handle_answer`, `handle_notice` and `handle_packet` take what arrived on the link and
//! `handle_timeout` the passing of time, with the instant at which it happens; commands are plain
//! methods. After each call drain `poll_output` until it is `None`, then wait for what arrives, a
//! command, or `poll_timeout`.
//!
//! When the link breaks, `pause` is called, and `resume` when the server has given the member its
//! place again: what matters and was not acknowledged leaves once more, as the same bytes, and
//! what comes twice is passed over. While paused nothing but events comes out.
//!
//! Link keep-alive is not theirs: [`crate::link`] does it.

mod group;
mod joiner;
mod joining;
mod lacks;
mod lane;
mod moderator;
mod obeying;
mod onlooker;
mod pair;
mod participant;
mod pointing;
mod pressed;
mod rights;
mod roster;
mod seat;
mod steering;
mod tampered;

use std::collections::VecDeque;
use std::time::Duration;

use crate::header::{Class, Fragment, Header, MemberId};
use crate::tunnel::Asked;

pub use joiner::EndReason;
pub use moderator::{
    Inheritance, Moderator, ModeratorConfig, ModeratorEvent, ParticipantGone, RETURN_WITHIN,
    WallClock,
};
pub use obeying::LOCAL_PAUSE;
pub use onlooker::{Onlooker, OnlookerEvent};
pub use participant::{Participant, ParticipantEvent};
pub use pointing::{ARROW_INTERVAL, MAX_ARROWS};
pub use roster::Roster;
pub use tampered::Tampered;

/// How often a device that may be controlled tells its time.
pub const TICK: Duration = Duration::from_millis(250);

/// Input sent more than this many ticks ago is dropped: the server may have held it back.
pub const MAX_INPUT_AGE_TICKS: u32 = 8;

/// How often a controller says that it is still there while it holds something down.
pub const STILL_HERE_INTERVAL: Duration = Duration::from_millis(500);

/// What is held down is released when nothing was heard from the controller for so long.
pub const RELEASE_AFTER: Duration = Duration::from_millis(1500);

/// A device that may be controlled tells its time four times a second; nothing from it for so long
/// means that it is cut off, even if this side's own link is well.
pub const DEVICE_SILENT_AFTER: Duration = Duration::from_secs(4);

/// A device that may be controlled says to the moderator that it is there, this often at least.
pub const ALIVE_INTERVAL: Duration = Duration::from_secs(1);

/// A device says to all which list of members it was shown, this often at least.
pub const ROSTER_SEEN_INTERVAL: Duration = Duration::from_secs(10);

/// Members of a session at most, the moderator included.
pub const MAX_MEMBERS: usize = 100;

/// Handshakes that are under way at a time; whoever comes later waits.
pub const MAX_HANDSHAKES: usize = 5;

/// A member that was spoken to during the handshake must answer within this time. People have as
/// long as they like.
pub const HANDSHAKE_STEP: Duration = Duration::from_secs(30);

/// The same for the first answer, which takes no thought: so that whoever joins and says nothing
/// does not keep others waiting.
pub const REQUEST_STEP: Duration = Duration::from_secs(10);

/// The same where the person at the member types the session's password meanwhile.
pub const PASSWORD_STEP: Duration = Duration::from_secs(180);

/// Outputs that wait to be drained at most; a caller that never drains is a bug of ours.
const MAX_OUTPUTS: usize = 1 << 16;

/// What must leave a session after a call.
#[derive(Debug)]
pub enum Output<E> {
    /// To be asked of the server. Its answers are to be handed in in the same order.
    Request(Asked),
    /// A packet to be sent on the link, header included, scheduled by its class.
    Packet(Class, Vec<u8>),
    /// For the program.
    Event(E),
}

/// Requests that wait for the link to come back at most.
const MAX_HELD_REQUESTS: usize = 1024;

/// The outputs that wait.
#[derive(Debug)]
struct Outputs<E> {
    waiting: VecDeque<Output<E>>,
    /// The link is broken: packets that matter are kept by their lanes, the others are lost.
    is_paused: bool,
    /// What is to be asked when it is back.
    held: Vec<Asked>,
}

impl<E> Outputs<E> {
    const fn new() -> Self {
        Self { waiting: VecDeque::new(), is_paused: false, held: Vec::new() }
    }

    fn pause(&mut self) {
        self.is_paused = true;
        self.waiting.retain(|output| matches!(output, Output::Event(_)));
    }

    fn resume(&mut self) {
        self.is_paused = false;
        for what in std::mem::take(&mut self.held) {
            self.request(what);
        }
    }

    fn push(&mut self, output: Output<E>) {
        debug_assert!(self.waiting.len() < MAX_OUTPUTS, "outputs are drained after each call");
        self.waiting.push_back(output);
    }

    fn request(&mut self, what: Asked) {
        if !self.is_paused {
            self.push(Output::Request(what));
        } else if self.held.len() < MAX_HELD_REQUESTS {
            self.held.push(what);
        }
    }

    fn packets(&mut self, class: Class, packets: Vec<Vec<u8>>) {
        packets.into_iter().for_each(|packet| self.packet(class, packet));
    }

    fn sealed(&mut self, packets: pair::Packets) {
        packets.into_iter().for_each(|(class, packet)| self.packet(class, packet));
    }

    fn packet(&mut self, class: Class, packet: Vec<u8>) {
        if !self.is_paused {
            self.push(Output::Packet(class, packet));
        }
    }

    fn event(&mut self, event: E) {
        self.push(Output::Event(event));
    }

    fn pop(&mut self) -> Option<Output<E>> {
        self.waiting.pop_front()
    }
}

/// Which of the requests that wait for an answer is the one that matters. The server answers
/// each request once, in order.
#[derive(Debug, Default)]
struct Pending(VecDeque<bool>);

impl Pending {
    fn asked(&mut self, matters: bool) {
        self.0.push_back(matters);
    }

    /// An answer came: whether it is to the request that matters.
    fn answered(&mut self) -> bool {
        self.0.pop_front().unwrap_or(false)
    }
}

/// A packet with a handshake message, which is not encrypted.
fn handshake_packet(from: MemberId, to: MemberId, message: &[u8]) -> Vec<u8> {
    let header = Header {
        class: Class::Handshake,
        fragment: Fragment::WHOLE,
        stream: 0,
        source: from,
        destination: to,
        epoch: 0,
        instance: 0,
        // Handshake messages are bounded by their types, far below a packet.
        length: u32::try_from(message.len()).unwrap_or(u32::MAX),
        number: 0,
    };
    [&header.encode()[..], message].concat()
}

#[cfg(test)]
#[path = "tests/simulation/mod.rs"]
mod simulation;
#[cfg(test)]
mod tests;
