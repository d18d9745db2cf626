//! Training host: `training.run` trains a small network on stored bars that predicts the direction of the price.
//!
//! This crate knows features, labels, networks, training, evaluation and model files. It does not know how bars are
//! stored (it uses the data host's `Library`), who trades with a model, or that there is a server.
//!
//! Path of a bar: [`features`] computes its inputs, [`labels`] its class, [`split`] assigns it to training, validation
//! or test, and [`samples`] builds the rows. [`trainer`] runs the epochs: [`net`] computes the loss and gradients of a
//! batch, [`adam`] the step. [`checkpoint`] saves the state, and [`model`] stores the result and makes predictions.

#![warn(missing_docs)]

mod adam;
mod artifact;
mod checkpoint;
mod dice;
mod failures;
mod features;
mod files;
mod labels;
mod mlp;
mod model;
mod net;
mod outcome;
mod params;
mod progress;
mod run;
mod samples;
mod scaler;
mod score;
mod split;
mod store;
mod stored;
mod trainer;
mod work;

pub use model::Card;
pub use params::TrainingParams;
pub use store::ModelStore;
pub use work::{TrainingConfig, TrainingRun};
