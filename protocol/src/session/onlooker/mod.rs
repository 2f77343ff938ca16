//! The side of a second console: it looks on, and may be given control of the device.

mod events;
mod pointing;

use std::sync::Arc;
use std::time::Instant;

use rand_core::CryptoRngCore;

pub use events::OnlookerEvent;

use self::pointing::Arrows;
use super::joiner::{EndReason, Joiner, Progress, Word, meaning};
use super::joining::Question;
use super::lacks::Lacks;
use super::moderator::{Inheritance, WallClock};
use super::seat::{Brought, Seat};
use super::steering::Steering;
use super::tampered::Tampered;
use super::{Output, Outputs};
use crate::SessionNumber;
use crate::certificate::{Pass, identify_fellow};
use crate::handshake::participant::{Standing, Unverified};
use crate::handshake::{Context, Declined, HandshakeError, JoinKey, Level, Password};
use crate::header::{Class, Header, MemberId};
use crate::keys::PairKey;
use crate::message::{
    Consent, DeviceEnd, FromMember, FromModerator, InputEvent, Name, Rights, Role,
};
use crate::tunnel::{Answer, Asked, EndOfSession, Notice};

/// The side of a second console.
///
/// See [`crate::session`] for how it is driven.
pub struct Onlooker {
    rng: Box<dyn CryptoRngCore + Send>,
    joiner: Joiner,
    /// The technician's identity, for sessions of others of the same operator.
    pass: Option<(Arc<Pass>, WallClock)>,
    number: Option<SessionNumber>,
    live: Option<Box<Live>>,
    outputs: Outputs<OnlookerEvent>,
    clock: Option<Instant>,
}

/// An onlooker that is inside.
struct Live {
    seat: Seat,
    steering: Option<Steering>,
    arrows: Arrows,
    deputy_keys: std::collections::BTreeMap<MemberId, PairKey>,
    is_paused: bool,
    /// The moderator's link is broken.
    is_away: bool,
    lacks: Lacks,
}

