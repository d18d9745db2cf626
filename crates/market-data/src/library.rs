//! Read access to stored bars for other works.

use crate::bars::{Bar, Timeframe};
use crate::dataset::{DataSet, broken};
use crate::failures::{failure, unreadable};
use crate::range::Range;
use crate::segment;
use crate::symbol::Symbol;
use protocol::{Failure, FieldError};
use std::fmt;
use std::path::{Path, PathBuf};

/// All data sets below one folder. Reading never waits for a load: it sees complete segments only.
#[derive(Clone, Debug)]
pub struct Library {
    folder: PathBuf,
}

/// Identity of a data set.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SetName {
    pub source: String,
    pub symbol: String,
    pub timeframe: Timeframe,
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} from {}", self.symbol, self.timeframe, self.source)
    }
}

/// Bars of a data set.
#[derive(Clone, PartialEq, Debug)]
pub struct Held {
    pub name: SetName,
    /// Whether the bars are generated, not from a market.
    pub synthetic: bool,
    /// Oldest first, strictly increasing in time.
    pub bars: Vec<Bar>,
}

impl Library {
    /// Data sets below the data folder of the host.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Folder of the data sets.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Data sets with at least one segment, sorted by name.
    ///
    /// # Errors
    /// If a folder can't be read.
    pub fn sets(&self) -> Result<Vec<SetName>, Failure> {
        let mut found = Vec::new();
        for source in folders(&self.folder)? {
            for folder in folders(&self.folder.join(&source))? {
                let Ok(symbol) = Symbol::of_file_name(&folder) else { continue };
                for timeframe in Timeframe::ALL {
                    let set = DataSet::new(&self.folder, &source, symbol.clone(), timeframe);
                    if !set.segments()?.is_empty() {
                        let symbol = symbol.to_string();
                        found.push(SetName { source: source.clone(), symbol, timeframe });
                    }
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Data set of these parameters. Without a source it must be unique.
    ///
    /// # Errors
    /// A message for the invalid parameter, with the available data sets.
    pub fn find(
        &self,
        symbol: &str,
        timeframe: Timeframe,
        source: Option<&str>,
    ) -> Result<SetName, Vec<FieldError>> {
        let symbol = Symbol::new(symbol).map_err(|e| vec![FieldError::new("symbol", e)])?;
        let sets = self.sets().map_err(|f| vec![FieldError::new("symbol", f.message)])?;
        let source = source.map(str::trim).filter(|s| !s.is_empty());
        let mut fitting: Vec<&SetName> = sets
            .iter()
            .filter(|s| s.symbol == symbol.as_str() && s.timeframe == timeframe)
            .filter(|s| source.is_none_or(|wanted| s.source == wanted))
            .collect();
        match (fitting.pop(), fitting.pop()) {
            (Some(only), None) => Ok(only.clone()),
            (Some(_), Some(_)) => Err(vec![FieldError::new(
                "source",
                format!("{symbol} {timeframe} was loaded from several sources. Choose a source."),
            )]),
            (None, _) => {
                let from = source.map(|s| format!(" from {s}")).unwrap_or_default();
                Err(vec![FieldError::new(
                    "symbol",
                    format!("No stored bars for {symbol} {timeframe}{from}. {}", there_are(&sets)),
                )])
            }
        }
    }

    /// Bars of a data set within a range.
    ///
    /// # Errors
    /// If the set no longer exists, or a segment can't be read.
    pub fn bars(&self, name: &SetName, range: Range) -> Result<Held, Failure> {
        let symbol = Symbol::new(&name.symbol).map_err(|e| failure(e, ""))?;
        let set = DataSet::new(&self.folder, &name.source, symbol, name.timeframe);
        let (mut bars, mut synthetic) = (Vec::new(), false);
        for stored in set.segments()? {
            if range.meets(stored.period) {
                synthetic |= segment::synthetic(&stored.path).map_err(|e| broken(&stored.path, &e))?;
                let last = bars.last().map(|bar: &Bar| bar.time);
                bars.extend(set.bars(stored.period, range)?.into_iter().filter(|bar| last < Some(bar.time)));
            }
        }
        Ok(Held { name: name.clone(), synthetic, bars })
    }
}

/// Lists the stored data sets, for an error message.
fn there_are(sets: &[SetName]) -> String {
    const SHOWN: usize = 8;
    if sets.is_empty() {
        return "Nothing is stored yet. Load the bars first with data.load.".to_owned();
    }
    let names: Vec<String> = sets.iter().take(SHOWN).map(SetName::to_string).collect();
    let more = if sets.len() > SHOWN { format!(" and {} more", sets.len() - SHOWN) } else { String::new() };
    format!("Available: {}{more}. Load the missing bars first with data.load.", names.join(", "))
}

/// Names of the subfolders; empty if the folder does not exist.
fn folders(at: &Path) -> Result<Vec<String>, Failure> {
    let entries = match std::fs::read_dir(at) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(unreadable(at, &e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| unreadable(at, &e))?;
        if entry.path().is_dir()
            && let Ok(name) = entry.file_name().into_string()
        {
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at;
    use crate::disk::{Disk, LocalDisk};
    use crate::period::Period;
    use crate::segment::{self, Label};

    fn bar(time: &str) -> Bar {
        Bar { time: at(time), open: 1.0, high: 2.0, low: 0.5, close: 1.5, volume: Some(10.0) }
    }

    fn with_sets(sets: &[(&str, &str)]) -> (tempfile::TempDir, Library) {
        let root = tempfile::tempdir().unwrap();
        for (source, symbol) in sets {
            let set = DataSet::new(root.path(), source, Symbol::new(symbol).unwrap(), Timeframe::H1);
            let _lock = set.claim().unwrap();
            for (year, times) in [
                ("2023-05-01T10:00:00Z", ["2023-05-01T10:00:00Z", "2023-05-01T11:00:00Z"]),
                ("2024-05-01T10:00:00Z", ["2024-05-01T10:00:00Z", "2024-05-01T11:00:00Z"]),
            ] {
                let label = Label {
                    symbol: (*symbol).into(),
                    timeframe: Timeframe::H1,
                    source: (*source).into(),
                    synthetic: *source == "synthetic",
                };
                let bars: Vec<Bar> = times.iter().map(|t| bar(t)).collect();
                let bytes = segment::encode(&bars, &label).unwrap();
                LocalDisk.put(&set.path(Period::of(at(year), Timeframe::H1)), &bytes).unwrap();
            }
        }
        let library = Library::new(root.path());
        (root, library)
    }

    #[test]
    fn bars_of_a_range_come_in_order_across_segments() {
        let (_root, library) = with_sets(&[("csv", "MSFT")]);
        let name = library.find("MSFT", Timeframe::H1, None).unwrap();
        let all = library.bars(&name, Range::default()).unwrap().bars;
        assert_eq!(all.len(), 4);
        assert!(!library.bars(&name, Range::default()).unwrap().synthetic);
        assert!(all.windows(2).all(|w| w[0].time < w[1].time));
        let some =
            library.bars(&name, Range::parse(Some("2023-05-02"), Some("2024-05-01")).unwrap()).unwrap();
        assert_eq!(some.bars.len(), 2);
    }

    #[test]
    fn a_missing_data_set_is_reported_with_the_existing_ones() {
        let (_root, library) = with_sets(&[("csv", "MSFT"), ("synthetic", "MSFT"), ("csv", "NVDA")]);
        let errors = library.find("GOOG", Timeframe::H1, None).unwrap_err();
        assert!(errors[0].message.contains("NVDA 1h from csv"), "{errors:?}");
        let errors = library.find("MSFT", Timeframe::H1, None).unwrap_err();
        assert_eq!(errors[0].field, "source");
        assert_eq!(library.find("MSFT", Timeframe::H1, Some("csv")).unwrap().source, "csv");
        assert_eq!(library.sets().unwrap().len(), 3);
    }
}
