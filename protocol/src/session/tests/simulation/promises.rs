//! What a session of many promises, one test each.

use std::time::Duration;

use super::*;
use crate::message::{FromModerator, NewSecret, RosterChange, Signature, Turn};

const LATENCY: Duration = Duration::from_millis(30);
const A_MOMENT: Duration = Duration::from_secs(2);

/// A session with its moderator, one device and some onlookers.
fn session(onlookers: usize) -> (World, Node, Vec<Node>) {
    let mut world = World::new(7, LATENCY);
    let device = world.device();
    let onlookers: Vec<_> = (0..onlookers).map(|_| world.onlooker()).collect();
    world.pass(Duration::from_secs(5));
    (world, device, onlookers)
}

fn show(world: &mut World, device: Node, picture: &[u8]) {
    world.at_device(device, |device, _| device.send_picture(picture));
    world.pass(A_MOMENT);
}

fn key(code: u16, pressed: bool) -> InputEvent {
    InputEvent::Key { code, pressed }
}

fn inputs(world: &World, device: Node) -> Vec<InputEvent> {
    world.seen(device).inputs.iter().map(|(_, event)| event.clone()).collect()
}

#[test]
fn all_see_the_picture_and_the_same_list() {
    let (mut world, device, onlookers) = session(7);
    show(&mut world, device, b"picture");
    let list = world.seen(0).roster;
    assert!(list.is_some() && world.seen(device).roster == list);
    assert!(
        world.seen(device).refreshes.contains(&0),
        "those who come later get a complete picture"
    );
    for onlooker in onlookers {
        assert_eq!(world.seen(onlooker).pictures, [b"picture".to_vec()]);
        assert_eq!(world.seen(onlooker).roster, list);
    }
}

#[test]
fn what_several_lack_is_asked_for_once() {
    let (mut world, device, onlookers) = session(3);
    world.moderate(|moderator| moderator.picture_shown(9));
    let before = world.seen(device).refreshes.len();
    for (onlooker, shown) in onlookers.iter().zip([7, 5, 8]) {
        world.at_onlooker(*onlooker, |onlooker, _| {
            onlooker.picture_shown(shown);
            onlooker.refresh();
        });
    }
    world.pass(A_MOMENT);
    assert_eq!(world.seen(device).refreshes.get(before..), Some(&[5][..]));
}

/// One whose line carries nothing asks all the time.
#[test]
fn an_onlooker_that_lacks_everything_all_the_time_is_heard_once_a_second() {
    let (mut world, device, onlookers) = session(1);
    let before = world.seen(device).refreshes.len();
    for _ in 0..100 {
        world.at_onlooker(onlookers[0], |onlooker, _| onlooker.refresh());
        world.pass(Duration::from_millis(100));
    }
    let asked = world.seen(device).refreshes.len() - before;
    assert!((8..=11).contains(&asked), "{asked} times in 10 s");
}

#[test]
fn a_hundred_members_fit_and_no_more() {
    let (mut world, device, onlookers) = session(98);
    for _ in 0..20 {
        world.pass(A_MOMENT);
    }
    show(&mut world, device, b"full house");
    for onlooker in onlookers {
        assert_eq!(world.seen(onlooker).pictures.last(), Some(&b"full house".to_vec()));
    }
    let late = world.onlooker();
    world.pass(A_MOMENT);
    assert!(world.seen(late).ended.is_some());
}

/// The newcomer gets everything that was sent before it came, from a server that kept it.
#[test]
fn a_newcomer_cannot_read_the_past() {
    let kept = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let (mut world, device, _) = session(1);
    let keep = std::rc::Rc::clone(&kept);
    world.meddle = Box::new(move |packet| {
        keep.borrow_mut().push(packet.to_vec());
        Some(packet.to_vec())
    });
    show(&mut world, device, b"before");
    let newcomer = world.onlooker();
    world.pass(A_MOMENT);
    let kept = kept.borrow().clone();
    for packet in kept {
        world.at_onlooker(newcomer, |onlooker, now| onlooker.handle_packet(&packet, now));
    }
    assert_eq!(world.seen(newcomer).pictures, Vec::<Vec<u8>>::new());
    assert_eq!(world.seen(newcomer).ended, None);
    show(&mut world, device, b"after");
    assert_eq!(world.seen(newcomer).pictures, [b"after".to_vec()]);
}

