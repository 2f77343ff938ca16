//! A picture file that any program opens, written band by band without compression: the agent
//! has no compressor for this format, and needs none to show what a screen shows.
//!
//! # Source
//! PNG (ISO/IEC 15948), RFC 1950 and RFC 1951.

use std::io::{self, Write};

use lotse_hal::Size;

/// Bytes of a stored block at most (RFC 1951, 3.2.4).
const MAX_BLOCK: usize = 0xffff;

/// Writes one picture, from the top.
#[derive(Debug)]
pub(super) struct PngWriter<W> {
    out: W,
    width: usize,
    adler: (u32, u32),
}

impl<W: Write> PngWriter<W> {
    /// Begins a picture of this size.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn new(mut out: W, size: Size) -> io::Result<Self> {
        out.write_all(b"\x89PNG\r\n\x1a\n")?;
        let mut header = [size.width, size.height].map(u32::to_be_bytes).concat();
        // 8 bits of red, green and blue; the only compression and filters there are; no lacing.
        header.extend([8, 2, 0, 0, 0]);
        let mut writer = Self { out, width: size.width as usize, adler: (1, 0) };
        writer.chunk(b"IHDR", &header)?;
        // Zlib without a dictionary, least compression.
        writer.chunk(b"IDAT", &[0x78, 0x01])?;
        Ok(writer)
    }

    /// Adds whole rows of pixels of four bytes: blue, green, red, and one that means nothing.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn rows(&mut self, pixels: &[u8]) -> io::Result<()> {
        let mut raw = Vec::with_capacity(pixels.len());
        for row in pixels.chunks_exact((self.width * 4).max(1)) {
            // Not filtered.
            raw.push(0);
            raw.extend(
                row.as_chunks::<4>()
                    .0
                    .iter()
                    .flat_map(|[blue, green, red, _]| [*red, *green, *blue]),
            );
        }
        for byte in &raw {
            // RFC 1950, 8.2; the sums stay below twice the modulus.
            self.adler.0 = (self.adler.0 + u32::from(*byte)) % 65521;
            self.adler.1 = (self.adler.1 + self.adler.0) % 65521;
        }
        let mut data = Vec::with_capacity(raw.len() + raw.len() / MAX_BLOCK * 5 + 5);
        for block in raw.chunks(MAX_BLOCK) {
            store(block, false, &mut data);
        }
        self.chunk(b"IDAT", &data)
    }

    /// Ends the picture, which must be complete.
    ///
    /// # Errors
    /// When the end cannot be written.
    pub(super) fn finish(mut self) -> io::Result<()> {
        let mut data = Vec::new();
        store(&[], true, &mut data);
        data.extend((self.adler.1 << 16 | self.adler.0).to_be_bytes());
        self.chunk(b"IDAT", &data)?;
        self.chunk(b"IEND", &[])?;
        self.out.flush()
    }

    fn chunk(&mut self, kind: &[u8; 4], data: &[u8]) -> io::Result<()> {
        let length = u32::try_from(data.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(kind)?;
        self.out.write_all(data)?;
        self.out.write_all(&crc(kind.iter().chain(data)).to_be_bytes())
    }
}

/// Appends a stored block; `bytes` are at most [`MAX_BLOCK`].
fn store(bytes: &[u8], is_last: bool, out: &mut Vec<u8>) {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.push(is_last.into());
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend_from_slice(bytes);
}

/// The checksum of a chunk (PNG, annex D).
fn crc<'a>(bytes: impl Iterator<Item = &'a u8>) -> u32 {
    let table: [u32; 256] = std::array::from_fn(|index| {
        (0..8).fold(index as u32, |value, _| {
            if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 }
        })
    });
    let step = |value: u32, byte: &u8| {
        let index = (value as u8 ^ byte) as usize;
        table.get(index).copied().unwrap_or_default() ^ (value >> 8)
    };
    !bytes.fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_reader_sees_the_same_pixels() {
        let size = Size::new(301, 150);
        let pixel = |index: u32| [index as u8, (index >> 8) as u8, (index >> 3) as u8, 0xff];
        let pixels: Vec<u8> = (0..size.width * size.height).flat_map(pixel).collect();
        let mut file = Vec::new();
        let mut writer = PngWriter::new(&mut file, size).unwrap();
        // More than one block in a band, and a last band that is shorter.
        for band in pixels.chunks(301 * 4 * 80) {
            writer.rows(band).unwrap();
        }
        writer.finish().unwrap();
        let mut reader = png::Decoder::new(io::Cursor::new(file)).read_info().unwrap();
        let mut seen = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut seen).unwrap();
        assert_eq!((info.width, info.height), (301, 150));
        let wanted = pixels.as_chunks::<4>().0.iter().flat_map(|[b, g, r, _]| [*r, *g, *b]);
        assert!(seen.into_iter().eq(wanted));
    }
}
