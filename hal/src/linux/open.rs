//! Opening all of a Linux machine at once.

use std::path::PathBuf;

use super::choose::ScreenChoice;
use super::follow::FollowingScreen;
use super::local_input::{self, EvdevInput};
use super::mounting::{Mounted, Mounting};
use super::panel::{self, ApplicationConfig, ChosenMarks, ChosenPanel, PanelChoice, PanelConfig};
use super::uinput::{self, InputWays};
use crate::{Error, Machine, Orientation};

/// How a machine is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineConfig {
    /// Which screen the technician sees.
    pub screen: ScreenChoice,
    /// What makes the display's native picture upright; what the display says if `None`.
    pub rotation: Option<Orientation>,
    /// What injected touch and pointer follow instead, for programs that turn their picture but
    /// take places as they are on the upright one; the same as the display if `None`.
    pub input_rotation: Option<Orientation>,
    /// By which way the panel is shown.
    pub panel: PanelChoice,
    /// The user of the machine's own application, if that can show the panel: it connects to
    /// `panel.sock` in the state directory.
    pub panel_application: Option<u32>,
    /// Where the technician's input goes.
    pub input: InputWays,
    /// The frame buffer that the panel is drawn in; looked for if `None`.
    pub panel_frame_buffer: Option<PathBuf>,
    /// A directory for what must be known after a crash, writable by this process alone; gone
    /// with a reboot. Made if it is missing.
    pub state_directory: PathBuf,
}

impl Default for MachineConfig {
    fn default() -> Self {
        Self {
            screen: ScreenChoice::Auto,
            rotation: None,
            input_rotation: None,
            panel: PanelChoice::Auto,
            panel_application: None,
            input: InputWays::default(),
            panel_frame_buffer: None,
            state_directory: PathBuf::from("/run/lotse"),
        }
    }
}

/// The file that remembers which terminal to bring back.
fn terminal_record(config: &MachineConfig) -> PathBuf {
    config.state_directory.join("panel-terminal")
}

/// The file that remembers which key is kept from others.
fn key_record(config: &MachineConfig) -> PathBuf {
    config.state_directory.join("reserved-key")
}

/// Takes back what a process left behind that died: the panel on the screen, keys kept from
/// others, what is pressed on devices that were written into. For when no other one is started,
/// or not at once; [`open`] does the same.
pub fn restore(config: &MachineConfig) {
    panel::restore(&terminal_record(config));
    local_input::restore(&key_record(config));
    uinput::let_go(&config.state_directory);
}

/// Opens a machine: takes back what a predecessor that died left behind, and creates the
/// virtual input devices.
///
/// Needs `CAP_SYS_ADMIN` to read a scan-out, `CAP_SYS_TTY_CONFIG` for the panel's terminal, and
/// access to `/dev/dri`, `/dev/fb*`, `/dev/uinput`, `/dev/input` and `/dev/tty*`.
///
/// # Errors
/// When the machine has no screen that can be read, or takes no injected input.
pub fn open(config: &MachineConfig) -> Result<Machine, Error> {
    if let Err(error) = std::fs::create_dir_all(&config.state_directory) {
        log::warn!("{}: {error}", config.state_directory.display());
    }
    let mounting = Mounting::new(config.rotation);
    let input_mounting = match config.input_rotation {
        Some(fixed) => Mounting::new(Some(fixed)),
        None => mounting.clone(),
    };
    let panel = PanelConfig {
        choice: config.panel.clone(),
        application: config.panel_application.map(|user| ApplicationConfig {
            socket: config.state_directory.join("panel.sock"),
            user,
        }),
        frame_buffer: config.panel_frame_buffer.clone(),
        terminal_record: terminal_record(config),
        mounting: mounting.clone(),
    };
    Ok(Machine {
        marks: Box::new(ChosenMarks::new(&panel)),
        screen: Box::new(FollowingScreen::open(config.screen.clone(), mounting.clone())?),
        input: uinput::create(&config.input, &input_mounting, &config.state_directory)?,
        local: Box::new(Mounted::new(EvdevInput::open(&key_record(config))?, mounting)),
        panel: Box::new(ChosenPanel::new(panel)),
    })
}
