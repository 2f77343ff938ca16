//! What the hand does on the remote picture: mouse, wheel, fingers, and two fingers by one mouse.

use egui::{Event, Modifiers, MouseWheelUnit, Pos2, Stroke, Ui, Vec2, vec2};

use super::picture::Place;
use super::theme;
use super::view::{Pointing, View};
use crate::model::{Button, Command, KeyCode, PixelPoint, TouchPhase};

/// Points that a touch pad moves for one notch of the wheel.
const POINTS_PER_NOTCH: f32 = 50.0;

/// Most notches sent for one turn.
const MAX_NOTCHES: i32 = 20;

/// Pixels between two fingers at least, so that a panel sees two.
const LEAST_SPREAD: i64 = 24;

/// `KEY_LEFTCTRL`, `KEY_RIGHTCTRL`, `KEY_LEFTALT`, `KEY_RIGHTALT`: what makes a pinch of a drag.
const PINCH_KEYS: [KeyCode; 4] = [KeyCode(29), KeyCode(97), KeyCode(56), KeyCode(100)];

/// The fingers of a pinch.
const PINCH_FINGERS: [u8; 2] = [0, 1];

/// Turns what the hand does on the picture into commands, in order.
pub(super) fn hand_ui(
    ui: &Ui,
    place: Place,
    response: &egui::Response,
    view: &mut View,
    commands: &mut Vec<Command>,
) {
    let over = response.contains_pointer() && view.typing.is_none();
    let (events, modifiers, at) =
        ui.input(|input| (input.events.clone(), input.modifiers, input.pointer.latest_pos()));
    prepare_pinch(modifiers, at.filter(|_| over).map(|at| place.picture_from_view(at)), view);
    // The first finger is told as a mouse, too, which must not press a second time.
    let has_fingers = events.iter().any(|event| matches!(event, Event::Touch { .. }));
    for event in &events {
        match event {
            Event::Touch { id, phase, pos, .. } => {
                finger(place, id.0, *phase, *pos, view, commands)
            }
            Event::PointerMoved(_) | Event::PointerButton { .. }
                if has_fingers || !view.touches.is_empty() => {}
            Event::PointerMoved(at) if over || !view.held.is_empty() => {
                moved(place, place.picture_from_view(*at), over, view, commands);
            }
            Event::PointerButton { pos, button, pressed, .. } => {
                if over && *pressed {
                    view.picture_focused = true;
                }
                if over || !*pressed {
                    let at = place.picture_from_view(*pos);
                    press(place, at, *button, *pressed, view, commands);
                }
            }
            Event::MouseWheel { unit, delta, .. } if over => {
                commands.extend(wheel(*unit, *delta, &mut view.wheel));
            }
            _ => {}
        }
    }
    if let (Some(centre), Some(at)) = (view.pinch_centre, at) {
        show_pinch(ui, place, centre, place.picture_from_view(at));
    }
}

/// Points at what the hand is on, instead of pressing it.
pub(super) fn arrow_ui(
    ui: &Ui,
    place: Place,
    response: &egui::Response,
    view: &mut View,
    commands: &mut Vec<Command>,
) {
    let over = response.contains_pointer() && view.typing.is_none();
    if over {
        ui.ctx().set_cursor_icon(egui::CursorIcon::PointingHand);
    }
    let mut at = None;
    for event in ui.input(|input| input.events.clone()) {
        match event {
            Event::Touch { pos, .. }
            | Event::PointerMoved(pos)
            | Event::PointerButton { pos, pressed: true, .. }
                if over && place.contains(pos) =>
            {
                at = Some(place.picture_from_view(pos));
            }
            _ => {}
        }
    }
    if at.is_some() {
        view.is_pointing = true;
        commands.push(Command::Point(at));
    } else if !over && std::mem::take(&mut view.is_pointing) {
        commands.push(Command::Point(None));
    }
}

/// Where Ctrl and Alt are pressed first is the middle of a pinch, until they are let go.
fn prepare_pinch(modifiers: Modifiers, at: Option<PixelPoint>, view: &mut View) {
    let is_wanted = modifiers.ctrl && modifiers.alt;
    match (is_wanted, view.pinch_centre, at) {
        (true, None, Some(at)) => view.pinch_centre = Some(at),
        (false, Some(_), _) if !view.is_pinching => view.pinch_centre = None,
        _ => {}
    }
}

/// Both fingers of a pinch: where the mouse is, and opposite of it.
fn pinch_fingers(centre: PixelPoint, at: PixelPoint) -> [PixelPoint; 2] {
    let (mut x, y) = (i64::from(at.x) - i64::from(centre.x), i64::from(at.y) - i64::from(centre.y));
    if x.abs().max(y.abs()) * 2 < LEAST_SPREAD {
        x = if x < 0 { -LEAST_SPREAD / 2 } else { LEAST_SPREAD / 2 };
    }
    let beside = |side: u32, by: i64| (i64::from(side) + by).clamp(0, u32::MAX.into()) as u32;
    [(x, y), (-x, -y)].map(|(x, y)| PixelPoint { x: beside(centre.x, x), y: beside(centre.y, y) })
}

fn show_pinch(ui: &Ui, place: Place, centre: PixelPoint, at: PixelPoint) {
    let stroke = Stroke::new(2.0, theme::ACCENT);
    for finger in pinch_fingers(centre, at) {
        let at = place.view_from_picture(finger);
        if place.contains(at) {
            ui.painter().circle_stroke(at, 12.0, stroke);
        }
    }
}

