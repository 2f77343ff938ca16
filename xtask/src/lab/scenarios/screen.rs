//! Reading the screen: what the hal sees must be what the machine shows, pixel by pixel.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

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
        name: "conform",
        about: "screen, input devices and panel keep the rules of the hal",
        machines: Machine::WITH_SCREEN,
        programs: &[PROBE],
        run: conform,
    },
    Case {
        name: "formats",
        about: "a frame buffer of 16, 24 and 32 bits with padded rows is read as it was written",
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

/// Reads the screen within two screendumps that are the same, and compares.
pub(super) fn expect_shot_is_shown(bench: &mut Bench, name: &str) -> Result<()> {
    let before = bench.guest.still_screendump(Duration::from_secs(30))?;
    let shot = shot(bench)?;
    let after = bench.guest.screendump()?;
    ensure!(before == after, "the screen changed while it was read");
    bench.expect_same(name, &shot, &after)
}

fn console_picture(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    // All sixteen colours, and text to the last line.
    let paint = "for n in $(seq 0 15); do printf '\\033[48;5;%dm %2d  \\033[38;5;%dm Lotse \\033[0m\\n' \
                 $n $n $((15 - n)); done; ls -la /usr/bin | head -n 40";
    bench.guest.sh(&format!("({paint}) > /dev/tty1"))?;
    expect_shot_is_shown(bench, "console")
}

fn noise_picture(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    // More than fits: the last write says so, and is not counted as a failure.
    bench
        .guest
        .sh("head --bytes=16M /dev/urandom > /dev/fb0 2>/dev/null; sync /dev/fb0; sleep 1")?;
    expect_shot_is_shown(bench, "noise")?;
    let colours = bench.guest.screendump()?.colours();
    ensure!(colours > 10_000, "only {colours} colours: this is not the noise");
    Ok(())
}

fn no_leak(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    bench.guest.sh("ls -la / > /dev/tty1")?;
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
    for bits in [16, 24, 32] {
        let mode = format!("{ODD_WIDTH}x{HEIGHT}-{bits}@60");
        bench.guest.sh(&format!(
            "rmmod vfb 2>/dev/null; modprobe vfb vfb_enable=1 videomemorysize=4194304 mode_option={mode}"
        ))?;
        bench.guest.wait_for("/dev/fb0", "test -c /dev/fb0", Duration::from_secs(10))?;
        bench.guest.sh("head --bytes=4M /dev/urandom > /dev/fb0; cat /dev/fb0 > /tmp/memory")?;
        let stride = bench.guest.sh("cat /sys/class/graphics/fb0/stride")?.trim().parse()?;
        let memory = bench.guest.get("/tmp/memory")?;
        let expected = decode(&memory, stride, bits)?;
        let is = shot(bench)?;
        bench.expect_same(&format!("{bits}-bits"), &is, &expected)?;
    }
    Ok(())
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
