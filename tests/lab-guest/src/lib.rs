//! The channel between the lab on the host and the virtual machine: requests one way, replies the other.
//!
//! It runs over a virtio serial port, so it is a plain byte stream: no addresses, no prompt to parse, and every byte passes
//! unchanged. The host sends one [`Request`] and waits for its [`Reply`]; there is never more than one under way.
//!
//! # Format
//!
//! A frame is a `u32` length (little-endian, at most [`MAX_FRAME_BYTES`]) and that many bytes of body. A body is one tag byte
//! and the fields in the order in which they are declared. An integer is little-endian; bytes and text are a `u32` length
//! and the content.

mod wire;

use std::io::{self, Read, Write};

use wire::{Fields, Malformed, Writer};

/// Longest frame that either side accepts, in bytes: a picture of 3840×2160 and its wrapping fit.
pub const MAX_FRAME_BYTES: usize = 64 * 1024 * 1024;

/// Name of the virtio serial port, `/dev/virtio-ports/NAME` in the guest.
pub const PORT: &str = "lotse.lab";

/// What the host asks of the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// Answer with the same number: the guest is up, and both sides agree on where a frame starts.
    Ping {
        /// Comes back in [`Reply::Pong`].
        nonce: u64,
    },
    /// Run a command with `sh -c` until it ends. Answered by [`Reply::Ended`].
    Run {
        /// The command line.
        command: String,
        /// What the command reads from its standard input.
        stdin: Vec<u8>,
        /// After this time the command and what it started are killed, in milliseconds.
        timeout_ms: u32,
    },
    /// Start a command with `sh -c` and leave it running. Answered by [`Reply::Started`].
    Spawn {
        /// The command line.
        command: String,
        /// File in the guest that takes standard output and standard error.
        log: String,
    },
    /// Write a file, replacing what was there under this name. Answered by [`Reply::Done`].
    Put {
        /// Absolute path in the guest; its folder is made when it is missing.
        path: String,
        /// Permission bits, such as `0o755`.
        mode: u32,
        /// The content.
        content: Vec<u8>,
    },
    /// Read a file. Answered by [`Reply::File`].
    Get {
        /// Absolute path in the guest.
        path: String,
    },
    /// Take the host's clock and fresh randomness, which a machine restored from a saved state lacks. Answered by
    /// [`Reply::Done`].
    Refresh {
        /// Time of day, in milliseconds since 1970 UTC.
        unix_ms: u64,
        /// Stirred into the kernel's random pool.
        entropy: Vec<u8>,
    },
}

/// What the guest answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// To [`Request::Ping`].
    Pong {
        /// The number that was sent.
        nonce: u64,
    },
    /// To [`Request::Run`]: the command ended or was killed.
    Ended {
        /// Exit status; 128 plus the signal's number when a signal ended it.
        status: u32,
        /// 1 when it was killed because its time was up, else 0.
        timed_out: u32,
        /// What it wrote to standard output.
        stdout: Vec<u8>,
        /// What it wrote to standard error.
        stderr: Vec<u8>,
    },
    /// To [`Request::Spawn`].
    Started {
        /// Process id, which is also its process group.
        pid: u32,
    },
    /// The request was carried out and there is nothing to tell.
    Done,
    /// To [`Request::Get`].
    File {
        /// The content.
        content: Vec<u8>,
    },
    /// The request could not be carried out.
    Failed {
        /// Why, in words for people.
        reason: String,
    },
}

const PING: u8 = 1;
const RUN: u8 = 2;
const SPAWN: u8 = 3;
const PUT: u8 = 4;
const GET: u8 = 5;
const REFRESH: u8 = 6;

const PONG: u8 = 65;
const ENDED: u8 = 66;
const STARTED: u8 = 67;
const DONE: u8 = 68;
const FILE: u8 = 69;
const FAILED: u8 = 70;

impl Request {
    /// Reads one frame and decodes it; `None` when the other side closed the stream between two frames.
    ///
    /// # Errors
    /// The stream's error; `InvalidData` when the frame is too long or its body is not a request; `UnexpectedEof` when the
    /// stream ends within a frame.
    pub fn read_from(stream: &mut impl Read) -> io::Result<Option<Self>> {
        read_frame(stream)?.map(|body| Self::decode(&body).map_err(invalid)).transpose()
    }

