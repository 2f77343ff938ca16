//! Text to keys: what a technician pastes or types as text, pressed key by key. Input that comes
//! meanwhile waits in the same line: a key after a text is pressed after it.

mod layout;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use lotse_hal::{Error, Held, KeyCode};
use lotse_protocol::message::InputEvent;

use super::inject::inject;
use layout::Stroke;
pub use layout::{DEFAULT, KeyboardLayout, UnknownLayout};

/// Between two key events, so that slow readers keep up: their queues hold a few dozen.
const GAP: Duration = Duration::from_millis(8);

/// Events that wait at most; text that exceeds it is not typed, and reported.
const MAX_WAITING: usize = 8192;

/// Events of other input that may wait behind a full line of text.
const MAX_BEHIND: usize = 8192;

const LEFT_SHIFT: KeyCode = KeyCode(42);
/// AltGr where a layout has one.
const RIGHT_ALT: KeyCode = KeyCode(100);

/// Events of one character at most: a dead key and another, each with Shift and AltGr, down and up.
const MAX_EVENTS: usize = 12;

/// `KEY_CAPSLOCK`
const CAPS_LOCK: u16 = 58;

/// So long the lamp of Caps Lock may lag behind the key.
const LAMP_LAG: Duration = Duration::from_millis(500);

/// Something to inject, in its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    event: InputEvent,
    /// Whether it is Caps Lock, pressed by us around a text.
    is_ours: bool,
}

/// Types text with the keyboard layout of the machine.
///
/// With Caps Lock on, letters would come out the other way round, and on some layouts digits,
/// too. So it is switched off before a text, and on again behind it.
#[derive(Debug)]
pub(super) struct Typist {
    layout: KeyboardLayout,
    waiting: VecDeque<Step>,
    due: Option<Instant>,
    /// Whether Caps Lock is on at the end of the line, as people want it.
    caps: bool,
    /// Whether it is switched off by us at the end of the line.
    is_lifted: bool,
    /// Whether it is switched off by us now.
    is_lifted_now: bool,
    /// When the last step was injected.
    last: Option<Instant>,
}

impl Typist {
    /// A typist for the layout that the machine's programs have.
    pub(super) fn new(layout: KeyboardLayout) -> Self {
        Self {
            layout,
            waiting: VecDeque::new(),
            due: None,
            caps: false,
            is_lifted: false,
            is_lifted_now: false,
            last: None,
        }
    }

    /// Puts text in line. Yields the characters that cannot be typed. `caps` tells whether Caps
    /// Lock is on now.
    pub(super) fn push(
        &mut self,
        text: &str,
        caps: impl FnOnce() -> bool,
        now: Instant,
    ) -> Vec<char> {
        // Right after a text the lamp may still show what we did.
        let is_settled =
            self.last.is_none_or(|last| now.saturating_duration_since(last) >= LAMP_LAG);
        if self.waiting.is_empty() && is_settled {
            self.caps = caps();
        }
        if self.caps && !self.is_lifted {
            self.push_caps();
        }
        let mut impossible = Vec::new();
        for character in text.chars() {
            match self.layout.strokes(character) {
                Some((first, second)) if self.waiting.len() + MAX_EVENTS <= MAX_WAITING => {
                    self.push_stroke(first);
                    second.into_iter().for_each(|second| self.push_stroke(second));
                }
                _ => impossible.push(character),
            }
        }
        if !self.waiting.is_empty() && self.due.is_none() {
            self.due = Some(now);
        }
        impossible
    }

    /// What is to be held goes down first and comes up last.
    fn push_stroke(&mut self, stroke: Stroke) {
        let event = |KeyCode(code), pressed| InputEvent::Key { code, pressed };
        let held = [(stroke.shift, LEFT_SHIFT), (stroke.alt_gr, RIGHT_ALT)];
        let held = held.into_iter().filter_map(|(is_held, key)| is_held.then_some(key));
        let step = |event| Step { event, is_ours: false };
        self.waiting.extend(held.clone().map(|key| step(event(key, true))));
        self.waiting.extend([true, false].map(|pressed| step(event(stroke.key, pressed))));
        self.waiting.extend(held.rev().map(|key| step(event(key, false))));
    }

