//! What the agent's processes say to each other over local sockets.
//!
//! The machine process is privileged and starts the network process, which is not. So everything
//! that comes from the network process is treated like something from the network: bounded
//! before it is allocated, and obeyed only as far as the person at the machine has consented.
//!
//! Each message is `length: u32 little endian | kind: u8 | body`; the length counts kind and
//! body. Kind 0 has a body in postcard, kind 1 is an update of the picture as the codec made it.

use lotse_protocol::MemberId;
use lotse_protocol::certificate::{CertifiedDevice, CertifiedTechnician, PublicKey};
use lotse_protocol::message::{
    Consent, CoveredParts, DeviceEnd, FromFiles, FromTerminal, InputEvent, Name, OutputList,
    OutputName, Place, Restart, RestartReport, Rights, ScreenReport, SecretBytes, ToFiles,
    ToTerminal,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Bytes of a postcard body at most.
pub const MAX_BODY: usize = 4096;

/// Bytes of an update of the picture at most.
pub const MAX_PICTURE: usize = lotse_protocol::packet::MAX_PICTURE_MESSAGE;

const KIND_POSTCARD: u8 = 0;
const KIND_PICTURE: u8 = 1;
const LENGTH_LEN: usize = 4;

/// From the machine process to the network process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "handled one at a time, never stored in numbers")]
pub enum ToNetwork {
    /// First of all: where the server is, and what the machine is called there.
    Start {
        /// As in the configuration.
        server: heapless::String<400>,
        /// The machine's name.
        name: Name,
        /// The root of its operator, if it is enrolled.
        operator: Option<PublicKey>,
    },
    /// The person has typed a number.
    Join {
        /// The nine digits.
        number: u32,
    },
    /// The machine was restarted in the session of this number, and comes back.
    Return {
        /// The nine digits.
        number: u32,
        /// What the technician's console has given it for that.
        ticket: SecretBytes,
    },
    /// What becomes of a restart.
    Restart(RestartReport),
    /// The person has typed the session's password: six digits.
    Password(heapless::String<6>),
    /// This machine's proof for the handshake that goes on.
    Identified(Box<CertifiedDevice>),
    /// The person gave up joining.
    Cancel,
    /// The person has decided.
    Decide(Consent),
    /// What the screen is doing.
    Screen(ScreenReport),
    /// A character has no key here.
    CannotType(char),
    /// The person here uses the machine: input from afar has to wait.
    LocalInput,
    /// No more than this is allowed from now on.
    Limit(Rights),
    /// The session must end.
    End(DeviceEnd),
    /// The screens that the machine has.
    Outputs(Box<OutputList>),
    /// Parts of the picture that other hardware covers.
    Covered(CoveredParts),
    /// About the terminal here.
    Terminal(FromTerminal),
    /// About the files here.
    Files {
        /// The number of the request that this answers.
        id: u16,
        /// What.
        what: FromFiles,
    },
    /// Whether the screen can show arrows.
    Arrows(bool),
}

/// From the network process to the machine process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToMachine {
    /// Whether the server answers.
    Server {
        /// It does.
        is_reachable: bool,
    },
    /// The technician's console wants the session's password.
    AskPassword,
    /// The technician's console has a certificate of the same operator: this is to be signed.
    Identify {
        /// The handshake so far, as a hash.
        transcript: [u8; 32],
    },
    /// A technician is there and asks.
    Ask {
        /// What the technician calls himself.
        name: Name,
        /// For what.
        asks: Rights,
        /// What is known of the technician.
        standing: Standing,
    },
    /// The session is live with these rights.
    Connected {
        /// At most what was consented.
        rights: Rights,
    },
    /// Who moderates, and who controls the machine, or else moderates, where that is somebody else
    /// than the person here has accepted.
    Leads {
        /// As the list of members calls who moderates.
        moderator: Option<Name>,
        /// The same of who controls.
        controller: Option<Name>,
    },
    /// The link is silent, or speaks again.
    Silent(bool),
    /// Pictures are wanted, or no longer.
    Watch(bool),
    /// The update of this number is on the technician's screen.
    PictureShown(u32),
    /// The next update must hold all that was sent after the one of this number; all there is, if
    /// it is 0.
    Refresh {
        /// The number.
        after: u32,
    },
    /// To be injected.
    Input(InputEvent),
    /// No more than this may be done from now on, the technician's console says.
    Limit(Rights),
    /// Another of the machine's screens is wanted.
    Show(OutputName),
    /// About the terminal here.
    Terminal(ToTerminal),
    /// About the files here.
    Files {
        /// The request's number.
        id: u16,
        /// What.
        what: ToFiles,
    },
    /// A member points at something on the screen, or no longer.
    Arrow {
        /// Who.
        by: MemberId,
        /// What it calls itself.
        name: Name,
        /// Where.
        at: Option<Place>,
    },
    /// The machine or its application is to be restarted.
    Restart(Restart),
    /// It is over, or did not begin.
    Ended(Ended),
}

