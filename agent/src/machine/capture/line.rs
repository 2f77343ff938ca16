//! The way to the technician, as the acknowledgements tell: what is on it, and what it carries.
//!
//! The technician alone acknowledges; whoever looks on is served by the server, or not, and is
//! never waited for. No clock: the time comes in.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Updates that may be on their way at least, however slow the line.
const FEWEST: usize = 2;
/// Updates that may be on their way at most.
const MOST: usize = 16;
/// More than [`FEWEST`] only as long as all of them have fewer bytes than this, or than the line
/// is known to hold: what waits in a queue is old when it comes.
const SMALL: usize = 8 << 10;
/// And never more than so many, nor for a longer round trip than that: on a line that is full what is
/// measured is the queue, which must not make itself longer.
const MOST_BYTES: usize = 128 << 10;
const LONGEST: Duration = Duration::from_millis(300);
/// Pictures a second at most; so many are made while one is on its way.
const RATE: f32 = 60.0;
/// The shortest round trip of so long is believed.
const MEMORY: Duration = Duration::from_secs(5);
/// Fewer bytes tell nothing of what a line carries.
const TELLING: usize = 4 << 10;

/// What is on its way, and how quickly it gets there.
#[derive(Debug)]
pub(super) struct Line {
    flying: VecDeque<Sent>,
    acknowledged_at: Option<Instant>,
    round_trip: Shortest,
    /// Bytes a second, smoothed.
    rate: Option<f32>,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    number: u32,
    bytes: usize,
    at: Instant,
}

/// The shortest of some times, of which old ones are forgotten.
#[derive(Debug, Default)]
struct Shortest {
    now: Option<Duration>,
    before: Option<Duration>,
    since: Option<Instant>,
}

impl Shortest {
    fn add(&mut self, time: Duration, now: Instant) {
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) >= MEMORY {
            (self.before, self.now, self.since) = (self.now.take(), None, Some(now));
        }
        self.now = Some(self.now.map_or(time, |shortest| shortest.min(time)));
    }

    fn get(&self) -> Option<Duration> {
        self.now.into_iter().chain(self.before).min()
    }
}

impl Line {
    pub(super) fn new() -> Self {
        let flying = VecDeque::with_capacity(MOST);
        Self { flying, acknowledged_at: None, round_trip: Shortest::default(), rate: None }
    }

    /// An update leaves.
    pub(super) fn sent(&mut self, number: u32, bytes: usize, now: Instant) {
        if self.flying.len() < MOST {
            self.flying.push_back(Sent { number, bytes, at: now });
        }
    }

    /// The technician has this update, and all before it.
    pub(super) fn shown(&mut self, number: u32, now: Instant) {
        let mut bytes = 0;
        let mut last = None;
        while let Some(sent) = self.flying.pop_front_if(|sent| sent.number <= number) {
            bytes += sent.bytes;
            last = Some(sent);
        }
        let Some(last) = last else { return };
        let took = now.saturating_duration_since(last.at);
        self.round_trip.add(took, now);
        if bytes >= TELLING {
            let busy_since = self.acknowledged_at.filter(|at| *at > last.at);
            let took = match busy_since {
                Some(at) => now.saturating_duration_since(at),
                None => took.saturating_sub(self.round_trip().unwrap_or_default()),
            };
            // A millisecond is what clocks and timers are good for.
            let rate = bytes as f32 / took.max(Duration::from_millis(1)).as_secs_f32();
            self.rate = Some(self.rate.map_or(rate, |old| old + (rate - old) / 4.0));
        }
        self.acknowledged_at = Some(now);
    }

    /// What was on its way does not count any more: it is lost, or nobody waits for it.
    pub(super) fn forget(&mut self) {
        self.flying.clear();
    }

    /// The shortest time of late from an update's leaving to its acknowledgement.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip.get()
    }

    /// Bytes that it carries in so long, as far as is known.
    pub(super) fn carries(&self, time: Duration) -> Option<usize> {
        self.rate.map(|rate| (rate * time.as_secs_f32()) as usize)
    }

    /// Whether nothing is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.flying.is_empty()
    }

    /// Whether another update is worth making: two may be on their way, and as many more as a
    /// round trip is long, as long as they wait nowhere.
    pub(super) fn has_room(&self) -> bool {
        if self.flying.len() < FEWEST {
            return true;
        }
        let Some(round_trip) = self.round_trip() else { return false };
        let round_trip = round_trip.min(LONGEST);
        let most = FEWEST + (round_trip.as_secs_f32() * RATE) as usize;
        let bytes: usize = self.flying.iter().map(|sent| sent.bytes).sum();
        let holds = self.carries(round_trip).unwrap_or(0).clamp(SMALL, MOST_BYTES);
        self.flying.len() < most.min(MOST) && bytes < holds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn two_are_on_their_way_and_on_a_long_line_more_if_they_are_small() {
        let mut now = Instant::now();
        let mut line = Line::new();
        for number in [1, 2] {
            assert!(line.has_room());
            line.sent(number, 100, now);
        }
        assert!(!line.has_room(), "nothing is known of the line");
        now += 100 * MS;
        line.shown(2, now);
        assert_eq!(line.round_trip(), Some(100 * MS));
        let small = (3..50).take_while(|number| {
            let has_room = line.has_room();
            line.sent(*number, 100, now);
            has_room
        });
        assert_eq!(small.count(), 8, "two, and 60 a second for 100 ms");
        line.forget();
        let large = (50..99).take_while(|number| {
            let has_room = line.has_room();
            line.sent(*number, SMALL, now);
            has_room
        });
        assert_eq!(large.count(), 2, "they would wait in a queue");
    }

    #[test]
    fn what_a_line_carries_is_learnt_from_what_it_carried() {
        let mut now = Instant::now();
        let mut line = Line::new();
        // 100 kB a second and 50 ms there and back.
        line.sent(1, 1, now);
        now += 50 * MS;
        line.shown(1, now);
        assert_eq!(line.carries(MS), None, "a byte tells nothing");
        for number in 2..30 {
            line.sent(number, 10_000, now);
            now += 150 * MS;
            line.shown(number, now);
        }
        let carried = line.carries(Duration::from_secs(1)).unwrap();
        assert!((90_000..110_000).contains(&carried), "{carried}");
    }

    #[test]
    fn a_line_that_becomes_longer_is_believed_after_a_while() {
        let mut now = Instant::now();
        let mut line = Line::new();
        for (number, trip) in (1..).zip([10, 80, 80, 80, 80]) {
            line.sent(number, 100, now);
            line.shown(number, now + trip * MS);
            now += MEMORY;
        }
        assert_eq!(line.round_trip(), Some(80 * MS));
    }
}
