//! Numbers as text. Pure: a number always gives the same text, on the page, in a chart and in its table.
//!
//! Integers are written as such, other numbers with six significant digits (shares and ratios with four, and at least
//! two decimals). For numbers beside each other, [`Digits`] adds the digits needed to tell them apart.

use super::number::count;

/// Placeholder for a missing number.
pub const NO_FIGURE: &str = "–";

/// Significant digits of a number.
const FIGURE_DIGITS: i32 = 6;
/// Significant digits of a share or ratio, and its minimum number of decimals.
const SHARE_DIGITS: i32 = 4;
const SHARE_DECIMALS: i32 = 2;
/// Maximum number of additional digits; further ones are floating-point noise.
const MAX_EXTRA_DIGITS: u8 = 8;
/// Relative difference below which numbers are equal, due to floating-point errors of sums.
const EQUAL_WITHIN: f64 = 1e-12;
/// Sizes outside of this range have an exponent.
pub const PLAIN_SIZES: std::ops::Range<f64> = 1e-4..1e15;
/// Power of ten of the steps that a chart's digits distinguish between its lowest and highest value.
const RANGE_DIGITS: i32 = 3;

/// Additional digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Digits(u8);

impl Digits {
    /// At most [`MAX_EXTRA_DIGITS`].
    pub fn extra(digits: u8) -> Self {
        Self(digits.min(MAX_EXTRA_DIGITS))
    }

    /// Enough to distinguish a thousandth of the range from `low` to `high`. None for an empty range.
    pub fn of_range(low: f64, high: f64) -> Self {
        let size = low.abs().max(high.abs());
        // Halved, because the difference of two large floats may overflow.
        let span = (high / 2.0 - low / 2.0) * 2.0;
        if !(size.is_finite() && span > size * EQUAL_WITHIN) {
            return Self::default();
        }
        let span = if span.is_finite() { span } else { f64::MAX };
        let needed = exponent(size) - exponent(span) + 1 + RANGE_DIGITS;
        Self::needed(needed)
    }

    /// Enough to distinguish numbers up to `size` that differ by `step`.
    pub fn of_step(size: f64, step: f64) -> Self {
        let (size, step) = (size.abs(), step.abs());
        if !(size.is_finite() && step.is_finite() && step > size * EQUAL_WITHIN && size > 0.0) {
            return Self::default();
        }
        Self::needed(exponent(size) - exponent(step) + 1)
    }

    fn needed(significant: i32) -> Self {
        Self::extra((significant - FIGURE_DIGITS).clamp(0, i32::from(MAX_EXTRA_DIGITS)) as u8)
    }

    /// [`Digits::of_range`] of the finite numbers.
    pub fn of_all(figures: impl Iterator<Item = f64>) -> Self {
        let ends = figures.filter(|n| n.is_finite()).fold(None, |ends: Option<(f64, f64)>, n| {
            Some(ends.map_or((n, n), |(a, b)| (a.min(n), b.max(n))))
        });
        ends.map_or_else(Self::default, |(low, high)| Self::of_range(low, high))
    }

    fn count(self) -> i32 {
        i32::from(self.0)
    }

    /// One less; `None` for the default.
    pub fn fewer(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }
}

/// Formats a number with additional digits.
pub type Write = fn(f64, Digits) -> String;

/// A number: `26`, `1.03801`, `−20,758.3`, `1e308`, `1.5e-7`.
pub fn figure(n: f64) -> String {
    figure_to(n, Digits::default())
}

/// As [`figure`], with additional digits.
pub fn figure_to(n: f64, digits: Digits) -> String {
    written(n, FIGURE_DIGITS + digits.count(), 0)
}

/// A ratio: `1.234`, `0.05`.
pub fn ratio_to(n: f64, digits: Digits) -> String {
    written(n, SHARE_DIGITS + digits.count(), SHARE_DECIMALS + digits.count())
}

/// A share in percent: `56.25 %`, `0.0512 %`. 100 only when exact.
pub fn share(fraction: f64) -> String {
    share_to(fraction, Digits::default())
}

/// As [`share`], with additional digits.
pub fn share_to(fraction: f64, digits: Digits) -> String {
    if !fraction.is_finite() {
        return NO_FIGURE.to_owned();
    }
    let percent = fraction * 100.0;
    let text = |extra: i32| written(percent, SHARE_DIGITS + extra, SHARE_DECIMALS + extra);
    let last = i32::from(MAX_EXTRA_DIGITS);
    let whole =
        |text: &str| text.strip_prefix("100").is_some_and(|rest| rest.trim_matches(['.', '0']).is_empty());
    let wording = (digits.count()..=last).map(text).find(|wording| fraction >= 1.0 || !whole(wording));
    format!("{} %", wording.unwrap_or_else(|| text(last)))
}

/// With its sign, `+12.34 %` or `−3.1`; `of` formats the size. Zero has no sign.
pub fn signed(n: f64, of: impl Fn(f64) -> String) -> String {
    let size = of(n.abs());
    match n {
        n if n > 0.0 => format!("+{size}"),
        n if n < 0.0 => format!("−{size}"),
        _ => size,
    }
}

