//! Restarting the machine or its application, and coming back into the session afterwards.
//!
//! What is done stands in the configuration, and the programs process does it. The person sees it
//! coming, and can prevent it. Before the machine goes down a ticket of the technician's console is
//! kept here, with what was consented to: it is good for one return, and deleted before it is used.

use std::time::{Duration, Instant, SystemTime};

use lotse_protocol::handshake::Level as NetworkLevel;
use lotse_protocol::message::{
    Consent, Name as NetworkName, Restart, RestartReport, Rights, SecretBytes,
};
use lotse_protocol::session::RETURN_WITHIN;
use serde::{Deserialize, Serialize};

use super::MachineProcess;
use super::consent::{left, network_level};
use super::keep::Keep;
use super::session::{Phase, Who, shown};
use crate::ipc::{Ended, Standing, ToNetwork, ToPrograms};
use crate::panel::{Coming, Connected, Level, Name, View, Work};

/// The person has so many seconds to prevent it.
const COUNTDOWN_S: u8 = 10;

/// The file.
const FILE: &str = "return";

/// What is kept for the way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Return {
    ticket: SecretBytes,
    number: u32,
    rights: Rights,
    name: NetworkName,
    level: NetworkLevel,
    /// When it was written, in seconds since 1970.
    at: u64,
    /// When the technician's certificate expires, if that is how he is known.
    not_after: Option<u64>,
}

