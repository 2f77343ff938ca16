//! The moderator's side of one handshake.

use std::sync::Arc;

use rand_core::CryptoRngCore;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::password::{Binding, Pake, PasswordKey, Prover};
use super::rsa_key::{PublicKey, WRAPPED_LEN};
use super::transcript::{Transcript, commitment};
use super::{
    Choice, Code, CommitmentOpened, Context, Grant, HandshakeError, HandshakeMessage, JoinProof,
    JoinRequest, KeyGrant, Level, Means, ModeratorHello, ModeratorProof, Password, PasswordKind,
    Suite, VERSION,
};
use crate::certificate::{Pass, check_device, identify_technician};
use crate::keys::{GroupKey, PairKey, seal_grant};
use crate::message::{Name, Rights, Role};

/// 256 bits that the moderator is bound to before it knows the participant's key.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Opening([u8; 32]);

/// The hello is on its way; the participant's key is due.
pub struct ExpectJoinRequest {
    transcript: Transcript,
    opening: Opening,
    means: Means,
    ticket: Option<Password>,
}

/// The commitment is open; the participant's proof is due.
pub struct ExpectJoinProof {
    transcript: Transcript,
    public_key: PublicKey,
    role: Role,
    name: Name,
    check: Check,
    is_return: bool,
}

/// How the participant's proof is checked.
enum Check {
    Code(Code),
    Password(PasswordKey),
    Certificate(Arc<Pass>),
}

/// The other side has shown all that its level can show. No key has left yet.
pub struct Admission {
    transcript: Transcript,
    public_key: PublicKey,
    name: Name,
    level: Level,
    code: Option<Code>,
    password: Option<PasswordKey>,
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
opaque_debug!(ExpectJoinRequest, ExpectJoinProof, Admission);

impl ExpectJoinRequest {
    /// Starts a handshake; the bytes are its first message.
    pub fn start(
        context: &Context,
        name: &Name,
        asks: Rights,
        means: &Means,
        rng: &mut impl CryptoRngCore,
    ) -> (Self, Vec<u8>) {
        let mut opening = Opening([0; 32]);
        rng.fill_bytes(&mut opening.0);
        let by_people =
            if means.passwords.is_some() { Level::Password } else { Level::CodeCompared };
        let by_operator = means.pass.is_some().then_some(Level::Certificate);
        let hello = HandshakeMessage::ModeratorHello(ModeratorHello {
            versions: list([VERSION]),
            suites: list([Suite::RsaOaepAes256Gcm]),
            levels: list(by_operator.into_iter().chain([by_people])),
            operator: means.pass.as_ref().map(|pass| pass.root),
            name: name.clone(),
            asks,
            commitment: commitment(&opening.0),
        })
        .encode();
        let mut transcript = Transcript::new(context);
        transcript.add(&hello);
        (Self { transcript, opening, means: means.clone(), ticket: None }, hello)
    }

    /// Whether a person at the other side has to type before it can answer.
    pub fn waits_for_person(&self) -> bool {
        self.means.passwords.is_some()
    }

    /// Who asks, and at which level, before anything is answered.
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over.
    pub fn look(bytes: &[u8]) -> Result<JoinRequest, HandshakeError> {
        match HandshakeMessage::due(bytes)? {
            HandshakeMessage::JoinRequest(request) => Ok(request),
            _ => Err(HandshakeError::Unexpected),
        }
    }

    /// A device with this ticket may come back by this handshake.
    pub fn expect_back(&mut self, ticket: Password) {
        self.ticket = Some(ticket);
    }

    fn word(&self, kind: PasswordKind) -> Option<&str> {
        match kind {
            PasswordKind::Ticket => self.ticket.as_ref().map(Password::text),
            kind => self.means.passwords.as_ref()?.text(kind),
        }
    }

