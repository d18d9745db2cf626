//! Two ways to follow the feed: a stream of server-sent events, and a long poll of the same records.

use crate::feed::{Feed, Read};
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use event_log::Cursor;
use http_wire::sse;
use protocol::Time;
use protocol::host::HostBeat;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Records per write of a stream.
const WRITE_EVENTS: usize = 1_000;
const WRITE_BYTES: usize = 64 * 1024;
/// Records per response of the long poll.
const POLL_EVENTS: usize = 1_000;
const POLL_BYTES: usize = 1024 * 1024;

/// Position from which a reader resumes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CheckpointBuilder {
    /// Number of the last record that it has.
    pub after: u64,
    /// It followed another process of the host, so its position means nothing here.
    pub foreign: bool,
}

/// Reader of the feed by a stream.
struct Reader {
    feed: Arc<Feed>,
    cursor: Cursor,
    foreign: bool,
    said_hello: bool,
    beat: Duration,
    /// Cancelled when the host shuts down and nothing more will be published.
    ending: CancellationToken,
}

impl Reader {
    /// Next bytes of the stream; `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.said_hello {
            self.said_hello = true;
            return Some(self.message("hello", None));
        }
        loop {
            // Read before the ring, so that nothing published afterwards is missed.
            let over = self.ending.is_cancelled();
            match self.read() {
                Read::Reset => {
                    // The reader continues from the head, whose number is the message's ID.
                    self.cursor.move_to(self.feed.head());
                    return Some(self.message("reset", Some(self.cursor.after())));
                }
                Read::Records(records) if !records.is_empty() => {
                    self.cursor.move_to(self.cursor.after() + records.len() as u64);
                    let mut write = BytesMut::with_capacity(records.iter().map(|r| r.sse().len()).sum());
                    for record in &records {
                        write.extend_from_slice(record.sse());
                    }
                    return Some(write.freeze());
                }
                Read::Records(_) if over => return None,
                Read::Records(_) => {}
            }
            tokio::select! {
                () = self.cursor.changed() => {}
                () = self.ending.cancelled() => {}
                () = tokio::time::sleep(self.beat) => return Some(self.message("beat", None)),
            }
        }
    }

    fn read(&mut self) -> Read {
        if std::mem::take(&mut self.foreign) {
            return Read::Reset;
        }
        self.feed.read(self.cursor.after(), WRITE_EVENTS, WRITE_BYTES)
    }

    fn message(&self, event: &str, id: Option<u64>) -> Bytes {
        let beat: HostBeat = self.feed.beat(self.beat.as_secs_f64());
        let beat = HostBeat { head: id.unwrap_or(beat.head), ..beat };
        sse::named(event, id, &beat)
    }
}

/// Feed from a position, as server-sent events: `hello`, then records, `beat` after a silence, `reset` if the position
/// is not in the ring. After a reset, the stream continues from the head that it names.
pub(crate) fn stream(
    feed: Arc<Feed>,
    place: CheckpointBuilder,
    beat: Duration,
    ending: CancellationToken,
) -> Response {
    let cursor = feed.follow(place.after);
    let reader = Reader { feed, cursor, foreign: place.foreign, said_hello: false, beat, ending };
    let messages = futures::stream::unfold(reader, |mut reader| async move {
        let message = reader.next().await?;
        Some((Ok::<_, Infallible>(message), reader))
    });
    sse::response(Body::from_stream(messages))
}

/// Feed from a position, as [`protocol::host::HostEvents`]: as soon as there is something, or empty after `wait`.
pub(crate) async fn poll(
    feed: Arc<Feed>,
    place: CheckpointBuilder,
    wait: Duration,
    ending: CancellationToken,
) -> Response {
    let until = Instant::now() + wait;
    let mut cursor = feed.follow(place.after);
    loop {
        let over = ending.is_cancelled() || Instant::now() >= until;
        let read = if place.foreign { Read::Reset } else { feed.read(place.after, POLL_EVENTS, POLL_BYTES) };
        match read {
            Read::Records(records) if records.is_empty() && !over => {}
            Read::Records(records) => {
                let bodies: Vec<&[u8]> = records.iter().map(|record| record.json()).collect();
                return answer(&feed, false, &bodies.join(&b","[..]));
            }
            Read::Reset => return answer(&feed, true, b""),
        }
        tokio::select! {
            () = cursor.changed() => {}
            () = ending.cancelled() => {}
            () = tokio::time::sleep_until(until) => {}
        }
    }
}

/// `HostEvents` around records that are already JSON.
fn answer(feed: &Feed, reset: bool, events: &[u8]) -> Response {
    let (instance, head, now) = (feed.instance(), feed.head(), Time::now());
    let mut body = BytesMut::with_capacity(events.len() + 200);
    body.extend_from_slice(format!(r#"{{"instance":"{instance}","reset":{reset},"events":["#).as_bytes());
    body.extend_from_slice(events);
    body.extend_from_slice(format!(r#"],"head":{head},"now":"{now}"}}"#).as_bytes());
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, body.freeze()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use event_log::RingLimits;
    use futures::StreamExt;
    use protocol::host::{HostEventBody, HostEvents};
    use protocol::{InstanceId, OperationId};

    const LONG: Duration = Duration::from_secs(3600);

    fn feed() -> Arc<Feed> {
        Arc::new(Feed::new(InstanceId::new(), RingLimits { events: 10, bytes: 1 << 20 }))
    }

    #[tokio::test]
    async fn a_waiting_poll_returns_at_shutdown() {
        let (feed, ending) = (feed(), CancellationToken::new());
        let place = CheckpointBuilder { after: 0, foreign: false };
        let (answer, ()) = tokio::join!(poll(feed, place, LONG, ending.clone()), async { ending.cancel() });
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        assert_eq!(serde_json::from_slice::<HostEvents>(&body).unwrap().events, []);
    }

    #[tokio::test]
    async fn a_stream_sends_all_records_before_it_ends_at_shutdown() {
        let (feed, ending) = (feed(), CancellationToken::new());
        let place = CheckpointBuilder { after: 0, foreign: false };
        let mut body = stream(Arc::clone(&feed), place, LONG, ending.clone()).into_body().into_data_stream();
        body.next().await.unwrap().unwrap();
        feed.publish(OperationId::new(), 1, HostEventBody::Running);
        ending.cancel();
        let last = body.next().await.unwrap().unwrap();
        assert!(last.starts_with(b"id: 1\ndata: "));
        assert!(body.next().await.is_none());
    }
}
