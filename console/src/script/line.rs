//! From a line to what it asks for.

use std::path::PathBuf;
use std::time::Duration;

use super::members;
use crate::keys::{Combo, UnknownKey, by_name};
use crate::model::held::MAX_FINGERS;
use crate::model::{Button, Code, KeyCode, PixelPoint, Restart, TERMINAL_SIZE, TerminalCommand};

/// One command of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Open,
    WaitJoin(Duration),
    Code,
    Confirm(Code),
    ConfirmCompared,
    Differ,
    Members(members::Line),
    WaitConnected(Duration),
    WaitPicture(Duration),
    WaitStill { still: Duration, limit: Duration },
    WaitEnded(Duration),
    Shot(PathBuf),
    ScreenshotUi(PathBuf),
    Move(PixelPoint),
    Click(PixelPoint, Button),
    Tap(PixelPoint),
    Finger { contact: u8, at: PixelPoint },
    Lift(u8),
    Pinch { at: PixelPoint, from: u32, to: u32 },
    Show(String),
    Shell(TerminalCommand),
    Files(super::files::Line),
    Point(Option<PixelPoint>),
    Restart(Restart),
    WaitRestarted(Duration),
    Wheel(i32),
    Combo(Combo),
    Hold { key: KeyCode, pressed: bool },
    Type(String),
    Sleep(Duration),
    Status,
    End,
    Quit,
}

/// A member, by its number or by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Who {
    Number(u16),
    Name(String),
}

impl Who {
    fn of(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Number)
    }

    pub(super) fn is(&self, id: u16, name: &str) -> bool {
        match self {
            Self::Number(number) => *number == id,
            Self::Name(text) => text == name,
        }
    }
}

/// Who is let in, and how the codes were compared where there are any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Admission {
    pub(super) member: Option<u16>,
    pub(super) code: Option<Code>,
    pub(super) compared: bool,
}

/// A line that asks for nothing that there is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum LineError {
    #[error("there is no command {0:?}; see `lotse-console session --help`")]
    Unknown(String),
    #[error("it is used as: {0}")]
    Usage(&'static str),
    #[error(transparent)]
    Key(#[from] UnknownKey),
}

/// The first word of a line, and the rest. `None` for an empty line or a comment.
pub(super) fn split(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    if line.trim_end().is_empty() || line.starts_with('#') {
        return None;
    }
    Some(line.split_once(' ').unwrap_or((line.trim_end(), "")))
}

/// The command of a line.
pub(super) fn parse(command: &str, rest: &str) -> Result<Line, LineError> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let seconds = |default: u64, usage| match *words.as_slice() {
        [] => Ok(Duration::from_secs(default)),
        [text] => duration_of_seconds(text).ok_or(LineError::Usage(usage)),
        _ => Err(LineError::Usage(usage)),
    };
    match command {
        "open" => Ok(Line::Open),
        "wait-join" => seconds(300, "wait-join [SECONDS]").map(Line::WaitJoin),
        "code" => Ok(Line::Code),
        "confirm" => confirm(rest.trim()),
        "differ" if words.is_empty() => Ok(Line::Differ),
        "wait-connected" => seconds(120, "wait-connected [SECONDS]").map(Line::WaitConnected),
        "wait-picture" => seconds(30, "wait-picture [SECONDS]").map(Line::WaitPicture),
        "wait-still" => wait_still(&words),
        "wait-ended" => seconds(120, "wait-ended [SECONDS]").map(Line::WaitEnded),
        "shot" => file(rest, "shot FILE.png").map(Line::Shot),
        "screenshot-ui" => file(rest, "screenshot-ui FILE.png").map(Line::ScreenshotUi),
        "move" => point(&words).map(Line::Move).ok_or(LineError::Usage("move X Y")),
        "click" => click(&words),
        "tap" => point(&words).map(Line::Tap).ok_or(LineError::Usage("tap X Y")),
        "finger" => finger(&words),
        "lift" => contact(&words).map(Line::Lift).ok_or(LineError::Usage("lift FINGER, 0 to 9")),
        "pinch" => pinch(&words),
        "show" => match *words.as_slice() {
            [name] => Ok(Line::Show(name.to_owned())),
            _ => Err(LineError::Usage("show SCREEN, as `status` names it")),
        },
        "shell" => shell(rest),
        "point" if words == ["off"] => Ok(Line::Point(None)),
        "point" => point(&words)
            .map(|at| Line::Point(Some(at)))
            .ok_or(LineError::Usage("point X Y, or point off")),
        "restart" => Restart::from_word(rest.trim())
            .map(Line::Restart)
            .ok_or(LineError::Usage("restart application, restart machine")),
        "wait-restarted" => seconds(300, "wait-restarted [SECONDS]").map(Line::WaitRestarted),
        "wheel" => number(&words).map(Line::Wheel).ok_or(LineError::Usage("wheel NOTCHES")),
        "key" | "combo" => Ok(Line::Combo(rest.trim().parse()?)),
        "press" | "release" => hold(rest.trim(), command == "press"),
        "type" => Ok(Line::Type(rest.to_owned())),
        "type-json" => serde_json::from_str(rest.trim())
            .map(Line::Type)
            .map_err(|_| LineError::Usage("type-json \"TEXT\", a JSON string")),
        "sleep" => number(&words)
            .map(|ms: u32| Line::Sleep(Duration::from_millis(ms.into())))
            .ok_or(LineError::Usage("sleep MS")),
        "status" => Ok(Line::Status),
        "end" => Ok(Line::End),
        "quit" => Ok(Line::Quit),
        other => match super::files::parse(other, rest) {
            Some(line) => line.map(Line::Files),
            None => of_members(other, rest.trim(), &words).map(Line::Members),
        },
    }
}

