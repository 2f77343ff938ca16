//! Both sides of a session over a pretended server, with a clock that only moves when told.

use std::time::{Duration, Instant};

use rand_core::OsRng;

use super::*;
use crate::SessionNumber;
use crate::handshake::participant::Standing;
use crate::handshake::{Declined, HandshakeError, JoinKey, Means};
use crate::header::{Class, Header, MemberId};
use crate::message::{Consent, DeviceEnd, InputEvent, Place, Rights, ScreenReport};
use crate::tunnel::{Answer, Departure, EndOfSession, Notice, Refusal, ResumeToken, SessionId};

const DEVICE: MemberId = MemberId(2);

/// The time of day when a test begins, in seconds since 1970.
const NOW_S: u64 = 1_800_000_000;

/// What the pretended server does with packets on their way.
type Meddle = Box<dyn FnMut(Vec<u8>) -> Vec<Vec<u8>>>;

struct Pair {
    now: Instant,
    moderator: Moderator,
    participant: Participant,
    moderator_events: Vec<ModeratorEvent>,
    participant_events: Vec<ParticipantEvent>,
    meddle: Meddle,
    seen: Vec<Vec<u8>>,
    removed: Vec<MemberId>,
}

impl Pair {
    fn new() -> Self {
        Self::with(Means::default())
    }

    fn with(means: Means) -> Self {
        let asks = Rights::VIEW.with(Rights::CONTROL);
        let now = Instant::now();
        let clock = Some(WallClock { at: now, unix_s: NOW_S });
        let config = ModeratorConfig::new("Technician".try_into().unwrap(), asks);
        let config = ModeratorConfig { means, clock, ..config };
        Self {
            now,
            moderator: Moderator::new(config, Box::new(OsRng)),
            participant: Participant::new("Kiosk 7".try_into().unwrap(), Box::new(OsRng)),
            moderator_events: Vec::new(),
            participant_events: Vec::new(),
            meddle: Box::new(|packet| vec![packet]),
            seen: Vec::new(),
            removed: Vec::new(),
        }
    }

    fn number() -> SessionNumber {
        SessionNumber::try_from(123_456_789).unwrap()
    }

    /// Delivers until nobody has anything to say.
    fn settle(&mut self) {
        loop {
            let mut quiet = true;
            while let Some(output) = self.moderator.poll_output() {
                quiet = false;
                match output {
                    Output::Event(event) => self.moderator_events.push(event),
                    Output::Request(what) => self.asked_by_moderator(&what),
                    Output::Packet(class, packet) => {
                        assert_eq!(Header::parse(&packet).unwrap().0.class, class);
                        self.seen.push(packet.clone());
                        for packet in (self.meddle)(packet) {
                            self.participant.handle_packet(&packet, self.now);
                        }
                    }
                }
            }
            while let Some(output) = self.participant.poll_output() {
                quiet = false;
                match output {
                    Output::Event(event) => self.participant_events.push(event),
                    Output::Request(what) => self.asked_by_participant(&what),
                    Output::Packet(_, packet) => {
                        self.seen.push(packet.clone());
                        for packet in (self.meddle)(packet) {
                            self.moderator.handle_packet(&packet, self.now);
                        }
                    }
                }
            }
            if quiet {
                return;
            }
        }
    }

    fn asked_by_moderator(&mut self, what: &Asked) {
        let mut answer = Answer::Done;
        match *what {
            Asked::Resume { .. } => panic!("nobody comes back here"),
            Asked::Open => {
                answer = Answer::Opened {
                    number: Self::number(),
                    session: SessionId([5; 16]),
                    expires_in_s: 600,
                    resume: token(),
                };
            }
            Asked::Remove { member } => {
                self.removed.push(member);
                let ended = Notice::SessionEnded { why: EndOfSession::Removed };
                if member == DEVICE {
                    self.participant.handle_notice(&ended, self.now);
                }
            }
            Asked::Leave => {
                let ended = Notice::SessionEnded { why: EndOfSession::Ended };
                self.participant.handle_notice(&ended, self.now);
            }
            Asked::Seat { .. } | Asked::Lock(_) | Asked::Deputy(_) | Asked::HandOver => {}
            Asked::Join { .. } => panic!("a moderator does not join"),
        }
        self.moderator.handle_answer(answer);
    }

