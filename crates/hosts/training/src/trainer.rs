//! Training epochs, and the state between them.

use crate::adam::Adam;
use crate::dice;
use crate::failures::failure;
use crate::labels::CLASSES;
use crate::mlp::Mlp;
use crate::net::{Batch, learn};
use crate::samples::{Rows, Samples};
use crate::score::Score;
use host_kit::WorkError;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Hyperparameters.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(crate) struct Hyperparameters {
    /// Hidden layer sizes.
    pub(crate) hidden: Vec<usize>,
    /// Dropout rate.
    pub(crate) dropout: f32,
    pub(crate) epochs: u32,
    pub(crate) batch_size: usize,
    pub(crate) learning_rate: f64,
    /// Early stopping: epochs without improvement in validation loss; 0 disables it.
    pub(crate) patience: u32,
    pub(crate) seed: u32,
}

/// Metrics of one epoch.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Epoch number, from 1.
    pub(crate) epoch: u32,
    /// Mean over the samples during the epoch, with dropout and changing weights.
    pub(crate) train_loss: f64,
    pub(crate) train_accuracy: f64,
    /// After the epoch, without dropout.
    pub(crate) validation_loss: f64,
    pub(crate) validation_accuracy: f64,
    /// Mean gradient norm over the batches.
    pub(crate) gradient_norm: f64,
    /// Training throughput.
    pub(crate) samples_per_second: f64,
}

/// Weights with the lowest validation loss so far.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Best {
    pub(crate) epoch: u32,
    pub(crate) loss: f64,
    pub(crate) mlp: Mlp,
}

/// State after an epoch: everything that the next one depends on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct State {
    /// Completed epochs.
    pub(crate) epoch: u32,
    pub(crate) mlp: Mlp,
    pub(crate) adam: Adam,
    pub(crate) best: Option<Best>,
    pub(crate) history: Vec<Figures>,
    /// Total seconds of all epochs.
    pub(crate) seconds: f64,
}

impl State {
    /// Initial state.
    pub(crate) fn new(hyperparameters: &Hyperparameters, features: usize) -> Self {
        let mlp = Mlp::new(hyperparameters.seed, features, &hyperparameters.hidden, CLASSES.len());
        let adam = Adam::new(mlp.parameters());
        Self { epoch: 0, mlp, adam, best: None, history: Vec::new(), seconds: 0.0 }
    }

    /// Whether training is complete: all epochs are done, or early stopping applies.
    pub(crate) fn done(&self, hyperparameters: &Hyperparameters) -> bool {
        let best = self.best.as_ref().map_or(0, |best| best.epoch);
        self.epoch >= hyperparameters.epochs
            || (hyperparameters.patience > 0 && self.epoch - best >= hyperparameters.patience)
    }

    /// Runs one epoch. Calls `batch` before each batch with the completed and total number of batches. If it fails, the
    /// state is unchanged.
    ///
    /// # Errors
    /// The error of `batch`; divergence of the training.
    pub(crate) fn epoch(
        &mut self,
        hyperparameters: &Hyperparameters,
        samples: &Samples,
        batch: &dyn Fn(usize, usize) -> Result<(), WorkError>,
    ) -> Result<&Figures, WorkError> {
        let began = Instant::now();
        let epoch = self.epoch + 1;
        let mut next =
            Step { mlp: self.mlp.clone(), adam: self.adam.clone(), loss: 0.0, correct: 0, norms: 0.0 };
        let order = dice::order(hyperparameters.seed, epoch, samples.train.len());
        let batches = order.len().div_ceil(hyperparameters.batch_size);
        for (i, chosen) in order.chunks(hyperparameters.batch_size).enumerate() {
            batch(i, batches)?;
            next.take(hyperparameters, &gather(hyperparameters, &samples.train, chosen, epoch, i), epoch)?;
        }
        let learned = began.elapsed().as_secs_f64();
        let validation = Score::of(&next.mlp, &samples.validation, &|| batch(batches, batches))?;
        let count = order.len() as f64;
        let figures = Figures {
            epoch,
            train_loss: next.loss / count,
            train_accuracy: next.correct as f64 / count,
            validation_loss: validation.loss,
            validation_accuracy: validation.accuracy(),
            gradient_norm: next.norms / batches as f64,
            samples_per_second: count / learned.max(1e-9),
        };
        finite(epoch, figures.validation_loss)?;
        if self.best.as_ref().is_none_or(|best| figures.validation_loss < best.loss) {
            self.best = Some(Best { epoch, loss: figures.validation_loss, mlp: next.mlp.clone() });
        }
        self.epoch = epoch;
        self.mlp = next.mlp;
        self.adam = next.adam;
        self.history.push(figures);
        self.seconds += began.elapsed().as_secs_f64();
        Ok(self.history.last().expect("it was put there just now"))
    }
}

/// Epoch in progress.
struct Step {
    mlp: Mlp,
    adam: Adam,
    /// Sums over the samples.
    loss: f64,
    correct: u64,
    /// Sum over the batches.
    norms: f64,
}

impl Step {
    fn take(
        &mut self,
        hyperparameters: &Hyperparameters,
        batch: &Batch,
        epoch: u32,
    ) -> Result<(), WorkError> {
        let out = learn(&self.mlp, batch);
        let norm = out.gradients.iter().map(|g| f64::from(*g) * f64::from(*g)).sum::<f64>().sqrt();
        finite(epoch, out.loss + norm)?;
        self.adam.step(&mut self.mlp, &out.gradients, hyperparameters.learning_rate);
        self.loss += out.loss * batch.classes.len() as f64;
        self.correct += out.correct;
        self.norms += norm;
        Ok(())
    }
}

fn gather(
    hyperparameters: &Hyperparameters,
    rows: &Rows,
    chosen: &[usize],
    epoch: u32,
    batch: usize,
) -> Batch {
    let inputs = chosen.iter().flat_map(|i| rows.row(*i)).copied().collect();
    let classes = chosen.iter().map(|i| rows.classes[*i]).collect();
    let place = |layer| (epoch, u32::try_from(batch).unwrap_or(u32::MAX), layer);
    let mask = |(layer, width): (usize, &usize)| {
        dice::mask(hyperparameters.seed, place(layer), chosen.len() * width, hyperparameters.dropout)
    };
    let masks = if hyperparameters.dropout > 0.0 {
        hyperparameters.hidden.iter().enumerate().map(mask).collect()
    } else {
        vec![]
    };
    Batch { inputs, classes, masks }
}

fn finite(epoch: u32, number: f64) -> Result<(), WorkError> {
    if number.is_finite() {
        return Ok(());
    }
    Err(failure(
        format!("The training diverged in epoch {epoch}: the loss is NaN or infinite."),
        "Choose a lower learning rate, then start again.",
    )
    .into())
}

#[cfg(test)]
mod tests;
