//! The nine digits by which people find each other.

use std::fmt;
use std::str::FromStr;

use rand_core::CryptoRngCore;
use serde::{Deserialize, Serialize};

/// A session number: nine digits, the first not zero. An address, never a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct SessionNumber(u32);

/// What was typed is not a session number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a session number has nine digits, the first of them not 0, as in 123 456 789")]
pub struct InvalidNumber;

impl SessionNumber {
    /// The smallest.
    pub const MIN: u32 = 100_000_000;
    /// The largest.
    pub const MAX: u32 = 999_999_999;

    /// Draws one, each with the same probability.
    pub fn random(rng: &mut impl CryptoRngCore) -> Self {
        const SPAN: u32 = SessionNumber::MAX - SessionNumber::MIN + 1;
        // The largest multiple of SPAN that fits: values above it would favour small numbers.
        const LIMIT: u32 = u32::MAX - u32::MAX % SPAN;
        loop {
            let drawn = rng.next_u32();
            if drawn < LIMIT {
                return Self(Self::MIN + drawn % SPAN);
            }
        }
    }
}

impl TryFrom<u32> for SessionNumber {
    type Error = InvalidNumber;

    fn try_from(value: u32) -> Result<Self, InvalidNumber> {
        if (Self::MIN..=Self::MAX).contains(&value) { Ok(Self(value)) } else { Err(InvalidNumber) }
    }
}

impl From<SessionNumber> for u32 {
    fn from(number: SessionNumber) -> Self {
        number.0
    }
}

impl fmt::Display for SessionNumber {
    /// In groups of three, as people read it out: `123 456 789`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:03} {:03}", self.0 / 1_000_000, self.0 / 1000 % 1000, self.0 % 1000)
    }
}

impl FromStr for SessionNumber {
    type Err = InvalidNumber;

    /// Reads nine digits; spaces, dots and dashes between them are passed over.
    fn from_str(text: &str) -> Result<Self, InvalidNumber> {
        let mut value: u32 = 0;
        let mut digits = 0;
        for c in text.trim().chars() {
            match c {
                '0'..='9' if digits < 9 => {
                    value = value * 10 + (c as u32 - '0' as u32);
                    digits += 1;
                }
                ' ' | '-' | '.' | '\u{a0}' => {}
                _ => return Err(InvalidNumber),
            }
        }
        if digits == 9 { Self::try_from(value) } else { Err(InvalidNumber) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn reads_what_it_writes(value in SessionNumber::MIN..=SessionNumber::MAX) {
            let number = SessionNumber::try_from(value).unwrap();
            prop_assert_eq!(number.to_string().parse::<SessionNumber>(), Ok(number));
            prop_assert_eq!(value.to_string().parse::<SessionNumber>(), Ok(number));
        }

        #[test]
        fn any_text_is_a_number_or_an_error(text in ".{0,40}") {
            if let Ok(number) = text.parse::<SessionNumber>() {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                prop_assert_eq!(digits, u32::from(number).to_string());
            }
        }
    }

    #[test]
    fn refuses_too_few_too_many_and_a_leading_zero() {
        for text in ["", "12345678", "1234567890", "012345678", "12345678a", "１２３456789"] {
            assert_eq!(text.parse::<SessionNumber>(), Err(InvalidNumber), "{text}");
        }
    }

    #[test]
    fn random_numbers_are_in_range_and_differ() {
        let mut rng = rand_core::OsRng;
        let drawn: std::collections::HashSet<u32> =
            (0..1000).map(|_| SessionNumber::random(&mut rng).into()).collect();
        assert!(drawn.iter().all(|n| (SessionNumber::MIN..=SessionNumber::MAX).contains(n)));
        assert!(drawn.len() > 990);
    }
}
