//! What is said on stdout.

use serde_json::{Map, Value, json};

use crate::model::picture::{Exactness, Picture};
use crate::model::{
    Event, Knock, Level, Member, Model, Need, Output, Peer, RestartEvent, Rights, ScreenState,
    SessionState, TerminalEnd, TerminalEvent,
};
use crate::words::Language;

/// The line of an event; `None` for those that come too often to be told.
pub(super) fn event(event: &Event) -> Option<Value> {
    Some(match event {
        Event::Opened { number } => {
            json!({"event": "opened", "number": u32::from(*number).to_string()})
        }
        // Told with the number.
        Event::Invitation(_) => return None,
        Event::Checked { who, level } => {
            json!({"event": "checked", "level": level.word(), "who": who})
        }
        Event::Knocking(waits) => with("knocking", knock(waits)),
        Event::AskPassword => json!({"event": "ask-password"}),
        Event::Presents(Some(peer)) => with("presents", of_peer(peer)),
        Event::Presents(None) => json!({"event": "presents", "who": null}),
        Event::Role(role) => json!({"event": "role", "role": role.word()}),
        Event::Members(list) => json!({"event": "members", "members": members(list)}),
        Event::Entered { member, who } => {
            json!({"event": "entered", "member": member, "who": who})
        }
        Event::Gone { member, who } => json!({"event": "gone", "member": member, "who": who}),
        Event::Removed { member } => json!({"event": "removed", "member": member}),
        Event::AsksControl { member } => json!({"event": "asks-control", "member": member}),
        Event::Locked(locked) => json!({"event": "locked", "locked": locked}),
        Event::ListsDiffer => json!({"event": "lists-differ"}),
        Event::Left { member } => json!({"event": "left", "member": member}),
        Event::WrongPassword => json!({"event": "wrong-password"}),
        Event::NumberBurned => json!({"event": "number-burned"}),
        Event::Joined => json!({"event": "joined"}),
        Event::JoinFailed => json!({"event": "join-failed"}),
        Event::Code { code, who } => {
            json!({"event": "code", "code": code.to_string(), "who": who})
        }
        Event::Connected(peer) => with("connected", of_peer(peer)),
        Event::RightsChanged(rights) => {
            json!({"event": "rights-changed", "rights": of_rights(*rights)})
        }
        Event::Paused(is_paused) => json!({"event": "paused", "paused": is_paused}),
        Event::InputDropped(count) => json!({"event": "input-dropped", "count": count}),
        Event::Arrows { are_shown, dropped } => {
            json!({"event": "arrows", "shown": are_shown, "dropped": dropped})
        }
        Event::Terminal(event) => of_terminal(event),
        Event::Files(event) => return super::files::progress(event),
        Event::Restart(news) => of_restart(*news),
        Event::Screen(screen) => json!({"event": "screen", "screen": of_screen(*screen)}),
        Event::Outputs(outputs) => json!({"event": "outputs", "outputs": of_outputs(outputs)}),
        Event::Covered(parts) => json!({
            "event": "covered",
            "parts": parts
                .iter()
                .map(|part| json!({"x": part.x, "y": part.y, "width": part.width, "height": part.height}))
                .collect::<Value>(),
        }),
        Event::Notice(notice) => json!({"event": "notice", "notice": notice.word()}),
        Event::Interrupted => json!({"event": "interrupted"}),
        Event::Resumed => json!({"event": "resumed"}),
        Event::Ended(why) => {
            let advice = Language::En.words().advice(why);
            json!({
                "event": "ended",
                "reason": why.word(),
                "happened": advice.happened,
                "detail": why.detail(),
            })
        }
        Event::Picture | Event::Latency(_) => return None,
    })
}

fn with(event: &str, mut map: Map<String, Value>) -> Value {
    map.insert("event".into(), event.into());
    Value::Object(map)
}

/// Somebody who waits to be let in.
pub(super) fn knock(knock: &Knock) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("member".into(), knock.member.into());
    map.insert("who".into(), knock.who.clone().into());
    match knock.need {
        Need::Name => {}
        Need::Compare(code) => {
            map.insert("code".into(), code.to_string().into());
        }
        Need::Checked(level) => {
            map.insert("level".into(), level.word().into());
        }
    }
    if knock.need != Need::Name {
        map.insert("kind".into(), kind(knock.is_device).into());
    }
    map
}

/// Who is in the session.
pub(super) fn members(members: &[Member]) -> Value {
    let member = |member: &Member| {
        json!({
            "member": member.id,
            "who": member.name,
            "kind": kind(member.is_device),
            "level": member.level.map(Level::word),
            "rights": of_rights(member.rights),
            "controller": member.controller,
            "me": member.is_me,
            "moderator": member.is_moderator,
            "deputy": member.is_deputy,
            "presenter": member.is_presenter,
            "away": member.is_away,
        })
    };
    members.iter().map(member).collect()
}

const fn kind(is_device: bool) -> &'static str {
    if is_device { "panel" } else { "console" }
}

/// The answer to a command.
pub(super) fn answer(command: &str, outcome: Result<Map<String, Value>, String>) -> Value {
    let mut map = Map::new();
    map.insert("command".into(), command.into());
    map.insert("ok".into(), outcome.is_ok().into());
    match outcome {
        Ok(details) => map.extend(details),
        Err(error) => {
            map.insert("error".into(), error.into());
        }
    }
    Value::Object(map)
}

