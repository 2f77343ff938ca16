//! What the agent's two processes may do, as the kernel sees it.

use nix::unistd::{Pid, Uid, getuid};

use crate::harness::System;

/// `CAP_DAC_OVERRIDE`, `CAP_SYS_ADMIN` and `CAP_SYS_TTY_CONFIG` (`linux/capability.h`).
const MACHINE_CAPABILITIES: u64 = 1 << 1 | 1 << 21 | 1 << 26;

/// A line of `/proc/PID/status` (proc(5)).
fn status(process: Pid, name: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.unwrap_or_else(|| panic!("no {name} in {text}")).trim().to_owned()
}

fn capabilities(process: Pid) -> Vec<u64> {
    ["CapInh", "CapPrm", "CapEff", "CapAmb"]
        .map(|set| u64::from_str_radix(&status(process, set), 16).unwrap())
        .to_vec()
}

/// In a session, when everything that they do has been done.
#[test]
fn both_processes_are_confined_to_their_work() {
    let mut system = System::start();
    system.connect();
    let network = system.kiosk.process("network");
    let machine = system.kiosk.process("machine");
    for process in [network, machine] {
        assert_eq!(status(process, "NoNewPrivs"), "1");
        // SECCOMP_MODE_FILTER
        assert_eq!(status(process, "Seccomp"), "2");
    }
    assert_eq!(capabilities(network), [0; 4]);
    if !getuid().is_root() {
        // Then there was nothing else to give up.
        return;
    }
    assert_eq!(status(network, "Groups"), "");
    let users = status(network, "Uid");
    let is_root = |id: &str| id.parse() == Ok(Uid::from_raw(0).as_raw());
    assert!(!users.split_whitespace().any(is_root), "{users}");
    for set in capabilities(machine) {
        assert_eq!(set & !MACHINE_CAPABILITIES, 0, "{set:x}");
    }
    let bounding = u64::from_str_radix(&status(machine, "CapBnd"), 16).unwrap();
    assert_eq!(bounding & !MACHINE_CAPABILITIES, 0, "{bounding:x}");
}
