//! Pictures to test with.

use lotse_codec::{Band, EncodeError, Encoder, Size, TILE};

/// A picture as a screen yields it: blue, green, red, 255.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    pub(crate) size: Size,
    pub(crate) bgrx: Vec<u8>,
}

impl Picture {
    /// One colour.
    pub(crate) fn plain(size: Size, [red, green, blue]: [u8; 3]) -> Self {
        Self { size, bgrx: [blue, green, red, 255].repeat((size.width * size.height) as usize) }
    }

    /// Noise that a compressor can do nothing with.
    pub(crate) fn noise(size: Size, seed: u64) -> Self {
        let mut state = seed | 1;
        let mut picture = Self::plain(size, [0; 3]);
        for pixel in picture.bgrx.as_chunks_mut::<4>().0 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let [blue, green, red, ..] = state.to_le_bytes();
            *pixel = [blue, green, red, 255];
        }
        picture
    }

    /// Sets one pixel; places are taken modulo the size.
    pub(crate) fn set(&mut self, x: u32, y: u32, [red, green, blue]: [u8; 3]) {
        let at = (y % self.size.height * self.size.width + x % self.size.width) as usize * 4;
        self.bgrx[at..at + 3].copy_from_slice(&[blue, green, red]);
    }

    /// As a decoder keeps it: red, green, blue, 255.
    pub(crate) fn rgba(&self) -> Vec<u8> {
        self.bgrx.as_chunks().0.iter().flat_map(|[b, g, r, _]| [*r, *g, *b, 255]).collect()
    }

    /// Its bands from the top.
    pub(crate) fn bands(&self) -> impl Iterator<Item = Band<'_>> {
        let stride = self.size.width as usize * 4;
        self.bgrx.chunks(TILE as usize * stride).zip(0..).map(move |(pixels, index)| Band {
            size: self.size,
            y: index * TILE,
            rows: (pixels.len() / stride) as u32,
            pixels,
        })
    }
}

/// The update for a picture of which only the bands with rows `from` to `to` are read.
pub(crate) fn encode_part(
    encoder: &mut Encoder,
    picture: &Picture,
    from: u32,
    to: u32,
) -> Result<Option<(u32, Vec<u8>)>, EncodeError> {
    encoder.begin(picture.size)?;
    for band in picture.bands().filter(|band| band.y < to && band.y + band.rows > from) {
        encoder.skip_to(band.y);
        encoder.push_band(band);
    }
    encoder.skip_to(picture.size.height);
    Ok(encoder.finish()?.map(|update| (update.number, update.bytes.to_vec())))
}

/// The update for a picture, if anything changed: its number and its bytes.
pub(crate) fn encode(
    encoder: &mut Encoder,
    picture: &Picture,
) -> Result<Option<(u32, Vec<u8>)>, EncodeError> {
    encoder.begin(picture.size)?;
    picture.bands().for_each(|band| encoder.push_band(band));
    Ok(encoder.finish()?.map(|update| (update.number, update.bytes.to_vec())))
}
