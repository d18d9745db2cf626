//! Access: tokens with roles, what each may do, and what ends when one is revoked.

use crate::process::{Home, PATIENCE, Server, http_client, without_home};
use access::{RANDOM_BYTES, Secret};
use futures::StreamExt;
use protocol::access::{AccessToken, AccessTokenList, CreatedAccessToken, Me, Role, SignedInBy};
use protocol::api::{AuditLine, AuditPage, EventsPage};
use protocol::{Action, Problem, Time, paths};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use store::{AccessStore, Sqlite, StoredToken};

/// Token that the server is started with.
pub const SHARED: &str = "s3cret";

/// Program with a token.
pub struct Caller {
    client: Client,
    url: String,
    pub secret: Option<String>,
}

impl Caller {
    pub fn new(server: &Server, secret: Option<&str>) -> Self {
        let client = http_client();
        Self { client, url: server.url.clone(), secret: secret.map(str::to_owned) }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        match &self.secret {
            Some(secret) => request.bearer_auth(secret),
            None => request,
        }
    }

    pub async fn status(&self, method: Method, path: &str) -> StatusCode {
        self.request(method, path).send().await.unwrap().status()
    }

    pub async fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> T {
        let answer = self.request(Method::GET, path).send().await.unwrap().error_for_status().unwrap();
        answer.json().await.unwrap()
    }

    async fn problem(&self, request: RequestBuilder) -> Problem {
        request.send().await.unwrap().json().await.unwrap()
    }

    fn creation(&self, name: &str, role: Role) -> RequestBuilder {
        self.request(Method::POST, paths::ACCESS_TOKENS).json(&json!({"name": name, "role": role}))
    }

    pub async fn create(&self, name: &str, role: Role) -> CreatedAccessToken {
        let answer = self.creation(name, role).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(answer.headers()["cache-control"], "no-store");
        answer.json().await.unwrap()
    }

    pub async fn revoke(&self, token: &AccessToken) -> StatusCode {
        self.status(Method::DELETE, &paths::access_token(&token.id)).await
    }
}

/// Writes a token into the database of a server that does not run.
pub fn stored(home: &Home, role: Role, expires_at: Time) -> String {
    let folder = home.path().join("data");
    std::fs::create_dir_all(&folder).unwrap();
    let store = Sqlite::open(&folder.join("signalbox.db")).unwrap();
    let secret = Secret::new([7; RANDOM_BYTES]);
    let token = AccessToken {
        id: "stored".to_owned(),
        name: "stored".to_owned(),
        role,
        kinds: None,
        created_at: Time::from_micros(0),
        created_by: None,
        expires_at: Some(expires_at),
        last_used_at: None,
        last_used_from: None,
    };
    let entry = protocol::AuditEntry::new(Time::now(), Action::CreateToken, protocol::Actor::signalbox());
    store.add_token(&StoredToken { hash: secret.hash().0, token }, &entry).unwrap();
    secret.as_str().to_owned()
}

/// Reads a response until it has a text; `None` at its end.
async fn read_until(
    stream: &mut (impl StreamExt<Item = reqwest::Result<bytes::Bytes>> + Unpin),
    text: &str,
) -> Option<()> {
    let mut received = Vec::new();
    while !String::from_utf8_lossy(&received).contains(text) {
        received.extend_from_slice(&stream.next().await?.ok()?);
    }
    Some(())
}

