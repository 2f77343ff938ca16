//! Restarts of the machine and of its application: fixed programs stand for a service manager, and
//! the end of the whole agent for that of the machine.

use std::path::Path;
use std::time::Duration;

use lotse_agent::panel::{Coming, Connected, Level, Right, RightSet, View, Work};
use lotse_hal::simulated::{Page, Target};
use serde_json::Value;

use crate::harness::{
    Console, Kiosk, PATIENCE, Server, TECHNICIAN, all_accepted, connected, eventually,
};

/// The name of a file that a shell would make something else of.
const NAME: &str = "done $(reboot); `reboot` & *";

/// A kiosk whose application and machine are "restarted" by making a file, and a session there.
fn start(folder: &Path) -> (Server, Kiosk, Console) {
    let file = |name: &str| format!("[\"/bin/touch\", {:?}]", folder.join(name));
    let tables = format!(
        "[policy]\nreboot = \"allow\"\n[maintenance]\napplication = {}\nreboot = {}\n",
        file(NAME),
        file("rebooted")
    );
    all_accepted(tempfile::tempdir().unwrap(), &tables, "view,control,reboot")
}

fn sign() -> View {
    let connected = connected(TECHNICIAN, Level::CodeCompared { code: 0 });
    let rights = RightSet::of(&[Right::View, Right::Control, Right::Reboot]);
    View::Session(Connected { rights, ..connected })
}

/// What the person sees before it happens; the seconds are not looked at.
fn coming(what: Work) -> View {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    let View::Session(Connected { name, .. }) = sign() else { unreachable!() };
    View::Coming(Coming { name, what, deadline })
}

fn wait_restart(console: &Console, mark: usize) -> Value {
    console.wait_event(mark, "restart", PATIENCE).1["restart"].clone()
}

#[test]
fn the_application_is_restarted_by_what_is_configured_unless_the_person_prevents_it() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, mut kiosk, mut console) = start(folder.path());
    let mark = console.mark();
    console.command("restart application");
    assert_eq!(wait_restart(&console, mark), "announced");
    let view = coming(Work::RestartApplication);
    kiosk.wait_title(view.clone());
    kiosk.touch(&view, "prevent");
    let prevented = console.attempt("wait-restarted 20");
    assert!(prevented["error"].as_str().unwrap().contains("prevented"), "{prevented}");
    kiosk.wait_view(sign());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing was started");
    // Nobody prevents it: the program gets its argument as it is, for there is no shell.
    console.command("restart application");
    console.command("wait-restarted 30");
    assert!(folder.path().join(NAME).is_file());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    kiosk.wait_view(sign());
    console.type_text("still here");
}

#[test]
fn a_machine_that_is_restarted_comes_back_into_its_session_once() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, mut kiosk, mut console) = start(folder.path());
    console.command("restart machine");
    let rebooted = folder.path().join("rebooted");
    eventually("the machine goes down", PATIENCE, || rebooted.is_file());
    let ticket = kiosk.kept("return");
    assert!(ticket.is_file());
    // With its power.
    kiosk.kill();
    let mark = console.mark();
    kiosk.restart();
    console.command("wait-restarted 60");
    let (_, event) = console.wait_event(mark, "presents", PATIENCE);
    assert_eq!(event["level"], "code-compared");
    kiosk.wait_view(sign());
    assert!(!ticket.exists());
    console.command("wait-picture");
    let tab = kiosk.twin.place(Target::Tab(Page::Settings));
    console.command(&format!("tap {} {}", tab.x, tab.y));
    kiosk.twin.go_to(Page::Settings);
    kiosk.wait_as_twin("the settings' page, steered after the restart");
    // Another end is not a restart: nobody is let in without being asked.
    let mark = console.mark();
    kiosk.kill();
    kiosk.restart();
    kiosk.wait_idle();
    let (_, why) = console.wait_ended(mark, Duration::from_secs(60));
    assert_eq!(why, "panel-left");
}
