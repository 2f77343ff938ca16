//! The moderator's desktop program and command line.
//!
//! A technician opens a session, reads its number out, compares a code with the person at the
//! panel, and then sees and steers that panel.
//!
//! # Map
//! | module | what lives there |
//! |---|---|
//! | [`model`] | state, commands and events of a session; no window, no socket |
//! | [`keys`] | keys of the window → keys of the panel, combinations, names |
//! | [`words`] | every text, in every language |
//! | [`ui`] | the screens, as functions from the model to commands |
//! | [`render`] | draws the screens into memory, for the window and for files |
//!
//! Window and command line share everything but where input comes from and where pixels go.

pub mod keys;
pub mod model;
pub mod render;
pub mod ui;
pub mod words;
