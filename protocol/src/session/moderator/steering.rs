//! What goes on with members that are inside.

use std::time::{Duration, Instant};

use super::members::{Member, Stage};
use super::{Moderator, ModeratorEvent, ParticipantGone, State};
use crate::header::{Header, MemberId};
use crate::keys::GrantKey;
use crate::message::{
    ControlGrant, FromMember, FromModerator, InputEvent, OutputName, Rights, Role, SecretBytes,
    ToFiles, ToTerminal, decode,
};
use crate::session::group::Broadcast;
use crate::session::pair::Heard;
use crate::session::steering::Steering;
use crate::session::tampered::Tampered;

/// What was lost is told to all who lack something, so that nobody can ask for it more often.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);

/// Those who come in within this time get one complete picture together.
const GATHER_REFRESHES: Duration = Duration::from_millis(100);

impl Moderator {
    /// From now on everybody sees this device's screen; whether it is one that is inside. Control
    /// of it is this side's, unless somebody else has it.
    pub fn present(&mut self, device: MemberId) -> bool {
        let State::Open(session) = &mut self.state else { return false };
        let is_device = session.members.get(device).is_some_and(|m| m.role == Role::Device);
        if !is_device || session.members.connected(device).is_none() {
            return false;
        }
        let before = session.focus;
        if before != Some(device) {
            self.watch(false);
            if let State::Open(session) = &mut self.state {
                session.focus = Some(device);
            }
            self.begin_presenting(device);
        }
        true
    }

    /// The screen of this device, which is the focus by now, is to be seen.
    pub(super) fn begin_presenting(&mut self, device: MemberId) {
        let State::Open(session) = &mut self.state else { return };
        session.arrows = super::Arrows::default();
        let me = session.me;
        let is_free = session.roster.get(device).is_some_and(|entry| entry.controller.is_none());
        let Some(connected) = session.members.connected_mut(device) else { return };
        (connected.is_silent, connected.heard) = (false, self.clock.unwrap_or(connected.heard));
        let report = connected.screens.report;
        let outputs = connected.screens.outputs.clone().unwrap_or_default();
        let covered = connected.screens.covered.clone();
        if !(is_free && self.give_control(device, me)) {
            self.redraft(|_| {});
        }
        self.outputs.event(ModeratorEvent::Presents { member: device });
        if let Some(report) = report {
            self.outputs.event(ModeratorEvent::Screen(report));
        }
        self.outputs.event(ModeratorEvent::Outputs(outputs));
        self.outputs.event(ModeratorEvent::Covered(covered));
    }

    /// Asks the device for pictures, or for none.
    pub fn watch(&mut self, wanted: bool) {
        self.tell_device(&FromModerator::Watch(wanted));
    }

    /// The picture with this number is on the screen.
    pub fn picture_shown(&mut self, number: u32) {
        if let State::Open(session) = &mut self.state {
            session.lacks.shown(number);
        }
        self.tell_device(&FromModerator::PictureShown(number));
    }

    /// Something of the picture was lost here; the next one must tell it, and at once what
    /// others have said that they lack.
    pub fn refresh(&mut self) {
        let State::Open(session) = &mut self.state else { return };
        let after = session.lacks.ask(self.clock);
        session.refresh_after = session.refresh_after.min(after);
        self.refresh_all();
    }

    /// Asks for all that anybody lacks.
    fn refresh_all(&mut self) {
        let State::Open(session) = &mut self.state else { return };
        session.refresh_at = None;
        session.refreshed = self.clock;
        let after = std::mem::replace(&mut session.refresh_after, u32::MAX);
        self.tell_device(&FromModerator::Refresh { after });
    }

    /// Asks for another of the device's screens.
    pub fn show(&mut self, output: OutputName) {
        self.tell_device(&FromModerator::Show(output));
    }

    /// Asks for a terminal at the device, or says something to it.
    pub fn terminal(&mut self, message: ToTerminal) {
        self.tell_device(&FromModerator::Terminal(message));
    }

    /// Asks for something about the device's files, or goes on with it; each request has another
    /// number. No more than [`crate::message::FILE_WINDOW`] bytes may be on their way.
    pub fn files(&mut self, id: u16, what: ToFiles) {
        self.tell_device(&FromModerator::Files { id, what });
    }

