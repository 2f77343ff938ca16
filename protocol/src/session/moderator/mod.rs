//! The console's side of a session.

mod admission;
mod arrows;
mod continuity;
mod events;
mod members;
mod restart;
mod rotation;
mod steering;

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use ed25519_dalek::SigningKey;
use rand_core::CryptoRngCore;

pub use continuity::Inheritance;
pub use events::{ModeratorConfig, ModeratorEvent, ParticipantGone, WallClock};
pub use restart::RETURN_WITHIN;

use self::arrows::Arrows;
use self::members::{Connected, Member, Members};
use self::restart::Returning;
use super::group::Group;
use super::lacks::Lacks;
use super::pair::Packets;
use super::steering::Steering;
use super::{Output, Outputs, Roster, handshake_packet};
use crate::SessionNumber;
use crate::handshake::{Declined, HandshakeMessage};
use crate::header::{Class, Header, MemberId};
use crate::keys::GroupKey;
use crate::message::{Entry, FromModerator, Rights, Role};
use crate::packet::SealError;
use crate::tunnel::{Answer, Asked, Departure, EndOfSession, Notice, Refusal, SessionId};

#[expect(clippy::large_enum_variant, reason = "there is one, and it is moved a handful of times")]
enum State {
    Idle,
    Opening,
    Open(Session),
    Ended,
}

/// Requests without an answer at a time: a link takes [`crate::link::MAX_PENDING_REQUESTS`].
const MAX_ASKED: usize = 4;

/// Requests that wait for that at most; far more than there are members.
const MAX_BACKLOG: usize = 1024;

/// A session that is open.
struct Session {
    id: SessionId,
    number: SessionNumber,
    /// Who this side is; not always the one who opened it.
    me: MemberId,
    instance: u16,
    next_instance: u16,
    members: Members,
    /// The device whose pictures are watched and that is steered.
    focus: Option<MemberId>,
    group: Group,
    roster: Roster,
    signer: SigningKey,
    /// The device that is controlled from here.
    steering: Option<Steering>,
    /// Who points at the device that is seen.
    arrows: Arrows,
    /// The number of the grant under which each device is controlled.
    grants: BTreeMap<MemberId, u16>,
    /// Who is gone, and the epoch of which they know nothing, once it has begun.
    departing: Vec<(MemberId, Option<u16>)>,
    /// Somebody is gone: another epoch is due.
    fresh_at: Option<Instant>,
    /// The device is to send what was lost, for all who lack something.
    refresh_at: Option<Instant>,
    /// What somebody lacks was told after the picture of this number.
    refresh_after: u32,
    /// What is lacking here.
    lacks: Lacks,
    refreshed: Option<Instant>,
    is_locked: bool,
    is_handing_over: bool,
    /// A device that may come back after a restart.
    returning: Option<Box<Returning>>,
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
    /// Requests that wait for their answers. The server answers each once, in order.
    pending: VecDeque<Asked>,
    /// What is to be asked when some of that was answered.
    backlog: VecDeque<Asked>,
    /// The latest instant that was told.
    clock: Option<Instant>,
}

