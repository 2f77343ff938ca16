//! This program moderates: what it does when asked, and what is told of what happens.

use lotse_protocol::MemberId;
use lotse_protocol::handshake::HandshakeError;
use lotse_protocol::message::{Rights, Role};
use lotse_protocol::session::{ModeratorEvent, Onlooker, ParticipantGone};
use lotse_protocol::tunnel::EndOfSession;

use super::part::Part;
use super::roll::Wait;
use super::session::{Running, Silence, Stage, Step};
use super::{Nobody, translate};
use crate::model::{
    self, Command, EndReason, Event, Invitation, Knock, Need, Notice, Peer, RestartEvent,
};

impl Running<'_> {
    /// Does what only a moderator can.
    pub(super) async fn moderate(&mut self, command: Command) -> Result<(), Nobody> {
        let presenter = self.roll.presenter();
        let Some(moderator) = self.part.moderator() else { return Ok(()) };
        match command {
            Command::CodesMatch => {
                if let Some(member) = self.panel {
                    moderator.confirm_code(member);
                }
            }
            Command::CodesDiffer => {
                if let Some(member) = self.panel {
                    moderator.reject_code(member);
                }
            }
            Command::Admit { member } => return self.admit(MemberId(member)).await,
            Command::SendAway { member } => moderator.refuse(MemberId(member)),
            Command::CodesDifferOf { member } => moderator.reject_code(MemberId(member)),
            Command::NotExpected => {
                if let Some(member) = self.panel.take_if(|_| self.stage != Stage::Connected) {
                    self.stage = Stage::Joining;
                    moderator.refuse(member);
                }
            }
            Command::Show(name) => match name.as_str().try_into() {
                Ok(name) => moderator.show(name),
                Err(_) => tracing::debug!("no screen has so long a name"),
            },
            Command::Terminal(command) => {
                for message in self.typing.command(command) {
                    moderator.terminal(message);
                }
            }
            Command::Files(command) => self.files(command).await?,
            Command::Restart(what) => {
                let is_asked = match what {
                    model::Restart::Application => moderator.restart_application(),
                    model::Restart::Machine => moderator.restart_machine(),
                };
                if !is_asked {
                    self.driver.events.send(Event::Notice(Notice::NotPossible)).await?;
                }
            }
            Command::Kick { member } => moderator.kick(MemberId(member)),
            Command::Lock(is_locked) => {
                moderator.lock(is_locked);
                self.driver.events.send(Event::Locked(is_locked)).await?;
            }
            Command::GiveControl { member } => {
                let given =
                    presenter.map(|device| moderator.give_control(device, MemberId(member)));
                if given != Some(true) {
                    self.driver.events.send(Event::Notice(Notice::NotPossible)).await?;
                }
            }
            Command::TakeControl => {
                if let (Some(device), Some(me)) = (presenter, moderator.member()) {
                    moderator.give_control(device, me);
                }
            }
            Command::Present { member } => {
                moderator.present(MemberId(member));
            }
            Command::Deputy(deputy) => {
                if !moderator.set_deputy(deputy.map(MemberId)) {
                    self.driver.events.send(Event::Notice(Notice::NotPossible)).await?;
                }
            }
            Command::HandOver { member } => {
                if !(moderator.set_deputy(Some(MemberId(member))) && moderator.hand_over()) {
                    self.driver.events.send(Event::Notice(Notice::NotPossible)).await?;
                }
            }
            other => tracing::debug!(?other, "not for a moderator"),
        }
        Ok(())
    }

    async fn admit(&mut self, member: MemberId) -> Result<(), Nobody> {
        let waits = self.roll.waits_no_longer(member);
        let Some(moderator) = self.part.moderator() else { return Ok(()) };
        match waits {
            Some(Wait::Word) => moderator.confirm_code(member),
            _ => moderator.admit(member),
        }
        self.driver.events.send(Event::Left { member: member.0 }).await?;
        if self.panel.is_none() && waits != Some(Wait::Word) {
            self.driver.events.send(Event::Joined).await?;
            self.stage = Stage::Joining;
        }
        Ok(())
    }

    /// Tells what the moderator has to say.
    pub(super) async fn moderated(&mut self, event: ModeratorEvent) -> Result<Step, Nobody> {
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
            // Those who are in stay; there is nobody else to let in.
            ModeratorEvent::NumberBurned if self.panel.is_none() => return Ok(Step::Renew),
            ModeratorEvent::Members(list) => self.listed(*list).await?,
            ModeratorEvent::Removed { member } => {
                events.send(Event::Removed { member: member.0 }).await?;
            }
            ModeratorEvent::AsksControl { member } => {
                events.send(Event::AsksControl { member: member.0 }).await?;
            }
            ModeratorEvent::RostersDiffer { .. } => events.send(Event::ListsDiffer).await?,
            ModeratorEvent::Presents { .. } => {
                if let Some(moderator) = self.part.moderator() {
                    moderator.watch(true);
                }
                self.silence(Silence { of_panel: false, ..self.silence }).await?;
            }
            ModeratorEvent::Away { member, is_away } => self.away(member, is_away).await?,
            ModeratorEvent::Silent(of_panel) => {
                self.silence(Silence { of_panel, ..self.silence }).await?;
            }
            ModeratorEvent::HandedOver(onlooker) => self.retire(*onlooker).await?,
            ModeratorEvent::Restart { report, .. } => self.restart_report(report).await?,
            ModeratorEvent::Returned { member, .. } => {
                (self.panel, self.awaits_return) = (Some(member), true);
            }
            ModeratorEvent::NotBack { .. } => return self.not_back().await,
            ModeratorEvent::Gone { member, why, .. } => return self.gone(member, &why).await,
            ModeratorEvent::Ended(why) => {
                let ended_here = self.ending.take().filter(|_| why == EndOfSession::Ended);
                return Ok(Step::Over(ended_here.unwrap_or_else(|| translate::session_end(why))));
            }
            event => self.arrival(event).await?,
        }
        Ok(Step::On)
    }

    /// Somebody is on the way in.
    async fn arrival(&mut self, event: ModeratorEvent) -> Result<(), Nobody> {
        let events = &self.driver.events;
        match event {
            // Whoever else types the number waits beside the session that goes on.
            ModeratorEvent::Joining if self.panel.is_some() => {}
            ModeratorEvent::Joining => {
                self.stage = Stage::Joining;
                events.send(Event::Joined).await?;
            }
            ModeratorEvent::Knocking { member, name } => {
                let knock = (member, name.to_string(), true);
                return self.knock(knock, Need::Name).await;
            }
            ModeratorEvent::Checked { member, role, level, name } => {
                let (who, level) = (name.to_string(), translate::level(level));
                if role != Role::Device {
                    return self.knock((member, who, false), Need::Checked(level)).await;
                }
                if self.panel.is_none() {
                    (self.panel, self.stage) = (Some(member), Stage::Comparing);
                    events.send(Event::Checked { who, level }).await?;
                }
            }
            ModeratorEvent::Compare { member, role, code, name } => {
                // Six digits always are a code.
                let Ok(code) = code.digits().parse() else { return Ok(()) };
                let who = name.to_string();
                if role == Role::Device && self.panel.is_none() {
                    (self.panel, self.stage) = (Some(member), Stage::Comparing);
                    events.send(Event::Code { code, who }).await?;
                } else {
                    let knock = (member, who, role == Role::Device);
                    return self.knock(knock, Need::Compare(code)).await;
                }
            }
            ModeratorEvent::Connected { member, role, name, rights, level } => {
                let peer = (rights, translate::level(level));
                self.entered((member, role), name.to_string(), peer).await?;
            }
            event => self.of_panel(event).await?,
        }
        Ok(())
    }

    /// Somebody waits until the technician has looked.
    async fn knock(
        &mut self,
        (member, who, is_device): (MemberId, String, bool),
        need: Need,
    ) -> Result<(), Nobody> {
        let events = &self.driver.events;
        if self.panel.is_none() && self.stage == Stage::Joining {
            self.stage = Stage::Waiting;
            events.send(Event::JoinFailed).await?;
        }
        self.roll.wait(member, if need == Need::Name { Wait::Name } else { Wait::Word });
        events.send(Event::Knocking(Knock { member: member.0, who, is_device, need })).await
    }

    async fn entered(
        &mut self,
        (member, role): (MemberId, Role),
        who: String,
        (rights, level): (Rights, model::Level),
    ) -> Result<(), Nobody> {
        let events = &self.driver.events;
        if role == Role::Device && self.stage != Stage::Connected {
            (self.panel, self.stage) = (Some(member), Stage::Connected);
            self.roll.told = Some((Some(member), rights));
            let rights = translate::rights(rights);
            return events.send(Event::Connected(Peer { name: who, rights, level })).await;
        }
        events.send(Event::Left { member: member.0 }).await?;
        events.send(Event::Entered { member: member.0, who }).await?;
        if self.panel == Some(member) && std::mem::take(&mut self.awaits_return) {
            events.send(Event::Restart(RestartEvent::Back)).await?;
        }
        Ok(())
    }

    /// Something about the panel that is seen.
    async fn of_panel(&mut self, event: ModeratorEvent) -> Result<(), Nobody> {
        let events = &self.driver.events;
        match event {
            ModeratorEvent::Screen(report) => {
                events.send(Event::Screen(translate::screen(report))).await
            }
            ModeratorEvent::Picture(update) => {
                self.picture(update);
                Ok(())
            }
            ModeratorEvent::InputDropped(count) => self.dropped(count).await,
            ModeratorEvent::Terminal(report) => self.terminal(&report).await,
            ModeratorEvent::Files { id, what } => {
                self.moving.answered(id, what);
                Ok(())
            }
            ModeratorEvent::Paused(is_paused) => self.paused(is_paused).await,
            // The list of members says it, too; this is for whoever controls it.
            ModeratorEvent::Rights { .. } => Ok(()),
            ModeratorEvent::Outputs(outputs) => {
                events.send(Event::Outputs(translate::outputs(&outputs))).await
            }
            ModeratorEvent::Covered(parts) => {
                events.send(Event::Covered(translate::parts(&parts))).await
            }
            ModeratorEvent::Arrows { are_shown, dropped } => {
                events.send(Event::Arrows { are_shown, dropped }).await
            }
            ModeratorEvent::CannotType(c) => {
                events.send(Event::Notice(Notice::CannotType(c))).await
            }
            _ => Ok(()),
        }
    }

    /// Somebody else moderates from now on, as it was asked for.
    async fn retire(&mut self, onlooker: Onlooker) -> Result<(), Nobody> {
        self.cancel_files();
        self.part = Part::Onlooker(Box::new(onlooker));
        // Whoever moderates now does not know what it comes back with.
        self.awaits_return = false;
        self.driver.events.send(Event::Role(model::Role::Onlooker)).await?;
        if let Some((_, rights)) = &mut self.roll.told {
            *rights = rights.without(Rights::CONTROL);
            let rights = translate::rights(*rights);
            self.driver.events.send(Event::RightsChanged(rights)).await?;
        }
        Ok(())
    }

    /// Without a code nothing was at stake: the number waits for the next. Afterwards people
    /// were talking to each other, and it is over, unless others are there.
    async fn gone(&mut self, member: MemberId, gone: &ParticipantGone) -> Result<Step, Nobody> {
        tracing::info!(?gone, member = member.0, "somebody is gone");
        if *gone == ParticipantGone::Restarts {
            return self.awaited(member).await;
        }
        let name = self.roll.forget(member);
        let events = &self.driver.events;
        let is_panel = self.panel == Some(member);
        let was_inside = is_panel && self.stage == Stage::Connected || name.is_some();
        let is_alone = self.roll.is_alone(self.part.member());
        if is_alone && (was_inside && self.stage == Stage::Connected || is_panel) {
            return Ok(Step::Over(translate::gone(gone)));
        }
        events.send(Event::Left { member: member.0 }).await?;
        if let Some(who) = name {
            events.send(Event::Gone { member: member.0, who }).await?;
            self.tell_members().await?;
            if self.stage == Stage::Connected {
                self.tell_presenter().await?;
            }
            return Ok(Step::On);
        }
        if matches!(gone, ParticipantGone::Handshake(HandshakeError::Password)) {
            events.send(Event::WrongPassword).await?;
        }
        if self.stage != Stage::Connected && (is_panel || self.panel.is_none()) {
            self.panel = None;
            if is_panel || self.stage == Stage::Joining {
                self.stage = Stage::Waiting;
                events.send(Event::JoinFailed).await?;
            }
        }
        Ok(Step::On)
    }
}
