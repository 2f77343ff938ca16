//! Numbers that lead to no session.

use std::time::Duration;

use lotse_agent::panel::Message;

use crate::harness::{Console, Kiosk, Server, System, accept};

#[test]
fn after_a_wrong_number_the_right_one_can_be_typed() {
    let mut system = System::start();
    let System { console, kiosk, .. } = &mut system;
    kiosk.wait_connected();
    let number = console.open();
    let wrong = if number == "123456789" { "123456780" } else { "123456789" };
    kiosk.enter_number(wrong);
    kiosk.wait_message(Message::NotJoined);
    kiosk.close_message();
    kiosk.enter_number(&number);
    let code = console.wait_code();
    kiosk.wait_asks(&code);
    accept(console, kiosk, &code);
}

#[test]
fn an_expired_number_is_as_unknown_as_a_wrong_one() {
    let server = Server::start_with("[limits]\nfirst_join = \"2s\"\n");
    let mut kiosk = Kiosk::start(server.address());
    let mut console = Console::start(server.address());
    kiosk.wait_connected();
    let number = console.open();
    let (_, reason) = console.wait_ended(0, Duration::from_secs(15));
    assert_eq!(reason, "number-expired");
    kiosk.enter_number(&number);
    kiosk.wait_message(Message::NotJoined);
    kiosk.close_message();
}
