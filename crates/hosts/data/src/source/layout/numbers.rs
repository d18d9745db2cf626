//! Number format: whether `.` or `,` is the decimal separator. `10,5` decides it, `1,234` alone does not.

use super::super::SourceResult;
use super::unclear;
use market_data::wording::excerpt;

/// Decimal separator. The other one groups thousands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) enum Numbers {
    Point,
    Comma,
}

/// Spaces and apostrophes that group thousands: `1 234,50`, `1'234.50`.
const GROUPING: [char; 6] = [' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '’'];
/// Signs of currencies at either end of a price.
const CURRENCIES: [char; 6] = ['$', '€', '£', '¥', '₹', '₩'];

/// Evidence of a single number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum DecimalEvidence {
    Nothing,
    Point,
    Comma,
    /// One comma before three digits: thousands or decimals.
    Either,
}

impl Numbers {
    /// Number format of the first rows.
    pub(super) fn detect(texts: &[&str], what: &str) -> SourceResult<Self> {
        let first = |wanted: DecimalEvidence| texts.iter().find(|text| shows(text) == wanted);
        match (first(DecimalEvidence::Point), first(DecimalEvidence::Comma), first(DecimalEvidence::Either)) {
            (Some(point), Some(comma), _) => Err(unclear(
                format!(
                    "{what} mixes two number formats: '{}' and '{}'.",
                    excerpt(point, 20),
                    excerpt(comma, 20)
                ),
                "Write all numbers with a decimal point, like 1234.5.",
            )),
            (None, Some(_), _) => Ok(Self::Comma),
            (Some(_), None, _) | (None, None, None) => Ok(Self::Point),
            (None, None, Some(either)) => {
                let text = excerpt(either, 20);
                Err(unclear(
                    format!(
                        "{what} has ambiguous numbers such as '{text}': {} or {}.",
                        text.replace(',', "."),
                        text.replace(',', "")
                    ),
                    "Write numbers with a decimal point and without thousands separators, like 1234.5.",
                ))
            }
        }
    }

    /// Parses a number. Ignores currency symbols and thousands separators.
    pub(in super::super) fn parse(self, text: &str) -> Option<f64> {
        // Fast path for nearly all numbers.
        if self == Self::Point
            && let Ok(number) = text.parse()
        {
            return Some(number);
        }
        self.plain(text)?.parse().ok()
    }

