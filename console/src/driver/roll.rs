//! Who is in the session, from the signed list, the server's notices, and who waits outside.

use std::collections::{BTreeMap, BTreeSet};

use lotse_protocol::MemberId;
use lotse_protocol::message::{Entry, Rights, Role};
use lotse_protocol::session::Roster;

use super::translate;
use crate::model::{Level, Member, Peer};

/// What the driver remembers of the others.
#[derive(Default)]
pub(super) struct Roll {
    list: Option<Roster>,
    away: BTreeSet<MemberId>,
    /// They are gone; the list will say so soon.
    gone: BTreeSet<MemberId>,
    /// Those who wait until the technician lets them in.
    waiting: BTreeMap<MemberId, Wait>,
    /// What was told last of the device that is seen.
    pub(super) told: Option<(Option<MemberId>, Rights)>,
}

/// What somebody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// That the technician expects somebody of this name.
    Name,
    /// That the codes were compared, or, where something was checked, for a word of the
    /// technician.
    Word,
}

impl Roll {
    /// The list has changed.
    pub(super) fn take(&mut self, list: Roster) {
        self.gone.retain(|member| list.get(*member).is_some());
        self.away.retain(|member| list.get(*member).is_some());
        self.list = Some(list);
    }

    pub(super) fn set_away(&mut self, member: MemberId, is_away: bool) {
        if is_away {
            self.away.insert(member);
        } else {
            self.away.remove(&member);
        }
    }

    pub(super) fn wait(&mut self, member: MemberId, wait: Wait) {
        self.waiting.insert(member, wait);
    }

    /// Somebody waits no longer; what for.
    pub(super) fn waits_no_longer(&mut self, member: MemberId) -> Option<Wait> {
        self.waiting.remove(&member)
    }

    /// Somebody is gone; the name, if it was inside.
    pub(super) fn forget(&mut self, member: MemberId) -> Option<String> {
        self.waiting.remove(&member);
        self.away.remove(&member);
        let name = self.inside().find(|entry| entry.member == member).map(name)?;
        self.gone.insert(member);
        Some(name)
    }

    fn inside(&self) -> impl Iterator<Item = &Entry> {
        let entries = self.list.iter().flat_map(Roster::iter);
        entries.filter(|entry| !self.gone.contains(&entry.member))
    }

    /// Whether nobody but this program is inside.
    pub(super) fn is_alone(&self, me: Option<MemberId>) -> bool {
        self.inside().all(|entry| Some(entry.member) == me)
    }

    pub(super) fn presenter(&self) -> Option<MemberId> {
        self.list.as_ref()?.presenter().filter(|member| !self.gone.contains(member))
    }

    pub(super) fn moderator(&self) -> Option<MemberId> {
        self.list.as_ref().map(Roster::moderator)
    }

    /// The device that is seen, with what this program may do there.
    pub(super) fn presented(&self, me: Option<MemberId>) -> Option<(MemberId, Rights, Peer)> {
        let presenter = self.presenter()?;
        let entry = self.inside().find(|entry| entry.member == presenter)?;
        let controls = entry.controller.is_some() && entry.controller == me;
        let rights = if controls { entry.rights } else { entry.rights.without(Rights::CONTROL) };
        let level = entry.level.map_or(Level::None, translate::level);
        let peer = Peer { name: name(entry), rights: translate::rights(rights), level };
        Some((presenter, rights, peer))
    }

    /// Everybody, as it is shown.
    pub(super) fn members(&self, me: Option<MemberId>) -> Vec<Member> {
        let Some(list) = &self.list else { return Vec::new() };
        let member = |entry: &Entry| Member {
            id: entry.member.0,
            name: name(entry),
            is_device: entry.role == Role::Device,
            level: entry.level.map(translate::level),
            rights: translate::rights(entry.rights),
            controller: entry.controller.map(|controller| controller.0),
            is_me: Some(entry.member) == me,
            is_moderator: list.moderator() == entry.member,
            is_deputy: list.deputy() == Some(entry.member),
            is_presenter: self.presenter() == Some(entry.member),
            is_away: self.away.contains(&entry.member),
        };
        self.inside().map(member).collect()
    }
}

/// A name that is there.
fn name(entry: &Entry) -> String {
    if entry.name.trim().is_empty() { "?".to_owned() } else { entry.name.to_string() }
}
