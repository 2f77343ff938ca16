//! What a picture costs of memory once things have settled: nothing.

use lotse_codec::{Band, Encoder, Size, TILE};

use crate::picture::Picture;

const SIZE: Size = Size::new(320, 200);

/// A picture of a film that goes round: letters are typed, a page is turned and turned back, a
/// photograph changes.
fn frame(number: u32) -> Picture {
    let mut picture = match number / 8 % 3 {
        0 => Picture::plain(SIZE, [20, 40, 60]),
        1 => Picture::noise(SIZE, 7),
        _ => Picture::noise(SIZE, u64::from(number % 4)),
    };
    for at in 0..number % 8 {
        (0..6).for_each(|y| picture.set(at * 9 + y % 3, 30 + y, [250; 3]));
    }
    picture
}

fn encode(encoder: &mut Encoder, picture: &Picture) -> usize {
    encoder.begin(SIZE).unwrap();
    picture.bands().for_each(|band: Band<'_>| encoder.push_band(band));
    encoder.finish().unwrap().map_or(0, |update| update.bytes.len())
}

#[test]
fn an_encoder_that_has_seen_it_all_allocates_nothing() {
    assert!(SIZE.height.is_multiple_of(TILE) || SIZE.height > TILE, "several bands");
    let frames: Vec<Picture> = (0..24).map(frame).collect();
    let mut encoder = Encoder::new(1);
    let first = allocation_counter::measure(|| {
        encode(&mut encoder, &frames[0]);
    });
    assert!(first.count_total > 0, "a new encoder does allocate, and that is counted");
    for _ in 0..4 {
        for frame in &frames {
            encode(&mut encoder, frame);
        }
    }
    let mut bytes = 0;
    let count = allocation_counter::measure(|| {
        bytes = frames.iter().map(|frame| encode(&mut encoder, frame)).sum();
    });
    assert!(bytes > 10_000, "something was encoded: {bytes} bytes");
    assert_eq!((count.count_total, count.bytes_total), (0, 0));
}
