//! One session at the machine: what was asked, what was consented, and what is done.

use std::time::{Duration, Instant};

use lotse_hal::{Held, LocalEvent, Machine};
use lotse_protocol::message::{InputEvent, Rights};
use lotse_protocol::session::LOCAL_PAUSE;
use rand_core::RngCore as _;

use super::capture::Capture;
use super::details::Details;
use super::inject::inject;
use super::is_release;
use super::link::NetworkLink;
use super::typing::Typist;
use crate::config::{Photographs, Settings};
use crate::ipc::ToNetwork;
use crate::panel::{Level, Name, Right, RightSet};

/// Inputs of the technician that are not injected because nothing was consented are counted, and
/// told to the log this often at most.
const LOG_EVERY: u32 = 100;

/// A display that sleeps is woken this often at most.
const WAKE_EVERY: Duration = Duration::from_secs(1);

/// The network process is told this often at most that the person uses the machine; much less
/// than the pause that follows.
const TELL_USE_EVERY: Duration = Duration::from_millis(500);

/// Where input goes into a device that is there, it is heard again as if the person had done it:
/// what comes within this time of an injection is not believed to be the person's.
const ECHO: Duration = Duration::from_millis(300);

/// The rights that have messages, by their names in the protocol and on the panel. No others are
/// offered.
const RIGHTS: [(Rights, Right); 7] = [
    (Rights::VIEW, Right::View),
    (Rights::CONTROL, Right::Control),
    (Rights::POINTER, Right::Pointer),
    (Rights::SHELL, Right::Shell),
    (Rights::REBOOT, Right::Reboot),
    (Rights::FILE_READ, Right::FilesRead),
    (Rights::FILE_WRITE, Right::FilesWrite),
];

/// Rights as the panel shows them.
pub(super) fn shown(rights: Rights) -> RightSet {
    let shown = RIGHTS.iter().filter(|(bit, _)| rights.allows(*bit));
    shown.fold(RightSet::NONE, |set, (_, right)| set.with(*right))
}

/// Rights as the protocol names them.
pub(super) fn rights_of(set: RightSet) -> Rights {
    let named = RIGHTS.iter().filter(|(_, right)| set.has(*right));
    named.fold(Rights::NONE, |rights, (bit, _)| rights.with(*bit))
}

/// How far a session has come, as the machine itself has seen it.
#[derive(Debug)]
pub(super) enum Phase {
    None,
    /// A number was typed.
    Joining,
    /// The session's password is being typed.
    Typing,
    /// The person is being asked.
    Asking {
        asks: Rights,
        who: Who,
    },
    /// The person, or the policy, has accepted these rights; the technician has not confirmed yet.
    Consented {
        granted: Rights,
        who: Who,
    },
    /// The machine was restarted in a session, and is on its way back into it.
    Returning {
        granted: Rights,
        who: Who,
    },
    /// It is live.
    Live {
        granted: Rights,
    },
}

/// Who asks, and how that is known.
#[derive(Debug, Clone)]
pub(super) struct Who {
    pub(super) name: Name,
    pub(super) level: Level,
    /// From when on the certificate does not count any more.
    pub(super) until: Option<Instant>,
}

/// The person at the machine uses it: whoever steers it from afar waits.
#[derive(Debug, Default)]
struct LocalUse {
    until: Option<Instant>,
    told_at: Option<Instant>,
    /// When something was injected last.
    injected_at: Option<Instant>,
    /// Whether what is injected as touch is heard again, and whether keys are.
    touch_echoes: bool,
    keys_echo: bool,
}

impl LocalUse {
    fn is_going_on(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    fn is_echo(&self, event: &LocalEvent, now: Instant) -> bool {
        let echoes = match event {
            LocalEvent::Touch { .. } => self.touch_echoes,
            LocalEvent::Key { .. } => self.keys_echo,
            _ => true,
        };
        echoes && self.injected_at.is_some_and(|at| now.saturating_duration_since(at) < ECHO)
    }
}

/// The session of the moment.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) phase: Phase,
    /// Who was accepted.
    pub(super) who: Option<Who>,
    /// Who moderates instead, and who controls.
    pub(super) others: (Option<Name>, Option<Name>),
    capture: Capture,
    typist: Typist,
    rejected: u32,
    max_cpu: f32,
    photographs: Photographs,
    details: Details,
    /// A display that is off when somebody begins to watch is woken.
    wakes: bool,
    woken_at: Option<Instant>,
    /// What was typed, for the panel.
    pub(super) number: u32,
    /// When a session must end by itself: its certificate expires.
    pub(super) expires_at: Option<Instant>,
    local_use: LocalUse,
}

