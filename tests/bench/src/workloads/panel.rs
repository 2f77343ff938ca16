//! Pages of an industrial panel.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{
    Circle, Line, PrimitiveStyle, Rectangle, RoundedRectangle, Triangle,
};

use super::Scene;
use crate::canvas::Canvas;
use crate::letters::Letters;
use crate::random::{Random, mix};

pub(super) const PAPER: Rgb888 = Rgb888::new(0xf4, 0xf5, 0xf7);
pub(super) const INK: Rgb888 = Rgb888::new(0x1c, 0x25, 0x33);
const BAR: Rgb888 = Rgb888::new(0x0b, 0x3d, 0x66);
const LIT: Rgb888 = Rgb888::new(0x1d, 0x7f, 0xc4);
const GOOD: Rgb888 = Rgb888::new(0x2e, 0x9e, 0x5b);
const BAD: Rgb888 = Rgb888::new(0xc8, 0x3a, 0x2f);
const LINES: Rgb888 = Rgb888::new(0xc9, 0xce, 0xd6);
const WHITE: Rgb888 = Rgb888::WHITE;

/// Words of the trade, so that text has the statistics of text.
pub(super) const WORDS: [&str; 48] = [
    "valve",
    "pressure",
    "bar",
    "pump",
    "conveyor",
    "bottle",
    "line",
    "temperature",
    "sensor",
    "alarm",
    "motor",
    "speed",
    "filler",
    "capper",
    "labeller",
    "tank",
    "level",
    "flow",
    "litre",
    "batch",
    "order",
    "recipe",
    "cleaning",
    "operator",
    "shift",
    "maintenance",
    "interval",
    "counter",
    "reject",
    "start",
    "stop",
    "ready",
    "fault",
    "door",
    "open",
    "closed",
    "manual",
    "automatic",
    "station",
    "gripper",
    "axis",
    "torque",
    "limit",
    "value",
    "of",
    "the",
    "and",
    "at",
];

/// A few words.
pub(super) fn phrase(random: &mut Random, words: u32) -> String {
    let mut text = String::new();
    for _ in 0..words {
        if !text.is_empty() {
            text.push(' ');
        }
        let at = random.below(WORDS.len() as u32) as usize;
        text.push_str(WORDS.get(at).copied().unwrap_or_default());
    }
    text
}

pub(super) fn rect(x: i32, y: i32, width: u32, height: u32) -> Rectangle {
    Rectangle::new(Point::new(x, y), Size::new(width, height))
}

pub(super) fn show(canvas: &mut Canvas, what: impl Drawable<Color = Rgb888>) {
    // A canvas takes everything.
    let Ok(_) = what.draw(canvas);
}

fn rounded(canvas: &mut Canvas, area: Rectangle, color: Rgb888) {
    let shape = RoundedRectangle::with_equal_corners(area, Size::new(8, 8));
    show(canvas, shape.into_styled(PrimitiveStyle::with_fill(color)));
}

/// The page of this number: head, tiles with values, a table or a drawing of the plant, buttons.
pub(super) fn page(canvas: &mut Canvas, letters: &mut Letters, number: u32, seed: u64) {
    let mut random = Random::new(mix(seed ^ u64::from(number)));
    let (width, height) = (canvas.width(), canvas.height());
    canvas.fill(canvas.area(), PAPER);
    canvas.fill(rect(0, 0, width, 56), BAR);
    let title = format!("Line {} · {}", number + 1, phrase(&mut random, 2));
    letters.line(canvas, (20, 14), 28, WHITE, &title);
    letters.line(canvas, (width as i32 - 120, 18), 20, WHITE, "14:32:07");
    for column in 0..4_u32 {
        let x = 20 + (column * (width - 20) / 4) as i32;
        let area = rect(x, 76, (width - 20) / 4 - 20, 110);
        rounded(canvas, area, WHITE);
        letters.line(canvas, (x + 14, 86), 16, INK, &phrase(&mut random, 2));
        let value = format!("{}.{}", random.below(900), random.below(10));
        letters.line(canvas, (x + 14, 116), 44, if column == 2 { BAD } else { GOOD }, &value);
    }
    let body = rect(20, 206, width - 40, height.saturating_sub(300));
    if number.is_multiple_of(2) {
        table(canvas, letters, body, &mut random);
    } else {
        plant(canvas, letters, body, &mut random);
    }
    for button in 0..5_u32 {
        let x = 20 + (button * (width - 20) / 5) as i32;
        let area = rect(x, height as i32 - 74, (width - 20) / 5 - 20, 56);
        rounded(canvas, area, if button == number % 5 { LIT } else { BAR });
        letters.line(canvas, (x + 20, height as i32 - 60), 22, WHITE, &phrase(&mut random, 1));
    }
}

