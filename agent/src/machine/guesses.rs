//! How many passwords were tried for a number, over joins and restarts.
//!
//! Whoever plays the technician may try one password each time that somebody here types one. So
//! a number is not tried more often than three times, unless the password was right.

use std::time::{Duration, SystemTime};

use lotse_protocol::handshake::MAX_PASSWORD_FAILURES;

use super::keep::Keep;

/// The file.
const FILE: &str = "guesses";

/// Numbers that are remembered; the oldest is forgotten first.
const MAX_NUMBERS: usize = 64;

/// A number is not given out again within a day; afterwards it is another session's.
const FORGET: Duration = Duration::from_secs(25 * 3600);

/// A number, how often its password was not proved, and when last, in seconds since 1970.
type Entry = (u32, u8, u64);

/// Counts guesses.
#[derive(Debug)]
pub(super) struct Guesses {
    keep: Keep,
    entries: Vec<Entry>,
}

impl Guesses {
    /// What was counted before.
    pub(super) fn open(keep: Keep) -> Self {
        let bytes = keep.read(FILE).unwrap_or_else(|error| {
            log::warn!("guesses of passwords: {error}");
            None
        });
        let entries: Option<Vec<Entry>> = bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        Self { keep, entries: entries.unwrap_or_default() }
    }

    /// Whether a password may be tried for this number.
    pub(super) fn may_try(&self, number: u32) -> bool {
        self.failures(number) < MAX_PASSWORD_FAILURES
    }

    /// A password is about to be tried. It counts as a wrong one from now on, so that nothing is
    /// gained by breaking off.
    pub(super) fn begin(&mut self, number: u32, now: SystemTime) {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let failures = self.failures(number).saturating_add(1);
        let is_recent = |then: u64| now.saturating_sub(then) < FORGET.as_secs();
        self.entries.retain(|(other, _, then)| *other != number && is_recent(*then));
        if self.entries.len() >= MAX_NUMBERS {
            self.entries.remove(0);
        }
        self.entries.push((number, failures, now));
        self.save();
    }

    /// It was right.
    pub(super) fn succeeded(&mut self, number: u32) {
        self.entries.retain(|(other, _, _)| *other != number);
        self.save();
    }

    fn failures(&self, number: u32) -> u8 {
        let entry = self.entries.iter().find(|(other, _, _)| *other == number);
        entry.map_or(0, |(_, failures, _)| *failures)
    }

    fn save(&self) {
        let bytes = postcard::to_allocvec(&self.entries).unwrap_or_default();
        if let Err(error) = self.keep.write(FILE, &bytes) {
            log::warn!("guesses of passwords are not remembered over a restart: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burned_number_stays_burned_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Guesses::open(Keep::open(folder.path()));
        for _ in 0..MAX_PASSWORD_FAILURES {
            assert!(open().may_try(123_456_789));
            open().begin(123_456_789, SystemTime::now());
        }
        assert!(!open().may_try(123_456_789));
        assert!(open().may_try(123_456_780), "another number is another session");
    }

    #[test]
    fn a_right_password_makes_the_count_begin_anew() {
        let mut guesses = Guesses::open(Keep::open(std::path::Path::new("")));
        for _ in 0..10 {
            assert!(guesses.may_try(123_456_789));
            guesses.begin(123_456_789, SystemTime::now());
            guesses.succeeded(123_456_789);
        }
    }

    #[test]
    fn old_numbers_are_forgotten_and_few_are_kept() {
        let mut guesses = Guesses::open(Keep::open(std::path::Path::new("")));
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        for number in 0..100 {
            guesses.begin(100_000_000 + number, start);
        }
        assert_eq!(guesses.entries.len(), MAX_NUMBERS);
        guesses.begin(200_000_000, start + FORGET);
        assert_eq!(guesses.entries.len(), 1);
        // A clock that was set back forgets nothing.
        guesses.begin(200_000_001, SystemTime::UNIX_EPOCH);
        assert_eq!(guesses.entries.len(), 2);
    }
}
