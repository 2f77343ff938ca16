//! A device that is inside: what it shows, whom it obeys.

use std::time::{Duration, Instant};

use rand_core::CryptoRngCore;

use super::ParticipantEvent;
use crate::handshake::Context;
use crate::handshake::participant::Keys;
use crate::header::{Class, Header, MemberId};
use crate::message::{Arrow, FromMember, FromModerator, Rights, Role, encode};
use crate::packet::{SealError, Sealer};
use crate::session::joiner::EndReason;
use crate::session::obeying::Obeying;
use crate::session::pair::{Packets, feedback};
use crate::session::pointing::Pointed;
use crate::session::rights::{self, Asker, Kind, Moment};
use crate::session::seat::{Brought, Seat};
use crate::session::tampered::Tampered;
use crate::session::{ALIVE_INTERVAL, ROSTER_SEEN_INTERVAL};

/// A changed list of members is told to all after this time, so that one word serves many.
const ROSTER_SEEN_AFTER: Duration = Duration::from_secs(1);

/// A device in a session.
pub(super) struct Live {
    seat: Seat,
    rights: Rights,
    picture: Sealer,
    roster_seen: Sealer,
    roster_seen_at: Instant,
    alive_at: Instant,
    obeying: Option<Obeying>,
    pointed: Pointed,
    /// The grants up to this one are over.
    last_grant: u16,
    is_away: bool,
    wear_told: u16,
    /// The last picture that the moderator has shown.
    shown: u32,
}

/// What a packet brings.
#[derive(Default)]
pub(super) struct News {
    pub(super) packets: Packets,
    pub(super) events: Vec<ParticipantEvent>,
    pub(super) ends: Option<EndReason>,
}

impl News {
    fn event(event: ParticipantEvent) -> Self {
        Self { events: vec![event], ..Self::default() }
    }
}

impl Live {
    pub(super) fn new(
        (context, moderator): (&Context, MemberId),
        keys: &Keys,
        rights: Rights,
        rng: &mut impl CryptoRngCore,
        now: Instant,
    ) -> Self {
        let seat = Seat::new(context, moderator, keys, rng);
        let sealer = |class| seat.group.sealer(seat.me, seat.instance, class);
        Self {
            picture: sealer(Class::Picture),
            roster_seen: sealer(Class::Feedback),
            seat,
            rights,
            roster_seen_at: now + ROSTER_SEEN_INTERVAL,
            alive_at: now + ALIVE_INTERVAL,
            obeying: None,
            pointed: Pointed::new(now),
            last_grant: 0,
            is_away: false,
            wear_told: 0,
            shown: 0,
        }
    }

    /// The last picture that the moderator has shown; 0 if none.
    pub(super) const fn shown(&self) -> u32 {
        self.shown
    }

    pub(super) fn identity(&self) -> [u8; 32] {
        self.seat.identity()
    }

    pub(super) fn member(&self) -> MemberId {
        self.seat.me
    }

    pub(super) fn moderator(&self) -> MemberId {
        self.seat.moderator
    }

    pub(super) fn seal(
        &mut self,
        message: &FromMember,
        now: Option<Instant>,
    ) -> Result<Packets, SealError> {
        self.seat.seal(message, now)
    }

    /// Seals an update of the picture, if anybody may see it.
    pub(super) fn picture(&mut self, update: &[u8]) -> Result<Packets, SealError> {
        if !self.rights.allows(Rights::VIEW) {
            return Ok(Vec::new());
        }
        let packets = self.picture.seal(update)?;
        Ok(packets.into_iter().map(|packet| (Class::Picture, packet)).collect())
    }

    /// The epoch whose key is half worn out, once.
    pub(super) fn takes_note_of_wear(&mut self) -> Option<u16> {
        let epoch = self.seat.group.epoch();
        if !self.picture.is_wearing_out() || self.wear_told == epoch {
            return None;
        }
        self.wear_told = epoch;
        Some(epoch)
    }

    fn moment(&self) -> Moment {
        if self.is_away { Moment::Away } else { Moment::Live }
    }

