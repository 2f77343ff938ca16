//! The device's side of a session.

use std::time::Instant;

use rand_core::CryptoRngCore;

use super::channels::{Arrived, Channels, Tampered};
use super::joining::{Joining, OwnSide, Question, Step, farewell};
use super::pressed::Pressed;
use super::{MAX_INPUT_AGE_TICKS, Output, Outputs, Pending, RELEASE_AFTER, TICK, handshake_packet};
use crate::SessionNumber;
use crate::certificate::{CertifiedDevice, PublicKey};
use crate::handshake::participant::{Keys, Standing};
use crate::handshake::{
    Context, Declined, HandshakeError, HandshakeMessage, JoinKey, Level, Password,
};
use crate::header::{Class, Header, MemberId};
use crate::message::{
    Consent, CoveredParts, DeviceEnd, FromDevice, FromModerator, InputEvent, Name, OutputList,
    OutputName, Rights, Role, ScreenReport, decode, decode_input,
};
use crate::packet::SealError;
use crate::tunnel::{Answer, Asked, Departure, EndOfSession, Notice, Refusal, SessionId};

/// What the device's program must know.
#[derive(Debug)]
#[non_exhaustive]
pub enum ParticipantEvent {
    /// The server let the device in; the moderator's console answers by itself.
    Joined,
    /// The moderator offers the password level: the person must type the session's password;
    /// answer with [`Participant::enter_password`], or end. From the answer on the attempt is a
    /// wrong guess, unless [`ParticipantEvent::Ask`] follows.
    AskPassword,
    /// Both sides have certificates of one operator: the device must sign this transcript (see
    /// [`crate::certificate::identify_device`]); answer with [`Participant::identify`], or end.
    Identify {
        /// What was said so far.
        transcript: [u8; 32],
    },
    /// The person at the device must decide, where codes are compared after comparing; answer with
    /// [`Participant::decide`].
    Ask {
        /// What the technician calls himself. Nobody has checked it.
        name: Name,
        /// What the technician asks for.
        asks: Rights,
        /// What is known of the technician. A certificate in it is not checked yet.
        standing: Standing,
    },
    /// The technician has confirmed the code as well: the session is live.
    Connected {
        /// What may be done.
        rights: Rights,
        /// How sure it is who is there.
        level: Level,
    },
    /// Pictures are wanted, or no longer.
    Watch(bool),
    /// The picture with this number is on the technician's screen.
    PictureShown(u32),
    /// The next picture must be complete.
    Refresh,
    /// Another of the device's screens is wanted.
    Show(OutputName),
    /// To be injected. [`InputEvent::ReleaseAll`] also comes when the controller falls silent.
    Input(InputEvent),
    /// It is over; the participant can join again.
    Ended(EndReason),
}

/// Why a session is over for a device.
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
    /// The keys are worn out.
    KeysExhausted,
}

#[expect(clippy::large_enum_variant, reason = "there is one, and it is moved a handful of times")]
enum State {
    Idle,
    Joining {
        number: SessionNumber,
        key: JoinKey,
    },
    /// The handshake; what the person here has granted, once that is decided.
    Entering {
        joining: Joining,
        granted: Option<Rights>,
        level: Level,
    },
    Connected(Box<Connected>),
}

struct Connected {
    me: MemberId,
    channels: Channels,
    rights: Rights,
    tick: u32,
    tick_at: Instant,
    pressed: Pressed,
    heard: Instant,
}

/// The device's side of a session: joins by number, asks the person, shows and obeys.
///
/// See [`crate::session`] for how it is driven.
pub struct Participant {
    name: Name,
    operator: Option<PublicKey>,
    rng: Box<dyn CryptoRngCore + Send>,
    state: State,
    outputs: Outputs<ParticipantEvent>,
    pending: Pending,
}

