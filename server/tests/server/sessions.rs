//! What members of sessions see.

use std::time::{Duration, Instant};

use lotse_client::{Incoming, SendError};
use lotse_protocol::frame::Frame;
use lotse_protocol::link::End;
use lotse_protocol::tunnel::{
    Answer, Asked, Bye, Departure, EndOfSession, Notice, Refusal, Request, Standing,
};
use lotse_protocol::{Class, Header, MemberId, SessionNumber};
use lotse_server::testing::TestServer;

use crate::harness::{
    Raw, ask, client, end_of, moderator, next, notice, packet, packet_from, participant, picture,
    seat,
};

fn left(member: MemberId, how: Departure) -> Notice {
    Notice::MemberLeft { member, how }
}

fn ended(why: EndOfSession) -> Notice {
    Notice::SessionEnded { why }
}

#[tokio::test]
async fn a_session_from_its_number_to_its_end() {
    let server = TestServer::start().await.unwrap();
    let (mut moderator, number) = moderator(server.address()).await;
    let (mut kiosk, member) = participant(server.address(), number).await;
    assert_eq!(notice(&mut moderator).await, Notice::MemberJoined { member });

    let up = packet(Class::Handshake, member, MemberId::MODERATOR, 0, 300);
    kiosk.send(Class::Handshake, up.clone()).unwrap();
    tokio::select! {
        _ = next(&mut kiosk) => panic!("nothing was to come back"),
        received = packet_from(&mut moderator) => assert_eq!(received, up),
    }
    let down = packet(Class::Input, MemberId::MODERATOR, member, 0, 64);
    moderator.send(Class::Input, down.clone()).unwrap();
    tokio::select! {
        _ = next(&mut moderator) => panic!("nothing was to come back"),
        received = packet_from(&mut kiosk) => assert_eq!(received, down),
    }

    assert_eq!(ask(&mut kiosk, Asked::Leave).await, Answer::Done);
    assert_eq!(notice(&mut moderator).await, left(member, Departure::Left));
    assert!(matches!(kiosk.send(Class::Control, up), Err(SendError::NoSession)));

    let (mut second, other) = participant(server.address(), number).await;
    assert_ne!(other, member, "ids are not given out twice");
    assert_eq!(ask(&mut moderator, Asked::Leave).await, Answer::Done);
    assert_eq!(notice(&mut second).await, ended(EndOfSession::Ended));
    let refused = Answer::Refused(Refusal::NotAvailable);
    assert_eq!(ask(&mut second, Asked::Join { number }).await, refused);
    assert!(matches!(ask(&mut second, Asked::Open).await, Answer::Opened { .. }));
}

#[tokio::test]
async fn one_packet_reaches_all_others_and_the_round_trip_is_measured() {
    let server = TestServer::start().await.unwrap();
    let (mut moderator, number) = moderator(server.address()).await;
    let (mut a, presenter) = participant(server.address(), number).await;
    let (mut b, viewer) = participant(server.address(), number).await;
    notice(&mut moderator).await;
    notice(&mut moderator).await;
    seat(&mut moderator, presenter, Standing::Device).await;
    seat(&mut moderator, viewer, Standing::Onlooker).await;
    let picture = packet(Class::Picture, presenter, MemberId::ALL, 0, 16_000);
    a.send(Class::Picture, picture.clone()).unwrap();
    let all = async { (packet_from(&mut moderator).await, packet_from(&mut b).await) };
    tokio::select! {
        incoming = next(&mut a) => panic!("{incoming:?} came back"),
        received = all => assert_eq!(received, (picture.clone(), picture)),
    }
    let start = Instant::now();
    while a.round_trip().is_none() {
        assert!(start.elapsed() < Duration::from_secs(2), "the first ping goes out at once");
        let quiet = tokio::time::timeout(Duration::from_millis(10), a.next()).await;
        assert!(quiet.is_err(), "{quiet:?}");
    }
}

