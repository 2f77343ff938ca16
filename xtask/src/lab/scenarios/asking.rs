//! Asking the person while an application owns the screen: the same on every display stack.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::consent::expect_nothing_was_seen;
use super::kiosk::start_xorg;
use super::owners::{
    SHOWS_PANEL, SWAY, redraw, start_as_user, start_linuxfb, start_on_console, start_root_weston,
    text, wait_until_drawn,
};
use super::screen::PROBE;
use super::session::{
    BEHIND_A_KIOSK, PROGRAMS, agree, bring_together, expect_end_is_told, expect_seen_as_shown,
    prepare,
};
use crate::lab::machine::Machine;
use crate::lab::people::{PATIENCE, Session, View};
use crate::lab::picture::Picture;
use crate::lab::scenario::{Bench, Case};
use crate::programs::Program;

/// Those of a session, and what acts like another program with virtual fingers.
pub(super) const WITH_PROBE: &[Program] = &[PROGRAMS[0], PROGRAMS[1], PROGRAMS[2], PROBE];

pub(super) const CASES: &[Case] = &[
    Case {
        name: "xorg-asking",
        about: "above an X11 kiosk: a window above all others asks; drawn over, refused, timed out, accepted, killed",
        machines: &[Machine::Virtio, Machine::Bochs, Machine::Vesa16],
        programs: WITH_PROBE,
        run: |bench| {
            start_xorg(bench, &text())?;
            wait_until_drawn(bench)?;
            ask_above_kiosk(bench, "x11:0", true)
        },
    },
    Case {
        name: "weston-asking",
        about: "above weston's kiosk shell: a full-screen window asks; drawn over, refused, timed out, accepted, killed",
        machines: &[Machine::Virtio],
        programs: WITH_PROBE,
        run: |bench| {
            start_root_weston(bench)?;
            ask_above_kiosk(bench, "wayland:/run/user/0/wayland-0, full-screen window", false)
        },
    },
    Case {
        name: "weston-asking",
        about: "above weston, a mouse's button held, no plane for the pointer: a terminal asks; drawn over, refused, timed out, accepted, killed",
        machines: &[Machine::Bochs],
        programs: WITH_PROBE,
        run: |bench| {
            start_root_weston(bench)?;
            // Weston draws the pointer into the picture, and gives it to nobody else while a button is held. So the window is
            // not seen as it was painted.
            ask_above_kiosk(bench, "fbdev:/dev/fb0 on a terminal of its own", false)
        },
    },
    Case {
        name: "cage-asking",
        about: "above cage, run by a user: a full-screen window asks; drawn over, refused, timed out, accepted, killed",
        machines: &[Machine::Virtio],
        programs: WITH_PROBE,
        run: |bench| {
            start_as_user(bench, "cage -- foot /tmp/in-terminal")?;
            ask_above_kiosk(bench, "wayland:/run/user/1000/wayland-0, full-screen window", false)
        },
    },
    Case {
        name: "sway-asking",
        about: "above a compositor with layers (sway): the overlay layer asks; drawn over, refused, timed out, accepted, killed",
        machines: &[Machine::Virtio],
        programs: WITH_PROBE,
        run: |bench| {
            bench.guest.put("/tmp/sway", SWAY)?;
            start_as_user(bench, "sway --config /tmp/sway")?;
            ask_above_kiosk(bench, "wayland:/run/user/1000/wayland-1, overlay layer", true)
        },
    },
    Case {
        name: "sway-asked",
        about: "a Wayland compositor asked for its picture gives what is shown, and copies nothing that stands still",
        machines: &[Machine::Virtio],
        programs: &[PROBE],
        run: sway_asked,
    },
    Case {
        name: "linuxfb-asking",
        about: "above Qt that draws in the frame buffer: the panel is drawn over it; drawn over, refused, timed out, accepted, killed",
        machines: &[Machine::Virtio, Machine::Vesa16],
        programs: WITH_PROBE,
        run: |bench| {
            start_linuxfb(bench, "")?;
            ask_above_kiosk(bench, "fbdev:/dev/fb0 over what is shown", true)
        },
    },
    Case {
        name: "application-asking",
        about: "in a kiosk's application that shows the panel itself (Qt): drawn over, refused, timed out, accepted, killed",
        machines: &[Machine::Virtio],
        programs: WITH_PROBE,
        run: |bench| {
            start_linuxfb(bench, SHOWS_PANEL)?;
            ask_with(bench, "application", true, "application_user = \"root\"").map(drop)
        },
    },
    Case {
        name: "console-asking",
        about: "above the text console: a terminal of its own asks; drawn over, refused, timed out, accepted, killed",
        machines: Machine::TYPICAL,
        programs: WITH_PROBE,
        run: |bench| {
            start_on_console(bench)?;
            ask_above_kiosk(bench, "fbdev:/dev/fb0 on a terminal of its own", true)
        },
    },
];