    /// Takes an encrypted packet.
    ///
    /// # Errors
    /// If it was changed on the way, or somebody speaks against the rules.
    pub(super) fn open(
        &mut self,
        header: &Header,
        payload: &[u8],
        now: Instant,
    ) -> Result<News, Tampered> {
        if header.destination != self.seat.me && header.destination != MemberId::ALL {
            return Ok(News::default());
        }
        if header.stream != 0 {
            let moment = self.moment();
            let is_granted = self.obeying.as_ref().is_some_and(|grant| grant.is_for(header));
            let by = if is_granted { Asker::Controller } else { Asker::Other };
            if !rights::allows(Kind::LetGo, by, self.rights, moment) {
                return Ok(News::default());
            }
            let Some(obeying) = &mut self.obeying else { return Ok(News::default()) };
            let event = obeying.open(header, payload, self.rights, moment, now)?;
            return Ok(event.map(ParticipantEvent::Input).map(News::event).unwrap_or_default());
        }
        Ok(match self.seat.open(header, payload, now)? {
            Brought::Again(packets) => News { packets, ..News::default() },
            Brought::Turned { sent } => self.turned(sent, now),
            Brought::Message(message) => self.told(message, now)?,
            // Another device's picture.
            Brought::Picture { .. } | Brought::RostersDiffer(_) => News::default(),
        })
    }

    fn turned(&mut self, packets: Packets, now: Instant) -> News {
        let (secret, epoch) = (self.seat.group.secret(), self.seat.group.epoch());
        self.picture.turn(secret, epoch);
        self.roster_seen.turn(secret, epoch);
        self.roster_seen_at = self.roster_seen_at.min(now + ROSTER_SEEN_AFTER);
        let roster = Box::new(self.seat.roster.clone());
        News { packets, events: vec![ParticipantEvent::Members(roster)], ends: None }
    }

    /// Takes a message of the moderator, if the table allows it.
    fn told(&mut self, message: FromModerator, now: Instant) -> Result<News, Tampered> {
        let allowed = rights::kind_of_moderators(&message)
            .is_some_and(|kind| rights::allows(kind, Asker::Moderator, self.rights, self.moment()));
        if !allowed {
            if let FromModerator::Point { .. } = message {
                self.pointed.deny();
            }
            return Ok(News::default());
        }
        Ok(match message {
            FromModerator::Watch(on) => News::event(ParticipantEvent::Watch(on)),
            FromModerator::PictureShown(number) => {
                self.shown = number;
                News::event(ParticipantEvent::PictureShown(number))
            }
            FromModerator::Refresh { after } => News::event(ParticipantEvent::Refresh { after }),
            FromModerator::Show(name) => News::event(ParticipantEvent::Show(name)),
            FromModerator::Terminal(what) => News::event(ParticipantEvent::Terminal(what)),
            FromModerator::Files { id, what } => News::event(ParticipantEvent::Files { id, what }),
            FromModerator::Point { by, arrow } => self.point(by, &arrow, now),
            FromModerator::Restart(what) => News::event(ParticipantEvent::Restart(what)),
            FromModerator::End => News { ends: Some(EndReason::Moderator), ..News::default() },
            FromModerator::Grant(grant) => {
                if grant.device != self.seat.me || grant.number <= self.last_grant {
                    return Err(Tampered("control of something else, or once more"));
                }
                self.last_grant = grant.number;
                let mut news = self.revoke();
                let controller = Some(grant.controller);
                let mut obeying = Obeying::new(self.seat.session, &grant, now);
                news.packets.extend(obeying.say(now));
                self.obeying = Some(obeying);
                news.events.push(ParticipantEvent::Controller(controller));
                news
            }
            FromModerator::Revoke { grant } => {
                let is_live = self.obeying.as_ref().is_some_and(|live| live.number() == grant);
                let mut news = if is_live { self.revoke() } else { News::default() };
                if is_live {
                    news.events.push(ParticipantEvent::Controller(None));
                }
                news
            }
            FromModerator::Limit(rights) => {
                let (left, held) = self.limit(rights);
                let mut news = News::event(ParticipantEvent::Rights(left));
                if held {
                    news.events.push(release());
                }
                news
            }
            FromModerator::Turn(_) | FromModerator::DeputyKey { .. } | FromModerator::Arrows(_) => {
                News::default()
            }
        })
    }

    /// Somebody points, who must be in the list as one who can.
    fn point(&mut self, by: MemberId, arrow: &Arrow, now: Instant) -> News {
        let mut news = News::default();
        let entry = self.seat.roster.get(by).filter(|entry| entry.role == Role::Onlooker);
        match entry {
            Some(entry) if self.pointed.takes(arrow, now) => {
                let (name, at) = (entry.name.clone(), arrow.at);
                news.events.push(ParticipantEvent::Arrow { by, name, at });
            }
            Some(_) => {}
            None => self.pointed.deny(),
        }
        if let Some(report) = self.pointed.report(now) {
            news.packets = self.seal(&FromMember::Arrows(report), Some(now)).unwrap_or_default();
        }
        news
    }

