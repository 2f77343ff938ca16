//! The envelope of an update. The tables are in the crate's documentation.

use crate::coarse::Quality;
use crate::geometry::{Grid, Size};
use crate::{DecodeError, Limits};

/// The layout that is written and read.
pub(crate) const VERSION: u8 = 4;
/// Flag: the update tells the whole picture and needs nothing of what was before.
pub(crate) const FLAG_FULL: u8 = 1;
/// Flag: the update follows another than the one before it.
pub(crate) const FLAG_CURE: u8 = 2;
/// Flag: there are photographs.
pub(crate) const FLAG_PHOTO: u8 = 4;
/// Flag: what was learnt from earlier updates is forgotten. Full updates and cures have it, too.
pub(crate) const FLAG_FRESH: u8 = 8;
/// Flag: tiles may be told roughly.
pub(crate) const FLAG_COARSE: u8 = 16;
/// The longest header, in bytes.
pub(crate) const MAX_HEADER: usize = 15;
/// Tiles that both sides remember, to be shown again. 16 KiB each where pixels are kept.
pub(crate) const CACHE: u32 = 4096;
/// Bits of a place in it.
pub(crate) const CACHE_BITS: u32 = CACHE.trailing_zeros();
/// The farthest that something moves within a picture, in pixels, as a number of bits.
pub(crate) const MOVE_BITS: u32 = 14;

/// The fields of the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) number: u32,
    /// The last update that must have been applied; none if the update is full.
    pub(crate) base: Option<u32>,
    /// Size of the picture, of a full update.
    pub(crate) size: Option<Size>,
    /// Whether what was learnt before is forgotten.
    pub(crate) fresh: bool,
    pub(crate) has_photos: bool,
    /// How roughly tiles are told, if they may be.
    pub(crate) quality: Option<Quality>,
    /// Bytes of the decisions.
    pub(crate) drawn_len: u32,
}

impl Header {
    /// Writes the header right before what follows the first [`MAX_HEADER`] bytes of `message`,
    /// and says where it begins.
    pub(crate) fn write_before(&self, message: &mut [u8]) -> usize {
        let (bytes, len) = self.to_bytes();
        let start = MAX_HEADER - len;
        message.iter_mut().skip(start).zip(bytes.iter().take(len)).for_each(|(to, b)| *to = *b);
        start
    }

    /// The header's bytes, and how many they are.
    fn to_bytes(self) -> ([u8; MAX_HEADER], usize) {
        let cure = self.base.filter(|base| base + 1 != self.number);
        let flags = if self.size.is_some() { FLAG_FULL } else { 0 }
            | if cure.is_some() { FLAG_CURE } else { 0 }
            | if self.has_photos { FLAG_PHOTO } else { 0 }
            | if self.fresh { FLAG_FRESH } else { 0 }
            | if self.quality.is_some() { FLAG_COARSE } else { 0 };
        let (mut bytes, mut len) = ([0; MAX_HEADER], 0);
        let mut put = |part: &[u8]| {
            for (to, from) in bytes.iter_mut().skip(len).zip(part) {
                *to = *from;
            }
            len += part.len();
        };
        put(&[VERSION, flags]);
        put(&self.number.to_le_bytes());
        if let Some(size) = self.size {
            put(&(size.width as u16).to_le_bytes());
            put(&(size.height as u16).to_le_bytes());
        }
        if let Some(base) = cure {
            put(&base.to_le_bytes());
        }
        if let Some(quality) = self.quality {
            put(&[quality.get()]);
        }
        let mut rest = self.drawn_len;
        while rest >= 0x80 {
            put(&[rest as u8 | 0x80]);
            rest >>= 7;
        }
        put(&[rest as u8]);
        (bytes, len)
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let [version] = reader.take()?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let [flags] = reader.take()?;
        let (full, cure) = (flags & FLAG_FULL != 0, flags & FLAG_CURE != 0);
        let fresh = flags & FLAG_FRESH != 0;
        let known = FLAG_FULL | FLAG_CURE | FLAG_PHOTO | FLAG_FRESH | FLAG_COARSE;
        if flags & !known != 0 || (full && cure) || ((full || cure) && !fresh) {
            return Err(DecodeError::Flags(flags));
        }
        let number = u32::from_le_bytes(reader.take()?);
        if number == 0 {
            return Err(DecodeError::NumberZero);
        }
        let size = if full {
            let width = u32::from(u16::from_le_bytes(reader.take()?));
            let height = u32::from(u16::from_le_bytes(reader.take()?));
            Some(Size { width, height })
        } else {
            None
        };
        let base = if cure {
            let base = u32::from_le_bytes(reader.take()?);
            if base == 0 || base.checked_add(1).is_none_or(|next| next >= number) {
                return Err(DecodeError::Base { number, base });
            }
            Some(base)
        } else {
            (!full).then_some(number - 1)
        };
        let has_photos = flags & FLAG_PHOTO != 0;
        let quality = if flags & FLAG_COARSE != 0 {
            let [quality] = reader.take()?;
            Some(Quality::new(quality).ok_or(DecodeError::Quality(quality))?)
        } else {
            None
        };
        let drawn_len = reader.varint()?;
        Ok(Self { number, base, size, fresh, has_photos, quality, drawn_len })
    }
}