/// Formats numbers with as many digits as tell them apart; equal numbers have the same text.
pub fn tell_apart(figures: &[Option<f64>], write: impl Fn(f64, Digits) -> String) -> Vec<String> {
    let all = |digits| -> Vec<String> {
        let text = |n: &Option<f64>| n.map_or_else(|| NO_FIGURE.to_owned(), |n| write(n, digits));
        figures.iter().map(text).collect()
    };
    let mut tries = (0..=MAX_EXTRA_DIGITS).map(|extra| all(Digits::extra(extra)));
    tries.find(|texts| are_told_apart(figures, texts)).unwrap_or_else(|| all(Digits::default()))
}

/// Whether different numbers have different texts.
pub fn are_told_apart(figures: &[Option<f64>], texts: &[String]) -> bool {
    let mut known: Vec<(f64, &String)> =
        figures.iter().zip(texts).filter_map(|(n, text)| Some(((*n)?, text))).collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    known.windows(2).all(|pair| !reads_same(pair[0].1, pair[1].1) || is_same(pair[0].0, pair[1].0))
}

/// Whether two texts mean the same number, as `1` and `1.000` do.
pub fn reads_same(a: &str, b: &str) -> bool {
    let parts = |text: &str| {
        let unit = text.find(|c: char| !(c.is_ascii_digit() || [',', '.', '+', '−'].contains(&c)));
        let (number, unit) = text.split_at(unit.unwrap_or(text.len()));
        (without_zeros(number).to_owned(), unit.to_owned())
    };
    parts(a) == parts(b)
}

/// Equal except for floating-point errors.
pub fn is_same(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= EQUAL_WITHIN * a.abs().max(b.abs())
}

/// Exponent of a positive finite number.
pub fn exponent(size: f64) -> i32 {
    // Goes through text: a logarithm may be rounded to 2 for 1,000.
    let text = format!("{size:e}");
    text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or_default()
}

/// Formats with minimum numbers of significant digits and decimals.
fn written(n: f64, significant: i32, decimals: i32) -> String {
    if !n.is_finite() {
        return NO_FIGURE.to_owned();
    }
    let size = n.abs();
    let text = match size {
        0.0 => return "0".to_owned(),
        _ if !PLAIN_SIZES.contains(&size) => scientific(size, significant),
        _ if is_same(size, size.round()) => grouped(&format!("{:.0}", size.round())),
        _ => without_idle_zeros(decimal(size, (significant - 1 - exponent(size)).max(decimals)), size),
    };
    if n < 0.0 { format!("−{text}") } else { text }
}

/// Fixed number of decimals, with thousands separators: `10,000.50`.
pub fn decimal(size: f64, decimals: i32) -> String {
    let decimals = decimals.max(0) as usize;
    grouped(&format!("{size:.decimals$}"))
}

/// Removes trailing zeros of exact numbers; in rounded ones they show the precision.
fn without_idle_zeros(text: String, size: f64) -> String {
    if is_exact(&text.replace(',', ""), size) { without_zeros(&text).to_owned() } else { text }
}

/// Significant digits with an exponent: `1.5e-7`.
pub fn scientific(size: f64, significant: i32) -> String {
    let decimals = (significant - 1).max(0) as usize;
    let text = format!("{size:.decimals$e}");
    match text.split_once('e') {
        Some((digits, exponent)) if is_exact(&text, size) => format!("{}e{exponent}", without_zeros(digits)),
        _ => text,
    }
}

fn is_exact(text: &str, size: f64) -> bool {
    text.parse().is_ok_and(|shown: f64| is_same(shown, size))
}

