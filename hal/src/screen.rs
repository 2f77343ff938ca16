//! Reading what a screen shows.

use std::ops::Range;
use std::os::fd::BorrowedFd;

use crate::{Cursor, Error, Orientation, Rect, Size};

/// Rows in one [`Band`], except the last of a picture, which may have fewer.
///
/// As high as the codec's tiles, so that a tile is always whole within one band.
pub const BAND_ROWS: u32 = 64;

/// Which screen is being read, for people and logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenInfo {
    /// How it is read and by which driver, as in `drm:virtio_gpu` or `fbdev:VESA VGA`.
    pub source: String,
    /// The connector or device, as in `Virtual-1` or `/dev/fb0`.
    pub name: String,
    /// What was last seen of its size, upright.
    pub size: Size,
    /// How it is mounted: what makes its native picture upright.
    pub mounting: Orientation,
    /// Width and height of the display, upright, as it says itself; `None` if it does not, or
    /// says what cannot be.
    pub millimetres: Option<Size>,
    /// Parts that other hardware covers, most often with a video; their content is not in the
    /// picture. What was last seen of them, upright.
    pub covered: Vec<Rect>,
}

/// One of several screens that a machine has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// By which it is asked for: [`Screen::switch_to`].
    pub name: String,
    /// Whether it is the one that is read now.
    pub is_read: bool,
}

/// What is known of changes since a screen was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Certainly none.
    None,
    /// Only reading tells.
    Maybe,
    /// Its owner has shown another buffer, or said that it drew: reading is worth it.
    Told,
    /// Its owner has drawn in these rows, and nowhere else.
    ToldWithin(Rows),
}

/// Some rows of a picture, one below the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    /// The first.
    pub from: u32,
    /// That below the last.
    pub to: u32,
}

impl Rows {
    /// As many as there are.
    pub const ALL: Self = Self { from: 0, to: u32::MAX };

    /// These, those, and all between them.
    pub fn and(self, other: Self) -> Self {
        Self { from: self.from.min(other.from), to: self.to.max(other.to) }
    }
}

impl From<Range<u32>> for Rows {
    fn from(rows: Range<u32>) -> Self {
        Self { from: rows.start, to: rows.end }
    }
}

/// What a screen is doing now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScreenState {
    /// It shows a picture of this size.
    Shown {
        /// Size of the picture.
        size: Size,
        /// What is known of changes since the last [`Screen::read`].
        change: Change,
    },
    /// It shows nothing: blanked, unplugged, or another console is in front.
    Off,
}

/// Some whole rows of a picture, which is upright for the person in front of the screen.
///
/// `pixels` holds `rows × width` pixels of four bytes, blue, green, red, and one that means
/// nothing (always 0xff); no padding between rows. Bands come in order from the top.
#[derive(Debug, Clone, Copy)]
pub struct Band<'a> {
    /// Size of the whole picture.
    pub size: Size,
    /// First row of this band, a multiple of [`BAND_ROWS`].
    pub y: u32,
    /// How many rows, [`BAND_ROWS`] or what is left.
    pub rows: u32,
    /// The pixels, `rows × size.width × 4` bytes.
    pub pixels: &'a [u8],
}

/// Reads the picture of one screen.
pub trait Screen: Send {
    /// Which screen this is.
    fn info(&self) -> ScreenInfo;

    /// The screens that could be read instead, this one among them; none where there is no
    /// choice.
    fn outputs(&mut self) -> Vec<Output> {
        Vec::new()
    }

    /// Reads another of [`Screen::outputs`] from now on, or with `None` the one that was meant at
    /// the beginning; if it cannot be read, all stays as it was.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Unsupported`] if there is none of that name, or why it cannot be read.
    fn switch_to(&mut self, name: Option<&str>) -> Result<(), Error> {
        match name {
            Some(name) => Err(Error::Unsupported(format!("there is no other screen {name:?}"))),
            None => Ok(()),
        }
    }

    /// Wakes the display if it sleeps, as far as that can be done without pressing anything.
    fn wake(&mut self) {}

    /// Looks at what the screen is doing, cheaply: no pixel is read.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Gone`] when the screen must be looked for again.
    fn poll(&mut self) -> Result<ScreenState, Error>;

    /// What becomes readable when the owner of the screen tells of a change, so that [`Screen::poll`]
    /// need not be called to learn of it; none where nobody tells, or not at once.
    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// The pointer's picture, where it is shown beside what [`Screen::read`] reads; none if there
    /// is none, or it is in that picture already.
    ///
    /// # Errors
    /// As for [`Screen::poll`].
    fn cursor(&mut self) -> Result<Option<Cursor>, Error> {
        Ok(None)
    }

    /// Visits single rows of the picture as they are now, in the order of `rows`, each with its number and
    /// its pixels as in a [`Band`]: where reading is the only way to learn of changes, some rows are a
    /// cheap one to learn of most. Rows beyond the picture are passed over.
    ///
    /// Whether it did; a screen whose rows do not lie one after the other in memory has no cheap way.
    ///
    /// # Errors
    /// As for [`Screen::poll`].
    fn glance(
        &mut self,
        rows: &mut dyn Iterator<Item = u32>,
        visit: &mut dyn FnMut(u32, &[u8]),
    ) -> Result<bool, Error> {
        let _ = (rows, visit);
        Ok(false)
    }

    /// Reads only the bands in which some of these rows lie, of the picture that was read last and is
    /// still shown: what changed elsewhere is not looked at, and not forgotten either. More bands may be
    /// read than were asked for, but none is left out between two that are.
    ///
    /// Whether it did; otherwise nothing was visited, and the whole must be read.
    ///
    /// # Errors
    /// As for [`Screen::poll`]. Bands already visited are valid.
    fn read_part(&mut self, rows: Rows, visit: &mut dyn FnMut(Band<'_>)) -> Result<bool, Error> {
        let _ = (rows, visit);
        Ok(false)
    }

    /// Reads the whole picture once, from the top, a band at a time.
    ///
    /// Every byte of video memory is read at most once. The owner may draw meanwhile, so that a
    /// picture can be torn; the next pass mends it. All bands of one call have the same `size`.
    ///
    /// # Errors
    /// As for [`Screen::poll`]. Bands already visited are valid.
    fn read(&mut self, visit: &mut dyn FnMut(Band<'_>)) -> Result<(), Error>;
}
