//! Checkpoint store: files of checkpoints in one folder, by operation and attempt, moved there atomically and
//! identified by their hash. Blocking: for threads that may wait.

use crate::AtomicFile;
use protocol::{CheckpointFile, OperationId};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Number of checkpoints kept per operation: the latest, and the one before, in case the host ends before it could
/// report the latest.
const KEPT: usize = 2;
/// Longest name of a file.
const NAME: usize = 100;

/// File for [`crate::Context::checkpoint_with`].
#[derive(Clone, Debug)]
pub struct SavedFile {
    pub(crate) name: String,
    content: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Bytes(Vec<u8>),
    Path(PathBuf),
}

impl SavedFile {
    /// File with these bytes, and a name of at most 100 letters, digits, dots, dashes and underscores.
    pub fn bytes(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), content: Content::Bytes(bytes.into()) }
    }

    /// Copy of a file as it is now.
    pub fn copy_of(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self { name: name.into(), content: Content::Path(path.into()) }
    }
}

/// Whether it is a valid file name, without a path.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=NAME + 7).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// Storage for files of checkpoints.
#[derive(Debug)]
pub(crate) struct CheckpointStore {
    folder: PathBuf,
    /// Largest number of operations.
    operations: usize,
}

/// File being written: it gets its name once it is complete, and leaves nothing otherwise.
pub(crate) struct PendingFile {
    file: AtomicFile,
    hash: Sha256,
    bytes: u64,
}

impl CheckpointStore {
    pub fn new(folder: PathBuf, operations: usize) -> Self {
        Self { folder, operations: operations.max(1) }
    }

