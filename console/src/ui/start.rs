//! Where a session is opened.

use egui::{RichText, TextEdit, Ui};
use lotse_protocol::ServerAddress;

use super::view::View;
use super::{theme, widgets};
use crate::model::{Command, MAX_NAME_CHARS, Right};
use crate::words::Words;

/// Longest address that the field takes, in characters: a host name, a port and a fingerprint.
const MAX_ADDRESS_CHARS: usize = 400;

pub(super) fn start_ui(ui: &mut Ui, view: &mut View, words: &Words, commands: &mut Vec<Command>) {
    let start = &words.start;
    let choices = [(false, words.members.open), (true, words.members.watch)];
    widgets::choice(ui, &mut view.looks_on, choices);
    ui.add_space(8.0);
    let (heading, intro, name_hint) = if view.looks_on {
        let watch = &words.members;
        (watch.watch_heading, watch.watch_intro, watch.name_hint)
    } else {
        (start.heading, start.intro, start.name_hint)
    };
    widgets::heading(ui, heading);
    widgets::soft(ui, intro);
    ui.add_space(10.0);
    let address = view.server.trim().parse::<ServerAddress>();
    let server_problem = (view.complained && address.is_err()).then_some(start.server_invalid);
    let name_problem =
        (view.complained && view.name.trim().is_empty()).then_some(start.name_missing);
    let mut entered = field(
        ui,
        &mut view.server,
        (start.server, start.server_hint),
        MAX_ADDRESS_CHARS,
        server_problem,
    );
    entered |= field(ui, &mut view.name, (start.name, name_hint), MAX_NAME_CHARS, name_problem);
    if view.looks_on {
        return super::watching::number_ui(ui, (address.ok(), entered), view, words, commands);
    }
    ui.checkbox(&mut view.with_password, start.with_password);
    widgets::soft(ui, start.with_password_how);
    ui.horizontal(|ui| {
        ui.label(start.asks);
        for right in [Right::Pointer, Right::Shell, Right::Reboot] {
            let mut is_asked = view.asks.has(right);
            if ui.checkbox(&mut is_asked, words.right(right)).changed() {
                view.asks = view.asks.toggled(right);
            }
        }
    });
    ui.add_space(10.0);
    let clicked = ui.add(widgets::primary(start.open)).clicked();
    if clicked || entered {
        open(address.ok(), view, commands);
    }
}

/// Opens a session with what stands in the fields, or complains about them.
pub(super) fn open(address: Option<ServerAddress>, view: &mut View, commands: &mut Vec<Command>) {
    let name = view.name.trim().to_owned();
    match address {
        Some(server) if !name.is_empty() => {
            view.complained = false;
            view.copied = false;
            let with_password = view.with_password;
            let asks = view.asks;
            commands.push(Command::Open { server, name, with_password, asks });
        }
        _ => view.complained = true,
    }
}

/// A field with its name above, and a hint or a problem below. Returns whether Enter was pressed.
pub(super) fn field(
    ui: &mut Ui,
    text: &mut String,
    (name, hint): (&str, &str),
    limit: usize,
    problem: Option<&str>,
) -> bool {
    let label = ui.label(RichText::new(name).font(theme::bold_font(14.0)));
    let edit = TextEdit::singleline(text)
        .char_limit(limit)
        .margin(egui::Margin::symmetric(10, 9))
        .desired_width(f32::INFINITY);
    let response = ui.add(edit).labelled_by(label.id);
    match problem {
        Some(problem) => {
            ui.horizontal(|ui| {
                ui.label(RichText::new("!").font(theme::bold_font(14.0)).color(theme::RED));
                ui.label(RichText::new(problem).color(theme::RED));
            });
        }
        None => {
            ui.label(RichText::new(hint).small().color(theme::INK_SOFT));
        }
    }
    ui.add_space(6.0);
    response.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter))
}
