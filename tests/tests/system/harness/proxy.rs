//! A network between client and server that can be cut.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a cut network is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Forwards TCP connections to the server. While it is cut, all connections stay open and
/// nothing gets through, as when a cable is pulled.
pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_cut: AtomicBool,
    is_over: AtomicBool,
}

impl Proxy {
    /// Starts one in front of a server.
    pub(crate) fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.is_over.load(Ordering::Relaxed) {
                    return;
                }
                if let Ok(server) = TcpStream::connect(server) {
                    forward(&client, &server, &shared);
                    forward(&server, &client, &shared);
                }
            }
        });
        Self { port, state }
    }

    /// Where clients reach it.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// From now on nothing gets through.
    pub(crate) fn cut(&self) {
        self.state.is_cut.store(true, Ordering::Relaxed);
    }

    /// Everything gets through again, what was sent meanwhile first.
    pub(crate) fn mend(&self) {
        self.state.is_cut.store(false, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for clients.
        TcpStream::connect(("127.0.0.1", self.port)).ok();
    }
}

fn forward(from: &TcpStream, to: &TcpStream, state: &Arc<State>) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    let state = Arc::clone(state);
    std::thread::spawn(move || {
        let mut buffer = [0; 16 << 10];
        while let Ok(count) = from.read(&mut buffer) {
            while state.is_cut.load(Ordering::Relaxed) && !state.is_over.load(Ordering::Relaxed) {
                std::thread::sleep(LOOK);
            }
            if count == 0 || to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        to.shutdown(Shutdown::Both).ok();
        from.shutdown(Shutdown::Both).ok();
    });
}
