//! `cargo xtask lab`: the agent on real interfaces, in virtual machines that QEMU emulates.
//!
//! Ground truth comes from outside of the machine: QEMU's screendump says what the screen shows, and QEMU's input events are
//! the person in front of it. See `images/README.md` for the system that boots.

mod channel;
mod guest;
mod image;
mod machine;
mod people;
mod picture;
mod planes;
mod qmp;
mod report;
mod scenario;
mod scenarios;
mod shell;
mod talker;
mod vm;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail, ensure};

use self::guest::Guest;
use self::machine::Machine;
use self::report::Outcome;
use self::scenario::{Bench, Scenario};
use self::vm::Parts;
use crate::programs::{self, Program};
use crate::{debian, paths, say};

/// What the lab is asked for.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Scenarios, kinds of machine or cases, by name; all scenarios when none is given
    names: Vec<String>,
    /// Name the scenarios and what each shows, and do nothing
    #[arg(long)]
    list: bool,
    /// Start a machine of this kind and run the lines of standard input in it
    #[arg(long, value_name = "MACHINE", conflicts_with_all = ["list", "names"])]
    shell: Option<String>,
}

/// Cargo profile of the programs that go into the guest.
const PROFILE: &str = "dev";

/// The program that answers in the guest.
const HAND: Program = Program::Bin("lotse-lab-guest", "lotse-lab-guest", "");

/// The newest C library that programs may be built against: that of the guest.
const GUEST_GLIBC: (u32, u32) = (2, 36);

/// Runs the subcommand.
///
/// # Errors
/// When a scenario fails, a name is unknown, or the lab can't be set up.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.list {
        list();
        return Ok(());
    }
    if let Some(name) = &args.shell {
        let machine = Machine::from_name(name);
        return try_by_hand(
            machine.with_context(|| format!("no kind of machine is called {name}"))?,
        );
    }
    let scenarios = select(&args.names)?;
    let parts = prepare()?;
    let programs = build_programs(&scenarios)?;
    let mut outcomes = Vec::new();
    for scenario in scenarios {
        let (name, start) = (scenario.name(), Instant::now());
        say::step(&format!("{name}: {}", scenario.case.about));
        let folder = paths::output("lab").join(&name);
        let failure = play(&parts, &scenario, &programs)
            .err()
            .map(|error| format!("{error:#}\npictures and logs: {}", folder.display()));
        let took = start.elapsed();
        let end = failure.as_ref().map_or("ok".to_owned(), |failure| format!("FAILED: {failure}"));
        say::step(&format!("{name}: {end} ({:.1} s)", took.as_secs_f32()));
        outcomes.push(Outcome { name, took, failure });
    }
    report::show(&outcomes, &paths::output("lab").join("results.json"))?;
    let failed = outcomes.iter().filter(|outcome| outcome.failure.is_some()).count();
    ensure!(failed == 0, "{failed} of {} scenarios failed", outcomes.len());
    Ok(())
}

/// Runs the scenarios of these names.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_named(names: &[&str]) -> Result<()> {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    run(&Args { names, list: false, shell: None })
}

fn list() {
    let scenarios = Scenario::all();
    let width = scenarios.iter().map(|scenario| scenario.name().len()).max().unwrap_or(0);
    for scenario in scenarios {
        say::result(&format!("{:width$}  {}", scenario.name(), scenario.case.about));
    }
}

fn select(names: &[String]) -> Result<Vec<Scenario>> {
    let all = Scenario::all();
    for name in names {
        if !all.iter().any(|scenario| scenario.is_called(name)) {
            bail!("no scenario, machine or case is called {name}; see cargo xtask lab --list");
        }
    }
    let is_meant =
        |scenario: &Scenario| names.is_empty() || names.iter().any(|name| scenario.is_called(name));
    Ok(all.into_iter().filter(is_meant).collect())
}

/// What every machine needs: the emulator, the guest's system and the hand in it.
fn prepare() -> Result<Parts> {
    debian::ensure_installed(&vm::PACKAGES)?;
    check_glibc()?;
    Ok(Parts { image: image::ensure()?, hand: programs::build(HAND, PROFILE)? })
}

/// Builds each program that a scenario works with, once.
fn build_programs(scenarios: &[Scenario]) -> Result<HashMap<Program, PathBuf>> {
    let mut built = HashMap::new();
    for program in scenarios.iter().flat_map(|scenario| scenario.case.programs) {
        if !built.contains_key(program) {
            built.insert(*program, programs::build(*program, PROFILE)?);
        }
    }
    Ok(built)
}

fn play(parts: &Parts, scenario: &Scenario, built: &HashMap<Program, PathBuf>) -> Result<()> {
    let artefacts = fresh_artefacts(&scenario.name())?;
    let programs = scenario.case.programs.iter().filter_map(|program| built.get(program));
    let programs = programs.cloned().collect();
    let guest = Guest::start(parts, scenario.machine, &artefacts)?;
    let mut bench = Bench { guest, artefacts, programs };
    let result = (scenario.case.run)(&mut bench);
    bench.guest.keep_evidence();
    // Where the folder can't be looked at, as on a build server, this may have to do.
    result.map_err(|error| anyhow!("{error:#}{}", bench.guest.last_words_of_agent()))
}

fn try_by_hand(machine: Machine) -> Result<()> {
    let artefacts = fresh_artefacts(&format!("shell-{machine}"))?;
    let mut guest = Guest::start(&prepare()?, machine, &artefacts)?;
    shell::run(&mut guest, &artefacts)
}

/// An empty folder below `target/lab/`.
fn fresh_artefacts(name: &str) -> Result<PathBuf> {
    let folder = paths::output("lab").join(name);
    if Path::exists(&folder) {
        fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

/// Programs are built here and run there, so the C library here must not be the newer one.
fn check_glibc() -> Result<()> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().context("getconf")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.trim().strip_prefix("glibc ").and_then(|version| version.split_once('.'));
    let (major, minor) = version.context("the lab needs a computer with the GNU C library")?;
    ensure!(
        (major.parse::<u32>()?, minor.parse::<u32>()?) <= GUEST_GLIBC,
        "this computer's C library ({}) is newer than that of the lab's guest, Debian 12; \
         run the lab in a container or machine with Debian 12",
        text.trim()
    );
    Ok(())
}
