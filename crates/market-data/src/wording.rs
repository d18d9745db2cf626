//! Formatting of numbers and times for log lines, notes and messages.

use protocol::Time;

/// `2024-03-01T09:30:00Z`, with a fraction only if there is one.
pub fn moment(time: Time) -> String {
    time.timestamp().to_string()
}

/// Excerpt of external text: shortened, without control characters.
pub fn excerpt(text: &str, most: usize) -> String {
    let plain: String =
        text.chars().take(most).map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    if text.chars().nth(most).is_some() { format!("{plain}…") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_has_no_control_characters_and_marks_a_cut() {
        assert_eq!(excerpt("a\nb\u{1b}c", 9), "a b c");
        assert_eq!(excerpt("abcdef", 3), "abc…");
        assert_eq!(excerpt("abc", 3), "abc");
    }
}
