//! One open stream of events, which notices when it has gone silent.

use crate::error::TimeLimits;
use crate::sse::{EVENT_LIMIT, Sse, SseParser};
use crate::{PoolError, client};
use reqwest::Response;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// A stream that [`crate::Pool::stream`] opened. Dropping it closes its connection.
pub struct SseStream {
    response: Response,
    url: String,
    silence: Duration,
    parser: SseParser,
    /// Read and not handed out yet.
    ready: VecDeque<Sse>,
    /// Since when nothing has come while somebody waited. A reader that was busy with something else does not
    /// take its own absence for the service's silence; one that waits in slices still notices it.
    waiting_since: Option<Instant>,
    /// Nothing more is read.
    over: bool,
    /// Why, if it was not the service's wish; until it is told.
    trouble: Option<PoolError>,
}

impl SseStream {
    pub(crate) fn new(response: Response, url: String, silence: Duration) -> Result<Self, PoolError> {
        let media_type = client::media_type(&response);
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("text/event-stream") {
            let cause = format!("expected text/event-stream, got {media_type}");
            return Err(PoolError::Decode { url, cause });
        }
        Ok(Self {
            response,
            url,
            silence,
            parser: SseParser::default(),
            ready: VecDeque::new(),
            waiting_since: None,
            over: false,
            trouble: None,
        })
    }

    /// The next event; `None` when the service ended the stream, and after an error.
    ///
    /// May be dropped while it waits, as in `select!`, without loss.
    ///
    /// # Errors
    /// `Timeout` when nothing came for the time of silence, `Unreachable` when the connection broke,
    /// `TooLarge` when an event takes more than 16 MiB. Each ends the stream.
    pub async fn next(&mut self) -> Option<Result<Sse, PoolError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            if self.over {
                return self.trouble.take().map(Err);
            }
            let since = *self.waiting_since.get_or_insert_with(Instant::now);
            let chunk = tokio::time::timeout_at(since + self.silence, self.response.chunk()).await;
            self.waiting_since = None;
            let error = match chunk {
                Ok(Ok(Some(bytes))) => match self.parser.feed(&bytes, &mut self.ready) {
                    Ok(()) => continue,
                    Err(_) => PoolError::TooLarge { url: self.url.clone(), limit: EVENT_LIMIT },
                },
                Ok(Ok(None)) => {
                    self.over = true;
                    continue;
                }
                Ok(Err(e)) => {
                    let limits = TimeLimits { connect: self.silence, whole: self.silence };
                    PoolError::from_client(&self.url, &e, limits)
                }
                Err(_) => {
                    PoolError::Timeout { url: self.url.clone(), after: self.silence, what: "send any data" }
                }
            };
            // What came whole before the trouble is handed out first.
            self.over = true;
            self.trouble = Some(error);
        }
    }

    /// How long the service asks its readers to wait before they reconnect, if it did.
    pub fn retry(&self) -> Option<Duration> {
        self.parser.retry()
    }
}
