//! The machine process: the one that reads the screen, asks the person and injects input.
//!
//! It is privileged and never touches the network. What the network process tells it
//! counts for no more than the person at the machine has consented to with a physical device:
//! the consent is kept here, and every input is held against it.

mod arrows;
mod capture;
mod consent;
mod details;
mod events;
mod files;
mod guesses;
mod identity;
mod inject;
mod keep;
mod link;
mod panel;
mod programs;
mod restart;
mod session;
#[cfg(test)]
mod tests;
pub mod typing;

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use lotse_hal::{LocalEvent, Machine};
use lotse_protocol::message::{InputEvent, Restart};
use nix::unistd::Uid;

use crate::config::Settings;
use crate::ipc::{ToMachine, ToNetwork};
use crate::machine::arrows::Arrows;
use crate::machine::events::{Ready, Waiter};
use crate::machine::guesses::Guesses;
use crate::machine::identity::Identity;
use crate::machine::keep::Keep;
use crate::machine::link::{NetworkLink, ProgramsLink};
use crate::machine::panel::PanelScreen;
use crate::machine::programs::Programs;
use crate::machine::session::Session;

/// Whether an input only lets something go.
const fn is_release(event: &InputEvent) -> bool {
    matches!(
        event,
        InputEvent::ReleaseAll
            | InputEvent::Lift { .. }
            | InputEvent::Key { pressed: false, .. }
            | InputEvent::Button { pressed: false, .. }
    )
}
pub use identity::{Enrolment, public_key};

/// How long the loop sleeps at most, so that a slip of a timer heals by itself.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Makes the folder for what lasts, before this process is confined to it.
pub fn prepare(data_directory: &std::path::Path) {
    Keep::open(data_directory);
}

/// The whole state of the process.
struct MachineProcess {
    machine: Machine,
    settings: Settings,
    panel: PanelScreen,
    session: Session,
    arrows: Arrows,
    network: NetworkLink,
    programs: Programs,
    identity: Identity,
    guesses: Guesses,
    keep: Keep,
    /// What is about to be restarted.
    coming: Option<Restart>,
    /// The way back into a session from before a restart.
    returning: Option<restart::Return>,
    is_server_reachable: bool,
}

/// Runs until the process is told to stop.
///
/// The network process may connect to the socket in `network`, which does not block; it must be one
/// of the user there. The one that starts programs may connect to `programs`, and must be root's.
///
/// # Errors
/// When the machine cannot be used at all.
pub fn run(
    machine: Machine,
    settings: Settings,
    network: (UnixListener, Uid),
    programs: UnixListener,
) -> anyhow::Result<()> {
    let waiter = Waiter::new().context("prepare to be told to stop")?;
    let now = Instant::now();
    let keep = Keep::open(&settings.data_directory);
    let mut process = MachineProcess {
        panel: PanelScreen::new(settings.language, settings.idle, now),
        session: Session::new(&settings, now)?,
        arrows: Arrows::new(settings.arrow_time),
        network: NetworkLink::new("network", network.0, network.1),
        programs: Programs::new(ProgramsLink::new("programs", programs, Uid::from_raw(0))),
        identity: Identity::open(keep.clone(), settings.enrolment.as_ref())?,
        guesses: Guesses::open(keep.clone()),
        keep,
        coming: None,
        returning: None,
        is_server_reachable: false,
        machine,
        settings,
    };
    process.machine.local.reserve(process.settings.call_key);
    log::info!("screen: {:?}", process.machine.screen.info());
    log::info!("panel: {}", process.machine.panel.describe());
    process.show_idle(now);
    if let Some(kept) = restart::take(&process.keep, SystemTime::now()) {
        process.begin_return(kept, now);
    }
    loop {
        let due = process.handle_timeouts(Instant::now());
        let ready = process.wait(&waiter, due)?;
        if ready.stop {
            process.shut_down();
            return Ok(());
        }
        process.handle_ready(&ready, Instant::now());
    }
}

impl MachineProcess {
    /// Does all that is due, until nothing is; when something will be.
    fn handle_timeouts(&mut self, now: Instant) -> Instant {
        // Before another one is let in: no consent outlives the process that it was given to.
        self.handle_network_loss(now);
        if self.network.accept() {
            self.network_started();
        }
        self.handle_programs_link(now);
        self.handle_expiry(now);
        self.panel.handle_timeout(now);
        self.handle_panel(now);
        if self.panel.check(&mut self.machine.panel, now) {
            self.handle_panel(now);
        }
        let reports = self.session.handle_timeout(&mut self.machine, &mut self.network, now);
        for report in reports {
            self.network.send(&report);
        }
        self.handle_network_loss(now);
        self.draw_arrows(now);
        [self.panel.poll_timeout(), self.session.poll_timeout(), self.arrows.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now + LONGEST_SLEEP)
    }

    fn wait(&self, waiter: &Waiter, due: Instant) -> anyhow::Result<Ready> {
        let now = Instant::now();
        let time = due.saturating_duration_since(now).min(LONGEST_SLEEP);
        let (network, programs) = (self.network.socket(), self.programs.link.socket());
        let screen = self.session.waits_for_screen(now).then(|| self.machine.screen.descriptor());
        let local = self.machine.local.descriptors();
        waiter.wait(network, programs, screen.flatten(), &local, time)
    }

