//! The participant's side of one handshake.

use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

use super::password::{Binding, Pake, PasswordKey, Prover};
use super::transcript::{Transcript, commitment, same};
use super::{
    Choice, Code, CommitmentOpened, Context, Grant, HandshakeError, HandshakeMessage, JoinKey,
    JoinProof, JoinRequest, KeyGrant, Level, ModeratorHello, ModeratorProof, Password, Suite,
    VERSION,
};
use crate::certificate::{
    CertifiedDevice, CertifiedTechnician, NotCertified, Pass, PublicKey, check_fellow,
};
use crate::keys::{GroupKey, PairKey, open_grant};
use crate::message::{Name, Rights, Role};

/// What is the same in all states.
struct Common {
    context: Context,
    transcript: Transcript,
    key: JoinKey,
}

/// The moderator's hello is due.
pub struct ExpectModeratorHello(Common);

/// What follows from the moderator's hello.
#[derive(Debug)]
#[non_exhaustive]
pub enum AfterHello {
    /// The request, to be sent.
    Request(ExpectOpening, Vec<u8>),
    /// The moderator offers the password level: the person must type it first.
    AskPassword(ExpectPassword),
}

/// The moderator offers the password level; the password is due.
pub struct ExpectPassword {
    common: Common,
    hello: ModeratorHello,
    name: Name,
    role: Role,
}

/// The request is on its way; the moderator must open its commitment.
pub struct ExpectOpening {
    common: Common,
    hello: ModeratorHello,
    means: Proof,
}

/// How this side proves itself.
enum Proof {
    Code,
    Password(Pake),
    Certificate,
}

/// What follows from the opening.
#[derive(Debug)]
#[non_exhaustive]
pub enum AfterOpening {
    /// The proof, to be sent; people compare.
    Consider(Consider, Vec<u8>),
    /// The proof, to be sent; the moderator's is due.
    Expect(ExpectModeratorProof, Vec<u8>),
    /// The device must identify itself.
    Identify(ExpectIdentity),
}

/// Whoever keeps the device's key must sign.
pub struct ExpectIdentity {
    common: Common,
    hello: ModeratorHello,
}

/// The proof is on its way; the moderator's is due.
pub struct ExpectModeratorProof {
    common: Common,
    hello: ModeratorHello,
    awaited: Awaited,
}

enum Awaited {
    Password(PasswordKey),
    Certificate { nonce: [u8; 32] },
}

/// Both sides have shown what they can; now the person here, or the policy, consents.
pub struct Consider {
    common: Common,
    hello: ModeratorHello,
    standing: Standing,
    password: Option<PasswordKey>,
}

/// What is known of the technician.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// Nothing, until people have compared these digits.
    Compare(Code),
    /// He knows the session's password.
    Password,
    /// He shows a certificate, which nobody has checked yet.
    Shown(Unverified),
}

/// A certificate that somebody shows and that **nobody has checked yet**: it says nothing of who he
/// is. Whoever consents must check it: a device with [`crate::certificate::check_technician`], a
/// technician who looks on with [`Unverified::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unverified {
    /// What he shows.
    pub technician: Box<CertifiedTechnician>,
    /// The nonce of this side's own proof.
    pub nonce: [u8; 32],
    /// What was said before he signed.
    pub transcript: [u8; 32],
}

impl Unverified {
    /// What the operator calls him, if he is one of its technicians; for a technician with a pass.
    ///
    /// # Errors
    /// [`NotCertified`]
    pub fn check(&self, pass: &Pass, now: u64) -> Result<Name, NotCertified> {
        check_fellow(&self.technician, (&self.nonce, &self.transcript), pass, now)
    }
}

impl Standing {
    /// The level that this side has made sure of, comparing included; none as long as all there is
    /// is a certificate that nobody has checked.
    pub fn level(&self) -> Option<Level> {
        match self {
            Self::Compare(_) => Some(Level::CodeCompared),
            Self::Password => Some(Level::Password),
            Self::Shown(_) => None,
        }
    }
}

/// The person here has accepted; the keys are due.
pub struct ExpectKeyGrant {
    common: Common,
    password: Option<PasswordKey>,
}

/// The keys are here.
#[derive(Debug)]
pub struct Keys {
    /// For what everyone in the session may read.
    pub group: GroupKey,
    /// For what only the moderator and this participant may read.
    pub pair: PairKey,
    /// What the moderator said along with them.
    pub grant: Grant,
}

