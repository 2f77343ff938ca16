//! A terminal at the machine: real ones, with real shells.

use std::time::{Duration, Instant};

use lotse_agent::panel::{Connected, Level, Right, RightSet, View};
use nix::unistd::{User, getuid};
use serde_json::{Value, json};

use crate::harness::{
    Console, Kiosk, PATIENCE, Server, TECHNICIAN, all_accepted, connected, eventually,
};

/// A kiosk with a terminal, a technician who asks for it, and the person's yes to all of it.
fn start() -> (Server, Kiosk, Console) {
    let user = User::from_uid(getuid()).unwrap().unwrap().name;
    let tables =
        format!("[policy]\nshell = \"allow\"\n[shell]\nuser = {user:?}\ncommand = [\"/bin/sh\"]\n");
    all_accepted(tempfile::tempdir().unwrap(), &tables, "view,control,shell")
}

fn sign(has_terminal: bool) -> View {
    let connected = connected(TECHNICIAN, Level::CodeCompared { code: 0 });
    let rights = RightSet::of(&[Right::View, Right::Control, Right::Shell]);
    View::Session(Connected { rights, has_terminal, ..connected })
}

/// Types a line, and waits until the terminal has written a text since.
fn run(console: &mut Console, line: &str, expected: &str) -> String {
    let mark = console.mark();
    let text = Value::from(format!("{line}\n"));
    console.command(&format!("shell type {text}"));
    let mut written = String::new();
    eventually(&format!("{line:?} writes {expected:?}"), PATIENCE, || {
        written = console.terminal_since(mark);
        written.contains(expected)
    });
    written
}

/// Presses Ctrl+C. What is typed next waits for the program's end, which might still read it.
fn interrupt(console: &mut Console, kiosk: &Kiosk, program: &str) {
    console.command("shell type \"\\u0003\"");
    eventually(&format!("{program} is interrupted"), PATIENCE, || !kiosk.runs(program));
    run(console, "echo back $?", "back 130");
}

fn wait_ended(console: &Console, mark: usize) -> Value {
    console.wait_terminal(mark, "ended", PATIENCE)
}

#[test]
fn a_terminal_is_opened_seen_at_the_panel_used_and_closed() {
    let (_server, mut kiosk, mut console) = start();
    let mark = console.mark();
    console.command("shell open 90 20");
    console.wait_terminal(mark, "opened", PATIENCE);
    kiosk.wait_view(sign(true));
    assert_eq!(console.attempt("shell open")["ok"], false, "one at a time");
    run(&mut console, "stty size", "20 90");
    console.command("shell resize 132 43");
    run(&mut console, "stty size", "43 132");
    run(&mut console, "tty", "/dev/pts/");
    run(&mut console, "sleep 1000 & (setsid sleep 1001 &) ; echo $((6 * 7))", "42");
    // Interrupted by the key, as it has a controlling terminal.
    console.command("shell type \"cat\\n\"");
    eventually("cat runs", PATIENCE, || kiosk.runs("cat"));
    std::thread::sleep(Duration::from_millis(200));
    interrupt(&mut console, &kiosk, "cat");
    run(&mut console, "printf '\\033[2J\\302\\233'; echo still", "still");
    let mark = console.mark();
    console.command("shell type \"exit 7\\n\"");
    let ended = wait_ended(&console, mark);
    assert_eq!((&ended["how"], &ended["code"]), (&json!("exited"), &json!(7)));
    kiosk.wait_view(sign(false));
    eventually("nothing of it goes on", PATIENCE, || !kiosk.runs("sleep"));
}

#[test]
fn a_terminal_ends_with_its_right_and_with_its_session() {
    let (_server, mut kiosk, mut console) = start();
    console.command("shell open");
    run(&mut console, "trap '' HUP TERM; (trap '' HUP; exec sleep 1002) & echo $((40 + 2))", "42");
    kiosk.wait_view(sign(true));
    let mark = console.mark();
    kiosk.touch(&sign(true), "details");
    let View::Session(shown) = sign(true) else { return };
    kiosk.wait_view(View::Details(shown.clone()));
    kiosk.touch(&View::Details(shown), "look-only");
    assert_eq!(wait_ended(&console, mark)["how"], "closed");
    eventually("nothing of it goes on", PATIENCE, || !kiosk.runs("sleep"));
    assert_eq!(console.attempt("shell open")["ok"], false, "the right is gone");
}

#[test]
fn a_program_that_writes_without_end_harms_nobody() {
    let (_server, mut kiosk, mut console) = start();
    console.command("shell open");
    console.command("shell type \"yes lotse-lotse-lotse\\n\"");
    let mark = console.mark();
    let since = Instant::now();
    std::thread::sleep(Duration::from_secs(3));
    let bytes = console.terminal_since(mark).len();
    let most = 160_000 * usize::try_from(since.elapsed().as_secs() + 1).unwrap();
    assert!(bytes > 10_000 && bytes < most, "{bytes} bytes");
    // The picture goes on meanwhile, and the loop can be interrupted.
    kiosk.wait_view(sign(true));
    let seen = kiosk.shot();
    eventually("the technician sees the screen", PATIENCE, || {
        console.shot().difference(&seen).is_none()
    });
    interrupt(&mut console, &kiosk, "yes");
    let mark = console.mark();
    kiosk.touch(&sign(true), "stop");
    console.wait_ended(mark, PATIENCE);
    eventually("nothing of it goes on", PATIENCE, || !kiosk.runs("yes"));
}
