//! Formatting of numbers for log lines and messages.

use display::format::count as thousands;

/// Money with cents: `-1,234.50`.
pub(crate) fn money(amount: f64) -> String {
    let cents = (amount.abs() * 100.0).round();
    let sign = if amount < 0.0 && cents > 0.0 { "-" } else { "" };
    format!("{sign}{}.{:02}", thousands((cents / 100.0) as u64), (cents % 100.0) as u64)
}

/// Share as a percentage: `+12.3 %`.
pub(crate) fn percent(share: f64) -> String {
    let text = format!("{:+.1} %", share * 100.0);
    if text == "-0.0 %" { "+0.0 %".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_formatted_for_people() {
        assert_eq!(
            (money(1_234.5), money(-0.999), money(-0.001)),
            ("1,234.50".into(), "-1.00".into(), "0.00".into())
        );
        assert_eq!(percent(-0.0721), "-7.2 %");
        assert_eq!((percent(-0.0), percent(-0.0001)), ("+0.0 %".into(), "+0.0 %".into()));
    }
}
