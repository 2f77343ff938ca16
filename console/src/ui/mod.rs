//! The screens: functions from the model to what is seen, and to commands.
//!
//! [`console_ui`] draws the whole window. It needs no window, so that the same code draws into a
//! file.

mod compare;
mod connected;
mod ended;
mod hand;
mod invitation;
mod marks;
mod members;
mod picture;
mod restart;
mod start;
mod terminal;
pub mod theme;
mod typing;
mod view;
mod waiting;
mod watching;
mod widgets;

use std::time::Instant;

use egui::{CentralPanel, Frame, Margin, Panel, RichText, Ui};

use crate::model::picture::SharedPicture;
use crate::model::{Access, Command, Group, Model, SessionState};
use crate::words::{Language, Words};

pub use view::{Pointing, Scale, View};

/// What is shown: the session and the picture, at a time.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The session.
    pub model: &'a Model,
    /// The remote picture.
    pub picture: &'a SharedPicture,
    /// When; for how long something has lasted.
    pub now: Instant,
}

/// Draws the console and returns what the technician wants.
pub fn console_ui(ui: &mut Ui, scene: &Scene<'_>, view: &mut View) -> Vec<Command> {
    let words = view.language.words();
    let mut commands = Vec::new();
    match scene.model.state() {
        SessionState::Connected(peer) => {
            connected::connected_ui(ui, scene, view, words, peer, &mut commands);
        }
        SessionState::Interrupted { peer, since } => {
            view.lose_focus(&mut commands);
            connected::interrupted_ui(ui, scene, view, words, (peer, *since), &mut commands);
        }
        state => {
            view.leave_picture();
            let (access, group) = (scene.model.access(), scene.model.group());
            frame_ui(ui, view, |ui, view| {
                card_ui(ui, (state, access, group), view, words, &mut commands);
            });
        }
    }
    commands
}

/// The bar and the paper around a card.
fn frame_ui(ui: &mut Ui, view: &mut View, add: impl FnOnce(&mut Ui, &mut View)) {
    bar(ui, |ui| {
        marks::flag_h(ui, 24.0);
        ui.add_space(4.0);
        let title = RichText::new("Lotse").font(theme::bold_font(19.0));
        ui.label(title.color(egui::Color32::WHITE));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let [de, en] = Language::ALL.map(|language| (language, language.short()));
            // The layout runs from the right.
            widgets::choice_on_bar(ui, &mut view.language, [en, de], "");
        });
    });
    CentralPanel::default().frame(Frame::new().fill(theme::PAPER)).show(ui, |ui| add(ui, view));
}

/// The deep blue bar on top.
fn bar(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    let frame = Frame::new().fill(theme::SEA).inner_margin(Margin::symmetric(16, 0));
    Panel::top("bar").frame(frame).show_separator_line(false).exact_size(52.0).show(ui, |ui| {
        ui.horizontal_centered(add);
    });
}

fn card_ui(
    ui: &mut Ui,
    (state, access, group): (&SessionState, &Access, &Group),
    view: &mut View,
    words: &Words,
    commands: &mut Vec<Command>,
) {
    let looks_on = !group.moderates();
    widgets::card(ui, |ui| match state {
        SessionState::Idle => start::start_ui(ui, view, words, commands),
        SessionState::Joining { .. } if looks_on => watching::joining_ui(ui, words, commands),
        SessionState::Password { .. } => watching::password_ui(ui, view, words, commands),
        SessionState::Opening => waiting::opening_ui(ui, view, words, commands),
        SessionState::Waiting { number } => {
            waiting::waiting_ui(ui, (*number, access), view, words, commands);
            members::outside_ui(ui, group, words, commands);
        }
        SessionState::Joining { .. } => waiting::joining_ui(ui, words, commands),
        SessionState::Comparing { code, who, .. } => {
            compare::compare_ui(ui, (*code, who, looks_on), words, commands);
        }
        SessionState::Asking { who } => {
            waiting::asking_ui(ui, (who, access.checked, looks_on), words, commands);
        }
        SessionState::Ended { why } => ended::ended_ui(ui, why, view, words, commands),
        // Drawn by console_ui itself.
        SessionState::Connected(_) | SessionState::Interrupted { .. } => {}
    });
}

#[cfg(test)]
mod tests;
