//! `lotse-agent doctor`: whether everything is there that the agent needs, and what to change.
//!
//! It looks as the user who starts it; the services run as root with fewer capabilities, so run
//! it as root.

mod checks;
mod system;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use lotse_client::{ConnectOptions, connect};
use lotse_hal::linux::choose::choose;
use lotse_hal::linux::inventory::inputs;
use lotse_hal::linux::mounting::Mounting;
use lotse_hal::{ErrorKind, Panel as _};
use lotse_protocol::ServerAddress;

use crate::config::Config;
use crate::outline::Outline;
use crate::probe;

pub use system::System;

/// How long the server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// The agent works, but something could be better.
    Advice,
    /// Without it nobody can be helped here.
    Missing,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Advice => "advice",
            Self::Missing => "missing",
        }
    }
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub about: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to change, if anything.
    pub advice: Option<String>,
}

impl Check {
    fn good(about: &'static str, found: impl Into<String>) -> Self {
        Self { about, verdict: Verdict::Good, found: found.into(), advice: None }
    }

    fn advice(about: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        let (found, advice) = (found.into(), Some(advice.into()));
        Self { about, verdict: Verdict::Advice, found, advice }
    }

    fn missing(about: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { verdict: Verdict::Missing, ..Self::advice(about, found, advice) }
    }
}

/// Examines this machine. `loaded` is what the configuration file at `path` and the command line
/// say together; with `is_offline` the server is left alone.
pub fn examine(path: &Path, loaded: anyhow::Result<Config>, is_offline: bool) -> Vec<Check> {
    let system = System::here();
    let mut all = checks::privileges(&system);
    all.extend(checks::kernel(&system));
    all.extend(checks::devices(&system));
    all.push(checks::inputs(&inputs()));
    all.push(checks::configuration(&system, path, loaded.as_ref()));
    if let Ok(config) = &loaded {
        all.push(checks::user(&system, &config.user));
        all.extend(checks::programs(&system, config));
        if let Ok(machine) = config.machine() {
            let chosen = choose(&machine.screen, &Mounting::new(machine.rotation));
            let screen = chosen.map(|chosen| chosen.screen.info());
            all.push(checks::screen(screen.as_ref()));
            let mut panel = probe::unused_panel(&machine);
            let size = panel.size();
            all.push(checks::panel(&panel.describe(), size.map_err(|error| error.to_string())));
        }
    }
    all.push(checks::clock(SystemTime::now()));
    if let Ok(config) = &loaded
        && !is_offline
    {
        let outcome = config.server.parse().map_err(|error| anyhow::anyhow!("{error}"));
        let outcome = outcome.and_then(|address| reach(&address));
        all.push(checks::server(&config.server, outcome.map_err(|error| format!("{error:#}"))));
    }
    all
}

/// Connects to the server as the agent does, and goes away again.
fn reach(address: &ServerAddress) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    let options = ConnectOptions {
        timeout: PATIENCE,
        ..ConnectOptions::new(concat!("lotse-agent ", env!("CARGO_PKG_VERSION")))
    };
    runtime.block_on(async {
        connect(address, &options).await?.close().await;
        Ok(())
    })
}

/// What was found, for people: what is not good last, so that it stays on the screen.
pub fn to_text(checks: &[Check]) -> String {
    let mut sorted: Vec<&Check> = checks.iter().collect();
    sorted.sort_by_key(|check| check.verdict);
    let width = checks.iter().map(|check| check.about.len()).max().unwrap_or(0);
    let mut text = String::new();
    for check in sorted {
        let Check { about, verdict, found, advice } = check;
        text += &format!("{:<8} {about:<width$}  {found}\n", verdict.word());
        if let Some(advice) = advice {
            text += &format!("{:<8} {:<width$}  -> {advice}\n", "", "");
        }
    }
    text
}

/// What was found, for programs.
pub fn to_outline(checks: &[Check]) -> Outline {
    let check = |check: &Check| {
        Outline::Fields(vec![
            ("about", check.about.into()),
            ("verdict", check.verdict.word().into()),
            ("found", check.found.as_str().into()),
            ("advice", check.advice.as_deref().into()),
        ])
    };
    Outline::Fields(vec![
        ("is_fit", is_fit(checks).into()),
        ("checks", Outline::list(checks, check)),
    ])
}

/// Whether nothing essential is missing.
pub fn is_fit(checks: &[Check]) -> bool {
    checks.iter().all(|check| check.verdict != Verdict::Missing)
}

/// Whether an error is about rights, which the operator gives.
fn is_permission(error: &lotse_hal::Error) -> bool {
    error.kind() == ErrorKind::Permission
}