impl Live {
    fn new(seat: Seat) -> Box<Self> {
        Box::new(Self {
            seat,
            steering: None,
            arrows: Arrows::default(),
            deputy_keys: std::collections::BTreeMap::new(),
            is_paused: false,
            is_away: false,
            lacks: Lacks::default(),
        })
    }
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
        let outputs = Outputs::new();
        Self { rng, joiner, pass: None, number: None, live: None, outputs, clock: None }
    }

    /// From the next join on it takes part in certificates of this pass's operator, and prefers
    /// them.
    pub fn set_pass(&mut self, pass: Arc<Pass>, clock: WallClock) {
        self.joiner.set_operator(Some(pass.root));
        self.pass = Some((pass, clock));
    }

    /// The moderator that has handed over looks on.
    pub(super) fn retired(
        name: Name,
        rng: Box<dyn CryptoRngCore + Send>,
        number: SessionNumber,
        seat: Seat,
    ) -> Self {
        let joiner = Joiner::new(name, Role::Onlooker);
        let (live, number, outputs) = (Some(Live::new(seat)), Some(number), Outputs::new());
        Self { rng, joiner, pass: None, number, live, outputs, clock: None }
    }

    /// What must leave; drain it after each call.
    pub fn poll_output(&mut self) -> Option<Output<OnlookerEvent>> {
        self.outputs.pop()
    }

    /// When [`Onlooker::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let live = self.live.as_ref()?;
        let steering = live.steering.as_ref().and_then(Steering::due);
        let arrows = live.arrows.due();
        live.seat.due().into_iter().chain(steering).chain(arrows).min()
    }

    /// Who this side is, once it is inside.
    pub fn member(&self) -> Option<MemberId> {
        self.live.as_ref().map(|live| live.seat.me)
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

    /// The picture with this number is on the screen: what is lost later need not be told from
    /// the beginning.
    pub fn picture_shown(&mut self, number: u32) {
        if let Some(live) = &mut self.live {
            live.lacks.shown(number);
        }
    }

    /// Something of the picture was lost; the next one must tell it.
    pub fn refresh(&mut self) {
        let Some(live) = &mut self.live else { return };
        let after = live.lacks.ask(self.clock);
        self.say(&FromMember::Refresh { after });
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
        let over = self.joiner.pause();
        if let Some(live) = &mut self.live {
            self.outputs.pause();
            live.is_paused = true;
            live.arrows.pause();
            if let Some(steering) = &mut live.steering {
                steering.pause();
            }
        } else if let Some(why) = over {
            self.outputs.event(OnlookerEvent::Ended(why));
        }
    }

    /// The link is back; see [`crate::session::Participant::resume`].
    pub fn resume(&mut self, now: Instant) {
        self.clock = Some(now);
        self.outputs.resume();
        if let Some(live) = &mut self.live {
            live.is_paused = false;
            let mut packets = live.seat.again(now);
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
        match meaning(notice, moderator) {
            Word::Over(why) => self.finish(why),
            Word::Moderator { is_away } => self.moderator_away(is_away, now),
            Word::ModeratorIs(member, term) => self.moderator_is(member, term, now),
            Word::PicturesDropped => self.refresh(),
            Word::Nothing => {}
        }
    }

    fn moderator_away(&mut self, is_away: bool, now: Instant) {
        match &mut self.live {
            Some(live) => {
                live.is_away = is_away;
                if !is_away {
                    let packets = live.seat.again(now);
                    self.outputs.sealed(packets);
                }
                self.outputs.event(OnlookerEvent::Away(is_away));
            }
            // Whoever comes back has forgotten those who were on their way in.
            None if is_away => self.leave(EndReason::Server(EndOfSession::ModeratorLost)),
            None => {}
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
        if live.seat.is_forgotten(now, !live.is_paused && !live.is_away) {
            return self.leave(EndReason::Server(EndOfSession::ModeratorLost));
        }
        let mut packets = live.seat.pair.handle_timeout(now);
        if let Some(steering) = &mut live.steering {
            let (falls_silent, more) = steering.handle_timeout(now);
            packets.extend(more);
            if falls_silent {
                self.outputs.event(OnlookerEvent::Silent(true));
            }
        }
        self.outputs.sealed(packets);
        self.point_on(now);
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
                if live.seat.roster.presenter() == Some(device) {
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
            FromModerator::Arrows(report) => self.arrows_reported(report, now),
            // For devices.
            FromModerator::Watch(_)
            | FromModerator::Point { .. }
            | FromModerator::PictureShown(_)
            | FromModerator::Refresh { .. }
            | FromModerator::Show(_)
            | FromModerator::Terminal(_)
            | FromModerator::Restart(_)
            | FromModerator::Files { .. }
            | FromModerator::Limit(_)
            | FromModerator::Turn(_) => {}
        }
        Ok(())
    }

    fn progress(&mut self, progress: Progress) {
        match progress {
            Progress::AskPassword => self.outputs.event(OnlookerEvent::AskPassword),
            Progress::Identify(transcript) => self.identify(&transcript),
            Progress::Ask(question) => self.consider(question),
            Progress::Keys { context, keys, granted, .. } => {
                self.enter(&context, &keys, granted);
            }
            Progress::Ended(why) => self.leave(why),
            Progress::Nothing | Progress::Joined => {}
        }
    }

    fn identify(&mut self, transcript: &[u8; 32]) {
        match &self.pass {
            Some((pass, _)) => {
                let shown = identify_fellow(pass, transcript, &mut self.rng);
                self.joiner.identify(shown, &mut self.outputs);
            }
            None => self.leave(EndReason::Declined(Declined::Failed)),
        }
    }

    /// The moderator has shown what it can. There is nobody here to be asked for consent, only
    /// somebody who wants to know with whom he deals.
    fn consider(&mut self, question: Question) {
        let Question { name, standing, .. } = question;
        let (name, level) = match standing {
            Standing::Compare(code) => {
                return self.outputs.event(OnlookerEvent::Compare { name, code });
            }
            Standing::Password => (name, Level::Password),
            Standing::Shown(unverified) => match self.verify(&unverified) {
                Ok(name) => (name, Level::Certificate),
                Err(error) => return self.leave(EndReason::Handshake(error)),
            },
        };
        self.outputs.event(OnlookerEvent::Checked { name, level });
        self.accept();
    }

    fn verify(&self, unverified: &Unverified) -> Result<Name, HandshakeError> {
        let (Some((pass, clock)), Some(now)) = (&self.pass, self.clock) else {
            return Err(HandshakeError::Incompatible);
        };
        unverified.check(pass, clock.unix_s(now)).map_err(HandshakeError::NotCertified)
    }

    fn enter(
        &mut self,
        context: &Context,
        keys: &crate::handshake::participant::Keys,
        granted: Rights,
    ) {
        let seat = Seat::new(context, self.joiner.moderator(), keys, &mut self.rng);
        let entered = FromMember::Entered { granted, key: seat.identity() };
        self.live = Some(Live::new(seat));
        self.say(&entered);
        self.outputs.event(OnlookerEvent::Connected);
    }

    /// The server says that somebody else moderates; the list of members must have said before
    /// who that may be.
    fn moderator_is(&mut self, member: MemberId, term: u16, now: Instant) {
        let Some(live) = &mut self.live else { return };
        if live.seat.is_led_by(member, term) {
            return;
        }
        if member == live.seat.me && live.seat.expects(member, term) {
            let (Some(live), Some(number)) = (self.live.take(), self.number) else { return };
            let Live { seat, deputy_keys, .. } = *live;
            let inheritance = Inheritance { number, seat, pair_keys: deputy_keys };
            self.outputs.event(OnlookerEvent::TakeOver(Box::new(inheritance)));
            return;
        }
        if live.seat.follow(member, term, now) {
            live.is_away = false;
            live.arrows = Arrows::default();
            self.outputs.event(OnlookerEvent::Away(false));
            if live.steering.take().is_some() {
                self.outputs.event(OnlookerEvent::Control(false));
            }
        } else {
            // Or it was named while this side was away, which comes to the same.
            self.leave(EndReason::Server(EndOfSession::ModeratorLost));
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
