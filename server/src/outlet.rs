//! What is to reach one client: shared by its own task and by all who send to it.
//!
//! Nobody ever waits here: a frame is taken, dropped, or the client is given up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use lotse_protocol::Header;
use lotse_protocol::frame::Frame;
use lotse_protocol::tunnel::{Bye, EndOfSession, Notice, SessionId};

use crate::queue::{Queue, QueueLimits};

/// Bytes given to TLS at a time: one record (RFC 8446 §5.1).
const RECORD: usize = 16 * 1024;

/// The way to one client.
#[derive(Debug)]
pub(crate) struct Outlet {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    waker: Option<Waker>,
    orders: Orders,
}

/// What others want of the client's task.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// This session is over for the client; it knows already.
    pub(crate) over: Option<SessionId>,
    /// The link is to end.
    pub(crate) bye: Option<Bye>,
}

impl Outlet {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        let state = State { queue: Queue::new(limits), waker: None, orders: Orders::default() };
        Self { state: Mutex::new(state) }
    }

    /// Sends a frame of the link itself.
    pub(crate) fn transmit(&self, frame: Frame<Arc<[u8]>>) {
        self.change(|state| {
            if state.queue.push_frame(frame).is_err() {
                state.orders.bye.get_or_insert(Bye::TooSlow);
            }
        });
    }

    /// Sends a packet from another member.
    pub(crate) fn forward(&self, header: &Header, packet: Arc<[u8]>) {
        self.change(|state| {
            if state.queue.push_packet(header, packet).is_err() {
                state.orders.bye.get_or_insert(Bye::TooSlow);
            }
        });
    }

    /// The session is over for this client, by somebody else's doing.
    pub(crate) fn end_session(&self, session: SessionId, why: EndOfSession) {
        self.change(|state| {
            state.queue.remove_all_but_urgent();
            if state.queue.push_frame(Frame::Notice(Notice::SessionEnded { why })).is_err() {
                state.orders.bye.get_or_insert(Bye::TooSlow);
            }
            state.orders.over = Some(session);
        });
    }

    /// The client left its session: what it brought means nothing any more.
    pub(crate) fn remove_packets(&self) {
        self.change(|state| state.queue.remove_packets());
    }

    /// Ends the link.
    pub(crate) fn close(&self, bye: Bye) {
        self.change(|state| {
            state.orders.bye.get_or_insert(bye);
        });
    }

    /// What the client's task must do, and from now on whom to wake when there is more.
    pub(crate) fn orders(&self, waker: &Waker) -> Orders {
        let mut state = self.lock();
        match &mut state.waker {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        std::mem::take(&mut state.orders)
    }

    /// Fills an empty buffer with the frames that leave next, as many as fit into one record.
    /// Returns when to come back at the latest.
    pub(crate) fn fill(&self, record: &mut Vec<u8>, now: Instant) -> Option<Instant> {
        let mut state = self.lock();
        while let Some(frame) = state.queue.pop(now) {
            frame.encode(record);
            if state.queue.next_len().is_none_or(|next| record.len() + next > RECORD) {
                break;
            }
        }
        state.queue.next_timeout()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here panics; if it did, the queue would still be a queue.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
