//! The device's end of a grant: what the controller asks for, as far as it may and in time.

use std::time::{Duration, Instant};

use super::lane::Incoming;
use super::pair::{Packets, feedback, open_feedback};
use super::pressed::Pressed;
use super::rights::{self, Asker, Moment};
use super::tampered::Tampered;
use super::{MAX_INPUT_AGE_TICKS, RELEASE_AFTER, TICK};
use crate::header::{Class, Header, MemberId};
use crate::keys::{GrantKey, KeyUse};
use crate::message::{
    Acknowledgement, ControlGrant, FromControlled, InputEvent, Rights, StillHere, decode,
    decode_input, encode,
};
use crate::packet::{Opener, Sealer, Secret};
use crate::tunnel::SessionId;

/// After somebody at the device touched it, remote input rests for so long.
pub const LOCAL_PAUSE: Duration = Duration::from_secs(3);

/// One controller that this device obeys.
#[derive(Debug)]
pub(super) struct Obeying {
    number: u16,
    controller: MemberId,
    rights: Rights,
    input: Incoming,
    feedback_in: Opener,
    feedback_out: Sealer,
    tick: u32,
    tick_at: Instant,
    pressed: Pressed,
    heard: Instant,
    dropped: u32,
    too_old: (u64, u64),
    paused_until: Option<Instant>,
}

impl Obeying {
    pub(super) fn new(session: SessionId, grant: &ControlGrant, now: Instant) -> Self {
        let key = GrantKey::from_bytes(grant.key.0);
        let purpose =
            |sender, class| KeyUse { session, epoch: 0, sender, instance: grant.number, class };
        let opener = |class| {
            let opener = Opener::new(Secret::Grant(&key), purpose(grant.controller, class));
            opener.on_stream(grant.number)
        };
        let feedback_out = Sealer::new(
            Secret::Grant(&key),
            purpose(grant.device, Class::Feedback),
            grant.controller,
        );
        Self {
            number: grant.number,
            controller: grant.controller,
            rights: grant.rights,
            input: Incoming::new(opener(Class::Input)),
            feedback_in: opener(Class::Feedback),
            feedback_out: feedback_out.on_stream(grant.number),
            // Whoever has not heard of this grant from here is too late: grant and input may have
            // been held back together.
            tick: MAX_INPUT_AGE_TICKS + 1,
            tick_at: now + TICK,
            pressed: Pressed::default(),
            heard: now,
            dropped: 0,
            too_old: (0, 0),
            paused_until: None,
        }
    }

    pub(super) fn number(&self) -> u16 {
        self.number
    }

    pub(super) fn controller(&self) -> MemberId {
        self.controller
    }

    /// Whether a packet is for this grant.
    pub(super) fn is_for(&self, header: &Header) -> bool {
        header.stream == self.number && header.source == self.controller
    }

    /// Takes a packet of the controller; an event if it is to be carried out. `rights` are what
    /// the device allows at this moment.
    ///
    /// # Errors
    /// If it was changed on the way or makes no sense.
    pub(super) fn open(
        &mut self,
        header: &Header,
        payload: &[u8],
        rights: Rights,
        moment: Moment,
        now: Instant,
    ) -> Result<Option<InputEvent>, Tampered> {
        let moment = if self.is_paused(now) { Moment::PersonActs } else { moment };
        if self.advance(now) {
            self.input.tell_now(now);
        }
        match header.class {
            Class::Input => match self.input.open(header, payload, now)? {
                Some(bytes) => self.obey(&bytes, header.number, rights, moment, now),
                None => Ok(None),
            },
            Class::Feedback => {
                if let Some(bytes) = open_feedback(&mut self.feedback_in, header, payload)? {
                    let here: StillHere =
                        decode(&bytes).map_err(|_| Tampered("feedback makes no sense"))?;
                    self.hear(here.tick, now);
                }
                Ok(None)
            }
            Class::Handshake | Class::Control | Class::Picture => Ok(None),
        }
    }

