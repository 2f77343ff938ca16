//! The real programs against each other: server, agent on a simulated kiosk, console.
//!
//! One file per kind of scenario. What the person at the kiosk sees is compared pixel for pixel
//! with what a twin of the kiosk, here in the test, shows after the same was done to it
//! ([`harness::Twin`]). Every wait has a deadline; when a test fails, each program's output is
//! printed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "all of this is a test, its helpers, too"
)]

mod harness;

mod answers;
mod arrows;
mod continuity;
mod faults;
mod files;
mod garbage;
mod levels;
mod members;
mod network_cut;
mod numbers;
mod privileges;
mod restart;
mod rights;
mod session;
mod swapped_key;
mod terminal;
mod traffic;
