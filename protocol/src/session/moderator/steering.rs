//! What goes on with members that are inside.

use std::time::Instant;

use super::members::{Member, Stage};
use super::{Moderator, ModeratorEvent, ParticipantGone};
use crate::header::{Class, Header, MemberId};
use crate::message::{FromDevice, FromModerator, Input, InputEvent, OutputName, Rights, decode};
use crate::session::STILL_HERE_INTERVAL;
use crate::session::channels::{Arrived, Tampered};

impl Moderator {
    /// Asks the device for pictures, or for none.
    pub fn watch(&mut self, wanted: bool) {
        self.tell_device(&FromModerator::Watch(wanted));
    }

    /// The picture with this number is on the screen.
    pub fn picture_shown(&mut self, number: u32) {
        self.tell_device(&FromModerator::PictureShown(number));
    }

    /// Something of the picture was lost; the next one must be complete.
    pub fn refresh(&mut self) {
        self.tell_device(&FromModerator::Refresh);
    }

    /// Asks for another of the device's screens.
    pub fn show(&mut self, output: OutputName) {
        self.tell_device(&FromModerator::Show(output));
    }

    /// Sends an input to the device; whether there is a session that may be controlled.
    pub fn input(&mut self, event: InputEvent, now: Instant) -> bool {
        self.clock = Some(now);
        let Some(focus) = self.focus() else { return false };
        let Some(connected) = self.connected_mut(focus) else { return false };
        if !connected.rights.allows(Rights::CONTROL) {
            return false;
        }
        connected.pressed.note(&event);
        connected.still_here_at = match (connected.pressed.is_empty(), connected.still_here_at) {
            (true, _) => None,
            (false, None) => Some(now + STILL_HERE_INTERVAL),
            (false, due) => due,
        };
        let sealed = connected.channels.seal_input(&Input { tick: connected.tick, event });
        self.send_sealed(focus, Class::Input, sealed);
        true
    }

    fn tell_device(&mut self, message: &FromModerator) {
        if let Some(focus) = self.focus() {
            self.control(focus, message);
        }
    }

    /// Says that this side is there, and notices when the device is not.
    pub(super) fn watch_over(&mut self, now: Instant) {
        let Some(focus) = self.focus() else { return };
        if let Some(connected) = self.connected_mut(focus)
            && connected.still_here_at.is_some_and(|due| due <= now)
        {
            connected.still_here_at = Some(now + STILL_HERE_INTERVAL);
            let tick = connected.tick;
            self.control(focus, &FromModerator::StillHere(tick));
        }
        if let Some(connected) = self.connected_mut(focus)
            && connected.silent_at().is_some_and(|due| due <= now)
        {
            connected.is_silent = true;
            self.outputs.event(ModeratorEvent::Silent(true));
        }
    }

    /// Takes an encrypted packet of a member that was taken out of the table for it.
    pub(super) fn handle_sealed(
        &mut self,
        member: Member,
        header: &Header,
        payload: &[u8],
        now: Instant,
    ) {
        let id = header.source;
        let Member { role, mut stage } = member;
        let arrived = match &mut stage {
            Stage::Consent { channels, .. } => channels.open(header, payload),
            Stage::Connected(connected) => connected.channels.open(header, payload),
            Stage::Waiting
            | Stage::Request(..)
            | Stage::Held(..)
            | Stage::Proof(..)
            | Stage::Compare(_) => Ok(Arrived::Nothing),
        };
        let gone = match (arrived, stage) {
            (Ok(Arrived::Nothing), stage) => {
                self.put(id, Member { role, stage });
                return;
            }
            (Ok(Arrived::Control(bytes)), Stage::Consent { channels, name, level }) => {
                match self.consented(id, role, *channels, &bytes, now) {
                    Ok(member) => {
                        self.put(id, member);
                        let rights = self.connected_mut(id).map_or(Rights::NONE, |c| c.rights);
                        self.outputs.event(ModeratorEvent::Connected {
                            member: id,
                            role,
                            name,
                            rights,
                            level,
                        });
                        self.admit_waiting();
                        None
                    }
                    Err(gone) => Some(gone),
                }
            }
            (Ok(arrived), Stage::Connected(connected)) => {
                self.put(id, Member { role, stage: Stage::Connected(connected) });
                self.arrived(id, arrived, now)
            }
            (Ok(_), _) => Some(ParticipantGone::Tampered(Tampered("a packet before its time"))),
            (Err(tampered), _) => Some(ParticipantGone::Tampered(tampered)),
        };
        if let Some(gone) = gone {
            self.turn_away(id, role, gone);
        }
    }

    fn arrived(&mut self, id: MemberId, arrived: Arrived, now: Instant) -> Option<ParticipantGone> {
        let is_watched = self.focus() == Some(id);
        if let Some(connected) = self.connected_mut(id) {
            connected.heard = now;
            if std::mem::take(&mut connected.is_silent) && is_watched {
                self.outputs.event(ModeratorEvent::Silent(false));
            }
        }
        let bytes = match arrived {
            Arrived::Picture { update, after_gap } => {
                if after_gap && is_watched {
                    self.refresh();
                }
                if is_watched {
                    self.outputs.event(ModeratorEvent::Picture(update));
                }
                return None;
            }
            Arrived::Control(bytes) => bytes,
            Arrived::Input(_) | Arrived::Nothing => return None,
        };
        match decode(&bytes) {
            Ok(FromDevice::Screen(report)) => {
                if is_watched {
                    self.outputs.event(ModeratorEvent::Screen(report));
                }
            }
            Ok(FromDevice::Tick(tick)) => {
                if let Some(connected) = self.connected_mut(id) {
                    connected.tick = connected.tick.max(tick);
                }
            }
            Ok(FromDevice::InputDropped(count)) => {
                self.outputs.event(ModeratorEvent::InputDropped(count));
            }
            Ok(FromDevice::CannotType(c)) => {
                self.outputs.event(ModeratorEvent::CannotType(c));
            }
            Ok(FromDevice::Outputs(outputs)) => {
                if is_watched {
                    self.outputs.event(ModeratorEvent::Outputs(outputs));
                }
            }
            Ok(FromDevice::Covered(parts)) => {
                if is_watched {
                    self.outputs.event(ModeratorEvent::Covered(parts));
                }
            }
            Ok(FromDevice::End(why)) => return Some(ParticipantGone::Ended(why)),
            Ok(FromDevice::Consent(_)) | Err(_) => {
                return Some(ParticipantGone::Tampered(Tampered("a message that is not due")));
            }
        }
        None
    }
}
