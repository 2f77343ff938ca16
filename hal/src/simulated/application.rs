//! The kiosk's own application: the operating panel of a bottling line.
//!
//! It knows nothing of Lotse. It takes fingers, a pointer and keys the way an application on a
//! real machine does, whoever they come from.

use std::f32::consts::TAU;
use std::time::Duration;

use super::keys;
use super::layout::{Layout, ORDERS, Page, SWITCHES, Target};
use crate::{KeyCode, Point, Size};

/// Positions of the gauge's needle.
pub(super) const GAUGE_STEPS: u16 = 200;
/// Characters that fit in the text field.
pub(super) const MAX_FIELD: usize = 24;
/// The most crates of one order.
const MAX_CRATES: u8 = 99;
/// Bottles filled per second while the line runs.
const BOTTLES_PER_SECOND: u64 = 2;
/// Which switch stops and starts the line.
const RUNNING: usize = 0;
/// Which switch makes the screen dark.
const NIGHT: usize = 1;

/// Who presses: fingers by their number, or the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presser {
    /// A finger of an injected or a physical touch screen.
    Finger {
        /// Whether it came from the technician.
        injected: bool,
        /// Its number.
        slot: u8,
    },
    /// The injected pointer with its left button.
    Pointer,
}

/// What the application shows and remembers.
#[derive(Debug, Clone)]
pub(super) struct Application {
    pub(super) layout: Layout,
    pub(super) page: Page,
    pub(super) switches: [bool; SWITCHES],
    pub(super) crates: [u8; ORDERS],
    pub(super) field: String,
    pub(super) is_field_focused: bool,
    /// How many orders were started, and the crates of the last.
    pub(super) started: (u32, u32),
    /// The pointer's place, once it was moved.
    pub(super) pointer: Option<Point>,
    pressed: Option<(Presser, Target)>,
    shifts: [bool; 2],
    /// For how long the line has been running.
    ran: Duration,
    /// How long the needle takes to swing once; `None` if it never moves.
    gauge_period: Option<Duration>,
}

impl Application {
    /// The application as it starts; without a period its gauge stands still.
    pub(super) fn new(size: Size, gauge_period: Option<Duration>) -> Self {
        Self {
            layout: Layout::new(size, Page::Overview),
            page: Page::Overview,
            switches: [true, false, true],
            crates: [12, 6, 0, 0],
            field: String::new(),
            is_field_focused: false,
            started: (0, 0),
            pointer: None,
            pressed: None,
            shifts: [false; 2],
            ran: Duration::ZERO,
            gauge_period: gauge_period.filter(|period| !period.is_zero()),
        }
    }

    /// What the person sees of it: two equal looks are two equal pictures.
    pub(super) fn look(&self) -> impl PartialEq + use<> {
        (
            (self.page, self.switches, self.crates, self.field.clone(), self.is_field_focused),
            (self.started, self.pointer, self.pressed.map(|(_, target)| target)),
            (self.page == Page::Overview).then(|| (self.gauge(), self.bottles())),
        )
    }

    /// Lets time pass on the line.
    pub(super) fn advance(&mut self, by: Duration) {
        if self.switches[RUNNING] && self.gauge_period.is_some() {
            self.ran += by;
        }
    }

    /// The needle's position, 0 to [`GAUGE_STEPS`].
    pub(super) fn gauge(&self) -> u16 {
        let turns = self
            .gauge_period
            .map_or(0.0, |period| (self.ran.as_secs_f64() / period.as_secs_f64()).fract() as f32);
        let half = f32::from(GAUGE_STEPS) / 2.0;
        (half * (1.1 + 0.8 * (turns * TAU).sin())).clamp(0.0, f32::from(GAUGE_STEPS)) as u16
    }

    /// Bottles filled since the start.
    pub(super) fn bottles(&self) -> u64 {
        self.ran.as_secs() * BOTTLES_PER_SECOND
    }

    /// Whether the line runs.
    pub(super) fn is_running(&self) -> bool {
        self.switches[RUNNING]
    }

    /// Whether it is drawn dark.
    pub(super) fn is_night(&self) -> bool {
        self.switches[NIGHT]
    }

    /// What is held down now.
    pub(super) fn pressed(&self) -> Option<Target> {
        self.pressed.map(|(_, target)| target)
    }

    /// A finger or the button comes down.
    pub(super) fn press(&mut self, presser: Presser, at: Point) {
        if self.pressed.is_none() {
            self.pressed = self.layout.target_at(at).map(|target| (presser, target));
        }
    }

    /// A finger or the button is lifted; what was pressed happens if it is still there.
    pub(super) fn release(&mut self, presser: Presser, at: Point) {
        let Some((by, target)) = self.pressed else { return };
        if by != presser {
            return;
        }
        self.pressed = None;
        if self.layout.target_at(at) == Some(target) {
            self.activate(target);
        }
    }

    /// The wheel was turned while the pointer was here: changes the order beneath it.
    pub(super) fn wheel(&mut self, at: Point, notches: i32) {
        if self.page != Page::Orders {
            return;
        }
        let row = self.layout.order_rows().into_iter().position(|row| row.contains(at));
        let Some(crates) = row.and_then(|row| self.crates.get_mut(row)) else { return };
        let sum = i32::from(*crates).saturating_add(notches).clamp(0, i32::from(MAX_CRATES));
        *crates = u8::try_from(sum).unwrap_or(MAX_CRATES);
    }

    /// A key goes down or up.
    pub(super) fn key(&mut self, key: KeyCode, pressed: bool) {
        match key {
            keys::LEFT_SHIFT => self.shifts[0] = pressed,
            keys::RIGHT_SHIFT => self.shifts[1] = pressed,
            _ if pressed => self.key_down(key),
            _ => {}
        }
    }

    fn key_down(&mut self, key: KeyCode) {
        let page = key.0.checked_sub(keys::F1.0).map(usize::from);
        if let Some(page) = page.and_then(|place| Page::ALL.get(place)) {
            self.go_to(*page);
        } else if self.page == Page::Settings && key == keys::TAB {
            self.is_field_focused = !self.is_field_focused;
        } else if self.is_field_focused {
            self.edit(key);
        }
    }

    fn edit(&mut self, key: KeyCode) {
        match key {
            keys::BACKSPACE => drop(self.field.pop()),
            keys::ENTER | keys::ESCAPE => self.is_field_focused = false,
            _ => {
                let shift = self.shifts.contains(&true);
                if let Some(letter) = keys::character(key, shift)
                    && self.field.len() < MAX_FIELD
                {
                    self.field.push(letter);
                }
            }
        }
    }

    fn activate(&mut self, target: Target) {
        match target {
            Target::Field => self.is_field_focused = true,
            Target::Less(order) => self.count(order, false),
            Target::More(order) => self.count(order, true),
            Target::Start => {
                self.started.0 = self.started.0.saturating_add(1);
                self.started.1 = self.crates.iter().copied().map(u32::from).sum();
            }
            Target::Switch(switch) => {
                if let Some(state) = self.switches.get_mut(switch) {
                    *state = !*state;
                }
            }
            Target::Tab(page) => self.go_to(page),
        }
    }

    fn count(&mut self, order: usize, up: bool) {
        let Some(crates) = self.crates.get_mut(order) else { return };
        *crates = if up { (*crates + 1).min(MAX_CRATES) } else { crates.saturating_sub(1) };
    }

    fn go_to(&mut self, page: Page) {
        self.page = page;
        self.is_field_focused = false;
        self.pressed = None;
        self.layout = Layout::new(self.layout.size, page);
    }
}
