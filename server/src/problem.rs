//! Problem documents as responses, and the wording of the engine's errors for users.

use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use engine::{Denied, EngineError};
use http_wire::ApiError;
use protocol::{FieldError, HostName, KindName, Problem, ProblemType, State};

/// Pause in seconds after which a client may try again what the server could not do for now.
const RETRY_AFTER: u32 = 2;

/// Error of all routes: an [`ApiError`] made from errors of the engine and rejections of axum.
pub struct RouteError(ApiError);

impl From<Problem> for RouteError {
    fn from(problem: Problem) -> Self {
        Self(problem.into())
    }
}

impl From<EngineError> for RouteError {
    fn from(error: EngineError) -> Self {
        Self(problem_of(error).into())
    }
}

impl RouteError {
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self(ApiError::new(kind, detail))
    }

    /// The body is larger than the routes accept.
    pub fn too_large() -> Self {
        Self::new(ProblemType::TooLarge, "The request body is larger than 1 MiB. Send less at once.")
    }
}

impl From<JsonRejection> for RouteError {
    fn from(rejection: JsonRejection) -> Self {
        let detail = format!("{}. Send JSON with content-type application/json.", rejection.body_text());
        of_body(rejection.status(), detail)
    }
}

impl From<BytesRejection> for RouteError {
    fn from(rejection: BytesRejection) -> Self {
        of_body(rejection.status(), format!("{}.", rejection.body_text()))
    }
}

/// Error in the body of a request.
fn of_body(status: StatusCode, detail: String) -> RouteError {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return RouteError::too_large();
    }
    RouteError::new(ProblemType::BadRequest, detail)
}

impl From<ApiError> for RouteError {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl IntoResponse for RouteError {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let unavailable = error.problem.status == StatusCode::SERVICE_UNAVAILABLE.as_u16();
        let wait = unavailable && error.retry_after.is_none();
        if wait { error.retry_after(RETRY_AFTER) } else { error }.into_response()
    }
}

/// Longest quoted path of a host, in characters.
const MAX_QUOTED_PATH: usize = 200;

