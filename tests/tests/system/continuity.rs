//! Links break and servers die under a session that goes on.

use std::time::{Duration, Instant};

use lotse_agent::panel::{Ended, Message};

use crate::faults::{RELEASED, focus_field, hold_shift, open_kiosk};
use crate::harness::{Console, Kiosk, Proxy, Server, System, eventually};

/// Picture and control are back within this time after the network or the server is.
const BACK: Duration = Duration::from_secs(5);

/// By when a fault is known.
const KNOWN: Duration = Duration::from_secs(6);

/// The technician types six letters from `first` on, one at a time; what was typed.
fn type_letters(console: &mut Console, first: char) -> String {
    let typed: String = (0..6).map(|at| char::from(first as u8 + at)).collect();
    for letter in typed.chars() {
        console.type_text(&letter.to_string());
    }
    typed
}

/// Both see all that was typed, soon after `since`.
fn assert_typed(system: &mut System, text: &str, since: Instant) {
    let System { kiosk, console, .. } = system;
    kiosk.twin.fill_field(text);
    kiosk.wait_as_twin_within("all that was typed, in order", BACK);
    let expected = kiosk.twin.picture();
    eventually("the console shows it", BACK, || console.shot().difference(&expected).is_none());
    assert!(since.elapsed() < BACK, "only after {:?}", since.elapsed());
}

#[test]
fn a_session_survives_the_servers_death_and_loses_nothing_that_was_typed() {
    let mut system = System::start_with(open_kiosk());
    system.connect();
    focus_field(&mut system);
    let mark = system.console.mark();
    let mut text = type_letters(&mut system.console, 'a');
    system.server.kill();
    let killed = Instant::now();
    system.console.wait_event(mark, "interrupted", KNOWN);
    // What is typed into the gap waits.
    text += &type_letters(&mut system.console, 'k');
    system.server.restart();
    system.console.wait_event(mark, "resumed", BACK);
    text += &type_letters(&mut system.console, 't');
    assert_typed(&mut system, &text, killed);
}

#[test]
fn a_session_survives_when_the_network_is_cut_for_twenty_seconds() {
    let server = Server::start();
    let networks = [(); 2].map(|()| Proxy::start(server.listening()));
    let [at_kiosk, at_console] = &networks;
    let kiosk = Kiosk::start_with(&server.address_via(at_kiosk.port()), open_kiosk());
    let console = Console::start(&server.address_via(at_console.port()));
    let mut system = System { server, kiosk, console };
    system.connect();
    focus_field(&mut system);
    let mark = system.console.mark();
    let mut text = type_letters(&mut system.console, 'a');
    networks.iter().for_each(Proxy::cut);
    let cut = Instant::now();
    system.console.wait_event(mark, "interrupted", KNOWN);
    std::thread::sleep(Duration::from_secs(20).saturating_sub(cut.elapsed()));
    networks.iter().for_each(Proxy::mend);
    let mended = Instant::now();
    system.console.wait_event(mark, "resumed", BACK);
    text += &type_letters(&mut system.console, 't');
    assert_typed(&mut system, &text, mended);
}

#[test]
fn what_is_held_is_let_go_of_when_the_server_dies() {
    let mut system = System::start_with(open_kiosk());
    hold_shift(&mut system);
    system.server.kill();
    let killed = Instant::now();
    system.kiosk.wait_interrupted();
    assert!(killed.elapsed() < RELEASED, "only after {:?}", killed.elapsed());
    assert!(!system.kiosk.is_shift_held());
}

#[test]
fn stop_at_the_panel_works_without_a_server() {
    let mut system = System::start();
    system.connect();
    let System { kiosk, console, server } = &mut system;
    let mark = console.mark();
    server.kill();
    kiosk.wait_interrupted();
    kiosk.touch_stop();
    kiosk.wait_message(Message::Ended(Ended::ByStaff));
    kiosk.close_message();
    server.restart();
    let (_, reason) = console.wait_ended(mark, BACK);
    assert_eq!(reason, "stopped-at-panel");
    system.connect();
}
