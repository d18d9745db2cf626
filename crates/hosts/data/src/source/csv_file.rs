//! Source of kind `csv`: a folder of files `SYMBOL_TIMEFRAME.csv`, plain or compressed.

use super::csv_text::{CsvText, is_within_a_line};
use super::decode::{Decoder, PACKED_PIECE_BYTES, is_zip, locate, mark_length};
use super::file_names;
use super::layout::{About, Layout};
use super::{Known, Opened, Place, Rows, SourceResult, Watch, off_thread};
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
        let trouble = |e: io::Error| unreadable(path, &e);
        file.seek(SeekFrom::Start(0)).map_err(trouble)?;
        let mut start = Vec::new();
        Read::take(&mut file, 4).read_to_end(&mut start).map_err(trouble)?;
        let (decoder, from, left) = if is_zip(&start) {
            let entry = locate(what, BufReader::new(&file))?;
            (Decoder::of_zip_entry(what, &entry), entry.start, entry.length)
        } else {
            (Decoder::new(what), 0, u64::MAX)
        };
        file.seek(SeekFrom::Start(from)).map_err(trouble)?;
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
struct Survey {
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
) -> SourceResult<Option<Survey>> {
    let mut found = Survey { lines: 0, bytes: 0, tail: Vec::new(), plain: false };
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
pub(super) fn look(folder: &Path, symbol: &Symbol, timeframe: Timeframe) -> SourceResult<()> {
    file_names::find(folder, symbol, timeframe).map(|_| ())
}

/// Opens the file of the request: detects its layout and counts its lines.
pub(super) async fn open(
    folder: &Path,
    request: &Request,
    known: Option<Known>,
    token: &CancellationToken,
) -> Result<Opened, WorkError> {
    let (folder, request, token) = (folder.to_owned(), request.clone(), token.clone());
    off_thread(move || open_now(&folder, &request, known, &token)).await
}

fn open_now(
    folder: &Path,
    request: &Request,
    known: Option<Known>,
    token: &CancellationToken,
) -> Result<Opened, WorkError> {
    let path = file_names::find(folder, &request.symbol, request.timeframe)?;
    let what = path.display().to_string();
    let trouble = |e: io::Error| unreadable(&path, &e);
    let metadata = std::fs::metadata(&path).map_err(trouble)?;
    if metadata.is_dir() {
        return Err(trouble(io::Error::from(io::ErrorKind::IsADirectory)).into());
    }
    if metadata.len() == 0 {
        return Err(empty(&what).into());
    }
    let mut text = CsvText::new(About::of(request, &what));
    let mut source = TextFile::open(File::open(&path).map_err(trouble)?, &path, &what)?;
    let watch = Watch::new(&path, &source.file).map_err(trouble)?;
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
        source.file.seek(SeekFrom::Start(source.mark + place.offset)).map_err(trouble)?;
        0
    } else {
        // The same file, even if its name now belongs to another one.
        let file = source.file.try_clone().map_err(trouble)?;
        source = TextFile::open(file, &path, &what)?;
        place.offset
    };
    Ok(Opened {
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
        end: Place { offset: found.bytes, line: found.lines + 1 },
        resumed: resume.is_some(),
        may_be_cut,
        warnings: Vec::new(),
    })
}

