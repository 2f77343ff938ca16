//! Files, line by line.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::line::LineError;
use super::runner::{Outcome, Runner};
use crate::model::picture::Picture;
use crate::model::{Command, FilesCommand, FilesEnd, FilesEvent, Listed, Model, Right};

/// A file may take so long unless the line says otherwise.
const LIMIT: Duration = Duration::from_secs(86_400);

/// The panel has so long to say what has become of what was cancelled.
const CANCELLING: Duration = Duration::from_secs(10);

/// What is done with files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// This, and it may take so long; without a limit nobody waits for it.
    Do { command: FilesCommand, limit: Option<Duration> },
    /// Until what is being done is done.
    Wait(Duration),
}

/// The words of a line; one that begins with `"` is a JSON string, and may have spaces in it.
fn words(rest: &str) -> Option<Vec<String>> {
    let (mut words, mut rest) = (Vec::new(), rest.trim());
    while !rest.is_empty() {
        let end = if rest.starts_with('"') {
            let mut texts = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            words.push(texts.next()?.ok()?);
            texts.byte_offset()
        } else {
            let end = rest.find(' ').unwrap_or(rest.len());
            words.push(rest.get(..end)?.to_owned());
            end
        };
        rest = rest.get(end..)?.trim_start();
    }
    Some(words)
}

/// The command of a line; `None` if it is none about files.
pub(super) fn parse(command: &str, rest: &str) -> Option<Result<Line, LineError>> {
    let usage = LineError::Usage(match command {
        "list" => "list [FOLDER]",
        "get" => "get REMOTE LOCAL [replace] [SECONDS, or later]",
        "put" => "put LOCAL REMOTE [replace] [SECONDS, or later]",
        "wait-file" => "wait-file [SECONDS]",
        "cancel-file" => "cancel-file",
        _ => return None,
    });
    Some(words(rest).and_then(|words| parse_words(command, words)).ok_or(usage))
}

fn parse_words(command: &str, mut words: Vec<String>) -> Option<Line> {
    let mut limit = Some(LIMIT);
    match command {
        "list" => {
            let path = words.pop().unwrap_or_default();
            let command = FilesCommand::List { path };
            return words.is_empty().then_some(Line::Do { command, limit });
        }
        "cancel-file" => {
            let command = FilesCommand::Cancel;
            return words.is_empty().then_some(Line::Do { command, limit: None });
        }
        "wait-file" => {
            return match words.as_slice() {
                [] => Some(Line::Wait(LIMIT)),
                [text] => super::line::duration_of_seconds(text).map(Line::Wait),
                _ => None,
            };
        }
        _ => {}
    }
    if words.len() > 2
        && let Some(text) = words.last().filter(|word| *word != "replace")
    {
        limit = match text.as_str() {
            "later" => None,
            text => Some(super::line::duration_of_seconds(text)?),
        };
        words.pop();
    }
    let may_replace = words.len() > 2 && words.last().is_some_and(|word| word == "replace");
    if may_replace {
        words.pop();
    }
    let [first, second] = <[String; 2]>::try_from(words).ok()?;
    let command = if command == "get" {
        FilesCommand::Get { path: first, local: PathBuf::from(second), may_replace }
    } else {
        FilesCommand::Put { local: PathBuf::from(first), path: second, may_replace }
    };
    Some(Line::Do { command, limit })
}

impl<W: Write> Runner<W> {
    /// Does something with files, and waits until it is done.
    pub(super) async fn files(&mut self, line: Line) -> io::Result<Outcome> {
        let (command, limit) = match line {
            Line::Do { command, limit } => (command, limit),
            Line::Wait(limit) => return self.wait_file(limit).await,
        };
        let missing = match command {
            FilesCommand::Cancel => None,
            FilesCommand::Put { .. } => Some((Right::FileWrite, "writing")),
            _ => Some((Right::FileRead, "reading")),
        };
        if let Some((right, what)) = missing
            && !self.model.peer().is_some_and(|peer| peer.rights.has(right))
        {
            return Ok(Err(self.not_now(&format!("the panel allows no {what} of files"))));
        }
        if let Err(error) = self.command(Command::Files(command)) {
            return Ok(Err(error));
        }
        let Some(limit) = limit else { return Ok(Ok(Map::new())) };
        let outcome = self.wait_file(limit).await?;
        if outcome.is_ok() || self.is_file_over() {
            return Ok(outcome);
        }
        self.command(Command::Files(FilesCommand::Cancel)).ok();
        self.wait_file(CANCELLING).await
    }

    fn is_file_over(&self) -> bool {
        self.model.live().files.as_ref().is_some_and(FilesEvent::is_over)
    }

    async fn wait_file(&mut self, limit: Duration) -> io::Result<Outcome> {
        let over = |model: &Model, _: &Picture| {
            model.live().files.as_ref().is_some_and(FilesEvent::is_over)
        };
        let outcome = self.wait(limit, over).await?;
        Ok(outcome.and_then(|_| match &self.model.live().files {
            Some(FilesEvent::Listed(entries)) => Ok(Map::from_iter([listed(entries)])),
            Some(FilesEvent::Done { size, from }) => {
                let figures = [("size", *size), ("from", *from)];
                Ok(figures
                    .map(|(name, value)| (name.to_owned(), value.into()))
                    .into_iter()
                    .collect())
            }
            Some(FilesEvent::Failed(end)) => Err(end.words()),
            _ => Err(FilesEnd::Failed.words()),
        }))
    }
}

fn listed(entries: &[Listed]) -> (String, Value) {
    let of = |entry: &Listed| json!({"name": entry.name, "folder": entry.size.is_none(), "size": entry.size});
    ("entries".to_owned(), entries.iter().map(of).collect())
}

/// How far a file is; the rest is in the answer.
pub(super) fn progress(event: &FilesEvent) -> Option<Value> {
    match event {
        FilesEvent::Progress { at, size } => Some(json!({"event": "file", "at": at, "size": size})),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Option<Line> {
        let (command, rest) = text.split_once(' ').unwrap_or((text, ""));
        parse(command, rest).unwrap().ok()
    }

    #[test]
    fn names_may_have_spaces_and_a_limit_may_follow() {
        let get = |path: &str, local: &str, may_replace, seconds| Line::Do {
            command: FilesCommand::Get { path: path.to_owned(), local: local.into(), may_replace },
            limit: Some(seconds),
        };
        assert_eq!(line("get logs/a b"), Some(get("logs/a", "b", false, LIMIT)));
        let limit = Duration::from_millis(500);
        assert_eq!(line("get logs/a b 0.5"), Some(get("logs/a", "b", false, limit)));
        assert_eq!(line("get logs/a b replace"), Some(get("logs/a", "b", true, LIMIT)));
        let spaced = line("get \"logs/a b\" \"c \\\"d\" replace 0.5");
        assert_eq!(spaced, Some(get("logs/a b", "c \"d", true, limit)));
        assert!(matches!(line("put a b/c later"), Some(Line::Do { limit: None, .. })));
        assert_eq!(line("wait-file 0.5"), Some(Line::Wait(limit)));
        assert!(line("cancel-file").is_some());
        assert!(line("list").is_some() && line("list \"a b\"").is_some());
        for wrong in ["get a", "get a b c", "put a", "put a b replace x", "list a b", "get \"a b"] {
            assert_eq!(line(wrong), None, "{wrong}");
        }
    }
}
