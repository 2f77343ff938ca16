//! The handshake at every level, honest and with somebody in between.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use rand_core::OsRng;

use super::moderator::{Admission, ExpectJoinProof, ExpectJoinRequest};
use super::participant::{
    AfterHello, AfterOpening, Consider, ExpectModeratorHello, ExpectModeratorProof, ExpectOpening,
    ExpectPassword, Standing, Unverified,
};
use super::transcript::Transcript;
use super::*;
use crate::certificate::{self, Holder, KeyPair, OwnDevice, PublicKey};
use crate::keys::GroupKey;
use crate::message::{Name, Rights, Role};
use crate::tunnel::SessionId;
use crate::{MemberId, SessionNumber};

const NOW: u64 = 1_800_000_000;
const GRANT: Grant = Grant { member: MemberId(2), instance: 1, moderator_instance: 1, epoch: 0 };

fn context() -> Context {
    Context {
        session: SessionId([9; 16]),
        number: SessionNumber::try_from(123_456_789).unwrap(),
        participant: MemberId(2),
    }
}

fn name(text: &str) -> Name {
    text.try_into().unwrap()
}

fn join_key() -> JoinKey {
    JoinKey::of_tests()
}

fn hello(means: &Means) -> (ExpectJoinRequest, Vec<u8>) {
    let asks = Rights::VIEW.with(Rights::CONTROL);
    ExpectJoinRequest::start(&context(), &name("Technician"), asks, means, &mut OsRng)
}

fn device() -> ExpectModeratorHello {
    ExpectModeratorHello::new(context(), join_key())
}

fn request(
    p: ExpectModeratorHello,
    hello: &[u8],
    operator: Option<PublicKey>,
) -> (ExpectOpening, Vec<u8>) {
    match p.handle(hello, (&name("Kiosk 7"), Role::Device), operator).unwrap() {
        AfterHello::Request(next, message) => (next, message),
        AfterHello::AskPassword(_) => panic!("no password is due"),
    }
}

fn ask_password(p: ExpectModeratorHello, hello: &[u8]) -> ExpectPassword {
    match p.handle(hello, (&name("Kiosk 7"), Role::Device), None).unwrap() {
        AfterHello::AskPassword(next) => next,
        AfterHello::Request(..) => panic!("the password is due"),
    }
}

fn consider(p: ExpectOpening, opening: &[u8]) -> (Consider, Vec<u8>) {
    match p.handle(opening).unwrap() {
        AfterOpening::Consider(next, message) => (next, message),
        other => panic!("people compare: {other:?}"),
    }
}

fn expect(p: ExpectOpening, opening: &[u8]) -> (ExpectModeratorProof, Vec<u8>) {
    match p.handle(opening).unwrap() {
        AfterOpening::Expect(next, message) => (next, message),
        other => panic!("the moderator proves: {other:?}"),
    }
}

fn code(p: &Consider) -> Code {
    match p.standing() {
        Standing::Compare(code) => *code,
        other => panic!("people compare: {other:?}"),
    }
}

fn join(
    m: ExpectJoinRequest,
    request: &[u8],
) -> Result<(ExpectJoinProof, Vec<u8>), HandshakeError> {
    m.handle(request, &mut OsRng)
}

/// A message with something changed in it.
fn forged(bytes: &[u8], change: impl FnOnce(&mut HandshakeMessage)) -> Vec<u8> {
    let mut message = HandshakeMessage::decode(bytes).unwrap();
    change(&mut message);
    message.encode()
}

fn change_hello(bytes: &[u8], change: impl FnOnce(&mut ModeratorHello)) -> Vec<u8> {
    forged(bytes, |message| match message {
        HandshakeMessage::ModeratorHello(hello) => change(hello),
        other => panic!("{other:?}"),
    })
}

fn change_request(bytes: &[u8], change: impl FnOnce(&mut JoinRequest)) -> Vec<u8> {
    forged(bytes, |message| match message {
        HandshakeMessage::JoinRequest(request) => change(request),
        other => panic!("{other:?}"),
    })
}

