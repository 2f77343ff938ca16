//! The session server that what is measured goes through.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::process::Program;

/// A session server on a port of its own.
pub(crate) struct Server {
    /// As clients are told.
    pub(crate) address: String,
    /// Where it listens.
    pub(crate) listening: SocketAddr,
    /// It.
    pub(crate) process: Program,
}

impl Server {
    /// Starts the program; `folder` takes its data and its log.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn start(program: &Path, folder: &Path) -> Result<Self> {
        let data = folder.join("server-data");
        fs::create_dir_all(&data).with_context(|| data.display().to_string())?;
        let config = folder.join("server.toml");
        // What is measured is the path, not what an operator allows one client to send.
        let limits = "upload_bytes_per_second = 1000000000\nupload_burst_bytes = 1000000000\n";
        fs::write(&config, format!("[limits]\n{limits}"))?;
        let mut command = Program::command(program);
        command.args(["--listen", "127.0.0.1:0", "--data"]).arg(&data);
        command.arg("--config").arg(&config);
        let mut process = Program::start(command, &folder.join("server.log"), true)?;
        let output = process.child().stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let line = lines.next().context("the server does not come up; see server.log")??;
        let up: Value = serde_json::from_str(&line).context("the server's first line")?;
        let text = |key| up.get(key).and_then(Value::as_str).context("no address");
        let (address, listening) = (text("address")?.to_owned(), text("listening")?.parse()?);
        Ok(Self { address, listening, process })
    }

    /// Of its own certificate.
    ///
    /// # Errors
    /// When it has another one.
    pub(crate) fn fingerprint(&self) -> Result<&str> {
        let (_, fingerprint) = self.address.split_once('#').context("no own certificate")?;
        Ok(fingerprint)
    }
}
