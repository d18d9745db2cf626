//! Open stream of events that detects silence.

use crate::error::TimeLimits;
use crate::sse::{EVENT_LIMIT, Sse, SseParser};
use crate::{PoolError, body};
use reqwest::Response;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Stream opened by [`crate::Pool::stream`]. Dropping it closes its connection.
pub struct SseStream {
    response: Response,
    url: String,
    silence: Duration,
    parser: SseParser,
    /// Events that were read and not returned yet.
    ready: VecDeque<Sse>,
    /// Time since which a waiting reader got nothing. A reader that was busy does not take its own absence for silence
    /// of the service; one that waits in short intervals still detects silence.
    waiting_since: Option<Instant>,
    /// Nothing more is read.
    over: bool,
    /// Error that ended the stream, until it is returned.
    last_error: Option<PoolError>,
}

impl SseStream {
    pub(crate) fn new(response: Response, url: String, silence: Duration) -> Result<Self, PoolError> {
        let media_type = body::media_type(&response);
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
            last_error: None,
        })
    }

    /// Next event; `None` after the service ended the stream, and after an error.
    ///
    /// Cancel-safe: may be dropped while waiting, as in `select!`, without loss.
    ///
    /// # Errors
    /// `Timeout` after silence, `Unreachable` if the connection broke, `TooLarge` if an event exceeds 16 MiB. Each ends
    /// the stream.
    pub async fn next(&mut self) -> Option<Result<Sse, PoolError>> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(Ok(event));
            }
            if self.over {
                return self.last_error.take().map(Err);
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
            // Complete events before the error are returned first.
            self.over = true;
            self.last_error = Some(error);
        }
    }

    /// Pause before reconnecting that the service asks for, if any.
    pub fn retry(&self) -> Option<Duration> {
        self.parser.retry()
    }
}
