//! Whatever descends from this process, found in `/proc` and ended.
//!
//! A shell puts its jobs into groups of their own, and a program can leave its session; but since
//! this process is a subreaper (prctl(2)) nobody ceases to be its descendant: whoever loses its
//! parent becomes a child of this process.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid};

/// Programs that are told to hang up have so long for it.
const HANGUP: Duration = Duration::from_millis(500);

/// Programs that are killed are waited for so long; one that the kernel holds may take longer.
const KILLED: Duration = Duration::from_secs(2);

/// How often it is looked who is still there.
const LOOK: Duration = Duration::from_millis(10);

/// Tells the children to hang up (a shell tells its jobs), and kills who does not, then whoever is
/// left without a parent by that, and so on. One child may be spared. Returns when there are none any more, or the kernel
/// does not let go of them.
pub(super) fn end_all(spared: Option<Pid>) {
    let began = Instant::now();
    for pid in children(spared) {
        // A stopped one hears nothing else before it continues.
        for signal in [Signal::SIGHUP, Signal::SIGCONT] {
            kill(pid, signal).ok();
        }
    }
    loop {
        reap_all();
        let left = children(spared);
        let passed = began.elapsed();
        if left.is_empty() {
            return;
        }
        if passed >= HANGUP {
            for pid in left.iter() {
                kill(*pid, Signal::SIGKILL).ok();
            }
        }
        if passed >= HANGUP + KILLED {
            log::error!("{} programs of the terminal do not end", left.len());
            return;
        }
        std::thread::sleep(LOOK);
    }
}

fn reap_all() {
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        if status == WaitStatus::StillAlive {
            return;
        }
    }
}

/// The children of this process but one. None of their numbers is another's before this process has
/// reaped it, so that nobody else can be hit.
fn children(spared: Option<Pid>) -> Vec<Pid> {
    let own = getpid().as_raw();
    let all = processes().into_iter().filter(|(_, parent)| *parent == own);
    let all = all.map(|(pid, _)| Pid::from_raw(pid));
    all.filter(|pid| Some(*pid) != spared).collect()
}

/// All processes with their parents.
fn processes() -> Vec<(i32, i32)> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
            Some((pid, parent_in(&stat)?))
        })
        .collect()
}

/// The parent in a line of `/proc/PID/stat` (proc(5)): the second field behind the name, which is
/// in parentheses and may have anything in it.
fn parent_in(stat: &str) -> Option<i32> {
    let (_, behind) = stat.rsplit_once(')')?;
    behind.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_found_behind_any_name() {
        assert_eq!(parent_in("12 (a ) b) 7) S 34 12 12 0"), Some(34));
        assert_eq!(parent_in("12 (a"), None);
    }
}
