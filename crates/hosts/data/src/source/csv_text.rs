//! Incremental CSV parser for bars: chunks in, rows out. Memory holds one chunk and one line, and at the start the
//! lines needed to detect the layout.

use super::instruments::Instruments;
use super::layout::{About, Layout, MAX_SAMPLE_BYTES, SAMPLE_LINES, is_blank, is_footer, no_csv};
use super::repeated_header::is_repeated;
use super::splits::Splits;
use super::{SourcePosition, SourceResult};
use crate::validate::Row;
use csv::{ReaderBuilder, StringRecord};
use display::format::counted;
use market_data::failures::failure;
use protocol::Failure;

/// Maximum length of a line in bytes.
const MAX_LINE_BYTES: usize = 1 << 20;

/// Parser from decoded text to rows.
pub(super) struct CsvText {
    about: About,
    /// Known after enough lines.
    layout: Option<Layout>,
    /// Received text without a complete line.
    pending: Vec<u8>,
    /// Position of `pending`.
    place: SourcePosition,
    instruments: Instruments,
    /// Number of lines among the rows that repeat the column names.
    repeated_headers: u64,
    splits: Splits,
}

impl CsvText {
    pub(super) fn new(about: About) -> Self {
        Self {
            about,
            layout: None,
            pending: Vec::new(),
            place: SourcePosition { offset: 0, line: 1 },
            instruments: Instruments::default(),
            repeated_headers: 0,
            splits: Splits::default(),
        }
    }

    /// Layout of the text, once known.
    pub(super) fn layout(&self) -> Option<&Layout> {
        self.layout.as_ref()
    }

    /// Notes on the text read so far, for the log.
    pub(super) fn notes(&self) -> Vec<String> {
        match self.repeated_headers {
            0 => Vec::new(),
            lines => vec![format!("Skipped {} with repeated column names", counted(lines, "line", "lines"))],
        }
    }

    /// Warnings about the text read so far, in sentences.
    pub(super) fn warnings(&self) -> Vec<String> {
        self.splits.warning().into_iter().collect()
    }

    /// Continues at another position of the same text. Drops pending text.
    pub(super) fn jump(&mut self, place: SourcePosition) {
        self.repeated_headers = 0;
        self.splits = Splits::default();
        self.pending.clear();
        self.place = place;
        if let Some(layout) = &mut self.layout {
            layout.times.last = None;
        }
    }

    /// Adds a chunk and returns the rows that it completes.
    ///
    /// # Errors
    /// If the text is not a CSV of bars in UTF-8, or is ambiguous.
    pub(super) fn push(&mut self, piece: &[u8], rows: &mut Vec<Row>) -> SourceResult<()> {
        self.pending.extend_from_slice(piece);
        if self.layout.is_none() {
            let end = self.pending.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
            let enough = self.pending.len() >= MAX_SAMPLE_BYTES
                || newlines(&self.pending[..end]) >= SAMPLE_LINES as u64;
            if end == 0 || !enough {
                return self.no_endless_line(end);
            }
            self.detect(end)?;
        }
        match whole_lines(&self.pending, self.delimiter()) {
            0 => self.no_endless_line(0),
            end => self.parse(end, rows),
        }
    }

