//! The machine process, as the network process sees it.

use std::time::Duration;

use anyhow::{Context as _, bail};
use nix::unistd::Uid;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;

use crate::ipc::{self, Message, Reader, ToMachine, ToNetwork};
use crate::local_socket::{LocalAddress, ensure_peer};

/// The machine process opens its devices before it listens; that may take so long.
const START: Duration = Duration::from_secs(30);

/// So often it is looked whether it listens already.
const RETRY: Duration = Duration::from_millis(100);

/// The socket of the machine process.
#[derive(Debug)]
pub(super) struct MachineEnd {
    socket: UnixStream,
    reader: Reader,
}

/// The machine process is gone; so this one ends too.
#[derive(Debug, thiserror::Error)]
#[error("the machine process is gone")]
pub(super) struct MachineGone;

impl MachineEnd {
    /// Connects to the machine process, as soon as it listens.
    ///
    /// # Errors
    /// When it does not within 30 s, or somebody else listens there.
    pub(super) async fn connect(address: &LocalAddress) -> anyhow::Result<Self> {
        let last = tokio::time::Instant::now() + START;
        let socket = loop {
            match address.connect() {
                Ok(socket) => break socket,
                Err(error) if tokio::time::Instant::now() >= last => return Err(error),
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        };
        // Only root reads screens and injects input; or this same user, where nobody has privileges.
        ensure_peer(&socket, Uid::from_raw(0)).context("the machine process")?;
        let socket = UnixStream::from_std(socket).context("wait on the socket")?;
        Ok(Self { socket, reader: Reader::with_pictures() })
    }

    /// The next message. Cancel safe.
    ///
    /// # Errors
    /// [`MachineGone`] when the machine process has ended, and others when it talks nonsense.
    pub(super) async fn next(&mut self) -> anyhow::Result<Message<ToNetwork>> {
        loop {
            if let Some(message) = self.reader.take()? {
                return Ok(message);
            }
            let mut chunk = [0; 16 << 10];
            match self.socket.read(&mut chunk).await {
                Ok(0) => bail!(MachineGone),
                Ok(count) => self.reader.push(chunk.get(..count).unwrap_or_default()),
                Err(error) => return Err(anyhow::Error::new(MachineGone).context(error)),
            }
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// [`MachineGone`]
    pub(super) async fn send(&mut self, message: &ToMachine) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        ipc::encode(message, &mut bytes);
        let sent = self.socket.write_all(&bytes).await;
        sent.map_err(|error| anyhow::Error::new(MachineGone).context(error))
    }
}
