//! A server for tests: on a free port of this machine, in one call.

use std::net::{Ipv4Addr, SocketAddr};

use lotse_protocol::ServerAddress;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::{Config, Server};

/// A server that runs as a task of the current runtime; it ends when dropped.
#[derive(Debug)]
pub struct TestServer {
    listening: SocketAddr,
    address: ServerAddress,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    _data: TempDir,
}

impl TestServer {
    /// Starts a server with the usual limits.
    ///
    /// # Errors
    /// As [`Server::bind`].
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_with(|_| {}).await
    }

    /// Starts a server whose configuration is changed first.
    ///
    /// # Errors
    /// As [`Server::bind`].
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let mut config = Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            data: data.path().to_owned(),
            ..Config::default()
        };
        change(&mut config);
        let server = Server::bind(&config).await?;
        let (listening, address) = (server.listening(), server.address().clone());
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.run(async {
            // An error means that the sender was dropped, which is as good.
            let _ = stopped.await;
        }));
        Ok(Self { listening, address, stop: Some(stop), task, _data: data })
    }

    /// Where it listens.
    pub fn listening(&self) -> SocketAddr {
        self.listening
    }

    /// The address that clients use.
    pub fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// Stops it as a signal would, and waits until it has said goodbye to everybody.
    ///
    /// # Errors
    /// If the server panicked.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        if let Some(stop) = self.stop.take() {
            // An error means that it is gone already.
            let _ = stop.send(());
        }
        (&mut self.task).await?;
        Ok(())
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}
