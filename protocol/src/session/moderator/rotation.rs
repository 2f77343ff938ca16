//! Epochs and the list of members: who may read what comes next.

use std::time::{Duration, Instant};

use super::{Moderator, ModeratorEvent, State};
use crate::header::MemberId;
use crate::message::{Entry, FromModerator, NewSecret, Role, SecretBytes, Turn};
use crate::session::roster::Draft;
use crate::tunnel::EndOfSession;

/// Whoever goes within this time goes with one epoch.
const GATHER_DEPARTURES: Duration = Duration::from_millis(20);

/// A device gets the key of a new epoch when the others have it, but no later than this: what it
/// sends is for them.
const WAIT_FOR_OTHERS: Duration = Duration::from_millis(300);

/// What begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin {
    /// Nothing: only the list changes.
    Nothing,
    /// An epoch that a newcomer may know: those before stay closed to it.
    Ratchet,
    /// An epoch of which nobody who is gone knows anything.
    Fresh,
}

impl Moderator {
    /// A newcomer is about to be given the key of the epoch.
    pub(super) fn begin_epoch_for_newcomer(&mut self) {
        let Some(session) = self.session() else { return };
        let alone = !session.members.anybody_has_keys();
        self.turn(if alone { Begin::Fresh } else { Begin::Ratchet }, |_| {});
    }

    /// A member is on the list from now on; it is told itself by [`Self::tell_newcomer`].
    pub(super) fn list(&mut self, entry: Entry) {
        self.turn(Begin::Nothing, |draft| draft.put(entry));
    }

    /// Something about a member changes.
    pub(super) fn edit(&mut self, member: MemberId, edit: impl FnOnce(&mut Entry)) {
        self.turn(Begin::Nothing, |draft| draft.edit(member, edit));
    }

