//! The files of the project, as git sees them.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::code;

/// One text file.
#[derive(Debug)]
pub(super) struct File {
    /// Path from the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
}

/// The project's text files, in order of their paths.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) files: Vec<File>,
}

/// Who a source file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Part of a program or library.
    Product,
    /// Runs only in tests.
    Test,
}

impl Tree {
    /// Reads what git has or would add; files that are not UTF-8 are left out.
    ///
    /// # Errors
    /// When git does not answer.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let output = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("cannot start git, which knows the project's files")?;
        if !output.status.success() {
            bail!("git ls-files: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let list = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
        let mut paths: Vec<&str> = list.split_terminator('\0').collect();
        paths.sort_unstable();
        paths.dedup();
        let files = paths
            .into_iter()
            .filter_map(|path| {
                // Deleted but not yet committed, or not text.
                let text = String::from_utf8(fs::read(root.join(path)).ok()?).ok()?;
                Some(File { path: path.to_owned(), text })
            })
            .collect();
        Ok(Self { files })
    }

    /// The Rust sources.
    pub(super) fn sources(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// One file by its path.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// A tree for tests of checks.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Self { files: files.iter().map(file).collect() }
    }
}

impl File {
    /// Whether the whole file is for tests, by where it is and what it is called.
    pub(super) fn part(&self) -> Part {
        let stem = self.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        let folder = self.path.split('/').any(|part| part == "tests" || part == "benches");
        if folder || stem == "tests" || stem.ends_with("_tests") {
            Part::Test
        } else {
            Part::Product
        }
    }

    /// Its code alone: comments and the contents of literals are blank, and so is whatever is
    /// compiled for tests only. Lines stay where they are.
    pub(super) fn product_code(&self) -> String {
        match self.part() {
            Part::Test => String::new(),
            Part::Product => code::without_tests(&code::blank(&self.text)),
        }
    }

    /// The file's name without folders.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// Number of the line, from 1, in which the byte at `at` is.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}
