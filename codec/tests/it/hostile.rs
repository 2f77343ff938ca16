//! Bytes from somebody who means harm: an error, never a panic, never half an update.

use lotse_codec::{DecodeError, Decoder, Encoder, Limits, Size};
use proptest::prelude::*;

use crate::picture::{Picture, encode};

const HEADER: usize = 18;

/// A decoder with a picture, the bytes of it, and an update that would fit.
fn victim() -> (Decoder, Vec<u8>, Vec<u8>) {
    let mut picture = Picture::noise(Size::new(150, 140), 1);
    let mut encoder = Encoder::new(1).unwrap();
    let mut decoder = Decoder::new(Limits::default());
    decoder.decode(&encode(&mut encoder, &picture).unwrap().unwrap().1).unwrap();
    picture.set(3, 3, [1; 3]);
    picture.set(140, 139, [2; 3]);
    let update = encode(&mut encoder, &picture).unwrap().unwrap().1;
    let before = decoder.picture().0.to_vec();
    (decoder, before, update)
}

/// Tiles of the victim as they are before compression: the first and the last, one colour each.
const TWO_SOLID: [u8; 8] = [1, 10, 20, 30, 1, 40, 50, 60];
/// The runs for them: 9 tiles in 3 columns.
const FIRST_AND_LAST: [u8; 4] = [0, 0, 7, 0];

/// An update for the victim, made by hand.
fn forge(raw_len: u32, raw: &[u8], runs: &[u8]) -> Vec<u8> {
    let body = zstd::encode_all(raw, 1).unwrap();
    let mut out = vec![1, 0, 150, 0, 140, 0, 2, 0, 0, 0];
    out.extend(raw_len.to_le_bytes());
    out.extend((body.len() as u32).to_le_bytes());
    out.extend(body);
    out.extend(runs);
    out
}

/// Expects this error, and the picture as it was.
#[track_caller]
fn rejects(message: &[u8], matches: impl Fn(&DecodeError) -> bool) {
    let (mut decoder, before, good) = victim();
    let error = decoder.decode(message).unwrap_err();
    assert!(matches(&error), "{error:?}");
    assert_eq!(decoder.picture().0, before);
    assert_eq!(decoder.last_number(), 1);
    // And it still works.
    decoder.decode(&good).unwrap();
}

#[test]
fn the_forger_can_make_a_good_update() {
    let (mut decoder, ..) = victim();
    let changed = decoder.decode(&forge(8, &TWO_SOLID, &FIRST_AND_LAST)).unwrap();
    assert_eq!(changed.rects.len(), 2);
    assert_eq!(decoder.picture().0[..4], [10, 20, 30, 255]);
}

#[test]
fn rejects_an_update_cut_short_anywhere() {
    let (mut decoder, before, update) = victim();
    for len in 0..update.len() {
        decoder.decode(&update[..len]).unwrap_err();
        assert_eq!(decoder.picture().0, before);
    }
    decoder.decode(&update).unwrap();
}

#[test]
fn rejects_bytes_after_the_end() {
    let (_, _, update) = victim();
    for extra in [&[0][..], &[0, 0], &[1], &[200, 0], &[0xff; 8]] {
        rejects(&[&update, extra].concat(), |_| true);
    }
}

#[test]
fn rejects_unknown_versions_and_flags() {
    let (_, _, update) = victim();
    rejects(&[&[2], &update[1..]].concat(), |error| *error == DecodeError::Version(2));
    rejects(&[&[1, 2], &update[2..]].concat(), |error| *error == DecodeError::Flags(2));
}

#[test]
fn rejects_sizes_beyond_the_limits_before_allocating() {
    let sized = |width: u16, height: u16| {
        let mut message = vec![1, 1];
        message.extend(width.to_le_bytes());
        message.extend(height.to_le_bytes());
        message.extend([1, 0, 0, 0]);
        message.extend(u32::MAX.to_le_bytes());
        message.extend([0; 4]);
        message
    };
    for (width, height) in [(0, 5), (5, 0), (8193, 1), (1, 65535)] {
        rejects(&sized(width, height), |error| matches!(error, DecodeError::Size(_)));
    }
    rejects(&sized(8192, 8192), |error| {
        *error == DecodeError::TooLarge { pixels: 1 << 26, limit: 1 << 24 }
    });
    let mut small = Decoder::new(Limits { max_pixels: 100 });
    assert!(matches!(small.decode(&sized(101, 1)), Err(DecodeError::TooLarge { .. })));
    // Within the budget the next check speaks.
    assert_eq!(small.decode(&sized(100, 1)), Err(DecodeError::Empty));
}

