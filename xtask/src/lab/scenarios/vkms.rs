//! The kernel's own virtual card (vkms): no screen of QEMU's shows it, but it tells the check sum of each picture that it
//! scans out, of all planes together. Debian's kernels come without it, so that it is built from their source.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::asking::{WITH_PROBE, ask_with, expect_panel_by, wait_until_at_rest};
use super::owners::start_linuxfb;
use super::screen::{PROBE, expect_no_leak, quiet_console, shot};
use super::session::{BEHIND_A_KIOSK, prepare};
use crate::lab::machine::Machine;
use crate::lab::people::{PATIENCE, View};
use crate::lab::picture::Picture;
use crate::lab::scenario::{Bench, Case};
use crate::{debian, paths, say};

pub(super) const CASES: &[Case] = &[
    Case {
        name: "console-picture",
        about: "the kernel's virtual card: text, noise and a program's own pictures (32 and 16 bits) are read as scanned out",
        machines: &[Machine::Vkms],
        programs: &[PROBE],
        run: console_picture,
    },
    Case {
        name: "no-leak",
        about: "10 000 captures leak no handle, no descriptor and no memory",
        machines: &[Machine::Vkms],
        programs: &[PROBE],
        run: |bench| {
            load(bench, "")?;
            show(bench, "640x480", "XR24")?;
            expect_no_leak(bench)
        },
    },
    Case {
        name: "linuxfb-asking",
        about: "above Qt that draws in the frame buffer of a card with overlays: a plane of its own asks; drawn below, refused, \
                timed out, accepted, killed",
        machines: &[Machine::Vkms],
        programs: WITH_PROBE,
        run: linuxfb_asking,
    },
    Case {
        name: "linuxfb-overlay",
        about: "the panel on a plane of its own changes the check sum of what is scanned out, and nothing stays of it when the \
                agent is killed",
        machines: &[Machine::Vkms],
        programs: WITH_PROBE,
        run: linuxfb_overlay,
    },
];

/// What gives the card planes above its picture.
const WITH_OVERLAYS: &str = "enable_overlay=1";

fn linuxfb_asking(bench: &mut Bench) -> Result<()> {
    load(bench, WITH_OVERLAYS)?;
    start_linuxfb(bench, "")?;
    wait_until_at_rest(bench)?;
    let alone = expect_planes_scanned_out(bench, "0-kiosk")?;
    // The card and its planes are read by an emulated processor, which takes long.
    ask_with(bench, "overlay: plane", true, "answer_seconds = 180")?;
    expect_check_sum(bench, alone).context("after the agent was killed while it asked")
}

fn linuxfb_overlay(bench: &mut Bench) -> Result<()> {
    load(bench, WITH_OVERLAYS)?;
    start_linuxfb(bench, "")?;
    wait_until_at_rest(bench)?;
    let alone = expect_planes_scanned_out(bench, "1-kiosk")?;
    let session = prepare(bench, BEHIND_A_KIOSK)?;
    // What does not count seconds has one check sum.
    bench.guest.press(&["f12"])?;
    session.agent.wait_view(&mut bench.guest, View::Home)?;
    expect_panel_by(bench, "overlay: plane")?;
    let panel = expect_planes_scanned_out(bench, "2-panel")?;
    ensure!(panel != alone, "the panel changes nothing of what is scanned out");
    bench.guest.sh("systemctl kill --signal KILL lotse-machine")?;
    expect_check_sum(bench, alone).context("after the agent was killed")
}

