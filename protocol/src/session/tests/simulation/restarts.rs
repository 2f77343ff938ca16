//! Devices that are restarted and come back into the session.

use std::time::Duration;

use super::*;
use crate::handshake::{Declined, Level};
use crate::message::{DeviceEnd, FromModerator, SecretBytes};
use crate::session::RETURN_WITHIN;

const A_MOMENT: Duration = Duration::from_secs(2);
const ALL: Rights = BOTH.with(Rights::REBOOT);

/// A session with a device, computer 1.
fn session(asks: Rights) -> World {
    let mut world = World::asking(asks, 7, Duration::from_millis(30));
    assert_eq!(world.device(), 1);
    world.pass(Duration::from_secs(5));
    world
}

/// The device of a session has been told to restart itself; its ticket.
fn asked(world: &mut World) -> [u8; 32] {
    assert_eq!(world.moderate(Moderator::restart_machine), Some(true));
    world.pass(A_MOMENT);
    let [.., Restart::Machine { ticket: SecretBytes(ticket) }] = &world.seen(1).asked[..] else {
        panic!("{:?}", world.seen(1).asked)
    };
    let ticket = *ticket;
    world.at_device(1, |device, _| device.report_restart(RestartReport::Leaves));
    world.pass(A_MOMENT);
    assert_eq!(world.seen(0).reports, [RestartReport::Leaves]);
    ticket
}

/// What became of somebody who tries a ticket.
fn tried(world: &mut World, ticket: &[u8; 32]) -> (bool, Option<EndReason>) {
    let node = world.comes_back(ticket);
    world.pass(Duration::from_secs(5));
    (world.seen(node).roster.is_some(), world.seen(node).ended)
}

const FAILED: (bool, Option<EndReason>) = (false, Some(EndReason::Declined(Declined::Failed)));

#[test]
fn a_device_comes_back_after_a_restart_as_what_it_was() {
    for is_given_up in [true, false] {
        let mut world = session(ALL);
        let ticket = asked(&mut world);
        let was = world.member(1).unwrap();
        world.break_link(1);
        if is_given_up {
            world.give_up(1);
        }
        world.pass(Duration::from_secs(25));
        let back = world.comes_back(&ticket);
        world.pass(Duration::from_secs(5));
        let member = world.member(back).unwrap();
        let seen = world.seen(0);
        assert_eq!((&seen.returned[..], seen.ended), (&[(was, member)][..], None));
        assert_eq!(seen.gone, [(was, ParticipantGone::Restarts)]);
        assert_eq!(seen.roster, world.seen(back).roster);
        let list = world.moderate(|moderator| moderator.list_for_tests()).unwrap();
        let entry = list.get(member).unwrap();
        let before = ("Kiosk", Some(Level::CodeCompared), ALL);
        assert_eq!((entry.name.as_str(), entry.level, entry.rights), before);
        assert_eq!((list.presenter(), list.get(was)), (Some(member), None));
        assert!(world.input(0, InputEvent::Text("on we go".try_into().unwrap())));
        world.pass(A_MOMENT);
        assert_eq!(world.seen(back).inputs.len(), 1);
        let again = world.moderate(Moderator::restart_machine);
        assert_eq!(again, Some(true), "and may do it once more");
    }
}

#[test]
fn a_ticket_is_good_once_and_a_wrong_one_is_a_failed_guess() {
    let mut world = session(ALL);
    let ticket = asked(&mut world);
    world.give_up(1);
    world.pass(A_MOMENT);
    assert_eq!(tried(&mut world, &[7; 32]), FAILED, "a wrong one");
    assert_eq!(tried(&mut world, &ticket), (true, None));
    // Nothing is awaited any more: the same again leads no further than any other.
    assert_eq!(tried(&mut world, &ticket), FAILED);
    world.moderate(Moderator::restart_machine);
    assert_eq!(tried(&mut world, &ticket), FAILED, "that of the time before");
    assert!(!world.seen(0).is_burned);
    tried(&mut world, &[8; 32]);
    assert!(world.seen(0).is_burned, "three guesses are enough");
}

