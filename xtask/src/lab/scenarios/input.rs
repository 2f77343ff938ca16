//! Input: what is injected arrives at programs, and what a person does is heard from physical devices only.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::kiosk::{expect_click, forget_clicks, start_xorg_listener};
use super::screen::{PROBE, shot};
use super::session::{expect_typed, listen_on_console};
use crate::lab::machine::Machine;
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
    bench.guest.sh("modprobe uinput")?;
    start_xorg_listener(bench)?;
    for command in ["click", "tap"] {
        for (x, y) in PLACES {
            forget_clicks(bench)?;
            bench.guest.sh(&format!("machine_probe {command} {x} {y}"))?;
            expect_click(bench, x, y).context(command)?;
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
    guest.wait_for("the listener", listening, Duration::from_secs(20))?;
    for (x, y) in PLACES {
        guest.tap(x, y)?;
        let wanted = format!("grep 'x: {x}, y: {y} ' /tmp/listen.log");
        guest.wait_for(&format!("a finger at {x}, {y}"), &wanted, Duration::from_secs(20))?;
    }
    // All but what the hal says of the devices.
    let events = "grep -v -E '^[A-Z]+: ' /tmp/listen.log";
    let before = guest.sh(events)?;
    guest.sh("machine_probe tap 300 200; machine_probe inject-key 30; sleep 1")?;
    let after = guest.sh(events)?;
    ensure!(after == before, "injected input counts as a person's: {after}");
    Ok(())
}
