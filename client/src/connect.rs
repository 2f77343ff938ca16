//! From a server's address to a link that is up.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use lotse_protocol::ServerAddress;
use lotse_protocol::frame::Frame;
use lotse_protocol::link::{ClientExpectWelcome, ClientLink, End, LinkConfig, Progress};
use lotse_protocol::tunnel::{ALPN, Welcome};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::{ConnectError, Connection, LaneLimits, error, tls};

/// How long an address may take before the next one is tried beside it (RFC 8305 §5).
const STAGGER: Duration = Duration::from_millis(250);

/// Addresses of one host that are tried at most.
const MAX_ADDRESSES: usize = 8;

/// Sent bytes may wait this long for the other side's acknowledgement before the kernel gives the
/// connection up (RFC 5482); as long as a session survives silence.
#[cfg(target_os = "linux")]
const USER_TIMEOUT: Duration = Duration::from_secs(20);

/// Bytes that the kernel may hold unsent. What waits in our own lanes can be overtaken by
/// something urgent, what waits in the kernel cannot.
#[cfg(target_os = "linux")]
const NOT_SENT_AT_MOST: u32 = 16 * 1024;

/// How to connect.
#[derive(Debug, Clone)]
pub struct ConnectOptions {
    /// Name and version of the program, for the server's log; its first 48 bytes are sent.
    pub program: String,
    /// For everything from the name's resolution to the server's welcome. 10 s unless set.
    pub timeout: Duration,
    /// The times of the link.
    pub link: LinkConfig,
    /// Bytes that may wait to be sent.
    pub lanes: LaneLimits,
}

impl ConnectOptions {
    /// The usual options for a program, named with its version as in `lotse-agent 0.1.0`.
    pub fn new(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
            timeout: Duration::from_secs(10),
            link: LinkConfig::default(),
            lanes: LaneLimits::default(),
        }
    }
}

/// Connects to a server, checks that it is the right one, and says hello.
///
/// Can be dropped at any time; the connection is gone then.
///
/// # Errors
/// [`ConnectError`], in words for people.
pub async fn connect(
    address: &ServerAddress,
    options: &ConnectOptions,
) -> Result<Connection, ConnectError> {
    let server = name_of(address);
    let attempt = set_up(address, &server, options);
    timeout(options.timeout, attempt)
        .await
        .unwrap_or(Err(ConnectError::TimedOut { server: server.clone(), after: options.timeout }))
}

async fn set_up(
    address: &ServerAddress,
    server: &str,
    options: &ConnectOptions,
) -> Result<Connection, ConnectError> {
    let addresses = resolve(address).await?;
    let tcp = reach(addresses)
        .await
        .map_err(|source| ConnectError::Unreachable { server: server.to_owned(), source })?;
    let peer = tcp.peer_addr().ok();
    tune(&tcp);
    let mut stream = secure(address, server, tcp).await?;
    let (link, welcome) = greet(&mut stream, server, options).await?;
    log::debug!("link to {server} at {peer:?} is up, it runs {}", welcome.program);
    Ok(Connection::new(stream, link, welcome, peer, options.lanes))
}

/// Host and port, as people write them.
pub(crate) fn name_of(address: &ServerAddress) -> String {
    if address.host().contains(':') {
        format!("[{}]:{}", address.host(), address.port())
    } else {
        format!("{}:{}", address.host(), address.port())
    }
}

async fn resolve(address: &ServerAddress) -> Result<Vec<SocketAddr>, ConnectError> {
    let not_found = |source| ConnectError::NotFound { host: address.host().to_owned(), source };
    let found =
        tokio::net::lookup_host((address.host(), address.port())).await.map_err(not_found)?;
    let addresses = interleave(found.take(MAX_ADDRESSES));
    if addresses.is_empty() {
        return Err(not_found(io::ErrorKind::AddrNotAvailable.into()));
    }
    Ok(addresses)
}

/// Alternates between the address families, beginning with the first address's (RFC 8305 §4).
fn interleave(addresses: impl Iterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let mut addresses = addresses.peekable();
    let Some(first_is_v6) = addresses.peek().map(SocketAddr::is_ipv6) else { return Vec::new() };
    let (mut first, mut second): (Vec<_>, Vec<_>) =
        addresses.partition(|address| address.is_ipv6() == first_is_v6);
    first.reverse();
    second.reverse();
    let mut ordered = Vec::with_capacity(first.len() + second.len());
    while !(first.is_empty() && second.is_empty()) {
        ordered.extend(first.pop());
        ordered.extend(second.pop());
    }
    ordered
}

