//! What each of the two processes may still ask of the kernel once it works.
//!
//! Privileges say what a process may do that others may not; this says what it may do at all. Both processes keep a list
//! of system calls (`syscalls`, seccomp(2)) and of files (`files`, landlock(7)). Everything else is answered as by a
//! kernel that does not have it, so that a program which merely asks goes on. Nothing can be taken back, and what a
//! process would start would be bound, too; but neither can start one: that is the programs process's, which is confined
//! to nothing but what the configuration names.

mod files;
mod syscalls;

use std::path::Path;

use crate::config::FilesConfig;

use anyhow::Context as _;

use files::Files;
use syscalls::Purpose;

/// Confines the network process: sockets of the internet, files that name resolution and certificates need, to read.
///
/// Affects every thread there will be; there must be none besides the calling one.
///
/// # Errors
/// When the kernel has no seccomp; the process must then not go on.
pub fn confine_network() -> anyhow::Result<()> {
    Files::network().apply();
    syscalls::apply(Purpose::Network).context("limit the system calls")
}

/// Confines the machine process: its devices, no network.
///
/// `folders` are where it may write, `screen` is a file that is the screen, if one is.
///
/// # Errors
/// When the kernel has no seccomp; the process must then not go on.
pub fn confine_machine(folders: &[&Path], screen: Option<&Path>) -> anyhow::Result<()> {
    Files::machine(folders, screen).apply();
    syscalls::apply(Purpose::Machine).context("limit the system calls")
}

/// Confines the process that reads and writes files for a technician: the folders that are set up, and what reading and
/// writing takes; no sockets.
///
/// # Errors
/// When the kernel has no seccomp; the process must then not go on.
pub fn confine_files(config: &FilesConfig) -> anyhow::Result<()> {
    Files::folders(config).apply();
    syscalls::apply(Purpose::Files).context("limit the system calls")
}

/// Confines a machine process that only plays a machine: it may write files where the person who started it can, but has
/// no network either.
///
/// # Errors
/// When the kernel has no seccomp; the process must then not go on.
pub fn confine_simulation() -> anyhow::Result<()> {
    syscalls::apply(Purpose::Machine).context("limit the system calls")
}
