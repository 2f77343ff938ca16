//! The participant's side of one handshake.

use rand_core::CryptoRngCore;

use super::{
    Code, CommitmentOpened, Context, Grant, HandshakeError, HandshakeMessage, JoinKey, JoinProof,
    JoinRequest, KeyGrant, Level, ModeratorHello, Suite, Transcript, VERSION, commitment, same,
};
use crate::keys::{GroupKey, PairKey, open_grant};
use crate::message::{Name, Rights, Role};

/// The moderator's hello is due.
pub struct ExpectModeratorHello {
    context: Context,
    transcript: Transcript,
    key: JoinKey,
}

/// The request is on its way; the moderator must open its commitment.
pub struct ExpectOpening {
    context: Context,
    transcript: Transcript,
    key: JoinKey,
    hello: ModeratorHello,
}

/// Both sides have everything; now the people compare, and the one here consents.
pub struct CompareCode {
    context: Context,
    transcript: Transcript,
    key: JoinKey,
    hello: ModeratorHello,
    code: Code,
}

/// The person here has accepted; the keys are due.
pub struct ExpectKeyGrant {
    context: Context,
    transcript: Transcript,
    key: JoinKey,
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
opaque_debug!(ExpectModeratorHello, ExpectOpening, CompareCode, ExpectKeyGrant);

/// A message, unless the other side gave up.
fn decode(bytes: &[u8]) -> Result<HandshakeMessage, HandshakeError> {
    match HandshakeMessage::decode(bytes)? {
        HandshakeMessage::Declined(why) => Err(HandshakeError::Declined(why)),
        message => Ok(message),
    }
}

impl ExpectModeratorHello {
    /// Waits for the moderator, with a fresh key.
    pub fn new(context: Context, key: JoinKey) -> Self {
        Self { context, transcript: Transcript::new(&context), key }
    }

    /// Takes the hello; the bytes are the answer.
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over.
    pub fn handle(
        mut self,
        bytes: &[u8],
        name: &Name,
        role: Role,
    ) -> Result<(ExpectOpening, Vec<u8>), HandshakeError> {
        let HandshakeMessage::ModeratorHello(hello) = decode(bytes)? else {
            return Err(HandshakeError::Unexpected);
        };
        if !hello.versions.contains(&VERSION)
            || !hello.suites.contains(&Suite::RsaOaepAes256Gcm)
            || !hello.levels.contains(&Level::CodeCompared)
        {
            return Err(HandshakeError::Incompatible);
        }
        self.transcript.add(bytes);
        let request = HandshakeMessage::JoinRequest(JoinRequest {
            version: VERSION,
            suite: Suite::RsaOaepAes256Gcm,
            level: Level::CodeCompared,
            role,
            name: name.clone(),
            public_key: self.key.public_der(),
        })
        .encode();
        self.transcript.add(&request);
        let next = ExpectOpening {
            context: self.context,
            transcript: self.transcript,
            key: self.key,
            hello,
        };
        Ok((next, request))
    }
}

impl ExpectOpening {
    /// Takes the opening of the commitment; the bytes are the answer.
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over.
    pub fn handle(mut self, bytes: &[u8]) -> Result<(CompareCode, Vec<u8>), HandshakeError> {
        let HandshakeMessage::CommitmentOpened(CommitmentOpened { opening }) = decode(bytes)?
        else {
            return Err(HandshakeError::Unexpected);
        };
        if !same(&commitment(&opening), &self.hello.commitment) {
            return Err(HandshakeError::Commitment);
        }
        self.transcript.add(bytes);
        let code = self.transcript.code();
        let proof = HandshakeMessage::JoinProof(JoinProof::CodeCompared).encode();
        self.transcript.add(&proof);
        let next = CompareCode {
            context: self.context,
            transcript: self.transcript,
            key: self.key,
            hello: self.hello,
            code,
        };
        Ok((next, proof))
    }
}

impl CompareCode {
    /// The six digits that must be the same at the moderator's.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What the technician calls himself.
    pub fn name(&self) -> &Name {
        &self.hello.name
    }

    /// What the technician asks for.
    pub fn asks(&self) -> Rights {
        self.hello.asks
    }

    /// The person here has accepted.
    pub fn accept(self) -> ExpectKeyGrant {
        ExpectKeyGrant { context: self.context, transcript: self.transcript, key: self.key }
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
        let HandshakeMessage::KeyGrant(KeyGrant { wrapped, sealed }) = decode(bytes)? else {
            return Err(HandshakeError::Unexpected);
        };
        let transcript = self.transcript.hash();
        let bundle = self.key.unwrap(rng, &wrapped, &transcript)?;
        let (secret, group) = bundle.split_first_chunk::<32>().ok_or(HandshakeError::Keys)?;
        let group = <[u8; 32]>::try_from(group).map_err(|_| HandshakeError::Keys)?;
        let pair = PairKey::derive(secret, &transcript);
        let grant = open_grant(&pair, &transcript, &sealed).map_err(|_| HandshakeError::Keys)?;
        let grant: Grant = crate::message::decode(&grant).map_err(|_| HandshakeError::Keys)?;
        if grant.member != self.context.participant {
            return Err(HandshakeError::Keys);
        }
        Ok(Keys { group: GroupKey::from_bytes(group), pair, grant })
    }
}
