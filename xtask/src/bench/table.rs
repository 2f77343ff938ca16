//! Tables for the terminal.

use serde_json::Value;

use super::{number, text};
use crate::say;

/// The codec alone.
pub(super) fn codec(rows: &[Value]) {
    say::result("codec alone, lossless");
    say::result(&format!(
        "{:<16} {:>6} {:>11} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9} {:>11}",
        "workload",
        "frames",
        "first B",
        "B/frame",
        "median B",
        "enc ms/f",
        "still ms",
        "read ms",
        "dec ms/f",
        "instr/f"
    ));
    for row in rows {
        let frames = number(row, "frames").unwrap_or(1.0).max(1.0);
        let first = number(row, "first_bytes").unwrap_or(0.0);
        let later = number(row, "bytes").unwrap_or(0.0) - first;
        let ms = |key| number(row, key).unwrap_or(0.0) * 1000.0 / frames;
        say::result(&format!(
            "{:<16} {frames:>6} {first:>11} {:>10.0} {:>10} {:>9.3} {:>9.3} {:>9.3} {:>9.3} {:>11}",
            text(row, "workload"),
            later / (frames - 1.0).max(1.0),
            number(row, "median_bytes").unwrap_or(0.0),
            ms("encode_s"),
            number(row, "still_s").unwrap_or(0.0) * 1000.0,
            number(row, "read_s").unwrap_or(0.0) * 1000.0,
            ms("decode_s"),
            number(row, "instructions_per_frame").map_or_else(|| "-".to_owned(), |n| n.to_string()),
        ));
    }
}

/// The whole path.
pub(super) fn path(rows: &[Value]) {
    say::result("whole path, lossless: after the first picture");
    say::result(&format!(
        "{:<16} {:<14} {:>10} {:>9} {:>9} {:>11} {:>8} {:>8} {:>8} {:>7}",
        "workload",
        "way",
        "first B",
        "first ms",
        "B/frame",
        "delivered",
        "p50 ms",
        "p95 ms",
        "cpu ms/f",
        "MB"
    ));
    for row in rows {
        let Some(path) = row.get("path") else { continue };
        let get = |key| number(path, key);
        let frames = get("offered").unwrap_or(1.0).max(1.0);
        let or_dash = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.1}"));
        say::result(&format!(
            "{:<16} {:<14} {:>10} {:>9} {:>9.0} {:>5}/{:<5} {:>8} {:>8} {:>8.2} {:>7}",
            text(row, "workload"),
            text(row, "way"),
            get("first_bytes").unwrap_or(0.0),
            or_dash(get("first_ms")),
            get("bytes").unwrap_or(0.0) / frames,
            get("delivered").unwrap_or(0.0),
            frames,
            or_dash(get("latency_p50_ms")),
            or_dash(get("latency_p95_ms")),
            get("cpu_s").unwrap_or(0.0) * 1000.0 / frames,
            or_dash(get("memory").map(|bytes| bytes / 1e6)),
        ));
    }
}

/// Video coders. They lose something, and so are in a table of their own.
pub(super) fn lossy(rows: &[Value]) {
    if rows.is_empty() {
        return;
    }
    say::result("coded as video, which loses something: coder alone, colours changed beforehand");
    say::result(&format!(
        "{:<16} {:<10} {:>6} {:>9} {:>9} {:>9} {:>7}",
        "workload", "coder", "frames", "first B", "B/frame", "cpu ms/f", "SSIM"
    ));
    for row in rows {
        let get = |key| number(row, key).unwrap_or(0.0);
        let frames = get("frames").max(1.0);
        say::result(&format!(
            "{:<16} {:<10} {frames:>6} {:>9} {:>9.0} {:>9.2} {:>7.4}",
            text(row, "workload"),
            text(row, "way"),
            get("first_bytes"),
            get("bytes") / frames,
            get("cpu_s") * 1000.0 / frames,
            get("ssim"),
        ));
    }
}
