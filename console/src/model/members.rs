//! Who is in the session, and who wants to come in or to control.

use std::collections::BTreeMap;
use std::time::Instant;

use super::state::shown_name;
use super::{Command, Event, Level, Rights};

/// Requests that are shown at most; there are no more members.
const MAX_SHOWN: usize = 100;

/// What this program is in the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// It lets people in and says who controls.
    #[default]
    Moderator,
    /// It looks on.
    Onlooker,
}

impl Role {
    /// The word for scripts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Moderator => "moderator",
            Self::Onlooker => "onlooker",
        }
    }
}

/// One member, as the moderator has written it down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// As the session counts its members.
    pub id: u16,
    /// How it calls itself; with certificates, how its operator does.
    pub name: String,
    /// A device that shows its screen, or another console.
    pub is_device: bool,
    /// How sure the moderator was; nothing for the one who opened the session.
    pub level: Option<Level>,
    /// What may be done at it, if it is a device.
    pub rights: Rights,
    /// Who controls it, if it is a device and somebody does.
    pub controller: Option<u16>,
    /// This program itself.
    pub is_me: bool,
    /// It moderates.
    pub is_moderator: bool,
    /// It takes over when the moderator is lost.
    pub is_deputy: bool,
    /// Its screen is the one that everybody sees.
    pub is_presenter: bool,
    /// Its link is broken; it may come back.
    pub is_away: bool,
}

/// What this program knows of the others in the session.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// What this program is.
    pub role: Role,
    /// Everybody who is inside, this program included.
    pub members: Vec<Member>,
    /// Since when somebody's link is broken.
    pub away_since: BTreeMap<u16, Instant>,
    /// Who would like to control the device.
    pub asks_control: Vec<u16>,
    /// Who was sent away, and may still be able to read something: number and name.
    pub leaving: Vec<(u16, String)>,
    /// Who was sent away last and can read nothing any more.
    pub removed: Option<String>,
    /// Nobody else comes in.
    pub is_locked: bool,
    /// Somebody was shown another list of members: somebody lies.
    pub lists_differ: bool,
}

impl Group {
    /// Members besides this program and the device that is seen: with them the list is of use.
    pub fn has_company(&self) -> bool {
        self.members.iter().filter(|member| !member.is_me && !member.is_presenter).count() > 0
    }

    /// One member.
    pub fn get(&self, id: u16) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    /// Whether this program moderates.
    pub fn moderates(&self) -> bool {
        self.role == Role::Moderator
    }

    /// The device that everybody sees.
    pub fn presenter(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.is_presenter)
    }

    /// Notes that a command was given.
    pub(super) fn note(&mut self, command: &Command) {
        match command {
            Command::Kick { member } => {
                if let Some(known) = self.get(*member) {
                    self.leaving.push((*member, known.name.clone()));
                }
                (self.removed, self.lists_differ) = (None, false);
            }
            Command::GiveControl { member } => self.asks_control.retain(|id| id != member),
            Command::TakeControl => self.asks_control.clear(),
            _ => {}
        }
    }

    pub(super) fn apply(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Role(role) => {
                self.role = *role;
                self.asks_control.clear();
                self.is_locked = false;
            }
            Event::Members(members) => self.list(members, now),
            Event::AsksControl { member }
                if !self.asks_control.contains(member) && self.asks_control.len() < MAX_SHOWN =>
            {
                self.asks_control.push(*member);
            }
            Event::Removed { member } => {
                if let Some(at) = self.leaving.iter().position(|(id, _)| id == member) {
                    self.removed = Some(self.leaving.remove(at).1);
                }
            }
            Event::Locked(is_locked) => self.is_locked = *is_locked,
            Event::ListsDiffer => self.lists_differ = true,
            _ => {}
        }
    }

    fn list(&mut self, members: &[Member], now: Instant) {
        self.members = members.to_vec();
        for member in &mut self.members {
            member.name = shown_name(&member.name);
            if member.is_away {
                self.away_since.entry(member.id).or_insert(now);
            } else {
                self.away_since.remove(&member.id);
            }
        }
        let is_inside = |id: &u16| members.iter().any(|member| member.id == *id);
        self.away_since.retain(|id, _| is_inside(id));
        self.asks_control.retain(is_inside);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn member(id: u16, is_away: bool) -> Member {
        Member {
            id,
            name: format!("member\u{202e} {id}\n"),
            is_device: false,
            level: None,
            rights: Rights::NONE,
            controller: None,
            is_me: id == 1,
            is_moderator: id == 1,
            is_deputy: false,
            is_presenter: id == 2,
            is_away,
        }
    }

    #[test]
    fn one_device_is_no_company() {
        let mut group = Group::default();
        let now = Instant::now();
        group.apply(&Event::Members(vec![member(1, false), member(2, false)]), now);
        assert!(!group.has_company());
        group.apply(&Event::Members((1..4).map(|id| member(id, false)).collect()), now);
        assert!(group.has_company());
        assert_eq!(group.members[2].name, "member 3", "made harmless");
    }

    #[test]
    fn away_counts_from_when_the_link_broke_and_ends_with_it() {
        let mut group = Group::default();
        let now = Instant::now();
        let later = now + Duration::from_secs(3);
        for at in [now, later] {
            group.apply(&Event::Members(vec![member(1, false), member(3, true)]), at);
        }
        assert_eq!(group.away_since.get(&3), Some(&now));
        group.apply(&Event::Members(vec![member(1, false), member(3, false)]), later);
        assert!(group.away_since.is_empty());
    }

    #[test]
    fn removed_is_not_said_before_it_is_true() {
        let mut group = Group::default();
        let now = Instant::now();
        group.apply(&Event::Members(vec![member(1, false), member(3, false)]), now);
        group.note(&Command::Kick { member: 3 });
        group.apply(&Event::Members(vec![member(1, false)]), now);
        assert_eq!((group.leaving.len(), &group.removed), (1, &None));
        group.apply(&Event::Removed { member: 3 }, now);
        assert_eq!((group.leaving.len(), group.removed.as_deref()), (0, Some("member 3")));
    }
}
