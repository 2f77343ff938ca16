//! One reader, and a screen that changes underneath it: it sleeps, another console or another program takes it, and comes back.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::kiosk::{start_weston, wait_for_kiosk};
use super::screen::{PROBE, quiet_console, shot};
use crate::lab::machine::Machine;
use crate::lab::people::PATIENCE;
use crate::lab::picture::Picture;
use crate::lab::scenario::{Bench, Case};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "screen-follows",
        about: "a display that sleeps is told as off; another console and weston coming and going are read as shown",
        machines: &[Machine::Virtio, Machine::Bochs],
        programs: &[PROBE],
        run: screen_follows,
    },
    Case {
        name: "cursor-seen",
        about: "the cursor that hardware shows beside the picture is read in the middle, where X puts it",
        machines: &[Machine::Virtio],
        programs: &[PROBE],
        run: cursor_seen,
    },
    Case {
        name: "number-again",
        about: "a frame buffer's number that is used again for another one shows the new picture",
        machines: &[Machine::Virtio, Machine::Bochs],
        programs: &[PROBE],
        run: number_again,
    },
];

/// How often programs are started until two of them get the same number.
const MAX_PROGRAMS: usize = 5;

/// Programs that own the screen come and go; what they show has the lowest number that is free.
fn number_again(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    let mut reader = Reader::start(bench)?;
    let mut seen: Vec<(String, Picture)> = Vec::new();
    for (turn, pattern) in
        ["smpte", "tiles", "gradient"].into_iter().cycle().enumerate().take(MAX_PROGRAMS)
    {
        // As the kernel's own frame buffer is called.
        let driver = bench.guest.sh("sed -n 's/drmfb$//p' /sys/class/graphics/fb0/name")?;
        // It ends when its input does, which never says anything.
        let show = format!(
            "sleep 1000 | modetest -M {} -s Virtual-1:1024x768 -F {pattern}",
            driver.trim()
        );
        let owner = bench.guest.spawn(&show, &format!("modetest-{turn}"))?;
        let before = seen.last().map(|(_, picture)| picture.clone());
        bench.guest.wait_for_picture("the pattern", PATIENCE, |picture| {
            picture.width == 1024 && picture.colours() > 4 && Some(picture) != before.as_ref()
        })?;
        reader.expect_shown(bench, &format!("{turn}-{pattern}"))?;
        let shown = bench.guest.still_screendump(PATIENCE)?;
        let number = bench.guest.sh(
            "grep -h -A 3 '^plane' /sys/kernel/debug/dri/0/state | grep -o 'fb=[1-9][0-9]*' | head -n 1",
        )?;
        bench.guest.sh(&format!("kill -- -{}; sleep 2", owner.pid()))?;
        let is_again = |(other, picture): &(String, Picture)| *other == number && *picture != shown;
        if seen.iter().any(is_again) {
            return Ok(());
        }
        seen.push((number, shown));
    }
    let numbers: Vec<&String> = seen.iter().map(|(number, _)| number).collect();
    anyhow::bail!("no number was used again, so that nothing is proved: {numbers:?}")
}

/// A reader that lives as long as the scenario.
struct Reader {
    shots: u32,
}

impl Reader {
    fn start(bench: &mut Bench) -> Result<Self> {
        shot(bench)?;
        bench.guest.sh("modprobe uinput; mkfifo /tmp/act")?;
        // Opened for both directions, so that it does not end between two lines.
        let probe = bench.guest.spawn("exec machine_probe act 0<> /tmp/act", "act")?;
        bench.guest.wait_for_job("the probe", "grep ready /tmp/act.log", &probe, PATIENCE)?;
        Ok(Self { shots: 0 })
    }

