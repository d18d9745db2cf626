//! Fills a metrics history as if simulated hosts had been monitored for months.
//!
//! The store writes the last days of a few hosts. All earlier days and all other hosts are copies of these blocks: a
//! block contains no times, so a copy needs only another start. Seconds exist for the last hours only.

use crate::simulated_load::{LOADS, metrics, requests};
use anyhow::Context;
use history::{Batch, Store, Tallied};
use protocol::samples::is_of_machine;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;
use std::path::Path;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Time before now with a sample each second.
const EVERY_SECOND: i64 = HOUR;
/// Interval of the samples before, in seconds: minutes then have a minimum, a mean and a maximum.
const INTERVAL: i64 = 20;
/// Time before now whose seconds are kept: enough for the charts of 6 hours.
const SECONDS_KEPT: i64 = 6 * HOUR;

/// Source of a host.
fn host(name: &str) -> String {
    format!("host/{name}")
}

/// ID of a host's machine.
#[must_use]
pub fn machine_id(name: &str) -> String {
    format!("simulated-{name}")
}

fn machine(name: &str) -> String {
    format!("machine/{}", machine_id(name))
}

/// What the store writes itself, and what is copied from it.
#[derive(Clone, Copy, Debug)]
pub struct Original {
    /// Number of hosts; host `n` is a copy of host `n % hosts`.
    pub hosts: usize,
    /// Number of whole days before today; earlier ones repeat them.
    pub days: i64,
}

impl Original {
    /// A week of each load.
    pub const WEEK: Self = Self { hosts: LOADS, days: 7 };
}

/// Fills a new database with so many days before `now`, in seconds since 1970. Host `n` has the load `n`.
///
/// # Errors
/// If the database can't be written.
pub fn fill(
    database: &Path,
    names: &[String],
    days: i64,
    now: i64,
    original: Original,
) -> anyhow::Result<()> {
    let mut store = Store::open(database)?;
    // Whole days can be copied; the current one is not over.
    let today = now.div_euclid(DAY) * DAY;
    let from = today - original.days * DAY;
    let first = &names[..names.len().min(original.hosts)];
    for hour in (from..now).step_by(HOUR as usize) {
        let end = (hour + HOUR).min(now);
        let seconds: Vec<i64> =
            (hour..end).filter(|second| *second >= now - EVERY_SECOND || second % INTERVAL == 0).collect();
        let batches = first.iter().enumerate().flat_map(|(load, name)| batches(load, name, &seconds));
        store.write(&batches.collect::<Vec<_>>())?;
        let minutes = (hour..end).step_by(60).flat_map(|minute| {
            let tallied = move |(load, name): (usize, &String)| Tallied {
                source: host(name),
                second: minute,
                tally: requests(load, minute),
            };
            first.iter().enumerate().map(tallied)
        });
        store.add_tallies(&minutes.collect::<Vec<_>>())?;
    }
    drop(store);

    copy(database, names, (now - days * DAY, now), original)?;
    let mut store = Store::open(database)?;
    for name in names {
        store.on_machine(&host(name), &machine(name), now - days * DAY)?;
    }
    store.prune(now)?;
    Ok(())
}

/// Samples of a host and of its machine.
fn batches(load: usize, name: &str, seconds: &[i64]) -> [Batch; 2] {
    let mut all: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
    for second in seconds {
        for (metric, value) in metrics(load, *second) {
            all.entry(metric.to_owned()).or_default().push(Some(value));
        }
    }
    let (shared, own) = all.into_iter().partition(|(metric, _)| is_of_machine(metric));
    let batch = |source, metrics| Batch { source, seconds: seconds.to_vec(), metrics, anchor: None };
    [batch(machine(name), shared), batch(host(name), own)]
}

/// Copies the original days to the time before them, and the original hosts to all others.
fn copy(
    database: &Path,
    names: &[String],
    (from, now): (i64, i64),
    original: Original,
) -> anyhow::Result<()> {
    let today = now.div_euclid(DAY) * DAY;
    let period = original.days * DAY;
    let mut connection = Connection::open(database)?;
    // Nobody else uses it, and a failure leaves nothing to be kept.
    connection.pragma_update(None, "journal_mode", "off")?;
    connection.pragma_update(None, "synchronous", "off")?;
    let transaction = connection.transaction()?;
    transaction.execute("DELETE FROM blocks WHERE tier = 0 AND start < ?1", [now - SECONDS_KEPT])?;
    for shift in (period..today - from).step_by(usize::try_from(period)?) {
        for (table, tier) in [("blocks", 1), ("blocks", 2), ("tallies", 1)] {
            let copied = format!(
                "INSERT INTO {table} SELECT source, tier, start - ?1, data FROM {table}
                 WHERE tier = ?2 AND start >= ?3 AND start < ?4"
            );
            transaction.execute(&copied, params![shift, tier, today - period, today])?;
        }
    }
    for (n, name) in names.iter().enumerate().skip(original.hosts) {
        let of = &names[n % original.hosts];
        for (source, of) in [(host(name), host(of)), (machine(name), machine(of))] {
            transaction.execute("INSERT INTO sources (name) VALUES (?1)", [&source])?;
            for table in ["blocks", "tallies"] {
                let copied = format!(
                    "INSERT INTO {table} SELECT ?1, tier, start, data FROM {table}
                     WHERE source = (SELECT id FROM sources WHERE name = ?2)"
                );
                let source =
                    transaction.query_row("SELECT id FROM sources WHERE name = ?1", [&source], |row| {
                        row.get::<_, i64>(0)
                    })?;
                transaction.execute(&copied, params![source, of])?;
            }
        }
    }
    transaction.commit().context("can't write the copies")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::{Query, Source};

    #[test]
    fn every_host_has_values_in_every_tier_from_the_first_day_to_now() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("history.db");
        let names: Vec<String> = (0..3).map(|n| format!("host-{n}")).collect();
        // Not at the beginning of an hour or a day.
        let now = 1_795_000_000 / DAY * DAY + 40_000;
        fill(&database, &names, 20, now, Original { hosts: 1, days: 1 }).unwrap();
        let store = Store::open(&database).unwrap();
        for name in [&names[0], &names[2]] {
            let read = |from, width| {
                let (host, machine) = (host(name), machine(name));
                let sources = vec![Source::always(&host), Source::always(&machine)];
                let metrics = vec!["cpu.busy_ratio", "process.threads"];
                store.query(&Query { sources, metrics, from, to: now, width, now }).unwrap()
            };
            for (from, width) in [(now - 20 * DAY, 400), (now - 3 * DAY, 1_000), (now - 900, 900)] {
                let read = read(from, width);
                for (metric, series) in &read.metrics {
                    let unknown = series.mean.iter().filter(|mean| mean.is_none()).count();
                    assert_eq!(unknown, 0, "{metric} of {name} since {from}, {:?}", read.tier);
                    assert!(series.min[0] <= series.mean[0] && series.mean[0] <= series.max[0]);
                }
                assert_eq!(read.metrics.len(), 2);
            }
            let tallies = store.tallies(&host(name), now - 20 * DAY, now, now).unwrap();
            assert_eq!(tallies.slot_seconds, 600);
            assert!(tallies.slots.windows(2).all(|pair| pair[1].0 - pair[0].0 == 600));
            assert!(tallies.slots[0].0 <= now - 20 * DAY);
        }
    }
}
