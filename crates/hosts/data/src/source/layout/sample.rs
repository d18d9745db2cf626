//! The first lines of a text, cut into records.

use super::super::SourceResult;
use crate::trouble::failure;
use csv::{ReaderBuilder, StringRecord};

/// So many whole lines are enough to tell the layout; a shorter text is looked at whole.
pub(in super::super) const SAMPLE_LINES: usize = 256;
/// So many bytes are enough, too, however few lines they are.
pub(in super::super) const MAX_SAMPLE_BYTES: usize = 64 * 1024;
/// Separators of columns. Of two that fit as many lines the later is it: a comma may be a decimal one.
const DELIMITERS: [u8; 4] = [b',', b'|', b';', b'\t'];

/// Records, and where each begins.
pub(super) struct Sample {
    pub(super) delimiter: u8,
    pub(super) records: Vec<Record>,
    /// Where the text after the records begins.
    end: (u64, usize),
}

pub(super) struct Record {
    pub(super) fields: StringRecord,
    /// Its line, from 1, and the byte at which that begins.
    pub(super) line: u64,
    start: usize,
}

impl Sample {
    /// Cuts a text at the separator that its first line names (`sep=;`), or that fits most lines.
    pub(super) fn read(text: &str, what: &str) -> SourceResult<Self> {
        let (named, skipped) = sep_line(text);
        let body = &text[skipped..];
        let delimiter = named.unwrap_or_else(|| {
            // How many lines have as many as the last one, which is a row; below four there are no columns for a bar.
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
                failure(format!("Cannot parse {what} as CSV: {e}."), "Check that line in the file.")
            })?;
            if !read {
                break;
            }
            let position = fields.position().map_or(0, |p| p.byte() as usize);
            // The reader's position lies before blank lines and the rest of a line's end.
            let ends = body[position..].bytes().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            let start = skipped + position + ends;
            if !is_blank(&fields) && !is_comment(&fields) {
                records.push(Record { line: 1 + newlines(&text[..start]), start, fields: fields.clone() });
            }
        }
        Ok(Self { delimiter, records, end: (1 + newlines(text), text.len()) })
    }

    /// The records from one on.
    pub(super) fn rows(&self, from: usize) -> impl Iterator<Item = &StringRecord> {
        self.records.iter().skip(from).map(|record| &record.fields)
    }

    /// Lines and bytes before a record.
    pub(super) fn before(&self, record: usize) -> (u64, usize) {
        let (line, start) = self.records.get(record).map_or(self.end, |r| (r.line, r.start));
        (line - 1, start)
    }
}

/// A row of separators alone, as spreadsheets leave them.
pub(in super::super) fn is_blank(fields: &StringRecord) -> bool {
    fields.iter().all(|field| field.trim().is_empty())
}

fn is_comment(fields: &StringRecord) -> bool {
    fields.get(0).is_some_and(|first| first.starts_with('#'))
}

fn newlines(text: &str) -> u64 {
    text.bytes().filter(|b| *b == b'\n').count() as u64
}

/// The separator of a first line `sep=;`, and how many bytes that line has.
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
