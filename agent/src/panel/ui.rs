//! The panel's state: what is shown, what is being pressed, what was decided.

mod keys;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use lotse_hal::{LocalEvent, Paint, Phase, Point, Rect, Size, Strip};

use super::layout::{self, Shown};
use super::letters::Letters;
use super::paint;
use super::scene::{Button, Scene};
use super::texts::Language;
use super::view::{Message, NUMBER_DIGITS, PASSWORD_DIGITS, RightSet, View};

/// From when the question is seen intact until it can be accepted, so that a finger on its way
/// to something else does not accept.
pub const ARM_DELAY: Duration = Duration::from_millis(1500);
/// After so long without a key, the digits of a number are forgotten.
pub const ENTRY_TIME: Duration = Duration::from_secs(60);
/// After so long, a message closes by itself.
pub const MESSAGE_TIME: Duration = Duration::from_secs(60);

/// After so long, nobody is typing a password any more, and joining is given up.
pub const PASSWORD_TIME: Duration = Duration::from_secs(150);

/// Outputs that wait to be taken; there are fewer kinds than that.
const MAX_OUTPUTS: usize = 16;

/// What the person decided, and what is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PanelOutput {
    /// Yes to who asks, to these rights. The screen must be verified once more before anything
    /// follows from it.
    Accepted(RightSet),
    /// Joining is given up.
    Cancelled,
    /// Back to the machine's own picture.
    Closed,
    /// More of the session is to be shown.
    DetailsOpened,
    /// The technician may only look on from now on.
    LookOnlyPressed,
    /// A message was read, or shown long enough.
    MessageClosed,
    /// A session number was typed, below 1,000,000,000.
    NumberEntered(u32),
    /// A session's password was typed, below 1,000,000.
    PasswordEntered(u32),
    /// What is about to happen shall not.
    Prevented,
    /// The picture in [`PanelUi::area`] is to be shown anew.
    Redraw,
    /// No to who asks.
    Refused {
        /// Whether nobody answered in time.
        timed_out: bool,
    },
    /// The session is to end at once.
    StopPressed,
    /// Nobody has prevented what was announced: it is time.
    TimeHasCome,
}

/// What the person at the machine sees and touches.
///
/// After each call of `show`, `set_size` or `handle_*`, take [`PanelUi::poll_output`] until it
/// is empty, and call [`PanelUi::handle_timeout`] at [`PanelUi::poll_timeout`].
pub struct PanelUi {
    size: Size,
    density: Option<f32>,
    language: Language,
    view: View,
    entry: String,
    entry_until: Option<Instant>,
    message_until: Option<Instant>,
    press: Option<Press>,
    selected: Option<Button>,
    /// Whether the person uses a keyboard: only then is the selection shown.
    has_keyboard: bool,
    enter: Enter,
    /// Since when the question is known to be seen whole.
    intact_since: Option<Instant>,
    /// Whether the view's question has its answer.
    is_decided: bool,
    /// What is allowed by accepting.
    ticked: RightSet,
    /// Whether the person chooses from the rights: the question is not seen meanwhile.
    is_choosing: bool,
    now: Instant,
    scene: Option<Scene>,
    letters: RefCell<Letters>,
    outputs: VecDeque<PanelOutput>,
}

/// A finger on a button.
#[derive(Debug, Clone, Copy)]
struct Press {
    contact: u8,
    button: Button,
    is_inside: bool,
}

/// The Enter key: down or up, and what it will press.
#[derive(Debug, Clone, Copy, Default)]
struct Enter {
    is_down: bool,
    button: Option<Button>,
}

impl std::fmt::Debug for PanelUi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PanelUi")
            .field("size", &self.size)
            .field("view", &self.view)
            .field("press", &self.press)
            .finish_non_exhaustive()
    }
}

impl PanelUi {
    /// A panel that shows nothing yet.
    pub fn new(size: Size, language: Language, now: Instant) -> Self {
        Self {
            size,
            density: None,
            language,
            view: View::Hidden,
            entry: String::new(),
            entry_until: None,
            message_until: None,
            press: None,
            selected: None,
            has_keyboard: false,
            enter: Enter::default(),
            intact_since: None,
            is_decided: false,
            ticked: RightSet::NONE,
            is_choosing: false,
            now,
            scene: None,
            letters: RefCell::default(),
            outputs: VecDeque::new(),
        }
    }

    /// What is shown now.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The part of the panel that is covered: all of it, the sign in the corner, or none.
    pub fn area(&self) -> Option<Rect> {
        self.scene.as_ref().map(|scene| scene.area)
    }

