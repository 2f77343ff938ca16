//! What programs are started for a technician: a terminal.
//!
//! This process starts none. It holds what is asked for against the consent, tells the process
//! that does, and shows it.

use std::time::Instant;

use lotse_protocol::message::{FromTerminal, Rights, TerminalEnd, ToTerminal};

use super::MachineProcess;
use super::files::Moving;
use super::link::ProgramsLink;
use crate::ipc::{FromPrograms, ToNetwork, ToPrograms};
use crate::panel::Name;

/// The process that starts programs, and what it does at the moment.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) link: ProgramsLink,
    has_terminals: bool,
    /// Whether the application, and whether the machine can be restarted.
    pub(super) restarts: (bool, bool),
    /// What can be done with files.
    pub(super) files: Rights,
    /// What is being done with them.
    pub(super) moving: Option<Moving>,
    /// Since when a terminal is open.
    terminal: Option<Instant>,
}

impl Programs {
    pub(super) fn new(link: ProgramsLink) -> Self {
        let (files, restarts) = (Rights::NONE, (false, false));
        Self { link, has_terminals: false, restarts, files, moving: None, terminal: None }
    }

    /// What can be offered of that which needs programs.
    pub(super) fn rights(&self) -> Rights {
        let shell = if self.has_terminals { Rights::SHELL } else { Rights::NONE };
        let shell = shell.with(self.files);
        let (application, machine) = self.restarts;
        if application || machine { shell.with(Rights::REBOOT) } else { shell }
    }
}

/// Rights that need a program to be started.
const NEED_PROGRAMS: Rights =
    Rights::SHELL.with(Rights::REBOOT).with(Rights::FILE_READ).with(Rights::FILE_WRITE);

impl MachineProcess {
    /// What can be offered at all: not what needs programs that nobody has set up.
    pub(super) fn possible(&self) -> Rights {
        Rights::KNOWN.without(NEED_PROGRAMS).with(self.programs.rights())
    }

    /// Lets the process in that starts programs, or notices that it is gone.
    pub(super) fn handle_programs_link(&mut self, now: Instant) {
        if self.programs.link.take_lost() {
            (self.programs.has_terminals, self.programs.restarts) = (false, (false, false));
            self.programs.files = Rights::NONE;
            self.terminal_ended(TerminalEnd::Failed, now);
            self.files_lost(now);
        }
        self.programs.link.accept();
    }

    /// The technician says something to a terminal.
    pub(super) fn terminal(&mut self, what: ToTerminal, now: Instant) {
        let is_open = self.programs.terminal.is_some();
        match &what {
            ToTerminal::Close => self.close_terminal(now),
            _ if !self.session.allows(Rights::SHELL) => {
                log::warn!("a terminal without consent is not opened");
            }
            ToTerminal::Open(_) if is_open => {}
            ToTerminal::Open(_) if !self.programs.has_terminals => {
                let ended = FromTerminal::Ended(TerminalEnd::NotSetUp);
                self.network.send(&ToNetwork::Terminal(ended));
            }
            ToTerminal::Open(_) => {
                let who = self.session.moderator().map_or("", Name::as_str);
                log::info!("a terminal is opened for {who}");
                self.programs.terminal = Some(now);
                self.programs.link.send(&ToPrograms::Terminal(what));
                self.show_terminal(true, now);
            }
            _ if is_open => self.programs.link.send(&ToPrograms::Terminal(what)),
            _ => {}
        }
    }

    /// The process that starts programs says something.
    pub(super) fn handle_programs(&mut self, message: FromPrograms, now: Instant) {
        match message {
            FromPrograms::Ready { terminal, application, machine, files } => {
                self.programs.files = files;
                self.programs.has_terminals = terminal;
                self.programs.restarts = (application, machine);
            }
            FromPrograms::Restarted { is_machine, is_done } => {
                self.restart_done(is_machine, is_done);
            }
            FromPrograms::Files { id, what } => self.files_answered(id, what, now),
            FromPrograms::Terminal(FromTerminal::Ended(how)) => self.terminal_ended(how, now),
            FromPrograms::Terminal(what) => {
                if self.programs.terminal.is_some() && self.session.allows(Rights::SHELL) {
                    self.network.send(&ToNetwork::Terminal(what));
                }
            }
        }
        self.handle_panel(now);
    }

    /// Whatever runs in a terminal ends. For the technician it is over at once.
    pub(super) fn close_terminal(&mut self, now: Instant) {
        if self.programs.terminal.is_some() {
            self.programs.link.send(&ToPrograms::Terminal(ToTerminal::Close));
            self.terminal_ended(TerminalEnd::Closed, now);
        }
    }

    fn terminal_ended(&mut self, how: TerminalEnd, now: Instant) {
        let Some(since) = self.programs.terminal.take() else { return };
        let seconds = now.saturating_duration_since(since).as_secs();
        log::info!("the terminal is closed after {seconds} s: {how:?}");
        self.network.send(&ToNetwork::Terminal(FromTerminal::Ended(how)));
        self.show_terminal(false, now);
    }

    fn show_terminal(&mut self, has_terminal: bool, now: Instant) {
        self.panel.change(|connected| connected.has_terminal = has_terminal, now);
    }
}
