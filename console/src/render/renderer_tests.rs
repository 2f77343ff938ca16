//! A frame drawn only where it changed equals a frame drawn as a whole.

use egui::{Color32, RichText, pos2, vec2};

use super::*;
use crate::model::picture::{PixelRect, SharedPicture};

fn frame(renderer: &mut Renderer, ctx: &egui::Context, scene: impl Fn(&mut egui::Ui)) -> PxRect {
    let screen = egui::Rect::from_min_size(pos2(0.0, 0.0), vec2(160.0, 120.0));
    let input = egui::RawInput { screen_rect: Some(screen), ..Default::default() };
    let output = ctx.run_ui(input, |ui| scene(ui));
    let primitives = ctx.tessellate(output.shapes, output.pixels_per_point);
    renderer.draw([160, 120], 1.0, &primitives, &output.textures_delta)
}

fn scene(ui: &mut egui::Ui, picture: &SharedPicture, label: &str) {
    ui.painter().rect_filled(ui.ctx().content_rect(), 0, Color32::from_gray(40));
    ui.label(RichText::new("same").color(Color32::WHITE));
    ui.label(RichText::new(label).color(Color32::YELLOW));
    let paint = PicturePaint { picture: picture.clone(), greyed: false };
    let place = egui::Rect::from_min_size(pos2(10.0, 60.0), vec2(100.0, 50.0));
    ui.painter().add(paint.shape(place));
}

fn context() -> egui::Context {
    let ctx = egui::Context::default();
    crate::ui::theme::apply(&ctx);
    ctx
}

#[test]
fn drawing_the_difference_gives_the_same_pixels() {
    let picture = SharedPicture::default();
    picture.lock().resize(64, 32).unwrap();
    let (ctx, mut renderer) = (context(), Renderer::default());
    // Both texts first, so that the atlas of letters does not change later.
    for label in ["aaa", "bbbb", "aaa"] {
        frame(&mut renderer, &ctx, |ui| scene(ui, &picture, label));
    }
    let damage = frame(&mut renderer, &ctx, |ui| scene(ui, &picture, "bbbb"));
    assert!(!damage.is_empty() && damage != renderer.canvas().bounds(), "{damage:?}");

    let rect = PixelRect { x: 5, y: 6, width: 7, height: 8 };
    picture.lock().copy_rgbx(&vec![200; 64 * 32 * 4], rect);
    let damage = frame(&mut renderer, &ctx, |ui| scene(ui, &picture, "bbbb"));
    assert!(damage.width() < 20 && !damage.is_empty(), "{damage:?}");

    let (fresh_ctx, mut fresh) = (context(), Renderer::default());
    for label in ["aaa", "bbbb"] {
        frame(&mut fresh, &fresh_ctx, |ui| scene(ui, &picture, label));
    }
    assert!(renderer.canvas() == fresh.canvas());
}

#[test]
fn a_frame_without_a_change_draws_nothing() {
    let picture = SharedPicture::default();
    let (ctx, mut renderer) = (context(), Renderer::default());
    for _ in 0..3 {
        frame(&mut renderer, &ctx, |ui| scene(ui, &picture, "still"));
    }
    let damage = frame(&mut renderer, &ctx, |ui| scene(ui, &picture, "still"));
    assert_eq!(damage, PxRect::EMPTY);
}
