//! A machine with two displays, one of them large: which is seen, and what seeing costs.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::screen::quiet_console;
use super::session::{BEHIND_A_KIOSK, PROGRAMS, agree, bring_together, connect, prepare};
use crate::lab::machine::Machine;
use crate::lab::people::{PATIENCE, Session, View};
use crate::lab::scenario::{Bench, Case};
use crate::say;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "outputs",
        about: "the technician chooses the second display and goes back to the first",
        machines: &[Machine::Twin],
        programs: PROGRAMS,
        run: outputs,
    },
    Case {
        name: "cost",
        about: "what the agent takes of the emulated processor at 1920×1080: unwatched, still, all of it changing",
        machines: &[Machine::Twin],
        programs: PROGRAMS,
        run: cost,
    },
];

/// Size of the second display, as the kernel's command line has it.
const SECOND: (usize, usize) = (1024, 768);

fn outputs(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    bench.guest.sh("ls -la /usr/bin | head -n 30 > /dev/tty1")?;
    let mut session = connect(bench, "")?;
    let first = session.technician.picture("first")?;
    let names = names(&mut session)?;
    ensure!(names.len() == 2, "two displays are driven, but the console is told {names:?}");
    for (name, size) in [(&names[1], SECOND), (&names[0], (first.width, first.height))] {
        session.technician.ask(&format!("show {name}"))?;
        wait_for_size(&mut session, size).with_context(|| name.clone())?;
    }
    session.technician.ask("wait-still 1500 60")?;
    let shown = bench.guest.still_screendump(PATIENCE)?;
    let seen = session.technician.picture("back")?;
    bench.expect_same("back", &seen, &shown)?;
    ensure!(session.technician.ask("show drm:HDMI-A-9").is_err(), "a display that is not there");
    Ok(())
}

/// The names of the displays that the console may choose from; the one that is seen first.
fn names(session: &mut Session) -> Result<Vec<String>> {
    let end = Instant::now() + PATIENCE;
    loop {
        let status = session.technician.ask("status")?;
        if let Some(outputs) = status.get("outputs").and_then(Value::as_array) {
            let is_seen =
                |output: &&Value| output.get("seen").and_then(Value::as_bool) == Some(true);
            let (seen, others): (Vec<&Value>, Vec<&Value>) = outputs.iter().partition(is_seen);
            ensure!(seen.len() == 1, "one display is seen: {status}");
            let name = |output: &Value| Some(output.get("name")?.as_str()?.to_owned());
            return seen
                .into_iter()
                .chain(others)
                .map(name)
                .collect::<Option<_>>()
                .context("names");
        }
        ensure!(Instant::now() < end, "the console is told of no displays: {status}");
        thread::sleep(Duration::from_millis(500));
    }
}

fn wait_for_size(session: &mut Session, (width, height): (usize, usize)) -> Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let status = session.technician.ask("status")?;
        let side = |key: &str| status.get(key).and_then(Value::as_u64);
        if (side("width"), side("height")) == (Some(width as u64), Some(height as u64)) {
            return Ok(());
        }
        ensure!(Instant::now() < end, "a picture of {width}×{height} does not come: {status}");
        thread::sleep(Duration::from_millis(500));
    }
}

/// How long each state is measured.
const MEASURED: Duration = Duration::from_secs(20);

/// Makes two frames of noise and shows them in turn, thirty times a second.
const PAINTER: &str = r#"
import os, time
fb = os.open('/dev/fb0', os.O_RDWR)
size = int(open('/sys/class/graphics/fb0/stride').read()) * int(
    open('/sys/class/graphics/fb0/virtual_size').read().split(',')[1])
frames = [os.urandom(size), os.urandom(size)]
due = time.monotonic()
count = 0
while True:
    os.pwrite(fb, frames[count % 2], 0)
    count += 1
    due = max(due + 1 / 30, time.monotonic())
    time.sleep(max(0, due - time.monotonic()))
"#;

fn cost(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    bench.guest.sh("ls -la /usr/bin | head -n 60 > /dev/tty1")?;
    let mut session = prepare(bench, &format!("{BEHIND_A_KIOSK}\n[screen]\nmax_cpu_percent = 25"))?;
    // The start itself takes a while: the pair of keys for the next session is made beforehand.
    let started = Instant::now();
    while share(bench)? > 0.1 && started.elapsed() < PATIENCE {}
    let unwatched = share(bench)?;
    bench.guest.press(&["f12"])?;
    session.agent.wait_view(&mut bench.guest, View::Home)?;
    thread::sleep(Duration::from_secs(2));
    let home = share(bench)?;
    bring_together(bench, &mut session)?;
    agree(bench, &mut session)?;
    session.technician.ask("wait-still 3000 120")?;
    let still = share(bench)?;
    bench.guest.put("/tmp/painter.py", PAINTER)?;
    let painter = bench.guest.spawn("exec python3 /tmp/painter.py", "painter")?;
    thread::sleep(Duration::from_secs(5));
    let before = updates(&mut session)?;
    let changing = share(bench)?;
    let frames = updates(&mut session)?.saturating_sub(before) as f64 / MEASURED.as_secs_f64();
    bench.guest.sh(&format!("kill {}", painter.pid()))?;
    session.technician.ask("end")?;
    say::result(&format!(
        "processor of the agent at 1920×1080, emulated: unwatched {unwatched:.2} %, with its panel shown {home:.2} %, \
         still {still:.2} %, changing {changing:.1} % at {frames:.1} pictures a second"
    ));
    // Emulated, everything takes twenty times as long and more, the more so beside other work; `cargo xtask budget` has
    // the bounds of a real processor.
    ensure!(unwatched < 0.1, "unwatched, it takes {unwatched:.2} % of the processor");
    ensure!(home < 1.0, "with its panel shown, it takes {home:.2} % of the processor");
    ensure!(still < 30.0, "a still picture takes {still:.2} % of the processor");
    ensure!(changing < 40.0, "a changing picture takes {changing:.1} % of the processor, not 25 %");
    Ok(())
}

fn updates(session: &mut Session) -> Result<u64> {
    let status = session.technician.ask("status")?;
    status.get("updates").and_then(Value::as_u64).context("no count of pictures")
}

/// The part of one processor that the agent's two processes take for a while, in percent.
fn share(bench: &mut Bench) -> Result<f64> {
    // Ticks of user and system time, and the guest's own clock: it may run slower than ours.
    let look = "cat /proc/uptime; for unit in lotse-machine lotse-agent; do \
                cat /proc/$(systemctl show --property MainPID --value $unit)/stat; done";
    let measure = |bench: &mut Bench| -> Result<(f64, f64)> {
        let said = bench.guest.sh(look)?;
        let mut lines = said.lines();
        let clock = lines.next().and_then(|line| line.split(' ').next()).context("no clock")?;
        let ticks = lines.map(|line| {
            // Behind the name in brackets, which may contain anything.
            let fields: Vec<&str> = line.rsplit(')').next()?.split_whitespace().collect();
            Some(fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?)
        });
        let ticks: Option<Vec<f64>> = ticks.collect();
        Ok((clock.parse()?, ticks.context("no times")?.iter().sum()))
    };
    let (began, before) = measure(bench)?;
    thread::sleep(MEASURED);
    let (ended, after) = measure(bench)?;
    // A tick is a hundredth of a second.
    Ok((after - before) / (ended - began).max(0.1))
}
