//! What runs on the machine, and the machine itself, are restarted by the technician, by systemd, and the session goes on.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::screen::quiet_console;
use super::session::{PROGRAMS, agree, bring_together, expect_seen_as_shown, prepare_asking};
use crate::lab::machine::Machine;
use crate::lab::people::View;
use crate::lab::scenario::{Bench, Case};

pub(super) const CASES: &[Case] = &[Case {
    name: "reboot-returns",
    about: "the application is restarted, then the machine, which comes back into the session without a question",
    machines: &[Machine::Virtio],
    programs: PROGRAMS,
    run: reboot_returns,
}];

/// As an integrator would write it.
const SETTINGS: &str = r#"[policy]
reboot = "allow"
[maintenance]
application = ["/usr/bin/systemctl", "restart", "kiosk.service"]
reboot = ["/usr/bin/systemctl", "reboot"]"#;

/// Stands for a kiosk's application: only that it is another one after a restart counts.
const KIOSK: &str =
    "[Service]\nExecStart=/usr/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n";

const MAIN_PID: &str = "systemctl show --property MainPID --value kiosk";

const BOOT_ID: &str = "cat /proc/sys/kernel/random/boot_id";

fn reboot_returns(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    bench.guest.put("/etc/systemd/system/kiosk.service", KIOSK)?;
    let mut session = prepare_asking(bench, SETTINGS, "view,control,reboot")?;
    bench.guest.sh(
        "systemctl enable --now lotse-programs kiosk && systemctl enable lotse-machine lotse-agent",
    )?;
    bring_together(bench, &mut session)?;
    agree(bench, &mut session)?;

    let before = bench.guest.sh(MAIN_PID)?;
    session.technician.ask("restart application")?;
    session.technician.ask("wait-restarted 60")?;
    let after = bench.guest.sh(MAIN_PID)?;
    ensure!(after.trim() != "0" && after != before, "the application is still {before}");

    let boot = bench.guest.sh(BOOT_ID)?;
    bench.guest.let_reboot()?;
    session.technician.ask("restart machine")?;
    bench.guest.keep_screendump("coming")?;
    session.technician.ask("wait-restarted 300")?;
    bench.guest.wait_for_boot()?;
    ensure!(bench.guest.sh(BOOT_ID)? != boot, "the machine did not boot again");
    expect_session_goes_on(bench, &mut session)
}

/// The panel has the sign, the technician sees and steers, and nothing is left that would let anybody in again.
fn expect_session_goes_on(
    bench: &mut Bench,
    session: &mut crate::lab::people::Session,
) -> Result<()> {
    session.agent.wait_view(&mut bench.guest, View::Session).context("after the restart")?;
    bench.guest.keep_screendump("returned")?;
    quiet_console(bench)?;
    session.technician.ask("wait-picture 60")?;
    expect_seen_as_shown(bench, session, "returned")?;
    session.technician.ask("press A")?;
    bench.guest.wait_for(
        "the technician's key",
        super::faults::IS_DOWN,
        Duration::from_secs(20),
    )?;
    session.technician.ask("release A")?;
    bench.guest.sh("! test -e /var/lib/lotse/return").context("the ticket is still there")?;
    Ok(())
}
