//! Picture updates from a hostile presenter.
//!
//! The first byte chooses how the rest is used: as a whole message, or as runs and raw tiles
//! that are put into a sound envelope, so that the checks behind the compression are reached.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use lotse_codec::{Band, Decoder, Encoder, Limits, Size};

const SIZE: Size = Size::new(100, 70);

/// A full update, so that partial ones have a picture to change.
static FULL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let pixels: Vec<u8> = (0..SIZE.pixels() * 4).map(|at| (at / 3) as u8).collect();
    let stride = SIZE.width as usize * 4;
    let Ok(mut encoder) = Encoder::new(1) else { return Vec::new() };
    let _ = encoder.begin(SIZE);
    for (y, rows) in (0..).step_by(64).zip(pixels.chunks(64 * stride)) {
        let band = Band { size: SIZE, y, rows: (rows.len() / stride) as u32, pixels: rows };
        encoder.push_band(band);
    }
    encoder.finish().ok().flatten().map(|update| update.bytes.to_vec()).unwrap_or_default()
});

fuzz_target!(|data: &[u8]| {
    let Some((how, rest)) = data.split_first() else { return };
    let message = if how & 1 == 0 { rest.to_vec() } else { envelope(rest) };
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

/// Runs and raw tiles in an envelope that is sound but for them.
fn envelope(data: &[u8]) -> Vec<u8> {
    let (runs, raw) = match data.split_first() {
        Some((len, rest)) => rest.split_at((*len as usize).min(rest.len())),
        None => (data, data),
    };
    let body = zstd::encode_all(raw, 1).unwrap_or_default();
    let mut message = vec![1, 0, 100, 0, 70, 0, 9, 0, 0, 0];
    message.extend((raw.len() as u32).to_le_bytes());
    message.extend((body.len() as u32).to_le_bytes());
    message.extend(body);
    message.extend(runs);
    message
}