    /// The list itself changes.
    pub(super) fn redraft(&mut self, edit: impl FnOnce(&mut Draft<'_>)) {
        self.turn(Begin::Nothing, edit);
    }

    /// The whole list, and the key of the epoch if it is another than that which was granted.
    pub(super) fn tell_newcomer(&mut self, member: MemberId, granted: u16) {
        let Some(session) = self.session() else { return };
        let epoch = session.group.epoch();
        let secret = if epoch == granted {
            NewSecret::Same
        } else {
            NewSecret::Fresh(SecretBytes(*session.group.secret().as_bytes()))
        };
        let roster = session.roster.whole(&session.signer);
        self.control(member, &FromModerator::Turn(Turn { epoch, secret, roster }));
    }

    /// Somebody who knew the key is gone.
    pub(super) fn depart(&mut self, member: MemberId) {
        let State::Open(session) = &mut self.state else { return };
        if session.departing.iter().all(|(gone, _)| *gone != member) {
            session.departing.push((member, None));
        }
        if let Some(now) = self.clock {
            session.fresh_at.get_or_insert(now + GATHER_DEPARTURES);
        }
        self.release_grants_of(member);
    }

    /// Somebody has sent much under the key of an epoch.
    pub(super) fn wears_out(&mut self, epoch: u16) {
        if self.session().is_some_and(|session| session.group.epoch() == epoch) {
            self.turn(Begin::Ratchet, |_| {});
        }
    }

    /// A member is suspected to have passed its key on: another epoch begins.
    pub(super) fn begin_fresh_epoch(&mut self) {
        self.turn(Begin::Fresh, |_| {});
    }

    /// A list, an epoch, or both.
    fn turn(&mut self, begin: Begin, edit: impl FnOnce(&mut Draft<'_>)) {
        let State::Open(session) = &mut self.state else { return };
        let Some(now) = self.clock else { return };
        // Somebody is gone and this is the next turn: it leaves nothing to those.
        let someone_left = session.fresh_at.take().is_some();
        let begin = if someone_left { Begin::Fresh } else { begin };
        let Some(next) = session.group.epoch().checked_add(u16::from(begin != Begin::Nothing))
        else {
            log::error!("session: all epochs are used up");
            self.request(crate::tunnel::Asked::Leave);
            return self.finish(EndOfSession::Ended);
        };
        let departing: Vec<_> = session.departing.iter().map(|(gone, _)| *gone).collect();
        let focus = session.focus;
        let change = session.roster.sign(&session.signer, |draft| {
            departing.into_iter().for_each(|gone| draft.remove(gone));
            edit(draft);
            draft.set_presenter(focus);
        });
        let secret = match begin {
            Begin::Nothing => NewSecret::Same,
            Begin::Ratchet => NewSecret::Ratchet,
            Begin::Fresh => {
                let mut secret = [0; 32];
                self.rng.fill_bytes(&mut secret);
                NewSecret::Fresh(SecretBytes(secret))
            }
        };
        if let Err(error) = session.group.turn(next, &secret, now) {
            log::error!("session: {error}");
            return;
        }
        session.group.listen_to(session.roster.devices());
        if begin == Begin::Fresh {
            for (_, epoch) in &mut session.departing {
                epoch.get_or_insert(next);
            }
        }
        self.spread(&Turn { epoch: next, secret, roster: change }, now);
    }

    /// Tells everybody who is inside; devices last.
    fn spread(&mut self, turn: &Turn, now: Instant) {
        let State::Open(session) = &mut self.state else { return };
        let is_awaited = turn.secret != NewSecret::Same
            && session
                .members
                .inside()
                .any(|(_, role, member)| role != Role::Device && !member.is_away);
        let mut at_once = Vec::new();
        for (id, role, member) in session.members.inside_mut() {
            if role == Role::Device && (is_awaited || !member.held.is_empty()) {
                member.held.push(turn.clone());
                member.flush_at.get_or_insert(now + WAIT_FOR_OTHERS);
            } else {
                at_once.push(id);
            }
        }
        let roster = Box::new(session.roster.clone());
        for id in at_once {
            self.control(id, &FromModerator::Turn(turn.clone()));
        }
        self.outputs.event(ModeratorEvent::Members(roster));
        self.tell_removed();
    }

    /// A member has the keys of an epoch.
    pub(super) fn turned(&mut self, member: MemberId, epoch: u16) {
        let State::Open(session) = &mut self.state else { return };
        let present = session.group.epoch();
        if let Some(connected) = session.members.connected_mut(member) {
            connected.turned = connected.turned.max(epoch.min(present));
        }
        let is_behind = session.members.inside().any(|(_, role, member)| {
            role != Role::Device && !member.is_away && member.turned < present
        });
        if !is_behind {
            self.flush(None);
        }
        self.tell_removed();
    }

    /// Gives devices the turns that were held back: those whose time has come, or all.
    fn flush(&mut self, now: Option<Instant>) {
        let State::Open(session) = &mut self.state else { return };
        let mut turns = Vec::new();
        for (id, _, member) in session.members.inside_mut() {
            let is_due = member.flush_at.is_some_and(|due| now.is_none_or(|now| due <= now));
            if is_due {
                member.flush_at = None;
                turns.extend(member.held.drain(..).map(|turn| (id, turn)));
            }
        }
        for (id, turn) in turns {
            self.control(id, &FromModerator::Turn(turn));
        }
    }

    /// Says of whom it is true by now that they can read nothing any more: everybody who sends
    /// to all does it under a key that they do not have.
    fn tell_removed(&mut self) {
        let State::Open(session) = &mut self.state else { return };
        let slowest = session.members.inside().filter(|(_, role, _)| *role == Role::Device);
        let slowest = slowest.map(|(_, _, member)| member.turned).min().unwrap_or(u16::MAX);
        let mut removed = Vec::new();
        session.departing.retain(|(member, epoch)| {
            let is_true = epoch.is_some_and(|epoch| epoch <= slowest);
            if is_true {
                removed.push(*member);
            }
            !is_true
        });
        for member in removed {
            self.outputs.event(ModeratorEvent::Removed { member });
        }
    }

    /// Does what is due about epochs.
    pub(super) fn rotate(&mut self, now: Instant) {
        if self.session().is_some_and(|s| s.fresh_at.is_some_and(|due| due <= now)) {
            self.begin_fresh_epoch();
        }
        self.flush(Some(now));
    }

    /// The list as it is, in an epoch that nobody else may have begun, for everybody: another
    /// moderator begins.
    pub(super) fn proclaim(&mut self, now: Instant) {
        let State::Open(session) = &mut self.state else { return };
        let epoch = session.group.epoch().saturating_add(LEAVE_EPOCHS);
        let (me, focus) = (session.me, session.focus);
        session.roster.sign(&session.signer, |draft| {
            draft.skip(LEAVE_LISTS);
            draft.set_moderator(me);
            draft.set_deputy(None);
            draft.set_presenter(focus);
        });
        let mut secret = [0; 32];
        self.rng.fill_bytes(&mut secret);
        let secret = NewSecret::Fresh(SecretBytes(secret));
        if session.group.turn(epoch, &secret, now).is_err() {
            return;
        }
        session.group.listen_to(session.roster.devices());
        let roster = session.roster.whole(&session.signer);
        self.spread(&Turn { epoch, secret, roster }, now);
    }
}

/// Epochs that the moderator before may have begun without this one's knowing.
const LEAVE_EPOCHS: u16 = 64;

/// Lists that the moderator before may have signed without this one's knowing.
const LEAVE_LISTS: u32 = 10_000;
