//! What this program is in a session: it moderates, or looks on, and may change from one to the
//! other.

use std::time::Instant;

use lotse_protocol::MemberId;
use lotse_protocol::message::{InputEvent, Place};
use lotse_protocol::session::{Moderator, ModeratorEvent, Onlooker, OnlookerEvent, Output};
use lotse_protocol::tunnel::{Answer, Notice};

/// One of the two.
pub(super) enum Part {
    Moderator(Box<Moderator>),
    Onlooker(Box<Onlooker>),
}

/// What happens to one of the two.
pub(super) enum Happened {
    Moderator(ModeratorEvent),
    Onlooker(OnlookerEvent),
}

/// Calls the same method of whichever it is.
macro_rules! either {
    ($part:expr, $it:ident => $call:expr) => {
        match $part {
            Part::Moderator($it) => $call,
            Part::Onlooker($it) => $call,
        }
    };
}

impl Part {
    pub(super) fn poll_output(&mut self) -> Option<Output<Happened>> {
        match self {
            Self::Moderator(it) => it.poll_output().map(|out| of(out, Happened::Moderator)),
            Self::Onlooker(it) => it.poll_output().map(|out| of(out, Happened::Onlooker)),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        either!(self, it => it.poll_timeout())
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        either!(self, it => it.handle_timeout(now));
    }

    pub(super) fn handle_packet(&mut self, packet: &[u8], now: Instant) {
        either!(self, it => it.handle_packet(packet, now));
    }

    pub(super) fn handle_notice(&mut self, notice: Notice, now: Instant) {
        match self {
            Self::Moderator(it) => it.handle_notice(notice, now),
            Self::Onlooker(it) => it.handle_notice(&notice, now),
        }
    }

    pub(super) fn handle_answer(&mut self, answer: Answer) {
        either!(self, it => it.handle_answer(answer));
    }

    pub(super) fn pause(&mut self, now: Instant) {
        either!(self, it => it.pause(now));
    }

    pub(super) fn resume(&mut self, now: Instant) {
        either!(self, it => it.resume(now));
    }

    pub(super) fn input(&mut self, event: InputEvent, now: Instant) -> bool {
        either!(self, it => it.input(event, now))
    }

    pub(super) fn point(&mut self, at: Option<Place>, now: Instant) -> bool {
        either!(self, it => it.point(at, now))
    }

    pub(super) fn refresh(&mut self) {
        either!(self, it => it.refresh());
    }

    pub(super) fn end(&mut self) {
        either!(self, it => it.end());
    }

    /// Who this program is in the session.
    pub(super) fn member(&self) -> Option<MemberId> {
        either!(self, it => it.member())
    }

    /// The picture with this number is on the screen; the device waits for the moderator alone.
    pub(super) fn picture_shown(&mut self, number: u32) {
        if let Self::Moderator(it) = self {
            it.picture_shown(number);
        }
    }

    pub(super) fn moderator(&mut self) -> Option<&mut Moderator> {
        match self {
            Self::Moderator(it) => Some(it),
            Self::Onlooker(_) => None,
        }
    }

    pub(super) fn onlooker(&mut self) -> Option<&mut Onlooker> {
        match self {
            Self::Onlooker(it) => Some(it),
            Self::Moderator(_) => None,
        }
    }
}

fn of<E>(output: Output<E>, happened: impl FnOnce(E) -> Happened) -> Output<Happened> {
    match output {
        Output::Request(what) => Output::Request(what),
        Output::Packet(class, packet) => Output::Packet(class, packet),
        Output::Event(event) => Output::Event(happened(event)),
    }
}
