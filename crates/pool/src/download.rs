//! Download: a response read piece by piece, which a later request can continue.

use crate::error::TimeLimits;
use crate::{Pool, PoolError, body};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, ETAG, IF_RANGE, RANGE};
use reqwest::Response;
use std::time::Duration;

/// Open download.
pub struct Download {
    response: Response,
    url: String,
    silence: Duration,
    /// First byte of this response; 0 if the service starts again.
    pub from: u64,
    /// Size of the whole, if the service says it.
    pub total: Option<u64>,
    /// Tag of this content, for a request that continues it.
    pub etag: Option<String>,
    pub media_type: String,
}

impl Pool {
    /// Downloads a path from a byte on, on a connection of its own. With the `etag` of an earlier part, a service whose
    /// content has changed sends all of it. One try; the caller continues after an error.
    ///
    /// - `silence` is the time without any data after which the download counts as cut.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn download(
        &self,
        path: &str,
        from: u64,
        etag: Option<&str>,
        silence: Duration,
    ) -> Result<Download, PoolError> {
        let url = self.address(path);
        let limits = TimeLimits { connect: silence, whole: silence };
        let mut request = self.stream_client().get(self.full(path)?);
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        if let Some(etag) = etag.filter(|_| from > 0) {
            request = request.header(IF_RANGE, etag);
        }
        let response = match tokio::time::timeout(silence, request.send()).await {
            Err(_) => return Err(PoolError::Timeout { url, after: silence, what: "start its response" }),
            Ok(Err(e)) => return Err(PoolError::from_client(&url, &e, limits)),
            Ok(Ok(response)) if !response.status().is_success() => {
                return Err(body::refusal(response, &url).await);
            }
            Ok(Ok(response)) => response,
        };
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
        let from = if response.status() == http::StatusCode::PARTIAL_CONTENT { from } else { 0 };
        let rest = header(CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
        Ok(Download {
            from,
            total: rest.map(|rest| from + rest),
            etag: header(ETAG).map(str::to_owned),
            media_type: body::media_type(&response),
            response,
            url,
            silence,
        })
    }
}

impl Download {
    /// Next piece; `None` at the end.
    ///
    /// # Errors
    /// [`PoolError`] if the connection broke or was silent.
    pub async fn next(&mut self) -> Result<Option<Bytes>, PoolError> {
        match tokio::time::timeout(self.silence, self.response.chunk()).await {
            Ok(Ok(piece)) => Ok(piece),
            Ok(Err(e)) => {
                let limits = TimeLimits { connect: self.silence, whole: self.silence };
                Err(PoolError::from_client(&self.url, &e, limits))
            }
            Err(_) => {
                let what = "send any data";
                Err(PoolError::Timeout { url: self.url.clone(), after: self.silence, what })
            }
        }
    }
}
