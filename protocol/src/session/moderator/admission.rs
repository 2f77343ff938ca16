//! Who comes in, and who is sent away.

use std::time::Instant;

use super::members::{Connected, Granted, Member, Stage};
use super::restart::Before;
use super::{Moderator, ModeratorConfig, ModeratorEvent, ParticipantGone, State};
use crate::handshake::moderator::{Admission, ExpectJoinProof, ExpectJoinRequest, is_return};
use crate::handshake::{
    Context, Declined, Grant, HandshakeError, HandshakeMessage, Level, MAX_ATTEMPTS,
    MAX_PASSWORD_FAILURES,
};
use crate::header::MemberId;
use crate::message::{FromMember, Role, decode};
use crate::session::pair::{Ends, Pair};
use crate::session::tampered::Tampered;
use crate::session::{HANDSHAKE_STEP, MAX_HANDSHAKES, PASSWORD_STEP, REQUEST_STEP};
use crate::tunnel::{Asked, Standing};

impl Moderator {
    /// Whose code is to be compared next.
    pub fn comparing(&self) -> Option<MemberId> {
        self.session().and_then(|session| session.members.next_to_compare())
    }

    /// The technician says that both codes are the same: the member is let in.
    pub fn confirm_code(&mut self, member: MemberId) {
        let State::Open(session) = &mut self.state else { return };
        if let Some((role, state)) = take_comparing(session, member) {
            self.let_in(member, role, state, None);
        }
    }

    /// Gives a member its keys; it is not in the table at the moment.
    fn let_in(&mut self, member: MemberId, role: Role, state: Admission, was: Option<Before>) {
        // What was before this moment is none of the newcomer's business.
        self.begin_epoch_for_newcomer();
        let State::Open(session) = &mut self.state else { return };
        let instance = session.next_instance;
        session.next_instance = instance.wrapping_add(1);
        let epoch = session.group.epoch();
        let grant = Grant { member, instance, moderator_instance: session.instance, epoch };
        let ends = Ends::granted(session.id, session.me, &grant);
        let was = was.unwrap_or_else(|| Before {
            name: state.name().clone(),
            level: state.level(),
            rights: self.config.asks,
        });
        let Before { name, level, rights: most } = was;
        match state.confirm(session.group.secret(), grant, &mut self.rng) {
            Ok((pair, message)) => {
                let pair = Pair::of_moderator(&pair, ends);
                let granted = Box::new(Granted { pair, name, level, instance, epoch, most });
                session.members.put(member, Member { role, stage: Stage::Consent(granted) });
                self.send_handshake(member, &message);
            }
            Err(error) => self.turn_away(member, role, ParticipantGone::Handshake(error)),
        }
    }

    /// The technician says that the codes differ: somebody is in between.
    pub fn reject_code(&mut self, member: MemberId) {
        self.send_off(member, ParticipantGone::CodesDiffer);
    }

    /// The technician does not let a member in that asks for it, or whose code is to be compared.
    pub fn refuse(&mut self, member: MemberId) {
        let State::Open(session) = &mut self.state else { return };
        match session.members.take(member) {
            Some(Member { role, stage: Stage::Held(..) }) => {
                self.turn_away(member, role, ParticipantGone::Refused);
            }
            Some(other) => {
                session.members.put(member, other);
                self.send_off(member, ParticipantGone::Refused);
            }
            None => {}
        }
    }

    /// The technician expects this one, who asks by name (see [`ModeratorEvent::Knocking`]).
    pub fn admit(&mut self, member: MemberId) {
        let State::Open(session) = &mut self.state else { return };
        let Some(now) = self.clock else { return };
        match session.members.take(member) {
            Some(Member { role, stage: Stage::Held(state, request) }) => {
                let answered = self.answer(member, state, &request, now);
                self.go_on(member, role, answered);
            }
            Some(other) => session.members.put(member, other),
            None => {}
        }
    }

    /// The technician sends a member away. [`ModeratorEvent::Removed`] tells when it cannot read
    /// any more what is sent.
    pub fn kick(&mut self, member: MemberId) {
        if self.session().is_some_and(|session| session.members.get(member).is_some()) {
            self.dismiss(member, ParticipantGone::Kicked);
        }
    }

    /// Nobody comes in any more, or people do again.
    pub fn lock(&mut self, is_locked: bool) {
        if let State::Open(session) = &mut self.state
            && session.is_locked != is_locked
        {
            session.is_locked = is_locked;
            self.request(Asked::Lock(is_locked));
        }
    }

    fn send_off(&mut self, member: MemberId, why: ParticipantGone) {
        let State::Open(session) = &mut self.state else { return };
        if let Some((role, _)) = take_comparing(session, member) {
            self.turn_away(member, role, why);
        }
    }

