//! Bundled hosts belong to the server that started them; nobody else on the machine can use them.

use crate::process::{Home, HostProcess, Server};
use protocol::State;
use protocol::api::HostList;
use serde_json::{Value, json};
use std::path::PathBuf;

/// URL of `local`.
async fn local(server: &Server) -> String {
    server.host_up().await;
    let hosts: HostList = server.pool.get("/api/v1/hosts").await.unwrap();
    hosts.hosts.iter().find(|host| host.name.as_str() == "local").unwrap().url.clone()
}

async fn loads(server: &Server) {
    let mut feed = server.follow(0).await;
    let load = server.load("ACME", None).await;
    let ended = feed.until(|o| o.id == load.id && o.state.ended()).await;
    assert_eq!(ended.state, State::Succeeded, "{:?}", ended.failure);
}

fn left(home: &Home) -> PathBuf {
    home.path().join("data/hosts-left-running.json")
}

#[tokio::test]
async fn the_bundled_hosts_do_nothing_for_whoever_else_finds_their_port() {
    let home = Home::new();
    let server = home.serve(&[]);
    let url = format!("{}/host/v1/operations", local(&server).await);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let started = client.post(&url).json(&json!({"kind": "data.load"})).send().await.unwrap();
    assert_eq!(started.status(), 401);
    assert_eq!(client.get(&url).bearer_auth("guessed").send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_token_for_hosts_in_the_environment_of_the_server_is_not_theirs() {
    let home = Home::new();
    let mut command = home.command(&[]);
    command.env("SIGNALBOX_HOST_TOKEN", "of another host");
    loads(&home.serve_by(command)).await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_next_server_has_the_secret_of_hosts_that_were_left_running_and_no_other_user_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("data")).unwrap();
    // A record of an earlier version is readable by all.
    std::fs::write(left(&home), "{}").unwrap();
    let server = home.serve(&["--keep-hosts"]);
    let url = local(&server).await;
    assert_eq!(std::fs::metadata(left(&home)).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(server.stop().success());
    let server = home.serve(&["--keep-hosts"]);
    assert_eq!(local(&server).await, url);
    loads(&server).await;
}

#[tokio::test]
async fn hosts_that_an_older_version_left_running_without_a_secret_are_taken_up() {
    let home = Home::new();
    let host = HostProcess::start(&home.path().join("older"));
    std::fs::create_dir_all(home.path().join("data")).unwrap();
    let told: Value = json!({"url": host.url, "pid": null});
    std::fs::write(left(&home), told.to_string()).unwrap();
    let server = home.serve(&["--keep-hosts"]);
    assert_eq!(local(&server).await, host.url);
    loads(&server).await;
}

/// File with commands that do nothing.
fn commands(home: &Home, names: &[&str]) -> PathBuf {
    let tables = names.iter().map(|name| format!("[exec.{name}]\ncommand = [\"true\"]\n"));
    let path = home.path().join("exec.toml");
    std::fs::write(&path, tables.collect::<String>()).unwrap();
    path
}

async fn has_kind(server: &Server, kind: &str) -> bool {
    server.host_up().await;
    let hosts: HostList = server.pool.get("/api/v1/hosts").await.unwrap();
    hosts.hosts.iter().any(|host| host.kinds.iter().any(|k| k.as_str() == kind))
}

fn is_alive(pid: u64) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|said| !said.is_empty())
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn hosts_that_were_kept_take_a_changed_file_of_commands_and_end_with_a_server_that_does_not_keep_them()
{
    let home = Home::new();
    let exec = commands(&home, &["one"]).display().to_string();
    let server = home.serve(&["--keep-hosts", "--exec", &exec]);
    assert!(has_kind(&server, "exec.one").await);
    assert!(server.stop().success());
    let pid = |home: &Home| -> u64 {
        let left: Value = serde_json::from_str(&std::fs::read_to_string(left(home)).unwrap()).unwrap();
        left["pid"].as_u64().unwrap()
    };
    let first = pid(&home);
    assert!(is_alive(first));

    // They are idle, so they are replaced by hosts with the new commands.
    commands(&home, &["one", "two"]);
    let server = home.serve(&["--keep-hosts", "--exec", &exec]);
    assert!(has_kind(&server, "exec.two").await);
    assert!(!is_alive(first));
    assert!(server.stop().success());
    let second = pid(&home);
    assert!(is_alive(second));

    let server = home.serve(&["--exec", &exec]);
    assert!(has_kind(&server, "exec.two").await);
    assert!(is_alive(second), "unchanged, they are taken up");
    assert!(server.stop().success());
    assert!(!is_alive(second));
    assert!(!left(&home).exists());
}
