//! The panel's picture above the kiosk's application, kept as runs of equal pixels.
//!
//! A panel of large plain areas takes a few hundred kilobytes that way, where its pixels would
//! take megabytes.

use crate::Rect;

/// Equal pixels that follow each other in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    /// How many pixels, at least 1.
    length: u16,
    /// Blue, green, red, 0xff; or 0 where nothing is covered.
    pixel: [u8; 4],
}

/// A picture that covers a part of the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Overlay {
    area: Rect,
    runs: Vec<Run>,
    /// Where each row of `area` ends in `runs`.
    ends: Vec<usize>,
}

impl Overlay {
    /// An overlay without rows yet.
    pub(super) fn new(area: Rect) -> Self {
        Self { area, runs: Vec::new(), ends: Vec::with_capacity(area.height as usize) }
    }

    /// Appends whole rows from the top, `area.width × 4` bytes each.
    pub(super) fn push_rows(&mut self, pixels: &[u8]) {
        let width = (self.area.width as usize * 4).max(4);
        for row in pixels.chunks_exact(width) {
            let mut current: Option<Run> = None;
            for pixel in row.as_chunks::<4>().0 {
                current = match current {
                    Some(run) if run.pixel == *pixel && run.length < u16::MAX => {
                        Some(Run { length: run.length + 1, ..run })
                    }
                    other => {
                        self.runs.extend(other);
                        Some(Run { length: 1, pixel: *pixel })
                    }
                };
            }
            self.runs.extend(current);
            self.ends.push(self.runs.len());
        }
    }

    /// Puts the rows that `area` shares with the overlay over `pixels`, which are `area`'s.
    pub(super) fn cover(&self, area: Rect, pixels: &mut [u8]) {
        let Some(shared) = self.area.intersection(area) else { return };
        for y in shared.y..shared.y + shared.height {
            let line = (y - area.y) as usize * area.width as usize;
            let mut x = self.area.x;
            for run in self.row(y - self.area.y) {
                let from = x.max(shared.x);
                x += u32::from(run.length);
                let to = x.min(shared.x + shared.width);
                // What a mark leaves free is as it is.
                if from >= to || run.pixel[3] == 0 {
                    continue;
                }
                let first = (line + (from - area.x) as usize) * 4;
                let end = (line + (to - area.x) as usize) * 4;
                for pixel in pixels.get_mut(first..end).unwrap_or_default().chunks_exact_mut(4) {
                    pixel.copy_from_slice(&run.pixel);
                }
            }
        }
    }

    /// The runs of one row, counted from the top of the overlay.
    fn row(&self, row: u32) -> &[Run] {
        let row = row as usize;
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(row).copied().unwrap_or(0);
        self.runs.get(start.unwrap_or(0)..end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels that repeat a little, different in every place.
    fn picture(width: u32, height: u32) -> Vec<u8> {
        (0..width * height).flat_map(|i| [(i / 3) as u8, (i / 7) as u8, 0, 0xff]).collect()
    }

    #[test]
    fn gives_back_every_pixel_that_was_pushed() {
        let area = Rect { x: 0, y: 0, width: 31, height: 9 };
        let pixels = picture(31, 9);
        let mut overlay = Overlay::new(area);
        overlay.push_rows(&pixels[..31 * 4 * 4]);
        overlay.push_rows(&pixels[31 * 4 * 4..]);
        let mut back = vec![0; pixels.len()];
        overlay.cover(area, &mut back);
        assert!(back == pixels);
    }

    #[test]
    fn covers_only_what_both_share() {
        let mut overlay = Overlay::new(Rect { x: 3, y: 2, width: 4, height: 3 });
        overlay.push_rows(&picture(4, 3));
        let mut below = vec![7u8; 5 * 4 * 4];
        overlay.cover(Rect { x: 0, y: 0, width: 5, height: 4 }, &mut below);
        let touched: Vec<usize> =
            (0..20).filter(|i| below[i * 4..i * 4 + 4] != [7, 7, 7, 7]).collect();
        assert_eq!(touched, [13, 14, 18, 19]);
        assert_eq!(below[18 * 4..19 * 4], picture(4, 3)[4 * 4..5 * 4]);
    }
}
