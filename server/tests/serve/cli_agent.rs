//! Agent of the command line: a real agent, a real server, and commands that come and go.

use crate::process::{signal, wait_until};
use crate::user::{User, text_of};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Stdio};

/// What the JSON of a list says about the agent's copy, if that answered.
fn copy_of_list(user: &User, url: &str) -> Option<Value> {
    let document: Value = serde_json::from_str(&user.ok(url, &["list", "-o", "json"]).0).unwrap();
    document.get("copy").filter(|copy| copy["offline"] == false).cloned()
}

#[tokio::test]
async fn reads_are_answered_by_the_agent_and_show_ones_own_writes_at_once() {
    let user = User::new();
    let server = user.serve();
    server.host_up().await;
    let url = &server.url;
    user.with_agent(url);
    for _ in 0..5 {
        let id = user.ok(url, &["start", "exec.count"]).0;
        let (listed, err) = user.ok(url, &["list", "-o", "name"]);
        assert_eq!(listed.lines().next(), Some(id.trim()), "{err}");
    }
    // On a busy machine, single commands may find that the agent does not greet in time.
    let note = "This is the agent's copy, ";
    wait_until(|| user.ok(url, &["list"]).1.contains(note), "the agent does not answer");
    wait_until(|| copy_of_list(&user, url).is_some_and(|copy| copy["age_ms"].is_u64()), "the age is missing");
    let document: Value = serde_json::from_str(&user.ok(url, &["list", "-o", "json", "--fresh"]).0).unwrap();
    assert!(document.get("copy").is_none(), "{document}");
    let id = user.ok(url, &["list", "-o", "name", "--limit", "1"]).0;
    wait_until(
        || user.ok(url, &["show", id.trim(), "-o", "csv"]).0.contains(",succeeded,"),
        "its end was not reported",
    );
    user.ok(url, &["delete", id.trim(), "--yes"]);
    assert!(!user.ok(url, &["list", "-o", "name"]).0.contains(id.trim()));
    assert!(user.ok(url, &["hosts", "--no-agent"]).1.is_empty());

    let agents = user.agents();
    assert_eq!(agents.len(), 1, "{agents:?}");
    let count = |name: &str| agents[0][name].as_u64().unwrap();
    // A second connection is opened if a request comes before the first one is free again.
    assert!(count("opened") <= 2 && count("reused") > count("opened"), "{agents:?}");
    assert!(count("answered") > 1, "{agents:?}");
}

#[tokio::test]
async fn reads_are_answered_while_the_server_is_away_with_their_age() {
    let user = User::new();
    let server = user.serve();
    server.host_up().await;
    let url = server.url.clone();
    user.with_agent(&url);
    let id = user.ok(&url, &["start", "exec.count"]).0;
    user.ok(&url, &["list"]);
    server.kill();
    wait_until(|| user.agents()[0]["connected"] == false, "the agent did not notice it");
    let note = "The server does not respond. This is the agent's copy, ";
    wait_until(
        || {
            let (code, out, err) = user.run(&url, &["list", "-o", "name"]);
            code == 0 && out == id && err.contains(note)
        },
        "the agent does not answer",
    );
    let (code, _, err) = user.run(&url, &["list", "--fresh"]);
    assert!(code == 3 && err.contains("no server at"), "{err}");
    let (code, out, err) = user.run(&url, &["start", "exec.count"]);
    assert!(code == 3 && out.is_empty() && err.contains("Nothing was started."), "{err}");
    let (code, _, err) = user.run(&url, &["start", "exec.count", "--wait-server=1s"]);
    assert!(code == 3 && err.contains("Waiting at most "), "{err}");
}

#[tokio::test]
async fn reads_are_answered_while_the_server_hangs() {
    let user = User::new();
    let server = user.serve();
    server.host_up().await;
    let url = &server.url;
    user.with_agent(url);
    let id = user.ok(url, &["start", "exec.count"]).0;
    user.ok(url, &["list"]);
    // It still accepts connections.
    signal("-STOP", server.pid());
    wait_until(|| user.agents()[0]["connected"] == false, "the agent did not notice it");
    let (code, out, err) = user.run(url, &["list", "-o", "name"]);
    signal("-CONT", server.pid());
    assert_eq!((code, out), (0, id));
    assert!(err.contains("The server does not respond. This is the agent's copy, "), "{err}");
}