/// Both come to the same keys.
fn meet(m: Admission, p: Consider) {
    let group = GroupKey::random(&mut OsRng);
    let (pair, message) = m.confirm(&group, GRANT, &mut OsRng).unwrap();
    let keys = p.accept().handle(&message, &mut OsRng).unwrap();
    assert_eq!(keys.group.as_bytes(), group.as_bytes());
    assert_eq!(keys.pair.grant_key(), pair.grant_key());
    assert_eq!(keys.grant, GRANT);
}

#[test]
fn an_honest_exchange_gives_the_same_digits_and_keys() {
    let (m, message) = hello(&Means::default());
    let (p, message) = request(device(), &message, None);
    let (m, message) = join(m, &message).unwrap();
    let (p, message) = consider(p, &message);
    let (m, nothing) = m.handle(&message, NOW).unwrap();
    assert!(nothing.is_none() && m.code() == Some(code(&p)));
    assert_eq!(m.level(), Level::CodeCompared);
    assert_eq!(p.standing().level(), Some(Level::CodeCompared));
    assert_eq!((m.name().as_str(), p.name().as_str()), ("Kiosk 7", "Technician"));
    assert_eq!(p.asks(), Rights::VIEW.with(Rights::CONTROL));
    meet(m, p);
}

/// A server in the middle: it runs the handshake with each side under keys of its own.
#[test]
fn a_swapped_rsa_key_shows_as_two_different_codes() {
    let (m, from_m) = hello(&Means::default());
    let (p, from_p) = request(device(), &from_m, None);
    let evil = JoinKey::generate(&mut OsRng).unwrap();
    let swapped = change_request(&from_p, |request| request.public_key = evil.public_der());
    let (m, opening) = join(m, &swapped).unwrap();
    let (p, proof) = consider(p, &opening);
    let (m, _) = m.handle(&proof, NOW).unwrap();
    assert!(m.code() != Some(code(&p)), "the people see that something is wrong");

    // And if they confirm all the same, the keys that come are not for the device.
    let (_, grant) = m.confirm(&GroupKey::random(&mut OsRng), GRANT, &mut OsRng).unwrap();
    assert_eq!(p.accept().handle(&grant, &mut OsRng).unwrap_err(), HandshakeError::Keys);
}

#[test]
fn a_changed_opening_or_hello_is_noticed() {
    let (_, from_m) = hello(&Means::default());
    let (p, _) = request(device(), &from_m, None);
    let opened = CommitmentOpened { opening: [1; 32], share: None };
    let forged = HandshakeMessage::CommitmentOpened(opened).encode();
    assert_eq!(p.handle(&forged).unwrap_err(), HandshakeError::Commitment);

    // A hello with other rights: accepted, and the codes differ.
    let (m, from_m) = hello(&Means::default());
    let changed = change_hello(&from_m, |hello| hello.asks = Rights::VIEW);
    let (p, message) = request(device(), &changed, None);
    let (m, message) = join(m, &message).unwrap();
    let (p, message) = consider(p, &message);
    let (m, _) = m.handle(&message, NOW).unwrap();
    assert!(m.code() != Some(code(&p)));
}

/// Nothing that is chosen after the commitment may enter the code: the opening's message has one
/// form, and nothing that follows it counts.
#[test]
fn nothing_chosen_after_the_commitment_enters_the_code() {
    let (m, from_m) = hello(&Means::default());
    let (p, from_p) = request(device(), &from_m, None);
    let (_, opening) = join(m, &from_p).unwrap();
    let free = forged(&opening, |message| match message {
        HandshakeMessage::CommitmentOpened(opened) => opened.share = Some([7; 32]),
        other => panic!("{other:?}"),
    });
    assert_eq!(p.handle(&free).unwrap_err(), HandshakeError::Unexpected);

    let mut transcript = Transcript::new(&context());
    transcript.add(b"everything up to the opening");
    let before = transcript.code();
    let mut later = transcript.clone();
    later.add(b"a proof, a grant");
    assert!(transcript.code() == before && later.code() != before, "the code is taken before");
}

