//! Largest part of an attempt's time as a sentence with its evidence, and what to do about it.

use display::format;
use display::zone::Zone;
use protocol::TimeSplit;
use protocol::time_breakdown::{Limit, ResourceConsumer, TimeBreakdown};

/// Smallest share of a consumer that the sentence names.
const MIN_SHARE: f64 = 0.05;
/// Time after the start within which the first samples arrive at the server.
const FIRST_SAMPLES_SECONDS: f64 = 15.0;

/// Largest part of the time in the queue and on the host. Of equal parts, the one that the host can change counts.
pub fn largest(slot_wait_seconds: f64, time: &TimeSplit) -> Limit {
    let parts = [
        (time.cpu_wait, Limit::Cpu),
        (time.disk_wait, Limit::Disk),
        (time.memory_wait, Limit::Memory),
        (time.throttled, Limit::Quota),
        (slot_wait_seconds, Limit::Queue),
        (time.on_cpu, Limit::Computing),
        (time.rest, Limit::Other),
        (time.unknown, Limit::Unknown),
    ];
    let mut largest = (0.0, Limit::Unknown);
    for (seconds, limit) in parts {
        if seconds > largest.0 {
            largest = (seconds, limit);
        }
    }
    largest.1
}

/// `58 %`; 100 only when exact.
fn percent(share: f64) -> String {
    let whole = (share * 100.0).round();
    format!("{:.0} %", if share < 1.0 { whole.min(99.0) } else { whole })
}

/// Share of a limit in the whole time, 0 to 1.
fn share_of(breakdown: &TimeBreakdown) -> f64 {
    let time = &breakdown.time;
    let seconds = match breakdown.limit {
        Limit::Computing => time.on_cpu,
        Limit::Cpu => time.cpu_wait,
        Limit::Disk => time.disk_wait,
        Limit::Memory => time.memory_wait,
        Limit::Quota => time.throttled,
        Limit::Queue => breakdown.slot_wait_seconds,
        Limit::Other => time.rest,
        Limit::Unknown => time.unknown,
    };
    let all = time.seconds() + breakdown.slot_wait_seconds;
    if all > 0.0 { (seconds / all).clamp(0.0, 1.0) } else { 0.0 }
}

/// The largest part with its evidence. Times are those of a zone.
pub fn sentence(breakdown: &TimeBreakdown, zone: Zone) -> String {
    let share = percent(share_of(breakdown));
    let waited = |what: &str, used: &str| {
        let evidence = evidence(breakdown, zone);
        let by = breakdown.consumers.first().filter(|consumer| consumer.share >= MIN_SHARE);
        let by = by.map(|consumer| format!("; {} {used}", consumer_share(consumer))).unwrap_or_default();
        format!("Waited {share} of the time for {what}{evidence}{by}.")
    };
    match breakdown.limit {
        Limit::Cpu => waited("a CPU", "of the used CPU time"),
        Limit::Disk => waited("a disk", "of the bytes read and written"),
        Limit::Memory => waited("memory", "of the used memory"),
        Limit::Quota => {
            format!("Throttled {share} of the time: the CPU quota of the operation's cgroup was used up.")
        }
        Limit::Queue => {
            let seconds = format::span(breakdown.slot_wait_seconds);
            format!("Waited {share} of the time ({seconds}) in the queue before it started.")
        }
        Limit::Computing => format!(
            "CPU-bound: the operation computed for {share} of the time ({}).",
            format::span(breakdown.time.on_cpu)
        ),
        Limit::Other => format!(
            "Not limited by the host: for {share} of the time, the operation waited for something else, such as the \
             network, a lock or a timer."
        ),
        Limit::Unknown if is_early(breakdown) => {
            "Not known yet: the first samples arrive a few seconds after the start.".to_owned()
        }
        Limit::Unknown if breakdown.usage.is_none() && breakdown.course.is_none() => {
            "Unknown: the host did not measure this operation.".to_owned()
        }
        Limit::Unknown => {
            format!("Unknown: for {share} of the time, the host has no measurements.")
        }
    }
}

/// Whether the operation runs, but its first samples are not expected yet.
fn is_early(breakdown: &TimeBreakdown) -> bool {
    let started = breakdown.started_at.map_or(0.0, |at| breakdown.to.seconds_since(at));
    breakdown.live && breakdown.course.is_none() && started < FIRST_SAMPLES_SECONDS
}

/// `: gpu-1 ran 7 operations on 4 cores from 10:41:07 to 10:58:12 UTC`
fn evidence(breakdown: &TimeBreakdown, zone: Zone) -> String {
    let Some((host, from)) = breakdown.host.as_ref().zip(breakdown.started_at) else { return String::new() };
    let operations = format::counted(breakdown.operations.into(), "operation", "operations");
    let cores = breakdown.cores.map(|cores| format!(" on {}", cores_text(cores))).unwrap_or_default();
    let (from, to) = (zone.bare_clock(from), zone.clock(breakdown.to));
    format!(": {host} ran {operations}{cores} from {from} to {to}")
}

/// ``` training.run MSFT accounted for 58 % ```
fn consumer_share(consumer: &ResourceConsumer) -> String {
    let share = percent(consumer.share);
    match &consumer.kind {
        _ if consumer.is_self => format!("this operation itself accounted for {share}"),
        Some(kind) => format!("{kind} {} accounted for {share}", consumer.title),
        None => format!("other programs accounted for {share}"),
    }
}

fn cores_text(cores: f64) -> String {
    if (cores - 1.0).abs() < f64::EPSILON {
        return "1 core".to_owned();
    }
    format!("{} cores", format::figure((cores * 100.0).round() / 100.0))
}

