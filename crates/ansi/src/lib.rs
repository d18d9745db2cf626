//! Parser for text with ANSI colours: splits it into pieces of one style each.
//!
//! Programs colour their output with escape sequences (ECMA-48, SGR: `ESC [ 1 ; 31 m`). The parser applies colour,
//! bold, faint, italic and underline. It drops all other sequences and control characters, so they are never shown.
//! 256-colour and true-colour codes map to the nearest of the 16 colours that the page supports.
//!
//! Knows text only; compiles to native code and to WebAssembly. The parser is our own, because parsers of bytes such as
//! `anstyle-parse` hide the text after a truncated sequence (`ESC [ 31 é`), and don't know `U+009B` in UTF-8.

#[cfg(any(test, fuzzing))]
pub mod fuzzing;

use std::borrow::Cow;

const ESC: char = '\u{1b}';

/// Style of a piece of text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Style {
    /// 0 to 15: black, red, green, yellow, blue, magenta, cyan, white, and the bright ones.
    pub ink: Option<u8>,
    pub ground: Option<u8>,
    pub bold: bool,
    pub faint: bool,
    pub italic: bool,
    pub underline: bool,
    /// Foreground and background are swapped.
    pub inverse: bool,
}

/// Splits text into pieces of one style. Together, the pieces equal the output of [`plain`].
pub fn pieces(text: &str) -> Vec<(Style, Cow<'_, str>)> {
    let (mut look, mut out) = (Style::default(), Vec::new());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(is_control).unwrap_or(rest.len());
        let (words, after) = rest.split_at(end);
        push(&mut out, look, words);
        rest = match after.chars().next() {
            Some('\t') => {
                push(&mut out, look, "\t");
                &after[1..]
            }
            Some(ESC) => sequence(&after[1..], &mut look),
            // The one-character form of `ESC [`.
            Some('\u{9b}') => control(&after['\u{9b}'.len_utf8()..], &mut look),
            Some(c) => &after[c.len_utf8()..],
            None => "",
        };
    }
    out
}

/// Removes all escape sequences and control characters except tabs.
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| is_control(c) && c != '\t') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(pieces(text).into_iter().map(|(_, words)| words).collect())
}

/// Removes all control characters except tabs, and all escape sequences except those of colours and weight (SGR).
pub fn coloured(text: &str) -> Cow<'_, str> {
    if !text.contains(|c| is_control(c) && c != '\t') {
        return Cow::Borrowed(text);
    }
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    let mut from = 0;
    while let Some(at) = rest[from..].find("\u{1b}[").map(|at| from + at) {
        let params = &rest[at + 2..];
        let end =
            params.find(|c: char| !(c.is_ascii_digit() || matches!(c, ';' | ':'))).unwrap_or(params.len());
        if params[end..].starts_with('m') {
            out.push_str(&plain(&rest[..at]));
            out.push_str(&rest[at..at + 2 + end + 1]);
            (rest, from) = (&params[end + 1..], 0);
        } else {
            from = at + 2;
        }
    }
    out.push_str(&plain(rest));
    out.into()
}

fn is_control(c: char) -> bool {
    c.is_control()
}

/// Appends text, to the last piece if the style is the same.
fn push<'a>(out: &mut Vec<(Style, Cow<'a, str>)>, look: Style, words: &'a str) {
    if words.is_empty() {
        return;
    }
    match out.last_mut() {
        Some((last, text)) if *last == look => text.to_mut().push_str(words),
        _ => out.push((look, Cow::Borrowed(words))),
    }
}

/// Parses the sequence after an ESC. Returns the rest of the text.
fn sequence<'a>(text: &'a str, look: &mut Style) -> &'a str {
    let mut chars = text.chars();
    match chars.next() {
        Some('[') => control(chars.as_str(), look),
        // Titles, links and similar end with a bell or `ESC \`.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let text = chars.as_str();
            let end = text.find(['\u{7}', '\u{9c}', ESC]).unwrap_or(text.len());
            let after = &text[end..];
            after
                .strip_prefix("\u{1b}\\")
                .or_else(|| after.strip_prefix(['\u{7}', '\u{9c}']))
                .unwrap_or(after)
        }
        // Any number of intermediate characters, then the final one.
        Some(' '..='/') => {
            let text = chars.as_str().trim_start_matches(|c| (' '..='/').contains(&c));
            text.strip_prefix(|c| ('0'..='~').contains(&c)).unwrap_or(text)
        }
        Some('0'..='~') => chars.as_str(),
        // A lone ESC.
        _ => text,
    }
}

