//! Simulated user: starts operations, repeats starts without a response, cancels, retries, deletes.

use super::reader::Reader;
use crate::check::answers::{Asked, Deletes, Request, Wished};
use crate::plan::{Act, Count};
use parking_lot::Mutex;
use protocol::api::{CancelledMany, Deleted};
use protocol::{Operation, OperationId, State};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Timeout of a request, after which its response counts as lost.
const ANSWER: Duration = Duration::from_secs(4);
/// Pause before a start is repeated.
const AGAIN: Duration = Duration::from_millis(250);

/// Number of tries of an impatient user, and the pause between them.
const PRESSES: u32 = 40;
const PRESS: Duration = Duration::from_millis(25);

/// Requests and their responses.
#[derive(Default)]
pub struct Ledger {
    pub asked: Vec<Asked>,
    /// Bodies of the starts, in the same order.
    bodies: Vec<Value>,
    pub requests: Vec<Request>,
    /// Refused starts, with the response.
    pub refused: Vec<String>,
    /// Number of lost responses.
    pub lost_answers: u64,
    pub cancels_asked: u64,
    /// Number of cancels that were sent to hosts, but could not be stored at once.
    pub not_stored: u64,
    /// Cancels refused because changes could not be stored, with the response.
    pub cancels_refused: Vec<String>,
    pub deletes: Deletes,
}

/// Simulated user. Clones share its state.
#[derive(Clone)]
pub struct Workload {
    client: Client,
    server: watch::Receiver<Option<String>>,
    reader: Arc<Reader>,
    pub ledger: Arc<Mutex<Ledger>>,
}

impl Workload {
    /// # Errors
    /// If no client can be created.
    pub fn new(server: watch::Receiver<Option<String>>, reader: Arc<Reader>) -> anyhow::Result<Self> {
        let client = Client::builder().no_proxy().timeout(ANSWER).build()?;
        Ok(Self { client, server, reader, ledger: Arc::default() })
    }

    /// Executes one action. Starts are repeated until answered, other requests are sent once.
    pub async fn act(&self, act: &Act, mark: String) {
        match act {
            Act::Start { work } => {
                let (n, body) = self.plan_start(work, &mark);
                self.start(n, &mark, &body).await;
            }
            Act::StartTwice { work } => {
                let (n, body) = self.plan_start(work, &mark);
                tokio::join!(self.start(n, &mark, &body), self.start(n, &mark, &body));
            }
            Act::StartAgain { pick } => {
                let again = {
                    let ledger = self.ledger.lock();
                    let answered: Vec<usize> =
                        (0..ledger.asked.len()).filter(|n| !ledger.asked[*n].answers.is_empty()).collect();
                    chosen(&answered, *pick)
                        .map(|n| (*n, ledger.asked[*n].mark.clone(), ledger.bodies[*n].clone()))
                };
                if let Some((n, mark, body)) = again {
                    self.start(n, &mark, &body).await;
                }
            }
            Act::Cancel { pick } => {
                self.cancel(*pick).await;
            }
            Act::CancelAtStart { work, after_ms } => {
                let (n, body) = self.plan_start(work, &mark);
                self.start(n, &mark, &body).await;
                let started = self.ledger.lock().asked[n].answers.last().copied();
                tokio::time::sleep(Duration::from_millis(*after_ms)).await;
                if let Some(id) = started {
                    self.cancel_this(id).await;
                }
            }
            Act::Sweep { work, runs, cancel_after_ms } => {
                if let Some(id) = self.start_sweep(work, *runs, &mark).await {
                    tokio::time::sleep(Duration::from_millis(*cancel_after_ms)).await;
                    self.cancel_this(id).await;
                }
            }
            Act::CancelTwice { pick } => {
                tokio::join!(self.cancel(*pick), self.cancel(*pick));
            }
            Act::CancelThenRetry { pick } => {
                if let Some(id) = self.cancel(*pick).await {
                    self.retry_soon(id).await;
                }
            }
            Act::CancelQueue => self.cancel_queue().await,
            Act::Retry { pick } => self.again(*pick, "retry", |_| true).await,
            Act::Resume { pick } => self.again(*pick, "resume", |o| o.checkpoint.is_some()).await,
            Act::AbandonThenRetry { pick } => {
                // Refused if its host is connected again.
                if let Some(id) = self.one(*pick, |o| o.state.on_host() && o.condition.is_some())
                    && self.request(id, "abandon").await.is_some()
                {
                    self.retry_soon(id).await;
                }
            }
            Act::Delete { pick } => {
                if let Some(id) = self.one(*pick, |o| o.state.ended()) {
                    self.delete(id).await;
                }
            }
            Act::DeleteAndRetry { pick } => {
                if let Some(id) = self.one(*pick, |o| o.state.ended() && o.state != State::Succeeded) {
                    let (_, tried) = tokio::join!(self.delete(id), self.request(id, "retry"));
                    if let Some(operation) = tried {
                        self.kept(id, operation.attempt, Wished::Again);
                    }
                }
            }
            Act::DeleteCancelled => self.delete_cancelled().await,
        }
    }

