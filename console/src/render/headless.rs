//! Runs egui without a window and gives the picture that a window would show.

use egui::{Event, RawInput, Rect, Ui, pos2, vec2};

use super::canvas::Canvas;
use super::renderer::Renderer;
use super::texture::MAX_TEXTURE_SIDE;

/// Frames until a layout has settled: egui measures in the first ones.
const SETTLING_FRAMES: usize = 3;

/// egui and a renderer, without a window.
pub struct Headless {
    ctx: egui::Context,
    renderer: Renderer,
    size: [u32; 2],
    pixels_per_point: f32,
    time: f64,
}

impl std::fmt::Debug for Headless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Headless").field("size", &self.size).finish_non_exhaustive()
    }
}

impl Headless {
    /// A window of `width × height` pixels that is not there, in the console's look.
    pub fn new(size: [u32; 2], pixels_per_point: f32) -> Self {
        let ctx = egui::Context::default();
        crate::ui::theme::apply(&ctx);
        Self { ctx, renderer: Renderer::default(), size, pixels_per_point, time: 0.0 }
    }

    /// Runs frames until the layout has settled and gives the picture of the last one.
    pub fn render(&mut self, mut run_ui: impl FnMut(&mut Ui)) -> &Canvas {
        for _ in 0..SETTLING_FRAMES {
            self.frame(Vec::new(), &mut run_ui);
        }
        self.renderer.canvas()
    }

    /// Runs one frame with these inputs.
    pub fn frame(&mut self, events: Vec<Event>, mut run_ui: impl FnMut(&mut Ui)) {
        let [width, height] = self.size.map(|side| side as f32 / self.pixels_per_point);
        let mut input = RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(width, height))),
            max_texture_side: Some(MAX_TEXTURE_SIDE),
            time: Some(self.time),
            focused: true,
            events,
            ..Default::default()
        };
        if let Some(viewport) = input.viewports.get_mut(&input.viewport_id) {
            viewport.native_pixels_per_point = Some(self.pixels_per_point);
        }
        // Long enough for every animation to have ended.
        self.time += 1.0;
        let output = self.ctx.run_ui(input, &mut run_ui);
        let primitives = self.ctx.tessellate(output.shapes, output.pixels_per_point);
        self.renderer.draw(self.size, output.pixels_per_point, &primitives, &output.textures_delta);
    }
}
