//! A graphics card, asked as an onlooker: what is connected, and which plane shows it.
//!
//! A *connector* is a socket or a panel, a *CRTC* drives a mode into it, a *plane* feeds a CRTC
//! with pixels of a *frame buffer*. All calls here are free of side effects for the owner of
//! the screen, and no connector is probed: probing talks to the monitor and can glitch it.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use drm_ffi::drm_sys::{
    DRM_CLIENT_CAP_ATOMIC, DRM_CLIENT_CAP_UNIVERSAL_PLANES, DRM_MODE_OBJECT_CRTC,
    DRM_MODE_OBJECT_PLANE, DRM_PLANE_TYPE_CURSOR, DRM_PLANE_TYPE_OVERLAY, DRM_PLANE_TYPE_PRIMARY,
};
use drm_ffi::mode;

use super::scanout::{panel_orientation, plane_rotation, source_rectangle};
use crate::{Error, Orientation, Rect, Size};

/// Where the cards are.
const CARD_DIRECTORY: &str = "/dev/dri";

/// The most cards that are looked at.
const MAX_CARDS: usize = 16;

/// The most objects of a kind that a card is believed to have.
pub(super) const MAX_OBJECTS: usize = 256;

/// `DRM_CLIENT_CAP_CURSOR_PLANE_HOTSPOT`: without it, newer kernels hide the cursors of virtual
/// machines from atomic clients.
const CLIENT_CAP_CURSOR_PLANE_HOTSPOT: u64 = 6;

/// `DRM_MODE_CONNECTED` of the kernel's `enum drm_connector_status`.
const CONNECTED: u32 = 1;

/// Names of connector types, as the kernel itself writes them in `/sys/class/drm`.
const CONNECTOR_TYPES: [&str; 21] = [
    "Unknown",
    "VGA",
    "DVI-I",
    "DVI-D",
    "DVI-A",
    "Composite",
    "SVIDEO",
    "LVDS",
    "Component",
    "DIN",
    "DP",
    "HDMI-A",
    "HDMI-B",
    "TV",
    "eDP",
    "Virtual",
    "DSI",
    "DPI",
    "Writeback",
    "SPI",
    "USB",
];

/// An open card.
#[derive(Debug)]
pub(crate) struct Card {
    file: File,
    path: PathBuf,
    driver: String,
}

/// A connector and what drives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connector {
    /// As in `HDMI-A-1`.
    pub(crate) name: String,
    /// Whether something is plugged in.
    pub(crate) connected: bool,
    /// The CRTC that drives it, if one does.
    pub(crate) crtc: Option<u32>,
    /// How a built-in panel is mounted, as the firmware or the device tree says.
    pub(crate) mounting: Orientation,
    /// Width and height of what is plugged in, native; nothing if it does not tell.
    pub(crate) millimetres: Size,
}

/// A plane and what it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plane {
    /// The CRTC that it feeds; 0 if none.
    pub(crate) crtc: u32,
    /// The frame buffer that it shows; 0 if none.
    pub(crate) frame_buffer: u32,
}

/// The numbers of a plane's properties; they stay the same while the card is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PlaneNumbers {
    /// `SRC_X`, `SRC_Y`, `SRC_W`, `SRC_H`; `None` for a driver that does not tell them.
    source: Option<[u32; 4]>,
    /// `rotation`, where the hardware can turn the picture.
    rotation: Option<u32>,
    /// `CRTC_X` and `CRTC_Y`, as `source`.
    place: Option<[u32; 2]>,
}

/// The planes that may feed a CRTC.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Planes {
    /// The one with the picture.
    pub(crate) primary: u32,
    /// The one with the cursor, where the hardware has one.
    pub(crate) cursor: Option<u32>,
    /// Others, most often for video.
    pub(crate) overlays: Vec<u32>,
}

/// Which part of its frame buffer a plane shows, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShownPart {
    /// The part, in pixels of the frame buffer.
    pub(crate) part: Rect,
    /// What the hardware does to it before it is shown.
    pub(crate) rotation: Orientation,
    /// Where on the CRTC its upper left corner is; that may be outside.
    pub(crate) place: (i32, i32),
}

