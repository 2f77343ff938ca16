//! The client's watch over a link: when to ping, what silence means, the round trip time.

use std::time::{Duration, Instant};

use super::{LinkConfig, Pace};

/// What the time has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing was received for too long.
    Lost(Duration),
    /// Nothing yet.
    Nothing,
    /// A ping must leave.
    Ping([u8; 8]),
    /// Nothing was received since then, which somebody should know.
    Silent {
        /// When the last bytes came.
        since: Instant,
    },
}

/// Decides when a link is quiet, silent, lost.
#[derive(Debug)]
pub(super) struct KeepAlive {
    config: LinkConfig,
    in_session: bool,
    received: Instant,
    /// The ping that waits for its pong; never more than one, since TCP repeats it by itself.
    pinged: Option<(Instant, [u8; 8])>,
    last_ping: Option<Instant>,
    pings: u64,
    silent: bool,
    round_trip: Option<Duration>,
}

impl KeepAlive {
    /// A watch over a link that has just come up.
    pub(super) fn new(config: LinkConfig, now: Instant) -> Self {
        Self {
            config,
            in_session: false,
            received: now,
            pinged: None,
            last_ping: None,
            pings: 0,
            silent: false,
            round_trip: None,
        }
    }

    pub(super) fn in_session(&self) -> bool {
        self.in_session
    }

    /// A session began or ended.
    pub(super) fn set_in_session(&mut self, in_session: bool) {
        self.in_session = in_session;
        if in_session {
            // Ping at once: the round trip time is wanted.
            self.last_ping = None;
        } else {
            self.silent = false;
        }
    }

    /// Smoothed round trip time, as soon as one was measured.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Bytes came in. Returns whether this ends a silence that was told.
    pub(super) fn received(&mut self, now: Instant) -> bool {
        self.received = now;
        std::mem::take(&mut self.silent)
    }

    /// A pong came in. Returns whether it answers the ping that waits.
    pub(super) fn pong(&mut self, value: [u8; 8], now: Instant) -> bool {
        match self.pinged {
            Some((sent, expected)) if expected == value => {
                self.pinged = None;
                let sample = now.saturating_duration_since(sent);
                self.round_trip = Some(match self.round_trip {
                    Some(smoothed) => (smoothed * 3 + sample) / 4,
                    None => sample,
                });
                true
            }
            _ => false,
        }
    }

    /// What must be done now. Call again until [`Due::Nothing`].
    pub(super) fn due(&mut self, now: Instant) -> Due {
        let pace = self.pace();
        let quiet = now.saturating_duration_since(self.received);
        if quiet >= pace.lost_after {
            return Due::Lost(quiet);
        }
        if !self.silent && pace.silent_after.is_some_and(|after| quiet >= after) {
            self.silent = true;
            return Due::Silent { since: self.received };
        }
        if self.next_ping().is_some_and(|at| at <= now) {
            self.pings = self.pings.wrapping_add(1);
            let value = self.pings.to_be_bytes();
            self.pinged = Some((now, value));
            self.last_ping = Some(now);
            return Due::Ping(value);
        }
        Due::Nothing
    }

    /// When [`Self::due`] has something to say, if nothing is received before.
    pub(super) fn next(&self) -> Instant {
        let pace = self.pace();
        let mut next = self.received + pace.lost_after;
        if let Some(after) = pace.silent_after.filter(|_| !self.silent) {
            next = next.min(self.received + after);
        }
        self.next_ping().map_or(next, |at| next.min(at))
    }

    fn pace(&self) -> Pace {
        if self.in_session { self.config.session } else { self.config.idle }
    }

    fn next_ping(&self) -> Option<Instant> {
        if self.pinged.is_some() {
            return None;
        }
        let every = self.pace().ping_every;
        Some(match (self.in_session, self.last_ping) {
            (true, None) => self.received,
            (true, Some(last)) => last + every,
            (false, last) => last.map_or(self.received, |last| last.max(self.received)) + every,
        })
    }
}
