//! Quiescence after a schedule: waits until everything has ended, then compares the reports with what happened.

use super::cluster::Cluster;
use super::reader::Reader;
use super::workload::Workload;
use crate::check::answers::{self, EndedAttempts};
use crate::check::history::History;
use crate::check::hosts::{self, Queue};
use crate::check::reasons;
use crate::check::runs::{self, Evidence};
use crate::check::{Deletions, Promise, Violation};
use crate::plan::{CAPACITY, Schedule};
use protocol::api::{OperationDetail, OperationPage, Snapshot};
use protocol::{Operation, OperationId, paths};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Time within which all operations end after a schedule.
const QUIESCENCE_TIMEOUT: Duration = Duration::from_secs(120);
/// Time within which a repeated start is answered after a schedule.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Time within which a host stops attempts that are over.
const HOST_STOP_TIMEOUT: Duration = Duration::from_secs(20);
/// Time within which the server asks every host for its clock: every 2 s, and immediately after an absence.
const CLOCK_SYNC_PAUSE: Duration = Duration::from_secs(5);
/// Time within which a reader reads to the newest event.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Time between two checks.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// State kept from check to check.
#[derive(Default)]
pub struct Memory {
    kept: EndedAttempts,
    /// Ended operations whose details were fetched; fetched again only if they changed.
    settled: HashSet<OperationId>,
    pub details: BTreeMap<OperationId, OperationDetail>,
    /// Attempts that ended while clocks jumped: their times can't be compared with another clock's.
    pub clock_jumped: HashSet<(OperationId, u32)>,
}

impl Memory {
    /// Marks attempts that ended since the last check, because clocks jumped in this schedule.
    fn set_clock_jumped(&mut self, history: &History) {
        let ended = history.ends.keys().filter(|(id, number)| !self.kept.knows(*id, *number));
        self.clock_jumped.extend(ended);
    }

    /// Drops details of deleted operations, which may be outdated.
    fn drop_deleted(&mut self, deleted: &Deletions) {
        self.details.retain(|id, _| !deleted.contains_key(id));
    }
}

/// Waits for quiescence and checks all promises.
///
/// # Errors
/// If the server or a host does not answer.
pub async fn check(
    cluster: &Cluster,
    workload: &Workload,
    readers: &[Arc<Reader>],
    memory: &mut Memory,
    schedule: &Schedule,
    actions: JoinSet<()>,
) -> anyhow::Result<Vec<Violation>> {
    let mut found = wait_for_starts(actions).await;
    found.extend(wait_for_ends(cluster, &readers[0]).await?);
    found.extend(check_hosts(cluster, &readers[0]).await?);
    found.extend(wait_for_readers(cluster, readers).await?);
    cluster.restart_ended_processes().await?;
    let clock_jumped = schedule.moves_clocks() && cluster.clocks.is_ok();
    if clock_jumped {
        // Before the next schedule, the server must have asked for the corrected clocks.
        tokio::time::sleep(CLOCK_SYNC_PAUSE).await;
    }

    readers[0].state(|state| memory.drop_deleted(&state.history.deleted));
    let listed = all_pages(cluster).await?;
    for operation in listed.iter().filter(|o| !memory.settled.contains(&o.id)) {
        let detail = cluster.ask(&paths::operation(operation.id)).await?;
        memory.details.insert(operation.id, detail);
    }
    // An ended operation may have been retried since.
    let again = listed.iter().filter(|o| memory.settled.contains(&o.id) && moved(memory, o));
    for id in again.map(|o| o.id).collect::<Vec<_>>() {
        let detail = cluster.ask(&paths::operation(id)).await?;
        memory.details.insert(id, detail);
    }
    memory.settled.extend(listed.iter().filter(|o| o.state.ended()).map(|o| o.id));
    if clock_jumped {
        readers[0].state(|state| memory.set_clock_jumped(&state.history));
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
        let detail = cluster.ask(&paths::operation(operation.id)).await?;
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
        let request_log = workload.request_log.lock();
        // All requested starts are valid.
        let refused = request_log.refused.iter();
        found.extend(refused.map(|response| {
            Violation::general(Promise::NoneLost, format!("a start was refused: {response}"))
        }));
        found.extend(request_log.cancels_refused.iter().map(|response| {
            let what = format!("a cancel was refused because changes could not be stored: {response}");
            Violation::general(Promise::RequestsKept, what)
        }));
        found.extend(readers[0].state(|state| {
            let deleted = &state.history.deleted;
            let mut found = answers::starts(&request_log.starts, listed, deleted);
            found.extend(answers::requests(&request_log.requests, &memory.details, deleted));
            found.extend(answers::deletes(&request_log.deletes, deleted, listed));
            found
        }));
    }
    for reader in readers {
        reader.state(|state| {
            for mut violation in std::mem::take(&mut state.found) {
                violation.evidence = format!("{}: {}", reader.name, violation.evidence);
                found.push(violation);
            }
            found.extend(answers::agrees(&state.history, listed, &memory.details));
        });
    }
    let runs = cluster.runs()?;
    readers[0].state(|state| {
        let (details, clock_jumped) = (&memory.details, &memory.clock_jumped);
        let (ends, deleted) = (&state.history.ends, &state.history.deleted);
        let ran = Evidence { runs: &runs, details, ends, clock_jumped, deleted };
        found.extend(runs::check(&ran));
        found.extend(reasons::check(details, &cluster.injected_faults(), clock_jumped));
    });
    Ok(found)
}

