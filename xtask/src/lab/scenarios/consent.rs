//! Consent: only a person at the panel gives it, and silence is a no.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::asking::ask_under_a_finger;
use super::screen::quiet_console;
use super::session::{
    BEHIND_A_KIOSK, PROGRAMS, agree, bring_together, connect, expect_end_is_told, prepare,
};
use crate::lab::machine::Machine;
use crate::lab::people::{PATIENCE, Session, View};
use crate::lab::picture::Picture;
use crate::lab::scenario::{Bench, Case};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "consent-accept",
        about: "a finger on Accept gives the session, a finger on Stop ends it",
        machines: Machine::TYPICAL,
        programs: PROGRAMS,
        run: accept,
    },
    Case {
        name: "consent-refuse",
        about: "a finger on Refuse ends it before anything was seen",
        machines: Machine::TYPICAL,
        programs: PROGRAMS,
        run: refuse,
    },
    Case {
        name: "consent-timeout",
        about: "nobody's answer is a no",
        machines: Machine::TYPICAL,
        programs: PROGRAMS,
        run: time_out,
    },
    Case {
        name: "consent-deliberate",
        about: "a finger that is down before the question does not accept, what is drawn over it is mended, a crash gives \
                the kiosk back",
        machines: &[Machine::Virtio, Machine::Vesa],
        programs: PROGRAMS,
        run: deliberate,
    },
];

/// The technician must have got nothing but the code.
pub(super) fn expect_nothing_was_seen(session: &mut Session) -> Result<()> {
    let status = session.technician.ask("status")?;
    ensure!(status.get("width").is_none(), "a picture came without consent: {status}");
    ensure!(session.technician.ask("type a").is_err(), "input is taken without consent");
    let connected = session.technician.wait_event("connected", Duration::ZERO);
    ensure!(connected.is_err(), "the session stood without consent");
    Ok(())
}

fn accept(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    let mut session = connect(bench, "")?;
    session.agent.wait_view(&mut bench.guest, View::Session)?;
    bench.guest.keep_screendump("session")?;
    session.agent.press(&mut bench.guest, View::Session, "stop")?;
    session.technician.expect_ended(&["stopped-at-panel"], PATIENCE)?;
    expect_end_is_told(bench, &session)
}

fn refuse(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    let mut session = prepare(bench, "")?;
    bring_together(bench, &mut session)?;
    session.technician.ask("confirm --codes-match")?;
    expect_nothing_was_seen(&mut session)?;
    session.agent.press(&mut bench.guest, View::Asking, "refuse")?;
    session.technician.expect_ended(&["refused-at-panel"], PATIENCE)?;
    expect_nothing_was_seen(&mut session)?;
    expect_end_is_told(bench, &session)?;
    // The panel is ready for the next, who is accepted.
    session.agent.press(&mut bench.guest, View::Message, "ok")?;
    bring_together(bench, &mut session)?;
    agree(bench, &mut session)
}

fn time_out(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    let mut session = prepare(bench, "[panel]\nanswer_seconds = 8")?;
    bring_together(bench, &mut session)?;
    session.technician.ask("confirm --codes-match")?;
    session.technician.expect_ended(&["no-answer-at-panel"], PATIENCE)?;
    expect_nothing_was_seen(&mut session)?;
    expect_end_is_told(bench, &session)
}

/// Another program may take every input device for itself: nobody keeps one.
const NOTHING_GRABBED: &str = "python3 -c \"
import evdev, glob
for path in glob.glob('/dev/input/event*'):
    device = evdev.InputDevice(path)
    device.grab()
    device.ungrab()
\"";

fn deliberate(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    bench.guest.sh("ls -la /usr/bin | head -n 30 > /dev/tty1")?;
    let alone = bench.guest.still_screendump(PATIENCE)?;
    let mut session = prepare(bench, BEHIND_A_KIOSK)?;
    ask_under_a_finger(bench, &mut session)?;

    // Noise instead of the question: it comes back, and until then it cannot be answered.
    bench.guest.sh("head --bytes=2M /dev/urandom > /dev/fb0; sync /dev/fb0")?;
    bench
        .guest
        .sh("for wait in $(seq 40); do \
             journalctl --boot --unit lotse-machine | grep -q 'not seen as painted' && exit 0; \
             sleep 0.25; done; exit 1")
        .context("that it was drawn over was not noticed")?;
    session.agent.wait_view(&mut bench.guest, View::Asking).context("after it was drawn over")?;
    expect_nothing_was_seen(&mut session)?;

    bench.guest.sh("systemctl kill --signal=KILL lotse-machine")?;
    session.technician.expect_ended(&["panel-failed", "panel-left"], 2 * PATIENCE)?;
    let is_back = |picture: &Picture| *picture == alone;
    bench.guest.wait_for_picture("the kiosk of before", PATIENCE, is_back)?;
    bench.guest.sh("test \"$(cat /sys/class/tty/tty0/active)\" = tty1")?;
    bench.guest.sh(NOTHING_GRABBED)?;
    expect_nothing_was_seen(&mut session)
}
