//! What every member that is inside has, the moderator apart: a channel to the moderator, the
//! keys of the group, and the list of members.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use rand_core::CryptoRngCore;

use super::group::{Broadcast, Group};
use super::pair::{Ends, Heard, Packets, Pair};
use super::roster::Roster;
use super::tampered::Tampered;
use crate::handshake::Context;
use crate::handshake::participant::Keys;
use crate::header::{Header, MemberId};
use crate::message::{FromMember, FromModerator, RosterSeen, Turn, decode};
use crate::packet::SealError;
use crate::tunnel::SessionId;

/// Lists of members whose hashes are kept for comparison.
const MAX_SEEN: usize = 16;

/// Whoever takes over says something to everybody whom it knows, at once. Who hears nothing for so
/// long came in while it was away: it has no key for this one, and will never speak to it.
const FIRST_WORD: Duration = Duration::from_secs(10);

/// A member's place.
pub(super) struct Seat {
    pub(super) session: SessionId,
    pub(super) me: MemberId,
    pub(super) instance: u16,
    pub(super) moderator: MemberId,
    pub(super) pair: Pair,
    pub(super) group: Group,
    pub(super) roster: Roster,
    pub(super) signer: SigningKey,
    /// How many have taken over as the moderator.
    term: u16,
    /// The moderator's key, once it is known.
    trusted: Option<[u8; 32]>,
    seen: VecDeque<RosterSeen>,
    /// Until when one that has taken over must have said something.
    first_word_by: Option<Instant>,
}

/// What a packet brings.
pub(super) enum Brought {
    /// The moderator says something that is not for the seat alone.
    Message(FromModerator),
    /// Another epoch or list; the message was handled.
    Turned { sent: Packets },
    /// These must be sent again, if any.
    Again(Packets),
    /// From a device, for everybody.
    Picture { device: MemberId, update: Vec<u8>, after_gap: bool },
    /// Somebody was shown another list of this number.
    RostersDiffer(u32),
}

impl Seat {
    /// The keys have come. `packets` get the first message: what was granted here.
    pub(super) fn new(
        context: &Context,
        moderator: MemberId,
        keys: &Keys,
        rng: &mut impl CryptoRngCore,
    ) -> Self {
        let session = context.session;
        let mut secret = zeroize::Zeroizing::new([0; 32]);
        rng.fill_bytes(secret.as_mut());
        Self {
            session,
            me: context.participant,
            instance: keys.grant.instance,
            moderator,
            pair: Pair::of_member(&keys.pair, Ends::granted(session, moderator, &keys.grant)),
            group: Group::new(session, keys.grant.epoch, keys.group.clone()),
            roster: Roster::new(session, moderator),
            signer: SigningKey::from_bytes(&secret),
            term: 0,
            trusted: None,
            seen: VecDeque::new(),
            first_word_by: None,
        }
    }

    /// The place of one that was the moderator: its deputy is that now.
    pub(super) fn retired(
        session: SessionId,
        (me, instance): (MemberId, u16),
        (moderator, key): (MemberId, [u8; 32]),
        pair: Pair,
        (group, roster, signer): (Group, Roster, SigningKey),
    ) -> Self {
        let (term, trusted, seen) = (roster.next_term(), Some(key), VecDeque::new());
        Self {
            session,
            me,
            instance,
            moderator,
            pair,
            group,
            roster,
            signer,
            term,
            trusted,
            seen,
            // It has led the session before this one: both know all that there is.
            first_word_by: None,
        }
    }

    /// The key with which this member signs.
    pub(super) fn identity(&self) -> [u8; 32] {
        self.signer.verifying_key().to_bytes()
    }

    /// Seals a message to the moderator.
    ///
    /// # Errors
    /// [`SealError`] if the moderator does not acknowledge any more.
    pub(super) fn seal(
        &mut self,
        message: &FromMember,
        now: Option<Instant>,
    ) -> Result<Packets, SealError> {
        self.pair.seal(message, now)
    }

