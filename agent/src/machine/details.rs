//! What is told of the screen beside its picture: what covers it, and which others there are.

use std::time::{Duration, Instant};

use lotse_hal::{Rect, Screen};
use lotse_protocol::message::{OutputList, OutputName, OutputReport, Part};

use crate::ipc::ToNetwork;

/// How often it is looked at what covers the picture.
const COVERED_EVERY: Duration = Duration::from_secs(2);

/// What was told last, while somebody watches.
#[derive(Debug, Default)]
pub(super) struct Details {
    covered: Option<Vec<Rect>>,
    outputs: Option<OutputList>,
    due: Option<Instant>,
}

impl Details {
    /// Looks, if it is time; what is news of it. `is_changed` says that the screen itself has
    /// changed, so that there may be others now.
    pub(super) fn look(
        &mut self,
        screen: &mut dyn Screen,
        is_changed: bool,
        now: Instant,
    ) -> Vec<ToNetwork> {
        let mut news = Vec::new();
        if is_changed || self.outputs.is_none() {
            let outputs = outputs(screen);
            let is_choice = outputs.len() > 1 || self.outputs.as_ref().is_some_and(|o| o.len() > 1);
            if is_choice && self.outputs.as_ref() != Some(&outputs) {
                news.push(ToNetwork::Outputs(Box::new(outputs.clone())));
            }
            self.outputs = Some(outputs);
        }
        if is_changed || self.due.is_none_or(|due| due <= now) {
            self.due = Some(now + COVERED_EVERY);
            let covered = screen.info().covered;
            if covered != *self.covered.get_or_insert_default() {
                news.push(ToNetwork::Covered(covered.iter().filter_map(part).take(4).collect()));
                self.covered = Some(covered);
            }
        }
        news
    }

    /// Everything is news to the next one who watches.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

fn outputs(screen: &mut dyn Screen) -> OutputList {
    let report = |output: lotse_hal::Output| {
        let name = OutputName::try_from(output.name.as_str()).ok()?;
        Some(OutputReport { name, is_read: output.is_read })
    };
    let mut list = OutputList::new();
    for report in screen.outputs().into_iter().filter_map(report) {
        // What does not fit is not offered.
        if list.push(report).is_err() {
            break;
        }
    }
    list
}

fn part(rect: &Rect) -> Option<Part> {
    let side = |value: u32| u16::try_from(value).ok();
    let (x, y) = (side(rect.x)?, side(rect.y)?);
    Some(Part { x, y, width: side(rect.width)?, height: side(rect.height)? })
}
