//! `wait` of a long poll.

use serde::Deserialize;
use std::str::FromStr;
use std::time::Duration;

/// Longest wait of a poll; proxies close silent connections after a minute.
pub const MAX_WAIT: Duration = Duration::from_secs(30);

/// Wait of a long poll: `25s`, `500ms`, or seconds without a unit. At most [`MAX_WAIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Wait(Duration);

impl Wait {
    /// The duration.
    pub fn duration(self) -> Duration {
        self.0
    }
}

impl FromStr for Wait {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, unit) = match text.strip_suffix("ms") {
            Some(number) => (number, 1e-3),
            None => (text.strip_suffix('s').unwrap_or(text), 1.0),
        };
        match number.parse::<f64>() {
            Ok(number) if number.is_finite() && number >= 0.0 => {
                Ok(Self(Duration::from_secs_f64((number * unit).min(MAX_WAIT.as_secs_f64()))))
            }
            _ => {
                let text: String = text.chars().take(20).collect();
                Err(format!("'{text}' is not a duration. Give seconds or milliseconds, such as 25s or 500ms"))
            }
        }
    }
}

impl TryFrom<String> for Wait {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_has_seconds_or_milliseconds_and_a_maximum() {
        let wait = |text: &str| text.parse().ok().map(Wait::duration);
        assert_eq!(wait("25s"), Some(Duration::from_secs(25)));
        assert_eq!(wait("25"), Some(Duration::from_secs(25)));
        assert_eq!(wait("0.5s"), Some(Duration::from_millis(500)));
        assert_eq!(wait("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(wait("1000000"), Some(MAX_WAIT));
        assert_eq!(wait("1e300"), Some(MAX_WAIT));
        for bad in ["-1", "-1ms", "NaN", "inf", "soon", "s", "ms", "", "1m"] {
            assert_eq!(wait(bad), None, "{bad}");
        }
    }
}
