//! The few widgets that all screens share.

use egui::{
    Align, Button, Color32, CornerRadius, Frame, Layout, Margin, Response, RichText, Stroke, Ui,
    Vec2, vec2,
};

use super::theme;

/// Width of a card, in points.
pub(super) const CARD_WIDTH: f32 = 560.0;

/// Height of a line of a paragraph, in points.
const LINE_HEIGHT: f32 = 20.0;

/// A white card in the middle of the paper.
pub(super) fn card(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    let free = ui.available_height();
    let width = CARD_WIDTH.min(ui.available_width() - 32.0).max(200.0);
    egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
        ui.vertical_centered(|ui| {
            let id = ui.id().with("card height");
            let height = ui.data(|data| data.get_temp::<f32>(id)).unwrap_or(free * 0.6);
            // A little above the middle looks like the middle.
            ui.add_space(((free - height) * 0.4).max(16.0));
            let frame = Frame::new()
                .fill(theme::CARD)
                .stroke(Stroke::new(1.0, theme::LINE))
                .corner_radius(10)
                .shadow(theme::shadow())
                .inner_margin(Margin::symmetric(36, 30));
            let shown = frame.show(ui, |ui| {
                ui.set_width(width - 72.0);
                ui.with_layout(Layout::top_down(Align::Min), add);
            });
            ui.data_mut(|data| data.insert_temp(id, shown.response.rect.height()));
            ui.add_space(16.0);
        });
    });
}

/// The heading of a card.
pub(super) fn heading(ui: &mut Ui, text: &str) {
    ui.label(RichText::new(text).heading().color(theme::SEA));
}

/// A paragraph of less weight.
pub(super) fn soft(ui: &mut Ui, text: &str) -> Response {
    ui.label(RichText::new(text).color(theme::INK_SOFT).line_height(Some(LINE_HEIGHT)))
}

/// A paragraph.
pub(super) fn plain(ui: &mut Ui, text: &str) -> Response {
    ui.label(RichText::new(text).size(15.0).line_height(Some(LINE_HEIGHT)))
}

/// The button of what most people want next.
pub(super) fn primary(text: &str) -> Button<'_> {
    Button::new(RichText::new(text).font(theme::bold_font(15.0)).color(Color32::WHITE))
        .fill(theme::SEA)
        .stroke(Stroke::NONE)
        .min_size(vec2(0.0, 42.0))
}

/// The button of the other choice.
pub(super) fn quiet(text: &str) -> Button<'_> {
    Button::new(RichText::new(text).size(15.0)).min_size(vec2(0.0, 42.0))
}

/// A button that stops something.
pub(super) fn stop(text: &str) -> Button<'_> {
    Button::new(RichText::new(text).font(theme::bold_font(15.0)).color(theme::RED))
        .fill(theme::CARD)
        .stroke(Stroke::new(1.5, theme::RED))
        .min_size(vec2(0.0, 42.0))
}

/// A button on the deep blue bar.
pub(super) fn on_bar(text: &str, selected: bool) -> Button<'_> {
    let (fill, color) =
        if selected { (theme::ACCENT, theme::SEA) } else { (theme::SEA_LIGHT, Color32::WHITE) };
    Button::new(RichText::new(text).color(color)).fill(fill).stroke(Stroke::NONE)
}

/// Digits so large that they can be read out, in one line however wide the card is.
pub(super) fn huge_digits(ui: &mut Ui, text: &str, largest: f32) {
    let frame = Frame::new()
        .fill(theme::PAPER)
        .corner_radius(CornerRadius::same(theme::RADIUS))
        .inner_margin(Margin::symmetric(12, 18));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        // DejaVu Sans Bold: a digit is 0.696 em wide, a space half of that.
        let ems = text.chars().map(|c| if c == ' ' { 0.348 } else { 0.696 }).sum::<f32>();
        let size = (ui.available_width() / ems.max(1.0)).min(largest);
        ui.vertical_centered(|ui| {
            ui.label(RichText::new(text).font(theme::bold_font(size)).color(theme::SEA));
        });
    });
}

/// A name from the other side, framed as a name.
pub(super) fn framed_name(ui: &mut Ui, before: &str, name: &str) {
    ui.horizontal_wrapped(|ui| {
        soft(ui, before);
        let frame = Frame::new()
            .stroke(Stroke::new(1.0, theme::LINE))
            .fill(theme::PAPER)
            .corner_radius(4)
            .inner_margin(Margin::symmetric(8, 2));
        frame.show(ui, |ui| ui.label(RichText::new(name).font(theme::bold_font(14.0))));
    });
}

/// A row with a sign that moves and what is going on.
pub(super) fn busy(ui: &mut Ui, text: &str) {
    ui.horizontal(|ui| {
        moving(ui);
        ui.label(text);
    });
}

/// Three dots that light up in turn. Slowly: somebody may wait for minutes.
pub(super) fn moving(ui: &mut Ui) {
    const STEP: f64 = 0.4;
    let (rect, _) = ui.allocate_exact_size(vec2(34.0, 18.0), egui::Sense::hover());
    let lit = (ui.input(|input| input.time) / STEP) as u64 % 3;
    for dot in 0..3_u8 {
        let center = rect.left_center() + vec2(5.0 + 12.0 * f32::from(dot), 0.0);
        let (radius, color) =
            if u64::from(dot) == lit { (5.0, theme::SEA) } else { (3.5, theme::LINE) };
        ui.painter().circle_filled(center, radius, color);
    }
    ui.ctx().request_repaint_after(std::time::Duration::from_secs_f64(STEP));
}

/// Two choices on a card, of which one holds.
pub(super) fn choice<T: PartialEq + Copy>(ui: &mut Ui, value: &mut T, choices: [(T, &str); 2]) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 1.0;
        for (choice, text) in choices {
            let is_chosen = *value == choice;
            let (fill, color) =
                if is_chosen { (theme::SEA, Color32::WHITE) } else { (theme::PAPER, theme::SEA) };
            let button = Button::new(RichText::new(text).color(color)).fill(fill);
            if ui.add(button.stroke(Stroke::new(1.0, theme::LINE))).clicked() {
                *value = choice;
            }
        }
    });
}

/// A button of a list.
pub(super) fn small(text: &str) -> Button<'_> {
    Button::new(RichText::new(text).size(13.0)).min_size(vec2(0.0, 28.0))
}

/// Two choices on the bar, of which one holds.
pub(super) fn choice_on_bar<T: PartialEq + Copy, const N: usize>(
    ui: &mut Ui,
    value: &mut T,
    choices: [(T, &str); N],
    hint: &str,
) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.x = 1.0;
        let left = CornerRadius { ne: 0, se: 0, ..CornerRadius::same(theme::RADIUS) };
        let right = CornerRadius { nw: 0, sw: 0, ..CornerRadius::same(theme::RADIUS) };
        let from_right = ui.layout().prefer_right_to_left();
        let (first, last) = if from_right { (right, left) } else { (left, right) };
        for (index, (choice, text)) in choices.into_iter().enumerate() {
            let corner = match index {
                0 => first,
                _ if index + 1 == N => last,
                _ => CornerRadius::ZERO,
            };
            let button = on_bar(text, *value == choice).corner_radius(corner);
            if ui.add(button).on_hover_text(hint).clicked() {
                *value = choice;
            }
        }
    });
}

/// The size of the largest rectangle with the proportions of `inner` within `outer`.
pub(super) fn fitted(inner: Vec2, outer: Vec2) -> Vec2 {
    inner * (outer.x / inner.x).min(outer.y / inner.y)
}
