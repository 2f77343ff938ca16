//! Fills textured triangles, as a graphics card would.
//!
//! A pixel belongs to a triangle if its middle is inside; on an edge shared by two triangles
//! exactly one of them has it (the top-left rule), so that nothing is blended twice.

use egui::epaint::{Mesh, Vertex};

use super::canvas::{Canvas, PxRect, blend};
use super::texture::Texture;

/// Draws a mesh, within `clip` only.
pub(super) fn draw_mesh(
    canvas: &mut Canvas,
    mesh: &Mesh,
    texture: &Texture,
    clip: PxRect,
    pixels_per_point: f32,
) {
    let clip = clip.intersect(canvas.bounds());
    if clip.is_empty() {
        return;
    }
    let vertex =
        |index: &u32| mesh.vertices.get(*index as usize).map(|v| Corner::new(v, pixels_per_point));
    for corners in mesh.indices.chunks_exact(3) {
        if let [Some(a), Some(b), Some(c)] = [0, 1, 2].map(|i| corners.get(i).and_then(vertex)) {
            fill(canvas, [a, b, c], texture, clip);
        }
    }
}

/// A corner in pixels.
#[derive(Clone, Copy)]
struct Corner {
    x: f32,
    y: f32,
    u: f32,
    v: f32,
    color: [f32; 4],
}

impl Corner {
    fn new(vertex: &Vertex, pixels_per_point: f32) -> Self {
        Self {
            x: vertex.pos.x * pixels_per_point,
            y: vertex.pos.y * pixels_per_point,
            u: vertex.uv.x,
            v: vertex.uv.y,
            color: vertex.color.to_array().map(f32::from),
        }
    }
}

/// One side of a triangle as a function that is positive inside: `a·x + b·y + c`.
#[derive(Clone, Copy)]
struct Edge {
    a: f32,
    b: f32,
    c: f32,
    /// Whether pixels exactly on it belong to the triangle.
    inclusive: bool,
}

impl Edge {
    fn new(from: Corner, to: Corner) -> Self {
        // Always reckoned from the same end, so that the two triangles at this side get values
        // that differ in nothing but the sign.
        let forward = (from.x, from.y) <= (to.x, to.y);
        let (p, q, sign) = if forward { (from, to, 1.0) } else { (to, from, -1.0) };
        let (a, b) = (p.y - q.y, q.x - p.x);
        let (a, b, c) = (sign * a, sign * b, sign * -(a * p.x + b * p.y));
        Self { a, b, c, inclusive: a > 0.0 || (a == 0.0 && b > 0.0) }
    }

    fn at(self, x: f32, y: f32) -> f32 {
        // Relative to nothing: windows are at most some thousand pixels, f32 suffices.
        self.a * x + self.b * y + self.c
    }

    fn has(self, value: f32) -> bool {
        value > 0.0 || (value == 0.0 && self.inclusive)
    }
}

fn fill(canvas: &mut Canvas, [a, mut b, mut c]: [Corner; 3], texture: &Texture, clip: PxRect) {
    let mut area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
    if area < 0.0 {
        std::mem::swap(&mut b, &mut c);
        area = -area;
    }
    if area <= 0.0 || !area.is_finite() {
        return;
    }
    let bounds = PxRect {
        left: a.x.min(b.x).min(c.x).floor() as i32,
        top: a.y.min(b.y).min(c.y).floor() as i32,
        right: a.x.max(b.x).max(c.x).ceil() as i32,
        bottom: a.y.max(b.y).max(c.y).ceil() as i32,
    }
    .intersect(clip);
    let edges = [Edge::new(b, c), Edge::new(c, a), Edge::new(a, b)];
    let shade = Shade::new([a, b, c], area, texture);
    for y in bounds.top..bounds.bottom {
        let middle = y as f32 + 0.5;
        let Some((left, right)) = row_span(&edges, middle, bounds) else { continue };
        let span = canvas.span_mut(y, left, right);
        if let Some(flat) = shade.flat {
            fill_flat(span, flat);
            continue;
        }
        for (i, pixel) in span.iter_mut().enumerate() {
            let x = (left as f32 + 0.5) + i as f32;
            let weights = edges.map(|edge| edge.at(x, middle));
            *pixel = blend(*pixel, shade.color(weights));
        }
    }
}

