//! The panel on a machine whose screen nobody shares: drawn through the frame buffer.
//!
//! The *whole* panel comes up on a virtual terminal of its own. That makes a compositor let go
//! of the card, so that the kernel shows its frame buffer, in which we draw. A *part* of the
//! panel (the sign of a session) is drawn over what is shown now, which is possible only where
//! the frame buffer is what is shown: on a bare console, and under programs that draw in the
//! frame buffer themselves. They may draw over it; showing it again mends that.
//!
//! Whether something is really seen is read back from the scan-out, not from the frame buffer,
//! which takes any picture also while nobody sees it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::PanelConfig;
use super::painted::Painted;
use super::read_back::compare_screen;
use super::saved::Saved;
use super::terminal::{self, OwnTerminal};
use crate::linux::choose::{ScreenChoice, card_of, choose, lies};
use crate::linux::drm::Card;
use crate::linux::fbdev::{Access, FrameBuffer, Mode};
use crate::linux::pixel_format::{BGRX_BYTES, PixelFormat};
use crate::linux::sys::TerminalMode;
use crate::{Error, Orientation, Paint, Panel, Rect, Size};

/// Rows of the frame buffer that are painted at once.
const STRIP_ROWS: u32 = 16;

/// How long the kernel may take to bring what was drawn to the screen.
const SETTLE_TIME: Duration = Duration::from_millis(300);

/// How often it is looked at meanwhile.
const SETTLE_STEP: Duration = Duration::from_millis(20);

/// What is shown now.
#[derive(Debug)]
struct Shown {
    device: FrameBuffer,
    /// What makes the frame buffer's picture upright.
    orientation: Orientation,
    terminal: Option<OwnTerminal>,
    saved: Option<Saved>,
    whole: bool,
    drawn_at: Instant,
}

/// A panel drawn through a frame buffer.
#[derive(Debug)]
pub struct FbdevPanel {
    config: PanelConfig,
    shown: Option<Shown>,
}

impl FbdevPanel {
    /// A panel that shows nothing yet; brings back what a process left that died meanwhile.
    pub fn new(config: PanelConfig) -> Self {
        if let Err(error) = terminal::restore(&config.terminal_record) {
            log::warn!("{error}");
        }
        Self { config, shown: None }
    }

    /// The frame buffer to draw in: that of the card that drives something, or one that has no
    /// card.
    fn path(&self) -> Result<PathBuf, Error> {
        if let Some(path) = &self.config.frame_buffer {
            return Ok(path.clone());
        }
        let paths = FrameBuffer::paths();
        let drives = |path: &PathBuf| {
            let card =
                card_of(path).map(|card| Card::open(&card).and_then(|card| card.connectors()));
            match card {
                Some(Ok(connectors)) => connectors.iter().any(|found| found.crtc.is_some()),
                Some(Err(_)) => false,
                None => true,
            }
        };
        let best = paths.iter().find(|path| drives(path)).or(paths.first());
        best.cloned().ok_or_else(|| {
            Error::Unsupported("this machine has no frame buffer to show the panel on".to_owned())
        })
    }

    /// Whether another program decides what is shown, instead of the frame buffer.
    fn is_covered(&self) -> Result<bool, Error> {
        match card_of(&self.path()?) {
            Some(card) => Ok(Card::open(&card)?.has_other_master()),
            None => Ok(false),
        }
    }

    fn show_whole(&mut self, area: Rect, painter: &dyn Paint) -> Result<(), Error> {
        if !self.shown.as_ref().is_some_and(|shown| shown.whole) {
            self.hide()?;
            let shown = self.begin_whole()?;
            self.shown = Some(shown);
        }
        let Some(shown) = &mut self.shown else { return Ok(()) };
        if let Some(terminal) = &mut shown.terminal {
            terminal.activate()?;
        }
        shown.device.unblank();
        shown.draw(area, painter)
    }

