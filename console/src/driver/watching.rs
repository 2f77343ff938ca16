//! This program looks on: what it does when asked, and what is told of what happens.

use std::time::Instant;

use lotse_protocol::handshake::Password;
use lotse_protocol::message::{DeviceEnd, Rights};
use lotse_protocol::session::{EndReason as Why, Inheritance, Moderator, OnlookerEvent};

use super::part::Part;
use super::session::{Running, Silence, Stage, Step};
use super::{Nobody, translate};
use crate::model::{Command, EndReason, Event, Peer, Role};

impl Running<'_> {
    /// Does what only somebody can who looks on.
    pub(super) fn look_on(&mut self, command: Command) {
        let Some(onlooker) = self.part.onlooker() else { return };
        match command {
            Command::CodesMatch => onlooker.confirm_code(Instant::now()),
            Command::CodesDiffer => {
                self.ending = Some(EndReason::CodesDiffer);
                onlooker.end();
            }
            Command::NotExpected => {
                self.ending = Some(EndReason::Cancelled);
                onlooker.end();
            }
            Command::Password(text) => {
                if let Ok(password) = Password::spoken(&text).or_else(|_| Password::link(&text)) {
                    self.is_guessing = true;
                    onlooker.enter_password(&password);
                }
            }
            Command::AskControl => onlooker.ask_control(),
            other => tracing::debug!(?other, "not for somebody who looks on"),
        }
    }

    /// Tells what the onlooker has to say.
    pub(super) async fn looked_on(&mut self, event: OnlookerEvent) -> Result<Step, Nobody> {
        let events = &self.driver.events;
        match event {
            OnlookerEvent::Joined => events.send(Event::Joined).await?,
            OnlookerEvent::AskPassword => events.send(Event::AskPassword).await?,
            OnlookerEvent::Compare { name, code } => {
                self.stage = Stage::Comparing;
                // Six digits always are a code.
                if let Ok(code) = code.digits().parse() {
                    events.send(Event::Code { code, who: name.to_string() }).await?;
                }
            }
            OnlookerEvent::Checked { name, level } => {
                (self.stage, self.is_guessing) = (Stage::Comparing, false);
                let (who, level) = (name.to_string(), translate::level(level));
                events.send(Event::Checked { who, level }).await?;
            }
            // The list of members follows, which says what is seen.
            OnlookerEvent::Connected => {}
            OnlookerEvent::Members(list) => {
                if self.stage == Stage::Connected {
                    self.listed(*list).await?;
                } else {
                    self.let_in(*list).await?;
                }
            }
            OnlookerEvent::Picture(update) => self.picture(update),
            // The list says it, too, and all the rights that are left.
            OnlookerEvent::Control(has) => self.control(has).await?,
            OnlookerEvent::InputDropped(count) => self.dropped(count).await?,
            OnlookerEvent::Arrows { are_shown, dropped } => {
                events.send(Event::Arrows { are_shown, dropped }).await?;
            }
            OnlookerEvent::Paused(is_paused) => self.paused(is_paused).await?,
            OnlookerEvent::Silent(of_panel) => {
                self.silence(Silence { of_panel, ..self.silence }).await?;
            }
            OnlookerEvent::Away(is_away) => {
                if let Some(moderator) = self.roll.moderator() {
                    self.away(moderator, is_away).await?;
                }
            }
            OnlookerEvent::RostersDiffer => events.send(Event::ListsDiffer).await?,
            OnlookerEvent::TakeOver(inheritance) => self.take_over(*inheritance).await?,
            OnlookerEvent::Ended(why) => return Ok(Step::Over(self.end_of(why))),
            _ => {}
        }
        Ok(Step::On)
    }

    async fn let_in(&mut self, list: lotse_protocol::session::Roster) -> Result<(), Nobody> {
        self.stage = Stage::Connected;
        self.roll.take(list);
        let presented = self.roll.presented(self.part.member());
        let (told, peer) = match presented {
            Some((member, rights, peer)) => ((Some(member), rights), peer),
            None => ((None, Rights::NONE), Peer::nobody()),
        };
        self.roll.told = Some(told);
        self.driver.events.send(Event::Connected(peer)).await?;
        self.tell_members().await
    }

    /// Control is there, or is gone, from this moment on.
    async fn control(&mut self, has: bool) -> Result<(), Nobody> {
        let Some((_, rights)) = &mut self.roll.told else { return Ok(()) };
        let now = if has { rights.with(Rights::CONTROL) } else { rights.without(Rights::CONTROL) };
        if now != *rights {
            *rights = now;
            let rights = translate::rights(now);
            self.driver.events.send(Event::RightsChanged(rights)).await?;
        }
        Ok(())
    }

    /// The moderator is lost or has handed over, and this program is its deputy.
    async fn take_over(&mut self, inheritance: Inheritance) -> Result<(), Nobody> {
        let config = self.own.config(None);
        let rng = Box::new(rand_core::OsRng);
        let mut moderator = Moderator::inherit(config, inheritance, rng, Instant::now());
        moderator.watch(true);
        self.part = Part::Moderator(Box::new(moderator));
        self.panel = self.roll.presenter();
        self.silence(Silence { of_panel: false, ..self.silence }).await?;
        self.driver.events.send(Event::Role(Role::Moderator)).await
    }

    fn end_of(&mut self, why: Why) -> EndReason {
        match (self.ending.take(), why) {
            (Some(ending), Why::Here(DeviceEnd::Stopped)) => ending,
            _ => translate::watched_end(why, std::mem::take(&mut self.is_guessing)),
        }
    }
}
