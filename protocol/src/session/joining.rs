//! The way of a member into a session, from the server's answer to the keys.

use rand_core::CryptoRngCore;

use crate::handshake::participant::{
    CompareCode, ExpectKeyGrant, ExpectModeratorHello, ExpectOpening, Keys,
};
use crate::handshake::{Code, Context, Declined, HandshakeError, HandshakeMessage, JoinKey};
use crate::message::{Name, Rights, Role};

/// A handshake that is under way.
pub(super) struct Joining {
    context: Context,
    name: Name,
    role: Role,
    stage: Stage,
}

enum Stage {
    Hello(ExpectModeratorHello),
    Opening(ExpectOpening),
    /// The keys may come before the person here has decided; they wait unopened.
    Compare {
        state: CompareCode,
        early_keys: Option<Vec<u8>>,
    },
    Keys(ExpectKeyGrant),
}

/// What the person here must know to decide.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) name: Name,
    pub(super) asks: Rights,
    pub(super) code: Code,
}

/// Where a message has led.
pub(super) enum Step {
    /// The other side is to answer.
    On(Joining),
    /// The person here is to decide; see [`Joining::accept`].
    Ask(Joining, Question),
    /// The keys are here.
    Keys(Box<Keys>),
}

impl Joining {
    /// The server has let this side in; the moderator's hello is due.
    pub(super) fn new(context: Context, key: JoinKey, name: Name, role: Role) -> Self {
        let stage = Stage::Hello(ExpectModeratorHello::new(context, key));
        Self { context, name, role, stage }
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// Whether the person here is being asked.
    pub(super) fn is_asking(&self) -> bool {
        matches!(self.stage, Stage::Compare { .. })
    }

    /// What is asked for, while the person is asked; nothing otherwise.
    pub(super) fn asks(&self) -> Rights {
        match &self.stage {
            Stage::Compare { state, .. } => state.asks(),
            _ => Rights::NONE,
        }
    }

    /// The person here has accepted. If the keys were here before, they are opened.
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over.
    pub(super) fn accept(self, rng: &mut impl CryptoRngCore) -> Result<Step, HandshakeError> {
        let Self { context, name, role, stage } = self;
        let (stage, early_keys) = match stage {
            Stage::Compare { state, early_keys } => (Stage::Keys(state.accept()), early_keys),
            other => (other, None),
        };
        let joining = Self { context, name, role, stage };
        match early_keys {
            Some(keys) => joining.handle(&keys, rng).map(|(step, _)| step),
            None => Ok(Step::On(joining)),
        }
    }

    /// Takes a handshake message; the bytes, if any, are the answer.
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over.
    pub(super) fn handle(
        self,
        payload: &[u8],
        rng: &mut impl CryptoRngCore,
    ) -> Result<(Step, Option<Vec<u8>>), HandshakeError> {
        let Self { context, name, role, stage } = self;
        let (stage, answer, question) = match stage {
            Stage::Hello(state) => {
                let (state, answer) = state.handle(payload, &name, role)?;
                (Stage::Opening(state), Some(answer), None)
            }
            Stage::Opening(state) => {
                let (state, answer) = state.handle(payload)?;
                let (name, asks) = (state.name().clone(), state.asks());
                let question = Question { name, asks, code: state.code() };
                let stage = Stage::Compare { state, early_keys: None };
                (stage, Some(answer), Some(question))
            }
            Stage::Compare { state, early_keys } => {
                match (HandshakeMessage::decode(payload)?, early_keys) {
                    (HandshakeMessage::Declined(why), _) => {
                        return Err(HandshakeError::Declined(why));
                    }
                    (HandshakeMessage::KeyGrant(_), None) => {
                        let early_keys = Some(payload.to_vec());
                        (Stage::Compare { state, early_keys }, None, None)
                    }
                    _ => return Err(HandshakeError::Unexpected),
                }
            }
            Stage::Keys(state) => {
                return Ok((Step::Keys(Box::new(state.handle(payload, rng)?)), None));
            }
        };
        let joining = Self { context, name, role, stage };
        let step = match question {
            Some(question) => Step::Ask(joining, question),
            None => Step::On(joining),
        };
        Ok((step, answer))
    }
}

/// What the other side is told when a handshake fails here; nothing if it has given up itself.
pub(super) fn farewell(error: HandshakeError) -> Option<Vec<u8>> {
    match error {
        HandshakeError::Declined(_) => None,
        _ => Some(HandshakeMessage::Declined(Declined::Failed).encode()),
    }
}