    /// Sends an input to the device; whether it was taken, which needs the right and control.
    pub fn input(&mut self, event: InputEvent, now: Instant) -> bool {
        self.clock = Some(now);
        let is_paused = self.outputs.is_paused;
        let State::Open(session) = &mut self.state else { return false };
        let Some(steering) = &mut session.steering else { return false };
        let device = steering.device();
        let is_away = session.members.connected(device).is_none_or(|member| member.is_away);
        match steering.input(event, !is_paused && !is_away, now) {
            Ok(Some(packets)) => {
                self.send(packets);
                true
            }
            Ok(None) => false,
            Err(error) => {
                log::warn!("session: member {}: {error}", device.0);
                self.dismiss(device, ParticipantGone::Unreachable);
                false
            }
        }
    }

    /// From now on this member, or the moderator itself, controls a device, and nobody else.
    /// Whether that is possible: the device must allow control, the member be inside.
    pub fn give_control(&mut self, device: MemberId, to: MemberId) -> bool {
        let State::Open(session) = &mut self.state else { return false };
        let (me, id) = (session.me, session.id);
        let may = session.members.connected(device).map(|member| member.rights);
        let is_inside = to == me || session.members.connected(to).is_some();
        let (Some(rights), Some(now), true) = (may, self.clock, is_inside) else { return false };
        if !rights.allows(Rights::CONTROL) || to == device {
            return false;
        }
        self.withdraw_control(device);
        // One device is steered from here at a time.
        let steered = self.session().and_then(|s| s.steering.as_ref()).map(Steering::device);
        if let Some(other) = steered.filter(|_| to == me) {
            self.withdraw_control(other);
        }
        let State::Open(session) = &mut self.state else { return false };
        // One more for each list, and there is another list for each grant.
        let [.., high, low] = session.roster.number().to_be_bytes();
        let number = u16::from_be_bytes([high, low]).max(1);
        let key = GrantKey::random(&mut self.rng);
        let key = SecretBytes(*key.as_bytes());
        session.grants.insert(device, number);
        let grant = ControlGrant { number, device, controller: to, rights, key };
        if to == me {
            session.steering = Some(Steering::new(id, &grant, me, now));
        }
        self.control(device, &FromModerator::Grant(grant.clone()));
        self.control(to, &FromModerator::Grant(grant));
        self.edit(device, |entry| entry.controller = Some(to));
        true
    }

    /// Nobody controls a device any more.
    pub fn withdraw_control(&mut self, device: MemberId) {
        let State::Open(session) = &mut self.state else { return };
        let me = session.me;
        let controller = session.roster.get(device).and_then(|entry| entry.controller);
        let (Some(grant), Some(controller)) = (session.grants.remove(&device), controller) else {
            return;
        };
        session.steering.take_if(|steering| controller == me && steering.device() == device);
        self.control(controller, &FromModerator::Revoke { grant });
        self.control(device, &FromModerator::Revoke { grant });
        self.edit(device, |entry| entry.controller = None);
    }

    /// No more than this may be done at a device from now on.
    pub fn limit(&mut self, device: MemberId, rights: Rights) {
        self.control(device, &FromModerator::Limit(rights));
        self.note_limit(device, rights);
    }

    fn note_limit(&mut self, device: MemberId, rights: Rights) {
        let State::Open(session) = &mut self.state else { return };
        let Some(connected) = session.members.connected_mut(device) else { return };
        connected.rights = connected.rights.capped_by(rights);
        let left = connected.rights;
        if let Some(steering) = session.steering.as_mut().filter(|s| s.device() == device) {
            steering.limit(left);
        }
        self.edit(device, |entry| entry.rights = left);
    }

    /// A member that has just come in gets what it needs.
    pub(super) fn settle_in(&mut self, id: MemberId, role: Role) {
        let State::Open(session) = &mut self.state else { return };
        let (me, now) = (session.me, self.clock);
        let deputy = session.roster.deputy();
        if role == Role::Device {
            if session.focus == Some(id) {
                session.arrows = super::Arrows::default();
                self.outputs.event(ModeratorEvent::Presents { member: id });
                self.give_control(id, me);
            }
        } else if let Some(now) = now {
            self.refresh_soon(0, now + GATHER_REFRESHES);
        }
        if deputy.is_some() {
            self.tell_deputy(id);
        }
    }

