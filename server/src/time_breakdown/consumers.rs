//! Consumers of a resource of a machine within a period.

use super::Window;
use super::samples::{Machine, Used};
use crate::monitor::Monitor;
use engine::{EngineError, Scoped};
use protocol::time_breakdown::{Limit, ResourceConsumer};
use protocol::{HostName, Operation, OperationId, Time};
use store::Filter;

/// Number of operations that are searched for those that ran at the same time.
const SEARCHED: &str = "500";
/// Largest number of operations whose samples are read.
const MAX_READ: usize = 100;
/// Number of buckets in which they are read.
const WIDTH: usize = 1_000;
/// Number of consumers of a response, and their smallest share.
const MAX_CONSUMERS: usize = 5;
const MIN_SHARE: f64 = 0.01;

/// Operations that ran on these hosts within the time, `own` first, then those that ran for the longest part of it.
pub(super) async fn ran(
    engine: &Scoped,
    hosts: &[HostName],
    own: &Operation,
    window: Window,
) -> Result<Vec<Operation>, EngineError> {
    let hosts = hosts.iter().map(HostName::as_str).collect::<Vec<_>>().join(",");
    let until = Time::from_micros(window.to.saturating_mul(1_000_000)).to_string();
    let newest = [("host", hosts.as_str()), ("until", until.as_str()), ("limit", SEARCHED)];
    // Operations that began long before are found while they run.
    let active = [("host", hosts.as_str()), ("state", "running,cancelling"), ("limit", SEARCHED)];
    let mut found = vec![own.clone()];
    for query in [&newest, &active] {
        let Ok(filter) = Filter::parse(query.iter().copied()) else { continue };
        for operation in engine.page(filter).await?.operations {
            if overlap(&operation, window) > 0.0 && found.iter().all(|known| known.id != operation.id) {
                found.push(operation);
            }
        }
    }
    found[1..].sort_by(|a, b| overlap(b, window).total_cmp(&overlap(a, window)));
    Ok(found)
}

/// Seconds of the time in which the operation ran.
fn overlap(operation: &Operation, window: Window) -> f64 {
    let second = |time: Time| time.micros() as f64 / 1e6;
    let Some(started) = operation.started_at.map(second) else { return 0.0 };
    let ended = operation.ended_at.map_or(window.now as f64, second);
    ended.min(window.to as f64) - started.max(window.from as f64)
}

/// Largest consumers of the resource of a limit.
pub(super) async fn largest(
    monitor: &Monitor,
    mut ran: Vec<Operation>,
    own: &Operation,
    limit: Limit,
    machine: &Machine,
    window: Window,
) -> Vec<ResourceConsumer> {
    if limit == Limit::Memory && machine.is_memory_limited {
        ran.retain(|operation| operation.host == own.host);
    }
    ran.truncate(MAX_READ);
    let attempts = ran.iter().map(|operation| (operation.id, operation.attempt)).collect();
    let Ok(read) = monitor.attempts(attempts, window.wanted(WIDTH, &Used::METRICS)).await else {
        return Vec::new();
    };
    let used = ran.iter().zip(&read).filter_map(|(operation, read)| {
        let used = Used::of(read).or_else(|| of_cost(operation, window))?;
        Some((operation, amount(&used, limit)))
    });
    shares(used.collect(), of_machine(machine, limit), own.id)
}

/// What an operation used within the period, by its cost: it was too short for samples.
fn of_cost(operation: &Operation, window: Window) -> Option<Used> {
    let usage = operation.usage.as_ref()?;
    let part = (overlap(operation, window) / usage.wall_seconds.max(0.001)).clamp(0.0, 1.0);
    let bytes = |bytes: Option<u64>| bytes.unwrap_or(0) as f64;
    Some(Used {
        cpu_seconds: usage.cpu_seconds.unwrap_or(0.0) * part,
        disk_bytes: (bytes(usage.read_bytes) + bytes(usage.written_bytes)) * part,
        // Only while it ran, which was a moment.
        memory_bytes: 0.0,
    })
}

