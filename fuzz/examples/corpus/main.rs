//! Writes `corpus/TARGET/seed-NAME`: one small valid input of each kind.
//!
//! Run it in this folder, `cargo run --example corpus`, after a change of layout.

mod sessions;

use std::error::Error;
use std::path::Path;

use lotse_agent::ipc::{Ended, ToMachine, ToNetwork, encode, encode_picture};
use lotse_codec::{Band, Encoder, Size};
use lotse_protocol::certificate::{
    CertifiedDevice, CertifiedTechnician, Entry, Holder, KeyPair, OwnDevice, Pass, groups,
    identify_device, identify_technician, issue, issue_state,
};
use lotse_protocol::frame::Frame;
use lotse_protocol::handshake::{
    Choice, CommitmentOpened, Declined, HandshakeMessage, JoinProof, JoinRequest, Level,
    ModeratorHello, ModeratorProof, PasswordKind, Suite,
};
use lotse_protocol::header::Fragment;
use lotse_protocol::message::{
    Arrow, ArrowReport, FromMember, FromModerator, Input, InputEvent, Place, Rights, Role,
    ScreenReport,
};
use lotse_protocol::tunnel::{Asked, Bye, Hello, Notice, Request};
use lotse_protocol::{Class, Header, MemberId};
use rand_core::{CryptoRng, RngCore};
use serde::Serialize;

fn main() -> Result<(), Box<dyn Error>> {
    tiles()?;
    packets()?;
    messages()?;
    certificates()?;
    local()?;
    sessions::write_all()
}

fn write(target: &str, name: &str, bytes: &[u8]) -> Result<(), Box<dyn Error>> {
    let folder = Path::new("corpus").join(target);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join(format!("seed-{name}")), bytes)?;
    Ok(())
}

/// The picture that the target has is 100 × 70: two tiles by two.
fn tiles() -> Result<(), Box<dyn Error>> {
    let size = Size::new(100, 70);
    let mut encoder = Encoder::new(2);
    let mut pixels = [9, 9, 9, 255].repeat(100 * 70);
    for (name, dots) in [("full-plain", 0), ("one-dot", 1), ("stripes", 600)] {
        for dot in 0..dots {
            if let Some(byte) = pixels.get_mut(dot * 44) {
                *byte = dot as u8;
            }
        }
        encoder.begin(size)?;
        for (y, rows) in (0..).step_by(64).zip(pixels.chunks(64 * 400)) {
            encoder.push_band(Band { size, y, rows: (rows.len() / 400) as u32, pixels: rows });
        }
        let update = encoder.finish()?.ok_or("nothing changed")?;
        // The target has a picture already, but has learnt from another.
        let mut message = update.bytes.to_vec();
        if let (false, Some([_, flags, number, ..])) = (update.full, message.get_mut(..3)) {
            *flags |= 8;
            *number = 2;
        }
        write("tiles", name, &[&[0], message.as_slice()].concat())?;
    }
    let mut noise = 1_u32;
    for pixel in pixels.as_chunks_mut::<4>().0 {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *pixel = (noise >> 8 | 0xff << 24).to_le_bytes();
    }
    encoder.request_full();
    encoder.hurry(Some(20));
    encoder.begin(size)?;
    for (y, rows) in (0..).step_by(64).zip(pixels.chunks(64 * 400)) {
        encoder.push_band(Band { size, y, rows: (rows.len() / 400) as u32, pixels: rows });
    }
    let update = encoder.finish()?.ok_or("nothing changed")?;
    write("tiles", "rough", &[&[0], update.bytes].concat())?;
    write("tiles", "rough-decisions", &[&[5, 0][..], &[0x5a, 0xc3, 0x11, 0x90, 0x42]].concat())?;
    // In the target's own envelope: decisions alone, and photographs with decisions.
    write("tiles", "decisions", &[&[1, 0][..], &[0x5a, 0xc3, 0x11, 0x90, 0x42]].concat())?;
    write("tiles", "photographs", &[&[3, 2][..], &[7; 16], &[0x00, 0xff, 0x21]].concat())
}

