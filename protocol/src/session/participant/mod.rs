//! The device's side of a session.

mod events;
mod live;

use std::time::Instant;

use rand_core::CryptoRngCore;

pub use events::ParticipantEvent;

use self::live::Live;
use super::joiner::{EndReason, Joiner, Progress, Word, meaning};
use super::joining::Question;
use super::pair::Packets;
use super::{Output, Outputs};
use crate::SessionNumber;
use crate::certificate::{CertifiedDevice, PublicKey};
use crate::handshake::{JoinKey, Password};
use crate::header::{Class, Header, MemberId};
use crate::message::{
    Consent, CoveredParts, DeviceEnd, FromFiles, FromMember, FromTerminal, InputEvent, Name,
    OutputList, RestartReport, Rights, Role, ScreenReport, SecretBytes, ToFiles, ToTerminal,
};
use crate::packet::SealError;
use crate::tunnel::{Answer, Asked, EndOfSession, Notice};

/// The device's side of a session: joins by number, asks the person, shows and obeys.
///
/// See [`crate::session`] for how it is driven.
pub struct Participant {
    rng: Box<dyn CryptoRngCore + Send>,
    joiner: Joiner,
    live: Option<Box<Live>>,
    outputs: Outputs<ParticipantEvent>,
    /// The latest instant that was told.
    clock: Option<Instant>,
}

impl std::fmt::Debug for Participant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Participant").field("name", self.joiner.name()).finish_non_exhaustive()
    }
}

impl Participant {
    /// A participant that is in no session. `name` is what the device calls itself.
    pub fn new(name: Name, rng: Box<dyn CryptoRngCore + Send>) -> Self {
        let joiner = Joiner::new(name, Role::Device);
        Self { rng, joiner, live: None, outputs: Outputs::new(), clock: None }
    }

    /// The device is enrolled: from the next join on it takes part in certificates of the
    /// operator with this root, and prefers them.
    pub fn set_operator(&mut self, root: Option<PublicKey>) {
        self.joiner.set_operator(root);
    }

    /// What must leave; drain it after each call.
    pub fn poll_output(&mut self) -> Option<Output<ParticipantEvent>> {
        self.outputs.pop()
    }

