//! Links from an alert to what it is about. Pure.

use live::query;
use protocol::alerts::{Alert, AlertSubject};
use protocol::{HostName, Time};

/// Time that the charts show before and after an alert, in microseconds.
const AROUND_MICROS: i64 = 1_800_000_000;

/// Charts of a host around a time.
pub fn charts_at(host: &HostName, from: Time, to: Time) -> String {
    let (from, to) =
        (from.plus_micros(-AROUND_MICROS).to_string(), to.plus_micros(AROUND_MICROS).to_string());
    query::url(&format!("/hosts/{host}"), [("from", from.as_str()), ("to", &to)])
}

/// Link to the subject of an alert, and its label; `None` for the server.
pub fn subject(alert: &Alert) -> Option<(String, String)> {
    match &alert.subject {
        AlertSubject { operation: Some(id), .. } => {
            Some((format!("/operations/{id}"), "Operation".to_owned()))
        }
        AlertSubject { host: Some(host), .. } => {
            let at = alert.fired_at.unwrap_or(alert.since);
            Some((charts_at(host, at, alert.resolved_at.unwrap_or(at)), host.to_string()))
        }
        AlertSubject { kind: Some(kind), .. } => {
            Some((query::url("/operations", [("kind", kind.as_str())]), kind.to_string()))
        }
        AlertSubject { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, json};

    fn alert(subject: serde_json::Value) -> Alert {
        let mut alert = json!({
            "rule": "busy", "severity": "warning", "state": "firing", "since": "2026-11-25T10:00:00Z",
            "fired_at": "2026-11-25T10:00:00Z", "sentence": "x"
        });
        for (name, value) in subject.as_object().unwrap() {
            alert[name] = value.clone();
        }
        from_value(alert).unwrap()
    }

    #[test]
    fn an_alert_leads_to_the_charts_of_its_host_at_that_time_to_its_operation_or_its_kind() {
        let (to, label) =
            subject(&alert(json!({"host": "gpu-1", "resolved_at": "2026-11-25T11:00:00Z"}))).unwrap();
        assert_eq!(label, "gpu-1");
        let pairs = query::pairs(to.split_once('?').unwrap().1);
        let of = |name: &str| pairs.iter().find(|(n, _)| n == name).unwrap().1.clone();
        assert!(to.starts_with("/hosts/gpu-1?"));
        assert!(of("from").starts_with("2026-11-25T09:30:00") && of("to").starts_with("2026-11-25T11:30:00"));
        let id = "0199c2d4-7f3a-7c11-9e1b-000000000001";
        let operation = subject(&alert(json!({"operation": id, "host": "gpu-1"}))).unwrap();
        assert_eq!(operation.0, format!("/operations/{id}"));
        assert_eq!(subject(&alert(json!({"kind": "x.y"}))).unwrap().0, "/operations?kind=x.y");
        assert_eq!(subject(&alert(json!({}))), None);
    }
}
