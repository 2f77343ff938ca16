//! The kiosk with its agent, and the person in front of it.

use std::process::Command;
use std::time::{Duration, Instant};

use lotse_agent::panel::{Connected, Level, Message, View};
use lotse_hal::Rect;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use super::process::Process;
use super::programs::program;
use super::twin::{button, code_on_screen, connected, question};
use super::{KIOSK, PATIENCE, Picture, SIZE, TECHNICIAN, Twin, eventually};

/// The key that opens a hidden panel.
const CALL_KEY: &str = "F9";

/// How a kiosk is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KioskOptions {
    /// How long the person has to answer, in seconds.
    pub(crate) answer_seconds: u16,
    /// Without a session the panel is not shown, so that the application can be used.
    pub(crate) hidden: bool,
}

impl Default for KioskOptions {
    fn default() -> Self {
        Self { answer_seconds: 60, hidden: false }
    }
}

/// An agent on a simulated kiosk, and a twin of that kiosk.
pub(crate) struct Kiosk {
    agent: Process,
    command: Command,
    folder: TempDir,
    options: KioskOptions,
    shots: u32,
    /// What is expected on the screen.
    pub(crate) twin: Twin,
}

/// The sign of a session.
fn sign(is_silent: bool) -> View {
    // The digits are not in the sign, only how it is known who is there.
    let level = Level::CodeCompared { code: 0 };
    View::Session(Connected { is_silent, ..connected(TECHNICIAN, level) })
}

impl Kiosk {
    /// Starts an agent.
    pub(crate) fn start(server: &str) -> Self {
        Self::start_with(server, KioskOptions::default())
    }

    /// Starts an agent with settings of one's own.
    pub(crate) fn start_with(server: &str, options: KioskOptions) -> Self {
        Self::start_as(server, options, tempfile::tempdir().unwrap(), "")
    }

    /// Starts an agent that keeps what lasts in a folder, and has more settings.
    pub(crate) fn start_as(
        server: &str,
        options: KioskOptions,
        folder: TempDir,
        tables: &str,
    ) -> Self {
        let config = folder.path().join("agent.toml");
        let idle = if options.hidden { "hidden" } else { "home" };
        let settings = format!(
            "server = {server:?}\nname = {KIOSK:?}\ndata_directory = {:?}\n\
             [panel]\nidle = {idle:?}\ncall_key = {CALL_KEY:?}\nanswer_seconds = {}\n{tables}",
            folder.path(),
            options.answer_seconds
        );
        std::fs::write(&config, settings).unwrap();
        let mut command = Command::new(program("lotse-agent"));
        command.arg("--config").arg(config).arg("--simulated");
        command.arg(format!("{}x{}", SIZE.width, SIZE.height)).arg("--still");
        let agent = Process::start("agent", &mut command);
        Self { agent, command, folder, options, shots: 0, twin: Twin::new() }
    }

    /// Has the person do something.
    pub(crate) fn person(&mut self, line: &str) {
        self.agent.tell(line);
    }

    /// Has the person press and release a key.
    pub(crate) fn key(&mut self, name: &str) {
        self.person(&format!("key {name}"));
    }

