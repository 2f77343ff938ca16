//! Pictures: reading QEMU's screendumps and our PNGs, and comparing them pixel by pixel.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

/// Most pixels of a picture that is read.
const MAX_PIXELS: usize = 7680 * 4320;

/// A picture in memory: 3 bytes a pixel (red, green, blue), rows from the top without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Columns.
    pub(crate) width: usize,
    /// Rows.
    pub(crate) height: usize,
    rgb: Vec<u8>,
}

impl Picture {
    /// Reads a binary PPM (`P6`, 8 bits), as QEMU writes it.
    ///
    /// # Errors
    /// When the bytes are none, or the size is beyond the limit.
    pub(crate) fn from_ppm(bytes: &[u8]) -> Result<Self> {
        let mut rest = bytes;
        let mut word = || -> Result<&str> {
            let start = rest.iter().position(|byte| !byte.is_ascii_whitespace());
            rest = start.and_then(|start| rest.get(start..)).context("the PPM ends in its head")?;
            let end =
                rest.iter().position(u8::is_ascii_whitespace).context("a PPM without rows")?;
            let (word, after) = rest.split_at(end);
            rest = after;
            Ok(std::str::from_utf8(word)?)
        };
        ensure!(word()? == "P6", "not a binary PPM");
        let (width, height) = (word()?.parse()?, word()?.parse()?);
        ensure!(word()? == "255", "a PPM that does not have 8 bits a channel");
        // One white space ends the head.
        Self::new(width, height, rest.get(1..).unwrap_or_default().to_vec())
    }

    /// Reads a PNG of 8 bits, with or without transparency (which is ignored).
    ///
    /// # Errors
    /// When the file can't be read or is of another kind.
    pub(crate) fn from_png(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| path.display().to_string())?;
        let mut decoder = png::Decoder::new(BufReader::new(file));
        decoder.set_transformations(png::Transformations::EXPAND | png::Transformations::STRIP_16);
        let mut reader = decoder.read_info()?;
        let (width, height) = (reader.info().width as usize, reader.info().height as usize);
        ensure!(width.saturating_mul(height) <= MAX_PIXELS, "{width}×{height} is too large");
        let mut data = vec![0; reader.output_buffer_size().context("too large")?];
        let info = reader.next_frame(&mut data)?;
        data.truncate(info.buffer_size());
        let rgb = match info.color_type {
            png::ColorType::Rgb => data,
            png::ColorType::Rgba => {
                data.chunks_exact(4).flat_map(|pixel| pixel.iter().take(3).copied()).collect()
            }
            other => bail!("a PNG of {other:?} is not expected here"),
        };
        Self::new(width, height, rgb)
    }

    fn new(width: usize, height: usize, rgb: Vec<u8>) -> Result<Self> {
        let pixels = width.checked_mul(height).filter(|pixels| *pixels <= MAX_PIXELS);
        let pixels = pixels.with_context(|| format!("{width}×{height} is too large"))?;
        ensure!(rgb.len() == pixels * 3, "{width}×{height} with {} bytes", rgb.len());
        Ok(Self { width, height, rgb })
    }

    /// Writes a PNG.
    ///
    /// # Errors
    /// When the file can't be written.
    pub(crate) fn save_png(&self, path: &Path) -> Result<()> {
        let file = File::create(path).with_context(|| path.display().to_string())?;
        let (width, height) = (u32::try_from(self.width)?, u32::try_from(self.height)?);
        let mut encoder = png::Encoder::new(BufWriter::new(file), width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header()?.write_image_data(&self.rgb)?;
        Ok(())
    }

    /// Red, green and blue at a place; `None` outside.
    pub(crate) fn pixel(&self, x: usize, y: usize) -> Option<[u8; 3]> {
        if x >= self.width {
            return None;
        }
        self.rgb.get((y * self.width + x) * 3..)?.first_chunk().copied()
    }

    /// How many different colours there are: a picture of 1 shows nothing.
    pub(crate) fn colours(&self) -> usize {
        let mut seen: Vec<&[u8]> = self.rgb.chunks_exact(3).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    }

    /// Compares with what should be there; the difference says how many pixels, where, and can be looked at.
    ///
    /// # Errors
    /// When the sizes differ.
    pub(crate) fn compare(&self, expected: &Self) -> Result<Difference> {
        ensure!(
            (self.width, self.height) == (expected.width, expected.height),
            "the picture has {}×{} pixels instead of {}×{}",
            self.width,
            self.height,
            expected.width,
            expected.height
        );
        let mut first = None;
        let mut pixels = 0;
        let mut rgb = Vec::with_capacity(self.rgb.len());
        let pairs = self.rgb.chunks_exact(3).zip(expected.rgb.chunks_exact(3));
        for (index, (is, should)) in pairs.enumerate() {
            if is == should {
                // Pale, so that the rest stands out.
                rgb.extend(is.iter().map(|value| 192 + value / 4));
                continue;
            }
            pixels += 1;
            rgb.extend([255, 0, 0]);
            let place = (index % self.width, index / self.width);
            let text = || format!("first at {place:?}: {is:?} instead of {should:?}");
            first.get_or_insert_with(text);
        }
        let map = Self { width: self.width, height: self.height, rgb };
        Ok(Difference { pixels, first: first.unwrap_or_default(), map })
    }
}

/// What differs between two pictures of one size.
#[derive(Debug)]
pub(crate) struct Difference {
    /// How many pixels.
    pub(crate) pixels: usize,
    /// The first of them in words; empty when there is none.
    pub(crate) first: String,
    /// The picture made pale, with each wrong pixel in red.
    pub(crate) map: Picture,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(rgb: &[u8]) -> Picture {
        Picture::new(2, 1, rgb.to_vec()).unwrap()
    }

    #[test]
    fn reads_a_ppm_whose_first_pixel_looks_like_white_space() {
        let read = Picture::from_ppm(b"P6\n2 1\n255\n\n\n\n\x01\x02\x03").unwrap();
        assert_eq!(read, picture(&[10, 10, 10, 1, 2, 3]));
    }

    #[test]
    fn rejects_a_ppm_with_too_few_or_too_many_bytes() {
        assert!(Picture::from_ppm(b"P6\n2 1\n255\n12345").is_err());
        assert!(Picture::from_ppm(b"P6\n2 1\n255\n1234567").is_err());
        assert!(Picture::from_ppm(b"P6\n99999999 99999999\n255\n1").is_err());
    }

    #[test]
    fn counts_and_places_what_differs() {
        let is = picture(&[0, 0, 0, 9, 9, 9]);
        let difference = is.compare(&picture(&[0, 0, 0, 9, 8, 9])).unwrap();
        assert_eq!(difference.pixels, 1);
        assert_eq!(difference.first, "first at (1, 0): [9, 9, 9] instead of [9, 8, 9]");
        assert_eq!(difference.map.pixel(1, 0), Some([255, 0, 0]));
        assert_eq!(is.compare(&is).unwrap().pixels, 0);
    }

    #[test]
    fn a_png_holds_the_same_pixels() {
        let folder = std::env::temp_dir().join(format!("lotse-picture-{}", std::process::id()));
        let is = picture(&[1, 2, 3, 250, 251, 252]);
        is.save_png(&folder).unwrap();
        let read = Picture::from_png(&folder);
        std::fs::remove_file(&folder).unwrap();
        assert_eq!(read.unwrap(), is);
    }
}
