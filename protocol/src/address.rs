//! Where a session server is and how it is recognised: `host[:port][#certificate-fingerprint]`.

use std::fmt;
use std::str::FromStr;

/// The port of the session server unless an address names another.
pub const DEFAULT_PORT: u16 = 443;

/// Longest host that is accepted, in bytes (RFC 1035 §2.3.4).
const MAX_HOST: usize = 253;

/// SHA-256 of a server's certificate in DER.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

/// Where a session server is, and by what it is recognised.
///
/// With a fingerprint exactly that certificate is accepted and nothing else; without one the
/// platform's roots and the host's name decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerAddress {
    host: String,
    port: u16,
    fingerprint: Option<Fingerprint>,
}

/// Why a text is not a server address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAddress {
    /// Nothing stands before the port.
    #[error("the address has no host; write host[:port][#certificate-fingerprint]")]
    NoHost,
    /// The host has a character that no host has, or is too long.
    #[error("{0:?} is not a host name or an address (an IPv6 address stands in brackets)")]
    Host(String),
    /// The port is not a number from 1 to 65535.
    #[error("{0:?} is not a port; a port is a number from 1 to 65535")]
    Port(String),
    /// The fingerprint is not 64 hexadecimal digits.
    #[error("the certificate fingerprint after # has 64 hexadecimal digits (SHA-256)")]
    Fingerprint,
}

impl ServerAddress {
    /// An address from its parts.
    ///
    /// # Errors
    /// [`InvalidAddress::NoHost`] or [`InvalidAddress::Host`].
    pub fn new(
        host: &str,
        port: u16,
        fingerprint: Option<Fingerprint>,
    ) -> Result<Self, InvalidAddress> {
        if host.is_empty() {
            return Err(InvalidAddress::NoHost);
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        let ipv6 = host.contains(':');
        if host.len() > MAX_HOST
            || !host.chars().all(allowed)
            || (ipv6 && host.parse::<std::net::Ipv6Addr>().is_err())
        {
            return Err(InvalidAddress::Host(host.chars().take(64).collect()));
        }
        Ok(Self { host: host.to_owned(), port, fingerprint })
    }

    /// Host name or IP address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate that alone is accepted.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.fingerprint
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        if self.port != DEFAULT_PORT {
            write!(f, ":{}", self.port)?;
        }
        if let Some(fingerprint) = self.fingerprint {
            write!(f, "#{fingerprint}")?;
        }
        Ok(())
    }
}

impl FromStr for ServerAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        let (place, fingerprint) = match text.split_once('#') {
            Some((place, hex)) => (place, Some(hex.parse()?)),
            None => (text, None),
        };
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) =
                    rest.split_once(']').ok_or_else(|| InvalidAddress::Host(clip(place)))?;
                match rest.strip_prefix(':') {
                    Some(port) => (host, Some(port)),
                    None if rest.is_empty() => (host, None),
                    None => return Err(InvalidAddress::Host(clip(place))),
                }
            }
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, None),
            },
        };
        let port = match port {
            Some(port) => port
                .parse::<u16>()
                .ok()
                .filter(|&p| p != 0)
                .ok_or_else(|| InvalidAddress::Port(clip(port)))?,
            None => DEFAULT_PORT,
        };
        Self::new(host, port, fingerprint)
    }
}

/// The start of what somebody typed, to be shown back.
fn clip(text: &str) -> String {
    text.chars().take(64).collect()
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = InvalidAddress;

    /// Reads 64 hexadecimal digits; colons between them are passed over.
    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let mut bytes = [0_u8; 32];
        let mut digits = text.trim().chars().filter(|&c| c != ':');
        for byte in &mut bytes {
            for _ in 0..2 {
                let digit = digits
                    .next()
                    .and_then(|c| c.to_digit(16))
                    .and_then(|d| u8::try_from(d).ok())
                    .ok_or(InvalidAddress::Fingerprint)?;
                *byte = *byte << 4 | digit;
            }
        }
        if digits.next().is_some() { Err(InvalidAddress::Fingerprint) } else { Ok(Self(bytes)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_what_it_writes(
            host in "[a-z0-9][a-z0-9.-]{0,30}",
            port in 1_u16..,
            print in proptest::option::of(any::<[u8; 32]>()),
        ) {
            let address = ServerAddress::new(&host, port, print.map(Fingerprint)).unwrap();
            prop_assert_eq!(address.to_string().parse::<ServerAddress>(), Ok(address));
        }

        #[test]
        fn garbage_is_an_error_not_a_panic(text in ".{0,100}") {
            if let Ok(address) = text.parse::<ServerAddress>() {
                prop_assert!(!address.host().is_empty() && address.port() != 0);
            }
        }
    }

    #[test]
    fn understands_ipv6_in_brackets() {
        let address: ServerAddress = "[::1]:8443".parse().unwrap();
        assert_eq!((address.host(), address.port()), ("::1", 8443));
        assert_eq!(address.to_string(), "[::1]:8443");
    }

    #[test]
    fn says_what_is_wrong() {
        let error = |text: &str| text.parse::<ServerAddress>().unwrap_err();
        assert_eq!(error(""), InvalidAddress::NoHost);
        assert_eq!(error(":443"), InvalidAddress::NoHost);
        assert_eq!(error("host:0"), InvalidAddress::Port("0".into()));
        assert_eq!(error("host:65536"), InvalidAddress::Port("65536".into()));
        assert_eq!(error("host#abc"), InvalidAddress::Fingerprint);
        assert_eq!(error("ho st"), InvalidAddress::Host("ho st".into()));
    }
}