    /// Switches Caps Lock to the other state, in its turn.
    fn push_caps(&mut self) {
        self.is_lifted = !self.is_lifted;
        self.waiting.extend(caps_lock());
    }

    /// Puts other input in line behind text that is still to be typed. When the line is too long, all
    /// of it is forgotten and whatever is held is let go: no key stays down for want of room.
    pub(super) fn push_event(&mut self, event: InputEvent) {
        if self.waiting.len() < MAX_WAITING + MAX_BEHIND {
            if self.is_lifted {
                self.push_caps();
            }
            self.caps ^= event == (InputEvent::Key { code: CAPS_LOCK, pressed: true });
            self.waiting.push_back(Step { event, is_ours: false });
        } else {
            log::warn!("input: too much waits behind a text; it is forgotten");
            self.waiting.clear();
            self.waiting.push_back(Step { event: InputEvent::ReleaseAll, is_ours: false });
            self.is_lifted = self.is_lifted_now;
        }
    }

    /// Forgets what is still to be typed. Caps Lock is left as people had it.
    pub(super) fn clear(&mut self, input: &mut Held) {
        self.waiting.clear();
        self.due = None;
        self.is_lifted = false;
        if std::mem::take(&mut self.is_lifted_now) {
            for step in caps_lock() {
                if let Err(error) = inject(input, &step.event) {
                    log::warn!("Caps Lock: {error}");
                }
            }
        }
    }

