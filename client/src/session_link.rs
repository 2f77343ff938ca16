//! A link that comes back by itself while its session goes on.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use lotse_protocol::link::{End, TooManyRequests};
use lotse_protocol::tunnel::{Answer, Asked, Bye, Notice, Refusal, ResumeToken};
use lotse_protocol::{Class, ServerAddress};
use rand_core::OsRng;
use tokio::time::timeout;

use crate::{ConnectError, ConnectOptions, Connection, Incoming, SendError, reconnect};

/// A new link is tried for so long. The server keeps a member's place for 30 s from when it
/// notices the loss, which may be later than this side does.
const RESUME_FOR: Duration = Duration::from_secs(60);

/// The server must have answered within this time, else another link is tried.
const ANSWER: Duration = Duration::from_secs(5);

/// What comes before the server's answer: a notice for each other member at most.
const MAX_EARLY: usize = 256;

/// A link on which the place is taken again, with what came before the answer.
type Taken = (Connection, VecDeque<Incoming>);

/// One that is being made.
type Attempt = Pin<Box<dyn Future<Output = Result<Taken, NotTaken>> + Send>>;

/// A link to a session server that a session outlives.
///
/// Used as a [`Connection`], with two more events. When the link of a member breaks, or is silent,
/// another one is made and the server asked for the member's place: [`Incoming::Paused`] comes
/// when the old link is given up, [`Incoming::Resumed`] when the place is taken again. In between
/// nothing can be sent; what was sent before may be lost or not. Without a session, or when the
/// place is gone, the end is [`Incoming::Lost`], as always.
pub struct SessionLink {
    address: ServerAddress,
    options: ConnectOptions,
    /// The link there is, maybe silent; none while it is gone.
    connection: Option<Connection>,
    /// Another link that is being made.
    attempt: Option<Attempt>,
    /// By which the place is asked for; only in a session.
    token: Option<ResumeToken>,
    /// What is to be told before anything else.
    early: VecDeque<Incoming>,
    /// How the last link ended.
    end: End,
    is_over: bool,
}

/// Why the place was not taken.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error(transparent)]
    NoLink(#[from] ConnectError),
    #[error("the place in the session is gone: {0:?}")]
    Refused(Refusal),
}