#[tokio::test]
async fn an_agent_whose_socket_was_removed_ends_and_another_one_is_started() {
    let user = User::new();
    let server = user.serve();
    let url = &server.url;
    user.with_agent(url);
    let pid = user.agents()[0]["pid"].clone();
    std::fs::remove_file(&user.sockets()[0]).unwrap();
    wait_until(
        || {
            user.ok(url, &["list"]);
            user.agents().first().is_some_and(|agent| agent["pid"] != pid)
        },
        "no other agent was started",
    );
}

#[tokio::test]
async fn an_agent_that_does_not_answer_is_named_and_killed_by_stop() {
    let user = User::new();
    let server = user.serve();
    let url = &server.url;
    user.with_agent(url);
    let pid = u32::try_from(user.agents()[0]["pid"].as_u64().unwrap()).unwrap();
    signal("-STOP", pid);
    let (code, out, err) = user.run(url, &["agent", "status"]);
    assert!(code == 3 && out.is_empty() && err.contains(&format!("PID {pid}")), "{out}{err}");
    assert_eq!(user.ok(url, &["agent", "stop"]).0, "Stopped 1 agent.\n");
    // The lock is free: another one can be started.
    user.with_agent(url);
    assert_ne!(user.agents()[0]["pid"], pid);
}

#[tokio::test]
async fn an_event_that_the_server_does_not_have_delays_only_one_command() {
    let user = User::new();
    let server = user.serve();
    server.host_up().await;
    let url = &server.url;
    user.with_agent(url);
    user.ok(url, &["start", "exec.count"]);
    // As if the data of the server had been replaced by older ones.
    let file = user.home.path().join("state/signalbox/session.json");
    let mut session: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    session["servers"][0]["seq"] = json!(1_000_000_000);
    std::fs::write(&file, session.to_string()).unwrap();
    user.ok(url, &["list"]);
    wait_until(|| copy_of_list(&user, url).is_some(), "each command waits for the event");
}

#[tokio::test]
async fn an_agent_that_can_not_be_started_is_explained() {
    let user = User::new();
    let server = user.serve();
    let mut command = user.command(&server.url, &["list"]);
    let (code, _, err) = text_of(command.env("SIGNALBOX_AGENT_IDLE", "soon").output().unwrap());
    assert!(code == 0 && err.contains("SIGNALBOX_AGENT_IDLE is 'soon', which is no whole number"), "{err}");
    let run = user.home.path().join("long".repeat(30));
    std::fs::create_dir(&run).unwrap();
    let mut command = user.command(&server.url, &["list"]);
    let (code, _, err) = text_of(command.env("XDG_RUNTIME_DIR", &run).output().unwrap());
    assert!(
        code == 0 && err.contains(" bytes. Set XDG_RUNTIME_DIR to a folder with a shorter path"),
        "{err}"
    );
}

#[tokio::test]
async fn a_start_waits_for_the_server_if_it_is_told_to_and_starts_once() {
    let user = User::new();
    let mut server = user.serve();
    server.host_up().await;
    let url = server.url.clone();
    user.with_agent(&url);
    for agent in ["on", "off"] {
        let before = user.ok(&url, &["list", "-o", "name", "--fresh"]).0.lines().count();
        server.kill();
        let mut command = user.command(&url, &["start", "exec.count", "--wait-server"]);
        command.env("SIGNALBOX_AGENT", agent).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut starting: Child = command.spawn().unwrap();
        let mut note = String::new();
        let mut errors = std::io::BufReader::new(starting.stderr.take().unwrap());
        std::io::BufRead::read_line(&mut errors, &mut note).unwrap();
        assert!(note.ends_with("Waiting at most 5 m.\n"), "{note}");
        // Its hosts have not connected yet.
        server = user.serve_at(&url);
        let output = starting.wait_with_output().unwrap();
        assert!(output.status.success(), "{agent}");
        let listed = user.ok(&url, &["list", "-o", "name", "--fresh"]).0;
        assert_eq!(listed.lines().count(), before + 1);
        assert_eq!(listed.lines().next(), String::from_utf8(output.stdout).unwrap().lines().next());
    }
}

