//! A full session: how long newcomers wait, and those who stay until their key is new.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{Bench, lines};
use crate::programs::{self, Program};
use crate::say;

/// Until all who stay have a key that those who left do not have, at most, in ms.
const NEW_KEY: f64 = 1000.0;
/// Until the last of them has its keys and the list of members, at most, in ms.
const LAST_JOIN: f64 = 2000.0;

/// Fills a session of 100 members through a server with its usual limits, and empties it.
///
/// # Errors
/// When it cannot be measured.
pub(super) fn play(bench: &Bench) -> Result<Value> {
    let server = programs::build(Program::Bin("lotse-server", "lotse-server", ""), super::PROFILE)?;
    say::step("crowd: a session of 100 members");
    let mut command = bench.command("crowd");
    command.arg(format!("--server={}", server.display()));
    command.arg(format!("--folder={}", bench.folder.display()));
    let output = command.output()?;
    ensure!(output.status.success(), "crowd failed");
    let mut rows = lines(&output.stdout)?;
    rows.pop().ok_or_else(|| anyhow::anyhow!("crowd said nothing"))
}

/// What is promised of it: in words, where it is found, and the most in ms.
const PROMISES: [(&str, &str, f64); 5] = [
    ("the last one joins", "/join_last_ms", LAST_JOIN),
    ("one leaves: the others have a new key", "/one_left/told_ms/most", NEW_KEY),
    ("30 leave at once: the others have a new key", "/many_left/told_ms/most", NEW_KEY),
    ("one is sent away: the others have a new key", "/kicked/told_ms/most", NEW_KEY),
    ("one is sent away: the moderator may say so", "/kicked/removed_ms", NEW_KEY),
];

/// Shows it, and says what is not as promised.
pub(super) fn judge(row: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    say::result(&format!("{:<48} {:>9} {:>9}", "session of 100 members", "ms", "promised"));
    for (what, place, most) in PROMISES {
        let found = row.pointer(place).and_then(Value::as_f64);
        let shown = found.map_or_else(|| "missing".to_owned(), |ms| format!("{ms:.0}"));
        say::result(&format!("{what:<48} {shown:>9} {most:>9.0}"));
        if found.is_none_or(|ms| ms > most) {
            broken.push(format!("{what}: {shown} ms, {most:.0} promised"));
        }
    }
    let figure = |place| row.pointer(place).and_then(Value::as_f64).unwrap_or_default();
    say::result(&format!(
        "half of them were in within {:.0} ms, all within {:.0}; no picture for {:.0} ms at most; \
         server: {:.2} s of processor, {:.1} MB",
        figure("/join_ms/p50"),
        figure("/join_ms/most"),
        figure("/longest_gap_between_pictures_ms"),
        figure("/server_cpu_s"),
        figure("/server_memory") / 1e6,
    ));
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(told: u32) -> Value {
        let told = json!({ "told_ms": { "most": told }, "removed_ms": 80 });
        json!({ "join_last_ms": 90, "one_left": told, "many_left": told, "kicked": told })
    }

    #[test]
    fn what_takes_too_long_or_was_not_measured_is_a_broken_promise() {
        assert!(judge(&row(1000)).is_empty());
        assert_eq!(judge(&row(1001)).len(), 3);
        assert_eq!(judge(&json!({})).len(), PROMISES.len());
    }
}
