//! The people and programs of a session: the technician at a console, the server, the agent and the person at the panel.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::guest::Guest;
use super::picture::Picture;
use super::talker::Talker;
use crate::host_process::HostProcess;

/// What an emulated machine may take for what is quick on a real one: to paint a panel, to join, to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Where the guest finds the host.
const HOST_IN_GUEST: &str = "10.0.2.2";

/// What the agent that runs now, and no other before it, has said.
const JOURNAL: &str = "journalctl --boot --output=cat \
    _SYSTEMD_INVOCATION_ID=$(systemctl show --property InvocationID --value lotse-machine) \
    _SYSTEMD_INVOCATION_ID=$(systemctl show --property InvocationID --value lotse-agent)";

/// The session server on the host.
#[derive(Debug)]
pub(crate) struct Server {
    talker: Talker,
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    fingerprint: String,
}

impl Server {
    /// Starts a server on a free port of 127.0.0.1. Its certificate and logs are in `folder`.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn start(program: &Path, folder: &Path) -> Result<Self> {
        let (talker, port, fingerprint) = Self::launch(program, folder, 0)?;
        let (program, folder) = (program.to_path_buf(), folder.to_path_buf());
        Ok(Self { talker, program, folder, port, fingerprint })
    }

    /// Kills the server, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.talker.kill();
    }

    /// Starts it again after [`Server::kill`], at the same address.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn restart(&mut self) -> Result<()> {
        let (talker, _, fingerprint) = Self::launch(&self.program, &self.folder, self.port)?;
        ensure!(fingerprint == self.fingerprint, "the server has another certificate now");
        self.talker = talker;
        Ok(())
    }

    /// The address for a program on the host.
    pub(crate) fn address_on_host(&self) -> String {
        format!("127.0.0.1:{}#{}", self.port, self.fingerprint)
    }

    /// The address for the agent.
    pub(crate) fn address_in_guest(&self) -> String {
        format!("{HOST_IN_GUEST}:{}#{}", self.port, self.fingerprint)
    }

    fn launch(program: &Path, folder: &Path, port: u16) -> Result<(Talker, u16, String)> {
        let mut command = HostProcess::command(program);
        command.args(["--listen", &format!("127.0.0.1:{port}"), "--public-host", "127.0.0.1"]);
        command.arg("--data").arg(folder.join("server-data"));
        command.env("RUST_LOG", "debug");
        let mut talker = Talker::start(command, folder, "server")?;
        let up = talker.hear("the server", PATIENCE, |value| value.get("address").is_some())?;
        let text = |key: &str| up.get(key).and_then(Value::as_str).context("the server's address");
        let port = text("listening")?.rsplit_once(':').context("no port")?.1.parse()?;
        let (_, fingerprint) = text("address")?.split_once('#').context("no fingerprint")?;
        Ok((talker, port, fingerprint.to_owned()))
    }
}

/// The technician: the console's command line on the host.
#[derive(Debug)]
pub(crate) struct Technician {
    talker: Talker,
    folder: PathBuf,
}

impl Technician {
    /// Starts a console, which asks for these rights. Its pictures and logs go to `folder`.
    ///
    /// # Errors
    /// When it can't be started.
    pub(crate) fn start(
        program: &Path,
        server: &Server,
        folder: &Path,
        asks: &str,
    ) -> Result<Self> {
        let mut command = HostProcess::command(program);
        command.args(["session", "--name", "Technician", "--ask", asks]);
        command.args(["--server", &server.address_on_host()]);
        let talker = Talker::start(command, folder, "technician")?;
        Ok(Self { talker, folder: folder.to_path_buf() })
    }

    /// Gives the console a command and waits for its answer.
    ///
    /// # Errors
    /// When the command fails; the console's words are in the error.
    pub(crate) fn ask(&mut self, line: &str) -> Result<Value> {
        let command = line.split(' ').next().unwrap_or(line);
        self.talker.say(line)?;
        // Longer than the longest time that a command waits by itself.
        let answer = self.talker.hear(&format!("the answer to {line}"), 6 * PATIENCE, |value| {
            value.get("command").and_then(Value::as_str) == Some(command)
        })?;
        let is_ok = answer.get("ok").and_then(Value::as_bool) == Some(true);
        ensure!(is_ok, "the console says to `{line}`: {answer}");
        Ok(answer)
    }

