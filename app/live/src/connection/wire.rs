//! Parser for the feed. Accepts the same documents as the protocol's derived deserializer, in two steps: the type of an
//! event, then its content. The derived one buffers tagged events as untyped values, which duplicates every
//! deserializer in the module; here each type has one.

use json::{Error, Node};
use protocol::alerts::AlertSummary;
use protocol::api::HostStatus;
use protocol::event::{Reset, Skipped};
use protocol::{Event, EventBody, Forecast, LogLine, Operation, OperationId, Points, Progress, State, Time};
use serde::Deserialize;
use serde::de::Error as _;

#[derive(Deserialize)]
struct Head {
    seq: u64,
    at: Time,
    #[serde(rename = "type")]
    what: String,
}

#[derive(Deserialize)]
struct OperationBody {
    operation: Box<Operation>,
}

#[derive(Deserialize)]
struct HostBody {
    host: Box<HostStatus>,
}

#[derive(Deserialize)]
struct AlertsBody {
    alerts: AlertSummary,
}

#[derive(Deserialize)]
struct ForgottenBody {
    id: OperationId,
    state: State,
}

/// All fields of an event besides the operation.
#[derive(Deserialize)]
struct AboutBody {
    id: OperationId,
    attempt: u32,
    progress: Option<Progress>,
    series: Option<Vec<Points>>,
    lines: Option<Vec<LogLine>>,
    what: Option<String>,
    forecast: Option<Forecast>,
    outside: Option<u32>,
}

/// A page of the long poll.
pub struct Page {
    pub events: Vec<Event>,
    pub next: u64,
    pub skipped: Option<Skipped>,
    pub reset: Option<Reset>,
    pub now: Time,
}

/// All fields of a page besides its events.
#[derive(Deserialize)]
struct PageHead {
    next: u64,
    skipped: Option<Skipped>,
    reset: Option<Reset>,
    now: Time,
}

/// Parses an event.
///
/// # Errors
/// When the text is no event, or its type is unknown to this version.
pub fn event(text: &str) -> Result<Event, Error> {
    event_of(&json::parse(text)?)
}

fn event_of(node: &Node<'_>) -> Result<Event, Error> {
    let Head { seq, at, what } = json::from_node(node)?;
    let missing = Error::missing_field;
    let body = match &*what {
        "operation" => EventBody::Operation { operation: json::from_node::<OperationBody>(node)?.operation },
        "host" => EventBody::Host { host: json::from_node::<HostBody>(node)?.host },
        "alerts" => EventBody::Alerts { alerts: json::from_node::<AlertsBody>(node)?.alerts },
        "deleted" => {
            let ForgottenBody { id, state } = json::from_node(node)?;
            EventBody::Deleted { id, state }
        }
        _ => {
            let AboutBody { id, attempt, progress, series, lines, what: late, forecast, outside } =
                json::from_node(node)?;
            match &*what {
                "progress" => {
                    let progress = progress.ok_or_else(|| missing("progress"))?;
                    EventBody::Progress { id, attempt, progress, forecast }
                }
                "points" => {
                    let series = series.ok_or_else(|| missing("series"))?;
                    EventBody::Points { id, attempt, series, outside }
                }
                "log" => EventBody::Log { id, attempt, lines: lines.ok_or_else(|| missing("lines"))? },
                "late" => EventBody::Late { id, attempt, what: late.ok_or_else(|| missing("what"))? },
                other => {
                    return Err(Error::custom(format_args!("unknown event type '{other}'")));
                }
            }
        }
    };
    Ok(Event { seq, at, body })
}

/// Parses a page of the long poll.
///
/// # Errors
/// As [`event`].
pub fn page(text: &str) -> Result<Page, Error> {
    let node = json::parse(text)?;
    let PageHead { next, skipped, reset, now } = json::from_node(&node)?;
    let Some(Node::List(events)) = node.get("events") else {
        return Err(Error::missing_field("events"));
    };
    let events = events.iter().map(event_of).collect::<Result<_, _>>()?;
    Ok(Page { events, next, skipped, reset, now })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{operation, progress};
    use protocol::alerts::Severity;
    use protocol::api::{Connections, EventsPage, HostLink};
    use protocol::{HostName, LogLevel, Point};

    fn every_kind() -> Vec<Event> {
        let op = operation(State::Running, 2);
        let id = op.id;
        let line = LogLine { n: 1, at: Time::from_micros(5), level: LogLevel::Warn, text: "\"7\"".into() };
        let host = HostStatus {
            name: HostName::new("data-1").unwrap(),
            url: "http://127.0.0.1:7301".into(),
            link: HostLink::Up,
            draining: false,
            heard_at: None,
            latency_ms: Some(0.75),
            trouble: String::new(),
            instance: None,
            version: String::new(),
            kinds: vec![],
            offers: 0,
            capacity: 8,
            running: 1,
            health: None,
            connections: Connections::default(),
        };
        let points = vec![Points { name: "rate".into(), points: vec![Point(1.0, 2.5)] }];
        let bodies = [
            EventBody::Operation { operation: Box::new(op) },
            EventBody::Progress { id, attempt: 2, progress: progress(7), forecast: None },
            EventBody::Points { id, attempt: 2, series: points, outside: Some(3) },
            EventBody::Log { id, attempt: 2, lines: vec![line] },
            EventBody::Late { id, attempt: 1, what: "succeeded".into() },
            EventBody::Host { host: Box::new(host) },
            EventBody::Deleted { id, state: State::Failed },
            EventBody::Alerts {
                alerts: AlertSummary {
                    revision: 7,
                    firing: 2,
                    unknown: 1,
                    severity: Some(Severity::Critical),
                },
            },
        ];
        // A new event type of the protocol fails to compile here until it is added above.
        let place = |body: &EventBody| match body {
            EventBody::Operation { .. } => 0,
            EventBody::Progress { .. } => 1,
            EventBody::Points { .. } => 2,
            EventBody::Log { .. } => 3,
            EventBody::Late { .. } => 4,
            EventBody::Host { .. } => 5,
            EventBody::Deleted { .. } => 6,
            EventBody::Alerts { .. } => 7,
        };
        assert!(bodies.iter().map(place).eq(0..8));
        let numbered = bodies.into_iter().zip(1..);
        numbered.map(|(body, seq)| Event { seq, at: Time::from_micros(9), body }).collect()
    }

    #[test]
    fn every_kind_of_event_is_parsed_like_the_protocol() {
        for sent in every_kind() {
            let text = serde_json::to_string(&sent).unwrap();
            assert_eq!(event(&text).unwrap(), sent, "{text}");
        }
    }

    #[test]
    fn a_page_of_the_feed_is_parsed_like_the_protocol() {
        let sent = EventsPage {
            events: every_kind(),
            next: 6,
            skipped: Some(Skipped { from: 1, to: 3 }),
            reset: None,
            now: Time::from_micros(11),
        };
        let read = page(&serde_json::to_string(&sent).unwrap()).unwrap();
        assert_eq!((read.events, read.next, read.skipped), (sent.events, 6, sent.skipped));
        assert!(read.reset.is_none());
    }

    #[test]
    fn an_event_of_a_newer_version_is_an_error() {
        let id = operation(State::Running, 1).id;
        let text =
            format!(r#"{{"seq":1,"at":"2026-11-23T10:00:00Z","type":"tomorrow","id":"{id}","attempt":1}}"#);
        assert!(event(&text).unwrap_err().to_string().contains("tomorrow"));
        assert!(event("{}").is_err());
    }
}
