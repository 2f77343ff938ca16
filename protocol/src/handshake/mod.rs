//! The exchange that gives a participant the group key, and makes both sides sure of each other.
//!
//! ```text
//! moderator M                         server                        participant P
//!   ModeratorHello { name, asks, levels, H(opening) } ─────────────────────►
//!   ◄──────────────────────────── JoinRequest { name, level, RSA-2048 public key, PAKE share }
//!   CommitmentOpened { opening, PAKE share } ──────────────────────────────►
//!   ◄───────────────────────────────────────────────────── JoinProof { proof of its level }
//!            code compared: both show six digits; the people compare them, each confirms
//!   ModeratorProof { proof of its level } ── at the other levels ──────────►
//!   KeyGrant { RSA-OAEP(secret, group key), AES-GCM(pair key; grant) } ────►
//!   ◄─────────────────────────── first control packet, under the pair key: what was consented
//! ```
//!
//! The server carries these messages and can change them. It gains nothing by it, at any level:
//!
//! * **Code compared.** The digits are made of everything that was said, and the moderator has
//!   bound itself to `opening` before it has seen the participant's key. Whoever swaps a key has to
//!   commit before he knows the digits, and is right once in a million attempts.
//! * **Password.** Both prove to know the session's password, by SPAKE2 bound to session, number,
//!   roles and RSA key, over everything that was said. Whoever is in between can try one password
//!   per run; a run that is not finished has failed, and three end the number.
//! * **Certificate.** Both sign everything that was said, with keys that one operator's root has
//!   certified; see [`crate::certificate`].
//!
//! The levels on offer and the one chosen are part of what is compared, confirmed or signed, so
//! that none can be negotiated away. Whatever fails before the keys looks the same on the wire.
//!
//! One struct per state; a state is consumed by what moves it on, and its secrets die with it.
//!
//! The design follows ZRTP's hash commitment (RFC 6189 §4.4.1.1) and Vaudenay's short
//! authenticated strings (CRYPTO 2005).

mod messages;
pub mod moderator;
pub mod participant;
mod password;
mod rsa_key;
mod transcript;

use std::sync::Arc;

pub use messages::{
    Choice, CommitmentOpened, Declined, Grant, HandshakeMessage, JoinProof, JoinRequest, KeyGrant,
    Level, ModeratorHello, ModeratorProof, Suite,
};
pub use password::{
    InvalidPassword, LINK_CHARACTERS, MAX_PASSWORD_FAILURES, Password, PasswordKind, SPOKEN_DIGITS,
    SessionPasswords,
};
pub use rsa_key::{JoinKey, RSA_BITS};
pub use transcript::{Code, Context, String6};

use crate::certificate::{NotCertified, Pass};

/// The version of the handshake that this code speaks.
pub const VERSION: u8 = 1;

/// Comparisons of codes under one number that may end without the same code, before whoever else
/// types it must be admitted by name. An attempt that shows nobody a code is none.
pub const MAX_ATTEMPTS: u8 = 5;

/// The ways of being sure that a moderator offers.
#[derive(Debug, Clone, Default)]
pub struct Means {
    /// The session's passwords. Without them codes are compared; with them they are not, so that
    /// nobody who knows a number alone gets further.
    pub passwords: Option<Arc<SessionPasswords>>,
    /// The technician's identity.
    pub pass: Option<Arc<Pass>>,
}

/// Why a handshake ends. The other side is told [`Declined::Failed`], whichever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Not a message, not in its only valid form, or not the one that is due.
    #[error("the other side sent something else than the handshake's next message")]
    Unexpected,
    /// Nothing in common: versions, algorithms, levels.
    #[error("the two programs have no version, algorithm or level in common")]
    Incompatible,
    /// The RSA key is not one that a participant makes.
    #[error("the participant's RSA key is not acceptable")]
    PublicKey,
    /// The opening does not fit the commitment.
    #[error("the moderator's commitment does not hold")]
    Commitment,
    /// The other side does not know the password, or somebody changed a message on the way.
    #[error("the passwords differ, or somebody on the way has changed a message")]
    Password,
    /// The other side is not whom the operator has certified.
    #[error("not certified: {0}")]
    NotCertified(NotCertified),
    /// The keys do not open under this transcript: somebody changed a message on the way.
    #[error("the keys do not fit what was said: somebody on the way has changed it")]
    Keys,
    /// The other side gave up.
    #[error("the other side gave up")]
    Declined(Declined),
}

#[cfg(test)]
mod tests;
