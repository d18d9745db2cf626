//! Scopes: what a role that is limited to some kinds sees and does, on the real server.

use crate::access::{Caller, SHARED};
use crate::process::{Home, Server};
use futures::StreamExt;
use protocol::access::{CreatedAccessToken, Me, Role};
use protocol::api::{
    EventsPage, FEED_SEQ, FilterCounts, HostLink, HostList, KindList, OperationDetail, OperationPage,
    Snapshot,
};
use protocol::{EventBody, Operation, OperationId, Problem, paths};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Kind inside and kind outside of the scope, on the same host.
pub const VISIBLE: &str = "exec.fit";
pub const HIDDEN: &str = "exec.payroll";

/// Server with both kinds, an administrator, and callers with a scope.
pub struct Place {
    _home: Home,
    pub server: Server,
    pub admin: Caller,
}

impl Place {
    pub async fn new() -> Self {
        let home = Home::new();
        let tables = [VISIBLE, HIDDEN].map(|kind| format!("[{kind}]\ncommand = [\"true\"]\n"));
        let exec = home.path().join("exec.toml");
        std::fs::write(&exec, tables.concat()).unwrap();
        let server = home.serve(&["--token", SHARED, "--exec", &exec.display().to_string()]);
        let admin = Caller::new(&server, Some(SHARED));
        loop {
            let snapshot: Snapshot = admin.get(paths::SNAPSHOT).await;
            if !snapshot.hosts.is_empty() && snapshot.hosts.iter().all(|host| host.link == HostLink::Up) {
                return Self { _home: home, server, admin };
            }
            next(&admin, snapshot.seq).await;
        }
    }

    /// Caller with a role for some kinds.
    pub async fn limited(&self, role: Role, kinds: &str) -> Caller {
        let kinds: Vec<&str> = kinds.split(',').collect();
        let new = json!({"name": format!("{role} {kinds:?}"), "role": role, "kinds": kinds});
        let created = self.admin.request(Method::POST, paths::ACCESS_TOKENS).json(&new).send().await.unwrap();
        let created: CreatedAccessToken = created.error_for_status().unwrap().json().await.unwrap();
        Caller::new(&self.server, Some(&created.secret))
    }
}

/// Next events of a caller.
async fn next(caller: &Caller, after: u64) -> EventsPage {
    caller.get(&format!("{}?after={after}&wait=10s", paths::EVENTS)).await
}

/// Starts an operation, and waits for its end.
pub async fn run(caller: &Caller, kind: &str) -> OperationId {
    run_with(caller, kind, json!({})).await
}

async fn run_with(caller: &Caller, kind: &str, params: Value) -> OperationId {
    let body = json!({"kind": kind, "params": params});
    let started = caller.request(Method::POST, paths::OPERATIONS).json(&body).send().await.unwrap();
    assert_eq!(started.status(), StatusCode::CREATED);
    let id = started.json::<Operation>().await.unwrap().id;
    loop {
        let detail: OperationDetail = caller.get(&paths::operation(id)).await;
        if detail.operation.state.ended() {
            return id;
        }
        next(caller, detail.seq).await;
    }
}

/// Status and body of a response, with an ID replaced, and without the ID of the request.
pub async fn answer(caller: &Caller, method: &Method, path: &str, id: OperationId) -> (StatusCode, String) {
    let response =
        caller.request(method.clone(), &path.replace("{id}", &id.to_string())).send().await.unwrap();
    let (status, text) = (response.status(), response.text().await.unwrap());
    let text = match serde_json::from_str::<Value>(&text) {
        Ok(mut body) => {
            body.as_object_mut().map(|body| body.remove("request_id"));
            body.to_string()
        }
        Err(_) => text,
    };
    (status, text.replace(&id.to_string(), "ID"))
}

