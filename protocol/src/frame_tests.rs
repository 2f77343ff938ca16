//! Frames: round trips, garbage, truncation, and that every type stays within its bound.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::tunnel::{Answer, Asked, Departure, EndOfSession, Refusal, ResumeToken, SessionId};
use crate::{MemberId, SessionNumber};

fn numbers() -> impl Strategy<Value = SessionNumber> {
    (SessionNumber::MIN..=SessionNumber::MAX).prop_map(|n| SessionNumber::try_from(n).unwrap())
}

fn asked() -> impl Strategy<Value = Asked> {
    prop_oneof![
        Just(Asked::Open),
        numbers().prop_map(|number| Asked::Join { number }),
        Just(Asked::Leave),
        any::<u16>().prop_map(|m| Asked::Remove { member: MemberId(m) }),
        vec(any::<u8>(), 0..=64).prop_map(|bytes| Asked::Resume {
            token: ResumeToken(heapless::Vec::from_slice(&bytes).unwrap()),
        }),
    ]
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        (numbers(), any::<[u8; 16]>(), any::<u32>()).prop_map(|(number, id, expires_in_s)| {
            Answer::Opened { number, session: SessionId(id), expires_in_s, resume: token() }
        }),
        (any::<[u8; 16]>(), any::<(u16, u16)>()).prop_map(|(id, (member, m))| Answer::Joined {
            session: SessionId(id),
            member: MemberId(member),
            moderator: MemberId(m),
            resume: token(),
        }),
        Just(Answer::Done),
        Just(Answer::Resumed),
        any::<u32>().prop_map(|s| Answer::Refused(Refusal::TooMany { retry_after_s: s })),
    ]
}

fn notices() -> impl Strategy<Value = Notice> {
    prop_oneof![
        any::<u16>().prop_map(|m| Notice::MemberJoined { member: MemberId(m) }),
        any::<u16>().prop_map(|m| Notice::MemberLeft { member: MemberId(m), how: Departure::Lost }),
        Just(Notice::SessionEnded { why: EndOfSession::Expired }),
        any::<u16>().prop_map(|m| Notice::MemberAway { member: MemberId(m) }),
        any::<u16>().prop_map(|m| Notice::MemberBack { member: MemberId(m) }),
    ]
}

fn frames() -> impl Strategy<Value = Frame> {
    prop_oneof![
        (vec(any::<u8>(), 0..=4), "[ -~]{0,48}").prop_map(|(versions, program)| {
            Frame::Hello(Hello {
                versions: heapless::Vec::from_slice(&versions).unwrap(),
                program: program.as_str().try_into().unwrap(),
            })
        }),
        (any::<u8>(), "[ -~]{0,48}", any::<u32>()).prop_map(|(version, program, ms)| {
            Frame::Welcome(Welcome {
                version,
                program: program.as_str().try_into().unwrap(),
                herd_window_ms: ms,
            })
        }),
        (any::<u16>(), asked()).prop_map(|(id, what)| Frame::Request(Request { id, what })),
        (any::<u16>(), answers()).prop_map(|(id, answer)| Frame::Reply(Reply { id, answer })),
        notices().prop_map(Frame::Notice),
        vec(any::<u8>(), 0..200).prop_map(Frame::Packet),
        any::<[u8; 8]>().prop_map(Frame::Ping),
        any::<[u8; 8]>().prop_map(Frame::Pong),
        Just(Frame::Bye(Bye::TooSlow)),
    ]
}

/// Feeds `bytes` in pieces of `step` and collects the frames.
fn read_all(bytes: &[u8], step: usize) -> Result<Vec<Frame>, InvalidFrame> {
    let mut reader = FrameReader::new();
    let mut frames = Vec::new();
    for mut piece in bytes.chunks(step.max(1)) {
        while !piece.is_empty() {
            frames.extend(reader.read(&mut piece)?);
        }
    }
    Ok(frames)
}

proptest! {
    #[test]
    fn reads_what_it_writes_in_pieces_of_any_size(frames in vec(frames(), 0..8), step in 1_usize..100) {
        let mut bytes = Vec::new();
        frames.iter().for_each(|frame| frame.encode(&mut bytes));
        prop_assert_eq!(read_all(&bytes, step), Ok(frames));
    }

    #[test]
    fn garbage_never_panics_and_never_grows_the_buffer(bytes in vec(any::<u8>(), 0..400)) {
        let mut reader = FrameReader::new();
        let mut input = &bytes[..];
        while !input.is_empty() {
            if reader.read::<Vec<u8>>(&mut input).is_err() {
                break;
            }
            prop_assert!(reader.buffer.len() <= HEAD_LEN + MAX_BODY);
        }
    }

    #[test]
    fn rejects_anything_behind_a_typed_body(frame in frames(), extra in vec(any::<u8>(), 1..9)) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        if !matches!(frame, Frame::Packet(_)) && bytes.len() + extra.len() < MAX_TYPED_BODY {
            bytes.extend(&extra);
            let [_, .., length] = &mut bytes[..HEAD_LEN] else { unreachable!() };
            if let Some(longer) = length.checked_add(extra.len() as u8) {
                *length = longer;
                prop_assert!(read_all(&bytes, bytes.len()).is_err());
            }
        }
    }
}

#[test]
fn a_length_beyond_the_bound_is_refused_before_the_body_arrives() {
    for (head, allowed) in [
        ([PACKET, 0, 0x3f, 0xfc], true),
        ([PACKET, 0, 0x3f, 0xfd], false),
        ([PACKET, 0xff, 0xff, 0xff], false),
        ([HELLO, 0, 2, 0], true),
        ([HELLO, 0, 2, 1], false),
        ([PING, 0, 0, 9], false),
        ([0x99, 0, 0, 0], false),
    ] {
        assert_eq!(FrameHead::parse(head).is_ok(), allowed, "{head:02x?}");
    }
}

#[test]
fn every_typed_body_fits_its_bound_at_its_largest() {
    let hello = Hello {
        versions: heapless::Vec::from_slice(&[255; 4]).unwrap(),
        program: "x".repeat(48).as_str().try_into().unwrap(),
    };
    let mut bytes = Vec::new();
    Frame::<Vec<u8>>::Hello(hello.clone()).encode(&mut bytes);
    assert_eq!(read_all(&bytes, 7), Ok(vec![Frame::Hello(hello)]));
}

fn token() -> ResumeToken {
    ResumeToken(heapless::Vec::from_slice(&[7; 54]).unwrap())
}