    /// When [`Participant::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.live.as_ref().and_then(|live| live.due())
    }

    /// Who this device is, once it is inside.
    pub fn member(&self) -> Option<MemberId> {
        self.live.as_ref().map(|live| live.member())
    }

    /// Whether it is in a session or on its way into one.
    pub fn is_busy(&self) -> bool {
        self.live.is_some() || self.joiner.is_busy()
    }

    /// Joins the session with this number; `key` is used for this join alone. Nothing happens
    /// while another session goes on.
    pub fn join(&mut self, number: SessionNumber, key: JoinKey) {
        if !self.is_busy() {
            self.joiner.join(number, key, &mut self.outputs);
        }
    }

    /// Comes back into the session with this number after a restart, with the ticket that its
    /// moderator has given; [`ParticipantEvent::Ask`] follows if he still has it, too.
    pub fn come_back(&mut self, number: SessionNumber, key: JoinKey, ticket: &SecretBytes) {
        if !self.is_busy() {
            let with = (key, Password::ticket(&ticket.0));
            self.joiner.come_back(number, with, &mut self.outputs);
        }
    }

    /// The person at the device has typed the session's password. Nothing happens if it is not
    /// due.
    pub fn enter_password(&mut self, password: &Password) {
        self.joiner.enter_password(password, &mut self.rng, &mut self.outputs);
    }

    /// The device has signed what [`ParticipantEvent::Identify`] asked for. Nothing happens if it
    /// is not due.
    pub fn identify(&mut self, device: CertifiedDevice) {
        self.joiner.identify(device, &mut self.outputs);
    }

    /// The person at the device has decided. Anything but [`Consent::Granted`] ends the session.
    pub fn decide(&mut self, consent: Consent, now: Instant) {
        self.clock = Some(now);
        let progress = self.joiner.decide(consent, &mut self.rng, &mut self.outputs);
        self.progress(progress, now);
    }

    /// Tells what the device's screen is doing.
    pub fn report_screen(&mut self, report: ScreenReport) {
        self.say(&FromMember::Screen(report));
    }

    /// Tells that a character cannot be typed.
    pub fn report_cannot_type(&mut self, character: char) {
        self.say(&FromMember::CannotType(character));
    }

    /// Tells which screens the device has.
    pub fn report_outputs(&mut self, outputs: Box<OutputList>) {
        self.say(&FromMember::Outputs(outputs));
    }

    /// Tells which parts of the picture are covered.
    pub fn report_covered(&mut self, parts: CoveredParts) {
        self.say(&FromMember::Covered(parts));
    }

    /// Tells whether the screen can show arrows.
    pub fn report_arrows(&mut self, are_shown: bool, now: Instant) {
        self.clock = Some(now);
        let Some(live) = &mut self.live else { return };
        let packets = live.report_arrows(are_shown, now);
        self.send(packets);
    }

    /// Tells of the device's terminal.
    pub fn report_terminal(&mut self, report: FromTerminal) {
        self.say(&FromMember::Terminal(report));
    }

    /// Tells of the device's files, in answer to the request of this number.
    pub fn report_files(&mut self, id: u16, what: FromFiles) {
        self.say(&FromMember::Files { id, what });
    }

    /// Tells of a restart that was asked for.
    pub fn report_restart(&mut self, report: RestartReport) {
        self.say(&FromMember::Restart(report));
    }

    /// Sends an update of the picture; the caller paces by [`ParticipantEvent::PictureShown`].
    pub fn send_picture(&mut self, update: &[u8]) {
        let Some(live) = &mut self.live else { return };
        match live.picture(update) {
            Ok(packets) => {
                let worn = live.takes_note_of_wear();
                self.send(packets);
                if let Some(epoch) = worn {
                    self.say(&FromMember::WearsOut { epoch });
                }
            }
            // The moderator has been told; this picture is one that is lost.
            Err(SealError::KeyExhausted) => {
                let after = live.shown();
                self.outputs.event(ParticipantEvent::Refresh { after });
            }
            Err(error) => log::error!("session: a picture was not sent: {error}"),
        }
    }

    /// Somebody at the device uses it: whoever controls it from afar has to wait for a moment.
    pub fn local_input(&mut self, now: Instant) {
        self.clock = Some(now);
        if let Some(live) = &mut self.live {
            let (held, packets) = live.local_input(now);
            if held {
                self.outputs.event(ParticipantEvent::Input(InputEvent::ReleaseAll));
            }
            self.send(packets);
        }
    }

    /// The person at the device allows no more than this from now on. It holds at once.
    pub fn limit(&mut self, rights: Rights) {
        let Some(live) = &mut self.live else { return };
        let (left, held) = live.limit(rights);
        if held {
            self.outputs.event(ParticipantEvent::Input(InputEvent::ReleaseAll));
        }
        self.say(&FromMember::Limit(left));
    }

    /// Ends the session from here, at once.
    pub fn end(&mut self, why: DeviceEnd) {
        if self.is_busy() {
            self.say(&FromMember::End(why));
            // That may have found out that nobody listens any more.
            if self.is_busy() {
                self.leave(EndReason::Here(why));
            }
        }
    }

    /// The session is given up without telling anybody. No event follows.
    pub fn forget(&mut self) {
        self.live = None;
        self.joiner.forget();
        self.joiner.forget_requests();
        self.outputs = Outputs::new();
    }

    /// The link broke; it may come back. A session that is live waits for
    /// [`Participant::resume`], one that has just begun ends. Whatever is held down is let go of.
    pub fn pause(&mut self, now: Instant) {
        self.clock = Some(now);
        let over = self.joiner.pause();
        if let Some(live) = &mut self.live {
            self.outputs.pause();
            if live.pause() {
                self.outputs.event(ParticipantEvent::Input(InputEvent::ReleaseAll));
            }
        } else if let Some(why) = over {
            self.outputs.event(ParticipantEvent::Ended(why));
        }
    }

    /// The link is back and the server has given the member its place again.
    pub fn resume(&mut self, now: Instant) {
        self.clock = Some(now);
        self.outputs.resume();
        if let Some(live) = &mut self.live {
            let packets = live.resume(now);
            let after = live.shown();
            self.send(packets);
            // Pictures were lost meanwhile.
            self.outputs.event(ParticipantEvent::Refresh { after });
        }
    }

    /// Takes the server's answer to the oldest [`Output::Request`] that has none.
    pub fn handle_answer(&mut self, answer: Answer) {
        match self.joiner.handle_answer(answer) {
            Progress::Joined => self.outputs.event(ParticipantEvent::Joined),
            Progress::Ended(why) => self.outputs.event(ParticipantEvent::Ended(why)),
            _ => {}
        }
    }

    /// Takes a notice of the server.
    pub fn handle_notice(&mut self, notice: &Notice, now: Instant) {
        self.clock = Some(now);
        if !self.is_busy() {
            return;
        }
        match meaning(notice, self.moderator()) {
            Word::Over(why) => self.finish(why),
            Word::Moderator { is_away: true } => self.moderator_away(),
            Word::Moderator { is_away: false } => {
                if let Some(live) = &mut self.live {
                    let (was_away, packets) = live.moderator_back(now);
                    if was_away {
                        self.outputs.event(ParticipantEvent::Away(false));
                    }
                    self.send(packets);
                }
            }
            Word::ModeratorIs(member, term) => self.moderator_is(member, term, now),
            Word::PicturesDropped | Word::Nothing => {}
        }
    }

    /// Takes a packet, header included.
    pub fn handle_packet(&mut self, packet: &[u8], now: Instant) {
        self.clock = Some(now);
        let Ok((header, payload)) = Header::parse(packet) else { return };
        if self.live.is_some() {
            // Nothing vouches for a handshake message: it cannot end a live session.
            if header.class != Class::Handshake {
                self.handle_sealed(&header, payload, now);
            }
            return;
        }
        let (rng, outputs) = (&mut self.rng, &mut self.outputs);
        let progress = self.joiner.handle_packet(&header, payload, rng, outputs);
        self.progress(progress, now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.clock = Some(now);
        let Some(live) = &mut self.live else { return };
        if live.is_forgotten(now, !self.outputs.is_paused) {
            return self.leave(EndReason::Server(EndOfSession::ModeratorLost));
        }
        let (releases, packets) = live.handle_timeout(now);
        if releases {
            self.outputs.event(ParticipantEvent::Input(InputEvent::ReleaseAll));
        }
        self.send(packets);
    }

    fn handle_sealed(&mut self, header: &Header, payload: &[u8], now: Instant) {
        let Some(live) = &mut self.live else { return };
        match live.open(header, payload, now) {
            Ok(news) => {
                self.send(news.packets);
                news.events.into_iter().for_each(|event| self.outputs.event(event));
                if let Some(why) = news.ends {
                    self.leave(why);
                }
            }
            Err(tampered) => self.leave(EndReason::Tampered(tampered)),
        }
    }

    fn progress(&mut self, progress: Progress, now: Instant) {
        match progress {
            Progress::AskPassword => self.outputs.event(ParticipantEvent::AskPassword),
            Progress::Identify(transcript) => {
                self.outputs.event(ParticipantEvent::Identify { transcript });
            }
            Progress::Ask(question) => {
                let Question { name, asks, standing } = question;
                self.outputs.event(ParticipantEvent::Ask { name, asks, standing });
            }
            Progress::Keys { context, keys, granted, level } => {
                let live = Live::new(
                    (&context, self.joiner.moderator()),
                    &keys,
                    granted,
                    &mut self.rng,
                    now,
                );
                let entered = FromMember::Entered { granted, key: live.identity() };
                self.live = Some(Box::new(live));
                self.say(&entered);
                self.outputs.event(ParticipantEvent::Connected { rights: granted, level });
            }
            // Something to leave, so that the server hears of it too.
            Progress::Ended(why) => self.leave(why),
            Progress::Nothing | Progress::Joined => {}
        }
    }

    fn moderator(&self) -> MemberId {
        self.live.as_ref().map_or_else(|| self.joiner.moderator(), |live| live.moderator())
    }

    fn moderator_away(&mut self) {
        match &mut self.live {
            Some(live) => {
                if live.moderator_away() {
                    self.outputs.event(ParticipantEvent::Input(InputEvent::ReleaseAll));
                }
                self.outputs.event(ParticipantEvent::Away(true));
            }
            None => self.leave(EndReason::Server(EndOfSession::ModeratorLost)),
        }
    }

    /// The server says that somebody else moderates; the list of members must have said before
    /// who that may be.
    fn moderator_is(&mut self, member: MemberId, term: u16, now: Instant) {
        let Some(live) = &mut self.live else { return };
        if live.is_led_by(member, term) {
            return;
        }
        match live.follow(member, term, now) {
            Some((held, was_away)) => {
                if held {
                    self.outputs.event(ParticipantEvent::Input(InputEvent::ReleaseAll));
                }
                if was_away {
                    self.outputs.event(ParticipantEvent::Away(false));
                }
                self.outputs.event(ParticipantEvent::Controller(None));
                // Whoever moderates now has not opened it.
                self.outputs.event(ParticipantEvent::Terminal(ToTerminal::Close));
                let what = ToFiles::Cancel;
                self.outputs.event(ParticipantEvent::Files { id: 0, what });
            }
            None => {
                // Or it was named while this side was away, which comes to the same.
                let why = EndReason::Server(EndOfSession::ModeratorLost);
                self.leave(why);
            }
        }
    }

    fn say(&mut self, message: &FromMember) {
        let Some(live) = &mut self.live else { return };
        match live.seal(message, self.clock) {
            Ok(packets) => self.send(packets),
            Err(SealError::TooLong(bytes)) => {
                log::error!("session: a message of {bytes} bytes was not sent");
            }
            Err(_) => self.leave(EndReason::Unreachable),
        }
    }

    fn send(&mut self, packets: Packets) {
        self.outputs.sealed(packets);
    }

    fn leave(&mut self, why: EndReason) {
        self.joiner.request(Asked::Leave, &mut self.outputs);
        self.finish(why);
    }

    fn finish(&mut self, why: EndReason) {
        self.live = None;
        self.joiner.forget();
        self.outputs.event(ParticipantEvent::Ended(why));
    }
}
