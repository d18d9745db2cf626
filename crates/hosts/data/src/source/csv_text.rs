//! CSV as it comes, piece by piece: pieces go in, rows come out, and memory holds one piece and one line.

use super::columns::Columns;
use super::{Place, SourceResult};
use crate::bars::Timeframe;
use crate::trouble::failure;
use crate::validate::Row;
use csv::{ReaderBuilder, StringRecord};

/// A line longer than this is no line of bars.
const LONGEST_LINE: usize = 1 << 20;

/// Turns pieces of text into rows.
pub(super) struct CsvText {
    /// The file or URL, for messages.
    what: String,
    timeframe: Timeframe,
    columns: Option<Columns>,
    /// What came and is not a whole line yet.
    pending: Vec<u8>,
    /// Where `pending` begins.
    place: Place,
}

impl CsvText {
    pub(super) fn new(what: String, timeframe: Timeframe) -> Self {
        let place = Place { offset: 0, line: 1 };
        Self { what, timeframe, columns: None, pending: Vec::new(), place }
    }

    /// The header was read.
    pub(super) fn has_header(&self) -> bool {
        self.columns.is_some()
    }

    /// Goes on at another place of the same text. What was pending is forgotten.
    pub(super) fn jump(&mut self, place: Place) {
        self.pending.clear();
        self.place = place;
    }

    /// Takes the next piece and gives the rows that it completes.
    ///
    /// # Errors
    /// When the text is not CSV of bars in UTF-8.
    pub(super) fn push(&mut self, piece: &[u8], rows: &mut Vec<Row>) -> SourceResult<()> {
        self.pending.extend_from_slice(piece);
        match whole_lines(&self.pending) {
            0 if self.pending.len() > LONGEST_LINE => {
                let (what, line) = (&self.what, self.place.line);
                Err(failure(
                    format!(
                        "{what} is not CSV of bars: from line {line} on there is no end of a line for a million characters, or a quote that never closes."
                    ),
                    "Look at that line in the file.",
                ))
            }
            0 => Ok(()),
            end => self.parse(end, rows),
        }
    }

    /// There is no more: what is pending is the last line, which may lack its end.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(super) fn finish(&mut self, rows: &mut Vec<Row>) -> SourceResult<()> {
        self.parse(self.pending.len(), rows)
    }

    /// The one row of a line of this text, or nothing.
    pub(super) fn line(&self, line: &[u8]) -> Option<Row> {
        let mut alone =
            Self { columns: self.columns.clone(), ..Self::new(self.what.clone(), self.timeframe) };
        let mut rows = Vec::new();
        alone.pending.extend_from_slice(line);
        alone.finish(&mut rows).ok()?;
        rows.pop()
    }

    fn parse(&mut self, end: usize, rows: &mut Vec<Row>) -> SourceResult<()> {
        let mut from = 0;
        if self.place.offset == 0 {
            self.refuse_other_encodings()?;
            // A byte order mark is no part of the first name.
            from = if self.pending.starts_with(b"\xEF\xBB\xBF") { 3.min(end) } else { 0 };
        }
        let block = &self.pending[from..end];
        let text = std::str::from_utf8(block).map_err(|e| {
            let line = self.place.line + newlines(&block[..e.valid_up_to()]);
            not_utf8(&self.what, line)
        })?;
        let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).map_err(|e| {
            failure(format!("{} can't be read as CSV: {e}.", self.what), "Look at that line in the file.")
        })? {
            let Some(columns) = &self.columns else {
                self.columns = Some(Columns::read(&record, &self.what)?);
                continue;
            };
            let place = record.position().map_or(self.place, |at| {
                // The reader's position lies before blank lines and the rest of a line's end.
                let start = at.byte() as usize;
                let ends = block[start..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
                Place {
                    offset: self.place.offset + (from + start + ends) as u64,
                    line: self.place.line + at.line() - 1 + newlines(&block[start..start + ends]),
                }
            });
            let (time, bar) = columns.bar(&record, self.timeframe);
            rows.push(Row { line: place.line, offset: place.offset, time, bar });
        }
        self.place.line += newlines(block);
        self.place.offset += end as u64;
        self.pending.drain(..end);
        Ok(())
    }

    fn refuse_other_encodings(&self) -> SourceResult<()> {
        let starts = |with: &[u8]| self.pending.starts_with(with);
        let blank = self.pending.iter().take_while(|b| b.is_ascii_whitespace()).count();
        if starts(b"\xFF\xFE") || starts(b"\xFE\xFF") || starts(b"PK\x03\x04") || starts(b"\x1F\x8B") {
            return Err(not_utf8(&self.what, 1));
        }
        match self.pending.get(blank) {
            Some(b'<') => Err(failure(
                format!("{} is not CSV: it begins like a web page.", self.what),
                "Check the address or the file: what is wanted is CSV with a line of column names.",
            )),
            Some(b'{' | b'[') => Err(failure(
                format!("{} is not CSV: it begins like JSON.", self.what),
                "Check the address or the file: what is wanted is CSV with a line of column names.",
            )),
            _ => Ok(()),
        }
    }
}

