//! Configuration of an adapter (protocol, URL, timing), and its host.

use crate::backtest::KtrdrBacktest;
use crate::load::KtrdrLoad;
use crate::operations::{Operations, WorkerPurpose};
use crate::probe::Probe;
use crate::service::Protocol;
use crate::sessions::Sessions;
use crate::strategy::Strategies;
use crate::timing::{Timing, seconds};
use crate::train::KtrdrTrain;
use crate::wire::{ServiceClient, escaped};
use host_kit::{BuildError, CancellationToken, Host, HostBuilder};
use https_client::Tls;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Purpose of a worker. Each ktrdr process has one of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Offers {
    #[default]
    Both,
    Training,
    Backtests,
}

/// Configuration of one adapter.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterConfig {
    pub protocol: Protocol,
    /// URL of the service: `http://gpu-1:5002`.
    pub url: String,
    /// Sent as `Authorization: Bearer`. ktrdr services don't require it, but a proxy can.
    #[serde(default)]
    pub token: Option<String>,
    /// Trusted certificates for `https://`, and the adapter's own.
    #[serde(skip)]
    pub tls: Tls,
    /// Folder of strategies (`*.yaml`, `*.yml`) that can be selected by name.
    #[serde(default)]
    pub strategies: Option<PathBuf>,
    /// `ktrdr-worker` only: the kinds to offer.
    #[serde(default)]
    pub offers: Offers,
    /// `ktrdr-ib` only: folder for loaded bars, as CSV. Without it a load stores nothing.
    #[serde(default)]
    pub folder: Option<PathBuf>,
    /// `ktrdr-ib` only: symbol of the health probe. Default AAPL.
    #[serde(default = "probe_symbol")]
    pub probe_symbol: String,
    /// Maximum number of parallel runs. Default 1, the limit of these services.
    #[serde(default = "one")]
    pub capacity: u32,
    #[serde(default)]
    pub timing: Timing,
}

fn one() -> u32 {
    1
}

fn probe_symbol() -> String {
    "AAPL".to_owned()
}

impl AdapterConfig {
    /// Adapter with defaults.
    pub fn new(protocol: Protocol, url: impl Into<String>) -> Self {
        Self {
            protocol,
            url: url.into(),
            token: None,
            tls: Tls::default(),
            strategies: None,
            offers: Offers::default(),
            folder: None,
            probe_symbol: probe_symbol(),
            capacity: one(),
            timing: Timing::default(),
        }
    }
}

/// Hides the token, because configurations end up in logs.
impl fmt::Debug for AdapterConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdapterConfig")
            .field("protocol", &self.protocol)
            .field("url", &self.url)
            .field("token", &self.token.as_ref().map(|_| "(set)"))
            .field("tls", &self.tls)
            .field("strategies", &self.strategies)
            .field("offers", &self.offers)
            .field("folder", &self.folder)
            .field("probe_symbol", &self.probe_symbol)
            .field("capacity", &self.capacity)
            .field("timing", &self.timing)
            .finish()
    }
}

/// Error of building a host for an adapter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdapterError {
    /// Invalid value.
    #[error("adapter '{name}': {what}")]
    Config {
        name: String,
        /// Which one, and what would be right.
        what: String,
    },
    #[error("adapter '{name}': {error}")]
    Build { name: String, error: BuildError },
}

/// Builds the host of an adapter.
///
/// `leaving` must fire when the adapter shuts down: pass the same token to [`Host::serve`]. It distinguishes a
/// cancelled run, which is stopped on the service, from a shutdown, after which the run continues and a resume finds it
/// again.
///
/// # Errors
/// If the configuration is invalid. Sends no request to the service, which can be down.
pub fn host(name: &str, config: &AdapterConfig, leaving: CancellationToken) -> Result<Host, AdapterError> {
    let build = |error| AdapterError::Build { name: name.to_owned(), error };
    builder(name, config, leaving)?.build().map_err(build)
}

