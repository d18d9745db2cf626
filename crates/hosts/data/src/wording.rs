//! Numbers and counts as people write them, for log lines, notes and messages.

use protocol::Time;

/// `20758` → `20,758`.
pub(crate) fn thousands(n: u64) -> String {
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

/// `1 row`, `20,758 rows`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(n), if n == 1 { one } else { many })
}

/// `2024-03-01T09:30:00Z`, with a fraction only where there is one.
pub(crate) fn moment(time: Time) -> String {
    time.timestamp().to_string()
}

/// `12.5 %`, with as many digits as tell a small share from none.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent == 0.0 || percent >= 10.0 {
        return format!("{percent:.0} %");
    }
    format!("{} %", format!("{percent:.2}").trim_end_matches('0').trim_end_matches('.'))
}

/// Text from outside, short enough and plain enough for a message.
pub(crate) fn excerpt(text: &str, most: usize) -> String {
    let plain: String =
        text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    if text.chars().nth(most).is_some() { format!("{plain}…") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_as_people_write_them() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(20_758), "20,758");
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(counted(1, "row", "rows"), "1 row");
        assert_eq!(counted(0, "row", "rows"), "0 rows");
    }

    #[test]
    fn an_excerpt_holds_no_control_characters_and_says_when_it_was_cut() {
        assert_eq!(excerpt("a\nb\u{1b}c", 9), "a b c");
        assert_eq!(excerpt("abcdef", 3), "abc…");
        assert_eq!(excerpt("abc", 3), "abc");
    }
}
