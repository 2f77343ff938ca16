//! RSA pairs, made before they are needed.

use lotse_protocol::handshake::JoinKey;
use rand_core::OsRng;
use tokio::task::JoinHandle;

/// Keeps one pair ready. Making one takes a second or more of a small processor, and nobody at
/// a panel should wait for it.
#[derive(Debug)]
pub(super) struct KeyPool {
    next: JoinHandle<Option<JoinKey>>,
}

impl KeyPool {
    /// Starts making the first pair.
    pub(super) fn new() -> Self {
        Self { next: start() }
    }

    /// The pair that is ready, or as soon as it is; the next one is begun. Cancel safe: a pair
    /// that nobody took stays.
    pub(super) async fn take(&mut self) -> Option<JoinKey> {
        let made = (&mut self.next).await;
        self.next = start();
        match made {
            Ok(key) => key,
            Err(error) => {
                log::error!("making an RSA key: {error}");
                None
            }
        }
    }
}

fn start() -> JoinHandle<Option<JoinKey>> {
    tokio::task::spawn_blocking(|| match JoinKey::generate(&mut OsRng) {
        Ok(key) => Some(key),
        Err(error) => {
            log::error!("making an RSA key: {error}");
            None
        }
    })
}
