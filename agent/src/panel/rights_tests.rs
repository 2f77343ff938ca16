//! Rights can be taken out of a question, and away from somebody who is connected.

use super::*;

/// Presses a button of the picture where the person chooses.
fn tick(asked: &mut Asked, button: Button) {
    let View::Asking(ask) = asked.ui.view().clone() else { panic!("no question") };
    let places = choosing_layout(SIZE, None, &ask).buttons;
    let place = places.into_iter().find(|place| place.name == button.name()).unwrap();
    let at = Point::new(place.x + place.width / 2, place.y + place.height / 2);
    for phase in [Phase::Down, Phase::Up] {
        asked.ui.handle_local(&LocalEvent::Touch { contact: 0, at, phase }, asked.now);
    }
}

fn accept(asked: &mut Asked) {
    asked.touch(Button::Accept, Phase::Down);
    asked.touch(Button::Accept, Phase::Up);
}

fn choose(asked: &mut Asked) {
    asked.touch(Button::Choose, Phase::Down);
    asked.touch(Button::Choose, Phase::Up);
}

#[test]
fn what_is_taken_out_of_the_question_is_not_accepted() {
    let mut asked = Asked::armed();
    choose(&mut asked);
    tick(&mut asked, Button::Tick(Right::Shell));
    tick(&mut asked, Button::Tick(Right::Reboot));
    tick(&mut asked, Button::Tick(Right::Reboot));
    tick(&mut asked, Button::Chosen);
    accept(&mut asked);
    assert_eq!(asked.answers(), [], "the question must be seen anew");
    asked.ui.handle_verified(true, asked.now);
    asked.pass(1500);
    accept(&mut asked);
    let left = RightSet::of(&Right::ALL).toggled(Right::Shell);
    assert_eq!(asked.answers(), [PanelOutput::Accepted(left)]);
}

#[test]
fn nothing_at_all_cannot_be_accepted() {
    let mut asked = Asked::armed();
    choose(&mut asked);
    for right in
        Right::ALL.into_iter().filter(|right| !matches!(right, Right::Control | Right::Pointer))
    {
        tick(&mut asked, Button::Tick(right));
    }
    // Control and pointing went with the screen.
    tick(&mut asked, Button::Chosen);
    asked.ui.handle_verified(true, asked.now);
    asked.pass(2000);
    accept(&mut asked);
    assert_eq!(asked.answers(), []);
    asked.pass(60_000);
    assert_eq!(asked.answers(), [PanelOutput::Refused { timed_out: true }]);
}

#[test]
fn whoever_chooses_accepts_nothing_meanwhile() {
    let mut asked = Asked::armed();
    choose(&mut asked);
    asked.ui.handle_verified(true, asked.now);
    asked.pass(5000);
    accept(&mut asked);
    assert!(!asked.answers().iter().any(|it| matches!(it, PanelOutput::Accepted(_))));
}

#[test]
fn control_needs_the_screen() {
    let all = RightSet::of(&Right::ALL);
    let blind = all.toggled(Right::View);
    let lost = [Right::View, Right::Control, Right::Pointer];
    assert!(lost.iter().all(|right| !blind.has(*right)) && blind.has(Right::Shell));
    let seeing = blind.toggled(Right::Control);
    assert!(seeing.has(Right::View) && seeing.has(Right::Control));
}

#[test]
fn the_rights_can_be_chosen_with_keys_alone() {
    let mut asked = Asked::armed();
    let mut press = |key| {
        for pressed in [true, false] {
            asked.key(key, pressed);
        }
    };
    for key in [RIGHT, RIGHT, ENTER, RIGHT, RIGHT, ENTER, ESCAPE] {
        press(key);
    }
    asked.ui.handle_verified(true, asked.now);
    asked.pass(1500);
    for key in [RIGHT, ENTER] {
        for pressed in [true, false] {
            asked.key(key, pressed);
        }
    }
    let left = RightSet::of(&Right::ALL).toggled(Right::Control);
    assert_eq!(asked.answers(), [PanelOutput::Accepted(left)]);
}

#[test]
fn everything_can_be_chosen_on_common_panels() {
    for (long, short) in [(320, 240), (480, 272), (800, 480), (1280, 800), (1920, 1080)] {
        for size in [Size::new(long, short), Size::new(short, long)] {
            for language in Language::ALL {
                let view = ask(Level::Password, Instant::now());
                let scene = scene(&Shown {
                    size,
                    density: None,
                    view: &view,
                    texts: language.texts(),
                    entry: "",
                    pressed: None,
                    selected: None,
                    is_armed: false,
                    seconds_left: 0,
                    ticked: RightSet::of(&[Right::View]),
                    is_choosing: true,
                })
                .unwrap();
                let rights = language.texts().rights.of(Right::Control);
                assert!(scene.fits(40.min(size.height / 8)), "{size:?} {language:?} {rights}");
                assert_eq!(scene.buttons.len(), Right::ALL.len() + 1);
            }
        }
    }
}

#[test]
fn the_sign_leads_to_the_details_and_those_to_looking_on() {
    let now = Instant::now();
    let mut ui = PanelUi::new(SIZE, Language::English, now);
    ui.show(View::Session(ada()), now);
    tap(&mut ui, Button::Details, now);
    assert_eq!(answers(&mut ui), [PanelOutput::DetailsOpened]);
    ui.show(View::Details(ada()), now);
    tap(&mut ui, Button::LookOnly, now);
    assert_eq!(answers(&mut ui), [PanelOutput::LookOnlyPressed]);
    let only = Connected { rights: RightSet::of(&[Right::View]), ..ada() };
    ui.show(View::Details(only.clone()), now);
    let scene = scene_of(SIZE, &View::Details(only), Language::English);
    assert!(scene.buttons.iter().all(|(button, _)| *button != Button::LookOnly));
}

#[test]
fn what_is_announced_can_be_prevented_and_comes_when_nobody_does() {
    let now = Instant::now();
    let deadline = now + Duration::from_secs(10);
    for prevents in [true, false] {
        let mut ui = PanelUi::new(SIZE, Language::English, now);
        ui.show(View::Coming(Coming { name: name("Ada"), what: Work::Reboot, deadline }), now);
        ui.handle_timeout(deadline - Duration::from_millis(1));
        assert_eq!(answers(&mut ui), []);
        if prevents {
            tap(&mut ui, Button::Prevent, now);
            ui.handle_timeout(deadline);
            assert_eq!(answers(&mut ui), [PanelOutput::Prevented]);
        } else {
            ui.handle_timeout(deadline);
            assert_eq!(answers(&mut ui), [PanelOutput::TimeHasCome]);
        }
    }
}
