//! What a shell is started with. Real terminals are in the system's tests.

use super::*;
use nix::unistd::{User, getuid};

fn sh(script: &str) -> ShellConfig {
    let user = User::from_uid(getuid()).unwrap().unwrap().name;
    let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    ShellConfig { user, command, may_gain_privileges: false }
}

#[test]
fn settings_reach_the_shell_as_they_are() {
    let shell = sh("echo 'it\\'s \"quoted\"'");
    let text = serde_json::to_string(&shell).unwrap();
    assert_eq!(serde_json::from_str::<ShellConfig>(&text).unwrap(), shell);
}

#[test]
fn a_shell_for_nobody_is_refused() {
    let nobody = ShellConfig { user: "no-such-user-here".to_owned(), ..sh("true") };
    let error = become_shell(&nobody).unwrap_err();
    assert!(error.to_string().contains("no-such-user-here"), "{error}");
}