#[test]
fn every_attempt_has_an_opening_of_its_own() {
    let openings: HashSet<Vec<u8>> = (0..3)
        .map(|_| {
            let (m, from_m) = hello(&Means::default());
            let (_, from_p) = request(device(), &from_m, None);
            join(m, &from_p).unwrap().1
        })
        .collect();
    assert_eq!(openings.len(), 3);
}

#[test]
fn the_opening_of_one_attempt_does_not_serve_another() {
    let (m, first) = hello(&Means::default());
    let (_, second) = hello(&Means::default());
    let (_, from_p) = request(device(), &first, None);
    let (_, opening) = join(m, &from_p).unwrap();
    let (p, _) = request(device(), &second, None);
    assert_eq!(p.handle(&opening).unwrap_err(), HandshakeError::Commitment);
}

#[test]
fn the_code_depends_on_session_number_member_and_names() {
    let der = join_key().public_der();
    let base = context();
    let contexts = [
        base,
        Context { session: SessionId([8; 16]), ..base },
        Context { number: SessionNumber::try_from(123_456_788).unwrap(), ..base },
        Context { participant: MemberId(3), ..base },
    ];
    let codes: HashSet<u32> = contexts
        .iter()
        .map(|context| {
            let mut transcript = Transcript::new(context);
            transcript.add(b"hello");
            transcript.add(&der);
            transcript.code().0
        })
        .collect();
    assert_eq!(codes.len(), contexts.len());
}

#[test]
fn a_transcript_cannot_be_cut_differently() {
    let mut a = Transcript::new(&context());
    a.add(b"ab");
    a.add(b"c");
    let mut b = Transcript::new(&context());
    b.add(b"a");
    b.add(b"bc");
    assert_ne!(a.hash(), b.hash());
}

#[test]
fn refuses_keys_that_no_participant_makes() {
    use rsa::pkcs8::EncodePublicKey;
    let good = join_key().public_der();
    assert!(rsa_key::PublicKey::from_der(&good).is_ok());
    let mut trailing = good.to_vec();
    trailing.push(0);
    let mut even = good.to_vec();
    let last_of_modulus = even.len() - 6;
    even[last_of_modulus] &= 0xfe;
    // The exponent is the last three bytes: 1, 3 and 65539 instead of 65537.
    let exponents: Vec<Vec<u8>> = [[0, 0, 1], [0, 0, 3], [1, 0, 3]]
        .into_iter()
        .map(|exponent: [u8; 3]| {
            let mut key = good.to_vec();
            let at = key.len() - 3;
            key[at..].copy_from_slice(&exponent);
            key
        })
        .collect();
    let of_bits = |bits| {
        let key = rsa::RsaPrivateKey::new(&mut OsRng, bits).unwrap().to_public_key();
        key.to_public_key_der().unwrap().as_bytes().to_vec()
    };
    let sizes = [of_bits(512), of_bits(1024)];
    let mut bad = vec![trailing, even, Vec::new(), good[..good.len() - 1].to_vec()];
    bad.extend(exponents);
    bad.extend(sizes);
    for bad in bad {
        assert!(rsa_key::PublicKey::from_der(&bad).is_err(), "{} bytes", bad.len());
    }
}

#[test]
fn a_message_that_is_not_due_ends_the_handshake() {
    let (m, from_m) = hello(&Means::default());
    assert_eq!(join(m, &from_m).unwrap_err(), HandshakeError::Unexpected);
    let (m, _) = hello(&Means::default());
    let declined = HandshakeMessage::Declined(Declined::Refused).encode();
    assert_eq!(join(m, &declined).unwrap_err(), HandshakeError::Declined(Declined::Refused));
}

