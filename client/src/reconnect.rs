//! Another link for a session whose link broke.

use std::time::{Duration, Instant};

use lotse_protocol::ServerAddress;
use rand_core::RngCore;
use tokio::time::{sleep, timeout_at};

use crate::backoff::evenly;
use crate::connect::name_of;
use crate::{ConnectError, ConnectOptions, Connection, connect};

/// The first attempt is made within this time: people wait, and a server that was started anew
/// has room for those who have a session.
const FIRST_WITHIN: Duration = Duration::from_millis(200);

/// Between attempts.
const PAUSE: Duration = Duration::from_millis(400);

/// What a pause is longer by at most, so that a crowd does not stay in step.
const PAUSE_MORE: Duration = Duration::from_millis(300);

/// An attempt may take this long. What was sent into a cut is sent again by the kernel later and
/// later; a new attempt is sent at once.
const ATTEMPT: Duration = Duration::from_secs(3);

/// Connects to the server again and again, quickly, until it works: for members of a session,
/// who ask [`Asked::Resume`](lotse_protocol::tunnel::Asked::Resume) next. Others use
/// [`Backoff`](crate::Backoff).
///
/// Can be dropped at any time.
///
/// # Errors
/// Why the last attempt failed, when `until` has come.
pub async fn reconnect(
    address: &ServerAddress,
    options: &ConnectOptions,
    until: Instant,
    rng: &mut impl RngCore,
) -> Result<Connection, ConnectError> {
    let options = ConnectOptions { timeout: options.timeout.min(ATTEMPT), ..options.clone() };
    let mut last = None;
    let attempts = async {
        sleep(evenly(FIRST_WITHIN, rng)).await;
        loop {
            match connect(address, &options).await {
                Ok(connection) => return connection,
                Err(error) => {
                    log::debug!("{error}");
                    last = Some(error);
                }
            }
            sleep(PAUSE + evenly(PAUSE_MORE, rng)).await;
        }
    };
    match timeout_at(until.into(), attempts).await {
        Ok(connection) => Ok(connection),
        Err(_) => Err(last.unwrap_or_else(|| ConnectError::TimedOut {
            server: name_of(address),
            after: options.timeout,
        })),
    }
}
