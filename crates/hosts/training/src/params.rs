//! Parameters of `training.run`: the form schema, and their parsing into a valid plan.

use crate::features::Feature;
use crate::labels::CLASSES;
use crate::mlp::Mlp;
use crate::samples::SampleConfig;
use crate::trainer::Hyperparameters;
use market_data::{Library, Range, SetName, Timeframe};
use protocol::FieldError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Default features.
const FEATURES: &str = "return_1, return_4, return_16, rsi_14, ema_ratio_20, macd, bollinger_b_20, atr_14, \
                        volatility_20, volume_z_20";

const MAX_SYMBOLS: usize = 50;
const MAX_FEATURES: usize = 40;
const MAX_LAYERS: usize = 4;
const WIDEST_LAYER: usize = 512;
/// Maximum share of validation and test together.
const MAX_HELD_BACK: f64 = 0.8;
/// Maximum batch size times number of weights, because a cancel waits for the current batch.
const MAX_WORK: usize = 20_000_000;

/// Parameters of `training.run`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TrainingParams {
    /// Tickers to train on, comma-separated: MSFT, NVDA. Their bars must be loaded.
    #[schemars(length(min = 1, max = 1000))]
    pub symbols: String,
    /// Bar size.
    #[serde(default)]
    pub timeframe: Timeframe,
    /// Source of the stored bars. Leave empty if there is only one source.
    #[serde(default)]
    #[schemars(extend("x-advanced" = true))]
    pub source: Option<String>,
    /// Start date or time, inclusive. Leave empty for the first bar.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub start: Option<String>,
    /// End date or time, inclusive. Leave empty for the last bar.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub end: Option<String>,
    /// Input features per bar, comma-separated. rsi_14 is the RSI over 14 bars.
    #[serde(default = "features")]
    #[schemars(length(max = 1000))]
    pub features: String,
    /// Prediction horizon, in bars.
    #[serde(default = "horizon")]
    #[schemars(range(min = 1, max = 500))]
    pub horizon: u32,
    /// Minimum price move to label a bar up or down; 0.002 = 0.2 %.
    #[serde(default = "threshold")]
    #[schemars(range(min = 0.0, max = 0.5))]
    pub threshold: f64,
    /// Hidden layer sizes, comma-separated: 32,16.
    #[serde(default = "hidden")]
    #[schemars(length(max = 100))]
    #[schemars(title = "Hidden layers")]
    pub hidden: String,
    /// Dropout rate of the hidden layers.
    #[serde(default = "dropout")]
    #[schemars(range(min = 0.0, max = 0.9))]
    #[schemars(extend("x-advanced" = true))]
    pub dropout: f64,
    /// Maximum number of epochs.
    #[serde(default = "epochs")]
    #[schemars(range(min = 1, max = 10_000))]
    pub epochs: u32,
    /// Batch size, in samples.
    #[serde(default = "batch_size")]
    #[schemars(range(min = 1, max = 8192))]
    #[schemars(extend("x-advanced" = true))]
    pub batch_size: u32,
    /// Step size of the Adam optimizer.
    #[serde(default = "learning_rate")]
    #[schemars(range(min = 0.000_001, max = 1.0))]
    pub learning_rate: f64,
    /// Early stopping: epochs without improvement in validation loss. 0 disables it.
    #[serde(default = "patience")]
    #[schemars(range(min = 0, max = 10_000))]
    pub patience: u32,
    /// Share of samples for validation, to choose the best epoch. These samples follow the training samples in time.
    #[serde(default = "share")]
    #[schemars(range(min = 0.01, max = 0.5))]
    #[schemars(extend("x-advanced" = true))]
    pub validation_share: f64,
    /// Share of samples for the test set: the most recent samples, used only to evaluate the result.
    #[serde(default = "share")]
    #[schemars(range(min = 0.01, max = 0.5))]
    #[schemars(extend("x-advanced" = true))]
    pub test_share: f64,
    /// Random seed. The same seed gives the same training curve.
    #[serde(default = "seed")]
    #[schemars(range(min = 0, max = 4_294_967_295_u64))]
    #[schemars(extend("x-advanced" = true))]
    pub seed: u32,
    /// Checkpoint interval, in epochs.
    #[serde(default = "checkpoint_every")]
    #[schemars(range(min = 1, max = 10_000))]
    #[schemars(extend("x-advanced" = true))]
    pub checkpoint_every: u32,
}

fn features() -> String {
    FEATURES.to_owned()
}
fn horizon() -> u32 {
    4
}
fn threshold() -> f64 {
    0.002
}
fn hidden() -> String {
    "32,16".to_owned()
}
fn dropout() -> f64 {
    0.1
}
fn epochs() -> u32 {
    50
}
fn batch_size() -> u32 {
    64
}
fn learning_rate() -> f64 {
    0.001
}
fn patience() -> u32 {
    10
}
fn share() -> f64 {
    0.15
}
fn seed() -> u32 {
    1
}
fn checkpoint_every() -> u32 {
    5
}