#[test]
fn a_hello_without_a_common_level_or_version_is_refused_not_weakened() {
    let changes: [fn(&mut ModeratorHello); 3] = [
        |hello| hello.levels.clear(),
        |hello| hello.versions.clear(),
        |hello| hello.suites.clear(),
    ];
    for change in changes {
        let (_, from_m) = hello(&Means::default());
        let stripped = change_hello(&from_m, change);
        let refused = device().handle(&stripped, (&name("Kiosk"), Role::Device), None).unwrap_err();
        assert_eq!(refused, HandshakeError::Incompatible);
    }
    let (m, from_m) = hello(&Means::default());
    let (_, from_p) = request(device(), &from_m, None);
    let other = change_request(&from_p, |request| request.version = 0);
    assert_eq!(join(m, &other).unwrap_err(), HandshakeError::Incompatible);
}

// --- password ---

fn with_password() -> (Means, Password) {
    let passwords = SessionPasswords::random(&mut OsRng);
    let word = Password::spoken(passwords.spoken()).unwrap();
    (Means { passwords: Some(Arc::new(passwords)), pass: None }, word)
}

/// Another word than the session's.
fn wrong(means: &Means) -> Password {
    let right: u32 = means.passwords.as_ref().unwrap().spoken().parse().unwrap();
    Password::spoken(&format!("{:06}", (right + 1) % 1_000_000)).unwrap()
}

#[test]
fn who_knows_the_password_needs_no_comparing() {
    let (means, spoken) = with_password();
    let link = Password::link(means.passwords.as_ref().unwrap().link()).unwrap();
    for word in [spoken, link] {
        let (m, message) = hello(&means);
        let (p, message) = ask_password(device(), &message).enter(&word, &mut OsRng);
        let (m, message) = join(m, &message).unwrap();
        assert_eq!(m.level(), Level::Password);
        let (p, message) = expect(p, &message);
        let (m, message) = m.handle(&message, NOW).unwrap();
        let p = p.handle(&message.unwrap()).unwrap();
        assert_eq!((m.level(), m.code()), (Level::Password, None));
        assert_eq!(p.standing(), &Standing::Password);
        meet(m, p);
    }
}

#[test]
fn a_wrong_password_is_noticed_before_anything_is_shown() {
    let (means, _) = with_password();
    let (m, message) = hello(&means);
    let (p, message) = ask_password(device(), &message).enter(&wrong(&means), &mut OsRng);
    let (m, message) = join(m, &message).unwrap();
    let (p, message) = expect(p, &message);
    assert_eq!(m.handle(&message, NOW).unwrap_err(), HandshakeError::Password);
    // What the moderator would have said shows nothing either: it says nothing at all, and what
    // somebody makes up is noticed.
    let made_up = ModeratorProof::Password { confirmation: [0; 32] };
    let made_up = HandshakeMessage::ModeratorProof(made_up).encode();
    assert_eq!(p.handle(&made_up).unwrap_err(), HandshakeError::Password);
}

#[test]
fn a_swapped_rsa_key_is_noticed_without_people_by_the_password() {
    let (means, word) = with_password();
    let (m, from_m) = hello(&means);
    let (p, from_p) = ask_password(device(), &from_m).enter(&word, &mut OsRng);
    let evil = JoinKey::generate(&mut OsRng).unwrap();
    let swapped = change_request(&from_p, |request| request.public_key = evil.public_der());
    let (m, opening) = join(m, &swapped).unwrap();
    let (_, proof) = expect(p, &opening);
    assert_eq!(m.handle(&proof, NOW).unwrap_err(), HandshakeError::Password);
}

/// A server that plays the moderator tries a password of its own.
#[test]
fn a_false_moderator_learns_nothing_but_that_its_guess_was_wrong() {
    let (means, word) = with_password();
    let (guess, _) = with_password();
    let (_, real) = hello(&means);
    let (fake, from_fake) = hello(&guess);
    assert_ne!(real, from_fake);
    let (p, from_p) = ask_password(device(), &from_fake).enter(&word, &mut OsRng);
    let (fake, opening) = join(fake, &from_p).unwrap();
    let (p, proof) = expect(p, &opening);
    assert_eq!(fake.handle(&proof, NOW).unwrap_err(), HandshakeError::Password);
    drop(p);
}

