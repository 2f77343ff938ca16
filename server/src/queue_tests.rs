//! Queues: order, bounds, whole pictures only.

use lotse_protocol::header::Fragment;
use proptest::prelude::*;

use super::*;

const LIMITS: QueueLimits =
    QueueLimits { urgent: 4096, input: 1024, picture: 2000, picture_message: 4000 };

fn header(class: Class, source: u16, number: u64, fragment: Fragment, length: u32) -> Header {
    Header {
        class,
        fragment,
        stream: 0,
        source: MemberId(source),
        destination: MemberId::ALL,
        epoch: 0,
        instance: 0,
        length,
        number,
    }
}

fn packet(header: &Header) -> Arc<[u8]> {
    let mut bytes = header.encode().to_vec();
    bytes.resize(bytes.len() + header.length as usize, 0);
    bytes.into()
}

fn push(queue: &mut Queue, header: Header) -> Result<(), LaneFull> {
    queue.push_packet(&header, packet(&header))
}

/// A picture in `parts` packets of 500 bytes payload.
fn push_picture(queue: &mut Queue, source: u16, first_number: u64, parts: u64) {
    for i in 0..parts {
        let fragment = Fragment { first: i == 0, last: i + 1 == parts };
        push(queue, header(Class::Picture, source, first_number + i, fragment, 500)).unwrap();
    }
}

fn headers(queue: &mut Queue, now: Instant) -> Vec<Header> {
    let mut headers = Vec::new();
    while let Some(frame) = queue.pop(now) {
        if let Frame::Packet(packet) = frame {
            headers.push(Header::parse(&packet).unwrap().0);
        }
    }
    headers
}

fn dropped(frame: Option<Frame<Arc<[u8]>>>) -> Option<u16> {
    match frame {
        Some(Frame::Notice(Notice::PicturesDropped { source })) => Some(source.0),
        _ => None,
    }
}

#[test]
fn urgent_before_input_before_pictures() {
    let mut queue = Queue::new(LIMITS);
    for class in [Class::Picture, Class::Input, Class::Control, Class::Handshake] {
        push(&mut queue, header(class, 1, 0, Fragment::WHOLE, 10)).unwrap();
    }
    queue.push_frame(Frame::Pong([0; 8])).unwrap();
    let now = Instant::now();
    let classes: Vec<Class> = headers(&mut queue, now).iter().map(|h| h.class).collect();
    assert_eq!(classes, [Class::Control, Class::Handshake, Class::Input, Class::Picture]);
}

#[test]
fn too_much_input_or_control_is_an_error() {
    for (class, lane) in [(Class::Input, Lane::Input), (Class::Control, Lane::Urgent)] {
        let mut queue = Queue::new(LIMITS);
        let full = (0..100)
            .find_map(|n| push(&mut queue, header(class, 1, n, Fragment::WHOLE, 100)).err());
        assert_eq!(full, Some(LaneFull(lane)));
        assert!(queue.bytes(lane) <= LIMITS.urgent);
    }
}

#[test]
fn too_many_pictures_drop_the_oldest_that_has_not_begun_to_leave() {
    let (mut queue, now) = (Queue::new(LIMITS), Instant::now());
    push_picture(&mut queue, 1, 0, 2);
    assert!(queue.pop(now).is_some(), "the first picture has begun to leave");
    push_picture(&mut queue, 1, 2, 2);
    push_picture(&mut queue, 1, 4, 2);
    assert_eq!(dropped(queue.pop(now)), Some(1));
    let numbers: Vec<u64> = headers(&mut queue, now).iter().map(|h| h.number).collect();
    assert_eq!(numbers, [1, 4, 5], "the rest of the first, nothing of the second, the third");
}

#[test]
fn a_long_picture_is_taken_as_a_whole_up_to_its_own_limit() {
    let (mut queue, now) = (Queue::new(LIMITS), Instant::now());
    push_picture(&mut queue, 1, 0, 7);
    assert_eq!(headers(&mut queue, now).len(), 7);
    push_picture(&mut queue, 1, 7, 20);
    assert!(queue.bytes(Lane::Picture) <= LIMITS.picture_message);
    assert_eq!(dropped(queue.pop(now)), Some(1));
    assert_eq!(headers(&mut queue, now), [], "not a part of it is left");
}

#[test]
fn one_members_flood_does_not_drop_anothers_pictures() {
    let (mut queue, now) = (Queue::new(LIMITS), Instant::now());
    push_picture(&mut queue, 2, 0, 1);
    for n in 0..50 {
        push_picture(&mut queue, 1, n, 1);
    }
    assert_eq!(dropped(queue.pop(now)), Some(1));
    assert_eq!(headers(&mut queue, now).iter().filter(|h| h.source == MemberId(2)).count(), 1);
}

