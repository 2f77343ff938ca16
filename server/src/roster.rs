//! The members of one session, who of them is there, and whom a packet reaches.

use std::collections::{BTreeMap, BTreeSet};

use lotse_protocol::MemberId;
use lotse_protocol::tunnel::Standing;

/// The members of one session, with something for each, most likely how to reach it.
///
/// A member that is away keeps its place for a while. Whoever takes it again sits there for
/// another turn: what is left of an earlier one does not count any more.
#[derive(Debug)]
pub struct Roster<H> {
    members: BTreeMap<MemberId, Place<H>>,
    next: u16,
    moderator: MemberId,
    /// How many have taken over as the moderator.
    term: u16,
    deputy: Option<MemberId>,
    is_locked: bool,
    over: bool,
    /// For a session of before a restart: who of before has gone since.
    restored: Option<BTreeSet<MemberId>>,
}

/// One member's place.
#[derive(Debug)]
struct Place<H> {
    /// `None` while it is away.
    member: Option<H>,
    turn: Turn,
    standing: Standing,
}

impl<H> Place<H> {
    const fn new(member: Option<H>) -> Self {
        Self { member, turn: Turn::FIRST, standing: Standing::Waiting }
    }
}

/// How often a place was taken again; which of the links that a member had one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn(u32);

impl Turn {
    /// Of a member that has just come in.
    pub const FIRST: Self = Self(0);
}

/// After a restart ids go on at the next multiple of this, above all that anybody may still hold
/// who has not come back yet.
const IDS_PER_RUN: u16 = 4096;

impl<H> Roster<H> {
    /// A session with its moderator.
    pub fn new(moderator: H) -> Self {
        Self::with(Some(moderator), MemberId::MODERATOR.0 + 1, None)
    }

    /// A session that was there before the server was started anew: nobody is back yet, not even
    /// the moderator. Until somebody brings proof of another, it is the one who opened it.
    pub fn restored() -> Self {
        Self::with(None, IDS_PER_RUN, Some(BTreeSet::new()))
    }

    fn with(moderator: Option<H>, next: u16, restored: Option<BTreeSet<MemberId>>) -> Self {
        let members = BTreeMap::from([(MemberId::MODERATOR, Place::new(moderator))]);
        Self {
            members,
            next,
            moderator: MemberId::MODERATOR,
            term: 0,
            deputy: None,
            is_locked: false,
            over: false,
            restored,
        }
    }

    /// Who moderates.
    pub fn moderator(&self) -> MemberId {
        self.moderator
    }

    /// How many have taken over as the moderator.
    pub fn term(&self) -> u16 {
        self.term
    }

    /// In a session of before a restart: this member moderated when so many had taken over.
    /// Whether nobody is known to have done so later, so that it is the moderator. Whoever took it
    /// for gone meanwhile was not entitled to.
    pub fn recognise(&mut self, member: MemberId, term: u16) -> bool {
        let Some(gone) = &mut self.restored else { return false };
        if self.over || term < self.term || (term == self.term && member != self.moderator) {
            return false;
        }
        if member != self.moderator {
            gone.remove(&member);
            let before = std::mem::replace(&mut self.moderator, member);
            self.seat(before, Standing::Onlooker);
            (self.deputy, self.is_locked) = (None, false);
        }
        self.term = term;
        true
    }

    /// What a member is from now on; whether there is such a member.
    pub fn seat(&mut self, member: MemberId, standing: Standing) -> bool {
        let place = self.members.get_mut(&member);
        place.map(|place| place.standing = standing).is_some()
    }

    /// Nobody comes in any more, or people do again.
    pub fn lock(&mut self, is_locked: bool) {
        self.is_locked = is_locked;
    }

    /// Who takes over when the moderator is lost; whether there is such a member.
    pub fn set_deputy(&mut self, deputy: Option<MemberId>) -> bool {
        let is_member = deputy.is_none_or(|id| self.members.contains_key(&id));
        if is_member {
            self.deputy = deputy;
        }
        is_member
    }

    /// The deputy, if there is one and it is there, moderates from now on.
    pub fn hand_over(&mut self) -> Option<MemberId> {
        let deputy = self.deputy.filter(|id| self.member(*id).is_some())?;
        let before = std::mem::replace(&mut self.moderator, deputy);
        (self.term, self.deputy) = (self.term.saturating_add(1), None);
        self.seat(before, Standing::Onlooker);
        Some(deputy)
    }

