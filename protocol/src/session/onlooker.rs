//! The side of a second console: it looks on, and may be given control of the device.

use std::time::Instant;

use rand_core::CryptoRngCore;

use super::joiner::{EndReason, Joiner, Progress};
use super::moderator::Inheritance;
use super::seat::{Brought, Seat};
use super::steering::Steering;
use super::tampered::Tampered;
use super::{Output, Outputs, Roster};
use crate::SessionNumber;
use crate::handshake::participant::Standing;
use crate::handshake::{Code, Context, Declined, JoinKey, Password};
use crate::header::{Class, Header, MemberId};
use crate::keys::PairKey;
use crate::message::{
    Consent, DeviceEnd, FromMember, FromModerator, InputEvent, Name, Rights, Role,
};
use crate::tunnel::{Answer, Asked, Departure, EndOfSession, Notice};

/// What the onlooker's program must know.
#[derive(Debug)]
#[non_exhaustive]
pub enum OnlookerEvent {
    /// The server let this side in; the moderator's console answers by itself.
    Joined,
    /// The session's password is to be typed; answer with [`Onlooker::enter_password`], or end.
    AskPassword,
    /// The people must compare this code; answer with [`Onlooker::confirm_code`] or
    /// [`Onlooker::end`].
    Compare {
        /// What the moderator calls himself. Nobody has checked it.
        name: Name,
        /// The six digits.
        code: Code,
    },
    /// The moderator has let this side in.
    Connected,
    /// Who is in the session has changed.
    Members(Box<Roster>),
    /// An update of the picture, for the codec's decoder. If it cannot be used, call
    /// [`Onlooker::refresh`].
    Picture(Vec<u8>),
    /// This side may control the device from now on, or may not any more.
    Control(bool),
    /// Somebody at the device uses it: inputs are not carried out for a moment.
    Paused(bool),
    /// So many inputs were not carried out.
    InputDropped(u16),
    /// Nothing comes from the device that is controlled, or something does again.
    Silent(bool),
    /// Somebody else was shown another list of members: the moderator or the server lies.
    RostersDiffer,
    /// The link to the moderator is broken (`true`), or is there again.
    Away(bool),
    /// The moderator is gone or has handed over, and this side is the deputy: go on with
    /// [`crate::session::Moderator::inherit`]. This value is of no use any more.
    TakeOver(Box<Inheritance>),
    /// It is over.
    Ended(EndReason),
}

/// The side of a second console.
///
/// See [`crate::session`] for how it is driven.
pub struct Onlooker {
    rng: Box<dyn CryptoRngCore + Send>,
    joiner: Joiner,
    number: Option<SessionNumber>,
    live: Option<Box<Live>>,
    outputs: Outputs<OnlookerEvent>,
    clock: Option<Instant>,
}

/// An onlooker that is inside.
struct Live {
    seat: Seat,
    steering: Option<Steering>,
    deputy_keys: std::collections::BTreeMap<MemberId, PairKey>,
    is_paused: bool,
}

impl std::fmt::Debug for Onlooker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Onlooker").field("name", self.joiner.name()).finish_non_exhaustive()
    }
}

impl Onlooker {
    /// An onlooker that is in no session.
    pub fn new(name: Name, rng: Box<dyn CryptoRngCore + Send>) -> Self {
        let joiner = Joiner::new(name, Role::Onlooker);
        Self { rng, joiner, number: None, live: None, outputs: Outputs::new(), clock: None }
    }

    /// The moderator that has handed over looks on.
    pub(super) fn retired(
        name: Name,
        rng: Box<dyn CryptoRngCore + Send>,
        number: SessionNumber,
        seat: Seat,
    ) -> Self {
        let deputy_keys = std::collections::BTreeMap::new();
        let live = Live { seat, steering: None, deputy_keys, is_paused: false };
        let live = Some(Box::new(live));
        let joiner = Joiner::new(name, Role::Onlooker);
        Self { rng, joiner, number: Some(number), live, outputs: Outputs::new(), clock: None }
    }

    /// What must leave; drain it after each call.
    pub fn poll_output(&mut self) -> Option<Output<OnlookerEvent>> {
        self.outputs.pop()
    }