    /// Somebody typed the number.
    pub(super) fn knock(&mut self, member: MemberId) {
        let State::Open(session) = &mut self.state else { return };
        let is_burned = self.failed_passwords >= MAX_PASSWORD_FAILURES;
        let is_locked = session.is_locked && session.returning.is_none();
        if is_locked || is_burned || !session.members.add(member) {
            self.decline(member, Declined::Busy);
            return;
        }
        self.outputs.event(ModeratorEvent::Joining);
        self.admit_waiting();
    }

    /// Starts handshakes with those who wait, as many as may be under way.
    pub(super) fn admit_waiting(&mut self) {
        loop {
            let State::Open(session) = &mut self.state else { return };
            if session.members.shaking_hands() >= MAX_HANDSHAKES {
                return;
            }
            let (Some(id), Some(now)) = (session.members.next_waiting(), self.clock) else {
                return;
            };
            let Some(mut member) = session.members.take(id) else { return };
            let context = Context { session: session.id, number: session.number, participant: id };
            let ModeratorConfig { name, asks, means, .. } = &self.config;
            let rng = &mut self.rng;
            let (state, hello) = ExpectJoinRequest::start(&context, name, *asks, means, rng);
            // A person there has to type.
            let step = if means.passwords.is_some() { PASSWORD_STEP } else { REQUEST_STEP };
            member.stage = Stage::Request(state, now + step);
            self.put(id, member);
            self.send_handshake(id, &hello);
        }
    }

    pub(super) fn handle_handshake(
        &mut self,
        id: MemberId,
        member: Member,
        payload: &[u8],
        now: Instant,
    ) {
        let Member { role, stage } = member;
        let had_keys = matches!(stage, Stage::Consent(_));
        let next = match stage {
            Stage::Request(state, _) => self.requested(id, state, payload, now),
            Stage::Proof(state, _) => self.proved(id, state, payload, now),
            // The device may say no at any time; anything else is out of turn.
            Stage::Waiting | Stage::Held(..) | Stage::Compare(_) | Stage::Consent(_) => {
                match HandshakeMessage::decode(payload) {
                    Ok(HandshakeMessage::Declined(why)) => Err(HandshakeError::Declined(why)),
                    _ => Err(HandshakeError::Unexpected),
                }
            }
            // Nothing vouches for a handshake message: it cannot end a live session.
            connected @ Stage::Connected(_) => Ok(Next::Stage(role, connected)),
        };
        if had_keys && next.is_err() {
            self.depart(id);
        }
        self.go_on(id, role, next);
    }

    /// A member's request is here. Who would be one comparison too many waits for the technician.
    fn requested(
        &mut self,
        id: MemberId,
        state: ExpectJoinRequest,
        payload: &[u8],
        now: Instant,
    ) -> Result<Next, HandshakeError> {
        let request = ExpectJoinRequest::look(payload)?;
        let level = request.choice.level();
        if level == Level::CodeCompared && self.attempts >= MAX_ATTEMPTS {
            self.outputs.event(ModeratorEvent::Knocking { member: id, name: request.name });
            return Ok(Next::Stage(request.role, Stage::Held(state, payload.to_vec())));
        }
        self.answer(id, state, payload, now)
    }

    /// Answers a request: from here on the attempt counts, whatever becomes of it. Whoever stands
    /// in between knows the digits now, and could break off and begin again as soon as they do
    /// not suit him.
    fn answer(
        &mut self,
        id: MemberId,
        mut state: ExpectJoinRequest,
        payload: &[u8],
        now: Instant,
    ) -> Result<Next, HandshakeError> {
        let request = ExpectJoinRequest::look(payload)?;
        if is_return(&request.choice) {
            self.expect_back(&mut state);
        } else if self.session().is_some_and(|session| session.is_locked)
            || request.role == Role::Device && self.is_full_of_devices(id)
        {
            return Ok(Next::Busy(request.role));
        }
        let level = request.choice.level();
        if level == Level::Password {
            let trying = self.session().map_or(0, |s| s.members.passwords_under_way());
            if usize::from(self.failed_passwords) + trying >= usize::from(MAX_PASSWORD_FAILURES) {
                return Ok(Next::Busy(request.role));
            }
        }
        let (state, answer) = state.handle(payload, &mut self.rng)?;
        if level == Level::CodeCompared {
            self.attempts = self.attempts.saturating_add(1);
        }
        self.send_handshake(id, &answer);
        Ok(Next::Stage(request.role, Stage::Proof(state, now + HANDSHAKE_STEP)))
    }

