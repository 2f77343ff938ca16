//! Video coders with the settings of remote-desktop products, run by ffmpeg on the same frames.
//!
//! They lose something, so how much is told with the bytes: the mean SSIM of the luma plane
//! against the frames as they were.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use lotse_bench::Workload;
use lotse_codec::Size;
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::{Value, json};

use crate::codec_alone;

/// A coder and its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Coder {
    /// VP9 as RustDesk uses it: real time, constant rate, "balanced"
    Vp9,
    /// VP9 at RustDesk's "best"
    Vp9Best,
    /// AV1 as RustDesk uses it, but for the speed: 8, the fastest that ffmpeg knows, instead of 10
    Av1,
}

/// RustDesk's rate for 1920 × 1080, in kbit/s; others by the square root of the pixels.
const BASE_RATE: f64 = 2073.0;

impl Coder {
    fn settings(self, size: Size) -> Vec<String> {
        let pixels = size.pixels() as f64 / (1920.0 * 1080.0);
        let ratio = match self {
            Self::Vp9 | Self::Av1 => 0.67,
            Self::Vp9Best => 1.5,
        };
        let rate = format!("{:.0}k", BASE_RATE * pixels.sqrt() * ratio);
        let (low, high) = if self == Self::Vp9Best { ("8", "40") } else { ("24", "50") };
        let of_both = ["-b:v", &rate, "-minrate", &rate, "-maxrate", &rate, "-qmin", low, "-qmax"];
        let mut settings: Vec<String> = of_both.map(str::to_owned).to_vec();
        let own: &[&str] = match self {
            Self::Vp9 | Self::Vp9Best => &[
                high,
                "-c:v",
                "libvpx-vp9",
                "-deadline",
                "realtime",
                "-cpu-used",
                "7",
                "-g",
                "10000",
                "-undershoot-pct",
                "95",
                "-threads",
                "1",
                "-tile-columns",
                "2",
                "-row-mt",
                "1",
                "-lag-in-frames",
                "0",
                "-error-resilient",
                "1",
            ],
            Self::Av1 => &[
                high,
                "-c:v",
                "libaom-av1",
                "-usage",
                "realtime",
                "-cpu-used",
                "8",
                "-g",
                "10000",
                "-undershoot-pct",
                "50",
                "-overshoot-pct",
                "50",
                "-threads",
                "1",
                "-lag-in-frames",
                "0",
                "-aom-params",
                "tune-content=screen",
            ],
        };
        settings.extend(own.iter().map(|&word| word.to_owned()));
        settings
    }
}

/// Codes the frames of one workload.
///
/// # Errors
/// When ffmpeg is not there or does not do it.
pub(crate) fn measure(
    coder: Coder,
    folder: &Path,
    workload: &Workload,
    size: Size,
    seed: u64,
) -> Result<Value> {
    let raw = folder.join("frames.bgrx");
    codec_alone::write_frames(workload, size, seed, workload.frames, &raw)?;
    let planes = folder.join("frames.yuv");
    let coded = folder.join("frames.mkv");
    let rate = format!("{}/1000", 1_000_000 / workload.period.as_millis().max(1));
    let geometry = format!("{}x{}", size.width, size.height);
    let source = |file: &Path, format: &str| {
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-nostdin", "-y", "-f", "rawvideo", "-pix_fmt", format]);
        command.args(["-s", &geometry, "-r", &rate, "-i"]).arg(file);
        command
    };
    // The change of colours is done before, and not counted.
    run(source(&raw, "bgr0").args(["-pix_fmt", "yuv420p", "-f", "rawvideo"]).arg(&planes))?;
    let before = processor_time()?;
    run(source(&planes, "yuv420p").args(coder.settings(size)).arg(&coded))?;
    let cpu = processor_time()?.saturating_sub(before);
    let bytes = packets(&coded)?;
    let likeness = likeness(&coded, &raw, &geometry, &rate)?;
    for file in [&raw, &planes, &coded] {
        fs::remove_file(file).ok();
    }
    let name = coder.to_possible_value().map(|value| value.get_name().to_owned());
    Ok(json!({
        "workload": workload.name,
        "way": name,
        "frames": workload.frames,
        "bytes": bytes.iter().sum::<u64>(),
        "first_bytes": bytes.first(),
        "delivered": bytes.len(),
        "cpu_s": cpu.as_secs_f64(),
        "ssim": likeness,
    }))
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().context("ffmpeg")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{command:?}: {said}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned() + &said)
}

/// Processor time of all programs that were started and have ended.
fn processor_time() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("processor time")?;
    let of = |time: nix::sys::time::TimeVal| {
        Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1000)
    };
    Ok(of(usage.user_time()) + of(usage.system_time()))
}

/// Bytes of each coded frame.
fn packets(coded: &Path) -> Result<Vec<u64>> {
    let mut command = Command::new("ffprobe");
    command.args(["-v", "error", "-show_entries", "packet=size", "-of", "csv=p=0"]).arg(coded);
    let said = run(&mut command)?;
    said.split_whitespace().map(|size| size.trim_matches(',').parse().context("a size")).collect()
}

/// SSIM of the luma plane, 1 for the same pictures.
fn likeness(coded: &Path, raw: &Path, geometry: &str, rate: &str) -> Result<f64> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "info", "-nostdin", "-i"]).arg(coded);
    command.args(["-f", "rawvideo", "-pix_fmt", "bgr0", "-s", geometry, "-r", rate, "-i"]);
    command.arg(raw);
    command.args(["-lavfi", "[0:v]format=yuv444p[a];[1:v]format=yuv444p[b];[a][b]ssim"]);
    command.args(["-f", "null", "-"]);
    let said = run(&mut command)?;
    let line = said.lines().rfind(|line| line.contains("SSIM")).context("ffmpeg tells no SSIM")?;
    let value = line.split("Y:").nth(1).and_then(|rest| rest.split_whitespace().next());
    value.and_then(|value| value.parse().ok()).with_context(|| line.to_owned())
}
