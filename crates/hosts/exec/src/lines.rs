//! Output as lines, the way a terminal shows it: a carriage return draws the line anew, a newline keeps it.
//!
//! Takes bytes in any portions, holds at most one line of bounded length, and takes whatever is not UTF-8 as
//! replacement characters.

use std::borrow::Cow;

/// A line is cut here, in bytes.
pub(crate) const LONGEST: usize = 200 * 1024;

/// One state of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Piece<'a> {
    pub text: Cow<'a, str>,
    pub state: State,
    /// There was more of it than is kept.
    pub cut: bool,
}

/// What became of a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    /// It stays.
    Kept,
    /// It is drawn over by what follows.
    Redrawn,
    /// It stands at present and may change; told again when it is known what becomes of it.
    Open,
}

/// Gathers lines.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    line: Vec<u8>,
    cut: bool,
    /// A carriage return came last: whether a newline follows decides what it was.
    returned: bool,
    /// The line is being drawn over an earlier state.
    redrawing: bool,
}

impl Lines {
    /// Takes a portion and tells each state of a line in it.
    pub fn push(&mut self, bytes: &[u8], mut tell: impl FnMut(Piece)) {
        let mut rest = bytes;
        while let Some(&first) = rest.first() {
            if self.returned {
                self.returned = false;
                if first == b'\n' {
                    self.end(State::Kept, &mut tell);
                    rest = &rest[1..];
                    continue;
                }
                self.end(State::Redrawn, &mut tell);
            }
            let Some(at) = rest.iter().position(|b| matches!(b, b'\n' | b'\r')) else {
                self.take(rest);
                break;
            };
            self.take(&rest[..at]);
            if rest[at] == b'\n' {
                self.end(State::Kept, &mut tell);
            } else {
                self.returned = true;
            }
            rest = &rest[at + 1..];
        }
        if (self.redrawing || self.returned) && !self.line.is_empty() {
            tell(Piece { text: String::from_utf8_lossy(&self.line), state: State::Open, cut: self.cut });
        }
    }

    /// Tells the last line when it had no newline. Nothing comes after it.
    pub fn finish(&mut self, mut tell: impl FnMut(Piece)) {
        if !self.line.is_empty() {
            self.end(State::Kept, &mut tell);
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        let room = LONGEST - self.line.len();
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.cut |= bytes.len() > room;
    }

    fn end(&mut self, state: State, tell: &mut impl FnMut(Piece)) {
        tell(Piece { text: String::from_utf8_lossy(&self.line), state, cut: self.cut });
        self.line.clear();
        self.cut = false;
        self.redrawing = state == State::Redrawn;
    }
}

/// A text without the sequences by which a terminal is steered, and how many of them moved it up a line.
pub(crate) fn plain(text: &str) -> (Cow<'_, str>, usize) {
    without(text, false)
}

/// The same, but what sets colours and weight stays.
pub(crate) fn coloured(text: &str) -> Cow<'_, str> {
    without(text, true).0
}

fn without(text: &str, colours: bool) -> (Cow<'_, str>, usize) {
    if !text.contains(|c: char| c.is_control() && c != '\t') {
        return (Cow::Borrowed(text), 0);
    }
    let (mut out, mut up) = (String::with_capacity(text.len()), 0);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                // A control sequence ends with a letter or one of a few signs.
                Some('[') => {
                    let mut numbers = String::new();
                    let end = chars.find(|c| {
                        let ends = ('@'..='~').contains(c);
                        if !ends && colours {
                            numbers.push(*c);
                        }
                        ends
                    });
                    up += usize::from(end == Some('A'));
                    let sets = numbers.bytes().all(|b| b.is_ascii_digit() || matches!(b, b';' | b':'));
                    if colours && end == Some('m') && sets {
                        out.push_str("\u{1b}[");
                        out.push_str(&numbers);
                        out.push('m');
                    }
                }
                // An operating system command (a title, a link) ends with a bell or with ESC \.
                Some(']') => {
                    while let Some(c) = chars.next() {
                        if c == '\u{7}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                            break;
                        }
                    }
                }
                _ => {}
            },
            c if c.is_control() && c != '\t' => {}
            c => out.push(c),
        }
    }
    (Cow::Owned(out), up)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The states that are final, with the input in portions of a size.
    fn told(input: &[u8], portion: usize) -> Vec<(String, State)> {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        let mut tell = |piece: Piece| {
            if piece.state != State::Open {
                out.push((piece.text.into_owned(), piece.state));
            }
        };
        for bytes in input.chunks(portion.max(1)) {
            lines.push(bytes, &mut tell);
        }
        lines.finish(&mut tell);
        out
    }

    #[test]
    fn a_carriage_return_draws_anew_and_before_a_newline_means_nothing() {
        use State::{Kept, Redrawn};
        let kept = |text: &str| (text.to_owned(), Kept);
        let redrawn = |text: &str| (text.to_owned(), Redrawn);
        for portion in 1..8 {
            assert_eq!(told(b"a\r\nb\n\nc", portion), [kept("a"), kept("b"), kept(""), kept("c")]);
            assert_eq!(told(b"\r1\r2\r\nx", portion), [redrawn(""), redrawn("1"), kept("2"), kept("x")]);
        }
    }

    #[test]
    fn what_is_being_drawn_is_told_at_once() {
        let (mut lines, mut open) = (Lines::default(), Vec::new());
        for bytes in [&b"\r10%"[..], b"\r20%", b"30%\r"] {
            lines.push(bytes, |p| {
                if p.state == State::Open {
                    open.push(p.text.into_owned());
                }
            });
        }
        assert_eq!(open, ["10%", "20%", "20%30%"]);
    }

    #[test]
    fn a_line_without_end_is_held_up_to_a_bound_and_marked() {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        for _ in 0..100 {
            lines.push(&[b'x'; 64 * 1024], |p| panic!("{:?}", p.state));
            assert!(lines.line.len() <= LONGEST && lines.line.capacity() <= 2 * LONGEST);
        }
        lines.push(b"\nshort\n", |p| seen.push((p.text.len(), p.cut)));
        assert_eq!(seen, [(LONGEST, true), (5, false)]);
    }

    #[test]
    fn colours_and_titles_are_taken_off() {
        assert_eq!(plain("\u{1b}[31mred\u{1b}[0m\tx\u{8}"), ("red\tx".into(), 0));
        assert_eq!(plain("50%\u{1b}[A\u{1b}[2A"), ("50%".into(), 2));
        assert_eq!(plain("\u{1b}]0;title\u{7}a\u{1b}]8;;link\u{1b}\\b"), ("ab".into(), 0));
    }

    #[test]
    fn colours_may_stay_while_all_else_is_taken_off() {
        let text = "\u{1b}[1;31mred\u{1b}[0m\u{1b}[2K\u{1b}[?25l\u{1b}]0;t\u{7}\u{8}x";
        assert_eq!(coloured(text), "\u{1b}[1;31mred\u{1b}[0mx");
        assert_eq!(coloured("plain"), "plain");
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_portioned_changes_nothing(
            input in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), any::<u8>()], 0..60),
            portion in 1usize..20,
        ) {
            prop_assert_eq!(told(&input, portion), told(&input, 1_000));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[\u{1b}\\[\\]A7\u{7}\\\\;a]{0,40}") {
            let escape = '\u{1b}';
            prop_assert!(!plain(&text).0.contains(escape));
            let kept = coloured(&text);
            prop_assert_eq!(plain(&kept).0, plain(&text).0);
        }
    }
}
