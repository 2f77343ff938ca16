//! The terminal at the panel, as it is shown here.
//!
//! What it writes comes from a machine that may be hostile. It is interpreted in memory alone, by
//! an emulator with a bounded size and a bounded scrollback, and never reaches this computer's own
//! terminal as it is.

use std::fmt;
use std::num::NonZeroU16;

/// Rows that scrolled off and are kept.
const SCROLLBACK: usize = 2_000;

/// The largest and smallest side of a terminal, in characters.
const SIDES: std::ops::RangeInclusive<u16> = 2..=500;

/// The size that a terminal has until somebody says otherwise: columns and rows.
pub const TERMINAL_SIZE: (u16, u16) = (100, 28);

/// Something to do with the terminal.
#[derive(Clone, PartialEq, Eq)]
pub enum TerminalCommand {
    /// Open one, so many columns wide and so many rows high.
    Open(u16, u16),
    /// Type this.
    Type(Vec<u8>),
    /// It has so many columns and rows.
    Resize(u16, u16),
    /// Look so many rows back; done here alone.
    Look(usize),
    /// Close it: whatever runs in it ends.
    Close,
}

/// Something that happened to the terminal.
#[derive(Clone, PartialEq, Eq)]
pub enum TerminalEvent {
    /// It is there.
    Opened,
    /// It has written this.
    Output(Vec<u8>),
    /// It is over.
    Ended(TerminalEnd),
}

/// What became of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalEnd {
    /// Its program ended with this status.
    Exited(i32),
    /// Its program was ended by this signal.
    Killed(i32),
    /// It was closed, here or at the panel.
    Closed,
    /// None is set up at the panel.
    NotSetUp,
    /// It could not be opened.
    Failed,
}

impl TerminalEnd {
    /// The word for scripts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exited(_) => "exited",
            Self::Killed(_) => "killed",
            Self::Closed => "closed",
            Self::NotSetUp => "not-set-up",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Debug for TerminalCommand {
    /// Without what was typed, so that it may stand in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open(..) => "Open",
            Self::Type(_) => "Type",
            Self::Resize(..) => "Resize",
            Self::Look(_) => "Look",
            Self::Close => "Close",
        })
    }
}

impl fmt::Debug for TerminalEvent {
    /// Without what was written, so that it may stand in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened => f.write_str("Opened"),
            Self::Output(bytes) => write!(f, "Output({})", bytes.len()),
            Self::Ended(end) => write!(f, "Ended({end:?})"),
        }
    }
}

/// The terminal and all that is on it.
pub struct Terminal {
    parser: vt100::Parser,
    is_open: bool,
    ended: Option<TerminalEnd>,
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal").field("is_open", &self.is_open).finish_non_exhaustive()
    }
}

impl Clone for Terminal {
    /// A terminal without what is on it: that belongs to one session.
    fn clone(&self) -> Self {
        Self { is_open: self.is_open, ended: self.ended, ..Self::default() }
    }
}

impl Default for Terminal {
    fn default() -> Self {
        let (columns, rows) = TERMINAL_SIZE;
        let parser = vt100::Parser::new(side(rows), side(columns), SCROLLBACK);
        Self { parser, is_open: false, ended: None }
    }
}

impl Terminal {
    /// Whether there is one.
    pub const fn is_open(&self) -> bool {
        self.is_open
    }

    /// What became of the last one.
    pub const fn ended(&self) -> Option<TerminalEnd> {
        self.ended
    }

    /// What is on it.
    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    fn scroll_to(&mut self, rows: usize) {
        self.parser.screen_mut().set_scrollback(rows);
    }

    /// Notes a command, for what shows at once.
    pub(super) fn note(&mut self, command: &TerminalCommand) {
        match command {
            TerminalCommand::Open(columns, rows) if !self.is_open => {
                *self = Self::default();
                self.resize(*columns, *rows);
            }
            TerminalCommand::Resize(columns, rows) => self.resize(*columns, *rows),
            TerminalCommand::Type(_) => self.scroll_to(0),
            TerminalCommand::Look(rows) => self.scroll_to(*rows),
            TerminalCommand::Open(..) | TerminalCommand::Close => {}
        }
    }

    fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.screen_mut().set_size(side(rows), side(columns));
    }

    pub(super) fn apply(&mut self, event: &TerminalEvent) {
        match event {
            TerminalEvent::Opened => (self.is_open, self.ended) = (true, None),
            TerminalEvent::Output(bytes) => self.parser.process(bytes),
            TerminalEvent::Ended(end) => (self.is_open, self.ended) = (false, Some(*end)),
        }
    }
}

/// A size that a terminal can have.
pub fn bounded(columns: u16, rows: u16) -> (u16, u16) {
    (side(columns).get(), side(rows).get())
}

/// A side that a terminal can have.
fn side(wanted: u16) -> NonZeroU16 {
    NonZeroU16::new(wanted.clamp(*SIDES.start(), *SIDES.end())).unwrap_or(NonZeroU16::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_output_and_no_size_panics(
            pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..200), any::<(u16, u16)>()), 0..8),
            text in "[\\x1b\\[\\]?;0-9A-Za-z@`\\u{9b}漢é\\r\\n\\t]{0,200}",
        ) {
            let mut terminal = Terminal::default();
            for (bytes, (columns, rows)) in pieces {
                terminal.apply(&TerminalEvent::Output(bytes));
                terminal.note(&TerminalCommand::Resize(columns, rows));
                terminal.apply(&TerminalEvent::Output(text.clone().into_bytes()));
            }
        }
    }

    #[test]
    fn what_is_written_is_on_the_screen_and_not_in_a_log() {
        let mut terminal = Terminal::default();
        let output = TerminalEvent::Output(b"\x1b[31msecret\x1b[0m".to_vec());
        assert_eq!(format!("{output:?}"), "Output(15)");
        terminal.apply(&output);
        assert_eq!(terminal.screen().contents(), "secret");
        let typed = TerminalCommand::Type(b"secret".to_vec());
        assert_eq!(format!("{typed:?}"), "Type");
    }

    #[test]
    fn what_scrolled_off_is_kept_up_to_a_bound() {
        let mut terminal = Terminal::default();
        for line in 0..3 * SCROLLBACK {
            terminal.apply(&TerminalEvent::Output(format!("{line}\r\n").into_bytes()));
        }
        terminal.scroll_to(usize::MAX);
        assert_eq!(terminal.screen().scrollback(), SCROLLBACK);
    }
}
