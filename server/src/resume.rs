//! The tokens by which members whose link broke take their places again.
//!
//! A token names session, number and member, and carries a MAC (HMAC-SHA-256, RFC 2104) under a
//! key that only this server has. So a server that was started anew knows its sessions again from
//! what their members bring, and has to write nothing down while they run.
//!
//! It also says whether its bearer moderates, and since how many hand-overs: of several who have
//! moderated one after the other, the latest counts. Nobody gets the role by a token that was made
//! for somebody else, or before another one took over.

use std::path::Path;

use hmac::{Hmac, Mac};
use lotse_protocol::tunnel::{ResumeToken, SessionId};
use lotse_protocol::{MemberId, SessionNumber};
use rand_core::{OsRng, RngCore};
use sha2::Sha256;
use tracing::warn;

use crate::private_file;

/// The file in the data directory that holds the key.
const KEY_FILE: &str = "resume.key";

const KEY_LEN: usize = 32;

/// What comes before the MAC: session (16), number (4), member (2), whether it moderates (1), term
/// (2).
const PLACE_LEN: usize = 25;

const MAC_LEN: usize = 32;

/// Sets this use of the key apart from any other.
const LABEL: &[u8] = b"lotse/1 resume with role";

/// A member's place in a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The session.
    pub session: SessionId,
    /// The number under which it is known.
    pub number: SessionNumber,
    /// The member.
    pub member: MemberId,
    /// What it is there.
    pub role: Role,
}

/// What a member is, as far as that lives through a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Anybody else.
    Member,
    /// The moderator, since so many had taken over.
    Moderator(u16),
}

impl Role {
    fn encode(self) -> [u8; 3] {
        let (is_moderator, term) = match self {
            Self::Member => (0, 0),
            Self::Moderator(term) => (1, term),
        };
        let [high, low] = u16::to_be_bytes(term);
        [is_moderator, high, low]
    }

    fn decode(bytes: [u8; 3]) -> Option<Self> {
        match bytes {
            [0, 0, 0] => Some(Self::Member),
            [1, high, low] => Some(Self::Moderator(u16::from_be_bytes([high, low]))),
            _ => None,
        }
    }
}

/// Makes and checks tokens.
pub struct ResumeKey {
    key: [u8; KEY_LEN],
    is_kept: bool,
}

impl std::fmt::Debug for ResumeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResumeKey(..)")
    }
}

impl ResumeKey {
    /// The key from the data directory, made at the first start. If it cannot be kept there, one
    /// for this run alone: then a restart ends all sessions.
    pub fn load(directory: &Path) -> Self {
        let path = directory.join(KEY_FILE);
        let kept = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let made = Self::random();
                private_file::write(directory, &path, &made.key).map(|()| made.key)
            }
            read => read.and_then(|bytes| {
                let wrong = || std::io::Error::other("not a key of 32 bytes");
                bytes.try_into().map_err(|_| wrong())
            }),
        };
        kept.map(|key| Self { key, is_kept: true }).unwrap_or_else(|error| {
            warn!(
                path = %path.display(),
                %error,
                "no key can be kept: sessions will not live through a restart"
            );
            Self::random()
        })
    }

    fn random() -> Self {
        let mut key = [0; KEY_LEN];
        OsRng.fill_bytes(&mut key);
        Self { key, is_kept: false }
    }

    /// Whether the next run will have it, too.
    pub fn is_kept(&self) -> bool {
        self.is_kept
    }

    fn mac(&self, place: &[u8]) -> Hmac<Sha256> {
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            unreachable!("HMAC takes keys of any length")
        };
        mac.chain_update(LABEL).chain_update(place)
    }

    /// The token for a place.
    pub fn token(&self, place: &Place) -> ResumeToken {
        let mut bytes = heapless::Vec::new();
        // Their lengths together are below the bound, see the test.
        let _ = bytes.extend_from_slice(&place.session.0);
        let _ = bytes.extend_from_slice(&u32::from(place.number).to_be_bytes());
        let _ = bytes.extend_from_slice(&place.member.0.to_be_bytes());
        let _ = bytes.extend_from_slice(&place.role.encode());
        let mac = self.mac(&bytes).finalize().into_bytes();
        let _ = bytes.extend_from_slice(&mac);
        ResumeToken(bytes)
    }

    /// The place that a token is for, if it was made with this key.
    pub fn place(&self, token: &ResumeToken) -> Option<Place> {
        let (place, mac) = token.0.split_last_chunk::<MAC_LEN>()?;
        self.mac(place).verify_slice(mac).ok()?;
        let (session, rest) = place.split_first_chunk::<16>()?;
        let (number, rest) = rest.split_first_chunk::<4>()?;
        let (member, role) = rest.split_first_chunk::<2>()?;
        Some(Place {
            session: SessionId(*session),
            number: SessionNumber::try_from(u32::from_be_bytes(*number)).ok()?,
            member: MemberId(u16::from_be_bytes(*member)),
            role: Role::decode(role.try_into().ok()?)?,
        })
    }
}

const _: () = assert!(PLACE_LEN + MAC_LEN <= lotse_protocol::tunnel::MAX_RESUME_TOKEN);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key_of(byte: u8) -> ResumeKey {
        ResumeKey { key: [byte; KEY_LEN], is_kept: false }
    }

    fn place(session: [u8; 16], number: u32, member: u16) -> Place {
        let number = SessionNumber::try_from(number).unwrap();
        Place { session: SessionId(session), number, member: MemberId(member), role: Role::Member }
    }

    proptest! {
        #[test]
        fn a_token_leads_to_its_place(
            session: [u8; 16], number in 100_000_000u32..1_000_000_000, member: u16,
            term: Option<u16>,
        ) {
            let key = key_of(7);
            let role = term.map_or(Role::Member, Role::Moderator);
            let place = Place { role, ..place(session, number, member) };
            prop_assert_eq!(key.place(&key.token(&place)), Some(place));
            prop_assert_eq!(key_of(8).place(&key.token(&place)), None);
        }

        #[test]
        fn garbage_leads_nowhere(bytes in prop::collection::vec(any::<u8>(), 0..=64)) {
            let token = ResumeToken(heapless::Vec::from_slice(&bytes).unwrap());
            prop_assert_eq!(key_of(7).place(&token), None);
        }
    }

    #[test]
    fn a_token_with_any_bit_changed_leads_nowhere() {
        let key = key_of(7);
        let token = key.token(&place([3; 16], 123_456_789, 2));
        assert_eq!(token.0.len(), PLACE_LEN + MAC_LEN);
        for bit in 0..token.0.len() * 8 {
            let mut changed = token.clone();
            changed.0[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.place(&changed), None, "bit {bit}");
        }
    }

    #[test]
    fn the_key_is_kept_over_a_restart_and_private() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        let place = place([3; 16], 123_456_789, 2);
        let token = ResumeKey::load(directory.path()).token(&place);
        assert_eq!(ResumeKey::load(directory.path()).place(&token), Some(place));
        let meta = std::fs::metadata(directory.path().join(KEY_FILE)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn without_a_place_for_the_key_the_server_still_runs() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let place = place([3; 16], 123_456_789, 2);
        let key = ResumeKey::load(file.path());
        assert_eq!(key.place(&key.token(&place)), Some(place));
        assert_eq!(ResumeKey::load(file.path()).place(&key.token(&place)), None);
    }
}
