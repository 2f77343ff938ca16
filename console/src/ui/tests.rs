//! What a hand does on the screens.

use egui::{Event as Input, Modifiers, PointerButton, Pos2, RawInput, Rect, pos2, vec2};
use lotse_protocol::ServerAddress;
use winit::keyboard::{KeyCode as Place, PhysicalKey};

use super::*;
use crate::model::{
    Button, Code, EndReason, Event, KeyCode, Knock, Level, Member, Need, Peer, PixelPoint, Right,
    Rights, Role, TouchPhase,
};

const WINDOW: Rect = Rect { min: Pos2::ZERO, max: pos2(1000.0, 700.0) };

/// A console without pixels.
struct Bench {
    ctx: egui::Context,
    model: Model,
    picture: SharedPicture,
    view: View,
    now: Instant,
}

impl Bench {
    fn new() -> Self {
        let ctx = egui::Context::default();
        theme::apply(&ctx);
        let view = View::new(Language::En, "server.example".into(), "Ada".into());
        let (model, picture) = (Model::default(), SharedPicture::default());
        Self { ctx, model, picture, view, now: Instant::now() }
    }

    fn comparing() -> Self {
        let mut bench = Self::new();
        let server = "server.example".parse().unwrap();
        bench.model.note(&Command::Open {
            server,
            name: "Ada".into(),
            with_password: false,
            asks: Rights::USUAL,
        });
        bench.event(Event::Opened { number: "412936085".parse().unwrap() });
        bench.event(Event::Joined);
        bench.event(Event::Code { code: Code::from_digits([1; 6]), who: "Kiosk".into() });
        bench
    }

    fn connected(rights: Rights) -> Self {
        let mut bench = Self::comparing();
        bench.model.note(&Command::CodesMatch);
        bench.event(Event::Connected(Peer {
            name: "Kiosk".into(),
            rights,
            level: Level::CodeCompared,
        }));
        bench.picture.lock().resize(400, 200).unwrap();
        bench.frame(vec![]);
        bench
    }

    fn event(&mut self, event: Event) {
        self.model.apply(event, self.now);
    }

    fn frame(&mut self, events: Vec<Input>) -> Vec<Command> {
        let input = RawInput { screen_rect: Some(WINDOW), events, ..RawInput::default() };
        let scene = Scene { model: &self.model, picture: &self.picture, now: self.now };
        let mut commands = Vec::new();
        let _ = self.ctx.run_ui(input, |ui| commands = console_ui(ui, &scene, &mut self.view));
        commands
    }

    fn click(&mut self, at: Pos2) -> Vec<Command> {
        let button = |pressed| Input::PointerButton {
            pos: at,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        };
        let mut commands = self.frame(vec![Input::PointerMoved(at)]);
        commands.extend(self.frame(vec![button(true)]));
        commands.extend(self.frame(vec![button(false)]));
        commands
    }

    /// The commands about members that clicks at the right, where the list is, give.
    fn commands_of_list(start: impl Fn() -> Self) -> Vec<Command> {
        let mut found: Vec<Command> = Vec::new();
        for y in (0..28).map(|row| 60.0 + row as f32 * 22.0) {
            for x in [760.0, 860.0, 950.0] {
                let mut bench = start();
                bench.frame(vec![]);
                for command in bench.click(pos2(x, y)) {
                    if !found.contains(&command) {
                        found.push(command);
                    }
                }
            }
        }
        found
    }

    /// Every command that a click somewhere gives; each click begins anew.
    fn commands_of_all_clicks(start: impl Fn() -> Self) -> Vec<Command> {
        let mut found: Vec<Command> = Vec::new();
        let mut bench = start();
        let (looks_on, with_password) = (bench.view.looks_on, bench.view.with_password);
        for y in (0..35).map(|row| row as f32 * 20.0 + 5.0) {
            for x in (0..25).map(|column| column as f32 * 40.0 + 5.0) {
                let commands = bench.click(pos2(x, y));
                // The switches stay as they were.
                (bench.view.looks_on, bench.view.with_password) = (looks_on, with_password);
                for command in commands {
                    if !found.contains(&command) {
                        found.push(command);
                        // A name or a language may have changed the screen.
                        bench = start();
                    }
                }
            }
        }
        found
    }
}

