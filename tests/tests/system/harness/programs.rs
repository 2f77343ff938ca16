//! Where the programs are: built once for all scenarios, by the cargo that runs them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The path of one of `lotse-server`, `lotse-agent`, `lotse-console`.
pub(crate) fn program(name: &str) -> &'static Path {
    static PROGRAMS: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let programs = PROGRAMS.get_or_init(build);
    programs.get(name).unwrap_or_else(|| panic!("cargo has not built {name}"))
}

/// Builds with the profile and into the directory of this test. Does nothing but look if all is
/// up to date.
fn build() -> BTreeMap<String, PathBuf> {
    // TARGET/PROFILE/deps/system-HASH, with a directory named after the platform in between
    // when one was asked for.
    let this = std::env::current_exe().unwrap();
    let profile_folder = this.parent().and_then(Path::parent).unwrap();
    let profile = match profile_folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(other) => other,
        None => panic!("{} is not where tests are", this.display()),
    };
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--message-format=json-render-diagnostics", "--profile", profile])
        .args(["--package=lotse-server", "--package=lotse-agent", "--package=lotse-console"])
        .arg("--manifest-path")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .arg("--target-dir")
        .arg(profile_folder.parent().unwrap())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    // What cargo has told this test about itself makes build scripts believe that something
    // changed.
    for (name, _) in std::env::vars_os() {
        let is_of_test = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_TARGET_TMPDIR", "CARGO_CRATE_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        });
        if is_of_test {
            cargo.env_remove(name);
        }
    }
    let output = cargo.output().expect("cargo starts");
    assert!(output.status.success(), "the programs cannot be built");
    let lines = String::from_utf8(output.stdout).unwrap();
    let artifacts = lines.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let path = PathBuf::from(message.get("executable")?.as_str()?);
        Some((path.file_stem()?.to_str()?.to_owned(), path))
    });
    artifacts.collect()
}