/// The removed one works with the server, which does not tell it and gives it all packets.
#[test]
fn who_is_removed_cannot_read_the_future() {
    let (mut world, device, onlookers) = session(3);
    let spy = onlookers[1];
    let member = world.member(spy).unwrap();
    world.keep_quiet_towards(spy);
    world.moderate(|moderator| moderator.kick(member));
    while world.seen(0).removed.is_empty() {
        world.pass(Duration::from_millis(5));
        let seconds = world.now.duration_since(world.start).as_secs();
        assert!(seconds < 20, "it is said within a second");
    }
    assert_eq!(world.seen(0).removed, [member]);
    let before = world.seen(spy).pictures.len();
    for number in 0..5 {
        show(&mut world, device, &stamped(number));
    }
    assert_eq!(world.seen(spy).pictures.len(), before);
    assert_eq!(world.seen(onlookers[0]).pictures.len(), 5, "the others go on");
}

#[test]
fn removed_is_not_said_before_the_device_has_the_new_key() {
    let (mut world, device, onlookers) = session(2);
    let member = world.member(onlookers[0]).unwrap();
    // Nothing from the device comes through.
    let from = world.member(device).unwrap();
    world.meddle = Box::new(move |packet| {
        let (header, _) = crate::Header::parse(packet).unwrap();
        (header.source != from).then(|| packet.to_vec())
    });
    world.moderate(|moderator| moderator.kick(member));
    world.pass(Duration::from_secs(10));
    assert_eq!(world.seen(0).removed, []);
    world.meddle = Box::new(|packet| Some(packet.to_vec()));
    world.pass(Duration::from_secs(10));
    assert_eq!(world.seen(0).removed, [member]);
}

#[test]
fn an_onlooker_steers_only_while_it_has_control() {
    let (mut world, device, onlookers) = session(2);
    let (guest, other) = (onlookers[0], onlookers[1]);
    let (panel, member) = (world.member(device).unwrap(), world.member(guest).unwrap());
    assert!(!world.input(guest, key(1, true)), "not asked for yet");
    assert_eq!(world.moderate(|moderator| moderator.give_control(panel, member)), Some(true));
    world.pass(A_MOMENT);
    assert_eq!(world.seen(device).controller, Some(member));
    assert!(world.input(guest, key(30, true)) && world.input(guest, key(30, false)));
    assert!(!world.input(0, key(31, true)), "one controls at a time");
    assert!(!world.input(other, key(32, true)));
    world.pass(A_MOMENT);
    assert_eq!(inputs(&world, device), [key(30, true), key(30, false)]);
    // Taken back while a key is down: it is let go of.
    world.input(guest, key(33, true));
    world.pass(A_MOMENT);
    world.moderate(|moderator| moderator.give_control(panel, MemberId::MODERATOR));
    world.pass(A_MOMENT);
    assert!(!world.input(guest, key(34, true)));
    let seen = inputs(&world, device);
    assert_eq!(seen[2..], [key(33, true), InputEvent::ReleaseAll]);
    assert!(world.input(0, key(35, true)));
    world.pass(Duration::from_millis(200));
    assert_eq!(inputs(&world, device)[4..], [key(35, true)]);
}

#[test]
fn whoever_stands_at_the_device_comes_first() {
    let (mut world, device, _) = session(0);
    world.input(0, key(29, true));
    world.pass(Duration::from_millis(300));
    world.at_device(device, Participant::local_input);
    world.input(0, key(30, true));
    world.pass(Duration::from_millis(500));
    assert_eq!(inputs(&world, device), [key(29, true), InputEvent::ReleaseAll]);
    assert_eq!(world.seen(0).paused, [true]);
    assert_eq!(world.seen(0).dropped, 1);
    world.pass(Duration::from_secs(4));
    assert_eq!(world.seen(0).paused, [true, false]);
    world.input(0, key(31, true));
    world.pass(Duration::from_millis(300));
    assert_eq!(inputs(&world, device)[2..], [key(31, true)]);
}

