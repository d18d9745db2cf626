//! Samples: rows of features with a class, split into training, validation and test.

use crate::failures::failure;
use crate::features::{Columns, Feature};
use crate::labels::{CLASSES, labels};
use crate::scaler::Scaler;
use crate::split::{SampleSet, SplitTimes};
use display::format::{count as thousands, counted};
use host_kit::WorkError;
use market_data::Bar;
use protocol::Time;
use sha2::{Digest, Sha256};

/// Minimum number of samples per set.
const FEWEST: usize = 20;
/// Maximum number of bars times features in memory, at about 30 bytes each.
const MAX_VALUES: usize = 50_000_000;

/// Cancellation check: fails once the work must stop.
pub(crate) type StopCheck<'a> = &'a dyn Fn() -> Result<(), WorkError>;

/// How samples are built from bars.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct SampleConfig {
    pub(crate) features: Vec<Feature>,
    /// Prediction horizon in bars.
    pub(crate) horizon: usize,
    /// Minimum price move, as a share.
    pub(crate) threshold: f64,
    pub(crate) validation_share: f64,
    pub(crate) test_share: f64,
}

/// Samples of one set: symbol by symbol, each in time order.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Rows {
    /// Features per row.
    pub(crate) width: usize,
    /// Scaled rows, one after the other.
    pub(crate) inputs: Vec<f32>,
    /// One class per row.
    pub(crate) classes: Vec<u8>,
    /// First and last sample.
    pub(crate) from: Time,
    pub(crate) to: Time,
    /// Last bar that a label depends on.
    pub(crate) until: Time,
}

impl Rows {
    /// Number of samples.
    pub(crate) fn len(&self) -> usize {
        self.classes.len()
    }

    /// Features of one sample.
    pub(crate) fn row(&self, i: usize) -> &[f32] {
        &self.inputs[i * self.width..(i + 1) * self.width]
    }
}

/// All data of a training.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Samples {
    pub(crate) train: Rows,
    pub(crate) validation: Rows,
    pub(crate) test: Rows,
    pub(crate) scaler: Scaler,
    /// Hash of all samples.
    pub(crate) digest: String,
}

/// Unscaled rows of a set.
#[derive(Default)]
struct Raw {
    rows: Vec<f64>,
    classes: Vec<u8>,
    times: Option<(Time, Time, Time)>,
}

impl Raw {
    fn push(&mut self, at: Time, until: Time, row: impl Iterator<Item = f64>, class: u8) {
        self.rows.extend(row);
        self.classes.push(class);
        let (from, to, last) = self.times.unwrap_or((at, at, until));
        self.times = Some((from.min(at), to.max(at), last.max(until)));
    }

    fn scaled(self, scaler: &Scaler) -> Rows {
        let width = scaler.mean.len();
        let (from, to, until) = self.times.expect("a part with too few samples was refused");
        let mut inputs = Vec::with_capacity(self.rows.len());
        self.rows.chunks_exact(width).for_each(|row| scaler.scale(row.iter().copied(), &mut inputs));
        Rows { width, inputs, classes: self.classes, from, to, until }
    }
}

/// Features and labels of one symbol.
struct SymbolSamples {
    features: Vec<Vec<f64>>,
    labels: Vec<Option<u8>>,
}

impl SymbolSamples {
    fn of(bars: &[Bar], sample_config: &SampleConfig, going: StopCheck) -> Result<Self, WorkError> {
        let columns = Columns::of(bars);
        let mut features = Vec::with_capacity(sample_config.features.len());
        for feature in &sample_config.features {
            going()?;
            features.push(feature.of(&columns));
        }
        Ok(Self { features, labels: labels(&columns.close, sample_config.horizon, sample_config.threshold) })
    }

    /// Class of a bar with complete features and label; otherwise `None`.
    fn usable(&self, i: usize) -> Option<u8> {
        self.labels[i].filter(|_| self.features.iter().all(|f| f[i].is_finite()))
    }
}

