//! What messages must hold: round trips, bounds, garbage.

use super::*;
use crate::packet::INPUT_PADDING;
use proptest::collection::vec;
use proptest::prelude::*;

fn places() -> impl Strategy<Value = Place> {
    any::<(u16, u16, u16, u16)>().prop_map(|(x, y, width, height)| Place { x, y, width, height })
}

fn events() -> impl Strategy<Value = InputEvent> {
    prop_oneof![
        any::<(u16, bool)>().prop_map(|(code, pressed)| InputEvent::Key { code, pressed }),
        "\\PC{0,48}".prop_map(|text| InputEvent::Text(text.as_str().try_into().unwrap())),
        places().prop_map(InputEvent::Pointer),
        any::<(u8, bool)>().prop_map(|(button, pressed)| InputEvent::Button { button, pressed }),
        any::<(i8, i8)>()
            .prop_map(|(vertical, horizontal)| InputEvent::Wheel { vertical, horizontal }),
        (any::<u8>(), places()).prop_map(|(slot, at)| InputEvent::Touch { slot, at }),
        any::<u8>().prop_map(|slot| InputEvent::Lift { slot }),
        Just(InputEvent::ReleaseAll),
    ]
}

proptest! {
    #[test]
    fn input_survives_its_padding(tick: u32, event in events()) {
        let input = Input { tick, event };
        let bytes = encode_input(&input);
        prop_assert_eq!(bytes.len() % INPUT_PADDING, 0);
        prop_assert_eq!(decode_input(&bytes), Ok(input));
    }

    #[test]
    fn garbage_never_panics(bytes in vec(any::<u8>(), 0..300)) {
        decode_input(&bytes).ok();
        decode::<FromModerator>(&bytes).ok();
        decode::<FromMember>(&bytes).ok();
    }

    #[test]
    fn arrows_and_what_is_said_of_them_survive_the_way(
        tick: u32, dropped: u32, are_shown: bool, by: u16, at in proptest::option::of(places()),
    ) {
        let arrow = Arrow { tick, at };
        let point = FromModerator::Point { by: crate::MemberId(by), arrow };
        prop_assert_eq!(decode(&encode(&point)), Ok(point));
        let point = FromMember::Point(arrow);
        prop_assert_eq!(decode(&encode(&point)), Ok(point));
        let report = ArrowReport { tick, dropped, are_shown };
        prop_assert_eq!(decode(&encode(&FromModerator::Arrows(report))), Ok(FromModerator::Arrows(report)));
        prop_assert_eq!(decode(&encode(&FromMember::Arrows(report))), Ok(FromMember::Arrows(report)));
    }

    #[test]
    fn unknown_rights_are_never_granted(bits: u16) {
        let rights: Rights = decode(&encode(&bits)).unwrap();
        prop_assert!(Rights::KNOWN.allows(rights));
    }
}

#[test]
fn a_list_is_cut_off_at_its_bound() {
    let bytes = |count: usize| encode(&vec![7_u8; count]);
    assert_eq!(decode::<List<u8, 3>>(&bytes(3)), Ok(List::of([7; 3])));
    assert_eq!(decode::<List<u8, 3>>(&bytes(4)), Err(InvalidMessage));
    // As long as a length can be, with nothing behind it.
    assert!(decode::<List<u8, 3>>(&[0xff, 0xff, 0xff, 0xff, 0x0f]).is_err());
}

#[test]
fn lists_of_a_device_survive_the_way_and_are_bounded() {
    let name: OutputName = "drm:HDMI-A-1".try_into().unwrap();
    let report = OutputReport { name: name.clone(), is_read: true };
    let outputs = FromMember::Outputs(Box::new([report].into_iter().collect()));
    assert_eq!(decode(&encode(&outputs)), Ok(outputs));
    let part = Part { x: 1, y: 2, width: 300, height: 4 };
    let covered = FromMember::Covered([part, part].into_iter().collect());
    assert_eq!(decode(&encode(&covered)), Ok(covered));
    let show = FromModerator::Show(name);
    assert_eq!(decode(&encode(&show)), Ok(show));
    let parts = heapless::Vec::<Part, 5>::from_slice(&[part; 5]).unwrap();
    let mut many = encode(&FromMember::Covered(CoveredParts::new()));
    many.pop();
    many.extend(encode(&parts));
    assert_eq!(decode::<FromMember>(&many), Err(InvalidMessage));
}

#[test]
fn a_single_letter_and_a_click_have_the_same_size() {
    let size = |event| encode_input(&Input { tick: 9, event }).len();
    let place = Place { x: 1919, y: 1079, width: 1920, height: 1080 };
    assert_eq!(size(InputEvent::Pointer(place)), INPUT_PADDING);
    assert_eq!(size(InputEvent::Key { code: 30, pressed: true }), INPUT_PADDING);
    assert_eq!(size(InputEvent::Text("é".try_into().unwrap())), INPUT_PADDING);
}

