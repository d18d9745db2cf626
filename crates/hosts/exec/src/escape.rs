//! Incremental parser for terminal control sequences (ECMA-48).
//!
//! Colours and weight (SGR) are kept for the log, some cursor movements are applied, everything else is removed.

/// Maximum length of the parameters of a control sequence, in bytes.
const MAX_PARAMETER_BYTES: usize = 64;
/// Maximum cursor movement of one sequence, in rows or columns.
const MAX_DISTANCE: usize = 1_000;

/// Result of one byte within a sequence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// The sequence continues.
    More,
    /// The sequence is complete.
    Done(Control),
    /// The sequence is invalid; this byte is not part of it.
    Broken,
}

/// Effect of a sequence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Control {
    /// Colours or weight: the parameters between `ESC [` and `m`.
    Style(String),
    Up(usize),
    Down(usize),
    Left(usize),
    /// Moves to the start of the line.
    LineStart,
    /// Erases the line, all of it or from the cursor on.
    EraseLine {
        whole: bool,
    },
    /// Erases everything below the cursor.
    EraseBelow,
    /// Shows the cursor again, which ends a live display.
    ShowCursor,
    /// No relevant effect.
    Nothing,
}

/// Parser state.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) enum Escape {
    /// Outside of a sequence.
    #[default]
    Outside,
    /// After ESC.
    Begun,
    /// After ESC and an intermediate byte such as `(`.
    Named,
    /// After `ESC [`.
    Parameters(Vec<u8>),
    /// Inside a string for the terminal (title, link, image), which ends with BEL or ESC \.
    Text,
    /// After an ESC inside such a string.
    Leaving,
}

impl Escape {
    pub fn outside(&self) -> bool {
        *self == Self::Outside
    }

    /// Parses the next byte of a sequence.
    pub fn take(&mut self, byte: u8) -> Step {
        let (next, step) = match (std::mem::take(self), byte) {
            (Self::Begun | Self::Leaving, b'[') => (Self::Parameters(Vec::new()), Step::More),
            (Self::Leaving, b'\\') => (Self::Outside, Step::Done(Control::Nothing)),
            (Self::Begun | Self::Leaving, b']' | b'P' | b'X' | b'^' | b'_') => (Self::Text, Step::More),
            (Self::Begun | Self::Leaving, 0x1b) => (Self::Begun, Step::More),
            (Self::Begun | Self::Leaving, b'M') => (Self::Outside, Step::Done(Control::Up(1))),
            (Self::Begun | Self::Leaving | Self::Named, b' '..=b'/') => (Self::Named, Step::More),
            (Self::Begun | Self::Leaving | Self::Named, b'0'..=b'~') => {
                (Self::Outside, Step::Done(Control::Nothing))
            }
            (Self::Parameters(read), b'@'..=b'~') => (Self::Outside, Step::Done(control(&read, byte))),
            (Self::Parameters(mut read), b' '..=b'?') => {
                if read.len() < MAX_PARAMETER_BYTES {
                    read.push(byte);
                }
                (Self::Parameters(read), Step::More)
            }
            (Self::Text, 0x07) => (Self::Outside, Step::Done(Control::Nothing)),
            (Self::Text, 0x1b) => (Self::Leaving, Step::More),
            // An unterminated string must not swallow the rest of the output.
            (Self::Text, b'\n') => (Self::Outside, Step::Broken),
            (Self::Text, _) => (Self::Text, Step::More),
            (Self::Parameters(_) | Self::Named, 0x1b) => (Self::Begun, Step::More),
            _ => (Self::Outside, Step::Broken),
        };
        *self = next;
        step
    }
}

/// Effect of `ESC [ parameters letter`.
fn control(parameters: &[u8], letter: u8) -> Control {
    let text = String::from_utf8_lossy(parameters);
    // At most one number; 1 by default.
    let number = || match text.parse::<usize>() {
        Ok(n) => Some(n.clamp(1, MAX_DISTANCE)),
        Err(_) => text.is_empty().then_some(1),
    };
    let known = match letter {
        b'm' => {
            let style = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b';' | b':'));
            style.then(|| Control::Style(text.into_owned()))
        }
        b'A' | b'F' => number().map(Control::Up),
        b'B' | b'E' => number().map(Control::Down),
        b'D' => number().map(Control::Left),
        b'G' => number().filter(|column| *column == 1).map(|_| Control::LineStart),
        b'K' => match &*text {
            "" | "0" => Some(Control::EraseLine { whole: false }),
            "2" => Some(Control::EraseLine { whole: true }),
            _ => None,
        },
        b'J' => matches!(&*text, "" | "0").then_some(Control::EraseBelow),
        b'h' => (text == "?25").then_some(Control::ShowCursor),
        _ => None,
    };
    known.unwrap_or(Control::Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Vec<Control>, String) {
        let (mut escape, mut controls, mut rest) = (Escape::Outside, Vec::new(), Vec::new());
        for &byte in bytes {
            if escape.outside() {
                if byte == 0x1b {
                    escape = Escape::Begun
                } else {
                    rest.push(byte)
                }
                continue;
            }
            match escape.take(byte) {
                Step::More => {}
                Step::Done(control) => controls.push(control),
                Step::Broken => rest.push(byte),
            }
        }
        (controls, String::from_utf8(rest).unwrap())
    }

    #[test]
    fn escape_sequences_are_removed_completely() {
        for bytes in [
            &b"a\x1b(Bb"[..],
            b"a\x1b)0b",
            b"a\x1bPq#0;2;0;0;0~~@@vv\x1b\\b",
            b"a\x1b_app data\x1b\\b",
            b"a\x1b^private\x1b\\b",
            b"a\x1bXstring\x1b\\b",
            b"a\x1b]0;title\x07b",
            b"a\x1b]8;;http://x\x1b\\b",
            b"a\x1b7\x1b8\x1b=\x1b>b",
            b"a\x1b[?25l\x1b[>4;1m\x1b[5;10Hb",
            b"a\x1b\x1b[2Jb",
        ] {
            assert_eq!(read(bytes).1, "ab", "{bytes:?}");
        }
        assert_eq!(
            read(b"a\x1b]0;never ended\nb").1,
            "a\nb",
            "one that nothing ends stops at the line's end"
        );
        assert_eq!(read(b"a\x1b[31\nb").1, "a\nb");
    }

    #[test]
    fn cursor_and_erase_sequences_are_recognized() {
        let (controls, _) =
            read(b"\x1b[1;31m\x1b[m\x1b[A\x1b[3A\x1bM\x1b[2B\x1b[4D\x1b[G\x1b[K\x1b[2K\x1b[J\x1b[?25h");
        let expected = [
            Control::Style("1;31".into()),
            Control::Style(String::new()),
            Control::Up(1),
            Control::Up(3),
            Control::Up(1),
            Control::Down(2),
            Control::Left(4),
            Control::LineStart,
            Control::EraseLine { whole: false },
            Control::EraseLine { whole: true },
            Control::EraseBelow,
            Control::ShowCursor,
        ];
        assert_eq!(controls, expected);
    }
}
