//! Alerts about a host: when they were firing, on the charts of their metrics and below them.

use super::history::Charted;
use components::link::A;
use components::reactive::part;
use display::format;
use display::zone::Zone;
use leptos::prelude::*;
use leptos::task::spawn_local;
use live::{Identity, OperationStore, api};
use protocol::alerts::{Alert, AlertList, Severity};
use protocol::{HostName, Time};
use std::sync::Arc;

/// Largest number of rows.
const MAX_ROWS: usize = 20;
/// Width of the drawing of a row.
const WIDTH: f64 = 1_000.0;
/// Smallest width of a mark, so that a short one is visible.
const MIN_MARK: f64 = 3.0;

/// Alert that fired.
#[derive(Clone, PartialEq, Debug)]
pub struct Fired {
    rule: String,
    metric: String,
    severity: Severity,
    sentence: String,
    from: Time,
    /// `None` while it is firing.
    to: Option<Time>,
}

/// Alerts about a host; requested again when the feed says that they changed. Empty for readers who may not see them.
#[derive(Clone, Copy)]
pub struct HostAlerts(RwSignal<Arc<[Fired]>>);

impl HostAlerts {
    pub fn new(host: HostName) -> Self {
        let fired = RwSignal::new(Arc::<[Fired]>::from(Vec::new()));
        let summary = OperationStore::here().alerts();
        let revision = Memo::new(move |_| summary.with(|summary| summary.revision));
        // A role that is limited to some kinds sees no alerts.
        let identity = Identity::here();
        let is_limited = Memo::new(move |_| identity.me().is_some_and(|me| me.kinds.is_some()));
        Effect::new(move |_| {
            let _ = revision.get();
            if is_limited.get() {
                return;
            }
            let host = host.clone();
            spawn_local(async move {
                // After a failure, the known ones stay until the next change.
                if let Ok(list) = api::alerts().await {
                    fired.try_set(about(&host, &list).into());
                }
            });
        });
        Self(fired)
    }

    /// Ranges of x for the chart of some metrics, within the bounds of its data, and what each is. Tracked.
    pub fn bands(
        self,
        shows: impl Fn(&str) -> bool,
        bounds: (f64, f64),
        now: Time,
    ) -> (Vec<(f64, f64)>, Vec<String>) {
        self.0.with(|fired| {
            let bands = fired.iter().filter(|alert| shows(&alert.metric));
            bands
                .filter_map(|alert| Some((alert.within(bounds, now)?, format!("Alert {}", alert.rule))))
                .unzip()
        })
    }

    /// Rows of the alerts within the time of the charts, below them; nothing without any.
    pub fn view(self, charted: Charted, zones: Signal<Zone>) -> impl IntoView {
        part(move || {
            let ((from, to), now) =
                charted.answer.with(|answer| answer.as_ref().map(|answer| (answer.bounds, answer.at)))?;
            let zone = zones.get();
            let bounds = (from as f64, to as f64);
            let shown: Vec<(Fired, (f64, f64))> = self.0.with(|fired| {
                fired.iter().filter_map(|alert| Some((alert.clone(), alert.within(bounds, now)?))).collect()
            });
            if shown.is_empty() {
                return None;
            }
            let more = shown.len().saturating_sub(MAX_ROWS);
            let more = (more > 0).then(|| {
                let count = format::counted(more as u64, "earlier alert", "earlier alerts");
                view! { <p class="muted">{count} " not shown. Choose a shorter period to see more."</p> }
            });
            let rows =
                shown.into_iter().take(MAX_ROWS).map(|(alert, range)| row(&alert, range, bounds, zone));
            Some(
                view! {
                    <section class="host-ran" aria-labelledby="alerts-title">
                        <h2 id="alerts-title" class="chart-title">"Alerts"</h2>
                        <ul class="timeline">{rows.collect_view()}</ul>
                        {more}
                    </section>
                }
                .into_any(),
            )
        })
    }
}

