//! Where everything is, for each view and any size of panel.
//!
//! Lengths are shares of the panel's shorter side, so that a small panel and a large one look
//! alike; buttons are never smaller than a finger needs.

mod asking;
mod connected;

use lotse_hal::{Rect, Size};

pub(super) use self::connected::can_be_limited;
use super::scene::{Align, Button, Look, Scene, Sign, inset, split_bottom, split_left, split_top};
use super::texts::{MessageText, Texts};
use super::theme;
use super::view::{Ended, Message, NUMBER_DIGITS, PASSWORD_DIGITS, RightSet, View};
use super::{letters, letters::Weight};

/// The smallest side of a button, in pixels, on panels that have the room.
pub(super) const MIN_BUTTON: u32 = 44;
/// The smallest side of a button that decides something, in millimetres, on panels that say how
/// large they are and have the room.
pub(super) const MIN_BUTTON_MM: f32 = 15.0;
/// The rows of the keypad.
const KEYPAD: [[Option<Button>; 3]; 4] = [
    [Some(Button::Digit(1)), Some(Button::Digit(2)), Some(Button::Digit(3))],
    [Some(Button::Digit(4)), Some(Button::Digit(5)), Some(Button::Digit(6))],
    [Some(Button::Digit(7)), Some(Button::Digit(8)), Some(Button::Digit(9))],
    [Some(Button::Delete), Some(Button::Digit(0)), None],
];

/// All that decides what a picture looks like.
pub(super) struct Shown<'a> {
    pub(super) size: Size,
    /// Pixels in a millimetre, where that is known.
    pub(super) density: Option<f32>,
    pub(super) view: &'a View,
    pub(super) texts: &'static Texts,
    /// The digits typed so far.
    pub(super) entry: &'a str,
    pub(super) pressed: Option<Button>,
    /// What the keyboard would press.
    pub(super) selected: Option<Button>,
    /// Whether accepting is possible yet.
    pub(super) is_armed: bool,
    /// Until a question is answered by time, or something begins.
    pub(super) seconds_left: u64,
    /// What the person has not taken out of the question.
    pub(super) ticked: RightSet,
    /// Whether the person chooses from the rights.
    pub(super) is_choosing: bool,
}

/// How much of the shorter side a row of large buttons may take, in thousandths: as much as leaves
/// room for all words.
const ROWS: [u32; 4] = [300, 260, 220, 0];

/// The picture of what is shown; `None` if nothing is.
pub(super) fn scene(shown: &Shown<'_>) -> Option<Scene> {
    let mut largest = ROWS.into_iter();
    // Without a density all of them are the same.
    let mut scene = draft(shown, largest.next().filter(|_| shown.density.is_some()).unwrap_or(0))?;
    for row in largest.filter(|_| shown.density.is_some()) {
        if scene.fits(least_button(shown.size)) {
            break;
        }
        scene = draft(shown, row)?;
    }
    Some(scene)
}

/// The least side that any button has on a panel of a size.
pub(super) fn least_button(size: Size) -> u32 {
    MIN_BUTTON.min(size.width.min(size.height) / 8)
}

fn draft(shown: &Shown<'_>, row: u32) -> Option<Scene> {
    let mut draft = Draft::new(shown, row);
    match shown.view {
        View::Hidden => return None,
        View::Asking(ask) if shown.is_choosing => draft.choosing(ask),
        View::Asking(ask) => draft.asking(ask),
        View::Coming(coming) => draft.coming(coming),
        View::Home { is_server_reachable, can_close } => {
            draft.home(*is_server_reachable, *can_close);
        }
        View::Joining { number } => draft.joining(*number),
        View::Message(message) => draft.message(*message),
        View::Password { number } => draft.password(*number),
        View::Session(connected) => draft.session(connected),
        View::Details(connected) => draft.details(connected),
    }
    Some(draft.scene)
}

/// A scene in the making.
struct Draft<'a> {
    shown: &'a Shown<'a>,
    scene: Scene,
    /// The shorter side.
    short: u32,
    /// What a row of large buttons may take, in thousandths of that.
    row: u32,
    /// The space between pieces.
    gap: u32,
    /// The size of plain text.
    px: f32,
}

