//! Runs sessions: between the link and the protocol's moderator on one side, and commands, events
//! and the picture on the other.
//!
//! A thin loop without decisions of the protocol: it takes one thing, a frame, a command, a
//! decoded picture or the passing of time, feeds it, and drains what comes out.

mod decode;
mod files;
mod moderating;
mod part;
mod restart;
mod roll;
mod session;
mod terminal;
mod transfer;
mod translate;
mod watching;

use std::sync::Arc;

use lotse_client::{ConnectOptions, SessionLink, connect};
use lotse_protocol::SessionNumber;
use lotse_protocol::certificate::Pass;
use lotse_protocol::handshake::{JoinKey, SessionPasswords};
use tokio::sync::mpsc;

use crate::model::picture::SharedPicture;
use crate::model::{Command, CommandQueue, EndReason, Event, Rights};

/// Events that wait at most. All but [`Event::Picture`] wait for room; a full queue means that
/// nobody looks.
const MAX_EVENTS: usize = 256;

/// What is done whenever an event was sent, to wake a window up.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// A session's ends for whoever shows it.
#[derive(Debug)]
pub struct Session {
    /// What is to be done.
    pub commands: CommandQueue,
    /// What happens.
    pub events: mpsc::Receiver<Event>,
    /// The picture.
    pub picture: SharedPicture,
}

/// The driver's ends of it.
pub struct Driver {
    commands: CommandQueue,
    events: Events,
    picture: SharedPicture,
    pass: Option<Arc<Pass>>,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

/// Both ends of a session that has not begun.
pub fn session(wake: Wake) -> (Session, Driver) {
    let (sender, events) = mpsc::channel(MAX_EVENTS);
    let session =
        Session { commands: CommandQueue::default(), events, picture: SharedPicture::default() };
    let driver = Driver {
        commands: session.commands.clone(),
        events: Events { sender, wake },
        picture: session.picture.clone(),
        pass: None,
    };
    (session, driver)
}

/// Nobody takes events any more: the program ends.
#[derive(Debug)]
struct Nobody;

/// Where events go.
struct Events {
    sender: mpsc::Sender<Event>,
    wake: Wake,
}

impl Events {
    async fn send(&self, event: Event) -> Result<(), Nobody> {
        if !matches!(
            event,
            Event::Picture | Event::Latency(_) | Event::Terminal(_) | Event::Files(_)
        ) {
            tracing::info!(event = event_name(&event), "session");
        }
        self.sender.send(event).await.map_err(|_| Nobody)?;
        (self.wake)();
        Ok(())
    }

    /// Says that there is a new picture; if there is no room, whoever looks next sees it anyway.
    fn picture(&self) {
        self.sender.try_send(Event::Picture).ok();
        (self.wake)();
    }
}

/// How a session came to its end.
enum Ended {
    /// It is over.
    Over(EndReason),
    /// Its number was given up after three wrong passwords: the next is wanted.
    Renew,
}

impl Driver {
    /// With a technician's pass, for machines of its operator.
    #[must_use]
    pub fn with_pass(self, pass: Option<Pass>) -> Self {
        Self { pass: pass.map(Arc::new), ..self }
    }

    /// Opens sessions, one after another, as commands say. Ends when nobody takes events any
    /// more.
    pub async fn run(self) {
        loop {
            let command = tokio::select! {
                command = self.commands.next() => command,
                () = self.events.sender.closed() => return,
            };
            let ended = match command {
                Command::Open { server, name, with_password, asks } => {
                    self.open_until_over(&server, &name, (with_password, asks)).await
                }
                Command::Watch { server, name, number } => {
                    self.watch(&server, &name, number).await.map(|ended| match ended {
                        Ended::Over(why) => why,
                        // Whoever looks on gives no numbers up.
                        Ended::Renew => EndReason::LinkLost,
                    })
                }
                command => {
                    tracing::debug!(?command, "there is no session for this command");
                    continue;
                }
            };
            let Ok(why) = ended else { return };
            if self.events.send(Event::Ended(why)).await.is_err() {
                return;
            }
        }
    }

    /// Opens a session, and another one with other passwords whenever a number is given up.
    async fn open_until_over(
        &self,
        server: &lotse_protocol::ServerAddress,
        name: &str,
        wishes: (bool, Rights),
    ) -> Result<EndReason, Nobody> {
        loop {
            match self.open(server, name, wishes).await? {
                Ended::Over(why) => return Ok(why),
                Ended::Renew => self.events.send(Event::NumberBurned).await?,
            }
        }
    }

