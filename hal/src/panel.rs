//! Showing something to the person at the machine.

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
