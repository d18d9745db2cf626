//! The training host: `training.run` fits a model to stored bars.
