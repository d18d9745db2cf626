//! Export over OTLP by the real server: to a receiver that decodes what arrives, and to a collector that hangs.

use crate::process::{Home, PATIENCE, http_client};
use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::post;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric, number_data_point};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use protocol::State;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

const REQUEST_ID: &str = "0199c2d47f3a7c119e1b2d5f8a4b6c7d";

/// Receiver of OTLP over HTTP; reports the signal and the body of each request.
async fn receiver() -> (String, mpsc::Receiver<(String, Bytes)>) {
    let (report, reports) = mpsc::channel(1_000);
    let handler = move |Path(signal): Path<String>, body: Bytes| async move {
        // The test has seen enough if it reads no more.
        let _ = report.send((signal, body)).await;
    };
    let router = Router::new().route("/v1/{signal}", post(handler));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, reports)
}

fn text_of<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    match attributes.iter().find(|of| of.key == key)?.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Everything that arrived until the server had ended.
#[derive(Default)]
struct Arrived {
    /// The newest export.
    metrics: Vec<Metric>,
    spans: Vec<Span>,
    logs: Vec<LogRecord>,
    resources: Vec<Vec<KeyValue>>,
}

impl Arrived {
    fn read(mut reports: mpsc::Receiver<(String, Bytes)>) -> Self {
        let mut arrived = Self::default();
        while let Ok((signal, body)) = reports.try_recv() {
            arrived.add(&signal, body);
        }
        arrived
    }

    fn add(&mut self, signal: &str, body: Bytes) {
        match signal {
            "metrics" => {
                let mut read = ExportMetricsServiceRequest::decode(body).unwrap().resource_metrics;
                let mut of = read.remove(0);
                self.metrics = of.scope_metrics.remove(0).metrics;
                self.resources.push(of.resource.unwrap().attributes);
            }
            "traces" => {
                let mut of = ExportTraceServiceRequest::decode(body).unwrap().resource_spans.remove(0);
                self.spans.append(&mut of.scope_spans[0].spans);
                self.resources.push(of.resource.unwrap().attributes);
            }
            "logs" => {
                let mut of = ExportLogsServiceRequest::decode(body).unwrap().resource_logs.remove(0);
                self.logs.append(&mut of.scope_logs[0].log_records);
                self.resources.push(of.resource.unwrap().attributes);
            }
            other => panic!("no signal: {other}"),
        }
    }

    fn metric(&self, name: &str) -> &Metric {
        let names: Vec<_> = self.metrics.iter().map(|metric| &metric.name).collect();
        self.metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("{name}: {names:?}"))
    }

    /// Value of a counter or gauge with this attribute.
    fn value(&self, name: &str, key: &str, text: &str) -> f64 {
        let points = match self.metric(name).data.as_ref().unwrap() {
            metric::Data::Sum(sum) => &sum.data_points,
            metric::Data::Gauge(gauge) => &gauge.data_points,
            other => panic!("{name}: {other:?}"),
        };
        let point = points.iter().find(|point| text_of(&point.attributes, key) == Some(text)).unwrap();
        match point.value.unwrap() {
            number_data_point::Value::AsDouble(value) => value,
            number_data_point::Value::AsInt(value) => value as f64,
        }
    }
}

