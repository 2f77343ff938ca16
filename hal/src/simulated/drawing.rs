//! How the kiosk's application looks.

use std::convert::Infallible;
use std::f32::consts::PI;

use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{Dimensions, Point as DrawPoint, Size as DrawSize};
use embedded_graphics::mono_font::ascii::{FONT_6X10, FONT_10X20};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::{Drawable, Primitive};
use embedded_graphics::primitives::{
    Circle, Line, PrimitiveStyle, Rectangle, RoundedRectangle, Triangle,
};
use embedded_graphics::text::{Baseline, Text};

use super::application::{Application, GAUGE_STEPS, MAX_FIELD};
use super::layout::{LAMPS, Page, SWITCHES, Target, inset};
use crate::draw::rectangle;
use crate::{Paint, Rect, Strip};

/// The lines of the dial.
const TICKS: u16 = 40;
/// What can be ordered.
const DRINKS: [&str; 4] = ["Still water", "Sparkling", "Apple juice", "Lemonade"];
/// The switches' names.
const SWITCH_NAMES: [&str; SWITCHES] = ["Line running", "Night mode", "Buzzer"];
/// The lamps' names.
const LAMP_NAMES: [&str; LAMPS] = ["Conveyor", "Filler", "Night", "Fault"];

/// The colours of the application, for day or night.
struct Colors {
    ground: Rgb888,
    card: Rgb888,
    bar: Rgb888,
    line: Rgb888,
    text: Rgb888,
    faint: Rgb888,
    accent: Rgb888,
    on_accent: Rgb888,
}

const DAY: Colors = Colors {
    ground: Rgb888::new(0xe4, 0xe7, 0xe6),
    card: Rgb888::new(0xfa, 0xfb, 0xfa),
    bar: Rgb888::new(0x2b, 0x33, 0x36),
    line: Rgb888::new(0xb9, 0xc1, 0xc0),
    text: Rgb888::new(0x1d, 0x24, 0x26),
    faint: Rgb888::new(0x5c, 0x68, 0x6a),
    accent: Rgb888::new(0x0b, 0x7a, 0x6b),
    on_accent: Rgb888::new(0xff, 0xff, 0xff),
};

const NIGHT: Colors = Colors {
    ground: Rgb888::new(0x15, 0x1a, 0x1c),
    card: Rgb888::new(0x23, 0x2b, 0x2e),
    bar: Rgb888::new(0x0c, 0x10, 0x11),
    line: Rgb888::new(0x47, 0x53, 0x56),
    text: Rgb888::new(0xe8, 0xee, 0xed),
    faint: Rgb888::new(0xa0, 0xae, 0xae),
    accent: Rgb888::new(0x3f, 0xc2, 0xac),
    on_accent: Rgb888::new(0x06, 0x1a, 0x17),
};

const GREEN: Rgb888 = Rgb888::new(0x25, 0xb0, 0x5e);
const AMBER: Rgb888 = Rgb888::new(0xe8, 0xa5, 0x1c);
const RED: Rgb888 = Rgb888::new(0xd6, 0x33, 0x2c);
const WHITE: Rgb888 = Rgb888::new(0xff, 0xff, 0xff);
const BLACK: Rgb888 = Rgb888::new(0, 0, 0);

impl Paint for Application {
    fn paint(&self, strip: &mut Strip<'_>) {
        let mut brush = Brush { strip };
        let colors = if self.is_night() { &NIGHT } else { &DAY };
        brush.fill(self.layout.size.rect(), colors.ground);
        header(&mut brush, self, colors);
        match self.page {
            Page::Overview => overview(&mut brush, self, colors),
            Page::Orders => orders(&mut brush, self, colors),
            Page::Settings => settings(&mut brush, self, colors),
        }
        for (page, name) in Page::ALL.into_iter().zip(["Overview", "Orders", "Settings"]) {
            let target = Target::Tab(page);
            button(&mut brush, self, colors, target, name, page == self.page);
        }
        if let Some(at) = self.pointer {
            pointer(&mut brush, at.x as i32, at.y as i32, self.layout.gap as i32);
        }
    }
}

fn header(brush: &mut Brush<'_, '_>, app: &Application, colors: &Colors) {
    let bar = app.layout.header;
    brush.fill(bar, colors.bar);
    let inner = inset(bar, bar.height / 4);
    brush.text("LINE 2", inner, Align::Left, WHITE);
    let state = if app.is_running() { "RUNNING" } else { "STOPPED" };
    brush.text(state, inner, Align::Right, if app.is_running() { GREEN } else { AMBER });
}

