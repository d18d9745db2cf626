//! Sink of the audit log: sends all entries to a webhook, in order and at least once.
//!
//! Knows what was delivered by the number of the last entry, in a file. Everything else is read from the audit log, so
//! that no entry is lost while the webhook or the server is away.

use crate::alerts::SecretUrl;
use anyhow::Context;
use backoff::Backoff;
use engine::Engine;
use host_kit::AtomicFile;
use https_client::{Tls, connect_problem, root_cause};
use protocol::AuditEntry;
use protocol::api::AuditLine;
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use store::{AuditFilter, AuditHead};

/// Name of the file with the position, in the data folder.
const FILE: &str = "audit-sink.json";
/// Largest number of entries of a request.
const AT_ONCE: u32 = 500;
/// Interval of checks for new entries.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Timeout of a request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest pause after a failed request.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// Webhook of the audit log.
#[derive(Debug)]
pub struct AuditSinkConfig {
    pub url: SecretUrl,
    /// Header `Authorization`.
    pub authorization: Option<HeaderValue>,
    pub tls: Tls,
}

/// Numbers of the newest entry and of the last delivered one.
#[derive(Default)]
pub struct SinkFigures {
    newest: AtomicU64,
    delivered: AtomicU64,
}

impl SinkFigures {
    /// Number of entries that the webhook has not accepted yet.
    pub fn waiting(&self) -> u64 {
        let delivered = self.delivered.load(Ordering::Relaxed);
        self.newest.load(Ordering::Relaxed).saturating_sub(delivered)
    }
}

/// What was delivered before.
#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Position {
    /// Number of the last delivered entry.
    delivered: u64,
}

/// Sender of the entries.
pub struct AuditSink {
    config: AuditSinkConfig,
    client: Client,
    path: PathBuf,
    figures: Arc<SinkFigures>,
}

impl AuditSink {
    /// Reads the position.
    ///
    /// # Errors
    /// If the file of the position is unreadable, or there can be no client.
    pub fn open(config: AuditSinkConfig, data: &Path) -> anyhow::Result<Self> {
        let path = data.join(FILE);
        let position: Position = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| {
                format!(
                    "the file {} is invalid. Remove this file to send all entries of the audit log again",
                    path.display()
                )
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Position::default(),
            Err(error) => return Err(error).with_context(|| format!("can't read {}", path.display())),
        };
        let client = https_client::builder(&config.tls).timeout(TIMEOUT).build();
        let client = client.map_err(|error| anyhow::anyhow!("audit.webhook_url: {}", root_cause(&error)))?;
        let figures = Arc::new(SinkFigures::default());
        figures.delivered.store(position.delivered, Ordering::Relaxed);
        Ok(Self { config, client, path, figures })
    }

    pub fn figures(&self) -> Arc<SinkFigures> {
        Arc::clone(&self.figures)
    }

    /// Sends entries as they are recorded.
    pub async fn run(self, engine: Engine) -> ! {
        let mut backoff = Backoff::new(POLL_INTERVAL, MAX_PAUSE);
        let mut failing = false;
        loop {
            match self.send_next(&engine).await {
                Ok(true) => {
                    backoff.reset();
                    if std::mem::take(&mut failing) {
                        tracing::info!(sink = %self.config.url, "audit entries are delivered again");
                    }
                }
                Ok(false) => tokio::time::sleep(POLL_INTERVAL).await,
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(
                            sink = %self.config.url,
                            "can't deliver audit entries: {error:#}. The server keeps the entries and retries"
                        );
                    }
                    tokio::time::sleep(backoff.next_ceiling()).await;
                }
            }
        }
    }

    /// Sends the next entries; false if there are none.
    async fn send_next(&self, engine: &Engine) -> anyhow::Result<bool> {
        let newest = engine.audit_entries(AuditFilter::default(), 1).await?;
        let newest = newest.first().map_or(0, |(head, _)| head.n);
        self.figures.newest.store(newest, Ordering::Relaxed);
        let delivered = self.figures.delivered.load(Ordering::Relaxed);
        if newest < delivered {
            tracing::warn!(
                newest,
                delivered,
                "the audit log was replaced: it has fewer entries than were delivered; delivering all its entries"
            );
            self.save(0).await?;
            return Ok(true);
        }
        if newest == delivered {
            return Ok(false);
        }
        let before = Some(delivered + 1 + u64::from(AT_ONCE));
        let filter = AuditFilter { before, ..AuditFilter::default() };
        let mut entries = engine.audit_entries(filter, AT_ONCE).await?;
        entries.retain(|(head, _)| head.n > delivered);
        entries.reverse();
        let Some((last, _)) = entries.last() else {
            // The audit log no longer has them.
            self.save(newest.min(delivered + u64::from(AT_ONCE))).await?;
            return Ok(true);
        };
        let last = last.n;
        self.send(json_lines(entries)).await?;
        self.save(last).await?;
        Ok(true)
    }

    async fn send(&self, lines: Vec<u8>) -> anyhow::Result<()> {
        let mut request = self.client.post(self.config.url.expose().as_str()).body(lines);
        request = request.header(CONTENT_TYPE, "application/jsonl");
        if let Some(authorization) = &self.config.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let response = request.send().await.map_err(|error| match connect_problem(&error) {
            Some(problem) => anyhow::anyhow!("the webhook {}", problem.reason()),
            None => anyhow::anyhow!("{}", root_cause(&error.without_url())),
        })?;
        anyhow::ensure!(response.status().is_success(), "the webhook responded with {}", response.status());
        Ok(())
    }

    /// Stores the number of the last delivered entry.
    async fn save(&self, delivered: u64) -> anyhow::Result<()> {
        let (path, text) = (self.path.clone(), serde_json::to_vec(&Position { delivered })?);
        tokio::task::spawn_blocking(move || AtomicFile::put(&path, &text))
            .await?
            .with_context(|| format!("can't write {}", self.path.display()))?;
        self.figures.delivered.store(delivered, Ordering::Relaxed);
        Ok(())
    }
}

/// Entries as JSON lines.
pub fn json_lines(entries: impl IntoIterator<Item = (AuditHead, AuditEntry)>) -> Vec<u8> {
    let mut text = Vec::new();
    for (head, entry) in entries {
        let line = AuditLine { n: head.n, hash: hex::encode(head.hash), entry };
        serde_json::to_writer(&mut text, &line).expect("plain fields always serialize");
        text.push(b'\n');
    }
    text
}
