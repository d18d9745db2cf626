//! Place of an agent: its socket, in a folder that only the user can enter.

use pool::Proxies;
use sha2::{Digest, Sha256};
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::{env, fmt};

/// Bytes of a hash in the name of a socket, whose path may have 107 bytes only.
const HASH_BYTES: usize = 6;

/// Largest length of the path of a socket, in bytes.
#[cfg(target_os = "macos")]
const MAX_SOCKET_PATH: usize = 103;
#[cfg(not(target_os = "macos"))]
const MAX_SOCKET_PATH: usize = 107;

/// File whose length counts how often agents were stopped.
const STOPS: &str = "stops";

/// Server of an agent, and how it is reached. Commands that differ in it have agents of their own.
#[derive(Clone, PartialEq, Eq)]
pub struct Destination {
    /// URL of the server.
    pub server: String,
    pub token: Option<String>,
    /// File with the only CAs to trust.
    pub ca: Option<PathBuf>,
    /// URL of the proxy that the environment names.
    proxy: Option<String>,
}

impl Destination {
    /// Destination in this environment.
    pub fn new(server: &str, token: Option<String>, ca: Option<PathBuf>) -> Self {
        let proxy = Proxies::Environment.url_for(server);
        Self { server: server.to_owned(), token, ca, proxy }
    }
}

/// Folder and socket of one user, destination and build.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    folder: PathBuf,
    name: String,
}

/// Why no socket can be in a folder.
#[derive(Debug)]
pub enum PlaceError {
    /// The folder belongs to another user, is open to others, or is none.
    NotOwned(PathBuf),
    /// The system refuses it.
    Failed(PathBuf, io::Error),
    /// The path of the socket is longer than the system allows.
    TooLong(PathBuf),
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlaceError::NotOwned(folder) => write!(
                f,
                "the folder {} belongs to another user, or others have access to it. Remove the folder, or set \
                 XDG_RUNTIME_DIR to a folder of your own",
                folder.display()
            ),
            PlaceError::Failed(folder, error) => write!(f, "{} can't be used: {error}", folder.display()),
            PlaceError::TooLong(socket) => write!(
                f,
                "the path of its socket, {}, is longer than {MAX_SOCKET_PATH} bytes. Set XDG_RUNTIME_DIR to a folder with \
                 a shorter path",
                socket.display()
            ),
        }
    }
}

impl std::error::Error for PlaceError {}

/// Folder of all agents of the user.
pub fn folder() -> PathBuf {
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    // The variable may outlive its folder, as in a container without /run or after `su`.
    match runtime.filter(|folder| folder.is_absolute() && folder.is_dir()) {
        Some(folder) => folder.join("signalbox"),
        None => env::temp_dir().join(format!("signalbox-{}", rustix::process::geteuid().as_raw())),
    }
}

/// How often the user's agents were stopped. A command reads it before it starts an agent.
pub fn stops() -> u64 {
    std::fs::metadata(folder().join(STOPS)).map_or(0, |file| file.len())
}

/// Counts that agents are being stopped: one that a command is just starting ends by itself.
///
/// # Errors
/// [`PlaceError`] if the file can't be written.
pub fn count_stop(folder: &Path) -> Result<(), PlaceError> {
    let mut options = OpenOptions::new();
    let file = options.append(true).create(true).mode(0o600).open(folder.join(STOPS));
    file.and_then(|mut file| file.write_all(b"."))
        .map_err(|error| PlaceError::Failed(folder.to_owned(), error))
}

impl Place {
    /// Place for this user and build.
    pub fn of(destination: &Destination) -> Self {
        let Destination { server, token, ca, proxy } = destination;
        let ca = ca.as_ref().map(|file| file.as_os_str().as_encoded_bytes());
        let text = |text: &Option<String>| text.clone().unwrap_or_default().into_bytes();
        let mut hash = Sha256::new();
        for part in [server.as_bytes(), &text(token), ca.unwrap_or_default(), &text(proxy)] {
            hash.update(part);
            hash.update(b"\0");
        }
        let name = format!("{}-{}-{}", env!("CARGO_PKG_VERSION"), build(), short(hash));
        Self { folder: folder(), name }
    }

