//! Decompression of gzip streams and single zip entries.

use super::zip_entry::{Method, ZipEntry};
use super::{PACKED_PIECE_BYTES, Sink, SourceResult};
use flate2::Crc;
use flate2::write::{DeflateDecoder, MultiGzDecoder};
use market_data::failures::failure;
use protocol::Failure;
use std::io::{self, Write};

/// Limit of decompressed bytes, about 30 million rows, as a protection against zip bombs.
const MAX_UNPACKED_BYTES: u64 = 2 << 30;

const GZIP: &[u8] = b"\x1F\x8B";

pub(super) struct Unpack {
    what: String,
    state: State,
    /// Decompressed bytes so far, and their limit.
    unpacked: u64,
    pub(super) limit: u64,
}

enum State {
    Detecting(Vec<u8>),
    Plain,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Stored(Checked),
    Deflated(Box<DeflateDecoder<Vec<u8>>>, Checked),
}

/// Checksum of a zip entry, compared with the decompressed data.
struct Checked {
    crc: Crc,
    expected: u32,
}

impl Unpack {
    pub(super) fn detect(what: &str) -> Self {
        Self::of(what, State::Detecting(Vec::new()))
    }

    pub(super) fn plain(what: &str) -> Self {
        Self::of(what, State::Plain)
    }

    pub(super) fn zip_entry(what: &str, entry: &ZipEntry) -> Self {
        let checked = Checked { crc: Crc::new(), expected: entry.crc32 };
        let state = match entry.method {
            Method::Stored => State::Stored(checked),
            Method::Deflated => State::Deflated(Box::new(DeflateDecoder::new(Vec::new())), checked),
        };
        Self::of(what, state)
    }

    fn of(what: &str, state: State) -> Self {
        Self { what: what.to_owned(), state, unpacked: 0, limit: MAX_UNPACKED_BYTES }
    }

    pub(super) fn is_plain(&self) -> bool {
        matches!(self.state, State::Plain)
    }

    pub(super) fn push(&mut self, bytes: &[u8], sink: Sink<'_>) -> SourceResult<()> {
        if let State::Detecting(start) = &mut self.state {
            start.extend_from_slice(bytes);
            if start.len() < GZIP.len() {
                return Ok(());
            }
            let start = std::mem::take(start);
            self.state = if start.starts_with(GZIP) {
                State::Gzip(Box::new(MultiGzDecoder::new(Vec::new())))
            } else {
                State::Plain
            };
            return self.push(&start, sink);
        }
        if matches!(self.state, State::Plain) {
            return sink(bytes);
        }
        bytes.chunks(PACKED_PIECE_BYTES).try_for_each(|piece| self.unpack(piece, sink))
    }

    fn unpack(&mut self, piece: &[u8], sink: Sink<'_>) -> SourceResult<()> {
        let what = &self.what;
        let out = match &mut self.state {
            State::Gzip(gzip) => {
                gzip.write_all(piece).map_err(|e| damaged(what, &e))?;
                std::mem::take(gzip.get_mut())
            }
            State::Deflated(deflate, checked) => {
                deflate.write_all(piece).map_err(|e| damaged(what, &e))?;
                let out = std::mem::take(deflate.get_mut());
                checked.crc.update(&out);
                out
            }
            State::Stored(checked) => {
                checked.crc.update(piece);
                piece.to_vec()
            }
            State::Detecting(_) | State::Plain => piece.to_vec(),
        };
        self.give(&out, sink)
    }

    fn give(&mut self, out: &[u8], sink: Sink<'_>) -> SourceResult<()> {
        self.unpacked += out.len() as u64;
        if self.unpacked > self.limit {
            return Err(failure(
                format!(
                    "{} decompresses to more than {} MiB, the limit for compressed files.",
                    self.what,
                    self.limit >> 20
                ),
                "Decompress the file before the load, or split the data by year.",
            ));
        }
        if out.is_empty() { Ok(()) } else { sink(out) }
    }

    pub(super) fn finish(&mut self, sink: Sink<'_>) -> SourceResult<()> {
        let what = self.what.clone();
        let out = match &mut self.state {
            State::Plain => return Ok(()),
            State::Detecting(start) => {
                let start = std::mem::take(start);
                self.state = State::Plain;
                return sink(&start);
            }
            State::Gzip(gzip) => {
                gzip.try_finish().map_err(|e| damaged(&what, &e))?;
                std::mem::take(gzip.get_mut())
            }
            State::Stored(checked) => return checked.check(&what),
            State::Deflated(deflate, checked) => {
                deflate.try_finish().map_err(|e| damaged(&what, &e))?;
                let out = std::mem::take(deflate.get_mut());
                checked.crc.update(&out);
                checked.check(&what)?;
                out
            }
        };
        self.give(&out, sink)
    }
}

impl Checked {
    fn check(&self, what: &str) -> SourceResult<()> {
        if self.crc.sum() == self.expected {
            return Ok(());
        }
        Err(damaged(what, &io::Error::other("checksum mismatch")))
    }
}

fn damaged(what: &str, error: &io::Error) -> Failure {
    failure(
        format!("Cannot decompress {what}: it is truncated or corrupt ({error})."),
        "Download the file again. Nothing after the corrupt part is readable.",
    )
}
