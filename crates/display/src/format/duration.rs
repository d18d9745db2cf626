//! Durations and ages. Pure.

use super::figure::{Digits, NO_FIGURE, figure, figure_to};

/// From this duration on only days are shown: a thousand years in seconds.
const MAX_DURATION: f64 = 86_400.0 * 365_250.0;

/// `12 s`, `2 m 10 s`, `1 h 5 m`, `2 d 3 h`: for durations updated every second.
pub fn duration(seconds: f64) -> String {
    if seconds.is_nan() || seconds >= MAX_DURATION {
        return if seconds.is_finite() {
            format!("{} d", figure((seconds / 86_400.0).floor()))
        } else {
            NO_FIGURE.to_owned()
        };
    }
    let whole = seconds.max(0.0) as u64;
    let (days, hours, minutes, rest) = (whole / 86_400, whole / 3_600 % 24, whole / 60 % 60, whole % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, _) => format!("{minutes} m {rest} s"),
        (0, _, _) => format!("{hours} h {minutes} m"),
        _ => format!("{days} d {hours} h"),
    }
}

/// As [`duration`], with tenths below 10 s and milliseconds below 1 s: for final durations.
pub fn span(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    if seconds < 0.9995 {
        format!("{:.0} ms", seconds * 1e3)
    } else if seconds < 9.95 {
        format!("{seconds:.1} s")
    } else {
        duration(seconds)
    }
}

/// As [`span`], in seconds with more digits where these are needed to differ from another.
pub fn span_to(seconds: f64, digits: Digits) -> String {
    digits.fewer().map_or_else(|| span(seconds), |digits| format!("{} s", figure_to(seconds, digits)))
}

/// `+31 ms`: time since the first step of a receipt.
pub fn offset(seconds: f64) -> String {
    if seconds.abs() < 9.9995 {
        format!("+{:.0} ms", seconds.max(0.0) * 1e3)
    } else {
        format!("+{}", duration(seconds))
    }
}

/// `about 40 s`: rounded to the precision of a forecast.
pub fn about(seconds: f64) -> String {
    if !seconds.is_finite() {
        return String::new();
    }
    let to = |step: f64| duration((seconds / step).round().max(1.0) * step);
    let text = match seconds {
        s if s < 10.0 => to(1.0),
        s if s < 60.0 => to(5.0),
        s if s < 600.0 => to(10.0),
        s if s < 3_600.0 => format!("{:.0} m", seconds / 60.0),
        s if s < 86_400.0 => to(300.0),
        _ => to(3_600.0),
    };
    format!("about {text}")
}

/// `12 s ago`, `2 m ago`, `3 h ago`, `5 d ago`
pub fn ago(seconds: f64) -> String {
    if seconds.is_nan() || seconds >= MAX_DURATION {
        return format!("{} ago", duration(seconds));
    }
    let whole = seconds.max(0.0) as u64;
    match whole {
        0 => "just now".to_owned(),
        1..60 => format!("{whole} s ago"),
        60..3_600 => format!("{} m ago", whole / 60),
        3_600..86_400 => format!("{} h ago", whole / 3_600),
        _ => format!("{} d ago", whole / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn durations_are_readable_at_a_glance() {
        assert_eq!(duration(0.0), "0 s");
        assert_eq!(duration(-3.0), "0 s");
        assert_eq!(duration(59.9), "59 s");
        assert_eq!(duration(130.0), "2 m 10 s");
        assert_eq!(duration(3_900.0), "1 h 5 m");
        assert_eq!(duration(2.0 * 86_400.0 + 3.0 * 3_600.0), "2 d 3 h");
        assert_eq!(span(0.0314), "31 ms");
        assert_eq!(span(3.24), "3.2 s");
        assert_eq!(span(75.0), "1 m 15 s");
        assert_eq!(offset(0.031), "+31 ms");
        assert_eq!(offset(12.0), "+12 s");
    }

    #[test]
    fn a_forecast_is_rounded_to_its_precision() {
        assert_eq!(about(41.7), "about 40 s");
        assert_eq!(about(0.2), "about 1 s");
        assert_eq!(about(128.0), "about 2 m 10 s");
        assert_eq!(about(725.0), "about 12 m");
        assert_eq!(about(11_000.0), "about 3 h 5 m");
        assert_eq!(about(f64::INFINITY), "");
    }

    #[test]
    fn ages_use_the_most_useful_unit() {
        assert_eq!(ago(0.4), "just now");
        assert_eq!(ago(12.9), "12 s ago");
        assert_eq!(ago(150.0), "2 m ago");
        assert_eq!(ago(7_300.0), "2 h ago");
        assert_eq!(ago(200_000.0), "2 d ago");
    }

    #[test]
    fn a_very_long_duration_is_in_days() {
        assert_eq!(duration(1e300), "1.15741e295 d");
        assert_eq!(duration(f64::INFINITY), "–");
    }

    proptest::proptest! {
        #[test]
        fn no_duration_panics(n: f64) {
            let _ = (duration(n), span(n), offset(n), about(n), ago(n));
        }
    }
}
