//! The console's side of a session in the test's own hands, so that its secrets are known.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use lotse_client::{ConnectOptions, Connection, Incoming, connect};
use lotse_codec::{Decoder, Limits};
use lotse_protocol::message::{InputEvent, Rights};
use lotse_protocol::session::{Moderator, ModeratorConfig, ModeratorEvent, Output};
use rand_core::{CryptoRng, OsRng, RngCore};
use tokio::sync::mpsc;

use super::overheard::Secret;
use super::{PATIENCE, TECHNICIAN};

/// Commands and events that may wait.
const MAX_WAITING: usize = 10_000;

/// What the technician does.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there are few of them")]
pub(crate) enum Do {
    Confirm,
    Input(InputEvent),
    End,
}

/// A technician whose random numbers are written down.
pub(crate) struct Technician {
    commands: mpsc::Sender<Do>,
    events: Receiver<ModeratorEvent>,
    drawn: Arc<Mutex<Vec<Secret>>>,
}

/// The system's random numbers, with a copy of every 32 bytes that were drawn at once.
struct Recorded(Arc<Mutex<Vec<Secret>>>);

impl RngCore for Recorded {
    fn next_u32(&mut self) -> u32 {
        OsRng.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        OsRng.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        OsRng.fill_bytes(bytes);
        if let Ok(secret) = Secret::try_from(&*bytes) {
            self.0.lock().unwrap().push(secret);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Recorded {}

impl Technician {
    /// Connects to a server; runs as a task of the current runtime until dropped.
    pub(crate) async fn connect(address: &str) -> Self {
        let options = ConnectOptions { timeout: PATIENCE, ..ConnectOptions::new("test 1") };
        let connection = connect(&address.parse().unwrap(), &options).await.unwrap();
        let drawn = Arc::new(Mutex::new(Vec::new()));
        let asks = Rights::VIEW.with(Rights::CONTROL);
        let config = ModeratorConfig::new(TECHNICIAN.try_into().unwrap(), asks);
        let moderator = Moderator::new(config, Box::new(Recorded(Arc::clone(&drawn))));
        let (commands, to_do) = mpsc::channel(MAX_WAITING);
        let (happened, events) = sync_channel(MAX_WAITING);
        tokio::spawn(run(moderator, connection, to_do, happened));
        Self { commands, events, drawn }
    }

    /// Has something done.
    pub(crate) fn act(&self, what: Do) {
        self.commands.try_send(what).unwrap();
    }

    /// Waits for an event; earlier ones are skipped.
    pub(crate) fn wait<T>(&self, what: &str, find: impl Fn(ModeratorEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) => {
                    if let Some(found) = find(event) {
                        return found;
                    }
                }
                Err(_) => panic!("the technician did not see: {what}"),
            }
        }
    }

    /// The pictures that came until nothing came for a second.
    pub(crate) fn pictures(&self) -> Vec<Vec<u8>> {
        let mut pictures = Vec::new();
        while let Ok(event) = self.events.recv_timeout(Duration::from_secs(1)) {
            if let ModeratorEvent::Picture(update) = event {
                pictures.push(update);
            }
        }
        pictures
    }

    /// All secrets that were made.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        self.drawn.lock().unwrap().clone()
    }
}

async fn run(
    mut moderator: Moderator,
    mut connection: Connection,
    mut commands: mpsc::Receiver<Do>,
    events: SyncSender<ModeratorEvent>,
) {
    let mut decoder = Decoder::new(Limits::default());
    moderator.open();
    loop {
        while let Some(output) = moderator.poll_output() {
            match output {
                Output::Request(what) => drop(connection.request(what).unwrap()),
                // What is sent after the end falls away.
                Output::Packet(class, packet) => drop(connection.send(class, packet)),
                Output::Event(event) => {
                    match &event {
                        ModeratorEvent::Connected { .. } => moderator.watch(true),
                        ModeratorEvent::Picture(update) => {
                            moderator.picture_shown(decoder.decode(update).unwrap().number);
                        }
                        _ => {}
                    }
                    events.try_send(event).ok();
                }
            }
        }
        let now = Instant::now();
        let due = moderator.poll_timeout().unwrap_or(now + PATIENCE);
        tokio::select! {
            incoming = connection.next() => match incoming {
                Incoming::Packet(packet) => moderator.handle_packet(&packet, Instant::now()),
                Incoming::Reply(reply) => moderator.handle_answer(reply.answer),
                Incoming::Notice(notice) => moderator.handle_notice(notice, Instant::now()),
                Incoming::Lost(_) => return,
                _ => {}
            },
            command = commands.recv() => match command {
                Some(Do::Confirm) => {
                    let comparing = moderator.comparing();
                    moderator.confirm_code(comparing.unwrap());
                }
                Some(Do::Input(event)) => drop(moderator.input(event, Instant::now())),
                Some(Do::End) => moderator.end(),
                None => return,
            },
            () = tokio::time::sleep_until(due.into()) => {
                moderator.handle_timeout(Instant::now());
            }
        }
    }
}
