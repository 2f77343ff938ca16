//! Who may do what, and where packets go. Blind: of a packet only the header is looked at.
//!
//! Locks are taken in this order: directory, roster, outlet or places that wait; none is held
//! across an await.

mod roles;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lotse_protocol::frame::Frame;
use lotse_protocol::tunnel::{
    Answer, Asked, Bye, Departure, EndOfSession, Notice, Refusal, SessionId,
};
use lotse_protocol::{Header, MemberId, SessionNumber};
use rand_core::{OsRng, RngCore};
use tracing::{debug, info};

use crate::config::Limits;
use crate::directory::{Directory, Lives};
use crate::limits::{Rate, Source, SourceRates};
use crate::outlet::Outlet;
use crate::resume::{Place, ResumeKey, Role};
use crate::roster::{Roster, Turn};

/// Numbers in quarantine at most: 1 in 900 of all, about 20 MB.
const QUARANTINED: usize = 1_000_000;

/// Sources whose attempts are counted apart at most, about 4 MB.
const COUNTED_SOURCES: usize = 65_536;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// All sessions of this server.
#[derive(Debug)]
pub(crate) struct Relay {
    members: usize,
    first_join: Duration,
    failure_cost: u32,
    directory: Mutex<Directory<Arc<Session>>>,
    joins: Mutex<SourceRates>,
    opens: Mutex<SourceRates>,
    resume_key: ResumeKey,
    /// A member that is away keeps its place for so long.
    resume: Duration,
    /// Sessions of before the start may be brought back until then.
    restores_until: Instant,
    /// Places of members that are away, by when they are given up.
    waiting: Mutex<BTreeMap<(Instant, SessionNumber, MemberId), Turn>>,
    is_stopping: AtomicBool,
}

/// One session.
#[derive(Debug)]
struct Session {
    number: SessionNumber,
    id: SessionId,
    roster: Mutex<Roster<Arc<Outlet>>>,
    /// Bytes of packets that came in.
    bytes: AtomicU64,
}

/// A client's place in a session.
#[derive(Debug, Clone)]
pub(crate) struct Seat {
    session: Arc<Session>,
    member: MemberId,
    turn: Turn,
}

impl Seat {
    pub(crate) fn member(&self) -> MemberId {
        self.member
    }

    pub(crate) fn session(&self) -> SessionId {
        self.session.id
    }

    fn place(&self, role: Role) -> Place {
        let (session, number) = (self.session.id, self.session.number);
        Place { session, number, member: self.member, role }
    }
}

/// A client that asks for something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    /// The way to it.
    pub(crate) outlet: &'a Arc<Outlet>,
    /// Where it is.
    pub(crate) source: Source,
}

impl Relay {
    pub(crate) fn new(limits: &Limits, resume_key: ResumeKey, now: Instant) -> Self {
        let lives = Lives {
            sessions: usize::try_from(limits.sessions).unwrap_or(usize::MAX),
            first_join: limits.first_join,
            quarantine: limits.quarantine,
            quarantined: QUARANTINED,
        };
        let joins =
            [Rate::per(limits.joins_per_minute, MINUTE), Rate::per(limits.joins_per_hour, HOUR)];
        let opens = [Rate::per(limits.opens_per_hour, HOUR); 2];
        Self {
            members: usize::from(limits.members),
            first_join: limits.first_join,
            failure_cost: limits.failure_cost.max(1),
            directory: Mutex::new(Directory::new(lives)),
            joins: Mutex::new(SourceRates::new(joins, COUNTED_SOURCES, now)),
            opens: Mutex::new(SourceRates::new(opens, COUNTED_SOURCES, now)),
            resume_key,
            resume: limits.resume,
            restores_until: now + limits.resume,
            waiting: Mutex::new(BTreeMap::new()),
            is_stopping: AtomicBool::new(false),
        }
    }

