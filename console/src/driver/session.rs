//! One session, from the connected link to its end.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use lotse_client::{Incoming, SendError, SessionLink};
use lotse_protocol::certificate::Pass;
use lotse_protocol::handshake::{JoinKey, Means, SessionPasswords};
use lotse_protocol::message::{FromTerminal, InputEvent, Name, Rights, ToTerminal};
use lotse_protocol::session::{Moderator, ModeratorConfig, Onlooker, Output, Roster, WallClock};
use lotse_protocol::{Class, MemberId, ServerAddress, SessionNumber};

use super::decode::{DecodeThread, Decoded};
use super::files::Moving;
use super::part::{Happened, Part};
use super::roll::Roll;
use super::terminal::{self, Typing};
use super::{Driver, Ended, Nobody, translate};
use crate::model::{Command, EndReason, Event, Latency, Notice};

/// Devices in a session at most; there are no more members.
const MAX_DEVICES: usize = lotse_protocol::session::MAX_MEMBERS;

/// How often the time to the server is shown anew.
const LATENCY_INTERVAL: Duration = Duration::from_secs(2);

/// Room on the link that one input needs at most, in bytes: a header, padding, and the longest
/// piece of text.
const INPUT_ROOM: usize = 512;

/// What a step leads to.
pub(super) enum Step {
    /// On with the session.
    On,
    /// It is over.
    Over(EndReason),
    /// Another number is wanted.
    Renew,
}

impl Step {
    /// How the session came to its end, if it did.
    fn ended(self) -> Option<Ended> {
        match self {
            Self::On => None,
            Self::Over(why) => Some(Ended::Over(why)),
            Self::Renew => Some(Ended::Renew),
        }
    }
}

/// How far the session has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nobody has joined.
    Waiting,
    /// Somebody has joined; there is no code yet.
    Joining,
    /// There is a code.
    Comparing,
    /// It is live.
    Connected,
}

/// Who this program is.
pub(super) struct Own {
    pub(super) name: Name,
    pub(super) pass: Option<Arc<Pass>>,
    pub(super) clock: WallClock,
    /// What it asks machines for.
    pub(super) asks: Rights,
}

impl Own {
    pub(super) fn new(name: &str, pass: Option<Arc<Pass>>, asks: Rights) -> Self {
        let unix_s = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let clock = WallClock { at: Instant::now(), unix_s: unix_s.as_secs() };
        Self { name: name_of(name), pass, clock, asks }
    }

    /// As it moderates, with these passwords for those who come.
    pub(super) fn config(&self, passwords: Option<Arc<SessionPasswords>>) -> ModeratorConfig {
        ModeratorConfig {
            means: Means { passwords, pass: self.pass.clone() },
            clock: Some(self.clock),
            devices: MAX_DEVICES,
            ..ModeratorConfig::new(self.name.clone(), self.asks)
        }
    }
}

/// A session that runs.
pub(super) struct Running<'a> {
    pub(super) driver: &'a Driver,
    pub(super) server: ServerAddress,
    pub(super) own: Own,
    pub(super) passwords: Option<Arc<SessionPasswords>>,
    connection: SessionLink,
    pub(super) part: Part,
    pub(super) roll: Roll,
    decoding: DecodeThread,
    pub(super) stage: Stage,
    /// The panel for which the number was read out, from its code on.
    pub(super) panel: Option<MemberId>,
    /// It is being restarted, and comes back.
    pub(super) awaits_return: bool,
    /// Input was dropped here for want of room; perhaps a release, so everything is to be
    /// released as soon as there is room.
    owes_release: bool,
    /// Somebody at the panel uses it.
    pub(super) is_paused: bool,
    /// A password was tried, and nobody has said whether it was right.
    pub(super) is_guessing: bool,
    /// What is on its way to the terminal.
    pub(super) typing: Typing,
    /// Files that are on their way.
    pub(super) moving: Moving,
    /// Why the technician ended it, once that is so.
    pub(super) ending: Option<EndReason>,
    pub(super) silence: Silence,
}

/// Who is silent. The picture stands still if anybody is.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Silence {
    pub(super) of_server: bool,
    pub(super) of_panel: bool,
}

