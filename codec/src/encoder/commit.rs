//! The end of an update: what viewers are to remember, and what they have then.

use super::{Encoder, PAGE};
use crate::range::Writer;
use crate::wire::CACHE;

impl Encoder {
    /// Decides which of the replaced tiles are remembered; whether any is.
    pub(super) fn save_replaced(&mut self, number: u32) -> bool {
        let replaced = self.frame.pending.iter().filter(|pending| pending.is_replaced).count();
        let is_page = replaced as u32 * PAGE >= self.grid.tiles() && self.base > 0;
        let mut saved = 0;
        for pending in &mut self.frame.pending {
            let is_saved = pending.is_replaced && is_page && saved < CACHE && {
                let (hash, varied) = self.hashes.old_tile(self.grid, pending.tile, &self.secrets);
                let is_new = varied && self.remembered.find(hash).is_none();
                if is_new {
                    self.remembered.save(hash, number);
                }
                is_new
            };
            pending.is_replaced = is_saved;
            saved += u32::from(is_saved);
        }
        saved > 0
    }

    /// Says which tiles are remembered as they were, and ends the decisions.
    pub(super) fn say_saved(&mut self, from: Option<u32>) {
        let mut writer = Writer::resume(&mut self.out, self.frame.writer);
        if self.grammar.saving(&mut writer, from).is_some() {
            let mut before = false;
            for pending in &self.frame.pending {
                before = self.grammar.saved(&mut writer, before, pending.is_replaced);
            }
        }
        writer.finish();
    }

    /// The viewers have the picture that was read.
    pub(super) fn commit(&mut self, number: u32) {
        self.rest_but_pending();
        for pending in &self.frame.pending {
            if let Some(known) = self.known.get_mut(pending.tile as usize) {
                known.sent = number;
                known.is_coarse = self.frame.rough.get(pending.tile as usize) == Some(&true);
                known.is_refined = false;
            }
        }
        self.hashes.commit();
        (self.number, self.base) = (number, number);
        self.is_ahead = false;
    }

    /// Nothing has changed.
    pub(super) fn rest(&mut self) {
        self.known.iter_mut().for_each(|known| known.restless = 0);
    }

    /// Only what is pending has changed.
    pub(super) fn rest_but_pending(&mut self) {
        let mut pending = self.frame.pending.iter().map(|pending| pending.tile).peekable();
        for (tile, known) in (0..).zip(&mut self.known) {
            known.restless = match pending.next_if_eq(&tile) {
                Some(_) => known.restless.saturating_add(1),
                None => 0,
            };
        }
    }
}
