//! The RSA pair that a participant makes for one join.

use rand_core::CryptoRngCore;
use rsa::pkcs8::{DecodePublicKey, EncodePublicKey};
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Oaep, RsaPrivateKey, RsaPublicKey};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::HandshakeError;

/// Bits of the modulus, no more and no less.
pub const RSA_BITS: usize = 2048;

/// Bytes that are wrapped: the secret for the pair key, and the group key.
pub(super) const WRAPPED_LEN: usize = 64;

/// An RSA pair for one join: it unwraps once and is gone.
///
/// Making one takes a second or more on a small device; prepare it in the background.
pub struct JoinKey(RsaPrivateKey);

impl std::fmt::Debug for JoinKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JoinKey(..)")
    }
}

impl JoinKey {
    /// Makes a pair. Blocks for as long as the search for two primes takes.
    ///
    /// # Errors
    /// When the random generator fails.
    pub fn generate(rng: &mut impl CryptoRngCore) -> Result<Self, rsa::Error> {
        RsaPrivateKey::new(rng, RSA_BITS).map(Self)
    }

    /// The public half, SubjectPublicKeyInfo in DER.
    pub(crate) fn public_der(&self) -> heapless::Vec<u8, 320> {
        let der = self.0.to_public_key().to_public_key_der();
        // An RSA-2048 key with exponent 65537 has 294 bytes.
        der.ok().and_then(|der| heapless::Vec::from_slice(der.as_bytes()).ok()).unwrap_or_default()
    }

    /// Unwraps, with blinding, and uses the pair up.
    pub(super) fn unwrap(
        self,
        rng: &mut impl CryptoRngCore,
        wrapped: &[u8],
        label: &[u8; 32],
    ) -> Result<Zeroizing<[u8; WRAPPED_LEN]>, HandshakeError> {
        let plain = self
            .0
            .decrypt_blinded(rng, padding(label), wrapped)
            .map(Zeroizing::new)
            .map_err(|_| HandshakeError::Keys)?;
        let mut out = Zeroizing::new([0; WRAPPED_LEN]);
        if plain.len() != WRAPPED_LEN {
            return Err(HandshakeError::Keys);
        }
        out.copy_from_slice(&plain);
        Ok(out)
    }
}

/// For fuzzing alone, where one pair must do for millions of joins.
#[cfg(fuzzing)]
impl Clone for JoinKey {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[cfg(test)]
impl JoinKey {
    /// One that all tests share, where it does not matter whose it is: making one takes long.
    pub(crate) fn of_tests() -> Self {
        static KEY: std::sync::OnceLock<RsaPrivateKey> = std::sync::OnceLock::new();
        let make = || RsaPrivateKey::new(&mut rand_core::OsRng, RSA_BITS);
        Self(KEY.get_or_init(|| make().expect("a key")).clone())
    }
}

/// OAEP with SHA-256 (RFC 8017 §7.1); the label is the transcript in hexadecimal digits.
fn padding(label: &[u8; 32]) -> Oaep {
    let text: String = label.iter().map(|byte| format!("{byte:02x}")).collect();
    Oaep::new_with_label::<Sha256, _>(text)
}

/// A participant's public key as it came from the network, checked.
pub(super) struct PublicKey(RsaPublicKey);

impl PublicKey {
    /// Accepts exactly what [`JoinKey`] makes: 2048 bits, odd, exponent 65537, minimal DER.
    pub(super) fn from_der(der: &[u8]) -> Result<Self, HandshakeError> {
        let key = RsaPublicKey::from_public_key_der(der).map_err(|_| HandshakeError::PublicKey)?;
        let odd = key.n().to_bytes_le().first().is_some_and(|low| low & 1 == 1);
        let canonical = key.to_public_key_der().is_ok_and(|again| again.as_bytes() == der);
        if key.n().bits() == RSA_BITS && odd && *key.e() == BigUint::from(65537_u32) && canonical {
            Ok(Self(key))
        } else {
            Err(HandshakeError::PublicKey)
        }
    }

    pub(super) fn wrap(
        &self,
        rng: &mut impl CryptoRngCore,
        secret: &[u8; WRAPPED_LEN],
        label: &[u8; 32],
    ) -> Result<heapless::Vec<u8, 256>, HandshakeError> {
        let wrapped =
            self.0.encrypt(rng, padding(label), secret).map_err(|_| HandshakeError::PublicKey)?;
        heapless::Vec::from_slice(&wrapped).map_err(|_| HandshakeError::PublicKey)
    }
}
