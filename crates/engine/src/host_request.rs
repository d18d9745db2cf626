//! Host requests: tasks that send one request of the coordinator to a host and return its response as a command.
//!
//! Each is repeated until a host has answered or the coordinator no longer wants it. Starts and cancels are idempotent
//! by ID and attempt, so repeating a request is safe.

use crate::checkpoint_transfer::CheckpointTransfer;
use crate::clock::Offset;
use crate::command::{Command, CoordinatorSender};
use crate::lifecycle::Message;
use crate::secret_params::{NotRestored, SecretParams};
use crate::store_reader::StoreReader;
use pool::{Backoff, Pool, PoolError, Repeat};
use protocol::host::{
    CancelAck, CancelAttempt, HostOperation, HostOperations, Outcome, ResultDoc, StartAttempt,
};
use protocol::{Failure, FailureReason, HostName, OperationId, Problem, ProblemType, Time};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Pause after which a host that declined without a time is asked again, and the longest pause.
const DECLINED_PAUSE: Duration = Duration::from_secs(1);
const MAX_DECLINED_PAUSE: Duration = Duration::from_secs(30);
/// Number of server errors in response to a start after which it is given up.
const MAX_HOST_ERRORS: u32 = 3;

/// Target of a host request: attempt and host; and when it is no longer wanted.
#[derive(Clone)]
pub(crate) struct HostRequest {
    pub(crate) coordinator: CoordinatorSender,
    pub(crate) pool: Pool,
    pub(crate) host: HostName,
    pub(crate) id: OperationId,
    pub(crate) attempt: u32,
    /// Cancelled when the attempt has ended or was requeued.
    pub(crate) stop: CancellationToken,
}

impl HostRequest {
    async fn report(&self, message: Message) {
        self.send(Command::Message { id: self.id, attempt: self.attempt, message }).await;
    }

    async fn send(&self, command: Command) {
        // The coordinator is gone only when the server stops; then nobody waits for the answer.
        let _ = self.coordinator.send(command).await;
    }

    async fn pause(&self, wait: Duration) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(wait) => true,
        }
    }
}

fn backoff() -> Backoff {
    Backoff::new(Duration::from_millis(50), Duration::from_secs(2))
}

/// Sends an attempt to its host, after the files for resuming were transferred. Once `unwanted` is cancelled, a pending
/// try may finish, but there is no other.
pub(crate) async fn start(
    host_request: HostRequest,
    mut body: StartAttempt,
    checkpoint_transfer: Option<CheckpointTransfer>,
    secrets: SecretParams,
    unwanted: CancellationToken,
) {
    if let Some(checkpoint_transfer) = checkpoint_transfer {
        let carried = tokio::select! {
            () = host_request.stop.cancelled() => return,
            () = unwanted.cancelled() => {
                let HostRequest { id, attempt, .. } = host_request;
                return host_request.send(Command::StartGivenUp { id, attempt }).await;
            }
            carried = checkpoint_transfer.to(&host_request.host, &host_request.pool) => carried,
        };
        if let Err(failure) = carried {
            return host_request.report(Message::Refused(failure)).await;
        }
    }
    let mut backoff = backoff();
    // From here on, only the request to the host has the secret values.
    while let Err(error) = secrets.restore(&mut body).await {
        match error {
            NotRestored::Locked(failure) => return host_request.report(Message::Refused(failure)).await,
            NotRestored::Unreadable(error) => {
                tracing::warn!(operation = %host_request.id, %error, "can't read the secret parameters of an operation; trying again unless it is cancelled");
                if unwanted.is_cancelled() {
                    let HostRequest { id, attempt, .. } = host_request;
                    return host_request.send(Command::StartGivenUp { id, attempt }).await;
                }
                if !host_request.pause(backoff.next()).await {
                    return;
                }
            }
        }
    }
    let mut faults = 0;
    // An earlier request may still be on its way; until then, only an acceptance is certain.
    let mut may_arrive = false;
    loop {
        let call = host_request.pool.post::<_, HostOperation>("/host/v1/operations", &body, Repeat::AtOnce);
        let answer = tokio::select! {
            () = host_request.stop.cancelled() => return,
            answer = call => answer,
        };
        match answer {
            Ok(_) => {
                let HostRequest { id, attempt, .. } = host_request;
                return host_request.send(Command::Accepted { id, attempt }).await;
            }
            // The host is full, or still stops an older attempt; try again later.
            Err(ref error @ PoolError::Status { status, retry_after, .. })
                if matches!(status, 429 | 503) || (status == 409 && retry_after.is_some()) =>
            {
                let HostRequest { id, attempt, .. } = host_request;
                if !may_arrive {
                    return host_request.send(Command::Declined { id, attempt, retry_after }).await;
                }
                if unwanted.is_cancelled() {
                    return host_request.send(Command::StartGivenUp { id, attempt }).await;
                }
                tracing::debug!(host = %host_request.host, operation = %id, %error, "start declined; an earlier start request may still arrive");
                if !host_request.pause(retry_after.unwrap_or(DECLINED_PAUSE).min(MAX_DECLINED_PAUSE)).await {
                    return;
                }
            }
            Err(ref error @ PoolError::Status { .. }) if was_cancelled_before(error) => {
                return host_request.report(Message::CancelledBeforeStart).await;
            }
            Err(error @ PoolError::Status { status: 400..=499, .. }) => {
                return host_request.report(Message::Refused(refusal(&host_request.host, &error))).await;
            }
            Err(error) => {
                // Only responses of the host itself, not of a proxy that could not reach it.
                let fault = matches!(error, PoolError::Status { status: 500..=599, problem: Some(_), .. });
                faults += u32::from(fault);
                if faults >= MAX_HOST_ERRORS {
                    let hint = "This is a bug in the host or in the kind. Check the host's log, then retry.";
                    let failure = Failure { hint: hint.into(), ..refusal(&host_request.host, &error) };
                    return host_request.report(Message::Refused(failure)).await;
                }
                tracing::warn!(host = %host_request.host, operation = %host_request.id, %error, "no response to a start request; trying again unless the operation is cancelled");
                let HostRequest { id, attempt, .. } = host_request;
                if error.never_sent() && !may_arrive {
                    return host_request.send(Command::Undelivered { id, attempt }).await;
                }
                may_arrive |= may_have_arrived(&error);
                if unwanted.is_cancelled() {
                    return host_request.send(Command::StartGivenUp { id, attempt }).await;
                }
                if !host_request.pause(backoff.next()).await {
                    return;
                }
            }
        }
    }
}

