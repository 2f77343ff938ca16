//! Frames that wait for one client: bounded queues by urgency. No clock: the time comes in.
//!
//! A client that does not take its urgent frames or its input has lost something for good and is
//! given up. Pictures are different: whole ones are dropped for this client alone, those that
//! have waited longest first, and it is told, so that it can ask for what it lacks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lotse_protocol::frame::{Frame, HEAD_LEN};
use lotse_protocol::link::{Lane, LaneFull, Lanes};
use lotse_protocol::tunnel::Notice;
use lotse_protocol::{Class, Header, MemberId};

/// A client is told about dropped pictures at most this often.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Bytes that may wait for one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Frames of the link, packets of the classes handshake and control.
    pub urgent: usize,
    /// Packets of the class input.
    pub input: usize,
    /// Packets of the class picture, when another picture begins.
    pub picture: usize,
    /// Packets of the class picture, while a picture that has begun goes on.
    pub picture_message: usize,
}

/// Frames that wait for one client.
#[derive(Debug)]
pub struct Queue {
    lanes: Lanes<Arc<[u8]>>,
    picture: usize,
    /// Members of whose picture the first part was taken and the last not yet.
    begun: Vec<MemberId>,
    /// Members of whom pictures were dropped, not yet told.
    dropped: Vec<MemberId>,
    told: Option<Instant>,
}

impl Queue {
    /// An empty queue.
    pub fn new(limits: QueueLimits) -> Self {
        Self {
            lanes: Lanes::new([limits.urgent, limits.input, limits.picture_message]),
            picture: limits.picture,
            begun: Vec::new(),
            dropped: Vec::new(),
            told: None,
        }
    }

    /// Takes a frame of the link itself.
    ///
    /// # Errors
    /// [`LaneFull`]: the client is to be given up.
    pub fn push_frame(&mut self, frame: Frame<Arc<[u8]>>) -> Result<(), LaneFull> {
        self.lanes.push(Lane::Urgent, frame)
    }

    /// Takes a packet, or drops the whole picture that it is part of.
    ///
    /// # Errors
    /// [`LaneFull`]: the client is to be given up. Never for pictures.
    pub fn push_packet(&mut self, header: &Header, packet: Arc<[u8]>) -> Result<(), LaneFull> {
        match header.class {
            Class::Picture => {
                self.push_picture(header, packet);
                Ok(())
            }
            class => self.lanes.push(Lane::of(class), Frame::Packet(packet)),
        }
    }

    /// Takes the next frame that may leave.
    pub fn pop(&mut self, now: Instant) -> Option<Frame<Arc<[u8]>>> {
        if self.next_timeout().is_some_and(|at| at <= now) || self.may_tell_first() {
            self.told = Some(now);
            for source in std::mem::take(&mut self.dropped) {
                // Without room the client is on its way out anyway.
                let _ = self.push_frame(Frame::Notice(Notice::PicturesDropped { source }));
            }
        }
        self.lanes.pop().map(|(_, frame)| frame)
    }

    /// Bytes of the next frame at most.
    pub fn next_len(&self) -> Option<usize> {
        self.lanes.next_len()
    }

    /// When to come back for news that was held back.
    pub fn next_timeout(&self) -> Option<Instant> {
        if self.dropped.is_empty() { None } else { self.told.map(|told| told + TELL_EVERY) }
    }

    /// Throws away all packets: their session is over for this client.
    pub fn remove_packets(&mut self) {
        self.lanes.remove_packets();
        self.begun = Vec::new();
        self.dropped = Vec::new();
    }

    /// Throws away input and pictures: their session is over for this client. What is urgent
    /// stays, in its order: the last of it says why the session is over.
    pub fn remove_all_but_urgent(&mut self) {
        self.lanes.retain_packets(Lane::Input, |_| false);
        self.lanes.retain_packets(Lane::Picture, |_| false);
        self.begun = Vec::new();
        self.dropped = Vec::new();
    }

    /// Bytes that wait in a lane.
    pub fn bytes(&self, lane: Lane) -> usize {
        self.lanes.bytes(lane)
    }

    fn may_tell_first(&self) -> bool {
        self.told.is_none() && !self.dropped.is_empty()
    }

    fn push_picture(&mut self, header: &Header, packet: Arc<[u8]>) {
        let source = header.source;
        let begun = self.end_begun(source);
        if header.fragment.first {
            if !self.has_room_for_picture(packet.len()) {
                self.drop_unsent(source);
            }
            if !self.has_room_for_picture(packet.len()) {
                self.note_dropped(source);
                return;
            }
        } else if !begun {
            // The rest of a picture that was dropped, or that began before this client came.
            return;
        }
        if self.lanes.push(Lane::Picture, Frame::Packet(packet)).is_err() {
            self.drop_unsent(source);
        } else if !header.fragment.last {
            self.begun.push(source);
        }
    }

    fn has_room_for_picture(&self, bytes: usize) -> bool {
        let waiting = self.lanes.bytes(Lane::Picture);
        waiting == 0 || waiting + bytes + HEAD_LEN <= self.picture
    }

    fn end_begun(&mut self, source: MemberId) -> bool {
        let at = self.begun.iter().position(|member| *member == source);
        at.map(|at| self.begun.swap_remove(at)).is_some()
    }

    /// Drops those pictures of a member of which nothing has left yet.
    fn drop_unsent(&mut self, source: MemberId) {
        let mut next_picture = false;
        self.lanes.retain_packets(Lane::Picture, |packet| {
            let Ok((header, _)) = Header::parse(packet) else { return false };
            let same = header.source == source;
            next_picture |= same && header.fragment.first;
            !(same && next_picture)
        });
        self.note_dropped(source);
    }

    fn note_dropped(&mut self, source: MemberId) {
        if !self.dropped.contains(&source) {
            self.dropped.push(source);
        }
    }
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
