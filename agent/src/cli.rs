//! The agent's command line.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use lotse_hal::linux::follow::FollowingScreen;
use lotse_hal::linux::mounting::Mounting;
use lotse_hal::simulated::{self, Options, SystemClock};
use lotse_hal::{Machine, Size};

use crate::config::Config;
use crate::panel::{self, Ask, Level, Message, Name, Right, View};
use crate::{machine, network, privileges};

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
    /// Print where the panel's buttons are on a screen, as JSON
    PanelLayout {
        /// Size of the screen
        #[arg(value_name = "WxH")]
        size: String,
        /// home, asking, session or message
        view: String,
    },
    /// The process that talks to the network; started by the agent itself
    #[command(hide = true)]
    Network {
        /// The user to become
        user: String,
    },
}

/// Does what the command line says.
///
/// # Errors
/// Says what could not be done, and what can.
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    match &arguments.command {
        Some(Command::Network { user }) => {
            privileges::drop_privileges(user).context("give up privileges")?;
            network::run()
        }
        Some(Command::PanelLayout { size, view }) => print_layout(size, view),
        None => run_agent(&arguments),
    }
}

fn run_agent(arguments: &Arguments) -> anyhow::Result<()> {
    let mut config = Config::load(arguments.config.as_deref())?;
    let overrides = [
        (&arguments.server, &mut config.server),
        (&arguments.name, &mut config.name),
        (&arguments.screen, &mut config.screen.source),
    ];
    for (option, setting) in overrides {
        if let Some(value) = option {
            setting.clone_from(value);
        }
    }
    if arguments.print_config {
        return print(&toml::to_string(&config).context("write the configuration")?);
    }
    let settings = config.check()?;
    let machine = match &arguments.simulated {
        Some(size) => {
            let mut machine = simulated_machine(parse_size(size)?, arguments.still)?;
            if arguments.screen.is_some() {
                let choice = settings.machine.screen.clone();
                machine.screen = Box::new(
                    FollowingScreen::open(choice, Mounting::new(settings.machine.rotation))
                        .context("screen")?,
                );
            }
            machine
        }
        None => lotse_hal::linux::open(&settings.machine).context("open this machine")?,
    };
    let child = vec!["network".to_owned(), settings.user.clone()];
    machine::run(machine, settings, child)
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

fn print_layout(size: &str, view: &str) -> anyhow::Result<()> {
    let name = Name::from_network("Technician");
    let view = match view {
        "home" => View::Home { is_server_reachable: true, can_close: false },
        "asking" => View::Asking(Ask {
            name,
            rights: vec![Right::View, Right::Control],
            level: Level::CodeCompared { code: 123_456 },
            deadline: std::time::Instant::now(),
        }),
        "session" => View::Session { name, is_silent: false },
        "message" => View::Message(Message::Refused),
        _ => anyhow::bail!("{view:?} is not a view: home, asking, session, message"),
    };
    let layout = panel::layout(parse_size(size)?, &view);
    print(&serde_json::to_string_pretty(&layout).context("write JSON")?)
}

#[expect(clippy::print_stdout, reason = "what was asked for on the command line")]
fn print(text: &str) -> anyhow::Result<()> {
    println!("{}", text.trim_end());
    Ok(())
}