#[tokio::test]
async fn metrics_traces_and_logs_arrive_with_units_resource_and_joined_ids() {
    let (url, reports) = receiver().await;
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("data")).unwrap();
    let file =
        format!("[otlp]\nendpoint = '{url}'\nresource = {{ 'deployment.environment.name' = 'test' }}\n");
    std::fs::write(home.path().join("data/signalbox.toml"), file).unwrap();
    // Spans are exported although the log has only warnings.
    let server = home.serve(&["--access-log"]);
    let started = server.load("ACME", None).await;
    let mut feed = server.follow(0).await;
    let ended = feed.until(|o| o.id == started.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded);
    drop(feed);
    let path = format!("{}/api/v1/operations/{}", server.url, started.id);
    let request = http_client().get(path).header("x-request-id", REQUEST_ID);
    request.send().await.unwrap().bytes().await.unwrap();
    // The first samples of the host.
    let metrics = || async { http_client().get(format!("{}/metrics", server.url)).send().await };
    while !metrics().await.unwrap().text().await.unwrap().contains("signalbox_host_memory_total_bytes") {}
    tokio::task::spawn_blocking(move || server.stop()).await.unwrap();

    // What was left was sent before the server ended.
    let arrived = Arrived::read(reports);
    assert!(!arrived.resources.is_empty());
    for resource in &arrived.resources {
        assert_eq!(text_of(resource, "service.name"), Some("signalbox"));
        assert_eq!(text_of(resource, "deployment.environment.name"), Some("test"));
        assert_eq!(resource, &arrived.resources[0], "one instance");
    }

    assert_eq!(arrived.value("signalbox_operations_started", "kind", "data.load"), 1.0);
    assert_eq!(arrived.value("signalbox_operations", "state", "succeeded"), 1.0);
    let ended = arrived.metric("signalbox_operations_ended");
    let Some(metric::Data::Sum(sum)) = &ended.data else { panic!("{ended:?}") };
    assert!(sum.is_monotonic && sum.aggregation_temporality == 2, "cumulative");
    let first = &sum.data_points[0];
    assert!(0 < first.start_time_unix_nano && first.start_time_unix_nano < first.time_unix_nano);
    assert_eq!(arrived.metric("signalbox_host_memory_total").unit, "By");
    assert!(arrived.value("signalbox_host_memory_total", "host", "local") > 1e6);
    let duration = arrived.metric("signalbox_operation_duration");
    assert_eq!(duration.unit, "s");
    let Some(metric::Data::ExponentialHistogram(histogram)) = &duration.data else { panic!("{duration:?}") };
    let of_load = histogram.data_points.iter();
    let of_load = of_load.filter(|point| text_of(&point.attributes, "kind") == Some("data.load"));
    let [point] = of_load.collect::<Vec<_>>()[..] else { panic!("{histogram:?}") };
    let buckets = point.positive.as_ref().unwrap();
    assert_eq!((point.count, point.scale), (1, 5));
    assert_eq!(point.zero_count + buckets.bucket_counts.iter().sum::<u64>(), 1);

    let request = arrived.spans.iter().find(|span| hex(&span.trace_id) == REQUEST_ID).unwrap();
    let id = started.id.to_string();
    assert_eq!(text_of(&request.attributes, "signalbox.request.id"), Some(REQUEST_ID));
    assert_eq!(text_of(&request.attributes, "signalbox.operation.id"), Some(id.as_str()));
    assert_eq!((request.name.as_str(), request.kind), ("GET", 2), "of a server");
    let start = arrived.spans.iter().find(|span| {
        span.name == "POST" && text_of(&span.attributes, "signalbox.operation.id") == Some(id.as_str())
    });
    assert!(start.is_some(), "the request that started the operation names it");
    let log = arrived.logs.iter().find(|log| log.trace_id == request.trace_id).unwrap();
    assert_eq!(log.span_id, request.span_id);
    assert_eq!(log.body.as_ref().unwrap().value, Some(Value::StringValue("responded".into())));
    assert_eq!(text_of(&log.attributes, "signalbox.operation.id"), Some(id.as_str()));
}

#[tokio::test]
async fn a_collector_that_hangs_delays_neither_operations_nor_the_end_of_the_server() {
    // It accepts connections, and never responds.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let home = Home::new();
    let server = home.serve(&["--otlp-endpoint", &url]);
    let (mut connection, _) = listener.accept().await.unwrap();
    let mut begun = [0; 4];
    connection.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"POST", "the first export hangs");
    let started = server.load("ACME", None).await;
    let mut feed = server.follow(0).await;
    let ended = feed.until(|o| o.id == started.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded);
    drop(feed);
    let metrics = http_client().get(format!("{}/metrics", server.url)).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let sent = r#"signalbox_otlp_entries_total{signal="metrics",outcome="sent"} 0"#;
    assert!(metrics.contains(sent), "{metrics}");
    let stopped = timeout(PATIENCE, tokio::task::spawn_blocking(move || server.stop())).await;
    assert!(stopped.expect("it ends although the collector hangs").unwrap().success());
}

#[tokio::test]
async fn an_endpoint_that_is_no_url_is_an_error_that_names_the_correct_form() {
    let home = Home::new();
    let error = home.fails(&["--otlp-endpoint", "collector:4317"]);
    assert!(error.contains("collector:4317") && error.contains("http://127.0.0.1:4318"), "{error}");
}