impl<'a> Draft<'a> {
    fn new(shown: &'a Shown<'a>, row: u32) -> Self {
        let short = shown.size.width.min(shown.size.height);
        Self {
            shown,
            scene: Scene::new(shown.size.rect(), theme::DEEP),
            short,
            row,
            gap: (short / 36).max(4),
            px: (short as f32 * 0.05).max(letters::MIN_PX),
        }
    }

    /// A length as so many thousandths of the shorter side.
    fn share(&self, thousandths: u32) -> u32 {
        self.short * thousandths / 1000
    }

    fn is_wide(&self) -> bool {
        self.shown.size.width > self.shown.size.height
    }

    /// The line on top; gives what is left below.
    fn header(&mut self, sign: Sign, title: &str) -> Rect {
        let (bar, rest) = split_top(self.scene.area, self.share(130), 0);
        let bar = inset(bar, self.gap, self.gap * 3 / 4);
        let (flag, title_place) = split_left(bar, bar.height * 5 / 4, self.gap);
        self.flag(flag, sign);
        let font = (Weight::Bold, self.px * 1.4);
        self.scene.text(title_place, title, font, Align::Left, theme::PAPER);
        inset(rest, self.gap, self.gap)
    }

    fn flag(&mut self, place: Rect, sign: Sign) {
        let edge = (place.height / 20).max(1);
        self.scene.area(place, 0, theme::PAPER);
        self.scene.sign(inset(place, edge, edge), sign, theme::PAPER);
    }

    fn card(&mut self, place: Rect) -> Rect {
        self.scene.area(place, self.gap, theme::PAPER);
        inset(place, self.gap, self.gap)
    }

    fn button(&mut self, button: Button, place: Rect, word: &str, px: f32, look: Look) {
        let look = if self.shown.pressed == Some(button) { Look::Pressed } else { look };
        let is_selected = self.shown.selected == Some(button);
        self.scene.button((button, place), word, px, look, is_selected);
    }

    /// The least side of a button.
    fn finger(&self) -> u32 {
        let wanted = self.shown.density.map_or(0.0, |density| (MIN_BUTTON_MM * density).ceil());
        MIN_BUTTON.max((wanted as u32).min(self.share(self.row)))
    }

    /// The height of a row of large buttons.
    fn row_height(&self) -> u32 {
        self.share(150).max(self.finger())
    }

    fn home(&mut self, is_server_reachable: bool, can_close: bool) {
        let texts = &self.shown.texts.home;
        let body = self.header(Sign::FlagG, texts.title);
        let places = self.typing(body);
        let font = (Weight::Regular, self.px * 1.1);
        self.scene.text(places.words, texts.instruction, font, Align::Left, theme::PAPER);
        self.digits_field(places.digits, NUMBER_DIGITS);
        self.keypad(places.keypad);
        let left = can_close.then_some((Button::Close, texts.close));
        self.actions(places.actions, NUMBER_DIGITS, left);
        self.status(places.status, is_server_reachable);
    }

    /// Where the session's password is typed.
    fn password(&mut self, number: u32) {
        let texts = &self.shown.texts.password;
        let body = self.header(Sign::FlagG, texts.title);
        let places = self.typing(body);
        let font = (Weight::Regular, self.px * 1.1);
        self.scene.text(places.words, texts.instruction, font, Align::Left, theme::PAPER);
        self.digits_field(places.digits, PASSWORD_DIGITS);
        self.keypad(places.keypad);
        let left = Some((Button::Cancel, self.shown.texts.joining.cancel));
        self.actions(places.actions, PASSWORD_DIGITS, left);
        let number = format!("{} {}", texts.of_number, grouped(&format!("{number:09}")));
        let font = (Weight::Regular, self.px);
        self.scene.text(places.status, &number, font, Align::Left, theme::PAPER);
    }

