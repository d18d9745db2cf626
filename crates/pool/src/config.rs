//! What can be set about a pool, and what it is when nobody sets it.

use crate::Backoff;
use std::fmt;
use std::time::Duration;

/// Limits, times and the token of one [`crate::Pool`].
#[derive(Clone)]
pub struct PoolConfig {
    /// Requests under way at once, and idle connections kept; 10. Zero counts as one.
    pub max_connections: usize,
    /// How long the opening of a connection may take; 30 s.
    pub connect_timeout: Duration,
    /// How long an idle connection is kept for the next request; 300 s.
    pub keep_alive: Duration,
    /// How long one try may take, from its sending to the last byte of the answer; 30 s. The wait for a free
    /// place among `max_connections` is not part of it.
    pub request_timeout: Duration,
    /// How often a request that is safe to repeat is tried again; 3, which makes four tries.
    pub retries: u32,
    /// The waits between the tries; 50 ms, doubling, at most 5 s, with full jitter.
    pub backoff: Backoff,
    /// Sent with each request as `Authorization: Bearer`.
    pub token: Option<String>,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            max_connections: 10,
            connect_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(300),
            request_timeout: Duration::from_secs(30),
            retries: 3,
            backoff: Backoff::default(),
            token: None,
        }
    }
}

/// All of it but the token: configurations end up in logs, tokens must not.
impl fmt::Debug for PoolConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolConfig")
            .field("max_connections", &self.max_connections)
            .field("connect_timeout", &self.connect_timeout)
            .field("keep_alive", &self.keep_alive)
            .field("request_timeout", &self.request_timeout)
            .field("retries", &self.retries)
            .field("backoff", &self.backoff)
            .field("token", &self.token.as_ref().map(|_| "(set)"))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_not_printed() {
        let config = PoolConfig { token: Some("open-sesame".into()), ..PoolConfig::default() };
        let printed = format!("{config:?}");
        assert!(!printed.contains("sesame") && printed.contains("(set)"), "{printed}");
    }
}
