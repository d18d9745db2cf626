//! The training host: `training.run` fits a small network to stored bars, and says by its classes where the price is
//! going to be.
//!
//! Knows: features, labels, networks, how they are fitted and judged, and the files of a model. Bars come through the
//! data host's `Library`. May not know: how bars are stored, who trades by a model, or that there is a server.
//!
//! The way of a bar: [`features`] computes what may be known at it, [`labels`] what came after it, [`split`] puts it
//! into the part for training, validation or test, [`samples`] makes rows of numbers of it. [`trainer`] runs the
//! epochs: [`net`] gives a batch's loss and gradients, [`adam`] the step. What can be gone on from is kept by
//! [`checkpoint`]; what came out by [`model`], which also says what a model makes of bars that it has not seen.

mod adam;
mod artifact;
mod checkpoint;
mod dice;
mod features;
mod files;
mod labels;
mod mlp;
mod model;
mod net;
mod outcome;
mod params;
mod run;
mod samples;
mod scaler;
mod score;
mod split;
mod store;
mod stored;
mod trainer;
mod trouble;
mod work;

pub use model::Card;
pub use params::TrainingParams;
pub use store::ModelStore;
pub use work::{TrainingConfig, TrainingRun};
