//! Asking the person while an application owns the screen: the same on every display stack.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::consent::expect_nothing_was_seen;
use super::kiosk::{COLOURS, WESTON_INI, start_xorg, wait_for_kiosk};
use super::screen::{PROBE, quiet_console};
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
const WITH_PROBE: &[Program] = &[PROGRAMS[0], PROGRAMS[1], PROGRAMS[2], PROBE];

pub(super) const CASES: &[Case] = &[
    Case {
        name: "xorg-asking",
        about: "above an X11 kiosk: a window above all others asks; refused, timed out, accepted",
        machines: &[Machine::Virtio, Machine::Bochs, Machine::Vesa16],
        programs: WITH_PROBE,
        run: |bench| {
            start_xorg(bench, TEXT)?;
            wait_until_drawn(bench)?;
            ask_above_kiosk(bench, "x11:0", true)
        },
    },
    Case {
        name: "weston-asking",
        about: "above weston's kiosk shell: a full-screen window asks; refused, timed out, accepted",
        machines: &[Machine::Virtio, Machine::Bochs],
        programs: WITH_PROBE,
        run: |bench| {
            start_root_weston(bench)?;
            ask_above_kiosk(bench, "wayland:/run/user/0/wayland-0, full-screen window", false)
        },
    },
    Case {
        name: "cage-asking",
        about: "above cage, run by a user: a full-screen window asks; refused, timed out, accepted",
        machines: &[Machine::Virtio],
        programs: WITH_PROBE,
        run: |bench| {
            start_as_user(bench, "cage -- foot /tmp/in-terminal")?;
            ask_above_kiosk(bench, "wayland:/run/user/1000/wayland-0, full-screen window", false)
        },
    },
    Case {
        name: "sway-asking",
        about: "above a compositor with layers (sway): the overlay layer asks; refused, timed out, accepted",
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
        about: "above Qt that draws in the frame buffer: the panel is drawn over it; refused, timed out, accepted",
        machines: &[Machine::Virtio, Machine::Vesa16],
        programs: WITH_PROBE,
        run: |bench| {
            start_linuxfb(bench, "")?;
            ask_above_kiosk(bench, "fbdev:/dev/fb0", true)
        },
    },
    Case {
        name: "application-asking",
        about: "in a kiosk's application that shows the panel itself (Qt): refused, timed out, accepted",
        machines: &[Machine::Virtio],
        programs: WITH_PROBE,
        run: |bench| {
            start_linuxfb(bench, SHOWS_PANEL)?;
            ask_with(bench, "application", true, "application_user = \"root\"")
        },
    },
    Case {
        name: "console-asking",
        about: "above the text console: a terminal of its own asks; refused, timed out, accepted",
        machines: Machine::TYPICAL,
        programs: WITH_PROBE,
        run: |bench| {
            quiet_console(bench)?;
            bench.guest.sh(&format!("({COLOURS}) > /dev/tty1"))?;
            ask_above_kiosk(bench, "fbdev:/dev/fb0", true)
        },
    },
];

const SWAY: &str = "default_border none
output * background #204060 solid_color
seat * hide_cursor 100
exec foot /tmp/in-terminal
";

/// A kiosk's compositor as a service of an ordinary user, who gets a session at the screen by it.
const KIOSK_SERVICE: &str = "[Service]
User=kiosk
PAMName=login
TTYPath=/dev/tty7
StandardInput=tty
StandardOutput=file:/tmp/kiosk.log
StandardError=file:/tmp/kiosk.log
Environment=WLR_RENDERER=pixman
ExecStartPre=+/usr/bin/chvt 7
ExecStart=/usr/bin/";

