//! What came out: a table for people and `target/lab/results.json` for programs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use crate::say;

/// How one scenario ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The scenario's name.
    pub(crate) name: String,
    /// How long it took, with starting the machine.
    pub(crate) took: Duration,
    /// Why it failed; `None` when it passed.
    pub(crate) failure: Option<String>,
}

/// Shows the table and writes the file.
///
/// # Errors
/// When the file can't be written.
pub(crate) fn show(outcomes: &[Outcome], file: &Path) -> Result<()> {
    let width = outcomes.iter().map(|outcome| outcome.name.len()).max().unwrap_or(0);
    for outcome in outcomes {
        let (word, seconds) = (word(outcome), outcome.took.as_secs_f32());
        say::result(&format!("{:width$}  {word}  {seconds:6.1} s", outcome.name));
        if let Some(failure) = &outcome.failure {
            say::result(&format!("    {}", failure.replace('\n', "\n    ")));
        }
    }
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    say::result(&format!("lab: {} passed, {failed} failed", outcomes.len() - failed));
    let scenarios: Vec<_> = outcomes
        .iter()
        .map(|outcome| {
            json!({
                "name": outcome.name,
                "passed": outcome.failure.is_none(),
                "seconds": outcome.took.as_secs_f64(),
                "failure": outcome.failure,
            })
        })
        .collect();
    fs::write(file, format!("{:#}\n", json!({ "scenarios": scenarios })))?;
    Ok(())
}

fn word(outcome: &Outcome) -> &'static str {
    if outcome.failure.is_none() { "ok    " } else { "FAILED" }
}
