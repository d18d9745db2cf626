//! Reader that follows the feed across all restarts of the server and records it.

use crate::check::Violation;
use crate::check::feed::{Entry, Order};
use crate::check::history::History;
use parking_lot::Mutex;
use pool::{Pool, PoolConfig, PoolError, Sse, SseStream};
use protocol::{Time, paths};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Silence after which a stream is dead: three heartbeats of 2 s.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(6);
/// Pause between the end of a stream and the next try.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// Knowledge of a reader.
#[derive(Default)]
pub struct ReaderState {
    pub order: Order,
    pub history: History,
    /// Violations found while reading; the check after a schedule takes them.
    pub found: Vec<Violation>,
}

/// Running reader; it ends with the process.
pub struct Reader {
    pub name: &'static str,
    state: Arc<Mutex<ReaderState>>,
    /// Number of the last applied event.
    pub last: watch::Receiver<u64>,
}

impl Reader {
    /// Starts to follow the feed. With a `pace`, it is slow: it pauses for that long after each event.
    ///
    /// # Errors
    /// If the file for its messages can't be created.
    pub fn begin(
        name: &'static str,
        server: watch::Receiver<Option<String>>,
        pace: Option<Duration>,
        record: &Path,
    ) -> std::io::Result<Self> {
        let state = Arc::new(Mutex::new(ReaderState::default()));
        let (published, last) = watch::channel(0);
        let record = BufWriter::new(File::create(record)?);
        let mut following = Following { server, pace, hurry_to: 0, state: state.clone(), published, record };
        tokio::spawn(async move { following.follow().await });
        Ok(Self { name, state, last })
    }

    /// Accesses the state.
    pub fn state<T>(&self, access: impl FnOnce(&mut ReaderState) -> T) -> T {
        access(&mut self.state.lock())
    }
}

struct Following {
    server: watch::Receiver<Option<String>>,
    pace: Option<Duration>,
    /// Number of the event up to which it does not pause.
    hurry_to: u64,
    state: Arc<Mutex<ReaderState>>,
    published: watch::Sender<u64>,
    /// File with every message as received.
    record: BufWriter<File>,
}

impl Following {
    async fn follow(&mut self) {
        loop {
            let Ok(url) = self.server.wait_for(Option::is_some).await.map(|url| url.clone()) else { return };
            let after = self.state.lock().order.last().to_string();
            let stream = open(&url.unwrap_or_default(), &after).await;
            if let Ok(mut stream) = stream {
                self.read(&mut stream).await;
            }
            let _ = self.record.flush();
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn read(&mut self, stream: &mut SseStream) {
        while let Some(Ok(message)) = stream.next().await {
            if let Err(error) = writeln!(self.record, "{} {}", message.event, message.data) {
                eprintln!("soak: cannot record the feed: {error}");
            }
            let entry = match read(&message) {
                Ok(Some(entry)) => entry,
                Ok(None) => continue,
                Err(why) => {
                    let promise = crate::check::Promise::FeedWhole;
                    self.state.lock().found.push(Violation::general(promise, why));
                    return;
                }
            };
            self.take(&entry);
            if let Entry::Reset(reset) = &entry {
                // Already recorded as a violation. Reading from the start avoids false ones later.
                self.hurry_to = reset.head;
                let mut state = self.state.lock();
                (state.order, state.history) = Default::default();
                self.published.send_replace(0);
                return;
            }
            if let (Some(pace), Entry::Event(event)) = (self.pace, &entry)
                && event.seq > self.hurry_to
            {
                tokio::time::sleep(pace).await;
            }
        }
    }

    fn take(&self, entry: &Entry) {
        let mut state = self.state.lock();
        if let Some(violation) = state.order.take(entry) {
            state.found.push(violation);
        }
        if let Entry::Event(event) = entry {
            let found = state.history.take(event, Time::now());
            state.found.extend(found);
            self.published.send_replace(event.seq);
        }
    }
}

async fn open(url: &str, after: &str) -> Result<SseStream, PoolError> {
    let pool = Pool::new(url, PoolConfig::default())?;
    pool.stream(paths::EVENTS, Some(after), SILENCE_TIMEOUT, SILENCE_TIMEOUT).await
}

/// Parses a message of the stream; `None` for a heartbeat.
fn read(message: &Sse) -> Result<Option<Entry>, String> {
    let data = &message.data;
    let bad =
        |error: serde_json::Error| format!("the feed sent an invalid '{}' ({error}): {data}", message.event);
    Ok(Some(match message.event.as_str() {
        "message" => {
            let event: protocol::Event = serde_json::from_str(data).map_err(bad)?;
            if message.id.as_deref() != Some(event.seq.to_string().as_str()) {
                return Err(format!("ID {:?} is not the number of event {}", message.id, event.seq));
            }
            Entry::Event(event)
        }
        "hello" => Entry::Hello(serde_json::from_str(data).map_err(bad)?),
        "skipped" => Entry::Skipped(serde_json::from_str(data).map_err(bad)?),
        "reset" => Entry::Reset(serde_json::from_str(data).map_err(bad)?),
        _ => return Ok(None),
    }))
}
