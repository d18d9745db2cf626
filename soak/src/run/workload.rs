//! Simulated user: starts operations, repeats starts without a response, cancels, retries, deletes.

use super::reader::Reader;
use crate::check::answers::{Deletes, Request, RequestKind, StartRequest};
use crate::plan::{Action, Count};
use parking_lot::Mutex;
use protocol::api::{CancelledMany, Deleted};
use protocol::{Operation, OperationId, State, paths};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Timeout of a request, after which its response counts as lost.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(4);
/// Pause before a start is repeated.
const RETRY_PAUSE: Duration = Duration::from_millis(250);

/// Number of tries of an impatient user, and the pause between them.
const MAX_TRIES: u32 = 40;
const TRY_INTERVAL: Duration = Duration::from_millis(25);

/// Requests and their responses.
#[derive(Default)]
pub struct RequestLog {
    pub starts: Vec<StartRequest>,
    /// Bodies of the starts, in the same order.
    bodies: Vec<Value>,
    pub requests: Vec<Request>,
    /// Refused starts, with the response.
    pub refused: Vec<String>,
    /// Number of lost responses.
    pub lost_responses: u64,
    pub cancels_requested: u64,
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
    pub request_log: Arc<Mutex<RequestLog>>,
}

impl Workload {
    /// # Errors
    /// If no client can be created.
    pub fn new(server: watch::Receiver<Option<String>>, reader: Arc<Reader>) -> anyhow::Result<Self> {
        let client =
            https_client::builder(&https_client::Tls::default()).timeout(RESPONSE_TIMEOUT).build()?;
        Ok(Self { client, server, reader, request_log: Arc::default() })
    }

    /// Executes one action. Starts are repeated until answered, other requests are sent once.
    pub async fn perform(&self, action: &Action, mark: String) {
        match action {
            Action::Start { work } => {
                let (n, body) = self.plan_start(work, &mark);
                self.start(n, &mark, &body).await;
            }
            Action::StartTwice { work } => {
                let (n, body) = self.plan_start(work, &mark);
                tokio::join!(self.start(n, &mark, &body), self.start(n, &mark, &body));
            }
            Action::StartAgain { pick } => {
                let retry_or_resume = {
                    let request_log = self.request_log.lock();
                    let answered: Vec<usize> = (0..request_log.starts.len())
                        .filter(|n| !request_log.starts[*n].answers.is_empty())
                        .collect();
                    pick_from(&answered, *pick)
                        .map(|n| (*n, request_log.starts[*n].mark.clone(), request_log.bodies[*n].clone()))
                };
                if let Some((n, mark, body)) = retry_or_resume {
                    self.start(n, &mark, &body).await;
                }
            }
            Action::Cancel { pick } => {
                self.cancel(*pick).await;
            }
            Action::CancelAtStart { work, after_ms } => {
                let (n, body) = self.plan_start(work, &mark);
                self.start(n, &mark, &body).await;
                let started = self.request_log.lock().starts[n].answers.last().copied();
                tokio::time::sleep(Duration::from_millis(*after_ms)).await;
                if let Some(id) = started {
                    self.cancel_operation(id).await;
                }
            }
            Action::Sweep { work, runs, cancel_after_ms } => {
                if let Some(id) = self.start_sweep(work, *runs, &mark).await {
                    tokio::time::sleep(Duration::from_millis(*cancel_after_ms)).await;
                    self.cancel_operation(id).await;
                }
            }
            Action::CancelTwice { pick } => {
                tokio::join!(self.cancel(*pick), self.cancel(*pick));
            }
            Action::CancelThenRetry { pick } => {
                if let Some(id) = self.cancel(*pick).await {
                    self.retry_soon(id).await;
                }
            }
            Action::CancelQueue => self.cancel_queue().await,
            Action::Retry { pick } => self.retry_or_resume(*pick, "retry", |_| true).await,
            Action::Resume { pick } => {
                self.retry_or_resume(*pick, "resume", |o| o.checkpoint.is_some()).await
            }
            Action::AbandonThenRetry { pick } => {
                // Refused if its host is connected again.
                if let Some(id) = self.pick(*pick, |o| o.state.on_host() && o.condition.is_some())
                    && self.request(id, "abandon").await.is_some()
                {
                    self.retry_soon(id).await;
                }
            }
            Action::Delete { pick } => {
                if let Some(id) = self.pick(*pick, |o| o.state.ended()) {
                    self.delete(id).await;
                }
            }
            Action::DeleteAndRetry { pick } => {
                if let Some(id) = self.pick(*pick, |o| o.state.ended() && o.state != State::Succeeded) {
                    let (_, tried) = tokio::join!(self.delete(id), self.request(id, "retry"));
                    if let Some(operation) = tried {
                        self.record(id, operation.attempt, RequestKind::NewAttempt);
                    }
                }
            }
            Action::DeleteCancelled => self.delete_cancelled().await,
        }
    }

