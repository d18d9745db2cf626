//! broadcaster: up to 8 tasks, one per core, write the feed to many readers.
//!
//! A reader is a socket and a position in the feed, without a task or buffers. When events are published, each
//! broadcaster visits its readers once: readers at the same position, which is nearly all of them, get the same bytes
//! from the ring in one write. A reader that accepts no more is skipped until it has room, and then gets the latest
//! progress of each operation.

use crate::limits::ConnectionSlot;
use crate::stream::{Feed, HEARTBEAT_INTERVAL, Next, beat, hello, joined, next};
use bytes::Bytes;
use engine::{Cursor, Engine, Read, Scoped};
use http_wire::sse::named;
use protocol::OperationId;
use protocol::event::Reset;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Interval of checks for closed connections, readers with room again, and heartbeats.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// Same, while a reader accepts no more.
const BLOCKED_CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// Number of writes after which other tasks on this thread may run.
const MAX_WRITES_PER_TURN: usize = 64;
/// Number of positions for which prepared bytes are cached.
const MAX_CACHED_POSITIONS: usize = 8;

/// Handle; clones share the broadcaster.
#[derive(Clone)]
pub struct Broadcaster(Arc<Shared>);

struct Shared {
    /// Without a scope: readers with one stay in the HTTP library.
    engine: Scoped,
    /// One per core.
    workers: Vec<mpsc::UnboundedSender<Reader>>,
    turn: AtomicUsize,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Reader of the feed.
pub struct Reader {
    stream: TcpStream,
    feed: Feed,
    /// Number up to which everything was written.
    after: u64,
    /// Bytes that the system has not accepted yet.
    left: Bytes,
    sent_at: Instant,
    /// Counts the connection while it is open.
    _slot: ConnectionSlot,
}

impl Reader {
    pub fn new(stream: TcpStream, feed: Feed, slot: ConnectionSlot) -> Self {
        let after = feed.after;
        Self { stream, feed, after, left: Bytes::new(), sent_at: Instant::now(), _slot: slot }
    }

    /// Writes what the system accepts at once.
    fn write(&mut self, bytes: Bytes, now: Instant) -> io::Result<()> {
        self.left = bytes;
        self.sent_at = now;
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.left.is_empty() {
            match self.stream.try_write(&self.left) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => drop(self.left.split_to(n)),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Whether the client is still connected, and its credential valid. What it sends is ignored.
    fn is_there(&self) -> bool {
        if self.feed.lease.is_cancelled() {
            return false;
        }
        let mut received = [0; 256];
        loop {
            match self.stream.try_read(&mut received) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(e) => return e.kind() == io::ErrorKind::WouldBlock,
            }
        }
    }
}

impl Broadcaster {
    /// Starts the broadcaster, one per core; needs a tokio runtime. They end when `stop` is cancelled.
    pub fn start(engine: Engine, stop: CancellationToken) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from).min(8);
        let (mut workers, mut ends) = (Vec::new(), Vec::new());
        for _ in 0..cores {
            #[expect(clippy::disallowed_methods, reason = "the number of connections limits it")]
            let (sender, joining) = mpsc::unbounded_channel();
            workers.push(sender);
            ends.push(joining);
        }
        let tasks = TaskTracker::new();
        let broadcaster = Self(Arc::new(Shared {
            engine: engine.scoped(None),
            workers,
            turn: AtomicUsize::new(0),
            stop,
            tasks,
        }));
        for joining in ends {
            let at_work = ActiveBroadcaster {
                broadcaster: broadcaster.clone(),
                readers: Vec::new(),
                batches: Vec::new(),
            };
            broadcaster.0.tasks.spawn(at_work.run(joining));
        }
        broadcaster
    }

    /// Responds to a request for the feed: head, first message, and events that are no longer in the ring; then the
    /// broadcaster takes over.
    pub async fn begin(&self, reader: Reader, head: Bytes) {
        let hello = named("hello", None, &hello(&self.0.engine, reader.after));
        self.catch_up(reader, [head, hello].concat().into()).await;
    }

