//! One link to the server, and the sessions on it one after the other.

use std::future::pending;
use std::time::{Duration, Instant};

use lotse_client::{Incoming, SessionLink};
use lotse_protocol::handshake::participant::{Standing, Unverified};
use lotse_protocol::handshake::{Declined, HandshakeError, Password};
use lotse_protocol::message::{Consent, DeviceEnd, SecretBytes};
use lotse_protocol::session::{EndReason, Output, Participant, ParticipantEvent, Roster};
use lotse_protocol::tunnel::{Asked, EndOfSession, Notice};
use lotse_protocol::{Class, MemberId, SessionNumber};

use super::keys::KeyPool;
use super::machine_end::MachineEnd;
use crate::ipc::{self, Ended, Message, ToMachine, ToNetwork};

/// From the typed number to the question on the panel, at most.
const JOINING: Duration = Duration::from_secs(30);

/// A link and the participant on it.
#[derive(Debug)]
pub(super) struct Session {
    participant: Participant,
    connection: SessionLink,
    /// The server is silent, or the link is gone.
    is_link_silent: bool,
    /// The technician's link is gone.
    is_moderator_away: bool,
    /// One of them, as the machine process knows.
    is_cut_off: bool,
    /// The person here has ended it while it was cut off: the technician has yet to be told.
    ending: Option<DeviceEnd>,
    /// A number waits for the RSA key.
    wanted: Option<SessionNumber>,
    /// What to come back into it with, after a restart.
    ticket: Option<SecretBytes>,
    /// Whom the person here has accepted.
    accepted: Option<MemberId>,
    /// Until when the moderator's console must have answered.
    joining_until: Option<Instant>,
    /// A password was tried, and nothing came of it yet.
    is_guessing: bool,
    /// The last picture that the technician has shown.
    shown: u32,
    /// Pictures were lost for want of room; they are to be told again when there is some.
    owes_pictures: bool,
}

/// Whether the link goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Up,
    Lost,
}

impl Session {
    pub(super) fn new(participant: Participant, connection: SessionLink) -> Self {
        Self {
            participant,
            connection,
            is_link_silent: false,
            is_moderator_away: false,
            is_cut_off: false,
            ending: None,
            wanted: None,
            ticket: None,
            accepted: None,
            joining_until: None,
            is_guessing: false,
            shown: 0,
            owes_pictures: false,
        }
    }

    /// Runs until the link is lost.
    ///
    /// # Errors
    /// When the machine process is gone; the technician has been told then.
    pub(super) async fn run(
        mut self,
        machine: &mut MachineEnd,
        keys: &mut KeyPool,
    ) -> anyhow::Result<()> {
        let outcome = self.exchange(machine, keys).await;
        if outcome.is_err() {
            // Without the machine process there is nothing to see, to steer or to ask.
            self.participant.end(DeviceEnd::Fault);
            self.drain_silently();
            self.connection.close().await;
        }
        outcome
    }

    async fn exchange(
        &mut self,
        machine: &mut MachineEnd,
        keys: &mut KeyPool,
    ) -> anyhow::Result<()> {
        loop {
            let due = self.participant.poll_timeout().into_iter().chain(self.joining_until).min();
            let link = tokio::select! {
                biased;
                incoming = self.connection.next() => self.incoming(incoming, machine).await?,
                message = machine.next() => self.command(message?, machine).await?,
                key = keys.take(), if self.wanted.is_some() => {
                    self.join(key, machine).await?;
                    Link::Up
                }
                () = sleep_until(due) => {
                    self.timeout(machine).await?;
                    Link::Up
                }
            };
            self.drain(machine).await?;
            if link == Link::Lost {
                let was_told = self.ending.is_some();
                if (self.participant.is_busy() && !was_told) || self.wanted.is_some() {
                    machine.send(&ToMachine::Ended(Ended::ConnectionLost)).await?;
                }
                return Ok(());
            }
        }
    }

