//! Messages to packets and back: fragments, numbers, encryption.

use crate::header::{Class, Fragment, Header, InvalidHeader, MAX_PAYLOAD, MemberId};
use crate::keys::{Forged, GroupKey, KeyUse, MAX_PACKETS_PER_KEY, PacketKey, PairKey, TAG_LEN};

/// Bytes of plaintext in one packet at most.
pub const MAX_FRAGMENT: usize = MAX_PAYLOAD - TAG_LEN;

/// Bytes of one picture message at most: a 4K screen of pure noise fits, at three bytes a pixel.
pub const MAX_PICTURE_MESSAGE: usize = 32 << 20;

/// Bytes of one control or input message at most.
pub const MAX_SHORT_MESSAGE: usize = 8 << 10;

/// Input messages are padded to a multiple of this, so that their size does not tell the text.
pub const INPUT_PADDING: usize = 64;

/// The longest message of a class.
pub const fn max_message(class: Class) -> usize {
    match class {
        Class::Handshake => MAX_FRAGMENT,
        Class::Control | Class::Input => MAX_SHORT_MESSAGE,
        Class::Picture => MAX_PICTURE_MESSAGE,
    }
}

/// Under whose secret packets are sealed.
#[derive(Debug, Clone, Copy)]
pub enum Secret<'a> {
    /// Everyone in the session can read it.
    Group(&'a GroupKey),
    /// Only the moderator and one participant can read it.
    Pair(&'a PairKey),
}

impl Secret<'_> {
    fn packet_key(self, purpose: KeyUse) -> PacketKey {
        match self {
            Self::Group(key) => PacketKey::for_group(key, purpose),
            Self::Pair(key) => PacketKey::for_pair(key, purpose),
        }
    }
}

/// Seals the messages of one sender, instance and class.
#[derive(Debug)]
pub struct Sealer {
    key: PacketKey,
    purpose: KeyUse,
    destination: MemberId,
    next: u64,
}

/// Why a message cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The message is longer than its class allows.
    #[error("a message of {0} bytes is too long for its class")]
    TooLong(usize),
    /// The key has sealed as many packets as it may.
    #[error("the key has been used as often as it may; a new session is needed")]
    KeyExhausted,
}

impl Sealer {
    /// A sealer that starts at packet number 0. Make one only once per [`KeyUse`].
    pub fn new(secret: Secret<'_>, purpose: KeyUse, destination: MemberId) -> Self {
        Self { key: secret.packet_key(purpose), purpose, destination, next: 0 }
    }

    /// Cuts a message into packets and seals them.
    ///
    /// # Errors
    /// [`SealError`]; nothing was used up then.
    pub fn seal(&mut self, message: &[u8]) -> Result<Vec<Vec<u8>>, SealError> {
        if message.len() > max_message(self.purpose.class) {
            return Err(SealError::TooLong(message.len()));
        }
        let count = message.len().div_ceil(MAX_FRAGMENT).max(1);
        let after = u64::try_from(count).ok().and_then(|count| self.next.checked_add(count));
        if after.is_none_or(|after| after > MAX_PACKETS_PER_KEY) {
            return Err(SealError::KeyExhausted);
        }
        let mut packets = Vec::with_capacity(count);
        for index in 0..count {
            let rest = message.get(index * MAX_FRAGMENT..).unwrap_or_default();
            let part = rest.get(..MAX_FRAGMENT).unwrap_or(rest);
            let fragment = Fragment { first: index == 0, last: index + 1 == count };
            packets.push(self.seal_fragment(part, fragment));
        }
        Ok(packets)
    }

    fn seal_fragment(&mut self, part: &[u8], fragment: Fragment) -> Vec<u8> {
        let length = part.len() + TAG_LEN;
        let header = Header {
            class: self.purpose.class,
            fragment,
            source: self.purpose.sender,
            destination: self.destination,
            epoch: self.purpose.epoch,
            instance: self.purpose.instance,
            // At most MAX_PAYLOAD.
            length: u32::try_from(length).unwrap_or(u32::MAX),
            number: self.next,
        };
        self.next += 1;
        let mut packet = Vec::with_capacity(crate::header::HEADER_LEN + length);
        self.key.seal(&header, part, &mut packet);
        packet
    }
}

