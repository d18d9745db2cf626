//! Stored model: everything needed for predictions, and its provenance. docs/training.md has the format.

use crate::features::{Columns, Feature, require_volume};
use crate::labels::{CLASSES, signal};
use crate::mlp::{Mlp, greatest};
use crate::params::TrainingParams;
use crate::samples::StopCheck;
use crate::scaler::Scaler;
use host_kit::WorkError;
use market_data::{Bar, Timeframe};
use protocol::Time;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Format name in the file.
const FORMAT: &str = "signalbox-model";
const VERSION: u32 = 1;
/// Bars between two cancellation checks.
const STRIDE: usize = 256;

/// Content of a model file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Model {
    pub(crate) format: String,
    pub(crate) version: u32,
    #[serde(flatten)]
    pub(crate) card: Card,
    /// Hash of everything that predicts: see [`Model::compute_digest`].
    pub(crate) digest: String,
    /// Parameters of the training.
    pub(crate) params: TrainingParams,
    /// Epoch of these weights.
    pub(crate) epoch: u32,
    pub(crate) scaler: Scaler,
    pub(crate) layers: Mlp,
}

/// Description of a model, without its weights.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Card {
    /// Name in `backtest.run`.
    pub name: String,
    /// Symbols of the training bars.
    pub symbols: Vec<String>,
    /// Timeframe of the training bars, and of bars to predict.
    pub timeframe: Timeframe,
    /// Whether the training bars are synthetic.
    pub synthetic: bool,
    /// Names of the features, in the order of the network inputs.
    pub features: Vec<String>,
    /// Class names, in the order of the network outputs.
    pub classes: Vec<String>,
    /// Prediction horizon in bars.
    pub horizon: u32,
    /// Minimum price move for up or down, as a share.
    pub threshold: f64,
    /// First bar of the training set; models of earlier versions don't have it.
    #[serde(default)]
    pub trained_from: Option<Time>,
    /// Last bar of the training set.
    pub fitted_until: Time,
    /// Last bar that influenced the choice of weights. It is later, because validation chooses the best epoch. The
    /// model has not seen later bars.
    pub trained_until: Time,
    /// Share of right predictions in the test set; models of earlier versions don't have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_accuracy: Option<f64>,
}

impl Model {
    /// New model from a training.
    pub(crate) fn new(card: Card, params: TrainingParams, epoch: u32, scaler: Scaler, layers: Mlp) -> Self {
        let digest = String::new();
        let mut model =
            Self { format: FORMAT.to_owned(), version: VERSION, card, digest, params, epoch, scaler, layers };
        model.digest = model.compute_digest();
        model
    }

