//! The encrypted channel between the moderator and one member: control messages that all arrive,
//! and what has arrived.

use std::time::Instant;

use serde::Serialize;

use super::lane::{Incoming, Outgoing};
use super::tampered::Tampered;
use crate::handshake::Grant;
use crate::header::{Class, Header, MemberId};
use crate::keys::{KeyUse, PairKey};
use crate::message::{Acknowledgement, decode, encode};
use crate::packet::{OpenError, Opened, Opener, SealError, Sealer, Secret};
use crate::tunnel::SessionId;

/// Packets to be sent, with their class.
pub(super) type Packets = Vec<(Class, Vec<u8>)>;

/// One end of the channel.
#[derive(Debug)]
pub(super) struct Pair {
    secret: PairKey,
    control_out: Outgoing,
    control_in: Incoming,
    feedback_out: Sealer,
    feedback_in: Opener,
}

/// What a packet brings.
#[derive(Debug)]
pub(super) enum Heard {
    /// A control message.
    Message(Vec<u8>),
    /// Nothing but that these must be sent again, if any.
    Again(Packets),
}

/// Who is at the two ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    pub(super) session: SessionId,
    pub(super) moderator: (MemberId, u16),
    pub(super) member: (MemberId, u16),
    /// The moderator's term in which these two began to talk under this secret, or 0 if they met
    /// in a handshake.
    pub(super) term: u16,
}

/// Keys of a term begin with this epoch times the term: what is left of the term before, between
/// the same two, is foreign. Nobody renews a key so often.
const EPOCHS_PER_TERM: u16 = 256;

impl Ends {
    /// As the moderator's grant says.
    pub(super) fn granted(session: SessionId, moderator: MemberId, grant: &Grant) -> Self {
        Self {
            session,
            moderator: (moderator, grant.moderator_instance),
            member: (grant.member, grant.instance),
            term: 0,
        }
    }
}

impl Pair {
    /// The moderator's end.
    pub(super) fn of_moderator(secret: &PairKey, ends: Ends) -> Self {
        Self::new(secret, &ends, ends.moderator, ends.member)
    }

    /// The member's end.
    pub(super) fn of_member(secret: &PairKey, ends: Ends) -> Self {
        Self::new(secret, &ends, ends.member, ends.moderator)
    }

    fn new(secret: &PairKey, ends: &Ends, here: (MemberId, u16), there: (MemberId, u16)) -> Self {
        let purpose = |(sender, instance): (MemberId, u16), class| KeyUse {
            session: ends.session,
            epoch: ends.term.wrapping_mul(EPOCHS_PER_TERM),
            sender,
            instance,
            class,
        };
        let key = Secret::Pair(secret);
        let sealer = |class| Sealer::new(key, purpose(here, class), there.0);
        let opener = |class| Opener::new(key, purpose(there, class));
        Self {
            secret: secret.clone(),
            control_out: Outgoing::new(sealer(Class::Control)),
            control_in: Incoming::new(opener(Class::Control)),
            feedback_out: sealer(Class::Feedback),
            feedback_in: opener(Class::Feedback),
        }
    }

    /// The secret of these two.
    pub(super) fn secret(&self) -> &PairKey {
        &self.secret
    }

    /// Seals a control message.
    ///
    /// # Errors
    /// [`SealError`]; the other side cannot be reached any more then.
    pub(super) fn seal(
        &mut self,
        message: &impl Serialize,
        now: Option<Instant>,
    ) -> Result<Packets, SealError> {
        Ok(control(self.control_out.seal(&encode(message), now)?))
    }

    /// Takes a packet from the other end.
    ///
    /// # Errors
    /// If it was changed on the way, or makes no sense.
    pub(super) fn open(
        &mut self,
        header: &Header,
        payload: &[u8],
        now: Instant,
    ) -> Result<Heard, Tampered> {
        match header.class {
            Class::Control => Ok(match self.control_in.open(header, payload, now)? {
                Some(message) => Heard::Message(message),
                None => Heard::Again(Vec::new()),
            }),
            Class::Feedback => match open_feedback(&mut self.feedback_in, header, payload)? {
                Some(bytes) => self.acknowledged(&bytes, now).map(Heard::Again),
                None => Ok(Heard::Again(Vec::new())),
            },
            Class::Handshake | Class::Input | Class::Picture => Ok(Heard::Again(Vec::new())),
        }
    }

    fn acknowledged(&mut self, bytes: &[u8], now: Instant) -> Result<Packets, Tampered> {
        let acknowledgement: Acknowledgement =
            decode(bytes).map_err(|_| Tampered("an acknowledgement makes no sense"))?;
        self.control_out.acknowledged(acknowledgement.next, now)?;
        let again = acknowledgement.is_missing.then(|| self.control_out.again(now));
        Ok(control(again.unwrap_or_default()))
    }

    /// When [`Self::handle_timeout`] is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.control_in.due().into_iter().chain(self.control_out.due()).min()
    }

    /// Acknowledges, and sends again, what is due.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> Packets {
        let mut packets = control(self.control_out.probe(now).into_iter().collect());
        if self.control_in.due().is_some_and(|due| due <= now) {
            packets.extend(self.acknowledge(now));
        }
        packets
    }

    /// Says what has arrived, whether that is due or not: a sign of life.
    pub(super) fn acknowledge(&mut self, now: Instant) -> Packets {
        let (next, is_missing) = self.control_in.tell(now);
        let message = encode(&Acknowledgement { next, is_missing });
        feedback(self.feedback_out.seal(&message).unwrap_or_default())
    }

    /// The way is free again after a while in which things may have been lost.
    pub(super) fn again(&mut self, now: Instant) -> Packets {
        let mut packets = control(self.control_out.again(now));
        packets.extend(self.acknowledge(now));
        packets
    }
}

fn control(packets: Vec<Vec<u8>>) -> Packets {
    packets.into_iter().map(|packet| (Class::Control, packet)).collect()
}

pub(super) fn feedback(packets: Vec<Vec<u8>>) -> Packets {
    packets.into_iter().map(|packet| (Class::Feedback, packet)).collect()
}

/// Opens feedback; nothing if it is late, foreign or not complete.
///
/// # Errors
/// If it was changed on the way.
pub(super) fn open_feedback(
    opener: &mut Opener,
    header: &Header,
    payload: &[u8],
) -> Result<Option<Vec<u8>>, Tampered> {
    match opener.open(header, payload) {
        Ok(Opened::Message { bytes, .. }) => Ok(Some(bytes)),
        Ok(Opened::Incomplete) | Err(OpenError::Foreign | OpenError::Order { .. }) => Ok(None),
        Err(OpenError::Forged(_)) => Err(Tampered("a packet does not open")),
        Err(OpenError::Header(_) | OpenError::Fragment | OpenError::TooLong) => {
            Err(Tampered("a message is put together wrongly"))
        }
    }
}