/// Commands about members.
fn of_members(command: &str, rest: &str, words: &[&str]) -> Result<members::Line, LineError> {
    use members::Line as Of;
    let who = |usage| match rest {
        "" => Err(LineError::Usage(usage)),
        rest => Ok(Who::of(rest)),
    };
    let seconds = |default: u64, usage| match *words {
        [] => Ok(Duration::from_secs(default)),
        [text] => duration_of_seconds(text).ok_or(LineError::Usage(usage)),
        _ => Err(LineError::Usage(usage)),
    };
    match command {
        "watch" => watch(words),
        "wait-knock" => seconds(120, "wait-knock [SECONDS]").map(Of::WaitKnock),
        "admit" => admit(words),
        "send-away" => match *words {
            [] => Ok(Of::SendAway(None)),
            [member] => member.parse().map(|id| Of::SendAway(Some(id))),
            _ => "".parse().map(|id| Of::SendAway(Some(id))),
        }
        .map_err(|_| LineError::Usage("send-away [MEMBER]")),
        "differ" => number(words).map(Of::DifferOf).ok_or(LineError::Usage("differ [MEMBER]")),
        "members" => Ok(Of::Members),
        "kick" => who("kick MEMBER").map(Of::Kick),
        "wait-removed" => match words.split_last() {
            Some((limit, [first, more @ ..])) if duration_of_seconds(limit).is_some() => {
                let name = [&[*first], more].concat().join(" ");
                let limit = duration_of_seconds(limit).unwrap_or_default();
                Ok(Of::WaitRemoved { who: Who::of(&name), limit })
            }
            _ => who("wait-removed MEMBER [SECONDS]")
                .map(|who| Of::WaitRemoved { who, limit: Duration::from_secs(30) }),
        },
        "lock" => Ok(Of::Lock(true)),
        "unlock" => Ok(Of::Lock(false)),
        "give-control" => who("give-control MEMBER").map(Of::GiveControl),
        "take-control" => Ok(Of::TakeControl),
        "ask-control" => Ok(Of::AskControl),
        "wait-control" => seconds(120, "wait-control [SECONDS]").map(Of::WaitControl),
        "present" => who("present MEMBER").map(Of::Present),
        "deputy" if rest == "nobody" => Ok(Of::Deputy(None)),
        "deputy" => who("deputy MEMBER, or deputy nobody").map(|who| Of::Deputy(Some(who))),
        "hand-over" => who("hand-over MEMBER").map(Of::HandOver),
        "wait-moderator" => seconds(120, "wait-moderator [SECONDS]").map(Of::WaitModerator),
        unknown => Err(LineError::Unknown(unknown.chars().take(40).collect())),
    }
}

