//! A panel that is restarted, and waited for.

use lotse_protocol::MemberId;
use lotse_protocol::message::RestartReport;

use super::Nobody;
use super::session::{Running, Silence, Stage, Step};
use crate::model::{EndReason, Event, RestartEvent, TerminalEnd, TerminalEvent};

impl Running<'_> {
    /// What the panel says of a restart.
    pub(super) async fn restart_report(&mut self, report: RestartReport) -> Result<(), Nobody> {
        let news = match report {
            RestartReport::Announced { in_s } => RestartEvent::Announced(in_s),
            RestartReport::Prevented => RestartEvent::Prevented,
            RestartReport::NotSetUp => RestartEvent::NotSetUp,
            // Told when it is gone.
            RestartReport::Leaves => return Ok(()),
            RestartReport::Done => RestartEvent::Done,
            _ => RestartEvent::Failed,
        };
        self.driver.events.send(Event::Restart(news)).await
    }

    /// A panel is gone and may come back: the session goes on without it for a while.
    pub(super) async fn awaited(&mut self, member: MemberId) -> Result<Step, Nobody> {
        self.roll.forget(member);
        if !std::mem::replace(&mut self.awaits_return, true) {
            self.cancel_files();
            let events = &self.driver.events;
            events.send(Event::Terminal(TerminalEvent::Ended(TerminalEnd::Closed))).await?;
            events.send(Event::Restart(RestartEvent::Leaves)).await?;
            self.tell_members().await?;
        }
        if self.roll.presenter().is_none() {
            self.silence(Silence { of_panel: true, ..self.silence }).await?;
        }
        Ok(Step::On)
    }

    /// It does not come back any more.
    pub(super) async fn not_back(&mut self) -> Result<Step, Nobody> {
        self.awaits_return = false;
        self.driver.events.send(Event::Restart(RestartEvent::NotBack)).await?;
        if self.stage == Stage::Connected && self.roll.is_alone(self.part.member()) {
            return Ok(Step::Over(EndReason::PanelLeft));
        }
        self.silence(Silence { of_panel: false, ..self.silence }).await?;
        self.tell_presenter().await?;
        Ok(Step::On)
    }
}