    /// Somebody lacks what was told after a picture, and needs it by then, if that is not too soon.
    fn refresh_soon(&mut self, after: u32, at: Instant) {
        let State::Open(session) = &mut self.state else { return };
        session.refresh_after = session.refresh_after.min(after);
        let earliest = session.refreshed.map_or(at, |last| at.max(last + REFRESH_INTERVAL));
        session.refresh_at.get_or_insert(earliest);
    }

    /// Somebody is gone: nobody controls it, and it controls nothing.
    pub(super) fn release_grants_of(&mut self, gone: MemberId) {
        let State::Open(session) = &mut self.state else { return };
        let me = session.me;
        session.steering.take_if(|steering| steering.device() == gone);
        session.grants.remove(&gone);
        let focus = session.focus;
        let controlled = session.roster.devices().filter(|d| d.controller == Some(gone));
        let controlled: Vec<_> = controlled.map(|device| device.member).collect();
        for device in controlled {
            if focus == Some(device) {
                self.give_control(device, me);
            } else {
                self.withdraw_control(device);
            }
        }
    }

    fn tell_device(&mut self, message: &FromModerator) {
        if let Some(focus) = self.focus() {
            self.control(focus, message);
        }
    }

    /// Says that this side is there, and notices when the device is not.
    pub(super) fn watch_over(&mut self, now: Instant) {
        let State::Open(session) = &mut self.state else { return };
        let mut packets = Vec::new();
        for (_, _, member) in session.members.inside_mut() {
            if !member.is_away {
                packets.extend(member.pair.handle_timeout(now));
            }
        }
        if let Some(steering) = &mut session.steering {
            packets.extend(steering.handle_timeout(now).1);
        }
        let needs_refresh = session.refresh_at.is_some_and(|due| due <= now);
        let focus = session.focus;
        self.send(packets);
        if needs_refresh {
            self.refresh_all();
        }
        if let Some(connected) = focus.and_then(|focus| self.connected_mut(focus))
            && connected.silent_at().is_some_and(|due| due <= now)
        {
            connected.is_silent = true;
            self.outputs.event(ModeratorEvent::Silent(true));
        }
    }

    /// Takes an encrypted packet.
    pub(super) fn handle_sealed(&mut self, header: &Header, payload: &[u8], now: Instant) {
        let id = header.source;
        let opened = self.open_sealed(header, payload, now);
        let gone = match opened {
            Ok(Opened::Nothing) => None,
            Ok(Opened::First(bytes)) => {
                self.entered(id, &bytes, now);
                None
            }
            Ok(Opened::Message(bytes)) => self.told(id, &bytes, now),
            Ok(Opened::Picture { update, after_gap }) => {
                if self.focus() == Some(id) {
                    if after_gap {
                        self.refresh();
                    }
                    self.outputs.event(ModeratorEvent::Picture(update));
                }
                None
            }
            Err(tampered) => Some(ParticipantGone::Tampered(tampered)),
        };
        if let Some(gone) = gone {
            self.dismiss(id, gone);
        }
    }

    fn open_sealed(
        &mut self,
        header: &Header,
        payload: &[u8],
        now: Instant,
    ) -> Result<Opened, Tampered> {
        let State::Open(session) = &mut self.state else { return Ok(Opened::Nothing) };
        let id = header.source;
        let Some(mut member) = session.members.take(id) else { return Ok(Opened::Nothing) };
        let opened = match &mut member {
            Member { stage: Stage::Consent(granted), .. }
                if header.destination == session.me && header.stream == 0 =>
            {
                granted.pair.open(header, payload, now).map(|heard| match heard {
                    Heard::Message(bytes) => Opened::First(bytes),
                    Heard::Again(packets) => {
                        self.outputs.sealed(packets);
                        Opened::Nothing
                    }
                })
            }
            Member { stage: Stage::Connected(connected), .. } => {
                let opened = if header.destination == MemberId::ALL {
                    session.group.open(header, payload, now).map(|broadcast| match broadcast {
                        Broadcast::Picture { update, after_gap } => {
                            Opened::Picture { update, after_gap }
                        }
                        // This side has made the list.
                        Broadcast::Roster(_) | Broadcast::Nothing => Opened::Nothing,
                    })
                } else if header.stream != 0 {
                    match session.steering.as_mut().filter(|steering| steering.is_for(header)) {
                        Some(steering) => {
                            steering.open(header, payload, now).map(|(news, packets)| {
                                self.outputs.sealed(packets);
                                if news.dropped > 0 {
                                    let dropped = ModeratorEvent::InputDropped(news.dropped);
                                    self.outputs.event(dropped);
                                }
                                if let Some(paused) = news.paused {
                                    self.outputs.event(ModeratorEvent::Paused(paused));
                                }
                                Opened::Nothing
                            })
                        }
                        None => Ok(Opened::Nothing),
                    }
                } else {
                    connected.pair.open(header, payload, now).map(|heard| match heard {
                        Heard::Message(bytes) => Opened::Message(bytes),
                        Heard::Again(packets) => {
                            self.outputs.sealed(packets);
                            Opened::Nothing
                        }
                    })
                };
                if opened.is_ok() {
                    connected.heard = now;
                    if std::mem::take(&mut connected.is_silent) && session.focus == Some(id) {
                        self.outputs.event(ModeratorEvent::Silent(false));
                    }
                }
                opened
            }
            _ => Ok(Opened::Nothing),
        };
        session.members.put(id, member);
        opened
    }

