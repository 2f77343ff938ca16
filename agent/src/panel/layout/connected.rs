//! While somebody is connected: the sign, what it stands for, and what is about to happen.

use lotse_hal::Rect;

use super::Draft;
use crate::panel::letters::{self, Weight};
use crate::panel::scene::{
    Align, Button, Look, Scene, Sign, inset, split_bottom, split_left, split_top,
};
use crate::panel::theme;
use crate::panel::view::{Coming, Connected, Level, Right, Work};

impl Draft<'_> {
    /// What a session is like at the moment, the most important thing alone.
    fn session_state(&self, connected: &Connected) -> &'static str {
        let texts = &self.shown.texts.session;
        match connected.level {
            _ if connected.is_silent => texts.interrupted,
            _ if connected.has_terminal => texts.terminal_open,
            _ if connected.moves_files => texts.files_move,
            _ if connected.is_limited => texts.only_looks_on,
            Some(Level::Certificate) => texts.by_certificate,
            Some(Level::Password) => texts.by_password,
            Some(Level::CodeCompared { .. }) => texts.by_code,
            Some(Level::None) | None => texts.connected,
        }
    }

    /// A session on the whole panel, with room to end it, or a part of it.
    pub(super) fn details(&mut self, connected: &Connected) {
        let texts = self.shown.texts;
        let body = self.header(Sign::FlagH, texts.session.connected);
        let (card, row) = split_bottom(body, self.row_height(), self.gap);
        let inner = self.card(card);
        let (above, below) = split_top(inner, inner.height * 45 / 100, self.gap);
        let (label, name_place) = split_top(above, above.height * 3 / 10, 0);
        let font = (Weight::Regular, self.px * 0.85);
        self.scene.text(label, texts.asking.name_label, font, Align::Left, theme::INK_SOFT);
        self.framed_name(name_place, connected.name.as_str());
        let (state_place, may) = split_top(below, below.height * 4 / 10, 0);
        let font = (Weight::Regular, self.px * 1.1);
        let state = self.session_state(connected);
        self.scene.text(state_place, state, font, Align::Left, theme::INK);
        let words: Vec<&str> =
            connected.rights.iter().map(|right| texts.rights.of(right)).collect();
        let font = (Weight::Regular, self.px * 0.9);
        self.scene.text(may, &words.join(" · "), font, Align::Left, theme::INK_SOFT);
        self.details_row(row, can_be_limited(connected));
    }

    fn details_row(&mut self, row: Rect, can_be_limited: bool) {
        let texts = self.shown.texts;
        let parts = if can_be_limited { 3 } else { 2 };
        let gap = self.gap * 2;
        let width = row.width.saturating_sub(gap * (parts - 1)) / parts;
        let (close, mut rest) = split_left(row, width, gap);
        self.button(Button::Close, close, texts.home.close, self.px * 1.3, Look::Raised);
        if can_be_limited {
            let (look_only, stop) = split_left(rest, width, gap);
            rest = stop;
            let word = texts.session.look_only;
            self.button(Button::LookOnly, look_only, word, self.px * 1.3, Look::Raised);
        }
        self.button(Button::Stop, rest, texts.messages.stop, self.px * 1.3, Look::Red);
    }

    fn framed_name(&mut self, place: Rect, name: &str) {
        let edge = (self.gap / 6).max(1);
        let frame = (theme::INK_SOFT, edge);
        self.scene.framed(place, self.gap / 2, theme::PAPER_DARK, frame);
        let place = inset(place, self.gap, edge);
        let px = letters::fit(name, Weight::Bold, self.px * 1.4, place).px;
        let name = letters::cut(name, Weight::Bold, px, place.width as f32);
        self.scene.text(place, &name, (Weight::Bold, px), Align::Left, theme::INK);
    }

    /// The sign in the corner; its words lead to the details.
    pub(super) fn session(&mut self, connected: &Connected) {
        let texts = &self.shown.texts.session;
        let state = self.session_state(connected);
        let edge = (self.short / 200).max(2);
        let height = self.share(100).max((self.finger() + 4 * edge).min(self.short / 4));
        let width = (height * 13 / 2).min(self.shown.size.width);
        let area = Rect { x: self.shown.size.width - width, y: 0, width, height };
        self.scene = Scene::new(area, theme::RED);
        let inner = inset(area, edge, edge);
        self.scene.area(inner, 0, theme::DEEP);
        let inner = inset(inner, edge, edge);
        let (flag, rest) = split_left(inner, inner.height * 3 / 4, edge * 3);
        self.flag(inset(flag, 0, flag.height / 6), Sign::FlagH);
        let stop_width = inner.height * 8 / 5;
        let (words, stop) =
            split_left(rest, rest.width.saturating_sub(stop_width + edge * 3), edge * 3);
        self.scene.region(Button::Details, words);
        let (label, name_place) = split_top(words, words.height / 2, 0);
        let px = height as f32 * 0.3;
        let font = (Weight::Regular, px);
        self.scene.text(label, state, font, Align::Left, theme::PAPER);
        let px = letters::fit(state, Weight::Regular, px, label).px;
        let name = letters::cut(connected.name.as_str(), Weight::Bold, px, name_place.width as f32);
        self.scene.text(name_place, &name, (Weight::Bold, px), Align::Left, theme::PAPER);
        self.button(Button::Stop, stop, texts.stop, height as f32 * 0.35, Look::Red);
    }

    /// What is about to be restarted, and by whom.
    pub(super) fn coming(&mut self, coming: &Coming) {
        let texts = &self.shown.texts.work;
        let body = self.header(Sign::FlagH, self.shown.texts.session.connected);
        let (card, row) = split_bottom(body, self.row_height(), self.gap);
        let inner = self.card(card);
        let (above, below) = split_top(inner, inner.height * 30 / 100, self.gap);
        self.framed_name(above, coming.name.as_str());
        let (happens, countdown) = split_top(below, below.height / 2, 0);
        let words = match coming.what {
            Work::Reboot => texts.reboot,
            Work::RestartApplication => texts.restart_application,
        };
        let font = (Weight::Bold, self.px * 1.3);
        self.scene.text(happens, words, font, Align::Left, theme::INK);
        let words = (texts.countdown)(self.shown.seconds_left);
        let font = (Weight::Regular, self.px * 1.1);
        self.scene.text(countdown, &words, font, Align::Left, theme::INK);
        self.single_button(row, Button::Prevent, texts.prevent, Look::Red);
    }
}

/// Whether there is something to lose besides looking on.
pub(in crate::panel) fn can_be_limited(connected: &Connected) -> bool {
    connected.rights.has(Right::View) && connected.rights.count() > 1
}
