//! What goes in comes out, and only what changed is said.

use lotse_codec::{
    Changed, Decoder, EncodeError, Encoder, Limits, Rect, Size, TILE, max_update_len,
};
use proptest::prelude::*;

use crate::picture::{Picture, encode, encode_part};

/// Sizes with whole and partial tiles, and the narrowest ones.
fn sizes() -> impl Strategy<Value = Size> {
    prop_oneof![(1..200_u32, 1..200_u32), (1..4_u32, 1..300_u32), Just((128, 64))]
        .prop_map(|(width, height)| Size::new(width, height))
}

fn pictures() -> impl Strategy<Value = Picture> {
    (sizes(), any::<[u8; 3]>(), any::<u64>(), any::<bool>()).prop_map(
        |(size, colour, seed, noisy)| {
            if noisy { Picture::noise(size, seed) } else { Picture::plain(size, colour) }
        },
    )
}

type Dot = (u32, u32, [u8; 3]);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_picture_of_a_film_comes_back_pixel_for_pixel(
        mut picture in pictures(),
        scenes in prop::collection::vec(
            prop_oneof![
                4 => prop::collection::vec(any::<Dot>(), 0..5).prop_map(Err),
                1 => pictures().prop_map(Ok),
            ],
            1..6,
        ),
        key in any::<u64>(),
    ) {
        let mut encoder = Encoder::new(key);
        let mut decoder = Decoder::new(Limits::default());
        for scene in scenes {
            if let Some((number, bytes)) = encode(&mut encoder, &picture).unwrap() {
                prop_assert!(bytes.len() <= max_update_len(picture.size));
                let changed = decoder.decode(&bytes).unwrap();
                prop_assert_eq!(changed.number, number);
                prop_assert_eq!(changed.missed, 0);
            }
            let expected = picture.rgba();
            prop_assert_eq!(decoder.picture(), (expected.as_slice(), picture.size));
            match scene {
                Ok(other) => picture = other,
                Err(dots) => for (x, y, colour) in dots { picture.set(x, y, colour) },
            }
        }
    }

    #[test]
    fn what_is_passed_over_is_found_later_and_nothing_else_is_lost(
        mut picture in pictures(),
        scenes in prop::collection::vec((prop::collection::vec(any::<Dot>(), 1..4), any::<bool>()), 1..8),
    ) {
        let mut encoder = Encoder::new(3);
        let mut decoder = Decoder::new(Limits::default());
        let mut take = |update: Option<(u32, Vec<u8>)>, picture: &Picture| {
            let decoded = update.map(|(_, bytes)| decoder.decode(&bytes));
            decoded.is_none_or(|decoded| decoded.is_ok())
                && decoder.picture() == (picture.rgba().as_slice(), picture.size)
        };
        prop_assert!(take(encode(&mut encoder, &picture).unwrap(), &picture));
        for (dots, with_context) in scenes {
            let rows = dots.iter().map(|(_, y, _)| y % picture.size.height);
            let (from, to) = (rows.clone().min().unwrap(), rows.max().unwrap() + 1);
            for (x, y, colour) in &dots { picture.set(*x, *y, *colour) }
            // The rows above those that changed are what these are told by.
            let from = from.saturating_sub(if with_context { TILE } else { 0 });
            let update = match encode_part(&mut encoder, &picture, from, to) {
                Err(EncodeError::Unread { .. }) if !with_context && from >= TILE => {
                    encode(&mut encoder, &picture).unwrap()
                }
                update => update.unwrap(),
            };
            prop_assert!(take(update, &picture));
        }
        // In the last row, where at first nobody looks.
        let seen = picture.clone();
        picture.set(0, picture.size.height - 1, [1, 2, 3]);
        if picture.size.height > TILE {
            let update = encode_part(&mut encoder, &picture, 0, 1).unwrap();
            prop_assert!(take(update, &seen));
        }
        prop_assert!(take(encode(&mut encoder, &picture).unwrap(), &picture));
    }

    #[test]
    fn the_rectangles_hold_the_tiles_of_every_changed_pixel_and_no_others(
        before in pictures(),
        dots in prop::collection::vec(any::<Dot>(), 1..8),
    ) {
        let mut encoder = Encoder::new(7);
        let mut decoder = Decoder::new(Limits::default());
        decoder.decode(&encode(&mut encoder, &before).unwrap().unwrap().1).unwrap();
        let mut after = before.clone();
        for (x, y, colour) in dots { after.set(x, y, colour) }
        let rects = match encode(&mut encoder, &after).unwrap() {
            Some((_, bytes)) => decoder.decode(&bytes).unwrap().rects,
            None => Vec::new(),
        };
        for y in 0..after.size.height {
            for x in 0..after.size.width {
                let inside = rects.iter().filter(|rect| contains(rect, x, y)).count();
                prop_assert_eq!(inside, usize::from(tile_differs(&before, &after, x, y)));
            }
        }
    }
}

