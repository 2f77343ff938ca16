//! A relay between clients and the server that has the server's key: it sees what the server
//! sees, and can change it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use lotse_client::tls;
use lotse_protocol::ServerAddress;
use lotse_protocol::frame::{Frame, FrameReader};
use lotse_protocol::tunnel::ALPN;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::Server;

/// Where a frame goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From a client.
    ToServer,
    /// From the server.
    ToClient,
}

/// A frame as it passed, before the relay changed it.
#[derive(Debug, Clone)]
pub(crate) struct Captured {
    pub(crate) way: Way,
    pub(crate) frame: Frame,
}

/// What a relay makes of a frame that passes.
pub(crate) type Meddle = dyn Fn(Way, Frame) -> Frame + Send + Sync;

/// Forwards frames, and keeps a copy of each.
pub(crate) struct Relay {
    address: String,
    captured: Arc<Mutex<Vec<Captured>>>,
}

/// What every connection needs.
struct Shared {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    server: ServerAddress,
    captured: Arc<Mutex<Vec<Captured>>>,
    meddle: Box<Meddle>,
}

impl Relay {
    /// A relay that changes nothing.
    pub(crate) async fn listening_in(server: &Server) -> Self {
        Self::meddling(server, Box::new(|_, frame| frame)).await
    }

    /// A relay that changes frames.
    pub(crate) async fn meddling(server: &Server, meddle: Box<Meddle>) -> Self {
        let upstream: ServerAddress = server.address().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = server.address_via(listener.local_addr().unwrap().port());
        let captured = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::new(Shared {
            acceptor: acceptor(&server.identity()),
            connector: TlsConnector::from(tls::config(upstream.fingerprint()).unwrap()),
            server: upstream,
            captured: Arc::clone(&captured),
            meddle,
        });
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    // Ends with whichever side ends.
                    shared.serve(client).await.ok();
                });
            }
        });
        Self { address, captured }
    }

    /// As clients are told.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// All that has passed until now.
    pub(crate) fn captured(&self) -> Vec<Captured> {
        self.captured.lock().unwrap().clone()
    }
}

/// Answers as the server.
fn acceptor(identity: &Path) -> TlsAcceptor {
    let chain = CertificateDer::pem_file_iter(identity).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(identity).unwrap();
    let mut config =
        rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
    config.alpn_protocols = vec![ALPN.to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

impl Shared {
    async fn serve(&self, client: TcpStream) -> std::io::Result<()> {
        client.set_nodelay(true)?;
        let client = self.acceptor.accept(client).await?;
        let server = TcpStream::connect((self.server.host(), self.server.port())).await?;
        server.set_nodelay(true)?;
        let name = ServerName::try_from(self.server.host().to_owned()).unwrap();
        let server = self.connector.connect(name, server).await?;
        let (client_in, client_out) = tokio::io::split(client);
        let (server_in, server_out) = tokio::io::split(server);
        tokio::select! {
            ended = self.forward(Way::ToServer, client_in, server_out) => ended,
            ended = self.forward(Way::ToClient, server_in, client_out) => ended,
        }
    }

    async fn forward(
        &self,
        way: Way,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> std::io::Result<()> {
        let mut reader = FrameReader::new();
        let mut buffer = vec![0; 16 << 10];
        loop {
            let count = from.read(&mut buffer).await?;
            if count == 0 {
                return to.shutdown().await;
            }
            let mut input = &buffer[..count];
            let mut output = Vec::new();
            while !input.is_empty() {
                let read = reader.read(&mut input).map_err(std::io::Error::other)?;
                let Some(frame): Option<Frame> = read else { continue };
                self.captured.lock().unwrap().push(Captured { way, frame: frame.clone() });
                (self.meddle)(way, frame).encode(&mut output);
            }
            to.write_all(&output).await?;
            to.flush().await?;
        }
    }
}
