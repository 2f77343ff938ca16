//! The client's side of a link.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::keepalive::{Due, KeepAlive};
use super::{End, LinkConfig, MAX_PENDING_REQUESTS, NEVER, Output, Progress, Violation, name_of};
use crate::frame::{Frame, FrameReader};
use crate::tunnel::{Answer, Asked, Bye, Hello, LINK_VERSION, Notice, Reply, Request, Welcome};

/// What [`ClientLink`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientEvent<P = Vec<u8>> {
    /// After a silence something was received again.
    Alive,
    /// The link is over; nothing follows.
    Ended(End),
    /// The server says something.
    Notice(Notice),
    /// A packet of the session, header included; not looked into.
    Packet(P),
    /// The server answers a request; the answer is of a kind that fits it.
    Reply(Reply),
    /// In a session, nothing was received since then.
    Silent {
        /// When the last bytes came.
        since: Instant,
    },
}

/// More than [`MAX_PENDING_REQUESTS`] requests wait for their reply, or the link is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many requests wait for their reply, or the link is over")]
pub struct TooManyRequests;

/// A client that has said hello.
///
/// First send [`ClientExpectWelcome::hello`].
#[derive(Debug)]
pub struct ClientExpectWelcome {
    config: LinkConfig,
    deadline: Instant,
    reader: FrameReader,
}

impl ClientExpectWelcome {
    /// A client at the start of a link.
    pub fn new(config: LinkConfig, now: Instant) -> Self {
        Self { config, deadline: now + config.handshake, reader: FrameReader::new() }
    }

    /// The frame that must leave first. `program` is name and version, as in
    /// `lotse-agent 0.1.0`; the server's log has its first 48 bytes.
    pub fn hello<P>(program: &str) -> Frame<P> {
        let mut versions = heapless::Vec::new();
        // Has room for four.
        let _ = versions.push(LINK_VERSION);
        Frame::Hello(Hello { versions, program: super::program_name(program) })
    }

    /// Until when the server's answer must have come.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The deadline has passed.
    pub fn late(&self) -> End {
        End::Violation(Violation::Late(self.config.handshake))
    }

    /// Takes bytes from the front of `input`, at most one frame.
    ///
    /// # Errors
    /// [`End`]; send its [`bye`](End::bye), then close.
    pub fn handle_bytes<P: for<'a> From<&'a [u8]>>(
        mut self,
        input: &mut &[u8],
        now: Instant,
    ) -> Result<Progress<Self, (ClientLink<P>, Welcome)>, End> {
        if now >= self.deadline {
            return Err(self.late());
        }
        let frame = self.reader.read::<P>(input).map_err(Violation::Frame)?;
        match frame {
            None => Ok(Progress::Same(self)),
            Some(Frame::Welcome(welcome)) if welcome.version == LINK_VERSION => {
                Ok(Progress::Next((ClientLink::new(self.config, now), welcome)))
            }
            Some(Frame::Welcome(welcome)) => Err(Violation::Version(welcome.version).into()),
            Some(Frame::Bye(bye)) => Err(End::Bye(bye)),
            Some(other) => Err(Violation::Unexpected(name_of(&other)).into()),
        }
    }
}

/// A client on a link that is up. The contract is in the [module](super).
#[derive(Debug)]
pub struct ClientLink<P = Vec<u8>> {
    reader: FrameReader,
    keep_alive: KeepAlive,
    pending: heapless::Vec<(u16, Asked), MAX_PENDING_REQUESTS>,
    next_id: u16,
    /// At most [`MAX_PENDING_REQUESTS`] and what one call brings.
    out: VecDeque<Frame<P>>,
    /// What one call brings.
    events: VecDeque<ClientEvent<P>>,
    ended: bool,
}

impl<P: for<'a> From<&'a [u8]>> ClientLink<P> {
    fn new(config: LinkConfig, now: Instant) -> Self {
        Self {
            reader: FrameReader::new(),
            keep_alive: KeepAlive::new(config, now),
            pending: heapless::Vec::new(),
            next_id: 0,
            out: VecDeque::new(),
            events: VecDeque::new(),
            ended: false,
        }
    }

    /// Asks the server for something. Returns the number that the reply will have.
    ///
    /// # Errors
    /// [`TooManyRequests`].
    pub fn request(&mut self, what: Asked) -> Result<u16, TooManyRequests> {
        let id = self.next_id;
        if self.ended || self.pending.push((id, what.clone())).is_err() {
            return Err(TooManyRequests);
        }
        self.next_id = self.next_id.wrapping_add(1);
        self.out.push_back(Frame::Request(Request { id, what }));
        Ok(id)
    }

    /// Whether the server counts this link among a session's members, as far as is known here.
    pub fn in_session(&self) -> bool {
        self.keep_alive.in_session() && !self.ended
    }

