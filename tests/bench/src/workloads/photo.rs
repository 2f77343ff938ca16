//! What no program has drawn: photographs, films, noise.

use embedded_graphics::pixelcolor::Rgb888;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;

use super::Scene;
use super::panel::{page, rect};
use crate::canvas::Canvas;
use crate::letters::Letters;
use crate::random::{Random, mix};

/// Noise between the corners of a lattice, 0 to 1.
fn smooth_noise(seed: u64, x: f32, y: f32) -> f32 {
    let (left, top) = (x.floor(), y.floor());
    let corner = |dx: f32, dy: f32| {
        let (x, y) = ((left + dx) as i64 as u64, (top + dy) as i64 as u64);
        let hash = mix(seed ^ x.wrapping_mul(0x9e37_79b9) ^ y.wrapping_mul(0x85eb_ca6b_0000));
        (hash >> 40) as f32 / (1 << 24) as f32
    };
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (fx, fy) = (ease(x - left), ease(y - top));
    let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
    mix(
        mix(corner(0.0, 0.0), corner(1.0, 0.0), fx),
        mix(corner(0.0, 1.0), corner(1.0, 1.0), fx),
        fy,
    )
}

/// A place in a photograph: power falls with frequency as in pictures of nature, over a sky that
/// grows lighter, with a grain like that of a sensor.
fn photo(seed: u64, x: f32, y: f32, grain: u64) -> Rgb888 {
    let (mut sum, mut share) = (0.0, 0.5);
    let mut scale = 1.0 / 320.0;
    for octave in 0..6 {
        sum += share * smooth_noise(seed ^ octave, x * scale, y * scale);
        share *= 0.5;
        scale *= 2.1;
    }
    let warm = smooth_noise(seed ^ 99, x / 500.0, y / 500.0);
    let edge = if smooth_noise(seed ^ 77, x / 140.0, y / 90.0) > 0.55 { 0.25 } else { 0.0 };
    let noise = (grain % 3) as f32 / 255.0;
    let value = sum * 0.9 + edge * 0.5 + noise;
    let byte = |v: f32| (v.clamp(0.0, 1.0) * 255.0) as u8;
    Rgb888::new(
        byte(value * (0.6 + 0.5 * warm)),
        byte(value * 0.95 + 0.02),
        byte(value * (1.1 - 0.5 * warm)),
    )
}

fn grain(seed: u64, x: u32, y: u32) -> u64 {
    mix(seed ^ (u64::from(x) << 32 | u64::from(y)))
}

struct Slides(u64);

impl Scene for Slides {
    fn draw(&mut self, canvas: &mut Canvas, frame: u32) {
        let seed = mix(self.0 ^ u64::from(frame));
        let area = canvas.area();
        canvas.paint(area, |x, y| photo(seed, x as f32, y as f32, grain(seed, x, y)));
    }
}

pub(super) fn slideshow(seed: u64) -> Box<dyn Scene> {
    Box::new(Slides(seed))
}

/// A film: the camera moves over a landscape, something crosses the picture.
struct Film {
    letters: Letters,
    seed: u64,
    /// Size; the whole screen if `None`.
    window: Option<Size>,
}

impl Scene for Film {
    fn draw(&mut self, canvas: &mut Canvas, frame: u32) {
        if frame == 0 && self.window.is_some() {
            page(canvas, &mut self.letters, 3, self.seed);
        }
        let area = match self.window {
            Some(size) => rect(320, 220, size.width, size.height),
            None => canvas.area(),
        };
        self.picture(canvas, area, frame);
    }
}

impl Film {
    fn picture(&self, canvas: &mut Canvas, area: Rectangle, frame: u32) {
        let (seed, time) = (self.seed, frame as f32);
        let (dx, dy) = (time * 2.3, (time * 0.05).sin() * 40.0);
        let ball = (
            area.top_left.x as f32 + (time * 9.0) % area.size.width as f32,
            area.top_left.y as f32 + area.size.height as f32 * 0.6,
        );
        canvas.paint(area, |x, y| {
            let (bx, by) = (x as f32 - ball.0, y as f32 - ball.1);
            let grain = grain(seed ^ u64::from(frame), x, y);
            if bx * bx + by * by < 2500.0 {
                let light = 200.0 - bx - by + (grain % 5) as f32;
                return Rgb888::new(light.clamp(0.0, 255.0) as u8, 60, 40);
            }
            photo(seed, x as f32 + dx, y as f32 + dy, grain)
        });
    }
}

pub(super) fn video_window(seed: u64) -> Box<dyn Scene> {
    Box::new(Film { letters: Letters::default(), seed, window: Some(Size::new(640, 360)) })
}

pub(super) fn video_full(seed: u64) -> Box<dyn Scene> {
    Box::new(Film { letters: Letters::default(), seed, window: None })
}

struct Noise(Random);

impl Scene for Noise {
    fn draw(&mut self, canvas: &mut Canvas, _frame: u32) {
        let area = canvas.area();
        canvas.paint(area, |_, _| {
            let [red, green, blue, ..] = self.0.next().to_le_bytes();
            Rgb888::new(red, green, blue)
        });
    }
}

pub(super) fn noise(seed: u64) -> Box<dyn Scene> {
    Box::new(Noise(Random::new(seed)))
}