    /// A participant comes in; `None` if there are `limit` members, the session is over, or all
    /// ids have been given out. An id is never given out twice.
    pub fn join(&mut self, participant: H, limit: usize) -> Option<MemberId> {
        let id = MemberId(self.next);
        if self.over || self.is_locked || self.members.len() >= limit || id == MemberId::ALL {
            return None;
        }
        self.next += 1;
        self.members.insert(id, Place::new(Some(participant)));
        Some(id)
    }

    /// In a session of before a restart a member of before gets its place, which it has yet to
    /// take, unless it has gone since.
    pub fn restore(&mut self, member: MemberId, limit: usize) -> bool {
        let may_return = self.restored.as_ref().is_some_and(|gone| !gone.contains(&member));
        if self.over
            || !may_return
            || member == MemberId::ALL
            || self.members.contains_key(&member)
            || self.members.len() >= limit
        {
            return false;
        }
        let block = (member.0 / IDS_PER_RUN).saturating_add(1).saturating_mul(IDS_PER_RUN);
        self.next = self.next.max(block);
        self.members.insert(member, Place::new(None));
        true
    }

    /// A member takes its place again. Returns whoever still sits there, and the new turn; `None`
    /// if the place is gone.
    pub fn resume(&mut self, member: MemberId, by: H) -> Option<(Option<H>, Turn)> {
        let place = self.members.get_mut(&member)?;
        place.turn.0 = place.turn.0.wrapping_add(1);
        Some((place.member.replace(by), place.turn))
    }

    /// A member's link broke: it keeps its place. Whether it was there, on that turn.
    pub fn away(&mut self, member: MemberId, turn: Turn) -> bool {
        match self.members.get_mut(&member) {
            Some(place) if place.turn == turn => place.member.take().is_some(),
            _ => false,
        }
    }

    /// A member goes for good if it still sits there on that turn, or is away since.
    pub fn leave(&mut self, member: MemberId, turn: Turn) -> bool {
        let is_current = self.members.get(&member).is_some_and(|place| place.turn == turn);
        is_current && self.remove(member).is_some()
    }

    /// A member is made to go; what was there, which is nothing for one that is away.
    pub fn remove(&mut self, member: MemberId) -> Option<Option<H>> {
        let place = self.members.remove(&member)?;
        if let Some(gone) = &mut self.restored {
            gone.insert(member);
        }
        Some(place.member)
    }

    /// Whether a member is away since that turn.
    pub fn is_away(&self, member: MemberId, turn: Turn) -> bool {
        let place = self.members.get(&member);
        place.is_some_and(|place| place.turn == turn && place.member.is_none())
    }

    /// The session is over: nobody comes in any more, and all who were there are returned. Once.
    pub fn end(&mut self) -> BTreeMap<MemberId, H> {
        self.over = true;
        let members = std::mem::take(&mut self.members);
        members.into_iter().filter_map(|(id, place)| Some((id, place.member?))).collect()
    }

    /// One member, if it is there.
    pub fn member(&self, member: MemberId) -> Option<&H> {
        self.members.get(&member)?.member.as_ref()
    }

    /// All who are away.
    pub fn away_now(&self) -> impl Iterator<Item = MemberId> {
        self.members.iter().filter(|(_, place)| place.member.is_none()).map(|(id, _)| *id)
    }

    /// All who are there.
    pub fn present(&self) -> impl Iterator<Item = (MemberId, &H)> {
        self.members.iter().filter_map(|(id, place)| Some((*id, place.member.as_ref()?)))
    }

    /// Those whom a packet from `source` to `destination` reaches; never the source itself,
    /// nobody if the source is no member any more, or not on that turn, or may not address them.
    /// What is for all does not reach those who have not been let in.
    pub fn receivers(
        &self,
        source: MemberId,
        turn: Turn,
        destination: MemberId,
    ) -> impl Iterator<Item = &H> {
        let from = self.members.get(&source).filter(|place| place.turn == turn);
        let from = from.map(|place| place.standing);
        self.members.iter().filter_map(move |(id, to)| {
            let is_meant = *id != source && (destination == MemberId::ALL || *id == destination);
            let is_let_in = *id == self.moderator || to.standing != Standing::Waiting;
            let may = match from? {
                _ if source == self.moderator => is_let_in || destination != MemberId::ALL,
                Standing::Device => is_let_in,
                _ if destination == MemberId::ALL => false,
                _ if *id == self.moderator => true,
                Standing::Onlooker => to.standing == Standing::Device,
                _ => false,
            };
            to.member.as_ref().filter(|_| is_meant && may)
        })
    }

