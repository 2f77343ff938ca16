//! `lotse-server`: the session server as a program.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use lotse_server::{Config, Server};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The session server: gives out session numbers and passes packets between members, blindly.
#[derive(Debug, Parser)]
#[command(name = "lotse-server", version)]
struct Arguments {
    /// Where to listen [default: 0.0.0.0:443]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Where certificate and key are kept; made at the first start [default: /var/lib/lotse-server]
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// The name by which clients reach this server
    #[arg(long, value_name = "HOST")]
    public_host: Option<String>,
    /// Configuration file (TOML); options on the command line win over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the configuration that would be used, and exit
    #[arg(long)]
    print_config: bool,
    /// Print the address that clients use, and exit
    #[arg(long)]
    print_address: bool,
}

impl Arguments {
    fn config(&self) -> anyhow::Result<Config> {
        let mut config = match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        config.listen = self.listen.unwrap_or(config.listen);
        config.data = self.data.clone().unwrap_or(config.data);
        config.public_host = self.public_host.clone().or(config.public_host);
        Ok(config)
    }
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let config = arguments.config()?;
    if arguments.print_config {
        return say(&toml::to_string(&config)?);
    }
    if arguments.print_address {
        return say(&format!("{}\n", lotse_server::address(&config)?));
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    lotse_server::raise_file_limit();
    tokio::runtime::Runtime::new().context("cannot start threads")?.block_on(serve(&config))
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let server = Server::bind(config).await?;
    let up = serde_json::json!({
        "listening": server.listening().to_string(),
        "address": server.address().to_string(),
    });
    say(&format!("{up}\n"))?;
    server
        .run(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
        .await;
    Ok(())
}

/// Writes to standard output, which scripts read.
fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write the output")
}