fn amount(used: &Used, limit: Limit) -> f64 {
    match limit {
        Limit::Disk => used.disk_bytes,
        Limit::Memory => used.memory_bytes,
        _ => used.cpu_seconds,
    }
}

fn of_machine(machine: &Machine, limit: Limit) -> Option<f64> {
    match limit {
        Limit::Disk => machine.disk_bytes,
        Limit::Memory => machine.memory_bytes,
        _ => machine.cpu_seconds,
    }
}

/// Shares of the operations and of all other programs, largest first. Operations may use more than the machine's
/// samples say, because both are rounded, and files may be written later. Empty without samples of the machine: other
/// programs may have used the most.
fn shares(used: Vec<(&Operation, f64)>, of_machine: Option<f64>, own: OperationId) -> Vec<ResourceConsumer> {
    let Some(of_machine) = of_machine else { return Vec::new() };
    let sum: f64 = used.iter().map(|(_, amount)| amount).sum();
    let all = of_machine.max(sum);
    if all <= 0.0 {
        return Vec::new();
    }
    let consumer = |(operation, amount): (&Operation, f64)| ResourceConsumer {
        operation: Some(operation.id),
        title: operation.title.clone(),
        kind: Some(operation.kind.clone()),
        host: operation.host.clone(),
        share: amount / all,
        is_self: operation.id == own,
    };
    let others = ResourceConsumer {
        operation: None,
        title: String::new(),
        kind: None,
        host: None,
        share: (all - sum) / all,
        is_self: false,
    };
    let mut consumers: Vec<ResourceConsumer> = used.into_iter().map(consumer).chain([others]).collect();
    consumers.retain(|consumer| consumer.share >= MIN_SHARE);
    consumers.sort_by(|a, b| b.share.total_cmp(&a.share));
    consumers.truncate(MAX_CONSUMERS);
    consumers.iter_mut().for_each(|consumer| consumer.share = (consumer.share * 1e3).round() / 1e3);
    consumers
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn operation(started: i64, ended: Option<i64>) -> Operation {
        let at = |second: i64| Time::from_micros(second * 1_000_000);
        let kind = "exec.fit".parse().unwrap();
        let mut operation = Operation::queued(OperationId::new(), kind, "fit".into(), json!({}), at(0));
        operation.started_at = Some(at(started));
        operation.ended_at = ended.map(at);
        operation
    }

    const WINDOW: Window = Window { from: 100, to: 200, now: 1_000 };

    #[test]
    fn only_the_part_of_a_run_within_the_time_counts() {
        assert_eq!(overlap(&operation(50, Some(150)), WINDOW), 50.0);
        assert_eq!(overlap(&operation(150, None), WINDOW), 50.0);
        assert!(overlap(&operation(10, Some(90)), WINDOW) < 0.0);
    }

    #[test]
    fn the_hog_is_first_and_other_programs_have_the_remainder() {
        let (hog, own, idle) = (operation(0, None), operation(0, None), operation(0, None));
        let consumers = shares(vec![(&own, 20.0), (&hog, 58.0), (&idle, 0.1)], Some(100.0), own.id);
        let shares: Vec<_> = consumers.iter().map(|consumer| (consumer.operation, consumer.share)).collect();
        assert_eq!(shares, [(Some(hog.id), 0.58), (None, 0.219), (Some(own.id), 0.2)]);
        assert!(consumers[2].is_self && !consumers[0].is_self);
        let alone = super::shares(vec![(&own, 20.0)], Some(15.0), own.id);
        assert_eq!((alone.len(), alone[0].share), (1, 1.0));
        assert!(super::shares(vec![(&own, 20.0)], None, own.id).is_empty(), "others may have used more");
        assert!(super::shares(vec![(&own, 0.0)], Some(0.0), own.id).is_empty());
    }
}