    /// Encodes this and writes it as one frame.
    ///
    /// # Errors
    /// The stream's error; `InvalidInput` when the frame would be longer than [`MAX_FRAME_BYTES`].
    pub fn write_to(&self, stream: &mut impl Write) -> io::Result<()> {
        write_frame(stream, &self.encode())
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Ping { nonce } => Writer::new(PING).u64(*nonce),
            Self::Run { command, stdin, timeout_ms } => {
                Writer::new(RUN).bytes(command.as_bytes()).bytes(stdin).u32(*timeout_ms)
            }
            Self::Spawn { command, log } => {
                Writer::new(SPAWN).bytes(command.as_bytes()).bytes(log.as_bytes())
            }
            Self::Put { path, mode, content } => {
                Writer::new(PUT).bytes(path.as_bytes()).u32(*mode).bytes(content)
            }
            Self::Get { path } => Writer::new(GET).bytes(path.as_bytes()),
            Self::Refresh { unix_ms, entropy } => Writer::new(REFRESH).u64(*unix_ms).bytes(entropy),
        }
        .into_body()
    }

    fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(body);
        let request = match fields.tag()? {
            PING => Self::Ping { nonce: fields.u64()? },
            RUN => Self::Run {
                command: fields.text()?,
                stdin: fields.bytes()?,
                timeout_ms: fields.u32()?,
            },
            SPAWN => Self::Spawn { command: fields.text()?, log: fields.text()? },
            PUT => {
                Self::Put { path: fields.text()?, mode: fields.u32()?, content: fields.bytes()? }
            }
            GET => Self::Get { path: fields.text()? },
            REFRESH => Self::Refresh { unix_ms: fields.u64()?, entropy: fields.bytes()? },
            _ => return Err(Malformed),
        };
        fields.end()?;
        Ok(request)
    }
}

impl Reply {
    /// Reads one frame and decodes it; `None` when the other side closed the stream between two frames.
    ///
    /// # Errors
    /// As [`Request::read_from`].
    pub fn read_from(stream: &mut impl Read) -> io::Result<Option<Self>> {
        read_frame(stream)?.map(|body| Self::decode(&body).map_err(invalid)).transpose()
    }

    /// Encodes this and writes it as one frame.
    ///
    /// # Errors
    /// As [`Request::write_to`].
    pub fn write_to(&self, stream: &mut impl Write) -> io::Result<()> {
        write_frame(stream, &self.encode())
    }

    fn encode(&self) -> Vec<u8> {
        match self {
            Self::Pong { nonce } => Writer::new(PONG).u64(*nonce),
            Self::Ended { status, timed_out, stdout, stderr } => {
                Writer::new(ENDED).u32(*status).u32(*timed_out).bytes(stdout).bytes(stderr)
            }
            Self::Started { pid } => Writer::new(STARTED).u32(*pid),
            Self::Done => Writer::new(DONE),
            Self::File { content } => Writer::new(FILE).bytes(content),
            Self::Failed { reason } => Writer::new(FAILED).bytes(reason.as_bytes()),
        }
        .into_body()
    }

    fn decode(body: &[u8]) -> Result<Self, Malformed> {
        let mut fields = Fields::new(body);
        let reply = match fields.tag()? {
            PONG => Self::Pong { nonce: fields.u64()? },
            ENDED => Self::Ended {
                status: fields.u32()?,
                timed_out: fields.u32()?,
                stdout: fields.bytes()?,
                stderr: fields.bytes()?,
            },
            STARTED => Self::Started { pid: fields.u32()? },
            DONE => Self::Done,
            FILE => Self::File { content: fields.bytes()? },
            FAILED => Self::Failed { reason: fields.text()? },
            _ => return Err(Malformed),
        };
        fields.end()?;
        Ok(reply)
    }
}

fn read_frame(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    let mut have = 0;
    while let Some(rest) = length.get_mut(have..).filter(|rest| !rest.is_empty()) {
        match stream.read(rest) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => have += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_FRAME_BYTES {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("a frame of {length} bytes is longer than {MAX_FRAME_BYTES}"),
        ));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(Some(body))
}

fn write_frame(stream: &mut impl Write, body: &[u8]) -> io::Result<()> {
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= MAX_FRAME_BYTES);
    let Some(length) = length else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a frame of {} bytes is longer than {MAX_FRAME_BYTES}", body.len()),
        ));
    };
    stream.write_all(&length.to_le_bytes())?;
    stream.write_all(body)?;
    stream.flush()
}

fn invalid(malformed: Malformed) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, malformed)
}

#[cfg(test)]
mod tests;