fn table(canvas: &mut Canvas, letters: &mut Letters, body: Rectangle, random: &mut Random) {
    canvas.fill(body, WHITE);
    let (left, top) = (body.top_left.x, body.top_left.y);
    for row in 0..(body.size.height / 32) as i32 {
        let y = top + row * 32;
        if row % 2 == 1 {
            canvas.fill(rect(left, y, body.size.width, 32), PAPER);
        }
        canvas.fill(rect(left, y + 31, body.size.width, 1), LINES);
        let time = format!("{:02}:{:02}", random.below(24), random.below(60));
        letters.line(canvas, (left + 10, y + 6), 18, INK, &time);
        letters.line(canvas, (left + 90, y + 6), 18, INK, &phrase(random, 5));
        let state = if random.below(5) == 0 { (BAD, "fault") } else { (GOOD, "ready") };
        let right = left + body.size.width as i32 - 90;
        let light = Circle::new(Point::new(right - 30, y + 8), 16);
        show(canvas, light.into_styled(PrimitiveStyle::with_fill(state.0)));
        letters.line(canvas, (right, y + 6), 18, INK, state.1);
    }
}

fn plant(canvas: &mut Canvas, letters: &mut Letters, body: Rectangle, random: &mut Random) {
    canvas.fill(body, Rgb888::new(0xe3, 0xe8, 0xee));
    let (left, top) = (body.top_left.x, body.top_left.y);
    let (width, height) = (body.size.width as i32, body.size.height as i32);
    for station in 0..6 {
        let x = left + 30 + station * (width - 40) / 6;
        let y = top + 40 + random.below((height - 160).max(1) as u32) as i32;
        // A tank with a shine: each column of another grey.
        canvas.paint(rect(x, y, 90, 110), |column, _| {
            let at = (column as i32 - x - 35).unsigned_abs().min(60) as u8;
            Rgb888::new(220 - at * 2, 225 - at * 2, 232 - at * 2)
        });
        let level = 20 + random.below(80);
        canvas.fill(rect(x + 10, y + 105 - level as i32, 12, level), LIT);
        let pipe = Line::new(Point::new(x + 90, y + 55), Point::new(x + 150, y + 55));
        show(canvas, pipe.into_styled(PrimitiveStyle::with_stroke(INK, 5)));
        let valve = Triangle::new(
            Point::new(x + 110, y + 40),
            Point::new(x + 130, y + 40),
            Point::new(x + 120, y + 56),
        );
        show(canvas, valve.into_styled(PrimitiveStyle::with_fill(GOOD)));
        letters.line(canvas, (x, y - 22), 16, INK, &phrase(random, 1));
    }
}

/// A page, and what happens on it.
struct Panel<T> {
    letters: Letters,
    random: Random,
    seed: u64,
    state: T,
    step: fn(&mut Self, &mut Canvas, u32),
}

impl<T> Scene for Panel<T> {
    fn draw(&mut self, canvas: &mut Canvas, frame: u32) {
        (self.step)(self, canvas, frame);
    }
}

fn panel<T: 'static>(
    seed: u64,
    state: T,
    step: fn(&mut Panel<T>, &mut Canvas, u32),
) -> Box<dyn Scene> {
    let random = Random::new(seed);
    Box::new(Panel { letters: Letters::default(), random, seed, state, step })
}

pub(super) fn idle(seed: u64) -> Box<dyn Scene> {
    panel(seed, (), |scene, canvas, frame| {
        if frame == 0 {
            page(canvas, &mut scene.letters, 0, scene.seed);
        }
    })
}

