//! A link that is up: one source of events, and queues towards the server.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use lotse_protocol::frame::{Frame, HEAD_LEN};
use lotse_protocol::header::MAX_PACKET;
use lotse_protocol::link::{
    ClientEvent, ClientLink, End, Lane, LaneFull, Lanes, Output, TooManyRequests,
};
use lotse_protocol::packet::MAX_PICTURE_MESSAGE;
use lotse_protocol::tunnel::{Asked, Notice, Reply, Welcome};
use lotse_protocol::{Class, Header};
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Sleep, timeout};
use tokio_rustls::client::TlsStream;

/// Bytes given to TLS at a time: one record (RFC 8446 §5.1).
const RECORD: usize = 16 * 1024;

/// How long the last bytes may take when a link is closed.
const CLOSING: Duration = Duration::from_secs(2);

/// What the packets of the longest picture count in a lane, heads included.
const LONGEST_PICTURE: usize = MAX_PICTURE_MESSAGE + MAX_PICTURE_MESSAGE / 64;

/// Bytes that may wait to be sent. A lane that is empty always takes one more message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneLimits {
    /// Requests and packets of the classes handshake and control. 256 KiB unless set.
    pub urgent: usize,
    /// Packets of the class input. 64 KiB unless set: more than a second of the fastest hands.
    pub input: usize,
    /// Packets of the class picture, when another picture begins; one that was begun is taken
    /// to its end. 1 MiB unless set.
    pub picture: usize,
}

impl Default for LaneLimits {
    fn default() -> Self {
        Self { urgent: 256 * 1024, input: 64 * 1024, picture: 1024 * 1024 }
    }
}

/// What a [`Connection`] tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Incoming {
    /// After [`Incoming::Silent`], something was received again.
    Alive,
    /// The link is over; nothing follows.
    Lost(End),
    /// The server says something.
    Notice(Notice),
    /// A packet of the session, header included; not looked into.
    Packet(Vec<u8>),
    /// After a picture packet was refused for want of room, half of the lane is free again.
    PictureRoom,
    /// The server answers a request; the answer is of a kind that fits it.
    Reply(Reply),
    /// Only of a [`SessionLink`](crate::SessionLink): the link is gone, another one is tried. What
    /// was sent last may be lost; replies that are due do not come.
    Paused,
    /// Only of a [`SessionLink`](crate::SessionLink): on a new link the server has given the member
    /// its place again.
    Resumed,
    /// In a session, nothing was received since then. The link is kept for a while: TCP alone
    /// carries it over a cut of 10 s.
    Silent {
        /// When the last bytes came.
        since: Instant,
    },
}

/// Why a packet was not taken. It is gone; to lose none, ask [`Connection::has_room`] before
/// numbers are given to the packets of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Too much waits already.
    #[error(transparent)]
    Full(#[from] LaneFull),
    /// The link is in no session, or over.
    #[error("there is no session to send a packet to")]
    NoSession,
    /// More than [`MAX_PACKET`] bytes.
    #[error("packet of {0} bytes is longer than packets may be")]
    TooLong(usize),
}

/// A link to a session server.
///
/// Everything happens within [`Connection::next`]: sending, receiving, keeping alive. So it is
/// to be awaited always, best as one branch of a `tokio::select!`. Nothing is lost when another
/// branch wins. The other methods return at once.
///
/// Dropping it cuts the connection; [`Connection::close`] says goodbye.
#[derive(Debug)]
pub struct Connection {
    stream: TlsStream<TcpStream>,
    link: ClientLink,
    lanes: Lanes,
    limits: LaneLimits,
    writing: Writing,
    timer: Pin<Box<Sleep>>,
    picture_refused: bool,
    ended: bool,
    welcome: Welcome,
    peer: Option<SocketAddr>,
}

/// The record that is being written.
#[derive(Debug, Default)]
struct Writing {
    record: Vec<u8>,
    written: usize,
    flush: bool,
}

impl Connection {
    pub(crate) fn new(
        stream: TlsStream<TcpStream>,
        link: ClientLink,
        welcome: Welcome,
        peer: Option<SocketAddr>,
        limits: LaneLimits,
    ) -> Self {
        Self {
            stream,
            link,
            lanes: Lanes::new([
                limits.urgent,
                limits.input,
                limits.picture.saturating_add(LONGEST_PICTURE),
            ]),
            limits,
            writing: Writing::default(),
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            picture_refused: false,
            ended: false,
            welcome,
            peer,
        }
    }

