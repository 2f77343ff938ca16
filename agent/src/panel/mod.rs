//! What the person at the machine sees and touches.
//!
//! [`PanelUi`] is a state machine without input or output of its own: it takes what the person
//! does with physical devices, what is to be shown and the time, and gives what they decided.
//! It is also a painter, which [`lotse_hal::Panel`] asks for its pixels strip by strip.
//!
//! # Rules
//! * Refusing is the default, for fingers, keyboard and time alike.
//! * Rights can be taken out of a question one by one before it is accepted.
//! * Accepting is possible [`ARM_DELAY`] after the question was first seen intact on the screen,
//!   with a press that begins after that and ends on the same button.
//! * No text from the network is shown except names, made harmless by [`Name`] and framed as
//!   names.
//! * Nothing depends on colour alone; every text has a contrast of at least 7:1.

mod arrow;
mod layout;
mod letters;
mod name;
mod paint;
mod scene;
#[cfg(test)]
mod tests;
mod texts;
mod theme;
mod ui;
mod view;

use lotse_hal::Size;
use serde::Serialize;

pub use arrow::Arrow;
pub use name::{MAX_LETTERS, Name};
pub use scene::Button;
pub use texts::Language;
pub use ui::{ARM_DELAY, ENTRY_TIME, MESSAGE_TIME, PASSWORD_TIME, PanelOutput, PanelUi};
pub use view::{
    Ask, Coming, Connected, Ended, Level, Message, NUMBER_DIGITS, PASSWORD_DIGITS, Right, RightSet,
    View, Work,
};

/// Where the panel's buttons are, for programs that press them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PanelLayout {
    /// Width of the panel in pixels.
    pub width: u32,
    /// Height of the panel in pixels.
    pub height: u32,
    /// The part of the panel that is covered; `null` if none is.
    pub area: Option<NamedPlace>,
    /// What can be pressed.
    pub buttons: Vec<NamedPlace>,
}

/// A rectangle with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedPlace {
    /// As in [`Button::name`].
    pub name: String,
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Whether it is drawn as a button; otherwise it is touched on what is drawn there.
    pub has_edge: bool,
}

impl NamedPlace {
    fn new(name: &str, place: lotse_hal::Rect, has_edge: bool) -> Self {
        let lotse_hal::Rect { x, y, width, height } = place;
        Self { name: name.to_owned(), x, y, width, height, has_edge }
    }
}

/// Where everything is that can be pressed, on a panel of a size that shows a view.
/// `density` is how many pixels a millimetre has, where that is known.
pub fn layout(size: Size, density: Option<f32>, view: &View) -> PanelLayout {
    layout_of(size, density, view, false)
}

/// The same while the person chooses what to allow.
pub fn choosing_layout(size: Size, density: Option<f32>, ask: &Ask) -> PanelLayout {
    layout_of(size, density, &View::Asking(ask.clone()), true)
}

fn layout_of(size: Size, density: Option<f32>, view: &View, is_choosing: bool) -> PanelLayout {
    let shown = layout::Shown {
        size,
        density,
        view,
        texts: Language::default().texts(),
        entry: "",
        pressed: None,
        selected: None,
        is_armed: false,
        seconds_left: 0,
        ticked: match view {
            View::Asking(ask) => ask.ticked,
            _ => RightSet::NONE,
        },
        is_choosing,
    };
    let scene = layout::scene(&shown);
    let buttons = scene.iter().flat_map(|scene| {
        let has_edge = |button| !scene.regions.contains(button);
        scene
            .buttons
            .iter()
            .map(move |(button, at)| NamedPlace::new(&button.name(), *at, has_edge(button)))
    });
    PanelLayout {
        width: size.width,
        height: size.height,
        area: scene.as_ref().map(|scene| NamedPlace::new("area", scene.area, true)),
        buttons: buttons.collect(),
    }
}