    async fn incoming(
        &mut self,
        incoming: Incoming,
        machine: &mut MachineEnd,
    ) -> anyhow::Result<Link> {
        let now = Instant::now();
        match incoming {
            Incoming::Packet(packet) => self.participant.handle_packet(&packet, now),
            Incoming::Reply(reply) => self.participant.handle_answer(reply.answer),
            Incoming::Notice(notice) => {
                self.participant.handle_notice(&notice, now);
                // A device hears that of the moderator alone.
                if let Notice::MemberBack { .. } = notice {
                    self.is_moderator_away = false;
                    self.reach(machine).await?;
                }
            }
            Incoming::PictureRoom if std::mem::take(&mut self.owes_pictures) => {
                // Nobody else can know of it before another picture comes, and none would.
                machine.send(&ToMachine::Refresh { after: self.shown }).await?;
            }
            Incoming::Silent { .. } => self.silent(true, machine).await?,
            Incoming::Alive => self.silent(false, machine).await?,
            Incoming::Paused => {
                self.participant.pause(now);
                // Unless the server says otherwise when this side is back.
                self.is_moderator_away = self.participant.is_busy();
                self.silent(true, machine).await?;
                if !self.participant.is_busy() {
                    // There was nothing yet that could go on.
                    self.connection.give_up();
                }
            }
            Incoming::Resumed => {
                self.participant.resume(now);
                self.silent(false, machine).await?;
            }
            Incoming::Lost(why) => {
                log::warn!("the link to the server is lost: {why}");
                return Ok(Link::Lost);
            }
            _ => {}
        }
        Ok(Link::Up)
    }

    /// The server is silent, or no longer.
    async fn silent(&mut self, is_silent: bool, machine: &mut MachineEnd) -> anyhow::Result<()> {
        self.is_link_silent = is_silent;
        self.reach(machine).await
    }

    /// The machine process is told when the technician is out of reach, and when no longer; the
    /// technician, when the session has ended meanwhile.
    async fn reach(&mut self, machine: &mut MachineEnd) -> anyhow::Result<()> {
        let is_cut_off = self.is_link_silent || self.is_moderator_away;
        let was_cut_off = std::mem::replace(&mut self.is_cut_off, is_cut_off);
        if was_cut_off != is_cut_off && self.ending.is_none() {
            machine.send(&ToMachine::Silent(is_cut_off)).await?;
        }
        if !is_cut_off && let Some(why) = self.ending.take() {
            self.participant.end(why);
            self.drain_silently();
        }
        Ok(())
    }

    /// Ends the session from here. If the technician is out of reach it is over for the person
    /// all the same; the technician hears of it as soon as that is possible.
    async fn end(&mut self, why: DeviceEnd, machine: &mut MachineEnd) -> anyhow::Result<()> {
        self.wanted = None;
        if self.is_cut_off && self.participant.is_busy() && self.ending.is_none() {
            self.ending = Some(why);
            machine.send(&ToMachine::Ended(ended(EndReason::Here(why)))).await?;
        } else {
            self.participant.end(why);
        }
        Ok(())
    }

    /// Somebody wants to join another session: the last one is over, whoever knows of it.
    fn forget_ended(&mut self) {
        if self.ending.take().is_some() {
            self.participant.forget();
            if self.connection.is_away() {
                self.connection.give_up();
            } else if let Err(error) = self.connection.request(Asked::Leave) {
                log::warn!("{error}");
            }
        }
    }

    async fn command(
        &mut self,
        message: Message<ToNetwork>,
        machine: &mut MachineEnd,
    ) -> anyhow::Result<Link> {
        let now = Instant::now();
        match message {
            Message::Picture(update) => self.participant.send_picture(&update),
            Message::Typed(ToNetwork::Join { number }) => self.want(number, None, machine).await?,
            Message::Typed(ToNetwork::Return { number, ticket }) => {
                self.want(number, Some(ticket), machine).await?;
            }
            Message::Typed(ToNetwork::Restart(r)) => self.participant.report_restart(r),
            Message::Typed(ToNetwork::Password(digits)) => match Password::spoken(&digits) {
                Ok(password) => {
                    self.is_guessing = true;
                    self.joining_until = Some(now + JOINING);
                    self.participant.enter_password(&password);
                }
                Err(error) => log::warn!("the machine process: {error}"),
            },
            Message::Typed(ToNetwork::Identified(device)) => self.participant.identify(*device),
            Message::Typed(ToNetwork::Cancel) => {
                self.wanted = None;
                self.participant.end(DeviceEnd::Stopped);
            }
            Message::Typed(ToNetwork::Decide(consent)) => self.participant.decide(consent, now),
            Message::Typed(ToNetwork::Screen(report)) => self.participant.report_screen(report),
            Message::Typed(ToNetwork::CannotType(c)) => self.participant.report_cannot_type(c),
            Message::Typed(ToNetwork::LocalInput) => self.participant.local_input(now),
            Message::Typed(ToNetwork::Limit(rights)) => self.participant.limit(rights),
            Message::Typed(ToNetwork::End(why)) => self.end(why, machine).await?,
            Message::Typed(ToNetwork::Outputs(o)) => self.participant.report_outputs(o),
            Message::Typed(ToNetwork::Covered(c)) => self.participant.report_covered(c),
            Message::Typed(ToNetwork::Terminal(t)) => self.participant.report_terminal(t),
            Message::Typed(ToNetwork::Files { id, what }) => {
                self.participant.report_files(id, what);
            }
            Message::Typed(ToNetwork::Arrows(shown)) => self.participant.report_arrows(shown, now),
            Message::Typed(ToNetwork::Start { .. }) => log::warn!("started twice"),
        }
        Ok(Link::Up)
    }