fn overview(brush: &mut Brush<'_, '_>, app: &Application, colors: &Colors) {
    let main = app.layout.main;
    brush.card(main, colors.card);
    let line = (main.height / 9).max(8);
    let title = Rect { height: line, ..inset(main, app.layout.gap) };
    brush.text("Filling speed", title, Align::Left, colors.faint);
    let dial = Rect {
        y: main.y + line + app.layout.gap,
        height: main.height.saturating_sub(line * 2 + app.layout.gap * 2),
        ..main
    };
    gauge(brush, dial, app.gauge(), colors);
    let bottom = Rect { y: main.y + main.height - line - app.layout.gap, height: line, ..main };
    let filled = format!("{} bottles filled", app.bottles());
    brush.text(&filled, inset(bottom, 1), Align::Middle, colors.text);

    let lamps = [
        (app.is_running(), GREEN),
        (app.is_running(), GREEN),
        (app.is_night(), AMBER),
        (app.gauge() > GAUGE_STEPS * 9 / 10, RED),
    ];
    let rows = app.layout.lamp_rows();
    for ((row, (lit, color)), name) in rows.into_iter().zip(lamps).zip(LAMP_NAMES) {
        brush.card(row, colors.card);
        let inner = inset(row, row.height / 5);
        let lamp = Rect { width: inner.height.min(row.width / 5), ..inner };
        brush.circle(lamp, if lit { color } else { colors.line });
        let name_place = Rect {
            x: inner.x + lamp.width + app.layout.gap,
            width: inner.width.saturating_sub(lamp.width + app.layout.gap),
            ..inner
        };
        brush.text_like(name, longest(&LAMP_NAMES), name_place, Align::Left, colors.text);
    }
}

/// A dial of short lines from lower left over the top to lower right, with a needle.
fn gauge(brush: &mut Brush<'_, '_>, place: Rect, value: u16, colors: &Colors) {
    let radius = (place.height as f32 * 0.58).min(place.width as f32 * 0.45);
    let center_x = place.x as f32 + place.width as f32 / 2.0;
    let center_y = place.y as f32 + place.height as f32 * 0.62;
    let point = |share: f32, distance: f32| {
        let angle = PI * (1.2 - 1.4 * share);
        DrawPoint::new(
            (center_x + angle.cos() * radius * distance) as i32,
            (center_y - angle.sin() * radius * distance) as i32,
        )
    };
    let width = (radius / 40.0).max(1.0) as u32;
    for tick in 0..=TICKS {
        let share = f32::from(tick) / f32::from(TICKS);
        let reached = tick * (GAUGE_STEPS / TICKS) <= value;
        let color = match reached {
            true if tick > TICKS * 9 / 10 => RED,
            true => colors.accent,
            false => colors.line,
        };
        brush.line(point(share, 0.84), point(share, 1.0), color, width * 2);
    }
    let share = f32::from(value) / f32::from(GAUGE_STEPS);
    brush.line(point(share, 0.0), point(share, 0.78), colors.text, width * 2);
    let hub = (radius * 0.12) as u32;
    let hub_place = Rect {
        x: (center_x as u32).saturating_sub(hub / 2),
        y: (center_y as u32).saturating_sub(hub / 2),
        width: hub,
        height: hub,
    };
    brush.circle(hub_place, colors.text);
    let number = Rect {
        x: (center_x - radius * 0.6) as u32,
        y: (center_y + radius * 0.18) as u32,
        width: (radius * 1.2) as u32,
        height: (radius * 0.28) as u32,
    };
    brush.text(&format!("{} /min", u32::from(value) * 3), number, Align::Middle, colors.text);
}