pub(super) fn pages(seed: u64) -> Box<dyn Scene> {
    // Each page once, then back and forth as people do.
    const ORDER: [u32; 15] = [0, 1, 2, 3, 4, 5, 0, 1, 0, 2, 0, 3, 5, 4, 1];
    panel(seed, (), |scene, canvas, frame| {
        let number = ORDER.get(frame as usize % ORDER.len()).copied().unwrap_or_default();
        page(canvas, &mut scene.letters, number, scene.seed);
    })
}

/// Where the next letter goes.
#[derive(Debug)]
struct Caret {
    text: String,
    x: i32,
    y: i32,
}

pub(super) fn typing(seed: u64) -> Box<dyn Scene> {
    const BLINK: u32 = 8;
    let caret = Caret { text: String::new(), x: 0, y: 0 };
    panel(seed, caret, |scene, canvas, frame| {
        let left = 60;
        let right = canvas.width() as i32 - 80;
        if frame == 0 {
            page(canvas, &mut scene.letters, 1, scene.seed);
            let field = rect(40, 230, canvas.width() - 80, canvas.height().saturating_sub(360));
            rounded(canvas, field, WHITE);
            (scene.state.x, scene.state.y) = (left, 250);
        }
        let caret = &mut scene.state;
        canvas.fill(rect(caret.x, caret.y, 2, 26), WHITE);
        // A key in two of three frames: about eleven a second, a quick hand.
        if frame % 3 > 0 {
            if caret.text.is_empty() {
                caret.text = phrase(&mut scene.random, 1) + " ";
            }
            let letter = caret.text.remove(0).to_string();
            let at = (caret.x, caret.y);
            caret.x = scene.letters.line(canvas, at, 24, INK, &letter);
            if caret.x > right {
                (caret.x, caret.y) = (left, caret.y + 32);
            }
        }
        if frame % (BLINK * 2) < BLINK {
            canvas.fill(rect(caret.x, caret.y, 2, 26), INK);
        }
    })
}

pub(super) fn gauges(seed: u64) -> Box<dyn Scene> {
    panel(seed, Vec::<f32>::new(), |scene, canvas, frame| {
        let (width, height) = (canvas.width() as i32, canvas.height() as i32);
        if frame == 0 {
            canvas.fill(canvas.area(), PAPER);
            canvas.fill(rect(0, 0, width as u32, 56), BAR);
            scene.letters.line(canvas, (20, 14), 28, WHITE, "Filler: live values");
        }
        for dial in 0..6_i32 {
            let phase = frame as f32 * (0.04 + dial as f32 * 0.011) + dial as f32;
            let value = 0.5 + 0.4 * phase.sin() + 0.05 * scene.random.unit();
            let x = 20 + (dial % 3) * (width - 40) / 3;
            dial_at(canvas, &mut scene.letters, (x, 76 + dial / 3 * 220), value);
        }
        let value = 0.5 + 0.3 * (frame as f32 * 0.2).sin() + 0.15 * scene.random.unit();
        scene.state.push(value);
        let chart = rect(20, 520, (width - 40) as u32, (height - 540).max(1) as u32);
        trend(canvas, chart, &scene.state);
    })
}

fn dial_at(canvas: &mut Canvas, letters: &mut Letters, (x, y): (i32, i32), value: f32) {
    let center = Point::new(x + 100, y + 100);
    let face = Circle::with_center(center, 196);
    show(canvas, face.into_styled(PrimitiveStyle::with_fill(WHITE)));
    show(canvas, face.into_styled(PrimitiveStyle::with_stroke(INK, 3)));
    let at = |share: f32, radius: f32| {
        let angle = (share * 270.0 + 135.0).to_radians();
        let (dx, dy) = (angle.cos() * radius, angle.sin() * radius);
        center + Point::new(dx.round() as i32, dy.round() as i32)
    };
    for mark in 0..=10_u8 {
        let share = f32::from(mark) / 10.0;
        let line = Line::new(at(share, 80.0), at(share, 92.0));
        show(canvas, line.into_styled(PrimitiveStyle::with_stroke(INK, 2)));
    }
    let needle = Line::new(center, at(value, 76.0));
    show(canvas, needle.into_styled(PrimitiveStyle::with_stroke(BAD, 4)));
    let text = format!("{:.1}", value * 250.0);
    letters.line(canvas, (x + 76, y + 140), 24, INK, &text);
    let bar = rect(x + 215, y, 40, 200);
    canvas.fill(bar, LINES);
    let high = (value.clamp(0.0, 1.0) * 200.0) as u32;
    canvas.fill(rect(x + 215, y + 200 - high as i32, 40, high), GOOD);
}