    /// Members now, those who are away included.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether nobody is left.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Turn = Turn::FIRST;

    fn reached(roster: &Roster<char>, from: u16, to: MemberId) -> String {
        roster.receivers(MemberId(from), FIRST, to).collect()
    }

    #[test]
    fn packets_reach_everyone_else_or_one_and_never_come_back() {
        let mut roster = Roster::new('m');
        assert_eq!(roster.join('a', 9), Some(MemberId(2)));
        assert_eq!(roster.join('b', 9), Some(MemberId(3)));
        assert!(roster.seat(MemberId(2), Standing::Device));
        assert!(roster.seat(MemberId(3), Standing::Onlooker));
        assert_eq!(reached(&roster, 1, MemberId::ALL), "ab");
        assert_eq!(reached(&roster, 2, MemberId::ALL), "mb");
        assert_eq!(reached(&roster, 2, MemberId::MODERATOR), "m");
        assert_eq!(reached(&roster, 1, MemberId(3)), "b");
        assert_eq!(reached(&roster, 1, MemberId::MODERATOR), "");
        assert_eq!(reached(&roster, 1, MemberId(77)), "");
        assert_eq!(reached(&roster, 77, MemberId::ALL), "", "nobody speaks for no member");
    }

    #[test]
    fn a_member_addresses_only_what_its_standing_allows() {
        let mut roster = Roster::new('m');
        for member in ['d', 'o', 'p', 'w'] {
            assert!(roster.join(member, 9).is_some());
        }
        roster.seat(MemberId(2), Standing::Device);
        roster.seat(MemberId(3), Standing::Onlooker);
        roster.seat(MemberId(4), Standing::Onlooker);
        assert_eq!(reached(&roster, 1, MemberId::ALL), "dop", "not who has not been let in");
        assert_eq!(reached(&roster, 1, MemberId(5)), "w");
        assert_eq!(reached(&roster, 2, MemberId::ALL), "mop");
        for (member, reaches) in [(3, "md"), (4, "md"), (5, "m")] {
            assert_eq!(reached(&roster, member, MemberId::ALL), "");
            let each: String = (1..=5).map(|to| reached(&roster, member, MemberId(to))).collect();
            assert_eq!(each, reaches, "member {member}");
        }
    }

    #[test]
    fn the_deputy_takes_over_if_it_is_there() {
        let mut roster = Roster::new('m');
        assert!(!roster.set_deputy(Some(MemberId(2))));
        assert_eq!(roster.hand_over(), None);
        roster.join('a', 9);
        assert!(roster.set_deputy(Some(MemberId(2))));
        assert_eq!(roster.hand_over(), Some(MemberId(2)));
        assert_eq!(roster.moderator(), MemberId(2));
        assert_eq!(roster.hand_over(), None, "once");
        assert_eq!(reached(&roster, 1, MemberId(2)), "a", "the one before looks on");
    }

    #[test]
    fn after_a_restart_the_latest_moderator_counts_whoever_is_back_first() {
        let (one, two, three) = (MemberId(1), MemberId(2), MemberId(3));
        // The one who opened it is back first, and believes to be what it was.
        let mut roster = Roster::restored();
        assert!(roster.recognise(one, 0));
        roster.resume(one, 'a').unwrap();
        assert!(roster.restore(two, 9));
        assert_eq!(roster.remove(two), Some(None), "it may say so, for now");
        assert!(!roster.restore(two, 9));
        assert!(roster.recognise(two, 1), "it has taken over since");
        assert!(roster.restore(two, 9), "and was not to be removed");
        roster.resume(two, 'b').unwrap();
        assert_eq!((roster.moderator(), roster.term()), (two, 1));
        assert!(!roster.recognise(one, 0) && !roster.recognise(three, 1));
        assert_eq!(roster.moderator(), two);
        // The other way round.
        let mut roster = Roster::<char>::restored();
        assert!(roster.recognise(two, 1) && !roster.recognise(one, 0));
        assert_eq!(roster.moderator(), two);
        // In a session of this run only the session itself says who moderates.
        let mut roster = Roster::new('m');
        roster.join('a', 9);
        assert!(!roster.recognise(two, 7));
        assert_eq!(roster.moderator(), one);
    }