impl std::fmt::Debug for Moderator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Moderator").field("attempts", &self.attempts).finish_non_exhaustive()
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
            pending: VecDeque::new(),
            backlog: VecDeque::new(),
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
        let silent = self.focused().and_then(Connected::silent_at);
        let steering = session.steering.as_ref().and_then(Steering::due);
        let (members, arrows, back) =
            (session.members.due(), session.arrows.due(), self.return_due());
        let due = [silent, steering, members, arrows, back, session.fresh_at, session.refresh_at];
        due.into_iter().flatten().min()
    }

    /// Who this side is in its session.
    pub fn member(&self) -> Option<MemberId> {
        self.session().map(|session| session.me)
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
        let asked = self.pending.pop_front();
        if let Some(next) = self.backlog.pop_front() {
            self.ask(next);
        }
        match (asked, &self.state) {
            (Some(Asked::Open), State::Opening) => self.answered(answer),
            // There is nobody there any more: whoever moderated before may have heard of it.
            (Some(Asked::Seat { member, .. }), _) if matches!(answer, Answer::Refused(_)) => {
                self.forget(member, ParticipantGone::Departed(Departure::Lost));
            }
            _ => {}
        }
    }

    /// Whether the session is open.
    fn answered(&mut self, answer: Answer) {
        match answer {
            Answer::Opened { number, session, expires_in_s, .. } => {
                self.opened(session, number);
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

    fn opened(&mut self, id: SessionId, number: SessionNumber) {
        let mut secret = zeroize::Zeroizing::new([0; 32]);
        self.rng.fill_bytes(secret.as_mut());
        let signer = SigningKey::from_bytes(&secret);
        let me = MemberId::MODERATOR;
        let mut roster = Roster::new(id, me);
        let entry = Entry {
            member: me,
            instance: 0,
            role: Role::Onlooker,
            name: self.config.name.clone(),
            level: None,
            rights: Rights::NONE,
            controller: None,
            key: signer.verifying_key().to_bytes(),
        };
        roster.sign(&signer, |draft| draft.put(entry));
        self.state = State::Open(Session {
            id,
            number,
            me,
            instance: 0,
            next_instance: 1,
            members: Members::default(),
            focus: None,
            group: Group::new(id, 0, GroupKey::random(&mut self.rng)),
            roster,
            signer,
            steering: None,
            arrows: Arrows::default(),
            grants: BTreeMap::new(),
            departing: Vec::new(),
            fresh_at: None,
            refresh_at: None,
            refresh_after: u32::MAX,
            lacks: Lacks::default(),
            refreshed: None,
            is_locked: false,
            is_handing_over: false,
            returning: None,
        });
    }

    /// Takes a notice of the server.
    pub fn handle_notice(&mut self, notice: Notice, now: Instant) {
        self.clock = Some(now);
        match notice {
            Notice::MemberJoined { member } => self.knock(member),
            Notice::MemberLeft { member, how } => {
                self.forget(member, ParticipantGone::Departed(how));
            }
            Notice::MemberAway { member } => self.member_away(member),
            Notice::MemberBack { member } => self.member_back(member, now),
            Notice::ModeratorIs { member, .. } => self.moderator_is(member),
            Notice::SessionEnded { why } => self.finish(why),
            // For the link.
            Notice::Token { .. } => {}
            Notice::PicturesDropped { source } => {
                if self.focus() == Some(source) {
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
        if header.destination != session.me && header.destination != MemberId::ALL {
            return;
        }
        if header.class != Class::Handshake {
            self.handle_sealed(&header, payload, now);
        } else if let Some(member) = session.members.take(header.source) {
            self.handle_handshake(header.source, member, payload, now);
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.clock = Some(now);
        while let Some(late) = self.session().and_then(|session| session.members.overdue(now)) {
            self.dismiss(late, ParticipantGone::Late);
        }
        self.give_up_return(now);
        self.rotate(now);
        self.pass_arrows(now);
        self.watch_over(now);
    }

    /// Says something to a member that is inside.
    fn control(&mut self, to: MemberId, message: &FromModerator) {
        let now = self.clock;
        let Some(connected) = self.connected_mut(to) else { return };
        match connected.pair.seal(message, now) {
            Ok(packets) => self.send(packets),
            Err(SealError::TooLong(bytes)) => {
                log::error!("session: a message of {bytes} bytes was not sent");
            }
            Err(error) => {
                log::warn!("session: member {}: {error}", to.0);
                self.dismiss(to, ParticipantGone::Unreachable);
            }
        }
    }

    fn send(&mut self, packets: Packets) {
        self.outputs.sealed(packets);
    }

    fn send_handshake(&mut self, to: MemberId, message: &[u8]) {
        let me = self.session().map_or(MemberId::MODERATOR, |session| session.me);
        let packet = handshake_packet(me, to, message);
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
        self.gone(member, &gone, why);
    }

    /// A member is not in the table any more.
    fn gone(&mut self, member: MemberId, gone: &Member, why: ParticipantGone) {
        let why = self.as_it_goes(member, why);
        let State::Open(session) = &mut self.state else { return };
        let was_focus = session.focus == Some(member);
        if was_focus {
            session.focus = session.members.first_device();
            session.lacks = Lacks::default();
        }
        let had_keys = gone.has_keys();
        self.outputs.event(ModeratorEvent::Gone { member, role: gone.role, why });
        if had_keys {
            self.depart(member);
        }
        if was_focus && let Some(next) = self.focus() {
            self.begin_presenting(next);
        }
        self.admit_waiting();
    }

    fn finish(&mut self, why: EndOfSession) {
        if !matches!(self.state, State::Ended) {
            self.state = State::Ended;
            self.outputs.event(ModeratorEvent::Ended(why));
        }
    }

    /// Asks the server for something, as soon as it has answered enough of what was asked
    /// before. Leaving does not wait.
    fn request(&mut self, what: Asked) {
        if self.pending.len() < MAX_ASKED || what == Asked::Leave {
            self.ask(what);
        } else if self.backlog.len() < MAX_BACKLOG {
            self.backlog.push_back(what);
        }
    }

    fn ask(&mut self, what: Asked) {
        self.pending.push_back(what.clone());
        self.outputs.request(what);
    }

    fn session(&self) -> Option<&Session> {
        match &self.state {
            State::Open(session) => Some(session),
            _ => None,
        }
    }

    /// Those who are inside.
    fn inside(&self) -> Vec<MemberId> {
        let session = self.session();
        session.map(|s| s.members.inside().map(|(id, ..)| id).collect()).unwrap_or_default()
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
    /// For tests of the others: whatever may come over the channel of a pair.
    pub(super) fn say_for_tests(&mut self, to: MemberId, message: &FromModerator) {
        self.control(to, message);
    }

    pub(super) fn list_for_tests(&self) -> Roster {
        self.session().unwrap().roster.clone()
    }

    /// For tests of the others: one member is shown a list of its own, properly signed.
    pub(super) fn fork_list_for_tests(&mut self, victim: MemberId) {
        use crate::message::{NewSecret, Turn};
        let State::Open(session) = &mut self.state else { return };
        let honest = session.roster.clone();
        let lie = session.roster.sign(&session.signer, |draft| {
            draft.edit(MemberId::MODERATOR, |entry| entry.name = "Nobody".try_into().unwrap());
        });
        session.roster = honest;
        let truth = session.roster.sign(&session.signer, |_| {});
        let epoch = session.group.epoch();
        for member in self.inside() {
            let roster = if member == victim { lie.clone() } else { truth.clone() };
            let turn = Turn { epoch, secret: NewSecret::Same, roster };
            self.control(member, &FromModerator::Turn(turn));
        }
    }

    /// For tests of the device: a console that ignores what it was granted.
    pub(super) fn believe_in_all_rights(&mut self) {
        let State::Open(session) = &mut self.state else { return };
        let Some(focus) = session.focus else { return };
        let me = session.me;
        if let Some(connected) = session.members.connected_mut(focus) {
            connected.rights = Rights::KNOWN;
        }
        self.give_control(focus, me);
    }
}
