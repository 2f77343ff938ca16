//! Checks of names, words and documents.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use toml::Table;

use super::code::words as lone_words;
use super::tree::{File, Tree, line_of};
use super::{Checked, Finding};

/// Names that say nothing about what is in a file or folder.
const EMPTY_NAMES: [&str; 8] =
    ["common", "helper", "helpers", "misc", "shared", "stuff", "util", "utils"];

/// Marks of unfinished work.
const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Digits of a hash in a document.
const HASH_DIGITS: usize = 12;

/// Every crate lives under the workspace's lints.
///
/// # Errors
/// When the root's `Cargo.toml` is missing or broken.
pub(super) fn lints_inherited(tree: &Tree) -> Result<Checked> {
    let root = tree.file("Cargo.toml").context("there is no Cargo.toml")?;
    let root: Table = root.text.parse().context("Cargo.toml")?;
    let members = root.get("workspace").and_then(|v| v.get("members")?.as_array());
    let mut checked = Checked::default();
    for member in members.into_iter().flatten().filter_map(|member| member.as_str()) {
        checked.looked_at += 1;
        let path = format!("{member}/Cargo.toml");
        let manifest: Option<Table> = tree.file(&path).and_then(|file| file.text.parse().ok());
        let inherits = manifest
            .as_ref()
            .and_then(|table| table.get("lints")?.get("workspace")?.as_bool())
            .unwrap_or_default();
        if !inherits {
            checked.findings.push(Finding::new(
                &path,
                1,
                "the workspace's lints do not hold here",
                "add `[lints]` with `workspace = true`",
            ));
        }
    }
    Ok(checked)
}

/// Names of files and folders say what is inside.
pub(super) fn file_names(tree: &Tree) -> Checked {
    let mut checked = Checked::default();
    for file in &tree.files {
        checked.looked_at += 1;
        let empty = file
            .path
            .split('/')
            .find(|part| EMPTY_NAMES.contains(&part.split('.').next().unwrap_or_default()));
        if let Some(name) = empty {
            checked.findings.push(Finding::new(
                &file.path,
                1,
                format!("`{name}` says nothing about what is in it"),
                "name it for what it does, or put its parts where they are used",
            ));
        }
    }
    checked
}

/// What belongs to this machine and must not be written down: where the checkout and the home
/// folder are, and the lines of `.git/info/forbidden-words` (names of customers, hosts, …),
/// which stays on the machine.
pub(super) fn machine_words(root: &Path) -> Vec<String> {
    let mut words = Vec::new();
    let home = env::var_os("HOME").filter(|home| home != "/root");
    for folder in [Some(root.as_os_str().to_owned()), home].into_iter().flatten() {
        words.extend(folder.into_string().ok().filter(|path| path.len() > 1));
    }
    let list =
        git_path(root, "info/forbidden-words").and_then(|path| fs::read_to_string(path).ok());
    let list = list.unwrap_or_default();
    words.extend(list.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned));
    words
}

/// Where git keeps a file of its own; other than below `.git` in a linked worktree.
fn git_path(root: &Path, name: &str) -> Option<PathBuf> {
    let asked =
        Command::new("git").args(["rev-parse", "--git-path", name]).current_dir(root).output();
    let path =
        String::from_utf8(asked.ok().filter(|output| output.status.success())?.stdout).ok()?;
    Some(root.join(path.trim_end()))
}

/// No words of this machine, no marks of unfinished work.
pub(super) fn words(tree: &Tree, machine: &[String]) -> Checked {
    let mut checked = Checked::default();
    for file in tree.files.iter().filter(|file| file.name() != "Cargo.lock") {
        checked.looked_at += 1;
        let lower = file.text.to_lowercase();
        for word in machine {
            for at in machine_word(&lower, &word.to_lowercase()) {
                checked.findings.push(Finding::new(
                    &file.path,
                    line_of(&lower, at),
                    format!("`{word}` belongs to this machine"),
                    "say it in a way that is true everywhere",
                ));
            }
        }
        for mark in MARKS {
            for range in lone_words(&file.text, mark) {
                checked.findings.push(Finding::new(
                    &file.path,
                    line_of(&file.text, range.start),
                    format!("`{mark}`: something is unfinished"),
                    "finish it, or write it down where open points are kept",
                ));
            }
        }
    }
    checked
}

/// Where `word` begins, if it is not just the end of a longer word or path.
fn machine_word<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | '*');
    text.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = text.get(..*at).and_then(|head| head.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|tail| tail.chars().next());
        !before.is_some_and(part) && !after.is_some_and(|c| c.is_alphanumeric())
    })
}