    /// Ends the text: pending text is the last line, which may have no line break.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(super) fn finish(&mut self, rows: &mut Vec<Row>) -> SourceResult<()> {
        let end = self.pending.len();
        if self.layout.is_none() {
            if self.pending.iter().all(u8::is_ascii_whitespace) {
                return Ok(());
            }
            self.detect(end)?;
        }
        self.parse(self.pending.len(), rows)?;
        self.instruments.finish(&self.about.what)
    }

    /// Failure if the text is not CSV at all, as far as its first line tells, and no row was read.
    pub(super) fn no_csv(&self) -> Option<Failure> {
        let start =
            self.pending.split(|b| matches!(b, b'\n' | b'\r')).find(|line| !line.trim_ascii().is_empty());
        let start = start.filter(|_| self.layout.is_none())?;
        no_csv(&String::from_utf8_lossy(start), &self.about)
    }

    /// Whether the last line has no line break.
    pub(super) fn ends_within_a_line(&self) -> bool {
        is_within_a_line(&self.pending)
    }

    /// Parses a single line of this text.
    pub(super) fn line(&self, line: &[u8]) -> Option<Row> {
        let mut alone = Self { layout: self.layout.clone(), ..Self::new(self.about.clone()) };
        let mut rows = Vec::new();
        alone.pending.extend_from_slice(line);
        alone.finish(&mut rows).ok()?;
        rows.pop()
    }

    fn delimiter(&self) -> u8 {
        self.layout.as_ref().map_or(b',', |layout| layout.delimiter)
    }

    fn no_endless_line(&self, whole: usize) -> SourceResult<()> {
        if self.pending.len() - whole <= MAX_LINE_BYTES {
            return Ok(());
        }
        let (what, line) = (&self.about.what, self.place.line);
        Err(failure(
            format!(
                "{what} is not a CSV of bars: line {line} is longer than a million characters, or has an unclosed quote."
            ),
            "Check this line of the source for an unclosed quote.",
        ))
    }

    fn detect(&mut self, end: usize) -> SourceResult<()> {
        let text = utf8(&self.pending[..end], &self.about.what, self.place.line)?;
        let layout = Layout::detect(text, &self.about)?;
        self.pending.drain(..layout.header_bytes);
        self.place = SourcePosition { offset: layout.header_bytes as u64, line: layout.header_lines + 1 };
        self.layout = Some(layout);
        Ok(())
    }

    fn parse(&mut self, end: usize, rows: &mut Vec<Row>) -> SourceResult<()> {
        let Some(layout) = &mut self.layout else { return Ok(()) };
        let block = &self.pending[..end];
        let text = utf8(block, &self.about.what, self.place.line)?;
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(layout.delimiter)
            .from_reader(text.as_bytes());
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(|e| {
            failure(
                format!("Cannot parse {} as CSV: {e}.", self.about.what),
                "Correct this line of the source, then load again.",
            )
        })? {
            if is_blank(&record) || is_footer(&record) {
                continue;
            }
            let place = record.position().map_or(self.place, |at| {
                // The reader's position is before blank lines and the rest of a line break.
                let start = at.byte() as usize;
                let ends = block[start..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
                SourcePosition {
                    offset: self.place.offset + (start + ends) as u64,
                    line: self.place.line + at.line() - 1 + newlines(&block[start..start + ends]),
                }
            });
            let (time, bar) = layout.columns.bar(&record, &mut layout.times, layout.numbers);
            if time.is_none() && is_repeated(&record, layout, place.line, &self.about.what)? {
                self.repeated_headers += 1;
                continue;
            }
            if let Some(name) = layout.instrument.filter(|_| record.len() >= layout.columns.width) {
                let (name, what) = (record.get(name).unwrap_or_default().trim(), &self.about.what);
                self.instruments.note(name, (place.line, time), &self.about.symbol, what)?;
            }
            if let Ok(bar) = &bar {
                self.splits.note(bar, &record, layout.splits, layout.numbers);
            }
            rows.push(Row { line: place.line, offset: place.offset, time, bar });
        }
        self.place.line += newlines(block);
        self.place.offset += end as u64;
        self.pending.drain(..end);
        Ok(())
    }
}

/// Whether a text has anything after its last line break but white space.
pub(super) fn is_within_a_line(text: &[u8]) -> bool {
    let line = text.rsplit(|b| *b == b'\n').next().unwrap_or_default();
    !line.iter().all(u8::is_ascii_whitespace)
}

/// Decodes UTF-8; `first` is the line of the first byte.
fn utf8<'a>(bytes: &'a [u8], what: &str, first: u64) -> SourceResult<&'a str> {
    std::str::from_utf8(bytes).map_err(|e| not_utf8(what, first + newlines(&bytes[..e.valid_up_to()])))
}

fn not_utf8(what: &str, line: u64) -> Failure {
    failure(
        format!("{what} is not UTF-8 text: line {line} has invalid bytes."),
        "Save the file as plain CSV in UTF-8, then load again.",
    )
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b == b'\n').count() as u64
}

