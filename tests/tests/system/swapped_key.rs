//! Somebody in the middle puts a key of his own in the place of the kiosk's.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lotse_agent::panel::Message;
use lotse_protocol::frame::Frame;
use lotse_protocol::handshake::participant::{AfterHello, ExpectModeratorHello};
use lotse_protocol::handshake::{Context, HandshakeMessage, JoinKey};
use lotse_protocol::header::HEADER_LEN;
use lotse_protocol::message::Role;
use lotse_protocol::tunnel::SessionId;
use lotse_protocol::{Class, MemberId, SessionNumber};
use rand_core::OsRng;

use crate::harness::overheard::{Overheard, header, packets};
use crate::harness::{Console, Kiosk, Relay, Server, Way};

/// A public key as a request carries it.
type PublicKey = heapless::Vec<u8, 320>;

/// The one in the middle.
#[derive(Default)]
struct Attacker {
    /// The moderator's first message.
    hello: Vec<u8>,
    /// The request with the attacker's key in it.
    request: Option<Vec<u8>>,
}

impl Attacker {
    /// Looks at what passes between the server and the kiosk, and swaps the key.
    fn meddle(&mut self, way: Way, frame: Frame) -> Frame {
        let Frame::Packet(packet) = &frame else { return frame };
        let mut header = header(packet);
        if header.class != Class::Handshake {
            return frame;
        }
        let message = &packet[HEADER_LEN..];
        match (way, HandshakeMessage::decode(message).unwrap()) {
            (Way::ToClient, HandshakeMessage::ModeratorHello(_)) => {
                self.hello = message.to_vec();
                frame
            }
            (Way::ToServer, HandshakeMessage::JoinRequest(mut request)) => {
                let original = request.public_key.clone();
                request.public_key = self.public_key();
                assert_ne!(request.public_key, original);
                let request = HandshakeMessage::JoinRequest(request).encode();
                header.length = u32::try_from(request.len()).unwrap();
                let packet = [&header.encode()[..], &request].concat();
                self.request = Some(request);
                Frame::Packet(packet)
            }
            _ => frame,
        }
    }

    /// A key that a participant could have made.
    fn public_key(&self) -> PublicKey {
        let context = Context {
            session: SessionId([0; 16]),
            number: SessionNumber::try_from(123_456_789).unwrap(),
            participant: MemberId(2),
        };
        let key = JoinKey::generate(&mut OsRng).unwrap();
        let state = ExpectModeratorHello::new(context, key);
        let name = "attacker".try_into().unwrap();
        let joins = (&name, Role::Device);
        let AfterHello::Request(_, request) = state.handle(&self.hello, joins, None).unwrap()
        else {
            panic!("no password is due")
        };
        match HandshakeMessage::decode(&request).unwrap() {
            HandshakeMessage::JoinRequest(request) => request.public_key,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_relay_that_swaps_the_key_makes_the_codes_differ_and_nothing_connects() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Server::start();
    let attacker = Arc::new(Mutex::new(Attacker::default()));
    let meddling = Arc::clone(&attacker);
    let relay = runtime.block_on(Relay::meddling(
        &server,
        Box::new(move |way, frame| meddling.lock().unwrap().meddle(way, frame)),
    ));
    let mut kiosk = Kiosk::start(relay.address());
    let mut console = Console::start(server.address());
    kiosk.wait_connected();
    let number = console.open();
    kiosk.enter_number(&number);
    let at_console = console.wait_code();

    // Each side shows the code of what it has seen.
    let ways = [Way::ToServer, Way::ToClient];
    let seen_by_kiosk = Overheard::from_frames(&relay.captured(), &ways, number.parse().unwrap());
    let at_kiosk = seen_by_kiosk.code();
    kiosk.wait_asks(&at_kiosk);
    let swapped = attacker.lock().unwrap().request.clone().expect("the key was swapped");
    assert_eq!(seen_by_kiosk.with_message(1, swapped).code(), at_console);
    assert_ne!(at_kiosk, at_console);

    // The person accepts all the same; the technician compares.
    kiosk.accept_by_key(&at_kiosk);
    let answer = console.attempt(&format!("confirm {at_kiosk}"));
    assert_eq!(answer["ok"], false, "{answer}");
    let mark = console.mark();
    console.command("differ");
    let (_, reason) = console.wait_ended(mark, Duration::from_secs(5));
    assert_eq!(reason, "codes-differ");
    kiosk.wait_message(Message::Unsafe);
    kiosk.close_message();

    // No key has left, and nothing else either.
    for packet in packets(&relay.captured(), &ways) {
        assert_eq!(header(packet).class, Class::Handshake);
        let message = HandshakeMessage::decode(&packet[HEADER_LEN..]).unwrap();
        assert!(!matches!(message, HandshakeMessage::KeyGrant(_)), "a key has left");
    }
}

#[test]
fn the_keys_of_a_technician_who_does_not_compare_do_not_open_at_the_kiosk() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Server::start();
    let attacker = Mutex::new(Attacker::default());
    let relay = runtime.block_on(Relay::meddling(
        &server,
        Box::new(move |way, frame| attacker.lock().unwrap().meddle(way, frame)),
    ));
    let mut kiosk = Kiosk::start(relay.address());
    let mut console = Console::start(server.address());
    kiosk.wait_connected();
    let number = console.open();
    kiosk.enter_number(&number);
    console.wait_code();
    let ways = [Way::ToServer, Way::ToClient];
    let code = Overheard::from_frames(&relay.captured(), &ways, number.parse().unwrap()).code();
    kiosk.wait_asks(&code);
    kiosk.accept_by_key(&code);
    console.command("confirm --codes-match");
    let (_, reason) = console.wait_ended(0, Duration::from_secs(5));
    assert_eq!(reason, "keys-do-not-match");
    kiosk.wait_message(Message::Unsafe);
}
