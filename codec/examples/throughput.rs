//! How fast the codec is on this machine: still pass, full change, decoding.
//!
//! `cargo run --release -p lotse-codec --example throughput`

use std::error::Error;
use std::time::{Duration, Instant};

use lotse_codec::{Band, Decoder, Encoder, Limits, Size, TILE};

const SIZE: Size = Size::new(1920, 1080);
const ROUNDS: usize = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut a = vec![0; SIZE.pixels() as usize * 4];
    let mut b = a.clone();
    for (name, draw) in [("panel", panel as fn(u32, u32, u32) -> [u8; 3]), ("noise", noise)] {
        fill(&mut a, |x, y| draw(x, y, 1));
        fill(&mut b, |x, y| draw(x, y, 2));
        measure(name, [&a, &b])?;
    }
    Ok(())
}

/// A made-up control panel: flat fields, frames, and marks as dense as text.
fn panel(x: u32, y: u32, page: u32) -> [u8; 3] {
    let text = (y / 22).is_multiple_of(2)
        && x % 640 > 40
        && x % 640 < 460
        && hash(x / 2, y / 3, page).is_multiple_of(3);
    let frame = x % 640 < 3 || y % 270 < 3;
    match (frame, text) {
        (true, _) => [30, 60, 90],
        (_, true) => [20, 20, (20 * page) as u8],
        _ if x % 640 > 500 && y % 270 > 200 => [(x / 8) as u8, 160, (y / 4 * page) as u8],
        _ => [238, 240, 236 + page as u8],
    }
}

fn noise(x: u32, y: u32, page: u32) -> [u8; 3] {
    let [a, b, c, _] = hash(x, y, page).to_le_bytes();
    [a, b, c]
}

fn hash(x: u32, y: u32, page: u32) -> u32 {
    let mut value = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ page;
    for _ in 0..2 {
        value = (value ^ (value >> 15)).wrapping_mul(0x2c1b_3c6d);
    }
    value ^ (value >> 13)
}

fn fill(pixels: &mut [u8], colour: impl Fn(u32, u32) -> [u8; 3]) {
    for (y, row) in (0..).zip(pixels.chunks_exact_mut(SIZE.width as usize * 4)) {
        for (x, pixel) in (0..).zip(row.as_chunks_mut::<4>().0) {
            let [red, green, blue] = colour(x, y);
            *pixel = [blue, green, red, 255];
        }
    }
}

fn measure(name: &str, pictures: [&[u8]; 2]) -> Result<(), Box<dyn Error>> {
    let mut encoder = Encoder::new(0x5eed);
    let mut decoder = Decoder::new(Limits::default());
    let (mut still, mut full, mut decode) = (Duration::MAX, Duration::MAX, Duration::MAX);
    let mut bytes = 0;
    for round in 0..ROUNDS {
        for picture in pictures {
            let start = Instant::now();
            let update = encode(&mut encoder, picture)?.ok_or("no change seen")?;
            full = full.min(start.elapsed());
            bytes = update.len();
            let start = Instant::now();
            decoder.decode(update)?;
            decode = decode.min(start.elapsed());
            let start = Instant::now();
            if encode(&mut encoder, picture)?.is_some() {
                return Err(format!("round {round}: a still picture was sent").into());
            }
            still = still.min(start.elapsed());
        }
    }
    report(name, "still pass", still);
    report(name, "full change", full);
    report(name, "decode", decode);
    note(&format!(
        "{name:6} update {bytes} bytes ({:.2} % of 32-bit pixels), encoder {} KB",
        bytes as f64 / (SIZE.pixels() * 4) as f64 * 100.0,
        encoder.memory() / 1000
    ));
    Ok(())
}

fn encode<'a>(
    encoder: &'a mut Encoder,
    picture: &[u8],
) -> Result<Option<&'a [u8]>, Box<dyn Error>> {
    encoder.begin(SIZE)?;
    let band = TILE as usize * SIZE.width as usize * 4;
    for (y, pixels) in (0..).step_by(TILE as usize).zip(picture.chunks(band)) {
        let rows = TILE.min(SIZE.height - y);
        encoder.push_band(Band { size: SIZE, y, rows, pixels });
    }
    Ok(encoder.finish()?.map(|update| update.bytes))
}

fn report(name: &str, what: &str, took: Duration) {
    let rate = SIZE.pixels() as f64 * 4.0 / took.as_secs_f64() / 1e6;
    note(&format!("{name:6} {what:12} {:7.2} ms {rate:9.0} MB/s", took.as_secs_f64() * 1e3));
}

#[expect(clippy::print_stdout, reason = "this is the program's output")]
fn note(line: &str) {
    println!("{line}");
}
