//! The agent's configuration: one TOML file, every setting with a default.

mod files;
mod policy;
mod programs;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use lotse_hal::linux::MachineConfig;
use lotse_hal::linux::choose::ScreenChoice;
use lotse_hal::linux::panel::PanelChoice;
use lotse_hal::linux::uinput::InputWays;
use lotse_hal::{KeyCode, Orientation};
use lotse_protocol::ServerAddress;
use lotse_protocol::certificate::{PublicKey, SignedCertificate, from_hex};
use lotse_protocol::message::Name;
use serde::{Deserialize, Serialize};

pub use files::{FilesConfig, FolderConfig};
pub use policy::{LevelsConfig, Policy, PolicyConfig};
pub use programs::{MaintenanceConfig, ShellConfig};

use crate::machine::Enrolment;
use crate::machine::typing::KeyboardLayout;
use crate::panel::Language;

/// Where the configuration is looked for.
pub const DEFAULT_PATH: &str = "/etc/lotse/agent.toml";

/// Where the agent keeps what lasts, unless the configuration says otherwise.
pub const DATA_DIRECTORY: &str = "/var/lib/lotse";

/// Bytes of a configuration file at most.
const MAX_FILE: u64 = 64 << 10;

/// The settings as they stand in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The session server: `host[:port][#certificate-fingerprint]`.
    pub server: String,
    /// What the machine is called at the technician's; its host name if empty.
    pub name: String,
    /// The panel's language: `cs`, `de`, `en`, `es`, `fr`, `it`, `nl`, `pl`, `pt` or `sv`.
    pub language: String,
    /// The user that the process which talks to the network runs as, if the agent is started by
    /// root.
    pub user: String,
    /// For what must be known after a crash; private to the agent, gone with a reboot.
    pub state_directory: PathBuf,
    /// For what must be known for good: this machine's key, passwords that were tried, what the
    /// operator has taken back. With an empty text nothing is kept.
    pub data_directory: PathBuf,
    /// The screen that the technician sees.
    pub screen: ScreenConfig,
    /// The keyboard that text is typed on.
    pub keyboard: KeyboardConfig,
    /// Where the technician's input goes.
    pub input: InputConfig,
    /// What the person at the machine sees.
    pub panel: PanelConfig,
    /// What a session may do here, whatever anybody asks for or accepts.
    pub policy: PolicyConfig,
    /// The terminal that a session may have.
    pub shell: ShellConfig,
    /// What a session may have restarted.
    pub maintenance: MaintenanceConfig,
    /// The folders whose files a session may read and write.
    pub files: FilesConfig,
    /// Who runs this machine, for sessions by certificate.
    pub operator: OperatorConfig,
}

/// The screen that the technician sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScreenConfig {
    /// `auto`, `drm`, `drm:CONNECTOR`, `fbdev`, `fbdev:/dev/fbN`,
    /// `x11`, `x11:DISPLAY`, `wayland`, `wayland:SOCKET` or `file:PATH:WIDTHxHEIGHT`.
    pub source: String,
    /// How the display is mounted: by how many degrees its picture must be turned clockwise to be
    /// upright for the person in front of it; `0`, `90`, `180`, `270`, or `auto` (as the display
    /// says of itself, which built-in ones may).
    pub rotation: String,
    /// What injected touch and pointer follow: `screen` (places go to the display as it was made,
    /// as those of a touch screen do) or degrees as above, for programs that turn their picture
    /// but not their input.
    pub input_rotation: String,
    /// The most that reading and encoding may take of one processor core, in percent.
    pub max_cpu_percent: u8,
    /// Whether photographs and films may be shown roughly at first, where the line is thin.
    pub photographs: Photographs,
}

/// How photographs and films are sent over a thin line. All else is always exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Photographs {
    /// Exactly, however long it takes.
    #[default]
    Exact,
    /// Roughly, and exactly when nothing moves.
    RoughAtFirst,
}

/// The keyboard that text is typed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyboardConfig {
    /// The layout that the machine's programs have, by its name in X, as `de` or `ch-fr`. With
    /// `auto` the one of `/etc/default/keyboard` or `/etc/vconsole.conf`, else `us`.
    pub layout: String,
}

/// Where the technician's input goes: `uinput` (a device of the agent's own), `node:/dev/input/…`
/// (an existing device, for programs that never look for new ones) or `none`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InputConfig {
    /// Fingers.
    pub touch: String,
    /// The pointer.
    pub pointer: String,
    /// Keys.
    pub keyboard: String,
}

