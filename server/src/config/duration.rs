//! Durations in configuration files: a whole number and a unit, as in `250ms`, `20s`, `10min`,
//! `24h`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serializer, de};

const UNITS: [(&str, u64); 4] = [("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)];

pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
    let milliseconds = u64::try_from(value.as_millis()).unwrap_or(u64::MAX);
    let (unit, length) = UNITS
        .into_iter()
        .find(|(_, length)| milliseconds % length == 0 && milliseconds >= *length)
        .unwrap_or(("ms", 1));
    to.serialize_str(&format!("{}{unit}", milliseconds / length))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
    parse(&text).ok_or_else(|| {
        de::Error::custom(format!(
            "{text:?} is not a duration; write one as 250ms, 20s, 10min, 24h"
        ))
    })
}

fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at_checked(digits)?;
    let (_, length) = UNITS.into_iter().find(|(name, _)| *name == unit.trim())?;
    Some(Duration::from_millis(number.parse::<u64>().ok()?.checked_mul(length)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn understands_all_units_and_nothing_else() {
        let ms = |text| parse(text).map(|duration| duration.as_millis());
        assert_eq!(ms("250ms"), Some(250));
        assert_eq!(ms("20 s"), Some(20_000));
        assert_eq!(ms("10min"), Some(600_000));
        assert_eq!(ms("24h"), Some(86_400_000));
        for text in ["", "s", "20", "-1s", "1.5s", "20 parsecs", "99999999999999999999s"] {
            assert_eq!(ms(text), None, "{text}");
        }
    }
}
