//! How a screen stores its pixels, and the way to blue, green, red, 0xff and back.
//!
//! A frame buffer describes its pixels by *channels*: so many bits from bit so-and-so of a
//! little-endian word. A DRM buffer has a *fourcc* code, which names the same thing. Both end
//! in a [`PixelFormat`] here. Screens with a palette or a single bit per pixel exist too, as
//! old frame buffers only.

/// Bytes of one pixel in the picture we make: blue, green, red, and 0xff.
pub(crate) const BGRX_BYTES: usize = 4;

/// The fourth byte of a pixel, within a little-endian word.
const OPAQUE: u32 = 0xff00_0000;

const BLACK: [u8; BGRX_BYTES] = [0, 0, 0, 0xff];
const WHITE: [u8; BGRX_BYTES] = [0xff; BGRX_BYTES];

/// Where one colour is within a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Channel {
    /// Its lowest bit.
    offset: u8,
    /// How many bits, 1..=16.
    length: u8,
}

/// Most bits a channel may have; nothing that exists has more.
const MAX_CHANNEL_BITS: u32 = 16;

impl Channel {
    /// `None` unless it lies within a pixel of so many bits.
    pub(crate) fn new(offset: u32, length: u32, pixel_bits: u32) -> Option<Self> {
        let fits = (1..=MAX_CHANNEL_BITS).contains(&length)
            && offset.checked_add(length).is_some_and(|end| end <= pixel_bits);
        fits.then_some(Self { offset: offset as u8, length: length as u8 })
    }

    /// The channel's value spread over 0..=255, so that the largest becomes 255.
    fn decode(self, word: u32) -> u8 {
        let max = (1u32 << self.length) - 1;
        let value = (word >> self.offset) & max;
        match self.length {
            8 => value as u8,
            // Bit replication is what display hardware does; equal to rounding for 5 and 6 bits
            // but for a few values, so it is done in the same way here.
            1 => (value * 255) as u8,
            2 => (value * 85) as u8,
            3 => (value << 5 | value << 2 | value >> 1) as u8,
            4..=7 => (value << (8 - self.length) | value >> (2 * self.length - 8)) as u8,
            _ => (value >> (self.length - 8)) as u8,
        }
    }

    /// The value whose upper bits are those of `value`, in its place in the pixel.
    fn encode(self, value: u8) -> u32 {
        let value = u32::from(value);
        let scaled = if self.length <= 8 {
            value >> (8 - self.length)
        } else {
            value << (self.length - 8) | value >> (16 - self.length)
        };
        scaled << self.offset
    }
}

/// How pixels made of channels are translated, a byte at a time.
///
/// Every bit of the picture is a copy of one bit of the pixel (that is what replicating and
/// cutting off bits comes to), so that what the bytes of a pixel contribute can be looked up for
/// each alone and put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tables {
    /// What the first, second, ... byte of a pixel contributes, as a word of blue, green, red,
    /// 0xff.
    decode: [[u32; 256]; 4],
    /// What a level of blue, green, red contributes to a pixel.
    encode: [[u32; 256]; 3],
    /// Bits of a pixel that belong to no channel.
    unused: u32,
}

impl Tables {
    fn new(red: Channel, green: Channel, blue: Channel) -> Box<Self> {
        let mut tables = Box::new(Self {
            decode: [[0; 256]; 4],
            encode: [[0; 256]; 3],
            unused: !(mask(red) | mask(green) | mask(blue)),
        });
        for (shift, table) in (0..32).step_by(8).zip(&mut tables.decode) {
            for (byte, entry) in (0..=255u32).zip(table) {
                let word = byte << shift;
                let bgrx = [blue.decode(word), green.decode(word), red.decode(word), 0xff];
                *entry = u32::from_le_bytes(bgrx);
            }
        }
        for (channel, table) in [blue, green, red].into_iter().zip(&mut tables.encode) {
            for (level, entry) in (0..=u8::MAX).zip(table) {
                *entry = channel.encode(level);
            }
        }
        tables
    }

    /// Turns pixels of `N` bytes, at most 4, into blue, green, red, 0xff.
    #[inline]
    fn decode_row<const N: usize>(&self, raw: &[u8], out: &mut [[u8; BGRX_BYTES]]) {
        for (out, raw) in out.iter_mut().zip(raw.as_chunks::<N>().0) {
            let bytes = raw.iter().zip(&self.decode);
            let word = bytes.fold(0, |word, (&byte, table)| word | table[usize::from(byte)]);
            *out = word.to_le_bytes();
        }
    }