/// What the network process knows of a technician.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// Nothing, until people compare these six digits, as a number.
    Compare(u32),
    /// He knows the password that was typed here.
    Password,
    /// He shows a certificate, which the machine process must check.
    Shown {
        /// What he shows.
        technician: Box<CertifiedTechnician>,
        /// What he has signed beside the nonce of [`ToNetwork::Identified`].
        transcript: [u8; 32],
    },
}

/// Why a session is over, as far as the panel has words for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// The number lets nobody in.
    NotJoined,
    /// The person here said no.
    Refused,
    /// Nobody here answered.
    RefusedByTime,
    /// The person here stopped it.
    ByStaff,
    /// The technician ended it, or does not go on.
    ByTechnician,
    /// The connection is lost.
    ConnectionLost,
    /// Keys or packets were changed on the way.
    Unsafe,
    /// The password was not right, or somebody is in between.
    WrongPassword,
    /// Three wrong passwords were typed for the number.
    NumberBurned,
    /// The technician's certificate does not count here.
    NotCertified,
    /// The machine's own policy does not allow it.
    ByPolicy,
    /// The technician's certificate has expired.
    ByTime,
    /// There was no connection to the server.
    ServerUnreachable,
}

/// From the machine process to the one that starts programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToPrograms {
    /// About the terminal.
    Terminal(ToTerminal),
    /// About the files here.
    Files {
        /// The request's number.
        id: u16,
        /// What.
        what: ToFiles,
    },
    /// The machine is restarted, or its application.
    Restart {
        /// The machine.
        is_machine: bool,
    },
}

/// From the process that starts programs to the machine process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromPrograms {
    /// First of all: what is set up.
    Ready {
        /// There can be a terminal.
        terminal: bool,
        /// The application can be restarted.
        application: bool,
        /// The machine can be.
        machine: bool,
        /// What can be done with files.
        files: Rights,
    },
    /// About the terminal.
    Terminal(FromTerminal),
    /// About the files here.
    Files {
        /// The number of the request that this answers.
        id: u16,
        /// What.
        what: FromFiles,
    },
    /// What became of a restart.
    Restarted {
        /// Of the machine, or of its application.
        is_machine: bool,
        /// Its program ended well.
        is_done: bool,
    },
}

/// One message of either direction.
#[derive(Debug, PartialEq, Eq)]
pub enum Message<T> {
    /// A typed one.
    Typed(T),
    /// An update of the picture.
    Picture(Vec<u8>),
}

/// The other process does not keep to the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the other process sent something that is no message")]
pub struct InvalidMessage;

/// Appends a typed message.
pub fn encode(message: &impl Serialize, out: &mut Vec<u8>) {
    let body = postcard::to_allocvec(message).unwrap_or_default();
    debug_assert!(body.len() <= MAX_BODY, "messages between the processes are bounded");
    push(KIND_POSTCARD, &body, out);
}

/// Appends an update of the picture.
pub fn encode_picture(update: &[u8], out: &mut Vec<u8>) {
    push(KIND_PICTURE, update, out);
}

