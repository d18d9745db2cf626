//! Sign-in through an OpenID Connect provider: a double of a provider that can misbehave, and browsers.

use crate::access::{Caller, SHARED};
use crate::process::{Home, PATIENCE, Server, http_client};
use crate::provider_double::{Key, ProviderDouble, Signature};
use crate::users::refused_sign_in;
use protocol::access::{Me, Role, SignedInBy, UserList};
use protocol::api::AuditPage;
use protocol::{Action, paths};
use reqwest::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::json;
use std::collections::BTreeMap;

/// Browser that keeps cookies, and follows no redirect by itself.
struct Browser {
    client: Client,
    url: String,
    cookies: BTreeMap<String, String>,
}

/// Page at the end of a sign-in: the status, and the address of a redirect or the text.
type End = (u16, String);

impl Browser {
    fn new(server: &Server) -> Self {
        Self { client: http_client(), url: server.url.clone(), cookies: BTreeMap::new() }
    }

    async fn send(&mut self, method: Method, path: &str) -> Response {
        let at = if path.starts_with('/') { format!("{}{path}", self.url) } else { path.to_owned() };
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = self.client.request(method, at).header("accept", "text/html");
        let response = request.header("cookie", cookies.join("; ")).send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("; Path=/; HttpOnly; SameSite="), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
            self.cookies.retain(|_, value| !value.is_empty());
        }
        response
    }

    async fn get(&mut self, path: &str) -> Response {
        self.send(Method::GET, path).await
    }

    /// Goes to the provider and back, up to the address that has the code.
    async fn visit_provider(&mut self, to: &str) -> String {
        let there = self.get(&format!("/sign-in/provider?to={to}")).await;
        assert_eq!(there.status(), StatusCode::SEE_OTHER);
        // At another host, without our cookies.
        let back = self.client.get(location(&there)).send().await.unwrap();
        location(&back)
    }

    /// Signs in through the provider.
    async fn sign_in(&mut self) -> End {
        let callback = self.visit_provider("%2Fhosts%3Fsort%3Dname").await;
        self.end(&callback).await
    }

    async fn end(&mut self, callback: &str) -> End {
        let response = self.get(callback).await;
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        match response.status().as_u16() {
            303 => (303, location(&response)),
            status => (status, response.text().await.unwrap()),
        }
    }

    async fn status(&mut self, path: &str) -> u16 {
        self.get(path).await.status().as_u16()
    }

    async fn me(&mut self) -> Me {
        self.get(paths::ME).await.json().await.unwrap()
    }

    fn has_session(&self) -> bool {
        self.cookies.contains_key("signalbox_session")
    }
}

fn location(response: &Response) -> String {
    response.headers()[LOCATION].to_str().unwrap().to_owned()
}

fn signed_in() -> End {
    (303, "/hosts?sort=name".to_owned())
}

/// Server that uses this provider, with a shared token.
fn serve(home: &Home, provider: &ProviderDouble) -> Server {
    let mut command = home.configured(&provider.configuration(home.path()));
    command.args(["--token", SHARED]);
    home.serve_by(command)
}