impl Silence {
    fn is_any(self) -> bool {
        self.of_server || self.of_panel
    }
}

impl<'a> Running<'a> {
    /// One that is about to be opened.
    pub(super) fn opening(
        driver: &'a Driver,
        connection: SessionLink,
        (server, own): (&ServerAddress, Own),
        passwords: Option<Arc<SessionPasswords>>,
    ) -> Self {
        let config = own.config(passwords.clone());
        let mut moderator = Moderator::new(config, Box::new(rand_core::OsRng));
        moderator.open();
        let part = Part::Moderator(Box::new(moderator));
        Self::new(driver, connection, (server, own), (part, passwords))
    }

    /// One of somebody else that is about to be joined.
    pub(super) fn joining(
        driver: &'a Driver,
        connection: SessionLink,
        (server, own): (&ServerAddress, Own),
        (number, key): (SessionNumber, JoinKey),
    ) -> Self {
        let mut onlooker = Onlooker::new(own.name.clone(), Box::new(rand_core::OsRng));
        if let Some(pass) = &own.pass {
            onlooker.set_pass(Arc::clone(pass), own.clock);
        }
        onlooker.join(number, key);
        let part = Part::Onlooker(Box::new(onlooker));
        let running = Self::new(driver, connection, (server, own), (part, None));
        Self { stage: Stage::Joining, ..running }
    }

    fn new(
        driver: &'a Driver,
        connection: SessionLink,
        (server, own): (&ServerAddress, Own),
        (part, passwords): (Part, Option<Arc<SessionPasswords>>),
    ) -> Self {
        Self {
            driver,
            server: server.clone(),
            own,
            passwords,
            connection,
            part,
            roll: Roll::default(),
            decoding: DecodeThread::start(driver.picture.clone()),
            stage: Stage::Waiting,
            panel: None,
            awaits_return: false,
            owes_release: false,
            is_paused: false,
            typing: Typing::default(),
            moving: Moving::default(),
            is_guessing: false,
            ending: None,
            silence: Silence::default(),
        }
    }

    /// Runs it to its end.
    pub(super) async fn run(mut self) -> Result<Ended, Nobody> {
        let outcome = self.steps().await;
        // However it ended: the device is told, if it can be.
        self.part.end();
        while let Some(output) = self.part.poll_output() {
            match output {
                Output::Request(what) => drop(self.connection.request(what)),
                Output::Packet(class, packet) => drop(self.connection.send(class, packet)),
                Output::Event(_) => {}
            }
        }
        self.connection.close().await;
        outcome
    }

    async fn steps(&mut self) -> Result<Ended, Nobody> {
        let mut latency = tokio::time::interval(LATENCY_INTERVAL);
        loop {
            self.pay_release();
            if let Some(ended) = self.drain().await?.ended() {
                return Ok(ended);
            }
            let due = self.part.poll_timeout();
            let step = tokio::select! {
                incoming = self.connection.next() => self.incoming(incoming).await?,
                command = self.driver.commands.next() => self.command(command).await?,
                decoded = self.decoding.next() => self.decoded(decoded),
                said = self.moving.next() => self.files_said(said).await?,
                () = sleep_until(due) => {
                    self.part.handle_timeout(Instant::now());
                    Step::On
                }
                _ = latency.tick() => self.latency().await?,
                () = self.driver.events.sender.closed() => return Err(Nobody),
            };
            if let Some(ended) = step.ended() {
                return Ok(ended);
            }
        }
    }

    /// Tells when the session becomes interrupted, and when it is no longer.
    pub(super) async fn silence(&mut self, silence: Silence) -> Result<(), Nobody> {
        let before = std::mem::replace(&mut self.silence, silence);
        match (before.is_any(), silence.is_any()) {
            (false, true) => self.driver.events.send(Event::Interrupted).await,
            (true, false) => self.driver.events.send(Event::Resumed).await,
            _ => Ok(()),
        }
    }