#[test]
fn a_password_message_sent_back_to_its_sender_fits_nothing() {
    let (means, word) = with_password();
    let (m, from_m) = hello(&means);
    let (p, from_p) = ask_password(device(), &from_m).enter(&word, &mut OsRng);
    let Ok(HandshakeMessage::JoinRequest(JoinRequest {
        choice: Choice::Password { share, .. },
        ..
    })) = HandshakeMessage::decode(&from_p)
    else {
        panic!("a password's share")
    };
    // The participant's share comes back as the moderator's.
    let (_, opening) = join(m, &from_p).unwrap();
    let reflected = forged(&opening, |message| match message {
        HandshakeMessage::CommitmentOpened(opened) => opened.share = Some(share),
        other => panic!("{other:?}"),
    });
    let (p, proof) = expect(p, &reflected);
    // And so does its proof.
    let Ok(HandshakeMessage::JoinProof(JoinProof::Password { confirmation })) =
        HandshakeMessage::decode(&proof)
    else {
        panic!("a password's proof")
    };
    let proof = ModeratorProof::Password { confirmation };
    let reflected = HandshakeMessage::ModeratorProof(proof).encode();
    assert_eq!(p.handle(&reflected).unwrap_err(), HandshakeError::Password);
}

/// The levels are part of what is compared or confirmed.
#[test]
fn a_level_that_is_taken_out_of_the_offer_is_not_taken_for_granted() {
    // Password out, comparing in: the moderator does not go on.
    let (means, _) = with_password();
    let (m, from_m) = hello(&means);
    let weaker = change_hello(&from_m, |hello| hello.levels = one(Level::CodeCompared));
    let (_, from_p) = request(device(), &weaker, None);
    assert_eq!(join(m, &from_p).unwrap_err(), HandshakeError::Incompatible);

    // Certificate out: the people compare, and see different codes.
    let world = certified();
    let (m, from_m) = hello(&world.means);
    let weaker = change_hello(&from_m, |hello| {
        hello.levels = one(Level::CodeCompared);
        hello.operator = None;
    });
    let (p, from_p) = request(device(), &weaker, Some(world.own.root));
    let (m, opening) = join(m, &from_p).unwrap();
    let (p, proof) = consider(p, &opening);
    let (m, _) = m.handle(&proof, NOW).unwrap();
    assert!(m.code() != Some(code(&p)));
}

fn one(level: Level) -> heapless::Vec<Level, 4> {
    heapless::Vec::from_slice(&[level]).unwrap()
}

// --- certificate ---

struct Certified {
    means: Means,
    own: OwnDevice,
}

fn certified() -> Certified {
    let root = KeyPair::generate(&mut OsRng);
    let issue = |key: &KeyPair, name: &str, holder| {
        let entry = certificate::Entry {
            name: name.try_into().unwrap(),
            holder,
            groups: certificate::groups(["all"]).unwrap(),
            not_before: NOW - 10,
            not_after: NOW + 3600,
        };
        certificate::issue(&root, key.public(), entry, &mut OsRng).unwrap()
    };
    let key = KeyPair::generate(&mut OsRng);
    let certificate = issue(&key, "Kiosk of the operator", Holder::Device);
    let own = OwnDevice { key, certificate, root: root.public() };
    let key = KeyPair::generate(&mut OsRng);
    let certificate = issue(&key, "Ada", Holder::Technician { rights: 1 });
    let revoked = heapless::Vec::new();
    let state = certificate::issue_state(&root, 1, (NOW - 10, NOW + 10), 0, revoked).unwrap();
    let pass = Pass { key, certificate, state, root: root.public() };
    Certified { means: Means { passwords: None, pass: Some(Arc::new(pass)) }, own }
}

fn identified(
    own: &OwnDevice,
    p: ExpectOpening,
    opening: &[u8],
) -> (ExpectModeratorProof, Vec<u8>) {
    match p.handle(opening).unwrap() {
        AfterOpening::Identify(p) => {
            let proof = certificate::identify_device(own, &p.transcript(), &mut OsRng);
            p.identify(proof)
        }
        other => panic!("the device must sign: {other:?}"),
    }
}

