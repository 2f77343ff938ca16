//! Links that break, and moderators that go.

use std::collections::BTreeMap;
use std::time::Instant;

use rand_core::CryptoRngCore;

use super::members::{Connected, Member, Members, Stage};
use super::{Moderator, ModeratorConfig, ModeratorEvent, ParticipantGone, Session, State};
use crate::SessionNumber;
use crate::header::MemberId;
use crate::keys::PairKey;
use crate::message::{FromModerator, Role, SecretBytes};
use crate::session::lacks::Lacks;
use crate::session::pair::{Ends, Pair};
use crate::session::seat::Seat;
use crate::session::{Onlooker, Outputs};
use crate::tunnel::{Asked, Departure, EndOfSession, Standing};

/// What a deputy needs to go on as the moderator.
pub struct Inheritance {
    pub(in crate::session) number: SessionNumber,
    pub(in crate::session) seat: Seat,
    pub(in crate::session) pair_keys: BTreeMap<MemberId, PairKey>,
}

impl std::fmt::Debug for Inheritance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inheritance").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Moderator {
    /// The deputy goes on as the moderator. The old one, if it is still there, looks on.
    pub fn inherit(
        config: ModeratorConfig,
        inheritance: Inheritance,
        rng: Box<dyn CryptoRngCore + Send>,
        now: Instant,
    ) -> Self {
        let Inheritance { number, seat, pair_keys } = inheritance;
        let mut members = Members::default();
        let mut unknown = Vec::new();
        let mut next_instance = 0;
        for entry in seat.roster.iter() {
            next_instance = entry.instance.max(next_instance);
            if entry.member == seat.me {
                continue;
            }
            let secret = if entry.member == seat.moderator {
                Some(seat.pair.secret().for_deputy(seat.session, seat.me))
            } else {
                pair_keys.get(&entry.member).cloned()
            };
            let Some(secret) = secret else {
                unknown.push(entry.member);
                continue;
            };
            let ends = Ends {
                session: seat.session,
                moderator: (seat.me, seat.instance),
                member: (entry.member, entry.instance),
                term: seat.roster.next_term(),
            };
            let pair = Pair::of_moderator(&secret, ends);
            let stage = Stage::Connected(Box::new(Connected::new(pair, entry.rights, now)));
            members.put(entry.member, Member { role: entry.role, stage });
        }
        let presenter = seat.roster.presenter().filter(|id| members.connected(*id).is_some());
        let focus = presenter.or_else(|| members.first_device());
        let session = Session {
            id: seat.session,
            number,
            me: seat.me,
            instance: seat.instance,
            // The moderator before may have let in some of whom nobody knows here.
            next_instance: next_instance.saturating_add(1000),
            members,
            focus,
            group: seat.group,
            roster: seat.roster,
            signer: seat.signer,
            steering: None,
            arrows: super::Arrows::default(),
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
        };
        let mut moderator = Self {
            config,
            rng,
            state: State::Open(session),
            outputs: Outputs::new(),
            attempts: 0,
            // Whoever the moderator before let try does not count here: no password is offered.
            failed_passwords: 0,
            pending: std::collections::VecDeque::new(),
            backlog: std::collections::VecDeque::new(),
            clock: Some(now),
        };
        moderator.proclaim(now);
        for member in unknown {
            moderator.request(Asked::Remove { member });
            moderator.depart(member);
        }
        moderator.seat_everybody();
        if let Some(device) = focus {
            moderator.begin_presenting(device);
        }
        moderator
    }

    /// Names who takes over when this side is lost, and gives it what it needs for that, sealed;
    /// whether that is possible: a deputy is an onlooker who is inside.
    pub fn set_deputy(&mut self, deputy: Option<MemberId>) -> bool {
        let Some(session) = self.session() else { return false };
        let can = |id| {
            let role = session.members.get(id).map(|member| member.role);
            session.members.connected(id).is_some() && role == Some(Role::Onlooker)
        };
        if !deputy.is_none_or(can) {
            return false;
        }
        self.redraft(|draft| draft.set_deputy(deputy));
        self.request(Asked::Deputy(deputy));
        for member in self.inside() {
            self.tell_deputy(member);
        }
        true
    }

    /// The deputy takes over now, and this side looks on; [`ModeratorEvent::HandedOver`] tells
    /// when it is done. Whether there is a deputy who can hear: what it missed while it was away
    /// has to reach it first.
    pub fn hand_over(&mut self) -> bool {
        let State::Open(session) = &mut self.state else { return false };
        let deputy = session.roster.deputy().and_then(|id| session.members.connected(id));
        let can = deputy.is_some_and(|deputy| !deputy.is_away);
        if can {
            session.is_handing_over = true;
            self.request(Asked::HandOver);
        }
        can
    }

    /// Gives the deputy the key between it and a member, for later.
    pub(super) fn tell_deputy(&mut self, member: MemberId) {
        let Some(session) = self.session() else { return };
        let Some(deputy) = session.roster.deputy().filter(|deputy| *deputy != member) else {
            return;
        };
        let Some(connected) = session.members.connected(member) else { return };
        let key = connected.pair.secret().for_deputy(session.id, deputy);
        let key = SecretBytes(*key.as_bytes());
        self.control(deputy, &FromModerator::DeputyKey { member, key });
    }

    /// The server says that somebody else moderates.
    pub(super) fn moderator_is(&mut self, member: MemberId) {
        let State::Open(session) = std::mem::replace(&mut self.state, State::Ended) else { return };
        if member == session.me {
            self.state = State::Open(session);
            return;
        }
        let expected = session.is_handing_over && session.roster.deputy() == Some(member);
        match session.retire(member).filter(|_| expected) {
            Some((number, seat)) => {
                let rng = std::mem::replace(&mut self.rng, Box::new(rand_core::OsRng));
                let onlooker = Onlooker::retired(self.config.name.clone(), rng, number, seat);
                self.outputs.event(ModeratorEvent::HandedOver(Box::new(onlooker)));
            }
            None => self.outputs.event(ModeratorEvent::Ended(EndOfSession::ModeratorLost)),
        }
    }

    /// The link broke; it may come back, and then [`Moderator::resume`] is called. Members that
    /// are not inside yet will have to begin anew.
    pub fn pause(&mut self, now: Instant) {
        self.clock = Some(now);
        self.pending.clear();
        self.backlog.clear();
        self.outputs.pause();
        if let State::Open(session) = &mut self.state
            && let Some(steering) = &mut session.steering
        {
            steering.pause();
        }
    }

    /// The link is back and the server has given the moderator its place again.
    pub fn resume(&mut self, now: Instant) {
        self.clock = Some(now);
        self.outputs.resume();
        let State::Open(session) = &mut self.state else { return };
        let (is_locked, deputy) = (session.is_locked, session.roster.deputy());
        let mut packets = Vec::new();
        for (_, _, member) in session.members.inside_mut() {
            packets.extend(member.pair.again(now));
            member.heard = now;
        }
        if let Some(steering) = &mut session.steering {
            packets.extend(steering.resume(now));
        }
        let outside = session.members.outside();
        self.send(packets);
        // A server that was started anew has forgotten it all.
        self.seat_everybody();
        if is_locked {
            self.request(Asked::Lock(true));
        }
        if deputy.is_some() {
            self.request(Asked::Deputy(deputy));
        }
        for member in outside {
            self.dismiss(member, ParticipantGone::Departed(Departure::Lost));
        }
        self.refresh();
    }

    fn seat_everybody(&mut self) {
        let Some(session) = self.session() else { return };
        let seats: Vec<_> = session.members.inside().map(|(id, role, _)| (id, role)).collect();
        for (member, role) in seats {
            self.seat(member, role);
        }
    }

    fn seat(&mut self, member: MemberId, role: Role) {
        let standing = if role == Role::Device { Standing::Device } else { Standing::Onlooker };
        self.request(Asked::Seat { member, standing });
    }

    /// A member's link broke.
    pub(super) fn member_away(&mut self, member: MemberId) {
        let State::Open(session) = &mut self.state else { return };
        if session.members.get(member).is_none() {
            return;
        }
        let Some(connected) = session.members.connected_mut(member) else {
            return self.dismiss(member, ParticipantGone::Departed(Departure::Lost));
        };
        connected.is_away = true;
        if let Some(steering) = session.steering.as_mut().filter(|s| s.device() == member) {
            steering.pause();
        }
        self.outputs.event(ModeratorEvent::Away { member, is_away: true });
        // Nobody waits for it with a new epoch.
        self.turned(member, 0);
    }

    /// A member's link is there again.
    pub(super) fn member_back(&mut self, member: MemberId, now: Instant) {
        let State::Open(session) = &mut self.state else { return };
        let role = session.members.get(member).map(|member| member.role);
        let (Some(connected), Some(role)) = (session.members.connected_mut(member), role) else {
            // Of those who were sent away meanwhile the server may not have heard.
            if role.is_none() {
                self.request(Asked::Remove { member });
            }
            return;
        };
        let was_away = std::mem::take(&mut connected.is_away);
        connected.heard = now;
        let mut packets = connected.pair.again(now);
        if let Some(steering) = session.steering.as_mut().filter(|s| s.device() == member) {
            packets.extend(steering.resume(now));
        }
        self.send(packets);
        self.seat(member, role);
        if was_away {
            self.outputs.event(ModeratorEvent::Away { member, is_away: false });
        }
    }
}

impl Session {
    /// What is left for an onlooker, after the deputy has taken over.
    fn retire(self, deputy: MemberId) -> Option<(SessionNumber, Seat)> {
        let secret = self.members.connected(deputy)?.pair.secret().clone();
        let secret = secret.for_deputy(self.id, deputy);
        let entry = self.roster.get(deputy)?;
        let (key, instance) = (entry.key, entry.instance);
        let ends = Ends {
            session: self.id,
            moderator: (deputy, instance),
            member: (self.me, self.instance),
            term: self.roster.next_term(),
        };
        let pair = Pair::of_member(&secret, ends);
        let (me, own) = (self.me, self.instance);
        let parts = (self.group, self.roster, self.signer);
        Some((self.number, Seat::retired(self.id, (me, own), (deputy, key), pair, parts)))
    }
}