fn orders(brush: &mut Brush<'_, '_>, app: &Application, colors: &Colors) {
    let rows = app.layout.order_rows();
    for (index, ((row, drink), crates)) in rows.into_iter().zip(DRINKS).zip(app.crates).enumerate()
    {
        brush.card(row, colors.card);
        let less = app.layout.place(Target::Less(index));
        let more = app.layout.place(Target::More(index));
        let name = Rect { width: less.x.saturating_sub(row.x), ..row };
        let name = inset(name, row.height / 4);
        brush.text_like(drink, longest(&DRINKS), name, Align::Left, colors.text);
        let number = Rect {
            x: less.x + less.width,
            width: more.x.saturating_sub(less.x + less.width),
            ..less
        };
        let number = inset(number, 1);
        let number = Rect { y: number.y + number.height / 4, height: number.height / 2, ..number };
        brush.text_like(&crates.to_string(), 3, number, Align::Middle, colors.text);
        button(brush, app, colors, Target::Less(index), "-", false);
        button(brush, app, colors, Target::More(index), "+", false);
    }
    let start = app.layout.place(Target::Start);
    let side = app.layout.side;
    let card = Rect { height: side.height.saturating_sub(start.height + app.layout.gap), ..side };
    brush.card(card, colors.card);
    let total: u32 = app.crates.iter().copied().map(u32::from).sum();
    let lines = [
        "Order".to_owned(),
        format!("{total} crates"),
        format!("{} started", app.started.0),
        if app.started.0 == 0 { String::new() } else { format!("last: {}", app.started.1) },
    ];
    let inner = inset(card, app.layout.gap);
    for (index, line) in lines.iter().enumerate() {
        let height = inner.height / 4;
        let place = Rect { y: inner.y + height * index as u32, height: height * 2 / 3, ..inner };
        let color = if index == 1 { colors.text } else { colors.faint };
        brush.text_like(line, 10, place, Align::Left, color);
    }
    button(brush, app, colors, Target::Start, "Start", true);
}

fn settings(brush: &mut Brush<'_, '_>, app: &Application, colors: &Colors) {
    let rows = app.layout.setting_rows();
    for (index, row) in rows.iter().enumerate() {
        brush.card(*row, colors.card);
        let name = SWITCH_NAMES.get(index).copied().unwrap_or("Batch name");
        let place = Rect { width: row.width * 2 / 5, ..*row };
        let place = inset(place, app.layout.gap);
        brush.text_like(name, longest(&SWITCH_NAMES), place, Align::Left, colors.text);
    }
    for (index, on) in app.switches.into_iter().enumerate() {
        let place = app.layout.place(Target::Switch(index));
        let height = place.height.min(place.width / 2);
        let track = Rect {
            x: place.x + place.width - height * 2,
            y: place.y + (place.height - height) / 2,
            width: height * 2,
            height,
        };
        let ground = if on { colors.accent } else { colors.line };
        brush.rounded(track, height / 2, ground, None);
        let knob = inset(track, height / 8);
        let side = knob.height;
        let x = if on { knob.x + knob.width - side } else { knob.x };
        brush.circle(Rect { x, width: side, ..knob }, colors.card);
    }
    let field = app.layout.place(Target::Field);
    let frame = if app.is_field_focused { colors.accent } else { colors.line };
    brush.rounded(field, app.layout.gap / 2, colors.ground, Some((frame, app.layout.gap / 4)));
    let cursor = if app.is_field_focused { "_" } else { "" };
    let text = format!("{}{cursor}", app.field);
    brush.text_like(&text, MAX_FIELD + 1, inset(field, app.layout.gap), Align::Left, colors.text);
}

fn button(
    brush: &mut Brush<'_, '_>,
    app: &Application,
    colors: &Colors,
    target: Target,
    name: &str,
    is_filled: bool,
) {
    let place = app.layout.place(target);
    let is_pressed = app.pressed() == Some(target);
    let (ground, text) = match (is_pressed, is_filled) {
        (true, _) => (colors.text, colors.card),
        (_, true) => (colors.accent, colors.on_accent),
        (_, false) => (colors.card, colors.text),
    };
    let edge = (app.layout.gap / 6).max(1);
    brush.rounded(place, app.layout.gap / 2, ground, Some((colors.line, edge)));
    let longest = if name.len() > 1 { name.len().max(8) } else { 1 };
    brush.text_like(name, longest, inset(place, place.height / 5), Align::Middle, text);
}

/// An arrow with its tip at a pixel.
fn pointer(brush: &mut Brush<'_, '_>, x: i32, y: i32, gap: i32) {
    let length = gap.max(8) * 3 / 2;
    let arrow = |grow: i32| {
        Triangle::new(
            DrawPoint::new(x - grow / 2, y - grow),
            DrawPoint::new(x - grow / 2, y + length + grow),
            DrawPoint::new(x + length * 2 / 3 + grow, y + length * 2 / 3 + grow / 2),
        )
    };
    brush.draw(&arrow(2).into_styled(PrimitiveStyle::with_fill(BLACK)));
    brush.draw(&arrow(0).into_styled(PrimitiveStyle::with_fill(WHITE)));
}

/// Where a text stands in its place.
#[derive(Debug, Clone, Copy)]
enum Align {
    Left,
    Middle,
    Right,
}

/// Draws into a strip and leaves out early what the strip does not show.
struct Brush<'a, 'b> {
    strip: &'a mut Strip<'b>,
}