/// Where the session is.
pub(super) fn status(model: &Model, picture: &Picture) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("state".into(), state_word(model.state()).into());
    match model.state() {
        SessionState::Waiting { number }
        | SessionState::Joining { number }
        | SessionState::Password { number } => {
            map.insert("number".into(), u32::from(*number).to_string().into());
            if let Some(invitation) = &model.access().invitation {
                map.insert("password".into(), invitation.password.clone().into());
                map.insert("link".into(), invitation.link.clone().into());
            }
        }
        SessionState::Comparing { code, who, .. } => {
            map.insert("code".into(), code.to_string().into());
            map.insert("who".into(), who.clone().into());
        }
        SessionState::Asking { who } => {
            map.insert("who".into(), who.clone().into());
        }
        SessionState::Ended { why } => {
            map.insert("reason".into(), why.word().into());
        }
        SessionState::Idle
        | SessionState::Opening
        | SessionState::Connected(_)
        | SessionState::Interrupted { .. } => {}
    }
    map.insert("role".into(), model.group().role.word().into());
    if let Some(peer) = model.peer() {
        map.extend(of_peer(peer));
        map.insert("paused".into(), model.live().is_paused.into());
        map.insert("dropped".into(), model.live().dropped.into());
        map.insert("screen".into(), of_screen(model.screen()).into());
        if !model.outputs().is_empty() {
            map.insert("outputs".into(), of_outputs(model.outputs()));
        }
    }
    if let Some(latency) = model.latency() {
        map.insert("latency_ms".into(), (latency.0.as_secs_f64() * 1000.0).into());
    }
    if !picture.is_empty() {
        map.insert("width".into(), picture.width().into());
        map.insert("height".into(), picture.height().into());
        map.insert("updates".into(), picture.updates().into());
        map.insert("exact".into(), (picture.exactness() == Exactness::Exact).into());
    }
    map
}

/// The word of a state.
pub(super) const fn state_word(state: &SessionState) -> &'static str {
    match state {
        SessionState::Idle => "idle",
        SessionState::Opening => "opening",
        SessionState::Waiting { .. } => "waiting",
        SessionState::Joining { .. } => "joining",
        SessionState::Password { .. } => "password",
        SessionState::Comparing { .. } => "comparing",
        SessionState::Asking { .. } => "asking",
        SessionState::Connected(_) => "connected",
        SessionState::Interrupted { .. } => "interrupted",
        SessionState::Ended { .. } => "ended",
    }
}

fn of_peer(peer: &Peer) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("who".into(), peer.name.clone().into());
    map.insert("rights".into(), of_rights(peer.rights));
    map.insert("level".into(), peer.level.word().into());
    map
}

fn of_restart(news: RestartEvent) -> Value {
    match news {
        RestartEvent::Announced(in_s) => {
            json!({"event": "restart", "restart": news.word(), "in_s": in_s})
        }
        news => json!({"event": "restart", "restart": news.word()}),
    }
}

/// What a terminal writes stands in a JSON string, where nothing of it can act on the reader's own
/// terminal: see [`line()`].
fn of_terminal(event: &TerminalEvent) -> Value {
    match event {
        TerminalEvent::Opened => json!({"event": "terminal", "terminal": "opened"}),
        TerminalEvent::Output(bytes) => json!({
            "event": "terminal",
            "terminal": "output",
            // As bytes they may be cut within a character.
            "text": String::from_utf8_lossy(bytes),
            "bytes": bytes.len(),
        }),
        TerminalEvent::Ended(end) => {
            let mut value = json!({"event": "terminal", "terminal": "ended", "how": end.word()});
            if let (Value::Object(map), TerminalEnd::Exited(code) | TerminalEnd::Killed(code)) =
                (&mut value, end)
            {
                map.insert("code".into(), (*code).into());
            }
            value
        }
    }
}

/// A line of JSON without anything that acts on a terminal: control characters, also those beyond
/// ASCII (C1), and those that turn text around are written as JSON writes them with digits.
pub(super) fn line(value: &Value) -> String {
    let mut line = String::new();
    for c in value.to_string().chars() {
        let acts = c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if acts {
            // All of these are in the first plane, and only within strings.
            line.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            line.push(c);
        }
    }
    line
}

fn of_outputs(outputs: &[Output]) -> Value {
    outputs.iter().map(|output| json!({"name": output.name, "seen": output.is_read})).collect()
}

fn of_rights(rights: Rights) -> Value {
    rights.iter().map(|right| right.word()).collect()
}

const fn of_screen(screen: ScreenState) -> &'static str {
    match screen {
        ScreenState::Shown => "shown",
        ScreenState::Off => "off",
        ScreenState::Unreadable => "unreadable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_writes_acts_on_the_readers_own() {
        let hostile = "\x1b[2J\x07\u{9b}31m\u{85}\x7f\u{202e}olleh".as_bytes().to_vec();
        let value = of_terminal(&TerminalEvent::Output(hostile.clone()));
        let line = line(&value);
        assert!(line.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{line}");
        let read: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["text"].as_str().unwrap().as_bytes(), hostile);
    }
}
