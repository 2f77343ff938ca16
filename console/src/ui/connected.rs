//! Where a panel is seen and steered.

use std::time::Instant;

use egui::{Align, CentralPanel, Color32, Frame, Layout, Margin, Panel, RichText, Ui};

use super::view::{Pointing, Scale, View};
use super::{Scene, bar, marks, members, picture, restart, terminal, theme, typing, widgets};
use crate::keys::{Combo, MENU};
use crate::model::picture::Exactness;
use crate::model::{Command, Notice, Output, Peer, RestartEvent, Right};
use crate::words::{ConnectedWords, Words};

/// Room that the sign of a session takes, in points.
const LIVE_WIDTH: f32 = 84.0;

pub(super) fn connected_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    view: &mut View,
    words: &Words,
    peer: &Peer,
    commands: &mut Vec<Command>,
) {
    if !view.was_connected {
        // Who connects wants to type there.
        view.picture_focused = peer.rights.has(Right::Control);
        view.was_connected = true;
    }
    bar(ui, |ui| {
        toolbar_ui(ui, scene, view, words, peer, commands);
    });
    status_ui(ui, scene, view, words, peer);
    terminal::terminal_ui(ui, scene, view, &words.connected, commands);
    restart::news_ui(ui, scene, words);
    if scene.model.live().is_paused {
        paused_ui(ui, &words.connected);
    }
    members::side_ui(ui, scene, view, words, commands);
    CentralPanel::default().frame(Frame::new().fill(theme::SEA_DARK)).show(ui, |ui| {
        picture::picture_ui(ui, scene, view, words, commands);
    });
    typing::typing_ui(ui, view, words, commands);
    restart::ask_ui(ui, view, words, peer, commands);
}

pub(super) fn interrupted_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    view: &mut View,
    words: &Words,
    (peer, since): (&Peer, Instant),
    commands: &mut Vec<Command>,
) {
    let text = &words.connected;
    bar(ui, |ui| {
        title(ui, peer);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            end_button(ui, text.end, commands);
        });
    });
    status_ui(ui, scene, view, words, peer);
    members::side_ui(ui, scene, view, words, commands);
    CentralPanel::default().frame(Frame::new().fill(theme::SEA_DARK)).show(ui, |ui| {
        picture::greyed_ui(ui, scene, view);
    });
    let frame = Frame::new()
        .fill(theme::CARD)
        .corner_radius(10)
        .shadow(theme::shadow())
        .inner_margin(Margin::symmetric(32, 24));
    egui::Area::new(ui.id().with("interrupted"))
        .anchor(egui::Align2::CENTER_CENTER, egui::Vec2::ZERO)
        .show(ui.ctx(), |ui| {
            frame.show(ui, |ui| {
                ui.set_width(440.0);
                let (title, next) = match scene.model.live().restart {
                    Some(RestartEvent::Leaves) => (words.restart.leaves, words.restart.leaves_next),
                    _ => (text.interrupted, text.interrupted_next),
                };
                widgets::heading(ui, title);
                widgets::plain(ui, text.interrupted_safe);
                widgets::plain(ui, next);
                ui.add_space(6.0);
                let seconds = scene.now.saturating_duration_since(since).as_secs();
                widgets::busy(ui, &format!("{} {seconds} s", text.since));
            });
        });
    // The seconds go on.
    ui.ctx().request_repaint_after(std::time::Duration::from_millis(500));
}

fn title(ui: &mut Ui, peer: &Peer) {
    marks::flag_h(ui, 24.0);
    ui.add_space(4.0);
    let name = RichText::new(&peer.name).font(theme::bold_font(15.0)).color(Color32::WHITE);
    ui.add(egui::Label::new(name).truncate()).on_hover_text(&peer.name);
}

