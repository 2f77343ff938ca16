//! Sessions by password and by certificate, and whoever tries his luck.

use std::sync::Arc;

use super::*;
use crate::certificate::{self, Holder, KeyPair, Memory, NotCertified, OwnDevice, Pass};
use crate::handshake::participant::Unverified;
use crate::handshake::{
    HandshakeMessage, Level, MAX_ATTEMPTS, MAX_PASSWORD_FAILURES, Password, SessionPasswords,
};

fn join_key() -> JoinKey {
    JoinKey::of_tests()
}

pub(super) fn by_password() -> (Pair, Password, Password) {
    let words = SessionPasswords::random(&mut OsRng);
    let right = Password::spoken(words.spoken()).unwrap();
    let other = (words.spoken().parse::<u32>().unwrap() + 1) % 1_000_000;
    let wrong = Password::spoken(&format!("{other:06}")).unwrap();
    let means = Means { passwords: Some(Arc::new(words)), pass: None };
    let mut pair = Pair::with(means);
    pair.moderator.open();
    pair.settle();
    (pair, right, wrong)
}

impl Pair {
    fn type_number(&mut self) {
        self.participant.join(Self::number(), join_key());
        self.settle();
    }

    fn try_password(&mut self, password: &Password) {
        self.type_number();
        self.participant.enter_password(password);
        self.settle();
    }

    fn count(&self, is: impl Fn(&ModeratorEvent) -> bool) -> usize {
        self.moderator_events.iter().filter(|event| is(event)).count()
    }

    fn is_asked(&self) -> bool {
        self.participant_events.iter().any(|e| matches!(e, ParticipantEvent::Ask { .. }))
    }

    fn is_burned(&self) -> bool {
        self.count(|event| matches!(event, ModeratorEvent::NumberBurned)) > 0
    }

    /// The level that both sides say, once they are connected.
    fn level(&self) -> Option<(Level, Option<Level>)> {
        let ours = self.moderator_events.iter().find_map(|event| match event {
            ModeratorEvent::Connected { level, .. } => Some(*level),
            _ => None,
        });
        let theirs = self.participant_events.iter().find_map(|event| match event {
            ParticipantEvent::Connected { level, .. } => Some(*level),
            _ => None,
        });
        ours.zip(theirs)
    }
}

fn is_compare(event: &ModeratorEvent) -> bool {
    matches!(event, ModeratorEvent::Compare { .. })
}

fn is_knocking(event: &ModeratorEvent) -> bool {
    matches!(event, ModeratorEvent::Knocking { .. })
}

#[test]
fn who_knows_the_password_connects_without_comparing() {
    let (mut pair, right, _) = by_password();
    pair.try_password(&right);
    assert!(pair.is_asked() && pair.count(is_compare) == 0);
    pair.participant.decide(Consent::Granted(BOTH), pair.now);
    pair.settle();
    assert_eq!(pair.level(), Some((Level::Password, Some(Level::Password))));
}

#[test]
fn the_fourth_password_is_not_even_looked_at() {
    let (mut pair, right, wrong) = by_password();
    for failures in 1..=MAX_PASSWORD_FAILURES {
        pair.try_password(&wrong);
        let gone = ParticipantGone::Handshake(HandshakeError::Password);
        assert_eq!(pair.gone(), Some(gone));
        assert_eq!(pair.is_burned(), failures == MAX_PASSWORD_FAILURES);
    }
    pair.try_password(&right);
    assert!(!pair.is_asked(), "not even the right one");
}

/// Whoever breaks off has seen the moderator's share and has said nothing that can be checked.
#[test]
fn a_password_run_that_is_not_finished_is_a_failed_one() {
    let ways: [fn(&mut Pair); 3] = [
        |pair| pair.participant.end(DeviceEnd::Stopped),
        |pair| pair.pass(HANDSHAKE_STEP),
        |pair| {
            let notice = Notice::MemberLeft { member: DEVICE, how: Departure::Lost };
            pair.moderator.handle_notice(notice, pair.now);
            pair.participant.forget();
        },
    ];
    for way in ways {
        let (mut pair, right, _) = by_password();
        let hold_proofs = |packet: Vec<u8>| {
            let (_, payload) = Header::parse(&packet).unwrap();
            match HandshakeMessage::decode(payload) {
                Ok(HandshakeMessage::JoinProof(_)) => vec![],
                _ => vec![packet],
            }
        };
        for _ in 0..MAX_PASSWORD_FAILURES {
            assert!(!pair.is_burned());
            pair.meddle = Box::new(hold_proofs);
            pair.try_password(&right);
            way(&mut pair);
            pair.settle();
        }
        assert!(pair.is_burned());
    }
}

#[test]
fn a_number_guesser_without_a_guess_burns_no_number() {
    let (mut pair, right, _) = by_password();
    for _ in 0..10 {
        pair.type_number();
        pair.participant.end(DeviceEnd::Stopped);
        pair.settle();
    }
    assert!(!pair.is_burned());
    pair.try_password(&right);
    assert!(pair.is_asked());
}