    /// Socket.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(format!("{}.sock", self.name))
    }

    /// Lock that the agent holds as long as it runs.
    pub fn lock(&self) -> PathBuf {
        self.folder.join(format!("{}.lock", self.name))
    }

    /// Creates the folder if needed.
    ///
    /// # Errors
    /// [`PlaceError`] if another user could reach the socket.
    pub fn prepare(&self) -> Result<(), PlaceError> {
        let failed = |error| PlaceError::Failed(self.folder.clone(), error);
        match DirBuilder::new().mode(0o700).create(&self.folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        self.check()
    }

    /// Checks who can enter the folder.
    ///
    /// # Errors
    /// Like [`Place::prepare`]; also if there is no folder.
    pub fn check(&self) -> Result<(), PlaceError> {
        let socket = self.socket();
        if socket.as_os_str().len() > MAX_SOCKET_PATH {
            return Err(PlaceError::TooLong(socket));
        }
        check(&self.folder)
    }
}

/// Checks that only the user can enter a folder.
///
/// # Errors
/// [`PlaceError`].
pub fn check(folder: &Path) -> Result<(), PlaceError> {
    // Not the target of a link, which somebody else may have made.
    let found =
        std::fs::symlink_metadata(folder).map_err(|error| PlaceError::Failed(folder.to_owned(), error))?;
    let own = found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o077 == 0;
    if found.is_dir() && own { Ok(()) } else { Err(PlaceError::NotOwned(folder.to_owned())) }
}

/// Program of which a process is the agent: `signalbox`, also for `signalbox-server`, which completes words in shells
/// and must ask the same agent.
///
/// # Errors
/// The path of this program is unknown.
pub fn program() -> io::Result<PathBuf> {
    let own = env::current_exe()?;
    let command = own.with_file_name("signalbox");
    let is_server = own.file_name().is_some_and(|name| name == "signalbox-server");
    Ok(if is_server && command.exists() { command } else { own })
}

/// Identifies the build of this program, so that different ones never share an agent.
fn build() -> String {
    let mut hash = Sha256::new();
    if let Ok(program) = program().and_then(std::fs::metadata) {
        for number in [program.len() as i64, program.mtime(), program.mtime_nsec()] {
            hash.update(number.to_be_bytes());
        }
    }
    short(hash)
}

fn short(hash: Sha256) -> String {
    hex::encode(&hash.finalize()[..HASH_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn at(folder: &Path) -> Place {
        Place { folder: folder.to_owned(), name: "a".into() }
    }

    #[test]
    fn a_folder_that_others_can_enter_is_not_used() {
        let home = tempfile::tempdir().unwrap();
        let place = at(&home.path().join("signalbox"));
        place.prepare().unwrap();
        place.prepare().unwrap();
        std::fs::set_permissions(&place.folder, PermissionsExt::from_mode(0o755)).unwrap();
        assert!(matches!(place.prepare(), Err(PlaceError::NotOwned(_))));
        std::fs::set_permissions(&place.folder, PermissionsExt::from_mode(0o700)).unwrap();
        symlink(&place.folder, home.path().join("link")).unwrap();
        assert!(matches!(at(&home.path().join("link")).prepare(), Err(PlaceError::NotOwned(_))));
        std::fs::write(home.path().join("file"), "").unwrap();
        assert!(matches!(at(&home.path().join("file")).prepare(), Err(PlaceError::NotOwned(_))));
    }

    #[test]
    fn each_server_token_and_ca_has_a_place_of_its_own() {
        let place = |server: &str, token: Option<&str>, ca: Option<&str>| {
            let (token, ca) = (token.map(str::to_owned), ca.map(PathBuf::from));
            Place::of(&Destination::new(server, token, ca)).socket()
        };
        let plain = place("http://127.0.0.1", None, None);
        assert_eq!(plain, place("http://127.0.0.1", None, None));
        assert_ne!(plain, place("http://127.0.0.2", None, None));
        assert_ne!(plain, place("http://127.0.0.1", Some("s3cret"), None));
        assert_ne!(plain, place("http://127.0.0.1", None, Some("/ca.pem")));
        assert_ne!(place("http://127.0.0.1", Some("a"), None), place("http://127.0.0.1", None, Some("a")));
        let secret = place("http://127.0.0.1", Some("s3cret"), None);
        assert!(!secret.to_string_lossy().contains("s3cret"));
    }
}
