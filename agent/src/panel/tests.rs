//! The panel's pictures fit every size, and only a deliberate yes is a yes.

use std::time::{Duration, Instant};

use lotse_hal::draw::paint_strips;
use lotse_hal::{KeyCode, LocalEvent, Phase, Point, Rect, Size};
use proptest::prelude::*;

use super::layout::{MIN_BUTTON, Shown, scene};
use super::scene::{Piece, Scene, Sign};
use super::texts::Language;
use super::*;

const SIZE: Size = Size::new(800, 480);
const ENTER: u16 = 28;
const RIGHT: u16 = 106;
const ESCAPE: u16 = 1;

fn name(text: &str) -> Name {
    Name::from_network(text)
}

fn ask(level: Level, deadline: Instant) -> View {
    let name = name(&"W".repeat(MAX_LETTERS));
    let rights = RightSet::of(&Right::ALL);
    View::Asking(Ask { name, rights, ticked: rights, level, deadline })
}

fn all_views(now: Instant) -> Vec<View> {
    let levels =
        [Level::Certificate, Level::CodeCompared { code: 888_888 }, Level::None, Level::Password];
    let mut views: Vec<View> = levels.into_iter().map(|level| ask(level, now)).collect();
    views.extend(Message::ALL.map(View::Message));
    for is_server_reachable in [false, true] {
        for can_close in [false, true] {
            views.push(View::Home { is_server_reachable, can_close });
        }
    }
    views.push(View::Joining { number: 888_888_888 });
    views.push(View::Password { number: 888_888_888 });
    for is_silent in [false, true] {
        for level in levels.into_iter().map(Some).chain([None]) {
            let name = name(&"W".repeat(MAX_LETTERS));
            let connected = Connected::new(name, level, RightSet::of(&Right::ALL));
            let connected = Connected { is_silent, ..connected };
            views.push(View::Details(connected.clone()));
            views.push(View::Session(connected));
        }
    }
    for at in 0..3 {
        let [is_limited, has_terminal, moves_files] = [0, 1, 2].map(|which| which == at);
        let connected = Connected::new(name("Ada"), None, RightSet::of(&[Right::View]));
        let connected = Connected { is_limited, has_terminal, moves_files, ..connected };
        views.push(View::Details(connected.clone()));
        views.push(View::Session(connected));
    }
    for what in Work::ALL {
        let name = name(&"W".repeat(MAX_LETTERS));
        views.push(View::Coming(Coming { name, what, deadline: now }));
    }
    views
}

/// Somebody who may do what is usual.
fn ada() -> Connected {
    Connected::new(name("Ada"), None, RightSet::of(&[Right::View, Right::Control]))
}

fn scene_of(size: Size, view: &View, language: Language) -> Scene {
    scene_on(size, None, view, language)
}

/// As it is on a display with so many pixels in a millimetre.
fn scene_on(size: Size, density: Option<f32>, view: &View, language: Language) -> Scene {
    let texts = language.texts();
    let selected = Some(Button::Refuse);
    scene(&Shown {
        size,
        density,
        view,
        texts,
        entry: "888888888",
        pressed: None,
        selected,
        is_armed: false,
        seconds_left: 888,
        ticked: RightSet::of(&[Right::View, Right::Shell]),
        is_choosing: false,
    })
    .unwrap()
}

fn is_within(inner: Rect, outer: Rect) -> bool {
    inner.intersection(outer) == Some(inner)
}

