//! Measures queries of a database that `fill-store` filled, directly through the store: pages, searches, counts.
//!
//!     query-store DATABASE SAMPLES
//!
//! Prints one line of JSON with latencies in milliseconds.

use anyhow::{Context, bail};
use protocol::filter::Filter;
use serde_json::{Value, json};
use signalbox_bench::Latencies;
use std::path::Path;
use store::{Sqlite, Store};
use tokio::time::Instant;

/// Operations per page.
const PAGE: u32 = 50;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [database, samples] = args.as_slice() else { bail!("Usage: query-store DATABASE SAMPLES") };
    let samples: usize = samples.parse()?;
    let store = Sqlite::open(Path::new(database))?;
    // The database may be of a version without an index.
    let began = Instant::now();
    while store.index_some()? {}
    let index_seconds = began.elapsed().as_secs_f64();

    let stored = store.counts()?.iter().map(|(_, n)| *n as usize).sum::<usize>();
    let ids = some_ids(&store, samples)?;
    let nth = |n: usize| (n * 7_919) % stored.max(1);
    let fixed = |words: &'static [(&'static str, &'static str)]| {
        move |_: usize| words.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>()
    };
    let mut queries = vec![
        consecutive_pages(&store, "page, newest first, consecutive", samples, &[])?,
        consecutive_pages(&store, "page of failed operations, consecutive", samples, &[("state", "failed")])?,
    ];
    let mut page = |name: &str, words: &dyn Fn(usize) -> Vec<(&'static str, String)>| -> anyhow::Result<()> {
        queries.push(measured(name, samples, |n| {
            let filter = filter(&words(n))?;
            let began = Instant::now();
            let found = store.page(&filter)?.operations.len();
            Ok((began.elapsed().as_secs_f64(), found))
        })?);
        Ok(())
    };
    page("search: rare word", &|n| vec![("q", format!("{:05}", nth(n)))])?;
    page("search: end of an ID", &|n| vec![("q", ids[n % ids.len()].clone())])?;
    page("search: two words", &|n| vec![("q", format!("reports {:05}", nth(n)))])?;
    page("search: no match", &fixed(&[("q", "nosuchword")]))?;
    page("search: every operation matches", &fixed(&[("q", "reports")]))?;
    page("search: every operation matches, only failed", &fixed(&[("q", "reports"), ("state", "failed")]))?;
    page("search: a state", &fixed(&[("q", "failed")]))?;
    page("parameter: one of 1,000 values", &|n| vec![("param.every_ms", (n % 1_000).to_string())])?;
    page("parameter: same value everywhere", &fixed(&[("param.reports", "3")]))?;
    page("parameter: one of 1,000 values, only failed", &|n| {
        vec![("param.every_ms", (n % 1_000).to_string()), ("state", "failed".to_owned())]
    })?;
    queries.push(measured("counts of a search: rare word", samples, |n| {
        let filter = filter(&[("q", format!("{:05}", nth(n)))])?;
        let began = Instant::now();
        let found = store.counts_of(&filter)?.iter().map(|(_, n)| *n as usize).sum();
        Ok((began.elapsed().as_secs_f64(), found))
    })?);
    println!("{}", json!({"operations": stored, "index_seconds": index_seconds, "queries": queries}));
    Ok(())
}

fn filter(words: &[(&str, String)]) -> anyhow::Result<Filter> {
    Ok(Filter { limit: PAGE, ..Filter::parse(words.iter().map(|(name, value)| (*name, value.as_str())))? })
}

/// Ends of the IDs of some operations.
fn some_ids(store: &Sqlite, most: usize) -> anyhow::Result<Vec<String>> {
    let mut filter = Filter { limit: 500, ..Filter::default() };
    let mut ids = Vec::new();
    loop {
        let page = store.page(&filter)?;
        // Every tenth, so that they come from more pages.
        ids.extend(page.operations.iter().step_by(10).map(|op| op.id.to_string()[24..].to_owned()));
        match page.next {
            Some(next) if ids.len() < most => filter.after = Some(next),
            Some(_) | None => break,
        }
    }
    if ids.is_empty() {
        bail!("the database has no operations; fill it with fill-store");
    }
    Ok(ids)
}

/// Pages in their order, from the first one again after the last one.
fn consecutive_pages(
    store: &Sqlite,
    name: &str,
    samples: usize,
    words: &[(&str, &str)],
) -> anyhow::Result<Value> {
    let mut filter = Filter { limit: PAGE, ..Filter::parse(words.iter().copied())? };
    measured(name, samples, |_| {
        let began = Instant::now();
        let page = store.page(&filter)?;
        let seconds = began.elapsed().as_secs_f64();
        filter.after = page.next;
        Ok((seconds, page.operations.len()))
    })
}

/// Runs a query, which returns its duration in seconds and the number of rows it found, and describes all of them.
fn measured(
    name: &str,
    samples: usize,
    mut query: impl FnMut(usize) -> anyhow::Result<(f64, usize)>,
) -> anyhow::Result<Value> {
    let mut millis = Vec::with_capacity(samples);
    let mut rows = 0;
    for n in 0..samples {
        let (seconds, found) = query(n)?;
        millis.push(seconds * 1_000.0);
        rows += found;
    }
    let Latencies { samples, p50, p99, max } = Latencies::of(millis).context("SAMPLES must be at least 1")?;
    let rows = rows as f64 / samples as f64;
    Ok(json!({"query": name, "samples": samples, "rows": rows, "p50": p50, "p99": p99, "max": max}))
}
