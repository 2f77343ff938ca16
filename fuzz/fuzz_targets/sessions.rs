//! Both ends of a session before anybody has consented, with a server and another side that say
//! what they like.
//!
//! The first byte chooses who reads; then come steps (see [`Step`]). Seeds lead as far as the people
//! are asked. Whatever comes, nobody is connected: that takes keys that are not in the seeds.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use lotse_fuzz::{Clock, MEMBER, Reader, Step, handshake_packet};
use lotse_protocol::MemberId;
use lotse_protocol::handshake::JoinKey;
use lotse_protocol::message::{Consent, Rights, decode};
use lotse_protocol::session::{
    Moderator, ModeratorEvent, Onlooker, OnlookerEvent, Output, Participant, ParticipantEvent,
};
use lotse_protocol::tunnel::{Answer, Notice};

static KEY: LazyLock<JoinKey> = LazyLock::new(lotse_fuzz::key);

/// Outputs of a side in one go at most: more would be a peer that makes this side talk without end.
const MAX_OUTPUTS: usize = 4096;

fuzz_target!(|data: &[u8]| {
    let Some((who, script)) = data.split_first() else { return };
    let reader = Reader::ALL[usize::from(*who) % Reader::ALL.len()];
    match reader {
        Reader::Moderator => moderate(lotse_fuzz::moderator(false), script),
        Reader::ModeratorWithPassword => moderate(lotse_fuzz::moderator(true), script),
        Reader::Device => take_part(lotse_fuzz::device(KEY.clone()), script),
        Reader::Onlooker => look_on(lotse_fuzz::onlooker(KEY.clone()), script),
    }
});

fn moderate(mut side: Moderator, script: &[u8]) {
    let mut clock = Clock::start();
    side.handle_notice(Notice::MemberJoined { member: MEMBER }, clock.0);
    for step in Step::read_all(script) {
        let now = clock.0;
        match step {
            Step::Handshake(bytes) => {
                let packet = handshake_packet(MEMBER, MemberId::MODERATOR, bytes);
                side.handle_packet(&packet, now);
            }
            Step::Packet(bytes) => side.handle_packet(bytes, now),
            Step::Answer(bytes) => with(bytes, |answer: Answer| side.handle_answer(answer)),
            Step::Notice(bytes) => with(bytes, |notice| side.handle_notice(notice, now)),
            Step::Person => {
                if let Some(member) = side.comparing() {
                    side.confirm_code(member);
                }
            }
            Step::Wait(bytes) => {
                clock.pass(bytes.len());
                side.handle_timeout(clock.0);
            }
        }
        let mut count = 0;
        while let Some(output) = side.poll_output() {
            count += 1;
            assert!(count < MAX_OUTPUTS, "the moderator talks without end");
            if let Output::Event(ModeratorEvent::Connected { .. }) = output {
                panic!("somebody came in without keys");
            }
        }
    }
}

fn take_part(mut side: Participant, script: &[u8]) {
    let mut clock = Clock::start();
    for step in Step::read_all(script) {
        let now = clock.0;
        match step {
            Step::Handshake(bytes) => {
                let packet = handshake_packet(MemberId::MODERATOR, MEMBER, bytes);
                side.handle_packet(&packet, now);
            }
            Step::Packet(bytes) => side.handle_packet(bytes, now),
            Step::Answer(bytes) => with(bytes, |answer: Answer| side.handle_answer(answer)),
            Step::Notice(bytes) => {
                with(bytes, |notice: Notice| side.handle_notice(&notice, now));
            }
            Step::Person => side.decide(Consent::Granted(Rights::KNOWN), now),
            Step::Wait(bytes) => {
                clock.pass(bytes.len());
                side.handle_timeout(clock.0);
            }
        }
        let mut wants_password = false;
        let mut count = 0;
        while let Some(output) = side.poll_output() {
            count += 1;
            assert!(count < MAX_OUTPUTS, "the device talks without end");
            match output {
                Output::Event(ParticipantEvent::AskPassword) => wants_password = true,
                Output::Event(ParticipantEvent::Connected { .. }) => {
                    panic!("a session without keys");
                }
                Output::Event(ParticipantEvent::Input(event)) => {
                    panic!("input without a session: {event:?}");
                }
                _ => {}
            }
        }
        if wants_password {
            enter_password(|word| side.enter_password(word));
        }
    }
}

fn look_on(mut side: Onlooker, script: &[u8]) {
    let mut clock = Clock::start();
    for step in Step::read_all(script) {
        let now = clock.0;
        match step {
            Step::Handshake(bytes) => {
                let packet = handshake_packet(MemberId::MODERATOR, MEMBER, bytes);
                side.handle_packet(&packet, now);
            }
            Step::Packet(bytes) => side.handle_packet(bytes, now),
            Step::Answer(bytes) => with(bytes, |answer: Answer| side.handle_answer(answer)),
            Step::Notice(bytes) => {
                with(bytes, |notice: Notice| side.handle_notice(&notice, now));
            }
            Step::Person => side.confirm_code(now),
            Step::Wait(bytes) => {
                clock.pass(bytes.len());
                side.handle_timeout(clock.0);
            }
        }
        let mut wants_password = false;
        let mut count = 0;
        while let Some(output) = side.poll_output() {
            count += 1;
            assert!(count < MAX_OUTPUTS, "the onlooker talks without end");
            match output {
                Output::Event(OnlookerEvent::AskPassword) => wants_password = true,
                Output::Event(OnlookerEvent::Connected | OnlookerEvent::Control(true)) => {
                    panic!("a session without keys");
                }
                _ => {}
            }
        }
        if wants_password {
            enter_password(|word| side.enter_password(word));
        }
    }
}

fn with<T: serde::de::DeserializeOwned>(bytes: &[u8], take: impl FnOnce(T)) {
    if let Ok(value) = decode(bytes) {
        take(value);
    }
}

/// The person types what the moderator's side has.
fn enter_password(enter: impl FnOnce(&lotse_protocol::handshake::Password)) {
    let words = lotse_fuzz::passwords();
    if let Ok(word) = lotse_protocol::handshake::Password::spoken(words.spoken()) {
        enter(&word);
    }
}
