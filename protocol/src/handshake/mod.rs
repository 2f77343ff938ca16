//! The exchange that gives a participant the group key, and both people the same six digits.
//!
//! ```text
//! moderator M                         server                        participant P
//!   ModeratorHello { name, asks, H(opening) } ─────────────────────────────►
//!   ◄──────────────────────────────────────────── JoinRequest { name, RSA-2048 public key }
//!   CommitmentOpened { opening } ──────────────────────────────────────────►
//!   ◄───────────────────────────────────────────────────── JoinProof { proof of its level }
//!            both show six digits; the people compare them, each confirms
//!   KeyGrant { RSA-OAEP(secret, group key), AES-GCM(pair key; grant) } ────►
//!   ◄─────────────────────────── first control packet, under the pair key: what was consented
//! ```
//!
//! The server carries these messages and can change them. It gains nothing by it: the digits are
//! made of everything that was said, and the moderator has bound itself to `opening` before it
//! has seen the participant's key. Whoever swaps a key has to commit before he knows the digits,
//! and is right once in a million attempts; a session allows [`MAX_ATTEMPTS`].
//!
//! One struct per state; a state is consumed by what moves it on, and its secrets die with it.
//!
//! The design follows ZRTP's hash commitment (RFC 6189 §4.4.1.1) and Vaudenay's short
//! authenticated strings (CRYPTO 2005).

pub mod moderator;
pub mod participant;
mod rsa_key;

use heapless::Vec;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub use rsa_key::{JoinKey, RSA_BITS};

use crate::message::{Name, Rights, Role};
use crate::tunnel::SessionId;
use crate::{MemberId, SessionNumber};

/// The version of the handshake that this code speaks.
pub const VERSION: u8 = 1;

/// Handshakes by code comparison that one session allows, so that nobody can try his luck often.
pub const MAX_ATTEMPTS: u8 = 5;

/// A set of algorithms. Unknown ones are an error, never a reason to do with less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Suite {
    /// RSA-2048-OAEP-SHA-256, HKDF-SHA-256, AES-256-GCM.
    RsaOaepAes256Gcm,
}

/// How sure both sides are of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Level {
    /// The people have compared six digits.
    CodeCompared,
}

/// M to P, first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeratorHello {
    /// Handshake versions, best first.
    pub versions: Vec<u8, 4>,
    /// Algorithms, best first.
    pub suites: Vec<Suite, 4>,
    /// Ways of being sure that the moderator can take part in, best first.
    pub levels: Vec<Level, 4>,
    /// What the technician calls himself. Nobody has checked it.
    pub name: Name,
    /// Rights that are asked for.
    pub asks: Rights,
    /// SHA-256 of a label and the opening.
    pub commitment: [u8; 32],
}

/// P to M.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequest {
    /// The version chosen.
    pub version: u8,
    /// The algorithms chosen.
    pub suite: Suite,
    /// The way of being sure chosen.
    pub level: Level,
    /// What the participant wants to be in the session.
    pub role: Role,
    /// What the participant calls itself. Nobody has checked it.
    pub name: Name,
    /// RSA public key, SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7).
    pub public_key: Vec<u8, 320>,
}

/// M to P: what [`ModeratorHello::commitment`] was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitmentOpened {
    /// 256 random bits.
    pub opening: [u8; 32],
}

/// P to M: what the level asks of the participant before any key leaves the moderator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum JoinProof {
    /// Nothing but that it goes on: people compare.
    CodeCompared,
}

/// M to P: the keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyGrant {
    /// RSA-OAEP-SHA-256 of 32 random bytes for the pair key, then the 32 bytes of the group key.
    /// The OAEP label is the transcript.
    pub wrapped: Vec<u8, 256>,
    /// [`Grant`], AES-256-GCM under a key from the pair key; the transcript is associated data.
    pub sealed: Vec<u8, 64>,
}

/// What the moderator tells the participant along with the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Who the participant is; must be what the server said.
    pub member: MemberId,
    /// The participant's join instance.
    pub instance: u16,
    /// The moderator's instance.
    pub moderator_instance: u16,
    /// Epoch of the group key.
    pub epoch: u16,
}

/// A handshake message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum HandshakeMessage {
    /// See [`ModeratorHello`].
    ModeratorHello(ModeratorHello),
    /// See [`JoinRequest`].
    JoinRequest(JoinRequest),
    /// See [`CommitmentOpened`].
    CommitmentOpened(CommitmentOpened),
    /// See [`JoinProof`].
    JoinProof(JoinProof),
    /// See [`KeyGrant`].
    KeyGrant(KeyGrant),
    /// Either side gives up.
    Declined(Declined),
}

