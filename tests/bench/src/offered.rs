//! Which frames were offered, and when each was seen whole and right.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rapidhash::v3::{RapidSecrets, rapidhash_v3_seeded};
use serde_json::{Value, json};

const SECRETS: RapidSecrets = RapidSecrets::seed(0);

/// Tells pictures apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Print(u64);

impl Print {
    /// Of pixels in the order red, green, blue and one more, which must be 255.
    pub(crate) fn of_rgba(pixels: &[u8]) -> Self {
        Self(rapidhash_v3_seeded(pixels, &SECRETS))
    }

    /// Of a screen's pixels: blue, green, red, 255.
    pub(crate) fn of_bgra(pixels: &[u8]) -> Self {
        let swapped: Vec<[u8; 4]> =
            pixels.as_chunks().0.iter().map(|[b, g, r, a]| [*r, *g, *b, *a]).collect();
        Self::of_rgba(swapped.as_flattened())
    }
}

#[derive(Debug)]
struct Offer {
    print: Print,
    at: Instant,
    /// When this frame or a later one was seen.
    reached: Option<Instant>,
    /// Whether it was seen itself.
    delivered: bool,
}

#[derive(Debug, Default)]
struct Log {
    offers: Vec<Offer>,
    /// Offers before this one are reached.
    next: usize,
    /// What is shown now.
    shown: Print,
    /// Updates seen, right or not.
    pictures: usize,
    first_at: Option<Instant>,
}

/// The frames of one run; shared by who plays and who watches.
#[derive(Debug, Default)]
pub(crate) struct Offered(Mutex<Log>);

impl Offered {
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A frame is on the screen since `at`.
    pub(crate) fn offer(&self, print: Print, at: Instant) {
        let mut log = self.lock();
        log.offers.push(Offer { print, at, reached: None, delivered: false });
        if log.shown == print {
            log.reach(at);
        }
    }

    /// The viewer's picture is this since `at`.
    pub(crate) fn see(&self, print: Print, at: Instant) {
        let mut log = self.lock();
        log.shown = print;
        log.pictures += 1;
        log.first_at.get_or_insert(at);
        log.reach(at);
    }

    /// Whether the viewer has the last frame.
    pub(crate) fn is_up_to_date(&self) -> bool {
        let log = self.lock();
        log.offers.last().is_some_and(|offer| offer.reached.is_some())
    }

    /// When the first update was seen.
    pub(crate) fn first_at(&self) -> Option<Instant> {
        self.lock().first_at
    }

    /// Forgets everything but what is shown.
    pub(crate) fn clear(&self) {
        let mut log = self.lock();
        log.offers.clear();
        (log.next, log.pictures, log.first_at) = (0, 0, None);
    }

    /// Frames offered and delivered, and how long they took to be seen.
    pub(crate) fn report(&self) -> Value {
        let log = self.lock();
        let mut waits: Vec<Duration> = log
            .offers
            .iter()
            .filter_map(|offer| Some(offer.reached?.saturating_duration_since(offer.at)))
            .collect();
        waits.sort_unstable();
        let at = |share: usize| {
            let wait = waits.get((waits.len() * share / 100).min(waits.len().saturating_sub(1)));
            wait.map(|wait| wait.as_secs_f64() * 1000.0)
        };
        json!({
            "offered": log.offers.len(),
            "delivered": log.offers.iter().filter(|offer| offer.delivered).count(),
            "never": log.offers.len() - waits.len(),
            "pictures": log.pictures,
            "latency_p50_ms": at(50),
            "latency_p95_ms": at(95),
        })
    }
}

impl Log {
    /// The picture shown is a frame: the last one like it, and with it all before.
    fn reach(&mut self, at: Instant) {
        let shown = self.shown;
        let found = self.offers.iter().skip(self.next).rposition(|offer| offer.print == shown);
        let Some(found) = found else { return };
        let last = self.next + found;
        for offer in self.offers.iter_mut().take(last + 1).skip(self.next) {
            offer.reached.get_or_insert(at);
        }
        if let Some(offer) = self.offers.get_mut(last) {
            offer.delivered = true;
        }
        self.next = last + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_frame_counts_for_those_before_it_but_only_itself_as_delivered() {
        let offered = Offered::default();
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        for (frame, ms) in [(1, 0), (2, 10), (3, 20)] {
            offered.offer(Print(frame), after(ms));
        }
        offered.see(Print(9), after(25));
        assert!(!offered.is_up_to_date());
        offered.see(Print(2), after(30));
        offered.see(Print(3), after(50));
        assert!(offered.is_up_to_date());
        // Nothing has to be sent for what is shown already.
        offered.offer(Print(3), after(60));
        let report = offered.report();
        assert_eq!(report["offered"], 4);
        assert_eq!(report["delivered"], 3);
        assert_eq!(report["never"], 0);
        assert_eq!(report["pictures"], 3);
        assert_eq!(report["latency_p50_ms"], 30.0);
    }
}
