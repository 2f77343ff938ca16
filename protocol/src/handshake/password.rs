//! Being sure by a password: SPAKE2, and the proof that both sides have come to the same key.
//!
//! Whoever stands in between may try one password for each run of the handshake, and is noticed:
//! the participant proves first that it knows the password, then the moderator does, each over
//! everything that was said. Nobody can try passwords afterwards on what he has recorded.
//!
//! SPAKE2 over Edwards25519 is that of Abdalla and Pointcheval (CT-RSA 2005) as in RFC 9382, with
//! the constants of the crate `spake2`. Both roles are told apart, so that a message sent back to
//! its sender fits nothing.

use rand_core::CryptoRngCore;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use spake2::{Ed25519Group, Identity, Spake2};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::HandshakeError;
use super::transcript::same;
use crate::keys::expand;

/// Digits of a password that is spoken.
pub const SPOKEN_DIGITS: usize = 6;

/// Characters of a link's secret: 130 bits.
pub const LINK_CHARACTERS: usize = 26;

/// Runs by password that may fail before a number is given up, at either side. A run that was not
/// finished has failed.
pub const MAX_PASSWORD_FAILURES: u8 = 3;

/// The characters of a link's secret: without those that look like others (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The first byte of each side's message in the crate `spake2`; it is not sent.
const PARTICIPANT: u8 = b'A';
const MODERATOR: u8 = b'B';

/// Which password of a session is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PasswordKind {
    /// Six digits, spoken and typed.
    Spoken,
    /// The secret of a link, in its fragment, which browsers do not send to servers.
    Link,
    /// What a device was given to come back with, once, after it was restarted.
    Ticket,
}

/// A password as it was typed or read from a link.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Password {
    #[zeroize(skip)]
    kind: PasswordKind,
    text: String,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// What was typed can be no password of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password has six digits, as in 123 456; the secret of a link has 26 characters")]
pub struct InvalidPassword;

impl Password {
    /// Reads six digits; spaces and dashes between them are passed over.
    ///
    /// # Errors
    /// [`InvalidPassword`]
    pub fn spoken(text: &str) -> Result<Self, InvalidPassword> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if digits.len() == SPOKEN_DIGITS && digits.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self { kind: PasswordKind::Spoken, text: digits })
        } else {
            Err(InvalidPassword)
        }
    }

    /// Reads what stands behind the `#` of a link; capitals count as small letters.
    ///
    /// # Errors
    /// [`InvalidPassword`]
    pub fn link(fragment: &str) -> Result<Self, InvalidPassword> {
        let text = fragment.to_ascii_lowercase();
        if text.len() == LINK_CHARACTERS && text.bytes().all(|b| ALPHABET.contains(&b)) {
            Ok(Self { kind: PasswordKind::Link, text })
        } else {
            Err(InvalidPassword)
        }
    }

    /// What a device comes back with after a restart: 256 random bits, which both sides have since
    /// before it.
    pub fn ticket(bytes: &[u8; 32]) -> Self {
        Self { kind: PasswordKind::Ticket, text: crate::certificate::to_hex(bytes) }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Which of a session's passwords it is.
    pub fn kind(&self) -> PasswordKind {
        self.kind
    }
}

/// The passwords of one session: the same secret word for people and for links would make the
/// link as weak as the word.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SessionPasswords {
    spoken: String,
    link: String,
}

impl std::fmt::Debug for SessionPasswords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionPasswords(..)")
    }
}

impl SessionPasswords {
    /// Draws both. Each session number needs its own.
    pub fn random(rng: &mut impl CryptoRngCore) -> Self {
        /// The largest multiple of a million that 32 bits hold: above it small numbers would be
        /// more likely.
        const LIMIT: u32 = u32::MAX - u32::MAX % 1_000_000;
        let digits = loop {
            let drawn = rng.next_u32();
            if drawn < LIMIT {
                break drawn % 1_000_000;
            }
        };
        let mut drawn = [0_u8; LINK_CHARACTERS];
        rng.fill_bytes(&mut drawn);
        // 32 characters: five bits of each byte, none more likely than another.
        let letter = |byte: &u8| ALPHABET.get(usize::from(byte & 31)).map(|c| char::from(*c));
        let link = drawn.iter().filter_map(letter).collect();
        drawn.zeroize();
        Self { spoken: format!("{digits:06}"), link }
    }

