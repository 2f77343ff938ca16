//! A malicious server: it carries every packet, and may do with it what it likes. Each test is one
//! thing that it tries; `docs/attacks.md` lists them.

use std::cell::RefCell;
use std::rc::Rc;

use super::levels::{by_certificate, by_password};
use super::*;
use crate::handshake::{HandshakeMessage, Level, Password, SessionPasswords};
use crate::header::HEADER_LEN;
use crate::session::pressed::Pressed;

/// What the server does with a handshake message: the ones that go on in its place.
type Twist = Box<dyn FnMut(HandshakeMessage) -> Vec<HandshakeMessage>>;

impl Pair {
    /// The server changes handshake messages.
    fn twist(&mut self, mut twist: Twist) {
        self.meddle = Box::new(move |bytes| {
            let (header, payload) = Header::parse(&bytes).unwrap();
            if header.class != Class::Handshake {
                return vec![bytes];
            }
            let message = HandshakeMessage::decode(payload).unwrap();
            twist(message).iter().map(|message| packet(&header, message)).collect()
        });
    }

    /// The server lets nothing pass from now on, and keeps it.
    pub(super) fn hold(&mut self) -> Rc<RefCell<Vec<Vec<u8>>>> {
        let held = Rc::new(RefCell::new(Vec::new()));
        let kept = Rc::clone(&held);
        self.meddle = Box::new(move |bytes| {
            kept.borrow_mut().push(bytes);
            vec![]
        });
        held
    }

    fn is_connected(&self) -> bool {
        let here = self.moderator_events.iter();
        let mut here = here.filter(|e| matches!(e, ModeratorEvent::Connected { .. }));
        let there = self.participant_events.iter();
        let mut there = there.filter(|e| matches!(e, ParticipantEvent::Connected { .. }));
        here.next().is_some() || there.next().is_some()
    }

    /// Both people say yes to whatever they are asked, unless they can see that the codes differ.
    fn say_yes_if_codes_agree(&mut self) {
        let ours = self.moderator_events.iter().rev().find_map(|event| match event {
            ModeratorEvent::Compare { code, .. } => Some(code.value()),
            _ => None,
        });
        let theirs = self.participant_events.iter().rev().find_map(|event| match event {
            ParticipantEvent::Ask { standing: Standing::Compare(code), .. } => Some(code.value()),
            _ => None,
        });
        if ours.is_some() && ours == theirs {
            self.moderator.confirm_code(DEVICE);
            self.participant.decide(Consent::Granted(BOTH), self.now);
            self.settle();
        }
    }

    fn meet(&mut self) {
        self.moderator.open();
        self.settle();
        self.participant.join(Self::number(), JoinKey::of_tests());
        self.settle();
        self.say_yes_if_codes_agree();
    }
}

/// Changes the fields of the hello or the request.
fn changed(
    mut hello: impl FnMut(&mut crate::handshake::ModeratorHello) + 'static,
    mut request: impl FnMut(&mut crate::handshake::JoinRequest) + 'static,
) -> Twist {
    Box::new(move |mut message| {
        match &mut message {
            HandshakeMessage::ModeratorHello(message) => hello(message),
            HandshakeMessage::JoinRequest(message) => request(message),
            _ => {}
        }
        vec![message]
    })
}

#[test]
fn a_server_that_changes_any_field_of_the_handshake_connects_nobody() {
    let level = |level| heapless::Vec::from_slice(&[level]).unwrap();
    let twists: [fn() -> Twist; 7] = [
        || changed(|hello| hello.name = "Boss".try_into().unwrap(), |_| {}),
        || changed(|hello| hello.asks = Rights::VIEW, |_| {}),
        || changed(|hello| hello.versions.push(0).unwrap(), |_| {}),
        || changed(|hello| hello.commitment[0] ^= 1, |_| {}),
        || changed(|_| {}, |request| request.name = "Kiosk 8".try_into().unwrap()),
        || changed(|_| {}, |request| request.role = crate::message::Role::Onlooker),
        || changed(|_| {}, |request| request.suite = crate::handshake::Suite::RsaOaepAes256Gcm),
    ];
    for (which, twist) in twists.iter().enumerate() {
        let mut pair = Pair::new();
        pair.twist(twist());
        pair.meet();
        // The last one changes nothing: it shows that the others could have connected.
        assert_eq!(pair.is_connected(), which == twists.len() - 1, "twist {which}");
    }
    let mut pair = Pair::new();
    pair.twist(changed(move |hello| hello.levels = level(Level::Password), |_| {}));
    pair.meet();
    assert!(!pair.is_connected(), "a level that the moderator does not offer");
}