/// Whether a request without a usable response may have reached the host, or still may.
fn may_have_arrived(error: &PoolError) -> bool {
    match error {
        // A proxy stopped waiting.
        PoolError::Status { status, problem, .. } => matches!(status, 502 | 504) && problem.is_none(),
        other => !other.never_sent(),
    }
}

/// Whether a cancel reached the host before this start. The server may not know of it, if it could not store the
/// cancel.
fn was_cancelled_before(error: &PoolError) -> bool {
    problem_of(error).is_some_and(|problem| problem.kind == ProblemType::CancelledBeforeStart)
}

fn problem_of(error: &PoolError) -> Option<Problem> {
    match error {
        PoolError::Status { problem: Some(value), .. } => serde_json::from_value(*value.clone()).ok(),
        _ => None,
    }
}

fn refusal(host: &HostName, error: &PoolError) -> Failure {
    let (message, hint) = match problem_of(error) {
        Some(problem) if problem.fields.is_empty() => (
            format!("{host} rejected the operation: {}", problem.detail),
            "Correct the cause, then retry. Or start the operation again with other parameters.",
        ),
        Some(problem) => {
            let fields: Vec<_> =
                problem.fields.iter().map(|f| format!("{}: {}", f.field, f.message)).collect();
            (
                format!("{host} rejected the parameters. {}", fields.join(" ")),
                "Start the operation again with other parameters.",
            )
        }
        None => (
            format!("{host} rejected the operation: {error}"),
            "Check the URL and the token of the host in the configuration, then retry.",
        ),
    };
    Failure { reason: FailureReason::Refused, message, hint: hint.into() }
}

/// Asks the host to stop an attempt, until it answers.
pub(crate) async fn cancel(host_request: HostRequest, body: CancelAttempt, offset: Offset) {
    let mut backoff = backoff();
    let path = format!("/host/v1/operations/{}/cancel", host_request.id);
    loop {
        let sent = Time::now();
        host_request.report(Message::CancelTried { at: sent }).await;
        let call = host_request.pool.post::<_, CancelAck>(&path, &body, Repeat::AtOnce);
        let answer = tokio::select! {
            () = host_request.stop.cancelled() => return,
            answer = call => answer,
        };
        match answer {
            Ok((_, ack)) => {
                let acknowledged = offset.happened(ack.now, Time::now()).max(sent);
                return host_request.report(Message::CancelAnswered { sent, acknowledged }).await;
            }
            Err(PoolError::Status { status: 404 | 409, .. }) => {
                let HostRequest { id, attempt, .. } = host_request;
                host_request.send(Command::CancelUnknown { id, attempt }).await;
            }
            Err(error) => {
                tracing::warn!(host = %host_request.host, operation = %host_request.id, %error, "cancel not delivered; retrying");
                let message = format!(
                    "The cancel request could not be delivered: {error} The server retries until the host responds; until then, the operation may still be running."
                );
                host_request.report(Message::CancelUndelivered { message }).await;
            }
        }
        if !host_request.pause(backoff.next()).await {
            return;
        }
    }
}

/// Requests the host's list of operations, because it does not know an attempt that it had.
pub(crate) async fn check_attempt(host_request: HostRequest) {
    match host_request.pool.get::<HostOperations>("/host/v1/operations").await {
        Ok(list) => {
            let (host, instance) = (host_request.host.clone(), list.instance);
            host_request.send(Command::HostHolds { host, instance, list }).await;
        }
        // The cancel is repeated, and with it this request.
        Err(error) => {
            tracing::debug!(host = %host_request.host, %error, "can't list the operations on a host")
        }
    }
}

