//! Names from the network, made harmless before anybody reads them.

use super::letters;

/// Letters of a name that are shown; beyond it is cut, which is seen.
pub const MAX_LETTERS: usize = 32;

/// Characters of a name that are looked at.
const MAX_READ: usize = 256;

/// Who somebody says to be, fit to be shown: one line of letters that the panel has, no longer
/// than [`MAX_LETTERS`], without anything that turns, hides or breaks text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Makes a name harmless. Of nothing useful, it is a dash.
    pub fn from_network(text: &str) -> Self {
        let mut name = String::new();
        let mut count = 0;
        let mut is_gap = false;
        for letter in text.chars().take(MAX_READ) {
            if letter.is_whitespace() || letter.is_control() {
                is_gap = true;
                continue;
            }
            if is_invisible(letter) {
                continue;
            }
            let gap = is_gap && count > 0;
            if count + usize::from(gap) >= MAX_LETTERS {
                // Room for the ellipsis.
                name.pop();
                name.push('…');
                return Self(name);
            }
            if gap {
                name.push(' ');
                count += 1;
            }
            is_gap = false;
            name.push(if letters::has(letter) { letter } else { char::REPLACEMENT_CHARACTER });
            count += 1;
        }
        if name.is_empty() { Self("–".to_owned()) } else { Self(name) }
    }

    /// The name as it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Characters that change how others are shown, or that take no room.
fn is_invisible(letter: char) -> bool {
    matches!(
        u32::from(letter),
        0xad            // soft hyphen
        | 0x300..=0x36f // combining marks
        | 0x61c         // Arabic letter mark
        | 0x115f..=0x1160
        | 0x17b4..=0x17b5
        | 0x180b..=0x180f
        | 0x200b..=0x200f // zero width, left-to-right and right-to-left marks
        | 0x202a..=0x202e // bidirectional embeddings and overrides
        | 0x2060..=0x206f // word joiner, isolates
        | 0x3164
        | 0xfe00..=0xfe0f // variation selectors
        | 0xfeff
        | 0xffa0
        | 0xfff9..=0xfffb
        | 0xe0000..=0xe0fff // tags
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_names_of_many_scripts() {
        for name in ["Łucja Żółć", "Jürgen Groß", "Νίκος", "Олена Ґ.", "Nguyễn Văn An", "O’Brien"]
        {
            assert_eq!(Name::from_network(name).as_str(), name);
        }
    }

    #[test]
    fn strips_what_turns_or_hides_text() {
        let nasty = "\u{202e}Ev\u{200b}e\u{2066}\n\n  \tAccept\u{0}\u{feff} ";
        assert_eq!(Name::from_network(nasty).as_str(), "Eve Accept");
    }

    #[test]
    fn cuts_long_names_and_shows_it() {
        let shown = Name::from_network(&"a".repeat(10_000));
        assert_eq!(shown.as_str(), format!("{}…", "a".repeat(MAX_LETTERS - 1)));
        let whole = "b".repeat(MAX_LETTERS);
        assert_eq!(Name::from_network(&whole).as_str(), whole);
    }

    #[test]
    fn replaces_letters_that_cannot_be_shown() {
        assert_eq!(Name::from_network("山a").as_str(), "\u{fffd}a");
        assert_eq!(Name::from_network(" \u{200e} ").as_str(), "–");
    }

    proptest! {
        #[test]
        fn every_name_is_short_one_line_and_visible(text in any::<String>()) {
            let name = Name::from_network(&text);
            let shown = name.as_str();
            prop_assert!(!shown.is_empty() && shown.chars().count() <= MAX_LETTERS);
            prop_assert_eq!(shown.trim(), shown);
            prop_assert!(shown.chars().all(|letter| letters::has(letter) && !is_invisible(letter)));
        }
    }
}
