//! The key hierarchy.
//!
//! ```text
//! group key   256 bits, made by the moderator's console; comes to a participant RSA-OAEP wrapped
//!   └─ one packet key per sender, join instance and class: pictures, for everyone in the session
//! pair key    256 bits, of one moderator and one participant, made in their handshake
//!   └─ one packet key per sender, join instance and class: control and feedback, for these two
//! grant key   256 bits, made by the moderator for one controller of one device
//!   └─ one packet key per sender, grant and class: input and its feedback, for these three
//! ```
//!
//! No key is ever used for two purposes, and no two senders ever share one, so that two packets
//! can never meet on a nonce (RFC 5116 §3.2). Everything derived is HKDF-SHA-256 (RFC 5869) with
//! the context of its use in `info`.

use aes_gcm::aead::AeadInPlace;
use aes_gcm::{Aes256Gcm, KeyInit};
use hkdf::Hkdf;
use rand_core::CryptoRngCore;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::header::{Class, HEADER_LEN};
use crate::tunnel::SessionId;
use crate::{Header, MemberId};

/// Bytes of an AES-GCM tag.
pub const TAG_LEN: usize = 16;

/// Packets that may be sealed under one key (RFC 9001 §6.6 has the same figure for AES-GCM).
pub const MAX_PACKETS_PER_KEY: u64 = 1 << 23;

/// The 256-bit AES key that the moderator makes for the session.
///
/// It never encrypts anything itself; see the module's hierarchy.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct GroupKey([u8; 32]);

/// The secret of one moderator and one participant.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct PairKey([u8; 32]);

/// The secret of the one who controls a device and of that device; the moderator has made it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct GrantKey([u8; 32]);

impl std::fmt::Debug for GrantKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GrantKey(..)")
    }
}

impl GrantKey {
    /// Makes one.
    pub fn random(rng: &mut impl CryptoRngCore) -> Self {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        Self(key)
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for GroupKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GroupKey(..)")
    }
}

impl std::fmt::Debug for PairKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PairKey(..)")
    }
}

impl GroupKey {
    /// Makes one.
    pub fn random(rng: &mut impl CryptoRngCore) -> Self {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        Self(key)
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key of the next epoch for those who know this one. Nobody gets from there to here.
    #[must_use]
    pub(crate) fn ratchet(&self) -> Self {
        Self(expand(&self.0, None, &[b"lotse/1 ratchet"]))
    }
}

impl PairKey {
    /// The key between the same participant and the one who takes over when the moderator is
    /// gone; both old ends can derive it, the deputy is told.
    pub(crate) fn for_deputy(&self, session: SessionId, deputy: MemberId) -> Self {
        let info: [&[u8]; 3] = [b"lotse/1 deputy", &session.0, &deputy.0.to_be_bytes()];
        Self(expand(&self.0, None, &info))
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Derives the pair key from what came out of the RSA exchange, what came out of the
    /// password's exchange where there was one, and the transcript of the handshake: whoever
    /// wants it must break both.
    pub(crate) fn derive(
        wrapped_secret: &[u8; 32],
        password: Option<&[u8; 32]>,
        transcript: &[u8; 32],
    ) -> Self {
        Self(expand(wrapped_secret, password, &[b"lotse/1 pair", transcript]))
    }

    /// The key that seals the moderator's grant; used for that one message.
    pub(crate) fn grant_key(&self) -> [u8; 32] {
        expand(&self.0, None, &[b"lotse/1 grant"])
    }
}

/// HKDF-SHA-256 to 32 or 44 bytes; the salt is a second secret, or empty. `info` is the parts one
/// after the other; every use starts with a label of its own and its parts have fixed lengths.
pub(crate) fn expand<const N: usize>(
    secret: &[u8; 32],
    salt: Option<&[u8; 32]>,
    info: &[&[u8]],
) -> [u8; N] {
    let mut out = [0; N];
    // Fails only beyond 255 × 32 bytes.
    if Hkdf::<Sha256>::new(salt.map(|salt| &salt[..]), secret)
        .expand_multi_info(info, &mut out)
        .is_err()
    {
        unreachable!("HKDF output of {N} bytes is within its bound");
    }
    out
}

/// What a packet key is for; all of it goes into the derivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyUse {
    /// The session.
    pub session: SessionId,
    /// Epoch of the group key, or how often the key of a pair or a grant was renewed.
    pub epoch: u16,
    /// Who sends under it.
    pub sender: MemberId,
    /// The sender's join instance.
    pub instance: u16,
    /// What is sent under it.
    pub class: Class,
}

/// Seals and opens the packets of one sender, instance and class.
pub struct PacketKey {
    cipher: Aes256Gcm,
    salt: [u8; 12],
    session: SessionId,
    /// Tells keys apart when tests write down what was sealed.
    #[cfg(test)]
    id: [u8; 32],
}

impl std::fmt::Debug for PacketKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PacketKey(..)")
    }
}

