//! The server's side of a link.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{End, LinkConfig, NEVER, Output, Progress, Violation, name_of};
use crate::frame::{Frame, FrameReader};
use crate::header::{Header, MemberId};
use crate::tunnel::{Answer, Bye, Hello, LINK_VERSION, Reply, Request, Welcome};

/// What [`ServerLink`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerEvent<P = Vec<u8>> {
    /// The link is over; nothing follows.
    Ended(End),
    /// A packet for other members of the session. Its header makes sense, and its source is the
    /// member on this link. Whom it reaches is not known here.
    Packet {
        /// The packet's header.
        header: Header,
        /// The packet, header included.
        packet: P,
    },
    /// The client asks for something and waits for [`ServerLink::reply`].
    Request(Request),
}

/// A server that waits for a client's hello.
#[derive(Debug)]
pub struct ServerExpectHello {
    config: LinkConfig,
    deadline: Instant,
    reader: FrameReader,
}

impl ServerExpectHello {
    /// A server at the start of a link.
    pub fn new(config: LinkConfig, now: Instant) -> Self {
        Self { config, deadline: now + config.handshake, reader: FrameReader::new() }
    }

    /// Until when the hello must have come.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The deadline has passed.
    pub fn late(&self) -> End {
        End::Violation(Violation::Late(self.config.handshake))
    }

    /// Takes bytes from the front of `input`, at most one frame. `herd_window` becomes
    /// [`Welcome::herd_window_ms`].
    ///
    /// # Errors
    /// [`End`]; send its [`bye`](End::bye), then close.
    pub fn handle_bytes<P: for<'a> From<&'a [u8]> + AsRef<[u8]>>(
        mut self,
        input: &mut &[u8],
        program: &str,
        herd_window: Duration,
        now: Instant,
    ) -> Result<Progress<Self, Greeted<P>>, End> {
        if now >= self.deadline {
            return Err(self.late());
        }
        let frame = self.reader.read::<P>(input).map_err(Violation::Frame)?;
        match frame {
            None => Ok(Progress::Same(self)),
            Some(Frame::Hello(hello)) if hello.versions.contains(&LINK_VERSION) => {
                let welcome = Welcome {
                    version: LINK_VERSION,
                    program: super::program_name(program),
                    herd_window_ms: u32::try_from(herd_window.as_millis()).unwrap_or(u32::MAX),
                };
                let link = ServerLink::new(self.config, now);
                Ok(Progress::Next(Greeted { link, welcome: Frame::Welcome(welcome), hello }))
            }
            Some(Frame::Hello(_)) => Err(End::NoCommonVersion),
            Some(Frame::Bye(bye)) => Err(End::Bye(bye)),
            Some(other) => Err(Violation::Unexpected(name_of(&other)).into()),
        }
    }
}

/// What a hello brings.
#[derive(Debug)]
pub struct Greeted<P> {
    /// The link from here on.
    pub link: ServerLink<P>,
    /// The answer, which must leave first.
    pub welcome: Frame<P>,
    /// What the client said.
    pub hello: Hello,
}

/// A server on a link that is up. The contract is in the [module](super).
#[derive(Debug)]
pub struct ServerLink<P = Vec<u8>> {
    config: LinkConfig,
    reader: FrameReader,
    received: Instant,
    member: Option<MemberId>,
    /// What one call brings, and replies.
    out: VecDeque<Frame<P>>,
    /// What one call brings.
    events: VecDeque<ServerEvent<P>>,
    ended: bool,
}

impl<P: for<'a> From<&'a [u8]> + AsRef<[u8]>> ServerLink<P> {
    fn new(config: LinkConfig, now: Instant) -> Self {
        Self {
            config,
            reader: FrameReader::new(),
            received: now,
            member: None,
            out: VecDeque::new(),
            events: VecDeque::new(),
            ended: false,
        }
    }

    /// The client is a member of a session from now on.
    pub fn enter_session(&mut self, member: MemberId) {
        self.member = Some(member);
    }

    /// The client is in no session any more.
    pub fn leave_session(&mut self) {
        self.member = None;
    }

    /// Answers a request.
    pub fn reply(&mut self, id: u16, answer: Answer) {
        if !self.ended {
            self.out.push_back(Frame::Reply(Reply { id, answer }));
        }
    }

    /// Says Bye and ends the link.
    pub fn close(&mut self, bye: Bye) {
        self.end(End::Closed(bye));
    }

    /// Takes bytes from the front of `input`, at most one frame.
    pub fn handle_bytes(&mut self, input: &mut &[u8], now: Instant) {
        if self.ended || input.is_empty() {
            *input = &[];
            return;
        }
        self.received = now;
        let handled = match self.reader.read(input) {
            Ok(None) => Ok(()),
            Ok(Some(frame)) => self.handle_frame(frame),
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
        let quiet = now.saturating_duration_since(self.received);
        if quiet >= self.lost_after() {
            self.end(End::Silent(quiet));
        }
    }

    /// What must leave, what must be known, when to come back.
    pub fn poll_output(&mut self, now: Instant) -> Output<ServerEvent<P>, P> {
        if let Some(frame) = self.out.pop_front() {
            return Output::Transmit(frame);
        }
        if let Some(event) = self.events.pop_front() {
            return Output::Event(event);
        }
        // Nothing waits for long: an idle link holds no buffers.
        self.out = VecDeque::new();
        self.events = VecDeque::new();
        Output::Timeout(if self.ended { now + NEVER } else { self.received + self.lost_after() })
    }

    fn lost_after(&self) -> Duration {
        let pace = if self.member.is_some() { self.config.session } else { self.config.idle };
        pace.lost_after
    }

    fn end(&mut self, end: End) {
        if self.ended {
            return;
        }
        self.ended = true;
        if let Some(bye) = end.bye() {
            self.out.push_back(Frame::Bye(bye));
        }
        self.events.push_back(ServerEvent::Ended(end));
    }

    fn handle_frame(&mut self, frame: Frame<P>) -> Result<(), End> {
        match frame {
            Frame::Bye(bye) => return Err(End::Bye(bye)),
            Frame::Packet(packet) => self.handle_packet(packet)?,
            Frame::Ping(value) => self.out.push_back(Frame::Pong(value)),
            Frame::Request(request) => self.events.push_back(ServerEvent::Request(request)),
            // This side never pings.
            Frame::Pong(_) => return Err(Violation::Pong.into()),
            Frame::Hello(_) | Frame::Notice(_) | Frame::Reply(_) | Frame::Welcome(_) => {
                return Err(Violation::Unexpected(name_of(&frame)).into());
            }
        }
        Ok(())
    }

    fn handle_packet(&mut self, packet: P) -> Result<(), Violation> {
        let (header, _) = Header::parse(packet.as_ref())?;
        // A packet may cross with the end of its session: then it is for nobody any more.
        let Some(member) = self.member else { return Ok(()) };
        if header.source != member {
            return Err(Violation::Source { stated: header.source, actual: member });
        }
        self.events.push_back(ServerEvent::Packet { header, packet });
        Ok(())
    }
}