    /// Waits for an event of the console, if it has not come already.
    ///
    /// # Errors
    /// When it does not come within `timeout`.
    pub(crate) fn wait_event(&mut self, name: &str, timeout: Duration) -> Result<Value> {
        self.talker
            .hear(name, timeout, |value| value.get("event").and_then(Value::as_str) == Some(name))
    }

    /// Waits until the console has said that the person uses the machine, and then that input is
    /// carried out again.
    ///
    /// # Errors
    /// When either is not said.
    pub(crate) fn wait_for_the_person(&mut self) -> Result<()> {
        for is_paused in [true, false] {
            let told = self.wait_event("paused", PATIENCE)?;
            let told = told.get("paused").and_then(Value::as_bool);
            ensure!(told == Some(is_paused), "{told:?} was said instead of {is_paused}");
        }
        Ok(())
    }

    /// Waits until the session is over, and checks why, and that it is said in words.
    ///
    /// # Errors
    /// When it goes on, or is over for another reason than one of `reasons`.
    pub(crate) fn expect_ended(&mut self, reasons: &[&str], timeout: Duration) -> Result<()> {
        let ended = self.wait_event("ended", timeout)?;
        let text = |key: &str| ended.get(key).and_then(Value::as_str).unwrap_or_default();
        ensure!(reasons.contains(&text("reason")), "ended, but not for {reasons:?}: {ended}");
        ensure!(text("happened").contains(' '), "no words say what happened: {ended}");
        Ok(())
    }

    /// What the console shows of the panel, kept as `NAME.png`.
    ///
    /// # Errors
    /// When there is no picture.
    pub(crate) fn picture(&mut self, name: &str) -> Result<Picture> {
        let file = self.folder.join(format!("{name}.png"));
        self.ask(&format!("shot {}", file.display()))?;
        Picture::from_png(&file)
    }
}

/// The agent in the guest, and the person in front of its panel.
#[derive(Debug)]
pub(crate) struct Agent {
    /// The agent's program on the host, which knows where its buttons are.
    program: PathBuf,
}

/// A view of the panel on which a person can press something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// Asks for a session number.
    Home,
    /// Asks whether the technician may.
    Asking,
    /// The sign of a session, with Stop.
    Session,
    /// A session on the whole panel.
    Details,
    /// Says something, with Ok.
    Message,
}

impl View {
    fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Asking => "asking",
            Self::Session => "session",
            Self::Details => "details",
            Self::Message => "message",
        }
    }
}

/// Where something can be pressed.
#[derive(Debug, Clone)]
struct Place {
    name: String,
    x: usize,
    y: usize,
    width: usize,
    height: usize,
    /// Whether it is drawn as a button.
    has_edge: bool,
}

impl Agent {
    /// Installs the agent as a package would, with `settings` (lines of TOML) beside the server's address, and starts it.
    ///
    /// # Errors
    /// When the unit does not start, or does not open the machine within a minute.
    pub(crate) fn start(
        program: &Path,
        guest: &mut Guest,
        server: &Server,
        settings: &str,
    ) -> Result<Self> {
        let config = format!(
            "server = \"{}\"\nname = \"Lab kiosk\"\n{settings}\n",
            server.address_in_guest()
        );
        guest.put("/etc/lotse/agent.toml", config)?;
        let program = program.to_path_buf();
        let installed = guest.install(&program)?;
        guest.sh(&format!("mv {installed} /usr/bin/lotse-agent"))?;
        for (file, path) in SYSTEM_FILES {
            let content = std::fs::read(crate::paths::workspace().join(file)).context(file)?;
            guest.put(path, content)?;
        }
        guest.sh(
            "systemd-sysusers; systemctl daemon-reload; systemctl restart systemd-modules-load; \
             systemctl start lotse-agent",
        )?;
        let agent = Self { program };
        agent.wait_until_open(guest)?;
        Ok(agent)
    }

