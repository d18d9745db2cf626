//! Result files of runs: one folder per operation, written atomically.
//!
//! A folder has `trades.json` (list of trades), `equity.rows` (see [`crate::curve`]) and `bars.json` (which bars were
//! traded). It outlives the host. Without it, the run has no charts.

use crate::curve::{self, Row};
use host_kit::WorkError;
use market_data::{SetName, Timeframe};
use protocol::results::Trade;
use protocol::{OperationId, Time};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const TRADES: &str = "trades.json";
const EQUITY: &str = "equity.rows";
const BARS: &str = "bars.json";

/// Traded bars of a run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Traded {
    pub(crate) source: String,
    pub(crate) symbol: String,
    pub(crate) timeframe: Timeframe,
    /// First bar.
    pub(crate) first: Time,
    /// Last bar.
    pub(crate) last: Time,
}

impl Traded {
    pub(crate) fn set(&self) -> SetName {
        SetName { source: self.source.clone(), symbol: self.symbol.clone(), timeframe: self.timeframe }
    }
}

/// Folder of all runs.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Saves the results of a run atomically. Replaces results of an earlier attempt.
    ///
    /// # Errors
    /// If writing fails, with what to do next.
    pub(crate) fn keep(
        &self,
        id: OperationId,
        traded: &Traded,
        trades: &[Trade],
        rows: &[Row],
    ) -> Result<(), WorkError> {
        let part = self.folder.join(format!("{id}.part"));
        let place = self.of(id);
        let written = self.write(&part, &place, traded, trades, rows);
        written.map_err(|e| {
            // On a full disk the unfinished folder would occupy the space that is needed.
            let _ = fs::remove_dir_all(&part);
            WorkError::failed(
                format!("Cannot store the results in {}: {e}.", place.display()),
                "Check that the disk has free space and that the host's user can write to the folder, then retry.",
            )
        })
    }

    fn write(
        &self,
        part: &Path,
        place: &Path,
        traded: &Traded,
        trades: &[Trade],
        rows: &[Row],
    ) -> io::Result<()> {
        let files: [(&str, &[u8]); 3] = [
            (TRADES, &serde_json::to_vec(trades)?),
            (EQUITY, &curve::encode(rows)),
            (BARS, &serde_json::to_vec(traded)?),
        ];
        atomic_file::replace_folder(place, part, &files)
    }

    /// Trades as JSON text; `None` if there are no results here.
    ///
    /// # Errors
    /// If they exist and can't be read.
    pub(crate) fn trades(&self, id: OperationId) -> io::Result<Option<Vec<u8>>> {
        read(&self.of(id).join(TRADES))
    }

    /// Series with one row per bar; `None` if there are no results here.
    ///
    /// # Errors
    /// If they exist and can't be read.
    pub(crate) fn rows(&self, id: OperationId) -> io::Result<Option<Vec<Row>>> {
        let torn = || io::Error::new(io::ErrorKind::InvalidData, "the file is corrupt");
        read(&self.of(id).join(EQUITY))?.map(|bytes| curve::decode(&bytes).ok_or_else(torn)).transpose()
    }

    /// Traded bars; `None` if there are no results here.
    ///
    /// # Errors
    /// If they exist and can't be read.
    pub(crate) fn traded(&self, id: OperationId) -> io::Result<Option<Traded>> {
        let text = read(&self.of(id).join(BARS))?;
        Ok(text.map(|bytes| serde_json::from_slice(&bytes)).transpose()?)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// An ID consists of hexadecimal digits and dashes, so it is never a path.
    fn of(&self, id: OperationId) -> PathBuf {
        self.folder.join(id.to_string())
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::tests::bars;
    use crate::trading::Account;

    fn some() -> (Traded, Vec<Row>) {
        let bars = bars(&[(1.0, 2.0), (2.0, 3.0)]);
        let account = Account { cash: 100.0, units: 0.0, equity: 100.0 };
        let traded = Traded {
            source: "files".into(),
            symbol: "A".into(),
            timeframe: Timeframe::H1,
            first: bars[0].time,
            last: bars[1].time,
        };
        (traded, curve::rows(&bars, 100.0, &[account; 2], &[account; 2]))
    }

    #[test]
    fn a_later_attempt_replaces_the_files_of_an_earlier_one() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path().join("results"));
        let (id, (traded, rows)) = (OperationId::new(), some());
        assert_eq!((store.rows(id).unwrap(), store.trades(id).unwrap()), (None, None));
        store.keep(id, &traded, &[], &rows).unwrap();
        store.keep(id, &traded, &[], &rows[..1]).unwrap();
        assert_eq!(store.rows(id).unwrap().unwrap(), rows[..1]);
        assert_eq!(store.traded(id).unwrap(), Some(traded));
        assert_eq!(store.trades(id).unwrap().unwrap(), b"[]");
        assert_eq!(fs::read_dir(store.folder()).unwrap().count(), 1, "no part is left");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_with_advice() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, b"x").unwrap();
        let store = Store::new(file.join("below"));
        let (traded, rows) = some();
        let Err(WorkError::Failed(failure)) = store.keep(OperationId::new(), &traded, &[], &rows) else {
            panic!("it was kept below a file")
        };
        assert!(failure.message.starts_with("Cannot store") && failure.hint.contains("space"));
        assert!(atomic_file::probe(store.folder()).is_err());
    }

    #[test]
    fn damaged_files_are_rejected() {
        let root = tempfile::tempdir().unwrap();
        let store = Store::new(root.path().to_owned());
        let (id, (traded, rows)) = (OperationId::new(), some());
        store.keep(id, &traded, &[], &rows).unwrap();
        fs::write(store.of(id).join(EQUITY), b"torn").unwrap();
        assert!(store.rows(id).unwrap_err().to_string().contains("corrupt"));
    }
}
