//! Certificates of an operator: which machines are his, and which technicians may do what there.
//!
//! The operator has one key, the *root*, which no server has. With it he signs a [`Certificate`]
//! for each machine (long) and for each technician (hours), and a [`State`] that says what was
//! taken back. Whoever shows a certificate shows a state with it: a certificate counts only
//! together with a state that is not older than the one seen last and still fresh. So taking
//! something back works on machines that were off the network for a year.
//!
//! A certificate is a postcard of a dozen fields rather than X.509: bounded, with one valid form,
//! and short enough to be read in one go. Everything here is bytes and times that are passed in.

mod check;
mod text;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use heapless::Vec;
use rand_core::CryptoRngCore;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::message::{Name, Rights};

pub use check::{
    CLOCK_SKEW_S, CertifiedDevice, CertifiedTechnician, Known, Memory, NotCertified, OwnDevice,
    Pass, check_device, check_fellow, check_technician, groups, identify_device, identify_fellow,
    identify_technician,
};
pub use text::{InvalidText, from_hex, to_hex};

/// Bytes of a certificate's body at most.
pub const MAX_CERTIFICATE: usize = 400;

/// Bytes of a state's body at most.
pub const MAX_STATE: usize = 1400;

/// Groups of machines that a certificate can name.
pub const MAX_GROUPS: usize = 8;

/// Certificates that a state can take back one by one. Beyond that, take all older ones back at
/// once with [`State::oldest`].
pub const MAX_REVOKED: usize = 128;

/// The longest that a technician's certificate may be valid, in seconds: a week.
pub const MAX_TECHNICIAN_S: u64 = 7 * 24 * 3600;

/// The longest that a state may stay fresh, in seconds: a month.
pub const MAX_FRESH_S: u64 = 31 * 24 * 3600;

/// The format of certificates and states that this code reads and writes.
const FORMAT: u8 = 1;

/// A group of machines, as `line-3`.
pub type Group = heapless::String<24>;

/// An Ed25519 public key (RFC 8032). The one of a root names the operator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PublicKey(pub [u8; 32]);

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", to_hex(self.0.get(..4).unwrap_or_default()))
    }
}

/// An Ed25519 signature (RFC 8032), in its two halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    r: [u8; 32],
    s: [u8; 32],
}

/// An Ed25519 key pair.
#[derive(Clone)]
pub struct KeyPair(SigningKey);

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyPair({:?})", self.public())
    }
}

impl KeyPair {
    /// Makes one.
    pub fn generate(rng: &mut impl CryptoRngCore) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut());
        Self::from_secret(&seed)
    }

    /// The one of a secret that was stored.
    pub fn from_secret(secret: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(secret))
    }

    /// What must be stored, where nobody else reads it.
    pub fn secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    fn sign(&self, parts: &[&[u8]]) -> Signature {
        let signature = self.0.sign(&parts.concat());
        Signature { r: *signature.r_bytes(), s: *signature.s_bytes() }
    }
}

impl PublicKey {
    fn verify(&self, parts: &[&[u8]], signature: &Signature) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(&self.0) else { return false };
        let signature = ed25519_dalek::Signature::from_components(signature.r, signature.s);
        key.verify_strict(&parts.concat(), &signature).is_ok()
    }
}

/// Who a certificate is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holder {
    /// A machine of the operator's.
    Device,
    /// A technician, and what he may ask of machines, as the bits of [`Rights`].
    Technician {
        /// Bits that this version does not know stay what they are, and give nothing.
        rights: u16,
    },
}

/// What an operator says about a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    format: u8,
    /// Drawn at random, to take it back by.
    pub serial: u64,
    /// The operator's root.
    pub issuer: PublicKey,
    /// The key that it is about.
    pub subject: PublicKey,
    /// What the machine or the technician is called.
    pub name: Name,
    /// Who it is for.
    pub holder: Holder,
    /// Groups that the machine is in, or that the technician may serve: one in common is needed.
    pub groups: Vec<Group, MAX_GROUPS>,
    /// From when it counts, in seconds since 1970, UTC.
    pub not_before: u64,
    /// From when it no longer does.
    pub not_after: u64,
}

/// What an operator has taken back, as of a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    format: u8,
    /// The operator's root.
    pub issuer: PublicKey,
    /// Goes up with every change: a lower one than was seen before is not accepted.
    pub generation: u64,
    /// When it was signed, in seconds since 1970, UTC.
    pub issued_at: u64,
    /// From when it is too old to go by.
    pub fresh_until: u64,
    /// Technicians' certificates that count from before this time do not count any more.
    pub oldest: u64,
    /// Serial numbers of certificates that do not count any more.
    pub revoked: Vec<u64, MAX_REVOKED>,
}

/// A body and its signature by a root, in the one form that is valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed<const N: usize> {
    body: Vec<u8, N>,
    signature: Signature,
}

/// A certificate as it is sent and stored.
pub type SignedCertificate = Signed<MAX_CERTIFICATE>;