impl Session {
    /// No session.
    ///
    /// # Errors
    /// When there is no memory for the picture's encoder.
    pub(super) fn new(settings: &Settings, now: Instant) -> anyhow::Result<Self> {
        let (max_cpu, photographs) = (settings.max_cpu, settings.photographs);
        let ways = &settings.machine.input;
        let local_use = LocalUse {
            touch_echoes: ways.touch.is_heard_again() || ways.pointer.is_heard_again(),
            keys_echo: ways.keyboard.is_heard_again(),
            ..LocalUse::default()
        };
        let key = rand_core::OsRng.next_u64();
        let capture = Capture::new(key, max_cpu, photographs, now)?;
        Ok(Self {
            phase: Phase::None,
            who: None,
            others: (None, None),
            capture,
            typist: Typist::new(settings.layout.clone()),
            rejected: 0,
            max_cpu,
            photographs,
            details: Details::default(),
            wakes: false,
            woken_at: None,
            number: 0,
            expires_at: None,
            local_use,
        })
    }

    /// Whether a session goes on or is being set up.
    pub(super) fn is_going_on(&self) -> bool {
        !matches!(self.phase, Phase::None)
    }

    /// Who moderates the session.
    pub(super) fn moderator(&self) -> Option<&Name> {
        self.others.0.as_ref().or(self.who.as_ref().map(|who| &who.name))
    }

