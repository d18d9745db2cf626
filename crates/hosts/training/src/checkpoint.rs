//! Checkpoints: a file with the full training state, and metadata for the server.
//!
//! The metadata (epoch, and what the file belongs to) goes to the server. The host kit keeps the file, and transfers it
//! to the host that resumes.

use crate::progress::far;
use crate::trainer::State;
use crate::trouble::failure;
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
pub(crate) struct Word {
    version: u32,
    /// Completed epochs.
    epoch: u32,
    /// Epochs whose points were reported. Can exceed the completed ones if a training had to restart.
    pub(crate) told: u32,
    pub(crate) belongs: Belongs,
}

/// Identity of a training: hashes of its recipe and its samples.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Belongs {
    pub(crate) params: String,
    pub(crate) samples: String,
}

impl Word {
    /// Reads the metadata of a previous attempt of the same training.
    ///
    /// # Errors
    /// If it belongs to another training, with what to do instead of resuming.
    pub(crate) fn read(state: &Value, belongs: &Belongs) -> Result<Self, Failure> {
        let word = Self::deserialize(state).ok().filter(|word| word.version == VERSION);
        let word = word.ok_or_else(|| {
            failure(
                "The checkpoint is from another host version and can't be read.",
                "Retry instead of resuming, to train from the start.",
            )
        })?;
        if word.belongs.params != belongs.params {
            return Err(failure(
                "The checkpoint belongs to a training with other parameters.",
                "Retry instead of resuming, to train from the start.",
            ));
        }
        if word.belongs.samples != belongs.samples {
            return Err(failure(
                "The stored bars have changed since the training started.",
                "Retry instead of resuming, to train from the start with the current bars.",
            ));
        }
        Ok(word)
    }
}

/// Saves the training state, and the last epoch whose points were reported.
///
/// # Errors
/// If it can't be written.
pub(crate) fn keep(
    ctx: &Context,
    state: &State,
    told: u32,
    of: u32,
    belongs: &Belongs,
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
    let word = serde_json::to_value(word(state, told, belongs)).expect("a word is plain strings and numbers");
    // The state covers whole epochs, while progress can be within one.
    let place = CheckpointBuilder::new(note, word).with(vec![SavedFile::bytes(STATE, bytes)]);
    Ok(ctx.save_checkpoint(place.at(far(f64::from(state.epoch), of)))?)
}

fn word(state: &State, told: u32, belongs: &Belongs) -> Word {
    Word { version: VERSION, epoch: state.epoch, told: told.max(state.epoch), belongs: belongs.clone() }
}

/// Loads the training state; `None` if the file is missing or corrupt.
pub(crate) fn load(ctx: &Context) -> Option<State> {
    let bytes = fs::read(ctx.resume_file(STATE)?).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trainer::Recipe;

    fn state(epoch: u32) -> State {
        let recipe = Recipe {
            hidden: vec![3],
            dropout: 0.0,
            epochs: 9,
            batch_size: 8,
            learning_rate: 0.1,
            patience: 0,
            seed: 1,
        };
        State { epoch, seconds: 0.1 + 0.2, ..State::new(&recipe, 2) }
    }

    fn belongs(params: &str, samples: &str) -> Belongs {
        Belongs { params: params.into(), samples: samples.into() }
    }

    #[test]
    fn a_checkpoint_of_another_training_is_rejected_with_advice() {
        assert_eq!(word(&state(3), 0, &belongs("p", "s")).told, 3);
        let word = serde_json::to_value(word(&state(3), 7, &belongs("p", "s"))).unwrap();
        assert_eq!(Word::read(&word, &belongs("p", "s")).unwrap().told, 7);
        for (other, what) in [(belongs("q", "s"), "other parameters"), (belongs("p", "t"), "stored bars")] {
            let told = Word::read(&word, &other).unwrap_err();
            assert!(told.message.contains(what) && told.hint.starts_with("Retry"), "{told:?}");
        }
        assert!(Word::read(&serde_json::json!({"version": 1}), &belongs("p", "s")).is_err());
    }
}
