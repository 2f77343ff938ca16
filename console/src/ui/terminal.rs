//! The terminal at the panel: its rows, and what is typed into it.

use egui::text::{LayoutJob, TextFormat};
use egui::{
    Align, Color32, Event, EventFilter, FontFamily, FontId, Frame, Key, Label, Layout, Margin,
    Modifiers, Panel, RichText, ScrollArea, Sense, Ui, vec2,
};

use super::view::View;
use super::{Scene, theme, widgets};
use crate::model::{Command, Peer, Right, TERMINAL_SIZE, TerminalCommand, TerminalEnd};
use crate::words::ConnectedWords;

/// Letters on the terminal, in points.
const LETTERS: f32 = 13.0;

/// Rows that one notch of the wheel looks back.
const NOTCH: f32 = 3.0;

/// The first sixteen colours, as xterm has them.
const COLORS: [u32; 16] = [
    0x00_0000, 0xcd_0000, 0x00_cd00, 0xcd_cd00, 0x4a_7ee6, 0xcd_00cd, 0x00_cdcd, 0xe5_e5e5,
    0x7f_7f7f, 0xff_5c5c, 0x00_ff00, 0xff_ff00, 0x7c_9cff, 0xff_00ff, 0x00_ffff, 0xff_ffff,
];

/// The button that opens the terminal, or shows and hides it.
pub(super) fn button_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    view: &mut View,
    words: &ConnectedWords,
    peer: &Peer,
    commands: &mut Vec<Command>,
) {
    if peer.rights.has(Right::Shell)
        && ui.add(widgets::on_bar(words.terminal, view.terminal)).clicked()
    {
        view.terminal = !view.terminal;
        view.lose_focus(commands);
        if view.terminal && !scene.model.live().terminal.is_open() {
            let (columns, rows) = TERMINAL_SIZE;
            commands.push(Command::Terminal(TerminalCommand::Open(columns, rows)));
        }
    }
}

/// The terminal below the picture, if it is to be shown.
pub(super) fn terminal_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    view: &mut View,
    words: &ConnectedWords,
    commands: &mut Vec<Command>,
) {
    if !view.terminal {
        return;
    }
    let frame = Frame::new().fill(Color32::BLACK).inner_margin(Margin::symmetric(12, 8));
    let height = ui.available_height() * 0.6;
    Panel::bottom("terminal").frame(frame).show_separator_line(false).exact_size(height).show(
        ui,
        |ui| {
            head_ui(ui, scene, view, words, commands);
            rows_ui(ui, scene, view, commands);
        },
    );
}

fn head_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    view: &mut View,
    words: &ConnectedWords,
    commands: &mut Vec<Command>,
) {
    let terminal = &scene.model.live().terminal;
    ui.horizontal(|ui| {
        let said = match terminal.ended() {
            Some(TerminalEnd::NotSetUp) => words.terminal_missing,
            Some(_) => words.terminal_ended,
            None => words.terminal,
        };
        ui.label(RichText::new(said).font(theme::bold_font(13.0)).color(theme::FOAM));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.add(widgets::on_bar(words.terminal_close, false)).clicked() {
                view.terminal = false;
                if terminal.is_open() {
                    commands.push(Command::Terminal(TerminalCommand::Close));
                }
            }
            if ui.add(widgets::on_bar(words.terminal_copy, false)).clicked() {
                ui.ctx().copy_text(terminal.screen().contents());
            }
        });
    });
}

fn rows_ui(ui: &mut Ui, scene: &Scene<'_>, view: &View, commands: &mut Vec<Command>) {
    let screen = scene.model.live().terminal.screen();
    let output = ScrollArea::both().auto_shrink(false).show(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(0.0, 0.0);
        let (rows, _) = screen.size();
        for row in 0..rows.get() {
            ui.add(Label::new(row_of(screen, row)).selectable(true).extend());
        }
    });
    let response = ui.interact(output.inner_rect, ui.id().with("terminal"), Sense::click());
    if view.typing.is_some() {
        return;
    }
    if ui.ctx().memory(|memory| memory.focused().is_none()) || response.clicked() {
        response.request_focus();
    }
    let filter =
        EventFilter { tab: true, horizontal_arrows: true, vertical_arrows: true, escape: true };
    ui.ctx().memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let turned = ui.input(|input| input.smooth_scroll_delta().y) / 50.0 * NOTCH;
    let back = screen.scrollback() as f32 + turned;
    if turned.abs() >= 1.0 {
        // Negative is none.
        commands.push(Command::Terminal(TerminalCommand::Look(back.max(0.0) as usize)));
    }
    if response.has_focus() {
        let is_application = screen.application_cursor();
        let typed = ui.input(|input| typed(&input.events, is_application));
        if !typed.is_empty() {
            commands.push(Command::Terminal(TerminalCommand::Type(typed)));
        }
    }
}

