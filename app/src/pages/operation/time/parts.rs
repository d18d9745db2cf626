//! Parts of the time as they are drawn: in the queue, on the host, and what is unknown. Pure.

use display::format;
use protocol::time_breakdown::{Limit, TimeBreakdown};

/// Width of the drawing of the bar.
pub const WIDTH: f64 = 1_000.0;

/// How a part is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartKind {
    /// Name in style sheets, and of the course's part.
    pub name: &'static str,
    pub label: &'static str,
    pub means: &'static str,
    /// Style of its line in the chart.
    pub style: usize,
    limit: Limit,
}

/// All parts in the order of the bar.
pub const PARTS: [PartKind; 8] = [
    kind("queue", "In the queue", "Waited for a host with a free slot", 7, Limit::Queue),
    kind("on_cpu", "Computing", "Threads ran on a CPU", 2, Limit::Computing),
    kind("cpu_wait", "Waiting for a CPU", "Ready to run, but all CPUs were busy", 1, Limit::Cpu),
    kind("disk_wait", "Waiting for a disk", "Waited for disk reads or writes", 3, Limit::Disk),
    kind("memory_wait", "Waiting for memory", "Waited for memory to become available", 4, Limit::Memory),
    kind("throttled", "Throttled", "The CPU quota of the operation's cgroup was used up", 6, Limit::Quota),
    kind(
        "rest",
        "Waiting for something else",
        "Waited for the network, a lock, a timer or another program",
        0,
        Limit::Other,
    ),
    kind("unknown", "Unknown", "Not measured by the host", 5, Limit::Unknown),
];

const fn kind(
    name: &'static str,
    label: &'static str,
    means: &'static str,
    style: usize,
    limit: Limit,
) -> PartKind {
    PartKind { name, label, means, style, limit }
}

/// Part with its size.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    pub kind: PartKind,
    /// Beginning and width in the drawing.
    pub x: f64,
    pub width: f64,
    pub share: String,
    pub seconds: String,
    /// The largest one.
    pub is_largest: bool,
}

/// Parts with some time, in order.
pub fn parts(breakdown: &TimeBreakdown) -> Vec<Part> {
    let mut seconds = vec![breakdown.slot_wait_seconds];
    seconds.extend(breakdown.time.parts());
    let all: f64 = seconds.iter().sum();
    let mut x = 0.0;
    let mut found = Vec::new();
    for (kind, seconds) in PARTS.into_iter().zip(seconds) {
        if all <= 0.0 || seconds / all < 0.0005 {
            continue;
        }
        let width = seconds / all * WIDTH;
        found.push(Part {
            kind,
            x,
            width,
            share: share_text(seconds / all),
            seconds: format::span(seconds),
            is_largest: kind.limit == breakdown.limit,
        });
        x += width;
    }
    found
}

/// `41 %`, `0.4 %`; 100 only when nothing else is shown.
pub fn share_text(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        small if small < 9.95 => format!("{} %", format::decimal(small, 1)),
        large if large < 99.95 => format!("{} %", format::decimal(large.min(99.0), 0)),
        _ => "100 %".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::{Time, TimeSplit};

    #[test]
    fn the_bar_is_filled_by_the_parts_that_occurred() {
        let at = Time::from_micros(0);
        let breakdown = TimeBreakdown {
            attempt: 1,
            host: None,
            queued_at: at,
            started_at: Some(at),
            to: at,
            live: false,
            slot_wait_seconds: 2.0,
            time: TimeSplit { cpu_wait: 6.0, rest: 2.0, ..TimeSplit::default() },
            limit: Limit::Cpu,
            sentence: String::new(),
            advice: String::new(),
            cores: None,
            operations: 1,
            consumers: Vec::new(),
            usage: None,
            course: None,
        };
        let parts = parts(&breakdown);
        let drawn: Vec<_> = parts.iter().map(|part| (part.kind.name, part.x, part.width)).collect();
        assert_eq!(drawn, [("queue", 0.0, 200.0), ("cpu_wait", 200.0, 600.0), ("rest", 800.0, 200.0)]);
        assert_eq!((parts[1].share.as_str(), parts[1].seconds.as_str()), ("60 %", "6.0 s"));
        assert_eq!(parts.iter().map(|part| part.is_largest).collect::<Vec<_>>(), [false, true, false]);
        let none = TimeBreakdown { slot_wait_seconds: 0.0, time: TimeSplit::default(), ..breakdown };
        assert!(super::parts(&none).is_empty());
    }

    #[test]
    fn each_part_of_the_time_has_its_kind_in_the_same_order() {
        assert_eq!(PARTS[1..].iter().map(|part| part.name).collect::<Vec<_>>(), TimeSplit::NAMES);
        assert_eq!([0.004, 0.41, 0.997, 1.0].map(share_text), ["0.4 %", "41 %", "99 %", "100 %"]);
    }
}
