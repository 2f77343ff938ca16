//! How a touch screen lies on its display, as udev was told.
//!
//! A controller may be glued on turned or mirrored, or report places that are off. Integrators
//! say so in a udev rule, `LIBINPUT_CALIBRATION_MATRIX`, and everything that reads the device by
//! libinput goes by it. So must we: for a person's finger on the panel's buttons, and, the other
//! way round, for fingers that are injected into a device to which such a rule applies.
//!
//! # Source
//! libinput's documentation, *Static device configuration via udev*; `systemd-udevd` keeps its
//! findings in `/run/udev/data`.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use nix::sys::stat::{major, minor};

/// Where udev keeps what it knows of devices.
const UDEV_DATA: &str = "/run/udev/data";

/// Bytes of what udev knows of one device at most.
const MAX_FILE: u64 = 64 << 10;

/// The property in question.
const PROPERTY: &str = "E:LIBINPUT_CALIBRATION_MATRIX=";

/// One in the numbers of a [`Calibration`].
const ONE: f64 = 65536.0;

/// The largest factor or offset that is believed.
const LARGEST: f64 = 100.0;

/// The first two rows of a matrix by which places are multiplied: of parts of the whole surface,
/// from 0 to 1. In 65536ths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Calibration([i32; 6]);

impl Default for Calibration {
    fn default() -> Self {
        Self([ONE as i32, 0, 0, 0, ONE as i32, 0])
    }
}

impl Calibration {
    /// What udev was told of a device; nothing special if it was told nothing.
    pub(crate) fn of(node: &Path) -> Self {
        let number = std::fs::metadata(node).map(|meta| meta.rdev());
        let Ok(number) = number else { return Self::default() };
        let file = format!("{UDEV_DATA}/c{}:{}", major(number), minor(number));
        match std::fs::metadata(&file) {
            Ok(meta) if meta.len() <= MAX_FILE => {}
            _ => return Self::default(),
        }
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        Self::find(&text).unwrap_or_default()
    }

    /// The matrix among what udev knows.
    fn find(text: &str) -> Option<Self> {
        let value = text.lines().rev().find_map(|line| line.strip_prefix(PROPERTY))?;
        let numbers: Vec<f64> =
            value.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
        // Some write the third row, too, which is always 0 0 1.
        Self::from_numbers(numbers.first_chunk::<6>()?)
    }

    fn from_numbers(numbers: &[f64; 6]) -> Option<Self> {
        let is_sound = numbers.iter().all(|number| number.is_finite() && number.abs() <= LARGEST);
        is_sound.then(|| Self(numbers.map(|number| (number * ONE).round() as i32)))
    }

    /// What undoes it; nothing special if nothing can.
    pub(crate) fn inverse(self) -> Self {
        let [a, b, c, d, e, f] = self.0.map(|number| f64::from(number) / ONE);
        let determinant = a * e - b * d;
        let numbers = [e, -b, b * f - c * e, -d, a, c * d - a * f];
        Self::from_numbers(&numbers.map(|number| number / determinant)).unwrap_or_default()
    }

    /// Where a place comes to lie. Places are steps on axes of so many steps; what comes to lie
    /// outside becomes the edge.
    pub(crate) fn apply(self, (x, y): (i64, i64), (across, down): (i64, i64)) -> (i64, i64) {
        if self == Self::default() {
            return (x, y);
        }
        let [a, b, c, d, e, f] = self.0.map(|number| f64::from(number) / ONE);
        // The middle of a step, so that a mirrored first step is the last.
        let part = |at: i64, steps: i64| (at as f64 + 0.5) / steps.max(1) as f64;
        let (u, v) = (part(x, across), part(y, down));
        let step = |part: f64, steps: i64| {
            ((part * steps as f64).floor() as i64).clamp(0, (steps - 1).max(0))
        };
        (step(a * u + b * v + c, across), step(d * u + e * v + f, down))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn calibration(text: &str) -> Calibration {
        Calibration::find(&format!("S:x\nE:ID_INPUT=1\n{PROPERTY}{text}\nE:A=b\n")).unwrap()
    }

    #[test]
    fn a_quarter_turn_brings_the_upper_left_corner_to_the_upper_right() {
        let turned = calibration("0 -1 1 1 0 0");
        assert_eq!(turned.apply((0, 0), (100, 100)), (99, 0));
        assert_eq!(turned.apply((99, 0), (100, 100)), (99, 99));
        let mirrored = calibration("-1 0 1 0 1 0 0 0 1");
        assert_eq!(mirrored.apply((10, 20), (100, 50)), (89, 20));
    }

    #[test]
    fn what_makes_no_sense_changes_nothing() {
        for text in ["", "1 0 0", "a b c d e f", "1e9 0 0 0 1 0", "nan 0 0 0 1 0"] {
            assert_eq!(Calibration::find(&format!("{PROPERTY}{text}")), None, "{text}");
        }
        assert_eq!(Calibration::find("E:OTHER=1 0 0 0 1 0"), None);
        assert_eq!(calibration("0 0 0 0 0 0").inverse(), Calibration::default());
        assert_eq!(Calibration::of(Path::new("/nonexistent")), Calibration::default());
    }

    proptest! {
        #[test]
        fn the_inverse_leads_back(
            turn in prop::sample::select(vec![
                "1 0 0 0 1 0", "0 -1 1 1 0 0", "-1 0 1 0 -1 1", "0 1 0 -1 0 1", "0 1 0 1 0 0",
            ]),
            x in 0i64..4096,
            y in 0i64..4096,
        ) {
            let (there, steps) = (calibration(turn), (4096, 4096));
            let at = there.apply((x, y), steps);
            prop_assert_eq!(there.inverse().apply(at, steps), (x, y));
        }

        #[test]
        fn a_stretched_surface_leads_back_nearly(x in 500i64..3500, y in 500i64..3500) {
            let (there, steps) = (calibration("1.05 0.01 -0.02 -0.01 0.97 0.015"), (4096, 4096));
            let at = there.apply((x, y), steps);
            let back = there.inverse().apply(at, steps);
            prop_assert!((back.0 - x).abs() <= 2 && (back.1 - y).abs() <= 2, "{:?}", back);
        }
    }
}
