//! Messages of the Wayland protocol, as bytes.
//!
//! A message is for an object, or from one: its number, then 16 bits of length and 16 bits of
//! what is asked or told, then the arguments in words of four bytes, in the order of bytes of
//! this computer.
//!
//! # Source
//! *The Wayland Protocol*, chapter 4, "Wire Format".

/// Bytes before the arguments.
pub(super) const HEAD: usize = 8;

/// Bytes of a message at most, by the protocol's own limit of what implementations buffer.
pub(super) const MAX_MESSAGE: usize = 4096;

/// The number of an object; 0 is none.
pub(super) type Id = u32;

/// A request that is being put together.
#[derive(Debug, Clone)]
pub(super) struct Request {
    bytes: Vec<u8>,
}

impl Request {
    /// Asks an object for something, by the number that the interface gives it.
    pub(super) fn new(object: Id, opcode: u16) -> Self {
        let mut bytes = Vec::with_capacity(32);
        bytes.extend(object.to_ne_bytes());
        bytes.extend(u32::from(opcode).to_ne_bytes());
        Self { bytes }
    }

    /// A number, or an object.
    #[must_use]
    pub(super) fn uint(mut self, value: u32) -> Self {
        self.bytes.extend(value.to_ne_bytes());
        self
    }

    /// A number that may be negative.
    #[must_use]
    pub(super) fn int(self, value: i32) -> Self {
        self.uint(value.cast_unsigned())
    }

    /// A size or a place, which the protocol writes as numbers that may be negative.
    #[must_use]
    pub(super) fn side(self, value: u32) -> Self {
        self.int(i32::try_from(value).unwrap_or(i32::MAX))
    }

    /// A text, without a zero byte in it.
    #[must_use]
    pub(super) fn string(mut self, text: &str) -> Self {
        let len = u32::try_from(text.len()).unwrap_or(0) + 1;
        self = self.uint(len);
        self.bytes.extend(text.as_bytes());
        self.bytes.resize(self.bytes.len() + padded(text.len() + 1) - text.len(), 0);
        self
    }

    /// The whole message.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let len = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        if let Some(word) = self.bytes.get_mut(4..HEAD) {
            let opcode = u32::from_ne_bytes(word.try_into().unwrap_or_default());
            word.copy_from_slice(&(len << 16 | opcode).to_ne_bytes());
        }
        self.bytes
    }
}

fn padded(len: usize) -> usize {
    len.next_multiple_of(4)
}

/// Something that an object tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) object: Id,
    pub(super) opcode: u16,
    body: Vec<u8>,
}

impl Event {
    /// Takes the first whole message from the front of what was received.
    ///
    /// # Errors
    /// When no message can begin like that.
    pub(super) fn take(inbox: &mut Vec<u8>) -> Result<Option<Self>, Malformed> {
        let (Some(object), Some(word)) = (word(inbox, 0), word(inbox, 4)) else { return Ok(None) };
        let len = (word >> 16) as usize;
        if !(HEAD..=MAX_MESSAGE).contains(&len) || !len.is_multiple_of(4) {
            return Err(Malformed);
        }
        if inbox.len() < len {
            return Ok(None);
        }
        let body = inbox.get(HEAD..len).unwrap_or_default().to_vec();
        inbox.drain(..len);
        Ok(Some(Self { object, opcode: (word & 0xffff) as u16, body }))
    }

    /// What it tells, to be read one after the other.
    pub(super) fn arguments(&self) -> Arguments<'_> {
        Arguments(&self.body)
    }
}

/// What was received is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let word = bytes.get(at..at + 4)?;
    Some(u32::from_ne_bytes(word.try_into().ok()?))
}

/// Arguments that have not been read yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arguments<'a>(&'a [u8]);

impl<'a> Arguments<'a> {
    /// The next number or object; 0 behind the end.
    pub(super) fn uint(&mut self) -> u32 {
        let value = word(self.0, 0).unwrap_or_default();
        self.0 = self.0.get(4..).unwrap_or_default();
        value
    }

    /// The next number that may be negative.
    pub(super) fn int(&mut self) -> i32 {
        self.uint().cast_signed()
    }

    /// The next text; empty behind the end, or if it is none.
    pub(super) fn string(&mut self) -> &'a str {
        let len = self.uint() as usize;
        let text = self.0.get(..len.saturating_sub(1)).unwrap_or_default();
        self.0 = self.0.get(padded(len.min(MAX_MESSAGE))..).unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_is_as_the_protocol_says() {
        let bytes = Request::new(3, 1).uint(7).int(-1).string("abcd").finish();
        let mut expected = Vec::new();
        for word in [3u32, 28 << 16 | 1, 7, u32::MAX, 5] {
            expected.extend(word.to_ne_bytes());
        }
        expected.extend(b"abcd\0\0\0\0");
        assert_eq!(bytes, expected);
    }

    #[test]
    fn no_message_is_shorter_than_its_head_or_longer_than_the_limit() {
        for len in [0u32, 4, 7, 10, 4100] {
            let mut inbox = [1u32.to_ne_bytes(), (len << 16).to_ne_bytes()].concat();
            assert_eq!(Event::take(&mut inbox), Err(Malformed), "{len}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_is_read_again(
            object: u32, opcode: u16, number: u32, signed: i32, text in "[a-z]{0,20}", rest in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let request = Request::new(object, opcode).uint(number).string(&text).int(signed);
            let bytes = request.finish();
            let mut inbox = [bytes.clone(), rest.clone()].concat();
            let event = Event::take(&mut inbox).unwrap().unwrap();
            prop_assert_eq!(inbox, rest);
            let mut arguments = event.arguments();
            prop_assert_eq!((event.object, event.opcode), (object, opcode));
            prop_assert_eq!(arguments.uint(), number);
            prop_assert_eq!(arguments.string(), text);
            prop_assert_eq!(arguments.int(), signed);
            for len in 0..bytes.len() {
                prop_assert_eq!(Event::take(&mut bytes[..len].to_vec()), Ok(None));
            }
        }

        #[test]
        fn garbage_is_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut inbox = bytes.clone();
            while let Ok(Some(event)) = Event::take(&mut inbox) {
                let mut arguments = event.arguments();
                for _ in 0..8 {
                    arguments.string();
                    arguments.int();
                }
            }
            Arguments(&bytes).string();
        }
    }
}
