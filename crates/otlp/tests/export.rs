//! Export to a receiver that decodes what arrives, and to collectors that hang, fail or refuse.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use prost::Message;
use signalbox_otlp::metrics::{Gauge, Metric, NumberDataPoint, metric, number_data_point};
use signalbox_otlp::{BATCH, CAPACITY, FLUSH_TIMEOUT, Settings, Signal, Telemetry};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::layer::SubscriberExt;

const REQUEST_ID: &str = "0199c2d47f3a7c119e1b2d5f8a4b6c7d";

fn settings(endpoint: String) -> Settings {
    let headers = HeaderMap::from_iter([(
        axum::http::header::AUTHORIZATION,
        HeaderValue::from_static("Bearer of-collector"),
    )]);
    Settings {
        endpoint,
        headers,
        resource: vec![("service.name".into(), "signalbox".into())],
        signals: Signal::ALL.to_vec(),
        metrics_interval: Duration::from_secs(60),
        tls: https_client::Tls::default(),
    }
}

/// Receiver that responds with these statuses, and then with 200. Reports the path and body of each request.
async fn receiver(
    statuses: Vec<StatusCode>,
    response: Vec<u8>,
) -> (String, mpsc::Receiver<(&'static str, Bytes)>) {
    let (report, reports) = mpsc::channel(100);
    let statuses = std::sync::Arc::new(std::sync::Mutex::new(statuses.into_iter()));
    let mut router = Router::new();
    for path in ["/v1/traces", "/v1/logs", "/v1/metrics"] {
        let (report, statuses, response) = (report.clone(), statuses.clone(), response.clone());
        let handler = move |headers: HeaderMap, body: Bytes| async move {
            assert_eq!(headers["content-type"], "application/x-protobuf");
            assert_eq!(headers["authorization"], "Bearer of-collector");
            let status = statuses.lock().unwrap().next().unwrap_or(StatusCode::OK);
            report.send((path, body)).await.unwrap();
            (status, response)
        };
        router = router.route(path, post(handler));
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, reports)
}

fn text_of<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let value = attributes.iter().find(|of| of.key == key)?.value.as_ref()?;
    match value.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A request with a log line and a response, as the server records it.
fn request(id: &str) {
    let span = tracing::info_span!(
        "request",
        id,
        method = "GET",
        path = "/api/v1/hosts",
        operation = tracing::field::Empty
    );
    let _entered = span.enter();
    span.record("operation", "op-7");
    tracing::info_span!("step").in_scope(|| tracing::warn!(retries = 3, "slow"));
    tracing::debug!(target: "access", status = 503, "responded");
}

#[tokio::test]
async fn spans_logs_and_metrics_arrive_with_their_resource_and_joined_ids() {
    let (url, mut reports) = receiver(Vec::new(), Vec::new()).await;
    let Telemetry { layer, exporter } = Telemetry::new(settings(url)).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || request(REQUEST_ID));
    let metrics = || {
        let value = Some(number_data_point::Value::AsDouble(1.5));
        let gauge = Gauge { data_points: vec![NumberDataPoint { value, ..NumberDataPoint::default() }] };
        let data = Some(metric::Data::Gauge(gauge));
        vec![Metric { name: "load".into(), data, ..Metric::default() }]
    };
    let (counts, stop) = (exporter.counts(), CancellationToken::new());
    // The last entries are sent when the program stops.
    stop.cancel();
    exporter.run(metrics, stop).await;
    let mut bodies = std::collections::BTreeMap::new();
    while let Ok((path, body)) = reports.try_recv() {
        assert!(bodies.insert(path, body).is_none(), "one request each");
    }
    let traces = ExportTraceServiceRequest::decode(bodies["/v1/traces"].clone()).unwrap();
    let resource = traces.resource_spans[0].resource.as_ref().unwrap();
    assert_eq!(text_of(&resource.attributes, "service.name"), Some("signalbox"));
    let spans = &traces.resource_spans[0].scope_spans[0].spans;
    let [step, request] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!((request.name.as_str(), step.name.as_str()), ("GET", "step"));
    assert_eq!(hex(&request.trace_id), REQUEST_ID);
    assert_eq!((&step.trace_id, &step.parent_span_id), (&request.trace_id, &request.span_id));
    assert!(request.parent_span_id.is_empty() && request.end_time_unix_nano >= request.start_time_unix_nano);
    let expected = [
        ("signalbox.request.id", REQUEST_ID),
        ("url.path", "/api/v1/hosts"),
        ("http.request.method", "GET"),
        ("signalbox.operation.id", "op-7"),
    ];
    for (key, value) in expected {
        assert_eq!(text_of(&request.attributes, key), Some(value), "{key}");
    }
    let status = request.attributes.iter().find(|of| of.key == "http.response.status_code").unwrap();
    assert_eq!(status.value, Some(AnyValue { value: Some(Value::IntValue(503)) }));
    assert_eq!(request.status.as_ref().unwrap().code, 2, "an error");

    let logs = ExportLogsServiceRequest::decode(bodies["/v1/logs"].clone()).unwrap();
    let logs = &logs.resource_logs[0].scope_logs[0].log_records;
    let [log] = logs.as_slice() else { panic!("{logs:?}") };
    assert_eq!(log.body, Some(AnyValue { value: Some(Value::StringValue("slow".into())) }));
    assert_eq!((log.severity_text.as_str(), &log.trace_id), ("WARN", &request.trace_id));
    assert_eq!(log.span_id, step.span_id);
    assert_eq!(text_of(&log.attributes, "signalbox.request.id"), Some(REQUEST_ID));
    assert_eq!(text_of(&log.attributes, "signalbox.operation.id"), Some("op-7"));

    let metrics = ExportMetricsServiceRequest::decode(bodies["/v1/metrics"].clone()).unwrap();
    assert_eq!(metrics.resource_metrics[0].scope_metrics[0].metrics[0].name, "load");
    let sent = Signal::ALL.map(|signal| (counts.of(signal).sent(), counts.of(signal).dropped()));
    assert_eq!(sent, [(1, 0), (2, 0), (1, 0)]);
}

