//! How a picture lies, and how to bring it upright.
//!
//! A display may be mounted on its side, and its owner may let the hardware turn or mirror the
//! picture. What the technician sees, and what is asked on the panel, is upright for the person
//! in front of it; what is in memory, and what a touch screen reports, is *native*: as the
//! display was made. An [`Orientation`] leads from the one to the other.

use std::fmt;
use std::str::FromStr;

use crate::{Point, Rect, Size};

/// What must be done to a native picture so that it is upright: a turn by quarters, a mirroring,
/// or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Orientation {
    /// First: columns from right to left.
    flip_x: bool,
    /// Then: rows from bottom to top.
    flip_y: bool,
    /// At last: rows become columns, the first row the leftmost.
    swap: bool,
}

impl Orientation {
    /// It is upright already.
    pub const UPRIGHT: Self = Self { flip_x: false, flip_y: false, swap: false };
    /// Turn it by a quarter clockwise: its left side goes up.
    pub const QUARTER: Self = Self { flip_x: false, flip_y: true, swap: true };
    /// Turn it by a half: it stands on its head.
    pub const HALF: Self = Self { flip_x: true, flip_y: true, swap: false };
    /// Turn it by three quarters clockwise: its right side goes up.
    pub const THREE_QUARTERS: Self = Self { flip_x: true, flip_y: false, swap: true };
    /// Mirror it: left becomes right.
    pub const MIRROR_X: Self = Self { flip_x: true, flip_y: false, swap: false };
    /// Mirror it: what is above comes below.
    pub const MIRROR_Y: Self = Self { flip_x: false, flip_y: true, swap: false };

    /// The four turns, by quarters clockwise.
    pub const TURNS: [Self; 4] = [Self::UPRIGHT, Self::QUARTER, Self::HALF, Self::THREE_QUARTERS];

    /// This, and what comes out of it by another.
    #[must_use]
    pub const fn then(self, other: Self) -> Self {
        // After a swap the other's columns are our rows.
        let (flip_x, flip_y) =
            if self.swap { (other.flip_y, other.flip_x) } else { (other.flip_x, other.flip_y) };
        Self {
            flip_x: self.flip_x != flip_x,
            flip_y: self.flip_y != flip_y,
            swap: self.swap != other.swap,
        }
    }

    /// What undoes it.
    #[must_use]
    pub const fn inverse(self) -> Self {
        match self.swap {
            true => Self { flip_x: self.flip_y, flip_y: self.flip_x, swap: true },
            false => self,
        }
    }

    /// Whether width and height change places.
    pub const fn swaps_sides(self) -> bool {
        self.swap
    }

    /// Whether the picture's columns come in the other order, before sides are swapped.
    pub(crate) const fn flips_columns(self) -> bool {
        self.flip_x
    }

    /// Whether the picture's rows come in the other order, before sides are swapped.
    pub(crate) const fn flips_rows(self) -> bool {
        self.flip_y
    }

    /// The size of the upright picture of a native one.
    #[must_use]
    pub const fn size(self, native: Size) -> Size {
        if self.swap { Size::new(native.height, native.width) } else { native }
    }

    /// Where a pixel of a native picture is in the upright one. What is outside becomes the edge.
    #[must_use]
    pub const fn point(self, at: Point, native: Size) -> Point {
        const fn place(at: u32, side: u32, flip: bool) -> u32 {
            let last = side.saturating_sub(1);
            let at = if at > last { last } else { at };
            if flip { last - at } else { at }
        }
        let x = place(at.x, native.width, self.flip_x);
        let y = place(at.y, native.height, self.flip_y);
        if self.swap { Point::new(y, x) } else { Point::new(x, y) }
    }

    /// Where a rectangle of a native picture is in the upright one; the part beyond the picture
    /// falls away.
    #[must_use]
    pub fn rect(self, rect: Rect, native: Size) -> Rect {
        let Some(rect) = native.rect().intersection(rect) else { return Rect::default() };
        let far = Point::new(rect.x + (rect.width - 1), rect.y + (rect.height - 1));
        let (one, other) =
            (self.point(Point::new(rect.x, rect.y), native), self.point(far, native));
        let size = self.size(Size::new(rect.width, rect.height));
        let (x, y) = (one.x.min(other.x), one.y.min(other.y));
        Rect { x, y, width: size.width, height: size.height }
    }
}

/// Why a text is no [`Orientation`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of 0, 90, 180, 270 (degrees clockwise)")]
pub struct ParseOrientationError(String);

impl FromStr for Orientation {
    type Err = ParseOrientationError;

