//! Frame buffer devices, `/dev/fb0` and so on.
//!
//! The mode is asked for again at every look: programs with two pages flip between them by
//! moving the pan offset, and may set another mode. On a machine with a DRM driver the device
//! is an *emulation* that is shown only while nobody is master of the card; see
//! [`super::choose`].

mod info;

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::{Path, PathBuf};

use framebuffer::{FixScreeninfo, Framebuffer, FramebufferError, VarScreeninfo};

pub(crate) use self::info::Mode;
use super::inventory::FrameBufferReport;
use super::rows::{BandReader, Layout, MAX_BUFFER_BYTES, RowSource};
use super::sys::{Mapping, frame_buffer_palette, frame_buffer_unblank};
use crate::geometry::believed;
use crate::{Band, Change, Error, Orientation, Rows, Screen, ScreenInfo, ScreenState, Size};

/// Where the kernel describes frame buffers.
const CLASS_DIRECTORY: &str = "/sys/class/graphics";

/// The most frame buffers that are looked at.
const MAX_DEVICES: usize = 32;

/// How the device's memory is reached.
#[derive(Debug)]
enum Memory {
    /// Mapped; the picture's bytes begin so far into the mapping.
    Mapped { mapping: Mapping, page_offset: usize },
    /// By reading and writing the node, where the driver cannot be mapped.
    ByCalls,
}

/// What may be done with a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading only.
    Read,
    /// Drawing too.
    Draw,
}

/// An open frame buffer.
#[derive(Debug)]
pub(crate) struct FrameBuffer {
    file: File,
    path: PathBuf,
    fixed: FixScreeninfo,
    memory: Memory,
    /// What a display shows of it, where that is more than its mode says.
    display: Option<Size>,
    /// The mode before it was made larger.
    before: Option<VarScreeninfo>,
}

