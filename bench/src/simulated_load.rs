//! Load of simulated hosts: metrics of a machine and of its host as functions of the time, with a daily and a weekly
//! course. Pure, so that a stored history and later samples are one curve.

use histogram::Histogram;
use history::Tally;
use pool::Outcome;

/// Number of different loads. Hosts with the same remainder have the same load.
pub const LOADS: usize = 8;
/// Load whose CPU is near its limit.
pub const BUSY_LOAD: usize = 3;
/// Load with failed requests.
pub const FAILING_LOAD: usize = 5;
/// Length of a simulated level, in seconds: a history of many hosts stays small.
const LEVEL_SECONDS: i64 = 300;
const DAY: i64 = 86_400;
const GIB: f64 = 1_073_741_824.0;
/// Requests per minute: samples, health and lists of attempts.
const REQUESTS_PER_MINUTE: u32 = 24;

/// Metrics of a load at a second since 1970.
#[must_use]
pub fn metrics(load: usize, second: i64) -> Vec<(&'static str, f64)> {
    let busy = busy(load, second);
    let wave = |n: u64, low: f64, high: f64| low + (high - low) * noise(load, second, n);
    let cores = 8.0;
    let memory = if load % LOADS == BUSY_LOAD { 0.93 } else { 0.35 + busy * 0.3 };
    let running = (busy * 4.0).round();
    vec![
        ("cpu.busy_ratio", busy),
        ("cpu.user_ratio", busy * 0.8),
        ("cpu.system_ratio", busy * 0.18),
        ("cpu.iowait_ratio", wave(1, 0.0, 0.04)),
        ("cpu.steal_ratio", busy * 0.02),
        ("cpu.count", cores),
        ("load.1m", busy * cores * wave(2, 0.9, 1.2)),
        ("load.5m", busy * cores),
        ("load.15m", busy * cores * 0.97),
        ("tasks.running", (busy * cores).round()),
        ("tasks.blocked", wave(3, 0.0, 1.4).floor()),
        ("memory.total_bytes", 32.0 * GIB),
        ("memory.used_bytes", 32.0 * GIB * memory),
        ("memory.cached_bytes", 9.0 * GIB),
        ("swap.total_bytes", 2.0 * GIB),
        ("swap.used_bytes", 0.0),
        ("pressure.cpu.some_ratio", busy * busy * 0.6),
        ("pressure.memory.some_ratio", wave(4, 0.0, 0.01)),
        ("pressure.memory.full_ratio", 0.0),
        ("pressure.io.some_ratio", wave(5, 0.0, 0.08)),
        ("pressure.io.full_ratio", wave(5, 0.0, 0.03)),
        ("disk.nvme0n1.read_bytes_per_second", wave(6, 1e5, 6e7)),
        ("disk.nvme0n1.written_bytes_per_second", wave(7, 1e5, 4e7)),
        ("disk.nvme0n1.reads_per_second", wave(6, 10.0, 700.0)),
        ("disk.nvme0n1.writes_per_second", wave(7, 10.0, 500.0)),
        ("disk.nvme0n1.busy_ratio", wave(7, 0.0, 0.5)),
        ("network.eth0.received_bytes_per_second", wave(8, 1e4, 3e7)),
        ("network.eth0.sent_bytes_per_second", wave(9, 1e4, 2e7)),
        ("network.eth0.received_errors_per_second", 0.0),
        ("network.eth0.sent_errors_per_second", 0.0),
        ("files.open", wave(10, 2_000.0, 2_400.0).round()),
        ("files.limit", 1e6),
        ("process.cpu_cores", busy * 4.0),
        ("process.resident_bytes", 0.4 * GIB * (1.0 + busy)),
        ("process.threads", 20.0 + running),
        ("process.open_files", 40.0 + running),
        ("folder.data.free_bytes", 400.0 * GIB),
        ("folder.data.total_bytes", 900.0 * GIB),
        ("host.running", running),
        ("host.free_slots", 4.0 - running),
        ("host.event_loop_delay_seconds", wave(11, 0.000_1, 0.002)),
        ("host.tasks", 30.0 + running),
        ("host.queued_tasks", 0.0),
        ("monitor.cpu_seconds", wave(12, 0.000_1, 0.000_2)),
        ("monitor.refused_values", 0.0),
    ]
}

/// Requests of the server to a host in a minute.
///
/// # Panics
/// Never: the latencies are positive.
#[must_use]
pub fn requests(load: usize, minute: i64) -> Tally {
    let mut values = Histogram::default();
    for n in 0..REQUESTS_PER_MINUTE {
        let spread = noise(load, minute, 100 + u64::from(n));
        let latency = 0.001 * (1.0 + 3.0 * busy(load, minute)) * (3.0 * spread * spread).exp();
        values.record(latency).expect("a positive number");
    }
    let mut counts = vec![0; Outcome::ALL.len()];
    counts[Outcome::Success as usize] = u64::from(REQUESTS_PER_MINUTE);
    if load % LOADS == FAILING_LOAD && noise(load, minute, 99) > 0.9 {
        counts[Outcome::Timeout as usize] = 2;
    }
    Tally { seconds: 60.0, counts, values }
}

/// Share of busy CPUs: high in the afternoon and low on two of seven days.
fn busy(load: usize, second: i64) -> f64 {
    let shift = (load % LOADS) as f64 * 0.4;
    let of_day = second.rem_euclid(DAY) as f64 / DAY as f64;
    let day = 0.5 - 0.5 * (std::f64::consts::TAU * (of_day - 0.1) + shift).cos();
    let week = if second.div_euclid(DAY).rem_euclid(7) < 5 { 1.0 } else { 0.3 };
    let level = 0.06 + 0.6 * day * week + 0.12 * noise(load, second, 0);
    if load % LOADS == BUSY_LOAD { 0.93 + 0.06 * level } else { level }
}

/// Number from 0 to 1 for each level, load and metric (SplitMix64).
fn noise(load: usize, second: i64, metric: u64) -> f64 {
    let level = second.div_euclid(LEVEL_SECONDS).unsigned_abs();
    let mut x = level
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(((load % LOADS) as u64).wrapping_mul(0xD134_2543_DE82_EF95))
        .wrapping_add(metric.wrapping_mul(0xA24B_AED4_963E_E407));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (x ^ (x >> 31)) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_shares_at_every_time_of_the_week() {
        for load in 0..LOADS {
            for second in (0..7 * DAY).step_by(617) {
                for (name, value) in metrics(load, second) {
                    let most = if name.ends_with("_ratio") { 1.0 } else { f64::MAX };
                    assert!((0.0..=most).contains(&value), "{name} of load {load} at {second}: {value}");
                }
            }
        }
    }

    #[test]
    fn one_load_is_near_its_limit_and_one_has_failed_requests() {
        let busy = |load| metrics(load, 1_000_000)[0].1;
        assert!(busy(BUSY_LOAD) > 0.9 && busy(0) < 0.9);
        let failed = |load| {
            let minutes = (0..3_600).map(|minute| requests(load, minute * 60));
            minutes.map(|tally| tally.counts[Outcome::Timeout as usize]).sum::<u64>()
        };
        assert!(failed(FAILING_LOAD) > 0);
        assert_eq!(failed(0), 0);
    }
}
