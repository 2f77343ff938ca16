//! The agent's command line.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use lotse_hal::linux::MachineConfig;
use lotse_hal::linux::choose::ScreenChoice;
use lotse_hal::linux::follow::FollowingScreen;
use lotse_hal::linux::mounting::Mounting;
use lotse_hal::simulated::{self, Options, SystemClock};
use lotse_hal::{Machine, Size};
use nix::sys::signal::Signal;

use crate::config::{Config, DATA_DIRECTORY, DEFAULT_PATH, Settings};
use crate::local_socket::LocalAddress;
use crate::machine::typing::{self, KeyboardLayout};
use crate::panel::{
    self, Ask, Coming, Connected, Level, Message, Name, Right, RightSet, View, Work,
};
use crate::programs::SetUp;
use crate::supervisor::{self, Role};
use crate::{doctor, files, machine, network, privileges, probe, programs, sandbox};

/// Lets a technician see and steer this machine, after the person in front of it has agreed.
///
/// Runs as a service: it waits at the session server until somebody types a session number at
/// the panel. Settings come from the configuration file, options go before it. Try it without
/// any hardware: `lotse-agent --simulated --server 127.0.0.1:8443#FINGERPRINT`.
#[derive(Debug, Parser)]
#[command(name = "lotse-agent", version)]
pub struct Arguments {
    /// Configuration file [default: /etc/lotse/agent.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Session server, instead of the configured one
    #[arg(long, value_name = "HOST[:PORT][#FINGERPRINT]")]
    server: Option<String>,
    /// What the machine is called at the technician's
    #[arg(long)]
    name: Option<String>,
    /// The screen that the technician sees: auto, drm or drm:CONNECTOR, fbdev or fbdev:DEVICE, or
    /// file:PATH:WxH
    #[arg(long, value_name = "SOURCE")]
    screen: Option<String>,
    /// Print the settings that would be used, as a configuration file, and stop
    #[arg(long)]
    print_config: bool,
    /// Be a simulated kiosk, that needs no hardware (with --screen, that one is shown instead of
    /// the simulated one); the person in front of it does what
    /// standard input says: `tap X Y`, `key NAME`, `type TEXT`, `wait MS`, `shot FILE`
    #[arg(long, value_name = "WxH", num_args = 0..=1, default_missing_value = "1280x800")]
    simulated: Option<String>,
    /// The simulated kiosk's gauge stands still
    #[arg(long, requires = "simulated")]
    still: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell whether everything is there that the agent needs, and what to change
    ///
    /// Looks at privileges, kernel, devices, configuration, clock and server as the user who runs
    /// it: run it as root. Ends with status 1 if something is missing without which nobody can be
    /// helped. It changes nothing.
    Doctor {
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
        /// Leave the server alone
        #[arg(long)]
        offline: bool,
    },
    /// Print where the panel's buttons are on a screen, as JSON
    PanelLayout {
        /// Size of the screen
        #[arg(value_name = "WxH")]
        size: String,
        /// home, password, asking, session, details, coming or message
        view: String,
        /// Size of the display, if it is known
        #[arg(long, value_name = "WxH")]
        millimetres: Option<String>,
    },
    /// Print the public key by which this machine is enrolled, and make it if there is none yet
    Identity,
    /// Run only the process that reads the screen, asks the person and injects input
    ///
    /// For service managers, beside `network`. Without either, the agent starts and looks after
    /// both.
    Machine {
        #[command(flatten)]
        place: Place,
    },
    /// Print what this machine has: screens, planes, formats, input devices, and which of them the
    /// agent would use
    ///
    /// The first thing to run on a new board, as root. It changes nothing and may run beside an
    /// agent that works. With --screen and --config it shows what another choice would lead to:
    /// `lotse-agent --screen drm:HDMI-A-1 probe --screenshot hdmi.png`.
    Probe {
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
        /// Write what the technician would see to a PNG file, too
        #[arg(long, value_name = "FILE")]
        screenshot: Option<PathBuf>,
    },
    /// Take back what a machine process left that was killed: a panel on the screen, a key that is
    /// kept from others, what it pressed
    ///
    /// For service managers, after the process has ended. The next one does the same.
    Restore,
    /// Run only the process that talks to the server; the one of `machine` tells it the settings
    Network {
        #[command(flatten)]
        place: Place,
        /// The user to become, if this one is root
        #[arg(long, default_value = "lotse")]
        user: String,
    },
    /// Run only the process that starts programs: the terminal that `[shell]` sets up, what `[maintenance]` names, and what moves files (`[files]`)
    Programs {
        #[command(flatten)]
        place: Place,
    },
    /// Do what comes in by standard input with files; the settings as JSON
    #[command(hide = true)]
    Files { settings: String },
    /// Become the program in a terminal; its settings as JSON
    #[command(hide = true)]
    Shell { settings: String },
}

