//! The console's side of a session.

use std::time::Instant;

use rand_core::CryptoRngCore;

use super::channels::{Arrived, Channels, Tampered};
use super::{DEVICE_SILENT_AFTER, Output, Outputs, Pending, Pressed, STILL_HERE_INTERVAL};
use crate::SessionNumber;
use crate::handshake::moderator::{CompareCode, ExpectJoinProof, ExpectJoinRequest};
use crate::handshake::{
    Code, Context, Declined, Grant, HandshakeError, HandshakeMessage, MAX_ATTEMPTS,
};
use crate::header::{Class, Fragment, Header, MemberId};
use crate::keys::GroupKey;
use crate::message::{
    Consent, DeviceEnd, FromDevice, FromModerator, Input, InputEvent, Name, Rights, ScreenReport,
    decode,
};
use crate::packet::SealError;
use crate::tunnel::{Answer, Asked, Departure, EndOfSession, Notice, Refusal, SessionId};

/// Who the moderator is and what it asks for.
#[derive(Debug, Clone)]
pub struct ModeratorConfig {
    /// What the technician calls himself, shown at the device as a name.
    pub name: Name,
    /// Rights that are asked for.
    pub asks: Rights,
}

/// What the moderator's program must know.
#[derive(Debug)]
#[non_exhaustive]
pub enum ModeratorEvent {
    /// The session is open; the number can be read out.
    Opened {
        /// The number.
        number: SessionNumber,
        /// It is good for a first join for so many seconds.
        expires_in_s: u32,
    },
    /// The server opens no session.
    OpenRefused(Refusal),
    /// Somebody has typed the number; the handshake runs by itself.
    Joining,
    /// The people must compare this code; answer with [`Moderator::confirm_code`] or
    /// [`Moderator::reject_code`].
    Compare {
        /// The six digits.
        code: Code,
        /// What the device calls itself.
        name: Name,
    },
    /// The person at the device has accepted; the session is live.
    Connected {
        /// What the device calls itself.
        name: Name,
        /// What may be done; enforced at the device.
        rights: Rights,
    },
    /// Nothing has come from the device for [`DEVICE_SILENT_AFTER`] (`true`), or it is back. Only
    /// of devices that may be controlled: others have nothing to say while their picture stands.
    Silent(bool),
    /// What the device's screen is doing.
    Screen(ScreenReport),
    /// An update of the picture, for the codec's decoder. Answer with
    /// [`Moderator::picture_shown`], or with [`Moderator::refresh`] if it cannot be used.
    Picture(Vec<u8>),
    /// So many inputs came too late and were dropped at the device.
    InputDropped(u16),
    /// The device has no key for this character.
    CannotType(char),
    /// The participant is gone; the number can be typed again.
    Gone(ParticipantGone),
    /// The session is over.
    Ended(EndOfSession),
}

/// Why a participant is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParticipantGone {
    /// It never got in, or said no.
    Declined(Declined),
    /// The handshake failed here: changed messages or an incompatible program.
    Handshake(HandshakeError),
    /// The technician said that the codes differ.
    CodesDiffer,
    /// It ended the session.
    Ended(DeviceEnd),
    /// The server says that it left.
    Departed(Departure),
    /// Its packets were tampered with.
    Tampered(Tampered),
    /// Its keys are worn out, after 8 million packets; join again for new ones.
    KeysExhausted,
}

#[expect(clippy::large_enum_variant, reason = "there is one, and it is moved a handful of times")]
enum State {
    Idle,
    Opening,
    Open(Session),
    Ended,
}

struct Session {
    id: SessionId,
    number: SessionNumber,
    participant: Option<Member>,
}

struct Member {
    id: MemberId,
    stage: Stage,
}

enum Stage {
    Request(ExpectJoinRequest),
    Proof(ExpectJoinProof),
    Compare(CompareCode),
    Consent { channels: Box<Channels>, name: Name },
    Connected(Box<Connected>),
}

struct Connected {
    channels: Channels,
    rights: Rights,
    tick: u32,
    pressed: Pressed,
    still_here_at: Option<Instant>,
    /// When something last came from the device.
    heard: Instant,
    is_silent: bool,
}