    /// What it reads now; `None` if it says that the screen is off.
    fn read(&mut self, bench: &mut Bench) -> Result<Option<Picture>> {
        self.shots += 1;
        let file = format!("/tmp/read-{}.ppm", self.shots);
        bench.guest.sh(&format!("echo shot {file} > /tmp/act"))?;
        let done = format!("grep -B 1 'done: shot {file}' /tmp/act.log");
        let said = bench.guest.wait_for("the reader's answer", &done, PATIENCE)?;
        if said.contains("no shot: ") {
            ensure!(said.contains("the screen is off"), "not read, but: {said}");
            return Ok(None);
        }
        Picture::from_ppm(&bench.guest.get(&file)?).map(Some)
    }

    fn expect_shown(&mut self, bench: &mut Bench, name: &str) -> Result<()> {
        let before = bench.guest.still_screendump(PATIENCE)?;
        let is = self.read(bench)?.with_context(|| format!("off at {name}"))?;
        ensure!(bench.guest.screendump()? == before, "the screen changed while it was read");
        bench.expect_same(name, &is, &before)
    }
}

/// How the kernel's console puts the display to sleep, and wakes it.
fn blank(bench: &mut Bench, level: u8) -> Result<()> {
    bench.guest.sh(&format!("echo {level} > /sys/class/graphics/fb0/blank; sleep 1")).map(drop)
}

fn screen_follows(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    bench.guest.sh("ls -la /usr/bin | head -n 30 > /dev/tty1")?;
    let mut reader = Reader::start(bench)?;
    reader.expect_shown(bench, "console")?;
    blank(bench, 4)?;
    ensure!(reader.read(bench)?.is_none(), "a display that sleeps is not told as off");
    blank(bench, 0)?;
    reader.expect_shown(bench, "awake")?;
    bench.guest.sh("chvt 3; printf '\\033[?25l\\033[2J\\033[H' > /dev/tty3; ls -la /etc | head -n 30 > /dev/tty3")?;
    reader.expect_shown(bench, "other-console")?;
    start_weston(bench, "ls -la /usr/bin | head -n 20; sleep 1000")?;
    wait_for_kiosk(bench)?;
    reader.expect_shown(bench, "weston")?;
    bench.guest.sh("pkill -x weston; sleep 3; chvt 3; sleep 1")?;
    reader.expect_shown(bench, "after-weston")
}

/// How far a cursor's hot spot may be from its upper left corner, in pixels.
const HOT_SPOT: i64 = 32;

fn cursor_seen(bench: &mut Bench) -> Result<()> {
    let screen = shot(bench)?;
    bench.guest.put("/tmp/x-session", "#!/bin/sh\nexec xterm -geometry 200x60+0+0\n")?;
    bench.guest.sh("systemctl stop getty@tty1; chmod 755 /tmp/x-session")?;
    let start = "exec xinit /tmp/x-session -- /usr/bin/Xorg :0 vt7 -nolisten tcp -dpms -s 0";
    let xorg = bench.guest.spawn(start, "xorg")?;
    let patience = Duration::from_secs(120);
    bench.guest.wait_for_job("the X server", "test -S /tmp/.X11-unix/X0", &xorg, patience)?;
    bench.guest.still_screendump(patience)?;
    // Where X puts it at its start.
    let middle = (screen.width / 2, screen.height / 2);
    let seen = "machine_probe cursor | grep 'cursor at'";
    let said = bench.guest.wait_for("a cursor", seen, PATIENCE)?;
    ensure!(is_cursor_near(&said, middle)?, "the cursor is at {middle:?}, but: {said}");
    Ok(())
}

/// Whether the place that the probe told is that of a cursor which points at a pixel.
fn is_cursor_near(said: &str, (x, y): (usize, usize)) -> Result<bool> {
    let numbers = said.split(|c: char| !c.is_ascii_digit() && c != '-');
    let mut numbers = numbers.filter_map(|word| word.parse::<i64>().ok());
    let (left, top) = numbers.next().zip(numbers.next()).context("the probe told no place")?;
    let is_near = |at: usize, start: i64| {
        i64::try_from(at).is_ok_and(|at| (0..HOT_SPOT).contains(&(at - start)))
    };
    Ok(is_near(x, left) && is_near(y, top))
}