/// Why a handshake is given up. Nothing vouches for this, so that it only explains, never decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Declined {
    /// The person at the device said no.
    Refused,
    /// Nobody at the device answered.
    TimedOut,
    /// The device cannot show its question.
    CannotAsk,
    /// The moderator is busy with another participant, or has had too many attempts.
    Busy,
    /// Anything that went wrong with the exchange itself.
    Failed,
}

/// Why a handshake ends. The other side is told [`Declined::Failed`], whichever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Not a message, not in its only valid form, or not the one that is due.
    #[error("the other side sent something else than the handshake's next message")]
    Unexpected,
    /// Nothing in common: versions, algorithms, levels.
    #[error("the two programs have no version or algorithm in common")]
    Incompatible,
    /// The RSA key is not one that a participant makes.
    #[error("the participant's RSA key is not acceptable")]
    PublicKey,
    /// The opening does not fit the commitment.
    #[error("the moderator's commitment does not hold")]
    Commitment,
    /// The keys do not open under this transcript: somebody changed a message on the way.
    #[error("the keys do not fit what was said: somebody on the way has changed it")]
    Keys,
    /// The other side gave up.
    #[error("the other side gave up")]
    Declined(Declined),
}

impl HandshakeMessage {
    /// Its bytes.
    pub fn encode(&self) -> std::vec::Vec<u8> {
        crate::message::encode(self)
    }

    /// The message in some bytes.
    ///
    /// # Errors
    /// [`HandshakeError::Unexpected`] unless they are exactly what [`Self::encode`] gives.
    pub fn decode(bytes: &[u8]) -> Result<Self, HandshakeError> {
        let message: Self = decode_strict(bytes).ok_or(HandshakeError::Unexpected)?;
        if message.encode() == bytes { Ok(message) } else { Err(HandshakeError::Unexpected) }
    }
}

fn decode_strict<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    crate::message::decode(bytes).ok()
}

/// What both sides know before the first message; the transcript starts with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The session's identity as the server told it.
    pub session: SessionId,
    /// The number that was read out and typed.
    pub number: SessionNumber,
    /// The participant as the server told it.
    pub participant: MemberId,
}

/// A hash over everything that was said so far.
#[derive(Clone)]
struct Transcript(Sha256);

impl Transcript {
    fn new(context: &Context) -> Self {
        let mut hash = Sha256::new_with_prefix(b"lotse/1 handshake");
        hash.update(context.session.0);
        hash.update(u32::from(context.number).to_be_bytes());
        hash.update(context.participant.0.to_be_bytes());
        Self(hash)
    }

    fn add(&mut self, message: &[u8]) {
        // A message is far shorter than 4 GiB.
        self.0.update(u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.update(message);
    }

    fn hash(&self) -> [u8; 32] {
        self.0.clone().finalize().into()
    }

    /// The code that people compare, of what was said until the commitment was opened.
    fn code(&self) -> Code {
        let mut hash = Sha256::new_with_prefix(b"lotse/1 code");
        hash.update(self.hash());
        let digest: [u8; 32] = hash.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        // 64 bits to six digits: no digit is more likely than another by more than 2^-44.
        let value = u64::from_be_bytes([a, b, c, d, e, f, g, h]) % 1_000_000;
        Code(u32::try_from(value).unwrap_or(0))
    }
}

fn commitment(opening: &[u8; 32]) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"lotse/1 commitment");
    hash.update(opening);
    hash.finalize().into()
}

fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Six digits that are the same on both sides unless somebody is in between.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code(u32);

impl Code {
    /// As a number below one million; leading zeros count.
    pub fn value(self) -> u32 {
        self.0
    }

    /// The six digits without a space.
    pub fn digits(self) -> String6 {
        let mut text = String6::new();
        // Six digits fit into six bytes.
        std::fmt::Write::write_fmt(&mut text, format_args!("{:06}", self.0)).ok();
        text
    }
}

/// Room for six digits.
pub type String6 = heapless::String<6>;

impl std::fmt::Display for Code {
    /// In two groups, as people read it out: `123 456`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:03} {:03}", self.0 / 1000, self.0 % 1000)
    }
}

impl std::fmt::Debug for Code {
    /// Not the digits: they do not belong into logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(..)")
    }
}

#[cfg(test)]
mod tests;