/// Opens the packets of one sender, instance and class, and joins them to messages.
#[derive(Debug)]
pub struct Opener {
    key: PacketKey,
    purpose: KeyUse,
    next: u64,
    partial: Option<Vec<u8>>,
}

/// Why a packet is not taken. All but [`OpenError::Foreign`] mean that somebody tampers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not a packet.
    #[error(transparent)]
    Header(#[from] InvalidHeader),
    /// Of another sender, epoch, instance or class: not for this opener.
    #[error("a packet of another sender, epoch, instance or class")]
    Foreign,
    /// The tag does not fit.
    #[error(transparent)]
    Forged(#[from] Forged),
    /// Its number was there before, or one before it is missing.
    #[error("packet number {got} where {expected} was due")]
    Order {
        /// The number that was due.
        expected: u64,
        /// The number that came.
        got: u64,
    },
    /// It does not fit to the fragment before.
    #[error("a fragment without its beginning")]
    Fragment,
    /// The message grows beyond what its class allows.
    #[error("a message longer than its class allows")]
    TooLong,
}

/// What an opened packet yields.
#[derive(Debug, PartialEq, Eq)]
pub enum Opened {
    /// A message is complete. `after_gap` is true if messages before it were lost, which only
    /// pictures may be.
    Message {
        /// Its bytes.
        bytes: Vec<u8>,
        /// Whether something before it is missing.
        after_gap: bool,
    },
    /// The message goes on.
    Incomplete,
}

impl Opener {
    /// An opener that waits for packet number 0.
    pub fn new(secret: Secret<'_>, purpose: KeyUse) -> Self {
        Self { key: secret.packet_key(purpose), purpose, next: 0, partial: None }
    }

    /// Opens one packet.
    ///
    /// Control and input packets must come without gaps. Picture packets may be missing, since
    /// the server drops whole picture messages for a slow receiver, but never come twice or late.
    ///
    /// # Errors
    /// [`OpenError`]; nothing of the packet is used then.
    pub fn open(&mut self, header: &Header, payload: &[u8]) -> Result<Opened, OpenError> {
        let purpose = &self.purpose;
        if header.source != purpose.sender
            || header.class != purpose.class
            || header.epoch != purpose.epoch
            || header.instance != purpose.instance
        {
            return Err(OpenError::Foreign);
        }
        let out_of_order = OpenError::Order { expected: self.next, got: header.number };
        let gap = header.number.checked_sub(self.next).ok_or(out_of_order)? > 0;
        if gap && purpose.class != Class::Picture {
            return Err(out_of_order);
        }
        let part = self.key.open(header, payload)?;
        // The tag was right: from here on the packet counts.
        self.next = header.number.saturating_add(1);
        if gap {
            self.partial = None;
        }
        self.join(header.fragment, part, gap)
    }

    fn join(&mut self, at: Fragment, part: Vec<u8>, gap: bool) -> Result<Opened, OpenError> {
        let message = match (at.first, self.partial.take()) {
            (true, None) => part,
            (false, Some(mut message)) => {
                if message.len() + part.len() > max_message(self.purpose.class) {
                    return Err(OpenError::TooLong);
                }
                message.extend_from_slice(&part);
                message
            }
            // The rest of a message whose beginning the server dropped.
            (false, None) if self.purpose.class == Class::Picture => return Ok(Opened::Incomplete),
            (true, Some(_)) | (false, None) => return Err(OpenError::Fragment),
        };
        if !at.last {
            self.partial = Some(message);
            return Ok(Opened::Incomplete);
        }
        Ok(Opened::Message { bytes: message, after_gap: gap })
    }
}

#[cfg(test)]
#[path = "packet_tests.rs"]
mod tests;
