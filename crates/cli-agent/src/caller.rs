//! Caller: a command that sends its requests by the agent.

use crate::place::{self, Place, PlaceError};
use crate::wire::{self, Failure, Hello, Request, Response, Status, VERSION};
use client::ClientError;
use client::transport::{Answer, Call, Copied, Sending, Transport};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::sync::Mutex;

/// Time in which an agent greets; after that, the command goes directly.
const GREETING_TIMEOUT: Duration = Duration::from_millis(20);
/// Time in which an agent reports its status or stops.
const CONTROL_TIMEOUT: Duration = Duration::from_secs(2);

/// How reads are answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reads {
    /// By the server, also if the copy has the answer.
    pub fresh: bool,
    /// Number of an event that an answer must reflect.
    pub at_least: u64,
}

/// Agent of a server, as the transport of a client.
pub struct Agent {
    server: String,
    socket: PathBuf,
    reads: Reads,
    /// Connection, from the first request on.
    connection: Mutex<Option<BufReader<UnixStream>>>,
    /// It is away, or does not answer in time.
    absent: AtomicBool,
}

impl Agent {
    /// Connects to the agent of a server; `None` if none responds in time.
    ///
    /// # Errors
    /// [`PlaceError`] if the folder of the socket can't be trusted.
    pub async fn connect(server: &str, place: &Place, reads: Reads) -> Result<Option<Self>, PlaceError> {
        let socket = place.socket();
        match place.check() {
            // The agent creates it, unless its parent is missing, too.
            Err(PlaceError::Failed(folder, error))
                if error.kind() == io::ErrorKind::NotFound && folder.parent().is_some_and(Path::is_dir) =>
            {
                return Ok(None);
            }
            checked => checked?,
        }
        let Ok(Ok(stream)) = tokio::time::timeout(GREETING_TIMEOUT, greeted(&socket)).await else {
            return Ok(None);
        };
        let (server, connection) = (server.to_owned(), Mutex::new(Some(stream)));
        Ok(Some(Self { server, socket, reads, connection, absent: AtomicBool::new(false) }))
    }

    async fn exchange(&self, call: Call) -> Result<Option<Answer>, ClientError> {
        let mut connection = self.connection.lock().await;
        if self.absent.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut stream = match connection.take() {
            Some(stream) => stream,
            None => match tokio::time::timeout(GREETING_TIMEOUT, greeted(&self.socket)).await {
                Ok(Ok(stream)) => stream,
                _ => {
                    self.absent.store(true, Ordering::Relaxed);
                    return Ok(None);
                }
            },
        };
        let request = Request::Call {
            method: call.method.into(),
            path: call.path,
            key: call.key,
            repeatable: call.repeatable,
            at_least: self.reads.at_least,
            fresh: self.reads.fresh,
        };
        let answer = exchanged(&mut stream, &request, call.body.as_deref().unwrap_or_default()).await;
        let (response, body) = answer.map_err(|error| {
            self.absent.store(true, Ordering::Relaxed);
            ClientError::AgentEnded { server: self.server.clone(), cause: error.to_string() }
        })?;
        *connection = Some(stream);
        drop(connection);
        match response.failure {
            Some(failure) => Err(self.error_of(failure)),
            None => {
                let age = response.age_ms.map(Duration::from_millis);
                let copy = age.map(|age| Copied { age, offline: response.offline });
                Ok(Some(Answer { status: response.status, body, copy }))
            }
        }
    }

    fn error_of(&self, failure: Failure) -> ClientError {
        let server = self.server.clone();
        match failure {
            Failure::Unreachable => ClientError::Unreachable { server },
            Failure::Tls { problem } => ClientError::Tls { server, problem },
            Failure::Proxy { cause } => ClientError::Proxy { server, cause },
            Failure::Broken { cause } => ClientError::Broken { server, cause },
            Failure::Timeout { after } => ClientError::Timeout { server, after },
            Failure::Decode { cause } | Failure::Other { cause } => ClientError::Decode { server, cause },
        }
    }
}

impl Transport for Agent {
    fn send(&self, call: Call) -> Sending<'_> {
        Box::pin(self.exchange(call))
    }
}