    /// Takes an encrypted packet that belongs to no grant.
    ///
    /// # Errors
    /// If it was changed on the way, or the moderator speaks against the rules.
    pub(super) fn open(
        &mut self,
        header: &Header,
        payload: &[u8],
        now: Instant,
    ) -> Result<Brought, Tampered> {
        if header.destination == MemberId::ALL {
            return Ok(match self.group.open(header, payload, now)? {
                Broadcast::Picture { update, after_gap } => {
                    Brought::Picture { device: header.source, update, after_gap }
                }
                Broadcast::Roster(seen) if self.contradicts(&seen) => {
                    Brought::RostersDiffer(seen.number)
                }
                Broadcast::Roster(_) | Broadcast::Nothing => Brought::Again(Vec::new()),
            });
        }
        if header.source != self.moderator || header.destination != self.me || header.stream != 0 {
            return Ok(Brought::Again(Vec::new()));
        }
        match self.pair.open(header, payload, now)? {
            Heard::Again(packets) => Ok(Brought::Again(packets)),
            Heard::Message(bytes) => match decode(&bytes) {
                Ok(FromModerator::Turn(turn)) => {
                    self.turn(turn, now)?;
                    let (epoch, roster) = (self.group.epoch(), self.roster.number());
                    let turned = FromMember::Turned { epoch, roster };
                    // Full only if the moderator stopped acknowledging: it will notice.
                    let sent = self.seal(&turned, Some(now)).unwrap_or_default();
                    Ok(Brought::Turned { sent })
                }
                Ok(message) => Ok(Brought::Message(message)),
                Err(_) => Err(Tampered("a message makes no sense")),
            },
        }
    }

    fn turn(&mut self, turn: Turn, now: Instant) -> Result<(), Tampered> {
        let roster = self.roster.after(turn.roster, self.trusted)?;
        if roster.moderator() != self.moderator
            || roster.get(self.me).is_none_or(|entry| entry.key != self.identity())
        {
            return Err(Tampered("a list of members that is not of this session"));
        }
        self.group.turn(turn.epoch, &turn.secret, now)?;
        self.trusted = roster.get(self.moderator).map(|entry| entry.key);
        self.first_word_by = None;
        self.term = roster.term();
        self.roster = roster;
        self.group.listen_to(self.roster.devices().filter(|entry| entry.member != self.me));
        if self.seen.len() >= MAX_SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back(self.seen_now());
        Ok(())
    }

    /// What this member was shown.
    pub(super) fn seen_now(&self) -> RosterSeen {
        RosterSeen { number: self.roster.number(), hash: self.roster.hash() }
    }

    fn contradicts(&self, seen: &RosterSeen) -> bool {
        self.seen.iter().any(|ours| ours.number == seen.number && ours.hash != seen.hash)
    }

    /// Whether this side knows already that this one moderates, in this term.
    pub(super) fn is_led_by(&self, moderator: MemberId, term: u16) -> bool {
        // Before the first list the term is not known.
        self.moderator == moderator && (self.term == term || self.roster.number() == 0)
    }

    /// Whether the list names this one as the next to moderate. It does not say who came after
    /// that, while this side was away.
    pub(super) fn expects(&self, deputy: MemberId, term: u16) -> bool {
        self.roster.deputy() == Some(deputy) && term == self.roster.next_term()
    }

    /// The moderator is gone, and this is the deputy that everybody was told of: whether the
    /// list says so. From here on it is the moderator.
    pub(super) fn follow(&mut self, deputy: MemberId, term: u16, now: Instant) -> bool {
        if !self.expects(deputy, term) || deputy == self.me {
            return false;
        }
        let Some(entry) = self.roster.get(deputy) else { return false };
        let secret = self.pair.secret().for_deputy(self.session, deputy);
        let ends = Ends {
            session: self.session,
            moderator: (deputy, entry.instance),
            member: (self.me, self.instance),
            term: self.roster.next_term(),
        };
        (self.term, self.trusted) = (term, Some(entry.key));
        self.pair = Pair::of_member(&secret, ends);
        self.moderator = deputy;
        self.first_word_by = Some(now + FIRST_WORD);
        true
    }

    /// A link is there again: what has no acknowledgement goes out once more, and whoever has
    /// taken over is waited for anew.
    pub(super) fn again(&mut self, now: Instant) -> Packets {
        self.wait_on(now);
        self.pair.again(now)
    }

    /// When [`Self::is_forgotten`] is to be asked, or the pair has something to do.
    pub(super) fn due(&self) -> Option<Instant> {
        self.pair.due().into_iter().chain(self.first_word_by).min()
    }

    /// Whether one that has taken over does not know this member. While a link is broken nobody
    /// can say so.
    pub(super) fn is_forgotten(&mut self, now: Instant, can_hear: bool) -> bool {
        let is_late = self.first_word_by.is_some_and(|by| by <= now);
        if is_late && !can_hear {
            self.wait_on(now);
        }
        is_late && can_hear
    }

    fn wait_on(&mut self, now: Instant) {
        self.first_word_by = self.first_word_by.map(|_| now + FIRST_WORD);
    }
}