    fn obey(
        &mut self,
        bytes: &[u8],
        number: u64,
        rights: Rights,
        moment: Moment,
        now: Instant,
    ) -> Result<Option<InputEvent>, Tampered> {
        let input = decode_input(bytes).map_err(|_| Tampered("an input makes no sense"))?;
        let what = rights::kind_of(&input.event);
        let may = rights.capped_by(self.rights);
        if !rights::allows(what, Asker::Controller, may, moment) {
            self.dropped = self.dropped.saturating_add(1);
            // Overtaken by the news that the controller's link broke: text may be wanted later.
            if moment == Moment::Away && rights::allows(what, Asker::Controller, may, Moment::Live)
            {
                self.note_too_old(number, now);
            }
            return Ok(None);
        }
        let age = self.tick.saturating_sub(input.tick);
        // Letting go is never too late.
        if age > MAX_INPUT_AGE_TICKS && what != rights::Kind::LetGo {
            self.dropped = self.dropped.saturating_add(1);
            self.note_too_old(number, now);
            return Ok(None);
        }
        if self.too_old.1 == number && what == rights::Kind::LetGo && age > MAX_INPUT_AGE_TICKS {
            // Between two that were too old: the run goes on.
            self.too_old.1 = number + 1;
        }
        self.pressed.note(&input.event);
        self.hear(input.tick, now);
        Ok(Some(input.event))
    }

    fn note_too_old(&mut self, number: u64, now: Instant) {
        let (first, end) = self.too_old;
        let goes_on = end == number;
        self.too_old = (if goes_on { first } else { number }, number.saturating_add(1));
        self.input.tell_now(now);
    }

    /// Brings the device's time up to now; whether it moved. After a pause of this process it
    /// jumps, so that what was held back meanwhile is old, even if it is read first.
    fn advance(&mut self, now: Instant) -> bool {
        if now < self.tick_at {
            return false;
        }
        let late = now.saturating_duration_since(self.tick_at);
        let missed = u32::try_from(late.as_millis() / TICK.as_millis()).unwrap_or(u32::MAX - 1);
        self.tick = self.tick.saturating_add(missed.saturating_add(1));
        self.tick_at = now + TICK;
        true
    }

    /// The controller gave a sign of life. One that was held back on the way is none, and neither
    /// is any other packet: whoever lets those pass could keep keys down.
    fn hear(&mut self, tick: u32, now: Instant) {
        if self.tick.saturating_sub(tick) <= MAX_INPUT_AGE_TICKS {
            self.heard = now;
        }
    }

    /// Somebody at the device uses it: the controller waits. Whether something was held down,
    /// which is let go of.
    pub(super) fn local_input(&mut self, now: Instant) -> (bool, Packets) {
        let was_paused = self.is_paused(now);
        self.paused_until = Some(now + LOCAL_PAUSE);
        let held = self.let_go();
        let packets = if was_paused { Vec::new() } else { self.say(now) };
        (held, packets)
    }

    fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|until| now < until)
    }

    /// Forgets what is held down; whether there was something.
    pub(super) fn let_go(&mut self) -> bool {
        !std::mem::take(&mut self.pressed).is_empty()
    }

    /// When [`Self::handle_timeout`] is due.
    pub(super) fn due(&self) -> Option<Instant> {
        let release = (!self.pressed.is_empty()).then(|| self.heard + RELEASE_AFTER);
        [Some(self.tick_at), release, self.input.due(), self.paused_until]
            .into_iter()
            .flatten()
            .min()
    }

    /// Does what is due; whether everything must be let go of.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> (bool, Packets) {
        let releases = !self.pressed.is_empty() && now >= self.heard + RELEASE_AFTER;
        if releases {
            self.let_go();
        }
        let mut says = self.input.due().is_some_and(|due| due <= now);
        says |= self.advance(now);
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
            says = true;
        }
        let packets = if says { self.say(now) } else { Vec::new() };
        (releases, packets)
    }

    /// Tells the controller how things are.
    pub(super) fn say(&mut self, now: Instant) -> Packets {
        let (next, is_missing) = self.input.tell(now);
        let said = encode(&FromControlled {
            input: Acknowledgement { next, is_missing },
            tick: self.tick,
            dropped: self.dropped,
            too_old: self.too_old,
            is_paused: self.is_paused(now),
        });
        feedback(self.feedback_out.seal(&said).unwrap_or_default())
    }
}
