//! Keys: from the window's numbers to those of the panel, and their names.
//!
//! A key is known by its place on the keyboard, not by what is printed on it; the panel's own
//! layout decides what it means there. The number is that of `linux/input-event-codes.h`.

mod combo;
mod table;

pub use combo::{Combo, MAX_COMBO_KEYS, MENU, UnknownKey};
pub use table::{by_name, from_winit, name_of};
