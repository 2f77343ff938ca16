//! Who is in the session, as the moderator has signed it.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

use super::MAX_MEMBERS;
use super::tampered::Tampered;
use crate::header::MemberId;
use crate::message::{Entry, List, Role, RosterChange, Signature, encode};
use crate::tunnel::SessionId;

/// The list of members. Everybody in the session has the same, or can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    session: SessionId,
    number: u32,
    term: u16,
    moderator: MemberId,
    deputy: Option<MemberId>,
    presenter: Option<MemberId>,
    entries: BTreeMap<MemberId, Entry>,
}

impl Roster {
    /// An empty list.
    pub(super) fn new(session: SessionId, moderator: MemberId) -> Self {
        Self {
            session,
            number: 0,
            term: 0,
            moderator,
            deputy: None,
            presenter: None,
            entries: BTreeMap::new(),
        }
    }

    /// Its number: one more for each change.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// How many have taken over as the moderator.
    pub(super) fn term(&self) -> u16 {
        self.term
    }

    /// The number of the term that begins when somebody takes over.
    pub(super) fn next_term(&self) -> u16 {
        self.term.wrapping_add(1)
    }

    /// Who moderates.
    pub fn moderator(&self) -> MemberId {
        self.moderator
    }

    /// Who takes over when the moderator is lost.
    pub fn deputy(&self) -> Option<MemberId> {
        self.deputy
    }

    /// The device whose screen everybody sees.
    pub fn presenter(&self) -> Option<MemberId> {
        self.presenter
    }

    /// One member.
    pub fn get(&self, member: MemberId) -> Option<&Entry> {
        self.entries.get(&member)
    }

    /// All members, the moderator included.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// All devices.
    pub fn devices(&self) -> impl Iterator<Item = &Entry> {
        self.iter().filter(|entry| entry.role == Role::Device)
    }

    /// What two members compare, and what the moderator signs.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix(b"lotse/1 roster");
        hash.update(self.session.0);
        hash.update(self.number.to_be_bytes());
        hash.update(self.term.to_be_bytes());
        hash.update(self.moderator.0.to_be_bytes());
        for role in [self.deputy, self.presenter] {
            hash.update(role.map_or([0; 2], |member| member.0.to_be_bytes()));
        }
        for entry in self.entries.values() {
            let bytes = encode(entry);
            // An entry is far shorter than 4 GiB.
            hash.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
            hash.update(bytes);
        }
        hash.finalize().into()
    }

    /// Changes it, as the moderator: `change` gets at the entries, and what it does is signed.
    pub(super) fn sign(
        &mut self,
        signer: &SigningKey,
        edit: impl FnOnce(&mut Draft<'_>),
    ) -> RosterChange {
        let before = self.entries.clone();
        edit(&mut Draft(self));
        self.number = self.number.saturating_add(1);
        let gone = before.keys().filter(|member| !self.entries.contains_key(member)).copied();
        let changed = self.entries.iter().filter(|(id, entry)| before.get(id) != Some(entry));
        let changed = List::of(changed.map(|(_, entry)| entry.clone()));
        self.change(signer, false, List::of(gone), changed)
    }

    /// The whole of it, for somebody who has nothing yet.
    pub(super) fn whole(&self, signer: &SigningKey) -> RosterChange {
        self.change(signer, true, List::default(), List::of(self.entries.values().cloned()))
    }

    fn change(
        &self,
        signer: &SigningKey,
        is_whole: bool,
        gone: List<MemberId, MAX_MEMBERS>,
        changed: List<Entry, MAX_MEMBERS>,
    ) -> RosterChange {
        let signed = signer.sign(&self.hash());
        let signature = Signature { r: *signed.r_bytes(), s: *signed.s_bytes() };
        let (number, term) = (self.number, self.term);
        let (moderator, deputy, presenter) = (self.moderator, self.deputy, self.presenter);
        RosterChange {
            number,
            term,
            is_whole,
            moderator,
            deputy,
            presenter,
            gone,
            changed,
            signature,
        }
    }

    /// The list after a change. `trusted` is the moderator's key, if it is known yet; otherwise
    /// that of the list itself counts, which came over a channel that only the moderator has.
    ///
    /// # Errors
    /// If the change does not follow this list, or the signature does not fit.
    pub(super) fn after(
        &self,
        change: RosterChange,
        trusted: Option<[u8; 32]>,
    ) -> Result<Self, Tampered> {
        let mut next =
            if change.is_whole { Self::new(self.session, change.moderator) } else { self.clone() };
        let follows = self.number.checked_add(1) == Some(change.number);
        if !(follows || change.is_whole && change.number > self.number) {
            return Err(Tampered("a list of members that is not the next"));
        }
        (next.number, next.term) = (change.number, change.term);
        next.moderator = change.moderator;
        (next.deputy, next.presenter) = (change.deputy, change.presenter);
        for member in change.gone {
            next.entries.remove(&member);
        }
        for entry in change.changed {
            next.entries.insert(entry.member, entry);
        }
        if next.entries.len() > MAX_MEMBERS {
            return Err(Tampered("a list of more members than a session has"));
        }
        let stated = next.get(next.moderator).map(|entry| entry.key);
        let key = trusted.or(stated).ok_or(Tampered("a list without a moderator"))?;
        let signature =
            ed25519_dalek::Signature::from_components(change.signature.r, change.signature.s);
        VerifyingKey::from_bytes(&key)
            .and_then(|key| key.verify_strict(&next.hash(), &signature))
            .map_err(|_| Tampered("a list of members that the moderator has not signed"))?;
        if stated != Some(key) {
            return Err(Tampered("a list with another moderator's key"));
        }
        Ok(next)
    }
}

/// A list that the moderator changes.
pub(super) struct Draft<'a>(&'a mut Roster);

impl Draft<'_> {
    pub(super) fn put(&mut self, entry: Entry) {
        self.0.entries.insert(entry.member, entry);
    }

    pub(super) fn remove(&mut self, member: MemberId) {
        self.0.entries.remove(&member);
        self.0.deputy.take_if(|deputy| *deputy == member);
        self.0.presenter.take_if(|presenter| *presenter == member);
    }

    pub(super) fn edit(&mut self, member: MemberId, edit: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.0.entries.get_mut(&member) {
            edit(entry);
        }
    }

    /// Somebody else moderates: all grants are over.
    pub(super) fn set_moderator(&mut self, moderator: MemberId) {
        self.0.moderator = moderator;
        self.0.term = self.0.next_term();
        self.0.entries.values_mut().for_each(|entry| entry.controller = None);
    }

    /// Leaves room for lists that somebody else may have signed and that nobody here has seen.
    pub(super) fn skip(&mut self, numbers: u32) {
        self.0.number = self.0.number.saturating_add(numbers);
    }

    pub(super) fn set_presenter(&mut self, presenter: Option<MemberId>) {
        self.0.presenter = presenter.filter(|member| self.0.entries.contains_key(member));
    }

    pub(super) fn set_deputy(&mut self, deputy: Option<MemberId>) {
        self.0.deputy = deputy;
    }
}
