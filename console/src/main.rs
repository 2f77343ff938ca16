//! `lotse-console`: the moderator's window, and the same for scripts.

use std::process::ExitCode;

use clap::Parser;
use lotse_console::args::Args;

fn main() -> ExitCode {
    let args = Args::parse();
    lotse_console::start_logging(&args);
    match lotse_console::run(args) {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
