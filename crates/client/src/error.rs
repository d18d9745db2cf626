//! Errors of requests to the server.

use pool::PoolError;
use protocol::{OperationId, Problem};
use std::time::Duration;
use thiserror::Error;

/// Why a request has no result. Each text is a sentence without its full stop.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server rejected the request, in its own words, with the errors of single parameters.
    #[error("{}", words(.0))]
    Problem(Box<Problem>),
    /// Nothing answers at the server's URL.
    #[error("no server at {server}")]
    Unreachable { server: String },
    /// The server did not answer in time.
    #[error("the server at {server} did not answer within {after:?}. It may be busy or hung; check its log")]
    Timeout { server: String, after: Duration },
    /// The answer is not that of this API.
    #[error("{server} does not answer like this version of Signalbox: {cause}")]
    Decode { server: String, cause: String },
    /// The URL of the server is invalid.
    #[error("invalid server URL '{url}': {cause}. Example: http://127.0.0.1:7200")]
    BadUrl { url: String, cause: String },
    /// The followed operation was deleted.
    #[error("operation {0} was deleted")]
    Deleted(OperationId),
    #[error(transparent)]
    Other(PoolError),
}

impl ClientError {
    /// Error of a request to the server at this URL.
    pub(crate) fn from_pool(server: &str, error: PoolError) -> Self {
        let server = server.to_owned();
        match error {
            PoolError::Status { status, problem: Some(problem), .. } => {
                match serde_json::from_value::<Problem>((*problem).clone()) {
                    Ok(problem) => Self::Problem(Box::new(problem)),
                    Err(_) => Self::Decode {
                        server,
                        cause: format!("it rejected the request ({status}): {problem}"),
                    },
                }
            }
            PoolError::Unreachable { .. } => Self::Unreachable { server },
            PoolError::Timeout { after, .. } => Self::Timeout { server, after },
            PoolError::Decode { cause, .. } => Self::Decode { server, cause },
            PoolError::BadUrl { url, cause } => Self::BadUrl { url, cause },
            other => Self::Other(other),
        }
    }
}

fn words(problem: &Problem) -> String {
    let mut said = problem.detail.clone();
    for field in &problem.fields {
        said.push_str(&format!("\n  {}: {}", field.field, field.message));
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{FieldError, ProblemType};

    #[test]
    fn an_api_error_shows_the_servers_message_and_each_parameter() {
        let problem = Problem::new(ProblemType::BadParams, "Invalid parameters for data.load.")
            .with_fields(vec![FieldError::new("symbol", "Symbol is required.")]);
        let problem = Some(Box::new(serde_json::to_value(problem).unwrap()));
        let error = PoolError::Status {
            url: "http://a/api/v1/operations".into(),
            status: 422,
            retry_after: None,
            problem,
            body: String::new(),
        };
        let said = ClientError::from_pool("http://a", error).to_string();
        assert_eq!(said, "Invalid parameters for data.load.\n  symbol: Symbol is required.");
    }
}