    /// The six digits without a space.
    pub fn spoken(&self) -> &str {
        &self.spoken
    }

    /// The secret of the link.
    pub fn link(&self) -> &str {
        &self.link
    }

    /// The one of this kind; a ticket is not the session's but one device's.
    pub(super) fn text(&self, kind: PasswordKind) -> Option<&str> {
        match kind {
            PasswordKind::Spoken => Some(&self.spoken),
            PasswordKind::Link => Some(&self.link),
            PasswordKind::Ticket => None,
        }
    }
}

/// The public half of a side's run.
pub(super) type Share = [u8; 32];

/// What both sides bind the run to: the transcript after the moderator's hello (which has session,
/// number, participant, versions, names and rights in it) and the participant's RSA key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Binding {
    pub(super) hello: [u8; 32],
    pub(super) public_key: [u8; 32],
}

impl Binding {
    pub(super) fn new(hello: [u8; 32], public_key_der: &[u8]) -> Self {
        Self { hello, public_key: Sha256::digest(public_key_der).into() }
    }

    fn identities(&self) -> [Identity; 2] {
        let of = |role: &[u8]| Identity::new(&[role, &self.hello, &self.public_key].concat());
        [of(b"lotse/1 participant"), of(b"lotse/1 moderator")]
    }
}

/// One side's half of a run that has begun.
pub(super) struct Pake {
    state: Spake2<Ed25519Group>,
    /// The first byte of what the other side must have sent.
    other: u8,
}

/// The key that both sides have come to, if they know the same password.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct PasswordKey([u8; 32]);

impl Pake {
    pub(super) fn of_participant(
        password: &Password,
        binding: &Binding,
        rng: &mut impl CryptoRngCore,
    ) -> (Self, Share) {
        let [a, b] = binding.identities();
        let word = word(password.kind, &password.text);
        let (state, message) = Spake2::start_a_with_rng(&word, &a, &b, rng);
        (Self { state, other: MODERATOR }, share(&message))
    }

    pub(super) fn of_moderator(
        (kind, text): (PasswordKind, &str),
        binding: &Binding,
        rng: &mut impl CryptoRngCore,
    ) -> (Self, Share) {
        let [a, b] = binding.identities();
        let word = word(kind, text);
        let (state, message) = Spake2::start_b_with_rng(&word, &a, &b, rng);
        (Self { state, other: PARTICIPANT }, share(&message))
    }

    /// Takes the other side's half.
    pub(super) fn finish(self, share: &Share) -> Result<PasswordKey, HandshakeError> {
        let message = [&[self.other][..], share].concat();
        let key = self.state.finish(&message).map_err(|_| HandshakeError::Password)?;
        let key = <[u8; 32]>::try_from(key.as_slice()).map_err(|_| HandshakeError::Password)?;
        Ok(PasswordKey(key))
    }
}

/// A spoken password is never the same as a link's.
fn word(kind: PasswordKind, text: &str) -> spake2::Password {
    let label: &[u8] = match kind {
        PasswordKind::Spoken => b"lotse/1 spoken ",
        PasswordKind::Link => b"lotse/1 link ",
        PasswordKind::Ticket => b"lotse/1 ticket ",
    };
    spake2::Password::new([label, text.as_bytes()].concat())
}

/// A message of the crate without its first byte.
fn share(message: &[u8]) -> Share {
    let point = message.split_first().map(|(_, point)| point).unwrap_or_default();
    // One byte and 32: the crate's format.
    point.try_into().unwrap_or_default()
}

/// Who proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prover {
    Participant,
    Moderator,
}

