//! Marks: small pictures above whatever is shown, by the ways of the panel's sign.
//!
//! Each has a place of its own: a surface of a compositor's overlay layer, a window of an X server
//! that lets everything through, or pixels of the frame buffer. A compositor without layers has
//! none to offer, and a frame buffer below one is not seen. The application that shows the panel
//! itself is not asked to show marks: they are drawn over it.

use super::fbdev::FbdevPanel;
use super::{ChosenPanel, PanelChoice, PanelConfig};
use crate::linux::wayland::panel::WaylandPanel;
use crate::linux::x11::panel::X11Panel;
use crate::{Error, Mark, Marks, Panel as _, Size};

/// Marks that are shown at a time.
pub(crate) const MAX_MARKS: usize = 4;

/// Marks by the first way that is seen to work.
#[derive(Debug)]
pub(crate) struct ChosenMarks {
    places: Vec<ChosenPanel>,
}

impl ChosenMarks {
    /// Shows nothing yet.
    pub(crate) fn new(config: &PanelConfig) -> Self {
        let place = |index| {
            let mounting = || config.mounting.clone();
            let (mut socket, mut display) = (None, None);
            let [mut wayland, mut x11] = [true; 2];
            match &config.choice {
                PanelChoice::Auto => {}
                PanelChoice::Wayland { socket: named } => (socket, x11) = (named.clone(), false),
                PanelChoice::X11 { display: named } => (display, wayland) = (*named, false),
                PanelChoice::Overlay | PanelChoice::FrameBuffer => [wayland, x11] = [false; 2],
            }
            let mut ways: Vec<(&'static str, Box<dyn crate::Panel>)> = Vec::new();
            if wayland {
                ways.push(("wayland", Box::new(WaylandPanel::mark(socket, mounting()))));
            }
            if x11 {
                ways.push(("x11", Box::new(X11Panel::mark(display, mounting()))));
            }
            ways.push(("fbdev", Box::new(FbdevPanel::mark(config.clone(), index))));
            ChosenPanel::of_mark(ways)
        };
        Self { places: (0..MAX_MARKS).map(place).collect() }
    }
}

impl Marks for ChosenMarks {
    fn size(&mut self) -> Result<Size, Error> {
        let none = || Error::Unsupported("no marks are shown here".to_owned());
        self.places.first_mut().ok_or_else(none)?.size()
    }

    fn show(&mut self, marks: &[Mark<'_>]) -> Result<(), Error> {
        let mut outcome = Ok(());
        for (index, place) in self.places.iter_mut().enumerate().rev() {
            // Those that are drawn into the picture lie upon each other.
            if index >= marks.len() || place.is_drawn() {
                outcome = outcome.and(place.hide());
            }
        }
        for (mark, place) in marks.iter().zip(&mut self.places) {
            outcome = outcome.and_then(|()| place.show(mark.area, mark.painter));
        }
        if outcome.is_err() {
            for place in self.places.iter_mut().rev() {
                place.hide().ok();
            }
        }
        outcome
    }

    fn keep(&mut self) -> Result<(), Error> {
        self.places.iter_mut().try_for_each(|place| place.keep())
    }
}