    /// Does what a client asks, and changes its seat accordingly.
    pub(crate) fn ask(
        &self,
        what: Asked,
        asker: Asker<'_>,
        seat: &mut Option<Seat>,
        now: Instant,
    ) -> Answer {
        match (what, seat.as_ref()) {
            (Asked::Open, None) => self.open(asker, seat, now),
            (Asked::Join { number }, None) => self.join(number, asker, seat, now),
            (Asked::Leave, Some(_)) => {
                if let Some(seat) = seat.take() {
                    asker.outlet.remove_packets();
                    self.leave(&seat, Departure::Left, now);
                }
                Answer::Done
            }
            (Asked::Remove { member }, Some(seat)) => remove(seat, member),
            (
                what @ (Asked::Seat { .. } | Asked::Lock(_) | Asked::Deputy(_) | Asked::HandOver),
                Some(seat),
            ) => {
                if let Asked::Seat { member, .. } = what {
                    self.keep_place(seat, member, now);
                }
                self.arrange(seat, &what)
            }
            (Asked::Resume { token }, None) => match self.resume(&token, asker, now) {
                Some(found) => {
                    *seat = Some(found);
                    Answer::Resumed
                }
                None => {
                    lock(&self.joins).charge(asker.source, self.failure_cost, now);
                    Answer::Refused(Refusal::NotAvailable)
                }
            },
            _ => Answer::Refused(Refusal::NotAllowed),
        }
    }

    fn open(&self, asker: Asker<'_>, seat: &mut Option<Seat>, now: Instant) -> Answer {
        if let Err(wait) = lock(&self.opens).attempt(asker.source, now) {
            return too_many(wait);
        }
        let mut id = [0; 16];
        OsRng.fill_bytes(&mut id);
        let opened = lock(&self.directory).open(&mut OsRng, now, |number| {
            Arc::new(Session::new(number, SessionId(id), Roster::new(Arc::clone(asker.outlet))))
        });
        let Some(session) = opened else { return Answer::Refused(Refusal::Busy) };
        let number = session.number;
        info!(%number, "session opened");
        let taken = Seat { session, member: MemberId::MODERATOR, turn: Turn::FIRST };
        let resume = self.resume_key.token(&taken.place(Role::Moderator(0)));
        *seat = Some(taken);
        Answer::Opened {
            number,
            session: SessionId(id),
            expires_in_s: u32::try_from(self.first_join.as_secs()).unwrap_or(u32::MAX),
            resume,
        }
    }

    fn join(
        &self,
        number: SessionNumber,
        asker: Asker<'_>,
        seat: &mut Option<Seat>,
        now: Instant,
    ) -> Answer {
        if let Err(wait) = lock(&self.joins).attempt(asker.source, now) {
            return too_many(wait);
        }
        let Some(found) = self.find_and_join(number, asker, now) else {
            lock(&self.joins).charge(asker.source, self.failure_cost - 1, now);
            return Answer::Refused(Refusal::NotAvailable);
        };
        let resume = self.resume_key.token(&found.place(Role::Member));
        let (session, member) = (found.session.id, found.member);
        let moderator = lock(&found.session.roster).moderator();
        let answer = Answer::Joined { session, member, moderator, resume };
        info!(%number, member = found.member.0, "session joined");
        *seat = Some(found);
        answer
    }

    /// Unknown, expired, over, full: all the same from outside.
    fn find_and_join(&self, number: SessionNumber, asker: Asker<'_>, now: Instant) -> Option<Seat> {
        let mut directory = lock(&self.directory);
        let session = Arc::clone(directory.find(number, now)?);
        let mut roster = lock(&session.roster);
        let member = roster.join(Arc::clone(asker.outlet), self.members)?;
        directory.joined(number);
        drop(directory);
        // While the roster is locked: nothing from the new member can overtake this.
        tell_moderator(&roster, Notice::MemberJoined { member });
        drop(roster);
        Some(Seat { session, member, turn: Turn::FIRST })
    }

