//! Faults: programs are killed and cables pulled while a key is held down. Nobody hangs, the key is let go within 2 s, people are
//! told in words, and the agent comes back by itself.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::screen::quiet_console;
use super::session::{PROGRAMS, agree, bring_together, connect, listen_on_console};
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

/// A session in which the technician holds the key A; the kernel repeats it on the text console.
fn connect_and_hold(bench: &mut Bench) -> Result<Session> {
    quiet_console(bench)?;
    let mut session = connect(bench, "")?;
    listen_on_console(bench)?;
    session.technician.ask("press A")?;
    bench.guest.wait_for("a key that repeats", "grep aaaaa /tmp/typed", PATIENCE)?;
    Ok(session)
}

/// How many letters the held key has typed by now.
fn typed(bench: &mut Bench) -> Result<u64> {
    Ok(bench.guest.sh("wc -c < /tmp/typed")?.trim().parse()?)
}

/// The key must not repeat any more, at the latest [`RELEASE`] after `since`.
fn expect_let_go(bench: &mut Bench, since: Instant) -> Result<()> {
    thread::sleep(RELEASE.saturating_sub(since.elapsed()));
    let count = typed(bench)?;
    // A key that is held repeats every 33 ms.
    thread::sleep(Duration::from_secs(1));
    let later = typed(bench)?;
    ensure!(count == later, "the key is still down after {} s", RELEASE.as_secs());
    Ok(())
}

fn agent_kill(bench: &mut Bench) -> Result<()> {
    let mut session = connect_and_hold(bench)?;
    let start = Instant::now();
    bench.guest.sh("systemctl kill --signal=KILL lotse-agent")?;
    expect_let_go(bench, start)?;
    session.technician.expect_ended(&["panel-left", "link-lost"], 2 * PATIENCE)?;
    bring_together(bench, &mut session).context("after the agent has come back")?;
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
    let start = Instant::now();
    bench.guest.set_cable(false)?;
    expect_let_go(bench, start)?;
    session.technician.wait_event("interrupted", Duration::from_secs(15))?;
    bench.guest.keep_screendump("cable-out")?;
    thread::sleep(Duration::from_secs(10).saturating_sub(start.elapsed()));
    bench.guest.set_cable(true)?;
    // Either the link was kept, or it is over and said so: then the next session works.
    if session.technician.wait_event("resumed", PATIENCE).is_ok() {
        session.technician.ask("move 300 300")?;
        return Ok(());
    }
    session.technician.expect_ended(&["panel-left", "link-lost"], PATIENCE)?;
    wait_until_home(bench, &session)?;
    bring_together(bench, &mut session).context("after the network has come back")?;
    agree(bench, &mut session)
}

/// The panel says what happened until somebody reads it; then it is ready for the next session.
fn wait_until_home(bench: &mut Bench, session: &Session) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < 2 * PATIENCE {
        let look = Duration::from_secs(5);
        if session.agent.wait_view_for(&mut bench.guest, View::Home, look).is_ok() {
            return Ok(());
        }
        if session.agent.wait_view_for(&mut bench.guest, View::Message, look).is_ok() {
            bench.guest.keep_screendump("message")?;
            session.agent.press(&mut bench.guest, View::Message, "ok")?;
        }
    }
    anyhow::bail!("the panel does not come back to asking for a number")
}
