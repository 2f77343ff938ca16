//! Becoming the program in a terminal: another user, a session of its own, this terminal.
//!
//! Started anew for each terminal with the terminal as its three descriptors, so that all of this
//! is done in a process that does nothing else and ends by becoming the shell.

use std::ffi::CString;
use std::fs::OpenOptions;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use nix::sys::prctl;
use nix::unistd::{User, getuid, initgroups, setresgid, setresuid, setsid};

use crate::config::ShellConfig;

/// What the shell finds its programs by, unless its own settings say otherwise.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The terminal that the console shows.
const TERM: &str = "xterm-256color";

/// Becomes the shell that is configured. Returns only if it cannot.
///
/// # Errors
/// Says what could not be done.
pub fn become_shell(shell: &ShellConfig) -> anyhow::Result<()> {
    let user = User::from_name(&shell.user)?;
    let user = user.with_context(|| format!("shell.user: there is no user {:?}", shell.user))?;
    setsid().context("begin a session")?;
    // Whoever leads a session without a terminal gets the first one that it opens (tty(4)).
    let terminal = std::fs::read_link("/proc/self/fd/0").context("find the terminal")?;
    let opened = OpenOptions::new().read(true).write(true).open(&terminal);
    drop(opened.with_context(|| format!("take {}", terminal.display()))?);
    if !shell.may_gain_privileges {
        prctl::set_no_new_privs().context("give up new privileges")?;
    }
    become_user(&user, Some(&terminal))?;
    let (program, arguments) = shell.command.split_first().context("shell.command is empty")?;
    let home = if user.dir.is_dir() { user.dir.clone() } else { PathBuf::from("/") };
    let error = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs([("TERM", TERM), ("PATH", PATH), ("SHELL", program.as_str())])
        .envs([("USER", user.name.as_str()), ("LOGNAME", user.name.as_str())])
        .envs(std::env::var("LANG").map(|language| ("LANG", language)))
        .env("HOME", &home)
        .current_dir(&home)
        .exec();
    Err(error).with_context(|| format!("start {program}"))
}

/// Becomes the user of this name, an ordinary one.
///
/// # Errors
/// When there is none, or this process cannot become it.
pub fn become_user_named(name: &str) -> anyhow::Result<()> {
    let user = User::from_name(name)?.with_context(|| format!("there is no user {name:?}"))?;
    become_user(&user, None)
}

fn become_user(user: &User, terminal: Option<&Path>) -> anyhow::Result<()> {
    if !getuid().is_root() {
        ensure!(getuid() == user.uid, "only root can become {:?}", user.name);
        return Ok(());
    }
    // As login does, so that programs can open their terminal by its name.
    if let Some(terminal) = terminal
        && let Err(error) = nix::unistd::chown(terminal, Some(user.uid), None)
    {
        log::debug!("{}: {error}", terminal.display());
    }
    let name = CString::new(user.name.as_str()).context("the user's name")?;
    initgroups(&name, user.gid).context("change the groups")?;
    setresgid(user.gid, user.gid, user.gid).context("change the group")?;
    setresuid(user.uid, user.uid, user.uid).context("change the user")
}
