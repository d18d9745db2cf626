//! Numbers as people write them.

/// Message about a comma that does not separate thousands.
const POINT: &str = "Use a point for decimals (0.5). Commas separate thousands (12,000).";

/// Removes separators of digits: 12,000 and 12 000 and 12_000 become 12000. Does not check that it is a number.
///
/// # Errors
/// If a comma does not separate thousands: 0,5 may mean a half, and must not become 5.
pub fn ungrouped(typed: &str) -> Result<String, &'static str> {
    let text = typed.trim().replace(['_', ' ', '\u{202f}', '\u{a0}'], "");
    if !text.contains(',') {
        return Ok(text);
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut groups = whole.trim_start_matches(['-', '+']).split(',');
    let digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    let begins = (1..=3).contains(&first.len()) && digits(first) && !first.starts_with('0');
    if begins && groups.all(|group| group.len() == 3 && digits(group)) && !fraction.contains(',') {
        Ok(text.replace(',', ""))
    } else {
        Err(POINT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_commas_group_thousands() {
        let fine = ["12,000", "-1,234,567", "1,234.5", "12 000", "12_000", " 0.001 ", "1e-3", "many"];
        let read = ["12000", "-1234567", "1234.5", "12000", "12000", "0.001", "1e-3", "many"];
        assert_eq!(fine.map(|text| ungrouped(text).unwrap()), read);
        let wrong = [
            "0,001", "1,5", "0,5", "12,34", "1234,567", ",500", "1,", "1,000e3", "1.000,5", "1,,000",
            "1 234,56",
        ];
        assert!(wrong.iter().all(|text| ungrouped(text) == Err(POINT)));
    }

    proptest! {
        #[test]
        fn a_grouped_number_parses_back(n: i64) {
            let digits = n.unsigned_abs().to_string();
            let mut grouped = if n < 0 { "-".to_owned() } else { String::new() };
            for (at, digit) in digits.chars().enumerate() {
                if at > 0 && (digits.len() - at) % 3 == 0 {
                    grouped.push(',');
                }
                grouped.push(digit);
            }
            prop_assert_eq!(ungrouped(&grouped), Ok(n.to_string()));
        }

        #[test]
        fn no_text_panics(text in ".{0,20}") {
            let _ = ungrouped(&text);
        }
    }
}