#[tokio::test]
async fn lists_counts_and_pages_tell_nothing_of_kinds_outside_of_the_scope() {
    let place = Place::new().await;
    let caller = place.limited(Role::Operator, VISIBLE).await;
    let hidden = [run(&place.admin, HIDDEN).await, run(&place.admin, HIDDEN).await];
    let visible = run(&caller, VISIBLE).await;
    let me: Me = caller.get(paths::ME).await;
    assert_eq!(me.kinds, Some(VISIBLE.parse().unwrap()));
    assert!(me.permissions.iter().all(|permission| permission.as_str() != "silence"), "{me:?}");

    let page: OperationPage = caller.get(paths::OPERATIONS).await;
    assert_eq!(page.operations.iter().map(|operation| operation.id).collect::<Vec<_>>(), [visible]);
    for filter in ["q=payroll", "kind=exec.payroll", "parent=0199c2d4-7f3a-7c11-9e1b-2d5f8a4b6c7d"] {
        let page: OperationPage = caller.get(&format!("{}?{filter}", paths::OPERATIONS)).await;
        let counts: FilterCounts = caller.get(&format!("{}/counts?{filter}", paths::OPERATIONS)).await;
        assert!(page.operations.is_empty() && counts.counts.iter().all(|count| count.count == 0), "{filter}");
    }
    let counts: FilterCounts = caller.get(&format!("{}/counts", paths::OPERATIONS)).await;
    assert_eq!(counts.counts.iter().map(|count| count.count).sum::<u64>(), 1);
    let snapshot: Snapshot = caller.get(paths::SNAPSHOT).await;
    assert_eq!(snapshot.counts.iter().map(|count| count.count).sum::<u64>(), 1);
    assert_eq!(snapshot.operations.len(), 1);
    let all: Snapshot = place.admin.get(paths::SNAPSHOT).await;
    assert_eq!(all.counts.iter().map(|count| count.count).sum::<u64>(), 3);
    let kinds: KindList = caller.get(paths::KINDS).await;
    assert_eq!(kinds.kinds.iter().map(|offer| offer.spec.name.as_str()).collect::<Vec<_>>(), [VISIBLE]);
    let hosts: HostList = caller.get("/api/v1/hosts").await;
    assert_eq!(hosts.hosts.len(), 1);
    assert_eq!(hosts.hosts[0].kinds, [VISIBLE.parse().unwrap()]);
    assert_eq!((hosts.hosts[0].running, hosts.hosts[0].connections.requests), (0, 0));

    for path in ["/", "/operations", "/hosts", "/compare", "/alerts", paths::ACTIVITY, paths::SNAPSHOT] {
        let text = caller.request(Method::GET, path).send().await.unwrap().text().await.unwrap();
        for secret in hidden.iter().map(ToString::to_string).chain([HIDDEN.to_owned(), "payroll".to_owned()])
        {
            assert!(!text.contains(&secret), "{path} tells {secret}");
        }
    }
}

#[tokio::test]
async fn a_kind_outside_of_the_scope_is_neither_started_nor_previewed_whether_it_exists_or_not() {
    let place = Place::new().await;
    let caller = place.limited(Role::Operator, "exec.f*").await;
    let mut texts = Vec::new();
    for kind in [HIDDEN, "exec.nothing", "analysis.sweep", "demo.run"] {
        let body = json!({"kind": kind, "params": {}});
        let start = caller.request(Method::POST, paths::OPERATIONS).json(&body);
        let preview = caller.request(Method::POST, &format!("/api/v1/kinds/{kind}/preview")).json(&json!({}));
        for request in [start, preview] {
            let problem: Problem = request.send().await.unwrap().json().await.unwrap();
            assert_eq!(problem.status, 403, "{problem:?}");
            texts.push(problem.detail.replace(kind, "KIND"));
        }
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].contains("exec.f*"), "{texts:?}");
    let unknown = json!({"kind": "exec.fi", "params": {}});
    let problem = caller.request(Method::POST, paths::OPERATIONS).json(&unknown).send().await.unwrap();
    let problem = problem.text().await.unwrap();
    assert!(problem.contains(VISIBLE) && !problem.contains(HIDDEN), "{problem}");
}

