//! Charts of a host: which metrics each shows, and their values as data of the chart. Pure.

use charts::{Extent, Sheet, Spec};
use protocol::history::{History, MetricHistory};
use std::collections::BTreeSet;

/// Which of the three values of a bucket a line shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Value {
    Mean,
    Max,
}

/// Length of a bucket in seconds from which on its maximum is a line of its own.
const PEAK_SECONDS: u32 = 10;
/// Digits of a shown value: stored values are rounded, too.
const DIGITS: i32 = 3;

/// Failed requests of one class; its place in the name is the class.
const FAILURES_BY_CLASS: &str = "requests.*.failures_per_second";
/// Lines that are left out while all of their values are 0.
const LEFT_OUT_AT_ZERO: [&str; 2] = ["swap.used_bytes", FAILURES_BY_CLASS];
/// Beginnings of the metrics of requests, which exist also while the host does not sample.
const REQUESTS: [&str; 2] = ["requests.", SERVED];
/// Beginning of the metrics of requests to the server.
const SERVED: &str = "served.";

/// Height of the labels of the time, in CSS pixels.
const TIME_LABELS_HEIGHT: u32 = 44;

/// Number of buckets at the end that count as now: samples arrive a few seconds late.
const NOW_BUCKETS: usize = 20;

/// A chart.
pub struct Panel {
    pub title: &'static str,
    unit: &'static str,
    /// Metric, label of its line, value. A star in both is the name of a device.
    lines: &'static [(&'static str, &'static str, Value)],
    fill: bool,
    /// In CSS pixels.
    height: u32,
}

/// All charts, in their order.
pub static PANELS: [Panel; 15] = [
    Panel {
        title: "CPU",
        unit: "share",
        lines: &[
            ("cpu.busy_ratio", "Busy", Value::Mean),
            ("cpu.busy_ratio", "Peak", Value::Max),
            ("cpu.user_ratio", "User", Value::Mean),
            ("cpu.system_ratio", "System", Value::Mean),
            ("cpu.iowait_ratio", "I/O wait", Value::Mean),
            ("cpu.steal_ratio", "Steal", Value::Mean),
        ],
        fill: true,
        height: 150,
    },
    Panel {
        title: "Memory",
        unit: "GiB",
        lines: &[
            ("memory.used_bytes", "Used", Value::Mean),
            ("memory.total_bytes", "Total", Value::Mean),
            ("swap.used_bytes", "Swap", Value::Mean),
            ("limit.memory_bytes", "Limit (cgroup)", Value::Mean),
            ("limit.memory_used_bytes", "Used (cgroup)", Value::Mean),
        ],
        fill: true,
        height: 100,
    },
    Panel {
        title: "Pressure",
        unit: "share",
        lines: &[
            ("pressure.cpu.some_ratio", "CPU", Value::Mean),
            ("pressure.memory.some_ratio", "Memory", Value::Mean),
            ("pressure.memory.full_ratio", "Memory full", Value::Mean),
            ("pressure.io.some_ratio", "I/O", Value::Mean),
            ("pressure.io.full_ratio", "I/O full", Value::Mean),
        ],
        fill: false,
        height: 120,
    },
    Panel {
        title: "Disk",
        unit: "MiB/s",
        lines: &[
            ("disk.*.read_bytes_per_second", "* read", Value::Mean),
            ("disk.*.written_bytes_per_second", "* written", Value::Mean),
        ],
        fill: false,
        height: 100,
    },
    Panel {
        title: "Disk busy",
        unit: "share",
        lines: &[("disk.*.busy_ratio", "*", Value::Mean)],
        fill: true,
        height: 86,
    },
    Panel {
        title: "Network",
        unit: "MiB/s",
        lines: &[
            ("network.*.received_bytes_per_second", "* in", Value::Mean),
            ("network.*.sent_bytes_per_second", "* out", Value::Mean),
        ],
        fill: false,
        height: 100,
    },
    Panel {
        title: "Slots",
        unit: "",
        lines: &[("host.running", "Running", Value::Mean), ("host.free_slots", "Free", Value::Mean)],
        fill: true,
        height: 86,
    },
    Panel {
        title: "Response time",
        unit: "ms",
        lines: &[
            ("requests.latency_p50_seconds", "p50", Value::Mean),
            ("requests.latency_p95_seconds", "p95", Value::Mean),
            ("requests.latency_p99_seconds", "p99", Value::Mean),
            ("requests.latency_max_seconds", "Max", Value::Mean),
        ],
        fill: false,
        height: 110,
    },
    Panel {
        title: "Requests",
        unit: "per s",
        lines: &[("requests.per_second", "All", Value::Mean)],
        fill: true,
        height: 86,
    },
    Panel {
        title: "Failed requests",
        unit: "per min",
        lines: &[("requests.failures_per_second", "All", Value::Mean), (FAILURES_BY_CLASS, "*", Value::Mean)],
        fill: false,
        height: 86,
    },
    Panel {
        title: "Response time to clients",
        unit: "ms",
        lines: &[
            ("served.latency_p50_seconds", "p50", Value::Mean),
            ("served.latency_p95_seconds", "p95", Value::Mean),
            ("served.latency_p99_seconds", "p99", Value::Mean),
            ("served.latency_max_seconds", "Max", Value::Mean),
        ],
        fill: false,
        height: 110,
    },
    Panel {
        title: "Requests from clients",
        unit: "per s",
        lines: &[("served.per_second", "All", Value::Mean)],
        fill: true,
        height: 86,
    },
    Panel {
        title: "Errors to clients",
        unit: "per min",
        lines: &[
            ("served.failures_per_second", "Server error (5xx)", Value::Mean),
            ("served.refusals_per_second", "Refused (4xx)", Value::Mean),
            ("served.cancellations_per_second", "Cancelled", Value::Mean),
        ],
        fill: false,
        height: 86,
    },
    Panel {
        title: "Host process",
        unit: "cores",
        lines: &[
            ("process.cpu_cores", "CPU", Value::Mean),
            ("process.cpu_cores", "Peak", Value::Max),
            ("limit.cpu_cores", "Limit", Value::Mean),
        ],
        fill: true,
        height: 86,
    },
    Panel {
        title: "Event loop delay",
        unit: "ms",
        lines: &[
            ("host.event_loop_delay_seconds", "Mean", Value::Mean),
            ("host.event_loop_delay_seconds", "Peak", Value::Max),
        ],
        fill: false,
        height: 86,
    },
];

