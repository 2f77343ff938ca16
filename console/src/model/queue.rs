//! The queue from window or command line to the driver of the session.
//!
//! Bounded, never blocking. A movement of pointer or arrow that waits behind another one replaces it: only
//! the latest place matters. Everything else keeps its order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::Command;

/// Most commands that wait at once. A hand makes a few hundred a second; a driver that is so far
/// behind is stuck, and then more input would only do harm later.
pub const MAX_QUEUED_COMMANDS: usize = 1024;

/// The queue is full: the session does not take input any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_QUEUED_COMMANDS} commands wait for the session")]
pub struct QueueFull;

/// Commands on their way to the driver; clones share one queue.
#[derive(Debug, Clone, Default)]
pub struct CommandQueue {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<VecDeque<Command>>,
    arrived: Notify,
}

impl CommandQueue {
    /// Adds a command, from any thread.
    ///
    /// # Errors
    /// [`QueueFull`], except for [`Command::ReleaseAll`] and [`Command::End`]: these take the place of
    /// all that waits, since nothing may stay pressed.
    pub fn push(&self, command: Command) -> Result<(), QueueFull> {
        let mut waiting = self.lock();
        let replaces = |last: &Command| match &command {
            Command::PointerMove(_) => matches!(last, Command::PointerMove(_)),
            Command::Point(_) => matches!(last, Command::Point(_)),
            _ => false,
        };
        if waiting.back().is_some_and(replaces) {
            waiting.pop_back();
        }
        if waiting.len() >= MAX_QUEUED_COMMANDS {
            if !matches!(command, Command::ReleaseAll | Command::End) {
                return Err(QueueFull);
            }
            waiting.clear();
            if command == Command::End {
                waiting.push_back(Command::ReleaseAll);
            }
        }
        waiting.push_back(command);
        drop(waiting);
        self.shared.arrived.notify_one();
        Ok(())
    }

    /// The next command; waits for one. Cancelling it loses none.
    pub async fn next(&self) -> Command {
        loop {
            if let Some(command) = self.take() {
                return command;
            }
            self.shared.arrived.notified().await;
        }
    }

    /// The next command, if one waits.
    pub fn take(&self) -> Option<Command> {
        self.lock().pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Command>> {
        // A panic elsewhere cannot leave the queue half changed.
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{KeyCode, PixelPoint};

    fn moved(x: u32) -> Command {
        Command::PointerMove(PixelPoint { x, y: 0 })
    }

    const PRESS: Command = Command::Key { key: KeyCode(30), pressed: true };

    #[test]
    fn the_latest_movement_wins_and_order_stays() {
        let queue = CommandQueue::default();
        for command in [moved(1), moved(2), PRESS, moved(3), moved(4)] {
            queue.push(command).unwrap();
        }
        let taken: Vec<_> = std::iter::from_fn(|| queue.take()).collect();
        assert_eq!(taken, [moved(2), PRESS, moved(4)]);
    }

    #[test]
    fn a_full_queue_refuses_input_but_not_letting_go() {
        let queue = CommandQueue::default();
        for _ in 0..MAX_QUEUED_COMMANDS {
            queue.push(PRESS).unwrap();
        }
        assert_eq!(queue.push(PRESS), Err(QueueFull));
        queue.push(Command::End).unwrap();
        assert_eq!(queue.take(), Some(Command::ReleaseAll));
        assert_eq!(queue.take(), Some(Command::End));
        assert_eq!(queue.take(), None);
    }

    #[tokio::test]
    async fn waiting_ends_when_a_command_comes() {
        let queue = CommandQueue::default();
        let other = queue.clone();
        let waiting = tokio::spawn(async move { other.next().await });
        tokio::task::yield_now().await;
        queue.push(PRESS).unwrap();
        assert_eq!(waiting.await.unwrap(), PRESS);
    }
}