    /// Whether the screen can show arrows.
    pub(super) fn report_arrows(&mut self, are_shown: bool, now: Instant) -> Packets {
        let report = self.pointed.are_shown(are_shown, now).map(FromMember::Arrows);
        report.and_then(|report| self.seal(&report, Some(now)).ok()).unwrap_or_default()
    }

    /// Nobody controls the device any more.
    fn revoke(&mut self) -> News {
        let held = self.obeying.take().is_some_and(|mut grant| grant.let_go());
        if held { News::event(release()) } else { News::default() }
    }

    /// Takes rights away; those that are left, and whether something was held down.
    pub(super) fn limit(&mut self, rights: Rights) -> (Rights, bool) {
        self.rights = self.rights.capped_by(rights);
        let loses_control = !self.rights.allows(Rights::CONTROL);
        let held = loses_control && self.obeying.as_mut().is_some_and(Obeying::let_go);
        (self.rights, held)
    }

    /// Somebody at the device uses it.
    pub(super) fn local_input(&mut self, now: Instant) -> (bool, Packets) {
        self.obeying.as_mut().map(|grant| grant.local_input(now)).unwrap_or_default()
    }

    /// Whether something was held down that must be let go of.
    pub(super) fn pause(&mut self) -> bool {
        self.obeying.as_mut().is_some_and(Obeying::let_go)
    }

    pub(super) fn resume(&mut self, now: Instant) -> Packets {
        let mut packets = self.seat.again(now);
        packets.extend(self.obeying.as_mut().map(|grant| grant.say(now)).unwrap_or_default());
        packets
    }

    /// The moderator's link broke; whether something was held down that must be let go of.
    pub(super) fn moderator_away(&mut self) -> bool {
        self.is_away = true;
        let is_controller = self.obeying.as_ref().map(Obeying::controller);
        is_controller == Some(self.seat.moderator) && self.pause()
    }

    /// The moderator is back: whether it was away, and what to send.
    pub(super) fn moderator_back(&mut self, now: Instant) -> (bool, Packets) {
        (std::mem::take(&mut self.is_away), self.resume(now))
    }

    pub(super) fn is_led_by(&self, moderator: MemberId, term: u16) -> bool {
        self.seat.is_led_by(moderator, term)
    }

    /// The deputy moderates from now on, if it is the deputy: whether something was held
    /// down, and whether the one before was away.
    pub(super) fn follow(
        &mut self,
        deputy: MemberId,
        term: u16,
        now: Instant,
    ) -> Option<(bool, bool)> {
        if !self.seat.follow(deputy, term, now) {
            return None;
        }
        let was_away = std::mem::take(&mut self.is_away);
        let held = self.pause();
        self.obeying = None;
        Some((held, was_away))
    }

    /// When [`Self::handle_timeout`] is due.
    pub(super) fn due(&self) -> Option<Instant> {
        let grant = self.obeying.as_ref().and_then(Obeying::due);
        let alive = self.rights.allows(Rights::CONTROL).then_some(self.alive_at);
        [Some(self.roster_seen_at), self.seat.due(), grant, alive].into_iter().flatten().min()
    }

    /// Whether the one that has taken over does not know this device; see [`Seat::is_forgotten`].
    pub(super) fn is_forgotten(&mut self, now: Instant, is_linked: bool) -> bool {
        self.seat.is_forgotten(now, is_linked && !self.is_away)
    }

    /// Does what is due; whether everything must be let go of.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> (bool, Packets) {
        let mut packets = self.seat.pair.handle_timeout(now);
        if self.rights.allows(Rights::CONTROL) && now >= self.alive_at {
            self.alive_at = now + ALIVE_INTERVAL;
            packets.extend(self.seat.pair.acknowledge(now));
        }
        if now >= self.roster_seen_at {
            self.roster_seen_at = now + ROSTER_SEEN_INTERVAL;
            let seen = encode(&self.seat.seen_now());
            packets.extend(feedback(self.roster_seen.seal(&seen).unwrap_or_default()));
        }
        let Some(obeying) = &mut self.obeying else { return (false, packets) };
        let (releases, more) = obeying.handle_timeout(now);
        packets.extend(more);
        (releases, packets)
    }
}

fn release() -> ParticipantEvent {
    ParticipantEvent::Input(crate::message::InputEvent::ReleaseAll)
}
