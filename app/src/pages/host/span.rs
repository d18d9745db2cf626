//! Time that a host's charts show, as in the URL: the last minutes or days, live, or a fixed time. Pure.

use live::query;
use protocol::Time;

/// Choices: name in the URL, label, seconds.
pub static CHOICES: [(&str, &str, u32); 6] = [
    ("15m", "15 min", 900),
    ("1h", "1 h", 3_600),
    ("6h", "6 h", 21_600),
    ("24h", "24 h", 86_400),
    ("7d", "7 d", 604_800),
    ("90d", "90 d", 7_776_000),
];
/// Default choice.
const DEFAULT: usize = 1;
/// Number of buckets of a chart: about half its width in pixels.
pub const BUCKETS: u32 = 600;
/// Shortest fixed time in seconds: shorter ones have too few samples for a curve.
const MIN_SECONDS: i64 = 20;
/// Shortest interval between two requests of a live chart, in seconds: samples arrive that often.
const MIN_REFRESH_SECONDS: u32 = 5;

/// Time of the charts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Span {
    /// The last seconds, up to now: one of [`CHOICES`], by its place.
    Live(usize),
    /// Seconds since 1970.
    Fixed { from: i64, to: i64 },
}

impl Span {
    /// From the parameters of the URL; the default if they make no sense.
    pub fn parse(range: Option<&str>, from: Option<&str>, to: Option<&str>) -> Self {
        let second = |text: Option<&str>| Time::parse(text?).ok().map(|at| at.micros().div_euclid(1_000_000));
        if let (Some(from), Some(to)) = (second(from), second(to))
            && to - from >= MIN_SECONDS
        {
            return Self::Fixed { from, to };
        }
        let choice = CHOICES.iter().position(|(name, ..)| Some(*name) == range);
        Self::Live(choice.unwrap_or(DEFAULT))
    }

    /// Fixed time of a zoom.
    pub fn zoomed(from: f64, to: f64) -> Self {
        let (from, to) = (from.floor() as i64, to.ceil() as i64);
        let missing = (MIN_SECONDS - (to - from)).max(0);
        Self::Fixed { from: from - missing / 2, to: to + missing - missing / 2 }
    }

    /// Query of the URL, with its question mark.
    pub fn query(self) -> String {
        match self {
            Self::Live(choice) => format!("?range={}", CHOICES[choice].0),
            Self::Fixed { from, to } => {
                let time = |second: i64| query::encode(&Time::from_micros(second * 1_000_000).to_string());
                format!("?from={}&to={}", time(from), time(to))
            }
        }
    }

    /// Beginning and end, in seconds since 1970.
    pub fn bounds(self, now: Time) -> (i64, i64) {
        match self {
            Self::Fixed { from, to } => (from, to),
            Self::Live(choice) => {
                let to = now.micros().div_euclid(1_000_000);
                (to - i64::from(CHOICES[choice].2), to)
            }
        }
    }

    /// Interval of requests in seconds: a bucket. `None` for a fixed time.
    pub fn refresh_seconds(self) -> Option<u32> {
        match self {
            Self::Fixed { .. } => None,
            Self::Live(choice) => Some((CHOICES[choice].2 / BUCKETS).max(MIN_REFRESH_SECONDS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_the_same_after_its_way_through_the_url() {
        for span in [Span::Live(0), Span::Live(5), Span::Fixed { from: 1_000_000, to: 1_000_900 }] {
            let query = query::pairs(&span.query());
            let part = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
            assert_eq!(Span::parse(part("range"), part("from"), part("to")), span);
        }
        assert_eq!(Span::parse(None, None, None), Span::Live(DEFAULT));
        assert_eq!(Span::parse(Some("3 weeks"), Some("x"), None), Span::Live(DEFAULT));
    }

    #[test]
    fn a_zoom_into_less_than_a_curve_needs_is_widened_around_it() {
        assert_eq!(Span::zoomed(100.2, 103.7), Span::Fixed { from: 92, to: 112 });
        assert_eq!(Span::zoomed(100.0, 200.0), Span::Fixed { from: 100, to: 200 });
    }

    #[test]
    fn a_live_time_ends_now_and_is_requested_as_often_as_a_bucket_is_long() {
        let now = Time::from_micros(10_000_500_000);
        assert_eq!(Span::Live(0).bounds(now), (9_100, 10_000));
        assert_eq!(Span::Live(0).refresh_seconds(), Some(5));
        assert_eq!(Span::Live(5).refresh_seconds(), Some(12_960));
        assert_eq!(Span::Fixed { from: 1, to: 50 }.refresh_seconds(), None);
    }
}