/// Builds the samples of several symbols, each with its bars oldest first.
///
/// # Errors
/// If there are too few bars, or the training set has only one class; [`WorkError::Cancelled`] from `going`.
pub(crate) fn samples(
    symbols: &[&[Bar]],
    sample_config: &SampleConfig,
    going: StopCheck,
) -> Result<Samples, WorkError> {
    check_memory(symbols.iter().map(|bars| bars.len()).sum(), sample_config)?;
    let mut computed = Vec::with_capacity(symbols.len());
    let mut times = Vec::new();
    for bars in symbols {
        let of = SymbolSamples::of(bars, sample_config, going)?;
        times.extend((0..bars.len()).filter(|i| of.usable(*i).is_some()).map(|i| bars[i].time));
        computed.push(of);
    }
    let usable = times.len() as u64;
    let split_times = SplitTimes::new(times, sample_config.validation_share, sample_config.test_share);
    let mut parts = [Raw::default(), Raw::default(), Raw::default()];
    for (bars, of) in symbols.iter().zip(&computed) {
        going()?;
        for i in 0..bars.len() {
            let Some(class) = of.usable(i) else { continue };
            let (at, until) = (bars[i].time, bars[i + sample_config.horizon].time);
            if let Some(part) = split_times.and_then(|split_times| split_times.part(at, until)) {
                parts[part as usize].push(at, until, of.features.iter().map(|f| f[i]), class);
            }
        }
    }
    let [train, validation, test] = parts;
    for (part, name) in
        [(&train, SampleSet::Train), (&validation, SampleSet::Validation), (&test, SampleSet::Test)]
    {
        enough(part, name, usable)?;
    }
    going()?;
    let scaler = Scaler::fit(&train.rows, sample_config.features.len());
    let [train, validation, test] = [train, validation, test].map(|part| part.scaled(&scaler));
    let digest = digest([&train, &validation, &test], going)?;
    Ok(Samples { train, validation, test, scaler, digest })
}

fn check_memory(bars: usize, sample_config: &SampleConfig) -> Result<(), WorkError> {
    if bars <= MAX_VALUES / sample_config.features.len() {
        return Ok(());
    }
    let (bars, features) = (bars as u64, sample_config.features.len() as u64);
    Err(failure(
        format!(
            "{} with {} exceed the memory limit, which is {} bars for this number of features.",
            counted(bars, "bar", "bars"),
            counted(features, "feature", "features"),
            thousands(MAX_VALUES as u64 / features)
        ),
        "Choose a shorter range, a longer timeframe, fewer symbols or fewer features.",
    )
    .into())
}

fn enough(part: &Raw, name: SampleSet, usable: u64) -> Result<(), WorkError> {
    let count = part.classes.len();
    if count < FEWEST {
        return Err(failure(
            format!(
                "The {} set has {}, but at least {FEWEST} are needed. The bars give {} in total: the first bars warm \
                 up the features, and the last bars have no later bars to predict.",
                format!("{name:?}").to_lowercase(),
                counted(count as u64, "sample", "samples"),
                counted(usable, "sample", "samples"),
            ),
            "Load more bars, choose a longer range, or give the set a larger share.",
        )
        .into());
    }
    let first = part.classes[0];
    if name == SampleSet::Train && part.classes.iter().all(|class| *class == first) {
        return Err(failure(
            format!(
                "All training samples are '{}', so there is nothing to learn.",
                CLASSES[usize::from(first)]
            ),
            "Choose another threshold or another horizon.",
        )
        .into());
    }
    Ok(())
}

fn digest(parts: [&Rows; 3], going: StopCheck) -> Result<String, WorkError> {
    const STRIDE: usize = 1 << 16;
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        for numbers in part.inputs.chunks(STRIDE) {
            going()?;
            let bytes: Vec<u8> = numbers.iter().flat_map(|v| v.to_le_bytes()).collect();
            hasher.update(&bytes);
        }
        hasher.update(&part.classes);
    }
    Ok(hex::encode(hasher.finalize()))
}

#[cfg(test)]
pub(crate) mod tests;