/// Metrics of all charts, for a request.
pub fn metrics() -> String {
    let all: BTreeSet<&str> =
        PANELS.iter().flat_map(|panel| panel.lines.iter().map(|(metric, ..)| *metric)).collect();
    all.into_iter().collect::<Vec<_>>().join(",")
}

/// A line of a chart that has values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    metric: String,
    pub label: String,
    value: Value,
}

/// Chart of a metric that only alert rules have, because it is computed from shown ones.
const COMPUTED: [(&str, &str); 6] = [
    ("memory.used_ratio", "Memory"),
    ("swap.used_ratio", "Memory"),
    ("requests.error_ratio", "Failed requests"),
    ("requests.p95_seconds", "Response time"),
    ("requests.p95_growth", "Response time"),
    ("host.unreachable", "Requests"),
];

impl Panel {
    /// Whether the chart shows a metric, or the metrics from which it is computed.
    pub fn shows(&self, metric: &str) -> bool {
        self.lines.iter().any(|(pattern, ..)| device(pattern, metric).is_some())
            || COMPUTED.contains(&(metric, self.title))
    }

    /// Whether the chart shows requests to the server, which other hosts do not have.
    pub fn is_of_server(&self) -> bool {
        self.lines.iter().all(|(pattern, ..)| pattern.starts_with(SERVED))
    }