impl Card {
    /// The cards of this machine, in the kernel's order.
    pub(crate) fn paths() -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(CARD_DIRECTORY) else { return Vec::new() };
        let number = |path: &PathBuf| -> Option<u32> {
            std::str::from_utf8(path.file_name()?.as_bytes())
                .ok()?
                .strip_prefix("card")?
                .parse()
                .ok()
        };
        let mut cards: Vec<_> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter_map(|path| number(&path).map(|number| (number, path)))
            .take(MAX_CARDS)
            .collect();
        cards.sort();
        cards.into_iter().map(|(_, path)| path).collect()
    }

    /// Opens a card as an onlooker.
    ///
    /// The kernel makes whoever opens a card its master when there is none; that is undone at
    /// once, or a compositor that starts later could not draw.
    ///
    /// # Errors
    /// When it cannot be opened, or is no card that has screens.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        Self::open_for(path, false)
    }

    /// As [`Card::open`], with buffers of our own that can be drawn in.
    ///
    /// # Errors
    /// As [`Card::open`].
    pub(super) fn open_to_draw(path: &Path) -> Result<Self, Error> {
        Self::open_for(path, true)
    }

    fn open_for(path: &Path, drawing: bool) -> Result<Self, Error> {
        let doing = |what: &str| format!("{what} {}", path.display());
        let file = OpenOptions::new().read(true).write(drawing).open(path);
        let file = file.map_err(|error| Error::io(doing("open"), error))?;
        // Fails if we are not master, which is as well.
        drm_ffi::auth::release_master(file.as_fd()).ok();
        drm_ffi::set_capability(file.as_fd(), DRM_CLIENT_CAP_UNIVERSAL_PLANES.into(), true)
            .map_err(|error| Error::io(doing("see the planes of"), error))?;
        // Shows the properties that say what is driven by what; old drivers have none.
        drm_ffi::set_capability(file.as_fd(), DRM_CLIENT_CAP_ATOMIC.into(), true).ok();
        drm_ffi::set_capability(file.as_fd(), CLIENT_CAP_CURSOR_PLANE_HOTSPOT, true).ok();
        let mut name = Vec::with_capacity(64);
        drm_ffi::get_version(file.as_fd(), Some(&mut name), None, None)
            .map_err(|error| Error::io(doing("ask for the driver of"), error))?;
        let name: Vec<u8> = name.into_iter().map(|byte| byte as u8).collect();
        let driver = String::from_utf8_lossy(&name).trim_end_matches('\0').to_owned();
        Ok(Self { file, path: path.to_owned(), driver })
    }

    /// The kernel's name of the driver, as in `virtio_gpu`.
    pub(crate) fn driver(&self) -> &str {
        &self.driver
    }

    /// The card's node.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The open node.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// An [`Error::Io`] that names this card.
    pub(crate) fn error(&self, doing: &str, error: io::Error) -> Error {
        Error::io(format!("{doing} of {} ({})", self.path.display(), self.driver), error)
    }

    /// Whether some other program is master, so that the kernel's console is not shown.
    ///
    /// True also when it cannot be found out.
    pub(crate) fn has_other_master(&self) -> bool {
        if drm_ffi::auth::acquire_master(self.fd()).is_err() {
            return true;
        }
        if let Err(error) = drm_ffi::auth::release_master(self.fd()) {
            log::warn!("{}: could not give up being master: {error}", self.path.display());
        }
        false
    }

    /// All connectors that can show something.
    ///
    /// # Errors
    /// When the card does not answer.
    pub(crate) fn connectors(&self) -> Result<Vec<Connector>, Error> {
        let mut ids = Vec::with_capacity(MAX_OBJECTS);
        mode::get_resources(self.fd(), None, None, Some(&mut ids), None)
            .map_err(|error| self.error("list the connectors", error))?;
        ids.truncate(MAX_OBJECTS);
        let mut connectors = Vec::new();
        for id in ids {
            // One that vanished since is no error.
            if let Ok(Some(connector)) = self.connector(id) {
                connectors.push(connector);
            }
        }
        Ok(connectors)
    }

    fn connector(&self, id: u32) -> io::Result<Option<Connector>> {
        let (mut ids, mut values) = (Vec::new(), Vec::new());
        let (names, numbers) = (Some(&mut ids), Some(&mut values));
        let answer = mode::get_connector(self.fd(), id, names, numbers, None, None, false)?;
        let kind = CONNECTOR_TYPES.get(answer.connector_type as usize).copied();
        if kind == Some("Writeback") {
            return Ok(None);
        }
        let by_property = self.property(&ids, &values, "CRTC_ID").and_then(|id| id.try_into().ok());
        let crtc = by_property.unwrap_or_else(|| {
            mode::get_encoder(self.fd(), answer.encoder_id).map_or(0, |encoder| encoder.crtc_id)
        });
        Ok(Some(Connector {
            name: format!("{}-{}", kind.unwrap_or("Unknown"), answer.connector_type_id),
            connected: answer.connection == CONNECTED,
            crtc: (crtc != 0 && self.is_active(crtc)).then_some(crtc),
            mounting: self
                .property(&ids, &values, "panel orientation")
                .map_or(Orientation::UPRIGHT, panel_orientation),
            millimetres: Size::new(answer.mm_width, answer.mm_height),
        }))
    }

    /// Whether a CRTC has a mode set.
    fn is_active(&self, crtc: u32) -> bool {
        mode::get_crtc(self.fd(), crtc).is_ok_and(|answer| answer.mode_valid != 0)
    }

    /// The planes of a CRTC.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Gone`] if the CRTC has no primary one, which it must.
    pub(crate) fn planes(&self, crtc: u32) -> Result<Planes, Error> {
        let mut crtcs = Vec::with_capacity(MAX_OBJECTS);
        mode::get_resources(self.fd(), None, Some(&mut crtcs), None, None)
            .map_err(|error| self.error("list the CRTCs", error))?;
        let index = crtcs.iter().position(|&id| id == crtc);
        let possible = index.map_or(0, |index| 1u32.checked_shl(index as u32).unwrap_or(0));
        let mut ids = Vec::with_capacity(MAX_OBJECTS);
        mode::get_plane_resources(self.fd(), Some(&mut ids))
            .map_err(|error| self.error("list the planes", error))?;
        let (mut primary, mut cursor, mut overlays) = (None, None, Vec::new());
        for id in ids.into_iter().take(MAX_OBJECTS) {
            let Ok(plane) = mode::get_plane(self.fd(), id, None) else { continue };
            let is_bound = plane.crtc_id == crtc;
            let may_be = plane.possible_crtcs & possible != 0 && plane.crtc_id == 0;
            match self.plane_type(id) {
                // One that is bound wins over one that could be.
                Some(DRM_PLANE_TYPE_PRIMARY) if is_bound || may_be && primary.is_none() => {
                    primary = Some(id);
                }
                Some(DRM_PLANE_TYPE_CURSOR) if is_bound || may_be && cursor.is_none() => {
                    cursor = Some(id);
                }
                Some(DRM_PLANE_TYPE_OVERLAY) if plane.possible_crtcs & possible != 0 => {
                    overlays.push(id);
                }
                _ => {}
            }
        }
        let primary =
            primary.ok_or_else(|| Error::Gone(format!("the primary plane of CRTC {crtc}")))?;
        Ok(Planes { primary, cursor, overlays })
    }

    /// The kind of a plane, `DRM_PLANE_TYPE_*`.
    pub(super) fn plane_type(&self, plane: u32) -> Option<u32> {
        let (ids, values) = self.plane_properties(plane)?;
        self.property(&ids, &values, "type")?.try_into().ok()
    }

    /// The number of the property that says whether a CRTC is lit; `None` for a driver that does
    /// not tell.
    pub(crate) fn active_number(&self, crtc: u32) -> Option<u32> {
        let (ids, _) = self.properties(crtc, DRM_MODE_OBJECT_CRTC)?;
        let numbers: Vec<u64> = ids.iter().copied().map(u64::from).collect();
        self.property(&ids, &numbers, "ACTIVE")?.try_into().ok()
    }

    /// Whether a CRTC is lit. One whose display sleeps keeps its mode and its planes.
    pub(crate) fn is_lit(&self, crtc: u32, active_number: Option<u32>) -> bool {
        let Some(number) = active_number else { return true };
        let Some((ids, values)) = self.properties(crtc, DRM_MODE_OBJECT_CRTC) else { return true };
        ids.iter().zip(&values).find(|(id, _)| **id == number).is_none_or(|(_, &value)| value != 0)
    }

    /// The numbers of a plane's properties, and their values.
    pub(super) fn plane_properties(&self, plane: u32) -> Option<(Vec<u32>, Vec<u64>)> {
        self.properties(plane, DRM_MODE_OBJECT_PLANE)
    }

    fn properties(&self, object: u32, kind: u32) -> Option<(Vec<u32>, Vec<u64>)> {
        let (mut ids, mut values) = (Vec::new(), Vec::new());
        let (names, numbers) = (Some(&mut ids), Some(&mut values));
        mode::get_properties(self.fd(), object, kind, names, numbers).ok()?;
        Some((ids, values))
    }

    /// The numbers by which [`Card::shown_part`] asks what a plane shows.
    pub(crate) fn plane_numbers(&self, plane: u32) -> PlaneNumbers {
        let Some((ids, _)) = self.plane_properties(plane) else { return PlaneNumbers::default() };
        let numbers: Vec<u64> = ids.iter().copied().map(u64::from).collect();
        let number = |name| self.property(&ids, &numbers, name)?.try_into().ok();
        let source = ["SRC_X", "SRC_Y", "SRC_W", "SRC_H"].map(number);
        let source = match source {
            [Some(x), Some(y), Some(width), Some(height)] => Some([x, y, width, height]),
            _ => None,
        };
        let place = number("CRTC_X").zip(number("CRTC_Y")).map(|(x, y)| [x, y]);
        PlaneNumbers { source, rotation: number("rotation"), place }
    }

    /// The value of the property of this name.
    pub(super) fn property(&self, ids: &[u32], values: &[u64], name: &str) -> Option<u64> {
        // Without room for the values, those of enumerations are refused.
        let (mut room, mut names) = (Vec::new(), Vec::new());
        let mut is_it = |&id: &u32| {
            room.clear();
            names.clear();
            let property = mode::get_property(self.fd(), id, Some(&mut room), Some(&mut names));
            property.is_ok_and(|property| {
                let bytes = property.name.iter().map(|&byte| byte as u8);
                bytes.take_while(|&byte| byte != 0).eq(name.bytes())
            })
        };
        ids.iter().zip(values).find(|(id, _)| is_it(id)).map(|(_, &value)| value)
    }

    /// What a plane shows now.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Gone`] when the plane no longer exists.
    pub(crate) fn plane(&self, plane: u32) -> Result<Plane, Error> {
        let answer = mode::get_plane(self.fd(), plane, None)
            .map_err(|error| self.error("look at a plane", error))?;
        Ok(Plane { crtc: answer.crtc_id, frame_buffer: answer.fb_id })
    }

    /// Which part of its CRTC a plane covers; `None` if it does not tell.
    pub(crate) fn covered_part(&self, plane: u32) -> Option<Rect> {
        let (ids, values) = self.plane_properties(plane)?;
        let value = |name| self.property(&ids, &values, name);
        // What is left of or above the picture is cut off.
        let start = |name| value(name).map(|value| (value as u32).cast_signed().max(0) as u32);
        let side = |name| value(name)?.try_into().ok();
        let (x, y) = (start("CRTC_X")?, start("CRTC_Y")?);
        Some(Rect { x, y, width: side("CRTC_W")?, height: side("CRTC_H")? })
    }

    /// Which part of its frame buffer a plane shows, and how; `numbers` is what
    /// [`Card::plane_numbers`] said of it.
    ///
    /// # Errors
    /// When the card does not say.
    pub(crate) fn shown_part(
        &self,
        plane: u32,
        crtc: u32,
        numbers: PlaneNumbers,
    ) -> Result<ShownPart, Error> {
        let (mut rotation, mut place) = (Orientation::UPRIGHT, (0, 0));
        if numbers != PlaneNumbers::default()
            && let Some((ids, values)) = self.plane_properties(plane)
        {
            let value = |id: u32| {
                let mut pairs = ids.iter().zip(&values);
                pairs.find(|(other, _)| **other == id).map_or(0, |(_, value)| *value)
            };
            rotation = numbers.rotation.map_or(rotation, |number| plane_rotation(value(number)));
            if let Some([x, y]) = numbers.place {
                // Signed ones are told in 64 bits, of which the lower half says it all.
                place = ((value(x) as u32).cast_signed(), (value(y) as u32).cast_signed());
            }
            if let Some([x, y, width, height]) = numbers.source.map(|source| source.map(value))
                && let Some(part) = source_rectangle(x, y, width, height)
            {
                return Ok(ShownPart { part, rotation, place });
            }
        }
        let answer =
            mode::get_crtc(self.fd(), crtc).map_err(|error| self.error("look at a CRTC", error))?;
        let (width, height) = (answer.mode.hdisplay, answer.mode.vdisplay);
        let part = Rect { x: answer.x, y: answer.y, width: width.into(), height: height.into() };
        Ok(ShownPart { part, rotation, place })
    }
}
