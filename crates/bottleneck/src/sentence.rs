//! Largest part of an attempt's time as a sentence with its evidence, and what to do about it.

use display::format;
use display::zone::Zone;
use protocol::TimeSplit;
use protocol::time_breakdown::{Limit, ResourceUser, TimeBreakdown};

/// Smallest share of a resource that names its user.
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
        let by = breakdown.users.first().filter(|user| user.share >= MIN_SHARE);
        let by = by.map(|user| format!("; {} {used}", user_share(user))).unwrap_or_default();
        format!("Waited {share} of the time for {what}{evidence}{by}.")
    };
    match breakdown.limit {
        Limit::Cpu => waited("a CPU", "of the used CPU time"),
        Limit::Disk => waited("a disk", "of the bytes read and written"),
        Limit::Memory => waited("memory", "of the used memory"),
        Limit::Quota => {
            let quota = breakdown.cores.map(|cores| format!(" of {}", cores_text(cores))).unwrap_or_default();
            format!("Throttled {share} of the time: the CPU quota{quota} of its host was used up.")
        }
        Limit::Queue => {
            let seconds = format::span(breakdown.slot_wait_seconds);
            format!("Waited {share} of the time ({seconds}) in the queue, before its host began it.")
        }
        Limit::Computing => format!(
            "The host does not limit it: it computed {share} of the time ({}).",
            format::span(breakdown.time.on_cpu)
        ),
        Limit::Other => format!(
            "The host does not limit it: {share} of the time, the work itself waited for something else, such as the \
             network, a lock or a timer."
        ),
        Limit::Unknown if is_early(breakdown) => {
            "Not known yet: the first samples arrive some seconds after the start.".to_owned()
        }
        Limit::Unknown if breakdown.usage.is_none() && breakdown.course.is_none() => {
            "Unknown here: its host did not measure it.".to_owned()
        }
        Limit::Unknown => {
            format!("Unknown here: for {share} of the time, the host could not tell what it did.")
        }
    }
}

/// Whether it runs, but its first samples are not expected yet.
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

/// ``` `training.run` MSFT took 58 % ```
fn user_share(user: &ResourceUser) -> String {
    let share = percent(user.share);
    match &user.kind {
        _ if user.is_self => format!("this operation itself took {share}"),
        Some(kind) => format!("{kind} {} took {share}", user.title),
        None => format!("programs other than operations took {share}"),
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
    let by_itself = breakdown.users.first().is_some_and(|user| user.is_self);
    let text = match breakdown.limit {
        Limit::Cpu if by_itself => "Start fewer threads or processes, or run it on a host with more cores.",
        Limit::Cpu => {
            "Run it when the machine is less busy, on another host, or with fewer slots on this one."
        }
        Limit::Disk if by_itself => "Write less often or in larger blocks, sync less, or use a faster disk.",
        Limit::Disk => "Run it when the disk is less busy, or on a host with another disk.",
        Limit::Memory if by_itself => "Reduce its memory use, or raise the memory limit of its host.",
        Limit::Memory => "Add memory, raise the limit of the host, or run fewer operations at once.",
        Limit::Quota => "Raise the CPU quota of the host, or run fewer operations at once.",
        Limit::Queue => "Add slots or hosts for its kind, or raise its priority.",
        Limit::Computing => "Use faster cores, more threads if the work can use them, or a better algorithm.",
        Limit::Other => "Look at its log, and at the services that it calls.",
        Limit::Unknown if is_early(breakdown) => "",
        Limit::Unknown => "See docs/monitoring.md for what a host must do to be measured.",
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
            users: Vec::new(),
            usage: None,
            course: None,
        }
    }

    fn user(kind: &str, title: &str, share: f64) -> ResourceUser {
        ResourceUser {
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
        let slow = TimeBreakdown { users: vec![user("training.run", "MSFT", 0.58)], ..breakdown(time, 0.0) };
        assert_eq!(
            sentence(&slow, Zone::Utc),
            "Waited 41 % of the time for a CPU: gpu-1 ran 7 operations on 4 cores from 00:01:00 to 00:18:00 UTC; \
             training.run MSFT took 58 % of the used CPU time."
        );
        assert!(advice(&slow).contains("another host"));
        let own = ResourceUser { is_self: true, ..user("exec.fit", "fit", 0.97) };
        let hog = TimeBreakdown { users: vec![own], ..slow };
        assert!(
            sentence(&hog, Zone::Utc).ends_with("; this operation itself took 97 % of the used CPU time.")
        );
        assert!(advice(&hog).contains("fewer threads"));
    }

    #[test]
    fn a_host_that_does_not_limit_the_work_and_an_unknown_time_are_answers() {
        let of = |time, queue| sentence(&breakdown(time, queue), Zone::Utc);
        let slept = of(TimeSplit { rest: 97.0, on_cpu: 3.0, ..TimeSplit::default() }, 0.0);
        assert!(slept.starts_with("The host does not limit it: 97 % of the time"), "{slept}");
        assert!(of(TimeSplit { on_cpu: 9.0, ..TimeSplit::default() }, 1.0).contains("it computed 90 %"));
        assert!(of(TimeSplit { on_cpu: 1.0, ..TimeSplit::default() }, 3.0).contains("in the queue"));
        let unknown = of(TimeSplit { unknown: 9.0, on_cpu: 1.0, ..TimeSplit::default() }, 0.0);
        assert_eq!(unknown, "Unknown here: its host did not measure it.");
        let begun = TimeBreakdown {
            live: true,
            to: Time::from_micros(65_000_000),
            ..breakdown(TimeSplit::default(), 0.0)
        };
        assert!(sentence(&begun, Zone::Utc).starts_with("Not known yet"));
        assert_eq!(largest(0.0, &TimeSplit::default()), Limit::Unknown);
        let quota = of(TimeSplit { throttled: 5.0, on_cpu: 5.0, ..TimeSplit::default() }, 0.0);
        assert_eq!(quota, "Throttled 50 % of the time: the CPU quota of 4 cores of its host was used up.");
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
