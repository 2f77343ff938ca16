//! What a viewer lacks of the picture, as a number: that of the last update that it has shown.

use std::time::{Duration, Instant};

/// An answer that was of any use has come by then.
const IN_VAIN: Duration = Duration::from_secs(3);

/// What a viewer has shown, and since when it asks for more.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Lacks {
    shown: u32,
    /// When it asked first, until something is shown after that.
    asked: Option<Instant>,
}

impl Lacks {
    /// The update of this number is shown.
    pub(super) fn shown(&mut self, number: u32) {
        *self = Self { shown: number, asked: None };
    }

    /// Something was lost: after which update everything is to be told again, 0 for all there is.
    /// Who still asks after a while, and was shown nothing in between, needs all there is, since an
    /// answer of less was of no use.
    pub(super) fn ask(&mut self, now: Option<Instant>) -> u32 {
        let Some(now) = now else { return 0 };
        let first = *self.asked.get_or_insert(now);
        if now.saturating_duration_since(first) >= IN_VAIN { 0 } else { self.shown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_in_vain_is_told_everything() {
        let start = Instant::now();
        let at = |seconds| Some(start + Duration::from_secs(seconds));
        let mut lacks = Lacks::default();
        assert_eq!(lacks.ask(at(0)), 0, "who has nothing needs all");
        lacks.shown(7);
        assert_eq!(lacks.ask(at(1)), 7);
        assert_eq!(lacks.ask(at(2)), 7, "two packets of one loss");
        assert_eq!(lacks.ask(at(4)), 0);
        lacks.shown(9);
        assert_eq!(lacks.ask(at(5)), 9);
    }
}
