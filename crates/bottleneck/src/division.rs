//! Division of an interval of wall time by what its threads did.

use protocol::TimeSplit;

/// What the threads of an operation did within an interval of wall time. All are seconds, added up over the threads;
/// `None` is unknown.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Interval {
    /// Length of the interval.
    pub seconds: f64,
    pub on_cpu: Option<f64>,
    /// Ready to run, but without a CPU. Includes the time that was throttled.
    pub cpu_wait: Option<f64>,
    /// May include the time in which it waited for memory.
    pub disk_wait: Option<f64>,
    pub memory_wait: Option<f64>,
    /// Ready to run, but the CPU quota was used up; `None` also if there is no quota.
    pub throttled: Option<f64>,
    /// Neither running nor idle, and the cause is unknown.
    pub unknown: f64,
}

/// Divides the interval in proportion to the time that its threads ran or waited for a resource. If that is less than
/// the interval, nothing of the operation ran or waited for the remainder: it is the rest, or unknown if one of the
/// waits is. The parts are never negative, and their sum is the interval.
pub fn divide(interval: &Interval) -> TimeSplit {
    let seconds = sane(interval.seconds);
    let Some(on_cpu) = interval.on_cpu.map(sane) else {
        return TimeSplit { unknown: seconds, ..TimeSplit::default() };
    };
    let waits = [interval.cpu_wait, interval.disk_wait, interval.memory_wait];
    let is_known = waits.iter().all(Option::is_some);
    let [ready, disk_wait, memory_wait] = waits.map(|wait| sane(wait.unwrap_or(0.0)));
    // While the kernel frees memory for a thread, it reads and writes pages, so the thread waits for a disk as well.
    // The lack of memory is the cause.
    let disk_wait = (disk_wait - memory_wait).max(0.0);
    let throttled = sane(interval.throttled.unwrap_or(0.0));
    // A throttled thread is ready to run as well. Quotas are counted per CPU, so they may exceed the waits of threads.
    let throttled = if interval.cpu_wait.is_some() { throttled.min(ready) } else { throttled };
    let cpu_wait = (ready - throttled).max(0.0);
    let parts = [on_cpu, cpu_wait, disk_wait, memory_wait, throttled, 0.0, sane(interval.unknown)];
    let sum: f64 = parts.iter().sum();
    let scale = if sum > seconds { seconds / sum } else { 1.0 };
    let mut split = TimeSplit::of_parts(parts.map(|part| part * scale));
    let left = (seconds - split.seconds()).max(0.0);
    if is_known {
        split.rest += left;
    } else {
        split.unknown += left;
    }
    split
}

/// Figure that is no time counts as none; a century is more than any measurement.
fn sane(seconds: f64) -> f64 {
    const CENTURY: f64 = 3.2e9;
    if seconds.is_finite() { seconds.clamp(0.0, CENTURY) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KNOWN: Interval = Interval {
        seconds: 1.0,
        on_cpu: Some(0.0),
        cpu_wait: Some(0.0),
        disk_wait: Some(0.0),
        memory_wait: Some(0.0),
        throttled: None,
        unknown: 0.0,
    };

    #[test]
    fn more_threads_than_cores_wait_for_a_cpu() {
        // Eight busy threads on two cores.
        let split = divide(&Interval { on_cpu: Some(2.0), cpu_wait: Some(6.0), ..KNOWN });
        assert_eq!((split.on_cpu, split.cpu_wait, split.rest), (0.25, 0.75, 0.0));
    }

    #[test]
    fn a_time_in_which_no_thread_ran_or_waited_is_the_rest() {
        assert_eq!(divide(&KNOWN), TimeSplit { rest: 1.0, ..TimeSplit::default() });
        let split = divide(&Interval { on_cpu: Some(0.25), disk_wait: Some(0.5), ..KNOWN });
        assert_eq!((split.on_cpu, split.disk_wait, split.rest), (0.25, 0.5, 0.25));
    }

    #[test]
    fn throttled_time_is_not_also_a_wait_for_a_cpu() {
        let split =
            divide(&Interval { on_cpu: Some(0.2), cpu_wait: Some(0.8), throttled: Some(0.75), ..KNOWN });
        assert!((split.throttled - 0.75).abs() < 1e-9 && (split.cpu_wait - 0.05).abs() < 1e-9, "{split:?}");
    }

    #[test]
    fn a_wait_for_memory_that_the_kernel_frees_on_a_disk_is_not_also_a_wait_for_a_disk() {
        let split =
            divide(&Interval { on_cpu: Some(0.25), disk_wait: Some(0.625), memory_wait: Some(0.5), ..KNOWN });
        assert_eq!((split.memory_wait, split.disk_wait, split.rest), (0.5, 0.125, 0.125));
    }

    #[test]
    fn an_unknown_wait_makes_the_remainder_unknown_and_not_the_rest() {
        let split = divide(&Interval { on_cpu: Some(0.25), disk_wait: None, ..KNOWN });
        assert_eq!((split.on_cpu, split.rest, split.unknown), (0.25, 0.0, 0.75));
        assert_eq!(divide(&Interval { on_cpu: None, ..KNOWN }).unknown, 1.0);
    }

    fn any_interval() -> impl Strategy<Value = Interval> {
        let figure = || {
            prop_oneof![
                Just(None),
                (0.0f64..100.0).prop_map(Some),
                Just(Some(f64::NAN)),
                Just(Some(f64::INFINITY)),
                Just(Some(-3.0)),
            ]
        };
        let waits = (figure(), figure(), figure(), figure(), figure());
        (0.0f64..1e5, waits, 0.0f64..10.0).prop_map(|(seconds, waits, unknown)| {
            let (on_cpu, cpu_wait, disk_wait, memory_wait, throttled) = waits;
            Interval { seconds, on_cpu, cpu_wait, disk_wait, memory_wait, throttled, unknown }
        })
    }

    proptest! {
        #[test]
        fn the_parts_are_the_interval_and_never_negative(interval in any_interval()) {
            let split = divide(&interval);
            prop_assert!((split.seconds() - interval.seconds).abs() <= 1e-9 * interval.seconds.max(1.0));
            for part in split.parts() {
                prop_assert!(part.is_finite() && part >= 0.0, "{:?}", split);
            }
        }

        #[test]
        fn what_is_unknown_is_never_counted_as_the_rest(interval in any_interval()) {
            let waits = [interval.on_cpu, interval.cpu_wait, interval.disk_wait, interval.memory_wait];
            let split = divide(&interval);
            prop_assert!(waits.iter().all(Option::is_some) || split.rest == 0.0);
            prop_assert!(interval.disk_wait.is_some() || split.disk_wait == 0.0);
        }
    }
}
