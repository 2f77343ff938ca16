//! Strangers send nonsense to the server's port while a session lasts.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use lotse_client::tls;
use lotse_hal::simulated::{Page, Target};
use lotse_protocol::ServerAddress;
use lotse_protocol::frame::{Frame, MAX_BODY};
use lotse_protocol::link::ClientExpectWelcome;
use rand_core::{OsRng, RngCore};
use rustls::pki_types::ServerName;

use crate::harness::{PATIENCE, System, eventually};

/// A TCP connection that waits for nothing forever.
fn tcp(address: &ServerAddress) -> TcpStream {
    let tcp = TcpStream::connect((address.host(), address.port())).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    tcp.set_write_timeout(Some(PATIENCE)).unwrap();
    tcp
}

/// Sends bytes, and reads until the server has closed the connection.
fn send_and_be_thrown_out(mut connection: impl Read + Write, bytes: &[u8]) {
    // The server may have closed it before all is sent.
    connection.write_all(bytes).and_then(|()| connection.flush()).ok();
    let mut buffer = [0; 4096];
    loop {
        match connection.read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                use std::io::ErrorKind::{TimedOut, WouldBlock};
                assert!(![TimedOut, WouldBlock].contains(&error.kind()), "it was not closed");
                return;
            }
        }
    }
}

/// A TLS connection that speaks a protocol of this name.
fn tls_to(
    address: &ServerAddress,
    protocol: &[u8],
) -> rustls::StreamOwned<rustls::ClientConnection, TcpStream> {
    let mut config = (*tls::config(address.fingerprint()).unwrap()).clone();
    config.alpn_protocols = vec![protocol.to_vec()];
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    rustls::StreamOwned::new(client, tcp(address))
}

fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    OsRng.fill_bytes(&mut bytes);
    bytes
}

/// A frame's head that promises so many bytes.
fn head(kind: u8, length: usize) -> Vec<u8> {
    let [.., a, b, c] = u32::try_from(length).unwrap().to_be_bytes();
    vec![kind, a, b, c]
}

#[test]
fn a_session_goes_on_while_strangers_send_nonsense() {
    let mut system = System::start();
    system.connect();
    let address: ServerAddress = system.server.address().parse().unwrap();

    // Below TLS: noise, a record longer than TLS has, a hello that stops in its middle.
    for length in [1, 5, 100, 40_000] {
        send_and_be_thrown_out(tcp(&address), &noise(length));
    }
    send_and_be_thrown_out(tcp(&address), &[&[22, 3, 1, 0xff, 0xff][..], &noise(70_000)].concat());
    let silent = tcp(&address);
    let mut half = tcp(&address);
    half.write_all(&[22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3]).unwrap();

    // In TLS, of a protocol that the server does not speak.
    send_and_be_thrown_out(tls_to(&address, b"h2"), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    // In frames: noise, types that do not exist, lengths that are not allowed, bodies without
    // sense, packets without a session, frames cut off, before and after a proper hello.
    let mut hello = Vec::new();
    let frame: Frame = ClientExpectWelcome::hello("nonsense 1");
    frame.encode(&mut hello);
    let nonsense = [
        noise(50_000),
        head(0xff, 8),
        head(0x20, 0x00ff_ffff),
        head(0x20, MAX_BODY + 1),
        head(0x01, 513),
        [head(0x01, 100), vec![0xff; 100]].concat(),
        [head(0x10, 4), vec![0xff; 4]].concat(),
        [head(0x20, 10), noise(10)].concat(),
        [head(0x20, MAX_BODY), noise(MAX_BODY)].concat(),
        [head(0x41, 8), noise(8)].concat(),
        head(0x02, 0),
    ];
    for bytes in &nonsense {
        send_and_be_thrown_out(tls_to(&address, b"lotse/1"), bytes);
        let after_hello = [hello.clone(), bytes.clone()].concat();
        send_and_be_thrown_out(tls_to(&address, b"lotse/1"), &after_hello);
    }
    let mut cut_off = tls_to(&address, b"lotse/1");
    cut_off.write_all(&[hello, head(0x20, MAX_BODY), noise(100)].concat()).unwrap();
    drop(cut_off);

    assert!(system.server.is_running());
    let tab = system.kiosk.twin.place(Target::Tab(Page::Orders));
    system.console.command(&format!("tap {} {}", tab.x, tab.y));
    system.kiosk.twin.go_to(Page::Orders);
    system.kiosk.wait_as_twin("the page that was tapped");
    let expected = system.kiosk.twin.picture();
    eventually("the picture goes on", Duration::from_secs(10), || {
        system.console.shot().difference(&expected).is_none()
    });
    drop((silent, half));
}