    /// Takes the join request; the bytes are the answer.
    ///
    /// From here on the attempt counts: see [`ExpectJoinProof::level`].
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over.
    pub fn handle(
        mut self,
        bytes: &[u8],
        rng: &mut impl CryptoRngCore,
    ) -> Result<(ExpectJoinProof, Vec<u8>), HandshakeError> {
        let request = Self::look(bytes)?;
        if request.version != VERSION {
            return Err(HandshakeError::Incompatible);
        }
        let public_key = PublicKey::from_der(&request.public_key)?;
        let binding = Binding::new(self.transcript.hash(), &request.public_key);
        self.transcript.add(bytes);
        let is_return = is_return(&request.choice);
        let mut share = None;
        let check = match (request.choice, &self.means) {
            (Choice::CodeCompared, Means { passwords: None, .. }) => None,
            (Choice::Password { kind, share: theirs }, _) => {
                let word = self.word(kind).ok_or(HandshakeError::Incompatible)?;
                let (pake, ours) = Pake::of_moderator((kind, word), &binding, rng);
                share = Some(ours);
                Some(Check::Password(pake.finish(&theirs)?))
            }
            (Choice::Certificate, Means { pass: Some(pass), .. }) => {
                Some(Check::Certificate(Arc::clone(pass)))
            }
            // What was not offered, or was taken out of the offer on the way.
            _ => return Err(HandshakeError::Incompatible),
        };
        let opened = CommitmentOpened { opening: self.opening.0, share };
        let answer = HandshakeMessage::CommitmentOpened(opened).encode();
        self.transcript.add(&answer);
        let check = check.unwrap_or_else(|| Check::Code(self.transcript.code()));
        let JoinRequest { role, name, .. } = request;
        let transcript = self.transcript;
        Ok((ExpectJoinProof { transcript, public_key, role, name, check, is_return }, answer))
    }
}

impl ExpectJoinProof {
    /// What the participant wants to be in the session.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Whether it is a device that comes back with its ticket.
    pub fn is_return(&self) -> bool {
        self.is_return
    }

    /// The level that was agreed on. At [`Level::Password`] an attempt that ends here, however it
    /// ends, is a wrong guess.
    pub fn level(&self) -> Level {
        match self.check {
            Check::Code(_) => Level::CodeCompared,
            Check::Password(_) => Level::Password,
            Check::Certificate(_) => Level::Certificate,
        }
    }

    /// Takes the participant's proof; the bytes are the answer, where there is one. `clock` is in
    /// seconds since 1970, UTC, for certificates.
    ///
    /// # Errors
    /// [`HandshakeError`]; the handshake is over.
    pub fn handle(
        self,
        bytes: &[u8],
        clock: u64,
    ) -> Result<(Admission, Option<Vec<u8>>), HandshakeError> {
        let HandshakeMessage::JoinProof(proof) = HandshakeMessage::due(bytes)? else {
            return Err(HandshakeError::Unexpected);
        };
        let level = self.level();
        let Self { mut transcript, public_key, mut name, role, check, .. } = self;
        let before = transcript.hash();
        transcript.add(bytes);
        let (mut code, mut password, mut answer) = (None, None, None);
        match (check, proof) {
            (Check::Code(digits), JoinProof::CodeCompared) => code = Some(digits),
            (Check::Password(key), JoinProof::Password { confirmation }) => {
                key.check(Prover::Participant, &before, &confirmation)?;
                let confirmation = key.confirmation(Prover::Moderator, &transcript.hash());
                answer = Some(ModeratorProof::Password { confirmation });
                password = Some(key);
            }
            (Check::Certificate(pass), JoinProof::Certificate(shown)) => {
                name = check_device(&shown, (role, &before), &pass, clock)
                    .map_err(HandshakeError::NotCertified)?;
                let known = identify_technician(&pass, &shown.nonce, &transcript.hash());
                answer = Some(ModeratorProof::Certificate(known));
            }
            _ => return Err(HandshakeError::Unexpected),
        }
        let answer = answer.map(|proof| HandshakeMessage::ModeratorProof(proof).encode());
        if let Some(answer) = &answer {
            transcript.add(answer);
        }
        Ok((Admission { transcript, public_key, name, level, code, password }, answer))
    }
}

impl Admission {
    /// The six digits that must be the same at the device, where people compare.
    pub fn code(&self) -> Option<Code> {
        self.code
    }

    /// How sure it is who is there. At [`Level::CodeCompared`], as soon as the people have
    /// compared.
    pub fn level(&self) -> Level {
        self.level
    }

    /// What the device calls itself; at [`Level::Certificate`], what its operator calls it.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// The participant may come in, and where people compare, the technician has confirmed that
    /// the digits are the same: the keys may leave.
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
        let password = self.password.map(|key| Zeroizing::new(key.for_pair()));
        let pair = PairKey::derive(&secret, password.as_deref(), &transcript);
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

/// Whether somebody wants to come back with a ticket.
pub(crate) const fn is_return(choice: &Choice) -> bool {
    matches!(choice, Choice::Password { kind: PasswordKind::Ticket, .. })
}

/// A short list; what does not fit is left out.
fn list<T, const N: usize>(items: impl IntoIterator<Item = T>) -> heapless::Vec<T, N> {
    items.into_iter().take(N).collect()
}
