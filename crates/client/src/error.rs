//! Errors of requests to the server.

use pool::{PoolError, TlsProblem, Unreached};
use protocol::{OperationId, Problem};
use std::time::Duration;
use thiserror::Error;

/// Longest part of an answer that an error quotes.
const MAX_QUOTED_CHARS: usize = 80;

/// Why a request has no result. Each text is a sentence without its full stop.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server rejected the request, in its own words, with the errors of single parameters.
    #[error("{}", text_of(.0))]
    Problem(Box<Problem>),
    /// Nothing answers at the server's URL.
    #[error("no server at {server}")]
    Unreachable { server: String },
    /// There is no trusted connection to the server.
    #[error("{server} {}", sentence(.problem))]
    Tls { server: String, problem: TlsProblem },
    /// The proxy on the way to the server does not pass requests on.
    #[error(
        "{server} can't be reached: {cause}. Check the environment variables HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
    )]
    Proxy { server: String, cause: String },
    /// The connection ended before the answer was complete.
    #[error(
        "the server at {server} closed the connection before its answer was complete ({cause}). The server may have \
         stopped or restarted, or a proxy or the network cut the connection"
    )]
    Broken { server: String, cause: String },
    /// The command's agent ended before it returned the answer.
    #[error(
        "the agent, a local background process that sends requests to the server at {server}, ended before it returned an \
         answer ({cause}). `--no-agent` sends requests directly"
    )]
    AgentEnded { server: String, cause: String },
    /// The server did not answer in time.
    #[error(
        "the server at {server} did not answer within {after:?}. The server may be busy or hung; check its log"
    )]
    Timeout { server: String, after: Duration },
    /// A page of log lines did not arrive in time, so the next one is smaller.
    #[error(
        "the server at {server} did not send the next lines of the log ({lines} at once) within {after:?}. The \
         connection may be slow, or the server busy"
    )]
    SlowLog { server: String, lines: u64, after: Duration },
    /// The answer is not that of this API.
    #[error("{server} did not respond as this version of Signalbox expects: {cause}")]
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
    /// Whether the server may have acted on the request although there was no complete answer.
    pub fn outcome_unknown(&self) -> bool {
        matches!(self, Self::Broken { .. } | Self::AgentEnded { .. } | Self::Timeout { .. })
    }

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
            PoolError::Unreachable { why: Unreached::Broken(cause), .. } => Self::Broken { server, cause },
            PoolError::Unreachable { why: Unreached::Tls(problem), .. } => Self::Tls { server, problem },
            PoolError::Unreachable { why: Unreached::Proxy(cause), .. } => Self::Proxy { server, cause },
            PoolError::Unreachable { .. } => Self::Unreachable { server },
            PoolError::Timeout { after, .. } => Self::Timeout { server, after },
            PoolError::Decode { cause, .. } => Self::Decode { server, cause },
            PoolError::BadUrl { url, cause } => Self::BadUrl { url, cause },
            other => Self::Other(other),
        }
    }
}

impl ClientError {
    /// Error of an answer with a status other than 2xx.
    pub(crate) fn of_status(server: &str, status: u16, body: &[u8]) -> Self {
        match serde_json::from_slice::<Problem>(body) {
            Ok(problem) => Self::Problem(Box::new(problem)),
            Err(_) => {
                let body: String = String::from_utf8_lossy(body).chars().take(MAX_QUOTED_CHARS).collect();
                let cause = format!("it rejected the request ({status}): {body}");
                Self::Decode { server: server.to_owned(), cause }
            }
        }
    }
}

/// Without its last full stop.
fn sentence(problem: &TlsProblem) -> String {
    problem.to_string().trim_end_matches('.').to_owned()
}

fn text_of(problem: &Problem) -> String {
    let mut text = problem.detail.clone();
    for field in &problem.fields {
        text.push_str(&format!("\n  {}: {}", field.field, field.message));
    }
    text
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
        let text = ClientError::from_pool("http://a", error).to_string();
        assert_eq!(text, "Invalid parameters for data.load.\n  symbol: Symbol is required.");
    }
}
