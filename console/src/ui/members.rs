//! Who is in the session, who wants to come in, and what can be done about it.

use std::time::Instant;

use egui::{Frame, Margin, Panel, RichText, ScrollArea, Stroke, Ui};

use super::view::View;
use super::{Scene, marks, theme, widgets};
use crate::model::{Command, Group, Knock, Member, Model, Need};
use crate::words::{MemberWords, Words};

/// Width of the list beside the picture, in points.
const WIDTH: f32 = 286.0;

/// Whether the list is seen. It opens by itself when there is more than one panel, and stays as the
/// technician wants it.
fn is_open(model: &Model, view: &View) -> bool {
    let has_news = !model.access().knocking.is_empty() || model.group().has_company();
    view.members_open.unwrap_or(has_news)
}

/// The button that opens the list; it says when somebody wants something.
pub(super) fn button_ui(ui: &mut Ui, model: &Model, view: &mut View, words: &Words) {
    let text = &words.members;
    let group = model.group();
    let wants = model.access().knocking.len() + group.asks_control.len();
    let others = group.members.len().saturating_sub(1);
    let label = match (wants, others) {
        (0, 0 | 1) => text.members.to_owned(),
        (0, _) => format!("{} {}", text.members, group.members.len()),
        _ => format!("{} ! {wants}", text.members),
    };
    let open = is_open(model, view);
    let highlighted = open || wants > 0;
    if ui.add(widgets::on_bar(&label, highlighted)).on_hover_text(text.members_hint).clicked() {
        view.members_open = Some(!open);
    }
}

/// The list beside the picture, if it is open.
pub(super) fn side_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    view: &mut View,
    words: &Words,
    commands: &mut Vec<Command>,
) {
    let model = scene.model;
    if !is_open(model, view) {
        return;
    }
    let frame = Frame::new().fill(theme::PAPER).inner_margin(Margin::same(14));
    let width = WIDTH.min(ui.available_width() * 0.5);
    Panel::right("members").frame(frame).resizable(false).exact_size(width).show(ui, |ui| {
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            list_ui(ui, (model, scene.now), view, words, commands);
        });
    });
    if !model.group().away_since.is_empty() {
        // The seconds go on.
        ui.ctx().request_repaint_after(std::time::Duration::from_millis(500));
    }
}

fn list_ui(
    ui: &mut Ui,
    (model, now): (&Model, Instant),
    view: &mut View,
    words: &Words,
    commands: &mut Vec<Command>,
) {
    let (group, text) = (model.group(), &words.members);
    if group.lists_differ {
        warning(ui, text.lists_differ);
    }
    removed_ui(ui, group, text);
    for knock in &model.access().knocking {
        entry(ui, |ui| knock_ui(ui, knock, words, commands));
    }
    for member in &group.members {
        entry(ui, |ui| member_ui(ui, (group, member, now), view, words, commands));
    }
    if !group.moderates() {
        return;
    }
    ui.add_space(8.0);
    if group.is_locked {
        widgets::soft(ui, text.locked);
    } else if let Some(number) = model.number() {
        widgets::soft(ui, text.invite);
        ui.label(RichText::new(number.to_string()).font(theme::bold_font(20.0)));
    }
    let mut is_locked = group.is_locked;
    if ui.checkbox(&mut is_locked, text.lock).changed() {
        commands.push(Command::Lock(is_locked));
    }
}

/// The members beside the number, as long as there is no panel.
pub(super) fn outside_ui(ui: &mut Ui, group: &Group, words: &Words, commands: &mut Vec<Command>) {
    let others = group.members.iter().filter(|member| !member.is_me);
    for member in others {
        ui.horizontal(|ui| {
            widgets::framed_name(ui, words.members.console, &member.name);
            if ui.add(widgets::small(words.members.kick)).clicked() {
                commands.push(Command::Kick { member: member.id });
            }
        });
    }
}

fn entry(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    let frame = Frame::new()
        .fill(theme::CARD)
        .stroke(Stroke::new(1.0, theme::LINE))
        .corner_radius(theme::RADIUS)
        .inner_margin(Margin::same(10));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 4.0;
        add(ui);
    });
    ui.add_space(2.0);
}

/// A name, framed as a name.
fn name_ui(ui: &mut Ui, name: &str) {
    let frame = Frame::new()
        .stroke(Stroke::new(1.0, theme::LINE))
        .fill(theme::PAPER)
        .corner_radius(4)
        .inner_margin(Margin::symmetric(6, 1));
    frame.show(ui, |ui| {
        let label = RichText::new(name).font(theme::bold_font(14.0));
        ui.add(egui::Label::new(label).truncate()).on_hover_text(name);
    });
}

/// Somebody who wants to come in.
fn knock_ui(ui: &mut Ui, knock: &Knock, words: &Words, commands: &mut Vec<Command>) {
    let text = &words.members;
    ui.label(RichText::new(text.asks).font(theme::bold_font(14.0)).color(theme::RED));
    name_ui(ui, &knock.who);
    let member = knock.member;
    match knock.need {
        Need::Name => {
            widgets::soft(ui, words.wait.knocking);
            answers(ui, [(words.wait.admit, Command::Admit { member })], member, words, commands);
        }
        Need::Checked(level) => {
            kind_ui(ui, knock.is_device, text);
            ui.horizontal(|ui| {
                marks::level_sign(ui, level);
                ui.label(words.checked(level));
            });
            answers(ui, [(words.wait.admit, Command::Admit { member })], member, words, commands);
        }
        Need::Compare(code) => {
            kind_ui(ui, knock.is_device, text);
            widgets::soft(ui, text.compare);
            ui.label(RichText::new(code.grouped()).font(theme::bold_font(26.0)).color(theme::SEA));
            let same = (text.same, Command::Admit { member });
            let differ = (text.differ, Command::CodesDifferOf { member });
            answers(ui, [same, differ], member, words, commands);
        }
    }
}

