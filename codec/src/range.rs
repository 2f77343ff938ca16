//! Binary arithmetic coding with adaptive probabilities.
//!
//! The coder keeps an interval of 32-bit numbers and cuts it in the ratio of the two outcomes'
//! probabilities at each decision (Mahoney, *Adaptive Weighing of Context Models for Lossless Data
//! Compression*, 2005, has the carry-free form that is used here). A decision that was foreseen
//! costs next to nothing, so there are no runs, no tables of codes and no packing of bits anywhere
//! else: everything about a picture is a sequence of decisions.
//!
//! [`Writer`] and [`Reader`] are one trait, [`Coder`], so that what is written and what is read is
//! the same code.

/// The probability that a decision is *yes*, learnt from what it was before.
///
/// The upper 22 bits are the probability, the lower ten how often it was met, up to a limit:
/// the first decisions teach much, later ones little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chance(u32);

/// Decisions after which a chance learns no more slowly: it follows changes.
const SETTLED: usize = 160;

/// By how much a chance moves after *n* decisions, in 65536ths.
const STEPS: [u32; SETTLED + 1] = {
    let mut steps = [0; SETTLED + 1];
    let mut n = 0;
    while n <= SETTLED {
        // 1 / (n + 1.5).
        steps[n] = 131_072 / (2 * n as u32 + 3);
        n += 1;
    }
    steps
};

impl Chance {
    /// Nothing is known.
    pub(crate) const EVEN: Self = Self(1 << 31);

    /// It is thought that *yes* comes in `share` of 4096 cases, as if seen `times` times.
    pub(crate) const fn of(share: u32, times: u32) -> Self {
        Self(share << 20 | times)
    }

    /// The share of *yes* in 65536ths, never 0 nor 65536.
    const fn share(self) -> u32 {
        let share = self.0 >> 16;
        if share == 0 { 1 } else { share }
    }

    fn learn(&mut self, yes: bool) {
        let seen = (self.0 & 0x3ff) as usize;
        let (value, target) = (self.0 >> 10, if yes { 0x3f_ffff } else { 0 });
        let step = STEPS.get(seen).copied().unwrap_or(0);
        // The difference has 22 bits and a sign, the step 16.
        let moved = ((i64::from(target) - i64::from(value)) * i64::from(step)) >> 16;
        let value = (i64::from(value) + moved) as u32;
        let seen = if seen < SETTLED { seen + 1 } else { seen };
        self.0 = value << 10 | seen as u32;
    }
}

/// Writes or reads decisions.
pub(crate) trait Coder {
    /// One decision. A writer takes it from `decide`; a reader does not call that, and gives what
    /// was written.
    fn bit(&mut self, chance: &mut Chance, decide: impl FnOnce() -> bool) -> bool;

    /// A number of `1 << BITS == N` values, the upper bits first, each with a chance of its own
    /// that depends on those before it.
    fn tree<const N: usize>(&mut self, chances: &mut [Chance; N], value: u32) -> u32 {
        let mut node = 1;
        let mut left = N.trailing_zeros();
        while left > 0 {
            left -= 1;
            let chance = chances.get_mut(node as usize % N);
            let Some(chance) = chance else { return 0 };
            node = node << 1 | u32::from(self.bit(chance, || value >> left & 1 == 1));
        }
        node - N as u32
    }

    /// A number of `bits` bits of which nothing is known.
    fn raw(&mut self, bits: u32, value: u32) -> u32 {
        let mut read = 0;
        for at in (0..bits).rev() {
            read =
                read << 1 | u32::from(self.bit(&mut Chance::EVEN.clone(), || value >> at & 1 == 1));
        }
        read
    }
}

/// Where to cut an interval.
const fn cut(low: u32, high: u32, share: u32) -> u32 {
    low + (((high - low) as u64 * share as u64) >> 16) as u32
}

/// Writes decisions into bytes.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    state: WriterState,
}

/// What a [`Writer`] must remember while its output is lent elsewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WriterState {
    low: u32,
    high: u32,
}

impl WriterState {
    /// Nothing is written yet.
    pub(crate) const NEW: Self = Self { low: 0, high: u32::MAX };
}

impl<'a> Writer<'a> {
    /// Goes on where a writer was left.
    pub(crate) const fn resume(out: &'a mut Vec<u8>, state: WriterState) -> Self {
        Self { out, state }
    }

    /// Leaves off, to be resumed.
    pub(crate) const fn pause(self) -> WriterState {
        self.state
    }

    /// Ends: as few bytes as tell a number of the interval; what is not written reads as zero.
    pub(crate) fn finish(self) {
        let WriterState { low, high } = self.state;
        if low == 0 {
            return;
        }
        for bytes in 1..=4 {
            let rest = 32 - bytes * 8;
            // Rounded up to so many bytes.
            let mask = if rest == 0 { 0 } else { u32::MAX >> (bytes * 8) };
            if let Some(number) = low.checked_add(mask).map(|sum| sum & !mask)
                && number <= high
            {
                self.out.extend(number.to_be_bytes().into_iter().take(bytes as usize));
                return;
            }
        }
    }
}