/// The README has a line for each folder at the root.
pub(super) fn readme(tree: &Tree) -> Checked {
    let mut checked = Checked::default();
    let text = tree.file("README.md").map_or("", |file| file.text.as_str());
    let mut folders: Vec<&str> = tree
        .files
        .iter()
        .filter_map(|file| file.path.split_once('/'))
        .map(|(folder, _)| folder)
        .filter(|folder| !folder.starts_with('.'))
        .collect();
    folders.dedup();
    for folder in folders {
        checked.looked_at += 1;
        if !text.contains(&format!("`{folder}/`")) && !text.contains(&format!("]({folder}/")) {
            checked.findings.push(Finding::new(
                "README.md",
                1,
                format!("the folder `{folder}/` is not mentioned"),
                "add a line that says what lives there",
            ));
        }
    }
    checked
}

/// In `docs/attacks.md`, once there, every row of a table with a column *Test* names tests that
/// exist, in backticks, with or without the path before the last `::`.
pub(super) fn attacks(tree: &Tree) -> Checked {
    let mut checked = Checked::default();
    let Some(file) = tree.file("docs/attacks.md") else { return checked };
    let mut column = None;
    for (line, text) in (1..).zip(file.text.lines()) {
        let cells: Vec<&str> = text.trim().trim_matches('|').split('|').map(str::trim).collect();
        if !text.trim_start().starts_with('|') {
            column = None;
        } else if let Some(column) = column {
            let Some(cell) = cells.get::<usize>(column).filter(|cell| !is_ruler(cell)) else {
                continue;
            };
            checked.looked_at += 1;
            row_of_attack(tree, file, line, cell, &mut checked);
        } else {
            column = cells.iter().position(|cell| cell.to_lowercase().starts_with("test"));
        }
    }
    if checked.looked_at == 0 {
        checked.findings.push(Finding::new(
            &file.path,
            1,
            "no table with a column `Test`",
            "name the test that shows each attack to fail",
        ));
    }
    checked
}

/// The line under a table's head.
fn is_ruler(cell: &str) -> bool {
    !cell.is_empty() && cell.chars().all(|c| matches!(c, '-' | ':'))
}

fn row_of_attack(tree: &Tree, file: &File, line: usize, cell: &str, checked: &mut Checked) {
    let mut finding = |what: String| {
        checked.findings.push(Finding::new(
            &file.path,
            line,
            what,
            "name a test function, or write the test",
        ));
    };
    let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
    if names.is_empty() {
        finding("an attack without a test".to_owned());
    }
    for path in names {
        let name = path.rsplit("::").next().unwrap_or_default();
        let function = format!("fn {name}");
        let exists = tree.sources().any(|file| lone_words(&file.text, &function).next().is_some());
        if !exists {
            finding(format!("there is no test `{name}`"));
        }
    }
}

/// Documents that describe source files bear the hash of what they describe:
/// `<!-- documents: PATH sha256:HASH -->`, one for each file.
pub(super) fn documented(tree: &Tree) -> Checked {
    const OPENING: &str = "<!-- documents: ";
    let mut checked = Checked::default();
    for file in tree.files.iter().filter(|file| file.path.ends_with(".md")) {
        for (line, text) in (1..).zip(file.text.lines()) {
            let Some(mark) = text.trim().strip_prefix(OPENING) else { continue };
            checked.looked_at += 1;
            let mut parts = mark.split_whitespace();
            let path = parts.next().unwrap_or_default();
            let stated = parts.next().and_then(|hash| hash.strip_prefix("sha256:"));
            let Some(source) = tree.file(path) else {
                let what = format!("describes {path}, which does not exist");
                checked.findings.push(Finding::new(
                    &file.path,
                    line,
                    what,
                    "name the file as it is called now",
                ));
                continue;
            };
            let hash = short_hash(&source.text);
            if stated != Some(hash.as_str()) {
                checked.findings.push(Finding::new(
                    &file.path,
                    line,
                    format!("{path} has changed since it was described"),
                    format!("bring the text up to date, then write sha256:{hash}"),
                ));
            }
        }
    }
    if tree.file("docs/protocol.md").is_some_and(|file| !file.text.contains(OPENING)) {
        checked.findings.push(Finding::new(
            "docs/protocol.md",
            1,
            "does not say which files it describes",
            "add `<!-- documents: PATH sha256:… -->` for each",
        ));
    }
    checked
}

