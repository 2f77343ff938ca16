//! The members of one session, and whom a packet reaches.

use std::collections::BTreeMap;

use lotse_protocol::MemberId;

/// The members of one session, with something for each, most likely how to reach it.
#[derive(Debug)]
pub struct Roster<H> {
    members: BTreeMap<MemberId, H>,
    next: u16,
    over: bool,
}

impl<H> Roster<H> {
    /// A session with its moderator.
    pub fn new(moderator: H) -> Self {
        let members = BTreeMap::from([(MemberId::MODERATOR, moderator)]);
        Self { members, next: MemberId::MODERATOR.0 + 1, over: false }
    }

    /// A participant comes in; `None` if there are `limit` members, the session is over, or all
    /// ids have been given out. An id is never given out twice.
    pub fn join(&mut self, participant: H, limit: usize) -> Option<MemberId> {
        let id = MemberId(self.next);
        if self.over || self.members.len() >= limit || id == MemberId::ALL {
            return None;
        }
        self.next += 1;
        self.members.insert(id, participant);
        Some(id)
    }

    /// A member goes.
    pub fn leave(&mut self, member: MemberId) -> Option<H> {
        self.members.remove(&member)
    }

    /// The session is over: nobody comes in any more, and all who were in it are returned. Once.
    pub fn end(&mut self) -> BTreeMap<MemberId, H> {
        self.over = true;
        std::mem::take(&mut self.members)
    }

    /// One member.
    pub fn member(&self, member: MemberId) -> Option<&H> {
        self.members.get(&member)
    }

    /// Those whom a packet from `source` to `destination` reaches; never the source itself,
    /// nobody if the source is no member any more.
    pub fn receivers(&self, source: MemberId, destination: MemberId) -> impl Iterator<Item = &H> {
        let is_member = self.members.contains_key(&source);
        self.members
            .iter()
            .filter(move |(id, _)| {
                is_member && **id != source && (destination == MemberId::ALL || **id == destination)
            })
            .map(|(_, member)| member)
    }

    /// Members now.
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

    fn reached(roster: &Roster<char>, from: u16, to: MemberId) -> String {
        roster.receivers(MemberId(from), to).collect()
    }

    #[test]
    fn packets_reach_everyone_else_or_one_and_never_come_back() {
        let mut roster = Roster::new('m');
        assert_eq!(roster.join('a', 9), Some(MemberId(2)));
        assert_eq!(roster.join('b', 9), Some(MemberId(3)));
        assert_eq!(reached(&roster, 1, MemberId::ALL), "ab");
        assert_eq!(reached(&roster, 2, MemberId::ALL), "mb");
        assert_eq!(reached(&roster, 2, MemberId::MODERATOR), "m");
        assert_eq!(reached(&roster, 1, MemberId(3)), "b");
        assert_eq!(reached(&roster, 1, MemberId::MODERATOR), "");
        assert_eq!(reached(&roster, 1, MemberId(77)), "");
        assert_eq!(reached(&roster, 77, MemberId::ALL), "", "nobody speaks for no member");
    }

    #[test]
    fn ids_are_never_given_out_twice() {
        let mut roster = Roster::new('m');
        let first = roster.join('a', 9).unwrap();
        roster.leave(first);
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
    }
}
