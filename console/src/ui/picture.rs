//! The remote picture, and what the hand does on it.

use egui::{Pos2, Rect, Sense, Stroke, StrokeKind, Ui, Vec2, vec2};

use super::view::{Pointing, Scale, View};
use super::{Scene, hand, theme, widgets};
use crate::model::picture::PixelRect;
use crate::model::{Command, Model, Peer, PixelPoint, ScreenState};
use crate::render::PicturePaint;
use crate::words::Words;

/// Distance between a fitted picture and the edge, in points: room for the mark of the focus, and
/// to click beside it.
const MARGIN: f32 = 8.0;

/// Where the picture is in the window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    rect: Rect,
    size: [u32; 2],
}

impl Place {
    /// Where a pixel of the picture is in the window: its middle.
    pub(super) fn view_from_picture(self, at: PixelPoint) -> Pos2 {
        let [width, height] = self.size.map(|side| side.max(1) as f32);
        let part = vec2((at.x as f32 + 0.5) / width, (at.y as f32 + 0.5) / height);
        self.rect.min + part * self.rect.size()
    }

    /// A pixel that is in the picture; one that is outside becomes the edge.
    pub(super) fn within(self, at: PixelPoint) -> PixelPoint {
        let [width, height] = self.size;
        PixelPoint { x: at.x.min(width.saturating_sub(1)), y: at.y.min(height.saturating_sub(1)) }
    }

    /// Whether a point of the window is on the picture.
    pub(super) fn contains(self, at: Pos2) -> bool {
        self.rect.contains(at)
    }

    /// The pixel of the picture below a point of the window, the nearest one if outside.
    pub(super) fn picture_from_view(self, at: Pos2) -> PixelPoint {
        let share = (at - self.rect.min) / self.rect.size();
        let [width, height] = self.size;
        // `as` saturates, so that what is left of the picture becomes 0.
        let pixel = |share: f32, side: u32| {
            ((share * side as f32).floor() as u32).min(side.saturating_sub(1))
        };
        PixelPoint { x: pixel(share.x, width), y: pixel(share.y, height) }
    }
}

pub(super) fn picture_ui(
    ui: &mut Ui,
    scene: &Scene<'_>,
    view: &mut View,
    words: &Words,
    commands: &mut Vec<Command>,
) {
    let around = ui.interact(ui.max_rect(), ui.id().with("beside"), Sense::click());
    if around.clicked() {
        view.picture_focused = false;
    }
    let is_somebody = scene.model.peer().is_some_and(Peer::is_somebody);
    if !is_somebody {
        return nobody_ui(ui, scene.model, words);
    }
    let instead = match scene.model.screen() {
        ScreenState::Off => Some(words.connected.screen_off),
        ScreenState::Unreadable => Some(words.connected.screen_unreadable),
        ScreenState::Shown => scene.picture.lock().is_empty().then_some(words.connected.no_picture),
    };
    if let Some(text) = instead {
        ui.centered_and_justified(|ui| {
            ui.label(egui::RichText::new(text).size(16.0).color(theme::FOAM));
        });
        return;
    }
    let (place, response) = show(ui, scene, view.scale, false);
    for part in scene.model.covered() {
        covered_ui(ui, place, *part, words);
    }
    if scene.model.may_point() && view.pointing == Pointing::Arrow {
        return hand::arrow_ui(ui, place, &response, view, commands);
    }
    if !scene.model.may_control() {
        return;
    }
    if view.keys_go_to_panel(scene.model) {
        let stroke = Stroke::new(2.0, theme::ACCENT);
        ui.painter().rect_stroke(place.rect.expand(1.0), 1, stroke, StrokeKind::Outside);
    }
    if response.contains_pointer() && view.typing.is_none() {
        ui.ctx().set_cursor_icon(egui::CursorIcon::Crosshair);
    }
    hand::hand_ui(ui, place, &response, view, commands);
}

/// There is no panel in the session.
fn nobody_ui(ui: &mut Ui, model: &Model, words: &Words) {
    let text = &words.members;
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.35);
        ui.label(egui::RichText::new(text.nobody).size(18.0).color(theme::FOAM));
        if let (true, Some(number)) = (model.group().moderates(), model.number()) {
            ui.label(egui::RichText::new(text.nobody_how).color(theme::FOAM));
            let digits = egui::RichText::new(number.to_string()).font(theme::bold_font(40.0));
            ui.label(digits.color(theme::CARD));
        }
    });
}

