//! Task that sends the queues and the metrics to the collector.

use crate::attributes::attribute;
use crate::client::{Client, Delivery, Settings};
use crate::metrics::{Metric, ResourceMetrics, ScopeMetrics, metric};
use crate::queue::Queue;
use crate::{Counts, Signal};
use backoff::Backoff;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Time that the last entries have to be sent when the program stops.
pub const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest time that entries wait for more of them.
const BATCH_INTERVAL: Duration = Duration::from_secs(5);
/// Shortest and longest pause after a failed request.
const MIN_RETRY_PAUSE: Duration = Duration::from_secs(1);
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(60);

/// Sends what the layer collected.
pub struct Exporter {
    client: Client,
    resource: Resource,
    metrics_interval: Option<Duration>,
    spans: Option<Arc<Queue<Span>>>,
    logs: Option<Arc<Queue<LogRecord>>>,
    counts: Counts,
    /// Whether the last request of each signal failed, so that a failure is logged once.
    is_failing: [AtomicBool; Signal::ALL.len()],
}

impl Exporter {
    pub(crate) fn new(
        settings: Settings,
        counts: Counts,
        spans: Option<Arc<Queue<Span>>>,
        logs: Option<Arc<Queue<LogRecord>>>,
    ) -> reqwest::Result<Self> {
        let attributes = settings.resource.iter().map(|(key, value)| attribute(key, value)).collect();
        let has_metrics = settings.signals.contains(&Signal::Metrics);
        Ok(Self {
            client: Client::new(&settings)?,
            resource: Resource { attributes, ..Resource::default() },
            metrics_interval: has_metrics.then_some(settings.metrics_interval),
            spans,
            logs,
            counts,
            is_failing: Default::default(),
        })
    }

    /// Counts of the exported entries.
    pub fn counts(&self) -> Counts {
        self.counts.clone()
    }

    /// Sends until `stop`, then what is left, for at most [`FLUSH_TIMEOUT`]. `metrics` reads the current metrics.
    pub async fn run(self, metrics: impl Fn() -> Vec<Metric>, stop: CancellationToken) {
        let spans = async {
            if let Some(queue) = &self.spans {
                self.send_queue(Signal::Traces, queue, &stop, encoded_spans).await;
            }
        };
        let logs = async {
            if let Some(queue) = &self.logs {
                self.send_queue(Signal::Logs, queue, &stop, encoded_logs).await;
            }
        };
        let metrics = async {
            if let Some(interval) = self.metrics_interval {
                self.send_metrics(interval, metrics, &stop).await;
            }
        };
        let too_late = async {
            stop.cancelled().await;
            tokio::time::sleep(FLUSH_TIMEOUT).await;
        };
        tokio::select! {
            _ = async { tokio::join!(spans, logs, metrics) } => {}
            () = too_late => {}
        }
    }

