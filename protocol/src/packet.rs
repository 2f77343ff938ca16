//! Messages to packets and back: fragments, numbers, encryption.

use std::collections::VecDeque;
use std::time::Instant;

use crate::header::{Class, Fragment, Header, InvalidHeader, MAX_PAYLOAD, MemberId};
use crate::keys::{
    Forged, GrantKey, GroupKey, KeyUse, MAX_PACKETS_PER_KEY, PacketKey, PairKey, TAG_LEN,
};

/// Bytes of plaintext in one packet at most.
pub const MAX_FRAGMENT: usize = MAX_PAYLOAD - TAG_LEN;

/// Bytes of one picture message at most: a 4K screen of pure noise fits, at three bytes a pixel.
pub const MAX_PICTURE_MESSAGE: usize = 32 << 20;

/// Bytes of one control, feedback or input message at most: a list of a hundred members fits.
pub const MAX_SHORT_MESSAGE: usize = 16 << 10;

/// Input messages are padded to a multiple of this, so that their size does not tell the text.
pub const INPUT_PADDING: usize = 64;

/// The longest message of a class.
pub const fn max_message(class: Class) -> usize {
    match class {
        Class::Handshake => MAX_FRAGMENT,
        Class::Control | Class::Feedback | Class::Input => MAX_SHORT_MESSAGE,
        Class::Picture => MAX_PICTURE_MESSAGE,
    }
}

/// Whether packets of a class may be missing: the next message says all that matters.
const fn may_be_missing(class: Class) -> bool {
    matches!(class, Class::Picture | Class::Feedback)
}

/// Under whose secret packets are sealed.
#[derive(Debug, Clone, Copy)]
pub enum Secret<'a> {
    /// Everyone in the session can read it.
    Group(&'a GroupKey),
    /// Only the moderator and one participant can read it.
    Pair(&'a PairKey),
    /// Only a device, the one who controls it and the moderator can read it.
    Grant(&'a GrantKey),
}

impl Secret<'_> {
    fn packet_key(self, purpose: KeyUse) -> PacketKey {
        match self {
            Self::Group(key) => PacketKey::for_group(key, purpose),
            Self::Pair(key) => PacketKey::for_pair(key, purpose),
            Self::Grant(key) => PacketKey::for_grant(key, purpose),
        }
    }

    /// The secrets of two are kept, to renew a key that is worn out. That of the group changes
    /// with the epoch, which only the moderator begins.
    fn kept(self) -> Option<Kept> {
        match self {
            Self::Group(_) => None,
            Self::Pair(key) => Some(Kept::Pair(key.clone())),
            Self::Grant(key) => Some(Kept::Grant(key.clone())),
        }
    }
}

/// A secret from which the next key comes.
#[derive(Debug)]
enum Kept {
    Pair(PairKey),
    Grant(GrantKey),
}

impl Kept {
    fn packet_key(&self, purpose: KeyUse) -> PacketKey {
        match self {
            Self::Pair(key) => Secret::Pair(key).packet_key(purpose),
            Self::Grant(key) => Secret::Grant(key).packet_key(purpose),
        }
    }
}

/// Seals the messages of one sender, instance and class.
#[derive(Debug)]
pub struct Sealer {
    key: PacketKey,
    kept: Option<Kept>,
    purpose: KeyUse,
    destination: MemberId,
    stream: u16,
    next: u64,
    /// The number that this key does not seal any more.
    limit: u64,
}

/// Why a message cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The message is longer than its class allows.
    #[error("a message of {0} bytes is too long for its class")]
    TooLong(usize),
    /// The key has sealed as many packets as it may.
    #[error("the key has been used as often as it may")]
    KeyExhausted,
    /// Too much waits for an acknowledgement.
    #[error("the other side has not acknowledged anything for too long")]
    Unacknowledged,
}

impl Sealer {
    /// A sealer that starts at packet number 0. Make one only once per [`KeyUse`].
    pub fn new(secret: Secret<'_>, purpose: KeyUse, destination: MemberId) -> Self {
        let (key, kept) = (secret.packet_key(purpose), secret.kept());
        let limit = MAX_PACKETS_PER_KEY;
        Self { key, kept, purpose, destination, stream: 0, next: 0, limit }
    }

    /// The same for a grant, whose number the packets carry.
    #[must_use]
    pub fn on_stream(self, stream: u16) -> Self {
        Self { stream, ..self }
    }

    /// The number of the next packet.
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// Whether half of what may be sealed under this key has been: time for the next.
    pub fn is_wearing_out(&self) -> bool {
        self.limit - self.next.min(self.limit) < MAX_PACKETS_PER_KEY / 2
    }

