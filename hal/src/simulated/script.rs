//! What the person at a simulated kiosk does, as lines of text.
//!
//! | line | what it does |
//! |---|---|
//! | `tap X Y` | touches a pixel of the screen and lifts the finger |
//! | `key NAME` | presses and releases a key: `enter`, `tab`, `left`, `f1`, `a`, … |
//! | `type TEXT` | types the rest of the line on a US keyboard |
//! | `shot FILE` | writes what is on the screen to a file, as PPM |
//! | `wait MS` | does nothing for so many milliseconds |
//!
//! Empty lines and lines that begin with `#` do nothing.

use std::fs::File;
use std::io::{self, BufRead, BufWriter, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

use super::keys;
use super::staff::Staff;
use crate::geometry::MAX_SIDE;
use crate::{KeyCode, Point};

/// The longest line, in bytes without its end; enough for any path.
pub const MAX_LINE: usize = 4096;
/// The longest wait in one line.
pub const MAX_WAIT: Duration = Duration::from_secs(600);

/// One line of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Presses and releases a key.
    Key(KeyCode),
    /// Writes what is on the screen to a file.
    Shot(PathBuf),
    /// Touches a place and lifts the finger.
    Tap(Point),
    /// Types a text.
    Type(String),
    /// Does nothing for a while.
    Wait(Duration),
}

