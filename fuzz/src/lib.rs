//! What the targets and the writer of seeds share: both ends of a session with the same randomness
//! each time, so that a seed is understood by the target that it was written for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lotse_protocol::SessionNumber;
use lotse_protocol::handshake::{JoinKey, Means, SessionPasswords};
use lotse_protocol::message::{Name, Rights};
use lotse_protocol::session::{Moderator, ModeratorConfig, Onlooker, Participant};
use lotse_protocol::tunnel::{Answer, ResumeToken, SessionId};
use lotse_protocol::{Class, Header, MemberId, header::Fragment};
use rand_core::{CryptoRng, RngCore};

/// The same numbers each time (SplitMix64). Nothing here is secret.
#[derive(Debug, Clone)]
pub struct Seeded(pub u64);

impl RngCore for Seeded {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }

    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let random = self.next_u64().to_le_bytes();
            chunk.iter_mut().zip(random).for_each(|(byte, random)| *byte = random);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Seeded {}

/// Who reads the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A moderator that has codes compared.
    Moderator,
    /// A moderator that wants a password.
    ModeratorWithPassword,
    /// A device on its way in.
    Device,
    /// A second console on its way in.
    Onlooker,
}

impl Reader {
    /// All, in the order of the first byte.
    pub const ALL: [Self; 4] =
        [Self::Moderator, Self::ModeratorWithPassword, Self::Device, Self::Onlooker];
}

/// One thing that happens to a side. In a script it is a byte for its kind, two for the length of
/// what follows, little endian, and that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A message of the handshake, from the other side.
    Handshake(&'a [u8]),
    /// A packet with its header.
    Packet(&'a [u8]),
    /// The server answers.
    Answer(&'a [u8]),
    /// The server tells something.
    Notice(&'a [u8]),
    /// The person here does what is due: says that the codes are the same, says yes.
    Person,
    /// Seconds pass, as many as there are bytes.
    Wait(&'a [u8]),
}

impl<'a> Step<'a> {
    /// Appends it to a script.
    pub fn write(&self, script: &mut Vec<u8>) {
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::Handshake(bytes) => (0, bytes),
            Self::Packet(bytes) => (1, bytes),
            Self::Answer(bytes) => (2, bytes),
            Self::Notice(bytes) => (3, bytes),
            Self::Person => (4, &[]),
            Self::Wait(bytes) => (5, bytes),
        };
        script.push(kind);
        script.extend_from_slice(&u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes());
        script.extend_from_slice(bytes);
    }

    /// The steps of a script; a length that is too long takes what there is.
    pub fn read_all(mut script: &'a [u8]) -> Vec<Self> {
        let mut steps = Vec::new();
        while let [kind, low, high, rest @ ..] = script {
            let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
            let (bytes, after) = rest.split_at(length);
            steps.push(match kind % 6 {
                0 => Self::Handshake(bytes),
                1 => Self::Packet(bytes),
                2 => Self::Answer(bytes),
                3 => Self::Notice(bytes),
                4 => Self::Person,
                _ => Self::Wait(bytes),
            });
            script = after;
        }
        steps
    }
}

/// Which member joins.
pub const MEMBER: MemberId = MemberId(2);

/// The number of the session.
pub fn number() -> SessionNumber {
    SessionNumber::random(&mut Seeded(6))
}

/// A pair for the join; making it takes long.
pub fn key() -> JoinKey {
    let mut rng = Seeded(3);
    loop {
        if let Ok(key) = JoinKey::generate(&mut rng) {
            return key;
        }
    }
}

/// The passwords of the session.
pub fn passwords() -> SessionPasswords {
    SessionPasswords::random(&mut Seeded(4))
}

fn name(text: &str) -> Name {
    text.try_into().unwrap_or_default()
}

/// A moderator whose session is open.
pub fn moderator(with_password: bool) -> Moderator {
    let passwords = with_password.then(|| Arc::new(passwords()));
    let means = Means { passwords, pass: None };
    let config =
        ModeratorConfig { means, ..ModeratorConfig::new(name("Technician"), Rights::KNOWN) };
    let mut moderator = Moderator::new(config, Box::new(Seeded(1)));
    moderator.open();
    while moderator.poll_output().is_some() {}
    moderator.handle_answer(Answer::Opened {
        number: number(),
        session: SessionId([5; 16]),
        expires_in_s: 600,
        resume: ResumeToken(heapless::Vec::new()),
    });
    while moderator.poll_output().is_some() {}
    moderator
}

/// What the server answers to who joins.
pub fn joined() -> Answer {
    Answer::Joined {
        session: SessionId([5; 16]),
        member: MEMBER,
        moderator: MemberId::MODERATOR,
        resume: ResumeToken(heapless::Vec::new()),
    }
}

/// A device that was let in by the server.
pub fn device(key: JoinKey) -> Participant {
    let mut device = Participant::new(name("Kiosk"), Box::new(Seeded(2)));
    device.join(number(), key);
    while device.poll_output().is_some() {}
    device.handle_answer(joined());
    while device.poll_output().is_some() {}
    device
}

/// A second console that was let in by the server.
pub fn onlooker(key: JoinKey) -> Onlooker {
    let mut onlooker = Onlooker::new(name("Colleague"), Box::new(Seeded(2)));
    onlooker.join(number(), key);
    while onlooker.poll_output().is_some() {}
    onlooker.handle_answer(joined());
    while onlooker.poll_output().is_some() {}
    onlooker
}

/// The packet around a handshake message.
pub fn handshake_packet(source: MemberId, destination: MemberId, message: &[u8]) -> Vec<u8> {
    let header = Header {
        class: Class::Handshake,
        fragment: Fragment { first: true, last: true },
        stream: 0,
        source,
        destination,
        epoch: 0,
        instance: 0,
        length: u32::try_from(message.len()).unwrap_or(u32::MAX),
        number: 0,
    };
    [&header.encode()[..], message].concat()
}

/// A second.
pub const SECOND: Duration = Duration::from_secs(1);

/// A clock that moves when told.
#[derive(Debug)]
pub struct Clock(pub Instant);

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Some seconds pass.
    pub fn pass(&mut self, seconds: usize) {
        self.0 += SECOND * u32::try_from(seconds.min(600)).unwrap_or(600);
    }
}
