//! A session from its number to its end.

use std::time::Duration;

use lotse_agent::panel::{Ended, Message};
use lotse_hal::simulated::{Page, Target};

use crate::harness::{System, eventually};

/// What the technician sees is exactly what the person sees.
fn assert_pictures_become_equal(system: &mut System) {
    let System { kiosk, console, .. } = system;
    let mut difference = None;
    eventually("the console shows what the kiosk shows", Duration::from_secs(20), || {
        difference = console.shot().difference(&kiosk.shot());
        difference.is_none()
    });
}

#[test]
fn a_session_goes_from_number_to_end() {
    let mut system = System::start();
    // The number is typed, both sides show the same six digits, accepted by keyboard.
    system.connect();
    let answer = system.console.command("status");
    assert_eq!(answer["state"], "connected", "{answer}");
    assert_eq!(answer["rights"], serde_json::json!(["view", "control"]), "{answer}");
    assert_pictures_become_equal(&mut system);

    // A tap of the technician's lands on the button below it.
    let tab = system.kiosk.twin.place(Target::Tab(Page::Settings));
    system.console.command(&format!("tap {} {}", tab.x, tab.y));
    system.kiosk.twin.go_to(Page::Settings);
    system.kiosk.wait_as_twin("the settings' page after a tap");
    assert_pictures_become_equal(&mut system);

    // A text arrives letter for letter.
    let field = system.kiosk.twin.place(Target::Field);
    system.console.command(&format!("tap {} {}", field.x, field.y));
    let text = "Batch #4711 (Cider), 7%!";
    system.console.type_text(text);
    system.kiosk.twin.fill_field(text);
    system.kiosk.wait_as_twin("the text in the field");
    assert_pictures_become_equal(&mut system);

    // It ends, and the panel says so.
    let mark = system.console.mark();
    system.console.command("end");
    let (_, reason) = system.console.wait_ended(mark, Duration::from_secs(5));
    assert_eq!(reason, "ended-here");
    system.kiosk.wait_message(Message::Ended(Ended::ByTechnician));
    system.kiosk.close_message();
    assert!(system.console.attempt("tap 10 10")["ok"] == false, "there is no session any more");
}

#[test]
fn the_same_programs_go_through_one_session_after_another() {
    let mut system = System::start();
    for _ in 0..2 {
        system.connect();
        assert_pictures_become_equal(&mut system);
        system.console.command("end");
        system.kiosk.wait_message(Message::Ended(Ended::ByTechnician));
        system.kiosk.close_message();
    }
}