impl std::fmt::Debug for Participant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Participant").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Participant {
    /// A participant that is in no session. `name` is what the device calls itself.
    pub fn new(name: Name, rng: Box<dyn CryptoRngCore + Send>) -> Self {
        Self {
            name,
            operator: None,
            rng,
            state: State::Idle,
            outputs: Outputs::new(),
            pending: Pending::default(),
        }
    }

    /// The device is enrolled: from the next join on it takes part in certificates of the
    /// operator with this root, and prefers them.
    pub fn set_operator(&mut self, root: Option<PublicKey>) {
        self.operator = root;
    }

    /// What must leave; drain it after each call.
    pub fn poll_output(&mut self) -> Option<Output<ParticipantEvent>> {
        self.outputs.pop()
    }

    /// When [`Participant::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let connected = self.connected()?;
        let tick = connected.rights.allows(Rights::CONTROL).then_some(connected.tick_at);
        let release = (!connected.pressed.is_empty()).then_some(connected.heard + RELEASE_AFTER);
        tick.into_iter().chain(release).min()
    }

    /// Whether it is in a session or on its way into one.
    pub fn is_busy(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// Joins the session with this number; `key` is used for this join alone. Nothing happens
    /// while another session goes on.
    pub fn join(&mut self, number: SessionNumber, key: JoinKey) {
        if !self.is_busy() {
            self.request(Asked::Join { number });
            self.state = State::Joining { number, key };
        }
    }

    /// The person at the device has typed the session's password. Nothing happens if it is not
    /// due.
    pub fn enter_password(&mut self, password: &Password) {
        if !matches!(&self.state, State::Entering { joining, .. } if joining.wants_password()) {
            return;
        }
        if let State::Entering { joining, granted, level } =
            std::mem::replace(&mut self.state, State::Idle)
            && let Some((joining, request)) = joining.enter_password(password, &mut self.rng)
        {
            self.send_handshake_from(joining.context().participant, &request);
            self.state = State::Entering { joining, granted, level };
        }
    }

    /// The device has signed what [`ParticipantEvent::Identify`] asked for. Nothing happens if it
    /// is not due.
    pub fn identify(&mut self, device: CertifiedDevice) {
        if !matches!(&self.state, State::Entering { joining, .. } if joining.wants_identity()) {
            return;
        }
        if let State::Entering { joining, granted, level } =
            std::mem::replace(&mut self.state, State::Idle)
            && let Some((joining, proof)) = joining.identify(device)
        {
            self.send_handshake_from(joining.context().participant, &proof);
            self.state = State::Entering { joining, granted, level };
        }
    }

    /// The person at the device has decided. Anything but [`Consent::Granted`] ends the session.
    pub fn decide(&mut self, consent: Consent, now: Instant) {
        let State::Entering { joining, granted: None, .. } = &self.state else { return };
        if !joining.is_asking() {
            return;
        }
        let asks = joining.asks();
        let Consent::Granted(rights) = consent else {
            let declined = match consent {
                Consent::TimedOut => Declined::TimedOut,
                Consent::CannotAsk => Declined::CannotAsk,
                _ => Declined::Refused,
            };
            self.send_handshake(&HandshakeMessage::Declined(declined).encode());
            self.leave(EndReason::NotConsented(consent));
            return;
        };
        let State::Entering { joining, level, .. } =
            std::mem::replace(&mut self.state, State::Idle)
        else {
            return;
        };
        let context = *joining.context();
        let step = joining.accept(&mut self.rng);
        self.step(&context, step, (Some(rights.capped_by(asks)), level), now);
    }

    /// Tells what the device's screen is doing.
    pub fn report_screen(&mut self, report: ScreenReport) {
        self.control(&FromDevice::Screen(report));
    }

    /// Tells that a character cannot be typed.
    pub fn report_cannot_type(&mut self, character: char) {
        self.control(&FromDevice::CannotType(character));
    }

    /// Tells which screens the device has.
    pub fn report_outputs(&mut self, outputs: Box<OutputList>) {
        self.control(&FromDevice::Outputs(outputs));
    }

    /// Tells which parts of the picture are covered.
    pub fn report_covered(&mut self, parts: CoveredParts) {
        self.control(&FromDevice::Covered(parts));
    }

    /// Sends an update of the picture; the caller paces by [`ParticipantEvent::PictureShown`].
    pub fn send_picture(&mut self, update: &[u8]) {
        if let Some(connected) = self.connected_mut()
            && connected.rights.allows(Rights::VIEW)
        {
            let sealed = connected.channels.seal_picture(update);
            self.send_sealed(Class::Picture, sealed);
        }
    }

    /// Ends the session from here, at once.
    pub fn end(&mut self, why: DeviceEnd) {
        if self.is_busy() {
            self.control(&FromDevice::End(why));
            self.leave(EndReason::Here(why));
        }
    }

    /// The link is gone: forgets the session without telling anybody. No event follows.
    pub fn forget(&mut self) {
        self.state = State::Idle;
        self.pending = Pending::default();
        self.outputs = Outputs::new();
    }

    /// Takes the server's answer to the oldest [`Output::Request`] that has none.
    pub fn handle_answer(&mut self, answer: Answer) {
        if !self.pending.answered() {
            return;
        }
        let (number, key) = match std::mem::replace(&mut self.state, State::Idle) {
            State::Joining { number, key } => (number, key),
            other => {
                self.state = other;
                return;
            }
        };
        let refusal = match answer {
            Answer::Joined { session, member, .. } => {
                self.enter(session, member, number, key);
                return;
            }
            Answer::Refused(refusal) => refusal,
            Answer::Opened { .. } | Answer::Done | Answer::Resumed => Refusal::NotAllowed,
        };
        self.outputs.event(ParticipantEvent::Ended(EndReason::JoinRefused(refusal)));
    }

    /// Takes a notice of the server.
    pub fn handle_notice(&mut self, notice: &Notice) {
        match *notice {
            Notice::SessionEnded { why } if self.is_busy() => {
                self.finish(EndReason::Server(why));
            }
            Notice::MemberLeft { member: MemberId::MODERATOR, how } if self.is_busy() => {
                let why = match how {
                    Departure::Left => EndOfSession::Ended,
                    _ => EndOfSession::ModeratorLost,
                };
                self.finish(EndReason::Server(why));
            }
            // Nobody waits for one that is away yet.
            Notice::MemberAway { member: MemberId::MODERATOR } if self.is_busy() => {
                self.leave(EndReason::Server(EndOfSession::ModeratorLost));
            }
            Notice::PicturesDropped { .. }
            | Notice::MemberAway { .. }
            | Notice::MemberBack { .. }
            | Notice::MemberJoined { .. }
            | Notice::MemberLeft { .. }
            | Notice::SessionEnded { .. } => {}
        }
    }

    /// Takes a packet, header included.
    pub fn handle_packet(&mut self, packet: &[u8], now: Instant) {
        let Ok((header, payload)) = Header::parse(packet) else { return };
        let Some(me) = self.member() else { return };
        if header.source != MemberId::MODERATOR
            || (header.destination != me && header.destination != MemberId::ALL)
        {
            return;
        }
        match (header.class, &mut self.state) {
            (Class::Handshake, State::Entering { .. }) => self.handle_handshake(payload, now),
            (Class::Handshake, _) => {}
            (_, State::Connected(connected)) => match connected.channels.open(&header, payload) {
                Ok(arrived) => self.arrived(arrived, now),
                Err(tampered) => self.leave(EndReason::Tampered(tampered)),
            },
            _ => {}
        }
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Some(connected) = self.connected_mut() else { return };
        if !connected.pressed.is_empty() && now >= connected.heard + RELEASE_AFTER {
            connected.pressed = Pressed::default();
            self.outputs.event(ParticipantEvent::Input(InputEvent::ReleaseAll));
        }
        let Some(connected) = self.connected_mut() else { return };
        if connected.rights.allows(Rights::CONTROL) && now >= connected.tick_at {
            // After a pause the time jumps, so that what was held back meanwhile is old.
            let late = now.saturating_duration_since(connected.tick_at);
            let missed = late.as_millis() / TICK.as_millis();
            let missed = u32::try_from(missed).unwrap_or(u32::MAX - 1);
            connected.tick = connected.tick.saturating_add(missed.saturating_add(1));
            connected.tick_at = now + TICK;
            let tick = FromDevice::Tick(connected.tick);
            self.control(&tick);
        }
    }

    fn enter(
        &mut self,
        session: SessionId,
        participant: MemberId,
        number: SessionNumber,
        key: JoinKey,
    ) {
        let context = Context { session, number, participant };
        let own = OwnSide { name: self.name.clone(), role: Role::Device, operator: self.operator };
        let joining = Joining::new(context, key, own);
        self.state = State::Entering { joining, granted: None, level: Level::CodeCompared };
        self.outputs.event(ParticipantEvent::Joined);
    }

    fn handle_handshake(&mut self, payload: &[u8], now: Instant) {
        let State::Entering { joining, granted, level } =
            std::mem::replace(&mut self.state, State::Idle)
        else {
            return;
        };
        let context = *joining.context();
        let step = joining.handle(payload, &mut self.rng).map(|(step, answer)| {
            if let Some(answer) = answer {
                self.send_handshake_from(context.participant, &answer);
            }
            step
        });
        self.step(&context, step, (granted, level), now);
    }

    /// Goes where a message of the handshake, or the decision of the person here, has led.
    fn step(
        &mut self,
        context: &Context,
        step: Result<Step, HandshakeError>,
        (granted, level): (Option<Rights>, Level),
        now: Instant,
    ) {
        match step {
            Ok(Step::On(joining)) => self.state = State::Entering { joining, granted, level },
            Ok(Step::AskPassword(joining)) => {
                self.state = State::Entering { joining, granted, level };
                self.outputs.event(ParticipantEvent::AskPassword);
            }
            Ok(Step::Identify(joining, transcript)) => {
                self.state = State::Entering { joining, granted, level };
                self.outputs.event(ParticipantEvent::Identify { transcript });
            }
            Ok(Step::Ask(joining, question)) => {
                let Question { name, asks, standing } = question;
                let level = standing.level();
                self.state = State::Entering { joining, granted, level };
                self.outputs.event(ParticipantEvent::Ask { name, asks, standing });
            }
            Ok(Step::Keys(keys)) => {
                self.connect(context, &keys, (granted.unwrap_or(Rights::NONE), level), now);
            }
            Err(error) => {
                if let Some(farewell) = farewell(error) {
                    self.send_handshake_from(context.participant, &farewell);
                }
                self.leave(match error {
                    HandshakeError::Declined(why) => EndReason::Declined(why),
                    error => EndReason::Handshake(error),
                });
            }
        }
    }

    fn connect(
        &mut self,
        context: &Context,
        keys: &Keys,
        (granted, level): (Rights, Level),
        now: Instant,
    ) {
        let mut channels =
            Channels::of_participant(context.session, &keys.grant, &keys.group, &keys.pair);
        let consent = FromDevice::Consent(Consent::Granted(granted));
        let sealed = channels.seal_control(&consent);
        self.outputs.packets(Class::Control, sealed.unwrap_or_default());
        self.outputs.event(ParticipantEvent::Connected { rights: granted, level });
        self.state = State::Connected(Box::new(Connected {
            me: context.participant,
            channels,
            rights: granted,
            tick: 0,
            tick_at: now + TICK,
            pressed: Pressed::default(),
            heard: now,
        }));
    }

    fn arrived(&mut self, arrived: Arrived, now: Instant) {
        match arrived {
            Arrived::Control(bytes) => match decode(&bytes) {
                Ok(FromModerator::Watch(on)) => self.outputs.event(ParticipantEvent::Watch(on)),
                Ok(FromModerator::PictureShown(number)) => {
                    self.outputs.event(ParticipantEvent::PictureShown(number));
                }
                Ok(FromModerator::Refresh) => self.outputs.event(ParticipantEvent::Refresh),
                Ok(FromModerator::StillHere(tick)) => self.hear(tick, now),
                Ok(FromModerator::End) => self.leave(EndReason::Moderator),
                Ok(FromModerator::Show(name)) => {
                    self.outputs.event(ParticipantEvent::Show(name));
                }
                Err(_) => self.leave(EndReason::Tampered(Tampered("a message makes no sense"))),
            },
            Arrived::Input(bytes) => self.input(&bytes, now),
            Arrived::Picture { .. } | Arrived::Nothing => {}
        }
    }

    /// The controller gave a sign of life. One that was held back on the way is none, and neither
    /// is any other packet: whoever lets those pass could keep keys down.
    fn hear(&mut self, tick: u32, now: Instant) {
        if let Some(connected) = self.connected_mut()
            && connected.tick.saturating_sub(tick) <= MAX_INPUT_AGE_TICKS
        {
            connected.heard = now;
        }
    }

    fn input(&mut self, bytes: &[u8], now: Instant) {
        let Ok(input) = decode_input(bytes) else {
            self.leave(EndReason::Tampered(Tampered("an input makes no sense")));
            return;
        };
        let Some(connected) = self.connected_mut() else { return };
        if !connected.rights.allows(Rights::CONTROL) {
            return;
        }
        let age = connected.tick.saturating_sub(input.tick);
        // Letting go is never too late.
        let releases = matches!(
            input.event,
            InputEvent::ReleaseAll
                | InputEvent::Lift { .. }
                | InputEvent::Key { pressed: false, .. }
                | InputEvent::Button { pressed: false, .. }
        );
        if age > MAX_INPUT_AGE_TICKS && !releases {
            self.control(&FromDevice::InputDropped(1));
            return;
        }
        connected.pressed.note(&input.event);
        self.hear(input.tick, now);
        self.outputs.event(ParticipantEvent::Input(input.event));
    }

    fn control(&mut self, message: &FromDevice) {
        if let Some(connected) = self.connected_mut() {
            let sealed = connected.channels.seal_control(message);
            self.send_sealed(Class::Control, sealed);
        }
    }

    fn send_sealed(&mut self, class: Class, sealed: Result<Vec<Vec<u8>>, SealError>) {
        match sealed {
            Ok(packets) => self.outputs.packets(class, packets),
            Err(SealError::TooLong(bytes)) => {
                log::error!("session: a message of {bytes} bytes was not sent");
            }
            Err(_) => self.leave(EndReason::KeysExhausted),
        }
    }

    fn send_handshake(&mut self, message: &[u8]) {
        if let Some(me) = self.member() {
            self.send_handshake_from(me, message);
        }
    }

    fn send_handshake_from(&mut self, from: MemberId, message: &[u8]) {
        let packet = handshake_packet(from, MemberId::MODERATOR, message);
        self.outputs.packets(Class::Handshake, vec![packet]);
    }

    fn leave(&mut self, why: EndReason) {
        self.request(Asked::Leave);
        self.finish(why);
    }

    fn finish(&mut self, why: EndReason) {
        self.state = State::Idle;
        self.outputs.event(ParticipantEvent::Ended(why));
    }

    fn request(&mut self, what: Asked) {
        self.pending.asked(matches!(what, Asked::Join { .. }));
        self.outputs.request(what);
    }

    /// Who this side is in its session.
    fn member(&self) -> Option<MemberId> {
        match &self.state {
            State::Entering { joining, .. } => Some(joining.context().participant),
            State::Connected(connected) => Some(connected.me),
            State::Idle | State::Joining { .. } => None,
        }
    }

    fn connected(&self) -> Option<&Connected> {
        match &self.state {
            State::Connected(connected) => Some(connected),
            _ => None,
        }
    }

    fn connected_mut(&mut self) -> Option<&mut Connected> {
        match &mut self.state {
            State::Connected(connected) => Some(connected),
            _ => None,
        }
    }
}
