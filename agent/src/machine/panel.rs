//! The panel on the machine's screen: shows what the panel's state says, and verifies it.

use std::time::{Duration, Instant};

use lotse_hal::{LocalEvent, Panel, Phase, Rect, ScreenInfo, Size};

use crate::config::Idle;
use crate::panel::{Coming, Connected, Language, Message, PanelOutput, PanelUi, View};

/// A question on the screen is read back this long after it was shown, and then as often.
const VERIFY: Duration = Duration::from_millis(300);

/// The sign of a session is drawn again this often, and anything else kept in front, in case the
/// machine drew over it.
const RESHOW: Duration = Duration::from_millis(500);

/// The panel, and what is really on the screen.
#[derive(Debug)]
pub(super) struct PanelScreen {
    ui: PanelUi,
    idle: Idle,
    size: Size,
    /// What lies under the interruption message.
    before_silence: Option<View>,
    /// Who is connected while something else is announced.
    under: Option<Connected>,
    is_on_screen: bool,
    is_failing: bool,
    needs_redraw: bool,
    needs_keeping: bool,
    verify_at: Option<Instant>,
    reshow_at: Option<Instant>,
}

impl PanelScreen {
    /// A panel that shows nothing yet.
    pub(super) fn new(language: Language, idle: Idle, now: Instant) -> Self {
        let size = Size::new(800, 480);
        Self {
            ui: PanelUi::new(size, language, now),
            idle,
            size,
            before_silence: None,
            under: None,
            is_on_screen: false,
            is_failing: false,
            needs_redraw: false,
            needs_keeping: false,
            verify_at: None,
            reshow_at: None,
        }
    }

    /// Its size on the screen.
    pub(super) fn size(&mut self, panel: &mut Box<dyn Panel>) -> Size {
        if let Ok(size) = panel.size() {
            self.size = size;
            self.ui.set_size(size);
        }
        self.size
    }

    /// The part of the screen that it has, or is about to have.
    pub(super) fn area(&self) -> Option<Rect> {
        self.ui.area()
    }

    /// What is shown.
    #[cfg(test)]
    pub(super) fn view(&self) -> &View {
        self.ui.view()
    }

    /// How large the display is, as far as it says.
    pub(super) fn set_display(&mut self, info: &ScreenInfo) {
        // What is read may be another display than that with the panel.
        let known = info.millimetres.filter(|_| info.size == self.size);
        self.ui.set_density(known.map(|known| info.size.width as f32 / known.width.max(1) as f32));
    }

    /// Whether it must be painted.
    pub(super) fn needs_redraw(&self) -> bool {
        self.needs_redraw
    }

    /// Whether the key that calls the panel does something now.
    pub(super) fn can_be_called(&self) -> bool {
        matches!(
            self.ui.view(),
            View::Hidden | View::Home { can_close: true, .. } | View::Session(_) | View::Details(_)
        )
    }

    /// Whether a person has something to answer, so that input belongs to the panel alone.
    pub(super) fn wants_input(&self) -> bool {
        !matches!(self.ui.view(), View::Hidden | View::Session(_))
    }

    /// Shows what is shown without a session.
    pub(super) fn show_idle(&mut self, is_server_reachable: bool, now: Instant) {
        let view = match self.idle {
            Idle::Home => View::Home { is_server_reachable, can_close: false },
            Idle::Hidden => View::Hidden,
        };
        self.show(view, now);
    }

    /// Opens the panel, or closes it: for a number, or in a session to see who is connected, and
    /// to stop it, also where the sign of the session cannot be seen or touched.
    pub(super) fn call(&mut self, is_server_reachable: bool, now: Instant) {
        match self.ui.view().clone() {
            View::Session(connected) => self.show(View::Details(connected), now),
            View::Details(_) | View::Home { can_close: true, .. } => self.close(now),
            _ => self.show(View::Home { is_server_reachable, can_close: true }, now),
        }
    }

    /// Gives the screen back to the machine's own picture.
    pub(super) fn close(&mut self, now: Instant) {
        match self.ui.view().clone() {
            View::Details(connected) => self.show(View::Session(connected), now),
            _ => self.show(View::Hidden, now),
        }
    }

    /// Shows something.
    pub(super) fn show(&mut self, view: View, now: Instant) {
        self.before_silence = None;
        self.under = None;
        self.ui.show(view, now);
    }

    /// Shows what is about to be restarted, until it is withdrawn or something else is shown.
    pub(super) fn announce(&mut self, coming: Coming, now: Instant) {
        if let View::Session(connected) | View::Details(connected) = self.ui.view().clone() {
            self.show(View::Coming(coming), now);
            self.under = Some(connected);
        }
    }

    /// Shows the session again instead of that.
    pub(super) fn withdraw(&mut self, now: Instant) {
        if let Some(connected) = self.under.take() {
            self.show(View::Session(connected), now);
        }
    }

    /// The server began or ceased to answer.
    pub(super) fn server_changed(&mut self, is_server_reachable: bool, now: Instant) {
        if let View::Home { can_close, .. } = *self.ui.view() {
            self.ui.show(View::Home { is_server_reachable, can_close }, now);
        }
    }