    async fn incoming(&mut self, incoming: Incoming) -> Result<Step, Nobody> {
        match incoming {
            Incoming::Packet(packet) => self.part.handle_packet(&packet, Instant::now()),
            Incoming::Notice(notice) => self.part.handle_notice(notice, Instant::now()),
            Incoming::Reply(reply) => self.part.handle_answer(reply.answer),
            Incoming::Silent { .. } => {
                self.silence(Silence { of_server: true, ..self.silence }).await?;
            }
            Incoming::Alive => {
                self.silence(Silence { of_server: false, ..self.silence }).await?;
            }
            Incoming::Paused => {
                self.part.pause(Instant::now());
                self.silence(Silence { of_server: true, ..self.silence }).await?;
            }
            Incoming::Resumed => {
                self.part.resume(Instant::now());
                self.silence(Silence { of_server: false, ..self.silence }).await?;
            }
            Incoming::Lost(end) => {
                tracing::warn!("the link to the server is over: {end}");
                return Ok(Step::Over(translate::link_end(&end)));
            }
            _ => {}
        }
        Ok(Step::On)
    }

    async fn command(&mut self, command: Command) -> Result<Step, Nobody> {
        match command {
            Command::End => {
                let begun = self.stage == Stage::Connected;
                self.ending = Some(if begun { EndReason::EndedHere } else { EndReason::Cancelled });
                self.part.end();
            }
            Command::Open { .. } | Command::Watch { .. } => {
                tracing::debug!("there is a session already");
            }
            Command::Point(at) => {
                let at = at.and_then(|at| translate::place_in(at, &self.driver.picture));
                self.part.point(at, Instant::now());
            }
            command => {
                let inputs = translate::inputs(&command, &self.driver.picture);
                if inputs.is_empty() {
                    match &self.part {
                        Part::Moderator(_) => self.moderate(command).await?,
                        Part::Onlooker(_) => self.look_on(command),
                    }
                }
                for event in inputs {
                    if let Step::Over(why) = self.input(event).await? {
                        return Ok(Step::Over(why));
                    }
                }
            }
        }
        Ok(Step::On)
    }

    /// Who is in the session has changed.
    pub(super) async fn listed(&mut self, list: Roster) -> Result<(), Nobody> {
        self.roll.take(list);
        self.tell_members().await?;
        if self.stage == Stage::Connected { self.tell_presenter().await } else { Ok(()) }
    }

    pub(super) async fn tell_members(&mut self) -> Result<(), Nobody> {
        let members = self.roll.members(self.part.member());
        self.driver.events.send(Event::Members(members)).await
    }

    /// Says which device is seen, and what may be done there, if that is news.
    pub(super) async fn tell_presenter(&mut self) -> Result<(), Nobody> {
        let presented = self.roll.presented(self.part.member());
        let (peer, is) = match presented {
            Some((member, rights, peer)) => (Some(peer), (Some(member), rights)),
            None if self.awaits_return => return Ok(()),
            None => (None, (None, Rights::NONE)),
        };
        let told = self.roll.told.replace(is);
        let (device, rights) = told.unwrap_or_default();
        if told.is_none() || device != is.0 {
            // What comes now does not follow what came from another.
            self.decoding = DecodeThread::start(self.driver.picture.clone());
            self.driver.picture.clear();
            self.driver.events.send(Event::Presents(peer)).await
        } else if let (true, Some(peer)) = (rights != is.1, peer) {
            self.driver.events.send(Event::RightsChanged(peer.rights)).await
        } else {
            Ok(())
        }
    }

    /// So many inputs were not carried out at the panel.
    pub(super) async fn dropped(&mut self, count: u16) -> Result<(), Nobody> {
        tracing::info!(count, "inputs were not carried out at the panel");
        self.driver.events.send(Event::InputDropped(count)).await?;
        if self.is_paused {
            return Ok(());
        }
        self.driver.events.send(Event::Notice(Notice::InputTooLate)).await
    }

    /// Somebody at the panel uses it, or does not any more.
    pub(super) async fn paused(&mut self, is_paused: bool) -> Result<(), Nobody> {
        self.is_paused = is_paused;
        self.driver.events.send(Event::Paused(is_paused)).await
    }

