//! The textures that egui draws with: mostly one atlas of letters.

use std::collections::HashMap;

use egui::epaint::{ImageDelta, Primitive};
use egui::{Color32, ColorImage, ImageData, TextureId, TexturesDelta};

/// Largest side of a texture in pixels; egui is told the same.
pub const MAX_TEXTURE_SIDE: usize = 4096;

/// One texture, colours with premultiplied alpha.
#[derive(Debug, Default)]
pub(super) struct Texture {
    width: usize,
    height: usize,
    pixels: Vec<Color32>,
}

impl Texture {
    /// The colour at texel coordinates, the nearest one inside if outside.
    #[inline]
    fn texel(&self, x: i32, y: i32) -> [u8; 4] {
        let clamp = |v: i32, len: usize| (v.max(0) as usize).min(len.saturating_sub(1));
        let index = clamp(y, self.height) * self.width + clamp(x, self.width);
        self.pixels.get(index).map_or([0; 4], Color32::to_array)
    }

    /// The colour at `u`, `v` from 0 to 1, mixed of the four nearest texels.
    #[inline]
    pub(super) fn sample(&self, u: f32, v: f32) -> [u8; 4] {
        let (x, y) = (u * self.width as f32 - 0.5, v * self.height as f32 - 0.5);
        let (x0, y0) = (x.floor(), y.floor());
        let (fx, fy) = (((x - x0) * 256.0) as u32, ((y - y0) * 256.0) as u32);
        let (x0, y0) = (x0 as i32, y0 as i32);
        let upper_left = self.texel(x0, y0);
        if fx == 0 && fy == 0 {
            return upper_left;
        }
        let corners = [
            upper_left,
            self.texel(x0 + 1, y0),
            self.texel(x0, y0 + 1),
            self.texel(x0 + 1, y0 + 1),
        ];
        let weights = [(256 - fx) * (256 - fy), fx * (256 - fy), (256 - fx) * fy, fx * fy];
        let mut mixed = [0_u32; 4];
        for (corner, weight) in corners.into_iter().zip(weights) {
            for (sum, channel) in mixed.iter_mut().zip(corner) {
                *sum += u32::from(channel) * weight;
            }
        }
        mixed.map(|sum| ((sum + (1 << 15)) >> 16) as u8)
    }

    fn set(&mut self, delta: &ImageDelta) {
        let ImageData::Color(image) = &delta.image;
        match delta.pos {
            None => self.replace(image),
            Some([x, y]) => self.patch(image, x, y),
        }
    }

    fn replace(&mut self, image: &ColorImage) {
        [self.width, self.height] = image.size;
        self.pixels.clone_from(&image.pixels);
    }

    fn patch(&mut self, image: &ColorImage, left: usize, top: usize) {
        let [width, _] = image.size;
        if width == 0 || left + width > self.width {
            return;
        }
        for (row, from) in image.pixels.chunks_exact(width).enumerate() {
            let start = (top + row) * self.width + left;
            if let Some(to) = self.pixels.get_mut(start..start + width) {
                to.copy_from_slice(from);
            }
        }
    }
}

/// All textures in use.
#[derive(Debug, Default)]
pub(super) struct Textures(HashMap<TextureId, Texture>);

impl Textures {
    /// Takes new and changed ones. Returns whether a texture was replaced as a whole.
    pub(super) fn set(&mut self, delta: &TexturesDelta) -> bool {
        for (id, change) in &delta.set {
            self.0.entry(*id).or_default().set(change);
        }
        delta.set.iter().any(|(_, change)| change.pos.is_none())
    }

    /// Forgets those that are not used after this frame.
    pub(super) fn free(&mut self, delta: &TexturesDelta) {
        for id in &delta.free {
            self.0.remove(id);
        }
    }

    /// The texture of a mesh; `None` for one that is unknown, and for other primitives.
    pub(super) fn of(&self, primitive: &Primitive) -> Option<&Texture> {
        match primitive {
            Primitive::Mesh(mesh) => self.0.get(&mesh.texture_id),
            Primitive::Callback(_) => None,
        }
    }
}