    /// Waits for what happens next, and does the sending meanwhile.
    ///
    /// Cancel safe: nothing is lost when it is dropped. After [`Incoming::Lost`] it never
    /// returns.
    pub async fn next(&mut self) -> Incoming {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The same for hand-written futures.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        loop {
            if self.ended {
                return Poll::Pending;
            }
            if let Some(incoming) = self.drain(cx) {
                return Poll::Ready(incoming);
            }
            if let Err(error) = self.poll_send(cx) {
                self.broken(&error);
                continue;
            }
            if self.picture_refused && self.lanes.bytes(Lane::Picture) <= self.limits.picture / 2 {
                self.picture_refused = false;
                return Poll::Ready(Incoming::PictureRoom);
            }
            match self.poll_receive(cx) {
                Poll::Ready(Ok(())) => continue,
                Poll::Ready(Err(error)) => {
                    self.broken(&error);
                    continue;
                }
                Poll::Pending => {}
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.link.handle_timeout(Instant::now());
        }
    }

    /// Asks the server for something. Returns the number that the reply will have.
    ///
    /// [`Asked::Leave`] throws away what waits in the lanes for input and pictures.
    ///
    /// # Errors
    /// [`TooManyRequests`] if too many wait for a reply or the link is over.
    pub fn request(&mut self, what: Asked) -> Result<u16, TooManyRequests> {
        let leaving = what == Asked::Leave;
        let id = self.link.request(what)?;
        if leaving {
            self.lanes.retain_packets(Lane::Input, |_| false);
            self.lanes.retain_packets(Lane::Picture, |_| false);
        }
        self.transmit();
        Ok(id)
    }

    /// Puts a packet into the lane of its class. It leaves when the socket has room and
    /// everything more urgent has left.
    ///
    /// # Errors
    /// [`SendError`]; the packet was not taken.
    pub fn send(&mut self, class: Class, packet: Vec<u8>) -> Result<(), SendError> {
        if !self.link.in_session() {
            return Err(SendError::NoSession);
        }
        if packet.len() > MAX_PACKET {
            return Err(SendError::TooLong(packet.len()));
        }
        let lane = Lane::of(class);
        if lane == Lane::Picture && begins_message(&packet) && !self.has_room(class, packet.len()) {
            return Err(LaneFull(lane).into());
        }
        Ok(self.lanes.push(lane, Frame::Packet(packet))?)
    }

    /// Whether a message whose packets have `bytes` bytes together would be taken now. If not
    /// and it is of the class picture, [`Incoming::PictureRoom`] comes when it is worth asking
    /// again.
    pub fn has_room(&mut self, class: Class, bytes: usize) -> bool {
        let lane = Lane::of(class);
        let limit = match lane {
            Lane::Urgent => self.limits.urgent,
            Lane::Input => self.limits.input,
            Lane::Picture => self.limits.picture,
        };
        let waiting = self.lanes.bytes(lane);
        let heads = bytes.div_ceil(MAX_PACKET).max(1) * HEAD_LEN;
        let room = waiting == 0 || waiting.saturating_add(bytes).saturating_add(heads) <= limit;
        self.picture_refused |= !room && lane == Lane::Picture;
        room
    }

    /// Bytes of a class that wait for the socket, together with those of its lane.
    pub fn waiting(&self, class: Class) -> usize {
        self.lanes.bytes(Lane::of(class))
    }

    /// Whether this link is a member of a session, as far as is known here.
    pub fn in_session(&self) -> bool {
        self.link.in_session()
    }

    /// Smoothed time to the server and back, as soon as it was measured; anew every 2 s in a
    /// session.
    pub fn round_trip(&self) -> Option<Duration> {
        self.link.round_trip()
    }

    /// For [`Backoff::connected`](crate::Backoff::connected).
    pub fn herd_window(&self) -> Duration {
        Duration::from_millis(self.welcome.herd_window_ms.into())
    }

    /// Program and version of the server, as it says.
    pub fn server_program(&self) -> &str {
        &self.welcome.program
    }

    /// The server's address in the network.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Sends what is urgent, says goodbye, and closes the connection; gives up after 2 s. Input
    /// and pictures that wait are thrown away.
    pub async fn close(mut self) {
        self.link.close();
        self.lanes.retain_packets(Lane::Input, |_| false);
        self.lanes.retain_packets(Lane::Picture, |_| false);
        self.transmit();
        let goodbye = async {
            poll_fn(|cx| self.poll_sent(cx)).await?;
            self.stream.shutdown().await
        };
        match timeout(CLOSING, goodbye).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::debug!("link was closed without goodbye: {error}"),
            Err(_) => log::debug!("link was closed without goodbye: took too long"),
        }
    }

