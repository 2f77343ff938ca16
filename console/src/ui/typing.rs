//! The window in which a text is written or pasted, to be typed at the panel.

use egui::{Frame, Modal, TextEdit, Ui};

use super::view::View;
use super::widgets;
use crate::model::Command;
use crate::words::Words;

/// Longest text that is typed at once, in characters: it takes the panel some seconds.
pub(super) const MAX_TEXT_CHARS: usize = 4096;

pub(super) fn typing_ui(ui: &mut Ui, view: &mut View, words: &Words, commands: &mut Vec<Command>) {
    let Some(mut text) = view.typing.take() else { return };
    let words = &words.connected;
    let mut keep = true;
    let frame = Frame::popup(ui.style()).corner_radius(10).inner_margin(28);
    let modal = Modal::new(ui.id().with("typing")).frame(frame).show(ui.ctx(), |ui| {
        ui.set_width(460.0);
        widgets::heading(ui, words.type_text);
        widgets::soft(ui, words.type_how);
        let edit = TextEdit::multiline(&mut text)
            .char_limit(MAX_TEXT_CHARS)
            .margin(egui::Margin::same(10))
            .desired_rows(5)
            .desired_width(f32::INFINITY);
        let field = ui.add(edit);
        if ui.ctx().memory(|memory| memory.focused().is_none()) {
            field.request_focus();
        }
        ui.add_space(8.0);
        ui.horizontal(|ui| {
            if ui.add_enabled(!text.is_empty(), widgets::primary(words.type_now)).clicked() {
                commands.push(Command::Text(std::mem::take(&mut text)));
                keep = false;
            }
            keep &= !ui.add(widgets::quiet(words.cancel)).clicked();
        });
    });
    if keep && !modal.should_close() {
        view.typing = Some(text);
    }
}