    /// A member's link is broken, or there again.
    pub(super) async fn away(&mut self, member: MemberId, is_away: bool) -> Result<(), Nobody> {
        self.roll.set_away(member, is_away);
        self.tell_members().await?;
        if self.roll.presenter().is_none_or(|presenter| presenter == member) {
            self.silence(Silence { of_panel: is_away, ..self.silence }).await?;
        }
        Ok(())
    }

    /// Releases everything after input was dropped, as soon as there is room.
    fn pay_release(&mut self) {
        if self.owes_release && self.connection.has_room(Class::Input, INPUT_ROOM) {
            self.owes_release = false;
            self.part.input(InputEvent::ReleaseAll, Instant::now());
        }
    }

    /// Sends an input if the link has room: a packet that was numbered must not be lost.
    async fn input(&mut self, event: InputEvent) -> Result<Step, Nobody> {
        let is_away = self.connection.is_away();
        if !is_away && !self.connection.has_room(Class::Input, INPUT_ROOM) {
            self.owes_release = true;
            self.driver.events.send(Event::Notice(Notice::LinkBusy)).await?;
            return Ok(Step::On);
        }
        // Without a link only text is taken, which waits for the next.
        if !self.part.input(event, Instant::now()) && is_away {
            self.driver.events.send(Event::Notice(Notice::LinkBusy)).await?;
        }
        // At once, so that the room for the next one is what is left.
        self.drain().await
    }

    /// What the terminal has written is taken as fast as somebody looks at it.
    pub(super) async fn terminal(&mut self, report: &FromTerminal) -> Result<(), Nobody> {
        if let Some(event) = terminal::event(report) {
            self.driver.events.send(Event::Terminal(event)).await?;
        }
        let Some(moderator) = self.part.moderator() else { return Ok(()) };
        match report {
            FromTerminal::Output(bytes) => {
                let count = u32::try_from(bytes.as_slice().len()).unwrap_or(u32::MAX);
                moderator.terminal(ToTerminal::Taken(count));
            }
            FromTerminal::Taken(count) => {
                for message in self.typing.taken(*count) {
                    moderator.terminal(message);
                }
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn picture(&mut self, update: Vec<u8>) {
        if !self.decoding.give(update) {
            tracing::debug!("the decoder is behind; a picture is dropped");
            self.part.refresh();
        }
    }

    fn decoded(&mut self, decoded: Decoded) -> Step {
        match decoded {
            Decoded::Shown { number } => {
                self.part.picture_shown(number);
                self.driver.events.picture();
            }
            Decoded::Unusable => self.part.refresh(),
        }
        Step::On
    }

    async fn latency(&mut self) -> Result<Step, Nobody> {
        if let (Stage::Connected, Some(time)) = (self.stage, self.connection.round_trip()) {
            self.driver.events.send(Event::Latency(Latency(time))).await?;
        }
        Ok(Step::On)
    }

    /// Sends and tells what the moderator has to say.
    async fn drain(&mut self) -> Result<Step, Nobody> {
        while let Some(output) = self.part.poll_output() {
            let step = match output {
                Output::Request(what) => match self.connection.request(what) {
                    Ok(_) => Step::On,
                    Err(error) => stuck(&error),
                },
                Output::Packet(class, packet) => match self.connection.send(class, packet) {
                    // What is sent after the end falls away.
                    Ok(()) | Err(SendError::NoSession) => Step::On,
                    Err(error) => stuck(&error),
                },
                Output::Event(Happened::Moderator(event)) => self.moderated(event).await?,
                Output::Event(Happened::Onlooker(event)) => self.looked_on(event).await?,
            };
            if !matches!(step, Step::On) {
                return Ok(step);
            }
        }
        Ok(Step::On)
    }
}

/// The link takes nothing any more, not even what is urgent; a packet is missing now.
fn stuck(error: &dyn std::error::Error) -> Step {
    tracing::warn!("the link is stuck: {error}");
    Step::Over(EndReason::LinkLost)
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// As much of a name as the protocol carries.
fn name_of(name: &str) -> Name {
    let mut bounded = Name::new();
    for c in name.chars() {
        if bounded.push(c).is_err() {
            break;
        }
    }
    bounded
}
