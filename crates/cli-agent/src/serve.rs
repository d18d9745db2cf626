//! The agent: listens on its socket until nobody used it for a while.

use crate::answers;
use crate::feed::{self, Shared};
use crate::place::{self, Destination, Place, PlaceError};
use crate::wire::{self, Failure, Hello, Request, Response, Status, VERSION, Verb};
use client::EventPage;
use pool::{Pool, PoolConfig, PoolError, Proxies, Repeat, Tls, TlsFileError, TlsFiles, Unreached};
use protocol::{Time, paths};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use thiserror::Error;
use tokio::io::BufReader;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio::time::Instant;

/// Longest wait for an event that an answer must reflect; after that, the server is asked.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(1);
/// Time in which the server must answer what the copy can answer, too: a server that hangs must not hide what is known.
const COPY_ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Interval at which the agent looks for its socket.
const SOCKET_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Largest age of a copy that answers while the server can be reached.
const MAX_AGE: Duration = Duration::from_secs(3);

/// Limits of an agent.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections to the server, without the stream; 10.
    pub connections: usize,
    /// Time for which an unused connection is kept; 300 s.
    pub keep_alive: Duration,
    /// Timeout of connecting; 30 s.
    pub connect_timeout: Duration,
    /// Retries of a request that is safe to repeat; 3.
    pub retries: u32,
    /// Time without a command after which the agent ends; 10 minutes.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let pool = PoolConfig::default();
        Self {
            connections: pool.max_connections,
            keep_alive: pool.keep_alive,
            connect_timeout: pool.connect_timeout,
            retries: pool.retries,
            idle: Duration::from_secs(600),
        }
    }
}

/// Why an agent can't run.
#[derive(Debug, Error)]
pub enum ServeError {
    #[error("an agent for this server is already running")]
    Running,
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error("the server's address is invalid: {0}")]
    Server(PoolError),
    #[error(transparent)]
    Tls(#[from] TlsFileError),
    #[error("the agent can't listen: {0}")]
    Listen(#[from] io::Error),
}

/// Everything that connections share.
struct Service {
    pool: Pool,
    feed: Shared,
    started: Instant,
    answered: AtomicU64,
    forwarded: AtomicU64,
    /// Newest event that a command caused through this agent.
    wrote: AtomicU64,
    /// Newest event that a command asked for and the server does not have: its data are others than before.
    absent: AtomicU64,
    stop: Notify,
}

/// Runs until no command came for a while, or one asks it to stop. `stops`: the number of [`crate::stops`] when it was
/// wanted; if agents were stopped since then, it ends at once.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(
    destination: Destination,
    place: &Place,
    limits: Limits,
    stops: u64,
) -> Result<(), ServeError> {
    let Destination { server, token, ca, .. } = destination;
    let config = PoolConfig {
        token,
        tls: Tls::open(TlsFiles { ca, ..TlsFiles::default() })?,
        proxies: Proxies::Environment,
        max_connections: limits.connections,
        keep_alive: limits.keep_alive,
        connect_timeout: limits.connect_timeout,
        retries: limits.retries,
        retry_timeouts: false,
        ..PoolConfig::default()
    };
    let pool = Pool::new(&server, config).map_err(ServeError::Server)?;
    place.prepare()?;
    // Before the socket is touched: a socket without a locked file is that of an agent that was killed.
    let lock = File::create(place.lock())?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(ServeError::Running),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    let socket = place.socket();
    match std::fs::remove_file(&socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let listener = UnixListener::bind(&socket)?;
    let own_socket = identity(&socket);
    if place::stops() != stops {
        let _ = std::fs::remove_file(&socket);
        return Ok(());
    }
    let service = Arc::new(Service {
        pool: pool.clone(),
        feed: Shared::new(),
        started: Instant::now(),
        answered: AtomicU64::new(0),
        forwarded: AtomicU64::new(0),
        wrote: AtomicU64::new(0),
        absent: AtomicU64::new(0),
        stop: Notify::new(),
    });
    let following = tokio::spawn(feed::follow(pool, service.feed.clone()));
    tokio::select! {
        () = accept(&listener, &service, limits.idle) => {}
        () = is_replaced(&socket, own_socket) => {}
    }
    following.abort();
    // The lock goes last, so that the next agent does not lose its socket.
    if identity(&socket) == own_socket {
        let _ = std::fs::remove_file(&socket);
    }
    drop(lock);
    Ok(())
}

/// Device and number of a file; `None` if there is none.
fn identity(file: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(file).ok().map(|found| (found.dev(), found.ino()))
}

/// Waits until no command can reach this agent, because its socket was removed, as programs that clean up do.
async fn is_replaced(socket: &Path, own: Option<(u64, u64)>) {
    let mut every = tokio::time::interval(SOCKET_CHECK_INTERVAL);
    loop {
        every.tick().await;
        if identity(socket) != own {
            return;
        }
    }
}

/// Accepts connections until nobody used one for a while.
async fn accept(listener: &UnixListener, service: &Arc<Service>, idle: Duration) {
    let open = Arc::new(());
    let mut used = Instant::now();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                used = Instant::now();
                if let Ok((stream, _)) = accepted {
                    let (service, open) = (Arc::clone(service), Arc::clone(&open));
                    tokio::spawn(async move {
                        // The other side is gone, or asked something unknown.
                        let _ = handle_connection(stream, &service).await;
                        drop(open);
                    });
                } else {
                    // No more file descriptors: they become free.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            () = service.stop.notified() => return,
            () = tokio::time::sleep_until(used + idle) => {
                if Arc::strong_count(&open) == 1 {
                    return;
                }
                used = Instant::now();
            }
        }
    }
}

