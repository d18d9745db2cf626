//! Notifications about groups of alerts, in the formats of their destinations. Pure.

use super::settings::MessageFormat;
use alerts::Phase;
use protocol::alerts::{Alert, Severity};
use protocol::{OperationId, Time};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Largest number of alerts that a text lists.
pub(super) const MAX_LISTED: usize = 20;
/// Time after which Alertmanager drops an alert that was not resolved, in microseconds: 30 days.
const ALERTMANAGER_MICROS: i64 = 30 * 86_400 * 1_000_000;

/// Content of a notification: a group fires, or is resolved.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Notice {
    /// Number of the group, the same when it fires and when it is resolved.
    #[serde(alias = "outage")]
    pub group: u64,
    pub status: Phase,
    /// The whole in one line.
    pub title: String,
    pub severity: Severity,
    pub began_at: Time,
    pub at: Time,
    pub alerts: Vec<Alert>,
    /// Kinds and titles of the operations that e-mails list.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub operations: BTreeMap<OperationId, String>,
}

impl Notice {
    /// Notice about alerts of at least a severity; `None` if there are none.
    pub fn new(
        group: u64,
        status: Phase,
        began_at: Time,
        at: Time,
        alerts: &[Alert],
        least: Severity,
    ) -> Option<Self> {
        let alerts: Vec<Alert> = alerts.iter().filter(|alert| alert.severity >= least).cloned().collect();
        let severity = alerts.iter().map(|alert| alert.severity).max()?;
        let title = title(status, &alerts);
        Some(Self { group, status, title, severity, began_at, at, alerts, operations: BTreeMap::new() })
    }

    /// Body of the request.
    pub fn body(&self, format: MessageFormat) -> Value {
        match format {
            MessageFormat::Json => json!({
                "version": 1, "group": self.group, "status": self.status, "title": self.title,
                "severity": self.severity, "began_at": self.began_at, "at": self.at, "alerts": self.alerts,
            }),
            MessageFormat::Slack => json!({ "text": self.text() }),
            MessageFormat::Alertmanager => self.alerts.iter().map(|alert| self.alertmanager(alert)).collect(),
        }
    }

    /// Title, and a line per alert.
    fn text(&self) -> String {
        let mut text = format!("*{}*", slack(&self.title));
        for alert in self.alerts.iter().take(MAX_LISTED) {
            text.push_str(&format!("\n• {}", slack(&alert.sentence)));
            if self.status == Phase::Firing && !alert.action.is_empty() {
                text.push_str(&format!(" {}", slack(&alert.action)));
            }
            if !alert.operations.is_empty() {
                let count = alert.operations.len() as u64;
                text.push_str(&format!(
                    " Affects {}.",
                    display::format::counted(count, "operation", "operations")
                ));
            }
        }
        if let Some(more) = self.alerts.len().checked_sub(MAX_LISTED).filter(|more| *more > 0) {
            text.push_str(&format!("\n… and {more} more"));
        }
        text
    }

    fn alertmanager(&self, alert: &Alert) -> Value {
        let mut labels = json!({"alertname": alert.rule, "severity": alert.severity, "service": "signalbox"});
        let subject = [
            ("host", alert.subject.host.as_ref().map(ToString::to_string)),
            ("kind", alert.subject.kind.as_ref().map(ToString::to_string)),
            ("operation", alert.subject.operation.map(|id| id.to_string())),
        ];
        for (name, value) in subject {
            if let Some(value) = value {
                labels[name] = value.into();
            }
        }
        let ends_at = match self.status {
            Phase::Firing => self.at.plus_micros(ALERTMANAGER_MICROS),
            Phase::Resolved => self.at,
        };
        json!({
            "labels": labels,
            "annotations": {"summary": alert.sentence, "description": alert.action},
            "startsAt": alert.fired_at.unwrap_or(self.began_at),
            "endsAt": ends_at,
        })
    }
}

fn title(status: Phase, alerts: &[Alert]) -> String {
    let first = alerts.first().map(|alert| alert.sentence.trim_end_matches('.')).unwrap_or_default();
    let status = match status {
        Phase::Firing => "Firing",
        Phase::Resolved => "Resolved",
    };
    match alerts.len() {
        0 | 1 => format!("{status}: {first}"),
        count => format!("{status}: {first}, and {} more", count - 1),
    }
}

/// Text without Slack's control characters.
fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::alerts::{AlertState, AlertSubject};

    fn alert(host: &str, severity: Severity) -> Alert {
        let at = Time::from_micros(1_000_000);
        Alert {
            rule: "host-unreachable".into(),
            metric: "host.unreachable".into(),
            subject: AlertSubject { host: Some(host.parse().unwrap()), ..AlertSubject::default() },
            severity,
            state: AlertState::Firing,
            since: at,
            fired_at: Some(at),
            resolved_at: None,
            value: Some(1.0),
            sentence: format!("{host} is unreachable."),
            action: "Check that <it> is up.".into(),
            operations: Vec::new(),
            silence: None,
        }
    }

    fn notice(status: Phase, least: Severity) -> Option<Notice> {
        let alerts = [alert("gpu-1", Severity::Critical), alert("gpu-2", Severity::Warning)];
        Notice::new(7, status, Time::from_micros(0), Time::from_micros(2_000_000), &alerts, least)
    }

    #[test]
    fn each_format_has_the_alerts_of_the_group() {
        let firing = notice(Phase::Firing, Severity::Info).unwrap();
        assert_eq!(firing.title, "Firing: gpu-1 is unreachable, and 1 more");
        let body = firing.body(MessageFormat::Json);
        assert_eq!(
            (&body["status"], &body["group"], &body["severity"]),
            (&json!("firing"), &json!(7), &json!("critical"))
        );
        assert_eq!(body["alerts"][1]["host"], "gpu-2");
        let text = firing.body(MessageFormat::Slack)["text"].as_str().unwrap().to_owned();
        assert!(
            text.starts_with("*Firing: gpu-1 is unreachable, and 1 more*\n• gpu-1 is unreachable."),
            "{text}"
        );
        assert!(text.contains("&lt;it&gt;") && !text.contains("<it>"), "{text}");
        let alerts = firing.body(MessageFormat::Alertmanager);
        assert_eq!(alerts[0]["labels"]["alertname"], "host-unreachable");
        assert_eq!(alerts[0]["startsAt"], "1970-01-01T00:00:01.000000Z");
        let resolved = notice(Phase::Resolved, Severity::Info).unwrap().body(MessageFormat::Alertmanager);
        assert_eq!(resolved[0]["endsAt"], "1970-01-01T00:00:02.000000Z");
    }

    #[test]
    fn a_destination_gets_only_alerts_of_its_severity() {
        let critical = notice(Phase::Firing, Severity::Critical).unwrap();
        assert_eq!(critical.alerts.len(), 1);
        let none =
            Notice::new(1, Phase::Firing, Time::from_micros(0), Time::from_micros(0), &[], Severity::Info);
        assert_eq!(none, None);
    }
}
