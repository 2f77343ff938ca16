//! The fields of a frame's body: writing them, and reading them from bytes that may be anything.

use std::error::Error;
use std::fmt;

/// A body that is no message of this channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a message of the lab's channel")
    }
}

impl Error for Malformed {}

/// Builds a body field by field.
pub(crate) struct Writer {
    body: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(tag: u8) -> Self {
        Self { body: vec![tag] }
    }

    pub(crate) fn u32(mut self, value: u32) -> Self {
        self.body.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub(crate) fn u64(mut self, value: u64) -> Self {
        self.body.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Content longer than `u32::MAX` gets a wrong length, but no such body leaves: it is longer than a frame may be.
    pub(crate) fn bytes(self, value: &[u8]) -> Self {
        let mut writer = self.u32(u32::try_from(value.len()).unwrap_or(u32::MAX));
        writer.body.extend_from_slice(value);
        writer
    }

    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }
}

/// Takes a body apart field by field.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    pub(crate) fn tag(&mut self) -> Result<u8, Malformed> {
        self.array().map(|[tag]| tag)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, Malformed> {
        let length = self.u32()? as usize;
        let (value, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(value.to_vec())
    }

    pub(crate) fn text(&mut self) -> Result<String, Malformed> {
        String::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }

    /// Nothing may follow the last field.
    pub(crate) fn end(self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed) }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (value, rest) = self.rest.split_first_chunk().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*value)
    }
}
