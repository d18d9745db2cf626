//! Newest values of each source, and sums of its rates since the server started, for `/metrics`. In memory, so that a
//! scrape needs no history.

use history::{Anchor, Batch};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::time::Instant;

/// Time after which the values of a silent source are unknown. New ones arrive every 5 s.
const SILENT_AFTER: Duration = Duration::from_secs(30);
/// Seconds that a source may repeat: hosts keep their last hour.
const MAX_REPEATED_SECONDS: i64 = 3_700;
/// Metrics of single cores are left out, because there may be hundreds.
const CORES: &str = "cpu.core.";
const CPU_COUNT: &str = "cpu.count";

/// Values of all sources; a source is a host, a machine or the server.
#[derive(Default)]
pub(super) struct Latest {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    sources: HashMap<String, Source>,
    /// Machine of each source that has one.
    machines: HashMap<String, String>,
}

struct Source {
    /// Newest recorded second.
    second: i64,
    /// Process that counted that second, and where its seconds begin.
    anchor: Option<Anchor>,
    seen: Instant,
    figures: ResourceFigures,
}

/// Values of a source by metric.
#[derive(Clone, Debug, Default)]
pub struct ResourceFigures {
    /// Newest values.
    pub values: BTreeMap<String, f64>,
    /// Sums of the values of all seconds. Only those of rates have a meaning; those of `cpu.…_ratio` are seconds of CPU
    /// time.
    pub sums: BTreeMap<String, f64>,
}

impl Latest {
    /// Records batches, each second once, and the machine of a source.
    pub fn record(&self, batches: &[Batch], machine: Option<(&str, &str)>) {
        let mut inner = self.inner.lock();
        if let Some((source, machine)) = machine
            && inner.machines.get(source).is_none_or(|known| known != machine)
        {
            inner.machines.insert(source.to_owned(), machine.to_owned());
        }
        let anchor = batches.iter().find_map(|batch| batch.anchor.as_ref());
        for batch in batches.iter().filter(|batch| is_resource(&batch.source)) {
            inner.record(batch, anchor);
        }
    }

    /// Values of a source and of its machine, with the name of the machine's source; `None` if it is silent.
    pub fn of(&self, source: &str) -> Option<(ResourceFigures, Option<String>)> {
        let inner = self.inner.lock();
        let mut figures = inner.read(source)?;
        let machine = inner.machines.get(source);
        if let Some(of_machine) = machine.and_then(|machine| inner.read(machine)) {
            figures.values.extend(of_machine.values);
            figures.sums.extend(of_machine.sums);
        }
        Some((figures, machine.cloned()))
    }
}

impl Inner {
    fn record(&mut self, batch: &Batch, anchor: Option<&Anchor>) {
        let Some(newest) = batch.seconds.last().copied() else { return };
        let new = || Source {
            second: i64::MIN,
            anchor: None,
            seen: Instant::now(),
            figures: ResourceFigures::default(),
        };
        let source = self.sources.entry(batch.source.clone()).or_insert_with(new);
        if let (Some(known), Some(anchor)) = (&source.anchor, anchor)
            && known.instance == anchor.instance
        {
            // Differs if the clock was set.
            source.second = source.second.saturating_add(anchor.base - known.base);
        }
        if newest < source.second.saturating_sub(MAX_REPEATED_SECONDS) {
            source.second = i64::MIN;
        }
        let known = source.second;
        let first = batch.seconds.partition_point(|second| *second <= known);
        if first == batch.seconds.len() {
            return;
        }
        (source.second, source.seen, source.anchor) = (newest, Instant::now(), anchor.cloned());
        let cores = batch.metrics.get(CPU_COUNT);
        for (metric, values) in batch.metrics.iter().filter(|(metric, _)| !metric.starts_with(CORES)) {
            // A share of all cores is CPU time when multiplied by their number.
            let of_cores = metric.starts_with("cpu.") && metric.ends_with("_ratio");
            let mut sum = None;
            for (at, value) in values.iter().enumerate().skip(first) {
                let factor = if of_cores { cores.and_then(|cores| *cores.get(at)?) } else { Some(1.0) };
                if let Some((value, factor)) = value.zip(factor) {
                    sum = Some(sum.unwrap_or(0.0) + value * factor);
                }
            }
            if let Some(sum) = sum {
                *source.figures.sums.entry(metric.clone()).or_default() += sum;
            }
            match values.last().copied().flatten() {
                Some(value) => source.figures.values.insert(metric.clone(), value),
                None => source.figures.values.remove(metric),
            };
        }
        // A removed disk or interface has no value, and neither has its sum.
        source.figures.values.retain(|metric, _| batch.metrics.contains_key(metric));
        source.figures.sums.retain(|metric, _| batch.metrics.contains_key(metric));
    }