    #[test]
    fn nobody_comes_into_a_locked_session() {
        let mut roster = Roster::new('m');
        roster.lock(true);
        assert_eq!(roster.join('a', 9), None);
        roster.lock(false);
        assert!(roster.join('a', 9).is_some());
    }

    #[test]
    fn ids_are_never_given_out_twice() {
        let mut roster = Roster::new('m');
        let first = roster.join('a', 9).unwrap();
        assert!(roster.leave(first, FIRST));
        assert_eq!(roster.join('b', 9), Some(MemberId(first.0 + 1)));
        roster.next = MemberId::ALL.0;
        assert_eq!(roster.join('c', 9), None);
    }

    #[test]
    fn nobody_comes_into_a_full_session_or_one_that_is_over() {
        let mut roster = Roster::new('m');
        assert!(roster.join('a', 2).is_some());
        assert_eq!(roster.join('b', 2), None);
        assert_eq!(roster.end().len(), 2);
        assert!(roster.is_empty() && roster.end().is_empty());
        assert_eq!(roster.join('c', 9), None);
        assert!(!roster.restore(MemberId(2), 9));
    }

    #[test]
    fn a_member_that_is_away_gets_nothing_and_keeps_its_place() {
        let mut roster = Roster::new('m');
        let a = roster.join('a', 9).unwrap();
        let b = roster.join('b', 9).unwrap();
        assert!(roster.seat(a, Standing::Device) && roster.seat(b, Standing::Onlooker));
        assert!(roster.away(a, FIRST));
        assert!(roster.is_away(a, FIRST));
        assert_eq!(reached(&roster, 1, MemberId::ALL), "b");
        assert_eq!(roster.len(), 3);
        let (before, turn) = roster.resume(a, 'A').unwrap();
        assert_eq!(before, None);
        assert!(!roster.is_away(a, FIRST) && !roster.is_away(a, turn));
        assert_eq!(reached(&roster, 1, MemberId::ALL), "Ab");
    }

    #[test]
    fn what_is_left_of_an_earlier_link_counts_no_more() {
        let mut roster = Roster::new('m');
        let a = roster.join('a', 9).unwrap();
        let (before, turn) = roster.resume(a, 'A').unwrap();
        assert_eq!(before, Some('a'), "the old link is to be closed");
        assert_eq!(reached(&roster, a.0, MemberId::MODERATOR), "", "a packet of the old link");
        assert!(!roster.away(a, FIRST), "the old link's end");
        assert!(!roster.leave(a, FIRST), "the old link's goodbye");
        assert_eq!(roster.receivers(a, turn, MemberId::MODERATOR).count(), 1);
        assert!(roster.leave(a, turn));
        assert!(roster.resume(a, 'x').is_none(), "who left cannot come back");
    }

    #[test]
    fn after_a_restart_nobody_gets_the_id_of_one_who_may_still_come_back() {
        let mut roster = Roster::restored();
        assert_eq!(roster.member(MemberId::MODERATOR), None);
        assert!(!roster.restore(MemberId::MODERATOR, 9), "it has its place");
        assert!(roster.resume(MemberId::MODERATOR, 'm').is_some());
        assert!(roster.restore(MemberId(2), 9));
        assert!(!roster.restore(MemberId(2), 9), "once");
        assert_eq!(roster.join('n', 9), Some(MemberId(IDS_PER_RUN)));
        // A second restart, of which one that came in after the first is the first back.
        let mut roster = Roster::<char>::restored();
        assert!(roster.restore(MemberId(IDS_PER_RUN), 9));
        assert_eq!(roster.join('n', 9), Some(MemberId(2 * IDS_PER_RUN)));
    }

    #[test]
    fn nobody_is_brought_back_who_has_gone() {
        let mut roster = Roster::restored();
        assert!(roster.restore(MemberId(2), 9));
        let (_, turn) = roster.resume(MemberId(2), 'a').unwrap();
        assert!(roster.leave(MemberId(2), turn));
        assert!(!roster.restore(MemberId(2), 9));
        assert!(roster.restore(MemberId(3), 9));
        assert_eq!(roster.remove(MemberId(3)), Some(None));
        assert!(!roster.restore(MemberId(3), 9));
        assert!(!Roster::new('m').restore(MemberId(2), 9), "not in a session of this run");
    }
}
