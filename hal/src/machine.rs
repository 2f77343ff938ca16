//! All that a program needs of one machine, in one piece.

use crate::{Held, LocalInput, Marks, Panel, Screen};

/// A machine: its screen, the input injected into it, its people's own input, and the panel.
///
/// Made by `linux::open` for a real machine and by `simulated` for one without hardware; who
/// holds one cannot tell which it is.
pub struct Machine {
    /// The screen that is read for the technician.
    pub screen: Box<dyn Screen>,
    /// What the technician does, injected.
    pub input: Held,
    /// What the person at the machine does, on physical devices only.
    pub local: Box<dyn LocalInput>,
    /// Where Lotse shows its own picture to the person at the machine.
    pub panel: Box<dyn Panel>,
    /// Where those point who look on from afar.
    pub marks: Box<dyn Marks>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine")
            .field("screen", &self.screen.info())
            .field("input", &self.input)
            .field("panel", &self.panel.describe())
            .finish_non_exhaustive()
    }
}
