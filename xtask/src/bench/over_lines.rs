//! What is felt over lines that are slower than the computer that measures.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{Bench, lines, number, text};
use crate::say;

/// Lines, and how `lotse-bench` calls them.
const LINES: [(&str, &str); 3] = [
    ("20 Mbit/s, 30 ms", "20000000:30:0"),
    ("5 Mbit/s, 80 ms", "5000000:80:0"),
    ("1 Mbit/s, 150 ms, 1 % lost", "1000000:150:100"),
];
/// What is played, unless something else is asked for.
const PLAYED: [&str; 4] = ["typing", "pages", "slideshow", "video-window"];
/// The figures of a row.
const FIGURES: [&str; 6] =
    ["first_seen_ms", "first_ms", "latency_p50_ms", "latency_p95_ms", "exact_after_ms", "pictures"];

/// Plays some workloads over each line, with photographs as by default.
///
/// # Errors
/// When one does not get through.
pub(super) fn play(bench: &Bench, only: &[String]) -> Result<Vec<Value>> {
    let product = bench.product()?;
    let played: Vec<&str> = match only {
        [] => PLAYED.to_vec(),
        only => only.iter().map(String::as_str).collect(),
    };
    let mut rows = Vec::new();
    for (name, line) in LINES {
        for workload in &played {
            say::step(&format!("{workload} over {name}"));
            let mut command = bench.command("path");
            command.args(&product).args(["--rough", "--line", line, workload]);
            let output = command.output()?;
            ensure!(output.status.success(), "{workload} did not get through {name}");
            let row = lines(&output.stdout)?.pop().context("nothing measured")?;
            let path = row.get("path").context("no figures")?;
            let mut said = json!({ "line": name, "workload": workload });
            if let Value::Object(map) = &mut said {
                for key in FIGURES {
                    map.insert(key.to_owned(), path.get(key).cloned().unwrap_or(Value::Null));
                }
            }
            rows.push(said);
        }
    }
    Ok(rows)
}

/// Shows the figures.
pub(super) fn show(rows: &[Value]) {
    say::result(
        "ms: first picture seen, and exact; waiting for the whole right picture; exact after",
    );
    say::result(&format!(
        "{:<28} {:<14} {:>8} {:>8} {:>8} {:>8} {:>8} {:>9}",
        "line", "workload", "seen", "exact", "p50", "p95", "at end", "pictures"
    ));
    for row in rows {
        let mut line = format!("{:<28} {:<14}", text(row, "line"), text(row, "workload"));
        for key in FIGURES {
            let width = if key == "pictures" { 9 } else { 8 };
            let figure = number(row, key).map_or("-".to_owned(), |value| format!("{value:.0}"));
            line.push_str(&format!(" {figure:>width$}"));
        }
        say::result(&line);
    }
}