/// Answers the requests of one connection.
async fn handle_connection(stream: UnixStream, service: &Service) -> io::Result<()> {
    if stream.peer_cred()?.uid() != rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    let mut stream = BufReader::new(stream);
    wire::write_json(&mut stream, &Hello { version: VERSION }).await?;
    loop {
        let request: Request = wire::read_json(&mut stream).await?;
        let body = wire::read(&mut stream).await?;
        let (response, body) = match request {
            Request::Call { method: Verb::Get, path, at_least, fresh, .. } => {
                read(service, &path, at_least, fresh).await
            }
            Request::Call { method, path, key, repeatable, .. } => {
                write(service, method, &path, key.as_deref(), repeatable, &body).await
            }
            Request::Status => (Response::default(), serde_json::to_vec(&status(service))?),
            Request::Stop => {
                wire::write_with_body(&mut stream, &Response::default(), b"").await?;
                service.stop.notify_one();
                return Ok(());
            }
        };
        wire::write_with_body(&mut stream, &response, &body).await?;
    }
}

fn status(service: &Service) -> Status {
    let counters = service.pool.counters();
    let state = service.feed.lock();
    Status {
        server: service.pool.base_url().to_owned(),
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_seconds: service.started.elapsed().as_secs(),
        connected: state.connected,
        operations: state.copy.as_ref().map_or(0, |copy| copy.rows.len()),
        seq: state.copy.as_ref().map_or(0, |copy| copy.seq),
        answered: service.answered.load(Relaxed),
        forwarded: service.forwarded.load(Relaxed),
        opened: counters.opened,
        reused: counters.reused,
    }
}

type Answered = (Response, Vec<u8>);

/// Answers a GET from the copy if it can, else by the server.
async fn read(service: &Service, path: &str, at_least: u64, fresh: bool) -> Answered {
    if !fresh {
        let at_least = Some(at_least).filter(|seq| *seq != service.absent.load(Relaxed)).unwrap_or_default();
        let wanted = at_least.max(service.wrote.load(Relaxed));
        let is_live = service.feed.lock().connected;
        if is_live && !service.feed.reaches(wanted, CATCH_UP_TIMEOUT).await {
            forget_if_absent(service, at_least).await;
        } else if is_live && let Some(answer) = copied(service, path, false) {
            return answer;
        }
    }
    service.forwarded.fetch_add(1, Relaxed);
    let asked_at = service.feed.lock().copy.as_ref().map(|copy| copy.seq);
    let mut asking = pin!(service.pool.get::<Box<RawValue>>(path));
    let answered = match tokio::time::timeout(COPY_ANSWER_TIMEOUT, &mut asking).await {
        Ok(answered) => answered,
        Err(_) => match (!fresh).then(|| copied(service, path, true)).flatten() {
            Some(answer) => return answer,
            None => asking.await,
        },
    };
    match answered {
        Ok(body) => {
            let body = body.get().as_bytes().to_vec();
            let mut state = service.feed.lock();
            if let (Some(copy), Some(asked_at)) = (&mut state.copy, asked_at) {
                answers::keep(copy, path, asked_at, &body);
            }
            (Response { status: 200, ..Response::default() }, body)
        }
        Err(error) => {
            let is_away = matches!(error, PoolError::Unreachable { .. } | PoolError::Timeout { .. });
            if is_away
                && !fresh
                && let Some(answer) = copied(service, path, true)
            {
                return answer;
            }
            failed(service, error)
        }
    }
}

