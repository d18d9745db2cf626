//! Units of metrics: how users enter thresholds.

/// Unit of a value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Unit {
    /// Such as `%` or `GiB`; empty for a plain number.
    pub label: &'static str,
    size: Size,
}

/// Size of a unit in the unit of the metric. Two forms, so that 5 % is exactly 0.05 and 10 ms exactly 0.01.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Size {
    Times(f64),
    Part(f64),
}

const fn times(label: &'static str, size: f64) -> Unit {
    Unit { label, size: Size::Times(size) }
}

const PLAIN: &[Unit] = &[times("", 1.0)];
const SHARE: &[Unit] = &[Unit { label: "%", size: Size::Part(100.0) }];
const BYTES: &[Unit] =
    &[times("MiB", 1_048_576.0), times("GiB", 1_073_741_824.0), times("TiB", 1_099_511_627_776.0)];
const THROUGHPUT: &[Unit] =
    &[times("KiB/s", 1_024.0), times("MiB/s", 1_048_576.0), times("GiB/s", 1_073_741_824.0)];
const RATE: &[Unit] = &[times("per second", 1.0)];
const HOURS: &[Unit] = &[times("h", 1.0), times("d", 24.0)];
const GROWTH: &[Unit] = &[times("times", 1.0)];
/// Units of a metric in seconds.
const SECONDS: &[Unit] = &[
    Unit { label: "ms", size: Size::Part(1_000.0) },
    times("s", 1.0),
    times("min", 60.0),
    times("h", 3_600.0),
];
/// Units of a time in a rule, in seconds.
pub const TIMES: &[Unit] = &[times("s", 1.0), times("min", 60.0), times("h", 3_600.0)];

/// Units in which a threshold of a metric can be entered, smallest first; at least one.
pub fn units_of(metric: &str) -> &'static [Unit] {
    let last = metric.rsplit('.').next().unwrap_or_default();
    let ends = |suffix: &str| last.ends_with(suffix);
    if ends("bytes_per_second") {
        THROUGHPUT
    } else if ends("_per_second") {
        RATE
    } else if ends("_ratio") {
        SHARE
    } else if ends("_bytes") {
        BYTES
    } else if ends("_seconds") {
        SECONDS
    } else if ends("_hours") {
        HOURS
    } else if ends("_growth") {
        GROWTH
    } else {
        PLAIN
    }
}

/// Place of the largest unit in which a value is at least 1; of the smallest one otherwise.
pub fn unit_for(units: &[Unit], value: f64) -> usize {
    if value == 0.0 {
        return usual_unit(units);
    }
    units.iter().rposition(|unit| unit.entered(value).abs() >= 1.0).unwrap_or(0)
}

/// Place of the unit to begin with: that of the metric, or the second smallest one.
pub fn usual_unit(units: &[Unit]) -> usize {
    let own = units.iter().position(|unit| unit.size == Size::Times(1.0));
    own.unwrap_or(usize::from(units.len() > 1))
}

impl Unit {
    /// Value of the metric, from an entered number.
    pub fn value(self, entered: f64) -> f64 {
        match self.size {
            Size::Times(size) => entered * size,
            Size::Part(parts) => entered / parts,
        }
    }

    /// Number to enter for a value, without the digits that come from the conversion.
    pub fn entered(self, value: f64) -> f64 {
        let number = match self.size {
            Size::Times(size) => value / size,
            Size::Part(parts) => value * parts,
        };
        let rounded = (number * 1e9).round() / 1e9;
        if rounded.is_finite() { rounded } else { number }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_threshold_is_entered_in_the_unit_that_fits() {
        let text = |metric: &str, value: f64| {
            let units = units_of(metric);
            let unit = units[unit_for(units, value)];
            format!("{} {}", unit.entered(value), unit.label)
        };
        assert_eq!(text("cpu.busy_ratio", 0.07), "7 %");
        assert_eq!(text("pressure.cpu.some_ratio", 0.005), "0.5 %");
        assert_eq!(text("folder.data.free_bytes", 5.0 * 1_073_741_824.0), "5 GiB");
        assert_eq!(text("requests.p95_seconds", 0.25), "250 ms");
        assert_eq!(text("queue.wait_seconds", 600.0), "10 min");
        assert_eq!(text("operation.stalled_seconds", 0.0), "0 s");
        assert_eq!(text("folder.data.full_in_hours", 30.0), "1.25 d");
        assert_eq!(text("disk.sda.read_bytes_per_second", 1_048_576.0), "1 MiB/s");
        assert_eq!(text("operations.failed.15m", 2.5), "2.5 ");
    }

    proptest! {
        #[test]
        fn an_entered_number_reads_back(number in 0_i64..10_000_000, metric in prop::sample::select(vec![
            "cpu.busy_ratio", "memory.used_bytes", "requests.p95_seconds", "folder.data.full_in_hours", "load.1m",
        ])) {
            let number = number as f64 / 100.0;
            for unit in units_of(metric) {
                prop_assert_eq!(unit.entered(unit.value(number)), number, "{}", unit.label);
            }
        }
    }
}