#[test]
fn a_server_that_strips_the_password_level_reaches_no_question() {
    let (mut pair, _, _) = by_password();
    pair.twist(changed(
        |hello| hello.levels = heapless::Vec::from_slice(&[Level::CodeCompared]).unwrap(),
        |_| {},
    ));
    pair.participant.join(Pair::number(), JoinKey::of_tests());
    pair.settle();
    pair.say_yes_if_codes_agree();
    assert!(!pair.is_connected());
    let asked = |e: &ParticipantEvent| matches!(e, ParticipantEvent::Ask { .. });
    assert!(!pair.participant_events.iter().any(asked));
}

#[test]
fn a_server_that_strips_the_certificate_level_shows_as_two_different_codes() {
    let (mut pair, _) = by_certificate();
    pair.twist(changed(
        |hello| {
            hello.levels = heapless::Vec::from_slice(&[Level::CodeCompared]).unwrap();
            hello.operator = None;
        },
        |_| {},
    ));
    pair.participant.join(Pair::number(), JoinKey::of_tests());
    pair.settle();
    let (ours, theirs) = pair.codes();
    assert_ne!(ours, theirs);
    pair.say_yes_if_codes_agree();
    assert!(!pair.is_connected());
}

/// It plays the technician towards the machine, with a password that it guesses.
#[test]
fn a_server_that_guesses_the_password_is_noticed_at_the_machine() {
    let (mut pair, right, _) = by_password();
    let guess = SessionPasswords::random(&mut OsRng);
    let means = Means { passwords: Some(std::sync::Arc::new(guess)), pass: None };
    let mut fake = Pair::with(means);
    fake.moderator.open();
    fake.settle();
    // The machine's person types the right password into the fake session.
    fake.participant.join(Pair::number(), JoinKey::of_tests());
    fake.settle();
    fake.participant.enter_password(&right);
    fake.settle();
    let gone = fake.gone();
    assert_eq!(gone, Some(ParticipantGone::Handshake(HandshakeError::Password)));
    let asked = |e: &ParticipantEvent| matches!(e, ParticipantEvent::Ask { .. });
    assert!(!fake.participant_events.iter().any(asked), "the person is not asked");
    // What it has seen does not open the real session: another run, another share.
    let proof = fake.seen.iter().rev().find_map(|packet| {
        match HandshakeMessage::decode(&packet[HEADER_LEN..]) {
            Ok(HandshakeMessage::JoinProof(proof)) => Some(proof),
            _ => None,
        }
    });
    let proof = proof.expect("the machine has proved itself to the fake");
    pair.twist(Box::new(move |message| match message {
        HandshakeMessage::JoinProof(_) => vec![HandshakeMessage::JoinProof(proof.clone())],
        message => vec![message],
    }));
    pair.participant.join(Pair::number(), JoinKey::of_tests());
    pair.settle();
    let other = Password::spoken("000000").unwrap();
    pair.participant.enter_password(&other);
    pair.settle();
    assert_eq!(pair.gone(), Some(ParticipantGone::Handshake(HandshakeError::Password)));
}

