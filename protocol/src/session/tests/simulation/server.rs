//! The server of a simulated world, as `docs/protocol.md` describes it.

use std::collections::{BTreeMap, BTreeSet};

use super::Node;
use crate::SessionNumber;
use crate::header::MemberId;
use crate::tunnel::{
    Answer, Asked, Departure, EndOfSession, Notice, Refusal, ResumeToken, SessionId, Standing,
};

struct Place {
    node: Node,
    is_away: bool,
    standing: Standing,
}

#[derive(Default)]
pub(super) struct Server {
    places: BTreeMap<MemberId, Place>,
    nodes: BTreeMap<MemberId, Node>,
    moderator: Option<MemberId>,
    deputy: Option<MemberId>,
    term: u16,
    is_locked: bool,
    next: u16,
    /// Members that get everything, whatever the moderator says.
    colluding: BTreeSet<MemberId>,
}

type Notices = Vec<(Node, Notice)>;

impl Server {
    pub(super) fn number() -> SessionNumber {
        SessionNumber::try_from(123_456_789).unwrap()
    }

    pub(super) fn node(&self, member: MemberId) -> Node {
        self.nodes[&member]
    }

    pub(super) fn collude(&mut self, member: MemberId) {
        self.colluding.insert(member);
    }

    fn seat(&mut self, member: MemberId, node: Node) {
        let place = Place { node, is_away: false, standing: Standing::Waiting };
        self.places.insert(member, place);
        self.nodes.insert(member, node);
    }

    pub(super) fn receivers(&self, from: MemberId, to: MemberId) -> Vec<MemberId> {
        let Some(source) = self.places.get(&from) else { return Vec::new() };
        let is_moderator = |member| self.moderator == Some(member);
        let let_in = |member: MemberId, place: &Place| {
            is_moderator(member) || place.standing != Standing::Waiting
        };
        let may = |member: MemberId, place: &Place| match source.standing {
            _ if is_moderator(from) => to != MemberId::ALL || let_in(member, place),
            Standing::Device => let_in(member, place),
            _ if to == MemberId::ALL => false,
            _ if is_moderator(member) => true,
            Standing::Onlooker => place.standing == Standing::Device,
            Standing::Waiting => false,
        };
        let members = self.places.iter().filter(|(member, place)| {
            **member != from
                && !place.is_away
                && (to == MemberId::ALL || **member == to)
                && may(**member, place)
        });
        let spies = self.colluding.iter().filter(|spy| !self.places.contains_key(spy));
        members.map(|(member, _)| member).chain(spies).copied().collect()
    }

    fn tell_moderator(&self, notice: Notice) -> Notices {
        let place = self.moderator.and_then(|moderator| self.places.get(&moderator));
        place.filter(|place| !place.is_away).map(|place| (place.node, notice)).into_iter().collect()
    }

    fn tell_all(&self, notice: &Notice) -> Notices {
        let present = self.places.values().filter(|place| !place.is_away);
        present.map(|place| (place.node, notice.clone())).collect()
    }