    fn asked_by_participant(&mut self, what: &Asked) {
        match *what {
            Asked::Join { number } if number == Self::number() => {
                let (session, moderator) = (SessionId([5; 16]), MemberId::MODERATOR);
                let answer = Answer::Joined { session, member: DEVICE, moderator, resume: token() };
                self.participant.handle_answer(answer);
                self.moderator.handle_notice(Notice::MemberJoined { member: DEVICE }, self.now);
            }
            Asked::Resume { .. } => panic!("nobody comes back here"),
            Asked::Join { .. } => {
                self.participant.handle_answer(Answer::Refused(Refusal::NotAvailable));
            }
            Asked::Leave => {
                // The answer to leaving may be a refusal, and must not be taken for another's.
                self.participant.handle_answer(Answer::Refused(Refusal::NotAllowed));
                let left = Notice::MemberLeft { member: DEVICE, how: Departure::Left };
                self.moderator.handle_notice(left, self.now);
            }
            ref other => panic!("{other:?}"),
        }
    }

    /// Lets time pass, timers included.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.settle();
            let due =
                self.moderator.poll_timeout().into_iter().chain(self.participant.poll_timeout());
            match due.min() {
                Some(at) if at <= end => self.now = self.now.max(at),
                _ => break,
            }
            self.moderator.handle_timeout(self.now);
            self.participant.handle_timeout(self.now);
        }
        self.now = end;
    }

    fn join(&mut self) {
        self.moderator.open();
        self.settle();
        self.participant.join(Self::number(), JoinKey::of_tests());
        self.settle();
    }

    fn codes(&self) -> (String, String) {
        let ours = self.moderator_events.iter().rev().find_map(|event| match event {
            ModeratorEvent::Compare { code, .. } => Some(code.to_string()),
            _ => None,
        });
        let theirs = self.participant_events.iter().rev().find_map(|event| match event {
            ParticipantEvent::Ask { standing: Standing::Compare(code), .. } => {
                Some(code.to_string())
            }
            _ => None,
        });
        (ours.expect("the moderator sees a code"), theirs.expect("the device shows a code"))
    }

    fn connect(&mut self, granted: Rights) {
        self.join();
        self.moderator.confirm_code(DEVICE);
        self.settle();
        self.participant.decide(Consent::Granted(granted), self.now);
        self.settle();
        let connected = |event: &ModeratorEvent| matches!(event, ModeratorEvent::Connected { rights, .. } if *rights == granted);
        assert!(self.moderator_events.iter().any(connected));
    }

    fn inputs(&self) -> Vec<InputEvent> {
        let inputs = self.participant_events.iter().filter_map(|event| match event {
            ParticipantEvent::Input(input) => Some(input.clone()),
            _ => None,
        });
        inputs.collect()
    }

    fn gone(&self) -> Option<ParticipantGone> {
        self.moderator_events.iter().rev().find_map(|event| match event {
            ModeratorEvent::Gone { why, .. } => Some(*why),
            _ => None,
        })
    }
}

/// The packet of a handshake message that was changed.
fn packet(header: &Header, message: &crate::handshake::HandshakeMessage) -> Vec<u8> {
    let message = message.encode();
    let header = Header { length: message.len() as u32, ..*header };
    [&header.encode()[..], &message].concat()
}

const BOTH: Rights = Rights::VIEW.with(Rights::CONTROL);

fn key(code: u16, pressed: bool) -> InputEvent {
    InputEvent::Key { code, pressed }
}

#[test]
fn two_people_meet_see_and_steer() {
    let mut pair = Pair::new();
    pair.connect(BOTH);
    let (ours, theirs) = pair.codes();
    assert_eq!(ours, theirs);

    pair.moderator.watch(true);
    pair.participant.report_screen(ScreenReport::Shown { width: 800, height: 480 });
    pair.participant.send_picture(&vec![7; 100_000]);
    pair.moderator.input(key(30, true), pair.now);
    pair.moderator.input(key(30, false), pair.now);
    pair.settle();
    assert!(pair.participant_events.iter().any(|e| matches!(e, ParticipantEvent::Watch(true))));
    assert_eq!(pair.inputs(), [key(30, true), key(30, false)]);
    assert!(
        pair.moderator_events
            .iter()
            .any(|e| matches!(e, ModeratorEvent::Picture(bytes) if *bytes == vec![7; 100_000]))
    );
}

#[test]
fn the_keys_may_come_before_the_person_decides() {
    let mut pair = Pair::new();
    pair.join();
    pair.participant.decide(Consent::Granted(BOTH), pair.now);
    pair.settle();
    assert!(!pair.moderator_events.iter().any(|e| matches!(e, ModeratorEvent::Connected { .. })));
    pair.moderator.confirm_code(DEVICE);
    pair.settle();
    assert!(pair.moderator_events.iter().any(|e| matches!(e, ModeratorEvent::Connected { .. })));
}