    fn of(&self, id: OperationId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    fn place(&self, id: OperationId, attempt: u32, name: &str) -> PathBuf {
        self.of(id).join(attempt.to_string()).join(name)
    }

    /// Stores the files of an attempt's checkpoint with this number, and removes all but the one before.
    pub fn keep(
        &self,
        id: OperationId,
        attempt: u32,
        number: u32,
        files: Vec<SavedFile>,
    ) -> io::Result<Vec<CheckpointFile>> {
        let mut kept = Vec::with_capacity(files.len());
        for file in files {
            let name = format!("{number:06}-{}", file.name);
            let mut part = self.begin(id, attempt, &name)?;
            match file.content {
                Content::Bytes(bytes) => part.write(&bytes)?,
                Content::Path(path) => read_through(&path, |bytes| part.write(bytes))?,
            }
            let (bytes, sha256) = part.finish(None)?;
            kept.push(CheckpointFile { name, bytes, sha256 });
        }
        self.tidy(id);
        Ok(kept)
    }

    /// Begins a file of an attempt. `name` must pass [`is_name`].
    pub fn begin(&self, id: OperationId, attempt: u32, name: &str) -> io::Result<PendingFile> {
        let place = self.place(id, attempt, name);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(PendingFile { file: AtomicFile::create(place)?, hash: Sha256::new(), bytes: 0 })
    }

    /// Path of a file; `None` if it does not exist.
    pub fn find(&self, id: OperationId, attempt: u32, name: &str) -> Option<PathBuf> {
        let place = self.place(id, attempt, name);
        (is_name(name) && place.is_file()).then_some(place)
    }

    /// Path of a file, if it is unchanged.
    pub fn find_whole(&self, id: OperationId, attempt: u32, file: &CheckpointFile) -> Option<PathBuf> {
        let place = self.find(id, attempt, &file.name)?;
        (describe(&place).ok()? == *file).then_some(place)
    }

    /// Files of an attempt, by name.
    pub fn list(&self, id: OperationId, attempt: u32) -> Vec<CheckpointFile> {
        let names = names(&self.of(id).join(attempt.to_string()));
        let files = names.iter().filter_map(|name| describe(&self.place(id, attempt, name)).ok());
        files.collect()
    }

    /// Deletes all files of an operation.
    pub fn forget(&self, id: OperationId) {
        // A file that can't be removed does no harm; it is removed when the checkpoint store is full.
        let _ = fs::remove_dir_all(self.of(id));
    }

    /// Removes older checkpoints of this operation, and the operations beyond the limit, oldest first.
    fn tidy(&self, id: OperationId) {
        let mut numbered: Vec<(u32, String, String)> = Vec::new();
        for attempt in names(&self.of(id)) {
            let Ok(n) = attempt.parse::<u32>() else { continue };
            for name in names(&self.of(id).join(&attempt)) {
                let number = name.split('-').next().unwrap_or_default().to_owned();
                numbered.push((n, number, name));
            }
        }
        let mut checkpoints: Vec<(u32, String)> =
            numbered.iter().map(|(attempt, number, _)| (*attempt, number.clone())).collect();
        checkpoints.sort();
        checkpoints.dedup();
        let old = checkpoints.len().saturating_sub(KEPT);
        for (attempt, number, name) in &numbered {
            if checkpoints[..old].iter().any(|(a, n)| a == attempt && n == number) {
                let _ = fs::remove_file(self.place(id, *attempt, name));
            }
        }
        self.make_room();
    }

    fn make_room(&self) {
        let all = names(&self.folder);
        let Some(many) = all.len().checked_sub(self.operations).filter(|many| *many > 0) else { return };
        let mut by_age: Vec<(SystemTime, PathBuf)> = all
            .iter()
            .map(|name| self.folder.join(name))
            .map(|folder| {
                let attempts = names(&folder).into_iter().map(|attempt| folder.join(attempt));
                let moments = attempts.filter_map(|path| fs::metadata(path).and_then(|m| m.modified()).ok());
                (moments.max().unwrap_or(SystemTime::UNIX_EPOCH), folder)
            })
            .collect();
        by_age.sort();
        for (_, folder) in by_age.into_iter().take(many) {
            tracing::info!(folder = %folder.display(), "deleting old checkpoint files to make room for new ones");
            let _ = fs::remove_dir_all(folder);
        }
    }

    /// Called when a transferred file has arrived.
    pub fn arrived(&self) {
        self.make_room();
    }
}

impl PendingFile {
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Moves the file to its place, if its hash is as expected. Returns length and hash.
    ///
    /// # Errors
    /// `InvalidData` if the hash differs; an existing file remains.
    pub fn finish(self, wanted: Option<&str>) -> io::Result<(u64, String)> {
        let sha256 = hex::encode(self.hash.finalize());
        if wanted.is_some_and(|wanted| wanted != sha256) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, sha256));
        }
        self.file.commit()?;
        Ok((self.bytes, sha256))
    }
}

/// Names of complete files in a folder, sorted; none if the folder does not exist.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| is_name(name)).collect();
    names.sort_unstable();
    names
}

fn describe(place: &Path) -> io::Result<CheckpointFile> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    read_through(place, |some| {
        hash.update(some);
        bytes += some.len() as u64;
        Ok(())
    })?;
    let name = place.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(CheckpointFile { name, bytes, sha256: hex::encode(hash.finalize()) })
}

