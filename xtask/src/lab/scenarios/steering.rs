//! Steering: what the agent's devices are to others, many fingers, locks, a display that sleeps; and what `probe` and
//! `doctor` say of the machine.

use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::screen::quiet_console;
use super::session::{PROGRAMS, connect, expect_typed, listen_on_console};
use crate::lab::machine::Machine;
use crate::lab::people::{PATIENCE, Session, View};
use crate::lab::picture::Picture;
use crate::lab::scenario::{Bench, Case};

pub(super) const CASES: &[Case] = &[Case {
    name: "steering",
    about: "probe and doctor; udev's names, libinput's classes, ten fingers, Caps Lock, a display woken by what presses nothing",
    machines: &[Machine::Virtio, Machine::Bochs, Machine::Vesa],
    programs: PROGRAMS,
    run: steering,
}];

/// What libinput says of devices and events.
const LIBINPUT: &str = "/tmp/libinput.log";

fn steering(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    bench.guest.sh("ls -la /usr/bin | head -n 30 > /dev/tty1")?;
    let mut session = connect(bench, "[panel]\nidle = \"home\"")?;
    probed(bench).context("probe")?;
    doctored(bench).context("doctor")?;
    classified(bench).context("classes")?;
    ten_fingers(bench, &mut session).context("ten fingers")?;
    caps_lock(bench, &mut session).context("Caps Lock")?;
    woken(bench, &mut session).context("waking")?;
    called(bench, &session).context("the key that calls the panel")
}

/// What the agent finds is what the lab put there, and its screenshot is what is shown.
fn probed(bench: &mut Bench) -> Result<()> {
    let shown = bench.guest.still_screendump(PATIENCE)?;
    bench.guest.sh("lotse-agent probe --screenshot /tmp/probe.png > /tmp/probe.log")?;
    let file = bench.artefacts.join("probe-read.png");
    std::fs::write(&file, bench.guest.get("/tmp/probe.png")?)?;
    bench.expect_same("probe", &Picture::from_png(&file)?, &shown)?;
    let json: Value = serde_json::from_str(&bench.guest.sh("lotse-agent probe --json")?)?;
    let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let size = format!("{}x{}", shown.width, shown.height);
    ensure!(text("/screen/size") == size, "the screen is {size}, but: {json}");
    ensure!(!text("/screen/chosen").is_empty() && text("/screen/state") == "shown", "{json}");
    let empty = Vec::new();
    let list = |pointer: &str| json.pointer(pointer).and_then(Value::as_array).unwrap_or(&empty);
    let inputs = list("/input_devices");
    let heard = |device: &&Value| device.get("heard").and_then(Value::as_str) == Some("yes");
    ensure!(inputs.iter().any(|device| heard(&device)), "no device is heard: {json}");
    let ours = |device: &&Value| {
        let text = |key: &str| device.get(key).and_then(Value::as_str).unwrap_or_default();
        text("name") == "Lotse touch" && text("class") == "touch screen" && text("heard") != "yes"
    };
    ensure!(inputs.iter().any(|device| ours(&device)), "our touch screen is not told: {json}");
    ensure!(!list("/frame_buffers").is_empty(), "no frame buffer: {json}");
    if bench.guest.run("test -e /dev/dri/card0", PATIENCE)?.status == 0 {
        let planes = list("/cards/0/planes");
        let primary = |plane: &&Value| plane.get("kind").and_then(Value::as_str) == Some("primary");
        ensure!(planes.iter().any(|plane| primary(&plane)), "no primary plane: {json}");
    }
    Ok(())
}

/// All is well; then something is not, and that is said.
fn doctored(bench: &mut Bench) -> Result<()> {
    let guest = &mut bench.guest;
    let well = guest.run("lotse-agent doctor", PATIENCE)?;
    ensure!(well.status == 0, "not fit: {}{}", well.stdout, well.stderr);
    for part in ["uinput", "server", "screen", "panel", "local input"] {
        let is_good = |line: &str| line.starts_with("good") && line.contains(part);
        ensure!(well.stdout.lines().any(is_good), "{part} is not good: {}", well.stdout);
    }
    guest.sh("chmod o+w /etc/lotse/agent.toml; sed -i 's/:[0-9]*#/:9#/' /etc/lotse/agent.toml")?;
    let ill = guest.run("lotse-agent doctor", PATIENCE)?;
    ensure!(ill.status == 1, "fit all the same: {}", ill.stdout);
    ensure!(ill.stdout.contains("chmod go-w") && ill.stdout.contains("firewall"), "{}", ill.stdout);
    let alone = guest
        .run("setpriv --reuid=nobody --clear-groups lotse-agent doctor --offline", PATIENCE)?;
    ensure!(alone.status == 1 && alone.stdout.contains("as root"), "as nobody: {}", alone.stdout);
    Ok(())
}

fn classified(bench: &mut Bench) -> Result<()> {
    let guest = &mut bench.guest;
    guest.sh(
        "ls -l /dev/input/by-lotse/touch /dev/input/by-lotse/pointer /dev/input/by-lotse/keyboard",
    )?;
    guest.spawn(
        &format!("exec stdbuf -oL libinput debug-events --show-keycodes > {LIBINPUT} 2>&1"),
        "debug-events",
    )?;
    for (device, class) in [("touch", "t"), ("pointer", "p"), ("keyboard", "k")] {
        let line = format!("grep -E 'DEVICE_ADDED +Lotse {device} .* cap:{class}( |$)' {LIBINPUT}");
        guest.wait_for(&format!("Lotse {device} as cap:{class}"), &line, PATIENCE)?;
    }
    Ok(())
}

