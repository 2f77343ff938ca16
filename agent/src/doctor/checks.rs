//! What is looked at, one function for each kind of thing.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use lotse_hal::linux::inventory::{Class, InputReport};
use lotse_hal::{ScreenInfo, Size};

use super::{Check, System, is_permission};
use crate::config::{Config, FilesConfig, MaintenanceConfig, ShellConfig};

/// Capabilities that the machine process needs, by their bits (`linux/capability.h`), and what
/// for.
const CAPABILITIES: [(u32, &str, &str); 2] = [
    (21, "CAP_SYS_ADMIN", "to read what a graphics card shows"),
    (26, "CAP_SYS_TTY_CONFIG", "to show the panel on a terminal of its own"),
];

/// No clock that was ever set is before this: 2026-01-01.
const EARLIEST: Duration = Duration::from_secs(1_767_225_600);

/// Where udev looks for rules.
const RULE_FOLDERS: [&str; 3] = ["/etc/udev/rules.d", "/usr/lib/udev/rules.d", "/lib/udev/rules.d"];

/// The rule that gives our devices names that stay.
const RULES: &str = "70-lotse.rules";

/// What this process may do.
pub(super) fn privileges(system: &System) -> Vec<Check> {
    let status = system.text("/proc/self/status");
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .unwrap_or("")
            .trim()
    };
    let held = u64::from_str_radix(field("CapEff"), 16).unwrap_or(0);
    let lacking: Vec<String> = CAPABILITIES
        .iter()
        .filter(|(bit, ..)| held >> bit & 1 == 0)
        .map(|(_, name, what_for)| format!("{name} ({what_for})"))
        .collect();
    vec![if lacking.is_empty() {
        Check::good("capabilities", "CAP_SYS_ADMIN and CAP_SYS_TTY_CONFIG are held")
    } else {
        Check::missing(
            "capabilities",
            format!("lacking {}", lacking.join(", ")),
            "run this as root, as the service lotse-machine does; in a container, give it these",
        )
    }]
}

/// What the kernel can do.
pub(super) fn kernel(system: &System) -> Vec<Check> {
    let seccomp = if system.has("/proc/sys/kernel/seccomp/actions_avail") {
        Check::good("seccomp", "system calls can be limited")
    } else {
        Check::missing(
            "seccomp",
            "system calls cannot be limited; the agent does not start without that",
            "build the kernel with CONFIG_SECCOMP_FILTER=y",
        )
    };
    let modules = system.text("/sys/kernel/security/lsm");
    let landlock = if modules.split(',').any(|module| module.trim() == "landlock") {
        Check::good("landlock", "files can be limited")
    } else if modules.is_empty() {
        Check::advice(
            "landlock",
            "it cannot be told whether files can be limited",
            "mount securityfs at /sys/kernel/security to know",
        )
    } else {
        Check::advice(
            "landlock",
            format!("files cannot be limited (security modules: {})", modules.trim()),
            "build the kernel with CONFIG_SECURITY_LANDLOCK=y, and name landlock in CONFIG_LSM or \
             on its command line (lsm=landlock,...)",
        )
    };
    let terminals = if system.has("/dev/tty0") {
        Check::good("virtual terminals", "the panel can have one of its own")
    } else {
        Check::advice(
            "virtual terminals",
            "there are none: the panel cannot take a terminal of its own",
            "build the kernel with CONFIG_VT=y, unless the panel is shown in another way \
             (lotse-agent probe says which)",
        )
    };
    vec![seccomp, landlock, terminals]
}

/// The nodes that the machine process opens.
pub(super) fn devices(system: &System) -> Vec<Check> {
    vec![screens(system), uinput(system), rules(system)]
}

fn screens(system: &System) -> Check {
    let about = "screen devices";
    let cards = system.names("/dev/dri", "card").into_iter().map(|name| format!("/dev/dri/{name}"));
    let buffers = system.names("/dev", "fb").into_iter().map(|name| format!("/dev/{name}"));
    let nodes: Vec<String> = cards.chain(buffers).collect();
    if nodes.is_empty() && system.names("/tmp/.X11-unix", "X").is_empty() {
        return Check::missing(
            about,
            "there is no graphics card, no frame buffer and no X server",
            "build the kernel with the display's driver (CONFIG_DRM and the driver's own option, \
             or CONFIG_FB), and load it before the agent",
        );
    }
    for node in &nodes {
        if let Err(error) = system.open(node, false) {
            let advice = "run this as root; in a container, pass the device on";
            return Check::missing(about, format!("{node}: {error}"), advice);
        }
    }
    Check::good(about, if nodes.is_empty() { "an X server".to_owned() } else { nodes.join(", ") })
}

