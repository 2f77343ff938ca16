//! What a card has, for people who set a machine up.

use drm_ffi::drm_sys::{DRM_PLANE_TYPE_CURSOR, DRM_PLANE_TYPE_PRIMARY};
use drm_ffi::mode;

use super::buffer::describe;
use super::card::{Card, MAX_OBJECTS};
use crate::Error;
use crate::linux::inventory::{BufferReport, CardReport, ConnectorReport, PlaneReport};

/// The most formats or modifiers of a plane that are told.
const MAX_FORMATS: usize = 256;

impl Card {
    /// All that it has.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) fn report(&self) -> Result<CardReport, Error> {
        let connectors = self.connectors()?.into_iter().map(|found| ConnectorReport {
            name: found.name,
            is_connected: found.connected,
            crtc: found.crtc,
            mounting: found.mounting,
            millimetres: found.millimetres,
        });
        let mut ids = Vec::with_capacity(MAX_OBJECTS);
        mode::get_plane_resources(self.fd(), Some(&mut ids))
            .map_err(|error| self.error("list the planes", error))?;
        ids.truncate(MAX_OBJECTS);
        Ok(CardReport {
            driver: self.driver().to_owned(),
            has_other_master: self.has_other_master(),
            connectors: connectors.collect(),
            planes: ids.into_iter().filter_map(|id| self.plane_report(id)).collect(),
        })
    }

    fn plane_report(&self, id: u32) -> Option<PlaneReport> {
        // The second call fills what the first made room for.
        let mut formats = Vec::with_capacity(MAX_FORMATS);
        let plane = mode::get_plane(self.fd(), id, Some(&mut formats)).ok()?;
        let buffer = (plane.fb_id != 0).then(|| self.buffer_report(plane.fb_id));
        Some(PlaneReport {
            id,
            kind: match self.plane_type(id) {
                Some(DRM_PLANE_TYPE_PRIMARY) => "primary",
                Some(DRM_PLANE_TYPE_CURSOR) => "cursor",
                _ => "overlay",
            },
            crtc: (plane.crtc_id != 0).then_some(plane.crtc_id),
            buffer,
            formats: formats.into_iter().take(MAX_FORMATS).map(letters).collect(),
            modifiers: self.modifiers(id).unwrap_or_default(),
        })
    }

    fn buffer_report(&self, id: u32) -> Result<BufferReport, String> {
        let (description, _handles) = describe(self, id).map_err(|error| error.to_string())?;
        Ok(BufferReport {
            id,
            size: description.size,
            format: letters(description.fourcc),
            modifier: description.modifier,
            pitch: description.pitch,
        })
    }

    fn modifiers(&self, plane: u32) -> Option<Vec<u64>> {
        let (ids, values) = self.plane_properties(plane)?;
        let blob = self.property(&ids, &values, "IN_FORMATS")?.try_into().ok()?;
        let mut bytes = Vec::new();
        mode::get_property_blob(self.fd(), blob, Some(&mut bytes)).ok()?;
        modifiers(&bytes)
    }
}

/// A format's name: its four letters.
fn letters(fourcc: u32) -> String {
    let printable = |byte: u8| if byte.is_ascii_graphic() { char::from(byte) } else { '?' };
    fourcc.to_le_bytes().map(printable).iter().collect::<String>().trim_end_matches('?').to_owned()
}

/// The modifiers in a plane's `IN_FORMATS`: `struct drm_format_modifier_blob` of
/// `linux/drm_mode.h` says how many there are and where; each is a mask of formats in eight
/// bytes, four bytes of offset and four of nothing, and the modifier in eight.
fn modifiers(blob: &[u8]) -> Option<Vec<u64>> {
    let number = |at: usize| -> Option<usize> {
        let bytes = blob.get(at..)?.first_chunk()?;
        usize::try_from(u32::from_ne_bytes(*bytes)).ok()
    };
    let (count, offset) = (number(16)?.min(MAX_FORMATS), number(20)?);
    let entries = blob.get(offset..)?.chunks_exact(24).take(count);
    let modifier = |entry: &[u8]| entry.last_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
    Some(entries.filter_map(modifier).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_modifiers_of_a_plane_are_found_in_its_blob() {
        let mut blob: Vec<u8> = [1u32, 0, 2, 24, 2, 32].map(u32::to_ne_bytes).concat();
        blob.extend(b"XR24AR24");
        for modifier in [0u64, 0x0100_0000_0000_0001] {
            blob.extend([3u64, 0, modifier].map(u64::to_ne_bytes).concat());
        }
        assert_eq!(modifiers(&blob), Some(vec![0, 0x0100_0000_0000_0001]));
    }

    proptest! {
        #[test]
        fn garbage_is_survived(blob in prop::collection::vec(any::<u8>(), 0..200)) {
            modifiers(&blob);
        }
    }

    #[test]
    fn formats_are_named_by_their_letters() {
        assert_eq!(letters(u32::from_le_bytes(*b"XR24")), "XR24");
        assert_eq!(letters(u32::from_le_bytes(*b"R8  ")), "R8");
        assert_eq!(letters(u32::from_le_bytes([b'A', 7, b'C', b'D'])), "A?CD");
    }
}
