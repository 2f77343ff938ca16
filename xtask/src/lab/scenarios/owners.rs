//! Programs that own the screen while the person is asked, each as a kiosk would start it. All draw their picture again
//! when they are told to, by removing `/tmp/drawn`, and make that file when it is drawn.

use anyhow::Result;

use super::kiosk::{COLOURS, WESTON_INI};
use super::screen::quiet_console;
use crate::lab::people::PATIENCE;
use crate::lab::scenario::Bench;

pub(super) const SWAY: &str = "default_border none
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
import os, sys
from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import QApplication, QGridLayout, QLabel, QWidget
app = QApplication(sys.argv)
window = QWidget()
grid = QGridLayout(window)
for n in range(216):
    cell = QLabel(str(n))
    cell.setStyleSheet("background: rgb(%d, %d, %d)" % (n // 36 * 51, n // 6 % 6 * 51, n % 6 * 51))
    grid.addWidget(cell, n // 18, n % 18)
window.showFullScreen()

def draw():
    if not os.path.exists("/tmp/drawn"):
        for widget in app.allWidgets():
            widget.repaint()
        app.processEvents()
        open("/tmp/drawn", "w").close()

redraw = QTimer()
redraw.timeout.connect(draw)
redraw.start(200)
"#;

/// What makes it show Lotse's panel, as `docs/asking.md` has it.
pub(super) const SHOWS_PANEL: &str = r#"
import json, mmap, socket
from PyQt5.QtCore import QSocketNotifier
from PyQt5.QtGui import QImage, QPainter
from PyQt5.sip import voidptr

class Panel(QWidget):
    def __init__(self, parent):
        super().__init__(parent)
        self.setAttribute(Qt.WA_OpaquePaintEvent)
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
                place = line["show"]
                size = place["pitch"] * place["height"]
                self.memory = mmap.mmap(fds[0], size, prot=mmap.PROT_READ)
                os.close(fds[0])
                self.image = QImage(
                    voidptr(self.memory), place["width"], place["height"], place["pitch"], QImage.Format_RGB32)
                self.setGeometry(place["x"], place["y"], place["width"], place["height"])
                self.raise_()
                self.show()
                self.update()
            elif "changed" in line:
                self.update(0, line["changed"]["y"], self.width(), line["changed"]["height"])
            else:
                self.hide()

    def paintEvent(self, event):
        QPainter(self).drawImage(event.rect(), self.image, event.rect())

panel = Panel(window)
"#;

/// What the kiosk's terminal runs, behind [`COLOURS`]; it does not show the key that calls the panel, which it gets, too.
pub(super) fn text() -> String {
    let show = "cat /tmp/text; touch /tmp/drawn";
    format!(
        "stty -echo; ls -la --color=always /etc | tail -n 20 > /tmp/text; {show}; while sleep 0.2; do \
         test -e /tmp/drawn || {{ printf '\\033[2J\\033[H'; {COLOURS}; {show}; }}; done"
    )
}

pub(super) fn wait_until_drawn(bench: &mut Bench) -> Result<()> {
    bench.guest.wait_for("the kiosk's terminal", "test -e /tmp/drawn", PATIENCE).map(drop)
}

/// The application draws all of its picture again.
pub(super) fn redraw(bench: &mut Bench) -> Result<()> {
    bench.guest.sh("rm /tmp/drawn")?;
    wait_until_drawn(bench)
}

fn write_terminal(bench: &mut Bench) -> Result<()> {
    let guest = &mut bench.guest;
    guest.put("/tmp/in-terminal", format!("#!/bin/sh\n{COLOURS}\n{}\n", text()))?;
    guest.sh("systemctl stop getty@tty1; chmod 755 /tmp/in-terminal").map(drop)
}

pub(super) fn start_root_weston(bench: &mut Bench) -> Result<()> {
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
pub(super) fn start_as_user(bench: &mut Bench, command: &str) -> Result<()> {
    write_terminal(bench)?;
    let guest = &mut bench.guest;
    guest.put("/etc/systemd/system/kiosk.service", format!("{KIOSK_SERVICE}{command}\n"))?;
    guest.sh(
        "useradd --create-home --uid 1000 kiosk; systemctl daemon-reload; systemctl start kiosk",
    )?;
    guest.wait_for("the compositor", "test -S /run/user/1000/wayland-?", PATIENCE)?;
    wait_until_drawn(bench)
}

/// Starts Qt in the frame buffer, with more of a program behind the kiosk's.
pub(super) fn start_linuxfb(bench: &mut Bench, more: &str) -> Result<()> {
    let guest = &mut bench.guest;
    guest.put("/tmp/kiosk.py", format!("{QT}{more}\napp.exec_()\n"))?;
    guest.sh("systemctl stop getty@tty1")?;
    let start = "QT_QPA_FB_HIDECURSOR=1 python3 /tmp/kiosk.py -platform linuxfb < /dev/tty1";
    guest.spawn(start, "qt")?;
    wait_until_drawn(bench)
}

/// The same as in a kiosk's terminal, on the text console.
pub(super) fn start_on_console(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    write_terminal(bench)?;
    bench.guest.spawn("exec /tmp/in-terminal < /dev/tty1 > /dev/tty1", "in-terminal")?;
    wait_until_drawn(bench)
}
