//! A window on the screen: egui's input from it, and our pixels into it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use egui_winit::State;
use softbuffer::{Rect, Surface};
use winit::dpi::LogicalSize;
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, OwnedDisplayHandle};
use winit::window::{Icon, Window, WindowAttributes};

use crate::render::{Canvas, MAX_TEXTURE_SIDE, PxRect, Renderer};
use crate::ui::theme;

/// Size at the start, and the least, in points.
const SIZE: LogicalSize<f64> = LogicalSize::new(1280.0, 800.0);
const LEAST_SIZE: LogicalSize<f64> = LogicalSize::new(640.0, 480.0);

/// The window, what draws into it, and what reads from it.
pub(super) struct Shown {
    window: Arc<Window>,
    surface: Surface<OwnedDisplayHandle, Arc<Window>>,
    egui: State,
    renderer: Renderer,
    /// A frame was asked for by us, rather than by the desktop, which may have lost the last.
    requested: bool,
    /// The whole window is to be shown with the next frame.
    all: bool,
}

impl Shown {
    /// Opens a window.
    pub(super) fn open(event_loop: &ActiveEventLoop, title: &str) -> anyhow::Result<Self> {
        let attributes = WindowAttributes::default()
            .with_title(title)
            .with_inner_size(SIZE)
            .with_min_inner_size(LEAST_SIZE)
            .with_window_icon(icon());
        let window = Arc::new(event_loop.create_window(attributes)?);
        let context = softbuffer::Context::new(event_loop.owned_display_handle()).map_err(said)?;
        let surface = Surface::new(&context, Arc::clone(&window)).map_err(said)?;
        let ctx = egui::Context::default();
        theme::apply(&ctx);
        let scale = window.scale_factor() as f32;
        let egui = State::new(
            ctx,
            egui::ViewportId::ROOT,
            event_loop,
            Some(scale),
            event_loop.system_theme(),
            Some(MAX_TEXTURE_SIDE),
        );
        let renderer = Renderer::default();
        Ok(Self { window, surface, egui, renderer, requested: false, all: true })
    }

    /// Asks for [`Shown::draw`] to be called soon.
    pub(super) fn request_frame(&mut self) {
        self.requested = true;
        self.window.request_redraw();
    }

    /// Takes an event of the window; whether there is something new to draw.
    pub(super) fn handle(&mut self, event: &WindowEvent) -> bool {
        self.all |= matches!(
            event,
            WindowEvent::Resized(_) | WindowEvent::Focused(_) | WindowEvent::Occluded(false)
        );
        self.egui.on_window_event(&self.window, event).repaint
    }

    /// Runs and draws a frame. Returns when the next one is wanted.
    pub(super) fn draw(
        &mut self,
        mut run_ui: impl FnMut(&mut egui::Ui),
    ) -> anyhow::Result<Duration> {
        let exposed = !std::mem::take(&mut self.requested);
        let input = self.egui.take_egui_input(&self.window);
        let ctx = self.egui.egui_ctx().clone();
        let output = ctx.run_ui(input, &mut run_ui);
        self.egui.handle_platform_output(&self.window, output.platform_output);
        let primitives = ctx.tessellate(output.shapes, output.pixels_per_point);
        let size = self.window.inner_size();
        let damage = self.renderer.draw(
            [size.width, size.height],
            output.pixels_per_point,
            &primitives,
            &output.textures_delta,
        );
        let all = exposed || std::mem::take(&mut self.all);
        self.present(if all { self.renderer.canvas().bounds() } else { damage })?;
        let delay = output.viewport_output.get(&egui::ViewportId::ROOT).map(|v| v.repaint_delay);
        Ok(delay.unwrap_or(Duration::MAX))
    }

    /// Puts a part of the canvas on the screen.
    fn present(&mut self, damage: PxRect) -> anyhow::Result<()> {
        let canvas = self.renderer.canvas();
        let side = |value: i32| u32::try_from(value).ok().and_then(NonZeroU32::new);
        let (Some(width), Some(height)) =
            (NonZeroU32::new(canvas.width()), NonZeroU32::new(canvas.height()))
        else {
            return Ok(());
        };
        let (Some(damage_width), Some(damage_height)) =
            (side(damage.width()), side(damage.height()))
        else {
            return Ok(());
        };
        self.surface.resize(width, height).map_err(said)?;
        let mut buffer = self.surface.buffer_mut().map_err(said)?;
        // A buffer of age 1 has the last frame in it.
        if buffer.age() == 1 {
            copy_part(canvas, &mut buffer, damage);
        } else if buffer.len() == canvas.pixels().len() {
            buffer.copy_from_slice(canvas.pixels());
        }
        self.window.pre_present_notify();
        // Parts of a canvas lie at coordinates that are not negative.
        let rect = Rect {
            x: damage.left.unsigned_abs(),
            y: damage.top.unsigned_abs(),
            width: damage_width,
            height: damage_height,
        };
        buffer.present_with_damage(&[rect]).map_err(said)
    }
}

fn copy_part(canvas: &Canvas, buffer: &mut [u32], part: PxRect) {
    let width = canvas.width() as usize;
    for y in part.top.max(0)..part.bottom {
        let row = y as usize * width;
        let span = row + part.left.max(0) as usize..row + (part.right.max(0) as usize).min(width);
        if let (Some(to), Some(from)) = (buffer.get_mut(span.clone()), canvas.pixels().get(span)) {
            to.copy_from_slice(from);
        }
    }
}

/// softbuffer's errors cannot travel between threads; their words can.
fn said(error: softbuffer::SoftBufferError) -> anyhow::Error {
    anyhow!("{error}")
}

/// Flag H, for the task bar.
fn icon() -> Option<Icon> {
    const SIDE: u32 = 64;
    let color = |x: u32, y: u32| match (x, y) {
        (_, 0..8 | 56..) => [0; 4],
        (0..32, _) => [255, 255, 255, 255],
        _ => theme::RED.to_array(),
    };
    let pixels = (0..SIDE).flat_map(|y| (0..SIDE).flat_map(move |x| color(x, y))).collect();
    Icon::from_rgba(pixels, SIDE, SIDE).context("icon").ok()
}
