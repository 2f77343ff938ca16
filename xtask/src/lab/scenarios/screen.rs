//! Reading the screen: what the hal sees must be what the machine shows, pixel by pixel.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::lab::machine::Machine;
use crate::lab::picture::Picture;
use crate::lab::scenario::{Bench, Case};
use crate::programs::Program;

/// The hal's own tool for trying devices.
pub(super) const PROBE: Program = Program::Example("lotse-hal", "machine_probe", "test-util");

pub(super) const CASES: &[Case] = &[
    Case {
        name: "console-picture",
        about: "the text console is read as it is shown",
        machines: Machine::WITH_SCREEN,
        programs: &[PROBE],
        run: console_picture,
    },
    Case {
        name: "noise-picture",
        about: "every pixel of random noise is read as it is shown",
        machines: Machine::WITH_SCREEN,
        programs: &[PROBE],
        run: noise_picture,
    },
    Case {
        name: "no-leak",
        about: "10 000 captures leak no handle, no descriptor and no memory",
        machines: Machine::TYPICAL,
        programs: &[PROBE],
        run: no_leak,
    },
    Case {
        name: "no-leak",
        about: "10 000 captures of 16 and 32 bits with changing pages leak no descriptor and no memory",
        machines: &[Machine::Vfb],
        programs: &[PROBE],
        run: vfb_no_leak,
    },
    Case {
        name: "conform",
        about: "screen, input devices and panel keep the rules of the hal",
        machines: Machine::WITH_SCREEN,
        programs: &[PROBE],
        run: conform,
    },
    Case {
        name: "formats",
        about: "both pages of a frame buffer of 16, 24 and 32 bits with padded rows are read as written",
        machines: &[Machine::Vfb],
        programs: &[PROBE],
        run: formats,
    },
];

/// Nothing on the text console moves any more: no prompt, no blinking.
pub(super) fn quiet_console(bench: &mut Bench) -> Result<()> {
    bench
        .guest
        .sh("systemctl stop getty@tty1; chvt 1; printf '\\033[?25l\\033[2J\\033[H' > /dev/tty1")?;
    Ok(())
}

/// What the hal reads of the screen.
pub(super) fn shot(bench: &mut Bench) -> Result<Picture> {
    let probe = bench.program("machine_probe")?.to_path_buf();
    let probe = bench.guest.install(&probe)?;
    bench.guest.sh(&format!("{probe} shot /tmp/shot.ppm"))?;
    Picture::from_ppm(&bench.guest.get("/tmp/shot.ppm")?)
}

/// Reads the screen between two screendumps that are the same, and compares.
pub(super) fn expect_shot_is_shown(bench: &mut Bench, name: &str) -> Result<()> {
    for _ in 0..5 {
        let before = bench.guest.still_screendump(Duration::from_secs(30))?;
        let shot = shot(bench)?;
        let after = bench.guest.screendump()?;
        if before == after {
            return bench.expect_same(name, &shot, &after);
        }
    }
    bail!("the screen changes each time while it is read")
}

/// Longest until what was written is seen.
const APPEARS: Duration = Duration::from_secs(30);

fn console_picture(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    // Text to the last line, and there all sixteen colours: as many as the text console has.
    let paint = "ls -la /usr/bin | head -n 40; for n in $(seq 0 15); do \
                 printf '\\n\\033[48;5;%dm %2d  \\033[38;5;%dm Lotse \\033[0m' $n $n $((15 - n)); done";
    bench.guest.sh(&format!("({paint}) > /dev/tty1"))?;
    bench.guest.wait_for_picture("16 colours", APPEARS, |picture| picture.colours() >= 16)?;
    expect_shot_is_shown(bench, "console")
}

fn noise_picture(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    // More than fits: the last write says so, and is not counted as a failure.
    bench.guest.sh("head --bytes=16M /dev/urandom > /dev/fb0 2>/dev/null; sync /dev/fb0")?;
    bench.guest.wait_for_picture("the noise", APPEARS, |picture| picture.colours() > 10_000)?;
    expect_shot_is_shown(bench, "noise")
}

fn no_leak(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    bench.guest.sh("ls -la / > /dev/tty1")?;
    let driver = bench.guest.sh("sed -n 's/drmfb$//p' /sys/class/graphics/fb0/name")?;
    if !driver.trim().is_empty() {
        // A small picture: what leaks does so with every capture, however long each takes here.
        let show = format!("sleep 9000 | modetest -M {} -s Virtual-1:640x480", driver.trim());
        bench.guest.spawn(&show, "modetest")?;
        bench.guest.wait_for_picture("a small picture", APPEARS, |picture| picture.width == 640)?;
    }
    expect_no_leak(bench)
}

fn vfb_no_leak(bench: &mut Bench) -> Result<()> {
    bench.guest.sh("systemctl stop getty@tty1")?;
    for bits in [16, 32] {
        set_up_vfb(bench, bits)?;
        let pan = "while :; do for y in 0 200; do echo 0,$y > /sys/class/graphics/fb0/pan; sleep 0.05; done; done";
        let panning = bench.guest.spawn(pan, "panning")?;
        expect_no_leak(bench).with_context(|| format!("{bits} bits"))?;
        bench.guest.sh(&format!("kill -- -{}; sleep 1", panning.pid()))?;
    }
    Ok(())
}

