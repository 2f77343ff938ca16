//! Packets: round trips, order, loss, replay, forgery, bounds.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::tunnel::SessionId;

fn pair(class: Class) -> (Sealer, Opener) {
    let purpose =
        KeyUse { session: SessionId([3; 16]), epoch: 0, sender: MemberId(2), instance: 1, class };
    let key = GroupKey::random(&mut rand_core::OsRng);
    let secret = Secret::Group(&key);
    (Sealer::new(secret, purpose, MemberId::ALL), Opener::new(secret, purpose))
}

fn deliver(opener: &mut Opener, packet: &[u8]) -> Result<Opened, OpenError> {
    let (header, payload) = Header::parse(packet)?;
    opener.open(&header, payload)
}

fn message(bytes: &[u8], after_gap: bool) -> Result<Opened, OpenError> {
    Ok(Opened::Message { bytes: bytes.to_vec(), after_gap })
}

proptest! {
    #[test]
    fn messages_of_any_length_arrive_whole(lengths in vec(0_usize..40_000, 1..5), byte: u8) {
        let (mut sealer, mut opener) = pair(Class::Picture);
        for length in lengths {
            let sent = vec![byte; length];
            let mut packets = sealer.seal(&sent).unwrap();
            let last = packets.pop().unwrap();
            for packet in packets {
                prop_assert_eq!(deliver(&mut opener, &packet), Ok(Opened::Incomplete));
            }
            prop_assert_eq!(deliver(&mut opener, &last), message(&sent, false));
        }
    }

    #[test]
    fn garbage_is_never_accepted(bytes in vec(any::<u8>(), 0..200)) {
        let (_, mut opener) = pair(Class::Control);
        prop_assert!(deliver(&mut opener, &bytes).is_err());
    }
}

#[test]
fn a_replayed_or_skipped_control_packet_is_refused() {
    let (mut sealer, mut opener) = pair(Class::Control);
    let packets: Vec<_> = (0..3_u8).map(|n| sealer.seal(&[n]).unwrap().remove(0)).collect();
    assert_eq!(deliver(&mut opener, &packets[0]), message(&[0], false));
    assert_eq!(deliver(&mut opener, &packets[0]), Err(OpenError::Order { expected: 1, got: 0 }));
    assert_eq!(deliver(&mut opener, &packets[2]), Err(OpenError::Order { expected: 1, got: 2 }));
    assert_eq!(deliver(&mut opener, &packets[1]), message(&[1], false));
}

#[test]
fn dropped_pictures_are_a_gap_and_late_ones_are_refused() {
    let (mut sealer, mut opener) = pair(Class::Picture);
    let long = sealer.seal(&vec![1; MAX_FRAGMENT * 3]).unwrap();
    let short = sealer.seal(b"short").unwrap();
    let next = sealer.seal(b"next").unwrap();
    assert_eq!(deliver(&mut opener, &long[1]), Ok(Opened::Incomplete));
    assert_eq!(deliver(&mut opener, &short[0]), message(b"short", true));
    assert!(matches!(deliver(&mut opener, &long[2]), Err(OpenError::Order { .. })));
    assert_eq!(deliver(&mut opener, &next[0]), message(b"next", false));
}

#[test]
fn a_packet_of_another_class_or_sender_is_foreign() {
    let (mut sealer, _) = pair(Class::Control);
    let (_, mut opener) = pair(Class::Input);
    let packet = sealer.seal(b"x").unwrap().remove(0);
    assert_eq!(deliver(&mut opener, &packet), Err(OpenError::Foreign));
}

#[test]
fn an_endless_message_is_cut_off_at_the_bound_of_its_class() {
    let (mut sealer, mut opener) = pair(Class::Control);
    assert_eq!(
        sealer.seal(&vec![0; MAX_SHORT_MESSAGE + 1]),
        Err(SealError::TooLong(MAX_SHORT_MESSAGE + 1))
    );
    let part = vec![0; MAX_SHORT_MESSAGE / 2 + 1];
    let first = sealer.seal_fragment(&part, Fragment { first: true, last: false });
    let second = sealer.seal_fragment(&part, Fragment { first: false, last: false });
    assert_eq!(deliver(&mut opener, &first), Ok(Opened::Incomplete));
    assert_eq!(deliver(&mut opener, &second), Err(OpenError::TooLong));
}

#[test]
fn a_key_stops_before_it_is_worn_out() {
    let (mut sealer, _) = pair(Class::Control);
    sealer.next = MAX_PACKETS_PER_KEY - 1;
    assert!(sealer.seal(b"last").is_ok());
    assert_eq!(sealer.seal(b"one more"), Err(SealError::KeyExhausted));
}
