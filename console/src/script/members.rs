//! Commands about those who are in a session besides the panel.

use std::io::{self, Write};
use std::time::Duration;

use lotse_protocol::SessionNumber;
use serde_json::Map;

use super::line::{Admission, Who};
use super::report;
use super::runner::{Outcome, Runner};
use crate::model::{Command, Knock, Model, Need, SessionState};

/// How long a session may take to answer.
const JOINING: Duration = Duration::from_secs(30);

/// One command about members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Watch { number: SessionNumber, password: Option<String> },
    WaitKnock(Duration),
    Admit(Admission),
    SendAway(Option<u16>),
    DifferOf(u16),
    Members,
    Kick(Who),
    WaitRemoved { who: Who, limit: Duration },
    Lock(bool),
    GiveControl(Who),
    TakeControl,
    AskControl,
    WaitControl(Duration),
    Present(Who),
    Deputy(Option<Who>),
    HandOver(Who),
    WaitModerator(Duration),
}

impl<W: Write> Runner<W> {
    pub(super) async fn of_members(&mut self, line: Line) -> io::Result<Outcome> {
        Ok(match line {
            Line::Watch { number, password } => return self.watch(number, password).await,
            Line::WaitKnock(limit) => {
                let knocks = |model: &Model| !model.access().knocking.is_empty();
                let outcome = self.wait(limit, move |model, _| knocks(model)).await?;
                outcome.map(|_| {
                    let first = self.model.access().knocking.first();
                    first.map(report::knock).unwrap_or_default()
                })
            }
            Line::WaitRemoved { who, limit } => {
                let gone = move |model: &Model| {
                    model.group().leaving.iter().all(|(id, name)| !who.is(*id, name))
                };
                return self.wait(limit, move |model, _| gone(model)).await;
            }
            Line::WaitControl(limit) => {
                return self.wait(limit, |model, _| model.may_control()).await;
            }
            Line::WaitModerator(limit) => {
                return self.wait(limit, |model, _| model.group().moderates()).await;
            }
            Line::Admit(admission) => self.admit(&admission),
            Line::SendAway(member) => match (member, self.model.state()) {
                (None, SessionState::Comparing { .. }) => self.command(Command::NotExpected),
                (member, _) => self
                    .knocking(member)
                    .and_then(|knock| self.command(Command::SendAway { member: knock.member })),
            },
            Line::DifferOf(member) => self
                .knocking(Some(member))
                .and_then(|knock| self.command(Command::CodesDifferOf { member: knock.member })),
            Line::Members => Ok(Map::from_iter([(
                "members".to_owned(),
                report::members(&self.model.group().members),
            )])),
            Line::AskControl => self.as_onlooker(Command::AskControl),
            line => self.as_moderator(line),
        })
    }

    /// What only the moderator can.
    fn as_moderator(&mut self, line: Line) -> Outcome {
        if !self.model.group().moderates() {
            return Err(self.not_now("this program looks on; only the moderator can do that"));
        }
        let command = match line {
            Line::Kick(who) => Command::Kick { member: self.member(&who)? },
            Line::Lock(is_locked) => Command::Lock(is_locked),
            Line::GiveControl(who) => Command::GiveControl { member: self.member(&who)? },
            Line::Present(who) => Command::Present { member: self.member(&who)? },
            Line::HandOver(who) => Command::HandOver { member: self.member(&who)? },
            Line::Deputy(who) => Command::Deputy(who.map(|who| self.member(&who)).transpose()?),
            _ => Command::TakeControl,
        };
        self.command(command)
    }

    fn as_onlooker(&mut self, command: Command) -> Outcome {
        if self.model.group().moderates() {
            return Err(self.not_now("this program moderates: say take-control"));
        }
        self.command(command)
    }

    async fn watch(
        &mut self,
        number: SessionNumber,
        password: Option<String>,
    ) -> io::Result<Outcome> {
        if let Err(error) = self.begin().await? {
            return Ok(Err(error));
        }
        let (server, name) = (self.server.clone(), self.view.name.clone());
        if let Err(error) = self.command(Command::Watch { server, name, number }) {
            return Ok(Err(error));
        }
        let answered = |model: &Model| !matches!(model.state(), SessionState::Joining { .. });
        let outcome = self.wait(JOINING, move |model, _| answered(model)).await?;
        if outcome.is_err() || !matches!(self.model.state(), SessionState::Password { .. }) {
            return Ok(outcome);
        }
        let Some(password) = password else {
            return Ok(Err("the session has a password: watch NUMBER PASSWORD".into()));
        };
        if let Err(error) = self.command(Command::Password(password)) {
            return Ok(Err(error));
        }
        self.wait(JOINING, move |model, _| answered(model)).await
    }

    fn admit(&mut self, admission: &Admission) -> Outcome {
        let knock = self.knocking(admission.member)?;
        match (knock.need, admission.code, admission.compared) {
            (Need::Compare(ours), Some(theirs), _) if ours != theirs => {
                Err("this side shows another code; if they really see that one, say: differ MEMBER"
                    .into())
            }
            (Need::Compare(_), None, false) => {
                Err("there is a code to compare: admit MEMBER 123456, as they see it".into())
            }
            _ => self.command(Command::Admit { member: knock.member }),
        }
    }

    /// Somebody who waits to be let in: this one, or who has waited longest.
    fn knocking(&self, member: Option<u16>) -> Result<Knock, String> {
        let mut waiting = self.model.access().knocking.iter();
        let found = waiting.find(|knock| member.is_none_or(|member| knock.member == member));
        found.cloned().ok_or_else(|| self.not_now("nobody waits to be let in"))
    }

    /// A member by its number or name.
    fn member(&self, who: &Who) -> Result<u16, String> {
        let members = &self.model.group().members;
        let mut found = members.iter().filter(|member| who.is(member.id, &member.name));
        match (found.next(), found.next()) {
            (Some(member), None) => Ok(member.id),
            (None, _) => Err(self.not_now("there is no such member; see `members`")),
            _ => Err(self.not_now("several are called so: say the number, see `members`")),
        }
    }
}