/// Validated training plan.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Plan {
    /// Stored bars to train on, at least one set.
    pub(crate) sets: Vec<SetName>,
    pub(crate) range: Range,
    pub(crate) sample_config: SampleConfig,
    pub(crate) hyperparameters: Hyperparameters,
    pub(crate) checkpoint_every: u32,
}

impl TrainingParams {
    /// Parses the parameters and finds the bars.
    ///
    /// # Errors
    /// A message for each invalid parameter.
    pub(crate) fn plan(&self, library: &Library) -> Result<Plan, Vec<FieldError>> {
        let mut errors = Vec::new();
        let sets = self.sets(library).map_err(|e| errors.extend(e)).unwrap_or_default();
        let range = Range::parse(self.start.as_deref(), self.end.as_deref())
            .map_err(|e| errors.extend(e))
            .unwrap_or_default()
            .of(self.timeframe);
        let features = parse_features(&self.features)
            .map_err(|e| errors.push(FieldError::new("features", e)))
            .unwrap_or_default();
        let hidden = parse_hidden(&self.hidden)
            .map_err(|e| errors.push(FieldError::new("hidden", e)))
            .unwrap_or_default();
        if self.validation_share + self.test_share > MAX_HELD_BACK {
            errors.push(FieldError::new(
                "test_share",
                "Validation and test can take at most 0.8 of the samples together. The rest is for training.",
            ));
        }
        let weights = Mlp::count(features.len(), &hidden, CLASSES.len());
        if self.batch_size as usize * weights > MAX_WORK {
            let most = MAX_WORK / weights;
            errors.push(FieldError::new(
                "batch_size",
                format!("At most {most} samples per batch for a network of this size, so that a cancel takes effect quickly."),
            ));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Plan {
            sets,
            range,
            sample_config: SampleConfig {
                features,
                horizon: self.horizon as usize,
                threshold: self.threshold,
                validation_share: self.validation_share,
                test_share: self.test_share,
            },
            hyperparameters: Hyperparameters {
                hidden,
                dropout: self.dropout as f32,
                epochs: self.epochs,
                batch_size: self.batch_size as usize,
                learning_rate: self.learning_rate,
                patience: self.patience,
                seed: self.seed,
            },
            checkpoint_every: self.checkpoint_every,
        })
    }

    fn sets(&self, library: &Library) -> Result<Vec<SetName>, Vec<FieldError>> {
        let mut sets: Vec<SetName> = Vec::new();
        let symbols = words(&self.symbols);
        if symbols.is_empty() {
            return Err(vec![FieldError::new("symbols", "Enter at least one symbol, e.g. MSFT.")]);
        }
        if symbols.len() > MAX_SYMBOLS {
            return Err(vec![FieldError::new(
                "symbols",
                format!("A training run can use at most {MAX_SYMBOLS} symbols."),
            )]);
        }
        for symbol in symbols {
            let set = library.find(symbol, self.timeframe, self.source.as_deref()).map_err(|errors| {
                let renamed = |e: FieldError| {
                    if e.field == "symbol" { FieldError::new("symbols", e.message) } else { e }
                };
                errors.into_iter().map(renamed).collect::<Vec<_>>()
            })?;
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        Ok(sets)
    }
}

/// Comma-separated words.
fn words(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|w| !w.is_empty()).collect()
}

fn parse_features(text: &str) -> Result<Vec<Feature>, String> {
    let mut features = Vec::new();
    for word in words(text) {
        let feature = Feature::parse(word)?;
        if features.contains(&feature) {
            return Err(format!("'{feature}' is listed twice."));
        }
        features.push(feature);
    }
    match features.len() {
        0 => Err(format!("Enter at least one feature. Default: {FEATURES}.")),
        1..=MAX_FEATURES => Ok(features),
        n => Err(format!("At most {MAX_FEATURES} features are allowed, not {n}.")),
    }
}

fn parse_hidden(text: &str) -> Result<Vec<usize>, String> {
    let wrong = || {
        format!(
            "'{}' is not valid. Enter 1 to {MAX_LAYERS} whole numbers from 1 to {WIDEST_LAYER}, comma-separated: 32,16.",
            text.chars().take(40).collect::<String>()
        )
    };
    let layers: Vec<usize> =
        words(text).into_iter().map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
    let fits =
        (1..=MAX_LAYERS).contains(&layers.len()) && layers.iter().all(|n| (1..=WIDEST_LAYER).contains(n));
    if fits { Ok(layers) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests;
