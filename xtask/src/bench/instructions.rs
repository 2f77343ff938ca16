//! How many instructions the encoder takes, counted by valgrind: the same in every run.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Bench, lines, number, text};
use crate::say;

/// Workloads that are counted, and of how many frames: valgrind is fifty times slower.
const COUNTED: [(&str, u32); 7] = [
    ("idle", 20),
    ("typing", 16),
    ("pages", 8),
    ("gauges", 10),
    ("scroll-steps", 8),
    ("terminal", 8),
    ("video-window", 5),
];

/// Adds `instructions_per_frame` to the rows of those workloads.
///
/// # Errors
/// When valgrind does not run.
pub(super) fn count(bench: &Bench, rows: &mut [Value]) -> Result<()> {
    for row in rows {
        let name = text(row, "workload").to_owned();
        let found = COUNTED.iter().find(|(counted, _)| *counted == name);
        let (Some((_, frames)), Value::Object(map)) = (found, row) else { continue };
        say::step(&format!("instructions: {name}"));
        map.insert("instructions_per_frame".to_owned(), of_one(bench, &name, *frames)?.into());
    }
    Ok(())
}

fn of_one(bench: &Bench, workload: &str, frames: u32) -> Result<u64> {
    let file = bench.folder.join("frames.bgrx");
    let mut draw = bench.command("frames");
    draw.args(["--at-most", &frames.to_string(), workload]).arg(&file);
    ensure!(draw.status()?.success(), "drawing {workload} failed");
    let output = Command::new("valgrind")
        .args(["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"])
        .arg(&bench.program)
        .arg("encode")
        .arg(&file)
        .output()
        .context("valgrind")?;
    std::fs::remove_file(&file).ok();
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "valgrind: {said}");
    let line = said.lines().find(|line| line.contains("refs:")).context("no count in")?;
    let digits: String = line.rsplit("refs:").next().unwrap_or_default().trim().replace(',', "");
    let count: u64 = digits.parse().with_context(|| line.to_owned())?;
    let encoded = lines(&output.stdout)?.into_iter().next().context("nothing encoded")?;
    ensure!(number(&encoded, "frames") == Some(f64::from(frames)), "not all frames encoded");
    Ok(count / u64::from(frames))
}