/// Attempt that a host runs and that may have ended here.
pub(crate) struct OrphanedAttempt {
    pub(crate) id: OperationId,
    pub(crate) attempt: u32,
    pub(crate) host: HostName,
    pub(crate) deadline: Duration,
}

/// Stops an attempt if the store says that it has ended, runs on another host, or was deleted. Tries once; the next
/// comparison with the host's list tries again.
pub(crate) async fn stop_orphaned_attempt(orphaned: OrphanedAttempt, pool: Pool, store: StoreReader) {
    let OrphanedAttempt { id, attempt, host, deadline } = orphaned;
    let holder = host.clone();
    let found = store.read(move |store| {
        let Some(stored) = store.operation(id)? else { return store.given_up(id) };
        let known = stored.attempts.iter().find(|a| a.number == attempt);
        Ok(known.is_some_and(|known| {
            known.state.ended() || (known.state.on_host() && known.host.as_ref() != Some(&holder))
        }))
    });
    if !matches!(found.await, Ok(true)) {
        return;
    }
    let body = CancelAttempt {
        attempt,
        reason: "the server has already ended this attempt".to_owned(),
        deadline_ms: deadline.as_millis() as u64,
        abandoned: true,
    };
    let path = format!("/host/v1/operations/{id}/cancel");
    match pool.post::<_, CancelAck>(&path, &body, Repeat::AtOnce).await {
        Ok(_) => {
            tracing::warn!(%host, operation = %id, attempt, "orphaned attempt stopped")
        }
        Err(error) => {
            tracing::warn!(%host, operation = %id, attempt, %error, "can't stop an orphaned attempt; retrying at the next reconciliation")
        }
    }
}

/// Fetches the result of an attempt that ended while the server did not listen.
pub(crate) async fn fetch_end(host_request: HostRequest, outcome: Outcome) {
    let result = match outcome {
        Outcome::Succeeded => {
            let path = format!("/host/v1/operations/{}/result", host_request.id);
            match host_request.pool.get::<ResultDoc>(&path).await {
                Ok(result) => Some(result),
                Err(error) => {
                    tracing::warn!(host = %host_request.host, operation = %host_request.id, %error, "can't fetch the result; the operation ends without it");
                    None
                }
            }
        }
        Outcome::Failed | Outcome::Cancelled | Outcome::NotStarted => None,
    };
    let body = protocol::host::HostEventBody::Ended { outcome, failure: None, result, usage: None };
    let attempt = host_request.attempt;
    host_request.report(Message::Host { attempt, at: Time::now(), body }).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::KindName;
    use tokio::net::TcpListener;
    use tokio::sync::mpsc;
    use tokio_util::task::TaskTracker;

    fn no_secrets() -> (tempfile::TempDir, SecretParams) {
        let folder = tempfile::tempdir().unwrap();
        let store = store::Sqlite::open(&folder.path().join("signalbox.db")).unwrap();
        (folder, SecretParams::new(None, StoreReader::new(std::sync::Arc::new(store), TaskTracker::new())))
    }

    fn to(address: std::net::SocketAddr) -> (HostRequest, StartAttempt, mpsc::Receiver<Command>) {
        let (coordinator, commands) = mpsc::channel(4);
        let id = OperationId::new();
        let host_request = HostRequest {
            coordinator,
            pool: Pool::new(&format!("http://{address}"), pool::PoolConfig::default()).unwrap(),
            host: HostName::new("data-1").unwrap(),
            id,
            attempt: 1,
            stop: CancellationToken::new(),
        };
        let kind = KindName::new("test.count").unwrap();
        let body = StartAttempt { id, attempt: 1, kind, params: serde_json::json!({}), resume_from: None };
        (host_request, body, commands)
    }

    #[tokio::test]
    async fn an_unsent_start_is_reported_as_undelivered() {
        // Nothing listens on this address any more.
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let (host_request, body, mut commands) = to(address);
        let (_folder, secrets) = no_secrets();
        start(host_request, body, None, secrets, CancellationToken::new()).await;
        assert!(matches!(commands.recv().await, Some(Command::Undelivered { attempt: 1, .. })));
    }

    #[tokio::test]
    async fn a_start_that_may_have_arrived_is_not_requeued() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (host_request, body, mut commands) = to(listener.local_addr().unwrap());
        let unwanted = CancellationToken::new();
        let (_folder, secrets) = no_secrets();
        let starting = tokio::spawn(start(host_request, body, None, secrets, unwanted.clone()));
        // The first request is read and not answered; the second is declined.
        let (mut first, _) = listener.accept().await.unwrap();
        let _ = first.read(&mut [0u8; 1024]).await.unwrap();
        drop(first);
        let (mut second, _) = listener.accept().await.unwrap();
        let _ = second.read(&mut [0u8; 1024]).await.unwrap();
        unwanted.cancel();
        second.write_all(b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        assert!(matches!(commands.recv().await, Some(Command::StartGivenUp { attempt: 1, .. })));
        starting.await.unwrap();
    }
}
