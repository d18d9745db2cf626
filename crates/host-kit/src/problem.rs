//! Problem documents as HTTP responses.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::{Problem, ProblemType};

/// Refusal of a request: a [`Problem`] that axum can respond with, for handlers here and in [`crate::Work::artifacts`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub problem: Problem,
    /// Seconds after which to try again.
    pub retry_after: Option<u32>,
}

impl Refusal {
    /// Refusal with the status of its type; `detail` says what happened, why, and what to do next.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self { problem: Problem::new(kind, detail), retry_after: None }
    }

    /// Sets when to try again.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self { problem, retry_after: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self.problem).expect("a problem has only strings and numbers");
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
