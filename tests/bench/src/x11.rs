//! An X display as a screen, for programs that read such.

use anyhow::{Context as _, Result};
use lotse_codec::Size;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    ConnectionExt as _, CreateGCAux, CreateWindowAux, ImageFormat, Rectangle, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

use crate::player::{Shot, Stage};

/// Bytes of pixels in one request at most: what servers take without extensions is 256 KiB.
const MOST: usize = 200 << 10;

/// A window that covers an X display.
#[derive(Debug)]
pub(crate) struct XStage {
    connection: RustConnection,
    window: u32,
    context: u32,
    depth: u8,
    width: usize,
}

impl XStage {
    /// Covers the display of this name, as in `:9`, in black.
    pub(crate) fn open(display: &str, size: Size) -> Result<Self> {
        let (connection, screen) = x11rb::connect(Some(display)).context("the X display")?;
        let screen = connection.setup().roots.get(screen).context("no screen")?;
        let (root, visual, depth) = (screen.root, screen.root_visual, screen.root_depth);
        let (window, context) = (connection.generate_id()?, connection.generate_id()?);
        let (width, height) = (size.width as u16, size.height as u16);
        // The pointer belongs to no workload: it is one pixel of nothing.
        let (nothing, pointer) = (connection.generate_id()?, connection.generate_id()?);
        connection.create_pixmap(1, nothing, root, 1, 1)?;
        let eraser = connection.generate_id()?;
        connection.create_gc(eraser, nothing, &CreateGCAux::new().foreground(0))?;
        let pixel = Rectangle { x: 0, y: 0, width: 1, height: 1 };
        connection.poly_fill_rectangle(nothing, eraser, &[pixel])?;
        connection.create_cursor(pointer, nothing, nothing, 0, 0, 0, 0, 0, 0, 0, 0)?;
        let looks = CreateWindowAux::new().override_redirect(1).background_pixel(0).cursor(pointer);
        connection.create_window(
            depth,
            window,
            root,
            0,
            0,
            width,
            height,
            0,
            WindowClass::INPUT_OUTPUT,
            visual,
            &looks,
        )?;
        connection.create_gc(context, window, &CreateGCAux::new())?;
        connection.warp_pointer(x11rb::NONE, root, 0, 0, 0, 0, width as i16, height as i16)?;
        connection.map_window(window)?;
        connection.sync()?;
        Ok(Self { connection, window, context, depth, width: size.width as usize })
    }
}

impl Stage for XStage {
    /// Draws what has changed and nothing else, as a careful program does.
    fn show(&mut self, shot: &Shot) -> Result<()> {
        let (left, width) = (shot.x as usize, shot.width as usize);
        let stride = self.width * 4;
        let rows_at_once = (MOST / (width * 4).max(1)).max(1);
        for (at, rows) in (0..).step_by(rows_at_once).zip(shot.rows.chunks(stride * rows_at_once)) {
            let pixels: Vec<u8> = rows
                .chunks_exact(stride)
                .filter_map(|row| row.get(left * 4..(left + width) * 4))
                .flatten()
                .copied()
                .collect();
            let height = (rows.len() / stride) as u16;
            self.connection.put_image(
                ImageFormat::Z_PIXMAP,
                self.window,
                self.context,
                width as u16,
                height,
                shot.x as i16,
                (shot.y as usize + at) as i16,
                0,
                self.depth,
                &pixels,
            )?;
        }
        Ok(self.connection.flush()?)
    }
}
