//! Tests of opening and reading CSV files.

use super::*;
use std::fs;

fn open_file(folder: &Path, symbol: &str, known: Option<Known>) -> Result<OpenedSource, WorkError> {
    open_now(folder, &Request::of_test(symbol, Timeframe::H1), known, &CancellationToken::new())
}

fn failure_of(folder: &Path, symbol: &str) -> Failure {
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

async fn all(mut opened: OpenedSource) -> Vec<Row> {
    let mut rows = Vec::new();
    while let Some(slice) = opened.rows.next(&CancellationToken::new()).await.unwrap() {
        rows.extend(slice);
    }
    rows
}

#[test]
fn an_unknown_symbol_is_answered_with_the_existing_ones() {
    let folder =
        folder(&[("MSFT_1h.csv", BARS), ("NVDA_1h.csv", BARS), ("GOOGL_1d.csv", BARS), ("notes.txt", "")]);
    let failure = failure_of(folder.path(), "MSFFT");
    assert!(failure.message.contains("MSFFT_1h.csv was not found in "), "{}", failure.message);
    assert!(failure.message.ends_with("Available: GOOGL 1d, MSFT 1h, NVDA 1h."), "{}", failure.message);
    assert_eq!(failure.hint, "Did you mean MSFT?");
    assert_eq!(failure_of(folder.path(), "msft").hint, "Did you mean MSFT?");
    assert!(failure_of(folder.path(), "GOOGL").hint.contains("is available as 1d"));
    assert!(failure_of(folder.path(), "XYZXYZ").hint.contains("Choose one of the available symbols"));
}

#[test]
fn an_invalid_folder_or_file_has_a_clear_error() {
    let folder = folder(&[("A_1h.csv", ""), ("B_1h.csv", "\n\n"), ("C_1h.csv", "a,b\n1,2\n")]);
    fs::create_dir(folder.path().join("D_1h.csv")).unwrap();
    assert!(failure_of(folder.path(), "A").message.ends_with("A_1h.csv is empty."));
    assert!(failure_of(folder.path(), "B").message.ends_with("B_1h.csv is empty."));
    assert!(failure_of(folder.path(), "C").message.contains("has no column for a time"));
    assert!(failure_of(folder.path(), "D").message.contains("is a folder"));
    assert!(failure_of(&folder.path().join("none"), "A").message.ends_with(" was not found."));
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
    let place = SourcePosition { offset: rows[1].offset, line: rows[1].line };
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
        let place = SourcePosition { offset: from.offset, line: from.line };
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
