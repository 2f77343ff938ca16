//! What was said, as a hash; and the digits that people compare.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::tunnel::SessionId;
use crate::{MemberId, SessionNumber};

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
pub(super) struct Transcript(Sha256);

impl Transcript {
    pub(super) fn new(context: &Context) -> Self {
        let mut hash = Sha256::new_with_prefix(b"lotse/1 handshake");
        hash.update(context.session.0);
        hash.update(u32::from(context.number).to_be_bytes());
        hash.update(context.participant.0.to_be_bytes());
        Self(hash)
    }

    pub(super) fn add(&mut self, message: &[u8]) {
        // A message is far shorter than 4 GiB.
        self.0.update(u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.update(message);
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        self.0.clone().finalize().into()
    }

    /// The code that people compare, of what was said until the commitment was opened.
    pub(super) fn code(&self) -> Code {
        let mut hash = Sha256::new_with_prefix(b"lotse/1 code");
        hash.update(self.hash());
        let digest: [u8; 32] = hash.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        // 64 bits to six digits: no digit is more likely than another by more than 2^-44.
        let value = u64::from_be_bytes([a, b, c, d, e, f, g, h]) % 1_000_000;
        Code(u32::try_from(value).unwrap_or(0))
    }
}

pub(super) fn commitment(opening: &[u8; 32]) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"lotse/1 commitment");
    hash.update(opening);
    hash.finalize().into()
}

pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Six digits that are the same on both sides unless somebody is in between.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code(pub(super) u32);

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