    /// What the person sees.
    pub(crate) fn shot(&mut self) -> Picture {
        self.shots += 1;
        let path = self.folder.path().join(format!("{}.ppm", self.shots));
        self.person(&format!("shot {}", path.display()));
        let deadline = Instant::now() + PATIENCE;
        loop {
            let picture = std::fs::read(&path).ok().and_then(|ppm| Picture::from_ppm(&ppm));
            if let Some(picture) = picture {
                std::fs::remove_file(&path).unwrap();
                return picture;
            }
            assert!(Instant::now() < deadline, "the kiosk shows no picture");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the screen shows exactly what its twin shows.
    pub(crate) fn wait_as_twin(&mut self, what: &str) {
        self.wait_as_twin_within(what, PATIENCE);
    }

    /// The same within a time.
    pub(crate) fn wait_as_twin_within(&mut self, what: &str, limit: Duration) {
        let expected = self.twin.picture();
        let deadline = Instant::now() + limit;
        while let Some(difference) = self.shot().difference(&expected) {
            assert!(Instant::now() < deadline, "not {what}, but different at {difference:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the panel shows something, and nothing else is on the screen.
    pub(crate) fn wait_view(&mut self, view: View) {
        let what = format!("{view:?}");
        self.twin.show(view);
        self.wait_as_twin(&what);
    }

    /// Waits until the panel has a message.
    pub(crate) fn wait_message(&mut self, message: Message) {
        self.wait_view(View::Message(message));
    }

    /// Closes a message; the panel is as it is without a session.
    pub(crate) fn close_message(&mut self) {
        self.key("enter");
        self.wait_idle();
    }

    /// Waits for what is shown without a session.
    pub(crate) fn wait_idle(&mut self) {
        self.wait_view(if self.options.hidden {
            View::Hidden
        } else {
            View::Home { is_server_reachable: true, can_close: false }
        });
    }

    /// Waits until the upper edge of the screen, with its title, is as of this view.
    pub(crate) fn wait_title(&mut self, view: View) {
        let area = Rect { x: 0, y: 0, width: SIZE.width, height: 60 };
        let what = format!("the title of {view:?}");
        self.twin.show(view);
        let expected = self.twin.picture().part(area);
        eventually(&what, PATIENCE, || self.shot().part(area) == expected);
    }

    /// Accepts a question that is seen, by keyboard; until `is_done`.
    pub(crate) fn accept_until(&mut self, mut is_done: impl FnMut() -> bool) {
        // From Refuse to Accept.
        self.key("left");
        std::thread::sleep(lotse_agent::panel::ARM_DELAY);
        eventually("the question is accepted", PATIENCE, || {
            std::thread::sleep(Duration::from_millis(300));
            self.key("enter");
            is_done()
        });
    }

    /// Waits for the sign of a session above the application.
    pub(crate) fn wait_session(&mut self) {
        self.wait_view(sign(false));
    }

    /// Waits until the sign says that the technician cannot be heard.
    pub(crate) fn wait_interrupted(&mut self) {
        self.wait_view(sign(true));
    }

    /// How much the agent has said, for the waits.
    pub(crate) fn mark(&self) -> usize {
        self.agent.mark()
    }

    /// Waits until the agent is connected to the server.
    pub(crate) fn wait_connected(&mut self) {
        self.wait_connected_since(0);
    }

    /// The same, when it was not connected at `mark`.
    pub(crate) fn wait_connected_since(&mut self, mark: usize) {
        self.agent.wait_text(mark, "connected to ");
    }

    /// Waits until its machine process can have programs started, so that it may offer that.
    pub(crate) fn wait_programs(&mut self) {
        self.agent.wait_text(0, "the programs process is there");
    }

    /// Types a number on the keyboard and asks to connect.
    pub(crate) fn enter_number(&mut self, number: &str) {
        if self.options.hidden {
            self.key(CALL_KEY);
            self.wait_view(View::Home { is_server_reachable: true, can_close: true });
        } else {
            self.wait_idle();
        }
        self.person(&format!("type {number}"));
        self.key("enter");
    }

    /// Waits for the question with this code.
    pub(crate) fn wait_asks(&mut self, code: &str) {
        let (area, expected) = code_on_screen(code);
        eventually(&format!("the panel asks with code {code}"), PATIENCE, || {
            self.shot().part(area) == expected
        });
    }

    /// Accepts by keyboard, as soon as that is possible.
    pub(crate) fn accept_by_key(&mut self, code: &str) {
        let (area, expected) = code_on_screen(code);
        // From Refuse to Accept.
        self.key("left");
        std::thread::sleep(lotse_agent::panel::ARM_DELAY);
        eventually("the question is accepted", PATIENCE, || {
            std::thread::sleep(Duration::from_millis(300));
            self.key("enter");
            std::thread::sleep(Duration::from_millis(100));
            self.shot().part(area) != expected
        });
    }

    /// Touches a button of the question.
    pub(crate) fn touch_answer(&mut self, name: &str) {
        let at = button(&question("123456"), name);
        self.person(&format!("tap {} {}", at.x, at.y));
    }

    /// Touches a button of what is expected to be shown.
    pub(crate) fn touch(&mut self, view: &View, name: &str) {
        let at = button(view, name);
        self.person(&format!("tap {} {}", at.x, at.y));
    }

    /// Touches Stop on the sign of the session.
    pub(crate) fn touch_stop(&mut self) {
        let at = button(&sign(false), "stop");
        self.person(&format!("tap {} {}", at.x, at.y));
    }

    /// Types a letter on the kiosk's own keyboard into the field that has the focus, and takes
    /// it away again; whether it came out as a capital, because somebody holds Shift.
    pub(crate) fn is_shift_held(&mut self) -> bool {
        let area = self.twin.field_area();
        let expected = ["a", "A"].map(|letter| {
            self.twin.fill_field(letter);
            self.twin.picture().part(area)
        });
        assert_ne!(expected[0], expected[1], "a letter is in this area");
        self.twin.fill_field("");
        self.person("type a");
        let seen = self.shot().part(area);
        self.key("backspace");
        // Whoever looks next finds the letter taken away: what the person does is done in order.
        self.shot();
        let is_held = expected.iter().position(|picture| *picture == seen);
        is_held.expect("the field shows a letter") == 1
    }

    /// A file of what it keeps for good.
    pub(crate) fn kept(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// SIGKILL to the whole agent.
    pub(crate) fn kill(&mut self) {
        self.agent.kill();
    }

    /// Starts the agent, and with it the simulated kiosk, again.
    pub(crate) fn restart(&mut self) {
        self.agent = Process::start("agent, restarted", &mut self.command);
        self.twin = Twin::new();
    }

    /// SIGKILL to the process that talks to the network.
    pub(crate) fn kill_network_process(&self) {
        kill(self.process("network"), Signal::SIGKILL).unwrap();
    }

    /// SIGKILL to the process that reads the screen. The kiosk itself, which is in it, starts anew.
    pub(crate) fn kill_machine_process(&mut self) {
        kill(self.process("machine"), Signal::SIGKILL).unwrap();
        self.twin = Twin::new();
    }

    /// Whether a program of this name descends from the agent.
    pub(crate) fn runs(&self, name: &str) -> bool {
        let mut waiting = vec![self.agent.id()];
        while let Some(parent) = waiting.pop() {
            let children = format!("/proc/{parent}/task/{parent}/children");
            let children = std::fs::read_to_string(children).unwrap_or_default();
            for child in children.split_whitespace() {
                let called = std::fs::read_to_string(format!("/proc/{child}/comm"));
                if called.unwrap_or_default().trim_end() == name {
                    return true;
                }
                waiting.extend(child.parse::<u32>());
            }
        }
        false
    }

    /// One of the agent's two processes, `machine` or `network`.
    pub(crate) fn process(&self, role: &str) -> Pid {
        let parent = self.agent.id();
        let children =
            std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap();
        let has_role = |child: &&str| {
            let arguments = std::fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            arguments.split(|byte| *byte == 0).any(|argument| argument == role.as_bytes())
        };
        let found: Vec<&str> = children.split_whitespace().filter(has_role).collect();
        let [child] = *found else { panic!("{} {role} processes in {children:?}", found.len()) };
        Pid::from_raw(child.parse().unwrap())
    }
}