#[test]
fn a_server_that_mixes_two_attempts_connects_nobody() {
    // The hello of another attempt, and its opening.
    let mut other = Pair::new();
    other.moderator.open();
    other.settle();
    other.participant.join(Pair::number(), JoinKey::of_tests());
    other.settle();
    let recorded: Vec<HandshakeMessage> = other
        .seen
        .iter()
        .filter_map(|packet| HandshakeMessage::decode(&packet[HEADER_LEN..]).ok())
        .collect();
    let is_hello = |m: &&HandshakeMessage| matches!(m, HandshakeMessage::ModeratorHello(_));
    let hello = recorded.iter().find(is_hello).cloned().unwrap();
    let is_opening = |m: &&HandshakeMessage| matches!(m, HandshakeMessage::CommitmentOpened(_));
    let opening = recorded.iter().find(is_opening).cloned().unwrap();
    for (hello, opening) in
        [(Some(hello.clone()), None), (None, Some(opening.clone())), (Some(hello), Some(opening))]
    {
        let mut pair = Pair::new();
        pair.twist(Box::new(move |message| match (&message, &hello, &opening) {
            (HandshakeMessage::ModeratorHello(_), Some(hello), _) => vec![hello.clone()],
            (HandshakeMessage::CommitmentOpened(_), _, Some(opening)) => vec![opening.clone()],
            _ => vec![message],
        }));
        pair.meet();
        assert!(!pair.is_connected());
    }
}

#[test]
fn a_server_that_repeats_or_turns_around_handshake_messages_connects_nobody_twice() {
    let mut pair = Pair::new();
    pair.twist(Box::new(|message| vec![message.clone(), message]));
    pair.meet();
    assert!(!pair.is_connected(), "each message is due once");

    // And after the session is live, none of them does anything.
    let mut pair = Pair::new();
    pair.connect(BOTH);
    let handshake: Vec<Vec<u8>> = pair
        .seen
        .iter()
        .filter(|packet| Header::parse(packet).unwrap().0.class == Class::Handshake)
        .cloned()
        .collect();
    let (moderator, participant) = (pair.moderator_events.len(), pair.participant_events.len());
    for packet in handshake.iter().rev().chain(&handshake) {
        pair.participant.handle_packet(packet, pair.now);
        pair.moderator.handle_packet(packet, pair.now);
    }
    pair.settle();
    let events = (pair.moderator_events.len(), pair.participant_events.len());
    assert_eq!(events, (moderator, participant));
}

#[test]
fn a_server_that_keeps_the_keys_of_another_session_opens_nothing() {
    let grant_of = |pair: &Pair| {
        let mut grants = pair.seen.iter().filter_map(|packet| {
            match HandshakeMessage::decode(&packet[HEADER_LEN..]) {
                Ok(HandshakeMessage::KeyGrant(grant)) => Some(grant),
                _ => None,
            }
        });
        grants.next_back().expect("keys were given")
    };
    let mut other = Pair::new();
    other.meet();
    let old = grant_of(&other);
    let mut pair = Pair::new();
    pair.twist(Box::new(move |message| match message {
        HandshakeMessage::KeyGrant(_) => vec![HandshakeMessage::KeyGrant(old.clone())],
        message => vec![message],
    }));
    pair.meet();
    let ended = pair.participant_events.iter().any(|event| {
        matches!(event, ParticipantEvent::Ended(EndReason::Handshake(HandshakeError::Keys)))
    });
    assert!(ended && !pair.is_connected());
}

#[test]
fn a_server_that_reorders_sealed_packets_changes_no_order() {
    let mut pair = Pair::new();
    pair.connect(BOTH);
    let held = pair.hold();
    let done = [key(30, true), key(30, false), key(31, true), key(31, false)];
    for input in &done {
        pair.moderator.input(input.clone(), pair.now);
    }
    pair.settle();
    // From here on everything comes twice, too.
    pair.meddle = Box::new(|packet| vec![packet.clone(), packet]);
    let packets = held.borrow().clone();
    for packet in packets.iter().rev() {
        pair.participant.handle_packet(packet, pair.now);
    }
    // What is missing is sent again, unless it is too old by then; what comes twice is passed over.
    pair.pass(Duration::from_secs(5));
    let inputs = pair.inputs();
    let mut left = done.iter();
    for input in inputs.iter().filter(|input| **input != InputEvent::ReleaseAll) {
        assert!(left.any(|next| next == input), "out of order, or twice: {inputs:?}");
    }
    let mut pressed = Pressed::default();
    inputs.iter().for_each(|input| pressed.note(input));
    assert!(pressed.is_empty() && !inputs.is_empty(), "{inputs:?}");
}

