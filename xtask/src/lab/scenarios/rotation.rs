//! Displays that are mounted on their side: picture, input and panel are upright for the person in front, all by the same turn.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::kiosk::{
    expect_press_at, forget_clicks, start_xorg_listener, wait_for_press, wait_until_x_listens,
};
use super::screen::{PROBE, quiet_console, shot};
use crate::lab::machine::Machine;
use crate::lab::people::PATIENCE;
use crate::lab::picture::Picture;
use crate::lab::scenario::{Bench, Case};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "turned-picture",
        about: "a display mounted on its side is read upright, whichever side",
        machines: &[Machine::Virtio, Machine::Vesa, Machine::Vesa16],
        programs: &[PROBE],
        run: turned_picture,
    },
    Case {
        name: "turned-input",
        about: "on a display mounted on its side clicks land on their pixel, and a finger is heard at its own",
        machines: &[Machine::Virtio],
        programs: &[PROBE],
        run: turned_input,
    },
    Case {
        name: "turned-panel",
        about: "the panel is drawn upright and verified on a display mounted on its side",
        machines: &[Machine::Virtio, Machine::Vesa16],
        programs: &[PROBE],
        run: turned_panel,
    },
    Case {
        name: "told-mounting",
        about: "what the display says of its own mounting is followed without any configuration",
        machines: &[Machine::Sideways],
        programs: &[PROBE],
        run: told_mounting,
    },
];

/// Degrees clockwise that make a picture upright.
const TURNS: [usize; 3] = [90, 180, 270];

/// Where a pixel of a picture of this size comes to lie by a turn.
fn turned_place(
    degrees: usize,
    (x, y): (usize, usize),
    (width, height): (usize, usize),
) -> (usize, usize) {
    match degrees {
        90 => (height - 1 - y, x),
        180 => (width - 1 - x, height - 1 - y),
        270 => (y, width - 1 - x),
        _ => (x, y),
    }
}

/// A picture turned clockwise.
fn turned(picture: &Picture, degrees: usize) -> Result<Picture> {
    let size = (picture.width, picture.height);
    let (width, height) = if degrees == 180 { size } else { (size.1, size.0) };
    let mut ppm = format!("P6\n{width} {height}\n255\n").into_bytes();
    let head = ppm.len();
    ppm.resize(head + width * height * 3, 0);
    for y in 0..picture.height {
        for x in 0..picture.width {
            let (to_x, to_y) = turned_place(degrees, (x, y), size);
            let pixel = picture.pixel(x, y).context("a pixel of the picture")?;
            let at = head + (to_y * width + to_x) * 3;
            ppm.get_mut(at..at + 3)
                .context("a pixel of the turned picture")?
                .copy_from_slice(&pixel);
        }
    }
    Picture::from_ppm(&ppm)
}

/// A text console full of noise, which no turn leaves as it was.
fn noise(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    bench
        .guest
        .sh("head --bytes=16M /dev/urandom > /dev/fb0 2>/dev/null; sync /dev/fb0; sleep 1")
        .map(drop)
}

fn turned_picture(bench: &mut Bench) -> Result<()> {
    noise(bench)?;
    shot(bench)?;
    let shown = bench.guest.still_screendump(Duration::from_secs(30))?;
    for degrees in TURNS {
        bench.guest.sh(&format!("machine_probe --rotation {degrees} shot /tmp/turned.ppm"))?;
        let is = Picture::from_ppm(&bench.guest.get("/tmp/turned.ppm")?)?;
        bench.expect_same(&format!("turned-{degrees}"), &is, &turned(&shown, degrees)?)?;
    }
    ensure!(bench.guest.screendump()? == shown, "the screen changed while it was read");
    Ok(())
}

/// Pixels of the display as it was made.
const PLACES: [(usize, usize); 2] = [(17, 23), (640, 101)];

fn turned_input(bench: &mut Bench) -> Result<()> {
    let size = {
        let picture = shot(bench)?;
        (picture.width, picture.height)
    };
    bench.guest.sh("modprobe uinput")?;
    for degrees in TURNS {
        let listen = format!("stdbuf -oL machine_probe --rotation {degrees} listen 60");
        let log = format!("listen-{degrees}");
        bench.guest.spawn(&listen, &log)?;
        let listening = format!("grep listening /tmp/{log}.log");
        bench.guest.wait_for("the listener", &listening, PATIENCE)?;
        for place in PLACES {
            bench.guest.tap(place.0, place.1)?;
            let (x, y) = turned_place(degrees, place, size);
            let wanted = format!("grep 'x: {x}, y: {y} ' /tmp/{log}.log");
            let what = format!("a finger at {place:?}, heard at {x}, {y}");
            bench.guest.wait_for(&what, &wanted, PATIENCE)?;
        }
    }
    bench.guest.sh("mkfifo /tmp/act")?;
    start_xorg_listener(bench)?;
    // Opened for both directions, so that it does not end between two lines.
    let act = "exec machine_probe --rotation 90 act 0<> /tmp/act";
    let probe = bench.guest.spawn(act, "act")?;
    bench.guest.wait_for_job("the probe", "grep ready /tmp/act.log", &probe, PATIENCE)?;
    wait_until_x_listens(bench)?;
    for command in ["click", "tap"] {
        for (x, y) in PLACES {
            let (to_x, to_y) = turned_place(90, (x, y), size);
            forget_clicks(bench)?;
            bench.guest.sh(&format!("echo {command} {to_x} {to_y} > /tmp/act"))?;
            let heard = wait_for_press(bench, PATIENCE).context(command)?;
            expect_press_at(&heard, x, y).context(command)?;
        }
    }
    Ok(())
}

fn turned_panel(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    bench.guest.sh("ls -la / > /dev/tty1; modprobe uinput")?;
    shot(bench)?;
    for degrees in TURNS {
        let conform = format!("machine_probe --rotation {degrees} conform 2>&1");
        let told = bench.guest.sh_for(&conform, Duration::from_secs(300))?;
        ensure!(told.contains("panel ok"), "no panel at {degrees} degrees: {told}");
    }
    Ok(())
}

fn told_mounting(bench: &mut Bench) -> Result<()> {
    noise(bench)?;
    let is = shot(bench)?;
    let shown = bench.guest.still_screendump(Duration::from_secs(30))?;
    // Left side up.
    bench.expect_same("told", &is, &turned(&shown, 90)?)?;
    let told = bench
        .guest
        .sh_for("modprobe uinput; machine_probe conform 2>&1", Duration::from_secs(300))?;
    ensure!(told.contains("panel ok"), "no panel: {told}");
    Ok(())
}
