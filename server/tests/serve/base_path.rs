//! Below a base path: API, stream and command line, with and without the path in the request.

use crate::process::{Home, PATIENCE, http_client, without_home};
use std::process::{Command, Output};

#[tokio::test]
async fn below_a_base_path_api_stream_and_command_line_work() {
    let home = Home::new();
    let server = home.serve(&["--base-path", "/signalbox/"]);
    assert!(server.url.ends_with("/signalbox"), "{}", server.url);
    // Stream, start and responses, all below the path.
    let mut feed = server.follow(0).await;
    let load = server.load("ACME", None).await;
    feed.until(|op| op.id == load.id && op.state.ended()).await;
    let again = http_client();
    let start = serde_json::json!({"kind": load.kind, "params": load.params});
    let answer = again.post(format!("{}/api/v1/operations", server.url)).json(&start).send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    assert!(location.starts_with("/signalbox/api/v1/operations/"), "{location}");

    let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
    command
        .args(["start", "data.load", "timeframe=1h", "source=synthetic", "symbol=EMCA", "--follow"])
        .args(["--server", &server.url])
        .env_remove("SIGNALBOX_TOKEN");
    without_home(&mut command);
    let Output { status, stdout, stderr } = command.output().unwrap();
    let (out, err) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    assert!(status.success(), "{err}");
    let page = format!("{}/operations/{}", server.url, out.trim());
    assert!(err.contains(&page), "{err}");
}

#[tokio::test]
async fn a_proxy_may_remove_the_base_path_or_keep_it() {
    let home = Home::new();
    let server = home.serve(&["--base-path", "/signalbox"]);
    let root = server.url.trim_end_matches("/signalbox");
    let client = http_client();
    let ask = async |path: &str| client.get(format!("{root}{path}")).timeout(PATIENCE).send().await.unwrap();
    for path in ["/api/v1/kinds", "/signalbox/api/v1/kinds", "/healthz", "/signalbox/healthz"] {
        assert_eq!(ask(path).await.status(), 200, "{path}");
    }
    let redirect = ask("/signalbox").await;
    assert_eq!(redirect.status(), 308);
    assert_eq!(redirect.headers()["location"], "/signalbox/");
    let document: serde_json::Value = ask("/openapi.json").await.json().await.unwrap();
    assert_eq!(document["servers"][0]["url"], "/signalbox");
}

#[tokio::test]
async fn every_address_in_a_page_is_below_the_base_path() {
    let home = Home::new();
    let server = home.serve(&["--base-path", "/signalbox"]);
    let mut feed = server.follow(0).await;
    let id = server.load("ACME", None).await.id;
    feed.until(|op| op.id == id && op.state.ended()).await;
    let client = http_client();
    let operation = format!("/operations/{id}");
    let compare = format!("/compare?ids={id}");
    for path in
        ["/", "/operations", "/operations?q=acme&group=kind", &operation, &compare, "/new", "/hosts", "/none"]
    {
        let page = client.get(format!("{}{path}", server.url)).timeout(PATIENCE).send().await.unwrap();
        let html = page.text().await.unwrap();
        let mut found = 0;
        for name in ["href=", "action=", "src=", "formaction="] {
            for (at, _) in html.match_indices(&format!(" {name}\"/")) {
                let address: String = html[at + name.len() + 2..].chars().take_while(|c| *c != '"').collect();
                assert!(address.starts_with("/signalbox/"), "{path}: {name}{address}");
                found += 1;
            }
        }
        let form = html.contains("action=\"/signalbox/operations\"");
        assert_eq!(form, path.starts_with("/operations") && path != operation, "{path}: the search form");
        assert!(found > 5, "{path} has only {found} addresses: {html}");
    }
}
