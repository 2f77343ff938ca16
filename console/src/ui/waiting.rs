//! From asking for a number until the person at the panel has decided.

use egui::{RichText, Ui, vec2};
use lotse_protocol::SessionNumber;

use super::view::View;
use super::{invitation, marks, theme, widgets};
use crate::model::{Access, Command, Level};
use crate::words::Words;

pub(super) fn opening_ui(ui: &mut Ui, view: &View, words: &Words, commands: &mut Vec<Command>) {
    widgets::heading(ui, words.start.heading);
    ui.add_space(8.0);
    widgets::busy(ui, words.wait.opening);
    // Without the fingerprint, which nobody reads.
    let host = view.server.split('#').next().unwrap_or_default().trim();
    widgets::soft(ui, host);
    cancel(ui, words, commands);
}

pub(super) fn waiting_ui(
    ui: &mut Ui,
    (number, access): (SessionNumber, &Access),
    view: &mut View,
    words: &Words,
    commands: &mut Vec<Command>,
) {
    let wait = &words.wait;
    widgets::heading(ui, wait.number);
    ui.add_space(4.0);
    widgets::huge_digits(ui, &number.to_string(), 72.0);
    ui.add_space(6.0);
    if let Some(invited) = &access.invitation {
        invitation::invitation_ui(ui, invited, words);
    }
    invitation::tries_ui(ui, access, words);
    invitation::knocking_ui(ui, access, words, commands);
    for (step, text) in (1..).zip(wait.steps) {
        numbered(ui, step, text);
    }
    ui.add_space(2.0);
    let secret = if access.invitation.is_some() { wait.secret } else { wait.no_secret };
    widgets::soft(ui, secret);
    ui.add_space(8.0);
    widgets::busy(ui, wait.nobody_yet);
    ui.add_space(10.0);
    ui.horizontal(|ui| {
        let text = if view.copied { wait.copied } else { wait.copy };
        if ui.add(widgets::primary(text)).clicked() {
            ui.ctx().copy_text(number.to_string());
            view.copied = true;
        }
        if ui.add(widgets::quiet(wait.cancel)).clicked() {
            commands.push(Command::End);
        }
    });
}

fn numbered(ui: &mut Ui, step: u32, text: &str) {
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(24.0, 24.0), egui::Sense::hover());
        ui.painter().circle_filled(rect.center(), 12.0, theme::SEA);
        ui.painter().text(
            rect.center(),
            egui::Align2::CENTER_CENTER,
            step,
            theme::bold_font(13.0),
            egui::Color32::WHITE,
        );
        ui.label(text);
    });
}

pub(super) fn joining_ui(ui: &mut Ui, words: &Words, commands: &mut Vec<Command>) {
    widgets::heading(ui, words.wait.joined);
    ui.add_space(8.0);
    widgets::busy(ui, words.wait.joining);
    cancel(ui, words, commands);
}

pub(super) fn asking_ui(
    ui: &mut Ui,
    (who, checked, looks_on): (&str, Option<Level>, bool),
    words: &Words,
    commands: &mut Vec<Command>,
) {
    let (heading, how) = if looks_on {
        (words.members.asking, words.members.asking_how)
    } else {
        (words.wait.asking, words.wait.asking_how)
    };
    ui.horizontal(|ui| {
        widgets::moving(ui);
        ui.label(RichText::new(heading).heading().color(theme::SEA));
    });
    ui.add_space(4.0);
    widgets::framed_name(ui, words.wait.calls_itself, who);
    ui.add_space(4.0);
    if let Some(level) = checked {
        ui.horizontal(|ui| {
            marks::level_sign(ui, level);
            ui.label(RichText::new(words.checked(level)).font(theme::bold_font(15.0)));
        });
        ui.add_space(4.0);
    }
    widgets::soft(ui, how);
    cancel(ui, words, commands);
}

pub(super) fn cancel(ui: &mut Ui, words: &Words, commands: &mut Vec<Command>) {
    ui.add_space(12.0);
    if ui.add(widgets::quiet(words.wait.cancel)).clicked() {
        commands.push(Command::End);
    }
}
