//! Counts, rates, sizes and percentages. Pure.

use super::figure::{NO_FIGURE, figure};

/// A whole number with thousands separators: `20,758`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: `1 row`, `20,758 rows`.
pub fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(n), if n == 1 { one } else { many })
}

/// `2 firing, 1 unknown`; empty without any alerts.
pub fn alert_counts(firing: u64, unknown: u64) -> String {
    match (firing, unknown) {
        (0, 0) => String::new(),
        (firing, 0) => format!("{} firing", count(firing)),
        (0, unknown) => format!("{} unknown", count(unknown)),
        (firing, unknown) => format!("{} firing, {} unknown", count(firing), count(unknown)),
    }
}

/// Ordinal number: `1st`, `2nd`, `3rd`, `11th`.
pub fn ordinal(n: u32) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{}{ending}", count(u64::from(n)))
}

/// Names as a list: `a`, `a and b`, `a, b and c`.
pub fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_in_thousands() {
        assert_eq!([0, 7, 999, 1_000].map(count), ["0", "7", "999", "1,000"]);
        assert_eq!([20_758, 1_234_567].map(count), ["20,758", "1,234,567"]);
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn one_is_singular_and_zero_is_plural() {
        assert_eq!((counted(1, "row", "rows"), counted(0, "row", "rows")), ("1 row".into(), "0 rows".into()));
    }

    #[test]
    fn ordinals_have_their_english_suffix() {
        let all = [1, 2, 3, 4, 11, 12, 13, 21, 102, 1_003, 1_111].map(ordinal);
        assert_eq!(
            all,
            ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "1,003rd", "1,111th"]
        );
    }

    #[test]
    fn the_last_item_of_a_list_follows_and() {
        assert_eq!(listed(&["a"]), "a");
        assert_eq!(listed(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn rates_have_at_most_three_significant_digits() {
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
    fn full_completion_is_shown_only_when_it_is_complete() {
        assert_eq!(percent(0.999), "99 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.5678), "56 %");
        assert_eq!(percent(7.0), "100 %");
    }

    #[test]
    fn an_unrepresentable_number_is_never_shown_as_another() {
        assert_eq!(compact(1e308), "1e308");
        assert_eq!(rate(1.5e18, "rows"), "1.5e18 rows/s");
        assert_eq!(bytes_of(f64::INFINITY), "–");
    }

    proptest::proptest! {
        #[test]
        fn no_number_panics(n: f64) {
            let _ = (compact(n), percent(n), bytes_of(n));
        }
    }
}