fn sway_asked(bench: &mut Bench) -> Result<()> {
    let probe = bench.program("machine_probe")?.to_path_buf();
    bench.guest.install(&probe)?;
    bench.guest.put("/tmp/sway", SWAY)?;
    start_as_user(bench, "sway --config /tmp/sway")?;
    let shown = bench.guest.still_screendump(PATIENCE)?;
    bench.guest.sh("machine_probe --screen wayland shot /tmp/asked.ppm")?;
    let is = Picture::from_ppm(&bench.guest.get("/tmp/asked.ppm")?)?;
    bench.expect_same("asked", &is, &shown)?;
    // Told once, and then nothing has changed.
    let states = bench.guest.sh("machine_probe --screen wayland watch 5")?;
    let told = states.lines().filter(|line| line.contains("change: Told")).count();
    ensure!(told == 1, "a picture that stands still is told as new {told} times: {states}");
    Ok(())
}

/// Nobody answers for so many seconds, and it is a no.
const ANSWER_SECONDS: u64 = 40;

/// The whole of asking above a kiosk that rests: the panel comes by the way `by`, which the agent's log must name;
/// `has_sign` says whether the sign of a session can be seen above this kiosk.
fn ask_above_kiosk(bench: &mut Bench, by: &str, has_sign: bool) -> Result<()> {
    ask_with(bench, by, has_sign, "").map(drop)
}

/// As [`ask_above_kiosk`], with more settings of the panel.
pub(super) fn ask_with(
    bench: &mut Bench,
    by: &str,
    has_sign: bool,
    panel: &str,
) -> Result<Session> {
    // Of many colours, but for the text console, which has 16.
    bench.guest.wait_for_picture("the kiosk", PATIENCE, |picture| picture.colours() >= 8)?;
    wait_until_at_rest(bench)?;
    let alone = bench.guest.keep_screendump("1-before")?;
    let seconds = match panel.contains("answer_seconds") {
        true => String::new(),
        false => format!("answer_seconds = {ANSWER_SECONDS}"),
    };
    let settings = format!("{BEHIND_A_KIOSK}\n{seconds}\n{panel}");
    let mut session = prepare(bench, &settings)?;

    ask_under_a_finger(bench, &mut session)?;
    expect_panel_by(bench, by)?;
    bench.guest.keep_screendump("2-asking")?;
    tap_accept_by_program(bench, &session)?;
    draw_below(bench, &mut session)?;
    session.agent.press(&mut bench.guest, View::Asking, "refuse")?;
    session.technician.expect_ended(&["refused-at-panel"], PATIENCE)?;
    expect_nothing_was_seen(&mut session)?;
    read_message(bench, &session)?;
    expect_kiosk(bench, &alone, by).context("after it was refused")?;
    bench.guest.keep_screendump("3-after-refusal")?;

    ask(bench, &mut session)?;
    session.technician.expect_ended(&["no-answer-at-panel"], 4 * PATIENCE)?;
    read_message(bench, &session)?;
    expect_kiosk(bench, &alone, by).context("after nobody answered")?;

    ask(bench, &mut session)?;
    agree(bench, &mut session)?;
    let is_kiosk = |picture: &Picture| differing(picture, &alone, alone.height / 6) <= cursor(by);
    bench.guest.wait_for_picture("the kiosk, perhaps below the sign", PATIENCE, is_kiosk)?;
    if has_sign {
        session.agent.wait_view(&mut bench.guest, View::Session).context("the sign")?;
    }
    bench.guest.keep_screendump("4-session")?;
    if by.starts_with("overlay") {
        // A technician sees the kiosk's own plane alone.
        session.technician.ask("wait-still 1500 60")?;
        let seen = session.technician.picture("5-console")?;
        bench.expect_same("5", &seen, &alone)?;
    } else {
        expect_seen_as_shown(bench, &mut session, "5")?;
    }
    if has_sign {
        session.agent.press(&mut bench.guest, View::Session, "stop")?;
        session.technician.expect_ended(&["stopped-at-panel"], PATIENCE)?;
    } else {
        session.technician.ask("end")?;
    }
    read_message(bench, &session)?;
    expect_kiosk(bench, &alone, by).context("at the end")?;
    bench.guest.keep_screendump("6-after")?;

    ask(bench, &mut session)?;
    bench.guest.sh("systemctl kill --signal KILL lotse-machine")?;
    expect_kiosk(bench, &alone, by).context("after the agent was killed while it asked")?;
    Ok(session)
}

/// Waits until all of the kiosk is drawn: a terminal on a busy machine may pause between two parts.
pub(super) fn wait_until_at_rest(bench: &mut Bench) -> Result<()> {
    let mut before = bench.guest.still_screendump(PATIENCE)?;
    for _ in 0..10 {
        std::thread::sleep(Duration::from_secs(2));
        let now = bench.guest.still_screendump(PATIENCE)?;
        if now == before {
            return Ok(());
        }
        before = now;
    }
    anyhow::bail!("the kiosk does not come to rest")
}