#[test]
fn rights_that_the_person_withdraws_are_gone_at_once() {
    let (mut world, device, _) = session(0);
    world.input(0, key(29, true));
    world.pass(Duration::from_millis(300));
    world.at_device(device, |device, _| device.limit(Rights::VIEW));
    world.input(0, key(30, true));
    world.pass(Duration::from_millis(300));
    assert_eq!(inputs(&world, device), [key(29, true), InputEvent::ReleaseAll]);
    assert!(!world.input(0, key(31, true)), "and the console knows");
}

#[test]
fn a_session_survives_its_links() {
    for node in [0, 1, 2] {
        let (mut world, device, onlookers) = session(1);
        assert_eq!((device, onlookers[0]), (1, 2));
        world.input(0, InputEvent::Text("before ".try_into().unwrap()));
        world.break_link(node);
        world.input(0, InputEvent::Text("meanwhile ".try_into().unwrap()));
        world.pass(Duration::from_secs(20));
        world.mend_link(node);
        world.pass(Duration::from_secs(5));
        world.input(0, InputEvent::Text("after".try_into().unwrap()));
        world.pass(Duration::from_secs(5));
        let typed: String = inputs(&world, device)
            .into_iter()
            .filter_map(|event| match event {
                InputEvent::Text(text) => Some(text.to_string()),
                _ => None,
            })
            .collect();
        assert_eq!(typed, "before meanwhile after", "computer {node}");
        show(&mut world, device, b"still here");
        for seer in [0, onlookers[0]] {
            assert_eq!(world.seen(seer).pictures.last(), Some(&b"still here".to_vec()));
        }
    }
}

#[test]
fn no_click_comes_late_when_a_link_is_back() {
    let (mut world, device, _) = session(0);
    world.input(0, key(30, true));
    world.break_link(device);
    assert!(!world.input(0, key(31, true)) || inputs(&world, device).is_empty());
    world.pass(Duration::from_secs(10));
    world.mend_link(device);
    world.pass(Duration::from_secs(5));
    let pressed = |event: &InputEvent| matches!(event, InputEvent::Key { pressed: true, .. });
    assert!(!inputs(&world, device).iter().any(pressed), "{:?}", inputs(&world, device));
}

#[test]
fn the_deputy_takes_over_and_nobody_else() {
    for hands_over in [true, false] {
        let (mut world, device, onlookers) = session(2);
        let (deputy, other) = (onlookers[0], onlookers[1]);
        let (panel, member) = (world.member(device).unwrap(), world.member(deputy).unwrap());
        assert_eq!(world.moderate(|moderator| moderator.hand_over()), Some(false), "to whom?");
        assert_eq!(world.moderate(|m| m.set_deputy(Some(panel))), Some(false), "a device");
        assert_eq!(world.moderate(|m| m.set_deputy(Some(member))), Some(true));
        world.pass(A_MOMENT);
        if hands_over {
            assert_eq!(world.moderate(|moderator| moderator.hand_over()), Some(true));
        } else {
            world.break_link(0);
            world.pass(A_MOMENT);
            assert!(world.seen(device).is_away);
            world.give_up(0);
        }
        world.pass(Duration::from_secs(5));
        assert!(!world.seen(device).is_away, "the new moderator is there");
        assert_eq!(world.moderator(), Some(deputy));
        assert!(world.input(deputy, key(30, true)), "the new moderator steers");
        world.pass(Duration::from_millis(300));
        assert_eq!(inputs(&world, device).last(), Some(&key(30, true)));
        show(&mut world, device, b"new times");
        for seer in [deputy, other] {
            assert_eq!(world.seen(seer).pictures.last(), Some(&b"new times".to_vec()));
            assert_eq!(world.seen(seer).roster, world.seen(device).roster);
        }
        let newcomer = hands_over.then(|| world.is_onlooker(0));
        assert_ne!(newcomer, Some(false), "the one before looks on");
    }
    // The server names somebody else.
    let (mut world, device, onlookers) = session(1);
    let member = world.member(onlookers[0]).unwrap();
    let notice = Notice::ModeratorIs { member, term: 1 };
    world.at_device(device, |device, now| device.handle_notice(&notice, now));
    let lost = EndReason::Server(crate::tunnel::EndOfSession::ModeratorLost);
    assert_eq!(world.seen(device).ended, Some(lost));
    world.at_onlooker(onlookers[0], |onlooker, now| onlooker.handle_notice(&notice, now));
    assert!(world.is_onlooker(onlookers[0]));
}

