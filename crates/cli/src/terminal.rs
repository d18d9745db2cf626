//! Terminals: width of the one of standard error, lines cut to fit, and whether standard output has colours.

use std::io::IsTerminal;

/// Width in columns if neither the terminal nor `COLUMNS` gives one.
const DEFAULT_COLUMNS: usize = 80;

/// Current width of the terminal, which may be resized.
pub fn columns() -> usize {
    kernel_columns()
        .or_else(|| std::env::var("COLUMNS").ok()?.parse().ok())
        .filter(|columns| *columns > 0)
        .unwrap_or(DEFAULT_COLUMNS)
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
fn kernel_columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

#[cfg(not(unix))]
fn kernel_columns() -> Option<usize> {
    None
}

/// Line that fits into one row: without control characters, and cut with an ellipsis if longer. The last column stays
/// empty, because some terminals wrap once it is written.
pub fn fitted(line: &str, columns: usize) -> String {
    let one_row = line.replace(['\n', '\r', '\t'], " ");
    let plain = ansi::plain(&one_row);
    let room = columns.saturating_sub(1);
    if columns_of(&plain) <= room {
        return plain.into_owned();
    }
    let mut cut = String::new();
    let mut used = 1;
    for c in plain.chars() {
        used += width(c);
        if used > room {
            break;
        }
        cut.push(c);
    }
    if room > 0 {
        cut.push('…');
    }
    cut
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
    fn sequences_that_move_the_cursor_are_removed() {
        assert_eq!(fitted("a\nb\u{1b}[2Kc\td", 80), "a bc d");
    }
}