/// What is wrong with a script.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// A line that is not understood.
    #[error("line {line}: {problem}")]
    Line {
        /// Which line, counted from 1.
        line: u64,
        /// What is wrong with it.
        #[source]
        problem: LineError,
    },
    /// The script cannot be read.
    #[error("read the script: {0}")]
    Read(#[source] io::Error),
    /// A picture cannot be written.
    #[error("write {}: {source}", path.display())]
    Shot {
        /// Where to.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// What is wrong with one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The first word is none that is known.
    #[error("{0:?} is not one of tap, key, type, shot, wait")]
    Command(String),
    /// A number is missing, or out of its range.
    #[error("{what} must be a whole number from 0 to {most}, not {found:?}")]
    Number {
        /// What the number means.
        what: &'static str,
        /// The largest that is taken.
        most: u64,
        /// What stands there.
        found: String,
    },
    /// There is no key of that name.
    #[error("there is no key {0:?}; keys are enter, esc, tab, left, f1, a, …")]
    Key(String),
    /// A character that no key writes.
    #[error("no key of a US keyboard writes {0:?}")]
    Character(char),
    /// Something is missing after the first word.
    #[error("{0} needs {1}")]
    Missing(&'static str, &'static str),
    /// Something stands after the end.
    #[error("{0:?} is too much")]
    TooMuch(String),
    /// The line is longer than [`MAX_LINE`].
    #[error("longer than {MAX_LINE} bytes")]
    TooLong,
    /// The line is not UTF-8.
    #[error("not UTF-8")]
    Encoding,
}

/// Understands one line; `None` if it does nothing.
///
/// # Errors
/// What is wrong with the line.
pub fn parse(line: &str) -> Result<Option<Command>, LineError> {
    if line.len() > MAX_LINE {
        return Err(LineError::TooLong);
    }
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let command = match word {
        "tap" => tap(rest)?,
        "key" if rest.is_empty() => return Err(LineError::Missing("key", "a key's name")),
        "key" => {
            Command::Key(keys::key_by_name(rest).ok_or_else(|| LineError::Key(rest.to_owned()))?)
        }
        "type" => text(rest)?,
        "shot" if rest.is_empty() => return Err(LineError::Missing("shot", "a file's name")),
        "shot" => Command::Shot(PathBuf::from(rest)),
        "wait" => {
            let most = u64::try_from(MAX_WAIT.as_millis()).unwrap_or(u64::MAX);
            Command::Wait(Duration::from_millis(number("milliseconds", rest, most)?))
        }
        _ => return Err(LineError::Command(word.to_owned())),
    };
    Ok(Some(command))
}

/// Does what a script says, line by line as it arrives, until it ends.
///
/// `wait` is called for every `wait` line. `complain` is told of each line that is wrong or
/// cannot be done; then the script goes on.
///
/// # Errors
/// [`ScriptError::Read`] when the script cannot be read any further.
pub fn run(
    staff: &Staff,
    mut script: impl BufRead,
    mut wait: impl FnMut(Duration),
    mut complain: impl FnMut(ScriptError),
) -> Result<(), ScriptError> {
    let mut line = Vec::new();
    for number in 1.. {
        let understood = match next_line(&mut script, &mut line).map_err(ScriptError::Read)? {
            Line::End => break,
            Line::TooLong => Err(LineError::TooLong),
            Line::Whole => str::from_utf8(&line).map_err(|_| LineError::Encoding).and_then(parse),
        };
        match understood {
            Ok(None) => {}
            Ok(Some(Command::Wait(time))) => wait(time),
            Ok(Some(command)) => {
                if let Err(error) = act(staff, command) {
                    complain(error);
                }
            }
            Err(problem) => complain(ScriptError::Line { line: number, problem }),
        }
    }
    Ok(())
}

fn act(staff: &Staff, command: Command) -> Result<(), ScriptError> {
    match command {
        Command::Key(key) => staff.press(key),
        Command::Shot(path) => {
            let shoot = || {
                let mut file = BufWriter::new(File::create(&path)?);
                staff.shoot(&mut file)?;
                file.flush()
            };
            return shoot().map_err(|source| ScriptError::Shot { path: path.clone(), source });
        }
        Command::Tap(at) => staff.tap(at),
        Command::Type(text) => staff.type_text(&text),
        Command::Wait(_) => {}
    }
    Ok(())
}

fn tap(rest: &str) -> Result<Command, LineError> {
    let mut words = rest.split_whitespace();
    let most = u64::from(MAX_SIDE) - 1;
    let mut next = |what| {
        let found = number(what, words.next().unwrap_or_default(), most)?;
        Ok(u32::try_from(found).unwrap_or(MAX_SIDE - 1))
    };
    let at = Point::new(next("X")?, next("Y")?);
    match words.next() {
        Some(word) => Err(LineError::TooMuch(word.to_owned())),
        None => Ok(Command::Tap(at)),
    }
}

fn text(rest: &str) -> Result<Command, LineError> {
    if rest.is_empty() {
        return Err(LineError::Missing("type", "a text"));
    }
    match rest.chars().find(|letter| keys::key_for(*letter).is_none()) {
        Some(letter) => Err(LineError::Character(letter)),
        None => Ok(Command::Type(rest.to_owned())),
    }
}

fn number(what: &'static str, word: &str, most: u64) -> Result<u64, LineError> {
    let is_plain = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse()
        .ok()
        .filter(|number| is_plain && *number <= most)
        .ok_or_else(|| LineError::Number { what, most, found: word.to_owned() })
}

/// What was found at the next line.
enum Line {
    End,
    TooLong,
    Whole,
}

/// Reads a line without its end; of one that is too long, all is read and little is kept.
fn next_line(script: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let limit = MAX_LINE as u64 + 1;
    if script.by_ref().take(limit).read_until(b'\n', line)? == 0 {
        return Ok(Line::End);
    }
    if line.last() == Some(&b'\n') || line.len() <= MAX_LINE {
        return Ok(Line::Whole);
    }
    loop {
        line.clear();
        let read = script.by_ref().take(limit).read_until(b'\n', line)?;
        if read == 0 || line.last() == Some(&b'\n') {
            return Ok(Line::TooLong);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn understands_every_command() {
        assert_eq!(parse("tap 3 4\n"), Ok(Some(Command::Tap(Point::new(3, 4)))));
        assert_eq!(parse(" key  Enter "), Ok(Some(Command::Key(keys::ENTER))));
        assert_eq!(parse("type a B 1"), Ok(Some(Command::Type("a B 1".to_owned()))));
        assert_eq!(parse("shot a b.ppm"), Ok(Some(Command::Shot("a b.ppm".into()))));
        assert_eq!(parse("wait 20"), Ok(Some(Command::Wait(Duration::from_millis(20)))));
        assert_eq!(parse("  "), Ok(None));
        assert_eq!(parse("# tap 1 1"), Ok(None));
    }

    #[test]
    fn says_what_is_wrong() {
        let problems = [
            ("jump 1", "\"jump\" is not one of tap, key, type, shot, wait"),
            ("tap 3", "Y must be a whole number from 0 to 8191, not \"\""),
            ("tap -1 2", "X must be a whole number from 0 to 8191, not \"-1\""),
            ("tap +1 2", "X must be a whole number from 0 to 8191, not \"+1\""),
            ("tap 9000 2", "X must be a whole number from 0 to 8191, not \"9000\""),
            ("tap 1 2 3", "\"3\" is too much"),
            ("key", "key needs a key's name"),
            ("key any", "there is no key \"any\"; keys are enter, esc, tab, left, f1, a, …"),
            ("type", "type needs a text"),
            ("type ä", "no key of a US keyboard writes 'ä'"),
            ("shot", "shot needs a file's name"),
            ("wait 600001", "milliseconds must be a whole number from 0 to 600000, not \"600001\""),
        ];
        for (line, problem) in problems {
            assert_eq!(parse(line).unwrap_err().to_string(), problem, "{line}");
        }
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let endless = [b"x".repeat(MAX_LINE * 3).as_slice(), b"\nwait 7\n"].concat();
        let mut script = endless.as_slice();
        let mut line = Vec::new();
        assert!(matches!(next_line(&mut script, &mut line), Ok(Line::TooLong)));
        assert!(line.capacity() <= MAX_LINE * 4);
        assert!(matches!(next_line(&mut script, &mut line), Ok(Line::Whole)));
        assert_eq!(line, b"wait 7\n");
        assert!(matches!(next_line(&mut script, &mut line), Ok(Line::End)));
    }
}
