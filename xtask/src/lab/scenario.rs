//! What a scenario is, which there are, and what one gets to work with.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::guest::Guest;
use super::machine::Machine;
use super::picture::Picture;
use super::scenarios;
use crate::programs::Program;

/// Something to be true on one or several kinds of machine.
#[derive(Debug)]
pub(crate) struct Case {
    /// Second part of the scenario's name, for example `console-picture`.
    pub(crate) name: &'static str,
    /// What must be true, in one line.
    pub(crate) about: &'static str,
    /// The kinds of machine on which it is tried.
    pub(crate) machines: &'static [Machine],
    /// Programs of this workspace that it works with; built before the machine starts.
    pub(crate) programs: &'static [Program],
    /// Does it, and fails when it is not true.
    pub(crate) run: fn(&mut Bench) -> Result<()>,
}

/// A case on a kind of machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    /// Where.
    pub(crate) machine: Machine,
    /// What.
    pub(crate) case: &'static Case,
}

impl Scenario {
    /// Every scenario, those of one kind of machine together.
    pub(crate) fn all() -> Vec<Self> {
        let of = |machine| {
            let cases = scenarios::CASES.iter().copied().flatten();
            let cases = cases.filter(move |case| case.machines.contains(&machine));
            cases.map(move |case| Self { machine, case })
        };
        Machine::ALL.into_iter().flat_map(of).collect()
    }

    /// Machine and case, for example `virtio-console-picture`.
    pub(crate) fn name(&self) -> String {
        format!("{}-{}", self.machine, self.case.name)
    }

    /// Whether a word on the command line means this one: its name, its machine or its case.
    pub(crate) fn is_called(&self, word: &str) -> bool {
        word == self.name() || word == self.machine.name() || word == self.case.name
    }
}

/// What a scenario works with. It is made for one scenario and thrown away.
#[derive(Debug)]
pub(crate) struct Bench {
    /// The machine and the person in front of it.
    pub(crate) guest: Guest,
    /// Folder on the host that stays: screenshots and logs.
    pub(crate) artefacts: PathBuf,
    /// The case's programs as built for it, in the order in which it names them.
    pub(crate) programs: Vec<PathBuf>,
}

impl Bench {
    /// The program of the case with this name, as a file on the host.
    ///
    /// # Errors
    /// When the case does not name it.
    pub(crate) fn program(&self, name: &str) -> Result<&Path> {
        let found =
            self.programs.iter().find(|path| path.file_stem().is_some_and(|stem| stem == name));
        found.map(PathBuf::as_path).ok_or_else(|| anyhow::anyhow!("the case does not name {name}"))
    }

    /// Compares two pictures pixel by pixel and keeps both, with what differs, under `name`.
    ///
    /// # Errors
    /// When a single pixel differs, or there is nothing to see.
    pub(crate) fn expect_same(&self, name: &str, is: &Picture, should: &Picture) -> Result<()> {
        let file = |suffix: &str| self.artefacts.join(format!("{name}{suffix}.png"));
        is.save_png(&file(""))?;
        should.save_png(&file("-screendump"))?;
        let difference = is.compare(should)?;
        if difference.pixels > 0 {
            difference.map.save_png(&file("-difference"))?;
        }
        ensure!(
            difference.pixels == 0,
            "{} of {} pixels differ, {}; {name}.png was read, {name}-screendump.png is shown, \
             {name}-difference.png has what differs in red",
            difference.pixels,
            should.width * should.height,
            difference.first
        );
        ensure!(should.colours() > 1, "{name}.png has one colour only, which proves nothing");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<String> = Scenario::all().iter().map(Scenario::name).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_word_means_a_scenario_a_machine_or_a_case() {
        let all = Scenario::all();
        let called = |word: &str| all.iter().filter(|scenario| scenario.is_called(word)).count();
        assert_eq!(called("virtio-console-picture"), 1);
        assert!(called("virtio") > 1);
        // The virtual card, too.
        assert_eq!(called("console-picture"), Machine::WITH_SCREEN.len() + 1);
        assert_eq!(called("console"), 0);
    }
}
