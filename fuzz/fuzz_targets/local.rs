//! What the agent's two processes say to each other; the machine process believes nothing of it.
//!
//! The first byte chooses who reads.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lotse_agent::ipc::{Message, Reader, ToMachine, ToNetwork, encode, encode_picture};
use serde::Serialize;
use serde::de::DeserializeOwned;

fuzz_target!(|data: &[u8]| {
    let Some((who, stream)) = data.split_first() else { return };
    if who % 2 == 0 {
        read::<ToMachine>(Reader::without_pictures, stream);
    } else {
        read::<ToNetwork>(Reader::with_pictures, stream);
    }
});

fn read<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(
    reader: fn() -> Reader,
    stream: &[u8],
) {
    let whole = messages::<T>(reader(), stream, stream.len());
    for step in [1, 5] {
        let cut = messages::<T>(reader(), stream, step);
        assert_eq!(cut, whole, "messages depend on how the stream was cut");
    }
    let mut again = Vec::new();
    for message in &whole {
        match message {
            Message::Typed(message) => encode(message, &mut again),
            Message::Picture(update) => encode_picture(update, &mut again),
        }
    }
    assert_eq!(messages::<T>(reader(), &again, again.len()), whole, "read again, it is another");
}

/// The messages before the first fault.
fn messages<T: DeserializeOwned>(
    mut reader: Reader,
    stream: &[u8],
    step: usize,
) -> Vec<Message<T>> {
    let mut found = Vec::new();
    for piece in stream.chunks(step.max(1)) {
        reader.push(piece);
        loop {
            match reader.take() {
                Ok(Some(message)) => found.push(message),
                Ok(None) => break,
                Err(_) => return found,
            }
        }
    }
    found
}