#[tokio::test]
async fn the_first_token_closes_an_open_server_and_ends_its_streams() {
    let home = Home::new();
    let server = home.serve(&[]);
    let nobody = Caller::new(&server, None);
    let me: Me = nobody.get(paths::ME).await;
    assert_eq!((me.via, me.role), (SignedInBy::Nothing, Role::Admin));
    let denied = nobody.problem(nobody.creation("ci", Role::Viewer)).await;
    assert_eq!(denied.status, 409);
    let answer = nobody.request(Method::GET, paths::EVENTS).send().await.unwrap();
    let mut stream = Box::pin(answer.bytes_stream());
    read_until(&mut stream, "event: hello").await.unwrap();

    let ada = nobody.create("ada", Role::Admin).await;
    let ends = async { while read_until(&mut stream, "\n\n").await.is_some() {} };
    tokio::time::timeout(PATIENCE, ends).await.expect("the stream of nobody goes on");
    assert_eq!(nobody.status(Method::GET, paths::SNAPSHOT).await, 401);
    let caller = Caller::new(&server, Some(&ada.secret));
    let me: Me = caller.get(paths::ME).await;
    assert_eq!((me.via, me.name.as_deref()), (SignedInBy::Token, Some("ada")));

    // Others remain: they would be locked out.
    let viewer = caller.create("ci", Role::Viewer).await;
    assert_eq!(caller.revoke(&ada.token).await, 409);
    assert_eq!(caller.revoke(&viewer.token).await, 204);
    assert_eq!(caller.revoke(&ada.token).await, 204);
    assert_eq!(nobody.status(Method::GET, paths::SNAPSHOT).await, 200, "without any token, none is needed");
}

#[tokio::test]
async fn a_revoked_token_ends_its_stream_and_its_poll_and_no_other() {
    let home = Home::new();
    let server = home.serve(&["--token", SHARED]);
    let admin = Caller::new(&server, Some(SHARED));
    let viewer = admin.create("viewer", Role::Viewer).await;
    let caller = Caller::new(&server, Some(&viewer.secret));
    let mut streams = Vec::new();
    for reader in [&caller, &admin] {
        let answer = reader.request(Method::GET, paths::EVENTS).send().await.unwrap();
        let mut stream = Box::pin(answer.bytes_stream());
        read_until(&mut stream, "event: hello").await.unwrap();
        streams.push(stream);
    }
    let [ended, other] = &mut streams[..] else { unreachable!() };
    let page: EventsPage = admin.get(&format!("{}?after=0&wait=0s", paths::EVENTS)).await;
    let poll =
        caller.request(Method::GET, &format!("{}?after={}&wait=30s", paths::EVENTS, page.next + 1_000));
    let polling = tokio::spawn(async move { poll.send().await.unwrap().status() });

    assert_eq!(admin.revoke(&viewer.token).await, 204);
    assert_eq!(caller.status(Method::GET, paths::SNAPSHOT).await, 401);
    let ends = async { while read_until(ended, "\n\n").await.is_some() {} };
    tokio::time::timeout(PATIENCE, ends).await.expect("the stream of a revoked token goes on");
    tokio::time::timeout(PATIENCE, polling).await.expect("the poll of a revoked token goes on").unwrap();
    read_until(other, "event: beat").await.expect("the stream of another token ended");
    assert_eq!(admin.revoke(&viewer.token).await, 404);
}

#[tokio::test]
async fn an_expiring_token_ends_its_stream() {
    let home = Home::new();
    let secret = stored(&home, Role::Viewer, Time::now().plus_micros(6_000_000));
    let server = home.serve(&["--token", SHARED]);
    let caller = Caller::new(&server, Some(&secret));
    let answer = caller.request(Method::GET, paths::EVENTS).send().await.unwrap();
    let mut stream = Box::pin(answer.bytes_stream());
    let ends = async { while read_until(&mut stream, "\n\n").await.is_some() {} };
    tokio::time::timeout(PATIENCE, ends).await.expect("the stream of an expired token goes on");
    assert_eq!(caller.status(Method::GET, paths::SNAPSHOT).await, 401);
}

