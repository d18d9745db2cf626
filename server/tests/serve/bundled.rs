//! Bundled hosts belong to the server that started them; nobody else on the machine can use them.

use crate::process::{Home, HostProcess, Server, http_client, wait_until};
use protocol::State;
use protocol::api::HostList;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

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
async fn bundled_hosts_reject_requests_without_their_token() {
    let home = Home::new();
    let server = home.serve(&[]);
    let url = format!("{}/host/v1/operations", local(&server).await);
    let client = http_client();
    let started = client.post(&url).json(&json!({"kind": "data.load"})).send().await.unwrap();
    assert_eq!(started.status(), 401);
    assert_eq!(client.get(&url).bearer_auth("guessed").send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn a_host_token_in_the_environment_of_the_server_is_not_used_for_bundled_hosts() {
    let home = Home::new();
    let mut command = home.command(&[]);
    command.env("SIGNALBOX_HOST_TOKEN", "of another host");
    loads(&home.serve_by(command)).await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_secret_of_kept_hosts_is_reused_and_private_to_the_user() {
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
async fn kept_hosts_of_an_older_version_without_a_secret_are_adopted() {
    let home = Home::new();
    let host = HostProcess::start(&home.path().join("older"));
    std::fs::create_dir_all(home.path().join("data")).unwrap();
    let record: Value = json!({"url": host.url, "pid": null});
    std::fs::write(left(&home), record.to_string()).unwrap();
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

fn is_alive(pid: u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|output| !output.is_empty())
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn kept_hosts_reload_commands_and_end_with_a_server_that_does_not_keep_them() {
    let home = Home::new();
    let exec = commands(&home, &["one"]).display().to_string();
    let server = home.serve(&["--keep-hosts", "--exec", &exec]);
    assert!(has_kind(&server, "exec.one").await);
    assert!(server.stop().success());
    let first = home.hosts();
    assert!(is_alive(first));

    // They are idle, so they are replaced by hosts with the new commands.
    commands(&home, &["one", "two"]);
    let server = home.serve(&["--keep-hosts", "--exec", &exec]);
    assert!(has_kind(&server, "exec.two").await);
    assert!(!is_alive(first));
    assert!(server.stop().success());
    let second = home.hosts();
    assert!(is_alive(second));

    let server = home.serve(&["--exec", &exec]);
    assert!(has_kind(&server, "exec.two").await);
    assert!(is_alive(second), "unchanged, they are taken up");
    assert!(server.stop().success());
    assert!(!is_alive(second));
    assert!(!left(&home).exists());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn hosts_of_a_server_killed_while_starting_them_are_found_by_the_next_one() {
    for flags in [&[][..], &["--keep-hosts"]] {
        let home = Home::new();
        let (mut killed, mut known) = (0, Vec::new());
        while killed < 5 {
            let mut server = home.begin(flags);
            // As soon as the process of its hosts exists; hosts of the killed server may still be there.
            wait_until(|| home.all_hosts().iter().any(|pid| !known.contains(pid)), "no hosts started");
            server.kill().unwrap();
            server.wait().unwrap();
            killed += 1;
            known = home.all_hosts();
        }
        let server = home.serve(flags);
        loads(&server).await;
        wait_until(|| home.all_hosts() == [home.hosts()], "other hosts still run");
        let files = std::fs::read_dir(home.path().join("data")).unwrap().flatten();
        let names: Vec<_> = files.map(|file| file.file_name().into_string().unwrap()).collect();
        assert!(!names.iter().any(|name| name.starts_with("hosts-ready")), "{names:?}");
        assert!(server.stop().success());
        let kept = usize::from(!flags.is_empty());
        assert_eq!(home.all_hosts().len(), kept);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn unknown_hosts_of_a_killed_server_end_before_new_ones_start() {
    let home = Home::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
    command.args(["host", "--bundled", "--listen", "127.0.0.1:0", "--data"]);
    command.arg(home.path().join("data/hosts")).env("SIGNALBOX_HOST_TOKEN", "unknown").stdout(Stdio::null());
    let mut unknown = command.spawn().unwrap();
    let lock = home.path().join("data/hosts/host.lock");
    wait_until(|| std::fs::read(&lock).is_ok_and(|note| !note.is_empty()), "it did not start");
    let server = home.serve(&["--keep-hosts"]);
    assert!(unknown.try_wait().unwrap().is_some(), "it still runs");
    loads(&server).await;
    assert_eq!(home.all_hosts(), [home.hosts()]);
}

#[tokio::test]
async fn a_manually_started_host_on_the_same_data_is_kept_and_reported_with_advice() {
    let home = Home::new();
    std::fs::create_dir_all(home.path().join("data")).unwrap();
    let host = HostProcess::start(&home.path().join("data/hosts"));
    let output = home.fails(&[]);
    assert!(output.contains("`signalbox host` (PID") && output.contains("[[host]]"), "{output}");
    let client = http_client();
    let about = client.get(format!("{}/host/v1/about", host.url)).send().await.unwrap();
    assert_eq!(about.status(), 200);
}

#[tokio::test]
async fn a_host_waits_for_the_host_that_uses_its_folder() {
    let home = Home::new();
    let folder = home.path().join("one");
    let first = HostProcess::start(&folder);
    let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
    command.args(["host", "--listen", "127.0.0.1:0", "--data"]).arg(&folder);
    command.env("SIGNALBOX_LOG", "info").stdout(Stdio::null()).stderr(Stdio::piped());
    let mut second = command.spawn().unwrap();
    let mut log = BufReader::new(second.stderr.take().unwrap()).lines().map(Result::unwrap);
    let waits = log.next().unwrap();
    assert!(waits.contains("waiting for another host (PID"), "{waits}");
    first.kill();
    let started = log.next().unwrap();
    assert!(started.contains("bundled hosts started"), "{started}");
    second.kill().unwrap();
    second.wait().unwrap();
}
