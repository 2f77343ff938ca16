//! Checks of Rust sources.

use super::code::{covered_by, functions, words};
use super::tree::{File, Part, Tree, line_of};
use super::{Checked, Finding};

/// The only place for `unsafe`.
const UNSAFE_FOLDER: &str = "hal/src/linux/sys/";
/// Lines of a file outside tests: to look at again, and too many.
const FILE_LINES: (usize, usize) = (500, 800);
/// Lines of code in a function: to look at again, and too many.
const FUNCTION_LINES: (usize, usize) = (60, 100);

/// Applies `check` to the product's part of every source: its blanked code.
fn each(tree: &Tree, check: impl Fn(&File, &str, &mut Checked)) -> Checked {
    let mut checked = Checked::default();
    for file in tree.sources() {
        checked.looked_at += 1;
        check(file, &file.product_code(), &mut checked);
    }
    checked
}

/// `unsafe` is in one folder only.
pub(super) fn unsafe_code(tree: &Tree) -> Checked {
    let mut checked = Checked::default();
    for file in tree.sources().filter(|file| !file.path.starts_with(UNSAFE_FOLDER)) {
        checked.looked_at += 1;
        let code = super::code::blank(&file.text);
        for range in words(&code, "unsafe") {
            checked.findings.push(Finding::new(
                &file.path,
                line_of(&code, range.start),
                "`unsafe` outside its folder",
                format!("put it behind a safe function in {UNSAFE_FOLDER}, with its reason"),
            ));
        }
    }
    checked
}

/// Files are short enough to be read in one sitting.
pub(super) fn file_length(tree: &Tree) -> Checked {
    each(tree, |file, _, checked| {
        let lines = match file.part() {
            Part::Test => 0,
            Part::Product => file.text.lines().count() - test_lines(&file.text),
        };
        let finding = |limit: usize| {
            Finding::new(
                &file.path,
                1,
                format!("{lines} lines without tests, {limit} are the limit"),
                "split it by what its parts are about",
            )
        };
        match lines {
            n if n > FILE_LINES.1 => checked.findings.push(finding(FILE_LINES.1)),
            n if n > FILE_LINES.0 => checked.soft.push(finding(FILE_LINES.0)),
            _ => {}
        }
    })
}

/// Lines of what is compiled for tests only.
fn test_lines(text: &str) -> usize {
    let code = super::code::blank(text);
    super::code::test_ranges(&code)
        .into_iter()
        .map(|range| code.get(range).unwrap_or_default().lines().count())
        .sum()
}

/// Functions are short enough to be understood at once.
pub(super) fn function_length(tree: &Tree) -> Checked {
    each(tree, |file, code, checked| {
        for function in functions(code) {
            let finding = |limit: usize| {
                Finding::new(
                    &file.path,
                    line_of(code, function.at),
                    format!(
                        "`{}` has {} lines of code, {limit} are the limit",
                        function.name, function.lines
                    ),
                    "give a step of it a name of its own",
                )
            };
            match function.lines {
                n if n > FUNCTION_LINES.1 => checked.findings.push(finding(FUNCTION_LINES.1)),
                n if n > FUNCTION_LINES.0 => checked.soft.push(finding(FUNCTION_LINES.0)),
                _ => {}
            }
        }
    })
}

/// Every source says first what it is about.
pub(super) fn module_docs(tree: &Tree) -> Checked {
    let mut checked = Checked::default();
    for file in tree.sources() {
        checked.looked_at += 1;
        let documented = file
            .text
            .strip_prefix("//!")
            .is_some_and(|rest| rest.lines().next().is_some_and(|line| line.trim().len() > 3));
        if !documented {
            checked.findings.push(Finding::new(
                &file.path,
                1,
                "no module documentation",
                "begin the file with `//! ` and what it is about",
            ));
        }
    }
    checked
}

/// No panic on what comes from outside. Where an `#[expect]` of clippy's lint says on the spot
/// why the case cannot be, it is believed.
pub(super) fn unwraps(tree: &Tree) -> Checked {
    const CALLS: [(&str, &str); 4] = [
        (".unwrap()", "unwrap_used"),
        (".unwrap_err()", "unwrap_used"),
        (".expect(", "expect_used"),
        (".expect_err(", "expect_used"),
    ];
    each(tree, |file, code, checked| {
        for (call, lint) in CALLS {
            let reasoned = covered_by(code, lint);
            for (at, _) in code.match_indices(call) {
                if reasoned.iter().any(|range| range.contains(&at)) {
                    continue;
                }
                checked.findings.push(Finding::new(
                    &file.path,
                    line_of(code, at),
                    format!("`{call}` outside tests"),
                    "return the error, or shape the code so that the case cannot be",
                ));
            }
        }
    })
}

