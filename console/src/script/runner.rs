//! Runs one line after another.

use std::io::{self, Write};
use std::time::Duration;

use lotse_protocol::ServerAddress;
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::line::{Line, parse, split};
use super::report;
use crate::args::{self, Session as Options};
use crate::driver::Session;
use crate::model::picture::Picture;
use crate::model::{
    Command, Event, Model, PixelPoint, Right, SessionState, TerminalCommand, TouchPhase,
};
use crate::render::{Headless, write_canvas, write_picture};
use crate::ui::{Scene, View, console_ui};
use crate::words::Language;

/// How long a server may take to give a number.
const OPENING: Duration = Duration::from_secs(30);

/// How long the end of a session may take.
const ENDING: Duration = Duration::from_secs(5);

/// Between down and up of a click or a tap: as short as a quick hand, long enough for any panel.
const CLICK: Duration = Duration::from_millis(50);

/// Size of the window that is not there.
const WINDOW: [u32; 2] = [1280, 800];

/// What a command gives: details of its answer, or why it failed.
pub(super) type Outcome = Result<Map<String, Value>, String>;

/// A session, its model, and where answers go.
pub(super) struct Runner<W> {
    session: Session,
    pub(super) model: Model,
    pub(super) server: ServerAddress,
    pub(super) view: View,
    out: W,
}

impl<W: Write> Runner<W> {
    pub(super) fn new(session: Session, options: &Options, language: Language, out: W) -> Self {
        let name = options.name.clone().unwrap_or_else(args::login_name);
        let mut view = View::new(language, options.server.to_string(), name);
        view.with_password = options.password;
        view.asks = options.ask.unwrap_or(view.asks);
        Self { session, model: Model::default(), server: options.server.clone(), view, out }
    }