/// Parses the sequence after `ESC [`: parameters, then the final character. Returns the rest of the text.
fn control<'a>(text: &'a str, look: &mut Style) -> &'a str {
    let end = text.find(|c| !(' '..='?').contains(&c)).unwrap_or(text.len());
    let (params, after) = text.split_at(end);
    match after.chars().next() {
        Some('m') => {
            set(params, look);
            &after[1..]
        }
        Some('@'..='~') => &after[1..],
        // An incomplete sequence: the rest is text.
        _ => after,
    }
}

/// Applies the parameters of an SGR sequence. Unknown parameters are ignored.
fn set(params: &str, look: &mut Style) {
    // Private sequences such as `ESC[?25m` are ignored.
    if !params.bytes().all(|b| b.is_ascii_digit() || matches!(b, b';' | b':')) {
        return;
    }
    let mut groups = params.split(';');
    while let Some(group) = groups.next() {
        let mut parts = group.split(':');
        let first = number(parts.next());
        match first {
            38 | 48 => {
                // Colons keep the colour in one group; semicolons spread it over the next groups.
                let within: Vec<u32> = parts.map(|part| number(Some(part))).collect();
                let colour = if within.is_empty() {
                    colour(&mut std::iter::from_fn(|| groups.next().map(|part| number(Some(part)))), 0)
                } else {
                    // An optional colour space ID precedes the three numbers.
                    let skip = usize::from(within.first() == Some(&2) && within.len() > 4);
                    colour(&mut within.into_iter(), skip)
                };
                if let Some(colour) = colour {
                    *(if first == 38 { &mut look.ink } else { &mut look.ground }) = Some(colour);
                }
            }
            // 4:0 turns the underline off, 4:3 is a wavy one.
            4 => look.underline = parts.next().is_none_or(|kind| number(Some(kind)) != 0),
            code => simple(code, look),
        }
    }
}

fn simple(code: u32, look: &mut Style) {
    let low = (code % 10) as u8;
    match code {
        0 => *look = Style::default(),
        1 => look.bold = true,
        2 => look.faint = true,
        3 => look.italic = true,
        7 => look.inverse = true,
        21 => look.underline = true,
        22 => (look.bold, look.faint) = (false, false),
        23 => look.italic = false,
        24 => look.underline = false,
        27 => look.inverse = false,
        30..=37 => look.ink = Some(low),
        39 => look.ink = None,
        40..=47 => look.ground = Some(low),
        49 => look.ground = None,
        90..=97 => look.ink = Some(low + 8),
        100..=107 => look.ground = Some(low + 8),
        _ => {}
    }
}

/// Parses a parameter. An empty one is 0, as in `ESC [ m`.
fn number(text: Option<&str>) -> u32 {
    let text = text.unwrap_or_default();
    if text.is_empty() { 0 } else { text.parse().unwrap_or(u32::MAX) }
}

/// Parses the colour after 38 or 48: `5;N` (256 colours) or `2;R;G;B`.
fn colour(numbers: &mut dyn Iterator<Item = u32>, skip: usize) -> Option<u8> {
    match numbers.next()? {
        5 => of_256(u8::try_from(numbers.next()?).ok()?),
        2 => {
            let mut byte = |skip| u8::try_from(numbers.nth(skip)?).ok();
            let (red, green, blue) = (byte(skip)?, byte(0)?, byte(0)?);
            Some(nearest(red, green, blue))
        }
        _ => None,
    }
}

/// Maps a 256-colour code (16 colours, a 6 × 6 × 6 cube and 24 greys) to the nearest of the 16.
fn of_256(n: u8) -> Option<u8> {
    Some(match n {
        0..=15 => n,
        16..=231 => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + n * 40 };
            let n = n - 16;
            nearest(level(n / 36), level(n / 6 % 6), level(n % 6))
        }
        _ => {
            let grey = 8 + (n - 232) * 10;
            nearest(grey, grey, grey)
        }
    })
}