fn contains(rect: &Rect, x: u32, y: u32) -> bool {
    (rect.x..rect.x + rect.width).contains(&x) && (rect.y..rect.y + rect.height).contains(&y)
}

fn tile_differs(before: &Picture, after: &Picture, x: u32, y: u32) -> bool {
    let size = after.size;
    let (left, top) = (x / TILE * TILE, y / TILE * TILE);
    (top..(top + TILE).min(size.height)).any(|row| {
        let from = (row * size.width + left) as usize * 4;
        let to = (row * size.width + (left + TILE).min(size.width)) as usize * 4;
        before.bgrx[from..to] != after.bgrx[from..to]
    })
}

#[test]
fn a_still_picture_says_nothing() {
    let picture = Picture::noise(Size::new(300, 200), 1);
    let mut encoder = Encoder::new(1);
    assert!(encode(&mut encoder, &picture).unwrap().is_some());
    for _ in 0..3 {
        assert_eq!(encode(&mut encoder, &picture).unwrap(), None);
    }
    assert_eq!(encoder.last_number(), 1);
}

#[test]
fn what_must_be_sent_cannot_be_passed_over() {
    let picture = Picture::noise(Size::new(100, 200), 1);
    let mut encoder = Encoder::new(1);
    let unread = |outcome| matches!(outcome, Err(EncodeError::Unread { .. }));
    assert!(unread(encode_part(&mut encoder, &picture, 64, 65)), "nothing was sent yet");
    encode(&mut encoder, &picture).unwrap();
    assert_eq!(encode_part(&mut encoder, &picture, 64, 65), Ok(None));
    encoder.resend_after(0);
    assert!(unread(encode_part(&mut encoder, &picture, 64, 65)), "somebody lacks it");
    encoder.begin(picture.size).unwrap();
    encoder.skip_to(65);
    let wrong = EncodeError::BandOrder { expected: 0, got: 65 };
    assert_eq!(encoder.finish(), Err(wrong), "no band begins there");
}

#[test]
fn one_dot_sends_one_tile() {
    let mut picture = Picture::plain(Size::new(640, 480), [250; 3]);
    let mut encoder = Encoder::new(1);
    let mut decoder = Decoder::new(Limits::default());
    decoder.decode(&encode(&mut encoder, &picture).unwrap().unwrap().1).unwrap();
    picture.set(70, 130, [1, 2, 3]);
    let (_, bytes) = encode(&mut encoder, &picture).unwrap().unwrap();
    assert!(bytes.len() < 80, "{} bytes for one dot", bytes.len());
    assert_eq!(
        decoder.decode(&bytes).unwrap(),
        Changed {
            number: 2,
            full: false,
            missed: 0,
            rects: vec![Rect { x: 64, y: 128, width: 64, height: 64 }],
        }
    );
}

#[test]
fn a_plain_full_hd_picture_is_small() {
    let picture = Picture::plain(Size::new(1920, 1080), [3, 60, 90]);
    let mut encoder = Encoder::new(1);
    let (_, bytes) = encode(&mut encoder, &picture).unwrap().unwrap();
    assert!(bytes.len() < 100, "{} bytes for one colour", bytes.len());
}

#[test]
fn one_pixel_that_differs_in_one_channel_is_not_taken_for_the_others() {
    for channel in 0..3 {
        let mut picture = Picture::plain(Size::new(64, 64), [7; 3]);
        let mut colour = [7; 3];
        colour[channel] = 8;
        picture.set(63, 63, colour);
        let mut decoder = Decoder::new(Limits::default());
        let update = encode(&mut Encoder::new(1), &picture).unwrap().unwrap().1;
        decoder.decode(&update).unwrap();
        assert_eq!(decoder.picture().0, picture.rgba());
    }
}