    /// A member's proof is here.
    fn proved(
        &mut self,
        id: MemberId,
        state: ExpectJoinProof,
        payload: &[u8],
        now: Instant,
    ) -> Result<Next, HandshakeError> {
        let (role, level, is_return) = (state.role(), state.level(), state.is_return());
        let proved = state.handle(payload, self.config.unix_s(now));
        if proved.is_err() && level == Level::Password {
            self.password_failed();
        }
        let (state, answer) = proved?;
        if let Some(answer) = answer {
            self.send_handshake(id, &answer);
        }
        if is_return {
            return self.returned(id, role, state);
        }
        let name = state.name().clone();
        let Some(code) = state.code() else {
            self.outputs.event(ModeratorEvent::Checked { member: id, role, level, name });
            // Who only looks on is let in by the technician, however well known.
            return Ok(match role {
                Role::Device => Next::LetIn(role, state, None),
                _ => Next::Stage(role, Stage::Compare(state)),
            });
        };
        self.outputs.event(ModeratorEvent::Compare { member: id, role, code, name });
        Ok(Next::Stage(role, Stage::Compare(state)))
    }

    /// Goes where a handshake message has led; the member is not in the table at the moment.
    fn go_on(&mut self, id: MemberId, role: Role, next: Result<Next, HandshakeError>) {
        match next {
            Ok(Next::Stage(role, stage)) => self.put(id, Member { role, stage }),
            Ok(Next::LetIn(role, state, was)) => self.let_in(id, role, state, was),
            Ok(Next::Busy(role)) => {
                self.decline(id, Declined::Busy);
                let gone = Member { role, stage: Stage::Waiting };
                self.gone(id, &gone, ParticipantGone::Declined(Declined::Busy));
            }
            Err(HandshakeError::Declined(why)) => {
                self.turn_away(id, role, ParticipantGone::Declined(why));
            }
            Err(error) => self.turn_away(id, role, ParticipantGone::Handshake(error)),
        }
    }

    /// A run by password came to nothing: the third is the last.
    pub(super) fn password_failed(&mut self) {
        self.failed_passwords = self.failed_passwords.saturating_add(1);
        if self.failed_passwords == MAX_PASSWORD_FAILURES {
            self.outputs.event(ModeratorEvent::NumberBurned);
        }
    }

    fn is_full_of_devices(&self, id: MemberId) -> bool {
        let devices = self.session().map_or(0, |session| session.members.devices_besides(id));
        devices >= self.config.devices
    }

    /// The first message of a member says what its person consented to.
    pub(super) fn entered(&mut self, id: MemberId, bytes: &[u8], now: Instant) {
        let State::Open(session) = &mut self.state else { return };
        let (role, granted) = match session.members.take(id) {
            Some(Member { role, stage: Stage::Consent(granted) }) => (role, granted),
            Some(other) => return session.members.put(id, other),
            None => return,
        };
        let Ok(FromMember::Entered { granted: rights, key }) = decode(bytes) else {
            self.depart(id);
            let why = Tampered("no consent where it was due");
            return self.turn_away(id, role, ParticipantGone::Tampered(why));
        };
        let Granted { pair, name, level, instance, epoch, most } = *granted;
        let rights = rights.capped_by(self.config.asks).capped_by(most);
        let entry = crate::message::Entry {
            member: id,
            instance,
            role,
            name: name.clone(),
            level: Some(level),
            rights,
            controller: None,
            key,
        };
        if role == Role::Device {
            session.focus.get_or_insert(id);
        }
        self.list(entry);
        let stage = Stage::Connected(Box::new(Connected::new(pair, rights, now)));
        self.put(id, Member { role, stage });
        let standing = if role == Role::Device { Standing::Device } else { Standing::Onlooker };
        self.request(Asked::Seat { member: id, standing });
        // The people at both ends have met: the next handshake starts counting anew.
        self.attempts = 0;
        self.outputs.event(ModeratorEvent::Connected { member: id, role, name, rights, level });
        self.tell_newcomer(id, epoch);
        self.settle_in(id, role);
        self.admit_waiting();
    }

    /// Sends somebody away who is not in the table any more.
    pub(super) fn turn_away(&mut self, id: MemberId, role: Role, why: ParticipantGone) {
        self.put(id, Member { role, stage: Stage::Waiting });
        self.dismiss(id, why);
    }
}

/// Where a handshake message has led.
pub(super) enum Next {
    /// On, in this role.
    Stage(Role, Stage),
    /// There is nothing to compare: it is let in; as what it was before, if it comes back.
    LetIn(Role, Admission, Option<Before>),
    /// There is no room for it, or a password is being tried already. It has not got as far as a
    /// code or a share, so that nothing was tried out.
    Busy(Role),
}

/// Takes a member out whose code is to be compared.
fn take_comparing(session: &mut super::Session, id: MemberId) -> Option<(Role, Admission)> {
    match session.members.take(id)? {
        Member { role, stage: Stage::Compare(state) } => Some((role, state)),
        other => {
            session.members.put(id, other);
            None
        }
    }
}
