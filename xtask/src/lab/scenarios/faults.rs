//! Faults: programs are killed and cables pulled while a key is held down. Nobody hangs, the key is let go within 2 s, people are
//! told in words, and the agent comes back by itself.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::screen::quiet_console;
use super::session::{PROGRAMS, agree, bring_together, connect};
use crate::lab::machine::Machine;
use crate::lab::people::{PATIENCE, Session, View};
use crate::lab::scenario::{Bench, Case};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "agent-kill",
        about: "the agent is killed: keys are let go, the technician is told, the agent comes back",
        machines: &[Machine::Virtio],
        programs: PROGRAMS,
        run: agent_kill,
    },
    Case {
        name: "machine-kill",
        about: "the process that reads the screen crashes: keys are let go, the technician is told, it comes back",
        machines: &[Machine::Virtio],
        programs: PROGRAMS,
        run: machine_kill,
    },
    Case {
        name: "server-kill",
        about: "the server is killed: keys are let go, both are told, and after its return it works",
        machines: &[Machine::Virtio],
        programs: PROGRAMS,
        run: server_kill,
    },
    Case {
        name: "network-cut",
        about: "the network is cut for 10 s: keys are let go, both are told, nobody hangs",
        machines: &[Machine::Virtio],
        programs: PROGRAMS,
        run: network_cut,
    },
];

/// How long a key may stay down after what held it is gone.
const RELEASE: Duration = Duration::from_secs(2);

/// Succeeds while the key A is down on the agent's keyboard, as the kernel knows it (`EVIOCGKEY`); without that keyboard it
/// cannot be.
pub(super) const IS_DOWN: &str = "name=$(grep -l '^Lotse keyboard' /sys/class/input/event*/device/name) && \
    { evtest --query /dev/input/$(basename ${name%/device/name}) EV_KEY KEY_A; [ $? = 10 ]; }";

/// A session in which the technician holds the key A.
fn connect_and_hold(bench: &mut Bench) -> Result<Session> {
    quiet_console(bench)?;
    let mut session = connect(bench, "")?;
    session.technician.ask("press A")?;
    bench.guest.wait_for("the held key", IS_DOWN, PATIENCE)?;
    Ok(session)
}

/// The key must not be down any more, at the latest [`RELEASE`] after `since`.
fn expect_let_go(bench: &mut Bench, since: Instant) -> Result<()> {
    thread::sleep(RELEASE.saturating_sub(since.elapsed()));
    let state = bench.guest.sh(&format!("if {IS_DOWN}; then echo down; else echo up; fi"))?;
    ensure!(state.trim() == "up", "the key is still {state} after {} s", RELEASE.as_secs());
    Ok(())
}

fn agent_kill(bench: &mut Bench) -> Result<()> {
    let mut session = connect_and_hold(bench)?;
    let start = Instant::now();
    bench.guest.sh("systemctl kill --signal=KILL lotse-machine lotse-agent")?;
    expect_let_go(bench, start)?;
    session.technician.expect_ended(&["panel-left", "panel-failed", "link-lost"], 2 * PATIENCE)?;
    bring_together(bench, &mut session).context("after the agent has come back")?;
    agree(bench, &mut session)
}

/// A driver's fault or a screen that is unplugged may end the process that reads it, and that alone.
fn machine_kill(bench: &mut Bench) -> Result<()> {
    let mut session = connect_and_hold(bench)?;
    let start = Instant::now();
    bench.guest.sh("systemctl kill --signal=ABRT lotse-machine")?;
    expect_let_go(bench, start)?;
    session.technician.expect_ended(&["panel-failed"], 2 * PATIENCE)?;
    bring_together(bench, &mut session).context("after the machine process has come back")?;
    agree(bench, &mut session)
}

fn server_kill(bench: &mut Bench) -> Result<()> {
    let mut session = connect_and_hold(bench)?;
    let start = Instant::now();
    session.server.kill();
    expect_let_go(bench, start)?;
    bench.guest.keep_screendump("server-gone")?;
    session.technician.expect_ended(&["link-lost", "server-unreachable"], 2 * PATIENCE)?;
    session.server.restart()?;
    wait_until_home(bench, &session)?;
    bring_together(bench, &mut session).context("after the server has come back")?;
    agree(bench, &mut session)
}

fn network_cut(bench: &mut Bench) -> Result<()> {
    let mut session = connect_and_hold(bench)?;
    let sign = session.agent.wait_view(&mut bench.guest, View::Session)?;
    let start = Instant::now();
    bench.guest.set_cable(false)?;
    expect_let_go(bench, start)?;
    session.technician.wait_event("interrupted", Duration::from_secs(15))?;
    let limit = Duration::from_secs(15);
    bench.guest.wait_for_picture("another sign", limit, |picture| *picture != sign)?;
    session.agent.wait_view(&mut bench.guest, View::Session)?;
    bench.guest.keep_screendump("cable-out")?;
    thread::sleep(Duration::from_secs(10).saturating_sub(start.elapsed()));
    bench.guest.set_cable(true)?;
    // Either the link was kept, or it is over and said so: then the next session works.
    if session.technician.wait_event("resumed", PATIENCE).is_ok() {
        bench.guest.wait_for_picture("the sign of before", PATIENCE, |picture| *picture == sign)?;
        session.technician.ask("move 300 300")?;
        return Ok(());
    }
    session.technician.expect_ended(&["panel-left", "panel-failed", "link-lost"], PATIENCE)?;
    wait_until_home(bench, &session)?;
    bring_together(bench, &mut session).context("after the network has come back")?;
    agree(bench, &mut session)
}

/// The panel says what happened until somebody reads it; then it is ready for the next session.
fn wait_until_home(bench: &mut Bench, session: &Session) -> Result<()> {
    let views = [View::Home, View::Message];
    let (view, _) = session.agent.wait_one_of(&mut bench.guest, &views, 2 * PATIENCE)?;
    if view == View::Message {
        bench.guest.keep_screendump("message")?;
        session.agent.press(&mut bench.guest, View::Message, "ok")?;
    }
    session.agent.wait_view(&mut bench.guest, View::Home).map(drop)
}
