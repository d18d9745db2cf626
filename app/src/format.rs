//! Numbers and times as text. Pure: the same value always gives the same text.
//!
//! Times are in UTC without a zone: it is displayed beside them, or added by [`crate::zone`]. Nothing here reads a
//! clock.

mod figure;

pub use figure::{
    Digits, NO_FIGURE, PLAIN_SIZES, Write, are_told_apart, decimal, exponent, figure, figure_to, is_same,
    ratio_to, reads_same, scientific, share, share_to, signed, tell_apart,
};

pub use counts::thousands as count;
use protocol::Time;

/// `3.4`, `812`, `1.2k`, `48M`: at most three digits, for rates. Larger numbers have an exponent.
pub fn compact(n: f64) -> String {
    let size = n.abs();
    if size.is_nan() || size >= 999_500_000_000.0 {
        return figure(n);
    }
    for (above, unit, factor) in [(999_500_000.0, "G", 1e9), (999_500.0, "M", 1e6), (999.5, "k", 1e3)] {
        if size >= above {
            return format!("{}{unit}", short_decimal(n / factor));
        }
    }
    short_decimal(n)
}

/// One decimal below ten, none above, without a trailing zero.
fn short_decimal(n: f64) -> String {
    if n.abs() < 9.95 {
        let text = format!("{n:.1}");
        text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
    } else {
        format!("{n:.0}")
    }
}

/// `1.2k rows/s`
pub fn rate(per_second: f64, unit: &str) -> String {
    match unit {
        "" => format!("{}/s", compact(per_second)),
        unit => format!("{} {unit}/s", compact(per_second)),
    }
}

/// `48.2 MiB`
pub fn bytes(n: u64) -> String {
    bytes_of(n as f64)
}

/// As [`bytes`], for a mean or a rate.
pub fn bytes_of(n: f64) -> String {
    let mut size = n.max(0.0);
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] {
        if size < 1023.95 {
            break;
        }
        size /= 1024.0;
        unit = next;
    }
    match unit {
        _ if !n.is_finite() => NO_FIGURE.to_owned(),
        "B" => format!("{size:.0} B"),
        unit => format!("{size:.1} {unit}"),
    }
}

/// `56 %`; 100 only when exact.
pub fn percent(fraction: f64) -> String {
    if fraction.is_nan() {
        return NO_FIGURE.to_owned();
    }
    let whole = (fraction.clamp(0.0, 1.0) * 100.0).floor();
    format!("{whole:.0} %")
}

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

/// Calendar fields of a time in UTC.
struct Parts {
    year: i64,
    month: i64,
    day: i64,
    second_of_day: i64,
    micros: i64,
}

fn parts(time: Time) -> Parts {
    let micros = time.micros();
    let (seconds, micros) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days to a date by 400-year eras that start on 1 March.
    let since = days + 719_468;
    let (era, day_of_era) = (since.div_euclid(146_097), since.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Parts { year, month, day, second_of_day, micros }
}

/// `2026-11-23`
pub fn day(time: Time) -> String {
    let p = parts(time);
    format!("{:04}-{:02}-{:02}", p.year, p.month, p.day)
}

/// `10:41:07`, without zone.
pub fn clock(time: Time) -> String {
    let s = parts(time).second_of_day;
    format!("{:02}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60)
}

/// `10:43:17.204`
pub fn clock_millis(time: Time) -> String {
    format!("{}.{:03}", clock(time), parts(time).micros / 1_000)
}

/// Time of a bar: `2024-03-01`, or `2024-03-01 14:30` unless midnight.
pub fn bar_time(time: Time) -> String {
    let clock = clock(time);
    match clock.strip_suffix(":00") {
        Some("00:00") => day(time),
        Some(minutes) => format!("{} {minutes}", day(time)),
        None => format!("{} {clock}", day(time)),
    }
}

/// JSON value of a result: strings without quotes, numbers formatted.
pub fn value(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Number(n) if n.is_f64() => n.as_f64().map_or_else(|| n.to_string(), figure),
        other => param(other),
    }
}

/// JSON value of a parameter: as [`value`], with all digits.
pub fn param(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(s) => s.clone(),
        serde_json::Value::Number(n) => match (n.as_u64(), n.as_i64(), n.as_f64()) {
            (Some(n), ..) => count(n),
            (None, Some(n), _) => format!("−{}", count(n.unsigned_abs())),
            (None, None, Some(n)) => exact(n),
            _ => n.to_string(),
        },
        serde_json::Value::Null => NO_FIGURE.to_owned(),
        serde_json::Value::Bool(true) => "yes".to_owned(),
        serde_json::Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    }
}

