//! The question: who asks, for what, and how it is known who that is.

use lotse_hal::Rect;

use super::Draft;
use crate::panel::letters::{self, Weight};
use crate::panel::scene::{Align, Button, Look, Sign, inset, split_bottom, split_left, split_top};
use crate::panel::theme;
use crate::panel::view::{Ask, Level, Right};

/// Before what is allowed by accepting.
const TICK: &str = "✓";

/// Before what is not.
const CROSS: &str = "✗";

impl Draft<'_> {
    pub(super) fn asking(&mut self, ask: &Ask) {
        let texts = &self.shown.texts.asking;
        let body = self.header(Sign::FlagG, texts.title);
        let (rest, row) = split_bottom(body, self.row_height(), self.gap);
        let (card, countdown) = split_bottom(rest, self.share(58), self.gap / 2);
        let inner = self.card(card);
        let (who, check) = if self.is_wide() {
            split_left(inner, inner.width / 2, self.gap * 2)
        } else {
            split_top(inner, inner.height * 60 / 100, self.gap)
        };
        self.who(who, ask);
        self.check(check, ask.level);
        let words = (texts.countdown)(self.shown.seconds_left);
        let font = (Weight::Regular, self.px);
        self.scene.text(countdown, &words, font, Align::Middle, theme::PAPER);

        let half = row.width.saturating_sub(self.gap * 3) / 2;
        let (refuse, accept) = split_left(row, half, self.gap * 3);
        self.button(Button::Refuse, refuse, texts.refuse, self.px * 1.3, Look::Paper);
        let look = if self.shown.is_armed { Look::Accent } else { Look::Asleep };
        self.button(Button::Accept, accept, texts.accept, self.px * 1.3, look);
    }

    /// Who asks, and for what.
    fn who(&mut self, place: Rect, ask: &Ask) {
        let texts = self.shown.texts;
        let label = (Weight::Regular, self.px * 0.85);
        let (label_place, rest) = split_top(place, place.height * 10 / 100, 0);
        let name_label = texts.asking.name_label;
        self.scene.text(label_place, name_label, label, Align::Left, theme::INK_SOFT);
        let (name_place, rest) = split_top(rest, place.height * 20 / 100, 0);
        let edge = (self.gap / 6).max(1);
        let frame = (theme::INK_SOFT, edge);
        self.scene.framed(name_place, self.gap / 2, theme::PAPER_DARK, frame);
        let name_inner = inset(name_place, self.gap, edge);
        let name = ask.name.as_str();
        let whole = letters::fit(name, Weight::Bold, self.px * 1.2, name_inner);
        let least = (self.px * 0.75).max(letters::MIN_PX);
        let (name, px) = match whole.fits && whole.px >= least {
            true => (name.to_owned(), whole.px),
            false => (letters::cut(name, Weight::Bold, least, name_inner.width as f32), least),
        };
        self.scene.text(name_inner, &name, (Weight::Bold, px), Align::Left, theme::INK);
        let (label_place, list) = split_top(rest, place.height * 11 / 100, 0);
        let rights_label = texts.asking.rights_label;
        self.scene.text(label_place, rights_label, label, Align::Left, theme::INK_SOFT);
        if ask.rights.count() > 1 {
            // What is listed can be chosen from, on a picture with the room for that.
            self.scene.framed(list, self.gap / 2, theme::WHITE, (theme::INK_SOFT, edge));
            self.scene.region(Button::Choose, list);
        }
        let inner = inset(list, edge, 0);
        let rights: Vec<(&str, &str)> =
            ask.rights.iter().map(|right| (self.mark(right), texts.rights.of(right))).collect();
        self.list(inner, &rights);
    }

    /// Whether a right is among those that are allowed by accepting.
    fn mark(&self, right: Right) -> &'static str {
        if self.shown.ticked.has(right) { TICK } else { CROSS }
    }

    /// The rights one by one, large enough to be ticked.
    pub(super) fn choosing(&mut self, ask: &Ask) {
        let texts = self.shown.texts;
        let body = self.header(Sign::FlagG, texts.asking.choose);
        let (rest, row) = split_bottom(body, self.row_height(), self.gap);
        let gap = self.gap.max(4);
        let count = ask.rights.count().max(1) as u32;
        let one_below_the_other = rest.height / count >= self.finger() + gap;
        let columns = if one_below_the_other && !(self.is_wide() && count > 2) { 1 } else { 2 };
        let rows = count.div_ceil(columns);
        let width = rest.width.saturating_sub(gap * (columns - 1)) / columns;
        let height = rest.height.saturating_sub(gap * (rows - 1)) / rows;
        let height = height.min(self.share(220).max(self.finger()));
        for (index, right) in (0..).zip(ask.rights.iter()) {
            let (column, line) = (index % columns, index / columns);
            let x = rest.x + column * (width + gap);
            let y = rest.y + line * (height + gap);
            let words = format!("{} {}", self.mark(right), texts.rights.of(right));
            let is_ticked = self.shown.ticked.has(right);
            let look = if is_ticked { Look::Paper } else { Look::Raised };
            let place = Rect { x, y, width, height };
            self.button(Button::Tick(right), place, &words, self.px * 1.2, look);
        }
        let look = if self.shown.ticked.is_empty() { Look::Asleep } else { Look::Accent };
        let place = inset(row, row.width / 4, 0);
        self.button(Button::Chosen, place, texts.messages.ok, self.px * 1.3, look);
    }

    /// Points one below the other; the lines of each stand beside its bullet.
    fn list(&mut self, place: Rect, points: &[(&str, &str)]) {
        let mut px = self.px;
        let (indent, line, lines) = loop {
            let indent = letters::width("✓ ", Weight::Bold, px).ceil() as u32;
            let line = letters::height(1, px).ceil() as u32;
            let (_, room) = split_left(place, indent, 0);
            // As many lines as it takes at this size.
            let room = Rect { height: u32::MAX / 2, ..room };
            let fit = |(_, point): &(&str, &str)| letters::fit(point, Weight::Bold, px, room);
            let fitted = points.iter().map(fit);
            let lines: Vec<letters::Fitted> = fitted.collect();
            let count: usize = lines.iter().map(|fitted| fitted.lines.len()).sum();
            let fits =
                count as u32 * line <= place.height && lines.iter().all(|fitted| fitted.px >= px);
            if fits || px <= letters::MIN_PX {
                break (indent, line, lines);
            }
            px = letters::smaller(px);
        };
        let mut rest = place;
        for ((mark, point), fitted) in points.iter().zip(lines) {
            let (own, below) = split_top(rest, line * fitted.lines.len() as u32, 0);
            let (bullet, words) = split_left(own, indent, 0);
            let (bullet, _) = split_top(bullet, line, 0);
            let font = (Weight::Bold, px);
            self.scene.text(bullet, mark, font, Align::Left, theme::INK);
            self.scene.text(words, point, font, Align::Left, theme::INK);
            rest = below;
        }
    }

    /// How it is known who asks.
    fn check(&mut self, place: Rect, level: Level) {
        let texts = self.shown.texts;
        let levels = &texts.levels;
        let (sign, level_text) = match level {
            Level::Certificate => (Sign::Disc, &levels.certificate),
            Level::CodeCompared { .. } => (Sign::Equals, &levels.code_compared),
            Level::None => (Sign::Triangle, &levels.none),
            Level::Password => (Sign::Disc, &levels.password),
        };
        let (word_place, rest) = split_top(place, place.height * 16 / 100, 0);
        let color = if level == Level::None { theme::RED } else { theme::FLAG_BLUE };
        let font = (Weight::Bold, theme::INK);
        self.sign_and_word(word_place, sign, color, level_text.word, font);
        let Level::CodeCompared { code } = level else {
            let font = (Weight::Regular, self.px * 1.1);
            self.scene.text(rest, level_text.meaning, font, Align::Left, theme::INK);
            return;
        };
        let (code_place, rest) = split_top(rest, place.height * 42 / 100, self.gap / 2);
        self.scene.area(code_place, self.gap / 2, theme::DEEP);
        let digits = format!("{:03} {:03}", code / 1000 % 1000, code % 1000);
        let font = (Weight::Bold, code_place.height as f32 * 0.9);
        let inner = inset(code_place, self.gap, 0);
        self.scene.text(inner, &digits, font, Align::Middle, theme::ACCENT);
        let (question, advice) = split_top(rest, rest.height * 6 / 10, 0);
        let words = texts.asking.code_question;
        self.scene.text(question, words, (Weight::Bold, self.px), Align::Left, theme::INK);
        let words = format!("{} {}", texts.asking.code_advice, level_text.meaning);
        let font = (Weight::Regular, self.px * 0.85);
        self.scene.text(advice, &words, font, Align::Left, theme::INK_SOFT);
    }
}