impl Brush<'_, '_> {
    fn draw<D>(&mut self, what: &D)
    where
        D: Drawable<Color = Rgb888> + Dimensions,
    {
        let seen = what.bounding_box().intersection(&self.strip.bounds());
        if seen.size.width > 0 && seen.size.height > 0 {
            let Ok(_) = what.draw(self.strip);
        }
    }

    fn fill(&mut self, place: Rect, color: Rgb888) {
        let Ok(()) = self.strip.fill_solid(&rectangle(place), color);
    }

    fn card(&mut self, place: Rect, color: Rgb888) {
        self.rounded(place, place.width.min(place.height) / 20, color, None);
    }

    fn rounded(&mut self, place: Rect, radius: u32, color: Rgb888, edge: Option<(Rgb888, u32)>) {
        let mut style = PrimitiveStyle::with_fill(color);
        if let Some((edge, width)) = edge {
            style.stroke_color = Some(edge);
            style.stroke_width = width;
            style.stroke_alignment = embedded_graphics::primitives::StrokeAlignment::Inside;
        }
        let corners = DrawSize::new(radius, radius);
        let shape = RoundedRectangle::with_equal_corners(rectangle(place), corners);
        self.draw(&shape.into_styled(style));
    }

    fn circle(&mut self, place: Rect, color: Rgb888) {
        let side = place.width.min(place.height);
        let at = DrawPoint::new(
            (place.x + (place.width - side) / 2) as i32,
            (place.y + (place.height - side) / 2) as i32,
        );
        self.draw(&Circle::new(at, side).into_styled(PrimitiveStyle::with_fill(color)));
    }

    fn line(&mut self, from: DrawPoint, to: DrawPoint, color: Rgb888, width: u32) {
        let style = PrimitiveStyle::with_stroke(color, width);
        self.draw(&Line::new(from, to).into_styled(style));
    }

    /// One line of text, as large as its place allows.
    fn text(&mut self, text: &str, place: Rect, align: Align, color: Rgb888) {
        self.text_like(text, text.len(), place, align, color);
    }

    /// One line of text, as large as a text of `longest` letters would be in its place.
    fn text_like(&mut self, text: &str, longest: usize, place: Rect, align: Align, color: Rgb888) {
        let (font, scale) = lettering(place, u32::try_from(longest).unwrap_or(u32::MAX).max(1));
        let length = u32::try_from(text.len()).unwrap_or(u32::MAX).max(1);
        let letter = font.character_size;
        let width = letter.width * scale * length;
        let slack = place.width.saturating_sub(width);
        let x = place.x
            + match align {
                Align::Left => 0,
                Align::Middle => slack / 2,
                Align::Right => slack,
            };
        let y = place.y + place.height.saturating_sub(letter.height * scale) / 2;
        let fitting = (place.width / (letter.width * scale)) as usize;
        let text = text.get(..fitting.min(text.len())).unwrap_or_default();
        let bounds = Rect { x, y, width, height: letter.height * scale };
        if bounds.intersection(self.strip.area).is_none() {
            return;
        }
        let mut target = Scaled { strip: self.strip, x: x as i32, y: y as i32, scale };
        let style = MonoTextStyle::new(font, color);
        let line = Text::with_baseline(text, DrawPoint::zero(), style, Baseline::Top);
        let Ok(_) = line.draw(&mut target);
    }
}

/// Letters in the longest of some names.
fn longest(names: &[&str]) -> usize {
    names.iter().map(|name| name.len()).max().unwrap_or(0)
}

/// The largest letters that fit, by height and, down to the smallest, by width.
fn lettering(place: Rect, length: u32) -> (&'static MonoFont<'static>, u32) {
    let by_height = place.height / 18;
    let by_width = place.width / (length * 10);
    match by_height.min(by_width) {
        0 => (&FONT_6X10, (place.height / 10).min(place.width / (length * 6)).max(1)),
        scale => (&FONT_10X20, scale),
    }
}

/// Draws every pixel as a square.
struct Scaled<'a, 'b> {
    strip: &'a mut Strip<'b>,
    x: i32,
    y: i32,
    scale: u32,
}

impl Dimensions for Scaled<'_, '_> {
    fn bounding_box(&self) -> Rectangle {
        self.strip.bounding_box()
    }
}

impl DrawTarget for Scaled<'_, '_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = Pixel<Rgb888>>,
    {
        let scale = self.scale as i32;
        for Pixel(at, color) in pixels {
            let corner = DrawPoint::new(self.x + at.x * scale, self.y + at.y * scale);
            let square = Rectangle::new(corner, DrawSize::new(self.scale, self.scale));
            self.strip.fill_solid(&square, color)?;
        }
        Ok(())
    }
}