#[tokio::test]
async fn commands_work_whatever_happens_to_the_agent() {
    let user = User::new();
    let server = user.serve();
    server.host_up().await;
    let url = &server.url;
    user.with_agent(url);
    // Killed: its socket stays, and the next command starts another one.
    let pid = user.agents()[0]["pid"].as_u64().unwrap();
    signal("-KILL", u32::try_from(pid).unwrap());
    user.ok(url, &["list"]);
    wait_until(|| !user.agents().is_empty(), "no other agent was started");
    assert_ne!(user.agents()[0]["pid"].as_u64(), Some(pid));
    // Stopped by a signal, it does not greet.
    let pid = u32::try_from(user.agents()[0]["pid"].as_u64().unwrap()).unwrap();
    signal("-STOP", pid);
    let (out, err) = user.ok(url, &["list"]);
    assert_eq!((out.as_str(), err.as_str()), ("No operations match.\n", ""));
    signal("-CONT", pid);
    // The command that got no greeting has started another agent, which would come up once the first one ends.
    user.ok(url, &["agent", "stop"]);
    wait_until(|| user.sockets().is_empty() && user.agents().is_empty(), "an agent is left");

    // Off in CI, and on request.
    for (name, value) in [("CI", "true"), ("SIGNALBOX_AGENT", "off")] {
        assert!(user.command(url, &["list"]).env(name, value).output().unwrap().status.success());
    }
    user.ok(url, &["list", "--no-agent"]);
    assert!(user.sockets().is_empty() && user.agents().is_empty());

    // A folder that others can enter is not used.
    let folder = user.home.path().join("run/signalbox");
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
    let (_, err) = user.ok(url, &["list"]);
    assert!(err.contains("The agent is not used: ") && err.contains("XDG_RUNTIME_DIR"), "{err}");
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn an_agent_that_comes_up_after_a_stop_ends_at_once() {
    let user = User::new();
    let server = user.serve();
    user.with_agent(&server.url);
    user.ok(&server.url, &["agent", "stop"]);
    wait_until(|| user.sockets().is_empty(), "an agent is left");
    // A command had wanted it before the stop.
    let late = ["agent", "run", "--server", &server.url, "--stops", "0"];
    assert!(user.command(&server.url, &late).status().unwrap().success());
    assert!(user.sockets().is_empty() && user.agents().is_empty());
    user.with_agent(&server.url);
}

#[tokio::test]
async fn an_unused_agent_ends() {
    let user = User::new();
    let server = user.serve();
    let started = user.command(&server.url, &["list"]).env("SIGNALBOX_AGENT_IDLE", "1").output().unwrap();
    assert!(started.status.success());
    wait_until(|| !user.sockets().is_empty(), "no agent was started");
    wait_until(|| user.sockets().is_empty(), "it did not end");
}

#[tokio::test]
async fn a_token_has_an_agent_of_its_own() {
    let user = User::new();
    let command = user.home.command(&["--token", "s3cret"]);
    let server = user.home.serve_by(command);
    let with_token = |args: &[&str]| {
        text_of(user.command(&server.url, args).env("SIGNALBOX_TOKEN", "s3cret").output().unwrap())
    };
    assert_eq!(with_token(&["list"]).0, 0);
    wait_until(|| user.agents().iter().any(|agent| agent["connected"] == true), "no agent follows the feed");
    let answered = || {
        let document: Value = serde_json::from_str(&with_token(&["list", "-o", "json"]).1).unwrap();
        document["operations"] == json!([]) && document.get("copy").is_some()
    };
    wait_until(answered, "the agent does not answer");
    // Without it, nothing is shown.
    let (code, out, err) = user.run(&server.url, &["list"]);
    assert!(code == 3 && out.is_empty() && err.contains("Authentication required"), "{out}{err}");
}
