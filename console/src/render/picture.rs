//! Paints the remote picture into the window, at its own size or fitted.

use std::sync::Arc;

use egui::epaint::PaintCallback;

use super::canvas::{Canvas, PxRect};
use crate::model::picture::{Picture, PixelRect, SharedPicture};

/// Asks the renderer to paint the remote picture; goes through egui as a paint callback.
#[derive(Debug, Clone)]
pub struct PicturePaint {
    /// The picture.
    pub picture: SharedPicture,
    /// Whether it is shown grey, as a picture of the past.
    pub greyed: bool,
}

impl PicturePaint {
    /// A shape that paints the picture into `rect`.
    pub fn shape(self, rect: egui::Rect) -> egui::Shape {
        egui::Shape::Callback(PaintCallback { rect, callback: Arc::new(self) })
    }

    /// The request in a callback, if it is one.
    pub(super) fn of(callback: &PaintCallback) -> Option<&Self> {
        callback.callback.downcast_ref()
    }

    /// Paints the picture into `place`, within `clip` only.
    pub(super) fn paint(&self, canvas: &mut Canvas, place: PxRect, clip: PxRect) {
        let clip = clip.intersect(place).intersect(canvas.bounds());
        if clip.is_empty() {
            return;
        }
        let picture = self.picture.lock();
        if picture.is_empty() {
            return;
        }
        if (place.width(), place.height()) == (picture.width() as i32, picture.height() as i32) {
            copy(&picture, canvas, place, clip);
        } else {
            scale(&picture, canvas, place, clip);
        }
        drop(picture);
        if self.greyed {
            for y in clip.top..clip.bottom {
                canvas.span_mut(y, clip.left, clip.right).iter_mut().for_each(|p| *p = grey(*p));
            }
        }
    }
}

/// The window pixels that change with a rectangle of the picture.
pub(super) fn window_from_picture(rect: PixelRect, picture: [u32; 2], place: PxRect) -> PxRect {
    let [width, height] = picture.map(|side| side.max(1));
    // One pixel more on each side, for the mixing of neighbours.
    let low = |at: u32, side: u32, len: i32| {
        (i64::from(at.saturating_sub(1)) * i64::from(len) / i64::from(side)) as i32 - 1
    };
    let high = |at: u32, side: u32, len: i32| {
        ((i64::from(at) + 1) * i64::from(len)).div_euclid(i64::from(side)) as i32 + 2
    };
    PxRect {
        left: place.left + low(rect.x, width, place.width()),
        top: place.top + low(rect.y, height, place.height()),
        right: place.left + high(rect.x.saturating_add(rect.width), width, place.width()),
        bottom: place.top + high(rect.y.saturating_add(rect.height), height, place.height()),
    }
    .intersect(place)
}

fn copy(picture: &Picture, canvas: &mut Canvas, place: PxRect, clip: PxRect) {
    for y in clip.top..clip.bottom {
        let row = picture.row((y - place.top) as u32);
        let columns = (clip.left - place.left) as usize..(clip.right - place.left) as usize;
        if let Some(from) = row.get(columns) {
            let span = canvas.span_mut(y, clip.left, clip.right);
            if span.len() == from.len() {
                span.copy_from_slice(from);
            }
        }
    }
}

/// Where a window pixel takes its colour from along one axis: two picture pixels, mixed.
#[derive(Clone, Copy)]
struct Tap {
    first: usize,
    second: usize,
    /// Share of the second, of 256.
    weight: u32,
}

/// One tap per window pixel of `from..to`, where `len` window pixels show `side` picture pixels.
fn taps(from: i32, to: i32, len: i32, side: u32) -> Vec<Tap> {
    let last = side.saturating_sub(1) as usize;
    (from..to)
        .map(|at| {
            // The middle of the window pixel in 1/256 of picture pixels, from a pixel's middle.
            let middle = (i64::from(at) * 2 + 1) * i64::from(side) * 128 / i64::from(len.max(1));
            let middle = (middle - 128).max(0);
            let first = ((middle >> 8) as usize).min(last);
            Tap { first, second: (first + 1).min(last), weight: (middle & 255) as u32 }
        })
        .collect()
}

fn scale(picture: &Picture, canvas: &mut Canvas, place: PxRect, clip: PxRect) {
    let columns =
        taps(clip.left - place.left, clip.right - place.left, place.width(), picture.width());
    let rows =
        taps(clip.top - place.top, clip.bottom - place.top, place.height(), picture.height());
    for (y, row) in (clip.top..clip.bottom).zip(rows) {
        let (upper, lower) = (picture.row(row.first as u32), picture.row(row.second as u32));
        let span = canvas.span_mut(y, clip.left, clip.right);
        for (pixel, tap) in span.iter_mut().zip(&columns) {
            let at = |row: &[u32], x: usize| row.get(x).copied().unwrap_or_default();
            let top = mix(at(upper, tap.first), at(upper, tap.second), tap.weight);
            let bottom = mix(at(lower, tap.first), at(lower, tap.second), tap.weight);
            *pixel = mix(top, bottom, row.weight);
        }
    }
}

