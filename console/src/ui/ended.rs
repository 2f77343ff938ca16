//! Why it is over, what is safe, what to do next.

use egui::{RichText, Ui};
use lotse_protocol::ServerAddress;

use super::view::View;
use super::{start, theme, watching, widgets};
use crate::model::{Command, EndReason};
use crate::words::Words;

pub(super) fn ended_ui(
    ui: &mut Ui,
    why: &EndReason,
    view: &mut View,
    words: &Words,
    commands: &mut Vec<Command>,
) {
    let advice = words.advice(why);
    widgets::heading(ui, advice.happened);
    ui.add_space(4.0);
    widgets::plain(ui, advice.safe);
    widgets::plain(ui, advice.next);
    if let Some(detail) = why.detail() {
        ui.add_space(6.0);
        let text = format!("{}: {detail}", words.ended.detail);
        ui.add(
            egui::Label::new(RichText::new(text).monospace().color(theme::INK_SOFT))
                .selectable(true),
        );
    }
    ui.add_space(14.0);
    ui.horizontal(|ui| {
        let address = || view.server.trim().parse::<ServerAddress>().ok();
        if view.looks_on {
            if ui.add(widgets::primary(words.members.join)).clicked() {
                watching::watch(address(), view, commands);
            }
        } else if ui.add(widgets::primary(words.ended.open_again)).clicked() {
            start::open(address(), view, commands);
        }
        if ui.add(widgets::quiet(words.ended.back)).clicked() {
            view.back_to_start = true;
        }
    });
}
