//! The controller's end of a grant: inputs leave here, under a key that onlookers do not have.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::STILL_HERE_INTERVAL;
use super::lane::Outgoing;
use super::pair::{Packets, feedback, open_feedback};
use super::pressed::Pressed;
use super::tampered::Tampered;
use crate::header::{Class, Header, MemberId};
use crate::keys::{GrantKey, KeyUse};
use crate::message::{
    ControlGrant, FromControlled, Input, InputEvent, Rights, StillHere, decode, encode,
    encode_input,
};
use crate::packet::{Opener, SealError, Sealer, Secret};
use crate::tunnel::SessionId;

/// Pieces of text that wait for the way to be free again, at most.
const MAX_WAITING: usize = 256;

/// Nothing from a device that may be controlled for so long means that it is cut off, even if
/// this side's own link is well.
pub(super) const SILENT_AFTER: Duration = super::DEVICE_SILENT_AFTER;

/// What the device has said about the inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct News {
    /// So many more were not carried out.
    pub(super) dropped: u16,
    /// It begins or ceases to be used by somebody there.
    pub(super) paused: Option<bool>,
    /// It is there again after a silence.
    pub(super) is_back: bool,
}

/// One device that this side controls.
#[derive(Debug)]
pub(super) struct Steering {
    number: u16,
    device: MemberId,
    rights: Rights,
    input: Outgoing,
    feedback_out: Sealer,
    feedback_in: Opener,
    tick: u32,
    pressed: Pressed,
    still_here_at: Option<Instant>,
    heard: Instant,
    is_silent: bool,
    dropped: u32,
    is_paused: bool,
    /// Text that was sent and not acknowledged, by the number of its packet.
    texts: VecDeque<(u64, InputEvent)>,
    /// The way was broken: what is on it must be acknowledged before anything new follows.
    settling_until: Option<u64>,
    /// Text that came too late because of that, in its order: it is sent anew, before what waits.
    late: VecDeque<InputEvent>,
    /// Text that waits for that.
    waiting: VecDeque<InputEvent>,
}

impl Steering {
    pub(super) fn new(
        session: SessionId,
        grant: &ControlGrant,
        me: MemberId,
        now: Instant,
    ) -> Self {
        let key = GrantKey::from_bytes(grant.key.0);
        let purpose =
            |sender, class| KeyUse { session, epoch: 0, sender, instance: grant.number, class };
        let sealer = |class| {
            let sealer = Sealer::new(Secret::Grant(&key), purpose(me, class), grant.device);
            sealer.on_stream(grant.number)
        };
        let feedback_in = Opener::new(Secret::Grant(&key), purpose(grant.device, Class::Feedback));
        Self {
            number: grant.number,
            device: grant.device,
            rights: grant.rights,
            input: Outgoing::new(sealer(Class::Input)),
            feedback_out: sealer(Class::Feedback),
            feedback_in: feedback_in.on_stream(grant.number),
            tick: 0,
            pressed: Pressed::default(),
            still_here_at: None,
            heard: now,
            is_silent: false,
            dropped: 0,
            is_paused: false,
            texts: VecDeque::new(),
            settling_until: None,
            late: VecDeque::new(),
            waiting: VecDeque::new(),
        }
    }

    pub(super) fn number(&self) -> u16 {
        self.number
    }

    pub(super) fn device(&self) -> MemberId {
        self.device
    }

    /// The device allows no more than this.
    pub(super) fn limit(&mut self, rights: Rights) {
        self.rights = self.rights.capped_by(rights);
    }

    /// Whether something may be controlled at all.
    pub(super) fn may_control(&self) -> bool {
        self.rights.allows(Rights::CONTROL)
    }

    /// Sends an input. While the way is broken only text is taken, which then waits: whoever
    /// typed it wants it whole, and no click may come late.
    ///
    /// # Errors
    /// [`SealError`] if the device does not acknowledge any more.
    pub(super) fn input(
        &mut self,
        event: InputEvent,
        is_way_free: bool,
        now: Instant,
    ) -> Result<Option<Packets>, SealError> {
        if !self.may_control() {
            return Ok(None);
        }
        // Before the device has told its time under this grant, everything would be too late.
        if !is_way_free || self.tick == 0 || self.settling_until.is_some() {
            let takes = matches!(event, InputEvent::Text(_)) && self.waiting.len() < MAX_WAITING;
            let lets_go = matches!(event, InputEvent::ReleaseAll);
            if takes || lets_go {
                self.waiting.push_back(event);
            }
            return Ok((takes || lets_go).then(Vec::new));
        }
        self.send(event, now).map(Some)
    }

