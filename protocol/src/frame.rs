//! Link frames: what travels inside TLS between a member and the server.
//!
//! `type: u8 | length: u24, big endian | body`. A frame with its head is at most 16,384 bytes,
//! the size of one TLS record, so that urgent frames never wait for more than one.
//!
//! | type | body | who sends it |
//! |---|---|---|
//! | 0x01 Hello | [`Hello`] | client, first of all |
//! | 0x02 Welcome | [`Welcome`] | server, in answer |
//! | 0x10 Request | [`Request`] | client |
//! | 0x11 Reply | [`Reply`] | server, one for each request |
//! | 0x12 Notice | [`Notice`] | server |
//! | 0x20 Packet | a packet, [`crate::header`] | both |
//! | 0x40 Ping | 8 bytes, any | both |
//! | 0x41 Pong | the 8 bytes of the ping | both |
//! | 0x50 Bye | [`Bye`] | both, the last frame |
//!
//! Bodies that are types are in [postcard](https://postcard.jamesmunns.com/wire-format), nothing
//! may follow them.

use serde::{Serialize, de::DeserializeOwned};

use crate::tunnel::{Bye, Hello, Notice, Reply, Request, Welcome};

/// Bytes before the body.
pub const HEAD_LEN: usize = 4;

/// Bytes of a body at most.
pub const MAX_BODY: usize = 16_384 - HEAD_LEN;

/// Bytes of a body other than a packet's at most: nothing that the server itself reads is long.
pub const MAX_TYPED_BODY: usize = 512;

/// One frame. `P` holds the bytes of a packet: `Vec<u8>`, or something cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame<P = Vec<u8>> {
    /// Last frame of a link, and why.
    Bye(Bye),
    /// First frame of a client.
    Hello(Hello),
    /// Something a member must know.
    Notice(Notice),
    /// A packet between members, header included.
    Packet(P),
    /// Asks for a pong.
    Ping([u8; 8]),
    /// Answers a ping.
    Pong([u8; 8]),
    /// Answers a request.
    Reply(Reply),
    /// Asks the server itself for something.
    Request(Request),
    /// First frame of the server.
    Welcome(Welcome),
}

/// Why bytes are not a frame. All of these end the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidFrame {
    /// A type that does not exist.
    #[error("frame type {0:#04x} does not exist")]
    Type(u8),
    /// Longer than its type may be.
    #[error("frame of type {kind:#04x} says {length} bytes, more than it may have")]
    TooLong {
        /// The type.
        kind: u8,
        /// What its head says.
        length: usize,
    },
    /// The body does not make sense, or something follows it.
    #[error("frame of type {0:#04x} has a body that does not make sense")]
    Body(u8),
}

const HELLO: u8 = 0x01;
const WELCOME: u8 = 0x02;
const REQUEST: u8 = 0x10;
const REPLY: u8 = 0x11;
const NOTICE: u8 = 0x12;
const PACKET: u8 = 0x20;
const PING: u8 = 0x40;
const PONG: u8 = 0x41;
const BYE: u8 = 0x50;

/// The head of a frame: what to expect before the body has arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHead {
    kind: u8,
    length: usize,
}

impl FrameHead {
    /// Reads the four bytes and checks them, so that nobody waits or allocates for a body that
    /// cannot be right.
    ///
    /// # Errors
    /// [`InvalidFrame::Type`] or [`InvalidFrame::TooLong`].
    pub fn parse(head: [u8; HEAD_LEN]) -> Result<Self, InvalidFrame> {
        let [kind, a, b, c] = head;
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        let limit = match kind {
            HELLO | WELCOME | REQUEST | REPLY | NOTICE | BYE => MAX_TYPED_BODY,
            PACKET => MAX_BODY,
            PING | PONG => 8,
            _ => return Err(InvalidFrame::Type(kind)),
        };
        if length > limit {
            return Err(InvalidFrame::TooLong { kind, length });
        }
        Ok(Self { kind, length })
    }

    /// Bytes of the body, at most [`MAX_BODY`].
    pub fn body_len(&self) -> usize {
        self.length
    }

