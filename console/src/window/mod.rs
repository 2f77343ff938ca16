//! The window: winit for events, softbuffer for pixels, and everything between from [`crate::ui`]
//! and [`crate::render`].
//!
//! While the picture has the keyboard, every physical key goes to the panel and none to egui:
//! Super, Print, Pause and F13 too, as far as the desktop lets them through.

mod shown;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use winit::application::ApplicationHandler;
use winit::event::{ElementState, KeyEvent, StartCause, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop};
use winit::window::WindowId;

use lotse_protocol::SessionNumber;

use crate::args::{self, Window as Options};
use crate::driver::{self, Session};
use crate::model::{Command, Event, Model, Notice, SessionState};
use crate::ui::{Scene, View, console_ui};
use crate::words::Language;

use shown::Shown;

/// Least time between two frames: a mouse reports a thousand times a second, no screen shows
/// that.
const FRAME: Duration = Duration::from_millis(5);

/// Something has happened in the session.
#[derive(Debug, Clone, Copy)]
struct News;

/// Opens the window, with somebody else's session if one is to be watched, and runs until it is
/// closed.
///
/// # Errors
/// When there is no display, or no thread can be started.
pub fn run(
    options: Options,
    watch: Option<SessionNumber>,
    language: Language,
) -> anyhow::Result<()> {
    let event_loop = EventLoop::<News>::with_user_event().build().context(
        "there is no display to open a window on. Nothing was sent. Start it from a desktop, or \
         use `lotse-console session`, which needs none",
    )?;
    let proxy = event_loop.create_proxy();
    let pass = options.pass.as_deref().map(crate::authority::read_pass).transpose()?;
    let (session, driver) = driver::session(Arc::new(move || {
        // Fails only when the window is gone.
        proxy.send_event(News).ok();
    }));
    let driver = driver.with_pass(pass);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::thread::Builder::new()
        .name("session".into())
        .spawn(move || runtime.block_on(driver.run()))?;
    let server = options.server.map(|server| server.to_string()).unwrap_or_default();
    let mut view = View::new(language, server, options.name.unwrap_or_else(args::login_name));
    view.with_password = options.password;
    view.asks = options.ask.unwrap_or(view.asks);
    let commands = watch.map(|number| view.watch(number)).unwrap_or_default();
    let mut app = App::new(session, view);
    app.give(commands);
    let outcome = event_loop.run_app(&mut app);
    app.close(thread);
    outcome.context("the window failed")
}

struct App {
    session: Session,
    model: Model,
    view: View,
    shown: Option<Shown>,
    /// When the next frame is due, if one is.
    next_frame: Option<Instant>,
    last_frame: Instant,
}

impl App {
    fn new(session: Session, view: View) -> Self {
        let model = Model::default();
        Self { session, model, view, shown: None, next_frame: None, last_frame: Instant::now() }
    }

    /// Takes the news; the window is behind until the next frame.
    fn take_events(&mut self) {
        let now = Instant::now();
        while let Ok(event) = self.session.events.try_recv() {
            self.model.apply(event, now);
        }
        self.redraw_after(Duration::ZERO);
    }

    fn give(&mut self, commands: Vec<Command>) {
        for command in commands {
            self.model.note(&command);
            if let Err(error) = self.session.commands.push(command) {
                tracing::warn!("{error}");
                self.model.apply(Event::Notice(Notice::LinkBusy), Instant::now());
            }
        }
        if std::mem::take(&mut self.view.back_to_start)
            && matches!(self.model.state(), SessionState::Ended { .. })
        {
            self.model = Model::default();
            self.redraw_after(Duration::ZERO);
        }
    }

    fn redraw_after(&mut self, delay: Duration) {
        let Some(due) = Instant::now().checked_add(delay) else { return };
        let due = due.max(self.last_frame + FRAME);
        self.next_frame = Some(self.next_frame.map_or(due, |next| next.min(due)));
    }

    fn draw(&mut self) {
        let Some(shown) = &mut self.shown else { return };
        self.last_frame = Instant::now();
        self.next_frame = None;
        let scene =
            Scene { model: &self.model, picture: &self.session.picture, now: self.last_frame };
        let mut commands = Vec::new();
        let drawn = shown.draw(|ui| commands = console_ui(ui, &scene, &mut self.view));
        match drawn {
            Ok(again_after) => self.redraw_after(again_after),
            Err(error) => tracing::error!("the window could not be drawn: {error:#}"),
        }
        if !commands.is_empty() {
            self.give(commands);
            self.redraw_after(Duration::ZERO);
        }
    }

    /// Whether the key went to the panel, or would have if it were not a repetition.
    fn key(&mut self, event: &KeyEvent, synthetic: bool) -> bool {
        if !self.view.keys_go_to_panel(&self.model) {
            return false;
        }
        let pressed = event.state == ElementState::Pressed;
        // Keys that were down when the window got the focus are not meant for the panel.
        if !(synthetic && pressed) {
            let command = self.view.key(event.physical_key, pressed);
            self.give(command.into_iter().collect());
        }
        true
    }

    fn lose_focus(&mut self) {
        let mut commands = Vec::new();
        self.view.lose_focus(&mut commands);
        self.give(commands);
    }

    /// Ends the session, if there is one, and waits for the driver to say goodbye.
    fn close(self, driver: JoinHandle<()>) {
        let Self { session, shown, .. } = self;
        drop(shown);
        // The driver notices that nobody takes events any more.
        drop(session);
        if driver.join().is_err() {
            tracing::error!("the session's thread has failed");
        }
    }
}

impl ApplicationHandler<News> for App {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        if self.shown.is_some() {
            return;
        }
        match Shown::open(event_loop, self.view.language.words().title) {
            Ok(shown) => {
                self.shown = Some(shown);
                self.redraw_after(Duration::ZERO);
            }
            Err(error) => {
                tracing::error!("the window could not be opened: {error:#}");
                event_loop.exit();
            }
        }
    }

    fn user_event(&mut self, _: &ActiveEventLoop, News: News) {
        self.take_events();
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        match &event {
            WindowEvent::CloseRequested => return event_loop.exit(),
            WindowEvent::RedrawRequested => return self.draw(),
            WindowEvent::KeyboardInput { event, is_synthetic, .. }
                if self.key(event, *is_synthetic) =>
            {
                return;
            }
            WindowEvent::Focused(false) => self.lose_focus(),
            _ => {}
        }
        if let Some(shown) = &mut self.shown
            && shown.handle(&event)
        {
            self.redraw_after(Duration::ZERO);
        }
    }

    fn new_events(&mut self, _: &ActiveEventLoop, _: StartCause) {}

    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        match (self.next_frame, &mut self.shown) {
            (Some(due), Some(shown)) if due <= Instant::now() => {
                shown.request_frame();
                event_loop.set_control_flow(ControlFlow::Wait);
            }
            (Some(due), _) => event_loop.set_control_flow(ControlFlow::WaitUntil(due)),
            (None, _) => event_loop.set_control_flow(ControlFlow::Wait),
        }
    }
}