    fn plan_start(&self, work: &Count, mark: &str) -> (usize, Value) {
        let body = body(work, mark);
        let mut request_log = self.request_log.lock();
        request_log.starts.push(StartRequest { mark: mark.to_owned(), ..StartRequest::default() });
        request_log.bodies.push(body.clone());
        (request_log.starts.len() - 1, body)
    }

    async fn start(&self, n: usize, key: &str, body: &Value) {
        loop {
            let base = self.url().await;
            let answer = self
                .client
                .post(format!("{base}{}", paths::OPERATIONS))
                .header("idempotency-key", key)
                .json(body)
                .send()
                .await;
            match answer {
                Ok(answer) if answer.status().is_success() => {
                    if let Ok(operation) = answer.json::<Operation>().await {
                        self.request_log.lock().starts[n].answers.push(operation.id);
                        return;
                    }
                    self.request_log.lock().lost_responses += 1;
                }
                Ok(answer) if answer.status() == StatusCode::GONE => {
                    self.request_log.lock().starts[n].gone += 1;
                    return;
                }
                Ok(answer) if answer.status().is_client_error() => {
                    let status = answer.status();
                    let text = answer.text().await.unwrap_or_default();
                    // No host is connected yet, so the kind is unknown.
                    let not_yet = status == StatusCode::UNPROCESSABLE_ENTITY && text.contains("unknown-kind");
                    if !not_yet {
                        self.request_log.lock().refused.push(format!("{key}: {status}: {text}"));
                        return;
                    }
                }
                Ok(_) => {}
                Err(_) => self.request_log.lock().lost_responses += 1,
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    /// Cancels an operation; returns it if the cancel was accepted.
    async fn cancel(&self, pick: u64) -> Option<OperationId> {
        let id = self.pick(pick, |o| !o.state.ended())?;
        self.cancel_operation(id).await
    }

    async fn cancel_operation(&self, id: OperationId) -> Option<OperationId> {
        self.request_log.lock().cancels_requested += 1;
        let operation = self.request(id, "cancel").await?;
        // A cancel that is not stored yet is lost if the server is killed, so it is not checked.
        if operation.receipt.is_some_and(|receipt| receipt.not_stored) {
            self.request_log.lock().not_stored += 1;
        } else {
            self.record(id, operation.attempt, RequestKind::Cancel);
        }
        Some(id)
    }

    /// Starts a sweep over `training.run`, which the hosts offer; gives up after some refusals.
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
        for _ in 0..MAX_TRIES {
            let url = self.url().await + paths::OPERATIONS;
            match self.client.post(url).header("idempotency-key", mark).json(&body).send().await {
                Ok(answer) if answer.status().is_success() => {
                    if let Ok(operation) = answer.json::<Operation>().await {
                        return Some(operation.id);
                    }
                }
                Ok(answer) => last = answer.text().await.unwrap_or_default(),
                Err(_) => self.request_log.lock().lost_responses += 1,
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
        // Hosts may be down for a while, but a sweep that is never accepted is worth knowing.
        eprintln!("soak: a sweep was not accepted: {last}");
        None
    }

    /// Retries repeatedly until the previous attempt has ended and the retry is accepted.
    async fn retry_soon(&self, id: OperationId) {
        for _ in 0..MAX_TRIES {
            if let Some(operation) = self.request(id, "retry").await {
                return self.record(id, operation.attempt, RequestKind::NewAttempt);
            }
            tokio::time::sleep(TRY_INTERVAL).await;
        }
    }

    async fn cancel_queue(&self) {
        let url = self.url().await + paths::CANCEL_MANY;
        let body = json!({"filter": "state=queued&kind=soak.count", "reason": "queue cancelled"});
        let Ok(answer) = self.client.post(url).json(&body).send().await else { return };
        if let Ok(response) = answer.json::<CancelledMany>().await {
            let mut request_log = self.request_log.lock();
            request_log.cancels_requested += response.requested.len() as u64;
            if response.not_stored {
                request_log.not_stored += response.requested.len() as u64;
                return;
            }
            let requests = response.requested.into_iter().map(|id| Request {
                id,
                attempt: 0,
                what: RequestKind::Cancel,
            });
            request_log.requests.extend(requests);
        }
    }

    async fn delete(&self, id: OperationId) {
        let url = self.url().await + &paths::operation(id);
        self.request_log.lock().deletes.requested.insert(id);
        match self.client.delete(url).send().await {
            Ok(answer) if answer.status().is_success() => {
                if answer.json::<Deleted>().await.is_ok_and(|response| response.deleted == 1) {
                    self.request_log.lock().deletes.accepted.insert(id);
                }
            }
            Ok(_) => {}
            Err(_) => self.request_log.lock().lost_responses += 1,
        }
    }

    async fn delete_cancelled(&self) {
        let url = self.url().await + paths::DELETE_MANY;
        self.request_log.lock().deletes.all_cancelled = true;
        if self
            .client
            .post(url)
            .json(&json!({"filter": "state=cancelled&kind=soak.count"}))
            .send()
            .await
            .is_err()
        {
            self.request_log.lock().lost_responses += 1;
        }
    }

    async fn retry_or_resume(&self, pick: u64, how: &str, fits: impl Fn(&Operation) -> bool) {
        let ended = |o: &Operation| matches!(o.state, State::Failed | State::Cancelled);
        let Some(id) = self.pick(pick, |o| ended(o) && fits(o)) else { return };
        if let Some(operation) = self.request(id, how).await {
            self.record(id, operation.attempt, RequestKind::NewAttempt);
        }
    }

    /// Sends a request once; returns the operation if it was accepted.
    async fn request(&self, id: OperationId, what: &str) -> Option<Operation> {
        let url = self.url().await + &paths::action(id, what);
        match self.client.post(url).json(&json!({})).send().await {
            Ok(answer) if answer.status().is_success() => answer.json().await.ok(),
            Ok(answer) => {
                let status = answer.status();
                let text = answer.text().await.unwrap_or_default();
                // Cancels must be accepted even if changes can't be stored.
                if what == "cancel" && text.contains("changes are rejected") {
                    self.request_log.lock().cancels_refused.push(format!("{id}: {status}: {text}"));
                }
                None
            }
            Err(_) => {
                self.request_log.lock().lost_responses += 1;
                None
            }
        }
    }

    fn record(&self, id: OperationId, attempt: u32, what: RequestKind) {
        self.request_log.lock().requests.push(Request { id, attempt, what });
    }

    /// Chooses one of the operations that match, according to the feed.
    fn pick(&self, pick: u64, fits: impl Fn(&Operation) -> bool) -> Option<OperationId> {
        // Sweeps and their runs have their own actions.
        let fits = |o: &&Operation| o.kind.as_str() == "soak.count" && fits(o);
        let candidates: Vec<OperationId> =
            self.reader.state(|state| state.history.now.values().filter(fits).map(|o| o.id).collect());
        pick_from(&candidates, pick).copied()
    }

    /// URL of the server; waits while it is down.
    async fn url(&self) -> String {
        let mut server = self.server.clone();
        let url = server.wait_for(Option::is_some).await.map(|url| url.clone());
        url.ok().flatten().unwrap_or_default()
    }
}

fn pick_from<T>(candidates: &[T], pick: u64) -> Option<&T> {
    let n = u64::try_from(candidates.len()).ok().filter(|n| *n > 0)?;
    candidates.get(usize::try_from(pick % n).ok()?)
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