#[tokio::test]
async fn an_idempotency_key_of_others_is_free_for_a_sender_with_a_scope() {
    let place = Place::new().await;
    let caller = place.limited(Role::Operator, VISIBLE).await;
    let start = |caller: &Caller, kind: &str| {
        let request = caller.request(Method::POST, paths::OPERATIONS).header("idempotency-key", "nightly");
        let request = request.json(&json!({"kind": kind, "params": {}}));
        async move { request.send().await.unwrap().status() }
    };
    assert_eq!(start(&place.admin, HIDDEN).await, 201);
    assert_eq!(start(&caller, VISIBLE).await, 201, "a conflict would tell that the key is in use");
    assert_eq!(start(&caller, VISIBLE).await, 200);
}

#[tokio::test]
async fn bulk_requests_leave_operations_outside_of_the_scope_alone() {
    let place = Place::new().await;
    let caller = place.limited(Role::Operator, VISIBLE).await;
    let (hidden, visible) = (run(&place.admin, HIDDEN).await, run(&place.admin, VISIBLE).await);
    let unknown = OperationId::new();
    let post = |path: &str, body: Value| {
        let request = caller.request(Method::POST, &format!("{}/{path}", paths::OPERATIONS)).json(&body);
        async move { request.send().await.unwrap().json::<Value>().await.unwrap() }
    };
    let cancelled = post("cancel", json!({"ids": [hidden, unknown]})).await;
    let why = |n: usize, id: OperationId| {
        let refused = &cancelled["refused"].as_array().unwrap()[n];
        refused["why"].as_str().unwrap().replace(&id.to_string(), "ID")
    };
    assert_eq!(why(0, hidden), why(1, unknown), "{cancelled}");
    let dry = post("delete", json!({"filter": "", "dry_run": true})).await;
    assert_eq!((&dry["deleted"], &dry["refused"]), (&json!(1), &json!(0)), "{dry}");
    let listed = post("delete", json!({"ids": [hidden, unknown]})).await;
    assert_eq!((&listed["deleted"], &listed["refused"]), (&json!(0), &json!(2)), "{listed}");
    let deleted = post("delete", json!({"filter": "", "until": dry["until"]})).await;
    assert_eq!(deleted["deleted"], 1, "{deleted}");
    assert_eq!(place.admin.status(Method::GET, &paths::operation(hidden)).await, 200);
    assert_eq!(place.admin.status(Method::GET, &paths::operation(visible)).await, 404);
}

/// Position of a caller in its feed, as each response has it.
async fn position(caller: &Caller) -> u64 {
    let response = caller.request(Method::GET, paths::ME).send().await.unwrap();
    response.headers()[FEED_SEQ].to_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn hidden_events_leave_no_trace_in_the_feed() {
    let place = Place::new().await;
    let caller = place.limited(Role::Viewer, VISIBLE).await;
    let before = position(&caller).await;
    run(&place.admin, HIDDEN).await;
    run(&place.admin, HIDDEN).await;
    assert_eq!(position(&caller).await, before, "not one number was used");

    let visible = run(&place.admin, VISIBLE).await;
    run(&place.admin, HIDDEN).await;
    let head = position(&caller).await;
    let (mut after, mut read) = (before, Vec::new());
    while after < head {
        let page = next(&caller, after).await;
        assert!(page.reset.is_none() && page.next > after, "{page:?}");
        after = page.next;
        read.extend(page.events);
    }
    let numbers: Vec<u64> = read.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (before + 1..=head).collect::<Vec<_>>(), "no gap where events are hidden");
    for event in &read {
        match &event.body {
            EventBody::Host { host } => assert_eq!(host.kinds, [VISIBLE.parse().unwrap()]),
            EventBody::Operation { operation } => {
                assert_eq!((operation.id, operation.seq), (visible, event.seq))
            }
            _ => assert_eq!(event.operation(), Some(visible), "{event:?}"),
        }
    }
    assert_eq!(place.admin.status(Method::DELETE, &paths::operation(visible)).await, 200);
    let page = next(&caller, head).await;
    assert!(
        matches!(page.events[..], [ref e] if matches!(e.body, EventBody::Deleted { id, .. } if id == visible))
    );
}