/// An update whose envelope is sound; what is inside is not yet looked at.
#[derive(Debug)]
pub(crate) struct Envelope<'a> {
    pub(crate) header: Header,
    /// The decisions.
    pub(crate) drawn: &'a [u8],
    /// The bits of the photographs; empty if there are none.
    pub(crate) photos: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Reads all of `message`; allocates nothing.
    pub(crate) fn parse(message: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let mut reader = Reader(message);
        let header = Header::parse(&mut reader)?;
        if let Some(size) = header.size {
            if !size.is_plausible() {
                return Err(DecodeError::Size(size));
            }
            if size.pixels() > limits.max_pixels {
                return Err(DecodeError::TooLarge {
                    pixels: size.pixels(),
                    limit: limits.max_pixels,
                });
            }
        }
        let photos_len = reader.0.len().checked_sub(header.drawn_len as usize);
        let photos = reader.slice(photos_len.ok_or(DecodeError::Truncated)?)?;
        let drawn = reader.0;
        if header.has_photos == photos.is_empty() {
            return Err(DecodeError::Length);
        }
        Ok(Self { header, drawn, photos })
    }
}

/// The longest that an update of a picture of this size can be, in bytes.
///
/// What no longer fits cannot have come from an [`crate::Encoder`]: receivers refuse it before
/// they collect it.
pub fn max_update_len(size: Size) -> usize {
    let grid = Grid::new(size);
    let pixels = size.width as usize * size.height as usize;
    // A pixel of a new colour takes some thirty decisions of about a bit, and is one of two at
    // most: else its rows count as a photograph. Of these a channel takes as many bits as all its
    // worth and one or two more, if it is foretold as badly as by chance. A tile takes some ten
    // bytes.
    MAX_HEADER + pixels * 4 + pixels * 2 + grid.tiles() as usize * 16
}

/// Reads from the front of a slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `N` bytes.
    pub(crate) fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, tail) = self.0.split_first_chunk().ok_or(DecodeError::Truncated)?;
        self.0 = tail;
        Ok(*head)
    }

    /// The next `len` bytes.
    pub(crate) fn slice(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self.0.split_at_checked(len).ok_or(DecodeError::Truncated)?;
        self.0 = tail;
        Ok(head)
    }

    /// A number in groups of seven bits, the lowest first, in as few bytes as it needs.
    fn varint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21] {
            let [byte] = self.take()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let canonical = byte != 0 || shift == 0;
                return if canonical { Ok(value) } else { Err(DecodeError::Length) };
            }
        }
        Err(DecodeError::Length)
    }
}
