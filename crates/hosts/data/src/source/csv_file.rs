//! A folder of files `SYMBOL_TIMEFRAME.csv`.

use super::csv_text::CsvText;
use super::{Known, Opened, Place, Rows, SourceResult, Watch, off_thread};
use crate::bars::Timeframe;
use crate::params::Request;
use crate::symbol::Symbol;
use crate::trouble::{failure, unreadable};
use crate::validate::Row;
use host_kit::WorkError;
use protocol::form::distance;
use protocol::{Failure, Time};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// Bytes read at a time: some hundred rows, read and parsed in about a millisecond.
const PIECE: usize = 32 * 1024;

/// Where the last line of a file is looked for.
const TAIL: u64 = 4096;

/// A file that is being read.
pub(crate) struct CsvFile {
    /// Absent while a slice is being read on another thread, and after the end.
    open: Option<OpenFile>,
}

struct OpenFile {
    path: PathBuf,
    file: File,
    text: CsvText,
    piece: Vec<u8>,
}

impl OpenFile {
    fn read(&mut self) -> SourceResult<(Vec<Row>, bool)> {
        let mut rows = Vec::new();
        while rows.is_empty() {
            let n = self.file.read(&mut self.piece).map_err(|e| unreadable(&self.path, &e))?;
            if n == 0 {
                self.text.finish(&mut rows)?;
                return Ok((rows, true));
            }
            self.text.push(&self.piece[..n], &mut rows)?;
        }
        Ok((rows, false))
    }
}

impl CsvFile {
    /// The next rows; `None` after the last.
    pub(super) async fn next(&mut self) -> SourceResult<Option<Vec<Row>>> {
        let Some(mut open) = self.open.take() else { return Ok(None) };
        let (open, read) = off_thread(move || {
            let read = open.read();
            (open, read)
        })
        .await;
        let (rows, ended) = read?;
        if !ended {
            self.open = Some(open);
        }
        Ok((!rows.is_empty()).then_some(rows))
    }
}

/// Whether there is a file at all.
pub(super) fn look(folder: &Path, symbol: &Symbol, timeframe: Timeframe) -> SourceResult<()> {
    let path = file_of(folder, symbol, timeframe);
    match fs::metadata(&path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(unknown(folder, symbol, timeframe)),
        Err(e) => Err(unreadable(&path, &e)),
    }
}

fn file_of(folder: &Path, symbol: &Symbol, timeframe: Timeframe) -> PathBuf {
    folder.join(format!("{symbol}_{timeframe}.csv"))
}

/// Finds the file of the request and counts its lines.
pub(super) async fn open(
    folder: &Path,
    request: &Request,
    known: Option<Known>,
    token: &CancellationToken,
) -> Result<Opened, WorkError> {
    let (folder, symbol, timeframe) = (folder.to_owned(), request.symbol.clone(), request.timeframe);
    let token = token.clone();
    off_thread(move || open_now(&folder, &symbol, timeframe, known, &token)).await
}

