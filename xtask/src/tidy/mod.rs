//! `cargo xtask tidy`: checks what prose cannot enforce.
//!
//! Every check is a function from a [`Tree`] (and, for dependencies, cargo's metadata) to a
//! [`Checked`]; each has a test on a small tree in memory that shows that it can fail. To add one:
//! write it in the module that fits, and name it in [`all`].

mod code;
mod crates;
mod source;
mod text;
mod tree;

use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{paths, say};
use tree::Tree;

/// Checks the rules of CONTRIBUTING.md that a program can check.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Also list what is not wrong yet: files and functions that grow long.
    #[arg(long)]
    soft: bool,
}

/// Something that breaks a rule, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    file: String,
    /// Counted from 1.
    line: usize,
    /// What is wrong.
    what: String,
    /// What to do about it.
    way_out: String,
}

impl Finding {
    fn new(file: &str, line: usize, what: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into(), way_out: way_out.into() }
    }
}

/// What one check found.
#[derive(Debug, Default)]
struct Checked {
    /// How many things were looked at: a check that looks at nothing checks nothing.
    looked_at: usize,
    /// What is wrong.
    findings: Vec<Finding>,
    /// What is not wrong yet.
    soft: Vec<Finding>,
}

/// A check under its name.
type Named = (&'static str, Checked);

/// Runs all checks.
///
/// # Errors
/// When a rule is broken, or the tree or cargo's metadata cannot be read.
pub(crate) fn run(args: Args) -> Result<()> {
    let tree = Tree::read(&paths::workspace())?;
    let checks = all(&tree, &crates::Metadata::read(&paths::workspace())?)?;
    write_json(&checks)?;
    for (name, checked) in &checks {
        let verdict = match checked.findings.len() {
            0 => "ok".to_owned(),
            1 => "1 finding".to_owned(),
            many => format!("{many} findings"),
        };
        say::result(&format!("{name:24} {:6} looked at   {verdict}", checked.looked_at));
    }
    let mut broken = 0;
    for (name, checked) in &checks {
        broken += checked.findings.len();
        checked.findings.iter().for_each(|finding| show(name, finding));
        if args.soft {
            checked.soft.iter().for_each(|finding| show(name, finding));
        }
    }
    let soft: usize = checks.iter().map(|(_, checked)| checked.soft.len()).sum();
    if soft > 0 && !args.soft {
        say::result(&format!("{soft} to look at again: cargo xtask tidy --soft"));
    }
    if broken > 0 {
        bail!("{broken} findings; each says its way out");
    }
    Ok(())
}

/// Every check there is.
fn all(tree: &Tree, metadata: &crates::Metadata) -> Result<Vec<Named>> {
    Ok(vec![
        ("crate arrows", crates::arrows(metadata)),
        ("banned crates", crates::banned(metadata, tree)?),
        ("licences", crates::licences(metadata, tree)?),
        ("sources of crates", crates::sources(metadata)),
        ("lints inherited", text::lints_inherited(tree)?),
        ("unsafe", source::unsafe_code(tree)),
        ("file length", source::file_length(tree)),
        ("function length", source::function_length(tree)),
        ("module docs", source::module_docs(tree)),
        ("unwrap and expect", source::unwraps(tree)),
        ("bare allow", source::bare_allow(tree)),
        ("unfinished code", source::unfinished(tree)),
        ("file names", text::file_names(tree)),
        ("words", text::words(tree, &text::machine_words(&paths::workspace()))),
        ("README", text::readme(tree)),
        ("attacks and their tests", text::attacks(tree)),
        ("protocol.md is current", text::documented(tree)),
    ])
}

fn show(check: &str, finding: &Finding) {
    let Finding { file, line, what, way_out } = finding;
    say::result(&format!("{file}:{line}: {what} [{check}]\n    → {way_out}"));
}

/// Writes `target/tidy.json`.
fn write_json(checks: &[Named]) -> Result<()> {
    let list = |findings: &[Finding]| -> Vec<Value> {
        let one = |f: &Finding| json!({ "file": f.file, "line": f.line, "what": f.what, "way_out": f.way_out });
        findings.iter().map(one).collect()
    };
    let checks: Vec<Value> = checks
        .iter()
        .map(|(name, checked)| {
            json!({
                "check": name,
                "looked_at": checked.looked_at,
                "findings": list(&checked.findings),
                "soft": list(&checked.soft),
            })
        })
        .collect();
    let path = paths::output("tidy.json");
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&path, format!("{:#}\n", json!({ "checks": checks })))
        .with_context(|| format!("cannot write {}", path.display()))
}
