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

/// Types text with the keyboard layout of the machine.
#[derive(Debug)]
pub(super) struct Typist {
    layout: KeyboardLayout,
    waiting: VecDeque<InputEvent>,
    due: Option<Instant>,
}

impl Typist {
    /// A typist for the layout that the machine's programs have.
    pub(super) fn new(layout: KeyboardLayout) -> Self {
        Self { layout, waiting: VecDeque::new(), due: None }
    }

    /// Puts text in line. Yields the characters that cannot be typed.
    pub(super) fn push(&mut self, text: &str, now: Instant) -> Vec<char> {
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
        self.waiting.extend(held.clone().map(|key| event(key, true)));
        self.waiting.extend([event(stroke.key, true), event(stroke.key, false)]);
        self.waiting.extend(held.rev().map(|key| event(key, false)));
    }

    /// Puts other input in line behind text that is still to be typed. When the line is too long, all
    /// of it is forgotten and whatever is held is let go: no key stays down for want of room.
    pub(super) fn push_event(&mut self, event: InputEvent) {
        if self.waiting.len() < MAX_WAITING + MAX_BEHIND {
            self.waiting.push_back(event);
        } else {
            log::warn!("input: too much waits behind a text; it is forgotten");
            self.waiting.clear();
            self.waiting.push_back(InputEvent::ReleaseAll);
        }
    }

    /// Forgets what is still to be typed.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
        self.due = None;
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
        if let Some(event) = self.waiting.pop_front()
            && let Err(error) = inject(input, &event)
        {
            self.clear();
            return Err(error);
        }
        self.due = (!self.waiting.is_empty()).then(|| now + GAP);
        Ok(())
    }
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
        assert!(typist.push("\u{1e9e}é", Instant::now()).is_empty());
        let keys: Vec<(u16, bool)> = typist
            .waiting
            .iter()
            .map(|event| match event {
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
        assert_eq!(typist.push("aß€", Instant::now()), ['ß', '€']);
        assert!(typist.is_busy());
        typist.clear();
        assert!(!typist.is_busy() && typist.poll_timeout().is_none());
    }

    #[test]
    fn keys_come_one_by_one_and_all_are_released() {
        let clock = Arc::new(ManualClock::new());
        let mut kiosk = simulated::open(Options::default(), clock).unwrap();
        let mut typist = typist();
        let mut now = Instant::now();
        typist.push("Ab", now);
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
        typist.push("a", Instant::now());
        let enter = InputEvent::Key { code: 28, pressed: true };
        typist.push_event(enter.clone());
        assert_eq!(typist.waiting.len(), 3);
        assert_eq!(typist.waiting.back(), Some(&enter));
    }

    #[test]
    fn a_flood_behind_a_text_ends_with_everything_let_go() {
        let mut typist = typist();
        typist.push("a", Instant::now());
        for _ in 0..MAX_WAITING + MAX_BEHIND {
            typist.push_event(InputEvent::Key { code: 30, pressed: true });
            assert!(typist.waiting.len() <= MAX_WAITING + MAX_BEHIND);
        }
        assert!(typist.waiting.contains(&InputEvent::ReleaseAll));
    }

    #[test]
    fn a_flood_of_text_is_bounded() {
        let mut typist = typist();
        let rest = typist.push(&"x".repeat(MAX_WAITING), Instant::now());
        let typed = (MAX_WAITING - MAX_EVENTS) / 2 + 1;
        assert_eq!(rest.len(), MAX_WAITING - typed);
        assert!(typist.waiting.len() <= MAX_WAITING);
    }
}