    /// Takes a message of a member; why it is gone, if it is.
    fn told(&mut self, id: MemberId, bytes: &[u8], now: Instant) -> Option<ParticipantGone> {
        let is_watched = self.focus() == Some(id);
        match decode(bytes) {
            Ok(FromMember::Screen(report)) => {
                if let Some(connected) = self.connected_mut(id) {
                    connected.screens.report = Some(report);
                }
                if is_watched {
                    self.outputs.event(ModeratorEvent::Screen(report));
                }
            }
            Ok(FromMember::CannotType(c)) => {
                self.outputs.event(ModeratorEvent::CannotType(c));
            }
            Ok(FromMember::Outputs(outputs)) => {
                if let Some(connected) = self.connected_mut(id) {
                    connected.screens.outputs = Some(outputs.clone());
                }
                if is_watched {
                    self.outputs.event(ModeratorEvent::Outputs(outputs));
                }
            }
            Ok(FromMember::Covered(parts)) => {
                if let Some(connected) = self.connected_mut(id) {
                    connected.screens.covered = parts.clone();
                }
                if is_watched {
                    self.outputs.event(ModeratorEvent::Covered(parts));
                }
            }
            Ok(FromMember::Terminal(report)) => {
                if is_watched {
                    self.outputs.event(ModeratorEvent::Terminal(report));
                }
            }
            Ok(FromMember::Files { id: request, what }) => {
                if is_watched {
                    self.outputs.event(ModeratorEvent::Files { id: request, what });
                }
            }
            Ok(FromMember::Point(arrow)) => self.pointed(id, arrow, now),
            Ok(FromMember::Arrows(report)) => {
                if is_watched {
                    self.arrows_reported(report, now);
                }
            }
            Ok(FromMember::Restart(report)) => self.restart_report(id, report),
            Ok(FromMember::End(why)) => return Some(ParticipantGone::Ended(why)),
            Ok(FromMember::Turned { epoch, .. }) => self.turned(id, epoch),
            Ok(FromMember::WearsOut { epoch }) => self.wears_out(epoch),
            Ok(FromMember::Limit(rights)) => {
                self.note_limit(id, rights);
                let left = self.connected_mut(id).map_or(Rights::NONE, |member| member.rights);
                self.outputs.event(ModeratorEvent::Rights { member: id, rights: left });
            }
            Ok(FromMember::Refresh { after }) => {
                self.refresh_soon(after, now + GATHER_REFRESHES);
            }
            Ok(FromMember::RostersDiffer { .. }) => {
                self.outputs.event(ModeratorEvent::RostersDiffer { member: id });
            }
            Ok(FromMember::AskControl) => {
                self.outputs.event(ModeratorEvent::AsksControl { member: id });
            }
            Ok(FromMember::Entered { .. }) | Err(_) => {
                return Some(ParticipantGone::Tampered(Tampered("a message that is not due")));
            }
        }
        None
    }
}

/// What a packet brings.
enum Opened {
    /// The first message of a member.
    First(Vec<u8>),
    /// A message of a member that is inside.
    Message(Vec<u8>),
    /// An update of a device's picture.
    Picture { update: Vec<u8>, after_gap: bool },
    /// Nothing for now.
    Nothing,
}
