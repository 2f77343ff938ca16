//! Lotse and others on the same frames in the same run.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde_json::{Map, Value, json};

use super::{Bench, lines, number, text};
use crate::say;

/// Debian packages of those that Lotse is compared with.
pub(super) const PACKAGES: [&str; 5] =
    ["ffmpeg", "tigervnc-scraping-server", "tigervnc-standalone-server", "x11vnc", "xvfb"];

/// Those that lose nothing.
const LOSSLESS: [&str; 4] = ["xvnc", "x0vnc", "x11vnc", "x11vnc-file"];

/// Video coders, which lose something.
const LOSSY: [&str; 3] = ["vp9", "vp9-best", "av1"];

/// What Lotse and the peers are compared by: the figure, and what is promised of its ratio to the
/// best peer.
const COMPARED: [(&str, f64); 2] = [("bytes", 1.0), ("cpu_s", 1.0)];

/// Plays each workload through Lotse and, if asked, through everybody else, one after the other and
/// so often; the medians.
///
/// # Errors
/// When Lotse does not do its part. A peer that does not is left out, and that is said.
pub(super) fn play(
    bench: &Bench,
    product: &[String],
    (with_peers, rounds): (bool, u32),
    only: &[String],
) -> Result<Vec<Value>> {
    let mut medians = Vec::new();
    for workload in bench.workloads(only)? {
        let mut rows = Vec::new();
        for round in 1..=rounds.max(1) {
            say::step(&format!("whole path: {workload} ({round} of {rounds})"));
            for option in [None, Some("--x")].iter().take(1 + usize::from(with_peers)) {
                let mut command = bench.command("path");
                let output = command.args(product).args(option).arg(&workload).output()?;
                ensure!(output.status.success(), "{workload} did not get through");
                rows.extend(lines(&output.stdout)?);
            }
            for peer in LOSSLESS.iter().filter(|_| with_peers) {
                say::step(&format!("{peer}: {workload}"));
                let mut command = bench.command("peer");
                command.arg(peer).arg("--folder").arg(&bench.folder).arg(&workload);
                let output = command.output()?;
                if output.status.success() {
                    rows.extend(lines(&output.stdout)?);
                } else {
                    say::result(&format!("{workload}: {peer} never showed the last picture"));
                }
            }
        }
        medians.extend(medians_of(&rows));
    }
    Ok(medians)
}

/// Codes the workloads that are no drawings as video.
///
/// # Errors
/// When the workloads cannot be listed.
pub(super) fn video(bench: &Bench, only: &[String]) -> Result<Vec<Value>> {
    let mut rows = Vec::new();
    let wanted = bench.workloads(only)?;
    for workload in wanted.iter().filter(|name| name.starts_with("video") || *name == "slideshow") {
        for coder in LOSSY {
            say::step(&format!("{coder}: {workload}"));
            let mut command = bench.command("lossy");
            command.arg(coder).arg("--folder").arg(&bench.folder).arg(workload);
            let output = command.output()?;
            if output.status.success() {
                rows.extend(lines(&output.stdout)?);
            } else {
                say::result(&format!("{workload}: {coder} failed"));
            }
        }
    }
    Ok(rows)
}