/// What is wrong with a picture.
fn faults(size: Size, density: Option<f32>, view: &View, language: Language) -> Vec<String> {
    let scene = scene_on(size, density, view, language);
    let mut faults = Vec::new();
    if !is_within(scene.area, size.rect()) {
        faults.push(format!("{:?} is beyond the panel", scene.area));
    }
    let least = layout::least_button(size);
    for (index, (button, place)) in scene.buttons.iter().enumerate() {
        if place.width < least || place.height < least {
            faults.push(format!("{button:?} is only {}×{}", place.width, place.height));
        }
        if !is_within(*place, scene.area) {
            faults.push(format!("{button:?} is cut off"));
        }
        for (other, other_place) in &scene.buttons[index + 1..] {
            if place.intersection(*other_place).is_some() {
                faults.push(format!("{button:?} and {other:?} overlap"));
            }
        }
    }
    let mut texts: Vec<(&[String], Rect)> = Vec::new();
    for piece in &scene.pieces {
        let Piece::Text { place, text, .. } = piece else { continue };
        if !text.fits {
            faults.push(format!("{:?} at {} px does not fit {place:?}", text.lines, text.px));
        }
        if !is_within(*place, scene.area) {
            faults.push(format!("{:?} is beyond the picture", text.lines));
        }
        for (lines, other) in &texts {
            if place.intersection(*other).is_some() {
                faults.push(format!("{:?} and {lines:?} overlap", text.lines));
            }
        }
        for (button, other) in &scene.buttons {
            if place.intersection(*other).is_some() && !is_within(*place, *other) {
                faults.push(format!("{:?} lies half on {button:?}", text.lines));
            }
        }
        if text.lines.iter().flat_map(|line| line.chars()).any(|letter| !letters::has(letter)) {
            faults.push(format!("{:?} has letters that no font has", text.lines));
        }
        texts.push((&text.lines, *place));
    }
    faults
}

fn assert_fits(size: Size) {
    assert_fits_on(size, None);
}

fn assert_fits_on(size: Size, density: Option<f32>) {
    for language in Language::ALL {
        for view in all_views(Instant::now()) {
            let faults = faults(size, density, &view, language);
            assert!(
                faults.is_empty(),
                "{size:?} {density:?} {language:?} {view:?}\n{}",
                faults.join("\n")
            );
        }
    }
}

#[test]
fn everything_fits_common_panels() {
    let sizes = [
        (320, 240),
        (480, 272),
        (480, 320),
        (640, 480),
        (800, 480),
        (1024, 600),
        (1024, 768),
        (1280, 800),
        (1920, 1080),
        (3840, 2160),
    ];
    for (long, short) in sizes {
        assert_fits(Size::new(long, short));
        assert_fits(Size::new(short, long));
    }
}

#[test]
fn decisions_have_buttons_as_large_as_a_finger() {
    for (width, height) in [(320, 240), (240, 320), (800, 480), (1280, 800), (3840, 2160)] {
        let size = Size::new(width, height);
        for view in all_views(Instant::now()) {
            for (button, place) in scene_of(size, &view, Language::German).buttons {
                if !matches!(button, Button::Digit(_) | Button::Delete | Button::Connect)
                    && !matches!(view, View::Home { .. })
                {
                    let least = place.width.min(place.height);
                    assert!(least >= MIN_BUTTON, "{button:?} at {size:?}: {place:?}");
                }
            }
        }
    }
}

/// Panels as they are sold: pixels, and millimetres across.
const SOLD: [(u32, u32, u32); 6] = [
    (320, 240, 70),
    (480, 272, 95),
    (800, 480, 154),
    (1024, 600, 223),
    (1280, 800, 217),
    (1920, 1080, 344),
];