/// A session with a panel, and another technician who looks on.
fn in_company() -> Bench {
    in_company_controlled_by(1)
}

fn in_company_controlled_by(controller: u16) -> Bench {
    let mut bench = Bench::connected(STEER);
    let member = |id: u16, is_device: bool| Member {
        id,
        name: format!("member {id}"),
        is_device,
        level: (id > 1).then_some(Level::Password),
        rights: if is_device { STEER } else { Rights::NONE },
        controller: is_device.then_some(controller),
        is_me: id == 1,
        is_moderator: id == 1,
        is_deputy: false,
        is_presenter: is_device,
        is_away: false,
    };
    bench.event(Event::Members(vec![member(1, false), member(2, true), member(3, false)]));
    bench
}

#[test]
fn one_panel_alone_has_no_list_of_members_beside_it() {
    let found = Bench::commands_of_list(|| Bench::connected(STEER));
    assert!(!found.iter().any(|c| matches!(c, Command::GiveControl { .. } | Command::Lock(_))));
    assert!(found.iter().any(|c| matches!(c, Command::PointerMove(_))), "the picture is there");
}

#[test]
fn in_company_the_list_opens_by_itself_and_gives_control() {
    let found = Bench::commands_of_list(in_company);
    assert!(found.contains(&Command::GiveControl { member: 3 }), "{found:?}");
    assert!(found.contains(&Command::Lock(true)), "{found:?}");
    assert!(!found.contains(&Command::GiveControl { member: 2 }), "a panel controls nothing");
}

#[test]
fn who_waits_is_let_in_after_comparing_and_by_nobody_who_looks_on() {
    let knocking = || {
        let mut bench = in_company();
        let need = Need::Compare(Code::from_digits([7; 6]));
        let knock = Knock { member: 9, who: "Bob".into(), is_device: false, need };
        bench.event(Event::Knocking(knock));
        bench
    };
    let found = Bench::commands_of_list(knocking);
    for command in [
        Command::Admit { member: 9 },
        Command::CodesDifferOf { member: 9 },
        Command::SendAway { member: 9 },
    ] {
        assert!(found.contains(&command), "{command:?} in {found:?}");
    }
    let found = Bench::commands_of_list(|| {
        let mut bench = in_company_controlled_by(3);
        bench.event(Event::Role(Role::Onlooker));
        bench
    });
    let moderates = |c: &Command| matches!(c, Command::GiveControl { .. } | Command::Lock(_));
    assert!(!found.iter().any(moderates), "{found:?}");
    assert!(found.contains(&Command::AskControl), "{found:?}");
}

const STEER: Rights = Rights::NONE.with(Right::View).with(Right::Control);

/// The middle of the picture as it is fitted into the window.
const MIDDLE: Pos2 = pos2(500.0, 361.0);

#[test]
fn comparing_offers_both_answers_and_to_wait_for_another() {
    let found = Bench::commands_of_all_clicks(Bench::comparing);
    assert_eq!(found, [Command::CodesMatch, Command::CodesDiffer, Command::NotExpected]);
}

#[test]
fn opening_takes_what_stands_in_the_fields() {
    let all = Rights::USUAL.with(Right::Shell).with(Right::Reboot);
    for (with_password, asks) in [(false, Rights::USUAL), (true, all)] {
        let found = Bench::commands_of_all_clicks(|| {
            let mut bench = Bench::new();
            (bench.view.with_password, bench.view.asks) = (with_password, asks);
            bench
        });
        let server: ServerAddress = "server.example".parse().unwrap();
        let open = Command::Open { server, name: "Ada".into(), with_password, asks };
        assert!(found.contains(&open), "{found:?}");
        assert!(found.iter().all(|command| matches!(command, Command::Open { .. })), "{found:?}");
    }
    // Looking on asks for a number instead.
    let found = Bench::commands_of_all_clicks(|| {
        let mut bench = Bench::new();
        (bench.view.looks_on, bench.view.number) = (true, "412 936 085".into());
        bench
    });
    let (server, number) = ("server.example".parse().unwrap(), "412936085".parse().unwrap());
    assert_eq!(found.last(), Some(&Command::Watch { server, name: "Ada".into(), number }));
}