#[tokio::test]
async fn a_token_outlives_a_restart_and_its_uses_are_listed_and_audited() {
    let home = Home::new();
    let server = home.serve(&["--token", SHARED]);
    let admin = Caller::new(&server, Some(SHARED));
    let operator = admin.create("nightly", Role::Operator).await;
    assert!(
        !format!("{:?}", admin.get::<AccessTokenList>(paths::ACCESS_TOKENS).await).contains(&operator.secret)
    );
    assert!(server.stop().success());

    let server = home.serve(&["--token", SHARED]);
    let admin = Caller::new(&server, Some(SHARED));
    let caller = Caller::new(&server, Some(&operator.secret));
    assert_eq!(caller.status(Method::GET, paths::SNAPSHOT).await, 200);
    let list: AccessTokenList = admin.get(paths::ACCESS_TOKENS).await;
    assert_eq!(list.tokens[0].last_used_from.as_deref(), Some("127.0.0.1"));
    assert!(server.stop().success());

    let server = home.serve(&["--token", SHARED]);
    let admin = Caller::new(&server, Some(SHARED));
    let list: AccessTokenList = admin.get(paths::ACCESS_TOKENS).await;
    assert!(list.tokens[0].last_used_at.is_some(), "the last use is stored when the server stops");
    assert_eq!(admin.revoke(&operator.token).await, 204);
    let audit: AuditPage = admin.get("/api/v1/audit").await;
    let actions: Vec<Action> = audit.entries.iter().map(|entry| entry.action).collect();
    assert_eq!(actions[..2], [Action::RevokeToken, Action::CreateToken]);
    assert!(audit.entries[1].detail.starts_with("nightly ("), "{:?}", audit.entries[1]);
}

#[tokio::test]
async fn the_audit_log_names_the_token_that_started_an_operation() {
    let home = Home::new();
    let server = home.serve(&[]);
    server.host_up().await;
    let nobody = Caller::new(&server, None);
    let ada = nobody.create("ada", Role::Admin).await;
    let caller = Caller::new(&server, Some(&ada.secret));
    let body =
        json!({"kind": "data.load", "params": {"symbol": "ACME", "timeframe": "1h", "source": "synthetic"}});
    let started = caller.request(Method::POST, paths::OPERATIONS).json(&body).send().await.unwrap();
    assert_eq!(started.status(), 201);
    let operation: Value = started.json().await.unwrap();
    let detail: Value =
        caller.get(&format!("{}/{}", paths::OPERATIONS, operation["id"].as_str().unwrap())).await;
    let by = &detail["audit"][0]["by"];
    assert_eq!((&by["name"], &by["token"]), (&json!("ada"), &json!(ada.token.id)));
}

