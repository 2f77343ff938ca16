//! What members say to each other inside the encryption.
//!
//! Control and input messages are in postcard. A picture message is whatever the picture codec
//! made; this crate does not look into it. Every list and text is bounded by its type.

mod arrow;
mod bounded;
mod control;
mod feedback;
mod files;
mod input;
mod members;
mod restart;
mod rights;
mod screen;
mod terminal;

use heapless::String;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use arrow::{Arrow, ArrowReport, arrow_color};
pub use bounded::{List, SecretBytes};
pub use control::{Consent, DeviceEnd, FromMember, FromModerator};
pub use feedback::{Acknowledgement, FromControlled, RosterSeen, StillHere};
pub use files::{
    FILE_WINDOW, FileBytes, FileEntry, FileError, FileName, FilePath, FromFiles, MAX_FILE_BYTES,
    MAX_FILE_ENTRIES, MAX_FILE_NAME, MAX_FILE_PATH, ToFiles, is_file_path,
};
pub(crate) use input::encode_input;
pub use input::{Input, InputEvent, Place, decode_input};
pub use members::{ControlGrant, Entry, NewSecret, RosterChange, Signature, Turn};
pub use restart::{Restart, RestartReport};
pub use rights::Rights;
pub use screen::{CoveredParts, OutputList, OutputName, OutputReport, Part, ScreenReport};
pub use terminal::{
    FromTerminal, MAX_TERMINAL_BYTES, TERMINAL_WINDOW, TerminalBytes, TerminalEnd, TerminalSize,
    ToTerminal,
};

/// A name as it may come from a stranger: at most 64 bytes. Show it framed as a name, without
/// control characters.
pub type Name = String<64>;

/// What a member is in a session. The moderator is not among them: there is one, and the others
/// join it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Role {
    /// Shows its screen, and may let it be controlled.
    Device,
    /// Looks on, and may be given control of a device by the moderator.
    Onlooker,
}

/// Bytes that are not the message they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message does not make sense")]
pub struct InvalidMessage;

/// A message in postcard; nothing may follow it.
pub(crate) fn encode(message: &impl Serialize) -> Vec<u8> {
    // Fails only without memory: every message has a bounded size.
    postcard::to_allocvec(message).unwrap_or_default()
}

/// The message in some bytes.
///
/// # Errors
/// [`InvalidMessage`], also when something follows the message.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, InvalidMessage> {
    match postcard::take_from_bytes(bytes) {
        Ok((message, [])) => Ok(message),
        _ => Err(InvalidMessage),
    }
}

#[cfg(test)]
mod tests;
