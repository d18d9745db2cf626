//! Configuration of a pool, with defaults.

use crate::Backoff;
use https_client::{Proxies, Tls};
use std::fmt;
use std::time::Duration;

/// Limits, times and token of a [`crate::Pool`].
#[derive(Clone)]
pub struct PoolConfig {
    /// Number of parallel requests and of idle connections; 10. Zero counts as one.
    pub max_connections: usize,
    /// Timeout of opening a connection; 30 s.
    pub connect_timeout: Duration,
    /// Time for which an idle connection is kept; 300 s.
    pub keep_alive: Duration,
    /// Timeout of one try, from sending to the last byte of the response; 30 s. Excludes the wait for one of
    /// `max_connections`.
    pub request_timeout: Duration,
    /// Number of retries of a request that is safe to repeat; 3, so four tries.
    pub retries: u32,
    /// Whether a try that reached `request_timeout` is repeated; true. A person who waits wants the error instead.
    pub retry_timeouts: bool,
    /// Pauses between tries; 50 ms, doubling, at most 5 s, with full jitter.
    pub backoff: Backoff,
    /// Sent with each request as `Authorization: Bearer`.
    pub token: Option<String>,
    /// Trusted certificates for `https://`, and the client's own; those of the system.
    pub tls: Tls,
    /// Proxies; none.
    pub proxies: Proxies,
    /// Patterns of paths by which requests are counted ([`crate::Pool::requests`]): `{name}` stands for one segment,
    /// `{*name}` for all that follow. Empty: all requests are counted together.
    pub routes: &'static [&'static str],
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self {
            max_connections: 10,
            connect_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(300),
            request_timeout: Duration::from_secs(30),
            retries: 3,
            retry_timeouts: true,
            backoff: Backoff::default(),
            token: None,
            tls: Tls::default(),
            proxies: Proxies::default(),
            routes: &[],
        }
    }
}

/// Omits the token, because configurations are logged.
impl fmt::Debug for PoolConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolConfig")
            .field("max_connections", &self.max_connections)
            .field("connect_timeout", &self.connect_timeout)
            .field("keep_alive", &self.keep_alive)
            .field("request_timeout", &self.request_timeout)
            .field("retries", &self.retries)
            .field("retry_timeouts", &self.retry_timeouts)
            .field("backoff", &self.backoff)
            .field("token", &self.token.as_ref().map(|_| "(set)"))
            .field("tls", &self.tls)
            .field("proxies", &self.proxies)
            .field("routes", &self.routes)
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
