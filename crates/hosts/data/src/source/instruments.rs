//! Instrument of each row, for texts with a symbol column: all rows of a load must be of one instrument. A continuous
//! future may consist of several contracts, one after the other.

use super::SourceResult;
use market_data::Symbol;
use market_data::failures::failure;
use market_data::wording::excerpt;
use protocol::{Failure, Time};

/// Maximum number of contracts of a continuous future.
const MAX_CONTRACTS: usize = 1_000;
/// Month codes of futures contracts.
const MONTHS: &str = "FGHJKMNQUVXZ";

/// Instruments of the rows so far.
#[derive(Default)]
pub(super) struct Instruments {
    seen: Vec<Instrument>,
    /// Index of the instrument of the previous row.
    current: usize,
}

/// Instrument with its first line and the times of its bars.
struct Instrument {
    name: String,
    line: u64,
    times: Option<(Time, Time)>,
}

impl Instruments {
    /// Records the instrument of a row.
    ///
    /// # Errors
    /// If it is another one than that of the previous rows, unless `symbol` is a continuous future.
    pub(super) fn note(
        &mut self,
        name: &str,
        (line, time): (u64, Option<Time>),
        symbol: &Symbol,
        what: &str,
    ) -> SourceResult<()> {
        if name.is_empty() {
            return Ok(());
        }
        if self.seen.get(self.current).is_none_or(|current| current.name != name) {
            self.current = self.seen.iter().position(|one| one.name == name).unwrap_or_else(|| {
                self.seen.push(Instrument { name: name.to_owned(), line, times: None });
                self.seen.len() - 1
            });
            let continuous = continuous_root(symbol.as_str()).is_some() && self.seen.len() <= MAX_CONTRACTS;
            if let ([first, .., other], false) = (self.seen.as_slice(), continuous) {
                return Err(mixed(first, other, what));
            }
        }
        if let (Some(time), Some(current)) = (time, self.seen.get_mut(self.current)) {
            let (first, last) = current.times.unwrap_or((time, time));
            current.times = Some((first.min(time), last.max(time)));
        }
        Ok(())
    }

    /// Checks the contracts of a continuous future after the last row.
    ///
    /// # Errors
    /// If two of them have bars in the same period.
    pub(super) fn finish(&self, what: &str) -> SourceResult<()> {
        let timed = self.seen.iter().filter_map(|one| Some((one.times?, one)));
        let mut spans: Vec<((Time, Time), &Instrument)> = timed.collect();
        spans.sort_by_key(|(times, _)| *times);
        match spans.windows(2).find(|pair| pair[1].0.0 <= pair[0].0.1) {
            Some(pair) => Err(mixed(pair[0].1, pair[1].1, what)),
            None => Ok(()),
        }
    }
}

fn mixed(first: &Instrument, other: &Instrument, what: &str) -> Failure {
    let (one, two) = (excerpt(&first.name, 30), excerpt(&other.name, 30));
    let split = "Split the file into one file per symbol, named SYMBOL_TIMEFRAME.csv.";
    let hint = match (contract(&first.name), contract(&other.name)) {
        (Some(a), Some(b)) if a.root == b.root => format!(
            "{split} Or, if the contracts follow each other without overlap, load the file as a continuous future, under a symbol such as {0}.c.0, {0}=F or {0}1!.",
            a.root
        ),
        _ => split.to_owned(),
    };
    let line = other.line;
    failure(
        format!(
            "{what} has bars of several symbols: {one}, {two}. The first bar of {two} is in line {line}."
        ),
        hint,
    )
}

/// Futures contract such as `ESH4`, `ESH24` or `ESH2024`.
#[derive(PartialEq, Eq)]
struct Contract {
    root: String,
    month: char,
    /// Last digit of the year.
    year: u8,
}

fn contract(name: &str) -> Option<Contract> {
    let upper = bare(name).to_ascii_uppercase();
    let letters = upper.trim_end_matches(|c: char| c.is_ascii_digit());
    let year = &upper[letters.len()..];
    let month = letters.chars().last().filter(|month| MONTHS.contains(*month))?;
    let root = &letters[..letters.len() - 1];
    let known = !root.is_empty() && matches!(year.len(), 1 | 2 | 4);
    known.then(|| Contract { root: root.to_owned(), month, year: year.as_bytes()[year.len() - 1] - b'0' })
}

/// Root of a continuous future as named by Databento (`ES.c.0`), Yahoo (`ES=F`), TradingView (`ES1!`) or Refinitiv
/// (`ESc1`).
fn continuous_root(symbol: &str) -> Option<String> {
    let name = bare(symbol);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let without_number = |text: &'static str| {
        name.rsplit_once(text).filter(|(_, number)| is_number(number)).map(|(root, _)| root)
    };
    let root = name
        .strip_suffix("=F")
        .or_else(|| {
            let numbered = name.strip_suffix('!')?;
            Some(numbered.trim_end_matches(|c: char| c.is_ascii_digit()))
                .filter(|root| root.len() < numbered.len())
        })
        .or_else(|| [".c.", ".n.", ".v."].into_iter().find_map(without_number))
        .or_else(|| without_number("c").filter(|root| root.bytes().all(|b| b.is_ascii_uppercase())))?;
    (!root.is_empty()).then(|| root.to_ascii_uppercase())
}