#[test]
fn rejects_a_length_that_the_tiles_cannot_have() {
    let max = 1 + 64 * 64 * 3 + 1 + 22 * 12 * 3;
    rejects(&forge(max + 1, &TWO_SOLID, &FIRST_AND_LAST), |error| {
        *error == DecodeError::RawLength { claimed: max as usize + 1, max: max as usize }
    });
}

#[test]
fn rejects_a_compressed_part_of_another_length() {
    for claimed in [0, 7, 9] {
        rejects(&forge(claimed, &TWO_SOLID, &FIRST_AND_LAST), |error| {
            matches!(error, DecodeError::Compressed(_))
        });
    }
    // A bomb: far more than claimed.
    rejects(&forge(8, &vec![1; 50_000_000], &FIRST_AND_LAST), |error| {
        matches!(error, DecodeError::Compressed(_))
    });
}

#[test]
fn rejects_two_frames_in_one() {
    let mut body = zstd::encode_all(&TWO_SOLID[..4], 1).unwrap();
    body.extend(zstd::encode_all(&TWO_SOLID[4..], 1).unwrap());
    let mut message = forge(8, &TWO_SOLID, &[]);
    message.truncate(14);
    message.extend((body.len() as u32).to_le_bytes());
    message.extend(body);
    message.extend(FIRST_AND_LAST);
    rejects(&message, |error| matches!(error, DecodeError::Compressed("more than one frame")));
}

#[test]
fn rejects_tiles_that_do_not_fill_their_bytes_exactly() {
    rejects(&forge(7, &TWO_SOLID[..7], &FIRST_AND_LAST), |error| {
        *error == DecodeError::TileLength(7)
    });
    let long = [&TWO_SOLID[..], &[0]].concat();
    rejects(&forge(9, &long, &FIRST_AND_LAST), |error| *error == DecodeError::TileLength(9));
}

#[test]
fn rejects_an_unknown_kind_of_tile_though_the_first_is_sound() {
    let mut raw = TWO_SOLID;
    raw[4] = 2;
    rejects(&forge(8, &raw, &FIRST_AND_LAST), |error| {
        *error == DecodeError::TileKind { tile: 8, kind: 2 }
    });
}

#[test]
fn rejects_tile_lists_that_are_empty_outside_or_out_of_order() {
    let with = |runs: &[u8]| forge(8, &TWO_SOLID, runs);
    rejects(&with(&[]), |error| *error == DecodeError::Empty);
    rejects(&with(&[8, 1]), |error| *error == DecodeError::TileOutside);
    rejects(&with(&[0, 0, 0, 0]), |error| *error == DecodeError::TileOrder);
}

#[test]
fn rejects_a_full_update_that_is_not() {
    let mut message = forge(8, &TWO_SOLID, &FIRST_AND_LAST);
    message[1] = 1;
    rejects(&message, |error| *error == DecodeError::NotFull { tiles: 2, of: 9 });
}

#[test]
fn rejects_number_zero() {
    let mut message = forge(8, &TWO_SOLID, &FIRST_AND_LAST);
    message[6] = 0;
    rejects(&message, |error| *error == DecodeError::NumberZero);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn garbage_never_panics(garbage in prop::collection::vec(any::<u8>(), 0..300)) {
        let (mut decoder, ..) = victim();
        let _ = decoder.decode(&garbage);
        let _ = Decoder::new(Limits::default()).decode(&garbage);
    }

    #[test]
    fn garbage_behind_a_sound_header_changes_nothing_or_all(
        raw in prop::collection::vec(any::<u8>(), 0..300),
        runs in prop::collection::vec(0..12_u8, 0..12),
        raw_len in 0..300_u32,
    ) {
        let (mut decoder, before, _) = victim();
        if decoder.decode(&forge(raw_len, &raw, &runs)).is_err() {
            prop_assert_eq!(decoder.picture().0, before);
        }
    }

    #[test]
    fn flipped_bits_never_panic_and_never_half_apply(
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 1..4),
    ) {
        let (mut decoder, before, mut update) = victim();
        for (at, bit) in flips {
            let at = at.index(update.len());
            update[at] ^= 1 << bit;
        }
        if decoder.decode(&update).is_err() {
            prop_assert_eq!(decoder.picture().0, before);
        }
    }

    #[test]
    fn flipped_header_bits_are_bounded(at in 0..HEADER, bit in 0..8_u8) {
        let (mut decoder, before, mut update) = victim();
        update[at] ^= 1 << bit;
        match decoder.decode(&update) {
            // The number is all that may differ in a sound update.
            Ok(_) => prop_assert!((6..10).contains(&at)),
            Err(_) => prop_assert_eq!(decoder.picture().0, before),
        }
    }
}