/// Moves, puts down or lifts both fingers.
fn pinch(
    place: Place,
    phase: TouchPhase,
    at: PixelPoint,
    view: &mut View,
    commands: &mut Vec<Command>,
) {
    let Some(centre) = view.pinch_centre else { return };
    for (contact, at) in PINCH_FINGERS.into_iter().zip(pinch_fingers(centre, at)) {
        commands.extend(view.held.finger(contact, phase, place.within(at)));
    }
}

/// A real finger on the picture. It keeps its place among the fingers until it is lifted.
fn finger(
    place: Place,
    id: u64,
    phase: egui::TouchPhase,
    pos: Pos2,
    view: &mut View,
    commands: &mut Vec<Command>,
) {
    let at = place.picture_from_view(pos);
    match phase {
        egui::TouchPhase::Start if place.contains(pos) && view.typing.is_none() => {
            view.picture_focused = true;
            let Some(contact) = view.held.free_finger() else { return };
            if view.touches.insert(id, contact).is_none() {
                commands.extend(view.held.finger(contact, TouchPhase::Down, at));
            }
        }
        egui::TouchPhase::Start => {}
        egui::TouchPhase::Move => {
            if let Some(contact) = view.touches.get(&id) {
                commands.extend(view.held.finger(*contact, TouchPhase::Move, at));
            }
        }
        egui::TouchPhase::End | egui::TouchPhase::Cancel => {
            if let Some(contact) = view.touches.remove(&id) {
                commands.extend(view.held.finger(contact, TouchPhase::Up, at));
            }
        }
    }
}

fn moved(place: Place, at: PixelPoint, over: bool, view: &mut View, commands: &mut Vec<Command>) {
    match view.pointing {
        _ if view.is_pinching => pinch(place, TouchPhase::Move, at, view, commands),
        Pointing::Mouse if over || view.held.any_button() => {
            commands.push(Command::PointerMove(at));
        }
        Pointing::Mouse | Pointing::Arrow => {}
        Pointing::Touch => commands.extend(view.held.finger(0, TouchPhase::Move, at)),
    }
}

fn press(
    place: Place,
    at: PixelPoint,
    button: egui::PointerButton,
    pressed: bool,
    view: &mut View,
    commands: &mut Vec<Command>,
) {
    let button = match button {
        egui::PointerButton::Primary => Button::Left,
        egui::PointerButton::Middle => Button::Middle,
        egui::PointerButton::Secondary => Button::Right,
        egui::PointerButton::Extra1 | egui::PointerButton::Extra2 => return,
    };
    if button == Button::Left && view.is_pinching && !pressed {
        view.is_pinching = false;
        pinch(place, TouchPhase::Up, at, view, commands);
        return;
    }
    if button == Button::Left && pressed && view.pinch_centre.is_some() {
        // The keys that ask for a pinch are not part of it at the panel.
        commands.extend(PINCH_KEYS.into_iter().filter_map(|key| view.held.key(key, false)));
        view.is_pinching = true;
        pinch(place, TouchPhase::Down, at, view, commands);
        return;
    }
    if view.pointing == Pointing::Touch {
        if button == Button::Left {
            let phase = if pressed { TouchPhase::Down } else { TouchPhase::Up };
            commands.extend(view.held.finger(0, phase, at));
        }
        return;
    }
    if let Some(command) = view.held.button(button, pressed) {
        commands.push(Command::PointerMove(at));
        commands.push(command);
    }
}

/// Whole notches of a turn; what is less is kept in `rest`.
fn wheel(unit: MouseWheelUnit, delta: Vec2, rest: &mut Vec2) -> Option<Command> {
    let notches = match unit {
        MouseWheelUnit::Line => delta,
        MouseWheelUnit::Page => delta * 5.0,
        MouseWheelUnit::Point => delta / POINTS_PER_NOTCH,
    };
    *rest += notches;
    let whole = vec2(rest.x.trunc(), rest.y.trunc());
    *rest -= whole;
    let bounded = |v: f32| (v as i32).clamp(-MAX_NOTCHES, MAX_NOTCHES);
    // egui counts positive what moves the content right, a wheel what moves the view right.
    let (vertical, horizontal) = (bounded(whole.y), -bounded(whole.x));
    ((vertical, horizontal) != (0, 0)).then_some(Command::Wheel { vertical, horizontal })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_fingers_are_opposite_of_each_other_and_never_on_one_spot() {
        let centre = PixelPoint { x: 100, y: 50 };
        let at = |x, y| PixelPoint { x, y };
        assert_eq!(pinch_fingers(centre, at(140, 30)), [at(140, 30), at(60, 70)]);
        let [one, other] = pinch_fingers(centre, centre);
        assert_eq!(i64::from(one.x) - i64::from(other.x), LEAST_SPREAD);
        // What would be left of the picture is its edge.
        assert_eq!(pinch_fingers(at(5, 5), at(300, 5)), [at(300, 5), at(0, 5)]);
    }

    #[test]
    fn small_turns_add_up_to_notches() {
        let mut rest = Vec2::ZERO;
        let turns: Vec<_> = (0..5)
            .filter_map(|_| wheel(MouseWheelUnit::Point, vec2(0.0, 20.0), &mut rest))
            .collect();
        assert_eq!(
            turns,
            [
                Command::Wheel { vertical: 1, horizontal: 0 },
                Command::Wheel { vertical: 1, horizontal: 0 },
            ]
        );
        let huge = wheel(MouseWheelUnit::Line, vec2(0.0, 1e9), &mut rest);
        assert_eq!(huge, Some(Command::Wheel { vertical: MAX_NOTCHES, horizontal: 0 }));
    }
}
