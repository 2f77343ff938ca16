//! A session from end to end: the person types the number, compares, accepts; the technician sees and steers.

use anyhow::{Context, Result, ensure};

use super::kiosk::{
    expect_press_at, forget_clicks, start_weston, start_xorg, start_xorg_listener, wait_for_kiosk,
    wait_for_press, wait_until_x_listens,
};
use super::screen::quiet_console;
use crate::lab::machine::Machine;
use crate::lab::people::{Agent, PATIENCE, Server, Session, Technician, View};
use crate::lab::picture::Picture;
use crate::lab::scenario::{Bench, Case};
use crate::programs::Program;

/// The programs of every session.
pub(super) const PROGRAMS: &[Program] = &[
    Program::Bin("lotse-agent", "lotse-agent", ""),
    Program::Bin("lotse-server", "lotse-server", ""),
    Program::Bin("lotse-console", "lotse-console", ""),
];

pub(super) const CASES: &[Case] = &[
    Case {
        name: "session-picture",
        about: "after a finger typed the number and accepted, the console's picture is the screen's",
        machines: Machine::WITH_SCREEN,
        programs: PROGRAMS,
        run: session_picture,
    },
    Case {
        name: "session-type",
        about: "text that the technician types arrives letter for letter",
        machines: Machine::TYPICAL,
        programs: PROGRAMS,
        run: session_type,
    },
    Case {
        name: "session-click",
        about: "the technician's clicks and taps land on the very pixel",
        machines: Machine::TYPICAL,
        programs: PROGRAMS,
        run: session_click,
    },
    Case {
        name: "session-weston",
        about: "a Wayland kiosk is seen as it is shown; when the technician ends, the person is told",
        machines: &[Machine::Virtio, Machine::Bochs],
        programs: PROGRAMS,
        run: session_weston,
    },
    Case {
        name: "session-xorg",
        about: "an X11 kiosk is seen as it is shown; when the technician ends, the person is told",
        machines: Machine::TYPICAL,
        programs: PROGRAMS,
        run: session_xorg,
    },
];

/// Settings of an agent on a machine whose own application fills the screen: the panel comes when F12 is pressed.
pub(super) const BEHIND_A_KIOSK: &str = "[panel]\nidle = \"hidden\"\ncall_key = \"F12\"";

/// Starts server, agent and console; nobody has joined yet.
pub(super) fn prepare(bench: &mut Bench, settings: &str) -> Result<Session> {
    prepare_asking(bench, settings, "view,control")
}

/// The same, where the technician asks for these rights.
pub(super) fn prepare_asking(bench: &mut Bench, settings: &str, asks: &str) -> Result<Session> {
    let server = Server::start(bench.program("lotse-server")?, &bench.artefacts)?;
    let program = bench.program("lotse-agent")?.to_path_buf();
    let agent = Agent::start(&program, &mut bench.guest, &server, settings)?;
    let console = bench.program("lotse-console")?;
    let technician = Technician::start(console, &server, &bench.artefacts, asks)?;
    Ok(Session { server, technician, agent })
}

/// The technician opens a session, the person types its number, and both see the code. The panel then asks.
pub(super) fn bring_together(bench: &mut Bench, session: &mut Session) -> Result<()> {
    let opened = session.technician.ask("open")?;
    let number = opened.get("number").and_then(|number| number.as_str()).context("no number")?;
    session.agent.join(&mut bench.guest, number)?;
    session.technician.ask("wait-join")?;
    session.agent.wait_view(&mut bench.guest, View::Asking)?;
    bench.guest.keep_screendump("asking").map(drop)
}

/// The technician confirms the code and the person accepts.
pub(super) fn agree(bench: &mut Bench, session: &mut Session) -> Result<()> {
    session.technician.ask("confirm --codes-match")?;
    // Accepting becomes possible only after the person had time to read.
    session.agent.press_when_awake(&mut bench.guest, View::Asking, "accept")?;
    session.technician.ask("wait-connected 60")?;
    session.technician.ask("wait-picture 60").map(drop)
}

