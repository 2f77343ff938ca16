//! Restarting a device or its application, and the way of the device back into the session.

use std::time::{Duration, Instant};

use super::admission::Next;
use super::{Moderator, ModeratorEvent, ParticipantGone, State};
use crate::handshake::moderator::{Admission, ExpectJoinRequest};
use crate::handshake::{HandshakeError, Level, Password};
use crate::header::MemberId;
use crate::message::{
    DeviceEnd, FromModerator, Name, Restart, RestartReport, Rights, Role, SecretBytes,
};
use crate::tunnel::Asked;

/// A device that was restarted comes back within this time, or not at all. It keeps its ticket no
/// longer either.
pub const RETURN_WITHIN: Duration = Duration::from_secs(600);

/// A device that is about to be restarted, and may come back.
pub(super) struct Returning {
    device: MemberId,
    ticket: Password,
    until: Instant,
    before: Before,
}

/// What a device was before it was restarted, and is no more afterwards.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) name: Name,
    pub(super) level: Level,
    pub(super) rights: Rights,
}

impl Moderator {
    /// Has the watched device restart the application that runs on it. Whether that can be asked
    /// for: it needs the right. [`ModeratorEvent::Restart`] tells what becomes of it.
    pub fn restart_application(&mut self) -> bool {
        self.restart(&Restart::Application)
    }

    /// Has the watched device restart itself; it comes back into the session by itself. Whether
    /// that can be asked for: it needs the right, and one device is awaited at a time.
    pub fn restart_machine(&mut self) -> bool {
        let State::Open(session) = &mut self.state else { return false };
        let entry = session.focus.and_then(|device| session.roster.get(device));
        let (Some(entry), Some(now), None) = (entry, self.clock, &session.returning) else {
            return false;
        };
        let mut secret = [0; 32];
        self.rng.fill_bytes(&mut secret);
        let before = Before {
            name: entry.name.clone(),
            level: entry.level.unwrap_or(Level::CodeCompared),
            rights: entry.rights,
        };
        let returning = Returning {
            device: entry.member,
            ticket: Password::ticket(&secret),
            until: now + RETURN_WITHIN,
            before,
        };
        let is_asked = self.restart(&Restart::Machine { ticket: SecretBytes(secret) });
        if let (State::Open(session), true) = (&mut self.state, is_asked) {
            session.returning = Some(Box::new(returning));
        }
        is_asked
    }

    fn restart(&mut self, what: &Restart) -> bool {
        let Some(focused) = self.focused() else { return false };
        let can = focused.rights.allows(Rights::REBOOT) && !focused.is_away;
        let Some(device) = self.focus().filter(|_| can) else { return false };
        self.control(device, &FromModerator::Restart(what.clone()));
        true
    }

    /// What a device says of its restart.
    pub(super) fn restart_report(&mut self, member: MemberId, report: RestartReport) {
        use RestartReport::{Failed, NotSetUp, Prevented};
        if matches!(report, Prevented | NotSetUp | Failed) {
            self.expect_no_return(member);
        }
        self.outputs.event(ModeratorEvent::Restart { member, report });
    }

    fn expect_no_return(&mut self, member: MemberId) {
        if let State::Open(session) = &mut self.state {
            session.returning.take_if(|returning| returning.device == member);
        }
    }

    /// Whether a device that is gone is one that may come back. Whoever was stopped there, or sent
    /// away, does not.
    pub(super) fn as_it_goes(&mut self, member: MemberId, why: ParticipantGone) -> ParticipantGone {
        let State::Open(session) = &self.state else { return why };
        if session.returning.as_ref().is_none_or(|returning| returning.device != member) {
            return why;
        }
        let is_locked = session.is_locked;
        match why {
            ParticipantGone::Ended(DeviceEnd::ShuttingDown | DeviceEnd::Fault)
            | ParticipantGone::Departed(_)
            | ParticipantGone::Unreachable
            | ParticipantGone::Restarts => {
                if is_locked {
                    // For the server; here nobody else is let in.
                    self.request(Asked::Lock(false));
                }
                ParticipantGone::Restarts
            }
            why => {
                self.expect_no_return(member);
                why
            }
        }
    }

    /// Somebody wants to come back with a ticket: this is what he must have.
    pub(super) fn expect_back(&self, state: &mut ExpectJoinRequest) {
        if let Some(returning) = self.session().and_then(|session| session.returning.as_ref()) {
            state.expect_back(returning.ticket.clone());
        }
    }

    /// It has proved to have the ticket, which is good for this once.
    pub(super) fn returned(
        &mut self,
        id: MemberId,
        role: Role,
        state: Admission,
    ) -> Result<Next, HandshakeError> {
        let State::Open(session) = &mut self.state else { return Err(HandshakeError::Unexpected) };
        let is_locked = session.is_locked;
        let returning = session.returning.take().filter(|_| role == Role::Device);
        let Some(Returning { device, before, .. }) = returning.map(|returning| *returning) else {
            self.password_failed();
            return Err(HandshakeError::Password);
        };
        if self.session().is_some_and(|session| session.members.get(device).is_some()) {
            // The server still keeps its place.
            self.dismiss(device, ParticipantGone::Restarts);
        }
        if is_locked {
            self.request(Asked::Lock(true));
        }
        self.outputs.event(ModeratorEvent::Returned { was: device, member: id });
        Ok(Next::LetIn(role, state, Some(before)))
    }

    /// Until when a device is awaited, if one is.
    pub(super) fn return_due(&self) -> Option<Instant> {
        self.session()?.returning.as_ref().map(|returning| returning.until)
    }

    /// A device that is not back in time does not come back any more.
    pub(super) fn give_up_return(&mut self, now: Instant) {
        let State::Open(session) = &mut self.state else { return };
        let Some(late) = session.returning.take_if(|returning| returning.until <= now) else {
            return;
        };
        let (member, is_locked) = (late.device, session.is_locked);
        if session.members.get(member).is_none() {
            if is_locked {
                self.request(Asked::Lock(true));
            }
            self.outputs.event(ModeratorEvent::NotBack { member });
        }
    }
}
