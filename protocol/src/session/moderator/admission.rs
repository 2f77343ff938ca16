//! Who comes in.

use std::time::Instant;

use super::members::{Connected, Member, Stage};
use super::{Moderator, ModeratorEvent, ParticipantGone, State};
use crate::handshake::moderator::ExpectJoinRequest;
use crate::handshake::{Context, Declined, Grant, HandshakeError, HandshakeMessage, MAX_ATTEMPTS};
use crate::header::MemberId;
use crate::keys::GroupKey;
use crate::message::{Consent, FromDevice, Role, decode};
use crate::session::channels::{Channels, Tampered};
use crate::session::pressed::Pressed;
use crate::session::{HANDSHAKE_STEP, MAX_HANDSHAKES};

impl Moderator {
    /// Whose code is to be compared next.
    pub fn comparing(&self) -> Option<MemberId> {
        self.session().and_then(|session| session.members.next_to_compare())
    }

    /// The technician says that both codes are the same: the member is let in.
    pub fn confirm_code(&mut self, member: MemberId) {
        let State::Open(session) = &mut self.state else { return };
        let session_id = session.id;
        let Some((role, state)) = take_comparing(session, member) else { return };
        self.joins = self.joins.wrapping_add(1);
        let grant = Grant {
            member,
            instance: self.joins,
            moderator_instance: self.joins,
            epoch: self.joins,
        };
        // A key of its own for every join: who was here before cannot read what follows.
        let group = GroupKey::random(&mut self.rng);
        let name = state.name().clone();
        match state.confirm(&group, grant, &mut self.rng) {
            Ok((pair, message)) => {
                let channels = Channels::of_moderator(session_id, &grant, &group, &pair);
                self.send_handshake(member, &message);
                let stage = Stage::Consent { channels: Box::new(channels), name };
                self.put(member, Member { role, stage });
            }
            Err(error) => self.turn_away(member, role, ParticipantGone::Handshake(error)),
        }
    }

    /// The technician says that the codes differ: somebody is in between.
    pub fn reject_code(&mut self, member: MemberId) {
        self.send_off(member, ParticipantGone::CodesDiffer);
    }

    /// The technician does not let a member in whose code is to be compared.
    pub fn refuse(&mut self, member: MemberId) {
        self.send_off(member, ParticipantGone::Refused);
    }

    fn send_off(&mut self, member: MemberId, why: ParticipantGone) {
        let State::Open(session) = &mut self.state else { return };
        if let Some((role, _)) = take_comparing(session, member) {
            self.turn_away(member, role, why);
        }
    }

    /// Somebody typed the number.
    pub(super) fn knock(&mut self, member: MemberId, now: Instant) {
        let State::Open(session) = &mut self.state else { return };
        if self.attempts >= MAX_ATTEMPTS || !session.members.add(member) {
            self.decline(member, Declined::Busy);
            return;
        }
        self.outputs.event(ModeratorEvent::Joining);
        self.clock = Some(now);
        self.admit_waiting();
    }

