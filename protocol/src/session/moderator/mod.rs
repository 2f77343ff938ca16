//! The console's side of a session.

mod admission;
mod events;
mod members;
mod steering;

use std::time::Instant;

use rand_core::CryptoRngCore;

pub use events::{ModeratorConfig, ModeratorEvent, ParticipantGone, WallClock};

use self::members::{Connected, Member, Members};
use super::{Output, Outputs, Pending, handshake_packet};
use crate::SessionNumber;
use crate::handshake::{Declined, HandshakeMessage};
use crate::header::{Class, Header, MemberId};
use crate::message::{FromModerator, Role};
use crate::packet::SealError;
use crate::tunnel::{Answer, Asked, Departure, EndOfSession, Notice, Refusal, SessionId};

enum State {
    Idle,
    Opening,
    Open(Session),
    Ended,
}

/// A session that is open.
struct Session {
    id: SessionId,
    number: SessionNumber,
    members: Members,
    /// The device whose pictures are watched and that is steered.
    focus: Option<MemberId>,
}

/// The console's side of a session: opens it, lets members in, steers a device.
///
/// See [`crate::session`] for how it is driven.
pub struct Moderator {
    config: ModeratorConfig,
    rng: Box<dyn CryptoRngCore + Send>,
    state: State,
    outputs: Outputs<ModeratorEvent>,
    /// Comparisons that were begun since the last that led to a session.
    attempts: u8,
    /// Runs by password that failed under this number.
    failed_passwords: u8,
    joins: u16,
    pending: Pending,
    /// The latest instant that was told.
    clock: Option<Instant>,
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
            failed_passwords: 0,
            joins: 0,
            pending: Pending::default(),
            clock: None,
        }
    }

    /// What must leave; drain it after each call.
    pub fn poll_output(&mut self) -> Option<Output<ModeratorEvent>> {
        self.outputs.pop()
    }

    /// When [`Moderator::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let State::Open(session) = &self.state else { return None };
        let steering = self.focused().and_then(|connected| {
            connected.still_here_at.into_iter().chain(connected.silent_at()).min()
        });
        steering.into_iter().chain(session.members.deadline()).min()
    }

    /// Asks the server for a session.
    pub fn open(&mut self) {
        if matches!(self.state, State::Idle) {
            self.request(Asked::Open);
            self.state = State::Opening;
        }
    }

    /// Ends the session.
    pub fn end(&mut self) {
        for member in self.inside() {
            self.control(member, &FromModerator::End);
        }
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
            Answer::Opened { number, session, expires_in_s, .. } => {
                let members = Members::default();
                self.state = State::Open(Session { id: session, number, members, focus: None });
                self.outputs.event(ModeratorEvent::Opened { number, expires_in_s });
            }
            Answer::Refused(refusal) => {
                self.state = State::Idle;
                self.outputs.event(ModeratorEvent::OpenRefused(refusal));
            }
            Answer::Joined { .. } | Answer::Done | Answer::Resumed => {
                self.state = State::Idle;
                self.outputs.event(ModeratorEvent::OpenRefused(Refusal::NotAllowed));
            }
        }
    }

    /// Takes a notice of the server.
    pub fn handle_notice(&mut self, notice: Notice, now: Instant) {
        self.clock = Some(now);
        match notice {
            Notice::MemberJoined { member } => self.knock(member, now),
            Notice::MemberLeft { member, how } => {
                self.forget(member, ParticipantGone::Departed(how));
            }
            // Nobody waits for one that is away yet.
            Notice::MemberAway { member } => {
                self.dismiss(member, ParticipantGone::Departed(Departure::Lost));
            }
            Notice::MemberBack { .. } => {}
            Notice::SessionEnded { why } => self.finish(why),
            Notice::PicturesDropped { source } => {
                if self.session().is_some_and(|session| session.focus == Some(source)) {
                    self.refresh();
                }
            }
        }
    }

    /// Takes a packet, header included.
    pub fn handle_packet(&mut self, packet: &[u8], now: Instant) {
        self.clock = Some(now);
        let Ok((header, payload)) = Header::parse(packet) else { return };
        let State::Open(session) = &mut self.state else { return };
        let Some(member) = session.members.take(header.source) else { return };
        if header.class == Class::Handshake {
            self.handle_handshake(header.source, member, payload, now);
        } else {
            self.handle_sealed(member, &header, payload, now);
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.clock = Some(now);
        while let Some(late) = self.session().and_then(|session| session.members.overdue(now)) {
            self.dismiss(late, ParticipantGone::Late);
        }
        self.watch_over(now);
    }

    fn control(&mut self, to: MemberId, message: &FromModerator) {
        if let Some(connected) = self.connected_mut(to) {
            let sealed = connected.channels.seal_control(message);
            self.send_sealed(to, Class::Control, sealed);
        }
    }

    fn send_sealed(&mut self, to: MemberId, class: Class, sealed: Result<Vec<Vec<u8>>, SealError>) {
        match sealed {
            Ok(packets) => self.outputs.packets(class, packets),
            Err(error) => {
                log::warn!("session: {error}");
                self.dismiss(to, ParticipantGone::KeysExhausted);
            }
        }
    }

    fn send_handshake(&mut self, to: MemberId, message: &[u8]) {
        let packet = handshake_packet(MemberId::MODERATOR, to, message);
        self.outputs.packets(Class::Handshake, vec![packet]);
    }

    fn decline(&mut self, member: MemberId, why: Declined) {
        self.send_handshake(member, &HandshakeMessage::Declined(why).encode());
        self.request(Asked::Remove { member });
    }

    /// Sends a member away and forgets it.
    fn dismiss(&mut self, member: MemberId, gone: ParticipantGone) {
        match gone {
            ParticipantGone::Handshake(_) | ParticipantGone::CodesDiffer => {
                self.decline(member, Declined::Failed);
            }
            ParticipantGone::Refused => self.decline(member, Declined::Refused),
            _ => self.request(Asked::Remove { member }),
        }
        self.forget(member, gone);
    }

    fn forget(&mut self, member: MemberId, why: ParticipantGone) {
        let State::Open(session) = &mut self.state else { return };
        let Some(gone) = session.members.take(member) else { return };
        if gone.stage.is_password_run() {
            self.password_failed();
        }
        self.gone(member, gone.role, why);
    }

    /// A member is not in the table any more.
    fn gone(&mut self, member: MemberId, role: Role, why: ParticipantGone) {
        if let State::Open(session) = &mut self.state
            && session.focus == Some(member)
        {
            session.focus = session.members.first_device();
        }
        self.outputs.event(ModeratorEvent::Gone { member, role, why });
        self.admit_waiting();
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

    fn session(&self) -> Option<&Session> {
        match &self.state {
            State::Open(session) => Some(session),
            _ => None,
        }
    }

    /// Those who have their keys.
    fn inside(&self) -> Vec<MemberId> {
        self.session().map(|session| session.members.inside().collect()).unwrap_or_default()
    }

    fn put(&mut self, id: MemberId, member: Member) {
        if let State::Open(session) = &mut self.state {
            session.members.put(id, member);
        }
    }

    fn connected_mut(&mut self, id: MemberId) -> Option<&mut Connected> {
        match &mut self.state {
            State::Open(session) => session.members.connected_mut(id),
            _ => None,
        }
    }

    fn focus(&self) -> Option<MemberId> {
        self.session().and_then(|session| session.focus)
    }

    fn focused(&self) -> Option<&Connected> {
        let session = self.session()?;
        session.members.connected(session.focus?)
    }
}

#[cfg(test)]
impl Moderator {
    /// For tests of the device: a console that ignores what it was granted.
    pub(super) fn believe_in_all_rights(&mut self) {
        if let Some(focus) = self.focus()
            && let Some(connected) = self.connected_mut(focus)
        {
            connected.rights = crate::message::Rights::KNOWN;
        }
    }
}
