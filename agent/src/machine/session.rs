//! One session at the machine: what was asked, what was consented, and what is done.

use std::time::{Duration, Instant, SystemTime};

use lotse_hal::{Held, Machine};
use lotse_protocol::handshake::Level as NetworkLevel;
use lotse_protocol::message::{Consent, InputEvent, Name as NetworkName, Rights};
use rand_core::RngCore as _;

use super::capture::Capture;
use super::details::Details;
use super::inject::inject;
use super::link::NetworkLink;
use super::typing::{KeyboardLayout, Typist};
use super::{MachineProcess, is_release};
use crate::ipc::{Ended, Standing, ToNetwork};
use crate::panel::{self, Ask, Level, Message, Name, PanelOutput, Right, View};

/// Inputs of the technician that are not injected because nothing was consented are counted, and
/// told to the log this often at most.
const LOG_EVERY: u32 = 100;

/// A display that sleeps is woken this often at most.
const WAKE_EVERY: Duration = Duration::from_secs(1);
/// No certificate of a technician counts for longer.
const LONGEST_CERTIFICATE: Duration =
    Duration::from_secs(lotse_protocol::certificate::MAX_TECHNICIAN_S);

/// How far a session has come, as the machine itself has seen it.
#[derive(Debug)]
enum Phase {
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
    /// It is live.
    Live {
        granted: Rights,
    },
}

/// Who asks, and how that is known.
#[derive(Debug, Clone)]
struct Who {
    name: Name,
    level: Level,
    /// From when on the certificate does not count any more.
    until: Option<Instant>,
}

/// The session of the moment.
#[derive(Debug)]
pub(super) struct Session {
    phase: Phase,
    capture: Capture,
    typist: Typist,
    rejected: u32,
    max_cpu: f32,
    details: Details,
    /// A display that is off when somebody begins to watch is woken.
    wakes: bool,
    woken_at: Option<Instant>,
    /// What was typed, for the panel.
    number: u32,
    /// When a session must end by itself: its certificate expires.
    expires_at: Option<Instant>,
}

impl Session {
    /// No session.
    ///
    /// # Errors
    /// When there is no memory for the picture's encoder.
    pub(super) fn new(max_cpu: f32, layout: KeyboardLayout, now: Instant) -> anyhow::Result<Self> {
        let capture = Capture::new(rand_core::OsRng.next_u64(), max_cpu, now)?;
        Ok(Self {
            phase: Phase::None,
            capture,
            typist: Typist::new(layout),
            rejected: 0,
            max_cpu,
            details: Details::default(),
            wakes: false,
            woken_at: None,
            number: 0,
            expires_at: None,
        })
    }

    /// Whether a session goes on or is being set up.
    pub(super) fn is_going_on(&self) -> bool {
        !matches!(self.phase, Phase::None)
    }

