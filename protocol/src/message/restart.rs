//! Restarting a device, or the application that runs on it.
//!
//! Neither message names what is done: that stands in the device's own configuration.

use serde::{Deserialize, Serialize};

use super::SecretBytes;

/// What is to be restarted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Restart {
    /// The device's application.
    Application,
    /// The device itself, which comes back into the session afterwards.
    Machine {
        /// With this it proves then, once, that it is the same.
        ticket: SecretBytes,
    },
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RestartReport {
    /// It is done in so many seconds, unless the person there prevents it.
    Announced {
        /// Seconds.
        in_s: u8,
    },
    /// The person there does not want it, or may not be asked.
    Prevented,
    /// The device's configuration does not say how.
    NotSetUp,
    /// The device goes down now.
    Leaves,
    /// The application was restarted.
    Done,
    /// It did not work.
    Failed,
}
