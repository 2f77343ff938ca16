//! Bytes from somebody who means harm: an error, never a panic, never half an update.

use lotse_codec::{DecodeError, Decoder, Encoder, Limits, Size};
use proptest::prelude::*;

use crate::picture::{Picture, encode};

/// Size of the victim's picture: nine tiles, most of them cut off by its edges.
const SIZE: Size = Size::new(150, 140);

/// Bytes of the header of an update that follows the one before it: version, flags, number and,
/// for short ones, one byte of length.
const HEADER: usize = 7;

/// A decoder with a picture, the bytes of it, and an update that would fit: some dots, no
/// photograph.
fn victim() -> (Decoder, Vec<u8>, Vec<u8>) {
    let mut picture = Picture::plain(SIZE, [3; 3]);
    let mut encoder = Encoder::new(1);
    let mut decoder = Decoder::new(Limits::default());
    decoder.decode(&encode(&mut encoder, &picture).unwrap().unwrap().1).unwrap();
    for dot in 0..40 {
        picture.set(dot * 37, dot * 53, [dot as u8; 3]);
    }
    let update = encode(&mut encoder, &picture).unwrap().unwrap().1;
    let before = decoder.picture().0.to_vec();
    (decoder, before, update)
}

/// An update that fits the victim and holds a photograph.
fn photo() -> Vec<u8> {
    let mut encoder = Encoder::new(1);
    encode(&mut encoder, &Picture::plain(SIZE, [3; 3])).unwrap();
    encode(&mut encoder, &Picture::noise(SIZE, 1)).unwrap().unwrap().1
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
fn rejects_an_update_cut_short_anywhere() {
    for update in [victim().2, photo()] {
        let (mut decoder, before, _) = victim();
        let step = (update.len() / 300).max(1);
        for len in (0..update.len()).step_by(step) {
            decoder.decode(&update[..len]).unwrap_err();
            assert_eq!(decoder.picture().0, before);
        }
        decoder.decode(&update).unwrap();
    }
}

#[test]
fn rejects_bytes_after_the_end() {
    for update in [victim().2, photo()] {
        for extra in [&[0][..], &[0, 0], &[1], &[200, 0], &[0xff; 8]] {
            rejects(&[&update, extra].concat(), |_| true);
        }
    }
}

#[test]
fn rejects_unknown_versions_and_flags() {
    let (_, _, update) = victim();
    rejects(&[&[1], &update[1..]].concat(), |error| *error == DecodeError::Version(1));
    rejects(&[&[4, 32], &update[2..]].concat(), |error| *error == DecodeError::Flags(32));
    // Full, and yet following another.
    rejects(&[&[4, 11], &update[2..]].concat(), |error| *error == DecodeError::Flags(11));
    // Full, or a cure, and yet not forgetting what was learnt before.
    rejects(&[&[4, 1], &update[2..]].concat(), |error| *error == DecodeError::Flags(1));
    rejects(&[&[4, 2], &update[2..]].concat(), |error| *error == DecodeError::Flags(2));
}

#[test]
fn rejects_sizes_beyond_the_limits_before_allocating() {
    let sized = |width: u16, height: u16| {
        let mut message = vec![4, 9, 1, 0, 0, 0];
        message.extend(width.to_le_bytes());
        message.extend(height.to_le_bytes());
        message.push(0);
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
    // Within the budget the next check speaks: no tile is told.
    assert!(!matches!(small.decode(&sized(100, 1)), Err(DecodeError::TooLarge { .. })));
}

#[test]
fn rejects_updates_that_follow_what_is_not_there() {
    let (_, _, update) = victim();
    let numbered = |number: u32, base: Option<u32>| {
        let flags = if base.is_some() { 10 } else { 8 };
        let mut message = vec![4, flags];
        message.extend(number.to_le_bytes());
        message.extend(base.into_iter().flat_map(u32::to_le_bytes));
        message.extend(&update[6..]);
        message
    };
    rejects(&numbered(0, None), |error| *error == DecodeError::NumberZero);
    rejects(&numbered(1, None), |error| matches!(error, DecodeError::OutOfOrder { .. }));
    rejects(&numbered(3, None), |error| *error == DecodeError::Missing { base: 2, last: 1 });
    rejects(&numbered(9, Some(4)), |error| *error == DecodeError::Missing { base: 4, last: 1 });
    for base in [0, 8, 9, u32::MAX] {
        rejects(&numbered(9, Some(base)), |error| matches!(error, DecodeError::Base { .. }));
    }
    // A sound one: made anew after the first.
    let mut encoder = Encoder::new(1);
    let mut picture = Picture::plain(SIZE, [3; 3]);
    let mut decoder = Decoder::new(Limits::default());
    for step in 0..9 {
        picture.set(step, step, [step as u8 + 10; 3]);
        let bytes = encode(&mut encoder, &picture).unwrap().unwrap().1;
        if step == 0 {
            decoder.decode(&bytes).unwrap();
        }
    }
    encoder.resend_after(1);
    let bytes = encode(&mut encoder, &picture).unwrap().unwrap().1;
    assert_eq!(decoder.decode(&bytes).unwrap().missed, 8);
}

/// The photographs of [`photo`], with what is before and behind them.
fn parts(update: &[u8]) -> (&[u8], &[u8], &[u8]) {
    // The decisions are at the end, their length before the photographs.
    let drawn_len = usize::from(update[6] & 0x7f) | usize::from(update[7]) << 7;
    assert!(update[6] >= 0x80 && update[7] < 0x80, "two bytes say it");
    let (rest, drawn) = update.split_at(update.len() - drawn_len);
    let (head, photos) = rest.split_at(8);
    (head, photos, drawn)
}

#[test]
fn rejects_photographs_that_are_too_short_or_not_used_up() {
    let update = photo();
    let (head, sound, drawn) = parts(&update);
    let with_photos = |photos: &[u8]| [head, photos, drawn].concat();
    let (mut decoder, ..) = victim();
    decoder.decode(&with_photos(sound)).unwrap();
    rejects(&with_photos(&[]), |error| *error == DecodeError::Length);
    rejects(&with_photos(&sound[..sound.len() - 1]), |error| *error == DecodeError::Length);
    rejects(&with_photos(&[sound, &[0]].concat()), |error| *error == DecodeError::Length);
    // What is drawn beside them makes no sense any more, whichever is noticed first.
    rejects(&with_photos(&vec![0; 1 << 20]), |_| true);
    rejects(&with_photos(&vec![0xff; 1 << 20]), |_| true);
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
        decisions in prop::collection::vec(any::<u8>(), 0..127),
        number in 2..4_u8,
        photos in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let (mut decoder, before, _) = victim();
        let mut message = vec![4, if photos.is_empty() { 0 } else { 4 }, number, 0, 0, 0];
        message.push(decisions.len() as u8);
        message.extend(photos);
        message.extend(decisions);
        if decoder.decode(&message).is_err() {
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
    fn flipped_header_bits_are_noticed(at in 0..HEADER, bit in 0..8_u8) {
        let (mut decoder, before, mut update) = victim();
        // Its length takes two bytes.
        prop_assume!(update[6] < 0x80 || at < 6);
        update[at] ^= 1 << bit;
        prop_assert!(decoder.decode(&update).is_err());
        prop_assert_eq!(decoder.picture().0, before);
    }
}