/// The first digits of a text's SHA-256.
fn short_hash(text: &str) -> String {
    let digits =
        Sha256::digest(text.as_bytes()).into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.take(HASH_DIGITS).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(checked: &Checked) -> Vec<(&str, usize)> {
        checked.findings.iter().map(|f| (f.file.as_str(), f.line)).collect()
    }

    #[test]
    fn a_crate_without_the_lints_is_found() {
        let root = ("Cargo.toml", "[workspace]\nmembers = [\"a\", \"b\", \"c\"]");
        let tree = Tree::of(&[
            root,
            ("a/Cargo.toml", "[lints]\nworkspace = true"),
            ("b/Cargo.toml", "[lints.rust]\nunsafe_code = \"allow\""),
            ("c/Cargo.toml", "[package]"),
        ]);
        let found = lints_inherited(&tree).unwrap();
        assert_eq!(places(&found), [("b/Cargo.toml", 1), ("c/Cargo.toml", 1)]);
        assert!(lints_inherited(&Tree::default()).is_err());
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        let tree = Tree::of(&[("a/utility.rs", ""), ("a/util.rs", ""), ("common/b.rs", "")]);
        assert_eq!(places(&file_names(&tree)), [("a/util.rs", 1), ("common/b.rs", 1)]);
    }

    #[test]
    fn words_of_the_machine_are_found() {
        let machine = ["/srv/build".to_owned(), "Acme".to_owned()];
        let good = Tree::of(&[("a.md", "target/srv/building, acmeology, ~/srv/builds")]);
        assert_eq!(words(&good, &machine).findings, []);
        let bad = Tree::of(&[("a.md", "x\n/srv/build/main\nby ACME.\n")]);
        assert_eq!(places(&words(&bad, &machine)), [("a.md", 2), ("a.md", 3)]);
    }

    #[test]
    fn marks_of_unfinished_work_are_found() {
        let [first, ..] = MARKS;
        let tree =
            Tree::of(&[("a.rs", &format!("//! Doc.\n// {first}: later")), ("b.rs", "to do")]);
        assert_eq!(places(&words(&tree, &[])), [("a.rs", 2)]);
    }

    #[test]
    fn a_folder_that_the_readme_forgets_is_found() {
        let text = "| `agent/` | the program |\n[docs](docs/index.md)";
        let tree =
            Tree::of(&[("README.md", text), ("agent/a", ""), ("docs/x", ""), (".ci/run", "")]);
        assert_eq!(readme(&tree).findings, []);
        let tree = Tree::of(&[("README.md", text), ("fuzz/a", ""), ("hal/b", "")]);
        let found = readme(&tree);
        assert_eq!(found.findings.len(), 2);
        assert!(found.findings[0].what.contains("`fuzz/`"));
    }

    #[test]
    fn attacks_without_a_test_that_exists_are_found() {
        let source = ("a.rs", "#[test]\nfn rejects_replay() {}");
        let table = |cell: &str| {
            format!("# Attacks\n\n| Attack | Test |\n|---|---|\n| replay | {cell} |\n")
        };
        let check = |text: &str| attacks(&Tree::of(&[source, ("docs/attacks.md", text)]));
        assert_eq!(check(&table("`rejects_replay`")).findings, []);
        assert_eq!(check(&table("`protocol::rejects_replay`")).findings, []);
        assert_eq!(places(&check(&table("`rejects_replays`"))), [("docs/attacks.md", 5)]);
        assert_eq!(places(&check(&table(""))), [("docs/attacks.md", 5)]);
        assert_eq!(places(&check("no table")), [("docs/attacks.md", 1)]);
        assert_eq!(attacks(&Tree::of(&[source])).findings, []);
    }

    #[test]
    fn a_document_behind_its_source_is_found() {
        let source = ("protocol/src/a.rs", "abc");
        let check = |mark: &str| documented(&Tree::of(&[source, ("docs/protocol.md", mark)]));
        // FIPS 180-2, appendix B.1: SHA-256 of "abc".
        let good = "<!-- documents: protocol/src/a.rs sha256:ba7816bf8f01 -->";
        assert_eq!(check(good).findings, []);
        assert_eq!(check(good).looked_at, 1);
        for bad in [
            "<!-- documents: protocol/src/a.rs sha256:ba7816bf8f02 -->",
            "<!-- documents: protocol/src/b.rs sha256:ba7816bf8f01 -->",
            "<!-- documents: protocol/src/a.rs -->",
            "nothing",
        ] {
            assert_eq!(places(&check(bad)), [("docs/protocol.md", 1)]);
        }
    }
}