impl Coder for Writer<'_> {
    #[inline]
    fn bit(&mut self, chance: &mut Chance, decide: impl FnOnce() -> bool) -> bool {
        let yes = decide();
        let WriterState { low, high } = &mut self.state;
        let middle = cut(*low, *high, chance.share());
        if yes {
            *high = middle;
        } else {
            *low = middle + 1;
        }
        chance.learn(yes);
        while (*low ^ *high) >> 24 == 0 {
            self.out.push((*high >> 24) as u8);
            *low <<= 8;
            *high = *high << 8 | 0xff;
        }
        yes
    }
}

/// Reads decisions from bytes. Never fails; what ends too early goes on with zeros.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    /// How many bytes were taken, those beyond the end too.
    taken: usize,
    low: u32,
    high: u32,
    at: u32,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let mut reader = Self { bytes, taken: 0, low: 0, high: u32::MAX, at: 0 };
        for _ in 0..4 {
            reader.shift();
        }
        reader
    }

    #[inline]
    fn shift(&mut self) {
        let byte = self.bytes.get(self.taken).copied().unwrap_or(0);
        self.taken = self.taken.saturating_add(1);
        self.at = self.at << 8 | u32::from(byte);
    }

    /// Whether all bytes were needed, and no more than there are but those that a writer leaves
    /// out at the end.
    pub(crate) const fn is_at_end(&self) -> bool {
        self.taken >= self.bytes.len() && self.taken <= self.bytes.len().saturating_add(4)
    }
}

impl Coder for Reader<'_> {
    #[inline]
    fn bit(&mut self, chance: &mut Chance, _: impl FnOnce() -> bool) -> bool {
        let middle = cut(self.low, self.high, chance.share());
        let yes = self.at <= middle;
        if yes {
            self.high = middle;
        } else {
            self.low = middle + 1;
        }
        chance.learn(yes);
        while (self.low ^ self.high) >> 24 == 0 {
            self.low <<= 8;
            self.high = self.high << 8 | 0xff;
            self.shift();
        }
        yes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(decisions: &[(u8, bool)]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut chances = [Chance::EVEN; 256];
        let mut writer = Writer::resume(&mut out, WriterState::NEW);
        for (which, yes) in decisions {
            writer.bit(&mut chances[*which as usize], || *yes);
        }
        writer.finish();
        out
    }

    fn read(bytes: &[u8], which: impl Iterator<Item = u8>) -> (Vec<bool>, bool) {
        let mut chances = [Chance::EVEN; 256];
        let mut reader = Reader::new(bytes);
        let all = which.map(|w| reader.bit(&mut chances[w as usize], || unreachable!())).collect();
        (all, reader.is_at_end())
    }

    proptest! {
        #[test]
        fn decisions_come_back(
            decisions in prop::collection::vec((0..4_u8, any::<bool>()), 0..600),
        ) {
            let bytes = write(&decisions);
            let (read, at_end) = read(&bytes, decisions.iter().map(|(which, _)| *which));
            prop_assert_eq!(read, decisions.iter().map(|(_, yes)| *yes).collect::<Vec<_>>());
            prop_assert!(at_end);
        }

        #[test]
        fn numbers_come_back(values in prop::collection::vec(0..64_u32, 0..50)) {
            let mut out = Vec::new();
            let mut chances = [Chance::EVEN; 64];
            let mut writer = Writer::resume(&mut out, WriterState::NEW);
            for value in &values {
                writer.tree(&mut chances, *value);
                writer.raw(6, *value);
            }
            writer.finish();
            let mut chances = [Chance::EVEN; 64];
            let mut reader = Reader::new(&out);
            for value in &values {
                prop_assert_eq!(reader.tree(&mut chances, 0), *value);
                prop_assert_eq!(reader.raw(6, 0), *value);
            }
        }

        #[test]
        fn garbage_reads_as_something(bytes in prop::collection::vec(any::<u8>(), 0..50)) {
            read(&bytes, (0..=255).cycle().take(2000));
        }
    }

    #[test]
    fn what_is_foreseen_costs_nearly_nothing() {
        let bytes = write(&vec![(0, true); 100_000]);
        assert!(bytes.len() < 200, "{} bytes", bytes.len());
    }

    #[test]
    fn bytes_that_are_not_needed_are_noticed() {
        let mut bytes = write(&[(0, true), (0, false)]);
        bytes.extend([1; 5]);
        assert!(!read(&bytes, [0, 0].into_iter()).1);
    }
}