#[tokio::test]
async fn requests_that_do_not_fit_are_refused_and_nothing_else_happens() {
    let server = TestServer::start().await.unwrap();
    let not_allowed = Answer::Refused(Refusal::NotAllowed);
    let mut outside = client(server.address()).await;
    assert_eq!(ask(&mut outside, Asked::Leave).await, not_allowed);
    let remove = Asked::Remove { member: MemberId(2) };
    assert_eq!(ask(&mut outside, remove.clone()).await, not_allowed);
    let (mut moderator, number) = moderator(server.address()).await;
    assert_eq!(ask(&mut moderator, Asked::Open).await, not_allowed);
    assert_eq!(ask(&mut moderator, Asked::Join { number }).await, not_allowed);
    let itself = Asked::Remove { member: MemberId::MODERATOR };
    assert_eq!(ask(&mut moderator, itself).await, not_allowed);
    let (mut kiosk, _) = participant(server.address(), number).await;
    assert_eq!(ask(&mut kiosk, remove).await, not_allowed);
}

#[tokio::test]
async fn the_moderator_removes_a_member() {
    let server = TestServer::start().await.unwrap();
    let (mut moderator, number) = moderator(server.address()).await;
    let (mut kiosk, member) = participant(server.address(), number).await;
    notice(&mut moderator).await;
    moderator.request(Asked::Remove { member }).unwrap();
    assert_eq!(notice(&mut moderator).await, left(member, Departure::Removed));
    assert_eq!(notice(&mut kiosk).await, ended(EndOfSession::Removed));
    assert!(!kiosk.in_session());
}

#[tokio::test]
async fn the_moderators_loss_ends_the_session_a_participants_does_not() {
    let server = TestServer::start_with(|c| c.limits.resume = Duration::ZERO).await.unwrap();
    let (mut moderator, number) = moderator(server.address()).await;
    let (a, first) = participant(server.address(), number).await;
    let (mut b, _) = participant(server.address(), number).await;
    notice(&mut moderator).await;
    notice(&mut moderator).await;
    drop(a);
    assert_eq!(notice(&mut moderator).await, left(first, Departure::Lost));
    drop(moderator);
    assert_eq!(notice(&mut b).await, ended(EndOfSession::ModeratorLost));
}

#[tokio::test]
async fn saying_goodbye_is_leaving() {
    let server = TestServer::start().await.unwrap();
    let (mut moderator, number) = moderator(server.address()).await;
    let (mut kiosk, member) = participant(server.address(), number).await;
    notice(&mut moderator).await;
    let last = packet(Class::Control, member, MemberId::MODERATOR, 0, 10);
    kiosk.send(Class::Control, last.clone()).unwrap();
    kiosk.close().await;
    assert_eq!(packet_from(&mut moderator).await, last, "the last word gets through");
    assert_eq!(notice(&mut moderator).await, left(member, Departure::Left));
}

#[tokio::test]
async fn a_number_that_nobody_uses_expires() {
    let server = TestServer::start_with(|config| {
        config.limits.first_join = Duration::from_millis(100);
    });
    let server = server.await.unwrap();
    let (mut moderator, number) = moderator(server.address()).await;
    assert_eq!(notice(&mut moderator).await, ended(EndOfSession::Expired));
    let refused = Answer::Refused(Refusal::NotAvailable);
    assert_eq!(ask(&mut moderator, Asked::Join { number }).await, refused);
}

/// The bytes that answer a join.
async fn answer_to_join(server: &TestServer, number: SessionNumber) -> Vec<u8> {
    let mut raw = Raw::link(server.address()).await;
    raw.send(&Frame::Request(Request { id: 7, what: Asked::Join { number } })).await;
    let mut bytes = Vec::new();
    raw.receive().await.unwrap().encode(&mut bytes);
    bytes
}

