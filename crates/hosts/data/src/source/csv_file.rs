//! Source of kind `csv`: a folder of files `SYMBOL_TIMEFRAME.csv`, plain or compressed.

use super::csv_text::{CsvText, is_within_a_line};
use super::decode::{Decoder, PACKED_PIECE_BYTES, is_zip, locate, mark_length};
use super::file_names;
use super::layout::{About, Layout};
use super::{Known, OpenedSource, Rows, SourcePosition, SourceResult, Watch, off_thread};
use crate::options::TextOptions;
use crate::params::Request;
use crate::validate::Row;
use host_kit::WorkError;
use market_data::failures::{failure, unreadable};
use market_data::{Symbol, Timeframe};
use protocol::{Failure, Time};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// Bytes per read: a few hundred rows, parsed in about a millisecond.
const PIECE_BYTES: usize = 32 * 1024;

/// Bytes at the end of a text to search for the last line.
const TAIL_BYTES: usize = 4096;

/// CSV file in progress.
pub(crate) struct CsvFile {
    /// Absent while another thread reads a slice, and after the end.
    open: Option<Box<OpenFile>>,
    /// Notes on the text read so far.
    notes: Vec<String>,
    /// Warnings about it.
    warnings: Vec<String>,
}

struct OpenFile {
    source: TextFile,
    text: CsvText,
    /// Bytes of text before the resume position.
    skip: u64,
}

impl OpenFile {
    fn read(&mut self) -> SourceResult<(Vec<Row>, bool)> {
        let mut rows = Vec::new();
        while rows.is_empty() {
            let (text, skip) = (&mut self.text, &mut self.skip);
            let more = self.source.read(&mut |piece| {
                let skipped = usize::try_from(*skip).unwrap_or(usize::MAX).min(piece.len());
                *skip -= skipped as u64;
                text.push(&piece[skipped..], &mut rows)
            })?;
            if !more {
                self.text.finish(&mut rows)?;
                return Ok((rows, true));
            }
        }
        Ok((rows, false))
    }
}

impl CsvFile {
    /// Detected layout of the text.
    pub(super) fn layout(&self) -> Option<&Layout> {
        self.open.as_ref().and_then(|open| open.text.layout())
    }

    /// Notes on the text after its last row, for the log.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Warnings about the text read so far, in sentences.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.open.as_ref().map_or_else(|| self.warnings.clone(), |open| open.text.warnings())
    }

    /// Next rows; `None` after the last.
    pub(super) async fn next(&mut self) -> SourceResult<Option<Vec<Row>>> {
        let Some(mut open) = self.open.take() else { return Ok(None) };
        let (open, read) = off_thread(move || {
            let read = open.read();
            (open, read)
        })
        .await;
        let (rows, ended) = read?;
        if ended {
            self.notes = open.text.notes();
            self.warnings = open.text.warnings();
        } else {
            self.open = Some(open);
        }
        Ok((!rows.is_empty()).then_some(rows))
    }
}

/// Text of a file, decoded during the read.
struct TextFile {
    path: PathBuf,
    file: File,
    decoder: Decoder,
    /// Remaining bytes of the file.
    left: u64,
    ended: bool,
    piece: Vec<u8>,
    /// Length of the byte order mark before plain text.
    mark: u64,
}

impl TextFile {
    fn open(mut file: File, path: &Path, what: &str) -> SourceResult<Self> {
        let read_error = |e: io::Error| unreadable(path, &e);
        file.seek(SeekFrom::Start(0)).map_err(read_error)?;
        let mut start = Vec::new();
        Read::take(&mut file, 4).read_to_end(&mut start).map_err(read_error)?;
        let (decoder, from, left) = if is_zip(&start) {
            let entry = locate(what, BufReader::new(&file))?;
            (Decoder::of_zip_entry(what, &entry), entry.start, entry.length)
        } else {
            (Decoder::new(what), 0, u64::MAX)
        };
        file.seek(SeekFrom::Start(from)).map_err(read_error)?;
        let (path, mark) = (path.to_owned(), mark_length(&start));
        Ok(Self { path, file, decoder, left, ended: false, piece: vec![0; PIECE_BYTES], mark })
    }

    /// Passes the next text to `sink`; false after the last.
    fn read(&mut self, sink: &mut dyn FnMut(&[u8]) -> SourceResult<()>) -> SourceResult<bool> {
        if self.ended {
            return Ok(false);
        }
        let size = if self.decoder.is_packed() { PACKED_PIECE_BYTES } else { self.piece.len() };
        let size = usize::try_from(self.left).unwrap_or(usize::MAX).min(size);
        let n = self.file.read(&mut self.piece[..size]).map_err(|e| unreadable(&self.path, &e))?;
        self.left -= n as u64;
        if n == 0 {
            self.ended = true;
            self.decoder.finish(sink)?;
        } else {
            self.decoder.push(&self.piece[..n], sink)?;
        }
        Ok(true)
    }
}

/// Result of the first pass over a text.
struct FirstPass {
    lines: u64,
    bytes: u64,
    tail: Vec<u8>,
    /// Whether text offsets are file offsets, apart from the byte order mark.
    plain: bool,
}

