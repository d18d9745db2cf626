//! Point in time in UTC with microseconds; RFC 3339 on the wire.

use crate::rfc3339::{self, TimeError};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Point in time in UTC with microseconds, such as `2026-11-23T10:41:07.204113Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
pub struct Time(i64);

/// Range that RFC 3339 and time zone libraries support, in microseconds since 1970.
const EDGES: (i64, i64) = (-62_167_219_200_000_000, 253_402_207_200_999_999);

impl Time {
    /// Current time of the operating system's clock.
    #[cfg(feature = "native")]
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_microsecond())
    }

    /// From microseconds since 1970, clamped to the supported range.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(EDGES.0, EDGES.1))
    }

    /// From milliseconds since 1970, as a browser's clock gives them.
    pub fn from_millis(millis: f64) -> Self {
        Self::from_micros((millis * 1000.0) as i64)
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since 1970, as JavaScript counts.
    pub fn millis(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Seconds from `earlier` to this time; negative if `earlier` is later.
    pub fn seconds_since(self, earlier: Time) -> f64 {
        (self.0 - earlier.0) as f64 / 1e6
    }

    /// This time plus a number of microseconds.
    pub fn plus_micros(self, micros: i64) -> Self {
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// The same time as a `jiff` timestamp, for formatting.
    #[cfg(feature = "native")]
    pub fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).expect("from_micros clamps to the supported range")
    }

    /// Parses RFC 3339 text with a time zone.
    ///
    /// # Errors
    /// If the text is not RFC 3339, or has no time zone.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        rfc3339::read(text).map(Self::from_micros)
    }

    /// Whether a text is a day, such as `2026-11-23`.
    pub fn is_day(text: &str) -> bool {
        rfc3339::is_day(text)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        rfc3339::write(self.0, f)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Time::parse(&text).map_err(|e| {
            serde::de::Error::custom(format!("'{text}' is not a time like 2026-11-23T10:41:07Z: {e}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_time_parses_back_from_its_text(micros in -2_000_000_000_000_000i64..4_000_000_000_000_000) {
            let time = Time::from_micros(micros);
            prop_assert_eq!(Time::parse(&time.to_string()).unwrap(), time);
            let json = serde_json::to_string(&time).unwrap();
            prop_assert_eq!(serde_json::from_str::<Time>(&json).unwrap(), time);
        }
    }

    #[test]
    fn a_time_without_a_zone_is_rejected() {
        assert!(serde_json::from_str::<Time>("\"2026-11-23T10:41:07\"").is_err());
        assert_eq!(Time::parse("2026-11-23T10:41:07Z").unwrap().to_string(), "2026-11-23T10:41:07.000000Z");
    }
}
