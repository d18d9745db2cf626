//! Requests to the collector.

use crate::Signal;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use https_client::{Proxies, Tls, builder_for, connect_problem, root_cause};
use std::time::Duration;

/// Timeout of a request. A collector that hangs occupies one connection for each signal.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Largest response that is read.
const MAX_RESPONSE_BYTES: usize = 64 << 10;
/// Longest pause that the collector can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// Where and what to export.
#[derive(Clone)]
pub struct Settings {
    /// URL of the collector, without `/v1/…`.
    pub endpoint: String,
    /// Headers of each request, such as `authorization`.
    pub headers: HeaderMap,
    /// Attributes of the program.
    pub resource: Vec<(String, String)>,
    pub signals: Vec<Signal>,
    /// Interval of the metrics.
    pub metrics_interval: Duration,
    pub tls: Tls,
}

/// Outcome of a request.
pub(crate) enum Delivery {
    Accepted(Bytes),
    /// Worth another try, perhaps after this time.
    Failed(String, Option<Duration>),
    /// Another try would have the same outcome.
    Refused(String),
}

pub(crate) struct Client {
    http: reqwest::Client,
    endpoint: String,
    headers: HeaderMap,
}

impl Client {
    pub fn new(settings: &Settings) -> reqwest::Result<Self> {
        let endpoint = settings.endpoint.trim_end_matches('/').to_owned();
        let http = builder_for(&endpoint, &settings.tls, Proxies::default()).timeout(REQUEST_TIMEOUT);
        Ok(Self { http: http.build()?, endpoint, headers: settings.headers.clone() })
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub async fn post(&self, signal: Signal, body: Bytes) -> Delivery {
        let url = format!("{}/v1/{}", self.endpoint, signal.name());
        let request = self.http.post(url).headers(self.headers.clone()).body(body);
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        let mut response = match request.header(header::CONTENT_TYPE, protobuf).send().await {
            Ok(response) => response,
            Err(error) if error.is_timeout() => {
                return Delivery::Failed(format!("it did not respond within {REQUEST_TIMEOUT:?}"), None);
            }
            Err(error) => {
                let why = match connect_problem(&error) {
                    Some(problem) => format!("it {}. {}", problem.reason(), problem.advice()),
                    None => root_cause(&error),
                };
                return Delivery::Failed(why, None);
            }
        };
        let (status, after) = (response.status(), retry_after(response.headers()));
        let mut body = Vec::new();
        // Without its end, the connection would not be reused. A longer one is not the collector's.
        while let Ok(Some(chunk)) = response.chunk().await
            && body.len() + chunk.len() <= MAX_RESPONSE_BYTES
        {
            body.extend_from_slice(&chunk);
        }
        match status {
            _ if status.is_success() => Delivery::Accepted(body.into()),
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Delivery::Failed(format!("it responded with {status}"), after),
            _ => Delivery::Refused(format!("it responded with {status}")),
        }
    }
}

/// Seconds of the header; a date is not supported.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}
