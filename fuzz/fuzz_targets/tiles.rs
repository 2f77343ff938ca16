//! Picture updates from a hostile presenter.
//!
//! The first byte chooses how the rest is used: as a whole message, or as photographs and decisions
//! that are put into a sound envelope, so that the checks behind the compression are reached; there
//! tiles may be told roughly or not.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use lotse_codec::{Band, Decoder, Encoder, Limits, Size};

const SIZE: Size = Size::new(100, 70);

/// A full update, so that partial ones have a picture to change.
static FULL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let pixels: Vec<u8> = (0..SIZE.pixels() * 4).map(|at| (at / 3) as u8).collect();
    let stride = SIZE.width as usize * 4;
    let mut encoder = Encoder::new(1);
    let _ = encoder.begin(SIZE);
    for (y, rows) in (0..).step_by(64).zip(pixels.chunks(64 * stride)) {
        let band = Band { size: SIZE, y, rows: (rows.len() / stride) as u32, pixels: rows };
        encoder.push_band(band);
    }
    encoder.finish().ok().flatten().map(|update| update.bytes.to_vec()).unwrap_or_default()
});

fuzz_target!(|data: &[u8]| {
    let Some((how, rest)) = data.split_first() else { return };
    let message = if how & 1 == 0 { rest.to_vec() } else { envelope(rest, how & 2 != 0, how & 4 != 0) };
    let mut decoder = Decoder::new(Limits { max_pixels: 1 << 16 });
    assert!(decoder.decode(&FULL).is_ok());
    let before = decoder.picture().0.to_vec();
    match decoder.decode(&message) {
        Ok(changed) => {
            let (picture, size) = decoder.picture();
            assert_eq!(picture.len() as u64, size.pixels() * 4);
            assert!(picture.as_chunks::<4>().0.iter().all(|[.., alpha]| *alpha == 255));
            for rect in changed.rects {
                assert!(rect.width > 0 && rect.x + rect.width <= size.width);
                assert!(rect.height > 0 && rect.y + rect.height <= size.height);
            }
        }
        Err(_) => assert!(decoder.picture().0 == before, "half an update was applied"),
    }
});

/// Photographs and decisions in an envelope that is sound but for them; it follows the first
/// update, or is full.
fn envelope(data: &[u8], full: bool, rough: bool) -> Vec<u8> {
    let (photos, decisions) = match data.split_first() {
        Some((len, rest)) => rest.split_at((*len as usize * 8).min(rest.len())),
        None => (data, data),
    };
    let flags = if full { 9 } else { 0 } | if photos.is_empty() { 0 } else { 4 };
    let flags = flags | if rough { 16 } else { 0 };
    let mut message = vec![4, flags, 2, 0, 0, 0];
    if full {
        message.extend([100, 0, 70, 0]);
    }
    if rough {
        message.push(50);
    }
    let mut len = decisions.len();
    while len >= 0x80 {
        message.push(len as u8 | 0x80);
        len >>= 7;
    }
    message.push(len as u8);
    message.extend(photos);
    message.extend(decisions);
    message
}
