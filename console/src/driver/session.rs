//! One session, from the connected link to its end.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use lotse_client::{Incoming, SendError, SessionLink};
use lotse_protocol::handshake::{HandshakeError, Means, SessionPasswords};
use lotse_protocol::message::{FromTerminal, InputEvent, Name, Rights, Role, ToTerminal};
use lotse_protocol::session::{
    Moderator, ModeratorConfig, ModeratorEvent, Output, ParticipantGone, WallClock,
};
use lotse_protocol::tunnel::EndOfSession;
use lotse_protocol::{Class, MemberId, ServerAddress};

use super::decode::{DecodeThread, Decoded};
use super::terminal::{self, Typing};
use super::{Driver, Ended, Nobody, translate};
use crate::model::{Command, EndReason, Event, Invitation, Latency, Notice, Peer};

/// How often the time to the server is shown anew.
const LATENCY_INTERVAL: Duration = Duration::from_secs(2);

/// Room on the link that one input needs at most, in bytes: a header, padding, and the longest
/// piece of text.
const INPUT_ROOM: usize = 512;

/// What a step leads to.
enum Step {
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
enum Stage {
    /// Nobody has joined.
    Waiting,
    /// Somebody has joined; there is no code yet.
    Joining,
    /// There is a code.
    Comparing,
    /// It is live.
    Connected,
}

/// A session that runs.
pub(super) struct Running<'a> {
    driver: &'a Driver,
    server: ServerAddress,
    passwords: Option<Arc<SessionPasswords>>,
    connection: SessionLink,
    moderator: Moderator,
    decoding: DecodeThread,
    stage: Stage,
    /// The panel, from its code on.
    panel: Option<MemberId>,
    /// Input was dropped here for want of room; perhaps a release, so everything is to be
    /// released as soon as there is room.
    owes_release: bool,
    /// Somebody at the panel uses it.
    is_paused: bool,
    /// What is on its way to the terminal.
    typing: Typing,
    /// Why the technician ended it, once that is so.
    ending: Option<EndReason>,
    silence: Silence,
}

/// Who is silent. The picture stands still if anybody is.
#[derive(Debug, Default, Clone, Copy)]
struct Silence {
    of_server: bool,
    of_panel: bool,
}

impl Silence {
    fn is_any(self) -> bool {
        self.of_server || self.of_panel
    }
}

impl<'a> Running<'a> {
    pub(super) fn new(
        driver: &'a Driver,
        connection: SessionLink,
        (server, name): (&ServerAddress, &str),
        means: Means,
        asks: Rights,
    ) -> Self {
        let passwords = means.passwords.clone();
        let unix_s = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let clock = WallClock { at: Instant::now(), unix_s: unix_s.as_secs() };
        let config = ModeratorConfig {
            means,
            clock: Some(clock),
            ..ModeratorConfig::new(name_of(name), asks)
        };
        Self {
            driver,
            server: server.clone(),
            passwords,
            connection,
            moderator: Moderator::new(config, Box::new(rand_core::OsRng)),
            decoding: DecodeThread::start(driver.picture.clone()),
            stage: Stage::Waiting,
            panel: None,
            owes_release: false,
            is_paused: false,
            typing: Typing::default(),
            ending: None,
            silence: Silence::default(),
        }
    }

