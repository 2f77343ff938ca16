//! Asking the person while an application owns the screen: the same on every display stack.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::consent::expect_nothing_was_seen;
use super::kiosk::{start_xorg, wait_for_kiosk};
use super::screen::PROBE;
use super::session::{
    BEHIND_A_KIOSK, IN_TERMINAL, PROGRAMS, agree, bring_together, expect_end_is_told, expect_kiosk,
    expect_seen_as_shown, is_same_below_sign, prepare,
};
use crate::lab::machine::Machine;
use crate::lab::people::{PATIENCE, Session, View};
use crate::lab::picture::Picture;
use crate::lab::scenario::{Bench, Case};
use crate::programs::Program;

/// Those of a session, and what acts like another program with virtual fingers.
const WITH_PROBE: &[Program] = &[PROGRAMS[0], PROGRAMS[1], PROGRAMS[2], PROBE];

pub(super) const CASES: &[Case] = &[Case {
    name: "xorg-asking",
    about: "above an X11 kiosk: a window above all others asks; refused, timed out, accepted",
    machines: &[Machine::Virtio, Machine::Bochs, Machine::Vesa16],
    programs: WITH_PROBE,
    run: |bench| {
        start_xorg(bench, IN_TERMINAL)?;
        ask_above_kiosk(bench, "x11:0", true)
    },
}];

/// Nobody answers for so many seconds, and it is a no.
const ANSWER_SECONDS: u64 = 30;

/// The whole of asking above a kiosk that rests: the panel comes by the way `by`, which the agent's log must name;
/// `has_sign` says whether the sign of a session can be seen above this kiosk.
fn ask_above_kiosk(bench: &mut Bench, by: &str, has_sign: bool) -> Result<()> {
    wait_for_kiosk(bench)?;
    let alone = bench.guest.keep_screendump("1-before")?;
    let settings = format!("{BEHIND_A_KIOSK}\nanswer_seconds = {ANSWER_SECONDS}");
    let mut session = prepare(bench, &settings)?;

    ask(bench, &mut session)?;
    expect_panel_by(bench, by)?;
    bench.guest.keep_screendump("2-asking")?;
    tap_accept_by_program(bench, &session)?;
    session.technician.ask("confirm --codes-match")?;
    session.agent.press(&mut bench.guest, View::Asking, "refuse")?;
    session.technician.expect_ended(&["refused-at-panel"], PATIENCE)?;
    expect_nothing_was_seen(&mut session)?;
    read_message(bench, &session)?;
    expect_kiosk(bench, &alone).context("after it was refused")?;
    bench.guest.keep_screendump("3-after-refusal")?;

    ask(bench, &mut session)?;
    session.technician.expect_ended(&["no-answer-at-panel"], PATIENCE)?;
    read_message(bench, &session)?;
    expect_kiosk(bench, &alone).context("after nobody answered")?;

    ask(bench, &mut session)?;
    agree(bench, &mut session)?;
    let is_kiosk = |picture: &Picture| is_same_below_sign(picture, &alone);
    bench.guest.wait_for_picture("the kiosk, perhaps below the sign", PATIENCE, is_kiosk)?;
    if has_sign {
        session.agent.wait_view(&mut bench.guest, View::Session).context("the sign")?;
    }
    bench.guest.keep_screendump("4-session")?;
    expect_seen_as_shown(bench, &mut session, "5")?;
    if has_sign {
        session.agent.press(&mut bench.guest, View::Session, "stop")?;
        session.technician.expect_ended(&["stopped-at-panel"], PATIENCE)?;
    } else {
        session.technician.ask("end")?;
    }
    read_message(bench, &session)?;
    expect_kiosk(bench, &alone).context("at the end")?;
    bench.guest.keep_screendump("6-after").map(drop)
}

/// The person calls the panel, and types the number of a new session.
fn ask(bench: &mut Bench, session: &mut Session) -> Result<()> {
    bench.guest.press(&["f12"])?;
    bring_together(bench, session)
}

fn read_message(bench: &mut Bench, session: &Session) -> Result<()> {
    expect_end_is_told(bench, session)?;
    session.agent.press(&mut bench.guest, View::Message, "ok")
}

/// The agent must have found the panel seen by this way.
fn expect_panel_by(bench: &mut Bench, by: &str) -> Result<()> {
    let said = bench.guest.sh("journalctl --boot --output=cat --unit lotse-machine")?;
    let how = said.lines().rev().find_map(|line| line.split_once("panel: shown by "));
    let (_, how) = how.with_context(|| format!("the agent does not say how it asks: {said}"))?;
    ensure!(how.starts_with(by), "the agent asks by {how}, and not by {by}: {said}");
    Ok(())
}

/// A program with a virtual touch screen and a virtual pointer presses Accept once it is awake: nothing may come of it.
fn tap_accept_by_program(bench: &mut Bench, session: &Session) -> Result<()> {
    let (x, y) = session.agent.wait_until_awake(&mut bench.guest, View::Asking, "accept")?;
    let probe = bench.program("machine_probe")?.to_path_buf();
    let probe = bench.guest.install(&probe)?;
    bench.guest.sh(&format!("{probe} tap {x} {y} && {probe} click {x} {y}"))?;
    std::thread::sleep(Duration::from_millis(500));
    session
        .agent
        .wait_view(&mut bench.guest, View::Asking)
        .context("after a virtual finger")
        .map(drop)
}
