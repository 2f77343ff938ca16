//! A TCP proxy that counts: the bytes that really go over the line.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Context as _, Result};

use crate::line::{self, Line};

/// Forwards connections and counts what the measured side sends and receives, payload of TCP.
#[derive(Debug)]
pub(crate) struct Counter {
    port: u16,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// From who connects.
    up: AtomicU64,
    /// To who connects.
    down: AtomicU64,
}

impl Counter {
    /// Listens on a port of its own, in front of `to`; what it forwards goes over a line, if there is
    /// one.
    pub(crate) fn start(to: SocketAddr, line: Option<Line>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("a port for the counter")?;
        let port = listener.local_addr()?.port();
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        thread::spawn(move || {
            for client in listener.incoming().map_while(std::io::Result::ok) {
                if let Ok(server) = TcpStream::connect(to) {
                    forward(&client, &server, (&shared, line), |counts| &counts.up);
                    forward(&server, &client, (&shared, line), |counts| &counts.down);
                }
            }
        });
        Ok(Self { port, counts })
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Bytes from who connected so far.
    pub(crate) fn up(&self) -> u64 {
        self.counts.up.load(Ordering::Relaxed)
    }

    /// Bytes to who connected so far.
    pub(crate) fn down(&self) -> u64 {
        self.counts.down.load(Ordering::Relaxed)
    }
}

fn forward(
    from: &TcpStream,
    to: &TcpStream,
    (counts, line): (&Arc<Counts>, Option<Line>),
    which: fn(&Counts) -> &AtomicU64,
) {
    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else { return };
    let _ = to.set_nodelay(true);
    let counts = Arc::clone(counts);
    if let Some(line) = line {
        let count = move |len| {
            which(&counts).fetch_add(len as u64, Ordering::Relaxed);
        };
        line::forward(from, to, line, count);
        return;
    }
    thread::spawn(move || {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(len @ 1..) = from.read(&mut buffer) {
            which(&counts).fetch_add(len as u64, Ordering::Relaxed);
            if to.write_all(buffer.get(..len).unwrap_or_default()).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
