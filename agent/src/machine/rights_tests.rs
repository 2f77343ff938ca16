//! The person always wins, and what was not granted is not done.

use lotse_hal::KeyCode;
use lotse_protocol::message::{
    FileError, FromFiles, FromTerminal, TerminalEnd, TerminalSize, ToFiles, ToTerminal,
};

use super::*;
use crate::ipc::FromPrograms;
use crate::panel::{Right, RightSet};

/// What a technician without arrows may do.
const BOTH: Rights = Rights::VIEW.with(Rights::CONTROL);

impl Bench {
    /// A technician is connected and may do all that there is.
    fn connected() -> Self {
        let mut bench = Self::new(Rights::KNOWN);
        bench.accept();
        bench.hears(connected());
        bench
    }

    fn hold_shift(&mut self) {
        self.hears(ToMachine::Input(InputEvent::Key { code: 42, pressed: true }));
    }
}

#[test]
fn whoever_touches_the_machine_has_it_for_a_while() {
    let mut bench = Bench::connected();
    let elsewhere = Point::new(SIZE.width - 5, SIZE.height - 5);
    bench.tap(elsewhere);
    bench.attack();
    assert!(!bench.is_steered(), "the network process was told, and does not care");
    bench.wait(lotse_protocol::session::LOCAL_PAUSE);
    bench.attack();
    assert!(bench.is_steered());
}

#[test]
fn what_comes_when_the_technician_is_told_that_it_goes_on_is_carried_out() {
    let mut bench = Bench::connected();
    let elsewhere = Point::new(SIZE.width - 5, SIZE.height - 5);
    bench.tap(elsewhere);
    let told = bench.now;
    bench.wait(Duration::from_millis(400));
    // So soon after the first one it is not told.
    bench.tap(elsewhere);
    bench.attack();
    assert!(!bench.is_steered());
    let passed = bench.now.saturating_duration_since(told);
    bench.wait(lotse_protocol::session::LOCAL_PAUSE.saturating_sub(passed));
    bench.attack();
    assert!(bench.is_steered());
}

#[test]
fn what_is_held_and_waits_to_be_typed_ends_with_a_touch() {
    let mut bench = Bench::connected();
    bench.process.machine.input.key(KeyCode(30), true).unwrap();
    bench.hold_shift();
    let text = Short::try_from("a long text that takes its time").unwrap();
    bench.hears(ToMachine::Input(InputEvent::Text(text)));
    bench.tap(Point::new(SIZE.width - 5, SIZE.height - 5));
    let before = bench.kiosk.field();
    bench.wait(Duration::from_secs(2));
    assert_eq!(bench.kiosk.field(), before, "nothing more is typed");
}

#[test]
fn control_can_be_withdrawn_while_the_screen_is_still_seen() {
    let mut bench = Bench::connected();
    bench.hold_shift();
    bench.press("details");
    assert!(matches!(bench.process.panel.view(), View::Details(_)));
    bench.press("look-only");
    let View::Details(shown) = bench.process.panel.view().clone() else { panic!("no details") };
    assert_eq!(shown.rights, RightSet::of(&[Right::View]));
    bench.press("close");
    let View::Session(shown) = bench.process.panel.view().clone() else { panic!("no sign") };
    assert!(shown.is_limited);
    // Even if the network process says that the technician may do everything.
    bench.wait(lotse_protocol::session::LOCAL_PAUSE);
    bench.hears(connected());
    bench.hears(ToMachine::Limit(Rights::KNOWN));
    bench.attack();
    assert!(!bench.is_steered() && bench.is_watched());
}

#[test]
fn the_technician_can_give_rights_back_and_none_away() {
    let mut bench = Bench::connected();
    bench.hears(ToMachine::Limit(Rights::VIEW));
    bench.attack();
    assert!(!bench.is_steered() && bench.is_watched());
    bench.hears(ToMachine::Limit(Rights::NONE));
    assert!(!bench.process.session.allows(Rights::VIEW));
}

#[test]
fn what_the_person_takes_out_is_not_granted() {
    let mut bench = Bench::new(Rights::KNOWN);
    bench.join();
    bench.hears(ask());
    let View::Asking(question) = bench.process.panel.view().clone() else { panic!("no question") };
    bench.press("choose");
    let places = crate::panel::choosing_layout(SIZE, None, &question).buttons;
    for name in ["tick-control", "chosen"] {
        let place = places.iter().find(|place| place.name == name).unwrap();
        bench.tap(Point::new(place.x + place.width / 2, place.y + place.height / 2));
    }
    bench.wait(READ);
    bench.press("accept");
    bench.hears(connected());
    bench.attack();
    assert!(!bench.is_steered() && bench.is_watched());
}

#[test]
fn what_the_policy_only_asks_for_must_be_ticked() {
    let text = "server = \"x\"\n[policy]\ncontrol = \"ask\"";
    let policy = toml::from_str::<Config>(text).unwrap().check().unwrap().policy;
    let mut bench = Bench::with(Rights::NONE, |settings| settings.policy = policy);
    bench.accept();
    bench.hears(connected());
    bench.attack();
    assert!(!bench.is_steered() && bench.is_watched());
}

