//! Both sides of a link against each other, with a virtual clock and a network that can be cut.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::frame::FrameReader;
use crate::header::{Class, Fragment, Header, MemberId};
use crate::tunnel::{
    Answer, Asked, EndOfSession, Notice, Refusal, Reply, Request, ResumeToken, SessionId,
};

const SESSION: SessionId = SessionId([7; 16]);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn bytes_of(frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    bytes
}

fn packet(source: MemberId, destination: MemberId) -> Vec<u8> {
    let header = Header {
        class: Class::Control,
        fragment: Fragment::WHOLE,
        stream: 0,
        source,
        destination,
        epoch: 0,
        instance: 0,
        length: 4,
        number: 0,
    };
    [&header.encode()[..], b"data"].concat()
}

/// A client and a server that have greeted each other, and the network between them.
struct Pair {
    now: Instant,
    latency: Duration,
    /// Nothing arrives before this; what is under way arrives then, as TCP would have it.
    cut_until: Instant,
    client: ClientLink,
    server: ServerLink,
    to_server: VecDeque<(Instant, Vec<u8>)>,
    to_client: VecDeque<(Instant, Vec<u8>)>,
    frames: usize,
    bytes: usize,
    told: Vec<(Instant, ClientEvent)>,
    heard: Vec<(Instant, ServerEvent)>,
}

impl Pair {
    fn new() -> Self {
        let (now, config) = (Instant::now(), LinkConfig::default());
        let hello = bytes_of(&ClientExpectWelcome::hello("test 1"));
        let waiting = ServerExpectHello::new(config, now);
        let progress = waiting.handle_bytes(&mut &hello[..], "server 1", seconds(2), now);
        let Ok(Progress::Next(greeted)) = progress else { panic!("hello was not understood") };
        let welcome = bytes_of(&greeted.welcome);
        let waiting = ClientExpectWelcome::new(config, now);
        let Ok(Progress::Next((client, _))) = waiting.handle_bytes(&mut &welcome[..], now) else {
            panic!("welcome was not understood")
        };
        Self {
            now,
            latency: Duration::from_millis(20),
            cut_until: now,
            client,
            server: greeted.link,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            frames: 0,
            bytes: 0,
            told: Vec::new(),
            heard: Vec::new(),
        }
    }

    fn in_session() -> Self {
        let mut pair = Self::new();
        let id = pair.client.request(Asked::Open).unwrap();
        pair.run(seconds(1));
        pair.server.reply(
            id,
            Answer::Opened {
                number: 123_456_789.try_into().unwrap(),
                session: SESSION,
                expires_in_s: 600,
                resume: token(),
            },
        );
        pair.server.enter_session(MemberId::MODERATOR);
        pair.run(seconds(1));
        assert!(pair.client.in_session());
        pair
    }

    /// Lets time pass.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let next = self.drain();
            let arrival = |queue: &VecDeque<(Instant, Vec<u8>)>| {
                queue.front().map(|(at, _)| (*at).max(self.cut_until))
            };
            let arrivals = [arrival(&self.to_server), arrival(&self.to_client)];
            let at = arrivals.into_iter().flatten().fold(next, Instant::min);
            if at > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(at);
            self.deliver();
            self.client.handle_timeout(self.now);
            self.server.handle_timeout(self.now);
        }
    }

    fn deliver(&mut self) {
        if self.now < self.cut_until {
            return;
        }
        while self.to_server.front().is_some_and(|(at, _)| *at <= self.now) {
            let (_, bytes) = self.to_server.pop_front().unwrap();
            self.server.handle_bytes(&mut &bytes[..], self.now);
        }
        while self.to_client.front().is_some_and(|(at, _)| *at <= self.now) {
            let (_, bytes) = self.to_client.pop_front().unwrap();
            self.client.handle_bytes(&mut &bytes[..], self.now);
        }
    }

    fn drain(&mut self) -> Instant {
        let arrives = self.now + self.latency;
        let mut sent = Vec::new();
        let client_timeout = loop {
            match self.client.poll_output(self.now) {
                Output::Transmit(frame) => sent.push((true, bytes_of(&frame))),
                Output::Event(event) => self.told.push((self.now, event)),
                Output::Timeout(at) => break at,
            }
        };
        let server_timeout = loop {
            match self.server.poll_output(self.now) {
                Output::Transmit(frame) => sent.push((false, bytes_of(&frame))),
                Output::Event(event) => self.heard.push((self.now, event)),
                Output::Timeout(at) => break at,
            }
        };
        for (by_client, bytes) in sent {
            self.frames += 1;
            self.bytes += bytes.len();
            let queue = if by_client { &mut self.to_server } else { &mut self.to_client };
            queue.push_back((arrives, bytes));
        }
        client_timeout.min(server_timeout)
    }

    /// The names of the client's events about silence and end.
    fn silences(&self) -> Vec<&'static str> {
        self.told
            .iter()
            .filter_map(|(_, event)| match event {
                ClientEvent::Alive => Some("alive"),
                ClientEvent::Ended(_) => Some("ended"),
                ClientEvent::Silent { .. } => Some("silent"),
                _ => None,
            })
            .collect()
    }

    fn server_end(&self) -> Option<End> {
        self.heard.iter().find_map(|(_, event)| match event {
            ServerEvent::Ended(end) => Some(*end),
            _ => None,
        })
    }

    fn client_end(&self) -> Option<End> {
        self.told.iter().find_map(|(_, event)| match event {
            ClientEvent::Ended(end) => Some(*end),
            _ => None,
        })
    }
}