/// Tries addresses one beside the other, each with a head start over the next; the first that
/// answers wins.
async fn reach(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut attempts = JoinSet::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        match waiting.next() {
            Some(address) => {
                attempts.spawn(TcpStream::connect(address));
            }
            None if attempts.is_empty() => return Err(last),
            None => {}
        }
        tokio::select! {
            Some(done) = attempts.join_next() => match done {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = error,
                Err(error) => last = io::Error::other(error),
            },
            () = sleep(STAGGER), if waiting.len() > 0 => {}
        }
    }
}

/// Sets the socket's options. A link works without them, only less well.
fn tune(tcp: &TcpStream) {
    if let Err(error) = tcp.set_nodelay(true) {
        log::warn!("TCP_NODELAY cannot be set: {error}");
    }
    #[cfg(target_os = "linux")]
    {
        let socket = socket2::SockRef::from(tcp);
        if let Err(error) = socket.set_tcp_user_timeout(Some(USER_TIMEOUT)) {
            log::warn!("TCP_USER_TIMEOUT cannot be set: {error}");
        }
        if let Err(error) = socket.set_tcp_notsent_lowat(NOT_SENT_AT_MOST) {
            log::warn!("TCP_NOTSENT_LOWAT cannot be set: {error}");
        }
    }
}

async fn secure(
    address: &ServerAddress,
    server: &str,
    tcp: TcpStream,
) -> Result<TlsStream<TcpStream>, ConnectError> {
    let name = ServerName::try_from(address.host().to_owned()).map_err(|error| {
        ConnectError::NotFound {
            host: address.host().to_owned(),
            source: io::Error::new(io::ErrorKind::InvalidInput, error),
        }
    })?;
    let connector = TlsConnector::from(tls::config(address.fingerprint())?);
    let stream =
        connector.connect(name, tcp).await.map_err(|error| error::of_tls(server, error))?;
    if stream.get_ref().1.alpn_protocol() != Some(ALPN) {
        return Err(ConnectError::NotAServer {
            server: server.to_owned(),
            source: io::Error::other("it does not offer the protocol lotse/1"),
        });
    }
    Ok(stream)
}

/// Says hello and waits for the welcome.
async fn greet(
    stream: &mut TlsStream<TcpStream>,
    server: &str,
    options: &ConnectOptions,
) -> Result<(ClientLink, Welcome), ConnectError> {
    let closed = |source| ConnectError::Closed { server: server.to_owned(), source };
    let mut hello = Vec::new();
    let frame: Frame = ClientExpectWelcome::hello(&options.program);
    frame.encode(&mut hello);
    stream.write_all(&hello).await.map_err(closed)?;
    stream.flush().await.map_err(closed)?;

    let mut state = ClientExpectWelcome::new(options.link, Instant::now());
    loop {
        let available = stream.fill_buf().await.map_err(closed)?;
        if available.is_empty() {
            return Err(closed(io::ErrorKind::UnexpectedEof.into()));
        }
        let mut input = available;
        let progress = state.handle_bytes(&mut input, Instant::now());
        let used = available.len() - input.len();
        stream.consume(used);
        match progress {
            Ok(Progress::Same(same)) => state = same,
            Ok(Progress::Next(up)) => return Ok(up),
            Err(End::Bye(bye)) => {
                return Err(ConnectError::Refused { server: server.to_owned(), bye });
            }
            Err(end) => return Err(ConnectError::Protocol { server: server.to_owned(), end }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &[&str]) -> Vec<SocketAddr> {
        text.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn alternates_between_the_families_and_loses_no_address() {
        let mixed = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1"]);
        let expected = addresses(&["[::1]:1", "10.0.0.1:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(interleave(mixed.into_iter()), expected);
        assert_eq!(interleave(std::iter::empty()), []);
    }

    #[tokio::test]
    async fn goes_on_to_the_next_address_when_one_refuses() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        // Bound, but not listening: refuses for as long as it is held.
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let refusing = socket.local_addr().unwrap();
        let stream = reach(vec![refusing, good]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(reach(vec![refusing]).await.is_err());
        assert!(reach(Vec::new()).await.is_err());
    }
}
