//! Debian packages that a subcommand needs on this computer: installs those that are missing.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::say;

/// Makes sure that `packages` are installed, installing the missing ones without their recommendations.
///
/// As root, and else through `sudo` where that needs no password.
///
/// # Errors
/// When this is not a Debian, there is no right to install, or apt fails. The message says which command to run by hand.
pub(crate) fn ensure_installed(packages: &[&str]) -> Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|name| !is_installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("apt-get install --no-install-recommends {}", missing.join(" "));
    if !works(Command::new("apt-get").arg("--version")) {
        bail!(
            "needs what Debian calls {}; install it with this system's own tools",
            missing.join(", ")
        );
    }
    let is_root = is_root();
    if !is_root && !works(Command::new("sudo").args(["-n", "true"])) {
        bail!("needs Debian packages that are not installed; run: sudo {by_hand}");
    }
    say::step(&format!("installing {}", missing.join(", ")));
    let apt = |arguments: &[&str]| -> Result<()> {
        let mut command = if is_root {
            Command::new("env")
        } else {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "env"]);
            sudo
        };
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet=2"]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let status = command.status().context("apt-get")?;
        if !status.success() {
            bail!("installing Debian packages failed ({status}); try by hand: {by_hand}");
        }
        Ok(())
    };
    apt(&["update"])?;
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(missing);
    apt(&install)
}

/// Makes packages of another processor's architecture installable, so that `NAME:ARCHITECTURE` can be asked for.
///
/// # Errors
/// When dpkg does not know the architecture yet and can't be told.
pub(crate) fn add_architecture(architecture: &str) -> Result<()> {
    let known = Command::new("dpkg").arg("--print-foreign-architectures").output()?;
    if String::from_utf8_lossy(&known.stdout).lines().any(|line| line == architecture) {
        return Ok(());
    }
    let mut command = if is_root() { Command::new("dpkg") } else { Command::new("sudo") };
    if !is_root() {
        command.args(["-n", "dpkg"]);
    }
    let status = command.args(["--add-architecture", architecture]).status()?;
    if !status.success() {
        bail!("run by hand: sudo dpkg --add-architecture {architecture}");
    }
    Ok(())
}

/// Whether this program runs with root's rights.
pub(crate) fn is_root() -> bool {
    // The first number of "Uid:" is the real user, the second the effective one.
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("Uid:"))
        .is_some_and(|ids| ids.split_whitespace().nth(1) == Some("0"))
}

fn is_installed(package: &str) -> bool {
    let query =
        Command::new("dpkg-query").args(["--show", "--showformat=${Status}", package]).output();
    query.is_ok_and(|output| output.stdout == b"install ok installed")
}

fn works(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
