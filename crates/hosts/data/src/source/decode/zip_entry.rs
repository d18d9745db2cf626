//! Selects the file with the bars in a zip.

use super::SourceResult;
use market_data::failures::failure;
use market_data::wording::excerpt;
use protocol::Failure;
use std::io::{Read, Seek};
use zip::{CompressionMethod, ZipArchive};

/// Maximum number of files in a zip.
const MAX_ENTRIES: usize = 10_000;

/// File in a zip.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in super::super) struct ZipEntry {
    pub(in super::super) name: String,
    /// Offset and length of its compressed bytes.
    pub(in super::super) start: u64,
    pub(in super::super) length: u64,
    pub(super) method: Method,
    pub(super) crc32: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Method {
    Stored,
    Deflated,
}

/// Whether the bytes start like a zip.
pub(in super::super) fn is_zip(start: &[u8]) -> bool {
    start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06")
}

/// The only CSV file in a zip, or else the only text file.
///
/// # Errors
/// If there is no such file, more than one, or it can't be read.
pub(in super::super) fn locate(what: &str, zip: impl Read + Seek) -> SourceResult<ZipEntry> {
    let mut archive = ZipArchive::new(zip).map_err(|e| damaged(what, &e))?;
    if archive.len() > MAX_ENTRIES {
        return Err(failure(
            format!("{what} is a zip with {} files, which is too many.", archive.len()),
            "Extract the CSV file that you need into the source's folder.",
        ));
    }
    let names: Vec<String> = archive.file_names().map(str::to_owned).collect();
    if names.iter().any(|name| name == "xl/workbook.xml") {
        return Err(failure(
            format!("{what} is an Excel workbook (.xlsx), not CSV."),
            "Save the sheet as CSV in UTF-8, then load again.",
        ));
    }
    let of_kind = |ending: &str| -> Vec<usize> {
        let fits = |name: &str| {
            let file = name.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
            file.ends_with(ending) && !file.starts_with('.') && !name.starts_with("__MACOSX")
        };
        (0..archive.len()).filter(|i| archive.name_for_index(*i).is_some_and(fits)).collect()
    };
    let csv = of_kind(".csv");
    let found = if csv.is_empty() { of_kind(".txt") } else { csv };
    let index = match found.as_slice() {
        [only] => *only,
        [] => {
            return Err(failure(
                format!("{what} is a zip without a .csv or .txt file. It contains: {}.", shown(&names)),
                "Provide a zip with one .csv file, or the .csv file itself.",
            ));
        }
        several => {
            let names: Vec<String> =
                several.iter().filter_map(|i| archive.name_for_index(*i)).map(str::to_owned).collect();
            return Err(failure(
                format!("{what} is a zip with {} CSV or text files: {}.", several.len(), shown(&names)),
                "Extract the zip, and name each file by its symbol and timeframe. Or merge the files into one file.",
            ));
        }
    };
    let file = archive.by_index_raw(index).map_err(|e| damaged(what, &e))?;
    let name = excerpt(file.name(), 100);
    if file.encrypted() {
        return Err(failure(
            format!("{what} is a password-protected zip."),
            "Extract the zip, and provide the CSV file.",
        ));
    }
    let method = match file.compression() {
        CompressionMethod::Stored => Method::Stored,
        CompressionMethod::Deflated => Method::Deflated,
        other => {
            return Err(failure(
                format!("{name} in {what} is compressed with {other:?}, which is not supported."),
                "Extract the zip, or create it again with the method deflate.",
            ));
        }
    };
    let start = file.data_start().ok_or_else(|| damaged(what, &zip::result::ZipError::FileNotFound))?;
    Ok(ZipEntry { name, start, length: file.compressed_size(), method, crc32: file.crc32() })
}

fn shown(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut listed: Vec<String> = names.iter().take(SHOWN).map(|name| excerpt(name, 60)).collect();
    if names.len() > SHOWN {
        listed.push(format!("{} more", names.len() - SHOWN));
    }
    if listed.is_empty() { "nothing".to_owned() } else { listed.join(", ") }
}

fn damaged(what: &str, error: &zip::result::ZipError) -> Failure {
    failure(
        format!("Cannot read {what} as a zip: it is truncated or corrupt ({error})."),
        "Download the file again, then start the load again.",
    )
}