#[tokio::test]
async fn a_number_that_cannot_be_joined_does_not_tell_why() {
    let server = TestServer::start_with(|config| {
        config.limits.members = 2;
        config.limits.failure_cost = 1;
        config.limits.first_join = Duration::from_secs(2);
    });
    let server = server.await.unwrap();
    let (_full_moderator, full) = moderator(server.address()).await;
    let (_member, _) = participant(server.address(), full).await;
    let (mut over_moderator, over) = moderator(server.address()).await;
    ask(&mut over_moderator, Asked::Leave).await;
    let (mut expired_moderator, expired) = moderator(server.address()).await;
    notice(&mut expired_moderator).await;
    let unknown = SessionNumber::try_from(if u32::from(full) == 100_000_000 {
        100_000_001
    } else {
        100_000_000
    });

    let mut answers = Vec::new();
    for number in [full, over, expired, unknown.unwrap()] {
        answers.push(answer_to_join(&server, number).await);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn guessing_is_limited_and_a_right_number_does_not_help_then() {
    let server = TestServer::start().await.unwrap();
    let (_moderator, number) = moderator(server.address()).await;
    let wrong = SessionNumber::try_from(u32::from(number) ^ 1).unwrap();
    let mut guesser = client(server.address()).await;
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(ask(&mut guesser, Asked::Join { number: wrong }).await);
    }
    let refused = Answer::Refused(Refusal::NotAvailable);
    assert_eq!(answers[..2], [refused.clone(), refused]);
    let too_many = |answer: &Answer| {
        matches!(answer, Answer::Refused(Refusal::TooMany { retry_after_s: 1..=6 }))
    };
    assert!(too_many(&answers[2]), "{answers:?}");
    let mut another = client(server.address()).await;
    let answer = ask(&mut another, Asked::Join { number }).await;
    assert!(too_many(&answer), "another link from there: {answer:?}");
}

#[tokio::test]
async fn who_speaks_in_anothers_name_is_dropped() {
    let server = TestServer::start().await.unwrap();
    let (mut moderator, number) = moderator(server.address()).await;
    let mut spoofer = Raw::joined(server.address(), number).await;
    let joined = notice(&mut moderator).await;
    let Notice::MemberJoined { member } = joined else { panic!("{joined:?}") };
    let spoofed = packet(Class::Control, MemberId::MODERATOR, MemberId::ALL, 0, 10);
    spoofer.send(&Frame::Packet(spoofed)).await;
    assert_eq!(spoofer.receive().await, Some(Frame::Bye(Bye::Violation)));
    assert_eq!(spoofer.receive().await, None);
    assert_eq!(notice(&mut moderator).await, left(member, Departure::Dropped));
}

#[tokio::test]
async fn participants_do_not_reach_each_other() {
    let server = TestServer::start().await.unwrap();
    let (mut moderator, number) = moderator(server.address()).await;
    let (mut other, to) = participant(server.address(), number).await;
    let (mut kiosk, member) = participant(server.address(), number).await;
    notice(&mut moderator).await;
    notice(&mut moderator).await;
    seat(&mut moderator, to, Standing::Onlooker).await;
    for destination in [to, MemberId::ALL, MemberId::MODERATOR] {
        let up = packet(Class::Control, member, destination, 0, 10);
        kiosk.send(Class::Control, up).unwrap();
    }
    tokio::select! {
        incoming = next(&mut kiosk) => panic!("{incoming:?}"),
        received = packet_from(&mut moderator) => {
            let reached = Header::parse(&received).unwrap().0.destination;
            assert_eq!(reached, MemberId::MODERATOR, "and what went before it reached nobody");
        }
    }
    let down = packet(Class::Control, MemberId::MODERATOR, to, 7, 10);
    moderator.send(Class::Control, down.clone()).unwrap();
    tokio::select! {
        incoming = next(&mut moderator) => panic!("{incoming:?}"),
        received = packet_from(&mut other) => assert_eq!(received, down, "and nothing before it"),
    }
}

#[tokio::test]
async fn only_the_moderator_arranges_the_session() {
    let server = TestServer::start().await.unwrap();
    let (mut moderator, number) = moderator(server.address()).await;
    let (mut kiosk, member) = participant(server.address(), number).await;
    notice(&mut moderator).await;
    let asked = [
        Asked::Seat { member, standing: Standing::Device },
        Asked::Lock(true),
        Asked::Deputy(Some(member)),
        Asked::HandOver,
        Asked::Remove { member },
    ];
    for what in asked {
        let answer = ask(&mut kiosk, what).await;
        assert_eq!(answer, Answer::Refused(Refusal::NotAllowed));
    }
    assert_eq!(ask(&mut moderator, Asked::HandOver).await, Answer::Refused(Refusal::NotAllowed));
    assert_eq!(ask(&mut moderator, Asked::Lock(true)).await, Answer::Done);
    let refused = Answer::Refused(Refusal::NotAvailable);
    let mut late = client(server.address()).await;
    assert_eq!(ask(&mut late, Asked::Join { number }).await, refused);
    assert_eq!(ask(&mut moderator, Asked::Lock(false)).await, Answer::Done);
    assert!(matches!(ask(&mut late, Asked::Join { number }).await, Answer::Joined { .. }));
}

#[tokio::test]
async fn the_deputy_follows_a_moderator_that_is_lost_or_hands_over() {
    for hands_over in [true, false] {
        let server = TestServer::start_with(|config| config.limits.resume = Duration::ZERO);
        let server = server.await.unwrap();
        let (mut first, number) = moderator(server.address()).await;
        let (mut second, member) = participant(server.address(), number).await;
        notice(&mut first).await;
        assert_eq!(ask(&mut first, Asked::Deputy(Some(member))).await, Answer::Done);
        if hands_over {
            assert_eq!(ask(&mut first, Asked::HandOver).await, Answer::Done);
        } else {
            drop(first);
        }
        assert_eq!(notice(&mut second).await, Notice::ModeratorIs { member, term: 1 });
        assert!(matches!(notice(&mut second).await, Notice::Token { .. }));
        if !hands_over {
            let lost = left(MemberId::MODERATOR, Departure::Lost);
            assert_eq!(notice(&mut second).await, lost);
        }
        assert_eq!(ask(&mut second, Asked::Lock(true)).await, Answer::Done);
    }
}

#[tokio::test]
async fn a_stalled_viewer_is_dropped_and_stops_nobody() {
    let server = TestServer::start_with(|config| {
        config.limits.stall = Duration::from_secs(1);
        config.limits.picture_bytes = 256 * 1024;
        config.limits.picture_message_bytes = 256 * 1024;
        config.limits.upload_bytes_per_second = u32::MAX;
    });
    let server = server.await.unwrap();
    let (mut moderator, number) = moderator(server.address()).await;
    let (mut presenter, member) = participant(server.address(), number).await;
    // Joins and never reads again.
    let _stalled = Raw::joined(server.address(), number).await;
    notice(&mut moderator).await;
    let joined = notice(&mut moderator).await;
    let Notice::MemberJoined { member: stalled } = joined else { panic!("{joined:?}") };
    seat(&mut moderator, member, Standing::Device).await;
    seat(&mut moderator, stalled, Standing::Onlooker).await;

    let start = Instant::now();
    let (mut sent, mut shown, mut dropped) = (0, 0, None);
    // One picture after the other for as long as the stalled viewer is there.
    while dropped.is_none() {
        if sent == shown {
            let picture = packet(Class::Picture, member, MemberId::ALL, sent, 16_000);
            presenter.send(Class::Picture, picture).unwrap();
            sent += 1;
        }
        tokio::select! {
            incoming = next(&mut presenter) => panic!("{incoming:?}"),
            incoming = next(&mut moderator) => match incoming {
                Incoming::Packet(_) => shown += 1,
                Incoming::Notice(notice) => dropped = Some(notice),
                other => panic!("{other:?}"),
            },
        }
    }
    assert_eq!(dropped, Some(Notice::MemberAway { member: stalled }), "it may come back");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    let megabytes = shown * 16_000 / 1_000_000;
    assert!(megabytes >= 1, "only {megabytes} MB were shown meanwhile");
}

#[tokio::test]
async fn a_slow_viewer_loses_pictures_and_is_told() {
    let server = TestServer::start_with(|config| {
        config.limits.picture_bytes = 64 * 1024;
        config.limits.picture_message_bytes = 64 * 1024;
        config.limits.upload_bytes_per_second = u32::MAX;
    });
    let server = server.await.unwrap();
    let (mut moderator, number) = moderator(server.address()).await;
    let (mut presenter, source) = participant(server.address(), number).await;
    let mut slow = Raw::joined(server.address(), number).await;
    notice(&mut moderator).await;
    let joined = notice(&mut moderator).await;
    let Notice::MemberJoined { member: viewer } = joined else { panic!("{joined:?}") };
    seat(&mut moderator, source, Standing::Device).await;
    seat(&mut moderator, viewer, Standing::Onlooker).await;
    let count = 1000;
    for number in 0..count {
        let picture = packet(Class::Picture, source, MemberId::ALL, number, 16_000);
        presenter.send(Class::Picture, picture).unwrap();
        tokio::select! {
            incoming = next(&mut presenter) => panic!("{incoming:?}"),
            _ = packet_from(&mut moderator) => {}
        }
    }
    let (mut pictures, mut told) = (0, 0);
    while let Ok(Some(frame)) = tokio::time::timeout(Duration::from_secs(1), slow.receive()).await {
        match frame {
            Frame::Packet(_) => pictures += 1,
            Frame::Notice(Notice::PicturesDropped { source: of }) if of == source => told += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(pictures > 0 && pictures < count, "{pictures} pictures came through");
    assert!((1..=20).contains(&told), "told {told} times");
}

#[tokio::test]
async fn a_long_picture_is_taken_whole_and_what_is_urgent_overtakes_it() {
    let server = TestServer::start().await.unwrap();
    let (mut moderator, number) = moderator(server.address()).await;
    let (mut presenter, source) = participant(server.address(), number).await;
    notice(&mut moderator).await;
    seat(&mut moderator, source, Standing::Device).await;
    let (long, next_one) = (picture(source, 0, 200), picture(source, 200, 1));
    for part in &long {
        presenter.send(Class::Picture, part.clone()).unwrap();
    }
    assert!(!presenter.has_room(Class::Picture, next_one[0].len()));
    let full = presenter.send(Class::Picture, next_one[0].clone());
    assert!(matches!(full, Err(SendError::Full(_))), "{full:?}");
    let urgent = packet(Class::Control, source, MemberId::MODERATOR, 0, 10);
    presenter.send(Class::Control, urgent).unwrap();

    let (mut classes, mut pictures, mut room) = (Vec::new(), Vec::new(), false);
    while pictures.len() < 201 {
        tokio::select! {
            incoming = next(&mut presenter) => {
                assert_eq!(incoming, Incoming::PictureRoom);
                presenter.send(Class::Picture, next_one[0].clone()).unwrap();
                room = true;
            }
            received = packet_from(&mut moderator) => {
                let header = Header::parse(&received).unwrap().0;
                classes.push(header.class);
                if header.class == Class::Picture {
                    pictures.push(header.number);
                }
            }
        }
    }
    assert!(room);
    assert_eq!(pictures, (0..201).collect::<Vec<_>>());
    let overtook = classes.iter().position(|class| *class == Class::Control).unwrap();
    assert!(overtook < 10, "{overtook} picture packets were faster");
}

#[tokio::test]
async fn one_client_cannot_send_faster_than_its_rate() {
    let server = TestServer::start_with(|config| {
        config.limits.upload_bytes_per_second = 1_000_000;
        config.limits.upload_burst_bytes = 100_000;
    });
    let server = server.await.unwrap();
    let (mut moderator, number) = moderator(server.address()).await;
    let (mut presenter, source) = participant(server.address(), number).await;
    notice(&mut moderator).await;
    seat(&mut moderator, source, Standing::Device).await;
    let start = Instant::now();
    for number in 0..50 {
        let picture = packet(Class::Picture, source, MemberId::ALL, number, 16_000);
        presenter.send(Class::Picture, picture).unwrap();
    }
    for _ in 0..50 {
        tokio::select! {
            incoming = next(&mut presenter) => panic!("{incoming:?}"),
            _ = packet_from(&mut moderator) => {}
        }
    }
    // 801 kB, of which 100 kB and the packet that is under way then may come at once.
    assert!(start.elapsed() >= Duration::from_millis(680), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_server_that_stops_for_good_says_so() {
    let server = TestServer::start_with(|c| c.limits.resume = Duration::ZERO).await.unwrap();
    let (mut moderator, number) = moderator(server.address()).await;
    let (mut kiosk, _) = participant(server.address(), number).await;
    let mut idle = client(server.address()).await;
    notice(&mut moderator).await;
    let start = Instant::now();
    let (stopped, ..) = tokio::join!(
        server.stop(),
        async {
            assert_eq!(notice(&mut moderator).await, ended(EndOfSession::ServerStopping));
            assert_eq!(end_of(&mut moderator).await, End::Bye(Bye::Stopping));
            drop(moderator);
        },
        async {
            assert_eq!(notice(&mut kiosk).await, ended(EndOfSession::ServerStopping));
            assert_eq!(end_of(&mut kiosk).await, End::Bye(Bye::Stopping));
            drop(kiosk);
        },
        async {
            assert_eq!(end_of(&mut idle).await, End::Bye(Bye::Stopping));
            drop(idle);
        },
    );
    stopped.unwrap();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}
