//! Text that moves: lists, tables, a terminal.

use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::mono_font::ascii::FONT_8X13;
use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::text::{Baseline, Text};

use super::Scene;
use super::panel::{INK, PAPER, phrase, rect, show};
use crate::canvas::Canvas;
use crate::letters::Letters;
use crate::random::{Random, mix};

/// Height of a row of the list.
const ROW: i32 = 48;
/// Height of the head that stays.
const HEAD: i32 = 56;

/// A long list behind a window.
struct List {
    letters: Letters,
    seed: u64,
    /// Row of pixels of the list that is on top.
    top: i32,
    step: fn(u32) -> i32,
}

impl Scene for List {
    fn draw(&mut self, canvas: &mut Canvas, frame: u32) {
        let (width, height) = (canvas.width(), canvas.height());
        if frame == 0 {
            canvas.fill(rect(0, 0, width, HEAD as u32), INK);
            self.letters.line(canvas, (20, 14), 28, PAPER, "Events of this shift");
            self.rows(canvas, HEAD, height as i32);
            return;
        }
        let by = (self.step)(frame).max(-self.top);
        self.top += by;
        let area = rect(0, HEAD, width, height - HEAD as u32);
        canvas.scroll(area, by);
        let distance = by.abs().min(height as i32 - HEAD);
        if by >= 0 {
            self.rows(canvas, height as i32 - distance, height as i32);
        } else {
            self.rows(canvas, HEAD, HEAD + distance);
        }
    }
}

impl List {
    /// Draws the rows of pixels from `from` to before `to` of the screen.
    fn rows(&mut self, canvas: &mut Canvas, from: i32, to: i32) {
        // On a canvas of its own, so that nothing outside is drawn over twice.
        let mut strip = Canvas::new(canvas.width(), canvas.height());
        let first = (from - HEAD + self.top).div_euclid(ROW);
        let last = (to - 1 - HEAD + self.top).div_euclid(ROW);
        for row in first..=last {
            let y = row * ROW - self.top + HEAD;
            self.row(&mut strip, row, y);
        }
        canvas.copy_from(&strip, rect(0, from, canvas.width(), (to - from).max(0) as u32));
    }

    fn row(&mut self, canvas: &mut Canvas, row: i32, y: i32) {
        let mut random = Random::new(mix(self.seed ^ row.unsigned_abs() as u64));
        let width = canvas.width();
        canvas.fill(rect(0, y, width, ROW as u32), Rgb888::WHITE);
        canvas.fill(rect(0, y + ROW - 1, width, 1), Rgb888::new(0xc9, 0xce, 0xd6));
        let color = Rgb888::new(40 + random.below(180) as u8, 120, 60 + random.below(150) as u8);
        canvas.fill(rect(20, y + 10, 28, 28), color);
        let first = format!("{} {}", 1000 + row, phrase(&mut random, 4));
        self.letters.line(canvas, (64, y + 4), 20, INK, &first);
        let second = phrase(&mut random, 7);
        self.letters.line(canvas, (64, y + 26), 15, Rgb888::new(0x6a, 0x72, 0x80), &second);
        let value = format!("{}.{} bar", random.below(20), random.below(10));
        self.letters.line(canvas, (width as i32 - 160, y + 12), 20, INK, &value);
    }
}

fn list(seed: u64, step: fn(u32) -> i32) -> Box<dyn Scene> {
    Box::new(List { letters: Letters::default(), seed, top: 0, step })
}

pub(super) fn steps(seed: u64) -> Box<dyn Scene> {
    // Down, and the last third back up.
    list(seed, |frame| if frame % 30 < 20 { 96 } else { -96 })
}

pub(super) fn smooth(seed: u64) -> Box<dyn Scene> {
    // Flicked every 40 frames: 40 pixels in the first, then ever fewer, now up, now down.
    list(seed, |frame| {
        let (flick, age) = (frame / 40, (frame % 40) as i32);
        let speed = (40 - age).max(1);
        if flick % 3 == 2 { -speed } else { speed }
    })
}

/// A wide table that moves sideways.
struct Wide {
    letters: Letters,
    seed: u64,
    left: i32,
}

/// Width of a column of the table.
const COLUMN: i32 = 120;

impl Scene for Wide {
    fn draw(&mut self, canvas: &mut Canvas, frame: u32) {
        if frame > 0 {
            self.left += if frame % 20 < 14 { 64 } else { -64 };
            self.left = self.left.max(0);
        }
        canvas.fill(canvas.area(), Rgb888::WHITE);
        let first = self.left.div_euclid(COLUMN);
        for column in first..=first + canvas.width() as i32 / COLUMN + 1 {
            let x = column * COLUMN - self.left;
            canvas.fill(rect(x, 0, 1, canvas.height()), Rgb888::new(0xc9, 0xce, 0xd6));
            for row in 0..canvas.height() as i32 / 28 {
                let number = mix(self.seed ^ (column as u64) << 16 ^ row as u64);
                let text = format!("{}.{:02}", number % 900, number / 1000 % 100);
                self.letters.line(canvas, (x + 12, row * 28 + 5), 18, INK, &text);
            }
        }
    }
}

pub(super) fn sideways(seed: u64) -> Box<dyn Scene> {
    Box::new(Wide { letters: Letters::default(), seed, left: 0 })
}

/// Size of a character cell.
const CELL: (i32, i32) = (8, 13);

/// A terminal, white on black.
struct Terminal {
    random: Random,
    /// Lines written so far.
    lines: i32,
}

impl Scene for Terminal {
    fn draw(&mut self, canvas: &mut Canvas, frame: u32) {
        let rows = canvas.height() as i32 / CELL.1;
        if frame == 0 {
            canvas.fill(canvas.area(), Rgb888::BLACK);
        }
        let new = if frame == 0 { rows / 2 } else { 1 + self.random.below(3) as i32 };
        for _ in 0..new {
            if self.lines == rows {
                let area = rect(0, 0, canvas.width(), (rows * CELL.1) as u32);
                canvas.scroll(area, CELL.1);
                let last = rect(0, (rows - 1) * CELL.1, canvas.width(), CELL.1 as u32);
                canvas.fill(last, Rgb888::BLACK);
                self.lines -= 1;
            }
            self.line(canvas);
            self.lines += 1;
        }
    }
}

impl Terminal {
    fn line(&mut self, canvas: &mut Canvas) {
        let words = 3 + self.random.below(12);
        let time = 100_000 + self.random.below(900_000);
        let text = format!("[{time}] {}", phrase(&mut self.random, words));
        let color = match self.random.below(8) {
            0 => Rgb888::new(0x55, 0xff, 0x55),
            1 => Rgb888::new(0xff, 0x55, 0x55),
            _ => Rgb888::new(0xcc, 0xcc, 0xcc),
        };
        let style = MonoTextStyle::new(&FONT_8X13, color);
        let at = Point::new(0, self.lines * CELL.1);
        show(canvas, Text::with_baseline(&text, at, style, Baseline::Top));
    }
}

pub(super) fn terminal(seed: u64) -> Box<dyn Scene> {
    Box::new(Terminal { random: Random::new(seed), lines: 0 })
}
