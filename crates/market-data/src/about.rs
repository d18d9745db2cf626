//! What is stored of each symbol, in a few words.

use crate::bars::Timeframe;
use crate::dataset::DataSet;
use crate::library::Library;
use crate::period::Period;
use crate::symbol::Symbol;
use protocol::Time;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Note on a symbol, as forms take it (`x-about`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SymbolNote {
    /// Timeframes, years and sources: `1h, 1d · 2021–2023 · csv`.
    pub note: String,
    /// Last change of its files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

/// Facts of one symbol.
#[derive(Default)]
struct Facts {
    timeframes: BTreeSet<Timeframe>,
    sources: BTreeSet<String>,
    range: Option<(Period, Period)>,
    at: Option<Time>,
}

impl Library {
    /// Notes on all stored symbols. A data set that can't be read is left out.
    pub fn about(&self) -> BTreeMap<String, SymbolNote> {
        let mut all: BTreeMap<String, Facts> = BTreeMap::new();
        for set in self.sets().unwrap_or_default() {
            let Ok(symbol) = Symbol::new(&set.symbol) else { continue };
            let stored = DataSet::new(self.folder(), &set.source, symbol, set.timeframe).segments();
            let stored = stored.unwrap_or_default();
            let (Some(first), Some(last)) = (stored.first(), stored.last()) else { continue };
            let facts = all.entry(set.symbol).or_default();
            facts.timeframes.insert(set.timeframe);
            facts.sources.insert(set.source);
            let (from, to) = facts.range.unwrap_or((first.period, last.period));
            facts.range = Some((earlier(from, first.period), later(to, last.period)));
            facts.at = stored.iter().filter_map(|stored| changed_at(&stored.path)).max().max(facts.at);
        }
        all.into_iter().map(|(symbol, facts)| (symbol, facts.note())).collect()
    }
}

fn earlier(a: Period, b: Period) -> Period {
    if b.from() < a.from() { b } else { a }
}

fn later(a: Period, b: Period) -> Period {
    if b.to() > a.to() { b } else { a }
}

impl Facts {
    fn note(self) -> SymbolNote {
        let timeframes: Vec<&str> = self.timeframes.iter().map(|timeframe| timeframe.as_str()).collect();
        let sources: Vec<&str> = self.sources.iter().map(String::as_str).collect();
        let range = self.range.map(|(from, to)| match (from.to_string(), to.to_string()) {
            (from, to) if from == to => from,
            (from, to) => format!("{from}–{to}"),
        });
        let parts = [Some(timeframes.join(", ")), range, Some(sources.join(", "))];
        SymbolNote { note: parts.into_iter().flatten().collect::<Vec<_>>().join(" · "), at: self.at }
    }
}

/// Last change of a file; `None` if it can't be read.
pub fn changed_at(path: &Path) -> Option<Time> {
    let changed = fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
    let since = changed.duration_since(UNIX_EPOCH).ok()?;
    Some(Time::from_micros(i64::try_from(since.as_micros()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_described_by_timeframes_years_and_sources() {
        let folder = tempfile::tempdir().unwrap();
        let put = |source: &str, timeframe: Timeframe, file: &str| {
            let set = DataSet::new(folder.path(), source, Symbol::new("ACME").unwrap(), timeframe);
            fs::create_dir_all(set.folder()).unwrap();
            fs::write(set.folder().join(file), "").unwrap();
        };
        put("csv", Timeframe::H1, "2021.parquet");
        put("csv", Timeframe::H1, "2023.parquet");
        put("web", Timeframe::M1, "2024-03.parquet");
        let about = Library::new(folder.path()).about();
        let note = &about["ACME"];
        assert_eq!(note.note, "1m, 1h · 2021–2024-03 · csv, web");
        assert!(note.at.is_some());
        assert!(Library::new(folder.path().join("none")).about().is_empty());
    }
}
