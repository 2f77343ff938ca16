//! The readable head of every packet between members.
//!
//! 24 bytes, big endian, unchanged from sender to receiver, and all of it associated data of the
//! payload's AES-256-GCM.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 1 | version (upper 4 bits, 1), class (lower 4 bits) |
//! | 1 | 1 | flags: 0x01 first fragment, 0x02 last fragment; others are zero |
//! | 2 | 2 | stream: 0, or the number of the grant under whose key the payload is |
//! | 4 | 2 | source member |
//! | 6 | 2 | destination: a member, or 0xffff for all others |
//! | 8 | 2 | epoch of the group key, or how often the key of a pair or grant was renewed |
//! | 10 | 2 | join instance of the source |
//! | 12 | 4 | length of what follows, tag included |
//! | 16 | 8 | packet number, from 0, without gaps per source, destination, stream and class |

use serde::{Deserialize, Serialize};

/// Bytes of a [`Header`].
pub const HEADER_LEN: usize = 24;

/// Bytes of header and payload together, at most: with the frame's head, one TLS record.
pub const MAX_PACKET: usize = crate::frame::MAX_BODY;

/// Bytes of payload after the header at most, tag included.
pub const MAX_PAYLOAD: usize = MAX_PACKET - HEADER_LEN;

/// The version of packets that this code speaks.
pub const VERSION: u8 = 1;

/// Who a member is within one session: 1 is the moderator who opened it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MemberId(pub u16);

impl MemberId {
    /// The moderator who opened the session.
    pub const MODERATOR: Self = Self(1);
    /// As a destination: everyone else in the session.
    pub const ALL: Self = Self(0xffff);
}

/// What a packet is about; each class has keys and a queue of its own.
///
/// In the order in which they are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The exchange that gives a participant its keys; not encrypted.
    Handshake,
    /// Consent, rights, acknowledgements with meaning; between the moderator and one member.
    Control,
    /// What arrived, and what time it is; between the same two as the packets that it is about,
    /// or to all. The next one says more than the last, so that it is never sent again.
    Feedback,
    /// Keys, buttons, text, pointer; between the controller and one presenter.
    Input,
    /// Updates of the picture, for everyone.
    Picture,
}

impl Class {
    /// All classes, in the order in which they are sent.
    pub const ALL: [Self; 5] =
        [Self::Handshake, Self::Control, Self::Feedback, Self::Input, Self::Picture];

    /// The number on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Handshake => 0,
            Self::Control => 1,
            Self::Input => 2,
            Self::Feedback => 3,
            Self::Picture => 4,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }
}

/// Whether a packet starts or ends a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fragment {
    /// It holds the message's first byte.
    pub first: bool,
    /// It holds the message's last byte.
    pub last: bool,
}

impl Fragment {
    /// A message in one packet.
    pub const WHOLE: Self = Self { first: true, last: true };
}

/// The readable head of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What it is about.
    pub class: Class,
    /// Its place in a message.
    pub fragment: Fragment,
    /// The grant whose key it is under, or 0 if it is under none.
    pub stream: u16,
    /// Who sent it; the server checks that.
    pub source: MemberId,
    /// For whom it is.
    pub destination: MemberId,
    /// Epoch of the group key, or how often the key of a pair or a grant was renewed.
    pub epoch: u16,
    /// Join instance of the source, given by the moderator.
    pub instance: u16,
    /// Bytes that follow, at most [`MAX_PAYLOAD`].
    pub length: u32,
    /// Position in the sequence of source, instance and class.
    pub number: u64,
}

/// Why bytes are not a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidHeader {
    /// Fewer bytes than a header has.
    #[error("packet of {0} bytes has no complete header")]
    Truncated(usize),
    /// A version that this program does not speak.
    #[error("packet version {0} is not spoken here")]
    Version(u8),
    /// A class that does not exist.
    #[error("packet class {0} does not exist")]
    Class(u8),
    /// Bits that must be zero are not.
    #[error("packet has unknown flags")]
    Reserved,
    /// The length field and the bytes disagree, or exceed [`MAX_PAYLOAD`].
    #[error("packet says {stated} bytes of payload and has {actual}")]
    Length {
        /// What the header says.
        stated: u32,
        /// What is there.
        actual: usize,
    },
}

const FIRST: u8 = 0x01;
const LAST: u8 = 0x02;

