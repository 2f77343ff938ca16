//! Giving up privileges for good.

use anyhow::{Context as _, bail, ensure};
use caps::{CapSet, Capability, CapsHashSet};
use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{User, getgid, getppid, getuid, setgid, setgroups, setresgid, setresuid, setuid};

/// The user that is taken when the configured one does not exist.
const FALLBACK: &str = "nobody";

/// All that the machine process needs of root's power: to read a scan-out (`DRM_IOCTL_MODE_GETFB2`), to have a
/// terminal of its own for the panel, and to reach the compositor of whoever has the screen, in that user's own folder.
const MACHINE_CAPABILITIES: [Capability; 3] =
    [Capability::CAP_SYS_ADMIN, Capability::CAP_SYS_TTY_CONFIG, Capability::CAP_DAC_OVERRIDE];

/// Gives up all capabilities but those that reading screens and showing the panel need, for good. A process without
/// privileges has nothing to give up.
///
/// # Errors
/// When that cannot be done; the process must then not go on.
pub fn keep_machine_privileges() -> anyhow::Result<()> {
    prctl::set_no_new_privs().context("give up new privileges")?;
    hide_memory()?;
    if !getuid().is_root() {
        return Ok(());
    }
    let bounding = caps::read(None, CapSet::Bounding).context("read the capabilities")?;
    for capability in bounding.iter().filter(|held| !MACHINE_CAPABILITIES.contains(held)) {
        caps::drop(None, CapSet::Bounding, *capability).context("give up capabilities")?;
    }
    let permitted = caps::read(None, CapSet::Permitted).context("read the capabilities")?;
    let kept: CapsHashSet =
        MACHINE_CAPABILITIES.into_iter().filter(|kept| permitted.contains(kept)).collect();
    caps::clear(None, CapSet::Inheritable).context("give up capabilities")?;
    for set in [CapSet::Effective, CapSet::Permitted] {
        caps::set(None, set, &kept).context("give up capabilities")?;
    }
    Ok(())
}

/// Keeps what this process knows (pictures, keys) out of core dumps and away from debuggers.
///
/// # Errors
/// When the kernel does not; the process must then not go on.
fn hide_memory() -> anyhow::Result<()> {
    prctl::set_dumpable(false).context("forbid core dumps")
}

/// Has the kernel send `signal` when `parent` ends, which must be this process's parent.
///
/// # Errors
/// When it has ended already.
pub fn end_with(parent: u32, signal: Signal) -> anyhow::Result<()> {
    prctl::set_pdeathsig(signal).context("end with the parent")?;
    // It may have ended before the kernel knew.
    ensure!(
        getppid().as_raw().cast_unsigned() == parent,
        "process {parent}, which started this one, has ended"
    );
    Ok(())
}

/// The user that the network process runs as: the one of this name, else `nobody`.
///
/// # Errors
/// When there is neither, or it is root.
pub fn network_user(name: &str) -> anyhow::Result<User> {
    let user = match User::from_name(name).ok().flatten() {
        Some(user) => user,
        None => User::from_name(FALLBACK)?
            .with_context(|| format!("there is neither a user {name} nor {FALLBACK}"))?,
    };
    ensure!(!user.uid.is_root(), "the network process cannot run as root: set `user`");
    Ok(user)
}

/// Makes this process an ordinary one: another user, no groups, no capabilities, no way back,
/// not even by a set-user-ID program. If it is started without privileges it stays who it is.
///
/// # Errors
/// When anything of this cannot be done; the process must then not go on.
pub fn drop_privileges(user: &str) -> anyhow::Result<()> {
    prctl::set_no_new_privs().context("give up new privileges")?;
    if getuid().is_root() {
        let found = network_user(user)?;
        if found.name != user {
            log::warn!("there is no user {user:?}; the network process runs as {}", found.name);
        }
        become_user(&found)?;
    }
    // After the change of user, which would undo or redo it.
    hide_memory()?;
    ensure_unprivileged()
}

fn become_user(user: &User) -> anyhow::Result<()> {
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
