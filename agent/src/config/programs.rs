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

/// What restarts the machine, and its application. Each is a program and its arguments, run by the
/// programs process as its own user, without a shell; if empty, that cannot be asked for. It should
/// leave the work to the service manager, as `systemctl` does: what it starts itself may end with a
/// terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaintenanceConfig {
    /// Restarts the application, as `["/usr/bin/systemctl", "restart", "kiosk.service"]`.
    pub application: Vec<String>,
    /// Restarts the machine, as `["/usr/bin/systemctl", "reboot"]`.
    pub reboot: Vec<String>,
}

impl MaintenanceConfig {
    /// The settings, if there are any.
    ///
    /// # Errors
    /// When they cannot be used.
    pub fn check(&self) -> anyhow::Result<Option<Self>> {
        for (name, command) in [("application", &self.application), ("reboot", &self.reboot)] {
            let is_vague = |program: &String| !Path::new(program).is_absolute();
            ensure!(
                !command.first().is_some_and(is_vague),
                "{name} begins with the whole path of a program"
            );
        }
        Ok((*self != Self::default()).then(|| self.clone()))
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

    #[test]
    fn nothing_is_restarted_unless_a_program_is_named() {
        assert_eq!(MaintenanceConfig::default().check().unwrap(), None);
        let of = |program: &str| MaintenanceConfig {
            reboot: vec![program.to_owned(), "reboot".to_owned()],
            ..MaintenanceConfig::default()
        };
        assert!(of("systemctl").check().is_err());
        let named = of("/usr/bin/systemctl");
        assert_eq!(named.check().unwrap(), Some(named));
    }
}
