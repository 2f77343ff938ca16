//! The screen asked of the X server that shows it.

use anyhow::{Result, ensure};

use super::kiosk::{start_xorg, wait_for_kiosk};
use super::screen::{PROBE, shot};
use crate::lab::machine::Machine;
use crate::lab::people::PATIENCE;
use crate::lab::picture::Picture;
use crate::lab::scenario::{Bench, Case};

pub(super) const CASES: &[Case] = &[Case {
    name: "xorg-asked",
    about: "an X server asked for its picture gives what is shown, and is off while another console is in front",
    machines: &[Machine::Virtio, Machine::Vesa16],
    programs: &[PROBE],
    run: xorg_asked,
}];

fn xorg_asked(bench: &mut Bench) -> Result<()> {
    shot(bench)?;
    start_xorg(bench, "ls -la /usr/bin | head -n 20; sleep 1000")?;
    wait_for_kiosk(bench)?;
    let shown = bench.guest.still_screendump(PATIENCE)?;
    bench.guest.sh("machine_probe --screen x11:0 shot /tmp/asked.ppm")?;
    let is = Picture::from_ppm(&bench.guest.get("/tmp/asked.ppm")?)?;
    bench.expect_same("asked", &is, &shown)?;
    bench.guest.sh("chvt 1; sleep 1")?;
    let other = bench.guest.run("machine_probe --screen x11:0 shot /tmp/off.ppm", PATIENCE)?;
    let said = format!("{}{}", other.stdout, other.stderr);
    ensure!(said.contains("the screen is off"), "another console is in front, but: {said}");
    Ok(())
}
