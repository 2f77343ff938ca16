//! Sessions in which everything happens at once, by chance.

use std::time::Duration;

use super::*;
use crate::message::Place;

/// Seeds that run by default; `LOTSE_SEEDS` says how many others, or from which one to which one,
/// the latter not included: `1000`, `102..103`.
const SEEDS: std::ops::Range<u64> = 0..60;

/// Links that break are mended before the server gives their places up.
const MENDED_AFTER_S: u64 = 20;

/// How long things happen, and how long there is quiet then.
const BUSY: Duration = Duration::from_secs(40);
const QUIET: Duration = Duration::from_secs(45);

/// No input is older than this when it is carried out: the limit, a tick, and two hops.
const OLDEST_INPUT: Duration = Duration::from_millis(2_000 + 250 + 4 * 200);

#[test]
fn whole_sessions_hold_their_promises_under_any_seed() {
    let seeds = std::env::var("LOTSE_SEEDS").map_or(SEEDS, |text| {
        let (first, end) = text.split_once("..").unwrap_or(("0", &text));
        first.parse().unwrap()..end.parse().unwrap()
    });
    for seed in seeds {
        let run = std::panic::catch_unwind(|| run(seed));
        assert!(run.is_ok(), "seed {seed} breaks a promise");
    }
}

/// A place that tells when it was made.
fn place(world: &World) -> Place {
    let millis = world.now.duration_since(world.start).as_millis() as u32;
    Place { x: (millis >> 16) as u16, y: millis as u16, width: u16::MAX, height: u16::MAX }
}

fn run(seed: u64) {
    crate::keys::sealed::watch();
    let mut world = World::new(seed, Duration::from_millis(200));
    let mut typed = Vec::new();
    let device = world.device();
    world.pass(Duration::from_secs(5));
    let end = world.now + BUSY;
    let mut mend_at: Vec<(Instant, Node)> = Vec::new();
    while world.now < end {
        let pause = Duration::from_millis(world.chance.below(600));
        world.pass(pause);
        let now = world.now;
        let due: Vec<_> = mend_at.iter().filter(|(at, _)| *at <= now).map(|(_, n)| *n).collect();
        mend_at.retain(|(at, _)| *at > now);
        due.into_iter().for_each(|node| world.mend_link(node));
        happen(&mut world, &mut typed, &mut mend_at);
    }
    for (_, node) in mend_at {
        world.mend_link(node);
    }
    world.pass(QUIET);
    check(&mut world, device, seed);
}

/// One thing, by chance.
fn happen(world: &mut World, typed: &mut Vec<u32>, mend_at: &mut Vec<(Instant, Node)>) {
    let onlookers = world.present(World::is_onlooker);
    let devices = world.present(World::is_device);
    let any = world.present(|_, _| true);
    match world.chance.below(24) {
        0..=2 if onlookers.len() < 8 => {
            world.onlooker();
        }
        3 if devices.is_empty() => {
            world.device();
        }
        4 => {
            if let Some(member) = picked(world, &onlookers) {
                world.moderate(|moderator| moderator.kick(member));
            }
        }
        5 => {
            if let Some(node) = world.chance.pick(&onlookers) {
                world.at_onlooker(node, |onlooker, _| onlooker.end());
            }
        }
        6 | 7 => {
            if let Some(node) = world.chance.pick(&any) {
                world.break_link(node);
                let seconds = 1 + world.chance.below(MENDED_AFTER_S);
                mend_at.push((world.now + Duration::from_secs(seconds), node));
            }
        }
        // A crash: it does not come back. The moderator may, too, if there is a deputy.
        8 => {
            if let Some(node) = world.chance.pick(&onlookers) {
                world.give_up(node);
            }
        }
        9 => {
            let member = picked(world, &onlookers);
            world.moderate(|moderator| moderator.set_deputy(member));
        }
        10 => {
            world.moderate(|moderator| moderator.hand_over());
        }
        11 | 12 => {
            let (device, to) = (picked(world, &devices), picked(world, &onlookers));
            if let (Some(device), Some(to)) = (device, to) {
                world.moderate(|moderator| moderator.give_control(device, to));
            }
        }
        13 => {
            if let Some(node) = world.chance.pick(&devices) {
                world.at_device(node, Participant::local_input);
            }
        }
        14 => {
            let locks = world.chance.below(2) == 0;
            world.moderate(|moderator| moderator.lock(locks));
        }
        15..=18 => {
            if let Some(node) = world.chance.pick(&devices) {
                let number = world.chance.below(u64::MAX);
                world.at_device(node, |device, _| device.send_picture(&stamped(number)));
            }
        }
        _ => {
            if let Some(node) = world.chance.pick(&any) {
                let number = typed.len() as u32;
                typed.push(number);
                let text = format!("{number} ");
                world.input(node, InputEvent::Text(text.as_str().try_into().unwrap()));
                let place = place(world);
                world.input(node, InputEvent::Pointer(place));
            }
        }
    }
}

fn picked(world: &mut World, nodes: &[Node]) -> Option<MemberId> {
    let node = world.chance.pick(nodes)?;
    world.member(node)
}

fn inside_now(world: &World, node: Node) -> bool {
    world.seen(node).roster.is_some()
}

/// What must be true after any run.
fn check(world: &mut World, device: Node, seed: u64) {
    for node in world.present(|_, _| true) {
        let seen = world.seen(node);
        assert!(!seen.rosters_differ, "seed {seed}: two lists");
    }
    for node in 0..world.computers.len() {
        let ended = &world.seen(node).ended;
        let is_tampered = matches!(ended, Some(EndReason::Tampered(_) | EndReason::Unreachable));
        assert!(!is_tampered, "seed {seed}: computer {node} ended by {ended:?}");
        let tampered = world.seen(node).gone.iter().find(|(_, why)| {
            matches!(why, ParticipantGone::Tampered(_) | ParticipantGone::Unreachable)
        });
        assert!(tampered.is_none(), "seed {seed}: {tampered:?}");
    }
    let mut last = None;
    for (at, event) in &world.seen(device).inputs {
        match event {
            InputEvent::Text(text) => {
                let number: u32 = text.trim().parse().unwrap();
                assert!(last < Some(number), "seed {seed}: {number} after {last:?}");
                last = Some(number);
            }
            InputEvent::Pointer(place) => {
                let millis = u64::from(place.x) << 16 | u64::from(place.y);
                let made = world.start + Duration::from_millis(millis);
                let age = at.duration_since(made);
                assert!(age <= OLDEST_INPUT, "seed {seed}: an input of {age:?}");
            }
            _ => {}
        }
    }
    assert!(crate::keys::sealed::count() > 20, "seed {seed}: hardly anything was said");
    let Some(moderator) = world.moderator() else { return };
    let list = world.seen(moderator).roster;
    // Who knocked while nobody was there to answer is not inside; its program gives up.
    for node in world.present(inside_now) {
        assert_eq!(world.seen(node).roster, list, "seed {seed}: computer {node} is behind");
    }
    // Everybody who is inside sees what the device shows now.
    let shows = |world: &World, node: Node| world.is_device(node) && inside_now(world, node);
    let (Some(device), picture) = (world.present(shows).first().copied(), stamped(seed)) else {
        return;
    };
    world.at_device(device, |device, _| device.send_picture(&picture));
    world.pass(Duration::from_secs(5));
    for node in world.present(|world, node| !world.is_device(node) && inside_now(world, node)) {
        let last = world.seen(node).pictures.last();
        assert_eq!(last, Some(&picture), "seed {seed}: computer {node} does not see");
    }
}
