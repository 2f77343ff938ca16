//! The rules of filling triangles.

use egui::epaint::{ImageDelta, Primitive};
use egui::{Color32, ColorImage, ImageData, Pos2, TextureId, TextureOptions, TexturesDelta, pos2};
use proptest::prelude::*;

use super::super::texture::Textures;
use super::*;

const WHITE: u32 = 0x00ff_ffff;

fn textures(image: ColorImage) -> Textures {
    let mut textures = Textures::default();
    let delta = ImageDelta::full(ImageData::Color(image.into()), TextureOptions::LINEAR);
    textures.set(&TexturesDelta { set: vec![(TextureId::default(), delta)], free: vec![] });
    textures
}

fn draw(canvas: &mut Canvas, mesh: Mesh, image: ColorImage, clip: PxRect) {
    let textures = textures(image);
    let primitive = Primitive::Mesh(mesh.clone());
    draw_mesh(canvas, &mesh, textures.of(&primitive).unwrap(), clip, 1.0);
}

fn white() -> ColorImage {
    ColorImage::filled([2, 2], Color32::WHITE)
}

fn triangle(corners: [Pos2; 3], color: Color32) -> Mesh {
    let vertices = corners.map(|pos| Vertex { pos, uv: Pos2::ZERO, color }).to_vec();
    Mesh { indices: vec![0, 1, 2], vertices, texture_id: TextureId::default() }
}

fn quad(rect: egui::Rect, color: Color32) -> Mesh {
    let mut mesh = Mesh::default();
    mesh.add_colored_rect(rect, color);
    mesh
}

#[test]
fn a_rectangle_fills_exactly_its_pixels() {
    let mut canvas = Canvas::new(6, 5);
    let rect = egui::Rect::from_min_max(pos2(1.0, 2.0), pos2(4.0, 4.0));
    let clip = canvas.bounds();
    draw(&mut canvas, quad(rect, Color32::WHITE), white(), clip);
    for y in 0..5 {
        for x in 0..6 {
            let inside = (1..4).contains(&x) && (2..4).contains(&y);
            assert_eq!(canvas.pixel(x, y), Some(if inside { WHITE } else { 0 }), "{x},{y}");
        }
    }
}

#[test]
fn nothing_outside_the_clip_changes() {
    let mut canvas = Canvas::new(8, 8);
    let rect = egui::Rect::from_min_max(pos2(-50.0, -50.0), pos2(50.0, 50.0));
    let clip = PxRect { left: 2, top: 3, right: 5, bottom: 4 };
    draw(&mut canvas, quad(rect, Color32::WHITE), white(), clip);
    assert_eq!(canvas.pixels().iter().filter(|p| **p == WHITE).count(), 3);
    assert_eq!(canvas.pixel(2, 3), Some(WHITE));
}

#[test]
fn a_texture_lands_texel_on_pixel() {
    let colors = [Color32::RED, Color32::GREEN, Color32::BLUE, Color32::WHITE];
    let image = ColorImage::new([2, 2], colors.to_vec());
    let mut mesh = Mesh::default();
    mesh.add_rect_with_uv(
        egui::Rect::from_min_max(pos2(1.0, 1.0), pos2(3.0, 3.0)),
        egui::Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)),
        Color32::WHITE,
    );
    let mut canvas = Canvas::new(4, 4);
    let clip = canvas.bounds();
    draw(&mut canvas, mesh, image, clip);
    let drawn = [(1, 1), (2, 1), (1, 2), (2, 2)].map(|(x, y)| canvas.pixel(x, y).unwrap());
    assert_eq!(drawn, [0x00ff_0000, 0x0000_ff00, 0x0000_00ff, WHITE]);
}

#[test]
fn a_gradient_runs_evenly() {
    let mut mesh = quad(egui::Rect::from_min_max(pos2(0.0, 0.0), pos2(256.0, 1.0)), Color32::BLACK);
    for vertex in &mut mesh.vertices {
        vertex.color = if vertex.pos.x > 0.0 { Color32::WHITE } else { Color32::BLACK };
    }
    let mut canvas = Canvas::new(256, 1);
    let clip = canvas.bounds();
    draw(&mut canvas, mesh, white(), clip);
    for x in 0..256_u32 {
        let blue = canvas.pixel(x, 0).unwrap() & 0xff;
        assert!(blue.abs_diff(x) <= 1, "{x}: {blue}");
    }
}

proptest! {
    /// Two triangles that share an edge cover each pixel of their quadrangle once: a half
    /// transparent colour shows every pixel that was missed or drawn twice.
    #[test]
    fn a_shared_edge_is_drawn_once(
        left in 0.0_f32..10.0, top in 0.0_f32..10.0, width in 0.5_f32..20.0, height in 0.5_f32..20.0,
    ) {
        let rect = egui::Rect::from_min_size(pos2(left, top), egui::vec2(width, height));
        let mut canvas = Canvas::new(32, 32);
        let clip = canvas.bounds();
        draw(&mut canvas, quad(rect, Color32::from_white_alpha(128)), white(), clip);
        for y in 0..32_u32 {
            for x in 0..32_u32 {
                let value = canvas.pixel(x, y).unwrap() & 0xff;
                prop_assert!(value == 0 || value == 128, "{x},{y}: {value}");
            }
        }
    }

    #[test]
    fn no_triangle_panics(values in prop::array::uniform6(any::<f32>())) {
        let [ax, ay, bx, by, cx, cy] = values;
        let mesh = triangle([pos2(ax, ay), pos2(bx, by), pos2(cx, cy)], Color32::RED);
        let mut canvas = Canvas::new(16, 16);
        let clip = canvas.bounds();
        draw(&mut canvas, mesh, white(), clip);
    }
}
