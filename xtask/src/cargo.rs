//! Cargo, called from within cargo.

use std::process::{Command, Stdio};

use crate::paths;

/// Cargo in the workspace, without what the cargo around this program has put into the environment: build scripts look at
/// that, and would build their crates anew.
pub(crate) fn command() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(paths::workspace()).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.env_remove("CARGO");
    command
}
