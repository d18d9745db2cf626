//! Numeric axes: tick positions and labels. Pure; `axes.js` draws them.

use super::range::{Range, around, bounded};
use display::format::{self, Digits, exponent, is_same};

/// Margin of a logarithmic axis, a factor.
const LOG_MARGIN: f64 = 1.15;
/// Margins of a price axis below and above; the volume is drawn below the prices.
const PRICE_MARGINS: (f64, f64) = (0.3, 0.06);
/// From this size on, labels use a letter: `12k`.
const LETTER_FROM: f64 = 10_000.0;
/// Beyond this many steps from zero, neighbouring ticks are the same float.
const MAX_STEPS: f64 = 1e15;
/// Exponent of the smallest step.
const MIN_EXPONENT: i32 = -320;
/// Maximum number of decimals before a letter.
const MAX_LETTER_DECIMALS: i32 = 2;

/// Range of a logarithmic axis.
pub fn fit_log(ends: Option<Range>) -> Range {
    match ends {
        Some((low, high)) if low > 0.0 => bounded((low / LOG_MARGIN, high * LOG_MARGIN)),
        _ => (0.1, 1.0),
    }
}

/// Range of a price axis.
pub fn fit_prices(ends: Option<Range>) -> Range {
    let Some((low, high)) = ends else { return (0.0, 1.0) };
    if is_same(low, high) {
        return around(low);
    }
    let span = (high / 2.0 - low / 2.0) * 2.0;
    bounded((low - span * PRICE_MARGINS.0, high + span * PRICE_MARGINS.1))
}

/// Distance between ticks: 1, 2 or 5 times a power of ten.
#[derive(Clone, Copy)]
struct Step {
    digit: i64,
    exponent: i32,
}

impl Step {
    /// The smallest step of at least `width`.
    fn at_least(width: f64) -> Self {
        let exponent = exponent(width);
        let first = width / power(exponent);
        match [1, 2, 5].into_iter().find(|digit| first <= *digit as f64 * (1.0 + 1e-9)) {
            Some(digit) => Self { digit, exponent },
            None => Self { digit: 1, exponent: exponent + 1 },
        }
    }

    /// The next smaller step; `None` below the smallest float.
    fn finer(self) -> Option<Self> {
        let (digit, exponent) = match self.digit {
            5 => (2, self.exponent),
            2 => (1, self.exponent),
            _ => (5, self.exponent - 1),
        };
        (exponent > MIN_EXPONENT).then_some(Self { digit, exponent })
    }

    /// All multiples within a range.
    fn within(self, (min, max): Range) -> Vec<f64> {
        let size = self.times(1);
        let (first, last) = ((min / size).ceil(), (max / size).floor());
        if first.abs().max(last.abs()) > MAX_STEPS {
            return Vec::new();
        }
        (first as i64..=last as i64).map(|n| self.times(n)).filter(|n| *n >= min && *n <= max).collect()
    }

    /// `n` steps. Goes through text, so that 3 · 0.1 is 0.3.
    fn times(self, n: i64) -> f64 {
        json::float(&format!("{}e{}", n * self.digit, self.exponent)).unwrap_or(f64::NAN)
    }
}

fn power(exponent: i32) -> f64 {
    json::float(&format!("1e{exponent}")).unwrap_or(f64::NAN)
}

/// About `most` ticks at round numbers; with `whole` at integers only.
pub fn ticks((min, max): Range, most: usize, whole: bool) -> Vec<f64> {
    let width = (max - min) / most.max(1) as f64;
    if !(width.is_finite() && width > 0.0) {
        return Vec::new();
    }
    let mut step = Step::at_least(if whole { width.max(1.0) } else { width });
    loop {
        let found = step.within((min, max));
        // A single tick shows no scale.
        match step.finer().filter(|finer| found.len() < 2 && (!whole || finer.exponent >= 0)) {
            Some(finer) => step = finer,
            None => return found,
        }
    }
}

