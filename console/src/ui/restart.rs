//! Restarts of the panel, or of its application.

use egui::containers::menu::MenuButton;
use egui::{Frame, Margin, Modal, Panel, RichText, Ui, vec2};

use super::view::View;
use super::{Scene, theme, widgets};
use crate::model::{Command, Peer, Restart, RestartEvent, Right};
use crate::words::Words;

/// The menu of what can be restarted.
pub(super) fn menu_ui(ui: &mut Ui, scene: &Scene<'_>, view: &mut View, words: &Words, peer: &Peer) {
    if !peer.rights.has(Right::Reboot) || !scene.model.group().moderates() {
        return;
    }
    MenuButton::from_button(widgets::on_bar(words.restart.restart, false)).ui(ui, |ui| {
        ui.set_min_width(190.0);
        for (what, text) in rows(words) {
            let row = egui::Button::new(text).frame(false).min_size(vec2(190.0, 26.0));
            if ui.add(row).clicked() {
                view.restart = Some(what);
                ui.close();
            }
        }
    });
}

fn rows(words: &Words) -> [(Restart, &'static str); 2] {
    let words = &words.restart;
    [(Restart::Application, words.application), (Restart::Machine, words.machine)]
}

/// Asks once more: the wrong panel may be a plant's.
pub(super) fn ask_ui(
    ui: &mut Ui,
    view: &mut View,
    words: &Words,
    peer: &Peer,
    commands: &mut Vec<Command>,
) {
    let Some(what) = view.restart else { return };
    let (title, how) = match what {
        Restart::Application => (words.restart.application, words.restart.application_how),
        Restart::Machine => (words.restart.machine, words.restart.machine_how),
    };
    let frame = Frame::popup(ui.style()).corner_radius(10).inner_margin(28);
    let modal = Modal::new(ui.id().with("restart")).frame(frame).show(ui.ctx(), |ui| {
        ui.set_width(460.0);
        widgets::heading(ui, title);
        widgets::plain(ui, &peer.name);
        widgets::soft(ui, how);
        ui.add_space(8.0);
        ui.horizontal(|ui| {
            if ui.add(widgets::primary(title)).clicked() {
                commands.push(Command::Restart(what));
                view.restart = None;
            }
            if ui.add(widgets::quiet(words.connected.cancel)).clicked() {
                view.restart = None;
            }
        });
    });
    if modal.should_close() {
        view.restart = None;
    }
}

/// What has become of it, above the picture.
pub(super) fn news_ui(ui: &mut Ui, scene: &Scene<'_>, words: &Words) {
    let Some(news) = scene.model.live().restart.filter(|news| *news != RestartEvent::Leaves) else {
        return;
    };
    let frame = Frame::new().fill(theme::ACCENT).inner_margin(Margin::symmetric(16, 0));
    Panel::top("restart").frame(frame).show_separator_line(false).exact_size(34.0).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            let text = RichText::new(words.restart.of(news)).font(theme::bold_font(14.0));
            ui.add(egui::Label::new(text.color(theme::SEA)).truncate());
        });
    });
}
