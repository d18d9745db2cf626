//! Checkpoints: a file with the full training state, and metadata for the server.
//!
//! The metadata (epoch, and what the file belongs to) goes to the server. The host kit keeps the file, and transfers it
//! to the host that resumes.

use crate::failures::failure;
use crate::progress::fraction_done;
use crate::trainer::State;
use host_kit::{CheckpointBuilder, Context, SavedFile, WorkError};
use protocol::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs;

/// Format version.
const VERSION: u32 = 2;
/// Name of the state file.
const STATE: &str = "state.json";

/// Checkpoint metadata for the server.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct CheckpointInfo {
    version: u32,
    /// Completed epochs.
    epoch: u32,
    /// Epochs whose points were reported. Can exceed the completed ones if a training had to restart.
    #[serde(alias = "told")]
    pub(crate) reported: u32,
    #[serde(alias = "belongs")]
    pub(crate) identity: TrainingIdentity,
}

/// Identity of a training: hashes of its hyperparameters and its samples.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct TrainingIdentity {
    pub(crate) params: String,
    pub(crate) samples: String,
}

impl CheckpointInfo {
    /// Reads the metadata of a previous attempt of the same training.
    ///
    /// # Errors
    /// If it belongs to another training, with what to do instead of resuming.
    pub(crate) fn read(state: &Value, identity: &TrainingIdentity) -> Result<Self, Failure> {
        let info = Self::deserialize(state).ok().filter(|info| info.version == VERSION);
        let info = info.ok_or_else(|| {
            failure(
                "A different version of the host saved the checkpoint, so it can't be read.",
                "Retry instead of resuming, to train from the start.",
            )
        })?;
        if info.identity.params != identity.params {
            return Err(failure(
                "The checkpoint belongs to a training run with different parameters.",
                "Retry instead of resuming, to train from the start.",
            ));
        }
        if info.identity.samples != identity.samples {
            return Err(failure(
                "The stored bars have changed since the training run started.",
                "Retry instead of resuming, to train from the start with the current bars.",
            ));
        }
        Ok(info)
    }
}

/// Saves the training state, and the last epoch whose points were reported.
///
/// # Errors
/// If it can't be written.
pub(crate) fn keep(
    ctx: &Context,
    state: &State,
    reported: u32,
    of: u32,
    identity: &TrainingIdentity,
) -> Result<(), WorkError> {
    let bytes = serde_json::to_vec(state).map_err(|e| {
        failure(
            format!("Cannot serialize the checkpoint as JSON: {e}."),
            "This is a bug in Signalbox. Please report it.",
        )
    })?;
    let mut note = format!("{} of {of} epochs", state.epoch);
    if let Some(best) = &state.best {
        note.push_str(&format!(", best validation loss {:.4} in epoch {}", best.loss, best.epoch));
    }
    let info =
        serde_json::to_value(info(state, reported, identity)).expect("the metadata are strings and numbers");
    // The state covers whole epochs, while progress can be within one.
    let place = CheckpointBuilder::new(note, info).with(vec![SavedFile::bytes(STATE, bytes)]);
    Ok(ctx.save_checkpoint(place.at(fraction_done(f64::from(state.epoch), of)))?)
}

fn info(state: &State, reported: u32, identity: &TrainingIdentity) -> CheckpointInfo {
    CheckpointInfo {
        version: VERSION,
        epoch: state.epoch,
        reported: reported.max(state.epoch),
        identity: identity.clone(),
    }
}

/// Loads the training state; `None` if the file is missing or corrupt.
pub(crate) fn load(ctx: &Context) -> Option<State> {
    let bytes = fs::read(ctx.resume_file(STATE)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trainer::Hyperparameters;

    fn state(epoch: u32) -> State {
        let hyperparameters = Hyperparameters {
            hidden: vec![3],
            dropout: 0.0,
            epochs: 9,
            batch_size: 8,
            learning_rate: 0.1,
            patience: 0,
            seed: 1,
        };
        State { epoch, seconds: 0.1 + 0.2, ..State::new(&hyperparameters, 2) }
    }

    fn identity(params: &str, samples: &str) -> TrainingIdentity {
        TrainingIdentity { params: params.into(), samples: samples.into() }
    }

    #[test]
    fn a_checkpoint_of_another_training_is_rejected_with_advice() {
        assert_eq!(info(&state(3), 0, &identity("p", "s")).reported, 3);
        let info = serde_json::to_value(info(&state(3), 7, &identity("p", "s"))).unwrap();
        assert_eq!(CheckpointInfo::read(&info, &identity("p", "s")).unwrap().reported, 7);
        for (other, what) in
            [(identity("q", "s"), "different parameters"), (identity("p", "t"), "stored bars")]
        {
            let error = CheckpointInfo::read(&info, &other).unwrap_err();
            assert!(error.message.contains(what) && error.hint.starts_with("Retry"), "{error:?}");
        }
        assert!(CheckpointInfo::read(&serde_json::json!({"version": 1}), &identity("p", "s")).is_err());
    }
}