fn watch(words: &[&str]) -> Result<members::Line, LineError> {
    let usage = LineError::Usage("watch NUMBER [PASSWORD]");
    let (number, password) = match *words {
        [number] => (number, None),
        [number, password] => (number, Some(password.to_owned())),
        _ => return Err(usage),
    };
    number.parse().map(|number| members::Line::Watch { number, password }).map_err(|_| usage)
}

fn admit(words: &[&str]) -> Result<members::Line, LineError> {
    let usage = || LineError::Usage("admit [MEMBER [123456 | --codes-match]]");
    let (member, proof) = match *words {
        [] => (None, None),
        [member] => (Some(member), None),
        [member, proof] => (Some(member), Some(proof)),
        _ => return Err(usage()),
    };
    let member = member.map(str::parse).transpose().map_err(|_| usage())?;
    let compared = proof == Some("--codes-match");
    let code = proof.filter(|_| !compared).map(str::parse).transpose().map_err(|_| usage())?;
    Ok(members::Line::Admit(Admission { member, code, compared }))
}

fn confirm(rest: &str) -> Result<Line, LineError> {
    if rest == "--codes-match" {
        return Ok(Line::ConfirmCompared);
    }
    let usage = LineError::Usage("confirm 123456, or confirm --codes-match");
    rest.parse().map(Line::Confirm).map_err(|_| usage)
}

fn wait_still(words: &[&str]) -> Result<Line, LineError> {
    let parsed = match *words {
        [still] => still.parse().ok().zip(Some(Duration::from_secs(30))),
        [still, limit] => still.parse().ok().zip(duration_of_seconds(limit)),
        _ => None,
    };
    parsed
        .map(|(ms, limit)| Line::WaitStill { still: Duration::from_millis(ms), limit })
        .ok_or(LineError::Usage("wait-still MS [SECONDS]"))
}

fn click(words: &[&str]) -> Result<Line, LineError> {
    let usage = LineError::Usage("click X Y [left|middle|right]");
    let (place, button) = match *words {
        [x, y] => ([x, y], Button::Left),
        [x, y, "left"] => ([x, y], Button::Left),
        [x, y, "middle"] => ([x, y], Button::Middle),
        [x, y, "right"] => ([x, y], Button::Right),
        _ => return Err(usage),
    };
    point(&place).map(|at| Line::Click(at, button)).ok_or(usage)
}

/// The number of a finger.
fn contact(words: &[&str]) -> Option<u8> {
    number(words).filter(|contact| *contact < MAX_FINGERS)
}

fn finger(words: &[&str]) -> Result<Line, LineError> {
    let parsed = words.split_first().and_then(|(first, place)| {
        Some(Line::Finger { contact: contact(&[first])?, at: point(place)? })
    });
    parsed.ok_or(LineError::Usage("finger FINGER X Y, with a finger from 0 to 9"))
}

fn pinch(words: &[&str]) -> Result<Line, LineError> {
    let parsed = match *words {
        [x, y, from, to] => point(&[x, y])
            .zip(from.parse().ok().zip(to.parse().ok()))
            .map(|(at, (from, to))| Line::Pinch { at, from, to }),
        _ => None,
    };
    parsed.ok_or(LineError::Usage("pinch X Y FROM TO, distances in pixels"))
}

fn shell(rest: &str) -> Result<Line, LineError> {
    let usage = LineError::Usage(
        "shell open [COLUMNS ROWS], shell type \"TEXT\" (a JSON string), shell resize COLUMNS ROWS, \
         shell close",
    );
    let (word, rest) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
    let words: Vec<&str> = rest.split_whitespace().collect();
    let size = match *words.as_slice() {
        [columns, rows] => columns.parse().ok().zip(rows.parse().ok()),
        _ => None,
    };
    let command = match (word, size) {
        ("open", None) if words.is_empty() => {
            Some(TerminalCommand::Open(TERMINAL_SIZE.0, TERMINAL_SIZE.1))
        }
        ("open", Some((columns, rows))) => Some(TerminalCommand::Open(columns, rows)),
        ("resize", Some((columns, rows))) => Some(TerminalCommand::Resize(columns, rows)),
        ("type", _) => {
            let text: Option<String> = serde_json::from_str(rest.trim()).ok();
            text.map(|text| TerminalCommand::Type(text.into_bytes()))
        }
        ("close", None) if words.is_empty() => Some(TerminalCommand::Close),
        _ => None,
    };
    command.map(Line::Shell).ok_or(usage)
}

