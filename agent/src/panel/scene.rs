//! A picture as a list of pieces: what is where, before anything is drawn.
//!
//! Layout makes scenes, painting draws them, and tests look into them.

use embedded_graphics::pixelcolor::Rgb888;
use lotse_hal::{Point, Rect};

use super::letters::{self, Fitted, Weight};
use super::theme;
use super::view::Right;

/// Something that can be pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Button {
    /// Says yes to who asks.
    Accept,
    /// Gives up joining.
    Cancel,
    /// Goes back to the machine's own picture.
    Close,
    /// Shows what can be allowed, to choose from.
    Choose,
    /// The choice is made.
    Chosen,
    /// Joins the number that was typed.
    Connect,
    /// Deletes the last digit.
    Delete,
    /// Shows more of the session.
    Details,
    /// Types a digit, 0 to 9.
    Digit(u8),
    /// Lets the technician do nothing but look on.
    LookOnly,
    /// Closes a message.
    Ok,
    /// What is about to happen shall not.
    Prevent,
    /// Says no to who asks.
    Refuse,
    /// Ends the session.
    Stop,
    /// Allows something, or no longer.
    Tick(Right),
}

impl Button {
    /// Its name in layouts, as in `accept` or `digit-7`.
    pub fn name(self) -> String {
        match self {
            Self::Accept => "accept".to_owned(),
            Self::Cancel => "cancel".to_owned(),
            Self::Choose => "choose".to_owned(),
            Self::Chosen => "chosen".to_owned(),
            Self::Close => "close".to_owned(),
            Self::Connect => "connect".to_owned(),
            Self::Delete => "delete".to_owned(),
            Self::Details => "details".to_owned(),
            Self::Digit(digit) => format!("digit-{digit}"),
            Self::LookOnly => "look-only".to_owned(),
            Self::Ok => "ok".to_owned(),
            Self::Prevent => "prevent".to_owned(),
            Self::Refuse => "refuse".to_owned(),
            Self::Stop => "stop".to_owned(),
            Self::Tick(right) => format!("tick-{right:?}").to_lowercase(),
        }
    }
}

/// How a button looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// What to do next.
    Accent,
    /// It does nothing yet.
    Asleep,
    /// It is pressed now.
    Pressed,
    /// Plain, on paper colour.
    Paper,
    /// Plain, on the ground.
    Raised,
    /// Stop.
    Red,
}

impl Look {
    /// Ground, text and frame.
    pub(super) fn colors(self) -> (Rgb888, Rgb888, Rgb888) {
        match self {
            Self::Accent => (theme::ACCENT, theme::INK, theme::ACCENT),
            Self::Asleep => (theme::DEEP, theme::PAPER_SOFT, theme::PAPER_SOFT),
            Self::Pressed => (theme::INK, theme::WHITE, theme::ACCENT),
            Self::Paper => (theme::PAPER, theme::INK, theme::PAPER),
            Self::Raised => (theme::DEEP_RAISED, theme::PAPER, theme::DEEP_RAISED),
            Self::Red => (theme::RED, theme::WHITE, theme::WHITE),
        }
    }
}

/// Where lines stand in their place, left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Middle,
}

/// A sign that says the same as a word beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Signal flag G, "I require a pilot": yellow and blue stripes.
    FlagG,
    /// Signal flag H, "I have a pilot on board": white and red halves.
    FlagH,
    /// All is well: a disc.
    Disc,
    /// Look here: a triangle.
    Triangle,
    /// Compare: two bars.
    Equals,
}

/// One thing in a picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    /// A plain rectangle with round corners.
    Area { place: Rect, radius: u32, fill: Rgb888, frame: Option<(Rgb888, u32)> },
    /// A sign.
    Sign { place: Rect, sign: Sign, color: Rgb888 },
    /// Text, centred from top to bottom in its place.
    Text { place: Rect, text: Fitted, weight: Weight, align: Align, color: Rgb888 },
}

/// A picture before it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scene {
    /// The part of the panel that it covers.
    pub(super) area: Rect,
    pub(super) pieces: Vec<Piece>,
    /// What can be pressed, and where.
    pub(super) buttons: Vec<(Button, Rect)>,
    /// Those of them that have no edge of their own: what is drawn there is touched.
    pub(super) regions: Vec<Button>,
}

impl Scene {
    /// A plain ground.
    pub(super) fn new(area: Rect, ground: Rgb888) -> Self {
        let piece = Piece::Area { place: area, radius: 0, fill: ground, frame: None };
        Self { area, pieces: vec![piece], buttons: Vec::new(), regions: Vec::new() }
    }

