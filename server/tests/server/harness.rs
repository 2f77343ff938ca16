//! Clients for tests: the real one, and one that sends what it likes.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use lotse_client::{ConnectOptions, Connection, Incoming, connect, tls};
use lotse_protocol::frame::{Frame, FrameReader};
use lotse_protocol::header::Fragment;
use lotse_protocol::link::{ClientExpectWelcome, End};
use lotse_protocol::tunnel::{Answer, Asked, Notice, Reply, Request, Standing};
use lotse_protocol::{Class, Header, MemberId, ServerAddress, SessionNumber};
use lotse_server::testing::TestServer;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Nothing in these tests takes longer, however slow the machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A server on a given port (0: any) with a data directory that outlives it.
pub(crate) async fn started_at(data: &Path, listen: SocketAddr) -> TestServer {
    let data = data.to_owned();
    let started = TestServer::start_with(|config| {
        config.data = data;
        config.listen = listen;
    });
    started.await.unwrap()
}

/// Connects the real client.
pub(crate) async fn client(address: &ServerAddress) -> Connection {
    let options = ConnectOptions { timeout: PATIENCE, ..ConnectOptions::new("test 1") };
    connect(address, &options).await.unwrap()
}

/// Waits for the next event that is not about silence.
pub(crate) async fn next(connection: &mut Connection) -> Incoming {
    timeout(PATIENCE, connection.next()).await.expect("nothing came in")
}

pub(crate) async fn ask(connection: &mut Connection, what: Asked) -> Answer {
    let id = connection.request(what).unwrap();
    loop {
        if let Incoming::Reply(reply) = next(connection).await {
            assert_eq!(reply.id, id);
            return reply.answer;
        }
    }
}

/// A client that has opened a session, and its number.
pub(crate) async fn moderator(address: &ServerAddress) -> (Connection, SessionNumber) {
    let mut connection = client(address).await;
    match ask(&mut connection, Asked::Open).await {
        Answer::Opened { number, .. } => (connection, number),
        other => panic!("{other:?}"),
    }
}

/// A client that has joined, and who it is.
pub(crate) async fn participant(
    address: &ServerAddress,
    number: SessionNumber,
) -> (Connection, MemberId) {
    let mut connection = client(address).await;
    match ask(&mut connection, Asked::Join { number }).await {
        Answer::Joined { member, .. } => (connection, member),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn notice(connection: &mut Connection) -> Notice {
    loop {
        match next(connection).await {
            Incoming::Notice(notice) => return notice,
            Incoming::Packet(_) | Incoming::PictureRoom => {}
            other => panic!("{other:?}"),
        }
    }
}

/// The moderator says what a member is.
pub(crate) async fn seat(moderator: &mut Connection, member: MemberId, standing: Standing) {
    assert_eq!(ask(moderator, Asked::Seat { member, standing }).await, Answer::Done);
}

pub(crate) async fn packet_from(connection: &mut Connection) -> Vec<u8> {
    match next(connection).await {
        Incoming::Packet(packet) => packet,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn end_of(connection: &mut Connection) -> End {
    loop {
        if let Incoming::Lost(end) = next(connection).await {
            return end;
        }
    }
}

/// A packet with `length` bytes of payload.
pub(crate) fn packet(
    class: Class,
    source: MemberId,
    destination: MemberId,
    number: u64,
    length: u32,
) -> Vec<u8> {
    let header = Header {
        class,
        fragment: Fragment::WHOLE,
        stream: 0,
        source,
        destination,
        epoch: 0,
        instance: 0,
        length,
        number,
    };
    let mut bytes = header.encode().to_vec();
    bytes.resize(bytes.len() + length as usize, 0x5a);
    bytes
}

/// The packets of one picture for everyone, each with 16,000 bytes of payload.
pub(crate) fn picture(source: MemberId, first_number: u64, parts: u64) -> Vec<Vec<u8>> {
    let part = |i| {
        let header = Header {
            class: Class::Picture,
            fragment: Fragment { first: i == 0, last: i + 1 == parts },
            stream: 0,
            source,
            destination: MemberId::ALL,
            epoch: 0,
            instance: 0,
            length: 16_000,
            number: first_number + i,
        };
        [&header.encode()[..], &[0x5a; 16_000]].concat()
    };
    (0..parts).map(part).collect()
}

/// A client that sends what it likes.
pub(crate) struct Raw {
    pub(crate) stream: TlsStream<TcpStream>,
    reader: FrameReader,
    input: Vec<u8>,
}

impl Raw {
    /// Only TLS is up.
    pub(crate) async fn tls(address: &ServerAddress, alpn: &[&[u8]]) -> std::io::Result<Self> {
        let mut config = (*tls::config(address.fingerprint()).unwrap()).clone();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        let socket = TcpSocket::new_v4()?;
        // So small that who does not read soon stops the sender.
        socket.set_recv_buffer_size(8 * 1024)?;
        let tcp = socket.connect(([127, 0, 0, 1], address.port()).into()).await?;
        let name = ServerName::try_from("127.0.0.1").unwrap();
        let stream = TlsConnector::from(std::sync::Arc::new(config)).connect(name, tcp).await?;
        Ok(Self { stream, reader: FrameReader::new(), input: Vec::new() })
    }

    /// The link is up.
    pub(crate) async fn link(address: &ServerAddress) -> Self {
        let mut raw = Self::tls(address, &[b"lotse/1"]).await.unwrap();
        raw.send(&ClientExpectWelcome::hello("raw")).await;
        assert!(matches!(raw.receive().await, Some(Frame::Welcome(_))));
        raw
    }

    /// A link that has joined.
    pub(crate) async fn joined(address: &ServerAddress, number: SessionNumber) -> Self {
        let mut raw = Self::link(address).await;
        raw.send(&Frame::Request(Request { id: 0, what: Asked::Join { number } })).await;
        let answer = raw.receive().await;
        let Some(Frame::Reply(Reply { answer: Answer::Joined { .. }, .. })) = answer else {
            panic!("{answer:?}")
        };
        raw
    }

    pub(crate) async fn send(&mut self, frame: &Frame) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        self.send_bytes(&bytes).await.unwrap();
    }

    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// The next frame; `None` when the connection is closed or cut.
    pub(crate) async fn receive(&mut self) -> Option<Frame> {
        timeout(PATIENCE, async {
            loop {
                let mut input = &self.input[..];
                let frame = self.reader.read(&mut input).unwrap();
                let used = self.input.len() - input.len();
                self.input.drain(..used);
                if frame.is_some() {
                    return frame;
                }
                let mut buffer = [0; 16 * 1024];
                match self.stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => return None,
                    Ok(n) => self.input.extend_from_slice(&buffer[..n]),
                }
            }
        })
        .await
        .expect("nothing came in")
    }
}