impl FrameBuffer {
    /// The frame buffers of this machine, in the kernel's order.
    pub(crate) fn paths() -> Vec<PathBuf> {
        let mut numbers: Vec<u32> = std::fs::read_dir(CLASS_DIRECTORY)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_prefix("fb")?.parse().ok())
            .take(MAX_DEVICES)
            .collect();
        numbers.sort_unstable();
        numbers.into_iter().map(|number| format!("/dev/fb{number}").into()).collect()
    }

    /// Opens a frame buffer.
    ///
    /// # Errors
    /// When it cannot be opened, or is none.
    pub(crate) fn open(path: &Path, access: Access) -> Result<Self, Error> {
        let doing = |what: &str| format!("{what} {}", path.display());
        let writes = access == Access::Draw;
        let file = OpenOptions::new()
            .read(true)
            .write(writes)
            .open(path)
            .map_err(|error| Error::io(doing("open"), error))?;
        let kind = file.metadata().map_err(|error| Error::io(doing("look at"), error))?.file_type();
        if !kind.is_char_device() {
            return Err(Error::Unsupported(format!("{} is no frame buffer", path.display())));
        }
        let fixed = Framebuffer::get_fix_screeninfo(&file).map_err(|error| asked(path, &error))?;
        let page = page_size();
        let page_offset = info::page_offset(&fixed, page);
        let len = page_offset as u64 + u64::from(fixed.smem_len);
        let mapped = if fixed.smem_len == 0 || len > MAX_BUFFER_BYTES {
            None
        } else {
            map_file(&file, len as usize, access)
        };
        let memory = match mapped {
            Some(mapping) => Memory::Mapped { mapping, page_offset },
            None => Memory::ByCalls,
        };
        Ok(Self { file, path: path.to_owned(), fixed, memory, display: None, before: None })
    }

    /// The device's own name, as in `VESA VGA` or `virtio_gpudrmfb`.
    pub(crate) fn name(&self) -> String {
        info::name(&self.fixed)
    }

    /// The node.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn variable(&self) -> Result<VarScreeninfo, Error> {
        Framebuffer::get_var_screeninfo(&self.file).map_err(|error| asked(&self.path, &error))
    }

    /// What a frame buffer says of itself, whether it can be read or not.
    ///
    /// # Errors
    /// When it cannot be opened, or does not answer.
    pub(crate) fn report(path: &Path) -> Result<FrameBufferReport, Error> {
        let file = File::open(path)
            .map_err(|error| Error::io(format!("open {}", path.display()), error))?;
        let failed = |error: FramebufferError| asked(path, &error);
        let variable = Framebuffer::get_var_screeninfo(&file).map_err(failed)?;
        let fixed = Framebuffer::get_fix_screeninfo(&file).map_err(failed)?;
        Ok(FrameBufferReport {
            driver: info::name(&fixed),
            card: None,
            size: Size::new(variable.xres, variable.yres),
            virtual_size: Size::new(variable.xres_virtual, variable.yres_virtual),
            offset: (variable.xoffset, variable.yoffset),
            bits: variable.bits_per_pixel,
            pitch: fixed.line_length,
            millimetres: info::millimetres(&variable),
        })
    }

    /// From now on its mode is of so many pixels, if it has them: as many as a display shows of it.
    pub(crate) fn show_on(&mut self, display: Option<Size>) {
        self.display = display;
    }

    /// Has the device's own mode be that large, too, until [`FrameBuffer::shrink`]: drivers that
    /// upload what was drawn do so with no more. Consoles of text would follow.
    ///
    /// # Errors
    /// When the device refuses.
    pub(crate) fn enlarge(&mut self) -> Result<(), Error> {
        let before = self.variable()?;
        let wanted = info::shown_on(self.display, before.clone());
        if (wanted.xres, wanted.yres) != (before.xres, before.yres) {
            Framebuffer::put_var_screeninfo(&self.file, &wanted)
                .map_err(|error| asked(&self.path, &error))?;
            self.before = Some(before);
        }
        Ok(())
    }

    /// Whether its mode is smaller than what a display shows of it.
    ///
    /// # Errors
    /// When the device does not answer.
    pub(crate) fn is_small(&self) -> Result<bool, Error> {
        let now = self.variable()?;
        let wanted = info::shown_on(self.display, now.clone());
        Ok((wanted.xres, wanted.yres) != (now.xres, now.yres))
    }

    /// Whether it was made larger.
    pub(crate) fn is_enlarged(&self) -> bool {
        self.before.is_some()
    }

    /// Undoes [`FrameBuffer::enlarge`].
    pub(crate) fn shrink(&mut self) {
        if let Some(before) = self.before.take() {
            Framebuffer::put_var_screeninfo(&self.file, &before).ok();
        }
    }

    /// What is shown of it now.
    ///
    /// # Errors
    /// As [`info::mode`], or when the device does not answer.
    pub(crate) fn mode(&self) -> Result<Mode, Error> {
        let variable = info::shown_on(self.display, self.variable()?);
        let fixed = FixScreeninfo {
            // A driver without memory of its own to map says 0.
            smem_len: match self.fixed.smem_len {
                0 => self.fixed.line_length.saturating_mul(variable.yres_virtual),
                len => len,
            },
            ..self.fixed_now()?
        };
        let device = self.path.display().to_string();
        let page_offset = match &self.memory {
            Memory::Mapped { page_offset, .. } => *page_offset,
            Memory::ByCalls => 0,
        };
        info::mode(&device, &fixed, &variable, page_offset, || {
            let colours = frame_buffer_palette(&self.file)
                .map_err(|error| Error::io(format!("ask {device} for its palette"), error))?;
            Ok(info::palette(&colours))
        })
    }

    /// The line length changes with the mode.
    fn fixed_now(&self) -> Result<FixScreeninfo, Error> {
        Framebuffer::get_fix_screeninfo(&self.file).map_err(|error| asked(&self.path, &error))
    }

    /// Sets the mode that is set already, which makes a DRM emulation show itself again after
    /// another program was master.
    ///
    /// # Errors
    /// When the device refuses.
    pub(crate) fn set_again(&self) -> Result<(), Error> {
        /// `FB_ACTIVATE_FORCE`, and at once.
        const ACTIVATE_FORCE: u32 = 128;
        let variable = VarScreeninfo { activate: ACTIVATE_FORCE, ..self.variable()? };
        Framebuffer::put_var_screeninfo(&self.file, &variable)
            .map(drop)
            .map_err(|error| asked(&self.path, &error))
    }

    /// The bytes of a part of a row, as they are stored.
    ///
    /// # Errors
    /// When the device does not answer.
    pub(crate) fn read_raw(
        &self,
        mode: &Mode,
        x: u32,
        y: u32,
        raw: &mut [u8],
    ) -> Result<(), Error> {
        self.source()
            .copy_out(mode.layout.offset_of(&mode.format, x, y), raw)
            .map_err(|error| Error::io(format!("read {}", self.path.display()), error))
    }

    /// Writes bytes of a part of a row, as they are to be stored.
    ///
    /// # Errors
    /// When the device does not take it.
    pub(crate) fn write_raw(
        &mut self,
        mode: &Mode,
        x: u32,
        y: u32,
        raw: &[u8],
    ) -> Result<(), Error> {
        let offset = mode.layout.offset_of(&mode.format, x, y);
        let outcome = match &mut self.memory {
            Memory::Mapped { mapping, .. } => mapping.copy_in(offset, raw),
            Memory::ByCalls => self.file.write_all_at(raw, offset as u64),
        };
        outcome.map_err(|error| Error::io(format!("draw on {}", self.path.display()), error))
    }

    /// Wakes it up if it was blanked.
    pub(crate) fn unblank(&self) {
        // Not every driver can be blanked.
        frame_buffer_unblank(&self.file).ok();
    }

    /// Wakes a frame buffer up if it was blanked, whether it can be read or not.
    pub(crate) fn unblank_at(path: &Path) {
        if let Ok(file) = File::open(path) {
            frame_buffer_unblank(&file).ok();
        }
    }

    /// Makes what was drawn visible now; drivers that upload changes do so only now and then.
    pub(crate) fn flush(&mut self) {
        // Not every driver can, and those that cannot need not.
        self.file.sync_all().ok();
    }

    fn source(&self) -> &dyn RowSource {
        match &self.memory {
            Memory::Mapped { mapping, .. } => mapping,
            Memory::ByCalls => &self.file,
        }
    }
}

