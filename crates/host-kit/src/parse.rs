//! Parts of a path and a query, parsed.

use crate::ApiError;
use axum::extract::rejection::QueryRejection;
use http_wire::bad_query;
use protocol::{OperationId, ProblemType};
use std::str::FromStr;

/// Result of a handler.
pub(crate) type HandlerResult<T> = Result<T, ApiError>;

/// ID of an operation, which the span of the request gets.
pub(crate) fn parse_id(text: &str) -> HandlerResult<OperationId> {
    let id = text
        .parse()
        .map_err(|e: protocol::NameError| ApiError::new(ProblemType::BadRequest, format!("{e}.")))?;
    http_wire::about_operation(id);
    Ok(id)
}

fn parse_as<T: FromStr>(text: &str, what: &str) -> HandlerResult<T> {
    text.parse().map_err(|_| {
        let text: String = text.chars().take(60).collect();
        ApiError::new(ProblemType::BadRequest, format!("'{text}' is not {what}."))
    })
}

/// Number of an attempt, which the span of the request gets.
pub(crate) fn parse_attempt(text: &str) -> HandlerResult<u32> {
    let attempt = parse_as(text, "an attempt number")?;
    http_wire::about_attempt(attempt);
    Ok(attempt)
}

/// Error of a query.
pub(crate) fn wrong_query(rejection: QueryRejection) -> ApiError {
    bad_query(&rejection, "See the host contract for the parameters.")
}