/// Says that a part of the picture is not what is seen there.
fn covered_ui(ui: &Ui, place: Place, part: PixelRect, words: &Words) {
    let corner = |x: u32, y: u32| {
        let share =
            vec2(x as f32 / place.size[0].max(1) as f32, y as f32 / place.size[1].max(1) as f32);
        place.rect.min + share * place.rect.size()
    };
    let far = corner(part.x.saturating_add(part.width), part.y.saturating_add(part.height));
    let rect = Rect::from_min_max(corner(part.x, part.y), far).intersect(place.rect);
    let painter = ui.painter().with_clip_rect(rect);
    painter.rect_stroke(rect, 0, Stroke::new(2.0, theme::ACCENT), StrokeKind::Inside);
    let font = theme::bold_font(13.0);
    let text = words.connected.covered.to_owned();
    let galley = ui.painter().layout(text, font, theme::ACCENT, (rect.width() - 16.0).max(40.0));
    let ground = Rect::from_min_size(rect.min + vec2(2.0, 2.0), galley.size() + vec2(12.0, 8.0));
    painter.rect_filled(ground, 0, theme::SEA_DARK);
    painter.galley(ground.min + vec2(6.0, 4.0), galley, theme::ACCENT);
}

/// The picture of the past, while the link is broken.
pub(super) fn greyed_ui(ui: &mut Ui, scene: &Scene<'_>, view: &View) {
    if !scene.picture.lock().is_empty() {
        show(ui, scene, view.scale, true);
    }
}

fn show(ui: &mut Ui, scene: &Scene<'_>, scale: Scale, greyed: bool) -> (Place, egui::Response) {
    let per_point = ui.ctx().pixels_per_point();
    let size = {
        let picture = scene.picture.lock();
        [picture.width(), picture.height()]
    };
    let native = vec2(size[0] as f32, size[1] as f32) / per_point;
    let outer = ui.max_rect();
    let paint = PicturePaint { picture: scene.picture.clone(), greyed };
    let add = |ui: &mut Ui, rect: Rect| {
        // Snapped to window pixels, so that the native size is exact.
        let snap = |v: f32| (v * per_point).round() / per_point;
        let min = Pos2::new(snap(rect.min.x), snap(rect.min.y));
        let rect = Rect::from_min_size(min, vec2(snap(rect.width()), snap(rect.height())));
        let response = ui.interact(rect, ui.id().with("picture"), Sense::click_and_drag());
        ui.painter().add(paint.shape(rect));
        (Place { rect, size }, response)
    };
    match scale {
        Scale::Fitted => {
            let room = (outer.size() - Vec2::splat(2.0 * MARGIN)).max(vec2(16.0, 16.0));
            let rect = Rect::from_center_size(outer.center(), widgets::fitted(native, room));
            add(ui, rect)
        }
        Scale::Native => {
            let bars_only = egui::scroll_area::ScrollSource {
                scroll_bar: true,
                ..egui::scroll_area::ScrollSource::NONE
            };
            let area = egui::ScrollArea::both().auto_shrink([false, false]);
            let shown = area.scroll_source(bars_only).show(ui, |ui| {
                let room = ui.available_size().max(native);
                let (all, _) = ui.allocate_exact_size(room, Sense::hover());
                add(ui, Rect::from_center_size(all.center(), native))
            });
            shown.inner
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::pos2;
    use proptest::prelude::*;

    proptest! {
        /// The middle of where a pixel is shown leads back to that pixel, at any scale.
        #[test]
        fn a_click_lands_on_the_pixel_that_is_seen(
            (width, height) in (1_u32..4000, 1_u32..4000),
            (x, y) in (0.0_f64..1.0, 0.0_f64..1.0),
            (left, top) in (0.0_f32..500.0, 0.0_f32..500.0),
            zoom in 0.3_f32..3.0,
        ) {
            let size = vec2(width as f32, height as f32) * zoom;
            let place = Place { rect: Rect::from_min_size(pos2(left, top), size), size: [width, height] };
            let pixel = PixelPoint { x: (x * f64::from(width)) as u32, y: (y * f64::from(height)) as u32 };
            let middle = vec2(pixel.x as f32 + 0.5, pixel.y as f32 + 0.5) * zoom;
            prop_assert_eq!(place.picture_from_view(pos2(left, top) + middle), pixel);
        }
    }

    #[test]
    fn what_is_outside_becomes_the_edge() {
        let rect = Rect::from_min_size(pos2(10.0, 10.0), vec2(100.0, 50.0));
        let place = Place { rect, size: [200, 100] };
        assert_eq!(place.picture_from_view(pos2(-5.0, 500.0)), PixelPoint { x: 0, y: 99 });
        assert_eq!(place.picture_from_view(pos2(900.0, 0.0)), PixelPoint { x: 199, y: 0 });
    }
}