fn not_utf8(what: &str, line: u64) -> protocol::Failure {
    failure(
        format!("{what} is not text in UTF-8: line {line} has other bytes."),
        "Save it as plain CSV in UTF-8, then load again.",
    )
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|b| **b == b'\n').count() as u64
}

/// How many bytes from the start are whole lines. A line's end within quotes is none.
fn whole_lines(bytes: &[u8]) -> usize {
    if !bytes.contains(&b'"') {
        return bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    }
    // A quote opens only at the start of a field; elsewhere in one it is a character like any other.
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
            (b',' | b'\r', _) => At::Start,
            _ => At::Plain,
        };
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &[u8], piece: usize) -> Result<Vec<Row>, String> {
        let mut csv = CsvText::new("x.csv".into(), Timeframe::H1);
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
    fn line_ends_quotes_and_marks_of_all_kinds_give_the_same_bars() {
        let plain = read(text(50, "\n").as_bytes(), 1000).unwrap();
        assert_eq!(plain.len(), 50);
        let bars = |rows: &[Row]| rows.iter().map(|r| r.bar.clone().unwrap()).collect::<Vec<_>>();
        for other in [
            text(50, "\r\n"),
            format!("\u{feff}{}", text(50, "\n")),
            text(50, "\n\n"),
            format!("{}\n\n", text(50, "\n")),
            text(50, "\n").replace("1.25", "\"1.25\""),
        ] {
            assert_eq!(bars(&read(other.as_bytes(), 37).unwrap()), bars(&plain));
        }
    }

    #[test]
    fn every_row_knows_its_line_and_where_it_begins() {
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
    fn reading_on_at_a_row_gives_what_was_left() {
        let text = text(40, "\r\n");
        let all = read(text.as_bytes(), 100).unwrap();
        let mut csv = CsvText::new("x.csv".into(), Timeframe::H1);
        let mut rows = Vec::new();
        csv.push(HEADER.as_bytes(), &mut rows).unwrap();
        let from = &all[17];
        csv.jump(Place { offset: from.offset, line: from.line });
        csv.push(&text.as_bytes()[from.offset as usize..], &mut rows).unwrap();
        csv.finish(&mut rows).unwrap();
        assert_eq!(rows, all[17..]);
    }

    #[test]
    fn a_row_that_can_not_be_read_is_a_row_with_its_reason() {
        let body = "2024-01-01T10:00:00Z,1,2,1,1\n2024-01-01T10:00:00Z,1,x,1,1,0\n2024-01-01T10:00:00,1,2,1,1,0\nnever,1,2,1,1,0\n2024-01-01T10:00:00Z,nan,2,1,1,0\n";
        let rows = read(format!("{HEADER}{body}").as_bytes(), 9).unwrap();
        let reasons: Vec<_> = rows.iter().map(|r| r.bar.as_ref().err().map(|e| e.reason.as_str())).collect();
        let expected = [Some("wrong_columns"), Some("not_a_number"), Some("no_zone"), Some("bad_time"), None];
        assert_eq!(reasons, expected, "that nan is no price is for the validator to say");
        assert!(rows[1].time.is_some() && rows[3].time.is_none());
    }

    #[test]
    fn what_is_no_csv_of_bars_says_so() {
        let told = |bytes: &[u8]| read(bytes, 4096).unwrap_err();
        assert!(told(b"<!doctype html><html>\n").contains("web page"));
        assert!(told(b" {\"error\": 1}\n").contains("JSON"));
        assert!(told(b"\xFF\xFEt\0i\0").contains("UTF-8"));
        assert!(
            told(
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
            told(format!("{HEADER}\"open, {}", "x".repeat(1 << 20)).as_bytes())
                .contains("quote that never closes")
        );
    }

    proptest! {
        #[test]
        fn the_size_of_the_pieces_changes_nothing(rows in 0usize..60, piece in 1usize..200, crlf: bool, quoted: bool) {
            let mut text = text(rows, if crlf { "\r\n" } else { "\n" });
            if quoted { text = text.replace(",2,", ",\"2\","); }
            prop_assert_eq!(read(text.as_bytes(), piece), read(text.as_bytes(), usize::MAX));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), piece in 1usize..50) {
            let _ = read(&bytes, piece);
            let mut with_header = HEADER.as_bytes().to_vec();
            with_header.extend(&bytes);
            let _ = read(&with_header, piece);
        }

        #[test]
        fn it_sees_the_same_records_as_a_reader_of_the_whole(body in "[a0-9,\"\r\n ]{0,200}") {
            let text = format!("{HEADER}{body}");
            if let Ok(rows) = read(text.as_bytes(), 7) {
                let whole = ReaderBuilder::new().flexible(true).from_reader(text.as_bytes()).into_records().count();
                // A stray quote in the middle of a field can only join pieces that belong together.
                prop_assert_eq!(rows.len(), whole);
            }
        }
    }
}