#[test]
fn what_decides_is_fifteen_millimetres_wide_and_high_where_the_size_is_known() {
    for (long, short, across) in SOLD {
        for size in [Size::new(long, short), Size::new(short, long)] {
            let density = long as f32 / across as f32;
            assert_fits_on(size, Some(density));
            let mut views = all_views(Instant::now());
            views.retain(|view| !matches!(view, View::Asking(_)));
            // As usual; with every right there is, small panels have no room for more.
            let usual = View::Asking(Ask {
                name: name("Ada"),
                rights: RightSet::of(&[Right::View, Right::Control]),
                ticked: RightSet::of(&[Right::View, Right::Control]),
                level: Level::CodeCompared { code: 888_888 },
                deadline: Instant::now(),
            });
            views.push(usual);
            for view in views {
                for (button, place) in
                    scene_on(size, Some(density), &view, Language::German).buttons
                {
                    let least = place.width.min(place.height) as f32 / density;
                    // Where the words leave no more room, it is a finger's width all the same.
                    let is_small = short < 300 && place.width.min(place.height) >= MIN_BUTTON;
                    let decides = !matches!(button, Button::Digit(_) | Button::Delete);
                    let is_typing = matches!(view, View::Home { .. } | View::Password { .. });
                    if decides && !is_small && !(is_typing && short < 480) {
                        assert!(
                            least >= layout::MIN_BUTTON_MM - 0.5,
                            "{button:?} of {view:?} at {size:?}: {least} mm"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_second_line_of_a_right_stands_below_the_first_and_not_below_its_bullet() {
    let view = ask(Level::CodeCompared { code: 1 }, Instant::now());
    for language in Language::ALL {
        let scene = scene_of(Size::new(800, 600), &view, language);
        let bullets: Vec<Rect> = scene
            .pieces
            .iter()
            .filter_map(|piece| match piece {
                Piece::Text { place, text, .. } if text.lines == ["✓"] || text.lines == ["✗"] => {
                    Some(*place)
                }
                _ => None,
            })
            .collect();
        assert_eq!(bullets.len(), Right::ALL.len());
        let words = language.texts().rights.of(Right::FilesRead);
        let beside = scene.pieces.iter().find_map(|piece| match piece {
            Piece::Text { place, text, .. } if text.lines.join(" ") == words => Some(*place),
            _ => None,
        });
        let beside = beside.expect("the right is on the panel");
        assert!(bullets.iter().all(|bullet| bullet.x + bullet.width <= beside.x), "{language:?}");
    }
}

#[test]
fn the_flag_of_a_session_is_flown_only_during_one() {
    let now = Instant::now();
    for view in all_views(now) {
        let scene = scene_of(SIZE, &view, Language::English);
        let flies =
            scene.pieces.iter().any(|piece| matches!(piece, Piece::Sign { sign: Sign::FlagH, .. }));
        let is_session = matches!(view, View::Session(_) | View::Details(_) | View::Coming(_));
        assert_eq!(flies, is_session, "{view:?}");
    }
}

#[test]
fn a_session_can_be_stopped_by_keys_alone() {
    let now = Instant::now();
    let mut ui = PanelUi::new(SIZE, Language::English, now);
    let details = View::Details(ada());
    let press = |ui: &mut PanelUi, key| {
        for pressed in [true, false] {
            ui.handle_local(&LocalEvent::Key { key: KeyCode(key), pressed }, now);
        }
        answers(ui)
    };
    ui.show(details.clone(), now);
    assert_eq!(press(&mut ui, ENTER), [PanelOutput::Closed], "Enter alone only closes");
    ui.show(View::Hidden, now);
    ui.show(details.clone(), now);
    assert_eq!(press(&mut ui, ESCAPE), [PanelOutput::Closed]);
    ui.show(View::Hidden, now);
    ui.show(details, now);
    assert_eq!(press(&mut ui, RIGHT), []);
    assert_eq!(press(&mut ui, ENTER), [PanelOutput::StopPressed]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn everything_fits_panels_of_any_usual_shape(
        short in 240u32..=2160,
        stretch in 133u32..=200,
        is_wide: bool,
    ) {
        let long = (short * stretch).div_ceil(100);
        assert_fits(if is_wide { Size::new(long, short) } else { Size::new(short, long) });
    }
}

fn picture(ui: &PanelUi, size: Size, rows: u32) -> Vec<u8> {
    let (mut picture, mut scratch) = (Vec::new(), Vec::new());
    paint_strips(size, ui.area().unwrap(), rows, ui, &mut scratch, |_, pixels| {
        picture.extend_from_slice(pixels);
        Ok::<(), std::convert::Infallible>(())
    })
    .unwrap();
    picture
}

#[test]
fn painting_is_the_same_in_any_strips_and_every_time() {
    let now = Instant::now();
    for view in all_views(now) {
        let mut ui = PanelUi::new(SIZE, Language::German, now);
        ui.show(view.clone(), now);
        let once = picture(&ui, SIZE, 480);
        for rows in [1, 64, 100] {
            assert!(picture(&ui, SIZE, rows) == once, "{view:?} in strips of {rows}");
        }
    }
}

/// A panel that shows a question, and its clock.
struct Asked {
    ui: PanelUi,
    now: Instant,
}

impl Asked {
    fn new() -> Self {
        let now = Instant::now();
        let mut ui = PanelUi::new(SIZE, Language::English, now);
        let level = Level::CodeCompared { code: 1234 };
        ui.show(ask(level, now + Duration::from_secs(60)), now);
        let mut asked = Self { ui, now };
        assert_eq!(asked.outputs(), [PanelOutput::Redraw]);
        asked
    }

    /// Seen intact for long enough.
    fn armed() -> Self {
        let mut asked = Self::new();
        asked.ui.handle_verified(true, asked.now);
        asked.pass(1500);
        assert_eq!(asked.outputs(), [PanelOutput::Redraw], "it looks awake now");
        asked
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
        self.ui.handle_timeout(self.now);
    }

    fn touch(&mut self, button: Button, phase: Phase) {
        self.touch_with(0, button, phase);
    }

    fn touch_with(&mut self, contact: u8, button: Button, phase: Phase) {
        let at = center(&self.ui, button);
        self.ui.handle_local(&LocalEvent::Touch { contact, at, phase }, self.now);
    }

    fn key(&mut self, key: u16, pressed: bool) {
        self.ui.handle_local(&LocalEvent::Key { key: KeyCode(key), pressed }, self.now);
    }

    fn outputs(&mut self) -> Vec<PanelOutput> {
        std::iter::from_fn(|| self.ui.poll_output()).collect()
    }

    fn answers(&mut self) -> Vec<PanelOutput> {
        self.outputs().into_iter().filter(|output| *output != PanelOutput::Redraw).collect()
    }
}

fn center(ui: &PanelUi, button: Button) -> Point {
    let places = layout(SIZE, None, ui.view()).buttons;
    let place = places.into_iter().find(|place| place.name == button.name()).unwrap();
    Point::new(place.x + place.width / 2, place.y + place.height / 2)
}

fn tap(ui: &mut PanelUi, button: Button, now: Instant) {
    let at = center(ui, button);
    for phase in [Phase::Down, Phase::Up] {
        ui.handle_local(&LocalEvent::Touch { contact: 0, at, phase }, now);
    }
}

fn accepted() -> PanelOutput {
    PanelOutput::Accepted(RightSet::of(&Right::ALL))
}

#[test]
fn accepting_takes_a_press_and_a_release_on_the_armed_button() {
    let mut asked = Asked::armed();
    asked.touch(Button::Accept, Phase::Down);
    assert_eq!(asked.answers(), []);
    asked.touch(Button::Accept, Phase::Up);
    assert_eq!(asked.answers(), [accepted()]);
    // Nothing after the answer counts.
    asked.touch(Button::Refuse, Phase::Down);
    asked.touch(Button::Refuse, Phase::Up);
    asked.pass(60_000);
    assert_eq!(asked.answers(), []);
}

#[test]
fn a_press_that_begins_before_arming_never_accepts() {
    let mut asked = Asked::new();
    asked.ui.handle_verified(true, asked.now);
    asked.pass(1499);
    asked.touch(Button::Accept, Phase::Down);
    asked.pass(5000);
    asked.touch(Button::Accept, Phase::Up);
    assert_eq!(asked.answers(), []);
}

#[test]
fn a_question_that_was_not_seen_intact_is_never_accepted() {
    let mut asked = Asked::new();
    asked.pass(30_000);
    asked.touch(Button::Accept, Phase::Down);
    asked.touch(Button::Accept, Phase::Up);
    assert_eq!(asked.answers(), []);
}

#[test]
fn a_question_that_is_covered_must_be_seen_anew() {
    let mut asked = Asked::armed();
    asked.touch(Button::Accept, Phase::Down);
    asked.ui.handle_verified(false, asked.now);
    asked.ui.handle_verified(true, asked.now);
    asked.touch(Button::Accept, Phase::Up);
    asked.touch(Button::Accept, Phase::Down);
    asked.touch(Button::Accept, Phase::Up);
    assert_eq!(asked.answers(), []);
    asked.pass(1500);
    asked.touch(Button::Accept, Phase::Down);
    asked.touch(Button::Accept, Phase::Up);
    assert_eq!(asked.answers(), [accepted()]);
}

#[test]
fn sliding_onto_a_button_or_off_it_does_nothing() {
    let mut asked = Asked::armed();
    asked.touch(Button::Refuse, Phase::Down);
    asked.touch(Button::Accept, Phase::Move);
    asked.touch(Button::Accept, Phase::Up);
    asked.touch(Button::Accept, Phase::Down);
    asked.touch(Button::Refuse, Phase::Up);
    assert_eq!(asked.answers(), []);
}

#[test]
fn two_fingers_do_not_accept() {
    let mut asked = Asked::armed();
    asked.touch_with(0, Button::Accept, Phase::Down);
    asked.touch_with(1, Button::Refuse, Phase::Down);
    asked.touch_with(0, Button::Accept, Phase::Up);
    asked.touch_with(1, Button::Refuse, Phase::Up);
    assert_eq!(asked.answers(), []);
}

#[test]
fn refusing_needs_no_arming() {
    let mut asked = Asked::new();
    asked.touch(Button::Refuse, Phase::Down);
    asked.touch(Button::Refuse, Phase::Up);
    assert_eq!(asked.answers(), [PanelOutput::Refused { timed_out: false }]);
}

#[test]
fn time_out_means_no_and_is_counted_down() {
    let mut asked = Asked::new();
    assert_eq!(asked.ui.poll_timeout(), Some(asked.now + Duration::from_secs(1)));
    asked.pass(1000);
    assert_eq!(asked.outputs(), [PanelOutput::Redraw]);
    asked.pass(58_999);
    assert_eq!(asked.answers(), []);
    assert_eq!(asked.ui.poll_timeout(), Some(asked.now + Duration::from_millis(1)));
    asked.pass(1);
    assert_eq!(asked.answers(), [PanelOutput::Refused { timed_out: true }]);
    assert_eq!(asked.ui.poll_timeout(), None);
}

#[test]
fn a_tap_at_the_deadline_is_too_late() {
    let mut asked = Asked::armed();
    asked.touch(Button::Accept, Phase::Down);
    asked.now += Duration::from_secs(60);
    asked.touch(Button::Accept, Phase::Up);
    assert_eq!(asked.answers(), [PanelOutput::Refused { timed_out: true }]);
}

#[test]
fn enter_alone_refuses() {
    let mut asked = Asked::armed();
    asked.key(ENTER, true);
    assert_eq!(asked.answers(), []);
    asked.key(ENTER, false);
    assert_eq!(asked.answers(), [PanelOutput::Refused { timed_out: false }]);
}

#[test]
fn the_keyboard_accepts_in_two_steps() {
    let mut asked = Asked::armed();
    asked.key(RIGHT, true);
    asked.key(RIGHT, false);
    assert_eq!(asked.outputs(), [PanelOutput::Redraw], "the selection is seen");
    asked.key(ENTER, true);
    asked.key(ENTER, false);
    assert_eq!(asked.answers(), [accepted()]);
}

#[test]
fn an_enter_held_since_before_decides_nothing() {
    let mut asked = Asked::new();
    asked.key(RIGHT, true);
    asked.key(ENTER, true);
    asked.ui.handle_verified(true, asked.now);
    asked.pass(1500);
    // The keyboard repeats.
    asked.key(ENTER, true);
    asked.key(ENTER, false);
    assert_eq!(asked.answers(), []);
}

#[test]
fn escape_refuses() {
    let mut asked = Asked::armed();
    asked.key(ESCAPE, true);
    assert_eq!(asked.answers(), [PanelOutput::Refused { timed_out: false }]);
}

#[test]
fn a_press_does_not_pass_from_one_view_to_the_next() {
    let mut asked = Asked::armed();
    asked.touch(Button::Accept, Phase::Down);
    let at = center(&asked.ui, Button::Accept);
    let deadline = asked.now + Duration::from_secs(30);
    asked.ui.show(ask(Level::None, deadline), asked.now);
    asked.ui.handle_verified(true, asked.now);
    asked.pass(1500);
    asked.ui.handle_local(&LocalEvent::Touch { contact: 0, at, phase: Phase::Up }, asked.now);
    assert_eq!(asked.answers(), []);
}

#[test]
fn the_same_question_again_starts_nothing_anew() {
    let mut asked = Asked::armed();
    let view = asked.ui.view().clone();
    asked.ui.show(view, asked.now);
    asked.touch(Button::Accept, Phase::Down);
    asked.touch(Button::Accept, Phase::Up);
    assert_eq!(asked.answers(), [accepted()]);
}

fn home(can_close: bool) -> (PanelUi, Instant) {
    let now = Instant::now();
    let mut ui = PanelUi::new(SIZE, Language::English, now);
    ui.show(View::Home { is_server_reachable: true, can_close }, now);
    (ui, now)
}

fn answers(ui: &mut PanelUi) -> Vec<PanelOutput> {
    std::iter::from_fn(|| ui.poll_output()).filter(|it| *it != PanelOutput::Redraw).collect()
}

#[test]
fn a_number_is_typed_with_the_finger() {
    let (mut ui, now) = home(false);
    for digit in [0, 9, 8, 7, 7] {
        tap(&mut ui, Button::Digit(digit), now);
    }
    tap(&mut ui, Button::Delete, now);
    for digit in [6, 5, 4, 3] {
        tap(&mut ui, Button::Digit(digit), now);
    }
    tap(&mut ui, Button::Connect, now);
    assert_eq!(answers(&mut ui), [], "a digit is missing");
    // The server's state changes meanwhile: the digits stay.
    ui.show(View::Home { is_server_reachable: false, can_close: false }, now);
    for digit in [2, 1, 1] {
        tap(&mut ui, Button::Digit(digit), now);
    }
    tap(&mut ui, Button::Connect, now);
    assert_eq!(answers(&mut ui), [PanelOutput::NumberEntered(98_765_432)]);
}

#[test]
fn a_number_is_typed_with_either_block_of_digits() {
    let (mut ui, now) = home(true);
    for key in [2, 3, 4, 79, 80, 81, 71, 82, 11, ENTER] {
        for pressed in [true, false] {
            ui.handle_local(&LocalEvent::Key { key: KeyCode(key), pressed }, now);
        }
    }
    assert_eq!(answers(&mut ui), [PanelOutput::NumberEntered(123_123_700)]);
    ui.handle_local(&LocalEvent::Key { key: KeyCode(ESCAPE), pressed: true }, now);
    assert_eq!(answers(&mut ui), [PanelOutput::Closed]);
}

#[test]
fn digits_are_forgotten_after_a_while() {
    let (mut ui, now) = home(false);
    let empty = picture(&ui, SIZE, 64);
    tap(&mut ui, Button::Digit(5), now);
    assert!(picture(&ui, SIZE, 64) != empty);
    assert_eq!(ui.poll_timeout(), Some(now + ENTRY_TIME));
    ui.handle_timeout(now + ENTRY_TIME);
    assert!(picture(&ui, SIZE, 64) == empty);
    assert_eq!(ui.poll_timeout(), None);
}

#[test]
fn the_sign_of_a_session_takes_a_small_corner_and_stops_at_a_touch() {
    let now = Instant::now();
    for (width, height) in [(320, 240), (800, 480), (1920, 1080), (1080, 1920)] {
        let size = Size::new(width, height);
        let mut ui = PanelUi::new(size, Language::English, now);
        ui.show(View::Session(ada()), now);
        let area = ui.area().unwrap();
        assert_eq!((area.y, area.x + area.width), (0, width));
        assert!(area.height * 4 <= height.min(width), "{area:?}");
    }
    let mut ui = PanelUi::new(SIZE, Language::English, now);
    ui.show(View::Session(ada()), now);
    for key in [ENTER, ESCAPE, RIGHT] {
        for pressed in [true, false] {
            ui.handle_local(&LocalEvent::Key { key: KeyCode(key), pressed }, now);
        }
    }
    assert_eq!(answers(&mut ui), [], "keys are the application's");
    tap(&mut ui, Button::Stop, now);
    assert_eq!(answers(&mut ui), [PanelOutput::StopPressed]);
}

#[test]
fn the_sign_says_that_the_link_is_silent_and_can_still_be_stopped() {
    let now = Instant::now();
    let mut ui = PanelUi::new(SIZE, Language::English, now);
    let sign = |is_silent| View::Session(Connected { is_silent, ..ada() });
    let words = |is_silent| {
        let scene = scene_of(SIZE, &sign(is_silent), Language::English);
        let text = |piece: &Piece| match piece {
            Piece::Text { text, .. } => Some(text.lines.join(" ")),
            _ => None,
        };
        scene.pieces.iter().filter_map(text).collect::<Vec<_>>()
    };
    assert!(words(false).contains(&"Technician connected".to_owned()));
    assert!(words(true).contains(&"Connection interrupted".to_owned()));
    // A finger that is down meanwhile still counts.
    ui.show(sign(false), now);
    let (at, contact) = (center(&ui, Button::Stop), 0);
    ui.handle_local(&LocalEvent::Touch { contact, at, phase: Phase::Down }, now);
    ui.show(sign(true), now);
    ui.handle_local(&LocalEvent::Touch { contact, at, phase: Phase::Up }, now);
    assert_eq!(answers(&mut ui), [PanelOutput::StopPressed]);
}

#[test]
fn an_interruption_is_not_ended_by_a_stray_enter() {
    let now = Instant::now();
    let mut ui = PanelUi::new(SIZE, Language::English, now);
    ui.show(View::Message(Message::Interrupted), now);
    let mut key = |key| {
        for pressed in [true, false] {
            ui.handle_local(&LocalEvent::Key { key: KeyCode(key), pressed }, now);
        }
        answers(&mut ui)
    };
    assert_eq!(key(ENTER), []);
    assert_eq!(key(RIGHT), []);
    assert_eq!(key(ENTER), [PanelOutput::StopPressed]);
}

#[test]
fn a_message_closes_when_read_or_after_a_while() {
    let now = Instant::now();
    let mut ui = PanelUi::new(SIZE, Language::English, now);
    ui.show(View::Message(Message::Refused), now);
    assert_eq!(ui.poll_timeout(), Some(now + MESSAGE_TIME));
    ui.handle_timeout(now + MESSAGE_TIME);
    assert_eq!(answers(&mut ui), [PanelOutput::MessageClosed]);
    ui.show(View::Message(Message::NotJoined), now);
    tap(&mut ui, Button::Ok, now);
    assert_eq!(answers(&mut ui), [PanelOutput::MessageClosed]);
}

#[test]
fn nothing_is_covered_while_hidden() {
    let (mut ui, now) = home(true);
    ui.show(View::Hidden, now);
    assert_eq!(ui.area(), None);
    let at = Point::new(5, 5);
    ui.handle_local(&LocalEvent::Touch { contact: 0, at, phase: Phase::Down }, now);
    assert_eq!(answers(&mut ui), []);
}

#[test]
fn layouts_are_given_as_json() {
    let json = serde_json::to_value(layout(SIZE, None, &View::Joining { number: 1 })).unwrap();
    assert_eq!(json["width"], 800);
    assert_eq!(json["area"]["height"], 480);
    assert_eq!(json["buttons"][0]["name"], "cancel");
    let json = serde_json::to_value(layout(SIZE, None, &View::Hidden)).unwrap();
    assert!(json["area"].is_null());
}

/// Any event a person, a child or a cleaning cloth can cause.
fn any_event() -> impl Strategy<Value = LocalEvent> {
    let phase = prop_oneof![Just(Phase::Down), Just(Phase::Move), Just(Phase::Up)];
    prop_oneof![
        (0u8..3, 0u32..900, 0u32..500, phase).prop_map(|(contact, x, y, phase)| {
            LocalEvent::Touch { contact, at: Point::new(x, y), phase }
        }),
        (any::<u16>(), any::<bool>())
            .prop_map(|(key, pressed)| LocalEvent::Key { key: KeyCode(key), pressed }),
        (prop_oneof![Just(ENTER), Just(RIGHT)], any::<bool>())
            .prop_map(|(key, pressed)| LocalEvent::Key { key: KeyCode(key), pressed }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_accepts_before_arming(events in prop::collection::vec(any_event(), 0..40)) {
        let mut asked = Asked::new();
        asked.ui.handle_verified(true, asked.now);
        asked.pass(1499);
        for event in &events {
            asked.ui.handle_local(event, asked.now);
        }
        let answers = asked.answers();
        prop_assert!(answers.len() <= 1 && !answers.iter().any(|it| matches!(it, PanelOutput::Accepted(_))));
    }
}

#[test]
fn a_password_has_six_digits_and_is_given_once() {
    let now = Instant::now();
    let mut ui = PanelUi::new(SIZE, Language::English, now);
    ui.show(View::Password { number: 123_456_789 }, now);
    let press = |ui: &mut PanelUi, key: u16| {
        for pressed in [true, false] {
            ui.handle_local(&LocalEvent::Key { key: KeyCode(key), pressed }, now);
        }
    };
    let outputs = |ui: &mut PanelUi| -> Vec<PanelOutput> {
        let all = std::iter::from_fn(|| ui.poll_output());
        all.filter(|output| *output != PanelOutput::Redraw).collect()
    };
    for digit in [1, 2, 3, 4, 5] {
        press(&mut ui, digit + 1);
    }
    press(&mut ui, ENTER);
    assert_eq!(outputs(&mut ui), [], "a digit is missing");
    for digit in [6, 7] {
        press(&mut ui, digit + 1);
    }
    press(&mut ui, ENTER);
    press(&mut ui, ENTER);
    assert_eq!(outputs(&mut ui), [PanelOutput::PasswordEntered(123_456)]);
}

#[test]
fn nobody_who_types_a_password_gives_up_joining() {
    let now = Instant::now();
    for (way, wait) in [(true, Duration::ZERO), (false, PASSWORD_TIME)] {
        let mut ui = PanelUi::new(SIZE, Language::English, now);
        ui.show(View::Password { number: 123_456_789 }, now);
        if way {
            ui.handle_local(&LocalEvent::Key { key: KeyCode(ESCAPE), pressed: true }, now);
        }
        ui.handle_timeout(now + wait);
        let mut outputs = std::iter::from_fn(|| ui.poll_output());
        assert!(outputs.any(|output| output == PanelOutput::Cancelled));
    }
}

#[path = "rights_tests.rs"]
mod rights;
