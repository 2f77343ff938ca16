//! Which keys of the machine's keyboard write a character.
//!
//! A program that is typed at knows keys, not characters: it looks the characters up in *its* keyboard layout. So text is
//! turned around through the same layout here. The tables are those of xkeyboard-config (`layouts/`, see
//! `cargo xtask layouts`), with libX11's table of what dead keys make (`composed.txt`).

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use lotse_hal::KeyCode;

/// Names of the layouts, each with its table.
macro_rules! layouts {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("layouts/", $name, ".txt")))),*]
    };
}

/// Layouts by their names in X.
const LAYOUTS: [(&str, &str); 33] = layouts!(
    "at" "be" "br" "ca" "ch" "ch-fr" "cz" "de" "dk" "ee" "es" "fi" "fr" "gb" "hr" "hu" "ie" "is"
    "it" "latam" "lt" "lv" "nl" "no" "pl" "pt" "ro" "se" "si" "sk" "tr" "us" "us-intl"
);

/// What dead keys make of the key after them.
const COMPOSED: &str = include_str!("layouts/composed.txt");

/// The layout where nothing says which.
pub const DEFAULT: &str = "us";

/// Where systems say which layout they have, and under which names: Debian's keyboard(5), systemd's vconsole.conf(5).
const SYSTEM_FILES: [(&str, &str, &str); 3] = [
    ("/etc/default/keyboard", "XKBLAYOUT", "XKBVARIANT"),
    ("/etc/vconsole.conf", "XKBLAYOUT", "XKBVARIANT"),
    ("/etc/vconsole.conf", "KEYMAP", ""),
];

/// Longest system file that is read, bytes.
const MAX_FILE: u64 = 64 << 10;

const KEY_TAB: KeyCode = KeyCode(15);
const KEY_ENTER: KeyCode = KeyCode(28);

/// A key with what must be held while it is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stroke {
    pub(super) key: KeyCode,
    pub(super) shift: bool,
    pub(super) alt_gr: bool,
}

/// One stroke, or two where the first is a dead key.
pub(super) type Strokes = (Stroke, Option<Stroke>);

/// A layout, turned around.
#[derive(Clone)]
pub struct KeyboardLayout {
    name: &'static str,
    strokes: HashMap<char, Strokes>,
}

/// There is no layout of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no keyboard layout is called {name:?}; there are auto, {}", names().join(", "))]
pub struct UnknownLayout {
    name: String,
}

/// The names of all layouts.
fn names() -> Vec<&'static str> {
    LAYOUTS.iter().map(|(name, _)| *name).collect()
}

impl KeyboardLayout {
    /// The layout of this name, as in X: `de`, or with a variant, `ch-fr`. With `auto` the one that the system is set to.
    ///
    /// # Errors
    /// When there is none of that name; with `auto`, never.
    pub fn named(name: &str) -> Result<Self, UnknownLayout> {
        if name == "auto" {
            return Ok(Self::of_system());
        }
        let found = LAYOUTS.iter().find(|(known, _)| *known == name);
        let (name, table) = found.ok_or_else(|| UnknownLayout { name: name.to_owned() })?;
        Ok(Self { name, strokes: turn_around(table) })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.name
    }

    fn of_system() -> Self {
        for (file, layout, variant) in SYSTEM_FILES {
            let path = Path::new(file);
            if std::fs::metadata(path).is_ok_and(|found| found.len() <= MAX_FILE)
                && let Ok(text) = std::fs::read_to_string(path)
                && let Some(layout) = system_layout(&text, layout, variant)
            {
                return layout;
            }
        }
        Self::named(DEFAULT).unwrap_or_else(|_| Self { name: DEFAULT, strokes: HashMap::new() })
    }

    /// How a character is typed; `None` if this layout cannot.
    pub(super) fn strokes(&self, character: char) -> Option<Strokes> {
        let plain = |key| Stroke { key, shift: false, alt_gr: false };
        match character {
            '\n' => Some((plain(KEY_ENTER), None)),
            '\t' => Some((plain(KEY_TAB), None)),
            _ => self.strokes.get(&character).copied(),
        }
    }
}

