//! Line being written: its text with colours, and the cursor position.

use std::borrow::Cow;

/// Maximum length of a line, in bytes.
pub(crate) const MAX_LINE_BYTES: usize = 200 * 1024;

/// Line being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    bytes: Vec<u8>,
    /// Whether it was truncated.
    pub cut: bool,
    /// Characters that the cursor moved back. The next text replaces them.
    back: usize,
    /// Whether anything was written or erased.
    pub touched: bool,
}

impl Row {
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    pub fn write(&mut self, bytes: &[u8]) {
        if self.back > 0 {
            let back = std::mem::take(&mut self.back);
            self.take_back(back);
        }
        self.push(bytes);
    }

    /// Sets colours or weight from here on.
    pub fn style(&mut self, parameters: &str) {
        let touched = self.touched;
        self.push(format!("\u{1b}[{parameters}m").as_bytes());
        self.touched = touched;
    }

    pub fn left(&mut self, columns: usize) {
        self.back = self.back.saturating_add(columns);
    }

    /// Erases the line.
    pub fn wipe(&mut self) {
        *self = Self { touched: true, ..Self::default() };
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = MAX_LINE_BYTES - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.cut |= bytes.len() > room;
        self.touched = true;
    }

    /// Removes the last characters. The newest of their colours stays.
    fn take_back(&mut self, characters: usize) {
        let mut style = None;
        for _ in 0..characters {
            while let Some(at) = trailing_style(&self.bytes) {
                style = style.or_else(|| Some(self.bytes[at..].to_vec()));
                self.bytes.truncate(at);
            }
            // A UTF-8 character is a first byte plus continuation bytes.
            while self.bytes.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            if self.bytes.is_empty() {
                break;
            }
        }
        while let Some(at) = trailing_style(&self.bytes) {
            style = style.or_else(|| Some(self.bytes[at..].to_vec()));
            self.bytes.truncate(at);
        }
        self.bytes.extend(style.into_iter().flatten());
    }
}

/// Position of a style sequence at the very end.
fn trailing_style(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_suffix(b"m")?;
    let at = rest.iter().rposition(|b| !(b.is_ascii_digit() || matches!(b, b';' | b':')))?;
    (rest[at] == b'[' && at > 0 && rest[at - 1] == 0x1b).then(|| at - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(parts: &[(&str, usize)]) -> String {
        let mut row = Row::default();
        for (text, back) in parts {
            row.write(text.as_bytes());
            row.left(*back);
        }
        row.text().into_owned()
    }

    #[test]
    fn text_after_backspaces_overwrites_as_many_characters() {
        assert_eq!(row(&[("Tables:  1/16", 5), (" 2/16", 5), ("done", 0)]), "Tables: done");
        assert_eq!(row(&[("Working |", 1), ("/", 1), ("ok", 0)]), "Working ok");
        assert_eq!(row(&[("ok", 2)]), "ok", "going back alone takes nothing away");
        assert_eq!(row(&[("é", 5), ("x", 0)]), "x");
        assert_eq!(row(&[("a\u{1b}[32mb\u{1b}[0m", 1), ("c", 0)]), "a\u{1b}[0mc");
        let mut spinner = Row::default();
        for _ in 0..1_000 {
            spinner.style("32");
            spinner.write(b"|");
            spinner.style("0");
            spinner.left(1);
        }
        assert!(spinner.len() < 40, "{}", spinner.text());
    }
}
