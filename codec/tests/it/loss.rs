//! A change that was captured is never lost: pictures given up, updates that do not arrive.

use lotse_codec::{Band, DecodeError, Decoder, EncodeError, Encoder, Limits, Size};
use proptest::prelude::*;

use crate::picture::{Picture, encode};

const SIZE: Size = Size::new(200, 150);

#[test]
fn a_picture_given_up_half_way_is_sent_by_the_next() {
    let mut picture = Picture::plain(SIZE, [1; 3]);
    let mut encoder = Encoder::new(1);
    encode(&mut encoder, &picture).unwrap();
    picture.set(0, 0, [2; 3]);
    encoder.begin(SIZE).unwrap();
    picture.bands().take(1).for_each(|band| encoder.push_band(band));
    assert_eq!(encoder.finish(), Err(EncodeError::Incomplete { rows: 64, height: 150 }));

    encoder.begin(SIZE).unwrap();
    picture.bands().take(2).for_each(|band| encoder.push_band(band));
    // No end: the next picture begins.
    let (number, _) = encode(&mut encoder, &picture).unwrap().unwrap();
    assert_eq!(number, 2);
    assert_eq!(encode(&mut encoder, &picture).unwrap(), None);
}

#[test]
fn a_full_update_is_sent_on_request_though_nothing_changed() {
    let picture = Picture::noise(SIZE, 1);
    let mut encoder = Encoder::new(1);
    encode(&mut encoder, &picture).unwrap();
    encoder.request_full();
    let (_, bytes) = encode(&mut encoder, &picture).unwrap().unwrap();
    let mut decoder = Decoder::new(Limits::default());
    assert!(decoder.decode(&bytes).unwrap().full);
    assert_eq!(decoder.picture().0, picture.rgba());
}

#[test]
fn a_viewer_without_a_picture_waits_for_a_full_update() {
    let mut picture = Picture::noise(SIZE, 1);
    let mut encoder = Encoder::new(1);
    encode(&mut encoder, &picture).unwrap();
    picture.set(9, 9, [0; 3]);
    let (_, bytes) = encode(&mut encoder, &picture).unwrap().unwrap();
    let mut decoder = Decoder::new(Limits::default());
    assert_eq!(decoder.decode(&bytes), Err(DecodeError::NoPicture));
    assert_eq!(decoder.picture(), (&[][..], Size::default()));
}

#[test]
fn an_update_is_not_applied_twice_or_backwards() {
    let mut picture = Picture::noise(SIZE, 1);
    let mut encoder = Encoder::new(1);
    let mut decoder = Decoder::new(Limits::default());
    decoder.decode(&encode(&mut encoder, &picture).unwrap().unwrap().1).unwrap();
    picture.set(9, 9, [0; 3]);
    let second = encode(&mut encoder, &picture).unwrap().unwrap().1;
    picture.set(9, 9, [1; 3]);
    let third = encode(&mut encoder, &picture).unwrap().unwrap().1;
    assert!(matches!(decoder.decode(&third), Err(DecodeError::Missing { base: 2, last: 1 })));
    decoder.decode(&second).unwrap();
    decoder.decode(&third).unwrap();
    for old in [&second, &third] {
        assert!(matches!(decoder.decode(old), Err(DecodeError::OutOfOrder { last: 3, .. })));
    }
    assert_eq!(decoder.picture().0, picture.rgba());
}

#[test]
fn a_restarted_encoder_begins_anew() {
    let picture = Picture::noise(SIZE, 1);
    let mut decoder = Decoder::new(Limits::default());
    for _ in 0..2 {
        let mut encoder = Encoder::new(1);
        let (number, bytes) = encode(&mut encoder, &picture).unwrap().unwrap();
        assert_eq!(number, 1);
        assert!(decoder.decode(&bytes).unwrap().full);
    }
}