fn open_now(
    folder: &Path,
    symbol: &Symbol,
    timeframe: Timeframe,
    known: Option<Known>,
    token: &CancellationToken,
) -> Result<Opened, WorkError> {
    let path = file_of(folder, symbol, timeframe);
    let what = path.display().to_string();
    let trouble = |e: io::Error| unreadable(&path, &e);
    let mut file = match File::open(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(unknown(folder, symbol, timeframe).into());
        }
        opened => opened.map_err(trouble)?,
    };
    let about = file.metadata().map_err(trouble)?;
    if about.is_dir() {
        return Err(trouble(io::Error::from(io::ErrorKind::IsADirectory)).into());
    }
    if about.len() == 0 {
        return Err(empty(&what).into());
    }
    let watch = Watch::new(&path, &file).map_err(trouble)?;
    let fingerprint = watch.fingerprint();

    let mut text = CsvText::new(what.clone(), timeframe);
    let lines = count_lines(&mut file, token).map_err(trouble)?.ok_or(WorkError::Cancelled)?;
    read_header(&mut file, &mut text).map_err(trouble)??;
    if !text.has_header() {
        return Err(empty(&what).into());
    }
    let last = last_time(&mut file, about.len(), &text).map_err(trouble)?;

    let resume = known.filter(|k| k.fingerprint == fingerprint && k.place.offset <= about.len());
    let place = resume.as_ref().map_or(Place { offset: 0, line: 1 }, |k| k.place);
    file.seek(SeekFrom::Start(place.offset)).map_err(trouble)?;
    if resume.is_some() {
        text.jump(place);
    } else {
        text = CsvText::new(what.clone(), timeframe);
    }
    let open = OpenFile { path: path.clone(), file, text, piece: vec![0; PIECE] };
    Ok(Opened {
        rows: Rows::Csv(CsvFile { open: Some(open) }),
        described: what,
        total: Some(lines.saturating_sub(1)),
        last,
        fingerprint,
        watch: Some(watch),
        end: Place { offset: about.len(), line: lines + 1 },
        resumed: resume.is_some(),
    })
}

/// Lines of the file, an unfinished last one counted; `None` when cancelled meanwhile.
fn count_lines(file: &mut File, token: &CancellationToken) -> io::Result<Option<u64>> {
    let mut piece = vec![0; 256 * 1024];
    let (mut lines, mut last) = (0, b'\n');
    loop {
        if token.is_cancelled() {
            return Ok(None);
        }
        match file.read(&mut piece)? {
            0 => return Ok(Some(lines + u64::from(last != b'\n'))),
            n => {
                lines += piece[..n].iter().filter(|b| **b == b'\n').count() as u64;
                last = piece[n - 1];
            }
        }
    }
}

/// Reads as far as the header goes. The outer error is the disk's, the inner one the text's.
fn read_header(file: &mut File, text: &mut CsvText) -> io::Result<SourceResult<()>> {
    file.seek(SeekFrom::Start(0))?;
    let mut piece = vec![0; PIECE];
    let mut rows = Vec::new();
    while !text.has_header() {
        let n = file.read(&mut piece)?;
        let parsed = if n == 0 { text.finish(&mut rows) } else { text.push(&piece[..n], &mut rows) };
        if parsed.is_err() || n == 0 {
            return Ok(parsed);
        }
    }
    Ok(Ok(()))
}

/// The time in the last line, where there is one.
fn last_time(file: &mut File, length: u64, text: &CsvText) -> io::Result<Option<Time>> {
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    let line = tail.split(|b| matches!(b, b'\n' | b'\r')).rfind(|line| !line.is_empty());
    Ok(line.and_then(|line| text.line(line)).and_then(|row| row.time))
}

fn empty(what: &str) -> Failure {
    failure(
        format!("{what} is empty."),
        "Put a line of column names and the bars into it, or load another symbol.",
    )
}

/// What a folder has: the symbols and timeframes of its files, sorted. Empty when it can't be read.
pub(crate) fn symbols(folder: &Path) -> BTreeSet<(Symbol, Timeframe)> {
    let names =
        fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|e| e.file_name().into_string().ok());
    names
        .filter_map(|name| {
            let (symbol, timeframe) = name.strip_suffix(".csv")?.rsplit_once('_')?;
            Some((Symbol::new(symbol).ok()?, Timeframe::parse(timeframe)?))
        })
        .collect()
}

