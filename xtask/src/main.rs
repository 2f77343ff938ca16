//! The project's automation: everything that is not the product itself.
//!
//! One module per subcommand, each with a clap `Args` struct and a `run` function. To add one, write the module, then add
//! one line to [`Task`] and one to [`main`].
//!
//! This program is the first thing that a fresh machine builds, so its dependencies stay few.

mod debian;
mod host_process;
mod lab;
mod paths;
mod programs;
mod say;
mod tidy;

use clap::{Parser, Subcommand};

/// The project's automation.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
enum Task {
    /// Runs the agent on real interfaces inside virtual machines.
    Lab(lab::Args),
    /// Checks the rules of CONTRIBUTING.md that a program can check.
    Tidy(tidy::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Lab(args) => lab::run(&args),
        Task::Tidy(args) => tidy::run(args),
    }
}
