//! A number of values between two ends, evenly or by equal ratios.

use crate::MAX_RUNS;

/// Significant digits of the values between the ends.
const DIGITS: usize = 6;

/// `count` ascending values from `from` to `to`, as text. With `log`, each is a fixed multiple of the one before.
/// With `whole`, they are rounded to whole numbers, and equal ones are merged.
///
/// # Errors
/// A sentence that says which of the numbers is wrong.
pub fn spread(from: &str, to: &str, count: &str, log: bool, whole: bool) -> Result<Vec<String>, String> {
    let number = |text: &str, name: &str| {
        let n = json::float(text.trim()).filter(|n| n.is_finite());
        n.ok_or_else(|| format!("{name} must be a number."))
    };
    let (from, to, count) =
        (number(from, "'From'")?, number(to, "'To'")?, number(count, "The number of values")?);
    if to <= from {
        return Err("'To' must be larger than 'From'.".to_owned());
    }
    if log && from <= 0.0 {
        return Err("A logarithmic range must begin above 0.".to_owned());
    }
    if count.fract() != 0.0 || !(2.0..=MAX_RUNS as f64).contains(&count) {
        return Err(format!("The number of values must be a whole number from 2 to {MAX_RUNS}."));
    }
    let last = count - 1.0;
    let at = |n: f64| match n {
        // The ends are exact.
        0.0 => from,
        n if n == last => to,
        n if log => from * (to / from).powf(n / last),
        n => from + (to - from) * (n / last),
    };
    let mut all: Vec<String> = (0..count as usize)
        .map(|n| at(n as f64))
        .map(|value| if whole { value.round() } else { short(value) }.to_string())
        .collect();
    all.dedup();
    Ok(all)
}

/// The number with at most [`DIGITS`] significant digits.
fn short(value: f64) -> f64 {
    json::float(&format!("{value:.*e}", DIGITS - 1)).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(from: &str, to: &str, count: &str, log: bool, whole: bool) -> String {
        spread(from, to, count, log, whole).map_or_else(|why| why, |all| all.join(" "))
    }

    #[test]
    fn values_are_spread_evenly_or_by_equal_ratios() {
        assert_eq!(of("0", "1", "5", false, false), "0 0.25 0.5 0.75 1");
        assert_eq!(of("0.0001", "0.1", "4", true, false), "0.0001 0.001 0.01 0.1");
        assert_eq!(of("1", "3", "3", true, false), "1 1.73205 3");
        assert_eq!(of("-1", "1", "2", false, false), "-1 1");
    }

    #[test]
    fn whole_numbers_are_rounded_and_equal_ones_merged() {
        assert_eq!(of("5", "100", "4", true, true), "5 14 37 100");
        assert_eq!(of("1", "3", "9", false, true), "1 2 3");
    }

    #[test]
    fn a_range_without_values_says_why() {
        assert_eq!(of("x", "1", "3", false, false), "'From' must be a number.");
        assert_eq!(of("2", "1", "3", false, false), "'To' must be larger than 'From'.");
        assert_eq!(of("0", "1", "3", true, false), "A logarithmic range must begin above 0.");
        for count in ["1", "2.5", "401"] {
            assert!(of("0", "1", count, false, false).contains("from 2 to 400"), "{count}");
        }
    }

    proptest! {
        #[test]
        fn values_ascend_from_one_end_to_the_other(
            from in 1u32..1_000, size in 1u32..100_000, count in 2usize..50, log: bool, whole: bool
        ) {
            let (from, to) = (from, from + size);
            let all = spread(&from.to_string(), &to.to_string(), &count.to_string(), log, whole).unwrap();
            let numbers: Vec<f64> = all.iter().map(|text| text.parse().unwrap()).collect();
            prop_assert_eq!((numbers[0], numbers[numbers.len() - 1]), (f64::from(from), f64::from(to)));
            prop_assert!(numbers.is_sorted_by(|a, b| a < b));
            prop_assert!(numbers.len() <= count);
        }
    }
}