fn read_through(path: &Path, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(()),
            n => take(&buffer[..n])?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint_store(operations: usize) -> (tempfile::TempDir, CheckpointStore) {
        let folder = tempfile::tempdir().unwrap();
        let checkpoint_store = CheckpointStore::new(folder.path().join("checkpoints"), operations);
        (folder, checkpoint_store)
    }

    #[test]
    fn a_checkpoint_is_found_until_one_of_its_bytes_changes() {
        let (_folder, checkpoint_store) = checkpoint_store(9);
        let id = OperationId::new();
        let kept = checkpoint_store.keep(id, 1, 1, vec![SavedFile::bytes("state.json", "abc")]).unwrap();
        let file = &kept[0];
        assert_eq!((file.name.as_str(), file.bytes), ("000001-state.json", 3));
        assert_eq!(file.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(checkpoint_store.list(id, 1), kept);
        let place = checkpoint_store.find_whole(id, 1, file).unwrap();
        assert_eq!(checkpoint_store.find_whole(id, 2, file), None);
        fs::write(&place, "abd").unwrap();
        assert_eq!(checkpoint_store.find_whole(id, 1, file), None);
        checkpoint_store.forget(id);
        assert_eq!(checkpoint_store.find(id, 1, &file.name), None);
    }

    #[test]
    fn the_two_newest_checkpoints_are_kept_across_attempts() {
        let (_folder, checkpoint_store) = checkpoint_store(9);
        let id = OperationId::new();
        let two = || vec![SavedFile::bytes("a", "a"), SavedFile::bytes("b", "b")];
        let names =
            |attempt| checkpoint_store.list(id, attempt).into_iter().map(|f| f.name).collect::<Vec<_>>();
        for number in [9, 10, 11] {
            checkpoint_store.keep(id, 1, number, two()).unwrap();
        }
        assert_eq!(names(1), ["000010-a", "000010-b", "000011-a", "000011-b"]);
        checkpoint_store.keep(id, 2, 1, two()).unwrap();
        assert_eq!((names(1).len(), names(2).len()), (2, 2));
    }

    #[test]
    fn a_copy_has_the_content_of_its_time() {
        let (folder, checkpoint_store) = checkpoint_store(9);
        let (id, path) = (OperationId::new(), folder.path().join("weights"));
        fs::write(&path, "one").unwrap();
        let kept = checkpoint_store.keep(id, 1, 1, vec![SavedFile::copy_of("weights", &path)]).unwrap();
        fs::write(&path, "two").unwrap();
        assert_eq!(fs::read(checkpoint_store.find_whole(id, 1, &kept[0]).unwrap()).unwrap(), b"one");
        let missing =
            checkpoint_store.keep(id, 1, 2, vec![SavedFile::copy_of("weights", folder.path().join("none"))]);
        assert!(missing.is_err());
        assert_eq!(checkpoint_store.list(id, 1), kept, "no partial file is left");
    }

    #[test]
    fn a_file_with_a_wrong_hash_is_discarded() {
        let (_folder, checkpoint_store) = checkpoint_store(9);
        let id = OperationId::new();
        let kept = checkpoint_store.keep(id, 1, 1, vec![SavedFile::bytes("a", "abc")]).unwrap();
        let mut part = checkpoint_store.begin(id, 1, &kept[0].name).unwrap();
        part.write(b"abd").unwrap();
        let refused = part.finish(Some(&kept[0].sha256)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
        assert_eq!(checkpoint_store.list(id, 1), kept);
        assert_eq!(fs::read_dir(checkpoint_store.of(id).join("1")).unwrap().count(), 1);
    }

    #[test]
    fn operations_with_the_oldest_checkpoints_are_evicted_first() {
        let (_folder, checkpoint_store) = checkpoint_store(2);
        let ids: Vec<_> = (0..3).map(|_| OperationId::new()).collect();
        let keep = |id| checkpoint_store.keep(id, 1, 1, vec![SavedFile::bytes("a", "a")]).unwrap();
        keep(ids[1]);
        keep(ids[0]);
        let old = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1);
        File::open(checkpoint_store.of(ids[1]).join("1")).unwrap().set_modified(old).unwrap();
        keep(ids[2]);
        let left = |id| checkpoint_store.find(id, 1, "000001-a").is_some();
        assert_eq!(ids.iter().map(|id| left(*id)).collect::<Vec<_>>(), [true, false, true]);
    }

    #[test]
    fn an_invalid_name_never_becomes_a_path() {
        for name in ["", ".", "..", "../a", "a/b", ".hidden", "a b", "a\\b", "ä", &"x".repeat(200)] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_name("000005-state.v2_final-3.json"));
    }
}
