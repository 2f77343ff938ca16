//! Rates and counts, by source. No clock: the time comes in.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Who somebody is as far as limits go: an IPv4 address, or an IPv6 network of 64 bits, which
/// is the least that one customer gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// An IPv4 address.
    V4(u32),
    /// The upper half of an IPv6 address.
    V6(u64),
}

impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(v4.to_bits()),
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Self::V6([a, b, c, d].into_iter().fold(0, |bits, s| bits << 16 | u64::from(s)))
            }
        }
    }
}

/// So much at once, and so much per time afterwards: the shape of a token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The time in which one unit comes back.
    interval: Duration,
    /// Units that may be taken at once.
    burst: u32,
}

impl Rate {
    /// `count` units per `period`, of which all may be taken at once.
    pub fn per(count: u32, period: Duration) -> Self {
        let count = count.max(1);
        Self { interval: period / count, burst: count }
    }

    /// `count` units per second, `burst` at once.
    pub fn per_second(count: u32, burst: u32) -> Self {
        Self { interval: Duration::from_secs(1) / count.max(1), burst: burst.max(1) }
    }
}

/// A token bucket; its [`Rate`] is kept elsewhere, so that a million of them are small.
#[derive(Debug, Clone, Copy)]
pub struct Meter {
    full_at: Instant,
}

impl Meter {
    /// A full bucket.
    pub fn new(now: Instant) -> Self {
        Self { full_at: now }
    }

    /// Takes units, more than there are if need be.
    pub fn take(&mut self, rate: Rate, units: u32, now: Instant) {
        self.full_at = self.full_at.max(now) + rate.interval.saturating_mul(units);
    }

    /// How long until `units` are there.
    pub fn wait(&self, rate: Rate, units: u32, now: Instant) -> Duration {
        let missing = self.full_at.saturating_duration_since(now);
        (missing + rate.interval.saturating_mul(units))
            .saturating_sub(rate.interval.saturating_mul(rate.burst))
    }

    /// Whether nothing is missing.
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at <= now
    }
}

/// Limits how often each source may do something, by two rates at a time.
///
/// Remembers at most `capacity` sources: those beyond share one account, so that somebody with
/// very many addresses gains nothing.
#[derive(Debug)]
pub struct SourceRates {
    rates: [Rate; 2],
    capacity: usize,
    meters: HashMap<Source, [Meter; 2]>,
    others: [Meter; 2],
}

impl SourceRates {
    /// Limits with nothing taken yet.
    pub fn new(rates: [Rate; 2], capacity: usize, now: Instant) -> Self {
        Self { rates, capacity, meters: HashMap::new(), others: [Meter::new(now); 2] }
    }

    /// Takes one unit.
    ///
    /// # Errors
    /// If there is none: how long to wait. Nothing is taken then.
    pub fn attempt(&mut self, source: Source, now: Instant) -> Result<(), Duration> {
        let rates = self.rates;
        let meters = self.meters_of(source, now);
        let waits = meters.iter().zip(rates).map(|(meter, rate)| meter.wait(rate, 1, now));
        match waits.max() {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                self.charge(source, 1, now);
                Ok(())
            }
        }
    }

    /// Takes units whether they are there or not.
    pub fn charge(&mut self, source: Source, units: u32, now: Instant) {
        let rates = self.rates;
        for (meter, rate) in self.meters_of(source, now).iter_mut().zip(rates) {
            meter.take(rate, units, now);
        }
    }

    /// Sources that are remembered.
    pub fn len(&self) -> usize {
        self.meters.len()
    }

    /// Whether no source is remembered.
    pub fn is_empty(&self) -> bool {
        self.meters.is_empty()
    }

    fn meters_of(&mut self, source: Source, now: Instant) -> &mut [Meter; 2] {
        if self.meters.len() >= self.capacity && !self.meters.contains_key(&source) {
            self.meters.retain(|_, meters| meters.iter().any(|meter| !meter.is_full(now)));
        }
        let full = self.meters.len() >= self.capacity;
        match self.meters.entry(source) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if full => &mut self.others,
            Entry::Vacant(new) => new.insert([Meter::new(now); 2]),
        }
    }
}

/// Counts what each source has, and all together.
#[derive(Debug)]
pub struct SourceCounts {
    per_source: u32,
    total: u32,
    counts: HashMap<Source, u32>,
    all: u32,
}

impl SourceCounts {
    /// At most `per_source` for each and `total` for all.
    pub fn new(per_source: u32, total: u32) -> Self {
        Self { per_source, total, counts: HashMap::new(), all: 0 }
    }

