//! Operations, hosts and kinds as rows of a list.

use crate::listing::{Cell, Colour, Listed};
use crate::text;
use protocol::api::{HostLink, HostStatus, KindOffer};
use protocol::{Operation, State, Time};

/// Colour of a state.
pub fn colour_of(state: State) -> Colour {
    match state {
        State::Queued => Colour::Grey,
        State::Starting | State::Running => Colour::Blue,
        State::Succeeded => Colour::Green,
        State::Failed => Colour::Red,
        State::Cancelling | State::Cancelled => Colour::Yellow,
    }
}

impl Listed for Operation {
    const COLUMNS: &'static [&'static str] =
        &["ID", "STATE", "PROGRESS", "DURATION", "CREATED", "HOST", "KIND", "TITLE"];
    const OPTIONAL: &'static [&'static str] = &["HOST", "CREATED", "PROGRESS", "DURATION", "KIND"];
    const FIELDS: &'static [&'static str] = &[
        "id",
        "state",
        "kind",
        "title",
        "host",
        "attempt",
        "fraction",
        "created_at",
        "started_at",
        "ended_at",
        "failure",
    ];
    const EMPTY: &'static str = "No operations match.";

    fn name(&self) -> String {
        self.id.to_string()
    }

    fn cells(&self, now: Time) -> Vec<Cell> {
        let far = if self.state.ended() { String::new() } else { display::how_far(self.progress.as_ref()) };
        vec![
            self.id.to_string().into(),
            Cell::coloured(self.state.as_str(), colour_of(self.state)),
            far.into(),
            text::duration(self, now).into(),
            display::format::ago(now.seconds_since(self.created_at)).into(),
            self.host.as_ref().map(ToString::to_string).unwrap_or_default().into(),
            self.kind.to_string().into(),
            self.title.clone().into(),
        ]
    }

    fn record(&self) -> Vec<String> {
        let at = |time: Option<Time>| time.map(|time| time.to_string()).unwrap_or_default();
        vec![
            self.id.to_string(),
            self.state.to_string(),
            self.kind.to_string(),
            self.title.clone(),
            self.host.as_ref().map(ToString::to_string).unwrap_or_default(),
            self.attempt.to_string(),
            self.progress.as_ref().and_then(|p| p.fraction).map(|f| f.to_string()).unwrap_or_default(),
            self.created_at.to_string(),
            at(self.started_at),
            at(self.ended_at),
            self.failure.as_ref().map(|failure| failure.message.clone()).unwrap_or_default(),
        ]
    }
}

/// Connection state of a host, and its colour.
pub fn link_of(host: &HostStatus) -> (&'static str, Colour) {
    match host.link {
        HostLink::Connecting => ("connecting", Colour::Grey),
        HostLink::Away => ("unreachable", Colour::Red),
        HostLink::Up if host.draining => ("draining", Colour::Yellow),
        HostLink::Up if host.health.as_ref().is_some_and(|health| !health.ready) => {
            ("not ready", Colour::Yellow)
        }
        HostLink::Up => ("connected", Colour::Green),
    }
}