    /// Reads degrees, clockwise; a mirroring is nothing that people configure.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "0" => Ok(Self::UPRIGHT),
            "90" => Ok(Self::QUARTER),
            "180" => Ok(Self::HALF),
            "270" => Ok(Self::THREE_QUARTERS),
            _ => Err(ParseOrientationError(text.to_owned())),
        }
    }
}

impl fmt::Display for Orientation {
    /// Writes degrees, clockwise, and before them that it is mirrored, if it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_mirrored = (self.flip_x != self.flip_y) != self.swap;
        let turn = if is_mirrored { Self::MIRROR_X.then(*self) } else { *self };
        let degrees = match turn {
            Self::QUARTER => 90,
            Self::HALF => 180,
            Self::THREE_QUARTERS => 270,
            _ => 0,
        };
        if is_mirrored { write!(f, "mirrored, {degrees}") } else { write!(f, "{degrees}") }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_orientation() -> impl Strategy<Value = Orientation> {
        any::<(bool, bool, bool)>().prop_map(|(flip_x, flip_y, swap)| Orientation {
            flip_x,
            flip_y,
            swap,
        })
    }

    #[test]
    fn a_quarter_clockwise_brings_the_left_side_up() {
        let native = Size::new(800, 480);
        let turned = Orientation::QUARTER;
        assert_eq!(turned.size(native), Size::new(480, 800));
        // Lower left becomes upper left, upper left becomes upper right.
        assert_eq!(turned.point(Point::new(0, 479), native), Point::new(0, 0));
        assert_eq!(turned.point(Point::new(0, 0), native), Point::new(479, 0));
        assert_eq!(turned.point(Point::new(799, 0), native), Point::new(479, 799));
    }

    #[test]
    fn turns_add_up() {
        for (quarters, turn) in Orientation::TURNS.into_iter().enumerate() {
            let sum =
                (0..quarters).fold(Orientation::UPRIGHT, |sum, _| sum.then(Orientation::QUARTER));
            assert_eq!(sum, turn);
            assert_eq!(turn.to_string().parse(), Ok(turn));
        }
        assert_eq!(Orientation::MIRROR_X.then(Orientation::MIRROR_Y), Orientation::HALF);
        assert!("45".parse::<Orientation>().is_err() && "".parse::<Orientation>().is_err());
    }

    #[test]
    fn what_is_outside_becomes_the_edge() {
        let native = Size::new(10, 5);
        for turn in Orientation::TURNS {
            let edge = turn.point(Point::new(9, 4), native);
            assert_eq!(turn.point(Point::new(u32::MAX, u32::MAX), native), edge);
        }
        assert_eq!(Orientation::HALF.point(Point::new(3, 3), Size::new(0, 0)), Point::new(0, 0));
    }

    proptest! {
        #[test]
        fn the_inverse_leads_back(
            way in any_orientation(), width in 1u32..100, height in 1u32..100, x in 0u32..100, y in 0u32..100,
        ) {
            let native = Size::new(width, height);
            let at = Point::new(x % width, y % height);
            let upright = way.point(at, native);
            prop_assert!(way.size(native).rect().contains(upright));
            prop_assert_eq!(way.inverse().point(upright, way.size(native)), at);
            prop_assert_eq!(way.then(way.inverse()), Orientation::UPRIGHT);
        }

        #[test]
        fn two_in_a_row_are_one(
            first in any_orientation(), second in any_orientation(),
            width in 1u32..100, height in 1u32..100, x in 0u32..100, y in 0u32..100,
        ) {
            let native = Size::new(width, height);
            let at = Point::new(x % width, y % height);
            let stepwise = second.point(first.point(at, native), first.size(native));
            prop_assert_eq!(first.then(second).point(at, native), stepwise);
            prop_assert_eq!(first.then(second).size(native), second.size(first.size(native)));
        }

        #[test]
        fn a_rectangle_holds_its_own_pixels_and_no_others(
            way in any_orientation(), sides in (1u32..30, 1u32..30),
            rect in (0u32..30, 0u32..30, 1u32..30, 1u32..30),
        ) {
            let native = Size::new(sides.0, sides.1);
            let rect = Rect { x: rect.0, y: rect.1, width: rect.2, height: rect.3 };
            let upright = way.rect(rect, native);
            for y in 0..native.height {
                for x in 0..native.width {
                    let at = Point::new(x, y);
                    let inside = upright.contains(way.point(at, native));
                    prop_assert_eq!(inside, rect.contains(at));
                }
            }
        }
    }
}