    fn send(&mut self, event: InputEvent, now: Instant) -> Result<Packets, SealError> {
        self.pressed.note(&event);
        self.still_here_at = match (self.pressed.is_empty(), self.still_here_at) {
            (true, _) => None,
            (false, None) => Some(now + STILL_HERE_INTERVAL),
            (false, due) => due,
        };
        let number = self.input.next_number();
        let input = Input { tick: self.tick, event };
        let sealed = self.input.seal(&encode_input(&input), Some(now))?;
        if matches!(input.event, InputEvent::Text(_)) {
            self.texts.push_back((number, input.event));
        }
        Ok(inputs(sealed))
    }

    /// Whether a packet is for this grant.
    pub(super) fn is_for(&self, header: &Header) -> bool {
        header.stream == self.number && header.source == self.device
    }

    /// Takes the device's feedback.
    ///
    /// # Errors
    /// If it was changed on the way.
    pub(super) fn open(
        &mut self,
        header: &Header,
        payload: &[u8],
        now: Instant,
    ) -> Result<(News, Packets), Tampered> {
        let Some(bytes) = open_feedback(&mut self.feedback_in, header, payload)? else {
            return Ok((News::default(), Vec::new()));
        };
        let said: FromControlled =
            decode(&bytes).map_err(|_| Tampered("feedback makes no sense"))?;
        self.heard = now;
        self.tick = self.tick.max(said.tick);
        self.input.acknowledged(said.input.next, now)?;
        let again = if said.input.is_missing { self.input.again(now) } else { Vec::new() };
        let mut packets = inputs(again);
        self.settle(said.too_old, &mut packets, now);
        let more = said.dropped.saturating_sub(self.dropped);
        self.dropped = self.dropped.max(said.dropped);
        let paused = (said.is_paused != self.is_paused).then_some(said.is_paused);
        self.is_paused = said.is_paused;
        let news = News {
            dropped: u16::try_from(more).unwrap_or(u16::MAX),
            paused,
            is_back: std::mem::take(&mut self.is_silent),
        };
        Ok((news, packets))
    }

    /// Text that came too late because the way was broken is sent anew, and what waited follows.
    fn settle(&mut self, too_old: (u64, u64), packets: &mut Packets, now: Instant) {
        let done = self.input.unacknowledged();
        let is_settling = self.settling_until.is_some();
        while self.texts.front().is_some_and(|(number, _)| *number < done) {
            if let Some((number, text)) = self.texts.pop_front()
                && is_settling
                && (too_old.0..too_old.1).contains(&number)
            {
                self.late.push_back(text);
            }
        }
        if self.settling_until.is_some_and(|until| done >= until) {
            self.settling_until = None;
        }
        if self.settling_until.is_none() {
            packets.extend(self.catch_up(now));
        }
    }

    /// Sends what could not be sent while the way was broken.
    fn catch_up(&mut self, now: Instant) -> Packets {
        let (late, waiting) = (std::mem::take(&mut self.late), std::mem::take(&mut self.waiting));
        let mut packets = Vec::new();
        for event in late.into_iter().chain(waiting) {
            // Full only if the device stops acknowledging right now.
            packets.extend(self.send(event, now).unwrap_or_default());
        }
        packets
    }

    /// When [`Self::handle_timeout`] is due.
    pub(super) fn due(&self) -> Option<Instant> {
        let silent = (self.may_control() && !self.is_silent).then(|| self.heard + SILENT_AFTER);
        self.still_here_at.into_iter().chain(silent).chain(self.input.due()).min()
    }

    /// Does what is due; whether the device has fallen silent.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> (bool, Packets) {
        let mut packets = inputs(self.input.probe(now).into_iter().collect());
        if self.still_here_at.is_some_and(|due| due <= now) {
            self.still_here_at = Some(now + STILL_HERE_INTERVAL);
            let here = encode(&StillHere { tick: self.tick });
            packets.extend(feedback(self.feedback_out.seal(&here).unwrap_or_default()));
        }
        let falls_silent =
            self.may_control() && !self.is_silent && now >= self.heard + SILENT_AFTER;
        self.is_silent |= falls_silent;
        (falls_silent, packets)
    }

    /// The way broke: whatever is held down is let go of there.
    pub(super) fn pause(&mut self) {
        self.pressed = Pressed::default();
        self.still_here_at = None;
    }

    /// The way is free again: what nobody acknowledged goes again, as the same bytes.
    pub(super) fn resume(&mut self, now: Instant) -> Packets {
        let again = self.input.again(now);
        let next = self.input.next_number();
        self.settling_until = (self.input.unacknowledged() < next).then_some(next);
        let mut packets = inputs(again);
        if self.settling_until.is_none() && self.tick != 0 {
            packets.extend(self.catch_up(now));
        }
        packets
    }
}

fn inputs(packets: Vec<Vec<u8>>) -> Packets {
    packets.into_iter().map(|packet| (Class::Input, packet)).collect()
}