/// One row for each workload and way, with the median of every figure.
fn medians_of(rows: &[Value]) -> Vec<Value> {
    let mut order: Vec<(&str, &str)> = Vec::new();
    let mut figures: BTreeMap<(&str, &str), BTreeMap<&String, Vec<f64>>> = BTreeMap::new();
    for row in rows {
        let key = (text(row, "workload"), text(row, "way"));
        if !order.contains(&key) {
            order.push(key);
        }
        let Some(Value::Object(path)) = row.get("path") else { continue };
        let of_way = figures.entry(key).or_default();
        for (name, value) in path {
            of_way.entry(name).or_default().extend(value.as_f64());
        }
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    let row = |key: &(&str, &str)| {
        let of_way = figures.get(key).cloned().unwrap_or_default().into_iter();
        let path: Map<String, Value> =
            of_way.map(|(name, mut values)| (name.clone(), median(&mut values).into())).collect();
        json!({ "workload": key.0, "way": key.1, "path": path })
    };
    order.iter().map(row).collect()
}

/// Lotse on a file of pixels and on an X display, and those who read the same.
const LIKE: [(&str, &[&str]); 2] =
    [("lotse", &["x11vnc-file"]), ("lotse-x", &["xvnc", "x0vnc", "x11vnc"])];

/// Says how Lotse does against the best peer that reads the same kind of screen, and what is worse
/// than promised.
pub(super) fn compare(rows: &[Value]) -> Vec<String> {
    let mut broken = Vec::new();
    say::result("Lotse against the best peer of this run, lossless: ratios, below 1 is better");
    say::result(
        "(bytes and processor time by frame delivered; X tells what changes, a file does not)",
    );
    say::result(&format!(
        "{:<16} {:<8} {:>8} {:>8} {:>8} {:>8}",
        "workload", "way", "bytes", "cpu", "p50", "p95"
    ));
    let like = |row: &Value| LIKE.iter().find(|(way, _)| *way == text(row, "way"));
    for (row, (way, peers)) in rows.iter().filter_map(|row| Some((row, like(row)?))) {
        let workload = text(row, "workload");
        let ratio = |key: &str| {
            // Whoever drops frames has it easy.
            let of = |row: &Value| {
                let value = number(row.get("path")?, key)?;
                Some(if is_a_sum(key) { value / delivered(row).max(1.0) } else { value })
            };
            let is_peer = |other: &&Value| {
                text(other, "workload") == workload && peers.contains(&text(other, "way"))
            };
            let best = rows.iter().filter(is_peer).filter_map(of).reduce(f64::min)?;
            (best > 0.0).then_some(of(row)? / best)
        };
        let said = |key| ratio(key).map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.3}"));
        say::result(&format!(
            "{workload:<16} {way:<8} {:>8} {:>8} {:>8} {:>8}",
            said("bytes"),
            said("cpu_s"),
            said("latency_p50_ms"),
            said("latency_p95_ms"),
        ));
        for (key, promised) in COMPARED {
            if let Some(ratio) = ratio(key).filter(|ratio| *ratio > promised) {
                broken.push(format!("{workload}: {way}: {key} {ratio:.2} of the best peer's"));
            }
        }
    }
    broken
}

/// Whether a figure grows with the frames, and is compared by frame delivered.
fn is_a_sum(key: &str) -> bool {
    COMPARED.iter().any(|(compared, _)| *compared == key)
}

/// Frames that were shown, of those offered.
fn delivered(row: &Value) -> f64 {
    row.get("path").and_then(|path| number(path, "delivered")).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(way: &str, bytes: u32, delivered: u32) -> Value {
        json!({"workload": "typing", "way": way, "path": {"bytes": bytes, "delivered": delivered}})
    }

    #[test]
    fn medians_are_by_way() {
        let rows = [row("lotse", 5, 1), row("xvnc", 9, 1), row("lotse", 1, 1), row("lotse", 3, 1)];
        let medians = medians_of(&rows);
        assert_eq!(medians.len(), 2);
        assert_eq!(medians[0]["path"]["bytes"], 3.0);
        assert_eq!(medians[1]["path"]["bytes"], 9.0);
    }

    #[test]
    fn a_peer_that_drops_frames_is_no_measure() {
        assert_eq!(compare(&[row("lotse-x", 100, 100), row("xvnc", 90, 100)]).len(), 1);
        assert!(compare(&[row("lotse-x", 100, 100), row("xvnc", 90, 50)]).is_empty());
        assert!(compare(&[row("lotse-x", 100, 100), row("xvnc", 110, 100)]).is_empty());
    }
}
