//! Host with a work that behaves as its parameters say, and a client that follows it. Tests wait for the host's events
//! and for the signals of [`Stage`], never for time.

use axum::Router;
use axum::routing::get;
use parking_lot::{Condvar, Mutex};
use protocol::host::{Check, HostEvent, HostEventBody, HostEvents, HostOperation, Outcome, ResultDoc};
use protocol::{Failure, FieldError, KindName, KindSpec, LogLevel, OperationId, Problem, Summary};
use reqwest::{Client, RequestBuilder, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use signalbox_host_kit::{
    CancellationToken, Context, Host, HostBuilder, Work, WorkError, async_trait, params_schema,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Timeout of waits; nothing takes nearly that long.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Deserialize, schemars::JsonSchema, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Manner {
    /// Returns at once.
    Succeed,
    /// Counts to `count`, with all types of reports.
    Count,
    /// Waits for its token and stops.
    Obey,
    /// Stops like `Obey`, once the gate is open.
    ObeyLate,
    /// Waits for the gate, ignores its token, and succeeds.
    Finish,
    /// Waits forever and ignores its token.
    Ignore,
    /// Waits in a thread for the stage and ignores its token.
    Block,
    /// Returns at once and leaves a thread that waits for the stage.
    Leave,
    Panic,
    Fail,
    /// Fails as not started.
    NotStarted,
    /// Returns as cancelled without a cancel.
    Pretend,
    /// Returns a result that is too large.
    TooLarge,
}

#[derive(Deserialize, schemars::JsonSchema)]
pub struct Params {
    manner: Manner,
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 100000))]
    count: u64,
    #[schemars(length(max = 20))]
    note: Option<String>,
}

fn ten() -> u64 {
    10
}

/// State shared by tests and work.
#[derive(Default)]
pub struct Stage {
    pub runs: AtomicU32,
    /// A permit lets one `Finish` or `ObeyLate` continue.
    pub gate: Gate,
    /// One permit for each dropped future of a work.
    pub dropped: Gate,
    thread_may_go: Mutex<bool>,
    thread_signal: Condvar,
}

pub struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

impl Gate {
    pub fn open(&self) {
        self.0.add_permits(1);
    }

    pub async fn passed(&self) {
        patiently(self.0.acquire()).await.unwrap().forget();
    }
}

impl Stage {
    pub fn let_threads_go(&self) {
        *self.thread_may_go.lock() = true;
        self.thread_signal.notify_all();
    }

    fn wait_in_thread(&self) {
        let mut may_go = self.thread_may_go.lock();
        // With a timeout, so that a failed test does not hang the others.
        self.thread_signal.wait_while_for(&mut may_go, |may_go| !*may_go, PATIENCE);
    }
}

/// Tells the stage when it is dropped.
struct DropSignal(Arc<Stage>);

impl Drop for DropSignal {
    fn drop(&mut self) {
        self.0.dropped.open();
    }
}

pub struct Probe(pub Arc<Stage>);

impl Probe {
    fn report_count(&self, ctx: &Context, count: u64) -> Result<(), WorkError> {
        ctx.phase(1, "Count");
        ctx.set_total("ticks", Some(count));
        for tick in 1..=count {
            ctx.set_done(tick);
            ctx.point("ticks", tick as f64, tick as f64 * 2.0);
            ctx.log(LogLevel::Info, format!("tick {tick}"));
        }
        ctx.checkpoint("all of it", json!({"count": count}))?;
        Ok(())
    }
}

#[async_trait]
impl Work for Probe {
    type Params = Params;

    fn kind(&self) -> KindSpec {
        KindSpec {
            name: KindName::new("test.probe").unwrap(),
            title: "Probe".into(),
            description: "Behaves as it is told.".into(),
            summary: Summary("{manner}".into()),
            params: params_schema::<Params>(),
            phases: vec!["Count".into(), "Rest".into()],
            series: vec![],
            resumable: true,
        }
    }