#[test]
fn an_operators_technician_and_device_need_neither_code_nor_password() {
    let world = certified();
    let (m, message) = hello(&world.means);
    let (p, message) = request(device(), &message, Some(world.own.root));
    let (m, message) = join(m, &message).unwrap();
    assert_eq!(m.level(), Level::Certificate);
    let (p, message) = identified(&world.own, p, &message);
    let (m, message) = m.handle(&message, NOW).unwrap();
    assert_eq!((m.level(), m.name().as_str()), (Level::Certificate, "Kiosk of the operator"));
    let p = p.handle(&message.unwrap()).unwrap();
    assert_eq!(p.standing().level(), None, "nobody has checked it");
    let Standing::Shown(Unverified { technician, nonce, transcript }) = p.standing().clone() else {
        panic!("a certificate")
    };
    let memory = certificate::Memory::default();
    let seen = (&nonce, &transcript);
    let known = certificate::check_technician(&technician, seen, &world.own, memory, NOW).unwrap();
    assert_eq!((known.name.as_str(), known.rights), ("Ada", Rights::VIEW));
    meet(m, p);
}

#[test]
fn a_device_of_another_operator_or_of_none_is_asked_for_less() {
    let world = certified();
    for operator in [None, Some(certified().own.root)] {
        let (m, from_m) = hello(&world.means);
        let (_, from_p) = request(device(), &from_m, operator);
        assert_eq!(join(m, &from_p).unwrap().0.level(), Level::CodeCompared);
    }
}

#[test]
fn a_swapped_rsa_key_is_noticed_without_people_by_the_certificates() {
    let world = certified();
    let (m, from_m) = hello(&world.means);
    let (p, from_p) = request(device(), &from_m, Some(world.own.root));
    let evil = JoinKey::generate(&mut OsRng).unwrap();
    let swapped = change_request(&from_p, |request| request.public_key = evil.public_der());
    let (m, opening) = join(m, &swapped).unwrap();
    let (_, proof) = identified(&world.own, p, &opening);
    let refused = m.handle(&proof, NOW).unwrap_err();
    assert_eq!(refused, HandshakeError::NotCertified(NotCertified::Signature));
}

/// The moderator's hello is changed, so that the device sees other rights or another name.
#[test]
fn a_changed_hello_is_noticed_by_the_certificates() {
    let world = certified();
    let (m, from_m) = hello(&world.means);
    let changed = change_hello(&from_m, |hello| hello.asks = Rights::VIEW);
    let (p, from_p) = request(device(), &changed, Some(world.own.root));
    let (m, opening) = join(m, &from_p).unwrap();
    let (_, proof) = identified(&world.own, p, &opening);
    assert!(m.handle(&proof, NOW).is_err());
}

#[test]
fn a_recorded_proof_of_a_device_serves_nobody() {
    let world = certified();
    let record = |means: &Means| {
        let (m, from_m) = hello(means);
        let (p, from_p) = request(device(), &from_m, Some(world.own.root));
        let (m, opening) = join(m, &from_p).unwrap();
        (m, identified(&world.own, p, &opening).1)
    };
    let (_, recorded) = record(&world.means);
    let (m, _) = record(&world.means);
    let refused = m.handle(&recorded, NOW).unwrap_err();
    assert_eq!(refused, HandshakeError::NotCertified(NotCertified::Signature));
}

proptest! {
    #[test]
    fn garbage_is_refused_without_a_panic(bytes in vec(any::<u8>(), 0..700)) {
        if let Ok(message) = HandshakeMessage::decode(&bytes) {
            prop_assert_eq!(message.encode(), bytes);
        }
    }

    #[test]
    fn a_code_has_six_digits(value in 0_u32..1_000_000) {
        let code = Code(value);
        let digits = code.digits();
        prop_assert_eq!(digits.len(), 6);
        prop_assert_eq!(code.to_string().replace(' ', ""), digits.as_str());
    }
}
