//! Draws the console into memory, pixel by pixel, without a graphics card.
//!
//! egui hands over textured triangles; [`Renderer`] fills them into a [`Canvas`]. The window shows
//! that canvas, and pictures of the console are written from it, so that both are the same. The
//! remote picture is a callback among the triangles ([`PicturePaint`]) and is scaled by code of
//! its own. Only what changed since the last frame is drawn anew (`damage`).

mod canvas;
mod damage;
mod headless;
mod picture;
mod png_file;
mod raster;
mod renderer;
mod texture;

pub use canvas::{Canvas, PxRect};
pub use headless::Headless;
pub use picture::PicturePaint;
pub use png_file::{PngError, write_canvas, write_picture};
pub use renderer::Renderer;
pub use texture::MAX_TEXTURE_SIDE;