/// The sign-in ends with this status, a page that has this text, and no session.
async fn refused(server: &Server, status: u16, text: &str) {
    let mut browser = Browser::new(server);
    let (found, page) = browser.sign_in().await;
    assert_eq!(found, status, "{text}: {page}");
    assert!(page.contains("<h1>Sign-in failed</h1>") && page.contains(text), "{text}: {page}");
    assert!(page.contains("Example ID") && page.contains("/sign-in?to=%2Fhosts%3Fsort%3Dname"), "{page}");
    assert!(!browser.has_session(), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_has_the_role_of_the_groups_and_returns_to_the_page() {
    let (home, provider) = (Home::new(), ProviderDouble::start().await);
    let server = serve(&home, &provider);
    let admin = Caller::new(&server, Some(SHARED));
    let mut browser = Browser::new(&server);
    let page = browser.get("/hosts?sort=name").await;
    assert_eq!(location(&page), "/sign-in?to=%2Fhosts%3Fsort%3Dname");
    let page = browser.get(&location(&page)).await.text().await.unwrap();
    assert!(
        page.contains(r#"href="/sign-in/provider?to=%2Fhosts%3Fsort%3Dname">Sign in with Example ID</a>"#)
    );
    assert!(!page.contains(r#"name="password""#), "there are no local users");

    assert_eq!(browser.sign_in().await, signed_in());
    let me = browser.me().await;
    assert_eq!((me.via, me.name.as_deref(), me.role), (SignedInBy::Session, Some("ada"), Role::Operator));
    assert_eq!(json!(me.kinds), json!(["data.*", "exec.fit"]));
    let page = browser.get("/account").await.text().await.unwrap();
    assert!(page.contains("You sign in with Example ID") && !page.contains("Current password"), "{page}");

    let users: UserList = admin.get(paths::USERS).await;
    let account = users.users[0].provider.as_ref().unwrap();
    assert_eq!((account.issuer.as_str(), account.subject.as_str()), (provider.url.as_str(), "0001"));
    for change in [json!({"role": "admin"}), json!({"password": "correct horse battery"})] {
        let changed = admin.request(Method::POST, &paths::user("ada")).json(&change).send().await.unwrap();
        assert_eq!(changed.status(), 409, "the provider decides");
    }
    let audit: AuditPage = admin.get("/api/v1/audit").await;
    let entry = audit.entries.iter().find(|entry| entry.action == Action::SignIn).unwrap();
    assert_eq!(entry.by.name.as_deref(), Some("ada"));
    assert!(entry.detail.starts_with("role operator for data.*, exec.fit"), "{}", entry.detail);

    let session = browser.cookies.clone();
    let out = browser.send(Method::POST, "/sign-out").await;
    let leads = out.headers()["refresh"].to_str().unwrap().to_owned();
    let back = format!("post_logout_redirect_uri={}", encoded(&format!("{}/sign-in", server.url)));
    assert!(leads.starts_with(&format!("0;url={}/sign-out?client_id=signalbox&", provider.url)), "{leads}");
    assert!(leads.ends_with(&back), "{leads}");
    assert!(out.text().await.unwrap().contains("You are signed out of Signalbox."));
    browser.cookies = session;
    assert_eq!(browser.status(paths::ME).await, 401, "the session is ended, not only forgotten");
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_token_that_is_not_for_this_sign_in_is_refused() {
    let (home, provider) = (Home::new(), ProviderDouble::start().await);
    let server = serve(&home, &provider);
    for (claim, wrong, status, text) in [
        ("nonce", json!("of another sign-in"), 400, "belongs to another sign-in"),
        ("aud", json!("another client"), 502, "for another client"),
        ("aud", json!(["another client", "signalbox"]), 502, "for another client"),
        ("azp", json!("another client"), 502, "for another client"),
        ("iss", json!("https://evil.example"), 502, "from another issuer"),
        ("iss", json!([provider.url, "https://evil.example"]), 502, "from another issuer"),
        ("sub", json!(5), 502, "no valid claim 'sub'"),
        ("exp", json!("never"), 502, "no valid claim"),
        ("preferred_username", json!(""), 403, "has no claim"),
        ("preferred_username", json!("x".repeat(300)), 403, "Signalbox can't use"),
        ("groups", json!(["other"]), 403, "none of your groups has a role"),
        ("groups", json!(null), 403, "none of your groups has a role"),
    ] {
        let before = provider.with(|double| double.claims.insert(claim.to_owned(), wrong.clone()));
        refused(&server, status, text).await;
        provider.with(|double| match before {
            Some(before) => double.claims.insert(claim.to_owned(), before),
            None => double.claims.remove(claim),
        });
    }
    for (signature, text) in [
        (Signature::Wrong, "its signature is wrong"),
        (Signature::Missing, "not signed with a public-key algorithm"),
        (Signature::Shared, "not signed with a public-key algorithm"),
    ] {
        provider.with(|double| double.signature = signature);
        refused(&server, 502, text).await;
    }
    provider.with(|double| double.signature = Signature::Right);
    assert_eq!(Browser::new(&server).sign_in().await, signed_in());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_may_differ_by_half_a_minute_but_not_by_five() {
    let (home, provider) = (Home::new(), ProviderDouble::start().await);
    let server = serve(&home, &provider);
    for (clock, valid, refusal) in [
        (30, 300, None),
        // Expired ten seconds ago, by the clock of the server.
        (-30, 20, None),
        (300, 300, Some("it is valid from")),
        (-300, 60, Some("it expired at")),
    ] {
        provider.with(|double| (double.clock, double.valid) = (clock, valid));
        match refusal {
            None => assert_eq!(Browser::new(&server).sign_in().await, signed_in(), "{clock}"),
            Some(text) => {
                refused(&server, 502, text).await;
                refused(&server, 502, "check the clocks of the server and of the provider").await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_the_provider_are_rotated_and_forged_ones_cause_no_requests() {
    let (home, provider) = (Home::new(), ProviderDouble::start().await);
    let server = serve(&home, &provider);
    for _ in 0..3 {
        assert_eq!(Browser::new(&server).sign_in().await, signed_in());
    }
    assert_eq!(provider.with(|double| double.key_requests), 1);
    provider.with(|double| double.rotate(Key::rsa(), "second", true));
    for _ in 0..3 {
        assert_eq!(Browser::new(&server).sign_in().await, signed_in(), "an RSA key");
    }
    assert_eq!(provider.with(|double| double.key_requests), 2);
    provider.with(|double| double.rotate(Key::ec(), "forged", false));
    for _ in 0..3 {
        refused(&server, 502, "with a key that the provider does not publish").await;
    }
    assert_eq!(provider.with(|double| double.key_requests), 2, "a further request has to wait");
    provider.with(|double| double.rotate(Key::ec(), "second", false));
    refused(&server, 502, "with a key that the provider does not publish").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_belongs_to_one_browser_and_is_used_once() {
    let (home, provider) = (Home::new(), ProviderDouble::start().await);
    let server = serve(&home, &provider);
    let (mut browser, mut other) = (Browser::new(&server), Browser::new(&server));
    let callback = browser.visit_provider("/hosts").await;
    other.visit_provider("/hosts").await;
    let (status, page) = other.end(&callback).await;
    assert!(status == 400 && page.contains("in another browser"), "{page}");
    let (status, page) = Browser::new(&server).end(&callback).await;
    assert!(status == 400 && page.contains("does not keep cookies"), "{page}");
    assert!(!other.has_session() && provider.with(|double| double.token_requests) == 0);
    assert_eq!(browser.end(&callback).await, (303, "/hosts".to_owned()));
    let (status, page) = browser.end(&callback).await;
    assert!(status == 400 && page.contains("already completed"), "{page}");

    // The code of another sign-in.
    let code = |address: &str| {
        let url = url::Url::parse(address).unwrap();
        url.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned()
    };
    let fresh = browser.visit_provider("/hosts").await;
    let replayed = fresh.replace(&encoded(&code(&fresh)), &encoded(&code(&callback)));
    assert_ne!(fresh, replayed);
    let (status, page) = browser.end(&replayed).await;
    assert!(status == 400 && page.contains("it was used twice"), "{page}");
    // The answer of another provider.
    let mixed = browser.visit_provider("/hosts").await.replace("realm", "other");
    let requests = provider.with(|double| double.token_requests);
    let (status, page) = browser.end(&mixed).await;
    assert!(status == 502 && page.contains("from another issuer"), "{page}");
    assert_eq!(provider.with(|double| double.token_requests), requests, "its code was not sent");
    // Two tabs of one browser.
    let (first, second) = (browser.visit_provider("/hosts").await, browser.visit_provider("/alerts").await);
    assert_eq!(browser.end(&second).await, (303, "/alerts".to_owned()));
    assert_eq!(browser.end(&first).await, (303, "/hosts".to_owned()));

    let elsewhere = browser.visit_provider("%2F%2Fevil.example").await;
    assert_eq!(browser.end(&elsewhere).await, (303, "/".to_owned()), "no open redirect");
    for (error, text) in
        [("access_denied", "denied access"), ("login_required", "the error 'login_required'")]
    {
        provider.with(|double| double.error = Some(error));
        let callback = browser.visit_provider("/hosts").await;
        let (status, page) = browser.end(&callback).await;
        assert!(status >= 400 && page.contains(text) && !page.contains("<b>"), "{page}");
    }
    let (status, page) = browser.end("/sign-in/provider/callback").await;
    assert!(status == 400 && page.contains("Sign-in failed"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_away_stops_nothing() {
    let (home, provider) = (Home::new(), ProviderDouble::start().await);
    provider.with(|double| double.away = true);
    let server = serve(&home, &provider);
    let admin = Caller::new(&server, Some(SHARED));
    let new = json!({"name": "mia", "role": "viewer", "password": "first password of hers"});
    let added = admin.request(Method::POST, paths::USERS).json(&new).send().await.unwrap();
    assert_eq!(added.status(), 201);
    let mut browser = Browser::new(&server);
    let failed = browser.get("/sign-in/provider?to=/hosts").await;
    assert_eq!(failed.status(), 503);
    let page = failed.text().await.unwrap();
    assert!(page.contains(r#"role="alert""#) && page.contains("answered with the status 503"), "{page}");
    assert!(page.contains(r#"name="password""#) && page.contains("Sign in with Example ID"), "{page}");
    let page = browser.get("/sign-in").await.text().await.unwrap();
    assert!(page.contains("be reached") && page.contains("Local users and tokens still work."), "{page}");
    assert_eq!(admin.status(Method::GET, paths::ME).await, 200);
    refused_sign_in(&admin, "through the provider: ").await;

    provider.with(|double| double.away = false);
    // After a failure, the next request has to wait for a second.
    let back = async { while browser.status("/sign-in/provider").await != 303 {} };
    tokio::time::timeout(PATIENCE, back).await.expect("the provider is not found again");
    let page = browser.get("/sign-in").await.text().await.unwrap();
    assert!(!page.contains("be reached"), "{page}");
    assert_eq!(browser.sign_in().await, signed_in());

    // Away again. The next person is not sent to an address that does not answer.
    provider.with(|double| double.away = true);
    let mut next = Browser::new(&server);
    let noticed = async { while next.status("/sign-in/provider").await != 503 {} };
    tokio::time::timeout(PATIENCE, noticed).await.expect("the browser is sent to a provider that is away");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_groups_change_the_role_and_end_the_access() {
    let (home, provider) = (Home::new(), ProviderDouble::start().await);
    let server = serve(&home, &provider);
    let mut browser = Browser::new(&server);
    assert_eq!(browser.sign_in().await, signed_in());
    let groups = |groups: &[&str]| {
        provider.with(|double| double.claims.insert("groups".into(), json!(groups)));
    };
    groups(&["heads", "readers"]);
    let mut stream = browser.get(paths::EVENTS).await;
    assert!(stream.chunk().await.unwrap().is_some());
    assert_eq!(Browser::new(&server).sign_in().await, signed_in());
    let ends = async { while let Ok(Some(_)) = stream.chunk().await {} };
    tokio::time::timeout(PATIENCE, ends).await.expect("the stream goes on with the old role");
    assert_eq!(browser.me().await.role, Role::Admin, "also in the other browser");
    let list: UserList = browser.get(paths::USERS).await.json().await.unwrap();
    assert_eq!(list.users.len(), 1);

    // Another name of the same person.
    provider.with(|double| double.claims.insert("preferred_username".into(), json!("ada l")));
    let mut renamed = Browser::new(&server);
    assert_eq!(renamed.sign_in().await, signed_in());
    let list: UserList = renamed.get(paths::USERS).await.json().await.unwrap();
    let names: Vec<String> = list.users.into_iter().map(|user| user.name).collect();
    assert_eq!((names, browser.status(paths::ME).await), (vec!["ada l".to_owned()], 401));
    // Another person with the name.
    provider.with(|double| double.claims.insert("sub".into(), json!("0002")));
    refused(&server, 409, "a local user, a token or another account in Signalbox already has this name")
        .await;
    provider.with(|double| double.claims.insert("sub".into(), json!("0001")));

    groups(&[]);
    refused(&server, 403, "none of your groups has a role").await;
    assert_eq!(renamed.status(paths::ME).await, 401, "the sessions end with the role");
    let admin = Caller::new(&server, Some(SHARED));
    let audit: AuditPage = admin.get("/api/v1/audit").await;
    let removed = audit.entries.iter().filter(|entry| entry.action == Action::RemoveUser);
    assert_eq!(removed.count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_token_the_provider_closes_the_server_and_its_sessions_outlive_a_restart() {
    let (home, provider) = (Home::new(), ProviderDouble::start().await);
    let configuration = provider.configuration(home.path());
    let server = home.serve_by(home.configured(&configuration));
    let mut browser = Browser::new(&server);
    assert_eq!(browser.status(paths::ME).await, 401, "also on loopback");
    assert_eq!(browser.sign_in().await, signed_in());
    assert!(server.stop().success());

    let server = home.serve_by(home.configured(&configuration));
    browser.url.clone_from(&server.url);
    assert_eq!(browser.me().await.name.as_deref(), Some("ada"));
    assert!(server.stop().success());
    let mut command = home.configured("");
    command.args(["--token", SHARED]);
    let server = home.serve_by(command);
    browser.url.clone_from(&server.url);
    assert_eq!(browser.status(paths::ME).await, 401, "without the provider, its sessions end");
}
