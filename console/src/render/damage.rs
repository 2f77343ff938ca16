//! Finds out which part of the window differs from the last frame.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use egui::ClippedPrimitive;
use egui::epaint::{Mesh, Primitive};

use super::canvas::PxRect;
use super::picture::{PicturePaint, window_from_picture};
use crate::model::picture::PixelRect;

/// What one primitive was in a frame: where, and a fingerprint of how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Print {
    bounds: PxRect,
    hash: u64,
}

/// Remembers the primitives of the last frame.
#[derive(Debug, Default)]
pub(super) struct Damage {
    last: Vec<Print>,
    scale_bits: u32,
}

impl Damage {
    /// The part of the window to draw anew. It covers every difference to the last frame.
    pub(super) fn of_frame(
        &mut self,
        primitives: &[ClippedPrimitive],
        pixels_per_point: f32,
    ) -> PxRect {
        let prints: Vec<Print> =
            primitives.iter().map(|primitive| print(primitive, pixels_per_point)).collect();
        let mut damage = PxRect::EMPTY;
        if self.scale_bits != pixels_per_point.to_bits() {
            self.last.clear();
            self.scale_bits = pixels_per_point.to_bits();
        }
        for i in 0..prints.len().max(self.last.len()) {
            let (old, new) = (self.last.get(i), prints.get(i));
            if old != new {
                damage = [old, new].into_iter().flatten().fold(damage, |d, p| d.union(p.bounds));
            }
        }
        for primitive in primitives {
            damage = damage.union(picture_damage(primitive, pixels_per_point));
        }
        self.last = prints;
        damage
    }
}

fn print(primitive: &ClippedPrimitive, pixels_per_point: f32) -> Print {
    let clip = PxRect::from_points(primitive.clip_rect, pixels_per_point);
    let mut hasher = DefaultHasher::new();
    clip.hash(&mut hasher);
    let bounds = match &primitive.primitive {
        Primitive::Mesh(mesh) => {
            hash_mesh(mesh, &mut hasher);
            // Feathered edges end between pixels: one more on each side.
            PxRect::from_points(mesh.calc_bounds().expand(1.0), pixels_per_point)
        }
        Primitive::Callback(callback) => {
            let place = PxRect::from_points(callback.rect, pixels_per_point);
            place.hash(&mut hasher);
            if let Some(paint) = PicturePaint::of(callback) {
                paint.greyed.hash(&mut hasher);
            }
            place
        }
    };
    Print { bounds: bounds.intersect(clip), hash: hasher.finish() }
}

fn hash_mesh(mesh: &Mesh, hasher: &mut DefaultHasher) {
    mesh.texture_id.hash(hasher);
    mesh.indices.hash(hasher);
    for vertex in &mesh.vertices {
        let parts = [vertex.pos.x, vertex.pos.y, vertex.uv.x, vertex.uv.y].map(f32::to_bits);
        parts.hash(hasher);
        vertex.color.hash(hasher);
    }
}

fn picture_damage(primitive: &ClippedPrimitive, pixels_per_point: f32) -> PxRect {
    let Primitive::Callback(callback) = &primitive.primitive else { return PxRect::EMPTY };
    let Some(paint) = PicturePaint::of(callback) else { return PxRect::EMPTY };
    let place = PxRect::from_points(callback.rect, pixels_per_point);
    let clip = PxRect::from_points(primitive.clip_rect, pixels_per_point);
    let mut picture = paint.picture.lock();
    let size = [picture.width(), picture.height()];
    let dirty = picture.take_dirty();
    drop(picture);
    dirty
        .into_iter()
        .reduce(PixelRect::union)
        .map_or(PxRect::EMPTY, |rect| window_from_picture(rect, size, place).intersect(clip))
}