impl Connected {
    /// When the device will have been silent for too long, unless it already has.
    fn silent_at(&self) -> Option<Instant> {
        let is_watched = self.rights.allows(Rights::CONTROL) && !self.is_silent;
        is_watched.then(|| self.heard + DEVICE_SILENT_AFTER)
    }
}

/// The console's side of a session: opens it, lets one participant in at a time, steers it.
///
/// See [`crate::session`] for how it is driven.
pub struct Moderator {
    config: ModeratorConfig,
    rng: Box<dyn CryptoRngCore + Send>,
    state: State,
    outputs: Outputs<ModeratorEvent>,
    attempts: u8,
    joins: u16,
    pending: Pending,
}

impl std::fmt::Debug for Moderator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Moderator").field("joins", &self.joins).finish_non_exhaustive()
    }
}

impl Moderator {
    /// A moderator that has not asked for anything yet.
    pub fn new(config: ModeratorConfig, rng: Box<dyn CryptoRngCore + Send>) -> Self {
        Self {
            config,
            rng,
            state: State::Idle,
            outputs: Outputs::new(),
            attempts: 0,
            joins: 0,
            pending: Pending::default(),
        }
    }

    /// What must leave; drain it after each call.
    pub fn poll_output(&mut self) -> Option<Output<ModeratorEvent>> {
        self.outputs.pop()
    }

