//! First bytes of files that are no text, so that a message can name what they are.

use crate::trouble::failure;
use protocol::Failure;

const PACKED: &str = "Unpack it, or pack it with gzip or zip, then load again.";
const WORKBOOK: &str = "Save the sheet as CSV in UTF-8, then load again.";

/// First bytes, what they are, and what to do.
const KNOWN: [(&[u8], &str, &str); 10] = [
    (b"\x1F\x8B", "packed twice: a gzip file is in it", "Unpack it once, then load again."),
    (b"PK\x03\x04", "packed twice: a zip file is in it", "Unpack it once, then load again."),
    (b"BZh", "packed with bzip2, which is not read", PACKED),
    (b"\xFD7zXZ", "packed with xz, which is not read", PACKED),
    (b"\x28\xB5\x2F\xFD", "packed with zstd, which is not read", PACKED),
    (b"7z\xBC\xAF", "packed with 7-Zip, which is not read", PACKED),
    (b"Rar!", "packed with RAR, which is not read", PACKED),
    (b"\xD0\xCF\x11\xE0", "an Excel workbook (.xls), not CSV", WORKBOOK),
    (
        b"PAR1",
        "a Parquet file, not CSV",
        "Write it as CSV, for instance with pandas: read_parquet(…).to_csv(…).",
    ),
    (b"%PDF", "a PDF, not CSV", "Get the data as CSV, then load again."),
];

/// The failure of a source that is no text at all.
pub(super) fn no_text(what: &str, start: &[u8]) -> Option<Failure> {
    let (_, is, hint) = KNOWN.iter().find(|(magic, ..)| start.starts_with(&magic[..magic.len().min(4)]))?;
    Some(failure(format!("{what} is {is}."), *hint))
}
