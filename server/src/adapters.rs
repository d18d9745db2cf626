//! Adapters to services of ktrdr, run by the server itself. Each is a host on a loopback port with a secret of this
//! process. They only observe; the work is done by the service.

use anyhow::Context;
use engine::{HostConfig, RetryPolicy};
use ktrdr_host::{AdapterConfig, Protocol};
use pool::PoolConfig;
use protocol::{HostName, KindName};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Time that they have to stop observing.
const STOP: Duration = Duration::from_secs(3);

/// Adapter, as configured.
#[derive(Clone, Debug)]
pub struct Adapter {
    pub name: HostName,
    pub config: AdapterConfig,
}

/// Running adapters.
#[derive(Default)]
pub struct Adapters {
    serving: Vec<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Adapters {
    /// Starts the adapters, and returns their configuration for the engine. Their services may be down.
    ///
    /// # Errors
    /// If one is configured incorrectly.
    pub async fn start(adapters: &[Adapter]) -> anyhow::Result<(Self, Vec<HostConfig>)> {
        let mut running = Self::default();
        let mut hosts = Vec::new();
        for Adapter { name, config } in adapters {
            // This token distinguishes a cancelled run from one that is merely no longer observed.
            let leaving = running.stop.child_token();
            let secret = secret()?;
            let host = ktrdr_host::builder(name.as_str(), config, leaving.clone())?
                .token(Some(secret.clone()))
                .build()
                .with_context(|| format!("can't create the adapter '{name}'"))?;
            let listener =
                TcpListener::bind("127.0.0.1:0").await.context("can't bind a port for an adapter")?;
            let url = format!("http://{}", listener.local_addr()?);
            tracing::info!(%name, protocol = config.protocol.as_str(), service = config.url, "adapter started");
            let who = name.clone();
            running.serving.push(tokio::spawn(async move {
                if let Err(error) = host.serve(listener, leaving).await {
                    tracing::error!(name = %who, %error, "adapter stopped with an error; its host is unreachable until the server restarts");
                }
            }));
            let pool = PoolConfig { token: Some(secret), ..PoolConfig::default() };
            hosts.push(HostConfig {
                name: name.clone(),
                url,
                pool,
                configured_at: Some(config.url.clone()),
                in_process: false,
            });
        }
        Ok((running, hosts))
    }

    /// Stops the adapters; runs of the services continue.
    pub async fn close(self) {
        self.stop.cancel();
        for serving in self.serving {
            if tokio::time::timeout(STOP, serving).await.is_err() {
                tracing::warn!(
                    "an adapter did not stop within {} s; the server exits without it",
                    STOP.as_secs()
                );
            }
        }
    }
}

/// Default retry policy: a restart of the server does not affect a run of a service, so it is resumed automatically.
pub fn follow_again(protocol: Protocol) -> Vec<(KindName, RetryPolicy)> {
    let kinds: &[&str] = match protocol {
        Protocol::Training2025 => &["ktrdr.train-2025"],
        Protocol::Worker => &["ktrdr.train", "ktrdr.backtest"],
        // Its single long call can't be resumed.
        Protocol::Ib => &[],
    };
    let policy = RetryPolicy {
        attempts: 20,
        pause: Duration::from_secs(1),
        longest_pause: Duration::from_secs(60),
        resume: true,
        reasons: vec![protocol::FailureReason::HostRestarted, protocol::FailureReason::HostStopped],
    };
    let kinds = kinds.iter().filter_map(|kind| KindName::new(*kind).ok());
    kinds.map(|kind| (kind, policy.clone())).collect()
}

/// Random secret, so that no other user of this machine can use an adapter.
pub fn secret() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes)
        .map_err(|e| anyhow::anyhow!("can't get random bytes from the operating system: {e}"))?;
    Ok(hex::encode(bytes))
}
