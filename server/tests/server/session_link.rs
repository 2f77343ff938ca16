//! The client's link that comes back by itself, through what happens to networks and servers.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use lotse_client::{ConnectOptions, Incoming, SendError, SessionLink, connect};
use lotse_protocol::link::End;
use lotse_protocol::tunnel::{Answer, Asked, Bye, Notice};
use lotse_protocol::{Class, MemberId, ServerAddress};
use lotse_server::testing::TestServer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::harness::{PATIENCE, packet, started_at};

/// What a network does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Network {
    Works,
    /// Nothing gets through, and nobody is told.
    Cut,
    /// All connections are reset.
    Resets,
}

/// A network between clients and a server: another port.
struct Between {
    listening: SocketAddr,
    network: watch::Sender<Network>,
}

impl Between {
    async fn new(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listening = listener.local_addr().unwrap();
        let (network, state) = watch::channel(Network::Works);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(carry(client, server, state.clone()));
            }
        });
        Self { listening, network }
    }

    /// The server's address, by way of this network.
    fn to(&self, address: &ServerAddress) -> ServerAddress {
        let fingerprint = address.fingerprint();
        ServerAddress::new(address.host(), self.listening.port(), fingerprint).unwrap()
    }
}

/// Carries one connection for as long as the network works.
async fn carry(mut client: TcpStream, server: SocketAddr, mut state: watch::Receiver<Network>) {
    while *state.borrow_and_update() == Network::Cut {
        state.changed().await.unwrap();
    }
    let mut server = TcpStream::connect(server).await.unwrap();
    let carried = tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => None,
        state = state.wait_for(|state| *state != Network::Works) => Some(*state.unwrap()),
    };
    if carried == Some(Network::Cut) {
        // Both ends stay open, and nothing moves any more, even when the network works again.
        std::future::pending::<()>().await;
    }
    client.set_zero_linger().unwrap();
    server.set_zero_linger().unwrap();
}

async fn link(address: &ServerAddress) -> SessionLink {
    let mut options = ConnectOptions { timeout: PATIENCE, ..ConnectOptions::new("test 1") };
    options.link.session.ping_every = Duration::from_millis(200);
    options.link.session.silent_after = Some(Duration::from_millis(600));
    let connection = connect(address, &options).await.unwrap();
    SessionLink::new(connection, address.clone(), options)
}

async fn next(link: &mut SessionLink) -> Incoming {
    timeout(PATIENCE, link.next()).await.expect("nothing came in")
}

async fn ask(link: &mut SessionLink, what: Asked) -> Answer {
    link.request(what).unwrap();
    loop {
        if let Incoming::Reply(reply) = next(link).await {
            return reply.answer;
        }
    }
}

/// A moderator and a participant, by way of these addresses.
async fn pair(moderator: &ServerAddress, kiosk: &ServerAddress) -> (SessionLink, SessionLink) {
    let (mut moderator, mut kiosk) = (link(moderator).await, link(kiosk).await);
    let opened = ask(&mut moderator, Asked::Open).await;
    let Answer::Opened { number, .. } = opened else { panic!("{opened:?}") };
    let joined = ask(&mut kiosk, Asked::Join { number }).await;
    assert!(matches!(joined, Answer::Joined { .. }), "{joined:?}");
    let knock = Incoming::Notice(Notice::MemberJoined { member: MemberId(2) });
    assert_eq!(next(&mut moderator).await, knock);
    (moderator, kiosk)
}

/// Waits until a link that was lost is there again; how long that took.
async fn comes_back(link: &mut SessionLink) -> Duration {
    let start = Instant::now();
    loop {
        match next(link).await {
            Incoming::Resumed => return start.elapsed(),
            Incoming::Lost(end) => panic!("lost: {end}"),
            _ => {}
        }
    }
}

