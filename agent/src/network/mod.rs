//! The network process: the one that talks to the server and encrypts.
//!
//! It has no privileges: it cannot see the screen, inject input or decide anything. It carries
//! what the machine process gives it to the technician and back.

mod keys;
mod session;

use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::time::Instant;

use anyhow::{Context as _, bail};
use lotse_client::{Backoff, ConnectOptions, Connection, connect};
use lotse_protocol::ServerAddress;
use lotse_protocol::session::Participant;
use rand_core::OsRng;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;

use crate::ipc::{self, Message, Reader, ToMachine, ToNetwork};
use crate::network::keys::KeyPool;
use crate::network::session::Session;

/// Name and version for the server's log.
const PROGRAM: &str = concat!("lotse-agent ", env!("CARGO_PKG_VERSION"));

/// The machine process on the other end of standard input.
#[derive(Debug)]
struct MachineEnd {
    socket: UnixStream,
    reader: Reader,
}

/// The machine process is gone; so this one ends too.
#[derive(Debug, thiserror::Error)]
#[error("the machine process is gone")]
struct MachineGone;

impl MachineEnd {
    fn from_stdin() -> anyhow::Result<Self> {
        let fd = std::io::stdin().as_fd().try_clone_to_owned().context("take standard input")?;
        let socket = StdUnixStream::from(fd);
        socket.peer_addr().context("standard input is not a socket of the machine process")?;
        socket.set_nonblocking(true).context("make the socket non-blocking")?;
        let socket = UnixStream::from_std(socket).context("wait on the socket")?;
        Ok(Self { socket, reader: Reader::with_pictures() })
    }

    /// The next message. Cancel safe.
    async fn next(&mut self) -> anyhow::Result<Message<ToNetwork>> {
        loop {
            if let Some(message) = self.reader.take()? {
                return Ok(message);
            }
            let mut chunk = [0; 16 << 10];
            let count = self.socket.read(&mut chunk).await?;
            if count == 0 {
                bail!(MachineGone);
            }
            self.reader.push(chunk.get(..count).unwrap_or_default());
        }
    }

    async fn send(&mut self, message: &ToMachine) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        ipc::encode(message, &mut bytes);
        self.socket.write_all(&bytes).await.context("tell the machine process")
    }
}

/// Runs until the machine process closes the socket on standard input.
///
/// # Errors
/// When the machine process is gone or talks nonsense.
pub fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .context("start the runtime")?;
    let outcome = runtime.block_on(serve());
    // A key that is being made must not hold up the end.
    runtime.shutdown_background();
    match outcome {
        Err(error) if error.is::<MachineGone>() => Ok(()),
        other => other,
    }
}

async fn serve() -> anyhow::Result<()> {
    let mut machine = MachineEnd::from_stdin()?;
    let Message::Typed(ToNetwork::Start { server, name }) = machine.next().await? else {
        bail!("the machine process does not begin with the beginning");
    };
    let server: ServerAddress = server.parse().context("server")?;
    let mut keys = KeyPool::new();
    let mut backoff = Backoff::new();
    loop {
        let connection = tokio::select! {
            connection = connect_once(&server) => connection,
            outcome = stay_offline(&mut machine) => return outcome,
        };
        match connection {
            Ok(connection) => {
                log::info!("connected to {server}");
                backoff.connected(connection.herd_window(), Instant::now());
                machine.send(&ToMachine::Server { is_reachable: true }).await?;
                let participant = Participant::new(name.clone(), Box::new(OsRng));
                let session = Session::new(participant, connection);
                session.run(&mut machine, &mut keys).await?;
            }
            Err(error) => log::warn!("{error}"),
        }
        machine.send(&ToMachine::Server { is_reachable: false }).await?;
        let wait = backoff.wait(Instant::now(), &mut OsRng);
        log::info!("next attempt in {:.1} s", wait.as_secs_f32());
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            outcome = stay_offline(&mut machine) => return outcome,
        }
    }
}

async fn connect_once(server: &ServerAddress) -> Result<Connection, lotse_client::ConnectError> {
    connect(server, &ConnectOptions::new(PROGRAM)).await
}

/// Answers the machine process while there is no link; returns only with an error.
async fn stay_offline(machine: &mut MachineEnd) -> anyhow::Result<()> {
    loop {
        if let Message::Typed(ToNetwork::Join { .. }) = machine.next().await? {
            machine.send(&ToMachine::Ended(ipc::Ended::ServerUnreachable)).await?;
        }
    }
}