    fn allows(&self, right: Rights) -> bool {
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
        self.capture.refresh(now);
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

    /// The next update must be complete.
    pub(super) fn refresh(&mut self, now: Instant) {
        self.capture.refresh(now);
    }

    /// Injects an input, if the person has consented to that.
    pub(super) fn input(
        &mut self,
        machine: &mut Machine,
        event: InputEvent,
        now: Instant,
    ) -> Vec<ToNetwork> {
        if !self.allows(Rights::CONTROL) {
            if self.rejected.is_multiple_of(LOG_EVERY) {
                log::warn!("input without consent is not injected ({} so far)", self.rejected);
            }
            self.rejected = self.rejected.saturating_add(1);
            return Vec::new();
        }
        self.capture.alert(now);
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

    /// When [`Session::handle_timeout`] is due.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let capture = self.allows(Rights::VIEW).then(|| self.capture.poll_timeout()).flatten();
        capture.into_iter().chain(self.typist.poll_timeout()).chain(self.expires_at).min()
    }

    /// Types and captures, as far as it is due.
    pub(super) fn handle_timeout(
        &mut self,
        machine: &mut Machine,
        network: &mut NetworkLink,
        now: Instant,
    ) -> Vec<ToNetwork> {
        if self.typist.is_busy() {
            self.capture.alert(now);
        }
        if let Err(error) = self.typist.handle_timeout(&mut machine.input, now) {
            log::warn!("typing: {error}");
        }
        if !self.allows(Rights::VIEW) {
            return Vec::new();
        }
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
    fn end(&mut self, held: &mut Held, now: Instant) {
        self.phase = Phase::None;
        self.typist.clear(held);
        self.details.forget();
        self.woken_at = None;
        self.expires_at = None;
        self.rejected = 0;
        // A key of its own for the hashes of each session, and no memory held in between.
        match Capture::new(rand_core::OsRng.next_u64(), self.max_cpu, now) {
            Ok(capture) => self.capture = capture,
            Err(error) => {
                log::warn!("picture: {error}");
                self.capture.watch(false, now);
            }
        }
        if let Err(error) = held.release_all() {
            log::warn!("could not release everything that was pressed: {error}");
        }
    }
}

impl MachineProcess {
    /// The technician's console wants the session's password.
    pub(super) fn ask_password(&mut self, now: Instant) {
        if !matches!(self.session.phase, Phase::Joining) {
            log::warn!("the network process wants a password although nobody typed a number");
            return;
        }
        let number = self.session.number;
        if !self.guesses.may_try(number) {
            log::warn!("three wrong passwords were typed for this number; it is not tried again");
            self.network.send(&ToNetwork::Cancel);
            self.end_session(Ended::NumberBurned, now);
            return;
        }
        self.session.phase = Phase::Typing;
        self.panel.show(View::Password { number }, now);
    }

    /// The person has typed a password: it is a wrong one until the technician has proved that he
    /// knows the same.
    fn password_entered(&mut self, password: u32, now: Instant) {
        if !matches!(self.session.phase, Phase::Typing) {
            return;
        }
        let number = self.session.number;
        self.session.phase = Phase::Joining;
        self.guesses.begin(number, SystemTime::now());
        let mut digits = heapless::String::new();
        // Six digits fit into six bytes.
        std::fmt::Write::write_fmt(&mut digits, format_args!("{:06}", password % 1_000_000)).ok();
        self.network.send(&ToNetwork::Password(digits));
        self.panel.show(View::Joining { number }, now);
    }

    /// The technician's console has a certificate of this machine's operator.
    pub(super) fn identify(&mut self, transcript: &[u8; 32]) {
        if !matches!(self.session.phase, Phase::Joining) {
            log::warn!("the network process wants a signature although nobody typed a number");
            return;
        }
        match self.identity.sign(transcript) {
            Some(device) => self.network.send(&ToNetwork::Identified(Box::new(device))),
            None => log::warn!("the network process wants a signature that is not due"),
        }
    }

    /// A technician is there: the person is asked, or the policy.
    pub(super) fn ask(
        &mut self,
        name: &NetworkName,
        asks: Rights,
        standing: &Standing,
        now: Instant,
    ) {
        if !matches!(self.session.phase, Phase::Joining) {
            log::warn!("the network process asks although nobody typed a number");
            self.network.send(&ToNetwork::Decide(Consent::CannotAsk));
            return;
        }
        let caller = |level| Who { name: Name::from_network(name), level, until: None };
        let (who, limit, level) = match standing {
            Standing::Compare(code) => {
                let who = caller(Level::CodeCompared { code: *code });
                (who, Rights::KNOWN, NetworkLevel::CodeCompared)
            }
            Standing::Password => {
                self.guesses.succeeded(self.session.number);
                (caller(Level::Password), Rights::KNOWN, NetworkLevel::Password)
            }
            Standing::Shown { technician, transcript } => {
                let clock = SystemTime::now();
                let known = match self.identity.check(technician, transcript, clock) {
                    Ok(known) => known,
                    Err(error) => {
                        log::warn!("a technician's certificate is refused: {error}");
                        self.refuse_as(Consent::Refused, Ended::NotCertified, now);
                        return;
                    }
                };
                let name = Name::from_network(&known.name);
                let until = now.checked_add(left(known.not_after, clock));
                let who = Who { name, level: Level::Certificate, until };
                (who, known.rights, NetworkLevel::Certificate)
            }
        };
        let asks = asks.capped_by(limit).capped_by(self.settings.allowed_at(level));
        self.consider(asks, who, now);
    }

    fn consider(&mut self, asks: Rights, who: Who, now: Instant) {
        let mut rights = Vec::new();
        for (bit, right) in [(Rights::VIEW, Right::View), (Rights::CONTROL, Right::Control)] {
            if asks.allows(bit) {
                rights.push(right);
            }
        }
        if rights.is_empty() {
            log::info!("what is asked for is forbidden by the policy of this machine");
            self.refuse_as(Consent::Refused, Ended::ByPolicy, now);
            return;
        }
        if who.level == Level::Certificate && self.settings.unattended {
            log::info!("session: {} is let in by certificate, unattended", who.name.as_str());
            self.session.phase = Phase::Asking { asks, who };
            self.accepted(now);
            return;
        }
        let view = View::Asking(Ask {
            name: who.name.clone(),
            rights,
            level: who.level,
            deadline: now + self.settings.answer_time,
        });
        self.session.phase = Phase::Asking { asks, who };
        self.panel.show(view, now);
    }

    /// The keys are there, which also means that the technician has confirmed the code.
    pub(super) fn connected(&mut self, rights: Rights, now: Instant) {
        match std::mem::replace(&mut self.session.phase, Phase::None) {
            Phase::Consented { granted, who } => {
                let granted = granted.capped_by(rights);
                log::info!("session: connected, {}", who.level.word());
                self.session.phase = Phase::Live { granted };
                self.session.expires_at = who.until;
                let level = Some(who.level);
                self.panel.show(View::Session { name: who.name, is_silent: false, level }, now);
            }
            other => {
                self.session.phase = other;
                log::warn!("a session without consent is ended");
                self.network.send(&ToNetwork::End(lotse_protocol::message::DeviceEnd::Fault));
            }
        }
    }

    /// A session lasts no longer than its certificate.
    pub(super) fn handle_expiry(&mut self, now: Instant) {
        if self.session.expires_at.is_some_and(|at| at <= now) {
            let end = lotse_protocol::message::DeviceEnd::Stopped;
            self.network.send(&ToNetwork::End(end));
            self.end_session(Ended::ByTime, now);
            self.handle_panel(now);
        }
    }

    /// The session is over, or never came to be.
    pub(super) fn end_session(&mut self, why: Ended, now: Instant) {
        let was_going_on = self.session.is_going_on();
        self.session.end(&mut self.machine.input, now);
        if let Err(error) = self.machine.screen.switch_to(None) {
            log::warn!("going back to the screen of before: {error}");
        }
        if !was_going_on {
            return;
        }
        log::info!("session: {why:?}");
        let message = match why {
            Ended::NotJoined => Message::NotJoined,
            Ended::Refused => Message::Refused,
            Ended::RefusedByTime => Message::RefusedByTime,
            Ended::ByStaff => Message::Ended(panel::Ended::ByStaff),
            Ended::ByTechnician => Message::Ended(panel::Ended::ByTechnician),
            Ended::ConnectionLost => Message::Ended(panel::Ended::ConnectionLost),
            Ended::Unsafe => Message::Unsafe,
            Ended::WrongPassword => Message::WrongPassword,
            Ended::NumberBurned => Message::NumberBurned,
            Ended::NotCertified => Message::NotCertified,
            Ended::ByPolicy => Message::Ended(panel::Ended::ByPolicy),
            Ended::ByTime => Message::Ended(panel::Ended::ByTime),
            Ended::ServerUnreachable => Message::ServerUnreachable,
        };
        self.panel.show(View::Message(message), now);
    }

    /// Shows what is shown without a session.
    pub(super) fn show_idle(&mut self, now: Instant) {
        self.panel.show_idle(self.is_server_reachable, now);
        self.handle_panel(now);
    }

    /// Does what the person has decided, and brings the screen up to date.
    pub(super) fn handle_panel(&mut self, now: Instant) {
        while let Some(output) = self.panel.poll_output() {
            match output {
                PanelOutput::NumberEntered(number) => {
                    self.identity.begin();
                    self.session.phase = Phase::Joining;
                    self.session.number = number;
                    self.network.send(&ToNetwork::Join { number });
                    self.panel.show(View::Joining { number }, now);
                }
                PanelOutput::PasswordEntered(password) => self.password_entered(password, now),
                PanelOutput::Cancelled => {
                    self.network.send(&ToNetwork::Cancel);
                    self.session.end(&mut self.machine.input, now);
                    self.panel.show_idle(self.is_server_reachable, now);
                }
                PanelOutput::Closed => self.panel.close(now),
                PanelOutput::MessageClosed => {
                    self.panel.show_idle(self.is_server_reachable, now);
                }
                PanelOutput::Accepted => self.accepted(now),
                PanelOutput::Refused { timed_out } => {
                    let consent = if timed_out { Consent::TimedOut } else { Consent::Refused };
                    self.refuse(consent, now);
                }
                PanelOutput::StopPressed => {
                    let end = lotse_protocol::message::DeviceEnd::Stopped;
                    self.network.send(&ToNetwork::End(end));
                    self.end_session(Ended::ByStaff, now);
                }
                _ => {}
            }
        }
        self.bring_to_screen(now);
    }

    fn bring_to_screen(&mut self, now: Instant) {
        if self.panel.needs_redraw() {
            self.panel.set_display(&self.machine.screen.info());
        }
        let is_shown = self.panel.draw(&mut self.machine.panel, now);
        let is_asking = matches!(self.session.phase, Phase::Asking { .. });
        if !is_shown && is_asking {
            // What cannot be shown cannot be answered.
            self.refuse(Consent::CannotAsk, now);
        }
        if let Err(error) = self.machine.local.grab(self.panel.wants_input()) {
            log::debug!("input devices of the machine: {error}");
        }
    }

    /// The person has accepted; that the question was seen was checked when it was touched.
    fn accepted(&mut self, now: Instant) {
        let Phase::Asking { asks, who } = &self.session.phase else { return };
        let (granted, who) = (*asks, who.clone());
        self.session.phase = Phase::Consented { granted, who };
        self.network.send(&ToNetwork::Decide(Consent::Granted(granted)));
        self.panel.show(View::Joining { number: self.session.number }, now);
    }

    fn refuse(&mut self, consent: Consent, now: Instant) {
        let why = match consent {
            Consent::TimedOut => Ended::RefusedByTime,
            _ => Ended::Refused,
        };
        self.refuse_as(consent, why, now);
    }

    fn refuse_as(&mut self, consent: Consent, why: Ended, now: Instant) {
        self.network.send(&ToNetwork::Decide(consent));
        self.end_session(why, now);
    }
}

/// How long a certificate counts from now on.
fn left(not_after: u64, clock: SystemTime) -> Duration {
    let now = clock.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Duration::from_secs(not_after).saturating_sub(now).min(LONGEST_CERTIFICATE)
}