    /// A member takes its place again, in a session of before a restart if need be.
    fn resume(
        &self,
        token: &lotse_protocol::tunnel::ResumeToken,
        asker: Asker<'_>,
        now: Instant,
    ) -> Option<Seat> {
        let Place { session: id, number, member, role } = self.resume_key.place(token)?;
        let session = self.session_of(number, id, now)?;
        let mut roster = lock(&session.roster);
        let mut takes_over = false;
        if now < self.restores_until {
            let before = roster.moderator();
            takes_over = matches!(role, Role::Moderator(term) if roster.recognise(member, term))
                && before != member;
            roster.restore(member, self.members);
        }
        let (before, turn) = roster.resume(member, Arc::clone(asker.outlet))?;
        if let Some(before) = before {
            before.close(Bye::Replaced);
        }
        // While the roster is locked: nothing from this member can overtake it.
        let moderator = roster.moderator();
        let term = roster.term();
        let is_told = |id| takes_over || id == member && term > 0;
        for (_, outlet) in roster.present().filter(|(id, _)| is_told(*id)) {
            outlet.transmit(Frame::Notice(Notice::ModeratorIs { member: moderator, term }));
        }
        if member == moderator && term > 0 {
            // Perhaps its link broke before it had heard of this.
            self.give_token(&session, &roster);
        }
        let back = |member| Frame::Notice(Notice::MemberBack { member });
        for (other, outlet) in roster.present().filter(|(other, _)| *other != member) {
            if member == roster.moderator() || other == roster.moderator() {
                outlet.transmit(back(member));
                asker.outlet.transmit(back(other));
            }
        }
        drop(roster);
        info!(%number, member = member.0, "member is back");
        Some(Seat { session, member, turn })
    }

    /// The session that a token speaks of.
    fn session_of(
        &self,
        number: SessionNumber,
        id: SessionId,
        now: Instant,
    ) -> Option<Arc<Session>> {
        let mut directory = lock(&self.directory);
        if let Some(session) = directory.live(number) {
            return (session.id == id).then(|| Arc::clone(session));
        }
        if now >= self.restores_until {
            return None;
        }
        let session = Arc::new(Session::new(number, id, Roster::restored()));
        if !directory.restore(number, Arc::clone(&session)) {
            return None;
        }
        drop(directory);
        info!(%number, "session restored");
        self.wait_for(number, MemberId::MODERATOR, Turn::FIRST, now);
        Some(session)
    }

    /// After a restart the moderator may name members before they are back: their places are kept
    /// for as long as those of others that are away.
    fn keep_place(&self, seat: &Seat, member: MemberId, now: Instant) {
        let mut roster = lock(&seat.session.roster);
        if seat.member == roster.moderator() && roster.restore(member, self.members) {
            drop(roster);
            self.wait_for(seat.session.number, member, Turn::FIRST, now);
        }
    }

    fn wait_for(&self, number: SessionNumber, member: MemberId, turn: Turn, now: Instant) {
        lock(&self.waiting).insert((now + self.resume, number, member), turn);
    }

    /// A member's link ended. If it broke, its place is kept for a while.
    pub(crate) fn link_ended(&self, seat: &Seat, how: Departure, now: Instant) {
        if self.is_stopping.load(Ordering::Relaxed) {
            // It is this server that goes, not the member.
            return;
        }
        if how != Departure::Lost || self.resume.is_zero() {
            self.leave(seat, how, now);
            return;
        }
        let Seat { session, member, turn } = seat;
        let mut roster = lock(&session.roster);
        if !roster.away(*member, *turn) {
            return;
        }
        info!(number = %session.number, member = member.0, "member is away");
        for (other, outlet) in roster.present() {
            if *member == roster.moderator() || other == roster.moderator() {
                outlet.transmit(Frame::Notice(Notice::MemberAway { member: *member }));
            }
        }
        drop(roster);
        self.wait_for(session.number, *member, *turn, now);
    }

    /// Gives up the places whose members did not come back in time.
    fn give_up(&self, now: Instant) {
        loop {
            let mut waiting = lock(&self.waiting);
            let Some(entry) = waiting.first_entry().filter(|entry| entry.key().0 <= now) else {
                return;
            };
            let ((_, number, member), turn) = entry.remove_entry();
            drop(waiting);
            let Some(session) = lock(&self.directory).live(number).cloned() else { continue };
            if lock(&session.roster).is_away(member, turn) {
                self.leave(&Seat { session, member, turn }, Departure::Lost, now);
            }
        }
    }

    /// A member goes; with the moderator the session goes.
    pub(crate) fn leave(&self, seat: &Seat, how: Departure, now: Instant) {
        let mut roster = lock(&seat.session.roster);
        if !roster.leave(seat.member, seat.turn) {
            return;
        }
        let number = seat.session.number;
        info!(%number, member = seat.member.0, ?how, "member left");
        let is_moderator = seat.member == roster.moderator();
        // Whoever ends the session ends it; whoever is lost is followed by the deputy.
        if is_moderator && how != Departure::Left && self.hand_over(&seat.session, &mut roster) {
            tell_moderator(&roster, Notice::MemberLeft { member: seat.member, how });
            return;
        }
        if is_moderator {
            drop(roster);
            let why = match how {
                Departure::Left => EndOfSession::Ended,
                _ => EndOfSession::ModeratorLost,
            };
            lock(&self.directory).end(number, now);
            seat.session.end(why);
        } else {
            tell_moderator(&roster, Notice::MemberLeft { member: seat.member, how });
        }
    }

