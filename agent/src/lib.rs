//! The program on the kiosk.
//!
//! One binary, two processes: [`machine`] is privileged, reads the screen, asks the person and
//! injects input, and never touches the network; [`network`] has no privileges and talks to the
//! server. Where a terminal is set up there is a third, [`programs`], which starts it. They meet at a [`local_socket`] and speak [`ipc`]; each is confined to what it needs
//! by [`privileges`] and [`sandbox`]. Both are services of their own, or children of a
//! [`supervisor`] where nothing else looks after services.

pub mod cli;
pub mod config;
pub mod doctor;
pub mod files;
pub mod ipc;
pub mod local_socket;
pub mod machine;
pub mod network;
pub mod outline;
pub mod panel;
pub mod privileges;
pub mod probe;
pub mod programs;
pub mod sandbox;
pub mod supervisor;