    fn handle_ready(&mut self, ready: &Ready, now: Instant) {
        if ready.network_writable {
            self.network.flush();
        }
        // Whoever wants to be the network process is let in when everything else is done.
        if ready.network_readable && self.network.is_up() {
            for message in self.network.receive() {
                self.handle_network(message, now);
            }
        } else if ready.network_readable {
            self.network.knock();
        }
        if ready.programs_writable {
            self.programs.link.flush();
        }
        if ready.programs_readable && self.programs.link.is_up() {
            for message in self.programs.link.receive() {
                self.handle_programs(message, now);
            }
        } else if ready.programs_readable {
            self.programs.link.knock();
        }
        if ready.screen {
            self.session.screen_told(now);
        }
        if ready.local {
            self.handle_local(now);
        }
    }

    fn handle_local(&mut self, now: Instant) {
        let mut events = Vec::new();
        let size = self.panel.size(&mut self.machine.panel);
        if let Err(error) = self.machine.local.read(size, &mut events) {
            log::warn!("input devices of the machine: {error}");
        }
        for event in events {
            if self.session.used_locally(&mut self.machine.input, &event, now) {
                self.network.send(&ToNetwork::LocalInput);
            }
            if let LocalEvent::Key { key, pressed: true } = event
                && key == self.settings.call_key
                && self.panel.can_be_called()
            {
                self.panel.call(self.is_server_reachable, now);
                if self.panel.wants_input()
                    && let Err(error) = self.machine.input.release_all()
                {
                    log::warn!("could not release everything that was pressed: {error}");
                }
            } else {
                self.panel.handle_local(&mut self.machine.panel, &event, now);
            }
            self.handle_panel(now);
        }
    }

    fn network_started(&mut self) {
        let server = heapless::String::try_from(self.settings.server.to_string().as_str());
        let name = self.settings.name.clone();
        match server {
            Ok(server) => {
                let operator = self.identity.operator();
                self.network.send(&ToNetwork::Start { server, name, operator });
            }
            Err(_) => log::error!("the server's address is too long"),
        }
    }

    /// The network process died: whatever was going on is over, and nothing stays pressed.
    fn handle_network_loss(&mut self, now: Instant) {
        if !self.network.take_lost() {
            return;
        }
        self.is_server_reachable = false;
        if self.session.is_going_on() {
            self.end_session(crate::ipc::Ended::ConnectionLost, now);
            self.handle_panel(now);
        } else {
            self.show_idle(now);
        }
    }

    fn handle_network(&mut self, message: ToMachine, now: Instant) {
        match message {
            ToMachine::Server { is_reachable } => {
                self.is_server_reachable = is_reachable;
                self.panel.server_changed(is_reachable, now);
                if is_reachable {
                    self.go_back(now);
                }
            }
            ToMachine::AskPassword => self.ask_password(now),
            ToMachine::Identify { transcript } => self.identify(&transcript),
            ToMachine::Ask { name, asks, standing } => self.ask(&name, asks, &standing, now),
            ToMachine::Connected { rights } => self.connected(rights, now),
            ToMachine::Leads { moderator, controller } => {
                self.leads(moderator.as_deref(), controller.as_deref(), now);
            }
            ToMachine::Silent(is_silent) => self.panel.silent(is_silent, now),
            ToMachine::Watch(watched) => self.session.watch(watched, now),
            ToMachine::PictureShown(number) => self.session.shown(number, now),
            ToMachine::Refresh { after } => self.session.refresh(after, now),
            ToMachine::Input(event) => self.input(event, now),
            ToMachine::Limit(rights) => self.limit(rights, now),
            ToMachine::Show(name) => self.session.show(&mut self.machine, &name, now),
            ToMachine::Terminal(what) => self.terminal(what, now),
            ToMachine::Files { id, what } => self.files(id, what, now),
            ToMachine::Arrow { by, name, at } => {
                if self.session.pointed(now) {
                    self.arrows.point(by, &name, at, now);
                }
            }
            ToMachine::Restart(what) => self.restart(what, now),
            ToMachine::Ended(why) => self.end_session(why, now),
        }
        self.handle_panel(now);
    }

    /// Injects what the technician does. While the panel has something for the person to answer,
    /// nothing but letting go: it could otherwise be answered from afar, through a device of the
    /// machine's own that is injected into.
    fn input(&mut self, event: InputEvent, now: Instant) {
        if self.panel.wants_input() && !is_release(&event) {
            log::debug!("input is not injected while the panel is open");
            return;
        }
        let reports = self.session.input(&mut self.machine, event, now);
        reports.iter().for_each(|report| self.network.send(report));
    }

    /// Leaves the machine as it was.
    fn shut_down(&mut self) {
        log::info!("stopping");
        if self.session.is_going_on() {
            let end = lotse_protocol::message::DeviceEnd::ShuttingDown;
            self.network.send(&ToNetwork::End(end));
        }
        if let Err(error) = self.machine.input.release_all() {
            log::warn!("could not release everything that was pressed: {error}");
        }
        if let Err(error) = self.machine.marks.show(&[]) {
            log::warn!("could not take the arrows away: {error}");
        }
        if let Err(error) = self.machine.panel.hide() {
            log::warn!("could not give the screen back: {error}");
        }
    }
}