    /// The places of a picture with a keypad.
    fn typing(&self, body: Rect) -> Typing {
        let gap = self.gap;
        let (words, number, keypad, actions, status) = if self.is_wide() {
            let widest = body.height * 9 / 8;
            let (left, keypad) =
                split_left(body, body.width - (body.width * 48 / 100).min(widest), gap);
            let keypad = inset(keypad, gap / 2, 0);
            let (rest, status) = split_bottom(left, self.share(60), gap / 2);
            let (rest, actions) = split_bottom(rest, self.row_height(), gap);
            let (words, number) = split_bottom(rest, self.share(150), gap);
            (words, number, keypad, actions, status)
        } else {
            let tall = body.height;
            let (words, rest) = split_top(body, tall * 12 / 100, gap / 2);
            let (number, rest) = split_top(rest, tall * 11 / 100, gap);
            let (rest, status) = split_bottom(rest, tall * 5 / 100, gap / 2);
            let (keypad, actions) = split_bottom(rest, (tall * 13 / 100).max(self.finger()), gap);
            (words, number, keypad, actions, status)
        };
        Typing { words, digits: number, keypad, actions, status }
    }

    fn digits_field(&mut self, place: Rect, count: usize) {
        self.scene.area(place, self.gap, theme::PAPER);
        let inner = inset(place, self.gap, self.gap / 3);
        let widest = grouped(&"0".repeat(count));
        let room = letters::fit(&widest, Weight::Bold, inner.height as f32 * 0.8, inner);
        let width = letters::width(&widest, Weight::Bold, room.px).ceil() as u32;
        let inner = inset(inner, (inner.width.saturating_sub(width)) / 2, 0);
        let entry = self.shown.entry.get(..count).unwrap_or(self.shown.entry);
        let empty = count.saturating_sub(entry.len());
        let digits = grouped(&format!("{entry}{}", "_".repeat(empty)));
        self.scene.text(inner, &digits, (Weight::Bold, room.px), Align::Left, theme::INK);
    }

    fn keypad(&mut self, place: Rect) {
        let gap = (self.gap * 2 / 3).max(4);
        let height = (place.height.saturating_sub(3 * gap)) / 4;
        let width = (place.width.saturating_sub(2 * gap)) / 3;
        for (row, y) in KEYPAD.iter().zip((0..).map(|row| place.y + row * (height + gap))) {
            for (button, x) in row.iter().zip((0..).map(|column| place.x + column * (width + gap)))
            {
                let Some(button) = *button else { continue };
                let word = match button {
                    Button::Digit(digit) => digit.to_string(),
                    _ => "⌫".to_owned(),
                };
                let key = Rect { x, y, width, height };
                let px = height.min(width) as f32 * 0.6;
                self.button(button, key, &word, px, Look::Raised);
            }
        }
    }

    /// Connect, once so many digits are typed, and perhaps a button on its left.
    fn actions(&mut self, place: Rect, count: usize, left: Option<(Button, &str)>) {
        let texts = &self.shown.texts.home;
        let look = if self.shown.entry.len() == count { Look::Accent } else { Look::Asleep };
        let mut connect = place;
        if let Some((button, word)) = left {
            let (close, rest) = split_left(place, place.width * 45 / 100, self.gap);
            connect = rest;
            self.button(button, close, word, self.px * 1.2, Look::Raised);
        }
        self.button(Button::Connect, connect, texts.connect, self.px * 1.2, look);
    }

    fn status(&mut self, place: Rect, is_server_reachable: bool) {
        let texts = &self.shown.texts.home;
        let (sign, word) = match is_server_reachable {
            true => (Sign::Disc, texts.server_reachable),
            false => (Sign::Triangle, texts.server_unreachable),
        };
        self.sign_and_word(place, sign, theme::ACCENT, word, (Weight::Regular, theme::PAPER));
    }

    /// A small sign with its word on its right.
    fn sign_and_word(
        &mut self,
        place: Rect,
        sign: Sign,
        sign_color: embedded_graphics::pixelcolor::Rgb888,
        word: &str,
        (weight, color): (Weight, embedded_graphics::pixelcolor::Rgb888),
    ) {
        let (sign_place, word_place) = split_left(place, place.height, self.gap / 2);
        let inner = inset(sign_place, sign_place.width / 5, sign_place.height / 5);
        self.scene.sign(inner, sign, sign_color);
        self.scene.text(word_place, word, (weight, self.px), Align::Left, color);
    }