    /// Whether somebody is connected.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Live { .. })
    }

    /// Whether the person has consented to this, and it is live.
    pub(super) fn allows(&self, right: Rights) -> bool {
        matches!(self.phase, Phase::Live { granted } if granted.allows(right))
    }

    /// Pictures are wanted, or no longer.
    pub(super) fn watch(&mut self, watched: bool, now: Instant) {
        let watched = watched && self.allows(Rights::VIEW);
        self.capture.watch(watched, now);
        self.details.forget();
        self.wakes = watched;
    }

    /// Reads another of the machine's screens.
    pub(super) fn show(&mut self, machine: &mut Machine, name: &str, now: Instant) {
        if !self.allows(Rights::VIEW) {
            return;
        }
        match machine.screen.switch_to(Some(name)) {
            Ok(()) => log::info!("reading {name}, as the technician asks"),
            Err(error) => log::warn!("reading {name}: {error}"),
        }
        // Either way the technician learns what is read now.
        self.capture.refresh(0, now);
        self.details.forget();
    }

    /// Wakes the display, without pressing anything.
    fn wake(&mut self, machine: &mut Machine, now: Instant) {
        if self.woken_at.is_some_and(|at| now.saturating_duration_since(at) < WAKE_EVERY) {
            return;
        }
        self.woken_at = Some(now);
        log::info!("waking the display");
        machine.screen.wake();
        if let Err(error) = machine.input.stir() {
            log::debug!("waking the display: {error}");
        }
    }

    /// The update of this number is on the technician's screen.
    pub(super) fn shown(&mut self, number: u32, now: Instant) {
        self.capture.shown(number, now);
    }

    /// The next update must hold all that was sent after the one of this number.
    pub(super) fn refresh(&mut self, after: u32, now: Instant) {
        self.capture.refresh(after, now);
    }

    /// Whether the person has consented to this; if not, the attempt is counted.
    fn admits(&mut self, right: Rights) -> bool {
        let may = self.allows(right);
        if !may {
            if self.rejected.is_multiple_of(LOG_EVERY) {
                log::warn!("nobody has consented to what is tried ({} times)", self.rejected);
            }
            self.rejected = self.rejected.saturating_add(1);
        }
        may
    }

    /// Somebody points: whether the person has consented to that. The picture is looked at soon.
    pub(super) fn pointed(&mut self, now: Instant) -> bool {
        let may = self.admits(Rights::POINTER);
        if may {
            self.capture.alert(now);
        }
        may
    }

    /// Injects an input, if the person has consented to that.
    pub(super) fn input(
        &mut self,
        machine: &mut Machine,
        event: InputEvent,
        now: Instant,
    ) -> Vec<ToNetwork> {
        if !self.admits(Rights::CONTROL) {
            return Vec::new();
        }
        if self.local_use.is_going_on(now) && !is_release(&event) {
            return Vec::new();
        }
        self.local_use.injected_at = Some(now);
        self.capture.alert(now);
        if let InputEvent::Pointer(at) | InputEvent::Touch { at, .. } = &event {
            self.capture.work_at((at.x.into(), at.y.into()));
        }
        if self.capture.is_off() && !is_release(&event) {
            // Whoever cannot see what is there must not press it: the first touch only wakes.
            self.wake(machine, now);
            return Vec::new();
        }
        let held = &mut machine.input;
        match event {
            InputEvent::Text(text) => {
                let impossible = self.typist.push(&text, || held.locks().caps, now);
                impossible.into_iter().map(ToNetwork::CannotType).collect()
            }
            event if self.typist.is_busy() && event != InputEvent::ReleaseAll => {
                self.typist.push_event(event);
                Vec::new()
            }
            event => {
                if event == InputEvent::ReleaseAll {
                    self.typist.clear(held);
                }
                if let Err(error) = inject(held, &event) {
                    log::warn!("input: {error}");
                }
                Vec::new()
            }
        }
    }

    /// The person at the machine has done something with a physical device: what is injected is
    /// let go of, and nothing more is for a while. Whether the network process is to be told.
    pub(super) fn used_locally(
        &mut self,
        held: &mut Held,
        event: &LocalEvent,
        now: Instant,
    ) -> bool {
        if !self.allows(Rights::CONTROL) || self.local_use.is_echo(event, now) {
            return false;
        }
        let goes_on = self.local_use.is_going_on(now);
        // No longer than the technician is told: the last event may not be told any more.
        self.local_use.until = Some(now + LOCAL_PAUSE.saturating_sub(TELL_USE_EVERY));
        if !goes_on {
            log::info!("the person uses the machine: input from afar waits");
            self.let_go(held);
        }
        let told_at = self.local_use.told_at;
        let tells = told_at.is_none_or(|at| now.saturating_duration_since(at) >= TELL_USE_EVERY);
        if tells {
            self.local_use.told_at = Some(now);
        }
        tells
    }

    /// Nothing stays pressed, and what waits to be typed is not.
    fn let_go(&mut self, held: &mut Held) {
        self.typist.clear(held);
        if let Err(error) = held.release_all() {
            log::warn!("could not release everything that was pressed: {error}");
        }
    }

    /// No more than this is allowed from now on; what is left.
    pub(super) fn limit(&mut self, held: &mut Held, rights: Rights, now: Instant) -> Rights {
        let Phase::Live { granted } = &mut self.phase else { return Rights::NONE };
        let before = *granted;
        *granted = granted.capped_by(rights);
        let left = *granted;
        if before.allows(Rights::CONTROL) && !left.allows(Rights::CONTROL) {
            self.let_go(held);
        }
        if before.allows(Rights::VIEW) && !left.allows(Rights::VIEW) {
            self.watch(false, now);
        }
        left
    }

    /// When [`Session::handle_timeout`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let capture = self.allows(Rights::VIEW).then(|| self.capture.poll_timeout()).flatten();
        capture.into_iter().chain(self.typist.poll_timeout()).chain(self.expires_at).min()
    }

    /// Whether a change of the screen is worth waking for.
    pub(super) fn waits_for_screen(&self, now: Instant) -> bool {
        self.allows(Rights::VIEW) && self.capture.waits_for_screen(now)
    }

    /// The screen's owner told of something.
    pub(super) fn screen_told(&mut self, now: Instant) {
        self.capture.screen_told(now);
    }

    /// Types and captures, as far as it is due.
    pub(super) fn handle_timeout(
        &mut self,
        machine: &mut Machine,
        network: &mut NetworkLink,
        now: Instant,
    ) -> Vec<ToNetwork> {
        if self.typist.is_busy() {
            self.local_use.injected_at = Some(now);
            self.capture.alert(now);
        }
        if let Err(error) = self.typist.handle_timeout(&mut machine.input, now) {
            log::warn!("typing: {error}");
        }
        if !self.allows(Rights::VIEW) {
            return Vec::new();
        }
        self.capture.way_is_free(!network.socket().1);
        let mut send = |update: &[u8]| network.send_picture(update);
        let report = self.capture.look(machine.screen.as_mut(), now, &mut send);
        let mut reports: Vec<ToNetwork> = report.map(ToNetwork::Screen).into_iter().collect();
        if self.capture.is_watched() {
            reports.extend(self.details.look(machine.screen.as_mut(), report.is_some(), now));
        }
        if report.is_some() && std::mem::take(&mut self.wakes) && self.capture.is_off() {
            self.wake(machine, now);
        }
        reports
    }

    /// Everything is over; nothing stays pressed.
    pub(super) fn end(&mut self, held: &mut Held, now: Instant) {
        self.phase = Phase::None;
        (self.who, self.others) = (None, (None, None));
        self.let_go(held);
        (self.local_use.until, self.local_use.told_at) = (None, None);
        self.details.forget();
        self.woken_at = None;
        self.expires_at = None;
        self.rejected = 0;
        // A key of its own for the hashes of each session, and no memory held in between.
        let key = rand_core::OsRng.next_u64();
        match Capture::new(key, self.max_cpu, self.photographs, now) {
            Ok(capture) => self.capture = capture,
            Err(error) => {
                log::warn!("picture: {error}");
                self.capture.watch(false, now);
            }
        }
    }
}
