//! What the person answers decides, and no answer is a no.

use std::time::{Duration, Instant};

use lotse_agent::panel::{Ended, Message};

use crate::harness::{KioskOptions, System, accept, ask};

#[test]
fn refusing_ends_the_session_and_the_next_one_can_be_accepted() {
    let mut system = System::start();
    let System { console, kiosk, .. } = &mut system;
    let code = ask(console, kiosk);
    console.command(&format!("confirm {code}"));
    let mark = console.mark();
    kiosk.touch_answer("refuse");
    let (_, reason) = console.wait_ended(mark, Duration::from_secs(5));
    assert_eq!(reason, "refused-at-panel");
    kiosk.wait_message(Message::Refused);
    assert_eq!(console.attempt("shot /dev/null")["ok"], false, "nothing was seen");
    kiosk.close_message();

    let code = ask(console, kiosk);
    accept(console, kiosk, &code);
}

#[test]
fn no_answer_is_a_no() {
    let seconds = 5;
    let options = KioskOptions { answer_seconds: seconds, ..KioskOptions::default() };
    let mut system = System::start_with(options);
    let System { console, kiosk, .. } = &mut system;
    let begun = Instant::now();
    let code = ask(console, kiosk);
    console.command(&format!("confirm {code}"));
    let (at, reason) = console.wait_ended(0, Duration::from_secs(20));
    assert_eq!(reason, "no-answer-at-panel");
    assert!(at - begun >= Duration::from_secs(seconds.into()), "there was no time to answer");
    kiosk.wait_message(Message::RefusedByTime);
    assert_eq!(console.attempt("shot /dev/null")["ok"], false, "nothing was seen");
}

#[test]
fn a_session_begins_only_when_both_have_said_yes() {
    let mut system = System::start();
    let System { console, kiosk, .. } = &mut system;
    let code = ask(console, kiosk);
    kiosk.accept_by_key(&code);
    let answer = console.attempt("wait-connected 2");
    assert_eq!(answer["ok"], false, "the technician has confirmed nothing: {answer}");
    assert_eq!(console.command("status")["state"], "comparing");
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(console.attempt(&format!("confirm {wrong}"))["ok"], false);
    console.command(&format!("confirm {code}"));
    console.command("wait-connected 20");
    kiosk.wait_session();
}

#[test]
fn stop_at_the_panel_ends_the_session() {
    let mut system = System::start();
    system.connect();
    let mark = system.console.mark();
    system.kiosk.touch_stop();
    let (_, reason) = system.console.wait_ended(mark, Duration::from_secs(5));
    assert_eq!(reason, "stopped-at-panel");
    system.kiosk.wait_message(Message::Ended(Ended::ByStaff));
    system.kiosk.close_message();
}
