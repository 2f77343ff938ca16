//! `cargo xtask test`: everything that must pass, in the order in which it fails soonest.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::{bench, cargo, debian, lab, paths, say, tidy};

/// Debian packages that the tests need besides Rust and a C compiler.
const PACKAGES: [&str; 3] = ["iproute2", "systemd", "util-linux"];

/// Runs everything that must pass before a change lands.
///
/// Installs the Debian packages that are missing. The lab needs about 3 GiB of disk for its
/// machine image, made once.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave out the emulated machines
    #[arg(long)]
    no_lab: bool,
    /// Only these steps: format, tidy, clippy, test, docs, units, bench, lab
    #[arg(value_name = "STEP")]
    only: Vec<String>,
}

/// One step and what it does.
type Step = (&'static str, fn() -> Result<()>);

/// The scenarios of the lab that every change must pass: the main job on each way to read a screen, and the faults. The
/// others take another half hour: `cargo xtask lab`.
const LAB: [&str; 21] = [
    "virtio-session-picture",
    "virtio-session-type",
    "virtio-session-click",
    "virtio-consent-accept",
    "virtio-consent-refuse",
    "virtio-consent-timeout",
    "virtio-finger-heard",
    "virtio-steering",
    "virtio-session-weston",
    "virtio-sway-asking",
    "virtio-agent-kill",
    "virtio-machine-kill",
    "virtio-network-cut",
    "bochs-session-picture",
    "bochs-session-click",
    "bochs-consent-accept",
    "vesa-session-picture",
    "vesa-session-click",
    "vesa-session-xorg",
    "vesa-consent-accept",
    "vfb-formats",
];

const STEPS: [Step; 8] = [
    ("format", format),
    ("tidy", || tidy::run(tidy::Args::default())),
    ("clippy", clippy),
    ("test", test),
    ("docs", docs),
    ("units", units),
    ("bench", bench::run_quick),
    ("lab", || lab::run_named(&LAB)),
];

/// Runs the steps; all of them, also after one has failed, so that one run tells everything.
///
/// # Errors
/// When a step failed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let known = STEPS.map(|(name, _)| name);
    if let Some(unknown) = args.only.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("there is no step {unknown:?}; there are {}", known.join(", "));
    }
    debian::ensure_installed(&PACKAGES)?;
    let mut failed = Vec::new();
    let mut times: Vec<(&str, Duration)> = Vec::new();
    for (name, step) in STEPS {
        let is_wanted = args.only.is_empty() || args.only.iter().any(|only| only == name);
        if !is_wanted || (args.no_lab && name == "lab") {
            continue;
        }
        say::step(&format!("== {name}"));
        let start = Instant::now();
        if let Err(error) = step() {
            say::step(&format!("== {name} FAILED: {error:#}"));
            failed.push(name);
        }
        times.push((name, start.elapsed()));
    }
    for (name, time) in &times {
        let outcome = if failed.contains(name) { "FAILED" } else { "ok" };
        say::result(&format!("{name:<8} {:>6.1} s  {outcome}", time.as_secs_f32()));
    }
    if failed.is_empty() { Ok(()) } else { bail!("failed: {}", failed.join(", ")) }
}

/// Runs cargo and says so if it fails.
fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> Result<()> {
    let status = cargo::command().args(arguments).envs(environment.iter().copied()).status()?;
    if status.success() {
        Ok(())
    } else {
        bail!("cargo {} ended with {status}", arguments.join(" "))
    }
}

fn format() -> Result<()> {
    cargo(&["fmt", "--all", "--check"], &[])
}

fn clippy() -> Result<()> {
    let arguments =
        ["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"];
    cargo(&arguments, &[])
}

fn test() -> Result<()> {
    // All of them, also after one has failed: one run tells everything.
    cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"], &[])
}

fn docs() -> Result<()> {
    // Readers are contributors: they want the private parts, too.
    let arguments =
        ["doc", "--workspace", "--no-deps", "--all-features", "--document-private-items"];
    cargo(&arguments, &[("RUSTDOCFLAGS", "-D warnings")])
}

/// Where systemd says "OK": its measure of what a service could still do, 0 to 10, times ten (`systemd-analyze security`).
const MAX_EXPOSURE: &str = "--threshold=25";

/// The systemd units are ones that systemd understands, and give away little.
fn units() -> Result<()> {
    let folder = paths::output("units");
    std::fs::create_dir_all(&folder)?;
    let mut units = Vec::new();
    for entry in std::fs::read_dir(paths::workspace().join("agent/systemd"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "service") {
            let text = std::fs::read_to_string(&path)?;
            // With a program that is there.
            let text = text.replace("/usr/bin/lotse-agent", "/bin/true");
            let unit = folder.join(path.file_name().unwrap_or_default());
            std::fs::write(&unit, text)?;
            units.push(unit);
        }
    }
    if units.len() != 3 {
        bail!("agent/systemd has {} services, not 3", units.len());
    }
    units.iter().try_for_each(|unit| check_unit(unit))
}

/// The one service that is there to start programs, which must be of use; it is not enabled unless
/// somebody sets a terminal up.
const STARTS_PROGRAMS: &str = "lotse-programs.service";

fn check_unit(unit: &Path) -> Result<()> {
    let analyze = |arguments: &[&str]| {
        let command =
            std::process::Command::new("systemd-analyze").args(arguments).arg(unit).output();
        command.context("systemd-analyze")
    };
    let verified = analyze(&["verify"])?;
    let said = String::from_utf8_lossy(&verified.stderr);
    if said.lines().any(|line| line.contains("lotse-")) || !verified.status.success() {
        bail!("{}: {said}", unit.display());
    }
    if unit.ends_with(STARTS_PROGRAMS) {
        return Ok(());
    }
    let rated = analyze(&["security", "--no-pager", "--offline=true", MAX_EXPOSURE])?;
    let said = String::from_utf8_lossy(&rated.stdout);
    let level = said.lines().find(|line| line.contains("exposure level")).unwrap_or(&said);
    say::step(level.trim());
    if rated.status.success() { Ok(()) } else { bail!("{}: {said}", unit.display()) }
}