/// A session that stands, on a machine that shows nothing but its text console and the panel.
pub(super) fn connect(bench: &mut Bench, settings: &str) -> Result<Session> {
    let mut session = prepare(bench, settings)?;
    bring_together(bench, &mut session)?;
    agree(bench, &mut session)?;
    Ok(session)
}

/// A session with an application that fills the screen; the person presses the key that calls the panel.
fn connect_above_kiosk(bench: &mut Bench) -> Result<Session> {
    let mut session = prepare(bench, BEHIND_A_KIOSK)?;
    bench.guest.press(&["f12"])?;
    bring_together(bench, &mut session)?;
    agree(bench, &mut session)?;
    Ok(session)
}

/// The console's picture, once it rests, must be the screen's.
pub(super) fn expect_seen_as_shown(
    bench: &mut Bench,
    session: &mut Session,
    name: &str,
) -> Result<()> {
    // The console may lag behind the screen by as long as an emulated machine needs to encode.
    let mut last = Ok(());
    for _ in 0..5 {
        let before = bench.guest.still_screendump(PATIENCE)?;
        session.technician.ask("wait-still 1500 60")?;
        let seen = session.technician.picture(&format!("{name}-console"))?;
        if before != bench.guest.screendump()? {
            last = Err(anyhow::anyhow!("the screen does not come to rest"));
            continue;
        }
        last = bench.expect_same(name, &seen, &before);
        if last.is_ok() {
            break;
        }
    }
    last
}

/// The panel says that the session is over until somebody has read it.
pub(super) fn expect_end_is_told(bench: &mut Bench, session: &Session) -> Result<()> {
    session.agent.wait_view(&mut bench.guest, View::Message).context("after the end")?;
    bench.guest.keep_screendump("ended").map(drop)
}

fn session_picture(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    let mut session = connect(bench, "")?;
    expect_seen_as_shown(bench, &mut session, "first")?;
    // Something changes, and only that has to be sent.
    let paint = "for n in $(seq 16 231); do printf '\\033[48;5;%dm%4d\\033[0m' $n $n; done; ls -la /usr/bin | head -n 15";
    let before = bench.guest.screendump()?;
    bench.guest.sh(&format!("({paint}) > /dev/tty1"))?;
    bench.guest.wait_for_picture("what was painted", PATIENCE, |picture| *picture != before)?;
    expect_seen_as_shown(bench, &mut session, "changed")?;
    session.technician.ask("end")?;
    expect_end_is_told(bench, &session)?;
    session.agent.press(&mut bench.guest, View::Message, "ok")?;
    session.agent.wait_view(&mut bench.guest, View::Home).context("after OK").map(drop)
}

/// Every character of a US keyboard, and a second line.
const TEXT: &str = "The quick brown fox jumps over the lazy dog 0123456789 \
                    ~!@#$%^&*()_+{}|:\"<>? `-=[]\\;',./ ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// What the reader of [`listen_on_console`] has read.
const TYPED: &str = "/tmp/typed";

/// Starts a program that writes down what is typed on the text console, character by character; a reader of before ends.
///
/// Returns when it reads: keys pressed while nobody has the terminal open are lost, and its settings fall back.
pub(super) fn listen_on_console(bench: &mut Bench) -> Result<()> {
    // The reader makes this file when all is set.
    let ready = format!("{TYPED}.ready");
    bench.guest.sh(&format!(
        "if test -s {ready}; then pid=$(cat {ready}); kill $pid; while kill -0 $pid; do sleep 0.1; done; fi; \
         rm -f {TYPED} {ready}"
    ))?;
    let read = format!(
        "exec < /dev/tty1 > {TYPED}; stty -icanon -echo min 1 && echo $$ > {ready}.new && mv {ready}.new {ready} \
         && exec cat"
    );
    bench.guest.spawn(&format!("exec setsid sh -c '{read}'"), "reader")?;
    bench.guest.wait_for("the text console's reader", &format!("test -s {ready}"), PATIENCE)?;
    Ok(())
}

