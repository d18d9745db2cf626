//! Adapters to the services of ktrdr, run by the server itself: each is a host on a loopback port that only this
//! process has the secret of. They look and wait; the work is done over there.

use anyhow::Context;
use engine::{HostConfig, RetryPolicy};
use ktrdr_host::{AdapterConfig, Protocol};
use pool::PoolConfig;
use protocol::{HostName, KindName};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long they may take to let go of what they follow.
const STOP: Duration = Duration::from_secs(3);

/// One, as the configuration names it.
#[derive(Clone, Debug)]
pub struct Adapter {
    pub name: HostName,
    pub config: AdapterConfig,
}

/// Those that run.
#[derive(Default)]
pub struct Adapters {
    serving: Vec<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Adapters {
    /// Starts them, and says how the engine reaches each. The services they drive may be down.
    ///
    /// # Errors
    /// When one is configured wrongly.
    pub async fn start(adapters: &[Adapter]) -> anyhow::Result<(Self, Vec<HostConfig>)> {
        let mut running = Self::default();
        let mut hosts = Vec::new();
        for Adapter { name, config } in adapters {
            // The token that tells a run that is cancelled from one that is merely no longer followed.
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
                    tracing::error!(name = %who, %error, "adapter failed");
                }
            }));
            let pool = PoolConfig { token: Some(secret), ..PoolConfig::default() };
            hosts.push(HostConfig { name: name.clone(), url, pool, configured_at: Some(config.url.clone()) });
        }
        Ok((running, hosts))
    }

    /// Stops them; what runs over there goes on.
    pub async fn close(self) {
        self.stop.cancel();
        for serving in self.serving {
            if tokio::time::timeout(STOP, serving).await.is_err() {
                tracing::warn!("an adapter did not stop within {} s", STOP.as_secs());
            }
        }
    }
}

/// What a restart of the server means for a run over there: it goes on, and is found again by a resume. So where
/// nobody says otherwise, that happens by itself.
pub fn follow_again(protocol: Protocol) -> Vec<(KindName, RetryPolicy)> {
    let kinds: &[&str] = match protocol {
        Protocol::Training2025 => &["ktrdr.train-2025"],
        Protocol::Worker => &["ktrdr.train", "ktrdr.backtest"],
        // Its one long call can't be found again.
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

/// Nobody else on this machine is to use an adapter.
pub fn secret() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes)
        .map_err(|e| anyhow::anyhow!("can't get random bytes from the operating system: {e}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