    /// Shows something else. What was being pressed is forgotten; the same view again changes
    /// nothing.
    pub fn show(&mut self, view: View, now: Instant) {
        self.now = now;
        if view == self.view {
            return;
        }
        let is_same_but_for_words = matches!(
            (&view, &self.view),
            (View::Home { .. }, View::Home { .. })
                | (View::Session(_), View::Session(_))
                | (View::Details(_), View::Details(_))
        );
        if !is_same_but_for_words {
            self.entry.clear();
            self.entry_until = None;
            self.press = None;
            self.enter.button = None;
        }
        self.view = view;
        self.is_choosing = false;
        self.ticked = match &self.view {
            View::Asking(ask) => ask.ticked.capped_by(ask.rights),
            _ => RightSet::NONE,
        };
        self.is_decided = false;
        self.intact_since = None;
        self.message_until = None;
        self.selected = match self.view {
            View::Asking(_) => Some(Button::Refuse),
            View::Message(Message::Interrupted) => None,
            View::Message(_) => {
                self.message_until = Some(now + MESSAGE_TIME);
                Some(Button::Ok)
            }
            View::Details(_) => {
                self.message_until = Some(now + MESSAGE_TIME);
                Some(Button::Close)
            }
            // Enter may be on its way to the application: it does not prevent anything unless chosen.
            View::Coming(_) => None,
            View::Password { .. } => {
                self.message_until = Some(now + PASSWORD_TIME);
                None
            }
            _ => None,
        };
        self.refresh();
    }

    /// The panel has another size. What was being pressed is forgotten, and a question must be
    /// seen intact anew.
    pub fn set_size(&mut self, size: Size) {
        if size != self.size {
            self.size = size;
            self.press = None;
            self.intact_since = None;
            self.refresh();
        }
    }

    /// The panel has so many pixels in a millimetre, or that is not known. As [`PanelUi::set_size`]:
    /// buttons move.
    pub fn set_density(&mut self, density: Option<f32>) {
        if density != self.density {
            self.density = density;
            self.press = None;
            self.intact_since = None;
            self.refresh();
        }
    }

    /// The screen was read back after showing: whether the picture is on it as painted.
    ///
    /// A question can be accepted only [`ARM_DELAY`] after the first `true`; a `false` starts
    /// that anew.
    pub fn handle_verified(&mut self, is_intact: bool, now: Instant) {
        self.now = now;
        if !is_intact {
            self.intact_since = None;
            if self.press.is_some_and(|press| press.button == Button::Accept) {
                self.press = None;
            }
            if self.enter.button == Some(Button::Accept) {
                self.enter.button = None;
            }
        } else if self.intact_since.is_none() {
            self.intact_since = Some(now);
        }
        self.refresh();
    }

    /// The person did something with a physical device.
    pub fn handle_local(&mut self, event: &LocalEvent, now: Instant) {
        self.handle_timeout(now);
        match *event {
            LocalEvent::Touch { contact, at, phase } => self.touch(contact, at, phase),
            LocalEvent::Key { key, pressed } => self.key(key, pressed),
            // Whatever else a later machine may have: it decides nothing.
            _ => {}
        }
        self.refresh();
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        if let View::Asking(ask) = &self.view
            && now >= ask.deadline
            && !self.is_decided
        {
            self.decide(PanelOutput::Refused { timed_out: true });
        }
        if let View::Coming(coming) = &self.view
            && now >= coming.deadline
            && !self.is_decided
        {
            self.decide(PanelOutput::TimeHasCome);
        }
        if self.message_until.is_some_and(|until| now >= until) && !self.is_decided {
            self.decide(match self.view {
                View::Password { .. } => PanelOutput::Cancelled,
                View::Details(_) => PanelOutput::Closed,
                _ => PanelOutput::MessageClosed,
            });
        }
        if self.entry_until.is_some_and(|until| now >= until) {
            self.entry.clear();
            self.entry_until = None;
        }
        self.refresh();
    }

    /// When [`PanelUi::handle_timeout`] is to be called; `None` if time changes nothing.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let mut next = self.entry_until;
        let mut at = |time: Option<Instant>| next = next.into_iter().chain(time).min();
        if !self.is_decided {
            at(self.message_until);
            if let Some(deadline) = self.deadline() {
                // The next whole second that is shown.
                let left = deadline.saturating_duration_since(self.now);
                let part = Duration::from_nanos(u64::from(left.subsec_nanos()));
                let whole = if part.is_zero() { Duration::from_secs(1) } else { part };
                at(Some(deadline.min(self.now + whole)));
                at(self.armed_at().filter(|armed| *armed > self.now));
            }
        }
        next
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<PanelOutput> {
        self.outputs.pop_front()
    }

    /// When the view is answered by time.
    fn deadline(&self) -> Option<Instant> {
        match &self.view {
            View::Asking(ask) => Some(ask.deadline),
            View::Coming(coming) => Some(coming.deadline),
            _ => None,
        }
    }

    fn armed_at(&self) -> Option<Instant> {
        self.intact_since.map(|since| since + ARM_DELAY)
    }

    fn is_armed(&self) -> bool {
        let is_due = self.armed_at().is_some_and(|armed| self.now >= armed);
        !self.is_decided && !self.is_choosing && !self.ticked.is_empty() && is_due
    }

    /// How many digits are typed here.
    fn digits(&self) -> usize {
        match self.view {
            View::Password { .. } => PASSWORD_DIGITS,
            _ => NUMBER_DIGITS,
        }
    }