#[test]
fn rejects_text_longer_than_its_bound() {
    let mut bytes = encode(&(0_u32, 1_u8, "x".repeat(193)));
    assert_eq!(decode_input(&bytes), Err(InvalidMessage));
    bytes = encode(&(0_u32, 1_u8, "x".repeat(192)));
    assert!(decode_input(&bytes).is_ok());
}

#[test]
fn what_a_terminal_says_survives_the_way_is_bounded_and_is_not_printed() {
    let bytes = TerminalBytes::of(b"secret\x1b[2J");
    let typed = FromModerator::Terminal(ToTerminal::Typed(bytes.clone()));
    assert_eq!(decode(&encode(&typed)), Ok(typed.clone()));
    assert!(!format!("{typed:?}").contains("secret"));
    let output = FromMember::Terminal(FromTerminal::Output(bytes));
    assert_eq!(decode(&encode(&output)), Ok(output));
    let long = TerminalBytes::of(&[b'x'; MAX_TERMINAL_BYTES + 1]);
    assert_eq!(long.as_slice().len(), MAX_TERMINAL_BYTES);
    let many = encode(&vec![0_u8; MAX_TERMINAL_BYTES + 1]);
    assert_eq!(decode::<TerminalBytes>(&many), Err(InvalidMessage));
}

#[test]
fn what_is_said_of_files_survives_the_way_is_bounded_and_is_not_printed() {
    let bytes = FileBytes::of(b"secret");
    let data = FromModerator::Files { id: 7, what: ToFiles::Data(bytes.clone()) };
    assert_eq!(decode(&encode(&data)), Ok(data.clone()));
    assert!(!format!("{data:?}").contains("secret"));
    let path = Box::new(FilePath::try_from("logs/a b.txt").unwrap());
    for what in [
        ToFiles::List { path: path.clone(), after: Box::default() },
        ToFiles::Read { path: path.clone(), at: u64::MAX, credit: FILE_WINDOW },
        ToFiles::Taken(3),
        ToFiles::Write { path, size: 9, hash: [7; 32], may_replace: true },
        ToFiles::Cancel,
    ] {
        let message = FromModerator::Files { id: u16::MAX, what };
        assert_eq!(decode(&encode(&message)), Ok(message));
    }
    let name: FileName = "x".repeat(MAX_FILE_NAME).as_str().try_into().unwrap();
    let entry = FileEntry { name, is_folder: false, size: u64::MAX };
    let entries = List::of((0..MAX_FILE_ENTRIES + 1).map(|_| entry.clone()));
    assert_eq!(entries.iter().len(), MAX_FILE_ENTRIES);
    for what in [
        FromFiles::Entries { entries, has_more: true },
        FromFiles::Reading { size: 5 },
        FromFiles::Data(FileBytes::of(&[1; MAX_FILE_BYTES])),
        FromFiles::Writing { at: 5 },
        FromFiles::Taken(5),
        FromFiles::Done { hash: [1; 32] },
        FromFiles::Failed(FileError::NoSpace),
    ] {
        let message = FromMember::Files { id: 1, what };
        let bytes = encode(&message);
        // Goes in one piece between the device's processes, too.
        assert!(bytes.len() <= 4000, "{}", bytes.len());
        assert_eq!(decode(&bytes), Ok(message));
    }
    assert_eq!(FileBytes::of(&[b'x'; MAX_FILE_BYTES + 1]).as_slice().len(), MAX_FILE_BYTES);
    let many = encode(&vec![0_u8; MAX_FILE_BYTES + 1]);
    assert_eq!(decode::<FileBytes>(&many), Err(InvalidMessage));
    let long = encode(&"x".repeat(MAX_FILE_PATH + 1));
    assert_eq!(decode::<FilePath>(&long), Err(InvalidMessage));
}

#[test]
fn a_path_never_leads_out_of_its_folder() {
    for path in ["logs", "logs/a", "logs/a b/.c", "logs/...", "logs/ä"] {
        assert!(is_file_path(path), "{path}");
    }
    for path in [
        "",
        "/",
        "/etc/passwd",
        "logs/",
        "logs//a",
        "logs/..",
        "../logs",
        "logs/../a",
        ".",
        "logs/./a",
        "logs/a\0b",
    ] {
        assert!(!is_file_path(path), "{path:?}");
    }
    assert!(!is_file_path(&"x".repeat(MAX_FILE_NAME + 1)));
    assert!(!is_file_path(&"x/".repeat(MAX_FILE_PATH)));
}