#[test]
fn wrong_bands_are_told_at_the_end_and_cost_nothing() {
    let picture = Picture::noise(SIZE, 1);
    let band = picture.bands().next().unwrap();
    let mut encoder = Encoder::new(1);
    assert_eq!(encoder.finish(), Err(EncodeError::NotBegun));
    assert_eq!(encoder.begin(Size::new(0, 9)), Err(EncodeError::Size(Size::new(0, 9))));
    encoder.push_band(band);
    assert_eq!(encoder.finish(), Err(EncodeError::NotBegun));
    for (wrong, error) in [
        (
            Band { size: Size::new(200, 151), ..band },
            EncodeError::OtherSize { band: Size::new(200, 151), begun: SIZE },
        ),
        (Band { y: 64, ..band }, EncodeError::BandOrder { expected: 0, got: 64 }),
        (Band { rows: 63, ..band }, EncodeError::BandLength { rows: 63, bytes: 64 * 800 }),
        (
            Band { pixels: &band.pixels[4..], ..band },
            EncodeError::BandLength { rows: 64, bytes: 64 * 800 - 4 },
        ),
    ] {
        encoder.begin(SIZE).unwrap();
        encoder.push_band(wrong);
        picture.bands().for_each(|band| encoder.push_band(band));
        assert_eq!(encoder.finish(), Err(error));
    }
    encoder.begin(SIZE).unwrap();
    picture.bands().for_each(|band| encoder.push_band(band));
    encoder.push_band(Band { y: 150, ..band });
    assert_eq!(encoder.finish(), Err(EncodeError::BandOrder { expected: 150, got: 150 }));
    assert_eq!(encode(&mut encoder, &picture).unwrap().unwrap().0, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Updates get lost at random; the viewer says what it applied last, the encoder resends from
    /// there, and in the end both have the same picture.
    #[test]
    fn whatever_is_lost_is_made_up_for(
        films in prop::collection::vec((any::<(u32, u32, [u8; 3])>(), any::<bool>()), 1..20),
    ) {
        let mut picture = Picture::plain(SIZE, [9; 3]);
        let mut encoder = Encoder::new(1);
        let mut decoder = Decoder::new(Limits::default());
        decoder.decode(&encode(&mut encoder, &picture).unwrap().unwrap().1).unwrap();
        for ((x, y, colour), lost) in films {
            picture.set(x, y, colour);
            let Some((_, bytes)) = encode(&mut encoder, &picture).unwrap() else { continue };
            if lost {
                encoder.resend_after(decoder.last_number());
            } else {
                decoder.decode(&bytes).unwrap();
                prop_assert_eq!(decoder.picture().0, picture.rgba());
            }
        }
        if let Some((_, bytes)) = encode(&mut encoder, &picture).unwrap() {
            decoder.decode(&bytes).unwrap();
        }
        prop_assert_eq!(decoder.picture().0, picture.rgba());
    }

    #[test]
    fn a_gap_is_counted_and_cured_by_resending(
        dots in prop::collection::vec(any::<(u32, u32)>(), 2..8),
        seen in 0..8_usize,
    ) {
        let mut picture = Picture::plain(SIZE, [0; 3]);
        let mut encoder = Encoder::new(1);
        let mut decoder = Decoder::new(Limits::default());
        let mut updates = vec![encode(&mut encoder, &picture).unwrap().unwrap().1];
        for (step, (x, y)) in dots.iter().enumerate() {
            picture.set(*x, *y, [step as u8 + 1; 3]);
            updates.push(encode(&mut encoder, &picture).unwrap().unwrap().1);
        }
        // It saw the first updates, and then nothing for a while; what follows it cannot use.
        let seen = seen.min(updates.len() - 2) + 1;
        for update in &updates[..seen] {
            decoder.decode(update).unwrap();
        }
        for update in &updates[seen + 1..] {
            let refused = matches!(decoder.decode(update), Err(DecodeError::Missing { .. }));
            prop_assert!(refused);
        }
        encoder.resend_after(seen as u32);
        let (_, cure) = encode(&mut encoder, &picture).unwrap().unwrap();
        let changed = decoder.decode(&cure).unwrap();
        if !changed.full {
            prop_assert_eq!(changed.missed, (updates.len() - seen) as u32);
        }
        // Who has seen everything can go on, too.
        let mut attentive = Decoder::new(Limits::default());
        for update in &updates {
            attentive.decode(update).unwrap();
        }
        attentive.decode(&cure).unwrap();
        prop_assert_eq!(attentive.picture().0, picture.rgba());
        prop_assert_eq!(decoder.picture().0, picture.rgba());
    }
}

/// Pages that come and go, things that move, and lost updates: what is remembered and what is
/// copied must never come from a picture that a viewer does not have.
#[derive(Debug, Clone)]
enum Scene {
    Page(u8),
    Scroll(i8),
    Dot(u32, u32, [u8; 3]),
}

fn scenes() -> impl Strategy<Value = Scene> {
    prop_oneof![
        (0..4_u8).prop_map(Scene::Page),
        (-100..100_i8).prop_map(Scene::Scroll),
        any::<(u32, u32, [u8; 3])>().prop_map(|(x, y, colour)| Scene::Dot(x, y, colour)),
    ]
}

/// A page of lines, each of another pattern.
fn page(number: u8) -> Picture {
    let mut picture = Picture::plain(SIZE, [200; 3]);
    for y in 0..SIZE.height {
        for x in 0..SIZE.width {
            let hash = (x / 3).wrapping_mul(y + 7).wrapping_add(u32::from(number) * 77);
            if hash % 5 == 0 {
                picture.set(x, y, [number, (y % 3) as u8, 9]);
            }
        }
    }
    picture
}

fn scrolled(picture: &Picture, by: i8) -> Picture {
    let stride = picture.size.width as usize * 4;
    let mut rows: Vec<&[u8]> = picture.bgrx.chunks(stride).collect();
    let distance = usize::from(by.unsigned_abs()) % rows.len();
    if by >= 0 {
        rows.rotate_left(distance)
    } else {
        rows.rotate_right(distance)
    }
    Picture { size: picture.size, bgrx: rows.concat() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn pages_scrolls_and_losses_leave_every_viewer_with_the_right_picture(
        scenes in prop::collection::vec((scenes(), any::<bool>(), 0..4_u8), 1..25),
    ) {
        let mut picture = page(0);
        let mut encoder = Encoder::new(3);
        // One that gets everything, and one that does not.
        let (mut steady, mut shaky) = (Decoder::new(Limits::default()), Decoder::new(Limits::default()));
        let mut lacks = false;
        for (scene, still, luck) in scenes {
            match scene {
                Scene::Page(number) => picture = page(number),
                Scene::Scroll(by) => picture = scrolled(&picture, by),
                Scene::Dot(x, y, colour) => picture.set(x, y, colour),
            }
            if luck == 2 {
                // Another picture is begun and given up: nothing of it may be known.
                encoder.begin(SIZE).unwrap();
                page(9).bands().take(2).for_each(|band| encoder.push_band(band));
            }
            for _ in 0..=u8::from(still) {
                let Some((_, bytes)) = encode(&mut encoder, &picture).unwrap() else { continue };
                steady.decode(&bytes).unwrap();
                prop_assert_eq!(steady.picture().0, picture.rgba());
                if luck > 0 {
                    match shaky.decode(&bytes) {
                        Ok(_) => prop_assert_eq!(shaky.picture().0, picture.rgba()),
                        Err(DecodeError::Missing { .. } | DecodeError::NoPicture) => lacks = true,
                        Err(error) => panic!("{error}"),
                    }
                } else {
                    lacks = true;
                }
            }
            if lacks && luck == 3 {
                encoder.resend_after(shaky.last_number());
                lacks = false;
            }
        }
        encoder.resend_after(shaky.last_number());
        if let Some((_, bytes)) = encode(&mut encoder, &picture).unwrap() {
            steady.decode(&bytes).unwrap();
            shaky.decode(&bytes).unwrap();
        }
        prop_assert_eq!(steady.picture().0, picture.rgba());
        prop_assert_eq!(shaky.picture().0, picture.rgba());
    }
}
