//! The terminal at the panel: nothing is sent that it has not room for.

use std::collections::VecDeque;

use lotse_protocol::message::{
    self, FromTerminal, MAX_TERMINAL_BYTES, TERMINAL_WINDOW, TerminalBytes, TerminalSize,
    ToTerminal,
};

use crate::model::{TerminalCommand, TerminalEnd, TerminalEvent, bounded_terminal};

/// Bytes that were typed and wait for room at most; what is typed beyond that is dropped.
const MAX_WAITING: usize = 256 << 10;

/// What is on its way to the terminal.
#[derive(Debug, Default)]
pub(super) struct Typing {
    waiting: VecDeque<u8>,
    /// Bytes that were sent and not taken.
    untaken: u32,
}

impl Typing {
    /// What is to be sent for a command. Typed bytes may wait.
    pub(super) fn command(&mut self, command: TerminalCommand) -> Vec<ToTerminal> {
        let size = |columns, rows| {
            let (columns, rows) = bounded_terminal(columns, rows);
            TerminalSize { columns, rows }
        };
        match command {
            TerminalCommand::Open(columns, rows) => {
                *self = Self::default();
                vec![ToTerminal::Open(size(columns, rows))]
            }
            TerminalCommand::Resize(columns, rows) => vec![ToTerminal::Resize(size(columns, rows))],
            TerminalCommand::Close => vec![ToTerminal::Close],
            TerminalCommand::Look(_) => Vec::new(),
            TerminalCommand::Type(bytes) => {
                let room = MAX_WAITING.saturating_sub(self.waiting.len());
                if bytes.len() > room {
                    tracing::warn!("more was typed into the terminal than it takes");
                }
                self.waiting.extend(bytes.into_iter().take(room));
                self.next()
            }
        }
    }

    /// The terminal has taken so much.
    pub(super) fn taken(&mut self, count: u32) -> Vec<ToTerminal> {
        self.untaken = self.untaken.saturating_sub(count);
        self.next()
    }

    /// As much of what waits as there is room for.
    fn next(&mut self) -> Vec<ToTerminal> {
        let mut pieces = Vec::new();
        loop {
            let room = usize::try_from(TERMINAL_WINDOW.saturating_sub(self.untaken)).unwrap_or(0);
            let count = room.min(MAX_TERMINAL_BYTES).min(self.waiting.len());
            if count == 0 {
                return pieces;
            }
            let piece: Vec<u8> = self.waiting.drain(..count).collect();
            self.untaken = self.untaken.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
            pieces.push(ToTerminal::Typed(TerminalBytes::of(&piece)));
        }
    }
}

/// What the console is told; `None` if that is the driver's matter alone.
pub(super) fn event(report: &FromTerminal) -> Option<TerminalEvent> {
    Some(match report {
        FromTerminal::Opened => TerminalEvent::Opened,
        FromTerminal::Output(bytes) => TerminalEvent::Output(bytes.as_slice().to_vec()),
        FromTerminal::Ended(end) => TerminalEvent::Ended(match end {
            message::TerminalEnd::Exited(code) => TerminalEnd::Exited(*code),
            message::TerminalEnd::Killed(signal) => TerminalEnd::Killed(*signal),
            message::TerminalEnd::Closed => TerminalEnd::Closed,
            message::TerminalEnd::NotSetUp => TerminalEnd::NotSetUp,
            _ => TerminalEnd::Failed,
        }),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(pieces: &[ToTerminal]) -> usize {
        let size = |piece: &ToTerminal| match piece {
            ToTerminal::Typed(bytes) => bytes.as_slice().len(),
            other => panic!("{other:?}"),
        };
        pieces.iter().map(size).sum()
    }

    #[test]
    fn nobody_types_more_than_the_window_before_it_is_taken() {
        let mut typing = Typing::default();
        let window = usize::try_from(TERMINAL_WINDOW).unwrap();
        let first = typing.command(TerminalCommand::Type(vec![b'x'; 3 * window]));
        assert_eq!(sent(&first), window);
        assert_eq!(sent(&typing.command(TerminalCommand::Type(vec![b'y']))), 0);
        assert_eq!(sent(&typing.taken(1500)), 1500);
        assert_eq!(sent(&typing.taken(TERMINAL_WINDOW)), window);
        // What a terminal cannot have taken makes no more room than there is.
        assert_eq!(sent(&typing.taken(u32::MAX)), window + 1 - 1500);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut typing = Typing::default();
        typing.command(TerminalCommand::Type(vec![b'x'; 4 * MAX_WAITING]));
        assert!(typing.waiting.len() <= MAX_WAITING);
    }
}
