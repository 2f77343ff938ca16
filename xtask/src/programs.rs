//! Programs of this workspace that a subcommand needs built.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{cargo, say};

/// A program of this workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Program {
    /// A binary target: package, name, and features to switch on (comma-separated, may be empty).
    Bin(&'static str, &'static str, &'static str),
    /// An example: package, name, and features to switch on.
    Example(&'static str, &'static str, &'static str),
}

impl Program {
    fn parts(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Bin(package, name, features) => ("--bin", package, name, features),
            Self::Example(package, name, features) => ("--example", package, name, features),
        }
    }
}

/// Builds `program` with a cargo profile and says where the file is, wherever the target folder of this run may be.
///
/// With `dev` its dependencies get the features that the whole workspace asks of them, as in `cargo test --workspace`, so
/// that nothing is built twice; with other profiles only those that the program itself asks for, as when it is released.
///
/// # Errors
/// When cargo can't be started, the build fails (cargo has then said why), or it made no such program.
pub(crate) fn build(program: Program, profile: &str) -> Result<PathBuf> {
    build_by(cargo::command(), program, profile)
}

/// Like [`build`], by a cargo whose environment and first arguments the caller has chosen.
///
/// # Errors
/// As [`build`].
pub(crate) fn build_by(mut cargo: Command, program: Program, profile: &str) -> Result<PathBuf> {
    let (kind, package, name, features) = program.parts();
    say::step(&format!("building {name}"));
    let output = cargo
        .args(["build", "--quiet", "--profile", profile, kind, name])
        .args(scope(package, features, profile))
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .context("cargo can't be started")?;
    if !output.status.success() {
        bail!("building {name} of {package} failed");
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message.pointer("/target/name").and_then(Value::as_str) == Some(name))
        .find_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .with_context(|| format!("cargo built no program {name} of {package}"))
}

fn scope(package: &str, features: &str, profile: &str) -> Vec<String> {
    if profile != "dev" {
        return ["--package", package, "--features", features].map(str::to_owned).to_vec();
    }
    let features = features.split(',').filter(|feature| !feature.is_empty());
    let features: Vec<String> = features.map(|feature| format!("{package}/{feature}")).collect();
    vec!["--workspace".to_owned(), "--features".to_owned(), features.join(",")]
}
