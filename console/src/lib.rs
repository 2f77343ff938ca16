//! The moderator's desktop program and command line.
//!
//! A technician opens a session, reads its number out, compares a code with the person at the
//! panel, and then sees and steers that panel.
//!
//! # Map
//! | module | what lives there |
//! |---|---|
//! | [`model`] | state, commands and events of a session; no window, no socket |
//! | [`keys`] | keys of the window → keys of the panel, combinations, names |
//! | [`words`] | every text, in every language |
//! | [`ui`] | the screens, as functions from the model to commands |
//! | [`render`] | draws the screens into memory, for the window and for files |
//! | [`driver`] | runs sessions over a link to a server |
//! | [`window`] | puts the screens into a window, and hands on what the hand does |
//! | [`script`] | the same for scripts, on stdin and stdout |
//! | [`preview`] | a picture of every screen |
//! | [`authority`] | an operator's certificates: who may do what on which machines |
//!
//! Window and command line share everything but where input comes from and where pixels go.

pub mod args;
pub mod authority;
pub mod driver;
pub mod keys;
pub mod model;
pub mod preview;
pub mod render;
pub mod script;
pub mod ui;
pub mod window;
pub mod words;

use std::process::ExitCode;

use anyhow::Context;

use args::{Args, What};
use words::Language;

/// Sends the log to stderr, as the arguments ask.
pub fn start_logging(args: &Args) {
    let filter = tracing_subscriber::EnvFilter::try_new(&args.log)
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

/// Does what the arguments ask.
///
/// # Errors
/// When there is no display for the window, or a file cannot be written.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let language = args.language.unwrap_or_else(Language::of_environment);
    match args.what.unwrap_or_else(|| What::Window(args::Window::default())) {
        What::Window(options) => {
            window::run(options, None, language)?;
            Ok(ExitCode::SUCCESS)
        }
        What::Watch(options) => {
            window::run(options.window, Some(options.number), language)?;
            Ok(ExitCode::SUCCESS)
        }
        What::Session(options) => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("could not start")?
            .block_on(script::run(options, language)),
        What::Authority(options) => {
            authority::run(&options)?;
            Ok(ExitCode::SUCCESS)
        }
        What::RenderPreview { folder } => {
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("could not make the folder {}", folder.display()))?;
            let count = preview::render_all(&folder, language)?;
            tracing::info!("wrote {count} pictures to {}", folder.display());
            Ok(ExitCode::SUCCESS)
        }
    }
}