    async fn open(
        &self,
        server: &lotse_protocol::ServerAddress,
        name: &str,
        (with_password, asks): (bool, Rights),
    ) -> Result<Ended, Nobody> {
        let link = match self.connect(server).await? {
            Ok(link) => link,
            Err(why) => return Ok(Ended::Over(why)),
        };
        let passwords =
            with_password.then(|| Arc::new(SessionPasswords::random(&mut rand_core::OsRng)));
        let own = session::Own::new(name, self.pass.clone(), translate::asks(asks));
        session::Running::opening(self, link, (server, own), passwords).run().await
    }

    /// Joins somebody else's session.
    async fn watch(
        &self,
        server: &lotse_protocol::ServerAddress,
        name: &str,
        number: SessionNumber,
    ) -> Result<Ended, Nobody> {
        // For this one join alone; made while the connection is.
        let key = tokio::task::spawn_blocking(|| JoinKey::generate(&mut rand_core::OsRng));
        let link = match self.connect(server).await? {
            Ok(link) => link,
            Err(why) => return Ok(Ended::Over(why)),
        };
        let Ok(Ok(key)) = key.await else {
            let detail = "no key could be made".to_owned();
            return Ok(Ended::Over(EndReason::Internal { detail }));
        };
        let own = session::Own::new(name, self.pass.clone(), translate::asks(Rights::USUAL));
        session::Running::joining(self, link, (server, own), (number, key)).run().await
    }

    /// A link to the server, or why there is none.
    async fn connect(
        &self,
        server: &lotse_protocol::ServerAddress,
    ) -> Result<Result<SessionLink, EndReason>, Nobody> {
        self.picture.clear();
        let options = ConnectOptions::new(concat!("lotse-console ", env!("CARGO_PKG_VERSION")));
        let connecting = connect(server, &options);
        tokio::pin!(connecting);
        loop {
            tokio::select! {
                connected = &mut connecting => match connected {
                    Ok(connection) => {
                        return Ok(Ok(SessionLink::new(connection, server.clone(), options.clone())));
                    }
                    Err(error) => {
                        tracing::warn!("{error}");
                        return Ok(Err(translate::connect_error(&error)));
                    }
                },
                command = self.commands.next() => {
                    if command == Command::End {
                        return Ok(Err(EndReason::Cancelled));
                    }
                }
                () = self.events.sender.closed() => return Err(Nobody),
            }
        }
    }
}

/// The name of an event for the log.
const fn event_name(event: &Event) -> &'static str {
    match event {
        Event::Opened { .. } => "opened",
        Event::Invitation(_) => "invitation",
        Event::Checked { .. } => "checked",
        Event::Knocking(_) => "knocking",
        Event::Left { .. } => "left",
        Event::WrongPassword => "wrong-password",
        Event::NumberBurned => "number-burned",
        Event::Joined => "joined",
        Event::JoinFailed => "join-failed",
        Event::Code { .. } => "code",
        Event::AskPassword => "ask-password",
        Event::Connected(_) => "connected",
        Event::Presents(_) => "presents",
        Event::Role(_) => "role",
        Event::Members(_) => "members",
        Event::Entered { .. } => "entered",
        Event::Gone { .. } => "gone",
        Event::Removed { .. } => "removed",
        Event::AsksControl { .. } => "asks-control",
        Event::Locked(_) => "locked",
        Event::ListsDiffer => "lists-differ",
        Event::RightsChanged(_) => "rights-changed",
        Event::Paused(_) => "paused",
        Event::InputDropped(_) => "input-dropped",
        Event::Arrows { .. } => "arrows",
        Event::Terminal(_) => "terminal",
        Event::Files(_) => "files",
        Event::Restart(_) => "restart",
        Event::Picture => "picture",
        Event::Screen(_) => "screen",
        Event::Outputs(_) => "outputs",
        Event::Covered(_) => "covered",
        Event::Notice(_) => "notice",
        Event::Latency(_) => "latency",
        Event::Interrupted => "interrupted",
        Event::Resumed => "resumed",
        Event::Ended(_) => "ended",
    }
}

/// A session whose driver is played by a test.
#[cfg(test)]
pub(crate) fn session_for_tests() -> (Session, mpsc::Sender<Event>) {
    let (sender, events) = mpsc::channel(MAX_EVENTS);
    let session =
        Session { commands: CommandQueue::default(), events, picture: SharedPicture::default() };
    (session, sender)
}
