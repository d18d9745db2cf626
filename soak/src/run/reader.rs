//! Reader that follows the feed across all restarts of the server and records it.

use crate::check::Violation;
use crate::check::feed::{Entry, Order};
use crate::check::history::History;
use parking_lot::Mutex;
use pool::{Pool, PoolConfig, PoolError, Sse, SseStream};
use protocol::Time;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Silence after which a stream is dead: three heartbeats of 2 s.
const SILENCE: Duration = Duration::from_secs(6);
/// Pause between the end of a stream and the next try.
const AGAIN: Duration = Duration::from_millis(50);

/// Knowledge of a reader.
#[derive(Default)]
pub struct Book {
    pub order: Order,
    pub history: History,
    /// Violations found while reading; the calm takes them.
    pub found: Vec<Violation>,
}

/// Running reader; it ends with the process.
pub struct Reader {
    pub name: &'static str,
    book: Arc<Mutex<Book>>,
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
        let book = Arc::new(Mutex::new(Book::default()));
        let (told, last) = watch::channel(0);
        let record = BufWriter::new(File::create(record)?);
        let mut following = Following { server, pace, hurry_to: 0, book: book.clone(), told, record };
        tokio::spawn(async move { following.follow().await });
        Ok(Self { name, book, last })
    }

    /// Accesses the book.
    pub fn book<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut self.book.lock())
    }
}

struct Following {
    server: watch::Receiver<Option<String>>,
    pace: Option<Duration>,
    /// Number of the event up to which it does not pause.
    hurry_to: u64,
    book: Arc<Mutex<Book>>,
    told: watch::Sender<u64>,
    /// File with every message as received.
    record: BufWriter<File>,
}

impl Following {
    async fn follow(&mut self) {
        loop {
            let Ok(url) = self.server.wait_for(Option::is_some).await.map(|url| url.clone()) else { return };
            let after = self.book.lock().order.last().to_string();
            let stream = open(&url.unwrap_or_default(), &after).await;
            if let Ok(mut stream) = stream {
                self.read(&mut stream).await;
            }
            let _ = self.record.flush();
            tokio::time::sleep(AGAIN).await;
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
                    self.book.lock().found.push(Violation::general(promise, why));
                    return;
                }
            };
            self.take(&entry);
            if let Entry::Reset(reset) = &entry {
                // Already recorded as a violation. Reading from the start avoids false ones later.
                self.hurry_to = reset.head;
                let mut book = self.book.lock();
                (book.order, book.history) = Default::default();
                self.told.send_replace(0);
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
        let mut book = self.book.lock();
        if let Some(violation) = book.order.take(entry) {
            book.found.push(violation);
        }
        if let Entry::Event(event) = entry {
            let found = book.history.take(event, Time::now());
            book.found.extend(found);
            self.told.send_replace(event.seq);
        }
    }
}

async fn open(url: &str, after: &str) -> Result<SseStream, PoolError> {
    let pool = Pool::new(url, PoolConfig::default())?;
    pool.stream("/api/v1/events", Some(after), SILENCE, SILENCE).await
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
