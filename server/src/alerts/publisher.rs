//! Publisher: tells every page through the feed when the alerts have changed.

use super::Shared;
use engine::Engine;
use protocol::alerts::{Alert, AlertList, AlertState, AlertSummary};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Publishes a summary after each change, for ever.
pub(super) async fn publish(shared: Arc<Shared>, engine: Engine) {
    let mut published: Option<AlertList> = None;
    loop {
        // Keeps a notification that comes while nobody waits.
        shared.changed.notified().await;
        let list = shared.list();
        if published.as_ref().is_some_and(|published| is_same(published, &list)) {
            continue;
        }
        let revision = shared.revision.fetch_add(1, Ordering::SeqCst) + 1;
        if engine.publish_alerts(summary(revision, &list.alerts)).await.is_err() {
            // The engine stops.
            return;
        }
        published = Some(list);
    }
}

/// Whether two lists differ in their time and revision alone.
fn is_same(one: &AlertList, other: &AlertList) -> bool {
    let AlertList { now: _, revision: _, rules_revision, alerts, recent, silences, deliveries } = one;
    *rules_revision == other.rules_revision
        && *alerts == other.alerts
        && *recent == other.recent
        && *silences == other.silences
        && *deliveries == other.deliveries
}

/// Figures of the alerts that fired and are not silenced.
fn summary(revision: u64, alerts: &[Alert]) -> AlertSummary {
    let mut summary = AlertSummary { revision, ..AlertSummary::default() };
    for alert in alerts.iter().filter(|alert| alert.fired_at.is_some() && alert.silence.is_none()) {
        match alert.state {
            AlertState::Unknown => summary.unknown += 1,
            _ => summary.firing += 1,
        }
        summary.severity = summary.severity.max(Some(alert.severity));
    }
    summary
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Time;
    use protocol::alerts::{AlertSubject, Severity};

    fn alert(state: AlertState, severity: Severity, fired: bool, silenced: bool) -> Alert {
        Alert {
            rule: "busy".into(),
            metric: "cpu.busy_ratio".into(),
            subject: AlertSubject::default(),
            severity,
            state,
            since: Time::from_micros(1),
            fired_at: fired.then(|| Time::from_micros(1)),
            resolved_at: None,
            value: None,
            sentence: String::new(),
            action: String::new(),
            operations: Vec::new(),
            silence: silenced.then(|| "s".to_owned()),
        }
    }

    #[test]
    fn the_summary_counts_alerts_that_fired_and_are_not_silenced() {
        let alerts = [
            alert(AlertState::Firing, Severity::Warning, true, false),
            alert(AlertState::Recovering, Severity::Info, true, false),
            alert(AlertState::Unknown, Severity::Warning, true, false),
            alert(AlertState::Pending, Severity::Critical, false, false),
            alert(AlertState::Firing, Severity::Critical, true, true),
        ];
        let expected = AlertSummary { revision: 3, firing: 2, unknown: 1, severity: Some(Severity::Warning) };
        assert_eq!(summary(3, &alerts), expected);
        assert_eq!(summary(4, &[]), AlertSummary { revision: 4, ..AlertSummary::default() });
    }
}
