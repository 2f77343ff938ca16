//! What can be set, and its defaults.

mod duration;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lotse_protocol::address::DEFAULT_PORT;
use lotse_protocol::link::LinkConfig;
use serde::{Deserialize, Serialize};

/// Everything that can be set. In the file durations have a unit: `"10min"`, `"250ms"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where the server keeps its certificate and key.
    pub data: PathBuf,
    /// The name or address by which clients reach this server; shown in the address that it
    /// prints. Without it, the address it listens on, or the machine's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_host: Option<String>,
    /// The port by which clients reach this server, if it is not the one it listens on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_port: Option<u16>,
    /// A certificate of one's own with its chain (PEM); together with `key`. Then the printed
    /// address has no fingerprint, and clients check the name against their platform's roots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// The key of that certificate (PEM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Limits.
    pub limits: Limits,
}

/// What one client, one source or all together may use. A source is an IPv4 address or an IPv6
/// network of 64 bits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at a time.
    pub connections: u32,
    /// Connections at a time from one source.
    pub connections_per_source: u32,
    /// Connections at a time that are being set up.
    pub handshakes: u32,
    /// Time for TLS to come up, and again for the first frame.
    #[serde(with = "duration")]
    pub handshake: Duration,
    /// A link in no session is lost after this silence; clients ping every 55 s.
    #[serde(with = "duration")]
    pub idle_silence: Duration,
    /// A link in a session is lost after this silence; clients ping every 2 s.
    #[serde(with = "duration")]
    pub session_silence: Duration,
    /// A client that takes none of its bytes for this long is dropped.
    #[serde(with = "duration")]
    pub stall: Duration,
    /// Sessions at a time.
    pub sessions: u32,
    /// Members of one session, moderator included.
    pub members: u16,
    /// Within this time somebody must join, or the number dies.
    #[serde(with = "duration")]
    pub first_join: Duration,
    /// A number is not given out again for this long.
    #[serde(with = "duration")]
    pub quarantine: Duration,
    /// A member whose link broke keeps its place for this long; none if 0.
    #[serde(with = "duration")]
    pub resume: Duration,
    /// Attempts to join from one source per minute.
    pub joins_per_minute: u32,
    /// Attempts to join from one source per hour.
    pub joins_per_hour: u32,
    /// What an attempt with a wrong number counts; 1 is as much as a right one.
    pub failure_cost: u32,
    /// Sessions opened from one source per hour.
    pub opens_per_hour: u32,
    /// Bytes per second that one client may send on average.
    pub upload_bytes_per_second: u32,
    /// Bytes that one client may send at once after a pause.
    pub upload_burst_bytes: u32,
    /// Bytes of urgent frames that may wait for one client; beyond, it is dropped.
    pub urgent_bytes: u32,
    /// Bytes of input that may wait for one client; beyond, it is dropped.
    pub input_bytes: u32,
    /// Bytes of pictures that may wait for one client before another picture is begun; beyond,
    /// pictures are dropped for it alone.
    pub picture_bytes: u32,
    /// Bytes of pictures that may wait for one client while a long picture comes in.
    pub picture_message_bytes: u32,
    /// Connections per second that the server takes gladly after all were lost.
    pub reconnects_per_second: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), DEFAULT_PORT),
            data: PathBuf::from("/var/lib/lotse-server"),
            public_host: None,
            public_port: None,
            certificate: None,
            key: None,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        let link = LinkConfig::default();
        Self {
            connections: 20_000,
            connections_per_source: 512,
            handshakes: 256,
            handshake: link.handshake,
            idle_silence: link.idle.lost_after,
            session_silence: link.session.lost_after,
            stall: Duration::from_secs(20),
            sessions: 10_000,
            members: 128,
            first_join: Duration::from_secs(600),
            quarantine: Duration::from_secs(24 * 3600),
            resume: Duration::from_secs(30),
            // A whole session may sit in one office, behind one address; who guesses numbers gets two
            // guesses a minute there, twelve an hour.
            joins_per_minute: 120,
            joins_per_hour: 720,
            failure_cost: 60,
            opens_per_hour: 120,
            // 20 Mbit/s.
            upload_bytes_per_second: 2_500_000,
            upload_burst_bytes: 4 << 20,
            urgent_bytes: 256 << 10,
            input_bytes: 64 << 10,
            picture_bytes: 4 << 20,
            picture_message_bytes: 16 << 20,
            reconnects_per_second: 200,
        }
    }
}

impl Limits {
    /// The times of links.
    pub fn link(&self) -> LinkConfig {
        let mut link = LinkConfig { handshake: self.handshake, ..LinkConfig::default() };
        link.idle.lost_after = self.idle_silence;
        link.session.lost_after = self.session_silence;
        link
    }

    /// How long clients spread their return after a loss, with so many connected now: from 2 s
    /// to 600 s.
    pub fn herd_window(&self, connections: usize) -> Duration {
        let connections = u32::try_from(connections).unwrap_or(u32::MAX);
        let seconds = connections / self.reconnects_per_second.max(1);
        Duration::from_secs(u64::from(seconds.clamp(2, 600)))
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file does not make sense.
    #[error("{} does not make sense", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where and why.
        source: Box<toml::de::Error>,
    },
}

impl Config {
    /// Reads a file; what it does not set has its default.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|source| ConfigError::Invalid {
            path: path.to_owned(),
            source: Box::new(source),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_prints() {
        let config = Config {
            public_host: Some("support.example.com".into()),
            limits: Limits { stall: Duration::from_millis(1500), ..Limits::default() },
            ..Config::default()
        };
        let text = toml::to_string(&config).unwrap();
        assert_eq!(toml::from_str::<Config>(&text).unwrap(), config, "{text}");
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(toml::from_str::<Config>("").unwrap(), Config::default());
    }

    #[test]
    fn rejects_misspelt_names_and_durations_without_unit() {
        assert!(toml::from_str::<Config>("lisen = '0.0.0.0:1'").is_err());
        assert!(toml::from_str::<Config>("[limits]\nstall = 20").is_err());
        assert!(toml::from_str::<Config>("[limits]\nstall = '20'").is_err());
        assert!(toml::from_str::<Config>("[limits]\nstall = '20 parsecs'").is_err());
    }

    #[test]
    fn the_herd_window_grows_with_the_herd_within_bounds() {
        let limits = Limits::default();
        let seconds = |connections| limits.herd_window(connections).as_secs();
        assert_eq!(
            [seconds(0), seconds(400), seconds(20_000), seconds(usize::MAX)],
            [2, 2, 100, 600]
        );
    }
}