fn kind_ui(ui: &mut Ui, is_device: bool, text: &MemberWords) {
    widgets::soft(ui, if is_device { text.asks_panel } else { text.asks_console });
}

fn answers<const N: usize>(
    ui: &mut Ui,
    answers: [(&str, Command); N],
    member: u16,
    words: &Words,
    commands: &mut Vec<Command>,
) {
    ui.horizontal_wrapped(|ui| {
        for (text, command) in answers {
            if ui.add(widgets::small(text)).clicked() {
                commands.push(command);
            }
        }
        if ui.add(widgets::small(words.wait.send_away)).clicked() {
            commands.push(Command::SendAway { member });
        }
    });
}

/// One who is inside.
fn member_ui(
    ui: &mut Ui,
    (group, member, now): (&Group, &Member, Instant),
    view: &mut View,
    words: &Words,
    commands: &mut Vec<Command>,
) {
    let text = &words.members;
    ui.horizontal(|ui| {
        marks::kind_sign(ui, member.is_device);
        name_ui(ui, &member.name);
    });
    let controls = group.presenter().is_some_and(|seen| seen.controller == Some(member.id));
    let roles = [
        (member.is_me, text.me),
        (true, if member.is_device { text.panel } else { text.console }),
        (member.is_moderator, text.moderator),
        (member.is_deputy, text.deputy),
        (member.is_presenter, text.presents),
        (controls, text.controls),
    ];
    let roles: Vec<_> = roles.into_iter().filter_map(|(is, word)| is.then_some(word)).collect();
    ui.label(roles.join(" · "));
    ui.horizontal(|ui| match member.level {
        Some(level) => {
            marks::level_sign(ui, level);
            ui.label(RichText::new(words.level(level)).color(theme::INK_SOFT));
        }
        None => {
            widgets::soft(ui, text.opened);
        }
    });
    if let Some(since) = group.away_since.get(&member.id) {
        let seconds = now.saturating_duration_since(*since).as_secs();
        warning(ui, &format!("{} {seconds} s", text.away));
    }
    if group.asks_control.contains(&member.id) {
        warning(ui, text.asks_control);
    }
    if controls && member.is_me {
        view.asked_control = false;
    }
    let steered = group.presenter().is_some_and(|seen| seen.controller.is_some());
    if group.moderates() && (!member.is_me || steered && !controls) {
        ui.horizontal_wrapped(|ui| moderator_ui(ui, (group, member, controls), text, commands));
    } else if !group.moderates() && member.is_me && !controls && group.presenter().is_some() {
        let said = if view.asked_control { text.asked_control } else { text.ask_control };
        if ui.add_enabled(!view.asked_control, widgets::small(said)).clicked() {
            view.asked_control = true;
            commands.push(Command::AskControl);
        }
    }
}

/// What the moderator can do about a member.
fn moderator_ui(
    ui: &mut Ui,
    (group, member, controls): (&Group, &Member, bool),
    text: &MemberWords,
    commands: &mut Vec<Command>,
) {
    let id = member.id;
    let mut press = |ui: &mut Ui, word: &str, hint: &str, command: Command| {
        let pressed = ui.add(widgets::small(word)).on_hover_text(hint).clicked();
        if pressed {
            commands.push(command);
        }
        pressed
    };
    if member.is_me {
        press(ui, text.take_control, "", Command::TakeControl);
        return;
    }
    if member.is_device {
        if !member.is_presenter {
            press(ui, text.present, "", Command::Present { member: id });
        }
    } else if controls {
        press(ui, text.take_control, "", Command::TakeControl);
    } else if group.presenter().is_some() {
        press(ui, text.give_control, "", Command::GiveControl { member: id });
    }
    let more = egui::containers::menu::MenuButton::from_button(widgets::small("…"));
    more.ui(ui, |ui| {
        ui.set_min_width(170.0);
        let mut close = false;
        if !member.is_device {
            let (word, deputy) = if member.is_deputy {
                (text.no_deputy, None)
            } else {
                (text.make_deputy, Some(id))
            };
            close |= press(ui, word, text.deputy_hint, Command::Deputy(deputy));
            let command = Command::HandOver { member: id };
            close |= press(ui, text.hand_over, text.hand_over_hint, command);
        }
        close |= press(ui, text.kick, "", Command::Kick { member: id });
        if close {
            ui.close();
        }
    });
}

/// Who was sent away, and whether that is true by now.
fn removed_ui(ui: &mut Ui, group: &Group, text: &MemberWords) {
    for (_, name) in &group.leaving {
        widgets::busy(ui, &format!("{} {name}", text.leaving));
    }
    if let Some(name) = &group.removed {
        widgets::soft(ui, &format!("{} {name}", text.removed));
    }
}

fn warning(ui: &mut Ui, text: &str) {
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("!").font(theme::bold_font(14.0)).color(theme::RED));
        ui.label(text);
    });
}