/// As many as may shake hands at a time join, and say nothing.
#[test]
fn who_joins_and_says_nothing_keeps_nobody_out() {
    let silent = |pair: &mut Pair| {
        for member in 3..3 + u16::try_from(MAX_HANDSHAKES).unwrap() {
            let joined = Notice::MemberJoined { member: MemberId(member) };
            pair.moderator.handle_notice(joined, pair.now);
        }
        // What is said to them reaches nobody.
        while pair.moderator.poll_output().is_some() {}
    };
    let (mut pair, right, _) = by_password();
    silent(&mut pair);
    pair.try_password(&right);
    assert!(pair.is_asked(), "at once, where a person may be typing");

    let mut pair = Pair::new();
    pair.moderator.open();
    pair.settle();
    silent(&mut pair);
    pair.type_number();
    pair.pass(REQUEST_STEP);
    assert!(pair.is_asked(), "and soon, where nobody has to");
}

/// Every failure before the keys is one and the same message.
#[test]
fn all_failures_before_the_keys_look_the_same_on_the_wire() {
    let said = |pair: &Pair| pair.seen.last().unwrap()[crate::header::HEADER_LEN..].to_vec();
    let failed = HandshakeMessage::Declined(Declined::Failed).encode();
    let (mut pair, _, wrong) = by_password();
    pair.try_password(&wrong);
    assert_eq!(said(&pair), failed);

    let (mut pair, right, _) = by_password();
    pair.meddle = Box::new(|packet| {
        let (header, payload) = Header::parse(&packet).unwrap();
        match HandshakeMessage::decode(payload) {
            Ok(HandshakeMessage::JoinRequest(mut request)) => {
                request.version = 9;
                vec![super::packet(&header, &HandshakeMessage::JoinRequest(request))]
            }
            _ => vec![packet],
        }
    });
    pair.try_password(&right);
    assert_eq!(said(&pair), failed);
}

/// Five comparisons came to nothing. Whoever types the number then is not turned away: the
/// technician sees his name, and lets in whom he expects.
#[test]
fn a_number_guesser_does_not_lock_the_right_person_out() {
    let mut pair = Pair::new();
    pair.moderator.open();
    pair.settle();
    for attempt in 0..2 * MAX_ATTEMPTS {
        pair.participant_events.clear();
        pair.type_number();
        assert_eq!(pair.is_asked(), attempt < MAX_ATTEMPTS);
        pair.participant.decide(Consent::Refused, pair.now);
        pair.participant.end(DeviceEnd::Stopped);
        pair.settle();
    }
    assert_eq!(pair.count(is_compare), usize::from(MAX_ATTEMPTS));
    assert_eq!(pair.count(is_knocking), usize::from(MAX_ATTEMPTS));

    pair.type_number();
    let Some(ModeratorEvent::Knocking { member, name }) = pair.moderator_events.last() else {
        panic!("the technician is asked: {:?}", pair.moderator_events.last())
    };
    assert_eq!(name, "Kiosk 7");
    let member = *member;
    pair.moderator.admit(member);
    pair.settle();
    let (ours, theirs) = pair.codes();
    assert_eq!(ours, theirs);
    pair.moderator.confirm_code(member);
    pair.participant.decide(Consent::Granted(BOTH), pair.now);
    pair.settle();
    assert_eq!(pair.level(), Some((Level::CodeCompared, Some(Level::CodeCompared))));
}

#[test]
fn who_is_not_expected_is_sent_away_unanswered() {
    let mut pair = Pair::new();
    pair.moderator.open();
    pair.settle();
    for _ in 0..=MAX_ATTEMPTS {
        pair.type_number();
        pair.participant.decide(Consent::Refused, pair.now);
        pair.settle();
    }
    pair.moderator.refuse(DEVICE);
    pair.settle();
    assert_eq!(pair.gone(), Some(ParticipantGone::Refused));
    assert!(!pair.participant.is_busy());
}

/// The digits are known as soon as the moderator has opened its commitment. A server that breaks
/// off whenever they do not suit it would need no luck, only time.
#[test]
fn an_attempt_that_is_broken_off_after_the_opening_counts() {
    let mut pair = Pair::new();
    pair.moderator.open();
    pair.settle();
    let openings = std::rc::Rc::new(std::cell::Cell::new(0));
    let seen = std::rc::Rc::clone(&openings);
    pair.meddle = Box::new(move |packet| {
        let (_, payload) = Header::parse(&packet).unwrap();
        match HandshakeMessage::decode(payload) {
            Ok(HandshakeMessage::CommitmentOpened(_)) => {
                seen.set(seen.get() + 1);
                vec![]
            }
            _ => vec![packet],
        }
    });
    for _ in 0..3 * MAX_ATTEMPTS {
        pair.type_number();
        pair.participant.end(DeviceEnd::Stopped);
        pair.settle();
    }
    assert_eq!(openings.get(), MAX_ATTEMPTS);
}