#[test]
fn nobody_comes_in_while_the_session_is_locked() {
    let (mut world, device, _) = session(0);
    world.moderate(|moderator| moderator.lock(true));
    world.pass(A_MOMENT);
    let late = world.onlooker();
    world.pass(A_MOMENT);
    assert!(matches!(world.seen(late).ended, Some(EndReason::JoinRefused(_))));
    assert_eq!(world.seen(device).ended, None);
}

#[test]
fn a_list_that_the_moderator_has_not_signed_is_refused() {
    let (mut world, device, onlookers) = session(1);
    for node in [device, onlookers[0]] {
        let member = world.member(node).unwrap();
        let forge = |moderator: &mut Moderator| {
            let signature = Signature { r: [0; 32], s: [0; 32] };
            let roster = RosterChange {
                presenter: None,
                number: 1_000_000,
                term: 0,
                is_whole: true,
                moderator: MemberId::MODERATOR,
                deputy: None,
                gone: Default::default(),
                changed: Default::default(),
                signature,
            };
            let turn = Turn { epoch: 3, secret: NewSecret::Same, roster };
            moderator.say_for_tests(member, &FromModerator::Turn(turn));
        };
        world.moderate(forge);
        world.pass(A_MOMENT);
        assert!(matches!(world.seen(node).ended, Some(EndReason::Tampered(_))));
    }
}

#[test]
fn a_member_that_is_shown_another_list_notices() {
    let (mut world, _, onlookers) = session(2);
    let member = world.member(onlookers[0]).unwrap();
    world.moderate(|moderator| moderator.fork_list_for_tests(member));
    world.pass(Duration::from_secs(15));
    assert!(world.seen(onlookers[0]).rosters_differ);
    assert!(!world.seen(onlookers[1]).rosters_differ);
}

/// Somebody is away while the role goes to another and back: who moderates has the same name as
/// before, but knows others' keys.
#[test]
fn who_was_away_while_the_role_went_there_and_back_does_not_stay_behind() {
    let (mut world, device, onlookers) = session(1);
    world.break_link(device);
    for holder in [onlookers[0], 0] {
        let deputy = world.member(holder).unwrap();
        assert_eq!(world.moderate(|m| m.set_deputy(Some(deputy))), Some(true));
        world.pass(A_MOMENT);
        assert_eq!(world.moderate(|moderator| moderator.hand_over()), Some(true));
        world.pass(A_MOMENT);
        assert_eq!(world.moderator(), Some(holder));
    }
    world.mend_link(device);
    world.pass(Duration::from_secs(5));
    let lost = EndReason::Server(crate::tunnel::EndOfSession::ModeratorLost);
    assert_eq!(world.seen(device).ended, Some(lost));
}

/// A deputy that was away takes over; computer 1 is a device that it knows, 3 and 4 a device and an
/// onlooker that came meanwhile.
fn taken_over_by_one_who_was_away() -> (World, Node) {
    let (mut world, _, onlookers) = session(1);
    let deputy = onlookers[0];
    let member = world.member(deputy).unwrap();
    world.moderate(|moderator| moderator.set_deputy(Some(member)));
    world.pass(A_MOMENT);
    world.break_link(deputy);
    world.pass(A_MOMENT);
    let newcomers = [world.device(), world.onlooker()];
    world.pass(Duration::from_secs(5));
    assert_eq!(newcomers, [3, 4]);
    assert!(newcomers.iter().all(|node| world.seen(*node).roster == world.seen(0).roster));
    assert_eq!(world.moderate(|moderator| moderator.hand_over()), Some(false), "it hears nothing");
    world.break_link(0);
    world.mend_link(deputy);
    world.give_up(0);
    while world.moderator() != Some(deputy) {
        world.pass(Duration::from_millis(1));
    }
    (world, deputy)
}

