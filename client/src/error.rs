//! Why a server was not reached, in words for people.

use std::io;
use std::time::Duration;

use lotse_protocol::link::End;
use lotse_protocol::tunnel::Bye;

/// Why there is no link. Each says what happened, what is safe, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The server's certificate is not the one that the address names.
    #[error(
        "{server} answers with another certificate than its address names. Nothing was sent. \
         Either the server has a new certificate, then ask its operator for the new address, \
         or somebody stands in between"
    )]
    WrongCertificate {
        /// Host and port.
        server: String,
    },
    /// The server's certificate is not trusted by this machine.
    #[error(
        "{server} has a certificate that this machine does not trust ({source}). Nothing was \
         sent. Check this machine's clock, or use the server's address with the fingerprint \
         after #"
    )]
    UntrustedCertificate {
        /// Host and port.
        server: String,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// Something answers, but not a session server.
    #[error(
        "what answers at {server} is no session server that this program understands \
         ({source}). Nothing was sent. Check the address"
    )]
    NotAServer {
        /// Host and port.
        server: String,
        /// What was wrong.
        source: io::Error,
    },
    /// The host has no address.
    #[error("the name {host} was not found ({source}). Check the address and the network")]
    NotFound {
        /// The host.
        host: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// The platform's root certificates cannot be read.
    #[error(
        "this machine's root certificates cannot be read ({0}). Install them (on Debian the \
         package ca-certificates), or use the server's address with the fingerprint after #"
    )]
    NoRoots(String),
    /// The server said no.
    #[error("{server} {}", bye_in_words(.bye))]
    Refused {
        /// Host and port.
        server: String,
        /// Its answer.
        bye: Bye,
    },
    /// The server closed the connection while it was being set up.
    #[error(
        "{server} closed the connection before it was up ({source}). It may be full or \
         starting. Try again in a moment"
    )]
    Closed {
        /// Host and port.
        server: String,
        /// What was seen.
        source: io::Error,
    },
    /// It took too long.
    #[error(
        "{server} did not answer within {} s. Check the address and the network, and whether a \
         firewall lets this port through", .after.as_secs()
    )]
    TimedOut {
        /// Host and port.
        server: String,
        /// The time that was allowed.
        after: Duration,
    },
    /// TLS could not be set up on this side: a fault of this program.
    #[error("encryption cannot be set up: {0}")]
    Tls(#[source] rustls::Error),
    /// No address of the server could be reached.
    #[error("{server} cannot be reached ({source}). Check the address and the network")]
    Unreachable {
        /// Host and port.
        server: String,
        /// What the last attempt met.
        source: io::Error,
    },
    /// The server's first words make no sense.
    #[error("{server} does not keep to the protocol ({end}). Nothing secret was sent")]
    Protocol {
        /// Host and port.
        server: String,
        /// What it was.
        end: End,
    },
}

impl ConnectError {
    /// Whether trying again later may help without anybody changing anything.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Closed { .. }
            | Self::NotFound { .. }
            | Self::TimedOut { .. }
            | Self::Unreachable { .. } => true,
            Self::Refused { bye, .. } => *bye != Bye::Version,
            Self::NoRoots(_)
            | Self::NotAServer { .. }
            | Self::Protocol { .. }
            | Self::Tls(_)
            | Self::UntrustedCertificate { .. }
            | Self::WrongCertificate { .. } => false,
        }
    }
}

fn bye_in_words(bye: &Bye) -> &'static str {
    match bye {
        Bye::Closing => "ended the link. Try again",
        Bye::Stopping => "is being stopped. Try again in a minute",
        Bye::TooMany => "has too many connections from here. Try again later",
        Bye::TooSlow => "got no bytes through to here in time. Check the network, then try again",
        Bye::Version => "speaks another version than this program. Update the older one",
        _ => "did not understand this program. Update the older one",
    }
}

/// Sorts out what a TLS handshake that failed means for people.
pub(crate) fn of_tls(server: &str, error: io::Error) -> ConnectError {
    let server = server.to_owned();
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::InvalidCertificate(
            rustls::CertificateError::ApplicationVerificationFailure,
        )) => ConnectError::WrongCertificate { server },
        Some(source @ rustls::Error::InvalidCertificate(_)) => {
            ConnectError::UntrustedCertificate { server, source: source.clone() }
        }
        Some(_) => ConnectError::NotAServer { server, source: error },
        None => ConnectError::Closed { server, source: error },
    }
}
