//! What is said in a handshake, byte by byte.

use heapless::Vec;
use serde::{Deserialize, Serialize};

use super::HandshakeError;
use super::password::PasswordKind;
use crate::MemberId;
use crate::certificate::{CertifiedDevice, CertifiedTechnician, PublicKey};
use crate::message::{Name, Rights, Role};

/// A set of algorithms. Unknown ones are an error, never a reason to do with less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Suite {
    /// RSA-2048-OAEP-SHA-256, HKDF-SHA-256, AES-256-GCM; SPAKE2 on Edwards25519 with SHA-256 for
    /// passwords; Ed25519 for certificates.
    RsaOaepAes256Gcm,
}

/// How sure both sides are of each other. What is greater is surer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Level {
    /// The people have compared six digits.
    CodeCompared,
    /// Both sides have proved to know the session's password.
    Password,
    /// Both sides have proved to be whom the same operator has certified.
    Certificate,
}

impl Level {
    /// The word for logs, settings and scripts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::CodeCompared => "code-compared",
            Self::Password => "password",
            Self::Certificate => "certificate",
        }
    }
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
    /// Whose certificate the moderator has, if [`Level::Certificate`] is among them.
    pub operator: Option<PublicKey>,
    /// What the technician calls himself. Nobody has checked it.
    pub name: Name,
    /// Rights that are asked for.
    pub asks: Rights,
    /// SHA-256 of a label and the opening.
    pub commitment: [u8; 32],
}

/// The way of being sure that the participant has chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Choice {
    /// [`Level::CodeCompared`]
    CodeCompared,
    /// [`Level::Password`]
    Password {
        /// Which of the session's passwords the participant knows.
        kind: PasswordKind,
        /// The participant's half of SPAKE2: a point of Edwards25519.
        share: [u8; 32],
    },
    /// [`Level::Certificate`]
    Certificate,
}

impl Choice {
    /// Its level.
    pub const fn level(self) -> Level {
        match self {
            Self::CodeCompared => Level::CodeCompared,
            Self::Password { .. } => Level::Password,
            Self::Certificate => Level::Certificate,
        }
    }
}

/// P to M.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequest {
    /// The version chosen.
    pub version: u8,
    /// The algorithms chosen.
    pub suite: Suite,
    /// The way of being sure chosen.
    pub choice: Choice,
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
    /// The moderator's half of SPAKE2; only at [`Level::Password`], and always then.
    pub share: Option<[u8; 32]>,
}

/// P to M: what the level asks of the participant before any key leaves the moderator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "there is one, moved a handful of times")]
pub enum JoinProof {
    /// Nothing but that it goes on: people compare.
    CodeCompared,
    /// That it knows the password: a MAC over the transcript.
    Password {
        /// 256 bits.
        confirmation: [u8; 32],
    },
    /// That it is enrolled: its certificate and its signature over the transcript.
    Certificate(CertifiedDevice),
}

/// M to P, where people do not compare: what the level asks of the moderator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "there is one, moved a handful of times")]
pub enum ModeratorProof {
    /// That it knows the password: a MAC over the transcript.
    Password {
        /// 256 bits.
        confirmation: [u8; 32],
    },
    /// That the operator has sent the technician.
    Certificate(CertifiedTechnician),
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
#[expect(clippy::large_enum_variant, reason = "there is one, moved a handful of times")]
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
    /// See [`ModeratorProof`]; before the keys.
    ModeratorProof(ModeratorProof),
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
    /// The moderator is busy with another participant, or takes nobody under this number any
    /// more.
    Busy,
    /// Anything that went wrong with the exchange itself.
    Failed,
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
        let message: Self =
            crate::message::decode(bytes).map_err(|_| HandshakeError::Unexpected)?;
        if message.encode() == bytes { Ok(message) } else { Err(HandshakeError::Unexpected) }
    }

    /// The message, unless the other side gave up.
    pub(super) fn due(bytes: &[u8]) -> Result<Self, HandshakeError> {
        match Self::decode(bytes)? {
            Self::Declined(why) => Err(HandshakeError::Declined(why)),
            message => Ok(message),
        }
    }
}