fn fill_flat(span: &mut [u32], color: [u8; 4]) {
    match color {
        [_, _, _, 255] => span.fill(blend(0, color)),
        [0, 0, 0, 0] => {}
        _ => span.iter_mut().for_each(|pixel| *pixel = blend(*pixel, color)),
    }
}

/// The pixels of one row that belong to the triangle; a triangle has no gaps.
fn row_span(edges: &[Edge; 3], middle: f32, bounds: PxRect) -> Option<(i32, i32)> {
    let inside = |x: i32| edges.iter().all(|edge| edge.has(edge.at(x as f32 + 0.5, middle)));
    // Where the edges cross the row gives the span but for rounding; the exact ends are then
    // searched among the neighbours, with the same rule for every triangle.
    let (mut low, mut high) = (bounds.left as f32, bounds.right as f32);
    for edge in edges {
        let crossing = -(edge.b * middle + edge.c) / edge.a;
        if edge.a > 0.0 {
            low = low.max(crossing - 1.5);
        } else if edge.a < 0.0 {
            high = high.min(crossing + 1.5);
        }
    }
    let (first, last) = (low.floor() as i32, high.ceil() as i32);
    let first = (first.max(bounds.left)..last.min(bounds.right)).find(|x| inside(*x))?;
    let last = (first..last.min(bounds.right)).rev().find(|x| inside(*x))?;
    Some((first, last + 1))
}

/// How a triangle is coloured.
struct Shade<'a> {
    corners: [Corner; 3],
    per_area: f32,
    texture: &'a Texture,
    /// The one colour of all pixels, if there is only one.
    flat: Option<[u8; 4]>,
    /// The texture's colour, if all corners lie on the same spot of it.
    texel: Option<[f32; 4]>,
}

impl<'a> Shade<'a> {
    fn new(corners: [Corner; 3], area: f32, texture: &'a Texture) -> Self {
        let [a, b, c] = corners;
        let one_spot = a.u == b.u && b.u == c.u && a.v == b.v && b.v == c.v;
        let texel = one_spot.then(|| texture.sample(a.u, a.v).map(f32::from));
        let one_color = a.color == b.color && b.color == c.color;
        let flat = texel.filter(|_| one_color).map(|texel| modulate(a.color, texel));
        Self { corners, per_area: 1.0 / area, texture, flat, texel }
    }

    fn color(&self, weights: [f32; 3]) -> [u8; 4] {
        let [wa, wb, wc] = weights.map(|w| w * self.per_area);
        let [a, b, c] = &self.corners;
        let mut color = [0.0; 4];
        let channels = a.color.iter().zip(&b.color).zip(&c.color);
        for (mixed, ((a, b), c)) in color.iter_mut().zip(channels) {
            *mixed = a * wa + b * wb + c * wc;
        }
        let texel = self.texel.unwrap_or_else(|| {
            let u = a.u * wa + b.u * wb + c.u * wc;
            let v = a.v * wa + b.v * wb + c.v * wc;
            self.texture.sample(u, v).map(f32::from)
        });
        modulate(color, texel)
    }
}

/// The product of two colours of 0 to 255 per channel.
fn modulate(color: [f32; 4], texel: [f32; 4]) -> [u8; 4] {
    let mut product = [0; 4];
    for (out, (c, t)) in product.iter_mut().zip(color.into_iter().zip(texel)) {
        // `as` saturates.
        *out = (c * t / 255.0 + 0.5) as u8;
    }
    product
}

#[cfg(test)]
#[path = "raster_tests.rs"]
mod tests;
