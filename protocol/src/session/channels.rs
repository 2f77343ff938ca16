//! The encrypted channels between the moderator and one participant.

use crate::handshake::Grant;
use crate::header::{Class, Header, MemberId};
use crate::keys::{GroupKey, KeyUse, PairKey};
use crate::message::{Input, encode, encode_input};
use crate::packet::{OpenError, Opened, Opener, SealError, Sealer, Secret};
use crate::tunnel::SessionId;

/// Somebody on the way changed, repeated, held back or invented a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("packets were changed on the way: {0}")]
pub struct Tampered(pub &'static str);

/// Sealers and openers of one side.
#[derive(Debug)]
pub(super) struct Channels {
    control_out: Sealer,
    control_in: Opener,
    /// The moderator's sealer, the participant's opener.
    input: InputEnd,
    picture: PictureEnd,
}

#[derive(Debug)]
enum InputEnd {
    Out(Sealer),
    In(Opener),
}

#[derive(Debug)]
enum PictureEnd {
    Out(Sealer),
    In(Opener),
}

/// A message that arrived.
#[derive(Debug)]
pub(super) enum Arrived {
    Control(Vec<u8>),
    Input(Vec<u8>),
    Picture {
        update: Vec<u8>,
        after_gap: bool,
    },
    /// The rest is still on its way.
    Nothing,
}

impl Channels {
    pub(super) fn of_moderator(
        session: SessionId,
        grant: &Grant,
        group: &GroupKey,
        pair: &PairKey,
    ) -> Self {
        let (ours, theirs) = purposes(session, grant);
        let to = grant.member;
        Self {
            control_out: Sealer::new(Secret::Pair(pair), ours(Class::Control), to),
            control_in: Opener::new(Secret::Pair(pair), theirs(Class::Control)),
            input: InputEnd::Out(Sealer::new(Secret::Pair(pair), ours(Class::Input), to)),
            picture: PictureEnd::In(Opener::new(Secret::Group(group), theirs(Class::Picture))),
        }
    }

    pub(super) fn of_participant(
        session: SessionId,
        grant: &Grant,
        group: &GroupKey,
        pair: &PairKey,
    ) -> Self {
        let (theirs, ours) = purposes(session, grant);
        let to = MemberId::MODERATOR;
        let picture = Sealer::new(Secret::Group(group), ours(Class::Picture), MemberId::ALL);
        Self {
            control_out: Sealer::new(Secret::Pair(pair), ours(Class::Control), to),
            control_in: Opener::new(Secret::Pair(pair), theirs(Class::Control)),
            input: InputEnd::In(Opener::new(Secret::Pair(pair), theirs(Class::Input))),
            picture: PictureEnd::Out(picture),
        }
    }

    pub(super) fn seal_control(
        &mut self,
        message: &impl serde::Serialize,
    ) -> Result<Vec<Vec<u8>>, SealError> {
        self.control_out.seal(&encode(message))
    }

    /// Nothing on the side that only receives input.
    pub(super) fn seal_input(&mut self, input: &Input) -> Result<Vec<Vec<u8>>, SealError> {
        match &mut self.input {
            InputEnd::Out(sealer) => sealer.seal(&encode_input(input)),
            InputEnd::In(_) => Ok(Vec::new()),
        }
    }

    /// Nothing on the side that only receives pictures.
    pub(super) fn seal_picture(&mut self, update: &[u8]) -> Result<Vec<Vec<u8>>, SealError> {
        match &mut self.picture {
            PictureEnd::Out(sealer) => sealer.seal(update),
            PictureEnd::In(_) => Ok(Vec::new()),
        }
    }

    pub(super) fn open(&mut self, header: &Header, payload: &[u8]) -> Result<Arrived, Tampered> {
        let opener = match (header.class, &mut self.input, &mut self.picture) {
            (Class::Control, ..) => &mut self.control_in,
            (Class::Input, InputEnd::In(opener), _) => opener,
            (Class::Picture, _, PictureEnd::In(opener)) => opener,
            _ => return Err(Tampered("a packet of a class that this side only sends")),
        };
        let (bytes, after_gap) = match opener.open(header, payload) {
            Ok(Opened::Message { bytes, after_gap }) => (bytes, after_gap),
            // Of a member or join that is gone: still on its way when it left.
            Ok(Opened::Incomplete) | Err(OpenError::Foreign) => return Ok(Arrived::Nothing),
            Err(OpenError::Forged(_)) => return Err(Tampered("a packet does not open")),
            Err(OpenError::Order { .. }) => {
                return Err(Tampered("a packet is missing or repeated"));
            }
            Err(OpenError::Header(_) | OpenError::Fragment | OpenError::TooLong) => {
                return Err(Tampered("a message is put together wrongly"));
            }
        };
        Ok(match header.class {
            Class::Control => Arrived::Control(bytes),
            Class::Input => Arrived::Input(bytes),
            Class::Picture => Arrived::Picture { update: bytes, after_gap },
            Class::Handshake => Arrived::Nothing,
        })
    }
}

/// The purposes of the moderator's and of the participant's keys, by class.
fn purposes(
    session: SessionId,
    grant: &Grant,
) -> (impl Fn(Class) -> KeyUse, impl Fn(Class) -> KeyUse) {
    let purpose = move |epoch, sender, instance| {
        move |class| KeyUse { session, epoch, sender, instance, class }
    };
    (
        purpose(grant.epoch, MemberId::MODERATOR, grant.moderator_instance),
        purpose(grant.epoch, grant.member, grant.instance),
    )
}
