//! What it costs the device that others look on: nothing.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{Bench, lines, number, text};
use crate::say;

/// How many watch, the technician among them. With the device itself, the last is a session of 100
/// members: no more are let in.
const VIEWERS: [usize; 3] = [1, 10, 99];
/// What is played, unless something else is asked for.
const PLAYED: [&str; 3] = ["gauges", "pages", "drag"];
/// What may differ: a twentieth.
const MARGIN: f64 = 0.05;

/// Plays some workloads with one, ten and ninety-nine who watch, in turn and `rounds` times; the
/// median of each.
///
/// # Errors
/// When it cannot be measured.
pub(super) fn play(bench: &Bench, rounds: u32, only: &[String]) -> Result<Vec<Value>> {
    let product = bench.product()?;
    let played: Vec<&str> = match only {
        [] => PLAYED.to_vec(),
        only => only.iter().map(String::as_str).collect(),
    };
    let mut rows = Vec::new();
    for workload in played {
        let mut figures = vec![(Vec::new(), Vec::new()); VIEWERS.len()];
        for round in 1..=rounds.max(1) {
            for (viewers, (bytes, cpu)) in VIEWERS.iter().zip(&mut figures) {
                say::step(&format!("{workload}: {viewers} watch ({round} of {rounds})"));
                let mut command = bench.command("path");
                command.args(&product).arg(format!("--viewers={viewers}")).arg(workload);
                let output = command.output()?;
                ensure!(output.status.success(), "{workload} with {viewers} viewers failed");
                let row = lines(&output.stdout)?.pop().context("nothing measured")?;
                let path = row.get("path").context("no figures")?;
                // Frames that fall together with others cost nothing.
                let pictures = number(path, "pictures").unwrap_or(1.0).max(1.0);
                bytes.push(number(path, "bytes").context("no bytes")? / pictures);
                cpu.push(number(path, "cpu_s").context("no processor time")? / pictures);
            }
        }
        for (viewers, (bytes, cpu)) in VIEWERS.iter().zip(figures) {
            rows.push(json!({
                "workload": workload,
                "viewers": viewers,
                "bytes_per_picture": median(bytes),
                "cpu_ms_per_picture": median(cpu) * 1000.0,
            }));
        }
    }
    Ok(rows)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Shows the figures, and says which grow with those who watch.
pub(super) fn judge(rows: &[Value]) -> Vec<String> {
    let mut broken = Vec::new();
    say::result(&format!(
        "{:<16} {:>8} {:>12} {:>12}",
        "workload", "viewers", "B/picture", "cpu ms/pict."
    ));
    for row in rows {
        let workload = text(row, "workload");
        let of = |row: &Value, key| number(row, key).unwrap_or(f64::NAN);
        let (viewers, bytes) = (of(row, "viewers"), of(row, "bytes_per_picture"));
        let cpu = of(row, "cpu_ms_per_picture");
        say::result(&format!("{workload:<16} {viewers:>8} {bytes:>12.1} {cpu:>12.3}"));
        let alone = rows.iter().find(|other| {
            text(other, "workload") == workload && number(other, "viewers") == Some(1.0)
        });
        for key in ["bytes_per_picture", "cpu_ms_per_picture"] {
            let ratio = alone.map_or(f64::NAN, |alone| of(row, key) / of(alone, key));
            if ratio.is_nan() || ratio > 1.0 + MARGIN {
                broken.push(format!("{workload}: {viewers} viewers: {key} {ratio:.3} of one's"));
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(viewers: u32, bytes: f64) -> Value {
        json!({
            "workload": "pages", "viewers": viewers,
            "bytes_per_picture": bytes, "cpu_ms_per_picture": 1.0,
        })
    }

    #[test]
    fn what_grows_with_those_who_watch_is_a_broken_promise() {
        assert!(judge(&[row(1, 100.0), row(10, 104.0), row(100, 90.0)]).is_empty());
        assert_eq!(judge(&[row(1, 100.0), row(100, 106.0)]).len(), 1);
        assert_eq!(judge(&[row(10, 100.0)]).len(), 2, "nothing to compare with");
    }
}