fn without_zeros(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// Adds thousands separators.
pub(super) fn grouped(digits: &str) -> String {
    let (whole, rest) = digits.find('.').map_or((digits, ""), |point| digits.split_at(point));
    // Small enough for an integer, or it would have an exponent.
    whole.parse().map_or_else(|_| digits.to_owned(), |whole| format!("{}{rest}", count(whole)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Parses a formatted number.
    fn read(text: &str) -> f64 {
        let plain = text.trim_end_matches(" %").replace(',', "").replace('−', "-");
        plain.parse().unwrap()
    }

    #[test]
    fn the_number_of_digits_depends_on_the_figure() {
        let texts = [
            (26.0, "26"),
            (-3.0, "−3"),
            (0.0, "0"),
            (-0.0, "0"),
            (1.0380149, "1.03801"),
            (1.07240003, "1.07240"),
            (1.0724, "1.0724"),
            (0.6494, "0.6494"),
            (412.8, "412.8"),
            (20_758.0, "20,758"),
            (20_758.34, "20,758.3"),
            (-1_234_567.0, "−1,234,567"),
            (0.1 + 0.2, "0.3"),
            (0.0003, "0.0003"),
            (0.000_01, "1e-5"),
            (1.5e-12, "1.5e-12"),
            (1e300, "1e300"),
            (1e308, "1e308"),
            (-1.234_567_89e20, "−1.23457e20"),
            (18_446_744_073_709_551_615.0, "1.84467e19"),
        ];
        for (n, text) in texts {
            assert_eq!(figure(n), text);
        }
        assert_eq!(figure(f64::NAN), "–");
        assert_eq!(figure(f64::INFINITY), "–");
    }

    #[test]
    fn a_share_shows_100_percent_only_when_it_is_complete() {
        let texts = [
            (0.5625, "56.25 %"),
            (0.58333, "58.33 %"),
            (0.07, "7 %"),
            (0.0005, "0.05 %"),
            (0.000_512_345, "0.05123 %"),
            (1.0, "100 %"),
            (2.5, "250 %"),
            (0.998_24, "99.82 %"),
            (0.999_99, "99.999 %"),
            (0.999_999_99, "99.999999 %"),
            (-0.14, "−14 %"),
        ];
        for (fraction, text) in texts {
            assert_eq!(share(fraction), text);
        }
        assert_eq!(share(f64::NAN), "–");
    }

    #[test]
    fn nonzero_figures_have_a_sign_where_one_is_requested() {
        assert_eq!(signed(0.1234, share), "+12.34 %");
        assert_eq!(signed(-3.1, figure), "−3.1");
        assert_eq!(signed(0.0, figure), "0");
        assert_eq!(signed(-20_758.3, figure), "−20,758.3");
        assert_eq!(signed(f64::NAN, figure), "–");
    }

    #[test]
    fn adjacent_figures_are_distinguishable() {
        let told = |figures: &[f64]| {
            let figures: Vec<_> = figures.iter().copied().map(Some).collect();
            tell_apart(&figures, figure_to)
        };
        assert_eq!(told(&[1.072_41, 1.072_39]), ["1.07241", "1.07239"]);
        assert_eq!(told(&[1.072_400_1, 1.072_400_2]), ["1.0724001", "1.0724002"]);
        assert_eq!(told(&[1.0, 1.000_000_1]), ["1", "1.0000001"]);
        // Floating-point errors are no difference.
        assert_eq!(told(&[0.3, 0.1 + 0.2]), ["0.3", "0.3"]);
        assert_eq!(tell_apart(&[None, Some(2.0)], figure_to), ["–", "2"]);
    }

    #[test]
    fn a_chart_of_nearly_equal_figures_has_enough_digits() {
        let digits = Digits::of_range(1.000_000_1, 1.000_000_2);
        assert_eq!(figure_to(1.000_000_1, digits), "1.0000001");
        assert_eq!(figure_to(1.000_000_15, digits), "1.00000015");
        assert_eq!(Digits::of_range(0.3, 2.3), Digits::default());
        assert_eq!(Digits::of_range(5.0, 5.0), Digits::default());
        assert_eq!(Digits::of_range(-1e308, 1.7e308), Digits::default());
        assert_eq!(Digits::of_range(f64::NAN, 1.0), Digits::default());
    }

    proptest! {
        #[test]
        fn no_figure_panics(n: f64, m: f64, extra: u8) {
            let digits = Digits::extra(extra);
            let _ = (figure_to(n, digits), ratio_to(n, digits), share_to(n, digits), Digits::of_range(n, m));
        }

        #[test]
        fn a_figure_parses_back_to_the_requested_digits(n in proptest::num::f64::NORMAL, extra in 0u8..=8) {
            let shown = read(&figure_to(n, Digits::extra(extra)));
            let off = (shown - n).abs() / n.abs();
            let asked = 0.51 * 10f64.powi(-(FIGURE_DIGITS - 1 + i32::from(extra)));
            prop_assert!(off <= asked.max(EQUAL_WITHIN * 1.01), "{n:e} as {shown:e}");
        }

        #[test]
        fn a_larger_figure_never_parses_as_a_smaller_one(a in -1e7f64..1e7, by in 0f64..1e-3, extra in 0u8..=8) {
            let digits = Digits::extra(extra);
            let b = a + by;
            prop_assert!(read(&figure_to(a, digits)) <= read(&figure_to(b, digits)));
            prop_assert!(read(&share_to(a, digits)) <= read(&share_to(b, digits)));
            prop_assert!(read(&ratio_to(a, digits)) <= read(&ratio_to(b, digits)));
        }

        #[test]
        fn integers_stay_integers_for_any_number_of_digits(n in -1_000_000_000_000_000i64 + 1..1_000_000_000_000_000, extra in 0u8..=8) {
            let text = figure_to(n as f64, Digits::extra(extra));
            prop_assert_eq!(text.replace(',', "").replace('−', "-"), n.to_string());
        }

        #[test]
        fn different_figures_have_different_texts_and_equal_ones_the_same(
            base in -1e6f64..1e6, steps in proptest::collection::vec(0u8..4, 2..6), size in -9i32..0,
        ) {
            let figures: Vec<_> = steps.iter().map(|n| Some(base + f64::from(*n) * base.abs().max(1.0) * 10f64.powi(size))).collect();
            let texts = tell_apart(&figures, figure_to);
            for (a, a_text) in figures.iter().zip(&texts) {
                for (b, b_text) in figures.iter().zip(&texts) {
                    prop_assert_eq!(a == b, a_text == b_text, "{:?} {:?}: {} {}", a, b, a_text, b_text);
                }
            }
        }
    }
}