    /// One more; `false` if that would be too many, then it is not counted.
    pub fn enter(&mut self, source: Source) -> bool {
        if self.all >= self.total {
            return false;
        }
        let count = self.counts.entry(source).or_default();
        if *count >= self.per_source {
            return false;
        }
        *count += 1;
        self.all += 1;
        true
    }

    /// One less.
    pub fn leave(&mut self, source: Source) {
        if let Entry::Occupied(mut count) = self.counts.entry(source) {
            self.all = self.all.saturating_sub(1);
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn joins(now: Instant) -> SourceRates {
        SourceRates::new([Rate::per(10, MINUTE), Rate::per(60, 60 * MINUTE)], 100, now)
    }

    fn source(text: &str) -> Source {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn ten_attempts_a_minute_then_one_every_six_seconds() {
        let start = Instant::now();
        let (mut joins, me) = (joins(start), source("10.0.0.1"));
        for _ in 0..10 {
            assert_eq!(joins.attempt(me, start), Ok(()));
        }
        assert_eq!(joins.attempt(me, start), Err(Duration::from_secs(6)));
        assert_eq!(joins.attempt(me, start + Duration::from_secs(6)), Ok(()));
        assert!(joins.attempt(me, start + Duration::from_secs(6)).is_err());
        assert_eq!(joins.attempt(source("10.0.0.2"), start), Ok(()), "others are not affected");
    }

    #[test]
    fn sixty_attempts_an_hour_however_slowly() {
        let start = Instant::now();
        let (mut joins, me) = (joins(start), source("10.0.0.1"));
        // One try every 6 s for an hour: the first 60 come from the burst, the others at the
        // hourly rate.
        let done = (0..600)
            .filter(|i| joins.attempt(me, start + Duration::from_secs(6) * *i).is_ok())
            .count();
        assert!((115..=120).contains(&done), "{done}");
    }

    #[test]
    fn failures_cost_five_times_as_much() {
        let start = Instant::now();
        let (mut joins, me) = (joins(start), source("10.0.0.1"));
        for _ in 0..2 {
            assert_eq!(joins.attempt(me, start), Ok(()));
            joins.charge(me, 4, start);
        }
        assert_eq!(joins.attempt(me, start), Err(Duration::from_secs(6)));
    }

    #[test]
    fn neighbours_in_one_ipv6_network_are_one_source() {
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:1"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
        assert_eq!(source("::ffff:10.0.0.1"), source("10.0.0.1"));
    }

    #[test]
    fn memory_is_bounded_and_the_crowd_shares_one_account() {
        let start = Instant::now();
        let mut joins = joins(start);
        let granted = (0..10_000_u32).filter(|&i| joins.attempt(Source::V4(i), start).is_ok());
        assert_eq!(granted.count(), 110);
        assert_eq!(joins.len(), 100);
        // Who has paid back is forgotten.
        assert!(joins.attempt(Source::V4(70_000), start + 2 * MINUTE).is_ok());
        assert_eq!(joins.len(), 1);
    }

    proptest! {
        #[test]
        fn never_more_than_burst_and_rate_allow(
            steps in proptest::collection::vec((0_u64..2000, 1_u32..5000), 1..200)
        ) {
            let rate = Rate::per_second(1000, 4000);
            let start = Instant::now();
            let (mut meter, mut now, mut taken) = (Meter::new(start), start, 0_u64);
            for (millis, units) in steps {
                now += Duration::from_millis(millis);
                let units = units.min(4000);
                if meter.wait(rate, units, now).is_zero() {
                    meter.take(rate, units, now);
                    taken += u64::from(units);
                }
                let allowed = 4000 + (now - start).as_millis() as u64;
                prop_assert!(taken <= allowed, "{} > {}", taken, allowed);
            }
        }

        #[test]
        fn counts_return_to_nothing(order in proptest::collection::vec(0_u32..4, 0..100)) {
            let mut counts = SourceCounts::new(3, 8);
            let mut inside = Vec::new();
            for source in order.into_iter().map(Source::V4) {
                if counts.enter(source) {
                    inside.push(source);
                }
                prop_assert!(inside.len() <= 8);
                prop_assert!(inside.iter().filter(|s| **s == source).count() <= 3);
            }
            inside.into_iter().for_each(|source| counts.leave(source));
            prop_assert!(counts.counts.is_empty() && counts.all == 0);
        }
    }
}
