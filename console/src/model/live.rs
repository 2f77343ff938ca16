//! What is so at the panel at the moment, while it is connected.

use super::{Command, Event, FilesEvent, RestartEvent, Terminal};

/// What is shown of the panel beside its picture.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// Whether somebody there uses it, so that nothing that is done here is carried out.
    pub is_paused: bool,
    /// Inputs that were not carried out there so far: too late, not allowed, or while somebody
    /// there used it.
    pub dropped: u64,
    /// Whether arrows are shown there, once somebody has pointed.
    pub arrows: Option<bool>,
    /// The terminal there.
    pub terminal: Terminal,
    /// What has become of files that were asked for.
    pub files: Option<FilesEvent>,
    /// What has become of a restart that was asked for, until the technician goes on.
    pub restart: Option<RestartEvent>,
}

impl Live {
    pub(super) fn note(&mut self, command: &Command) {
        match command {
            Command::Terminal(command) => self.terminal.note(command),
            Command::Files(super::FilesCommand::Cancel) => {}
            Command::Files(_) => self.files = None,
            Command::Restart(_) => self.restart = None,
            Command::Text(_)
            | Command::Key { pressed: true, .. }
            | Command::PointerButton { pressed: true, .. }
            | Command::Touch { .. } => {
                self.restart.take_if(|news| news.is_over());
            }
            _ => {}
        }
    }

    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::Paused(is_paused) => self.is_paused = *is_paused,
            Event::InputDropped(count) => {
                self.dropped = self.dropped.saturating_add(u64::from(*count));
            }
            Event::Arrows { are_shown, .. } => self.arrows = Some(*are_shown),
            // Another panel may be able to show what this one is not.
            Event::Presents(_) => self.arrows = None,
            Event::Terminal(event) => self.terminal.apply(event),
            Event::Files(event) => self.files = Some(event.clone()),
            Event::Restart(event) => self.restart = Some(*event),
            Event::Connected(_) => *self = Self::default(),
            _ => {}
        }
    }
}