    /// Sends the entries of a queue in batches. A batch is retried until the collector accepts or refuses it;
    /// meanwhile, the queue drops its oldest entries.
    async fn send_queue<T>(
        &self,
        signal: Signal,
        queue: &Queue<T>,
        stop: &CancellationToken,
        encoded: fn(&Resource, Vec<T>) -> Vec<u8>,
    ) {
        loop {
            if queue.len() < crate::BATCH {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = queue.has_batch() => {}
                    () = tokio::time::sleep(BATCH_INTERVAL) => {}
                }
            }
            let stopping = stop.is_cancelled();
            let batch = queue.take();
            if batch.is_empty() {
                if stopping {
                    return;
                }
                continue;
            }
            let count = batch.len() as u64;
            let body = Bytes::from(encoded(&self.resource, batch));
            if !self.deliver(signal, count, body, stop).await {
                queue.count.add_dropped(queue.len() as u64);
                return;
            }
        }
    }

    /// Sends a batch. Returns false if the program stops and the collector can't be reached.
    async fn deliver(&self, signal: Signal, count: u64, body: Bytes, stop: &CancellationToken) -> bool {
        let mut backoff = Backoff::new(MIN_RETRY_PAUSE, MAX_RETRY_PAUSE);
        loop {
            let stopping = stop.is_cancelled();
            let Some(after) = self.attempt(signal, count, body.clone()).await else { return true };
            if stopping {
                self.counts.of(signal).add_dropped(count);
                return false;
            }
            let pause = backoff.next_ceiling().max(after);
            stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    /// One request. `Some` if it failed and another one is worth it, not before this time.
    async fn attempt(&self, signal: Signal, entries: u64, body: Bytes) -> Option<Duration> {
        let count = self.counts.of(signal);
        match self.client.post(signal, body).await {
            Delivery::Accepted(response) => {
                let (rejected, why) = rejected(signal, response);
                let rejected = rejected.min(entries);
                count.add_sent(entries - rejected);
                count.add_dropped(rejected);
                if rejected > 0 {
                    self.failing(signal, &format!("it rejected {rejected} of {entries} entries: {why}"));
                } else if self.is_failing[signal as usize].swap(false, Ordering::Relaxed) {
                    tracing::info!(
                        signal = signal.name(),
                        endpoint = self.client.endpoint(),
                        "the OTLP collector accepts data again"
                    );
                }
                None
            }
            Delivery::Failed(why, after) => {
                self.failing(signal, &why);
                Some(after.unwrap_or_default())
            }
            Delivery::Refused(why) => {
                count.add_dropped(entries);
                self.failing(signal, &why);
                None
            }
        }
    }

    fn failing(&self, signal: Signal, why: &str) {
        if !self.is_failing[signal as usize].swap(true, Ordering::Relaxed) {
            tracing::warn!(
                signal = signal.name(),
                endpoint = self.client.endpoint(),
                why,
                "the OTLP collector does not accept all data. The server retries and drops the oldest data; check the \
                 collector and [otlp] in the configuration"
            );
        }
    }

    /// Sends the metrics once per interval, and when the program stops. They are cumulative, so a failed request is not
    /// repeated.
    async fn send_metrics(
        &self,
        interval: Duration,
        metrics: impl Fn() -> Vec<Metric>,
        stop: &CancellationToken,
    ) {
        let mut ticks = tokio::time::interval(interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let stopping = stop.run_until_cancelled(ticks.tick()).await.is_none();
            let metrics = metrics();
            let points = metrics.iter().map(points_of).sum::<usize>() as u64;
            let body = encoded_metrics(&self.resource, metrics);
            if points > 0 && self.attempt(Signal::Metrics, points, body.into()).await.is_some() {
                self.counts.of(Signal::Metrics).add_dropped(points);
            }
            if stopping {
                return;
            }
        }
    }
}

fn points_of(of: &Metric) -> usize {
    match &of.data {
        Some(metric::Data::Gauge(data)) => data.data_points.len(),
        Some(metric::Data::Sum(data)) => data.data_points.len(),
        Some(metric::Data::Histogram(data)) => data.data_points.len(),
        Some(metric::Data::ExponentialHistogram(data)) => data.data_points.len(),
        Some(metric::Data::Summary(data)) => data.data_points.len(),
        None => 0,
    }
}

/// Number of entries that the collector rejected although it accepted the request, and why.
fn rejected(signal: Signal, response: Bytes) -> (u64, String) {
    let (count, why) = match signal {
        Signal::Metrics => {
            let partial = ExportMetricsServiceResponse::decode(response).unwrap_or_default().partial_success;
            partial.map(|partial| (partial.rejected_data_points, partial.error_message))
        }
        Signal::Traces => {
            let partial = ExportTraceServiceResponse::decode(response).unwrap_or_default().partial_success;
            partial.map(|partial| (partial.rejected_spans, partial.error_message))
        }
        Signal::Logs => {
            let partial = ExportLogsServiceResponse::decode(response).unwrap_or_default().partial_success;
            partial.map(|partial| (partial.rejected_log_records, partial.error_message))
        }
    }
    .unwrap_or_default();
    (u64::try_from(count).unwrap_or(0), why)
}

fn scope() -> Option<InstrumentationScope> {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Some(InstrumentationScope { name: "signalbox".to_owned(), version, ..InstrumentationScope::default() })
}

fn encoded_spans(resource: &Resource, spans: Vec<Span>) -> Vec<u8> {
    let scope_spans = vec![ScopeSpans { scope: scope(), spans, ..ScopeSpans::default() }];
    let of = ResourceSpans { resource: Some(resource.clone()), scope_spans, ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![of] }.encode_to_vec()
}

fn encoded_logs(resource: &Resource, log_records: Vec<LogRecord>) -> Vec<u8> {
    let scope_logs = vec![ScopeLogs { scope: scope(), log_records, ..ScopeLogs::default() }];
    let of = ResourceLogs { resource: Some(resource.clone()), scope_logs, ..ResourceLogs::default() };
    ExportLogsServiceRequest { resource_logs: vec![of] }.encode_to_vec()
}

fn encoded_metrics(resource: &Resource, metrics: Vec<Metric>) -> Vec<u8> {
    let scope_metrics = vec![ScopeMetrics { scope: scope(), metrics, ..ScopeMetrics::default() }];
    let of =
        ResourceMetrics { resource: Some(resource.clone()), scope_metrics, ..ResourceMetrics::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![of] }.encode_to_vec()
}
