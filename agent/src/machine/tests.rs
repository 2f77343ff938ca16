//! The machine process against a network process that was taken over: what it says counts for no more than the person at
//! the machine has agreed to, with a finger.

#[path = "screen_tests.rs"]
mod screens;

use std::sync::Arc;
use std::time::{Duration, Instant};

use heapless::String as Short;
use lotse_hal::simulated::{self, Kiosk, Page, Staff, SystemClock, Target};
use lotse_hal::{Point, Size};
use lotse_protocol::message::{InputEvent, Name as NetworkName, Place, Rights};

use super::*;
use crate::config::{Config, Policy};
use crate::ipc::{Ended, Standing};
use crate::panel::{ARM_DELAY, View, layout};

const SIZE: Size = Size::new(800, 480);

/// A time after which every question can be answered, but none has run out.
const READ: Duration = Duration::from_secs(3);

/// A machine whose network process is the test.
struct Bench {
    process: MachineProcess,
    staff: Staff,
    kiosk: Kiosk,
    now: Instant,
}

impl Bench {
    /// A machine whose policy is `policy`; its panel shows nothing.
    fn new(policy: Rights) -> Self {
        Self::with(policy, |_| {})
    }

    fn with(policy: Rights, change: impl FnOnce(&mut Settings)) -> Self {
        let now = Instant::now();
        let options = simulated::Options { size: SIZE, gauge_period: None };
        let simulated::Simulated { machine, staff, kiosk } =
            simulated::open(options, Arc::new(SystemClock)).unwrap();
        let config = Config {
            server: "lotse.example".to_owned(),
            data_directory: std::path::PathBuf::new(),
            ..Config::default()
        };
        let mut settings = Settings {
            policy: Policy::allowing(policy),
            idle: crate::config::Idle::Hidden,
            ..config.check().unwrap()
        };
        change(&mut settings);
        let keep = Keep::open(&settings.data_directory);
        let listener = crate::local_socket::LocalAddress::random().listen().unwrap();
        let network = NetworkLink::new("network", listener, nix::unistd::getuid());
        let listener = crate::local_socket::LocalAddress::random().listen().unwrap();
        let programs = ProgramsLink::new("programs", listener, nix::unistd::getuid());
        let mut process = MachineProcess {
            panel: PanelScreen::new(settings.language, settings.idle, now),
            session: Session::new(&settings, now).unwrap(),
            arrows: Arrows::new(settings.arrow_time),
            network,
            programs: Programs::new(programs),
            identity: Identity::open(keep.clone(), settings.enrolment.as_ref()).unwrap(),
            guesses: Guesses::open(keep.clone()),
            keep,
            coming: None,
            returning: None,
            is_server_reachable: true,
            machine,
            settings,
        };
        process.show_idle(now);
        Self { process, staff, kiosk, now }
    }

    /// The network process says this.
    fn hears(&mut self, message: ToMachine) {
        self.process.handle_network(message, self.now);
        self.process.handle_timeouts(self.now);
    }

