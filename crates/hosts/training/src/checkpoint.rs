//! What a training can go on from: a file with everything that the next epoch depends on, and the word of it.
//!
//! The word (file name, hash, epoch, and what the file belongs to) goes to the server; the file stays here. The newest
//! two of an operation are kept, for the case that the word of the newest is lost with the host.

use crate::files::{get, put, sha256};
use crate::trainer::State;
use crate::trouble::failure;
use host_kit::Context;
use protocol::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// Of the shapes below.
const VERSION: u32 = 1;
/// How many files of one operation are kept.
const KEPT: usize = 2;

/// What a checkpoint tells the server.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Word {
    version: u32,
    file: String,
    /// Of the file, in hex.
    sha256: String,
    /// Epochs that are done.
    epoch: u32,
    /// Epochs whose points were told. More than are done where a training had to begin anew.
    pub(crate) told: u32,
    pub(crate) belongs: Belongs,
}

/// What a training is one and the same by: hashes of how it is trained and of its samples.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Belongs {
    pub(crate) params: String,
    pub(crate) samples: String,
}

impl Word {
    /// What an earlier attempt left, if it is of this training.
    ///
    /// # Errors
    /// When it is not, with what to do instead of resuming.
    pub(crate) fn read(state: &Value, belongs: &Belongs) -> Result<Self, Failure> {
        let word = Self::deserialize(state).ok().filter(|word| word.version == VERSION);
        let word = word.ok_or_else(|| {
            failure(
                "The checkpoint was written by another version of the host and can't be read.",
                "Retry instead of resuming: the training begins anew.",
            )
        })?;
        if word.belongs.params != belongs.params {
            return Err(failure(
                "The checkpoint belongs to a training with other params.",
                "Retry instead of resuming: the training begins anew.",
            ));
        }
        if word.belongs.samples != belongs.samples {
            return Err(failure(
                "The stored bars are no longer those that the training began with.",
                "Retry instead of resuming: the training begins anew, with the bars as they are now.",
            ));
        }
        Ok(word)
    }
}

/// Keeps the checkpoints of one operation.
pub(crate) struct Keeper {
    folder: PathBuf,
    /// What the names of its files begin with.
    prefix: String,
    belongs: Belongs,
}

impl Keeper {
    /// For an operation whose files are below the folder of the models.
    pub(crate) fn new(models: &Path, operation: &str, belongs: Belongs) -> Self {
        Self { folder: models.join("checkpoints"), prefix: format!("{operation}-"), belongs }
    }

    /// Writes where the training stands, and up to which epoch its points were told.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn write(&self, state: &State, told: u32) -> Result<Word, Failure> {
        let bytes = serde_json::to_vec(state).map_err(|e| {
            failure(format!("The checkpoint can't be written as JSON: {e}."), "This is a fault of Signalbox.")
        })?;
        let file = format!("{}{:06}.json", self.prefix, state.epoch);
        put(&self.folder.join(&file), &bytes)?;
        Ok(Word {
            version: VERSION,
            file,
            sha256: sha256(&bytes),
            epoch: state.epoch,
            told: told.max(state.epoch),
            belongs: self.belongs.clone(),
        })
    }

    /// Writes where the training stands and tells the server.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn keep(&self, ctx: &Context, state: &State, told: u32, of: u32) -> Result<(), Failure> {
        let word = self.write(state, told)?;
        let mut note = format!("{} of {of} epochs", state.epoch);
        if let Some(best) = &state.best {
            note.push_str(&format!(", best validation loss {:.4} in epoch {}", best.loss, best.epoch));
        }
        let word = serde_json::to_value(&word).expect("a word is plain strings and numbers");
        ctx.checkpoint(note, word).expect("a word has a few hundred bytes");
        self.forget_all_but(KEPT);
        Ok(())
    }

    /// Where the training stood; `None` when the file is gone or no longer what was written.
    ///
    /// # Errors
    /// When it is there and can't be read.
    pub(crate) fn load(&self, word: &Word) -> Result<Option<State>, Failure> {
        // A name that is not one of ours is no path of ours.
        if !word.file.starts_with(&self.prefix) || word.file.contains(['/', '\\']) {
            return Ok(None);
        }
        let bytes = get(&self.folder.join(&word.file))?.filter(|bytes| sha256(bytes) == word.sha256);
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Removes the older files of the operation, all but the newest so many. What can't be removed does no harm.
    pub(crate) fn forget_all_but(&self, kept: usize) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let names = entries.flatten().filter_map(|e| e.file_name().into_string().ok());
        let mut ours: Vec<String> = names.filter(|name| name.starts_with(&self.prefix)).collect();
        ours.sort_unstable();
        let old = ours.len().saturating_sub(kept);
        for name in &ours[..old] {
            let _ = fs::remove_file(self.folder.join(name));
        }
    }
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
    fn what_was_written_is_read_back_unless_a_byte_of_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = Keeper::new(folder.path(), "id", belongs("p", "s"));
        let word = keeper.write(&state(3), 0).unwrap();
        assert_eq!((word.epoch, word.told), (3, 3));
        assert_eq!(keeper.load(&word).unwrap(), Some(state(3)));
        let path = folder.path().join("checkpoints").join(&word.file);
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert_eq!(keeper.load(&word).unwrap(), None);
        fs::remove_file(&path).unwrap();
        assert_eq!(keeper.load(&word).unwrap(), None);
        assert_eq!(keeper.load(&Word { file: "id-/../../secret".into(), ..word }).unwrap(), None);
    }

    #[test]
    fn the_checkpoint_of_another_training_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let word = Keeper::new(folder.path(), "id", belongs("p", "s")).write(&state(3), 7).unwrap();
        let word = serde_json::to_value(word).unwrap();
        assert_eq!(Word::read(&word, &belongs("p", "s")).unwrap().told, 7);
        for (other, what) in [(belongs("q", "s"), "other params"), (belongs("p", "t"), "stored bars")] {
            let told = Word::read(&word, &other).unwrap_err();
            assert!(told.message.contains(what) && told.hint.starts_with("Retry"), "{told:?}");
        }
        assert!(Word::read(&serde_json::json!({"version": 2}), &belongs("p", "s")).is_err());
    }

    #[test]
    fn the_newest_two_are_kept_and_those_of_others_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keeper = Keeper::new(folder.path(), "mine", belongs("p", "s"));
        Keeper::new(folder.path(), "other", belongs("p", "s")).write(&state(1), 0).unwrap();
        let words: Vec<Word> = [9, 10, 100].map(|epoch| keeper.write(&state(epoch), 0).unwrap()).to_vec();
        keeper.forget_all_but(2);
        assert_eq!(
            words.iter().map(|w| keeper.load(w).unwrap().is_some()).collect::<Vec<_>>(),
            [false, true, true]
        );
        keeper.forget_all_but(0);
        assert_eq!(fs::read_dir(folder.path().join("checkpoints")).unwrap().count(), 1);
    }
}