/// How many lines libinput has said of a kind of event.
fn count(bench: &mut Bench, event: &str) -> Result<usize> {
    let said = bench.guest.sh(&format!("grep -c {event} {LIBINPUT} || true"))?;
    said.trim().parse().with_context(|| format!("a count: {said}"))
}

fn ten_fingers(bench: &mut Bench, session: &mut Session) -> Result<()> {
    for finger in 0..10 {
        let (x, y) = (100 + 55 * finger, 200 + 20 * finger);
        session.technician.ask(&format!("finger {finger} {x} {y}"))?;
    }
    // The number in brackets is the seat's slot: ten different ones are down at once.
    let down = format!(
        "test $(grep TOUCH_DOWN {LIBINPUT} | grep -oE '[0-9]+ \\([0-9]+\\)' | sort -u | wc -l) -eq 10"
    );
    bench.guest.wait_for("ten fingers", &down, PATIENCE)?;
    ensure!(count(bench, "TOUCH_UP")? == 0, "a finger was lifted");
    for finger in 0..10 {
        session.technician.ask(&format!("finger {finger} {} 400", 120 + 55 * finger))?;
    }
    for finger in 0..10 {
        session.technician.ask(&format!("lift {finger}"))?;
    }
    let up = format!("test $(grep -c TOUCH_UP {LIBINPUT}) -eq 10");
    bench.guest.wait_for("ten fingers lifted", &up, PATIENCE)?;
    ensure!(count(bench, "TOUCH_MOTION")? >= 10, "no finger moved");
    session.technician.ask("pinch 400 300 40 200")?;
    let up = format!("test $(grep -c TOUCH_UP {LIBINPUT}) -eq 12");
    bench.guest.wait_for("the end of the pinch", &up, PATIENCE)?;
    ensure!(count(bench, "TOUCH_DOWN")? == 12, "a pinch is of two fingers");
    Ok(())
}

fn caps_lock(bench: &mut Bench, session: &mut Session) -> Result<()> {
    const LAMPS: &str = "cat /sys/class/leds/*capslock/brightness | sort -u";
    listen_on_console(bench)?;
    bench.guest.press(&["caps_lock"])?;
    bench.guest.wait_for("the lamps", &format!("test \"$({LAMPS})\" = 1"), PATIENCE)?;
    session.technician.wait_for_the_person()?;
    session.technician.ask("type Hello World 42")?;
    session.technician.ask("key Enter")?;
    expect_typed(bench, "Hello World 42")?;
    bench.guest.wait_for("the lamps again", &format!("test \"$({LAMPS})\" = 1"), PATIENCE)?;
    bench.guest.press(&["caps_lock"])?;
    bench.guest.wait_for("the lamps off", &format!("test \"$({LAMPS})\" = 0"), PATIENCE)?;
    session.technician.wait_for_the_person()
}

/// A display that sleeps is told as off where that can be known; a touch then wakes it, and nothing else.
fn woken(bench: &mut Bench, session: &mut Session) -> Result<()> {
    let is_told = bench.guest.run("test -e /dev/dri/card0", PATIENCE)?.status == 0;
    if !is_told {
        // A frame buffer does not say that it is blanked.
        return Ok(());
    }
    let (down, keys) = (count(bench, "TOUCH_DOWN")?, count(bench, "KEYBOARD_KEY")?);
    bench.guest.sh("echo 4 > /sys/class/graphics/fb0/blank")?;
    wait_screen(session, "off")?;
    session.technician.ask("tap 400 300")?;
    wait_screen(session, "shown")?;
    bench.guest.sh("grep On /sys/class/drm/card0-*/dpms")?;
    // What would have been pressed would have been heard by now.
    thread::sleep(Duration::from_secs(1));
    ensure!(
        count(bench, "TOUCH_DOWN")? == down,
        "the touch that woke the display pressed something"
    );
    ensure!(count(bench, "KEYBOARD_KEY")? == keys, "a key was pressed to wake the display");
    session.technician.ask("tap 400 300")?;
    let heard = format!("test $(grep -c TOUCH_DOWN {LIBINPUT}) -gt {down}");
    bench.guest.wait_for("a touch on the display that is awake", &heard, PATIENCE).map(drop)
}

/// In a session, the key shows who is connected, and Stop; and no program but the agent hears it, where the keyboard has
/// a keymap that can be changed.
fn called(bench: &mut Bench, session: &Session) -> Result<()> {
    bench.guest.press(&["f12"])?;
    session.agent.wait_view(&mut bench.guest, View::Details)?;
    bench.guest.keep_screendump("details")?;
    session.agent.press(&mut bench.guest, View::Details, "close")?;
    session.agent.wait_view(&mut bench.guest, View::Session)?;
    let heard = count(bench, "KEY_F12")?;
    let is_virtual =
        bench.guest.run("grep 'QEMU Virtio Keyboard' /proc/bus/input/devices", PATIENCE)?;
    // The keyboard that is emulated for this kind of machine has no keymap.
    ensure!(heard == 0 || is_virtual.status == 0, "others hear the key, too: {heard} times");
    Ok(())
}

/// Waits until the console says this of the panel's screen.
fn wait_screen(session: &mut Session, state: &str) -> Result<()> {
    for _ in 0..120 {
        let status = session.technician.ask("status")?;
        if status.get("screen").and_then(Value::as_str) == Some(state) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(500));
    }
    anyhow::bail!("the console never says that the screen is {state}")
}
