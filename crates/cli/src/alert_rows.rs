//! Alerts, rules, silences and receipts as rows of a list.

use crate::listing::{Cell, Colour, Listed};
use protocol::Time;
use protocol::alerts::{
    Alert, AlertState, AlertSubject, Delivery, DeliveryState, RuleOrigin, RuleStatus, Severity, Silence,
};

fn at(time: Option<Time>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

fn text(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

fn colour_of(severity: Severity) -> Colour {
    match severity {
        Severity::Info => Colour::Blue,
        Severity::Warning => Colour::Yellow,
        Severity::Critical => Colour::Red,
    }
}

fn state_of(alert: &Alert) -> (&'static str, Colour) {
    if alert.resolved_at.is_some() {
        return ("resolved", Colour::Green);
    }
    let colour = match alert.state {
        AlertState::Firing => Colour::Red,
        AlertState::Pending | AlertState::Recovering => Colour::Yellow,
        AlertState::Inactive | AlertState::Unknown => Colour::Grey,
    };
    (alert.state.as_str(), colour)
}

impl Listed for Alert {
    const COLUMNS: &'static [&'static str] = &["STATE", "SEVERITY", "SINCE", "RULE", "ALERT", "SILENCED"];
    const FIELDS: &'static [&'static str] = &[
        "rule",
        "state",
        "severity",
        "host",
        "kind",
        "operation",
        "since",
        "fired_at",
        "resolved_at",
        "value",
        "sentence",
        "action",
        "operations",
        "silence",
    ];
    const EMPTY: &'static str = "No alerts.";

    fn name(&self) -> String {
        self.rule.clone()
    }

    fn cells(&self, now: Time) -> Vec<Cell> {
        let (state, colour) = state_of(self);
        let since = self.resolved_at.unwrap_or(self.since);
        vec![
            Cell::coloured(state, colour),
            Cell::coloured(self.severity.as_str(), colour_of(self.severity)),
            display::format::ago(now.seconds_since(since)).into(),
            self.rule.clone().into(),
            self.sentence.clone().into(),
            if self.silence.is_some() { "yes" } else { "" }.into(),
        ]
    }

    fn record(&self) -> Vec<String> {
        let AlertSubject { host, kind, operation } = &self.subject;
        vec![
            self.rule.clone(),
            state_of(self).0.to_owned(),
            self.severity.as_str().to_owned(),
            text(host.as_ref()),
            text(kind.as_ref()),
            text(operation.as_ref()),
            self.since.to_string(),
            at(self.fired_at),
            at(self.resolved_at),
            text(self.value.as_ref()),
            self.sentence.clone(),
            self.action.clone(),
            self.operations.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            self.silence.clone().unwrap_or_default(),
        ]
    }
}

/// Where a rule is defined.
fn defined(origin: RuleOrigin) -> &'static str {
    match origin {
        RuleOrigin::Default => "built in",
        RuleOrigin::Changed => "built in, changed in configuration",
        RuleOrigin::Configuration => "in configuration",
        RuleOrigin::Overridden => "built in, changed on page",
        RuleOrigin::Page => "on page",
    }
}

impl Listed for RuleStatus {
    const COLUMNS: &'static [&'static str] = &["RULE", "SEVERITY", "STATUS", "DEFINED", "MEANING"];
    const FIELDS: &'static [&'static str] =
        &["name", "severity", "enabled", "firing", "metric", "sentence", "origin"];
    const EMPTY: &'static str = "No rules.";

    fn name(&self) -> String {
        self.rule.name.clone()
    }

    fn cells(&self, _: Time) -> Vec<Cell> {
        let status = match (self.enabled, self.firing) {
            (false, _) => Cell::coloured("off", Colour::Grey),
            (true, 0) => Cell::coloured("OK", Colour::Green),
            (true, firing) => Cell::coloured(format!("{firing} firing"), Colour::Red),
        };
        vec![
            self.rule.name.clone().into(),
            Cell::coloured(self.rule.severity.as_str(), colour_of(self.rule.severity)),
            status,
            defined(self.origin).into(),
            self.sentence.clone().into(),
        ]
    }

    fn record(&self) -> Vec<String> {
        vec![
            self.rule.name.clone(),
            self.rule.severity.as_str().to_owned(),
            self.enabled.to_string(),
            self.firing.to_string(),
            self.rule.metric.clone(),
            self.sentence.clone(),
            self.origin.as_str().to_owned(),
        ]
    }
}

impl Listed for Silence {
    const COLUMNS: &'static [&'static str] = &["ID", "RULE", "HOST", "KIND", "UNTIL", "REASON"];
    const FIELDS: &'static [&'static str] = &["id", "rule", "host", "kind", "created_at", "until", "reason"];
    const EMPTY: &'static str = "No silences.";

    fn name(&self) -> String {
        self.id.clone()
    }

    fn cells(&self, _: Time) -> Vec<Cell> {
        let all = |text: String| if text.is_empty() { "all".to_owned() } else { text };
        vec![
            self.id.clone().into(),
            all(text(self.rule.as_ref())).into(),
            all(text(self.host.as_ref())).into(),
            all(text(self.kind.as_ref())).into(),
            self.until.to_string().into(),
            self.reason.clone().into(),
        ]
    }

    fn record(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            text(self.rule.as_ref()),
            text(self.host.as_ref()),
            text(self.kind.as_ref()),
            self.created_at.to_string(),
            self.until.to_string(),
            self.reason.clone(),
        ]
    }
}

impl Listed for Delivery {
    const COLUMNS: &'static [&'static str] =
        &["STATE", "CREATED", "DESTINATION", "TRIES", "STATUS", "TITLE", "ERROR"];
    const FIELDS: &'static [&'static str] = &[
        "id",
        "destination",
        "address",
        "title",
        "created_at",
        "state",
        "tries",
        "status",
        "error",
        "next_try_at",
    ];
    const EMPTY: &'static str = "No notifications.";

    fn name(&self) -> String {
        self.id.clone()
    }

    fn cells(&self, now: Time) -> Vec<Cell> {
        let (state, colour) = match self.state {
            DeliveryState::Waiting => ("waiting", Colour::Yellow),
            DeliveryState::Delivered => ("delivered", Colour::Green),
            DeliveryState::GaveUp => ("failed", Colour::Red),
        };
        vec![
            Cell::coloured(state, colour),
            display::format::ago(now.seconds_since(self.created_at)).into(),
            self.destination.clone().into(),
            self.tries.to_string().into(),
            text(self.status.as_ref()).into(),
            self.title.clone().into(),
            self.error.clone().into(),
        ]
    }

    fn record(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.destination.clone(),
            self.address.clone(),
            self.title.clone(),
            self.created_at.to_string(),
            self.state.as_str().to_owned(),
            self.tries.to_string(),
            text(self.status.as_ref()),
            self.error.clone(),
            at(self.next_try_at),
        ]
    }
}
