//! Which programs may be started for a technician.

use std::path::Path;

use anyhow::ensure;
use serde::{Deserialize, Serialize};

/// A terminal, if one is set up: without a user there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ShellConfig {
    /// The user that it runs as, an ordinary one; none if empty. An agent without root's power
    /// runs it as its own user, which must be this one.
    pub user: String,
    /// What runs in it: a program and its arguments.
    pub command: Vec<String>,
    /// Whether programs in it may gain privileges, as by `sudo`.
    pub may_gain_privileges: bool,
}

impl Default for ShellConfig {
    fn default() -> Self {
        Self {
            user: String::new(),
            command: ["/bin/sh", "-l"].map(str::to_owned).to_vec(),
            may_gain_privileges: false,
        }
    }
}

impl ShellConfig {
    /// The settings, if a terminal is set up.
    ///
    /// # Errors
    /// When they cannot be used.
    pub fn check(&self) -> anyhow::Result<Option<Self>> {
        if self.user.is_empty() {
            return Ok(None);
        }
        let program = self.command.first().map_or("", String::as_str);
        ensure!(
            Path::new(program).is_absolute(),
            "command is {program:?}; it begins with the whole path of a program"
        );
        Ok(Some(self.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_no_terminal_unless_a_user_is_named() {
        assert_eq!(ShellConfig::default().check().unwrap(), None);
        let user = "operator".to_owned();
        let named = ShellConfig { user, ..ShellConfig::default() };
        assert_eq!(named.check().unwrap(), Some(named.clone()));
        let vague = ShellConfig { command: vec!["sh".to_owned()], ..named };
        assert!(vague.check().is_err());
    }
}
