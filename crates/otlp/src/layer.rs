//! Layer of the subscriber: spans and events become entries of the queues.

use crate::attributes::{Fields, name_of, with_value};
use crate::ids;
use crate::queue::Queue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use protocol::Time;
use std::sync::Arc;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Span of a request, and its field with the request's ID.
const REQUEST: &str = "request";
/// Target of the spans of requests to hosts (`http_wire::traced_host`).
const HOST_REQUEST: &str = "host_request";
const REQUEST_ID: &str = "id";
/// Attribute of that ID.
const REQUEST_ID_ATTRIBUTE: &str = "signalbox.request.id";
/// Attributes of a span that its log records have, too.
const JOINED: [&str; 3] = [REQUEST_ID_ATTRIBUTE, "signalbox.operation.id", "signalbox.operation.attempt"];
/// Target of the event with the status of a response.
const ACCESS: &str = "access";
/// Targets of the export itself: its own requests would lead to more of them.
const OWN_TARGETS: [&str; 6] = ["signalbox_otlp", "hyper", "reqwest", "rustls", "h2", "https_client"];

/// Fills the queues. It never waits.
pub struct ExportLayer {
    spans: Option<Arc<Queue<Span>>>,
    logs: Option<Arc<Queue<LogRecord>>>,
}

/// Open span, in its extensions.
struct Open(Span);

impl ExportLayer {
    pub(crate) fn new(spans: Option<Arc<Queue<Span>>>, logs: Option<Arc<Queue<LogRecord>>>) -> Self {
        Self { spans, logs }
    }

    /// Whether spans and events are exported that a filter of the log lets pass: not those of the export itself, nor
    /// the requests of the server to hosts within it.
    pub fn is_exported(metadata: &Metadata<'_>) -> bool {
        metadata.target() != HOST_REQUEST && !OWN_TARGETS.iter().any(|own| metadata.target().starts_with(own))
    }

    /// Whether an entry is needed even if the log is less detailed: spans of level info, and the status of a response.
    pub fn is_needed(metadata: &Metadata<'_>) -> bool {
        (metadata.is_span() && *metadata.level() <= Level::INFO) || metadata.target() == ACCESS
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for ExportLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let parent = span.parent().and_then(|parent| {
            let extensions = parent.extensions();
            extensions.get::<Open>().map(|Open(parent)| (parent.trace_id.clone(), parent.span_id.clone()))
        });
        let (trace_id, parent_span_id) = parent.unwrap_or_else(|| {
            let joined = [REQUEST_ID, "operation"].into_iter().find_map(|name| fields.text(name));
            (ids::trace_id(joined), Vec::new())
        });
        let is_request = span.name() == REQUEST;
        let name = fields.text("method").filter(|_| is_request).unwrap_or(span.name()).to_owned();
        let mut open = Span {
            trace_id,
            span_id: ids::span_id(),
            parent_span_id,
            name,
            kind: if is_request { SpanKind::Server } else { SpanKind::Internal } as i32,
            start_time_unix_nano: now(),
            ..Span::default()
        };
        record(&mut open, fields, is_request);
        span.extensions_mut().insert(Open(open));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        let Some(span) = ctx.span(id) else { return };
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(Open(open)) = span.extensions_mut().get_mut::<Open>() {
            record(open, fields, span.name() == REQUEST);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let (metadata, span) = (event.metadata(), ctx.event_span(event));
        if metadata.target() == ACCESS {
            let status =
                fields.0.iter().find(|(name, _)| *name == "status").map(|(_, status)| status.clone());
            if let Some((span, status)) = span.as_ref().zip(status)
                && let Some(Open(open)) = span.extensions_mut().get_mut::<Open>()
            {
                set_status(open, status);
            }
            // Not in the log unless the access log is on.
            if *metadata.level() > Level::INFO {
                return;
            }
        }
        let Some(logs) = &self.logs else { return };
        let mut log = LogRecord {
            time_unix_nano: now(),
            severity_number: severity(*metadata.level()) as i32,
            severity_text: metadata.level().as_str().to_owned(),
            body: fields.take("message"),
            ..LogRecord::default()
        };
        log.observed_time_unix_nano = log.time_unix_nano;
        log.attributes.push(crate::attribute("log.target", metadata.target()));
        if let Some(span) = &span
            && let Some(Open(open)) = span.extensions().get::<Open>()
        {
            (log.trace_id, log.span_id) = (open.trace_id.clone(), open.span_id.clone());
        }
        for ancestor in span.iter().flat_map(|span| span.scope()) {
            if let Some(Open(open)) = ancestor.extensions().get::<Open>() {
                let joined = open.attributes.iter().filter(|of| JOINED.contains(&of.key.as_str()));
                joined.for_each(|joined| set(&mut log.attributes, joined.clone()));
            }
        }
        for (name, value) in fields.0 {
            set(&mut log.attributes, with_value(name_of(name).to_owned(), value));
        }
        logs.push(log);
    }

    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        let (Some(spans), Some(span)) = (&self.spans, ctx.span(&id)) else { return };
        let Some(Open(mut open)) = span.extensions_mut().remove::<Open>() else { return };
        open.end_time_unix_nano = now().max(open.start_time_unix_nano);
        spans.push(open);
    }
}

fn record(open: &mut Span, fields: Fields, is_request: bool) {
    for (name, value) in fields.0 {
        let is_id = is_request && name == REQUEST_ID;
        let key = if is_id { REQUEST_ID_ATTRIBUTE } else { name_of(name) };
        set(&mut open.attributes, with_value(key.to_owned(), value));
    }
}

/// Sets an attribute; each name occurs once.
fn set(attributes: &mut Vec<KeyValue>, new: KeyValue) {
    match attributes.iter_mut().find(|known| known.key == new.key) {
        Some(known) => *known = new,
        None => attributes.push(new),
    }
}

fn set_status(open: &mut Span, status: AnyValue) {
    if matches!(status.value, Some(Value::IntValue(500..))) {
        open.status = Some(Status { code: StatusCode::Error as i32, message: String::new() });
    }
    set(&mut open.attributes, with_value(name_of("status").to_owned(), status));
}

fn severity(level: Level) -> SeverityNumber {
    match level {
        Level::ERROR => SeverityNumber::Error,
        Level::WARN => SeverityNumber::Warn,
        Level::INFO => SeverityNumber::Info,
        Level::DEBUG => SeverityNumber::Debug,
        Level::TRACE => SeverityNumber::Trace,
    }
}

/// Nanoseconds since 1970.
fn now() -> u64 {
    u64::try_from(Time::now().micros()).unwrap_or(0).saturating_mul(1_000)
}