/// As [`host`], but returns the builder for more settings: token, origins, grace period.
///
/// # Errors
/// As [`host`].
pub fn builder(
    name: &str,
    config: &AdapterConfig,
    leaving: CancellationToken,
) -> Result<HostBuilder, AdapterError> {
    let wrong = |what| AdapterError::Config { name: name.to_owned(), what };
    config.timing.check().map_err(wrong)?;
    if config.token.as_ref().is_some_and(String::is_empty) {
        return Err(wrong("the token is empty. Remove it, or set the service's token.".to_owned()));
    }
    if config.protocol != Protocol::Ib && config.folder.is_some() {
        return Err(wrong("'folder' is only for the bars of ktrdr-ib. Remove it.".to_owned()));
    }
    let timing = config.timing;
    let wire = ServiceClient::new(&config.url, config.token.as_deref(), &config.tls, seconds(timing.connect))
        .map_err(wrong)?;
    let probe_path = match config.protocol {
        Protocol::Training2025 => "/training/sessions".to_owned(),
        Protocol::Worker => "/api/v1/operations".to_owned(),
        Protocol::Ib => {
            format!("/data/head-timestamp?symbol={}&timeframe=1d", escaped(&config.probe_symbol))
        }
    };
    let probe = Arc::new(Probe::new(name, wire.clone(), probe_path, config.protocol, timing));
    let strategies = Strategies::new(config.strategies.clone());
    // The work runs on the service's machine, of which the adapter's says nothing.
    let host = Host::builder(name, env!("CARGO_PKG_VERSION")).capacity(config.capacity).sampling(false);
    Ok(match config.protocol {
        Protocol::Training2025 => {
            let sessions = Arc::new(Sessions::new(wire, timing));
            host.work(KtrdrTrain::new(sessions, Protocol::Training2025, strategies, timing, leaving, probe))
        }
        Protocol::Worker => {
            let purpose = |purpose| Arc::new(Operations::new(wire.clone(), purpose, timing));
            let mut host = host;
            // Only the first work reports the probe.
            let mut probe = Some(probe);
            if config.offers != Offers::Backtests {
                let probe = probe.take();
                let training = purpose(WorkerPurpose::Training);
                host = host.work(KtrdrTrain::new(
                    training,
                    Protocol::Worker,
                    strategies,
                    timing,
                    leaving.clone(),
                    probe,
                ));
            }
            if config.offers != Offers::Training {
                host =
                    host.work(KtrdrBacktest::new(purpose(WorkerPurpose::Backtests), timing, leaving, probe));
            }
            host
        }
        Protocol::Ib => host.work(KtrdrLoad::new(wire, config.folder.clone(), timing, leaving, probe)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_parsed_and_invalid_values_are_explained() {
        let read = |text: serde_json::Value| serde_json::from_value::<AdapterConfig>(text);
        let config = read(serde_json::json!({
            "protocol": "ktrdr-worker", "url": "http://gpu-1:5002", "token": "sesame", "timing": {"slowest": 2}
        }))
        .unwrap();
        assert_eq!(
            (config.protocol, config.timing.slowest, config.timing.fastest),
            (Protocol::Worker, 2.0, 0.2)
        );
        assert!(!format!("{config:?}").contains("sesame"));
        assert!(read(serde_json::json!({"protocol": "ktrdr", "url": ""})).is_err());
        assert!(read(serde_json::json!({"protocol": "ktrdr-ib", "url": "", "folders": 1})).is_err());

        let refused = |change: fn(&mut AdapterConfig)| {
            let mut config = AdapterConfig::new(Protocol::Worker, "http://127.0.0.1:5002");
            change(&mut config);
            builder("gpu", &config, CancellationToken::new()).err().expect("it is refused").to_string()
        };
        assert!(refused(|c| c.url = "gpu-1".into()).starts_with("adapter 'gpu': 'gpu-1' is not a URL"));
        assert!(refused(|c| c.timing.poll = f64::NAN).contains("'timing.poll'"));
        assert!(refused(|c| c.timing.fastest = 9.0).contains("Swap them"));
        assert!(refused(|c| c.token = Some(String::new())).contains("token is empty"));
        assert!(refused(|c| c.folder = Some("/tmp".into())).contains("ktrdr-ib"));
        assert!(host("gpu", &AdapterConfig { capacity: 0, ..config }, CancellationToken::new()).is_err());
    }
}