    /// Starts handshakes with those who wait, as many as may be under way.
    pub(super) fn admit_waiting(&mut self) {
        loop {
            let State::Open(session) = &mut self.state else { return };
            if session.members.shaking_hands() >= MAX_HANDSHAKES {
                return;
            }
            let Some(id) = session.members.next_waiting() else { return };
            let (Some(mut member), Some(now)) = (session.members.take(id), self.clock) else {
                return;
            };
            let context = Context { session: session.id, number: session.number, participant: id };
            if self.attempts >= MAX_ATTEMPTS {
                self.decline(id, Declined::Busy);
                continue;
            }
            self.attempts += 1;
            let (name, asks) = (&self.config.name, self.config.asks);
            let (state, hello) = ExpectJoinRequest::start(&context, name, asks, &mut self.rng);
            member.stage = Stage::Request(state, now + HANDSHAKE_STEP);
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
        let Member { mut role, stage } = member;
        let until = now + HANDSHAKE_STEP;
        let next = match stage {
            Stage::Request(state, _) => state.handle(payload).map(|(state, answer)| {
                role = state.role();
                self.send_handshake(id, &answer);
                Stage::Proof(state, until)
            }),
            Stage::Proof(state, _) => state.handle(payload).map(|state| {
                let (code, name) = (state.code(), state.name().clone());
                self.outputs.event(ModeratorEvent::Compare { member: id, role, code, name });
                Stage::Compare(state)
            }),
            // The device may say no at any time; anything else is out of turn.
            Stage::Waiting | Stage::Compare(_) | Stage::Consent { .. } => {
                match HandshakeMessage::decode(payload) {
                    Ok(HandshakeMessage::Declined(why)) => Err(HandshakeError::Declined(why)),
                    _ => Err(HandshakeError::Unexpected),
                }
            }
            // Nothing vouches for a handshake message: it cannot end a live session.
            connected @ Stage::Connected(_) => Ok(connected),
        };
        match next {
            Ok(Stage::Proof(..)) if role == Role::Device && self.is_full_of_devices(id) => {
                // It has not got as far as a code, so that nothing could be tried out.
                self.attempts = self.attempts.saturating_sub(1);
                self.decline(id, Declined::Busy);
                self.gone(id, role, ParticipantGone::Declined(Declined::Busy));
            }
            Ok(stage) => self.put(id, Member { role, stage }),
            Err(HandshakeError::Declined(why)) => {
                self.turn_away(id, role, ParticipantGone::Declined(why));
            }
            Err(error) => self.turn_away(id, role, ParticipantGone::Handshake(error)),
        }
    }

    fn is_full_of_devices(&self, id: MemberId) -> bool {
        let devices = self.session().map_or(0, |session| session.members.devices_besides(id));
        devices >= self.config.devices
    }

    /// The first message of a member says what its person decided.
    pub(super) fn consented(
        &mut self,
        id: MemberId,
        role: Role,
        channels: Channels,
        bytes: &[u8],
        now: Instant,
    ) -> Result<Member, ParticipantGone> {
        let rights = match decode(bytes) {
            Ok(FromDevice::Consent(Consent::Granted(rights))) => rights,
            Ok(FromDevice::Consent(Consent::Refused)) => {
                return Err(ParticipantGone::Declined(Declined::Refused));
            }
            Ok(FromDevice::Consent(Consent::TimedOut)) => {
                return Err(ParticipantGone::Declined(Declined::TimedOut));
            }
            Ok(FromDevice::Consent(Consent::CannotAsk)) => {
                return Err(ParticipantGone::Declined(Declined::CannotAsk));
            }
            _ => return Err(ParticipantGone::Tampered(Tampered("no consent where it was due"))),
        };
        let rights = rights.capped_by(self.config.asks);
        let connected = Connected {
            channels,
            rights,
            tick: 0,
            pressed: Pressed::default(),
            still_here_at: None,
            heard: now,
            is_silent: false,
        };
        if role == Role::Device
            && let State::Open(session) = &mut self.state
        {
            session.focus.get_or_insert(id);
        }
        // The people at both ends have met: the next handshake starts counting anew.
        self.attempts = 0;
        Ok(Member { role, stage: Stage::Connected(Box::new(connected)) })
    }

    /// Sends somebody away who is not in the table any more.
    pub(super) fn turn_away(&mut self, id: MemberId, role: Role, why: ParticipantGone) {
        self.put(id, Member { role, stage: Stage::Waiting });
        self.dismiss(id, why);
    }
}

/// Takes a member out whose code is to be compared.
fn take_comparing(
    session: &mut super::Session,
    id: MemberId,
) -> Option<(Role, crate::handshake::moderator::CompareCode)> {
    match session.members.take(id)? {
        Member { role, stage: Stage::Compare(state) } => Some((role, state)),
        other => {
            session.members.put(id, other);
            None
        }
    }
}