    /// Reads a model file.
    ///
    /// # Errors
    /// What is wrong with the file, to follow "Cannot use model:".
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let head: Head =
            serde_json::from_slice(bytes).map_err(|e| format!("its file is not a model ({e})"))?;
        if head.format != FORMAT || head.version != VERSION {
            return Err(format!(
                "its file has format {} {}, not {FORMAT} {VERSION}",
                head.format, head.version
            ));
        }
        let model: Self = serde_json::from_slice(bytes).map_err(|e| format!("its file is corrupt ({e})"))?;
        let width = model.card.features.len();
        let fits = model.layers.holds_together(width, CLASSES.len())
            && model.scaler.mean.len() == width
            && model.scaler.std.len() == width
            && model.card.classes == CLASSES;
        if !fits {
            return Err("its layers, features, scaler and classes don't match".to_owned());
        }
        if model.digest != model.compute_digest() {
            return Err("its checksum does not match".to_owned());
        }
        Ok(model)
    }

    /// Hash of everything that predicts, independent of the file formatting: SHA-256 of the feature names, each with a
    /// line feed, and then of all numbers, little-endian: means, deviations, and layer by layer weights and biases.
    pub(crate) fn compute_digest(&self) -> String {
        let mut hasher = Sha256::new();
        self.card.features.iter().for_each(|name| hasher.update(format!("{name}\n")));
        self.scaler.mean.iter().chain(&self.scaler.std).for_each(|v| hasher.update(v.to_le_bytes()));
        self.layers.values().for_each(|v| hasher.update(v.to_le_bytes()));
        hex::encode(hasher.finalize())
    }

    /// Signal after each bar: −1 for down, +1 for up, 0 for flat and during the warm-up.
    ///
    /// # Errors
    /// If a feature is unknown; the error of `going`.
    pub(crate) fn signals(&self, bars: &[Bar], going: StopCheck) -> Result<Vec<i8>, WorkError> {
        let columns = Columns::of(bars);
        let mut known = Vec::with_capacity(self.card.features.len());
        for name in &self.card.features {
            let feature = Feature::parse(name)
                .map_err(|e| WorkError::failed(e, "Retrain the model with this version."))?;
            known.push(feature);
        }
        require_volume(&known, bars, "this range")?;
        let mut features = Vec::with_capacity(known.len());
        for feature in known {
            going()?;
            features.push(feature.of(&columns));
        }
        let mut row = Vec::with_capacity(features.len());
        let mut out = Vec::with_capacity(bars.len());
        for i in 0..bars.len() {
            if i % STRIDE == 0 {
                going()?;
            }
            if features.iter().any(|f| !f[i].is_finite()) {
                out.push(0);
                continue;
            }
            row.clear();
            self.scaler.scale(features.iter().map(|f| f[i]), &mut row);
            out.push(signal(greatest(&self.layers.logits(&row))));
        }
        Ok(out)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::samples::samples;
    use crate::samples::tests::{keep_going, sample_config, walk};
    use proptest::prelude::*;

    /// Untrained model with the features of the test samples.
    pub(crate) fn model(name: &str) -> Model {
        let (bars, sample_config) = (walk(400, 1), sample_config());
        let samples = samples(&[&bars], &sample_config, &keep_going).unwrap();
        let card = Card {
            name: name.to_owned(),
            symbols: vec!["A".to_owned()],
            timeframe: Timeframe::H1,
            synthetic: true,
            features: sample_config.features.iter().map(ToString::to_string).collect(),
            classes: CLASSES.map(str::to_owned).to_vec(),
            horizon: 4,
            threshold: 0.1 + 0.2,
            trained_from: Some(samples.train.from),
            fitted_until: samples.train.until,
            trained_until: samples.validation.until,
            test_accuracy: None,
        };
        let params = serde_json::from_value(serde_json::json!({"symbols": "A"})).unwrap();
        Model::new(card, params, 3, samples.scaler, Mlp::new(1, 4, &[8], 3))
    }

    #[test]
    fn a_model_reads_back_bit_by_bit_and_a_modified_one_is_rejected() {
        let model = model("a");
        let text = serde_json::to_string_pretty(&model).unwrap();
        assert_eq!(Model::read(text.as_bytes()).unwrap(), model);
        let mut other = model.clone();
        other.layers.layers[0].weights[3] += 1e-6;
        let error = Model::read(&serde_json::to_vec(&other).unwrap()).unwrap_err();
        assert!(error.contains("checksum"), "{error}");
        other.layers.layers[0].weights.pop();
        assert!(Model::read(&serde_json::to_vec(&other).unwrap()).unwrap_err().contains("don't match"));
        let newer = Model { version: 2, ..model };
        assert!(Model::read(&serde_json::to_vec(&newer).unwrap()).unwrap_err().contains("signalbox-model 2"));
        assert!(Model::read(b"{}").is_err());
    }

    #[test]
    fn signals_are_the_classes_of_the_training_samples() {
        let (bars, model) = (walk(400, 1), model("a"));
        let samples = samples(&[&bars], &sample_config(), &keep_going).unwrap();
        let signals = model.signals(&bars, &keep_going).unwrap();
        assert_eq!(signals.len(), 400);
        assert_eq!(signals[..7], [0; 7], "the warm-up predicts nothing");
        let first = bars.iter().position(|b| b.time == samples.train.from).unwrap();
        for i in 0..samples.train.len() {
            let class = greatest(&model.layers.logits(samples.train.row(i)));
            assert_eq!(signals[first + i], signal(class), "{i}");
        }
        assert!(signals.iter().any(|s| *s != signals[20]), "it does not say the same of every bar");
        assert!(model.signals(&[], &keep_going).unwrap().is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn a_prediction_does_not_depend_on_later_bars(cut in 10usize..400) {
            let (bars, model) = (walk(400, 1), model("a"));
            let whole = model.signals(&bars, &keep_going).unwrap();
            prop_assert_eq!(&model.signals(&bars[..cut], &keep_going).unwrap()[..], &whole[..cut]);
        }
    }
}
