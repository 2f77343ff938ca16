//! Arrows: who may point, how often, and what comes too late.

use super::*;
use crate::message::{Arrow, FromModerator};
use crate::session::simulation::World;

const ALL: Rights = BOTH.with(Rights::POINTER);

/// The way there and back, and the time until an arrow may follow.
const SOON: Duration = Duration::from_millis(100);

fn place(x: u16) -> Option<Place> {
    Some(Place { x, y: 20, width: 800, height: 480 })
}

impl Pair {
    fn pointing(granted: Rights) -> Self {
        let mut pair = Self::new();
        let config = ModeratorConfig::new("Technician".try_into().unwrap(), ALL);
        pair.moderator = Moderator::new(config, Box::new(OsRng));
        pair.connect(granted);
        pair
    }

    fn point(&mut self, at: Option<Place>) -> bool {
        let taken = self.moderator.point(at, self.now);
        self.settle();
        taken
    }

    fn arrows(&self) -> Vec<Option<Place>> {
        let arrows = self.participant_events.iter().filter_map(|event| match event {
            ParticipantEvent::Arrow { by, name, at } => {
                assert_eq!((*by, name.as_str()), (MemberId::MODERATOR, "Technician"));
                Some(*at)
            }
            _ => None,
        });
        arrows.collect()
    }

    fn told(&self) -> Option<(bool, u32)> {
        self.moderator_events.iter().rev().find_map(|event| match event {
            ModeratorEvent::Arrows { are_shown, dropped } => Some((*are_shown, *dropped)),
            _ => None,
        })
    }
}

#[test]
fn an_arrow_comes_with_its_name_and_goes_away() {
    let mut pair = Pair::pointing(ALL);
    assert!(pair.point(place(1)));
    pair.pass(SOON);
    assert_eq!(pair.arrows(), [place(1)], "although the device had to tell its time first");
    pair.point(None);
    pair.pass(SOON);
    assert_eq!(pair.arrows(), [place(1), None]);
    assert_eq!(pair.told(), Some((true, 0)));
    pair.participant.report_arrows(false, pair.now);
    pair.settle();
    assert_eq!(pair.told(), Some((false, 0)), "a machine that cannot show arrows says so");
}

#[test]
fn nobody_points_without_the_right_and_who_tries_is_counted() {
    let mut pair = Pair::pointing(BOTH);
    assert!(!pair.point(place(1)), "the console sees to it");
    pair.moderator.believe_in_all_rights();
    pair.point(place(1));
    let arrow = Arrow { tick: 1, at: place(2) };
    for _ in 0..3 {
        let point = FromModerator::Point { by: MemberId::MODERATOR, arrow };
        pair.moderator.say_for_tests(DEVICE, &point);
    }
    pair.pass(SOON);
    assert_eq!(pair.arrows(), [], "and the device, whatever the console does");

    let mut pair = Pair::pointing(ALL);
    pair.point(place(1));
    pair.pass(SOON);
    pair.participant.limit(BOTH);
    pair.settle();
    assert!(!pair.point(place(2)), "withdrawn at once");
    assert_eq!(pair.arrows(), [place(1)]);
}

#[test]
fn a_flood_of_arrows_becomes_thirty_a_second_and_the_newest_wins() {
    let mut pair = Pair::pointing(ALL);
    pair.point(place(0));
    pair.pass(SOON);
    let before = pair.arrows().len();
    for x in 0..1000 {
        pair.point(place(x % 800));
        pair.pass(Duration::from_millis(1));
    }
    pair.pass(SOON);
    let shown = pair.arrows().len() - before;
    assert!((20..=32).contains(&shown), "{shown} in a second");
    assert_eq!(pair.arrows().last(), Some(&place(999 % 800)));
}

#[test]
fn arrows_that_were_held_back_are_dropped_and_counted() {
    let mut pair = Pair::pointing(ALL);
    pair.point(place(1));
    pair.pass(SOON);
    let held = pair.hold();
    for x in 2..5 {
        pair.point(place(x));
        pair.pass(Duration::from_millis(200));
    }
    pair.pass(Duration::from_secs(3));
    pair.meddle = Box::new(|packet| vec![packet]);
    for packet in held.borrow().iter() {
        pair.participant.handle_packet(packet, pair.now);
    }
    pair.pass(Duration::from_secs(3));
    assert_eq!(pair.arrows(), [place(1)]);
    pair.point(place(9));
    pair.pass(SOON);
    assert_eq!(pair.arrows().last(), Some(&place(9)));
    assert!(pair.told().is_some_and(|(_, dropped)| dropped >= 3), "{:?}", pair.told());
}

#[test]
fn only_members_of_the_list_point() {
    let mut pair = Pair::pointing(ALL);
    for stranger in [DEVICE, MemberId(99), MemberId::ALL] {
        let arrow = Arrow { tick: 1, at: place(1) };
        pair.moderator.say_for_tests(DEVICE, &FromModerator::Point { by: stranger, arrow });
    }
    pair.pass(SOON);
    assert_eq!(pair.arrows(), []);
}

#[test]
fn onlookers_point_through_the_moderator_each_under_its_own_number() {
    let latency = Duration::from_millis(30);
    let mut world = World::asking(ALL, 7, latency);
    let device = world.device();
    let onlookers: Vec<_> = (0..6).map(|_| world.onlooker()).collect();
    world.pass(Duration::from_secs(5));
    for round in 0..60 {
        for (x, onlooker) in onlookers.iter().enumerate() {
            let at = place(100 * x as u16 + round);
            assert_eq!(
                world.at_onlooker(*onlooker, |onlooker, now| onlooker.point(at, now)),
                Some(true)
            );
        }
        world.pass(Duration::from_millis(40));
    }
    world.pass(Duration::from_secs(1));
    for onlooker in &onlookers[..2] {
        let member = world.member(*onlooker).unwrap();
        let theirs = world.seen(device).arrows.iter().filter(|(by, _)| *by == member);
        assert!(theirs.count() > 10, "{onlooker}");
        assert_eq!(world.seen(*onlooker).are_shown, Some(true));
    }
    let all = world.seen(device).arrows.len();
    assert!(all <= 4 * 80, "{all} arrows reach the device: no more than four each time");

    world.at_device(device, |device, now| device.report_arrows(false, now));
    world.pass(Duration::from_secs(1));
    assert_eq!(world.seen(onlookers[0]).are_shown, Some(false));
}