    /// Passes a packet on to those whom it is for. One copy of the bytes serves all.
    pub(crate) fn forward(&self, seat: &Seat, header: &Header, packet: &Arc<[u8]>) {
        let bytes = u64::try_from(packet.len()).unwrap_or(u64::MAX);
        seat.session.bytes.fetch_add(bytes, Ordering::Relaxed);
        let roster = lock(&seat.session.roster);
        for receiver in roster.receivers(seat.member, seat.turn, header.destination) {
            receiver.forward(header, Arc::clone(packet));
        }
    }

    /// Ends the sessions that nobody joined in time, and gives up places whose members did not
    /// come back.
    pub(crate) fn expire(&self, now: Instant) {
        self.give_up(now);
        let expired = lock(&self.directory).expire(now);
        for session in expired {
            session.end(EndOfSession::Expired);
        }
    }

    /// The server is being stopped. Sessions end, unless their members can come back to the
    /// next run.
    pub(crate) fn stop(&self, now: Instant) {
        self.is_stopping.store(true, Ordering::Relaxed);
        if self.resume_key.is_kept() && !self.resume.is_zero() {
            return;
        }
        let mut directory = lock(&self.directory);
        let sessions: Vec<_> = directory.sessions().cloned().collect();
        for session in sessions {
            directory.end(session.number, now);
            session.end(EndOfSession::ServerStopping);
        }
    }

    /// Sessions that live.
    pub(crate) fn sessions(&self) -> usize {
        lock(&self.directory).len()
    }
}

impl Session {
    const fn new(number: SessionNumber, id: SessionId, roster: Roster<Arc<Outlet>>) -> Self {
        Self { number, id, roster: Mutex::new(roster), bytes: AtomicU64::new(0) }
    }

    /// Tells all members that it is over.
    fn end(&self, why: EndOfSession) {
        let members = lock(&self.roster).end();
        let (number, bytes) = (self.number, self.bytes.load(Ordering::Relaxed));
        info!(%number, ?why, members = members.len(), bytes, "session ended");
        for outlet in members.into_values() {
            outlet.end_session(self.id, why);
        }
    }
}

fn tell_moderator(roster: &Roster<Arc<Outlet>>, notice: Notice) {
    if let Some(moderator) = roster.member(roster.moderator()) {
        moderator.transmit(Frame::Notice(notice));
    }
}

/// The moderator makes a member leave.
fn remove(seat: &Seat, member: MemberId) -> Answer {
    let mut roster = lock(&seat.session.roster);
    if seat.member != roster.moderator() || member == roster.moderator() {
        return Answer::Refused(Refusal::NotAllowed);
    }
    let Some(removed) = roster.remove(member) else { return Answer::Done };
    info!(number = %seat.session.number, member = member.0, "member removed");
    if let Some(outlet) = removed {
        outlet.end_session(seat.session.id, EndOfSession::Removed);
    }
    tell_moderator(&roster, Notice::MemberLeft { member, how: Departure::Removed });
    Answer::Done
}

/// How a member left, from how its link ended.
pub(crate) fn departure(end: &lotse_protocol::link::End) -> Departure {
    use lotse_protocol::link::End;
    match end {
        End::Bye(Bye::Closing) => Departure::Left,
        // It may come back, with nothing waiting for it.
        End::Closed(Bye::TooSlow) => Departure::Lost,
        End::Violation(_) | End::Closed(_) | End::NoCommonVersion => Departure::Dropped,
        _ => Departure::Lost,
    }
}

fn too_many(wait: Duration) -> Answer {
    let seconds = wait.as_millis().div_ceil(1000);
    let retry_after_s = u32::try_from(seconds).unwrap_or(u32::MAX);
    debug!(retry_after_s, "too many attempts");
    Answer::Refused(Refusal::TooMany { retry_after_s })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that holds these locks panics; if it did, the books would still be books.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