/// The card scans out again what it did before.
fn expect_check_sum(bench: &mut Bench, wanted: u32) -> Result<()> {
    let mut sum = 0;
    for _ in 0..10 {
        sum = check_sum(bench)?;
        if sum == wanted {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    bail!("{sum:#x} is scanned out, and not {wanted:#x}")
}

/// Puts the card's planes together, and compares the check sum of that with the card's; returns it.
fn expect_planes_scanned_out(bench: &mut Bench, name: &str) -> Result<u32> {
    for _ in 0..5 {
        let before = check_sum(bench)?;
        let shown = bench.guest.keep_screendump(name)?;
        if check_sum(bench)? != before {
            continue;
        }
        let sum = sum_of(&shown, widened)?;
        ensure!(sum == before, "{name}.png has the check sum {sum:#x}, but {before:#x} is shown");
        return Ok(sum);
    }
    bail!("the screen changes each time while it is read")
}

fn console_picture(bench: &mut Bench) -> Result<()> {
    load(bench, "")?;
    quiet_console(bench)?;
    bench.guest.sh("ls -la /usr/bin | head -n 40 > /dev/tty1")?;
    expect_scanned_out(bench, "console", widened)?;
    bench.guest.sh("head --bytes=16M /dev/urandom > /dev/fb0 2>/dev/null; sync /dev/fb0")?;
    let noise = expect_scanned_out(bench, "noise", widened)?;
    ensure!(noise.colours() > 10_000, "the noise is not shown");
    show(bench, "1024x768", "XR24")?;
    expect_scanned_out(bench, "program-32-bits", widened)?;
    bench.guest.sh("pkill -x modetest; sleep 2")?;
    show(bench, "1024x768", "RG16")?;
    expect_scanned_out(bench, "program-16-bits", widened_from_16_bits).map(drop)
}

/// Builds and loads the card with a parameter; the text console goes to it.
fn load(bench: &mut Bench, parameter: &str) -> Result<()> {
    let kernel = bench.guest.sh("uname -r")?;
    let module = build(kernel.trim())?;
    bench.guest.put("/tmp/vkms.ko", fs::read(module)?)?;
    bench.guest.sh(&format!(
        "modprobe drm_kms_helper; modprobe drm_shmem_helper; insmod /tmp/vkms.ko {parameter}"
    ))?;
    bench.guest.wait_for("the card", "test -c /dev/dri/card0 -a -c /dev/fb0", PATIENCE).map(drop)
}

/// The module for this kernel, from the cache or built.
fn build(kernel: &str) -> Result<PathBuf> {
    let mut numbers = kernel.split('.');
    let series =
        numbers.next().zip(numbers.next()).map(|(major, minor)| format!("{major}.{minor}"));
    let source = format!("linux-source-{}", series.context("a kernel's version")?);
    let cache = paths::cache()?.join("lab");
    let module = cache.join(format!("vkms-{kernel}.ko"));
    if module.exists() {
        return Ok(module);
    }
    let headers = format!("linux-headers-{kernel}");
    debian::ensure_installed(&[&source, &headers, "gcc", "make", "xz-utils"])?;
    say::step("building vkms; this happens once");
    let folder = paths::output("vkms");
    fs::create_dir_all(&folder)?;
    let inside = format!("{source}/drivers/gpu/drm/vkms");
    let archive = format!("/usr/src/{source}.tar.xz");
    let pattern = format!("{inside}/*");
    run(Command::new("tar").args(["-xf", &archive, "--wildcards", &pattern]), &folder)?;
    let sources = fs::canonicalize(folder.join(&inside))?;
    let mut make = Command::new("make");
    make.args(["-C", &format!("/usr/src/{headers}"), "CONFIG_DRM_VKMS=m", "modules"]);
    run(make.arg(format!("M={}", sources.display())), &folder)?;
    fs::copy(sources.join("vkms.ko"), &module)?;
    Ok(module)
}

fn run(command: &mut Command, folder: &Path) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.current_dir(folder).stdout(Stdio::null()).status();
    let status = status.with_context(|| format!("{program} can't be started"))?;
    ensure!(status.success(), "{program} failed ({status})");
    Ok(())
}

/// A program that owns the card shows its own picture, of pixels in this format.
fn show(bench: &mut Bench, size: &str, format: &str) -> Result<()> {
    let before = check_sum(bench)?;
    // It ends when its input does, which never says anything.
    let show = format!("sleep 1000 | modetest -M vkms -s Virtual-1:{size}@{format} -F smpte");
    bench.guest.spawn(&show, &format!("modetest-{format}"))?;
    for _ in 0..PATIENCE.as_secs() {
        if check_sum(bench)? != before {
            return Ok(());
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    bail!("modetest shows nothing")
}

/// What the card says of the picture that it scans out.
fn check_sum(bench: &mut Bench) -> Result<u32> {
    let said = bench.guest.sh("timeout 10 head -n 1 /sys/kernel/debug/dri/0/crtc-0/crc/data")?;
    // The number of the frame, and the sum.
    let sum = said.trim().rsplit_once("0x").map(|(_, sum)| u32::from_str_radix(sum, 16));
    sum.with_context(|| format!("no check sum: {said}"))?.context(said)
}

/// Reads the picture, and compares its check sum with the card's.
fn expect_scanned_out(
    bench: &mut Bench,
    name: &str,
    channel: fn(u8, usize) -> u16,
) -> Result<Picture> {
    for _ in 0..5 {
        let before = check_sum(bench)?;
        let is = shot(bench)?;
        if check_sum(bench)? != before {
            continue;
        }
        is.save_png(&bench.artefacts.join(format!("{name}.png")))?;
        ensure!(is.colours() > 1, "{name}.png has one colour only, which proves nothing");
        let sum = sum_of(&is, channel)?;
        ensure!(sum == before, "{name}.png has the check sum {sum:#x}, but {before:#x} is shown");
        return Ok(is);
    }
    bail!("the screen changes each time while it is read")
}

/// A channel of eight bits, red, green or blue, as the card mixes planes: in 16.
fn widened(value: u8, _: usize) -> u16 {
    u16::from(value) * 257
}

/// The same of pixels of 5, 6 and 5 bits.
fn widened_from_16_bits(value: u8, channel: usize) -> u16 {
    let bits = if channel == 1 { 6 } else { 5 };
    let (value, most) = (u32::from(value >> (8 - bits)), (1u32 << bits) - 1);
    ((value * 0xffff + most / 2) / most) as u16
}

/// The kernel's `crc32_le`, begun with 0, over pixels of opacity, red, green and blue of 16 bits each
/// (`drivers/gpu/drm/vkms/vkms_composer.c`).
fn sum_of(picture: &Picture, widen: fn(u8, usize) -> u16) -> Result<u32> {
    let mut sum = 0u32;
    let mut add = |value: u16| {
        for byte in value.to_le_bytes() {
            sum ^= u32::from(byte);
            for _ in 0..8 {
                sum = (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg());
            }
        }
    };
    for y in 0..picture.height {
        for x in 0..picture.width {
            let pixel = picture.pixel(x, y).context("a pixel")?;
            add(0xffff);
            for (channel, value) in pixel.into_iter().enumerate() {
                add(widen(value, channel));
            }
        }
    }
    Ok(sum)
}