#[test]
fn a_new_size_is_a_full_update() {
    let mut encoder = Encoder::new(1);
    let mut decoder = Decoder::new(Limits::default());
    for (width, height) in [(100, 100), (100, 101), (64, 64), (100, 100)] {
        let picture = Picture::plain(Size::new(width, height), [9, 8, 7]);
        let (_, bytes) = encode(&mut encoder, &picture).unwrap().unwrap();
        assert!(decoder.decode(&bytes).unwrap().full);
        assert_eq!(decoder.picture(), (picture.rgba().as_slice(), picture.size));
    }
}

#[test]
fn the_same_pictures_give_the_same_bytes_whatever_the_key() {
    let film = [
        Picture::noise(Size::new(130, 70), 3),
        Picture::plain(Size::new(130, 70), [5; 3]),
        Picture::noise(Size::new(65, 1), 4),
    ];
    let bytes_with = |key| {
        let mut encoder = Encoder::new(key);
        film.iter().map(|picture| encode(&mut encoder, picture).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(bytes_with(1), bytes_with(1));
    // Nothing of the key can be read from an update.
    assert_eq!(bytes_with(1), bytes_with(u64::MAX));
}

#[test]
fn the_bytes_of_layout_4_stay_as_they_are() {
    let mut encoder = Encoder::new(1);
    let mut picture = Picture::plain(Size::new(65, 2), [1, 2, 3]);
    let (_, bytes) = encode(&mut encoder, &picture).unwrap().unwrap();
    assert_eq!(bytes, [4, 9, 1, 0, 0, 0, 65, 0, 2, 0, 8, 253, 207, 66, 137, 143, 100, 71, 53]);
    picture.set(64, 1, [9, 9, 9]);
    let (_, bytes) = encode(&mut encoder, &picture).unwrap().unwrap();
    assert_eq!(bytes, [4, 0, 2, 0, 0, 0, 6, 234, 162, 75, 247, 223, 200]);
}

#[test]
fn the_fourth_byte_is_not_sent() {
    let mut picture = Picture::plain(Size::new(64, 64), [1, 2, 3]);
    let mut encoder = Encoder::new(1);
    let (_, opaque) = encode(&mut encoder, &picture).unwrap().unwrap();
    picture.bgrx.as_chunks_mut::<4>().0.iter_mut().for_each(|pixel| pixel[3] = 0);
    let (_, clear) = encode(&mut Encoder::new(1), &picture).unwrap().unwrap();
    assert_eq!(opaque, clear);
}

#[test]
fn the_encoder_holds_no_picture() {
    let size = Size::new(1920, 1080);
    let picture_bytes = 1920 * 1080 * 4;
    let mut encoder = Encoder::new(1);
    let mut picture = Picture::plain(size, [200; 3]);
    for step in 0..20 {
        picture.set(step * 90, step * 50, [0; 3]);
        encode(&mut encoder, &picture).unwrap();
    }
    assert!(encoder.memory() < picture_bytes / 2, "{} bytes", encoder.memory());
}

#[test]
fn steady_state_takes_no_new_memory_and_a_flood_is_given_back() {
    let size = Size::new(640, 480);
    let mut encoder = Encoder::new(1);
    // A first flood, for what is taken only once.
    encode(&mut encoder, &Picture::noise(size, 5)).unwrap();
    let mut still = Picture::plain(size, [200; 3]);
    for step in 0..3 {
        still.set(step, 0, [step as u8; 3]);
        encode(&mut encoder, &still).unwrap();
    }
    let calm = encoder.memory();
    for step in 0..50 {
        still.set(step * 10, step * 7, [0; 3]);
        encode(&mut encoder, &still).unwrap();
    }
    assert!(encoder.memory() <= calm, "{} after {calm}", encoder.memory());

    encode(&mut encoder, &Picture::noise(size, 6)).unwrap();
    assert!(encoder.memory() > calm + 600_000);
    for step in 0..3 {
        still.set(step, 5, [9; 3]);
        encode(&mut encoder, &still).unwrap();
    }
    assert!(encoder.memory() < calm + 300_000, "{} after {calm}", encoder.memory());
}
