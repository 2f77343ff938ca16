//! The technician points at something on the machine's screen, and touches nothing.

use std::time::Duration;

use lotse_protocol::MemberId;
use lotse_protocol::message::arrow_color;
use serde_json::json;

use crate::harness::{Console, Kiosk, KioskOptions, PATIENCE, Picture, Server, eventually};

/// Where the arrow points, far from the sign of the session.
const AT: (usize, usize) = (400, 300);

/// The colour of a pixel, and how many pixels have the moderator's.
fn look(kiosk: &mut Kiosk) -> ([u8; 3], usize) {
    let Picture { width, colors, .. } = kiosk.shot();
    let pixels = colors.as_chunks::<3>().0;
    let color = arrow_color(MemberId::MODERATOR);
    let count = pixels.iter().filter(|pixel| **pixel == color).count();
    (pixels[AT.1 * width + AT.0], count)
}

fn connect(asks: &str) -> (Server, Kiosk, Console) {
    let server = Server::start();
    let options = KioskOptions { hidden: true, ..KioskOptions::default() };
    let folder = tempfile::tempdir().unwrap();
    let mut kiosk =
        Kiosk::start_as(server.address(), options, folder, "[policy]\nshell = \"never\"\n");
    let mut console = Console::start_with(server.address(), &["--ask", asks]);
    kiosk.wait_connected();
    let number = console.open();
    kiosk.enter_number(&number);
    let code = console.wait_code();
    console.command(&format!("confirm {code}"));
    kiosk.key("left");
    std::thread::sleep(lotse_agent::panel::ARM_DELAY);
    eventually("the question is accepted", PATIENCE, || {
        kiosk.key("enter");
        std::thread::sleep(Duration::from_millis(400));
        console.attempt("status")["state"] == "connected"
    });
    console.command("wait-picture 20");
    (server, kiosk, console)
}

#[test]
fn an_arrow_points_at_its_place_in_its_colour_and_leaves_no_trace() {
    let (_server, mut kiosk, mut console) = connect("view,pointer");
    let before = kiosk.shot();
    let mark = console.mark();
    console.command(&format!("point {} {}", AT.0, AT.1));
    let color = arrow_color(MemberId::MODERATOR);
    eventually("the arrow is seen at its place", PATIENCE, || {
        let (there, count) = look(&mut kiosk);
        there == color && count > 300
    });
    let (_, event) = console.wait_event(mark, "arrows", PATIENCE);
    assert_eq!(event, json!({"event": "arrows", "shown": true, "dropped": 0}));
    let refused = console.attempt("tap 400 300");
    assert_eq!(refused["ok"], false, "pointing is not steering: {refused}");
    eventually("it goes by itself", PATIENCE, || kiosk.shot() == before);
    console.command("point 100 400");
    eventually("it is seen again", PATIENCE, || look(&mut kiosk).1 > 300);
    console.command("point off");
    eventually("it is taken away", Duration::from_secs(3), || kiosk.shot() == before);
    console.command("point 100 400");
    eventually("it is seen again", PATIENCE, || look(&mut kiosk).1 > 300);
    console.command("end");
    eventually("it goes with the session", Duration::from_secs(3), || look(&mut kiosk).1 == 0);
}

#[test]
fn nobody_points_who_did_not_ask_for_that() {
    let (_server, mut kiosk, mut console) = connect("view,control");
    let refused = console.attempt("point 400 300");
    assert_eq!(refused["ok"], false, "{refused}");
    assert_eq!(look(&mut kiosk).1, 0);
}