    /// Waits until it says that it has opened the screen and the input devices: from then on it hears a finger.
    ///
    /// # Errors
    /// When it does not within a minute.
    pub(crate) fn wait_until_open(&self, guest: &mut Guest) -> Result<()> {
        let is_open = format!("{JOURNAL} | grep ' panel: '");
        guest.wait_for("the agent to open the machine", &is_open, PATIENCE).map(drop)
    }

    /// Waits until the panel shows a view, with all that can be pressed on it.
    ///
    /// # Errors
    /// When it does not within a minute.
    pub(crate) fn wait_view(&self, guest: &mut Guest, view: View) -> Result<Picture> {
        self.wait_one_of(guest, &[view], PATIENCE).map(|(_, picture)| picture)
    }

    /// Waits until the panel shows one of `views`, and tells which.
    ///
    /// # Errors
    /// When it does not within `timeout`.
    pub(crate) fn wait_one_of(
        &self,
        guest: &mut Guest,
        views: &[View],
        timeout: Duration,
    ) -> Result<(View, Picture)> {
        let screen = guest.screendump()?;
        let places = views.iter().map(|view| Ok((*view, self.places(*view, &screen)?)));
        let places: Vec<(View, Vec<Place>)> = places.collect::<Result<_>>()?;
        let seen = |picture: &Picture| {
            let is_seen = |places: &[Place]| {
                places.iter().filter(|at| at.has_edge).all(|at| is_button_seen(picture, at))
            };
            places.iter().find(|(_, places)| is_seen(places)).map(|(view, _)| *view)
        };
        let what = format!("the panel's view {views:?}");
        let picture = guest.wait_for_picture(&what, timeout, |picture| seen(picture).is_some())?;
        let view = seen(&picture).context("a view that is gone")?;
        Ok((view, picture))
    }

    /// The person waits until a view is shown and presses a button of it.
    ///
    /// # Errors
    /// When the view is not shown within a minute, or has no such button.
    pub(crate) fn press(&self, guest: &mut Guest, view: View, button: &str) -> Result<()> {
        let picture = self.wait_view(guest, view)?;
        let place = self.place(view, &picture, button)?;
        guest.tap(place.x + place.width / 2, place.y + place.height / 2)
    }

    /// As [`Agent::press`], of a button that can't be pressed at first: waits until it has the colour of what to do next.
    ///
    /// # Errors
    /// As [`Agent::press`], and when the button stays asleep for a minute.
    pub(crate) fn press_when_awake(
        &self,
        guest: &mut Guest,
        view: View,
        button: &str,
    ) -> Result<()> {
        self.wait_until_awake(guest, view, button)?;
        self.press(guest, view, button)
    }

    /// Waits until a button has the colour of what to do next; where it is.
    ///
    /// # Errors
    /// As [`Agent::press_when_awake`].
    pub(crate) fn wait_until_awake(
        &self,
        guest: &mut Guest,
        view: View,
        button: &str,
    ) -> Result<(usize, usize)> {
        let picture = self.wait_view(guest, view)?;
        let place = self.place(view, &picture, button)?;
        guest.wait_for_picture(&format!("\"{button}\" to wake up"), PATIENCE, |picture| {
            is_button_awake(picture, &place)
        })?;
        Ok((place.x + place.width / 2, place.y + place.height / 2))
    }

    /// Where the middle of a button is, whether its view is shown or not.
    ///
    /// # Errors
    /// When the view has no such button.
    pub(crate) fn middle(
        &self,
        guest: &mut Guest,
        view: View,
        button: &str,
    ) -> Result<(usize, usize)> {
        let screen = guest.screendump()?;
        let place = self.place(view, &screen, button)?;
        Ok((place.x + place.width / 2, place.y + place.height / 2))
    }

    /// Waits until the agent has a link to the server.
    ///
    /// # Errors
    /// When it does not within two minutes.
    pub(crate) fn wait_until_reached(&self, guest: &mut Guest) -> Result<()> {
        let last =
            format!("{JOURNAL} | grep -E 'connected to|is lost|cannot be reached' | tail -n 1");
        let is_reached = format!("{last} | grep 'connected to'");
        guest.wait_for("the agent to reach the server", &is_reached, 2 * PATIENCE).map(drop)
    }

