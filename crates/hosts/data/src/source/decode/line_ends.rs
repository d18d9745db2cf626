//! Line ends: a lone CR becomes LF, which keeps offsets; CR LF stays.

use super::{Sink, SourceResult};

/// Holds back a CR until the next byte is known.
#[derive(Default)]
pub(super) struct LineEnds {
    held: bool,
    buffer: Vec<u8>,
}

impl LineEnds {
    pub(super) fn push(&mut self, text: &[u8], sink: Sink<'_>) -> SourceResult<()> {
        if text.is_empty() {
            return Ok(());
        }
        if !self.held && !text.contains(&b'\r') {
            return sink(text);
        }
        self.buffer.clear();
        if self.held {
            self.buffer.push(if text[0] == b'\n' { b'\r' } else { b'\n' });
        }
        self.held = text.last() == Some(&b'\r');
        let known = if self.held { &text[..text.len() - 1] } else { text };
        let mut rest = known;
        while let Some(at) = rest.iter().position(|b| *b == b'\r') {
            self.buffer.extend_from_slice(&rest[..at]);
            // The last byte of `text` is held back, so a CR always has a next byte, in `rest` or as the held one.
            let lone = rest.get(at + 1).is_none_or(|next| *next != b'\n');
            self.buffer.push(if lone { b'\n' } else { b'\r' });
            rest = &rest[at + 1..];
        }
        self.buffer.extend_from_slice(rest);
        sink(&self.buffer)
    }

    pub(super) fn finish(&mut self, sink: Sink<'_>) -> SourceResult<()> {
        if std::mem::take(&mut self.held) { sink(b"\n") } else { Ok(()) }
    }
}