fn uinput(system: &System) -> Check {
    let about = "uinput";
    if system.has("/dev/uinput") {
        return match system.open("/dev/uinput", true) {
            Ok(()) => Check::good(about, "virtual input devices can be made"),
            Err(error) if error.raw_os_error() == Some(nix::libc::ENODEV) => absent(system),
            Err(error) => Check::missing(
                about,
                format!("/dev/uinput: {error}"),
                "run this as root; in a container, pass the device on",
            ),
        };
    }
    absent(system)
}

/// What to do where virtual devices cannot be made.
fn absent(system: &System) -> Check {
    let release = system.text("/proc/sys/kernel/osrelease");
    let folder = format!("/lib/modules/{}", release.trim());
    let has = |file: &str| system.text(&format!("{folder}/{file}")).contains("/uinput.ko");
    let advice = if has("modules.dep") {
        "load the module: modprobe uinput now, and modules-load.d/lotse.conf at every start"
    } else if has("modules.builtin") {
        "the kernel has it: let udev or mdev make the node (misc device, major 10, minor 223)"
    } else {
        "build the kernel with CONFIG_INPUT_UINPUT; or name existing devices to write into: \
         input.touch = \"node:/dev/input/eventN\" in the configuration"
    };
    Check::missing("uinput", "virtual input devices cannot be made", advice)
}

fn rules(system: &System) -> Check {
    let about = "udev rule";
    let found = RULE_FOLDERS.iter().find(|folder| system.has(&format!("{folder}/{RULES}")));
    match found {
        Some(folder) => Check::good(about, format!("{folder}/{RULES}")),
        None => Check::advice(
            about,
            "the agent's input devices have no names that stay",
            format!(
                "install agent/udev/{RULES} in /etc/udev/rules.d, if a program names its devices"
            ),
        ),
    }
}

/// Whether there is anything by which a person can answer.
pub(super) fn inputs(found: &[InputReport]) -> Check {
    let about = "local input";
    let useful = |device: &&InputReport| {
        device.heard.is_ok()
            && matches!(device.class, Class::TouchScreen | Class::AbsolutePointer | Class::Keyboard)
    };
    let heard: Vec<String> = found
        .iter()
        .filter(useful)
        .map(|device| format!("{} ({})", device.name, device.class.name()))
        .collect();
    if !heard.is_empty() {
        return Check::good(about, heard.join(", "));
    }
    let reasons: Vec<String> = found
        .iter()
        .filter_map(|device| Some(format!("{}: {}", device.name, device.heard.as_ref().err()?)))
        .collect();
    let found =
        if reasons.is_empty() { "there is no device".to_owned() } else { reasons.join("; ") };
    Check::missing(
        about,
        format!("no touch screen and no keyboard on which a person could answer; {found}"),
        "connect one, or load its driver (CONFIG_INPUT_EVDEV and the touch controller's own option)",
    )
}

/// The configuration file.
pub(super) fn configuration(
    system: &System,
    path: &Path,
    loaded: Result<&Config, &anyhow::Error>,
) -> Check {
    let about = "configuration";
    let name = path.display();
    let file = system.path(&path.to_string_lossy());
    match loaded.map(Config::check) {
        Err(error) => Check::missing(about, format!("{error:#}"), "correct the file"),
        Ok(Err(error)) => Check::missing(
            about,
            format!("{error:#}"),
            format!("correct {name}; lotse-agent --print-config shows every setting"),
        ),
        Ok(Ok(_)) => match std::fs::metadata(file) {
            Ok(meta) if meta.permissions().mode() & 0o022 != 0 => Check::missing(
                about,
                format!("{name} can be changed by others than its owner"),
                format!("chmod go-w {name}: it says who may help here"),
            ),
            Ok(_) => Check::good(about, name.to_string()),
            Err(_) => Check::good(about, format!("no {name}: the defaults, and the command line")),
        },
    }
}

/// The user of the process that talks to the network.
pub(super) fn user(system: &System, user: &str) -> Check {
    let about = "user";
    let users = system.text("/etc/passwd");
    let names = users.lines().filter_map(|line| line.split(':').next());
    if names.into_iter().any(|name| name == user) {
        return Check::good(about, format!("{user:?} exists"));
    }
    Check::advice(
        about,
        format!("there is no user {user:?}; the process that talks to the network runs as nobody"),
        "install sysusers.d/lotse.conf, or make the user",
    )
}