    /// The person types the session's number and joins, as soon as the server is reached.
    ///
    /// # Errors
    /// When the panel does not ask for it, or does not get all of it.
    pub(crate) fn join(&self, guest: &mut Guest, number: &str) -> Result<()> {
        let home = self.wait_view(guest, View::Home).context("before typing the number")?;
        self.wait_until_reached(guest)?;
        for digit in number.chars() {
            let place = self.place(View::Home, &home, &format!("digit-{digit}"))?;
            guest.tap(place.x + place.width / 2, place.y + place.height / 2)?;
        }
        guest.keep_screendump("number-typed")?;
        self.press_when_awake(guest, View::Home, "connect")
    }

    fn place(&self, view: View, screen: &Picture, button: &str) -> Result<Place> {
        let mut places = self.places(view, screen)?;
        let index = places.iter().position(|place| place.name == button);
        let index = index.with_context(|| format!("{view:?} has no {button}: {places:?}"))?;
        Ok(places.swap_remove(index))
    }

    /// Where the agent says its buttons are, on a screen of this picture's size.
    fn places(&self, view: View, screen: &Picture) -> Result<Vec<Place>> {
        let size = format!("{}x{}", screen.width, screen.height);
        let output =
            Command::new(&self.program).args(["panel-layout", &size, view.name()]).output();
        let output = output.context("the agent's panel-layout")?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let layout: Value = serde_json::from_slice(&output.stdout)?;
        let buttons = layout.get("buttons").and_then(Value::as_array).context("no buttons")?;
        let places = buttons.iter().map(|button| {
            let number =
                |key: &str| -> Option<usize> { button.get(key)?.as_u64()?.try_into().ok() };
            Some(Place {
                name: button.get("name")?.as_str()?.to_owned(),
                x: number("x")?,
                y: number("y")?,
                width: number("width")?,
                height: number("height")?,
                has_edge: button.get("has_edge")?.as_bool()?,
            })
        });
        places.collect::<Option<Vec<_>>>().context("a place that is none")
    }
}

/// What a package installs beside the program.
const SYSTEM_FILES: [(&str, &str); 6] = [
    ("agent/systemd/lotse-machine.service", "/etc/systemd/system/lotse-machine.service"),
    ("agent/systemd/lotse-agent.service", "/etc/systemd/system/lotse-agent.service"),
    ("agent/systemd/lotse-programs.service", "/etc/systemd/system/lotse-programs.service"),
    ("agent/systemd/sysusers.d/lotse.conf", "/etc/sysusers.d/lotse.conf"),
    ("agent/systemd/modules-load.d/lotse.conf", "/etc/modules-load.d/lotse.conf"),
    ("agent/udev/70-lotse.rules", "/etc/udev/rules.d/70-lotse.rules"),
];

/// Whether a button stands out where it should be: at its left and right edge the colour is another than outside.
fn is_button_seen(picture: &Picture, place: &Place) -> bool {
    let row = place.y + place.height / 2;
    let right = place.x + place.width;
    let differs = |inside: usize, outside: Option<usize>| {
        // At the screen's edge there is no outside.
        outside.is_none_or(|outside| picture.pixel(inside, row) != picture.pixel(outside, row))
    };
    picture.pixel(place.x, row).is_some()
        && differs(place.x, place.x.checked_sub(2))
        && differs(right.saturating_sub(1), Some(right + 1).filter(|x| *x < picture.width))
}

/// Whether a button has the panel's accent, a strong yellow, behind its word: it says what to do next.
fn is_button_awake(picture: &Picture, place: &Place) -> bool {
    // On the right, since "Close" stands to the left of a narrower "Connect" above an application.
    let at = picture.pixel(place.x + place.width * 15 / 16, place.y + place.height / 2);
    at.is_some_and(|[red, green, blue]| red > 200 && green > 150 && blue < 100)
}

/// Everything of a session that stands.
#[derive(Debug)]
pub(crate) struct Session {
    /// The server on the host.
    pub(crate) server: Server,
    /// The technician, who may see and steer.
    pub(crate) technician: Technician,
    /// The agent.
    pub(crate) agent: Agent,
}