#[test]
fn a_server_that_forges_the_source_of_a_packet_is_not_believed() {
    let mut pair = Pair::new();
    pair.connect(BOTH);
    let held = pair.hold();
    pair.moderator.input(key(30, true), pair.now);
    pair.settle();
    let sealed = held.borrow().last().cloned().expect("an input");
    let (header, payload) = Header::parse(&sealed).unwrap();
    // As if another member, or the machine itself, had sent it; and to somebody else.
    for (source, destination) in
        [(MemberId(3), DEVICE), (DEVICE, DEVICE), (MemberId::MODERATOR, MemberId(3))]
    {
        let forged = Header { source, destination, ..header };
        let forged = [&forged.encode()[..], payload].concat();
        pair.participant.handle_packet(&forged, pair.now);
        pair.moderator.handle_packet(&forged, pair.now);
    }
    pair.meddle = Box::new(|packet| vec![packet]);
    pair.settle();
    assert_eq!(pair.inputs(), []);
}

#[test]
fn a_server_that_invents_members_gives_them_no_keys() {
    let mut pair = Pair::new();
    pair.connect(BOTH);
    let before = pair.seen.len();
    for member in 3..60 {
        let joined = Notice::MemberJoined { member: MemberId(member) };
        pair.moderator.handle_notice(joined, pair.now);
    }
    pair.settle();
    // They are greeted; none has a key, and the machine hears nothing of them.
    let keys = pair.seen.iter().skip(before).any(|packet| {
        let message = HandshakeMessage::decode(&packet[HEADER_LEN..]);
        matches!(message, Ok(HandshakeMessage::KeyGrant(_)))
    });
    assert!(!keys);
    pair.moderator.input(key(30, true), pair.now);
    pair.settle();
    assert_eq!(pair.inputs(), [key(30, true)], "the session goes on");
}

#[test]
fn a_click_that_the_server_holds_back_is_never_carried_out() {
    let mut pair = Pair::new();
    pair.connect(BOTH);
    pair.pass(Duration::from_secs(1));
    let held = pair.hold();
    pair.moderator.input(InputEvent::Button { button: 0, pressed: true }, pair.now);
    pair.settle();
    pair.meddle = Box::new(|packet| vec![packet]);
    let late = held.borrow().clone();
    pair.now += Duration::from_secs(10);
    pair.participant.handle_timeout(pair.now);
    for packet in late {
        pair.participant.handle_packet(&packet, pair.now);
    }
    pair.pass(TICK);
    assert_eq!(pair.inputs(), []);
    let told = |e: &ModeratorEvent| matches!(e, ModeratorEvent::InputDropped(1));
    assert!(pair.moderator_events.iter().any(told), "and the technician is told");
}

#[test]
fn bits_flipped_on_the_way_connect_nobody() {
    // Every byte of the first two messages, one bit each; RSA is too slow for all bits of all.
    let mut whole = Pair::new();
    whole.meet();
    assert!(whole.is_connected());
    let lengths: Vec<usize> = whole.seen.iter().take(4).map(Vec::len).collect();
    for (which, length) in lengths.into_iter().enumerate() {
        for byte in (HEADER_LEN..length).step_by(7) {
            let mut pair = Pair::new();
            let mut count = 0;
            pair.meddle = Box::new(move |mut packet| {
                if count == which
                    && let Some(byte) = packet.get_mut(byte)
                {
                    *byte ^= 1 << (length % 8);
                }
                count += 1;
                vec![packet]
            });
            pair.meet();
            assert!(!pair.is_connected(), "message {which}, byte {byte}");
        }
    }
}
