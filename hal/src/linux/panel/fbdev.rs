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

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::PanelConfig;
use super::marks::MAX_MARKS;
use super::painted::Painted;
use super::read_back::compare_screen;
use super::saved::{self, Saved};
use super::terminal::{self, OwnTerminal};
use crate::linux::choose::{ScreenChoice, card_of, choose, display_of};
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

impl Shown {
    /// What the owner of the screen may draw into meanwhile; nobody draws on our own terminal.
    fn shared(&self) -> Option<&Saved> {
        self.saved.as_ref().filter(|_| self.terminal.is_none())
    }
}

/// The file that remembers what is under the panel, or under a mark, beside the one that remembers
/// the terminal.
fn covered_record(terminal_record: &Path, mark: Option<usize>) -> PathBuf {
    match mark {
        None => terminal_record.with_file_name("panel-covered"),
        Some(index) => terminal_record.with_file_name(format!("mark-covered-{index}")),
    }
}

/// Takes away a panel that a process left that died.
pub(crate) fn restore(terminal_record: &Path) {
    let terminal = terminal::restore(terminal_record);
    // What came last is above what was there before.
    let marks = (0..MAX_MARKS).rev().map(Some);
    let covered =
        marks.chain([None]).map(|mark| saved::restore(&covered_record(terminal_record, mark)));
    for error in covered.chain([terminal]).filter_map(Result::err) {
        log::warn!("{error}");
    }
}

/// A panel drawn through a frame buffer.
#[derive(Debug)]
pub struct FbdevPanel {
    config: PanelConfig,
    /// It shows this one of the marks.
    mark: Option<usize>,
    shown: Option<Shown>,
}

impl FbdevPanel {
    /// A panel that shows nothing yet; brings back what a process left that died meanwhile.
    pub fn new(config: PanelConfig) -> Self {
        restore(&config.terminal_record);
        Self { config, mark: None, shown: None }
    }

    /// For one of the marks, which is drawn over what is shown; nothing is brought back.
    pub(crate) fn mark(config: PanelConfig, index: usize) -> Self {
        Self { config, mark: Some(index), shown: None }
    }

    fn record(&self) -> PathBuf {
        covered_record(&self.config.terminal_record, self.mark)
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
        let is_known = self.shown.as_ref().is_some_and(|shown| shown.whole);
        if !is_known {
            self.hide()?;
            let shown = self.begin_whole()?;
            self.shown = Some(shown);
        }
        let Some(shown) = &mut self.shown else { return Ok(()) };
        if let Some(terminal) = &mut shown.terminal {
            terminal.activate()?;
        }
        shown.device.unblank();
        if is_known && let Some(saved) = shown.shared() {
            saved.refresh(&shown.device)?;
        }
        shown.draw(area, painter)?;
        shown.shared().map_or(Ok(()), |saved| saved.note_drawn(&shown.device))
    }

    /// Makes the frame buffer be what is shown, with nobody else drawing in it.
    fn begin_whole(&self) -> Result<Shown, Error> {
        let mut device = FrameBuffer::open(&self.path()?, Access::Draw)?;
        let covered = self.is_covered()?;
        let mut orientation = self.fit(&mut device);
        let mode = device.mode()?;
        // A program that draws in the frame buffer has switched the console off already, and
        // the kernel would not change away from its terminal.
        let needs_terminal =
            terminal::exist() && (covered || terminal::front_mode()? == TerminalMode::Text);
        let saved = match covered {
            // The other program draws its picture again when it comes back.
            true => None,
            false => {
                // On a terminal of its own, the kernel draws the other terminal again.
                let record = (!needs_terminal).then(|| self.record());
                let area = mode.layout.size().rect();
                Some(Saved::save(&device, &mode, area, record.as_deref())?)
            }
        };
        let mut terminal = None;
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
            orientation = self.fit(&mut device);
        }
        device.enlarge()?;
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
            let mut device = FrameBuffer::open(&self.path()?, Access::Draw)?;
            let orientation = self.fit(&mut device);
            if device.is_small()? {
                return Err(Error::Unsupported(
                    "a part of the panel cannot be shown where displays of several sizes show the same"
                        .to_owned(),
                ));
            }
            let mode = device.mode()?;
            let record = self.record();
            let area = native(area, &mode, orientation);
            let saved = Saved::save(&device, &mode, area, Some(&record))?;
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
        if known == Some(true)
            && let Some(saved) = shown.shared()
        {
            saved.refresh(&shown.device)?;
        }
        shown.draw(area, painter)?;
        shown.shared().map_or(Ok(()), |saved| saved.note_drawn(&shown.device))
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