    /// Makes the frame buffer be what is shown, with nobody else drawing in it.
    fn begin_whole(&self) -> Result<Shown, Error> {
        let device = FrameBuffer::open(&self.path()?, Access::Draw)?;
        let covered = self.is_covered()?;
        let mode = device.mode()?;
        let saved = match covered {
            // The other program draws its picture again when it comes back.
            true => None,
            false => Some(Saved::save(&device, &mode, mode.layout.size().rect())?),
        };
        let mut terminal = None;
        // A program that draws in the frame buffer has switched the console off already, and
        // the kernel would not change away from its terminal.
        let needs_terminal =
            terminal::exist() && (covered || terminal::front_mode()? == TerminalMode::Text);
        if needs_terminal {
            let mut own = OwnTerminal::take(&self.config.terminal_record)?;
            own.activate()?;
            terminal = Some(own);
        }
        if covered {
            if self.is_covered()? {
                return Err(Error::Unsupported(
                    "another program keeps the screen on every terminal".to_owned(),
                ));
            }
            device.set_again()?;
        }
        let orientation = self.orientation(&device);
        Ok(Shown { device, orientation, terminal, saved, whole: true, drawn_at: Instant::now() })
    }

    fn show_part(&mut self, area: Rect, painter: &dyn Paint) -> Result<(), Error> {
        if self.shown.as_ref().is_some_and(|shown| shown.whole) {
            self.hide()?;
        }
        if self.is_covered()? {
            return Err(Error::Unsupported(
                "a part of the panel cannot be shown above the program that owns the screen"
                    .to_owned(),
            ));
        }
        let known = self.shown.as_ref().map(|shown| shown.is_of(area)).transpose()?;
        if known != Some(true) {
            self.hide()?;
            let device = FrameBuffer::open(&self.path()?, Access::Draw)?;
            let orientation = self.orientation(&device);
            let mode = device.mode()?;
            let saved = Saved::save(&device, &mode, native(area, &mode, orientation))?;
            self.shown = Some(Shown {
                device,
                orientation,
                terminal: None,
                saved: Some(saved),
                whole: false,
                drawn_at: Instant::now(),
            });
        }
        let Some(shown) = &mut self.shown else { return Ok(()) };
        if let Some(saved) = shown.saved.as_mut().filter(|_| known == Some(true)) {
            saved.refresh(&shown.device)?;
        }
        shown.draw(area, painter)?;
        match &mut shown.saved {
            Some(saved) => saved.note_drawn(&shown.device),
            None => Ok(()),
        }
    }

    /// Reads the scan-out once and compares.
    fn compare(&self, shown: &Shown, area: Rect, painter: &dyn Paint) -> Result<bool, Error> {
        if let Some(terminal) = &shown.terminal
            && !terminal.is_active()?
        {
            return Ok(false);
        }
        let mode = shown.device.mode()?;
        let mut screen = match card_of(shown.device.path()) {
            Some(_) => choose(&ScreenChoice::Auto, &self.config.mounting)?.screen,
            None => {
                let path = Some(shown.device.path().to_owned());
                choose(&ScreenChoice::Fbdev { path }, &self.config.mounting)?.screen
            }
        };
        let panel = shown.orientation.size(mode.layout.size());
        compare_screen(screen.as_mut(), panel, &[mode.format], area, painter)
    }

    /// What makes the picture of a frame buffer upright.
    fn orientation(&self, device: &FrameBuffer) -> Orientation {
        lies(device.path(), &self.config.mounting).upright()
    }
}

/// Where a part of the upright panel is in the frame buffer.
fn native(area: Rect, mode: &Mode, orientation: Orientation) -> Rect {
    orientation.inverse().rect(area, orientation.size(mode.layout.size()))
}

impl Shown {
    fn is_of(&self, area: Rect) -> Result<bool, Error> {
        let mode = self.device.mode()?;
        let area = native(area, &mode, self.orientation);
        Ok(self.saved.as_ref().is_some_and(|saved| saved.is_of(&mode, area)))
    }