macro_rules! opaque_debug {
    ($($state:ident),*) => {$(
        impl std::fmt::Debug for $state {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($state)).finish_non_exhaustive()
            }
        }
    )*};
}
opaque_debug!(
    ExpectModeratorHello,
    ExpectPassword,
    ExpectOpening,
    ExpectIdentity,
    ExpectModeratorProof,
    Consider,
    ExpectKeyGrant
);

impl ExpectModeratorHello {
    /// Waits for the moderator, with a fresh key.
    pub fn new(context: Context, key: JoinKey) -> Self {
        Self(Common { context, transcript: Transcript::new(&context), key })
    }

    /// Takes the hello. `operator` is the root of this device's own operator, if it is enrolled:
    /// then certificates are preferred; a password comes next, comparing codes last. Which of them
    /// is enough for what, the device decides when it consents.
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over.
    pub fn handle(
        self,
        bytes: &[u8],
        (name, role): (&Name, Role),
        operator: Option<PublicKey>,
    ) -> Result<AfterHello, HandshakeError> {
        let (mut common, hello) = self.hello(bytes)?;
        let offers = |level| hello.levels.contains(&level);
        let is_same_operator = operator.is_some() && operator == hello.operator;
        if offers(Level::Certificate) && is_same_operator {
            let request = common.request(Choice::Certificate, name, role);
            let means = Proof::Certificate;
            Ok(AfterHello::Request(ExpectOpening { common, hello, means }, request))
        } else if offers(Level::Password) {
            Ok(AfterHello::AskPassword(ExpectPassword { common, hello, name: name.clone(), role }))
        } else if offers(Level::CodeCompared) {
            let request = common.request(Choice::CodeCompared, name, role);
            let means = Proof::Code;
            Ok(AfterHello::Request(ExpectOpening { common, hello, means }, request))
        } else {
            Err(HandshakeError::Incompatible)
        }
    }

    /// Takes the hello of a moderator from whom this device has a ticket to come back with; the
    /// ticket is due. There is nothing to choose from then, and nothing less will do.
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over.
    pub fn come_back(
        self,
        bytes: &[u8],
        (name, role): (&Name, Role),
    ) -> Result<ExpectPassword, HandshakeError> {
        let (common, hello) = self.hello(bytes)?;
        Ok(ExpectPassword { common, hello, name: name.clone(), role })
    }

    fn hello(self, bytes: &[u8]) -> Result<(Common, ModeratorHello), HandshakeError> {
        let HandshakeMessage::ModeratorHello(hello) = HandshakeMessage::due(bytes)? else {
            return Err(HandshakeError::Unexpected);
        };
        if !hello.versions.contains(&VERSION) || !hello.suites.contains(&Suite::RsaOaepAes256Gcm) {
            return Err(HandshakeError::Incompatible);
        }
        let mut common = self.0;
        common.transcript.add(bytes);
        Ok((common, hello))
    }
}

impl Common {
    fn request(&mut self, choice: Choice, name: &Name, role: Role) -> Vec<u8> {
        let request = HandshakeMessage::JoinRequest(JoinRequest {
            version: VERSION,
            suite: Suite::RsaOaepAes256Gcm,
            choice,
            role,
            name: name.clone(),
            public_key: self.key.public_der(),
        })
        .encode();
        self.transcript.add(&request);
        request
    }
}

impl ExpectPassword {
    /// Takes the password that was typed; the bytes are the request. From here on the attempt
    /// counts: unless [`Standing::Password`] comes of it, it was a wrong one.
    pub fn enter(
        self,
        password: &Password,
        rng: &mut impl CryptoRngCore,
    ) -> (ExpectOpening, Vec<u8>) {
        let Self { mut common, hello, name, role } = self;
        let binding = Binding::new(common.transcript.hash(), &common.key.public_der());
        let (pake, share) = Pake::of_participant(password, &binding, rng);
        let choice = Choice::Password { kind: password.kind(), share };
        let request = common.request(choice, &name, role);
        (ExpectOpening { common, hello, means: Proof::Password(pake) }, request)
    }
}

