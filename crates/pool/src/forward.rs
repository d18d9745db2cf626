//! Forward: sends the response of one service to another, chunk by chunk, without storing it.

use crate::error::TimeLimits;
use crate::{Pool, PoolError, body};
use bytes::Bytes;
use futures::stream::unfold;
use parking_lot::Mutex;
use reqwest::Body;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// End at which a forwarded body broke.
#[derive(Debug, Error)]
pub enum ForwardError {
    /// Reading failed.
    #[error(transparent)]
    Source(PoolError),
    /// Writing failed.
    #[error(transparent)]
    Target(PoolError),
}

/// Time limits of a forwarded body.
#[derive(Clone, Copy, Debug)]
pub struct ForwardLimits {
    /// Until the next chunk.
    pub silence: Duration,
    /// In total.
    pub whole: Duration,
}

impl Pool {
    /// Reads `path` here and sends it to `target` at another service with PUT. One try, on separate connections.
    ///
    /// # Errors
    /// [`ForwardError`]; the other service must discard an incomplete file.
    pub async fn forward(
        &self,
        path: &str,
        to: &Pool,
        target: &str,
        limits: ForwardLimits,
    ) -> Result<(), ForwardError> {
        let (url, target_url) = (self.address(path), to.address(target));
        let times = TimeLimits { connect: limits.silence, whole: limits.whole };
        let asking = self.stream_client().get(self.full(path).map_err(ForwardError::Source)?).send();
        let response = match tokio::time::timeout(limits.silence, asking).await {
            Err(_) => {
                let what = "start its response";
                return Err(ForwardError::Source(PoolError::Timeout { url, after: limits.silence, what }));
            }
            Ok(Err(e)) => return Err(ForwardError::Source(PoolError::from_client(&url, &e, times))),
            Ok(Ok(response)) if !response.status().is_success() => {
                return Err(ForwardError::Source(body::refusal(response, &url).await));
            }
            Ok(Ok(response)) => response,
        };
        // Error of the source, because for the target the request merely broke off.
        let fault = Arc::new(Mutex::new(None));
        let pieces = unfold(Some((response, url, Arc::clone(&fault))), move |open| async move {
            let (mut response, url, fault) = open?;
            let error = match tokio::time::timeout(limits.silence, response.chunk()).await {
                Ok(Ok(Some(piece))) => {
                    return Some((Ok::<Bytes, io::Error>(piece), Some((response, url, fault))));
                }
                Ok(Ok(None)) => return None,
                Ok(Err(e)) => PoolError::from_client(&url, &e, times),
                Err(_) => PoolError::Timeout { url, after: limits.silence, what: "send any data" },
            };
            *fault.lock() = Some(error);
            Some((Err(io::Error::other("the source was interrupted")), None))
        });
        let putting = to.stream_client().put(to.full(target).map_err(ForwardError::Target)?);
        let putting = putting.body(Body::wrap_stream(pieces)).send();
        let put = tokio::time::timeout(limits.whole, putting).await;
        if let Some(error) = fault.lock().take() {
            return Err(ForwardError::Source(error));
        }
        match put {
            Err(_) => {
                let what = "accept all data";
                Err(ForwardError::Target(PoolError::Timeout { url: target_url, after: limits.whole, what }))
            }
            Ok(Err(e)) => Err(ForwardError::Target(PoolError::from_client(&target_url, &e, times))),
            Ok(Ok(response)) if !response.status().is_success() => {
                Err(ForwardError::Target(body::refusal(response, &target_url).await))
            }
            Ok(Ok(_)) => Ok(()),
        }
    }
}
