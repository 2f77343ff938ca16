//! Nothing gets through for a while, and no connection breaks.

use std::time::{Duration, Instant};

use lotse_hal::simulated::{Page, Target};

use crate::faults::{RELEASED, hold_shift, open_kiosk};
use crate::harness::{Console, Kiosk, Proxy, Server, System, eventually};

/// How long the network is cut.
const CUT: Duration = Duration::from_secs(10);

/// By when a cut is told.
const TOLD: Duration = Duration::from_secs(6);

/// Until `since` + `wait`.
fn sleep_until(since: Instant, wait: Duration) {
    std::thread::sleep(wait.saturating_sub(since.elapsed()));
}

/// A system whose two links go through a network of their own each.
fn start() -> (System, [Proxy; 2]) {
    let server = Server::start();
    let networks = [(); 2].map(|()| Proxy::start(server.listening()));
    let [at_kiosk, at_console] = &networks;
    let kiosk = Kiosk::start_with(&server.address_via(at_kiosk.port()), open_kiosk());
    let console = Console::start(&server.address_via(at_console.port()));
    (System { server, kiosk, console }, networks)
}

/// The session goes on: what the technician does arrives, and the picture with it.
fn assert_goes_on(system: &mut System) {
    let System { kiosk, console, .. } = system;
    let tab = kiosk.twin.place(Target::Tab(Page::Orders));
    kiosk.twin.go_to(Page::Orders);
    let expected = kiosk.twin.picture();
    // What is done before the console has heard from the kiosk again counts as too old; and the
    // person has just used the machine.
    eventually("a tap arrives", Duration::from_secs(8), || {
        console.command(&format!("tap {} {}", tab.x, tab.y));
        kiosk.shot().difference(&expected).is_none()
    });
    eventually("the picture goes on", Duration::from_secs(10), || {
        console.shot().difference(&expected).is_none()
    });
}

#[test]
fn a_session_survives_when_the_network_is_cut_for_ten_seconds() {
    let (mut system, networks) = start();
    hold_shift(&mut system);
    let mark = system.console.mark();
    networks.iter().for_each(Proxy::cut);
    let cut = Instant::now();
    sleep_until(cut, RELEASED);
    assert!(!system.kiosk.is_shift_held(), "2 s after the cut");
    let (at, _) = system.console.wait_event(mark, "interrupted", TOLD);
    assert!(at - cut <= TOLD, "told only after {:?}", at - cut);
    assert_eq!(system.console.command("status")["state"], "interrupted");
    sleep_until(cut, CUT);
    networks.iter().for_each(Proxy::mend);
    system.console.wait_event(mark, "resumed", TOLD);
    assert_eq!(system.console.command("status")["state"], "connected");
    assert!(!system.kiosk.is_shift_held(), "what was released stays released");
    assert_goes_on(&mut system);
}

#[test]
fn a_session_survives_when_only_the_kiosk_is_cut_off() {
    let (mut system, networks) = start();
    hold_shift(&mut system);
    let [at_kiosk, _] = &networks;
    let mark = system.console.mark();
    at_kiosk.cut();
    let cut = Instant::now();
    sleep_until(cut, RELEASED);
    assert!(!system.kiosk.is_shift_held(), "2 s after the cut");
    system.console.wait_event(mark, "interrupted", TOLD);
    sleep_until(cut, CUT);
    at_kiosk.mend();
    system.console.wait_event(mark, "resumed", 2 * TOLD);
    system.console.command("release Shift");
    assert_goes_on(&mut system);
}

#[test]
fn stop_at_the_panel_works_while_the_network_is_cut() {
    let (mut system, networks) = start();
    system.connect();
    networks.iter().for_each(Proxy::cut);
    system.kiosk.wait_interrupted();
    system.kiosk.touch_stop();
    let ended = lotse_agent::panel::Ended::ByStaff;
    system.kiosk.wait_message(lotse_agent::panel::Message::Ended(ended));
    let mark = system.console.mark();
    networks.iter().for_each(Proxy::mend);
    let (_, reason) = system.console.wait_ended(mark, TOLD);
    assert_eq!(reason, "stopped-at-panel");
}