fn hold(name: &str, pressed: bool) -> Result<Line, LineError> {
    let key = by_name(name).ok_or_else(|| UnknownKey::Name(name.to_owned()))?;
    Ok(Line::Hold { key, pressed })
}

fn file(rest: &str, usage: &'static str) -> Result<PathBuf, LineError> {
    match rest.trim() {
        "" => Err(LineError::Usage(usage)),
        path => Ok(path.into()),
    }
}

fn point(words: &[&str]) -> Option<PixelPoint> {
    match *words {
        [x, y] => Some(PixelPoint { x: x.parse().ok()?, y: y.parse().ok()? }),
        _ => None,
    }
}

fn number<T: std::str::FromStr>(words: &[&str]) -> Option<T> {
    match *words {
        [text] => text.parse().ok(),
        _ => None,
    }
}

/// A number of seconds, with or without a fraction, up to a day.
pub(super) fn duration_of_seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    (0.0..=86400.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(text: &str) -> Result<Line, LineError> {
        let (command, rest) = split(text).unwrap();
        parse(command, rest)
    }

    #[test]
    fn reads_every_command_of_the_help() {
        for text in [
            "open",
            "wait-join",
            "wait-join 5.5",
            "code",
            "confirm 123456",
            "confirm 123 456",
            "confirm --codes-match",
            "differ",
            "differ 3",
            "watch 123456789",
            "watch 123456789 123456",
            "wait-knock 3",
            "admit",
            "admit 3",
            "admit 3 123456",
            "admit 3 --codes-match",
            "send-away",
            "send-away 3",
            "members",
            "kick 3",
            "kick Ada Example",
            "wait-removed 3 5",
            "wait-removed Ada Example",
            "lock",
            "unlock",
            "give-control Bob",
            "take-control",
            "ask-control",
            "wait-control",
            "present 2",
            "deputy 3",
            "deputy nobody",
            "hand-over Bob",
            "wait-moderator 40",
            "wait-connected 3",
            "wait-picture",
            "wait-still 500",
            "wait-still 500 10",
            "wait-ended",
            "shot a b.png",
            "screenshot-ui x.png",
            "move 1 2",
            "click 1 2",
            "click 1 2 right",
            "tap 3 4",
            "finger 9 3 4",
            "lift 0",
            "pinch 300 200 40 200",
            "show drm:HDMI-A-1",
            "shell open",
            "shell open 80 24",
            "shell type \"ls\\n\"",
            "shell resize 132 43",
            "shell close",
            "list logs",
            "get logs/a b",
            "put a logs/b replace 5",
            "wheel -2",
            "key Super",
            "combo Ctrl+Alt+Del",
            "press Shift",
            "release Shift",
            "type Hello  world ",
            "type-json \"a\\nb\"",
            "sleep 10",
            "status",
            "end",
            "quit",
        ] {
            assert!(line(text).is_ok(), "{text}: {:?}", line(text));
        }
    }

    #[test]
    fn a_text_keeps_its_spaces() {
        assert_eq!(line("type  a  b "), Ok(Line::Type(" a  b ".into())));
        assert_eq!(line("type-json \"tab\\there\""), Ok(Line::Type("tab\there".into())));
    }

    #[test]
    fn says_how_a_command_is_used() {
        for text in [
            "confirm 12",
            "click 1",
            "tap -1 2",
            "wait-still",
            "shot",
            "sleep x",
            "finger 10 1 1",
            "kick",
            "watch 12",
            "admit x",
        ] {
            assert!(matches!(line(text), Err(LineError::Usage(_))), "{text}");
        }
        assert!(matches!(line("fly"), Err(LineError::Unknown(_))));
        assert!(matches!(line("key Foo"), Err(LineError::Key(_))));
        assert!(matches!(line("wait-join 1e9"), Err(LineError::Usage(_))));
    }

    #[test]
    fn comments_and_empty_lines_are_no_commands() {
        assert!(["", "   ", "# open", "  # x"].into_iter().all(|text| split(text).is_none()));
    }

    proptest! {
        #[test]
        fn no_line_panics(text in "\\PC{0,80}") {
            if let Some((command, rest)) = split(&text) {
                parse(command, rest).ok();
            }
        }
    }
}
