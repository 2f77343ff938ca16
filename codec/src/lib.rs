//! Pictures to bytes and back.
//!
//! A screen that people work on changes little, and what changes has mostly been there before. The
//! [`Encoder`] looks at a picture in tiles of 64 × 64 pixels, remembers a keyed 64-bit hash of each
//! row of each, and says only the rows that changed, without loss: that they moved from elsewhere,
//! that the viewer remembers them from an earlier page, or their pixels. The [`Decoder`] keeps the
//! picture that results. Neither does any I/O, knows sessions or reads a clock; pacing is the
//! caller's.
//!
//! ```
//! use lotse_codec::{Band, Decoder, Encoder, Limits, Size};
//!
//! let size = Size::new(64, 2);
//! let pixels = [10, 20, 30, 255].repeat(64 * 2); // blue, green, red, nothing
//!
//! let mut encoder = Encoder::new(0x5eed);
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
//! | bytes | field | limits |
//! |---|---|---|
//! | 1 | version of this layout | 4 |
//! | 1 | flags: bit 0 *full*, bit 1 *cure*, bit 2 *photographs*, bit 3 *fresh*, bit 4 *rough* | others 0; not both full and cure, neither without fresh |
//! | 4 | number of the update | from 1, rising; a full update may start anew |
//! | 2, 2 | if full: width and height of the picture, pixels | 1 to 8192; width × height within the receiver's budget |
//! | 4 | if cure: the update that it follows; else, unless full, it follows the one before it | from 1 |
//! | 1 | if rough: the quality of tiles that are told roughly | 1 to 100 |
//! | 1 to 4 | *d*, length of the decisions, LEB128 | in as few bytes as it needs |
//! | rest − *d* | if photographs: their bits, then zeros up to a whole byte | |
//! | *d* | the decisions | |
//!
//! An update can be applied by who has applied the one that it follows, or any later one; a full
//! one by everybody. So who missed some is cured by one that tells the tiles that these held
//! ([`Encoder::resend_after`]), and everyone else can apply that one, too.
//!
//! # Decisions
//!
//! All but the photographs is a sequence of yes-or-no decisions, each coded with the probability
//! that those before it give it, by binary arithmetic coding. What was learnt goes on from update to
//! update, so that a letter is told in a few bytes once it has been seen; a *fresh* update begins
//! anew, as do all that must be readable without those before. `range` has the arithmetic, `grammar` the grammar, `drawn` the pixels; these are the
//! reference, here is what they say.
//!
//! Bands of 64 rows of pixels from the top: is it as it was. Else its tiles from the left: is the tile
//! as it was; else is it one of the 4096 that the viewer remembers, and which; else, in a rough update,
//! is it told roughly; else the origin of
//! its rows, run by run, the same as in the tile to the left or spelt out: *kept*, *drawn*, *moved*
//! from so far away in the picture before this update, or *photograph*. Of drawn rows, parts of 16
//! columns at the left and right of the tile may be kept. The rest is decided on the spot, pixel by pixel from the upper left; pixels to the left and above, of whatever tile,
//! are what they are after this update.
//!
//! A photograph's pixels are the next bits of the photographs, row by row: the difference of green
//! to what the median predictor of JPEG-LS makes of the pixels to the left, above, and above to the
//! left; then those of red and blue, less green's difference; each in a Golomb code whose parameter
//! follows those before it. `photo` has the codes.
//!
//! A tile that is told roughly is told as in JPEG: three planes, of which the two of colour have half the
//! resolution, in blocks of 8 × 8 cosines in steps by the quality; `coarse` has them. To all other tiles
//! its pixels are black where they are neighbours, since who writes does not know them, and it is told
//! as a whole when it is told again.
//!
//! At the end: which of the changed tiles the viewer is to remember as they were before, and from
//! which of the 4096 places on; each goes one place further, and round. A full update empties all
//! places, keeps nothing and moves nothing.

mod bits;
mod coarse;
mod decoder;
mod drawn;
mod encoder;
mod error;
mod geometry;
mod grammar;
mod known;
mod moves;
mod photo;
mod range;
mod wire;

pub use decoder::{Changed, Decoder, Limits};
pub use encoder::{Encoder, Update};
pub use error::{DecodeError, EncodeError};
pub use geometry::{Band, MAX_SIDE, Rect, Size, TILE};
pub use wire::max_update_len;
