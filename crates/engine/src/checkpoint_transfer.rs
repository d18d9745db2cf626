//! Transfers the files of a checkpoint from the host that stores them to the host that resumes: hosts need not reach
//! each other, and nothing starts before all files have arrived intact.

use pool::{Backoff, ForwardError, ForwardLimits, Pool, PoolError};
use protocol::host::CheckpointFiles;
use protocol::{CheckpointFile, Failure, FailureReason, HostName, OperationId, Problem};
use std::time::Duration;

/// Time for which the storing host, and the resuming host, may be unreachable.
const SOURCE_ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
const TARGET_ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest silence within a file.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
/// Slowest accepted transfer rate, per second, which limits the time of a file: 128 KiB.
const MIN_BYTES_PER_SECOND: u64 = 128 << 10;

/// Transfer of one checkpoint.
pub(crate) struct CheckpointTransfer {
    pub(crate) id: OperationId,
    /// Attempt that made the checkpoint.
    pub(crate) attempt: u32,
    pub(crate) files: Vec<CheckpointFile>,
    /// Host that stores the files, and its pool while it is configured.
    pub(crate) keeper: HostName,
    pub(crate) from: Option<Pool>,
}

impl CheckpointTransfer {
    /// Description of the transfer, for users.
    pub(crate) fn description(&self) -> String {
        let bytes: u64 = self.files.iter().map(|file| file.bytes).sum();
        let files =
            if self.files.len() == 1 { "1 file".to_owned() } else { format!("{} files", self.files.len()) };
        let mib = bytes as f64 / f64::from(1 << 20);
        format!(
            "Transferring the checkpoint from {}: {files}, {mib:.1} MiB. The operation starts afterwards.",
            self.keeper
        )
    }

    /// Transfers files that the host does not have yet; keeps trying while that host is unreachable.
    ///
    /// # Errors
    /// If the files can't be transferred, with the reason and a hint.
    pub(crate) async fn to(&self, host: &HostName, pool: &Pool) -> Result<(), Failure> {
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(2));
        let since = tokio::time::Instant::now();
        loop {
            let error = match self.once(pool).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            if let Some(failure) = self.verdict(host, &error, since.elapsed()) {
                tracing::warn!(operation = %self.id, from = %self.keeper, to = %host, %error, "gave up transferring the checkpoint");
                return Err(failure);
            }
            tracing::warn!(operation = %self.id, from = %self.keeper, to = %host, %error, "can't transfer the checkpoint yet; retrying");
            tokio::time::sleep(backoff.next()).await;
        }
    }

    async fn once(&self, to: &Pool) -> Result<(), TransferError> {
        let folder = format!("/host/v1/operations/{}/checkpoints/{}", self.id, self.attempt);
        let has = to
            .get::<CheckpointFiles>(&folder)
            .await
            .map_err(|e| TransferError::Pipe(ForwardError::Target(e)))?
            .files;
        for file in self.files.iter().filter(|file| !has.contains(file)) {
            let from = self.from.as_ref().ok_or(TransferError::NotConfigured)?;
            let path = format!("{folder}/{}", file.name);
            let target = format!("{path}?sha256={}", file.sha256);
            let whole = IDLE_TIMEOUT * 2 + Duration::from_secs(file.bytes / MIN_BYTES_PER_SECOND);
            let limits = ForwardLimits { silence: IDLE_TIMEOUT, whole };
            from.forward(&path, to, &target, limits).await.map_err(TransferError::Pipe)?;
            tracing::info!(operation = %self.id, from = %self.keeper, file = file.name, "checkpoint file copied");
        }
        Ok(())
    }

    /// Failure to report for an error; `None` to try again.
    fn verdict(&self, host: &HostName, error: &TransferError, tried: Duration) -> Option<Failure> {
        let keeper = &self.keeper;
        let refresh = "or retry from the beginning.";
        let (message, hint) = match error {
            TransferError::NotConfigured => (
                format!("The checkpoint is stored on {keeper}, which is no longer in the configuration."),
                format!("Add {keeper} to the configuration again and resume, {refresh}"),
            ),
            TransferError::Pipe(ForwardError::Source(PoolError::Status { status: 404, .. })) => (
                format!("{keeper} no longer has the files of the checkpoint."),
                "Retry from the beginning.".to_owned(),
            ),
            TransferError::Pipe(ForwardError::Source(_)) if tried < SOURCE_ANSWER_TIMEOUT => return None,
            TransferError::Pipe(ForwardError::Source(error)) => (
                format!("The checkpoint is stored on {keeper} and can't be fetched: {error}"),
                format!("Resume when {keeper} is connected again, {refresh}"),
            ),
            TransferError::Pipe(ForwardError::Target(
                error @ PoolError::Status { status: 400..=499, .. },
            )) => (
                format!("The checkpoint files from {keeper} were rejected by {host}. {}", detail(error)),
                format!("Resume when {keeper} itself has a free slot, {refresh}"),
            ),
            // Same patience as a start has for its host.
            TransferError::Pipe(ForwardError::Target(_)) if tried < TARGET_ANSWER_TIMEOUT => return None,
            TransferError::Pipe(ForwardError::Target(error)) => (
                format!("The checkpoint files from {keeper} can't be transferred to {host}: {error}"),
                format!("Check {host} on the Hosts page; then resume, {refresh}"),
            ),
        };
        Some(Failure { reason: FailureReason::CheckpointAway, message, hint })
    }
}