/// The reader must get this line and nothing else.
pub(super) fn expect_typed(bench: &mut Bench, line: &str) -> Result<()> {
    let is_entered = format!("test $(wc -l < {TYPED}) -ge 1");
    let entered = bench.guest.wait_for("the end of the typed line", &is_entered, PATIENCE);
    let typed = bench.guest.sh(&format!("cat {TYPED}"))?;
    entered.with_context(|| format!("{typed:?} arrived instead of {line:?} and Enter"))?;
    // Enter was pressed behind the text, so nothing may come after it.
    ensure!(typed == format!("{line}\n"), "{typed:?} arrived instead of {line:?} and Enter");
    Ok(())
}

fn session_type(bench: &mut Bench) -> Result<()> {
    quiet_console(bench)?;
    let mut session = connect(bench, "")?;
    listen_on_console(bench)?;
    session.technician.ask(&format!("type {TEXT}"))?;
    session.technician.ask("key Enter")?;
    expect_typed(bench, TEXT)
}

/// Away from the corner where the session's sign is, and from each other.
const PLACES: [(usize, usize); 3] = [(17, 523), (401, 299), (640, 401)];

fn session_click(bench: &mut Bench) -> Result<()> {
    start_xorg_listener(bench)?;
    let mut session = connect_above_kiosk(bench)?;
    wait_until_x_listens(bench)?;
    for command in ["click", "tap"] {
        for (x, y) in PLACES {
            forget_clicks(bench)?;
            session.technician.ask(&format!("{command} {x} {y}"))?;
            let heard = wait_for_press(bench, PATIENCE).context(command)?;
            expect_press_at(&heard, x, y).context(command)?;
        }
    }
    Ok(())
}

/// What the terminal of a kiosk application runs. It does not show the key that calls the panel, which it gets, too, and
/// it does not scroll.
const IN_TERMINAL: &str =
    "stty -echo; ls -la --color=always /etc | tail -n 20; touch /tmp/drawn; sleep 1000";

fn session_weston(bench: &mut Bench) -> Result<()> {
    start_weston(bench, IN_TERMINAL)?;
    session_above_kiosk(bench, "weston")
}

fn session_xorg(bench: &mut Bench) -> Result<()> {
    start_xorg(bench, IN_TERMINAL)?;
    session_above_kiosk(bench, "xorg")
}

/// The kiosk's picture must be the technician's; when the technician ends the session, the person is told, and OK gives the
/// kiosk back.
fn session_above_kiosk(bench: &mut Bench, name: &str) -> Result<()> {
    wait_for_kiosk(bench)?;
    let drawn = "for wait in $(seq 240); do test -e /tmp/drawn && exit 0; sleep 0.25; done; exit 1";
    bench.guest.sh(drawn).context("the kiosk's program")?;
    bench.guest.still_screendump(PATIENCE)?;
    let alone = bench.guest.keep_screendump("kiosk")?;
    let mut session = connect_above_kiosk(bench)?;
    // The sign of the session lies above the kiosk where the panel draws into the same frame buffer.
    let is_kiosk = |picture: &Picture| is_same_below_sign(picture, &alone);
    bench.guest.wait_for_picture(
        "the kiosk as in kiosk.png, below the sign",
        PATIENCE,
        is_kiosk,
    )?;
    expect_seen_as_shown(bench, &mut session, name)?;
    session.technician.ask("end")?;
    expect_end_is_told(bench, &session)?;
    session.agent.press(&mut bench.guest, View::Message, "ok")?;
    expect_kiosk(bench, &alone)
}

/// Whether two pictures are the same but for their upper sixth, where the sign of a session is.
fn is_same_below_sign(one: &Picture, other: &Picture) -> bool {
    (one.width, one.height) == (other.width, other.height)
        && (one.height / 6..one.height)
            .all(|y| (0..one.width).all(|x| one.pixel(x, y) == other.pixel(x, y)))
}

/// The screen is given back to the kiosk, which shows what it showed before.
fn expect_kiosk(bench: &mut Bench, alone: &Picture) -> Result<()> {
    let is_back = |picture: &Picture| picture == alone;
    bench.guest.wait_for_picture("the kiosk as in kiosk.png", PATIENCE, is_back).map(drop)
}
