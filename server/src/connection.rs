//! One client: its socket, its link, its place in a session.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use lotse_protocol::frame::Frame;
use lotse_protocol::link::{End, Output, Progress, ServerEvent, ServerExpectHello, ServerLink};
use lotse_protocol::tunnel::{Answer, Bye, Request};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Sleep, timeout};
use tokio_rustls::server::TlsStream;
use tracing::{debug, info};

use crate::PROGRAM;
use crate::limits::{Meter, Rate, Source};
use crate::outlet::Outlet;
use crate::relay::{Asker, Relay, Seat, departure};

/// How long the last bytes may take when a link is closed.
const CLOSING: Duration = Duration::from_secs(1);

/// Bytes that are still read and thrown away when a link is closed, so that the last frame is
/// not lost to a reset of the connection.
const CLOSING_READS: u64 = 1 << 20;

/// What a frame counts at least against the rate of uploads: short ones make work, too.
const LEAST_CHARGE: usize = 256;

/// What holds for all clients.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) upload: Rate,
    pub(crate) stall: Duration,
}

/// Waits for a client's hello and answers it.
pub(crate) async fn greet(
    stream: &mut TlsStream<TcpStream>,
    mut state: ServerExpectHello,
    herd_window: Duration,
) -> Result<ServerLink<Arc<[u8]>>, End> {
    let late = state.late();
    let wait = state.deadline().saturating_duration_since(Instant::now());
    let greeted = timeout(wait, async {
        loop {
            let available = stream.fill_buf().await.map_err(|_| End::Broken)?;
            if available.is_empty() {
                return Err(End::Broken);
            }
            let mut input = available;
            let progress = state.handle_bytes(&mut input, PROGRAM, herd_window, Instant::now());
            let used = available.len() - input.len();
            stream.consume(used);
            match progress? {
                Progress::Same(same) => state = same,
                Progress::Next(greeted) => return Ok(greeted),
            }
        }
    })
    .await
    .unwrap_or(Err(late));
    let last = match &greeted {
        Ok(greeted) => Some(greeted.welcome.clone()),
        Err(end) => end.bye().map(Frame::Bye),
    };
    if let Some(frame) = last {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        let written = timeout(CLOSING, async {
            stream.write_all(&bytes).await?;
            stream.flush().await
        });
        if !matches!(written.await, Ok(Ok(()))) {
            return Err(End::Broken);
        }
    }
    let greeted = greeted?;
    debug!(program = greeted.hello.program.as_str(), "client said hello");
    Ok(greeted.link)
}

/// Closes the connection so that what was written last arrives.
pub(crate) async fn hang_up(stream: &mut TlsStream<TcpStream>) {
    let closing = async {
        stream.shutdown().await?;
        let tcp = stream.get_mut().0;
        tokio::io::copy(&mut tcp.take(CLOSING_READS), &mut tokio::io::sink()).await
    };
    // Whatever happens here, the connection is over.
    let _ = timeout(CLOSING, closing).await;
}

/// A client whose link is up.
#[derive(Debug)]
pub(crate) struct Client {
    stream: TlsStream<TcpStream>,
    peer: SocketAddr,
    link: ServerLink<Arc<[u8]>>,
    outlet: Arc<Outlet>,
    relay: Arc<Relay>,
    terms: Terms,
    seat: Option<Seat>,
    upload: Meter,
    writing: Writing,
    timer: Pin<Box<Sleep>>,
    received: u64,
    sent: u64,
}

/// The record that is being written.
#[derive(Debug, Default)]
struct Writing {
    record: Vec<u8>,
    written: usize,
    flush: bool,
    /// Since when the socket takes nothing.
    blocked: Option<Instant>,
    /// When the queue has something again by itself.
    queue_timeout: Option<Instant>,
}

impl Client {
    pub(crate) fn new(
        stream: TlsStream<TcpStream>,
        peer: SocketAddr,
        link: ServerLink<Arc<[u8]>>,
        outlet: Arc<Outlet>,
        relay: Arc<Relay>,
        terms: Terms,
    ) -> Self {
        Self {
            stream,
            peer,
            link,
            outlet,
            relay,
            terms,
            seat: None,
            upload: Meter::new(Instant::now()),
            writing: Writing::default(),
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            received: 0,
            sent: 0,
        }
    }

