//! Input: what is injected arrives at programs, and what a person does is heard from physical devices only.

use anyhow::{Context, Result, ensure};

use super::kiosk::{
    expect_press_at, forget_clicks, start_xorg_listener, wait_for_press, wait_until_x_listens,
};
use super::screen::{PROBE, shot};
use super::session::{expect_typed, listen_on_console};
use crate::lab::machine::Machine;
use crate::lab::people::PATIENCE;
use crate::lab::scenario::{Bench, Case};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "injected-keys",
        about: "keys that the agent injects are typed into the text console",
        machines: Machine::TYPICAL,
        programs: &[PROBE],
        run: injected_keys,
    },
    Case {
        name: "injected-click",
        about: "a click and a tap that the agent injects land on the very pixel under X11",
        machines: Machine::TYPICAL,
        programs: &[PROBE],
        run: injected_click,
    },
    Case {
        name: "finger-heard",
        about: "a finger on the panel is heard at its pixel, an injected tap is not heard",
        machines: Machine::WITH_SCREEN,
        programs: &[PROBE],
        run: finger_heard,
    },
];

/// Linux key codes of "lotse42" and Enter.
const KEY_CODES: &str = "38 24 20 31 18 5 3 28";

fn injected_keys(bench: &mut Bench) -> Result<()> {
    shot(bench)?;
    bench.guest.sh("modprobe uinput; systemctl stop getty@tty1; chvt 1")?;
    listen_on_console(bench)?;
    bench.guest.sh(&format!("machine_probe inject-key {KEY_CODES}"))?;
    expect_typed(bench, "lotse42")
}

/// Pixels away from corners and from each other.
const PLACES: [(usize, usize); 3] = [(17, 23), (401, 299), (640, 101)];

fn injected_click(bench: &mut Bench) -> Result<()> {
    shot(bench)?;
    bench.guest.sh("modprobe uinput; mkfifo /tmp/act")?;
    start_xorg_listener(bench)?;
    // Opened for both directions, so that it does not end between two lines.
    let probe = bench.guest.spawn("exec machine_probe act 0<> /tmp/act", "act")?;
    bench.guest.wait_for_job("the probe", "grep ready /tmp/act.log", &probe, PATIENCE)?;
    wait_until_x_listens(bench)?;
    for command in ["click", "tap"] {
        for (x, y) in PLACES {
            forget_clicks(bench)?;
            bench.guest.sh(&format!("echo {command} {x} {y} > /tmp/act"))?;
            let heard = wait_for_press(bench, PATIENCE).context(command)?;
            expect_press_at(&heard, x, y).context(command)?;
        }
    }
    Ok(())
}

fn finger_heard(bench: &mut Bench) -> Result<()> {
    shot(bench)?;
    let guest = &mut bench.guest;
    guest.sh("modprobe uinput")?;
    guest.spawn("stdbuf -oL machine_probe listen 600", "listen")?;
    let listening = "grep listening /tmp/listen.log";
    guest.wait_for("the listener", listening, PATIENCE)?;
    for (x, y) in PLACES {
        guest.tap(x, y)?;
        let wanted = format!("grep 'x: {x}, y: {y} ' /tmp/listen.log");
        guest.wait_for(&format!("a finger at {x}, {y}"), &wanted, PATIENCE)?;
    }
    // All but what the hal says of the devices.
    let events = "grep -v -E '^[A-Z]+: ' /tmp/listen.log";
    let before = guest.sh(events)?;
    guest.sh("machine_probe tap 300 200; machine_probe inject-key 30")?;
    // A finger after it: when that is heard, the other would have been.
    let (x, y) = (500, 200);
    guest.tap(x, y)?;
    let at = format!("x: {x}, y: {y} ");
    let is_heard = format!("grep '{at}.*Up' /tmp/listen.log");
    guest.wait_for(&format!("a finger at {x}, {y}"), &is_heard, PATIENCE)?;
    let after = guest.sh(events)?;
    let heard = after.strip_prefix(&before).context("the record of before has changed")?;
    ensure!(
        heard.lines().all(|line| line.contains(&at)),
        "only a finger at {at} may be heard, not injected input: {heard}"
    );
    Ok(())
}
