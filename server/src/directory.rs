//! Session numbers and their lives. No clock and no randomness: both come in.
//!
//! A number is drawn at random, lives until somebody joins in time or it expires, and on as long
//! as its session lives. Then it is in quarantine, so that a number that somebody still has on a
//! slip of paper does not lead to strangers.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use lotse_protocol::SessionNumber;
use rand_core::CryptoRngCore;

/// How long numbers live and how many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lives {
    /// Sessions at a time.
    pub sessions: usize,
    /// Somebody must join within this time.
    pub first_join: Duration,
    /// A number is not given out again for this long.
    pub quarantine: Duration,
    /// Numbers in quarantine at a time; the oldest leave early beyond that.
    pub quarantined: usize,
}

/// Draws until a free number is found, at most this often. Even with half of all numbers taken,
/// one in 2^64 fails.
const DRAWS: usize = 64;

/// All numbers that live, with something for each, and those in quarantine.
#[derive(Debug)]
pub struct Directory<S> {
    lives: Lives,
    live: HashMap<SessionNumber, Live<S>>,
    expiries: BTreeSet<(Instant, SessionNumber)>,
    quarantine: VecDeque<(Instant, SessionNumber)>,
    quarantined: HashSet<SessionNumber>,
}

#[derive(Debug)]
struct Live<S> {
    session: S,
    /// `None` as soon as somebody has joined.
    expires: Option<Instant>,
}

impl<S: Clone> Directory<S> {
    /// An empty directory.
    pub fn new(lives: Lives) -> Self {
        Self {
            lives,
            live: HashMap::new(),
            expiries: BTreeSet::new(),
            quarantine: VecDeque::new(),
            quarantined: HashSet::new(),
        }
    }

    /// Opens a session under a fresh number; `None` if the directory is full.
    pub fn open(
        &mut self,
        rng: &mut impl CryptoRngCore,
        now: Instant,
        session: impl FnOnce(SessionNumber) -> S,
    ) -> Option<S> {
        if self.live.len() >= self.lives.sessions {
            return None;
        }
        self.release(now);
        let number = (0..DRAWS)
            .map(|_| SessionNumber::random(rng))
            .find(|number| !self.live.contains_key(number) && !self.quarantined.contains(number))?;
        let session = session(number);
        let expires = now + self.lives.first_join;
        self.live.insert(number, Live { session: session.clone(), expires: Some(expires) });
        self.expiries.insert((expires, number));
        Some(session)
    }

    /// A session of before a restart lives again under its number, which somebody has joined;
    /// false if the number is taken or the directory full.
    pub fn restore(&mut self, number: SessionNumber, session: S) -> bool {
        if self.live.len() >= self.lives.sessions
            || self.live.contains_key(&number)
            || self.quarantined.contains(&number)
        {
            return false;
        }
        self.live.insert(number, Live { session, expires: None });
        true
    }

    /// The session under a number that lives, even if it cannot be joined any more.
    pub fn live(&self, number: SessionNumber) -> Option<&S> {
        Some(&self.live.get(&number)?.session)
    }

    /// The session under a number that can be joined.
    pub fn find(&self, number: SessionNumber, now: Instant) -> Option<&S> {
        let live = self.live.get(&number)?;
        live.expires.is_none_or(|at| now < at).then_some(&live.session)
    }

    /// Somebody has joined: the number does not expire any more.
    pub fn joined(&mut self, number: SessionNumber) {
        if let Some(live) = self.live.get_mut(&number)
            && let Some(at) = live.expires.take()
        {
            self.expiries.remove(&(at, number));
        }
    }

    /// The session is over; its number goes into quarantine.
    pub fn end(&mut self, number: SessionNumber, now: Instant) -> Option<S> {
        let live = self.live.remove(&number)?;
        if let Some(at) = live.expires {
            self.expiries.remove(&(at, number));
        }
        self.release(now);
        if self.quarantine.len() >= self.lives.quarantined
            && let Some((_, oldest)) = self.quarantine.pop_front()
        {
            self.quarantined.remove(&oldest);
        }
        self.quarantine.push_back((now + self.lives.quarantine, number));
        self.quarantined.insert(number);
        Some(live.session)
    }

    /// Ends the sessions whose time has come, and returns them.
    pub fn expire(&mut self, now: Instant) -> Vec<S> {
        let mut expired = Vec::new();
        while let Some(&(at, number)) = self.expiries.first() {
            if at > now {
                break;
            }
            expired.extend(self.end(number, now));
        }
        expired
    }

    /// When [`Self::expire`] has something to do next.
    pub fn next_expiry(&self) -> Option<Instant> {
        self.expiries.first().map(|(at, _)| *at)
    }

    /// All sessions that live.
    pub fn sessions(&self) -> impl Iterator<Item = &S> {
        self.live.values().map(|live| &live.session)
    }

