//! Progress of a training: its phases, and the share of the total that is done after some epochs.

/// Phases of a training, as shown on the page.
pub(crate) const PHASES: [&str; 3] = ["prepare", "train", "evaluate"];

/// Progress at the start and end of the training phase.
pub(crate) const TRAINING: (f64, f64) = (0.02, 0.98);

/// Total progress after this many epochs.
pub(crate) fn fraction_done(epochs: f64, of: u32) -> f64 {
    TRAINING.0 + (TRAINING.1 - TRAINING.0) * epochs / f64::from(of)
}