fn trend(canvas: &mut Canvas, chart: Rectangle, values: &[f32]) {
    canvas.fill(chart, WHITE);
    let (left, bottom) = (chart.top_left.x, chart.top_left.y + chart.size.height as i32 - 1);
    for row in 0..5 {
        canvas.fill(rect(left, chart.top_left.y + row * 50, chart.size.width, 1), LINES);
    }
    let points = values.iter().zip(0..).map(|(value, index)| {
        Point::new(left + index * 12, bottom - (value * chart.size.height as f32 * 0.9) as i32)
    });
    let points: Vec<Point> = points.collect();
    for pair in points.windows(2) {
        if let [from, to] = *pair {
            let line = Line::new(from, to);
            show(canvas, line.into_styled(PrimitiveStyle::with_stroke(LIT, 2)));
        }
    }
}

/// What is under something that moves, to be put back.
#[derive(Debug, Default)]
struct Under {
    page: Option<Canvas>,
    last: Option<Rectangle>,
}

impl Under {
    /// Puts back what was there and says where the thing is next.
    fn move_to(&mut self, canvas: &mut Canvas, area: Rectangle) {
        if let (Some(page), Some(last)) = (&self.page, self.last) {
            canvas.copy_from(page, last);
        }
        self.last = Some(area);
    }
}

pub(super) fn pointer(seed: u64) -> Box<dyn Scene> {
    panel(seed, Under::default(), |scene, canvas, frame| {
        if frame == 0 {
            page(canvas, &mut scene.letters, 0, scene.seed);
            scene.state.page = Some(canvas.clone());
        }
        let (width, height) = (canvas.width() as f32, canvas.height() as f32);
        let angle = frame as f32 * 0.06;
        let x = (width * (0.5 + 0.4 * angle.cos())) as i32;
        let y = (height * (0.5 + 0.4 * (angle * 1.3).sin())) as i32;
        scene.state.move_to(canvas, rect(x, y, 13, 20));
        let arrow =
            Triangle::new(Point::new(x, y), Point::new(x, y + 18), Point::new(x + 12, y + 12));
        show(canvas, arrow.into_styled(PrimitiveStyle::with_fill(INK)));
        show(canvas, arrow.into_styled(PrimitiveStyle::with_stroke(WHITE, 1)));
    })
}

pub(super) fn drag(seed: u64) -> Box<dyn Scene> {
    panel(seed, Under::default(), |scene, canvas, frame| {
        if frame == 0 {
            page(canvas, &mut scene.letters, 0, scene.seed);
            scene.state.page = Some(canvas.clone());
        }
        let (width, height) = (canvas.width().min(420), canvas.height().min(300));
        let room = (canvas.width() - width, canvas.height() - height);
        let path = frame as f32 * 0.08;
        let x = (room.0 as f32 * (0.5 + 0.5 * path.sin())) as i32;
        let y = (room.1 as f32 * (0.5 + 0.5 * (path * 0.7).cos())) as i32;
        let window = rect(x, y, width, height);
        scene.state.move_to(canvas, window);
        canvas.fill(window, WHITE);
        canvas.fill(rect(x, y, width, 32), LIT);
        scene.letters.line(canvas, (x + 10, y + 5), 20, WHITE, "Recipe");
        let mut random = Random::new(scene.seed);
        for row in 0..8 {
            let at = (x + 16, y + 46 + row * 30);
            scene.letters.line(canvas, at, 18, INK, &phrase(&mut random, 4));
        }
    })
}
