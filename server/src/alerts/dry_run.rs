//! Dry run of a rule: the same state machine, over the history.

use super::readings::{Inputs, means};
use crate::monitor::{Monitor, Wanted};
use alerts::metric::{HistoryMetric, TREND_MINUTES};
use alerts::{Memory, Metric, Rule, Transition};
use history::{Buckets, MAX_BUCKETS};
use protocol::alerts::{DryRun, DryRunFiring, DryRunRequest};
use protocol::{HostName, Time};

/// Longest period in days: minutes are kept for so long.
const MAX_DAYS: f64 = 90.0;
const DAY_SECONDS: f64 = 86_400.0;
/// Resolution in seconds.
const STEP_SECONDS: i64 = 60;
/// Largest number of firings in a response.
const MAX_FIRINGS: usize = 1_000;

/// Why a rule can't be tested, as a sentence.
#[derive(Debug)]
pub enum DryRunError {
    Invalid(String),
    Unavailable(String),
}

/// Values of a metric of one host, one each [`STEP_SECONDS`].
struct Values {
    /// Second of the first value, since 1970.
    start: i64,
    values: Vec<Option<f64>>,
}

/// When a rule would have fired, up to now.
pub(super) async fn dry_run(
    asked: DryRunRequest,
    hosts: Vec<HostName>,
    monitor: &Monitor,
    now: Time,
) -> Result<DryRun, DryRunError> {
    let days = asked.days;
    if !(days > 0.0 && days <= MAX_DAYS) {
        return Err(DryRunError::Invalid(format!("`days` must be more than 0 and at most {MAX_DAYS}.")));
    }
    let rule = Rule::new(asked.rule).map_err(|error| DryRunError::Invalid(format!("{error}.")))?;
    let Metric::History(metric) = &rule.metric else {
        let why = format!(
            "The metric '{}' has no history, so the rule can't be tested. Use a metric with a history, such as \
             cpu.busy_ratio.",
            rule.spec().metric
        );
        return Err(DryRunError::Invalid(why));
    };
    let to = now.micros().div_euclid(1_000_000).div_euclid(STEP_SECONDS) * STEP_SECONDS;
    let from = to - (days * DAY_SECONDS) as i64;
    let (mut firings, mut count, mut without_values) = (Vec::new(), 0, Vec::new());
    for host in hosts.into_iter().filter(|host| rule.is_for_host(host)) {
        let read = read(monitor, &host, metric, from, to).await?;
        if read.values.iter().all(Option::is_none) {
            without_values.push(host);
            continue;
        }
        let fired = run(&rule, &host, &read, from);
        count += fired.len();
        firings.extend(fired);
    }
    firings.sort_by_key(|firing: &DryRunFiring| firing.fired_at);
    firings.truncate(MAX_FIRINGS);
    Ok(DryRun {
        sentence: sentence(count, days),
        from: time(from),
        to: time(to),
        resolution_seconds: STEP_SECONDS as u32,
        count: u32::try_from(count).unwrap_or(u32::MAX),
        firings,
        without_values,
    })
}

fn sentence(count: usize, days: f64) -> String {
    let times = match count {
        0 => "not have fired".to_owned(),
        1 => "have fired once".to_owned(),
        count => format!("have fired {} times", display::format::count(count as u64)),
    };
    format!("The rule would {times} in the last {}.", display::format::span(days * DAY_SECONDS))
}

fn time(second: i64) -> Time {
    Time::from_micros(second.saturating_mul(1_000_000))
}

