//! Keys by name and the characters that they write, on a US keyboard.

use crate::KeyCode;

/// `KEY_BACKSPACE`
pub const BACKSPACE: KeyCode = KeyCode(14);
/// `KEY_ENTER`
pub const ENTER: KeyCode = KeyCode(28);
/// `KEY_ESC`
pub const ESCAPE: KeyCode = KeyCode(1);
/// `KEY_LEFTSHIFT`
pub const LEFT_SHIFT: KeyCode = KeyCode(42);
/// `KEY_RIGHTSHIFT`
pub const RIGHT_SHIFT: KeyCode = KeyCode(54);
/// `KEY_TAB`
pub const TAB: KeyCode = KeyCode(15);
/// `KEY_F1`; `KEY_F2` to `KEY_F10` follow.
pub const F1: KeyCode = KeyCode(59);

/// Rows of the US layout: the first key's number, what the keys write, and with Shift.
const LAYOUT: [(u16, &str, &str); 5] = [
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", "ASDFGHJKL:\"~"),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
];

/// Keys that write nothing, as in scripts.
const NAMED: [(&str, KeyCode); 15] = [
    ("backspace", BACKSPACE),
    ("delete", KeyCode(111)),
    ("down", KeyCode(108)),
    ("end", KeyCode(107)),
    ("enter", ENTER),
    ("esc", ESCAPE),
    ("home", KeyCode(102)),
    ("left", KeyCode(105)),
    ("pagedown", KeyCode(109)),
    ("pageup", KeyCode(104)),
    ("right", KeyCode(106)),
    ("shift", LEFT_SHIFT),
    ("space", KeyCode(57)),
    ("tab", TAB),
    ("up", KeyCode(103)),
];

/// What a key writes, if anything.
pub fn character(key: KeyCode, shift: bool) -> Option<char> {
    LAYOUT.iter().find_map(|(first, plain, shifted)| {
        let place = usize::from(key.0.checked_sub(*first)?);
        (if shift { shifted } else { plain }).chars().nth(place)
    })
}

/// The key that writes a character, and whether Shift must be held; `None` if there is none.
pub fn key_for(wanted: char) -> Option<(KeyCode, bool)> {
    LAYOUT.iter().find_map(|(first, plain, shifted)| {
        let find = |row: &str| row.chars().position(|letter| letter == wanted);
        let (place, shift) = match find(plain) {
            Some(place) => (place, false),
            None => (find(shifted)?, true),
        };
        Some((KeyCode(first + u16::try_from(place).ok()?), shift))
    })
}

/// A key by its name: `enter`, `left`, `f1` to `f10`, or the character that it writes.
pub fn key_by_name(name: &str) -> Option<KeyCode> {
    let lower = name.to_ascii_lowercase();
    if let Some((_, key)) = NAMED.iter().find(|(other, _)| *other == lower) {
        return Some(*key);
    }
    let mut letters = lower.chars();
    if let (Some(letter), None) = (letters.next(), letters.next()) {
        return key_for(letter).map(|(key, _)| key);
    }
    let number: u16 = lower.strip_prefix('f')?.parse().ok()?;
    (1..=10).contains(&number).then(|| KeyCode(F1.0 + number - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_printable_character_has_the_key_that_writes_it() {
        for letter in ' '..='~' {
            let (key, shift) = key_for(letter).unwrap_or_else(|| panic!("no key for {letter:?}"));
            assert_eq!(character(key, shift), Some(letter));
        }
    }

    #[test]
    fn keys_have_the_numbers_of_the_kernel() {
        assert_eq!(key_for('a'), Some((KeyCode(30), false)));
        assert_eq!(key_for('Z'), Some((KeyCode(44), true)));
        assert_eq!(key_for('/'), Some((KeyCode(53), false)));
        assert_eq!(key_by_name("f10"), Some(KeyCode(68)));
        assert_eq!(key_by_name("Enter"), Some(KeyCode(28)));
        assert_eq!(key_by_name("7"), Some(KeyCode(8)));
    }

    #[test]
    fn unknown_names_are_no_keys() {
        for name in ["", "f0", "f11", "ff", "enterr", "ü", "f-1"] {
            assert_eq!(key_by_name(name), None, "{name}");
        }
    }

    #[test]
    fn keys_that_write_nothing_have_no_character() {
        for key in [ENTER, BACKSPACE, TAB, LEFT_SHIFT, RIGHT_SHIFT, KeyCode(0), KeyCode(u16::MAX)] {
            assert_eq!(character(key, false), None, "{key:?}");
        }
    }
}
