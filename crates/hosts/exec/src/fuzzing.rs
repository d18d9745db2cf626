//! What holds for any output of a command and any table; `make fuzz` searches for one that breaks it.

use crate::ExecConfig;
use crate::lines::{Lines, Piece, State};
use crate::log::LogRate;
use crate::output_parser::{OutputParser, ParseMode};
use crate::pattern::Matcher;
use crate::progress_sink::ProgressSink;
use crate::row::MAX_LINE_BYTES;
use crate::stream::Stream;
use protocol::LogLevel;
use std::sync::Arc;
use tokio::time::Instant;

/// Receiver that accepts only what an operation can show.
struct CheckingSink;

impl ProgressSink for CheckingSink {
    fn phase(&mut self, index: u32, _: &str) {
        assert!(index > 0, "phases are counted from 1");
    }
    fn items(&mut self, _: &str, _: Option<u64>) {}
    fn revise_items(&mut self, _: &str, _: Option<u64>) {}
    fn done(&mut self, _: u64) {}
    fn message(&mut self, _: String) {}
    fn fraction(&mut self, fraction: Option<f64>) {
        assert!(fraction.is_none_or(|fraction| (0.0..=1.0).contains(&fraction)), "{fraction:?}");
    }
    // The operation takes numbers that are not finite as gaps.
    fn point(&mut self, _: &str, _: f64, _: f64) {}
    fn log(&mut self, _: LogLevel, text: String) {
        let other = text.chars().find(|c| c.is_control() && !matches!(c, '\t' | '\u{1b}'));
        assert_eq!(other, None, "{text:?}");
        // A byte that is not UTF-8 becomes three; a few words surround a line.
        assert!(text.len() <= 3 * MAX_LINE_BYTES + 1_000);
    }
}

/// Lines do not depend on where the output is cut, and progress has sound values. The first byte of the input is the
/// way to read, the second the length of the pieces.
pub fn output(bytes: &[u8]) {
    let [way, piece, bytes @ ..] = bytes else { return };
    let piece = usize::from(*piece).max(1);
    assert_eq!(final_lines(bytes, piece), final_lines(bytes, bytes.len().max(1)));

    let matcher = || Matcher::new(&[r"(?<done>\d+)/(?<total>\d+) (?<phase>\w*) (?<loss>\S+)".to_owned()]);
    let reading = match way % 4 {
        0 => ParseMode::Lines,
        1 => ParseMode::Tqdm,
        2 => ParseMode::Pattern(matcher().expect("the expression is valid")),
        _ => ParseMode::Nothing,
    };
    let phases = vec!["fit".to_owned(), "test".to_owned()];
    let now = Instant::now();
    let mut parser = OutputParser::new(CheckingSink, Arc::new(reading), phases, LogRate::default(), now);
    let mut lines = Lines::default();
    let stream = if way & 128 == 0 { Stream::Out } else { Stream::Err };
    for piece in bytes.chunks(piece) {
        lines.push(piece, |piece| parser.feed(stream, &piece, now));
    }
    lines.finish(|piece| parser.feed(stream, &piece, now));
    let summary = parser.finish();
    assert!(
        summary.last.len() <= 20 && summary.at_end.progress.is_none_or(|share| (0.0..=1.0).contains(&share))
    );
}

fn final_lines(bytes: &[u8], piece: usize) -> Vec<(String, State)> {
    let (mut lines, mut found) = (Lines::default(), Vec::new());
    let mut emit = |piece: Piece| {
        if piece.state != State::Open {
            found.push((piece.text.into_owned(), piece.state));
        }
    };
    for piece in bytes.chunks(piece) {
        lines.push(piece, &mut emit);
    }
    lines.finish(&mut emit);
    found
}

/// A table of commands is accepted or refused with a reason.
pub fn config(bytes: &[u8]) {
    if let Err(error) = ExecConfig::from_toml(&String::from_utf8_lossy(bytes)) {
        assert!(!error.to_string().trim().is_empty());
    }
}

#[cfg(test)]
#[test]
fn the_stored_inputs_hold() {
    fuzz_corpus::each("exec_output", output);
    fuzz_corpus::each("exec_config", config);
}
