//! A touch screen of the machine's own: a USB device of five fingers that the guest's kernel plays to itself, glued on
//! upside down. Its ranges are copied, its calibration is followed, and it is injected into.

use anyhow::{Context, Result, ensure};

use super::screen::quiet_console;
use super::session::{PROGRAMS, agree, bring_together, connect};
use crate::lab::machine::Machine;
use crate::lab::people::{PATIENCE, Session, View};
use crate::lab::scenario::{Bench, Case};

pub(super) const CASES: &[Case] = &[Case {
    name: "own-touch",
    about: "a USB touch screen, upside down: ranges copied, its fingers heard in place, injected into, let go after a crash",
    machines: &[Machine::Virtio],
    programs: PROGRAMS,
    run: own_touch,
}];

/// How the device is known, and that it is turned by half.
const RULE: &str = r#"SUBSYSTEM=="input", KERNEL=="event*", ATTRS{idVendor}=="1d6b", ATTRS{idProduct}=="0104", SYMLINK+="input/own-touch", ENV{LIBINPUT_CALIBRATION_MATRIX}="-1 0 1 0 -1 1"
"#;

/// Its largest values.
const MOST: (usize, usize) = (4095, 2303);

/// Plays the device by the kernel's USB gadget and host that are tied to each other; reads what its fingers do.
const DEVICE: &str = r#"
import os, struct, time
finger = bytes.fromhex(
    "0922 a102 050d 0942 1500 2501 7501 9501 8102 9507 8103 0951 257f 7508 9501 8102"
    "0501 0930 26ff0f 3500 460008 550e 6511 7510 9501 8102 0931 26ff08 468004 8102 c0 050d")
descriptor = bytes.fromhex("050d 0904 a101 8501") + 5 * finger + bytes.fromhex(
    "0954 1500 2505 4500 5500 6500 7508 9501 8102 8502 0955 2505 b102 c0")
base = "/sys/kernel/config/usb_gadget/own"
hid = base + "/functions/hid.usb0"
for folder in (base, base + "/configs/c.1", hid):
    os.mkdir(folder)
for path, value in (
        (base + "/idVendor", b"0x1d6b"), (base + "/idProduct", b"0x0104"), (hid + "/protocol", b"0"),
        (hid + "/subclass", b"0"), (hid + "/report_length", b"32"), (hid + "/report_desc", descriptor)):
    with open(path, "wb") as file:
        file.write(value)
os.symlink(hid, base + "/configs/c.1/hid.usb0")
with open(base + "/UDC", "w") as file:
    file.write("dummy_udc.0")
while not os.path.exists("/dev/hidg0"):
    time.sleep(0.1)
device = os.open("/dev/hidg0", os.O_RDWR)
print("ready", flush=True)
with os.fdopen(os.open("/tmp/fingers", os.O_RDWR)) as lines:
    while True:
        tip, x, y = map(int, lines.readline().split())
        report = struct.pack("<BBBHH", 1, tip, 1, x, y) + bytes(24) + b"\x01"
        os.write(device, report)
        print("done", tip, x, y, flush=True)
"#;

/// What libinput says of the devices.
const LIBINPUT: &str = "/tmp/libinput.log";

fn own_touch(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    plug_in(bench)?;
    let mut session = connect(bench, "[panel]\nidle = \"home\"\n[input]\ntouch = \"uinput\"")?;
    expect_copied(bench)?;
    bench.guest.spawn(
        &format!("exec stdbuf -oL libinput debug-events >> {LIBINPUT} 2>&1"),
        "debug-events",
    )?;
    bench.guest.wait_for(
        "libinput",
        &format!("grep 'DEVICE_ADDED.*Lotse touch' {LIBINPUT}"),
        PATIENCE,
    )?;
    expect_injected(bench, &mut session).context("a device like the own one")?;

    // The person stops the session on this device.
    session.agent.wait_view(&mut bench.guest, View::Session)?;
    let stop = session.agent.middle(&mut bench.guest, View::Session, "stop")?;
    touch(bench, stop)?;
    session.technician.expect_ended(&["stopped-at-panel"], PATIENCE)?;
    session.agent.press(&mut bench.guest, View::Message, "ok")?;

    inject_into_it(bench, &session)?;
    bring_together(bench, &mut session)?;
    agree(bench, &mut session)?;
    expect_injected(bench, &mut session).context("the own device")?;
    crash_with_a_finger(bench, &mut session)
}

