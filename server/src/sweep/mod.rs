//! `analysis.sweep`, run by the server itself as a host on a loopback port with a private secret. It starts operations
//! of other kinds as children, through the engine, and ranks their results. The host also runs the demonstration.

mod params;
mod sweeping;
mod work;

use crate::adapters::secret;
use crate::demo::{self, Demo};
use anyhow::Context;
use engine::{Engine, HostConfig, RetryPolicy, SetParams};
use host_kit::Host;
use pool::PoolConfig;
use protocol::{FailureReason, HostName, KindName};
use serde_json::Value;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Name of the host.
const NAME: &str = "sweeps";
/// Kind name.
pub const KIND: &str = "analysis.sweep";
/// Maximum number of parallel sweeps, which only wait.
const CAPACITY: u32 = 8;
/// Timeout of a shutdown.
const STOP: Duration = Duration::from_secs(3);

/// Running sweep host.
pub struct Sweeps {
    engine: Arc<OnceLock<Engine>>,
    serving: JoinHandle<()>,
    stop: CancellationToken,
}

impl Sweeps {
    /// Starts the host, and returns the configuration for the engine. It needs [`Self::works_with`] before it can run
    /// sweeps.
    ///
    /// # Errors
    /// If no port is available.
    pub async fn start() -> anyhow::Result<(Self, HostConfig)> {
        let (engine, stop) = (Arc::<OnceLock<Engine>>::default(), CancellationToken::new());
        let secret = secret()?;
        let host = Host::builder(NAME, env!("CARGO_PKG_VERSION"))
            .capacity(CAPACITY)
            // It is a part of the server, which samples itself.
            .sampling(false)
            .work(work::Sweep { engine: engine.clone() })
            .work(Demo { engine: engine.clone() })
            .token(Some(secret.clone()))
            .stop_grace(Duration::from_secs(1))
            .build()?;
        let listener =
            TcpListener::bind("127.0.0.1:0").await.context("can't bind a port for the sweep host")?;
        let url = format!("http://{}", listener.local_addr()?);
        let leaving = stop.clone();
        let serving = tokio::spawn(async move {
            if let Err(error) = host.serve(listener, leaving).await {
                tracing::error!(%error, "the sweep host stopped with an error; sweeps and demonstrations can't run until the server restarts");
            }
        });
        let pool = PoolConfig { token: Some(secret), ..PoolConfig::default() };
        let config =
            HostConfig { name: HostName::new(NAME)?, url, pool, configured_at: None, in_process: true };
        Ok((Self { engine, serving, stop }, config))
    }

    /// Sets the engine that starts the operations.
    pub fn works_with(&self, engine: Engine) {
        // Called once.
        let _ = self.engine.set(engine);
    }

    /// Stops the host. Operations started by its sweeps continue.
    pub async fn close(self) {
        self.stop.cancel();
        if tokio::time::timeout(STOP, self.serving).await.is_err() {
            tracing::warn!(
                "the sweep host did not stop within {} s; the server exits without it",
                STOP.as_secs()
            );
        }
    }
}

/// Rewrites what a sweep varies for its title: `16 runs: fast 5–20, slow 50–200`.
pub fn in_words(kind: &KindName, params: &mut Value) {
    if kind.as_str() == KIND
        && let Some(words) = sweep_plan::words(params)
        && let Some(vary) = params.get_mut("vary")
    {
        *vary = words.into();
    }
}

/// Parameters that a sweep sets for its runs. It stores them in clear, so none of them may be secret.
pub fn sets(kind: &KindName, params: &Value) -> Option<SetParams> {
    if kind.as_str() != KIND {
        return None;
    }
    let text = |name: &str| params.get(name).and_then(Value::as_str).unwrap_or_default();
    let kind = text("run").parse().ok()?;
    // Also of texts that are invalid otherwise: the operation is stored before its host rejects them.
    let names = |by: &'static str| sweep_plan::names(text(by)).map(move |name| (name.to_owned(), by));
    let params = ["fixed", "vary"].into_iter().flat_map(names).collect();
    Some(SetParams { kind, params })
}

/// Retry policies of the server's own kinds: a restart of the server interrupts a sweep, not its runs, so by default it
/// resumes automatically. The demonstration has no checkpoint; its completed steps are kept all the same.
pub fn retry_policies() -> impl Iterator<Item = (KindName, RetryPolicy)> {
    let policy = RetryPolicy {
        attempts: 20,
        pause: Duration::from_millis(200),
        longest_pause: Duration::from_secs(60),
        resume: true,
        reasons: vec![FailureReason::HostRestarted, FailureReason::HostStopped],
    };
    let kinds = [(KIND, true), (demo::KIND, false)];
    kinds.into_iter().filter_map(move |(kind, resume)| {
        Some((KindName::new(kind).ok()?, RetryPolicy { resume, ..policy.clone() }))
    })
}