    /// Smoothed round trip time to the server and back, as soon as one was measured.
    pub fn round_trip(&self) -> Option<Duration> {
        self.keep_alive.round_trip()
    }

    /// Says Bye and ends the link.
    pub fn close(&mut self) {
        self.end(End::Closed(Bye::Closing));
    }

    /// Takes bytes from the front of `input`, at most one frame.
    pub fn handle_bytes(&mut self, input: &mut &[u8], now: Instant) {
        if self.ended || input.is_empty() {
            *input = &[];
            return;
        }
        if self.keep_alive.received(now) {
            self.events.push_back(ClientEvent::Alive);
        }
        let handled = match self.reader.read(input) {
            Ok(None) => Ok(()),
            Ok(Some(frame)) => self.handle_frame(frame, now),
            Err(invalid) => Err(End::Violation(invalid.into())),
        };
        if let Err(end) = handled {
            self.end(end);
        }
    }

    /// The connection is closed or broken.
    pub fn handle_broken(&mut self) {
        self.end(End::Broken);
    }

    /// The instant of [`Output::Timeout`] has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        while !self.ended {
            match self.keep_alive.due(now) {
                Due::Lost(quiet) => self.end(End::Silent(quiet)),
                Due::Nothing => return,
                Due::Ping(value) => self.out.push_back(Frame::Ping(value)),
                Due::Silent { since } => self.events.push_back(ClientEvent::Silent { since }),
            }
        }
    }

    /// The next of the frames that must leave, before any events.
    pub fn poll_transmit(&mut self) -> Option<Frame<P>> {
        self.out.pop_front()
    }

    /// What must leave, what must be known, when to come back.
    pub fn poll_output(&mut self, now: Instant) -> Output<ClientEvent<P>, P> {
        if let Some(frame) = self.out.pop_front() {
            return Output::Transmit(frame);
        }
        if let Some(event) = self.events.pop_front() {
            return Output::Event(event);
        }
        // Nothing waits for long: an idle link holds no buffers.
        self.out = VecDeque::new();
        self.events = VecDeque::new();
        Output::Timeout(if self.ended { now + NEVER } else { self.keep_alive.next() })
    }

    fn end(&mut self, end: End) {
        if self.ended {
            return;
        }
        self.ended = true;
        if let Some(bye) = end.bye() {
            self.out.push_back(Frame::Bye(bye));
        }
        self.events.push_back(ClientEvent::Ended(end));
    }

    fn handle_frame(&mut self, frame: Frame<P>, now: Instant) -> Result<(), End> {
        match frame {
            Frame::Bye(bye) => return Err(End::Bye(bye)),
            Frame::Notice(notice) => self.handle_notice(notice),
            // A packet may cross with the end of its session: then it means nothing any more.
            Frame::Packet(_) if !self.keep_alive.in_session() => {}
            Frame::Packet(packet) => self.events.push_back(ClientEvent::Packet(packet)),
            Frame::Ping(value) => self.out.push_back(Frame::Pong(value)),
            Frame::Pong(value) => {
                if !self.keep_alive.pong(value, now) {
                    return Err(Violation::Pong.into());
                }
            }
            Frame::Reply(reply) => self.handle_reply(reply)?,
            Frame::Hello(_) | Frame::Request(_) | Frame::Welcome(_) => {
                return Err(Violation::Unexpected(name_of(&frame)).into());
            }
        }
        Ok(())
    }

    fn handle_notice(&mut self, notice: Notice) {
        if let Notice::SessionEnded { .. } = notice {
            self.keep_alive.set_in_session(false);
        }
        self.events.push_back(ClientEvent::Notice(notice));
    }

    fn handle_reply(&mut self, reply: Reply) -> Result<(), Violation> {
        let unasked = Violation::Reply(reply.id);
        let at = self.pending.iter().position(|(id, _)| *id == reply.id).ok_or(unasked)?;
        let (_, asked) = self.pending.remove(at);
        match (&asked, &reply.answer) {
            (_, Answer::Refused(_))
            | (
                Asked::Remove { .. }
                | Asked::Seat { .. }
                | Asked::Lock(_)
                | Asked::Deputy(_)
                | Asked::HandOver,
                Answer::Done,
            ) => {}
            (Asked::Open, Answer::Opened { .. })
            | (Asked::Join { .. }, Answer::Joined { .. })
            | (Asked::Resume { .. }, Answer::Resumed) => {
                self.keep_alive.set_in_session(true);
            }
            (Asked::Leave, Answer::Done) => self.keep_alive.set_in_session(false),
            _ => return Err(unasked),
        }
        self.events.push_back(ClientEvent::Reply(reply));
        Ok(())
    }
}
