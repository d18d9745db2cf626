//! Terminals: their widths, lines that fit, and whether standard output has colours.

use std::io::IsTerminal;

/// Width in columns if neither the terminal nor `COLUMNS` gives one.
const DEFAULT_COLUMNS: usize = 80;

/// Current width of the terminal of standard error, which may be resized.
pub fn columns() -> usize {
    kernel_columns(&std::io::stderr()).or_else(environment_columns).unwrap_or(DEFAULT_COLUMNS)
}

/// Width of the terminal of standard output; `None` if that is no terminal or its width is unknown.
pub fn output_columns() -> Option<usize> {
    let out = std::io::stdout();
    if out.is_terminal() { kernel_columns(&out).or_else(environment_columns) } else { None }
}

fn environment_columns() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0)
}

/// Whether colours are written to standard output: it is a terminal that has them, and `NO_COLOR` is not set.
pub fn has_colours() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    std::io::stdout().is_terminal()
        && !set("NO_COLOR")
        && std::env::var("TERM").is_ok_and(|term| term != "dumb")
}

/// Columns of a text without control characters.
pub fn columns_of(text: &str) -> usize {
    text.chars().map(width).sum()
}

#[cfg(unix)]
fn kernel_columns(terminal: &impl std::os::fd::AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(terminal).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

#[cfg(not(unix))]
fn kernel_columns<T>(_: &T) -> Option<usize> {
    None
}

/// Line that fits into one row: without control characters, and cut with an ellipsis if longer. The last column stays
/// empty, because some terminals wrap once it is written.
pub fn fitted(line: &str, columns: usize) -> String {
    let one_row = line.replace(['\n', '\r', '\t'], " ");
    cut(&ansi::plain(&one_row), columns.saturating_sub(1))
}

/// Text in at most so many columns, cut with an ellipsis if longer.
pub fn cut(text: &str, columns: usize) -> String {
    if columns_of(text) <= columns {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += width(c);
        if used > columns {
            break;
        }
        cut.push(c);
    }
    if columns > 0 {
        cut.push('…');
    }
    cut
}

/// Lines of at most so many columns, or one character; at least one line. Lines end between words where that is
/// possible.
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while columns_of(rest) > columns {
        let mut used = 0;
        let too_far = rest.char_indices().find(|(_, c)| {
            used += width(*c);
            used > columns
        });
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let full = too_far.map_or(rest.len(), |(at, _)| at).max(first);
        // A blank just after a full line ends it, too.
        let end = match rest[full..].starts_with(' ') {
            true => full,
            false => rest[..full].rfind(' ').filter(|at| *at > 0).unwrap_or(full),
        };
        lines.push(rest[..end].trim_end().to_owned());
        rest = rest[end..].trim_start();
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.push(rest.to_owned());
    }
    lines
}

/// Columns of a character: two for East Asian scripts and most emoji, none for combining marks.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036F | 0x200B..=0x200F | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F
        | 0x1F680..=0x1F6FF
        | 0x1F900..=0x1F9FF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_never_takes_more_than_one_row() {
        let long = "copying /srv/archive/a-name-that-goes-on-and-on.parquet ".repeat(4);
        for columns in [1, 2, 20, 80] {
            let cut = fitted(&long, columns);
            assert!(cut.chars().count() < columns.max(2), "{columns}: {cut}");
        }
        assert_eq!(fitted("running    2 of 5", 80), "running    2 of 5");
        assert_eq!(fitted("abcdef", 6), "abcd…");
        // Wide characters take two columns each.
        assert_eq!(fitted("読込中です", 8), "読込中…");
    }

    #[test]
    fn a_long_text_is_wrapped_between_words_and_nothing_is_lost() {
        assert_eq!(wrapped("one of csv, ktrdr or synthetic", 11), ["one of csv,", "ktrdr or", "synthetic"]);
        assert_eq!(wrapped("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrapped("読込中です", 5), ["読込", "中で", "す"]);
        assert_eq!(wrapped("読", 1), ["読"]);
        assert_eq!(wrapped("", 5), [""]);
        assert_eq!(wrapped("ab", 0), ["a", "b"]);
    }

    #[test]
    fn sequences_that_move_the_cursor_are_removed() {
        assert_eq!(fitted("a\nb\u{1b}[2Kc\td", 80), "a bc d");
    }
}
