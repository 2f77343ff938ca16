//! Text on keyboards of other countries.

use anyhow::{Context as _, Result, ensure};

use super::kiosk::{start_xorg, wait_for_kiosk, wait_until_x_listens};
use super::session::{PROGRAMS, agree, bring_together, prepare};
use crate::lab::machine::Machine;
use crate::lab::people::{PATIENCE, Session};
use crate::lab::scenario::{Bench, Case};

pub(super) const CASES: &[Case] = &[Case {
    name: "session-layouts",
    about: "text arrives unchanged in an X11 kiosk with keyboards of other countries, dead keys among it",
    machines: &[Machine::Virtio],
    programs: PROGRAMS,
    run: session_layouts,
}];

/// Layouts, each with a text that its people write.
const TEXTS: [(&str, &str); 6] = [
    ("de", "Grüße, Straße €"),
    ("fr", "Où êtes-vous ?"),
    ("es", "¿Qué tal, señor?"),
    ("pl", "Zażółć gęślą jaźń"),
    ("cz", "příliš žluťoučký kůň"),
    ("gb", "\"100 £\" @ home, ~#|\\"),
];

/// What a terminal makes of F12.
const CALL_KEY: &str = "\x1b[24~";

/// Writes down each line that is typed.
const LISTENER: &str = "stty -echo; touch /tmp/listening; exec cat > /tmp/typed";

fn session_layouts(bench: &mut Bench) -> Result<()> {
    start_xorg(bench, LISTENER)?;
    wait_for_kiosk(bench)?;
    bench.guest.wait_for("the listener", "test -e /tmp/listening", PATIENCE)?;
    let mut session: Option<Session> = None;
    for (number, (layout, text)) in TEXTS.into_iter().enumerate() {
        let session = match &mut session {
            Some(session) => {
                restart_with(bench, session, layout)?;
                session
            }
            none => none.insert(prepare(bench, &settings(layout))?),
        };
        type_text(bench, session, layout, text).with_context(|| layout.to_owned())?;
        let typed = bench.guest.sh(&format!("sed -n {}p /tmp/typed", number + 1))?;
        let typed = typed.trim_end();
        // The key that calls the panel is one of the kiosk's, too.
        let typed = typed.strip_prefix(CALL_KEY).unwrap_or(typed);
        ensure!(typed == text, "{layout}: {typed:?} arrived instead of {text:?}");
    }
    Ok(())
}

fn settings(layout: &str) -> String {
    format!("[keyboard]\nlayout = \"{layout}\"\n[panel]\nidle = \"hidden\"\ncall_key = \"F12\"")
}

/// The agent reads its configuration when it starts.
fn restart_with(bench: &mut Bench, session: &Session, layout: &str) -> Result<()> {
    let file = "/etc/lotse/agent.toml";
    bench.guest.sh(&format!(
        "sed -i 's/^layout = .*/layout = \"{layout}\"/' {file} && grep -q '\"{layout}\"' {file}; \
         : > /var/log/Xorg.0.log; systemctl restart lotse-machine lotse-agent"
    ))?;
    session.agent.wait_until_open(&mut bench.guest)
}

fn type_text(bench: &mut Bench, session: &mut Session, layout: &str, text: &str) -> Result<()> {
    wait_until_x_listens(bench)?;
    // After the devices are there: X gives each new keyboard the layout that it started with.
    bench.guest.sh(&format!("DISPLAY=:0 setxkbmap {layout}"))?;
    bench.guest.press(&["f12"])?;
    bring_together(bench, session)?;
    agree(bench, session)?;
    let lines = bench.guest.sh("wc -l < /tmp/typed")?;
    session.technician.ask(&format!("type {text}"))?;
    session.technician.ask("key Enter")?;
    let arrived = format!("test $(wc -l < /tmp/typed) -gt {}", lines.trim());
    bench.guest.wait_for("the typed line", &arrived, PATIENCE)?;
    session.technician.ask("end").map(drop)
}
