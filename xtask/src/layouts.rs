//! `cargo xtask layouts`: which keys write which characters, from the keyboard database of X.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::{debian, paths, say};

/// Makes the agent's keyboard layouts anew from xkeyboard-config and libX11's compose table.
///
/// The files are in the repository: this is for a newer database, or one more layout.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// What is needed: the databases, and a program that reads them.
const PACKAGES: [&str; 4] = ["libx11-data", "libxkbcommon-tools", "x11proto-dev", "xkb-data"];

/// Names of keysyms, with their Unicode in comments.
const KEYSYMS: &str = "/usr/include/X11/keysymdef.h";

/// What a dead key and another key make together.
const COMPOSE: &str = "/usr/share/X11/locale/en_US.UTF-8/Compose";

/// Where the layouts are.
const FOLDER: &str = "agent/src/machine/typing/layouts";

/// Layouts of all languages in Latin script that xkeyboard-config has keys for and that kiosks come with, as
/// `LAYOUT` or `LAYOUT-VARIANT` of its own names.
const LAYOUTS: [&str; 33] = [
    "at", "be", "br", "ca", "ch", "ch-fr", "cz", "de", "dk", "ee", "es", "fi", "fr", "gb", "hr",
    "hu", "ie", "is", "it", "latam", "lt", "lv", "nl", "no", "pl", "pt", "ro", "se", "si", "sk",
    "tr", "us", "us-intl",
];

/// evdev keys that write: the two rows of digits and letters and what is around them (`linux/input-event-codes.h`).
const WRITING: [std::ops::RangeInclusive<u16>; 5] = [2..=13, 16..=27, 30..=41, 43..=53, 57..=57];

/// The key between the left Shift and Z of European keyboards.
const EXTRA_KEY: u16 = 86;

/// X numbers keys from 8 on.
const OFFSET: u16 = 8;

/// Makes the files.
///
/// # Errors
/// When a database is missing or not understood.
pub(crate) fn run(_: &Args) -> Result<()> {
    debian::ensure_installed(&PACKAGES)?;
    let keysyms = Keysyms::read()?;
    let folder = paths::workspace().join(FOLDER);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let mut dead = BTreeSet::new();
    for layout in LAYOUTS {
        let text = write_layout(&keys_of(layout)?, &keysyms, &mut dead);
        fs::write(folder.join(format!("{layout}.txt")), text)?;
    }
    let composed = write_composed(&keysyms, &dead)?;
    fs::write(folder.join("composed.txt"), composed)?;
    say::result(&format!("{} layouts are in {FOLDER}", LAYOUTS.len()));
    Ok(())
}

/// Keysyms of each key, by level.
type Keys = BTreeMap<u16, Vec<String>>;