    /// Goes on under the group key of a new epoch. Numbers go on, too, so that the other side
    /// sees what is missing.
    pub fn turn(&mut self, secret: &GroupKey, epoch: u16) {
        self.purpose.epoch = epoch;
        self.key = Secret::Group(secret).packet_key(self.purpose);
        self.limit = self.next.saturating_add(MAX_PACKETS_PER_KEY);
    }

    /// A key of two that is worn out makes place for the next.
    fn renew(&mut self) -> Result<(), SealError> {
        let (Some(kept), Some(epoch)) = (&self.kept, self.purpose.epoch.checked_add(1)) else {
            return Err(SealError::KeyExhausted);
        };
        self.purpose.epoch = epoch;
        self.key = kept.packet_key(self.purpose);
        self.limit = self.next.saturating_add(MAX_PACKETS_PER_KEY);
        Ok(())
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
        if after.is_none_or(|after| after > self.limit) {
            self.renew()?;
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
            stream: self.stream,
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
    kept: Option<Kept>,
    purpose: KeyUse,
    stream: u16,
    /// Keys of epochs before, and until when they are good.
    older: VecDeque<(u16, PacketKey, Instant)>,
    next: u64,
    partial: Option<Vec<u8>>,
}

/// Epochs before the present one of which packets are opened, at most.
const MAX_OLDER: usize = 8;

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
        let (key, kept) = (secret.packet_key(purpose), secret.kept());
        Self { key, kept, purpose, stream: 0, older: VecDeque::new(), next: 0, partial: None }
    }

    /// The same for a grant, whose number the packets carry.
    #[must_use]
    pub fn on_stream(self, stream: u16) -> Self {
        Self { stream, ..self }
    }

    /// The number of the packet that is due.
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// The group key of a new epoch is here. Packets of the one before are opened for a while.
    pub fn turn(&mut self, secret: &GroupKey, epoch: u16, older_until: Instant) {
        let before = self.purpose.epoch;
        self.purpose.epoch = epoch;
        let key = std::mem::replace(&mut self.key, Secret::Group(secret).packet_key(self.purpose));
        if self.older.len() >= MAX_OLDER {
            self.older.pop_front();
        }
        self.older.push_back((before, key, older_until));
    }

    /// Forgets the keys whose time is over.
    pub fn forget_older(&mut self, now: Instant) {
        self.older.retain(|(_, _, until)| now < *until);
    }

    /// Opens one packet.
    ///
    /// Control and input packets must come without gaps. Those of pictures and feedback may be
    /// missing, since the server drops whole picture messages for a slow receiver, but never come
    /// twice or late.
    ///
    /// # Errors
    /// [`OpenError`]; nothing of the packet is used then.
    pub fn open(&mut self, header: &Header, payload: &[u8]) -> Result<Opened, OpenError> {
        let purpose = &self.purpose;
        if header.source != purpose.sender
            || header.class != purpose.class
            || header.stream != self.stream
            || header.instance != purpose.instance
        {
            return Err(OpenError::Foreign);
        }
        let out_of_order = OpenError::Order { expected: self.next, got: header.number };
        let gap = header.number.checked_sub(self.next).ok_or(out_of_order)? > 0;
        if gap && !may_be_missing(purpose.class) {
            return Err(out_of_order);
        }
        let part = self.open_under(header, payload)?;
        // The tag was right: from here on the packet counts.
        self.next = header.number.saturating_add(1);
        if gap {
            self.partial = None;
        }
        self.join(header.fragment, part, gap)
    }

    /// Opens a payload under the key of its epoch.
    fn open_under(&mut self, header: &Header, payload: &[u8]) -> Result<Vec<u8>, OpenError> {
        if header.epoch == self.purpose.epoch {
            return Ok(self.key.open(header, payload)?);
        }
        if let Some((_, key, _)) = self.older.iter().find(|(epoch, ..)| *epoch == header.epoch) {
            return Ok(key.open(header, payload)?);
        }
        match &self.kept {
            Some(kept) if self.purpose.epoch.checked_add(1) == Some(header.epoch) => {
                let purpose = KeyUse { epoch: header.epoch, ..self.purpose };
                let key = kept.packet_key(purpose);
                let part = key.open(header, payload)?;
                (self.key, self.purpose) = (key, purpose);
                Ok(part)
            }
            _ => Err(OpenError::Foreign),
        }
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
            (false, None) if may_be_missing(self.purpose.class) => return Ok(Opened::Incomplete),
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