    /// Turns blue, green, red, x into pixels of `N` bytes, at most 4.
    #[inline]
    fn encode_row<const N: usize>(&self, pixels: &[[u8; BGRX_BYTES]], raw: &mut [u8]) {
        let [blue, green, red] = &self.encode;
        for ([b, g, r, _], raw) in pixels.iter().zip(raw.as_chunks_mut::<N>().0) {
            let word = blue[usize::from(*b)] | green[usize::from(*g)] | red[usize::from(*r)];
            for (raw, byte) in raw.iter_mut().zip((word | self.unused).to_le_bytes()) {
                *raw = byte;
            }
        }
    }
}

/// Colours of a palette, each blue, green, red, 0xff.
pub(crate) type Palette = [[u8; BGRX_BYTES]; 256];

/// How the pixels of a screen are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PixelFormat {
    /// Already blue, green, red, and a byte to be ignored.
    Bgrx,
    /// Red, green, blue, and a byte to be ignored.
    Rgbx,
    /// Little-endian words of 2, 3 or 4 bytes, made of channels.
    Packed {
        /// Bytes of a pixel, 2..=4.
        bytes: u8,
        /// What becomes of them.
        tables: Box<Tables>,
    },
    /// One byte that selects a colour.
    Indexed(Box<Palette>),
    /// One bit, the leftmost pixel in the highest bit.
    Mono {
        /// Whether a set bit is white.
        set_is_white: bool,
    },
}

impl PixelFormat {
    /// The format of words of `bytes` bytes with these channels; `None` if they do not fit.
    pub(crate) fn packed(bytes: u8, red: Channel, green: Channel, blue: Channel) -> Option<Self> {
        let within = |channel: Channel| channel.offset + channel.length <= bytes * 8;
        if !((2..=4).contains(&bytes) && within(red) && within(green) && within(blue)) {
            return None;
        }
        let eight = |channel: Channel, offset| channel == Channel { offset, length: 8 };
        if bytes == 4 && eight(green, 8) {
            if eight(red, 16) && eight(blue, 0) {
                return Some(Self::Bgrx);
            }
            if eight(red, 0) && eight(blue, 16) {
                return Some(Self::Rgbx);
            }
        }
        Some(Self::Packed { bytes, tables: Tables::new(red, green, blue) })
    }

    /// The format that a DRM fourcc names; `None` if it is not one that can be read here.
    ///
    /// # Source
    /// `drm_fourcc.h`; names there go from the most significant bits to the least, in words
    /// that are little-endian.
    pub(crate) fn from_fourcc(fourcc: u32) -> Option<Self> {
        let channels = |bytes: u8, red: (u8, u8), green: (u8, u8), blue: (u8, u8)| {
            let channel = |(offset, length)| Channel { offset, length };
            Self::packed(bytes, channel(red), channel(green), channel(blue))
        };
        match &fourcc.to_le_bytes() {
            b"XR24" | b"AR24" => Some(Self::Bgrx),
            b"XB24" | b"AB24" => Some(Self::Rgbx),
            b"RX24" | b"RA24" => channels(4, (24, 8), (16, 8), (8, 8)),
            b"BX24" | b"BA24" => channels(4, (8, 8), (16, 8), (24, 8)),
            b"RG24" => channels(3, (16, 8), (8, 8), (0, 8)),
            b"BG24" => channels(3, (0, 8), (8, 8), (16, 8)),
            b"RG16" => channels(2, (11, 5), (5, 6), (0, 5)),
            b"BG16" => channels(2, (0, 5), (5, 6), (11, 5)),
            b"XR15" | b"AR15" => channels(2, (10, 5), (5, 5), (0, 5)),
            b"XR30" | b"AR30" => channels(4, (20, 10), (10, 10), (0, 10)),
            b"XB30" | b"AB30" => channels(4, (0, 10), (10, 10), (20, 10)),
            _ => None,
        }
    }

    /// The fourcc of what the old `GETFB` call says, as the kernel itself translates it.
    pub(crate) fn fourcc_of_legacy(bits: u32, depth: u32) -> Option<u32> {
        let code = match (bits, depth) {
            (16, 15) => Some(b"XR15"),
            (16, 16) => Some(b"RG16"),
            (24, 24) => Some(b"RG24"),
            (32, 24) => Some(b"XR24"),
            (32, 30) => Some(b"XR30"),
            (32, 32) => Some(b"AR24"),
            _ => None,
        };
        code.map(|code| u32::from_le_bytes(*code))
    }

