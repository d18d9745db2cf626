//! File names in a CSV folder: `MSFT_1h.csv` and common variants.

use super::SourceResult;
use form::distance;
use market_data::failures::{failure, unreadable};
use market_data::{Symbol, SymbolNote, Timeframe, changed_at};
use protocol::{Failure, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// File extensions, case-insensitive.
const ENDINGS: [&str; 6] = [".csv", ".csv.gz", ".csv.zip", ".zip", ".txt", ".txt.gz"];

/// Symbol and timeframe of a file name like `^GSPC_1D.CSV`, `EURUSD_M5.csv.gz`, `BTC%2FUSDT_60min.zip`.
pub(super) fn parse(name: &str) -> Option<(Symbol, Timeframe)> {
    let lower = name.to_lowercase();
    // Lower case changes the length only for letters that no symbol has.
    let ending =
        ENDINGS.iter().filter(|ending| lower.ends_with(*ending)).max_by_key(|ending| ending.len())?;
    let stem = name.get(..name.len().checked_sub(ending.len())?)?;
    let (symbol, timeframe) = stem.rsplit_once('_')?;
    Some((Symbol::of_file_name(symbol).ok()?, timeframe_of(timeframe)?))
}

/// Timeframe in file names. A number alone means minutes, as in files of Kraken. A capital `M` after the number means
/// months, which are not supported.
fn timeframe_of(word: &str) -> Option<Timeframe> {
    if word.ends_with('M') {
        return None;
    }
    match word.to_lowercase().as_str() {
        "1m" | "1min" | "m1" | "1" => Some(Timeframe::M1),
        "5m" | "5min" | "m5" | "5" => Some(Timeframe::M5),
        "15m" | "15min" | "m15" | "15" => Some(Timeframe::M15),
        "30m" | "30min" | "m30" | "30" => Some(Timeframe::M30),
        "1h" | "60m" | "60min" | "60" | "h1" | "1hour" | "hourly" => Some(Timeframe::H1),
        "4h" | "240m" | "240min" | "240" | "h4" => Some(Timeframe::H4),
        "1d" | "d" | "d1" | "1day" | "day" | "daily" | "1440" => Some(Timeframe::D1),
        _ => None,
    }
}

/// File of a symbol and timeframe: the canonical name, or the only variant of it.
pub(super) fn find(folder: &Path, symbol: &Symbol, timeframe: Timeframe) -> SourceResult<PathBuf> {
    let plain = folder.join(format!("{}_{timeframe}.csv", symbol.file_name()));
    match fs::metadata(&plain) {
        Ok(_) => return Ok(plain),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(unreadable(&plain, &e)),
    }
    let meant = |name: &String| parse(name).is_some_and(|(s, t)| s == *symbol && t == timeframe);
    let mut names: Vec<String> = names(folder).filter(meant).collect();
    names.sort();
    match names.as_slice() {
        [] => Err(unknown(folder, symbol, timeframe)),
        [only] => Ok(folder.join(only)),
        several => Err(failure(
            format!(
                "{} has several files for {symbol} {timeframe}: {}.",
                folder.display(),
                several.join(", ")
            ),
            format!(
                "Remove all but one of these files from the folder, or rename the file to load: {}_{timeframe}.csv.",
                symbol.file_name()
            ),
        )),
    }
}

fn names(folder: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok())
}

/// Symbols and timeframes in a folder, sorted. Empty if it can't be read.
pub(crate) fn symbols(folder: &Path) -> BTreeSet<(Symbol, Timeframe)> {
    names(folder).filter_map(|name| parse(&name)).collect()
}