/// A silenced lint says why, and speaks up when the reason is gone.
pub(super) fn bare_allow(tree: &Tree) -> Checked {
    let mut checked = Checked::default();
    for file in tree.sources() {
        checked.looked_at += 1;
        let code = super::code::blank(&file.text);
        for opening in ["#[allow(", "#![allow("] {
            for (at, _) in code.match_indices(opening) {
                let attribute = code.get(at..).and_then(|tail| tail.split(']').next());
                if attribute.is_some_and(|attribute| words(attribute, "reason").next().is_some()) {
                    continue;
                }
                checked.findings.push(Finding::new(
                    &file.path,
                    line_of(&code, at),
                    "a lint is silenced without a reason",
                    "write #[expect(LINT, reason = \"…\")], which also tells when it is not needed any more",
                ));
            }
        }
    }
    checked
}

/// Nothing is left for later.
pub(super) fn unfinished(tree: &Tree) -> Checked {
    let mut checked = Checked::default();
    for file in tree.sources() {
        checked.looked_at += 1;
        let code = super::code::blank(&file.text);
        for name in ["todo", "unimplemented", "dbg"] {
            for range in words(&code, name) {
                if code.get(range.end..).is_some_and(|tail| tail.starts_with('!')) {
                    checked.findings.push(Finding::new(
                        &file.path,
                        line_of(&code, range.start),
                        format!("`{name}!` in the code"),
                        "finish it, or leave it out and write down what is missing",
                    ));
                }
            }
        }
    }
    checked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(check: fn(&Tree) -> Checked, good: (&str, &str), bad: (&str, &str), line: usize) {
        let clean = check(&Tree::of(&[good]));
        assert_eq!(clean.findings, []);
        let broken = check(&Tree::of(&[good, bad]));
        let places: Vec<_> = broken.findings.iter().map(|f| (f.file.as_str(), f.line)).collect();
        assert_eq!(places, [(bad.0, line)]);
    }

    #[test]
    fn unsafe_code_is_found_outside_its_folder() {
        let code = "//! Doc.\n// unsafe\nunsafe fn f() {}\n";
        finds(unsafe_code, ("hal/src/linux/sys/mmap.rs", code), ("agent/src/a.rs", code), 3);
        finds(unsafe_code, ("a.rs", "let unsafe_ = \"unsafe\";"), ("b.rs", "unsafe {}"), 1);
    }

    #[test]
    fn long_files_are_found_without_their_tests() {
        let code = "// x\n".repeat(799);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "// y\n".repeat(900));
        let fits = format!("{code}{tests}");
        finds(file_length, ("a.rs", &fits), ("b.rs", &format!("{code}\n\n{tests}")), 1);
        finds(
            file_length,
            ("a/tests/it.rs", &"//\n".repeat(900)),
            ("b.rs", &"//\n".repeat(801)),
            1,
        );
        assert_eq!(file_length(&Tree::of(&[("a.rs", &fits)])).soft.len(), 1);
    }

    #[test]
    fn long_functions_are_found() {
        let function = |lines| format!("\nfn f() {{\n{}}}\n", "    x();\n\n".repeat(lines));
        finds(function_length, ("a.rs", &function(100)), ("b.rs", &function(101)), 2);
        assert_eq!(function_length(&Tree::of(&[("a.rs", &function(61))])).soft.len(), 1);
        assert_eq!(function_length(&Tree::of(&[("a.rs", &function(60))])).soft.len(), 0);
    }

    #[test]
    fn missing_module_docs_are_found() {
        finds(module_docs, ("a.rs", "//! What it is.\n"), ("b.rs", "fn f() {}\n"), 1);
        finds(module_docs, ("a.rs", "//! What it is.\n"), ("b.rs", "//!\n//! x\n"), 1);
    }

    #[test]
    fn unwraps_are_found_outside_tests() {
        let code = "//! .unwrap()\nfn f() {\n    g().unwrap();\n}\n";
        let tested = format!("//! Doc.\n#[cfg(test)]\nmod tests {{\n{code}}}\n");
        finds(unwraps, ("a.rs", &tested), ("b.rs", code), 3);
        finds(unwraps, ("a/src/tests.rs", code), ("b.rs", "x.expect(\"y\")"), 1);
        finds(unwraps, ("a.rs", "x.unwrap_or(1)"), ("b.rs", "x.unwrap_err()"), 1);
        let reasoned =
            "#[expect(clippy::expect_used, reason = \"r\")]\nfn f() { x.expect(\"y\") }\n";
        let next = format!("{reasoned}fn g() {{ x.expect(\"y\") }}");
        finds(unwraps, ("a.rs", reasoned), ("b.rs", &next), 3);
    }

    #[test]
    fn silenced_lints_need_a_reason() {
        let good = "#[expect(dead_code, reason = \"x\")]\n#[allow(unused, reason = \"y\")]";
        finds(bare_allow, ("a.rs", good), ("b.rs", "\n#![allow(dead_code)]"), 2);
    }

    #[test]
    fn unfinished_code_is_found() {
        finds(unfinished, ("a.rs", "// todo!()\nlet todo = 1;"), ("b.rs", "fn f() { todo!() }"), 1);
    }
}