/// Reads the metric in parts, because a response of the history has a limit.
async fn read(
    monitor: &Monitor,
    host: &HostName,
    metric: &HistoryMetric,
    from: i64,
    to: i64,
) -> Result<Values, DryRunError> {
    // A trend looks back.
    let start = if metric.is_trend() { from - TREND_MINUTES as i64 * STEP_SECONDS } else { from };
    let length = MAX_BUCKETS as i64 * STEP_SECONDS;
    let start = start.div_euclid(STEP_SECONDS) * STEP_SECONDS;
    let mut inputs = Inputs::new();
    let mut part = start;
    while part < to {
        let end = to.min(part + length);
        let width = usize::try_from((end - part) / STEP_SECONDS).unwrap_or(1);
        let metrics = metric.inputs().into_iter().map(str::to_owned).collect();
        let wanted = Wanted { from: part, to: end, now: to, width, metrics };
        let buckets = monitor.history(host, wanted).await;
        let buckets = buckets.map_err(|error| DryRunError::Unavailable(error.to_string()))?;
        append(
            &mut inputs,
            metric,
            buckets,
            usize::try_from((part - start) / STEP_SECONDS).unwrap_or(0),
            width,
        );
        part = end;
    }
    Ok(Values { start, values: metric.values(&inputs) })
}

/// Appends a part at its place. Older hours are repeated for each of their minutes.
fn append(inputs: &mut Inputs, metric: &HistoryMetric, buckets: Buckets, offset: usize, width: usize) {
    let per_bucket = usize::try_from(buckets.bucket_seconds / STEP_SECONDS).unwrap_or(1).max(1);
    let mut read = means(buckets);
    for name in metric.inputs() {
        let values = read.remove(name).unwrap_or_default();
        let steps = values.into_iter().flat_map(|value| std::iter::repeat_n(value, per_bucket));
        let known = inputs.entry(name.to_owned()).or_default();
        known.resize(offset, None);
        known.extend(steps.take(width));
        known.resize(offset + width, None);
    }
}

/// Runs the state machine over the values of a host; only firings after `from` count.
fn run(rule: &Rule, host: &HostName, read: &Values, from: i64) -> Vec<DryRunFiring> {
    let mut memory = Memory::new(time(read.start));
    let mut fired: Vec<DryRunFiring> = Vec::new();
    for (number, value) in (0_i64..).zip(&read.values) {
        // A value is known at the end of its minute.
        let second = read.start + (number + 1) * STEP_SECONDS;
        if second <= from {
            continue;
        }
        match memory.step(rule, *value, STEP_SECONDS as f64, time(second)) {
            Some(Transition::Fired) => fired.push(DryRunFiring {
                host: host.clone(),
                fired_at: time(second),
                resolved_at: None,
                value: value.unwrap_or_default(),
            }),
            Some(Transition::Resolved(_)) => {
                if let Some(last) = fired.last_mut() {
                    last.resolved_at = Some(time(second));
                }
            }
            None => {}
        }
    }
    fired
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_rule_fires_in_its_dry_run_where_it_would_have_fired() {
        let spec = json!({"name": "busy", "metric": "cpu.busy_ratio", "threshold": 0.8, "recovery": 0.5,
            "for_seconds": 120, "recover_for_seconds": 60, "no_data_for_seconds": 120});
        let rule = Rule::new(serde_json::from_value(spec).unwrap()).unwrap();
        let host: HostName = "gpu-1".parse().unwrap();
        let minutes = [0.1, 0.9, 0.9, 0.9, 0.7, 0.4, 0.4, 0.9, 0.1, 0.9, 0.9, 0.9];
        let read = Values { start: 0, values: minutes.map(Some).to_vec() };
        let fired = run(&rule, &host, &read, 0);
        let at = |firing: &DryRunFiring| {
            (firing.fired_at.micros() / 60_000_000, firing.resolved_at.map(|at| at.micros() / 60_000_000))
        };
        assert_eq!(fired.iter().map(at).collect::<Vec<_>>(), [(4, Some(7)), (12, None)]);
    }

    #[test]
    fn the_result_of_a_dry_run_is_a_sentence() {
        assert_eq!(sentence(3, 7.0), "The rule would have fired 3 times in the last 7 d.");
        assert_eq!(sentence(0, 1.0), "The rule would not have fired in the last 1 d.");
    }
}
