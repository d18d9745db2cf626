//! One request to a webhook. Follows no redirects, and sends nothing anywhere but to the configured address.

use super::failed::Failed;
use super::settings::SecretUrl;
use https_client::{Tls, connect_problem, root_cause};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode};
use std::time::Duration;

/// Header with the ID of the message, the same for each try, so that a receiver can recognize a repetition.
const DELIVERY_ID: &str = "signalbox-delivery";

/// Client of one destination.
pub(super) struct Webhook {
    client: Client,
    url: SecretUrl,
    timeout: Duration,
}

impl Webhook {
    /// Client for an address.
    ///
    /// # Errors
    /// If there can be no client.
    pub fn new(url: SecretUrl, timeout: Duration) -> Result<Self, String> {
        // Messages are rare: a kept connection would be closed by then.
        let builder = https_client::builder(&Tls::default()).pool_max_idle_per_host(0).timeout(timeout);
        Ok(Self { client: builder.build().map_err(|error| root_cause(&error))?, url, timeout })
    }

    /// Sends a message; returns the status of success.
    ///
    /// # Errors
    /// Why it is not delivered.
    pub async fn send(&self, id: &str, body: Vec<u8>) -> Result<u16, Failed> {
        let request = self.client.post(self.url.expose().as_str());
        let request = request.header(CONTENT_TYPE, "application/json").header(DELIVERY_ID, id).body(body);
        match request.send().await {
            Ok(response) => outcome(response.status()),
            Err(error) if error.is_timeout() => Err(Failed::timeout(self.timeout)),
            Err(error) => Err(Failed::Transient(None, cause(error))),
        }
    }
}

/// Why there was no response. Without the advice on TLS: a destination has no CA of its own.
fn cause(error: reqwest::Error) -> String {
    match connect_problem(&error) {
        Some(problem) => format!("the webhook {}", problem.reason()),
        None => root_cause(&error.without_url()),
    }
}

/// Meaning of a status.
fn outcome(status: StatusCode) -> Result<u16, Failed> {
    let code = status.as_u16();
    match code {
        200..=299 => Ok(code),
        300..=399 => {
            Err(Failed::Refused(code, "the webhook responded with a redirect, which is not followed".into()))
        }
        408 | 425 | 429 | 500..=599 => {
            Err(Failed::Transient(Some(code), format!("the webhook responded with {status}")))
        }
        _ => Err(Failed::Refused(code, format!("the webhook responded with {status}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_that_may_pass_are_tried_again() {
        let of = |code: u16| outcome(StatusCode::from_u16(code).unwrap());
        assert_eq!(of(204), Ok(204));
        for code in [429, 500, 503] {
            assert!(matches!(of(code), Err(Failed::Transient(Some(status), _)) if status == code), "{code}");
        }
        for code in [302, 307, 400, 404] {
            assert!(matches!(of(code), Err(Failed::Refused(status, _)) if status == code), "{code}");
        }
    }
}