const MODERATOR_LOST: EndReason = EndReason::Server(crate::tunnel::EndOfSession::ModeratorLost);

/// Whoever takes over does not know them.
#[test]
fn who_came_in_while_the_deputy_was_away_does_not_stay_behind() {
    let (mut world, deputy) = taken_over_by_one_who_was_away();
    world.pass(Duration::from_secs(12));
    assert_eq!(world.seen(1).roster, world.seen(deputy).roster);
    let ends = [1, 3, 4].map(|node| world.seen(node).ended);
    assert_eq!(ends, [None, Some(MODERATOR_LOST), Some(MODERATOR_LOST)]);
}

/// Before its first word comes through, its link breaks, or that of one who waits for it.
#[test]
fn nobody_leaves_while_whoever_has_taken_over_cannot_be_heard() {
    for breaks in [2, 1] {
        let (mut world, deputy) = taken_over_by_one_who_was_away();
        world.break_link(breaks);
        world.pass(Duration::from_secs(25));
        assert!(world.seen(1).ended.is_none() && world.is_device(1), "computer {breaks} broke");
        world.mend_link(breaks);
        world.pass(Duration::from_secs(12));
        let list = world.seen(deputy).roster;
        assert_eq!(world.seen(1).roster, list, "computer {breaks} broke");
    }
}

#[test]
fn everybody_sees_the_device_that_the_moderator_has_chosen() {
    let mut world = World::new(7, LATENCY);
    let devices = [(); 2].map(|()| {
        let device = world.device();
        world.pass(Duration::from_secs(5));
        device
    });
    let onlooker = world.onlooker();
    world.pass(Duration::from_secs(5));
    let members = devices.map(|device| world.member(device).unwrap());
    show(&mut world, devices[0], b"one");
    show(&mut world, devices[1], b"two");
    assert_eq!(world.seen(onlooker).pictures, [b"one".to_vec()], "the first one's screen");
    assert_eq!(world.moderate(|moderator| moderator.present(members[1])), Some(true));
    world.pass(A_MOMENT);
    show(&mut world, devices[0], b"still one");
    show(&mut world, devices[1], b"two");
    for seer in [0, onlooker] {
        assert_eq!(world.seen(seer).pictures.last(), Some(&b"two".to_vec()));
    }
    assert!(world.input(0, key(30, true)), "control goes with the choice");
    world.pass(A_MOMENT);
    assert_eq!(inputs(&world, devices[1]).first(), Some(&key(30, true)));
    assert_eq!(inputs(&world, devices[0]), []);
    let nobody = world.member(onlooker).unwrap();
    assert_eq!(world.moderate(|moderator| moderator.present(nobody)), Some(false));
    // It goes: the other one is seen again.
    world.moderate(|moderator| moderator.kick(members[1]));
    world.pass(A_MOMENT);
    show(&mut world, devices[0], b"back to one");
    assert_eq!(world.seen(onlooker).pictures.last(), Some(&b"back to one".to_vec()));
    assert!(world.input(0, key(31, true)));
}

/// An onlooker sends what the controller has sent, in its own name.
#[test]
fn an_onlooker_that_forges_a_click_is_not_obeyed() {
    let kept = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let (mut world, device, onlookers) = session(1);
    let keep = std::rc::Rc::clone(&kept);
    world.meddle = Box::new(move |packet| {
        keep.borrow_mut().push(packet.to_vec());
        Some(packet.to_vec())
    });
    assert!(world.input(0, key(30, true)));
    world.pass(A_MOMENT);
    let me = world.member(onlookers[0]).unwrap();
    let mut forged = 0;
    for mut packet in kept.take() {
        let (header, _) = crate::header::Header::parse(&packet).unwrap();
        if header.class == Class::Input {
            packet[4..6].copy_from_slice(&me.0.to_be_bytes());
            world.at_device(device, |device, now| device.handle_packet(&packet, now));
            forged += 1;
        }
    }
    assert!(forged > 0);
    assert_eq!(inputs(&world, device)[..1], [key(30, true)]);
    assert!(!inputs(&world, device)[1..].contains(&key(30, true)));
    assert_eq!(world.seen(device).ended, None, "nor does it end anything");
}