/// Reads the screen 10,000 times by one process, which must not grow.
pub(super) fn expect_no_leak(bench: &mut Bench) -> Result<()> {
    shot(bench)?;
    let told = bench.guest.sh_for("machine_probe captures 10000", Duration::from_secs(1200))?;
    let number = |before: &str| -> Result<u64> {
        let (_, rest) =
            told.split_once(before).with_context(|| format!("no {before:?} in: {told}"))?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().with_context(|| format!("no number after {before:?} in: {told}"))
    };
    ensure!(number("largest handle ")? <= 4, "handles are not closed: {told}");
    let line = told.lines().find_map(|line| line.strip_prefix("descriptors "));
    let (first, last) = line.and_then(|line| line.split_once(" -> ")).context("no descriptors")?;
    ensure!(first == last, "descriptors leak: {told}");
    let (first, last) = (number("resident ")?, number(" kB -> ")?);
    ensure!(last <= first + 512, "memory leaks, KiB: {told}");
    Ok(())
}

fn conform(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    bench.guest.sh("ls -la / > /dev/tty1; modprobe uinput")?;
    shot(bench)?;
    let told = bench.guest.sh_for("machine_probe conform 2>&1", Duration::from_secs(300))?;
    for part in ["screen ok", "input ok", "panel ok"] {
        ensure!(told.contains(part), "no \"{part}\" in: {told}");
    }
    Ok(())
}

/// Width in pixels whose rows end between the boundaries that drivers pad to.
const ODD_WIDTH: usize = 1366;
const HEIGHT: usize = 200;

fn formats(bench: &mut Bench) -> Result<()> {
    // Nothing but the noise may be in the memory: no prompt, no cursor.
    bench.guest.sh("systemctl stop getty@tty1")?;
    for bits in [16, 24, 32] {
        let stride = set_up_vfb(bench, bits)?;
        bench.guest.sh("head --bytes=4M /dev/urandom > /dev/fb0; cat /dev/fb0 > /tmp/memory")?;
        let memory = bench.guest.get("/tmp/memory")?;
        for (page, above) in [("first", 0), ("second", HEIGHT)] {
            bench.guest.sh(&format!("echo 0,{above} > /sys/class/graphics/fb0/pan"))?;
            let shown = memory.get(above * stride..).context("the memory is too short")?;
            let expected = decode(shown, stride, bits)?;
            let is = shot(bench)?;
            let name = format!("{bits}-bits-{page}-page");
            bench.expect_same(&name, &is, &expected).context(name)?;
        }
    }
    Ok(())
}

/// Makes a frame buffer of two pages; gives the bytes from a row to the next.
fn set_up_vfb(bench: &mut Bench, bits: usize) -> Result<usize> {
    // With M the kernel works the mode out; without, it takes the nearest of a list.
    let mode = format!("{ODD_WIDTH}x{HEIGHT}M-{bits}@60");
    bench.guest.sh(&format!(
        "rmmod vfb 2>/dev/null; modprobe vfb vfb_enable=1 videomemorysize=4194304 mode_option={mode}"
    ))?;
    bench.guest.wait_for("/dev/fb0", "test -c /dev/fb0", Duration::from_secs(10))?;
    let size = format!("{ODD_WIDTH},{}", 2 * HEIGHT);
    let told = bench.guest.sh(&format!(
        "echo 0 > /sys/class/graphics/fbcon/cursor_blink; cd /sys/class/graphics/fb0; \
         echo {size} > virtual_size; echo $(cat virtual_size bits_per_pixel stride)"
    ))?;
    let stride = told.trim().strip_prefix(&format!("{size} {bits} "));
    let stride = stride.with_context(|| format!("vfb is set to {mode}, but says {told}"))?;
    Ok(stride.parse()?)
}

/// What vfb's memory means: red in the lowest bits, unlike other frame buffers.
fn decode(memory: &[u8], stride: usize, bits: usize) -> Result<Picture> {
    let mut ppm = format!("P6\n{ODD_WIDTH} {HEIGHT}\n255\n").into_bytes();
    for row in memory.chunks(stride).take(HEIGHT) {
        for pixel in row.chunks_exact(bits / 8).take(ODD_WIDTH) {
            match *pixel {
                [low, high] => {
                    let value = u16::from_le_bytes([low, high]);
                    let channel = |shift: u16, bits: u16| {
                        let value = u32::from(value >> shift) & ((1 << bits) - 1);
                        // The top bits again below: 31 of 31 is 255 of 255.
                        ((value << (8 - bits)) | (value >> (2 * bits - 8))) as u8
                    };
                    ppm.extend([channel(0, 5), channel(5, 6), channel(11, 5)]);
                }
                [red, green, blue] | [red, green, blue, _] => ppm.extend([red, green, blue]),
                _ => {}
            }
        }
    }
    Picture::from_ppm(&ppm)
}