/// Two colours mixed, `weight` of 256 parts of the second; red and blue in one multiplication.
#[inline]
fn mix(first: u32, second: u32, weight: u32) -> u32 {
    let keep = 256 - weight;
    let red_blue = (first & 0x00ff_00ff) * keep + (second & 0x00ff_00ff) * weight;
    let green = (first & 0x0000_ff00) * keep + (second & 0x0000_ff00) * weight;
    ((red_blue >> 8) & 0x00ff_00ff) | ((green >> 8) & 0x0000_ff00)
}

/// A pixel without colour and half as bright.
fn grey(pixel: u32) -> u32 {
    let [_, r, g, b] = pixel.to_be_bytes().map(u32::from);
    // ITU-R BT.601 luma.
    let luma = (r * 77 + g * 150 + b * 29) >> 9;
    luma << 16 | luma << 8 | luma
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shared(width: u32, height: u32, color: impl Fn(u32, u32) -> u32) -> SharedPicture {
        let shared = SharedPicture::default();
        let mut picture = shared.lock();
        picture.resize(width, height).unwrap();
        let bytes: Vec<u8> = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .flat_map(|(x, y)| (color(x, y) << 8).to_be_bytes())
            .collect();
        picture.copy_rgbx(&bytes, PixelRect { x: 0, y: 0, width, height });
        drop(picture);
        shared
    }

    fn place(left: i32, top: i32, width: i32, height: i32) -> PxRect {
        PxRect { left, top, right: left + width, bottom: top + height }
    }

    #[test]
    fn at_its_own_size_every_pixel_is_exact() {
        let color = |x: u32, y: u32| x * 0x0001_0703 + y * 0x0000_1100;
        let paint = PicturePaint { picture: shared(7, 5, color), greyed: false };
        let mut canvas = Canvas::new(10, 10);
        let bounds = canvas.bounds();
        paint.paint(&mut canvas, place(2, 3, 7, 5), bounds);
        for (x, y) in (0..7).flat_map(|x| (0..5).map(move |y| (x, y))) {
            assert_eq!(canvas.pixel(x + 2, y + 3), Some(color(x, y) & 0x00ff_ffff), "{x},{y}");
        }
        assert_eq!(canvas.pixel(9, 3), Some(0));
    }

    #[test]
    fn one_colour_stays_that_colour_at_any_size() {
        let paint = PicturePaint { picture: shared(30, 20, |_, _| 0x0080_40c0), greyed: false };
        for (width, height) in [(10, 7), (31, 19), (64, 64)] {
            let mut canvas = Canvas::new(64, 64);
            let bounds = canvas.bounds();
            paint.paint(&mut canvas, place(0, 0, width, height), bounds);
            for y in 0..height as u32 {
                assert!((0..width as u32).all(|x| canvas.pixel(x, y) == Some(0x0080_40c0)));
            }
        }
    }

    #[test]
    fn doubling_keeps_left_and_right() {
        let color = |x: u32, _| if x < 2 { 0 } else { 0x00ff_ffff };
        let paint = PicturePaint { picture: shared(4, 1, color), greyed: false };
        let mut canvas = Canvas::new(8, 2);
        let bounds = canvas.bounds();
        paint.paint(&mut canvas, bounds, bounds);
        assert_eq!(canvas.pixel(0, 0), Some(0));
        assert_eq!(canvas.pixel(7, 1), Some(0x00ff_ffff));
    }

    proptest! {
        /// What is repainted for a dirty rectangle covers every window pixel that it changes.
        #[test]
        fn a_dirty_rectangle_covers_what_it_changes(
            (x, y) in (0_u32..40, 0_u32..30), width in 5_i32..90, height in 5_i32..90,
        ) {
            let color = |px: u32, py: u32| if (px, py) == (x, y) { 0x00ff_ffff } else { 0 };
            let paint = PicturePaint { picture: shared(40, 30, color), greyed: false };
            let mut canvas = Canvas::new(90, 90);
            let (bounds, place) = (canvas.bounds(), place(0, 0, width, height));
            paint.paint(&mut canvas, place, bounds);
            let dirty = PixelRect { x, y, width: 1, height: 1 };
            let covered = window_from_picture(dirty, [40, 30], place);
            for (wx, wy) in (0..90).flat_map(|wx| (0..90).map(move |wy| (wx, wy))) {
                let inside = covered.left <= wx && wx < covered.right
                    && covered.top <= wy && wy < covered.bottom;
                let changed = canvas.pixel(wx as u32, wy as u32) != Some(0);
                prop_assert!(inside || !changed, "{wx},{wy} of {covered:?}");
            }
        }
    }
}
