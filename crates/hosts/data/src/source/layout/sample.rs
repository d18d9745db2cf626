//! Sample of a text: its first lines, split into records.

use super::super::SourceResult;
use csv::{ReaderBuilder, StringRecord};
use market_data::failures::failure;

/// Number of lines needed to detect the layout. A shorter text is read completely.
pub(in super::super) const SAMPLE_LINES: usize = 256;
/// Number of bytes that is enough in any case.
pub(in super::super) const MAX_SAMPLE_BYTES: usize = 64 * 1024;
/// Column separators. In a tie the later one wins, because a comma can be decimal.
const DELIMITERS: [u8; 4] = [b',', b'|', b';', b'\t'];

/// Records with their positions.
pub(super) struct Sample {
    pub(super) delimiter: u8,
    pub(super) records: Vec<Record>,
    /// Position after the records.
    end: (u64, usize),
}

pub(super) struct Record {
    pub(super) fields: StringRecord,
    /// Line from 1, and byte offset.
    pub(super) line: u64,
    start: usize,
}

impl Sample {
    /// Splits a text at the separator of its first line (`sep=;`), or at the best-fitting one.
    pub(super) fn read(text: &str, what: &str) -> SourceResult<Self> {
        let (named, skipped) = sep_line(text);
        let body = &text[skipped..];
        let delimiter = named.unwrap_or_else(|| {
            // Number of lines with as many fields as the last one, which is a row. Fewer than four fields are not
            // enough for a bar.
            let fitting = |delimiter: &u8| {
                let counts: Vec<usize> = body
                    .lines()
                    .filter(|line| !line.trim().is_empty())
                    .take(40)
                    .map(|line| line.bytes().filter(|b| b == delimiter).count())
                    .collect();
                let usual = counts.last().copied().filter(|usual| *usual >= 4);
                usual.map_or(0, |usual| counts.iter().filter(|count| **count == usual).count())
            };
            DELIMITERS.into_iter().max_by_key(fitting).filter(|d| fitting(d) > 0).unwrap_or(b',')
        });
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(body.as_bytes());
        let mut records = Vec::new();
        let mut fields = StringRecord::new();
        loop {
            let read = reader.read_record(&mut fields).map_err(|e| {
                failure(
                    format!("Cannot parse {what} as CSV: {e}."),
                    "Correct this line of the source, then load again.",
                )
            })?;
            if !read {
                break;
            }
            let position = fields.position().map_or(0, |p| p.byte() as usize);
            // The reader's position is before blank lines and the rest of a line break.
            let ends = body[position..].bytes().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            let start = skipped + position + ends;
            if !is_blank(&fields) && !is_comment(&fields) && !is_footer(&fields) {
                records.push(Record { line: 1 + newlines(&text[..start]), start, fields: fields.clone() });
            }
        }
        Ok(Self { delimiter, records, end: (1 + newlines(text), text.len()) })
    }

    /// Records from an index on.
    pub(super) fn rows(&self, from: usize) -> impl Iterator<Item = &StringRecord> {
        self.records.iter().skip(from).map(|record| &record.fields)
    }

    /// Lines and bytes before a record.
    pub(super) fn before(&self, record: usize) -> (u64, usize) {
        let (line, start) = self.records.get(record).map_or(self.end, |r| (r.line, r.start));
        (line - 1, start)
    }
}

/// Whether a row has only separators, as spreadsheets leave them.
pub(in super::super) fn is_blank(fields: &StringRecord) -> bool {
    fields.iter().all(|field| field.trim().is_empty())
}

/// Whether a row is the last line of Barchart's files, `Downloaded from Barchart.com as of …`.
pub(in super::super) fn is_footer(fields: &StringRecord) -> bool {
    const START: &str = "downloaded from ";
    let mut filled = fields.iter().filter(|field| !field.trim().is_empty());
    let start = filled.next().and_then(|first| first.trim().get(..START.len()));
    start.is_some_and(|start| start.eq_ignore_ascii_case(START)) && filled.next().is_none()
}

/// Whether a row is a comment. A row of many fields is a header whose first name begins with `#` (Refinitiv).
fn is_comment(fields: &StringRecord) -> bool {
    const MIN_HEADER_FIELDS: usize = 5;
    fields.len() < MIN_HEADER_FIELDS && fields.get(0).is_some_and(|first| first.starts_with('#'))
}

fn newlines(text: &str) -> u64 {
    text.bytes().filter(|b| *b == b'\n').count() as u64
}

/// Separator of a first line `sep=;`, and the length of that line.
fn sep_line(text: &str) -> (Option<u8>, usize) {
    let line_end = text.find('\n').map_or(text.len(), |at| at + 1);
    let line = text[..line_end].trim_matches(['\r', '\n', '"', '\u{feff}']);
    let named =
        line.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).map(|_| &line.as_bytes()[4..]);
    match named {
        Some([delimiter]) => (Some(*delimiter), line_end),
        Some(b"\\t") => (Some(b'\t'), line_end),
        _ => (None, 0),
    }
}