#[test]
fn an_idle_link_lives_for_a_day_on_less_than_a_megabyte() {
    let mut pair = Pair::new();
    pair.run(seconds(24 * 3600));
    assert_eq!((pair.client_end(), pair.server_end()), (None, None));
    assert!((3120..=3142).contains(&pair.frames), "{} pings and pongs", pair.frames);
    // For each 22 bytes of TLS, 52 of IPv4 and TCP, and an acknowledgement of 52.
    let bytes = pair.bytes + pair.frames * (22 + 52 + 52);
    assert!(bytes < 1_000_000, "{bytes} bytes a day");
}

#[test]
fn measures_the_round_trip() {
    let mut pair = Pair::in_session();
    pair.run(seconds(5));
    assert_eq!(pair.client.round_trip(), Some(Duration::from_millis(40)));
    pair.latency = Duration::from_millis(100);
    pair.run(seconds(60));
    let smoothed = pair.client.round_trip().unwrap().as_millis();
    assert!((190..=200).contains(&smoothed), "{smoothed} ms");
}

#[test]
fn a_session_survives_a_cut_of_ten_seconds_and_says_so() {
    let mut pair = Pair::in_session();
    pair.cut_until = pair.now + seconds(10);
    let cut_at = pair.now;
    pair.run(seconds(60));
    assert_eq!(pair.silences(), ["silent", "alive"]);
    assert_eq!((pair.client_end(), pair.server_end()), (None, None));
    let told_after = |name: fn(&ClientEvent) -> bool| {
        pair.told.iter().find(|(_, event)| name(event)).unwrap().0 - cut_at
    };
    let silent = told_after(|event| matches!(event, ClientEvent::Silent { .. }));
    let alive = told_after(|event| matches!(event, ClientEvent::Alive));
    assert!(silent > seconds(2) && silent <= seconds(4), "{silent:?}");
    assert!(alive >= seconds(10) && alive < seconds(11), "{alive:?}");
}

#[test]
fn a_session_is_lost_after_twenty_seconds_of_silence_on_both_sides() {
    let mut pair = Pair::in_session();
    pair.cut_until = pair.now + seconds(1000);
    pair.run(seconds(21));
    assert_eq!(pair.silences(), ["silent", "ended"]);
    assert_eq!(pair.client_end(), Some(End::Silent(seconds(20))));
    assert_eq!(pair.server_end(), Some(End::Silent(seconds(20))));
    assert!(!pair.client.in_session() && pair.client.request(Asked::Leave).is_err());
}

#[test]
fn an_idle_link_is_lost_after_two_and_a_half_pings() {
    let mut pair = Pair::new();
    pair.cut_until = pair.now + seconds(1000);
    pair.run(seconds(137));
    assert_eq!((pair.client_end(), pair.server_end()), (None, None));
    pair.run(seconds(1));
    assert_eq!(pair.silences(), ["ended"], "an idle link does not talk about silence");
    assert!(matches!(pair.server_end(), Some(End::Silent(_))));
}

#[test]
fn replies_must_answer_what_was_asked() {
    let joined = Answer::Joined {
        session: SESSION,
        member: MemberId(2),
        moderator: MemberId::MODERATOR,
        resume: token(),
    };
    for (id_offset, answer) in [(1, Answer::Done), (0, joined), (0, Answer::Done)] {
        let mut pair = Pair::new();
        let id = pair.client.request(Asked::Open).unwrap().wrapping_add(id_offset);
        pair.server.reply(id, answer);
        pair.run(seconds(1));
        assert_eq!(pair.client_end(), Some(End::Violation(Violation::Reply(id))));
        assert_eq!(pair.server_end(), Some(End::Bye(Bye::Violation)));
    }
}

