//! The doctor on systems that are folders.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use lotse_hal::linux::inventory::{Class, InputReport};

use super::*;

/// A folder that plays a system.
struct Board {
    folder: tempfile::TempDir,
    system: System,
}

impl Board {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let system = System::at(folder.path());
        Self { folder, system }
    }

    /// One on which everything is as it should be.
    fn good() -> Self {
        let board = Self::new();
        board.put("proc/self/status", "Name:\tx\nCapEff:\t0000000004200000\n");
        board.put("proc/sys/kernel/osrelease", "6.1.0-test\n");
        board.put("proc/sys/kernel/seccomp/actions_avail", "kill_process errno allow\n");
        board.put("sys/kernel/security/lsm", "lockdown,capability,landlock,yama\n");
        for node in ["tty0", "fb0", "uinput", "dri/card0"] {
            board.put(&format!("dev/{node}"), "");
        }
        board.put("usr/lib/udev/rules.d/70-lotse.rules", "");
        board.put("etc/passwd", "root:x:0:0::/:/bin/sh\nlotse:x:990:990::/:/bin/false\n");
        board
    }

    fn put(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn remove(&self, path: &str) {
        std::fs::remove_file(self.folder.path().join(path)).unwrap();
    }

    fn examine(&self) -> Vec<Check> {
        let mut all = checks::privileges(&self.system);
        all.extend(checks::kernel(&self.system));
        all.extend(checks::devices(&self.system));
        all.push(checks::user(&self.system, "lotse"));
        all
    }

    /// The one check that is not good.
    fn fault(&self) -> Check {
        let mut faults = self.examine();
        faults.retain(|check| check.verdict != Verdict::Good);
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.remove(0)
    }
}

#[test]
fn a_good_board_is_fit() {
    let all = Board::good().examine();
    assert!(all.iter().all(|check| check.verdict == Verdict::Good), "{all:?}");
    assert!(is_fit(&all));
}

#[test]
fn each_thing_that_is_missing_is_told_with_what_to_change() {
    for (file, about, verdict, advice) in [
        ("proc/sys/kernel/seccomp/actions_avail", "seccomp", Verdict::Missing, "CONFIG_SECCOMP"),
        ("sys/kernel/security/lsm", "landlock", Verdict::Advice, "securityfs"),
        ("dev/tty0", "virtual terminals", Verdict::Advice, "CONFIG_VT"),
        ("dev/uinput", "uinput", Verdict::Missing, "CONFIG_INPUT_UINPUT"),
        ("usr/lib/udev/rules.d/70-lotse.rules", "udev rule", Verdict::Advice, "agent/udev"),
        ("etc/passwd", "user", Verdict::Advice, "sysusers.d"),
        ("proc/self/status", "capabilities", Verdict::Missing, "root"),
    ] {
        let board = Board::good();
        board.remove(file);
        let fault = board.fault();
        assert_eq!((fault.about, fault.verdict), (about, verdict));
        assert!(fault.advice.as_ref().is_some_and(|text| text.contains(advice)), "{fault:?}");
    }
}

#[test]
fn a_module_that_is_not_loaded_is_told_from_a_kernel_without_it() {
    let board = Board::good();
    board.remove("dev/uinput");
    board.put("lib/modules/6.1.0-test/modules.dep", "kernel/drivers/input/misc/uinput.ko:\n");
    assert!(board.fault().advice.unwrap().contains("modprobe uinput"));
    board.put("lib/modules/6.1.0-test/modules.dep", "");
    board.put("lib/modules/6.1.0-test/modules.builtin", "kernel/drivers/input/misc/uinput.ko\n");
    assert!(board.fault().advice.unwrap().contains("udev"));
}

#[test]
fn a_kernel_whose_security_modules_lack_landlock_gets_advice() {
    let board = Board::good();
    board.put("sys/kernel/security/lsm", "capability,apparmor\n");
    let fault = board.fault();
    assert!(fault.found.contains("capability,apparmor") && fault.verdict == Verdict::Advice);
}

#[test]
fn a_board_without_any_display_is_not_fit() {
    let board = Board::good();
    board.remove("dev/fb0");
    board.remove("dev/dri/card0");
    assert_eq!(board.fault().about, "screen devices");
    board.put("tmp/.X11-unix/X0", "");
    assert!(is_fit(&board.examine()), "an X server may be all there is");
}

