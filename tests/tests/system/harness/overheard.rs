//! What the one in the middle can work out: written after `docs/protocol.md`, with nothing of the
//! programs' own key derivation.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use hkdf::Hkdf;
use lotse_protocol::frame::Frame;
use lotse_protocol::header::HEADER_LEN;
use lotse_protocol::tunnel::Answer;
use lotse_protocol::{Class, Header};
use sha2::{Digest, Sha256};

use super::{Captured, Way};

/// 32 bytes that may or may not be a key.
pub(crate) type Secret = [u8; 32];

/// What a server knows of a session.
#[derive(Debug)]
pub(crate) struct Overheard {
    session: [u8; 16],
    number: u32,
    member: u16,
    /// The messages of the handshake, in their order.
    handshake: Vec<Vec<u8>>,
}

/// Under which kind of keys a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Group,
    Pair,
    Grant,
}

impl Overheard {
    /// From captured frames, each packet of which passed in one of the ways that are given.
    pub(crate) fn from_frames(captured: &[Captured], ways: &[Way], number: u32) -> Self {
        let answer = captured.iter().find_map(|captured| match &captured.frame {
            Frame::Reply(reply) => match &reply.answer {
                Answer::Joined { session, member, .. } => Some((session.0, member.0)),
                _ => None,
            },
            _ => None,
        });
        let (session, member) = answer.expect("somebody has joined");
        let handshake = packets(captured, ways)
            .filter(|packet| header(packet).class == Class::Handshake)
            .map(|packet| packet[HEADER_LEN..].to_vec())
            .collect();
        Self { session, number, member, handshake }
    }

    /// How many messages the handshake had.
    pub(crate) fn handshake_len(&self) -> usize {
        self.handshake.len()
    }

    /// The same with another message in the handshake, as who was lied to has seen it.
    pub(crate) fn with_message(&self, index: usize, message: Vec<u8>) -> Self {
        let mut handshake = self.handshake.clone();
        handshake[index] = message;
        Self { handshake, ..*self }
    }

    /// The hash of the first messages of the handshake.
    fn transcript(&self, messages: usize) -> Secret {
        let mut hash = Sha256::new_with_prefix(b"lotse/1 handshake");
        hash.update(self.session);
        hash.update(self.number.to_be_bytes());
        hash.update(self.member.to_be_bytes());
        for message in &self.handshake[..messages] {
            hash.update(u32::try_from(message.len()).unwrap().to_be_bytes());
            hash.update(message);
        }
        hash.finalize().into()
    }

    /// The six digits that somebody shows who has seen this handshake.
    pub(crate) fn code(&self) -> String {
        let digest =
            Sha256::new_with_prefix(b"lotse/1 code").chain_update(self.transcript(3)).finalize();
        let first = u64::from_be_bytes(digest[..8].try_into().unwrap());
        format!("{:06}", first % 1_000_000)
    }

    /// All that could be mistaken for a secret in what a server knows: any 32 bytes in a row of
    /// the handshake, hashes of it, and plain constants.
    pub(crate) fn public_values(&self) -> Vec<Secret> {
        let mut values = vec![[0; 32], [0xff; 32]];
        let mut padded = [0; 32];
        padded[..16].copy_from_slice(&self.session);
        values.push(padded);
        padded[16..].copy_from_slice(&self.session);
        values.push(padded);
        values.push(Sha256::digest(self.session).into());
        values.push(Sha256::digest(self.number.to_be_bytes()).into());
        values.push(Sha256::digest(format!("{:09}", self.number)).into());
        for count in 0..=self.handshake.len() {
            values.push(self.transcript(count));
        }
        for message in &self.handshake {
            values.push(Sha256::digest(message).into());
            values.extend(message.windows(32).map(|run| Secret::try_from(run).unwrap()));
        }
        values
    }

    /// What is in a packet, if one of these secrets opens it, as the group's key, as that of a grant, as the one
    /// from which the key of the pair comes, or as the latter itself.
    pub(crate) fn open(&self, packet: &[u8], secrets: &[Secret]) -> Option<Vec<u8>> {
        let transcript = self.transcript(self.handshake.len().min(4));
        secrets.iter().find_map(|secret| {
            let pair: Secret = expand(secret, &[b"lotse/1 pair", &transcript]);
            let keys = [
                (Kind::Group, secret),
                (Kind::Pair, &pair),
                (Kind::Pair, secret),
                (Kind::Grant, secret),
            ];
            keys.into_iter().find_map(|(kind, key)| self.open_with(packet, kind, key))
        })
    }

    fn open_with(&self, packet: &[u8], kind: Kind, key: &Secret) -> Option<Vec<u8>> {
        let header = header(packet);
        let label: &[u8; 28] = match kind {
            Kind::Group => b"lotse/1 packets of the group",
            Kind::Pair => b"lotse/1 packets of the pair.",
            Kind::Grant => b"lotse/1 packets of the grant",
        };
        let material: [u8; 44] = expand(
            key,
            &[
                label,
                &self.session,
                &header.epoch.to_be_bytes(),
                &header.source.0.to_be_bytes(),
                &header.instance.to_be_bytes(),
                &[header.class.code()],
            ],
        );
        let (key, salt) = material.split_at(32);
        let mut nonce = <[u8; 12]>::try_from(salt).unwrap();
        for (byte, counter) in nonce[4..].iter_mut().zip(header.number.to_be_bytes()) {
            *byte ^= counter;
        }
        let (head, sealed) = packet.split_at(HEADER_LEN);
        let associated = [head, &self.session].concat();
        let payload = Payload { msg: sealed, aad: &associated };
        let cipher = Aes256Gcm::new_from_slice(key).unwrap();
        cipher.decrypt(Nonce::from_slice(&nonce), payload).ok()
    }
}

fn expand<const N: usize>(secret: &Secret, info: &[&[u8]]) -> [u8; N] {
    let mut out = [0; N];
    Hkdf::<Sha256>::new(None, secret).expand_multi_info(info, &mut out).unwrap();
    out
}

/// The packets among frames, that passed in one of these ways.
pub(crate) fn packets<'a>(
    captured: &'a [Captured],
    ways: &'a [Way],
) -> impl Iterator<Item = &'a Vec<u8>> {
    captured.iter().filter(|captured| ways.contains(&captured.way)).filter_map(|captured| {
        match &captured.frame {
            Frame::Packet(packet) => Some(packet),
            _ => None,
        }
    })
}

/// A packet's readable head.
pub(crate) fn header(packet: &[u8]) -> Header {
    Header::parse(packet).unwrap().0
}
