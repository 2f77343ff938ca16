//! `cargo xtask bench`: what sending pictures costs, in bytes, processor time, memory and waiting.
//!
//! The program `lotse-bench` makes the frames and measures one way of sending them at a time; here
//! it is built and started, figures are compared, and tables, `target/bench/bench.json` and
//! `target/bench/bench.svg` are written. Bytes and instruction counts are the same on every
//! computer and are held against `tests/bench/baseline.json`. Times are not: they are compared only
//! with other times of the same run.

mod baseline;
mod chart;
mod crowd;
mod instructions;
mod over_lines;
mod peers;
mod table;
mod viewers;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::programs::{self, Program};
use crate::{debian, paths, say};

/// Memory of the agent while it streams, at most: bytes of PSS.
const MEMORY: f64 = 20e6;

/// What is built: like a release, but quickly.
const PROFILE: &str = "lab";

/// Measures what sending pictures costs.
///
/// First the codec alone, then the whole path: an agent that reads a screen, encryption, the
/// server, a technician who decodes.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only what is the same on every computer: bytes and instruction counts of the codec
    #[arg(long)]
    quick: bool,
    /// Make the bytes and instruction counts of this run the ones that later runs are held against
    #[arg(long)]
    accept: bool,
    /// Play everything through other products, too: TigerVNC, x11vnc, and video coders with
    /// RustDesk's settings; installs them
    #[arg(long, conflicts_with = "quick")]
    peers: bool,
    /// Nothing but a session of 100 members: how long newcomers wait, and how long those who stay
    /// have the same key as those who left
    #[arg(long, conflicts_with_all = ["quick", "accept", "peers", "path_only", "only"])]
    crowd: bool,
    /// Nothing but what it costs the device that one, ten and a hundred watch
    #[arg(long, conflicts_with_all = ["quick", "accept", "peers", "path_only", "crowd"])]
    viewers: bool,
    /// Nothing but what is felt over lines of 20, 5 and 1 Mbit/s
    #[arg(long, conflicts_with_all = ["quick", "accept", "peers", "path_only", "crowd"])]
    lines: bool,
    /// Play each workload so often, all ways in turn, and take the medians
    #[arg(long, default_value_t = 1, value_name = "N")]
    rounds: u32,
    /// Leave out the codec alone
    #[arg(long, conflicts_with = "quick")]
    path_only: bool,
    /// Only these workloads
    #[arg(value_name = "WORKLOAD")]
    only: Vec<String>,
}

/// Measures what is the same on every computer and holds it against the baseline.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_quick() -> Result<()> {
    run(&Args {
        quick: true,
        accept: false,
        peers: false,
        crowd: false,
        viewers: false,
        lines: false,
        rounds: 1,
        path_only: false,
        only: Vec::new(),
    })
}

/// Measures, writes what came out, and says whether it is as good as promised.
///
/// # Errors
/// When a promise is broken or something cannot be measured.
pub(crate) fn run(args: &Args) -> Result<()> {
    debian::ensure_installed(&["util-linux", "valgrind"])?;
    if args.peers {
        debian::ensure_installed(&peers::PACKAGES)?;
    }
    let folder = paths::output("bench");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let bench = Bench::build(&folder)?;
    if args.crowd {
        let row = crowd::play(&bench)?;
        fs::write(folder.join("crowd.json"), serde_json::to_vec_pretty(&row)?)?;
        return settle(&crowd::judge(&row));
    }
    if args.lines {
        let rows = over_lines::play(&bench, &args.only)?;
        fs::write(folder.join("lines.json"), serde_json::to_vec_pretty(&rows)?)?;
        over_lines::show(&rows);
        return Ok(());
    }
    if args.viewers {
        let rows = viewers::play(&bench, args.rounds, &args.only)?;
        fs::write(folder.join("viewers.json"), serde_json::to_vec_pretty(&rows)?)?;
        return settle(&viewers::judge(&rows));
    }
    let mut broken = Vec::new();

    let mut codec = Vec::new();
    if !args.path_only {
        codec = bench.rows("codec", &[], &args.only)?;
        instructions::count(&bench, &mut codec)?;
        table::codec(&codec);
        let file = paths::workspace().join("tests/bench/baseline.json");
        if args.accept {
            baseline::write(&file, &codec)?;
            say::result(&format!("accepted as the baseline: {}", file.display()));
        } else {
            broken.extend(baseline::compare(&baseline::read(&file)?, &codec));
        }
    }

    let (mut path, mut lossy) = (Vec::new(), Vec::new());
    if !args.quick {
        let product = bench.product()?;
        path = peers::play(&bench, &product, (args.peers, args.rounds), &args.only)?;
        table::path(&path);
        broken.extend(path.iter().filter_map(too_large));
    }
    if args.peers {
        broken.extend(peers::compare(&path));
        lossy = peers::video(&bench, &args.only)?;
        table::lossy(&lossy);
    }
    let all = json!({ "codec": codec, "path": path, "lossy": lossy });
    fs::write(folder.join("bench.json"), serde_json::to_vec_pretty(&all)?)?;
    fs::write(folder.join("bench.svg"), chart::draw(&codec, &path))?;
    say::result(&format!("figures and chart: {}", folder.display()));
    settle(&broken)
}

