//! The handshake, honest and with somebody in between.

use proptest::collection::vec;
use proptest::prelude::*;
use rand_core::OsRng;

use super::*;
use crate::keys::GroupKey;

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
    JoinKey::generate(&mut OsRng).unwrap()
}

fn hello(context: &Context) -> (moderator::ExpectJoinRequest, std::vec::Vec<u8>) {
    moderator::ExpectJoinRequest::start(
        context,
        &name("Technician"),
        Rights::VIEW.with(Rights::CONTROL),
        &mut OsRng,
    )
}

const GRANT: Grant = Grant { member: MemberId(2), instance: 1, moderator_instance: 1, epoch: 0 };

#[test]
fn an_honest_exchange_gives_the_same_digits_and_keys() {
    let (m, message) = hello(&context());
    let p = participant::ExpectModeratorHello::new(context(), join_key());
    let (p, message) = p.handle(&message, &name("Kiosk 7"), Role::Device).unwrap();
    let (m, message) = m.handle(&message).unwrap();
    let (p, message) = p.handle(&message).unwrap();
    let m = m.handle(&message).unwrap();
    assert!(m.code() == p.code());
    assert_eq!((m.name().as_str(), p.name().as_str()), ("Kiosk 7", "Technician"));
    assert_eq!(p.asks(), Rights::VIEW.with(Rights::CONTROL));

    let group = GroupKey::random(&mut OsRng);
    let (pair, message) = m.confirm(&group, GRANT, &mut OsRng).unwrap();
    let keys = p.accept().handle(&message, &mut OsRng).unwrap();
    assert_eq!(keys.group.as_bytes(), group.as_bytes());
    assert_eq!(keys.pair.grant_key(), pair.grant_key());
    assert_eq!(keys.grant, GRANT);
}

/// A server in the middle: it runs the handshake with each side under keys of its own.
#[test]
fn a_swapped_rsa_key_shows_as_two_different_codes() {
    let (m, from_m) = hello(&context());
    let p = participant::ExpectModeratorHello::new(context(), join_key());
    let (p, from_p) = p.handle(&from_m, &name("Kiosk 7"), Role::Device).unwrap();
    let HandshakeMessage::JoinRequest(mut request) = HandshakeMessage::decode(&from_p).unwrap()
    else {
        panic!("a join request")
    };
    let evil = join_key();
    request.public_key = evil.public_der();
    let swapped = HandshakeMessage::JoinRequest(request).encode();
    let (m, opening) = m.handle(&swapped).unwrap();
    let (p, proof) = p.handle(&opening).unwrap();
    let m = m.handle(&proof).unwrap();
    assert!(m.code() != p.code(), "the people see that something is wrong");

    // And if they confirm all the same, the keys that come are not for the device.
    let (_, grant) = m.confirm(&GroupKey::random(&mut OsRng), GRANT, &mut OsRng).unwrap();
    assert_eq!(p.accept().handle(&grant, &mut OsRng).unwrap_err(), HandshakeError::Keys);
}

#[test]
fn a_changed_opening_or_hello_is_noticed() {
    let (_, from_m) = hello(&context());
    let p = participant::ExpectModeratorHello::new(context(), join_key());
    let (p, _) = p.handle(&from_m, &name("Kiosk"), Role::Device).unwrap();
    let forged = HandshakeMessage::CommitmentOpened(CommitmentOpened { opening: [1; 32] }).encode();
    assert_eq!(p.handle(&forged).unwrap_err(), HandshakeError::Commitment);
}

#[test]
fn the_code_depends_on_session_number_member_and_names() {
    let key = join_key();
    let der = key.public_der();
    let base = context();
    let contexts = [
        base,
        Context { session: SessionId([8; 16]), ..base },
        Context { number: SessionNumber::try_from(123_456_788).unwrap(), ..base },
        Context { participant: MemberId(3), ..base },
    ];
    let codes: std::collections::HashSet<u32> = contexts
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
    let small = rsa::RsaPrivateKey::new(&mut OsRng, 1024).unwrap().to_public_key();
    let small = small.to_public_key_der().unwrap();
    for bad in [&trailing[..], &even, small.as_bytes(), &[], &good[..good.len() - 1]] {
        assert!(rsa_key::PublicKey::from_der(bad).is_err(), "{} bytes", bad.len());
    }
}

#[test]
fn a_message_that_is_not_due_ends_the_handshake() {
    let (m, from_m) = hello(&context());
    assert_eq!(m.handle(&from_m).unwrap_err(), HandshakeError::Unexpected);
    let (m, _) = hello(&context());
    let declined = HandshakeMessage::Declined(Declined::Refused).encode();
    assert_eq!(m.handle(&declined).unwrap_err(), HandshakeError::Declined(Declined::Refused));
}

#[test]
fn a_hello_without_a_common_level_is_refused_not_weakened() {
    let (_, from_m) = hello(&context());
    let HandshakeMessage::ModeratorHello(mut hello) = HandshakeMessage::decode(&from_m).unwrap()
    else {
        panic!("a hello")
    };
    hello.levels.clear();
    let p = participant::ExpectModeratorHello::new(context(), join_key());
    let stripped = HandshakeMessage::ModeratorHello(hello).encode();
    assert_eq!(
        p.handle(&stripped, &name("Kiosk"), Role::Device).unwrap_err(),
        HandshakeError::Incompatible
    );
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
