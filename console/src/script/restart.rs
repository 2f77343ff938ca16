//! Restarts, line by line.

use std::io::{self, Write};
use std::time::Duration;

use super::runner::{Outcome, Runner};
use crate::model::picture::Picture;
use crate::model::{Command, Model, Restart, Right, SessionState};

/// How long the panel may take to answer.
const ANSWER: Duration = Duration::from_secs(30);

impl<W: Write> Runner<W> {
    /// Asks for a restart, and waits until the panel has announced it.
    pub(super) async fn restart(&mut self, what: Restart) -> io::Result<Outcome> {
        if !self.model.peer().is_some_and(|peer| peer.rights.has(Right::Reboot)) {
            return Ok(Err(self.not_now("the panel allows no restart")));
        }
        if let Err(error) = self.command(Command::Restart(what)) {
            return Ok(Err(error));
        }
        let answered = |model: &Model, _: &Picture| model.live().restart.is_some();
        let outcome = self.wait(ANSWER, answered).await?;
        Ok(outcome.and_then(|details| match self.model.live().restart {
            Some(news) if news.is_over() && !news.is_success() => {
                Err(format!("nothing is restarted: {}", news.word()))
            }
            _ => Ok(details),
        }))
    }

    /// Waits until what was asked for is done, and the panel is seen again.
    pub(super) async fn wait_restarted(&mut self, limit: Duration) -> io::Result<Outcome> {
        let over = |model: &Model, _: &Picture| match model.live().restart {
            Some(news) if news.is_success() => {
                matches!(model.state(), SessionState::Connected(_))
            }
            news => news.is_none_or(|news| news.is_over()),
        };
        let outcome = self.wait(limit, over).await?;
        Ok(outcome.and_then(|details| match self.model.live().restart {
            Some(news) if news.is_success() => Ok(details),
            Some(news) => Err(format!("nothing is restarted: {}", news.word())),
            None => Err("no restart was asked for".to_owned()),
        }))
    }
}