/// Whoever plays the moderator, or moderates another session, gets no question out of a device
/// that comes back, let alone an answer.
#[test]
fn a_ticket_fits_no_other_session() {
    let mut world = session(ALL);
    assert_eq!(tried(&mut world, &[7; 32]), FAILED, "nobody is awaited");
    let mut other = World::asking(ALL, 8, Duration::from_millis(30));
    assert_eq!(other.device(), 1);
    other.pass(Duration::from_secs(5));
    asked(&mut other);
    let ticket = asked(&mut world);
    assert_eq!(tried(&mut other, &ticket), FAILED);
    assert!(other.seen(0).returned.is_empty() && world.seen(0).returned.is_empty());
}

#[test]
fn a_ticket_is_refused_after_its_time() {
    let mut world = session(ALL);
    let ticket = asked(&mut world);
    let was = world.member(1).unwrap();
    world.give_up(1);
    world.pass(RETURN_WITHIN - Duration::from_secs(10));
    assert_eq!(world.seen(0).not_back, []);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.seen(0).not_back, [was]);
    assert_eq!(tried(&mut world, &ticket), FAILED);
}

#[test]
fn no_right_grows_by_a_restart() {
    let mut world = session(ALL);
    let left = Rights::VIEW.with(Rights::REBOOT);
    world.at_device(1, |device, _| device.limit(left));
    world.pass(A_MOMENT);
    let ticket = asked(&mut world);
    world.give_up(1);
    // It says that it grants all that is asked for.
    let back = world.comes_back(&ticket);
    world.pass(Duration::from_secs(5));
    let list = world.moderate(|moderator| moderator.list_for_tests()).unwrap();
    assert_eq!(list.get(world.member(back).unwrap()).map(|entry| entry.rights), Some(left));
    assert!(!world.input(0, InputEvent::Text("x".try_into().unwrap())));
}

#[test]
fn a_restart_needs_its_right_and_is_not_awaited_when_it_was_prevented() {
    let mut world = session(BOTH);
    assert_eq!(world.moderate(Moderator::restart_machine), Some(false));
    assert_eq!(world.moderate(Moderator::restart_application), Some(false));
    // Neither is a console obeyed that asks all the same.
    let member = world.member(1).unwrap();
    let ask = FromModerator::Restart(Restart::Application);
    world.moderate(|moderator| moderator.say_for_tests(member, &ask));
    world.pass(A_MOMENT);
    assert_eq!(world.seen(1).asked, []);

    for ends in [false, true] {
        let mut world = session(ALL);
        let ticket = asked(&mut world);
        let member = world.member(1).unwrap();
        if ends {
            world.at_device(1, |device, _| device.end(DeviceEnd::Stopped));
        } else {
            assert_eq!(world.moderate(Moderator::restart_machine), Some(false), "one at a time");
            world.at_device(1, |device, _| device.report_restart(RestartReport::Prevented));
            world.pass(A_MOMENT);
            world.give_up(1);
        }
        world.pass(A_MOMENT);
        let [(gone, why)] = world.seen(0).gone[..] else { panic!("{:?}", world.seen(0).gone) };
        assert!(gone == member && why != ParticipantGone::Restarts, "{why:?}");
        assert_eq!(tried(&mut world, &ticket), FAILED);
    }
}

#[test]
fn a_device_comes_back_into_a_locked_session_and_nobody_else_comes_in() {
    let mut world = session(ALL);
    world.moderate(|moderator| moderator.lock(true));
    let ticket = asked(&mut world);
    world.give_up(1);
    world.pass(A_MOMENT);
    let stranger = world.onlooker();
    world.pass(Duration::from_secs(5));
    assert!(world.seen(stranger).ended.is_some() && world.seen(stranger).roster.is_none());
    assert_eq!(tried(&mut world, &ticket), (true, None));
    let late = world.onlooker();
    world.pass(A_MOMENT);
    assert!(matches!(world.seen(late).ended, Some(EndReason::JoinRefused(_))), "locked again");
}