    /// Runs all lines; whether every one succeeded.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(super) async fn run(
        &mut self,
        lines: &mut mpsc::Receiver<String>,
        strict: bool,
    ) -> io::Result<bool> {
        let mut all_succeeded = true;
        loop {
            let line = tokio::select! {
                line = lines.recv() => line,
                event = self.session.events.recv() => {
                    self.take(event)?;
                    continue;
                }
            };
            let Some(line) = line else { break };
            let Some((command, rest)) = split(&line) else { continue };
            let parsed = parse(command, rest);
            let quit = parsed == Ok(Line::Quit);
            let outcome = match parsed {
                Ok(Line::Quit) => Ok(Map::new()),
                Ok(line) => self.execute(line).await?,
                Err(error) => Err(error.to_string()),
            };
            all_succeeded &= outcome.is_ok();
            let stop = quit || (strict && outcome.is_err());
            self.say(&report::answer(command, outcome))?;
            if stop {
                break;
            }
        }
        self.finish().await?;
        Ok(all_succeeded)
    }

    async fn execute(&mut self, line: Line) -> io::Result<Outcome> {
        let outcome = match line {
            Line::Open => return self.open().await,
            Line::WaitJoin(limit) => {
                let done = |model: &Model, _: &Picture| has_code(model);
                return self.wait(limit, done).await;
            }
            Line::WaitConnected(limit) => {
                let done = |model: &Model, _: &Picture| model.peer().is_some();
                return self.wait(limit, done).await;
            }
            Line::WaitPicture(limit) => {
                return self.wait(limit, |_, picture| picture.updates() > 0).await;
            }
            Line::WaitStill { still, limit } => return self.wait_still(still, limit).await,
            Line::WaitEnded(limit) => return self.wait_ended(limit).await,
            Line::Sleep(time) => {
                self.pass(Instant::now() + time).await?;
                Ok(Map::new())
            }
            Line::Click(at, button) => return self.click(at, button).await,
            Line::Tap(at) => return self.tap(at).await,
            Line::Pinch { at, from, to } => return self.pinch(at, from, to).await,
            Line::End => return self.end().await,
            Line::Code => self.code(),
            Line::Confirm(code) => match self.model.state() {
                SessionState::Comparing { code: ours, .. } if *ours == code => {
                    self.command(Command::CodesMatch)
                }
                SessionState::Comparing { .. } => {
                    Err("this side shows another code; if the panel \
                                                       really shows that one, say: differ"
                        .into())
                }
                _ => Err(self.not_now("there is no code to compare")),
            },
            Line::ConfirmCompared => self.compared(Command::CodesMatch),
            Line::Differ => self.compared(Command::CodesDiffer),
            Line::Members(line) => return self.of_members(line).await,
            Line::Shot(path) => write_picture(&path, &self.session.picture.lock())
                .map(|()| Map::new())
                .map_err(|error| with_sources(&error)),
            Line::ScreenshotUi(path) => self.screenshot(&path),
            Line::Move(at) => self.at(at).and_then(|at| self.input([Command::PointerMove(at)])),
            Line::Finger { contact, at } => self.at(at).and_then(|at| {
                self.input([Command::Touch { contact, phase: TouchPhase::Down, at }])
            }),
            Line::Lift(contact) => {
                let at = PixelPoint::default();
                self.input([Command::Touch { contact, phase: TouchPhase::Up, at }])
            }
            Line::Show(name) => self.show(name),
            Line::Shell(command @ TerminalCommand::Open(..)) => {
                return self.open_shell(command).await;
            }
            Line::Shell(command) => self.shell(command),
            Line::Files(line) => return self.files(line).await,
            Line::Point(at) => self.point(at),
            Line::Restart(what) => return self.restart(what).await,
            Line::WaitRestarted(limit) => return self.wait_restarted(limit).await,
            Line::Wheel(vertical) => self.input([Command::Wheel { vertical, horizontal: 0 }]),
            Line::Combo(combo) => self.input(combo.commands()),
            Line::Hold { key, pressed } => self.input([Command::Key { key, pressed }]),
            Line::Type(text) if self.model.may_type() => self.command(Command::Text(text)),
            Line::Type(text) => self.input([Command::Text(text)]),
            Line::Status => Ok(report::status(&self.model, &self.session.picture.lock())),
            // Handled by whoever reads the lines.
            Line::Quit => Ok(Map::new()),
        };
        Ok(outcome)
    }

    async fn open(&mut self) -> io::Result<Outcome> {
        if let Err(error) = self.begin().await? {
            return Ok(Err(error));
        }
        let (server, name) = (self.server.clone(), self.view.name.clone());
        let (with_password, asks) = (self.view.with_password, self.view.asks);
        let open = Command::Open { server, name, with_password, asks };
        if let Err(error) = self.command(open) {
            return Ok(Err(error));
        }
        let opened = |model: &Model, _: &Picture| {
            matches!(model.state(), SessionState::Waiting { .. } | SessionState::Joining { .. })
        };
        let outcome = self.wait(OPENING, opened).await?;
        Ok(outcome.map(|_| {
            let mut status = report::status(&self.model, &self.session.picture.lock());
            status.remove("state");
            status.remove("role");
            status
        }))
    }

    /// Makes sure that a session can begin.
    pub(super) async fn begin(&mut self) -> io::Result<Outcome> {
        if !matches!(self.model.state(), SessionState::Idle | SessionState::Ended { .. }) {
            return Ok(Err(self.not_now("there is a session already")));
        }
        // What is left of an earlier session must not be taken for news of the next.
        while let Ok(event) = self.session.events.try_recv() {
            self.take(Some(event))?;
        }
        Ok(Ok(Map::new()))
    }

    fn code(&self) -> Outcome {
        match self.model.state() {
            SessionState::Comparing { code, .. } => {
                Ok(Map::from_iter([("code".to_owned(), code.to_string().into())]))
            }
            _ => Err(self.not_now("there is no code to compare")),
        }
    }

    fn compared(&mut self, command: Command) -> Outcome {
        match self.model.state() {
            SessionState::Comparing { .. } => self.command(command),
            _ => Err(self.not_now("there is no code to compare")),
        }
    }

    fn point(&mut self, at: Option<PixelPoint>) -> Outcome {
        if !self.model.may_point() {
            return Err(self.not_now("the panel is not connected, or does not allow pointing"));
        }
        let at = at.map(|at| self.at(at)).transpose()?;
        self.command(Command::Point(at))
    }

    async fn click(&mut self, at: PixelPoint, button: crate::model::Button) -> io::Result<Outcome> {
        let down = Command::PointerButton { button, pressed: true };
        let pressed = self.at(at).and_then(|at| self.input([Command::PointerMove(at), down]));
        if pressed.is_err() {
            return Ok(pressed);
        }
        self.pass(Instant::now() + CLICK).await?;
        Ok(self.input([Command::PointerButton { button, pressed: false }]))
    }

    async fn tap(&mut self, at: PixelPoint) -> io::Result<Outcome> {
        let touch = |phase| Command::Touch { contact: 0, phase, at };
        let down = self.at(at).and_then(|_| self.input([touch(TouchPhase::Down)]));
        if down.is_err() {
            return Ok(down);
        }
        self.pass(Instant::now() + CLICK).await?;
        Ok(self.input([touch(TouchPhase::Up)]))
    }

    /// Two fingers move apart or together, in steps that a panel can follow.
    async fn pinch(&mut self, at: PixelPoint, from: u32, to: u32) -> io::Result<Outcome> {
        const STEPS: u32 = 10;
        for step in 0..=STEPS {
            let part = f64::from(step) / f64::from(STEPS);
            let distance = f64::from(from) * (1.0 - part) + f64::from(to) * part;
            // As far from the middle as the other; `as` saturates.
            let distance = (distance / 2.0) as u32;
            let places = [at.x.saturating_sub(distance), at.x.saturating_add(distance)];
            for (contact, x) in (0..).zip(places) {
                let phase = if step == 0 { TouchPhase::Down } else { TouchPhase::Move };
                let touch = |at| Command::Touch { contact, phase, at };
                let done = self.at(PixelPoint { x, ..at }).and_then(|at| self.input([touch(at)]));
                if done.is_err() {
                    self.input([Command::ReleaseAll]).ok();
                    return Ok(done);
                }
            }
            self.pass(Instant::now() + CLICK).await?;
        }
        let lift = |contact| Command::Touch { contact, phase: TouchPhase::Up, at };
        Ok(self.input([0, 1].map(lift)))
    }

    fn show(&mut self, name: String) -> Outcome {
        if self.model.outputs().iter().any(|output| output.name == name) {
            self.command(Command::Show(name))
        } else {
            Err(self.not_now(&format!("the panel has no screen {name:?} to choose")))
        }
    }

    /// Opens a terminal, and waits until it is there.
    async fn open_shell(&mut self, open: TerminalCommand) -> io::Result<Outcome> {
        let asked = self.shell(open);
        if asked.is_err() {
            return Ok(asked);
        }
        let answered = |model: &Model, _: &Picture| {
            let terminal = &model.live().terminal;
            terminal.is_open() || terminal.ended().is_some()
        };
        let outcome = self.wait(OPENING, answered).await?;
        Ok(outcome.and_then(|details| match self.model.live().terminal.ended() {
            Some(end) => Err(format!("there is no terminal: {}", end.word())),
            None => Ok(details),
        }))
    }

    /// What is done with the terminal. What it writes comes as events.
    fn shell(&mut self, command: TerminalCommand) -> Outcome {
        let may = self.model.peer().is_some_and(|peer| peer.rights.has(Right::Shell));
        let is_open = self.model.live().terminal.is_open();
        let opens = matches!(command, TerminalCommand::Open(..));
        match (may, is_open, opens) {
            (false, ..) => Err(self.not_now("the panel allows no terminal")),
            (_, true, true) => Err(self.not_now("there is a terminal already")),
            (_, false, false) => Err(self.not_now("there is no terminal")),
            _ => self.command(Command::Terminal(command)),
        }
    }

    async fn end(&mut self) -> io::Result<Outcome> {
        if matches!(self.model.state(), SessionState::Idle | SessionState::Ended { .. }) {
            return Ok(Err(self.not_now("there is no session to end")));
        }
        if let Err(error) = self.command(Command::End) {
            return Ok(Err(error));
        }
        self.wait_ended(ENDING).await
    }

    /// Ends what is still going on, without an answer.
    async fn finish(&mut self) -> io::Result<()> {
        if !matches!(self.model.state(), SessionState::Idle | SessionState::Ended { .. }) {
            self.end().await?.ok();
        }
        Ok(())
    }

    /// A place that is in the picture.
    fn at(&self, at: PixelPoint) -> Result<PixelPoint, String> {
        let picture = self.session.picture.lock();
        let (width, height) = (picture.width(), picture.height());
        if at.x < width && at.y < height {
            Ok(at)
        } else {
            Err(format!("{} {} is not in the picture of {width} × {height} pixels", at.x, at.y))
        }
    }

    fn input(&mut self, commands: impl IntoIterator<Item = Command>) -> Outcome {
        if !self.model.may_control() {
            return Err(self.not_now("the panel may not be steered"));
        }
        for command in commands {
            self.command(command)?;
        }
        Ok(Map::new())
    }

    pub(super) fn command(&mut self, command: Command) -> Outcome {
        self.model.note(&command);
        self.session.commands.push(command).map_err(|error| error.to_string())?;
        Ok(Map::new())
    }

    pub(super) fn not_now(&self, what: &str) -> String {
        format!("{what}; the session is {}", report::state_word(self.model.state()))
    }

    fn screenshot(&mut self, path: &std::path::Path) -> Outcome {
        let mut headless = Headless::new(WINDOW, 1.0);
        let scene = Scene {
            model: &self.model,
            picture: &self.session.picture,
            now: Instant::now().into_std(),
        };
        let canvas = headless.render(|ui| {
            console_ui(ui, &scene, &mut self.view);
        });
        write_canvas(path, canvas).map(|()| Map::new()).map_err(|error| with_sources(&error))
    }

    /// Waits until something is so. Fails when the session ends first, or when it takes too long.
    pub(super) async fn wait(
        &mut self,
        limit: Duration,
        done: impl Fn(&Model, &Picture) -> bool,
    ) -> io::Result<Outcome> {
        /// Looks at what changes without an event, such as how long a picture has been still.
        const LOOK: Duration = Duration::from_millis(20);
        let deadline = Instant::now() + limit;
        loop {
            if done(&self.model, &self.session.picture.lock()) {
                return Ok(Ok(Map::new()));
            }
            if matches!(self.model.state(), SessionState::Ended { .. } | SessionState::Idle) {
                return Ok(Err(self.not_now("it will not happen")));
            }
            let now = Instant::now();
            if now >= deadline {
                let seconds = limit.as_secs_f64();
                return Ok(Err(self.not_now(&format!("it did not happen within {seconds} s"))));
            }
            // One event at a time: what is waited for may be over with the next one.
            tokio::select! {
                () = tokio::time::sleep_until(deadline.min(now + LOOK)) => {}
                event = self.session.events.recv() => self.take(event)?,
            }
        }
    }

    /// Counts from now on: what was done just before may still be on its way.
    async fn wait_still(&mut self, still: Duration, limit: Duration) -> io::Result<Outcome> {
        let begun = Instant::now();
        let done = move |_: &Model, picture: &Picture| {
            let changed = picture.updated_at().map(Instant::from_std);
            changed.is_some_and(|at| at.max(begun).elapsed() >= still)
        };
        self.wait(limit, done).await
    }

    async fn wait_ended(&mut self, limit: Duration) -> io::Result<Outcome> {
        let ended = |model: &Model, _: &Picture| {
            matches!(model.state(), SessionState::Ended { .. } | SessionState::Idle)
        };
        self.wait(limit, ended).await
    }

    /// Takes events until a time.
    async fn pass(&mut self, until: Instant) -> io::Result<()> {
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => return Ok(()),
                event = self.session.events.recv() => self.take(event)?,
            }
        }
    }

    fn take(&mut self, event: Option<Event>) -> io::Result<()> {
        let Some(event) = event else {
            return Err(io::Error::other("the session's driver is gone"));
        };
        if let Some(line) = report::event(&event) {
            self.say(&line)?;
        }
        self.model.apply(event, Instant::now().into_std());
        Ok(())
    }

    fn say(&mut self, value: &Value) -> io::Result<()> {
        writeln!(self.out, "{}", report::line(value))?;
        self.out.flush()
    }
}

const fn has_code(model: &Model) -> bool {
    matches!(
        model.state(),
        SessionState::Comparing { .. } | SessionState::Asking { .. } | SessionState::Connected(_)
    )
}

/// An error and what led to it, in one line.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
#[path = "runner_tests.rs"]
mod tests;
