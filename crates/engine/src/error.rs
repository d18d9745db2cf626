//! Errors of the engine: typed, without HTTP and without text for users. The server turns them into problem documents.

use pool::PoolError;
use protocol::access::KindScope;
use protocol::{FieldError, HostName, KindName, OperationId, Problem, State};
use secrets::UnsealError;
use std::fmt;
use store::StoreError;
use thiserror::Error;

/// Error when an engine starts.
#[derive(Debug, Error)]
pub enum OpenError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("invalid configuration of host '{name}': {source}")]
    Host { name: HostName, source: PoolError },
    #[error("two hosts have the name '{0}'; give each host a unique name")]
    TwoHosts(HostName),
    #[error("can't start the database thread: {0}")]
    Thread(std::io::Error),
}

/// Reason why a request was refused or could not be fulfilled. Nothing was changed.
#[derive(Debug, Error)]
pub enum EngineError {
    #[error("operation {0} does not exist")]
    OperationNotFound(OperationId),
    #[error("operation {0} has no auto-cancel rule")]
    RuleNotFound(OperationId),
    #[error("host '{0}' is not configured")]
    HostNotFound(HostName),
    #[error("operation {id} has no artifact '{name}'")]
    ArtifactNotFound { id: OperationId, name: String },
    /// No host offers the kind, and all configured hosts have connected.
    #[error("kind '{kind}' is unknown")]
    UnknownKind { kind: KindName, known: Vec<KindName>, hosts_configured: bool },
    /// One of the hosts that have not connected since the server started may offer the kind.
    #[error("kind '{kind}' is not known yet")]
    KindNotKnownYet { kind: KindName, known: Vec<KindName>, missing: Vec<HostName> },
    /// At least one parameter, or field of a rule, is invalid.
    #[error("invalid parameters")]
    InvalidParams(Vec<FieldError>),
    /// These parameters are secret, and no key is configured to encrypt them.
    #[error("no key is configured for the secret parameters {}", .0.join(", "))]
    NoSecretKey(Vec<String>),
    /// The secret parameters of a stored operation can't be decrypted.
    #[error("the secret parameters of operation {id} can't be decrypted: {source}")]
    SecretsUnreadable { id: OperationId, source: UnsealError },
    /// The system has no random numbers.
    #[error("secret parameters can't be encrypted")]
    NotEncrypted,
    /// The idempotency key belongs to another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The idempotency key belongs to an operation that was deleted.
    #[error("the operation of this idempotency key was deleted")]
    KeyOfDeleted,
    /// The idempotency key belongs to an operation that is no longer in memory.
    #[error("a start request with this idempotency key was accepted earlier")]
    KeyAccepted,
    /// The state of the operation does not allow the request.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// A parent that has ended or is being cancelled can't start children.
    #[error("operation {0} has ended or is being cancelled, so it can't start child operations")]
    ParentEnding(OperationId),
    /// Only ended operations can be deleted.
    #[error("the operation is {0}, and only ended operations can be deleted")]
    NotEnded(State),
    /// Number of children that have not ended, so that their parent can't be deleted.
    #[error("{0} child operations have not ended, so the operation can't be deleted yet")]
    ChildrenNotEnded(usize),
    /// It was retried or deleted since it was read.
    #[error("operation {0} was retried or deleted meanwhile, so it was not deleted")]
    Changed(OperationId),
    /// A cancel was sent to the host of an operation that is not stored yet.
    #[error(
        "the database can't be written, and the operation is not stored yet; the cancel was sent to its host"
    )]
    NotStoredYet,
    #[error("the database can't be read: {0}")]
    Unreadable(#[source] StoreError),
    /// The database can't be written, and why.
    #[error("the database can't be written: {0}")]
    Unwritable(String),
    /// The host that made an artifact is no longer configured.
    #[error("the host of the artifact is not configured")]
    ArtifactHostRemoved,
    /// A host named a path that is not below `/host/v1/artifacts/`.
    #[error("{host} named '{path}' as the path of an artifact")]
    ArtifactPathInvalid { host: HostName, path: String },
    /// The sender may start only kinds of its scope.
    #[error("kind '{kind}' is outside of the scope {scope}")]
    KindOutOfScope { kind: KindName, scope: KindScope },
    #[error("no host that supports '{0}' is connected")]
    NoHostConnected(KindName),
    /// A host refused a request of the server with a problem document, which is passed on.
    #[error(transparent)]
    HostProblem(Box<Problem>),
    #[error("{host} did not return the {wanted}: {source}")]
    HostFailed { host: HostName, wanted: HostData, source: Box<PoolError> },
    /// The engine is shutting down.
    #[error("the engine is shutting down")]
    Closing,
}

impl EngineError {
    /// Error of a request to a host.
    pub(crate) fn of_host(host: HostName, wanted: HostData, error: PoolError) -> Self {
        if let PoolError::Status { problem: Some(value), .. } = &error
            && let Ok(problem) = serde_json::from_value(*value.clone())
        {
            return Self::HostProblem(Box::new(problem));
        }
        Self::HostFailed { host, wanted, source: Box::new(error) }
    }
}

/// Data that the engine requests from a host for a user.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HostData {
    Artifact,
    Preview,
}

impl fmt::Display for HostData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HostData::Artifact => "artifact",
            HostData::Preview => "preview",
        })
    }
}

/// Reason why the lifecycle does not allow a request in the current state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Denied {
    /// The operation has ended, so it can't be cancelled.
    #[error("the operation has already ended ({0}), so it can't be cancelled")]
    CancelEnded(State),
    /// The operation has ended, so it can't be abandoned.
    #[error("the operation has already ended ({0}), so it can't be abandoned")]
    AbandonEnded(State),
    /// The operation has ended, so its rule can't be changed; the state if it is known.
    #[error("the operation has already ended, so its rule can't be changed")]
    RuleEnded(Option<State>),
    /// A rule can't be set while the operation is being cancelled.
    #[error("the operation is being cancelled, so it can't be changed or retried now")]
    BeingCancelled,
    /// Its own work has stopped, and its children have not ended, so it can't be abandoned.
    #[error(
        "the operation's work has stopped, so it can't be abandoned; it ends when its last child operation ends"
    )]
    EndsWithChildren,
    /// Only an attempt whose host is unreachable or can't stop it can be abandoned.
    #[error("only an operation whose host is unreachable or can't stop it can be abandoned")]
    HostConnected,
    /// Another attempt is possible only after the current one.
    #[error("the operation is {0}, so it can't be retried or resumed yet")]
    AttemptNotEnded(State),
    /// A succeeded operation has no other attempt.
    #[error("the operation succeeded, so it can't be retried or resumed")]
    Succeeded,
    /// There is no checkpoint to resume from.
    #[error("the operation has no checkpoint, so it can't be resumed")]
    NoCheckpoint,
    /// The retry policy applies to failed operations only.
    #[error("the operation is {0}, and retry policies apply only to failed operations")]
    NotFailed(State),
    /// No other attempt is made while its parent is being cancelled.
    #[error("the parent operation is being cancelled, so this operation can't be retried yet")]
    ParentBeingCancelled,
    /// The operation is no longer in memory.
    #[error("the operation no longer exists")]
    NoLongerExists,
}
