//! Files that a technician reads and writes.
//!
//! This process touches none. It holds each message against the consent, passes it on to the
//! process that does the work, shows that files move, and notes which.

use std::time::Instant;

use lotse_protocol::message::{FileError, FromFiles, Rights, ToFiles};

use super::MachineProcess;
use crate::ipc::{ToNetwork, ToPrograms};
use crate::panel::Name;

/// What is being done with files.
#[derive(Debug)]
pub(super) struct Moving {
    id: u16,
    right: Rights,
    /// Read or written; a folder that is looked into is not worth telling.
    is_file: bool,
    bytes: u64,
    since: Instant,
}

/// The right that a message needs; `None` if none.
fn right_of(what: &ToFiles) -> Option<Rights> {
    match what {
        ToFiles::List { .. } | ToFiles::Read { .. } | ToFiles::Taken(_) => Some(Rights::FILE_READ),
        ToFiles::Write { .. } | ToFiles::Data(_) => Some(Rights::FILE_WRITE),
        _ => None,
    }
}

impl MachineProcess {
    /// The technician wants something of the files here.
    pub(super) fn files(&mut self, id: u16, what: ToFiles, now: Instant) {
        let Some(right) = right_of(&what) else { return self.close_files(now) };
        if !self.session.allows(right) {
            log::warn!("no file is touched without consent");
            return self.tell_files(id, FromFiles::Failed(FileError::NotAllowed));
        }
        if !self.programs.files.allows(right) {
            return self.tell_files(id, FromFiles::Failed(FileError::NotSetUp));
        }
        let asked = match &what {
            ToFiles::List { path, .. } => Some(("looks into", path, None)),
            ToFiles::Read { path, .. } => Some(("reads", path, None)),
            ToFiles::Write { path, size, .. } => Some(("writes", path, Some(*size))),
            _ => None,
        };
        if let Some((does, path, size)) = asked {
            self.close_files(now);
            let who = self.session.moderator().map_or("", Name::as_str);
            let size = size.map(|size| format!(", {size} bytes")).unwrap_or_default();
            log::info!("files: {who} {does} {:?}{size}", path.as_str());
            let is_file = !matches!(what, ToFiles::List { .. });
            self.programs.moving = Some(Moving { id, right, is_file, bytes: 0, since: now });
            self.show_files(is_file, now);
        }
        let goes_on = self.programs.moving.as_ref();
        if goes_on.is_some_and(|moving| (moving.id, moving.right) == (id, right)) {
            self.programs.link.send(&ToPrograms::Files { id, what });
        }
    }

    /// What was asked for is answered.
    pub(super) fn files_answered(&mut self, id: u16, what: FromFiles, now: Instant) {
        let Some(moving) = self.programs.moving.as_mut().filter(|moving| moving.id == id) else {
            return;
        };
        match &what {
            FromFiles::Data(bytes) => moving.bytes += bytes.as_slice().len() as u64,
            FromFiles::Taken(count) => moving.bytes += u64::from(*count),
            FromFiles::Reading { size } => log::info!("files: it has {size} bytes"),
            FromFiles::Done { .. } => self.files_ended("done", now),
            FromFiles::Entries { .. } => self.files_ended("looked into", now),
            FromFiles::Failed(error) => self.files_ended(&format!("{error:?}"), now),
            _ => {}
        }
        self.tell_files(id, what);
    }

    /// Whatever is being done with files ends. For the technician it is over at once.
    pub(super) fn close_files(&mut self, now: Instant) {
        let Some(id) = self.programs.moving.as_ref().map(|moving| moving.id) else { return };
        self.programs.link.send(&ToPrograms::Files { id, what: ToFiles::Cancel });
        self.tell_files(id, FromFiles::Failed(FileError::Stopped));
        self.files_ended("stopped", now);
    }

    /// The process that does it is gone.
    pub(super) fn files_lost(&mut self, now: Instant) {
        if let Some(id) = self.programs.moving.as_ref().map(|moving| moving.id) {
            self.tell_files(id, FromFiles::Failed(FileError::Failed));
            self.files_ended("the programs process is gone", now);
        }
    }

    /// Ends what is being done without its right.
    pub(super) fn limit_files(&mut self, left: Rights, now: Instant) {
        let moving = self.programs.moving.as_ref();
        if moving.is_some_and(|moving| !left.allows(moving.right)) {
            self.close_files(now);
        }
    }

    fn files_ended(&mut self, how: &str, now: Instant) {
        let Some(moving) = self.programs.moving.take().filter(|moving| moving.is_file) else {
            return;
        };
        let seconds = now.saturating_duration_since(moving.since).as_secs_f32();
        log::info!("files: {} bytes in {seconds:.1} s: {how}", moving.bytes);
        self.show_files(false, now);
    }

    fn tell_files(&mut self, id: u16, what: FromFiles) {
        self.network.send(&ToNetwork::Files { id, what });
    }

    fn show_files(&mut self, moves_files: bool, now: Instant) {
        self.panel.change(|connected| connected.moves_files = moves_files, now);
    }
}