/// Checks that every start is answered.
async fn wait_for_starts(mut actions: JoinSet<()>) -> Vec<Violation> {
    let all = async {
        let mut found = Vec::new();
        while let Some(done) = actions.join_next().await {
            if let Err(error) = done {
                found.push(Violation::general(
                    Promise::ReachesQuiescence,
                    format!("an action panicked: {error}"),
                ));
            }
        }
        found
    };
    tokio::time::timeout(START_TIMEOUT, all).await.unwrap_or_else(|_| {
        let what = format!(
            "a start was repeated for {} s after the schedule, but never answered",
            START_TIMEOUT.as_secs()
        );
        vec![Violation::general(Promise::ReachesQuiescence, what)]
    })
}

/// Checks that all operations end, and that queued ones get free slots.
async fn wait_for_ends(cluster: &Cluster, reader: &Reader) -> anyhow::Result<Vec<Violation>> {
    let (begin, mut queue, mut found) = (Instant::now(), Queue::default(), Vec::new());
    let mut news = reader.last.clone();
    loop {
        let unended: Vec<Operation> =
            reader.state(|state| state.history.now.values().filter(|o| !o.state.ended()).cloned().collect());
        if unended.is_empty() {
            // So far only according to the feed, which may lack an operation; the server must agree.
            let snapshot: Snapshot = cluster.ask(paths::SNAPSHOT).await?;
            if snapshot.operations.iter().all(|o| o.state.ended()) {
                return Ok(found);
            }
        }
        if begin.elapsed() > QUIESCENCE_TIMEOUT {
            for operation in &unended {
                let why = operation.condition.as_ref().map_or("", |c| c.message.as_str());
                let what = format!(
                    "{} s after the schedule, it is {} in attempt {} on {}. {why}",
                    QUIESCENCE_TIMEOUT.as_secs(),
                    operation.state,
                    operation.attempt,
                    operation.host.as_ref().map_or("no host", |h| h.as_str())
                );
                found.push(Violation::of(Promise::ReachesQuiescence, operation.id, what));
            }
            return Ok(found);
        }
        let attempts = cluster.host_attempts().await?;
        let free_slots = (0..cluster.hosts.len()).any(|n| {
            let name = super::cluster::host_name(n);
            hosts::running(&attempts).filter(|(host, _)| *host == name).count() < CAPACITY as usize
        });
        // The limit of the kind is one less than the number of slots.
        let free_slots =
            free_slots && hosts::running(&attempts).count() + 1 < cluster.hosts.len() * CAPACITY as usize;
        found.extend(queue.check(unended.iter(), free_slots, Instant::now()));
        let _ = tokio::time::timeout(CHECK_INTERVAL, news.changed()).await;
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

/// Checks that hosts stop attempts that are over according to the server.
async fn check_hosts(cluster: &Cluster, reader: &Reader) -> anyhow::Result<Vec<Violation>> {
    let begin = Instant::now();
    loop {
        let attempts = cluster.host_attempts().await?;
        let left = reader.state(|state| hosts::left_running(&attempts, &state.history.now));
        if left.is_empty() || begin.elapsed() > HOST_STOP_TIMEOUT {
            return Ok(left);
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

/// Checks that readers reach the newest event. The slow one may need long for many events, but it must never stand
/// still.
async fn wait_for_readers(cluster: &Cluster, readers: &[Arc<Reader>]) -> anyhow::Result<Vec<Violation>> {
    let snapshot: Snapshot = cluster.ask(paths::SNAPSHOT).await?;
    let mut found = Vec::new();
    for reader in readers {
        let mut last = reader.last.clone();
        loop {
            let at = *last.borrow_and_update();
            if at >= snapshot.seq {
                break;
            }
            if tokio::time::timeout(READ_TIMEOUT, last.changed()).await.is_err() {
                let what = format!(
                    "{} stands still at event {at}, before {}, for {} s after all operations ended",
                    reader.name,
                    snapshot.seq,
                    READ_TIMEOUT.as_secs()
                );
                found.push(Violation::general(Promise::FeedWhole, what));
                break;
            }
        }
    }
    Ok(found)
}

async fn all_pages(cluster: &Cluster) -> anyhow::Result<Vec<Operation>> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let page: OperationPage = cluster.ask(&format!("{}?limit=500{after}", paths::OPERATIONS)).await?;
        all.extend(page.operations);
        match page.next {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(all),
        }
    }
}