/// What to do about the largest part.
pub fn advice(breakdown: &TimeBreakdown) -> String {
    let by_itself = breakdown.consumers.first().is_some_and(|consumer| consumer.is_self);
    let text = match breakdown.limit {
        Limit::Cpu if by_itself => {
            "Start fewer threads or processes, or run this operation on a host with more cores."
        }
        Limit::Cpu => {
            "Run this operation when the machine is less busy or on another host, or reduce the slots of this host."
        }
        Limit::Disk if by_itself => "Write less often or in larger blocks, sync less, or use a faster disk.",
        Limit::Disk => "Run this operation when the disk is less busy, or on a host with another disk.",
        Limit::Memory if by_itself => {
            "Reduce the memory use of the operation, or raise the memory limit of the host."
        }
        Limit::Memory => {
            "Add memory to the machine, raise the memory limit of the host, or run fewer operations in parallel."
        }
        Limit::Quota => "Raise the CPU quota of the cgroup.",
        Limit::Queue => "Add slots or hosts for this kind, or raise the priority of the operation.",
        Limit::Computing => "Use faster cores, more threads if the work can use them, or a better algorithm.",
        Limit::Other => "Check the operation's log and the services that it calls.",
        Limit::Unknown if is_early(breakdown) => "",
        Limit::Unknown => "docs/monitoring.md explains how a host can measure operations.",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use protocol::Time;

    fn breakdown(time: TimeSplit, slot_wait_seconds: f64) -> TimeBreakdown {
        let at = |second: i64| Time::from_micros(second * 1_000_000);
        TimeBreakdown {
            attempt: 1,
            host: Some("gpu-1".parse().unwrap()),
            queued_at: at(0),
            started_at: Some(at(60)),
            to: at(1_080),
            live: false,
            slot_wait_seconds,
            time,
            limit: largest(slot_wait_seconds, &time),
            sentence: String::new(),
            advice: String::new(),
            cores: Some(4.0),
            operations: 7,
            consumers: Vec::new(),
            usage: None,
            course: None,
        }
    }

    fn consumer(kind: &str, title: &str, share: f64) -> ResourceConsumer {
        ResourceConsumer {
            operation: None,
            title: title.into(),
            kind: Some(kind.parse().unwrap()),
            host: None,
            share,
            is_self: false,
        }
    }

    #[test]
    fn a_wait_is_named_with_its_evidence_and_its_cause() {
        let time = TimeSplit { on_cpu: 35.0, cpu_wait: 41.0, rest: 24.0, ..TimeSplit::default() };
        let slow =
            TimeBreakdown { consumers: vec![consumer("training.run", "MSFT", 0.58)], ..breakdown(time, 0.0) };
        assert_eq!(
            sentence(&slow, Zone::Utc),
            "Waited 41 % of the time for a CPU: gpu-1 ran 7 operations on 4 cores from 00:01:00 to 00:18:00 UTC; \
             training.run MSFT accounted for 58 % of the used CPU time."
        );
        assert!(advice(&slow).contains("another host"));
        let own = ResourceConsumer { is_self: true, ..consumer("exec.fit", "fit", 0.97) };
        let hog = TimeBreakdown { consumers: vec![own], ..slow };
        assert!(
            sentence(&hog, Zone::Utc)
                .ends_with("; this operation itself accounted for 97 % of the used CPU time.")
        );
        assert!(advice(&hog).contains("fewer threads"));
    }

    #[test]
    fn a_host_that_does_not_limit_the_work_and_an_unknown_time_are_answers() {
        let of = |time, queue| sentence(&breakdown(time, queue), Zone::Utc);
        let slept = of(TimeSplit { rest: 97.0, on_cpu: 3.0, ..TimeSplit::default() }, 0.0);
        assert!(slept.starts_with("Not limited by the host: for 97 % of the time"), "{slept}");
        assert!(of(TimeSplit { on_cpu: 9.0, ..TimeSplit::default() }, 1.0).contains("computed for 90 %"));
        assert!(of(TimeSplit { on_cpu: 1.0, ..TimeSplit::default() }, 3.0).contains("in the queue"));
        let unknown = of(TimeSplit { unknown: 9.0, on_cpu: 1.0, ..TimeSplit::default() }, 0.0);
        assert_eq!(unknown, "Unknown: the host did not measure this operation.");
        let begun = TimeBreakdown {
            live: true,
            to: Time::from_micros(65_000_000),
            ..breakdown(TimeSplit::default(), 0.0)
        };
        assert!(sentence(&begun, Zone::Utc).starts_with("Not known yet"));
        assert_eq!(largest(0.0, &TimeSplit::default()), Limit::Unknown);
        let quota = of(TimeSplit { throttled: 5.0, on_cpu: 5.0, ..TimeSplit::default() }, 0.0);
        assert_eq!(quota, "Throttled 50 % of the time: the CPU quota of the operation's cgroup was used up.");
    }

    proptest! {
        #[test]
        fn no_other_part_is_larger_than_the_named_one(
            parts in proptest::array::uniform7(0.0f64..1e6),
            queue in 0.0f64..1e6,
        ) {
            let breakdown = breakdown(TimeSplit::of_parts(parts), queue);
            let all = breakdown.time.seconds() + queue;
            let named = share_of(&breakdown) * all;
            prop_assert!(parts.iter().chain([&queue]).all(|part| *part <= named * (1.0 + 1e-9)));
            let sentence = sentence(&breakdown, Zone::Utc);
            prop_assert!(sentence.ends_with('.') && !sentence.contains("NaN"), "{}", sentence);
            prop_assert!(!advice(&breakdown).is_empty(), "it is not live");
        }
    }
}
