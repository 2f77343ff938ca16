//! The program on the kiosk.
//!
//! One binary, two processes: [`machine`] is privileged, reads the screen, asks the person and
//! injects input, and never touches the network; [`network`] has no privileges and talks to the
//! server. They speak [`ipc`].

pub mod cli;
pub mod config;
pub mod ipc;
pub mod machine;
pub mod network;
pub mod panel;
pub mod privileges;