    /// When [`Onlooker::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let live = self.live.as_ref()?;
        let steering = live.steering.as_ref().and_then(Steering::due);
        live.seat.pair.due().into_iter().chain(steering).min()
    }

    /// Whether it is in a session or on its way into one.
    pub fn is_busy(&self) -> bool {
        self.live.is_some() || self.joiner.is_busy()
    }

    /// Joins the session with this number; `key` is used for this join alone. Nothing happens
    /// while another session goes on.
    pub fn join(&mut self, number: SessionNumber, key: JoinKey) {
        if !self.is_busy() {
            self.number = Some(number);
            self.joiner.join(number, key, &mut self.outputs);
        }
    }

    /// The person here has typed the session's password. Nothing happens if it is not due.
    pub fn enter_password(&mut self, password: &Password) {
        self.joiner.enter_password(password, &mut self.rng, &mut self.outputs);
    }

    /// The person here says that both codes are the same.
    pub fn confirm_code(&mut self, now: Instant) {
        self.clock = Some(now);
        self.accept();
    }

    fn accept(&mut self) {
        let consent = Consent::Granted(Rights::NONE);
        let progress = self.joiner.decide(consent, &mut self.rng, &mut self.outputs);
        self.progress(progress);
    }

    /// Something of the picture was lost; the next one must be complete.
    pub fn refresh(&mut self) {
        self.say(&FromMember::Refresh);
    }

    /// Asks the moderator for control of the device.
    pub fn ask_control(&mut self) {
        self.say(&FromMember::AskControl);
    }

    /// Sends an input to the device; whether it was taken.
    pub fn input(&mut self, event: InputEvent, now: Instant) -> bool {
        self.clock = Some(now);
        let Some(live) = &mut self.live else { return false };
        let is_way_free = !live.is_paused;
        let Some(steering) = &mut live.steering else { return false };
        match steering.input(event, is_way_free, now) {
            Ok(Some(packets)) => {
                self.outputs.sealed(packets);
                true
            }
            Ok(None) => false,
            Err(error) => {
                log::warn!("session: {error}");
                live.steering = None;
                self.outputs.event(OnlookerEvent::Control(false));
                false
            }
        }
    }

    /// Leaves the session.
    pub fn end(&mut self) {
        if self.is_busy() {
            self.say(&FromMember::End(DeviceEnd::Stopped));
            if self.is_busy() {
                self.leave(EndReason::Here(DeviceEnd::Stopped));
            }
        }
    }

    /// The link broke; see [`crate::session::Participant::pause`].
    pub fn pause(&mut self, now: Instant) {
        self.clock = Some(now);
        self.joiner.forget_requests();
        match &mut self.live {
            Some(live) => {
                self.outputs.pause();
                live.is_paused = true;
                if let Some(steering) = &mut live.steering {
                    steering.pause();
                }
            }
            None if self.joiner.is_busy() => {
                self.joiner.forget();
                let why = EndReason::Server(EndOfSession::ModeratorLost);
                self.outputs.event(OnlookerEvent::Ended(why));
            }
            None => {}
        }
    }

    /// The link is back; see [`crate::session::Participant::resume`].
    pub fn resume(&mut self, now: Instant) {
        self.clock = Some(now);
        self.outputs.resume();
        if let Some(live) = &mut self.live {
            live.is_paused = false;
            let mut packets = live.seat.pair.again(now);
            packets.extend(live.steering.as_mut().map(|s| s.resume(now)).unwrap_or_default());
            self.outputs.sealed(packets);
            self.refresh();
        }
    }

    /// Takes the server's answer to the oldest [`Output::Request`] that has none.
    pub fn handle_answer(&mut self, answer: Answer) {
        match self.joiner.handle_answer(answer) {
            Progress::Joined => self.outputs.event(OnlookerEvent::Joined),
            Progress::Ended(why) => self.outputs.event(OnlookerEvent::Ended(why)),
            _ => {}
        }
    }

    /// Takes a notice of the server.
    pub fn handle_notice(&mut self, notice: &Notice, now: Instant) {
        self.clock = Some(now);
        if !self.is_busy() {
            return;
        }
        let moderator =
            self.live.as_ref().map_or_else(|| self.joiner.moderator(), |live| live.seat.moderator);
        match *notice {
            Notice::SessionEnded { why } => self.finish(EndReason::Server(why)),
            Notice::MemberLeft { member, how } if member == moderator => {
                self.finish(EndReason::Server(match how {
                    Departure::Left => EndOfSession::Ended,
                    _ => EndOfSession::ModeratorLost,
                }));
            }
            Notice::MemberAway { member } if member == moderator => {
                self.outputs.event(OnlookerEvent::Away(true));
            }
            Notice::MemberBack { member } if member == moderator => {
                if let Some(live) = &mut self.live {
                    let packets = live.seat.pair.again(now);
                    self.outputs.sealed(packets);
                }
                self.outputs.event(OnlookerEvent::Away(false));
            }
            Notice::ModeratorIs { member } if member != moderator => self.moderator_is(member),
            Notice::PicturesDropped { .. } => self.refresh(),
            Notice::MemberAway { .. }
            | Notice::MemberBack { .. }
            | Notice::MemberJoined { .. }
            | Notice::MemberLeft { .. }
            | Notice::ModeratorIs { .. } => {}
        }
    }

    /// Takes a packet, header included.
    pub fn handle_packet(&mut self, packet: &[u8], now: Instant) {
        self.clock = Some(now);
        let Ok((header, payload)) = Header::parse(packet) else { return };
        if self.live.is_none() {
            let (rng, outputs) = (&mut self.rng, &mut self.outputs);
            let progress = self.joiner.handle_packet(&header, payload, rng, outputs);
            self.progress(progress);
            return;
        }
        // Nothing vouches for a handshake message: it cannot end a live session.
        if header.class != Class::Handshake
            && let Err(tampered) = self.handle_sealed(&header, payload, now)
        {
            self.leave(EndReason::Tampered(tampered));
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.clock = Some(now);
        let Some(live) = &mut self.live else { return };
        let mut packets = live.seat.pair.handle_timeout(now);
        if let Some(steering) = &mut live.steering {
            let (falls_silent, more) = steering.handle_timeout(now);
            packets.extend(more);
            if falls_silent {
                self.outputs.event(OnlookerEvent::Silent(true));
            }
        }
        self.outputs.sealed(packets);
    }

    fn handle_sealed(
        &mut self,
        header: &Header,
        payload: &[u8],
        now: Instant,
    ) -> Result<(), Tampered> {
        let Some(live) = &mut self.live else { return Ok(()) };
        if header.destination != live.seat.me && header.destination != MemberId::ALL {
            return Ok(());
        }
        if header.stream != 0 {
            let Some(steering) = live.steering.as_mut().filter(|s| s.is_for(header)) else {
                return Ok(());
            };
            let (news, packets) = steering.open(header, payload, now)?;
            self.outputs.sealed(packets);
            if news.dropped > 0 {
                self.outputs.event(OnlookerEvent::InputDropped(news.dropped));
            }
            if let Some(paused) = news.paused {
                self.outputs.event(OnlookerEvent::Paused(paused));
            }
            if news.is_back {
                self.outputs.event(OnlookerEvent::Silent(false));
            }
            return Ok(());
        }
        match live.seat.open(header, payload, now)? {
            Brought::Again(packets) => self.outputs.sealed(packets),
            Brought::Turned { sent } => {
                self.outputs.sealed(sent);
                let roster = Box::new(live.seat.roster.clone());
                self.outputs.event(OnlookerEvent::Members(roster));
            }
            Brought::Message(message) => return self.told(message, now),
            Brought::Picture { device, update, after_gap } => {
                // Of several devices the first is shown.
                if live.seat.roster.devices().next().is_some_and(|first| first.member == device) {
                    self.outputs.event(OnlookerEvent::Picture(update));
                    if after_gap {
                        self.refresh();
                    }
                }
            }
            Brought::RostersDiffer(roster) => {
                self.outputs.event(OnlookerEvent::RostersDiffer);
                self.say(&FromMember::RostersDiffer { roster });
            }
        }
        Ok(())
    }

    fn told(&mut self, message: FromModerator, now: Instant) -> Result<(), Tampered> {
        let Some(live) = &mut self.live else { return Ok(()) };
        match message {
            FromModerator::End => self.leave(EndReason::Moderator),
            FromModerator::Grant(grant) => {
                if grant.controller != live.seat.me {
                    return Err(Tampered("control that is somebody else's"));
                }
                live.steering = Some(Steering::new(live.seat.session, &grant, live.seat.me, now));
                self.outputs.event(OnlookerEvent::Control(true));
            }
            FromModerator::Revoke { grant } => {
                if live.steering.as_ref().is_some_and(|steering| steering.number() == grant) {
                    live.steering = None;
                    self.outputs.event(OnlookerEvent::Control(false));
                }
            }
            FromModerator::DeputyKey { member, key } => {
                if live.deputy_keys.len() < super::MAX_MEMBERS {
                    live.deputy_keys.insert(member, PairKey::from_bytes(key.0));
                }
            }
            // For devices.
            FromModerator::Watch(_)
            | FromModerator::PictureShown(_)
            | FromModerator::Refresh
            | FromModerator::Show(_)
            | FromModerator::Limit(_)
            | FromModerator::Turn(_) => {}
        }
        Ok(())
    }

    fn progress(&mut self, progress: Progress) {
        match progress {
            Progress::AskPassword => self.outputs.event(OnlookerEvent::AskPassword),
            // An onlooker has no certificate of a device.
            Progress::Identify(_) => self.leave(EndReason::Declined(Declined::Failed)),
            Progress::Ask(question) => {
                if let Standing::Compare(code) = question.standing {
                    let name = question.name;
                    self.outputs.event(OnlookerEvent::Compare { name, code });
                } else {
                    // The password has said it all; there is nobody here to be asked for consent.
                    self.accept();
                }
            }
            Progress::Keys { context, keys, granted, .. } => {
                self.enter(&context, &keys, granted);
            }
            Progress::Ended(why) => self.leave(why),
            Progress::Nothing | Progress::Joined => {}
        }
    }

    fn enter(
        &mut self,
        context: &Context,
        keys: &crate::handshake::participant::Keys,
        granted: Rights,
    ) {
        let seat = Seat::new(context, self.joiner.moderator(), keys, &mut self.rng);
        let entered = FromMember::Entered { granted, key: seat.identity() };
        let deputy_keys = std::collections::BTreeMap::new();
        let live = Live { seat, steering: None, deputy_keys, is_paused: false };
        self.live = Some(Box::new(live));
        self.say(&entered);
        self.outputs.event(OnlookerEvent::Connected);
    }

    /// The server says that somebody else moderates; the list of members must have said before
    /// who that may be.
    fn moderator_is(&mut self, member: MemberId) {
        let Some(live) = &mut self.live else { return };
        if member == live.seat.me && live.seat.roster.deputy() == Some(member) {
            let (Some(live), Some(number)) = (self.live.take(), self.number) else { return };
            let Live { seat, deputy_keys, .. } = *live;
            let inheritance = Inheritance { number, seat, pair_keys: deputy_keys };
            self.outputs.event(OnlookerEvent::TakeOver(Box::new(inheritance)));
            return;
        }
        if live.seat.follow(member) {
            if live.steering.take().is_some() {
                self.outputs.event(OnlookerEvent::Control(false));
            }
        } else {
            // Or it was named while this side was away, which comes to the same.
            let why = EndReason::Server(EndOfSession::ModeratorLost);
            self.leave(why);
        }
    }

    fn say(&mut self, message: &FromMember) {
        let Some(live) = &mut self.live else { return };
        match live.seat.seal(message, self.clock) {
            Ok(packets) => self.outputs.sealed(packets),
            Err(error) => {
                log::warn!("session: {error}");
                self.leave(EndReason::Unreachable);
            }
        }
    }

    fn leave(&mut self, why: EndReason) {
        self.joiner.request(Asked::Leave, &mut self.outputs);
        self.finish(why);
    }

    fn finish(&mut self, why: EndReason) {
        self.live = None;
        self.joiner.forget();
        self.outputs.event(OnlookerEvent::Ended(why));
    }
}