/// What is set up to be started for a technician, if anything is.
pub(super) fn programs(system: &System, config: &Config) -> Vec<Check> {
    let mut all = Vec::new();
    let ShellConfig { user, command, .. } = &config.shell;
    if !user.is_empty() {
        all.push(if has_user(system, user) {
            startable(system, "terminal", command)
        } else {
            let advice = "make the user, or correct shell.user";
            Check::missing("terminal", format!("there is no user {user:?}"), advice)
        });
    }
    all.extend(files(system, &config.files));
    let MaintenanceConfig { application, reboot } = &config.maintenance;
    for (about, command) in [("restart of the application", application), ("reboot", reboot)] {
        if !command.is_empty() {
            all.push(startable(system, about, command));
        }
    }
    all
}

fn has_user(system: &System, user: &str) -> bool {
    system.text("/etc/passwd").lines().any(|line| line.split(':').next() == Some(user))
}

/// Whether the user and the folders are there whose files a technician may read and write.
fn files(system: &System, config: &FilesConfig) -> Vec<Check> {
    let about = "files";
    match config.check() {
        Ok(None) => return Vec::new(),
        Err(error) => {
            let advice = "correct [files] in the configuration";
            return vec![Check::missing(about, format!("{error:#}"), advice)];
        }
        Ok(Some(_)) => {}
    }
    if !has_user(system, &config.user) {
        let advice = "make the user, or correct files.user";
        return vec![Check::missing(about, format!("there is no user {:?}", config.user), advice)];
    }
    let folders = config.folders.iter().map(|(name, folder)| {
        let path = folder.path.display();
        if std::fs::metadata(system.path(folder.path.to_str().unwrap_or("")))
            .is_ok_and(|meta| meta.is_dir())
        {
            Check::good(about, format!("{name}: {path}"))
        } else {
            let advice = "make it, or correct [files] in the configuration";
            Check::missing(about, format!("{name}: there is no folder {path}"), advice)
        }
    });
    folders.collect()
}

/// Whether the program of a command is there and can be started.
fn startable(system: &System, about: &'static str, command: &[String]) -> Check {
    let program = command.first().map_or("", String::as_str);
    let mode = std::fs::metadata(system.path(program)).map(|meta| meta.permissions().mode());
    match mode {
        Ok(mode) if mode & 0o111 != 0 => Check::good(about, program),
        _ => Check::missing(
            about,
            format!("{program} is no program that can be started"),
            "install it, or correct [shell] or [maintenance] in the configuration",
        ),
    }
}

/// The screen that a technician would see.
pub(super) fn screen(found: Result<&ScreenInfo, &lotse_hal::Error>) -> Check {
    let about = "screen";
    match found {
        Ok(info) => Check::good(
            about,
            format!("{} {}, {}x{}", info.source, info.name, info.size.width, info.size.height),
        ),
        Err(error) if is_permission(error) => {
            Check::missing(about, error.to_string(), "run this as root")
        }
        Err(error) => Check::missing(
            about,
            error.to_string(),
            "lotse-agent probe says what was tried; screen.source in the configuration chooses",
        ),
    }
}

/// Where the person would be asked.
pub(super) fn panel(method: &str, size: Result<Size, String>) -> Check {
    match size {
        Ok(size) => Check::good("panel", format!("{method}, {}x{}", size.width, size.height)),
        Err(error) => Check::missing(
            "panel",
            format!("{method}: {error}"),
            "without a way to ask the person, every session is refused; see docs/screens.md",
        ),
    }
}

/// The time of day, by which certificates are judged.
pub(super) fn clock(now: SystemTime) -> Check {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    if since >= EARLIEST {
        return Check::good("clock", day(since.as_secs() / 86_400));
    }
    Check::advice(
        "clock",
        "the clock was never set; certificates of servers without a fingerprint are refused",
        "set it by network time (systemd-timesyncd, chrony) or a battery-backed clock",
    )
}

/// The date of a day since 1970-01-01, in the Gregorian calendar. Eras of 400 years have 146,097
/// days, and years begin with March, so that the leap day is the last.
fn day(since: u64) -> String {
    let since = since + 719_468;
    let (era, of_era) = (since / 146_097, since % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + later)
}

/// Whether the server answers.
pub(super) fn server(address: &str, outcome: Result<(), String>) -> Check {
    match outcome {
        Ok(()) => Check::good("server", format!("{address} answers, and is the right one")),
        Err(error) => Check::missing(
            "server",
            error,
            "check name, port and fingerprint of `server`, the cable, the gateway and the firewall \
             (one outgoing TCP connection)",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn days_have_their_dates() {
        for (since, date) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_454, "2026-01-01"),
            (20_512, "2026-02-28"),
            (20_513, "2026-03-01"),
        ] {
            assert_eq!(day(since), date);
        }
    }
}