    /// How many bytes `pixels` pixels of a row take, from its first byte.
    pub(crate) fn row_bytes(&self, pixels: u32) -> usize {
        let pixels = pixels as usize;
        match self {
            Self::Bgrx | Self::Rgbx => pixels * 4,
            Self::Packed { bytes, .. } => pixels * usize::from(*bytes),
            Self::Indexed(_) => pixels,
            Self::Mono { .. } => pixels.div_ceil(8),
        }
    }

    /// Whether a row's bytes are the picture's but for the fourth of each pixel.
    pub(crate) fn is_bgrx(&self) -> bool {
        matches!(self, Self::Bgrx)
    }

    /// Turns a row of the screen into blue, green, red, 0xff.
    ///
    /// The shorter of the two rows decides how many pixels that are.
    pub(crate) fn decode_row(&self, raw: &[u8], bgrx: &mut [u8]) {
        let out = bgrx.as_chunks_mut::<BGRX_BYTES>().0;
        match self {
            Self::Bgrx => {
                for (out, raw) in out.iter_mut().zip(raw.as_chunks::<4>().0) {
                    *out = (u32::from_le_bytes(*raw) | OPAQUE).to_le_bytes();
                }
            }
            Self::Rgbx => {
                for (out, raw) in out.iter_mut().zip(raw.as_chunks::<4>().0) {
                    let word = u32::from_le_bytes(*raw);
                    let (blue, red) = (word >> 16 & 0xff, (word & 0xff) << 16);
                    *out = (blue | word & 0xff00 | red | OPAQUE).to_le_bytes();
                }
            }
            Self::Packed { bytes: 2, tables } => tables.decode_row::<2>(raw, out),
            Self::Packed { bytes: 3, tables } => tables.decode_row::<3>(raw, out),
            Self::Packed { tables, .. } => tables.decode_row::<4>(raw, out),
            Self::Indexed(palette) => {
                for (out, raw) in out.iter_mut().zip(raw) {
                    *out = palette[usize::from(*raw)];
                }
            }
            Self::Mono { set_is_white } => {
                let invert = if *set_is_white { 0 } else { 0xff };
                for (out, raw) in out.chunks_mut(8).zip(raw) {
                    let mut bits = raw ^ invert;
                    for out in out {
                        *out = if bits & 0x80 == 0 { BLACK } else { WHITE };
                        bits <<= 1;
                    }
                }
            }
        }
    }

    /// Turns blue, green, red, x into a row of the screen, as near as it can show.
    ///
    /// The shorter of the two rows decides how many pixels that are; `raw` must start at a byte
    /// that is a pixel's first. Bits of a pixel that are no channel become set, which is opaque
    /// where they are an alpha channel.
    pub(crate) fn encode_row(&self, bgrx: &[u8], raw: &mut [u8]) {
        let pixels = bgrx.as_chunks::<BGRX_BYTES>().0;
        match self {
            Self::Bgrx => {
                for (pixel, raw) in pixels.iter().zip(raw.as_chunks_mut::<4>().0) {
                    *raw = [pixel[0], pixel[1], pixel[2], 0xff];
                }
            }
            Self::Rgbx => {
                for (pixel, raw) in pixels.iter().zip(raw.as_chunks_mut::<4>().0) {
                    *raw = [pixel[2], pixel[1], pixel[0], 0xff];
                }
            }
            Self::Packed { bytes: 2, tables } => tables.encode_row::<2>(pixels, raw),
            Self::Packed { bytes: 3, tables } => tables.encode_row::<3>(pixels, raw),
            Self::Packed { tables, .. } => tables.encode_row::<4>(pixels, raw),
            Self::Indexed(palette) => {
                let mut last: Option<([u8; BGRX_BYTES], u8)> = None;
                for (pixel, raw) in pixels.iter().zip(raw) {
                    let index = match last {
                        Some((colour, index)) if colour == *pixel => index,
                        _ => nearest(palette, *pixel),
                    };
                    last = Some((*pixel, index));
                    *raw = index;
                }
            }
            Self::Mono { set_is_white } => {
                for (index, [b, g, r, _]) in pixels.iter().enumerate() {
                    let Some(byte) = raw.get_mut(index / 8) else { return };
                    let light = u32::from(*b) + 2 * u32::from(*g) + u32::from(*r) >= 4 * 128;
                    let bit = 0x80 >> (index % 8);
                    if light == *set_is_white { *byte |= bit } else { *byte &= !bit }
                }
            }
        }
    }