fn unix(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// What was kept, if it still counts. From here on it is nowhere else.
pub(super) fn take(keep: &Keep, now: SystemTime) -> Option<Return> {
    let bytes = keep.read(FILE).ok().flatten()?;
    if let Err(error) = keep.remove(FILE) {
        log::warn!("not coming back into the session: the ticket cannot be deleted: {error}");
        return None;
    }
    let kept: Return = postcard::from_bytes(&bytes).ok()?;
    // A clock that was not set yet tells nothing; the technician's counts then.
    let is_late = unix(now).saturating_sub(kept.at) >= RETURN_WITHIN.as_secs();
    (!is_late).then_some(kept)
}

impl MachineProcess {
    /// The technician wants something restarted.
    pub(super) fn restart(&mut self, what: Restart, now: Instant) {
        let (Some(name), true) = (self.session.moderator(), self.session.allows(Rights::REBOOT))
        else {
            log::warn!("nothing is restarted without consent");
            return;
        };
        let (work, is_set_up) = match what {
            Restart::Machine { .. } => (Work::Reboot, self.programs.restarts.1),
            _ => (Work::RestartApplication, self.programs.restarts.0),
        };
        if self.coming.is_some() || !is_set_up {
            return self.restarted(RestartReport::NotSetUp);
        }
        log::info!("session: {} restarts: {work:?}", name.as_str());
        let deadline = now + Duration::from_secs(COUNTDOWN_S.into());
        self.panel.announce(Coming { name: name.clone(), what: work, deadline }, now);
        self.coming = Some(what);
        self.restarted(RestartReport::Announced { in_s: COUNTDOWN_S });
    }

    fn restarted(&mut self, report: RestartReport) {
        self.network.send(&ToNetwork::Restart(report));
    }

    /// It shall not be, or cannot.
    pub(super) fn prevent(&mut self, why: RestartReport, now: Instant) {
        if self.coming.take().is_some() {
            log::info!("session: nothing is restarted: {why:?}");
            self.panel.withdraw(now);
            self.restarted(why);
        }
    }

    /// Nobody has prevented it.
    pub(super) fn restart_now(&mut self, now: Instant) {
        let Some(what) = self.coming.take() else { return };
        self.panel.withdraw(now);
        let is_machine = matches!(what, Restart::Machine { .. });
        if let Restart::Machine { ticket } = what {
            if let Err(error) = self.keep_ticket(ticket, now) {
                log::error!("the machine is not restarted: it could not come back: {error}");
                return self.restarted(RestartReport::Failed);
            }
            self.restarted(RestartReport::Leaves);
        }
        self.programs.link.send(&ToPrograms::Restart { is_machine });
    }

    fn keep_ticket(&self, ticket: SecretBytes, now: Instant) -> std::io::Result<()> {
        let (Some(who), Phase::Live { granted }) = (&self.session.who, &self.session.phase) else {
            return Err(std::io::ErrorKind::Unsupported.into());
        };
        let at = unix(SystemTime::now());
        let expires = |until: Instant| at.saturating_add((until - now).as_secs());
        let kept = Return {
            ticket,
            number: self.session.number,
            rights: *granted,
            // Shorter than what came from the network, but for what was replaced in it.
            name: NetworkName::try_from(who.name.as_str()).unwrap_or_default(),
            level: network_level(who.level),
            at,
            not_after: who.until.map(expires),
        };
        self.keep.write(FILE, &postcard::to_allocvec(&kept).map_err(std::io::Error::other)?)
    }

    /// The programs process has done it, or could not.
    pub(super) fn restart_done(&mut self, is_machine: bool, is_done: bool) {
        match (is_machine, is_done) {
            (true, true) => {}
            (false, true) => self.restarted(RestartReport::Done),
            (_, false) => {
                self.forget_ticket();
                self.restarted(RestartReport::Failed);
            }
        }
    }

    /// There is nothing to come back to.
    pub(super) fn forget_ticket(&mut self) {
        self.returning = None;
        if let Err(error) = self.keep.remove(FILE) {
            log::warn!("the ticket of a session that is over: {error}");
        }
    }

    /// The machine was restarted in a session: it goes on, as soon as the server is reached.
    pub(super) fn begin_return(&mut self, kept: Return, now: Instant) {
        let level = match kept.level {
            NetworkLevel::Certificate => Level::Certificate,
            NetworkLevel::Password => Level::Password,
            _ => Level::CodeCompared { code: 0 },
        };
        let clock = SystemTime::now().max(SystemTime::UNIX_EPOCH + Duration::from_secs(kept.at));
        let until = kept.not_after.map(|not_after| now + left(not_after, clock));
        let who = Who { name: Name::from_network(&kept.name), level, until };
        log::info!("session: going on with {} after a restart", who.name.as_str());
        let mut connected = Connected::new(who.name.clone(), Some(level), shown(kept.rights));
        connected.is_silent = true;
        self.session.number = kept.number;
        self.session.expires_at = until.into_iter().chain([now + RETURN_WITHIN]).min();
        self.session.phase = Phase::Returning { granted: kept.rights, who };
        self.returning = Some(kept);
        self.panel.show(View::Session(connected), now);
    }

    /// The server is reached.
    pub(super) fn go_back(&mut self, now: Instant) {
        let Some(Return { ticket, number, .. }) = self.returning.take() else { return };
        if !self.guesses.may_try(number) {
            return self.end_session(Ended::NumberBurned, now);
        }
        self.guesses.begin(number, SystemTime::now());
        self.network.send(&ToNetwork::Return { number, ticket });
    }

    /// Whoever has the other half of the ticket asks: the person has consented before. No right is
    /// new, and none is given that the policy does not give now.
    pub(super) fn returned(&mut self, asks: Rights, standing: &Standing, now: Instant) {
        let Phase::Returning { granted, who } = &self.session.phase else { return };
        let policy = self.settings.policy.offered_at(network_level(who.level));
        let granted = granted.capped_by(asks).capped_by(policy);
        let who = who.clone();
        if *standing != Standing::Password || granted == Rights::NONE {
            return self.refuse_as(Consent::Refused, Ended::ByPolicy, now);
        }
        self.guesses.succeeded(self.session.number);
        self.session.phase = Phase::Consented { granted, who };
        self.network.send(&ToNetwork::Decide(Consent::Granted(granted)));
    }
}
