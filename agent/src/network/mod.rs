//! The network process: the one that talks to the server and encrypts.
//!
//! It has no privileges: it cannot see the screen, inject input or decide anything. It carries
//! what the machine process gives it to the technician and back.

mod keys;
mod machine_end;
mod session;

use std::time::Instant;

use anyhow::{Context as _, bail};
use lotse_client::{Backoff, ConnectOptions, Connection, SessionLink, connect};
use lotse_protocol::ServerAddress;
use lotse_protocol::session::Participant;
use rand_core::OsRng;

use crate::ipc::{self, Message, ToMachine, ToNetwork};
use crate::local_socket::LocalAddress;
use crate::network::keys::KeyPool;
use crate::network::machine_end::{MachineEnd, MachineGone};
use crate::network::session::Session;

/// Name and version for the server's log.
const PROGRAM: &str = concat!("lotse-agent ", env!("CARGO_PKG_VERSION"));

/// Runs until the machine process, which listens at `machine`, is gone.
///
/// # Errors
/// When there is no machine process, or it talks nonsense.
pub fn run(machine: &LocalAddress) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .context("start the runtime")?;
    let outcome = runtime.block_on(serve(machine));
    // A key that is being made must not hold up the end.
    runtime.shutdown_background();
    match outcome {
        Err(error) if error.is::<MachineGone>() => {
            log::info!("the machine process is gone");
            Ok(())
        }
        other => other,
    }
}

async fn serve(machine: &LocalAddress) -> anyhow::Result<()> {
    let mut machine = MachineEnd::connect(machine).await?;
    let Message::Typed(ToNetwork::Start { server, name, operator }) = machine.next().await? else {
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
                let mut participant = Participant::new(name.clone(), Box::new(OsRng));
                participant.set_operator(operator);
                let link = SessionLink::new(connection, server.clone(), options());
                let session = Session::new(participant, link);
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
    connect(server, &options()).await
}

fn options() -> ConnectOptions {
    ConnectOptions::new(PROGRAM)
}

/// Answers the machine process while there is no link; returns only with an error.
async fn stay_offline(machine: &mut MachineEnd) -> anyhow::Result<()> {
    loop {
        if let Message::Typed(ToNetwork::Join { .. } | ToNetwork::Return { .. }) =
            machine.next().await?
        {
            machine.send(&ToMachine::Ended(ipc::Ended::ServerUnreachable)).await?;
        }
    }
}