/// An application of Qt that draws its 216 colours in the frame buffer.
const QT: &str = r#"
import sys
from PyQt5.QtWidgets import QApplication, QGridLayout, QLabel, QWidget
app = QApplication(sys.argv)
window = QWidget()
grid = QGridLayout(window)
for n in range(216):
    cell = QLabel(str(n))
    cell.setStyleSheet("background: rgb(%d, %d, %d)" % (n // 36 * 51, n // 6 % 6 * 51, n % 6 * 51))
    grid.addWidget(cell, n // 18, n % 18)
window.showFullScreen()
"#;

/// What makes it show Lotse's panel, as `docs/asking.md` has it.
const SHOWS_PANEL: &str = r#"
import json, mmap, os, socket
from PyQt5.QtCore import QSocketNotifier, QTimer
from PyQt5.QtGui import QImage, QPixmap

class Panel(QLabel):
    def __init__(self, parent):
        super().__init__(parent)
        self.hide()
        self.timer = QTimer(self)
        self.timer.timeout.connect(self.reach)
        self.timer.start(500)

    def reach(self):
        self.agent = socket.socket(socket.AF_UNIX)
        try:
            self.agent.connect("/run/lotse/panel.sock")
        except OSError:
            return
        self.timer.stop()
        self.rest = b""
        self.notifier = QSocketNotifier(self.agent.fileno(), QSocketNotifier.Read, self)
        self.notifier.activated.connect(self.hear)

    def hear(self):
        said, fds, _, _ = socket.recv_fds(self.agent, 4096, 1)
        if not said:
            self.hide()
            self.notifier.setEnabled(False)
            self.timer.start(500)
            return
        *lines, self.rest = (self.rest + said).split(b"\n")
        for line in map(json.loads, lines):
            if "show" in line:
                self.place = line["show"]
                size = self.place["pitch"] * self.place["height"]
                self.memory = mmap.mmap(fds[0], size, prot=mmap.PROT_READ)
                os.close(fds[0])
            if "hide" in line:
                self.hide()
            else:
                self.paint()

    def paint(self):
        x, y, width, height, pitch = (self.place[name] for name in ("x", "y", "width", "height", "pitch"))
        image = QImage(self.memory[:], width, height, pitch, QImage.Format_RGB32)
        # Its own pixels: those of the image go with it.
        self.setPixmap(QPixmap.fromImage(image.copy()))
        self.setGeometry(x, y, width, height)
        self.raise_()
        self.show()

panel = Panel(window)
"#;

/// What the kiosk's terminal runs; it does not show the key that calls the panel, which it gets, too.
const TEXT: &str =
    "stty -echo; ls -la --color=always /etc | tail -n 20; touch /tmp/drawn; sleep 1000";

fn wait_until_drawn(bench: &mut Bench) -> Result<()> {
    bench.guest.wait_for("the kiosk's terminal", "test -e /tmp/drawn", PATIENCE).map(drop)
}

fn write_terminal(bench: &mut Bench) -> Result<()> {
    let guest = &mut bench.guest;
    guest.put("/tmp/in-terminal", format!("#!/bin/sh\n{COLOURS}\n{TEXT}\n"))?;
    guest.sh("systemctl stop getty@tty1; chmod 755 /tmp/in-terminal").map(drop)
}

fn start_root_weston(bench: &mut Bench) -> Result<()> {
    write_terminal(bench)?;
    let guest = &mut bench.guest;
    guest.put("/tmp/weston.ini", WESTON_INI)?;
    guest.sh("mkdir -p -m 700 /run/user/0")?;
    let weston = guest.spawn(
        "XDG_RUNTIME_DIR=/run/user/0 weston --tty=1 --backend=drm-backend.so --use-pixman \
         --shell=kiosk-shell.so --config=/tmp/weston.ini --socket=wayland-0",
        "weston",
    )?;
    guest.wait_for_job("weston", "test -S /run/user/0/wayland-0", &weston, PATIENCE)?;
    let terminal = "XDG_RUNTIME_DIR=/run/user/0 weston-terminal --shell=/tmp/in-terminal";
    guest.spawn(terminal, "weston-terminal")?;
    wait_until_drawn(bench)
}

/// Starts a compositor in a session of a user of its own.
fn start_as_user(bench: &mut Bench, command: &str) -> Result<()> {
    write_terminal(bench)?;
    let guest = &mut bench.guest;
    guest.put("/etc/systemd/system/kiosk.service", format!("{KIOSK_SERVICE}{command}\n"))?;
    guest.sh(
        "useradd --create-home --uid 1000 kiosk; systemctl daemon-reload; systemctl start kiosk",
    )?;
    guest.wait_for("the compositor", "test -S /run/user/1000/wayland-?", PATIENCE)?;
    wait_until_drawn(bench)
}

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

/// Starts Qt in the frame buffer, with more of a program behind the kiosk's.
fn start_linuxfb(bench: &mut Bench, more: &str) -> Result<()> {
    let guest = &mut bench.guest;
    guest.put("/tmp/kiosk.py", format!("{QT}{more}\napp.exec_()\n"))?;
    guest.sh("systemctl stop getty@tty1")?;
    let start = "QT_QPA_FB_HIDECURSOR=1 python3 /tmp/kiosk.py -platform linuxfb < /dev/tty1";
    guest.spawn(start, "qt").map(drop)
}

/// Nobody answers for so many seconds, and it is a no.
const ANSWER_SECONDS: u64 = 30;

/// The whole of asking above a kiosk that rests: the panel comes by the way `by`, which the agent's log must name;
/// `has_sign` says whether the sign of a session can be seen above this kiosk.
fn ask_above_kiosk(bench: &mut Bench, by: &str, has_sign: bool) -> Result<()> {
    ask_with(bench, by, has_sign, "")
}

/// As [`ask_above_kiosk`], with more settings of the panel.
fn ask_with(bench: &mut Bench, by: &str, has_sign: bool, panel: &str) -> Result<()> {
    wait_for_kiosk(bench)?;
    let alone = bench.guest.keep_screendump("1-before")?;
    let settings = format!("{BEHIND_A_KIOSK}\nanswer_seconds = {ANSWER_SECONDS}\n{panel}");
    let mut session = prepare(bench, &settings)?;

    ask_under_a_finger(bench, &mut session)?;
    expect_panel_by(bench, by)?;
    bench.guest.keep_screendump("2-asking")?;
    tap_accept_by_program(bench, &session)?;
    session.technician.ask("confirm --codes-match")?;
    session.agent.press(&mut bench.guest, View::Asking, "refuse")?;
    session.technician.expect_ended(&["refused-at-panel"], PATIENCE)?;
    expect_nothing_was_seen(&mut session)?;
    read_message(bench, &session)?;
    expect_kiosk(bench, &alone, by).context("after it was refused")?;
    bench.guest.keep_screendump("3-after-refusal")?;

    ask(bench, &mut session)?;
    session.technician.expect_ended(&["no-answer-at-panel"], PATIENCE)?;
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
    expect_seen_as_shown(bench, &mut session, "5")?;
    if has_sign {
        session.agent.press(&mut bench.guest, View::Session, "stop")?;
        session.technician.expect_ended(&["stopped-at-panel"], PATIENCE)?;
    } else {
        session.technician.ask("end")?;
    }
    read_message(bench, &session)?;
    expect_kiosk(bench, &alone, by).context("at the end")?;
    bench.guest.keep_screendump("6-after")?;

    if by.starts_with("fbdev") {
        // What is drawn over an application stays when the agent is killed; on a terminal, `machine-kill` looks.
        return Ok(());
    }
    ask(bench, &mut session)?;
    bench.guest.sh("systemctl kill --signal KILL lotse-machine")?;
    expect_kiosk(bench, &alone, by).context("after the agent was killed while it asked")
}

/// Pixels that a cursor may change which a compositor draws into the picture: where it was, and where it is.
fn cursor(by: &str) -> usize {
    if by.starts_with("wayland") { 2 * 200 } else { 0 }
}

/// How many pixels are others, from a row on.
fn differing(one: &Picture, other: &Picture, first_row: usize) -> usize {
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
fn expect_kiosk(bench: &mut Bench, alone: &Picture, by: &str) -> Result<()> {
    let is_back = |picture: &Picture| differing(picture, alone, 0) <= cursor(by);
    bench.guest.wait_for_picture("the kiosk as in 1-before.png", PATIENCE, is_back).map(drop)
}

/// The person calls the panel, and types the number of a new session.
fn ask(bench: &mut Bench, session: &mut Session) -> Result<()> {
    bench.guest.press(&["f12"])?;
    bring_together(bench, session)
}

/// As [`ask`], with a finger on the screen when the panel comes: it is none of the panel's.
fn ask_under_a_finger(bench: &mut Bench, session: &mut Session) -> Result<()> {
    bench.guest.hold(600, 400)?;
    bench.guest.press(&["f12"])?;
    session.agent.wait_view(&mut bench.guest, View::Home).context("under a finger")?;
    bench.guest.lift()?;
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