/// Length of the complete lines at the start. Line breaks within quotes don't count.
fn whole_lines(bytes: &[u8], delimiter: u8) -> usize {
    if !bytes.contains(&b'"') {
        return bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    }
    // A quote opens only at the start of a field. Elsewhere it is a plain character.
    #[derive(Clone, Copy, PartialEq)]
    enum At {
        Start,
        Plain,
        Quoted,
        Closed,
    }
    let mut at = At::Start;
    let mut end = 0;
    for (i, byte) in bytes.iter().enumerate() {
        at = match (byte, at) {
            (b'"', At::Start | At::Closed) => At::Quoted,
            (b'"', At::Quoted) => At::Closed,
            (_, At::Quoted) => At::Quoted,
            (b'\n', _) => {
                end = i + 1;
                At::Start
            }
            (byte, _) if *byte == delimiter || *byte == b'\r' => At::Start,
            _ => At::Plain,
        };
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use market_data::Timeframe;
    use proptest::prelude::*;

    fn csv_text() -> CsvText {
        CsvText::new(About::of_test("x.csv", Timeframe::H1))
    }

    fn read(text: &[u8], piece: usize) -> Result<Vec<Row>, String> {
        let mut csv = csv_text();
        let mut rows = Vec::new();
        for piece in text.chunks(piece.max(1)) {
            csv.push(piece, &mut rows).map_err(|f| f.message)?;
        }
        csv.finish(&mut rows).map_err(|f| f.message)?;
        Ok(rows)
    }

    const HEADER: &str = "time,open,high,low,close,volume\n";

    fn text(rows: usize, end: &str) -> String {
        let row = |i| format!("2024-01-0{}T1{}:00:00Z,1.5,2,1,1.25,{i}", 1 + i / 10, i % 10);
        let mut text = HEADER.trim_end().to_owned();
        (0..rows).for_each(|i| text.push_str(&format!("{end}{}", row(i))));
        text
    }

    #[test]
    fn all_line_ends_quotes_and_byte_order_marks_give_the_same_bars() {
        let plain = read(text(50, "\n").as_bytes(), 1000).unwrap();
        assert_eq!(plain.len(), 50);
        let bars = |rows: &[Row]| rows.iter().map(|r| r.bar.clone().unwrap()).collect::<Vec<_>>();
        for other in [
            text(50, "\r\n"),
            text(50, "\n\n"),
            format!("{}\n\n", text(50, "\n")),
            text(50, "\n").replace("1.25", "\"1.25\""),
        ] {
            assert_eq!(bars(&read(other.as_bytes(), 37).unwrap()), bars(&plain));
        }
    }

    #[test]
    fn every_row_has_its_line_number_and_offset() {
        for end in ["\n", "\r\n", "\n\n", "\r\n\r\n"] {
            let text = text(30, end);
            for row in read(text.as_bytes(), 64).unwrap() {
                let from = &text[row.offset as usize..];
                assert!(from.starts_with("2024-01-0"), "{from}");
                let before = text[..row.offset as usize].matches('\n').count() as u64;
                assert_eq!(row.line, before + 1);
            }
        }
    }

    #[test]
    fn reading_from_a_row_gives_the_remaining_rows() {
        let text = text(40, "\r\n");
        let all = read(text.as_bytes(), 100).unwrap();
        let mut csv = csv_text();
        let mut rows = Vec::new();
        csv.push(text.as_bytes(), &mut rows).unwrap();
        csv.finish(&mut rows).unwrap();
        rows.clear();
        let from = &all[17];
        csv.jump(SourcePosition { offset: from.offset, line: from.line });
        csv.push(&text.as_bytes()[from.offset as usize..], &mut rows).unwrap();
        csv.finish(&mut rows).unwrap();
        assert_eq!(rows, all[17..]);
    }

    #[test]
    fn an_unreadable_row_has_its_reason() {
        let body = "2024-01-01T10:00:00Z,1,2,1,1\n2024-01-01T10:00:00Z,1,x,1,1,0\n2024-01-01T10:00:00,1,2,1,1,0\nnever,1,2,1,1,0\n2024-01-01T10:00:00Z,nan,2,1,1,0\n";
        let rows = read(format!("{HEADER}{body}").as_bytes(), 9).unwrap();
        let reasons: Vec<_> = rows.iter().map(|r| r.bar.as_ref().err().map(|e| e.reason.as_str())).collect();
        let expected = [Some("wrong_columns"), Some("not_a_number"), Some("no_zone"), Some("bad_time"), None];
        assert_eq!(reasons, expected, "that nan is no price is for the validator to say");
        assert!(rows[1].time.is_some() && rows[3].time.is_none());
    }

    #[test]
    fn text_that_is_no_csv_of_bars_is_rejected_with_a_reason() {
        let error_of = |bytes: &[u8]| read(bytes, 4096).unwrap_err();
        assert!(error_of(b"<!doctype html><html>\n").contains("web page"));
        assert!(error_of(b" {\"error\": 1}\n").contains("JSON"));
        assert!(
            error_of(
                format!("{HEADER}1,2\n\u{0}")
                    .as_bytes()
                    .iter()
                    .chain(b"\xC3\x28\n")
                    .copied()
                    .collect::<Vec<_>>()
                    .as_slice()
            )
            .contains("line 3")
        );
        assert!(
            error_of(format!("{HEADER}\"open, {}", "x".repeat(1 << 20)).as_bytes())
                .contains("unclosed quote")
        );
    }

    proptest! {
        #[test]
        fn the_chunk_size_does_not_matter(rows in 0usize..60, piece in 1usize..200, crlf: bool, quoted: bool) {
            let mut text = text(rows, if crlf { "\r\n" } else { "\n" });
            if quoted { text = text.replace(",2,", ",\"2\","); }
            prop_assert_eq!(read(text.as_bytes(), piece), read(text.as_bytes(), usize::MAX));
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), piece in 1usize..50) {
            let _ = read(&bytes, piece);
            let mut with_header = HEADER.as_bytes().to_vec();
            with_header.extend(&bytes);
            let _ = read(&with_header, piece);
        }

        #[test]
        fn chunked_reading_finds_the_same_records_as_a_csv_library(body in "[a0-9,\"\r\n ]{0,200}") {
            let text = format!("{HEADER}{body}");
            if let Ok(rows) = read(text.as_bytes(), 7) {
                let records = ReaderBuilder::new().flexible(true).from_reader(text.as_bytes()).into_records();
                // Blank rows are not rows.
                let whole = records.filter(|record| !is_blank(record.as_ref().unwrap())).count();
                // A stray quote within a field can only join pieces that belong together.
                prop_assert_eq!(rows.len(), whole);
            }
        }
    }
}