    /// Makes the frame of this head and its body.
    ///
    /// # Errors
    /// [`InvalidFrame::Body`], also when `body` is not [`FrameHead::body_len`] long.
    pub fn with_body<P: for<'a> From<&'a [u8]>>(
        self,
        body: &[u8],
    ) -> Result<Frame<P>, InvalidFrame> {
        let invalid = InvalidFrame::Body(self.kind);
        if body.len() != self.length {
            return Err(invalid);
        }
        let eight = || <[u8; 8]>::try_from(body).map_err(|_| invalid);
        Ok(match self.kind {
            HELLO => Frame::Hello(typed(body).ok_or(invalid)?),
            WELCOME => Frame::Welcome(typed(body).ok_or(invalid)?),
            REQUEST => Frame::Request(typed(body).ok_or(invalid)?),
            REPLY => Frame::Reply(typed(body).ok_or(invalid)?),
            NOTICE => Frame::Notice(typed(body).ok_or(invalid)?),
            BYE => Frame::Bye(typed(body).ok_or(invalid)?),
            PACKET => Frame::Packet(P::from(body)),
            PING => Frame::Ping(eight()?),
            PONG => Frame::Pong(eight()?),
            kind => return Err(InvalidFrame::Type(kind)),
        })
    }
}

/// Decodes a postcard body that nothing follows.
fn typed<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Some(value),
        _ => None,
    }
}

impl<P: AsRef<[u8]>> Frame<P> {
    /// Appends the frame's bytes.
    ///
    /// # Panics
    /// Never for frames that this crate makes: their bodies are bounded by their types, packets
    /// by [`crate::header::MAX_PACKET`]. A longer packet is cut off by a debug assertion.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Hello(body) => encode_typed(HELLO, body, out),
            Self::Welcome(body) => encode_typed(WELCOME, body, out),
            Self::Request(body) => encode_typed(REQUEST, body, out),
            Self::Reply(body) => encode_typed(REPLY, body, out),
            Self::Notice(body) => encode_typed(NOTICE, body, out),
            Self::Bye(body) => encode_typed(BYE, body, out),
            Self::Packet(packet) => encode_raw(PACKET, packet.as_ref(), out),
            Self::Ping(value) => encode_raw(PING, value, out),
            Self::Pong(value) => encode_raw(PONG, value, out),
        }
    }
}

fn encode_typed(kind: u8, body: &impl Serialize, out: &mut Vec<u8>) {
    let mut buffer = [0; MAX_TYPED_BODY];
    match postcard::to_slice(body, &mut buffer) {
        Ok(body) => encode_raw(kind, body, out),
        // The types bound their own size below MAX_TYPED_BODY; a test holds them to it.
        Err(error) => log::error!("frame {kind:#04x} does not fit: {error}"),
    }
}

fn encode_raw(kind: u8, body: &[u8], out: &mut Vec<u8>) {
    debug_assert!(body.len() <= MAX_BODY, "a frame's body is bounded");
    let [.., a, b, c] = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    out.extend_from_slice(&[kind, a, b, c]);
    out.extend_from_slice(body);
}

/// Cuts a stream of bytes into frames.
///
/// Holds at most one incomplete frame: [`MAX_BODY`] and its head, and nothing while idle.
#[derive(Debug, Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
}

impl FrameReader {
    /// A reader at the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes from the front of `input` until one frame is complete; `None` when all of
    /// `input` was taken and the frame goes on. Call again while `input` is not empty.
    ///
    /// # Errors
    /// [`InvalidFrame`]; the stream cannot go on after that.
    pub fn read<P: for<'a> From<&'a [u8]>>(
        &mut self,
        input: &mut &[u8],
    ) -> Result<Option<Frame<P>>, InvalidFrame> {
        if !self.fill(input, HEAD_LEN) {
            return Ok(None);
        }
        let Some((head, _)) = self.buffer.split_first_chunk::<HEAD_LEN>() else {
            return Ok(None);
        };
        let head = FrameHead::parse(*head)?;
        if !self.fill(input, HEAD_LEN + head.body_len()) {
            return Ok(None);
        }
        let frame = head.with_body(self.buffer.get(HEAD_LEN..).unwrap_or_default());
        self.buffer = Vec::new();
        frame.map(Some)
    }

    /// Takes from `input` until the buffer holds `target` bytes; whether it does.
    fn fill(&mut self, input: &mut &[u8], target: usize) -> bool {
        let missing = target.saturating_sub(self.buffer.len()).min(input.len());
        let (taken, rest) = input.split_at(missing);
        self.buffer.extend_from_slice(taken);
        *input = rest;
        self.buffer.len() >= target
    }
}

impl<P> From<Request> for Frame<P> {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
