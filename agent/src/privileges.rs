//! Giving up privileges for good.

use anyhow::{Context as _, bail, ensure};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{User, getgid, getuid, setgid, setgroups, setresgid, setresuid, setuid};

/// The user that is taken when the configured one does not exist.
const FALLBACK: &str = "nobody";

/// Makes this process an ordinary one: another user, no groups, no capabilities, no way back,
/// not even by a set-user-ID program. If it is started without privileges it stays who it is.
///
/// The process also ends with its parent from here on.
///
/// # Errors
/// When anything of this cannot be done; the process must then not go on.
pub fn drop_privileges(user: &str) -> anyhow::Result<()> {
    prctl::set_no_new_privs().context("give up new privileges")?;
    if getuid().is_root() {
        become_user(user)?;
    }
    ensure_unprivileged()?;
    // After the change of user, which would forget it.
    prctl::set_pdeathsig(Signal::SIGKILL).context("end with the parent")?;
    Ok(())
}

fn become_user(name: &str) -> anyhow::Result<()> {
    let user = match User::from_name(name).ok().flatten() {
        Some(user) => user,
        None => {
            log::warn!("there is no user {name:?}; the network process runs as {FALLBACK}");
            User::from_name(FALLBACK)?.with_context(|| format!("there is no user {FALLBACK}"))?
        }
    };
    ensure!(!user.uid.is_root(), "the network process cannot run as root: set `user`");
    setgroups(&[]).context("leave all groups")?;
    setresgid(user.gid, user.gid, user.gid).context("change the group")?;
    setresuid(user.uid, user.uid, user.uid).context("change the user")?;
    // Belt and braces: there must be no way back.
    if setuid(nix::unistd::Uid::from_raw(0)).is_ok()
        || setgid(nix::unistd::Gid::from_raw(0)).is_ok()
    {
        bail!("privileges came back after they were given up");
    }
    log::info!("runs as {} ({}:{})", user.name, getuid(), getgid());
    Ok(())
}

/// Asks the kernel what is left.
fn ensure_unprivileged() -> anyhow::Result<()> {
    let status = std::fs::read_to_string("/proc/self/status").context("read /proc/self/status")?;
    check_status(&status, getuid().is_root())
}

/// Checks the lines of `/proc/self/status` (proc(5)) that tell of privileges.
fn check_status(status: &str, is_root: bool) -> anyhow::Result<()> {
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
            .with_context(|| format!("/proc/self/status has no {name}"))
    };
    ensure!(!is_root, "the process is still root");
    ensure!(field("NoNewPrivs")? == "1", "new privileges are not given up");
    for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
        let value = u64::from_str_radix(field(set)?, 16).context(set)?;
        ensure!(value == 0, "{set} is {value:x}: capabilities are left");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HARMLESS: &str = "NoNewPrivs:\t1\nCapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n\
                            CapEff:\t0000000000000000\nCapAmb:\t0000000000000000\n";

    #[test]
    fn accepts_only_a_process_without_any_privilege() {
        check_status(HARMLESS, false).unwrap();
        assert!(check_status(HARMLESS, true).is_err());
        for (from, to) in [
            ("NoNewPrivs:\t1", "NoNewPrivs:\t0"),
            ("CapEff:\t0000000000000000", "CapEff:\t0000000000200000"),
            ("CapPrm:\t0000000000000000", "CapPrm:\t0000000000000001"),
            ("CapAmb:", "Other:"),
        ] {
            assert!(check_status(&HARMLESS.replace(from, to), false).is_err(), "{to}");
        }
    }
}