    pub(super) fn ask(
        &mut self,
        from: Option<MemberId>,
        node: Node,
        what: &Asked,
    ) -> (Answer, Notices) {
        let from = from.filter(|member| self.places.contains_key(member));
        let is_moderator = from.is_some() && from == self.moderator;
        let token = || ResumeToken(heapless::Vec::new());
        match *what {
            Asked::Open => {
                self.seat(MemberId::MODERATOR, node);
                self.moderator = Some(MemberId::MODERATOR);
                self.next = 2;
                let (number, session) = (Self::number(), SessionId([9; 16]));
                let opened = Answer::Opened { number, session, expires_in_s: 600, resume: token() };
                (opened, Vec::new())
            }
            Asked::Join { .. } if self.is_locked || self.moderator.is_none() => {
                (Answer::Refused(Refusal::NotAvailable), Vec::new())
            }
            Asked::Join { .. } => {
                let member = MemberId(self.next);
                self.next += 1;
                self.seat(member, node);
                let session = SessionId([9; 16]);
                let moderator = self.moderator.unwrap_or(MemberId::MODERATOR);
                let joined = Answer::Joined { session, member, moderator, resume: token() };
                (joined, self.tell_moderator(Notice::MemberJoined { member }))
            }
            Asked::Leave => {
                let Some(member) = from else {
                    return (Answer::Refused(Refusal::NotAllowed), Vec::new());
                };
                (Answer::Done, self.gone(member, Departure::Left))
            }
            Asked::Remove { member } if is_moderator => {
                let mut notices = Vec::new();
                if let Some(place) = self.places.remove(&member) {
                    let why = EndOfSession::Removed;
                    notices.push((place.node, Notice::SessionEnded { why }));
                    let how = Departure::Removed;
                    notices.extend(self.tell_moderator(Notice::MemberLeft { member, how }));
                }
                (Answer::Done, notices)
            }
            Asked::Seat { member, standing } if is_moderator => {
                match self.places.get_mut(&member) {
                    Some(place) => {
                        place.standing = standing;
                        (Answer::Done, Vec::new())
                    }
                    None => (Answer::Refused(Refusal::NotAllowed), Vec::new()),
                }
            }
            Asked::Lock(is_locked) if is_moderator => {
                self.is_locked = is_locked;
                (Answer::Done, Vec::new())
            }
            Asked::Deputy(deputy) if is_moderator => {
                self.deputy = deputy;
                (Answer::Done, Vec::new())
            }
            Asked::HandOver if is_moderator => match self.hand_over() {
                Some(notices) => (Answer::Done, notices),
                None => (Answer::Refused(Refusal::NotAllowed), Vec::new()),
            },
            _ => (Answer::Refused(Refusal::NotAllowed), Vec::new()),
        }
    }

    fn hand_over(&mut self) -> Option<Notices> {
        let is_there = |id: &MemberId| self.places.get(id).is_some_and(|place| !place.is_away);
        let member = self.deputy.filter(is_there)?;
        let before = self.moderator.replace(member)?;
        self.deputy = None;
        if let Some(place) = self.places.get_mut(&before) {
            place.standing = Standing::Onlooker;
        }
        self.term += 1;
        Some(self.tell_all(&Notice::ModeratorIs { member, term: self.term }))
    }

    fn gone(&mut self, member: MemberId, how: Departure) -> Notices {
        self.places.remove(&member);
        if self.moderator != Some(member) {
            return self.tell_moderator(Notice::MemberLeft { member, how });
        }
        if how != Departure::Left
            && let Some(mut notices) = self.hand_over()
        {
            notices.extend(self.tell_moderator(Notice::MemberLeft { member, how }));
            return notices;
        }
        let why = match how {
            Departure::Left => EndOfSession::Ended,
            _ => EndOfSession::ModeratorLost,
        };
        let notices = self.tell_all(&Notice::SessionEnded { why });
        self.places.clear();
        self.moderator = None;
        notices
    }

    pub(super) fn away(&mut self, member: MemberId) -> Notices {
        let Some(place) = self.places.get_mut(&member) else { return Vec::new() };
        place.is_away = true;
        let notice = Notice::MemberAway { member };
        if self.moderator == Some(member) {
            self.tell_all(&notice)
        } else {
            self.tell_moderator(notice)
        }
    }

    pub(super) fn back(&mut self, member: MemberId) -> Option<Notices> {
        let place = self.places.get_mut(&member)?;
        place.is_away = false;
        let node = place.node;
        let mut notices = Vec::new();
        if let Some(moderator) = self.moderator {
            notices.push((node, Notice::ModeratorIs { member: moderator, term: self.term }));
        }
        for (other, place) in &self.places {
            let one_moderates = self.moderator == Some(member) || self.moderator == Some(*other);
            if *other != member && !place.is_away && one_moderates {
                notices.push((place.node, Notice::MemberBack { member }));
                notices.push((node, Notice::MemberBack { member: *other }));
            }
        }
        Some(notices)
    }

    pub(super) fn lost(&mut self, member: MemberId) -> Notices {
        if self.places.contains_key(&member) {
            self.gone(member, Departure::Lost)
        } else {
            Vec::new()
        }
    }
}