    /// Lines with values. A peak is a line of its own only where a bucket has many samples. Unused swap and idle
    /// devices are left out, unless all devices are idle.
    pub fn lines(&self, history: &History) -> Vec<Line> {
        let several = history.bucket_seconds >= PEAK_SECONDS;
        let is_zero = |values: &MetricHistory| values.max.iter().flatten().all(|v| *v == 0.0);
        // Of devices, only those in use.
        let in_use = |pattern: &str| {
            pattern.contains('*')
                && history
                    .metrics
                    .iter()
                    .any(|(name, values)| device(pattern, name).is_some() && !is_zero(values))
        };
        let some_in_use = self.lines.iter().any(|(pattern, ..)| in_use(pattern));
        let mut lines = Vec::new();
        for (pattern, label, value) in self.lines {
            if *value == Value::Max && !several {
                continue;
            }
            for (metric, values) in &history.metrics {
                let Some(device) = device(pattern, metric) else { continue };
                let is_left_out = (some_in_use || LEFT_OUT_AT_ZERO.contains(pattern))
                    && is_zero(values)
                    && self.is_idle(history, device);
                if !is_left_out {
                    let label = label.replace('*', words_of(device));
                    lines.push(Line { metric: metric.clone(), label, value: *value });
                }
            }
        }
        lines
    }

    /// Whether all metrics of a device are zero.
    fn is_idle(&self, history: &History, of: &str) -> bool {
        let mut values = self.lines.iter().flat_map(|(pattern, ..)| {
            history.metrics.iter().filter(|(name, _)| device(pattern, name) == Some(of))
        });
        of.is_empty() || values.all(|(_, values)| values.max.iter().flatten().all(|v| *v == 0.0))
    }

    /// Description of the chart with these lines. Only the last chart of the pane has the labels of the time.
    pub fn spec(&self, host: &str, lines: &[Line], is_last: bool) -> Spec {
        Spec {
            title: self.title.to_owned(),
            file: format!("host-{host}"),
            time: true,
            unit: self.unit.to_owned(),
            names: lines.iter().map(|line| line.label.clone()).collect(),
            zero: true,
            fill: self.fill,
            height: self.height + if is_last { TIME_LABELS_HEIGHT } else { 0 },
            upper: !is_last,
            ..Spec::default()
        }
    }
}

/// Last chart with lines, by its place in [`PANELS`].
pub fn last_drawn(history: &History) -> Option<usize> {
    PANELS.iter().rposition(|panel| !panel.lines(history).is_empty())
}

/// Beginning of the newest bucket with a sample of the host, in seconds since 1970.
pub fn newest(history: &History) -> Option<i64> {
    let sampled =
        history.metrics.iter().filter(|(name, _)| !REQUESTS.iter().any(|area| name.starts_with(area)));
    let last = sampled.filter_map(|(_, values)| values.mean.iter().rposition(Option::is_some)).max()?;
    let offset = i64::try_from(last).ok()? * i64::from(history.bucket_seconds);
    Some(history.from.micros().div_euclid(1_000_000) + offset)
}

/// Newest of the last few values of a metric; `None` if they are unknown.
pub fn now(history: &History, metric: &str) -> Option<f64> {
    let values = &history.metrics.get(metric)?.mean;
    values.iter().rev().take(NOW_BUCKETS).copied().flatten().next()
}

/// Part of a metric's name at the star of a pattern, empty without a star; `None` if it does not match.
fn device<'a>(pattern: &str, metric: &'a str) -> Option<&'a str> {
    match pattern.split_once('*') {
        None => (pattern == metric).then_some(""),
        Some((before, after)) => {
            let device = metric.strip_prefix(before)?.strip_suffix(after)?;
            (!device.contains('.')).then_some(device)
        }
    }
}

/// Label of a device or class.
fn words_of(device: &str) -> &str {
    match device {
        "connect" => "No connection",
        "timeout" => "Timeout",
        "reset" => "Broken connection",
        "server_error" => "Error response (5xx)",
        "protocol" => "Invalid response",
        device => device,
    }
}

/// Size of a unit of a chart in the unit of its metrics.
fn unit_size(unit: &str) -> f64 {
    match unit {
        "GiB" => (1_u64 << 30) as f64,
        "MiB/s" => (1_u64 << 20) as f64,
        "ms" => 0.001,
        "per min" => 1.0 / 60.0,
        _ => 1.0,
    }
}

