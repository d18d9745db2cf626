//! The params of `training.run`: as a form asks for them, and parsed into a plan that cannot be wrong.

use crate::features::Feature;
use crate::labels::CLASSES;
use crate::mlp::Mlp;
use crate::samples::Making;
use crate::trainer::Recipe;
use data_host::{Library, Range, SetName, Timeframe};
use protocol::FieldError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is computed of the bars when nothing else is asked for.
const FEATURES: &str = "return_1, return_4, return_16, rsi_14, ema_ratio_20, macd, bollinger_b_20, atr_14, \
                        volatility_20, volume_z_20";

const MOST_SYMBOLS: usize = 50;
const MOST_FEATURES: usize = 40;
const MOST_LAYERS: usize = 4;
const WIDEST_LAYER: usize = 512;
/// What validation and test may take together: most is for training.
const MOST_HELD_BACK: f64 = 0.8;
/// Samples of a batch times weights of the network: a cancel waits for the batch under way.
const MOST_WORK: usize = 20_000_000;

/// What `training.run` takes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TrainingParams {
    /// The instruments to learn from, with commas between them: MSFT, NVDA. Their bars must have been loaded.
    #[schemars(length(min = 1, max = 1000))]
    pub symbols: String,
    /// How long one bar lasts.
    #[serde(default)]
    pub timeframe: Timeframe,
    /// The source that the bars were loaded from. Empty: the only one there is.
    #[serde(default)]
    pub source: Option<String>,
    /// First day or moment to take. Empty: from the first bar.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub start: Option<String>,
    /// Last day or moment to take. Empty: to the last bar.
    #[serde(default)]
    #[schemars(extend("format" = "date"))]
    pub end: Option<String>,
    /// What the network sees of each bar, with commas between: rsi_14 is the RSI over 14 bars.
    #[serde(default = "features")]
    #[schemars(length(max = 1000))]
    pub features: String,
    /// How many bars ahead it is to say where the price will be.
    #[serde(default = "horizon")]
    #[schemars(range(min = 1, max = 500))]
    pub horizon: u32,
    /// Up is when the price rises by more than this share until then, down when it falls by more: 0.002 is 0.2 %.
    #[serde(default = "threshold")]
    #[schemars(range(min = 0.0, max = 0.5))]
    pub threshold: f64,
    /// How many values each hidden layer has, with commas between.
    #[serde(default = "hidden")]
    #[schemars(length(max = 100))]
    pub hidden: String,
    /// The share of hidden values that is left out at random while training.
    #[serde(default = "dropout")]
    #[schemars(range(min = 0.0, max = 0.9))]
    pub dropout: f64,
    /// How many times to go through all samples at most.
    #[serde(default = "epochs")]
    #[schemars(range(min = 1, max = 10_000))]
    pub epochs: u32,
    /// How many samples to learn from at once.
    #[serde(default = "batch_size")]
    #[schemars(range(min = 1, max = 8192))]
    pub batch_size: u32,
    /// How far one step goes.
    #[serde(default = "learning_rate")]
    #[schemars(range(min = 0.000_001, max = 1.0))]
    pub learning_rate: f64,
    /// Stop when validation has not got better for so many epochs. 0: never.
    #[serde(default = "patience")]
    #[schemars(range(min = 0, max = 10_000))]
    pub patience: u32,
    /// The share of samples that chooses the best epoch. They come after those for training in time.
    #[serde(default = "share")]
    #[schemars(range(min = 0.01, max = 0.5))]
    pub validation_share: f64,
    /// The share of samples that the result is judged by. They are the last in time, and used for nothing else.
    #[serde(default = "share")]
    #[schemars(range(min = 0.01, max = 0.5))]
    pub test_share: f64,
    /// The same seed gives the same curve.
    #[serde(default = "seed")]
    #[schemars(range(min = 0, max = 4_294_967_295_u64))]
    pub seed: u32,
    /// Keep a place to go on from every so many epochs.
    #[serde(default = "checkpoint_every")]
    #[schemars(range(min = 1, max = 10_000))]
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

/// A training that makes sense.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Plan {
    /// The stored bars to learn from, at least one set.
    pub(crate) sets: Vec<SetName>,
    pub(crate) range: Range,
    pub(crate) making: Making,
    pub(crate) recipe: Recipe,
    pub(crate) checkpoint_every: u32,
}

impl TrainingParams {
    /// The params parsed, and their bars found.
    ///
    /// # Errors
    /// A message for each param that is wrong.
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
        if self.validation_share + self.test_share > MOST_HELD_BACK {
            errors.push(FieldError::new(
                "test_share",
                "Validation and test together may take at most 0.8 of the samples: nothing is learned from those.",
            ));
        }
        let weights = Mlp::count(features.len(), &hidden, CLASSES.len());
        if self.batch_size as usize * weights > MOST_WORK {
            let most = MOST_WORK / weights;
            errors.push(FieldError::new(
                "batch_size",
                format!("At most {most} samples at once with a network this large: a cancel waits for them."),
            ));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Plan {
            sets,
            range,
            making: Making {
                features,
                horizon: self.horizon as usize,
                threshold: self.threshold,
                validation_share: self.validation_share,
                test_share: self.test_share,
            },
            recipe: Recipe {
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
            return Err(vec![FieldError::new("symbols", "At least one symbol is needed, like MSFT.")]);
        }
        if symbols.len() > MOST_SYMBOLS {
            return Err(vec![FieldError::new(
                "symbols",
                format!("At most {MOST_SYMBOLS} symbols in one training."),
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

/// What stands between commas.
fn words(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|w| !w.is_empty()).collect()
}

fn parse_features(text: &str) -> Result<Vec<Feature>, String> {
    let mut features = Vec::new();
    for word in words(text) {
        let feature = Feature::parse(word)?;
        if features.contains(&feature) {
            return Err(format!("'{feature}' is there twice."));
        }
        features.push(feature);
    }
    match features.len() {
        0 => Err(format!("At least one feature is needed. Usual are {FEATURES}.")),
        1..=MOST_FEATURES => Ok(features),
        n => Err(format!("At most {MOST_FEATURES} features; these are {n}.")),
    }
}

fn parse_hidden(text: &str) -> Result<Vec<usize>, String> {
    let wrong = || {
        format!(
            "'{}' is not 1 to {MOST_LAYERS} whole numbers from 1 to {WIDEST_LAYER} with commas between, like 32,16.",
            text.chars().take(40).collect::<String>()
        )
    };
    let layers: Vec<usize> =
        words(text).into_iter().map(str::parse).collect::<Result<_, _>>().map_err(|_| wrong())?;
    let fits =
        (1..=MOST_LAYERS).contains(&layers.len()) && layers.iter().all(|n| (1..=WIDEST_LAYER).contains(n));
    if fits { Ok(layers) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests;
