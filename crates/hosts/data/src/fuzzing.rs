//! What holds for any file or response with market data; `make fuzz` searches for one that breaks it.

use crate::source::rows_of;
use crate::validate::{RowVerdict, Validator};
use market_data::Timeframe;

/// The rows do not depend on where the bytes are cut, and an accepted bar is a possible one. The first byte of the
/// input is the timeframe, the second the length of the pieces.
pub fn csv(bytes: &[u8]) {
    let [timeframe, piece, bytes @ ..] = bytes else { return };
    let timeframe = if timeframe % 2 == 0 { Timeframe::H1 } else { Timeframe::D1 };
    let whole = rows_of(bytes, bytes.len().max(1), timeframe);
    let rows = rows_of(bytes, usize::from(*piece).max(1), timeframe);
    // As text, because a number of a file may be NaN.
    assert_eq!(format!("{rows:?}"), format!("{whole:?}"));
    let Ok(rows) = rows else { return };
    let mut validator = Validator::new(timeframe, None);
    for row in rows {
        let judged = validator.judge(&row);
        validator.note(&row, &judged);
        let (RowVerdict::Bar(bar) | RowVerdict::Early(bar)) = judged else { continue };
        let prices = [bar.open, bar.high, bar.low, bar.close];
        assert!(prices.iter().all(|price| price.is_finite() && *price > 0.0), "{bar:?}");
        assert!(prices.iter().all(|price| (bar.low..=bar.high).contains(price)), "{bar:?}");
    }
}

#[cfg(test)]
#[test]
fn the_stored_inputs_hold() {
    fuzz_corpus::each("csv", csv);
}