#[test]
fn a_wrong_address_or_no_name_opens_nothing() {
    for (server, name) in [("", "Ada"), ("a b", "Ada"), ("server.example", " ")] {
        let found = Bench::commands_of_all_clicks(|| {
            let mut bench = Bench::new();
            bench.view = View::new(Language::En, server.into(), name.into());
            bench
        });
        assert!(found.is_empty(), "{server:?} {name:?}: {found:?}");
    }
}

#[test]
fn an_ended_session_can_be_opened_again() {
    let found = Bench::commands_of_all_clicks(|| {
        let mut bench = Bench::comparing();
        bench.event(Event::Ended(EndReason::StoppedAtPanel));
        bench
    });
    let are_openings = found.iter().all(|command| matches!(command, Command::Open { .. }));
    assert!(are_openings && !found.is_empty(), "{found:?}");
}

#[test]
fn a_click_presses_where_it_is_seen() {
    let mut bench = Bench::connected(STEER);
    let commands = bench.click(MIDDLE);
    let at = PixelPoint { x: 200, y: 100 };
    let near = |point: PixelPoint| point.x.abs_diff(at.x) <= 2 && point.y.abs_diff(at.y) <= 2;
    let moves: Vec<_> = commands
        .iter()
        .filter_map(|command| match command {
            Command::PointerMove(at) => Some(*at),
            _ => None,
        })
        .collect();
    assert!(!moves.is_empty() && moves.into_iter().all(near), "{commands:?}");
    let buttons: Vec<_> = commands
        .into_iter()
        .filter(|command| !matches!(command, Command::PointerMove(_)))
        .collect();
    let button = |pressed| Command::PointerButton { button: Button::Left, pressed };
    assert_eq!(buttons, [button(true), button(false)]);
}

#[test]
fn a_finger_touches_where_it_is_seen() {
    let mut bench = Bench::connected(STEER);
    bench.view.pointing = Pointing::Touch;
    let commands = bench.click(MIDDLE);
    let phases: Vec<_> = commands
        .into_iter()
        .map(|command| match command {
            Command::Touch { contact: 0, phase, .. } => phase,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(phases, [TouchPhase::Down, TouchPhase::Up]);
}

#[test]
fn with_the_arrow_the_hand_points_and_presses_nothing() {
    for rights in [STEER, Rights::NONE.with(Right::View)] {
        let mut bench = Bench::connected(rights.with(Right::Pointer));
        bench.view.pointing = Pointing::Arrow;
        let near = |at: &PixelPoint| at.x.abs_diff(200) <= 2 && at.y.abs_diff(100) <= 2;
        let commands = bench.click(MIDDLE);
        let points = |c: &Command| matches!(c, Command::Point(Some(at)) if near(at));
        assert!(!commands.is_empty() && commands.iter().all(points), "{commands:?}");
        let gone = bench.frame(vec![Input::PointerMoved(pos2(5.0, 5.0))]);
        assert_eq!(gone, [Command::Point(None)], "away from the picture there is no arrow");
        assert_eq!(bench.frame(vec![Input::PointerMoved(pos2(6.0, 5.0))]), []);
        // Without the right the hand does what it did before, or nothing.
        bench.event(Event::RightsChanged(rights));
        let commands = bench.click(MIDDLE);
        assert!(!commands.iter().any(|c| matches!(c, Command::Point(_))), "{commands:?}");
    }
}

#[test]
fn who_may_only_see_steers_nothing() {
    let found = Bench::commands_of_all_clicks(|| Bench::connected(Rights::NONE.with(Right::View)));
    assert_eq!(found, [Command::End]);
    let bench = Bench::connected(Rights::NONE.with(Right::View));
    assert!(!bench.view.keys_go_to_panel(&bench.model));
}

#[test]
fn every_physical_key_goes_to_the_panel_while_the_picture_has_the_focus() {
    let mut bench = Bench::connected(STEER);
    assert!(bench.view.keys_go_to_panel(&bench.model));
    for (place, code) in [(Place::SuperLeft, 125), (Place::F13, 183), (Place::PrintScreen, 99)] {
        let command = bench.view.key(PhysicalKey::Code(place), true);
        assert_eq!(command, Some(Command::Key { key: KeyCode(code), pressed: true }));
    }
}

#[test]
fn a_click_beside_the_picture_takes_the_keyboard_back() {
    let mut bench = Bench::connected(STEER);
    bench.click(pos2(500.0, 660.0));
    assert!(!bench.view.keys_go_to_panel(&bench.model));
    bench.click(MIDDLE);
    assert!(bench.view.keys_go_to_panel(&bench.model));
}

#[test]
fn an_interruption_lets_go_of_what_is_held() {
    let mut bench = Bench::connected(STEER);
    bench.view.key(PhysicalKey::Code(Place::ShiftLeft), true);
    bench.event(Event::Interrupted);
    assert_eq!(bench.frame(vec![]), [Command::ReleaseAll]);
    assert!(bench.frame(vec![]).is_empty());
}

#[test]
fn what_is_held_is_released_when_the_focus_is_lost() {
    let mut bench = Bench::connected(STEER);
    bench.view.key(PhysicalKey::Code(Place::AltLeft), true);
    let mut commands = Vec::new();
    bench.view.lose_focus(&mut commands);
    assert_eq!(commands, [Command::ReleaseAll]);
}

#[test]
fn keys_stay_here_while_a_text_is_written() {
    let mut bench = Bench::connected(STEER);
    bench.view.typing = Some(String::new());
    bench.frame(vec![]);
    assert!(!bench.view.keys_go_to_panel(&bench.model));
    let shielded = bench.click(pos2(120.0, 120.0));
    assert!(shielded.is_empty(), "the picture below takes no click: {shielded:?}");
}

#[test]
fn any_size_of_window_can_be_drawn() {
    for state in [Bench::new(), Bench::comparing(), Bench::connected(STEER)] {
        let mut bench = state;
        for size in [vec2(1.0, 1.0), vec2(200.0, 100.0), vec2(8000.0, 3000.0)] {
            for scale in [Scale::Fitted, Scale::Native] {
                bench.view.scale = scale;
                let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, size));
                let input = RawInput { screen_rect, ..RawInput::default() };
                let scene = Scene { model: &bench.model, picture: &bench.picture, now: bench.now };
                let _ = bench.ctx.run_ui(input, |ui| {
                    console_ui(ui, &scene, &mut bench.view);
                });
            }
        }
    }
}