    fn read(&self, source: &str) -> Option<ResourceFigures> {
        let known = self.sources.get(source)?;
        (known.seen.elapsed() < SILENT_AFTER).then(|| known.figures.clone())
    }
}

/// Whether a source has resources of a host or a machine, not those of an attempt.
fn is_resource(source: &str) -> bool {
    !source.starts_with("operation/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(source: &str, seconds: &[i64], metrics: &[(&str, &[Option<f64>])]) -> Batch {
        let metrics = metrics.iter().map(|(name, values)| ((*name).to_owned(), values.to_vec()));
        Batch { source: source.into(), seconds: seconds.to_vec(), metrics: metrics.collect(), anchor: None }
    }

    #[tokio::test(start_paused = true)]
    async fn each_second_counts_once_and_unknown_ones_do_not() {
        let latest = Latest::default();
        let rate = "disk.sda.read_bytes_per_second";
        let first = batch("machine/m", &[1, 2, 3], &[(rate, &[Some(10.0), None, Some(30.0)])]);
        let repeated = batch("machine/m", &[2, 3, 4], &[(rate, &[Some(20.0), Some(30.0), Some(5.0)])]);
        latest.record(std::slice::from_ref(&first), Some(("host/a", "machine/m")));
        latest.record(&[first, repeated, batch("host/a", &[4], &[("host.running", &[Some(2.0)])])], None);
        let (figures, machine) = latest.of("host/a").unwrap();
        assert_eq!((figures.sums[rate], figures.values[rate]), (45.0, 5.0));
        assert_eq!((figures.values["host.running"], machine.as_deref()), (2.0, Some("machine/m")));
    }

    #[tokio::test(start_paused = true)]
    async fn shares_of_the_cores_are_cpu_time_and_single_cores_are_left_out() {
        let latest = Latest::default();
        let metrics: [(&str, &[Option<f64>]); 3] = [
            ("cpu.count", &[Some(4.0), Some(4.0)]),
            ("cpu.user_ratio", &[Some(0.5), Some(0.25)]),
            ("cpu.core.0.user_ratio", &[Some(1.0), Some(1.0)]),
        ];
        latest.record(&[batch("machine/m", &[1, 2], &metrics)], None);
        let (figures, _) = latest.of("machine/m").unwrap();
        assert_eq!(figures.sums["cpu.user_ratio"], 3.0);
        assert!(!figures.sums.contains_key("cpu.core.0.user_ratio"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_source_has_no_values() {
        let latest = Latest::default();
        let metrics: [(&str, &[Option<f64>]); 1] = [("host.tasks", &[Some(7.0)])];
        latest.record(&[batch("host/a", &[10_000], &metrics)], None);
        tokio::time::advance(SILENT_AFTER).await;
        assert!(latest.of("host/a").is_none());
        latest.record(&[batch("host/a", &[10_000], &metrics)], None);
        assert!(latest.of("host/a").is_none(), "a repetition is nothing new");
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_set_back_neither_stops_the_sums_nor_counts_seconds_twice() {
        let latest = Latest::default();
        let record = |base: i64, ticks: [i64; 2]| {
            let seconds = ticks.map(|tick| base + tick);
            let values = [Some(1.0), Some(1.0)];
            let mut batch = batch("host/a", &seconds, &[("process.cpu_cores", &values)]);
            batch.anchor = Some(Anchor { instance: "i".into(), base });
            latest.record(&[batch], None);
        };
        record(10_000, [1, 2]);
        record(9_000, [2, 3]);
        assert_eq!(latest.of("host/a").unwrap().0.sums["process.cpu_cores"], 3.0);
    }
}
