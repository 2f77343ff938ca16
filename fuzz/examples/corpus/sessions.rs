//! Seeds that lead both ends of a session as far as the people are asked.

use std::error::Error;
use std::time::Instant;

use lotse_fuzz::{MEMBER, Reader, SECOND, Step, handshake_packet};
use lotse_protocol::MemberId;
use lotse_protocol::handshake::{HandshakeMessage, Password};
use lotse_protocol::session::{
    Moderator, ModeratorEvent, Onlooker, OnlookerEvent, Output, Participant, ParticipantEvent,
};
use lotse_protocol::tunnel::Notice;

use crate::{bytes, write};

/// The side that joins.
trait Joiner {
    /// Takes a packet; what it sends, and whether it waits for the person.
    fn take(&mut self, packet: &[u8], now: Instant) -> (Vec<Vec<u8>>, bool);
}

impl Joiner for Participant {
    fn take(&mut self, packet: &[u8], now: Instant) -> (Vec<Vec<u8>>, bool) {
        self.handle_packet(packet, now);
        let (mut sent, mut asks) = (Vec::new(), false);
        while let Some(output) = self.poll_output() {
            match output {
                Output::Packet(_, packet) => sent.push(packet),
                Output::Event(ParticipantEvent::AskPassword) => {
                    enter(|word| self.enter_password(word))
                }
                Output::Event(ParticipantEvent::Ask { .. }) => asks = true,
                _ => {}
            }
        }
        (sent, asks)
    }
}

impl Joiner for Onlooker {
    fn take(&mut self, packet: &[u8], now: Instant) -> (Vec<Vec<u8>>, bool) {
        self.handle_packet(packet, now);
        let (mut sent, mut asks) = (Vec::new(), false);
        while let Some(output) = self.poll_output() {
            match output {
                Output::Packet(_, packet) => sent.push(packet),
                Output::Event(OnlookerEvent::AskPassword) => {
                    enter(|word| self.enter_password(word))
                }
                Output::Event(OnlookerEvent::Compare { .. }) => asks = true,
                _ => {}
            }
        }
        (sent, asks)
    }
}

/// Types the session's password.
fn enter(enter: impl FnOnce(&Password)) {
    if let Ok(word) = Password::spoken(lotse_fuzz::passwords().spoken()) {
        enter(&word);
    }
}

/// All kinds of them.
pub(crate) fn write_all() -> Result<(), Box<dyn Error>> {
    let (plain, guarded) = (Reader::Moderator, Reader::ModeratorWithPassword);
    let onlooker = || Box::new(lotse_fuzz::onlooker(lotse_fuzz::key()));
    let device = || Box::new(lotse_fuzz::device(lotse_fuzz::key()));
    meet("code-device", Reader::Device, device(), plain)?;
    meet("code-onlooker", Reader::Onlooker, onlooker(), plain)?;
    meet("password-device", Reader::Device, device(), guarded)?;
    meet("password-onlooker", Reader::Onlooker, onlooker(), guarded)?;
    let mut script = Vec::new();
    Step::Notice(&bytes(&Notice::MemberLeft {
        member: MEMBER,
        how: lotse_protocol::tunnel::Departure::Lost,
    })?)
    .write(&mut script);
    Step::Wait(&[0; 31]).write(&mut script);
    Step::Answer(&bytes(&lotse_fuzz::joined())?).write(&mut script);
    for reader in Reader::ALL {
        seed("server", reader, &script)?;
    }
    Ok(())
}

/// Lets both speak until the people are asked; each one's script is what the other said.
fn meet(
    name: &str,
    joins: Reader,
    mut joiner: Box<dyn Joiner>,
    moderates: Reader,
) -> Result<(), Box<dyn Error>> {
    let mut moderator = lotse_fuzz::moderator(moderates == Reader::ModeratorWithPassword);
    let (mut to_moderator, mut to_joiner) = (Vec::new(), Vec::new());
    let now = Instant::now() + SECOND;
    moderator.handle_notice(Notice::MemberJoined { member: MEMBER }, now);
    loop {
        let (packets, is_compared) = said(&mut moderator);
        let mut answers = Vec::new();
        for packet in &packets {
            let message = packet.get(lotse_protocol::header::HEADER_LEN..).unwrap_or_default();
            assert_eq!(*packet, handshake_packet(MemberId::MODERATOR, MEMBER, message));
            if matches!(HandshakeMessage::decode(message)?, HandshakeMessage::KeyGrant(_)) {
                // The target's promise is that nobody gets in without it.
                continue;
            }
            Step::Handshake(message).write(&mut to_joiner);
            let (sent, asks) = joiner.take(packet, now);
            answers.extend(sent);
            if asks {
                Step::Person.write(&mut to_joiner);
            }
        }
        for packet in &answers {
            let message = packet.get(lotse_protocol::header::HEADER_LEN..).unwrap_or_default();
            Step::Handshake(message).write(&mut to_moderator);
            moderator.handle_packet(packet, now);
        }
        if is_compared {
            Step::Person.write(&mut to_moderator);
        }
        if answers.is_empty() {
            break;
        }
    }
    let moderators = format!("{name}-answered");
    seed(&moderators, moderates, &to_moderator)?;
    seed(name, joins, &to_joiner)
}

/// What a moderator sends, and whether somebody waits to be let in.
fn said(moderator: &mut Moderator) -> (Vec<Vec<u8>>, bool) {
    let (mut packets, mut is_compared) = (Vec::new(), false);
    while let Some(output) = moderator.poll_output() {
        match output {
            Output::Packet(_, packet) => packets.push(packet),
            Output::Event(ModeratorEvent::Compare { .. }) => is_compared = true,
            _ => {}
        }
    }
    (packets, is_compared)
}

fn seed(name: &str, reader: Reader, script: &[u8]) -> Result<(), Box<dyn Error>> {
    let who = Reader::ALL.iter().position(|other| *other == reader).unwrap_or_default();
    let who = u8::try_from(who)?;
    let file = format!("{name}-{}", format!("{reader:?}").to_lowercase());
    write("sessions", &file, &[&[who], script].concat())
}