    /// Waits until all broadcaster have ended.
    pub async fn ended(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    async fn catch_up(&self, mut reader: Reader, first: Bytes) {
        let lease = reader.feed.lease.clone();
        let catching = async {
            reader.stream.write_all(&first).await?;
            let mut cursor = self.0.engine.follow(reader.after, reader.feed.only);
            while !self.0.engine.feed().holds(reader.after) {
                match next(&self.0.engine, &mut cursor, reader.feed.only).await {
                    Next::Frames(frames, skipped) => {
                        reader.stream.write_all(&joined(&frames, skipped)).await?
                    }
                    Next::Nothing => {}
                    Next::Reset(reset) => return over(&mut reader.stream, &reset).await,
                }
                reader.after = cursor.after();
            }
            Ok(true)
        };
        // It also ends when the server stops.
        let caught_up = tokio::select! {
            () = lease.cancelled() => return,
            caught_up = catching => caught_up,
        };
        if matches!(caught_up, Ok(true)) {
            reader.sent_at = Instant::now();
            let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
            // A broadcaster ends only with the server; then the reader ends, too.
            let _ = self.0.workers[turn % self.0.workers.len()].send(reader);
        }
    }
}

/// Sends a reset to a reader. Returns that its connection is finished.
async fn over(stream: &mut TcpStream, reset: &Reset) -> io::Result<bool> {
    stream.write_all(&named("reset", None, reset)).await?;
    stream.shutdown().await?;
    Ok(false)
}

/// Events after a position, prepared for all readers there.
struct Batch {
    after: u64,
    only: Option<OperationId>,
    /// New position and bytes; `None` if the ring no longer has the position.
    found: Option<(u64, Bytes)>,
}

/// A broadcaster.
struct ActiveBroadcaster {
    broadcaster: Broadcaster,
    readers: Vec<Reader>,
    batches: Vec<Batch>,
}

impl ActiveBroadcaster {
    async fn run(mut self, mut joining: mpsc::UnboundedReceiver<Reader>) {
        let stop = self.broadcaster.0.stop.clone();
        let mut head: Cursor =
            self.broadcaster.0.engine.follow(self.broadcaster.0.engine.feed().head(), None);
        let (mut blocked, mut look) = (false, Instant::now() + CHECK_INTERVAL);
        loop {
            let again = if blocked { look.min(Instant::now() + BLOCKED_CHECK_INTERVAL) } else { look };
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = head.changed() => {}
                joined = joining.recv() => match joined {
                    Some(reader) => self.readers.push(reader),
                    None => return,
                },
                () = tokio::time::sleep_until(again), if !self.readers.is_empty() => {}
            }
            if Instant::now() >= look {
                self.readers.retain(Reader::is_there);
                look = Instant::now() + CHECK_INTERVAL;
            }
            while let Ok(reader) = joining.try_recv() {
                self.readers.push(reader);
            }
            head.moved_to(self.broadcaster.0.engine.feed().head());
            self.visit_readers(head.after()).await;
            blocked = self.readers.iter().any(|reader| !reader.left.is_empty());
        }
    }

    /// Writes available events to each reader.
    async fn visit_readers(&mut self, head: u64) {
        self.batches.clear();
        let (mut at, mut written) = (0, 0);
        while at < self.readers.len() {
            let now = Instant::now();
            match self.give(at, head, now) {
                VisitResult::Something => written += 1,
                VisitResult::Nothing => {}
                VisitResult::Gone => {
                    self.readers.swap_remove(at);
                    continue;
                }
                VisitResult::Elsewhere => {
                    let (reader, broadcaster) = (self.readers.swap_remove(at), self.broadcaster.clone());
                    self.broadcaster
                        .0
                        .tasks
                        .spawn(async move { broadcaster.catch_up(reader, Bytes::new()).await });
                    continue;
                }
            }
            at += 1;
            if written == MAX_WRITES_PER_TURN {
                written = 0;
                tokio::task::yield_now().await;
            }
        }
    }

