//! Who answers at the socket of a display server.
//!
//! Anybody on a machine can listen at a socket and say that he is its display. What such a
//! server shows is seen by nobody, and what it says of the screen may be made up. So a server
//! is believed only if it runs as root, as this program's own user, or as the user whose session
//! is in front of the screen; and, where an operator has named a socket, as the owner of a folder
//! that nobody else can write in.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::geteuid;

use crate::Error;

/// What the login manager says of the seat that has the screen (`sd_seat_get_active`).
const SEAT: &str = "/run/systemd/seats/seat0";

/// The console that is in front, as in `tty7`.
const FRONT: &str = "/sys/class/tty/tty0/active";

const ROOT: u32 = 0;

/// Makes sure that whoever listens at the other end may be believed to be the screen's.
///
/// # Errors
/// [`crate::ErrorKind::Permission`] if it may not.
pub(crate) fn ensure_owns_screen(socket: &UnixStream, path: &Path) -> Result<(), Error> {
    let peer = user(socket, path)?;
    if is_trusted(peer, &in_front()) {
        return Ok(());
    }
    Err(refused(path, peer, "the session in front is not that user's"))
}

/// Makes sure that a socket which an operator named is served by the owner of its folder, or as
/// [`ensure_owns_screen`] does.
///
/// # Errors
/// [`crate::ErrorKind::Permission`] if it is not.
pub(crate) fn ensure_owns_folder(socket: &UnixStream, path: &Path) -> Result<(), Error> {
    let peer = user(socket, path)?;
    let folder = path.parent().and_then(|folder| fs::metadata(folder).ok());
    let is_owner = folder.is_some_and(|folder| folder.uid() == peer && folder.mode() & 0o022 == 0);
    if is_owner || is_trusted(peer, &in_front()) {
        return Ok(());
    }
    Err(refused(path, peer, "its folder is not that user's alone"))
}

fn refused(path: &Path, peer: u32, reason: &str) -> Error {
    let doing = format!(
        "believe the display server at {}, which user {peer} runs: {reason}",
        path.display()
    );
    Error::io(doing, io::ErrorKind::PermissionDenied.into())
}

fn user(socket: &UnixStream, path: &Path) -> Result<u32, Error> {
    let peer = getsockopt(socket, sockopt::PeerCredentials).map_err(|errno| {
        Error::io(format!("ask who listens at {}", path.display()), errno.into())
    })?;
    Ok(peer.uid())
}

fn is_trusted(peer: u32, in_front: &[u32]) -> bool {
    peer == ROOT || peer == geteuid().as_raw() || in_front.contains(&peer)
}

/// The users who have the screen: by the login manager, and by the terminal in front.
fn in_front() -> Vec<u32> {
    let seat = fs::read_to_string(SEAT).ok().as_deref().and_then(active_user);
    let terminal = fs::read_to_string(FRONT).ok();
    let terminal = terminal.map(|name| PathBuf::from("/dev").join(name.trim()));
    let owner = terminal.and_then(|path| fs::metadata(path).ok()).map(|meta| meta.uid());
    seat.into_iter().chain(owner).collect()
}

/// The user of the session in front, as the login manager writes it down.
fn active_user(seat: &str) -> Option<u32> {
    seat.lines().find_map(|line| line.strip_prefix("ACTIVE_UID=")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn the_login_manager_names_the_user_in_front() {
        let seat =
            "# This is private data. Do not parse.\nIS_SEAT0=1\nACTIVE=c1\nACTIVE_UID=1000\n";
        assert_eq!(active_user(seat), Some(1000));
        assert_eq!(active_user("IS_SEAT0=1\nSESSIONS=\n"), None);
        assert_eq!(active_user("ACTIVE_UID=somebody\n"), None);
    }

    #[test]
    fn only_root_this_user_and_who_is_in_front_are_believed() {
        let own = geteuid().as_raw();
        assert!(is_trusted(0, &[]) && is_trusted(own, &[]));
        assert!(is_trusted(own + 1000, &[own + 1000]));
        assert!(!is_trusted(own + 1000, &[]) && !is_trusted(own + 1000, &[own + 1001]));
    }

    #[test]
    fn a_server_of_this_user_is_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _listener = UnixListener::bind(&path).unwrap();
        let socket = UnixStream::connect(&path).unwrap();
        ensure_owns_screen(&socket, &path).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        ensure_owns_folder(&socket, &path).unwrap();
    }
}
