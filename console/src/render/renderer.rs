//! Draws egui's output into a canvas, only where it changed.

use egui::epaint::Primitive;
use egui::{ClippedPrimitive, TexturesDelta};

use super::canvas::{Canvas, PxRect};
use super::damage::Damage;
use super::picture::PicturePaint;
use super::raster::draw_mesh;
use super::texture::Textures;

/// Keeps the textures, the canvas and what was drawn last.
#[derive(Debug, Default)]
pub struct Renderer {
    textures: Textures,
    damage: Damage,
    canvas: Canvas,
}

impl Renderer {
    /// Draws a frame of `width × height` pixels. Returns the part that differs from the last one.
    ///
    /// egui covers the whole window with a background, so nothing is cleared first.
    pub fn draw(
        &mut self,
        [width, height]: [u32; 2],
        pixels_per_point: f32,
        primitives: &[ClippedPrimitive],
        textures: &TexturesDelta,
    ) -> PxRect {
        let mut damage = self.damage.of_frame(primitives, pixels_per_point);
        if (width, height) != (self.canvas.width(), self.canvas.height()) {
            self.canvas = Canvas::new(width, height);
            damage = self.canvas.bounds();
        }
        if self.textures.set(textures) {
            damage = self.canvas.bounds();
        }
        damage = damage.intersect(self.canvas.bounds());
        if !damage.is_empty() {
            for primitive in primitives {
                self.draw_primitive(primitive, damage, pixels_per_point);
            }
        }
        self.textures.free(textures);
        damage
    }

    /// What was drawn.
    pub const fn canvas(&self) -> &Canvas {
        &self.canvas
    }

    fn draw_primitive(&mut self, primitive: &ClippedPrimitive, damage: PxRect, scale: f32) {
        let clip = PxRect::from_points(primitive.clip_rect, scale).intersect(damage);
        if clip.is_empty() {
            return;
        }
        match &primitive.primitive {
            Primitive::Mesh(mesh) => {
                if let Some(texture) = self.textures.of(&primitive.primitive) {
                    draw_mesh(&mut self.canvas, mesh, texture, clip, scale);
                }
            }
            Primitive::Callback(callback) => {
                if let Some(paint) = PicturePaint::of(callback) {
                    let place = PxRect::from_points(callback.rect, scale);
                    paint.paint(&mut self.canvas, place, clip);
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "renderer_tests.rs"]
mod tests;
