//! Decoder from the bytes of a file or response to UTF-8 text with LF line ends: decompresses gzip and zip, converts
//! UTF-16, drops byte order marks. Works in chunks; memory holds one chunk.

mod charset;
mod line_ends;
mod magic;
mod unpack;
mod zip_entry;

use super::SourceResult;
use charset::Charset;
use line_ends::LineEnds;
use unpack::Unpack;

pub(super) use charset::mark_length;
pub(super) use zip_entry::{ZipEntry, is_zip, locate};

/// Compressed bytes per step: they can expand a thousandfold.
pub(super) const PACKED_PIECE_BYTES: usize = 4 * 1024;

/// Receives the decoded text in chunks.
pub(super) type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> SourceResult<()>;

/// Decoder of one source, from its first byte on.
pub(super) struct Decoder {
    unpack: Unpack,
    text: TextDecoder,
}

/// Decoder after decompression.
struct TextDecoder {
    charset: Charset,
    line_ends: LineEnds,
}

impl Decoder {
    /// Decoder that detects compression and encoding. `what` is the file or URL, for messages.
    pub(super) fn new(what: &str) -> Self {
        Self::of(Unpack::detect(what), what)
    }

    /// Decoder of the compressed bytes of a zip entry.
    pub(super) fn of_zip_entry(what: &str, entry: &ZipEntry) -> Self {
        Self::of(Unpack::zip_entry(what, entry), what)
    }

    /// Decoder that starts in the middle of plain UTF-8 text, at the start of a line.
    pub(super) fn mid_text(what: &str) -> Self {
        let text = TextDecoder { charset: Charset::utf8(), line_ends: LineEnds::default() };
        Self { unpack: Unpack::plain(what), text }
    }

    fn of(unpack: Unpack, what: &str) -> Self {
        Self { unpack, text: TextDecoder { charset: Charset::detect(what), line_ends: LineEnds::default() } }
    }

    #[cfg(test)]
    fn with_limit(mut self, bytes: u64) -> Self {
        self.unpack.limit = bytes;
        self
    }

    /// Whether text offsets are byte offsets, apart from the byte order mark.
    pub(super) fn is_plain_utf8(&self) -> bool {
        self.unpack.is_plain() && self.text.charset.is_utf8()
    }

    /// Whether the input is compressed.
    pub(super) fn is_packed(&self) -> bool {
        !self.unpack.is_plain()
    }

    /// Decodes the next bytes.
    ///
    /// # Errors
    /// If the bytes are corrupt, expand to too much, or are not text.
    pub(super) fn push(&mut self, bytes: &[u8], sink: Sink<'_>) -> SourceResult<()> {
        let text = &mut self.text;
        self.unpack.push(bytes, &mut |unpacked| text.push(unpacked, sink))
    }

    /// Decodes the rest after the last bytes.
    ///
    /// # Errors
    /// As [`Self::push`], and if compressed data is truncated.
    pub(super) fn finish(&mut self, sink: Sink<'_>) -> SourceResult<()> {
        let text = &mut self.text;
        self.unpack.finish(&mut |unpacked| text.push(unpacked, sink))?;
        self.text.finish(sink)
    }
}

impl TextDecoder {
    fn push(&mut self, bytes: &[u8], sink: Sink<'_>) -> SourceResult<()> {
        let ends = &mut self.line_ends;
        self.charset.push(bytes, &mut |text| ends.push(text, sink))
    }

    fn finish(&mut self, sink: Sink<'_>) -> SourceResult<()> {
        let ends = &mut self.line_ends;
        self.charset.finish(&mut |text| ends.push(text, sink))?;
        self.line_ends.finish(sink)
    }
}

#[cfg(test)]
mod tests;
