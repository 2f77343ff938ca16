//! Sessions of more than two: a technician who looks on, a second panel, who controls, who goes,
//! who takes over.

use std::time::Duration;

use lotse_agent::panel::{Connected, Ended, Level, Message, View};
use serde_json::Value;

use crate::faults::{focus_field, open_kiosk};
use crate::harness::{
    Console, Kiosk, KioskOptions, PATIENCE, Server, System, accept, connected, eventually,
};

/// What the second technician is called.
const SECOND: &str = "Bob Example";

/// What the third technician is called.
const THIRD: &str = "Cleo Example";

/// A place that is given up soon, so that a deputy need not wait.
const SHORT_PLACE: &str = "[limits]\nresume = '5s'\n";

/// Another technician's console looks on; its member number.
fn look_on(moderator: &mut Console, number: &str, server: &str, name: &str) -> (Console, u64) {
    let mut console = Console::start_as(server, name, &[]);
    console.command(&format!("watch {number}"));
    let code = console.wait_code();
    let knock = moderator.command("wait-knock 20");
    assert_eq!((&knock["who"], &knock["kind"]), (&name.into(), &"console".into()), "{knock}");
    let member = knock["member"].as_u64().unwrap();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let refused = moderator.attempt(&format!("admit {member} {wrong}"));
    assert_eq!(refused["ok"], false, "another code: {refused}");
    assert_eq!(moderator.attempt("admit")["ok"], false, "no code at all");
    moderator.command(&format!("admit {member} {code}"));
    console.command("confirm --codes-match");
    console.command("wait-connected 20");
    console.command("wait-picture 20");
    (console, member)
}

/// One member, as a console lists it.
fn member(console: &mut Console, who: &str) -> Value {
    let list = console.command("members");
    let members = list["members"].as_array().unwrap();
    let found = members.iter().find(|member| member["who"] == who);
    found.unwrap_or_else(|| panic!("{who} is not in {list}")).clone()
}

fn assert_sees(console: &mut Console, kiosk: &mut Kiosk) {
    let mut difference = None;
    eventually("the console shows what the kiosk shows", PATIENCE, || {
        difference = console.shot().difference(&kiosk.shot());
        difference.is_none()
    });
}

/// Waits until the sign names this technician instead of the one who was accepted. How sure it is
/// who that is, nobody at the machine has seen.
fn wait_sign_of(kiosk: &mut Kiosk, name: &str) {
    let connected = connected(name, Level::CodeCompared { code: 0 });
    kiosk.wait_view(View::Session(Connected { level: None, ..connected }));
}

#[test]
fn a_second_technician_looks_on_controls_is_sent_away_and_kept_out() {
    let mut system = System::start_with(open_kiosk());
    let server = system.server.address().to_owned();
    system.kiosk.wait_connected();
    let number = system.connect_and_tell();
    focus_field(&mut system);
    let (mut bob, id) = look_on(&mut system.console, &number, &server, SECOND);
    assert_sees(&mut bob, &mut system.kiosk);
    assert_eq!(member(&mut system.console, SECOND)["level"], "code-compared");
    assert_eq!(bob.attempt("type x")["ok"], false, "who looks on does not steer");
    assert_eq!(bob.attempt("kick 2")["ok"], false, "nor moderate");

    // He asks for control, gets it, types, and loses it at once.
    let mark = system.console.mark();
    bob.command("ask-control");
    system.console.wait_event(mark, "asks-control", PATIENCE);
    system.console.command(&format!("give-control {id}"));
    bob.command("wait-control 20");
    wait_sign_of(&mut system.kiosk, SECOND);
    assert_eq!(system.console.attempt("type x")["ok"], false, "one controls at a time");
    bob.type_text("from Bob");
    system.kiosk.twin.fill_field("from Bob");
    system.kiosk.wait_as_twin("what the second technician typed");
    system.console.command("take-control");
    let rights = |console: &mut Console| console.command("status")["rights"].clone();
    eventually("control is gone", PATIENCE, || rights(&mut bob) == serde_json::json!(["view"]));
    assert_eq!(bob.attempt("type x")["ok"], false);
    system.console.command("wait-control 20");
    system.kiosk.wait_session();
    system.console.type_text(", Ada");
    system.kiosk.twin.fill_field("from Bob, Ada");
    system.kiosk.wait_as_twin("what both typed, in order");

    // He is sent away; that it is true is said when it is.
    let (mark, at_bob) = (system.console.mark(), bob.mark());
    system.console.command(&format!("kick {SECOND}"));
    system.console.wait_event(mark, "removed", PATIENCE);
    let (_, reason) = bob.wait_ended(at_bob, PATIENCE);
    assert_eq!(reason, "sent-away");
    system.console.type_text("!");
    system.kiosk.twin.fill_field("from Bob, Ada!");
    system.kiosk.wait_as_twin("the session goes on");
    assert_sees(&mut system.console, &mut system.kiosk);

    // Locked, nobody comes in; refused, one hears it.
    system.console.command("lock");
    let at_bob = bob.mark();
    bob.attempt(&format!("watch {number}"));
    assert_eq!(bob.wait_ended(at_bob, PATIENCE).1, "no-such-session");
    system.console.command("unlock");
    let at_bob = bob.mark();
    bob.command(&format!("watch {number}"));
    system.console.command("wait-knock 20");
    system.console.command("send-away");
    assert_eq!(bob.wait_ended(at_bob, PATIENCE).1, "not-admitted");
}

