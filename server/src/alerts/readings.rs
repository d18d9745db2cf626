//! Readings: what the server knows at a moment, and the values of a rule's metric in it.

use crate::monitor::{Monitor, Wanted};
use alerts::metric::{HistoryMetric, TREND_MINUTES};
use alerts::{Metric, Rule};
use engine::Engine;
use pool::Requests;
use protocol::alerts::AlertSubject;
use protocol::api::{HostLink, HostStatus};
use protocol::{ConditionKind, HostName, KindName, Operation, State, Time};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Fewest requests for a share of errors or a percentile.
const MIN_REQUESTS: u64 = 20;
/// Length of the time whose mean is the current value, in seconds. Samples arrive every 5 s.
const CURRENT_SECONDS: i64 = 20;

/// Values by metric and bucket.
pub(super) type Inputs = BTreeMap<String, Vec<Option<f64>>>;

/// What the server knows at a moment.
#[derive(Default)]
pub(super) struct Observed {
    pub hosts: Vec<HostStatus>,
    pub operations: Vec<Operation>,
    kinds: BTreeSet<KindName>,
    /// Requests to each host, of the last minutes and in total.
    requests: HashMap<HostName, (Requests, Requests)>,
    /// Mean of the last seconds.
    current: HashMap<HostName, Inputs>,
    /// Minutes of the last hours, for trends.
    trends: HashMap<HostName, Inputs>,
    store_trouble: bool,
    now: Option<Time>,
}

impl Observed {
    /// Reads everything that the rules need. A history that can't be read leaves its values unknown.
    pub async fn read(engine: &Engine, monitor: &Monitor, rules: &[&Rule]) -> Self {
        let snapshot = engine.snapshot();
        let now = snapshot.now;
        let hosts: Vec<HostName> = snapshot.hosts.iter().map(|host| host.name.clone()).collect();
        let offered = engine.kinds().kinds.into_iter().map(|offer| offer.spec.name);
        let kinds =
            offered.chain(snapshot.operations.iter().map(|operation| operation.kind.clone())).collect();
        let requests = engine.host_requests().into_iter().map(|(host, routes)| {
            let (mut recent, mut total) = (Requests::default(), Requests::default());
            for route in &routes {
                recent.merge(&route.recent);
                total.merge(&route.total);
            }
            (host, (recent, total))
        });
        let second = now.micros().div_euclid(1_000_000);
        let current = Wanted {
            from: second - CURRENT_SECONDS,
            to: second + 1,
            now: second,
            width: 1,
            metrics: inputs(rules, |metric| !metric.is_trend()),
        };
        let minute = second.div_euclid(60) * 60;
        let trends = Wanted {
            from: minute - TREND_MINUTES as i64 * 60,
            to: minute,
            now: second,
            width: TREND_MINUTES,
            metrics: inputs(rules, HistoryMetric::is_trend),
        };
        Self {
            kinds,
            requests: requests.collect(),
            current: histories(monitor, &hosts, current).await,
            trends: histories(monitor, &hosts, trends).await,
            store_trouble: engine.store_fault().is_some(),
            hosts: snapshot.hosts,
            operations: snapshot.operations,
            now: Some(now),
        }
    }

    /// Values of a rule's metric: one for each host, kind or operation that the rule applies to; `None` is unknown.
    pub fn of(&self, rule: &Rule) -> Vec<(AlertSubject, Option<f64>)> {
        match &rule.metric {
            Metric::StoreTrouble => {
                vec![(AlertSubject::default(), Some(f64::from(u8::from(self.store_trouble))))]
            }
            Metric::QueueWait => self.of_kinds(rule, |kind| self.longest_wait(kind)),
            Metric::Failures(seconds) => self.of_kinds(rule, |kind| self.failures(kind, *seconds)),
            Metric::Stalled => self.stalled(rule),
            Metric::HostUnreachable => self.of_hosts(rule, |host| {
                // Also a host that has not connected since the start of the server.
                Some(f64::from(u8::from(host.link != HostLink::Up)))
            }),
            metric => self.of_hosts(rule, |host| {
                // The values of a silent host are unknown.
                if host.link == HostLink::Up { self.of_host(metric, &host.name) } else { None }
            }),
        }
    }

    fn of_hosts(
        &self,
        rule: &Rule,
        value: impl Fn(&HostStatus) -> Option<f64>,
    ) -> Vec<(AlertSubject, Option<f64>)> {
        let hosts = self.hosts.iter().filter(|host| rule.is_for_host(&host.name));
        let subject =
            |host: &HostStatus| AlertSubject { host: Some(host.name.clone()), ..AlertSubject::default() };
        hosts.map(|host| (subject(host), value(host))).collect()
    }

    fn of_kinds(&self, rule: &Rule, value: impl Fn(&KindName) -> f64) -> Vec<(AlertSubject, Option<f64>)> {
        let kinds = self.kinds.iter().filter(|kind| rule.is_for_kind(kind));
        let subject = |kind: &KindName| AlertSubject { kind: Some(kind.clone()), ..AlertSubject::default() };
        kinds.map(|kind| (subject(kind), Some(value(kind)))).collect()
    }

    fn of_host(&self, metric: &Metric, host: &HostName) -> Option<f64> {
        let enough = || self.requests.get(host).filter(|(recent, _)| recent.count() >= MIN_REQUESTS);
        match metric {
            Metric::RequestErrors => {
                let (recent, _) = enough()?;
                Some(recent.failed() as f64 / recent.count() as f64)
            }
            Metric::RequestP95 => enough()?.0.latency.quantile(0.95),
            Metric::RequestP95Growth => {
                let (recent, total) = enough()?;
                let usual = total.latency.quantile(0.95).filter(|usual| *usual > 0.0)?;
                Some(recent.latency.quantile(0.95)? / usual)
            }
            Metric::History(metric) => {
                let all = if metric.is_trend() { &self.trends } else { &self.current };
                let values = metric.values(all.get(host)?);
                // The newest minute is complete a few seconds after its end.
                values.iter().rev().take(2).copied().flatten().next()
            }
            Metric::HostUnreachable
            | Metric::QueueWait
            | Metric::Failures(_)
            | Metric::Stalled
            | Metric::StoreTrouble => None,
        }
    }

