//! Accepts connections, within limits, and stops in order.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use lotse_protocol::ServerAddress;
use lotse_protocol::address::Fingerprint;
use lotse_protocol::link::{LinkConfig, ServerExpectHello};
use lotse_protocol::tunnel::Bye;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{debug, info, warn};

use crate::config::{Config, Limits};
use crate::connection::{Client, Terms, greet, hang_up};
use crate::limits::{Rate, Source, SourceCounts};
use crate::outlet::Outlet;
use crate::queue::QueueLimits;
use crate::relay::Relay;
use crate::resume::ResumeKey;
use crate::tls::{Identity, Service};

/// All links together may take this long to say goodbye when the server stops.
const STOPPING: Duration = Duration::from_millis(1500);

/// How often expired sessions are looked for.
const EXPIRY_TICK: Duration = Duration::from_secs(1);

/// After a failed accept, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Bytes that the kernel may hold unsent. What waits in our own queues can be overtaken by
/// something urgent or dropped, what waits in the kernel cannot.
const NOT_SENT_AT_MOST: u32 = 16 * 1024;

/// A server that is bound to its port.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    listening: SocketAddr,
    address: ServerAddress,
    shared: Arc<Shared>,
}

/// What all connections share.
struct Shared {
    tls: TlsAcceptor,
    limits: Limits,
    link: LinkConfig,
    queue: QueueLimits,
    terms: Terms,
    relay: Arc<Relay>,
    counts: Mutex<SourceCounts>,
    links: Mutex<HashMap<u64, Arc<Outlet>>>,
    next_link: AtomicU64,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Server {
    /// Loads or makes the certificate and binds the port. Clients can connect from now on; they
    /// are served when [`Server::run`] runs.
    ///
    /// # Errors
    /// When the certificate or the port cannot be had.
    pub async fn bind(config: &Config) -> anyhow::Result<Self> {
        let identity = Identity::load(config)?;
        let fingerprint = identity.fingerprint();
        let tls = TlsAcceptor::from(identity.into_config()?);
        let resume_key = ResumeKey::load(&config.data);
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {}", config.listen))?;
        let listening = listener.local_addr()?;
        let address = address_at(config, listening.port(), fingerprint)?;
        let limits = config.limits.clone();
        let shared = Arc::new(Shared {
            tls,
            link: limits.link(),
            queue: queue_limits(&limits),
            terms: Terms {
                upload: Rate::per_second(limits.upload_bytes_per_second, limits.upload_burst_bytes),
                stall: limits.stall,
            },
            relay: Arc::new(Relay::new(&limits, resume_key, Instant::now())),
            counts: Mutex::new(SourceCounts::new(
                limits.connections_per_source,
                limits.connections,
            )),
            links: Mutex::new(HashMap::new()),
            next_link: AtomicU64::new(0),
            limits,
        });
        Ok(Self { listener, listening, address, shared })
    }

    /// Where it listens.
    pub fn listening(&self) -> SocketAddr {
        self.listening
    }

    /// The address that clients use.
    pub fn address(&self) -> &ServerAddress {
        &self.address
    }

    /// Serves until `stop` is ready, then says goodbye to everybody, in less than 2 s.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { listener, shared, listening, .. } = self;
        info!(%listening, "server is up");
        let handshakes = handshake_permits(&shared.limits);
        let mut stop = pin!(stop);
        let mut clients = JoinSet::new();
        let mut tick = tokio::time::interval(EXPIRY_TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut stop => break,
                _ = tick.tick() => shared.relay.expire(Instant::now()),
                Some(ended) = clients.join_next() => {
                    if let Err(error) = ended {
                        warn!(%error, "a client's task failed");
                    }
                }
                accepted = listener.accept() => match accepted {
                    Ok((tcp, peer)) => admit(&shared, &handshakes, &mut clients, tcp, peer),
                    Err(error) => {
                        warn!(%error, "cannot accept a connection");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        stop_all(&shared, clients).await;
    }
}

/// The address that clients will use; makes the certificate if there is none yet.
///
/// # Errors
/// When the certificate cannot be had.
pub fn address(config: &Config) -> anyhow::Result<ServerAddress> {
    address_at(config, config.listen.port(), Identity::load(config)?.fingerprint())
}

fn address_at(
    config: &Config,
    port: u16,
    fingerprint: Option<Fingerprint>,
) -> anyhow::Result<ServerAddress> {
    let port = config.public_port.unwrap_or(port);
    anyhow::ensure!(port != 0, "the port is known only when the server has started");
    ServerAddress::new(&public_host(config), port, fingerprint)
        .context("the public host does not make sense")
}

fn handshake_permits(limits: &Limits) -> Arc<Semaphore> {
    let permits = usize::try_from(limits.handshakes).unwrap_or(Semaphore::MAX_PERMITS);
    Arc::new(Semaphore::new(permits.clamp(1, Semaphore::MAX_PERMITS)))
}

fn queue_limits(limits: &Limits) -> QueueLimits {
    let bytes = |bytes: u32| usize::try_from(bytes).unwrap_or(usize::MAX);
    QueueLimits {
        urgent: bytes(limits.urgent_bytes),
        input: bytes(limits.input_bytes),
        picture: bytes(limits.picture_bytes),
        picture_message: bytes(limits.picture_message_bytes.max(limits.picture_bytes)),
    }
}

/// The host that clients should use: as configured, else the one listened on, else the
/// machine's name.
fn public_host(config: &Config) -> String {
    match &config.public_host {
        Some(host) => host.clone(),
        None if config.listen.ip().is_unspecified() => nix::unistd::gethostname()
            .ok()
            .and_then(|name| name.into_string().ok())
            .unwrap_or_else(|| "localhost".into()),
        None => config.listen.ip().to_string(),
    }
}

/// Serves a new connection, or resets it at once if there are too many: nothing expensive is
/// done for those.
fn admit(
    shared: &Arc<Shared>,
    handshakes: &Arc<Semaphore>,
    clients: &mut JoinSet<()>,
    tcp: TcpStream,
    peer: SocketAddr,
) {
    let source = Source::from(peer.ip());
    let permit = Arc::clone(handshakes).try_acquire_owned();
    let admitted = permit.ok().zip(Admission::new(shared, source));
    let Some((permit, admission)) = admitted else {
        debug!(%peer, "too many connections");
        // On failure it is closed with a FIN instead of a reset.
        let _ = socket2::SockRef::from(&tcp).set_linger(Some(Duration::ZERO));
        return;
    };
    // Boxed by stages, so that an idle client costs only what its last stage needs.
    clients.spawn(async move {
        let Some(client) = Box::pin(set_up(&admission.shared, tcp, peer, permit)).await else {
            return;
        };
        let registered = Registered::new(&admission.shared, client.1);
        Box::pin(client.0.run()).await;
        drop(registered);
    });
}

/// Brings up TLS and the link.
async fn set_up(
    shared: &Arc<Shared>,
    tcp: TcpStream,
    peer: SocketAddr,
    _permit: OwnedSemaphorePermit,
) -> Option<(Client, Arc<Outlet>)> {
    tune(&tcp, shared.terms.stall);
    let mut stream = match timeout(shared.limits.handshake, shared.tls.accept(tcp)).await {
        Ok(Ok(stream)) => Box::new(stream),
        Ok(Err(error)) => {
            debug!(%peer, %error, "no TLS");
            return None;
        }
        Err(_) => {
            debug!(%peer, "no TLS in time");
            return None;
        }
    };
    match Service::of(stream.get_ref().1.alpn_protocol()) {
        Some(Service::Native) => {}
        None => {
            debug!(%peer, "wants no service that there is");
            hang_up(&mut stream).await;
            return None;
        }
    }
    let link = native(shared, &mut stream, peer).await?;
    let outlet = Arc::new(Outlet::new(shared.queue));
    let relay = Arc::clone(&shared.relay);
    let client = Client::new(*stream, peer, link, Arc::clone(&outlet), relay, shared.terms);
    Some((client, outlet))
}

/// Brings up a link of the native protocol.
async fn native(
    shared: &Shared,
    stream: &mut TlsStream<TcpStream>,
    peer: SocketAddr,
) -> Option<lotse_protocol::link::ServerLink<Arc<[u8]>>> {
    let state = ServerExpectHello::new(shared.link, Instant::now());
    let herd_window = shared.limits.herd_window(lock(&shared.links).len());
    match greet(stream, state, herd_window).await {
        Ok(link) => Some(link),
        Err(end) => {
            debug!(%peer, %end, "no hello");
            hang_up(stream).await;
            None
        }
    }
}

/// Sets the socket's options. A link works without them, only less well.
fn tune(tcp: &TcpStream, stall: Duration) {
    let socket = socket2::SockRef::from(tcp);
    let set = tcp
        .set_nodelay(true)
        .and_then(|()| socket.set_tcp_user_timeout(Some(stall)))
        .and_then(|()| socket.set_tcp_notsent_lowat(NOT_SENT_AT_MOST));
    if let Err(error) = set {
        warn!(%error, "a socket's options cannot be set");
    }
}

/// Ends all sessions and links.
async fn stop_all(shared: &Shared, mut clients: JoinSet<()>) {
    let sessions = shared.relay.sessions();
    shared.relay.stop(Instant::now());
    let outlets: Vec<_> = lock(&shared.links).values().cloned().collect();
    info!(sessions, links = outlets.len(), "server is stopping");
    for outlet in outlets {
        outlet.close(Bye::Stopping);
    }
    let all_gone = async { while clients.join_next().await.is_some() {} };
    if timeout(STOPPING, all_gone).await.is_err() {
        warn!("some links took too long to say goodbye");
    }
}

/// A connection that counts. Counted off when dropped.
#[derive(Debug)]
struct Admission {
    shared: Arc<Shared>,
    source: Source,
}

impl Admission {
    fn new(shared: &Arc<Shared>, source: Source) -> Option<Self> {
        let admitted = lock(&shared.counts).enter(source);
        admitted.then(|| Self { shared: Arc::clone(shared), source })
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        lock(&self.shared.counts).leave(self.source);
    }
}

/// A link that is told when the server stops. Forgotten when dropped.
struct Registered<'a> {
    shared: &'a Shared,
    id: u64,
}

impl<'a> Registered<'a> {
    fn new(shared: &'a Shared, outlet: Arc<Outlet>) -> Self {
        let id = shared.next_link.fetch_add(1, Ordering::Relaxed);
        lock(&shared.links).insert(id, outlet);
        Self { shared, id }
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        lock(&self.shared.links).remove(&self.id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that holds these locks panics; if it did, the books would still be books.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