#[derive(Debug, thiserror::Error)]
enum TransferError {
    #[error("the host that stores it is not in the configuration")]
    NotConfigured,
    #[error(transparent)]
    Pipe(ForwardError),
}

/// The host's own message, if it gave one.
fn detail(error: &PoolError) -> String {
    let PoolError::Status { problem: Some(value), .. } = error else { return error.to_string() };
    serde_json::from_value::<Problem>(*value.clone()).map_or_else(|_| error.to_string(), |p| p.detail)
}

/// Tells a host to delete the files of an operation's checkpoints. Tries once, because a host limits what it keeps.
pub(crate) async fn delete(id: OperationId, pool: Pool) {
    if let Err(error) = pool.delete(&format!("/host/v1/operations/{id}/checkpoints")).await {
        tracing::info!(operation = %id, %error, "can't delete the checkpoint files of a deleted operation; they stay on their host");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16) -> PoolError {
        let problem = Problem::new(protocol::ProblemType::Conflict, "Its SHA-256 is another.");
        let problem = serde_json::to_value(problem).ok().map(Box::new);
        PoolError::Status {
            url: "http://a/b".into(),
            status,
            retry_after: None,
            problem,
            body: String::new(),
        }
    }

    #[test]
    fn each_error_says_where_the_checkpoint_is_and_what_to_do() {
        let checkpoint_transfer = CheckpointTransfer {
            id: OperationId::new(),
            attempt: 1,
            files: Vec::new(),
            keeper: "gpu-1".parse().unwrap(),
            from: None,
        };
        let host = "gpu-2".parse().unwrap();
        let description = |transfer_error, tried| {
            checkpoint_transfer
                .verdict(&host, &transfer_error, tried)
                .map(|f| format!("{} {}", f.message, f.hint))
        };
        let source = |error| TransferError::Pipe(ForwardError::Source(error));
        let away = || PoolError::Timeout { url: "http://a".into(), after: IDLE_TIMEOUT, what: "answer" };
        assert!(
            description(TransferError::NotConfigured, Duration::ZERO)
                .unwrap()
                .contains("Add gpu-1 to the configuration again")
        );
        assert!(
            description(source(refused(404)), Duration::ZERO).unwrap().contains("no longer has the files")
        );
        assert_eq!(description(source(away()), Duration::ZERO), None, "retried for a while");
        assert!(
            description(source(away()), SOURCE_ANSWER_TIMEOUT)
                .unwrap()
                .contains("Resume when gpu-1 is connected again")
        );
        let target = |error| TransferError::Pipe(ForwardError::Target(error));
        assert!(
            description(target(refused(409)), Duration::ZERO)
                .unwrap()
                .contains("by gpu-2. Its SHA-256 is another.")
        );
        assert_eq!(description(target(away()), SOURCE_ANSWER_TIMEOUT), None);
        assert!(
            description(target(away()), TARGET_ANSWER_TIMEOUT)
                .unwrap()
                .contains("Check gpu-2 on the Hosts page")
        );
    }
}
