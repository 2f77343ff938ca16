//! Where the agent's two processes meet, and how each makes sure who the other is.
//!
//! The machine process listens, the network process connects. Either may die and come back without the other.

use std::fmt;
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, bail, ensure};
use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::{Uid, getuid};
use rand_core::{OsRng, RngCore as _};

/// Longest name of an abstract socket, bytes: `sun_path` of unix(7) has 108, the first of which is zero.
const MAX_NAME: usize = 107;

/// Address of the machine process's socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalAddress {
    /// Without a file, `@NAME`: for a machine process and a network process with one parent.
    Abstract(String),
    /// A file: for two services.
    File(PathBuf),
}

impl LocalAddress {
    /// One that nobody uses. Nobody can guess it either, but nothing depends on that: see [`ensure_peer`].
    pub fn random() -> Self {
        Self::Abstract(format!("lotse-agent-{:016x}{:016x}", OsRng.next_u64(), OsRng.next_u64()))
    }

    /// Where the process that starts programs meets the machine process that is met here.
    #[must_use]
    pub fn of_programs(&self) -> Self {
        match self {
            Self::Abstract(name) => Self::Abstract(format!("{name}-programs")),
            Self::File(path) => Self::File(path.with_extension("programs.sock")),
        }
    }

    /// Listens.
    ///
    /// A file that an earlier machine process left behind is replaced. The group of this process may connect to it; who
    /// else may is asked of each connection.
    ///
    /// # Errors
    /// When somebody else listens there, or the file can't be made.
    pub fn listen(&self) -> anyhow::Result<UnixListener> {
        let listener = match self {
            Self::Abstract(name) => UnixListener::bind_addr(&abstract_address(name)?),
            Self::File(path) => {
                remove_left_behind(path)?;
                let listener = UnixListener::bind(path);
                if listener.is_ok() {
                    let permissions = std::fs::Permissions::from_mode(0o660);
                    std::fs::set_permissions(path, permissions)
                        .with_context(|| format!("let the group use {self}"))?;
                }
                listener
            }
        };
        let listener = listener.with_context(|| format!("listen on {self}"))?;
        listener.set_nonblocking(true).context("make a socket non-blocking")?;
        Ok(listener)
    }

    /// Connects, without waiting for an answer.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn connect(&self) -> anyhow::Result<UnixStream> {
        let stream = match self {
            Self::Abstract(name) => UnixStream::connect_addr(&abstract_address(name)?),
            Self::File(path) => UnixStream::connect(path),
        };
        let stream = stream.with_context(|| format!("connect to {self}"))?;
        stream.set_nonblocking(true).context("make a socket non-blocking")?;
        Ok(stream)
    }
}

/// Removes the socket of a machine process that died. Nothing but a socket is removed.
fn remove_left_behind(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::FileTypeExt as _;

    match std::fs::symlink_metadata(path) {
        Err(_) => Ok(()),
        Ok(found) if !found.file_type().is_socket() => {
            bail!("{} is there, and is no socket", path.display())
        }
        Ok(_) if UnixStream::connect(path).is_ok() => {
            bail!("another machine process listens on {}", path.display())
        }
        Ok(_) => std::fs::remove_file(path).with_context(|| format!("remove {}", path.display())),
    }
}

fn abstract_address(name: &str) -> anyhow::Result<SocketAddr> {
    ensure!(name.len() <= MAX_NAME, "the name of a socket has at most {MAX_NAME} bytes");
    SocketAddr::from_abstract_name(name).context("name a socket")
}

impl fmt::Display for LocalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Abstract(name) => write!(f, "@{name}"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl FromStr for LocalAddress {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match text.strip_prefix('@') {
            Some("") => bail!("a socket needs a name after the @"),
            Some(name) => Ok(Self::Abstract(name.to_owned())),
            None if text.starts_with('/') => Ok(Self::File(PathBuf::from(text))),
            None => bail!("{text:?} is neither @NAME nor the whole path of a socket"),
        }
    }
}

/// Makes sure that the other end is a process of `user`, as the kernel has noted it (`SO_PEERCRED` of unix(7)): for a
/// connection that was accepted, who connected; for one that was made, who listens.
///
/// A process without privileges of its own has nothing to lose to its own user, so that one is taken, too.
///
/// # Errors
/// When it is somebody else's.
pub fn ensure_peer(socket: &impl AsFd, user: Uid) -> anyhow::Result<()> {
    let peer = getsockopt(socket, sockopt::PeerCredentials).context("ask who the other end is")?;
    let peer_user = Uid::from_raw(peer.uid());
    let is_ours = peer_user == getuid() && !peer_user.is_root();
    ensure!(
        peer_user == user || is_ours,
        "process {} of user {peer_user} is not who should be there, user {user}",
        peer.pid()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_was_written() {
        for text in ["@lotse-1", "/run/lotse/machine.sock"] {
            assert_eq!(text.parse::<LocalAddress>().unwrap().to_string(), text);
        }
        for text in ["", "@", "machine.sock", "./x"] {
            assert!(text.parse::<LocalAddress>().is_err(), "{text:?}");
        }
        let random = LocalAddress::random();
        assert_eq!(random.to_string().parse::<LocalAddress>().unwrap(), random);
        assert_ne!(random, LocalAddress::random());
    }

    #[test]
    fn a_name_that_the_kernel_would_not_take_is_refused() {
        let address = LocalAddress::Abstract("x".repeat(MAX_NAME + 1));
        assert!(address.listen().is_err() && address.connect().is_err());
    }

    #[test]
    fn another_user_is_found_out() {
        let address = LocalAddress::random();
        let listener = address.listen().unwrap();
        let ours = address.connect().unwrap();
        let (theirs, _) = listener.accept().unwrap();
        let me = getuid();
        let stranger = Uid::from_raw(me.as_raw().wrapping_add(1));
        for end in [&ours, &theirs] {
            ensure_peer(end, me).unwrap();
            assert_eq!(ensure_peer(end, stranger).is_ok(), !me.is_root());
        }
    }

    #[test]
    fn a_socket_left_behind_is_replaced_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("machine.sock");
        let address = LocalAddress::File(path.clone());
        let first = address.listen().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        assert!(address.listen().is_err(), "the first one is alive");
        drop(first);
        drop(address.listen().unwrap());
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "somebody's file").unwrap();
        assert!(address.listen().is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "somebody's file");
    }
}