fn push(kind: u8, body: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(body.len() + 1).unwrap_or(u32::MAX);
    out.reserve(LENGTH_LEN + 1 + body.len());
    out.extend_from_slice(&length.to_le_bytes());
    out.push(kind);
    out.extend_from_slice(body);
}

/// Cuts a stream into messages. Pictures are taken only if `max_picture` is not zero.
#[derive(Debug)]
pub struct Reader {
    buffer: Vec<u8>,
    max_picture: usize,
}

impl Reader {
    /// For the side that receives no pictures.
    pub fn without_pictures() -> Self {
        Self { buffer: Vec::new(), max_picture: 0 }
    }

    /// For the side that receives pictures.
    pub fn with_pictures() -> Self {
        Self { buffer: Vec::new(), max_picture: MAX_PICTURE }
    }

    /// Takes bytes as they arrive.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next complete message. Call until `None` after each [`Reader::push`].
    ///
    /// # Errors
    /// [`InvalidMessage`]; the stream cannot go on.
    pub fn take<T: DeserializeOwned>(&mut self) -> Result<Option<Message<T>>, InvalidMessage> {
        let Some((length, rest)) = self.buffer.split_first_chunk::<LENGTH_LEN>() else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| InvalidMessage)?;
        if length == 0 || length > self.max_picture.max(MAX_BODY) + 1 {
            return Err(InvalidMessage);
        }
        let Some(message) = rest.get(..length) else { return Ok(None) };
        let message = match message {
            [KIND_POSTCARD, body @ ..] if body.len() <= MAX_BODY => {
                match postcard::take_from_bytes(body) {
                    Ok((message, [])) => Message::Typed(message),
                    _ => return Err(InvalidMessage),
                }
            }
            [KIND_PICTURE, body @ ..] if self.max_picture > 0 => Message::Picture(body.to_vec()),
            _ => return Err(InvalidMessage),
        };
        self.buffer.drain(..LENGTH_LEN + length);
        if self.buffer.is_empty() {
            // A picture may have made it large; idle costs nothing.
            self.buffer = Vec::new();
        }
        Ok(Some(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn read_all<T: DeserializeOwned>(
        mut reader: Reader,
        bytes: &[u8],
        step: usize,
    ) -> Result<Vec<Message<T>>, InvalidMessage> {
        let mut all = Vec::new();
        for piece in bytes.chunks(step.max(1)) {
            reader.push(piece);
            while let Some(message) = reader.take()? {
                all.push(message);
            }
        }
        Ok(all)
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(number: u32, update in vec(any::<u8>(), 0..3000), step in 1_usize..500) {
            let mut bytes = Vec::new();
            encode(&ToNetwork::Join { number }, &mut bytes);
            encode_picture(&update, &mut bytes);
            encode(&ToNetwork::Cancel, &mut bytes);
            prop_assert_eq!(
                read_all(Reader::with_pictures(), &bytes, step),
                Ok(vec![
                    Message::Typed(ToNetwork::Join { number }),
                    Message::Picture(update),
                    Message::Typed(ToNetwork::Cancel),
                ])
            );
        }

        #[test]
        fn garbage_is_refused_without_a_panic(bytes in vec(any::<u8>(), 0..300)) {
            read_all::<ToMachine>(Reader::without_pictures(), &bytes, 7).ok();
            read_all::<ToNetwork>(Reader::with_pictures(), &bytes, 7).ok();
        }
    }

    #[test]
    fn the_machine_process_takes_no_pictures_and_nothing_long() {
        let mut bytes = Vec::new();
        encode_picture(b"picture", &mut bytes);
        let taken = read_all::<ToMachine>(Reader::without_pictures(), &bytes, 99);
        assert_eq!(taken, Err(InvalidMessage));
        let head = u32::try_from(MAX_BODY + 2).unwrap().to_le_bytes();
        let taken = read_all::<ToMachine>(Reader::without_pictures(), &head, 99);
        assert_eq!(taken, Err(InvalidMessage), "refused before the body arrives");
    }
}
