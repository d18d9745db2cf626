//! Magic bytes of non-text files, to name them in messages.

use market_data::failures::failure;
use protocol::Failure;

const PACKED: &str = "Decompress the file, or compress it with gzip or zip, then load again.";
const WORKBOOK: &str = "Save the sheet as CSV in UTF-8, then load again.";

/// Magic bytes, description, and what to do.
const KNOWN: [(&[u8], &str, &str); 10] = [
    (b"\x1F\x8B", "compressed twice: it contains a gzip file", "Decompress the file once, then load again."),
    (b"PK\x03\x04", "compressed twice: it contains a zip file", "Decompress the file once, then load again."),
    (b"BZh", "compressed with bzip2, which is not supported", PACKED),
    (b"\xFD7zXZ", "compressed with xz, which is not supported", PACKED),
    (b"\x28\xB5\x2F\xFD", "compressed with zstd, which is not supported", PACKED),
    (b"7z\xBC\xAF", "compressed with 7-Zip, which is not supported", PACKED),
    (b"Rar!", "compressed with RAR, which is not supported", PACKED),
    (b"\xD0\xCF\x11\xE0", "an Excel workbook (.xls), not CSV", WORKBOOK),
    (
        b"PAR1",
        "a Parquet file, not CSV",
        "Convert the file to CSV, e.g. with pandas: read_parquet(…).to_csv(…).",
    ),
    (b"%PDF", "a PDF, not CSV", "Export the data as CSV, then load again."),
];

/// Failure of a source that is not text.
pub(super) fn no_text(what: &str, start: &[u8]) -> Option<Failure> {
    let (_, is, hint) = KNOWN.iter().find(|(magic, ..)| start.starts_with(&magic[..magic.len().min(4)]))?;
    Some(failure(format!("{what} is {is}."), *hint))
}