    /// A session is to be joined, as soon as there is an RSA key.
    async fn want(
        &mut self,
        number: u32,
        ticket: Option<SecretBytes>,
        machine: &mut MachineEnd,
    ) -> anyhow::Result<()> {
        self.forget_ended();
        self.ticket = ticket;
        match SessionNumber::try_from(number) {
            Ok(number) => self.wanted = Some(number),
            Err(_) => machine.send(&ToMachine::Ended(Ended::NotJoined)).await?,
        }
        Ok(())
    }

    async fn join(
        &mut self,
        key: Option<lotse_protocol::handshake::JoinKey>,
        machine: &mut MachineEnd,
    ) -> anyhow::Result<()> {
        match (self.wanted.take(), key) {
            (Some(number), Some(key)) => {
                self.joining_until = Some(Instant::now() + JOINING);
                match self.ticket.take() {
                    Some(ticket) => self.participant.come_back(number, key, &ticket),
                    None => self.participant.join(number, key),
                }
            }
            _ => machine.send(&ToMachine::Ended(Ended::NotJoined)).await?,
        }
        Ok(())
    }

    async fn timeout(&mut self, machine: &mut MachineEnd) -> anyhow::Result<()> {
        let now = Instant::now();
        self.participant.handle_timeout(now);
        if self.joining_until.is_some_and(|until| until <= now) {
            self.joining_until = None;
            log::warn!("the technician's console does not answer");
            self.participant.end(DeviceEnd::Fault);
            // What the panel says is decided here; the end that follows is no news.
            self.drain_silently();
            machine.send(&ToMachine::Ended(Ended::NotJoined)).await?;
        }
        Ok(())
    }

    /// Brings everything that the participant has to say to where it belongs.
    async fn drain(&mut self, machine: &mut MachineEnd) -> anyhow::Result<()> {
        while let Some(output) = self.participant.poll_output() {
            let Some(event) = self.send(output) else { continue };
            match event {
                ParticipantEvent::Away(is_away) => {
                    self.is_moderator_away = is_away;
                    self.reach(machine).await?;
                    continue;
                }
                ParticipantEvent::Ended(_) => {
                    self.is_moderator_away = false;
                    self.is_cut_off = self.is_link_silent;
                }
                _ => {}
            }
            if self.ending.is_some() {
                // For the person here it is over already.
                if matches!(event, ParticipantEvent::Ended(_)) {
                    self.ending = None;
                }
            } else if let Some(message) = self.translate(event) {
                machine.send(&message).await?;
            }
        }
        Ok(())
    }

    fn drain_silently(&mut self) {
        while let Some(output) = self.participant.poll_output() {
            self.send(output);
        }
    }

    /// Puts what is for the server into its queue; yields what is not.
    fn send(&mut self, output: Output<ParticipantEvent>) -> Option<ParticipantEvent> {
        match output {
            Output::Event(event) => return Some(event),
            Output::Request(what) => {
                if let Err(error) = self.connection.request(what) {
                    log::warn!("a request to the server was not sent: {error}");
                }
            }
            Output::Packet(class, packet) => {
                if let Err(error) = self.connection.send(class, packet) {
                    log::warn!("a packet was not sent: {error}");
                    self.owes_pictures |= class == Class::Picture;
                }
            }
        }
        None
    }