/// Problem document for an error of the engine: what happened, why, and what to do.
pub fn problem_of(error: EngineError) -> Problem {
    let (kind, detail) = match error {
        EngineError::OperationNotFound(id) => (
            ProblemType::NotFound,
            format!("There is no operation with the ID {id}. It may have been deleted; see /operations."),
        ),
        EngineError::RuleNotFound(id) => {
            (ProblemType::NotFound, format!("Operation {id} has no auto-cancel rule. Set one with PUT."))
        }
        EngineError::HostNotFound(host) => {
            (ProblemType::NotFound, format!("There is no host '{host}' in the configuration. See /hosts."))
        }
        EngineError::ArtifactNotFound { id, name } => (
            ProblemType::NotFound,
            format!("Operation {id} has no artifact '{name}'. Its result lists the available ones."),
        ),
        EngineError::UnknownKind { kind, hosts_configured: false, .. } => (
            ProblemType::UnknownKind,
            format!("Unknown kind '{kind}': no hosts are configured. Add a host to the configuration."),
        ),
        EngineError::UnknownKind { kind, known, hosts_configured: true } => {
            (ProblemType::UnknownKind, format!("Unknown kind '{kind}'.{}", available(&known)))
        }
        EngineError::KindNotKnownYet { kind, known, missing } => {
            let missing: Vec<&str> = missing.iter().map(HostName::as_str).collect();
            let detail = format!(
                "Kind '{kind}' is not known yet: not all hosts have connected since the server started (missing: {}). \
                 Try again in a moment; see /hosts.{}",
                missing.join(", "),
                available(&known)
            );
            (ProblemType::Unavailable, detail)
        }
        EngineError::InvalidParams(fields) => return invalid(fields),
        EngineError::NoSecretKey(names) => {
            let (listed, are) = (names.join(", "), if names.len() == 1 { "is" } else { "are" });
            let detail = format!(
                "{listed} {are} secret, and the server has no key to encrypt secrets, so nothing was started. Create a key \
                 with `(umask 077; signalbox secrets new-key > secrets.key)`, set key_file \
                 below [secrets] in the configuration, and restart the server."
            );
            let fields = names.into_iter().map(|name| FieldError::new(name, "The server has no key to encrypt it."));
            return Problem::new(ProblemType::Conflict, detail).with_fields(fields.collect());
        }
        EngineError::SecretsUnreadable { id, source } => (
            ProblemType::Conflict,
            format!(
                "The secret parameters of operation {id} can't be decrypted: {source}. If a key is missing, add it to the \
                 file that secrets.key_file names, and restart the server. Otherwise, start a new operation and enter \
                 the secrets again."
            ),
        ),
        EngineError::NotEncrypted => (
            ProblemType::Internal,
            "The system has no random numbers, so secrets can't be encrypted. Nothing was started.".into(),
        ),
        EngineError::KeyReused => (
            ProblemType::KeyReused,
            "This Idempotency-Key was already used for another request. Use a new key for a new operation.".into(),
        ),
        EngineError::KeyOfDeleted => (
            ProblemType::Deleted,
            "This request was accepted earlier, and its operation was deleted. Use a new Idempotency-Key to start \
             another operation."
                .into(),
        ),
        EngineError::KeyAccepted => (
            ProblemType::Conflict,
            "This request was accepted earlier; see /operations for its operation.".into(),
        ),
        EngineError::Denied(denied) => (ProblemType::Conflict, explained(denied)),
        EngineError::ParentEnding(parent) => (
            ProblemType::Conflict,
            format!("Operation {parent} has ended or is being cancelled, so it can't start child operations."),
        ),
        EngineError::NotEnded(state) => (
            ProblemType::Conflict,
            format!("The operation is {state}, so it can't be deleted yet. Cancel it first, or wait until it has ended."),
        ),
        EngineError::ChildrenNotEnded(running) => {
            let who = match running {
                1 => "One child operation has".to_owned(),
                n => format!("{n} child operations have"),
            };
            let detail =
                format!("{who} not ended, so the operation can't be deleted yet. Cancel active child operations first.");
            (ProblemType::Conflict, detail)
        }
        EngineError::Changed(id) => (
            ProblemType::Conflict,
            format!("Operation {id} changed during the request: it was retried or deleted. Reload it, and check its state."),
        ),
        EngineError::NotStoredYet => (
            ProblemType::Unavailable,
            "The database can't be written, and this operation is not stored yet. The cancel request was sent to its \
             host, but it is not stored. Check the disk of the server, then cancel again."
                .into(),
        ),
        EngineError::Unreadable(error) => {
            (ProblemType::Unavailable, format!("The database can't be read: {error}."))
        }
        EngineError::Unwritable(reason) => (
            ProblemType::Unavailable,
            format!("The database can't be written, so changes are rejected: {reason}."),
        ),
        EngineError::ArtifactHostRemoved => (
            ProblemType::HostAway,
            "The host of this artifact is no longer in the configuration. Add the host again to fetch the artifact.".into(),
        ),
        EngineError::ArtifactPathInvalid { host, path } => {
            let path: String = path.chars().take(MAX_QUOTED_PATH).collect();
            let detail = format!(
                "{host} named '{path}' as the path of this artifact. This path is not below /host/v1/artifacts/, so the \
                 server did not fetch the artifact. This is a bug in the host."
            );
            (ProblemType::HostFault, detail)
        }
        EngineError::KindOutOfScope { kind, scope } => (
            ProblemType::Forbidden,
            format!(
                "Your role is limited to the kinds {scope}, and '{kind}' is not one of them. Ask an administrator for a role \
                 that includes this kind."
            ),
        ),
        EngineError::NoHostConnected(kind) => {
            (ProblemType::HostAway, format!("No host that supports '{kind}' is connected. See /hosts."))
        }
        EngineError::HostProblem(problem) => return *problem,
        EngineError::HostFailed { host, wanted, source } => {
            (ProblemType::HostAway, format!("{host} did not return the {wanted}: {source}"))
        }
        EngineError::Closing => (
            ProblemType::Unavailable,
            "The server is shutting down. Try again when it is back.".into(),
        ),
    };
    Problem::new(kind, detail)
}

