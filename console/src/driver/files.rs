//! Files on their way: between the session and the thread that reads and writes them here.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use lotse_protocol::message::{FileError, FromFiles, ToFiles};
use tokio::sync::mpsc;

use super::Nobody;
use super::session::{Running, Step};
use super::transfer;
use crate::model::{Event, FilesCommand, FilesEnd, FilesEvent};

/// Answers that wait for the thread at most. A panel that keeps to the window sends less.
const MAX_ANSWERS: usize = 256;

/// What the thread says that waits at most.
const MAX_SAID: usize = 32;

/// What the thread says.
#[derive(Debug)]
pub(super) enum Said {
    /// To the panel.
    Ask(ToFiles),
    /// To the console.
    Tell(FilesEvent),
}

/// The thread's ends.
pub(super) struct Way {
    pub(super) id: u16,
    pub(super) said: mpsc::Sender<(u16, Said)>,
    pub(super) answers: Receiver<FromFiles>,
}

/// The session's ends.
pub(super) struct Moving {
    /// The number of the request of the moment.
    id: u16,
    answers: Option<SyncSender<FromFiles>>,
    sender: mpsc::Sender<(u16, Said)>,
    said: mpsc::Receiver<(u16, Said)>,
}

impl Default for Moving {
    fn default() -> Self {
        let (sender, said) = mpsc::channel(MAX_SAID);
        Self { id: 0, answers: None, sender, said }
    }
}

impl Moving {
    /// What the thread says next.
    pub(super) async fn next(&mut self) -> (u16, Said) {
        match self.said.recv().await {
            Some(said) => said,
            // Not while this side has a sender itself.
            None => std::future::pending().await,
        }
    }

    /// Begins something; what was before ends.
    fn begin(&mut self, command: FilesCommand) -> std::io::Result<()> {
        self.id = self.id.wrapping_add(1);
        let (answers, receiver) = sync_channel(MAX_ANSWERS);
        let way = Way { id: self.id, said: self.sender.clone(), answers: receiver };
        self.answers = Some(answers);
        let name = "files".to_owned();
        std::thread::Builder::new().name(name).spawn(move || transfer::run(&way, command))?;
        Ok(())
    }

    /// The panel has answered.
    pub(super) fn answered(&mut self, id: u16, what: FromFiles) {
        if id == self.id
            && let Some(answers) = &self.answers
            && answers.try_send(what).is_err()
        {
            // It does not keep to the window, or nobody wants it any more.
            self.answers = None;
        }
    }
}

impl Running<'_> {
    /// Something is to be done with files.
    pub(super) async fn files(&mut self, command: FilesCommand) -> Result<(), Nobody> {
        if command == FilesCommand::Cancel {
            self.cancel_files();
            return Ok(());
        }
        if let Err(error) = self.moving.begin(command) {
            let end = FilesEvent::Failed(FilesEnd::Here(error.to_string()));
            self.driver.events.send(Event::Files(end)).await?;
        }
        Ok(())
    }

    /// Nothing more of a file is wanted.
    pub(super) fn cancel_files(&mut self) {
        if self.moving.answers.take().is_some()
            && let Some(moderator) = self.part.moderator()
        {
            moderator.files(self.moving.id, ToFiles::Cancel);
        }
    }

    /// The thread says something.
    pub(super) async fn files_said(&mut self, (id, said): (u16, Said)) -> Result<Step, Nobody> {
        if id == self.moving.id {
            match said {
                Said::Ask(what) => {
                    if let (Some(moderator), Some(_)) =
                        (self.part.moderator(), &self.moving.answers)
                    {
                        moderator.files(id, what);
                    }
                }
                Said::Tell(event) => {
                    if event.is_over() {
                        self.moving.answers = None;
                    }
                    self.driver.events.send(Event::Files(event)).await?;
                }
            }
        }
        Ok(Step::On)
    }
}

/// Why the panel does not do it.
pub(super) fn end(error: FileError) -> FilesEnd {
    match error {
        FileError::NotSetUp => FilesEnd::NotSetUp,
        FileError::NotFound => FilesEnd::NotFound,
        FileError::NotAllowed => FilesEnd::NotAllowed,
        FileError::Exists => FilesEnd::Exists,
        FileError::NoSpace => FilesEnd::NoSpace,
        FileError::TooLarge => FilesEnd::TooLarge,
        FileError::Changed => FilesEnd::Changed,
        FileError::Differs => FilesEnd::Differs,
        FileError::Stopped => FilesEnd::Stopped,
        _ => FilesEnd::Failed,
    }
}