    fn joining(&mut self, number: u32) {
        let texts = &self.shown.texts.joining;
        let body = self.header(Sign::FlagG, texts.title);
        let (card, row) = split_bottom(body, self.row_height(), self.gap);
        let inner = self.card(card);
        let (above, below) = split_top(inner, inner.height / 2, self.gap);
        let digits = grouped(&format!("{number:09}"));
        let font = (Weight::Bold, self.px * 2.4);
        self.scene.text(above, &digits, font, Align::Middle, theme::INK);
        let font = (Weight::Regular, self.px * 1.1);
        self.scene.text(below, texts.waiting, font, Align::Middle, theme::INK);
        self.single_button(row, Button::Cancel, texts.cancel, Look::Raised);
    }

    /// One button in the middle of a row.
    fn single_button(&mut self, row: Rect, button: Button, word: &str, look: Look) {
        let place = inset(row, row.width / 4, 0);
        self.button(button, place, word, self.px * 1.3, look);
    }

    fn message(&mut self, message: Message) {
        let texts = &self.shown.texts.messages;
        let text = message_text(self.shown.texts, message);
        // Nobody is on board: a session has not begun yet, or is over.
        let body = self.header(Sign::FlagG, "Lotse");
        let (card, row) = split_bottom(body, self.row_height(), self.gap);
        let inner = self.card(card);
        let (above, below) = split_top(inner, inner.height * 40 / 100, self.gap);
        let (sign_place, happened) = split_left(above, self.share(150), self.gap);
        let side = sign_place.width.min(sign_place.height);
        let down = (sign_place.height - side) / 2;
        let sign_place = inset(Rect { width: side, ..sign_place }, side / 8, down + side / 8);
        let (sign, color) = message_sign(message);
        self.scene.sign(sign_place, sign, color);
        let font = (Weight::Bold, self.px * 1.4);
        self.scene.text(happened, text.happened, font, Align::Left, theme::INK);
        let rest = format!("{}\n\n{}", text.safe, text.next);
        let font = (Weight::Regular, self.px * 1.1);
        self.scene.text(below, &rest, font, Align::Left, theme::INK);
        if message == Message::Interrupted {
            self.single_button(row, Button::Stop, texts.stop, Look::Red);
        } else {
            self.single_button(row, Button::Ok, texts.ok, Look::Accent);
        }
    }
}

/// The places of a picture with a keypad.
struct Typing {
    words: Rect,
    digits: Rect,
    keypad: Rect,
    actions: Rect,
    status: Rect,
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && index % 3 == 0 {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

fn message_text(texts: &Texts, message: Message) -> &MessageText {
    let texts = &texts.messages;
    match message {
        Message::Ended(Ended::ByPolicy) => &texts.ended_by_policy,
        Message::Ended(Ended::ByStaff) => &texts.ended_by_staff,
        Message::Ended(Ended::ByTechnician) => &texts.ended_by_technician,
        Message::Ended(Ended::ByTime) => &texts.ended_by_time,
        Message::Ended(Ended::ConnectionLost) => &texts.ended_connection_lost,
        Message::Interrupted => &texts.interrupted,
        Message::NotCertified => &texts.not_certified,
        Message::NotJoined => &texts.not_joined,
        Message::NumberBurned => &texts.number_burned,
        Message::Refused => &texts.refused,
        Message::RefusedByTime => &texts.refused_by_time,
        Message::ServerUnreachable => &texts.server_unreachable,
        Message::Unsafe => &texts.not_safe,
        Message::WrongPassword => &texts.wrong_password,
    }
}

/// A triangle where the person may have to do something; otherwise a disc.
fn message_sign(message: Message) -> (Sign, embedded_graphics::pixelcolor::Rgb888) {
    match message {
        Message::Ended(Ended::ByPolicy | Ended::ByStaff | Ended::ByTechnician | Ended::ByTime)
        | Message::Refused
        | Message::RefusedByTime => (Sign::Disc, theme::FLAG_BLUE),
        Message::Ended(Ended::ConnectionLost)
        | Message::Interrupted
        | Message::NotCertified
        | Message::NotJoined
        | Message::NumberBurned
        | Message::ServerUnreachable
        | Message::Unsafe
        | Message::WrongPassword => (Sign::Triangle, theme::INK),
    }
}