impl Drop for PacketKey {
    fn drop(&mut self) {
        self.salt.zeroize();
    }
}

/// The tag does not fit: the packet is forged, damaged, or under another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a packet does not open")]
pub struct Forged;

impl PacketKey {
    /// The key under the group key, for what everyone in the session may read.
    pub fn for_group(secret: &GroupKey, purpose: KeyUse) -> Self {
        Self::derive(&secret.0, b"lotse/1 packets of the group", purpose)
    }

    /// The key under a pair key, for what only two may read.
    pub fn for_pair(secret: &PairKey, purpose: KeyUse) -> Self {
        Self::derive(&secret.0, b"lotse/1 packets of the pair.", purpose)
    }

    /// The key under a grant key, for the controller and the device.
    pub fn for_grant(secret: &GrantKey, purpose: KeyUse) -> Self {
        Self::derive(&secret.0, b"lotse/1 packets of the grant", purpose)
    }

    fn derive(secret: &[u8; 32], label: &[u8; 28], purpose: KeyUse) -> Self {
        let mut material: [u8; 44] = expand(
            secret,
            None,
            &[
                label,
                &purpose.session.0,
                &purpose.epoch.to_be_bytes(),
                &purpose.sender.0.to_be_bytes(),
                &purpose.instance.to_be_bytes(),
                &[purpose.class.code()],
            ],
        );
        let mut key = [0; 32];
        let mut salt = [0; 12];
        let (first, rest) = material.split_at(32);
        key.copy_from_slice(first);
        salt.copy_from_slice(rest);
        let cipher = Aes256Gcm::new(&key.into());
        key.zeroize();
        #[cfg(test)]
        let id = {
            use sha2::Digest;
            Sha256::digest(material).into()
        };
        material.zeroize();
        Self {
            cipher,
            salt,
            session: purpose.session,
            #[cfg(test)]
            id,
        }
    }

    /// Nonce: the salt, its last eight bytes exclusive-ored with the packet number (the
    /// construction of RFC 8446 §5.3).
    fn nonce(&self, number: u64) -> [u8; 12] {
        let mut nonce = self.salt;
        for (byte, counter) in nonce.iter_mut().skip(4).zip(number.to_be_bytes()) {
            *byte ^= counter;
        }
        nonce
    }

    /// Associated data: the whole header, and the session.
    fn associated_data(&self, header: &Header) -> [u8; HEADER_LEN + 16] {
        let mut data = [0; HEADER_LEN + 16];
        let (first, rest) = data.split_at_mut(HEADER_LEN);
        first.copy_from_slice(&header.encode());
        rest.copy_from_slice(&self.session.0);
        data
    }

    /// Appends header, ciphertext and tag to `packet`. The header's length must count the tag.
    pub(crate) fn seal(&self, header: &Header, plaintext: &[u8], packet: &mut Vec<u8>) {
        packet.extend_from_slice(&header.encode());
        let start = packet.len();
        packet.extend_from_slice(plaintext);
        #[cfg(test)]
        sealed::note(self.id, header.number);
        let nonce = self.nonce(header.number).into();
        let body = packet.get_mut(start..).unwrap_or_default();
        // Fails only beyond 64 GiB of plaintext.
        match self.cipher.encrypt_in_place_detached(&nonce, &self.associated_data(header), body) {
            Ok(tag) => packet.extend_from_slice(&tag),
            Err(_) => unreachable!("a packet is far below the bound of AES-GCM"),
        }
    }

    /// Opens a payload.
    pub(crate) fn open(&self, header: &Header, payload: &[u8]) -> Result<Vec<u8>, Forged> {
        let (ciphertext, tag) = payload.split_last_chunk::<TAG_LEN>().ok_or(Forged)?;
        let mut plaintext = ciphertext.to_vec();
        self.cipher
            .decrypt_in_place_detached(
                &self.nonce(header.number).into(),
                &self.associated_data(header),
                &mut plaintext,
                tag.into(),
            )
            .map_err(|_| Forged)?;
        Ok(plaintext)
    }
}

