//! Errors of requests, with what the command line can do about them.

use anyhow::anyhow;
use client::{ClientError, TlsProblem};

/// Error of a request with what the command line can do about it.
pub fn advised(error: ClientError) -> anyhow::Error {
    match error {
        ClientError::Unreachable { .. } => {
            anyhow!(
                "{error}. Start a server with `signalbox serve`, or set the address of a running server with --server \
                 URL"
            )
        }
        ClientError::Tls { server, problem: problem @ TlsProblem::UnknownIssuer } => anyhow!(
            "{server} {}. If the certificate is from a private CA, use --ca FILE with the CA's certificate (PEM)",
            problem.reason()
        ),
        ClientError::Decode { .. } => anyhow!(
            "{error}. Check the address (--server URL); a proxy or a login page may have answered instead of the server"
        ),
        error => error.into(),
    }
}

/// Text of an error, with a full stop.
pub fn sentence(error: &impl ToString) -> String {
    let text = error.to_string();
    if text.ends_with(['.', '?']) { text } else { format!("{text}.") }
}

/// Error of a request that changes something, with what may have happened all the same.
pub fn unsure(error: ClientError, outcome: &str) -> anyhow::Error {
    if error.outcome_unknown() { anyhow!("{} {outcome}", sentence(&error)) } else { advised(error) }
}
