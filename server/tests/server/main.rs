//! The server over real TLS connections on this machine, with the real client or raw frames.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "all of this is a test, its helpers, too"
)]

mod abuse;
mod harness;
mod process;
mod resume;
mod session_link;
mod sessions;
