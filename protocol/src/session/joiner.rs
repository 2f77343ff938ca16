//! A member that is on its way into a session, up to the keys.

use rand_core::CryptoRngCore;

use super::joining::{Joining, OwnSide, Question, Step, farewell};
use super::{Outputs, Pending, handshake_packet};
use crate::SessionNumber;
use crate::certificate::{CertifiedDevice, PublicKey};
use crate::handshake::participant::Keys;
use crate::handshake::{
    Context, Declined, HandshakeError, HandshakeMessage, JoinKey, Level, Password,
};
use crate::header::{Class, Header, MemberId};
use crate::message::{Consent, DeviceEnd, Name, Rights, Role};
use crate::tunnel::{Answer, Asked, Departure, EndOfSession, Notice, Refusal};

use super::tampered::Tampered;

/// Why a session is over for a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndReason {
    /// The server does not let the device in.
    JoinRefused(Refusal),
    /// The moderator's console does not go on.
    Declined(Declined),
    /// The exchange of keys failed here.
    Handshake(HandshakeError),
    /// The device itself ended it.
    Here(DeviceEnd),
    /// The person here said no, or nobody answered.
    NotConsented(Consent),
    /// The technician ended it.
    Moderator,
    /// The server ended it.
    Server(EndOfSession),
    /// Packets were tampered with.
    Tampered(Tampered),
    /// The moderator does not acknowledge any more, or its keys are worn out.
    Unreachable,
}

#[expect(clippy::large_enum_variant, reason = "there is one, and it is moved a handful of times")]
enum State {
    Idle,
    Asked {
        number: SessionNumber,
        key: JoinKey,
    },
    /// The handshake; what the person here has granted, once that is decided, and how sure it is
    /// who is there.
    Entering {
        joining: Joining,
        granted: Option<Rights>,
        level: Option<Level>,
    },
}

/// The way in.
pub(super) struct Joiner {
    own: OwnSide,
    /// As the server says; nobody else is heard.
    moderator: MemberId,
    state: State,
    pending: Pending,
}

/// Where something has led.
pub(super) enum Progress {
    /// On, or nowhere.
    Nothing,
    /// The server let it in.
    Joined,
    /// The person here is to type the password.
    AskPassword,
    /// This is to be signed.
    Identify([u8; 32]),
    /// The person here is to decide.
    Ask(Question),
    /// It is inside.
    Keys { context: Context, keys: Box<Keys>, granted: Rights, level: Option<Level> },
    /// It is out.
    Ended(EndReason),
}

impl Joiner {
    pub(super) fn new(name: Name, role: Role) -> Self {
        let own = OwnSide { name, role, operator: None, ticket: None };
        Self {
            own,
            moderator: MemberId::MODERATOR,
            state: State::Idle,
            pending: Pending::default(),
        }
    }

    /// Who moderates the session that it is on its way into.
    pub(super) fn moderator(&self) -> MemberId {
        self.moderator
    }

    /// What it calls itself.
    pub(super) fn name(&self) -> &Name {
        &self.own.name
    }

    /// From the next join on it takes part in certificates of the operator with this root.
    pub(super) fn set_operator(&mut self, root: Option<PublicKey>) {
        self.own.operator = root;
    }

    /// The person here has typed the password. Nothing happens if it is not due.
    pub(super) fn enter_password<E>(
        &mut self,
        password: &Password,
        rng: &mut impl CryptoRngCore,
        outputs: &mut Outputs<E>,
    ) {
        if !matches!(&self.state, State::Entering { joining, .. } if joining.wants_password()) {
            return;
        }
        if let State::Entering { joining, granted, level } =
            std::mem::replace(&mut self.state, State::Idle)
            && let Some((joining, request)) = joining.enter_password(password, rng)
        {
            say(joining.context(), self.moderator, &request, outputs);
            self.state = State::Entering { joining, granted, level };
        }
    }

