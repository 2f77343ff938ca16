//! Programs, people and meddlers of the scenarios.

mod console;
mod kiosk;
pub(crate) mod overheard;
mod picture;
mod process;
mod programs;
mod proxy;
mod relay;
mod server;
mod technician;
mod twin;

use std::time::{Duration, Instant};

pub(crate) use console::Console;
pub(crate) use kiosk::{Kiosk, KioskOptions};
pub(crate) use picture::Picture;
pub(crate) use programs::program;
pub(crate) use proxy::Proxy;
pub(crate) use relay::{Captured, Relay, Way};
pub(crate) use server::Server;
pub(crate) use technician::{Do, Technician};
pub(crate) use twin::{SIZE, Twin, connected, question_at};

/// Longer than anything takes that is not measured, however busy the machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// What the technician is called.
pub(crate) const TECHNICIAN: &str = "Ada Example";

/// What the kiosk is called.
pub(crate) const KIOSK: &str = "Bottling line 3";

/// A kiosk with more settings, a technician who asks for these rights, and the person's yes to all
/// of them, which is in the policy.
pub(crate) fn all_accepted(
    folder: tempfile::TempDir,
    tables: &str,
    rights: &str,
) -> (Server, Kiosk, Console) {
    let server = Server::start();
    let options = KioskOptions { hidden: true, ..KioskOptions::default() };
    let mut kiosk = Kiosk::start_as(server.address(), options, folder, tables);
    let mut console = Console::start_with(server.address(), &["--ask", rights]);
    kiosk.wait_connected();
    kiosk.wait_programs();
    let number = console.open();
    kiosk.enter_number(&number);
    let code = console.wait_code();
    console.command(&format!("confirm {code}"));
    let mark = console.mark();
    kiosk.key("left");
    std::thread::sleep(lotse_agent::panel::ARM_DELAY);
    eventually("the question is accepted", PATIENCE, || {
        kiosk.key("enter");
        std::thread::sleep(Duration::from_millis(400));
        console.attempt("status")["state"] == "connected"
    });
    let (_, event) = console.wait_event(mark, "connected", PATIENCE);
    let given = event["rights"].as_array().unwrap();
    assert_eq!(given.len(), rights.split(',').count(), "{given:?}");
    (server, kiosk, console)
}

/// A server, a kiosk and a console that have no session yet.
pub(crate) struct System {
    pub(crate) server: Server,
    pub(crate) kiosk: Kiosk,
    pub(crate) console: Console,
}

impl System {
    /// Starts the three.
    pub(crate) fn start() -> Self {
        Self::start_with(KioskOptions::default())
    }

    /// Starts the three, with a kiosk of one's own.
    pub(crate) fn start_with(options: KioskOptions) -> Self {
        Self::start_at(Server::start(), options)
    }

    /// Starts a kiosk and a console for a server.
    pub(crate) fn start_at(server: Server, options: KioskOptions) -> Self {
        let kiosk = Kiosk::start_with(server.address(), options);
        let console = Console::start(server.address());
        Self { server, kiosk, console }
    }

    /// Goes all the way to a session that is live and shows a picture.
    pub(crate) fn connect(&mut self) {
        connect(&mut self.console, &mut self.kiosk);
    }
}

/// Opens a session and has it accepted.
pub(crate) fn connect(console: &mut Console, kiosk: &mut Kiosk) {
    let code = ask(console, kiosk);
    accept(console, kiosk, &code);
}

/// Opens a session and brings it to the question at the kiosk; the code that the console shows.
pub(crate) fn ask(console: &mut Console, kiosk: &mut Kiosk) -> String {
    kiosk.wait_connected();
    let number = console.open();
    kiosk.enter_number(&number);
    let code = console.wait_code();
    kiosk.wait_asks(&code);
    code
}

/// The person accepts, the technician confirms.
pub(crate) fn accept(console: &mut Console, kiosk: &mut Kiosk, code: &str) {
    kiosk.accept_by_key(code);
    console.command(&format!("confirm {code}"));
    console.command("wait-connected 20");
    kiosk.wait_session();
    console.command("wait-picture 20");
}

/// Asks again and again until it is so.
///
/// # Panics
/// When it is not within `limit`.
pub(crate) fn eventually(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit;
    while !is_so() {
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
