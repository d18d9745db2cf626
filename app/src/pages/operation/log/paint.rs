//! Rendering of a log line as segments with ANSI styles and highlighted matches.

use ansi::{Style, pieces};
use leptos::prelude::*;
use log_search::ranges;

/// Maximum number of highlights per line.
const MAX_MARKS: usize = 200;

/// Segment of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    /// CSS classes of its style; empty for plain text.
    pub class: String,
    pub marked: bool,
    pub text: String,
}

/// Splits a line into segments and highlights `words`, which are lower-case.
pub fn paint(text: &str, words: &str) -> Vec<Piece> {
    let parts = pieces(text);
    let plain: String = parts.iter().map(|(_, text)| text.as_ref()).collect();
    let marks = ranges(&plain, words, MAX_MARKS);
    let mut out = Vec::new();
    let (mut at, mut mark) = (0, 0);
    for (look, text) in &parts {
        let (class, end) = (classes(*look), at + text.len());
        while at < end {
            while marks.get(mark).is_some_and(|m| m.end <= at) {
                mark += 1;
            }
            let (marked, to) = match marks.get(mark) {
                Some(m) if m.start <= at => (true, m.end.min(end)),
                Some(m) => (false, m.start.min(end)),
                None => (false, end),
            };
            out.push(Piece { class: class.clone(), marked, text: plain[at..to].to_owned() });
            at = to;
        }
    }
    out
}

fn classes(look: Style) -> String {
    let mut all = Vec::new();
    let named = |what: &str, n: Option<u8>| n.map(|n| format!("{what}{n}"));
    let (ink, ground) = match look.inverse {
        true if (look.ink, look.ground) == (None, None) => (Some("inverse".to_owned()), None),
        true => (named("ink", look.ground), named("ground", look.ink)),
        false => (named("ink", look.ink), named("ground", look.ground)),
    };
    all.extend([ink, ground].into_iter().flatten());
    let words =
        [(look.bold, "bold"), (look.faint, "faint"), (look.italic, "italic"), (look.underline, "underline")];
    all.extend(words.iter().filter(|(on, _)| *on).map(|(_, word)| (*word).to_owned()));
    all.join(" ")
}

/// Segments as a view.
pub fn drawn(text: &str, words: &str) -> AnyView {
    let piece = |piece: Piece| {
        let piece = Piece { text: visible(&piece.text), ..piece };
        let class = (!piece.class.is_empty()).then_some(piece.class);
        if piece.marked {
            view! { <mark class=class>{piece.text}</mark> }.into_any()
        } else if class.is_some() {
            view! { <span class=class>{piece.text}</span> }.into_any()
        } else {
            piece.text.into_any()
        }
    };
    paint(text, words).into_iter().map(piece).collect_view().into_any()
}

/// Text with bidirectional controls written out, so that a program can't make its output read as something else.
pub fn visible(text: &str) -> String {
    let is_control = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.contains(is_control) {
        return text.to_owned();
    }
    let shown = |c: char| if is_control(c) { format!("<U+{:04X}>", u32::from(c)) } else { c.to_string() };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ansi::plain;
    use proptest::prelude::*;

    fn painted(text: &str, words: &str) -> Vec<(String, bool, String)> {
        paint(text, words).into_iter().map(|p| (p.class, p.marked, p.text)).collect()
    }

    fn piece(class: &str, marked: bool, text: &str) -> (String, bool, String) {
        (class.to_owned(), marked, text.to_owned())
    }

    #[test]
    fn a_line_reads_in_the_order_of_its_characters() {
        assert_eq!(visible("open \u{202e}gpj.exe\u{2069}"), "open <U+202E>gpj.exe<U+2069>");
        assert_eq!(visible("שלום"), "שלום");
    }

    #[test]
    fn a_match_may_span_colours() {
        let text = "epoch \u{1b}[1;32m12\u{1b}[0m done";
        assert_eq!(
            painted(text, "h 12 d"),
            [
                piece("", false, "epoc"),
                piece("", true, "h "),
                piece("ink2 bold", true, "12"),
                piece("", true, " d"),
                piece("", false, "one"),
            ]
        );
        assert_eq!(painted("plain", ""), [piece("", false, "plain")]);
        assert!(painted("", "x").is_empty());
    }

    #[test]
    fn inverse_video_swaps_colours() {
        assert_eq!(painted("\u{1b}[7mx", ""), [piece("inverse", false, "x")]);
        assert_eq!(painted("\u{1b}[7;31mx", ""), [piece("ground1", false, "x")]);
        assert_eq!(painted("\u{1b}[7;31;44mx", ""), [piece("ink4 ground1", false, "x")]);
        assert_eq!(painted("\u{1b}[4;3;2;103mx", ""), [piece("ground11 faint italic underline", false, "x")]);
    }

    proptest! {
        #[test]
        fn pieces_form_the_text_and_marked_ones_are_the_words(
            text in "(a|b|ä|\u{1b}\\[3[0-9]m|\u{1b}\\[m| ){0,20}", words in "[abä]{0,2}"
        ) {
            let pieces = paint(&text, &words);
            let whole: String = pieces.iter().map(|p| p.text.as_str()).collect();
            prop_assert_eq!(whole, plain(&text).into_owned());
            prop_assert!(pieces.iter().all(|p| !p.text.is_empty()));
            let marked = pieces.iter().any(|p| p.marked);
            prop_assert_eq!(marked, !words.is_empty() && plain(&text).contains(&words));
        }
    }
}