fn toolbar_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    view: &mut View,
    all: &Words,
    peer: &Peer,
    commands: &mut Vec<Command>,
) {
    let words = &all.connected;
    marks::flag_h(ui, 24.0);
    ui.add_space(4.0);
    let sizes = [(Scale::Fitted, words.fitted), (Scale::Native, words.native)];
    widgets::choice_on_bar(ui, &mut view.scale, sizes, words.size_hint);
    pointing_ui(ui, view, words, peer, commands);
    if peer.rights.has(Right::Control) {
        keys_menu(ui, words, commands);
        if ui.add(widgets::on_bar(words.type_text, false)).clicked() {
            view.lose_focus(commands);
            view.typing = Some(String::new());
        }
    }
    terminal::button_ui(ui, scene, view, words, peer, commands);
    restart::menu_ui(ui, scene, view, all, peer);
    outputs_menu(ui, scene.model.outputs(), words, commands);
    members::button_ui(ui, scene.model, view, all);
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let end = if scene.model.group().moderates() { words.end } else { all.members.leave };
        end_button(ui, end, commands);
        ui.add_space(4.0);
        // In a small window the buttons are more useful.
        if ui.available_width() > LIVE_WIDTH {
            let live = RichText::new(words.live).font(theme::bold_font(13.0));
            ui.label(live.color(Color32::WHITE));
            marks::live_dot(ui);
        }
        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
            ui.add_space(8.0);
            let name = RichText::new(&peer.name).font(theme::bold_font(15.0));
            ui.add(egui::Label::new(name.color(Color32::WHITE)).truncate());
        });
    });
}

/// What the hand does on the picture, as far as there is a choice.
fn pointing_ui(
    ui: &mut Ui,
    view: &mut View,
    words: &ConnectedWords,
    peer: &Peer,
    commands: &mut Vec<Command>,
) {
    let (control, arrow) = (peer.rights.has(Right::Control), peer.rights.has(Right::Pointer));
    let before = view.pointing;
    match (control, arrow) {
        (true, true) => {
            let all = [
                (Pointing::Mouse, words.mouse),
                (Pointing::Touch, words.touch),
                (Pointing::Arrow, words.arrow),
            ];
            widgets::choice_on_bar(ui, &mut view.pointing, all, words.arrow_hint);
        }
        (true, false) => {
            if view.pointing == Pointing::Arrow {
                view.pointing = Pointing::Mouse;
            }
            let both = [(Pointing::Mouse, words.mouse), (Pointing::Touch, words.touch)];
            widgets::choice_on_bar(ui, &mut view.pointing, both, words.pointing_hint);
        }
        (false, true) => {
            let is_on = view.pointing == Pointing::Arrow;
            let button = ui.add(widgets::on_bar(words.arrow, is_on));
            if button.on_hover_text(words.arrow_hint).clicked() {
                view.pointing = if is_on { Pointing::Mouse } else { Pointing::Arrow };
            }
        }
        (false, false) => view.pointing = Pointing::Mouse,
    }
    if view.pointing != before {
        view.lose_focus(commands);
    }
}

fn end_button(ui: &mut Ui, text: &str, commands: &mut Vec<Command>) {
    let text = RichText::new(text).font(theme::bold_font(14.0)).color(Color32::WHITE);
    let button = egui::Button::new(text).fill(theme::RED).stroke(egui::Stroke::NONE);
    if ui.add(button).clicked() {
        commands.push(Command::End);
    }
}

fn keys_menu(ui: &mut Ui, words: &ConnectedWords, commands: &mut Vec<Command>) {
    let button =
        egui::containers::menu::MenuButton::from_button(widgets::on_bar(words.keys, false));
    button.ui(ui, |ui| {
        ui.set_min_width(150.0);
        egui::ScrollArea::vertical().max_height(420.0).show(ui, |ui| {
            for text in MENU {
                let Ok(combo) = text.parse::<Combo>() else { continue };
                let row = egui::Button::new(*text).frame(false).min_size(egui::vec2(150.0, 26.0));
                if ui.add(row).clicked() {
                    commands.extend(combo.commands());
                    ui.close();
                }
            }
        });
    });
}

/// Which screen is seen, where there are several.
fn outputs_menu(
    ui: &mut Ui,
    outputs: &[Output],
    words: &ConnectedWords,
    commands: &mut Vec<Command>,
) {
    if outputs.len() < 2 {
        return;
    }
    let seen = outputs.iter().find(|output| output.is_read).map_or("…", |o| o.name.as_str());
    let button = egui::containers::menu::MenuButton::from_button(widgets::on_bar(seen, false));
    let (response, _) = button.ui(ui, |ui| {
        ui.set_min_width(150.0);
        for output in outputs {
            let row = egui::Button::new(output.name.as_str()).selected(output.is_read);
            if ui.add(row.frame(false).min_size(egui::vec2(150.0, 26.0))).clicked() {
                commands.push(Command::Show(output.name.clone()));
                ui.close();
            }
        }
    });
    response.on_hover_text(words.outputs_hint);
}