#[tokio::test]
async fn a_collector_that_hangs_delays_nothing_and_the_queue_keeps_its_limit() {
    // It accepts connections, and never responds.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let Telemetry { layer, exporter } = Telemetry::new(settings(url)).unwrap();
    let (counts, stop) = (exporter.counts(), CancellationToken::new());
    let exporting = tokio::spawn(exporter.run(Vec::new, stop.clone()));
    let spans = 5 * CAPACITY;
    let subscriber = tracing::Dispatch::new(tracing_subscriber::registry().with(layer));
    let fill = |count: usize| {
        tracing::dispatcher::with_default(&subscriber, || {
            (0..count).for_each(|_| drop(tracing::info_span!("step")));
        });
    };
    fill(BATCH);
    let (mut connection, _) = listener.accept().await.unwrap();
    let mut begun = [0; 4];
    tokio::io::AsyncReadExt::read_exact(&mut connection, &mut begun).await.unwrap();
    assert_eq!(&begun, b"POST");
    // The request hangs from here on; recording waits for nothing.
    fill(spans);
    let count = counts.of(Signal::Traces);
    assert_eq!((count.sent(), count.dropped()), (0, (spans - CAPACITY) as u64));
    assert!(!exporting.is_finished());
    stop.cancel();
    tokio::time::timeout(FLUSH_TIMEOUT * 2, exporting).await.expect("the end has a limit").unwrap();
}

/// Exports spans to a receiver until it has these numbers of requests.
async fn exported(url: String, spans: usize) -> (u64, u64) {
    let Telemetry { layer, exporter } = Telemetry::new(settings(url)).unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        (0..spans).for_each(|_| drop(tracing::info_span!("step")));
    });
    let (counts, stop) = (exporter.counts(), CancellationToken::new());
    let exporting = tokio::spawn(exporter.run(Vec::new, stop.clone()));
    let count = counts.of(Signal::Traces);
    while count.sent() + count.dropped() < spans as u64 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    exporting.await.unwrap();
    (count.sent(), count.dropped())
}

#[tokio::test]
async fn a_batch_is_repeated_after_a_failure_and_dropped_when_it_is_refused() {
    let (url, mut reports) = receiver(vec![StatusCode::SERVICE_UNAVAILABLE], Vec::new()).await;
    assert_eq!(exported(url, BATCH).await, (BATCH as u64, 0));
    let (first, second) = (reports.recv().await.unwrap(), reports.recv().await.unwrap());
    assert_eq!(first, second, "the same batch");

    let (url, mut reports) = receiver(vec![StatusCode::BAD_REQUEST], Vec::new()).await;
    assert_eq!(exported(url, BATCH).await, (0, BATCH as u64));
    reports.recv().await.unwrap();
    assert!(reports.try_recv().is_err(), "another try would be refused, too");
}

#[tokio::test]
async fn entries_that_the_collector_rejects_count_as_dropped() {
    let partial_success =
        Some(ExportTracePartialSuccess { rejected_spans: 3, error_message: "too old".into() });
    let response = ExportTraceServiceResponse { partial_success }.encode_to_vec();
    let (url, _reports) = receiver(Vec::new(), response).await;
    assert_eq!(exported(url, BATCH).await, (BATCH as u64 - 3, 3));
}