    /// The device has signed. Nothing happens if that is not due.
    pub(super) fn identify<E>(&mut self, device: CertifiedDevice, outputs: &mut Outputs<E>) {
        if !matches!(&self.state, State::Entering { joining, .. } if joining.wants_identity()) {
            return;
        }
        if let State::Entering { joining, granted, level } =
            std::mem::replace(&mut self.state, State::Idle)
            && let Some((joining, proof)) = joining.identify(device)
        {
            say(joining.context(), self.moderator, &proof, outputs);
            self.state = State::Entering { joining, granted, level };
        }
    }

    /// Whether it is on its way.
    pub(super) fn is_busy(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// Asks the server for something.
    pub(super) fn request<E>(&mut self, what: Asked, outputs: &mut Outputs<E>) {
        self.pending.asked(matches!(what, Asked::Join { .. }));
        outputs.request(what);
    }

    /// Nothing that was asked of the server will be answered any more.
    pub(super) fn forget_requests(&mut self) {
        self.pending = Pending::default();
    }

    /// The link broke: what was asked will not be answered, and a handshake that was under way is
    /// over; why, then.
    pub(super) fn pause(&mut self) -> Option<EndReason> {
        self.forget_requests();
        let was_busy = self.is_busy();
        self.forget();
        was_busy.then_some(EndReason::Server(EndOfSession::ModeratorLost))
    }

    /// Gives up, without telling anybody.
    pub(super) fn forget(&mut self) {
        self.state = State::Idle;
    }

    pub(super) fn join<E>(
        &mut self,
        number: SessionNumber,
        key: JoinKey,
        outputs: &mut Outputs<E>,
    ) {
        self.own.ticket = None;
        self.request(Asked::Join { number }, outputs);
        self.state = State::Asked { number, key };
    }

    /// As [`Self::join`], but this is tried and nothing else.
    pub(super) fn come_back<E>(
        &mut self,
        number: SessionNumber,
        (key, ticket): (JoinKey, Password),
        outputs: &mut Outputs<E>,
    ) {
        self.join(number, key, outputs);
        self.own.ticket = Some(ticket);
    }

    /// The person here has decided.
    pub(super) fn decide<E>(
        &mut self,
        consent: Consent,
        rng: &mut impl CryptoRngCore,
        outputs: &mut Outputs<E>,
    ) -> Progress {
        let (joining, level) = match std::mem::replace(&mut self.state, State::Idle) {
            State::Entering { joining, granted: None, level } if joining.is_asking() => {
                (joining, level)
            }
            other => {
                self.state = other;
                return Progress::Nothing;
            }
        };
        let (context, asks) = (*joining.context(), joining.asks());
        let Consent::Granted(rights) = consent else {
            let declined = HandshakeMessage::Declined(match consent {
                Consent::TimedOut => Declined::TimedOut,
                Consent::CannotAsk => Declined::CannotAsk,
                _ => Declined::Refused,
            });
            say(&context, self.moderator, &declined.encode(), outputs);
            return Progress::Ended(EndReason::NotConsented(consent));
        };
        let step = joining.accept(rng);
        self.step(context, step, (Some(rights.capped_by(asks)), level), outputs)
    }

    /// Takes the server's answer to the oldest request that has none.
    pub(super) fn handle_answer(&mut self, answer: Answer) -> Progress {
        if !self.pending.answered() {
            return Progress::Nothing;
        }
        let (number, key) = match std::mem::replace(&mut self.state, State::Idle) {
            State::Asked { number, key } => (number, key),
            other => {
                self.state = other;
                return Progress::Nothing;
            }
        };
        let refusal = match answer {
            Answer::Joined { session, member, moderator, .. } => {
                self.moderator = moderator;
                let context = Context { session, number, participant: member };
                let joining = Joining::new(context, key, self.own.clone());
                self.own.ticket = None;
                self.state = State::Entering { joining, granted: None, level: None };
                return Progress::Joined;
            }
            Answer::Refused(refusal) => refusal,
            Answer::Opened { .. } | Answer::Done | Answer::Resumed => Refusal::NotAllowed,
        };
        Progress::Ended(EndReason::JoinRefused(refusal))
    }

    /// Takes a packet of the moderator.
    pub(super) fn handle_packet<E>(
        &mut self,
        header: &Header,
        payload: &[u8],
        rng: &mut impl CryptoRngCore,
        outputs: &mut Outputs<E>,
    ) -> Progress {
        let (joining, granted, level) = match std::mem::replace(&mut self.state, State::Idle) {
            State::Entering { joining, granted, level }
                if header.class == Class::Handshake
                    && header.source == self.moderator
                    && header.destination == joining.context().participant =>
            {
                (joining, granted, level)
            }
            other => {
                self.state = other;
                return Progress::Nothing;
            }
        };
        let context = *joining.context();
        let step = joining.handle(payload, rng).map(|(step, answer)| {
            if let Some(answer) = answer {
                say(&context, self.moderator, &answer, outputs);
            }
            step
        });
        self.step(context, step, (granted, level), outputs)
    }

    /// Goes where a message of the handshake, or the decision of the person here, has led.
    fn step<E>(
        &mut self,
        context: Context,
        step: Result<Step, HandshakeError>,
        (granted, level): (Option<Rights>, Option<Level>),
        outputs: &mut Outputs<E>,
    ) -> Progress {
        match step {
            Ok(Step::On(joining)) => {
                self.state = State::Entering { joining, granted, level };
                Progress::Nothing
            }
            Ok(Step::AskPassword(joining)) => {
                self.state = State::Entering { joining, granted, level };
                Progress::AskPassword
            }
            Ok(Step::Identify(joining, transcript)) => {
                self.state = State::Entering { joining, granted, level };
                Progress::Identify(transcript)
            }
            Ok(Step::Ask(joining, question)) => {
                let level = question.standing.level();
                self.state = State::Entering { joining, granted, level };
                Progress::Ask(question)
            }
            Ok(Step::Keys(keys)) => {
                let granted = granted.unwrap_or(Rights::NONE);
                Progress::Keys { context, keys, granted, level }
            }
            Err(error) => {
                if let Some(farewell) = farewell(error) {
                    say(&context, self.moderator, &farewell, outputs);
                }
                Progress::Ended(match error {
                    HandshakeError::Declined(why) => EndReason::Declined(why),
                    error => EndReason::Handshake(error),
                })
            }
        }
    }
}

/// What a notice of the server means to a member that does not moderate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// It is over.
    Over(EndReason),
    /// The moderator's link broke, or is there again.
    Moderator { is_away: bool },
    /// Somebody else is said to moderate.
    ModeratorIs(MemberId, u16),
    /// Pictures were dropped on the way here.
    PicturesDropped,
    /// Nothing.
    Nothing,
}

/// What a notice means to a member whose moderator this is.
pub(super) fn meaning(notice: &Notice, moderator: MemberId) -> Word {
    match *notice {
        Notice::SessionEnded { why } => Word::Over(EndReason::Server(why)),
        Notice::MemberLeft { member, how } if member == moderator => {
            Word::Over(EndReason::Server(match how {
                Departure::Left => EndOfSession::Ended,
                _ => EndOfSession::ModeratorLost,
            }))
        }
        Notice::MemberAway { member } if member == moderator => Word::Moderator { is_away: true },
        Notice::MemberBack { member } if member == moderator => Word::Moderator { is_away: false },
        Notice::ModeratorIs { member, term } => Word::ModeratorIs(member, term),
        Notice::PicturesDropped { .. } => Word::PicturesDropped,
        Notice::MemberAway { .. }
        | Notice::MemberBack { .. }
        | Notice::MemberJoined { .. }
        | Notice::MemberLeft { .. }
        | Notice::Token { .. } => Word::Nothing,
    }
}

fn say<E>(context: &Context, to: MemberId, message: &[u8], outputs: &mut Outputs<E>) {
    let packet = handshake_packet(context.participant, to, message);
    outputs.packets(Class::Handshake, vec![packet]);
}