    fn check(&self, params: &Params) -> Result<(), Vec<FieldError>> {
        match params.note.as_deref() {
            Some("forbidden") => Err(vec![FieldError::new("note", "This note is forbidden.")]),
            Some("panic") => panic!("the check panics"),
            _ => Ok(()),
        }
    }

    async fn run(&self, ctx: Context, params: Params) -> Result<ResultDoc, WorkError> {
        self.0.runs.fetch_add(1, Ordering::SeqCst);
        let stage = Arc::clone(&self.0);
        match params.manner {
            Manner::Succeed => {}
            Manner::Count => self.report_count(&ctx, params.count)?,
            Manner::Obey => {
                ctx.token().cancelled().await;
                ctx.check()?;
            }
            Manner::ObeyLate => {
                ctx.token().cancelled().await;
                stage.gate.passed().await;
                return Err(WorkError::Cancelled);
            }
            Manner::Finish => stage.gate.passed().await,
            Manner::Ignore => {
                let _dropped = DropSignal(stage);
                std::future::pending::<()>().await;
            }
            Manner::Block => {
                let _dropped = DropSignal(Arc::clone(&stage));
                let ctx = ctx.clone();
                let thread = tokio::task::spawn_blocking(move || {
                    stage.wait_in_thread();
                    ctx.log(LogLevel::Info, "the thread ends");
                });
                thread.await.unwrap();
            }
            Manner::Leave => {
                let ctx = ctx.clone();
                std::thread::spawn(move || {
                    stage.wait_in_thread();
                    ctx.log(LogLevel::Info, "the thread ends");
                });
            }
            Manner::Panic => panic!("the {} broke", "spring"),
            Manner::Fail => return Err(WorkError::failed("The disk is full.", "Free some space.")),
            Manner::NotStarted => return Err(WorkError::NotStarted("No spring answers.".into())),
            Manner::Pretend => return Err(WorkError::Cancelled),
            Manner::TooLarge => {
                let document = json!("x".repeat(300 * 1024));
                return Ok(ResultDoc { document, ..ResultDoc::default() });
            }
        }
        let resumed = ctx.resume_from().map(|checkpoint| checkpoint.state.clone());
        Ok(ResultDoc {
            document: json!({"count": params.count, "resumed": resumed}),
            tags: vec!["synthetic".into()],
            ..ResultDoc::default()
        })
    }

    async fn health(&self) -> Vec<Check> {
        vec![Check { name: "spring".into(), ok: true, message: String::new() }]
    }

