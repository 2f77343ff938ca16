//! The session server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::PATIENCE;
use super::process::Process;
use super::programs::program;

/// A server on a free port of this machine.
pub(crate) struct Server {
    process: Process,
    folder: TempDir,
    listening: SocketAddr,
    address: String,
}

impl Server {
    /// Starts one with the usual limits.
    pub(crate) fn start() -> Self {
        Self::start_with("")
    }

    /// Starts one with a configuration file.
    pub(crate) fn start_with(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("server.toml"), config).unwrap();
        let (process, listening, address) = run(&folder, "127.0.0.1:0");
        Self { process, folder, listening, address }
    }

    /// As clients are told.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Where it listens.
    pub(crate) fn listening(&self) -> SocketAddr {
        self.listening
    }

    /// The file with its key and certificate.
    pub(crate) fn identity(&self) -> PathBuf {
        self.folder.path().join("data/server.pem")
    }

    /// The address under which clients reach a relay or proxy on another port in its place.
    pub(crate) fn address_via(&self, port: u16) -> String {
        let (_, fingerprint) = self.address.split_once('#').expect("an own certificate");
        format!("127.0.0.1:{port}#{fingerprint}")
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again on the same port, with the same data.
    pub(crate) fn restart(&mut self) {
        let (process, listening, address) = run(&self.folder, &self.listening.to_string());
        assert_eq!(listening, self.listening);
        assert_eq!(address, self.address, "it has kept its certificate");
        self.process = process;
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.process.is_running()
    }
}

fn run(folder: &TempDir, listen: &str) -> (Process, SocketAddr, String) {
    let mut command = Command::new(program("lotse-server"));
    command
        .args(["--listen", listen, "--data"])
        .arg(folder.path().join("data"))
        .arg("--config")
        .arg(folder.path().join("server.toml"));
    let process = Process::start("server", &mut command);
    let up = process.wait_line(0, PATIENCE, "where it listens", |line| {
        let value: Value = serde_json::from_str(&line.text).ok()?;
        let text = |key| value.get(key).and_then(Value::as_str).map(str::to_owned);
        Some((text("listening")?.parse().ok()?, text("address")?))
    });
    (process, up.0, up.1)
}
