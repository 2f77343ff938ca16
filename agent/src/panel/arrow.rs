//! An arrow by which somebody points at the machine's screen, with a name.

use std::cell::RefCell;
use std::convert::Infallible;

use embedded_graphics::draw_target::DrawTarget as _;
use embedded_graphics::pixelcolor::Rgb888;
use lotse_hal::draw::rectangle;
use lotse_hal::{Paint, Point, Rect, Size, Strip};

use super::letters::{self, Letters, Weight};
use super::{Name, theme};

/// Corners of the arrow, from its tip, in sixteenths of its size.
const CORNERS: [(i32, i32); 7] = [(0, 0), (10, 2), (8, 5), (16, 13), (13, 16), (5, 8), (2, 10)];

/// Its size as a share of the screen's shorter side, and within these bounds, in pixels.
const SHARE: u32 = 11;
const SIZES: (u32, u32) = (28, 160);

/// Places are multiples of this many pixels, so that they are also places of a compositor that
/// scales.
const GRID: u32 = 4;

/// An arrow with a name, as a painter. It sets its own pixels alone.
pub struct Arrow {
    color: Rgb888,
    name: Name,
    tip: Point,
    panel: Size,
    letters: RefCell<Letters>,
}

impl std::fmt::Debug for Arrow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arrow").field("tip", &self.tip).finish_non_exhaustive()
    }
}

impl Arrow {
    /// Somebody's arrow, in the upper left corner so far. The colour is red, green and blue.
    pub fn new(name: Name, [red, green, blue]: [u8; 3]) -> Self {
        let color = Rgb888::new(red, green, blue);
        let (tip, panel, letters) = (Point::default(), Size::default(), RefCell::default());
        Self { color, name, tip, panel, letters }
    }

    /// It points there, on a screen of this size.
    pub fn point(&mut self, tip: Point, panel: Size) {
        (self.tip, self.panel) = (tip, panel);
    }

    /// The part of the screen that it needs.
    pub fn area(&self) -> Rect {
        let label = self.label();
        let (across, down) = (self.turned().0, self.turned().1);
        let edge = self.edge();
        let far = self.size() as i32;
        let xs = [self.tip.x as i32, self.tip.x as i32 + across * far, label.0, label.0 + label.2];
        let ys = [self.tip.y as i32, self.tip.y as i32 + down * far, label.1, label.1 + label.3];
        let (x, width) = span(xs, edge, self.panel.width);
        let (y, height) = span(ys, edge, self.panel.height);
        Rect { x, y, width, height }
    }

    fn size(&self) -> u32 {
        (self.panel.width.min(self.panel.height) / SHARE).clamp(SIZES.0, SIZES.1)
    }

    fn edge(&self) -> i32 {
        (self.size() / 24).max(2) as i32
    }

    fn px(&self) -> f32 {
        (self.size() as f32 / 2.6).max(letters::MIN_PX * 1.5)
    }

    /// The name, cut to a few letters.
    fn word(&self) -> String {
        letters::cut(self.name.as_str(), Weight::Bold, self.px(), self.size() as f32 * 3.0)
    }

    /// In which directions the arrow's body lies from its tip: where there is room.
    fn turned(&self) -> (i32, i32) {
        let room = self.size() as f32 * 1.6;
        let width = letters::width(&self.word(), Weight::Bold, self.px());
        let fits = |tip: u32, need: f32, side: u32| tip as f32 + need < side as f32;
        let across = fits(self.tip.x, room + width, self.panel.width);
        let down = fits(self.tip.y, room + self.px(), self.panel.height);
        (if across { 1 } else { -1 }, if down { 1 } else { -1 })
    }

    /// The place of the name: x, y, width, height.
    fn label(&self) -> (i32, i32, i32, i32) {
        let (across, down) = self.turned();
        let (size, px) = (self.size() as i32, self.px());
        let pad = (px / 3.0) as i32;
        let width = letters::width(&self.word(), Weight::Bold, px).ceil() as i32 + 2 * pad;
        let height = letters::height(1, px).ceil() as i32 + pad;
        let x = self.tip.x as i32 + across * size * 3 / 4 - if across < 0 { width } else { 0 };
        let y = self.tip.y as i32 + down * size - if down < 0 { height } else { 0 };
        (x, y, width, height)
    }

    /// Fills the arrow's outline, moved by so much, a row at a time.
    fn fill(&self, strip: &mut Strip<'_>, moved: (i32, i32), color: Rgb888) {
        let (size, (across, down)) = (self.size() as i32, self.turned());
        let corner = |(x, y): (i32, i32)| (x * size / 16, y * size / 16);
        for row in 0..=size {
            let mut ends = [0_i32; CORNERS.len()];
            let mut count = 0;
            let next = CORNERS.iter().cycle().skip(1);
            for ((x0, y0), (x1, y1)) in
                CORNERS.iter().zip(next).map(|(a, b)| (corner(*a), corner(*b)))
            {
                if (y0 <= row) != (y1 <= row)
                    && let Some(end) = ends.get_mut(count)
                {
                    *end = x0 + (row - y0) * (x1 - x0) / (y1 - y0);
                    count += 1;
                }
            }
            let ends = ends.get_mut(..count).unwrap_or_default();
            ends.sort_unstable();
            for pair in ends.as_chunks::<2>().0 {
                let (from, length) = (pair[0], pair[1] - pair[0] + 1);
                let x = self.tip.x as i32 + moved.0 + if across > 0 { from } else { -pair[1] };
                let y = self.tip.y as i32 + moved.1 + down * row;
                fill(strip, (x, y, length, 1), color);
            }
        }
    }
}

