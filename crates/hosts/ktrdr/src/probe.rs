//! Health probe of a service. Its own `/health` is not used, because it reports healthy while real calls hang.
//!
//! A probe is one real read call. A health check returns the last outcome with its age, and starts a new probe if that
//! is too old. There is at most one probe at a time, with backoff after failures, because a hanging call also holds
//! resources on the service.

use crate::service::Protocol;
use crate::shape::{Node, succeeded};
use crate::timing::{Timing, seconds};
use crate::wire::{CallError, ServiceClient};
use parking_lot::Mutex;
use protocol::host::Check;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long the first health check waits for an outcome.
const FIRST: Duration = Duration::from_millis(1500);
/// Maximum interval after failures.
const MAX_PROBE_INTERVAL: Duration = Duration::from_secs(300);

pub(crate) struct Probe {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    wire: ServiceClient,
    path: String,
    protocol: Protocol,
    every: Duration,
    within: Duration,
    seen: Mutex<ProbeState>,
    news: Notify,
}

#[derive(Default)]
struct ProbeState {
    last: Option<Outcome>,
    failures: u32,
    under_way: Option<Instant>,
}

#[derive(Clone)]
struct Outcome {
    at: Instant,
    took: Duration,
    response: Result<(), String>,
}

impl Probe {
    pub fn new(name: &str, wire: ServiceClient, path: String, protocol: Protocol, timing: Timing) -> Self {
        Self {
            shared: Arc::new(Shared {
                name: format!("{} {name}", protocol.as_str()),
                wire,
                path,
                protocol,
                every: seconds(timing.probe_every),
                within: seconds(timing.probe),
                seen: Mutex::default(),
                news: Notify::new(),
            }),
        }
    }

    /// Last outcome with its age.
    pub async fn check(&self) -> Check {
        let shared = &self.shared;
        let news = shared.news.notified();
        let first = {
            let mut seen = shared.seen.lock();
            if seen.due(shared.every) {
                seen.under_way = Some(Instant::now());
                let shared = Arc::clone(shared);
                tokio::spawn(async move { shared.probe().await });
            }
            seen.last.is_none()
        };
        if first {
            // On a timeout there is no outcome yet.
            let _ = tokio::time::timeout(FIRST, news).await;
        }
        shared.check_of_state()
    }
}

impl ProbeState {
    fn due(&self, every: Duration) -> bool {
        let wait = (every * 2_u32.pow(self.failures.min(8))).min(MAX_PROBE_INTERVAL.max(every));
        self.under_way.is_none() && self.last.as_ref().is_none_or(|last| last.at.elapsed() >= wait)
    }
}

impl Shared {
    async fn probe(&self) {
        let probed_at = Instant::now();
        let response = match self.wire.get(&self.path, self.within).await {
            Ok(answer) => self.read(&answer).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let mut seen = self.seen.lock();
        seen.failures = if response.is_ok() { 0 } else { seen.failures.saturating_add(1) };
        seen.under_way = None;
        seen.last = Some(Outcome { at: Instant::now(), took: probed_at.elapsed(), response });
        drop(seen);
        self.news.notify_waiters();
    }

    /// Checks that the response is that of a working service.
    fn read(&self, answer: &serde_json::Value) -> Result<(), CallError> {
        let path = self.path.split('?').next().unwrap_or_default();
        let call = format!("GET {path}");
        let node = Node::answer(&call, answer);
        match self.protocol {
            Protocol::Training2025 => node.need("sessions")?.list().map(|_| ()),
            Protocol::Worker => {
                succeeded(&node)?;
                node.need("data")?.list().map(|_| ())
            }
            Protocol::Ib => {
                succeeded(&node)?;
                // Without its gateway it reports success with no content.
                match node.get("timestamp") {
                    Some(_) => Ok(()),
                    None => Err(CallError::Refused {
                        call: call.clone(),
                        status: 200,
                        detail: "success, but without a timestamp: the gateway of the ib host may be down"
                            .to_owned(),
                    }),
                }
            }
        }
    }

    fn check_of_state(&self) -> Check {
        let seen = self.seen.lock();
        let path = self.path.split('?').next().unwrap_or_default();
        let (ok, message) = match &seen.last {
            Some(Outcome { at, took, response: Ok(()) }) => (
                true,
                format!("GET {path} responded in {} ms, {} s ago.", took.as_millis(), at.elapsed().as_secs()),
            ),
            Some(Outcome { at, response: Err(why), .. }) => (
                false,
                format!(
                    "A test call failed {} s ago: {why}. Check that the service at {} is running{}. Its own /health \
                     may still report healthy.",
                    at.elapsed().as_secs(),
                    self.wire.base(),
                    if self.protocol == Protocol::Ib { " and that its gateway is logged in" } else { "" }
                ),
            ),
            None => (
                false,
                format!(
                    "GET {path} at {} has not responded for {} s. The state of the service is not known yet.",
                    self.wire.base(),
                    seen.under_way.map_or(0, |at| at.elapsed().as_secs())
                ),
            ),
        };
        Check { name: self.name.clone(), ok, message }
    }
}
