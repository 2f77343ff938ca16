//! Single bits in bytes, the upper first.

/// Puts bits behind what is in a vector.
#[derive(Debug)]
pub(crate) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    state: BitState,
}

/// Bits that do not fill a byte yet, of a writer that pauses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BitState {
    /// The last `count` bits of it.
    bits: u64,
    count: u32,
}

impl BitState {
    pub(crate) const EMPTY: Self = Self { bits: 0, count: 0 };
}

impl<'a> BitWriter<'a> {
    pub(crate) const fn resume(out: &'a mut Vec<u8>, state: BitState) -> Self {
        Self { out, state }
    }

    pub(crate) const fn pause(self) -> BitState {
        self.state
    }

    /// Puts the lower `count` bits of `bits`, at most 32; the others must be zero.
    #[inline]
    pub(crate) fn put(&mut self, bits: u32, count: u32) {
        let state = &mut self.state;
        state.bits = state.bits << count | u64::from(bits);
        state.count += count;
        if state.count >= 32 {
            state.count -= 32;
            self.out.extend_from_slice(&((state.bits >> state.count) as u32).to_be_bytes());
        }
    }

    /// Fills the last byte with zeros.
    pub(crate) fn finish(mut self) {
        let padding = self.state.count.wrapping_neg() % 8;
        self.put(0, padding);
        let BitState { bits, count } = self.state;
        let rest = ((bits << (32 - count)) as u32).to_be_bytes();
        self.out.extend_from_slice(rest.get(..count as usize / 8).unwrap_or_default());
    }
}

/// Takes bits out of bytes; zeros when there are none left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BitReader<'a> {
    rest: &'a [u8],
    /// The next bits, from the uppermost on.
    bits: u64,
    /// How many of them there are.
    count: u32,
    /// Bits that were taken and were not there.
    missing: u64,
}

impl<'a> BitReader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, bits: 0, count: 0, missing: 0 }
    }

    /// Fills up to at least 32 bits, if so many are left.
    #[inline]
    fn fill(&mut self) {
        if self.count >= 32 {
            return;
        }
        if let Some((next, rest)) = self.rest.split_first_chunk() {
            self.bits |= u64::from(u32::from_be_bytes(*next)) << (32 - self.count);
            self.count += 32;
            self.rest = rest;
            return;
        }
        while self.count < 32
            && let Some((next, rest)) = self.rest.split_first()
        {
            self.bits |= u64::from(*next) << (56 - self.count);
            self.count += 8;
            self.rest = rest;
        }
    }

    #[inline]
    fn drop(&mut self, count: u32) {
        self.bits <<= count;
        if count > self.count {
            self.missing += u64::from(count - self.count);
            self.count = 0;
        } else {
            self.count -= count;
        }
    }

    /// The next `count` bits, at most 32.
    #[inline]
    pub(crate) fn take(&mut self, count: u32) -> u32 {
        self.fill();
        // In two steps: a shift by 64 is none.
        let bits = (self.bits >> 1 >> (63 - count)) as u32;
        self.drop(count);
        bits
    }

    /// How many ones come next, at most `most` (below 32), and passes over the zero after fewer.
    #[inline]
    pub(crate) fn ones(&mut self, most: u32) -> u32 {
        self.fill();
        let ones = (!self.bits).leading_zeros().min(most);
        self.drop(if ones < most { ones + 1 } else { ones });
        ones
    }

    /// Whether all bits were used, but for zeros that fill the last byte, and no more.
    pub(crate) const fn is_at_end(&self) -> bool {
        self.rest.is_empty() && self.count < 8 && self.bits == 0 && self.missing == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(numbers: &[(u32, u32)]) -> Vec<u8> {
        let mut out = vec![0xaa];
        let mut state = BitState::EMPTY;
        for (bits, count) in numbers {
            let mut writer = BitWriter::resume(&mut out, state);
            writer.put(*bits, *count);
            state = writer.pause();
        }
        BitWriter::resume(&mut out, state).finish();
        assert_eq!(out.remove(0), 0xaa, "what was there before stays");
        out
    }

    fn numbers() -> impl Strategy<Value = Vec<(u32, u32)>> {
        let number = (any::<u32>(), 0..=32_u32)
            .prop_map(|(bits, count)| (bits & ((1_u64 << count) - 1) as u32, count));
        prop::collection::vec(number, 0..60)
    }

    proptest! {
        #[test]
        fn numbers_come_back_and_nothing_is_left(numbers in numbers()) {
            let bytes = write(&numbers);
            let total: u32 = numbers.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(bytes.len(), total.div_ceil(8) as usize);
            let mut reader = BitReader::new(&bytes);
            for (bits, count) in numbers {
                prop_assert_eq!(reader.take(count), bits);
            }
            prop_assert!(reader.is_at_end());
        }

        #[test]
        fn ones_come_back(runs in prop::collection::vec(0..12_u32, 0..60)) {
            let codes: Vec<_> = runs.iter().map(|ones| (((1 << ones) - 1) << 1, ones + 1)).collect();
            let bytes = write(&codes);
            let mut reader = BitReader::new(&bytes);
            for ones in runs {
                prop_assert_eq!(reader.ones(12), ones);
            }
            prop_assert!(reader.is_at_end());
        }

        #[test]
        fn bytes_too_few_or_too_many_are_noticed(numbers in numbers(), extra: u8) {
            let mut bytes = write(&numbers);
            let read = |bytes: &[u8]| {
                let mut reader = BitReader::new(bytes);
                for (_, count) in &numbers {
                    reader.take(*count);
                }
                reader.is_at_end()
            };
            bytes.push(extra);
            prop_assert!(!read(&bytes));
            bytes.pop();
            if bytes.pop().is_some() {
                prop_assert!(!read(&bytes));
            }
        }
    }
}
