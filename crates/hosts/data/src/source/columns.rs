//! The header of a CSV: which column holds what. Columns are found by name, in any order; others are ignored.

use super::SourceResult;
use super::time_text;
use crate::bars::{Bar, Timeframe, known_volume};
use crate::trouble::failure;
use crate::validate::{Reason, Reject};
use crate::wording::excerpt;
use csv::StringRecord;
use protocol::Time;

/// Names of the time column that are met in real files. A blank name counts, too, where no other is there.
const TIME_NAMES: [&str; 9] =
    ["timestamp", "time", "date", "datetime", "date_time", "date time", "open_time", "open time", "index"];
const PRICE_NAMES: [&str; 4] = ["open", "high", "low", "close"];
const VOLUME_NAME: &str = "volume";
/// How programs write a volume that they do not know.
const NO_VOLUME: [&str; 7] = ["", "nan", "null", "none", "na", "n/a", "-"];

/// Where in a row each value is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Columns {
    time: usize,
    prices: [usize; 4],
    /// Absent where the source tells no volume at all.
    volume: Option<usize>,
    width: usize,
}

impl Columns {
    /// Reads the header. `what` is the file or URL, for messages.
    ///
    /// # Errors
    /// When a column is missing, or there twice.
    pub(super) fn read(header: &StringRecord, what: &str) -> SourceResult<Self> {
        let names: Vec<String> = header.iter().map(|n| n.trim().to_lowercase()).collect();
        let shown = || excerpt(&header.iter().collect::<Vec<_>>().join(","), 120);
        if names.len() == 1 && (names[0].contains(';') || names[0].contains('\t')) {
            return Err(failure(
                format!(
                    "The columns of {what} are not separated by commas: its first line is '{}'.",
                    shown()
                ),
                "Save it as CSV with commas, then load again.",
            ));
        }
        let find = |wanted: &str| -> SourceResult<Option<usize>> {
            let mut found = names.iter().enumerate().filter(|(_, n)| *n == wanted).map(|(i, _)| i);
            match (found.next(), found.next()) {
                (_, Some(_)) => Err(failure(
                    format!("{what} has two columns called '{wanted}': its first line is '{}'.", shown()),
                    "Leave one of them, or rename the other.",
                )),
                (found, None) => Ok(found),
            }
        };
        let mut prices = [0; 4];
        let mut missing = Vec::new();
        for (slot, name) in prices.iter_mut().zip(PRICE_NAMES) {
            match find(name)? {
                Some(at) => *slot = at,
                None => missing.push(name),
            }
        }
        let volume = find(VOLUME_NAME)?;
        let mut times: Vec<(usize, &str)> = Vec::new();
        for name in TIME_NAMES {
            times.extend(find(name)?.map(|at| (at, name)));
        }
        // `index` is a time only where nothing else is.
        if times.len() > 1 {
            times.retain(|(_, name)| *name != "index");
        }
        let blank = names.first().is_some_and(|n| n.is_empty() || n.starts_with("unnamed:"));
        let time = match times.as_slice() {
            [(at, _)] => Some(*at),
            [] if blank => Some(0),
            [] => None,
            [(_, one), (_, two), ..] => {
                return Err(failure(
                    format!("{what} has two columns that could be the time of a bar, '{one}' and '{two}'."),
                    "Put day and time of day into one column with their zone, like 2024-03-01T09:30:00Z, and leave only that one.",
                ));
            }
        };
        if time.is_none() {
            missing.insert(0, "a time (timestamp, time, date or datetime)");
        }
        match time {
            Some(time) if missing.is_empty() => Ok(Self { time, prices, volume, width: names.len() }),
            _ => Err(failure(
                format!("{what} lacks {}: its first line is '{}'.", missing.join(", "), shown()),
                "Its first line must name the columns: timestamp, open, high, low, close, and volume where it is known, in any order.",
            )),
        }
    }

