//! What a session may do here, whatever anybody asks for or accepts.

use anyhow::Context as _;
use lotse_protocol::handshake::Level;
use lotse_protocol::message::Rights;
use serde::{Deserialize, Serialize};

/// The policy as it stands in the file. Each right is `allow`ed (it is given when the person
/// accepts, unless taken out of the question), `ask`ed for (it is given only if the person ticks
/// it; where no person is asked, it is not given), or `never` given, nor offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyConfig {
    /// See the screen.
    pub view: Stance,
    /// Use pointer, touch and keyboard.
    pub control: Stance,
    /// Point at things on the screen, with an arrow.
    pub pointer: Stance,
    /// Use a terminal, if one is set up in `[shell]`.
    pub shell: Stance,
    /// Restart the machine or its application, as far as `[maintenance]` says how.
    pub reboot: Stance,
    /// Look into folders and read files, as far as `[files]` says which.
    pub file_read: Stance,
    /// Write files, as far as `[files]` says where.
    pub file_write: Stance,
    /// How sure it must be who asks, for each of these: `code-compared`, `password` or
    /// `certificate`.
    pub levels: LevelsConfig,
    /// Sessions by certificate need no person at the machine: nobody is asked. They are shown on
    /// the panel, and can be stopped there, all the same.
    pub unattended: bool,
}

/// What the policy says about a right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stance {
    /// Given, unless the person says otherwise.
    Allow,
    /// Given if the person says so.
    Ask,
    /// Not given.
    Never,
}

/// The least level for each right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LevelsConfig {
    /// To see the screen.
    pub view: String,
    /// To use pointer, touch and keyboard.
    pub control: String,
    /// To point at things.
    pub pointer: String,
    /// To use a terminal.
    pub shell: String,
    /// To restart the machine or its application.
    pub reboot: String,
    /// To read files.
    pub file_read: String,
    /// To write files.
    pub file_write: String,
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            view: Stance::Allow,
            control: Stance::Allow,
            pointer: Stance::Allow,
            shell: Stance::Ask,
            reboot: Stance::Ask,
            file_read: Stance::Ask,
            file_write: Stance::Ask,
            levels: LevelsConfig::default(),
            unattended: false,
        }
    }
}

impl Default for LevelsConfig {
    fn default() -> Self {
        let [view, control, pointer, shell, reboot, file_read, file_write] =
            [(); 7].map(|()| Level::CodeCompared.word().into());
        Self { view, control, pointer, shell, reboot, file_read, file_write }
    }
}

impl PolicyConfig {
    pub(super) fn check(&self) -> anyhow::Result<Policy> {
        let levels = &self.levels;
        let rules = [
            ("view", Rights::VIEW, self.view, &levels.view),
            ("control", Rights::CONTROL, self.control, &levels.control),
            ("pointer", Rights::POINTER, self.pointer, &levels.pointer),
            ("shell", Rights::SHELL, self.shell, &levels.shell),
            ("reboot", Rights::REBOOT, self.reboot, &levels.reboot),
            ("file_read", Rights::FILE_READ, self.file_read, &levels.file_read),
            ("file_write", Rights::FILE_WRITE, self.file_write, &levels.file_write),
        ];
        let rules = rules.into_iter().map(|(name, right, stance, word)| {
            let least = level(word).with_context(|| format!("policy.levels.{name}"))?;
            Ok(Rule { right, stance, least })
        });
        let rules = rules.collect::<anyhow::Result<_>>()?;
        Ok(Policy { rules, unattended: self.unattended })
    }
}

/// What is true of one right.
#[derive(Debug, Clone, Copy)]
struct Rule {
    right: Rights,
    stance: Stance,
    least: Level,
}

/// The policy, checked. What it does not name is never given.
#[derive(Debug, Clone)]
pub struct Policy {
    rules: Vec<Rule>,
    /// Whether sessions by certificate need no person.
    pub unattended: bool,
}

impl Policy {
    /// One that gives these rights at every level, and no others.
    pub fn allowing(right: Rights) -> Self {
        let rule = Rule { right, stance: Stance::Allow, least: Level::CodeCompared };
        Self { rules: vec![rule], unattended: false }
    }

    /// What may be asked for here when it is so sure who asks.
    pub fn offered_at(&self, level: Level) -> Rights {
        self.fold(|rule| rule.stance != Stance::Never && level >= rule.least)
    }

    /// What of that is given without anybody ticking it.
    pub fn allowed_at(&self, level: Level) -> Rights {
        self.fold(|rule| rule.stance == Stance::Allow && level >= rule.least)
    }

    fn fold(&self, fits: impl Fn(&Rule) -> bool) -> Rights {
        let rules = self.rules.iter().filter(|rule| fits(rule));
        rules.fold(Rights::NONE, |rights, rule| rights.with(rule.right))
    }
}

/// A configured level.
fn level(word: &str) -> anyhow::Result<Level> {
    let levels = [Level::CodeCompared, Level::Password, Level::Certificate];
    let level = levels.into_iter().find(|level| level.word() == word);
    level.with_context(|| {
        format!("{word:?} is no level; there are {}", levels.map(Level::word).join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Policy {
        toml::from_str::<PolicyConfig>(text).unwrap().check().unwrap()
    }

    const ALLOWED: Rights = Rights::VIEW.with(Rights::CONTROL).with(Rights::POINTER);

    #[test]
    fn the_policy_takes_rights_away() {
        let policy = policy(
            "control = \"never\"\npointer = \"never\"\nshell = \"never\"\nreboot = \"never\"\n\
             file_read = \"never\"\nfile_write = \"never\"",
        );
        assert_eq!(policy.offered_at(Level::Certificate), Rights::VIEW);
    }

    #[test]
    fn a_right_may_demand_a_level() {
        let policy = policy("[levels]\ncontrol = \"password\"\nshell = \"certificate\"");
        let allowed = |level| policy.allowed_at(level);
        assert_eq!(allowed(Level::CodeCompared), Rights::VIEW.with(Rights::POINTER));
        assert_eq!(allowed(Level::Password), ALLOWED);
        assert_eq!(allowed(Level::Certificate), ALLOWED);
        assert!(!policy.offered_at(Level::Password).allows(Rights::SHELL));
        assert!(policy.offered_at(Level::Certificate).allows(Rights::SHELL));
    }

    #[test]
    fn what_is_dangerous_is_not_given_unless_somebody_ticks_it() {
        let policy = policy("");
        assert_eq!(policy.allowed_at(Level::Certificate), ALLOWED);
        let offered = policy.offered_at(Level::CodeCompared);
        let dangerous = [Rights::SHELL, Rights::REBOOT, Rights::FILE_READ, Rights::FILE_WRITE];
        assert_eq!(offered, dangerous.into_iter().fold(ALLOWED, Rights::with));
    }

    #[test]
    fn what_has_no_rule_is_never_given() {
        let all = ["view", "control", "shell", "reboot"].map(|name| format!("{name} = \"allow\""));
        let offered = policy(&all.join("\n")).offered_at(Level::Certificate);
        for right in [Rights::CLIPBOARD, Rights::PRESENT, Rights::RECORD] {
            assert!(!offered.allows(right));
        }
    }
}