/// Symbol without the prefix of an exchange (`NASDAQ:MSFT`).
fn bare(symbol: &str) -> &str {
    symbol.rsplit_once(':').map_or(symbol, |(_, name)| name)
}

/// Whether two names clearly mean different instruments: they differ in more than case, separators, exchange prefix
/// and suffix, and year digits of a contract.
pub(super) fn differ(name: &str, symbol: &Symbol) -> bool {
    let symbol = symbol.as_str();
    if let (Some(a), Some(b)) = (contract(name), contract(symbol))
        && a == b
    {
        return false;
    }
    let root_of = |name: &str| contract(name).map(|contract| contract.root);
    if let Some(root) = continuous_root(symbol)
        && (root_of(name).is_some_and(|own| own == root)
            || continuous_root(name).is_some_and(|own| own == root))
    {
        return false;
    }
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
    };
    let (own, requested) = (Parts::of(name), Parts::of(symbol));
    let both_suffixed = own.suffix.len() > 1 && requested.suffix.len() > 1 && own.stem == requested.stem;
    let same = [&own.stem, &own.whole, &plain(name)].contains(&&requested.whole)
        || [&requested.stem, &requested.whole, &plain(symbol)].contains(&&own.whole)
        || both_suffixed;
    !same
}

/// Symbol without separators: `VOD.L` has the stem `VOD`, the whole `VODL` and the suffix `L`.
struct Parts {
    stem: String,
    whole: String,
    suffix: String,
}

impl Parts {
    fn of(symbol: &str) -> Self {
        let name = bare(symbol).to_ascii_uppercase();
        let (stem, suffix) = name.rsplit_once(['.', '=', '-', '_', ' ']).unwrap_or((&name, ""));
        let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        Self { stem: plain(stem), whole: plain(&name), suffix: plain(suffix) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at;

    fn symbol(text: &str) -> Symbol {
        Symbol::new(text).unwrap()
    }

    #[test]
    fn only_clearly_different_names_are_different_instruments() {
        for (name, requested) in [
            ("msft", "MSFT"),
            ("MSFT.US", "MSFT"),
            ("MSFT", "NASDAQ:MSFT"),
            ("BTC/USDT", "BTCUSDT"),
            ("BTC-USD", "BTCUSD"),
            ("X:BTCUSD", "BTC-USD"),
            ("EURUSD", "EURUSD=X"),
            ("VOD.L", "VOD.L"),
            ("VOD", "VOD.L"),
            ("BRK/B", "BRK.B"),
            ("^GSPC", "GSPC"),
            ("ESH4", "ES.c.0"),
            ("ESM4", "ES=F"),
            ("ES1!", "ES=F"),
            ("ESH4", "ESH24"),
        ] {
            assert!(!differ(name, &symbol(requested)), "{name} is {requested}");
        }
        for (name, requested) in [
            ("AAPL", "NVDA"),
            ("AAPL", "A"),
            ("BRK.A", "BRK.B"),
            ("ESM4", "ESH4"),
            ("NQH4", "ES.c.0"),
            ("ETHUSDT", "BTCUSDT"),
        ] {
            assert!(differ(name, &symbol(requested)), "{name} is not {requested}");
        }
    }

    #[test]
    fn contracts_of_a_continuous_future_are_consecutive_and_never_overlap() {
        let read = |rows: &[(&str, &str)], requested: &str| {
            let mut instruments = Instruments::default();
            for (line, (name, time)) in (2..).zip(rows) {
                instruments.note(name, (line, Some(at(time))), &symbol(requested), "x.csv")?;
            }
            instruments.finish("x.csv")
        };
        let roll = [
            ("ESH4", "2024-03-14T10:00:00Z"),
            ("ESH4", "2024-03-14T11:00:00Z"),
            ("ESM4", "2024-03-14T12:00:00Z"),
        ];
        let newest_first: Vec<_> = roll.iter().rev().copied().collect();
        for continuous in ["ES.c.0", "ES.n.1", "ES=F", "ES1!", "CME_MINI:ES1!", "ESc1"] {
            assert_eq!(read(&roll, continuous), Ok(()), "{continuous}");
            assert_eq!(read(&newest_first, continuous), Ok(()), "{continuous}");
        }
        let refused = read(&roll, "ESH4").unwrap_err();
        assert!(refused.message.contains("several symbols: ESH4, ESM4"), "{}", refused.message);
        assert!(refused.message.ends_with("in line 4.") && refused.hint.contains("ES.c.0"), "{refused:?}");
        let again = [roll.as_slice(), &[("ESH4", "2024-03-14T13:00:00Z")]].concat();
        assert!(read(&again, "ES.c.0").is_err(), "the old contract trades on");
        let stocks = [("AAPL", "2024-03-14T10:00:00Z"), ("MSFT", "2024-03-14T11:00:00Z")];
        let refused = read(&stocks, "MSFT").unwrap_err();
        assert!(!refused.hint.contains("continuous"), "{}", refused.hint);
    }
}