    /// What `bgrx` becomes by being shown: encoded and decoded again, in place.
    pub(crate) fn round_row(&self, bgrx: &mut [u8], scratch: &mut Vec<u8>) {
        let pixels = bgrx.len() / BGRX_BYTES;
        scratch.clear();
        scratch.resize(self.row_bytes(pixels as u32), 0);
        self.encode_row(bgrx, scratch);
        self.decode_row(scratch, bgrx);
    }
}

/// All bits of a channel.
fn mask(channel: Channel) -> u32 {
    ((1u32 << channel.length) - 1) << channel.offset
}

/// The entry of the palette that is nearest to a colour; the first of several.
fn nearest(palette: &Palette, colour: [u8; BGRX_BYTES]) -> u8 {
    let distance = |entry: &[u8; BGRX_BYTES]| -> u32 {
        let of = |at: usize| u32::from(entry[at].abs_diff(colour[at])).pow(2);
        of(0) + of(1) + of(2)
    };
    let found = palette.iter().enumerate().min_by_key(|(_, entry)| distance(entry));
    found.map_or(0, |(index, _)| index as u8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fourcc(code: &[u8; 4]) -> PixelFormat {
        PixelFormat::from_fourcc(u32::from_le_bytes(*code)).unwrap()
    }

    fn decode_one(format: &PixelFormat, raw: &[u8]) -> [u8; 4] {
        let mut out = [0; 4];
        format.decode_row(raw, &mut out);
        out
    }

    #[test]
    fn fourccs_name_the_channels_of_little_endian_words() {
        // Each is a pixel of red 0xff, green 0x80, blue 0x00 (to the format's depth).
        let cases: [(&[u8; 4], &[u8]); 9] = [
            (b"XR24", &[0x00, 0x80, 0xff, 0x11]),
            (b"XB24", &[0xff, 0x80, 0x00, 0x11]),
            (b"RX24", &[0x11, 0x00, 0x80, 0xff]),
            (b"BX24", &[0x11, 0xff, 0x80, 0x00]),
            (b"RG24", &[0x00, 0x80, 0xff]),
            (b"BG24", &[0xff, 0x80, 0x00]),
            (b"RG16", &[0x00, 0xfc]),
            (b"XR30", &[0x00, 0x00, 0xf8, 0x3f]),
            (b"XB30", &[0xff, 0x03, 0x08, 0x00]),
        ];
        for (code, raw) in cases {
            let [blue, green, red, x] = decode_one(&fourcc(code), raw);
            let name = String::from_utf8_lossy(code);
            assert_eq!((blue, red, x), (0, 0xff, 0xff), "{name}");
            assert!(green.abs_diff(0x80) <= 2, "{name}: green {green:#x}");
        }
    }

    #[test]
    fn unknown_fourccs_are_refused() {
        for code in [b"NV12", b"YUYV", b"R8  ", b"XR4H", b"\0\0\0\0"] {
            assert_eq!(PixelFormat::from_fourcc(u32::from_le_bytes(*code)), None);
        }
    }

    #[test]
    fn channels_outside_of_the_pixel_are_refused() {
        assert_eq!(Channel::new(0, 0, 16), None);
        assert_eq!(Channel::new(12, 5, 16), None);
        assert_eq!(Channel::new(u32::MAX, 8, 32), None);
        assert_eq!(Channel::new(0, 17, 32), None);
        let wide = Channel::new(20, 8, 32).unwrap();
        assert_eq!(PixelFormat::packed(2, wide, wide, wide), None);
    }

    #[test]
    fn the_fastest_path_is_found_from_channels() {
        let at = |offset| Channel::new(offset, 8, 32).unwrap();
        assert_eq!(PixelFormat::packed(4, at(16), at(8), at(0)), Some(PixelFormat::Bgrx));
        assert_eq!(PixelFormat::packed(4, at(0), at(8), at(16)), Some(PixelFormat::Rgbx));
    }

    #[test]
    fn every_depth_reaches_black_and_white() {
        for bits in 1..=16 {
            let channel = Channel::new(3, bits, 32).unwrap();
            assert_eq!(channel.decode(0), 0, "{bits} bits");
            assert_eq!(channel.decode(u32::MAX), 255, "{bits} bits");
        }
    }

    #[test]
    fn palette_and_mono_pixels_are_looked_up() {
        let mut palette = Box::new([[0, 0, 0, 0xff]; 256]);
        palette[7] = [1, 2, 3, 0xff];
        assert_eq!(decode_one(&PixelFormat::Indexed(palette), &[7]), [1, 2, 3, 0xff]);
        let mono = PixelFormat::Mono { set_is_white: false };
        let mut out = [0; 36];
        mono.decode_row(&[0b1010_0000, 0x80], &mut out);
        let levels: Vec<u8> = out.chunks(4).map(|pixel| pixel[0]).collect();
        assert_eq!(levels, [0, 255, 0, 255, 255, 255, 255, 255, 0]);
    }

    fn formats() -> Vec<PixelFormat> {
        let mut palette = Box::new([[0, 0, 0, 0xff]; 256]);
        for (index, entry) in palette.iter_mut().enumerate() {
            *entry = [index as u8, (index * 7) as u8, (index * 31) as u8, 0xff];
        }
        let codes =
            [b"XR24", b"XB24", b"RX24", b"RG24", b"BG24", b"RG16", b"BG16", b"XR15", b"XR30"];
        let mut all: Vec<_> = codes.into_iter().map(fourcc).collect();
        all.push(PixelFormat::Indexed(palette));
        all.extend([true, false].map(|set_is_white| PixelFormat::Mono { set_is_white }));
        all
    }

    /// Decodes one channel of one pixel at a time, straight from what the words mean.
    fn plainly(bytes: usize, channels: [Channel; 3], raw: &[u8], bgrx: &mut [u8]) {
        for (raw, out) in raw.chunks_exact(bytes).zip(bgrx.chunks_exact_mut(4)) {
            let word = raw.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte));
            out.copy_from_slice(&[0, 0, 0, 0xff]);
            for (channel, out) in channels.iter().zip(out) {
                *out = channel.decode(word);
            }
        }
    }

    fn plain_channel() -> impl Strategy<Value = Channel> {
        (1u32..=16, 0u32..32).prop_filter_map("not within a word", |(length, offset)| {
            Channel::new(offset, length, 32)
        })
    }

    proptest! {
        #[test]
        fn whole_rows_decode_as_single_pixels_do(
            bytes in 2u8..=4,
            channels in [plain_channel(), plain_channel(), plain_channel()],
            raw in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let [blue, green, red] = channels;
            if let Some(format) = PixelFormat::packed(bytes, red, green, blue) {
                let (mut fast, mut plain) = (vec![7; 200], vec![7; 200]);
                format.decode_row(&raw, &mut fast);
                plainly(usize::from(bytes), channels, &raw, &mut plain);
                prop_assert_eq!(fast, plain);
            }
        }

        #[test]
        fn whole_rows_encode_as_single_pixels_do(
            bytes in 2u8..=4,
            channels in [plain_channel(), plain_channel(), plain_channel()],
            bgrx in proptest::collection::vec(any::<[u8; 4]>(), 0..50),
        ) {
            let [blue, green, red] = channels;
            if let Some(format @ PixelFormat::Packed { .. }) =
                PixelFormat::packed(bytes, red, green, blue)
            {
                let bytes = usize::from(bytes);
                let mut raw = vec![0; bgrx.len() * bytes];
                format.encode_row(bgrx.as_flattened(), &mut raw);
                let unused = !(mask(red) | mask(green) | mask(blue));
                for (pixel, raw) in bgrx.iter().zip(raw.chunks_exact(bytes)) {
                    let levels = channels.iter().zip(pixel);
                    let word = levels.fold(unused, |word, (to, &level)| word | to.encode(level));
                    prop_assert_eq!(raw, &word.to_le_bytes()[..bytes]);
                }
            }
        }

        #[test]
        fn what_is_shown_stays_the_same_when_shown_again(
            bgrx in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            for format in formats() {
                let mut scratch = Vec::new();
                let mut once = bgrx.clone();
                format.round_row(&mut once, &mut scratch);
                let mut twice = once.clone();
                format.round_row(&mut twice, &mut scratch);
                prop_assert_eq!(&once, &twice);
            }
        }

        #[test]
        fn eight_bit_channels_lose_nothing(pixels in proptest::collection::vec(any::<[u8; 3]>(), 1..50)) {
            let bgrx: Vec<u8> = pixels.iter().flat_map(|&[b, g, r]| [b, g, r, 0xff]).collect();
            for code in [b"XR24", b"XB24", b"RX24", b"BX24", b"RG24", b"BG24", b"XR30"] {
                let mut shown = bgrx.clone();
                fourcc(code).round_row(&mut shown, &mut Vec::new());
                prop_assert_eq!(&shown, &bgrx);
            }
        }

        #[test]
        fn rows_of_any_length_are_survived(
            raw in proptest::collection::vec(any::<u8>(), 0..64),
            mut bgrx in proptest::collection::vec(any::<u8>(), 0..64),
        ) {
            for format in formats() {
                format.decode_row(&raw, &mut bgrx);
                format.encode_row(&bgrx, &mut raw.clone());
            }
        }
    }
}