/// The same with somebody who wants to look on: his name is seen, but he has no key yet.
#[test]
fn an_onlooker_who_knows_the_password_still_waits_to_be_let_in() {
    let (mut pair, right, _) = by_password();
    let mut onlooker = Onlooker::new("Bob".try_into().unwrap(), Box::new(OsRng));
    onlooker.join(Pair::number(), join_key());
    let session = SessionId([5; 16]);
    let moderator = MemberId::MODERATOR;
    let joined = Answer::Joined { session, member: DEVICE, moderator, resume: token() };
    onlooker.handle_answer(joined);
    let joined = Notice::MemberJoined { member: DEVICE };
    pair.moderator.handle_notice(joined, pair.now);
    let mut keys = 0;
    let mut is_known = false;
    for _ in 0..8 {
        while let Some(output) = pair.moderator.poll_output() {
            match output {
                Output::Packet(_, packet) => {
                    let message = HandshakeMessage::decode(&packet[crate::header::HEADER_LEN..]);
                    keys += u32::from(matches!(message, Ok(HandshakeMessage::KeyGrant(_))));
                    onlooker.handle_packet(&packet, pair.now);
                }
                Output::Event(ModeratorEvent::Checked { level: Level::Password, .. }) => {
                    is_known = true;
                }
                _ => {}
            }
        }
        while let Some(output) = onlooker.poll_output() {
            match output {
                Output::Packet(_, packet) => pair.moderator.handle_packet(&packet, pair.now),
                Output::Event(OnlookerEvent::AskPassword) => onlooker.enter_password(&right),
                _ => {}
            }
        }
    }
    assert!(is_known && keys == 0);
    pair.moderator.confirm_code(DEVICE);
    while let Some(output) = pair.moderator.poll_output() {
        if let Output::Packet(_, packet) = output {
            let message = HandshakeMessage::decode(&packet[crate::header::HEADER_LEN..]);
            keys += u32::from(matches!(message, Ok(HandshakeMessage::KeyGrant(_))));
        }
    }
    assert_eq!(keys, 1);
}

// --- certificates ---

pub(super) fn by_certificate() -> (Pair, OwnDevice) {
    let root = KeyPair::generate(&mut OsRng);
    let issue = |key: &KeyPair, name: &str, holder| {
        let entry = certificate::Entry {
            name: name.try_into().unwrap(),
            holder,
            groups: certificate::groups(["all"]).unwrap(),
            not_before: NOW_S - 10,
            not_after: NOW_S + 3600,
        };
        certificate::issue(&root, key.public(), entry, &mut OsRng).unwrap()
    };
    let key = KeyPair::generate(&mut OsRng);
    let certificate = issue(&key, "Kiosk of the operator", Holder::Device);
    let own = OwnDevice { key, certificate, root: root.public() };
    let key = KeyPair::generate(&mut OsRng);
    let certificate = issue(&key, "Ada", Holder::Technician { rights: 1 });
    let revoked = heapless::Vec::new();
    let state = certificate::issue_state(&root, 1, (NOW_S, NOW_S + 600), 0, revoked).unwrap();
    let pass = Pass { key, certificate, state, root: root.public() };
    let mut pair = Pair::with(Means { passwords: None, pass: Some(Arc::new(pass)) });
    pair.participant.set_operator(Some(own.root));
    pair.moderator.open();
    pair.settle();
    (pair, own)
}

impl Pair {
    fn sign(&mut self, own: &OwnDevice) {
        let Some(ParticipantEvent::Identify { transcript }) = self.participant_events.last() else {
            panic!("the device is to sign: {:?}", self.participant_events.last())
        };
        let proof = certificate::identify_device(own, transcript, &mut OsRng);
        self.participant.identify(proof);
        self.settle();
    }

    fn shown(&self, own: &OwnDevice) -> Result<certificate::Known, NotCertified> {
        let Some(ParticipantEvent::Ask {
            standing: Standing::Shown(Unverified { technician, nonce, transcript }),
            ..
        }) = self.participant_events.last()
        else {
            panic!("a certificate is shown: {:?}", self.participant_events.last())
        };
        certificate::check_technician(
            technician,
            (nonce, transcript),
            own,
            Memory::default(),
            NOW_S,
        )
    }
}

#[test]
fn an_operators_technician_connects_without_comparing() {
    let (mut pair, own) = by_certificate();
    pair.type_number();
    pair.sign(&own);
    let known = pair.shown(&own).unwrap();
    assert_eq!((known.name.as_str(), known.rights), ("Ada", Rights::VIEW));
    pair.participant.decide(Consent::Granted(known.rights), pair.now);
    pair.settle();
    assert_eq!(pair.level(), Some((Level::Certificate, None)));
    let checked = |event: &ModeratorEvent| matches!(event, ModeratorEvent::Checked { name, .. } if name == "Kiosk of the operator");
    assert_eq!(pair.count(checked), 1);
}

#[test]
fn a_device_that_is_not_the_operators_does_not_pass_for_one() {
    let (mut pair, own) = by_certificate();
    let (_, other) = by_certificate();
    pair.type_number();
    let pretended = OwnDevice { key: other.key, ..own };
    pair.sign(&pretended);
    let why = HandshakeError::NotCertified(NotCertified::Signature);
    assert_eq!(pair.gone(), Some(ParticipantGone::Handshake(why)));
    assert!(!pair.is_asked());
}
