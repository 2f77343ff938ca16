//! How long to wait before trying to reach the server again.

use std::time::{Duration, Instant};

use rand_core::RngCore;

/// A link that lasted this long was a good one: waiting starts anew.
const STABLE: Duration = Duration::from_secs(60);

/// The span of the first wait after a failed attempt; it doubles with each further one.
const FIRST: Duration = Duration::from_secs(1);

/// The longest span.
const LONGEST: Duration = Duration::from_secs(300);

/// The longest herd window that a server may ask for.
const LONGEST_HERD_WINDOW: Duration = Duration::from_secs(600);

/// The herd window as long as no server has named one.
const DEFAULT_HERD_WINDOW: Duration = Duration::from_secs(2);

/// Waiting times between attempts, so that a server that comes back is not run over.
///
/// Each wait is drawn evenly from zero to a span. After a link that was lost the span is the
/// server's herd window; after failed attempts it is 1 s, doubled each time, up to 300 s. A link
/// that lasted 60 s resets it.
#[derive(Debug, Clone)]
pub struct Backoff {
    failures: u32,
    connected_since: Option<Instant>,
    herd_window: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

impl Backoff {
    /// Nothing was tried yet.
    pub fn new() -> Self {
        Self { failures: 0, connected_since: None, herd_window: DEFAULT_HERD_WINDOW }
    }

    /// A link is up. `herd_window` is what the server said, see
    /// [`Connection::herd_window`](crate::Connection::herd_window).
    pub fn connected(&mut self, herd_window: Duration, now: Instant) {
        self.connected_since = Some(now);
        self.herd_window = herd_window.min(LONGEST_HERD_WINDOW);
    }

    /// The link was lost or an attempt failed: how long to wait before the next attempt.
    pub fn wait(&mut self, now: Instant, rng: &mut impl RngCore) -> Duration {
        let lasted = self.connected_since.take().map(|at| now.saturating_duration_since(at));
        if lasted.is_some_and(|lasted| lasted >= STABLE) {
            self.failures = 0;
            return evenly(self.herd_window, rng);
        }
        let doubled = FIRST.saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX));
        let mut span = doubled.min(LONGEST);
        if lasted.is_some() {
            span = span.max(self.herd_window);
        }
        self.failures = self.failures.saturating_add(1);
        evenly(span, rng)
    }

    /// Failed attempts in a row, and links that did not last.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// A duration from zero to `span`, each equally likely.
pub(crate) fn evenly(span: Duration, rng: &mut impl RngCore) -> Duration {
    let nanos = (span.as_nanos() * u128::from(rng.next_u64())) >> 64;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Always the same number.
    struct Constant(u64);

    impl RngCore for Constant {
        fn next_u32(&mut self) -> u32 {
            0
        }
        fn next_u64(&mut self) -> u64 {
            self.0
        }
        fn fill_bytes(&mut self, _: &mut [u8]) {}
        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), rand_core::Error> {
            Ok(())
        }
    }

    /// Draws the upper end of each span.
    const LATEST: Constant = Constant(u64::MAX);

    fn spans(backoff: &mut Backoff, now: Instant, count: usize) -> Vec<u64> {
        let mut rng = LATEST;
        (0..count).map(|_| backoff.wait(now, &mut rng).as_secs_f64().round() as u64).collect()
    }

    #[test]
    fn failed_attempts_double_the_span_up_to_five_minutes() {
        let mut backoff = Backoff::new();
        let waits = spans(&mut backoff, Instant::now(), 12);
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn never_overflows_while_the_server_is_away_for_ever() {
        let mut backoff = Backoff::new();
        assert_eq!(spans(&mut backoff, Instant::now(), 100).last(), Some(&300));
        backoff.failures = u32::MAX;
        assert_eq!(spans(&mut backoff, Instant::now(), 2), [300, 300]);
    }

    #[test]
    fn waits_within_the_herd_window_first_after_a_good_link() {
        let (mut backoff, start) = (Backoff::new(), Instant::now());
        spans(&mut backoff, start, 5);
        backoff.connected(Duration::from_secs(40), start);
        assert_eq!(spans(&mut backoff, start + STABLE, 4), [40, 1, 2, 4]);
    }

    #[test]
    fn a_link_that_did_not_last_does_not_reset_it() {
        let (mut backoff, start) = (Backoff::new(), Instant::now());
        spans(&mut backoff, start, 5);
        for expected in [32, 64, 128] {
            backoff.connected(Duration::from_secs(2), start);
            assert_eq!(spans(&mut backoff, start + Duration::from_secs(1), 1), [expected]);
        }
    }

    #[test]
    fn a_server_cannot_send_clients_away_for_days() {
        let (mut backoff, start) = (Backoff::new(), Instant::now());
        backoff.connected(Duration::from_millis(u32::MAX.into()), start);
        assert_eq!(spans(&mut backoff, start + STABLE, 1), [600]);
    }

    #[test]
    fn draws_evenly_from_zero() {
        let mut rng = Constant(0);
        assert_eq!(Backoff::new().wait(Instant::now(), &mut rng), Duration::ZERO);
        let mut rng = Constant(u64::MAX / 2);
        let half = Backoff::new().wait(Instant::now(), &mut rng);
        assert!((Duration::from_millis(499)..=Duration::from_millis(500)).contains(&half));
    }
}
