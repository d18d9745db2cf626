//! Text encodings: UTF-8 and UTF-16, detected by the byte order mark or the zero bytes of UTF-16. UTF-8 is validated
//! later, by the line parser that knows the line number.

use super::magic;
use super::{Sink, SourceResult};
use market_data::failures::failure;
use protocol::Failure;

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";
/// Bytes needed to detect the encoding.
const PROBE_BYTES: usize = 4;

/// Length of the byte order mark of UTF-8 text.
pub(in super::super) fn mark_length(start: &[u8]) -> u64 {
    if start.starts_with(UTF8_MARK) { UTF8_MARK.len() as u64 } else { 0 }
}

pub(super) struct Charset {
    what: String,
    state: State,
}

enum State {
    /// Too few bytes to decide.
    Probing(Vec<u8>),
    Utf8,
    Utf16(Utf16),
}

struct Utf16 {
    big_endian: bool,
    /// First byte of an incomplete unit.
    byte: Option<u8>,
    /// First unit of a surrogate pair.
    high: Option<u16>,
    buffer: String,
}

impl Charset {
    pub(super) fn detect(what: &str) -> Self {
        Self { what: what.to_owned(), state: State::Probing(Vec::new()) }
    }

    pub(super) fn utf8() -> Self {
        Self { what: String::new(), state: State::Utf8 }
    }

    pub(super) fn is_utf8(&self) -> bool {
        matches!(self.state, State::Utf8)
    }

    pub(super) fn push(&mut self, bytes: &[u8], sink: Sink<'_>) -> SourceResult<()> {
        match &mut self.state {
            State::Utf8 => sink(bytes),
            State::Utf16(utf16) => utf16.push(bytes, &self.what, sink),
            State::Probing(probe) => {
                probe.extend_from_slice(bytes);
                if probe.len() < PROBE_BYTES { Ok(()) } else { self.decide(sink) }
            }
        }
    }

    pub(super) fn finish(&mut self, sink: Sink<'_>) -> SourceResult<()> {
        if matches!(self.state, State::Probing(_)) {
            self.decide(sink)?;
        }
        match &self.state {
            State::Utf16(Utf16 { byte: None, high: None, .. }) | State::Utf8 => Ok(()),
            _ => Err(not_utf16(&self.what)),
        }
    }

    fn decide(&mut self, sink: Sink<'_>) -> SourceResult<()> {
        let State::Probing(probe) = &mut self.state else { return Ok(()) };
        let probe = std::mem::take(probe);
        if let Some(refused) = magic::no_text(&self.what, &probe) {
            return Err(refused);
        }
        let (state, skipped) = match probe.as_slice() {
            [0xFF, 0xFE, ..] => (utf16(false), 2),
            [0xFE, 0xFF, ..] => (utf16(true), 2),
            [0, a, 0, b, ..] if *a != 0 && *b != 0 => (utf16(true), 0),
            [a, 0, b, 0, ..] if *a != 0 && *b != 0 => (utf16(false), 0),
            other => (State::Utf8, mark_length(other) as usize),
        };
        self.state = state;
        self.push(&probe[skipped..], sink)
    }
}

fn utf16(big_endian: bool) -> State {
    State::Utf16(Utf16 { big_endian, byte: None, high: None, buffer: String::new() })
}

impl Utf16 {
    fn push(&mut self, bytes: &[u8], what: &str, sink: Sink<'_>) -> SourceResult<()> {
        self.buffer.clear();
        for byte in bytes {
            let Some(first) = self.byte.take() else {
                self.byte = Some(*byte);
                continue;
            };
            let pair = [first, *byte];
            let unit = if self.big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
            let is_high = (0xD800..0xDC00).contains(&unit);
            let decoded = match self.high.take() {
                None if is_high => {
                    self.high = Some(unit);
                    continue;
                }
                None => char::decode_utf16([unit]).next(),
                Some(high) => char::decode_utf16([high, unit]).next(),
            };
            match decoded {
                Some(Ok(c)) => self.buffer.push(c),
                _ => return Err(not_utf16(what)),
            }
        }
        sink(self.buffer.as_bytes())
    }
}

fn not_utf16(what: &str) -> Failure {
    failure(
        format!("{what} starts like UTF-16 text, but is truncated or corrupt."),
        "Download the file again, or save it as CSV in UTF-8.",
    )
}