    /// Whether a button does something when pressed now.
    fn is_awake(&self, button: Button) -> bool {
        match button {
            Button::Accept => self.is_armed(),
            Button::Chosen => !self.ticked.is_empty(),
            Button::Connect => self.entry.len() == self.digits(),
            _ => true,
        }
    }

    fn touch(&mut self, contact: u8, at: Point, phase: Phase) {
        let button = self.scene.as_ref().and_then(|scene| scene.button_at(at));
        match (phase, self.press) {
            (Phase::Down, Some(press)) if press.contact != contact => {
                self.press = None;
                // Two thumbs type; anywhere else two fingers are a hand, not a decision.
                if matches!(press.button, Button::Digit(_) | Button::Delete) && press.is_inside {
                    self.activate(press.button);
                    self.press_down(contact, button);
                }
            }
            (Phase::Down, _) => self.press_down(contact, button),
            (Phase::Move, Some(press)) if press.contact == contact => {
                let is_inside = button == Some(press.button);
                self.press = Some(Press { is_inside, ..press });
            }
            (Phase::Up, Some(press)) if press.contact == contact => {
                self.press = None;
                if button == Some(press.button) {
                    self.activate(press.button);
                }
            }
            _ => {}
        }
    }

    fn press_down(&mut self, contact: u8, button: Option<Button>) {
        self.press = button
            .filter(|button| self.is_awake(*button) && !self.is_decided)
            .map(|button| Press { contact, button, is_inside: true });
    }

    fn activate_on_home(&mut self, button: Button) {
        if matches!(self.view, View::Home { .. } | View::Password { .. }) {
            self.activate(button);
        }
    }

    fn activate(&mut self, button: Button) {
        if self.is_decided || !self.is_awake(button) {
            return;
        }
        match button {
            Button::Accept => self.decide(PanelOutput::Accepted(self.ticked)),
            Button::Choose => self.choose(true),
            Button::Chosen => self.choose(false),
            Button::Tick(right) => self.ticked = self.ticked.toggled(right),
            Button::Details => self.output(PanelOutput::DetailsOpened),
            Button::LookOnly => self.output(PanelOutput::LookOnlyPressed),
            Button::Prevent => self.decide(PanelOutput::Prevented),
            Button::Cancel => self.decide(PanelOutput::Cancelled),
            Button::Close => {
                self.entry.clear();
                self.output(PanelOutput::Closed);
            }
            Button::Connect => {
                if let Ok(number) = self.entry.parse() {
                    match self.view {
                        View::Password { .. } => self.decide(PanelOutput::PasswordEntered(number)),
                        _ => self.output(PanelOutput::NumberEntered(number)),
                    }
                }
            }
            Button::Delete => {
                self.entry.pop();
                self.entry_until = (!self.entry.is_empty()).then(|| self.now + ENTRY_TIME);
            }
            Button::Digit(digit) => {
                if self.entry.len() < self.digits() {
                    self.entry.push(char::from(b'0' + digit.min(9)));
                }
                self.entry_until = Some(self.now + ENTRY_TIME);
            }
            Button::Ok => self.decide(PanelOutput::MessageClosed),
            Button::Refuse => self.decide(PanelOutput::Refused { timed_out: false }),
            Button::Stop => self.decide(PanelOutput::StopPressed),
        }
    }

    /// Shows the rights to choose from, or the question again, which must be seen anew.
    fn choose(&mut self, is_choosing: bool) {
        self.is_choosing = is_choosing;
        self.intact_since = None;
        self.selected = if is_choosing { None } else { Some(Button::Refuse) };
    }

    /// The view's one answer: nothing after it counts.
    fn decide(&mut self, answer: PanelOutput) {
        self.is_decided = true;
        self.press = None;
        self.enter.button = None;
        self.output(answer);
    }

    fn output(&mut self, output: PanelOutput) {
        if self.outputs.len() < MAX_OUTPUTS {
            self.outputs.push_back(output);
        }
    }

    /// Lays the picture out anew and says so if it is another one.
    fn refresh(&mut self) {
        let seconds_left = self.deadline().map_or(0, |deadline| {
            let left = deadline.saturating_duration_since(self.now);
            left.as_secs() + u64::from(left.subsec_nanos() > 0)
        });
        let pressed = self.press.filter(|press| press.is_inside).map(|press| press.button);
        let scene = layout::scene(&Shown {
            size: self.size,
            density: self.density,
            view: &self.view,
            texts: self.language.texts(),
            entry: &self.entry,
            pressed,
            selected: self.selected.filter(|_| self.has_keyboard),
            is_armed: self.is_armed(),
            seconds_left,
            ticked: self.ticked,
            is_choosing: self.is_choosing,
        });
        if scene != self.scene {
            self.scene = scene;
            if !self.outputs.contains(&PanelOutput::Redraw) {
                self.output(PanelOutput::Redraw);
            }
        }
    }
}

impl Paint for PanelUi {
    fn paint(&self, strip: &mut Strip<'_>) {
        if let Some(scene) = &self.scene {
            paint::paint(scene, &mut self.letters.borrow_mut(), strip);
        }
    }
}