/// Remembers that the server does not have an event that a command waits for, because its data were replaced.
/// Otherwise, each command would wait for this event.
async fn forget_if_absent(service: &Service, at_least: u64) {
    let path = paths::feed_head();
    let asked = tokio::time::timeout(COPY_ANSWER_TIMEOUT, service.pool.get::<EventPage>(&path));
    let Ok(Ok(page)) = asked.await else { return };
    if page.head() < at_least {
        service.absent.store(at_least, Relaxed);
    }
    if page.head() < service.wrote.load(Relaxed) {
        service.wrote.store(0, Relaxed);
    }
}

/// Answer of the copy.
fn copied(service: &Service, path: &str, offline: bool) -> Option<Answered> {
    let state = service.feed.lock();
    let age = state.current_at?.elapsed();
    if !offline && age > MAX_AGE {
        return None;
    }
    let body = answers::answer(state.copy.as_ref()?, path, Time::now())?;
    service.answered.fetch_add(1, Relaxed);
    let age_ms = Some(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
    Some((Response { status: 200, age_ms, offline, failure: None }, body))
}

#[derive(Deserialize)]
struct Changed {
    seq: u64,
}

/// Sends a request that changes something.
async fn write(
    service: &Service,
    method: Verb,
    path: &str,
    key: Option<&str>,
    repeatable: bool,
    body: &[u8],
) -> Answered {
    service.forwarded.fetch_add(1, Relaxed);
    let given = if body.is_empty() { b"null" } else { body };
    let Ok(json) = serde_json::from_slice::<&RawValue>(given) else {
        let cause = "the request is not JSON".to_owned();
        return (Response { failure: Some(Failure::Other { cause }), ..Response::default() }, Vec::new());
    };
    let repeat = if repeatable { Repeat::Safe } else { Repeat::Never };
    let answer = match (method, key) {
        (Verb::Delete, _) => service.pool.delete(path).await.map(|()| (200, None)),
        (_, Some(key)) => service.pool.post_keyed::<_, Option<Box<RawValue>>>(path, json, key).await,
        (_, None) => service.pool.post::<_, Option<Box<RawValue>>>(path, json, repeat).await,
    };
    match answer {
        Ok((status, body)) => {
            let body = body.map(|body| body.get().as_bytes().to_vec()).unwrap_or_default();
            match serde_json::from_slice::<Changed>(&body) {
                Ok(Changed { seq }) if path.starts_with(paths::OPERATIONS) => {
                    service.wrote.fetch_max(seq, Relaxed);
                }
                _ => {}
            }
            (Response { status, ..Response::default() }, body)
        }
        Err(error) => failed(service, error),
    }
}

/// Response for an error.
fn failed(service: &Service, error: PoolError) -> Answered {
    let failure = match error {
        PoolError::Status { status, problem, body, .. } => {
            if feed::is_denied(status) {
                service.feed.clear();
            }
            let body = problem.map_or(body.into_bytes(), |problem| problem.to_string().into_bytes());
            return (Response { status, ..Response::default() }, body);
        }
        PoolError::Unreachable { why: Unreached::Broken(cause), .. } => Failure::Broken { cause },
        PoolError::Unreachable { why: Unreached::Tls(problem), .. } => Failure::Tls { problem },
        PoolError::Unreachable { why: Unreached::Proxy(cause), .. } => Failure::Proxy { cause },
        PoolError::Unreachable { .. } => Failure::Unreachable,
        PoolError::Timeout { after, .. } => Failure::Timeout { after },
        PoolError::Decode { cause, .. } => Failure::Decode { cause },
        other => Failure::Other { cause: other.to_string() },
    };
    (Response { failure: Some(failure), ..Response::default() }, Vec::new())
}