#[tokio::test]
async fn commands_create_list_and_revoke_tokens() {
    let home = Home::new();
    let server = home.serve(&[]);
    let run = |secret: &str, args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
        command.arg("token").args(args).env("SIGNALBOX_SERVER_URL", &server.url);
        without_home(&mut command);
        let output = command.env("SIGNALBOX_TOKEN", secret).stdin(Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap().trim().to_owned();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let (code, _, error) = run("", &["create", "ci", "--role", "root"]);
    assert!(code == 64 && error.contains("viewer, operator and admin"), "{error}");
    let (code, _, error) = run("", &["create", "ci", "--role", "viewer"]);
    assert!(code == 3 && error.contains("Create an admin first"), "{code} {error}");
    let (code, admin, note) = run("", &["create", "ada", "--role", "admin", "--never-expires"]);
    assert_eq!((code, admin.starts_with("sbx_"), note.contains("never expires")), (0, true, true), "{note}");
    let (code, viewer, _) = run(&admin, &["create", "ci", "--role", "viewer", "--days", "7"]);
    assert_eq!(code, 0);
    assert_eq!(run(&admin, &["list", "-o", "name"]).1, "ada\nci");
    let (code, _, error) = run(&viewer, &["list"]);
    assert!(code == 3 && error.contains("manage_access"), "{code} {error}");
    let (code, _, error) = run(&admin, &["revoke", &viewer]);
    assert!(code == 64 && !error.contains(&viewer), "{error}");
    assert_eq!(run(&admin, &["revoke", "ci"]).0, 0);
    assert!(run(&viewer, &["list"]).2.contains("revoked"));
}

#[tokio::test]
async fn refused_attempts_are_audited_once_and_then_counted() {
    let home = Home::new();
    let server = home.serve(&["--token", SHARED]);
    let admin = Caller::new(&server, Some(SHARED));
    let viewer = admin.create("dash", Role::Viewer).await;
    let caller = Caller::new(&server, Some(&viewer.secret));
    for _ in 0..3 {
        assert_eq!(caller.status(Method::POST, paths::OPERATIONS).await, 403);
        assert_eq!(Caller::new(&server, Some("sbx_wrong")).status(Method::GET, paths::SNAPSHOT).await, 401);
    }
    let other_site = caller.request(Method::POST, paths::OPERATIONS).header("origin", "http://evil.example");
    assert_eq!(other_site.send().await.unwrap().status(), 403);
    assert!(server.stop().success());

    // The numbers of repeated attempts are stored when the server stops.
    let server = home.serve(&["--token", SHARED]);
    let admin = Caller::new(&server, Some(SHARED));
    let audit: AuditPage = admin.get("/api/v1/audit?refused=true&action=request").await;
    let found = |text: &str| -> Vec<&protocol::AuditEntry> {
        audit.entries.iter().filter(|entry| entry.detail.contains(text)).collect()
    };
    let lacking = found("POST /api/v1/operations: needs the permission start");
    assert_eq!(lacking.len(), 2, "{:?}", audit.entries);
    assert!(lacking[0].detail.contains("2 more since"), "{:?}", lacking[0]);
    assert_eq!((lacking[1].by.name.as_deref(), &lacking[1].by.token), (Some("dash"), &Some(viewer.token.id)));
    assert_eq!((found("invalid, expired or revoked").len(), found("another site").len()), (2, 1));
}

#[tokio::test]
async fn the_audit_log_is_filtered_downloaded_and_verified() {
    let home = Home::new();
    let server = home.serve(&["--token", SHARED]);
    let admin = Caller::new(&server, Some(SHARED));
    let nightly = admin.create("nightly", Role::Operator).await;
    let ada = Caller::new(&server, Some(&admin.create("ada", Role::Admin).await.secret));
    assert_eq!(ada.revoke(&nightly.token).await, 204);
    let page: AuditPage = ada.get("/api/v1/audit?name=ada").await;
    assert_eq!(page.entries.iter().map(|entry| entry.action).collect::<Vec<_>>(), [Action::RevokeToken]);
    let at = page.entries[0].at;
    let before: AuditPage = ada.get(&format!("/api/v1/audit?until={at}&action=create_token")).await;
    assert_eq!(before.entries.len(), 2);
    assert_eq!(ada.status(Method::GET, "/api/v1/audit?action=dance").await, 400);
    assert_eq!(ada.status(Method::GET, "/api/v1/audit/export?limit=3").await, 400);

    let answer = ada.request(Method::GET, "/api/v1/audit/export").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/jsonl");
    let lines = answer.text().await.unwrap();
    let lines: Vec<AuditLine> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<u64> = lines.iter().map(|line| line.n).collect();
    assert_eq!(numbers, (1..=lines.len() as u64).rev().collect::<Vec<_>>());
    assert_eq!(lines[0].entry, page.entries[0]);

    let verify = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
        command.args(["audit", "verify", "--data"]).arg(home.path().join("data")).args(args);
        without_home(&mut command);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    // While the server runs.
    let (code, text, error) = verify(&[]);
    assert_eq!(code, 0, "{error}");
    let head = format!("{}:{}", lines[0].n, lines[0].hash);
    assert!(text.ends_with(&format!("Newest entry: {head}\n")), "{text}");
    assert!(server.stop().success());
    assert_eq!(verify(&["--head", &head]).0, 0);

    let database = rusqlite::Connection::open(home.path().join("data/signalbox.db")).unwrap();
    database.execute("UPDATE audit SET doc = replace(doc, 'nightly', 'hourly')", []).unwrap();
    let (code, _, error) = verify(&[]);
    assert!(code == 1 && error.contains("of the audit log was changed"), "{code} {error}");
}
