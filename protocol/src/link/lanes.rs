//! Frames that wait for the socket, in the order in which they may leave.
//!
//! What is urgent is decided when the socket has room, not when a frame is made: a key pressed
//! now overtakes the picture packets that wait already.

use std::collections::VecDeque;

use crate::frame::{Frame, HEAD_LEN, MAX_TYPED_BODY};
use crate::header::Class;

/// Where a frame waits. A lane is served only when those before it are empty; within one, first
/// come, first served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// The link's own frames, and packets of the classes handshake, control and feedback. They share a
    /// lane so that leaving a session cannot overtake the last word said in it.
    Urgent,
    /// Packets of the class input.
    Input,
    /// Packets of the class picture.
    Picture,
}

impl Lane {
    /// All lanes, most urgent first.
    pub const ALL: [Self; 3] = [Self::Urgent, Self::Input, Self::Picture];

    /// Where packets of a class wait.
    pub const fn of(class: Class) -> Self {
        match class {
            Class::Handshake | Class::Control | Class::Feedback => Self::Urgent,
            Class::Input => Self::Input,
            Class::Picture => Self::Picture,
        }
    }
}

/// A lane has no room for another frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no room for another frame in the lane {0:?}")]
pub struct LaneFull(pub Lane);

/// Frames that wait for one socket, bounded in bytes by lane. Empty lanes hold no memory.
#[derive(Debug)]
pub struct Lanes<P = Vec<u8>> {
    lanes: [Waiting<P>; 3],
    limits: [usize; 3],
}

#[derive(Debug)]
struct Waiting<P> {
    frames: VecDeque<Frame<P>>,
    bytes: usize,
}

/// What a frame of the link itself counts: its true size is smaller, and this bounds their
/// number, too.
const TYPED_FRAME_BYTES: usize = HEAD_LEN + MAX_TYPED_BODY;

impl<P: AsRef<[u8]>> Lanes<P> {
    /// Empty lanes with a limit in bytes each, in the order of [`Lane::ALL`]. Every lane takes
    /// at least one frame.
    pub fn new(limits: [usize; 3]) -> Self {
        let lanes = std::array::from_fn(|_| Waiting { frames: VecDeque::new(), bytes: 0 });
        Self { lanes, limits }
    }

    /// Puts a frame at the end of a lane.
    ///
    /// # Errors
    /// [`LaneFull`]; the frame is gone, the lanes are unchanged.
    pub fn push(&mut self, lane: Lane, frame: Frame<P>) -> Result<(), LaneFull> {
        let bytes = size_of_waiting(&frame);
        if !self.has_room(lane, bytes) {
            return Err(LaneFull(lane));
        }
        let waiting = self.lane_mut(lane);
        waiting.bytes += bytes;
        waiting.frames.push_back(frame);
        Ok(())
    }

    /// Whether a lane takes `bytes` more. An empty lane always does.
    pub fn has_room(&self, lane: Lane, bytes: usize) -> bool {
        let waiting = self.lane(lane).bytes;
        waiting == 0 || waiting.saturating_add(bytes) <= self.limit(lane)
    }

    /// Bytes that wait in a lane.
    pub fn bytes(&self, lane: Lane) -> usize {
        self.lane(lane).bytes
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.lanes.iter().all(|waiting| waiting.frames.is_empty())
    }

    /// Takes the next frame, and says where it waited.
    pub fn pop(&mut self) -> Option<(Lane, Frame<P>)> {
        Lane::ALL.into_iter().find_map(|lane| {
            let waiting = self.lane_mut(lane);
            let frame = waiting.frames.pop_front()?;
            waiting.bytes = waiting.bytes.saturating_sub(size_of_waiting(&frame));
            if waiting.frames.is_empty() {
                waiting.frames = VecDeque::new();
            }
            Some((lane, frame))
        })
    }

    /// Bytes that the next frame will have on the wire.
    pub fn next_len(&self) -> Option<usize> {
        self.lanes.iter().find_map(|waiting| waiting.frames.front()).map(size_of_waiting)
    }

    /// Removes the packets of one lane that `keep` refuses; frames of the link itself stay.
    pub fn retain_packets(&mut self, lane: Lane, mut keep: impl FnMut(&P) -> bool) {
        let waiting = self.lane_mut(lane);
        waiting.frames.retain(|frame| match frame {
            Frame::Packet(packet) => keep(packet),
            _ => true,
        });
        waiting.bytes = waiting.frames.iter().map(size_of_waiting).sum();
        if waiting.frames.is_empty() {
            waiting.frames = VecDeque::new();
        }
    }

    /// Removes all packets, as is right when their session is over.
    pub fn remove_packets(&mut self) {
        for lane in Lane::ALL {
            self.retain_packets(lane, |_| false);
        }
    }

    fn limit(&self, lane: Lane) -> usize {
        let [urgent, input, picture] = self.limits;
        match lane {
            Lane::Urgent => urgent,
            Lane::Input => input,
            Lane::Picture => picture,
        }
    }

    fn lane(&self, lane: Lane) -> &Waiting<P> {
        let [urgent, input, picture] = &self.lanes;
        match lane {
            Lane::Urgent => urgent,
            Lane::Input => input,
            Lane::Picture => picture,
        }
    }

    fn lane_mut(&mut self, lane: Lane) -> &mut Waiting<P> {
        let [urgent, input, picture] = &mut self.lanes;
        match lane {
            Lane::Urgent => urgent,
            Lane::Input => input,
            Lane::Picture => picture,
        }
    }
}

fn size_of_waiting<P: AsRef<[u8]>>(frame: &Frame<P>) -> usize {
    match frame {
        Frame::Packet(packet) => HEAD_LEN + packet.as_ref().len(),
        _ => TYPED_FRAME_BYTES,
    }
}