/// A state as it is sent and stored.
pub type SignedState = Signed<MAX_STATE>;

const CERTIFICATE_LABEL: &[u8] = b"lotse/1 certificate\0";
const STATE_LABEL: &[u8] = b"lotse/1 state of an operator\0";

/// Something that a root signs.
trait Statement: Serialize + DeserializeOwned {
    const LABEL: &'static [u8];
    fn format(&self) -> u8;
    fn issuer(&self) -> PublicKey;
}

impl Statement for Certificate {
    const LABEL: &'static [u8] = CERTIFICATE_LABEL;
    fn format(&self) -> u8 {
        self.format
    }
    fn issuer(&self) -> PublicKey {
        self.issuer
    }
}

impl Statement for State {
    const LABEL: &'static [u8] = STATE_LABEL;
    fn format(&self) -> u8 {
        self.format
    }
    fn issuer(&self) -> PublicKey {
        self.issuer
    }
}

impl<const N: usize> Signed<N> {
    fn sign(statement: &impl Statement, root: &KeyPair) -> Option<Self> {
        fn label<T: Statement>(_: &T) -> &'static [u8] {
            T::LABEL
        }
        let body = crate::message::encode(statement);
        let signature = root.sign(&[label(statement), &body]);
        Some(Self { body: Vec::from_slice(&body).ok()?, signature })
    }

    /// What was signed, if `root` signed it and its form is the only valid one.
    fn open<T: Statement>(&self, root: PublicKey) -> Option<T> {
        if !root.verify(&[T::LABEL, &self.body], &self.signature) {
            return None;
        }
        self.read().filter(|statement: &T| statement.issuer() == root)
    }

    fn read<T: Statement>(&self) -> Option<T> {
        let statement: T = crate::message::decode(&self.body).ok()?;
        let is_canonical = crate::message::encode(&statement) == *self.body;
        (is_canonical && statement.format() == FORMAT).then_some(statement)
    }

    /// As bytes, to be stored.
    pub fn encode(&self) -> std::vec::Vec<u8> {
        crate::message::encode(self)
    }

    /// From bytes that were stored.
    ///
    /// # Errors
    /// When they are not exactly what [`Signed::encode`] gives.
    pub fn decode(bytes: &[u8]) -> Result<Self, InvalidText> {
        let signed: Self = crate::message::decode(bytes).map_err(|_| InvalidText)?;
        if signed.encode() == bytes { Ok(signed) } else { Err(InvalidText) }
    }
}

impl SignedCertificate {
    /// The certificate, if `root` has signed it. Whether it counts now is another question.
    pub fn certificate(&self, root: PublicKey) -> Option<Certificate> {
        self.open(root)
    }

    /// What it says, whoever signed it: to be shown to the operator, never to go by.
    pub fn unchecked(&self) -> Option<Certificate> {
        self.read()
    }
}

impl SignedState {
    /// The state, if `root` has signed it.
    pub fn state(&self, root: PublicKey) -> Option<State> {
        self.open(root)
    }
}

/// What goes into a certificate beside the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What the machine or the technician is called.
    pub name: Name,
    /// Who it is for.
    pub holder: Holder,
    /// Groups.
    pub groups: Vec<Group, MAX_GROUPS>,
    /// From when it counts, in seconds since 1970, UTC.
    pub not_before: u64,
    /// From when it no longer does.
    pub not_after: u64,
}

/// Signs a certificate.
///
/// # Errors
/// When it counts for too long, never, or nowhere: see [`MAX_TECHNICIAN_S`].
pub fn issue(
    root: &KeyPair,
    subject: PublicKey,
    entry: Entry,
    rng: &mut impl CryptoRngCore,
) -> Result<SignedCertificate, NotCertified> {
    let Entry { name, holder, groups, not_before, not_after } = entry;
    let certificate = Certificate {
        format: FORMAT,
        serial: rng.next_u64(),
        issuer: root.public(),
        subject,
        name,
        holder,
        groups,
        not_before,
        not_after,
    };
    check::check_lifetime(&certificate)?;
    Signed::sign(&certificate, root).ok_or(NotCertified::Malformed)
}

/// Signs a state.
///
/// # Errors
/// When it would be fresh for too long, or never: see [`MAX_FRESH_S`].
pub fn issue_state(
    root: &KeyPair,
    generation: u64,
    (issued_at, fresh_until): (u64, u64),
    oldest: u64,
    revoked: Vec<u64, MAX_REVOKED>,
) -> Result<SignedState, NotCertified> {
    let issuer = root.public();
    let state =
        State { format: FORMAT, issuer, generation, issued_at, fresh_until, oldest, revoked };
    check::check_freshness_span(&state)?;
    Signed::sign(&state, root).ok_or(NotCertified::Malformed)
}

impl Certificate {
    /// What a technician may ask for; nothing for a machine.
    pub fn rights(&self) -> Rights {
        match self.holder {
            Holder::Technician { rights } => Rights::from(rights),
            Holder::Device => Rights::NONE,
        }
    }
}

#[cfg(test)]
mod tests;