    /// The bar of a row, and its time also where the rest can't be read.
    pub(super) fn bar(
        &self,
        record: &StringRecord,
        timeframe: Timeframe,
    ) -> (Option<Time>, Result<Bar, Reject>) {
        if record.len() != self.width {
            let text = format!("{} fields where the header has {}", record.len(), self.width);
            return (None, Err(Reject::new(Reason::WrongColumns, text)));
        }
        let time = match time_text::parse(&record[self.time], timeframe) {
            Ok(time) => time,
            Err(reject) => return (None, Err(reject)),
        };
        (Some(time), self.values(record).map(|values| values.at(time)))
    }

    fn values(&self, record: &StringRecord) -> Result<Values, Reject> {
        let mut prices = [0.0; 4];
        for (i, price) in prices.iter_mut().enumerate() {
            *price = number(record[self.prices[i]].trim(), PRICE_NAMES[i])?;
        }
        let volume = match self.volume.map(|at| record[at].trim()) {
            Some(text) if !NO_VOLUME.iter().any(|none| text.eq_ignore_ascii_case(none)) => {
                known_volume(number(text, VOLUME_NAME)?)
            }
            _ => None,
        };
        Ok(Values { prices, volume })
    }
}

/// The numbers of a row.
struct Values {
    prices: [f64; 4],
    volume: Option<f64>,
}

impl Values {
    fn at(self, time: Time) -> Bar {
        let [open, high, low, close] = self.prices;
        Bar { time, open, high, low, close, volume: self.volume }
    }
}

fn number(text: &str, name: &str) -> Result<f64, Reject> {
    text.parse().map_err(|_| Reject::new(Reason::NotANumber, format!("{name} is '{}'", excerpt(text, 40))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Result<Columns, String> {
        let record: StringRecord = header.split(',').collect();
        Columns::read(&record, "x.csv").map_err(|f| f.message)
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let blank = read(",open,high,low,close,volume").unwrap();
        assert_eq!((blank.time, blank.prices, blank.volume), (0, [1, 2, 3, 4], Some(5)));
        let mixed = read("Volume,Close,Adj Close,Low,High,Open,Date").unwrap();
        assert_eq!((mixed.time, mixed.prices, mixed.volume), (6, [5, 4, 3, 1], Some(0)));
        assert_eq!(read("time,open,high,low,close").unwrap().volume, None);
        assert_eq!(read(",timestamp,open,high,low,close,volume").unwrap().time, 1, "a blank index beside it");
        assert_eq!(read("Unnamed: 0,open,high,low,close,volume").unwrap().time, 0);
        assert_eq!(read("index,Datetime,open,high,low,close,volume").unwrap().time, 1);
    }

    #[test]
    fn what_is_missing_or_unclear_is_named() {
        assert!(read("timestamp,open,high,close").unwrap_err().contains("lacks low"));
        assert!(read("open,high,low,close,volume").unwrap_err().contains("lacks a time"));
        assert!(
            read("time,open,high,low,close,close,volume").unwrap_err().contains("two columns called 'close'")
        );
        assert!(read("date,time,open,high,low,close,volume").unwrap_err().contains("'time' and 'date'"));
        assert!(read("time;open;high;low;close;volume").unwrap_err().contains("not separated by commas"));
    }

    #[test]
    fn a_volume_that_the_source_does_not_know_is_unknown_and_no_reason_to_reject_a_row() {
        let columns = read("time,open,high,low,close,volume").unwrap();
        let volume = |text: &str| {
            let row = ["2024-03-01T09:00:00Z", "1", "2", "1", "2", text];
            let (_, bar) = columns.bar(&StringRecord::from(row.to_vec()), Timeframe::H1);
            bar.map(|bar| bar.volume).map_err(|reject| reject.reason)
        };
        for text in ["", " ", "-1", "-1.0", "NaN", "nan", "null", "N/A", "-"] {
            assert_eq!(volume(text), Ok(None), "'{text}'");
        }
        assert_eq!(volume("0"), Ok(Some(0.0)));
        assert_eq!(volume("12.5"), Ok(Some(12.5)));
        assert_eq!(volume("-2"), Ok(Some(-2.0)), "the validator rejects it");
        assert_eq!(volume("x"), Err(Reason::NotANumber));
    }
}