fn explained(denied: Denied) -> String {
    match denied {
        Denied::CancelEnded(state) => {
            format!("The operation has already ended ({state}); there is nothing to cancel.")
        }
        Denied::AbandonEnded(state) => {
            format!("The operation has already ended ({state}); there is nothing to abandon.")
        }
        Denied::RuleEnded(state) => {
            let state = state.map_or_else(String::new, |state: State| format!(" ({state})"));
            format!("The operation has already ended{state}, so its auto-cancel rule can't be changed.")
        }
        Denied::BeingCancelled => {
            "The operation, or the operation that started it, is being cancelled, so it can't be changed or retried now. Try \
             again when the cancel has finished."
                .into()
        }
        Denied::EndsWithChildren => {
            "The operation can't be abandoned: its own work has stopped, and it ends when its last child operation ends. \
             Abandon child operations whose host is unreachable."
                .into()
        }
        Denied::HostConnected => {
            "The operation can't be abandoned: this is possible only while its host is unreachable or can't stop it. Cancel \
             the operation instead, so that the stop is confirmed."
                .into()
        }
        Denied::AttemptNotEnded(state) => {
            format!("The operation is {state}, so it can't be retried or resumed yet. Wait until the current attempt ends.")
        }
        Denied::Succeeded => {
            "The operation succeeded, so it can't be retried or resumed. Start a new operation with the same parameters \
             instead."
                .into()
        }
        Denied::NoCheckpoint => {
            "The operation can't be resumed, because it has no checkpoint. Retry starts it from the beginning.".into()
        }
        Denied::NotFailed(state) => format!("The operation is {state}, so its retry policy can't retry it. A retry policy applies only to failed operations."),
        Denied::ParentBeingCancelled => {
            "This operation can't be retried yet, because its parent operation is being cancelled. Retry it when the parent \
             has ended.".into()
        }
        Denied::NoLongerExists => "The operation no longer exists.".into(),
    }
}

fn available(kinds: &[KindName]) -> String {
    let names: Vec<&str> = kinds.iter().map(KindName::as_str).collect();
    if names.is_empty() { String::new() } else { format!(" Available kinds: {}.", names.join(", ")) }
}

fn invalid(fields: Vec<FieldError>) -> Problem {
    let first = fields.first().map(|field| field.message.clone()).unwrap_or_default();
    let more = match fields.len() {
        0 | 1 => String::new(),
        n => format!(" Other invalid parameters: {}.", n - 1),
    };
    Problem::new(ProblemType::BadParams, format!("{first}{more}")).with_fields(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_error_says_what_happened_and_what_to_do() {
        let problem = problem_of(EngineError::UnknownKind {
            kind: "data.laod".parse().unwrap(),
            known: vec!["data.load".parse().unwrap()],
            hosts_configured: true,
        });
        assert_eq!(problem.detail, "Unknown kind 'data.laod'. Available kinds: data.load.");
        let missing = vec!["gpu-1".parse().unwrap(), "gpu-2".parse().unwrap()];
        let kind = "training.fit".parse().unwrap();
        let problem = problem_of(EngineError::KindNotKnownYet { kind, known: Vec::new(), missing });
        assert_eq!(problem.kind, ProblemType::Unavailable);
        assert!(problem.detail.contains("(missing: gpu-1, gpu-2)"), "{}", problem.detail);
        let problem = problem_of(Denied::HostConnected.into());
        assert_eq!(problem.kind, ProblemType::Conflict);
        assert!(problem.detail.contains("Cancel the operation instead"), "{}", problem.detail);
    }

    #[test]
    fn the_first_invalid_parameter_is_explained_and_the_others_counted() {
        let fields = vec![
            FieldError::new("symbol", "Symbol is required."),
            FieldError::new("from", "From must be a date."),
            FieldError::new("to", "To must be a date."),
        ];
        let problem = problem_of(EngineError::InvalidParams(fields));
        assert_eq!(problem.detail, "Symbol is required. Other invalid parameters: 2.");
        assert_eq!((problem.status, problem.fields.len()), (422, 3));
    }

    #[test]
    fn a_problem_of_a_host_is_forwarded_unchanged() {
        let theirs = Problem::new(ProblemType::NotFound, "The artifact was deleted.");
        assert_eq!(problem_of(EngineError::HostProblem(Box::new(theirs.clone()))), theirs);
    }

    #[test]
    fn a_start_without_a_key_for_secrets_says_how_to_make_one() {
        let problem = problem_of(EngineError::NoSecretKey(vec!["token".into()]));
        assert!(
            problem.detail.starts_with("token is secret, and the server has no key"),
            "{}",
            problem.detail
        );
        // No other user of the machine may read the key.
        assert!(problem.detail.contains("(umask 077; signalbox secrets new-key"), "{}", problem.detail);
        assert_eq!((problem.status, problem.fields[0].field.as_str()), (409, "token"));
    }

    #[test]
    fn a_long_path_of_a_host_is_shortened() {
        let error = EngineError::ArtifactPathInvalid { host: "gpu".parse().unwrap(), path: "/x".repeat(900) };
        assert!(problem_of(error).detail.len() < 400);
    }
}