    /// Runs it to its end.
    pub(super) async fn run(mut self) -> Result<Ended, Nobody> {
        self.moderator.open();
        let outcome = self.steps().await;
        // However it ended: the device is told, if it can be.
        self.moderator.end();
        while let Some(output) = self.moderator.poll_output() {
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
            let due = self.moderator.poll_timeout();
            let step = tokio::select! {
                incoming = self.connection.next() => self.incoming(incoming).await?,
                command = self.driver.commands.next() => self.command(command).await?,
                decoded = self.decoding.next() => self.decoded(decoded),
                () = sleep_until(due) => {
                    self.moderator.handle_timeout(Instant::now());
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
    async fn silence(&mut self, silence: Silence) -> Result<(), Nobody> {
        let before = std::mem::replace(&mut self.silence, silence);
        match (before.is_any(), silence.is_any()) {
            (false, true) => self.driver.events.send(Event::Interrupted).await,
            (true, false) => self.driver.events.send(Event::Resumed).await,
            _ => Ok(()),
        }
    }

    async fn incoming(&mut self, incoming: Incoming) -> Result<Step, Nobody> {
        match incoming {
            Incoming::Packet(packet) => self.moderator.handle_packet(&packet, Instant::now()),
            Incoming::Notice(notice) => self.moderator.handle_notice(notice, Instant::now()),
            Incoming::Reply(reply) => self.moderator.handle_answer(reply.answer),
            Incoming::Silent { .. } => {
                self.silence(Silence { of_server: true, ..self.silence }).await?;
            }
            Incoming::Alive => {
                self.silence(Silence { of_server: false, ..self.silence }).await?;
            }
            Incoming::Paused => {
                self.moderator.pause(Instant::now());
                self.silence(Silence { of_server: true, ..self.silence }).await?;
            }
            Incoming::Resumed => {
                self.moderator.resume(Instant::now());
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
            Command::CodesMatch => {
                if let Some(member) = self.moderator.comparing() {
                    self.moderator.confirm_code(member);
                }
            }
            Command::CodesDiffer => {
                if let Some(member) = self.moderator.comparing() {
                    self.moderator.reject_code(member);
                }
            }
            Command::Admit { member } => {
                self.driver.events.send(Event::Left { member }).await?;
                self.driver.events.send(Event::Joined).await?;
                self.stage = Stage::Joining;
                self.moderator.admit(MemberId(member));
            }
            Command::SendAway { member } => self.moderator.refuse(MemberId(member)),
            Command::NotExpected => {
                if let Some(member) = self.moderator.comparing() {
                    self.panel = None;
                    self.stage = Stage::Joining;
                    self.moderator.refuse(member);
                }
            }
            Command::End => {
                let begun = self.stage == Stage::Connected;
                self.ending = Some(if begun { EndReason::EndedHere } else { EndReason::Cancelled });
                self.moderator.end();
            }
            Command::Terminal(command) => {
                for message in self.typing.command(command) {
                    self.moderator.terminal(message);
                }
            }
            Command::Show(name) => match name.as_str().try_into() {
                Ok(name) => self.moderator.show(name),
                Err(_) => tracing::debug!("no screen has so long a name"),
            },
            Command::Open { .. } => tracing::debug!("there is a session already"),
            input => {
                for event in translate::inputs(input, &self.driver.picture) {
                    if let Step::Over(why) = self.input(event).await? {
                        return Ok(Step::Over(why));
                    }
                }
            }
        }
        Ok(Step::On)
    }

    /// Releases everything after input was dropped, as soon as there is room.
    fn pay_release(&mut self) {
        if self.owes_release && self.connection.has_room(Class::Input, INPUT_ROOM) {
            self.owes_release = false;
            self.moderator.input(InputEvent::ReleaseAll, Instant::now());
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
        if !self.moderator.input(event, Instant::now()) && is_away {
            self.driver.events.send(Event::Notice(Notice::LinkBusy)).await?;
        }
        // At once, so that the room for the next one is what is left.
        self.drain().await
    }

    /// What the terminal has written is taken as fast as somebody looks at it.
    async fn terminal(&mut self, report: &FromTerminal) -> Result<(), Nobody> {
        if let Some(event) = terminal::event(report) {
            self.driver.events.send(Event::Terminal(event)).await?;
        }
        match report {
            FromTerminal::Output(bytes) => {
                let count = u32::try_from(bytes.as_slice().len()).unwrap_or(u32::MAX);
                self.moderator.terminal(ToTerminal::Taken(count));
            }
            FromTerminal::Taken(count) => {
                for message in self.typing.taken(*count) {
                    self.moderator.terminal(message);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn picture(&mut self, update: Vec<u8>) {
        if !self.decoding.give(update) {
            tracing::debug!("the decoder is behind; a picture is dropped");
            self.moderator.refresh();
        }
    }

    fn decoded(&mut self, decoded: Decoded) -> Step {
        match decoded {
            Decoded::Shown { number } => {
                self.moderator.picture_shown(number);
                self.driver.events.picture();
            }
            Decoded::Unusable => self.moderator.refresh(),
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
        while let Some(output) = self.moderator.poll_output() {
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
                Output::Event(event) => self.tell(event).await?,
            };
            if !matches!(step, Step::On) {
                return Ok(step);
            }
        }
        Ok(Step::On)
    }

    async fn tell(&mut self, event: ModeratorEvent) -> Result<Step, Nobody> {
        let events = &self.driver.events;
        match event {
            ModeratorEvent::Opened { number, .. } => {
                if let Some(words) = &self.passwords {
                    let words = (words.spoken(), words.link());
                    let invitation = Invitation::new(&self.server, number, words);
                    events.send(Event::Invitation(invitation)).await?;
                }
                events.send(Event::Opened { number }).await?;
            }
            ModeratorEvent::OpenRefused(refusal) => {
                tracing::warn!(?refusal, "the server opens no session");
                return Ok(Step::Over(EndReason::ServerRefused));
            }
            // Whoever else types the number is told that this session is taken.
            ModeratorEvent::Joining if self.panel.is_some() => {}
            ModeratorEvent::Joining => {
                self.stage = Stage::Joining;
                events.send(Event::Joined).await?;
            }
            ModeratorEvent::Knocking { member, name } => {
                if self.stage == Stage::Joining {
                    self.stage = Stage::Waiting;
                    events.send(Event::JoinFailed).await?;
                }
                let (member, who) = (member.0, name.to_string());
                events.send(Event::Knocking { member, who }).await?;
            }
            ModeratorEvent::Checked { member, role: Role::Onlooker, .. } => {
                self.moderator.refuse(member);
            }
            ModeratorEvent::Checked { member, level, name, .. } => {
                self.panel = Some(member);
                self.stage = Stage::Comparing;
                let (who, level) = (name.to_string(), translate::level(level));
                events.send(Event::Checked { who, level }).await?;
            }
            // Those who are in stay; there is nobody else to let in.
            ModeratorEvent::NumberBurned if self.panel.is_none() => return Ok(Step::Renew),
            ModeratorEvent::Compare { member, role: Role::Onlooker, .. } => {
                self.moderator.refuse(member);
            }
            ModeratorEvent::Compare { member, code, name, .. } => {
                self.panel = Some(member);
                self.stage = Stage::Comparing;
                // Six digits always are a code.
                if let Ok(code) = code.digits().parse() {
                    events.send(Event::Code { code, who: name.to_string() }).await?;
                }
            }
            ModeratorEvent::Connected { name, rights, level, .. } => {
                self.stage = Stage::Connected;
                let rights = translate::rights(rights);
                let peer = Peer { name: name.to_string(), rights, level: translate::level(level) };
                events.send(Event::Connected(peer)).await?;
                self.moderator.watch(true);
            }
            ModeratorEvent::Away { is_away: of_panel, .. } | ModeratorEvent::Silent(of_panel) => {
                self.silence(Silence { of_panel, ..self.silence }).await?;
            }
            ModeratorEvent::Screen(report) => {
                events.send(Event::Screen(translate::screen(report))).await?;
            }
            ModeratorEvent::Picture(update) => self.picture(update),
            ModeratorEvent::InputDropped(count) => {
                tracing::info!(count, "inputs were not carried out at the panel");
                events.send(Event::InputDropped(count)).await?;
                if !self.is_paused {
                    events.send(Event::Notice(Notice::InputTooLate)).await?;
                }
            }
            ModeratorEvent::Paused(is_paused) => {
                self.is_paused = is_paused;
                events.send(Event::Paused(is_paused)).await?;
            }
            ModeratorEvent::Rights { member, rights } if self.panel == Some(member) => {
                events.send(Event::RightsChanged(translate::rights(rights))).await?;
            }
            ModeratorEvent::Terminal(report) => self.terminal(&report).await?,
            ModeratorEvent::Outputs(outputs) => {
                events.send(Event::Outputs(translate::outputs(&outputs))).await?;
            }
            ModeratorEvent::Covered(parts) => {
                events.send(Event::Covered(translate::parts(&parts))).await?;
            }
            ModeratorEvent::CannotType(c) => {
                events.send(Event::Notice(Notice::CannotType(c))).await?;
            }
            ModeratorEvent::Gone { member, why, .. } => return self.gone(member, &why).await,
            ModeratorEvent::Ended(why) => {
                let ended_here = self.ending.take().filter(|_| why == EndOfSession::Ended);
                return Ok(Step::Over(ended_here.unwrap_or_else(|| translate::session_end(why))));
            }
            _ => {}
        }
        Ok(Step::On)
    }

    /// Without a code nothing was at stake: the number waits for the next. Afterwards people
    /// were talking to each other, and it is over.
    async fn gone(&mut self, member: MemberId, gone: &ParticipantGone) -> Result<Step, Nobody> {
        tracing::info!(?gone, member = member.0, "somebody is gone");
        if self.panel != Some(member) {
            self.driver.events.send(Event::Left { member: member.0 }).await?;
            if matches!(gone, ParticipantGone::Handshake(HandshakeError::Password)) {
                self.driver.events.send(Event::WrongPassword).await?;
            }
            if self.panel.is_none() && self.stage == Stage::Joining {
                self.stage = Stage::Waiting;
                self.driver.events.send(Event::JoinFailed).await?;
            }
            return Ok(Step::On);
        }
        Ok(Step::Over(translate::gone(gone)))
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