    fn artifacts(self: Arc<Self>) -> Router {
        Router::new()
            .route("/spring", get(|| async { "tense" }))
            .route("/broken", get(|| async { panic!("the artifact panics") as &'static str }))
    }
}

/// Serving host, with a client.
pub struct Rig {
    pub base: String,
    pub client: Client,
    pub stage: Arc<Stage>,
    pub shutdown: CancellationToken,
    pub serving: JoinHandle<std::io::Result<()>>,
}

impl Rig {
    pub async fn new() -> Self {
        Self::with(|host| host).await
    }

    pub async fn with(set: impl FnOnce(HostBuilder) -> HostBuilder) -> Self {
        let stage = Arc::<Stage>::default();
        let host = set(Host::builder("probe", "1.2.3").work(Probe(Arc::clone(&stage)))).build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/host/v1", listener.local_addr().unwrap());
        let shutdown = CancellationToken::new();
        let serving = tokio::spawn(host.serve(listener, shutdown.clone()));
        let client = https_client::builder(&https_client::Tls::default()).build().unwrap();
        Self { base, client, stage, shutdown, serving }
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.base)).timeout(PATIENCE)
    }

    pub fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.base)).timeout(PATIENCE).json(body)
    }

    /// Requests a start.
    pub async fn ask(&self, id: OperationId, attempt: u32, params: Value) -> Response {
        let body = json!({"id": id, "attempt": attempt, "kind": "test.probe", "params": params});
        self.post("/operations", &body).send().await.unwrap()
    }

    /// Starts a new operation that must be accepted.
    pub async fn start(&self, params: Value) -> OperationId {
        let id = OperationId::new();
        let answer = self.ask(id, 1, params).await;
        assert_eq!(answer.status(), 202);
        id
    }

    pub async fn cancel(&self, id: OperationId, attempt: u32, deadline_ms: u64) -> Response {
        let body = json!({"attempt": attempt, "reason": "a test", "deadline_ms": deadline_ms});
        self.post(&format!("/operations/{id}/cancel"), &body).send().await.unwrap()
    }

    pub async fn show(&self, id: OperationId) -> HostOperation {
        self.get(&format!("/operations/{id}")).send().await.unwrap().json().await.unwrap()
    }

    pub async fn poll(&self, query: &str) -> HostEvents {
        self.get(&format!("/events?{query}")).send().await.unwrap().json().await.unwrap()
    }

    /// All events of an operation from the beginning up to the first that matches.
    pub async fn until(
        &self,
        id: OperationId,
        wanted: impl Fn(&HostEventBody) -> bool,
    ) -> Vec<HostEventBody> {
        patiently(async {
            let (mut after, mut seen) = (0, Vec::new());
            loop {
                let feed = self.poll(&format!("after={after}&wait=20s")).await;
                assert!(!feed.reset);
                for event in feed.events {
                    assert_eq!(event.seq, after + 1, "no gap");
                    after = event.seq;
                    if event.id == id {
                        let found = wanted(&event.body);
                        seen.push(event.body);
                        if found {
                            return seen;
                        }
                    }
                }
            }
        })
        .await
    }

    pub async fn until_running(&self, id: OperationId) {
        self.until(id, |body| matches!(body, HostEventBody::Running)).await;
    }

    /// All events of an operation up to its end.
    pub async fn until_ended(&self, id: OperationId) -> Vec<HostEventBody> {
        self.until(id, |body| matches!(body, HostEventBody::Ended { .. })).await
    }

    /// End of an operation.
    pub async fn end_of(&self, id: OperationId) -> (Outcome, Option<Failure>, Option<ResultDoc>) {
        match self.until_ended(id).await.pop() {
            Some(HostEventBody::Ended { outcome, failure, result, .. }) => (outcome, failure, result),
            other => panic!("{other:?} is no end"),
        }
    }

    /// Opens a stream of the feed.
    pub async fn stream(&self, query: &str, last_event_id: Option<u64>) -> Sse {
        let mut request =
            self.client.get(format!("{}/events?{query}", self.base)).header("accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = patiently(request.send()).await.unwrap();
        assert_eq!(response.status(), 200);
        Sse { response, buffer: String::new() }
    }
}

/// Stream of server-sent events, read message by message.
pub struct Sse {
    pub response: Response,
    buffer: String,
}

#[derive(Debug)]
pub struct Message {
    pub event: Option<String>,
    pub id: Option<u64>,
    pub data: String,
}

impl Message {
    pub fn record(&self) -> HostEvent {
        serde_json::from_str(&self.data).unwrap()
    }
}

impl Sse {
    /// Next message; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let text: String = self.buffer.drain(..end + 2).collect();
                let field = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": "));
                return Some(Message {
                    event: field("event").map(str::to_owned),
                    id: field("id").map(|id| id.parse().unwrap()),
                    data: field("data").unwrap().to_owned(),
                });
            }
            let chunk = patiently(self.response.chunk()).await.unwrap()?;
            self.buffer.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Next record; skips other messages.
    pub async fn record(&mut self) -> Option<HostEvent> {
        loop {
            let message = self.next().await?;
            if message.event.is_none() {
                let record = message.record();
                assert_eq!(message.id, Some(record.seq));
                return Some(record);
            }
        }
    }
}

/// Problem document of a response that must be one.
pub async fn problem(answer: Response) -> Problem {
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let status = answer.status().as_u16();
    let problem: Problem = answer.json().await.unwrap();
    assert_eq!(problem.status, status);
    assert!(!problem.detail.is_empty());
    problem
}

/// Waits with a timeout, which fails the test.
pub async fn patiently<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("what the test waits for happens")
}
