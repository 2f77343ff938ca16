//! Where things are: the workspace, what is built, and what is kept between builds.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Root folder of the workspace.
pub(crate) fn workspace() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// Folder for what subcommands leave behind, `target/NAME` of the workspace.
///
/// It does not follow `CARGO_TARGET_DIR`: people look for screenshots and results at one place.
pub(crate) fn output(name: &str) -> PathBuf {
    workspace().join("target").join(name)
}

/// Folder for what is expensive to make and independent of the checkout: `$XDG_CACHE_HOME/lotse`, else `~/.cache/lotse`.
///
/// # Errors
/// When neither `XDG_CACHE_HOME` nor `HOME` says where that is.
pub(crate) fn cache() -> Result<PathBuf> {
    if let Some(base) = env::var_os("XDG_CACHE_HOME").filter(|base| !base.is_empty()) {
        return Ok(PathBuf::from(base).join("lotse"));
    }
    let home = env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(PathBuf::from(home).join(".cache/lotse"))
}
