//! A program dies: nobody hangs, nothing stays pressed, everybody says what happened.

use std::time::{Duration, Instant};

use lotse_agent::panel::{Ended, Message};
use lotse_hal::simulated::{Page, Target};

use crate::harness::{Console, KioskOptions, Server, System};

/// By when a fault is known to the others.
const KNOWN: Duration = Duration::from_secs(5);

/// A system whose server keeps nobody's place for long.
fn start_impatient(options: KioskOptions) -> System {
    System::start_at(Server::start_with("[limits]\nresume = '1s'\n"), options)
}

/// By when held keys are released.
pub(crate) const RELEASED: Duration = Duration::from_secs(2);

/// The technician gives the kiosk's text field, which is empty, the focus.
pub(crate) fn focus_field(system: &mut System) {
    let System { kiosk, console, .. } = system;
    let tab = kiosk.twin.place(Target::Tab(Page::Settings));
    console.command(&format!("tap {} {}", tab.x, tab.y));
    kiosk.twin.go_to(Page::Settings);
    kiosk.wait_as_twin("the settings' page");
    let field = kiosk.twin.place(Target::Field);
    console.command(&format!("tap {} {}", field.x, field.y));
    kiosk.twin.fill_field("");
    kiosk.wait_as_twin("the field with the focus");
}

/// A session in which the technician holds Shift, and the kiosk's text field has the focus.
pub(crate) fn hold_shift(system: &mut System) {
    system.connect();
    focus_field(system);
    system.console.command("press Shift");
    write_capital(system);
    // It stays held for longer than anything that is silent may hold a key.
    std::thread::sleep(RELEASED);
    write_capital(system);
}

/// The technician's next letter is a capital, and is taken away again. The person's would be, too,
/// but whoever uses the machine has everything let go of.
fn write_capital(system: &mut System) {
    let System { kiosk, console, .. } = system;
    for (key, text) in [("A", "A"), ("Backspace", "")] {
        console.command(&format!("key {key}"));
        kiosk.twin.fill_field(text);
        kiosk.wait_as_twin("Shift is held");
    }
}

/// A kiosk whose application can be used when no session lasts.
pub(crate) fn open_kiosk() -> KioskOptions {
    KioskOptions { hidden: true, ..KioskOptions::default() }
}

#[test]
fn when_the_agent_is_killed_the_console_says_so_and_a_new_agent_can_join() {
    let mut system = start_impatient(KioskOptions::default());
    system.connect();
    let System { kiosk, console, .. } = &mut system;
    let mark = console.mark();
    kiosk.kill();
    let (_, reason) = console.wait_ended(mark, KNOWN);
    assert_eq!(reason, "panel-left");
    kiosk.restart();
    system.connect();
}

#[test]
fn when_the_network_process_is_killed_keys_are_released_and_it_comes_back() {
    let mut system = start_impatient(open_kiosk());
    hold_shift(&mut system);
    let System { kiosk, console, .. } = &mut system;
    let (said, logged) = (console.mark(), kiosk.mark());
    kiosk.kill_network_process();
    let (_, reason) = console.wait_ended(said, KNOWN);
    assert_eq!(reason, "panel-left");
    kiosk.twin.fill_field("");
    kiosk.wait_message(Message::Ended(Ended::ConnectionLost));
    kiosk.close_message();
    assert!(!kiosk.is_shift_held());
    kiosk.wait_connected_since(logged);
    system.connect();
}

#[test]
fn when_the_machine_process_is_killed_the_console_says_so_and_it_comes_back() {
    let mut system = System::start();
    system.connect();
    let System { kiosk, console, .. } = &mut system;
    let (said, logged) = (console.mark(), kiosk.mark());
    kiosk.kill_machine_process();
    let (_, reason) = console.wait_ended(said, KNOWN);
    assert_eq!(reason, "panel-failed");
    kiosk.wait_connected_since(logged);
    kiosk.wait_idle();
    system.connect();
}

#[test]
fn when_the_console_is_killed_keys_are_released_and_the_panel_says_so() {
    let mut system = start_impatient(open_kiosk());
    hold_shift(&mut system);
    let System { kiosk, console, server } = &mut system;
    console.kill();
    let killed = Instant::now();
    kiosk.wait_interrupted();
    assert!(killed.elapsed() < RELEASED, "only after {:?}", killed.elapsed());
    kiosk.wait_message(Message::Ended(Ended::ConnectionLost));
    kiosk.close_message();
    assert!(!kiosk.is_shift_held());
    *console = Console::start(server.address());
    system.connect();
}
