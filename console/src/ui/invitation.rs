//! The session's passwords, and who waits to be let in.

use egui::{Color32, Rect, RichText, Sense, Ui, Vec2, vec2};
use qrcodegen::{QrCode, QrCodeEcc};

use super::{theme, widgets};
use crate::model::{Access, Command, Invitation};
use crate::words::Words;

/// Points that a link's code is wide and high, margin included.
const CODE: f32 = 148.0;

/// White modules around a code (ISO/IEC 18004 asks for four).
const MARGIN: i32 = 4;

/// The password to be spoken, and the link with its code.
pub(super) fn invitation_ui(ui: &mut Ui, invitation: &Invitation, words: &Words) {
    let wait = &words.wait;
    ui.horizontal_top(|ui| {
        let width = (ui.available_width() - CODE - 16.0).max(120.0);
        ui.allocate_ui(vec2(width, CODE), |ui| {
            ui.vertical(|ui| {
                ui.label(RichText::new(wait.password).font(theme::bold_font(15.0)));
                widgets::huge_digits(ui, &invitation.grouped(), 44.0);
                if ui.add(widgets::quiet(wait.copy_link)).clicked() {
                    ui.ctx().copy_text(invitation.link.clone());
                }
            });
        });
        code_ui(ui, &invitation.link);
    });
    ui.add_space(6.0);
}

/// A link as a code to be photographed; nothing if it is too long for one.
fn code_ui(ui: &mut Ui, link: &str) {
    let Ok(code) = QrCode::encode_text(link, QrCodeEcc::Medium) else { return };
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(CODE), Sense::hover());
    let painter = ui.painter();
    painter.rect_filled(rect, 0.0, Color32::WHITE);
    let modules = code.size() + 2 * MARGIN;
    let side = CODE / modules as f32;
    let place = |x: i32, y: i32, width: i32| {
        let min = rect.min + vec2((x + MARGIN) as f32 * side, (y + MARGIN) as f32 * side);
        Rect::from_min_size(min, vec2(width as f32 * side, side))
    };
    for y in 0..code.size() {
        // Runs instead of single modules: fewer pieces, and no seams between them.
        let mut x = 0;
        while x < code.size() {
            let run = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
            let run = i32::try_from(run).unwrap_or(1);
            if run > 0 {
                painter.rect_filled(place(x, y, run), 0.0, Color32::BLACK);
            }
            x += run.max(1);
        }
    }
}

/// Wrong passwords, and what follows from them.
pub(super) fn tries_ui(ui: &mut Ui, access: &Access, words: &Words) {
    let wait = &words.wait;
    if access.is_renewed {
        warning(ui, wait.renewed);
    }
    if access.wrong_passwords > 0 {
        let said = format!("{} ({}/3)", wait.wrong_password, access.wrong_passwords);
        warning(ui, &said);
    }
}

/// Those who wait to be let in by name.
pub(super) fn knocking_ui(
    ui: &mut Ui,
    access: &Access,
    words: &Words,
    commands: &mut Vec<Command>,
) {
    if access.knocking.is_empty() {
        return;
    }
    warning(ui, words.wait.knocking);
    for knock in &access.knocking {
        ui.horizontal(|ui| {
            widgets::framed_name(ui, words.wait.calls_itself, &knock.who);
            if ui.add(widgets::quiet(words.wait.admit)).clicked() {
                commands.push(Command::Admit { member: knock.member });
            }
            if ui.add(widgets::quiet(words.wait.send_away)).clicked() {
                commands.push(Command::SendAway { member: knock.member });
            }
        });
    }
    ui.add_space(6.0);
}

fn warning(ui: &mut Ui, text: &str) {
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new("!").font(theme::bold_font(14.0)).color(theme::RED));
        ui.label(text);
    });
}
