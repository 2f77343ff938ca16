//! Sessions by password and by certificate, with the real programs.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use lotse_agent::panel::{Level, Message, View};

use crate::harness::{Console, Kiosk, KioskOptions, PATIENCE, Server, TECHNICIAN, program};
use crate::harness::{connected, eventually, question_at};

fn sign(name: &str, level: Level) -> View {
    View::Session(connected(name, level))
}

/// Types a number and a password at the kiosk.
fn enter(kiosk: &mut Kiosk, number: &str, password: &str) {
    kiosk.enter_number(number);
    kiosk.wait_view(View::Password { number: number.parse().unwrap() });
    kiosk.person(&format!("type {password}"));
    kiosk.key("enter");
}

#[test]
fn a_password_is_enough_and_three_wrong_ones_make_another_number() {
    let server = Server::start();
    let mut kiosk = Kiosk::start(server.address());
    let mut console = Console::start_with(server.address(), &["--password"]);
    kiosk.wait_connected();
    let text = |value: &serde_json::Value, key: &str| value[key].as_str().unwrap().to_owned();
    let opened = console.command("open");
    let (number, password) = (text(&opened, "number"), text(&opened, "password"));
    assert!(text(&opened, "link").contains(&format!("/j/{number}#")), "{opened}");
    let wrong = if password == "000000" { "000001" } else { "000000" };
    let mark = console.mark();
    for _ in 0..3 {
        enter(&mut kiosk, &number, wrong);
        kiosk.wait_message(Message::WrongPassword);
        kiosk.close_message();
    }
    console.wait_event(mark, "number-burned", PATIENCE);
    console.wait_event(mark, "opened", PATIENCE);
    let renewed = console.command("status");
    assert_ne!(text(&renewed, "number"), number);
    assert_ne!(text(&renewed, "password"), password);

    enter(&mut kiosk, &text(&renewed, "number"), &text(&renewed, "password"));
    console.command("wait-join 20");
    kiosk.wait_title(question_at(Level::Password));
    kiosk.accept_until(|| console.attempt("wait-connected 1")["ok"] == true);
    assert_eq!(console.command("status")["level"], "password");
    kiosk.wait_view(sign(TECHNICIAN, Level::Password));
    console.command("wait-picture 20");
}

/// Runs one of the programs to its end; what it has printed.
fn run(name: &str, arguments: &[&str]) -> String {
    let output = Command::new(program(name)).args(arguments).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// An operator with a machine in a folder; the lines for the machine's configuration.
fn enrol(folder: &Path, authority: &str) -> String {
    let config = folder.join("identity.toml");
    let settings = format!("server = \"nobody\"\ndata_directory = {folder:?}\n");
    std::fs::write(&config, settings).unwrap();
    let config = config.to_str().unwrap();
    let key = run("lotse-agent", &["--config", config, "identity"]);
    run("lotse-console", &["authority", "--folder", authority, "init"]);
    let device = ["authority", "--folder", authority, "device", key.trim(), "--name", "Press 3"];
    run("lotse-console", &device)
}

#[test]
fn a_certified_technician_is_let_in_unattended_until_the_pass_is_taken_back() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let office = tempfile::tempdir().unwrap();
    let authority = office.path().join("authority");
    let authority = authority.to_str().unwrap();
    let operator = enrol(folder.path(), authority);
    let tables = format!("{operator}\n[policy]\nunattended = true\n");
    let options = KioskOptions::default();
    let mut kiosk = Kiosk::start_as(server.address(), options, folder, &tables);
    kiosk.wait_connected();
    let pass = |name: &str| {
        let file = office.path().join(name).to_str().unwrap().to_owned();
        let technician = ["authority", "--folder", authority, "technician", "--name", name];
        run("lotse-console", &[&technician[..], &["--out", &file]].concat());
        file
    };
    let ada = pass("Ada");
    let mut console = Console::start_with(server.address(), &["--pass", &ada]);
    let number = console.open();
    kiosk.enter_number(&number);
    console.command("wait-connected 20");
    let status = console.command("status");
    assert_eq!((&status["level"], &status["who"]), (&"certificate".into(), &"Press 3".into()));
    kiosk.wait_view(sign("Ada", Level::Certificate));
    console.command("wait-picture 20");
    console.command("end");
    kiosk.wait_message(Message::Ended(lotse_agent::panel::Ended::ByTechnician));
    kiosk.close_message();

    // Her pass is taken back. Somebody with a fresher one brings the news to the machine, which
    // then does not go by the state in the old pass any more, however fresh that still is.
    let issued = std::fs::read_to_string(Path::new(authority).join("issued")).unwrap();
    let serial = issued.lines().find(|line| line.contains(" Ada ")).unwrap();
    let serial = serial.split(' ').next().unwrap();
    run("lotse-console", &["authority", "--folder", authority, "revoke", serial]);
    let bob = pass("Bob");
    let mut console = Console::start_with(server.address(), &["--pass", &bob]);
    let number = console.open();
    kiosk.enter_number(&number);
    console.command("wait-connected 20");
    console.command("end");
    kiosk.wait_message(Message::Ended(lotse_agent::panel::Ended::ByTechnician));
    kiosk.close_message();

    let mut console = Console::start_with(server.address(), &["--pass", &ada]);
    let number = console.open();
    kiosk.enter_number(&number);
    kiosk.wait_message(Message::NotCertified);
    eventually("the console is told", Duration::from_secs(20), || {
        console.command("status")["state"] == "ended"
    });
}
