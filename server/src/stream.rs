//! Feed over HTTP: a stream of server-sent events, or a long poll of the same records as JSON. The
//! [`crate::broadcaster`] writes streams over HTTP/1, from the same parts.

use bytes::{Bytes, BytesMut};
use engine::{Cursor, Read, Scoped};
use futures::Stream;
use futures::stream::unfold;
use http_wire::sse::named;
use protocol::event::{Beat, Hello, Reset, Skipped};
use protocol::{OperationId, Time};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Interval of heartbeats in a silent stream.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(2);
/// Largest number of events per response of a poll.
const POLL_EVENTS: usize = 1_000;

/// Marks a response that carries the feed, so that the connection can leave the HTTP library.
#[derive(Clone)]
pub struct Feed {
    /// The reader has everything up to here.
    pub after: u64,
    pub only: Option<OperationId>,
    /// Cancelled when the reader's credential ends, and when the server stops.
    pub lease: CancellationToken,
    /// Counts the stream while it is open.
    #[expect(dead_code, reason = "dropped with the feed to release its count")]
    pub open: Arc<dyn Send + Sync>,
}

/// First message for a reader that has everything up to `after`.
pub fn hello(engine: &Scoped, after: u64) -> Hello {
    Hello {
        after,
        head: engine.feed().head(),
        now: Time::now(),
        beat_seconds: HEARTBEAT_INTERVAL.as_secs_f64(),
        server: engine.instance(),
    }
}

/// Heartbeat.
pub fn beat(engine: &Scoped) -> Beat {
    Beat { head: engine.feed().head(), now: Time::now() }
}

/// Bytes of events: a single one is shared with all readers, several are joined.
pub fn joined(frames: &[engine::Frame], skipped: Option<Skipped>) -> Bytes {
    match (frames, skipped) {
        ([], None) => Bytes::new(),
        ([only], None) => only.sse().clone(),
        (frames, skipped) => {
            let size = frames.iter().map(|f| f.sse().len()).sum::<usize>() + 128;
            let mut chunk = BytesMut::with_capacity(size);
            chunk.extend(skipped.map(|s| named("skipped", None, &s)));
            frames.iter().for_each(|f| chunk.extend_from_slice(f.sse()));
            chunk.freeze()
        }
    }
}

/// What comes next after a position in the feed.
pub enum Next {
    Frames(Vec<engine::Frame>, Option<Skipped>),
    Nothing,
    Reset(Reset),
}

/// Events after the cursor's position, from the ring, or from the store for readers that resume late.
pub async fn next(engine: &Scoped, cursor: &mut Cursor, only: Option<OperationId>) -> Next {
    let head = engine.feed().head();
    let reset = |why: &str| Next::Reset(Reset { why: why.to_owned(), head });
    if engine.lost() {
        return reset("Some events are missing: the server was busy. Fetch a new snapshot.");
    }
    match cursor.read() {
        Read::Frames { frames, skipped, .. } => Next::Frames(frames, skipped),
        Read::Nothing => Next::Nothing,
        Read::Unknown => reset("Unknown event ID: the server was reset. Fetch a new snapshot."),
        // Boxed, because few readers resume that late, and the future would be larger for all.
        Read::Older => match Box::pin(engine.older_events(cursor.after())).await {
            Ok(Some(frames)) if !frames.is_empty() => {
                if let Some(last) = frames.last() {
                    cursor.moved_to(last.seq);
                }
                let frames = frames.into_iter().filter(|f| only.is_none() || f.operation == only).collect();
                Next::Frames(frames, None)
            }
            _ => reset("Events this old are no longer kept. Fetch a new snapshot."),
        },
    }
}

struct Streaming {
    engine: Scoped,
    cursor: Cursor,
    only: Option<OperationId>,
    /// Kept, because creating these futures per event would cost more than the event.
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
    beat: Pin<Box<Sleep>>,
    greeting: Option<Bytes>,
    over: bool,
    sent_at: Instant,
}

/// Stream for a reader that has everything up to `after`. It ends with the reader's lease.
pub fn stream(
    engine: Scoped,
    after: u64,
    only: Option<OperationId>,
    lease: CancellationToken,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let cursor = engine.follow(after, only);
    let greeting = Some(named("hello", None, &hello(&engine, after)));
    let now = Instant::now();
    let state = Streaming {
        engine,
        cursor,
        only,
        stopped: Box::pin(lease.cancelled_owned()),
        beat: Box::pin(sleep_until(now + HEARTBEAT_INTERVAL)),
        greeting,
        over: false,
        sent_at: now,
    };
    unfold(state, |mut state| async move {
        let chunk = state.chunk().await?;
        state.sent_at = Instant::now();
        Some((Ok(chunk), state))
    })
}

