//! The way into somebody else's session.

use egui::Ui;
use lotse_protocol::{ServerAddress, SessionNumber};

use super::view::View;
use super::{start, waiting, widgets};
use crate::model::Command;
use crate::words::Words;

/// Longest number that the field takes, in characters: nine digits and what stands between them.
const MAX_NUMBER_CHARS: usize = 20;

/// Longest password that the field takes, in characters.
const MAX_PASSWORD_CHARS: usize = 40;

/// The field for the number, below those for server and name.
pub(super) fn number_ui(
    ui: &mut Ui,
    (server, mut entered): (Option<ServerAddress>, bool),
    view: &mut View,
    words: &Words,
    commands: &mut Vec<Command>,
) {
    let text = &words.members;
    let number = view.number.parse::<SessionNumber>();
    let problem = (view.complained && number.is_err()).then_some(text.number_invalid);
    let names = (text.number, text.number_hint);
    entered |= start::field(ui, &mut view.number, names, MAX_NUMBER_CHARS, problem);
    ui.add_space(10.0);
    if ui.add(widgets::primary(text.join)).clicked() || entered {
        watch(server, view, commands);
    }
}

/// Joins the session whose number stands in the field, or complains.
pub(super) fn watch(server: Option<ServerAddress>, view: &mut View, commands: &mut Vec<Command>) {
    let name = view.name.trim().to_owned();
    match (server, view.number.parse()) {
        (Some(server), Ok(number)) if !name.is_empty() => {
            view.complained = false;
            view.password.clear();
            commands.push(Command::Watch { server, name, number });
        }
        _ => view.complained = true,
    }
}

pub(super) fn joining_ui(ui: &mut Ui, words: &Words, commands: &mut Vec<Command>) {
    widgets::heading(ui, words.members.joining);
    ui.add_space(8.0);
    widgets::busy(ui, words.wait.joining);
    waiting::cancel(ui, words, commands);
}

pub(super) fn password_ui(
    ui: &mut Ui,
    view: &mut View,
    words: &Words,
    commands: &mut Vec<Command>,
) {
    let text = &words.members;
    widgets::heading(ui, text.password);
    let names = (text.password, text.password_how);
    let entered = start::field(ui, &mut view.password, names, MAX_PASSWORD_CHARS, None);
    ui.horizontal(|ui| {
        let can = !view.password.trim().is_empty();
        if ui.add_enabled(can, widgets::primary(text.go_on)).clicked() || can && entered {
            let password = std::mem::take(&mut view.password);
            commands.push(Command::Password(password.trim().to_owned()));
        }
        if ui.add(widgets::quiet(words.wait.cancel)).clicked() {
            commands.push(Command::End);
        }
    });
}
