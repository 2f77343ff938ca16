//! Reaching a session server and keeping the link: the part that console and agent share.
//!
//! * [`connect()`] finds the server, checks that it is the right one, and says hello.
//! * [`Connection`] is the link from then on: one event source for a `tokio::select!`, and
//!   queues that never block and never grow beyond their limits.
//! * [`SessionLink`] is a link that comes back by itself while its session goes on;
//!   [`reconnect()`] is how.
//! * [`Backoff`] says how long to wait before trying again without a session.
//!
//! It needs a tokio runtime with IO and time enabled; one thread is enough.
//!
//! ```no_run
//! use lotse_client::{ConnectOptions, Incoming, connect};
//! use lotse_protocol::tunnel::Asked;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let address = "support.example.com".parse()?;
//! let options = ConnectOptions::new("example 0.1.0");
//! let mut connection = connect(&address, &options).await?;
//! connection.request(Asked::Open)?;
//! loop {
//!     tokio::select! {
//!         incoming = connection.next() => match incoming {
//!             Incoming::Reply(reply) => println!("{:?}", reply.answer),
//!             Incoming::Lost(why) => break println!("{why}"),
//!             _ => {}
//!         },
//!         // … the program's other sources of events
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod backoff;
mod connect;
mod connection;
mod error;
mod reconnect;
mod session_link;
pub mod tls;

pub use backoff::Backoff;
pub use connect::{ConnectOptions, connect};
pub use connection::{Connection, Incoming, LaneLimits, SendError};
pub use error::ConnectError;
pub use reconnect::reconnect;
pub use session_link::SessionLink;