#[test]
fn capabilities_are_told_one_by_one() {
    let board = Board::good();
    board.put("proc/self/status", "CapEff:\t0000000000200000\n");
    let fault = board.fault();
    assert!(fault.found.contains("CAP_SYS_TTY_CONFIG") && !fault.found.contains("CAP_SYS_ADMIN"));
}

#[test]
fn without_a_physical_device_nobody_could_answer() {
    let device = |class, heard: Result<(), &str>| InputReport {
        path: "/dev/input/event0".into(),
        name: "Panel".to_owned(),
        class,
        x: None,
        y: None,
        fingers: 0,
        heard: heard.map_err(str::to_owned),
    };
    let verdict = |devices: &[InputReport]| checks::inputs(devices).verdict;
    assert_eq!(verdict(&[]), Verdict::Missing);
    assert_eq!(verdict(&[device(Class::Keys, Ok(()))]), Verdict::Missing, "a power button");
    assert_eq!(verdict(&[device(Class::TouchScreen, Err("it is virtual"))]), Verdict::Missing);
    assert_eq!(verdict(&[device(Class::TouchScreen, Ok(()))]), Verdict::Good);
}

#[test]
fn a_configuration_that_others_can_change_is_not_fit() {
    let board = Board::new();
    board.put("etc/lotse/agent.toml", "server = \"lotse.example\"\n");
    let path = Path::new("/etc/lotse/agent.toml");
    let file = board.folder.path().join("etc/lotse/agent.toml");
    let config = Config::load(Some(&file)).unwrap();
    let verdict = |mode| {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        checks::configuration(&board.system, path, Ok(&config)).verdict
    };
    assert_eq!(verdict(0o644), Verdict::Good);
    assert_eq!(verdict(0o666), Verdict::Missing);
    let empty = Config::default();
    let fault = checks::configuration(&board.system, path, Ok(&empty));
    assert!(fault.found.contains("no session server"), "{fault:?}");
}

#[test]
fn a_clock_that_was_never_set_is_told() {
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    assert_eq!(checks::clock(at(60)).verdict, Verdict::Advice);
    assert_eq!(checks::clock(at(1_800_000_000)).verdict, Verdict::Good);
}

#[test]
fn what_is_missing_comes_last_and_says_what_to_do() {
    let all = [
        Check::missing("b", "not there", "get one"),
        Check::good("a", "there"),
        checks::server("x", Err("refused".to_owned())),
    ];
    let text = to_text(&all);
    assert!(text.starts_with("good") && text.contains("-> get one"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&to_outline(&all).to_json()).unwrap();
    assert_eq!(json["is_fit"], false);
    assert_eq!(json["checks"][0]["verdict"], "missing");
}

#[test]
fn what_is_to_be_started_must_be_there() {
    let board = Board::good();
    let found = |text: &str| {
        let config: Config = toml::from_str(text).unwrap();
        let checks = checks::programs(&board.system, &config);
        checks.iter().map(|check| check.verdict).collect::<Vec<_>>()
    };
    assert_eq!(found(""), [], "nothing is set up");
    assert_eq!(found("[shell]\nuser = \"nobody-here\""), [Verdict::Missing]);
    let files = |user: &str, path: &str| {
        format!("[files]\nuser = {user:?}\n[files.folders.a]\npath = {path:?}\nread = true")
    };
    assert_eq!(found(&files("nobody-here", "/bin")), [Verdict::Missing]);
    assert_eq!(found(&files("lotse", "/no-such-folder")), [Verdict::Missing]);
    assert_eq!(found(&files("lotse", "bin")), [Verdict::Missing]);
    let shell = "[shell]\nuser = \"lotse\"\ncommand = [\"/bin/sh\"]\n";
    let reboot = "[maintenance]\nreboot = [\"/bin/restart\", \"now\"]";
    let both = format!("{shell}{reboot}");
    assert_eq!(found(&both), [Verdict::Missing; 2]);
    for program in ["bin/sh", "bin/restart"] {
        board.put(program, "");
    }
    assert_eq!(found(&both), [Verdict::Missing; 2], "they cannot be started");
    for program in ["bin/sh", "bin/restart"] {
        let path = board.folder.path().join(program);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    assert_eq!(found(&both), [Verdict::Good; 2]);
    assert_eq!(found(&files("lotse", "/bin")), [Verdict::Good]);
}
