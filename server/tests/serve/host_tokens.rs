//! Tokens of hosts: a token is replaced while the host works.

use crate::process::{Home, HostProcess, PATIENCE, Server, http_client};
use protocol::State;
use protocol::api::HostLink;
use reqwest::StatusCode;

/// Server with a host and its token.
fn serve(home: &Home, host: &HostProcess, token: &str) -> Server {
    let file = format!("[[host]]\nname = 'one'\nurl = '{}'\ntoken = '{token}'\n", host.url);
    home.serve_by(home.configured(&file))
}

/// Waits until the host responds to a token with a status.
async fn until(host: &HostProcess, token: &str, status: u16) {
    let client = http_client();
    let responds = async {
        loop {
            let request = client.get(format!("{}/host/v1/operations", host.url)).bearer_auth(token);
            if request.send().await.unwrap().status() == status {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(PATIENCE, responds).await;
    waited.unwrap_or_else(|_| panic!("{token} does not get {}", StatusCode::from_u16(status).unwrap()));
}

#[tokio::test]
async fn a_token_of_a_host_is_replaced_while_its_operations_run() {
    let home = Home::new();
    let tokens = home.path().join("tokens");
    std::fs::write(&tokens, "old secret\n").unwrap();
    let host = HostProcess::start_with_tokens(&home.path().join("host"), &tokens);
    let server = serve(&home, &host, "old secret");
    let load = server.load("MSFT", Some(1)).await;
    server
        .follow(0)
        .await
        .until(|operation| operation.id == load.id && operation.state == State::Running)
        .await;
    until(&host, "new secret", 401).await;

    std::fs::write(&tokens, "old secret\nnew secret\n").unwrap();
    until(&host, "new secret", 200).await;
    until(&host, "old secret", 200).await;
    // Invalid, so the tokens stay; the next change replaces them.
    std::fs::write(&tokens, "\n").unwrap();
    assert!(server.stop().success());
    let server = serve(&home, &host, "new secret");
    server.host_up().await;
    std::fs::write(&tokens, "new secret\n").unwrap();
    until(&host, "old secret", 401).await;

    let hosts: protocol::api::HostList = server.pool.get("/api/v1/hosts").await.unwrap();
    assert_eq!(hosts.hosts[0].link, HostLink::Up);
    let operation = server.detail(load.id).await.operation;
    assert_eq!((operation.state, operation.attempt), (State::Running, 1));
}