fn plug_in(bench: &mut Bench) -> Result<()> {
    let guest = &mut bench.guest;
    guest.put("/etc/udev/rules.d/90-own-touch.rules", RULE)?;
    guest.put("/tmp/device.py", DEVICE)?;
    guest.sh(
        "udevadm control --reload; modprobe -a dummy_hcd libcomposite usb_f_hid; mkfifo /tmp/fingers; \
         mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config",
    )?;
    let device = guest.spawn("exec python3 /tmp/device.py", "device")?;
    guest.wait_for_job("the USB device", "grep ready /tmp/device.log", &device, PATIENCE)?;
    guest.wait_for("its node", "test -c /dev/input/own-touch", PATIENCE).map(drop)
}

/// The virtual touch screen has the ranges and the resolution of the real one.
fn expect_copied(bench: &mut Bench) -> Result<()> {
    let ask = "python3 -c \"
import evdev, sys
device = evdev.InputDevice(sys.argv[1])
for axis in (evdev.ecodes.ABS_MT_POSITION_X, evdev.ecodes.ABS_MT_POSITION_Y):
    info = device.absinfo(axis)
    print(info.min, info.max, info.resolution)
\"";
    let own = bench.guest.sh(&format!("{ask} /dev/input/own-touch"))?;
    ensure!(own.contains(&format!("0 {} ", MOST.0)), "the device is another: {own}");
    let ours = bench.guest.sh(&format!("{ask} /dev/input/by-lotse/touch"))?;
    ensure!(ours == own, "the own touch screen has {own}, but Lotse's has {ours}");
    Ok(())
}

/// Two fingers of the technician are where they should be, as libinput reads the device by its calibration.
fn expect_injected(bench: &mut Bench, session: &mut Session) -> Result<()> {
    bench.guest.sh(&format!(": > {LIBINPUT}"))?;
    // A quarter of 1280 and of 800 from the left and from above; then three.
    for (finger, x, y) in [(0, 320, 200), (1, 960, 600)] {
        session.technician.ask(&format!("finger {finger} {x} {y}"))?;
    }
    for place in ["25\\.[0-9]*/25\\.", "75\\.[0-9]*/75\\."] {
        let is_there = format!("grep -E 'TOUCH_DOWN.* {place}' {LIBINPUT}");
        bench.guest.wait_for("a finger in its place", &is_there, PATIENCE)?;
    }
    session.technician.ask("lift 0")?;
    session.technician.ask("lift 1")?;
    let are_up = format!("test $(grep -c TOUCH_UP {LIBINPUT}) -eq 2");
    bench.guest.wait_for("both fingers lifted", &are_up, PATIENCE).map(drop)
}

/// The person's finger on a pixel; the device lies upside down.
fn touch(bench: &mut Bench, (x, y): (usize, usize)) -> Result<()> {
    let screen = bench.guest.screendump()?;
    let raw =
        |at: usize, pixels: usize, most: usize| most - (2 * at + 1) * (most + 1) / (2 * pixels);
    let (x, y) = (raw(x, screen.width, MOST.0), raw(y, screen.height, MOST.1));
    for tip in [1, 0] {
        let line = format!("{tip} {x} {y}");
        bench.guest.sh(&format!("echo {line} > /tmp/fingers"))?;
        bench.guest.wait_for(
            "the report",
            &format!("grep 'done {line}' /tmp/device.log"),
            PATIENCE,
        )?;
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    Ok(())
}

/// From now on, fingers are injected into the device itself.
fn inject_into_it(bench: &mut Bench, session: &Session) -> Result<()> {
    let (file, node) = ("/etc/lotse/agent.toml", "node:/dev/input/own-touch");
    bench.guest.sh(&format!(
        "sed -i 's#^touch = .*#touch = \"{node}\"#' {file} && grep -q own-touch {file}; \
         systemctl restart lotse-machine lotse-agent; ! grep 'Lotse touch' /proc/bus/input/devices"
    ))?;
    session.agent.wait_until_open(&mut bench.guest)
}

/// The technician's finger is down when the agent is killed: it does not stay down on the device.
fn crash_with_a_finger(bench: &mut Bench, session: &mut Session) -> Result<()> {
    bench.guest.sh(&format!(": > {LIBINPUT}"))?;
    session.technician.ask("finger 0 640 400")?;
    bench.guest.wait_for("the finger", &format!("grep TOUCH_DOWN {LIBINPUT}"), PATIENCE)?;
    bench.guest.sh("systemctl kill --signal KILL lotse-machine")?;
    let is_up = format!("grep TOUCH_UP {LIBINPUT}");
    bench.guest.wait_for("the finger let go", &is_up, PATIENCE).map(drop)
}