/// A technician is connected, and a terminal is set up here; whether he may use it.
fn with_terminal(rights: Rights) -> Bench {
    let mut bench = Bench::new(rights);
    bench.process.handle_programs(
        FromPrograms::Ready {
            terminal: true,
            application: false,
            machine: false,
            files: Rights::NONE,
        },
        bench.now,
    );
    bench.accept();
    bench.hears(connected());
    bench.hears(ToMachine::Terminal(ToTerminal::Open(TerminalSize { columns: 80, rows: 24 })));
    bench
}

/// Whether the sign says that a terminal is open.
fn has_terminal(bench: &Bench) -> bool {
    match bench.process.panel.view() {
        View::Session(shown) | View::Details(shown) => shown.has_terminal,
        _ => false,
    }
}

#[test]
fn the_sign_names_who_has_the_machine() {
    let mut bench = Bench::connected();
    let sign = |bench: &Bench| match bench.process.panel.view() {
        View::Session(shown) | View::Details(shown) => {
            (shown.name.as_str().to_owned(), shown.level.is_some())
        }
        other => panic!("{other:?}"),
    };
    let leads = |moderator: Option<&str>, controller: Option<&str>| ToMachine::Leads {
        moderator: moderator.map(|name| name.try_into().unwrap()),
        controller: controller.map(|name| name.try_into().unwrap()),
    };
    let accepted = sign(&bench);
    assert!(accepted.1, "the person knows how sure it is");
    bench.hears(leads(None, Some("Bo\u{202e}b")));
    assert_eq!(sign(&bench), ("Bob".to_owned(), false));
    bench.press("details");
    bench.hears(leads(Some("Eve"), Some("Eve")));
    assert_eq!(sign(&bench), ("Eve".to_owned(), false));
    assert_eq!(bench.process.session.moderator().unwrap().as_str(), "Eve");
    bench.hears(leads(None, None));
    assert_eq!(sign(&bench), accepted);
    // Another session begins with its own.
    bench.hears(leads(None, Some("Bob")));
    bench.press("stop");
    assert_eq!(bench.process.session.moderator(), None);
}

#[test]
fn a_terminal_that_nobody_set_up_is_not_offered() {
    let mut bench = Bench::new(Rights::KNOWN);
    bench.join();
    bench.hears(ask());
    let View::Asking(question) = bench.process.panel.view() else { panic!("no question") };
    assert_eq!(question.rights, RightSet::of(&[Right::View, Right::Control, Right::Pointer]));
}

#[test]
fn a_terminal_without_its_right_is_not_opened() {
    assert!(has_terminal(&with_terminal(Rights::KNOWN)));
    assert!(!has_terminal(&with_terminal(Rights::VIEW.with(Rights::CONTROL))));
}

#[test]
fn a_terminal_ends_when_the_person_or_the_program_says_so() {
    let ended = FromPrograms::Terminal(FromTerminal::Ended(TerminalEnd::Exited(0)));
    let ends: [fn(&mut Bench); 3] = [
        |bench| {
            bench.press("details");
            bench.press("look-only");
        },
        |bench| bench.hears(ToMachine::Limit(Rights::VIEW)),
        |bench| bench.hears(ToMachine::Terminal(ToTerminal::Close)),
    ];
    for end in ends {
        let mut bench = with_terminal(Rights::KNOWN);
        end(&mut bench);
        assert!(!has_terminal(&bench));
    }
    let mut bench = with_terminal(Rights::KNOWN);
    bench.process.handle_programs(ended, bench.now);
    assert!(!has_terminal(&bench) && bench.process.session.allows(Rights::SHELL));
}

/// A technician is connected, and folders are set up here; he reads a file.
fn with_files(rights: Rights) -> Bench {
    let mut bench = Bench::new(rights);
    let files = Rights::FILE_READ.with(Rights::FILE_WRITE);
    bench.process.handle_programs(
        FromPrograms::Ready { terminal: false, application: false, machine: false, files },
        bench.now,
    );
    bench.accept();
    bench.hears(connected());
    let path = Box::new("logs/a".try_into().unwrap());
    bench.hears(ToMachine::Files { id: 1, what: ToFiles::Read { path, at: 0, credit: 1 } });
    bench
}

/// Whether the sign says that files move.
fn moves_files(bench: &Bench) -> bool {
    match bench.process.panel.view() {
        View::Session(shown) | View::Details(shown) => shown.moves_files,
        _ => false,
    }
}

#[test]
fn no_file_is_touched_without_the_right_of_its_direction() {
    let reads = Rights::KNOWN.without(Rights::FILE_WRITE);
    let writes = Rights::KNOWN.without(Rights::FILE_READ);
    assert!(moves_files(&with_files(reads)) && !moves_files(&with_files(writes)));
    assert!(!moves_files(&with_files(Rights::VIEW.with(Rights::CONTROL))));
    let path = Box::new("in/a".try_into().unwrap());
    let write = ToFiles::Write { path, size: 1, hash: [0; 32], may_replace: true };
    for (rights, may) in [(reads, false), (writes, true)] {
        let mut bench = with_files(rights);
        bench.hears(ToMachine::Files { id: 1, what: ToFiles::Cancel });
        bench.hears(ToMachine::Files { id: 2, what: write.clone() });
        assert_eq!(moves_files(&bench), may);
    }
}

