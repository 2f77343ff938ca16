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
    let (mut sealer, mut opener) = pair(Class::Picture);
    assert!(!sealer.is_wearing_out());
    sealer.next = MAX_PACKETS_PER_KEY - 1;
    assert!(sealer.is_wearing_out());
    assert!(sealer.seal(b"last").is_ok());
    assert_eq!(sealer.seal(b"one more"), Err(SealError::KeyExhausted));
    let next = GroupKey::random(&mut rand_core::OsRng);
    sealer.turn(&next, 1);
    let packet = sealer.seal(b"one more").unwrap().remove(0);
    assert_eq!(deliver(&mut opener, &packet), Err(OpenError::Foreign));
    opener.turn(&next, 1, Instant::now());
    assert_eq!(deliver(&mut opener, &packet), message(b"one more", true));
}

#[test]
fn the_key_of_two_is_renewed_when_it_is_worn_out() {
    let purpose = KeyUse {
        session: SessionId([3; 16]),
        epoch: 0,
        sender: MemberId(2),
        instance: 1,
        class: Class::Control,
    };
    let key = GrantKey::random(&mut rand_core::OsRng);
    let mut sealer = Sealer::new(Secret::Grant(&key), purpose, MemberId(1));
    let mut opener = Opener::new(Secret::Grant(&key), purpose);
    (sealer.next, opener.next) = (MAX_PACKETS_PER_KEY - 1, MAX_PACKETS_PER_KEY - 1);
    for (epoch, text) in [(0, b"last"), (1, b"next"), (1, b"more")] {
        let packet = sealer.seal(text).unwrap().remove(0);
        assert_eq!(Header::parse(&packet).unwrap().0.epoch, epoch);
        assert_eq!(deliver(&mut opener, &packet), message(text, false));
    }
}

#[test]
fn epochs_and_messages_never_share_a_nonce() {
    crate::keys::sealed::watch();
    let (mut sealer, _) = pair(Class::Picture);
    for epoch in 1..5 {
        sealer.seal(&vec![0; MAX_FRAGMENT * 2]).unwrap();
        sealer.turn(&GroupKey::random(&mut rand_core::OsRng), epoch);
        sealer.seal(b"x").unwrap();
    }
    assert_eq!(crate::keys::sealed::count(), 4 * 3);
}

#[test]
fn packets_of_the_epoch_before_are_opened_for_a_bounded_time() {
    let (mut sealer, mut opener) = pair(Class::Picture);
    let now = Instant::now();
    let late: Vec<_> = (0..2_u8).map(|n| sealer.seal(&[n]).unwrap().remove(0)).collect();
    opener.turn(&GroupKey::random(&mut rand_core::OsRng), 1, now);
    assert_eq!(deliver(&mut opener, &late[0]), message(&[0], false));
    opener.forget_older(now);
    assert_eq!(deliver(&mut opener, &late[1]), Err(OpenError::Foreign));
}
