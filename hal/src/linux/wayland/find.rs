//! Where Wayland compositors of this machine listen.

use std::fs;
use std::path::{Path, PathBuf};

/// Where the folders of users are who have a session.
const USERS: &str = "/run/user";

/// Where compositors listen that are started for the whole machine.
const MACHINE: &str = "/run";

/// The most sockets that are looked at.
const MAX_SOCKETS: usize = 16;

/// The sockets of compositors, as far as they have the usual names: those of the machine first,
/// then those of its users.
pub(super) fn sockets() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from(MACHINE)];
    let mut users = entries(Path::new(USERS));
    users.sort();
    folders.extend(users);
    let mut found: Vec<PathBuf> = Vec::new();
    for folder in folders {
        let mut sockets: Vec<_> =
            entries(&folder).into_iter().filter(|path| is_usual(path)).collect();
        sockets.sort();
        found.extend(sockets);
    }
    found.truncate(MAX_SOCKETS);
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Whether a path is `wayland-` and a number.
fn is_usual(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.strip_prefix("wayland-")?.parse::<u8>().ok()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_and_other_files_are_no_compositors() {
        assert!(is_usual(Path::new("/run/user/1000/wayland-0")));
        assert!(is_usual(Path::new("/run/wayland-12")));
        for other in ["/run/user/1000/wayland-0.lock", "/run/wayland-", "/run/x-wayland-0", "/"] {
            assert!(!is_usual(Path::new(other)), "{other}");
        }
    }
}
