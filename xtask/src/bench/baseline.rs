//! What the figures were when they were last accepted.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use super::{number, text};

/// The figures that are held against the baseline, and how much they may grow: bytes hardly, since
/// they depend on nothing but the code; instructions a little more, since compilers differ.
const KEPT: [(&str, f64); 3] =
    [("bytes", 1.01), ("first_bytes", 1.01), ("instructions_per_frame", 1.10)];

/// Reads the baseline: workloads and their figures.
///
/// # Errors
/// When there is none.
pub(super) fn read(file: &Path) -> Result<Value> {
    let text = fs::read(file).with_context(|| file.display().to_string())?;
    serde_json::from_slice(&text).with_context(|| file.display().to_string())
}

/// Makes these rows the baseline; what was not measured stays.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(file: &Path, rows: &[Value]) -> Result<()> {
    let mut all = read(file).ok().and_then(|old| old.as_object().cloned()).unwrap_or_default();
    for row in rows {
        let figures = KEPT.iter().filter_map(|(key, _)| Some((*key, row.get(*key)?.clone())));
        let figures: Map<String, Value> = figures.map(|(key, v)| (key.to_owned(), v)).collect();
        all.insert(text(row, "workload").to_owned(), figures.into());
    }
    let text = serde_json::to_string_pretty(&Value::Object(all))? + "\n";
    fs::write(file, text).with_context(|| file.display().to_string())
}

/// What has become worse than it may.
pub(super) fn compare(baseline: &Value, rows: &[Value]) -> Vec<String> {
    let mut worse = Vec::new();
    for row in rows {
        let name = text(row, "workload");
        let Some(old) = baseline.get(name) else {
            worse.push(format!("{name} is not in the baseline: run with --accept"));
            continue;
        };
        for (key, margin) in KEPT {
            if let (Some(was), Some(is)) = (number(old, key), number(row, key))
                && is > was * margin
            {
                let ratio = is / was.max(1.0);
                worse.push(format!(
                    "{name}: {key} {is:.0}, {was:.0} in the baseline: {ratio:.3}, {margin} allowed"
                ));
            }
        }
    }
    worse
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn growth_beyond_the_margin_is_found_and_shrinking_is_welcome() {
        let baseline = json!({"typing": {"bytes": 1000, "instructions_per_frame": 1000}});
        let rows = |bytes: u32, instructions: u32| {
            let row = json!({
                "workload": "typing", "bytes": bytes, "instructions_per_frame": instructions,
            });
            vec![row]
        };
        assert!(compare(&baseline, &rows(1010, 1100)).is_empty());
        assert!(compare(&baseline, &rows(10, 10)).is_empty());
        assert_eq!(compare(&baseline, &rows(1011, 1000)).len(), 1);
        assert_eq!(compare(&baseline, &rows(1011, 1101)).len(), 2);
    }

    #[test]
    fn a_workload_without_a_baseline_is_a_fault() {
        assert_eq!(compare(&json!({}), &[json!({"workload": "new"})]).len(), 1);
    }
}
