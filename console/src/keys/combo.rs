//! Key combinations, most of all those that the technician's own desktop would take for itself.

use std::fmt;
use std::str::FromStr;

use super::{by_name, name_of};
use crate::model::{Command, KeyCode};

/// Most keys of one combination: one per finger.
pub const MAX_COMBO_KEYS: usize = 10;

/// The combinations of the menu, as they are written.
pub const MENU: &[&str] = &[
    "Ctrl+Alt+Del",
    "Alt+F4",
    "Alt+Tab",
    "Ctrl+Esc",
    "Super",
    "Print",
    "Pause",
    "Ctrl+Alt+F1",
    "Ctrl+Alt+F2",
    "Ctrl+Alt+F3",
    "Ctrl+Alt+F4",
    "Ctrl+Alt+F5",
    "Ctrl+Alt+F6",
    "Ctrl+Alt+F7",
    "Ctrl+Alt+F8",
    "Ctrl+Alt+F9",
    "Ctrl+Alt+F10",
    "Ctrl+Alt+F11",
    "Ctrl+Alt+F12",
];

/// Keys that are pressed in this order and released in the opposite one.
#[derive(Clone, PartialEq, Eq)]
pub struct Combo(Vec<KeyCode>);

/// A combination that cannot be pressed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownKey {
    /// A part is not the name of a key.
    #[error("no key is called {0:?}; examples: Ctrl, Alt, Del, F13, Super, A, ArrowUp, #125")]
    Name(String),
    /// Too many keys.
    #[error("a combination has at most {MAX_COMBO_KEYS} keys")]
    TooMany,
}

impl Combo {
    /// What to do to press and release it.
    pub fn commands(&self) -> Vec<Command> {
        let press = self.0.iter().map(|key| Command::Key { key: *key, pressed: true });
        let release = self.0.iter().rev().map(|key| Command::Key { key: *key, pressed: false });
        press.chain(release).collect()
    }
}

impl FromStr for Combo {
    type Err = UnknownKey;

    /// Names of keys with `+` between them: `Ctrl+Alt+Del`.
    fn from_str(text: &str) -> Result<Self, UnknownKey> {
        let key = |name: &str| {
            by_name(name.trim()).ok_or_else(|| UnknownKey::Name(name.trim().to_owned()))
        };
        let keys: Vec<KeyCode> =
            text.split('+').take(MAX_COMBO_KEYS + 1).map(key).collect::<Result<_, _>>()?;
        if keys.len() > MAX_COMBO_KEYS { Err(UnknownKey::TooMany) } else { Ok(Self(keys)) }
    }
}

impl fmt::Display for Combo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(|key| name_of(*key)).collect();
        f.write_str(&names.join("+"))
    }
}

impl fmt::Debug for Combo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Combo(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_of_the_menu_can_be_pressed() {
        for text in MENU {
            assert_eq!(text.parse::<Combo>().unwrap().to_string(), *text);
        }
    }

    #[test]
    fn releases_in_the_opposite_order() {
        let combo: Combo = "Ctrl+Alt+Del".parse().unwrap();
        let keys: Vec<(u16, bool)> = combo
            .commands()
            .into_iter()
            .map(|command| match command {
                Command::Key { key, pressed } => (key.0, pressed),
                other => panic!("{other:?}"),
            })
            .collect();
        let expected =
            [(29, true), (56, true), (111, true), (111, false), (56, false), (29, false)];
        assert_eq!(keys, expected);
    }

    #[test]
    fn rejects_unknown_and_too_many_keys() {
        assert_eq!("Ctrl+Foo".parse::<Combo>(), Err(UnknownKey::Name("Foo".into())));
        assert_eq!("".parse::<Combo>(), Err(UnknownKey::Name(String::new())));
        let many = ["A"; MAX_COMBO_KEYS + 1].join("+");
        assert_eq!(many.parse::<Combo>(), Err(UnknownKey::TooMany));
    }
}
