//! From a typed number to the person's answer, and to the end of what came of it.

use std::time::{Duration, Instant, SystemTime};

use lotse_protocol::handshake::Level as NetworkLevel;
use lotse_protocol::message::{Consent, DeviceEnd, Name as NetworkName, RestartReport, Rights};

use super::MachineProcess;
use super::session::{Phase, Who, rights_of, shown};
use crate::ipc::{Ended, Standing, ToNetwork};
use crate::panel::{self, Ask, Connected, Level, Message, Name, PanelOutput, RightSet, View};

/// No certificate of a technician counts for longer.
const LONGEST_CERTIFICATE: Duration =
    Duration::from_secs(lotse_protocol::certificate::MAX_TECHNICIAN_S);

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
        if matches!(self.session.phase, Phase::Returning { .. }) {
            return self.returned(asks, standing, now);
        }
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
        let policy = &self.settings.policy;
        let asks = asks.capped_by(limit).capped_by(policy.offered_at(level));
        let asks = asks.capped_by(self.possible());
        let ticked = asks.capped_by(policy.allowed_at(level));
        self.consider(asks, ticked, who, now);
    }

    fn consider(&mut self, asks: Rights, ticked: Rights, who: Who, now: Instant) {
        let is_unattended = who.level == Level::Certificate && self.settings.policy.unattended;
        let (asks, ticked) = (shown(asks), shown(ticked));
        if asks.is_empty() || (is_unattended && ticked.is_empty()) {
            log::info!("what is asked for is forbidden by the policy of this machine");
            self.refuse_as(Consent::Refused, Ended::ByPolicy, now);
            return;
        }
        if is_unattended {
            log::info!("session: {} is let in by certificate, unattended", who.name.as_str());
            self.session.phase = Phase::Asking { asks: rights_of(asks), who };
            self.accepted(ticked, now);
            return;
        }
        let view = View::Asking(Ask {
            name: who.name.clone(),
            rights: asks,
            ticked,
            level: who.level,
            deadline: now + self.settings.answer_time,
        });
        self.session.phase = Phase::Asking { asks: rights_of(asks), who };
        self.panel.show(view, now);
    }

    /// The keys are there, which also means that the technician has confirmed the code.
    pub(super) fn connected(&mut self, rights: Rights, now: Instant) {
        match std::mem::replace(&mut self.session.phase, Phase::None) {
            Phase::Consented { granted, who } => {
                let granted = granted.capped_by(rights);
                log::info!("session: connected, {}: {}", who.level.word(), words(granted));
                self.session.phase = Phase::Live { granted };
                self.arrows.begin(&self.machine.screen.info());
                self.session.expires_at = who.until;
                self.session.who = Some(who.clone());
                let connected = Connected::new(who.name, Some(who.level), shown(granted));
                self.panel.show(View::Session(connected), now);
            }
            other => {
                self.session.phase = other;
                log::warn!("a session without consent is ended");
                self.network.send(&ToNetwork::End(DeviceEnd::Fault));
            }
        }
    }

    /// Somebody else moderates or controls, or the one who was accepted does again: the sign says
    /// who. How sure it is who that is, nobody here has seen.
    pub(super) fn leads(
        &mut self,
        moderator: Option<&str>,
        controller: Option<&str>,
        now: Instant,
    ) {
        let Some(who) = &self.session.who else { return };
        let others = (moderator.map(Name::from_network), controller.map(Name::from_network));
        if self.session.others == others {
            return;
        }
        let (name, level) = match &others.1 {
            Some(other) => (other.clone(), None),
            None => (who.name.clone(), Some(who.level)),
        };
        log::info!("session: {} has the machine now", name.as_str());
        self.session.others = others;
        self.panel.change(|connected| (connected.name, connected.level) = (name, level), now);
    }

    /// The person here, or the technician, allows no more than this from now on.
    pub(super) fn limit(&mut self, rights: Rights, now: Instant) {
        if !self.session.is_live() {
            return;
        }
        let left = self.session.limit(&mut self.machine.input, rights, now);
        log::info!("session: only {} from now on", words(left));
        if !left.allows(Rights::POINTER) {
            self.arrows.clear();
        }
        if !left.allows(Rights::SHELL) {
            self.close_terminal(now);
        }
        self.limit_files(left, now);
        if !left.allows(Rights::REBOOT) {
            self.prevent(RestartReport::Prevented, now);
        }
        self.network.send(&ToNetwork::Limit(left));
        let rights = shown(left);
        self.panel.change(
            |connected| {
                connected.is_limited = rights == RightSet::of(&[panel::Right::View]);
                connected.rights = rights;
            },
            now,
        );
    }

    /// A session lasts no longer than its certificate.
    pub(super) fn handle_expiry(&mut self, now: Instant) {
        if self.session.expires_at.is_some_and(|at| at <= now) {
            let end = DeviceEnd::Stopped;
            self.network.send(&ToNetwork::End(end));
            self.end_session(Ended::ByTime, now);
            self.handle_panel(now);
        }
    }

    /// The session is over, or never came to be.
    pub(super) fn end_session(&mut self, why: Ended, now: Instant) {
        let was_going_on = self.session.is_going_on();
        self.close_terminal(now);
        self.close_files(now);
        (self.coming, self.returning) = (None, None);
        if !matches!(why, Ended::ConnectionLost) {
            self.forget_ticket();
        }
        self.session.end(&mut self.machine.input, now);
        self.arrows.clear();
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
                PanelOutput::Accepted(ticked) => self.accepted(ticked, now),
                PanelOutput::DetailsOpened => self.panel.call(self.is_server_reachable, now),
                PanelOutput::Prevented => self.prevent(RestartReport::Prevented, now),
                PanelOutput::TimeHasCome => self.restart_now(now),
                PanelOutput::LookOnlyPressed => self.limit(Rights::VIEW, now),
                PanelOutput::Refused { timed_out } => {
                    let consent = if timed_out { Consent::TimedOut } else { Consent::Refused };
                    self.refuse(consent, now);
                }
                PanelOutput::StopPressed => {
                    let end = DeviceEnd::Stopped;
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
            self.panel.size(&mut self.machine.panel);
            self.arrows.make_way(self.panel.area(), self.machine.marks.as_mut());
        }
        let is_shown = self.panel.draw(&mut self.machine.panel, now);
        let is_asking = matches!(self.session.phase, Phase::Asking { .. });
        if !is_shown && is_asking {
            // What cannot be shown cannot be answered.
            self.refuse(Consent::CannotAsk, now);
        }
        if !is_shown && !self.settings.policy.unattended {
            // Nor can anybody prevent what is not seen.
            self.prevent(RestartReport::Failed, now);
        }
        if let Err(error) = self.machine.local.grab(self.panel.wants_input()) {
            log::debug!("input devices of the machine: {error}");
        }
    }

    /// Shows where those point who look on from afar, and what cannot be shown is told them.
    pub(super) fn draw_arrows(&mut self, now: Instant) {
        let screen = &self.machine.screen;
        let news = self.arrows.draw(self.machine.marks.as_mut(), || screen.info(), now);
        if let Some(are_shown) = news {
            self.network.send(&ToNetwork::Arrows(are_shown));
        }
    }

    /// The person has accepted; that the question was seen was checked when it was touched.
    fn accepted(&mut self, ticked: RightSet, now: Instant) {
        let Phase::Asking { asks, who } = &self.session.phase else { return };
        let (granted, who) = (asks.capped_by(rights_of(ticked)), who.clone());
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

    pub(super) fn refuse_as(&mut self, consent: Consent, why: Ended, now: Instant) {
        self.network.send(&ToNetwork::Decide(consent));
        self.end_session(why, now);
    }
}

/// How long a certificate counts from now on.
pub(super) fn left(not_after: u64, clock: SystemTime) -> Duration {
    let now = clock.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Duration::from_secs(not_after).saturating_sub(now).min(LONGEST_CERTIFICATE)
}

/// A level as the protocol names it.
pub(super) const fn network_level(level: Level) -> NetworkLevel {
    match level {
        Level::Certificate => NetworkLevel::Certificate,
        Level::Password => NetworkLevel::Password,
        Level::CodeCompared { .. } | Level::None => NetworkLevel::CodeCompared,
    }
}

/// Rights for the log.
pub(super) fn words(rights: Rights) -> String {
    shown(rights)
        .iter()
        .map(|right| format!("{right:?}").to_lowercase())
        .collect::<Vec<_>>()
        .join(", ")
}
