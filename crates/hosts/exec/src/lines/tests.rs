//! Chunked output, as a terminal would show it.

use super::*;
use crate::row::MAX_LINE_BYTES;
use proptest::prelude::*;

/// Final states, with the input in chunks of a size.
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
fn a_carriage_return_redraws_unless_a_newline_follows() {
    use State::{Kept, Redrawn};
    let kept = |text: &str| (text.to_owned(), Kept);
    let redrawn = |text: &str| (text.to_owned(), Redrawn);
    for portion in 1..8 {
        assert_eq!(told(b"a\r\nb\n\nc", portion), [kept("a"), kept("b"), kept(""), kept("c")]);
        assert_eq!(told(b"\r1\r2\r\nx", portion), [redrawn(""), redrawn("1"), kept("2"), kept("x")]);
    }
}

#[test]
fn a_partial_line_is_reported_at_once() {
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
fn an_endless_line_is_cut_at_a_limit_and_marked() {
    let (mut lines, mut seen) = (Lines::default(), Vec::new());
    for _ in 0..100 {
        lines.push(&[b'x'; 64 * 1024], |p| panic!("{:?}", p.state));
        assert!(lines.row.len() <= MAX_LINE_BYTES);
    }
    lines.push(b"\nshort\n", |p| seen.push((p.text.len(), p.cut)));
    assert_eq!(seen, [(MAX_LINE_BYTES, true), (5, false)]);
}

/// What a terminal would finally show, and the number of reported states.
fn shown(input: &[u8]) -> (Vec<String>, usize) {
    let all = told(input, input.len());
    let stays = |state: &State| matches!(state, State::Kept | State::Settled);
    let lines = all.iter().filter(|(_, state)| stays(state));
    let lines =
        lines.map(|(text, _)| ansi::plain(text).trim_end().to_owned()).filter(|text| !text.is_empty());
    (lines.collect(), all.len())
}

#[test]
fn escape_sequences_and_backspaces_leave_no_trace() {
    for (input, expected) in [
        (&b">\x1b[36mred\x1b(B\x1b[m<\n"[..], ">red<"),
        (b">\x1bPq#1;2;9~~@@\x1b\\pic<\n", ">pic<"),
        (b">\x1b_g\x1b\\own\x1b]8;;https://a/b\x1b\\link\x1b]8;;\x1b\\<\n", ">ownlink<"),
        (b"Inodes:  1/40\x08\x08\x08\x08\x08 2/40\x08\x08\x08\x08\x08done \n", "Inodes: done"),
        (b"Wait |\x08/\x08-\x08well\n", "Wait well"),
        (b"50%\x1b[2K\x1b[1G75%\n", "75%"),
    ] {
        assert_eq!(shown(input).0, [expected], "{input:?}");
    }
}

#[test]
fn redrawn_rows_keep_their_last_state() {
    // Like docker: each row separately, up and down again.
    let docker = b"a: wait\nb: wait\nc: wait\n\x1b[3A\x1b[2K\ra: 10\r\x1b[3B\x1b[2A\x1b[2K\rb: 20\r\x1b[2B\
        \x1b[3A\x1b[2K\ra: done\r\x1b[3B\x1b[2A\x1b[2K\rb: done\r\x1b[2B\x1b[1A\x1b[2K\rc: done\r\x1b[1B";
    let lines = shown(docker).0;
    assert_eq!(lines, ["a: wait", "b: wait", "c: wait", "a: done", "b: done", "c: done"]);
    // Like rich: redraws all rows, and prints other lines above them.
    let mut rich = b"\x1b[?25l\r\x1b[2Kone 0%\ntwo 0%".to_vec();
    for i in 1..=40 {
        rich.extend(format!("\r\x1b[2K\x1b[1A\x1b[2Kone {i}%\ntwo {i}%").bytes());
        if i == 20 {
            rich.extend(b"\r\x1b[2K\x1b[1A\x1b[2Kprinted\none 20%\ntwo 20%");
        }
    }
    rich.extend(b"\n\x1b[?25hafterwards\n");
    let (lines, states) = shown(&rich);
    assert_eq!(lines, ["one 0%", "printed", "one 40%", "two 40%", "afterwards"]);
    assert!(states > 80, "each state is told on the way");
}

#[test]
fn lines_after_a_redrawn_block_are_kept_in_order() {
    let mut lines = Lines::default();
    lines.push(b"a\nb\n\x1b[2Ac\nd\n", |_| {});
    let mut last = 0;
    for i in 0..100 {
        lines.push(format!("line {i}\n").as_bytes(), |piece| {
            if matches!(piece.state, State::Kept | State::Settled) {
                last = i;
            }
        });
        assert!(i < 3 || last + 3 > i, "at most the height of the block is held back");
    }
    assert_eq!(last, 99);
}

proptest! {
    #[test]
    fn the_chunk_size_does_not_matter(
        input in proptest::collection::vec(prop_oneof![
            Just(b'\r'), Just(b'\n'), Just(8u8), Just(0x1b), Just(b'['), Just(b'A'), Just(b'B'), any::<u8>()
        ], 0..60),
        portion in 1usize..20,
    ) {
        prop_assert_eq!(told(&input, portion), told(&input, 1_000));
    }

    #[test]
    fn no_output_panics_or_leaves_sequences_other_than_colours(
        text in "(\u{1b}\\[|\u{1b}|[0-9]{1,4}|[\\]A-JKMm;?7]|\u{7}|\u{8}|\\\\|\r|\n|é|x){0,80}",
    ) {
        for (line, _) in told(text.as_bytes(), 1_000) {
            let left = coloured(&line);
            let other = left.contains(['\u{8}', '\u{7}', '\r', '\n']);
            prop_assert!(!other, "{left:?}");
            for rest in left.split('\u{1b}').skip(1) {
                let style = rest.strip_prefix('[').and_then(|rest| rest.split_once('m'));
                let style = style.is_some_and(|(numbers, _)| numbers.bytes().all(|b| !b.is_ascii_alphabetic()));
                prop_assert!(style, "{rest:?}");
            }
        }
    }
}
