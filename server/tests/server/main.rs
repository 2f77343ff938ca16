//! The server over real TLS connections on this machine, with the real client or raw frames.

mod abuse;
mod harness;
mod process;
mod sessions;
