//! What can be wrong with a picture or an update.

use crate::Size;

/// Why an update could not be made. Nothing is lost: what changed stays marked as unsent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A side is zero or longer than [`crate::MAX_SIDE`].
    #[error("no picture can be {}×{} pixels", .0.width, .0.height)]
    Size(Size),
    /// A band or the end came before a beginning. A mistake of the caller.
    #[error("no picture was begun")]
    NotBegun,
    /// A band is of another picture size than the one begun: the screen changed its mode
    /// meanwhile. Begin again with the new size.
    #[error("a band of a {}×{} picture in one of {}×{}", band.width, band.height, begun.width, begun.height)]
    OtherSize {
        /// What the band says.
        band: Size,
        /// What was begun.
        begun: Size,
    },
    /// A band starts at another row than the next. A mistake of the caller.
    #[error("a band at row {got} where row {expected} was due")]
    BandOrder {
        /// The row that was due.
        expected: u32,
        /// The row that came.
        got: u32,
    },
    /// A band has another number of rows or bytes than its place in the picture calls for.
    /// A mistake of the caller.
    #[error("a band of {rows} rows and {bytes} bytes does not fit its place")]
    BandLength {
        /// Rows it says it has.
        rows: u32,
        /// Bytes it has.
        bytes: usize,
    },
    /// The first band after some that were passed over has changed, or one of those must be sent: the
    /// picture must be read as a whole.
    #[error("the rows above {y} must be read, too")]
    Unread {
        /// The row.
        y: u32,
    },
    /// The picture ended before its last row.
    #[error("the picture ended after {rows} of {height} rows")]
    Incomplete {
        /// Rows that came.
        rows: u32,
        /// Rows that should have come.
        height: u32,
    },
}

/// Why an update was not applied. The picture is as it was before.
///
/// [`DecodeError::OutOfOrder`], [`DecodeError::Missing`] and [`DecodeError::NoPicture`] are cured by a full update; all
/// others mean that the peer's encoder is broken or hostile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// It ends too early.
    #[error("the update ends too early")]
    Truncated,
    /// Its layout has a version that this decoder does not know.
    #[error("unknown layout {0}")]
    Version(u8),
    /// A flag is set that has no meaning.
    #[error("unknown flags {0:#04x}")]
    Flags(u8),
    /// A side is zero or longer than [`crate::MAX_SIDE`].
    #[error("no picture can be {}×{} pixels", .0.width, .0.height)]
    Size(Size),
    /// The picture is larger than [`crate::Limits::max_pixels`] allows.
    #[error("a picture of {pixels} pixels is beyond the limit of {limit}")]
    TooLarge {
        /// What it has.
        pixels: u64,
        /// What is allowed.
        limit: u64,
    },
    /// Updates are counted from 1.
    #[error("update number 0")]
    NumberZero,
    /// It is not newer than what was applied last.
    #[error("update {number} came after update {last}")]
    OutOfOrder {
        /// Its number.
        number: u32,
        /// The last one applied.
        last: u32,
    },
    /// It follows an update that never came: parts of the picture are old.
    #[error("it follows update {base}, the last one was {last}")]
    Missing {
        /// The one it follows.
        base: u32,
        /// The last one applied.
        last: u32,
    },
    /// It claims to follow an update that cannot be.
    #[error("update {number} cannot follow update {base}")]
    Base {
        /// Its number.
        number: u32,
        /// What it claims to follow.
        base: u32,
    },
    /// It refers to a picture that is not there; only a full update can begin one.
    #[error("no picture to change")]
    NoPicture,
    /// It claims to be full and is not.
    #[error("a full update with {tiles} of {of} tiles")]
    NotFull {
        /// Tiles in it.
        tiles: u32,
        /// Tiles of the picture.
        of: u32,
    },
    /// It has no tiles.
    #[error("an update without tiles")]
    Empty,
    /// Something moved in from outside the picture.
    #[error("pixels from outside the picture")]
    TileOutside,
    /// A tile has more rows than it can have.
    #[error("more rows than the tile has")]
    Rows,
    /// A tile is asked for that is not remembered, or too many are to be.
    #[error("no tile is remembered at {0}")]
    Place(u32),
    /// No tile can be told so roughly, or so finely.
    #[error("unknown quality {0}")]
    Quality(u8),
    /// Bytes are missing or left over.
    #[error("the parts of the update do not have the lengths that they must have")]
    Length,
}