fn packets() -> Result<(), Box<dyn Error>> {
    let header = Header {
        class: Class::Input,
        fragment: Fragment { first: true, last: true },
        stream: 0,
        source: MemberId(1),
        destination: MemberId(2),
        epoch: 1,
        instance: 1,
        length: 4,
        number: 77,
    };
    let packet = [&header.encode()[..], &[1, 2, 3, 4]].concat();
    write("packets", "packet", &packet)?;
    let hello = Hello {
        versions: [1].into_iter().collect(),
        program: "lotse-agent 0.0.0".try_into().map_err(|_| "a name too long")?,
    };
    let frames: [(&str, Frame); 7] = [
        ("frame-hello", Frame::Hello(hello)),
        ("frame-open", Frame::Request(Request { id: 1, what: Asked::Open })),
        (
            "frame-join",
            Frame::Request(Request {
                id: 2,
                what: Asked::Join { number: 123_456_789.try_into()? },
            }),
        ),
        ("frame-notice", Frame::Notice(Notice::MemberJoined { member: MemberId(2) })),
        ("frame-packet", Frame::Packet(packet)),
        ("frame-ping", Frame::Ping([7; 8])),
        ("frame-bye", Frame::Bye(Bye::Closing)),
    ];
    let mut all = Vec::new();
    for (name, frame) in frames {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        write("packets", name, &bytes)?;
        all.extend(bytes);
    }
    write("packets", "frames-all", &all)
}

fn messages() -> Result<(), Box<dyn Error>> {
    let message = |kind: u8, name: &str, message: &dyn Fn() -> postcard::Result<Vec<u8>>| {
        write("messages", name, &[&[kind], message()?.as_slice()].concat())
    };
    message(0, "watch", &|| bytes(&FromModerator::Watch(true)))?;
    message(0, "shown", &|| bytes(&FromModerator::PictureShown(300)))?;
    message(1, "granted", &|| {
        bytes(&FromMember::Entered { granted: Rights::KNOWN, key: [7; 32] })
    })?;
    message(1, "screen", &|| {
        bytes(&FromMember::Screen(ScreenReport::Shown { width: 1920, height: 1080 }))
    })?;
    message(1, "cannot-type", &|| bytes(&FromMember::CannotType('ß')))?;
    let at = Place { x: 3, y: 4, width: 800, height: 480 };
    let (by, arrow) = (MemberId(1), Arrow { tick: 300, at: Some(at) });
    message(0, "point", &|| bytes(&FromModerator::Point { by, arrow }))?;
    let report = ArrowReport { tick: 300, dropped: 3, are_shown: true };
    message(1, "arrows", &|| bytes(&FromMember::Arrows(report)))?;
    for (name, event) in [
        ("key", InputEvent::Key { code: 30, pressed: true }),
        ("touch", InputEvent::Touch { slot: 1, at }),
        ("release", InputEvent::ReleaseAll),
    ] {
        message(2, name, &|| {
            let mut bytes = bytes(&Input { tick: 5, event: event.clone() })?;
            bytes.resize(bytes.len().next_multiple_of(16), 0);
            Ok(bytes)
        })?;
    }
    let text = "Grüße".try_into().map_err(|_| "a text too long")?;
    let text = InputEvent::Text(text);
    message(2, "text", &|| bytes(&Input { tick: 6, event: text.clone() }))?;
    let proof = HandshakeMessage::JoinProof(JoinProof::CodeCompared);
    write("messages", "proof", &[&[3], proof.encode().as_slice()].concat())?;
    let declined = HandshakeMessage::Declined(Declined::TimedOut);
    write("messages", "declined", &[&[3], declined.encode().as_slice()].concat())?;
    write("messages", "address", b"\x04[2001:db8::1]:8443")?;
    let pinned = format!("\x04lotse.example#{}", "0a".repeat(32));
    write("messages", "address-pinned", pinned.as_bytes())?;
    write("messages", "number", b"\x05123 456 789")
}

/// Between the agent's two processes.
fn local() -> Result<(), Box<dyn Error>> {
    let ended = ToMachine::Ended(Ended::ByTechnician);
    let screen = ScreenReport::Shown { width: 800, height: 480 };
    let mut stream = vec![0];
    for message in [
        ToMachine::Server { is_reachable: true },
        ToMachine::Identify { transcript: [3; 32] },
        ToMachine::Input(InputEvent::Key { code: 30, pressed: true }),
        ended,
    ] {
        encode(&message, &mut stream);
    }
    write("local", "to-machine", &stream)?;
    let mut stream = vec![1];
    for message in [
        ToNetwork::Join { number: 123_456_789 },
        ToNetwork::Screen(screen),
        ToNetwork::CannotType('ß'),
        ToNetwork::Cancel,
    ] {
        encode(&message, &mut stream);
    }
    encode_picture(&[1, 2, 3, 4], &mut stream);
    write("local", "to-network", &stream)
}