/// Reads a text once to count its lines and detect its layout. With a symbol column, all rows are parsed, because
/// nothing may be stored of a file of several symbols. `None` if cancelled.
fn survey(
    source: &mut TextFile,
    text: &mut CsvText,
    token: &CancellationToken,
) -> SourceResult<Option<FirstPass>> {
    let mut found = FirstPass { lines: 0, bytes: 0, tail: Vec::new(), plain: false };
    let mut last = b'\n';
    let mut rows = Vec::new();
    loop {
        if token.is_cancelled() {
            return Ok(None);
        }
        let more = source.read(&mut |piece| {
            found.bytes += piece.len() as u64;
            found.lines += piece.iter().filter(|b| **b == b'\n').count() as u64;
            last = piece.last().copied().unwrap_or(last);
            found.tail.extend_from_slice(&piece[piece.len().saturating_sub(TAIL_BYTES)..]);
            let over = found.tail.len().saturating_sub(TAIL_BYTES);
            found.tail.drain(..over);
            if names_instruments(text) { text.push(piece, &mut rows) } else { Ok(()) }
        })?;
        rows.clear();
        if !more {
            break;
        }
    }
    if names_instruments(text) {
        text.finish(&mut rows)?;
    }
    found.lines += u64::from(last != b'\n');
    found.plain = source.decoder.is_plain_utf8();
    Ok(Some(found))
}

/// Whether the rows of a text name their instruments, or may do so.
fn names_instruments(text: &CsvText) -> bool {
    text.layout().is_none_or(|layout| layout.instrument.is_some())
}

/// Checks that the file exists.
pub(super) fn check(folder: &Path, symbol: &Symbol, timeframe: Timeframe) -> SourceResult<()> {
    file_names::find(folder, symbol, timeframe).map(|_| ())
}

/// Opens the file of the request: detects its layout and counts its lines.
pub(super) async fn open(
    folder: &Path,
    request: &Request,
    known: Option<Known>,
    token: &CancellationToken,
) -> Result<OpenedSource, WorkError> {
    let (folder, request, token) = (folder.to_owned(), request.clone(), token.clone());
    off_thread(move || open_now(&folder, &request, known, &token)).await
}

fn open_now(
    folder: &Path,
    request: &Request,
    known: Option<Known>,
    token: &CancellationToken,
) -> Result<OpenedSource, WorkError> {
    let path = file_names::find(folder, &request.symbol, request.timeframe)?;
    let what = path.display().to_string();
    let read_error = |e: io::Error| unreadable(&path, &e);
    let metadata = std::fs::metadata(&path).map_err(read_error)?;
    if metadata.is_dir() {
        return Err(read_error(io::Error::from(io::ErrorKind::IsADirectory)).into());
    }
    if metadata.len() == 0 {
        return Err(empty(&what).into());
    }
    let mut text = CsvText::new(About::of(request, &what));
    let mut source = TextFile::open(File::open(&path).map_err(read_error)?, &path, &what)?;
    let watch = Watch::new(&path, &source.file).map_err(read_error)?;
    let fingerprint = fingerprint(&watch, &request.options);
    let found = survey(&mut source, &mut text, token)?.ok_or(WorkError::Cancelled)?;
    let Some(layout) = text.layout().cloned() else { return Err(empty(&what).into()) };
    let last = last_time(&found.tail, &text);
    let may_be_cut = is_within_a_line(&found.tail);

    let resume = known.filter(|k| k.fingerprint == fingerprint && k.place.offset <= found.bytes);
    let place = resume.as_ref().map_or_else(|| first_row(&layout), |k| k.place);
    text.jump(place);
    let skip = if found.plain {
        source.decoder = Decoder::mid_text(&what);
        source.ended = false;
        source.left = u64::MAX;
        source.file.seek(SeekFrom::Start(source.mark + place.offset)).map_err(read_error)?;
        0
    } else {
        // The same file, even if its name now belongs to another one.
        let file = source.file.try_clone().map_err(read_error)?;
        source = TextFile::open(file, &path, &what)?;
        place.offset
    };
    Ok(OpenedSource {
        rows: Rows::Csv(CsvFile {
            open: Some(Box::new(OpenFile { source, text, skip })),
            notes: Vec::new(),
            warnings: Vec::new(),
        }),
        described: what,
        total: Some(found.lines.saturating_sub(layout.header_lines)),
        last,
        fingerprint,
        watch: Some(watch),
        end: SourcePosition { offset: found.bytes, line: found.lines + 1 },
        resumed: resume.is_some(),
        may_be_cut,
        warnings: Vec::new(),
    })
}

fn first_row(layout: &Layout) -> SourcePosition {
    SourcePosition { offset: layout.header_bytes as u64, line: layout.header_lines + 1 }
}

/// Fingerprint of the file and the text options.
fn fingerprint(watch: &Watch, options: &TextOptions) -> String {
    let zone = options.time_zone.as_ref().map(ToString::to_string).unwrap_or_default();
    let format = options.format.map_or("", |format| format.as_str());
    let order = options.date_order.map_or("", |order| order.as_str());
    let bar_time = options.bar_time.map_or("", |moment| moment.as_str());
    format!("{}-{format}-{zone}-{order}-{bar_time}", watch.fingerprint())
}

/// Time in the last line, if there is one.
fn last_time(tail: &[u8], text: &CsvText) -> Option<Time> {
    let line = tail.split(|b| matches!(b, b'\n' | b'\r')).rfind(|line| !line.is_empty());
    line.and_then(|line| text.line(line)).and_then(|row| row.time)
}

fn empty(what: &str) -> Failure {
    failure(
        format!("{what} is empty."),
        "Add a header line and the bars to the file, or load another symbol.",
    )
}

#[cfg(test)]
mod tests;
