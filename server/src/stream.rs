//! The feed over HTTP: a stream of server-sent events, or a long poll of the same records as JSON. Streams over HTTP/1
//! are written by the [`crate::pump`], from the same pieces.

use bytes::{Bytes, BytesMut};
use engine::{Cursor, Engine, Read};
use futures::Stream;
use futures::stream::unfold;
use protocol::event::{Beat, Hello, Reset, Skipped};
use protocol::{OperationId, Time};
use serde::Serialize;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Between two beats of a stream on which nothing else is sent.
pub const BEAT: Duration = Duration::from_secs(2);
/// So many events at most go into one answer of a poll.
const POLL_EVENTS: usize = 1_000;

/// What an answer says of the feed that it is to carry, for those who can write it past the HTTP library.
#[derive(Clone)]
pub struct Feed {
    /// The reader has everything up to here.
    pub after: u64,
    pub only: Option<OperationId>,
    /// Counts it for as long as it is read.
    #[expect(dead_code, reason = "dropped with the feed to release its count")]
    pub open: Arc<dyn Send + Sync>,
}

/// A message of a stream that is no event.
pub fn named(name: &str, data: &impl Serialize) -> Bytes {
    // These are our own plain types: writing them as JSON can't fail.
    let json = serde_json::to_string(data).unwrap_or_default();
    format!("event: {name}\ndata: {json}\n\n").into()
}

/// The first message to one who has everything up to `after`.
pub fn hello(engine: &Engine, after: u64) -> Hello {
    Hello {
        after,
        head: engine.feed().head(),
        now: Time::now(),
        beat_seconds: BEAT.as_secs_f64(),
        server: engine.instance(),
    }
}

/// The message of one on which nothing else is sent.
pub fn beat(engine: &Engine) -> Beat {
    Beat { head: engine.feed().head(), now: Time::now() }
}

/// Events as they are sent: one as it lies in the ring, shared with every other reader, several in one piece.
pub fn joined(frames: &[engine::Frame], skipped: Option<Skipped>) -> Bytes {
    match (frames, skipped) {
        ([], None) => Bytes::new(),
        ([only], None) => only.sse().clone(),
        (frames, skipped) => {
            let size = frames.iter().map(|f| f.sse().len()).sum::<usize>() + 128;
            let mut chunk = BytesMut::with_capacity(size);
            chunk.extend(skipped.map(|s| named("skipped", &s)));
            frames.iter().for_each(|f| chunk.extend_from_slice(f.sse()));
            chunk.freeze()
        }
    }
}

/// What a place in the feed gives next.
pub enum Next {
    Frames(Vec<engine::Frame>, Option<Skipped>),
    Nothing,
    Reset(Reset),
}

/// What is there after the cursor's place, from the ring or, for those who come back late, from the store.
pub async fn next(engine: &Engine, cursor: &mut Cursor, only: Option<OperationId>) -> Next {
    let head = engine.feed().head();
    let reset = |why: &str| Next::Reset(Reset { why: why.to_owned(), head });
    match cursor.read() {
        Read::Frames { frames, skipped, .. } => Next::Frames(frames, skipped),
        Read::Nothing => Next::Nothing,
        Read::Unknown => reset("Unknown event ID: the server was reset. Fetch a new snapshot."),
        // Boxed: few readers come back so late, and all of them would carry the room for it.
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
    engine: Engine,
    cursor: Cursor,
    only: Option<OperationId>,
    /// Made once and kept: a future of these an event would cost more than the event.
    stopped: Pin<Box<WaitForCancellationFutureOwned>>,
    beat: Pin<Box<Sleep>>,
    greeting: Option<Bytes>,
    over: bool,
    sent_at: Instant,
}

/// The stream of one reader who has everything up to `after`. It ends when the server stops.
pub fn stream(
    engine: Engine,
    after: u64,
    only: Option<OperationId>,
    stop: CancellationToken,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let cursor = engine.follow(after, only);
    let greeting = Some(named("hello", &hello(&engine, after)));
    let now = Instant::now();
    let state = Streaming {
        engine,
        cursor,
        only,
        stopped: Box::pin(stop.cancelled_owned()),
        beat: Box::pin(sleep_until(now + BEAT)),
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
    /// What is sent next, all of it that is there; `None` at the end.
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
                    return Some(named("reset", &reset));
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
                            // It is set anew only when it fires: what was sent meanwhile puts it off.
                            let due = self.sent_at + BEAT;
                            let now = Instant::now();
                            self.beat.as_mut().reset(if due > now { due } else { now + BEAT });
                            if due <= now {
                                return Some(named("beat", &beat(&self.engine)));
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The next events after a place as a JSON document ([`protocol::api::EventsPage`]); waits for one at most so
/// long. Events go in as they lie in the ring, without being read and written again.
pub async fn poll(
    engine: &Engine,
    after: u64,
    only: Option<OperationId>,
    wait: Duration,
    stop: &CancellationToken,
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
                    () = stop.cancelled() => return page(&[], cursor.after(), None, None),
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
    fn a_poll_reads_back_as_the_documented_type() {
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