/// Connection to an agent of this user that has greeted.
async fn greeted(socket: &Path) -> io::Result<BufReader<UnixStream>> {
    greeting(UnixStream::connect(socket).await?).await
}

/// Waits for the greeting of an agent of this user.
async fn greeting(stream: UnixStream) -> io::Result<BufReader<UnixStream>> {
    if stream.peer_cred()?.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other("the agent belongs to another user"));
    }
    let mut stream = BufReader::new(stream);
    let hello: Hello = wire::read_json(&mut stream).await?;
    if hello.version != VERSION {
        return Err(io::Error::other("the agent and this command use different versions of the protocol"));
    }
    Ok(stream)
}

async fn exchanged(
    stream: &mut BufReader<UnixStream>,
    request: &Request,
    body: &[u8],
) -> io::Result<(Response, Vec<u8>)> {
    wire::write_with_body(stream, request, body).await?;
    Ok((wire::read_json(stream).await?, wire::read(stream).await?))
}

/// Sockets of all agents of the user, of any build.
fn sockets() -> Result<Vec<PathBuf>, PlaceError> {
    let folder = place::folder();
    match place::check(&folder) {
        Err(PlaceError::Failed(_, error)) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        checked => checked?,
    }
    let entries = std::fs::read_dir(&folder).map_err(|error| PlaceError::Failed(folder, error))?;
    let sockets = entries.flatten().map(|entry| entry.path());
    Ok(sockets.filter(|path| path.extension().is_some_and(|extension| extension == "sock")).collect())
}

/// Agents of the user, of any build.
#[derive(Debug, Default)]
pub struct Agents {
    /// What those that answered report.
    pub answered: Vec<Status>,
    /// Process IDs of those that did not answer in time.
    pub silent: Vec<u32>,
}

/// Running agents of the user.
///
/// # Errors
/// [`PlaceError`] if the folder of the sockets can't be trusted.
pub async fn status() -> Result<Agents, PlaceError> {
    let mut agents = Agents::default();
    for socket in sockets()? {
        match control(&socket, &Request::Status).await {
            Control::Answered(body) => agents.answered.extend(serde_json::from_slice(&body)),
            Control::Silent(pid) => agents.silent.push(pid),
            Control::Gone => {}
        }
    }
    Ok(agents)
}

/// Stops each running agent of the user, and kills those that do not answer; returns their number.
///
/// # Errors
/// Like [`status`].
pub async fn stop() -> Result<usize, PlaceError> {
    let folder = place::folder();
    match place::check(&folder) {
        Err(PlaceError::Failed(_, error)) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        checked => checked?,
    }
    // Before looking for sockets: an agent that opens its socket later sees the count, and ends.
    place::count_stop(&folder)?;
    let mut stopped = 0;
    for socket in sockets()? {
        stopped += usize::from(match control(&socket, &Request::Stop).await {
            Control::Answered(_) => true,
            Control::Silent(pid) => was_killed(pid),
            Control::Gone => false,
        });
    }
    Ok(stopped)
}

/// Kills a process; it may be stopped, so that it would receive no other signal.
fn was_killed(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL).is_ok())
}

/// What became of a request to an agent itself.
enum Control {
    /// Body of the response.
    Answered(Vec<u8>),
    /// The process with this ID listens, but does not answer.
    Silent(u32),
    /// Nobody listens, or another user does.
    Gone,
}

async fn control(socket: &Path, request: &Request) -> Control {
    let Ok(stream) = UnixStream::connect(socket).await else { return Control::Gone };
    let Ok(peer) = stream.peer_cred() else { return Control::Gone };
    let asking = async {
        let mut stream = greeting(stream).await?;
        exchanged(&mut stream, request, b"").await
    };
    match tokio::time::timeout(CONTROL_TIMEOUT, asking).await {
        Ok(Ok((_, body))) => Control::Answered(body),
        Ok(Err(_)) => Control::Gone,
        Err(_) => match peer.pid().and_then(|pid| u32::try_from(pid).ok()) {
            Some(pid) if peer.uid() == rustix::process::geteuid().as_raw() => Control::Silent(pid),
            _ => Control::Gone,
        },
    }
}
