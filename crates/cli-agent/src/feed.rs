//! Feed of the agent: loads the copy and follows the server's events.

use crate::replica::{MAX_ENDED, Replica};
use backoff::Backoff;
use pool::{Pool, PoolError, Sse};
use protocol::api::{OperationPage, Snapshot};
use protocol::event::Hello;
use protocol::{Event, InstanceId, OperationId, paths};
use serde::Deserialize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Time without even a heartbeat, which comes every 2 s, after which the copy is old.
const SILENCE: Duration = Duration::from_secs(4);
/// Timeout of opening the stream.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);
/// Operations per request.
const PAGE: usize = 500;

/// What the feed knows.
#[derive(Default)]
pub struct State {
    /// Absent before the first snapshot, and after the token was refused.
    pub copy: Option<Replica>,
    /// When the copy was last known to be current.
    pub current_at: Option<Instant>,
    /// The stream is open.
    pub connected: bool,
}

/// State that the feed changes and answers read.
#[derive(Clone)]
pub struct Shared {
    state: Arc<Mutex<State>>,
    /// Number of the newest event in the copy.
    seq: watch::Sender<u64>,
}

impl Shared {
    pub fn new() -> Self {
        Self { state: Arc::default(), seq: watch::Sender::new(0) }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the copy reflects an event; whether it does within a time.
    pub async fn reaches(&self, seq: u64, limit: Duration) -> bool {
        if *self.seq.borrow() >= seq {
            return true;
        }
        let mut reached = self.seq.subscribe();
        tokio::time::timeout(limit, reached.wait_for(|now| *now >= seq))
            .await
            .is_ok_and(|found| found.is_ok())
    }

    /// Forgets everything, because the server no longer lets this user in.
    pub fn clear(&self) {
        *self.lock() = State::default();
        self.seq.send_replace(0);
    }
}

/// Follows the feed as long as the agent runs.
pub async fn follow(pool: Pool, shared: Shared) -> ! {
    let mut backoff = Backoff::default();
    let mut server = None;
    loop {
        let error = run(&pool, &shared, &mut server, &mut backoff).await.err();
        shared.lock().connected = false;
        if error.as_ref().and_then(PoolError::status).is_some_and(is_denied) {
            shared.clear();
            server = None;
        }
        tokio::time::sleep(backoff.next()).await;
    }
}

/// Whether a status means that the user may not read.
pub fn is_denied(status: u16) -> bool {
    status == 401 || status == 403
}

/// Follows the feed until the stream ends.
async fn run(
    pool: &Pool,
    shared: &Shared,
    server: &mut Option<InstanceId>,
    backoff: &mut Backoff,
) -> Result<(), PoolError> {
    if shared.lock().copy.is_none() {
        let snapshot: Snapshot = pool.get(paths::SNAPSHOT).await?;
        *server = Some(snapshot.server);
        load(shared, snapshot);
        tokio::spawn(load_older(pool.clone(), shared.clone()));
    }
    let after = shared.lock().copy.as_ref().map_or(0, |copy| copy.seq);
    let mut stream = pool.stream(paths::EVENTS, Some(&after.to_string()), OPEN_TIMEOUT, SILENCE).await?;
    while let Some(message) = stream.next().await {
        let message = message?;
        let is_reset = match message.event.as_str() {
            "hello" => {
                let hello = serde_json::from_str::<Hello>(&message.data).ok();
                // Another start of the server may have other hosts.
                hello.is_some_and(|hello| *server != Some(hello.server))
            }
            other => other == "reset",
        };
        if is_reset {
            shared.lock().copy = None;
            *backoff = Backoff::default();
            return Ok(());
        }
        *backoff = Backoff::default();
        take(shared, &message);
    }
    Ok(())
}

fn load(shared: &Shared, snapshot: Snapshot) {
    let copy = Replica::of(snapshot);
    let seq = copy.seq;
    let mut state = shared.lock();
    state.copy = Some(copy);
    state.current_at = Some(Instant::now());
    drop(state);
    shared.seq.send_replace(seq);
}

#[derive(Deserialize)]
struct Numbered {
    seq: u64,
}

/// Takes a message of the stream: an event, a heartbeat, or a note about skipped progress.
fn take(shared: &Shared, message: &Sse) {
    let is_event = matches!(message.event.as_str(), "message" | "");
    let event = is_event.then(|| serde_json::from_str::<Event>(&message.data));
    let mut state = shared.lock();
    let state = &mut *state;
    let Some(copy) = &mut state.copy else { return };
    match event {
        Some(Ok(event)) => copy.apply(event),
        // An unknown event of a newer server.
        Some(Err(_)) => {
            if let Ok(Numbered { seq }) = serde_json::from_str(&message.data) {
                copy.seq = copy.seq.max(seq);
            }
        }
        None => {}
    }
    state.current_at = Some(Instant::now());
    state.connected = true;
    shared.seq.send_replace(copy.seq);
}

/// Loads older ended operations up to the limit.
async fn load_older(pool: Pool, shared: Shared) {
    let mut after = match &shared.lock().copy {
        Some(copy) => copy.ended_from,
        None => return,
    };
    let mut pages = 0;
    while let Some(from) = after.filter(|_| pages * PAGE < MAX_ENDED) {
        pages += 1;
        let path = format!("{}?after={from}&limit={PAGE}", paths::OPERATIONS);
        let Ok(page) = pool.get::<OperationPage>(&path).await else { break };
        let next: Option<OperationId> = page.next.as_deref().and_then(|next| next.parse().ok());
        let mut state = shared.lock();
        let Some(copy) = &mut state.copy else { return };
        // Another snapshot was loaded meanwhile, which loads its own.
        if copy.ended_from != after || !copy.add_older(page.operations, next.is_none()) {
            break;
        }
        after = next.and(copy.ended_from);
    }
    if let Some(copy) = &mut shared.lock().copy {
        copy.loaded();
    }
}