#[tokio::test]
async fn a_stream_with_a_scope_resumes_and_positions_of_other_feeds_are_refused() {
    let place = Place::new().await;
    let caller = place.limited(Role::Viewer, VISIBLE).await;
    let (all, before) = (position(&place.admin).await, position(&caller).await);
    run(&place.admin, HIDDEN).await;
    let visible = run(&place.admin, VISIBLE).await;
    let request = caller.request(Method::GET, paths::EVENTS).header("last-event-id", before);
    let mut stream = request.header("accept", "text/event-stream").send().await.unwrap().bytes_stream();
    let mut text = String::new();
    while !text.contains("succeeded") {
        text.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
    }
    assert!(text.contains(&visible.to_string()) && !text.contains("payroll"), "{text}");
    assert!(text.contains(&format!("id: {}\n", before + 1)), "{text}");

    let page = next(&caller, all).await;
    assert!(page.reset.is_some(), "a position of the feed of all kinds");
    let page = next(&place.admin, before).await;
    assert!(page.reset.is_some(), "a position of the feed of a scope");
    let [own, whole]: [Snapshot; 2] =
        [caller.get(paths::SNAPSHOT).await, place.admin.get(paths::SNAPSHOT).await];
    assert_ne!(own.server, whole.server, "tabs of another identity load a snapshot");
    let same = place.limited(Role::Operator, VISIBLE).await;
    assert_eq!(
        same.get::<Snapshot>(paths::SNAPSHOT).await.server,
        own.server,
        "readers of a scope share its feed"
    );
}

#[tokio::test]
async fn a_role_is_given_with_its_kinds_and_the_role_admin_without() {
    let place = Place::new().await;
    let limited = |kinds: Value| json!({"name": "ci", "role": "admin", "kinds": kinds});
    for kinds in [json!(["exec.*"]), json!([]), json!(["Exec"])] {
        let create = place.admin.request(Method::POST, paths::ACCESS_TOKENS).json(&limited(kinds));
        assert_eq!(create.send().await.unwrap().status(), 400);
    }
    let add =
        json!({"name": "ada", "role": "viewer", "password": "correct horse battery", "kinds": ["exec.*"]});
    let added = place.admin.request(Method::POST, paths::USERS).json(&add).send().await.unwrap();
    assert_eq!(added.status(), 201);
    assert_eq!(added.json::<Value>().await.unwrap()["kinds"], json!(["exec.*"]));
    let change = |body: Value| place.admin.request(Method::POST, &paths::user("ada")).json(&body).send();
    assert_eq!(change(json!({"kinds": ["data.*"]})).await.unwrap().status(), 400, "kinds without the role");
    let changed = change(json!({"role": "operator", "kinds": ["data.*"]})).await.unwrap();
    assert_eq!(changed.json::<Value>().await.unwrap()["kinds"], json!(["data.*"]));
    let changed = change(json!({"role": "operator"})).await.unwrap();
    assert_eq!(changed.json::<Value>().await.unwrap().get("kinds"), None, "the role is for all kinds then");
}

#[tokio::test]
async fn runs_of_a_sweep_are_visible_by_their_kind_and_do_not_name_the_sweep() {
    let place = Place::new().await;
    let bars = json!({"symbol": "SWEPT", "timeframe": "1h", "source": "synthetic", "years": 1});
    run_with(&place.admin, "data.load", bars).await;
    let vary = json!({"run": "backtest.run", "fixed": "symbol=SWEPT; timeframe=1h", "vary": "fast=5,10", "at_once": 2});
    let sweep = run_with(&place.admin, "analysis.sweep", vary).await;
    let caller = place.limited(Role::Viewer, "backtest.*,analysis.*").await;
    let page: OperationPage = caller.get(paths::OPERATIONS).await;
    assert_eq!(page.operations.len(), 2, "{page:?}");
    for run in &page.operations {
        let path = paths::operation(run.id);
        let text = caller.request(Method::GET, &path).send().await.unwrap().text().await.unwrap();
        for named in [sweep.to_string(), sweep.short()] {
            assert!(!text.contains(&named), "{text}");
        }
    }
    assert_eq!(caller.status(Method::GET, &paths::operation(sweep)).await, 404);
    let children: OperationPage = caller.get(&format!("{}?parent={sweep}", paths::OPERATIONS)).await;
    assert!(children.operations.is_empty(), "the sweep is not there");
}