impl Listed for HostStatus {
    const COLUMNS: &'static [&'static str] =
        &["NAME", "STATUS", "RUNNING", "LATENCY", "CPU", "MEMORY", "VERSION", "KINDS"];
    const OPTIONAL: &'static [&'static str] = &["VERSION", "MEMORY", "LATENCY", "CPU"];
    const FIELDS: &'static [&'static str] = &[
        "name",
        "link",
        "draining",
        "running",
        "capacity",
        "latency_ms",
        "cpu",
        "memory_bytes",
        "version",
        "url",
        "kinds",
    ];
    const EMPTY: &'static str = "No hosts are configured.";

    fn name(&self) -> String {
        self.name.to_string()
    }

    fn cells(&self, _: Time) -> Vec<Cell> {
        let (link, colour) = link_of(self);
        let health = self.health.as_ref();
        vec![
            self.name.to_string().into(),
            Cell::coloured(link, colour),
            format!("{} of {}", self.running, self.capacity).into(),
            self.latency_ms.map(display::hosts::latency).unwrap_or_default().into(),
            health.and_then(|health| health.cpu).map(display::format::percent).unwrap_or_default().into(),
            health
                .and_then(|health| health.memory_bytes)
                .map(display::format::bytes)
                .unwrap_or_default()
                .into(),
            self.version.clone().into(),
            self.kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ").into(),
        ]
    }

    fn record(&self) -> Vec<String> {
        let health = self.health.as_ref();
        let link = match self.link {
            HostLink::Connecting => "connecting",
            HostLink::Up => "up",
            HostLink::Away => "away",
        };
        vec![
            self.name.to_string(),
            link.to_owned(),
            self.draining.to_string(),
            self.running.to_string(),
            self.capacity.to_string(),
            self.latency_ms.map(|ms| ms.to_string()).unwrap_or_default(),
            health.and_then(|health| health.cpu).map(|cpu| cpu.to_string()).unwrap_or_default(),
            health.and_then(|health| health.memory_bytes).map(|bytes| bytes.to_string()).unwrap_or_default(),
            self.version.clone(),
            self.url.clone(),
            self.kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        ]
    }
}

impl Listed for KindOffer {
    const COLUMNS: &'static [&'static str] = &["KIND", "TITLE", "HOSTS", "AVAILABLE"];
    const FIELDS: &'static [&'static str] = &["kind", "title", "hosts", "available"];
    const EMPTY: &'static str =
        "Nothing can be started: no host with your kinds has connected since the server started.";

    fn name(&self) -> String {
        self.spec.name.to_string()
    }

    fn cells(&self, _: Time) -> Vec<Cell> {
        let available = match self.available {
            true => Cell::coloured("yes", Colour::Green),
            false => Cell::coloured("no host connected", Colour::Yellow),
        };
        let hosts = self.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        vec![self.spec.name.to_string().into(), self.spec.title.clone().into(), hosts.into(), available]
    }

    fn record(&self) -> Vec<String> {
        let hosts = self.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        vec![self.spec.name.to_string(), self.spec.title.clone(), hosts, self.available.to_string()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::{Fit, table};
    use protocol::{KindName, OperationId};
    use serde_json::json;

    fn op(state: State) -> Operation {
        let at = |text: &str| Time::parse(text).unwrap();
        let mut op = Operation::queued(
            "0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d".parse::<OperationId>().unwrap(),
            KindName::new("data.load").unwrap(),
            "MSFT 1h".into(),
            json!({"symbol": "MSFT"}),
            at("2026-11-23T10:41:00Z"),
        );
        op.state = state;
        op.started_at = Some(at("2026-11-23T10:41:07Z"));
        op
    }

    #[test]
    fn a_table_of_operations_is_aligned_and_has_relative_times() {
        let now = Time::parse("2026-11-23T10:41:17Z").unwrap();
        let rows = [op(State::Running), op(State::Succeeded)];
        let lines =
            table(Operation::COLUMNS, rows.iter().map(|row| row.cells(now)).collect(), false, Fit::natural());
        assert_eq!(lines.len(), 3);
        let at = |line: &str| line.find("data.load").unwrap_or(line.find("KIND").unwrap_or_default());
        assert!(lines.iter().all(|line| at(line) == at(&lines[0])), "{lines:?}");
        assert!(lines[1].contains("running") && lines[1].contains("10 s"), "{lines:?}");
        assert!(lines[1].contains(" ago"), "{lines:?}");
    }

    #[test]
    fn rows_have_as_many_cells_as_columns_and_as_many_values_as_fields() {
        let op = op(State::Failed);
        assert_eq!(op.cells(Time::now()).len(), Operation::COLUMNS.len());
        assert_eq!(op.record().len(), Operation::FIELDS.len());
        let host: HostStatus = serde_json::from_value(json!({
            "name": "a", "url": "http://a", "link": "up", "kinds": ["data.load"], "capacity": 2, "running": 1
        }))
        .unwrap();
        assert_eq!(host.cells(Time::now()).len(), HostStatus::COLUMNS.len());
        assert_eq!(host.record().len(), HostStatus::FIELDS.len());
    }
}
