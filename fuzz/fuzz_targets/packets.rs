//! Link frames and packet headers, which the server reads from anybody.

#![no_main]

use libfuzzer_sys::fuzz_target;
use lotse_protocol::Header;
use lotse_protocol::frame::{Frame, FrameReader, HEAD_LEN, MAX_BODY};

fuzz_target!(|data: &[u8]| {
    let whole = frames(data, data.len().max(1));
    for step in [1, 7] {
        assert_eq!(frames(data, step), whole, "frames depend on how the stream was cut");
    }
    if let Ok((header, payload)) = Header::parse(data) {
        assert_eq!([&header.encode()[..], payload].concat(), data);
    }
});

/// The frames before the first fault, if the stream comes in pieces of `step` bytes.
fn frames(data: &[u8], step: usize) -> Vec<Frame> {
    let mut reader = FrameReader::new();
    let mut found = Vec::new();
    for mut piece in data.chunks(step) {
        while !piece.is_empty() {
            match reader.read::<Vec<u8>>(&mut piece) {
                Ok(Some(frame)) => {
                    let mut bytes = Vec::new();
                    frame.encode(&mut bytes);
                    assert!(bytes.len() <= HEAD_LEN + MAX_BODY);
                    found.push(frame);
                }
                Ok(None) => {}
                Err(_) => return found,
            }
        }
    }
    found
}