impl Header {
    /// The bytes of the header.
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        let mut at = 0;
        let mut put = |bytes: &[u8]| {
            for (to, from) in out.iter_mut().skip(at).zip(bytes) {
                *to = *from;
            }
            at += bytes.len();
        };
        let flags =
            if self.fragment.first { FIRST } else { 0 } | if self.fragment.last { LAST } else { 0 };
        put(&[VERSION << 4 | self.class.code(), flags]);
        put(&self.stream.to_be_bytes());
        put(&self.source.0.to_be_bytes());
        put(&self.destination.0.to_be_bytes());
        put(&self.epoch.to_be_bytes());
        put(&self.instance.to_be_bytes());
        put(&self.length.to_be_bytes());
        put(&self.number.to_be_bytes());
        out
    }

    /// Takes a whole packet apart into its header and payload.
    ///
    /// # Errors
    /// [`InvalidHeader`]; the packet is to be dropped and the link that brought it to be closed.
    pub fn parse(packet: &[u8]) -> Result<(Self, &[u8]), InvalidHeader> {
        let truncated = InvalidHeader::Truncated(packet.len());
        let (head, payload) = packet.split_first_chunk::<HEADER_LEN>().ok_or(truncated)?;
        let [v, flags, s0, s1, a0, a1, b0, b1, e0, e1, i0, i1, l0, l1, l2, l3, number @ ..] = *head;
        if v >> 4 != VERSION {
            return Err(InvalidHeader::Version(v >> 4));
        }
        let class = Class::from_code(v & 0x0f).ok_or(InvalidHeader::Class(v & 0x0f))?;
        if flags & !(FIRST | LAST) != 0 {
            return Err(InvalidHeader::Reserved);
        }
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        if payload.len() > MAX_PAYLOAD || usize::try_from(length) != Ok(payload.len()) {
            return Err(InvalidHeader::Length { stated: length, actual: payload.len() });
        }
        let header = Self {
            class,
            fragment: Fragment { first: flags & FIRST != 0, last: flags & LAST != 0 },
            stream: u16::from_be_bytes([s0, s1]),
            source: MemberId(u16::from_be_bytes([a0, a1])),
            destination: MemberId(u16::from_be_bytes([b0, b1])),
            epoch: u16::from_be_bytes([e0, e1]),
            instance: u16::from_be_bytes([i0, i1]),
            length,
            number: u64::from_be_bytes(number),
        };
        Ok((header, payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn headers() -> impl Strategy<Value = Header> {
        let class = proptest::sample::select(&Class::ALL[..]);
        let ids = any::<(u16, u16, u16, u16, u16)>();
        (class, any::<(bool, bool)>(), ids, 0..MAX_PAYLOAD as u32, any::<u64>()).prop_map(
            |(class, (first, last), (a, b, epoch, instance, stream), length, number)| Header {
                class,
                fragment: Fragment { first, last },
                stream,
                source: MemberId(a),
                destination: MemberId(b),
                epoch,
                instance,
                length,
                number,
            },
        )
    }

    proptest! {
        #[test]
        fn parses_what_it_encodes(header in headers()) {
            let mut packet = header.encode().to_vec();
            packet.resize(HEADER_LEN + header.length as usize, 0xa5);
            let (parsed, payload) = Header::parse(&packet).unwrap();
            prop_assert_eq!(parsed, header);
            prop_assert_eq!(payload.len(), header.length as usize);
        }

        #[test]
        fn whatever_parses_encodes_to_the_same_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok((header, payload)) = Header::parse(&bytes) {
                prop_assert_eq!([&header.encode()[..], payload].concat(), bytes);
            }
        }

        #[test]
        fn rejects_every_truncation(header in headers(), cut in 1_usize..64) {
            let mut packet = header.encode().to_vec();
            packet.resize(HEADER_LEN + header.length as usize, 0);
            packet.truncate(packet.len().saturating_sub(cut));
            prop_assert!(Header::parse(&packet).is_err());
        }
    }

    #[test]
    fn the_bytes_are_as_documented() {
        let header = Header {
            class: Class::Picture,
            fragment: Fragment { first: true, last: false },
            stream: 0x0708,
            source: MemberId(2),
            destination: MemberId::ALL,
            epoch: 3,
            instance: 4,
            length: 5,
            number: 6,
        };
        assert_eq!(
            header.encode(),
            [0x14, 1, 7, 8, 0, 2, 0xff, 0xff, 0, 3, 0, 4, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6]
        );
    }
}
