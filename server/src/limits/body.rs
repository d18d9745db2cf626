//! Time of a request's body: a client that sends it too slowly gets 408.

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Whether the body of a request took too long.
pub struct BodyTime(Arc<AtomicBool>);

impl BodyTime {
    pub fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Request whose body must be complete in time; unchanged if it has none.
pub fn timed_body(request: Request, timeout: Option<Duration>) -> (Request, Option<BodyTime>) {
    let Some(timeout) = timeout.filter(|_| !request.body().is_end_stream()) else { return (request, None) };
    let over = Arc::new(AtomicBool::new(false));
    let (deadline, noted) = (Instant::now() + timeout, Arc::clone(&over));
    let request = request.map(|body| Body::new(TimedBody { body, deadline, sleep: None, over: noted }));
    (request, Some(BodyTime(over)))
}

struct TimedBody {
    body: Body,
    deadline: Instant,
    /// Timer, which only a body of several pieces needs.
    sleep: Option<Pin<Box<Sleep>>>,
    over: Arc<AtomicBool>,
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_pending() {
            let deadline = self.deadline;
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            if sleep.as_mut().poll(cx).is_ready() {
                self.over.store(true, Ordering::Relaxed);
                let late = std::io::Error::from(std::io::ErrorKind::TimedOut);
                return Poll::Ready(Some(Err(axum::Error::new(late))));
            }
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use futures::stream;

    #[tokio::test(start_paused = true)]
    async fn a_body_in_pieces_must_be_complete_in_time() {
        let read = async |pause: u64| {
            let pieces = stream::unfold(0, move |n| async move {
                tokio::time::sleep(Duration::from_secs(pause)).await;
                (n < 4).then(|| (Ok::<_, std::io::Error>("piece "), n + 1))
            });
            let request = Request::new(Body::from_stream(pieces));
            let (request, time) = timed_body(request, Some(Duration::from_secs(10)));
            let read = to_bytes(request.into_body(), 100).await;
            (read.ok(), time.unwrap().is_over())
        };
        assert_eq!(read(1).await, (Some("piece piece piece piece ".into()), false));
        assert_eq!(read(6).await, (None, true));
    }

    #[test]
    fn a_request_without_a_body_costs_nothing() {
        assert!(timed_body(Request::new(Body::empty()), Some(Duration::from_secs(10))).1.is_none());
    }
}
