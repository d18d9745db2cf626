//! Problem documents (RFC 9457) as responses.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::{Problem, ProblemType};

/// Media type of a problem document.
pub const PROBLEM: &str = "application/problem+json";

/// Error of a handler: a [`Problem`] that axum can respond with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// Body of the response.
    pub problem: Problem,
    /// Seconds after which to try again.
    pub retry_after: Option<u32>,
}

impl ApiError {
    /// Error with the status of its type; `detail` says what happened, why, and what to do next.
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self { problem: Problem::new(kind, detail), retry_after: None }
    }

    /// Sets when to try again.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Error of a method that a route does not have: 405, which has no problem type of its own.
    pub fn wrong_method(detail: impl Into<String>) -> Self {
        let mut error = Self::new(ProblemType::BadRequest, detail);
        error.problem.status = StatusCode::METHOD_NOT_ALLOWED.as_u16();
        error
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self { problem, retry_after: None }
    }
}

/// Problem of a response, in its extensions, so that the ID of the request can be added to it.
#[derive(Clone)]
pub(crate) struct Reported(pub Problem);

pub(crate) fn json(problem: &Problem) -> Vec<u8> {
    serde_json::to_vec(problem).expect("a problem has only strings and numbers")
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = json(&self.problem);
        let mut response = (status, [(header::CONTENT_TYPE, PROBLEM)], body).into_response();
        response.extensions_mut().insert(Reported(self.problem));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_document_has_status_media_type_and_retry_after() {
        let response = ApiError::new(ProblemType::Unavailable, "Busy.").retry_after(2).into_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM);
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
        let response = ApiError::wrong_method("GET alone.").into_response();
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert!(!response.headers().contains_key(header::RETRY_AFTER));
    }
}
