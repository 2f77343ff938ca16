//! Pictures of screens, to be compared.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use lotse_hal::Rect;

/// A picture, three bytes a pixel: red, green, blue.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) colors: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}×{})", self.width, self.height)
    }
}

impl Picture {
    /// Reads a PPM (P6) as the simulated kiosk writes it; `None` as long as it is not complete.
    pub(crate) fn from_ppm(bytes: &[u8]) -> Option<Self> {
        let mut lines = bytes.splitn(4, |byte| *byte == b'\n');
        let (kind, size, depth) = (lines.next()?, lines.next()?, lines.next()?);
        let colors = lines.next()?.to_vec();
        assert_eq!((kind, depth), (&b"P6"[..], &b"255"[..]));
        let (width, height) = str::from_utf8(size).ok()?.split_once(' ')?;
        let (width, height) = (width.parse().ok()?, height.parse().ok()?);
        (colors.len() == width * height * 3).then_some(Self { width, height, colors })
    }

    /// Reads a PNG as the console writes it.
    pub(crate) fn from_png(path: &Path) -> Self {
        let decoder = png::Decoder::new(BufReader::new(File::open(path).unwrap()));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        pixels.truncate(info.buffer_size());
        assert_eq!(info.bit_depth, png::BitDepth::Eight);
        let colors = match info.color_type {
            png::ColorType::Rgb => pixels,
            png::ColorType::Rgba => {
                pixels.as_chunks::<4>().0.iter().flat_map(|[r, g, b, _]| [*r, *g, *b]).collect()
            }
            other => panic!("a PNG of {other:?}"),
        };
        Self { width: info.width as usize, height: info.height as usize, colors }
    }

    /// The colour of a pixel.
    fn at(&self, x: usize, y: usize) -> &[u8] {
        let start = (y * self.width + x) * 3;
        &self.colors[start..start + 3]
    }

    /// The smallest rectangle outside of which two pictures are equal; `None` if they are equal.
    pub(crate) fn difference(&self, other: &Self) -> Option<Rect> {
        assert_eq!((self.width, self.height), (other.width, other.height));
        let mut bounds: Option<(usize, usize, usize, usize)> = None;
        for y in 0..self.height {
            for x in (0..self.width).filter(|x| self.at(*x, y) != other.at(*x, y)) {
                let (left, top, right, bottom) = bounds.unwrap_or((x, y, x, y));
                bounds = Some((left.min(x), top.min(y), right.max(x), bottom.max(y)));
            }
        }
        let side = |value: usize| u32::try_from(value).unwrap();
        bounds.map(|(left, top, right, bottom)| Rect {
            x: side(left),
            y: side(top),
            width: side(right - left + 1),
            height: side(bottom - top + 1),
        })
    }

    /// A part of it.
    pub(crate) fn part(&self, area: Rect) -> Self {
        let (x, y) = (area.x as usize, area.y as usize);
        let (width, height) = (area.width as usize, area.height as usize);
        let rows = y..y + height;
        let colors = rows.flat_map(|y| {
            let start = (y * self.width + x) * 3;
            &self.colors[start..start + width * 3]
        });
        Self { width, height, colors: colors.copied().collect() }
    }

    /// Its pixels in memory order of screens: blue, green, red, and a byte that is always 255.
    pub(crate) fn bgrx(&self) -> Vec<u8> {
        let pixels = self.colors.as_chunks::<3>().0;
        pixels.iter().flat_map(|[r, g, b]| [*b, *g, *r, 255]).collect()
    }
}
