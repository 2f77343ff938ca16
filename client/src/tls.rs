//! The client's side of TLS. Nothing else in this crate builds a TLS configuration.
//!
//! TLS 1.3 alone, with ring's cryptography, the protocol name [`ALPN`], and one of two ways to
//! recognise the server: the one certificate that its address names, or the platform's roots.

use std::sync::Arc;

use lotse_protocol::address::Fingerprint;
use lotse_protocol::tunnel::ALPN;
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, PeerMisbehaved, RootCertStore,
    SignatureScheme,
};
use sha2::{Digest, Sha256};

use crate::ConnectError;

/// The configuration for a server that has exactly the certificate of this fingerprint, or,
/// without one, a certificate for its name from a root that the platform trusts.
///
/// # Errors
/// [`ConnectError::NoRoots`], [`ConnectError::Tls`].
pub fn config(fingerprint: Option<Fingerprint>) -> Result<Arc<ClientConfig>, ConnectError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(ConnectError::Tls)?;
    let builder = match fingerprint {
        Some(fingerprint) => builder.dangerous().with_custom_certificate_verifier(Arc::new(
            ExactCertificate::new(fingerprint, &provider),
        )),
        None => builder.with_root_certificates(platform_roots()?),
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    // A link lasts for days; a cache of tickets would cost more memory than it saves work.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// The fingerprint of a certificate.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> Fingerprint {
    Fingerprint(Sha256::digest(certificate).into())
}

fn platform_roots() -> Result<RootCertStore, ConnectError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map_or_else(|| "none found".into(), ToString::to_string);
        return Err(ConnectError::NoRoots(why));
    }
    Ok(roots)
}

/// Accepts one certificate, whatever its names and dates: who knows its fingerprint has no need
/// of them, and a panel whose clock is wrong can still be helped. That the server has the key
/// to it is proved by the signature in the handshake.
#[derive(Debug)]
struct ExactCertificate {
    fingerprint: Fingerprint,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ExactCertificate {
    fn new(fingerprint: Fingerprint, provider: &CryptoProvider) -> Self {
        Self { fingerprint, algorithms: provider.signature_verification_algorithms }
    }
}

impl ServerCertVerifier for ExactCertificate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if fingerprint(end_entity) == self.fingerprint {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        // Only TLS 1.3 is configured, so nobody gets here.
        Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