    /// Who leads the session, if that is another than who led it when the person here said yes.
    fn leads(&mut self, list: &Roster) -> Option<ToMachine> {
        let moderator = list.moderator();
        let accepted = *self.accepted.get_or_insert(moderator);
        let here = list.get(self.participant.member()?)?;
        let name = |member| {
            let entry = list.get(member).filter(|_| member != accepted);
            entry.map(|entry| entry.name.clone())
        };
        let controller = name(here.controller.unwrap_or(moderator));
        Some(ToMachine::Leads { moderator: name(moderator), controller })
    }

    /// What the machine process is told.
    fn translate(&mut self, event: ParticipantEvent) -> Option<ToMachine> {
        Some(match event {
            ParticipantEvent::AskPassword => {
                // The person sees how long there is.
                self.joining_until = None;
                ToMachine::AskPassword
            }
            ParticipantEvent::Identify { transcript } => ToMachine::Identify { transcript },
            ParticipantEvent::Ask { name, asks, standing } => {
                self.joining_until = None;
                self.is_guessing = false;
                ToMachine::Ask { name, asks, standing: standing_of(standing)? }
            }
            ParticipantEvent::Connected { rights, .. } => {
                self.accepted = None;
                ToMachine::Connected { rights }
            }
            ParticipantEvent::Members(list) => self.leads(&list)?,
            ParticipantEvent::Watch(watched) => ToMachine::Watch(watched),
            ParticipantEvent::PictureShown(number) => {
                self.shown = number;
                ToMachine::PictureShown(number)
            }
            ParticipantEvent::Refresh { after } => ToMachine::Refresh { after },
            ParticipantEvent::Rights(rights) => ToMachine::Limit(rights),
            ParticipantEvent::Terminal(what) => ToMachine::Terminal(what),
            ParticipantEvent::Files { id, what } => ToMachine::Files { id, what },
            ParticipantEvent::Restart(what) => ToMachine::Restart(what),
            ParticipantEvent::Show(name) => ToMachine::Show(name),
            ParticipantEvent::Input(event) => ToMachine::Input(event),
            ParticipantEvent::Arrow { by, name, at } => ToMachine::Arrow { by, name, at },
            ParticipantEvent::Ended(why) => {
                self.joining_until = None;
                log::info!("session: {why:?}");
                let was_guessing = std::mem::take(&mut self.is_guessing);
                ToMachine::Ended(if was_guessing { guessed(why) } else { ended(why) })
            }
            _ => return None,
        })
    }
}

/// As the machine process hears it.
fn standing_of(standing: Standing) -> Option<ipc::Standing> {
    Some(match standing {
        Standing::Compare(code) => ipc::Standing::Compare(code.value()),
        Standing::Password => ipc::Standing::Password,
        // The machine process knows its own nonce, and believes no other.
        Standing::Shown(unverified) => {
            let Unverified { technician, transcript, .. } = unverified;
            ipc::Standing::Shown { technician, transcript }
        }
        _ => return None,
    })
}

/// In words that the panel has, after a password was tried.
fn guessed(why: EndReason) -> Ended {
    match why {
        EndReason::Declined(Declined::Failed) | EndReason::Handshake(_) => Ended::WrongPassword,
        why => ended(why),
    }
}

/// In words that the panel has.
fn ended(why: EndReason) -> Ended {
    match why {
        EndReason::JoinRefused(_) | EndReason::Declined(Declined::Busy) => Ended::NotJoined,
        EndReason::NotConsented(Consent::TimedOut) => Ended::RefusedByTime,
        EndReason::NotConsented(_) => Ended::Refused,
        EndReason::Here(DeviceEnd::Stopped) => Ended::ByStaff,
        EndReason::Here(_) | EndReason::Unreachable => Ended::ConnectionLost,
        EndReason::Declined(Declined::Failed) | EndReason::Tampered(_) => Ended::Unsafe,
        EndReason::Handshake(HandshakeError::Incompatible) => Ended::NotJoined,
        EndReason::Handshake(_) => Ended::Unsafe,
        EndReason::Server(EndOfSession::ModeratorLost | EndOfSession::ServerStopping) => {
            Ended::ConnectionLost
        }
        EndReason::Server(_) | EndReason::Moderator | EndReason::Declined(_) => Ended::ByTechnician,
        _ => Ended::ConnectionLost,
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => pending().await,
    }
}
