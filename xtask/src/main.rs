//! The project's automation: everything that is not the product itself.
//!
//! One module per subcommand, each with a clap `Args` struct and a `run` function. To add one, write the module, then add
//! one line to [`Task`] and one to [`main`].
//!
//! This program is the first thing that a fresh machine builds, so its dependencies stay few.

mod arm64;
mod bench;
mod budget;
mod cargo;
mod debian;
mod demo;
mod host_process;
mod lab;
mod layouts;
mod paths;
mod product;
mod programs;
mod say;
mod test;
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
    /// Builds the agent for arm64 and runs its crates' tests there.
    Arm64(arm64::Args),
    /// Measures what sending pictures costs, and holds it against what it has cost.
    Bench(bench::Args),
    /// Measures what the agent costs and holds it against its budget.
    Budget(budget::Args),
    /// Shows the main job on this computer, without any hardware.
    Demo(demo::Args),
    /// Runs the agent on real interfaces inside virtual machines.
    Lab(lab::Args),
    /// Makes the agent's keyboard layouts anew.
    Layouts(layouts::Args),
    /// Runs everything that must pass before a change lands.
    Test(test::Args),
    /// Checks the rules of CONTRIBUTING.md that a program can check.
    Tidy(tidy::Args),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Arm64(args) => arm64::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Budget(args) => budget::run(&args),
        Task::Demo(args) => demo::run(&args),
        Task::Lab(args) => lab::run(&args),
        Task::Layouts(args) => layouts::run(&args),
        Task::Test(args) => test::run(&args),
        Task::Tidy(args) => tidy::run(args),
    }
}