#[test]
fn who_comes_in_the_middle_of_a_picture_gets_the_next_one() {
    let (mut queue, now) = (Queue::new(LIMITS), Instant::now());
    let rest = Fragment { first: false, last: false };
    push(&mut queue, header(Class::Picture, 1, 5, rest, 10)).unwrap();
    assert!(queue.pop(now).is_none());
}

#[test]
fn tells_about_dropped_pictures_at_most_once_a_second() {
    let (mut queue, start) = (Queue::new(LIMITS), Instant::now());
    let flood = |queue: &mut Queue| (0..10).for_each(|n| push_picture(queue, 1, n, 1));
    flood(&mut queue);
    assert_eq!(dropped(queue.pop(start)), Some(1));
    headers(&mut queue, start);
    flood(&mut queue);
    let soon = start + Duration::from_millis(999);
    assert_eq!(queue.next_timeout(), Some(start + TELL_EVERY));
    assert!(!headers(&mut queue, soon).is_empty());
    assert!(queue.pop(soon).is_none());
    assert_eq!(dropped(queue.pop(start + TELL_EVERY)), Some(1));
    assert_eq!(queue.next_timeout(), None);
}

#[test]
fn the_end_of_a_session_leaves_only_the_links_own_frames() {
    let (mut queue, now) = (Queue::new(LIMITS), Instant::now());
    push_picture(&mut queue, 1, 0, 1);
    queue.push_frame(Frame::Pong([7; 8])).unwrap();
    push(&mut queue, header(Class::Control, 1, 0, Fragment::WHOLE, 10)).unwrap();
    queue.remove_packets();
    assert_eq!(queue.pop(now), Some(Frame::Pong([7; 8])));
    assert_eq!(queue.pop(now), None);
}

#[test]
fn the_last_words_of_a_session_are_heard_before_its_end() {
    let (mut queue, now) = (Queue::new(LIMITS), Instant::now());
    push_picture(&mut queue, 1, 0, 1);
    push(&mut queue, header(Class::Input, 1, 0, Fragment::WHOLE, 10)).unwrap();
    push(&mut queue, header(Class::Handshake, 1, 0, Fragment::WHOLE, 10)).unwrap();
    push(&mut queue, header(Class::Control, 1, 0, Fragment::WHOLE, 10)).unwrap();
    queue.remove_all_but_urgent();
    queue.push_frame(Frame::Pong([7; 8])).unwrap();
    let classes = [(); 2].map(|()| match queue.pop(now) {
        Some(Frame::Packet(packet)) => Header::parse(&packet).unwrap().0.class,
        other => panic!("{other:?}"),
    });
    assert_eq!(classes, [Class::Handshake, Class::Control]);
    assert_eq!(queue.pop(now), Some(Frame::Pong([7; 8])));
    assert_eq!(queue.pop(now), None);
}

proptest! {
    /// Whatever comes in and whenever the socket has room: bounds hold, no picture is taken up
    /// in its middle, and a picture without a gap ends before the next one begins.
    #[test]
    fn only_whole_pictures_follow_each_other(
        steps in proptest::collection::vec((1_u16..4, 1_u64..8, 0_usize..12), 1..60)
    ) {
        let (mut queue, now) = (Queue::new(LIMITS), Instant::now());
        let mut numbers = [0_u64; 4];
        let mut seen: Vec<Header> = Vec::new();
        let pop = |queue: &mut Queue, seen: &mut Vec<Header>| {
            if let Some(Frame::Packet(packet)) = queue.pop(now) {
                seen.push(Header::parse(&packet).unwrap().0);
            }
        };
        for (source, parts, pops) in steps {
            let number = &mut numbers[usize::from(source)];
            push_picture(&mut queue, source, *number, parts);
            *number += parts;
            prop_assert!(queue.bytes(Lane::Picture) <= LIMITS.picture_message);
            (0..pops).for_each(|_| pop(&mut queue, &mut seen));
        }
        (0..200).for_each(|_| pop(&mut queue, &mut seen));
        for source in 1..4 {
            let of_source: Vec<&Header> =
                seen.iter().filter(|h| h.source == MemberId(source)).collect();
            prop_assert!(of_source.first().is_none_or(|h| h.fragment.first));
            for pair in of_source.windows(2) {
                let whole = pair[1].number == pair[0].number + 1;
                prop_assert!(pair[1].number > pair[0].number);
                prop_assert!(pair[1].fragment.first || whole, "a picture goes on without gap");
                prop_assert!(!whole || pair[0].fragment.last == pair[1].fragment.first);
            }
        }
    }
}