fn map_file(file: &File, len: usize, access: Access) -> Option<Mapping> {
    let mapped = match access {
        Access::Read => Mapping::read_only(file, 0, len),
        Access::Draw => Mapping::writable(file, 0, len),
    };
    mapped.inspect_err(|error| log::debug!("a frame buffer is not mapped: {error}")).ok()
}

/// The crate's errors keep no number, so the system's is taken.
fn asked(path: &Path, error: &FramebufferError) -> Error {
    let last = std::io::Error::last_os_error();
    log::debug!("{}: {error}", path.display());
    Error::io(format!("ask {} for its mode", path.display()), last)
}

fn page_size() -> usize {
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok().flatten();
    size.and_then(|size| usize::try_from(size).ok())
        .filter(|size| size.is_power_of_two())
        .unwrap_or(4096)
}

/// A frame buffer device, as a [`Screen`].
#[derive(Debug)]
pub(crate) struct FbdevScreen {
    device: FrameBuffer,
    size: Size,
    lies: Lies,
    /// Where the picture was when it was read last.
    read_last: Option<Layout>,
    reader: BandReader,
    /// As the driver says, upright.
    millimetres: Size,
}

/// How the picture of a frame buffer lies on its way to the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lies {
    /// What the hardware behind it does to the picture.
    pub(crate) rotation: Orientation,
    /// How the display is mounted.
    pub(crate) mounting: Orientation,
}

impl Lies {
    /// What makes the picture in memory upright.
    pub(crate) fn upright(self) -> Orientation {
        self.rotation.then(self.mounting)
    }
}

impl FbdevScreen {
    /// Watches a frame buffer.
    ///
    /// # Errors
    /// When it cannot be opened or read.
    pub(crate) fn open(path: &Path, lies: Lies) -> Result<Self, Error> {
        let device = FrameBuffer::open(path, Access::Read)?;
        let upright = lies.upright();
        let size = upright.size(device.mode()?.layout.size());
        let millimetres = upright.size(info::millimetres(&device.variable()?));
        let reader = BandReader::default();
        Ok(Self { device, size, lies, read_last: None, reader, millimetres })
    }

    fn read_rows(
        &mut self,
        Mode { format, layout }: Mode,
        rows: Rows,
        visit: &mut dyn FnMut(Band<'_>),
    ) -> Result<(), Error> {
        self.reader
            .read(self.device.source(), (&layout, &format), self.lies.upright(), rows, visit)
            .map_err(|error| Error::io(format!("read {}", self.device.path().display()), error))
    }
}

impl Screen for FbdevScreen {
    fn info(&self) -> ScreenInfo {
        ScreenInfo {
            source: format!("fbdev:{}", self.device.name()),
            name: self.device.path().display().to_string(),
            size: self.size,
            mounting: self.lies.mounting,
            millimetres: believed(self.millimetres, self.size),
            covered: Vec::new(),
        }
    }

    fn poll(&mut self) -> Result<ScreenState, Error> {
        let layout = self.device.mode()?.layout;
        self.size = self.lies.upright().size(layout.size());
        // Another page is shown; but that it is the same one proves nothing.
        let change = if self.read_last == Some(layout) { Change::Maybe } else { Change::Told };
        Ok(ScreenState::Shown { size: self.size, change })
    }

    fn wake(&mut self) {
        self.device.unblank();
    }

    fn glance(
        &mut self,
        rows: &mut dyn Iterator<Item = u32>,
        visit: &mut dyn FnMut(u32, &[u8]),
    ) -> Result<bool, Error> {
        let Mode { format, layout } = self.device.mode()?;
        if self.read_last != Some(layout) {
            return Ok(false);
        }
        let (source, upright) = (self.device.source(), self.lies.upright());
        self.reader
            .glance(source, (&layout, &format), upright, rows, visit)
            .map_err(|error| Error::io(format!("read {}", self.device.path().display()), error))
    }

    fn read_part(&mut self, rows: Rows, visit: &mut dyn FnMut(Band<'_>)) -> Result<bool, Error> {
        let mode = self.device.mode()?;
        if self.read_last != Some(mode.layout) {
            return Ok(false);
        }
        self.read_rows(mode, rows, visit)?;
        Ok(true)
    }

    fn read(&mut self, visit: &mut dyn FnMut(Band<'_>)) -> Result<(), Error> {
        let mode = self.device.mode()?;
        self.size = self.lies.upright().size(mode.layout.size());
        self.read_last = Some(mode.layout);
        self.read_rows(mode, Rows::ALL, visit)
    }
}
