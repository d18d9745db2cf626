//! Built-in rules.

use crate::rule::Rule;
use protocol::alerts::{AlertRule, Comparison, Severity};

/// Rules that apply unless the configuration changes them.
pub fn rules() -> Vec<Rule> {
    use Comparison::{Above, Below};
    use Severity::Critical;
    let specs = [
        AlertRule {
            for_seconds: 30.0,
            severity: Critical,
            action: "Check that the host's machine is up, that the host's process runs, and that the network between \
                     server and host works. Operations of the host may still be running."
                .into(),
            ..AlertRule::new("host-unreachable", "host.unreachable", Above, 0.5)
        },
        AlertRule {
            recovery: Some(0.02),
            for_seconds: 120.0,
            action: "Look for errors in the host's log, and for errors by class on the host's page.".into(),
            ..AlertRule::new("request-errors", "requests.error_ratio", Above, 0.05)
        },
        AlertRule {
            recovery: Some(1.5),
            for_seconds: 300.0,
            action: "Compare CPU, pressure and event-loop delay of the host with the values before the alert.".into(),
            ..AlertRule::new("latency-doubled", "requests.p95_growth", Above, 2.0)
        },
        AlertRule {
            recovery: Some(30.0),
            for_seconds: 600.0,
            severity: Critical,
            action: "Free space in the host's data folder, or delete old operations and data sets.".into(),
            ..AlertRule::new("disk-full-soon", "folder.data.full_in_hours", Below, 24.0)
        },
        AlertRule {
            recovery: Some(0.08),
            for_seconds: 60.0,
            severity: Critical,
            action: "Free space in the host's data folder, or delete old operations and data sets.".into(),
            ..AlertRule::new("disk-space-low", "folder.data.free_ratio", Below, 0.05)
        },
        AlertRule {
            recovery: Some(0.05),
            for_seconds: 120.0,
            action: "Run fewer operations in parallel on the host, or move some to another host.".into(),
            ..AlertRule::new("memory-pressure", "pressure.memory.some_ratio", Above, 0.1)
        },
        AlertRule {
            recovery: Some(0.9),
            for_seconds: 300.0,
            action: "Run fewer operations in parallel on the host; otherwise the OOM killer may kill processes.".into(),
            ..AlertRule::new("memory-high", "memory.used_ratio", Above, 0.95)
        },
        AlertRule {
            recovery: Some(0.4),
            for_seconds: 600.0,
            action: "Run fewer operations in parallel on the host, or add cores.".into(),
            ..AlertRule::new("cpu-pressure", "pressure.cpu.some_ratio", Above, 0.6)
        },
        AlertRule {
            recovery: Some(60.0),
            action: "Add a host for the kind, raise the limit of the kind, or cancel operations that are not needed.".into(),
            ..AlertRule::new("queue-wait", "queue.wait_seconds", Above, 600.0)
        },
        AlertRule {
            recovery: Some(1.0),
            action: "Compare the reasons of the failed operations, and read their logs.".into(),
            ..AlertRule::new("failures", "operations.failed.15m", Above, 2.5)
        },
        AlertRule {
            for_seconds: 60.0,
            action: "Read the operation's log, and cancel or retry it if it can't continue.".into(),
            ..AlertRule::new("operation-stalled", "operation.stalled_seconds", Above, 0.0)
        },
        AlertRule {
            for_seconds: 10.0,
            severity: Critical,
            action: "No operation can start. Free space in the server's data folder, and check the permissions of the folder."
                .into(),
            ..AlertRule::new("store-trouble", "server.store_trouble", Above, 0.5)
        },
    ];
    specs.into_iter().map(|spec| Rule::new(spec).expect("built-in rules are valid")).collect()
}
