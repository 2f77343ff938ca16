//! Pictures to bytes and back.
//!
//! A screen that people work on changes little. The [`Encoder`] looks at a picture in tiles of
//! 64 × 64 pixels, remembers a keyed 64-bit hash of each, and says only the tiles that changed,
//! without loss. The [`Decoder`] keeps the picture that results. Neither does any I/O, knows
//! sessions or reads a clock; pacing is the caller's.
//!
//! ```
//! use lotse_codec::{Band, Decoder, Encoder, Limits, Size};
//!
//! let size = Size::new(64, 2);
//! let pixels = [10, 20, 30, 255].repeat(64 * 2); // blue, green, red, nothing
//!
//! let mut encoder = Encoder::new(0x5eed)?;
//! encoder.begin(size)?;
//! encoder.push_band(Band { size, y: 0, rows: 2, pixels: &pixels });
//! let update = encoder.finish()?.ok_or("the first picture is always news")?;
//!
//! let mut decoder = Decoder::new(Limits::default());
//! let changed = decoder.decode(update.bytes)?;
//! assert_eq!(changed.number, 1);
//! assert_eq!(decoder.picture().0[..4], [30, 20, 10, 255]); // red, green, blue, opaque
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Updates
//!
//! Numbers are little-endian. Every byte is accounted for: one too many is an error.
//!
//! | at | bytes | field | limits |
//! |---|---|---|---|
//! | 0 | 1 | version of this layout | 1 |
//! | 1 | 1 | flags: bit 0 *full*, every tile of the picture is in it | others 0 |
//! | 2 | 2 | width of the picture, pixels | 1 to 8192 |
//! | 4 | 2 | height | 1 to 8192; width × height within the receiver's budget |
//! | 6 | 4 | number of the update | from 1, rising; a full update may start anew |
//! | 10 | 4 | *r*: length of the tiles before compression | at most what the listed tiles can have |
//! | 14 | 4 | *c*: length of the compressed tiles | what is left at most |
//! | 18 | *c* | the tiles, one zstd frame without dictionary that yields *r* bytes | |
//! | 18 + *c* | rest | which tiles: runs | at least one, rising, within the picture |
//!
//! Tiles are numbered row by row from the upper left. A run is two numbers: how many tiles are
//! skipped since the end of the last run (0 only in the first), and how many are in it, less
//! one. Each number is in groups of seven bits, lowest first, the high bit set in all but the
//! last byte, in as few bytes as it needs, at most three.
//!
//! A tile, in the order of the runs, is one byte of kind and its pixels, three bytes each, red,
//! green, blue:
//!
//! | kind | then |
//! |---|---|
//! | 0 | all pixels of the tile, row by row; at the right and lower edge tiles are smaller |
//! | 1 | one pixel: the tile is of this colour |
//!
//! Every tile is absolute, never relative to an earlier picture, so that a viewer who missed
//! updates is cured by sending the tiles that these held ([`Encoder::resend_after`]).

mod decoder;
mod encoder;
mod error;
mod geometry;
mod wire;

pub use decoder::{Changed, Decoder, Limits};
pub use encoder::{Encoder, Update};
pub use error::{DecodeError, EncodeError};
pub use geometry::{Band, MAX_SIDE, Rect, Size, TILE};
pub use wire::max_update_len;