    fn plan_start(&self, work: &Count, mark: &str) -> (usize, Value) {
        let body = body(work, mark);
        let mut ledger = self.ledger.lock();
        ledger.asked.push(Asked { mark: mark.to_owned(), ..Asked::default() });
        ledger.bodies.push(body.clone());
        (ledger.asked.len() - 1, body)
    }

    async fn start(&self, n: usize, key: &str, body: &Value) {
        loop {
            let asked = self.url().await;
            let answer = self
                .client
                .post(format!("{asked}/api/v1/operations"))
                .header("idempotency-key", key)
                .json(body)
                .send()
                .await;
            match answer {
                Ok(answer) if answer.status().is_success() => {
                    if let Ok(operation) = answer.json::<Operation>().await {
                        self.ledger.lock().asked[n].answers.push(operation.id);
                        return;
                    }
                    self.ledger.lock().lost_answers += 1;
                }
                Ok(answer) if answer.status() == StatusCode::GONE => {
                    self.ledger.lock().asked[n].gone += 1;
                    return;
                }
                Ok(answer) if answer.status().is_client_error() => {
                    let status = answer.status();
                    let words = answer.text().await.unwrap_or_default();
                    // No host is connected yet, so the kind is unknown.
                    let not_yet =
                        status == StatusCode::UNPROCESSABLE_ENTITY && words.contains("unknown-kind");
                    if !not_yet {
                        self.ledger.lock().refused.push(format!("{key}: {status}: {words}"));
                        return;
                    }
                }
                Ok(_) => {}
                Err(_) => self.ledger.lock().lost_answers += 1,
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Cancels an operation; returns it if the cancel was accepted.
    async fn cancel(&self, pick: u64) -> Option<OperationId> {
        let id = self.one(pick, |o| !o.state.ended())?;
        self.cancel_this(id).await
    }

    async fn cancel_this(&self, id: OperationId) -> Option<OperationId> {
        self.ledger.lock().cancels_asked += 1;
        let operation = self.request(id, "cancel").await?;
        // A cancel that is not stored yet is lost if the server is killed, so it is not checked.
        if operation.receipt.is_some_and(|receipt| receipt.not_stored) {
            self.ledger.lock().not_stored += 1;
        } else {
            self.kept(id, operation.attempt, Wished::Cancel);
        }
        Some(id)
    }

    /// Starts a sweep over `training.run`, which the hosts of a storm offer; gives up after some refusals.
    async fn start_sweep(&self, work: &Count, runs: u64, mark: &str) -> Option<OperationId> {
        let outcome = serde_json::to_value(work.outcome).ok()?;
        let fixed = format!(
            "mark={mark}; steps={}; step_ms={}; outcome={}; checkpoint_every=0; linger_ms={}; on_thread={}",
            work.steps,
            work.step_ms,
            outcome.as_str().unwrap_or_default(),
            work.linger_ms,
            work.on_thread
        );
        let vary = (1..=runs).map(|seed| seed.to_string()).collect::<Vec<_>>().join(",");
        let params = json!({
            "run": "training.run", "fixed": fixed, "vary": format!("seed={vary}"), "rank_by": "steps", "at_once": 4
        });
        let body = json!({"kind": "analysis.sweep", "params": params});
        let mut last = String::new();
        for _ in 0..PRESSES {
            let url = format!("{}/api/v1/operations", self.url().await);
            match self.client.post(url).header("idempotency-key", mark).json(&body).send().await {
                Ok(answer) if answer.status().is_success() => {
                    if let Ok(operation) = answer.json::<Operation>().await {
                        return Some(operation.id);
                    }
                }
                Ok(answer) => last = answer.text().await.unwrap_or_default(),
                Err(_) => self.ledger.lock().lost_answers += 1,
            }
            tokio::time::sleep(AGAIN).await;
        }
        // Hosts may be down for a while, but a sweep that is never accepted is worth knowing.
        eprintln!("soak: a sweep was not accepted: {last}");
        None
    }

    /// Retries repeatedly until the previous attempt has ended and the retry is accepted.
    async fn retry_soon(&self, id: OperationId) {
        for _ in 0..PRESSES {
            if let Some(operation) = self.request(id, "retry").await {
                return self.kept(id, operation.attempt, Wished::Again);
            }
            tokio::time::sleep(PRESS).await;
        }
    }

    async fn cancel_queue(&self) {
        let url = format!("{}/api/v1/operations/cancel", self.url().await);
        let body = json!({"filter": "state=queued&kind=soak.count", "reason": "queue cancelled"});
        let Ok(answer) = self.client.post(url).json(&body).send().await else { return };
        if let Ok(told) = answer.json::<CancelledMany>().await {
            let mut ledger = self.ledger.lock();
            ledger.cancels_asked += told.asked.len() as u64;
            if told.not_stored {
                ledger.not_stored += told.asked.len() as u64;
                return;
            }
            let requests = told.asked.into_iter().map(|id| Request { id, attempt: 0, what: Wished::Cancel });
            ledger.requests.extend(requests);
        }
    }

    async fn delete(&self, id: OperationId) {
        let url = format!("{}/api/v1/operations/{id}", self.url().await);
        self.ledger.lock().deletes.asked.insert(id);
        match self.client.delete(url).send().await {
            Ok(answer) if answer.status().is_success() => {
                if answer.json::<Deleted>().await.is_ok_and(|told| told.deleted == 1) {
                    self.ledger.lock().deletes.accepted.insert(id);
                }
            }
            Ok(_) => {}
            Err(_) => self.ledger.lock().lost_answers += 1,
        }
    }

    async fn delete_cancelled(&self) {
        let url = format!("{}/api/v1/operations/delete", self.url().await);
        self.ledger.lock().deletes.all_cancelled = true;
        if self
            .client
            .post(url)
            .json(&json!({"filter": "state=cancelled&kind=soak.count"}))
            .send()
            .await
            .is_err()
        {
            self.ledger.lock().lost_answers += 1;
        }
    }

    async fn again(&self, pick: u64, how: &str, fits: impl Fn(&Operation) -> bool) {
        let ended = |o: &Operation| matches!(o.state, State::Failed | State::Cancelled);
        let Some(id) = self.one(pick, |o| ended(o) && fits(o)) else { return };
        if let Some(operation) = self.request(id, how).await {
            self.kept(id, operation.attempt, Wished::Again);
        }
    }

    /// Sends a request once; returns the operation if it was accepted.
    async fn request(&self, id: OperationId, what: &str) -> Option<Operation> {
        let url = format!("{}/api/v1/operations/{id}/{what}", self.url().await);
        match self.client.post(url).json(&json!({})).send().await {
            Ok(answer) if answer.status().is_success() => answer.json().await.ok(),
            Ok(answer) => {
                let status = answer.status();
                let words = answer.text().await.unwrap_or_default();
                // Cancels must be accepted even if changes can't be stored.
                if what == "cancel" && words.contains("changes are rejected") {
                    self.ledger.lock().cancels_refused.push(format!("{id}: {status}: {words}"));
                }
                None
            }
            Err(_) => {
                self.ledger.lock().lost_answers += 1;
                None
            }
        }
    }

    fn kept(&self, id: OperationId, attempt: u32, what: Wished) {
        self.ledger.lock().requests.push(Request { id, attempt, what });
    }

    /// Chooses one of the operations that match, according to the feed.
    fn one(&self, pick: u64, fits: impl Fn(&Operation) -> bool) -> Option<OperationId> {
        // Sweeps and their runs have their own actions.
        let fits = |o: &&Operation| o.kind.as_str() == "soak.count" && fits(o);
        let there: Vec<OperationId> =
            self.reader.book(|book| book.history.now.values().filter(fits).map(|o| o.id).collect());
        chosen(&there, pick).copied()
    }

    /// URL of the server; waits while it is down.
    async fn url(&self) -> String {
        let mut server = self.server.clone();
        let url = server.wait_for(Option::is_some).await.map(|url| url.clone());
        url.ok().flatten().unwrap_or_default()
    }
}

fn chosen<T>(there: &[T], pick: u64) -> Option<&T> {
    let n = u64::try_from(there.len()).ok().filter(|n| *n > 0)?;
    there.get(usize::try_from(pick % n).ok()?)
}

fn body(work: &Count, mark: &str) -> Value {
    json!({
        "kind": "soak.count",
        "priority": work.priority,
        "params": {
            "mark": mark,
            "steps": work.steps,
            "step_ms": work.step_ms,
            "outcome": work.outcome,
            "checkpoint_every": work.checkpoint_every,
            "linger_ms": work.linger_ms,
            "on_thread": work.on_thread,
        },
    })
}
