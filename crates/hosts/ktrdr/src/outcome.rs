//! Result documents, in one format for all services, with the original result.

use crate::Moment;
use crate::foreign::Foreign;
use crate::look::Look;
use protocol::Time;
use protocol::host::ResultDoc;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Maximum size of the original result, in bytes of JSON.
const SAID_BYTES: usize = 128 * 1024;
/// Longer lists are omitted from it.
const LONG_LIST: usize = 64;
/// Maximum number of extracted metrics.
const FIGURES: usize = 200;

/// Result document of `ktrdr.train`, `ktrdr.train-2025` and `ktrdr.backtest`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KtrdrRunResult {
    /// `training` or `backtest`.
    pub what: String,
    /// Protocol: `ktrdr-worker`, `ktrdr-training-2025`.
    pub protocol: String,
    /// URL of the service.
    pub service: String,
    /// ID of the run on the service.
    pub run: String,
    /// Number of trained epochs; 0 for a backtest.
    pub epochs: u64,
    /// Path of the model on the service's machine.
    #[serde(default)]
    pub model: Option<String>,
    /// All single numbers of the result, by their path: `test_metrics.test_loss`.
    pub metrics: BTreeMap<String, f64>,
    #[serde(default)]
    pub started: Option<Moment>,
    #[serde(default)]
    pub ended: Option<Moment>,
    /// Original result, with long lists replaced by their length.
    pub said: Value,
}

/// Result document of `ktrdr.load`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KtrdrLoadResult {
    pub protocol: String,
    pub service: String,
    pub symbol: String,
    pub timeframe: String,
    /// Number of loaded bars.
    pub rows: u64,
    /// Number of bars reported by the service, if different.
    #[serde(default)]
    pub rows_said: Option<u64>,
    /// Columns of a bar, in the order of the service.
    pub columns: Vec<String>,
    #[serde(default)]
    pub first: Option<Time>,
    #[serde(default)]
    pub last: Option<Time>,
    /// Whether times had no zone and were read as UTC, which this service uses.
    pub zone_assumed: bool,
    /// Whether the bars were stored as a file, the artifact `bars`.
    pub kept: bool,
    pub seconds: f64,
}

/// Result of a completed run.
pub(crate) fn of_run(
    foreign: &dyn Foreign,
    what: &str,
    run: &str,
    epochs: u64,
    look: &Look,
    said: Value,
) -> ResultDoc {
    let mut metrics = BTreeMap::new();
    figures(&said, "", &mut metrics);
    let said = if said.to_string().len() > SAID_BYTES {
        json!({"left_out": "larger than 128 KiB"})
    } else {
        shortened(said)
    };
    let result = KtrdrRunResult {
        what: what.to_owned(),
        protocol: foreign.protocol().to_owned(),
        service: foreign.base().to_owned(),
        run: run.to_owned(),
        epochs,
        model: said.get("model_path").and_then(Value::as_str).map(str::to_owned),
        metrics,
        started: look.started.clone(),
        ended: look.ended.clone(),
        said,
    };
    ResultDoc { document: json!(result), artifacts: vec![], tags: vec!["ktrdr".to_owned()] }
}

/// All numbers outside of lists, by their path.
fn figures(value: &Value, path: &str, into: &mut BTreeMap<String, f64>) {
    let Value::Object(map) = value else { return };
    for (name, value) in map {
        if into.len() == FIGURES {
            return;
        }
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value.as_f64() {
            Some(figure) => {
                into.insert(path, figure);
            }
            None => figures(value, &path, into),
        }
    }
}

/// Removes long lists: series are already reported, and a result should not contain bulk data.
fn shortened(value: Value) -> Value {
    match value {
        Value::Array(list)
            if list.len() > LONG_LIST || list.iter().all(Value::is_number) && list.len() > 8 =>
        {
            json!({"left_out": list.len()})
        }
        Value::Array(list) => list.into_iter().map(shortened).collect(),
        Value::Object(map) => {
            map.into_iter().map(|(name, value)| (name, shortened(value))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_at_any_depth_without_curves() {
        let said = json!({"model_path": "/m/1h_v1", "training_metrics": {"epochs_trained": 20,
            "history": {"train_loss": [9, 8, 7, 6, 5, 4, 3, 2, 1]}}, "test_metrics": {"test_loss": 0.76},
            "model_info": {"architecture": {"hidden_layers": [32, 16]}}});
        let mut metrics = BTreeMap::new();
        figures(&said, "", &mut metrics);
        let names: Vec<_> = metrics.keys().map(String::as_str).collect();
        assert_eq!(names, ["test_metrics.test_loss", "training_metrics.epochs_trained"]);
        let short = shortened(said);
        assert_eq!(short["training_metrics"]["history"]["train_loss"], json!({"left_out": 9}));
        assert_eq!(short["model_info"]["architecture"]["hidden_layers"], json!([32, 16]));
    }
}