#[test]
fn a_refusal_answers_everything_once() {
    let mut pair = Pair::new();
    let id = pair.client.request(Asked::Open).unwrap();
    pair.server.reply(id, Answer::Refused(Refusal::Busy));
    pair.run(seconds(1));
    let reply = Reply { id, answer: Answer::Refused(Refusal::Busy) };
    assert_eq!(pair.told.first().map(|(_, event)| event), Some(&ClientEvent::Reply(reply)));
    pair.server.reply(id, Answer::Refused(Refusal::Busy));
    pair.run(seconds(1));
    assert_eq!(pair.client_end(), Some(End::Violation(Violation::Reply(id))));
}

#[test]
fn requests_that_wait_are_bounded() {
    let mut pair = Pair::new();
    for _ in 0..MAX_PENDING_REQUESTS {
        pair.client.request(Asked::Leave).unwrap();
    }
    assert_eq!(pair.client.request(Asked::Leave), Err(TooManyRequests));
}

#[test]
fn nobody_speaks_in_anothers_name() {
    let mut pair = Pair::in_session();
    let spoofed = bytes_of(&Frame::Packet(packet(MemberId(2), MemberId::ALL)));
    pair.server.handle_bytes(&mut &spoofed[..], pair.now);
    pair.run(seconds(1));
    let why = Violation::Source { stated: MemberId(2), actual: MemberId(1) };
    assert_eq!(pair.server_end(), Some(End::Violation(why)));
    assert_eq!(pair.client_end(), Some(End::Bye(Bye::Violation)));
}

#[test]
fn packets_that_cross_with_the_end_of_a_session_fall_away() {
    let mut pair = Pair::in_session();
    let bytes = bytes_of(&Frame::Packet(packet(MemberId(1), MemberId::ALL)));
    pair.server.leave_session();
    pair.server.handle_bytes(&mut &bytes[..], pair.now);
    let over = Notice::SessionEnded { why: EndOfSession::Ended };
    pair.client.handle_bytes(&mut &bytes_of(&Frame::Notice(over))[..], pair.now);
    pair.client.handle_bytes(&mut &bytes[..], pair.now);
    pair.drain();
    let is_packet = |event: &ClientEvent| matches!(event, ClientEvent::Packet(_));
    assert!(!pair.told.iter().any(|(_, event)| is_packet(event)));
    assert_eq!((pair.client_end(), pair.server_end()), (None, None));
}

/// All ways in which a client can break the protocol, and the bytes that it then gets.
#[test]
fn all_violations_get_the_same_answer() {
    let bye = bytes_of(&Frame::Bye(Bye::Violation));
    let unknown_type = vec![0xff, 0, 0, 0];
    let too_long = vec![0x40, 0, 0, 9];
    let bad_packet = vec![0x20, 0, 0, 1, 0];
    let ways = [
        unknown_type,
        too_long,
        bad_packet,
        bytes_of(&Frame::Pong([0; 8])),
        bytes_of(&ClientExpectWelcome::hello("again")),
        bytes_of(&Frame::Reply(Reply { id: 0, answer: Answer::Done })),
        bytes_of(&Frame::Packet(packet(MemberId(9), MemberId::ALL))),
    ];
    for way in ways {
        let mut pair = Pair::in_session();
        pair.drain();
        pair.server.handle_bytes(&mut &way[..], pair.now);
        pair.to_client.clear();
        pair.drain();
        let answers: Vec<&Vec<u8>> = pair.to_client.iter().map(|(_, bytes)| bytes).collect();
        assert_eq!(answers, [&bye], "{way:?}");
        assert!(matches!(pair.server_end(), Some(End::Violation(_))), "{way:?}");
        // And nothing is done for it any more.
        let request = bytes_of(&Frame::Request(Request { id: 1, what: Asked::Open }));
        pair.server.handle_bytes(&mut &request[..], pair.now);
        pair.drain();
        assert!(matches!(pair.heard.last(), Some((_, ServerEvent::Ended(_)))));
    }
}