impl PasswordKey {
    /// Proves to know the password, over everything that was said so far.
    pub(super) fn confirmation(&self, prover: Prover, transcript: &[u8; 32]) -> [u8; 32] {
        let label: &[u8] = match prover {
            Prover::Participant => b"lotse/1 participant knows",
            Prover::Moderator => b"lotse/1 moderator knows",
        };
        expand(&self.0, None, &[label, transcript])
    }

    /// Checks the other side's proof.
    pub(super) fn check(
        &self,
        prover: Prover,
        transcript: &[u8; 32],
        confirmation: &[u8; 32],
    ) -> Result<(), HandshakeError> {
        if same(&self.confirmation(prover, transcript), confirmation) {
            Ok(())
        } else {
            Err(HandshakeError::Password)
        }
    }

    /// What goes into the pair key beside the secret that came by RSA.
    pub(super) fn for_pair(&self) -> [u8; 32] {
        expand(&self.0, None, &[b"lotse/1 password in the pair key"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::OsRng;

    #[test]
    fn passwords_are_read_as_people_write_them_and_nothing_else() {
        assert_eq!(Password::spoken("123 456").unwrap().text, "123456");
        assert_eq!(Password::spoken("000-000").unwrap().kind(), PasswordKind::Spoken);
        for wrong in ["", "12345", "1234567", "12345a", "１２３４５６"] {
            assert!(Password::spoken(wrong).is_err(), "{wrong}");
        }
        let drawn = SessionPasswords::random(&mut OsRng);
        assert!(Password::spoken(drawn.spoken()).is_ok());
        let link = Password::link(&drawn.link().to_uppercase()).unwrap();
        assert_eq!((link.text.as_str(), link.kind()), (drawn.link(), PasswordKind::Link));
        for wrong in ["", "0123456789", "uuuuuuuuuuuuuuuuuuuuuuuuuu"] {
            assert!(Password::link(wrong).is_err(), "{wrong}");
        }
        assert!(!format!("{drawn:?}").contains(drawn.spoken()));
    }

    fn run(a: &Password, b: &SessionPasswords, kind: PasswordKind, to: [u8; 32]) -> bool {
        let binding = Binding { hello: [1; 32], public_key: [2; 32] };
        let (p, x) = Pake::of_participant(a, &binding, &mut OsRng);
        let binding = Binding { public_key: to, ..binding };
        let word = (kind, b.text(kind).unwrap());
        let (m, y) = Pake::of_moderator(word, &binding, &mut OsRng);
        let (p, m) = (p.finish(&y).unwrap(), m.finish(&x).unwrap());
        let proof = p.confirmation(Prover::Participant, &[3; 32]);
        m.check(Prover::Participant, &[3; 32], &proof).is_ok() && p.for_pair() == m.for_pair()
    }

    #[test]
    fn only_the_same_password_of_the_same_kind_for_the_same_key_fits() {
        let ours = SessionPasswords::random(&mut OsRng);
        let spoken = Password::spoken(ours.spoken()).unwrap();
        let link = Password::link(ours.link()).unwrap();
        assert!(run(&spoken, &ours, PasswordKind::Spoken, [2; 32]));
        assert!(run(&link, &ours, PasswordKind::Link, [2; 32]));
        assert!(!run(&spoken, &ours, PasswordKind::Link, [2; 32]));
        assert!(!run(&spoken, &ours, PasswordKind::Spoken, [9; 32]), "another RSA key");
        let mut other = ours.clone();
        other.spoken = format!("{:06}", (ours.spoken.parse::<u32>().unwrap() + 1) % 1_000_000);
        assert!(!run(&spoken, &other, PasswordKind::Spoken, [2; 32]));
    }

    #[test]
    fn a_message_that_is_no_point_of_the_curve_is_refused() {
        let ours = SessionPasswords::random(&mut OsRng);
        let binding = Binding { hello: [1; 32], public_key: [2; 32] };
        let word = (PasswordKind::Spoken, ours.spoken());
        let begin = || Pake::of_moderator(word, &binding, &mut OsRng).0;
        let refused = (0..=255_u8).filter(|byte| begin().finish(&[*byte; 32]).is_err()).count();
        assert!(refused > 64, "half of all encodings are no point: {refused}");
    }
}
