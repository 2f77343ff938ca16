//! Finds out which part of the window differs from the last frame.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use egui::ClippedPrimitive;
use egui::epaint::{Mesh, Primitive};

use super::canvas::PxRect;
use super::picture::{PicturePaint, window_from_picture};
use crate::model::picture::PixelRect;

/// One piece of what was drawn: where, and a fingerprint of how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    bounds: PxRect,
    hash: u64,
}

/// What a primitive was in a frame: a piece per triangle, in the order in which they are drawn.
#[derive(Debug, Default, PartialEq, Eq)]
struct Print {
    clip: PxRect,
    pieces: Vec<Piece>,
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
        if self.scale_bits != pixels_per_point.to_bits() {
            self.last.clear();
            self.scale_bits = pixels_per_point.to_bits();
        }
        let none = Print::default();
        let mut damage = PxRect::EMPTY;
        for i in 0..prints.len().max(self.last.len()) {
            let (old, new) = (self.last.get(i).unwrap_or(&none), prints.get(i).unwrap_or(&none));
            damage = damage.union(difference(old, new));
        }
        for primitive in primitives {
            damage = damage.union(picture_damage(primitive, pixels_per_point));
        }
        self.last = prints;
        damage
    }
}

/// Where two primitives differ: all pieces between those that they have in common at the start
/// and at the end.
fn difference(old: &Print, new: &Print) -> PxRect {
    let bounds = |print: &Print, pieces: &[Piece]| {
        let all = pieces.iter().fold(PxRect::EMPTY, |all, piece| all.union(piece.bounds));
        all.intersect(print.clip)
    };
    if old.clip != new.clip {
        return bounds(old, &old.pieces).union(bounds(new, &new.pieces));
    }
    let same_start = old.pieces.iter().zip(&new.pieces).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (
        old.pieces.get(same_start..).unwrap_or_default(),
        new.pieces.get(same_start..).unwrap_or_default(),
    );
    let same_end =
        old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let middle = |rest: &[Piece], print| {
        bounds(print, rest.get(..rest.len() - same_end).unwrap_or_default())
    };
    middle(old_rest, old).union(middle(new_rest, new))
}

fn print(primitive: &ClippedPrimitive, pixels_per_point: f32) -> Print {
    let clip = PxRect::from_points(primitive.clip_rect, pixels_per_point);
    let pieces = match &primitive.primitive {
        Primitive::Mesh(mesh) => {
            mesh.indices.chunks(3).map(|corners| piece(mesh, corners, pixels_per_point)).collect()
        }
        Primitive::Callback(callback) => {
            let bounds = PxRect::from_points(callback.rect, pixels_per_point);
            let greyed = PicturePaint::of(callback).map(|paint| paint.greyed);
            let mut hasher = DefaultHasher::new();
            (bounds, greyed).hash(&mut hasher);
            vec![Piece { bounds, hash: hasher.finish() }]
        }
    };
    Print { clip, pieces }
}

/// The print of one triangle.
fn piece(mesh: &Mesh, corners: &[u32], pixels_per_point: f32) -> Piece {
    let mut hasher = DefaultHasher::new();
    mesh.texture_id.hash(&mut hasher);
    let mut bounds = egui::Rect::NOTHING;
    for vertex in corners.iter().filter_map(|index| mesh.vertices.get(*index as usize)) {
        let parts = [vertex.pos.x, vertex.pos.y, vertex.uv.x, vertex.uv.y].map(f32::to_bits);
        (parts, vertex.color).hash(&mut hasher);
        bounds.extend_with(vertex.pos);
    }
    // Edges end between pixels: one more on each side.
    let bounds = PxRect::from_points(bounds.expand(1.0 / pixels_per_point), pixels_per_point);
    Piece { bounds, hash: hasher.finish() }
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
