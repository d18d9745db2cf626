//! Calm after a storm: waits until everything has ended, then compares reports with what happened.

use super::cluster::Cluster;
use super::reader::Reader;
use super::workload::Workload;
use crate::check::answers::{self, Kept};
use crate::check::history::History;
use crate::check::hosts::{self, Queue};
use crate::check::reasons;
use crate::check::runs::{self, Ran};
use crate::check::{Forgotten, Promise, Violation};
use crate::plan::{CAPACITY, Storm};
use protocol::api::{OperationDetail, OperationPage, Snapshot};
use protocol::{Operation, OperationId};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Time within which all operations end after a storm.
const CALM: Duration = Duration::from_secs(120);
/// Time within which a repeated start is answered after a storm.
const ANSWERED: Duration = Duration::from_secs(60);
/// Time within which a host stops attempts that are over.
const STOPPED: Duration = Duration::from_secs(20);
/// Time within which the server asks every host for its clock: every 2 s, and immediately after an absence.
const CLOCKS_ASKED: Duration = Duration::from_secs(5);
/// Time within which a reader reads to the newest event.
const READ: Duration = Duration::from_secs(30);
/// Time between two checks.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// State kept from calm to calm.
#[derive(Default)]
pub struct Memory {
    kept: Kept,
    /// Ended operations whose details were fetched; fetched again only if they changed.
    settled: HashSet<OperationId>,
    pub details: BTreeMap<OperationId, OperationDetail>,
    /// Attempts that ended while clocks jumped: their times can't be compared with another clock's.
    pub adrift: HashSet<(OperationId, u32)>,
}

impl Memory {
    /// Marks attempts that ended since the last calm, because clocks jumped in this storm.
    fn set_adrift(&mut self, history: &History) {
        let ended = history.ends.keys().filter(|(id, number)| !self.kept.knows(*id, *number));
        self.adrift.extend(ended);
    }

    /// Drops details of deleted operations, which may be outdated.
    fn leave(&mut self, forgotten: &Forgotten) {
        self.details.retain(|id, _| !forgotten.contains_key(id));
    }
}

/// Waits for the calm and checks all promises.
///
/// # Errors
/// If the server or a host does not answer.
pub async fn check(
    cluster: &Cluster,
    workload: &Workload,
    readers: &[Arc<Reader>],
    memory: &mut Memory,
    storm: &Storm,
    acts: JoinSet<()>,
) -> anyhow::Result<Vec<Violation>> {
    let mut found = answered(acts).await;
    found.extend(all_ended(cluster, &readers[0]).await?);
    found.extend(nothing_left(cluster, &readers[0]).await?);
    found.extend(read_to_the_end(cluster, readers).await?);
    cluster.look_after_processes().await?;
    let adrift = storm.moves_clocks() && cluster.clocks.is_ok();
    if adrift {
        // Before the next storm, the server must have asked for the corrected clocks.
        tokio::time::sleep(CLOCKS_ASKED).await;
    }

    readers[0].book(|book| memory.leave(&book.history.forgotten));
    let listed = all_pages(cluster).await?;
    for operation in listed.iter().filter(|o| !memory.settled.contains(&o.id)) {
        let detail = cluster.ask(&format!("/api/v1/operations/{}", operation.id)).await?;
        memory.details.insert(operation.id, detail);
    }
    // An ended operation may have been retried since.
    let again = listed.iter().filter(|o| memory.settled.contains(&o.id) && moved(memory, o));
    for id in again.map(|o| o.id).collect::<Vec<_>>() {
        let detail = cluster.ask(&format!("/api/v1/operations/{id}")).await?;
        memory.details.insert(id, detail);
    }
    memory.settled.extend(listed.iter().filter(|o| o.state.ended()).map(|o| o.id));
    if adrift {
        readers[0].book(|book| memory.set_adrift(&book.history));
    }
    found.extend(compare(cluster, workload, readers, memory, &listed)?);
    found.extend(cluster.take_found());
    Ok(found)
}

/// Fetches all operations again and checks that reports from hours ago still hold.
///
/// # Errors
/// If the server does not answer.
pub async fn check_again(cluster: &Cluster, memory: &mut Memory) -> anyhow::Result<Vec<Violation>> {
    for operation in all_pages(cluster).await? {
        let detail = cluster.ask(&format!("/api/v1/operations/{}", operation.id)).await?;
        memory.details.insert(operation.id, detail);
    }
    Ok(memory.kept.compare(&memory.details))
}

fn moved(memory: &Memory, operation: &Operation) -> bool {
    memory.details.get(&operation.id).is_none_or(|d| d.operation.seq != operation.seq)
}

