//! `cargo xtask budget`: what the agent may cost, measured.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::json;

use crate::product::{Kiosk, Product, Server, Technician};
use crate::programs::{self, Program};
use crate::{debian, paths, say};

/// Measures what the agent costs and holds it against its budget.
///
/// Builds the agent as it is released, runs it on a simulated kiosk of 1920×1080,
/// and looks at its processes from outside.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long each state is watched
    #[arg(long, default_value_t = 15, value_name = "SECONDS")]
    watch: u64,
    /// How long the idle agent is watched, at least 120; a day is extrapolated
    #[arg(long, default_value_t = 180, value_name = "SECONDS", value_parser = idle_window)]
    idle: u64,
}

/// The shortest time in which an idle link shows what it costs, in seconds: the agent says that
/// it is alive every 55 s, so that a shorter one may see one ping, or none.
const MIN_IDLE: u64 = 120;

fn idle_window(text: &str) -> Result<u64, String> {
    let seconds: u64 = text.parse().map_err(|error| format!("{error}"))?;
    if seconds < MIN_IDLE {
        return Err(format!(
            "an idle link is heard of only every 55 s; less than {MIN_IDLE} s prove nothing"
        ));
    }
    Ok(seconds)
}

/// One figure and its limit.
#[derive(Debug)]
struct Figure {
    what: &'static str,
    value: f64,
    limit: f64,
    unit: &'static str,
}

/// Measures and compares.
///
/// # Errors
/// When a budget is exceeded, or something cannot be measured.
pub(crate) fn run(args: &Args) -> Result<()> {
    debian::ensure_installed(&["iproute2", "util-linux"])?;
    let mut product = Product::build()?;
    // Only the agent has a budget; server and console may be as they are.
    product.agent = programs::build(Program::Bin("lotse-agent", "lotse-agent", ""), "release")?;
    let folder = paths::output("budget");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let size = fs::metadata(&product.agent)?.len();
    let mut figures = vec![figure("agent binary, stripped", mega(size), 4.0, "MB")];
    let server = Server::start(&product.server, &folder)?;
    figures.extend(idle(args, &product, &server, &folder)?);
    figures.extend(streaming(args, &product, &server, &folder)?);
    figures.extend(still(args, &product, &server, &folder)?);
    report(&figures)
}

const SIZE: &str = "1920x1080";

fn idle(args: &Args, product: &Product, server: &Server, folder: &Path) -> Result<Vec<Figure>> {
    say::step("idle: connected, nobody watching");
    let mut kiosk = Kiosk::start(&product.agent, server, folder, SIZE, &["--still"])?;
    let agent = Agent::of(kiosk.id())?;
    // The RSA key that is made in advance is not what idle costs.
    thread::sleep(Duration::from_secs(10));
    let memory = agent.pss()?;
    let traffic = agent.traffic()?;
    say::step(&format!("watching the idle agent for {} s", args.idle));
    let start = Instant::now();
    let cpu = agent.cpu_percent(Duration::from_secs(args.idle))?;
    let bytes = agent.traffic()?.saturating_sub(traffic);
    let a_day = mega(bytes) * 86_400.0 / start.elapsed().as_secs_f64();
    Ok(vec![
        figure("memory idle (PSS of all processes)", mega(memory), 8.0, "MB"),
        // 0.0 % as people write it.
        figure("processor idle", cpu, 0.05, "% of a core"),
        figure("traffic idle, with TCP/IP heads", a_day, 1.0, "MB a day"),
    ])
}

fn streaming(
    args: &Args,
    product: &Product,
    server: &Server,
    folder: &Path,
) -> Result<Vec<Figure>> {
    say::step("streaming: the gauge moves, 1920×1080");
    let mut kiosk = Kiosk::start(&product.agent, server, folder, SIZE, &[])?;
    let mut technician = Technician::connect(&product.console, server, &mut kiosk, folder)?;
    let agent = Agent::of(kiosk.id())?;
    let updates = |technician: &mut Technician| -> Result<u64> {
        let status = technician.command("status", 10)?;
        status.get("updates").and_then(serde_json::Value::as_u64).context("no updates")
    };
    let before = updates(&mut technician)?;
    let mut most = 0;
    let end = Instant::now() + Duration::from_secs(args.watch);
    while Instant::now() < end {
        most = most.max(agent.pss()?);
        thread::sleep(Duration::from_millis(250));
    }
    let seen = updates(&mut technician)?.saturating_sub(before);
    ensure!(seen > 10, "only {seen} updates came while the gauge moved");
    say::step(&format!("{seen} updates in {} s", args.watch));
    technician.command("end", 10)?;
    Ok(vec![figure("memory streaming 1920×1080 (PSS, highest)", mega(most), 20.0, "MB")])
}

