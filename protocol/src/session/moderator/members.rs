//! Everybody else in the session, and how far each has come.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::handshake::Level;
use crate::handshake::moderator::{Admission, ExpectJoinProof, ExpectJoinRequest};
use crate::header::MemberId;
use crate::message::{CoveredParts, Name, OutputList, Rights, Role, ScreenReport, Turn};
use crate::session::pair::Pair;
use crate::session::{DEVICE_SILENT_AFTER, MAX_MEMBERS};

/// A member on its way in or inside.
pub(super) struct Member {
    pub(super) role: Role,
    pub(super) stage: Stage,
}

/// How far a member has come.
pub(super) enum Stage {
    /// It waits until fewer are being let in.
    Waiting,
    /// Its request is due until then.
    Request(ExpectJoinRequest, Instant),
    /// Its request is here and waits, unanswered, until the technician admits it.
    Held(ExpectJoinRequest, Vec<u8>),
    /// Its proof is due until then.
    Proof(ExpectJoinProof, Instant),
    /// The people compare.
    Compare(Admission),
    /// The keys are on their way; the person there is asked.
    Consent(Box<Granted>),
    /// It is inside.
    Connected(Box<Connected>),
}

/// A member that was given keys.
pub(super) struct Granted {
    pub(super) pair: Pair,
    pub(super) name: Name,
    pub(super) level: Level,
    pub(super) instance: u16,
    pub(super) epoch: u16,
    /// No more than these, whatever it says.
    pub(super) most: Rights,
}

/// A member that has its keys and whose person has consented.
pub(super) struct Connected {
    pub(super) pair: Pair,
    pub(super) rights: Rights,
    /// The epoch that it has acknowledged.
    pub(super) turned: u16,
    /// Turns that it gets when the others have them: it sends for all.
    pub(super) held: Vec<Turn>,
    /// When it gets them at the latest.
    pub(super) flush_at: Option<Instant>,
    /// When something last came from it.
    pub(super) heard: Instant,
    pub(super) is_silent: bool,
    /// Its link is broken; it may come back.
    pub(super) is_away: bool,
    /// What it has said about its screens, if it is a device.
    pub(super) screens: Screens,
}

/// What a device has said last about its screens.
#[derive(Debug, Default)]
pub(super) struct Screens {
    pub(super) report: Option<ScreenReport>,
    pub(super) outputs: Option<Box<OutputList>>,
    pub(super) covered: CoveredParts,
}

impl Connected {
    pub(super) fn new(pair: Pair, rights: Rights, now: Instant) -> Self {
        Self {
            pair,
            rights,
            turned: 0,
            held: Vec::new(),
            flush_at: None,
            heard: now,
            is_silent: false,
            is_away: false,
            screens: Screens::default(),
        }
    }

    /// When the device will have been silent for too long, unless it already has.
    pub(super) fn silent_at(&self) -> Option<Instant> {
        let is_watched = self.rights.allows(Rights::CONTROL) && !self.is_silent && !self.is_away;
        is_watched.then(|| self.heard + DEVICE_SILENT_AFTER)
    }
}

impl Stage {
    /// Whether a password may be being tried: the moderator's share is out, and no proof came.
    pub(super) fn is_password_run(&self) -> bool {
        matches!(self, Self::Proof(state, _) if state.level() == Level::Password)
    }
}

impl Member {
    /// Whether a handshake with it is under way.
    fn is_shaking_hands(&self) -> bool {
        match &self.stage {
            Stage::Waiting | Stage::Held(..) | Stage::Connected(_) => false,
            // Whoever types a password takes long, and whoever pretends to keeps nobody out.
            Stage::Request(state, _) => !state.waits_for_person(),
            _ => true,
        }
    }

    /// Whether it may know the key of an epoch.
    pub(super) fn has_keys(&self) -> bool {
        matches!(self.stage, Stage::Consent(_) | Stage::Connected(_))
    }

    /// Until when it must have answered; nobody sets a person a time here.
    fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Request(_, until) | Stage::Proof(_, until) => Some(until),
            _ => None,
        }
    }
}

/// All members but the moderator, fewer than [`MAX_MEMBERS`].
#[derive(Default)]
pub(super) struct Members(BTreeMap<MemberId, Member>);

impl Members {
    /// A member came in; whether there is room for it.
    pub(super) fn add(&mut self, id: MemberId) -> bool {
        let has_room = self.0.len() < MAX_MEMBERS - 1;
        if has_room {
            self.0.insert(id, Member { role: Role::Device, stage: Stage::Waiting });
        }
        has_room
    }