/// Where the two processes meet.
#[derive(Debug, clap::Args)]
struct Place {
    /// Socket at which the two processes meet: a path, or @NAME
    #[arg(long, default_value = "/run/lotse/machine.sock", value_name = "ADDRESS")]
    socket: LocalAddress,
    /// Process to end with
    #[arg(long, hide = true)]
    parent: Option<u32>,
}

/// Does what the command line says.
///
/// # Errors
/// Says what could not be done, and what can.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match &arguments.command {
        Some(Command::Network { place, user }) => run_network(place, user),
        Some(Command::Machine { place }) => run_machine(arguments, place),
        Some(Command::Restore) => {
            lotse_hal::linux::restore(&arguments.config()?.machine()?);
            Ok(())
        }
        Some(Command::Programs { place }) => run_programs(arguments, place),
        Some(Command::Files { settings }) => {
            files::run(&serde_json::from_str(settings).context("settings of files")?)
        }
        Some(Command::Shell { settings }) => programs::become_shell(
            &serde_json::from_str(settings).context("settings of the shell")?,
        ),
        Some(Command::Identity) => {
            let config = arguments.config()?;
            print(&machine::public_key(&config.data_directory)?)
        }
        Some(Command::PanelLayout { size, view, millimetres }) => {
            print_layout(size, view, millimetres.as_deref())
        }
        Some(Command::Probe { json, screenshot }) => {
            run_probe(arguments, *json, screenshot.as_deref())
        }
        Some(Command::Doctor { json, offline }) => run_doctor(arguments, *json, *offline),
        None => run_both(arguments),
    }
}

fn run_network(place: &Place, user: &str) -> anyhow::Result<()> {
    privileges::drop_privileges(user).context("give up privileges")?;
    if let Some(parent) = place.parent {
        // After the change of user, which would forget it.
        privileges::end_with(parent, Signal::SIGKILL)?;
    }
    sandbox::confine_network()?;
    network::run(&place.socket)
}

fn run_programs(arguments: &Arguments, place: &Place) -> anyhow::Result<()> {
    let config = arguments.config()?;
    let shell = config.shell.check().context("shell")?;
    let maintenance = config.maintenance.check().context("maintenance")?;
    let files = config.files.check().context("files")?;
    if shell.is_none() && maintenance.is_none() && files.is_none() {
        log::info!("nothing is set up to be started ([shell], [maintenance], [files])");
        return Ok(());
    }
    if let Some(parent) = place.parent {
        privileges::end_with(parent, Signal::SIGTERM)?;
    }
    let maintenance = maintenance.unwrap_or_default();
    programs::run(SetUp { shell, maintenance, files }, &place.socket.of_programs())
}