    /// The link fell silent in a session, or speaks again. The sign says so and stays on the
    /// screen, so that Stop can be pressed all the same.
    pub(super) fn silent(&mut self, is_silent: bool, now: Instant) {
        self.change(|connected| connected.is_silent = is_silent, now);
        match self.ui.view() {
            View::Joining { .. } if is_silent => {
                self.before_silence = Some(self.ui.view().clone());
                self.ui.show(View::Message(Message::Interrupted), now);
            }
            _ if !is_silent => {
                if let Some(view) = self.before_silence.take() {
                    self.ui.show(view, now);
                }
            }
            _ => {}
        }
    }

    /// Something about the one who is connected has changed.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Connected), now: Instant) {
        if let Some(connected) = &mut self.under {
            return change(connected);
        }
        let mut view = self.ui.view().clone();
        let (View::Session(connected) | View::Details(connected)) = &mut view else {
            return;
        };
        change(connected);
        self.ui.show(view, now);
    }

    /// A physical device was used. A question is read back first: only what is really seen at
    /// this moment can be answered.
    pub(super) fn handle_local(
        &mut self,
        panel: &mut Box<dyn Panel>,
        event: &LocalEvent,
        now: Instant,
    ) {
        let is_moving = matches!(event, LocalEvent::Touch { phase: Phase::Move, .. });
        if matches!(self.ui.view(), View::Asking(_)) && !is_moving {
            let is_intact = !self.needs_redraw && self.verify(panel);
            if !is_intact {
                log::warn!("panel: touched while the question was not seen as painted");
            }
            self.ui.handle_verified(is_intact, now);
        }
        self.ui.handle_local(event, now);
    }

    /// What the person has decided; redrawing is done here.
    pub(super) fn poll_output(&mut self) -> Option<PanelOutput> {
        loop {
            match self.ui.poll_output()? {
                PanelOutput::Redraw => self.needs_redraw = true,
                output => return Some(output),
            }
        }
    }

    /// When [`PanelScreen::handle_timeout`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        [self.ui.poll_timeout(), self.verify_at, self.reshow_at].into_iter().flatten().min()
    }

    /// Counts down, as far as it is due.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.ui.poll_timeout().is_some_and(|due| due <= now) {
            self.ui.handle_timeout(now);
        }
        if self.reshow_at.is_some_and(|due| due <= now) {
            self.reshow_at = Some(now + RESHOW);
            match self.is_on_screen {
                true => self.needs_keeping = true,
                false => self.needs_redraw = true,
            }
        }
    }

    /// Reads a question back, if it is time; whether it was. What is on the screen must be up to
    /// date before: see [`PanelScreen::draw`].
    pub(super) fn check(&mut self, panel: &mut Box<dyn Panel>, now: Instant) -> bool {
        if self.needs_redraw || self.verify_at.is_none_or(|due| due > now) {
            return false;
        }
        let is_intact = self.verify(panel);
        if !is_intact {
            log::info!("panel: the question is not seen as painted; it is painted again");
            self.needs_redraw = true;
        }
        self.verify_at = Some(now + VERIFY);
        self.ui.handle_verified(is_intact, now);
        true
    }

    /// Brings the screen up to date; whether what should be seen could be shown.
    pub(super) fn draw(&mut self, panel: &mut Box<dyn Panel>, now: Instant) -> bool {
        if std::mem::take(&mut self.needs_keeping)
            && let Err(error) = panel.keep()
        {
            log::info!("panel: {error}; it is painted again");
            self.needs_redraw = true;
        }
        if !std::mem::take(&mut self.needs_redraw) {
            return !self.is_failing;
        }
        self.size(panel);
        let Some(area) = self.ui.area() else {
            self.verify_at = None;
            self.reshow_at = None;
            return self.take_off(panel);
        };
        let is_whole = area == self.size.rect();
        if self.is_on_screen && !is_whole {
            // From a dialog to the sign: first the machine's own picture comes back.
            self.take_off(panel);
        }
        let shown = panel.show(area, &self.ui);
        self.is_on_screen = is_whole && shown.is_ok();
        let asks = matches!(self.ui.view(), View::Asking(_));
        self.verify_at = asks.then(|| self.verify_at.unwrap_or(now + VERIFY));
        self.reshow_at = shown.is_ok().then(|| now + RESHOW);
        match shown {
            Ok(()) => self.is_failing = false,
            Err(error) => {
                if !self.is_failing {
                    log::warn!("panel: {error}");
                }
                self.is_failing = true;
            }
        }
        !self.is_failing
    }

    /// Reads back whether the question is on the screen as it was painted.
    fn verify(&self, panel: &mut Box<dyn Panel>) -> bool {
        let Some(area) = self.ui.area() else { return false };
        panel.verify(area, &self.ui).unwrap_or_else(|error| {
            log::warn!("panel: cannot be read back: {error}");
            false
        })
    }

    fn take_off(&mut self, panel: &mut Box<dyn Panel>) -> bool {
        self.is_on_screen = false;
        self.is_failing = false;
        match panel.hide() {
            Ok(()) => true,
            Err(error) => {
                log::warn!("panel: {error}");
                false
            }
        }
    }
}