/// Pixels that a cursor may change which a compositor draws into the picture: where it was, and where it is.
pub(super) fn cursor(by: &str) -> usize {
    if by.starts_with("wayland") { 2 * 200 } else { 0 }
}

/// How many pixels are others, from a row on.
pub(super) fn differing(one: &Picture, other: &Picture, first_row: usize) -> usize {
    if (one.width, one.height) != (other.width, other.height) {
        return usize::MAX;
    }
    let differs = |y, x| usize::from(one.pixel(x, y) != other.pixel(x, y));
    (first_row..one.height)
        .flat_map(|y| (0..one.width).map(move |x| (y, x)))
        .map(|(y, x)| differs(y, x))
        .sum()
}

/// The screen shows what it showed before.
pub(super) fn expect_kiosk(bench: &mut Bench, alone: &Picture, by: &str) -> Result<()> {
    let is_back = |picture: &Picture| differing(picture, alone, 0) <= cursor(by);
    bench.guest.wait_for_picture("the kiosk as in 1-before.png", PATIENCE, is_back).map(drop)
}

/// The person calls the panel, and types the number of a new session.
fn ask(bench: &mut Bench, session: &mut Session) -> Result<()> {
    bench.guest.press(&["f12"])?;
    bring_together(bench, session)
}

/// As [`ask`], with a finger that rests where Accept will be, since before the panel came; the number is typed on the
/// keyboard. When the finger is lifted in the end, that is no yes.
pub(super) fn ask_under_a_finger(bench: &mut Bench, session: &mut Session) -> Result<()> {
    let opened = session.technician.ask("open")?;
    let number = opened.get("number").and_then(|number| number.as_str()).context("no number")?;
    let (x, y) = session.agent.middle(&mut bench.guest, View::Asking, "accept")?;
    bench.guest.hold(x, y)?;
    bench.guest.press(&["f12"])?;
    session.agent.wait_view(&mut bench.guest, View::Home).context("under a finger")?;
    session.agent.wait_until_reached(&mut bench.guest)?;
    for digit in number.chars() {
        bench.guest.press(&[&digit.to_string()])?;
    }
    bench.guest.press(&["ret"])?;
    session.technician.ask("wait-join")?;
    session.agent.wait_until_awake(&mut bench.guest, View::Asking, "accept")?;
    bench.guest.lift()?;
    session.technician.ask("confirm --codes-match")?;
    expect_nothing_was_seen(session).context("after a finger was lifted from Accept")
}

/// The application draws while the question is shown above it: the question is seen whole again, and nobody has
/// answered it. The technician, who wants to, cannot.
fn draw_below(bench: &mut Bench, session: &mut Session) -> Result<()> {
    redraw(bench)?;
    let (x, y) = session
        .agent
        .wait_until_awake(&mut bench.guest, View::Asking, "accept")
        .context("after the application drew")?;
    let tapped = session.technician.ask(&format!("tap {x} {y}"));
    ensure!(tapped.is_err(), "the technician's finger is taken");
    expect_nothing_was_seen(session)?;
    // All of it, but for the seconds that are left; an application may still be drawing when its first rows are mended.
    let before = Picture::from_png(&bench.artefacts.join("2-asking.png"))?;
    let most = before.width * before.height / 8;
    let is_whole = |picture: &Picture| differing(picture, &before, 0) < most;
    bench.guest.wait_for_picture("the question as in 2-asking.png", PATIENCE, is_whole)?;
    bench.guest.keep_screendump("asking-drawn-over").map(drop)
}

fn read_message(bench: &mut Bench, session: &Session) -> Result<()> {
    expect_end_is_told(bench, session)?;
    session.agent.press(&mut bench.guest, View::Message, "ok")
}

/// The agent must have found the panel seen by this way.
pub(super) fn expect_panel_by(bench: &mut Bench, by: &str) -> Result<()> {
    let said = bench.guest.sh("journalctl --boot --output=cat --unit lotse-machine")?;
    let how = said.lines().rev().find_map(|line| line.split_once("panel: shown by "));
    let (_, how) = how.with_context(|| format!("the agent does not say how it asks: {said}"))?;
    ensure!(how.starts_with(by), "the agent asks by {how}, and not by {by}: {said}");
    Ok(())
}

/// A program with a virtual touch screen presses Accept once it is awake: nothing may come of it.
fn tap_accept_by_program(bench: &mut Bench, session: &Session) -> Result<()> {
    let (x, y) = session.agent.wait_until_awake(&mut bench.guest, View::Asking, "accept")?;
    let probe = bench.program("machine_probe")?.to_path_buf();
    let probe = bench.guest.install(&probe)?;
    // With fingers alone: a pointer would leave its cursor on the kiosk's picture.
    bench.guest.sh(&format!("{probe} tap {x} {y}"))?;
    std::thread::sleep(Duration::from_millis(500));
    session
        .agent
        .wait_view(&mut bench.guest, View::Asking)
        .context("after a virtual finger")
        .map(drop)
}
