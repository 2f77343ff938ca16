//! Writes `corpus/TARGET/seed-NAME`: one small valid input of each kind.
//!
//! Run it in this folder, `cargo run --example corpus`, after a change of layout.

use std::error::Error;
use std::path::Path;

use lotse_codec::{Band, Encoder, Size};
use lotse_protocol::frame::Frame;
use lotse_protocol::handshake::{Declined, HandshakeMessage, JoinProof};
use lotse_protocol::header::Fragment;
use lotse_protocol::message::{
    FromMember, FromModerator, Input, InputEvent, Place, Rights, ScreenReport,
};
use lotse_protocol::tunnel::{Asked, Bye, Hello, Notice, Request};
use lotse_protocol::{Class, Header, MemberId};
use serde::Serialize;

fn main() -> Result<(), Box<dyn Error>> {
    tiles()?;
    packets()?;
    messages()?;
    Ok(())
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
    message(1, "granted", &|| bytes(&FromMember::Entered { granted: Rights::KNOWN, key: [7; 32] }))?;
    message(1, "screen", &|| {
        bytes(&FromMember::Screen(ScreenReport::Shown { width: 1920, height: 1080 }))
    })?;
    message(1, "cannot-type", &|| bytes(&FromMember::CannotType('ß')))?;
    let at = Place { x: 3, y: 4, width: 800, height: 480 };
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

fn bytes(message: &impl Serialize) -> postcard::Result<Vec<u8>> {
    postcard::to_allocvec(message)
}
