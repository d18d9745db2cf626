//! Queries: read by axum, rejected with a problem document.

use crate::ApiError;
use axum::extract::rejection::QueryRejection;
use protocol::ProblemType;

/// Error of a query that can't be read; `hint` says where the parameters are described.
pub fn bad_query(rejection: &QueryRejection, hint: &str) -> ApiError {
    ApiError::new(ProblemType::BadRequest, format!("{}. {hint}", rejection.body_text()))
}
