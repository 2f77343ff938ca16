//! The session server: gives out session numbers and passes packets between members, blindly.
//!
//! It knows who is in which session and reads the header of every packet; it never has a key.
//! One binary, one port; the protocol name of the TLS handshake decides what is spoken on a
//! connection.
//!
//! | module | what it does | I/O |
//! |---|---|---|
//! | [`config`] | everything that can be set | reads one file |
//! | [`tls`] | certificate, TLS, which service a connection wants | reads and writes one file |
//! | `listener` | accepts connections, within limits; stops | sockets |
//! | `connection` | one client | a socket |
//! | `relay` | who may do what, and where packets go | none |
//! | `outlet` | the frames for one client, shared by all who send to it | none |
//! | [`directory`] | session numbers and their lives | none |
//! | [`roster`] | the members of one session | none |
//! | [`resume`] | the tokens by which lost members come back, over a restart, too | one file |
//! | [`queue`] | bounded queues by urgency; whole pictures are dropped | none |
//! | [`limits`] | rates and counts by source | none |

pub mod config;
mod connection;
pub mod directory;
pub mod limits;
mod listener;
mod outlet;
mod private_file;
pub mod queue;
mod relay;
pub mod resume;
pub mod roster;
#[cfg(feature = "test-util")]
pub mod testing;
pub mod tls;

pub use config::Config;
pub use listener::{Server, address};

/// Lets the process open as many files as the system allows it: each connection is one.
pub fn raise_file_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files cannot be raised");
    }
}

/// Name and version, as clients are told.
pub const PROGRAM: &str = concat!("lotse-server ", env!("CARGO_PKG_VERSION"));
