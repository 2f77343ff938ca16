//! One member of a session over a link of its own.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use lotse_client::{ConnectOptions, Incoming, connect};
use lotse_protocol::ServerAddress;
use lotse_protocol::session::{
    Moderator, ModeratorEvent, Onlooker, OnlookerEvent, Output, Participant, ParticipantEvent,
};
use lotse_protocol::tunnel::{Answer, Notice};
use tokio::sync::mpsc;

/// How long a connection may take, and how often a side without anything to do looks up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Commands that wait at most.
const MAX_COMMANDS: usize = 16;

/// What all sides of a session have in common.
pub(super) trait Side: Send + 'static {
    /// What its program is told.
    type Event;
    /// See [`Moderator::poll_output`].
    fn poll_output(&mut self) -> Option<Output<Self::Event>>;
    /// See [`Moderator::poll_timeout`].
    fn poll_timeout(&self) -> Option<Instant>;
    /// See [`Moderator::handle_answer`].
    fn handle_answer(&mut self, answer: Answer);
    /// See [`Moderator::handle_notice`].
    fn handle_notice(&mut self, notice: Notice, now: Instant);
    /// See [`Moderator::handle_packet`].
    fn handle_packet(&mut self, packet: &[u8], now: Instant);
    /// See [`Moderator::handle_timeout`].
    fn handle_timeout(&mut self, now: Instant);
}

/// Hands the methods of the same names through.
macro_rules! side {
    ($side:ty, $event:ty, |$notice:ident| $as:expr) => {
        impl Side for $side {
            type Event = $event;
            fn poll_output(&mut self) -> Option<Output<$event>> {
                self.poll_output()
            }
            fn poll_timeout(&self) -> Option<Instant> {
                self.poll_timeout()
            }
            fn handle_answer(&mut self, answer: Answer) {
                self.handle_answer(answer);
            }
            fn handle_notice(&mut self, $notice: Notice, now: Instant) {
                self.handle_notice($as, now);
            }
            fn handle_packet(&mut self, packet: &[u8], now: Instant) {
                self.handle_packet(packet, now);
            }
            fn handle_timeout(&mut self, now: Instant) {
                self.handle_timeout(now);
            }
        }
    };
}

side!(Moderator, ModeratorEvent, |notice| notice);
side!(Participant, ParticipantEvent, |notice| &notice);
side!(Onlooker, OnlookerEvent, |notice| &notice);

/// Something that a side is to do.
type Order<S> = Box<dyn FnOnce(&mut S) + Send>;

/// A side that runs in a task of its own, until this is dropped.
#[derive(Debug)]
pub(super) struct Running<S> {
    orders: mpsc::Sender<Order<S>>,
}

impl<S: Side> Running<S> {
    /// Connects and begins with `begin`; `take` is called for each event, with the time.
    pub(super) fn start(
        address: &ServerAddress,
        side: S,
        begin: impl FnOnce(&mut S) + Send + 'static,
        take: impl FnMut(&mut S, S::Event, Instant) + Send + 'static,
    ) -> Self {
        let (orders, to_do) = mpsc::channel(MAX_COMMANDS);
        let address = address.clone();
        tokio::spawn(async move {
            if let Err(error) = run(&address, side, begin, take, to_do).await {
                // Who waits for this member finds out by what does not come.
                log(&error);
            }
        });
        Self { orders }
    }

    /// Has it do something.
    ///
    /// # Errors
    /// When the member is gone.
    pub(super) fn order(&self, what: impl FnOnce(&mut S) + Send + 'static) -> Result<()> {
        self.orders.try_send(Box::new(what)).map_err(|_| anyhow::anyhow!("a member is gone"))
    }
}

#[expect(clippy::print_stderr, reason = "a log of a program that measures")]
fn log(error: &anyhow::Error) {
    eprintln!("a member is gone: {error:#}");
}

async fn run<S: Side>(
    address: &ServerAddress,
    mut side: S,
    begin: impl FnOnce(&mut S),
    mut take: impl FnMut(&mut S, S::Event, Instant),
    mut orders: mpsc::Receiver<Order<S>>,
) -> Result<()> {
    let options = ConnectOptions { timeout: PATIENCE, ..ConnectOptions::new("bench") };
    let mut connection = connect(address, &options).await?;
    begin(&mut side);
    loop {
        while let Some(output) = side.poll_output() {
            match output {
                Output::Request(what) => drop(connection.request(what)?),
                Output::Packet(class, packet) => connection.send(class, packet)?,
                Output::Event(event) => take(&mut side, event, Instant::now()),
            }
        }
        let due = side.poll_timeout().unwrap_or(Instant::now() + PATIENCE);
        tokio::select! {
            incoming = connection.next() => match incoming {
                Incoming::Packet(packet) => side.handle_packet(&packet, Instant::now()),
                Incoming::Reply(reply) => side.handle_answer(reply.answer),
                Incoming::Notice(notice) => side.handle_notice(notice, Instant::now()),
                Incoming::Lost(why) => bail!("the link is lost: {why}"),
                _ => {}
            },
            order = orders.recv() => match order {
                Some(order) => order(&mut side),
                None => return Ok(()),
            },
            () = tokio::time::sleep_until(due.into()) => side.handle_timeout(Instant::now()),
        }
    }
}