fn first_row(layout: &Layout) -> Place {
    Place { offset: layout.header_bytes as u64, line: layout.header_lines + 1 }
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
    failure(format!("{what} is empty."), "Add a header line and the bars to it, or load another symbol.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn open_file(folder: &Path, symbol: &str, known: Option<Known>) -> Result<Opened, WorkError> {
        open_now(folder, &Request::of_test(symbol, Timeframe::H1), known, &CancellationToken::new())
    }

    fn told(folder: &Path, symbol: &str) -> Failure {
        match open_file(folder, symbol, None) {
            Err(WorkError::Failed(failure)) => failure,
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("it was opened"),
        }
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    const BARS: &str =
        ",open,high,low,close,volume\n2024-01-02T10:00:00Z,1,2,1,2,5\n2024-01-02T11:00:00Z,1,2,1,2,5";

    async fn all(mut opened: Opened) -> Vec<Row> {
        let mut rows = Vec::new();
        while let Some(slice) = opened.rows.next(&CancellationToken::new()).await.unwrap() {
            rows.extend(slice);
        }
        rows
    }

    #[test]
    fn an_unknown_symbol_is_answered_with_the_existing_ones() {
        let folder = folder(&[
            ("MSFT_1h.csv", BARS),
            ("NVDA_1h.csv", BARS),
            ("GOOGL_1d.csv", BARS),
            ("notes.txt", ""),
        ]);
        let failure = told(folder.path(), "MSFFT");
        assert!(failure.message.contains("MSFFT_1h.csv was not found in "), "{}", failure.message);
        assert!(failure.message.ends_with("Available: GOOGL 1d, MSFT 1h, NVDA 1h."), "{}", failure.message);
        assert_eq!(failure.hint, "Did you mean MSFT?");
        assert_eq!(told(folder.path(), "msft").hint, "Did you mean MSFT?");
        assert!(told(folder.path(), "GOOGL").hint.contains("is available as 1d"));
        assert!(told(folder.path(), "XYZXYZ").hint.contains("Choose one of these"));
    }

    #[test]
    fn an_invalid_folder_or_file_has_a_clear_error() {
        let folder = folder(&[("A_1h.csv", ""), ("B_1h.csv", "\n\n"), ("C_1h.csv", "a,b\n1,2\n")]);
        fs::create_dir(folder.path().join("D_1h.csv")).unwrap();
        assert!(told(folder.path(), "A").message.ends_with("A_1h.csv is empty."));
        assert!(told(folder.path(), "B").message.ends_with("B_1h.csv is empty."));
        assert!(told(folder.path(), "C").message.contains("has no column for a time"));
        assert!(told(folder.path(), "D").message.contains("is a folder"));
        assert!(told(&folder.path().join("none"), "A").message.ends_with(" was not found."));
    }

    #[tokio::test]
    async fn rows_are_counted_before_reading_and_the_last_time_is_known() {
        let folder = folder(&[("A_1h.csv", BARS)]);
        let opened = open_file(folder.path(), "A", None).unwrap();
        assert_eq!(opened.total, Some(2));
        assert_eq!(opened.last, Some(crate::at("2024-01-02T11:00:00Z")));
        let rows = all(opened).await;
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1].line, 3);
    }

    #[tokio::test]
    async fn reading_resumes_at_a_position_unless_the_file_changed() {
        let folder = folder(&[("A_1h.csv", BARS)]);
        let opened = open_file(folder.path(), "A", None).unwrap();
        let fingerprint = opened.fingerprint.clone();
        let rows = all(opened).await;
        let place = Place { offset: rows[1].offset, line: rows[1].line };
        let opened =
            open_file(folder.path(), "A", Some(Known { place, fingerprint: fingerprint.clone() })).unwrap();
        assert!(opened.resumed);
        assert_eq!(all(opened).await, rows[1..]);

        fs::write(folder.path().join("A_1h.csv"), format!("{BARS}\n")).unwrap();
        let opened = open_file(folder.path(), "A", Some(Known { place, fingerprint })).unwrap();
        assert!(!opened.resumed);
        assert_eq!(all(opened).await.len(), 2);
    }

    fn put(folder: &Path, name: &str, bytes: &[u8]) {
        fs::write(folder.join(name), bytes).unwrap();
    }

    /// More text than one read, in lines of 200 characters with these line ends.
    fn long_text(rows: usize, end: &str) -> String {
        let row = |i: usize| {
            let time = crate::at("2024-01-01T00:00:00Z").plus_micros(i as i64 * 3_600_000_000);
            format!("{time},1,2,1,2,{i},{}{end}", "x".repeat(160))
        };
        format!("time,open,high,low,close,volume,note{end}{}", (0..rows).map(row).collect::<String>())
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[tokio::test]
    async fn every_compression_and_encoding_gives_the_same_rows() {
        let folder = tempfile::tempdir().unwrap();
        let text = long_text(2_000, "\n");
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        zip.start_file("x.csv", zip::write::SimpleFileOptions::default()).unwrap();
        io::Write::write_all(&mut zip, text.as_bytes()).unwrap();
        put(folder.path(), "PLAIN_1h.csv", text.as_bytes());
        put(folder.path(), "MARK_1h.csv", format!("\u{feff}{text}").as_bytes());
        put(folder.path(), "CR_1h.csv", text.replace('\n', "\r").as_bytes());
        put(folder.path(), "UTF16_1h.csv", &[b"\xFF\xFE", utf16.as_slice()].concat());
        put(folder.path(), "GZ_1h.csv.gz", &gzip(text.as_bytes()));
        put(folder.path(), "INSIDE_1h.csv", &gzip(text.as_bytes()));
        put(folder.path(), "ZIP_1H.ZIP", &zip.finish().unwrap().into_inner());
        let plain = all(open_file(folder.path(), "PLAIN", None).unwrap()).await;
        assert_eq!(plain.len(), 2_000);
        assert_eq!(plain[7].line, 9);
        for symbol in ["MARK", "CR", "UTF16", "GZ", "INSIDE", "ZIP"] {
            let opened = open_file(folder.path(), symbol, None).unwrap();
            assert_eq!((opened.total, opened.last), (Some(2_000), plain[1_999].time), "{symbol}");
            let (fingerprint, end) = (opened.fingerprint.clone(), opened.end);
            assert!(all(opened).await == plain, "{symbol}");
            // A resume starts in the middle, also if the text must be decompressed up to there.
            let from = &plain[1_234];
            let place = Place { offset: from.offset, line: from.line };
            let opened = open_file(folder.path(), symbol, Some(Known { place, fingerprint })).unwrap();
            assert!(opened.resumed && opened.end == end, "{symbol}");
            assert!(all(opened).await == plain[1_234..], "{symbol}");
        }
    }

    #[tokio::test]
    async fn lines_that_end_in_cr_are_numbered() {
        let text = long_text(1_100, "\r").replace(",1,2,1,2,900,", ",1,x,1,2,900,");
        assert!(text.len() > 200_000);
        let folder = folder(&[("A_1h.csv", &text)]);
        let rows = all(open_file(folder.path(), "A", None).unwrap()).await;
        assert_eq!(rows.len(), 1_100);
        let bad = rows.iter().find(|row| row.bar.is_err()).unwrap();
        assert_eq!(bad.line, 902);
    }

    #[test]
    fn another_format_or_zone_has_another_fingerprint() {
        let folder = folder(&[("A_1h.csv", BARS)]);
        let plain = open_file(folder.path(), "A", None).unwrap().fingerprint;
        let mut request = Request::of_test("A", Timeframe::H1);
        request.options.time_zone = crate::zone::Zone::parse("UTC+2").ok();
        let opened = open_now(folder.path(), &request, None, &CancellationToken::new()).unwrap();
        assert_ne!(opened.fingerprint, plain);
    }
}