#[test]
fn the_device_grants_no_more_than_was_asked_and_obeys_no_more_than_it_granted() {
    let mut pair = Pair::new();
    pair.connect(Rights::VIEW);
    assert!(!pair.moderator.input(key(30, true), pair.now), "the console knows");
    // A console that ignores its rights is ignored by the device.
    pair.moderator.believe_in_all_rights();
    pair.moderator.input(key(30, true), pair.now);
    pair.settle();
    assert_eq!(pair.inputs(), []);
}

#[test]
fn refused_and_timed_out_are_told_apart_and_the_number_stays_good() {
    for (decision, told) in
        [(Consent::Refused, Declined::Refused), (Consent::TimedOut, Declined::TimedOut)]
    {
        let mut pair = Pair::new();
        pair.join();
        pair.participant.decide(decision, pair.now);
        pair.settle();
        assert_eq!(pair.gone(), Some(ParticipantGone::Declined(told)));
        assert!(!pair.participant.is_busy());
        pair.participant.join(Pair::number(), JoinKey::of_tests());
        pair.settle();
        let (ours, theirs) = pair.codes();
        assert_eq!(ours, theirs);
    }
}

#[test]
fn a_relay_that_swaps_the_rsa_key_makes_the_codes_differ() {
    use crate::handshake::HandshakeMessage;
    let mut pair = Pair::new();
    let evil = JoinKey::generate(&mut OsRng).unwrap();
    pair.meddle = Box::new(move |packet| {
        let (header, payload) = Header::parse(&packet).unwrap();
        match HandshakeMessage::decode(payload) {
            Ok(HandshakeMessage::JoinRequest(mut request)) => {
                request.public_key = evil.public_der();
                let forged = HandshakeMessage::JoinRequest(request).encode();
                let header = Header { length: forged.len() as u32, ..header };
                vec![[&header.encode()[..], &forged].concat()]
            }
            _ => vec![packet],
        }
    });
    pair.join();
    let (ours, theirs) = pair.codes();
    assert_ne!(ours, theirs);
    pair.moderator.reject_code(DEVICE);
    pair.settle();
    assert_eq!(pair.gone(), Some(ParticipantGone::CodesDiffer));
    assert!(!pair.participant.is_busy());
}

/// Does something to the first packet of a class that passes.
fn meddle_once(class: Class, change: fn(Vec<u8>) -> Vec<Vec<u8>>) -> Meddle {
    let mut changed = false;
    Box::new(move |packet| {
        let (header, _) = Header::parse(&packet).unwrap();
        if header.class == class && !changed {
            changed = true;
            return change(packet);
        }
        vec![packet]
    })
}

#[test]
fn a_packet_that_was_changed_ends_the_session() {
    for class in [Class::Input, Class::Feedback, Class::Control] {
        let mut pair = Pair::new();
        pair.connect(BOTH);
        pair.meddle = meddle_once(class, |mut packet| {
            *packet.last_mut().unwrap() ^= 1;
            vec![packet]
        });
        pair.moderator.input(key(30, true), pair.now);
        pair.moderator.watch(true);
        pair.pass(Duration::from_secs(5));
        let ended = |event: &ParticipantEvent| {
            matches!(event, ParticipantEvent::Ended(EndReason::Tampered(_)))
        };
        let at_device = pair.participant_events.iter().any(ended);
        let at_console = matches!(pair.gone(), Some(ParticipantGone::Tampered(_)));
        assert!(at_device || at_console, "{class:?}: {:?}", pair.participant_events);
        assert!(pair.inputs().len() <= 2);
    }
}

#[test]
fn a_packet_that_was_repeated_or_left_out_comes_once_and_in_order() {
    type Change = fn(Vec<u8>) -> Vec<Vec<u8>>;
    let changes: [Change; 2] = [|packet| vec![packet.clone(), packet], |_| vec![]];
    for change in changes {
        let mut pair = Pair::new();
        pair.connect(BOTH);
        pair.meddle = meddle_once(Class::Input, change);
        let keys = [key(30, true), key(30, false), key(31, true), key(31, false)];
        for event in &keys {
            pair.moderator.input(event.clone(), pair.now);
        }
        pair.pass(Duration::from_secs(1));
        assert_eq!(pair.inputs(), keys);
    }
}