/// The same numbers each time, so that the same seeds come out.
struct Counting(u8);

impl RngCore for Counting {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Counting {}

/// Of an operator whose root has the secret 7, 7, …; and handshakes at all levels.
fn certificates() -> Result<(), Box<dyn Error>> {
    let root = KeyPair::from_secret(&[7; 32]);
    let entry = |name: &str, holder| -> Result<Entry, Box<dyn Error>> {
        Ok(Entry {
            name: name.try_into().map_err(|_| "a name too long")?,
            holder,
            groups: groups(["all", "line-3"])?,
            not_before: 1_800_000_000,
            not_after: 1_800_036_000,
        })
    };
    let (device, technician) = (KeyPair::from_secret(&[8; 32]), KeyPair::from_secret(&[9; 32]));
    let rng = &mut Counting(0);
    let enrolled = issue(&root, device.public(), entry("Kiosk 7", Holder::Device)?, rng)?;
    let holder = Holder::Technician { rights: 3 };
    let passed = issue(&root, technician.public(), entry("Ada", holder)?, rng)?;
    let revoked = heapless::Vec::from_slice(&[1, 2, 300]).map_err(|_| "too many")?;
    let times = (1_800_000_000, 1_800_086_400);
    let state = issue_state(&root, 5, times, 1_799_000_000, revoked)?;
    let seed = |kind: u8, name: &str, bytes: &[u8]| {
        write("certificates", name, &[&[kind], bytes].concat())
    };
    seed(0, "device", &enrolled.encode())?;
    seed(0, "technician", &passed.encode())?;
    seed(1, "state", &state.encode())?;
    let own = OwnDevice { key: device, certificate: enrolled, root: root.public() };
    let shown: CertifiedDevice = identify_device(&own, &[1; 32], rng);
    let pass = Pass { key: technician, certificate: passed, state, root: root.public() };
    let answer: CertifiedTechnician = identify_technician(&pass, &shown.nonce, &[1; 32]);
    seed(2, "shown-device", &bytes(&shown)?)?;
    seed(3, "shown-technician", &bytes(&answer)?)?;
    seed(4, "spoken", b"123 456")?;
    seed(4, "link", b"0123456789abcdefghjkmnpqrs")?;
    seed(4, "hex", b"00ff7a")?;

    let list = |item| heapless::Vec::from_slice(&[item]).map_err(|_| "a short list");
    let hello = ModeratorHello {
        versions: heapless::Vec::from_slice(&[1]).map_err(|_| "a short list")?,
        suites: heapless::Vec::from_slice(&[Suite::RsaOaepAes256Gcm]).map_err(|_| "a list")?,
        levels: list(Level::Certificate)?,
        operator: Some(root.public()),
        name: "Ada".try_into().map_err(|_| "a name too long")?,
        asks: Rights::VIEW,
        commitment: [3; 32],
    };
    let request = JoinRequest {
        version: 1,
        suite: Suite::RsaOaepAes256Gcm,
        choice: Choice::Password { kind: PasswordKind::Spoken, share: [4; 32] },
        role: Role::Device,
        name: "Kiosk 7".try_into().map_err(|_| "a name too long")?,
        public_key: heapless::Vec::from_slice(&[5; 294]).map_err(|_| "a key too long")?,
    };
    let opened = CommitmentOpened { opening: [6; 32], share: Some([7; 32]) };
    for (name, message) in [
        ("hello", HandshakeMessage::ModeratorHello(hello)),
        ("request", HandshakeMessage::JoinRequest(request)),
        ("opened", HandshakeMessage::CommitmentOpened(opened)),
        ("proof-device", HandshakeMessage::JoinProof(JoinProof::Certificate(shown))),
        ("proof-technician", HandshakeMessage::ModeratorProof(ModeratorProof::Certificate(answer))),
    ] {
        write("messages", name, &[&[3], message.encode().as_slice()].concat())?;
    }
    Ok(())
}

fn bytes(message: &impl Serialize) -> postcard::Result<Vec<u8>> {
    postcard::to_allocvec(message)
}
