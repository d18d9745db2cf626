//! Numbers and times as people write them, for log lines, notes and messages.

use protocol::Time;

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
    fn an_excerpt_holds_no_control_characters_and_says_when_it_was_cut() {
        assert_eq!(excerpt("a\nb\u{1b}c", 9), "a b c");
        assert_eq!(excerpt("abcdef", 3), "abc…");
        assert_eq!(excerpt("abc", 3), "abc");
    }
}
