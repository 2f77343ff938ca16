//! Showing something to the person at the machine: a panel to answer, and marks to look at.

use crate::{Error, Rect, Size};

/// Some whole rows of the area that is being painted, in the panel's upright orientation.
///
/// `pixels` holds `area.height × area.width` pixels of four bytes: blue, green, red, 0xff.
/// A painter draws as if it had the whole panel and lets everything outside `area` fall away;
/// so no program ever needs memory for a whole picture.
#[derive(Debug)]
pub struct Strip<'a> {
    /// The panel's size.
    pub panel: Size,
    /// The part of the panel that `pixels` are.
    pub area: Rect,
    /// The pixels, row by row without padding.
    pub pixels: &'a mut [u8],
}

/// Something that can draw itself. Painting the same state twice gives the same pixels.
pub trait Paint {
    /// Draws the part of the picture that the strip covers.
    fn paint(&self, strip: &mut Strip<'_>);
}

/// A place on the machine where Lotse can show a picture, above whatever runs there.
pub trait Panel: Send {
    /// How it is shown, for people and logs, as in `fbdev:/dev/fb0 on a terminal of its own`.
    fn describe(&self) -> String;

    /// The panel's size now.
    ///
    /// # Errors
    /// When the machine has no screen.
    fn size(&mut self) -> Result<Size, Error>;

    /// Shows the part `area` of the painter's picture, and keeps it there until [`Panel::hide`].
    /// With `area` the whole panel, nothing else is seen.
    ///
    /// # Errors
    /// When it cannot be shown.
    fn show(&mut self, area: Rect, painter: &dyn Paint) -> Result<(), Error>;

    /// Reads back what is on the screen and compares: whether `area` still shows the painter's
    /// picture, pixel for pixel (to the depth that the screen has).
    ///
    /// # Errors
    /// When the screen cannot be read back; then nothing may be assumed.
    fn verify(&mut self, area: Rect, painter: &dyn Paint) -> Result<bool, Error>;

    /// Brings what is shown to the front again, if something has come above it; what was painted is
    /// not painted again. Cheap enough to be called twice a second.
    ///
    /// # Errors
    /// When it cannot be known; showing it again may help.
    fn keep(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Gives the screen back as it was.
    ///
    /// # Errors
    /// When that does not work; the machine's own picture may be missing parts.
    fn hide(&mut self) -> Result<(), Error>;
}

/// A small picture above whatever the machine shows.
#[derive(Clone, Copy)]
pub struct Mark<'a> {
    /// Where it is, upright, within the screen.
    pub area: Rect,
    /// What it looks like. Pixels that the painter does not set (their fourth byte stays 0) are not
    /// covered.
    pub painter: &'a dyn Paint,
}

impl std::fmt::Debug for Mark<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mark").field("area", &self.area).finish_non_exhaustive()
    }
}

/// Small pictures above whatever the machine shows: they take no touch and no key, and what is
/// below them goes on.
pub trait Marks: Send {
    /// The screen's size now.
    ///
    /// # Errors
    /// When there is no screen.
    fn size(&mut self) -> Result<Size, Error>;

    /// Shows these and no others, later ones above earlier ones; none gives the screen back as it
    /// was.
    ///
    /// # Errors
    /// When they cannot be shown; then none is.
    fn show(&mut self, marks: &[Mark<'_>]) -> Result<(), Error>;

    /// As [`Panel::keep`].
    ///
    /// # Errors
    /// When something was drawn over them, or it cannot be known; showing them again may help.
    fn keep(&mut self) -> Result<(), Error>;
}
