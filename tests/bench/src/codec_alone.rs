//! The codec without anything around it.

use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lotse_bench::{Canvas, Workload};
use lotse_codec::{Band, Decoder, Encoder, Limits, Size, TILE};
use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

/// Frames that are at least this far apart are looked at once more before the next comes, as an
/// agent does, which looks every 16 ms.
const STANDS_STILL: Duration = Duration::from_millis(50);

/// Processor time of this thread so far.
fn processor_time() -> Result<Duration> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).context("processor time")?;
    Ok(Duration::from(time))
}

/// Encodes every frame (and looks again where it stands still for a while), decodes it and compares, and says what it took.
///
/// # Errors
/// When a frame does not come back as it was.
pub(crate) fn measure(workload: &Workload, size: Size, seed: u64) -> Result<Value> {
    let mut canvas = Canvas::new(size.width, size.height);
    let mut scene = workload.scene(seed);
    let mut encoder = Encoder::new(seed);
    let mut decoder = Decoder::new(Limits::default());
    let (mut still, mut reading, mut looks) = (Duration::ZERO, Duration::ZERO, 0_u32);
    let (mut encoding, mut decoding) = (Duration::ZERO, Duration::ZERO);
    let mut lengths: Vec<usize> = Vec::new();
    let mut memory = 0;
    for frame in 0..workload.frames {
        scene.draw(&mut canvas, frame);
        let start = processor_time()?;
        let update = encode(&mut encoder, size, canvas.pixels())?;
        let encoded = processor_time()?;
        encoding += encoded.saturating_sub(start);
        if workload.period >= STANDS_STILL {
            ensure!(encode(&mut encoder, size, canvas.pixels())?.is_none(), "a still picture");
            let looked = processor_time()?;
            still += looked.saturating_sub(encoded);
            std::hint::black_box(read_all(canvas.pixels()));
            reading += processor_time()?.saturating_sub(looked);
            looks += 1;
        }
        let encoded = processor_time()?;
        if let Some(update) = update {
            decoder.decode(&update).with_context(|| format!("frame {frame}"))?;
            decoding += processor_time()?.saturating_sub(encoded);
            lengths.push(update.len());
        }
        memory = memory.max(encoder.memory());
        ensure!(
            is_same(canvas.pixels(), decoder.picture().0),
            "{}: frame {frame} came back as something else",
            workload.name
        );
    }
    let first = lengths.first().copied().unwrap_or(0);
    let bytes: usize = lengths.iter().sum();
    lengths.sort_unstable();
    Ok(json!({
        "workload": workload.name,
        "frames": workload.frames,
        "updates": lengths.len(),
        "first_bytes": first,
        "bytes": bytes,
        "median_bytes": lengths.get(lengths.len() / 2),
        "largest_bytes": lengths.last(),
        "still_s": still.checked_div(looks).map(|still| still.as_secs_f64()),
        "read_s": reading.checked_div(looks).map(|reading| reading.as_secs_f64()),
        "encode_s": encoding.as_secs_f64(),
        "decode_s": decoding.as_secs_f64(),
        "encoder_memory": memory,
    }))
}

/// Reads every byte and does as little as can be with them: what nobody can be quicker than who
/// looks at a picture.
fn read_all(pixels: &[u8]) -> u64 {
    pixels.as_chunks().0.iter().fold(0, |sum, word| sum ^ u64::from_ne_bytes(*word))
}

/// Feeds one picture; a copy of the update, if there is one.
fn encode(encoder: &mut Encoder, size: Size, pixels: &[u8]) -> Result<Option<Vec<u8>>> {
    encoder.begin(size)?;
    let stride = size.width as usize * 4;
    for (pixels, y) in pixels.chunks(TILE as usize * stride).zip((0..).step_by(TILE as usize)) {
        encoder.push_band(Band { size, y, rows: (pixels.len() / stride) as u32, pixels });
    }
    Ok(encoder.finish()?.map(|update| update.bytes.to_vec()))
}

/// Whether a screen (blue, green, red) and a decoded picture (red, green, blue) are the same.
pub(crate) fn is_same(screen: &[u8], picture: &[u8]) -> bool {
    let same = |(screen, picture): (&[u8; 4], &[u8; 4])| {
        let ([b, g, r, _], [red, green, blue, _]) = (screen, picture);
        (r, g, b) == (red, green, blue)
    };
    screen.len() == picture.len()
        && screen.as_chunks().0.iter().zip(picture.as_chunks().0).all(same)
}

/// Writes frames one after the other.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_frames(
    workload: &Workload,
    size: Size,
    seed: u64,
    frames: u32,
    file: &Path,
) -> Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    let mut canvas = Canvas::new(size.width, size.height);
    let mut scene = workload.scene(seed);
    for frame in 0..frames {
        scene.draw(&mut canvas, frame);
        out.write_all(canvas.pixels())?;
    }
    out.flush()?;
    Ok(())
}

/// Encodes the frames of a file.
///
/// # Errors
/// When it cannot be read, or its frames cannot be encoded.
pub(crate) fn encode_file(size: Size, file: &Path) -> Result<Value> {
    let mut input = File::open(file).with_context(|| file.display().to_string())?;
    let mut encoder = Encoder::new(1);
    let mut pixels = vec![0; size.width as usize * size.height as usize * 4];
    let (mut frames, mut bytes) = (0, 0);
    while input.read_exact(&mut pixels).is_ok() {
        frames += 1;
        bytes += encode(&mut encoder, size, &pixels)?.map_or(0, |update| update.len());
    }
    ensure!(frames > 0, "{} holds no frame", file.display());
    Ok(json!({ "frames": frames, "bytes": bytes }))
}