fn status_ui(ui: &mut Ui, scene: &Scene<'_>, view: &View, words: &Words, peer: &Peer) {
    let frame = Frame::new().fill(theme::SEA).inner_margin(Margin::symmetric(16, 0));
    Panel::bottom("status").frame(frame).show_separator_line(false).exact_size(34.0).show(
        ui,
        |ui| {
            ui.horizontal_centered(|ui| {
                if !peer.is_somebody() {
                    on_bar(ui, words.members.nobody);
                    return;
                }
                marks::level_sign(ui, peer.level);
                on_bar(ui, words.level(peer.level));
                ui.add_space(14.0);
                let rights: Vec<&str> = peer.rights.iter().map(|r| words.right(r)).collect();
                on_bar(ui, &format!("{}: {}", words.connected.allowed, rights.join(", ")));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    measures_ui(ui, scene, view, words, peer);
                });
            });
        },
    );
}

fn measures_ui(ui: &mut Ui, scene: &Scene<'_>, view: &View, words: &Words, peer: &Peer) {
    let text = &words.connected;
    if let Some(latency) = scene.model.latency() {
        on_bar(ui, &format!("{} ms", latency.0.as_millis()));
        ui.add_space(10.0);
    }
    let (width, height, exactness) = {
        let picture = scene.picture.lock();
        (picture.width(), picture.height(), picture.exactness())
    };
    if width > 0 {
        let (short, long) = match exactness {
            Exactness::Exact => (text.exact, text.exact_hint),
            Exactness::Rough => (text.rough, text.rough_hint),
        };
        on_bar(ui, short).on_hover_text(long);
        ui.add_space(10.0);
        on_bar(ui, &format!("{width} × {height}"));
        ui.add_space(10.0);
    }
    let dropped = scene.model.live().dropped;
    if dropped > 0 {
        on_bar(ui, &format!("{dropped} {}", text.dropped)).on_hover_text(text.dropped_hint);
        ui.add_space(10.0);
    }
    if scene.model.live().arrows == Some(false) && peer.rights.has(Right::Pointer) {
        let label = RichText::new(text.no_arrows).size(13.0).color(theme::ACCENT);
        ui.add(egui::Label::new(label).truncate()).on_hover_text(text.no_arrows);
        ui.add_space(10.0);
    }
    if !peer.rights.has(Right::Control) {
        let looks_on = !scene.model.group().moderates();
        on_bar(ui, if looks_on { words.members.looking_on } else { text.view_only });
        return;
    }
    let there = view.keys_go_to_panel(scene.model);
    let place = if there { text.keyboard_there } else { text.keyboard_here };
    on_bar(ui, place).on_hover_text(text.keyboard_hint);
    marks::keyboard(ui, there).on_hover_text(text.keyboard_hint);
    if let Some(notice) = scene.model.notice() {
        ui.add_space(10.0);
        let said = match notice {
            Notice::CannotType(c) => format!("{} {c}", text.cannot_type),
            Notice::GoesOn => text.goes_on.to_owned(),
            Notice::InputTooLate => text.too_late.to_owned(),
            Notice::LinkBusy => text.busy.to_owned(),
            Notice::NotPossible => words.members.not_possible.to_owned(),
        };
        let label = RichText::new(&said).size(13.0).color(theme::ACCENT);
        ui.add(egui::Label::new(label).truncate()).on_hover_text(said);
    }
}

/// Somebody at the panel uses it: what is done here waits.
fn paused_ui(ui: &mut Ui, words: &ConnectedWords) {
    let frame = Frame::new().fill(theme::ACCENT).inner_margin(Margin::symmetric(16, 0));
    Panel::top("paused").frame(frame).show_separator_line(false).exact_size(34.0).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            let text = RichText::new(words.paused).font(theme::bold_font(14.0));
            ui.add(egui::Label::new(text.color(theme::SEA)).truncate());
        });
    });
}

fn on_bar(ui: &mut Ui, text: &str) -> egui::Response {
    ui.label(RichText::new(text).size(13.0).color(theme::FOAM))
}