    /// Serves the client until its link ends.
    pub(crate) async fn run(mut self) {
        let end = poll_fn(|cx| self.poll(cx)).await;
        if let Some(seat) = self.seat.take() {
            self.relay.link_ended(&seat, departure(&end), Instant::now());
        }
        let (peer, received, sent) = (self.peer, self.received, self.sent);
        info!(%peer, received, sent, %end, "link ended");
        if end.bye().is_some() {
            let sending = poll_fn(|cx| self.poll_sent(cx, Instant::now()));
            if matches!(timeout(CLOSING, sending).await, Ok(Ok(()))) {
                hang_up(&mut self.stream).await;
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        loop {
            let now = Instant::now();
            self.obey(cx);
            let link_timeout = match self.drain(now) {
                Ok(at) => at,
                Err(end) => return Poll::Ready(end),
            };
            if let Poll::Ready(Err(error)) = self.poll_sent(cx, now) {
                self.broken(&error);
                continue;
            }
            let stalled = self.writing.blocked.map(|since| since + self.terms.stall);
            if stalled.is_some_and(|at| at <= now) {
                self.link.close(Bye::TooSlow);
                continue;
            }
            let pause = self.upload.wait(self.terms.upload, 1, now);
            if pause.is_zero()
                && let Poll::Ready(done) = self.poll_receive(cx, now)
            {
                if let Err(error) = done {
                    self.broken(&error);
                }
                continue;
            }
            let resume = (!pause.is_zero()).then(|| now + pause);
            let timeouts = [stalled, resume, self.writing.queue_timeout];
            let at = timeouts.into_iter().flatten().fold(link_timeout, Instant::min).into();
            if self.timer.deadline() != at {
                self.timer.as_mut().reset(at);
            }
            ready!(self.timer.as_mut().poll(cx));
            self.link.handle_timeout(Instant::now());
        }
    }

    /// Does what others want of this client.
    fn obey(&mut self, cx: &Context<'_>) {
        let orders = self.outlet.orders(cx.waker());
        if orders.over.is_some() && orders.over == self.seat.as_ref().map(Seat::session) {
            self.seat = None;
            self.link.leave_session();
        }
        if let Some(bye) = orders.bye {
            self.link.close(bye);
        }
    }

    /// Does what the link wants. Returns when it wants to be called again, or its end.
    fn drain(&mut self, now: Instant) -> Result<Instant, End> {
        loop {
            match self.link.poll_output(now) {
                Output::Transmit(frame) => self.outlet.transmit(frame),
                Output::Event(ServerEvent::Ended(end)) => return Err(end),
                Output::Event(ServerEvent::Packet { header, packet }) => {
                    if let Some(seat) = &self.seat {
                        self.relay.forward(seat, &header, &packet);
                    }
                }
                Output::Event(ServerEvent::Request(request)) => self.answer(request, now),
                Output::Event(_) => {}
                Output::Timeout(at) => return Ok(at),
            }
        }
    }

    fn answer(&mut self, request: Request, now: Instant) {
        let source = Source::from(self.peer.ip());
        let asker = Asker { outlet: &self.outlet, source };
        let answer = self.relay.ask(request.what, asker, &mut self.seat, now);
        match (&answer, &self.seat) {
            (Answer::Opened { .. } | Answer::Joined { .. } | Answer::Resumed, Some(seat)) => {
                let (peer, member) = (self.peer, seat.member());
                info!(%peer, member = member.0, "client has a seat");
                self.link.enter_session(member);
            }
            (_, None) => self.link.leave_session(),
            _ => {}
        }
        self.link.reply(request.id, answer);
    }

    fn broken(&mut self, error: &io::Error) {
        debug!(peer = %self.peer, %error, "link is broken");
        self.link.handle_broken();
    }

    /// Gives the link the bytes of one frame at most.
    fn poll_receive(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<io::Result<()>> {
        let available = ready!(Pin::new(&mut self.stream).poll_fill_buf(cx))?;
        if available.is_empty() {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        let mut input = available;
        self.link.handle_bytes(&mut input, now);
        let used = available.len() - input.len();
        Pin::new(&mut self.stream).consume(used);
        self.received = self.received.saturating_add(u64::try_from(used).unwrap_or(0));
        let charge = u32::try_from(used.max(LEAST_CHARGE)).unwrap_or(u32::MAX);
        self.upload.take(self.terms.upload, charge, now);
        Poll::Ready(Ok(()))
    }

    /// Writes what waits. Is ready when nothing waits any more.
    fn poll_sent(&mut self, cx: &mut Context<'_>, now: Instant) -> Poll<io::Result<()>> {
        loop {
            if self.poll_record(cx)?.is_pending() {
                self.writing.blocked.get_or_insert(now);
                return Poll::Pending;
            }
            self.writing.blocked = None;
            self.writing.record.clear();
            self.writing.written = 0;
            self.writing.queue_timeout = self.outlet.fill(&mut self.writing.record, now);
            let bytes = self.writing.record.len();
            if bytes == 0 {
                // Idle links hold no buffers.
                self.writing.record = Vec::new();
                return Poll::Ready(Ok(()));
            }
            self.sent = self.sent.saturating_add(u64::try_from(bytes).unwrap_or(0));
        }
    }

    /// Writes the record that was begun. The next one is made only when the socket has taken
    /// all of this one, so that what is urgent by then comes first.
    fn poll_record(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        let Writing { record, written, flush, blocked, .. } = &mut self.writing;
        while let Some(rest) = record.get(*written..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut self.stream).poll_write(cx, rest)? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(n) => *written += n,
                Poll::Pending => return Ok(Poll::Pending),
            }
            *blocked = None;
            *flush = true;
        }
        if *flush {
            if Pin::new(&mut self.stream).poll_flush(cx)?.is_pending() {
                return Ok(Poll::Pending);
            }
            *flush = false;
        }
        Ok(Poll::Ready(()))
    }
}