    /// Number with a decimal point and without thousands separators.
    fn plain(self, text: &str) -> Option<String> {
        let text = bare(text);
        let (decimal, group) = match self {
            Self::Point => ('.', ','),
            Self::Comma => (',', '.'),
        };
        let (whole, fraction) = text.split_once(decimal).unwrap_or((text, ""));
        let whole = match whole.contains(GROUPING) {
            true => ungrouped(&whole.replace(GROUPING, " "), ' ')?,
            false => ungrouped(whole, group)?,
        };
        Some(if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") })
    }

    /// Parses a volume, which can have the suffix `K`, `M` or `B`.
    pub(in super::super) fn parse_volume(self, text: &str) -> Option<f64> {
        if let Some(number) = self.parse(text) {
            return Some(number);
        }
        let text = text.trim();
        let exponent = match text.bytes().last()? {
            b'K' | b'k' => 3,
            b'M' | b'm' => 6,
            b'B' | b'b' => 9,
            _ => return None,
        };
        // Shifts the decimal point: a multiplication would round 4.18 first.
        format!("{}e{exponent}", self.plain(&text[..text.len() - 1])?).parse().ok()
    }
}

/// Refuses prices that may be whole numbers and 32nds, as those of futures on bonds: `109'165` is 109 and 16.5/32, or
/// 109165.
///
/// # Errors
/// If all prices are such numbers.
pub(super) fn refuse_fractions(prices: &[&str], what: &str) -> SourceResult<()> {
    let mut prices =
        prices.iter().map(|text| text.trim()).filter(|text| text.starts_with(|c: char| c.is_ascii_digit()));
    let Some(first) = prices.next() else { return Ok(()) };
    match (thirty_seconds(first), prices.all(|price| thirty_seconds(price).is_some())) {
        (Some((whole, part)), true) => Err(unclear(
            format!(
                "{what} has ambiguous numbers such as '{}': {whole}{part}, or {whole} and {}.{}/32, as prices of bond futures are written.",
                excerpt(first, 20),
                &part[..2],
                &part[2..]
            ),
            "Write prices with a decimal point, like 109.515625, and without thousands separators.",
        )),
        _ => Ok(()),
    }
}

/// Whole number and 32nds of a price such as `109'165`: two digits up to 31, and a fraction of a 32nd.
fn thirty_seconds(text: &str) -> Option<(&str, &str)> {
    let (whole, part) = text.split_once(['\'', '’'])?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_part = part.len() == 3 && digits(part) && part[..2].parse::<u8>().is_ok_and(|n| n < 32);
    ((1..=3).contains(&whole.len()) && digits(whole) && is_part).then_some((whole, part))
}

/// Number without spaces and currency signs around it.
fn bare(text: &str) -> &str {
    let around = |c: char| c.is_whitespace() || CURRENCIES.contains(&c);
    text.trim_matches(around)
}

/// Removes thousands separators: `1,234,567` → `1234567`. Every group but the first must have three digits, or two and
/// the last one three, as in India: `12,34,567`.
fn ungrouped(text: &str, group: char) -> Option<String> {
    let parts: Vec<&str> = text.split(group).collect();
    let (first, groups) = parts.split_first()?;
    let Some((last, middle)) = groups.split_last() else { return Some(text.to_owned()) };
    let of = |size: usize| move |part: &&str| part.len() == size && part.bytes().all(|b| b.is_ascii_digit());
    let indian = group == ',' && middle.iter().all(of(2));
    let grouped = of(3)(last) && (indian || middle.iter().all(of(3)));
    (grouped && (1..=4).contains(&first.len())).then(|| parts.concat())
}

fn shows(text: &str) -> DecimalEvidence {
    let text = bare(text).trim_start_matches(['-', '+', '$', '€', '£', '¥', ' ']);
    let count = |sign: u8| text.bytes().filter(|b| *b == sign).count();
    // One separator before three digits, as in thousands.
    let groups = |sign: char| {
        let (before, after) = text.split_once(sign).unwrap_or_default();
        let three = after.len() == 3 && after.bytes().all(|b| b.is_ascii_digit());
        three && (1..=3).contains(&before.len()) && before != "0"
    };
    match (count(b'.'), count(b',')) {
        (0, 0) => DecimalEvidence::Nothing,
        (points, commas) if points > 0 && commas > 0 => {
            if text.rfind('.') > text.rfind(',') {
                DecimalEvidence::Point
            } else {
                DecimalEvidence::Comma
            }
        }
        // `1.234` is no evidence. By default a point is the decimal separator.
        (1, 0) if groups('.') => DecimalEvidence::Nothing,
        (1, 0) => DecimalEvidence::Point,
        (_, 0) => DecimalEvidence::Comma,
        (_, 1) if groups(',') => DecimalEvidence::Either,
        (_, 1) => DecimalEvidence::Comma,
        (_, _) => DecimalEvidence::Point,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn detect(texts: &[&str]) -> Result<Numbers, String> {
        Numbers::detect(texts, "x.csv").map_err(|f| f.message)
    }

    #[test]
    fn the_decimal_sign_is_detected_from_unambiguous_numbers() {
        assert_eq!(detect(&["10.5", "11", "9"]), Ok(Numbers::Point));
        assert_eq!(detect(&["10", "11"]), Ok(Numbers::Point));
        assert_eq!(detect(&["10,5", "11"]), Ok(Numbers::Comma));
        assert_eq!(detect(&["148,123", "148,1"]), Ok(Numbers::Comma));
        assert_eq!(detect(&["0,123"]), Ok(Numbers::Comma));
        assert_eq!(detect(&["1.234,5", "7"]), Ok(Numbers::Comma));
        assert_eq!(detect(&["10,5", "1.200"]), Ok(Numbers::Comma));
        assert_eq!(detect(&["148.123", "147.900"]), Ok(Numbers::Point));
        assert_eq!(detect(&["1,234.5", "1,200"]), Ok(Numbers::Point));
        assert_eq!(detect(&["1,234,567", "1,200"]), Ok(Numbers::Point));
    }

    #[test]
    fn ambiguous_numbers_are_rejected_with_both_readings() {
        let message = detect(&["148,123", "147,900"]).unwrap_err();
        assert!(message.contains("148.123 or 148123"), "{message}");
        assert!(detect(&["10,5", "10.5"]).unwrap_err().contains("two number formats"));
    }

    #[test]
    fn prices_in_32nds_are_rejected_as_ambiguous() {
        let message_of = |texts: &[&str]| refuse_fractions(texts, "x.csv").map_err(|f| f.message);
        let message = message_of(&["109'165", "110'010", "109'000"]).unwrap_err();
        assert!(message.contains("'109'165': 109165, or 109 and 16.5/32"), "{message}");
        // Some prices show that the sign groups thousands.
        for thousands in [["11'165", "11'432"], ["1'016", "998"], ["1'016.5", "1'020"]] {
            assert_eq!(message_of(&thousands), Ok(()));
        }
    }

    #[test]
    fn numbers_are_parsed_exactly() {
        let point = |text: &str| Numbers::Point.parse(text);
        assert_eq!(point("1234.5"), Some(1234.5));
        assert_eq!(point("$1,234.50"), Some(1234.5));
        assert_eq!(point("1,234,567"), Some(1_234_567.0));
        assert_eq!(point("12,34"), None);
        assert_eq!(point("10,5"), None);
        assert_eq!(point(""), None);
        let comma = |text: &str| Numbers::Comma.parse(text);
        assert_eq!(comma("10,5"), Some(10.5));
        assert_eq!(comma("1.234,5"), Some(1234.5));
        assert_eq!(comma("11"), Some(11.0));
        assert_eq!(comma("10.5"), None);
        assert_eq!(Numbers::Point.parse_volume("1.25M"), Some(1_250_000.0));
        assert_eq!(Numbers::Point.parse_volume("4.18M"), Some(4_180_000.0));
        assert_eq!(Numbers::Point.parse_volume("33.19M"), Some(33_190_000.0));
        assert_eq!(Numbers::Point.parse_volume("1,234.57B"), Some(1_234_570_000_000.0));
        assert_eq!(Numbers::Comma.parse_volume("1,5K"), Some(1_500.0));
        assert_eq!(Numbers::Point.parse_volume("-"), None);
    }

    proptest! {
        #[test]
        fn printed_numbers_parse_back(number in -1e12f64..1e12) {
            prop_assert_eq!(Numbers::Point.parse(&number.to_string()), Some(number));
            prop_assert_eq!(Numbers::Comma.parse(&number.to_string().replace('.', ",")), Some(number));
        }

        #[test]
        fn no_text_panics(text in "[0-9.,$KMB -]{0,12}|\\PC{0,12}") {
            let _ = Numbers::Point.parse_volume(&text);
            let _ = Numbers::Comma.parse_volume(&text);
            let _ = detect(&[&text]);
        }
    }
}