    pub(super) fn get(&self, id: MemberId) -> Option<&Member> {
        self.0.get(&id)
    }

    /// Takes a member out, to move it on or to forget it.
    pub(super) fn take(&mut self, id: MemberId) -> Option<Member> {
        self.0.remove(&id)
    }

    /// Puts a member back that was taken out.
    pub(super) fn put(&mut self, id: MemberId, member: Member) {
        self.0.insert(id, member);
    }

    pub(super) fn connected(&self, id: MemberId) -> Option<&Connected> {
        match self.get(id) {
            Some(Member { stage: Stage::Connected(connected), .. }) => Some(connected),
            _ => None,
        }
    }

    pub(super) fn connected_mut(&mut self, id: MemberId) -> Option<&mut Connected> {
        match self.0.get_mut(&id) {
            Some(Member { stage: Stage::Connected(connected), .. }) => Some(connected),
            _ => None,
        }
    }

    /// Those who are inside.
    pub(super) fn inside(&self) -> impl Iterator<Item = (MemberId, Role, &Connected)> {
        self.0.iter().filter_map(|(id, member)| match &member.stage {
            Stage::Connected(connected) => Some((*id, member.role, &**connected)),
            _ => None,
        })
    }

    /// Those who are inside, to be changed.
    pub(super) fn inside_mut(&mut self) -> impl Iterator<Item = (MemberId, Role, &mut Connected)> {
        self.0.iter_mut().filter_map(|(id, member)| match &mut member.stage {
            Stage::Connected(connected) => Some((*id, member.role, &mut **connected)),
            _ => None,
        })
    }

    /// Those who are not inside.
    pub(super) fn outside(&self) -> Vec<MemberId> {
        let outside = self.0.iter().filter(|(_, m)| !matches!(m.stage, Stage::Connected(_)));
        outside.map(|(id, _)| *id).collect()
    }

    /// Whether anybody else may know the key of an epoch.
    pub(super) fn anybody_has_keys(&self) -> bool {
        self.0.values().any(Member::has_keys)
    }

    /// Members with whom a handshake is under way.
    pub(super) fn shaking_hands(&self) -> usize {
        self.0.values().filter(|member| member.is_shaking_hands()).count()
    }

    /// Devices that are inside or about to be, without this one.
    pub(super) fn devices_besides(&self, id: MemberId) -> usize {
        let is_device = |(other, member): &(&MemberId, &Member)| {
            let has_asked =
                !matches!(member.stage, Stage::Waiting | Stage::Request(..) | Stage::Held(..));
            **other != id && member.role == Role::Device && has_asked
        };
        self.0.iter().filter(is_device).count()
    }

    /// Who has waited longest to be let in.
    pub(super) fn next_waiting(&self) -> Option<MemberId> {
        self.find(|stage| matches!(stage, Stage::Waiting))
    }

    /// Whose code has waited longest to be compared.
    pub(super) fn next_to_compare(&self) -> Option<MemberId> {
        self.find(|stage| matches!(stage, Stage::Compare(_)))
    }

    /// The device that came in first.
    pub(super) fn first_device(&self) -> Option<MemberId> {
        self.inside().find(|(_, role, _)| *role == Role::Device).map(|(id, ..)| id)
    }

    /// Who should have answered by now.
    pub(super) fn overdue(&self, now: Instant) -> Option<MemberId> {
        let mut late = self.0.iter().filter(|(_, m)| m.deadline().is_some_and(|due| due <= now));
        late.next().map(|(id, _)| *id)
    }

    /// When somebody should have answered, or something is due to somebody.
    pub(super) fn due(&self) -> Option<Instant> {
        let deadlines = self.0.values().filter_map(Member::deadline);
        let inside = self.inside().flat_map(|(_, _, member)| {
            let due = if member.is_away { None } else { member.pair.due() };
            due.into_iter().chain(member.flush_at)
        });
        deadlines.chain(inside).min()
    }

    /// Passwords that may be being tried at this moment.
    pub(super) fn passwords_under_way(&self) -> usize {
        self.0.values().filter(|member| member.stage.is_password_run()).count()
    }

    fn find(&self, is: impl Fn(&Stage) -> bool) -> Option<MemberId> {
        self.0.iter().find(|(_, member)| is(&member.stage)).map(|(id, _)| *id)
    }
}