#[test]
fn the_first_frame_must_be_hello_in_time_and_in_a_common_version() {
    let (now, config) = (Instant::now(), LinkConfig::default());
    let try_hello = |bytes: &[u8], at: Instant| {
        let state = ServerExpectHello::new(config, now);
        state.handle_bytes::<Vec<u8>>(&mut &bytes[..], "s", seconds(2), at).map(|_| ()).unwrap_err()
    };
    let hello = bytes_of(&ClientExpectWelcome::hello("c"));
    let late = End::Violation(Violation::Late(config.handshake));
    assert_eq!(try_hello(&hello, now + config.handshake), late);
    let ping = bytes_of(&Frame::Ping([0; 8]));
    assert_eq!(try_hello(&ping, now), End::Violation(Violation::Unexpected("Ping")));
    let versions = heapless::Vec::from_slice(&[200, 201]).unwrap();
    let foreign = crate::tunnel::Hello { versions, program: Default::default() };
    let end = try_hello(&bytes_of(&Frame::Hello(foreign)), now);
    assert_eq!((end, end.bye()), (End::NoCommonVersion, Some(Bye::Version)));
}

#[test]
fn a_client_accepts_only_a_welcome_in_a_version_that_it_offered() {
    let (now, config) = (Instant::now(), LinkConfig::default());
    let welcome =
        crate::tunnel::Welcome { version: 77, program: Default::default(), herd_window_ms: 0 };
    for (frame, expected) in [
        (Frame::Welcome(welcome), End::Violation(Violation::Version(77))),
        (Frame::Bye(Bye::TooMany), End::Bye(Bye::TooMany)),
        (Frame::Ping([0; 8]), End::Violation(Violation::Unexpected("Ping"))),
    ] {
        let state = ClientExpectWelcome::new(config, now);
        let answer = state.handle_bytes::<Vec<u8>>(&mut &bytes_of(&frame)[..], now);
        assert_eq!(answer.map(|_| ()).unwrap_err(), expected);
    }
}

#[test]
fn a_long_program_name_is_cut_between_characters() {
    let name = "ä".repeat(40);
    let Frame::Hello(hello) = ClientExpectWelcome::hello::<Vec<u8>>(&name) else { panic!() };
    assert_eq!(hello.program.as_str(), "ä".repeat(24));
}

#[test]
fn lanes_are_served_in_order_and_bounded() {
    let mut lanes: Lanes = Lanes::new([2000, 100, 100]);
    lanes.push(Lane::Picture, Frame::Packet(vec![3; 1000])).unwrap();
    assert_eq!(
        lanes.push(Lane::Picture, Frame::Packet(vec![3; 1])),
        Err(LaneFull(Lane::Picture)),
        "an empty lane takes anything, but then it is full"
    );
    lanes.push(Lane::Input, Frame::Packet(vec![2; 10])).unwrap();
    lanes.push(Lane::Urgent, Frame::Ping([0; 8])).unwrap();
    let order: Vec<Lane> = std::iter::from_fn(|| lanes.pop()).map(|(lane, _)| lane).collect();
    assert_eq!(order, Lane::ALL);
    assert!(Lane::ALL.iter().all(|lane| lanes.bytes(*lane) == 0) && lanes.is_empty());
}

proptest! {
    #[test]
    fn garbage_never_panics_and_ends_both_sides_in_the_same_way(
        garbage in proptest::collection::vec(any::<u8>(), 1..300), cut in 1_usize..64
    ) {
        let mut pair = Pair::in_session();
        for chunk in garbage.chunks(cut) {
            let (mut to_server, mut to_client) = (chunk, chunk);
            while !to_server.is_empty() {
                pair.server.handle_bytes(&mut to_server, pair.now);
            }
            while !to_client.is_empty() {
                pair.client.handle_bytes(&mut to_client, pair.now);
            }
            pair.drain();
        }
        let ends = pair.heard.iter().filter(|(_, e)| matches!(e, ServerEvent::Ended(_))).count();
        prop_assert!(ends <= 1);
        let mut reader = FrameReader::new();
        for (_, bytes) in &pair.to_client {
            prop_assert!(matches!(reader.read::<Vec<u8>>(&mut &bytes[..]), Ok(Some(_))));
        }
    }

    #[test]
    fn lanes_never_hold_more_than_their_limit(
        frames in proptest::collection::vec((0_usize..3, 0_usize..400, any::<bool>()), 0..200)
    ) {
        let mut lanes: Lanes = Lanes::new([1000, 600, 800]);
        for (lane, size, pop) in frames {
            let lane = Lane::ALL[lane];
            let _ = lanes.push(lane, Frame::Packet(vec![0; size]));
            if pop {
                lanes.pop();
            }
            for (lane, limit) in Lane::ALL.into_iter().zip([1000, 600, 800]) {
                prop_assert!(lanes.bytes(lane) <= limit);
            }
        }
    }
}

fn token() -> ResumeToken {
    ResumeToken(heapless::Vec::new())
}