/// Seals the moderator's grant under its one-time key; the transcript is the associated data.
pub(crate) fn seal_grant(key: &PairKey, transcript: &[u8; 32], body: &[u8]) -> Vec<u8> {
    let mut secret = key.grant_key();
    let cipher = Aes256Gcm::new(&secret.into());
    secret.zeroize();
    let mut out = body.to_vec();
    match cipher.encrypt_in_place(&[0; 12].into(), transcript, &mut out) {
        Ok(()) => out,
        Err(_) => unreachable!("a grant is far below the bound of AES-GCM"),
    }
}

/// Opens the moderator's grant.
pub(crate) fn open_grant(
    key: &PairKey,
    transcript: &[u8; 32],
    sealed: &[u8],
) -> Result<Vec<u8>, Forged> {
    let mut secret = key.grant_key();
    let cipher = Aes256Gcm::new(&secret.into());
    secret.zeroize();
    let mut out = sealed.to_vec();
    cipher.decrypt_in_place(&[0; 12].into(), transcript, &mut out).map_err(|_| Forged)?;
    Ok(out)
}

/// What was sealed on this thread, so that a test can tell that no nonce was used twice.
#[cfg(test)]
pub(crate) mod sealed {
    use std::cell::RefCell;
    use std::collections::HashSet;

    /// A key and a packet number.
    type Nonces = HashSet<([u8; 32], u64)>;

    thread_local! {
        static SEEN: RefCell<Option<Nonces>> = const { RefCell::new(None) };
    }

    /// From here on everything that is sealed is written down, and twice the same panics.
    pub(crate) fn watch() {
        SEEN.with_borrow_mut(|seen| *seen = Some(HashSet::new()));
    }

    /// How many packets were sealed since.
    pub(crate) fn count() -> usize {
        SEEN.with_borrow(|seen| seen.as_ref().map_or(0, HashSet::len))
    }

    pub(super) fn note(key: [u8; 32], number: u64) {
        SEEN.with_borrow_mut(|seen| {
            if let Some(seen) = seen {
                assert!(seen.insert((key, number)), "a nonce was used twice");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Fragment;
    use std::collections::HashSet;

    fn purpose() -> KeyUse {
        KeyUse {
            session: SessionId([7; 16]),
            epoch: 0,
            sender: MemberId(2),
            instance: 1,
            class: Class::Picture,
        }
    }

    fn header(number: u64, length: usize) -> Header {
        Header {
            class: Class::Picture,
            fragment: Fragment::WHOLE,
            stream: 0,
            source: MemberId(2),
            destination: MemberId::ALL,
            epoch: 0,
            instance: 1,
            length: (length + TAG_LEN) as u32,
            number,
        }
    }

    #[test]
    fn every_use_has_a_key_and_salt_of_its_own() {
        let secret = [1; 32];
        let base = purpose();
        let uses = [
            base,
            KeyUse { session: SessionId([8; 16]), ..base },
            KeyUse { epoch: 1, ..base },
            KeyUse { sender: MemberId(3), ..base },
            KeyUse { instance: 2, ..base },
            KeyUse { class: Class::Control, ..base },
        ];
        let mut sealed = HashSet::new();
        for purpose in uses {
            for key in [
                PacketKey::for_group(&GroupKey(secret), purpose),
                PacketKey::for_pair(&PairKey(secret), purpose),
                PacketKey::for_grant(&GrantKey(secret), purpose),
            ] {
                let mut packet = Vec::new();
                key.seal(&header(0, 16), &[0; 16], &mut packet);
                assert!(sealed.insert((key.salt, packet)), "{purpose:?} shares a key");
            }
        }
    }

    #[test]
    fn any_changed_bit_of_header_payload_or_tag_is_noticed() {
        let key = PacketKey::for_group(&GroupKey([1; 32]), purpose());
        let mut packet = Vec::new();
        key.seal(&header(5, 11), b"hello panel", &mut packet);
        for bit in 0..packet.len() * 8 {
            let mut forged = packet.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            if let Ok((header, payload)) = Header::parse(&forged) {
                assert_eq!(key.open(&header, payload), Err(Forged), "bit {bit}");
            }
        }
        let (header, payload) = Header::parse(&packet).unwrap();
        assert_eq!(key.open(&header, payload).as_deref(), Ok(&b"hello panel"[..]));
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let key = GroupKey([0xab; 32]);
        assert!(!format!("{key:?}").to_lowercase().contains("ab"));
    }
}