fn run_machine(arguments: &Arguments, place: &Place) -> anyhow::Result<()> {
    let settings = arguments.config()?.check()?;
    if let Some(parent) = place.parent {
        // So that the screen is given back.
        privileges::end_with(parent, Signal::SIGTERM)?;
    }
    log::info!("keyboard layout: {}", settings.layout.name());
    let user = privileges::network_user(&settings.user)?.uid;
    let machine = open_machine(arguments, &settings)?;
    let listener = place.socket.listen()?;
    let programs = place.socket.of_programs().listen()?;
    privileges::keep_machine_privileges().context("give up privileges")?;
    machine::prepare(&settings.data_directory);
    if arguments.simulated.is_some() {
        sandbox::confine_simulation()?;
    } else {
        let MachineConfig { state_directory, screen, .. } = &settings.machine;
        let file = if let ScreenChoice::File { path, .. } = screen { Some(&**path) } else { None };
        sandbox::confine_machine(&[state_directory, &settings.data_directory], file)?;
    }
    machine::run(machine, settings, (listener, user), programs)
}

fn run_both(arguments: &Arguments) -> anyhow::Result<()> {
    let config = arguments.config()?;
    if arguments.print_config {
        return print(&toml::to_string(&config).context("write the configuration")?);
    }
    // Before two processes complain about it.
    let settings = config.check()?;
    let parent = std::process::id();
    let place = [format!("--socket={}", LocalAddress::random()), format!("--parent={parent}")];
    let mut machine = arguments.options();
    machine.push("machine".to_owned());
    machine.extend(place.clone());
    let mut undo = arguments.options();
    undo.push("restore".to_owned());
    let mut network = vec!["network".to_owned(), format!("--user={}", settings.user)];
    network.extend(place.clone());
    let is_simulated = arguments.simulated.is_some();
    let undo = (!is_simulated).then_some(undo);
    let mut roles = vec![
        Role { name: "machine", arguments: machine, has_stdin: is_simulated, undo },
        Role { name: "network", arguments: network, has_stdin: false, undo: None },
    ];
    if settings.shell.is_some() || settings.maintenance.is_some() || settings.files.is_some() {
        let mut programs = arguments.options();
        programs.push("programs".to_owned());
        programs.extend(place);
        roles.push(Role { name: "programs", arguments: programs, has_stdin: false, undo: None });
    }
    supervisor::run(roles)
}

fn run_probe(arguments: &Arguments, json: bool, screenshot: Option<&Path>) -> anyhow::Result<()> {
    let config = arguments.config()?;
    let machine = config.machine()?;
    let layout = KeyboardLayout::named(&config.keyboard.layout).context("keyboard.layout")?;
    let found = probe::probe(&machine, &layout);
    print(&if json { found.to_json() } else { found.to_string() })?;
    if let Some(file) = screenshot {
        let size = probe::screenshot(&machine, file).context("take a screenshot")?;
        log::info!("{}: {}x{}", file.display(), size.width, size.height);
    }
    Ok(())
}

fn run_doctor(arguments: &Arguments, json: bool, is_offline: bool) -> anyhow::Result<()> {
    let path = arguments.config.as_deref().unwrap_or(Path::new(DEFAULT_PATH));
    let checks = doctor::examine(path, arguments.config(), is_offline);
    print(&if json { doctor::to_outline(&checks).to_json() } else { doctor::to_text(&checks) })?;
    anyhow::ensure!(doctor::is_fit(&checks), "nobody can be helped at this machine as it is");
    Ok(())
}

impl Arguments {
    /// The configuration, with what the command line says instead.
    fn config(&self) -> anyhow::Result<Config> {
        let mut config = Config::load(self.config.as_deref())?;
        if self.simulated.is_some() {
            // The simulated kiosk's, whatever this computer has.
            config.keyboard.layout = typing::DEFAULT.to_owned();
            if config.data_directory == Path::new(DATA_DIRECTORY) {
                // Nor does it leave anything behind, unless told where.
                config.data_directory = PathBuf::new();
            }
        }
        let overrides = [
            (&self.server, &mut config.server),
            (&self.name, &mut config.name),
            (&self.screen, &mut config.screen.source),
        ];
        for (option, setting) in overrides {
            if let Some(value) = option {
                setting.clone_from(value);
            }
        }
        Ok(config)
    }