impl ExpectOpening {
    /// Takes the opening of the commitment.
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over.
    pub fn handle(self, bytes: &[u8]) -> Result<AfterOpening, HandshakeError> {
        let HandshakeMessage::CommitmentOpened(opened) = HandshakeMessage::due(bytes)? else {
            return Err(HandshakeError::Unexpected);
        };
        let CommitmentOpened { opening, share } = opened;
        let Self { mut common, hello, means } = self;
        if !same(&commitment(&opening), &hello.commitment) {
            return Err(HandshakeError::Commitment);
        }
        common.transcript.add(bytes);
        match (means, share) {
            // The code is of what was said up to here, and the moderator had no choice left in it.
            (Proof::Code, None) => {
                let standing = Standing::Compare(common.transcript.code());
                let proof = common.prove(JoinProof::CodeCompared);
                let next = Consider { common, hello, standing, password: None };
                Ok(AfterOpening::Consider(next, proof))
            }
            (Proof::Password(pake), Some(share)) => {
                let key = pake.finish(&share)?;
                let said = common.transcript.hash();
                let confirmation = key.confirmation(Prover::Participant, &said);
                let proof = common.prove(JoinProof::Password { confirmation });
                let awaited = Awaited::Password(key);
                Ok(AfterOpening::Expect(ExpectModeratorProof { common, hello, awaited }, proof))
            }
            (Proof::Certificate, None) => {
                Ok(AfterOpening::Identify(ExpectIdentity { common, hello }))
            }
            _ => Err(HandshakeError::Unexpected),
        }
    }
}

impl Common {
    fn prove(&mut self, proof: JoinProof) -> Vec<u8> {
        let proof = HandshakeMessage::JoinProof(proof).encode();
        self.transcript.add(&proof);
        proof
    }
}

impl ExpectIdentity {
    /// What the device must sign: see [`crate::certificate::identify_device`].
    pub fn transcript(&self) -> [u8; 32] {
        self.common.transcript.hash()
    }

    /// The device has signed; the bytes are its proof.
    pub fn identify(self, device: CertifiedDevice) -> (ExpectModeratorProof, Vec<u8>) {
        let Self { mut common, hello } = self;
        let awaited = Awaited::Certificate { nonce: device.nonce };
        let proof = common.prove(JoinProof::Certificate(device));
        (ExpectModeratorProof { common, hello, awaited }, proof)
    }
}

impl ExpectModeratorProof {
    /// Takes the moderator's proof.
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over.
    pub fn handle(self, bytes: &[u8]) -> Result<Consider, HandshakeError> {
        let HandshakeMessage::ModeratorProof(proof) = HandshakeMessage::due(bytes)? else {
            return Err(HandshakeError::Unexpected);
        };
        let Self { mut common, hello, awaited } = self;
        let transcript = common.transcript.hash();
        common.transcript.add(bytes);
        let (standing, password) = match (awaited, proof) {
            (Awaited::Password(key), ModeratorProof::Password { confirmation }) => {
                key.check(Prover::Moderator, &transcript, &confirmation)?;
                (Standing::Password, Some(key))
            }
            (Awaited::Certificate { nonce }, ModeratorProof::Certificate(technician)) => {
                let technician = Box::new(technician);
                (Standing::Shown(Unverified { technician, nonce, transcript }), None)
            }
            _ => return Err(HandshakeError::Unexpected),
        };
        Ok(Consider { common, hello, standing, password })
    }
}

impl Consider {
    /// What is known of the technician.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// What the technician calls himself.
    pub fn name(&self) -> &Name {
        &self.hello.name
    }

    /// What the technician asks for.
    pub fn asks(&self) -> Rights {
        self.hello.asks
    }

    /// The person here has accepted, or the policy does.
    pub fn accept(self) -> ExpectKeyGrant {
        ExpectKeyGrant { common: self.common, password: self.password }
    }
}

impl ExpectKeyGrant {
    /// Takes the keys.
    ///
    /// # Errors
    /// [`HandshakeError::Keys`] when they were not made for this transcript.
    pub fn handle(
        self,
        bytes: &[u8],
        rng: &mut impl CryptoRngCore,
    ) -> Result<Keys, HandshakeError> {
        let HandshakeMessage::KeyGrant(KeyGrant { wrapped, sealed }) =
            HandshakeMessage::due(bytes)?
        else {
            return Err(HandshakeError::Unexpected);
        };
        let Common { context, transcript, key } = self.common;
        let transcript = transcript.hash();
        let bundle = key.unwrap(rng, &wrapped, &transcript)?;
        let (secret, group) = bundle.split_first_chunk::<32>().ok_or(HandshakeError::Keys)?;
        let group = <[u8; 32]>::try_from(group).map_err(|_| HandshakeError::Keys)?;
        let password = self.password.map(|key| Zeroizing::new(key.for_pair()));
        let pair = PairKey::derive(secret, password.as_deref(), &transcript);
        let grant = open_grant(&pair, &transcript, &sealed).map_err(|_| HandshakeError::Keys)?;
        let grant: Grant = crate::message::decode(&grant).map_err(|_| HandshakeError::Keys)?;
        if grant.member != context.participant {
            return Err(HandshakeError::Keys);
        }
        Ok(Keys { group: GroupKey::from_bytes(group), pair, grant })
    }
}