    /// When [`Typist::handle_timeout`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Whether text is still to be typed.
    pub(super) fn is_busy(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Presses or releases the next key, if it is time.
    ///
    /// # Errors
    /// When the device does not take it; the rest is forgotten.
    pub(super) fn handle_timeout(&mut self, input: &mut Held, now: Instant) -> Result<(), Error> {
        if self.due.is_none_or(|due| due > now) {
            return Ok(());
        }
        if let Some(step) = self.waiting.pop_front() {
            self.last = Some(now);
            if let Err(error) = inject(input, &step.event) {
                self.clear(input);
                return Err(error);
            }
            let is_press = matches!(step.event, InputEvent::Key { pressed: true, .. });
            self.is_lifted_now ^= step.is_ours && is_press;
        }
        if self.waiting.is_empty() && self.is_lifted {
            self.push_caps();
        }
        self.due = (!self.waiting.is_empty()).then(|| now + GAP);
        Ok(())
    }
}

/// Caps Lock, pressed and released by us.
fn caps_lock() -> [Step; 2] {
    let event = |pressed| InputEvent::Key { code: CAPS_LOCK, pressed };
    [true, false].map(|pressed| Step { event: event(pressed), is_ours: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lotse_hal::simulated::{self, ManualClock, Options};
    use std::sync::Arc;

    fn typist() -> Typist {
        Typist::new(KeyboardLayout::named(DEFAULT).unwrap())
    }

    #[test]
    fn what_is_held_for_a_character_is_let_go_behind_it() {
        let mut typist = Typist::new(KeyboardLayout::named("de").unwrap());
        assert!(typist.push("\u{1e9e}é", || false, Instant::now()).is_empty());
        let keys: Vec<(u16, bool)> = typist
            .waiting
            .iter()
            .map(|step| match &step.event {
                InputEvent::Key { code, pressed } => (*code, *pressed),
                other => panic!("{other:?}"),
            })
            .collect();
        // Shift and AltGr around KEY_S, then the dead acute (KEY_EQUAL) and KEY_E.
        let capital = [(42, true), (100, true), (31, true), (31, false), (100, false), (42, false)];
        let accented = [(13, true), (13, false), (18, true), (18, false)];
        assert_eq!(keys, [&capital[..], &accented[..]].concat());
    }

    #[test]
    fn types_what_the_layout_has_and_reports_the_rest() {
        let mut typist = typist();
        assert_eq!(typist.push("aß€", || false, Instant::now()), ['ß', '€']);
        assert!(typist.is_busy());
        typist.clear(&mut kiosk().machine.input);
        assert!(!typist.is_busy() && typist.poll_timeout().is_none());
    }

    fn kiosk() -> simulated::Simulated {
        simulated::open(Options::default(), Arc::new(ManualClock::new())).unwrap()
    }

    /// Types what waits; the keys that went down, in their order.
    fn type_out(typist: &mut Typist, input: &mut Held, now: &mut Instant) -> Vec<u16> {
        let mut down = Vec::new();
        while let Some(due) = typist.poll_timeout() {
            *now = (*now).max(due);
            if let Some(Step { event: InputEvent::Key { code, pressed: true }, .. }) =
                typist.waiting.front()
            {
                down.push(*code);
            }
            typist.handle_timeout(input, *now).unwrap();
        }
        down
    }

    const KEY_A: u16 = 30;

    #[test]
    fn caps_lock_is_switched_off_around_a_text_and_nothing_else() {
        let (mut typist, mut kiosk, mut now) = (typist(), kiosk(), Instant::now());
        typist.push("a", || true, now);
        typist.push("a", || panic!("known while the line is not empty"), now);
        let key = InputEvent::Key { code: 28, pressed: true };
        typist.push_event(key);
        typist.push("a", || panic!("known"), now);
        let keys = type_out(&mut typist, &mut kiosk.machine.input, &mut now);
        assert_eq!(keys, [58, KEY_A, KEY_A, 58, 28, 58, KEY_A, 58]);
        // The lamp lags behind: what we know counts.
        typist.push("a", || false, now);
        let keys = type_out(&mut typist, &mut kiosk.machine.input, &mut now);
        assert_eq!(keys, [58, KEY_A, 58]);
        now += LAMP_LAG;
        typist.push("a", || false, now);
        assert_eq!(type_out(&mut typist, &mut kiosk.machine.input, &mut now), [KEY_A]);
    }

    #[test]
    fn a_text_that_is_cut_off_leaves_caps_lock_as_it_was() {
        let (mut typist, mut kiosk, now) = (typist(), kiosk(), Instant::now());
        typist.push("aaa", || true, now);
        let due = now + 10 * GAP;
        for _ in 0..3 {
            typist.handle_timeout(&mut kiosk.machine.input, due).unwrap();
            typist.due = Some(now);
        }
        assert!(typist.is_lifted_now);
        typist.clear(&mut kiosk.machine.input);
        assert!(!typist.is_lifted_now && !typist.is_lifted && !typist.is_busy());
    }

    #[test]
    fn keys_come_one_by_one_and_all_are_released() {
        let clock = Arc::new(ManualClock::new());
        let mut kiosk = simulated::open(Options::default(), clock).unwrap();
        let mut typist = typist();
        let mut now = Instant::now();
        typist.push("Ab", || false, now);
        let mut steps = 0;
        while let Some(due) = typist.poll_timeout() {
            assert!(due <= now + GAP);
            now = now.max(due);
            typist.handle_timeout(&mut kiosk.machine.input, now).unwrap();
            steps += 1;
        }
        assert_eq!(steps, 6, "shift, a, a, shift, b, b");
        assert!(!kiosk.machine.input.holds_anything());
    }

    #[test]
    fn a_key_after_a_text_is_pressed_after_it() {
        let mut typist = typist();
        typist.push("a", || false, Instant::now());
        let enter = InputEvent::Key { code: 28, pressed: true };
        typist.push_event(enter.clone());
        assert_eq!(typist.waiting.len(), 3);
        assert_eq!(typist.waiting.back().map(|step| &step.event), Some(&enter));
    }

    #[test]
    fn a_flood_behind_a_text_ends_with_everything_let_go() {
        let mut typist = typist();
        typist.push("a", || false, Instant::now());
        for _ in 0..MAX_WAITING + MAX_BEHIND {
            typist.push_event(InputEvent::Key { code: 30, pressed: true });
            assert!(typist.waiting.len() <= MAX_WAITING + MAX_BEHIND);
        }
        assert!(typist.waiting.iter().any(|step| step.event == InputEvent::ReleaseAll));
    }

    #[test]
    fn a_flood_of_text_is_bounded() {
        let mut typist = typist();
        let rest = typist.push(&"x".repeat(MAX_WAITING), || false, Instant::now());
        let typed = (MAX_WAITING - MAX_EVENTS) / 2 + 1;
        assert_eq!(rest.len(), MAX_WAITING - typed);
        assert!(typist.waiting.len() <= MAX_WAITING);
    }
}
