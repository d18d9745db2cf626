//! From the bytes of a file or an answer to UTF-8 text whose lines end in LF: unpacks gzip and zip, turns UTF-16 into
//! UTF-8, drops byte order marks. Pieces go in, pieces come out; memory holds one piece.

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

/// Bytes of a packed source that are unpacked at a time: they can become a thousand times as many.
pub(super) const PACKED_PIECE_BYTES: usize = 4 * 1024;

/// Takes the decoded text piece by piece.
pub(super) type Sink<'a> = &'a mut dyn FnMut(&[u8]) -> SourceResult<()>;

/// Decodes one source from its first byte on.
pub(super) struct Decoder {
    unpack: Unpack,
    text: TextDecoder,
}

/// The part after unpacking.
struct TextDecoder {
    charset: Charset,
    line_ends: LineEnds,
}

impl Decoder {
    /// A decoder that finds out by itself what it has to do. `what` is the file or URL, for messages.
    pub(super) fn new(what: &str) -> Self {
        Self::of(Unpack::detect(what), what)
    }

    /// A decoder of the packed bytes of a zip entry.
    pub(super) fn of_zip_entry(what: &str, entry: &ZipEntry) -> Self {
        Self::of(Unpack::zip_entry(what, entry), what)
    }

    /// A decoder that goes on in the middle of plain UTF-8 text, at the start of a line.
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

    /// Whether an offset in the text is an offset in the bytes, but for a byte order mark.
    pub(super) fn is_plain_utf8(&self) -> bool {
        self.unpack.is_plain() && self.text.charset.is_utf8()
    }

    /// Whether what came so far is packed.
    pub(super) fn is_packed(&self) -> bool {
        !self.unpack.is_plain()
    }

    /// Takes the next bytes and gives the text that they complete.
    ///
    /// # Errors
    /// When the bytes are damaged, unpack to too much, or are no text.
    pub(super) fn push(&mut self, bytes: &[u8], sink: Sink<'_>) -> SourceResult<()> {
        let text = &mut self.text;
        self.unpack.push(bytes, &mut |unpacked| text.push(unpacked, sink))
    }

    /// Gives the text that is left once the last bytes were pushed.
    ///
    /// # Errors
    /// As [`Self::push`]; and when packed bytes end too early.
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
