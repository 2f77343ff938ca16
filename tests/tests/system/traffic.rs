//! All that the server sees, and that it gains nothing by it.

use std::collections::{BTreeMap, HashSet};

use lotse_hal::simulated::{Page, Target};
use lotse_protocol::message::{InputEvent, Place, Rights};
use lotse_protocol::session::ModeratorEvent;
use lotse_protocol::{Class, MemberId};

use crate::harness::overheard::{Overheard, header, packets};
use crate::harness::{Captured, Do, Kiosk, Picture, Relay, SIZE, Server, Technician, Way};

/// What the technician types.
const TEXT: &str = "Valve 12 to 3.5 bar, ok?";

/// Bytes in a row that nothing secret may share with the traffic.
const RUN: usize = 16;

/// Whether any `N` bytes in a row of `secret` are in one of the texts.
fn shares_run<const N: usize>(texts: &[Vec<u8>], secret: &[u8]) -> bool {
    let runs: HashSet<&[u8]> = secret.windows(N).collect();
    assert!(!runs.is_empty(), "there is nothing to look for");
    texts.iter().any(|text| text.windows(N).any(|run| runs.contains(run)))
}

/// The bytes of all frames.
fn bytes_of(captured: &[Captured]) -> Vec<Vec<u8>> {
    let bytes = captured.iter().map(|captured| {
        let mut bytes = Vec::new();
        captured.frame.encode(&mut bytes);
        bytes
    });
    bytes.collect()
}

/// A finger of the technician's taps.
fn tap(technician: &Technician, kiosk: &Kiosk, target: Target) {
    let side = |value: u32| u16::try_from(value).unwrap();
    let at = kiosk.twin.place(target);
    let (width, height) = (side(SIZE.width), side(SIZE.height));
    let at = Place { x: side(at.x), y: side(at.y), width, height };
    technician.act(Do::Input(InputEvent::Touch { slot: 0, at }));
    technician.act(Do::Input(InputEvent::Lift { slot: 0 }));
}

/// A session that was listened in on from its first to its last frame.
struct Session {
    captured: Vec<Captured>,
    overheard: Overheard,
    technician: Technician,
    /// The pictures as the technician's decoder got them.
    updates: Vec<Vec<u8>>,
    /// What was on the kiosk's screen.
    screens: Vec<Picture>,
}

/// Runs one: a code is confirmed, a page changed, a text typed.
fn listen_in() -> Session {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Server::start();
    let relay = runtime.block_on(Relay::listening_in(&server));
    let mut kiosk = Kiosk::start(relay.address());
    let technician = runtime.block_on(Technician::connect(relay.address()));
    kiosk.wait_connected();
    let number = technician.wait("a number", |event| match event {
        ModeratorEvent::Opened { number, .. } => Some(u32::from(number)),
        _ => None,
    });
    kiosk.enter_number(&format!("{number:09}"));
    let code = technician.wait("a code", |event| match event {
        ModeratorEvent::Compare { code, .. } => Some(code.digits()),
        _ => None,
    });
    kiosk.wait_asks(&code);
    kiosk.accept_by_key(&code);
    technician.act(Do::Confirm);
    let rights = technician.wait("the connection", |event| match event {
        ModeratorEvent::Connected { rights, .. } => Some(rights),
        _ => None,
    });
    assert!(rights.allows(Rights::CONTROL));
    kiosk.wait_session();
    let mut updates = technician.pictures();
    let mut screens = vec![kiosk.shot()];
    tap(&technician, &kiosk, Target::Tab(Page::Settings));
    kiosk.twin.go_to(Page::Settings);
    kiosk.wait_as_twin("the settings' page");
    tap(&technician, &kiosk, Target::Field);
    technician.act(Do::Input(InputEvent::Text(TEXT.try_into().unwrap())));
    kiosk.twin.fill_field(TEXT);
    kiosk.wait_as_twin("the text in the field");
    screens.push(kiosk.shot());
    updates.extend(technician.pictures());
    technician.act(Do::End);
    kiosk.wait_message(lotse_agent::panel::Message::Ended(lotse_agent::panel::Ended::ByTechnician));
    let captured = relay.captured();
    // Every packet passes the relay twice: to the server, and on to its receiver.
    let overheard = Overheard::from_frames(&captured, &[Way::ToServer], number);
    assert_eq!(overheard.handshake_len(), 5);
    assert_eq!(overheard.code(), code.as_str());
    Session { captured, overheard, technician, updates, screens }
}

#[test]
fn the_server_sees_no_text_no_picture_and_can_open_no_packet() {
    let session = listen_in();
    let Session { captured, overheard, technician, updates, screens } = &session;
    let texts = bytes_of(captured);

    // Nothing shows through.
    assert!(!shares_run::<6>(&texts, TEXT.as_bytes()), "the text that was typed");
    // Those of a few bytes say too little to be found again.
    let updates: Vec<&Vec<u8>> = updates.iter().filter(|update| update.len() >= RUN).collect();
    assert!(updates.len() >= 2, "{} pictures", updates.len());
    for update in &updates {
        assert!(!shares_run::<RUN>(&texts, update), "a picture as the codec made it");
    }
    for screen in screens {
        assert!(!shares_run::<RUN>(&texts, &screen.bgrx()), "rows of the screen");
        assert!(!shares_run::<RUN>(&texts, &screen.colors), "rows of the screen, packed");
    }

    // The search does find what is there.
    let mut revealed = texts.clone();
    revealed.push([b"xy", &TEXT.as_bytes()[3..9]].concat());
    assert!(shares_run::<6>(&revealed, TEXT.as_bytes()));
    revealed.push([&[1, 2, 3], &screens[0].bgrx()[4000..4020]].concat());
    assert!(shares_run::<RUN>(&revealed, &screens[0].bgrx()));

    // Who has the secrets opens every packet; so these are the packets that matter.
    let secrets = technician.secrets();
    let mut opened: BTreeMap<(Class, MemberId), Vec<Vec<u8>>> = BTreeMap::new();
    let sealed: Vec<&Vec<u8>> = packets(captured, &[Way::ToServer, Way::ToClient])
        .filter(|packet| header(packet).class != Class::Handshake)
        .collect();
    for packet in &sealed {
        let header = header(packet);
        let plain = overheard.open(packet, &secrets).expect("the secrets open every packet");
        opened.entry((header.class, header.source)).or_default().push(plain);
    }
    let of = |class, member| opened.get(&(class, MemberId(member))).map_or(&[][..], Vec::as_slice);
    assert!(!of(Class::Control, 1).is_empty() && !of(Class::Control, 2).is_empty());
    assert!(shares_run::<24>(of(Class::Input, 1), TEXT.as_bytes()), "the text is in them");
    let pictures = of(Class::Picture, 2);
    assert!(updates.iter().all(|update| shares_run::<RUN>(pictures, update)));

    // Who has only what the server has opens none.
    let public = overheard.public_values();
    assert!(public.len() > 500, "{} values", public.len());
    let mut tried = HashSet::new();
    for packet in &sealed {
        let header = header(packet);
        // The first ones of each class and sender: the others are under the same keys.
        if header.number < 2 && tried.insert((header.class, header.source, header.number)) {
            assert_eq!(overheard.open(packet, &public), None, "{header:?}");
        }
    }
    for class in [Class::Control, Class::Input, Class::Picture] {
        assert!(tried.iter().any(|(tried, ..)| *tried == class), "{class:?} was tried");
    }
}
