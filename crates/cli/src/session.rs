//! Session state: what a command leaves for the next ones, per server. In the user's state folder.
//!
//! It is a convenience: if it can't be read or written, commands work without it.

use crate::private_file;
use protocol::OperationId;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Servers that are remembered.
const MAX_SERVERS: usize = 20;

/// Memory about one server.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Remembered {
    /// URL of the server.
    server: String,
    /// Operation of the last command.
    #[serde(default)]
    pub last: Option<OperationId>,
    /// Operations of the last listing, in its order.
    #[serde(default)]
    pub listing: Vec<OperationId>,
    /// Number of the newest event that a command of the user caused.
    #[serde(default)]
    pub seq: u64,
}

/// State of all servers, the most recently used one first.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
struct Stored {
    servers: Vec<Remembered>,
}

/// Session of the user with one server.
pub struct Session {
    file: Option<PathBuf>,
    server: String,
}

impl Session {
    /// Session with the server at this URL.
    pub fn with(server: &str) -> Self {
        let folder = dirs::state_dir().or_else(dirs::data_local_dir);
        let file = folder.map(|folder| folder.join("signalbox").join("session.json"));
        Self { file, server: server.to_owned() }
    }

    #[cfg(test)]
    fn at(file: &Path, server: &str) -> Self {
        Self { file: Some(file.to_owned()), server: server.to_owned() }
    }

    /// What is remembered about the server.
    pub fn read(&self) -> Remembered {
        let stored = self.file.as_deref().and_then(|file| File::open(file).ok()).map(|mut file| {
            // A writer holds it for a moment only.
            let _ = file.lock_shared();
            stored_in(&mut file)
        });
        let found =
            stored.and_then(|stored| stored.servers.into_iter().find(|one| one.server == self.server));
        found.unwrap_or_else(|| Remembered { server: self.server.clone(), ..Remembered::default() })
    }

    /// Changes it.
    ///
    /// # Errors
    /// A sentence if it can't be stored.
    pub fn change(&self, change: impl FnOnce(&mut Remembered)) -> Result<(), String> {
        let Some(file) = &self.file else {
            return Err("@last, @1, ... are not updated: the folder for session state is unknown. Set HOME."
                .to_owned());
        };
        self.change_in(file, change).map_err(|error| {
            format!("@last, @1, ... are not updated: {} can't be written ({error}).", file.display())
        })
    }

    fn change_in(&self, path: &Path, change: impl FnOnce(&mut Remembered)) -> io::Result<()> {
        let mut file = match private_file::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                private_file::create_folder(path)?;
                private_file::open(path)?
            }
            other => other?,
        };
        file.lock()?;
        let mut stored = stored_in(&mut file);
        let place = stored.servers.iter().position(|one| one.server == self.server);
        let mut remembered = place.map(|at| stored.servers.remove(at)).unwrap_or_default();
        remembered.server.clone_from(&self.server);
        change(&mut remembered);
        stored.servers.insert(0, remembered);
        stored.servers.truncate(MAX_SERVERS);
        let json = serde_json::to_vec(&stored)?;
        // One write: a killed process leaves the old content or the new one, with the rest of a longer old one at most,
        // which the reader ignores.
        file.rewind()?;
        file.write_all(&json)?;
        file.set_len(json.len() as u64)
    }
}

/// Content of the file; nothing if it is damaged.
#[expect(clippy::verbose_file_reads, reason = "the file is open and locked")]
fn stored_in(file: &mut File) -> Stored {
    let mut text = Vec::new();
    if file.read_to_end(&mut text).is_err() {
        return Stored::default();
    }
    let mut documents = serde_json::Deserializer::from_slice(&text).into_iter();
    documents.next().and_then(Result::ok).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_remembers_each_server_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("signalbox/session.json");
        let id = OperationId::new();
        let (one, other) = (Session::at(&file, "http://one"), Session::at(&file, "http://other"));
        one.change(|remembered| remembered.last = Some(id)).unwrap();
        other.change(|remembered| remembered.seq = 7).unwrap();
        assert_eq!((one.read().last, one.read().seq), (Some(id), 0));
        assert_eq!((other.read().last, other.read().seq), (None, 7));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_damaged_file_is_replaced_and_the_rest_of_an_old_one_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("session.json");
        std::fs::write(&file, "{\"servers\": [{").unwrap();
        let session = Session::at(&file, "http://one");
        assert_eq!(session.read().seq, 0);
        session.change(|remembered| remembered.seq = 3).unwrap();
        let mut text = std::fs::read_to_string(&file).unwrap();
        text.push_str(": 1}]}");
        std::fs::write(&file, text).unwrap();
        assert_eq!(session.read().seq, 3);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_reported_as_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        // A file where a folder is needed fails for every user.
        std::fs::write(folder.path().join("signalbox"), "").unwrap();
        let session = Session::at(&folder.path().join("signalbox/session.json"), "http://one");
        let error = session.change(|remembered| remembered.seq = 3).unwrap_err();
        assert!(error.starts_with("@last, @1, ... are not updated: "), "{error}");
        assert_eq!(session.read().seq, 0);
    }
}