/// Ticks of a logarithmic axis: powers of ten, with ticks in between when there are few, and evenly spaced when there
/// is none.
pub fn log_ticks((min, max): Range, most: usize) -> Vec<f64> {
    if !(min > 0.0 && max > min && max.is_finite()) {
        return Vec::new();
    }
    let (from, to) = (exponent(min), exponent(max));
    let at = |digits: &[i64], every: i32| -> Vec<f64> {
        let powers = (from..=to).filter(|power| power.rem_euclid(every) == 0);
        let all = powers
            .flat_map(|exponent| digits.iter().map(move |digit| Step { digit: *digit, exponent }.times(1)));
        all.filter(|n| *n >= min && *n <= max).collect()
    };
    let most = most.max(2);
    let fine = [&[1, 2, 5][..], &[1, 3], &[1]].into_iter().map(|digits| at(digits, 1));
    let rough = [2, 3, 5, 10, 20, 50, 100, 200].into_iter().map(|every| at(&[1], every));
    match fine.chain(rough).find(|ticks| ticks.len() <= most) {
        Some(ticks) if ticks.len() > 1 => ticks,
        _ => ticks((min, max), most, false),
    }
}

/// Labels of an axis: the text that the same figure has in tooltips and tables, with the digits that the step needs.
/// From [`LETTER_FROM`] on with a letter, where that is shorter and as precise.
pub fn labels(ticks: &[f64], share: bool) -> Vec<String> {
    let size = ticks.iter().fold(0.0, |size: f64, n| size.max(n.abs()));
    let steps = ticks.windows(2).map(|pair| (pair[1] - pair[0]).abs()).filter(|step| *step > 0.0);
    let step = steps.fold(f64::INFINITY, f64::min).min(size);
    if share {
        let digits = Digits::of_step(size * 100.0, step * 100.0);
        return even(ticks.iter().map(|n| format::share_to(*n, digits)).collect());
    }
    let digits = Digits::of_step(size, step);
    let power_of_step = rounded_exponent(step);
    let letter = [("G", 9), ("M", 6), ("k", 3)].into_iter().find(|(_, power)| exponent(size) >= *power);
    let letter = letter.filter(|(_, power)| {
        format::PLAIN_SIZES.contains(&size)
            && size >= LETTER_FROM
            && power - power_of_step <= MAX_LETTER_DECIMALS
    });
    let text = |n: &f64| match letter {
        Some((letter, power)) if *n != 0.0 => format!("{}{letter}", format::figure(n / self::power(power))),
        _ => format::figure_to(*n, digits),
    };
    even(ticks.iter().map(text).collect())
}

/// Pads labels to the same number of decimals: 1.08, 1.1 and 1.12 become 1.08, 1.10 and 1.12. Labels with an exponent
/// stay as they are, and so does the zero of an axis with letters.
fn even(labels: Vec<String>) -> Vec<String> {
    let unit_of = |label: &str| label.find(|c: char| !(c.is_ascii_digit() || ",.−".contains(c)));
    let parts = |label: &str| {
        let (number, unit) = label.split_at(unit_of(label).unwrap_or(label.len()));
        (number.to_owned(), unit.to_owned())
    };
    let decimals = |number: &str| number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let most = labels.iter().map(|label| decimals(&parts(label).0)).max().unwrap_or_default();
    let has_unit = labels.iter().any(|label| !parts(label).1.is_empty());
    if most == 0 || labels.iter().any(|label| parts(label).1.starts_with('e')) {
        return labels;
    }
    let pad = |label: String| {
        let (number, unit) = parts(&label);
        if has_unit && unit.is_empty() {
            return label;
        }
        let point = if number.contains('.') { "" } else { "." };
        format!("{number}{point}{}{unit}", "0".repeat(most - decimals(&number)))
    };
    labels.into_iter().map(pad).collect()
}

/// Labels of a logarithmic axis, each formatted on its own.
pub fn log_labels(ticks: &[f64], share: bool) -> Vec<String> {
    let text = |n: &f64| match n {
        n if share => format::share(*n),
        n if *n >= LETTER_FROM => format::compact(*n),
        n => format::figure(*n),
    };
    ticks.iter().map(text).collect()
}