#[test]
fn two_panels_in_one_session_of_which_everybody_sees_the_chosen_one() {
    let mut system = System::start_with(open_kiosk());
    let server = system.server.address().to_owned();
    let number = system.connect_and_tell();
    let (mut bob, _) = look_on(&mut system.console, &number, &server, SECOND);
    let mut second = Kiosk::start_with(&server, KioskOptions::default());
    second.wait_connected();
    second.enter_number(&number);
    let knock = system.console.command("wait-knock 20");
    assert_eq!(knock["kind"], "panel", "{knock}");
    let (id, code) = (knock["member"].clone(), knock["code"].as_str().unwrap().to_owned());
    second.wait_asks(&code);
    second.accept_by_key(&code);
    let mark = system.console.mark();
    system.console.command(&format!("admit {id} {code}"));
    system.console.wait_event(mark, "entered", PATIENCE);
    second.wait_session();
    assert_sees(&mut system.console, &mut system.kiosk);

    let marks = [system.console.mark(), bob.mark()];
    system.console.command(&format!("present {id}"));
    for (console, mark) in [&mut system.console, &mut bob].into_iter().zip(marks) {
        console.wait_event(mark, "presents", PATIENCE);
        console.command("wait-picture 20");
        assert_sees(console, &mut second);
    }
    assert_eq!(system.console.command("status")["rights"][1], "control");
    // It stops: the first one is seen again, and the session goes on.
    let marks = [system.console.mark(), bob.mark()];
    second.touch_stop();
    second.wait_message(Message::Ended(Ended::ByStaff));
    system.console.wait_event(marks[0], "gone", PATIENCE);
    for (console, mark) in [&mut system.console, &mut bob].into_iter().zip(marks) {
        console.wait_event(mark, "presents", PATIENCE);
        console.command("wait-picture 20");
        assert_sees(console, &mut system.kiosk);
    }
}

#[test]
fn the_role_is_handed_over_and_a_deputy_follows_a_moderator_that_dies() {
    let server = Server::start_with(SHORT_PLACE);
    let address = server.address().to_owned();
    let mut system = System::start_at(server, open_kiosk());
    let number = system.connect_and_tell();
    focus_field(&mut system);
    let (mut bob, id) = look_on(&mut system.console, &number, &address, SECOND);
    let (mut cleo, _) = look_on(&mut system.console, &number, &address, THIRD);

    // Ada hands over to Bob, and looks on.
    system.console.command(&format!("hand-over {id}"));
    bob.command("wait-moderator 20");
    bob.command("wait-control 20");
    wait_sign_of(&mut system.kiosk, SECOND);
    bob.type_text("Bob");
    system.kiosk.twin.fill_field("Bob");
    system.kiosk.wait_as_twin("what the new moderator typed");
    assert_eq!(system.console.command("status")["role"], "onlooker");
    assert_eq!(system.console.attempt("type x")["ok"], false);
    assert_sees(&mut system.console, &mut system.kiosk);
    assert_eq!(member(&mut cleo, SECOND)["moderator"], true);

    // The server is started anew: Bob is still the one.
    let marks = (bob.mark(), cleo.mark());
    system.server.kill();
    bob.wait_event(marks.0, "interrupted", PATIENCE);
    system.server.restart();
    bob.wait_event(marks.0, "resumed", PATIENCE);
    bob.type_text(" again");
    system.kiosk.twin.fill_field("Bob again");
    system.kiosk.wait_as_twin("what was typed after the restart");

    // Bob names Cleo, and his computer dies.
    bob.command(&format!("deputy {THIRD}"));
    eventually("all know the deputy", PATIENCE, || member(&mut cleo, THIRD)["deputy"] == true);
    bob.kill();
    cleo.command("wait-moderator 40");
    cleo.command("wait-control 20");
    wait_sign_of(&mut system.kiosk, THIRD);
    cleo.type_text(", Cleo");
    system.kiosk.twin.fill_field("Bob again, Cleo");
    system.kiosk.wait_as_twin("what the deputy typed");
    assert_sees(&mut cleo, &mut system.kiosk);
    let mark = system.console.mark();
    cleo.command("end");
    assert_eq!(system.console.wait_ended(mark, PATIENCE).1, "ended-by-moderator");
}

#[test]
fn a_password_lets_a_technician_as_far_as_the_door() {
    let server = Server::start();
    let mut moderator = Console::start_with(server.address(), &["--password"]);
    let opened = moderator.command("open");
    let text = |key: &str| opened[key].as_str().unwrap().to_owned();
    let (number, password) = (text("number"), text("password"));
    let mut bob = Console::start_as(server.address(), SECOND, &[]);
    let wrong = if password == "000000" { "000001" } else { "000000" };
    let mark = bob.mark();
    bob.attempt(&format!("watch {number} {wrong}"));
    assert_eq!(bob.wait_ended(mark, PATIENCE).1, "wrong-password");
    bob.command(&format!("watch {number} {password}"));
    let knock = moderator.command("wait-knock 20");
    assert_eq!((&knock["who"], &knock["level"]), (&SECOND.into(), &"password".into()));
    assert_eq!(bob.attempt("wait-connected 1")["ok"], false, "not before he is let in");
    let mark = moderator.mark();
    moderator.command("admit");
    bob.command("wait-connected 20");
    moderator.wait_event(mark, "entered", Duration::from_secs(20));
    assert_eq!(member(&mut bob, SECOND)["level"], "password");
}

/// A kiosk and a console go through the way in of every session.
impl System {
    fn connect_and_tell(&mut self) -> String {
        self.kiosk.wait_connected();
        let number = self.console.open();
        self.kiosk.enter_number(&number);
        let code = self.console.wait_code();
        self.kiosk.wait_asks(&code);
        accept(&mut self.console, &mut self.kiosk, &code);
        number
    }
}