/// Has libxkbcommon resolve a layout.
fn keys_of(layout: &str) -> Result<Keys> {
    let (name, variant) = layout.split_once('-').unwrap_or((layout, ""));
    let output = Command::new("xkbcli")
        .args(["compile-keymap", "--layout", name, "--variant", variant])
        .output()
        .context("xkbcli")?;
    ensure!(output.status.success(), "{layout}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let mut codes = BTreeMap::new();
    for line in text.lines() {
        if let Some((name, number)) = line.trim().trim_end_matches(';').split_once('=')
            && name.trim().starts_with('<')
            && let Ok(number) = number.trim().parse::<u16>()
            && let Some(code) = number.checked_sub(OFFSET)
        {
            codes.insert(name.trim().to_owned(), code);
        }
    }
    let mut keys = Keys::new();
    for block in text.split("key <").skip(1) {
        let (name, rest) = block.split_once('>').context("a key without a name")?;
        let block = rest.split("};").next().unwrap_or(rest);
        let code = codes.get(&format!("<{name}>")).copied();
        let symbols = block.rsplit_once('[').and_then(|(_, list)| list.split_once(']'));
        if let (Some(code), Some((symbols, _))) = (code, symbols) {
            keys.insert(code, symbols.split(',').map(|name| name.trim().to_owned()).collect());
        }
    }
    ensure!(keys.len() > 40, "{layout} has only {} keys", keys.len());
    Ok(keys)
}

/// Unicode of keysyms.
struct Keysyms(BTreeMap<String, char>);

impl Keysyms {
    fn read() -> Result<Self> {
        let text = fs::read_to_string(KEYSYMS).context(KEYSYMS)?;
        let lines = text.lines().filter_map(|line| {
            let (name, comment) = line.strip_prefix("#define XK_")?.split_once(' ')?;
            let number = comment.split_once("/* U+")?.1.split(' ').next()?;
            let character = char::from_u32(u32::from_str_radix(number, 16).ok()?)?;
            Some((name.to_owned(), character))
        });
        Ok(Self(lines.collect()))
    }

    fn character(&self, name: &str) -> Option<char> {
        let number = || u32::from_str_radix(name.strip_prefix('U')?, 16).ok();
        self.0.get(name).copied().or_else(|| char::from_u32(number()?))
    }
}

/// How a symbol is written in the file: a character, `space`, the name of a dead key, or `none`.
fn symbol(name: &str, keysyms: &Keysyms, dead: &mut BTreeSet<String>) -> String {
    if name.starts_with("dead_") {
        dead.insert(name.to_owned());
        return name.to_owned();
    }
    match keysyms.character(name) {
        Some(' ') => "space".to_owned(),
        Some(character) if !character.is_whitespace() && !character.is_control() => {
            character.to_string()
        }
        _ => "none".to_owned(),
    }
}

fn write_layout(keys: &Keys, keysyms: &Keysyms, dead: &mut BTreeSet<String>) -> String {
    let mut text = String::from(
        "# Key (linux/input-event-codes.h): alone, with Shift, with AltGr, with both.\n\
         # From xkeyboard-config by `cargo xtask layouts`.\n",
    );
    let codes = WRITING.into_iter().flatten().chain([EXTRA_KEY]);
    for code in codes {
        let Some(names) = keys.get(&code) else { continue };
        let mut symbols: Vec<String> =
            names.iter().take(4).map(|name| symbol(name, keysyms, dead)).collect();
        while symbols.last().is_some_and(|symbol| symbol == "none") {
            symbols.pop();
        }
        if !symbols.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{code} {}", symbols.join(" "));
        }
    }
    text
}

/// What each dead key makes of each character, for the dead keys that the layouts have and results in Latin script.
fn write_composed(keysyms: &Keysyms, dead: &BTreeSet<String>) -> Result<String> {
    let text = fs::read_to_string(COMPOSE).context(COMPOSE)?;
    let mut out = String::from(
        "# Dead key, the key after it, what both make.\n\
         # From libX11's compose table by `cargo xtask layouts`.\n",
    );
    let mut seen = BTreeSet::new();
    for line in text.lines() {
        let Some((keys, result)) = line.split_once(':') else { continue };
        let names: Vec<&str> =
            keys.split_whitespace().map(|name| name.trim_matches(['<', '>'])).collect();
        let [first, second] = *names else { continue };
        // The quotation mark itself is written with a backslash.
        let result = result.trim_start().strip_prefix('"').unwrap_or_default();
        let mut characters = result.strip_prefix('\\').unwrap_or(result).chars();
        let (Some(made), Some('"')) = (characters.next(), characters.next()) else { continue };
        let is_latin = matches!(made, '!'..='~' | '\u{a1}'..='\u{24f}' | '\u{2c6}'..='\u{2dd}' | '\u{1e00}'..='\u{1eff}');
        let base =
            keysyms.character(second).filter(|base| base.is_ascii() || is_latin_letter(*base));
        if let Some(base) = base
            && dead.contains(first)
            && is_latin
            && seen.insert((first.to_owned(), made))
        {
            let base = if base == ' ' { "space".to_owned() } else { base.to_string() };
            let _ = writeln!(out, "{first} {base} {made}");
        }
    }
    ensure!(seen.len() > 100, "only {} characters are composed", seen.len());
    Ok(out)
}

fn is_latin_letter(character: char) -> bool {
    matches!(character, '\u{c0}'..='\u{24f}')
}
