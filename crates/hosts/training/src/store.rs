//! Folder of trained models: their names, descriptions and predictions.

use crate::failures::failure;
use crate::files::{get, put};
use crate::model::{Card, Model};
use crate::samples::StopCheck;
use host_kit::WorkError;
use market_data::{Bar, Timeframe, changed_at};
use protocol::{Failure, Time};
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

/// Whether a model name is valid as a file name and URL path segment.
fn is_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=100).contains(&name.len()) && name.bytes().all(allowed)
}

/// All models below the folder of [`crate::TrainingConfig::models`]. Cheap to clone. Reads a model each time it is
/// used.
#[derive(Clone, Debug)]
pub struct ModelStore {
    folder: PathBuf,
}

impl ModelStore {
    /// Models in that folder, which does not need to exist yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Names of all models, newest first. Empty if the folder can't be read.
    pub fn names(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let mut found: Vec<(SystemTime, String)> = entries
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?.strip_suffix(".json")?.to_owned();
                let written = entry.metadata().and_then(|m| m.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
                is_name(&name).then_some((written, name))
            })
            .collect();
        found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        found.into_iter().map(|(_, name)| name).collect()
    }

    /// Description of a model.
    ///
    /// # Errors
    /// If it does not exist, or its file can't be used.
    pub fn card(&self, name: &str) -> Result<Card, Failure> {
        self.read(name).map(|model| model.card)
    }

    /// When a model was trained; `None` if its file can't be read.
    pub fn trained_at(&self, name: &str) -> Option<Time> {
        changed_at(&self.folder.join(format!("{name}.json"))).filter(|_| is_name(name))
    }

    /// Last bar that the model has seen, inclusive: by training or by the choice of the best epoch. A backtest is out
    /// of sample only after it.
    ///
    /// # Errors
    /// If the model does not exist, or its file can't be used.
    pub fn trained_until(&self, name: &str) -> Result<Time, Failure> {
        self.card(name).map(|card| card.trained_until)
    }

    /// Checks that the model exists and supports the timeframe.
    ///
    /// # Errors
    /// A message for the model parameter: what is wrong and what would be right.
    pub fn fits(&self, name: &str, timeframe: Timeframe) -> Result<(), String> {
        let card = self.card(name).map_err(|f| format!("{} {}", f.message, f.hint))?;
        if card.timeframe == timeframe {
            return Ok(());
        }
        Err(format!(
            "Model {name} was trained on {} bars, not on {timeframe} bars. Choose another model or timeframe.",
            card.timeframe
        ))
    }

    /// Signals of a model, oldest first: −1 for down, +1 for up, 0 for flat and during the warm-up. A signal depends
    /// only on its bar and earlier ones.
    ///
    /// # Errors
    /// If the model does not exist, or its file can't be used.
    pub fn signals(&self, name: &str, bars: &[Bar]) -> Result<Vec<i8>, Failure> {
        self.signals_while(name, bars, &|| Ok(())).map_err(|error| match error {
            WorkError::Failed(failure) => failure,
            WorkError::Cancelled | WorkError::NotStarted(_) => {
                failure("The prediction was stopped without a request.", "Try again.")
            }
        })
    }

    /// As [`Self::signals`], with cancellation: calls `going` every few hundred bars.
    ///
    /// # Errors
    /// If the model does not exist, or its file can't be used; the error of `going`.
    pub fn signals_while(
        &self,
        name: &str,
        bars: &[Bar],
        going: &dyn Fn() -> Result<(), WorkError>,
    ) -> Result<Vec<i8>, WorkError> {
        let going: StopCheck = going;
        self.read(name)?.signals(bars, going)
    }

    /// Bytes of a model file; `None` if it does not exist.
    ///
    /// # Errors
    /// If it can't be read.
    pub(crate) fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        if is_name(name) { get(&self.folder.join(format!("{name}.json"))) } else { Ok(None) }
    }

    /// Stores a model under its name.
    ///
    /// # Errors
    /// If it can't be written.
    pub(crate) fn write(&self, model: &Model) -> Result<Vec<u8>, Failure> {
        let name = &model.card.name;
        assert!(is_name(name), "{name} was made to be the name of a model");
        let bytes = serde_json::to_vec(model).map_err(|e| {
            failure(
                format!("Cannot serialize the model as JSON: {e}."),
                "This is a bug in Signalbox. Please report it.",
            )
        })?;
        put(&self.folder.join(format!("{name}.json")), &bytes)?;
        Ok(bytes)
    }

    fn read(&self, name: &str) -> Result<Model, Failure> {
        let Some(bytes) = self.bytes(name)? else {
            let shown: String = name.chars().take(60).collect();
            return Err(failure(format!("Unknown model '{shown}'."), self.there_are()));
        };
        Model::read(&bytes).map_err(|what| {
            failure(format!("Cannot use model '{name}': {what}."), "Retrain the model with training.run.")
        })
    }

    fn there_are(&self) -> String {
        const SHOWN: usize = 5;
        match self.names() {
            names if names.is_empty() => "Train a model first with training.run.".to_owned(),
            names => format!("Newest models: {}.", names[..names.len().min(SHOWN)].join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::model;
    use crate::samples::tests::walk;

    #[test]
    fn a_stored_model_is_listed_described_and_evaluated() {
        let folder = tempfile::tempdir().unwrap();
        let store = ModelStore::new(folder.path().join("models"));
        assert!(store.names().is_empty());
        let unsupported = store.signals("a-1h-0001", &[]).unwrap_err();
        assert_eq!(unsupported.hint, "Train a model first with training.run.");

        let model = model("a-1h-0001");
        store.write(&model).unwrap();
        fs::write(folder.path().join("models/Not A Name.json"), "x").unwrap();
        fs::create_dir(folder.path().join("models/checkpoints")).unwrap();
        assert_eq!(store.names(), ["a-1h-0001"]);
        assert_eq!(store.card("a-1h-0001").unwrap(), model.card);
        assert_eq!(store.trained_until("a-1h-0001").unwrap(), model.card.trained_until);
        assert!(model.card.trained_until > model.card.fitted_until);
        let bars = walk(100, 3);
        assert_eq!(store.signals("a-1h-0001", &bars).unwrap(), model.signals(&bars, &|| Ok(())).unwrap());
        assert_eq!(store.fits("a-1h-0001", Timeframe::H1), Ok(()));
        assert!(store.fits("a-1h-0001", Timeframe::D1).unwrap_err().contains("on 1h bars, not on 1d bars"));
        let stop = || Err(WorkError::Cancelled);
        assert_eq!(store.signals_while("a-1h-0001", &bars, &stop), Err(WorkError::Cancelled));
    }

    #[test]
    fn an_invalid_name_never_becomes_a_path() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret.json"), "{}").unwrap();
        let store = ModelStore::new(folder.path().join("models"));
        for name in ["../secret", "", ".", "a/b", "A", "a.json", "a\0"] {
            assert_eq!(store.bytes(name).unwrap(), None, "{name}");
        }
        store.write(&model("good")).unwrap();
        fs::write(folder.path().join("models/bad.json"), "{}").unwrap();
        assert!(store.card("bad").unwrap_err().message.contains("is not a model"));
        assert!(store.card("none").unwrap_err().hint.contains("good"));
    }
}
