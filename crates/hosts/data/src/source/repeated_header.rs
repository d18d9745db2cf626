//! Lines of column names among the rows, as in two downloads that were joined.

use super::SourceResult;
use super::columns::is_unknown;
use super::layout::Layout;
use csv::StringRecord;
use market_data::failures::failure;

/// Minimum number of price columns with a word, for a line of unknown column names.
const MIN_WORDS: usize = 3;

/// Whether a line without a readable time repeats the column names at the start of the text.
///
/// # Errors
/// If it names other columns: the rows after it would be stored in the wrong ones.
pub(super) fn is_repeated(
    record: &StringRecord,
    layout: &Layout,
    line: u64,
    what: &str,
) -> SourceResult<bool> {
    if layout.repeats_names(record) {
        return Ok(true);
    }
    if !layout.names_prices(record) && !has_words_as_prices(record, layout) {
        return Ok(false);
    }
    Err(failure(
        format!(
            "Line {line} of {what} has column names that differ from those at the start: '{}'. The rows after this line would be stored in the wrong columns.",
            layout.shown(record)
        ),
        "Split the file before that line, or write all rows with the same columns in the same order.",
    ))
}

/// Whether words are in the price columns.
fn has_words_as_prices(record: &StringRecord, layout: &Layout) -> bool {
    let is_word = |at: &usize| {
        let text = record.get(*at).unwrap_or_default().trim();
        // Spreadsheets write errors as `#REF!`.
        text.chars().any(char::is_alphabetic)
            && !text.starts_with('#')
            && !is_unknown(text)
            && layout.numbers.parse_volume(text).is_none()
    };
    layout.columns.prices.iter().filter(|at| is_word(at)).count() >= MIN_WORDS
}