/// Notes on the symbols in a folder: their timeframes, and the last change of their files.
pub(crate) fn about(folder: &Path) -> BTreeMap<String, SymbolNote> {
    let mut all: BTreeMap<String, (BTreeSet<Timeframe>, Option<Time>)> = BTreeMap::new();
    for name in names(folder) {
        let Some((symbol, timeframe)) = parse(&name) else { continue };
        let (timeframes, at) = all.entry(symbol.to_string()).or_default();
        timeframes.insert(timeframe);
        *at = (*at).max(changed_at(&folder.join(&name)));
    }
    let note = |(symbol, (timeframes, at)): (String, (BTreeSet<Timeframe>, Option<Time>))| {
        let timeframes: Vec<&str> = timeframes.iter().map(|timeframe| timeframe.as_str()).collect();
        let files = if timeframes.len() == 1 { "file" } else { "files" };
        (symbol, SymbolNote { note: format!("{} {files}", timeframes.join(", ")), at })
    };
    all.into_iter().map(note).collect()
}

/// Failure for a missing file, with the available ones.
fn unknown(folder: &Path, symbol: &Symbol, timeframe: Timeframe) -> Failure {
    const MAX_LISTED: usize = 12;
    let shown = folder.display();
    let wanted = format!("{}_{timeframe}.csv", symbol.file_name());
    if let Err(e) = fs::read_dir(folder) {
        return unreadable(folder, &e);
    }
    let there = symbols(folder);
    if there.is_empty() {
        return failure(
            format!("{wanted} was not found in {shown}. No file there is named like MSFT_1h.csv."),
            "Put files named SYMBOL_TIMEFRAME.csv into the folder of the source, or choose another source.",
        );
    }
    let mut listed: Vec<String> = there.iter().take(MAX_LISTED).map(|(s, t)| format!("{s} {t}")).collect();
    if there.len() > MAX_LISTED {
        listed.push(format!("{} more", there.len() - MAX_LISTED));
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
            format!("{symbol} is available as {}. Choose an available timeframe.", of_symbol.join(", "))
        }
        Some((_, _, near)) => format!("Did you mean {near}?"),
        None => format!("Choose one of the available symbols, or put {wanted} into the folder."),
    };
    failure(format!("{wanted} was not found in {shown}. Available: {}.", listed.join(", ")), hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_file_names_are_recognized() {
        for (name, symbol, timeframe) in [
            ("MSFT_1h.csv", "MSFT", "1h"),
            ("MSFT_1D.CSV", "MSFT", "1d"),
            ("MSFT_60min.csv.gz", "MSFT", "1h"),
            ("EURUSD_M5.txt", "EURUSD", "5m"),
            ("EUR_USD_H4.zip", "EUR_USD", "4h"),
            ("^GSPC_daily.csv", "^GSPC", "1d"),
            ("EURUSD=X_1m.csv.zip", "EURUSD=X", "1m"),
            ("BTC%2FUSDT_1m.csv", "BTC/USDT", "1m"),
            ("XBTUSD_60.csv", "XBTUSD", "1h"),
            ("XBTUSD_1440.csv", "XBTUSD", "1d"),
        ] {
            let (s, t) = parse(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((s.as_str(), t.as_str()), (symbol, timeframe), "{name}");
        }
        for name in [
            "MSFT.csv",
            "MSFT_1M.csv",
            "MSFT_2h.csv",
            "MSFT_2.csv",
            "notes.txt",
            "MSFT_1h.parquet",
            "_1h.csv",
            "%2F_1h.csv",
        ] {
            assert_eq!(parse(name), None, "{name}");
        }
    }

    #[test]
    fn the_plain_name_has_precedence_and_ambiguous_ones_are_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str| fs::write(folder.path().join(name), "x").unwrap();
        let find = |symbol: &str| find(folder.path(), &Symbol::new(symbol).unwrap(), Timeframe::H1);
        put("A_H1.CSV");
        assert!(find("A").unwrap().ends_with("A_H1.CSV"));
        put("A_1h.csv.gz");
        let error = find("A").unwrap_err();
        assert!(error.message.contains("A_1h.csv.gz, A_H1.CSV"), "{}", error.message);
        put("A_1h.csv");
        assert!(find("A").unwrap().ends_with("A_1h.csv"));
        put("BTC%2FUSDT_1h.csv");
        assert!(find("BTC/USDT").unwrap().ends_with("BTC%2FUSDT_1h.csv"));
    }
}
