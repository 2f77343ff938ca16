//! The server's side of TLS: its certificate, the configuration, and what a connection wants.
//! Nothing else in this crate builds a TLS configuration.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use lotse_protocol::address::Fingerprint;
use lotse_protocol::tunnel::ALPN;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoServerSessionStorage;
use sha2::{Digest, Sha256};
use tracing::{info, warn};

use crate::config::Config;
use crate::private_file;

/// The file in the data directory that holds key and certificate.
const IDENTITY: &str = "server.pem";

/// What the server proves itself with.
#[derive(Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    own: bool,
}

/// What is spoken on a connection, from the protocol name in its TLS handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Service {
    /// The native protocol.
    Native,
}

impl Service {
    /// The service for a protocol name (RFC 7301); `None`: the connection is to be closed.
    pub fn of(alpn: Option<&[u8]>) -> Option<Self> {
        match alpn {
            Some(ALPN) => Some(Self::Native),
            _ => None,
        }
    }
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A file cannot be read or written.
    #[error("{} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A certificate could not be made.
    #[error("a certificate could not be made")]
    Make(#[from] rcgen::Error),
    /// Only one of certificate and key is configured.
    #[error("certificate and key must be configured together")]
    Half,
    /// A file does not hold what it should.
    #[error("{} holds no usable certificate and key", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// Certificate and key are not accepted.
    #[error("certificate and key do not work")]
    Tls(#[from] rustls::Error),
}

impl Identity {
    /// The configured certificate; without one, the server's own from its data directory, which
    /// is made at the first start.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn load(config: &Config) -> Result<Self, IdentityError> {
        match (&config.certificate, &config.key) {
            (Some(certificate), Some(key)) => Self::read(certificate, key, false),
            (None, None) => {
                let path = config.data.join(IDENTITY);
                if !path.exists() {
                    make(&config.data, &path, config.public_host.as_deref())?;
                }
                warn_if_readable(&path);
                Self::read(&path, &path, true)
            }
            _ => Err(IdentityError::Half),
        }
    }

    /// The certificate's fingerprint, by which clients recognise the server, if it is the
    /// server's own; others change too often for that.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        let certificate = self.chain.first().filter(|_| self.own)?;
        Some(Fingerprint(Sha256::digest(certificate).into()))
    }

    /// The configuration for all connections: TLS 1.3 alone, with ring's cryptography.
    ///
    /// # Errors
    /// [`IdentityError::Tls`].
    pub fn into_config(self) -> Result<Arc<ServerConfig>, IdentityError> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_no_client_auth()
            .with_single_cert(self.chain, self.key)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        // Clients stay for days and do not resume; tickets would only cost bytes and memory.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }

    fn read(certificate: &Path, key: &Path, own: bool) -> Result<Self, IdentityError> {
        let pem = |path: &Path, source| IdentityError::Pem { path: path.to_owned(), source };
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|source| pem(certificate, source))?;
        let key = PrivateKeyDer::from_pem_file(key).map_err(|source| pem(key, source))?;
        Ok(Self { chain, key, own })
    }
}

/// Makes key and certificate and writes them as one file, whole or not at all.
fn make(directory: &Path, path: &Path, host: Option<&str>) -> Result<(), IdentityError> {
    let names = vec![host.unwrap_or("localhost").to_owned()];
    let made = rcgen::generate_simple_self_signed(names)?;
    let text = format!("{}{}", made.signing_key.serialize_pem(), made.cert.pem());
    private_file::write(directory, path, text.as_bytes())
        .map_err(|source| IdentityError::File { path: path.to_owned(), source })?;
    info!(path = %path.display(), "made a certificate");
    Ok(())
}

fn warn_if_readable(path: &Path) {
    if let Ok(meta) = fs::metadata(path)
        && meta.permissions().mode() & 0o077 != 0
    {
        warn!(path = %path.display(), "others on this machine can read the server's key");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(data: &Path) -> Config {
        Config { data: data.join("sub"), ..Config::default() }
    }

    #[test]
    fn makes_a_certificate_once_and_keeps_it_private() {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path());
        let first = Identity::load(&config).unwrap().fingerprint().unwrap();
        let again = Identity::load(&config).unwrap();
        assert_eq!(again.fingerprint(), Some(first));
        let mode = fs::metadata(config.data.join(IDENTITY)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(&config.data).unwrap().count(), 1, "nothing else is left there");
        again.into_config().unwrap();
    }

    #[test]
    fn a_damaged_file_is_an_error_and_is_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let config = config(directory.path());
        fs::create_dir_all(&config.data).unwrap();
        fs::write(config.data.join(IDENTITY), "not a certificate").unwrap();
        assert!(matches!(Identity::load(&config), Err(IdentityError::Pem { .. })));
        assert_eq!(fs::read(config.data.join(IDENTITY)).unwrap(), b"not a certificate");
    }

    #[test]
    fn a_configured_certificate_needs_its_key_and_has_no_fingerprint_to_print() {
        let directory = tempfile::tempdir().unwrap();
        let mut config = config(directory.path());
        Identity::load(&config).unwrap();
        config.certificate = Some(config.data.join(IDENTITY));
        assert!(matches!(Identity::load(&config), Err(IdentityError::Half)));
        config.key = config.certificate.clone();
        assert_eq!(Identity::load(&config).unwrap().fingerprint(), None);
    }

    #[test]
    fn only_the_native_protocol_is_served() {
        assert_eq!(Service::of(Some(b"lotse/1")), Some(Service::Native));
        for alpn in [None, Some(&b"http/1.1"[..]), Some(b""), Some(b"lotse/2")] {
            assert_eq!(Service::of(alpn), None);
        }
    }
}