    /// Has a frame buffer be as large as the display shows; what makes its picture upright.
    fn fit(&self, device: &mut FrameBuffer) -> Orientation {
        let (lies, display) = display_of(device.path(), &self.config.mounting);
        device.show_on(display);
        lies.upright()
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
        // So must those that a mark leaves free.
        let is_whole = pixels.as_chunks::<BGRX_BYTES>().0.iter().all(|pixel| pixel[3] != 0);
        for (y, pixels) in (strip.y..).zip(pixels.chunks_exact(own.max(1))) {
            if matches!(mode.format, PixelFormat::Mono { .. }) || !is_whole {
                self.device.read_raw(mode, x, y, &mut raw)?;
                mode.format.decode_row(&raw, &mut row);
            }
            let row_pixels = row.get_mut(neighbours..).unwrap_or_default();
            let pairs = row_pixels.as_chunks_mut::<BGRX_BYTES>().0.iter_mut();
            for (pixel, painted) in pairs.zip(pixels.as_chunks::<BGRX_BYTES>().0) {
                if painted[3] != 0 {
                    *pixel = *painted;
                }
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
        match &self.shown {
            Some(Shown { terminal: Some(_), .. }) => {
                format!("fbdev:{path} on a terminal of its own")
            }
            Some(_) => format!("fbdev:{path} over what is shown"),
            None => format!("fbdev:{path}"),
        }
    }

    fn size(&mut self) -> Result<Size, Error> {
        if let Some(shown) = &self.shown {
            return Ok(shown.orientation.size(shown.device.mode()?.layout.size()));
        }
        let mut device = FrameBuffer::open(&self.path()?, Access::Read)?;
        if !self.is_covered()? {
            let orientation = self.fit(&mut device);
            return Ok(orientation.size(device.mode()?.layout.size()));
        }
        // What the hardware turns besides, it turns by a half, which changes no size.
        Ok(self.config.mounting.orientation().size(device.mode()?.layout.size()))
    }

    fn show(&mut self, area: Rect, painter: &dyn Paint) -> Result<(), Error> {
        let whole = self.size()?.rect();
        match whole.intersection(area) {
            None => Ok(()),
            Some(all) if all == whole && self.mark.is_none() => self.show_whole(all, painter),
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

    fn keep(&mut self) -> Result<(), Error> {
        // Without terminals, nobody else is known to draw.
        let Some(shown) = self.shown.as_ref().filter(|_| terminal::exist()) else {
            return Ok(());
        };
        match shown.shared().map(|saved| saved.is_drawn_over(&shown.device)).transpose()? {
            Some(true) => Err(Error::Gone("what was drawn over the application".to_owned())),
            _ => Ok(()),
        }
    }

    fn hide(&mut self) -> Result<(), Error> {
        let Some(Shown { mut device, terminal, saved, .. }) = self.shown.take() else {
            return Ok(());
        };
        if let Some(saved) = saved.as_ref().filter(|_| terminal.is_none()) {
            saved.refresh(&device)?;
        }
        if device.is_enlarged() {
            // What is beyond the usual size can be drawn only now.
            if let Some(saved) = &saved {
                saved.put_back(&mut device)?;
            }
            device.flush();
            device.shrink();
        }
        let back = terminal.map_or(Ok(()), OwnTerminal::give_back);
        let restored = saved.map_or(Ok(()), |saved| {
            saved.put_back(&mut device)?;
            saved.forget();
            Ok(())
        });
        device.flush();
        back.and(restored)
    }
}