    /// Takes what the link has to say, up to the first event.
    fn drain(&mut self, cx: &mut Context<'_>) -> Option<Incoming> {
        loop {
            match self.link.poll_output(Instant::now()) {
                Output::Transmit(frame) => self.queue(frame),
                Output::Event(event) => return Some(self.incoming(event, cx)),
                Output::Timeout(at) => {
                    let at = at.into();
                    if self.timer.deadline() != at {
                        self.timer.as_mut().reset(at);
                    }
                    return None;
                }
            }
        }
    }

    /// Puts the link's own frames into their lane, so that they keep their order with packets.
    fn transmit(&mut self) {
        while let Some(frame) = self.link.poll_transmit() {
            self.queue(frame);
        }
    }

    fn queue(&mut self, frame: Frame) {
        if let Err(full) = self.lanes.push(Lane::Urgent, frame) {
            // Only a server that floods with pings while it takes nothing gets here.
            log::warn!("{full}: a frame of the link is dropped");
        }
    }

    fn incoming(&mut self, event: ClientEvent, cx: &mut Context<'_>) -> Incoming {
        match event {
            ClientEvent::Alive => Incoming::Alive,
            ClientEvent::Ended(end) => {
                self.ended = true;
                // A last word, if the socket takes it at once.
                let _ = self.poll_send(cx);
                Incoming::Lost(end)
            }
            ClientEvent::Notice(notice) => {
                if let Notice::SessionEnded { .. } = notice {
                    self.lanes.remove_packets();
                }
                Incoming::Notice(notice)
            }
            ClientEvent::Packet(packet) => Incoming::Packet(packet),
            ClientEvent::Reply(reply) => Incoming::Reply(reply),
            ClientEvent::Silent { since } => Incoming::Silent { since },
        }
    }

    fn broken(&mut self, error: &io::Error) {
        log::debug!("link is broken: {error}");
        self.link.handle_broken();
    }

    /// Gives the link the bytes of one frame at most.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = Pin::new(&mut self.stream);
        let available = std::task::ready!(stream.poll_fill_buf(cx))?;
        if available.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        let mut input = available;
        self.link.handle_bytes(&mut input, Instant::now());
        let used = available.len() - input.len();
        Pin::new(&mut self.stream).consume(used);
        Poll::Ready(Ok(()))
    }

    /// Writes until the socket is full or nothing waits.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.poll_sent(cx) {
            Poll::Ready(result) => result,
            Poll::Pending => Ok(()),
        }
    }

    /// Is ready when nothing waits any more.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            std::task::ready!(self.poll_record(cx))?;
            self.writing.record.clear();
            self.writing.written = 0;
            while let Some(next) = self.lanes.next_len() {
                let record = &mut self.writing.record;
                if !record.is_empty() && record.len() + next > RECORD {
                    break;
                }
                if let Some((_, frame)) = self.lanes.pop() {
                    frame.encode(record);
                }
            }
            if self.writing.record.is_empty() {
                // Idle links hold no buffers.
                self.writing.record = Vec::new();
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Writes the record that was begun. What is urgent by then comes right after it, since the
    /// next one is made only when the socket has taken all of this one.
    fn poll_record(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Writing { record, written, flush } = &mut self.writing;
        while let Some(rest) = record.get(*written..).filter(|rest| !rest.is_empty()) {
            match std::task::ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => *written += n,
            }
            *flush = true;
        }
        if *flush {
            std::task::ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            *flush = false;
        }
        Poll::Ready(Ok(()))
    }
}

/// Whether a packet is the first of a message.
fn begins_message(packet: &[u8]) -> bool {
    Header::parse(packet).is_ok_and(|(header, _)| header.fragment.first)
}