/// Alerts about a host that fired, newest first.
fn about(host: &HostName, list: &AlertList) -> Vec<Fired> {
    let fired = |alert: &Alert| {
        (alert.subject.host.as_ref() == Some(host)).then_some(())?;
        Some(Fired {
            rule: alert.rule.clone(),
            metric: alert.metric.clone(),
            severity: alert.severity,
            sentence: alert.sentence.clone(),
            from: alert.fired_at?,
            to: alert.resolved_at,
        })
    };
    let mut fired: Vec<Fired> = list.alerts.iter().chain(&list.recent).filter_map(fired).collect();
    fired.sort_by_key(|alert| std::cmp::Reverse(alert.from));
    fired
}

impl Fired {
    /// Seconds since 1970 at which it was firing within bounds, which may end later than now; `None` if it was not.
    fn within(&self, (from, to): (f64, f64), now: Time) -> Option<(f64, f64)> {
        let second = |at: Time| at.micros() as f64 / 1e6;
        let (began, ended) = (second(self.from).max(from), second(self.to.unwrap_or(now)).min(to));
        (began <= ended).then_some((began, ended))
    }
}

fn row(alert: &Fired, (began, ended): (f64, f64), (from, to): (f64, f64), zone: Zone) -> AnyView {
    let place = |second: f64| (second - from) / (to - from).max(1.0) * WIDTH;
    let left = place(began).min(WIDTH - MIN_MARK);
    let width = (place(ended) - left).max(MIN_MARK);
    let (length, until) = match alert.to {
        Some(at) => (format::span(at.seconds_since(alert.from)), zone.moment(at)),
        None => ("firing".to_owned(), "now".to_owned()),
    };
    let times = format!("{} {} to {until}", alert.sentence, zone.moment(alert.from));
    let hint = times.clone();
    let rule = alert.rule.clone();
    let link = format!("/alerts#rule-{}", alert.rule);
    let severity = match alert.severity {
        Severity::Info => "Info",
        Severity::Warning => "Warning",
        Severity::Critical => "Critical",
    };
    view! {
        <li class="timeline-row" title=hint>
            <span class="timeline-head">
                <span class="alert-mark">{severity}</span>
                <A href=link attr:class="timeline-title">{rule}</A>
                <span class="muted num">{length}</span>
                <span class="unseen">{times}</span>
            </span>
            <svg class="timeline-run" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" data-severity=alert.severity.as_str()>
                <rect class="timeline-bar" x=format!("{left:.1}") y="0" width=format!("{width:.1}") height="10"></rect>
            </svg>
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json};

    fn alert(more: Value) -> Value {
        let mut alert = json!({"rule": "busy", "metric": "cpu.busy_ratio", "host": "gpu-1", "severity": "warning",
            "state": "firing", "since": "1970-01-01T00:00:00Z", "sentence": "x"});
        alert.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        alert
    }

    fn list(alerts: Vec<Value>, recent: Vec<Value>) -> AlertList {
        from_value(json!({"now": "1970-01-01T01:00:00Z", "alerts": alerts, "recent": recent,
            "silences": [], "deliveries": []}))
        .unwrap()
    }

    #[test]
    fn alerts_of_the_host_that_fired_are_shown_and_pending_ones_and_those_of_others_are_not() {
        let firing = json!({"fired_at": "1970-01-01T00:20:00Z"});
        let resolved = json!({"fired_at": "1970-01-01T00:05:00Z", "resolved_at": "1970-01-01T00:10:00Z"});
        let other = json!({"host": "gpu-2", "fired_at": "1970-01-01T00:20:00Z"});
        let list = list(vec![alert(firing), alert(json!({})), alert(other)], vec![alert(resolved)]);
        let fired = about(&"gpu-1".parse().unwrap(), &list);
        let ranges =
            |bounds| -> Vec<_> { fired.iter().map(|alert| alert.within(bounds, list.now)).collect() };
        assert_eq!(ranges((0.0, 3_600.0)), [Some((1_200.0, 3_600.0)), Some((300.0, 600.0))]);
        assert_eq!(ranges((0.0, 9_000.0))[0], Some((1_200.0, 3_600.0)), "not in the future");
        assert_eq!(ranges((500.0, 900.0)), [None, Some((500.0, 600.0))], "only the part within the time");
    }
}
