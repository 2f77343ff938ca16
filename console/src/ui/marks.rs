//! Signs drawn by hand: the flags, the levels of trust, the live sign.

use egui::{Color32, Painter, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, pos2, vec2};

use super::theme;
use crate::model::Level;

/// Signal flag H, white and red halves: "I have a pilot on board". Lotse's mark.
pub(super) fn flag_h(ui: &mut Ui, height: f32) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(height * 1.25, height), Sense::hover());
    paint_flag_h(ui.painter(), rect);
    response
}

fn paint_flag_h(painter: &Painter, rect: Rect) {
    let (white, red) = rect.split_left_right_at_fraction(0.5);
    painter.rect_filled(white, 0, Color32::WHITE);
    painter.rect_filled(red, 0, theme::RED);
    painter.rect_stroke(rect, 0, Stroke::new(1.0, theme::FOAM), egui::StrokeKind::Outside);
}

/// Colour and shape of a level of trust; its word stands beside.
pub(super) fn level_sign(ui: &mut Ui, level: Level) -> Response {
    const SIDE: f32 = 16.0;
    let (rect, response) = ui.allocate_exact_size(vec2(SIDE, SIDE), Sense::hover());
    let painter = ui.painter();
    let (center, radius) = (rect.center(), SIDE / 2.0 - 0.5);
    match level {
        Level::Certificate => {
            painter.circle_filled(center, radius, Color32::from_rgb(0x5f, 0xd0, 0x9f));
            check(painter, center, theme::SEA_DARK);
        }
        Level::Password => {
            painter.rect_filled(rect.shrink(1.0), 2, Color32::from_rgb(0x8c, 0xc4, 0xf5));
            check(painter, center, theme::SEA_DARK);
        }
        Level::CodeCompared => {
            painter.add(diamond(center, radius + 1.0, theme::ACCENT));
            check(painter, center, theme::SEA_DARK);
        }
        Level::None => {
            painter.add(triangle(center, radius, Color32::WHITE));
            let stroke = Stroke::new(2.0, theme::SEA_DARK);
            painter.line_segment([center - vec2(0.0, 2.0), center + vec2(0.0, 2.0)], stroke);
            painter.circle_filled(center + vec2(0.0, 5.0), 1.1, theme::SEA_DARK);
        }
    }
    response
}

/// The shape of a panel or of a technician's computer, in front of its name.
pub(super) fn kind_sign(ui: &mut Ui, is_device: bool) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(18.0, 16.0), Sense::hover());
    let painter = ui.painter();
    let stroke = Stroke::new(1.6, theme::SEA);
    let inside = egui::StrokeKind::Inside;
    if is_device {
        // A screen on its foot.
        let screen = Rect::from_min_size(rect.min + vec2(1.0, 1.0), vec2(16.0, 10.0));
        painter.rect_stroke(screen, 1, stroke, inside);
        painter.line_segment([rect.min + vec2(9.0, 11.0), rect.min + vec2(9.0, 15.0)], stroke);
        painter.line_segment([rect.min + vec2(5.0, 15.0), rect.min + vec2(13.0, 15.0)], stroke);
    } else {
        // A head and shoulders.
        painter.circle_filled(rect.min + vec2(9.0, 4.5), 3.5, theme::SEA);
        let shoulders = Rect::from_min_size(rect.min + vec2(2.5, 9.0), vec2(13.0, 6.5));
        let round = egui::CornerRadius { nw: 6, ne: 6, sw: 1, se: 1 };
        painter.rect_filled(shoulders, round, theme::SEA);
    }
    response
}

fn check(painter: &Painter, center: Pos2, color: Color32) {
    let points = [vec2(-3.5, 0.2), vec2(-1.0, 2.8), vec2(3.6, -2.8)].map(|d| center + d);
    painter.add(Shape::line(points.to_vec(), Stroke::new(2.0, color)));
}

fn diamond(center: Pos2, radius: f32, color: Color32) -> Shape {
    let points = [(0.0, -radius), (radius, 0.0), (0.0, radius), (-radius, 0.0)]
        .map(|(x, y)| center + vec2(x, y));
    Shape::convex_polygon(points.to_vec(), color, Stroke::NONE)
}

fn triangle(center: Pos2, radius: f32, color: Color32) -> Shape {
    let points = [(0.0, -radius), (radius, radius), (-radius, radius)]
        .map(|(x, y)| pos2(center.x + x, center.y + y));
    Shape::convex_polygon(points.to_vec(), color, Stroke::NONE)
}

/// A filled circle: something is live.
pub(super) fn live_dot(ui: &mut Ui) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
    ui.painter().circle_filled(rect.center(), 6.0, Color32::WHITE);
    ui.painter().circle_filled(rect.center(), 4.5, theme::RED);
    response
}

/// A keyboard, filled while keys go to the panel.
pub(super) fn keyboard(ui: &mut Ui, filled: bool) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(20.0, 14.0), Sense::hover());
    let (ground, keys) =
        if filled { (theme::ACCENT, theme::SEA_DARK) } else { (theme::SEA_DARK, theme::FOAM) };
    ui.painter().rect_filled(rect, 2, ground);
    ui.painter().rect_stroke(rect, 2, Stroke::new(1.0, keys), egui::StrokeKind::Inside);
    for (row, columns) in [(4.0, [4.0, 8.0, 12.0, 16.0]), (7.5, [4.0, 8.0, 12.0, 16.0])] {
        for x in columns {
            ui.painter().circle_filled(rect.min + vec2(x, row), 1.0, keys);
        }
    }
    let bar = [rect.min + vec2(6.0, 10.8), rect.min + vec2(14.0, 10.8)];
    ui.painter().line_segment(bar, Stroke::new(1.6, keys));
    response
}
