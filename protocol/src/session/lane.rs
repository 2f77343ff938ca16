//! One way of a channel between two members on which nothing is lost, nothing comes twice and
//! nothing comes out of order, whatever happens to the links below.
//!
//! What was sealed is kept until the other side has acknowledged it, and sent again as the same
//! bytes: sealing it anew would be another packet, the same bytes are no second use of a nonce.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::tampered::Tampered;
use crate::header::Header;
use crate::packet::{OpenError, Opened, Opener, SealError, Sealer};

/// Packets that wait for an acknowledgement at most.
const MAX_RETAINED: usize = 2048;

/// Bytes that wait for an acknowledgement at most.
const MAX_RETAINED_BYTES: usize = 512 << 10;

/// What arrived is acknowledged after this time, so that one acknowledgement serves many.
const ACKNOWLEDGE_AFTER: Duration = Duration::from_millis(200);

/// So many packets are acknowledged at once.
const ACKNOWLEDGE_AT: u64 = 32;

/// Acknowledgements of what came twice or too early are this far apart: who makes them cannot
/// make a flood.
const ACKNOWLEDGE_AGAIN: Duration = Duration::from_millis(300);

/// The oldest packet that waits is sent again after this time. Links lose nothing by themselves.
const PROBE_AFTER: Duration = Duration::from_secs(3);

/// The sending end.
#[derive(Debug)]
pub(super) struct Outgoing {
    sealer: Sealer,
    retained: VecDeque<Vec<u8>>,
    bytes: usize,
    probe_at: Option<Instant>,
}

impl Outgoing {
    pub(super) fn new(sealer: Sealer) -> Self {
        Self { sealer, retained: VecDeque::new(), bytes: 0, probe_at: None }
    }

    /// Seals a message; its packets are kept until they are acknowledged.
    ///
    /// # Errors
    /// [`SealError`]; nothing was used up then.
    pub(super) fn seal(
        &mut self,
        message: &[u8],
        now: Option<Instant>,
    ) -> Result<Vec<Vec<u8>>, SealError> {
        if self.retained.len() >= MAX_RETAINED || self.bytes >= MAX_RETAINED_BYTES {
            return Err(SealError::Unacknowledged);
        }
        let packets = self.sealer.seal(message)?;
        for packet in &packets {
            self.bytes += packet.len();
            self.retained.push_back(packet.clone());
        }
        if self.probe_at.is_none() {
            self.probe_at = now.map(|now| now + PROBE_AFTER);
        }
        Ok(packets)
    }

    /// The number of the next packet.
    pub(super) fn next_number(&self) -> u64 {
        self.sealer.next_number()
    }

    /// The number of the oldest packet that nobody has acknowledged.
    pub(super) fn unacknowledged(&self) -> u64 {
        let waiting = u64::try_from(self.retained.len()).unwrap_or(u64::MAX);
        self.sealer.next_number().saturating_sub(waiting)
    }

    /// The other side waits for the packet of this number.
    ///
    /// # Errors
    /// If that was never sent.
    pub(super) fn acknowledged(&mut self, next: u64, now: Instant) -> Result<(), Tampered> {
        if next > self.sealer.next_number() {
            return Err(Tampered("what was never sent is acknowledged"));
        }
        let before = self.retained.len();
        while self.unacknowledged() < next
            && let Some(packet) = self.retained.pop_front()
        {
            self.bytes = self.bytes.saturating_sub(packet.len());
        }
        if self.retained.is_empty() {
            self.probe_at = None;
        } else if self.retained.len() < before {
            self.probe_at = Some(now + PROBE_AFTER);
        }
        Ok(())
    }

    /// All that nobody has acknowledged, the same bytes as before.
    pub(super) fn again(&mut self, now: Instant) -> Vec<Vec<u8>> {
        self.probe_at = (!self.retained.is_empty()).then(|| now + PROBE_AFTER);
        self.retained.iter().cloned().collect()
    }

    /// When [`Self::probe`] is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.probe_at
    }

    /// The oldest packet once more, if it is due: the answer tells what is missing.
    pub(super) fn probe(&mut self, now: Instant) -> Option<Vec<u8>> {
        if self.probe_at.is_none_or(|due| now < due) {
            return None;
        }
        self.probe_at = Some(now + PROBE_AFTER);
        self.retained.front().cloned()
    }
}

/// The receiving end.
#[derive(Debug)]
pub(super) struct Incoming {
    opener: Opener,
    /// The number that was acknowledged last.
    told: u64,
    told_at: Option<Instant>,
    tell_at: Option<Instant>,
    is_missing: bool,
}

impl Incoming {
    pub(super) fn new(opener: Opener) -> Self {
        Self { opener, told: 0, told_at: None, tell_at: None, is_missing: false }
    }

    /// Opens a packet; a message, if it completes one.
    ///
    /// # Errors
    /// If it was changed on the way.
    pub(super) fn open(
        &mut self,
        header: &Header,
        payload: &[u8],
        now: Instant,
    ) -> Result<Option<Vec<u8>>, Tampered> {
        let opened = match self.opener.open(header, payload) {
            Ok(opened) => opened,
            // Of a member, a join or a grant that is gone: still on its way when it left.
            Err(OpenError::Foreign) => return Ok(None),
            Err(OpenError::Order { expected, got }) => {
                self.is_missing |= got > expected;
                let earliest = self.told_at.map_or(now, |told| told + ACKNOWLEDGE_AGAIN);
                self.tell_by(earliest.max(now));
                return Ok(None);
            }
            Err(OpenError::Forged(_)) => return Err(Tampered("a packet does not open")),
            Err(OpenError::Header(_) | OpenError::Fragment | OpenError::TooLong) => {
                return Err(Tampered("a message is put together wrongly"));
            }
        };
        self.is_missing = false;
        let waiting = self.opener.next_number().saturating_sub(self.told);
        self.tell_by(if waiting >= ACKNOWLEDGE_AT { now } else { now + ACKNOWLEDGE_AFTER });
        Ok(match opened {
            Opened::Message { bytes, .. } => Some(bytes),
            Opened::Incomplete => None,
        })
    }

    fn tell_by(&mut self, at: Instant) {
        self.tell_at = Some(self.tell_at.map_or(at, |due| due.min(at)));
    }

    /// When an acknowledgement is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.tell_at
    }

    /// An acknowledgement is due at once.
    pub(super) fn tell_now(&mut self, now: Instant) {
        self.tell_by(now);
    }

    /// What to acknowledge: the number that is due, and whether what follows was here already
    /// and is to be sent again. It counts as told.
    pub(super) fn tell(&mut self, now: Instant) -> (u64, bool) {
        self.told = self.opener.next_number();
        (self.told_at, self.tell_at) = (Some(now), None);
        (self.told, self.is_missing)
    }
}
