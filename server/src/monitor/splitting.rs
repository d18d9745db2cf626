//! Samples as batches: what is the host's, and what is its machine's. Pure.

use history::{Anchor, Batch};
use protocol::samples::{AttemptSamples, is_of_machine};
use protocol::{InstanceId, OperationId};
use std::collections::BTreeMap;

/// Largest difference between the clocks for which the seconds of a process stay where they are, in seconds. The time
/// of a request, and corrections of a clock, stay below it.
const CLOCK_TOLERANCE: f64 = 2.0;

/// Seconds for the ticks of a process: as stored, unless the clock was set or the process is a new one.
///
/// `now` is the server's time, `now_tick` the position of the process at that moment, both in seconds.
pub(crate) fn anchor(known: Option<&Anchor>, instance: InstanceId, now: f64, now_tick: f64) -> Anchor {
    let instance = instance.to_string();
    let base = now - now_tick;
    match known {
        Some(known) if known.instance == instance && (base - known.base as f64).abs() <= CLOCK_TOLERANCE => {
            known.clone()
        }
        _ => Anchor { instance, base: base.round() as i64 },
    }
}

/// Batches of a host and of its machine. `anchor` belongs to the host's.
pub(crate) fn split(
    source: &str,
    machine: Option<&str>,
    anchor: &Anchor,
    ticks: &[u64],
    metrics: BTreeMap<String, Vec<Option<f64>>>,
) -> Vec<Batch> {
    let seconds: Vec<i64> = ticks.iter().map(|tick| anchor.base.saturating_add_unsigned(*tick)).collect();
    let complete = metrics.into_iter().filter(|(_, values)| values.len() == seconds.len());
    let (shared, own): (BTreeMap<_, _>, BTreeMap<_, _>) = complete.partition(|(name, _)| is_of_machine(name));
    let mut batches = vec![Batch {
        source: source.to_owned(),
        seconds: seconds.clone(),
        metrics: own,
        anchor: Some(anchor.clone()),
    }];
    if let Some(machine) = machine {
        batches.push(Batch { source: machine.to_owned(), seconds, metrics: shared, anchor: None });
    }
    batches
}

/// Batches of attempts, each with a source of its own.
pub(crate) fn of_attempts(anchor: &Anchor, attempts: Vec<AttemptSamples>) -> Vec<Batch> {
    let batch = |attempt: AttemptSamples| {
        let seconds: Vec<i64> =
            attempt.ticks.iter().map(|tick| anchor.base.saturating_add_unsigned(*tick)).collect();
        let metrics =
            attempt.metrics.into_iter().filter(|(_, values)| values.len() == seconds.len()).collect();
        let source = attempt_source(attempt.id, attempt.attempt);
        Batch { source, seconds, metrics, anchor: None }
    };
    attempts.into_iter().map(batch).collect()
}

/// Source of an attempt's samples.
pub(crate) fn attempt_source(id: OperationId, attempt: u32) -> String {
    format!("operation/{id}/{attempt}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_stay_in_place_while_the_clocks_agree() {
        let instance = InstanceId::new();
        let first = anchor(None, instance, 1_000_000.4, 10.0);
        assert_eq!(first.base, 999_990);
        for drift in [-1.9, 0.0, 1.5] {
            assert_eq!(anchor(Some(&first), instance, 1_000_100.4 + drift, 110.0), first, "{drift}");
        }
        assert_eq!(
            anchor(Some(&first), instance, 1_003_700.4, 110.0).base,
            1_003_590,
            "the clock was set ahead"
        );
        assert_ne!(anchor(Some(&first), InstanceId::new(), 1_000_100.4, 3.0), first, "another process");
    }

    #[test]
    fn metrics_of_the_machine_are_apart_and_incomplete_ones_left_out() {
        let anchor = Anchor { instance: "i".into(), base: 100 };
        let metrics = BTreeMap::from([
            ("cpu.busy_ratio".to_owned(), vec![Some(0.5), None]),
            ("process.threads".to_owned(), vec![Some(3.0), Some(4.0)]),
            ("load.1m".to_owned(), vec![Some(1.0)]),
        ]);
        let batches = split("host/a", Some("machine/m"), &anchor, &[1, 3], metrics.clone());
        assert_eq!(batches[0].seconds, [101, 103]);
        assert_eq!(batches[0].metrics.keys().collect::<Vec<_>>(), ["process.threads"]);
        assert_eq!((batches[1].source.as_str(), batches[1].metrics.len()), ("machine/m", 1));
        assert_eq!(
            split("host/a", None, &anchor, &[1, 3], metrics).len(),
            1,
            "another host samples the machine"
        );
    }
}