/// Says what is not as promised.
///
/// # Errors
/// When there is any.
fn settle(broken: &[String]) -> Result<()> {
    broken.iter().for_each(|what| say::result(&format!("BROKEN  {what}")));
    ensure!(broken.is_empty(), "{} promises are broken", broken.len());
    Ok(())
}

/// What is wrong with the memory of a run, if anything.
fn too_large(row: &Value) -> Option<String> {
    let row = row.get("path").filter(|_| text(row, "way").starts_with("lotse"))?;
    let memory = number(row, "memory")?;
    (memory > MEMORY).then(|| format!("{:.1} MB of memory, 20 promised", memory / 1e6))
}

/// A number of a row.
fn number(row: &Value, key: &str) -> Option<f64> {
    row.get(key)?.as_f64()
}

/// A text of a row; empty if it is not there.
fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The program that measures.
#[derive(Debug)]
struct Bench {
    program: PathBuf,
    folder: PathBuf,
}

impl Bench {
    fn build(folder: &Path) -> Result<Self> {
        let program = programs::build(Program::Bin("lotse-bench", "lotse-bench", ""), PROFILE)?;
        Ok(Self { program, folder: folder.to_owned() })
    }

    /// Builds the product and gives the options that name it.
    fn product(&self) -> Result<Vec<String>> {
        let server = programs::build(Program::Bin("lotse-server", "lotse-server", ""), PROFILE)?;
        let agent = programs::build(Program::Bin("lotse-agent", "lotse-agent", ""), PROFILE)?;
        let path = |path: &Path| path.display().to_string();
        Ok(vec![
            format!("--server={}", path(&server)),
            format!("--agent={}", path(&agent)),
            format!("--folder={}", path(&self.folder)),
        ])
    }

    /// A command of the program.
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(name).stdin(Stdio::null()).stderr(Stdio::inherit());
        command
    }

    /// Runs a command for one workload after the other and collects what it says.
    fn rows(&self, name: &str, options: &[String], only: &[String]) -> Result<Vec<Value>> {
        let mut rows = Vec::new();
        for workload in self.workloads(only)? {
            say::step(&format!("{name}: {workload}"));
            let output = self.command(name).args(options).arg(&workload).output()?;
            ensure!(output.status.success(), "{name} {workload} failed");
            rows.extend(lines(&output.stdout)?);
        }
        Ok(rows)
    }

    /// Names of the workloads: those of `only`, else all.
    fn workloads(&self, only: &[String]) -> Result<Vec<String>> {
        if !only.is_empty() {
            return Ok(only.to_vec());
        }
        let output = self.command("list").output().context("lotse-bench list")?;
        let listed = lines(&output.stdout)?;
        Ok(listed.iter().map(|row| text(row, "workload").to_owned()).collect())
    }
}

/// One JSON object a line.
fn lines(output: &[u8]) -> Result<Vec<Value>> {
    let text = String::from_utf8_lossy(output);
    text.lines().map(|line| serde_json::from_str(line).context(line.to_owned())).collect()
}