impl fmt::Debug for KeyboardLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyboardLayout").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The layout that a file of shell variables names; the first, where it names several.
fn system_layout(text: &str, layout: &str, variant: &str) -> Option<KeyboardLayout> {
    let value = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.trim().split_once('='));
        let value = lines.rfind(|(key, _)| *key == name)?.1;
        let first = value.trim_matches(['"', '\'']).split(',').next()?.trim();
        (!first.is_empty()).then(|| first.to_owned())
    };
    let layout = value(layout)?;
    if let Some(variant) = value(variant) {
        // A variant that is not known, as `nodeadkeys`, has the same letters.
        if let Ok(found) = KeyboardLayout::named(&format!("{layout}-{variant}")) {
            return Some(found);
        }
    }
    // Consoles call them `de-latin1` and `uk`.
    let short = layout.split('-').next().unwrap_or(&layout);
    let short = if short == "uk" { "gb" } else { short };
    [layout.as_str(), short]
        .into_iter()
        .filter(|name| *name != "auto")
        .find_map(|name| KeyboardLayout::named(name).ok())
}

/// From "what does a key write" to "which key writes".
fn turn_around(table: &str) -> HashMap<char, Strokes> {
    let mut strokes = HashMap::new();
    let mut dead = HashMap::new();
    // First the keys alone, then with Shift, then with AltGr: the least to hold wins.
    for level in 0..4 {
        for line in rows(table) {
            let mut words = line.split(' ');
            let Some(key) = words.next().and_then(|key| key.parse().ok()) else { continue };
            let stroke = Stroke { key: KeyCode(key), shift: level % 2 == 1, alt_gr: level >= 2 };
            let Some(symbol) = words.nth(level) else { continue };
            if symbol.starts_with("dead_") {
                dead.entry(symbol).or_insert(stroke);
            } else if let Some(character) = character(symbol) {
                strokes.entry(character).or_insert((stroke, None));
            }
        }
    }
    for line in rows(COMPOSED) {
        let mut words = line.split(' ');
        let (Some(first), Some(base), Some(made)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let base = character(base).and_then(|base| strokes.get(&base).copied());
        if let (Some(dead), Some((second, None)), Some(made)) =
            (dead.get(first), base, character(made))
        {
            strokes.entry(made).or_insert((*dead, Some(second)));
        }
    }
    strokes
}

fn rows(table: &str) -> impl Iterator<Item = &str> {
    table.lines().filter(|line| !line.starts_with("# "))
}

/// A symbol of the tables, if it is a character.
fn character(symbol: &str) -> Option<char> {
    if symbol == "space" {
        return Some(' ');
    }
    let mut characters = symbol.chars();
    let character = characters.next()?;
    characters.next().is_none().then_some(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(name: &str) -> KeyboardLayout {
        KeyboardLayout::named(name).unwrap()
    }

    fn can_type(name: &str, text: &str) -> bool {
        let layout = layout(name);
        text.chars().all(|character| layout.strokes(character).is_some())
    }

    const fn stroke(key: u16, shift: bool, alt_gr: bool) -> Stroke {
        Stroke { key: KeyCode(key), shift, alt_gr }
    }

    #[test]
    fn letters_are_where_the_layout_has_them() {
        // linux/input-event-codes.h: KEY_Z 44, KEY_Y 21, KEY_Q 16, KEY_A 30.
        assert_eq!(layout("us").strokes('z'), Some((stroke(44, false, false), None)));
        assert_eq!(layout("de").strokes('z'), Some((stroke(21, false, false), None)));
        assert_eq!(layout("fr").strokes('q'), Some((stroke(30, false, false), None)));
        assert_eq!(layout("fr").strokes('1'), Some((stroke(2, true, false), None)));
        assert_eq!(layout("de").strokes('@'), Some((stroke(16, false, true), None)));
        assert_eq!(layout("gb").strokes('"'), Some((stroke(3, true, false), None)));
        assert_eq!(layout("us").strokes('ß'), None);
    }

    #[test]
    fn what_has_no_key_is_made_with_a_dead_one() {
        let acute = stroke(40, false, false);
        assert_eq!(layout("es").strokes('á'), Some((acute, Some(stroke(30, false, false)))));
        assert_eq!(layout("es").strokes('É'), Some((acute, Some(stroke(18, true, false)))));
        let circumflex = stroke(26, false, false);
        assert_eq!(layout("fr").strokes('ê'), Some((circumflex, Some(stroke(18, false, false)))));
    }

    #[test]
    fn every_language_can_be_typed_on_its_own_keyboard() {
        for (names, text) in [
            ("de at ch", "Grüße, Straße €"),
            ("fr be ch-fr", "Où êtes-vous ? À bientôt, garçon !"),
            ("es latam", "¿Qué tal, señor?"),
            ("pl", "Zażółć gęślą jaźń"),
            ("it", "Perché è così"),
            ("pt br", "Não há açúcar, avó"),
            ("cz sk", "příliš žluťoučký kůň"),
            ("se fi", "Räksmörgås på ö"),
            ("dk no", "blåbærgrød"),
            ("hu", "árvíztűrő tükörfúrógép"),
            ("tr", "İşçi ğüneş ıssız"),
            ("ro", "țară și brânză"),
            ("nl", "coördinatie é"),
            ("lt", "ąčęėįšųūž"),
            ("is", "þóra æði"),
        ] {
            for name in names.split(' ') {
                // Switzerland writes ss.
                let text = if name == "ch" { "Grüsse, Strasse €" } else { text };
                assert!(can_type(name, text), "{name}: {text}");
            }
        }
    }

    #[test]
    fn every_layout_types_ascii_and_each_stroke_writes_what_it_is_for() {
        let ascii: String = (' '..='~').collect();
        for (name, table) in LAYOUTS {
            let layout = layout(name);
            let missing: String =
                ascii.chars().filter(|character| layout.strokes(*character).is_none()).collect();
            assert_eq!(missing, "", "{name}");
            for (character, (stroke, second)) in &layout.strokes {
                let written = symbol_of(table, *stroke);
                match second {
                    None => assert_eq!(super::character(written), Some(*character), "{name}"),
                    Some(second) => {
                        let base = symbol_of(table, *second);
                        let row = format!("{written} {base} {character}");
                        assert!(rows(COMPOSED).any(|line| line == row), "{name}: {row}");
                    }
                }
            }
        }
    }

    /// What a stroke writes, read from the table as a keyboard driver does.
    fn symbol_of(table: &str, stroke: Stroke) -> &str {
        let key = format!("{} ", stroke.key.0);
        let row = rows(table).find_map(|line| line.strip_prefix(&key)).unwrap();
        let level = usize::from(stroke.shift) + 2 * usize::from(stroke.alt_gr);
        row.split(' ').nth(level).unwrap()
    }

    #[test]
    fn the_system_says_which_layout_it_has() {
        let named = |text: &str| {
            let [(_, layout, variant), _, (_, keymap, _)] = SYSTEM_FILES;
            let found =
                system_layout(text, layout, variant).or_else(|| system_layout(text, keymap, ""))?;
            Some(found.name)
        };
        let debian = "XKBMODEL=\"pc105\"\nXKBLAYOUT=\"de\"\nXKBVARIANT=\"nodeadkeys\"\n";
        assert_eq!(named(debian), Some("de"));
        assert_eq!(named("XKBLAYOUT=\"ch,us\"\nXKBVARIANT=\"fr,\"\n"), Some("ch-fr"));
        assert_eq!(named("KEYMAP=de-latin1-nodeadkeys"), Some("de"));
        assert_eq!(named("KEYMAP=uk"), Some("gb"));
        for text in ["", "XKBLAYOUT=\"\"", "XKBLAYOUT=\"auto\"", "KEYMAP=dvorak", "XKBLAYOUT"] {
            assert_eq!(named(text), None, "{text}");
        }
    }

    #[test]
    fn an_unknown_layout_is_told_with_those_there_are() {
        let error = KeyboardLayout::named("tlh").unwrap_err().to_string();
        assert!(error.contains("tlh") && error.contains("auto, at,"), "{error}");
    }
}
