//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use lotse_protocol::{ServerAddress, SessionNumber};

use crate::model::Rights;
use crate::words::Language;

/// See and steer a kiosk or panel, with the consent of whoever stands there.
#[derive(Debug, Parser)]
#[command(name = "lotse-console", version, after_help = EXAMPLES)]
pub struct Args {
    /// Language of the window [default: that of the environment]
    #[arg(long, global = true, value_enum)]
    pub language: Option<Language>,
    /// What goes to the log on stderr: error, warn, info, debug or trace, or a filter such as
    /// lotse_console=debug
    #[arg(long, global = true, value_name = "FILTER", default_value = "warn")]
    pub log: String,
    /// What to do; without it the window opens
    #[command(subcommand)]
    pub what: Option<What>,
}

const EXAMPLES: &str = "\
Examples:
  lotse-console                                     the window
  lotse-console window --server lotse.example.com   the window, with the server filled in
  lotse-console watch 412936085 --server lotse.example.com
                                                    looks on at another technician's session
  lotse-console session --server lotse.example.com < script
                                                    a session without a window;
                                                    see `lotse-console session --help`

A server's address is host[:port][#certificate-fingerprint]. With a fingerprint exactly that
certificate is accepted; without one the roots of this computer decide.";

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Opens the window
    Window(Window),
    /// Opens the window and joins somebody else's session, to look on
    Watch(Watch),
    /// Runs a session by commands on stdin, with one JSON object per event on stdout
    #[command(after_long_help = crate::script::HELP)]
    Session(Session),
    /// Says who may do what on an operator's machines: certificates for technicians and machines
    Authority(crate::authority::Authority),
    /// Writes a PNG of every screen of the window into a folder
    RenderPreview {
        /// The folder; it is made if it does not exist
        folder: PathBuf,
    },
}

/// Options of the window.
#[derive(Debug, Default, clap::Args)]
pub struct Window {
    /// Address of the session server: host[:port][#certificate-fingerprint]
    #[arg(long, env = "LOTSE_SERVER")]
    pub server: Option<ServerAddress>,
    /// Your name, as the panel shows it [default: that of the login]
    #[arg(long)]
    pub name: Option<String>,
    /// Give the session a password, so that nobody needs to compare codes
    #[arg(long)]
    pub password: bool,
    /// What the panel is asked for: some of view, control, pointer, shell, reboot, file-read,
    /// file-write [default: view,control]
    #[arg(long, value_name = "RIGHTS")]
    pub ask: Option<Rights>,
    /// Your pass, for machines of its operator; see `lotse-console authority --help`
    #[arg(long, value_name = "FILE", env = "LOTSE_PASS")]
    pub pass: Option<PathBuf>,
}

/// Options of looking on.
#[derive(Debug, clap::Args)]
pub struct Watch {
    /// The session's number, as the technician who moderates has read it out
    pub number: SessionNumber,
    /// The rest is as for the window
    #[command(flatten)]
    pub window: Window,
}

/// Options of a session by script.
#[derive(Debug, clap::Args)]
pub struct Session {
    /// Address of the session server: host[:port][#certificate-fingerprint]
    #[arg(long, env = "LOTSE_SERVER")]
    pub server: ServerAddress,
    /// Your name, as the panel shows it [default: that of the login]
    #[arg(long)]
    pub name: Option<String>,
    /// Stop at the first command that fails, instead of going on with the next
    #[arg(long)]
    pub strict: bool,
    /// Give the session a password, so that nobody needs to compare codes
    #[arg(long)]
    pub password: bool,
    /// What the panel is asked for: some of view, control, pointer, shell, reboot, file-read,
    /// file-write [default: view,control]
    #[arg(long, value_name = "RIGHTS")]
    pub ask: Option<Rights>,
    /// Your pass, for machines of its operator; see `lotse-console authority --help`
    #[arg(long, value_name = "FILE", env = "LOTSE_PASS")]
    pub pass: Option<PathBuf>,
}

/// The name of whoever is logged in, as a first guess.
pub fn login_name() -> String {
    ["USER", "USERNAME", "LOGNAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .unwrap_or_else(|| "technician".into())
}