    /// When [`Moderator::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let connected = self.connected()?;
        connected.still_here_at.into_iter().chain(connected.silent_at()).min()
    }

    /// Asks the server for a session.
    pub fn open(&mut self) {
        if matches!(self.state, State::Idle) {
            self.request(Asked::Open);
            self.state = State::Opening;
        }
    }

    /// The technician says that both codes are the same.
    pub fn confirm_code(&mut self) {
        let State::Open(session) = &mut self.state else { return };
        let (id, member) = match session.participant.take() {
            Some(Member { id, stage: Stage::Compare(state) }) => (id, state),
            other => {
                session.participant = other;
                return;
            }
        };
        let session_id = session.id;
        self.joins = self.joins.wrapping_add(1);
        let grant = Grant {
            member: id,
            instance: self.joins,
            moderator_instance: self.joins,
            epoch: self.joins,
        };
        // A key of its own for every join: who was here before cannot read what follows.
        let group = GroupKey::random(&mut self.rng);
        let name = member.name().clone();
        match member.confirm(&group, grant, &mut self.rng) {
            Ok((pair, message)) => {
                let channels = Channels::of_moderator(session_id, &grant, &group, &pair);
                self.send_handshake(id, message);
                let stage = Stage::Consent { channels: Box::new(channels), name };
                self.set_participant(Member { id, stage });
            }
            Err(error) => self.dismiss(id, ParticipantGone::Handshake(error)),
        }
    }

    /// The technician says that the codes differ: somebody is in between.
    pub fn reject_code(&mut self) {
        if let Some(Member { id, stage: Stage::Compare(_) }) = self.participant() {
            let id = *id;
            self.dismiss(id, ParticipantGone::CodesDiffer);
        }
    }

    /// Asks for pictures, or for none.
    pub fn watch(&mut self, wanted: bool) {
        self.control(&FromModerator::Watch(wanted));
    }

    /// The picture with this number is on the screen.
    pub fn picture_shown(&mut self, number: u32) {
        self.control(&FromModerator::PictureShown(number));
    }

    /// Something of the picture was lost; the next one must be complete.
    pub fn refresh(&mut self) {
        self.control(&FromModerator::Refresh);
    }

    /// Sends an input to the device; whether there is a session that may be controlled.
    pub fn input(&mut self, event: InputEvent, now: Instant) -> bool {
        let Some(connected) = self.connected_mut() else { return false };
        if !connected.rights.allows(Rights::CONTROL) {
            return false;
        }
        connected.pressed.note(&event);
        connected.still_here_at = match (connected.pressed.is_empty(), connected.still_here_at) {
            (true, _) => None,
            (false, None) => Some(now + STILL_HERE_INTERVAL),
            (false, due) => due,
        };
        let sealed = connected.channels.seal_input(&Input { tick: connected.tick, event });
        self.send_sealed(Class::Input, sealed);
        true
    }

    /// Ends the session.
    pub fn end(&mut self) {
        self.control(&FromModerator::End);
        if matches!(self.state, State::Open(_) | State::Opening) {
            self.request(Asked::Leave);
            self.finish(EndOfSession::Ended);
        }
    }

    /// Takes the server's answer to the oldest [`Output::Request`] that has none.
    pub fn handle_answer(&mut self, answer: Answer) {
        if !self.pending.answered() || !matches!(self.state, State::Opening) {
            return;
        }
        match answer {
            Answer::Opened { number, session, expires_in_s } => {
                self.state = State::Open(Session { id: session, number, participant: None });
                self.outputs.event(ModeratorEvent::Opened { number, expires_in_s });
            }
            Answer::Refused(refusal) => {
                self.state = State::Idle;
                self.outputs.event(ModeratorEvent::OpenRefused(refusal));
            }
            Answer::Joined { .. } | Answer::Done => {
                self.state = State::Idle;
                self.outputs.event(ModeratorEvent::OpenRefused(Refusal::NotAllowed));
            }
        }
    }

    /// Takes a notice of the server.
    pub fn handle_notice(&mut self, notice: Notice) {
        match notice {
            Notice::MemberJoined { member } => self.begin(member),
            Notice::MemberLeft { member, how } => {
                if self.participant().is_some_and(|p| p.id == member) {
                    self.forget(ParticipantGone::Departed(how));
                }
            }
            Notice::SessionEnded { why } => self.finish(why),
            Notice::PicturesDropped { .. } => self.refresh(),
        }
    }

    /// Takes a packet, header included.
    pub fn handle_packet(&mut self, packet: &[u8], now: Instant) {
        let Ok((header, payload)) = Header::parse(packet) else { return };
        let State::Open(session) = &mut self.state else { return };
        match session.participant.take() {
            Some(member) if member.id == header.source => {
                if header.class == Class::Handshake {
                    self.handle_handshake(member, payload);
                } else {
                    self.handle_sealed(member, &header, payload, now);
                }
            }
            other => session.participant = other,
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(connected) = self.connected_mut()
            && connected.still_here_at.is_some_and(|due| due <= now)
        {
            connected.still_here_at = Some(now + STILL_HERE_INTERVAL);
            let tick = connected.tick;
            self.control(&FromModerator::StillHere(tick));
        }
        if let Some(connected) = self.connected_mut()
            && connected.silent_at().is_some_and(|due| due <= now)
        {
            connected.is_silent = true;
            self.outputs.event(ModeratorEvent::Silent(true));
        }
    }

    /// Starts a handshake with a member, or sends it away if somebody else is there.
    fn begin(&mut self, member: MemberId) {
        let State::Open(session) = &self.state else { return };
        let context = Context { session: session.id, number: session.number, participant: member };
        let occupied = session.participant.is_some();
        if occupied || self.attempts >= MAX_ATTEMPTS {
            self.decline(member, Declined::Busy);
            return;
        }
        self.attempts += 1;
        let (state, hello) =
            ExpectJoinRequest::start(&context, &self.config.name, self.config.asks, &mut self.rng);
        self.set_participant(Member { id: member, stage: Stage::Request(state) });
        self.outputs.event(ModeratorEvent::Joining);
        self.send_handshake(member, hello);
    }

    fn handle_handshake(&mut self, member: Member, payload: &[u8]) {
        let id = member.id;
        let next = match member.stage {
            Stage::Request(state) => state.handle(payload).map(|(state, answer)| {
                self.send_handshake(id, answer);
                Stage::Proof(state)
            }),
            Stage::Proof(state) => state.handle(payload).map(|state| {
                let (code, name) = (state.code(), state.name().clone());
                self.outputs.event(ModeratorEvent::Compare { code, name });
                Stage::Compare(state)
            }),
            // The device may say no at any time; anything else is out of turn.
            Stage::Compare(_) | Stage::Consent { .. } => match HandshakeMessage::decode(payload) {
                Ok(HandshakeMessage::Declined(why)) => Err(HandshakeError::Declined(why)),
                _ => Err(HandshakeError::Unexpected),
            },
            // Nothing vouches for a handshake message: it cannot end a live session.
            connected @ Stage::Connected(_) => Ok(connected),
        };
        match next {
            Ok(stage) => self.set_participant(Member { id, stage }),
            Err(HandshakeError::Declined(why)) => {
                self.dismiss(id, ParticipantGone::Declined(why));
            }
            Err(error) => self.dismiss(id, ParticipantGone::Handshake(error)),
        }
    }

    fn handle_sealed(&mut self, member: Member, header: &Header, payload: &[u8], now: Instant) {
        let Member { id, mut stage } = member;
        let arrived = match &mut stage {
            Stage::Consent { channels, .. } => channels.open(header, payload),
            Stage::Connected(connected) => connected.channels.open(header, payload),
            Stage::Request(_) | Stage::Proof(_) | Stage::Compare(_) => Ok(Arrived::Nothing),
        };
        let gone = match (arrived, stage) {
            (Ok(Arrived::Nothing), stage) => {
                self.set_participant(Member { id, stage });
                return;
            }
            (Ok(Arrived::Control(bytes)), Stage::Consent { channels, name }) => {
                self.consented(id, *channels, name, &bytes, now)
            }
            (Ok(arrived), Stage::Connected(connected)) => {
                self.set_participant(Member { id, stage: Stage::Connected(connected) });
                self.arrived(arrived, now)
            }
            (Ok(_), _) => Some(ParticipantGone::Tampered(Tampered("a packet before its time"))),
            (Err(tampered), _) => Some(ParticipantGone::Tampered(tampered)),
        };
        if let Some(gone) = gone {
            self.dismiss(id, gone);
        }
    }

    fn consented(
        &mut self,
        id: MemberId,
        channels: Channels,
        name: Name,
        bytes: &[u8],
        now: Instant,
    ) -> Option<ParticipantGone> {
        let rights = match decode(bytes) {
            Ok(FromDevice::Consent(Consent::Granted(rights))) => rights,
            Ok(FromDevice::Consent(Consent::Refused)) => {
                return Some(ParticipantGone::Declined(Declined::Refused));
            }
            Ok(FromDevice::Consent(Consent::TimedOut)) => {
                return Some(ParticipantGone::Declined(Declined::TimedOut));
            }
            Ok(FromDevice::Consent(Consent::CannotAsk)) => {
                return Some(ParticipantGone::Declined(Declined::CannotAsk));
            }
            _ => return Some(ParticipantGone::Tampered(Tampered("no consent where it was due"))),
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
        self.set_participant(Member { id, stage: Stage::Connected(Box::new(connected)) });
        // The people at both ends have met: the next handshake starts counting anew.
        self.attempts = 0;
        self.outputs.event(ModeratorEvent::Connected { name, rights });
        None
    }

    fn arrived(&mut self, arrived: Arrived, now: Instant) -> Option<ParticipantGone> {
        if let Some(connected) = self.connected_mut() {
            connected.heard = now;
            if std::mem::take(&mut connected.is_silent) {
                self.outputs.event(ModeratorEvent::Silent(false));
            }
        }
        let bytes = match arrived {
            Arrived::Picture { update, after_gap } => {
                if after_gap {
                    self.refresh();
                }
                self.outputs.event(ModeratorEvent::Picture(update));
                return None;
            }
            Arrived::Control(bytes) => bytes,
            Arrived::Input(_) | Arrived::Nothing => return None,
        };
        match decode(&bytes) {
            Ok(FromDevice::Screen(report)) => {
                self.outputs.event(ModeratorEvent::Screen(report));
            }
            Ok(FromDevice::Tick(tick)) => {
                if let Some(connected) = self.connected_mut() {
                    connected.tick = connected.tick.max(tick);
                }
            }
            Ok(FromDevice::InputDropped(count)) => {
                self.outputs.event(ModeratorEvent::InputDropped(count));
            }
            Ok(FromDevice::CannotType(c)) => {
                self.outputs.event(ModeratorEvent::CannotType(c));
            }
            Ok(FromDevice::End(why)) => return Some(ParticipantGone::Ended(why)),
            Ok(FromDevice::Consent(_)) | Err(_) => {
                return Some(ParticipantGone::Tampered(Tampered("a message that is not due")));
            }
        }
        None
    }

    fn control(&mut self, message: &FromModerator) {
        if let Some(connected) = self.connected_mut() {
            let sealed = connected.channels.seal_control(message);
            self.send_sealed(Class::Control, sealed);
        }
    }

    fn send_sealed(&mut self, class: Class, sealed: Result<Vec<Vec<u8>>, SealError>) {
        match sealed {
            Ok(packets) => self.outputs.packets(class, packets),
            Err(error) => {
                log::warn!("session: {error}");
                if let Some(Member { id, .. }) = self.participant() {
                    let id = *id;
                    self.dismiss(id, ParticipantGone::KeysExhausted);
                }
            }
        }
    }

    fn send_handshake(&mut self, to: MemberId, message: Vec<u8>) {
        let packet = handshake_packet(MemberId::MODERATOR, to, &message);
        self.outputs.packets(Class::Handshake, vec![packet]);
    }

    fn decline(&mut self, member: MemberId, why: Declined) {
        self.send_handshake(member, HandshakeMessage::Declined(why).encode());
        self.request(Asked::Remove { member });
    }

    /// Sends a participant away and forgets it.
    fn dismiss(&mut self, member: MemberId, gone: ParticipantGone) {
        match gone {
            ParticipantGone::Handshake(_) | ParticipantGone::CodesDiffer => {
                self.decline(member, Declined::Failed);
            }
            _ => {
                self.request(Asked::Remove { member });
            }
        }
        self.forget(gone);
    }

    fn forget(&mut self, gone: ParticipantGone) {
        if let State::Open(session) = &mut self.state {
            session.participant = None;
        }
        self.outputs.event(ModeratorEvent::Gone(gone));
    }

    fn finish(&mut self, why: EndOfSession) {
        if !matches!(self.state, State::Ended) {
            self.state = State::Ended;
            self.outputs.event(ModeratorEvent::Ended(why));
        }
    }

    fn request(&mut self, what: Asked) {
        self.pending.asked(what == Asked::Open);
        self.outputs.request(what);
    }

    fn participant(&self) -> Option<&Member> {
        match &self.state {
            State::Open(session) => session.participant.as_ref(),
            _ => None,
        }
    }

    fn set_participant(&mut self, member: Member) {
        if let State::Open(session) = &mut self.state {
            session.participant = Some(member);
        }
    }

    fn connected(&self) -> Option<&Connected> {
        match self.participant() {
            Some(Member { stage: Stage::Connected(connected), .. }) => Some(connected),
            _ => None,
        }
    }

    fn connected_mut(&mut self) -> Option<&mut Connected> {
        match &mut self.state {
            State::Open(Session {
                participant: Some(Member { stage: Stage::Connected(connected), .. }),
                ..
            }) => Some(connected),
            _ => None,
        }
    }
}

#[cfg(test)]
impl Moderator {
    /// For tests of the device: a console that ignores what it was granted.
    pub(super) fn believe_in_all_rights(&mut self) {
        if let Some(connected) = self.connected_mut() {
            connected.rights = Rights::KNOWN;
        }
    }
}

/// A packet with a handshake message, which is not encrypted.
pub(super) fn handshake_packet(from: MemberId, to: MemberId, message: &[u8]) -> Vec<u8> {
    let header = Header {
        class: Class::Handshake,
        fragment: Fragment::WHOLE,
        source: from,
        destination: to,
        epoch: 0,
        instance: 0,
        // Handshake messages are bounded by their types, far below a packet.
        length: u32::try_from(message.len()).unwrap_or(u32::MAX),
        number: 0,
    };
    [&header.encode()[..], message].concat()
}