    fn give(&mut self, at: usize, head: u64, now: Instant) -> VisitResult {
        let reader = &mut self.readers[at];
        if !reader.left.is_empty() {
            if reader.flush().is_err() {
                return VisitResult::Gone;
            }
            if !reader.left.is_empty() {
                return VisitResult::Nothing;
            }
        }
        let bytes = if reader.after < head {
            match batch(&mut self.batches, &self.broadcaster.0.engine, reader.after, reader.feed.only) {
                None => return VisitResult::Elsewhere,
                Some((after, bytes)) => {
                    reader.after = after;
                    bytes
                }
            }
        } else {
            Bytes::new()
        };
        let bytes = match bytes.is_empty() {
            true if now.duration_since(reader.sent_at) >= HEARTBEAT_INTERVAL => {
                named("beat", None, &beat(&self.broadcaster.0.engine))
            }
            true => return VisitResult::Nothing,
            false => bytes,
        };
        if reader.write(bytes, now).is_err() { VisitResult::Gone } else { VisitResult::Something }
    }
}

/// Result of visiting a reader.
enum VisitResult {
    Something,
    Nothing,
    /// It is no longer connected.
    Gone,
    /// The ring no longer has its position.
    Elsewhere,
}

fn batch(
    batches: &mut Vec<Batch>,
    engine: &Scoped,
    after: u64,
    only: Option<OperationId>,
) -> Option<(u64, Bytes)> {
    if let Some(known) = batches.iter().find(|batch| (batch.after, batch.only) == (after, only)) {
        return known.found.clone();
    }
    let found = match engine.feed().read(after, only) {
        Read::Frames { frames, skipped, next } => Some((next, joined(&frames, skipped))),
        Read::Nothing => Some((after, Bytes::new())),
        Read::Older | Read::Unknown => None,
    };
    if batches.len() < MAX_CACHED_POSITIONS {
        batches.push(Batch { after, only, found: found.clone() });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{LimitSettings, Limits};
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    async fn reader() -> (Reader, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (near, far) = tokio::join!(listener.accept(), TcpStream::connect(listener.local_addr().unwrap()));
        let feed = Feed { after: 0, only: None, lease: CancellationToken::new(), open: Arc::new(()) };
        let (near, from) = near.unwrap();
        let slot = Limits::new(LimitSettings::default()).connection(from.ip()).unwrap();
        (Reader::new(near, feed, slot), far.unwrap())
    }

    #[tokio::test]
    async fn a_slow_reader_gets_the_remaining_bytes_later_in_order() {
        let (mut reader, mut far) = reader().await;
        let all: Vec<u8> = (0..24_u32 << 20).map(|n| (n % 251) as u8).collect();
        reader.write(all.clone().into(), Instant::now()).unwrap();
        assert!(!reader.left.is_empty(), "nobody's buffers hold so much");
        let reading = tokio::spawn(async move {
            let mut read = Vec::new();
            far.read_to_end(&mut read).await.unwrap();
            read
        });
        while !reader.left.is_empty() {
            reader.stream.writable().await.unwrap();
            reader.flush().unwrap();
        }
        drop(reader);
        assert_eq!(reading.await.unwrap(), all);
    }

    #[tokio::test]
    async fn unexpected_data_keeps_a_reader_and_a_hang_up_removes_it() {
        let (reader, mut far) = reader().await;
        assert!(reader.is_there());
        far.write_all(b"GET /another HTTP/1.1\r\n\r\n").await.unwrap();
        reader.stream.readable().await.unwrap();
        assert!(reader.is_there());
        drop(far);
        while reader.is_there() {
            reader.stream.readable().await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_reader_is_removed_when_its_credential_ends() {
        let (reader, _far) = reader().await;
        assert!(reader.is_there());
        reader.feed.lease.cancel();
        assert!(!reader.is_there());
    }
}
