//! Local users: signing in and out over plain forms, sessions, passwords and changed roles.

use crate::access::{Caller, SHARED};
use crate::process::{Home, PATIENCE, Server, http_client, without_home};
use protocol::access::{Me, Permission, Role, SignedInBy, UserList};
use protocol::api::AuditPage;
use protocol::paths;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::json;
use std::io::Write;
use std::process::{Command, Stdio};

const FIRST: &str = "first password of hers";
const OWN: &str = "correct horse battery";

/// Browser that keeps the cookie of a session, and follows no redirect.
struct Browser {
    client: Client,
    url: String,
    cookie: Option<String>,
}

impl Browser {
    fn new(server: &Server) -> Self {
        let client = http_client();
        Self { client, url: server.url.clone(), cookie: None }
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request =
            self.client.request(method, format!("{}{path}", self.url)).header("accept", "text/html");
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        }
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// Sends a form as a browser does, and keeps the cookie of the answer.
    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let body: String =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fields.iter().copied()).finish();
        let request = self.request(Method::POST, path).header("origin", &self.url);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = request.send().await.unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            if cookie.starts_with("signalbox_session=") {
                assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
                let pair = cookie.split(';').next().unwrap().to_owned();
                self.cookie = Some(pair).filter(|pair| !pair.ends_with('='));
            }
        }
        answer
    }

    async fn sign_in(&mut self, name: &str, password: &str) -> Response {
        self.post("/sign-in", &[("name", name), ("password", password), ("to", "/hosts?sort=name")]).await
    }

    /// Signs in with the first password and chooses one.
    async fn begin(&mut self, name: &str) {
        let page = self.sign_in(name, FIRST).await.text().await.unwrap();
        let ticket = ticket_of(&page);
        let fields = [("ticket", &*ticket), ("password", OWN), ("repeat", OWN), ("to", "/")];
        assert_eq!(self.post("/sign-in/password", &fields).await.status(), 303);
    }

    async fn status(&self, path: &str) -> StatusCode {
        self.get(path).await.status()
    }

    async fn me(&self) -> Me {
        self.get(paths::ME).await.json().await.unwrap()
    }
}

fn ticket_of(page: &str) -> String {
    let (_, rest) = page.split_once(r#"name="ticket" value=""#).expect(page);
    rest.split('"').next().unwrap().to_owned()
}

async fn add(admin: &Caller, name: &str, role: Role) {
    let new = json!({"name": name, "role": role, "password": FIRST});
    let answer = admin.request(Method::POST, paths::USERS).json(&new).send().await.unwrap();
    assert_eq!(answer.status(), 201);
}

#[tokio::test]
async fn a_user_chooses_a_password_at_the_first_sign_in_and_signs_out() {
    let home = Home::new();
    let server = home.serve(&["--token", SHARED]);
    add(&Caller::new(&server, Some(SHARED)), "ada", Role::Operator).await;
    let mut browser = Browser::new(&server);
    let answer = browser.get("/hosts?sort=name").await;
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers()["location"], "/sign-in?to=%2Fhosts%3Fsort%3Dname");
    let page = browser.get("/sign-in?to=%2Fhosts").await;
    assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    assert!(page.text().await.unwrap().contains(r#"name="password""#));
    assert_eq!(browser.status("/sign-in.css").await, 200);

    let wrong = browser.sign_in("ada", "wrong password of ada").await;
    assert_eq!(wrong.status(), 401);
    let unknown = browser.sign_in("eve", "wrong password of ada").await;
    let [wrong, unknown] = [wrong.text().await.unwrap(), unknown.text().await.unwrap()];
    assert_eq!(wrong.replace("ada", "eve"), unknown, "an unknown name is not told from a wrong password");

    let page = browser.sign_in("ada", FIRST).await.text().await.unwrap();
    assert!(browser.cookie.is_none(), "no session with the first password");
    let ticket = ticket_of(&page);
    for (password, repeat, why) in
        [("short", "short", "at least 12"), (OWN, "other", "do not match"), (FIRST, FIRST, "must differ")]
    {
        let fields = [("ticket", &*ticket), ("password", password), ("repeat", repeat)];
        let answer = browser.post("/sign-in/password", &fields).await;
        assert_eq!(answer.status(), 400);
        assert!(answer.text().await.unwrap().contains(why), "{why}");
    }
    let fields = [("ticket", &*ticket), ("password", OWN), ("repeat", OWN), ("to", "/hosts")];
    let answer = browser.post("/sign-in/password", &fields).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &"/hosts".parse().unwrap()));
    let again = Browser::new(&server).post("/sign-in/password", &fields).await;
    assert_eq!(again.status(), 400, "a ticket is valid once");

    let me = browser.me().await;
    assert_eq!((me.via, me.name.as_deref(), me.role), (SignedInBy::Session, Some("ada"), Role::Operator));
    let secret = browser.cookie.as_deref().unwrap().split_once('=').unwrap().1;
    let bearer = Caller::new(&server, Some(secret));
    assert_eq!(bearer.status(Method::GET, paths::ME).await, 401, "a session is for browsers");
    let cookie = browser.cookie.clone();
    assert_eq!(browser.post("/sign-out", &[]).await.status(), 303);
    browser.cookie = cookie;
    assert_eq!(browser.status(paths::ME).await, 401, "the session is ended, not only forgotten");
    assert_eq!(browser.sign_in("ada", OWN).await.headers()["location"], "/hosts?sort=name");
}

