//! The way of a member into a session, from the server's answer to the keys.

use rand_core::CryptoRngCore;

use crate::certificate::{CertifiedDevice, PublicKey};
use crate::handshake::participant::{
    AfterHello, AfterOpening, Consider, ExpectIdentity, ExpectKeyGrant, ExpectModeratorHello,
    ExpectModeratorProof, ExpectOpening, ExpectPassword, Keys, Standing,
};
use crate::handshake::{Context, Declined, HandshakeError, HandshakeMessage, JoinKey, Password};
use crate::message::{Name, Rights, Role};

/// Who this side is, and whose.
#[derive(Debug, Clone)]
pub(super) struct OwnSide {
    pub(super) name: Name,
    pub(super) role: Role,
    /// The root of its operator, if it is enrolled.
    pub(super) operator: Option<PublicKey>,
    /// What it comes back with after a restart.
    pub(super) ticket: Option<Password>,
}

/// A handshake that is under way.
pub(super) struct Joining {
    context: Context,
    own: OwnSide,
    stage: Stage,
}

enum Stage {
    Hello(ExpectModeratorHello),
    /// The person here types the password.
    Password(ExpectPassword),
    Opening(ExpectOpening),
    /// Whoever keeps the device's key signs.
    Identity(ExpectIdentity),
    Proof(ExpectModeratorProof),
    /// The keys may come before the person here has decided; they wait unopened.
    Compare {
        state: Consider,
        early_keys: Option<Vec<u8>>,
    },
    Keys(ExpectKeyGrant),
}

/// What the person here must know to decide.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) name: Name,
    pub(super) asks: Rights,
    pub(super) standing: Standing,
}

/// Where a message has led.
pub(super) enum Step {
    /// The other side is to answer.
    On(Joining),
    /// The password is to be typed; see [`Joining::enter_password`].
    AskPassword(Joining),
    /// This is to be signed; see [`Joining::identify`].
    Identify(Joining, [u8; 32]),
    /// The person here is to decide; see [`Joining::accept`].
    Ask(Joining, Question),
    /// The keys are here.
    Keys(Box<Keys>),
}

impl Joining {
    /// The server has let this side in; the moderator's hello is due.
    pub(super) fn new(context: Context, key: JoinKey, own: OwnSide) -> Self {
        let stage = Stage::Hello(ExpectModeratorHello::new(context, key));
        Self { context, own, stage }
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// Whether the password is due.
    pub(super) fn wants_password(&self) -> bool {
        matches!(self.stage, Stage::Password(_))
    }

    /// The password was typed; the bytes are the request. `None` if it is not due.
    pub(super) fn enter_password(
        self,
        password: &Password,
        rng: &mut impl CryptoRngCore,
    ) -> Option<(Self, Vec<u8>)> {
        let Self { context, own, stage: Stage::Password(state) } = self else { return None };
        let (state, request) = state.enter(password, rng);
        Some((Self { context, own, stage: Stage::Opening(state) }, request))
    }

    /// Whether a signature is due.
    pub(super) fn wants_identity(&self) -> bool {
        matches!(self.stage, Stage::Identity(_))
    }

    /// The device has signed; the bytes are its proof. `None` if it is not due.
    pub(super) fn identify(self, device: CertifiedDevice) -> Option<(Self, Vec<u8>)> {
        let Self { context, own, stage: Stage::Identity(state) } = self else { return None };
        let (state, proof) = state.identify(device);
        Some((Self { context, own, stage: Stage::Proof(state) }, proof))
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
        let Self { context, own, stage } = self;
        let (stage, early_keys) = match stage {
            Stage::Compare { state, early_keys } => (Stage::Keys(state.accept()), early_keys),
            other => (other, None),
        };
        let joining = Self { context, own, stage };
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
        let Self { context, own, stage } = self;
        let on = |stage, own| Self { context, own, stage };
        Ok(match stage {
            Stage::Hello(state) if let Some(ticket) = &own.ticket => {
                let state = state.come_back(payload, (&own.name, own.role))?;
                let (state, request) = state.enter(ticket, rng);
                (Step::On(on(Stage::Opening(state), own)), Some(request))
            }
            Stage::Hello(state) => {
                match state.handle(payload, (&own.name, own.role), own.operator)? {
                    AfterHello::Request(state, answer) => {
                        (Step::On(on(Stage::Opening(state), own)), Some(answer))
                    }
                    AfterHello::AskPassword(state) => {
                        (Step::AskPassword(on(Stage::Password(state), own)), None)
                    }
                }
            }
            Stage::Opening(state) => match state.handle(payload)? {
                AfterOpening::Consider(state, answer) => (ask(context, own, state), Some(answer)),
                AfterOpening::Expect(state, answer) => {
                    (Step::On(on(Stage::Proof(state), own)), Some(answer))
                }
                AfterOpening::Identify(state) => {
                    let transcript = state.transcript();
                    (Step::Identify(on(Stage::Identity(state), own), transcript), None)
                }
            },
            Stage::Proof(state) => (ask(context, own, state.handle(payload)?), None),
            // It is this side's turn.
            Stage::Password(_) | Stage::Identity(_) => return Err(out_of_turn(payload)),
            Stage::Compare { state, early_keys } => {
                match (HandshakeMessage::decode(payload)?, early_keys) {
                    (HandshakeMessage::Declined(why), _) => {
                        return Err(HandshakeError::Declined(why));
                    }
                    (HandshakeMessage::KeyGrant(_), None) => {
                        let early_keys = Some(payload.to_vec());
                        (Step::On(on(Stage::Compare { state, early_keys }, own)), None)
                    }
                    _ => return Err(HandshakeError::Unexpected),
                }
            }
            Stage::Keys(state) => (Step::Keys(Box::new(state.handle(payload, rng)?)), None),
        })
    }
}

/// Both sides have shown what they can: the person here is to decide.
fn ask(context: Context, own: OwnSide, state: Consider) -> Step {
    let (name, asks) = (state.name().clone(), state.asks());
    let question = Question { name, asks, standing: state.standing().clone() };
    let stage = Stage::Compare { state, early_keys: None };
    Step::Ask(Joining { context, own, stage }, question)
}

/// The other side may give up at any time; anything else is out of turn.
fn out_of_turn(payload: &[u8]) -> HandshakeError {
    match HandshakeMessage::decode(payload) {
        Ok(HandshakeMessage::Declined(why)) => HandshakeError::Declined(why),
        _ => HandshakeError::Unexpected,
    }
}

/// What the other side is told when a handshake fails here; nothing if it has given up itself.
pub(super) fn farewell(error: HandshakeError) -> Option<Vec<u8>> {
    match error {
        HandshakeError::Declined(_) => None,
        _ => Some(HandshakeMessage::Declined(Declined::Failed).encode()),
    }
}
