//! What the server makes of those who mean no good.

use std::time::{Duration, Instant};

use lotse_client::{ConnectError, ConnectOptions, connect};
use lotse_protocol::ServerAddress;
use lotse_protocol::frame::Frame;
use lotse_protocol::tunnel::Bye;
use lotse_server::testing::TestServer;
use rand_core::{OsRng, RngCore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{PATIENCE, Raw, client};

/// Waits until the server closes or cuts a connection.
async fn closed(tcp: &mut TcpStream) -> Duration {
    let start = Instant::now();
    let mut buffer = [0; 1024];
    let closed = async { while matches!(tcp.read(&mut buffer).await, Ok(1..)) {} };
    timeout(PATIENCE, closed).await.expect("the connection was left open");
    start.elapsed()
}

async fn quick() -> TestServer {
    TestServer::start_with(|config| config.limits.handshake = Duration::from_millis(300))
        .await
        .unwrap()
}

#[tokio::test]
async fn garbage_instead_of_tls_is_closed_and_others_are_served() {
    let server = quick().await;
    for length in [1, 5, 100, 5000, 100_000] {
        let mut garbage = vec![0; length];
        OsRng.fill_bytes(&mut garbage);
        let mut tcp = TcpStream::connect(server.listening()).await.unwrap();
        // The server may close before it has taken everything.
        let _ = tcp.write_all(&garbage).await;
        closed(&mut tcp).await;
    }
    let mut http = TcpStream::connect(server.listening()).await.unwrap();
    http.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    closed(&mut http).await;
    client(server.address()).await;
}

#[tokio::test]
async fn garbage_inside_tls_gets_one_uniform_answer() {
    let server = quick().await;
    let truncated_hello = vec![0x01, 0, 0, 20, 1, 2, 3];
    let oversized = vec![0x20, 0xff, 0xff, 0xff];
    let unknown = vec![0xee, 0, 0, 0];
    let ping_first = vec![0x40, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    for bytes in [truncated_hello, oversized, unknown, ping_first] {
        let mut raw = Raw::tls(server.address(), &[b"lotse/1"]).await.unwrap();
        raw.send_bytes(&bytes).await.unwrap();
        assert_eq!(raw.receive().await, Some(Frame::Bye(Bye::Violation)), "{bytes:?}");
        assert_eq!(raw.receive().await, None);
    }
    for bytes in [vec![0x20, 0xff, 0xff, 0xff], vec![0xee, 0, 0, 0], vec![0x20, 0, 0, 1, 0]] {
        let mut raw = Raw::link(server.address()).await;
        raw.send_bytes(&bytes).await.unwrap();
        assert_eq!(raw.receive().await, Some(Frame::Bye(Bye::Violation)), "{bytes:?}");
        assert_eq!(raw.receive().await, None);
    }
    client(server.address()).await;
}

#[tokio::test]
async fn other_protocol_names_are_not_served() {
    let server = quick().await;
    for alpn in [&b"http/1.1"[..], b"h2", b"lotse/2"] {
        let refused = Raw::tls(server.address(), &[alpn]).await;
        assert!(refused.is_err(), "{alpn:?} was accepted");
    }
    let mut none = Raw::tls(server.address(), &[]).await.unwrap();
    assert_eq!(none.receive().await, None, "without a name there is no service");
    let mut both = Raw::tls(server.address(), &[b"h2", b"lotse/1"]).await.unwrap();
    assert_eq!(both.stream.get_ref().1.alpn_protocol(), Some(&b"lotse/1"[..]));
    both.send_bytes(&[0xee, 0, 0, 0]).await.unwrap();
    assert_eq!(both.receive().await, Some(Frame::Bye(Bye::Violation)));
}

#[tokio::test]
async fn who_dawdles_is_closed_while_others_are_served() {
    let server = quick().await;
    let mut silent = TcpStream::connect(server.listening()).await.unwrap();
    let mut slow = TcpStream::connect(server.listening()).await.unwrap();
    // The beginning of a TLS record with a client hello, byte by byte.
    let dripping = async {
        for byte in [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03] {
            if slow.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        closed(&mut slow).await
    };
    let mut no_hello = Raw::tls(server.address(), &[b"lotse/1"]).await.unwrap();
    let start = Instant::now();
    let (_, silent_for, ..) = tokio::join!(dripping, closed(&mut silent), async {
        client(server.address()).await;
    });
    assert_eq!(no_hello.receive().await, Some(Frame::Bye(Bye::Violation)));
    assert!(silent_for < Duration::from_secs(10), "{silent_for:?}");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[tokio::test]
async fn connections_from_one_source_are_limited_and_counted_off() {
    let server = TestServer::start_with(|config| config.limits.connections_per_source = 3);
    let server = server.await.unwrap();
    let mut connections = Vec::new();
    for _ in 0..3 {
        connections.push(client(server.address()).await);
    }
    let options = ConnectOptions { timeout: PATIENCE, ..ConnectOptions::new("test 1") };
    let refused = connect(server.address(), &options).await;
    assert!(
        matches!(refused, Err(ConnectError::Closed { .. } | ConnectError::Unreachable { .. })),
        "{refused:?}"
    );
    connections.pop().unwrap().close().await;
    let start = Instant::now();
    while connect(server.address(), &options).await.is_err() {
        assert!(start.elapsed() < PATIENCE, "the place was not given back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_client_recognises_its_server_or_sends_nothing() {
    let (server, impostor) =
        (TestServer::start().await.unwrap(), TestServer::start().await.unwrap());
    let options = ConnectOptions { timeout: PATIENCE, ..ConnectOptions::new("test 1") };
    let address = |fingerprint| {
        ServerAddress::new("127.0.0.1", impostor.listening().port(), fingerprint).unwrap()
    };
    let error = connect(&address(server.address().fingerprint()), &options).await.unwrap_err();
    assert!(matches!(error, ConnectError::WrongCertificate { .. }), "{error:?}");
    assert!(!error.is_temporary() && error.to_string().contains("Nothing was sent"), "{error}");
    let error = connect(&address(None), &options).await.unwrap_err();
    assert!(
        matches!(error, ConnectError::UntrustedCertificate { .. } | ConnectError::NoRoots(_)),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_client_says_in_words_what_answers_instead_of_a_server() {
    let options =
        ConnectOptions { timeout: Duration::from_millis(500), ..ConnectOptions::new("test 1") };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let fingerprint = Some(lotse_protocol::address::Fingerprint([1; 32]));
    let address =
        ServerAddress::new("127.0.0.1", listener.local_addr().unwrap().port(), fingerprint);
    let address = address.unwrap();
    let error = connect(&address, &options).await.unwrap_err();
    assert!(matches!(error, ConnectError::TimedOut { .. }), "{error:?}");
    let web = async {
        // The first of those that wait is the one that timed out.
        for _ in 0..2 {
            let (mut tcp, _) = listener.accept().await.unwrap();
            let _ = tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    };
    let (_, error) = tokio::join!(web, connect(&address, &options));
    let error = error.unwrap_err();
    assert!(matches!(error, ConnectError::NotAServer { .. }), "{error:?}");
    drop(listener);
    let error = connect(&address, &options).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
}