#[test]
fn files_stop_when_the_person_the_technician_or_the_programs_say_so() {
    let ends: [fn(&mut Bench); 6] = [
        |bench| {
            bench.press("details");
            bench.press("look-only");
        },
        |bench| bench.hears(ToMachine::Limit(Rights::VIEW)),
        |bench| bench.hears(ToMachine::Limit(Rights::KNOWN.without(Rights::FILE_READ))),
        |bench| bench.hears(ToMachine::Files { id: 0, what: ToFiles::Cancel }),
        |bench| bench.press("stop"),
        |bench| {
            let what = FromFiles::Failed(FileError::Failed);
            bench.process.handle_programs(FromPrograms::Files { id: 1, what }, bench.now);
        },
    ];
    for end in ends {
        let mut bench = with_files(Rights::KNOWN);
        assert!(moves_files(&bench));
        end(&mut bench);
        assert!(!moves_files(&bench) && bench.process.programs.moving.is_none());
    }
    let mut bench = with_files(Rights::KNOWN);
    bench.hears(ToMachine::Limit(Rights::KNOWN.without(Rights::FILE_WRITE)));
    assert!(moves_files(&bench), "another right");
    let what = FromFiles::Done { hash: [0; 32] };
    bench.process.handle_programs(FromPrograms::Files { id: 9, what }, bench.now);
    assert!(moves_files(&bench), "an answer to something else");
}

/// The pixels of some rows of the screen, as far as an area has them.
fn pixels(bench: &mut Bench, area: lotse_hal::Rect) -> Vec<u8> {
    let mut seen = Vec::new();
    let mut look = |band: lotse_hal::Band<'_>| {
        let rows = (band.y..).zip(band.pixels.chunks_exact(SIZE.width as usize * 4));
        for (_, row) in rows.filter(|(y, _)| (area.y..area.y + area.height).contains(y)) {
            seen.extend(&row[area.x as usize * 4..(area.x + area.width) as usize * 4]);
        }
    };
    bench.process.machine.screen.read(&mut look).unwrap();
    seen
}

/// How many pixels of the screen have the colour of the moderator's arrow.
fn colored(bench: &mut Bench) -> usize {
    let mut count = 0;
    let [red, green, blue] = lotse_protocol::message::arrow_color(lotse_protocol::MemberId(1));
    let mut look = |band: lotse_hal::Band<'_>| {
        let pixels = band.pixels.as_chunks::<4>().0.iter();
        count += pixels.filter(|pixel| pixel[..3] == [blue, green, red]).count();
    };
    bench.process.machine.screen.read(&mut look).unwrap();
    count
}

fn arrow(at: Option<Point>) -> ToMachine {
    let name = NetworkName::try_from("Ada").unwrap();
    ToMachine::Arrow { by: lotse_protocol::MemberId(1), name, at: at.map(place) }
}

#[test]
fn an_arrow_is_seen_with_its_right_alone_and_not_after_it() {
    let middle = Some(Point::new(SIZE.width / 2, SIZE.height / 2));
    let mut bench = Bench::new(BOTH);
    bench.accept();
    bench.hears(connected());
    bench.hears(arrow(middle));
    assert_eq!(colored(&mut bench), 0, "whatever the network process says");

    let mut bench = Bench::connected();
    bench.hears(arrow(middle));
    assert!(colored(&mut bench) > 300);
    assert!(!bench.is_steered());
    bench.press("details");
    assert_eq!(colored(&mut bench), 0, "the panel is above everything");
    bench.press("close");
    bench.wait(Duration::from_millis(200));
    assert!(colored(&mut bench) > 300, "and gives it back");
    bench.hears(arrow(None));
    assert_eq!(colored(&mut bench), 0);
    for gone in [ToMachine::Limit(BOTH), ToMachine::Ended(Ended::ByTechnician)] {
        let mut bench = Bench::connected();
        bench.hears(arrow(middle));
        assert!(colored(&mut bench) > 300);
        bench.hears(gone);
        bench.wait(Duration::from_millis(100));
        assert_eq!(colored(&mut bench), 0);
        bench.hears(arrow(middle));
        assert_eq!(colored(&mut bench), 0);
    }
}

#[test]
fn no_arrow_imitates_or_covers_the_sign_of_the_session() {
    let mut bench = Bench::connected();
    let sign = bench.process.panel.area().unwrap();
    let before = pixels(&mut bench, sign);
    for x in (0..SIZE.width).step_by(50) {
        bench.hears(arrow(Some(Point::new(x, sign.height / 2))));
        bench.wait(Duration::from_millis(50));
        assert!(pixels(&mut bench, sign) == before, "at {x}");
    }
}
