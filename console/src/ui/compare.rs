//! Where both people compare the code.

use egui::{RichText, Ui};

use super::{theme, widgets};
use crate::model::{Code, Command};
use crate::words::Words;

pub(super) fn compare_ui(
    ui: &mut Ui,
    (code, who, looks_on): (Code, &str, bool),
    words: &Words,
    commands: &mut Vec<Command>,
) {
    let wait = &words.wait;
    let how = if looks_on { words.members.compare_how } else { wait.compare_how };
    widgets::heading(ui, wait.compare);
    widgets::framed_name(ui, wait.calls_itself, who);
    ui.add_space(4.0);
    widgets::huge_digits(ui, &code.grouped(), 96.0);
    ui.add_space(6.0);
    ui.label(RichText::new(how).font(theme::bold_font(15.0)));
    widgets::soft(ui, wait.compare_why);
    ui.add_space(12.0);
    ui.horizontal(|ui| {
        if ui.add(widgets::primary(wait.same)).clicked() {
            commands.push(Command::CodesMatch);
        }
        if ui.add(widgets::stop(wait.differ)).clicked() {
            commands.push(Command::CodesDiffer);
        }
        let other = if looks_on {
            ui.add(widgets::quiet(wait.cancel))
        } else {
            ui.add(widgets::quiet(wait.not_expected)).on_hover_text(wait.not_expected_how)
        };
        if other.clicked() {
            commands.push(Command::NotExpected);
        }
    });
}
