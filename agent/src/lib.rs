//! The program on the kiosk.

pub mod panel;