fn still(args: &Args, product: &Product, server: &Server, folder: &Path) -> Result<Vec<Figure>> {
    say::step("a still picture is watched");
    // A plain file as the screen: the agent cannot know that it does not change, and must look.
    let picture = folder.join("still.bgrx");
    let pixels: Vec<u8> = (0..1920_u32 * 1080).flat_map(|n| (n / 64).to_le_bytes()).collect();
    fs::write(&picture, pixels).with_context(|| picture.display().to_string())?;
    let source = format!("file:{}:{SIZE}", picture.display());
    let arguments = ["--still", "--screen", &source];
    let mut kiosk = Kiosk::start(&product.agent, server, folder, SIZE, &arguments)?;
    let mut technician = Technician::connect(&product.console, server, &mut kiosk, folder)?;
    let agent = Agent::of(kiosk.id())?;
    technician.command("wait-still 2000 20", 30)?;
    thread::sleep(Duration::from_secs(3));
    let cpu = agent.cpu_percent(Duration::from_secs(args.watch))?;
    let memory = agent.pss()?;
    technician.command("end", 10)?;
    Ok(vec![
        figure("processor, a still picture watched", cpu, 0.5, "% of a core"),
        figure("memory, a still 1920×1080 watched", mega(memory), 20.0, "MB"),
    ])
}

/// The agent's processes, seen from outside.
struct Agent {
    processes: Vec<u32>,
}

impl Agent {
    fn of(process: u32) -> Result<Self> {
        let children = format!("/proc/{process}/task/{process}/children");
        let children = fs::read_to_string(&children).context(children)?;
        let mut processes = vec![process];
        processes.extend(children.split_whitespace().filter_map(|id| id.parse::<u32>().ok()));
        // The one that looks after them, the machine's and the network's.
        ensure!(processes.len() == 3, "the agent has {} processes, not 3", processes.len());
        Ok(Self { processes })
    }

    /// Proportional set size of all, in bytes (`/proc/PID/smaps_rollup`, proc(5)).
    fn pss(&self) -> Result<u64> {
        let mut sum = 0;
        for process in &self.processes {
            let file = format!("/proc/{process}/smaps_rollup");
            let text = fs::read_to_string(&file).context(file)?;
            let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
            let number = line.and_then(|rest| rest.split_whitespace().next());
            sum += number.and_then(|n| n.parse::<u64>().ok()).context("no Pss")? * 1024;
        }
        Ok(sum)
    }

    /// Processor time of all, user and system, as a share of one core.
    fn cpu_percent(&self, time: Duration) -> Result<f64> {
        let before = self.cpu_time()?;
        let start = Instant::now();
        thread::sleep(time);
        let used = self.cpu_time()?.checked_sub(before).context("processor time went back")?;
        Ok(used.as_secs_f64() / start.elapsed().as_secs_f64() * 100.0)
    }

    /// `utime` and `stime` of `/proc/PID/stat` (proc(5)): of all threads, those that have ended
    /// too, in ticks of 10 ms.
    fn cpu_time(&self) -> Result<Duration> {
        let mut ticks = 0;
        for process in &self.processes {
            let file = format!("/proc/{process}/stat");
            let text = fs::read_to_string(&file).context(file)?;
            // The name in parentheses may have spaces; the fields after it are counted from 3.
            let (_, fields) = text.rsplit_once(')').context("no name in stat")?;
            let field = |number: usize| -> Result<u64> {
                let text = fields.split_whitespace().nth(number - 3).context("stat is short")?;
                text.parse().context("stat has no number")
            };
            ticks += field(14)? + field(15)?;
        }
        ensure!(ticks > 0, "the kernel counts no processor time");
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Bytes that its TCP connections have sent and received, 52 for each segment's heads.
    fn traffic(&self) -> Result<u64> {
        let output = Command::new("ss").args(["-tinpH"]).output().context("ss")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let lines: Vec<&str> = text.lines().collect();
        let mut sum = 0;
        for pair in lines.windows(2) {
            let [connection, details] = pair else { continue };
            if !self.processes.iter().any(|id| connection.contains(&format!("pid={id},"))) {
                continue;
            }
            let field = |name: &str| -> u64 {
                let found = details.split_whitespace().find_map(|word| word.strip_prefix(name));
                found.and_then(|number| number.parse().ok()).unwrap_or(0)
            };
            sum += field("bytes_sent:") + field("bytes_received:");
            sum += 52 * (field("segs_out:") + field("segs_in:"));
        }
        if sum == 0 { bail!("ss shows no connection of the agent") } else { Ok(sum) }
    }
}

fn figure(what: &'static str, value: f64, limit: f64, unit: &'static str) -> Figure {
    Figure { what, value, limit, unit }
}

fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn report(figures: &[Figure]) -> Result<()> {
    let mut broken = 0;
    for Figure { what, value, limit, unit } in figures {
        let is_kept = value <= limit;
        broken += usize::from(!is_kept);
        let verdict = if is_kept { "ok" } else { "BROKEN" };
        say::result(&format!("{what:<44} {value:>8.3}  of {limit:>6.2} {unit:<12} {verdict}"));
    }
    let rows: Vec<_> = figures
        .iter()
        .map(|f| json!({"what": f.what, "value": f.value, "limit": f.limit, "unit": f.unit}))
        .collect();
    let file = paths::output("budget").join("budget.json");
    fs::write(&file, serde_json::to_vec_pretty(&rows)?).context("write the figures")?;
    ensure!(broken == 0, "{broken} of {} budgets are broken", figures.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_an_idle_time_that_proves_nothing() {
        assert_eq!(idle_window("120"), Ok(120));
        assert!(idle_window("119").unwrap_err().contains("120 s"));
        assert!(idle_window("0").is_err());
        assert!(idle_window("-5").is_err());
    }
}
