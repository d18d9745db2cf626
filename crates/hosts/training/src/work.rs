//! The work `training.run`: its kind and health checks.

use crate::artifact;
use crate::params::TrainingParams;
use crate::progress::PHASES;
use crate::run;
use crate::store::ModelStore;
use axum::Router;
use form::ABOUT_KEY;
use host_kit::{Context, Work, WorkError, async_trait, can_write, params_schema};
use market_data::Library;
use protocol::host::{Check, ResultDoc};
use protocol::{FieldError, KindName, KindSpec, SeriesInfo, Summary};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Series of a training: name, title, unit.
const SERIES: [(&str, &str, &str); 7] = [
    ("train_loss", "Training loss", ""),
    ("validation_loss", "Validation loss", ""),
    ("train_accuracy", "Training accuracy", "share"),
    ("validation_accuracy", "Validation accuracy", "share"),
    ("learning_rate", "Learning rate", ""),
    ("gradient_norm", "Gradient norm", ""),
    ("samples_per_second", "Samples per second", "samples/s"),
];

/// Configuration of the training host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrainingConfig {
    /// Folder of the data sets: that of the data host.
    pub bars: PathBuf,
    /// Folder of the models; created if missing. The host kit keeps the checkpoints.
    pub models: PathBuf,
}

/// Work of the kind `training.run`.
pub struct TrainingRun {
    config: Arc<TrainingConfig>,
    library: Library,
}

impl TrainingRun {
    /// Work with its folders. Reads and creates nothing yet.
    pub fn new(config: TrainingConfig) -> Self {
        let library = Library::new(&config.bars);
        Self { config: Arc::new(config), library }
    }

    /// Parameter schema, with stored symbols and sources as examples.
    fn params(&self) -> Value {
        const MAX_EXAMPLES: usize = 50;
        let mut schema = params_schema::<TrainingParams>();
        let sets = self.library.sets().unwrap_or_default();
        let symbols: BTreeSet<String> = sets.iter().map(|s| s.symbol.clone()).collect();
        let sources: BTreeSet<String> = sets.into_iter().map(|s| s.source).collect();
        let notes = json!(self.library.about());
        if let Some(property) = schema.pointer_mut("/properties/symbols").and_then(Value::as_object_mut) {
            property.insert(ABOUT_KEY.to_owned(), notes);
        }
        for (param, known) in [("symbols", symbols), ("source", sources)] {
            let known: Vec<String> = known.into_iter().take(MAX_EXAMPLES).collect();
            let property = schema.pointer_mut(&format!("/properties/{param}"));
            if let Some(property) = property.and_then(Value::as_object_mut)
                && !known.is_empty()
            {
                property.insert("examples".to_owned(), json!(known));
            }
        }
        schema
    }
}

#[async_trait]
impl Work for TrainingRun {
    type Params = TrainingParams;

    fn kind(&self) -> KindSpec {
        let series = SERIES.map(|(name, title, unit)| SeriesInfo {
            name: name.to_owned(),
            title: title.to_owned(),
            unit: unit.to_owned(),
            x: "epoch".to_owned(),
        });
        KindSpec {
            name: KindName::new("training.run").expect("valid kind name"),
            title: "Train a model".to_owned(),
            description: "Trains a small neural network on stored bars to predict whether the price goes down, \
                          stays flat or goes up. Evaluates the model out of sample: the test period follows the \
                          training period. A cancelled run can be resumed and gives the same curves as an \
                          uninterrupted run."
                .to_owned(),
            summary: Summary("{symbols} {timeframe} · {hidden} · {epochs} epochs".to_owned()),
            params: self.params(),
            phases: PHASES.map(str::to_owned).to_vec(),
            series: series.to_vec(),
            resumable: true,
        }
    }

    fn check(&self, params: &TrainingParams) -> Result<(), Vec<FieldError>> {
        params.plan(&self.library).map(|_| ())
    }

    async fn run(&self, ctx: Context, params: TrainingParams) -> Result<ResultDoc, WorkError> {
        let (library, models) = (self.library.clone(), self.config.models.clone());
        let training = tokio::task::spawn_blocking(move || {
            let _measured = ctx.measure_thread();
            run::train(&ctx, &library, &models, params)
        });
        match training.await {
            Ok(done) => done,
            Err(e) => match e.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is shutting down, so nobody waits for this result.
                Err(_) => Err(WorkError::Cancelled),
            },
        }
    }

    async fn health(&self) -> Vec<Check> {
        let config = Arc::clone(&self.config);
        tokio::task::spawn_blocking(move || vec![can_write("models folder", &config.models)])
            .await
            .unwrap_or_default()
    }

    fn artifacts(self: Arc<Self>) -> Router {
        artifact::router(ModelStore::new(&self.config.models))
    }
}