#[tokio::test]
async fn a_session_outlives_a_restart_and_ends_with_a_changed_password() {
    let home = Home::new();
    let server = home.serve(&["--token", SHARED]);
    add(&Caller::new(&server, Some(SHARED)), "ada", Role::Viewer).await;
    let (mut here, mut there) = (Browser::new(&server), Browser::new(&server));
    here.begin("ada").await;
    assert_eq!(there.sign_in("ada", OWN).await.status(), 303);
    assert!(server.stop().success());

    let server = home.serve(&["--token", SHARED]);
    (here.url, there.url) = (server.url.clone(), server.url.clone());
    assert_eq!(
        (here.status(paths::ME).await, there.status(paths::ME).await),
        (StatusCode::OK, StatusCode::OK)
    );
    let page = here.get("/account").await.text().await.unwrap();
    assert!(page.contains("<h1>ada</h1>") && page.matches("/account/end").count() == 1, "{page}");
    let change = |current| {
        [("current", current), ("password", "another fine phrase"), ("repeat", "another fine phrase")]
    };
    assert_eq!(here.post("/account/password", &change("wrong password")).await.status(), 403);
    assert_eq!(here.post("/account/password", &change(OWN)).await.status(), 200);
    assert_eq!(
        (here.status(paths::ME).await, there.status(paths::ME).await),
        (StatusCode::OK, StatusCode::UNAUTHORIZED)
    );
    assert_eq!(there.sign_in("ada", OWN).await.status(), 401);
    assert_eq!(there.sign_in("ada", "another fine phrase").await.status(), 303);

    let page = here.get("/account").await.text().await.unwrap();
    let (_, rest) = page.split_once(r#"name="id" value=""#).unwrap();
    let id = rest.split('"').next().unwrap().to_owned();
    assert_eq!(here.post("/account/end", &[("id", &id)]).await.status(), 303);
    assert_eq!(there.status(paths::ME).await, 401);
}

#[tokio::test]
async fn a_lowered_role_and_a_removed_user_end_streams() {
    let home = Home::new();
    let server = home.serve(&["--token", SHARED]);
    let admin = Caller::new(&server, Some(SHARED));
    add(&admin, "ada", Role::Operator).await;
    let mut browser = Browser::new(&server);
    browser.begin("ada").await;
    let start = json!({"kind": "no.kind"});
    let started = |browser: &Browser| {
        let request =
            browser.request(Method::POST, paths::OPERATIONS).header("origin", &browser.url).json(&start);
        async move { request.send().await.unwrap().status() }
    };
    assert_ne!(started(&browser).await, 403);

    for change in [json!({"role": "operator", "kinds": ["exec.*"]}), json!({"role": "viewer"})] {
        let mut stream = browser.get(paths::EVENTS).await;
        assert!(stream.chunk().await.unwrap().is_some());
        let changed = admin.request(Method::POST, &paths::user("ada")).json(&change).send().await.unwrap();
        assert_eq!(changed.status(), 200);
        let ends = async { while let Ok(Some(_)) = stream.chunk().await {} };
        tokio::time::timeout(PATIENCE, ends).await.expect("the stream goes on with the old role");
        assert_eq!(json!(browser.me().await.kinds), change["kinds"]);
    }
    let me = browser.me().await;
    assert_eq!((me.role, started(&browser).await), (Role::Viewer, StatusCode::FORBIDDEN));
    let start = me.lacks.iter().find(|lacked| lacked.permission == Permission::Start);
    assert_eq!(start.map(|lacked| lacked.role), Some(Role::Operator), "the page says who may start");

    let mut stream = browser.get(paths::EVENTS).await;
    assert!(stream.chunk().await.unwrap().is_some());
    assert_eq!(admin.status(Method::DELETE, &paths::user("ada")).await, 204);
    let ends = async { while let Ok(Some(_)) = stream.chunk().await {} };
    tokio::time::timeout(PATIENCE, ends).await.expect("the stream of a removed user goes on");
    assert_eq!(browser.status(paths::ME).await, 401);
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down() {
    let home = Home::new();
    let server = home.serve(&["--token", SHARED]);
    add(&Caller::new(&server, Some(SHARED)), "ada", Role::Viewer).await;
    let mut browser = Browser::new(&server);
    let mut statuses = Vec::new();
    for n in 0..12 {
        statuses.push(browser.sign_in("ada", &format!("guess number {n} of many")).await.status().as_u16());
    }
    assert_eq!(statuses[..5], [401; 5]);
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(browser.sign_in("ada", FIRST).await.status(), 429, "the right password has to wait, too");

    // The audit log has both reasons, and the numbers of attempts once the server stops.
    assert!(server.stop().success());
    let server = home.serve(&["--token", SHARED]);
    let admin = Caller::new(&server, Some(SHARED));
    let audit: AuditPage = admin.get("/api/v1/audit?refused=true&action=sign_in&name=ada").await;
    let details: Vec<&str> = audit.entries.iter().map(|entry| entry.detail.as_str()).collect();
    for reason in ["wrong password", "too many failed attempts"] {
        assert_eq!(details.iter().filter(|detail| detail.starts_with(reason)).count(), 2, "{details:?}");
    }
}

#[tokio::test]
async fn a_token_signs_a_browser_in_and_another_site_can_not() {
    let home = Home::new();
    let server = home.serve(&["--token", SHARED]);
    let mut browser = Browser::new(&server);
    assert!(
        !browser.get("/sign-in").await.text().await.unwrap().contains(r#"name="password""#),
        "there are no users"
    );
    assert_eq!(browser.post("/sign-in/token", &[("token", "wrong")]).await.status(), 401);
    let answer = browser.post("/sign-in/token", &[("token", SHARED), ("to", "//evil.example")]).await;
    assert_eq!(answer.headers()["location"], "/");
    assert!(answer.headers()["set-cookie"].to_str().unwrap().starts_with("signalbox_token=s3cret; "));
    let foreign = browser.request(Method::POST, "/sign-in/token").header("origin", "http://evil.example");
    assert_eq!(foreign.body("token=s3cret").send().await.unwrap().status(), 403);
    refused_sign_in(&Caller::new(&server, Some(SHARED)), "a wrong, expired or revoked token").await;
}

/// Waits until a refused sign-in is in the audit log, which is written after the response.
pub async fn refused_sign_in(admin: &Caller, reason: &str) {
    let recorded = async {
        loop {
            let audit: AuditPage = admin.get("/api/v1/audit?refused=true&action=sign_in").await;
            if audit.entries.iter().any(|entry| entry.detail.contains(reason)) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, recorded)
        .await
        .unwrap_or_else(|_| panic!("not in the audit log: {reason}"));
}

#[tokio::test]
async fn commands_add_change_and_remove_users() {
    let home = Home::new();
    let server = home.serve(&["--token", SHARED]);
    let run = |args: &[&str], input: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
        command
            .arg("user")
            .args(args)
            .env("SIGNALBOX_SERVER_URL", &server.url)
            .env("SIGNALBOX_TOKEN", SHARED);
        without_home(&mut command);
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        // Commands that need no password may end before.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap().trim().to_owned();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    assert_eq!(run(&["add", "ada lovelace", "--role", "viewer"], "").0, 64);
    let (code, _, error) = run(&["add", "ada lovelace", "--role", "viewer"], "short\n");
    assert!(code == 3 && error.contains("12 characters"), "{code} {error}");
    let (code, out, _) = run(&["add", "ada lovelace", "--role", "viewer"], "a phrase of four words\n");
    assert_eq!((code, out.as_str()), (0, "Added the user 'ada lovelace' with the role viewer."));
    assert_eq!(run(&["role", "ada lovelace", "operator"], "").0, 0);
    let users: UserList = serde_json::from_str(&run(&["list", "--json"], "").1).unwrap();
    assert_eq!((users.users[0].role, users.users[0].must_change_password), (Role::Operator, true));
    assert_eq!(run(&["password", "ada lovelace"], "another phrase of five words\n").0, 0);
    assert_eq!(run(&["remove", "ada lovelace"], "").0, 0);
    assert_eq!(run(&["remove", "ada lovelace"], "").0, 3);
}
