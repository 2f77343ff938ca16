//! What Lotse's programs say to each other, without saying it: bytes to packets to messages and
//! back, the handshake, the keys, and the state machines of a link and of a session.
//!
//! Nothing in here opens a socket or a file, looks at a clock, or draws randomness of its own:
//! bytes, instants and random generators come in as arguments, and what must leave comes out of
//! `poll_output` methods. So every run can be repeated from a seed.
//!
//! # Layers
//! | layer | module | readable by the server |
//! |---|---|---|
//! | link frames, hop by hop inside TLS | [`frame`], [`link`] | yes |
//! | requests to the server itself | [`tunnel`] | yes |
//! | packets between members | [`header`], [`packet`] | the header only |
//! | handshake that gives a participant the group key | [`handshake`] | yes, and it gains nothing |
//! | certificates of an operator, for the handshake | [`certificate`] | yes, and it gains nothing |
//! | messages | [`message`] | no |
//! | who may do what, and when | [`session`] | no |
//!
//! `docs/protocol.md` describes every byte.

pub mod address;
pub mod certificate;
pub mod frame;
pub mod handshake;
pub mod header;
pub mod keys;
pub mod link;
pub mod message;
pub mod number;
pub mod packet;
pub mod session;
pub mod tunnel;

pub use address::ServerAddress;
pub use header::{Class, Header, MemberId};
pub use number::SessionNumber;