/// Exponent of a step with rounding errors: 0.09999 counts as a tenth.
fn rounded_exponent(step: f64) -> i32 {
    if step.is_finite() && step > 0.0 {
        exponent(json::float(&format!("{step:.3e}")).unwrap_or(step))
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::super::range::{fit, fit_x};
    use super::*;
    use proptest::prelude::*;

    fn read(low: f64, high: f64, most: usize) -> Vec<String> {
        labels(&ticks(fit(Some((low, high)), false), most, false), false)
    }

    #[test]
    fn unusual_figures_have_a_range_that_fits_and_labels_that_differ() {
        assert_eq!(read(1e300, 3e300, 5), ["1e300", "1.5e300", "2e300", "2.5e300", "3e300"]);
        assert_eq!(read(1.000_000_1, 1.000_000_2, 4), ["1.00000010", "1.00000015", "1.00000020"]);
        assert_eq!(read(1e-12, 2e-12, 4), ["1e-12", "1.5e-12", "2e-12"]);
        assert_eq!(read(-3.0, 2.0, 5), ["−2", "0", "2"]);
        assert_eq!(read(5.0, 5.0, 4), ["4.5", "5.0", "5.5"]);
        assert_eq!(read(0.0, 0.0, 4), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
        assert_eq!(read(10_200.0, 11_900.0, 4), ["10.5k", "11.0k", "11.5k", "12.0k"]);
        assert_eq!(read(10_000.01, 10_000.04, 4), ["10,000.01", "10,000.02", "10,000.03", "10,000.04"]);
    }

    #[test]
    fn counts_have_integer_ticks_only() {
        assert_eq!(ticks((1.0, 13.0), 6, true), [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
        assert_eq!(ticks((1.0, 3.0), 8, true), [1.0, 2.0, 3.0]);
        assert_eq!(ticks(fit_x((7.0, 7.0)), 8, true), [7.0]);
    }

    #[test]
    fn a_logarithmic_axis_has_ticks_from_fractions_to_many_decades() {
        let read = |low, high| {
            let range = fit_log(Some((low, high)));
            log_labels(&log_ticks(range, 5), false)
        };
        assert_eq!(read(0.001, 1.0), ["0.001", "0.01", "0.1", "1"]);
        assert_eq!(read(1.0, 30.0), ["1", "2", "5", "10", "20"]);
        assert_eq!(read(1e-12, 1e12), ["1e-10", "1e-5", "1", "100k", "10G"]);
        assert!(read(1.01, 1.05).len() > 1);
    }

    #[test]
    fn the_labels_of_one_axis_have_equally_many_decimals() {
        assert_eq!(labels(&[1.08, 1.1, 1.12], false), ["1.08", "1.10", "1.12"]);
        assert_eq!(labels(&[0.0, 0.05, 0.1], true), ["0 %", "5 %", "10 %"]);
        assert_eq!(labels(&[-0.5, 0.0, 0.25], false), ["−0.50", "0.00", "0.25"]);
        assert_eq!(labels(&[0.0, 12_500.0, 25_000.0], false), ["0", "12.5k", "25.0k"]);
    }

    #[test]
    fn shares_are_percent_and_their_steps_too() {
        assert_eq!(labels(&[0.0, 0.25, 0.5], true), ["0 %", "25 %", "50 %"]);
        assert_eq!(labels(&[0.6, 0.602, 0.604], true), ["60.0 %", "60.2 %", "60.4 %"]);
    }

    proptest! {
        #[test]
        fn every_axis_has_ticks_that_read_differently(
            a in proptest::num::f64::NORMAL, b in proptest::num::f64::NORMAL, most in 2usize..12, zero: bool,
        ) {
            let (low, high) = (a.min(b), a.max(b));
            let (from, to) = fit(Some((low, high)), zero);
            let ticks = ticks((from, to), most, false);
            prop_assert!(ticks.len() <= (most + 1).max(6) && ticks.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", ticks);
            let mut labels = labels(&ticks, false);
            let all = labels.len();
            labels.sort();
            labels.dedup();
            prop_assert_eq!(labels.len(), all, "{:?}", labels);
        }

        #[test]
        fn near_equal_figures_have_ticks_that_read_differently(base in 0.001f64..1e9, share in 1e-11f64..1e-3, most in 2usize..8) {
            let ticks = ticks(fit(Some((base, base * (1.0 + share))), false), most, false);
            prop_assert!(!ticks.is_empty());
            let mut labels = labels(&ticks, false);
            labels.sort();
            labels.dedup();
            prop_assert_eq!(labels.len(), ticks.len());
        }

        #[test]
        fn no_axis_panics(a: f64, b: f64, most in 0usize..20, whole: bool) {
            let (range, log) = (fit(Some((a, b)), whole), fit_log(Some((a, b))));
            let _ = (fit_prices(Some((a, b))), fit_x((a, b)), labels(&[a, b], whole), log_labels(&[a, b], whole));
            prop_assert!(ticks(range, most, whole).len() < 50 && log_ticks(log, most).len() < 50);
            prop_assert!(ticks((a, b), most, whole).len() < 50);
        }
    }
}
