//! Kiosk applications: starting them as a kiosk would, and reading the screen while they own it.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::screen::{PROBE, expect_shot_is_shown};
use crate::lab::guest::Job;
use crate::lab::machine::Machine;
use crate::lab::scenario::{Bench, Case};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "weston-picture",
        about: "a Wayland kiosk (weston, page flips) is read as it is shown",
        machines: &[Machine::Virtio, Machine::Bochs],
        programs: &[PROBE],
        run: weston_picture,
    },
    Case {
        name: "xorg-picture",
        about: "an X11 kiosk (Xorg with xterm) is read as it is shown",
        machines: Machine::TYPICAL,
        programs: &[PROBE],
        run: xorg_picture,
    },
];

/// An emulated machine draws its first desktop within this time.
const FIRST_PICTURE: Duration = Duration::from_secs(120);

pub(super) const WESTON_INI: &str = "[core]
idle-time=0
require-input=false
[shell]
background-color=0xff204060
";

/// No cursor, and text of many colours: by them [`wait_for_kiosk`] knows that the terminal is there.
pub(super) const COLOURS: &str = "printf '\\033[?25l'; for n in $(seq 16 231); do \
                       printf '\\033[48;5;%dm%4d\\033[0m' $n $n; done; echo";

/// Starts weston with a full-screen terminal that runs `command`.
pub(super) fn start_weston(bench: &mut Bench, command: &str) -> Result<()> {
    let guest = &mut bench.guest;
    guest.put("/tmp/weston.ini", WESTON_INI)?;
    guest.put("/tmp/in-terminal", format!("#!/bin/sh\n{COLOURS}\n{command}\n"))?;
    guest.sh("systemctl stop getty@tty1; chmod 755 /tmp/in-terminal; mkdir -m 700 /tmp/xdg")?;
    let weston = guest.spawn(
        "XDG_RUNTIME_DIR=/tmp/xdg weston --tty=1 --backend=drm-backend.so --use-pixman \
         --shell=kiosk-shell.so --config=/tmp/weston.ini --socket=kiosk",
        "weston",
    )?;
    guest.wait_for_job("weston", "test -S /tmp/xdg/kiosk", &weston, FIRST_PICTURE)?;
    guest.spawn(
        "XDG_RUNTIME_DIR=/tmp/xdg WAYLAND_DISPLAY=kiosk weston-terminal --shell=/tmp/in-terminal",
        "weston-terminal",
    )?;
    Ok(())
}

/// Starts Xorg with an xterm that covers the screen and runs `command`.
pub(super) fn start_xorg(bench: &mut Bench, command: &str) -> Result<Job> {
    let guest = &mut bench.guest;
    guest.put("/tmp/in-terminal", format!("#!/bin/sh\n{COLOURS}\n{command}\n"))?;
    guest.put(
        "/tmp/x-session",
        "#!/bin/sh\nexport LC_ALL=C.UTF-8\nexec xterm -geometry 200x60+0+0 -bg '#204060' -fg white -e /tmp/in-terminal\n",
    )?;
    guest.sh("systemctl stop getty@tty1; chmod 755 /tmp/in-terminal /tmp/x-session")?;
    let xorg = guest.spawn(
        "exec xinit /tmp/x-session -- /usr/bin/Xorg :0 vt7 -nolisten tcp -nocursor -dpms -s 0",
        "xorg",
    )?;
    guest.wait_for_job("the X server", "test -S /tmp/.X11-unix/X0", &xorg, FIRST_PICTURE)?;
    Ok(xorg)
}

/// Starts Xorg with a window that covers the screen and writes each press of a button to `/tmp/xev.log`.
pub(super) fn start_xorg_listener(bench: &mut Bench) -> Result<()> {
    let xev = "exec stdbuf -oL xev -geometry 4000x4000+0+0 -event structure -event button >> /tmp/xev.log";
    let xorg = start_xorg(bench, xev)?;
    bench.guest.wait_for_job(
        "xev's window",
        "grep MapNotify /tmp/xev.log",
        &xorg,
        FIRST_PICTURE,
    )?;
    bench.guest.still_screendump(FIRST_PICTURE).map(drop)
}

/// Waits until X has taken the virtual devices: what they do before is lost.
pub(super) fn wait_until_x_listens(bench: &mut Bench) -> Result<()> {
    for device in ["Lotse pointer", "Lotse touch"] {
        let is_taken =
            format!("grep 'Adding extended input device \"{device}\"' /var/log/Xorg.0.log");
        bench.guest.wait_for(&format!("X to take the {device}"), &is_taken, FIRST_PICTURE)?;
    }
    Ok(())
}

/// Forgets the presses that were heard so far.
pub(super) fn forget_clicks(bench: &mut Bench) -> Result<()> {
    bench.guest.sh(": > /tmp/xev.log").map(drop)
}

/// What xev says of the next press of a button.
pub(super) fn wait_for_press(bench: &mut Bench, patience: Duration) -> Result<String> {
    // The place is in the line after, and the end of that line shows that all of it is there.
    let find = "grep --after-context 1 ButtonPress /tmp/xev.log | grep 'root:(.*)'";
    bench.guest.wait_for("xev to hear a press", find, patience)
}

/// What xev heard must be a press at this very pixel.
pub(super) fn expect_press_at(heard: &str, x: usize, y: usize) -> Result<()> {
    ensure!(heard.contains(&format!("root:({x},{y})")), "pressed at {x}, {y}, but heard: {heard}");
    Ok(())
}

/// Waits until the kiosk's terminal is drawn, and has come to rest.
pub(super) fn wait_for_kiosk(bench: &mut Bench) -> Result<()> {
    bench.guest.wait_for_picture("the kiosk's terminal", FIRST_PICTURE, |picture| {
        picture.colours() > 100
    })?;
    bench.guest.still_screendump(FIRST_PICTURE).map(drop)
}

/// Text of many shapes.
const SOME_TEXT: &str = "ls -la /usr/bin | head -n 20; sleep 1000";

fn weston_picture(bench: &mut Bench) -> Result<()> {
    start_weston(bench, SOME_TEXT)?;
    wait_for_kiosk(bench)?;
    expect_shot_is_shown(bench, "weston")
}

fn xorg_picture(bench: &mut Bench) -> Result<()> {
    start_xorg(bench, SOME_TEXT)?;
    wait_for_kiosk(bench)?;
    expect_shot_is_shown(bench, "xorg")
}
