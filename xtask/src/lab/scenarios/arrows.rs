//! The technician points at something on a kiosk's screen: the same on every display stack.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::asking::{cursor, differing, expect_kiosk, wait_until_at_rest};
use super::kiosk::start_xorg;
use super::owners::{
    SWAY, redraw, start_as_user, start_linuxfb, start_on_console, start_root_weston, text,
    wait_until_drawn,
};
use super::session::{BEHIND_A_KIOSK, PROGRAMS, agree, bring_together, prepare_asking};
use crate::lab::machine::Machine;
use crate::lab::people::{PATIENCE, Session};
use crate::lab::picture::Picture;
use crate::lab::scenario::{Bench, Case};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "xorg-arrows",
        about: "above an X11 kiosk an arrow points, goes by itself, with the agent, and leaves no trace",
        machines: &[Machine::Virtio],
        programs: PROGRAMS,
        run: |bench| {
            start_xorg(bench, &text())?;
            wait_until_drawn(bench)?;
            point_above_kiosk(bench, "x11")
        },
    },
    Case {
        name: "sway-arrows",
        about: "above a compositor with layers (sway) an arrow points, goes by itself, with the agent, and leaves no trace",
        machines: &[Machine::Virtio],
        programs: PROGRAMS,
        run: |bench| {
            bench.guest.put("/tmp/sway", SWAY)?;
            start_as_user(bench, "sway --config /tmp/sway")?;
            point_above_kiosk(bench, "wayland")
        },
    },
    Case {
        name: "linuxfb-arrows",
        about: "above Qt that draws in the frame buffer an arrow points, goes by itself, with the agent, and leaves no trace",
        machines: &[Machine::Virtio, Machine::Vesa16],
        programs: PROGRAMS,
        run: |bench| {
            start_linuxfb(bench, "")?;
            point_above_kiosk(bench, "fbdev")
        },
    },
    Case {
        name: "console-arrows",
        about: "above the text console an arrow points, goes by itself, with the agent, and leaves no trace",
        machines: &[Machine::Virtio],
        programs: PROGRAMS,
        run: |bench| {
            start_on_console(bench)?;
            point_above_kiosk(bench, "fbdev")
        },
    },
    Case {
        name: "weston-arrows",
        about: "above weston's kiosk shell, which has no layers, the technician is told that nobody sees where he points",
        machines: &[Machine::Virtio],
        programs: PROGRAMS,
        run: |bench| {
            start_root_weston(bench)?;
            point_in_vain(bench)
        },
    },
    Case {
        name: "cage-arrows",
        about: "above cage, which has no layers, the technician is told that nobody sees where he points",
        machines: &[Machine::Virtio],
        programs: PROGRAMS,
        run: |bench| {
            start_as_user(bench, "cage -- foot /tmp/in-terminal")?;
            point_in_vain(bench)
        },
    },
];

/// The moderator's colour, as `lotse_protocol::message::arrow_color` has it, and what is left of it with 16 bits.
const COLOUR: [u8; 3] = [0xff, 0xd1, 0x00];

/// How far a screen of 16 bits may be from that.
const COARSE: u8 = 8;

fn is_arrow(pixel: Option<[u8; 3]>) -> bool {
    let is_near = |(is, should): (u8, u8)| is.abs_diff(should) <= COARSE;
    pixel.is_some_and(|pixel| pixel.into_iter().zip(COLOUR).all(is_near))
}

/// A session with a technician who may point, above a kiosk that rests; the kiosk alone, and with the session's sign.
fn connect(bench: &mut Bench) -> Result<(Session, Picture, Picture)> {
    bench.guest.wait_for_picture("the kiosk", PATIENCE, |picture| picture.colours() >= 8)?;
    wait_until_at_rest(bench)?;
    let alone = bench.guest.keep_screendump("1-before")?;
    let mut session = prepare_asking(bench, BEHIND_A_KIOSK, "view,control,pointer")?;
    bench.guest.press(&["f12"])?;
    bring_together(bench, &mut session)?;
    agree(bench, &mut session)?;
    let is_kiosk = |picture: &Picture| differing(picture, &alone, alone.height / 6) <= 400;
    bench.guest.wait_for_picture("the kiosk, perhaps below the sign", PATIENCE, is_kiosk)?;
    wait_until_at_rest(bench)?;
    let before = bench.guest.keep_screendump("2-session")?;
    Ok((session, alone, before))
}

fn point_above_kiosk(bench: &mut Bench, by: &str) -> Result<()> {
    let (mut session, alone, before) = connect(bench)?;
    let (x, y) = (before.width / 2, before.height / 2);
    session.technician.ask(&format!("point {x} {y}"))?;
    let points = |picture: &Picture| is_arrow(picture.pixel(x, y));
    bench.guest.wait_for_picture("the arrow", PATIENCE, points)?;
    let shown = bench.guest.keep_screendump("3-arrow")?;
    let others = differing(&shown, &before, 0);
    let most = before.width * before.height / 12;
    ensure!(others < most, "{others} pixels are others with an arrow");
    let is_back = |picture: &Picture| differing(picture, &before, 0) <= cursor(by);
    bench.guest.wait_for_picture("the kiosk without the arrow", PATIENCE, is_back)?;

    // It follows the hand, also to the edges, and its application draws below it.
    for step in 0..20_usize {
        let (x, y) = (x * step / 10, y * (19 - step) / 10);
        session.technician.ask(&format!("point {x} {y}"))?;
        std::thread::sleep(Duration::from_millis(40));
    }
    session.technician.ask(&format!("point {x} {y}"))?;
    redraw(bench)?;
    session.technician.ask(&format!("point {x} {y}"))?;
    bench.guest.wait_for_picture("the arrow again", PATIENCE, points)?;
    session.technician.ask("point off")?;
    bench.guest.wait_for_picture("the kiosk without the arrow", PATIENCE, is_back)?;
    bench.guest.keep_screendump("4-after")?;

    session.technician.ask(&format!("point {x} {y}"))?;
    bench.guest.wait_for_picture("the arrow once more", PATIENCE, points)?;
    bench.guest.sh("systemctl kill --signal KILL lotse-machine")?;
    expect_kiosk(bench, &alone, by).context("after the agent was killed while somebody pointed")
}

/// The machine cannot show arrows, and says so.
fn point_in_vain(bench: &mut Bench) -> Result<()> {
    let (mut session, _, before) = connect(bench)?;
    session.technician.ask("point 100 100")?;
    let mut told = session.technician.wait_event("arrows", PATIENCE)?;
    // The first one only asks what the machine can do.
    if told.get("shown") == Some(&Value::Bool(true)) {
        told = session.technician.wait_event("arrows", PATIENCE)?;
    }
    ensure!(told.get("shown") == Some(&Value::Bool(false)), "{told}");
    let is_same = |picture: &Picture| differing(picture, &before, 0) <= cursor("wayland");
    bench.guest.wait_for_picture("the kiosk as before", PATIENCE, is_same).map(drop)
}