#[test]
fn who_waits_is_let_in_or_sent_away_by_name() {
    let knocked = || {
        let mut bench = Bench::new();
        let server = "server.example".parse().unwrap();
        bench.model.note(&Command::Open {
            server,
            name: "Ada".into(),
            with_password: false,
            asks: Rights::USUAL,
        });
        bench.event(Event::Opened { number: "412936085".parse().unwrap() });
        bench.event(Event::Knocking(Knock {
            member: 7,
            who: "Kiosk".into(),
            is_device: true,
            need: Need::Name,
        }));
        bench
    };
    let found = Bench::commands_of_all_clicks(knocked);
    for command in [Command::Admit { member: 7 }, Command::SendAway { member: 7 }] {
        assert!(found.contains(&command), "{found:?}");
    }
    let mut bench = knocked();
    bench.event(Event::Left { member: 7 });
    assert!(bench.model.access().knocking.is_empty());
}

#[test]
fn three_wrong_passwords_lead_to_another_number() {
    use crate::model::{Invitation, SessionState};
    let mut bench = Bench::new();
    let server: ServerAddress = "server.example".parse().unwrap();
    let invited = |number: &str, word: &str| {
        Invitation::new(&server, number.parse().unwrap(), (word, "secret"))
    };
    let (first, second) = (invited("412936085", "111111"), invited("412936086", "222222"));
    bench.model.note(&Command::Open {
        server: server.clone(),
        name: "Ada".into(),
        with_password: true,
        asks: Rights::USUAL,
    });
    bench.event(Event::Invitation(first));
    bench.event(Event::Opened { number: "412936085".parse().unwrap() });
    bench.frame(vec![]);
    bench.event(Event::WrongPassword);
    assert_eq!(bench.model.access().wrong_passwords, 1);
    bench.event(Event::NumberBurned);
    bench.event(Event::Invitation(second.clone()));
    bench.event(Event::Opened { number: "412936086".parse().unwrap() });
    bench.frame(vec![]);
    let access = bench.model.access();
    assert_eq!((access.invitation.as_ref(), access.wrong_passwords), (Some(&second), 0));
    assert!(access.is_renewed && matches!(bench.model.state(), SessionState::Waiting { .. }));
}