    /// Whether all words are within their places, and no side of a button is less than `least`.
    pub(super) fn fits(&self, least: u32) -> bool {
        let fits = |piece: &Piece| !matches!(piece, Piece::Text { text, .. } if !text.fits);
        let is_large = |place: &Rect| place.width.min(place.height) >= least;
        self.pieces.iter().all(fits) && self.buttons.iter().all(|(_, place)| is_large(place))
    }

    pub(super) fn button_at(&self, at: Point) -> Option<Button> {
        self.buttons.iter().find(|(_, place)| place.contains(at)).map(|(button, _)| *button)
    }

    pub(super) fn area(&mut self, place: Rect, radius: u32, fill: Rgb888) {
        self.pieces.push(Piece::Area { place, radius, fill, frame: None });
    }

    pub(super) fn framed(&mut self, place: Rect, radius: u32, fill: Rgb888, frame: (Rgb888, u32)) {
        self.pieces.push(Piece::Area { place, radius, fill, frame: Some(frame) });
    }

    pub(super) fn sign(&mut self, place: Rect, sign: Sign, color: Rgb888) {
        self.pieces.push(Piece::Sign { place, sign, color });
    }

    /// Text as large as `px` and its place allow.
    pub(super) fn text(
        &mut self,
        place: Rect,
        text: &str,
        (weight, px): (Weight, f32),
        align: Align,
        color: Rgb888,
    ) {
        let text = letters::fit(text, weight, px, place);
        self.pieces.push(Piece::Text { place, text, weight, align, color });
    }

    /// A place that can be pressed, with whatever is drawn there.
    pub(super) fn region(&mut self, button: Button, place: Rect) {
        self.buttons.push((button, place));
        self.regions.push(button);
    }

    /// A button with its word.
    pub(super) fn button(
        &mut self,
        (button, place): (Button, Rect),
        word: &str,
        px: f32,
        look: Look,
        is_selected: bool,
    ) {
        let (fill, color, frame) = look.colors();
        let radius = place.height.min(place.width) / 6;
        let edge = (place.height.min(place.width) / 24).max(1);
        if is_selected {
            // A ring around it, with the ground between.
            let ring = grow(place, edge * 2).intersection(self.area).unwrap_or(place);
            self.framed(ring, radius + edge, theme::DEEP, (theme::PAPER, edge));
        }
        self.framed(place, radius, fill, (frame, edge));
        let inner = inset(place, place.width / 24 + edge, edge);
        self.text(inner, word, (Weight::Bold, px), Align::Middle, color);
        self.buttons.push((button, place));
    }
}

/// A rectangle that is smaller on each side.
pub(super) fn inset(rect: Rect, across: u32, down: u32) -> Rect {
    let (across, down) = (across.min(rect.width / 2), down.min(rect.height / 2));
    Rect {
        x: rect.x + across,
        y: rect.y + down,
        width: rect.width - 2 * across,
        height: rect.height - 2 * down,
    }
}

/// A rectangle that is larger on each side.
fn grow(rect: Rect, by: u32) -> Rect {
    let (x, y) = (rect.x.saturating_sub(by), rect.y.saturating_sub(by));
    Rect { x, y, width: rect.width + (rect.x - x) + by, height: rect.height + (rect.y - y) + by }
}

/// The upper part of a rectangle, and what is left below a gap.
pub(super) fn split_top(rect: Rect, height: u32, gap: u32) -> (Rect, Rect) {
    let height = height.min(rect.height);
    let rest = (rect.height - height).saturating_sub(gap);
    let below = Rect { y: rect.y + rect.height - rest, height: rest, ..rect };
    (Rect { height, ..rect }, below)
}

/// What is left above a gap, and the lower part of a rectangle.
pub(super) fn split_bottom(rect: Rect, height: u32, gap: u32) -> (Rect, Rect) {
    let height = height.min(rect.height);
    let rest = (rect.height - height).saturating_sub(gap);
    let below = Rect { y: rect.y + rect.height - height, height, ..rect };
    (Rect { height: rest, ..rect }, below)
}

/// The left part of a rectangle, and what is left beyond a gap.
pub(super) fn split_left(rect: Rect, width: u32, gap: u32) -> (Rect, Rect) {
    let width = width.min(rect.width);
    let rest = (rect.width - width).saturating_sub(gap);
    let right = Rect { x: rect.x + rect.width - rest, width: rest, ..rect };
    (Rect { width, ..rect }, right)
}