    /// Time passes, and the question is read back meanwhile.
    fn wait(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += Duration::from_millis(100);
            self.process.handle_timeouts(self.now);
        }
    }

    /// A finger of a person comes down here, and is lifted.
    fn tap(&mut self, at: Point) {
        self.staff.tap(at);
        self.process.handle_local(self.now);
        self.process.handle_timeouts(self.now);
    }

    fn press(&mut self, button: &str) {
        let (view, size) = (self.process.panel.view().clone(), SIZE);
        let places = layout(size, None, &view).buttons;
        let place = places.iter().find(|place| place.name == button);
        let place = place.unwrap_or_else(|| panic!("no button {button} on {view:?}"));
        let at = Point { x: place.x + place.width / 2, y: place.y + place.height / 2 };
        self.tap(at);
    }

    /// The person calls the panel, types a number and waits.
    fn join(&mut self) {
        self.process.panel.call(true, self.now);
        self.process.handle_panel(self.now);
        for digit in "123456789".chars() {
            self.press(&format!("digit-{digit}"));
        }
        self.press("connect");
        assert!(matches!(self.process.panel.view(), View::Joining { .. }));
    }

    /// A technician asks for everything, and the person accepts.
    fn accept(&mut self) {
        self.join();
        self.hears(ask());
        assert!(matches!(self.process.panel.view(), View::Asking(_)));
        self.wait(READ);
        self.press("accept");
        assert!(matches!(self.process.panel.view(), View::Joining { .. }));
    }

    /// The taken-over network process tries everything that it has.
    fn attack(&mut self) {
        let target = self.kiosk.place(Target::Tab(Page::Orders)).unwrap();
        let at = place(target);
        let left = |pressed| InputEvent::Button { button: 0, pressed };
        for event in [
            InputEvent::Touch { slot: 0, at },
            InputEvent::Lift { slot: 0 },
            InputEvent::Pointer(at),
            left(true),
            left(false),
            InputEvent::Text(Short::try_from("x").unwrap()),
            InputEvent::Key { code: 30, pressed: true },
            InputEvent::Key { code: 30, pressed: false },
        ] {
            self.hears(ToMachine::Input(event));
        }
        self.hears(ToMachine::Watch(true));
        self.wait(Duration::from_millis(500));
    }

    /// Whether the attack had any effect on the application.
    fn is_steered(&self) -> bool {
        self.kiosk.page() != Page::Overview || !self.kiosk.field().is_empty()
    }

    /// Whether the screen is read for the network process.
    fn is_watched(&self) -> bool {
        self.process.session.poll_timeout().is_some()
    }
}

/// A pixel as the protocol names it.
fn place(at: Point) -> Place {
    let part = |value: u32| u16::try_from(value).unwrap();
    Place { x: part(at.x), y: part(at.y), width: part(SIZE.width), height: part(SIZE.height) }
}

fn ask() -> ToMachine {
    ToMachine::Ask {
        name: NetworkName::try_from("Ada").unwrap(),
        asks: Rights::KNOWN,
        standing: Standing::Compare(123_456),
    }
}

fn connected() -> ToMachine {
    ToMachine::Connected { rights: Rights::KNOWN }
}

/// The other tests would prove nothing if the attack had no effect at all.
#[test]
fn what_was_consented_is_done() {
    let mut bench = Bench::new(Rights::KNOWN);
    bench.accept();
    bench.hears(connected());
    bench.attack();
    assert!(bench.is_steered() && bench.is_watched());
}

#[test]
fn nothing_is_done_before_anybody_was_asked() {
    let mut bench = Bench::new(Rights::KNOWN);
    bench.hears(connected());
    bench.attack();
    bench.hears(ask());
    bench.hears(connected());
    bench.attack();
    assert!(!bench.is_steered() && !bench.is_watched());
}

#[test]
fn nothing_is_done_while_the_person_is_asked() {
    let mut bench = Bench::new(Rights::KNOWN);
    bench.join();
    bench.hears(connected());
    bench.attack();
    bench.hears(ask());
    bench.hears(connected());
    bench.attack();
    assert!(matches!(bench.process.panel.view(), View::Asking(_)), "the question still stands");
    assert!(!bench.is_steered() && !bench.is_watched());
}

#[test]
fn nothing_is_done_between_consent_and_keys() {
    let mut bench = Bench::new(Rights::KNOWN);
    bench.accept();
    bench.attack();
    assert!(!bench.is_steered() && !bench.is_watched());
}