#[test]
fn what_was_said_last_and_lost_is_said_again() {
    let mut pair = Pair::new();
    pair.connect(BOTH);
    pair.meddle = meddle_once(Class::Control, |_| vec![]);
    pair.moderator.watch(true);
    pair.pass(Duration::from_secs(1));
    let watched = |pair: &Pair| {
        pair.participant_events.iter().any(|event| matches!(event, ParticipantEvent::Watch(true)))
    };
    assert!(!watched(&pair), "nothing tells the device that something is missing");
    pair.pass(Duration::from_secs(4));
    assert!(watched(&pair));
}

#[test]
fn what_is_held_is_released_when_the_controller_falls_silent() {
    let mut pair = Pair::new();
    pair.connect(BOTH);
    pair.moderator.input(key(29, true), pair.now);
    pair.pass(Duration::from_secs(5));
    assert_eq!(pair.inputs(), [key(29, true)], "held for long, since the console is there");
    pair.meddle = Box::new(|_| vec![]);
    pair.pass(RELEASE_AFTER);
    assert_eq!(pair.inputs(), [key(29, true), InputEvent::ReleaseAll]);
}

#[test]
fn packets_that_pass_do_not_keep_down_what_the_server_holds_back() {
    let mut pair = Pair::new();
    pair.connect(BOTH);
    pair.moderator.input(key(29, true), pair.now);
    pair.settle();
    // From here on the server lets through what acknowledges pictures, and some of its own
    // making, but neither the release nor the signs of life.
    let forged = {
        let (header, _) = Header::parse(pair.seen.last().unwrap()).unwrap();
        [&Header { epoch: 99, length: 16, ..header }.encode()[..], &[0; 16]].concat()
    };
    pair.meddle = Box::new(|_| vec![]);
    for _ in 0..4 {
        pair.participant.handle_packet(&forged, pair.now);
        pair.pass(RELEASE_AFTER / 3);
    }
    assert_eq!(pair.inputs(), [key(29, true), InputEvent::ReleaseAll]);
}

/// Lets signs of life through, each a little later than the one before, so that the device never
/// meets silence.
#[test]
fn signs_of_life_that_were_held_back_are_none() {
    let mut pair = Pair::new();
    pair.connect(BOTH);
    pair.moderator.input(key(29, true), pair.now);
    pair.settle();
    let mut held = VecDeque::new();
    for _ in 0..6 {
        let end = pair.now + RELEASE_AFTER - TICK;
        while pair.now < end {
            pair.now += TICK;
            pair.participant.handle_timeout(pair.now);
            pair.moderator.handle_timeout(pair.now);
            while let Some(output) = pair.moderator.poll_output() {
                if let Output::Packet(_, packet) = output
                    && Header::parse(&packet).unwrap().0.stream != 0
                {
                    held.push_back(packet);
                }
            }
            while let Some(output) = pair.participant.poll_output() {
                match output {
                    Output::Packet(_, packet) => pair.moderator.handle_packet(&packet, pair.now),
                    Output::Event(event) => pair.participant_events.push(event),
                    Output::Request(_) => {}
                }
            }
        }
        let late = held.pop_front().expect("the moderator says that it is there");
        pair.participant.handle_packet(&late, pair.now);
    }
    pair.settle();
    assert!(pair.inputs().contains(&InputEvent::ReleaseAll), "{:?}", pair.inputs());
}

#[test]
fn a_device_that_is_cut_off_is_noticed_although_the_own_link_is_well() {
    let mut pair = Pair::new();
    pair.connect(BOTH);
    let silences = |pair: &Pair| -> Vec<bool> {
        let events = pair.moderator_events.iter();
        events
            .filter_map(|event| match event {
                ModeratorEvent::Silent(is_silent) => Some(*is_silent),
                _ => None,
            })
            .collect()
    };
    pair.pass(Duration::from_secs(30));
    assert_eq!(silences(&pair), [], "a device with nothing to show still tells its time");
    let cut = std::rc::Rc::new(std::cell::Cell::new(true));
    let is_cut = std::rc::Rc::clone(&cut);
    let waiting = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let held = std::rc::Rc::clone(&waiting);
    pair.meddle = Box::new(move |packet| {
        let mut held = held.borrow_mut();
        held.push(packet);
        if is_cut.get() { vec![] } else { std::mem::take(&mut held) }
    });
    pair.pass(DEVICE_SILENT_AFTER + TICK);
    assert_eq!(silences(&pair), [true]);
    cut.set(false);
    pair.pass(TICK);
    assert_eq!(silences(&pair), [true, false]);
}

