//! Access control, health, and invalid hosts.

use crate::rig::{Probe, Rig, problem};
use protocol::host::{Check, Health, ResultDoc};
use protocol::{KindName, KindSpec, OperationId, ProblemType, Summary};
use serde_json::{Value, json};
use signalbox_host_kit::{BuildError, Context, Host, Work, WorkError, async_trait};
use std::sync::Arc;

#[tokio::test]
async fn with_a_token_every_route_requires_it() {
    let rig = Rig::with(|host| host.token(Some("open sesame".into()))).await;
    for path in ["/about", "/health", "/events", "/operations", "/artifacts/spring", "/nothing"] {
        let refusal = problem(rig.get(path).send().await.unwrap()).await;
        assert_eq!(refusal.kind, ProblemType::Unauthorized, "{path}");
        let wrong = rig.get(path).bearer_auth("open sesami").send().await.unwrap();
        assert_eq!(wrong.status(), 401, "{path}");
    }
    assert_eq!(rig.get("/about").bearer_auth("open sesame").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_token_scheme_is_case_insensitive() {
    let rig = Rig::with(|host| host.token(Some("sesame".into()))).await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = rig.get("/about").header("authorization", format!("{scheme} sesame"));
        assert_eq!(request.send().await.unwrap().status(), 200, "{scheme}");
    }
}

#[tokio::test]
async fn a_web_page_can_start_nothing_unless_its_origin_is_listed() {
    let rig = Rig::with(|host| host.allowed_origins(["http://127.0.0.1:7200"])).await;
    let from = async |origin: &str| {
        rig.post("/operations", &json!({})).header("origin", origin).send().await.unwrap()
    };
    assert_eq!(problem(from("http://elsewhere.example").await).await.kind, ProblemType::Forbidden);
    assert_eq!(problem(from("null").await).await.kind, ProblemType::Forbidden);
    assert_eq!(problem(from("http://127.0.0.1:7200").await).await.kind, ProblemType::BadRequest);
}

#[tokio::test]
async fn a_page_with_a_name_rebound_to_the_hosts_address_is_rejected() {
    let rig = Rig::new().await;
    for path in ["/about", "/events", "/operations", "/artifacts/spring"] {
        let rebound = rig.get(path).header("host", "evil.example").send().await.unwrap();
        assert_eq!(problem(rebound).await.kind, ProblemType::Forbidden, "{path}");
    }
    assert_eq!(rig.get("/about").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn artifacts_are_served_and_a_panic_while_serving_is_an_error_response() {
    let rig = Rig::new().await;
    let spring = rig.get("/artifacts/spring").send().await.unwrap();
    assert_eq!(spring.text().await.unwrap(), "tense");
    let broken = rig.get("/artifacts/broken").send().await.unwrap();
    assert_eq!(problem(broken).await.kind, ProblemType::Internal);
}

#[tokio::test]
async fn health_has_the_dependencies_and_load_of_the_host() {
    let rig = Rig::with(|host| host.capacity(3)).await;
    let id = rig.start(json!({"manner": "obey"})).await;
    rig.until_running(id).await;
    let report = || async { rig.get("/health").send().await.unwrap().json::<Health>().await.unwrap() };
    let health = report().await;
    assert!(health.ready);
    assert_eq!(health.checks, [Check { name: "spring".into(), ok: true, message: String::new() }]);
    assert_eq!((health.running, health.free), (1, 2));
    // The first report does not wait for the first measurement, and says nothing instead of 0.
    assert_eq!(
        (health.cpu, health.memory_bytes, health.network_in, health.network_out),
        (None, None, None, None)
    );
    let measured = loop {
        let health = report().await;
        if health.cpu.is_some() {
            break health;
        }
    };
    assert!(measured.cpu.is_some_and(|cpu| (0.0..=1.0).contains(&cpu)), "{measured:?}");
    assert!(measured.memory_bytes.is_some_and(|bytes| bytes > 1 << 20), "{measured:?}");
    assert!(measured.network_in.is_some() && measured.network_out.is_some(), "{measured:?}");
}

#[tokio::test]
async fn a_host_whose_work_runs_elsewhere_does_not_report_the_load_of_its_own_machine() {
    let rig = Rig::with(|host| host.sampling(false)).await;
    for _ in 0..3 {
        let health: Health = rig.get("/health").send().await.unwrap().json().await.unwrap();
        assert!(health.ready && health.cpu.is_none() && health.memory_bytes.is_none(), "{health:?}");
    }
}

/// Declares a given schema; its health check hangs.
struct Odd(Value);

/// Runs one operation at a time, and none while its part is missing.
struct Partless;

#[async_trait]
impl Work for Partless {
    type Params = serde_json::Map<String, Value>;

    fn kind(&self) -> KindSpec {
        KindSpec { name: KindName::new("test.partless").unwrap(), ..Odd(json!({"type": "object"})).kind() }
    }

    async fn run(&self, ctx: Context, _: Self::Params) -> Result<ResultDoc, WorkError> {
        ctx.token().cancelled().await;
        Err(WorkError::Cancelled)
    }

    async fn health(&self) -> Vec<Check> {
        vec![Check { name: "part".into(), ok: false, message: "It is missing.".into() }]
    }

    fn max_parallel(&self) -> Option<u32> {
        Some(1)
    }
}

#[async_trait]
impl Work for Odd {
    type Params = serde_json::Map<String, Value>;

    fn kind(&self) -> KindSpec {
        KindSpec {
            name: KindName::new("test.odd").unwrap(),
            title: "Odd".into(),
            description: String::new(),
            summary: Summary::default(),
            params: self.0.clone(),
            phases: vec![],
            series: vec![],
            resumable: false,
        }
    }

    async fn run(&self, _: Context, _: Self::Params) -> Result<ResultDoc, WorkError> {
        Err(WorkError::Cancelled)
    }

    async fn health(&self) -> Vec<Check> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_health_check_that_hangs_is_unhealthy() {
    let rig = Rig::with(|host| host.work(Odd(json!({"type": "object"})))).await;
    let health: Health = rig.get("/health").send().await.unwrap().json().await.unwrap();
    assert!(!health.ready);
    let odd = health.checks.iter().find(|check| check.name == "test.odd").unwrap();
    assert!(!odd.ok && odd.message.contains("did not finish"), "{odd:?}");
}

#[tokio::test]
async fn health_names_only_the_kinds_that_cannot_run() {
    let rig = Rig::with(|host| host.work(Partless)).await;
    let health: Health = rig.get("/health").send().await.unwrap().json().await.unwrap();
    assert!(!health.ready);
    assert_eq!(health.unready_kinds, ["test.partless".parse().unwrap()]);
}

#[tokio::test]
async fn a_kind_at_its_own_limit_is_rejected_while_others_are_accepted() {
    let rig = Rig::with(|host| host.capacity(3).work(Partless)).await;
    let ask = async |id: OperationId| {
        let body = json!({"id": id, "attempt": 1, "kind": "test.partless", "params": {}});
        rig.post("/operations", &body).send().await.unwrap()
    };
    let (first, second) = (OperationId::new(), OperationId::new());
    assert_eq!(ask(first).await.status(), 202);
    let refused = problem(ask(second).await).await;
    assert_eq!(refused.kind, ProblemType::HostFull);
    assert!(refused.detail.contains("limit of parallel test.partless operations (1)"), "{refused}");
    let other = rig.start(json!({"manner": "succeed"})).await;
    rig.until_ended(other).await;
    rig.cancel(first, 1, 1_000).await;
    rig.until_ended(first).await;
    assert_eq!(ask(second).await.status(), 202);
}

#[test]
fn an_invalid_host_is_rejected_before_it_is_served() {
    let error = |builder: signalbox_host_kit::HostBuilder| builder.build().err().unwrap();
    let host = || Host::builder("odd", "1");
    let odd = |schema| host().work(Odd(schema));
    let flat = || json!({"type": "object"});
    assert_eq!(error(host()), BuildError::NoWork);
    assert_eq!(error(odd(flat()).capacity(0)), BuildError::NoCapacity);
    assert_eq!(error(odd(flat()).token(Some(String::new()))), BuildError::EmptyToken);
    assert!(matches!(error(odd(flat()).work(Odd(flat()))), BuildError::DuplicateKind(_)));
    let nested = json!({"type": "object", "properties": {"deep": {"type": "object"}}});
    let BuildError::BadSchema { kind, what } = error(odd(nested)) else { panic!("a bad schema") };
    assert!(kind.as_str() == "test.odd" && what.contains("deep"), "{what}");
    let probe = Probe(Arc::default());
    assert!(host().work(probe).work(Odd(flat())).build().is_ok());
}
