//! Hosts in the configuration: those with the host contract, and services of ktrdr.

use crate::adapters::Adapter;
use anyhow::{Context, bail};
use engine::HostConfig;
use ktrdr_host::{AdapterConfig, Offers, Protocol, Timing};
use pool::{PoolConfig, Tls, TlsFiles};
use protocol::HostName;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// `[[host]]`. Without `protocol`, it has the host contract.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileHost {
    name: HostName,
    url: String,
    token: Option<String>,
    /// CA of the host's certificate, if it is private.
    ca: Option<PathBuf>,
    /// Certificate of the server for hosts that require one.
    client_certificate: Option<PathBuf>,
    client_key: Option<PathBuf>,
    max_connections: Option<usize>,
    connect_timeout_seconds: Option<f64>,
    keep_alive_seconds: Option<f64>,
    retries: Option<u32>,
    protocol: Option<Protocol>,
    strategies: Option<PathBuf>,
    offers: Option<Offers>,
    folder: Option<PathBuf>,
    probe_symbol: Option<String>,
    capacity: Option<u32>,
    timing: Option<Timing>,
}

/// Meaning of a `[[host]]`.
pub(super) enum HostEntry {
    Host(HostConfig),
    Adapter(Adapter),
}

impl FileHost {
    /// Reads it; `data` is the server's data folder.
    ///
    /// # Errors
    /// If a key does not belong to the protocol.
    pub(super) fn named(self, data: &Path) -> anyhow::Result<HostEntry> {
        let tls = self.tls()?;
        match self.protocol {
            None => self.host(tls).map(HostEntry::Host),
            Some(protocol) => self.adapter(protocol, tls, data).map(HostEntry::Adapter),
        }
    }

    /// Reads the files for TLS.
    fn tls(&self) -> anyhow::Result<Tls> {
        let files = TlsFiles {
            ca: self.ca.clone(),
            client_certificate: self.client_certificate.clone(),
            client_key: self.client_key.clone(),
        };
        if files != TlsFiles::default() && !self.url.trim().starts_with("https:") {
            bail!(
                "host '{}': 'ca', 'client_certificate' and 'client_key' apply only to a URL that begins with \
                 https://. Correct the URL, or remove these keys",
                self.name
            );
        }
        Tls::open(files).with_context(|| format!("host '{}'", self.name))
    }

    fn host(self, tls: Tls) -> anyhow::Result<HostConfig> {
        let adapters = [
            ("strategies", self.strategies.is_some()),
            ("offers", self.offers.is_some()),
            ("folder", self.folder.is_some()),
            ("probe_symbol", self.probe_symbol.is_some()),
            ("capacity", self.capacity.is_some()),
            ("timing", self.timing.is_some()),
        ];
        if let Some(key) = given(&adapters) {
            bail!(
                "host '{}': '{key}' applies only to ktrdr services. Set protocol = \"ktrdr-worker\", \
                 \"ktrdr-training-2025\" or \"ktrdr-ib\", or remove '{key}'",
                self.name
            );
        }
        let mut pool = PoolConfig { token: self.token, tls, ..PoolConfig::default() };
        let seconds = |key: &str, s: f64| {
            if !(0.001..=86_400.0).contains(&s) {
                bail!("host '{}': '{key}' is {s}. Use a number of seconds from 0.001 to 86400", self.name)
            }
            Ok(Duration::from_secs_f64(s))
        };
        if let Some(n) = self.max_connections {
            pool.max_connections = n;
        }
        if let Some(s) = self.connect_timeout_seconds {
            pool.connect_timeout = seconds("connect_timeout_seconds", s)?;
        }
        if let Some(s) = self.keep_alive_seconds {
            pool.keep_alive = seconds("keep_alive_seconds", s)?;
        }
        if let Some(n) = self.retries {
            pool.retries = n;
        }
        let configured_at = Some(self.url.clone());
        Ok(HostConfig { name: self.name, url: self.url, pool, configured_at, in_process: false })
    }

    fn adapter(self, protocol: Protocol, tls: Tls, data: &Path) -> anyhow::Result<Adapter> {
        let ours = [
            ("max_connections", self.max_connections.is_some()),
            ("connect_timeout_seconds", self.connect_timeout_seconds.is_some()),
            ("keep_alive_seconds", self.keep_alive_seconds.is_some()),
            ("retries", self.retries.is_some()),
        ];
        if let Some(key) = given(&ours) {
            bail!(
                "host '{}': '{key}' applies only to hosts that implement Signalbox's host contract. Timeouts of \
                 ktrdr adapters are set in [host.timing]; remove '{key}'",
                self.name
            );
        }
        let mut config = AdapterConfig::new(protocol, self.url);
        config.token = self.token;
        config.tls = tls;
        config.strategies = self.strategies;
        config.offers = self.offers.unwrap_or(config.offers);
        config.folder = match protocol {
            Protocol::Ib => Some(self.folder.unwrap_or_else(|| data.join("ktrdr").join(self.name.as_str()))),
            _ => self.folder,
        };
        config.probe_symbol = self.probe_symbol.unwrap_or(config.probe_symbol);
        config.capacity = self.capacity.unwrap_or(config.capacity);
        config.timing = self.timing.unwrap_or(config.timing);
        // Errors are better reported now than when the first operation starts.
        let token = host_kit::CancellationToken::new();
        if let Err(error) = ktrdr_host::builder(self.name.as_str(), &config, token) {
            bail!("{error}");
        }
        Ok(Adapter { name: self.name, config })
    }
}

/// First given key among keys that must be absent.
fn given<'a>(keys: &[(&'a str, bool)]) -> Option<&'a str> {
    keys.iter().find(|(_, given)| *given).map(|(key, _)| *key)
}