impl Paint for Arrow {
    fn paint(&self, strip: &mut Strip<'_>) {
        let edge = self.edge();
        for moved in [(-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1), (-1, 1), (1, -1)] {
            self.fill(strip, (moved.0 * edge, moved.1 * edge), theme::INK);
        }
        let (x, y, width, height) = self.label();
        let frame = (x - edge, y - edge, width + 2 * edge, height + 2 * edge);
        fill(strip, frame, theme::INK);
        fill(strip, (x, y, width, height), self.color);
        self.fill(strip, (0, 0), self.color);
        let px = self.px();
        let (slack, font) = (height as f32 - letters::height(1, px), (Weight::Bold, px));
        let at = (x as f32 + (px / 3.0).floor(), y as f32 + slack / 2.0);
        self.letters.borrow_mut().draw(strip, &self.word(), font, at, theme::INK);
    }
}

/// Fills what the screen has of a place.
fn fill(strip: &mut Strip<'_>, (x, y, width, height): (i32, i32, i32, i32), color: Rgb888) {
    let cut = |from: i32, length: i32| {
        let start = from.max(0);
        (start.unsigned_abs(), (from + length - start).max(0).unsigned_abs())
    };
    let ((x, width), (y, height)) = (cut(x, width), cut(y, height));
    let place = rectangle(Rect { x, y, width, height });
    let Ok(()): Result<(), Infallible> = strip.fill_solid(&place, color);
}

/// What the places take of one side of the screen, with an edge, on the grid.
fn span(ends: [i32; 4], edge: i32, side: u32) -> (u32, u32) {
    let (from, to) = ends.iter().fold((i32::MAX, 0), |(a, b), end| (a.min(*end), b.max(*end)));
    let from = (from - edge).max(0).unsigned_abs();
    let to = (to + edge + 1).max(0).unsigned_abs().min(side);
    let from = from.min(side.saturating_sub(1)) / GRID * GRID;
    (from, to.max(from + 1).next_multiple_of(GRID).min(side) - from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PANELS: [Size; 4] =
        [Size::new(320, 240), Size::new(800, 480), Size::new(1366, 768), Size::new(3840, 2160)];

    fn arrow(name: &str, tip: Point, panel: Size) -> (Arrow, Vec<u8>) {
        let mut arrow = Arrow::new(Name::from_network(name), [0xff, 0xd1, 0]);
        arrow.point(tip, panel);
        let area = arrow.area();
        let mut pixels = vec![0; area.width as usize * area.height as usize * 4];
        arrow.paint(&mut Strip { panel, area, pixels: &mut pixels });
        (arrow, pixels)
    }

    #[test]
    fn the_tip_is_where_somebody_points_wherever_that_is() {
        for panel in PANELS {
            let (right, bottom) = (panel.width - 1, panel.height - 1);
            for (x, y) in [(0, 0), (right, 0), (0, bottom), (right, bottom), (101, 97)] {
                let (arrow, pixels) = arrow("Technician", Point::new(x, y), panel);
                let area = arrow.area();
                assert_eq!(area.intersection(panel.rect()), Some(area), "{panel:?} {x} {y}");
                let index = ((y - area.y) * area.width + x - area.x) as usize * 4;
                assert_eq!(pixels[index..index + 4], [0, 0xd1, 0xff, 0xff], "{panel:?} {x} {y}");
                let free = pixels.as_chunks::<4>().0.iter().filter(|pixel| pixel[3] == 0);
                assert!(free.count() * 4 > pixels.len() / 4, "what is around it is seen");
            }
        }
    }

    #[test]
    fn a_name_is_short_and_harmless_however_it_comes() {
        let panel = Size::new(800, 480);
        let wide = "\u{202e}W\u{0}W\nW ".repeat(30);
        let (arrow, _) = arrow(&wide, Point::new(400, 200), panel);
        assert!(arrow.area().width < panel.width / 3, "{:?}", arrow.area());
        assert!(!arrow.word().contains('\u{202e}'));
    }

    #[test]
    fn moving_it_needs_as_much_room_as_before_but_at_the_edges() {
        let panel = Size::new(1280, 800);
        let size = |x, y| {
            let (arrow, _) = arrow("Jo", Point::new(x, y), panel);
            (arrow.area().width, arrow.area().height)
        };
        for at in 0..9 {
            assert_eq!(size(100 + at * 4, 100 + at * 4), size(100, 100));
        }
    }
}