    /// These options once more, for a child.
    fn options(&self) -> Vec<String> {
        let values = [
            ("config", self.config.as_ref().map(|path| path.display().to_string())),
            ("server", self.server.clone()),
            ("name", self.name.clone()),
            ("screen", self.screen.clone()),
            ("simulated", self.simulated.clone()),
        ];
        let values = values.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let mut options: Vec<String> =
            values.map(|(name, value)| format!("--{name}={value}")).collect();
        if self.still {
            options.push("--still".to_owned());
        }
        options
    }
}

fn open_machine(arguments: &Arguments, settings: &Settings) -> anyhow::Result<Machine> {
    let Some(size) = &arguments.simulated else {
        return lotse_hal::linux::open(&settings.machine).context("open this machine");
    };
    let mut machine = simulated_machine(parse_size(size)?, arguments.still)?;
    if arguments.screen.is_some() {
        let choice = settings.machine.screen.clone();
        let mounting = Mounting::new(settings.machine.rotation);
        machine.screen = Box::new(FollowingScreen::open(choice, mounting).context("screen")?);
    }
    Ok(machine)
}

/// A simulated kiosk; its person does what standard input says.
fn simulated_machine(size: Size, is_still: bool) -> anyhow::Result<Machine> {
    let mut options = Options { size, ..Options::default() };
    if is_still {
        options.gauge_period = None;
    }
    let kiosk = simulated::open(options, Arc::new(SystemClock))?;
    let staff = kiosk.staff;
    std::thread::Builder::new()
        .name("staff".to_owned())
        .spawn(move || {
            let complain = |error| log::warn!("standard input: {error}");
            let wait = std::thread::sleep;
            let script = std::io::stdin().lock();
            if let Err(error) = simulated::script::run(&staff, script, wait, complain) {
                log::warn!("standard input: {error}");
            }
        })
        .context("start the simulated person")?;
    Ok(kiosk.machine)
}

fn parse_size(text: &str) -> anyhow::Result<Size> {
    let size = text
        .split_once('x')
        .and_then(|(width, height)| Some(Size::new(width.parse().ok()?, height.parse().ok()?)));
    size.filter(|size| size.is_plausible())
        .with_context(|| format!("{text:?} is not a size; write it as in 1280x800"))
}

fn print_layout(size: &str, view: &str, millimetres: Option<&str>) -> anyhow::Result<()> {
    let size = parse_size(size)?;
    let millimetres = millimetres.map(parse_size).transpose()?;
    let density = millimetres.map(|known| size.width as f32 / known.width as f32);
    let name = Name::from_network("Technician");
    let view = match view {
        "home" => View::Home { is_server_reachable: true, can_close: false },
        "asking" => View::Asking(Ask {
            name,
            rights: RightSet::of(&[Right::View, Right::Control]),
            ticked: RightSet::of(&[Right::View, Right::Control]),
            level: Level::CodeCompared { code: 123_456 },
            deadline: std::time::Instant::now(),
        }),
        "password" => View::Password { number: 123_456_789 },
        "session" => View::Session(Connected::new(name, None, RightSet::of(&Right::ALL))),
        "details" => View::Details(Connected::new(name, None, RightSet::of(&Right::ALL))),
        "coming" => {
            let (what, deadline) = (Work::Reboot, std::time::Instant::now());
            View::Coming(Coming { name, what, deadline })
        }
        "message" => View::Message(Message::Refused),
        _ => anyhow::bail!(
            "{view:?} is not a view: home, password, asking, session, details, coming, message"
        ),
    };
    let layout = panel::layout(size, density, &view);
    print(&serde_json::to_string_pretty(&layout).context("write JSON")?)
}

#[expect(clippy::print_stdout, reason = "what was asked for on the command line")]
fn print(text: &str) -> anyhow::Result<()> {
    println!("{}", text.trim_end());
    Ok(())
}
