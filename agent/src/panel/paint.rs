//! Draws scenes into strips.

use std::convert::Infallible;

use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::pixelcolor::Rgb888;
use lotse_hal::draw::rectangle;
use lotse_hal::{Rect, Strip};

use super::letters::{self, Letters};
use super::scene::{Align, Piece, Scene, Sign};
use super::theme;

/// Draws what the strip shows of a scene.
pub(super) fn paint(scene: &Scene, letters: &mut Letters, strip: &mut Strip<'_>) {
    for piece in &scene.pieces {
        match piece {
            Piece::Area { place, radius, fill, frame } => {
                let mut inner = (*place, *radius);
                if let Some((color, width)) = frame {
                    area(strip, *place, *radius, *color);
                    let smaller = super::scene::inset(*place, *width, *width);
                    inner = (smaller, radius.saturating_sub(*width));
                }
                area(strip, inner.0, inner.1, *fill);
            }
            Piece::Sign { place, sign, color } => draw_sign(strip, *place, *sign, *color),
            Piece::Text { place, text, weight, align, color } => {
                if place.intersection(strip.area).is_none() {
                    continue;
                }
                let total = letters::height(text.lines.len(), text.px);
                let mut y = place.y as f32 + (place.height as f32 - total) / 2.0;
                for line in &text.lines {
                    let slack = place.width as f32 - letters::width(line, *weight, text.px);
                    let x = match align {
                        Align::Left => place.x as f32,
                        Align::Middle => place.x as f32 + slack / 2.0,
                    };
                    letters.draw(strip, line, (*weight, text.px), (x, y), *color);
                    y += letters::height(1, text.px);
                }
            }
        }
    }
}

fn fill(strip: &mut Strip<'_>, place: Rect, color: Rgb888) {
    let Ok(()): Result<(), Infallible> = strip.fill_solid(&rectangle(place), color);
}

/// A plain area with round, soft corners.
fn area(strip: &mut Strip<'_>, place: Rect, radius: u32, color: Rgb888) {
    let radius = radius.min(place.width / 2).min(place.height / 2);
    if place.intersection(strip.area).is_none() {
        return;
    }
    let middle = Rect { y: place.y + radius, height: place.height - 2 * radius, ..place };
    fill(strip, middle, color);
    for row in 0..radius {
        let inset = Rect {
            x: place.x + radius,
            y: place.y + row,
            width: place.width - 2 * radius,
            height: 1,
        };
        let mirrored = Rect { y: place.y + place.height - 1 - row, ..inset };
        fill(strip, inset, color);
        fill(strip, mirrored, color);
        for column in 0..radius {
            let coverage = corner(radius, column, row);
            for x in [place.x + column, place.x + place.width - 1 - column] {
                for y in [inset.y, mirrored.y] {
                    strip.blend(x as i32, y as i32, color, coverage);
                }
            }
        }
    }
}

/// How much of a pixel is within a round corner, counted from the corner.
fn corner(radius: u32, column: u32, row: u32) -> u8 {
    let from_center = |place: u32| radius as f32 - (place as f32 + 0.5);
    let distance = from_center(column).hypot(from_center(row));
    ((radius as f32 + 0.5 - distance).clamp(0.0, 1.0) * 255.0) as u8
}

fn draw_sign(strip: &mut Strip<'_>, place: Rect, sign: Sign, color: Rgb888) {
    match sign {
        Sign::FlagG => {
            for stripe in 0..6 {
                let from = place.width * stripe / 6;
                let to = place.width * (stripe + 1) / 6;
                let part = Rect { x: place.x + from, width: to - from, ..place };
                fill(strip, part, if stripe % 2 == 0 { theme::ACCENT } else { theme::FLAG_BLUE });
            }
        }
        Sign::FlagH => {
            let half = place.width / 2;
            fill(strip, Rect { width: half, ..place }, theme::WHITE);
            let right = Rect { x: place.x + half, width: place.width - half, ..place };
            fill(strip, right, theme::FLAG_RED);
        }
        Sign::Disc => {
            let side = place.width.min(place.height);
            let disc = Rect {
                x: place.x + (place.width - side) / 2,
                y: place.y + (place.height - side) / 2,
                width: side,
                height: side,
            };
            area(strip, disc, side / 2, color);
        }
        Sign::Triangle => triangle(strip, place, color),
        Sign::Equals => {
            let bar = place.height / 4;
            for y in [place.y + bar / 2, place.y + place.height - bar - bar / 2] {
                fill(strip, Rect { y, height: bar, ..place }, color);
            }
        }
    }
}

/// A triangle that stands on its base, a line at a time.
fn triangle(strip: &mut Strip<'_>, place: Rect, color: Rgb888) {
    for row in 0..place.height {
        let width = place.width * (row + 1) / place.height;
        let x = place.x + (place.width - width) / 2;
        fill(strip, Rect { x, y: place.y + row, width, height: 1 }, color);
    }
}
