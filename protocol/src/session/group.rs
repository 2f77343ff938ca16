//! What everybody in the session can read: the keys of the epochs, and what comes under them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::pair::open_feedback;
use super::tampered::Tampered;
use crate::header::{Class, Header, MemberId};
use crate::keys::{GroupKey, KeyUse};
use crate::message::{Entry, NewSecret, Role, RosterSeen, decode};
use crate::packet::{OpenError, Opened, Opener, Sealer, Secret};
use crate::tunnel::SessionId;

/// Packets of the epoch before are opened for so long after it turned: some are on their way.
pub(super) const OLD_EPOCH_GOOD_FOR: Duration = Duration::from_secs(2);

/// The keys of the group, and the openers of what its devices send.
#[derive(Debug)]
pub(super) struct Group {
    session: SessionId,
    epoch: u16,
    secret: GroupKey,
    senders: BTreeMap<MemberId, Sender>,
}

#[derive(Debug)]
struct Sender {
    instance: u16,
    picture: Opener,
    feedback: Opener,
}

/// What came from a device for everybody.
#[derive(Debug)]
pub(super) enum Broadcast {
    /// An update of the picture.
    Picture { update: Vec<u8>, after_gap: bool },
    /// Which list of members the device was shown.
    Roster(RosterSeen),
    /// Nothing that is complete, or that is for this epoch.
    Nothing,
}

impl Group {
    pub(super) fn new(session: SessionId, epoch: u16, secret: GroupKey) -> Self {
        Self { session, epoch, secret, senders: BTreeMap::new() }
    }

    pub(super) fn epoch(&self) -> u16 {
        self.epoch
    }

    pub(super) fn secret(&self) -> &GroupKey {
        &self.secret
    }

    /// A sealer for a device, for everybody.
    pub(super) fn sealer(&self, sender: MemberId, instance: u16, class: Class) -> Sealer {
        let purpose = self.purpose(sender, instance, class);
        Sealer::new(Secret::Group(&self.secret), purpose, MemberId::ALL)
    }

    fn purpose(&self, sender: MemberId, instance: u16, class: Class) -> KeyUse {
        KeyUse { session: self.session, epoch: self.epoch, sender, instance, class }
    }

    /// The next epoch.
    ///
    /// # Errors
    /// If it does not follow the present one.
    pub(super) fn turn(
        &mut self,
        epoch: u16,
        secret: &NewSecret,
        now: Instant,
    ) -> Result<(), Tampered> {
        let wrong = Tampered("an epoch that is not the next");
        let key = match secret {
            NewSecret::Same if epoch == self.epoch => return Ok(()),
            NewSecret::Ratchet if Some(epoch) == self.epoch.checked_add(1) => self.secret.ratchet(),
            NewSecret::Fresh(bytes) if epoch > self.epoch => GroupKey::from_bytes(bytes.0),
            NewSecret::Same | NewSecret::Ratchet | NewSecret::Fresh(_) => return Err(wrong),
        };
        (self.epoch, self.secret) = (epoch, key);
        for sender in self.senders.values_mut() {
            for opener in [&mut sender.picture, &mut sender.feedback] {
                opener.forget_older(now);
                opener.turn(&self.secret, epoch, now + OLD_EPOCH_GOOD_FOR);
            }
        }
        Ok(())
    }

    /// Those whose packets are opened from here on; of everybody else nothing is, at once.
    pub(super) fn listen_to<'a>(&mut self, members: impl Iterator<Item = &'a Entry>) {
        let mut senders = BTreeMap::new();
        for entry in members.filter(|entry| entry.role == Role::Device) {
            let known = self.senders.remove(&entry.member);
            let sender = known.filter(|sender| sender.instance == entry.instance);
            senders.insert(entry.member, sender.unwrap_or_else(|| self.sender(entry)));
        }
        self.senders = senders;
    }

    fn sender(&self, entry: &Entry) -> Sender {
        let opener = |class| {
            let purpose = self.purpose(entry.member, entry.instance, class);
            Opener::new(Secret::Group(&self.secret), purpose)
        };
        let (picture, feedback) = (opener(Class::Picture), opener(Class::Feedback));
        Sender { instance: entry.instance, picture, feedback }
    }

    /// Takes a packet that is for everybody.
    ///
    /// # Errors
    /// If it was changed on the way.
    pub(super) fn open(
        &mut self,
        header: &Header,
        payload: &[u8],
        now: Instant,
    ) -> Result<Broadcast, Tampered> {
        let Some(sender) = self.senders.get_mut(&header.source) else {
            return Ok(Broadcast::Nothing);
        };
        sender.picture.forget_older(now);
        sender.feedback.forget_older(now);
        match header.class {
            Class::Picture => match sender.picture.open(header, payload) {
                Ok(Opened::Message { bytes, after_gap }) => {
                    Ok(Broadcast::Picture { update: bytes, after_gap })
                }
                // Of a join or an epoch that is gone, or one that is not here yet.
                Ok(Opened::Incomplete) | Err(OpenError::Foreign | OpenError::Order { .. }) => {
                    Ok(Broadcast::Nothing)
                }
                Err(OpenError::Forged(_)) => Err(Tampered("a packet does not open")),
                Err(_) => Err(Tampered("a message is put together wrongly")),
            },
            Class::Feedback => match open_feedback(&mut sender.feedback, header, payload)? {
                Some(bytes) => decode(&bytes)
                    .map(Broadcast::Roster)
                    .map_err(|_| Tampered("a message makes no sense")),
                None => Ok(Broadcast::Nothing),
            },
            Class::Handshake | Class::Control | Class::Input => Ok(Broadcast::Nothing),
        }
    }
}
