//! Problem documents as responses.

use axum::extract::rejection::{BytesRejection, JsonRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_wire::ApiError;
use protocol::{Problem, ProblemType};

/// Pause in seconds after which a client may try again what the server could not do for now.
const RETRY_AFTER: u32 = 2;

/// Error of all handlers.
pub struct Failed(pub Problem);

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl Failed {
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self(Problem::new(kind, detail))
    }
}

impl From<JsonRejection> for Failed {
    fn from(rejection: JsonRejection) -> Self {
        let detail = format!("{} Send JSON with content-type application/json.", rejection.body_text());
        Self::new(kind_of(rejection.status()), detail)
    }
}

impl From<BytesRejection> for Failed {
    fn from(rejection: BytesRejection) -> Self {
        Self::new(kind_of(rejection.status()), format!("{}.", rejection.body_text()))
    }
}

/// Type of an error in the body of a request.
fn kind_of(status: StatusCode) -> ProblemType {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => ProblemType::TooLarge,
        _ => ProblemType::BadRequest,
    }
}

impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Self {
        Self(error.problem)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let unavailable = self.0.status == StatusCode::SERVICE_UNAVAILABLE.as_u16();
        let error = ApiError::from(self.0);
        if unavailable { error.retry_after(RETRY_AFTER) } else { error }.into_response()
    }
}