/// There is no such file: says what is there instead.
fn unknown(folder: &Path, symbol: &Symbol, timeframe: Timeframe) -> Failure {
    let shown = folder.display();
    if let Err(e) = fs::read_dir(folder) {
        return unreadable(folder, &e);
    }
    let there = symbols(folder);
    if there.is_empty() {
        return failure(
            format!(
                "There is no {symbol}_{timeframe}.csv in {shown}; no file there is named like MSFT_1h.csv."
            ),
            "Put files named SYMBOL_TIMEFRAME.csv into that folder, or choose another source.",
        );
    }
    const MOST: usize = 12;
    let mut listed: Vec<String> = there.iter().take(MOST).map(|(s, t)| format!("{s} {t}")).collect();
    if there.len() > MOST {
        listed.push(format!("{} more", there.len() - MOST));
    }
    let of_symbol: Vec<&str> = there.iter().filter(|(s, _)| s == symbol).map(|(_, t)| t.as_str()).collect();
    let near = there
        .iter()
        .map(|(s, t)| {
            let (one, other) = (s.as_str().to_uppercase(), symbol.as_str().to_uppercase());
            (distance(&one, &other), *t != timeframe, s)
        })
        .min()
        .filter(|(edits, _, s)| *edits <= 1 + s.as_str().len() / 4);
    let hint = match near {
        _ if !of_symbol.is_empty() => {
            format!("{symbol} is there as {}: choose that timeframe.", of_symbol.join(", "))
        }
        Some((_, _, near)) => format!("Did you mean {near}?"),
        None => format!("Choose one of these, or put {symbol}_{timeframe}.csv into the folder."),
    };
    failure(
        format!("There is no {symbol}_{timeframe}.csv in {shown}; there are {}.", listed.join(", ")),
        hint,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_file(folder: &Path, symbol: &str, known: Option<Known>) -> Result<Opened, WorkError> {
        open_now(folder, &Symbol::new(symbol).unwrap(), Timeframe::H1, known, &CancellationToken::new())
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
    fn an_unknown_symbol_is_told_what_is_there() {
        let folder = folder(&[
            ("MSFT_1h.csv", BARS),
            ("NVDA_1h.csv", BARS),
            ("GOOGL_1d.csv", BARS),
            ("notes.txt", ""),
        ]);
        let failure = told(folder.path(), "MSFFT");
        assert!(failure.message.contains("There is no MSFFT_1h.csv in "), "{}", failure.message);
        assert!(failure.message.ends_with("there are GOOGL 1d, MSFT 1h, NVDA 1h."), "{}", failure.message);
        assert_eq!(failure.hint, "Did you mean MSFT?");
        assert_eq!(told(folder.path(), "msft").hint, "Did you mean MSFT?");
        assert!(told(folder.path(), "GOOGL").hint.contains("is there as 1d"));
        assert!(told(folder.path(), "XYZXYZ").hint.contains("Choose one of these"));
    }

    #[test]
    fn a_folder_or_file_that_is_not_as_it_should_be_is_told_plainly() {
        let folder = folder(&[("A_1h.csv", ""), ("B_1h.csv", "\n\n"), ("C_1h.csv", "a,b\n1,2\n")]);
        fs::create_dir(folder.path().join("D_1h.csv")).unwrap();
        assert!(told(folder.path(), "A").message.ends_with("A_1h.csv is empty."));
        assert!(told(folder.path(), "B").message.ends_with("B_1h.csv is empty."));
        assert!(told(folder.path(), "C").message.contains("lacks a time"));
        assert!(told(folder.path(), "D").message.contains("is a folder"));
        assert!(told(&folder.path().join("none"), "A").message.starts_with("There is no "));
    }

    #[tokio::test]
    async fn rows_are_counted_before_they_are_read_and_the_last_time_is_known() {
        let folder = folder(&[("A_1h.csv", BARS)]);
        let opened = open_file(folder.path(), "A", None).unwrap();
        assert_eq!(opened.total, Some(2));
        assert_eq!(opened.last, Some(crate::bars::at("2024-01-02T11:00:00Z")));
        let rows = all(opened).await;
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[1].line, 3);
    }

    #[tokio::test]
    async fn it_goes_on_at_a_known_place_unless_the_file_was_changed() {
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
}