#[test]
fn input_that_was_held_back_is_dropped_but_letting_go_is_not() {
    let mut pair = Pair::new();
    pair.connect(BOTH);
    pair.pass(Duration::from_secs(1));
    let mut held = Vec::new();
    pair.moderator.input(key(28, true), pair.now);
    pair.moderator.input(key(28, false), pair.now);
    while let Some(output) = pair.moderator.poll_output() {
        if let Output::Packet(_, packet) = output {
            held.push(packet);
        }
    }
    pair.now += Duration::from_secs(3);
    pair.participant.handle_timeout(pair.now);
    for packet in held {
        pair.participant.handle_packet(&packet, pair.now);
    }
    pair.pass(TICK);
    assert_eq!(pair.inputs(), [key(28, false)]);
    assert!(
        pair.moderator_events.iter().any(|event| matches!(event, ModeratorEvent::InputDropped(1)))
    );
}

#[test]
fn stop_at_the_device_and_end_at_the_console_reach_the_other_side() {
    let mut pair = Pair::new();
    pair.connect(BOTH);
    pair.participant.end(DeviceEnd::Stopped);
    pair.settle();
    assert_eq!(pair.gone(), Some(ParticipantGone::Ended(DeviceEnd::Stopped)));

    let mut pair = Pair::new();
    pair.connect(BOTH);
    pair.moderator.end();
    pair.settle();
    assert!(matches!(
        pair.participant_events.last(),
        Some(ParticipantEvent::Ended(EndReason::Moderator))
    ));
    assert!(matches!(
        pair.moderator_events.last(),
        Some(ModeratorEvent::Ended(EndOfSession::Ended))
    ));
}

#[test]
fn a_wrong_number_is_refused_and_another_can_be_tried() {
    let mut pair = Pair::new();
    let wrong = SessionNumber::try_from(987_654_321).unwrap();
    pair.participant.join(wrong, JoinKey::of_tests());
    pair.settle();
    assert!(matches!(
        pair.participant_events.last(),
        Some(ParticipantEvent::Ended(EndReason::JoinRefused(Refusal::NotAvailable)))
    ));
    assert!(!pair.participant.is_busy());
}

#[test]
fn lost_pictures_lead_to_a_refresh() {
    let mut pair = Pair::new();
    pair.connect(BOTH);
    let mut dropped = false;
    pair.meddle = Box::new(move |packet| {
        let (header, _) = Header::parse(&packet).unwrap();
        let drop = header.class == Class::Picture && !dropped;
        dropped |= drop;
        if drop { vec![] } else { vec![packet] }
    });
    pair.participant.send_picture(b"one");
    pair.participant.send_picture(b"two");
    pair.settle();
    assert!(pair.participant_events.iter().any(|e| matches!(e, ParticipantEvent::Refresh { .. })));
}

#[test]
fn nothing_on_the_wire_shows_what_was_typed_or_shown() {
    let mut pair = Pair::new();
    pair.connect(BOTH);
    let text = "correct horse battery staple";
    pair.moderator.input(InputEvent::Text(text.try_into().unwrap()), pair.now);
    let at = Place { x: 0x1234, y: 0x2345, width: 0x3456, height: 0x4567 };
    pair.moderator.input(InputEvent::Pointer(at), pair.now);
    pair.participant.send_picture(&b"PICTURE".repeat(1000));
    pair.settle();
    let wire = pair.seen.concat();
    for secret in [text.as_bytes(), b"PICTURE", b"horse"] {
        assert!(!wire.windows(secret.len()).any(|window| window == secret));
    }
}

#[test]
fn frames_out_of_turn_never_panic_or_connect() {
    let mut pair = Pair::new();
    pair.join();
    // The device's own handshake packets reflected to it, and the moderator's to the moderator.
    for packet in pair.seen.clone() {
        pair.participant.handle_packet(&packet, pair.now);
        pair.moderator.handle_packet(&packet, pair.now);
    }
    pair.settle();
    let connected = |event: &ModeratorEvent| matches!(event, ModeratorEvent::Connected { .. });
    assert!(!pair.moderator_events.iter().any(connected));
    assert!(matches!(
        pair.gone(),
        Some(ParticipantGone::Handshake(HandshakeError::Unexpected)) | None
    ));
}

fn token() -> ResumeToken {
    ResumeToken(heapless::Vec::new())
}

#[path = "arrow_tests.rs"]
mod arrows;
#[path = "hostile_tests.rs"]
mod hostile;
#[path = "level_tests.rs"]
mod levels;
