//! Photographs told roughly at first, and exactly in the end.

use lotse_codec::{Decoder, Encoder, Limits, Size, TILE};
use proptest::prelude::*;

use crate::picture::{Picture, encode};

const SIZE: Size = Size::new(200, 150);

/// Puts noise into a rectangle, which counts as a photograph.
fn photograph(picture: &mut Picture, (x, y): (u32, u32), (width, height): (u32, u32), seed: u64) {
    let noise = Picture::noise(SIZE, seed);
    let stride = SIZE.width as usize * 4;
    let right = (x + width).min(SIZE.width) as usize;
    for row in y..(y + height).min(SIZE.height) {
        let row = row as usize * stride;
        let range = row + x as usize * 4..row + right * 4;
        picture.bgrx[range.clone()].copy_from_slice(&noise.bgrx[range]);
    }
}

/// Tiles that the viewer does not have as they are.
fn differing(picture: &Picture, decoder: &Decoder) -> u32 {
    let (expected, (found, _)) = (picture.rgba(), decoder.picture());
    let mut tiles = std::collections::BTreeSet::new();
    for (at, (one, other)) in expected.chunks(4).zip(found.chunks(4)).enumerate() {
        if one != other {
            let at = at as u32;
            tiles.insert((at % SIZE.width / TILE, at / SIZE.width / TILE));
        }
    }
    tiles.len() as u32
}

#[test]
fn a_photograph_comes_roughly_in_few_bytes_and_then_exactly() {
    let mut picture = Picture::plain(SIZE, [250; 3]);
    photograph(&mut picture, (0, 0), (200, 150), 5);
    let (mut encoder, mut decoder) = (Encoder::new(1), Decoder::new(Limits::default()));
    encoder.hurry(Some(30));
    let (_, first) = encode(&mut encoder, &picture).unwrap().unwrap();
    decoder.decode(&first).unwrap();
    assert!(first.len() * 2 < 200 * 150 * 3, "{} bytes", first.len());
    assert_eq!((encoder.coarse_tiles(), decoder.coarse_tiles()), (9, 9));
    assert_eq!(
        encode(&mut encoder, &picture).unwrap(),
        None,
        "what stands still is not told again"
    );
    let mut left = 9;
    while left > 0 {
        encoder.refine(5, (100, 70));
        let (_, update) = encode(&mut encoder, &picture).unwrap().unwrap();
        decoder.decode(&update).unwrap();
        left = decoder.coarse_tiles();
        assert_eq!(encoder.coarse_tiles(), left);
        assert!(differing(&picture, &decoder) <= left);
    }
    assert_eq!(decoder.picture().0, picture.rgba());
    encoder.refine(5, (0, 0));
    assert_eq!(encode(&mut encoder, &picture).unwrap(), None);
}

#[test]
fn what_is_nearest_becomes_exact_first() {
    let mut picture = Picture::plain(SIZE, [250; 3]);
    photograph(&mut picture, (0, 0), (200, 150), 5);
    let (mut encoder, mut decoder) = (Encoder::new(1), Decoder::new(Limits::default()));
    encoder.hurry(Some(30));
    decoder.decode(&encode(&mut encoder, &picture).unwrap().unwrap().1).unwrap();
    encoder.refine(1, (90, 100));
    assert_eq!(encode(&mut encoder, &picture).unwrap(), None, "it has to stand still first");
    encoder.refine(1, (90, 100));
    let update = encode(&mut encoder, &picture).unwrap().unwrap().1;
    let changed = decoder.decode(&update).unwrap();
    assert_eq!(changed.rects, [lotse_codec::Rect { x: 64, y: 64, width: 64, height: 64 }]);
}

#[test]
fn drawings_are_told_exactly_in_any_hurry() {
    let mut picture = Picture::plain(SIZE, [250; 3]);
    (0..300).for_each(|at| picture.set(at * 7, at * 3, [0; 3]));
    let mut encoder = Encoder::new(1);
    encoder.hurry(Some(1));
    let mut decoder = Decoder::new(Limits::default());
    decoder.decode(&encode(&mut encoder, &picture).unwrap().unwrap().1).unwrap();
    assert_eq!((decoder.coarse_tiles(), decoder.picture().0), (0, &picture.rgba()[..]));
}

/// What happens to the picture and to an update.
#[derive(Debug, Clone)]
struct Step {
    at: (u32, u32),
    size: (u32, u32),
    seed: u64,
    dots: u32,
    quality: Option<u8>,
    refined: u32,
    is_lost: bool,
}

fn step() -> impl Strategy<Value = Step> {
    let place = (0..SIZE.width, 0..SIZE.height);
    let how = (prop::option::of(1..=100_u8), 0..8_u32, prop::bool::weighted(0.2));
    (place, (0..120_u32, 0..120_u32), 0..4_u64, 0..20_u32, how).prop_map(
        |(at, size, seed, dots, (quality, refined, is_lost))| Step {
            at,
            size,
            seed,
            dots,
            quality,
            refined,
            is_lost,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever happens, the viewer has exactly all tiles but those that it knows to be rough, and in
    /// the end all of them.
    #[test]
    fn all_is_exact_but_what_is_known_not_to_be(steps in prop::collection::vec(step(), 1..16)) {
        let mut picture = Picture::plain(SIZE, [9; 3]);
        let (mut encoder, mut decoder) = (Encoder::new(1), Decoder::new(Limits::default()));
        decoder.decode(&encode(&mut encoder, &picture).unwrap().unwrap().1).unwrap();
        for step in steps {
            photograph(&mut picture, step.at, step.size, step.seed);
            let (x, y) = step.at;
            (0..step.dots).for_each(|dot| picture.set(x + dot, y + dot * dot, [dot as u8; 3]));
            encoder.hurry(step.quality);
            encoder.refine(step.refined, step.at);
            let Some((_, bytes)) = encode(&mut encoder, &picture).unwrap() else { continue };
            if step.is_lost {
                encoder.resend_after(decoder.last_number());
            } else {
                decoder.decode(&bytes).unwrap();
                prop_assert_eq!(encoder.coarse_tiles(), decoder.coarse_tiles());
                prop_assert!(differing(&picture, &decoder) <= decoder.coarse_tiles());
            }
        }
        encoder.hurry(None);
        for _ in 0..3 {
            encoder.refine(99, (0, 0));
            if let Some((_, bytes)) = encode(&mut encoder, &picture).unwrap() {
                decoder.decode(&bytes).unwrap();
            }
        }
        prop_assert_eq!(decoder.coarse_tiles(), 0);
        prop_assert_eq!(decoder.picture().0, picture.rgba());
    }
}