/// What the person at the machine sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PanelConfig {
    /// What is shown without a session: `home` (the panel asks for a number; for machines whose
    /// screen is otherwise empty) or `hidden` (the machine's own picture).
    pub idle: Idle,
    /// The physical key that opens the panel when it is hidden, as `F12`; the names are those of
    /// `linux/input-event-codes.h` without `KEY_`.
    pub call_key: String,
    /// Seconds that a person has to answer. Nobody's answer is a no.
    pub answer_seconds: u16,
    /// Seconds that an arrow of who points from afar is seen after it has moved.
    pub arrow_seconds: u16,
    /// The user of the machine's own application, if that can show the panel when it is asked to
    /// (`docs/asking.md`); none if empty.
    pub application_user: String,
    /// How the panel is shown above the machine's application: `auto` (by the first way that is
    /// seen), `wayland`, `wayland:SOCKET`, `x11`, `x11:DISPLAY`, `overlay` or `fbdev`.
    pub method: String,
    /// The frame buffer that the panel is drawn in; looked for if empty.
    pub frame_buffer: String,
}

/// What is shown without a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Idle {
    /// The machine's own picture.
    Hidden,
    /// The panel, which asks for a number.
    Home,
}

/// Who runs this machine, as `lotse-console authority device` prints it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OperatorConfig {
    /// The operator's root, in hexadecimal digits; empty if the machine is not enrolled.
    pub root: String,
    /// This machine's certificate, in hexadecimal digits.
    pub certificate: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: String::new(),
            name: String::new(),
            language: "en".to_owned(),
            user: "lotse".to_owned(),
            state_directory: PathBuf::from("/run/lotse"),
            data_directory: PathBuf::from(DATA_DIRECTORY),
            screen: ScreenConfig::default(),
            keyboard: KeyboardConfig::default(),
            input: InputConfig::default(),
            panel: PanelConfig::default(),
            policy: PolicyConfig::default(),
            shell: ShellConfig::default(),
            maintenance: MaintenanceConfig::default(),
            files: FilesConfig::default(),
            operator: OperatorConfig::default(),
        }
    }
}

impl Default for ScreenConfig {
    fn default() -> Self {
        Self {
            source: "auto".to_owned(),
            rotation: "auto".to_owned(),
            input_rotation: "screen".to_owned(),
            max_cpu_percent: 25,
            photographs: Photographs::default(),
        }
    }
}

impl Default for KeyboardConfig {
    fn default() -> Self {
        Self { layout: "auto".to_owned() }
    }
}

impl Default for InputConfig {
    fn default() -> Self {
        let [touch, pointer, keyboard] = [(); 3].map(|()| "uinput".to_owned());
        Self { touch, pointer, keyboard }
    }
}

impl Default for PanelConfig {
    fn default() -> Self {
        Self {
            idle: Idle::Home,
            call_key: "F12".to_owned(),
            answer_seconds: 60,
            arrow_seconds: 4,
            application_user: String::new(),
            method: "auto".to_owned(),
            frame_buffer: String::new(),
        }
    }
}

/// The settings, checked and in the types that the program uses.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the server is.
    pub server: ServerAddress,
    /// What the machine is called.
    pub name: Name,
    /// The panel's language.
    pub language: Language,
    /// The network process's user.
    pub user: String,
    /// How the machine is opened.
    pub machine: MachineConfig,
    /// Share of a core for reading and encoding, 0.01 to 1.
    pub max_cpu: f32,
    /// How photographs are sent.
    pub photographs: Photographs,
    /// What the keys of the machine write.
    pub layout: KeyboardLayout,
    /// What is shown without a session.
    pub idle: Idle,
    /// The key that opens a hidden panel.
    pub call_key: KeyCode,
    /// How long a person has to answer.
    pub answer_time: Duration,
    /// How long an arrow is seen after it has moved.
    pub arrow_time: Duration,
    /// What a session may do at most.
    pub policy: Policy,
    /// The terminal that a session may have.
    pub shell: Option<ShellConfig>,
    /// What a session may have restarted.
    pub maintenance: Option<MaintenanceConfig>,
    /// The folders whose files a session may read and write.
    pub files: Option<FilesConfig>,
    /// What lasts.
    pub data_directory: PathBuf,
    /// What the operator says about this machine.
    pub enrolment: Option<Enrolment>,
}