fn compare(
    cluster: &Cluster,
    workload: &Workload,
    readers: &[Arc<Reader>],
    memory: &mut Memory,
    listed: &[Operation],
) -> anyhow::Result<Vec<Violation>> {
    let mut found = memory.kept.compare(&memory.details);
    {
        let ledger = workload.ledger.lock();
        // All requested starts are valid.
        let refused = ledger.refused.iter();
        found.extend(
            refused
                .map(|words| Violation::general(Promise::NoneLost, format!("a start was refused: {words}"))),
        );
        found.extend(ledger.cancels_refused.iter().map(|words| {
            let what = format!("a cancel was refused because changes could not be stored: {words}");
            Violation::general(Promise::RequestsKept, what)
        }));
        found.extend(readers[0].book(|book| {
            let forgotten = &book.history.forgotten;
            let mut found = answers::starts(&ledger.asked, listed, forgotten);
            found.extend(answers::requests(&ledger.requests, &memory.details, forgotten));
            found.extend(answers::deletes(&ledger.deletes, forgotten, listed));
            found
        }));
    }
    for reader in readers {
        reader.book(|book| {
            for mut violation in std::mem::take(&mut book.found) {
                violation.evidence = format!("{}: {}", reader.name, violation.evidence);
                found.push(violation);
            }
            found.extend(answers::agrees(&book.history, listed, &memory.details));
        });
    }
    let runs = cluster.runs()?;
    readers[0].book(|book| {
        let (details, adrift) = (&memory.details, &memory.adrift);
        let (ends, forgotten) = (&book.history.ends, &book.history.forgotten);
        let ran = Ran { runs: &runs, details, ends, adrift, forgotten };
        found.extend(runs::check(&ran));
        found.extend(reasons::check(details, &cluster.troubles(), adrift));
    });
    Ok(found)
}

/// Checks that every start is answered.
async fn answered(mut acts: JoinSet<()>) -> Vec<Violation> {
    let all = async {
        let mut found = Vec::new();
        while let Some(done) = acts.join_next().await {
            if let Err(error) = done {
                found.push(Violation::general(Promise::ComesToCalm, format!("an action panicked: {error}")));
            }
        }
        found
    };
    tokio::time::timeout(ANSWERED, all).await.unwrap_or_else(|_| {
        let what =
            format!("a start was repeated for {} s after the storm, but never answered", ANSWERED.as_secs());
        vec![Violation::general(Promise::ComesToCalm, what)]
    })
}

/// Checks that all operations end, and that queued ones get free slots.
async fn all_ended(cluster: &Cluster, reader: &Reader) -> anyhow::Result<Vec<Violation>> {
    let (begin, mut queue, mut found) = (Instant::now(), Queue::default(), Vec::new());
    let mut news = reader.last.clone();
    loop {
        let unended: Vec<Operation> =
            reader.book(|book| book.history.now.values().filter(|o| !o.state.ended()).cloned().collect());
        if unended.is_empty() {
            // So far only according to the feed, which may lack an operation; the server must agree.
            let snapshot: Snapshot = cluster.ask("/api/v1/snapshot").await?;
            if snapshot.operations.iter().all(|o| o.state.ended()) {
                return Ok(found);
            }
        }
        if begin.elapsed() > CALM {
            for operation in &unended {
                let why = operation.condition.as_ref().map_or("", |c| c.message.as_str());
                let what = format!(
                    "{} s after the storm, it is {} in attempt {} on {}. {why}",
                    CALM.as_secs(),
                    operation.state,
                    operation.attempt,
                    operation.host.as_ref().map_or("no host", |h| h.as_str())
                );
                found.push(Violation::of(Promise::ComesToCalm, operation.id, what));
            }
            return Ok(found);
        }
        let held = cluster.held().await?;
        let room = (0..cluster.hosts.len()).any(|n| {
            let name = super::cluster::host_name(n);
            hosts::running(&held).filter(|(host, _)| *host == name).count() < CAPACITY as usize
        });
        // The limit of the kind is one less than the number of slots.
        let room = room && hosts::running(&held).count() + 1 < cluster.hosts.len() * CAPACITY as usize;
        found.extend(queue.look(unended.iter(), room, Instant::now()));
        let _ = tokio::time::timeout(CHECK_INTERVAL, news.changed()).await;
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

/// Checks that hosts stop attempts that are over according to the server.
async fn nothing_left(cluster: &Cluster, reader: &Reader) -> anyhow::Result<Vec<Violation>> {
    let begin = Instant::now();
    loop {
        let held = cluster.held().await?;
        let left = reader.book(|book| hosts::left_running(&held, &book.history.now));
        if left.is_empty() || begin.elapsed() > STOPPED {
            return Ok(left);
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

/// Checks that readers reach the newest event.
async fn read_to_the_end(cluster: &Cluster, readers: &[Arc<Reader>]) -> anyhow::Result<Vec<Violation>> {
    let snapshot: Snapshot = cluster.ask("/api/v1/snapshot").await?;
    let mut found = Vec::new();
    for reader in readers {
        let mut last = reader.last.clone();
        let read = tokio::time::timeout(READ, last.wait_for(|last| *last >= snapshot.seq)).await;
        if read.is_err() {
            let what = format!(
                "{} is at event {}, not at {}, {} s after all operations ended",
                reader.name,
                *reader.last.borrow(),
                snapshot.seq,
                READ.as_secs()
            );
            found.push(Violation::general(Promise::FeedWhole, what));
        }
    }
    Ok(found)
}

async fn all_pages(cluster: &Cluster) -> anyhow::Result<Vec<Operation>> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let page: OperationPage = cluster.ask(&format!("/api/v1/operations?limit=500{after}")).await?;
        all.extend(page.operations);
        match page.next {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(all),
        }
    }
}
