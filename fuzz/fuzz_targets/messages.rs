//! Messages of another member, inside the encryption, and of the handshake before there is any.
//!
//! The first byte chooses the kind.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lotse_protocol::handshake::HandshakeMessage;
use lotse_protocol::message::{FromMember, FromModerator, decode, decode_input};
use lotse_protocol::{ServerAddress, SessionNumber};

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    match kind % 6 {
        0 => {
            let _ = decode::<FromModerator>(bytes);
        }
        1 => {
            let _ = decode::<FromMember>(bytes);
        }
        2 => {
            let _ = decode_input(bytes);
        }
        3 => {
            if let Ok(message) = HandshakeMessage::decode(bytes) {
                assert_eq!(message.encode(), bytes, "a handshake message has one spelling");
            }
        }
        4 => typed::<ServerAddress>(bytes),
        _ => typed::<SessionNumber>(bytes),
    }
});

/// What people type: if it is accepted, it can be shown and typed again.
fn typed<T>(bytes: &[u8])
where
    T: std::str::FromStr + std::fmt::Display + std::fmt::Debug + PartialEq,
{
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(value) = text.parse::<T>() else { return };
    assert_eq!(value.to_string().parse::<T>().ok(), Some(value));
}
