//! What the console knows: the state of the session, what may be asked of it, what happens to it.
//!
//! Nothing here knows a window, a socket or a thread. A driver takes [`Command`]s and yields
//! [`Event`]s; [`Model::apply`] turns events into the state that window and command line show.

mod access;
mod command;
mod event;
mod files;
pub mod held;
mod live;
mod members;
pub mod picture;
mod queue;
mod restart;
mod state;
mod terminal;

pub use access::{Access, Invitation, Knock, Need};
pub use command::{Button, Command, KeyCode, PixelPoint, TouchPhase};
pub use event::{EndReason, Event, Latency, Notice, Output, ScreenState};
pub use files::{FilesCommand, FilesEnd, FilesEvent, Listed};
pub use live::Live;
pub use members::{Group, Member, Role};
pub use queue::{CommandQueue, MAX_QUEUED_COMMANDS, QueueFull};
pub use restart::{Restart, RestartEvent};
pub use state::{
    Code, Invalid, Level, MAX_NAME_CHARS, Model, Peer, Right, Rights, SessionState, UnknownRight,
};
pub use terminal::{
    TERMINAL_SIZE, Terminal, TerminalCommand, TerminalEnd, TerminalEvent,
    bounded as bounded_terminal,
};