/// All digits. JSON writes 10000.0 for a float of 10,000.
fn exact(n: f64) -> String {
    let size = n.abs();
    let text = if size == 0.0 || (1e-4..1e15).contains(&size) {
        figure::grouped(&size.to_string())
    } else {
        format!("{size:e}")
    };
    if n < 0.0 { format!("−{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(text: &str) -> Time {
        Time::parse(text).unwrap()
    }

    #[test]
    fn counts_are_grouped_in_thousands() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(20_758), "20,758");
        assert_eq!(count(1_234_567), "1,234,567");
    }

    #[test]
    fn rates_have_three_figures_at_most() {
        assert_eq!(rate(1_234.0, "rows"), "1.2k rows/s");
        assert_eq!(rate(999.7, "rows"), "1k rows/s");
        assert_eq!(rate(812.4, ""), "812/s");
        assert_eq!(rate(3.42, ""), "3.4/s");
        assert_eq!(compact(48_200_000.0), "48M");
        assert_eq!(compact(1_000_000.0), "1M");
        assert_eq!(compact(0.0), "0");
        assert_eq!(compact(f64::NAN), "–");
    }

    #[test]
    fn bytes_are_counted_in_powers_of_1024() {
        assert_eq!(bytes(512), "512 B");
        assert_eq!(bytes(1_024), "1.0 KiB");
        assert_eq!(bytes(50_541_363), "48.2 MiB");
    }

    #[test]
    fn a_hundred_percent_is_said_only_when_it_is_true() {
        assert_eq!(percent(0.999), "99 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.5678), "56 %");
        assert_eq!(percent(7.0), "100 %");
    }

    #[test]
    fn durations_are_read_at_a_glance() {
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
    fn a_forecast_is_no_more_exact_than_it_can_be() {
        assert_eq!(about(41.7), "about 40 s");
        assert_eq!(about(0.2), "about 1 s");
        assert_eq!(about(128.0), "about 2 m 10 s");
        assert_eq!(about(725.0), "about 12 m");
        assert_eq!(about(11_000.0), "about 3 h 5 m");
        assert_eq!(about(f64::INFINITY), "");
    }

    #[test]
    fn ages_are_in_the_unit_that_matters() {
        assert_eq!(ago(0.4), "just now");
        assert_eq!(ago(12.9), "12 s ago");
        assert_eq!(ago(150.0), "2 m ago");
        assert_eq!(ago(7_300.0), "2 h ago");
        assert_eq!(ago(200_000.0), "2 d ago");
    }

    #[test]
    fn times_are_utc_and_say_so() {
        let t = time("2026-11-23T10:43:17.204113Z");
        assert_eq!(clock_millis(t), "10:43:17.204");
        assert_eq!(day(time("2024-02-29T23:59:59Z")), "2024-02-29");
        assert_eq!(day(time("1969-12-31T23:59:59Z")), "1969-12-31");
        assert_eq!(bar_time(time("2024-03-01T00:00:00Z")), "2024-03-01");
        assert_eq!(bar_time(time("2024-03-01T14:30:00Z")), "2024-03-01 14:30");
    }

    #[test]
    fn what_a_number_can_not_hold_is_no_other_number() {
        assert_eq!(compact(1e308), "1e308");
        assert_eq!(rate(1.5e18, "rows"), "1.5e18 rows/s");
        assert_eq!(duration(1e300), "1.15741e295 d");
        assert_eq!(duration(f64::INFINITY), "–");
        assert_eq!(bytes_of(f64::INFINITY), "–");
    }

    #[test]
    fn a_param_has_every_digit_and_a_result_those_of_a_figure() {
        let both = |text: &str| {
            let json = serde_json::from_str(text).unwrap();
            (param(&json), value(&json))
        };
        let same = |text: &str| (text.to_owned(), text.to_owned());
        assert_eq!(both("0.123456789"), ("0.123456789".to_owned(), "0.123457".to_owned()));
        assert_eq!(both("10000.0"), same("10,000"));
        assert_eq!(both("-10000"), same("−10,000"));
        assert_eq!(both("18446744073709551615"), same("18,446,744,073,709,551,615"));
        assert_eq!(both("1e308"), same("1e308"));
        assert_eq!(both("1e-7"), same("1e-7"));
        assert_eq!(both("null"), same("–"));
    }

    proptest! {
        #[test]
        fn a_day_is_the_calendars_day(micros in -2_000_000_000_000_000i64..4_000_000_000_000_000) {
            let t = Time::from_micros(micros);
            let exact = t.to_string();
            prop_assert_eq!(day(t), &exact[..10]);
            prop_assert_eq!(clock_millis(t), &exact[11..23]);
        }

        #[test]
        fn no_figure_makes_a_format_panic(n: f64) {
            let _ = (compact(n), percent(n), bytes_of(n), duration(n), span(n), offset(n), about(n), ago(n), exact(n));
        }
    }
}
