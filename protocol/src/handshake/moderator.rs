//! The moderator's side of one handshake.

use rand_core::CryptoRngCore;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::rsa_key::{PublicKey, WRAPPED_LEN};
use super::{
    Code, CommitmentOpened, Context, Grant, HandshakeError, HandshakeMessage, JoinProof, KeyGrant,
    Level, ModeratorHello, Suite, Transcript, VERSION, commitment,
};
use crate::keys::{GroupKey, PairKey, seal_grant};
use crate::message::{Name, Rights, Role};

/// 256 bits that the moderator is bound to before it knows the participant's key.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Opening([u8; 32]);

/// The hello is on its way; the participant's key is due.
pub struct ExpectJoinRequest {
    transcript: Transcript,
    opening: Opening,
}

/// The commitment is open; the participant's proof is due.
pub struct ExpectJoinProof {
    transcript: Transcript,
    public_key: PublicKey,
    role: Role,
    name: Name,
    code: Code,
}

/// Both sides have everything; now the people compare. No key has left yet.
pub struct CompareCode {
    transcript: Transcript,
    public_key: PublicKey,
    name: Name,
    code: Code,
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
opaque_debug!(ExpectJoinRequest, ExpectJoinProof, CompareCode);

impl ExpectJoinRequest {
    /// Starts a handshake; the bytes are its first message.
    pub fn start(
        context: &Context,
        name: &Name,
        asks: Rights,
        rng: &mut impl CryptoRngCore,
    ) -> (Self, Vec<u8>) {
        let mut opening = Opening([0; 32]);
        rng.fill_bytes(&mut opening.0);
        let hello = HandshakeMessage::ModeratorHello(ModeratorHello {
            versions: one(VERSION),
            suites: one(Suite::RsaOaepAes256Gcm),
            levels: one(Level::CodeCompared),
            name: name.clone(),
            asks,
            commitment: commitment(&opening.0),
        })
        .encode();
        let mut transcript = Transcript::new(context);
        transcript.add(&hello);
        (Self { transcript, opening }, hello)
    }

    /// Takes the join request; the bytes are the answer.
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over.
    pub fn handle(mut self, bytes: &[u8]) -> Result<(ExpectJoinProof, Vec<u8>), HandshakeError> {
        let request = match HandshakeMessage::decode(bytes)? {
            HandshakeMessage::JoinRequest(request) => request,
            HandshakeMessage::Declined(why) => return Err(HandshakeError::Declined(why)),
            _ => return Err(HandshakeError::Unexpected),
        };
        if request.version != VERSION {
            return Err(HandshakeError::Incompatible);
        }
        let public_key = PublicKey::from_der(&request.public_key)?;
        self.transcript.add(bytes);
        let answer =
            HandshakeMessage::CommitmentOpened(CommitmentOpened { opening: self.opening.0 })
                .encode();
        self.transcript.add(&answer);
        let code = self.transcript.code();
        let next = ExpectJoinProof {
            transcript: self.transcript,
            public_key,
            role: request.role,
            name: request.name,
            code,
        };
        Ok((next, answer))
    }
}

impl ExpectJoinProof {
    /// What the participant wants to be in the session.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Takes the participant's proof.
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over.
    pub fn handle(mut self, bytes: &[u8]) -> Result<CompareCode, HandshakeError> {
        match HandshakeMessage::decode(bytes)? {
            HandshakeMessage::JoinProof(JoinProof::CodeCompared) => {}
            HandshakeMessage::Declined(why) => return Err(HandshakeError::Declined(why)),
            _ => return Err(HandshakeError::Unexpected),
        }
        self.transcript.add(bytes);
        Ok(CompareCode {
            transcript: self.transcript,
            public_key: self.public_key,
            name: self.name,
            code: self.code,
        })
    }
}

impl CompareCode {
    /// The six digits that must be the same at the device.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What the device calls itself.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The technician has confirmed that the digits are the same: the keys may leave.
    ///
    /// # Errors
    /// [`HandshakeError::PublicKey`] if the key cannot wrap, which [`ExpectJoinRequest::handle`]
    /// has ruled out.
    pub fn confirm(
        self,
        group: &GroupKey,
        grant: Grant,
        rng: &mut impl CryptoRngCore,
    ) -> Result<(PairKey, Vec<u8>), HandshakeError> {
        let transcript = self.transcript.hash();
        let mut secret = Zeroizing::new([0; 32]);
        rng.fill_bytes(secret.as_mut());
        let pair = PairKey::derive(&secret, &transcript);
        let mut bundle = Zeroizing::new([0; WRAPPED_LEN]);
        let (first, rest) = bundle.split_at_mut(32);
        first.copy_from_slice(secret.as_ref());
        rest.copy_from_slice(group.as_bytes());
        let wrapped = self.public_key.wrap(rng, &bundle, &transcript)?;
        let sealed = seal_grant(&pair, &transcript, &crate::message::encode(&grant));
        let sealed = heapless::Vec::from_slice(&sealed).map_err(|_| HandshakeError::Unexpected)?;
        let message = HandshakeMessage::KeyGrant(KeyGrant { wrapped, sealed });
        Ok((pair, message.encode()))
    }
}

/// A list of one.
fn one<T, const N: usize>(item: T) -> heapless::Vec<T, N> {
    let mut list = heapless::Vec::new();
    list.push(item).ok();
    list
}