/// One row with its colours, and the place where something is written next.
fn row_of(screen: &vt100::Screen, row: u16) -> LayoutJob {
    let (_, columns) = screen.size();
    let cursor = (!screen.hide_cursor() && screen.scrollback() == 0)
        .then(|| screen.cursor_position())
        .filter(|(at, _)| *at == row)
        .map(|(_, column)| column);
    let mut job = LayoutJob::default();
    for column in 0..columns.get() {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation())
        else {
            continue;
        };
        let (mut ink, mut ground) = (
            color_of(cell.fgcolor(), Color32::from_rgb(0xe5, 0xe5, 0xe5)),
            color_of(cell.bgcolor(), Color32::BLACK),
        );
        if cell.inverse() != (cursor == Some(column)) {
            std::mem::swap(&mut ink, &mut ground);
        }
        let text = if cell.has_contents() { cell.contents() } else { " " };
        let font_id = FontId::new(LETTERS, FontFamily::Monospace);
        let format =
            TextFormat { font_id, color: ink, background: ground, ..TextFormat::default() };
        job.append(text, 0.0, format);
    }
    job
}

fn color_of(color: vt100::Color, otherwise: Color32) -> Color32 {
    let of = |rgb: u32| {
        let [_, r, g, b] = rgb.to_be_bytes();
        Color32::from_rgb(r, g, b)
    };
    match color {
        vt100::Color::Default => otherwise,
        vt100::Color::Rgb(r, g, b) => Color32::from_rgb(r, g, b),
        vt100::Color::Idx(index) => match (COLORS.get(usize::from(index)), index) {
            (Some(rgb), _) => of(*rgb),
            (None, 232..) => Color32::from_gray(8 + 10 * (index - 232)),
            (None, _) => {
                let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
                let cube = index.saturating_sub(16);
                Color32::from_rgb(level(cube / 36), level(cube / 6 % 6), level(cube % 6))
            }
        },
    }
}

/// What the keyboard has written, as a terminal hears it (xterm's control sequences).
fn typed(events: &[Event], is_application: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for event in events {
        match event {
            Event::Text(text) | Event::Paste(text) => bytes.extend_from_slice(text.as_bytes()),
            // What these keys are elsewhere.
            Event::Copy => bytes.push(0x03),
            Event::Cut => bytes.push(0x18),
            Event::Key { key, pressed: true, modifiers, .. } => {
                bytes.extend(key_bytes(*key, *modifiers, is_application));
            }
            _ => {}
        }
    }
    bytes
}

fn key_bytes(key: Key, modifiers: Modifiers, is_application: bool) -> Vec<u8> {
    if modifiers.ctrl && !modifiers.alt {
        // Ctrl with a letter is the letter's number.
        let mut letters = key.symbol_or_name().bytes();
        return match (letters.next(), letters.next()) {
            (Some(letter @ (b'A'..=b'Z' | b'[' | b'\\' | b']')), None) => vec![letter & 0x1f],
            _ => Vec::new(),
        };
    }
    let cursor = if is_application { "\x1bO" } else { "\x1b[" };
    let sequence = match key {
        Key::Enter => "\r".to_owned(),
        Key::Tab if modifiers.shift => "\x1b[Z".to_owned(),
        Key::Tab => "\t".to_owned(),
        Key::Backspace => "\x7f".to_owned(),
        Key::Escape => "\x1b".to_owned(),
        Key::ArrowUp => format!("{cursor}A"),
        Key::ArrowDown => format!("{cursor}B"),
        Key::ArrowRight => format!("{cursor}C"),
        Key::ArrowLeft => format!("{cursor}D"),
        Key::Home => format!("{cursor}H"),
        Key::End => format!("{cursor}F"),
        Key::Insert => "\x1b[2~".to_owned(),
        Key::Delete => "\x1b[3~".to_owned(),
        Key::PageUp => "\x1b[5~".to_owned(),
        Key::PageDown => "\x1b[6~".to_owned(),
        _ => String::new(),
    };
    sequence.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_a_terminal_expects() {
        let none = Modifiers::NONE;
        assert_eq!(key_bytes(Key::ArrowUp, none, false), b"\x1b[A");
        assert_eq!(key_bytes(Key::ArrowUp, none, true), b"\x1bOA");
        assert_eq!(key_bytes(Key::D, Modifiers::CTRL, false), [4]);
        assert_eq!(key_bytes(Key::A, none, false), b"", "letters come as text");
        assert_eq!(typed(&[Event::Text("é".into()), Event::Copy], false), [0xc3, 0xa9, 3]);
    }

    #[test]
    fn every_colour_has_a_place() {
        for index in 0..=255 {
            color_of(vt100::Color::Idx(index), Color32::BLACK);
        }
    }
}
