//! A terminal at a device: what is typed, what it writes, and what becomes of it.
//!
//! Both directions are bounded by what the other side has taken: nobody sends more than
//! [`TERMINAL_WINDOW`] bytes beyond that.

use serde::{Deserialize, Serialize};

use super::List;

/// Bytes of a terminal in one message at most.
pub const MAX_TERMINAL_BYTES: usize = 1024;

/// Bytes that are on their way in one direction, and that the other side has not taken, at most.
pub const TERMINAL_WINDOW: u32 = 16 << 10;

/// What a terminal reads or writes. Its `Debug` says how much, not what.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TerminalBytes(List<u8, MAX_TERMINAL_BYTES>);

impl TerminalBytes {
    /// The first [`MAX_TERMINAL_BYTES`] of these.
    pub fn of(bytes: &[u8]) -> Self {
        Self(List::of(bytes.iter().copied()))
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.0.iter().as_slice()
    }
}

impl std::fmt::Debug for TerminalBytes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TerminalBytes({})", self.as_slice().len())
    }
}

/// How large a terminal is, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSize {
    /// Characters in a row.
    pub columns: u16,
    /// Rows.
    pub rows: u16,
}

/// From the moderator to a device's terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ToTerminal {
    /// Open one; nothing happens if there is one.
    Open(TerminalSize),
    /// This was typed.
    Typed(TerminalBytes),
    /// It has another size.
    Resize(TerminalSize),
    /// So many more bytes of its output were taken.
    Taken(u32),
    /// It is closed: whatever runs in it ends.
    Close,
}

/// From a device's terminal to the moderator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FromTerminal {
    /// It is there.
    Opened,
    /// It has written this.
    Output(TerminalBytes),
    /// So many more bytes of what was typed were taken.
    Taken(u32),
    /// It is over, or did not come to be.
    Ended(TerminalEnd),
}

/// What became of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TerminalEnd {
    /// Its program ended with this status.
    Exited(i32),
    /// Its program was ended by this signal.
    Killed(i32),
    /// It was closed, from either side.
    Closed,
    /// None is set up at the device.
    NotSetUp,
    /// It could not be opened.
    Failed,
}