impl Config {
    /// Reads the file, or takes the defaults if there is none at the default path.
    ///
    /// # Errors
    /// When the file cannot be read, or says something that is not understood; with the line.
    pub fn load(path: Option<&Path>) -> anyhow::Result<Self> {
        let file = path.unwrap_or(Path::new(DEFAULT_PATH));
        let text = match std::fs::metadata(file) {
            Ok(meta) if meta.len() > MAX_FILE => {
                bail!("{} is larger than a configuration can be", file.display())
            }
            Ok(_) => std::fs::read_to_string(file)
                .with_context(|| format!("read the configuration {}", file.display()))?,
            Err(_) if path.is_none() => return Ok(Self::default()),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("read the configuration {}", file.display()));
            }
        };
        toml::from_str(&text).with_context(|| format!("in {}", file.display()))
    }

    /// Checks the settings and puts them into the program's types.
    ///
    /// # Errors
    /// Says which setting cannot be used, and what can stand there.
    pub fn check(&self) -> anyhow::Result<Settings> {
        ensure!(
            !self.server.is_empty(),
            "no session server is configured: set `server` in {DEFAULT_PATH}, or use --server"
        );
        let call_key = KeyCode::from_name(&self.panel.call_key).with_context(|| {
            format!("panel.call_key: no key is called {:?}", self.panel.call_key)
        })?;
        ensure!(
            (5..=600).contains(&self.panel.answer_seconds),
            "panel.answer_seconds is {}; it can be 5 to 600",
            self.panel.answer_seconds
        );
        ensure!(
            (1..=100).contains(&self.screen.max_cpu_percent),
            "screen.max_cpu_percent is {}; it can be 1 to 100",
            self.screen.max_cpu_percent
        );
        Ok(Settings {
            server: self.server.parse().context("server")?,
            name: machine_name(&self.name)?,
            language: Language::from_tag(&self.language).with_context(|| {
                format!("language: the panel does not speak {:?}", self.language)
            })?,
            user: self.user.clone(),
            machine: self.machine()?,
            max_cpu: f32::from(self.screen.max_cpu_percent) / 100.0,
            photographs: self.screen.photographs,
            layout: KeyboardLayout::named(&self.keyboard.layout).context("keyboard.layout")?,
            idle: self.panel.idle,
            call_key,
            answer_time: Duration::from_secs(self.panel.answer_seconds.into()),
            arrow_time: Duration::from_secs(self.panel.arrow_seconds.into()),
            policy: self.policy.check().context("policy")?,
            shell: self.shell.check().context("shell")?,
            maintenance: self.maintenance.check().context("maintenance")?,
            files: self.files.check().context("files")?,
            data_directory: self.data_directory.clone(),
            enrolment: self.operator.check()?,
        })
    }
}

impl Config {
    /// How the machine is opened; needs no server.
    ///
    /// # Errors
    /// As [`Config::check`].
    pub fn machine(&self) -> anyhow::Result<MachineConfig> {
        Ok(MachineConfig {
            screen: self.screen.source.parse::<ScreenChoice>().context("screen.source")?,
            rotation: degrees(&self.screen.rotation, "auto").context("screen.rotation")?,
            input_rotation: degrees(&self.screen.input_rotation, "screen")
                .context("screen.input_rotation")?,
            panel_application: user_id(&self.panel.application_user)
                .context("panel.application_user")?,
            panel: self.panel.method.parse::<PanelChoice>().context("panel.method")?,
            input: InputWays {
                touch: self.input.touch.parse().context("input.touch")?,
                pointer: self.input.pointer.parse().context("input.pointer")?,
                keyboard: self.input.keyboard.parse().context("input.keyboard")?,
            },
            panel_frame_buffer: (!self.panel.frame_buffer.is_empty())
                .then(|| PathBuf::from(&self.panel.frame_buffer)),
            state_directory: self.state_directory.clone(),
        })
    }
}

impl OperatorConfig {
    fn check(&self) -> anyhow::Result<Option<Enrolment>> {
        if self.root.is_empty() && self.certificate.is_empty() {
            return Ok(None);
        }
        let root = from_hex(&self.root).ok().and_then(|bytes| bytes.try_into().ok());
        let root = PublicKey(root.context("operator.root is not 64 hexadecimal digits")?);
        let certificate = from_hex(&self.certificate)
            .and_then(|bytes| SignedCertificate::decode(&bytes))
            .context("operator.certificate")?;
        Ok(Some(Enrolment { root, certificate }))
    }
}

/// The number of a user; `None` if no name is given.
fn user_id(name: &str) -> anyhow::Result<Option<u32>> {
    if name.is_empty() {
        return Ok(None);
    }
    let user = nix::unistd::User::from_name(name)?;
    let user = user.with_context(|| format!("there is no user {name:?}"))?;
    Ok(Some(user.uid.as_raw()))
}

/// A configured turn; `None` if the word `otherwise` stands there.
fn degrees(text: &str, otherwise: &str) -> anyhow::Result<Option<Orientation>> {
    if text == otherwise { Ok(None) } else { Ok(Some(text.parse()?)) }
}

/// The configured name, or the host's.
fn machine_name(configured: &str) -> anyhow::Result<Name> {
    let host;
    let name = if configured.is_empty() {
        host = nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned());
        host.as_deref().unwrap_or("kiosk")
    } else {
        configured
    };
    Name::try_from(name)
        .map_err(|_| anyhow::anyhow!("name has {} bytes; it can have 64", name.len()))
}

#[cfg(test)]
mod tests;