impl Streaming {
    /// Next bytes, with all available events; `None` at the end.
    async fn chunk(&mut self) -> Option<Bytes> {
        if let Some(greeting) = self.greeting.take() {
            return Some(greeting);
        }
        loop {
            if self.over {
                return None;
            }
            match next(&self.engine, &mut self.cursor, self.only).await {
                Next::Frames(frames, skipped) => {
                    let chunk = joined(&frames, skipped);
                    if !chunk.is_empty() {
                        return Some(chunk);
                    }
                }
                Next::Reset(reset) => {
                    self.over = true;
                    return Some(named("reset", None, &reset));
                }
                Next::Nothing => {
                    tokio::select! {
                        biased;
                        () = self.stopped.as_mut() => {
                            self.over = true;
                            return None;
                        }
                        () = self.cursor.changed() => {}
                        () = self.beat.as_mut() => {
                            // Reset only when it fires, because sent events postpone the heartbeat.
                            let due = self.sent_at + HEARTBEAT_INTERVAL;
                            let now = Instant::now();
                            self.beat.as_mut().reset(if due > now { due } else { now + HEARTBEAT_INTERVAL });
                            if due <= now {
                                return Some(named("beat", None, &beat(&self.engine)));
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Next events after a position as a JSON document ([`protocol::api::EventsPage`]); waits for one up to a timeout, or
/// to the end of the reader's lease. Events are copied from the ring without parsing.
pub async fn poll(
    engine: &Scoped,
    after: u64,
    only: Option<OperationId>,
    wait: Duration,
    lease: &CancellationToken,
) -> Bytes {
    let deadline = Instant::now() + wait;
    let mut cursor = engine.follow(after, only);
    loop {
        match next(engine, &mut cursor, only).await {
            Next::Frames(mut frames, skipped) if !frames.is_empty() || skipped.is_some() => {
                let mut next = cursor.after();
                if frames.len() > POLL_EVENTS && skipped.is_none() {
                    frames.truncate(POLL_EVENTS);
                    next = frames.last().map_or(next, |f| f.seq);
                }
                return page(&frames, next, skipped, None);
            }
            Next::Frames(..) => {}
            Next::Reset(reset) => return page(&[], after, None, Some(reset)),
            Next::Nothing => {
                tokio::select! {
                    () = lease.cancelled() => return page(&[], cursor.after(), None, None),
                    () = tokio::time::sleep_until(deadline) => return page(&[], cursor.after(), None, None),
                    () = cursor.changed() => {}
                }
            }
        }
    }
}

fn page(frames: &[engine::Frame], next: u64, skipped: Option<Skipped>, reset: Option<Reset>) -> Bytes {
    let mut out = BytesMut::from(&b"{\"events\":["[..]);
    for (n, frame) in frames.iter().enumerate() {
        if n > 0 {
            out.extend_from_slice(b",");
        }
        out.extend_from_slice(frame.json());
    }
    out.extend_from_slice(format!("],\"next\":{next},\"now\":\"{}\"", Time::now()).as_bytes());
    let mut optional = |name: &str, json: Option<String>| {
        if let Some(json) = json {
            out.extend_from_slice(format!(",\"{name}\":{json}").as_bytes());
        }
    };
    optional("skipped", skipped.and_then(|s| serde_json::to_string(&s).ok()));
    optional("reset", reset.and_then(|r| serde_json::to_string(&r).ok()));
    out.extend_from_slice(b"}");
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::Frame;
    use protocol::api::EventsPage;

    #[test]
    fn a_poll_response_parses_as_the_documented_type() {
        let late = |seq| {
            let json = format!(
                r#"{{"seq":{seq},"at":"2026-11-23T10:00:00Z","type":"late","id":"0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d","attempt":1,"what":"running"}}"#
            );
            Frame::new(&store::EventRecord { seq, operation: None, progress: false, json: json.into() })
        };
        let skipped = Some(Skipped { from: 1, to: 6 });
        let reset = Some(Reset { why: "gone".into(), head: 9 });
        let read: EventsPage =
            serde_json::from_slice(&page(&[late(5), late(6)], 6, skipped, reset.clone())).unwrap();
        assert_eq!(read.events.iter().map(|e| e.seq).collect::<Vec<_>>(), [5, 6]);
        assert_eq!((read.next, read.skipped, read.reset), (6, skipped, reset));
        let empty: EventsPage = serde_json::from_slice(&page(&[], 3, None, None)).unwrap();
        assert_eq!((empty.events.len(), empty.next, empty.reset), (0, 3, None));
    }
}