    /// Longest time in seconds that a queued operation of a kind could have started.
    fn longest_wait(&self, kind: &KindName) -> f64 {
        let Some(now) = self.now else { return 0.0 };
        let queued = self.operations.iter().filter(|op| op.kind == *kind && op.state == State::Queued);
        queued.map(|op| now.seconds_since(op.ready_at())).fold(0.0, f64::max)
    }

    /// Number of operations of a kind that failed in the last seconds.
    fn failures(&self, kind: &KindName, seconds: f64) -> f64 {
        let Some(now) = self.now else { return 0.0 };
        let failed = self.operations.iter().filter(|op| op.kind == *kind && op.state == State::Failed);
        failed.filter(|op| op.ended_at.is_some_and(|at| now.seconds_since(at) <= seconds)).count() as f64
    }

    /// Time in seconds for which each active operation has been stalled.
    fn stalled(&self, rule: &Rule) -> Vec<(AlertSubject, Option<f64>)> {
        let Some(now) = self.now else { return Vec::new() };
        let running = self.operations.iter().filter(|op| {
            !op.state.ended()
                && rule.is_for_kind(&op.kind)
                && op.host.as_ref().is_some_and(|host| rule.is_for_host(host))
        });
        let value = |op: &Operation| match &op.condition {
            Some(condition) if condition.kind == ConditionKind::Stalled => {
                Some(now.seconds_since(condition.since).max(0.001))
            }
            // Whether it progresses is unknown.
            Some(condition) if condition.kind == ConditionKind::Unreachable => None,
            _ => Some(0.0),
        };
        let subject = |op: &Operation| AlertSubject {
            host: op.host.clone(),
            kind: Some(op.kind.clone()),
            operation: Some(op.id),
        };
        running.map(|op| (subject(op), value(op))).collect()
    }
}

/// Metrics of the history that the rules need.
fn inputs(rules: &[&Rule], wanted: impl Fn(&HistoryMetric) -> bool) -> Vec<String> {
    let metrics = rules.iter().filter_map(|rule| match &rule.metric {
        Metric::History(metric) if wanted(metric) => Some(metric.inputs()),
        _ => None,
    });
    let names: BTreeSet<&str> = metrics.flatten().collect();
    names.into_iter().map(str::to_owned).collect()
}

async fn histories(monitor: &Monitor, hosts: &[HostName], wanted: Wanted) -> HashMap<HostName, Inputs> {
    if wanted.metrics.is_empty() {
        return HashMap::new();
    }
    match monitor.histories(hosts.to_vec(), wanted).await {
        Ok(read) => read.into_iter().map(|(host, buckets)| (host, means(buckets))).collect(),
        Err(error) => {
            tracing::debug!(%error, "can't read the metrics history; the values of its metrics are unknown");
            HashMap::new()
        }
    }
}

/// Means by metric and bucket.
pub(super) fn means(buckets: history::Buckets) -> Inputs {
    buckets.metrics.into_iter().map(|(name, series)| (name, series.mean)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{Condition, OperationId};
    use serde_json::json;

    fn rule(metric: &str) -> Rule {
        let spec = json!({"name": "busy", "metric": metric, "threshold": 1.0});
        Rule::new(serde_json::from_value(spec).unwrap()).unwrap()
    }

    fn at(second: i64) -> Time {
        Time::from_micros(second * 1_000_000)
    }

    fn operation(state: State) -> Operation {
        let kind = "data.load".parse().unwrap();
        let mut operation = Operation::queued(OperationId::new(), kind, "MSFT".into(), json!({}), at(100));
        operation.state = state;
        operation
    }

    fn observed(operations: Vec<Operation>) -> Observed {
        let kinds = BTreeSet::from(["data.load".parse().unwrap()]);
        Observed { operations, kinds, now: Some(at(1_000)), ..Observed::default() }
    }

    #[test]
    fn an_operation_waits_from_the_end_of_its_backoff_on() {
        let mut waiting = operation(State::Queued);
        waiting.not_before = Some(at(400));
        let of = observed(vec![waiting]).of(&rule("queue.wait_seconds"));
        assert_eq!(of.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [Some(600.0)]);
    }

    #[test]
    fn only_failures_within_the_time_span_count() {
        let failed = |second| Operation { ended_at: Some(at(second)), ..operation(State::Failed) };
        let of = observed(vec![failed(50), failed(500), operation(State::Succeeded)]);
        assert_eq!(of.of(&rule("operations.failed.15m"))[0].1, Some(1.0));
        assert_eq!(of.of(&rule("operations.failed.1h"))[0].1, Some(2.0));
    }

    #[test]
    fn an_operation_on_a_silent_host_is_unknown_and_not_stalled() {
        let with = |kind| {
            let condition = Condition { kind, since: at(940), message: String::new() };
            let host = Some("gpu-1".parse().unwrap());
            Operation { condition: Some(condition), host, ..operation(State::Running) }
        };
        let operations = vec![with(ConditionKind::Stalled), with(ConditionKind::Unreachable)];
        let of = observed(operations).of(&rule("operation.stalled_seconds"));
        assert_eq!(of.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [Some(60.0), None]);
    }
}