#[test]
fn an_input_cannot_press_accept() {
    let mut bench = Bench::new(Rights::KNOWN);
    bench.join();
    bench.hears(ask());
    bench.wait(ARM_DELAY + Duration::from_secs(1));
    let view = bench.process.panel.view().clone();
    let accept = layout(SIZE, None, &view).buttons.into_iter().find(|place| place.name == "accept");
    let accept = accept.unwrap();
    let at = place(Point { x: accept.x + accept.width / 2, y: accept.y + accept.height / 2 });
    for event in [InputEvent::Touch { slot: 0, at }, InputEvent::Lift { slot: 0 }] {
        bench.hears(ToMachine::Input(event));
    }
    bench.process.handle_local(bench.now);
    bench.hears(connected());
    assert!(matches!(bench.process.panel.view(), View::Asking(_)));
    // The same place, by a finger, does.
    bench.press("accept");
    assert!(matches!(bench.process.panel.view(), View::Joining { .. }));
}

#[test]
fn a_refusal_and_a_time_out_are_final() {
    for refuse in [true, false] {
        let mut bench = Bench::new(Rights::KNOWN);
        bench.join();
        bench.hears(ask());
        if refuse {
            bench.press("refuse");
        } else {
            bench.wait(Duration::from_secs(61));
        }
        assert!(matches!(bench.process.panel.view(), View::Message(_)), "refuse: {refuse}");
        bench.hears(connected());
        bench.attack();
        assert!(!bench.is_steered() && !bench.is_watched(), "refuse: {refuse}");
    }
}

#[test]
fn a_consent_ends_with_its_session() {
    let ends: [fn(&mut Bench); 3] = [
        |bench| bench.hears(ToMachine::Ended(Ended::ByTechnician)),
        |bench| bench.press("stop"),
        |bench| {
            bench.process.network.pretend_lost();
            bench.wait(Duration::from_millis(100));
        },
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let mut bench = Bench::new(Rights::KNOWN);
        bench.accept();
        bench.hears(connected());
        end(&mut bench);
        bench.hears(connected());
        bench.attack();
        assert!(!bench.is_steered() && !bench.is_watched(), "end {number}");
    }
}

#[test]
fn the_policy_of_the_machine_binds_the_consent() {
    let mut bench = Bench::new(Rights::VIEW);
    bench.accept();
    bench.hears(connected());
    bench.attack();
    assert!(!bench.is_steered() && bench.is_watched());
}

/// Presses a key of a physical keyboard.
fn key(bench: &mut Bench, name: &str) {
    let key = lotse_hal::KeyCode::from_name(name).unwrap();
    for pressed in [true, false] {
        bench.staff.key(key, pressed);
    }
    bench.process.handle_local(bench.now);
    bench.process.handle_timeouts(bench.now);
}

#[test]
fn the_key_that_calls_the_panel_shows_a_session_and_lets_it_be_stopped() {
    let mut bench = Bench::new(Rights::KNOWN);
    bench.accept();
    bench.hears(connected());
    key(&mut bench, "F12");
    assert!(matches!(bench.process.panel.view(), View::Details(_)));
    bench.attack();
    assert!(!bench.is_steered(), "nothing is steered while the person looks at that");
    key(&mut bench, "F12");
    assert!(matches!(bench.process.panel.view(), View::Session(_)));
    bench.wait(lotse_protocol::session::LOCAL_PAUSE);
    bench.attack();
    assert!(bench.is_steered());
    key(&mut bench, "F12");
    bench.press("stop");
    assert!(matches!(bench.process.panel.view(), View::Message(_)));
}

#[test]
fn a_second_question_cannot_replace_the_one_that_was_read() {
    let mut bench = Bench::new(Rights::KNOWN);
    bench.join();
    bench.hears(ask());
    let View::Asking(first) = bench.process.panel.view().clone() else { panic!("no question") };
    bench.hears(ToMachine::Ask {
        name: NetworkName::try_from("Eve").unwrap(),
        asks: Rights::KNOWN,
        standing: Standing::Compare(654_321),
    });
    let View::Asking(second) = bench.process.panel.view() else { panic!("no question") };
    assert_eq!((&second.name, second.level), (&first.name, first.level));
}

#[path = "level_tests.rs"]
mod levels;
#[path = "restart_tests.rs"]
mod restarts;
#[path = "rights_tests.rs"]
mod rights;