    /// Sessions that live.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether no session lives.
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// Lets go of numbers whose quarantine is over.
    fn release(&mut self, now: Instant) {
        while let Some(&(until, number)) = self.quarantine.front() {
            if until > now {
                break;
            }
            self.quarantine.pop_front();
            self.quarantined.remove(&number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_core::{CryptoRng, OsRng, RngCore};

    /// Draws these numbers, one after the other.
    struct Drawn(VecDeque<u32>);

    impl Drawn {
        fn numbers(numbers: &[u32]) -> Self {
            Self(numbers.iter().map(|number| number - SessionNumber::MIN).collect())
        }
    }

    impl CryptoRng for Drawn {}
    impl RngCore for Drawn {
        fn next_u32(&mut self) -> u32 {
            self.0.pop_front().unwrap()
        }
        fn next_u64(&mut self) -> u64 {
            self.next_u32().into()
        }
        fn fill_bytes(&mut self, _: &mut [u8]) {}
        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), rand_core::Error> {
            Ok(())
        }
    }

    const LIVES: Lives = Lives {
        sessions: 3,
        first_join: Duration::from_secs(600),
        quarantine: Duration::from_secs(24 * 3600),
        quarantined: 2,
    };

    fn number(value: u32) -> SessionNumber {
        SessionNumber::try_from(value).unwrap()
    }

    fn open(
        directory: &mut Directory<SessionNumber>,
        drawn: &[u32],
        now: Instant,
    ) -> SessionNumber {
        directory.open(&mut Drawn::numbers(drawn), now, |number| number).unwrap()
    }

    #[test]
    fn a_number_dies_when_nobody_joins_in_time() {
        let (mut directory, start) = (Directory::new(LIVES), Instant::now());
        let a = open(&mut directory, &[123_456_789], start);
        let end = start + LIVES.first_join;
        assert_eq!(directory.next_expiry(), Some(end));
        let just_before = end - Duration::from_nanos(1);
        assert_eq!(directory.find(a, just_before), Some(&a));
        assert_eq!(directory.expire(just_before), []);
        assert_eq!(directory.find(a, end), None, "even before anybody called expire");
        assert_eq!(directory.expire(end), [a]);
        assert!(directory.is_empty() && directory.next_expiry().is_none());
    }

    #[test]
    fn a_number_lives_on_once_somebody_joined() {
        let (mut directory, start) = (Directory::new(LIVES), Instant::now());
        let a = open(&mut directory, &[123_456_789], start);
        directory.joined(a);
        let later = start + 100 * LIVES.first_join;
        assert_eq!(directory.expire(later), []);
        assert_eq!(directory.find(a, later), Some(&a));
    }

    #[test]
    fn live_numbers_and_those_in_quarantine_are_not_given_out_again() {
        let (mut directory, start) = (Directory::new(LIVES), Instant::now());
        let a = open(&mut directory, &[111_111_111], start);
        assert_eq!(open(&mut directory, &[111_111_111, 222_222_222], start), number(222_222_222));
        directory.end(a, start);
        assert_eq!(directory.find(a, start), None);
        assert_eq!(open(&mut directory, &[111_111_111, 333_333_333], start), number(333_333_333));
        directory.end(number(222_222_222), start);
        let after = start + LIVES.quarantine;
        assert_eq!(open(&mut directory, &[111_111_111], after), a);
    }

    #[test]
    fn the_quarantine_is_bounded() {
        let (mut directory, start) = (Directory::new(LIVES), Instant::now());
        for value in [111_111_111, 222_222_222, 333_333_333] {
            let opened = open(&mut directory, &[value], start);
            directory.end(opened, start);
        }
        assert_eq!(directory.quarantined.len(), 2);
        assert_eq!(open(&mut directory, &[111_111_111], start), number(111_111_111));
    }

    #[test]
    fn is_full_at_its_limit() {
        let (mut directory, start) = (Directory::new(LIVES), Instant::now());
        for _ in 0..3 {
            assert!(directory.open(&mut OsRng, start, |number| number).is_some());
        }
        assert_eq!(directory.open(&mut OsRng, start, |number| number), None);
    }

    proptest! {
        #[test]
        fn its_books_agree_whatever_happens(
            steps in proptest::collection::vec((0_u8..4, any::<u8>(), 0_u64..400), 0..200)
        ) {
            let (mut directory, mut now) = (Directory::new(LIVES), Instant::now());
            let mut known: Vec<SessionNumber> = Vec::new();
            for (step, pick, seconds) in steps {
                now += Duration::from_secs(seconds);
                let picked = known.get(usize::from(pick) % known.len().max(1)).copied();
                match (step, picked) {
                    (0, _) => known.extend(directory.open(&mut OsRng, now, |number| number)),
                    (1, Some(number)) => directory.joined(number),
                    (2, Some(number)) => drop(directory.end(number, now)),
                    _ => drop(directory.expire(now)),
                }
                prop_assert!(directory.len() <= LIVES.sessions);
                prop_assert_eq!(directory.quarantine.len(), directory.quarantined.len());
                prop_assert!(directory.quarantine.len() <= LIVES.quarantined);
                let waiting = directory.live.values().filter(|live| live.expires.is_some()).count();
                prop_assert_eq!(waiting, directory.expiries.len());
                prop_assert!(directory.live.keys().all(|n| !directory.quarantined.contains(n)));
            }
        }
    }
}