impl std::fmt::Debug for SessionLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionLink").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl SessionLink {
    /// Goes on with a link that is up and in no session. Others are made to the same address,
    /// with the same options.
    pub fn new(connection: Connection, address: ServerAddress, options: ConnectOptions) -> Self {
        Self {
            address,
            options,
            connection: Some(connection),
            attempt: None,
            token: None,
            early: VecDeque::new(),
            end: End::Broken,
            is_over: false,
        }
    }

    /// Waits for what happens next, and does the sending meanwhile; see [`Connection::next`].
    pub async fn next(&mut self) -> Incoming {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// The same for hand-written futures.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Incoming> {
        loop {
            if let Some(early) = self.early.pop_front() {
                return Poll::Ready(early);
            }
            if self.is_over {
                return Poll::Pending;
            }
            if let Some(connection) = &mut self.connection
                && let Poll::Ready(incoming) = connection.poll_next(cx)
            {
                return Poll::Ready(self.take(incoming));
            }
            let Some(attempt) = &mut self.attempt else { return Poll::Pending };
            let Poll::Ready(outcome) = attempt.as_mut().poll(cx) else { return Poll::Pending };
            self.attempt = None;
            self.attempted(outcome);
        }
    }

    /// Asks the server for something; see [`Connection::request`].
    ///
    /// # Errors
    /// [`TooManyRequests`], also while there is no link.
    pub fn request(&mut self, what: Asked) -> Result<u16, TooManyRequests> {
        if what == Asked::Leave {
            (self.token, self.attempt) = (None, None);
        }
        self.connection.as_mut().ok_or(TooManyRequests)?.request(what)
    }

    /// Puts a packet into the lane of its class; see [`Connection::send`].
    ///
    /// # Errors
    /// [`SendError`]; [`SendError::NoSession`] also while there is no link.
    pub fn send(&mut self, class: Class, packet: Vec<u8>) -> Result<(), SendError> {
        self.connection.as_mut().ok_or(SendError::NoSession)?.send(class, packet)
    }

    /// See [`Connection::has_room`]; there is none while there is no link.
    pub fn has_room(&mut self, class: Class, bytes: usize) -> bool {
        self.connection.as_mut().is_some_and(|connection| connection.has_room(class, bytes))
    }

    /// See [`Connection::waiting`].
    pub fn waiting(&self, class: Class) -> usize {
        self.connection.as_ref().map_or(0, |connection| connection.waiting(class))
    }

    /// See [`Connection::round_trip`].
    pub fn round_trip(&self) -> Option<Duration> {
        self.connection.as_ref().and_then(Connection::round_trip)
    }

    /// Whether the link is gone and another one is being made.
    pub const fn is_away(&self) -> bool {
        self.connection.is_none()
    }

    /// Gives the session up if there is no link at the moment: the next event is
    /// [`Incoming::Lost`] then.
    pub fn give_up(&mut self) {
        (self.token, self.attempt) = (None, None);
        if self.connection.is_none() {
            self.over();
        }
    }

    /// Says goodbye and closes the connection; see [`Connection::close`].
    pub async fn close(mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }

    /// Takes what came on the link.
    fn take(&mut self, incoming: Incoming) -> Incoming {
        match &incoming {
            Incoming::Lost(end) => return self.lost(*end),
            Incoming::Reply(reply) => {
                if let Answer::Opened { resume, .. } | Answer::Joined { resume, .. } = &reply.answer
                {
                    self.token = Some(resume.clone());
                }
            }
            Incoming::Notice(Notice::Token { resume }) => self.token = Some(resume.clone()),
            Incoming::Notice(Notice::SessionEnded { .. }) => {
                (self.token, self.attempt) = (None, None);
            }
            // What was sent into a cut takes long to be sent again: another link may be quicker.
            Incoming::Silent { .. } if self.attempt.is_none() => self.try_another(),
            _ => {}
        }
        incoming
    }

    /// The link is over.
    fn lost(&mut self, end: End) -> Incoming {
        self.connection = None;
        self.end = end;
        // An attempt that has just been granted the place sends this link away before it is known
        // here; it goes on, also when the old link has recovered meanwhile.
        let is_replaced = end == End::Bye(Bye::Replaced) && self.attempt.is_some();
        if !is_replaced && !may_come_back(&end) {
            self.token = None;
        }
        if self.attempt.is_none() {
            self.try_another();
        }
        if self.attempt.is_none() || self.token.is_none() {
            self.is_over = true;
            self.attempt = None;
            return Incoming::Lost(end);
        }
        log::info!("the link is lost, another one is tried: {end}");
        Incoming::Paused
    }

    fn try_another(&mut self) {
        let Some(token) = self.token.clone() else { return };
        let (address, options) = (self.address.clone(), self.options.clone());
        self.attempt = Some(Box::pin(take_place(address, options, token)));
    }

    /// The place is taken again on another link, or it is not.
    fn attempted(&mut self, outcome: Result<Taken, NotTaken>) {
        match outcome {
            Ok((connection, early)) => {
                log::info!("the session goes on, on another link");
                let old = self.connection.replace(connection);
                if old.is_some() {
                    self.early.push_back(Incoming::Paused);
                }
                self.early.push_back(Incoming::Resumed);
                self.early.extend(early);
            }
            Err(error) => {
                log::warn!("{error}");
                // A link that is only silent may recover.
                if self.connection.is_none() {
                    self.over();
                }
            }
        }
    }

    fn over(&mut self) {
        self.is_over = true;
        self.early.push_back(Incoming::Lost(self.end));
    }
}

/// Takes a member's place again on another link.
async fn take_place(
    address: ServerAddress,
    options: ConnectOptions,
    token: ResumeToken,
) -> Result<Taken, NotTaken> {
    let until = Instant::now() + RESUME_FOR;
    loop {
        let mut connection = reconnect(&address, &options, until, &mut OsRng).await?;
        let asked = connection.request(Asked::Resume { token: token.clone() });
        let mut early = VecDeque::new();
        match timeout(ANSWER, answer(&mut connection, &mut early)).await {
            Ok(Some(Answer::Resumed)) => return Ok((connection, early)),
            Ok(Some(Answer::Refused(refusal))) => return Err(NotTaken::Refused(refusal)),
            _ => log::debug!("the server does not answer on the new link ({asked:?})"),
        }
    }
}

/// Waits for the one answer that is due; `None` if the link is lost before.
async fn answer(connection: &mut Connection, early: &mut VecDeque<Incoming>) -> Option<Answer> {
    loop {
        match connection.next().await {
            Incoming::Reply(reply) => return Some(reply.answer),
            Incoming::Lost(_) => return None,
            incoming if early.len() < MAX_EARLY => early.push_back(incoming),
            _ => {}
        }
    }
}

/// Whether a session may go on after a link ended so. Otherwise somebody else sits there, or one
/// of the two programs is broken or incompatible.
fn may_come_back(end: &End) -> bool {
    matches!(end, End::Broken | End::Silent(_) | End::Bye(Bye::Stopping | Bye::TooSlow))
}
