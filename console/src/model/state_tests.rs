//! The rules of [`Model::apply`].

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn peer() -> Peer {
    let rights = Rights::NONE.with(Right::View).with(Right::Control);
    Peer { name: "Ticket machine 7".into(), rights, level: Level::CodeCompared }
}

fn code() -> Code {
    Code::from_digits([4, 7, 1, 9, 0, 3])
}

fn number() -> SessionNumber {
    "123456789".parse().unwrap()
}

fn opening() -> Model {
    Model::of(SessionState::Opening)
}

fn run(events: impl IntoIterator<Item = Event>) -> Model {
    let mut model = opening();
    let now = Instant::now();
    for event in events {
        let compared = matches!(event, Event::Code { .. });
        model.apply(event, now);
        if compared {
            model.note(&Command::CodesMatch);
        }
    }
    model
}

fn until_connected() -> Vec<Event> {
    vec![
        Event::Opened { number: number() },
        Event::Joined,
        Event::Code { code: code(), who: "Ticket machine 7".into() },
        Event::Connected(peer()),
    ]
}

#[test]
fn walks_through_the_whole_session() {
    let model = run(until_connected());
    assert_eq!(model.peer(), Some(&peer()));
    assert!(model.may_control());
}

#[test]
fn an_ended_session_stays_ended() {
    let mut events = until_connected();
    events.push(Event::Ended(EndReason::StoppedAtPanel));
    events.push(Event::Resumed);
    events.push(Event::Ended(EndReason::LinkLost));
    let model = run(events);
    assert_eq!(model.state(), &SessionState::Ended { why: EndReason::StoppedAtPanel });
    assert!(!model.may_control());
}

#[test]
fn nothing_is_steered_while_interrupted_or_without_the_right() {
    let mut events = until_connected();
    events.push(Event::Interrupted);
    assert!(!run(events.clone()).may_control());
    assert!(run(events.clone()).may_type(), "text waits");
    events.push(Event::Resumed);
    assert!(run(events.clone()).may_control());
    events.push(Event::RightsChanged(Rights::NONE.with(Right::View)));
    assert!(!run(events.clone()).may_control() && !run(events.clone()).may_type());
    events.push(Event::Ended(EndReason::LinkLost));
    assert!(!run(events).may_type());
}

#[test]
fn a_latency_does_not_outlive_the_connection() {
    let mut events = until_connected();
    events.push(Event::Latency(Latency(Duration::from_millis(12))));
    assert!(run(events.clone()).latency().is_some());
    events.push(Event::Interrupted);
    assert_eq!(run(events).latency(), None);
}

#[test]
fn nobody_is_connected_out_of_the_blue() {
    let model = run([Event::Opened { number: number() }, Event::Connected(peer())]);
    assert_eq!(model.state(), &SessionState::Waiting { number: number() });
}

#[test]
fn nobody_is_connected_before_the_technician_compared() {
    let mut model = run(until_connected()[..2].to_vec());
    let now = Instant::now();
    model.apply(Event::Code { code: code(), who: "x".into() }, now);
    model.apply(Event::Connected(peer()), now);
    assert!(matches!(model.state(), SessionState::Comparing { .. }));
}

#[test]
fn the_number_still_works_when_a_join_failed() {
    let mut events = until_connected()[..2].to_vec();
    events.push(Event::JoinFailed);
    assert_eq!(run(events).state(), &SessionState::Waiting { number: number() });
}

#[test]
fn names_from_outside_carry_no_controls_and_no_length() {
    let who = format!("a\n\u{202e}b{}", "x".repeat(500));
    let events =
        [Event::Opened { number: number() }, Event::Joined, Event::Code { code: code(), who }];
    let model = run(events);
    let SessionState::Asking { who } = model.state() else { panic!("{:?}", model.state()) };
    assert!(who.starts_with("abx") && who.chars().count() == MAX_NAME_CHARS);
}

#[test]
fn a_notice_goes_with_the_next_input() {
    let mut model = run(until_connected());
    model.apply(Event::Notice(Notice::CannotType('€')), Instant::now());
    assert_eq!(model.notice(), Some(Notice::CannotType('€')));
    model.note(&Command::Text("x".into()));
    assert_eq!(model.notice(), None);
}

#[test]
fn confirming_does_nothing_but_while_comparing() {
    let mut idle = Model::default();
    idle.note(&Command::CodesMatch);
    assert_eq!(idle.state(), &SessionState::Idle);
}

#[test]
fn a_code_hides_in_debug_output() {
    assert!(!format!("{:?}", Event::Code { code: code(), who: String::new() }).contains('4'));
    assert_eq!(code().grouped(), "471 903");
}

#[test]
fn rejects_codes_of_another_length() {
    for text in ["", "12345", "1234567", "12a456", "１２３４５６"] {
        assert_eq!(text.parse::<Code>(), Err(Invalid::Code), "{text}");
    }
    assert_eq!("471 903".parse(), Ok(code()));
}

proptest! {
    #[test]
    fn a_code_survives_its_text(digits in prop::array::uniform6(0_u8..10)) {
        let code = Code::from_digits(digits);
        prop_assert_eq!(code.to_string().parse(), Ok(code));
        prop_assert_eq!(code.grouped().parse(), Ok(code));
    }
}