impl Panel {
    /// Values of lines as data of the chart. What is unknown is a gap.
    pub fn sheet(&self, history: &History, lines: &[Line], fit: u32) -> Sheet {
        sheet(history, lines, unit_size(self.unit), fit)
    }
}

/// A value with at most [`DIGITS`] digits that mean something.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10_f64.powi(DIGITS - 1 - value.abs().log10().floor() as i32);
    (value * scale).round() / scale
}

fn sheet(history: &History, lines: &[Line], unit: f64, fit: u32) -> Sheet {
    let step = f64::from(history.bucket_seconds);
    let start = history.from.micros() as f64 / 1e6;
    let of_bucket = |values: &Vec<Option<f64>>| -> Vec<f64> {
        (0..history.buckets as usize)
            .map(|n| values.get(n).copied().flatten().map_or(f64::NAN, |v| rounded(v / unit)))
            .collect()
    };
    let column = |line: &Line| {
        let values = history.metrics.get(&line.metric);
        let of = |metric: &MetricHistory| match line.value {
            Value::Mean => of_bucket(&metric.mean),
            Value::Max => of_bucket(&metric.max),
        };
        values.map_or_else(|| vec![f64::NAN; history.buckets as usize], of)
    };
    Sheet {
        x: (0..history.buckets).map(|n| start + f64::from(n) * step).collect(),
        columns: lines.iter().map(column).collect(),
        fit,
        extent: Extent::default(),
        ..Sheet::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Time;

    fn history(bucket_seconds: u32, metrics: &[(&str, Vec<Option<f64>>)]) -> History {
        let of = |values: &Vec<Option<f64>>| MetricHistory {
            min: values.clone(),
            mean: values.clone(),
            max: values.iter().map(|v| v.map(|v| v * 2.0)).collect(),
        };
        History {
            from: Time::from_micros(100_000_000),
            bucket_seconds,
            buckets: 2,
            resolution_seconds: 1,
            machine_hosts: Vec::new(),
            metrics: metrics.iter().map(|(name, values)| ((*name).to_owned(), of(values))).collect(),
        }
    }

    #[test]
    fn each_device_has_its_own_lines_and_an_unknown_bucket_is_a_gap() {
        let history = history(
            1,
            &[
                ("disk.sda.read_bytes_per_second", vec![Some(5.0 * 1_048_576.0), None]),
                ("disk.sdb.written_bytes_per_second", vec![Some(7_340_032.0), Some(8_388_608.0)]),
            ],
        );
        let panel = PANELS.iter().find(|panel| panel.title == "Disk").unwrap();
        let lines = panel.lines(&history);
        assert_eq!(lines.iter().map(|l| l.label.as_str()).collect::<Vec<_>>(), ["sda read", "sdb written"]);
        let sheet = panel.sheet(&history, &lines, 3);
        assert_eq!((sheet.x.as_slice(), sheet.fit), ([100.0, 101.0].as_slice(), 3));
        assert!(sheet.columns[0][1].is_nan());
        assert_eq!(sheet.columns[1], [7.0, 8.0]);
    }

    #[test]
    fn an_alert_is_marked_on_the_chart_of_its_metric() {
        let of = |metric: &str| -> Vec<&str> {
            PANELS.iter().filter(|panel| panel.shows(metric)).map(|panel| panel.title).collect()
        };
        assert_eq!(of("cpu.busy_ratio"), ["CPU"]);
        assert_eq!(of("disk.sda.busy_ratio"), ["Disk busy"]);
        assert_eq!(of("memory.used_ratio"), ["Memory"]);
        assert_eq!(of("requests.p95_growth"), ["Response time"]);
        assert_eq!(of("folder.data.free_ratio"), [""; 0]);
        for (_, title) in COMPUTED {
            assert!(PANELS.iter().any(|panel| panel.title == title), "{title}");
        }
    }

    #[test]
    fn only_charts_of_requests_to_the_server_are_left_out_for_other_hosts() {
        let of_server = PANELS.iter().filter(|panel| panel.is_of_server()).map(|panel| panel.title);
        let expected = ["Response time to clients", "Requests from clients", "Errors to clients"];
        assert_eq!(of_server.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_peak_is_shown_where_a_bucket_has_several_samples() {
        let busy: &[(&str, Vec<Option<f64>>)] = &[
            ("cpu.busy_ratio", vec![Some(0.2), Some(0.3)]),
            ("swap.used_bytes", vec![Some(0.0), Some(0.0)]),
        ];
        let labels = |history: &History| -> Vec<String> {
            PANELS.iter().flat_map(|panel| panel.lines(history)).map(|line| line.label).collect()
        };
        assert_eq!(labels(&history(1, busy)), ["Busy"], "unused swap is no line");
        let coarse = history(60, busy);
        assert_eq!(labels(&coarse), ["Busy", "Peak"]);
        let lines = PANELS[0].lines(&coarse);
        assert_eq!(PANELS[0].sheet(&coarse, &lines, 0).columns[1], [0.4, 0.6]);
    }

    #[test]
    fn idle_devices_are_left_out_unless_all_are_idle() {
        let received =
            |name: &str, value| (format!("network.{name}.received_bytes_per_second"), vec![Some(value); 2]);
        let labels = |metrics: &[(String, Vec<Option<f64>>)]| -> Vec<String> {
            let metrics: Vec<(&str, Vec<Option<f64>>)> =
                metrics.iter().map(|(name, values)| (name.as_str(), values.clone())).collect();
            let panel = PANELS.iter().find(|panel| panel.title == "Network").unwrap();
            panel.lines(&history(1, &metrics)).into_iter().map(|line| line.label).collect()
        };
        assert_eq!(labels(&[received("eth0", 0.0), received("ifb0", 0.0)]), ["eth0 in", "ifb0 in"]);
        assert_eq!(labels(&[received("eth0", 5.0), received("ifb0", 0.0)]), ["eth0 in"]);
    }

    #[test]
    fn failures_are_shown_by_class_where_there_are_any() {
        let labels = |metrics: &[(&str, Vec<Option<f64>>)]| -> Vec<String> {
            let panel = PANELS.iter().find(|panel| panel.title == "Failed requests").unwrap();
            panel.lines(&history(60, metrics)).into_iter().map(|line| line.label).collect()
        };
        let zero = vec![Some(0.0); 2];
        let none =
            [("requests.failures_per_second", zero.clone()), ("requests.reset.failures_per_second", zero)];
        assert_eq!(labels(&none), ["All"]);
        let some = [
            ("requests.connect.failures_per_second", vec![Some(0.5), None]),
            ("requests.failures_per_second", vec![Some(0.5), Some(0.0)]),
            ("requests.reset.failures_per_second", vec![Some(0.0), Some(0.0)]),
        ];
        assert_eq!(labels(&some), ["All", "No connection"]);
    }

    #[test]
    fn values_have_the_digits_that_mean_something() {
        assert_eq!([23.5391, 0.003_890_99, 1.37231, 0.0].map(rounded), [23.5, 0.003_89, 1.37, 0.0]);
        assert!(rounded(f64::NAN).is_nan());
    }

    #[test]
    fn the_newest_value_of_any_metric_says_how_old_the_data_is() {
        let known = history(
            60,
            &[("cpu.busy_ratio", vec![Some(0.2), None]), ("host.running", vec![Some(1.0), Some(1.0)])],
        );
        assert_eq!(newest(&known), Some(160));
        assert_eq!(newest(&history(60, &[("cpu.busy_ratio", vec![None, None])])), None);
        let only_requests = history(60, &[("requests.per_second", vec![Some(0.2), Some(0.2)])]);
        assert_eq!(newest(&only_requests), None, "requests also fail, so they say nothing about the host");
        assert_eq!(last_drawn(&known).map(|n| PANELS[n].title), Some("Slots"));
    }

    #[test]
    fn a_request_names_each_metric_once() {
        let metrics = metrics();
        assert_eq!(metrics.matches("cpu.busy_ratio").count(), 1);
        assert!(metrics.split(',').count() <= 100);
    }
}