/// What the one sends reaches the other.
async fn assert_carries(from: &mut SessionLink, source: MemberId, to: &mut SessionLink) {
    let destination = if source == MemberId::MODERATOR { MemberId(2) } else { MemberId::MODERATOR };
    let sent = packet(Class::Control, source, destination, 0, 100);
    from.send(Class::Control, sent.clone()).unwrap();
    let received = async {
        loop {
            if let Incoming::Packet(packet) = next(to).await {
                return packet;
            }
        }
    };
    let sending = async {
        loop {
            from.next().await;
        }
    };
    tokio::select! {
        received = received => assert_eq!(received, sent),
        () = sending => {}
    }
}

#[tokio::test]
async fn a_link_that_is_reset_comes_back_at_once() {
    let server = TestServer::start().await.unwrap();
    let between = Between::new(server.listening()).await;
    let (mut moderator, mut kiosk) = pair(server.address(), &between.to(server.address())).await;
    between.network.send(Network::Resets).unwrap();
    assert_eq!(next(&mut kiosk).await, Incoming::Paused);
    between.network.send(Network::Works).unwrap();
    let error = kiosk.send(Class::Control, vec![0; 30]).unwrap_err();
    assert!(matches!(error, SendError::NoSession), "{error}");
    let took = comes_back(&mut kiosk).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_carries(&mut kiosk, MemberId(2), &mut moderator).await;
    assert_carries(&mut moderator, MemberId::MODERATOR, &mut kiosk).await;
}

#[tokio::test]
async fn a_link_into_a_cut_is_replaced_when_the_cut_is_over() {
    let server = TestServer::start().await.unwrap();
    let between = Between::new(server.listening()).await;
    let (mut moderator, mut kiosk) = pair(server.address(), &between.to(server.address())).await;
    between.network.send(Network::Cut).unwrap();
    loop {
        if let Incoming::Silent { .. } = next(&mut kiosk).await {
            break;
        }
    }
    // Nothing tells it that the cut is over.
    let cut = timeout(Duration::from_millis(1500), kiosk.next()).await;
    assert!(cut.is_err(), "{cut:?}");
    between.network.send(Network::Works).unwrap();
    let took = comes_back(&mut kiosk).await;
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert_carries(&mut kiosk, MemberId(2), &mut moderator).await;
}

#[tokio::test]
async fn both_come_back_to_a_server_that_was_started_anew() {
    let data = tempfile::tempdir().unwrap();
    let server = started_at(data.path(), "127.0.0.1:0".parse().unwrap()).await;
    let (listening, address) = (server.listening(), server.address().clone());
    let (mut moderator, mut kiosk) = pair(&address, &address).await;
    server.stop().await.unwrap();
    let server = started_at(data.path(), listening).await;
    let (first, second) = tokio::join!(comes_back(&mut moderator), comes_back(&mut kiosk));
    assert!(first.max(second) < Duration::from_secs(5), "{first:?}, {second:?}");
    assert_carries(&mut kiosk, MemberId(2), &mut moderator).await;
    assert_carries(&mut moderator, MemberId::MODERATOR, &mut kiosk).await;
    drop(server);
}

#[tokio::test]
async fn without_a_session_or_a_place_a_lost_link_is_lost() {
    let data = tempfile::tempdir().unwrap();
    let server = started_at(data.path(), "127.0.0.1:0".parse().unwrap()).await;
    let (listening, address) = (server.listening(), server.address().clone());
    let mut idle = link(&address).await;
    let (mut moderator, mut kiosk) = pair(&address, &address).await;
    assert_eq!(ask(&mut kiosk, Asked::Leave).await, Answer::Done);
    server.stop().await.unwrap();
    let stopping = Incoming::Lost(End::Bye(Bye::Stopping));
    assert_eq!(next(&mut idle).await, stopping);
    assert_eq!(next(&mut kiosk).await, stopping, "it had left");
    assert_eq!(
        next(&mut moderator).await,
        Incoming::Notice(Notice::MemberLeft {
            member: MemberId(2),
            how: lotse_protocol::tunnel::Departure::Left,
        })
    );
    assert_eq!(next(&mut moderator).await, Incoming::Paused);
    // Another server by the same name, that knows nothing of it.
    std::fs::remove_file(data.path().join("resume.key")).unwrap();
    let server = started_at(data.path(), listening).await;
    assert_eq!(next(&mut moderator).await, stopping);
    drop(server);
}
