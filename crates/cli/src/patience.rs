//! Patience with an absent server: a request that was not sent, or is recognized when it comes again, is sent until the
//! server answers or the time is over.

use crate::output::{self, OutputError};
use crate::text;
use backoff::Backoff;
use client::ClientError;
use std::time::Duration;
use tokio::time::Instant;

/// First and longest pause between two tries.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Time that a command waits for the server, over all of its requests.
pub struct Patience {
    limit: Option<Duration>,
    deadline: Option<Instant>,
    is_noted: bool,
}

impl Patience {
    /// Patience of this time; without one, a request is sent once.
    pub fn new(limit: Option<Duration>) -> Self {
        Self { limit, deadline: None, is_noted: false }
    }

    /// Sends a request until nothing is awaited any more. `awaited` says what an error waits for; `None` for an error
    /// that stays. The request must have the same effect if it is repeated.
    ///
    /// # Errors
    /// [`OutputError`]; inside, the last error of the request.
    pub async fn send<T, E>(
        &mut self,
        request: impl AsyncFn() -> Result<T, E>,
        awaited: impl Fn(&E) -> Option<String>,
    ) -> Result<Result<T, E>, OutputError> {
        let mut backoff = Backoff::new(FIRST_PAUSE, MAX_PAUSE);
        loop {
            let answer = request().await;
            let what = answer.as_ref().err().and_then(&awaited);
            let (Some(what), Some(limit)) = (what, self.limit) else { return Ok(answer) };
            let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + limit);
            if Instant::now() >= deadline {
                return Ok(answer);
            }
            if !std::mem::replace(&mut self.is_noted, true) {
                let limit = text::rounded(limit.as_secs_f64());
                output::note(&format!("{what}. Waiting at most {limit}."))?;
            }
            output::still_read()?;
            tokio::time::sleep_until(deadline.min(Instant::now() + backoff.next())).await;
        }
    }
}

/// What a request to an absent server waits for: it was unreachable, or went away before its answer.
pub fn server(error: &ClientError) -> Option<String> {
    let is_away = matches!(
        error,
        ClientError::Unreachable { .. } | ClientError::Broken { .. } | ClientError::AgentEnded { .. }
    );
    is_away.then(|| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn away() -> ClientError {
        ClientError::Unreachable { server: "http://a".into() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_repeated_until_the_server_answers_or_the_time_is_over() {
        let tries = Cell::new(0);
        let request = async || {
            tries.set(tries.get() + 1);
            if tries.get() < 5 { Err(away()) } else { Ok(tries.get()) }
        };
        let answer = Patience::new(Some(Duration::from_secs(60))).send(request, server).await.unwrap();
        assert_eq!(answer.unwrap(), 5);
        let began = Instant::now();
        let mut patience = Patience::new(Some(Duration::from_secs(60)));
        assert!(patience.send(async || Err::<(), _>(away()), server).await.unwrap().is_err());
        assert_eq!(began.elapsed(), Duration::from_secs(60));
        // The time is that of the command, not of each request.
        assert!(patience.send(async || Err::<(), _>(away()), server).await.unwrap().is_err());
        assert_eq!(began.elapsed(), Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn without_patience_and_for_other_errors_a_request_is_sent_once() {
        let tries = Cell::new(0);
        let counted = |error: fn() -> ClientError| {
            let tries = &tries;
            async move || {
                tries.set(tries.get() + 1);
                Err::<(), _>(error())
            }
        };
        assert!(Patience::new(None).send(counted(away), server).await.unwrap().is_err());
        let slow = || ClientError::Timeout { server: "http://a".into(), after: Duration::from_secs(30) };
        assert!(
            Patience::new(Some(Duration::from_secs(9))).send(counted(slow), server).await.unwrap().is_err()
        );
        assert_eq!(tries.get(), 2);
    }
}
