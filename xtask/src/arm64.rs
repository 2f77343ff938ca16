//! `cargo xtask arm64`: the device's crates on the other processor.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;

use crate::programs::{self, Program};
use crate::{cargo, debian, paths, say};

/// Builds the agent for arm64 and runs the tests of its crates there, by an emulated processor.
///
/// Cross-compiles with Debian's own Rust, which brings the standard library of arm64 along, and Debian's C compiler.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only build and look at the size; run no tests
    #[arg(long)]
    no_tests: bool,
}

/// Rust's name of the target.
const TARGET: &str = "aarch64-unknown-linux-gnu";

/// The compiler that has an arm64 standard library; the one that rustup installed has none.
const RUSTC: &str = "/usr/bin/rustc";

/// What is needed besides Rust and a C compiler.
const PACKAGES: [&str; 4] =
    ["rustc-web", "libstd-rust-web-dev:arm64", "gcc-aarch64-linux-gnu", "qemu-user-static"];

/// Crates that run on the machine, with the features under which their tests run everywhere.
const CRATES: [&[&str]; 4] = [
    &["--package", "lotse-codec"],
    &["--package", "lotse-protocol"],
    &["--package", "lotse-hal", "--all-features"],
    &["--package", "lotse-agent"],
];

/// Most that the stripped agent may weigh, bytes.
const MAX_SIZE: u64 = 4_000_000;

/// Builds, looks at the size, and tests.
///
/// # Errors
/// When something does not build, a test fails, or the agent is too large.
pub(crate) fn run(args: &Args) -> Result<()> {
    debian::add_architecture("arm64")?;
    debian::ensure_installed(&PACKAGES)?;
    say::step("building the agent for arm64");
    let agent =
        programs::build_by(cross(), Program::Bin("lotse-agent", "lotse-agent", ""), "release")?;
    let size = fs::metadata(&agent).with_context(|| agent.display().to_string())?.len();
    starts(&agent)?;
    if !args.no_tests {
        for package in CRATES {
            say::step(&format!("testing {} on an emulated arm64", package.join(" ")));
            // Not those in the documentation: rustdoc has no standard library for arm64.
            let status = cross().args(["test", "--lib"]).args(package).status().context("cargo")?;
            ensure!(status.success(), "the tests of {} on arm64: {status}", package.join(" "));
        }
    }
    report(size, !args.no_tests)
}

/// Cargo with the compilers and the emulator of arm64.
fn cross() -> Command {
    let mut cargo = cargo::command();
    cargo
        .env("RUSTC", RUSTC)
        .env("CARGO_BUILD_TARGET", TARGET)
        .env("CC_aarch64_unknown_linux_gnu", "aarch64-linux-gnu-gcc")
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "aarch64-linux-gnu-gcc")
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", "qemu-aarch64-static");
    cargo
}

/// The program that was built is one that an arm64 processor starts.
fn starts(agent: &Path) -> Result<()> {
    let output = Command::new("qemu-aarch64-static").arg(agent).arg("--print-config").output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success() && said.contains("[policy]"),
        "the agent does not start on arm64: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

fn report(size: u64, tested: bool) -> Result<()> {
    let folder = paths::output("arm64");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let result = json!({ "agent_bytes": size, "limit_bytes": MAX_SIZE, "tested": tested });
    fs::write(folder.join("arm64.json"), format!("{result:#}\n"))?;
    let outcome = if size <= MAX_SIZE { "ok" } else { "BROKEN" };
    say::result(&format!("agent for arm64, stripped {size:>10} bytes (<= {MAX_SIZE})  {outcome}"));
    ensure!(size <= MAX_SIZE, "the agent is too large for its budget");
    Ok(())
}