/// Nearest of the 16 xterm colours.
fn nearest(red: u8, green: u8, blue: u8) -> u8 {
    const COLOURS: [[u8; 3]; 16] = [
        [0, 0, 0],
        [205, 0, 0],
        [0, 205, 0],
        [205, 205, 0],
        [0, 0, 238],
        [205, 0, 205],
        [0, 205, 205],
        [229, 229, 229],
        [127, 127, 127],
        [255, 0, 0],
        [0, 255, 0],
        [255, 255, 0],
        [92, 92, 255],
        [255, 0, 255],
        [0, 255, 255],
        [255, 255, 255],
    ];
    let far = |colour: &[u8; 3]| -> u32 {
        let part = |a: u8, b: u8| u32::from(a.abs_diff(b)).pow(2);
        // Weights of the eye's sensitivity: highest for green.
        2 * part(colour[0], red) + 4 * part(colour[1], green) + 3 * part(colour[2], blue)
    };
    let mut best = 0;
    for (n, colour) in (0u8..).zip(&COLOURS) {
        if far(colour) < far(&COLOURS[usize::from(best)]) {
            best = n;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pieces_of(text: &str) -> Vec<(Style, String)> {
        pieces(text).into_iter().map(|(look, words)| (look, words.into_owned())).collect()
    }

    fn ink(n: u8) -> Style {
        Style { ink: Some(n), ..Style::default() }
    }

    fn last(text: &str) -> Style {
        pieces_of(&format!("{text}x")).pop().unwrap().0
    }

    #[test]
    fn styles_last_until_they_are_reset() {
        let no = Style::default();
        assert_eq!(pieces_of("plain"), [(no, "plain".to_owned())]);
        let bold_red = Style { bold: true, ..ink(1) };
        assert_eq!(
            pieces_of("a\u{1b}[1;31mb\u{1b}[0mc\u{1b}[mc"),
            [(no, "a".into()), (bold_red, "b".into()), (no, "cc".into())]
        );
        assert_eq!(last("\u{1b}[1;2;3;4;7m\u{1b}[22;23;24;27m"), no);
        assert_eq!(last("\u{1b}[92;103m"), Style { ground: Some(11), ..ink(10) });
        assert_eq!(last("\u{1b}[31;41m\u{1b}[39;49m"), no);
        assert_eq!((last("\u{1b}[4:3m").underline, last("\u{1b}[4m\u{1b}[4:0m").underline), (true, false));
    }

    #[test]
    fn colours_of_larger_palettes_map_to_the_nearest_of_the_16() {
        assert_eq!(last("\u{1b}[38;5;9m"), ink(9));
        assert_eq!(last("\u{1b}[38;5;196m"), ink(9));
        assert_eq!(last("\u{1b}[38;5;232m"), ink(0));
        assert_eq!(last("\u{1b}[38;2;250;250;10m"), ink(11));
        assert_eq!(last("\u{1b}[38:2::0:200:10m"), ink(2));
        assert_eq!(last("\u{1b}[38:5:4m"), ink(4));
        // Later parameters still apply.
        assert_eq!(last("\u{1b}[38;5;1;4m"), Style { underline: true, ..ink(1) });
    }

    #[test]
    fn other_terminal_sequences_are_removed() {
        for text in [
            "a\u{1b}[2K\u{1b}[10;20Hb",
            "a\u{1b}]0;title\u{7}b",
            "a\u{1b}]8;;http://x\u{1b}\\b",
            "a\u{1b}(Bb",
            "a\u{1b}[?25lb",
            "a\u{1b}[>4;1mb",
            "\u{8}a\u{0}b\u{7f}",
            "a\u{9b}31mb\u{1b}[0m",
            "a\u{1b}=b\u{1b}",
            "ab\u{1b}[31",
        ] {
            assert_eq!(plain(text), "ab", "{text:?}");
        }
        assert_eq!(plain("a\tb"), "a\tb");
        let styled = "a\u{1b}[2J\u{1b}[1;31mb\u{1b}]52;c;eA==\u{7}\u{0}\u{1b}[mc\u{1b}[?25md";
        assert_eq!(coloured(styled), "a\u{1b}[1;31mb\u{1b}[mcd");
        assert_eq!(plain("\u{1b}[31\u{e9}"), "\u{e9}", "incomplete sequence, the rest is text");
    }

    proptest! {
        #[test]
        fn no_input_panics_or_leaves_a_control_character(text in "(\u{1b}|\\[|\\]|[0-9;:?mKA]|\u{9b}|\u{7}|\\\\|\\PC|\\p{Cc}){0,60}") {
            let shown: String = pieces(&text).into_iter().map(|(_, words)| words).collect();
            prop_assert!(shown.chars().all(|c| !c.is_control() || c == '\t'));
            prop_assert_eq!(&shown, &plain(&text).into_owned());
            prop_assert_eq!(&shown, &plain(&shown).into_owned());
            let styled = coloured(&text).into_owned();
            prop_assert!(styled.chars().all(|c| !c.is_control() || c == '\t' || c == ESC));
            prop_assert_eq!(&styled, &coloured(&styled).into_owned());
        }

        #[test]
        fn plain_text_is_one_unchanged_piece(text in "\\PC{1,40}") {
            prop_assert_eq!(pieces_of(&text), [(Style::default(), text)]);
        }

        #[test]
        fn adjacent_pieces_have_different_styles(codes in proptest::collection::vec(0u32..120, 0..8)) {
            let text: String = codes.iter().map(|code| format!("\u{1b}[{code}mx")).collect();
            let looks: Vec<Style> = pieces(&text).into_iter().map(|(look, _)| look).collect();
            prop_assert!(looks.windows(2).all(|two| two[0] != two[1]));
        }
    }
}