    fn draw(&mut self, area: Rect, painter: &dyn Paint) -> Result<(), Error> {
        let mode = self.device.mode()?;
        let size = mode.layout.size();
        let area = native(area, &mode, self.orientation);
        let mut painted = Painted::new(painter, self.orientation, size);
        let mut y = area.y;
        while y < area.y + area.height {
            let height = STRIP_ROWS.min(area.y + area.height - y);
            let strip = Rect { y, height, ..area };
            self.draw_strip(&mode, strip, painted.native(strip))?;
            y += height;
        }
        self.device.flush();
        self.drawn_at = Instant::now();
        Ok(())
    }

    fn draw_strip(&mut self, mode: &Mode, strip: Rect, pixels: &[u8]) -> Result<(), Error> {
        // Pixels that are bits share their bytes with neighbours, which must stay.
        let lead = if matches!(mode.format, PixelFormat::Mono { .. }) { strip.x % 8 } else { 0 };
        let (x, width) = (strip.x - lead, strip.width + lead);
        let mut raw = vec![0; mode.format.row_bytes(width)];
        let mut row = vec![0; width as usize * BGRX_BYTES];
        let (neighbours, own) = (lead as usize * BGRX_BYTES, strip.width as usize * BGRX_BYTES);
        for (y, pixels) in (strip.y..).zip(pixels.chunks_exact(own.max(1))) {
            if matches!(mode.format, PixelFormat::Mono { .. }) {
                self.device.read_raw(mode, x, y, &mut raw)?;
                mode.format.decode_row(&raw, &mut row);
            }
            if let Some(own) = row.get_mut(neighbours..) {
                own.copy_from_slice(pixels);
            }
            mode.format.encode_row(&row, &mut raw);
            self.device.write_raw(mode, x, y, &raw)?;
        }
        Ok(())
    }
}

impl Panel for FbdevPanel {
    fn describe(&self) -> String {
        let path =
            self.path().map_or_else(|error| error.to_string(), |path| path.display().to_string());
        if terminal::exist() {
            format!("fbdev:{path} on a terminal of its own")
        } else {
            format!("fbdev:{path}")
        }
    }

    fn size(&mut self) -> Result<Size, Error> {
        if let Some(shown) = &self.shown {
            return Ok(shown.orientation.size(shown.device.mode()?.layout.size()));
        }
        // What the hardware turns besides, it turns by a half, which changes no size.
        let native = FrameBuffer::open(&self.path()?, Access::Read)?.mode()?.layout.size();
        Ok(self.config.mounting.orientation().size(native))
    }

    fn show(&mut self, area: Rect, painter: &dyn Paint) -> Result<(), Error> {
        let whole = self.size()?.rect();
        match whole.intersection(area) {
            None => Ok(()),
            Some(all) if all == whole => self.show_whole(all, painter),
            Some(part) if self.shown.as_ref().is_some_and(|shown| shown.whole) && part != area => {
                self.show_whole(part, painter)
            }
            Some(part) => self.show_part(part, painter),
        }
    }

    fn verify(&mut self, area: Rect, painter: &dyn Paint) -> Result<bool, Error> {
        let Some(shown) = &self.shown else { return Ok(false) };
        loop {
            if self.compare(shown, area, painter)? {
                return Ok(true);
            }
            if shown.drawn_at.elapsed() >= SETTLE_TIME {
                return Ok(false);
            }
            std::thread::sleep(SETTLE_STEP);
        }
    }

    fn hide(&mut self) -> Result<(), Error> {
        let Some(Shown { mut device, terminal, saved, whole, .. }) = self.shown.take() else {
            return Ok(());
        };
        let back = terminal.map_or(Ok(()), OwnTerminal::give_back);
        let restored = saved.map_or(Ok(()), |mut saved| {
            if !whole {
                saved.refresh(&device)?;
            }
            saved.put_back(&mut device)
        });
        device.flush();
        back.and(restored)
    }
}
