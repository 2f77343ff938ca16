//! The person at the machine always wins.

use std::time::Duration;

use lotse_agent::panel::{Connected, Level, Right, RightSet, View};
use lotse_hal::simulated::{Page, Target};
use serde_json::{Value, json};

use crate::faults::open_kiosk;
use crate::harness::{Console, PATIENCE, System, TECHNICIAN, connected, eventually};

/// Remote input rests for three seconds after a touch; the link and the machine add little.
const RESTS: Duration = Duration::from_secs(6);

fn wait_paused(console: &Console, mark: usize, is_paused: bool) {
    eventually("the technician is told", RESTS, || {
        let (_, event) = console.wait_event(mark, "paused", RESTS);
        event["paused"] == is_paused
    });
}

#[test]
fn who_touches_the_machine_has_it_and_the_technician_is_told() {
    let mut system = System::start_with(open_kiosk());
    system.connect();
    let System { kiosk, console, .. } = &mut system;
    let orders = kiosk.twin.place(Target::Tab(Page::Orders));
    let settings = kiosk.twin.place(Target::Tab(Page::Settings));
    let mark = console.mark();
    kiosk.person(&format!("tap {} {}", orders.x, orders.y));
    kiosk.twin.go_to(Page::Orders);
    wait_paused(console, mark, true);
    assert_eq!(console.command("status")["paused"], true);
    let mark = console.mark();
    console.command(&format!("tap {} {}", settings.x, settings.y));
    console.wait_event(mark, "input-dropped", PATIENCE);
    wait_paused(console, mark, false);
    assert!(console.command("status")["dropped"].as_u64() > Some(0));
    kiosk.wait_as_twin("the page that the person chose");
    console.command(&format!("tap {} {}", settings.x, settings.y));
    kiosk.twin.go_to(Page::Settings);
    kiosk.wait_as_twin("the page that the technician chose afterwards");
}

#[test]
fn control_is_withdrawn_at_the_panel_and_the_screen_is_still_seen() {
    let mut system = System::start_with(open_kiosk());
    system.connect();
    let System { kiosk, console, .. } = &mut system;
    let mark = console.mark();
    let before = connected(TECHNICIAN, Level::CodeCompared { code: 0 });
    kiosk.touch(&View::Session(before.clone()), "details");
    kiosk.wait_view(View::Details(before.clone()));
    kiosk.touch(&View::Details(before.clone()), "look-only");
    let (_, event) = console.wait_event(mark, "rights-changed", PATIENCE);
    assert_eq!(event["rights"], json!(["view"]));
    let rights = RightSet::of(&[Right::View]);
    let after = Connected { rights, is_limited: true, ..before };
    kiosk.touch(&View::Details(after.clone()), "close");
    kiosk.wait_view(View::Session(after));
    let refused: Value = console.attempt("tap 10 10");
    assert_eq!(refused["ok"], false, "{refused}");
    let seen = kiosk.shot();
    eventually("the technician still sees it", PATIENCE, || {
        console.shot().difference(&seen).is_none()
    });
}
